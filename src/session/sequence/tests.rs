use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;
use crate::model::RowHead;
use crate::model::batch::Item;

const SECOND: i64 = 1_000_000;

fn sequences(pattern: &str) -> Sequences {
    Sequences::new(Regex::new(pattern).unwrap())
}

fn plain() -> Sequences {
    sequences(r"seq=(\d+)")
}

fn push(batch: &mut RawBatch, source: Option<&str>, text: &str, recv: i64) {
    let name = source.map(|source| SourceName::new(source.as_bytes()));
    let head = RowHead {
        source: name.as_ref(),
        recv: Micros(recv),
        ..RowHead::default()
    };
    batch.push(text.as_bytes(), &head);
}

/// Numbered lines of one source, all at once.
fn numbered(numbers: impl IntoIterator<Item = u64>) -> RawBatch {
    let mut batch = RawBatch::default();
    for number in numbers {
        push(&mut batch, None, &format!("seq={number} x"), 0);
    }
    batch
}

fn returned(certainty: Certainty) -> Mark {
    Mark::Reconnected {
        away: std::time::Duration::ZERO,
        why: SafeText::default(),
        certainty,
        hidden: 3,
    }
}

/// Lines by their number, gaps by their words and how many are missing, in order.
fn told(batch: &RawBatch) -> Vec<String> {
    let word = |item: Item<'_, _>| match item {
        Item::Line(row, _) => String::from_utf8_lossy(batch.line(row))
            .trim_start_matches("seq=")
            .trim_end_matches(" x")
            .to_owned(),
        Item::Mark(Mark::Gap { why, missing, .. }) => {
            missing.map_or(format!("gap {why}"), |lines| format!("{why}: {lines}"))
        }
        Item::Mark(Mark::Reconnected {
            certainty, hidden, ..
        }) => format!("{certainty:?} {hidden}"),
        Item::Mark(_) => "mark".to_owned(),
    };
    batch.iter().map(word).collect()
}

/// What is told of one batch and of the end behind it.
fn read(sequences: &mut Sequences, mut batch: RawBatch) -> Vec<String> {
    sequences.read(&mut batch);
    told(&batch)
}

fn end(sequences: &mut Sequences) -> Vec<String> {
    let mut batch = RawBatch::default();
    sequences.finish(&mut batch);
    told(&batch)
}

#[test]
fn missing_numbers_are_told_when_enough_others_came() {
    let mut all = plain();
    let told = read(&mut all, numbered((1..=500).chain(601..=700)));
    // The seventeenth early line decides; it stands behind the mark.
    assert_eq!(told[515..518], ["616", "numbers 501 to 600: 100", "617"]);
    assert_eq!(told.len(), 601);
    assert!(end(&mut all).is_empty());
    // At the end too, each hole by itself.
    let told = read(&mut all, numbered([701, 703, 710]));
    assert_eq!(told, ["701", "703", "710"]);
    assert_eq!(end(&mut all), ["number 702: 1", "numbers 704 to 709: 6"]);
    assert!(end(&mut all).is_empty());
}

#[test]
fn time_decides_as_well_and_a_late_line_comes_first() {
    let mut all = plain();
    let mut batch = RawBatch::default();
    for (number, at) in [(1, 0), (3, 0), (4, 2 * SECOND)] {
        push(&mut batch, None, &format!("seq={number} x"), at);
    }
    push(&mut batch, None, "of another kind", 2 * SECOND + 1);
    // Two seconds are not more than two seconds.
    let told = read(&mut all, batch.clone());
    assert_eq!(told, ["1", "3", "4", "number 2: 1", "of another kind"]);
    // Lines that were held come late by themselves: from then on it is waited.
    for (more, told) in [(0, 0), (1, 1)] {
        let mut all = plain();
        batch.clear();
        for (number, at) in [(1, 0), (3, 0), (4, SECOND)] {
            push(&mut batch, None, &format!("seq={number} x"), at);
        }
        read(&mut all, batch.clone());
        batch.clear();
        push(&mut batch, None, "of another kind", 3 * SECOND + more);
        all.read(&mut batch);
        assert_eq!(batch.marks().len(), told);
    }
    // The line itself fills the hole, however late it is.
    batch.clear();
    for (number, at) in [(6, 10), (5, 20), (7, 30)] {
        push(&mut batch, None, &format!("seq={number} x"), at * SECOND);
    }
    assert_eq!(read(&mut all, batch), ["6", "5", "7"]);
    assert!(end(&mut all).is_empty());
}

