//! Where a pane looks, against slow oracles: whatever is switched, the line under the cursor
//! stays; whatever is scrolled, every line is passed; whatever comes, the account is exact.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "test helpers"
)]

use std::time::Instant;

use deckwatch::app::Now;
use deckwatch::app::msg::ScanFor;
use deckwatch::app::pane::pieces::Pieces;
use deckwatch::app::pane::viewport::{ScreenRow, Size};
use deckwatch::app::pane::{Pane, Search};
use deckwatch::codec::level;
use deckwatch::model::{Level, LineBatch, Mark, Micros, PaneId, RawBatch, RowHead, TargetId};
use deckwatch::store::{Case, Layer, LayerKind, LineId, LogStore, Pattern, Row};
use proptest::prelude::*;

use super::store::accepts_row;

/// What may happen to a pane.
#[derive(Clone, Debug)]
enum Step {
    Lines(Vec<u8>),
    Mark(u64),
    Layer(u8, bool),
    Fold,
    Level(u8),
    /// Only these rows: the first, and how many.
    Between(Option<(u64, u64)>),
    Wrap,
    Pretty,
    Walk(i64),
    Scroll(i64),
    Top,
    Follow,
    Hold,
    Pause,
    Look(u64),
    Evict,
    Size(usize, usize),
}

fn text(kind: u8) -> String {
    match kind % 8 {
        0 => "INFO a".into(),
        1 => "ERROR b ".repeat(1 + usize::from(kind) / 8),
        2 => "订单 c 已支付 ".repeat(usize::from(kind) / 16),
        3 => "{\"level\":\"warn\",\"a\":[1,2]}".into(),
        4 => "WARN bc".into(),
        5 => String::new(),
        6 => "\u{1b}[31mDEBUG ab\u{1b}[0m c".into(),
        _ => "plain".into(),
    }
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => prop::collection::vec(any::<u8>(), 0..12).prop_map(Step::Lines),
        1 => (0u64..5).prop_map(Step::Mark),
        3 => (0u8..3, any::<bool>()).prop_map(|(at, hide)| Step::Layer(at, hide)),
        2 => Just(Step::Fold),
        2 => (0u8..5).prop_map(Step::Level),
        2 => prop::option::of((0u64..60, 0u64..40)).prop_map(Step::Between),
        1 => Just(Step::Wrap),
        1 => Just(Step::Pretty),
        3 => (-9i64..9).prop_map(Step::Walk),
        3 => (-30i64..30).prop_map(Step::Scroll),
        1 => Just(Step::Top),
        1 => Just(Step::Follow),
        2 => Just(Step::Hold),
        1 => Just(Step::Pause),
        2 => (0u64..80).prop_map(Step::Look),
        1 => Just(Step::Evict),
        2 => (0usize..20, 0usize..9).prop_map(|(cols, rows)| Step::Size(cols, rows)),
    ]
}

struct Bench {
    pane: Pane,
    size: Size,
    fed: u64,
    start: Instant,
}

impl Bench {
    fn new() -> Self {
        let mut pane = Pane::new(PaneId(0), vec![TargetId(0)]);
        pane.store = LogStore::with_segment_bytes(120);
        Self {
            pane,
            size: Size { cols: 12, rows: 6 },
            fed: 0,
            start: Instant::now(),
        }
    }

    fn refilter(&mut self) {
        for (scan, job) in self.pane.refilter() {
            for (first, rows) in job.results() {
                self.pane.scanned(scan, job.generation, first, rows);
            }
        }
    }

    fn search(&mut self, pattern: &str) {
        let (scan, job) = self
            .pane
            .search(Pattern::regex(pattern, Case::Smart).unwrap());
        assert_eq!(scan, ScanFor::Search);
        for (first, rows) in job.results() {
            self.pane.scanned(scan, job.generation, first, rows);
        }
    }

