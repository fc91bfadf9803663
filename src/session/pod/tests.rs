use bytes::Bytes;
use proptest::prelude::*;

use super::*;
use crate::model::batch::Item;

fn now() -> Now {
    Now {
        mono: Instant::now(),
        wall: Micros(0),
    }
}

/// A line of the stream: second, nanosecond, text.
fn event(line: &(u8, u8, String)) -> Event {
    let (second, nano, text) = line;
    let data = format!("2026-11-24T10:00:{second:02}.{nano:09}Z {text}");
    Event {
        data: Bytes::from(data),
        ..Event::default()
    }
}

/// Lines and gaps of a batch.
fn told(batch: &RawBatch) -> (Vec<String>, usize) {
    let (mut lines, mut gaps) = (Vec::new(), 0);
    for item in batch.iter() {
        match item {
            Item::Line(row, _) => {
                lines.push(String::from_utf8_lossy(batch.line(row)).into_owned());
            }
            Item::Mark(Mark::Gap { .. }) => gaps += 1,
            Item::Mark(_) => {}
        }
    }
    (lines, gaps)
}

fn lines(list: &[(u8, u8, &str)]) -> Vec<(u8, u8, String)> {
    list.iter()
        .map(|(s, n, text)| (*s, *n, (*text).to_owned()))
        .collect()
}

#[test]
fn a_new_connections_history_is_not_shown_twice() {
    let mut log = PodLog::new("web", "web-1");
    let mut batch = RawBatch::default();
    log.opened(now(), None, 100);
    let first = lines(&[(1, 0, "a"), (2, 0, "same"), (2, 0, "same"), (2, 0, "b")]);
    for line in &first {
        log.event(now(), &event(line), &mut batch);
    }
    log.opened(now(), None, 100);
    let again = lines(&[
        (2, 0, "b"),
        (2, 0, "same"),
        (2, 0, "same"),
        (2, 0, "same"),
        (3, 0, "c"),
    ]);
    for line in &again {
        log.event(now(), &event(line), &mut batch);
    }
    let (shown, gaps) = told(&batch);
    assert_eq!(shown, ["a", "same", "same", "b", "same", "c"]);
    assert_eq!(gaps, 0);
}

#[test]
fn a_history_that_does_not_reach_back_is_a_gap_once() {
    let mut log = PodLog::new("web", "web-1");
    let mut batch = RawBatch::default();
    log.opened(now(), None, 100);
    log.event(now(), &event(&(1, 0, "a".into())), &mut batch);
    log.opened(now(), None, 100);
    for line in lines(&[(5, 0, "x"), (6, 0, "y")]) {
        log.event(now(), &event(&line), &mut batch);
    }
    assert_eq!(told(&batch), (vec!["a".into(), "x".into(), "y".into()], 1));
}

/// A connection's lines, `seconds` after the test began.
fn connect(log: &mut PodLog, start: Now, seconds: u64, said: &[&str]) -> (Vec<String>, usize) {
    let wall: Timestamp = "2026-11-24T11:00:00Z".parse().unwrap();
    let now = Now {
        mono: start.mono + Duration::from_secs(seconds),
        wall: Micros(wall.as_microsecond()),
    };
    let mut batch = RawBatch::default();
    log.opened(now, None, 100);
    go_on(log, now, said, &mut batch);
    told(&batch)
}

fn go_on(log: &mut PodLog, now: Now, said: &[&str], batch: &mut RawBatch) {
    for data in said {
        let event = Event {
            data: Bytes::copy_from_slice(data.as_bytes()),
            ..Event::default()
        };
        log.event(now, &event, batch);
    }
}

#[test]
fn lines_of_one_moment_take_bounded_memory_and_what_is_hidden_is_told() {
    let mut log = PodLog::new("web", "web-1");
    let line = |n: usize| format!("2026-11-24T10:00:00Z line {n}");
    let all: Vec<String> = (0..5000).map(line).collect();
    let all: Vec<&str> = all.iter().map(String::as_str).collect();
    let (shown, gaps) = connect(&mut log, now(), 0, &all);
    assert_eq!((shown.len(), gaps), (5000, 0));
    let last = log
        .containers
        .values()
        .next()
        .and_then(|seen| seen.last.as_ref());
    assert_eq!(last.map(|moment| moment.lines.len()), Some(MOMENT));
    assert_eq!(connect(&mut log, now(), 1, &all[4900..]), (vec![], 1));
    let next = [all[4999], "2026-11-24T10:00:01Z next"];
    assert_eq!(connect(&mut log, now(), 2, &next), (vec!["next".into()], 1));
}

