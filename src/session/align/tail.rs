//! The end of a full history, whose window closed by its number: live twins of its last lines may
//! be under way.

use std::collections::VecDeque;

use crate::model::Micros;

use super::fit::SWAP;

/// Microseconds in which a twin comes, if it was under way.
const UNDER_WAY: u64 = 1_500_000;

/// Lines of the history that have no twin so far.
#[derive(Debug, Default)]
pub(super) struct Tail {
    prints: VecDeque<u64>,
    /// A twin is among so many live lines.
    left: usize,
    ended: Micros,
}

impl Tail {
    /// The last of these, and of the `newer` lines that a longer history has more; the last line
    /// came at `ended`.
    pub(super) fn of(
        prints: impl DoubleEndedIterator<Item = u64>,
        newer: usize,
        ended: Micros,
    ) -> Self {
        let left = SWAP + newer;
        Self {
            prints: prints.rev().take(left).collect(),
            left,
            ended,
        }
    }

    /// Whether a twin may still come.
    pub(super) fn is_open(&self) -> bool {
        !self.prints.is_empty() && self.left > 0
    }

    /// Whether a live line is a twin.
    pub(super) fn take(&mut self, print: u64, recv: Micros) -> bool {
        if recv.0.abs_diff(self.ended.0) > UNDER_WAY {
            self.prints.clear();
        }
        if self.left == 0 {
            return false;
        }
        self.left -= 1;
        let at = self.prints.iter().position(|twin| *twin == print);
        at.and_then(|at| self.prints.remove(at)).is_some()
    }
}
