//! A table of what costs most: URLs and SQL statements, as the platform ranks them (protocols.md
//! 4). Each list replaces the one before; the server never empties it, so that we age it out.

pub mod keys;

use std::collections::{BTreeMap, VecDeque};
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::model::sample::{TopList, TopRow};
use crate::model::{Micros, PaneId, TargetId};

/// Without a new list for so long there is none (protocols.md 4.1).
pub const IDLE: Duration = Duration::from_secs(30);
/// Lists that are remembered, for the time cursor: an hour at one in 5 s.
const LISTS: usize = 720;
/// Names of lists that are shown together: the old form has two, the new one none.
const NAMES: usize = 16;
/// Bytes of the lists that are remembered.
const BYTES: usize = 16 << 20;
/// Values of a row's own line.
const TREND: usize = 60;
/// Rows whose lines are remembered, those of the past among them.
const ROWS: usize = 2000;

/// What rows are sorted by.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Sort {
    /// All time together, as the server sorts them.
    #[default]
    Sum,
    /// The mean.
    Mean,
    /// The longest.
    Max,
    /// How often.
    Count,
    /// How often it failed.
    Errors,
    /// The URL or statement.
    Key,
}

impl Sort {
    /// All of them, from left to right.
    pub const ALL: [Self; 6] = [
        Self::Key,
        Self::Sum,
        Self::Mean,
        Self::Max,
        Self::Count,
        Self::Errors,
    ];

    /// The next one to the right.
    #[must_use]
    pub fn next(self) -> Self {
        let at = Self::ALL.iter().position(|one| *one == self).unwrap_or(0);
        let next = Self::ALL.get((at + 1) % Self::ALL.len());
        next.copied().unwrap_or_default()
    }
}

/// A list that is known at one time or more.
#[derive(Clone, Debug)]
struct Known {
    since: Instant,
    list: Arc<TopList>,
    /// Bytes of the list.
    weight: usize,
}

impl Known {
    fn new(list: TopList, since: Instant) -> Self {
        let texts = |row: &TopRow| row.key.len() + row.kind.len() + row.host.len();
        let weight = size_of::<TopList>()
            + (list.name.len() + list.updated.len())
            + list.rows.capacity() * size_of::<TopRow>()
            + list.rows.iter().map(texts).sum::<usize>();
        Self {
            since,
            list: Arc::new(list),
            weight,
        }
    }
}

/// Lists at one time, of all names.
#[derive(Clone, Debug)]
struct Taken {
    at: Micros,
    /// By name of the list.
    lists: Vec<Known>,
}

impl Taken {
    /// Bytes that are held for this one and not for its neighbour, which shares lists with it.
    fn alone(&self, beside: Option<&Self>) -> usize {
        let shared = |one: &Known| {
            let others = beside.map_or(&[][..], |beside| &beside.lists);
            others
                .iter()
                .any(|other| Arc::ptr_eq(&other.list, &one.list))
        };
        let own = self.lists.iter().filter(|one| !shared(one));
        size_of::<Self>()
            + self.lists.capacity() * size_of::<Known>()
            + own.map(|one| one.weight).sum::<usize>()
    }
}

/// How a row went on.
#[derive(Debug, Default)]
struct Trend {
    /// The number of the newest value, among those of all rows.
    newest: u64,
    means: VecDeque<f64>,
}

/// A table.
#[derive(Debug)]
pub struct TablePane {
    /// Its name for the rest of the program.
    pub id: PaneId,
    /// Where its lists come from.
    pub targets: Vec<TargetId>,
    /// What it is sorted by.
    pub sort: Sort,
    /// The least first.
    pub ascending: bool,
    /// The key of the row that keys act on.
    pub cursor: String,
    /// Nothing new is shown since then (`p`).
    pub frozen: Option<Micros>,
    /// Lists that came.
    pub received: u64,
    /// Messages that were no lists.
    pub strange: u64,
    /// Rows that could not be read.
    pub unreadable: u64,
    /// Lists for which there is no room.
    pub left_out: u64,
    /// Messages that came and were dropped before they were read.
    pub dropped: u64,
    /// Bytes of lists at most.
    pub(super) budget: usize,
    taken: VecDeque<Taken>,
    /// Bytes of those.
    held: usize,
    /// By a number that stands for the key, which may be long.
    trends: BTreeMap<u64, Trend>,
    numbers: RandomState,
    /// Values that rows had.
    values: u64,
}

