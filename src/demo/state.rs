//! The platform's one owner of state: who listens to what, what is stored, what was lost.
//! Everything reaches it as an [`Ask`]; it never waits for a connection.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinSet;

use super::cut::{Cut, Cutter};
use super::files::Files;
use super::hub::{Ask, Done, EventHead, Hub, Item, Kind, Subscription, Tally};
use super::listeners::{Listener, Listeners};
use super::monitor::{self, Board};
use super::options::Switches;
use super::record::{self, Entry, Stage};
use super::replay::{Replay, replay};
use super::times::Times;
use super::truth::{Fate, Origin, Recorder, TruthRecord};
use crate::clock;
use crate::model::Micros;

/// Lines kept of each component. A replay sends 1000 of them at most (protocols.md 1.4).
const LINES: usize = 5000;
/// Entries kept of each event.
const ENTRIES: usize = 1000;
/// Events kept; the oldest go.
const EVENTS: usize = 1000;
/// A line that was held back for its successor goes out after this time without one.
const HELD: Duration = Duration::from_millis(20);
/// After so many lines of one batch the others get their turn.
const TURN: usize = 32;

/// A component's stored lines, and how many there ever were.
#[derive(Debug, Default)]
struct Log {
    rows: VecDeque<(u64, Bytes)>,
    count: u32,
}

/// An event's entries.
#[derive(Debug, Default)]
struct Event {
    entries: VecDeque<(u64, Micros, Entry)>,
    /// Its place in the order of events.
    order: u64,
    begun: Micros,
}

/// The state.
pub(super) struct State {
    hub: Hub,
    switches: watch::Receiver<Switches>,
    recorder: Recorder,
    cutter: Cutter,
    logs: BTreeMap<String, Log>,
    files: Files,
    events: BTreeMap<String, Event>,
    boards: BTreeMap<String, (Board, u64, Bytes)>,
    listeners: Listeners,
    held: BTreeMap<String, Item>,
    replays: JoinSet<()>,
    notes: Vec<TruthRecord>,
    number: u64,
    next_id: u64,
    tally: Tally,
    times: Times,
    grow: watch::Sender<u64>,
}

impl State {
    pub(super) fn new(
        hub: Hub,
        switches: watch::Receiver<Switches>,
        recorder: Recorder,
        cutter: Cutter,
        (times, grow): (Times, watch::Sender<u64>),
    ) -> Self {
        Self {
            times,
            grow,
            hub,
            switches,
            recorder,
            cutter,
            logs: BTreeMap::new(),
            files: Files::default(),
            events: BTreeMap::new(),
            boards: BTreeMap::new(),
            listeners: Listeners::default(),
            held: BTreeMap::new(),
            replays: JoinSet::new(),
            notes: Vec::new(),
            number: 0,
            next_id: 0,
            tally: Tally::default(),
        }
    }

    /// Owns the state until nobody asks any more.
    pub(super) async fn run(mut self, mut inbox: mpsc::Receiver<Ask>) {
        loop {
            let ask = if self.held.is_empty() {
                inbox.recv().await
            } else {
                let Ok(ask) = tokio::time::timeout(HELD, inbox.recv()).await else {
                    self.release_held();
                    continue;
                };
                ask
            };
            let Some(ask) = ask else { return };
            let done = self.handle(ask).await;
            self.recorder.note(std::mem::take(&mut self.notes)).await;
            if let Some(done) = done {
                // Whoever asked and left needs no answer.
                let _ = done.send(());
            }
            while self.replays.try_join_next().is_some() {}
        }
    }

    async fn handle(&mut self, ask: Ask) -> Done {
        match ask {
            Ask::Subscribe {
                conn,
                kind,
                id,
                history,
                reply,
            } => {
                self.subscribe(conn, kind, id, history, reply);
            }
            Ask::Leave { id, by_client } => self.leave(id, by_client),
            Ask::Replayed(id) => self.listeners.replayed(id),
            Ask::History { id, limit, reply } => self.history(&id, limit, reply),
            Ask::Lines {
                service,
                container,
                lines,
                at,
                done,
            } => {
                let at = at.unwrap_or_else(|| self.times.now());
                self.lines(&service, &container, lines, at).await;
                return done;
            }
            Ask::File { wanted, reply } => drop(reply.send(self.files.read(&wanted))),
            Ask::Entries { id, reply } => drop(reply.send(self.entries(&id))),
            Ask::Events(reply) => drop(reply.send(self.heads())),
            Ask::Event { id, json, at, done } => {
                let at = at.unwrap_or_else(|| self.times.now());
                self.event(&id, &json, at);
                return done;
            }
            Ask::Monitor {
                service,
                json,
                done,
            } => {
                self.monitor(&service, &json);
                return done;
            }
            Ask::OldMonitor { topic, json, done } => {
                self.tally.reports += 1;
                let item = self.item(Kind::OldMonitor, json);
                self.deliver(Kind::OldMonitor, &topic, &item, false);
                return done;
            }
            Ask::CloseBucket { kind, id, done } => {
                // Dropping the senders ends the streams.
                self.listeners.close(kind, &id);
                return done;
            }
            Ask::Accepted => self.tally.connections += 1,
            Ask::Panic => {
                self.tally.panics += 1;
                self.cutter.cut(Cut::End);
            }
            Ask::Tally(reply) => {
                let _ = reply.send(self.tally);
            }
        }
        None
    }

