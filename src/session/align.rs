//! No line twice, none lost: a new connection's history is laid over what was given out before,
//! without any number or time to go by (reliability.md 0, 2.5). No socket, no clock; the key of
//! the fingerprints is an argument.
//!
//! The first connection's lines are given out at once, and those that come both live and from
//! the file are given out once (`join`). After a loss the lines of the join window are held
//! until the history is over. Then its longest overlap with what was given out is left out
//! (`fit`), so that nothing is printed twice that may be old; where identical lines make
//! several overlaps possible, it is said how many new ones may have been left out with them.

mod fit;
mod join;
mod print;
mod ring;
mod scatter;
mod sift;
mod steps;
mod tail;

use std::collections::HashMap;

use crate::codec::docker_log::Line;
use crate::model::{Certainty, Micros};

use fit::{Fit, Reach, SWAP, counts, place};
use join::{Join, take};
use ring::Ring;
use sift::{Found, Met, Put, Sifted, claim, fresh, held, mark, meet, prints, twins};
use tail::Tail;

pub use print::print;
pub use steps::Steps;

/// Bytes that are held at most; then it is settled with what came.
const HELD: usize = 4 << 20;
/// Lines of a join window whose twins are waited for at most.
const JOINED: usize = 1 << 16;
/// A history of so many lines may have no more room for older ones (protocols.md 1.4).
const FULL: usize = 1000;
/// So many live lines within a replay may have overrun the server's queue of 100 (reliability.md
/// 2.5, no. 4).
const BURST: usize = 80;
/// An overlap of so many lines is still one without its first half.
const LONG: usize = 256;
/// Microseconds: a history that takes longer kept the server's queue full meanwhile.
const SLOW: i64 = 1_000_000;

/// A line that is held.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Held {
    /// Its container.
    pub container: Option<Vec<u8>>,
    /// Its text as it came.
    pub body: Vec<u8>,
    /// It came from the history.
    pub replay: bool,
    /// When it came.
    pub recv: Micros,
    print: u64,
}

impl Held {
    /// What a line weighs against [`HELD`].
    fn weight(&self) -> usize {
        self.body.len() + size_of::<Self>()
    }
}

/// What becomes of a line.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// It is given out now.
    Give,
    /// It was given out before.
    Seen,
    /// It is held until the window is settled.
    Kept,
    /// So much is held that the window is to be settled now.
    Full,
}

/// What a window came to.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Settled {
    /// Whether lines are missing before these.
    pub certainty: Certainty,
    /// Identical lines that may have been left out at most.
    pub hidden: u64,
    /// The lines to give out, in the server's order.
    pub lines: Vec<Held>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Phase {
    /// No connection stands.
    Away,
    /// The join window of lines that are given out at once.
    Joining,
    /// The join window of lines that are held.
    Holding,
    /// Past the window.
    Live,
}

/// One stream of lines over all its connections.
#[derive(Debug)]
pub struct Aligner {
    key: u64,
    phase: Phase,
    ring: Ring,
    join: Join,
    /// The window's lines from the history and live.
    replayed: Vec<Held>,
    live: Vec<Held>,
    bytes: usize,
    window: Window,
    /// Some history came in the shape of one: the server does not replay as if it were live.
    shaped: bool,
    /// Some history was full: so is each later one that the server sends to its end.
    was_full: bool,
    /// Lines of windows that were cut off, in order, in runs without a hole.
    pending: Vec<Put>,
    /// The first of those follows what was given out.
    linked: bool,
    /// Left out in windows that were cut off.
    hidden: u64,
    /// Lines that a history which is late may still bring: given out before the connection, and
    /// live in it.
    late: (HashMap<u64, usize>, HashMap<u64, usize>),
    tail: Tail,
    /// When the last line came.
    last: Micros,
    was_live: bool,
}

