//! Counts of lines equal those of a plain map, whatever comes late or far ahead.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "test helper")]

use std::collections::BTreeMap;

use deckwatch::model::{Level, Micros};
use deckwatch::store::volume::{LEVELS, Recent, Volume};
use proptest::prelude::*;

const SECOND: i64 = 1_000_000;
/// Seconds that fit without doubling.
const FIT: i64 = 8192;

#[derive(Clone, Copy, Debug)]
struct Add {
    at: i64,
    level: Level,
    count: u32,
}

fn add() -> impl Strategy<Value = Add> {
    let at = prop_oneof![
        8 => -40i64..400,
        2 => -FIT..FIT * 2,
        1 => -100_000i64..1_000_000,
    ];
    let at = (at, 0..SECOND).prop_map(|(second, rest)| second * SECOND + rest);
    let level = prop::sample::select(Level::ALL.to_vec());
    let count = prop_oneof![6 => 0u32..5, 1 => 0u32..100];
    (at, level, count).prop_map(|(at, level, count)| Add { at, level, count })
}

/// Lines by second; with the width that buckets must have.
struct Oracle {
    /// Buckets at most.
    most: usize,
    seconds: BTreeMap<i64, [u64; LEVELS]>,
    /// The first bucket at its width of then; the rule of what comes too late.
    first: Option<i64>,
    last: i64,
    width: i64,
    before: u64,
}

impl Oracle {
    fn new() -> Self {
        Self {
            most: 8192,
            seconds: BTreeMap::new(),
            first: None,
            last: 0,
            width: 1,
            before: 0,
        }
    }

    fn needed(&self, first: i64) -> usize {
        let bucket = |second: i64| second.div_euclid(self.width);
        usize::try_from(bucket(self.last) - bucket(first) + 1).unwrap()
    }

    fn set_most(&mut self, most: usize) {
        self.most = most;
        while self.first.is_some_and(|first| self.needed(first) > most) {
            self.width *= 2;
        }
    }

    fn add(&mut self, add: Add) {
        if add.count == 0 {
            return;
        }
        let second = add.at.div_euclid(SECOND);
        let first = *self.first.get_or_insert(second);
        if self.seconds.is_empty() {
            self.last = second;
        }
        if second.div_euclid(self.width) < first.div_euclid(self.width) {
            if self.needed(second) > self.most {
                self.before += u64::from(add.count);
                return;
            }
            self.first = Some(second);
        }
        self.last = self.last.max(second);
        self.set_most(self.most);
        self.seconds.entry(second).or_default()[add.level as usize] += u64::from(add.count);
    }

    /// Buckets by their start in microseconds.
    fn buckets(&self) -> BTreeMap<i64, [u64; LEVELS]> {
        let mut buckets: BTreeMap<i64, [u64; LEVELS]> = BTreeMap::new();
        for (second, counts) in &self.seconds {
            let start = second.div_euclid(self.width) * self.width * SECOND;
            let slot = buckets.entry(start).or_default();
            for (sum, count) in slot.iter_mut().zip(counts) {
                *sum += count;
            }
        }
        buckets
    }

