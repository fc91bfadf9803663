//! What a source tells the program: lines, marks between them, and the state of its link.

use std::time::Duration;

use crate::text::SafeText;

use super::batch::LineBatch;
use super::fault::Fault;
use super::ident::SourceName;

/// Something that happened between two lines of a stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mark {
    /// The link was lost and is back; lines may be missing or repeated around it.
    Reconnected {
        /// How long it was away.
        away: Duration,
        /// Why it was lost, in words.
        why: SafeText<'static>,
    },
    /// Lines are missing that the server had.
    Gap {
        /// What is known of it, in words.
        why: SafeText<'static>,
    },
    /// Lines that arrived and were not kept: our own queue was full.
    Dropped {
        /// How many.
        lines: u64,
    },
    /// A container or channel sends its first line.
    Join(SourceName),
    /// A container or channel has ended.
    Leave(SourceName),
    /// The server's notice that fits nowhere else.
    Notice(SafeText<'static>),
}

/// How a target's link stands, in words that a pane can show.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LinkState {
    /// Trying to connect; the text says which step.
    Connecting(SafeText<'static>),
    /// Connected; waiting for the first message.
    Open,
    /// Lines from the server's history arrive.
    Replaying,
    /// Live.
    Live,
    /// Nothing has arrived for long, a pong is overdue.
    Stale,
    /// Lost; the next attempt comes after this time.
    Waiting {
        /// Until the next attempt.
        retry_in: Duration,
        /// Attempts so far in this outage.
        attempt: u32,
        /// Why, in words.
        why: SafeText<'static>,
    },
    /// Nothing more will come.
    Ended(EndReason),
}

/// Why a target has ended for good.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EndReason {
    /// The input is read to its end, or a condition was met.
    Finished,
    /// The event that was followed ended well.
    Success(SafeText<'static>),
    /// The event that was followed failed or timed out.
    Failure(SafeText<'static>),
    /// It can't go on; says what, why and what to do.
    Fault(Fault),
}

/// One message from a source. The interface takes sanitised lines, follow mode takes them as
/// they came.
#[derive(Clone, Debug)]
pub enum FeedUpdate<B = LineBatch> {
    /// Lines and marks.
    Lines(B),
    /// The link changed.
    State(LinkState),
}