/// What is known of the present connection's history.
#[derive(Debug, Default)]
struct Window {
    /// Its lines so far.
    frames: usize,
    /// Live lines that came before the last of these.
    amid: usize,
    /// When the first and the last of these came.
    span: Option<(Micros, Micros)>,
    /// So many lines of a longer history are newer than its own: most of them are still to come
    /// live.
    newer: usize,
}

impl Window {
    /// Whether it may have had no more room for older lines.
    fn is_full(&self) -> bool {
        self.frames >= FULL
    }

    /// Whether the server may have dropped live lines meanwhile (reliability.md 2.5, no. 4).
    fn may_have_dropped(&self) -> bool {
        let slow = |(first, last): (Micros, Micros)| last.0.saturating_sub(first.0) > SLOW;
        self.amid >= BURST || self.span.is_some_and(slow)
    }
}

impl Aligner {
    /// Nothing was seen yet.
    pub fn new(key: u64) -> Self {
        Self {
            key,
            phase: Phase::Away,
            ring: Ring::default(),
            join: Join::default(),
            replayed: Vec::new(),
            live: Vec::new(),
            bytes: 0,
            window: Window::default(),
            shaped: false,
            was_full: false,
            pending: Vec::new(),
            linked: false,
            hidden: 0,
            late: <(HashMap<u64, usize>, HashMap<u64, usize>)>::default(),
            tail: Tail::default(),
            last: Micros(0),
            was_live: false,
        }
    }

    /// The stream was subscribed, and its history begins. True if lines are held from now on.
    pub fn opened(&mut self) -> bool {
        if self.phase != Phase::Away {
            return false;
        }
        let again = self.was_live || !self.ring.is_empty() || !self.pending.is_empty();
        self.tail = Tail::default();
        self.phase = if again {
            Phase::Holding
        } else {
            Phase::Joining
        };
        self.join = Join::default();
        self.window = Window::default();
        again
    }

    /// Whether no connection stands.
    pub fn is_away(&self) -> bool {
        self.phase == Phase::Away
    }

    /// Whether lines are held.
    pub fn is_holding(&self) -> bool {
        self.phase == Phase::Holding
    }

    /// A line came.
    pub fn line(&mut self, line: &Line<'_>, replay: bool, recv: Micros) -> Verdict {
        let print = print(self.key, line.container.as_deref(), &line.body);
        self.shaped |= replay;
        self.last = recv;
        let give = match (self.phase, replay) {
            (Phase::Away, _) => true,
            (Phase::Joining, true) => {
                self.window.frames += 1;
                self.join.replayed(print)
            }
            (Phase::Joining, false) => self.join.live(print),
            (Phase::Holding, _) => {
                let held = held(line, replay, recv, print);
                return self.hold(held);
            }
            (Phase::Live, false) => !self.is_twin(print, recv),
            (Phase::Live, true) => self.late(print),
        };
        if self.join.len() >= JOINED {
            self.hidden += self.leave_join(false).hidden;
            self.phase = Phase::Live;
            self.was_live = true;
        }
        if give { Verdict::Give } else { Verdict::Seen }
    }

    fn hold(&mut self, held: Held) -> Verdict {
        self.bytes += held.weight();
        if held.replay {
            let window = &mut self.window;
            window.frames += 1;
            window.amid = self.live.len();
            let (first, _) = window.span.unwrap_or((held.recv, held.recv));
            window.span = Some((first, held.recv));
            self.replayed.push(held);
        } else {
            self.live.push(held);
        }
        if self.bytes > HELD {
            Verdict::Full
        } else {
            Verdict::Kept
        }
    }

    /// What was left out since the last mark, once no more will be.
    pub fn take_hidden(&mut self) -> u64 {
        if self.hidden == 0 || self.phase != Phase::Live || self.tail.is_open() {
            return 0;
        }
        std::mem::take(&mut self.hidden)
    }

    /// Whether a live line's twin was the end of the history; it is remembered otherwise.
    fn is_twin(&mut self, print: u64, recv: Micros) -> bool {
        let twin = self.tail.take(print, recv);
        if twin {
            // It may be another one that says the same; the next mark tells.
            self.hidden += u64::from(self.ring.count(print) > 1);
        } else {
            self.ring.push(print);
        }
        twin
    }