    fn feed(&mut self, raw: &RawBatch) {
        let batch = LineBatch::refine(raw, level::detect);
        let now = Now {
            mono: self.start,
            wall: Micros(0),
        };
        self.pane.on_lines(TargetId(0), &batch, now);
    }

    /// Carries a step out. True if the view may move by it.
    fn step(&mut self, step: &Step) -> bool {
        let (pane, size) = (&mut self.pane, self.size);
        match step {
            Step::Lines(kinds) => {
                let mut raw = RawBatch::default();
                for kind in kinds {
                    raw.push(text(*kind).as_bytes(), &RowHead::default());
                }
                self.fed += kinds.len() as u64;
                self.feed(&raw);
                return self.pane.view.follow;
            }
            Step::Mark(lines) => {
                let mut raw = RawBatch::default();
                raw.push_mark(Mark::Dropped { lines: *lines });
                self.fed += lines;
                self.feed(&raw);
                return self.pane.view.follow;
            }
            Step::Layer(..) | Step::Fold | Step::Level(_) | Step::Between(_) => {
                self.filter(step);
                self.refilter();
                return false;
            }
            Step::Wrap => pane.view.wrap = !pane.view.wrap,
            Step::Pretty => pane.view.pretty = !pane.view.pretty,
            Step::Walk(lines) => pane.walk(*lines, size),
            Step::Scroll(rows) => pane.scroll(*rows, size),
            Step::Top => pane.top(size),
            Step::Follow => pane.follow(),
            Step::Hold => {
                let before = pane.screen(size);
                pane.hold(size);
                assert_eq!(pane.screen(size), before, "holding moves nothing");
            }
            Step::Pause => {
                let paused = pane.view.paused.is_some();
                pane.view.paused = (!paused).then(|| pane.store.end());
            }
            Step::Look(id) => {
                if let Some(id) = pane.nearest(LineId(*id)) {
                    pane.look_at(id, size);
                    let seen = pane.screen(size).iter().any(|row| row.line == id);
                    assert!(seen || size.rows == 0, "what we look at is seen");
                }
            }
            Step::Evict => {
                pane.evict();
            }
            Step::Size(cols, rows) => {
                self.size = Size {
                    cols: *cols,
                    rows: *rows,
                };
            }
        }
        true
    }

    /// What a step does to the filter.
    fn filter(&mut self, step: &Step) {
        let pane = &mut self.pane;
        match step {
            Step::Layer(at, hide) => {
                let kind = if *hide {
                    LayerKind::Exclude
                } else {
                    LayerKind::Include
                };
                let pattern =
                    Pattern::regex(["a", "b", "c"][usize::from(*at)], Case::Smart).unwrap();
                let on = true;
                pane.add_layer(Layer { kind, pattern, on });
            }
            Step::Fold => pane.unfolded = !pane.unfolded,
            Step::Level(level) => pane.filter.min_level = Level::ALL[usize::from(*level)],
            Step::Between(rows) => {
                pane.filter.rows =
                    rows.map(|(first, count)| (LineId(first), LineId(first + count)));
            }
            _ => {}
        }
    }

    /// The rows that a slow reader of the store would show.
    fn shown(&self) -> Vec<LineId> {
        let filter = self.pane.effective();
        let store = &self.pane.store;
        let limit = self.pane.view.paused.unwrap_or(LineId(u64::MAX));
        store
            .rows(store.first()..store.end())
            .filter(|row| row.id() < limit && accepts_row(&filter, row))
            .map(|row| row.id())
            .collect()
    }

