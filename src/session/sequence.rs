//! Lines that their application numbers: which ones are missing is known by their numbers, and a
//! return behind which the numbers go on has lost none. No socket and no clock: the time is that
//! of the lines' arrival.

use std::collections::{HashMap, VecDeque};

use regex::bytes::{CaptureLocations, Regex};

use crate::model::{Certainty, Mark, Micros, RawBatch, RawRow, SourceName};
use crate::say;
use crate::text::SafeText;

/// Lines come this far out of order at most, as in `align`.
const WINDOW: usize = 16;
/// A line that others have overtaken for so long does not come any more, in microseconds.
const PATIENCE: i64 = 2_000_000;
/// Sources of a target whose numbers are followed; of more they are not.
const SOURCES: usize = 256;
/// Marks of one batch that are weighed at once; of more, the first ones stay as they are.
const TRIALS: usize = 8;
/// Ranges that may still come late are remembered for so many lines of their source.
const LATE: u64 = 64;
/// Of those ranges, at most.
const RANGES: usize = 8;

/// The numbers of a target's lines, of each of its sources by itself.
#[derive(Debug)]
pub struct Sequences {
    regex: Regex,
    groups: CaptureLocations,
    names: HashMap<Option<SourceName>, usize>,
    counts: Vec<Count>,
    /// When the oldest line that is early came, or before.
    oldest: Option<Micros>,
    /// The sources that had a number since the last mark.
    known: Set,
    /// A mark came, and no number behind it yet.
    turned: bool,
    /// The present batch's sources, by their number in it.
    places: Vec<Option<usize>>,
    /// The present batch's marks that its lines may prove to be none.
    trials: Vec<Trial>,
    /// What is to be told, each with the row that it stands before.
    gaps: Vec<(usize, Mark)>,
}

impl Sequences {
    /// By `regex`, whose only group is the number; without one, all that it finds is.
    pub fn new(regex: Regex) -> Self {
        Self {
            groups: regex.capture_locations(),
            regex,
            names: HashMap::new(),
            counts: Vec::new(),
            oldest: None,
            known: Set::default(),
            turned: false,
            places: Vec::new(),
            trials: Vec::new(),
            gaps: Vec::new(),
        }
    }

    /// Reads the numbers of a batch: puts a mark where lines are found missing, and says of the
    /// marks that are there what the lines behind them prove.
    pub fn read(&mut self, batch: &mut RawBatch) {
        self.places.clear();
        let mut newest = Micros(i64::MIN);
        let mut marks = batch.marks().iter().enumerate().peekable();
        for (at, row) in batch.rows().iter().enumerate() {
            while let Some((nth, (_, mark))) = marks.next_if(|(_, (before, _))| *before <= at) {
                self.mark(nth, mark);
            }
            self.line(batch, at, row);
            self.look_at_time(at, row.recv);
            newest = newest.max(row.recv);
        }
        for (nth, (_, mark)) in marks {
            self.mark(nth, mark);
        }
        self.judge(batch);
        self.wait_from(newest);
        for (row, mark) in self.gaps.drain(..) {
            batch.insert_mark(row, mark);
        }
    }

    /// Nothing more comes: what is still waited for is missing.
    pub fn finish(&mut self, batch: &mut RawBatch) {
        let end = batch.len();
        for at in 0..self.counts.len() {
            while self.give_up(at, end) {}
        }
        self.oldest = None;
        for (row, mark) in self.gaps.drain(..) {
            batch.insert_mark(row, mark);
        }
    }

    fn line(&mut self, batch: &RawBatch, at: usize, row: &RawRow) {
        let Some(number) = self.number(batch.line(at)) else {
            return;
        };
        let (source, new) = self.place(batch, row, number);
        let Some(source) = source else {
            return self.stray();
        };
        self.come(source);
        let Some(count) = self.counts.get_mut(source).filter(|_| !new) else {
            return;
        };
        match count.take(number, row.recv) {
            Step::On => {}
            Step::Early => {
                self.oldest = Some(self.oldest.map_or(row.recv, |oldest| oldest.min(row.recv)));
                if count.early.len() > WINDOW {
                    self.give_up(source, at);
                }
            }
            Step::Low => self.stray(),
            Step::Anew => {
                self.stray();
                while self.give_up(source, at) {}
                if let Some(count) = self.counts.get_mut(source) {
                    count.begin(number);
                }
            }
        }
    }

