//! A pod's log over all its connections. Each line carries the time at which the container wrote
//! it, so that a new connection's history is aligned exactly: nothing is shown twice, and where
//! the history does not reach back to what was seen, that is marked (reliability.md 2.5). Where
//! times are missing, the same or run backwards, that is marked as well.

use std::collections::hash_map::RandomState;
use std::collections::{BTreeMap, HashMap};
use std::hash::BuildHasher;
use std::time::{Duration, Instant};

use jiff::Timestamp;

use crate::codec::pod_log;
use crate::codec::sse::Event;
use crate::model::{Certainty, Mark, Micros, RawBatch, RowFlags, RowHead, SourceName};
use crate::say;

use super::port::Now;
use super::replay::ReplayWindow;

/// Containers of one pod that are told apart; more are a hostile server's.
const CONTAINERS: usize = 64;

/// Bytes of a container's name; Kubernetes allows 63.
const NAME: usize = 256;

/// Different lines that are remembered of one moment.
const MOMENT: usize = 1024;

/// A clock that goes back by so much was set; by less, two streams of a container race.
const BACK: Duration = Duration::from_secs(10);

/// A history that says nothing known for so long is over…
const QUIET: Duration = Duration::from_secs(10);
/// …and after so long it is in any case.
const LONGEST: Duration = Duration::from_secs(60);

/// One pod's log.
#[derive(Debug)]
pub struct PodLog {
    component: String,
    pod: String,
    /// The pod as a source.
    name: SourceName,
    containers: BTreeMap<Vec<u8>, Seen>,
    replay: Option<ReplayWindow>,
    connection: Option<Connection>,
    connections: u32,
    /// Makes the fingerprints of lines.
    prints: RandomState,
}

/// The connection that stands.
#[derive(Debug)]
struct Connection {
    /// The server's time when it was opened, as well as it is known.
    opened: Micros,
    /// How many lines of history were asked for.
    asked: usize,
    since: Instant,
    /// When it last brought a line that was seen before.
    repeated: Instant,
    /// What is older than what was seen is not part of its history any more.
    over: bool,
    /// It was told that lines can't be told apart.
    doubted: bool,
}

/// What was seen of one container.
#[derive(Debug)]
struct Seen {
    name: SourceName,
    /// The newest stamp, and the lines that bear it.
    last: Option<Moment>,
    /// How often each of those lines was not repeated yet by this connection's history. `None`
    /// once this connection is past them.
    expected: Option<HashMap<u64, u32>>,
    /// This connection's history reached back to what was seen.
    met: bool,
    /// Its clock was set back behind the newest stamp.
    back: bool,
}

/// Lines of one stamp by their fingerprints, and how often each came.
#[derive(Debug)]
struct Moment {
    stamp: Timestamp,
    lines: HashMap<u64, u32>,
    /// There are more different ones than are remembered.
    more: bool,
}

impl PodLog {
    /// The log of `pod`, which belongs to a component of this name.
    pub fn new(component: &str, pod: &str) -> Self {
        Self {
            component: component.to_owned(),
            pod: pod.to_owned(),
            name: SourceName::within(component.as_bytes(), pod.as_bytes()),
            containers: BTreeMap::new(),
            replay: None,
            connection: None,
            connections: 0,
            prints: RandomState::new(),
        }
    }

    /// The pod's name as a source.
    pub fn name(&self) -> SourceName {
        self.name.clone()
    }

    /// A connection stands whose history has `asked` lines at most; `server` is the server's
    /// own time, where it told it.
    pub fn opened(&mut self, now: Now, server: Option<Micros>, asked: usize) {
        self.connections += 1;
        self.connection = Some(Connection {
            opened: server.unwrap_or(now.wall),
            asked,
            since: now.mono,
            repeated: now.mono,
            over: false,
            doubted: false,
        });
        self.replay = Some(ReplayWindow::new(now.mono, 1));
        for seen in self.containers.values_mut() {
            seen.expected = seen.last.as_ref().map(|moment| moment.lines.clone());
            seen.met = false;
        }
    }

    /// Whether this connection's history is over.
    pub fn is_live(&self) -> bool {
        self.replay.is_none()
    }

    /// When [`PodLog::check`] wants to be asked.
    pub fn deadline(&self) -> Option<Instant> {
        self.replay.as_ref().map(ReplayWindow::deadline)
    }

    /// Finds out whether the history is over.
    pub fn check(&mut self, now: Now) {
        if self
            .replay
            .as_ref()
            .is_some_and(|window| window.is_over(now.mono))
        {
            self.replay = None;
        }
    }