    /// The end of a history whose window closed at once.
    fn keep_tail(&mut self, replayed: impl DoubleEndedIterator<Item = u64>) {
        if self.window.is_full() {
            self.tail = Tail::of(replayed, self.window.newer, self.last);
        }
    }

    /// A line of a history that goes on after its window.
    fn late(&mut self, print: u64) -> bool {
        let (before, live) = &mut self.late;
        if take(live, print) {
            return false;
        }
        let seen = take(before, print);
        if !seen || self.ring.count(print) == 0 {
            self.ring.push(print);
        }
        !seen
    }

    /// Whether lines are missing that a longer history may bring: the window's is full, and has
    /// nothing of what was given out (reliability.md 2.5, no. 3).
    pub fn lacks(&self) -> bool {
        self.is_holding()
            && self.window.is_full()
            && !self.ring.is_empty()
            && self.reach(&self.replayed).is_none_or(|(_, fit)| fit.apart)
    }

    /// A longer history of the same file is taken instead of the window's, if it reaches back to
    /// what was given out.
    pub fn fill(&mut self, longer: &[Line<'_>], recv: Micros) -> bool {
        let longer = longer.iter().map(|line| {
            let print = print(self.key, line.container.as_deref(), &line.body);
            held(line, true, recv, print)
        });
        let mut longer: Vec<Held> = longer.collect();
        let from = self.reach(&longer).filter(|_| self.is_holding());
        let Some((from, _)) = from.filter(|(_, fit)| fit.sure) else {
            return false;
        };
        // What is older was given out, or was missing then, and the ring may have forgotten it.
        longer.drain(..from);
        let Some(own) = place(&prints(&self.replayed), &prints(&longer), Reach::Anywhere) else {
            return false;
        };
        // It was read later, so that it has all of the window's, unless it is of another file.
        let mut had = vec![false; self.replayed.len()];
        for (at, _) in &own.pairs {
            mark(&mut had, Some(at));
        }
        if had.iter().filter(|had| !**had).count() > SWAP {
            return false;
        }
        let last = own.pairs.iter().map(|(_, at)| at + 1).max();
        self.window.newer = longer.len() - last.unwrap_or(0);
        let window = std::mem::replace(&mut self.replayed, longer);
        let rest = fresh(window.into_iter().zip(had).collect());
        self.replayed.extend(rest);
        let all = self.replayed.iter().chain(&self.live);
        self.bytes = all.map(Held::weight).sum();
        true
    }

    /// Where in a history the newest lines that were given out begin, if it reaches back to any,
    /// or to what was put off right behind them; and how.
    fn reach(&self, history: &[Held]) -> Option<(usize, Fit)> {
        let history = prints(history);
        let behind = self.pending.first().filter(|_| self.linked);
        let behind = behind.map(|(run, _)| prints(run));
        let mut runs = self.ring.runs().chain(behind);
        let fit = runs.find_map(|run| place(&run, &history, Reach::Past))?;
        let mut places: Vec<usize> = fit.pairs.iter().map(|(_, at)| *at).collect();
        places.sort_unstable();
        // Of a long overlap the first lines may be older ones that say the same.
        let first = if places.len() >= LONG { LONG / 2 } else { 0 };
        Some((*places.get(first)?, fit))
    }

    /// The history is over: what was held is given out.
    pub fn settle(&mut self) -> Settled {
        self.was_full |= self.window.is_full();
        let phase = std::mem::replace(&mut self.phase, Phase::Live);
        let settled = match phase {
            Phase::Holding => self.weigh(Reach::Past).0,
            Phase::Joining => self.leave_join(true),
            Phase::Live | Phase::Away => {
                self.phase = phase;
                return Settled::default();
            }
        };
        self.was_live = true;
        settled
    }

    /// What is held is given out now, whatever may come yet: it is too much, or `the_end`, behind
    /// which nothing is of interest.
    pub fn settle_now(&mut self, the_end: bool) -> Settled {
        if self.pending.is_empty() && !self.is_holding() {
            return Settled {
                hidden: std::mem::take(&mut self.hidden),
                ..Settled::default()
            };
        }
        let (mut settled, joined) = self.weigh(Reach::Anywhere);
        if !the_end || !joined {
            settled.certainty = settled.certainty.max(Certainty::Possible);
        }
        if self.is_holding() {
            self.phase = Phase::Joining;
            let (before, live) = std::mem::take(&mut self.late);
            self.join = Join::after(before, live);
        }
        settled
    }

    /// The connection is gone. What is held stays, and is laid over the next history.
    pub fn lost(&mut self) {
        match std::mem::replace(&mut self.phase, Phase::Away) {
            Phase::Holding => self.put_off(),
            Phase::Joining => self.hidden += self.leave_join(false).hidden,
            Phase::Live | Phase::Away => {}
        }
    }

    /// The window of lines that were given out at once is over.
    fn leave_join(&mut self, whole: bool) -> Settled {
        let join = std::mem::take(&mut self.join);
        let hidden = join.hidden();
        if join.len() > 0 {
            let done = join.finish(whole);
            if whole {
                self.keep_tail(done.late.into_iter());
            }
            self.ring.extend(done.replayed);
            if !done.joined {
                self.ring.tear();
            }
            self.ring.extend(done.live);
            self.late = (done.before, done.early);
        }
        Settled {
            hidden,
            ..Settled::default()
        }
    }

    /// The window's lines that are new, by what was given out, and how that was found.
    fn sift(&mut self, reach: Reach) -> Sifted {
        let mut replayed = std::mem::take(&mut self.replayed);
        let mut live = std::mem::take(&mut self.live);
        self.bytes = 0;
        // Older servers replay what they have as if it were live (protocols.md 1.4).
        let raw = replayed.is_empty() && !self.shaped;
        if raw {
            std::mem::swap(&mut replayed, &mut live);
        }
        let history = prints(&replayed);
        let mut given = vec![false; replayed.len()];
        let mut found = Found::default();
        let mut rest = Vec::new();
        for run in self.ring.runs() {
            let fit = claim(&run, &history, &mut given, reach);
            if !found.any {
                let last = fit.as_ref().and_then(Fit::last).map_or(0, |at| at + 1);
                let behind = run.get(last..).unwrap_or(&[]);
                rest = [behind, &rest].concat();
            }
            found.add(fit.as_ref());
        }
        if self.window.is_full() || !found.sure {
            rest.clear();
        }
        let (twins, met, hidden) = twins(&history, &given, &prints(&live));
        found.hidden += hidden;
        let alone = history.iter().zip(&met).filter(|(_, met)| !**met);
        self.keep_tail(alone.map(|(print, _)| *print));
        let joined = twins.contains(&true) || self.window.is_full() || live.is_empty();
        Sifted {
            replayed: replayed.into_iter().zip(given).collect(),
            live: live.into_iter().zip(twins).collect(),
            found,
            put_off: Found::default(),
            raw,
            rest,
            joined,
        }
    }

    /// Settles the window, and what was put off before it; and whether its live lines follow its
    /// history.
    fn weigh(&mut self, reach: Reach) -> (Settled, bool) {
        let mut sifted = self.sift(reach);
        let pending = std::mem::take(&mut self.pending);
        let linked = std::mem::take(&mut self.linked);
        let was_pending = !pending.is_empty();
        let (older, newer, met) = meet(pending, &mut sifted, reach);
        let hidden = std::mem::take(&mut self.hidden) + sifted.hidden();
        let certainty = self.grade(&sifted, was_pending.then_some((met, linked)));
        self.remember(&sifted, &older, &newer);
        let mut lines: Vec<Held> = older.into_iter().flat_map(|(run, _)| run).collect();
        lines.extend(fresh(sifted.replayed));
        lines.extend(newer.into_iter().flat_map(|(run, _)| run));
        lines.extend(fresh(sifted.live));
        let settled = Settled {
            certainty,
            hidden,
            lines,
        };
        (settled, sifted.joined)
    }

    /// Whether lines are missing between what was given out and the window's (reliability.md
    /// 2.5, no. 4); with lines that were put off, whether the window met them, and they what
    /// was given out.
    fn grade(&self, sifted: &Sifted, pending: Option<(Met, bool)>) -> Certainty {
        let full = self.window.is_full();
        let found = &sifted.found;
        let empty = sifted.replayed.is_empty();
        if self.ring.is_empty() && pending.is_none() {
            // Nothing was there to be lost, unless it came and went meanwhile.
            return if full {
                Certainty::Certain
            } else {
                Certainty::None
            };
        }
        let grade = match pending {
            _ if found.any => found.grade(full),
            Some((Met::First, true)) => sifted.put_off.grade(full),
            Some((Met::First | Met::Later, _)) if !full => sifted.put_off.grade(full),
            Some((Met::First | Met::Later, _)) => Certainty::Possible,
            _ if empty || sifted.raw => Certainty::Possible,
            Some((Met::Nothing, _)) | None => Certainty::Certain,
        };
        // A history that ended early is not told from a file that was begun anew.
        let short = self.was_full && !full;
        if self.window.may_have_dropped() || short {
            grade.max(Certainty::Possible)
        } else {
            grade
        }
    }

    /// From now on these lines are those that a later history may repeat.
    fn remember(&mut self, sifted: &Sifted, older: &[Put], newer: &[Put]) {
        let mut before = counts(&self.ring.all().collect::<Vec<_>>());
        for (held, given) in &sifted.replayed {
            if *given {
                take(&mut before, held.print);
            }
        }
        let live = sifted.live.iter().filter(|(_, twin)| !twin);
        let live: Vec<u64> = live.map(|(held, _)| held.print).collect();
        self.late = (before, counts(&live));
        // Histories only move on: what is before this one does not come again.
        if !sifted.replayed.is_empty() && (!sifted.raw || sifted.found.any) {
            self.ring.clear();
        } else {
            self.ring.tear();
        }
        for (run, _) in older {
            self.ring.extend(prints(run));
            self.ring.tear();
        }
        self.ring
            .extend(sifted.replayed.iter().map(|(held, _)| held.print));
        self.ring.extend(sifted.rest.iter().copied());
        for (run, _) in newer {
            self.ring.tear();
            self.ring.extend(prints(run));
        }
        if !sifted.joined {
            self.ring.tear();
        }
        self.ring.extend(live);
    }

    /// Keeps the window's new lines for the next one.
    fn put_off(&mut self) {
        let mut sifted = self.sift(Reach::Anywhere);
        let pending = std::mem::take(&mut self.pending);
        let first = pending.is_empty();
        let (mut runs, newer, _) = meet(pending, &mut sifted, Reach::Anywhere);
        if first {
            // A history that was cut off before its new lines does not lead to the live ones.
            let newest = sifted.replayed.iter().rev();
            let leads = sifted.joined || newest.take_while(|(_, given)| !given).count() > SWAP;
            let close = sifted.found.any && sifted.found.grade(true) == Certainty::None;
            self.linked = close && leads;
        }
        self.hidden += sifted.hidden();
        let joined = sifted.joined && newer.is_empty();
        let mut run: Vec<Held> = fresh(sifted.replayed).collect();
        let mut live: Vec<Held> = fresh(sifted.live).collect();
        if joined {
            run.append(&mut live);
        }
        runs.push((run, false));
        runs.extend(newer);
        runs.push((live, true));
        runs.retain(|(run, _)| !run.is_empty());
        self.pending = runs;
        let held = self.pending.iter().flat_map(|(run, _)| run);
        self.bytes = held.map(Held::weight).sum();
    }
}
