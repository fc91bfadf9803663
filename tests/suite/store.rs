//! The log store against slow oracles: what is put in comes out, what is found is what a line
//! by line search finds, in whatever order the answers come.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "test helpers"
)]

use deckwatch::model::{
    Level, LineBatch, Mark, Micros, RawBatch, RowFlags, RowHead, SourceName, TargetId,
};
use deckwatch::store::{
    Case, FilterSet, Layer, LayerKind, LineId, LogStore, MatchList, Matching, Origin, Pattern,
    Predicate, Row, Who, scan,
};
use deckwatch::text::sanitise;
use proptest::prelude::*;

/// A row as it is put in.
#[derive(Clone, Debug)]
enum Put {
    Line {
        target: u16,
        source: Option<u8>,
        flags: u8,
        recv: i64,
        stamp: Option<i64>,
        raw: Vec<u8>,
    },
    Mark(u16, u64),
}

pub(super) fn name(source: u8) -> SourceName {
    SourceName::new(format!("source{source}").as_bytes())
}

/// Whether a filter shows a row, asked of that row alone.
pub(super) fn accepts_row(filter: &FilterSet, row: &Row<'_>) -> bool {
    match row {
        Row::Line(line) => filter.accepts(line),
        Row::Mark(mark) => filter.accepts_id(mark.id),
    }
}

/// The level of a line of these tests is its first letter.
pub(super) fn level(text: &str) -> Level {
    match text.as_bytes().first() {
        Some(b'E') => Level::Error,
        Some(b'W') => Level::Warn,
        Some(b'I') => Level::Info,
        Some(b'D') => Level::Debug,
        _ => Level::None,
    }
}

fn raw_line() -> impl Strategy<Value = Vec<u8>> {
    let pieces: Vec<&'static [u8]> = vec![
        b"E",
        b"W",
        b"I",
        b"D",
        b"word ",
        b"Word",
        b" ",
        b"x",
        b"\t",
        b"\r",
        b"\x1b[31m",
        b"\x1b[0m",
        b"\x1b[2J",
        b"\xff",
        "字".as_bytes(),
        b"status=500",
        b"12",
        b"-",
    ];
    prop::collection::vec(prop::sample::select(pieces), 0..7).prop_map(|pieces| pieces.concat())
}

fn put() -> impl Strategy<Value = Put> {
    let line = (
        0u16..2,
        prop::option::of(0u8..4),
        0u8..4,
        0i64..3,
        prop::option::weighted(0.2, 0i64..9),
        raw_line(),
    );
    prop_oneof![
        9 => line.prop_map(|(target, source, flags, recv, stamp, raw)| Put::Line { target, source, flags, recv, stamp, raw }),
        1 => (0u16..2, 1u64..99).prop_map(|(target, lines)| Put::Mark(target, lines)),
    ]
}

/// A batch of the rows, which are all taken to be of the first one's target.
fn batch(rows: &[Put]) -> (TargetId, LineBatch) {
    let mut raw_batch = RawBatch::default();
    let mut of = None;
    for row in rows {
        match row {
            Put::Line {
                target,
                source,
                flags,
                recv,
                stamp,
                raw,
            } => {
                of = of.or(Some(*target));
                let source = source.map(name);
                let head = RowHead {
                    source: source.as_ref(),
                    flags: RowFlags(*flags),
                    recv: Micros(*recv),
                    stamp: stamp.map(Micros),
                    ..RowHead::default()
                };
                raw_batch.push(raw, &head);
            }
            Put::Mark(target, lines) => {
                of = of.or(Some(*target));
                raw_batch.push_mark(Mark::Dropped { lines: *lines });
            }
        }
    }
    (
        TargetId(of.unwrap_or(0)),
        LineBatch::refine(&raw_batch, level),
    )
}

/// What the store should hold.
struct Expected {
    target: TargetId,
    put: Put,
    text: String,
    filter_level: Level,
}

#[derive(Default)]
struct Oracle {
    rows: Vec<Expected>,
}

impl Oracle {
    fn push(&mut self, target: TargetId, rows: &[Put]) {
        for put in rows {
            let (mut text, mut filter_level) = (String::new(), Level::None);
            if let Put::Line { source, raw, .. } = put {
                sanitise::plain(raw.strip_suffix(b"\r").unwrap_or(raw))
                    .as_str()
                    .clone_into(&mut text);
                filter_level = level(&text);
                if filter_level == Level::None {
                    let above = self.rows.iter().rev().find(|row| {
                        row.target == target && matches!(&row.put, Put::Line { source: other, .. } if other == source)
                    });
                    filter_level = above.map_or(Level::None, |row| row.filter_level);
                }
            }
            let put = put.clone();
            self.rows.push(Expected {
                target,
                put,
                text,
                filter_level,
            });
        }
    }

