//! What the platform does with a component: its list of events, looked at from time to time, and
//! the steps of those that run, as they come (protocols.md 3.3).

mod steps;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::sleep_until;

use crate::clock;
use crate::codec::target::Target;
use crate::model::catalog::EventEntry;
use crate::model::context::Place;
use crate::model::{
    EndReason, Level, LinkState, Mark, RawBatch, RowFlags, RowHead, SourceName, words,
};
use crate::platform::Platform;
use crate::say;
use crate::session::align::print;
use crate::text::SafeText;

use super::{Command, Outlet, Policy, Reconnect, drive};
use steps::Follower;

/// How often the list is looked at.
const LOOK: Duration = Duration::from_secs(5);
/// Events of the past that are told.
const PAST: usize = 50;
/// Events whose steps are followed at once.
const RUNNING: usize = 16;
/// Events that are remembered; of more, those that have left the list are forgotten.
const REMEMBERED: usize = 1024;
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
    let (sender, mut news) = mpsc::channel(NEWS);
    let mut work = Events {
        name: target.text,
        platform: Platform::new(&place.context),
        place: Arc::new(place),
        policy,
        outlet,
        known: BTreeMap::new(),
        running: BTreeMap::new(),
        followers: JoinSet::new(),
        sender,
    };
    let reason = work.run(orders, &mut news).await;
    // What the followers have said comes before the end.
    for _ in 0..news.len() {
        work.outlet.lines(news.try_recv().unwrap_or_default());
    }
    work.outlet.state(LinkState::Ended(reason));
    work.outlet.flush().await;
}

struct Events<B> {
    name: String,
    platform: Platform,
    place: Arc<Place>,
    policy: Policy,
    outlet: Outlet<B>,
    /// The events that were told, and how they stood, as fingerprints.
    known: BTreeMap<u64, u64>,
    /// The events that are followed; told true once the list calls them over.
    running: BTreeMap<String, watch::Sender<bool>>,
    followers: JoinSet<()>,
    sender: mpsc::Sender<RawBatch>,
}

