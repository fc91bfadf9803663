//! The store and the sanitiser against their anchors, interleaved in one run, medians of five
//! (performance.md 8, rows 15, 17, 18, 19, 21 and 22): first a table of ratios over a million
//! lines, then criterion's figures for what is small. `cargo bench --bench store`; an argument
//! `--quick` leaves criterion out.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a benchmark reads the clock and prints"
)]

#[path = "shared/pair.rs"]
mod pair;

use std::collections::VecDeque;
use std::hint::black_box;
use std::io::Write;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use criterion::{Criterion, Throughput, criterion_group};
use deckwatch::model::{Level, LineBatch, Micros, RawBatch, RowHead, SourceName, TargetId};
use deckwatch::store::{
    Case, FilterSet, Layer, LayerKind, LogStore, Matching, Pattern, Predicate, scan,
};
use deckwatch::text::sanitise;

use pair::{ROUNDS, pair};

const LINES: usize = 1_000_000;
const BATCH: usize = 500;
/// Where the runs with eviction hold: most of the lines fall out of it again.
const BUDGET: usize = 16 << 20;
const REGEX: &str = r"status=50\d dur=1\d\d\.";
const ICASE: &str = r"(?i)order.*timeout|reset by peer";
const LITERAL: &str = "connection reset";

/// Line `n` of a mixed log: logfmt, JSON, colours, Chinese, stack traces; about 130 bytes.
/// 2 % of them match [`REGEX`], 6 % hold [`LITERAL`].
fn line(n: usize, out: &mut Vec<u8>) {
    let random = n.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 20;
    let (status, dur) = (
        if random & 1 == 0 {
            500 + n % 5
        } else {
            200 + n % 9
        },
        random / 2 % 1000,
    );
    let what = if random % 10 < 3 {
        "connection reset by peer"
    } else {
        "request refused"
    };
    let time = format!(
        "2026-08-01T10:{:02}:{:02}.{:03}Z",
        n / 60_000 % 60,
        n / 1000 % 60,
        n % 1000
    );
    match n % 20 {
        0..9 => write!(out, "{time} level=info service=gateway method=GET path=/api/v1/orders/{n} status={status} dur={dur}.{}ms ip=10.1.{}.{} trace={n:016x}", n % 10, n % 250, n % 99),
        9..13 => write!(out, r#"{{"time":"{time}","level":"warn","msg":"upstream {what}","service":"orders","order":{n},"attempt":{},"trace":"{n:016x}"}}"#, n % 5),
        13..15 => write!(out, "\x1b[32mINFO\x1b[0m {time} \x1b[36mservice\x1b[0m=payments order={n} retried {} times, took {dur} ms", n % 5),
        15..17 => write!(out, "{time} 信息 订单服务 已经处理完成：订单号 {n}，耗时 {dur} 毫秒，剩余库存 {} 件，用户：张三丰", n % 500),
        _ => write!(out, "\tat com.example.orders.service.OrderService$Handler.process(OrderService.java:{}) ~[orders-1.{}.jar!/:1.{}]", n % 900, n % 30, n % 30),
    }
    .unwrap();
}

fn raw_batch(from: usize) -> RawBatch {
    let source = SourceName::new(b"abcdef123456");
    let mut batch = RawBatch::default();
    let mut bytes = Vec::new();
    for n in from..from + BATCH {
        bytes.clear();
        line(n, &mut bytes);
        let recv = Micros(i64::try_from(from).unwrap());
        batch.push(
            &bytes,
            &RowHead {
                source: Some(&source),
                recv,
                ..RowHead::default()
            },
        );
    }
    batch
}

fn refine(batch: &RawBatch) -> LineBatch {
    LineBatch::refine(batch, |_| Level::None)
}

fn batches() -> impl Iterator<Item = RawBatch> {
    (0..LINES).step_by(BATCH).map(raw_batch)
}

fn time<T>(work: impl FnOnce() -> T) -> (Duration, T) {
    let start = Instant::now();
    let value = black_box(work());
    (start.elapsed(), value)
}

fn report(row: &str, what: &str, anchor: Duration, subject: Duration, gate: &str) {
    let ratio = anchor.as_secs_f64() / subject.as_secs_f64();
    println!(
        "row {row:>2}  {what:<46} {anchor:>10.2?} {subject:>10.2?}  {ratio:>6.2}x faster  ({gate})"
    );
}

/// Resident bytes of this process, where the system says so.
fn resident() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmRSS:"))?;
    Some(line.split_whitespace().nth(1)?.parse::<u64>().ok()? * 1024)
}