    fn subscribe(
        &mut self,
        conn: u64,
        kind: Kind,
        id: String,
        history: bool,
        reply: oneshot::Sender<Subscription>,
    ) {
        let switches = self.switches.borrow().clone();
        let depth = match kind {
            Kind::Docker => switches.docker_queue,
            Kind::Event => switches.event_queue,
            Kind::NewMonitor | Kind::OldMonitor => switches.monitor_queue,
        };
        let (queue, receiver) = mpsc::channel(depth.max(1));
        self.next_id += 1;
        let listener = Listener {
            id: self.next_id,
            conn,
            queue: queue.clone(),
            replaying: history && kind == Kind::Docker,
        };
        let number = listener.id;
        self.listeners.add(kind, &id, listener);
        if reply
            .send(Subscription {
                id: number,
                queue: receiver,
            })
            .is_err()
        {
            return self.leave(number, false);
        }
        match kind {
            Kind::Docker if history => {
                let order = Replay {
                    hub: self.hub.clone(),
                    subscriber: number,
                    queue,
                    id,
                    switches,
                };
                self.replays.spawn(replay(order));
            }
            Kind::Event if history => self.event_history(number, &id, switches.history),
            // Whoever comes, all get the last list again (protocols.md 9.2.12).
            Kind::NewMonitor => self.push_board(&id),
            Kind::Docker | Kind::Event | Kind::OldMonitor => {}
        }
    }

    fn leave(&mut self, id: u64, by_client: bool) {
        let gone = self.listeners.remove(id);
        let in_replay = gone.is_some_and(|one| one.replaying);
        self.tally.left_in_replay += u64::from(in_replay && by_client);
    }

    fn history(&self, id: &str, wanted: usize, reply: oneshot::Sender<Vec<(u64, Bytes)>>) {
        let rows = self.logs.get(id).map_or_else(Vec::new, |log| {
            let skip = log.rows.len().saturating_sub(wanted);
            log.rows.iter().skip(skip).cloned().collect()
        });
        let _ = reply.send(rows);
    }

    async fn lines(&mut self, service: &str, container: &str, lines: Vec<Bytes>, at: Micros) {
        for (index, line) in lines.into_iter().enumerate() {
            if index % TURN == TURN - 1 {
                self.recorder.note(std::mem::take(&mut self.notes)).await;
                tokio::task::yield_now().await;
            }
            let text = record::docker_line(container, &line);
            // The node's file takes every line, the collector does not.
            let number = self.number + 1;
            self.files.write(container, number, at, line);
            let Some(text) = text else {
                self.number = number;
                continue;
            };
            self.tally.lines += 1;
            let item = self.item(Kind::Docker, text.clone());
            let count = self.store(service, item.number, text);
            self.forward(service, count, item);
        }
        self.grow.send_replace(self.number);
    }

    /// Keeps a line; how many the component has written so far.
    fn store(&mut self, service: &str, number: u64, text: Bytes) -> u32 {
        if !self.logs.contains_key(service) {
            self.logs.insert(service.to_owned(), Log::default());
        }
        let Some(log) = self.logs.get_mut(service) else {
            return 0;
        };
        log.count = log.count.wrapping_add(1);
        log.rows.push_back((number, text));
        if log.rows.len() > LINES {
            log.rows.pop_front();
        }
        log.count
    }

    /// The live path of a line: swapped with its neighbour or lost where the switches say so.
    fn forward(&mut self, service: &str, count: u32, item: Item) {
        let (swap, lose) = {
            let switches = self.switches.borrow();
            let hits = |every: Option<std::num::NonZeroU32>| every.is_some_and(|n| count % n == 0);
            (hits(switches.swap_every), hits(switches.drop_every))
        };
        if swap && !self.held.contains_key(service) {
            self.held.insert(service.to_owned(), item);
            return;
        }
        self.deliver(Kind::Docker, service, &item, lose);
        if let Some(held) = self.held.remove(service) {
            self.deliver(Kind::Docker, service, &held, false);
        }
    }

    fn release_held(&mut self) {
        for (service, item) in std::mem::take(&mut self.held) {
            self.deliver(Kind::Docker, &service, &item, false);
        }
    }

    fn entries(&self, id: &str) -> Vec<(Micros, Bytes)> {
        let entries = self
            .events
            .get(id)
            .into_iter()
            .flat_map(|event| &event.entries);
        entries
            .map(|(_, at, entry)| (*at, entry.live.clone()))
            .collect()
    }

