//! The way to the platform's state: what can be asked of its owner, and what it answers.

use bytes::Bytes;
use tokio::sync::{mpsc, oneshot, watch};

use super::cut::Cutter;
use super::files::{Row, Wanted};
use super::options::Switches;
use super::record::Stage;
use super::shell::ShellTally;
use super::state::State;
use super::times::Times;
use super::truth::{Origin, Recorder};
use crate::model::Micros;

/// What can be listened to.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Kind {
    /// A component's log.
    Docker,
    /// An event's log.
    Event,
    /// A component's list of dear requests.
    NewMonitor,
    /// The same until V5.0, by topic.
    OldMonitor,
}

/// One message for a subscriber.
#[derive(Clone, Debug)]
pub(super) struct Item {
    /// The stream that it belongs to.
    pub kind: Kind,
    /// See [`TruthRecord::number`](super::TruthRecord).
    pub number: u64,
    /// Live or from the history.
    pub origin: Origin,
    /// What goes on the wire, or into pubsub's `data`.
    pub payload: Bytes,
    /// What it means for an event, and its message where it ends one.
    pub ending: Option<(Stage, String)>,
}

/// What is known of an event without its entries.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct EventHead {
    pub(super) id: String,
    pub(super) begun: Micros,
    /// When it ended, and whether well.
    pub(super) ended: Option<(Micros, Stage)>,
    /// Its last message.
    pub(super) message: String,
}

/// A place in the list of subscribers; dropping the queue is not enough, see [`Hub::leave`].
#[derive(Debug)]
pub(super) struct Subscription {
    /// Its number.
    pub id: u64,
    /// What comes.
    pub queue: mpsc::Receiver<Item>,
}

/// What the platform has counted.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Tally {
    /// Log lines taken; those under the 47-byte rule are not among them.
    pub lines: u64,
    /// Event entries taken.
    pub entries: u64,
    /// Monitor reports taken.
    pub reports: u64,
    /// Messages that a subscriber did not get, one for each subscriber.
    pub dropped: u64,
    /// Times that the real server would have died of a client's message (protocols.md 9.2.1).
    pub panics: u64,
    /// Times that a client left a log in its replay, of which the real server may die
    /// (protocols.md 7.2).
    pub left_in_replay: u64,
    /// Connections accepted.
    pub connections: u64,
    /// What the shell servers have counted.
    pub shell: ShellTally,
}

pub(super) type Done = Option<oneshot::Sender<()>>;

#[derive(Debug)]
pub(super) enum Ask {
    Subscribe {
        conn: u64,
        kind: Kind,
        id: String,
        history: bool,
        reply: oneshot::Sender<Subscription>,
    },
    Leave {
        id: u64,
        by_client: bool,
    },
    Replayed(u64),
    History {
        id: String,
        limit: usize,
        reply: oneshot::Sender<Vec<(u64, Bytes)>>,
    },
    Lines {
        service: String,
        container: String,
        lines: Vec<Bytes>,
        /// When they were written; now, without.
        at: Option<Micros>,
        done: Done,
    },
    /// What stands in the containers' files.
    File {
        wanted: Wanted,
        reply: oneshot::Sender<Vec<Row>>,
    },
    /// The entries of an event: when each came, and its bytes.
    Entries {
        id: String,
        reply: oneshot::Sender<Vec<(Micros, Bytes)>>,
    },
    /// All events, the newest first.
    Events(oneshot::Sender<Vec<EventHead>>),
    Event {
        id: String,
        json: Bytes,
        at: Option<Micros>,
        done: Done,
    },
    Monitor {
        service: String,
        json: Bytes,
        done: Done,
    },
    OldMonitor {
        topic: String,
        json: Bytes,
        done: Done,
    },
    CloseBucket {
        kind: Kind,
        id: String,
        done: Done,
    },
    Accepted,
    Panic,
    Tally(oneshot::Sender<Tally>),
}

/// The way to the state; cheap to clone.
#[derive(Clone, Debug)]
pub(super) struct Hub {
    asks: mpsc::Sender<Ask>,
    /// How many lines there are: whoever reads files is woken by it.
    grown: watch::Receiver<u64>,
}

impl Hub {
    /// The way, and the task that owns the state.
    pub(super) fn new(
        switches: watch::Receiver<Switches>,
        recorder: Recorder,
        cutter: Cutter,
        times: Times,
    ) -> (Self, impl Future<Output = ()> + Send + 'static) {
        // Who asks waits when it is full: the hub answers faster than any socket writes.
        let (asks, inbox) = mpsc::channel(1024);
        let (grow, grown) = watch::channel(0);
        let hub = Self { asks, grown };
        let state = State::new(hub.clone(), switches, recorder, cutter, (times, grow));
        (hub, state.run(inbox))
    }

    /// Sends an ask; a hub that is gone is a platform that is being dropped.
    pub(super) async fn tell(&self, ask: Ask) {
        let _ = self.asks.send(ask).await;
    }

    /// Sends an ask that has an answer; `None` while the platform is being dropped.
    pub(super) async fn ask<T>(&self, ask: impl FnOnce(oneshot::Sender<T>) -> Ask) -> Option<T> {
        let (reply, answer) = oneshot::channel();
        self.tell(ask(reply)).await;
        answer.await.ok()
    }

    /// To be woken by new lines.
    pub(super) fn grown(&self) -> watch::Receiver<u64> {
        self.grown.clone()
    }

    /// Begins to listen. The history follows by itself into the queue.
    pub(super) async fn subscribe(
        &self,
        conn: u64,
        kind: Kind,
        id: String,
        history: bool,
    ) -> Option<Subscription> {
        self.ask(|reply| Ask::Subscribe {
            conn,
            kind,
            id,
            history,
            reply,
        })
        .await
    }

    /// Stops listening; to be called while the queue is still there. Whether the client wanted
    /// it matters: see [`Tally::left_in_replay`].
    pub(super) async fn leave(&self, id: u64, by_client: bool) {
        self.tell(Ask::Leave { id, by_client }).await;
    }
}
