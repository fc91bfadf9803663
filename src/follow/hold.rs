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
    /// What was lost among the lines that were let go.
    lost: RawBatch,
    /// Bytes that are held, and that may be, where lines that are not history are held as well.
    bytes: usize,
    most: usize,
}

impl Hold {
    /// Holds all but the last `keep` lines of history back, in `most` bytes if live lines come
    /// between them.
    pub fn new(keep: usize, all: bool, most: usize) -> Self {
        Self {
            keep,
            all,
            batches: VecDeque::new(),
            history: 0,
            forgotten: 0,
            lost: RawBatch::default(),
            bytes: 0,
            most,
        }
    }

    /// Takes a batch in. Batches that can't be among the last lines are forgotten at once, but for
    /// what was lost among them. False if no more can be held: all is to be let go then.
    #[must_use]
    pub fn push(&mut self, batch: RawBatch) -> bool {
        let old = batch
            .rows()
            .iter()
            .filter(|row| self.is_history(row))
            .count();
        self.history += old;
        self.bytes += batch.weight();
        self.batches.push_back((batch, old));
        while let Some((batch, old)) = self.batches.front_mut() {
            let surplus = self.history - *old >= self.keep;
            if !surplus || *old < batch.len() {
                break;
            }
            self.history -= *old;
            self.forgotten += *old as u64;
            self.bytes -= batch.weight();
            batch.keep_account();
            self.lost.take_account(batch);
            self.batches.pop_front();
        }
        self.all || self.bytes <= self.most
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
        (std::iter::once((self.lost, 0)).chain(batches), all)
    }

    fn is_history(&self, row: &RawRow) -> bool {
        self.all || row.flags.has(RowFlags::REPLAY)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Certainty, Mark, RowHead};
    use crate::text::SafeText;

    fn kept(keep: usize, all: bool, batches: &[&[(&str, bool)]]) -> Vec<String> {
        let mut hold = Hold::new(keep, all, 1 << 20);
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
            assert!(hold.push(batch));
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

    /// Lines of which one is history or not, and marks before them.
    fn batch(replay: bool, marks: &[Mark]) -> RawBatch {
        let mut batch = RawBatch::default();
        marks.iter().cloned().for_each(|mark| batch.push_mark(mark));
        let flags = RowFlags(if replay { RowFlags::REPLAY } else { 0 });
        let head = RowHead {
            flags,
            ..RowHead::default()
        };
        batch.push(&[b'x'; 100], &head);
        batch
    }

    #[test]
    fn what_was_lost_among_lines_that_are_left_out_is_told() {
        let dropped = |lines| Mark::Dropped { lines };
        let gap = Mark::gap(Certainty::Possible, "gap");
        let notice = Mark::Notice(SafeText::of("notice").into_owned());
        for keep in [0, 1] {
            let mut hold = Hold::new(keep, false, 1 << 20);
            for marks in [
                &[dropped(2), notice.clone()][..],
                &[dropped(3)],
                std::slice::from_ref(&gap),
                &[],
            ] {
                assert!(hold.push(batch(true, marks)));
            }
            let mut only = RawBatch::default();
            only.push_mark(dropped(7));
            assert!(hold.push(only));
            let (batches, _) = hold.release();
            let marks: Vec<Mark> = batches
                .flat_map(|(batch, _)| batch.marks().to_vec())
                .map(|(_, mark)| mark)
                .collect();
            assert_eq!(marks, [dropped(5), gap.clone(), dropped(7)], "{keep}");
        }
    }

    #[test]
    fn live_lines_are_held_within_the_buffer_and_files_as_far_as_asked_for() {
        let mut hold = Hold::new(5, false, 10_000);
        let held = (0..1000)
            .take_while(|_| hold.push(batch(false, &[])))
            .count();
        assert!((10..100).contains(&held), "{held}");
        let mut hold = Hold::new(5, false, 10_000);
        assert!((0..1000).all(|_| hold.push(batch(true, &[]))));
        let mut hold = Hold::new(500, true, 10_000);
        assert!((0..1000).all(|_| hold.push(batch(false, &[]))));
    }
}