impl TablePane {
    /// An empty table.
    pub fn new(id: PaneId, targets: Vec<TargetId>) -> Self {
        Self {
            id,
            targets,
            sort: Sort::default(),
            ascending: false,
            cursor: String::new(),
            frozen: None,
            received: 0,
            strange: 0,
            unreadable: 0,
            left_out: 0,
            dropped: 0,
            budget: BYTES,
            taken: VecDeque::new(),
            held: 0,
            trends: BTreeMap::new(),
            numbers: RandomState::new(),
            values: 0,
        }
    }

    /// Takes lists in that came together. One that is the same as before is no news: whoever
    /// subscribes has it sent to everybody again (protocols.md 4.1).
    pub fn take(&mut self, lists: Vec<TopList>, at: Micros, mono: Instant) {
        let mut known = match self.taken.back() {
            Some(last) => last.lists.clone(),
            None => Vec::new(),
        };
        known.retain(|one| mono.saturating_duration_since(one.since) < IDLE);
        let mut weight: usize = known.iter().map(|one| one.weight).sum();
        let mut news = false;
        for list in lists {
            self.received += 1;
            let place = known.binary_search_by(|one| one.list.name.cmp(&list.name));
            let old = place.ok().and_then(|at| known.get(at));
            if old.is_some_and(|old| *old.list == list) {
                continue;
            }
            let beside = weight - old.map_or(0, |old| old.weight);
            let one = Known::new(list, mono);
            let full = place.is_err() && known.len() >= NAMES;
            if full || beside + one.weight > self.budget {
                self.left_out += 1;
                continue;
            }
            news = true;
            weight = beside + one.weight;
            self.unreadable += one.list.unreadable;
            self.go_on(&one.list.rows);
            let replaced = place.map_or_else(|at| at..at, |at| at..at + 1);
            known.splice(replaced, [one]);
        }
        if news {
            self.remember(Taken { at, lists: known });
        }
    }

    /// The rows' lines go on. Those of rows that have not come for the longest time are forgotten.
    fn go_on(&mut self, rows: &[TopRow]) {
        for row in rows {
            self.values += 1;
            let number = self.numbers.hash_one(&row.key);
            let trend = self.trends.entry(number).or_default();
            trend.newest = self.values;
            trend.means.push_back(row.mean);
            if trend.means.len() > TREND {
                trend.means.pop_front();
            }
        }
        if let Some(excess) = self.trends.len().checked_sub(ROWS) {
            let mut newest: Vec<u64> = self.trends.values().map(|trend| trend.newest).collect();
            newest.sort_unstable();
            let least = newest.get(excess).copied().unwrap_or(0);
            self.trends.retain(|_, trend| trend.newest >= least);
        }
    }

    /// The oldest lists make room.
    fn remember(&mut self, taken: Taken) {
        self.held += taken.alone(self.taken.back());
        self.taken.push_back(taken);
        while self.taken.len() > LISTS || (self.held > self.budget && self.taken.len() > 1) {
            if let Some(oldest) = self.taken.pop_front() {
                self.held -= oldest.alone(self.taken.front());
            }
        }
    }

    /// Bytes of memory held.
    pub fn heap_bytes(&self) -> usize {
        let trends = self
            .trends
            .values()
            .map(|trend| size_of::<(u64, Trend)>() + trend.means.capacity() * size_of::<f64>());
        self.held + trends.sum::<usize>()
    }

    /// The lists that are shown: those of the moment, else the latest while they are fresh.
    fn shown(&self, moment: Option<Micros>, mono: Instant) -> Vec<&TopList> {
        let moment = moment.or(self.frozen);
        let taken = match moment {
            Some(moment) => {
                let after = self.taken.partition_point(|taken| taken.at <= moment);
                let taken = after.checked_sub(1).and_then(|at| self.taken.get(at));
                let idle = i64::try_from(IDLE.as_micros()).unwrap_or(i64::MAX);
                taken.filter(|taken| moment.0.saturating_sub(taken.at.0) < idle)
            }
            None => self.taken.back(),
        };
        let fresh =
            |since: &Instant| moment.is_some() || mono.saturating_duration_since(*since) < IDLE;
        taken
            .iter()
            .flat_map(|taken| &taken.lists)
            .filter(|one| fresh(&one.since))
            .map(|one| &*one.list)
            .collect()
    }

