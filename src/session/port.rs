//! The shape of every session.

use std::time::Instant;

use crate::codec::Packet;
use crate::model::{EndReason, Fault, FaultKind, Micros, RawBatch};
use crate::text::SafeText;

/// What time it is, handed in.
#[derive(Clone, Copy, Debug)]
pub struct Now {
    /// For deadlines.
    pub mono: Instant,
    /// For showing.
    pub wall: Micros,
}

/// What happened to a session.
#[derive(Debug)]
pub enum Input<'a> {
    /// A connection stands; the first one or one after a loss.
    Opened,
    /// A message came.
    Packet(&'a Packet),
    /// The time of [`Session::poll_timeout`] is reached.
    Timeout,
    /// The connection is gone, and why.
    Lost(&'a SafeText<'static>),
    /// The longer history that [`Session::poll_history`] wanted, the oldest line first; empty if
    /// it can't be had.
    History(&'a [String]),
    /// The target ends: what is held is to be given out.
    Over,
}

/// A longer history than a replay, which is read from where the server stores it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Wanted {
    /// The component's id.
    pub component: String,
    /// So many lines at most, the newest ones.
    pub rows: usize,
}

/// What a session reports besides lines.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum FeedEvent {
    /// Lines from the server's history come now.
    Replaying,
    /// The server's history is over (decision 1): what comes now is live.
    ReplayOver,
    /// Nothing more will come; the connection is to be closed.
    End(EndReason),
}

/// Where a session puts what it made of its inputs.
#[derive(Default, Debug)]
pub struct Outbox {
    /// Lines and marks, in order.
    pub batch: RawBatch,
    /// Events; they belong behind the lines above.
    pub events: Vec<FeedEvent>,
}

impl Outbox {
    /// The target ends: the peer sends what can't be read, or refuses us for good.
    pub fn give_up(&mut self, what: &str, why: &str, next: &str) {
        let fault = Fault::new(FaultKind::Protocol, what, why, next);
        self.events.push(FeedEvent::End(EndReason::Fault(fault)));
    }
}

/// A protocol state machine without input and output of its own.
pub trait Session {
    /// Takes one input.
    fn handle(&mut self, now: Now, input: Input<'_>, out: &mut Outbox);
    /// The next packet that it wants to send; ask until there is none.
    fn poll_transmit(&mut self) -> Option<Packet>;
    /// The history that it wants to be told by [`Input::History`]; one at a time.
    fn poll_history(&mut self) -> Option<Wanted> {
        None
    }
    /// When it wants [`Input::Timeout`].
    fn poll_timeout(&self) -> Option<Instant>;
}
