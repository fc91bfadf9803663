//! A chart's memory equals a plain sorted map of everything that was taken, whatever the
//! answers overlap, repeat, leave out or disorder.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "test helper")]

use std::collections::BTreeMap;
use std::time::Duration;

use deckwatch::model::Micros;
use deckwatch::model::sample::{Labels, Measured, Sample, Series};
use deckwatch::store::series::{Column, Limits, SeriesStore, Taken, Trace};
use proptest::prelude::*;

/// Times of the tests, in microseconds: few whole milliseconds, so that they meet.
const END: i64 = 300_000;

fn labels(name: u8) -> Labels {
    Labels::new(vec![("pod".to_owned(), format!("web-{name}"))])
}

fn whole(at: i64) -> i64 {
    let nearest = (i128::from(at) + 500).div_euclid(1000) * 1000;
    let most = i64::MAX / 1000 * 1000;
    i64::try_from(nearest.clamp(i128::from(-most), i128::from(most))).unwrap()
}

/// One answer of the server.
#[derive(Clone, Debug)]
struct Answer {
    from: i64,
    to: i64,
    series: Vec<(u8, Vec<(i64, f64)>)>,
}

impl Answer {
    fn measured(&self) -> Measured {
        let series = self.series.iter().map(|(name, samples)| Series {
            labels: labels(*name),
            samples: (samples.iter())
                .map(|(at, value)| Sample {
                    at: Micros(*at),
                    value: *value,
                })
                .collect(),
        });
        Measured {
            series: series.collect(),
            ..Measured::default()
        }
    }
}

/// A series of the oracle: its name and its samples.
type Known = (u8, BTreeMap<i64, f64>);

struct Oracle {
    limits: Limits,
    reach: i64,
    known: Vec<Known>,
}

impl Oracle {
    fn take(&mut self, answer: &Answer) -> Taken {
        let mut taken = Taken::default();
        let gone = whole(answer.from)..=whole(answer.to);
        for (_, samples) in &mut self.known {
            samples.retain(|at, _| !gone.contains(at));
        }
        let is_known = |(name, _): &&(u8, _)| self.known.iter().any(|(other, _)| other == name);
        let (known, new): (Vec<_>, Vec<_>) = answer.series.iter().partition(is_known);
        for (name, samples) in known.into_iter().chain(new) {
            let place = self.known.iter().position(|(other, _)| other == name);
            let place = place.or_else(|| {
                if self.known.len() >= self.limits.series {
                    self.known.retain(|(_, samples)| !samples.is_empty());
                }
                let room = self.known.len() < self.limits.series;
                room.then(|| {
                    taken.added += 1;
                    self.known.push((*name, BTreeMap::new()));
                    self.known.len() - 1
                })
            });
            let Some(place) = place else {
                taken.left_out += 1;
                continue;
            };
            let mut fresh = BTreeMap::new();
            for (at, value) in samples {
                if value.is_nan() {
                    taken.holes += 1;
                } else {
                    fresh.insert(whole(*at), *value);
                }
            }
            taken.samples += fresh.len() as u64;
            self.known[place].1.extend(fresh);
        }
        taken
    }

    /// Samples of a chunk.
    fn room(&self) -> usize {
        (self.limits.samples / self.limits.series.max(1) / 4).clamp(1, 512)
    }

    fn len(&self) -> usize {
        self.known.iter().map(|(_, samples)| samples.len()).sum()
    }

    fn finite(&self, index: usize) -> Vec<(i64, f64)> {
        let samples = self.known[index].1.iter();
        let samples = samples.map(|(at, value)| (*at, *value));
        samples.filter(|(_, value)| value.is_finite()).collect()
    }

