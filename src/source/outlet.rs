//! The way from a source to the program: a bounded channel, and before it a queue of our own
//! that is bounded in bytes. A log socket is never pushed back on: the platform drops silently
//! what a slow reader leaves (protocols.md 1.4). When the queue is full its oldest batches go,
//! and their lines are counted at their place. What is left of them (losses, states) is little.

use std::collections::VecDeque;

use regex::bytes::Regex;
use tokio::sync::{mpsc, watch};

use crate::model::{FeedUpdate, LinkState, Mark, RawBatch, TargetId, words};
use crate::say;
use crate::session::sequence::Sequences;
use crate::text::SafeText;

/// What happens when the program does not keep up.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Lag {
    /// Keep this many bytes, drop the oldest, count.
    Drop(usize),
    /// Stop reading: for files and standard input, or where the user asked for it.
    Block,
}

enum Pending {
    Lines(RawBatch, usize),
    State(LinkState),
}

/// One target's way out.
pub struct Outlet<B> {
    target: TargetId,
    sender: mpsc::Sender<(TargetId, FeedUpdate<B>)>,
    prepare: fn(RawBatch) -> B,
    lag: Lag,
    /// What is left of the oldest batches, with the states between them: it goes first.
    bare: VecDeque<Pending>,
    pending: VecDeque<Pending>,
    pending_bytes: usize,
    /// Notices and the like that were dropped since that was told.
    dropped_notes: u64,
    /// Lines that were dropped since the last mark that told of it.
    dropped: u64,
    /// All that were dropped.
    shed: watch::Sender<u64>,
    closed: bool,
    sequences: Option<Sequences>,
    /// The end of the history is the target's end.
    brief: bool,
}

/// A second way to the program, for what the outlet itself can't tell any more.
#[derive(Debug)]
pub(super) struct Alarm<B> {
    pub(super) target: TargetId,
    pub(super) sender: mpsc::Sender<(TargetId, FeedUpdate<B>)>,
}

impl<B> std::fmt::Debug for Outlet<B> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Outlet")
            .field("target", &self.target)
            .field("pending", &self.pending_bytes)
            .finish_non_exhaustive()
    }
}

impl<B> Outlet<B> {
    /// An outlet for `target`; `prepare` runs on the source's thread, just before sending.
    pub fn new(
        target: TargetId,
        sender: mpsc::Sender<(TargetId, FeedUpdate<B>)>,
        prepare: fn(RawBatch) -> B,
        lag: Lag,
    ) -> Self {
        Self {
            target,
            sender,
            prepare,
            lag,
            bare: VecDeque::new(),
            pending: VecDeque::new(),
            pending_bytes: 0,
            dropped_notes: 0,
            dropped: 0,
            shed: watch::Sender::default(),
            closed: false,
            sequences: None,
            brief: false,
        }
    }

    /// The way to tell that the source is gone.
    pub(super) fn alarm(&self) -> Alarm<B> {
        Alarm {
            target: self.target,
            sender: self.sender.clone(),
        }
    }

    /// How many lines were dropped so far: known before their mark, which waits for room.
    pub fn shed_count(&self) -> watch::Receiver<u64> {
        self.shed.subscribe()
    }

    /// The same outlet that pushes back: for files and standard input, which wait.
    #[must_use]
    pub fn blocking(mut self) -> Self {
        self.lag = Lag::Block;
        self
    }

    /// The same outlet that follows the numbers of the lines, if `regex` finds any; `brief` says
    /// that the target ends with its history.
    #[must_use]
    pub fn numbered(mut self, regex: Option<Regex>, brief: bool) -> Self {
        self.sequences = regex.map(Sequences::new);
        self.brief = brief;
        self
    }

    /// Hands on a batch, or queues it.
    pub fn lines(&mut self, mut batch: RawBatch) {
        if self.closed || batch.is_empty() {
            return;
        }
        if let Some(sequences) = &mut self.sequences {
            sequences.read(&mut batch);
        }
        self.queue(batch);
    }

