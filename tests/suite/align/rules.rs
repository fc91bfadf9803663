//! Single rules of the alignment, each by the lines that tell.

#![expect(clippy::unwrap_used, reason = "test helper")]

use std::borrow::Cow;
use std::collections::BTreeSet;

use deckwatch::codec::docker_log::Line;
use deckwatch::model::{Certainty, Micros};
use deckwatch::session::align::{Aligner, Settled, Verdict};

use super::HISTORY;

fn numbered(number: usize) -> Line<'static> {
    saying(format!("line {number}"))
}

fn saying(text: impl Into<String>) -> Line<'static> {
    Line {
        container: None,
        body: Cow::Owned(text.into().into_bytes()),
    }
}

/// A new aligner that has read this history.
fn read(history: std::ops::Range<usize>) -> Aligner {
    let mut aligner = Aligner::new(1);
    aligner.opened();
    for number in history {
        aligner.line(&numbered(number), true, Micros(0));
    }
    aligner.settle();
    aligner
}

/// What becomes of live lines: `true` for those that are given out.
fn live(aligner: &mut Aligner, numbers: impl Iterator<Item = usize>) -> Vec<bool> {
    numbers
        .map(|number| aligner.line(&numbered(number), false, Micros(0)) == Verdict::Give)
        .collect()
}

/// One connection's history, which is lost before its end or settled.
fn window(aligner: &mut Aligner, history: std::ops::Range<usize>, cut: bool) -> Settled {
    aligner.opened();
    for number in history {
        aligner.line(&numbered(number), true, Micros(0));
    }
    if cut {
        aligner.lost();
        return Settled::default();
    }
    aligner.settle()
}

/// What is between two connections, as the marks say it: of what was lost with a history that
/// ended early, was slow, or had many live lines within, nobody can say that it was nothing.
#[test]
fn a_replay_that_may_have_lost_lines_is_not_called_whole() {
    // How many lines of history there were at first, and come now, how many live lines before the last, and how long it takes.
    let again = |first: usize, history: usize, amid: usize, micros: i64| {
        let mut aligner = read(HISTORY - first..HISTORY);
        aligner.lost();
        aligner.opened();
        for number in 500..500 + history - 1 {
            aligner.line(&numbered(number), true, Micros(7));
        }
        for number in 0..amid {
            aligner.line(&numbered(5000 + number), false, Micros(8));
        }
        aligner.line(&numbered(499 + history), true, Micros(7 + micros));
        let settled = aligner.settle();
        assert_eq!(settled.lines.len(), amid + history - 500);
        settled.certainty
    };
    let grade = |history, amid, micros| again(HISTORY, history, amid, micros);
    assert_eq!(grade(HISTORY, 79, 1_000_000), Certainty::None);
    assert_eq!(grade(HISTORY, 80, 0), Certainty::Possible);
    assert_eq!(grade(HISTORY, 0, 1_000_001), Certainty::Possible);
    assert_eq!(grade(HISTORY - 1, 0, 0), Certainty::Possible);
    assert_eq!(again(HISTORY - 1, HISTORY - 1, 0, 0), Certainty::None);
}

/// A history that ends by its number closes its window at once: the live twins of its last 16
/// lines may be under way, among the next 16 live ones.
#[test]
fn twins_of_a_full_historys_end_are_known_for_sixteen_lines() {
    let mut aligner = read(0..HISTORY);
    assert_eq!(live(&mut aligner, [984, 999].into_iter()), [false, false]);
    assert_eq!(live(&mut aligner, [983].into_iter()), [true], "one too old");
    assert_eq!(live(&mut aligner, 5000..5012), [true; 12]);
    assert_eq!(
        live(&mut aligner, [998, 997].into_iter()),
        [false, true],
        "the 17th"
    );
    // Of a history that ends by quiet none is.
    let mut aligner = read(0..HISTORY - 1);
    assert_eq!(live(&mut aligner, [998].into_iter()), [true]);
}