    /// The number of a line.
    fn number(&mut self, line: &[u8]) -> Option<u64> {
        let (from, to) = if self.groups.len() > 1 {
            self.regex.captures_read(&mut self.groups, line)?;
            self.groups.get(1)?
        } else {
            let found = self.regex.find(line)?;
            (found.start(), found.end())
        };
        decimal(line.get(from..to)?)
    }

    /// Where a row's source is counted, and whether that begins here, with `number`.
    fn place(&mut self, batch: &RawBatch, row: &RawRow, number: u64) -> (Option<usize>, bool) {
        let within = batch.source(row).map_or(0, |_| usize::from(row.source) + 1);
        if let Some(Some(place)) = self.places.get(within) {
            return (Some(*place), false);
        }
        let name = batch.source(row).cloned();
        let known = self.names.get(&name).copied();
        let new = known.is_none() && self.counts.len() < SOURCES;
        if new {
            self.names.insert(name.clone(), self.counts.len());
            self.counts.push(Count::new(name, number));
        }
        let place = known.or(new.then(|| self.counts.len() - 1));
        if self.places.len() <= within {
            self.places.resize(within + 1, None);
        }
        if let Some(slot) = self.places.get_mut(within) {
            *slot = place;
        }
        (place, new)
    }

    /// Gives up what others have overtaken for too long; it is told before row `at`.
    fn look_at_time(&mut self, at: usize, now: Micros) {
        let is_late = |since: Micros| now.0.saturating_sub(since.0) > PATIENCE;
        if !self.oldest.is_some_and(is_late) {
            return;
        }
        let mut oldest = None;
        for source in 0..self.counts.len() {
            loop {
                let since = self.counts.get(source).and_then(Count::since);
                if since.is_some_and(is_late) && self.give_up(source, at) {
                    continue;
                }
                oldest = [oldest, since].into_iter().flatten().min();
                break;
            }
        }
        self.oldest = oldest;
    }

    /// Lines that a session held are older than the batch that they came in: what they overtook
    /// is waited for from now on.
    fn wait_from(&mut self, newest: Micros) {
        let Some(oldest) = &mut self.oldest else {
            return;
        };
        *oldest = newest.max(*oldest);
        for (_, recv) in self.counts.iter_mut().flat_map(|count| &mut count.early) {
            *recv = newest.max(*recv);
        }
    }

    /// The numbers before a source's first early one are missing. False if none is early.
    fn give_up(&mut self, source: usize, at: usize) -> bool {
        let Some(count) = self.counts.get_mut(source) else {
            return false;
        };
        let Some((from, to)) = count.give_up() else {
            return false;
        };
        for trial in &mut self.trials {
            trial.missing = true;
        }
        let numbers = if from == to {
            say!("number {from}", "编号 {from}")
        } else {
            say!("numbers {from} to {to}", "编号 {from} 至 {to}")
        };
        let why = match &count.name {
            Some(name) => say!("{}: {numbers}", "{}：{numbers}", name.text()),
            None => numbers,
        };
        let mark = Mark::Gap {
            why: SafeText::of(&why).into_owned(),
            certainty: Certainty::Certain,
            hidden: 0,
            missing: Some((to - from).saturating_add(1)),
        };
        self.gaps.push((at, mark));
        true
    }

    /// A number of a followed source came.
    fn come(&mut self, source: usize) {
        if std::mem::take(&mut self.turned) {
            self.known = Set::default();
        }
        self.known.insert(source);
        for trial in &mut self.trials {
            trial.broken |= !trial.known.has(source);
            trial.seen.insert(source);
        }
    }

