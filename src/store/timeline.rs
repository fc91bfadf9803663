//! What happened when: the ticks on the axis of time.

use std::collections::VecDeque;

use crate::model::Micros;

/// So many ticks are kept: more than any screen has columns, and some hundred KiB.
const TICKS: usize = 4096;

/// What a tick is for.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Hash)]
pub enum TickKind {
    /// A new version was put in place.
    Deploy,
    /// One was not.
    DeployFailed,
    /// An instance started again.
    Restart,
    /// Errors came all at once.
    Burst,
    /// Nothing is known from here on for a while.
    Gap,
    /// A connection was there again.
    Reconnect,
    /// Lines were dropped.
    Dropped,
    /// A limit was passed.
    Alert,
}

/// One thing that happened.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Tick {
    /// When.
    pub at: Micros,
    /// What.
    pub kind: TickKind,
    /// In words; safe to show.
    pub words: String,
}

/// Ticks in the order of time, the newest 4096.
#[derive(Clone, Debug, Default)]
pub struct Timeline {
    ticks: VecDeque<Tick>,
}

impl Timeline {
    /// No ticks.
    pub fn new() -> Self {
        Self::default()
    }

    /// Puts a tick in its place, behind those of the same time. False if it is there already,
    /// or is older than all in a full timeline.
    pub fn push(&mut self, tick: Tick) -> bool {
        let start = self.place(tick.at);
        let place = self.ticks.partition_point(|other| other.at <= tick.at);
        if self.ticks.range(start..place).any(|other| *other == tick) {
            return false;
        }
        let full = self.ticks.len() >= TICKS;
        if full && place == 0 {
            return false;
        }
        self.ticks.insert(place, tick);
        if full {
            self.ticks.pop_front();
        }
        true
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.ticks.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.ticks.is_empty()
    }

    /// Those of `[from, to)`, in the order of time.
    pub fn between(&self, from: Micros, to: Micros) -> impl DoubleEndedIterator<Item = &Tick> {
        let start = self.place(from);
        self.ticks.range(start..self.place(to).max(start))
    }

    /// The first one after a moment.
    pub fn next_after(&self, at: Micros) -> Option<&Tick> {
        self.ticks
            .get(self.ticks.partition_point(|tick| tick.at <= at))
    }

    /// The last one before a moment.
    pub fn prev_before(&self, at: Micros) -> Option<&Tick> {
        self.ticks.get(self.place(at).checked_sub(1)?)
    }

    /// How many are before a moment.
    fn place(&self, at: Micros) -> usize {
        self.ticks.partition_point(|tick| tick.at < at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tick(at: i64, words: &str) -> Tick {
        Tick {
            at: Micros(at),
            kind: TickKind::Deploy,
            words: words.to_owned(),
        }
    }

    fn of(ticks: &[Tick]) -> Timeline {
        let mut timeline = Timeline::new();
        for tick in ticks {
            timeline.push(tick.clone());
        }
        timeline
    }

    fn words<'a>(ticks: impl Iterator<Item = &'a Tick>) -> String {
        ticks.map(|tick| &*tick.words).collect()
    }

    #[test]
    fn ticks_stand_in_the_order_of_time_and_equal_times_in_that_of_arrival() {
        let timeline = of(&[tick(5, "c"), tick(1, "a"), tick(5, "d"), tick(3, "b")]);
        assert_eq!(words(timeline.between(Micros(0), Micros(9))), "abcd");
        assert_eq!(words(timeline.between(Micros(1), Micros(5))), "ab");
        assert_eq!(words(timeline.between(Micros(5), Micros(1))), "");
        assert_eq!(words(timeline.between(Micros(0), Micros(9)).rev()), "dcba");
    }

    #[test]
    fn a_tick_is_kept_once() {
        let mut timeline = of(&[tick(1, "a"), tick(1, "b")]);
        assert!(!timeline.push(tick(1, "a")));
        let other = TickKind::Alert;
        let kind = Tick {
            kind: other,
            ..tick(1, "a")
        };
        assert!(timeline.push(kind.clone()));
        assert!(!timeline.push(kind));
        assert!(timeline.push(tick(2, "a")));
        assert_eq!(timeline.len(), 4);
    }

    #[test]
    fn neighbours_of_a_moment_are_never_at_it() {
        let timeline = of(&[tick(1, "a"), tick(3, "b"), tick(3, "c"), tick(5, "d")]);
        let next = |at| timeline.next_after(Micros(at)).map(|tick| &*tick.words);
        let before = |at| timeline.prev_before(Micros(at)).map(|tick| &*tick.words);
        for (at, want) in [(0, Some("a")), (1, Some("b")), (3, Some("d")), (5, None)] {
            assert_eq!(next(at), want, "{at}");
        }
        for (at, want) in [(1, None), (2, Some("a")), (3, Some("a")), (9, Some("d"))] {
            assert_eq!(before(at), want, "{at}");
        }
        assert_eq!(before(i64::MIN), None);
        assert_eq!(next(i64::MAX), None);
    }

    #[test]
    fn a_full_timeline_drops_the_oldest() {
        let mut timeline = Timeline::new();
        for at in 0..5000 {
            assert!(timeline.push(tick(at, "")));
        }
        assert_eq!(timeline.len(), TICKS);
        assert_eq!(
            timeline.next_after(Micros(-1)).map(|tick| tick.at),
            Some(Micros(904))
        );
        assert!(!timeline.push(tick(5, "late")));
        assert!(timeline.push(tick(1000, "late")));
        assert_eq!(timeline.len(), TICKS);
        assert_eq!(
            timeline.next_after(Micros(-1)).map(|tick| tick.at),
            Some(Micros(905))
        );
    }
}