impl<B: Send + 'static> Events<B> {
    async fn run(
        &mut self,
        mut orders: mpsc::Receiver<Command>,
        news: &mut mpsc::Receiver<RawBatch>,
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
            if self.rest(wait, &mut orders, news).await {
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
    fn tell(&mut self, mut events: Vec<EventEntry>, first: bool) {
        events.truncate(PAST);
        self.end_followers(&events);
        let mut batch = RawBatch::default();
        let mut unread = 0;
        let mut listed = BTreeMap::new();
        for event in events.into_iter().rev() {
            let status = event.status.as_bytes();
            let stands = print(
                self.policy.seed,
                Some(status),
                event.final_status.as_bytes(),
            );
            let id = print(self.policy.seed, None, event.id.as_bytes());
            listed.insert(id, stands);
            let before = self.known.insert(id, stands);
            if before == Some(stands) {
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
            if event.is_running() && before.is_none() && !self.follow(event.id) {
                unread += 1;
            }
        }
        if self.known.len() > REMEMBERED {
            self.known = listed;
        }
        if unread > 0 {
            let text = say!(
                "the steps of {unread} more running events are not read: {RUNNING} are followed at once",
                "另有 {unread} 个进行中的事件不读取步骤：最多同时跟踪 {RUNNING} 个"
            );
            batch.push_mark(Mark::Notice(SafeText::of(&text).into_owned()));
        }
        self.outlet.lines(batch);
    }

    /// Tells the followers of events that the list calls over that they are. The list says nothing
    /// of those that have left it: others came.
    fn end_followers(&mut self, events: &[EventEntry]) {
        self.running.retain(|_, over| !over.is_closed());
        for (id, over) in &self.running {
            let is_over = |event: &EventEntry| event.id == *id && !event.is_running();
            if events.iter().any(is_over) {
                over.send_replace(true);
            }
        }
    }

    /// Follows the steps of an event, if there is room for one more.
    fn follow(&mut self, event: String) -> bool {
        if self.running.len() >= RUNNING {
            return false;
        }
        let (sender, over) = watch::channel(false);
        let follower = Follower {
            place: Arc::clone(&self.place),
            event: event.clone(),
            sender: self.sender.clone(),
            over,
            seed: self.policy.seed,
        };
        self.followers.spawn(follower.run());
        self.running.insert(event, sender);
        true
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

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::*;
    use crate::model::batch::Item;
    use crate::model::catalog::Component;
    use crate::model::context::{Api, Context};
    use crate::model::{FeedUpdate, TargetId};
    use crate::source::{Lag, as_received};

    type Inbox = mpsc::Receiver<(TargetId, FeedUpdate<RawBatch>)>;

    fn place(server: &str) -> Arc<Place> {
        let context = Context::new("test", server.parse().unwrap(), Api::Region);
        let names = ("team", "region", "app");
        Arc::new(Place::of(&Arc::new(context), names, Component::default()))
    }

    fn desk() -> (Events<RawBatch>, Inbox) {
        let (sender, inbox) = mpsc::channel(1000);
        let place = place("http://127.0.0.1:1");
        let events = Events {
            name: "test".to_owned(),
            platform: Platform::new(&place.context),
            place,
            policy: Policy {
                reconnect: Reconnect::Auto,
                follow: true,
                seed: 1,
            },
            outlet: Outlet::new(TargetId(0), sender, as_received, Lag::Block),
            known: BTreeMap::new(),
            running: BTreeMap::new(),
            followers: JoinSet::new(),
            sender: mpsc::channel(1).0,
        };
        (events, inbox)
    }

    fn list(ids: std::ops::Range<u32>, status: &str) -> Vec<EventEntry> {
        let event = |id: u32| EventEntry {
            id: id.to_string(),
            status: status.to_owned(),
            ..EventEntry::default()
        };
        ids.map(event).collect()
    }

    /// The lines and notices that came.
    fn told(inbox: &mut Inbox) -> (usize, Vec<String>) {
        let (mut lines, mut notices) = (0, Vec::new());
        while let Ok((_, update)) = inbox.try_recv() {
            let FeedUpdate::Lines(batch) = update else {
                continue;
            };
            for item in batch.iter() {
                match item {
                    Item::Mark(Mark::Notice(text)) => notices.push(text.to_string()),
                    Item::Mark(_) => {}
                    Item::Line(..) => lines += 1,
                }
            }
        }
        (lines, notices)
    }

    #[tokio::test]
    async fn a_list_that_is_another_one_at_each_look_does_not_grow_without_end() {
        let (mut events, mut inbox) = desk();
        for look in 0..100 {
            events.tell(list(look * 200..look * 200 + 200, "success"), false);
            assert_eq!(told(&mut inbox).0, PAST);
            events.tell(Vec::new(), false);
            events.tell(list(look * 200..look * 200 + 200, "success"), false);
            assert_eq!(told(&mut inbox).0, 0, "told once");
        }
        assert!(events.known.len() <= REMEMBERED);
    }

    #[tokio::test]
    async fn running_events_that_are_not_followed_are_told_of() {
        let (mut events, mut inbox) = desk();
        events.tell(list(0..20, ""), false);
        let (lines, notices) = told(&mut inbox);
        assert_eq!((lines, events.running.len()), (20, RUNNING));
        assert!(notices[0].contains("4 more running events"), "{notices:?}");
        assert_eq!(notices.len(), 1);
        // Those that are over are told so, and an empty list says nothing.
        let over = |events: &Events<RawBatch>| {
            let all = events.running.values();
            all.filter(|over| *over.borrow()).count()
        };
        events.tell(Vec::new(), false);
        assert_eq!(over(&events), 0);
        // Nor does one that others have pushed out of it.
        events.tell(list(100..150, "success"), false);
        assert_eq!(over(&events), 0);
        events.tell(list(0..20, "success"), false);
        assert_eq!(over(&events), RUNNING);
    }

    #[tokio::test]
    async fn a_stream_of_steps_that_stays_silent_is_left_when_the_list_calls_the_event_over() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let server = format!("http://{}", listener.local_addr().unwrap());
        let served = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let _ = stream.read(&mut [0; 4096]).await.unwrap();
            let body = "data: {\"message\":\"building\"}\n\n";
            let head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n";
            let answer = format!("{head}{body}");
            stream.write_all(answer.as_bytes()).await.unwrap();
            std::future::pending::<()>().await;
        });
        let (sender, mut batches) = mpsc::channel(1);
        let (list, over) = watch::channel(false);
        let follower = Follower {
            place: place(&server),
            event: "e".to_owned(),
            sender,
            over,
            seed: 1,
        };
        let following = tokio::spawn(follower.run());
        assert_eq!(batches.recv().await.unwrap().len(), 1);
        tokio::time::pause();
        list.send_replace(true);
        let ended = tokio::time::timeout(Duration::from_secs(60), following);
        ended.await.unwrap().unwrap();
        served.abort();
    }
}