    /// A line came.
    pub fn event(&mut self, now: Now, event: &Event, batch: &mut RawBatch) {
        let line = pod_log::decode(&event.data);
        let again = self.connections > 1;
        self.outlive(now);
        let key = line.container.unwrap_or(b"");
        let is_known = self.containers.contains_key(key);
        if !is_known && self.containers.len() < CONTAINERS && key.len() <= NAME {
            let name = self.source(key);
            self.containers.insert(key.to_vec(), Seen::new(name));
        }
        let Some(connection) = &mut self.connection else {
            return;
        };
        let is_old = |stamp: Timestamp| stamp.as_microsecond() <= connection.opened.0;
        let history = self.replay.is_some() && line.stamp.is_none_or(is_old);
        if history && let Some(window) = &mut self.replay {
            window.line(now.mono);
        }
        let mut name = &self.name;
        let mut verdict = Verdict::Unsure;
        if let Some(seen) = self.containers.get_mut(key) {
            if let Some(stamp) = line.stamp {
                verdict = seen.accept(stamp, self.prints.hash_one(line.text));
            }
            name = &seen.name;
        }
        let pod = &self.pod;
        match verdict {
            Verdict::Seen => connection.repeated = now.mono,
            Verdict::Beyond if again => {
                let asked = connection.asked;
                let why = say!(
                    "{pod}: its history does not reach back to the last line that was seen; it was restarted, or wrote more than {asked} lines meanwhile",
                    "{pod}：历史没有接上最后看到的行；它可能重启过，或期间写了超过 {asked} 行"
                );
                batch.push_mark(Mark::gap(Certainty::Possible, &why));
            }
            Verdict::Unsure | Verdict::Hidden
                if again && history && !std::mem::replace(&mut connection.doubted, true) =>
            {
                let why = say!(
                    "{pod}: times of its lines are missing, the same, or run backwards: lines may be missing, or come again",
                    "{pod}：其日志行的时间缺失、相同或倒退：可能有行缺失或重复"
                );
                batch.push_mark(Mark::gap(Certainty::Possible, &why));
            }
            Verdict::New | Verdict::Beyond | Verdict::Unsure | Verdict::Hidden => {}
        }
        if matches!(verdict, Verdict::Seen | Verdict::Hidden) {
            return;
        }
        let mut flags = RowFlags::default();
        // What a new connection brings of the time before it was not seen: it is no repetition.
        if history && !again {
            flags = flags.with(RowFlags::REPLAY);
        }
        let head = RowHead {
            source: Some(name),
            flags,
            recv: now.wall,
            stamp: line.stamp.map(|stamp| Micros(stamp.as_microsecond())),
            ..RowHead::default()
        };
        batch.push(line.text, &head);
        if event.cut {
            let why = say!(
                "{pod}: the rest of a line over 4 MiB is left out",
                "{pod}：超过 4 MiB 的行，其余部分已略去"
            );
            batch.push_mark(Mark::gap(Certainty::Certain, &why));
        }
        self.check(now);
    }

    /// What is older than what was seen is part of a history for a while, and not for ever.
    fn outlive(&mut self, now: Now) {
        let Some(connection) = self.connection.as_mut().filter(|one| !one.over) else {
            return;
        };
        let past = |since| now.mono.saturating_duration_since(since);
        connection.over = past(connection.repeated) >= QUIET || past(connection.since) >= LONGEST;
        if !connection.over {
            return;
        }
        for seen in self.containers.values_mut() {
            if seen.expected.take().is_some() && std::mem::take(&mut seen.back) {
                seen.last = None;
            }
        }
    }

    fn source(&self, container: &[u8]) -> SourceName {
        if container.is_empty() {
            return self.name();
        }
        let mut name = self.pod.clone().into_bytes();
        name.push(b'/');
        name.extend_from_slice(container);
        SourceName::within(self.component.as_bytes(), &name)
    }
}

/// What a line is to what was seen.
#[derive(PartialEq, Eq, Debug)]
enum Verdict {
    Seen,
    New,
    /// New, and the first one of a connection whose history begins behind what was seen.
    Beyond,
    /// Taken for seen: it may be new.
    Hidden,
    /// Taken for new: it may have been seen.
    Unsure,
}

impl Seen {
    fn new(name: SourceName) -> Self {
        Self {
            name,
            last: None,
            expected: None,
            met: true,
            back: false,
        }
    }

    fn accept(&mut self, stamp: Timestamp, print: u64) -> Verdict {
        if let (Some(expected), Some(last)) = (&mut self.expected, &self.last) {
            if stamp <= last.stamp {
                self.met = true;
            }
            if stamp < last.stamp {
                return if self.back {
                    Verdict::Hidden
                } else {
                    Verdict::Seen
                };
            }
            if stamp == last.stamp {
                if let Some(count) = expected.get_mut(&print).filter(|count| **count > 0) {
                    *count -= 1;
                    return Verdict::Seen;
                }
                if last.more {
                    return Verdict::Hidden;
                }
            } else {
                self.expected = None;
            }
        }
        let beyond = !std::mem::replace(&mut self.met, true);
        let mut verdict = Verdict::New;
        match &mut self.last {
            Some(last) if last.stamp == stamp => last.add(print),
            // A clock that goes back inside a container is not the newest moment.
            Some(last) if last.stamp > stamp => {
                self.back |= last.stamp.duration_since(stamp).unsigned_abs() >= BACK;
                if self.back {
                    verdict = Verdict::Unsure;
                }
            }
            Some(_) | None => {
                self.last = Some(Moment::new(stamp, print));
                self.back = false;
            }
        }
        if beyond { Verdict::Beyond } else { verdict }
    }
}

impl Moment {
    fn new(stamp: Timestamp, print: u64) -> Self {
        Self {
            stamp,
            lines: HashMap::from([(print, 1)]),
            more: false,
        }
    }

    fn add(&mut self, print: u64) {
        if self.lines.len() >= MOMENT && !self.lines.contains_key(&print) {
            self.more = true;
            return;
        }
        let count = self.lines.entry(print).or_default();
        *count = count.saturating_add(1);
    }
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "a test's own clock")]
mod tests {
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
        let later = Now {
            mono: start.mono + Duration::from_secs(70),
            wall: Micros(0),
        };
        let mut batch = RawBatch::default();
        go_on(&mut log, later, &["2026-11-24T10:01:00Z c"], &mut batch);
        assert_eq!(told(&batch).0, ["c"]);
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
}