    /// The rows that are shown, in their order.
    pub fn rows(&self, moment: Option<Micros>, mono: Instant) -> Vec<&TopRow> {
        let lists = self.shown(moment, mono);
        let mut rows: Vec<&TopRow> = lists.iter().flat_map(|list| &list.rows).collect();
        rows.sort_by(|a, b| {
            let order = match self.sort {
                Sort::Sum => b.sum.total_cmp(&a.sum),
                Sort::Mean => b.mean.total_cmp(&a.mean),
                Sort::Max => (b.max.unwrap_or(-1.0)).total_cmp(&a.max.unwrap_or(-1.0)),
                Sort::Count => b.count.cmp(&a.count),
                Sort::Errors => b.errors.cmp(&a.errors),
                Sort::Key => a.key.cmp(&b.key),
            };
            let order = if self.ascending {
                order.reverse()
            } else {
                order
            };
            order.then_with(|| a.key.cmp(&b.key))
        });
        rows
    }

    /// What the old form says of when it was made.
    pub fn updated(&self, moment: Option<Micros>, mono: Instant) -> Vec<&str> {
        let lists = self.shown(moment, mono);
        let texts = lists.iter().map(|list| list.updated.as_str());
        texts.filter(|text| !text.is_empty()).collect()
    }

    /// How long ago the last new list came.
    pub fn age(&self, now: Micros) -> Option<Duration> {
        let last = self.taken.back()?;
        let age = now.0.saturating_sub(last.at.0);
        Some(Duration::from_micros(u64::try_from(age).unwrap_or(0)))
    }

    /// The means of a row so far, oldest first.
    pub fn trend(&self, key: &str) -> Vec<f64> {
        let trend = self.trends.get(&self.numbers.hash_one(key));
        trend.map_or_else(Vec::new, |trend| trend.means.iter().copied().collect())
    }

    /// The number of the row under the cursor; the first one if it is gone.
    pub fn at(&self, rows: &[&TopRow]) -> usize {
        let at = rows.iter().position(|row| row.key == self.cursor);
        at.unwrap_or(0)
    }

    /// The time of the list after or before a moment.
    pub fn neighbour(&self, moment: Option<Micros>, later: bool) -> Option<Micros> {
        let here = moment.unwrap_or(Micros(i64::MAX));
        if later {
            let after = self.taken.partition_point(|taken| taken.at <= here);
            return self.taken.get(after).map(|taken| taken.at);
        }
        let before = self.taken.partition_point(|taken| taken.at < here);
        // From the present the newest list is no step.
        let step = if moment.is_none() { 2 } else { 1 };
        let at = before.checked_sub(step)?;
        self.taken.get(at).map(|taken| taken.at)
    }

