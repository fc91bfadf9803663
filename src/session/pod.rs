//! A pod's log over all its connections. Each line carries the time at which the container wrote
//! it, so that a new connection's history is aligned exactly: nothing is shown twice, and where
//! the history does not reach back to what was seen, that is marked (reliability.md 2.5).

use std::collections::BTreeMap;
use std::time::Instant;

use jiff::Timestamp;

use crate::codec::pod_log::{self, PodLine};
use crate::codec::sse::Event;
use crate::model::{Certainty, Mark, Micros, RawBatch, RowFlags, RowHead, SourceName};
use crate::say;

use super::port::Now;
use super::replay::ReplayWindow;

/// Containers of one pod that are told apart; more are a hostile server's.
const CONTAINERS: usize = 64;

/// One pod's log.
#[derive(Debug)]
pub struct PodLog {
    component: String,
    pod: String,
    containers: BTreeMap<Vec<u8>, Seen>,
    replay: Option<ReplayWindow>,
    /// The server's time when this connection was opened, as well as it is known.
    opened: Micros,
    connections: u32,
    /// How many lines of history were asked for.
    asked: usize,
}

/// What was seen of one container.
#[derive(Debug)]
struct Seen {
    name: SourceName,
    /// The newest stamp, and the lines that bear it.
    last: Option<(Timestamp, Vec<Vec<u8>>)>,
    /// Of those lines, the ones that this connection's history has not repeated yet. `None` once
    /// this connection is past them.
    expected: Option<Vec<Vec<u8>>>,
    /// This connection's history reached back to what was seen.
    met: bool,
}

impl PodLog {
    /// The log of `pod`, which belongs to a component of this name.
    pub fn new(component: &str, pod: &str) -> Self {
        Self {
            component: component.to_owned(),
            pod: pod.to_owned(),
            containers: BTreeMap::new(),
            replay: None,
            opened: Micros::default(),
            connections: 0,
            asked: 0,
        }
    }

    /// The pod's name as a source.
    pub fn name(&self) -> SourceName {
        SourceName::within(self.component.as_bytes(), self.pod.as_bytes())
    }

    /// A connection stands whose history has `asked` lines at most; `server` is the server's
    /// own time, where it told it.
    pub fn opened(&mut self, now: Now, server: Option<Micros>, asked: usize) {
        self.connections += 1;
        self.asked = asked;
        self.opened = server.unwrap_or(now.wall);
        self.replay = Some(ReplayWindow::new(now.mono, 1));
        for seen in self.containers.values_mut() {
            seen.expected = seen.last.as_ref().map(|(_, lines)| lines.clone());
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
        let key = line.container.unwrap_or(b"");
        if !self.containers.contains_key(key) {
            if self.containers.len() >= CONTAINERS {
                return;
            }
            let name = self.source(key);
            self.containers.insert(key.to_vec(), Seen::new(name));
        }
        let again = self.connections > 1;
        let history = self.replay.is_some()
            && line
                .stamp
                .is_none_or(|stamp| stamp.as_microsecond() <= self.opened.0);
        if history && let Some(window) = &mut self.replay {
            window.line(now.mono);
        }
        let Some(seen) = self.containers.get_mut(key) else {
            return;
        };
        match seen.accept(&line) {
            Verdict::Seen => return,
            Verdict::Beyond if again => {
                let (pod, asked) = (&self.pod, self.asked);
                let why = say!(
                    "{pod}: its history does not reach back to the last line that was seen; it was restarted, or wrote more than {asked} lines meanwhile",
                    "{pod}：历史没有接上最后看到的行；它可能重启过，或期间写了超过 {asked} 行"
                );
                batch.push_mark(Mark::gap(Certainty::Possible, &why));
            }
            Verdict::New | Verdict::Beyond => {}
        }
        let mut flags = RowFlags::default();
        // What a new connection brings of the time before it was not seen: it is no repetition.
        if history && !again {
            flags = flags.with(RowFlags::REPLAY);
        }
        if event.cut {
            flags = flags.with(RowFlags::CONTINUES);
        }
        let head = RowHead {
            source: Some(&seen.name),
            flags,
            recv: now.wall,
            stamp: line.stamp.map(|stamp| Micros(stamp.as_microsecond())),
            ..RowHead::default()
        };
        batch.push(line.text, &head);
        self.check(now);
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
}

impl Seen {
    fn new(name: SourceName) -> Self {
        Self {
            name,
            last: None,
            expected: None,
            met: true,
        }
    }

    fn accept(&mut self, line: &PodLine<'_>) -> Verdict {
        let Some(stamp) = line.stamp else {
            return Verdict::New;
        };
        if let (Some(expected), Some((last, _))) = (&mut self.expected, &self.last) {
            if stamp < *last {
                self.met = true;
                return Verdict::Seen;
            }
            if stamp == *last {
                self.met = true;
                if let Some(at) = expected.iter().position(|text| text == line.text) {
                    expected.swap_remove(at);
                    return Verdict::Seen;
                }
            } else {
                self.expected = None;
            }
        }
        let beyond = !std::mem::replace(&mut self.met, true);
        match &mut self.last {
            Some((last, lines)) if *last == stamp => lines.push(line.text.to_vec()),
            // A clock that goes back inside a container is not the newest moment.
            Some((last, _)) if *last > stamp => {}
            Some(_) | None => self.last = Some((stamp, vec![line.text.to_vec()])),
        }
        if beyond {
            Verdict::Beyond
        } else {
            Verdict::New
        }
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