    fn heads(&self) -> Vec<EventHead> {
        let mut events: Vec<_> = self.events.iter().collect();
        events.sort_by_key(|(_, event)| std::cmp::Reverse(event.order));
        let head = |(id, event): (&String, &Event)| {
            let mut ends = event.entries.iter().rev();
            let ended = ends.find(|(_, _, entry)| entry.stage != Stage::Running);
            EventHead {
                id: id.clone(),
                begun: event.begun,
                ended: ended.map(|(_, at, entry)| (*at, entry.stage)),
                message: event
                    .entries
                    .back()
                    .map_or_else(String::new, |(_, _, entry)| entry.message.clone()),
            }
        };
        events.into_iter().map(head).collect()
    }

    /// A place for an event; for a new one, the oldest goes where there are too many.
    fn event_place(&mut self, id: &str, at: Micros) -> &mut Event {
        if !self.events.contains_key(id) && self.events.len() >= EVENTS {
            let oldest = self.events.iter().min_by_key(|(_, event)| event.order);
            if let Some(oldest) = oldest.map(|(id, _)| id.clone()) {
                self.events.remove(&oldest);
            }
        }
        let order = self.number;
        self.events.entry(id.to_owned()).or_insert_with(|| Event {
            entries: VecDeque::new(),
            order,
            begun: at,
        })
    }

    fn event(&mut self, id: &str, json: &[u8], at: Micros) {
        let Some((named, entry)) = record::event(json) else {
            return;
        };
        if named != id {
            return;
        }
        self.tally.entries += 1;
        let item = Item {
            ending: ending(&entry),
            ..self.item(Kind::Event, entry.live.clone())
        };
        let entries = &mut self.event_place(id, at).entries;
        entries.push_back((item.number, at, entry));
        if entries.len() > ENTRIES {
            entries.pop_front();
        }
        self.deliver(Kind::Event, id, &item, false);
    }

    /// Registration and history of an event are one step, so nothing comes twice
    /// (protocols.md 1.4).
    fn event_history(&mut self, subscriber: u64, id: &str, wanted: usize) {
        let listeners = self.listeners.of(Kind::Event, id);
        let Some(one) = listeners.iter().find(|one| one.id == subscriber) else {
            return;
        };
        let event = self.events.get(id);
        let skip = event.map_or(0, |event| event.entries.len().saturating_sub(wanted));
        let entries = event.into_iter().flat_map(|event| &event.entries);
        for (number, _, entry) in entries.skip(skip) {
            let item = Item {
                kind: Kind::Event,
                number: *number,
                origin: Origin::Replay,
                payload: entry.stored.clone(),
                ending: ending(entry),
            };
            if let Err(mpsc::error::TrySendError::Full(item)) = one.queue.try_send(item) {
                self.tally.dropped += 1;
                self.notes.push(dropped(one.conn, &item));
            }
        }
    }

    fn monitor(&mut self, service: &str, json: &[u8]) {
        let Some((named, entries)) = monitor::parse(json) else {
            return;
        };
        if named != service {
            return;
        }
        self.tally.reports += 1;
        self.number += 1;
        let board = self.boards.entry(service.to_owned()).or_default();
        let list = board.0.report(clock::now(), entries);
        (board.1, board.2) = (self.number, list.into());
        self.push_board(service);
    }

    fn push_board(&mut self, service: &str) {
        let Some((_, number, list)) = self.boards.get(service) else {
            return;
        };
        let item = Item {
            kind: Kind::NewMonitor,
            number: *number,
            origin: Origin::Live,
            payload: list.clone(),
            ending: None,
        };
        self.deliver(Kind::NewMonitor, service, &item, false);
    }

    fn item(&mut self, kind: Kind, payload: Bytes) -> Item {
        self.number += 1;
        Item {
            kind,
            number: self.number,
            origin: Origin::Live,
            payload,
            ending: None,
        }
    }

    /// Puts an item into the subscribers' queues. A full one loses it without a word to the
    /// client (protocols.md 1.4, "Silent loss").
    fn deliver(&mut self, kind: Kind, id: &str, item: &Item, lose: bool) {
        for one in self.listeners.of(kind, id) {
            let lost = if lose {
                true
            } else {
                matches!(
                    one.queue.try_send(item.clone()),
                    Err(mpsc::error::TrySendError::Full(_))
                )
            };
            if lost {
                self.tally.dropped += 1;
                if self.recorder.is_on() {
                    self.notes.push(dropped(one.conn, item));
                }
            }
        }
    }
}

fn ending(entry: &Entry) -> Option<(Stage, String)> {
    match entry.stage {
        Stage::Running => None,
        Stage::Success | Stage::Failure => Some((entry.stage, entry.message.clone())),
    }
}

fn dropped(conn: u64, item: &Item) -> TruthRecord {
    TruthRecord {
        conn,
        number: item.number,
        kind: Some(item.kind),
        origin: item.origin,
        fate: Fate::Dropped,
        payload: item.payload.clone(),
    }
}
