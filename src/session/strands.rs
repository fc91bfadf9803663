//! The components' lines of one connection on their way out: each component's are aligned by
//! themselves ([`super::align`]), and a return of the link is told once for all of them, when
//! the last history is over. Where a history does not reach back to what was seen, a longer one
//! is wanted first (reliability.md 2.5, no. 3).

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use crate::codec::docker_log::{self, Line};
use crate::model::{Certainty, Mark};
use crate::text::SafeText;
use crate::word;

use super::align::{Aligner, Held, Settled, Verdict};
use super::link::Link;
use super::log::push_log;
use super::port::{FeedEvent, Now, Outbox, Wanted};
use super::sources::Sources;

/// So many lines of the stored history are asked for, one after the other, until it reaches back.
const ROWS: [usize; 3] = [2000, 5000, 20_000];
/// Lines wait so long for all of that.
const PATIENCE: Duration = Duration::from_secs(8);

/// One component's lines.
#[derive(Debug)]
struct Strand {
    id: String,
    /// The component as a part of its sources' names; empty for none.
    component: Vec<u8>,
    aligner: Aligner,
}

/// Longer histories that are wanted before the lines that are held are settled.
#[derive(Debug)]
struct Filling {
    /// The strands that lack lines.
    lacking: VecDeque<usize>,
    /// Which of [`ROWS`] the first of them wants.
    attempt: usize,
    asked: bool,
    /// One of them filled a hole.
    filled: bool,
    until: Instant,
}

/// All of them, and their link.
#[derive(Debug)]
pub(super) struct Strands {
    pub(super) link: Link,
    pub(super) sources: Sources,
    all: Vec<Strand>,
    filling: Option<Filling>,
}