    fn columns(&self, index: usize, from: i64, to: i64, width: usize) -> Vec<Option<Column>> {
        let finite = self.finite(index);
        let border = |slice: usize| {
            let past = (i128::from(to) - i128::from(from)) * slice as i128 / width as i128;
            i128::from(from) + past
        };
        let column = |slice: usize| {
            let holds = |at: i64| (border(slice)..border(slice + 1)).contains(&i128::from(at));
            let first = finite.iter().position(|(at, _)| holds(*at))?;
            let inside: Vec<_> = finite.iter().filter(|(at, _)| holds(*at)).collect();
            let values = || inside.iter().map(|(_, value)| *value);
            let before = first.checked_sub(1).map(|place| finite[place].0);
            Some(Column {
                min: values().fold(f64::INFINITY, f64::min),
                max: values().fold(f64::NEG_INFINITY, f64::max),
                first: values().next()?,
                last: values().next_back()?,
                joined: before.is_some_and(|at| finite[first].0 - at <= self.reach),
            })
        };
        (0..width)
            .map(|slice| column(slice).filter(|_| from < to))
            .collect()
    }

    fn at(&self, index: usize, moment: i64) -> Option<Sample> {
        let (at, value) = self.known[index].1.range(..=moment).next_back()?;
        (moment - at <= self.reach).then_some(Sample {
            at: Micros(*at),
            value: *value,
        })
    }

    fn bounds(&self, index: usize, from: i64, to: i64) -> Option<(f64, f64)> {
        let inside = self.finite(index).into_iter();
        let inside = inside.filter(|(at, _)| (from..to).contains(at));
        inside
            .map(|(_, value)| (value, value))
            .reduce(|a, b| (a.0.min(b.0), a.1.max(b.1)))
    }

    fn peak(&self, from: i64, to: i64, indexes: &[usize]) -> Option<(usize, Sample)> {
        let mut best: Option<(usize, Sample)> = None;
        for index in indexes.iter().copied() {
            for (at, value) in self.finite(index) {
                let above = best.is_none_or(|(_, sample)| value > sample.value);
                if (from..to).contains(&at) && above {
                    let at = Micros(at);
                    best = Some((index, Sample { at, value }));
                }
            }
        }
        best
    }

    /// Whether the store has lost its oldest samples alone, and no more than it had to; then
    /// they are lost here too.
    fn lose(&mut self, store: &SeriesStore, evicted: u64) {
        let before = self.len();
        let mut newest_lost = i64::MIN;
        for ((name, samples), trace) in self.known.iter_mut().zip(store.series()) {
            assert_eq!(&labels(*name), trace.labels());
            let kept: Vec<_> = trace.samples().map(|sample| sample.at.0).collect();
            let lost = samples.len() - kept.len();
            assert!(samples.keys().skip(lost).eq(&kept), "the newest are kept");
            for _ in 0..lost {
                let (at, _) = samples.pop_first().unwrap();
                newest_lost = newest_lost.max(at);
            }
        }
        assert_eq!(self.known.len(), store.series().len());
        assert_eq!(evicted, (before - self.len()) as u64);
        assert!(self.len() <= self.limits.samples, "the limit holds");
        if evicted == 0 {
            return;
        }
        let last = store.series().iter().filter_map(Trace::last);
        assert!(
            last.min_by_key(|sample| sample.at)
                .is_none_or(|sample| sample.at.0 >= newest_lost)
        );
        let room = self.room();
        assert!(
            self.len() + room > self.limits.samples,
            "no more than a chunk too many"
        );
    }
}

fn value() -> impl Strategy<Value = f64> {
    prop_oneof![
        8 => (-50i32..50).prop_map(f64::from),
        1 => Just(f64::NAN),
        1 => prop::sample::select(vec![f64::INFINITY, f64::NEG_INFINITY, f64::MAX, f64::MIN, 0.1]),
    ]
}