    fn accepts(&self, at: usize, predicate: &Predicate) -> bool {
        let row = &self.rows[at];
        let (filter, search) = match predicate {
            Predicate::Filter(filter) => (filter, None),
            Predicate::Search(pattern, filter) => (filter, Some(pattern)),
        };
        // A row's place is its number.
        let inside = filter
            .rows
            .is_none_or(|(from, to)| from.0 <= at as u64 && (at as u64) < to.0);
        let Put::Line { source, .. } = &row.put else {
            return inside && search.is_none();
        };
        let origin = Origin {
            target: row.target,
            source: source.map(name),
        };
        let has = |pattern: &Pattern| pattern.is_match(row.text.as_bytes());
        let level = filter.min_level <= Level::Debug || row.filter_level >= filter.min_level;
        let source = match &filter.solo {
            Some(who) => who.is(&origin),
            None => !filter.hidden.iter().any(|who| who.is(&origin)),
        };
        let layers = filter
            .layers
            .iter()
            .filter(|layer| layer.on)
            .all(|layer| match layer.kind {
                LayerKind::Include => has(&layer.pattern),
                LayerKind::Exclude => !has(&layer.pattern),
                LayerKind::Highlight => true,
            });
        inside && level && source && layers && search.is_none_or(has)
    }
}

fn check_row(got: &Row<'_>, want: &Expected) {
    match (got, &want.put) {
        (Row::Mark(mark), Put::Mark(_, lines)) => {
            assert_eq!(*mark.mark, Mark::Dropped { lines: *lines });
            assert_eq!(mark.target, want.target);
        }
        (
            Row::Line(line),
            Put::Line {
                source,
                flags,
                recv,
                stamp,
                raw,
                ..
            },
        ) => {
            assert_eq!(line.as_str(), want.text);
            assert_eq!(line.text().as_str(), want.text);
            assert_eq!(*line.bytes(), **raw);
            assert_eq!(line.target(), want.target);
            assert_eq!(line.source().cloned(), source.map(name));
            assert_eq!(line.flags().0 & 3, *flags);
            assert_eq!(
                line.flags().has(RowFlags::CHANGED),
                want.text.as_bytes() != raw
            );
            assert_eq!(line.raw().is_some(), want.text.as_bytes() != raw);
            assert_eq!(line.recv(), Micros(*recv));
            assert_eq!(line.stamp(), stamp.map(Micros));
            assert_eq!(line.level(), level(&want.text));
            assert_eq!(line.filter_level(), want.filter_level);
            let mut runs = Vec::new();
            sanitise::append(
                raw.strip_suffix(b"\r").unwrap_or(raw),
                &mut String::new(),
                &mut runs,
            );
            assert_eq!(line.runs(), runs);
        }
        _ => panic!("{got:?} for {:?}", want.put),
    }
}

fn pattern(source: &str) -> Pattern {
    Pattern::regex(source, Case::Smart).unwrap()
}

fn any_pattern() -> impl Strategy<Value = Pattern> {
    let sources = [
        "word",
        "Word",
        "status=50.",
        "^",
        "$",
        "^$",
        r"\s",
        "[^x]",
        "[^x]{3}",
        "(?i)WORD",
        r"\bword\b",
        r"\d+$",
        "^E",
        "字",
        r"\A",
        r"\z",
        "x|-",
        "",
        "(?s).",
        r"\B",
        "(?-u:\\xff)",
        "a\n?",
        "word[^e]*x",
        r"^\W",
        "(?m)^I|W$",
        r"\n",
        "(?R)$",
        r"x{0}",
    ];
    let literals = ["word", "Word", "=", "", "字", "\n"];
    prop_oneof![
        4 => prop::sample::select(sources.to_vec()).prop_map(pattern),
        1 => prop::sample::select(literals.to_vec()).prop_map(|text| Pattern::literal(text, Case::Smart).unwrap()),
    ]
}