#[test]
fn lines_of_a_clock_that_was_set_back_are_not_hidden_for_ever_and_never_in_silence() {
    let (mut log, start) = (PodLog::new("web", "web-1"), now());
    let ahead = ["9999-01-01T00:00:00Z odd", "2026-11-24T10:00:00Z a"];
    let (shown, gaps) = connect(&mut log, start, 0, &ahead);
    assert_eq!((shown.len(), gaps), (2, 0));
    let (shown, gaps) = connect(&mut log, start, 5, &["2026-11-24T10:00:01Z b"]);
    assert_eq!((shown.len(), gaps), (0, 1));
    let (shown, _) = later(&mut log, start, 70, &["2026-11-24T10:01:00Z c"]);
    assert_eq!(shown, ["c"]);
    let again = ["2026-11-24T10:01:00Z c", "2026-11-24T10:02:00Z d"];
    assert_eq!(connect(&mut log, start, 80, &again), (vec!["d".into()], 0));
    // What is ahead comes again, and is told to.
    let odd = [
        "2026-11-24T10:02:00Z d",
        "9999-01-01T00:00:00Z odd",
        "2026-11-24T10:03:00Z e",
    ];
    let (shown, gaps) = connect(&mut log, start, 90, &odd);
    assert_eq!((shown, gaps), (vec!["odd".into(), "e".into()], 1));
}

/// Lines of a connection that stands, `seconds` after the test began.
fn later(log: &mut PodLog, start: Now, seconds: u64, said: &[&str]) -> (Vec<String>, usize) {
    let now = Now {
        mono: start.mono + Duration::from_secs(seconds),
        wall: Micros(0),
    };
    let mut batch = RawBatch::default();
    log.check(now);
    go_on(log, now, said, &mut batch);
    told(&batch)
}

#[test]
fn a_history_that_comes_late_or_stalls_is_not_shown_twice() {
    let (mut log, start) = (PodLog::new("web", "web-1"), now());
    let all = [1, 2, 3, 4, 5, 6].map(|n| format!("2026-11-24T10:00:0{n}Z {n}"));
    let all = all.each_ref().map(String::as_str);
    connect(&mut log, start, 0, &all[..5]);
    connect(&mut log, start, 10, &[]);
    for (seconds, line) in [(30, 0), (31, 1), (60, 2), (200, 3), (201, 4)] {
        let again = later(&mut log, start, seconds, &all[line..=line]);
        assert_eq!(again, (vec![], 0), "{line}");
    }
    let next = later(&mut log, start, 202, &all[5..]);
    assert_eq!(next, (vec!["6".into()], 0));
    // What takes far longer may come again, and that is told.
    connect(&mut log, start, 300, &all[..2]);
    let again = later(&mut log, start, 601, &all[2..4]);
    assert_eq!(again, (vec!["3".into(), "4".into()], 1));
}

#[test]
fn lines_of_a_clock_that_was_set_back_meanwhile_are_new() {
    let (mut log, start) = (PodLog::new("web", "web-1"), now());
    let before = ["2026-11-24T09:59:50Z a", "2026-11-24T10:00:00Z b"];
    connect(&mut log, start, 0, &before);
    let again = [
        &before[..],
        &["2026-11-24T09:50:01Z c", "2026-11-24T09:50:02Z d"],
    ]
    .concat();
    let (shown, gaps) = connect(&mut log, start, 10, &again);
    assert_eq!((shown, gaps), (vec!["c".into(), "d".into()], 1));
    let next = later(&mut log, start, 20, &["2026-11-24T09:50:20Z e"]);
    assert_eq!(next, (vec!["e".into()], 0));
    // By less as well, and behind streams of one container that race.
    let (mut log, start) = (PodLog::new("web", "web-1"), now());
    let race = [&before[..], &["2026-11-24T09:59:59Z c"]].concat();
    connect(&mut log, start, 0, &race);
    assert_eq!(connect(&mut log, start, 3, &race), (vec![], 0));
    let again = [
        &race[..],
        &["2026-11-24T09:59:55Z d", "2026-11-24T10:00:01Z e"],
    ]
    .concat();
    let told = connect(&mut log, start, 5, &again);
    assert_eq!(told, (vec!["d".into(), "e".into()], 0));
    assert_eq!(connect(&mut log, start, 6, &again), (vec![], 0));
}

