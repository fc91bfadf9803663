//! Row 23 and 24 of docs/reliability.md in the whole interface: whatever comes, is filtered and
//! ages out, every line is accounted for in its pane, and the memory stays within its budget.

use deckwatch::model::{Mark, Micros, RawBatch, RowHead};
use deckwatch::store::LineId;
use deckwatch::store::volume::LEVELS;
use proptest::prelude::*;

use super::screens::Stage;

const BUDGET: usize = 4 << 20;
const PANES: u16 = 3;

#[derive(Clone, Debug)]
enum Event {
    /// Lines of this many bytes for a target: how many of them.
    Lines(u16, usize, usize),
    /// The source dropped lines.
    Drops(u16, u64),
    /// A layer of a filter, put or taken away.
    Filters(usize),
    Keys(usize),
    Passes(u64),
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        6 => (0..PANES, 0..3000_usize, 0..400_usize)
            .prop_map(|(target, bytes, count)| Event::Lines(target, bytes, count)),
        1 => (0..PANES, 0..500_u64).prop_map(|(target, lines)| Event::Drops(target, lines)),
        2 => (0..4_usize).prop_map(Event::Filters),
        2 => (0..9_usize).prop_map(Event::Keys),
        1 => (1..5000_u64).prop_map(Event::Passes),
    ]
}

/// What each pane was fed.
fn take_place(stage: &mut Stage, event: &Event, fed: &mut [u64; PANES as usize]) {
    let mut count = |target: &u16, lines: u64| {
        if let Some(fed) = fed.get_mut(usize::from(*target)) {
            *fed += lines;
        }
    };
    match event {
        Event::Lines(target, bytes, lines) => {
            let mut raw = RawBatch::default();
            for number in 0..*lines {
                let text = format!("{number} {}", "x".repeat(*bytes));
                raw.push(text.as_bytes(), &RowHead::default());
            }
            count(target, *lines as u64);
            stage.batch(*target, &raw);
        }
        Event::Drops(target, lines) => {
            count(target, *lines);
            stage.mark(*target, Mark::Dropped { lines: *lines });
        }
        Event::Filters(at) => {
            let texts = ["1", "7 x", "^3", "absent"];
            stage.enter("&", texts.get(*at).copied().unwrap_or("1"));
        }
        Event::Keys(at) => {
            let keys = [
                "x",
                "g",
                "G",
                "ctrl-w w",
                "k",
                "/ 5 enter",
                "n",
                "space",
                "ctrl-w s",
            ];
            stage.keys(keys.get(*at).copied().unwrap_or("x"));
        }
        Event::Passes(millis) => stage.pass(*millis),
    }
}

/// Its halves share what came before, so that nothing has to go for it.
#[test]
fn row_24_a_pane_that_is_split_costs_no_lines() {
    let mut stage = Stage::with(100, 30, 1, false, BUDGET);
    let mut fed = [0; PANES as usize];
    let lines = |count| Event::Lines(0, 1000, count);
    take_place(&mut stage, &lines(2500), &mut fed);
    let before = stage.app.held();
    assert!((BUDGET / 2..BUDGET).contains(&before), "{before}");
    stage.keys("ctrl-w s");
    take_place(&mut stage, &lines(1), &mut fed);
    for pane in stage.app.panes.values() {
        assert_eq!((pane.store.evicted(), pane.store.lines()), (0, 2501));
    }
    // What comes for both counts for both.
    take_place(&mut stage, &lines(2500), &mut fed);
    assert!(stage.app.held() <= BUDGET);
    assert!(
        stage
            .app
            .panes
            .values()
            .all(|pane| pane.store.evicted() > 0)
    );
}

/// Counts of lines that came over hours take memory too.
#[test]
fn row_24_hours_of_counts_are_part_of_the_memory() {
    let mut stage = Stage::with(100, 30, 1, false, 64 << 20);
    let before = stage.app.held();
    let mut raw = RawBatch::default();
    for second in [0, 7200] {
        let head = RowHead {
            stamp: Some(Micros(second * 1_000_000)),
            ..RowHead::default()
        };
        raw.push(b"a line", &head);
    }
    stage.batch(0, &raw);
    let (held, counts) = (stage.app.held(), 7200 * size_of::<[u64; LEVELS]>());
    assert!(held >= before + counts, "{held}");
}