    /// The screen as it would be if all shown lines were laid under one another.
    fn oracle(&self) -> Vec<ScreenRow> {
        let view = &self.pane.view;
        let rows = i64::try_from(self.size.rows).unwrap();
        let mut tape = Vec::new();
        for line in self.shown() {
            let row = self.pane.store.get(line).unwrap();
            let pieces = Pieces::of(&row, view.pretty).rows(self.size.cols, view.wrap);
            for (index, piece) in pieces.into_iter().enumerate() {
                tape.push((line, piece, index == 0));
            }
        }
        let length = i64::try_from(tape.len()).unwrap();
        let offset = if view.follow {
            (rows - length).min(0)
        } else {
            let Some(cursor) = self.pane.cursor() else {
                return Vec::new();
            };
            let at = tape.iter().position(|(line, ..)| *line == cursor).unwrap();
            let height = tape.iter().filter(|(line, ..)| *line == cursor).count();
            let row = view
                .row
                .min(rows - 1)
                .max(1 - i64::try_from(height).unwrap());
            row - i64::try_from(at).unwrap()
        };
        let mut screen = Vec::new();
        for (index, (line, piece, first)) in (0i64..).zip(tape) {
            let at = index + offset;
            if (0..rows).contains(&at) {
                screen.push(ScreenRow {
                    at: usize::try_from(at).unwrap(),
                    line,
                    piece,
                    first,
                });
            }
        }
        screen
    }

    fn row_of(&self, line: LineId) -> Option<usize> {
        let screen = self.pane.screen(self.size);
        screen.iter().find(|row| row.line == line).map(|row| row.at)
    }
}

