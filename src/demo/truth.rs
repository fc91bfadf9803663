//! The truth log: what the platform put on each connection and what it lost, so that a test can
//! hold a client's account against it.

use std::collections::VecDeque;

use bytes::Bytes;
use tokio::sync::{mpsc, oneshot};

use super::hub::Kind;

/// Where a message comes from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Origin {
    /// It has just happened.
    Live,
    /// From the history.
    Replay,
    /// The server's own words: `ok`, pubsub's answers.
    Server,
}

/// What became of a message.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fate {
    /// Handed to the socket. The last ones before an abrupt end may not have left it.
    Sent,
    /// Lost in the platform: the subscriber's queue was full, or a switch said so.
    Dropped,
}

/// One message on one connection.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TruthRecord {
    /// The connection, counted from 1 in the order of acceptance.
    pub conn: u64,
    /// Number of the log line, event entry or monitor list, in the order in which the platform
    /// took them; the same in a replay. 0 for the server's own words.
    pub number: u64,
    /// The stream that it belongs to; `None` for the server's own words.
    pub kind: Option<Kind>,
    /// Where it comes from.
    pub origin: Origin,
    /// What became of it.
    pub fate: Fate,
    /// The message's payload on the wire; for a dropped one what the subscriber would have got
    /// before any pubsub envelope.
    pub payload: Bytes,
}

#[derive(Debug)]
enum Ask {
    Note(Vec<TruthRecord>),
    Read(oneshot::Sender<(Vec<TruthRecord>, u64)>),
}

/// Where connections write to the truth log; does nothing if there is none.
#[derive(Clone, Debug)]
pub(super) struct Recorder(Option<mpsc::Sender<Ask>>);

impl Recorder {
    /// A log of at most `limit` records and the task that keeps it; none for 0. Past the limit
    /// the oldest go and are counted.
    pub(super) fn new(limit: usize) -> (Self, Option<impl Future<Output = ()> + Send + 'static>) {
        if limit == 0 {
            return (Self(None), None);
        }
        // Writers wait when it is full: nothing of the truth is dropped unseen.
        let (asks, inbox) = mpsc::channel(256);
        (Self(Some(asks)), Some(keep(inbox, limit)))
    }

    /// Whether anything is kept.
    pub(super) fn is_on(&self) -> bool {
        self.0.is_some()
    }

    /// Adds records.
    pub(super) async fn note(&self, records: Vec<TruthRecord>) {
        if let (Some(asks), false) = (&self.0, records.is_empty()) {
            // A log that has ended has no readers either.
            let _ = asks.send(Ask::Note(records)).await;
        }
    }

    /// All records, and how many older ones were let go.
    pub(super) async fn read(&self) -> (Vec<TruthRecord>, u64) {
        let Some(asks) = &self.0 else {
            return (Vec::new(), 0);
        };
        let (reply, answer) = oneshot::channel();
        if asks.send(Ask::Read(reply)).await.is_err() {
            return (Vec::new(), 0);
        }
        answer.await.unwrap_or_default()
    }
}

async fn keep(mut inbox: mpsc::Receiver<Ask>, limit: usize) {
    let mut records: VecDeque<TruthRecord> = VecDeque::new();
    let mut gone = 0;
    while let Some(ask) = inbox.recv().await {
        match ask {
            Ask::Note(more) => records.extend(more),
            Ask::Read(reply) => {
                // Whoever asked and left needs no answer.
                let _ = reply.send((records.iter().cloned().collect(), gone));
            }
        }
        while records.len() > limit {
            records.pop_front();
            gone += 1;
        }
    }
}