/// A twin that may as well be another line is counted, and told by the next mark.
#[test]
fn a_repeated_line_that_passes_for_a_twin_is_told_as_hidden() {
    // The last line of the overlap is a repeated one: that may be another one as well.
    for (repeated, hidden) in [(999, 2), (998, 1)] {
        let mut aligner = Aligner::new(1);
        aligner.opened();
        for number in 0..HISTORY {
            let number = if number == 100 { 999 } else { number };
            aligner.line(&numbered(number), true, Micros(0));
        }
        aligner.settle();
        assert_eq!(live(&mut aligner, [repeated].into_iter()), [false]);
        aligner.lost();
        aligner.opened();
        for number in 500..HISTORY + 500 {
            aligner.line(&numbered(number), true, Micros(0));
        }
        let settled = aligner.settle();
        assert_eq!((settled.lines.len(), settled.hidden), (500, hidden));
    }
}

/// A server that pauses within its history goes on with it behind the window.
#[test]
fn a_history_that_goes_on_behind_its_window_brings_only_what_is_new() {
    let mut aligner = read(0..500);
    aligner.lost();
    aligner.opened();
    for number in 100..300 {
        aligner.line(&numbered(number), true, Micros(0));
    }
    aligner.line(&numbered(900), false, Micros(0));
    let settled = aligner.settle();
    assert_eq!(settled.lines.len(), 1, "the live one");
    let mut late = |number| aligner.line(&numbered(number), true, Micros(0));
    assert_eq!(
        late(300),
        Verdict::Seen,
        "given out on the first connection"
    );
    assert_eq!(late(300), Verdict::Give, "a second time is another line");
    assert_eq!(late(499), Verdict::Seen);
    assert_eq!(late(500), Verdict::Give);
    assert_eq!(late(900), Verdict::Seen, "it came live");
    assert_eq!(late(901), Verdict::Give);
    // It is part of what was seen.
    aligner.lost();
    aligner.opened();
    for number in 400..600 {
        aligner.line(&numbered(number), true, Micros(0));
    }
    let given: Vec<_> = aligner
        .settle()
        .lines
        .into_iter()
        .map(|held| held.body)
        .collect();
    let want: Vec<_> = (501..600)
        .map(|number| numbered(number).body.into_owned())
        .collect();
    assert_eq!(given, want);
}

/// A server that can't get rid of its history for five seconds ends it.
#[test]
fn a_history_that_ended_early_is_not_all_that_was_seen() {
    let mut aligner = read(0..500);
    for (history, new) in [(100..300, 0), (120..250, 0), (300..600, 100), (320..601, 1)] {
        aligner.lost();
        aligner.opened();
        for number in history.clone() {
            aligner.line(&numbered(number), true, Micros(0));
        }
        assert_eq!(aligner.settle().lines.len(), new, "{history:?}");
    }
}

/// A line that comes seconds after a full history is no twin of its end, whatever it says; what
/// may have been one is told once no more can come.
#[test]
fn a_line_that_comes_later_is_no_twin_of_a_historys_end() {
    let tick = saying("tick");
    let mut aligner = Aligner::new(1);
    aligner.opened();
    for _ in 0..HISTORY {
        aligner.line(&tick, true, Micros(0));
    }
    assert_eq!(aligner.settle().hidden, 0);
    let mut live = |micros| {
        (
            aligner.line(&tick, false, Micros(micros)),
            aligner.take_hidden(),
        )
    };
    assert_eq!(live(400_000), (Verdict::Seen, 0));
    assert_eq!(live(1_500_000), (Verdict::Seen, 0));
    assert_eq!(live(1_500_001), (Verdict::Give, 2));
    assert_eq!(live(1_600_000), (Verdict::Give, 0));
    // At the end it is told at once.
    let mut aligner = Aligner::new(1);
    aligner.opened();
    for _ in 0..HISTORY {
        aligner.line(&tick, true, Micros(0));
    }
    aligner.settle();
    assert_eq!(aligner.line(&tick, false, Micros(0)), Verdict::Seen);
    assert_eq!(aligner.take_hidden(), 0, "another twin may come");
    assert_eq!(aligner.settle_now(true).hidden, 1);
}

