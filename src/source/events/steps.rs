//! The steps of one event that runs, as they come, until the event is over.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep, sleep_until};

use crate::clock;
use crate::codec::sse::{Decoder, Said};
use crate::codec::target::{self, FeedSpec, Target, WsSpec};
use crate::model::context::Place;
use crate::model::{Certainty, FeedUpdate, Mark, RawBatch, TargetId};
use crate::platform::{Platform, sockets};
use crate::say;
use crate::session::event::EventSteps;
use crate::source::drive::{self, now};
use crate::source::last_words::LastWords;
use crate::source::{Command, Lag, Outlet, Policy, Reconnect, as_received};
use crate::text::SafeText;
use crate::transport::DialError;
use crate::transport::http::Streaming;

/// Follows the steps of one event that runs.
pub(super) struct Follower {
    pub(super) place: Arc<Place>,
    pub(super) event: String,
    pub(super) sender: mpsc::Sender<RawBatch>,
    /// True once the list calls the event over.
    pub(super) over: watch::Receiver<bool>,
    pub(super) seed: u64,
}

impl Follower {
    pub(super) async fn run(mut self) {
        let mut platform = Platform::new(&self.place.context);
        let mut steps = EventSteps::new(self.seed);
        let mut pause = Duration::from_secs(1);
        // A stream that is cut is asked for again, until the event has ended.
        for attempt in 0..8 {
            // What is over is asked for once more.
            let last = *self.over.borrow();
            let opened = platform.event_stream(&self.place, &self.event).await;
            match opened {
                Ok(stream) => {
                    steps.opened();
                    if self.read(stream, &mut steps).await {
                        return;
                    }
                }
                Err(error) if !error.retry && attempt == 0 => {
                    return self.sockets(platform, error).await;
                }
                Err(error) => pause = pause.max(error.after.unwrap_or_default()),
            }
            if last {
                return;
            }
            tokio::select! {
                () = sleep(pause) => {}
                () = is_over(&mut self.over) => {}
            }
            pause = (pause * 2).min(Duration::from_secs(30));
        }
    }

    /// Reads one connection to its end, or to the event's: true if it was the event's.
    async fn read(&self, mut stream: Streaming, steps: &mut EventSteps) -> bool {
        let mut over = self.over.clone();
        let mut decoder = Decoder::default();
        let mut last: Option<LastWords> = None;
        loop {
            if last.is_some_and(|last| last.is_cut(clock::now())) {
                self.tell(Mark::gap(Certainty::Possible, &self.cut())).await;
                return true;
            }
            let chunk = tokio::select! {
                biased;
                () = is_over(&mut over), if last.is_none() => {
                    last = Some(LastWords::begin(clock::now()));
                    continue;
                }
                chunk = stream.chunk() => chunk,
                () = until(last.map(|last| last.deadline())) => return true,
            };
            let came = clock::now();
            let Ok(Some(bytes)) = chunk else {
                return steps.is_over();
            };
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
                if let Some(last) = &mut last {
                    last.heard(came, clock::now());
                }
            }
            if steps.is_over() {
                return true;
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
        self.tell(Mark::Notice(SafeText::of(&text).into_owned()))
            .await;
    }

    fn cut(&self) -> String {
        let event = &self.event;
        say!(
            "{event}: it is over, and still says more than is read of one that is over",
            "{event}：该事件已结束，但仍有更多输出未读取"
        )
    }

    async fn tell(&self, mark: Mark) {
        let mut batch = RawBatch::default();
        batch.push_mark(mark);
        // Without a program there is nobody to tell.
        let _ = self.sender.send(batch).await;
    }

    /// Drives a WebSocket of one event, and hands on its lines.
    async fn relay(&self, target: Target) {
        let (sender, mut inbox) = mpsc::channel(super::NEWS);
        // It ends with its event, with us, or when the list calls the event over.
        let (orders, receiver) = mpsc::channel(1);
        let outlet = Outlet::new(TargetId(0), sender, as_received, Lag::Block);
        let policy = Policy {
            reconnect: Reconnect::Auto,
            follow: true,
            seed: self.seed,
        };
        let work = Box::pin(drive::run(target, (policy, None), receiver, outlet));
        let (last, mut heard) = watch::channel(Relayed::default());
        let (sender, mut over) = (self.sender.clone(), self.over.clone());
        let hand_on = async {
            while let Some((_, update)) = inbox.recv().await {
                if let FeedUpdate::Lines(batch) = update {
                    let came = clock::now();
                    last.send_modify(|last| last.waits = true);
                    let _ = sender.send(batch).await;
                    last.send_modify(|last| last.taken(came));
                }
            }
        };
        let end = async {
            is_over(&mut over).await;
            last.send_modify(|last| last.words = Some(LastWords::begin(clock::now())));
            if left(&mut heard).await {
                self.tell(Mark::gap(Certainty::Possible, &self.cut())).await;
            }
            // One that has ended needs no order.
            let _ = orders.send(Command::Stop).await;
            std::future::pending::<()>().await;
        };
        tokio::select! {
            _ = async { tokio::join!(work, hand_on) } => {}
            () = end => {}
        }
    }
}

/// Waits until the list calls an event over.
async fn is_over(over: &mut watch::Receiver<bool>) {
    // Whoever looked at the list is gone with the source.
    let _ = over.wait_for(|over| *over).await;
}

/// How a relay stands with the last words of an event.
#[derive(Clone, Copy, Debug, Default)]
struct Relayed {
    words: Option<LastWords>,
    /// Something came, and is not taken yet.
    waits: bool,
}

impl Relayed {
    fn taken(&mut self, came: Instant) {
        self.waits = false;
        if let Some(words) = &mut self.words {
            words.heard(came, clock::now());
        }
    }
}

/// Waits until a relay is to be left: true if it is cut.
async fn left(heard: &mut watch::Receiver<Relayed>) -> bool {
    loop {
        let Relayed { words, waits } = *heard.borrow_and_update();
        let now = clock::now();
        match words {
            Some(words) if !waits && words.is_cut(now) => return true,
            Some(words) if !waits && words.is_silent(now) => return false,
            Some(words) if !waits => sleep_until(words.deadline()).await,
            // Whoever is relayed is gone with the relay.
            Some(_) | None => drop(heard.changed().await),
        }
    }
}

async fn until(end: Option<Instant>) {
    match end {
        Some(end) => sleep_until(end).await,
        None => std::future::pending().await,
    }
}