    fn bursts(&self, from: i64, to: i64) -> Vec<(Micros, u64)> {
        let buckets = self.buckets();
        let wide = self.width * SECOND;
        let is_high = |start: i64, errors: u64| {
            let before = buckets.range(start - 30 * wide..start);
            let sum: u64 = before
                .map(|(_, counts)| counts[Level::Error as usize])
                .sum();
            errors >= 5 && errors as f64 >= 4.0 * (sum as f64 / 30.0)
        };
        let errors = buckets
            .iter()
            .map(|(at, counts)| (*at, counts[Level::Error as usize]));
        let high: Vec<_> = errors
            .filter(|(at, errors)| is_high(*at, *errors))
            .collect();
        let starts = high.iter().enumerate().filter(|(place, (at, _))| {
            let earlier = &high[..*place];
            let follows = earlier
                .last()
                .is_some_and(|(before, _)| at - before <= 10 * SECOND);
            !follows && (from..to).contains(at)
        });
        starts
            .map(|(_, (at, errors))| (Micros(*at), *errors))
            .collect()
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn lines_are_counted_where_they_came(
        adds in prop::collection::vec(add(), 0..120),
        (from, to) in (-100i64..500, -50i64..600),
        wide in any::<bool>(),
        width in 0usize..90,
        (less_at, most) in (0usize..240, 256usize..8192),
    ) {
        let (mut volume, mut oracle) = (Volume::new(), Oracle::new());
        for (nth, add) in adds.into_iter().enumerate() {
            if nth == less_at {
                volume.set_bytes(most * size_of::<[u64; LEVELS]>());
                oracle.set_most(most);
            }
            volume.add(Micros(add.at), add.level, add.count);
            oracle.add(add);
        }
        prop_assert_eq!(volume.before(), oracle.before);
        prop_assert!(volume.heap_bytes() <= oracle.most * size_of::<[u64; LEVELS]>());
        let scale = if wide { 1000 } else { 1 };
        let (from, to) = (from * scale * SECOND + 7, to * scale * SECOND);
        let buckets = oracle.buckets();
        if let Some((start, end)) = volume.span() {
            prop_assert_eq!(volume.width().as_secs(), u64::try_from(oracle.width).unwrap());
            prop_assert_eq!(Some(start.0), buckets.keys().next().copied());
            prop_assert_eq!(Some(end.0 - oracle.width * SECOND), buckets.keys().last().copied());
        } else {
            prop_assert!(buckets.is_empty());
        }
        let mut out = vec![[9; LEVELS]; 3];
        volume.columns(Micros(from), Micros(to), width, &mut out);
        let mut want = vec![[0; LEVELS]; width];
        for (start, counts) in &buckets {
            let slice = (0..width).rev().find(|slice| from + (to - from) * i64::try_from(*slice).unwrap() / i64::try_from(width).unwrap() <= *start);
            if let Some(slice) = slice.filter(|_| (from..to).contains(start)) {
                for (sum, count) in want[slice].iter_mut().zip(counts) {
                    *sum += count;
                }
            }
        }
        prop_assert_eq!(out, want);
        let inside = |level: Level| buckets.iter().filter(|(start, _)| (from..to).contains(*start)).map(|(_, counts)| counts[level as usize]).sum::<u64>();
        prop_assert_eq!(volume.rate(Micros(from), Micros(to), |level| level >= Level::Warn), inside(Level::Warn) + inside(Level::Error));
        prop_assert_eq!(volume.bursts(Micros(from), Micros(to)), oracle.bursts(from, to));
        let all = volume.bursts(Micros(i64::MIN), Micros(i64::MAX));
        prop_assert_eq!(all, oracle.bursts(i64::MIN, i64::MAX));
    }

    #[test]
    fn any_times_have_an_answer(times in prop::collection::vec(prop_oneof![any::<i64>(), Just(i64::MAX), Just(i64::MIN)], 0..30), (from, to) in (any::<i64>(), any::<i64>()), width in prop_oneof![0usize..300, Just(usize::MAX)]) {
        let mut volume = Volume::new();
        for at in &times {
            volume.add(Micros(*at), Level::Error, u32::MAX);
        }
        let mut out = Vec::new();
        for (from, to) in [(from, to), (i64::MIN, i64::MAX)] {
            volume.columns(Micros(from), Micros(to), width, &mut out);
            volume.bursts(Micros(from), Micros(to));
        }
        let counted = volume.rate(Micros(i64::MIN), Micros(i64::MAX), |_| true);
        prop_assert_eq!(counted + volume.before(), times.len() as u64 * u64::from(u32::MAX));
        prop_assert!(volume.heap_bytes() <= 512 * 1024);
    }
}

fn errors(at: &[(i64, u32)]) -> Volume {
    let mut volume = Volume::new();
    for (second, count) in at {
        volume.add(Micros(second * SECOND + 5), Level::Error, *count);
    }
    volume
}

#[test]
fn a_burst_starts_once_and_rises_over_what_is_usual() {
    type Case = (&'static [(i64, u32)], &'static [(i64, u64)]);
    let cases: [Case; 7] = [
        (&[(0, 4)], &[]),
        (&[(0, 5)], &[(0, 5)]),
        // What follows within ten seconds of the last such second is the same burst.
        (&[(0, 5), (9, 6), (19, 7)], &[(0, 5)]),
        (&[(0, 5), (11, 6)], &[(0, 5), (11, 6)]),
        // One error a second is usual: five are a burst, if that is four times the mean.
        (&[(0, 30), (30, 3), (31, 5)], &[(0, 30), (31, 5)]),
        (&[(0, 30), (29, 10), (40, 5)], &[(0, 30), (29, 10), (40, 5)]),
        // Far more than four, but no more than four times what is usual.
        (&[(0, 300), (20, 39)], &[(0, 300)]),
    ];
    for (at, want) in cases {
        let want: Vec<_> = want
            .iter()
            .map(|(at, n)| (Micros(at * SECOND), *n))
            .collect();
        let got = errors(at).bursts(Micros(0), Micros(i64::MAX));
        assert_eq!(got, want, "{at:?}");
    }
    // The window changes nothing but what is told.
    let volume = errors(&[(0, 5), (9, 6), (30, 8)]);
    let told = volume.bursts(Micros(SECOND), Micros(31 * SECOND));
    assert_eq!(told, [(Micros(30 * SECOND), 8)]);
}

#[test]
fn a_long_time_makes_buckets_wide_and_loses_no_line() {
    let mut volume = Volume::new();
    for day in 0..10_000 {
        volume.add(Micros(day * 86_400 * SECOND), Level::Info, 1);
    }
    let all = volume.rate(Micros(i64::MIN), Micros(i64::MAX), |_| true);
    assert_eq!((all, volume.before()), (10_000, 0));
    assert_eq!(volume.width().as_secs(), 131_072);
    // Too late for any bucket: counted, but nothing is moved for it.
    volume.add(Micros(-86_400 * SECOND * 100_000), Level::Info, 3);
    assert_eq!(volume.before(), 3);
    assert!(volume.heap_bytes() <= 512 * 1024);
}

#[test]
fn late_lines_get_buckets_in_front_as_long_as_these_fit() {
    let mut volume = Volume::new();
    for (second, before) in [(FIT, 0), (1, 0), (0, 1), (-5, 2), (1, 2), (FIT, 2)] {
        volume.add(Micros(second * SECOND), Level::Warn, 1);
        assert_eq!(volume.before(), before, "{second}");
    }
    assert_eq!(volume.width().as_secs(), 1);
    let span = (Micros(SECOND), Micros((FIT + 1) * SECOND));
    assert_eq!(volume.span(), Some(span));
    // One second more on the other side is never too late.
    volume.add(Micros((FIT + 1) * SECOND), Level::Warn, 1);
    assert_eq!((volume.width().as_secs(), volume.before()), (2, 2));
}

#[test]
fn what_came_within_seconds_is_as_exact_after_days() {
    let mut recent = Recent::default();
    let mut rates = Vec::new();
    for second in 0..200_000 {
        let now = Micros(second * SECOND + SECOND / 2);
        rates.push(recent.per_second(Level::Error, now));
        recent.add(now, Level::Error, 7);
        recent.add(now, Level::Info, 3);
    }
    assert!(rates.iter().skip(10).all(|rate| (rate - 7.0).abs() < 1e-9));
    let now = |second: i64| Micros((200_000 + second) * SECOND);
    let all = |second: i64| recent.per_second(Level::None, now(second));
    let near = |second, rate: f64| (all(second) - rate).abs() < 1e-9;
    assert!(near(0, 10.0) && near(4, 6.0) && near(9, 1.0));
    assert!(near(10, 0.0) && near(16, 0.0) && near(1000, 0.0));
    // Seconds that are ahead of now are not counted yet.
    assert!(near(-100, 0.0));
}