/// A longer history that lacks what the replay has is of another file, or an old copy.
#[test]
fn a_stored_history_never_takes_the_place_of_lines_that_it_lacks() {
    let fill = |stored: Vec<usize>| {
        let mut aligner = read(0..10);
        aligner.lost();
        aligner.opened();
        for number in 3000..4000 {
            aligner.line(&numbered(number), true, Micros(0));
        }
        let stored: Vec<_> = stored.into_iter().map(numbered).collect();
        let filled = aligner.fill(&stored, Micros(0));
        let settled = aligner.settle();
        let last = settled.lines.last().unwrap();
        assert_eq!(String::from_utf8_lossy(&last.body), "line 3999");
        (filled, settled.lines.len(), settled.certainty)
    };
    assert_eq!(fill((0..4000).collect()), (true, 3990, Certainty::None));
    let refused = (false, 1000, Certainty::Certain);
    assert_eq!(fill((0..1500).collect()), refused);
    assert_eq!(fill((0..3500).collect()), refused);
    assert_eq!(
        fill((0..10).chain(10_000..12_500).chain(3900..4000).collect()),
        refused
    );
    // It ends ten lines early: those are the window's own.
    assert_eq!(fill((0..3990).collect()), (true, 3990, Certainty::None));
}

/// Lines that are often repeated are no overlap: a longer history may find the one there is.
#[test]
fn a_longer_history_is_wanted_where_only_repeated_lines_meet() {
    let line = |number: usize| match number % 2 {
        0 => numbered(1_000_000),
        _ => numbered(number),
    };
    let mut aligner = Aligner::new(1);
    aligner.opened();
    for number in 0..900 {
        aligner.line(&line(number), true, Micros(0));
    }
    aligner.settle();
    aligner.lost();
    aligner.opened();
    for number in 2000..3000 {
        aligner.line(&line(number), true, Micros(0));
    }
    assert!(aligner.lacks());
    assert!(aligner.fill(&(0..3000).map(line).collect::<Vec<_>>(), Micros(0)));
    let settled = aligner.settle();
    assert_eq!(
        (settled.lines.len(), settled.certainty),
        (2100, Certainty::None)
    );
}

/// A longer history was read later than the window's: what it has more is still to come live.
#[test]
fn live_twins_of_a_longer_history_are_known_as_far_as_it_is_newer() {
    for between in [20, 21] {
        let mut aligner = read(0..500);
        aligner.lost();
        aligner.opened();
        for number in 1000..2000 {
            aligner.line(&numbered(number), true, Micros(0));
        }
        assert!(aligner.lacks());
        let all = |range: std::ops::Range<usize>| range.map(numbered).collect::<Vec<_>>();
        assert!(
            !aligner.fill(&all(501..2005), Micros(0)),
            "it does not reach back"
        );
        assert!(aligner.fill(&all(499..2005), Micros(0)));
        assert!(!aligner.lacks());
        let settled = aligner.settle();
        assert_eq!(
            (settled.lines.len(), settled.certainty),
            (1505, Certainty::None)
        );
        // Five lines more, and the sixteen of any full history.
        assert_eq!(
            live(&mut aligner, 5000..5000 + between),
            vec![true; between]
        );
        let last = live(&mut aligner, [2004].into_iter());
        assert_eq!(last, [between == 21]);
    }
}

/// Nothing lacks where the history is not full, reaches back, or nothing was seen.
#[test]
fn a_longer_history_is_wanted_only_where_one_may_help() {
    let lacks = |seen: usize, again: std::ops::Range<usize>| {
        let mut aligner = read(0..seen);
        assert!(!aligner.lacks() && !aligner.fill(&[numbered(0)], Micros(0)));
        aligner.lost();
        aligner.opened();
        for number in again {
            aligner.line(&numbered(number), true, Micros(0));
        }
        aligner.lacks()
    };
    assert!(lacks(500, 1000..2000));
    assert!(!lacks(500, 1000..1999), "all there is");
    assert!(!lacks(500, 499..1499));
    assert!(!lacks(0, 1000..2000));
}