fn memory() -> LogStore {
    let before = resident();
    let mut store = LogStore::new();
    let (mut payload, mut shown) = (0, 0);
    for raw in batches() {
        let batch = refine(&raw);
        payload += (0..raw.len())
            .map(|index| raw.line(index).len() + 1)
            .sum::<usize>();
        shown += batch.text().text_bytes();
        store.push_batch(TargetId(0), &batch);
    }
    store.seal();
    let held: usize = store
        .sealed()
        .map(|(_, segment)| segment.heap_bytes())
        .sum();
    let lines = f64::from(u32::try_from(LINES).unwrap());
    let over = |base: usize| (held as f64 - base as f64) / lines;
    println!(
        "{LINES} lines, {:.1} bytes a line as received, {:.1} as shown",
        payload as f64 / lines,
        shown as f64 / lines
    );
    println!(
        "row 15  bytes a line over what was received: {:.2} (gate 8, goal 5); over what is shown: {:.2}",
        over(payload),
        over(shown)
    );
    if let (Some(before), Some(after)) = (before, resident()) {
        let grown = (after - before) as f64;
        println!(
            "row 17  resident memory over payload: {:.3}x (gate 1.15, goal 1.08)",
            grown / payload as f64
        );
    }
    store
}

/// Name and measurement.
type Ingest = (&'static str, fn() -> Duration);

/// What a process of its own measures, so that none finds memory that another has freed.
const INGESTS: [Ingest; 6] = [
    ("--strings", || {
        let mut lines: Vec<String> = Vec::new();
        each_batch(|_, fine| {
            lines.extend((0..fine.len()).map(|index| fine.text().line(index).to_owned()));
        })
    }),
    ("--store", || {
        let mut store = LogStore::new();
        each_batch(|_, fine| {
            store.push_batch(TargetId(0), fine);
        })
    }),
    ("--strings-full", || {
        let mut lines: VecDeque<String> = VecDeque::new();
        let mut bytes = 0;
        each_batch(|_, fine| {
            for line in (0..fine.len()).map(|index| fine.text().line(index)) {
                bytes += line.len();
                lines.push_back(line.to_owned());
                while bytes > BUDGET
                    && let Some(gone) = lines.pop_front()
                {
                    bytes -= gone.len();
                }
            }
        })
    }),
    ("--store-full", || {
        let mut store = LogStore::new();
        each_batch(|_, fine| {
            store.push_batch(TargetId(0), fine);
            while store.heap_bytes() > BUDGET && store.evict_oldest().is_some() {}
        })
    }),
    ("--lossy", || {
        let mut lines: Vec<String> = Vec::new();
        each_batch(|raw, _| {
            let of_batch = (0..raw.len()).map(|index| raw.line(index));
            lines.extend(of_batch.map(|line| String::from_utf8_lossy(line).into_owned()));
        })
    }),
    ("--sanitise", || {
        let mut store = LogStore::new();
        each_batch(|raw, _| {
            store.push_batch(TargetId(0), &refine(raw));
        })
    }),
];

/// The time that `take` needs for a million lines. Twenty batches come round again, so that
/// they are in the processor's cache, as lines are that have just arrived.
fn each_batch(mut take: impl FnMut(&RawBatch, &LineBatch)) -> Duration {
    let few: Vec<_> = batches().take(20).map(|raw| (refine(&raw), raw)).collect();
    let all = few.iter().cycle().take(LINES / BATCH);
    time(|| all.for_each(|(fine, raw)| take(raw, fine))).0
}

/// Runs this program again for one of [`INGESTS`].
fn ingest_apart(name: &str) -> Duration {
    let program = std::env::current_exe().unwrap();
    let output = Command::new(program).arg(name).output().unwrap();
    let nanoseconds = String::from_utf8(output.stdout).unwrap();
    Duration::from_nanos(nanoseconds.trim().parse().unwrap())
}

fn ingest() {
    for (what, anchor, subject, gate) in [
        (
            "strings of received bytes, store (UI thread)",
            "--lossy",
            "--store",
            "gate 1.3, goal 1.6",
        ),
        (
            "strings of shown text, store",
            "--strings",
            "--store",
            "page faults bound both",
        ),
        (
            "the same, in a budget of 16 MiB",
            "--strings-full",
            "--store-full",
            "no gate",
        ),
        (
            "strings of received bytes, sanitiser and store",
            "--lossy",
            "--sanitise",
            "no gate",
        ),
    ] {
        let (anchor, subject) = pair(|| ingest_apart(anchor), || ingest_apart(subject));
        report("18", what, anchor, subject, gate);
    }
}

fn full_scan(store: &LogStore, predicate: &Predicate) -> usize {
    store
        .sealed()
        .map(|(first, segment)| scan::matches(first, segment, predicate).len())
        .sum()
}

fn rg(pattern: &str, file: &Path) -> Option<usize> {
    let output = Command::new("rg")
        .args(["-j1", "-a", "-c", "-e", pattern])
        .arg(file)
        .output()
        .ok()?;
    String::from_utf8(output.stdout).ok()?.trim().parse().ok()
}

fn scans(store: &LogStore) {
    // The file holds what is shown, so that both search the same bytes.
    let file = tempfile::NamedTempFile::new().unwrap();
    for (_, segment) in store.sealed() {
        file.as_file().write_all(segment.bytes()).unwrap();
    }
    for (source, case, gate) in [
        (REGEX, Case::Exact, "gate 1.0, goal 1.8"),
        (ICASE, Case::Exact, "gate 0.9, goal 1.0"),
        (LITERAL, Case::Exact, "no gate"),
        ("connection reset", Case::Smart, "no gate"),
    ] {
        let pattern = if source == LITERAL {
            Pattern::literal(source, case)
        } else {
            Pattern::regex(source, case)
        }
        .unwrap();
        let predicate = Predicate::Search(pattern.clone(), FilterSet::default());
        let lines = || {
            let rows = store
                .sealed()
                .flat_map(|(_, segment)| (0..segment.rows()).map(move |row| segment.line(row)));
            rows.filter(|line| pattern.is_match(line.as_bytes()))
                .count()
        };
        let hits = lines();
        assert_eq!(full_scan(store, &predicate), hits);
        let (anchor, subject) = pair(|| time(lines).0, || time(|| full_scan(store, &predicate)).0);
        report(
            "",
            &format!("{source} ({hits} hits): per line, store"),
            anchor,
            subject,
            "no gate",
        );
        let rg_pattern = if case == Case::Smart {
            format!("(?i){source}")
        } else {
            source.to_owned()
        };
        if let Some(found) = rg(&rg_pattern, file.path()) {
            assert_eq!(found, hits);
            let (anchor, subject) = pair(
                || time(|| rg(&rg_pattern, file.path())).0,
                || time(|| full_scan(store, &predicate)).0,
            );
            report(
                "19",
                &format!("{source}: rg -j1 as a process, store"),
                anchor,
                subject,
                gate,
            );
        }
    }
}

fn include(source: &str) -> Predicate {
    let pattern = Pattern::regex(source, Case::Smart).unwrap();
    let layers = vec![Layer {
        kind: LayerKind::Include,
        pattern,
        on: true,
    }];
    Predicate::Filter(FilterSet {
        layers,
        ..FilterSet::default()
    })
}

fn filters(store: &mut LogStore) {
    let mut matching = Matching::default();
    let mut times: Vec<_> = (0..ROUNDS)
        .map(|_| {
            time(|| {
                let job = matching.begin(store, include(REGEX));
                for (first, rows) in job.results() {
                    matching.absorb(job.generation, first, rows);
                }
                matching.list().len()
            })
        })
        .collect();
    times.sort();
    let (took, hits) = times[ROUNDS / 2];
    let list = matching.list().heap_bytes() as f64 / hits as f64;
    println!(
        "row 21  new filter until its full result: {took:.2?}, {hits} matches of {list:.1} bytes (lnav: about 1 s)"
    );

    let fine: Vec<_> = (0..100).map(|at| refine(&raw_batch(at * BATCH))).collect();
    let regex = regex::bytes::Regex::new(&format!("(?i){REGEX}")).unwrap();
    // As in a pane that has run for a while: what comes in pushes out as much.
    let mut store = LogStore::new();
    let mut matching = Matching::default();
    matching.begin(&mut store, include(REGEX));
    let mut append = |store: &mut LogStore| {
        for batch in &fine {
            let appended = store.push_batch(TargetId(0), batch);
            matching.append(store, appended);
            while store.heap_bytes() > BUDGET
                && let Some(evicted) = store.evict_oldest()
            {
                matching.evicted(evicted);
            }
        }
        matching.list().len()
    };
    for _ in 0..5 {
        append(&mut store);
    }
    let alone = || {
        time(|| {
            let lines = fine
                .iter()
                .flat_map(|batch| (0..batch.len()).map(move |index| batch.text().line(index)));
            lines.filter(|line| regex.is_match(line.as_bytes())).count()
        })
        .0
    };
    let appended = || time(|| append(&mut store)).0;
    let (anchor, subject) = pair(alone, appended);
    let lines = 100.0 * BATCH as f64;
    let each = |took: Duration| took.as_secs_f64() * 1e9 / lines;
    println!(
        "row 22  append and filter a line: {:.0} ns, its regex alone {:.0} ns: {:.2}x (gate 2, goal 1.5)",
        each(subject),
        each(anchor),
        each(subject) / each(anchor)
    );
}

fn sanitiser(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("sanitise");
    group
        .sample_size(20)
        .measurement_time(Duration::from_secs(2));
    let mut samples: Vec<(&str, Vec<u8>)> = Vec::new();
    for (name, n) in [
        ("logfmt", 1),
        ("json", 9),
        ("colour", 13),
        ("chinese and ascii", 15),
        ("tabulator", 17),
    ] {
        let mut bytes = Vec::new();
        line(n, &mut bytes);
        samples.push((name, bytes));
    }
    samples.push((
        "chinese",
        "服务已经启动，正在等待来自网关的请求，当前连接数为一百二十三个，队列长度为零。"
            .as_bytes()
            .to_vec(),
    ));
    samples.push(("emoji", "🚀 started 👨‍👩‍👧 ok ✅ done".as_bytes().to_vec()));
    for (name, raw) in &samples {
        group.throughput(Throughput::Bytes(raw.len() as u64 * 1000));
        let mut text = String::with_capacity(raw.len() * 3000);
        let mut runs = Vec::new();
        group.bench_function(*name, |bencher| {
            bencher.iter(|| {
                text.clear();
                runs.clear();
                for _ in 0..1000 {
                    sanitise::append(black_box(raw), &mut text, &mut runs);
                }
            });
        });
    }
    if let Some((_, raw)) = samples.first() {
        let mut copy = Vec::with_capacity(raw.len() * 1000);
        group.bench_function("copy a line (anchor)", |bencher| {
            bencher.iter(|| {
                copy.clear();
                for _ in 0..1000 {
                    copy.extend_from_slice(black_box(raw));
                }
            });
        });
    }
    group.finish();
}

criterion_group!(small, sanitiser);

fn main() {
    let asked = |name: &str| std::env::args().any(|arg| arg == name);
    if let Some((_, ingest)) = INGESTS.iter().find(|(name, _)| asked(name)) {
        println!("{}", ingest().as_nanos());
        return;
    }
    println!("        what: anchor, subject                               anchor    subject");
    let mut store = memory();
    ingest();
    scans(&store);
    filters(&mut store);
    if !asked("--quick") {
        small();
        Criterion::default().configure_from_args().final_summary();
    }
}
