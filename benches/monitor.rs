//! What is measured, against its anchors, interleaved in one run, medians of five: an answer of
//! ten megabytes against a tree of its JSON, the columns of a chart against a plain loop over
//! the same points; and what a day of a hundred series costs in memory. Then criterion's figures
//! for what is small. `cargo bench --bench monitor`; an argument `--quick` leaves criterion out.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a benchmark reads the clock and prints"
)]

#[path = "shared/pair.rs"]
mod pair;

use std::fmt::Write;
use std::hint::black_box;
use std::time::{Duration, Instant};

use criterion::{Criterion, criterion_group};
use deckwatch::codec::prometheus;
use deckwatch::model::sample::{Labels, Measured, Sample, Series};
use deckwatch::model::{Level, Micros};
use deckwatch::store::{Column, Limits, SeriesStore, Volume};

use pair::{ROUNDS, pair};

const SECOND: i64 = 1_000_000;
/// Some Saturday.
const START: i64 = 1_785_000_000 * SECOND;
/// Columns of a wide pane.
const WIDTH: usize = 200;
const LIMITS: Limits = Limits {
    series: 200,
    samples: 2_000_000,
};

/// Value `n` of a series: a slow wave with noise and, rarely, a spike.
fn value(series: usize, n: usize) -> f64 {
    let random = (n * 31 + series).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40;
    let noise = f64::from(u32::try_from(random).unwrap()) / 1e6;
    let wave = 200.0 * (n as f64 / 700.0 + series as f64).sin();
    let spike = if random.is_multiple_of(4001) {
        5000.0
    } else {
        0.0
    };
    300.0 + wave + noise + spike
}

/// `count` series of `samples` samples each.
fn measured(count: usize, samples: usize, step: i64) -> Measured {
    let series = |series: usize| Series {
        labels: Labels::new(vec![
            ("namespace".to_owned(), "default".to_owned()),
            (
                "pod".to_owned(),
                format!("web-orders-7f9c{series:04}-abcde"),
            ),
        ]),
        samples: (0..samples)
            .zip(0i64..)
            .map(|(n, at)| Sample {
                at: Micros(START + at * step),
                value: value(series, n),
            })
            .collect(),
    };
    Measured {
        series: (0..count).map(series).collect(),
        ..Measured::default()
    }
}

