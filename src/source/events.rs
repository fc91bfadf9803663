//! What the platform does with a component: its list of events, looked at from time to time, and
//! the steps of those that run, as they come (protocols.md 3.3).

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{sleep, sleep_until};

use crate::clock;
use crate::codec::sse::{Decoder, Said};
use crate::codec::target::{self, FeedSpec, Target, WsSpec};
use crate::model::catalog::EventEntry;
use crate::model::context::Place;
use crate::model::{
    EndReason, FeedUpdate, Level, LinkState, Mark, RawBatch, RowFlags, RowHead, SourceName,
    TargetId, words,
};
use crate::platform::{Platform, sockets};
use crate::say;
use crate::session::event::EventSteps;
use crate::text::SafeText;
use crate::transport::DialError;
use crate::transport::http::Streaming;

use super::drive::{self, now};
use super::{Command, Lag, Outlet, Policy, Reconnect, as_received};

/// How often the list is looked at.
const LOOK: Duration = Duration::from_secs(5);
/// Events of the past that are told.
const PAST: usize = 50;
/// Events whose steps are followed at once.
const RUNNING: usize = 16;
/// Batches on their way from the followers.
const NEWS: usize = 64;

/// Runs a component's events to their end.
pub async fn run<B: Send + 'static>(
    target: Target,
    place: Place,
    policy: Policy,
    orders: mpsc::Receiver<Command>,
    outlet: Outlet<B>,
) {
    let (sender, news) = mpsc::channel(NEWS);
    let mut work = Events {
        name: target.text,
        platform: Platform::new(&place.context),
        place: Arc::new(place),
        policy,
        outlet,
        known: BTreeMap::new(),
        followers: JoinSet::new(),
        sender,
    };
    let reason = work.run(orders, news).await;
    work.outlet.state(LinkState::Ended(reason));
    work.outlet.flush().await;
}

struct Events<B> {
    name: String,
    platform: Platform,
    place: Arc<Place>,
    policy: Policy,
    outlet: Outlet<B>,
    /// The events that were told, and how they stood.
    known: BTreeMap<String, String>,
    followers: JoinSet<()>,
    sender: mpsc::Sender<RawBatch>,
}

impl<B: Send + 'static> Events<B> {
    async fn run(
        &mut self,
        mut orders: mpsc::Receiver<Command>,
        mut news: mpsc::Receiver<RawBatch>,
    ) -> EndReason {
        let step = say!("reading the list of events", "正在读取事件列表");
        self.outlet
            .state(LinkState::Connecting(SafeText::of(&step).into_owned()));
        let mut first = true;
        let mut failures = 0u32;
        loop {
            let place = Arc::clone(&self.place);
            let looked = tokio::select! {
                biased;
                () = drive::stop_order(&mut orders) => return EndReason::Finished,
                looked = self.platform.events(&place, PAST) => looked,
            };
            let mut wait = LOOK;
            match looked {
                Ok(events) => {
                    failures = 0;
                    if first {
                        self.outlet.state(LinkState::Replaying);
                    }
                    self.tell(events, first);
                    self.outlet.state(LinkState::Live);
                    first = false;
                }
                Err(error) => {
                    failures += 1;
                    let patient = !first || self.policy.reconnect == Reconnect::Patient;
                    if !error.retry || !patient {
                        let what = format!("{} ({})", self.name, error.fault.what);
                        let fault = crate::model::Fault {
                            what,
                            ..error.fault
                        };
                        return EndReason::Fault(fault);
                    }
                    wait = (LOOK * failures.min(6)).max(error.after.unwrap_or_default());
                    self.outlet.state(LinkState::Waiting {
                        retry_in: wait,
                        attempt: failures,
                        why: SafeText::of(&error.fault.why).into_owned(),
                    });
                }
            }
            if self.rest(wait, &mut orders, &mut news).await {
                return EndReason::Finished;
            }
        }
    }

    /// Hands on what the followers say until the next look. True if the program wants no more.
    async fn rest(
        &mut self,
        wait: Duration,
        orders: &mut mpsc::Receiver<Command>,
        news: &mut mpsc::Receiver<RawBatch>,
    ) -> bool {
        let until = clock::now() + wait;
        loop {
            tokio::select! {
                biased;
                order = orders.recv() => match order {
                    Some(Command::Reconnect) => return false,
                    Some(Command::Stop) | None => return true,
                },
                batch = news.recv(), if !self.outlet.must_wait() => {
                    self.outlet.lines(batch.unwrap_or_default());
                }
                Some(_) = self.followers.join_next() => {}
                () = self.outlet.make_room(), if self.outlet.is_waiting() => {}
                () = sleep_until(until) => return false,
            }
        }
    }

    /// Tells events that are new, and those that stand otherwise than before; the list has the
    /// newest first.
    fn tell(&mut self, events: Vec<EventEntry>, first: bool) {
        let mut batch = RawBatch::default();
        for event in events.into_iter().rev() {
            let stands = format!("{} {}", event.status, event.final_status);
            let before = self.known.insert(event.id.clone(), stands.clone());
            if before.as_ref() == Some(&stands) {
                continue;
            }
            let source = SourceName::new(event.kind.as_bytes());
            let head = RowHead {
                source: Some(&source),
                flags: if first {
                    RowFlags(RowFlags::REPLAY)
                } else {
                    RowFlags::default()
                },
                level: match event.status.as_str() {
                    "failure" | "timeout" => Level::Error,
                    _ => Level::Info,
                },
                recv: clock::wall(),
                stamp: event.ended.or(event.began),
            };
            batch.push(line(&event).as_bytes(), &head);
            if event.is_running() && before.is_none() && self.followers.len() < RUNNING {
                let follower = Follower {
                    place: Arc::clone(&self.place),
                    event: event.id,
                    sender: self.sender.clone(),
                    seed: self.policy.seed,
                };
                self.followers.spawn(follower.run());
            }
        }
        self.outlet.lines(batch);
    }
}

