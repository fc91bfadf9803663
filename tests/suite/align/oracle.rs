//! The slow oracle: a server that numbers every line it writes, and knows which ones it put on the
//! wire, and a client that reads them.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "test helper")]

use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap, VecDeque};
use std::hash::{BuildHasher as _, BuildHasherDefault, DefaultHasher};

use deckwatch::codec::docker_log::Line;
use deckwatch::model::{Certainty, Micros};
use deckwatch::session::align::{Aligner, Settled, Verdict};

use super::HISTORY;

/// A line is handed on at most so many lines late.
const LAG: usize = 7;

/// How a run goes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Plan {
    pub(super) seed: u64,
    /// How many different lines there are; 0 for as many as are written.
    pub(super) distinct: u64,
    pub(super) rounds: usize,
    /// Lines that a connection lives for at most, and that are missed between two.
    pub(super) alive: usize,
    pub(super) missed: usize,
    /// One in so many connections is cut within its history; 0 for none.
    pub(super) cuts: usize,
    /// One in so many live lines begins a burst that is dropped; 0 for none.
    pub(super) drops: usize,
}

/// A line's bytes as the file's shape of it has them.
fn lossy(text: &[u8]) -> Vec<u8> {
    String::from_utf8_lossy(text).into_owned().into_bytes()
}

/// A line on the wire.
#[derive(Clone, Copy)]
struct Frame {
    number: usize,
    replay: bool,
}

/// The server and the client.
pub(super) struct Run {
    pub(super) plan: Plan,
    pub(super) random: fastrand::Rng,
    /// Lines written; their numbers are their places.
    pub(super) written: usize,
    /// Lines in the file that are not handed on yet.
    pub(super) lagging: Vec<usize>,
    dropping: usize,
    wire: VecDeque<Frame>,
    subscribed: bool,
    aligner: Aligner,
    /// Lines that were read from the wire.
    sent: BTreeSet<usize>,
    given: Vec<Vec<u8>>,
    /// How much was given out when the first window was over.
    first: Option<usize>,
    /// Lines left out by what the marks say.
    pub(super) hidden: u64,
    pub(super) marks: Vec<Certainty>,
    /// The newest line that was read when the connection was lost.
    last: Option<usize>,
    /// The end of the file when it was read, and the oldest line that it still has.
    file: usize,
    pub(super) oldest: usize,
    /// A live line for so many replayed ones, at least.
    pub(super) race: usize,
    /// How often a longer history was asked for.
    pub(super) asks: usize,
    cut_first: bool,
}

impl Run {
    pub(super) fn new(plan: Plan) -> Self {
        Self {
            plan,
            random: fastrand::Rng::with_seed(plan.seed),
            written: 0,
            lagging: Vec::new(),
            dropping: 0,
            wire: VecDeque::new(),
            subscribed: false,
            aligner: Aligner::new(plan.seed ^ 0x5eed),
            sent: BTreeSet::new(),
            given: Vec::new(),
            first: None,
            hidden: 0,
            marks: Vec::new(),
            last: None,
            file: 0,
            oldest: 0,
            race: 2,
            asks: 0,
            cut_first: false,
        }
    }

    /// The text of a line; some are no UTF-8, and come otherwise from the file.
    fn text(&self, number: usize) -> Vec<u8> {
        let number = number as u64;
        let name = match self.plan.distinct {
            0 => number,
            1 => 0,
            distinct => {
                BuildHasherDefault::<DefaultHasher>::default().hash_one((self.plan.seed, number))
                    % distinct
            }
        };
        match name % 5 {
            3 => [b"line \xff\xe4\xb8 ", name.to_string().as_bytes()].concat(),
            _ => format!("line {name}").into_bytes(),
        }
    }

    pub(super) fn write(&mut self) {
        self.lagging.push(self.written);
        self.written += 1;
        while self.lagging.len() > self.random.usize(..=LAG) {
            let at = self.random.usize(..self.lagging.len());
            let at = if self.lagging[0] + LAG < self.written {
                0
            } else {
                at
            };
            let number = self.lagging.remove(at);
            self.forward(number);
        }
    }

