//! A pod's log over all its connections. Each line carries the time at which the container wrote
//! it, so that a new connection's history is aligned exactly: nothing is shown twice, and where
//! the history does not reach back to what was seen, that is marked (reliability.md 2.5). Where
//! times are missing, the same or run backwards, that is marked as well.

use std::cmp::Ordering;
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

/// A history that says nothing known for so long is over where a clock was set back…
const QUIET: Duration = Duration::from_secs(10);
/// …and after so long it is in any case: of a slow link or a reader that stood still it may go on.
const LONGEST: Duration = Duration::from_secs(300);

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
    /// When its first line came.
    begun: Option<Instant>,
    /// When it last brought a line that was seen before.
    repeated: Option<Instant>,
    /// What is older than what was seen is not part of its history any more…
    over: bool,
    /// …where a clock was set back, as long as nothing known comes again.
    over_back: bool,
    /// It was told that lines can't be told apart.
    doubted: bool,
}

/// What was seen of one container.
#[derive(Debug)]
struct Seen {
    name: SourceName,
    /// The newest stamp, and the lines that bear it.
    last: Option<Moment>,
    /// Those that this connection's history has not repeated yet. `None` once it is past them.
    expected: Option<Expected>,
    /// This connection's history reached back to what was seen.
    met: bool,
    /// Its clock was set back behind the newest stamp.
    back: bool,
}

/// What a history is to repeat of the newest moment.
#[derive(Debug)]
struct Expected {
    lines: HashMap<u64, u32>,
    /// How many they are in all.
    left: u64,
    /// How many older lines stand behind the first of them.
    behind: u64,
    /// The first of them came.
    began: bool,
    /// Older lines came, and were taken for repeated ones.
    hid: bool,
}

/// Lines of one stamp by their fingerprints, and how often each came.
#[derive(Debug)]
struct Moment {
    stamp: Timestamp,
    lines: HashMap<u64, u32>,
    /// There are more different ones than are remembered.
    more: bool,
    /// Older lines that were shown behind the first of them.
    behind: u64,
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
            begun: None,
            repeated: None,
            over: false,
            over_back: false,
            doubted: false,
        });
        self.replay = Some(ReplayWindow::new(now.mono, 1));
        for seen in self.containers.values_mut() {
            seen.expected = seen.last.as_ref().map(Expected::of);
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
        self.outlive(now, batch);
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
            Verdict::Seen => {
                connection.repeated = Some(now.mono);
                connection.over_back = false;
            }
            Verdict::Beyond if again => {
                let asked = connection.asked;
                let why = say!(
                    "{pod}: its history does not reach back to the last line that was seen; it was restarted, or wrote more than {asked} lines meanwhile",
                    "{pod}：历史没有接上最后看到的行；它可能重启过，或期间写了超过 {asked} 行"
                );
                batch.push_mark(Mark::gap(Certainty::Possible, &why));
            }
            Verdict::Unsure | Verdict::Hidden if again && history => connection.doubt(pod, batch),
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
    fn outlive(&mut self, now: Now, batch: &mut RawBatch) {
        let Some(connection) = self.connection.as_mut().filter(|one| !one.over) else {
            return;
        };
        let past = |since| now.mono.saturating_duration_since(since);
        let begun = *connection.begun.get_or_insert(now.mono);
        connection.over = past(begun) >= LONGEST;
        let quiet = past(connection.repeated.unwrap_or(begun)) >= QUIET;
        if !connection.over && (!quiet || std::mem::replace(&mut connection.over_back, true)) {
            return;
        }
        let mut unmet = false;
        for seen in self.containers.values_mut() {
            if !connection.over && !seen.back {
                continue;
            }
            let Some(expected) = seen.expected.take() else {
                continue;
            };
            unmet |= expected.hid && expected.left > 0;
            if std::mem::take(&mut seen.back) {
                seen.last = None;
            }
        }
        if unmet {
            connection.doubt(&self.pod, batch);
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

impl Connection {
    /// Says once that lines can't be told apart.
    fn doubt(&mut self, pod: &str, batch: &mut RawBatch) {
        if std::mem::replace(&mut self.doubted, true) {
            return;
        }
        let why = say!(
            "{pod}: times of its lines are missing, the same, or run backwards: lines may be missing, or come again",
            "{pod}：其日志行的时间缺失、相同或倒退：可能有行缺失或重复"
        );
        batch.push_mark(Mark::gap(Certainty::Possible, &why));
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
            self.met |= stamp <= last.stamp;
            match stamp.cmp(&last.stamp) {
                Ordering::Less if self.back => return Verdict::Hidden,
                Ordering::Less => {
                    if expected.is_before_new() || last.more {
                        expected.hid = true;
                        return Verdict::Seen;
                    }
                    self.expected = None;
                }
                Ordering::Equal if expected.repeats(print) => return Verdict::Seen,
                Ordering::Equal if last.more => return Verdict::Hidden,
                Ordering::Equal => {}
                Ordering::Greater => self.expected = None,
            }
        }
        let beyond = !std::mem::replace(&mut self.met, true);
        let mut verdict = Verdict::New;
        match &mut self.last {
            Some(last) if last.stamp == stamp => last.add(print),
            // A clock that goes back inside a container is not the newest moment.
            Some(last) if last.stamp > stamp => {
                last.behind += 1;
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

impl Expected {
    fn of(moment: &Moment) -> Self {
        Self {
            lines: moment.lines.clone(),
            left: moment.lines.values().map(|count| u64::from(*count)).sum(),
            behind: moment.behind,
            began: false,
            hid: false,
        }
    }

    /// Whether an older line is one of those that were seen. A log has its order: behind all of
    /// the newest moment, and as many older ones as followed it, an older one is new, of a clock
    /// that was set back meanwhile.
    fn is_before_new(&mut self) -> bool {
        let follows = self.began && self.behind > 0;
        let is_before = self.left > 0 || follows;
        self.behind -= u64::from(follows);
        is_before
    }

    /// Whether it is one of them that was not repeated yet.
    fn repeats(&mut self, print: u64) -> bool {
        let Some(count) = self.lines.get_mut(&print).filter(|count| **count > 0) else {
            return false;
        };
        *count -= 1;
        self.left -= 1;
        self.began = true;
        true
    }
}

impl Moment {
    fn new(stamp: Timestamp, print: u64) -> Self {
        Self {
            stamp,
            lines: HashMap::from([(print, 1)]),
            more: false,
            behind: 0,
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
mod tests;