    /// A number came that proves nothing.
    fn stray(&mut self) {
        for trial in &mut self.trials {
            trial.broken = true;
        }
    }

    fn mark(&mut self, nth: usize, mark: &Mark) {
        if !is_doubt(mark) {
            return;
        }
        // Marks without a number between them stand at the same place.
        let same = std::mem::replace(&mut self.turned, true);
        match self.trials.last_mut() {
            Some(trial) if same => trial.marks.1 = nth,
            _ => {
                if self.trials.len() >= TRIALS {
                    self.trials.remove(0);
                }
                self.trials.push(Trial::new(nth, self.known));
            }
        }
    }

    /// Says of the batch's marks what the lines behind them prove.
    fn judge(&mut self, batch: &mut RawBatch) {
        if self.trials.is_empty() {
            return;
        }
        let mut waiting = Set::default();
        for (source, count) in self.counts.iter().enumerate() {
            if !count.early.is_empty() {
                waiting.insert(source);
            }
        }
        let trials = std::mem::take(&mut self.trials);
        batch.revise_marks(|nth, mark| {
            let here = |trial: &&Trial| (trial.marks.0..=trial.marks.1).contains(&nth);
            let proved = trials
                .iter()
                .find(here)
                .and_then(|one| one.verdict(waiting));
            proved.is_none_or(|proved| !is_doubt(mark) || prove(mark, proved))
        });
    }
}

/// Whether lines may be missing at a mark, as far as its source knew.
fn is_doubt(mark: &Mark) -> bool {
    let gap = matches!(mark, Mark::Gap { missing: None, .. });
    gap || matches!(mark, Mark::Reconnected { .. })
}

/// Gives a mark the grade that was proved. False if it is none any more.
fn prove(mark: &mut Mark, proved: Certainty) -> bool {
    match mark {
        Mark::Gap { .. } if proved == Certainty::None => return false,
        Mark::Reconnected {
            certainty, hidden, ..
        }
        | Mark::Gap {
            certainty, hidden, ..
        } => {
            *certainty = proved;
            if proved == Certainty::None {
                *hidden = 0;
            }
        }
        Mark::Dropped { .. } | Mark::Join(_) | Mark::Leave(_) | Mark::Notice(_) => {}
    }
    true
}

/// A number in digits; none if it has others, or is too large.
fn decimal(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() {
        return None;
    }
    digits.iter().try_fold(0_u64, |number, digit| {
        let digit = digit.is_ascii_digit().then(|| u64::from(*digit - b'0'))?;
        number.checked_mul(10)?.checked_add(digit)
    })
}

/// What a number is to those before it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Step {
    /// The next one.
    On,
    /// Others are still to come before it.
    Early,
    /// It is late, or came before.
    Low,
    /// The second one of an application that was started again.
    Anew,
}

/// The numbers of one source.
#[derive(Debug)]
struct Count {
    name: Option<SourceName>,
    /// All up to this one came, or are known to be missing.
    last: u64,
    /// Those above it that came, in order, and when.
    early: Vec<(u64, Micros)>,
    /// The number before, if it was a low one.
    low: Option<u64>,
    /// From, to: numbers that may come late, and up to which line.
    late: VecDeque<(u64, u64, u64)>,
    /// Numbers so far.
    lines: u64,
}

impl Count {
    fn new(name: Option<SourceName>, first: u64) -> Self {
        let mut count = Self {
            name,
            last: first,
            early: Vec::new(),
            low: None,
            late: VecDeque::new(),
            lines: 0,
        };
        count.excuse_before(first);
        count
    }

    fn take(&mut self, number: u64, recv: Micros) -> Step {
        self.lines += 1;
        let Some(ahead) = number.checked_sub(self.last).filter(|ahead| *ahead > 0) else {
            return self.low(number);
        };
        self.low = None;
        if ahead == 1 {
            self.last = number;
            self.close();
            return Step::On;
        }
        if let Err(at) = self
            .early
            .binary_search_by_key(&number, |(early, _)| *early)
        {
            self.early.insert(at, (number, recv));
        }
        Step::Early
    }