    fn forward(&mut self, number: usize) {
        if self.plan.drops > 0 && self.random.usize(..self.plan.drops) == 0 {
            self.dropping = self.random.usize(100..200);
        }
        if self.dropping > 0 {
            self.dropping -= 1;
        } else if self.subscribed {
            self.wire.push_back(Frame {
                number,
                replay: false,
            });
        }
    }

    /// Subscribes; lines are written before the file is read, and while it is sent.
    pub(super) fn connect(&mut self) {
        self.subscribed = true;
        self.aligner.opened();
        for _ in 0..self.random.usize(..30) {
            self.write();
        }
        let from = self.written.saturating_sub(HISTORY).max(self.oldest);
        self.file = self.written;
        let history: Vec<usize> = (from..self.written).collect();
        let race = self.random.usize(self.race..50);
        for number in history {
            if self.random.usize(..race) == 0 {
                self.write();
            }
            self.wire.push_back(Frame {
                number,
                replay: true,
            });
        }
    }

    pub(super) fn read(&mut self, most: usize) {
        for _ in 0..most {
            let Some(frame) = self.wire.pop_front() else {
                return;
            };
            self.sent.insert(frame.number);
            let raw = self.text(frame.number);
            let body = if frame.replay {
                Cow::Owned(lossy(&raw))
            } else {
                Cow::Borrowed(&raw[..])
            };
            let line = Line {
                container: Some(Cow::Borrowed(b"0123456789ab")),
                body,
            };
            match self.aligner.line(&line, frame.replay, Micros(0)) {
                Verdict::Give => self.give(&raw),
                Verdict::Seen | Verdict::Kept => {}
                Verdict::Full => {
                    let settled = self.aligner.settle_now(false);
                    self.take(settled);
                }
            }
        }
    }

    fn give(&mut self, text: &[u8]) {
        self.given.push(lossy(text));
    }

    fn take(&mut self, settled: Settled) {
        self.hidden += settled.hidden;
        for held in settled.lines {
            self.give(&held.body);
        }
    }

    pub(super) fn settle(&mut self) {
        if self.written < HISTORY {
            // Such a window ends by quiet: whatever is under way has come.
            for number in std::mem::take(&mut self.lagging) {
                self.forward(number);
            }
            self.read(usize::MAX);
        }
        let again = self.aligner.is_holding();
        self.fill();
        let settled = self.aligner.settle();
        if again {
            self.marks.push(settled.certainty);
        }
        let certainty = settled.certainty;
        self.take(settled);
        if again && certainty == Certainty::None {
            self.no_loss();
        }
        self.first.get_or_insert(self.given.len());
    }

    /// Longer histories are read until one reaches back, as a session does; lines come meanwhile.
    fn fill(&mut self) {
        if !self.aligner.lacks() {
            return;
        }
        for rows in [2000, 5000, 20_000] {
            for _ in 0..self.random.usize(..60) {
                self.write();
            }
            self.asks += 1;
            let from = self.written.saturating_sub(rows).max(self.oldest);
            let stored: Vec<usize> = (from..self.written).collect();
            let line = |number: &usize| Line {
                container: Some(Cow::Borrowed(b"0123456789ab")),
                body: lossy(&self.text(*number)).into(),
            };
            let lines: Vec<Line<'_>> = stored.iter().map(line).collect();
            let filled = self.aligner.fill(&lines, Micros(0));
            let most = self.random.usize(..=self.wire.len());
            self.read(most);
            if filled {
                // What is older than all that was seen is not wanted.
                let newer = stored
                    .iter()
                    .filter(|number| self.last.is_none_or(|last| **number > last));
                self.sent.extend(newer);
            }
            if filled || lines.len() < rows {
                return;
            }
        }
    }

    /// Nothing is missing from the line before a mark to the file's end behind it.
    fn no_loss(&self) {
        // What a queue dropped in a window that was cut off nobody can know.
        if self.plan.drops > 0 && self.plan.cuts > 0 {
            return;
        }
        for number in self.last.map_or(0, |last| last + 1)..self.file {
            assert!(
                self.last.is_none() || self.sent.contains(&number),
                "{number} is lost, and the mark says none is: {:?}",
                self.plan
            );
        }
    }

