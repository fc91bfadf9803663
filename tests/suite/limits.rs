//! The log store at its edges: sources, rows, long lines, memory; and the level of a line that
//! does not say one.

use std::time::Duration;

use deckwatch::model::{Level, LineBatch, Mark, Micros, RawBatch, RowHead, SourceName, TargetId};
use deckwatch::store::{
    Appended, Case, FilterSet, LineId, LogStore, Matching, Pattern, Predicate, Row,
};
use deckwatch::text::sanitise;

use super::store::{level, name};

fn head(source: Option<&SourceName>, recv: i64) -> RowHead<'_> {
    RowHead {
        source,
        recv: Micros(recv),
        ..RowHead::default()
    }
}

fn push(store: &mut LogStore, target: TargetId, raw: &RawBatch) -> Appended {
    let batch = LineBatch::refine(raw, level);
    store.push_batch(target, &batch)
}

#[test]
fn a_stack_trace_stays_with_its_error() {
    let mut raw = RawBatch::default();
    let (a, b) = (name(1), name(2));
    for (line, source) in [
        ("x", &a),
        ("E failed", &a),
        ("I fine", &b),
        ("  at main", &a),
        ("  more", &b),
        ("I on", &a),
        ("  y", &a),
    ] {
        raw.push(line.as_bytes(), &head(Some(source), 1));
    }
    let mut store = LogStore::new();
    push(&mut store, TargetId(0), &raw);
    let filter = FilterSet {
        min_level: Level::Warn,
        ..FilterSet::default()
    };
    let shown = |store: &LogStore| {
        let rows = store.rows(store.first()..store.end()).filter_map(Row::line);
        rows.filter(|line| filter.accepts(line))
            .map(|line| line.as_str().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(shown(&store), ["E failed", "  at main"]);

    // Also when the segment ends between them.
    let mut raw = RawBatch::default();
    raw.push(b"E again", &head(Some(&a), 1));
    push(&mut store, TargetId(0), &raw);
    store.seal();
    let mut raw = RawBatch::default();
    raw.push(b"  at exit", &head(Some(&a), 1));
    push(&mut store, TargetId(0), &raw);
    assert_eq!(
        shown(&store),
        ["E failed", "  at main", "E again", "  at exit"]
    );
}

#[test]
fn a_segment_takes_more_sources_and_rows_than_a_byte_counts() {
    let mut raw = RawBatch::default();
    for source in 0..1000u32 {
        let source = SourceName::new(format!("pod-{source}").as_bytes());
        raw.push(b"x", &head(Some(&source), 1));
    }
    for _ in 0..200_000 {
        raw.push(b"", &head(None, 2));
    }
    raw.push_mark(Mark::Reconnected {
        away: Duration::from_secs(1),
        why: sanitise::plain(b"reset"),
        certainty: deckwatch::model::Certainty::Possible,
        hidden: 3,
    });
    let mut store = LogStore::new();
    push(&mut store, TargetId(3), &raw);
    assert_eq!(store.len(), 201_001);
    for at in [0u64, 254, 255, 256, 999] {
        let line = store.get(LineId(at)).and_then(Row::line).unwrap();
        assert_eq!(line.source().unwrap().as_str(), format!("pod-{at}"));
    }
    let line = store.get(LineId(200_999)).and_then(Row::line).unwrap();
    assert_eq!(
        (line.source(), line.recv(), line.target()),
        (None, Micros(2), TargetId(3))
    );
    assert!(matches!(store.get(LineId(201_000)), Some(Row::Mark(_))));
    assert!(store.sealed().count() >= 6);
}

#[test]
fn one_very_long_line_has_its_place() {
    let mut raw = RawBatch::default();
    let long = vec![b'x'; 256 * 1024];
    for _ in 0..9 {
        raw.push(&long, &head(None, 1));
    }
    let mut store = LogStore::new();
    push(&mut store, TargetId(0), &raw);
    assert!(
        store
            .rows(LineId(0)..store.end())
            .filter_map(Row::line)
            .all(|line| line.as_str().len() == long.len())
    );
    assert_eq!(store.len(), 9);
}

#[test]
fn memory_that_no_text_has_reached_is_not_held() {
    let mut raw = RawBatch::default();
    raw.push(&[b'x'; 100], &head(None, 1));
    let mut store = LogStore::new();
    let empty = store.heap_bytes();
    assert!(empty < 1 << 10, "{empty}");
    push(&mut store, TargetId(0), &raw);
    let one = store.heap_bytes();
    assert!((101..18 << 10).contains(&one), "{one}");
    // A segment that is sealed before it is full holds its lines and no more.
    store.seal();
    let sealed = store.sealed().map(|(_, segment)| segment.heap_bytes());
    assert!((4096..6 << 10).contains(&sealed.sum::<usize>()));
    // What is filled next uses the memory again, which is counted until all is gone.
    assert!((4096..=one).contains(&store.open().1.heap_bytes()));
    assert!(store.evict_oldest().is_some());
    assert!(store.heap_bytes() < 1 << 10);
}

#[test]
fn a_new_line_matches_by_itself_and_not_by_the_one_above() {
    let pattern = Pattern::regex(r"(?-u:\b)$", Case::Exact).unwrap();
    let predicate = Predicate::Search(pattern, FilterSet::default());
    let mut store = LogStore::new();
    let mut matching = Matching::default();
    matching.begin(&mut store, predicate);
    for text in ["a word", "a dot.", "a word", "two", "dots..", "word"] {
        let mut raw = RawBatch::default();
        raw.push(text.as_bytes(), &head(None, 1));
        let appended = push(&mut store, TargetId(0), &raw);
        matching.append(&store, appended);
    }
    let rows: Vec<u64> = matching.list().iter().map(|id| id.0).collect();
    assert_eq!(rows, [0, 2, 3, 5]);
}

#[test]
fn a_copy_of_a_store_goes_its_own_way() {
    let texts = |store: &LogStore| -> Vec<String> {
        let rows = store.rows(LineId(0)..store.end()).filter_map(Row::line);
        rows.map(|line| line.as_str().to_owned()).collect()
    };
    let line = |text: &str| {
        let mut raw = RawBatch::default();
        raw.push(text.as_bytes(), &head(None, 1));
        raw
    };
    let mut left = LogStore::new();
    push(&mut left, TargetId(0), &line("both 字"));
    let mut right = left.clone();
    push(&mut left, TargetId(0), &line("left"));
    push(&mut right, TargetId(0), &line("right"));
    assert_eq!(texts(&left), ["both 字", "left"]);
    assert_eq!(texts(&right), ["both 字", "right"]);
}

#[test]
fn the_memory_counted_is_about_the_text() {
    let mut raw = RawBatch::default();
    for n in 0..100_000 {
        raw.push(format!("{n:0>100}").as_bytes(), &head(None, 1));
    }
    let mut store = LogStore::new();
    push(&mut store, TargetId(0), &raw);
    store.seal();
    let sealed: usize = store
        .sealed()
        .map(|(_, segment)| segment.heap_bytes())
        .sum();
    let over = sealed - 101 * 100_000;
    assert!(over < 11 * 100_000 / 2, "{over}");
    while store.evict_oldest().is_some() {}
    assert!(store.is_empty());
    assert!(store.heap_bytes() < 1 << 10);
}