#[test]
fn a_silent_source_is_given_up_by_the_time_of_another() {
    let mut all = plain();
    let mut batch = RawBatch::default();
    for (source, number, at) in [("a", 1, 0), ("a", 3, 0), ("b", 8, 1), ("b", 9, 3)] {
        let text = format!("seq={number} x");
        push(&mut batch, Some(source), &text, at * SECOND);
    }
    let told = read(&mut all, batch);
    assert_eq!(told, ["1", "3", "8", "a: number 2: 1", "9"]);
}

#[test]
fn late_and_repeated_numbers_are_nothing_and_a_restart_counts_anew() {
    let mut all = plain();
    read(&mut all, numbered(1..=100));
    // Repeated, one by one.
    read(&mut all, numbered([100, 101, 99, 102, 50, 50, 103]));
    assert!(end(&mut all).is_empty());
    // Declared missing, and then late: two in a row are no restart.
    let told = read(&mut all, numbered((106..=122).chain([104, 105, 123])));
    assert_eq!(told[16], "numbers 104 to 105: 2");
    assert!(end(&mut all).is_empty());
    // A restart has no mark; what was waited for is told.
    let told = read(&mut all, numbered([125, 1, 2, 3, 5]));
    assert_eq!(told, ["125", "1", "number 124: 1", "2", "3", "5"]);
    assert_eq!(end(&mut all), ["number 4: 1"]);
    // One that began with swapped lines.
    read(&mut all, numbered((6..=100).chain([4, 5, 1, 2, 3, 6, 7])));
    assert!(end(&mut all).is_empty());
    // So may the first of all.
    let mut all = plain();
    read(&mut all, numbered([12, 10, 11, 13]));
    assert!(end(&mut all).is_empty());
}

#[test]
fn any_number_is_a_number_and_nothing_else_is() {
    let mut all = sequences(r"^\S+");
    let mut batch = RawBatch::default();
    let most = u64::MAX;
    let before = most - 1;
    for text in [
        "18446744073709551616",
        "",
        "-1",
        "+5",
        "0x10",
        "٣",
        "1e3",
        &before.to_string(),
        &most.to_string(),
        &most.to_string(),
        "00",
        "01",
        "3",
        &most.to_string(),
    ] {
        push(&mut batch, None, text, 0);
    }
    read(&mut all, batch);
    let want = format!("numbers 4 to {before}: {}", before - 3);
    assert_eq!(end(&mut all), ["number 2: 1", &want]);
    assert_eq!(decimal(b"18446744073709551615"), Some(u64::MAX));
    // The whole range but its ends.
    let mut all = sequences(r"\d+");
    read(&mut all, numbered([0, u64::MAX]));
    let want = format!("numbers 1 to {before}: {before}");
    assert_eq!(end(&mut all), [want]);
}

#[test]
fn so_many_sources_are_followed_and_no_more() {
    let mut all = plain();
    for number in [1, 3] {
        let mut batch = RawBatch::default();
        for source in 0..SOURCES + 5 {
            let text = format!("seq={number} x");
            push(&mut batch, Some(&format!("s{source}")), &text, 0);
        }
        read(&mut all, batch);
    }
    assert_eq!(end(&mut all).len(), SOURCES);
}

/// A batch with a mark behind `before` lines.
fn marked(mark: &Mark, before: &[(&str, u64)], behind: &[(&str, u64)]) -> RawBatch {
    let mut batch = RawBatch::default();
    let line = |batch: &mut RawBatch, (source, number): &(&str, u64)| {
        push(batch, Some(source), &format!("seq={number} x"), 0);
    };
    for one in before {
        line(&mut batch, one);
    }
    batch.push_mark(mark.clone());
    for one in behind {
        line(&mut batch, one);
    }
    batch
}

/// Numbers before a mark, numbers behind it, what they prove.
type Case = (
    &'static [(&'static str, u64)],
    &'static [(&'static str, u64)],
    Option<Certainty>,
);