/// What a line says of a time to come is no time: neither its own nor of those that follow.
#[test]
fn a_line_from_the_future_moves_no_time() {
    let mut stage = Stage::with(100, 30, 1, false, 64 << 20);
    let mut raw = RawBatch::default();
    let day = 86_400_000_000;
    let recv = Micros(1_800_000_000_000_000);
    for stamp in [0, 3 * day, -100_000_000] {
        let head = RowHead {
            recv,
            stamp: Some(Micros(recv.0 + stamp)),
            ..RowHead::default()
        };
        raw.push(b"stamped", &head);
    }
    let head = RowHead {
        recv,
        ..RowHead::default()
    };
    raw.push(b"9999-12-31T23:59:59Z odd", &head);
    stage.batch(0, &raw);
    let pane = stage.app.panes.values().next().unwrap();
    let times: Vec<_> = (0..4).map(|row| pane.time_of(LineId(row))).collect();
    let past = Micros(recv.0 - 100_000_000);
    assert_eq!(times, [Some(recv), Some(recv), Some(past), Some(recv)]);
    let (start, end) = pane.times.volume.span().unwrap();
    assert!(start <= past && end.0 <= recv.0 + 20_000_000);
    assert_eq!(pane.line_at(Micros(recv.0 + day)), None);
}

/// Lines of the `round`th batch of a pane.
type Kind = fn(i64) -> RawBatch;

fn lines(round: i64, text: &[u8], stamped: bool) -> RawBatch {
    let mut raw = RawBatch::default();
    for second in round * 20..round * 20 + 20 {
        let head = RowHead {
            stamp: stamped.then_some(Micros(second * 1_000_000)),
            ..RowHead::default()
        };
        raw.push(text, &head);
    }
    raw
}

/// However little memory there is, lines do not all go when a piece of it is full: neither
/// where their counts by second, or what is known of each, are more than their text, nor
/// behind one that was longer than all memory.
#[test]
fn row_24_a_pane_always_has_its_newest_lines() {
    let plain: Kind = |round| lines(round, &[b'x'; 500], false);
    let over_hours: Kind = |round| lines(round, &[b'x'; 500], true);
    let empty: Kind = |round| lines(round, b"", true);
    let behind_a_long_one: Kind = |round| {
        let mut raw = lines(round, &[b'x'; 500], false);
        if round == 0 {
            raw.push(&vec![b'x'; 3 << 19], &RowHead::default());
        }
        raw
    };
    let kinds = [plain, over_hours, empty, behind_a_long_one];
    for (kind, batch) in kinds.into_iter().enumerate() {
        for (budget, panes) in [(1 << 20, 1), (2 << 20, 8), (4 << 20, 40)] {
            let mut stage = Stage::with(100, 30, usize::from(panes), false, budget);
            for round in 0..450 {
                let raw = batch(round);
                (0..panes).for_each(|target| stage.batch(target, &raw));
                if round < 2 {
                    continue;
                }
                let held = stage.app.held();
                assert!(held <= budget, "{held} in {panes}, kind {kind}, {round}");
                let lines = stage.app.panes.values().map(|pane| pane.store.lines());
                let least = lines.min().unwrap_or(0);
                assert!(least >= 30, "{least} in {panes}, kind {kind}, {round}");
            }
        }
    }
}

/// Lines that show nothing are held as they came, and take memory by that.
#[test]
fn row_24_lines_that_show_nothing_are_part_of_the_memory() {
    let budget = 1 << 20;
    let mut stage = Stage::with(100, 30, 1, false, budget);
    let colours = b"\x1b[31m".repeat(2000);
    for round in 0..200 {
        stage.batch(0, &lines(round, &colours, false));
        let held = stage.app.held();
        assert!(held <= budget, "{held} in {round}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn row_23_every_line_is_shown_filtered_dropped_or_aged_out(events in prop::collection::vec(event(), 1..60)) {
        let mut stage = Stage::with(100, 30, usize::from(PANES), false, BUDGET);
        let mut fed = [0; PANES as usize];
        for event in &events {
            take_place(&mut stage, event, &mut fed);
            let held = stage.app.held();
            let mut sealed = 0;
            for pane in stage.app.panes.values() {
                let sums = (pane.shown_count() + pane.hidden_count())
                    + pane.dropped
                    + pane.store.evicted();
                let of = pane.targets.first().map_or(0, |target| usize::from(target.0));
                prop_assert_eq!(Some(&sums), fed.get(of), "{:?}", event);
                prop_assert_eq!(pane.received, sums);
                sealed += pane.store.sealed().count();
            }
            // It is looked at when lines come; a filter's list may stand above it until then.
            let came = matches!(event, Event::Lines(..));
            prop_assert!(held <= BUDGET || sealed == 0 || !came, "{} bytes, {} segments", held, sealed);
            prop_assert!(held <= BUDGET + stage.app.panes.len() * (2 << 20));
        }
    }
}