    /// A number that is not above the last one.
    fn low(&mut self, number: u64) -> Step {
        let mut late = self.late.iter();
        if late.any(|&(from, to, until)| (from..=to).contains(&number) && self.lines <= until) {
            return Step::Low;
        }
        let before = self.low.replace(number);
        if before.is_some_and(|before| before.checked_add(1) == Some(number)) {
            Step::Anew
        } else {
            Step::Low
        }
    }

    /// The application was started again: `second` is the second number that tells.
    fn begin(&mut self, second: u64) {
        self.late.clear();
        self.early.clear();
        self.low = None;
        self.last = second;
        self.excuse_before(second.saturating_sub(1));
    }

    /// When the oldest early one came.
    fn since(&self) -> Option<Micros> {
        self.early.iter().map(|(_, recv)| *recv).min()
    }

    /// The numbers before the first early one are missing: from, to.
    fn give_up(&mut self) -> Option<(u64, u64)> {
        let (first, _) = *self.early.first()?;
        let (from, to) = (self.last.checked_add(1)?, first.checked_sub(1)?);
        self.excuse(from, to);
        self.last = to;
        self.close();
        Some((from, to))
    }

    /// Goes on over the early ones that are next.
    fn close(&mut self) {
        let mut taken = 0;
        for (number, _) in &self.early {
            if number.checked_sub(self.last) != Some(1) {
                break;
            }
            self.last = *number;
            taken += 1;
        }
        self.early.drain(..taken);
    }

    /// Lines that were overtaken by the first one that was seen, `first`, may still come.
    fn excuse_before(&mut self, first: u64) {
        if let Some(to) = first.checked_sub(1) {
            self.excuse(first.saturating_sub(WINDOW as u64), to);
        }
    }

    fn excuse(&mut self, from: u64, to: u64) {
        if self.late.len() >= RANGES {
            self.late.pop_front();
        }
        self.late.push_back((from, to, self.lines + LATE));
    }
}

/// Some of a target's sources.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
struct Set([u64; SOURCES / 64]);

impl Set {
    fn insert(&mut self, source: usize) {
        if let Some(word) = self.0.get_mut(source / 64) {
            *word |= 1 << (source % 64);
        }
    }

    fn has(self, source: usize) -> bool {
        let word = self.0.get(source / 64);
        word.is_some_and(|word| word >> (source % 64) & 1 == 1)
    }

    /// Whether all of these are in `other`.
    fn is_within(self, other: Self) -> bool {
        self.0
            .iter()
            .zip(other.0)
            .all(|(mine, all)| mine & !all == 0)
    }

    /// Whether none of these is in `other`.
    fn is_apart_from(self, other: Self) -> bool {
        self.0
            .iter()
            .zip(other.0)
            .all(|(mine, theirs)| mine & theirs == 0)
    }
}

/// Marks of a batch at one place, and what the lines behind them say.
#[derive(Debug)]
struct Trial {
    /// The first one and the last one.
    marks: (usize, usize),
    /// The sources that had a number between the mark before and these.
    known: Set,
    /// Those that have had one since.
    seen: Set,
    /// Numbers were found missing since.
    missing: bool,
    /// A number came that does not go on from what was seen.
    broken: bool,
}

impl Trial {
    fn new(nth: usize, known: Set) -> Self {
        Self {
            marks: (nth, nth),
            known,
            seen: Set::default(),
            missing: false,
            broken: false,
        }
    }

    /// What is proved at the batch's end, where `waiting` have early numbers.
    fn verdict(&self, waiting: Set) -> Option<Certainty> {
        if self.missing {
            return Some(Certainty::Certain);
        }
        let goes_on = !self.broken && self.known.is_within(self.seen);
        let any = self.known != Set::default();
        (any && goes_on && self.known.is_apart_from(waiting)).then_some(Certainty::None)
    }
}

#[cfg(test)]
mod tests;