    fn queue(&mut self, batch: RawBatch) {
        let weight = batch.weight();
        self.pending_bytes += weight;
        self.pending.push_back(Pending::Lines(batch, weight));
        self.send_ready();
        self.shed();
    }

    /// Hands on a change of state, behind the lines before it.
    pub fn state(&mut self, state: LinkState) {
        if self.closed {
            return;
        }
        let over = matches!(state, LinkState::Ended(_)) || self.brief && state == LinkState::Live;
        if over && let Some(sequences) = &mut self.sequences {
            let mut batch = RawBatch::default();
            sequences.finish(&mut batch);
            if !batch.is_empty() {
                self.queue(batch);
            }
        }
        self.pending.push_back(Pending::State(state));
        self.send_ready();
    }

    /// The program wants no more than what is queued: nothing else is taken.
    pub fn close(&mut self) {
        self.closed = true;
    }

    /// The program is gone: nothing can be handed on.
    fn forget(&mut self) {
        self.closed = true;
        self.bare.clear();
        self.pending.clear();
        self.pending_bytes = 0;
    }

    /// Whether something waits for room.
    pub fn is_waiting(&self) -> bool {
        !(self.bare.is_empty() && self.pending.is_empty())
    }

    /// Whether the source must not read on before [`Outlet::make_room`].
    pub fn must_wait(&self) -> bool {
        self.lag == Lag::Block && self.is_waiting()
    }

    /// Waits for room and sends one update. Cancel-safe.
    pub async fn make_room(&mut self) {
        match self.sender.clone().reserve_owned().await {
            Ok(permit) => {
                if let Some(update) = self.take() {
                    permit.send((self.target, update));
                    self.send_ready();
                }
            }
            // The program is gone; the command channel will say so too.
            Err(_) => self.forget(),
        }
    }

    /// Sends everything that is queued, waiting as long as it takes.
    pub async fn flush(&mut self) {
        while self.is_waiting() {
            self.make_room().await;
        }
    }

    fn send_ready(&mut self) {
        while self.is_waiting() {
            match self.sender.clone().try_reserve_owned() {
                Ok(permit) => {
                    if let Some(update) = self.take() {
                        permit.send((self.target, update));
                    }
                }
                Err(mpsc::error::TrySendError::Full(_)) => return,
                Err(mpsc::error::TrySendError::Closed(_)) => return self.forget(),
            }
        }
    }

    fn take(&mut self) -> Option<FeedUpdate<B>> {
        let first = self.bare.pop_front().or_else(|| self.pending.pop_front());
        Some(match first? {
            Pending::State(state) => FeedUpdate::State(state),
            Pending::Lines(mut batch, weight) => {
                self.pending_bytes -= weight;
                match std::mem::take(&mut self.dropped_notes) {
                    0 => {}
                    notes => batch.lead_mark(Mark::Notice(not_kept(notes))),
                }
                match std::mem::take(&mut self.dropped) {
                    0 => {}
                    lines => batch.lead_mark(Mark::Dropped { lines }),
                }
                FeedUpdate::Lines((self.prepare)(batch))
            }
        })
    }

    /// Drops the lines and the notices of the oldest batches past the budget, but never the
    /// newest one, so that the count always has a batch to travel with. States stay, and between
    /// two of them one batch with what is told of losses.
    fn shed(&mut self) {
        let Lag::Drop(budget) = self.lag else { return };
        while self.pending_bytes > budget && self.pending.len() > 1 {
            let (mut batch, weight) = match self.pending.pop_front() {
                Some(Pending::Lines(batch, weight)) => (batch, weight),
                Some(state) => {
                    self.bare.push_back(state);
                    continue;
                }
                None => return,
            };
            let lines = batch.len() as u64;
            self.dropped += lines;
            self.shed.send_modify(|all| *all += lines);
            self.dropped_notes += batch.keep_account();
            self.pending_bytes -= weight;
            if batch.is_empty() {
                continue;
            }
            if let Some(Pending::Lines(before, weight)) = self.bare.back_mut() {
                self.pending_bytes -= *weight;
                before.take_account(&mut batch);
                *weight = before.weight();
                self.pending_bytes += *weight;
            } else {
                let weight = batch.weight();
                self.pending_bytes += weight;
                self.bare.push_back(Pending::Lines(batch, weight));
            }
        }
    }
}