/// Samples as a server gives them: a regular grid with holes and resets, or anything.
fn samples(from: i64, to: i64) -> impl Strategy<Value = Vec<(i64, f64)>> {
    let step = prop::sample::select(vec![1000i64, 1700, 5000, 20_000]);
    let regular = (
        step,
        prop::collection::vec(prop::option::weighted(0.9, value()), 0..200),
    );
    let regular = regular.prop_map(move |(step, values)| {
        let times = (from..=to.max(from)).step_by(usize::try_from(step).unwrap());
        let grid = times.zip(values);
        grid.filter_map(|(at, value)| Some((at, value?))).collect()
    });
    let anything = prop::collection::vec((-10_000..END, value()), 0..20);
    prop_oneof![4 => regular, 1 => anything]
}

fn answer() -> impl Strategy<Value = Answer> {
    (0..END, 0..END).prop_flat_map(|(from, to)| {
        let series = prop::collection::vec((0u8..6, samples(from, to)), 0..5);
        series.prop_map(move |series| Answer { from, to, series })
    })
}

#[derive(Clone, Debug)]
enum Act {
    Take(Answer),
    Prune(i64),
    Pace(u64),
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        12 => answer().prop_map(Act::Take),
        // Half of them at the very times of samples, and with steps that meet distances.
        1 => (0..END).prop_map(Act::Prune),
        2 => (0..END / 1000).prop_map(|millis| Act::Prune(millis * 1000)),
        1 => (0u64..30_000).prop_map(Act::Pace),
        2 => (1u64..15).prop_map(|millis| Act::Pace(millis * 2000)),
    ]
}

fn limits() -> impl Strategy<Value = Limits> {
    let samples = prop_oneof![3 => Just(20_000usize), 2 => 0usize..300];
    (0usize..7, samples).prop_map(|(series, samples)| Limits { series, samples })
}

type Window = (i64, i64, usize);

fn window() -> impl Strategy<Value = Window> {
    let width = prop_oneof![Just(0usize), Just(1), 2usize..12, 50usize..400];
    (-20_000..END, -20_000..END + 20_000, width)
}