impl Strands {
    /// For these components; their names are told where there are several channels.
    pub(super) fn new<'a>(ids: impl Iterator<Item = &'a str>, named: bool, key: u64) -> Self {
        let strand = |id: &str| Strand {
            id: id.to_owned(),
            component: if named { id.into() } else { Vec::new() },
            aligner: Aligner::new(key),
        };
        Self {
            link: Link::default(),
            sources: Sources::default(),
            all: ids.map(strand).collect(),
            filling: None,
        }
    }

    /// A connection stands that replays so many histories.
    pub(super) fn opened(&mut self, now: Now, streams: usize, out: &mut Outbox) {
        self.link.opened(now);
        self.link.expect_replay(now, streams);
        for at in 0..self.all.len() {
            self.begin(at, out);
        }
    }

    /// One component was subscribed again on a connection that stands.
    pub(super) fn opened_again(&mut self, now: Now, id: &str, out: &mut Outbox) {
        let closed = |strand: &Strand| strand.id == id && strand.aligner.is_away();
        if let Some(at) = self.all.iter().position(closed) {
            self.link.expect_one_more(now);
            self.begin(at, out);
        }
    }

    fn begin(&mut self, at: usize, out: &mut Outbox) {
        let Some(strand) = self.all.get_mut(at) else {
            return;
        };
        if strand.aligner.opened() && !out.events.contains(&FeedEvent::Replaying) {
            out.events.push(FeedEvent::Replaying);
        }
    }

    /// One component's channel was closed; the connection stands.
    pub(super) fn closed(&mut self, id: &str) {
        if let Some(strand) = self.all.iter_mut().find(|strand| strand.id == id) {
            strand.aligner.lost();
        }
    }

    /// The connection is gone.
    pub(super) fn lost(&mut self) {
        self.link.closed();
        self.filling = None;
        for strand in &mut self.all {
            strand.aligner.lost();
        }
    }

    /// Whether lines are held.
    pub(super) fn is_holding(&self) -> bool {
        self.all.iter().any(|one| one.aligner.is_holding())
    }

    /// A line of a component came.
    pub(super) fn line(
        &mut self,
        now: Now,
        id: &str,
        (line, replay): (&Line<'_>, bool),
        out: &mut Outbox,
    ) {
        if replay {
            self.link.replayed(now, out);
        }
        let strand = self.all.iter_mut().find(|strand| strand.id == id);
        let (verdict, component, hidden) = match strand {
            Some(strand) => (
                strand.aligner.line(line, replay, now.wall),
                strand.component.as_slice(),
                strand.aligner.take_hidden(),
            ),
            None => (Verdict::Give, id.as_bytes(), 0),
        };
        if hidden > 0 {
            let reason = word!("the history was read", "读取了历史");
            self.link.tell((Certainty::None, hidden), reason, out);
        }
        match verdict {
            Verdict::Give => {
                let head = (component, now.wall, replay);
                push_log(&mut self.sources, &mut out.batch, head, line);
            }
            Verdict::Full => self.settle_now(Certainty::Possible, false, out),
            Verdict::Seen | Verdict::Kept => {}
        }
    }

    /// Settles if the history is over; `more` is the grade of what else the connection carries.
    /// True if it has just been settled.
    pub(super) fn check(&mut self, now: Now, more: Certainty, out: &mut Outbox) -> bool {
        if self.link.is_over(now) {
            self.filling = self.lacking(now);
        } else if self.filling.is_none() {
            return false;
        }
        let waits = |filling: &Filling| !filling.lacking.is_empty() && now.mono < filling.until;
        if self.filling.as_ref().is_some_and(waits) {
            return false;
        }
        self.settle(more, out);
        out.events.push(FeedEvent::ReplayOver);
        true
    }

    fn lacking(&self, now: Now) -> Option<Filling> {
        let all = self.all.iter().enumerate();
        let lacking = all.filter(|(_, strand)| strand.aligner.lacks());
        let lacking: VecDeque<usize> = lacking.map(|(at, _)| at).collect();
        (!lacking.is_empty()).then(|| Filling {
            lacking,
            attempt: 0,
            asked: false,
            filled: false,
            until: now.mono + PATIENCE,
        })
    }

    /// The longer history that is wanted now.
    pub(super) fn poll_history(&mut self) -> Option<Wanted> {
        let filling = self.filling.as_mut().filter(|filling| !filling.asked)?;
        let strand = self.all.get(*filling.lacking.front()?)?;
        filling.asked = true;
        Some(Wanted {
            component: strand.id.clone(),
            rows: *ROWS.get(filling.attempt)?,
        })
    }

    /// It came, or is empty; [`Strands::check`] settles when none is wanted any more.
    pub(super) fn history(&mut self, now: Now, stored: &[String]) {
        let Some(filling) = &mut self.filling else {
            return;
        };
        filling.asked = false;
        let first = filling.lacking.front();
        let Some(strand) = first.and_then(|at| self.all.get_mut(*at)) else {
            return;
        };
        let rows = ROWS.get(filling.attempt).copied().unwrap_or(0);
        // A message of several lines is as many.
        let mut room = rows;
        let fits = |text: &&String| {
            let lines = memchr::memchr_iter(b'\n', text.as_bytes()).count() + 1;
            let fits = lines <= room;
            room = room.saturating_sub(lines);
            fits
        };
        let newest = stored.iter().rev().take_while(fits);
        let newest = newest.map(|text| docker_log::split(text.as_bytes()));
        let mut lines: Vec<Line<'_>> = newest.collect();
        lines.reverse();
        let filled = strand.aligner.fill(&lines, now.wall);
        filling.filled |= filled;
        // Fewer than asked for are all there are.
        let more = stored.len() >= rows;
        if !filled && more && filling.attempt + 1 < ROWS.len() {
            filling.attempt += 1;
        } else {
            filling.lacking.pop_front();
            filling.attempt = 0;
        }
    }

    /// When [`Strands::check`] wants to be asked.
    pub(super) fn deadline(&self) -> Option<Instant> {
        let filling = self.filling.as_ref().map(|filling| filling.until);
        filling.or(self.link.deadline())
    }

    fn settle(&mut self, more: Certainty, out: &mut Outbox) {
        let (certainty, hidden, lines) = self.settled(more, Aligner::settle);
        let filled = self.filling.take().is_some_and(|filling| filling.filled);
        self.tell((certainty, hidden), filled, out);
        self.give(lines, out);
    }

    /// Settles all: the worst grade, how many lines may be hidden, and the lines of each.
    fn settled(
        &mut self,
        mut certainty: Certainty,
        settle: impl Fn(&mut Aligner) -> Settled,
    ) -> (Certainty, u64, Vec<Vec<Held>>) {
        let (mut hidden, mut lines) = (0, Vec::new());
        for strand in &mut self.all {
            let settled = settle(&mut strand.aligner);
            certainty = certainty.max(settled.certainty);
            hidden += settled.hidden;
            lines.push(settled.lines);
        }
        (certainty, hidden, lines)
    }

    /// Gives out what is held, whatever may come yet, or at the end; `more` is the grade of what
    /// else the connection carries.
    pub(super) fn settle_now(&mut self, more: Certainty, the_end: bool, out: &mut Outbox) {
        let settle = |aligner: &mut Aligner| aligner.settle_now(the_end);
        let (certainty, hidden, lines) = self.settled(more, settle);
        let filling = self.filling.take();
        let some = hidden > 0 || lines.iter().any(|lines| !lines.is_empty());
        if some || self.link.has_returned() {
            let filled = filling.as_ref().is_some_and(|filling| filling.filled);
            self.tell((certainty, hidden), filled, out);
        }
        self.give(lines, out);
        if filling.is_some() {
            out.events.push(FeedEvent::ReplayOver);
        }
    }

    /// Tells the returns, and whether a hole was filled.
    fn tell(&mut self, grade: (Certainty, u64), filled: bool, out: &mut Outbox) {
        let reason = word!("the history was read again", "重新读取了历史");
        self.link.tell(grade, reason, out);
        if filled {
            let text = word!(
                "the replay did not reach back to the last line seen; the rest was read from the stored history",
                "回放没有接上最后看到的行；其余部分已从存储的历史中读取"
            );
            let notice = SafeText::of(text).into_owned();
            out.batch.push_mark(Mark::Notice(notice));
        }
    }

    fn give(&mut self, lines: Vec<Vec<Held>>, out: &mut Outbox) {
        for (strand, lines) in self.all.iter().zip(lines) {
            let component = &*strand.component;
            for held in lines {
                let line = Line {
                    container: held.container.map(Into::into),
                    body: held.body.into(),
                };
                let head = (component, held.recv, held.replay);
                push_log(&mut self.sources, &mut out.batch, head, &line);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Micros, RawBatch};

    const ID: &str = "0123456789abcdef0123456789abcdef";

    /// One component over two connections: 10 lines, then a full replay from `from` on.
    struct Bench {
        strands: Strands,
        start: Instant,
        out: Outbox,
    }

    impl Bench {
        #[expect(clippy::disallowed_methods, reason = "a test's own clock")]
        fn new(from: usize) -> Self {
            let mut bench = Self {
                strands: Strands::new([ID].into_iter(), false, 1),
                start: Instant::now(),
                out: Outbox::default(),
            };
            bench.replay(0, 0..10);
            assert!(bench.check(9999));
            bench.strands.lost();
            let why = SafeText::of("gone").into_owned();
            let now = bench.now(9999);
            bench.strands.link.lost(now, &why);
            bench.replay(20_000, from..from + 1000);
            bench
        }

        fn now(&self, millis: u64) -> Now {
            Now {
                mono: self.start + Duration::from_millis(millis),
                wall: Micros(0),
            }
        }

        fn replay(&mut self, millis: u64, lines: std::ops::Range<usize>) {
            let now = self.now(millis);
            self.strands.opened(now, 1, &mut self.out);
            for number in lines {
                let text = format!("line {number}");
                let line = docker_log::split(text.as_bytes());
                self.strands.line(now, ID, (&line, true), &mut self.out);
            }
        }

        fn check(&mut self, millis: u64) -> bool {
            let now = self.now(millis);
            self.strands.check(now, Certainty::None, &mut self.out)
        }

        /// The wanted history comes: its newest line is the replay's.
        fn stored(&mut self, millis: u64, lines: std::ops::Range<usize>) -> bool {
            let stored: Vec<String> = lines.map(|number| format!("line {number}")).collect();
            let now = self.now(millis);
            self.strands.history(now, &stored);
            self.check(millis)
        }

        fn rows(&mut self) -> Option<usize> {
            let wanted = self.strands.poll_history()?;
            assert_eq!(wanted.component, ID);
            Some(wanted.rows)
        }

        /// How many lines came, and the grades of the marks.
        fn told(&self) -> (usize, Vec<Certainty>) {
            let batch: &RawBatch = &self.out.batch;
            let marks = batch.marks().iter().filter_map(|(_, mark)| match mark {
                Mark::Reconnected { certainty, .. } | Mark::Gap { certainty, .. } => {
                    Some(*certainty)
                }
                _ => None,
            });
            (batch.len(), marks.collect())
        }
    }

    #[test]
    fn a_longer_history_is_wanted_until_one_reaches_back() {
        let mut bench = Bench::new(9000);
        assert!(!bench.check(20_000), "it waits");
        assert_eq!(bench.rows(), Some(2000));
        assert_eq!(bench.rows(), None, "one at a time");
        assert_eq!(bench.told(), (10, vec![]), "the new ones are held");
        assert!(!bench.stored(20_100, 8000..10_000));
        assert_eq!(bench.rows(), Some(5000));
        assert!(!bench.stored(20_200, 5000..10_000));
        assert_eq!(bench.rows(), Some(20_000));
        assert!(bench.stored(20_300, 0..10_000));
        assert_eq!(bench.told(), (10_000, vec![Certainty::None]));
        assert_eq!((bench.rows(), bench.strands.deadline()), (None, None));
    }

    #[test]
    fn a_hole_that_nothing_fills_is_marked_after_three_histories_or_the_whole_file() {
        let mut bench = Bench::new(90_000);
        assert!(!bench.check(20_000));
        for (rows, last) in [(2000, false), (5000, false), (20_000, true)] {
            assert_eq!(bench.rows(), Some(rows));
            assert_eq!(bench.stored(20_100, 91_000 - rows..91_000), last);
        }
        assert_eq!(bench.told(), (1010, vec![Certainty::Certain]));
        // More than was asked for is not read: it is what a hostile server sends.
        let mut bench = Bench::new(9000);
        assert!(!bench.check(20_000));
        assert_eq!(bench.rows(), Some(2000));
        assert!(!bench.stored(20_100, 0..10_000));
        assert_eq!(bench.rows(), Some(5000));
        // A file of 1500 lines has no more.
        let mut bench = Bench::new(90_000);
        assert!(!bench.check(20_000));
        assert_eq!(bench.rows(), Some(2000));
        assert!(bench.stored(20_100, 89_500..91_000));
        assert_eq!(bench.told(), (1010, vec![Certainty::Certain]));
        // And a server that has none is not asked twice.
        let mut bench = Bench::new(90_000);
        assert!(!bench.check(20_000));
        assert_eq!(bench.rows(), Some(2000));
        assert!(bench.stored(20_100, 0..0));
        assert_eq!(bench.told(), (1010, vec![Certainty::Certain]));
    }

    #[test]
    fn lines_wait_eight_seconds_for_a_longer_history() {
        let mut bench = Bench::new(9000);
        assert!(!bench.check(20_000));
        assert_eq!(bench.rows(), Some(2000));
        let until = bench.start + Duration::from_secs(28);
        assert_eq!(bench.strands.deadline(), Some(until));
        assert!(!bench.check(27_999));
        assert!(bench.check(28_000));
        assert_eq!(bench.told(), (1010, vec![Certainty::Certain]));
        // What comes late is not wanted any more.
        assert!(!bench.stored(28_100, 0..10_000));
        assert_eq!(bench.told().0, 1010);
    }

    #[test]
    fn a_connection_that_is_lost_meanwhile_wants_nothing_more() {
        let mut bench = Bench::new(9000);
        assert!(!bench.check(20_000));
        bench.strands.lost();
        assert_eq!((bench.rows(), bench.strands.deadline()), (None, None));
        // The next one's hole is asked for anew.
        bench.replay(21_000, 9000..10_000);
        assert!(!bench.check(21_000));
        assert_eq!(bench.rows(), Some(2000));
        // The end does not wait for it, and the connection's drain is over.
        bench.out.events.clear();
        bench
            .strands
            .settle_now(Certainty::Possible, true, &mut bench.out);
        assert!(bench.out.events.contains(&FeedEvent::ReplayOver));
        assert_eq!(bench.told(), (1010, vec![Certainty::Possible]));
    }

    #[test]
    #[expect(clippy::disallowed_methods, reason = "a test's own clock")]
    fn a_channel_that_is_closed_again_and_again_puts_off_the_end_of_no_history() {
        const OTHER: &str = "fedcba9876543210fedcba9876543210";
        let mut bench = Bench {
            strands: Strands::new([ID, OTHER].into_iter(), true, 1),
            start: Instant::now(),
            out: Outbox::default(),
        };
        let now = bench.now(0);
        bench.strands.opened(now, 2, &mut bench.out);
        let mut over = Vec::new();
        for round in 1..20 {
            bench.strands.closed(OTHER);
            let now = bench.now(round * 2000);
            if bench.strands.check(now, Certainty::None, &mut bench.out) {
                over.push(round * 2);
            }
            bench.strands.opened_again(now, OTHER, &mut bench.out);
        }
        assert_eq!(over.first(), Some(&30), "{over:?}");
    }
}