    /// When the table changes by itself: what is shown ages out.
    pub fn wake_at(&self, mono: Instant) -> Option<Instant> {
        let lists = &self.taken.back()?.lists;
        let ends = lists.iter().map(|one| one.since + IDLE);
        let second = mono + Duration::from_secs(1);
        ends.filter(|end| *end > mono)
            .min()
            .map(|end| end.min(second))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(name: &str, rows: &[(&str, f64, u64)]) -> TopList {
        let rows = rows.iter().map(|(key, sum, count)| TopRow {
            key: (*key).to_owned(),
            sum: *sum,
            mean: sum / 10.0,
            count: *count,
            ..TopRow::default()
        });
        TopList {
            name: name.to_owned(),
            rows: rows.collect(),
            ..TopList::default()
        }
    }

    #[expect(clippy::disallowed_methods, reason = "a test's own clock")]
    fn table() -> (TablePane, Instant) {
        (TablePane::new(PaneId(0), vec![TargetId(0)]), Instant::now())
    }

    fn keys(table: &TablePane, moment: Option<i64>, mono: Instant) -> String {
        let rows = table.rows(moment.map(Micros), mono);
        let keys: Vec<&str> = rows.iter().map(|row| row.key.as_str()).collect();
        keys.join(" ")
    }

    #[test]
    fn lists_replace_each_other_and_age_out() {
        let (mut table, start) = table();
        let at = |seconds: u64| start + Duration::from_secs(seconds);
        let micros = |seconds: i64| Micros(seconds * 1_000_000);
        table.take(
            vec![list("", &[("/a", 5.0, 1), ("/b", 9.0, 2)])],
            micros(0),
            at(0),
        );
        assert_eq!(keys(&table, None, at(1)), "/b /a");
        table.take(
            vec![list("", &[("/c", 1.0, 9), ("/b", 7.0, 3)])],
            micros(10),
            at(10),
        );
        assert_eq!(keys(&table, None, at(11)), "/b /c");
        // The time cursor sees what was shown then.
        assert_eq!(keys(&table, Some(9_000_000), at(11)), "/b /a");
        assert_eq!(keys(&table, Some(-1), at(11)), "");
        // The same list once more is no news.
        table.take(
            vec![list("", &[("/c", 1.0, 9), ("/b", 7.0, 3)])],
            micros(35),
            at(35),
        );
        assert_eq!(table.received, 3);
        assert_eq!(keys(&table, None, at(39)), "/b /c");
        assert_eq!(keys(&table, None, at(40)), "");
        assert_eq!(table.wake_at(at(20)), Some(at(21)));
        assert_eq!(table.wake_at(at(41)), None);
        assert_eq!(table.trend("/b"), [0.9, 0.7]);
    }

    #[test]
    fn both_old_lists_are_one_table_in_any_order() {
        let (mut table, now) = table();
        table.take(
            vec![list("SumTimeByUrl", &[("/a", 5.0, 1)])],
            Micros(0),
            now,
        );
        table.take(
            vec![list("SumTimeBySql", &[("SELECT 1", 9.0, 7)])],
            Micros(1),
            now,
        );
        assert_eq!(keys(&table, None, now), "SELECT 1 /a");
        table.sort = Sort::Key;
        assert_eq!(keys(&table, None, now), "/a SELECT 1");
        table.ascending = true;
        assert_eq!(keys(&table, None, now), "SELECT 1 /a");
        assert_eq!(table.neighbour(None, false), Some(Micros(0)));
        assert_eq!(table.neighbour(Some(Micros(0)), true), Some(Micros(1)));
        assert_eq!(table.neighbour(Some(Micros(1)), true), None);
        let orders: Vec<Sort> = std::iter::successors(Some(Sort::Key), |sort| Some(sort.next()))
            .take(6)
            .collect();
        assert_eq!(orders, Sort::ALL);
    }

    #[test]
    fn a_row_keeps_its_line_while_newer_rows_come() {
        let (mut table, now) = table();
        table.take(vec![list("", &[("z", 1.0, 1)])], Micros(0), now);
        for round in 0..3 {
            let keys: Vec<String> = (0..ROWS / 2).map(|n| format!("{round} {n}")).collect();
            let mut rows: Vec<(&str, f64, u64)> = keys.iter().map(|key| (&**key, 1.0, 1)).collect();
            rows.push(("a", 10.0 * f64::from(round), 1));
            table.take(vec![list("", &rows)], Micros(round.into()), now);
        }
        assert_eq!(table.trend("a"), [0.0, 1.0, 2.0]);
        assert!(table.trend("z").is_empty() && table.trend("0 0").is_empty());
        assert_eq!(table.trend("2 0"), [0.1]);
        assert_eq!(table.trends.len(), ROWS);
    }

    #[test]
    fn lists_of_any_names_take_bounded_memory_and_what_is_left_out_is_counted() {
        let (mut table, now) = table();
        for n in 0..100 {
            let name = format!("name {n}");
            table.take(vec![list(&name, &[(&name, 1.0, 1)])], Micros(n), now);
        }
        assert_eq!(table.rows(None, now).len(), NAMES);
        assert_eq!(table.left_out, 100 - NAMES as u64);
        // When they have aged out, others have their places.
        let later = now + IDLE;
        table.take(vec![list("new", &[("/new", 1.0, 1)])], Micros(100), later);
        assert_eq!(keys(&table, None, later), "/new");
    }

    #[test]
    fn large_lists_that_change_take_bounded_memory() {
        let (mut table, now) = table();
        table.budget = 1 << 20;
        let long = "x".repeat(4000);
        for n in 0..200 {
            let large: Vec<String> = (0..50).map(|row| format!("{n} {row} {long}")).collect();
            let rows: Vec<(&str, f64, u64)> = large.iter().map(|key| (&**key, 1.0, n)).collect();
            // A small one beside it stays the same and is held once.
            let both = vec![list("a", &rows), list("b", &[("/b", 1.0, 1)])];
            table.take(both, Micros(n.cast_signed()), now);
            // Beside the lists there are the rows' lines.
            assert!(table.heap_bytes() <= table.budget + (2 << 20), "{n}");
        }
        assert_eq!(table.left_out, 0);
        assert_eq!(table.rows(None, now).len(), 51);
        assert_eq!(table.rows(Some(Micros(198)), now).len(), 51);
        assert!(table.rows(Some(Micros(100)), now).is_empty());
        // What is larger than all that there may be is left out.
        let huge = vec![list("c", &[(&long.repeat(300), 1.0, 1)])];
        table.take(huge, Micros(300), now);
        assert_eq!((table.left_out, table.rows(None, now).len()), (1, 51));
    }
}