proptest! {
    #[test]
    fn the_screen_equals_a_slow_oracle_and_the_cursor_stays(steps in prop::collection::vec(step(), 1..40)) {
        let mut bench = Bench::new();
        for step in &steps {
            let before = (!bench.pane.view.follow)
                .then(|| bench.pane.cursor())
                .flatten()
                .map(|line| (line, bench.row_of(line)));
            let moves = bench.step(step);
            prop_assert_eq!(bench.pane.screen(bench.size), bench.oracle(), "{:?}", step);
            if let Some((line, row)) = before.filter(|_| !moves)
                && bench.shown().contains(&line)
                && bench.pane.cursor() == Some(line)
            {
                prop_assert_eq!(bench.row_of(line), row, "{:?}", step);
            }
            let pane = &bench.pane;
            let all = pane.shown_count() + pane.hidden_count() + pane.dropped + pane.store.evicted();
            prop_assert_eq!(all, bench.fed);
            prop_assert_eq!(all, pane.received);
            let filter = pane.effective();
            let lines = pane.store.rows(pane.store.first()..pane.store.end());
            let shown = lines.filter(|row| accepts_row(&filter, row)).filter_map(Row::line).count();
            prop_assert_eq!(pane.shown_count(), shown as u64);
        }
    }

    #[test]
    fn a_line_that_is_hidden_and_shown_again_is_where_it_was(
        kinds in prop::collection::vec(any::<u8>(), 1..60),
        up in 0i64..50,
        toggles in prop::collection::vec((0u8..3, any::<bool>()), 1..6),
        wrap in any::<bool>(),
    ) {
        let mut bench = Bench::new();
        bench.pane.view.wrap = wrap;
        bench.step(&Step::Lines(kinds));
        bench.step(&Step::Walk(-up));
        let screen = bench.pane.screen(bench.size);
        for (at, hide) in &toggles {
            bench.step(&Step::Layer(*at, *hide));
        }
        for (at, hide) in toggles.iter().rev() {
            bench.step(&Step::Layer(*at, *hide));
        }
        if bench.pane.filter.layers.is_empty() {
            prop_assert_eq!(bench.pane.screen(bench.size), screen);
        }
    }

    #[test]
    fn scrolling_passes_every_shown_line_in_order(
        kinds in prop::collection::vec(any::<u8>(), 1..60),
        cols in 1usize..20,
        rows in 1usize..9,
        (wrap, pretty, hide) in any::<(bool, bool, bool)>(),
        by in 0usize..4,
    ) {
        let mut bench = Bench::new();
        bench.size = Size { cols, rows };
        (bench.pane.view.wrap, bench.pane.view.pretty) = (wrap, pretty);
        bench.step(&Step::Lines(kinds));
        if hide {
            bench.step(&Step::Layer(0, true));
        }
        let shown = bench.shown();
        let page = i64::try_from(rows).unwrap();
        let steps = [1, 1, page, (page / 2).max(1)];
        for forward in [true, false] {
            if forward {
                bench.pane.top(bench.size);
            } else {
                bench.pane.follow();
                bench.pane.hold(bench.size);
            }
            let sign = if forward { 1 } else { -1 };
            let mut seen: Vec<(LineId, usize, usize)> = Vec::new();
            let mut cursors: Vec<LineId> = Vec::new();
            // A bound on what a defect could loop: no case has as many rows.
            for _ in 0..50_000 {
                let screen = bench.pane.screen(bench.size);
                seen.extend(screen.iter().map(|row| (row.line, row.piece.text, row.piece.bytes.start)));
                cursors.extend(bench.pane.cursor());
                let before = (bench.pane.cursor(), bench.pane.view.row);
                match by {
                    0 => bench.pane.walk(sign, bench.size),
                    _ => bench.pane.scroll(sign * steps[by], bench.size),
                }
                if before == (bench.pane.cursor(), bench.pane.view.row) {
                    break;
                }
            }
            let want: Vec<(LineId, usize, usize)> = {
                bench.size.rows = 100_000;
                bench.pane.top(bench.size);
                let all = bench.pane.screen(bench.size);
                bench.size.rows = rows;
                all.iter().map(|row| (row.line, row.piece.text, row.piece.bytes.start)).collect()
            };
            seen.sort_unstable();
            seen.dedup();
            prop_assert_eq!(seen.len(), want.len(), "every row is seen");
            prop_assert!(seen == want, "every row is seen");
            if !forward {
                cursors.reverse();
            }
            prop_assert!(cursors.is_sorted(), "in order");
            if by == 0 {
                cursors.dedup();
                prop_assert_eq!(&cursors, &shown, "every line has had the cursor");
            }
        }
    }

    #[test]
    fn a_search_finds_exactly_the_lines_that_match(steps in prop::collection::vec(step(), 1..20)) {
        let mut bench = Bench::new();
        bench.search("b");
        for step in &steps {
            bench.step(step);
        }
        let store = &bench.pane.store;
        let filter = bench.pane.effective();
        let want: Vec<LineId> = store
            .rows(store.first()..store.end())
            .filter_map(Row::line)
            .filter(|line| filter.accepts(line) && line.as_str().to_lowercase().contains('b'))
            .map(|line| line.id())
            .collect();
        let Some(Search { hits, .. }) = &bench.pane.search else {
            return Err(TestCaseError::fail("no search"));
        };
        prop_assert_eq!(hits.list().iter().collect::<Vec<_>>(), want.clone());
        // What n and N walk over.
        let mut walked = Vec::new();
        let mut at = hits.list().first();
        while let Some(id) = at {
            walked.push(id);
            at = hits.list().next_after(id);
        }
        prop_assert_eq!(walked, want);
    }
}

#[test]
fn every_small_size_has_a_screen_inside_it() {
    for cols in 0..20 {
        for rows in 0..7 {
            let mut bench = Bench::new();
            bench.size = Size { cols, rows };
            bench.step(&Step::Lines((0..40).collect()));
            for step in [
                Step::Scroll(-7),
                Step::Walk(-3),
                Step::Wrap,
                Step::Scroll(3),
                Step::Pretty,
                Step::Walk(9),
                Step::Look(3),
                Step::Evict,
                Step::Top,
                Step::Scroll(1000),
                Step::Scroll(-1000),
                Step::Follow,
            ] {
                bench.step(&step);
                assert_eq!(bench.pane.screen(bench.size), bench.oracle(), "{step:?}");
                assert!(
                    bench
                        .pane
                        .screen(bench.size)
                        .iter()
                        .all(|row| row.at < rows)
                );
            }
        }
    }
}