#[test]
fn a_return_behind_which_the_numbers_go_on_has_lost_nothing() {
    let cases: &[Case] = &[
        (&[("a", 1)], &[("a", 2), ("a", 3)], Some(Certainty::None)),
        // Swapped lines go on too, also over the mark.
        (
            &[("a", 1), ("a", 3)],
            &[("a", 2), ("a", 5), ("a", 4)],
            Some(Certainty::None),
        ),
        (
            &[("a", 1), ("b", 7)],
            &[("a", 2), ("b", 8)],
            Some(Certainty::None),
        ),
        // One of the sources says nothing, or one is new.
        (&[("a", 1), ("b", 7)], &[("a", 2)], None),
        (&[("a", 1)], &[("a", 2), ("b", 7)], None),
        // Nothing was known, nothing came.
        (&[], &[("a", 2)], None),
        (&[("a", 1)], &[], None),
        // It is not decided yet.
        (&[("a", 1)], &[("a", 3)], None),
        // One that came before is no proof, and neither is a restart.
        (&[("a", 1), ("a", 2)], &[("a", 1)], None),
        (&[("a", 8), ("a", 9)], &[("a", 1), ("a", 2)], None),
    ];
    for (before, behind, proved) in cases {
        for grade in [Certainty::Possible, Certainty::Certain] {
            let mut batch = marked(&returned(grade), before, behind);
            plain().read(&mut batch);
            let (_, mark) = batch.marks().first().unwrap();
            let mut want = returned(proved.unwrap_or(grade));
            if let (Mark::Reconnected { hidden, .. }, Some(_)) = (&mut want, proved) {
                *hidden = 0;
            }
            assert_eq!(mark, &want, "{before:?} {behind:?}");
            assert_eq!(batch.marks().len(), 1);
            // A gap that is none is gone.
            let gap = Mark::gap(grade, "why");
            let mut batch = marked(&gap, before, behind);
            plain().read(&mut batch);
            let left: Vec<&Mark> = batch.marks().iter().map(|(_, mark)| mark).collect();
            let want: &[&Mark] = if proved.is_some() { &[] } else { &[&gap] };
            assert_eq!(left, want, "{before:?} {behind:?}");
        }
    }
}

#[test]
fn a_return_behind_which_numbers_are_missing_has_lost_lines() {
    let mut all = plain();
    let behind: Vec<(&str, u64)> = (5..=30).map(|number| ("a", number)).collect();
    let batch = marked(&returned(Certainty::Possible), &[("a", 1)], &behind);
    let told = read(&mut all, batch);
    assert_eq!(told[..3], ["1", "Certain 3", "5"]);
    assert_eq!(told[18..20], ["a: numbers 2 to 4: 3", "21"]);
}

#[test]
fn marks_without_a_number_between_them_are_one_place_over_batches() {
    let mut all = plain();
    let mut batch = marked(&returned(Certainty::Possible), &[("a", 1)], &[]);
    all.read(&mut batch);
    assert_eq!(told(&batch), ["1", "Possible 3"]);
    let mut batch = RawBatch::default();
    batch.push_mark(returned(Certainty::Possible));
    push(&mut batch, Some("a"), "no number", 0);
    batch.push_mark(Mark::Notice(SafeText::default()));
    batch.push_mark(Mark::gap(Certainty::Possible, "why"));
    push(&mut batch, Some("a"), "seq=2 x", 0);
    // A place of its own: another source is not known there.
    batch.push_mark(returned(Certainty::Possible));
    push(&mut batch, Some("a"), "seq=3 x", 0);
    all.read(&mut batch);
    assert_eq!(
        told(&batch),
        ["None 0", "no number", "mark", "2", "None 0", "3"]
    );
}

/// What happens to one line of a generated stream.
#[derive(Clone, Debug)]
struct Line {
    source: usize,
    number: u64,
}

/// A source's stream: the lines that arrive, in order, and the numbers that are missing.
fn stream(
    source: usize,
    lives: &[(u64, Vec<(bool, u8)>)],
    lost: &mut BTreeSet<(usize, usize, u64)>,
) -> Vec<Line> {
    let mut lines = Vec::new();
    for (life, (first, fates)) in lives.iter().enumerate() {
        let mut here: Vec<(usize, u64)> = Vec::new();
        for (at, (dropped, shift)) in fates.iter().enumerate() {
            // Its first two lines are whole: from there it is counted.
            if at < 2 || !dropped {
                let shift = if at < 2 { 0 } else { usize::from(*shift) };
                here.push((at + shift, first + at as u64));
            }
        }
        here.sort_by_key(|(place, _)| *place);
        let most = here.iter().map(|(_, number)| *number).max().unwrap_or(0);
        let came: BTreeSet<u64> = here.iter().map(|(_, number)| *number).collect();
        // What is dropped behind the last line that came, nobody can know.
        let gone = (*first..most).filter(|number| !came.contains(number));
        lost.extend(gone.map(|number| (source, life, number)));
        lines.extend(here.iter().map(|(_, number)| Line {
            source,
            number: *number,
        }));
    }
    lines
}