fn any_filter() -> impl Strategy<Value = FilterSet> {
    let kind = prop::sample::select(vec![
        LayerKind::Include,
        LayerKind::Exclude,
        LayerKind::Highlight,
    ]);
    let layer = (kind, any_pattern(), prop::bool::weighted(0.8))
        .prop_map(|(kind, pattern, on)| Layer { kind, pattern, on });
    let who = prop_oneof![
        (0u16..2).prop_map(|target| Who::Target(TargetId(target))),
        (0u16..2, prop::option::of(0u8..4)).prop_map(|(target, source)| Who::Origin(Origin {
            target: TargetId(target),
            source: source.map(name)
        })),
    ];
    let layers = prop::collection::vec(layer, 0..3);
    let level = prop::sample::select(Level::ALL.to_vec());
    let solo = prop::option::weighted(0.2, who.clone());
    let rows = prop::option::weighted(0.3, (0u64..60, 0u64..60));
    (layers, level, prop::collection::vec(who, 0..2), solo, rows).prop_map(
        |(layers, min_level, hidden, solo, rows)| FilterSet {
            layers,
            min_level,
            hidden,
            solo,
            rows: rows.map(|(from, to)| (LineId(from), LineId(to))),
        },
    )
}

fn any_predicate() -> impl Strategy<Value = Predicate> {
    prop_oneof![
        any_filter().prop_map(Predicate::Filter),
        (any_pattern(), any_filter())
            .prop_map(|(pattern, filter)| Predicate::Search(pattern, filter)),
        any_pattern().prop_map(|pattern| Predicate::Search(pattern, FilterSet::default())),
    ]
}

/// What happens to a store and a filter over it.
#[derive(Clone, Debug)]
enum Step {
    Push(Vec<Put>),
    Evict,
    Seal,
    Begin(Predicate),
    Absorb(usize),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        5 => prop::collection::vec(put(), 0..12).prop_map(Step::Push),
        1 => Just(Step::Evict),
        1 => Just(Step::Seal),
        1 => any_predicate().prop_map(Step::Begin),
        4 => any::<usize>().prop_map(Step::Absorb),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn what_is_put_in_comes_out_until_it_is_evicted(steps in prop::collection::vec(step(), 0..30), bytes in 1usize..300) {
        let mut store = LogStore::with_segment_bytes(bytes);
        let mut oracle = Oracle::default();
        let mut lines_gone = 0;
        for step in steps {
            match step {
                Step::Push(rows) => {
                    let (target, batch) = batch(&rows);
                    let appended = store.push_batch(target, &batch);
                    prop_assert_eq!(appended.first.0, oracle.rows.len() as u64);
                    prop_assert_eq!(appended.rows, rows.len() as u64);
                    oracle.push(target, &rows);
                }
                Step::Evict => {
                    let first = store.first();
                    let gone = store.evict_oldest();
                    prop_assert_eq!(gone.is_some(), first.0 < oracle.rows.len() as u64);
                    if let Some(gone) = gone {
                        let rows = &oracle.rows[usize::try_from(first.0).unwrap()..usize::try_from(gone.first_kept.0).unwrap()];
                        let lines = rows.iter().filter(|row| matches!(row.put, Put::Line { .. })).count() as u64;
                        prop_assert_eq!(gone.lines, lines);
                        lines_gone += lines;
                    }
                }
                Step::Seal => store.seal(),
                Step::Begin(_) | Step::Absorb(_) => {}
            }
            prop_assert_eq!(store.evicted(), lines_gone);
            prop_assert_eq!(store.end().0, oracle.rows.len() as u64);
        }
        for (id, want) in (0u64..).zip(&oracle.rows) {
            let got = store.get(LineId(id));
            prop_assert_eq!(got.is_some(), id >= store.first().0);
            if let Some(got) = got {
                prop_assert_eq!(got.id(), LineId(id));
                check_row(&got, want);
            }
        }
        prop_assert!(store.get(store.end()).is_none());
        prop_assert_eq!(store.rows(LineId(0)..store.end()).count() as u64, store.len());
    }

    #[test]
    fn a_filter_finds_the_same_in_any_order_of_answers(steps in prop::collection::vec(step(), 0..40), last in any_predicate()) {
        let mut store = LogStore::with_segment_bytes(120);
        let mut matching = Matching::default();
        let mut oracle = Oracle::default();
        let mut jobs = Vec::new();
        for step in steps.into_iter().chain([Step::Begin(last)]) {
            match step {
                Step::Push(rows) => {
                    let (target, batch) = batch(&rows);
                    let appended = store.push_batch(target, &batch);
                    oracle.push(target, &rows);
                    matching.append(&store, appended);
                }
                Step::Evict => {
                    if let Some(evicted) = store.evict_oldest() {
                        matching.evicted(evicted);
                    }
                }
                Step::Seal => store.seal(),
                Step::Begin(predicate) => {
                    let job = matching.begin(&mut store, predicate);
                    let generation = job.generation;
                    jobs.extend(job.results().map(|(first, rows)| (generation, first, rows)));
                }
                Step::Absorb(which) if !jobs.is_empty() => {
                    let (generation, first, rows) = jobs.swap_remove(which % jobs.len());
                    let wanted = matching.absorb(generation, first, rows.clone());
                    prop_assert!(!wanted || generation == matching.generation());
                    prop_assert!(!matching.absorb(generation, first, rows));
                }
                Step::Absorb(_) => {}
            }
        }
        jobs.reverse();
        for (generation, first, rows) in jobs {
            matching.absorb(generation, first, rows);
        }
        prop_assert!(matching.done());
        let predicate = matching.predicate().unwrap();
        let rows = store.rows(store.first()..store.end()).map(|row| row.id());
        let want: Vec<_> = rows.filter(|id| oracle.accepts(usize::try_from(id.0).unwrap(), predicate)).collect();
        prop_assert_eq!(matching.list().iter().collect::<Vec<_>>(), want);
    }

