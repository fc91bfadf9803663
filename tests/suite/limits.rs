//! The log store at its edges: sources, rows, long lines, memory; and the level of a line that
//! does not say one.

use std::sync::Arc;
use std::time::Duration;

use deckwatch::model::{Level, LineBatch, Mark, Micros, RawBatch, RowHead, SourceName, TargetId};
use deckwatch::store::{FilterSet, LineId, LogStore, Rooms, Row};
use deckwatch::text::sanitise;

use super::store::{level, name};

fn head(source: Option<&SourceName>, recv: i64) -> RowHead<'_> {
    RowHead {
        source,
        recv: Micros(recv),
        ..RowHead::default()
    }
}

fn push(store: &mut LogStore, target: TargetId, raw: &RawBatch) {
    let batch = LineBatch::refine(raw, level);
    store.push_batch(target, &batch, &mut Rooms::default());
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
fn evicted_text_leaves_its_room_to_the_next_of_any_pane() {
    let lines = |count: usize| {
        let mut raw = RawBatch::default();
        for n in 0..count {
            raw.push(format!("{n:0>100}").as_bytes(), &head(None, 1));
        }
        LineBatch::refine(&raw, level)
    };
    let mut rooms = Rooms::default();
    let (mut a, mut b) = (LogStore::new(), LogStore::new());
    a.push_batch(TargetId(0), &lines(50_000), &mut rooms);
    assert_eq!((a.sealed().count(), rooms.len()), (4, 0));
    // The first one grew with its lines, and is of another size.
    a.evict_oldest(&mut rooms);
    assert_eq!(rooms.len(), 0);
    a.evict_oldest(&mut rooms);
    assert_eq!(rooms.len(), 1);
    // The other pane fills a segment, and goes on in the room.
    b.push_batch(TargetId(1), &lines(11_000), &mut rooms);
    assert_eq!((b.sealed().count(), rooms.len()), (1, 0));
    // One that a scan still reads leaves nothing; others are kept in small number.
    let (_, read) = a.sealed().next().unwrap();
    let read = Arc::clone(read);
    a.evict_oldest(&mut rooms);
    assert_eq!(rooms.len(), 0);
    drop(read);
    // One that is sealed before it is full moves out of its room, and takes no other.
    a.evict_oldest(&mut rooms);
    let held = a.heap_bytes();
    a.seal();
    assert_eq!(rooms.len(), 1);
    assert!(a.heap_bytes() < held + (1 << 20), "{held}");
    a.push_batch(TargetId(0), &lines(150_000), &mut rooms);
    while a.evict_oldest(&mut rooms).is_some() {}
    assert_eq!(rooms.len(), 4);
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
    assert!(over < 6 * 100_000, "{over}");
    while store.evict_oldest(&mut Rooms::default()).is_some() {}
    assert!(store.is_empty());
    assert!(store.heap_bytes() < 2 << 20);
}
