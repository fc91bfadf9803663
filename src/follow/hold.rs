//! `--tail N`: the history is held until it is over, and its last N lines are let go.

use std::collections::VecDeque;

use crate::model::{RawBatch, RawRow, RowFlags};

/// A target's history on hold.
#[derive(Debug)]
pub struct Hold {
    keep: usize,
    /// Every line is history, as in a file; else those that are marked as replayed.
    all: bool,
    batches: VecDeque<(RawBatch, usize)>,
    history: usize,
    forgotten: u64,
}

impl Hold {
    /// Holds all but the last `keep` lines of history back.
    pub fn new(keep: usize, all: bool) -> Self {
        Self {
            keep,
            all,
            batches: VecDeque::new(),
            history: 0,
            forgotten: 0,
        }
    }

    /// Takes a batch in. Batches that can't be among the last lines are forgotten at once.
    pub fn push(&mut self, batch: RawBatch) {
        let old = batch
            .rows()
            .iter()
            .filter(|row| self.is_history(row))
            .count();
        self.history += old;
        self.batches.push_back((batch, old));
        while let Some((batch, old)) = self.batches.front() {
            let surplus = self.history - old >= self.keep;
            if !surplus || *old < batch.len() {
                break;
            }
            self.history -= old;
            self.forgotten += *old as u64;
            self.batches.pop_front();
        }
    }

    /// Lines of history that were let go already.
    pub fn forgotten(&self) -> u64 {
        self.forgotten
    }

    /// The history is over: gives each batch, with the number of its lines of history that are
    /// to be left out.
    pub fn release(self) -> (impl Iterator<Item = (RawBatch, usize)>, bool) {
        let mut skip = self.history.saturating_sub(self.keep);
        let all = self.all;
        let batches = self.batches.into_iter().map(move |(batch, old)| {
            let here = skip.min(old);
            skip -= here;
            (batch, here)
        });
        (batches, all)
    }

    fn is_history(&self, row: &RawRow) -> bool {
        self.all || row.flags.has(RowFlags::REPLAY)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::RowHead;

    fn kept(keep: usize, all: bool, batches: &[&[(&str, bool)]]) -> Vec<String> {
        let mut hold = Hold::new(keep, all);
        for rows in batches {
            let mut batch = RawBatch::default();
            for (line, replay) in *rows {
                let flags = RowFlags(if *replay { RowFlags::REPLAY } else { 0 });
                batch.push(
                    line.as_bytes(),
                    &RowHead {
                        flags,
                        ..RowHead::default()
                    },
                );
            }
            hold.push(batch);
        }
        let (batches, all) = hold.release();
        let mut lines = Vec::new();
        for (batch, mut skip) in batches {
            for (index, row) in batch.rows().iter().enumerate() {
                if skip > 0 && (all || row.flags.has(RowFlags::REPLAY)) {
                    skip -= 1;
                } else {
                    lines.push(String::from_utf8_lossy(batch.line(index)).into_owned());
                }
            }
        }
        lines
    }

    #[test]
    fn the_last_lines_of_the_history_and_every_live_line_stay() {
        let replay: &[&[(&str, bool)]] = &[
            &[("a", true), ("b", true)],
            &[("live", false), ("c", true)],
            &[("d", true)],
        ];
        assert_eq!(kept(0, false, replay), ["live"]);
        assert_eq!(kept(1, false, replay), ["live", "d"]);
        assert_eq!(kept(3, false, replay), ["b", "live", "c", "d"]);
        assert_eq!(kept(9, false, replay), ["a", "b", "live", "c", "d"]);
        assert_eq!(kept(2, true, replay), ["c", "d"]);
        assert_eq!(kept(0, true, replay), Vec::<String>::new());
    }
}
