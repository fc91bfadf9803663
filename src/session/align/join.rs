//! The join window of lines that are given out at once: while the server replays, a line may
//! come twice in one connection, live and from the file (reliability.md 2.5, no. 1).

use std::collections::{HashMap, HashSet, VecDeque};

/// A live line that comes behind its twin is at most this late: the platform has two workers,
/// and each puts a line into the file just before it hands it on.
const LATE: usize = 32;
/// So few replayed lines say nothing of whether the stream repeats itself.
const FEW: usize = 16;

/// What one window has given out.
#[derive(Debug, Default)]
pub(super) struct Join {
    /// Replayed lines in their order.
    replayed: Vec<u64>,
    /// Live lines without a twin so far.
    live: Vec<u64>,
    /// How often each of those came.
    early: HashMap<u64, usize>,
    /// The replayed lines that a live twin may still follow.
    late: VecDeque<u64>,
    /// Lines given out before this window that may yet be replayed in it.
    before: HashMap<u64, usize>,
    /// Lines left out.
    seen: u64,
}

impl Join {
    /// A window in which these lines may come again from the history: given out before, and
    /// given out live in the same connection.
    pub(super) fn after(before: HashMap<u64, usize>, early: HashMap<u64, usize>) -> Self {
        Self {
            early,
            before,
            ..Self::default()
        }
    }

    /// Whether this replayed line is to be given out.
    pub(super) fn replayed(&mut self, print: u64) -> bool {
        if take(&mut self.before, print) {
            self.replayed.push(print);
            self.seen += 1;
            return false;
        }
        if take(&mut self.early, print) {
            // Its place is the file's.
            if let Some(at) = self.live.iter().position(|live| *live == print) {
                self.live.remove(at);
                self.replayed.push(print);
            }
            self.seen += 1;
            return false;
        }
        self.replayed.push(print);
        self.late.push_back(print);
        if self.late.len() > LATE {
            self.late.pop_front();
        }
        true
    }

    /// Whether this live line is to be given out.
    pub(super) fn live(&mut self, print: u64) -> bool {
        if let Some(at) = self.late.iter().position(|late| *late == print) {
            self.late.remove(at);
            self.seen += 1;
            return false;
        }
        self.live.push(print);
        *self.early.entry(print).or_default() += 1;
        true
    }

    /// Identical lines that may have been taken for one.
    pub(super) fn hidden(&self) -> u64 {
        let all = self.replayed.iter().chain(&self.live);
        let mut known = HashSet::new();
        let repeats = self.replayed.len() < FEW || !all.into_iter().all(|one| known.insert(*one));
        if repeats { self.seen } else { 0 }
    }

    /// How many lines have come.
    pub(super) fn len(&self) -> usize {
        self.replayed.len() + self.live.len()
    }

    /// The lines in the server's order, whether they are without a hole between the replayed and
    /// the live ones as far as can be told, and the live ones that the file may yet bring.
    pub(super) fn finish(self, whole: bool) -> Finished {
        Finished {
            joined: whole || self.seen > 0 || self.replayed.is_empty(),
            replayed: self.replayed,
            live: self.live,
            early: self.early,
            before: self.before,
            late: self.late,
        }
    }
}

/// A window that is over.
#[derive(Debug)]
pub(super) struct Finished {
    pub(super) joined: bool,
    pub(super) replayed: Vec<u64>,
    pub(super) live: Vec<u64>,
    pub(super) early: HashMap<u64, usize>,
    pub(super) before: HashMap<u64, usize>,
    /// The last replayed lines without a twin.
    pub(super) late: VecDeque<u64>,
}

/// One less of `print`, if there is one.
pub(super) fn take(counts: &mut HashMap<u64, usize>, print: u64) -> bool {
    match counts.get_mut(&print) {
        Some(count) if *count > 1 => *count -= 1,
        Some(_) => drop(counts.remove(&print)),
        None => return false,
    }
    true
}
