//! What was given out last: fingerprints in the server's order, as far as it is known.

use std::collections::VecDeque;

/// Fingerprints that are kept (reliability.md 2.5). A replay has 1000 lines.
pub(super) const KEPT: usize = 4096;

/// Runs without a hole inside; between two of them lines may be missing.
#[derive(Debug, Default)]
pub(super) struct Ring {
    runs: VecDeque<VecDeque<u64>>,
    len: usize,
}

impl Ring {
    /// Whether nothing was given out.
    pub(super) fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The next line of the last run.
    pub(super) fn push(&mut self, print: u64) {
        if self.runs.is_empty() {
            self.runs.push_back(VecDeque::new());
        }
        if let Some(run) = self.runs.back_mut() {
            run.push_back(print);
            self.len += 1;
        }
        while self.len > KEPT {
            match self.runs.front_mut().map(VecDeque::pop_front) {
                Some(Some(_)) => self.len -= 1,
                Some(None) => drop(self.runs.pop_front()),
                None => break,
            }
        }
    }

    /// More lines of the last run.
    pub(super) fn extend(&mut self, prints: impl IntoIterator<Item = u64>) {
        for print in prints {
            self.push(print);
        }
    }

    /// What comes next may not follow what came last.
    pub(super) fn tear(&mut self) {
        if self.runs.back().is_some_and(|run| !run.is_empty()) {
            self.runs.push_back(VecDeque::new());
        }
    }

    /// How often a line was given out.
    pub(super) fn count(&self, print: u64) -> usize {
        self.all().filter(|one| *one == print).count()
    }

    /// Forgets all.
    pub(super) fn clear(&mut self) {
        self.runs.clear();
        self.len = 0;
    }

    /// The runs, the newest first.
    pub(super) fn runs(&self) -> impl Iterator<Item = Vec<u64>> {
        self.runs
            .iter()
            .rev()
            .map(|run| run.iter().copied().collect())
    }

    /// All fingerprints.
    pub(super) fn all(&self) -> impl Iterator<Item = u64> {
        self.runs.iter().flatten().copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_keeps_the_last_lines_and_where_it_was_torn() {
        let mut ring = Ring::default();
        ring.extend(0..5000);
        assert_eq!(ring.all().collect::<Vec<_>>().len(), KEPT);
        assert_eq!(ring.all().next(), Some(904));
        ring.tear();
        ring.tear();
        ring.extend(0..3);
        let runs: Vec<_> = ring.runs().collect();
        assert_eq!((runs.len(), runs[0].len()), (2, 3));
        ring.extend(0..KEPT as u64);
        assert_eq!(ring.runs().count(), 1, "an empty run goes");
        assert_eq!(ring.all().count(), KEPT);
        ring.clear();
        assert!(ring.is_empty());
    }
}