/// What is known of the lines before a window, if the one before it was cut off.
#[test]
fn the_grade_behind_a_window_that_was_cut_off_is_what_both_can_know() {
    let grade = |seen: usize, cut: std::ops::Range<usize>, then: std::ops::Range<usize>| {
        let mut aligner = read(0..seen);
        aligner.lost();
        let news: BTreeSet<usize> = cut.clone().chain(then.clone()).collect();
        let news = news.into_iter().filter(|number| *number >= seen).count();
        window(&mut aligner, cut, true);
        let settled = window(&mut aligner, then, false);
        assert_eq!(settled.lines.len(), news);
        (settled.certainty, settled.hidden)
    };
    // The cut one leads from what was seen to the next one.
    assert_eq!(grade(1000, 500..1400, 1200..2200), (Certainty::None, 0));
    // It had not come to new lines, or had nothing of what was seen: nobody knows what is between.
    assert_eq!(
        grade(1000, 1500..1600, 1550..2550),
        (Certainty::Possible, 0)
    );
    // A history that is not full holds all there is.
    assert_eq!(grade(500, 2000..2100, 2000..2700), (Certainty::None, 0));
    // Nothing of either is in the next one.
    assert_eq!(grade(1000, 500..600, 3000..4000).0, Certainty::Certain);
}

#[test]
fn a_return_without_a_history_may_have_lost_lines() {
    // None came, though the server marks what it replays.
    let mut aligner = read(0..500);
    aligner.lost();
    aligner.opened();
    assert_eq!(
        live(&mut aligner, [5000].into_iter()),
        [false],
        "it is held"
    );
    let settled = aligner.settle();
    assert_eq!(
        (settled.certainty, settled.lines.len()),
        (Certainty::Possible, 1)
    );
    // A server that does not mark it: what came may be a history, or not.
    let mut aligner = Aligner::new(1);
    aligner.opened();
    live(&mut aligner, 0..500);
    aligner.settle();
    aligner.lost();
    aligner.opened();
    live(&mut aligner, 2000..2500);
    let settled = aligner.settle();
    assert_eq!(
        (settled.certainty, settled.lines.len()),
        (Certainty::Possible, 500)
    );
}

/// A full history ends with the newest line: what it does not have by then does not come again.
#[test]
fn a_line_that_the_file_never_had_is_new_when_it_comes_later() {
    let mut aligner = read(0..HISTORY);
    live(&mut aligner, [5000].into_iter());
    aligner.lost();
    assert_eq!(window(&mut aligner, 500..1500, false).lines.len(), 500);
    aligner.lost();
    aligner.opened();
    for number in (1001..2000).chain([5000]) {
        aligner.line(&numbered(number), true, Micros(0));
    }
    assert_eq!(aligner.settle().lines.len(), 501);
}

/// Lines that repeat one that was seen are new ones where the server marks what it replays.
#[test]
fn a_server_that_marks_its_history_has_no_other() {
    let line = saying("again");
    for shaped in [false, true] {
        let mut aligner = Aligner::new(1);
        aligner.opened();
        aligner.line(&line, shaped, Micros(0));
        aligner.settle();
        aligner.lost();
        aligner.opened();
        aligner.line(&line, false, Micros(0));
        let settled = aligner.settle();
        assert_eq!(settled.lines.len(), usize::from(shaped));
    }
}

/// What a window has left out is told by the next mark, if the window itself had no end.
#[test]
fn lines_hidden_in_a_first_window_that_was_cut_off_are_told_later() {
    let line = saying("again");
    let mut aligner = Aligner::new(1);
    aligner.opened();
    assert_eq!(aligner.line(&line, true, Micros(0)), Verdict::Give);
    // Its twin, or another one.
    assert_eq!(aligner.line(&line, false, Micros(0)), Verdict::Seen);
    aligner.lost();
    aligner.opened();
    aligner.line(&line, true, Micros(0));
    assert_eq!(aligner.settle().hidden, 1);
}

#[test]
fn a_live_line_in_a_replay_is_given_out_once() {
    let edges = |place: &usize| *place < 20 || *place > HISTORY - 20 || place.is_multiple_of(29);
    live_in_replay(&(0..=HISTORY).filter(edges).collect::<Vec<_>>());
}