/// What is said of notices that were dropped.
fn not_kept(notes: u64) -> SafeText<'static> {
    let notes = words::count(notes);
    let text = say!(
        "{notes} notices were not kept: they came faster than they were taken",
        "{notes} 条通知未保留：到达快于接收"
    );
    SafeText::of(&text).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::batch::Item;
    use crate::model::{Certainty, RowHead};

    fn batch(lines: usize) -> RawBatch {
        let mut batch = RawBatch::default();
        for _ in 0..lines {
            batch.push(&[b'x'; 100], &RowHead::default());
        }
        batch
    }

    fn count(update: &FeedUpdate<RawBatch>) -> (u64, u64) {
        let FeedUpdate::Lines(batch) = update else {
            return (0, 0);
        };
        batch
            .iter()
            .fold((0, 0), |(lines, dropped), item| match item {
                Item::Line(..) => (lines + 1, dropped),
                Item::Mark(Mark::Dropped { lines: n }) => (lines, dropped + n),
                Item::Mark(_) => (lines, dropped),
            })
    }

    #[tokio::test]
    async fn a_full_queue_drops_its_oldest_and_counts_exactly() {
        let (sender, mut inbox) = mpsc::channel(2);
        let mut outlet = Outlet::new(TargetId(0), sender, |batch| batch, Lag::Drop(10_000));
        for _ in 0..50 {
            outlet.lines(batch(10));
        }
        assert!(outlet.pending_bytes <= 10_000);
        outlet.state(LinkState::Live);
        let (mut lines, mut dropped, mut states) = (0, 0, 0);
        while outlet.is_waiting() || !inbox.is_empty() {
            if let Ok((_, update)) = inbox.try_recv() {
                let (l, d) = count(&update);
                lines += l;
                dropped += d;
                states += u32::from(matches!(update, FeedUpdate::State(_)));
            } else {
                outlet.make_room().await;
            }
        }
        assert!(dropped > 0 && lines > 0);
        assert_eq!((lines + dropped, states), (500, 1));
    }

    #[tokio::test]
    async fn a_blocking_outlet_drops_nothing_and_says_that_it_must_wait() {
        let (sender, mut inbox) = mpsc::channel(1);
        let mut outlet = Outlet::new(TargetId(0), sender, |batch| batch, Lag::Drop(1)).blocking();
        for _ in 0..5 {
            outlet.lines(batch(10));
        }
        assert!(outlet.must_wait());
        let mut lines = 0;
        while let Ok((_, update)) = inbox.try_recv() {
            lines += count(&update).0;
            if outlet.is_waiting() {
                outlet.make_room().await;
            }
        }
        assert_eq!(lines, 50);
    }

    #[tokio::test]
    async fn marks_survive_the_lines_around_them() {
        let (sender, mut inbox) = mpsc::channel(1);
        let mut outlet = Outlet::new(TargetId(0), sender, |batch| batch, Lag::Drop(2_000));
        outlet.state(LinkState::Open);
        let mut marked = batch(10);
        marked.push_mark(Mark::gap(Certainty::Certain, "gap"));
        outlet.lines(marked);
        for _ in 0..10 {
            outlet.lines(batch(10));
        }
        let mut gaps = 0;
        while outlet.is_waiting() || !inbox.is_empty() {
            if let Ok((_, FeedUpdate::Lines(batch))) = inbox.try_recv() {
                gaps += batch
                    .iter()
                    .filter(|item| matches!(item, Item::Mark(Mark::Gap { .. })))
                    .count();
            } else {
                outlet.make_room().await;
            }
        }
        assert_eq!(gaps, 1);
    }

    /// Batches of one notice, one gap of one line, or both; now and then a state.
    #[tokio::test]
    async fn what_is_told_between_lines_is_bounded_as_well_and_counted() {
        let (sender, mut inbox) = mpsc::channel(1);
        let mut outlet = Outlet::new(TargetId(0), sender, |batch| batch, Lag::Drop(10_000));
        let text = "x".repeat(1000);
        let (mut notices, mut missing, mut certainty) = (0, 0, Certainty::None);
        for turn in 0..3000 {
            let mut batch = RawBatch::default();
            if turn % 3 != 0 {
                batch.push_mark(Mark::Notice(SafeText::of(&text).into_owned()));
                notices += 1;
            }
            if turn % 3 != 1 {
                batch.push_mark(Mark::Gap {
                    why: SafeText::of(&text).into_owned(),
                    certainty: Certainty::Certain,
                    hidden: 0,
                    missing: Some(1),
                });
                missing += 1;
            }
            outlet.lines(batch);
            if turn % 1000 == 500 {
                outlet.state(LinkState::Stale);
            }
            let held = outlet.bare.len() + outlet.pending.len();
            assert!(held < 30, "{held} in the queue");
            assert!(outlet.pending_bytes < 15_000, "{}", outlet.pending_bytes);
        }
        let (mut kept, mut counted, mut lines, mut states) = (0, 0, 0, 0);
        while outlet.is_waiting() || !inbox.is_empty() {
            let Ok((_, update)) = inbox.try_recv() else {
                outlet.make_room().await;
                continue;
            };
            let FeedUpdate::Lines(batch) = update else {
                states += 1;
                continue;
            };
            for (_, mark) in batch.marks() {
                match mark {
                    Mark::Notice(told) if told.as_str() == text => kept += 1,
                    Mark::Notice(told) => {
                        let count: String =
                            told.as_str().chars().filter(char::is_ascii_digit).collect();
                        counted += count.parse::<u64>().unwrap();
                    }
                    Mark::Gap {
                        missing,
                        certainty: grade,
                        ..
                    } => {
                        lines += missing.unwrap();
                        certainty = certainty.max(*grade);
                    }
                    mark => panic!("{mark:?}"),
                }
            }
        }
        assert_eq!((kept + counted, lines, states), (notices, missing, 3));
        assert!(kept > 0 && counted > 0);
        assert_eq!(certainty, Certainty::Certain);
    }

    /// Numbered lines of which one is missing.
    fn numbered(brief: bool, end: &LinkState) -> Vec<String> {
        let (sender, mut inbox) = mpsc::channel(8);
        let regex = Regex::new(r"\d+").unwrap();
        let mut outlet = Outlet::new(TargetId(0), sender, |batch| batch, Lag::Block)
            .numbered(Some(regex), brief);
        let mut batch = RawBatch::default();
        for line in ["1", "3"] {
            batch.push(line.as_bytes(), &RowHead::default());
        }
        outlet.lines(batch);
        outlet.state(end.clone());
        let mut told = Vec::new();
        while let Ok((_, update)) = inbox.try_recv() {
            told.push(match update {
                FeedUpdate::State(_) => "state".to_owned(),
                FeedUpdate::Lines(batch) => match batch.marks() {
                    [] => "lines".to_owned(),
                    [(_, mark), ..] => words::mark(mark),
                },
            });
        }
        told
    }

    #[test]
    fn what_numbers_wait_for_at_the_end_is_told_before_it() {
        let ended = LinkState::Ended(crate::model::EndReason::Finished);
        let gap = "gap: 1 line is missing; number 2";
        for (brief, end, want) in [
            (false, &ended, &["lines", gap, "state"][..]),
            (true, &LinkState::Live, &["lines", gap, "state"]),
            (false, &LinkState::Live, &["lines", "state"]),
            (true, &LinkState::Stale, &["lines", "state"]),
        ] {
            assert_eq!(numbered(brief, end), want, "{end:?}");
        }
    }
}