/// An event in one line.
fn line(event: &EventEntry) -> String {
    let status = match (event.status.as_str(), event.is_running()) {
        ("", true) => say!("running", "进行中"),
        ("", false) => event.final_status.clone(),
        (status, _) => status.to_owned(),
    };
    let mut text = format!("{} {status}", event.kind);
    if !event.user.is_empty() {
        let user = &event.user;
        text.push_str(&say!(" by {user}", "，操作人 {user}"));
    }
    if let (Some(began), Some(ended)) = (event.began, event.ended) {
        let micros = u64::try_from(ended.0.saturating_sub(began.0)).unwrap_or(0);
        let time = words::duration(Duration::from_micros(micros));
        text.push_str(&say!(" in {time}", "，用时 {time}"));
    }
    for more in [&event.message, &event.reason] {
        if !more.is_empty() {
            text.push_str(": ");
            text.push_str(more);
        }
    }
    text.push_str(" #");
    text.push_str(&event.id);
    text
}

/// Follows the steps of one event that runs.
struct Follower {
    place: Arc<Place>,
    event: String,
    sender: mpsc::Sender<RawBatch>,
    seed: u64,
}

impl Follower {
    async fn run(self) {
        let mut platform = Platform::new(&self.place.context);
        let mut steps = EventSteps::new(self.seed);
        let mut pause = Duration::from_secs(1);
        // A stream that is cut is asked for again, until the event has ended.
        for attempt in 0..8 {
            let opened = platform.event_stream(&self.place, &self.event).await;
            match opened {
                Ok(stream) => {
                    steps.opened();
                    self.read(stream, &mut steps).await;
                    if steps.is_over() {
                        return;
                    }
                }
                Err(error) if !error.retry && attempt == 0 => {
                    return self.sockets(platform, error).await;
                }
                Err(error) => pause = pause.max(error.after.unwrap_or_default()),
            }
            sleep(pause).await;
            pause = (pause * 2).min(Duration::from_secs(30));
        }
    }

    /// Reads one connection to its end, or to the event's.
    async fn read(&self, mut stream: Streaming, steps: &mut EventSteps) {
        let mut decoder = Decoder::default();
        while let Ok(Some(bytes)) = stream.chunk().await {
            let mut batch = RawBatch::default();
            let now = now();
            decoder.feed(&bytes, |said| {
                if let Said::Event(event) = said {
                    steps.event(now, &event, &mut batch);
                }
            });
            if !batch.is_empty() {
                // Without a program there is nobody to tell.
                let _ = self.sender.send(batch).await;
            }
            if steps.is_over() {
                return;
            }
        }
    }

    /// A server without such streams: its WebSockets, the newest kind first.
    async fn sockets(self, mut platform: Platform, error: DialError) {
        let way = platform.socket_way();
        for base in sockets::bases(&mut platform, &self.place).await {
            let candidates = target::event_sockets(&base, &self.place.component.id, &self.event);
            let Ok((url, feed)) = sockets::first(candidates, &way).await else {
                continue;
            };
            let spec = FeedSpec::Ws(WsSpec { url, feed });
            let target = Target::new(self.event.clone(), "", spec).by(&way);
            return self.relay(target).await;
        }
        let (event, why) = (&self.event, error.fault.why);
        let text = say!(
            "the steps of {event} can't be had: {why}",
            "无法读取 {event} 的步骤：{why}"
        );
        let mut batch = RawBatch::default();
        batch.push_mark(Mark::Notice(SafeText::of(&text).into_owned()));
        let _ = self.sender.send(batch).await;
    }

    /// Drives a WebSocket of one event, and hands on its lines.
    async fn relay(self, target: Target) {
        let (sender, mut inbox) = mpsc::channel(NEWS);
        // Nobody gives it orders: it ends with its event, or with us.
        let (_orders, receiver) = mpsc::channel(1);
        let outlet = Outlet::new(TargetId(0), sender, as_received, Lag::Block);
        let policy = Policy {
            reconnect: Reconnect::Auto,
            follow: true,
            seed: self.seed,
        };
        let work = drive::run(target, (policy, None), receiver, outlet);
        let hand_on = async {
            while let Some((_, update)) = inbox.recv().await {
                if let FeedUpdate::Lines(batch) = update {
                    let _ = self.sender.send(batch).await;
                }
            }
        };
        tokio::join!(work, hand_on);
    }
}