fn check(store: &SeriesStore, oracle: &Oracle, (from, to, width): Window) {
    let (start, end) = (Micros(from), Micros(to));
    let mut out = vec![None; 3];
    for (index, trace) in store.series().iter().enumerate() {
        let samples = &oracle.known[index].1;
        assert_eq!(trace.len(), samples.len());
        assert_eq!(trace.is_empty(), samples.is_empty());
        assert_eq!(
            trace.last().map(|sample| sample.at.0),
            samples.keys().last().copied()
        );
        assert!(
            trace
                .samples()
                .map(|sample| (sample.at.0, sample.value))
                .eq(samples.iter().map(|(at, value)| (*at, *value)))
        );
        let infinite = samples.values().filter(|value| value.is_infinite()).count();
        assert_eq!(trace.infinite(), infinite as u64);
        store.columns(index, start, end, width, &mut out);
        assert_eq!(out, oracle.columns(index, from, to, width));
        assert_eq!(
            store.bounds(index, start, end),
            oracle.bounds(index, from, to)
        );
        for moment in [from, to, whole(from), whole(to)] {
            assert_eq!(store.at(index, Micros(moment)), oracle.at(index, moment));
        }
    }
    let mut all: Vec<usize> = (0..oracle.known.len()).collect();
    assert_eq!(
        store.peak(start, end, all.clone()),
        oracle.peak(from, to, &all)
    );
    all.reverse();
    all.truncate(width);
    assert_eq!(
        store.peak(start, end, all.clone()),
        oracle.peak(from, to, &all)
    );
    assert_eq!(store.len(), oracle.len());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn a_chart_knows_what_a_sorted_map_knows(
        limits in limits(),
        acts in prop::collection::vec(act(), 1..12),
        windows in prop::collection::vec(window(), 1..4),
    ) {
        let mut store = SeriesStore::new(limits);
        let mut oracle = Oracle { limits, reach: 90_000_000, known: Vec::new() };
        for act in acts {
            match act {
                Act::Take(answer) => {
                    let want = oracle.take(&answer);
                    let taken = store.take(Micros(answer.from), Micros(answer.to), &answer.measured());
                    prop_assert_eq!(taken, Taken { evicted: taken.evicted, ..want });
                    oracle.lose(&store, taken.evicted);
                }
                Act::Prune(before) => {
                    let series = store.series().len();
                    let forgotten = store.prune(Micros(before));
                    prop_assert_eq!(store.series().len() + forgotten, series);
                    prune(&mut oracle, &store, before);
                }
                Act::Pace(step) => {
                    store.set_step(Duration::from_micros(step));
                    oracle.reach = i64::try_from(step * 3 / 2).unwrap();
                }
            }
            for window in &windows {
                check(&store, &oracle, *window);
            }
        }
    }

    #[test]
    fn any_times_have_an_answer(
        times in prop::collection::vec(prop_oneof![any::<i64>(), Just(i64::MAX), Just(i64::MIN), -5000i64..5000], 0..40),
        (from, to) in (any::<i64>(), any::<i64>()),
        (at, width) in (any::<i64>(), prop_oneof![0usize..300, Just(usize::MAX)]),
    ) {
        let mut store = SeriesStore::new(Limits { series: 2, samples: 30 });
        let samples = times.iter().map(|at| (*at, 1.0)).collect();
        let answer = Answer { from, to, series: vec![(0, samples)] };
        for step in [Duration::MAX, Duration::ZERO, Duration::from_secs(1)] {
            store.set_step(step);
            store.take(Micros(from), Micros(to), &answer.measured());
            let mut out = Vec::new();
            for (from, to) in [(from, to), (i64::MIN, i64::MAX), (at, i64::MAX), (i64::MIN, at)] {
                store.columns(0, Micros(from), Micros(to), width, &mut out);
                store.bounds(0, Micros(from), Micros(to));
                store.peak(Micros(from), Micros(to), [0, 1]);
            }
            for at in [at, i64::MAX, i64::MIN] {
                store.at(0, Micros(at));
            }
            let kept: Vec<_> = store.series().iter().flat_map(Trace::samples).collect();
            prop_assert!(kept.is_sorted_by(|a, b| a.at < b.at));
            prop_assert!(kept.len() <= 30);
            prop_assert!(kept.iter().all(|sample| times.iter().any(|at| whole(*at) == sample.at.0)));
        }
        store.prune(Micros(at));
    }
}

/// What has gone is older than `before` in whole, and what is left without a sample is no series.
fn prune(oracle: &mut Oracle, store: &SeriesStore, before: i64) {
    let mut left = store.series().iter().peekable();
    oracle.known.retain_mut(|(name, samples)| {
        let trace = left.next_if(|trace| *trace.labels() == labels(*name));
        let kept = trace.map_or(0, Trace::len);
        let lost = samples.len() - kept;
        for _ in 0..lost {
            assert!(samples.pop_first().unwrap().0 < before);
        }
        trace.is_some()
    });
    assert!(left.next().is_none());
    let room = oracle.room();
    for trace in store.series() {
        assert!(trace.last().unwrap().at.0 >= before);
        let old = trace.samples().filter(|sample| sample.at.0 < before);
        assert!(
            old.count() < room,
            "chunks go as soon as they are old in whole"
        );
    }
}

/// One day of `count` series every five seconds, an hour at a time.
fn day(store: &mut SeriesStore, count: u8) {
    const HOUR: i64 = 3_600_000_000;
    for hour in 0..24 {
        let times = (hour * HOUR..(hour + 1) * HOUR).step_by(5_000_000);
        let samples: Vec<_> = times.map(|at| (at, (at % 977) as f64)).collect();
        let series = (0..count).map(|name| (name, samples.clone())).collect();
        let answer = Answer {
            from: hour * HOUR,
            to: (hour + 1) * HOUR - 1,
            series,
        };
        store.take(Micros(answer.from), Micros(answer.to), &answer.measured());
    }
}

