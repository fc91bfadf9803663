//! What a source tells the program: lines, marks between them, and the state of its link.

use std::time::Duration;

use crate::text::SafeText;
use crate::word;

use super::batch::LineBatch;
use super::fault::Fault;
use super::ident::SourceName;

/// Whether lines are missing at a mark, as far as can be known (reliability.md 2.5, no. 4).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Certainty {
    /// None are.
    #[default]
    None,
    /// Some may be.
    Possible,
    /// Some are.
    Certain,
}

/// Something that happened between two lines of a stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mark {
    /// The link was lost and is back.
    Reconnected {
        /// How long it was away.
        away: Duration,
        /// Why it was lost, in words.
        why: SafeText<'static>,
        /// Whether lines are missing here.
        certainty: Certainty,
        /// Identical lines that may have been left out as repeated, at most.
        hidden: u64,
    },
    /// Lines are missing that the server had, or may be.
    Gap {
        /// What is known of it, in words.
        why: SafeText<'static>,
        /// Whether lines are missing here.
        certainty: Certainty,
        /// Identical lines that may have been left out as repeated, at most.
        hidden: u64,
        /// How many are missing, where their numbers tell.
        missing: Option<u64>,
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

impl Mark {
    /// A gap of a grade, for a reason.
    pub fn gap(certainty: Certainty, why: &str) -> Self {
        Self::Gap {
            why: SafeText::of(why).into_owned(),
            certainty,
            hidden: 0,
            missing: None,
        }
    }

    /// Bytes that it holds, its text included.
    pub fn weight(&self) -> usize {
        let text = match self {
            Self::Reconnected { why: text, .. }
            | Self::Gap { why: text, .. }
            | Self::Notice(text) => text.as_str().len(),
            Self::Join(name) | Self::Leave(name) => name.weight(),
            Self::Dropped { .. } => 0,
        };
        size_of::<(usize, Self)>() + text
    }

    /// Whether it tells of lines that are missing, or of a return where none are: what is kept of
    /// a stream whose lines are dropped.
    pub fn is_account(&self) -> bool {
        !matches!(self, Self::Join(_) | Self::Leave(_) | Self::Notice(_))
    }

    /// Takes a mark in that comes next, if it tells of the same kind of loss.
    pub fn absorb(&mut self, next: &Self) -> bool {
        match (self, next) {
            (Self::Dropped { lines }, Self::Dropped { lines: more }) => {
                *lines = lines.saturating_add(*more);
                true
            }
            (
                Self::Gap {
                    why,
                    certainty,
                    hidden,
                    missing,
                },
                Self::Gap {
                    certainty: other,
                    hidden: more,
                    missing: others,
                    ..
                },
            ) => {
                *why = SafeText::of(word!("several gaps in a row", "连续多处缺口")).into_owned();
                *certainty = (*certainty).max(*other);
                *hidden = hidden.saturating_add(*more);
                // Numbers in lines may be anything.
                *missing = missing
                    .zip(*others)
                    .map(|(one, other)| one.saturating_add(other));
                true
            }
            _ => false,
        }
    }

    /// Whether lines are missing here, or may be.
    pub fn is_loss(&self) -> bool {
        match self {
            Self::Reconnected { certainty, .. } | Self::Gap { certainty, .. } => {
                *certainty != Certainty::None
            }
            Self::Dropped { .. } => true,
            Self::Join(_) | Self::Leave(_) | Self::Notice(_) => false,
        }
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_by_numbers_of_any_size_adds_up_to_the_most() {
        let gap = |missing| Mark::Gap {
            why: SafeText::of("numbers").into_owned(),
            certainty: Certainty::Certain,
            hidden: 1,
            missing,
        };
        let mut mark = gap(Some(u64::MAX - 101));
        assert!(mark.absorb(&gap(Some(97))) && mark.absorb(&gap(Some(u64::MAX - 101))));
        let Mark::Gap {
            hidden, missing, ..
        } = mark
        else {
            panic!("{mark:?}");
        };
        assert_eq!((hidden, missing), (3, Some(u64::MAX)));
    }
}