#[test]
fn more_containers_than_are_told_apart_lose_no_line() {
    let mut log = PodLog::new("web", "web-1");
    let line = |n: usize| format!("[c{n}] 2026-11-24T10:00:00Z line {n}");
    let all: Vec<String> = (0..CONTAINERS + 2).map(line).collect();
    let mut all: Vec<&str> = all.iter().map(String::as_str).collect();
    let long = format!("[{}] 2026-11-24T10:00:00Z long", "x".repeat(NAME + 1));
    all.push(&long);
    let (shown, gaps) = connect(&mut log, now(), 0, &all);
    assert_eq!((shown.len(), gaps), (CONTAINERS + 3, 0));
    assert_eq!(log.containers.len(), CONTAINERS);
    let (shown, gaps) = connect(&mut log, now(), 1, &all);
    assert_eq!((shown.len(), gaps), (3, 1));
}

#[test]
fn lines_without_a_time_are_told_to_come_again() {
    let mut log = PodLog::new("web", "web-1");
    assert_eq!(connect(&mut log, now(), 0, &["a", "b"]).1, 0);
    let (shown, gaps) = connect(&mut log, now(), 1, &["a", "b", "c"]);
    assert_eq!((shown.len(), gaps), (3, 1));
}

#[test]
fn the_rest_of_a_long_line_is_a_gap_behind_it() {
    let (mut log, mut batch) = (PodLog::new("web", "web-1"), RawBatch::default());
    log.opened(now(), None, 100);
    let long = Event {
        cut: true,
        ..event(&(1, 0, "long".into()))
    };
    log.event(now(), &long, &mut batch);
    log.event(now(), &event(&(2, 0, "next".into())), &mut batch);
    assert_eq!(told(&batch), (vec!["long".into(), "next".into()], 1));
    assert!(
        batch
            .rows()
            .iter()
            .all(|row| row.flags == RowFlags::default())
    );
    assert_eq!(batch.marks().first().map(|(before, _)| *before), Some(1));
}

proptest! {
    /// Against the slow oracle: whatever is written, wherever the stream is cut, and however
    /// far the history reaches back, each line is shown once and in order, as long as the
    /// history overlaps.
    #[test]
    fn every_line_is_shown_once(
        steps in proptest::collection::vec((0..2u8, 0..3u8), 1..60),
        cuts in proptest::collection::vec(0..60usize, 0..5),
        back in 1..20usize,
    ) {
        let (mut second, mut written) = (0u8, Vec::new());
        for (step, text) in steps {
            second = second.saturating_add(step).min(59);
            written.push((second, 0, format!("line {text}")));
        }
        let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(written.len())).collect();
        cuts.sort_unstable();
        cuts.push(written.len());
        let mut log = PodLog::new("web", "web-1");
        let mut batch = RawBatch::default();
        let mut at: usize = 0;
        for cut in cuts {
            log.opened(now(), None, back);
            // The history begins before what has the same stamp as the last line seen.
            let mut from = at.saturating_sub(back);
            while from > 0 && at > 0 && written[from].0 >= written[at - 1].0 {
                from -= 1;
            }
            for line in &written[from..cut.max(at)] {
                log.event(now(), &event(line), &mut batch);
            }
            at = cut.max(at);
        }
        let want: Vec<String> = written.iter().map(|(_, _, text)| text.clone()).collect();
        prop_assert_eq!(told(&batch), (want, 0));
    }
}