#[test]
fn a_sample_costs_twelve_bytes_and_little_more() {
    let mut store = SeriesStore::new(Limits {
        series: 100,
        samples: 2_000_000,
    });
    day(&mut store, 20);
    assert_eq!(store.len(), 20 * 17_280);
    let each = store.heap_bytes() as f64 / store.len() as f64;
    assert!((12.0..12.6).contains(&each), "{each}");
}

#[test]
fn a_spike_is_seen_at_any_width() {
    let mut store = SeriesStore::new(Limits {
        series: 1,
        samples: 100_000,
    });
    store.set_step(Duration::from_millis(1));
    let samples = (0..50_000i64).map(|at| (at * 1000, if at == 31_234 { 9.0 } else { 1.0 }));
    let answer = Answer {
        from: 0,
        to: 50_000_000,
        series: vec![(0, samples.collect())],
    };
    store.take(Micros(0), Micros(50_000_000), &answer.measured());
    let mut out = Vec::new();
    for width in 1..700 {
        store.columns(0, Micros(0), Micros(50_000_000), width, &mut out);
        let high = out
            .iter()
            .flatten()
            .filter(|column| column.max > 8.0)
            .count();
        assert_eq!((out.len(), high), (width, 1));
    }
    let found = store.peak(Micros(0), Micros(50_000_000), [0]).unwrap();
    assert_eq!((found.0, found.1.at), (0, Micros(31_234_000)));
}

#[test]
fn many_small_answers_make_no_small_chunks() {
    let limits = Limits {
        series: 1,
        samples: 100_000,
    };
    let (mut one, mut many) = (SeriesStore::new(limits), SeriesStore::new(limits));
    let all: Vec<_> = (0..20_000i64).map(|at| (at * 5_000_000, 1.0)).collect();
    // As a chart asks: the last minute, every five seconds.
    for at in 0..all.len() {
        let from = at.saturating_sub(12);
        let answer = Answer {
            from: all[from].0,
            to: all[at].0,
            series: vec![(0, all[from..=at].to_vec())],
        };
        many.take(Micros(answer.from), Micros(answer.to), &answer.measured());
    }
    let answer = Answer {
        from: 0,
        to: i64::MAX,
        series: vec![(0, all)],
    };
    one.take(Micros(0), Micros(i64::MAX), &answer.measured());
    assert_eq!((one.len(), many.len()), (20_000, 20_000));
    assert!(many.heap_bytes() < one.heap_bytes() * 11 / 10);
}

#[test]
fn a_series_is_forgotten_when_its_last_sample_is_too_old() {
    let mut store = SeriesStore::new(Limits {
        series: 2,
        samples: 100,
    });
    let series = vec![(0, vec![(1000, 1.0)]), (1, vec![(2000, 1.0)])];
    let answer = Answer {
        from: 0,
        to: 9000,
        series,
    };
    store.take(Micros(0), Micros(9000), &answer.measured());
    for (before, forgotten) in [(1000, 0), (1001, 1), (2000, 0), (2001, 1)] {
        assert_eq!(store.prune(Micros(before)), forgotten, "{before}");
    }
    assert!(store.series().is_empty() && store.is_empty());
}

#[test]
fn samples_that_are_months_apart_are_evicted_as_others_are() {
    let mut store = SeriesStore::new(Limits {
        series: 200,
        samples: 200_000,
    });
    // More than fits the offsets of a chunk: each one is a chunk of its own.
    let months = |n: i64| n * 50 * 86_400_000_000;
    let series = vec![(0, (0..440_000).map(|n| (months(n), 1.0)).collect())];
    let answer = Answer {
        from: 0,
        to: 1,
        series,
    };
    let taken = store.take(Micros(0), Micros(1), &answer.measured());
    assert_eq!((taken.evicted, store.len()), (240_000, 200_000));
    let span = store.span();
    assert_eq!(span.map(|(first, _)| first.0), Some(months(240_000)));
    assert_eq!(store.prune(Micros(months(430_000))), 0);
    assert_eq!(store.len(), 10_000);
}