    pub(super) fn lose(&mut self, in_window: bool) {
        self.wire.clear();
        self.subscribed = false;
        self.aligner.lost();
        if !in_window {
            self.last = self.sent.last().copied();
        } else if self.first.is_none() {
            self.cut_first = true;
            self.last = self.sent.last().copied();
        }
    }

    pub(super) fn run(mut self) -> Self {
        for _ in 0..self.random.usize(..1500) {
            self.write();
        }
        self.lagging.clear();
        for _ in 0..self.plan.rounds {
            self.connect();
            let cut = self.plan.cuts > 0 && self.random.usize(..self.plan.cuts) == 0;
            if cut {
                let most = self.random.usize(..=self.wire.len());
                self.read(most);
                self.lose(true);
            } else {
                self.read(usize::MAX);
                self.settle();
                for _ in 0..self.random.usize(..=self.plan.alive) {
                    self.write();
                }
                let rest = self.random.usize(..=30);
                self.read(self.wire.len().saturating_sub(rest));
                self.lose(false);
            }
            for _ in 0..self.random.usize(..=self.plan.missed) {
                self.write();
            }
            self.lagging.clear();
        }
        self.connect();
        self.read(usize::MAX);
        self.settle();
        self
    }

    /// How often each text was sent, and given out.
    fn counts(&self) -> [HashMap<Vec<u8>, u64>; 2] {
        let count = |lines: &mut dyn Iterator<Item = Vec<u8>>| {
            let mut counts = HashMap::new();
            for line in lines {
                *counts.entry(line).or_default() += 1;
            }
            counts
        };
        let mut sent = self.sent.iter().map(|number| lossy(&self.text(*number)));
        [count(&mut sent), count(&mut self.given.iter().cloned())]
    }

    /// Each line that was sent is given out once.
    pub(super) fn exact(&self) {
        let [sent, given] = self.counts();
        let lost: Vec<_> = sent
            .keys()
            .filter(|text| !given.contains_key(*text))
            .collect();
        let twice: Vec<_> = given.iter().filter(|(_, times)| **times > 1).collect();
        assert!(
            lost.is_empty() && twice.is_empty(),
            "lost {} twice {}: {:?} {:?}",
            lost.len(),
            twice.len(),
            self.plan,
            (lost.first(), twice.first())
        );
    }

    /// The order is the server's, up to its own swaps, once the first window is over.
    pub(super) fn ordered(&self) {
        // Of two histories that were cut off and have nothing in common, none can say which
        // one is older.
        let known = self.plan.cuts == 0 || self.plan.missed <= 200;
        let Some(first) = self.first.filter(|_| !self.cut_first && known) else {
            return;
        };
        let mut newest = 0;
        for text in &self.given[first..] {
            let text = String::from_utf8_lossy(text);
            let number: usize = text.rsplit(' ').next().unwrap().parse().unwrap();
            assert!(
                number + 2 * LAG + 2 >= newest,
                "{number} behind {newest}: {:?}",
                self.plan
            );
            newest = newest.max(number);
        }
    }

    /// How often lines were given out too often, and how many were hidden of which no mark told.
    pub(super) fn faults(&self) -> (u64, u64) {
        let [sent, given] = self.counts();
        let (mut twice, mut once) = (0, 0);
        for (text, times) in &given {
            let right = sent.get(text).copied().unwrap_or(0);
            twice += times.saturating_sub(right);
            once += *times.min(&right);
        }
        let hidden = self.sent.len() as u64 - once;
        (twice, hidden.saturating_sub(self.hidden))
    }

    /// No line too often, and no more hidden than is said.
    pub(super) fn honest(&self) {
        let (twice, untold) = self.faults();
        assert!(
            twice == 0 && untold == 0,
            "{twice} printed again, {untold} hidden and not told: {:?}",
            self.plan
        );
    }
}

/// Lines of their own, six connections of which a third is cut off.
pub(super) fn plan(seed: u64) -> Plan {
    Plan {
        seed,
        distinct: 0,
        rounds: 6,
        alive: 1500,
        missed: 900,
        cuts: 3,
        drops: 0,
    }
}