/// The numbers that a batch's marks tell of, by source.
fn missing(batch: &RawBatch, into: &mut Vec<(usize, u64)>) {
    for (_, mark) in batch.marks() {
        let Mark::Gap {
            why,
            missing: Some(lines),
            certainty: Certainty::Certain,
            hidden: 0,
        } = mark
        else {
            continue;
        };
        let (name, words) = why.as_str().split_once(": ").unwrap();
        let source: usize = name.trim_start_matches('s').parse().unwrap();
        let numbers: Vec<u64> = words
            .split(' ')
            .filter_map(|word| word.parse().ok())
            .collect();
        let (from, to) = (numbers[0], numbers[numbers.len() - 1]);
        assert_eq!(to - from + 1, *lines);
        into.extend((from..=to).map(|number| (source, number)));
    }
}

/// Lives of one source's application, each of which begins with the same number.
fn lives(drop: f64) -> impl Strategy<Value = Vec<(u64, Vec<(bool, u8)>)>> {
    let fate = (prop::bool::weighted(drop), 0..=7_u8);
    let life = prop::collection::vec(fate, 40..200);
    let first = prop_oneof![Just(0_u64), Just(1), 2..1000_u64, Just(u64::MAX - 199)];
    (first, prop::collection::vec(life, 1..4))
        .prop_map(|(first, lives)| lives.into_iter().map(|life| (first, life)).collect())
}

proptest! {
    /// Against the slow oracle: of what is dropped from streams of one to three sources whose
    /// lines come swapped and whose applications are started again, exactly that is told.
    #[test]
    fn what_is_told_is_what_was_dropped(
        sources in prop_oneof![
            prop::collection::vec(lives(0.0), 1..4),
            prop::collection::vec(lives(0.05), 1..4),
            prop::collection::vec(lives(0.4), 1..4),
        ],
        turns in prop::collection::vec((0..3_usize, 1..40_usize), 1..60),
        cuts in prop::collection::vec(1..60_usize, 1..20),
    ) {
        let mut lost = BTreeSet::new();
        let mut streams: Vec<_> = sources
            .iter()
            .enumerate()
            .map(|(source, lives)| stream(source, lives, &mut lost).into_iter())
            .collect();
        let mut all = Vec::new();
        for (source, lines) in turns {
            let source = source % streams.len();
            all.extend(streams[source].by_ref().take(lines));
        }
        all.extend(streams.iter_mut().flatten());
        let (mut sequences, mut told, mut time) = (plain(), Vec::new(), 0);
        let mut rest = all.as_slice();
        for cut in cuts.iter().cycle() {
            let (now, later) = rest.split_at(rest.len().min(*cut));
            rest = later;
            let mut batch = RawBatch::default();
            for line in now {
                time += 1000;
                let text = format!("seq={} x", line.number);
                push(&mut batch, Some(&format!("s{}", line.source)), &text, time);
            }
            sequences.read(&mut batch);
            missing(&batch, &mut told);
            if rest.is_empty() {
                break;
            }
        }
        let mut batch = RawBatch::default();
        sequences.finish(&mut batch);
        missing(&batch, &mut told);
        told.sort_unstable();
        let mut want: Vec<(usize, u64)> = lost.iter().map(|(source, _, number)| (*source, *number)).collect();
        want.sort_unstable();
        prop_assert_eq!(told, want);
    }

    /// A mark is proved to be none only where nothing is missing behind it, and certain only
    /// where something is.
    #[test]
    fn no_mark_is_proved_to_be_what_it_is_not(
        lives in lives(0.02),
        at in 2..40_usize,
        lines in 1..60_usize,
    ) {
        let mut lost = BTreeSet::new();
        let lines_of_first = stream(0, &lives[..1], &mut lost);
        let mut sequences = plain();
        let (before, behind) = lines_of_first.split_at(lines_of_first.len().min(at));
        let behind = &behind[..behind.len().min(lines)];
        let plain_lines = |lines: &[Line]| -> Vec<(&str, u64)> {
            lines.iter().map(|line| ("s0", line.number)).collect()
        };
        let (before, behind) = (plain_lines(before), plain_lines(behind));
        let mut batch = marked(&returned(Certainty::Possible), &before, &behind);
        sequences.read(&mut batch);
        let mark = batch.marks().iter().find_map(|(_, mark)| match mark {
            Mark::Reconnected { certainty, .. } => Some(*certainty),
            _ => None,
        });
        let most = before.iter().chain(&behind).map(|(_, number)| *number).max().unwrap();
        let gone = lost.iter().filter(|(_, _, number)| *number < most).count();
        match mark.unwrap() {
            // Before the mark something may be missing: that was told there.
            Certainty::None => {
                let first = before.iter().map(|(_, number)| *number).max().unwrap();
                let late = lost.iter().filter(|(_, _, n)| *n > first && *n < most).count();
                prop_assert_eq!(late, 0);
            }
            Certainty::Certain => prop_assert!(gone > 0),
            Certainty::Possible => {}
        }
    }
}