    #[test]
    fn a_whole_segment_is_searched_like_its_lines(rows in prop::collection::vec(put(), 0..60), predicate in any_predicate()) {
        let (target, batch) = batch(&rows);
        let mut store = LogStore::new();
        store.push_batch(target, &batch);
        let mut oracle = Oracle::default();
        oracle.push(target, &rows);
        let got: Vec<usize> = scan::matches(LineId(0), store.open().1, &predicate).into_iter().map(usize::from).collect();
        let want: Vec<usize> = (0..rows.len()).filter(|row| oracle.accepts(*row, &predicate)).collect();
        prop_assert_eq!(&got, &want);
        let alone = |row: &usize| scan::matches_in(LineId(0), store.open().1, *row..row + 1, &predicate);
        let one_by_one: Vec<usize> = (0..rows.len()).filter(|row| !alone(row).is_empty()).collect();
        prop_assert_eq!(&one_by_one, &want);
        if let Predicate::Filter(filter) = &predicate {
            let one_by_one: Vec<usize> = store.rows(LineId(0)..store.end()).enumerate()
                .filter(|(_, row)| accepts_row(filter, row)).map(|(at, _)| at).collect();
            prop_assert_eq!(&one_by_one, &want);
        }
    }

    #[test]
    fn a_pattern_means_on_a_line_what_the_regex_crate_says(source in "(\\^|\\$|\\\\s|\\\\b|\\\\B|\\\\S|\\[\\^x\\]|\\.|\\*|\\+|a|x|b|\\(|\\)|\\||\\\\A|\\\\z|\\(\\?i\\)|\\(\\?s\\)|\\(\\?m\\)){1,8}", line in "[axbXA 字-]{0,8}") {
        let case = Pattern::regex(&source, Case::Exact);
        let regex = regex::bytes::Regex::new(&source);
        prop_assert_eq!(case.is_ok(), regex.is_ok(), "{}", source);
        if let (Ok(pattern), Ok(regex)) = (case, regex) {
            prop_assert_eq!(pattern.is_match(line.as_bytes()), regex.is_match(line.as_bytes()), "{}", source);
            let found = regex.find_iter(line.as_bytes()).map(|found| found.range());
            prop_assert_eq!(pattern.find_iter(&line).collect::<Vec<_>>(), found.collect::<Vec<_>>());
        }
    }

    #[test]
    fn a_list_of_matches_is_a_sorted_list(ids in prop::collection::btree_set(0u64..200_000, 0..80), probes in prop::collection::vec(0u64..200_000, 0..20), cut in 0u64..200_000) {
        let mut list = MatchList::default();
        for id in &ids {
            list.push(LineId(*id));
            list.push(LineId(*id));
        }
        for evict in [0, cut] {
            list.evict_before(LineId(evict));
            let want: Vec<_> = ids.iter().copied().filter(|id| *id >= evict).map(LineId).collect();
            prop_assert_eq!(list.iter().collect::<Vec<_>>(), want.clone());
            prop_assert_eq!(list.len(), want.len());
            prop_assert_eq!((list.first(), list.last()), (want.first().copied(), want.last().copied()));
            prop_assert_eq!((0..=want.len()).map_while(|at| list.nth(at)).collect::<Vec<_>>(), want.clone());
            for id in probes.iter().copied().chain(ids.iter().copied()).map(LineId) {
                prop_assert_eq!(list.position(id), want.binary_search(&id));
                prop_assert_eq!(list.next_after(id), want.iter().copied().find(|other| *other > id));
                prop_assert_eq!(list.prev_before(id), want.iter().rev().copied().find(|other| *other < id));
            }
        }
    }
}