#[test]
#[ignore = "each of the 1001 places: a minute and more"]
fn long_a_live_line_at_each_place_of_a_replay_is_given_out_once() {
    live_in_replay(&(0..=HISTORY).collect::<Vec<_>>());
}

/// A replay into which one live line comes, at these places: its twin is the history's last
/// line, or it is not in the history.
fn live_in_replay(places: &[usize]) {
    let line = |number: usize| Line {
        container: None,
        body: Cow::Owned(format!("line {number}").into_bytes()),
    };
    let read = |aligner: &mut Aligner, given: &mut Vec<String>, number: usize, replay: bool| {
        if aligner.line(&line(number), replay, Micros(0)) == Verdict::Give {
            given.push(format!("line {number}"));
        }
    };
    for again in [false, true] {
        for twin in [false, true] {
            for &place in places {
                let mut aligner = Aligner::new(1);
                let mut given = Vec::new();
                if again {
                    aligner.opened();
                    for number in 0..500 {
                        read(&mut aligner, &mut given, number, true);
                    }
                    aligner.settle();
                    aligner.lost();
                }
                aligner.opened();
                let live = if twin { HISTORY - 1 } else { HISTORY };
                for at in 0..=HISTORY {
                    let mut came = Vec::new();
                    if at == place {
                        came.push((live, false));
                    }
                    if at < HISTORY {
                        came.push((at, true));
                    }
                    for (number, replay) in came {
                        read(&mut aligner, &mut given, number, replay);
                    }
                }
                let settled = aligner.settle();
                assert_eq!((settled.certainty, settled.hidden), (Certainty::None, 0));
                let held = settled.lines.into_iter();
                given.extend(held.map(|held| String::from_utf8(held.body).unwrap()));
                let mut once = given.clone();
                once.sort_unstable();
                once.dedup();
                assert_eq!(
                    (given.len(), once.len()),
                    (live.max(HISTORY - 1) + 1, given.len())
                );
            }
        }
    }
}

#[test]
fn four_mebibytes_are_held_and_no_more() {
    let mut aligner = Aligner::new(1);
    let line = |number: usize| Line {
        container: None,
        body: Cow::Owned(format!("{number:0>9000}").into_bytes()),
    };
    let (mut given, mut full) = (0, 0);
    let mut read = |aligner: &mut Aligner, number: usize, replay: bool| match aligner.line(
        &line(number),
        replay,
        Micros(0),
    ) {
        Verdict::Give => given += 1,
        Verdict::Full => {
            full += 1;
            let settled = aligner.settle_now(false);
            assert_eq!(settled.certainty, Certainty::Possible);
            given += settled.lines.len();
        }
        Verdict::Seen | Verdict::Kept => {}
    };
    aligner.opened();
    for number in 0..900 {
        read(&mut aligner, number, true);
    }
    aligner.settle();
    aligner.lost();
    aligner.opened();
    for number in 100..1100 {
        read(&mut aligner, number, true);
        if number % 10 == 0 {
            read(&mut aligner, 2000 + number, false);
        }
    }
    let settled = aligner.settle();
    assert!(settled.lines.is_empty());
    // And a history that is later still is known as well.
    for number in 500..1100 {
        assert_eq!(aligner.line(&line(number), false, Micros(0)), Verdict::Give);
        if number == 600 {
            break;
        }
    }
    assert_eq!((given, full), (1100 + 100, 1));
}

/// A window that has no end, since a server closes a channel again and again, is left: what is
/// remembered of its lines does not grow for ever, and a history that comes after all is known.
#[test]
fn a_join_window_remembers_no_more_than_a_bounded_number_of_lines() {
    let mut aligner = Aligner::new(1);
    aligner.opened();
    assert!(live(&mut aligner, 0..100_000).iter().all(|given| *given));
    let held = format!("{aligner:?}").len();
    assert!(
        live(&mut aligner, 100_000..200_000)
            .iter()
            .all(|given| *given)
    );
    assert!(format!("{aligner:?}").len() < held + (16 << 10));
    let verdict = aligner.line(&numbered(7), true, Micros(0));
    assert_eq!(verdict, Verdict::Seen);
}