/// The same as Prometheus writes it.
fn answer(measured: &Measured) -> String {
    let mut out = String::from(r#"{"status":"success","data":{"resultType":"matrix","result":["#);
    for series in &measured.series {
        let labels: std::collections::BTreeMap<_, _> = series.labels.iter().collect();
        let metric = serde_json::to_string(&labels).unwrap();
        write!(out, r#"{{"metric":{metric},"values":["#).unwrap();
        for sample in &series.samples {
            let (seconds, millis) = (sample.at.0 / SECOND, sample.at.0 / 1000 % 1000);
            write!(out, r#"[{seconds}.{millis:03},"{}"],"#, sample.value).unwrap();
        }
        out.pop();
        out.push_str("]},");
    }
    out.pop();
    out.push_str("]}}");
    out
}

fn time<T>(work: impl FnOnce() -> T) -> Duration {
    let start = Instant::now();
    black_box(work());
    start.elapsed()
}

fn report(what: &str, (anchor, subject): (Duration, Duration), gate: &str) {
    let ratio = anchor.as_secs_f64() / subject.as_secs_f64();
    println!("{what:<58} {anchor:>10.2?} {subject:>10.2?}  {ratio:>6.2}x faster  ({gate})");
}

fn decoding() {
    let all = measured(100, 2900, 5 * SECOND);
    let body = answer(&all);
    let bytes = body.len() as f64;
    assert_eq!(prometheus::decode(body.as_bytes(), 100).unwrap(), all);
    let times = pair(
        || time(|| serde_json::from_slice::<serde_json::Value>(body.as_bytes()).unwrap()),
        || time(|| prometheus::decode(body.as_bytes(), 100).unwrap()),
    );
    let what = format!("decode {:.1} MB: serde_json::Value, samples", bytes / 1e6);
    report(&what, times, "gate 1.0");
    let rate = bytes / times.1.as_secs_f64() / 1e6;
    println!("        {rate:.0} MB/s");
    let times = pair(
        || time(|| serde_json::from_slice::<serde::de::IgnoredAny>(body.as_bytes()).unwrap()),
        || time(|| prometheus::decode(body.as_bytes(), 100).unwrap()),
    );
    report("the same: skipped by serde_json, samples", times, "no gate");
    let mut store = SeriesStore::new(LIMITS);
    let span = (Micros(START), Micros(START + 2900 * 5 * SECOND));
    let times = pair(
        || time(|| all.clone()),
        || time(|| store.take(span.0, span.1, &all)),
    );
    report(
        "the same once read: copied, taken over itself",
        times,
        "no gate",
    );
}

/// What a chart without a store would do: the lowest and the highest for each column.
fn plain(points: &[(f64, f64)], from: f64, to: f64, out: &mut Vec<Option<(f64, f64)>>) {
    out.clear();
    out.resize(WIDTH, None);
    let scale = WIDTH as f64 / (to - from);
    for (at, value) in points {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "every point is inside"
        )]
        let slice = ((at - from) * scale) as usize;
        if let Some(slot) = out.get_mut(slice) {
            let (low, high) = slot.unwrap_or((*value, *value));
            *slot = Some((low.min(*value), high.max(*value)));
        }
    }
}

/// Eight series of 12,500 points, and their columns.
struct Chart {
    store: SeriesStore,
    points: Vec<Vec<(f64, f64)>>,
    from: Micros,
    to: Micros,
    columns: Vec<Option<Column>>,
}

impl Chart {
    fn new() -> Self {
        let all = measured(8, 12_500, 5 * SECOND);
        let (from, to) = (Micros(START), Micros(START + 12_500 * 5 * SECOND));
        let mut store = SeriesStore::new(LIMITS);
        store.set_step(Duration::from_secs(5));
        store.take(from, to, &all);
        let point = |sample: &Sample| (sample.at.0 as f64, sample.value);
        let points = all.series.iter();
        Self {
            store,
            points: points
                .map(|series| series.samples.iter().map(point).collect())
                .collect(),
            from,
            to,
            columns: Vec::new(),
        }
    }

    fn columns(&mut self, width: usize) {
        for index in 0..8 {
            self.store
                .columns(index, self.from, self.to, width, &mut self.columns);
            black_box(&self.columns);
        }
    }

    fn plain(&self, out: &mut Vec<Option<(f64, f64)>>) {
        for points in &self.points {
            plain(points, self.from.0 as f64, self.to.0 as f64, out);
            black_box(&*out);
        }
    }
}

fn columns() {
    let mut chart = Chart::new();
    let mut out = Vec::new();
    for index in 0..8 {
        let (from, to) = (chart.from, chart.to);
        chart
            .store
            .columns(index, from, to, WIDTH, &mut chart.columns);
        plain(&chart.points[index], from.0 as f64, to.0 as f64, &mut out);
        let ours = chart.columns.iter().flatten();
        assert!(
            ours.map(|column| (column.min, column.max))
                .eq(out.iter().flatten().copied())
        );
    }
    // A hundred times each, as one is short.
    let hundred = |work: &mut dyn FnMut()| time(|| (0..100).for_each(|_| work())) / 100;
    let mut anchors = Vec::new();
    let mut ours = Vec::new();
    for _ in 0..ROUNDS {
        anchors.push(hundred(&mut || chart.plain(&mut out)));
        ours.push(hundred(&mut || chart.columns(WIDTH)));
    }
    anchors.sort();
    ours.sort();
    let times = (anchors[ROUNDS / 2], ours[ROUNDS / 2]);
    report(
        "100,000 points in 8 series, 200 columns: plain loop, store",
        times,
        "gate 1.0",
    );
}

fn memory() {
    let mut store = SeriesStore::new(LIMITS);
    let all = measured(100, 17_280, 5 * SECOND);
    store.take(Micros(START), Micros(START + 86_400 * SECOND), &all);
    let (bytes, samples) = (store.heap_bytes() as f64, store.len() as f64);
    println!(
        "24 h at 5 s of 100 series: {samples} samples, {:.1} MiB, {:.2} bytes a sample (16 as they come)",
        bytes / 1024.0 / 1024.0,
        bytes / samples
    );
    let mut polled = SeriesStore::new(LIMITS);
    // The last minute, every five seconds, as a live chart asks.
    for end in 1..=17_280usize {
        let start = end.saturating_sub(12);
        let series = all.series.iter().take(10).map(|series| Series {
            labels: series.labels.clone(),
            samples: series.samples[start..end].to_vec(),
        });
        let part = Measured {
            series: series.collect(),
            ..Measured::default()
        };
        let span = |at: usize| Micros(START + i64::try_from(at).unwrap() * 5 * SECOND);
        polled.take(span(start), span(end - 1), &part);
    }
    println!(
        "        the same polled, 10 series: {:.2} bytes a sample",
        polled.heap_bytes() as f64 / polled.len() as f64
    );
}

fn small(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("monitor");
    group
        .sample_size(20)
        .measurement_time(Duration::from_secs(2));
    let mut chart = Chart::new();
    for width in [80, 200, 400] {
        group.bench_function(format!("{width} columns of 8 series"), |bencher| {
            bencher.iter(|| chart.columns(width));
        });
    }
    let mut volume = Volume::new();
    for second in 0..8000 {
        volume.add(Micros(second * SECOND), Level::Error, 3);
    }
    let (from, to) = (Micros(0), Micros(8000 * SECOND));
    let mut out = Vec::new();
    group.bench_function("200 columns of 8000 s of lines", |bencher| {
        bencher.iter(|| volume.columns(from, to, WIDTH, &mut out));
    });
    group.bench_function("bursts in 8000 s of lines", |bencher| {
        bencher.iter(|| volume.bursts(from, to));
    });
    group.finish();
}

criterion_group!(figures, small);

fn main() {
    println!("what: anchor, subject                                          anchor    subject");
    decoding();
    columns();
    memory();
    if !std::env::args().any(|arg| arg == "--quick") {
        figures();
        Criterion::default().configure_from_args().final_summary();
    }
}
