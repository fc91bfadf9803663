//! A table of what costs most: URLs and SQL statements, as the platform ranks them (protocols.md
//! 4). Each list replaces the one before; the server never empties it, so that we age it out.

pub mod keys;

use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

use crate::model::sample::{TopList, TopRow};
use crate::model::{Micros, PaneId, TargetId};

/// Without a new list for so long there is none (protocols.md 4.1).
pub const IDLE: Duration = Duration::from_secs(30);
/// Lists that are remembered, for the time cursor: an hour at one in 5 s.
const LISTS: usize = 720;
/// Values of a row's own line.
const TREND: usize = 60;
/// Rows that are remembered, those of the past among them.
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

/// Lists at one time, of all names.
#[derive(Clone, Debug)]
struct Taken {
    at: Micros,
    /// By name of the list.
    lists: BTreeMap<String, (Instant, TopList)>,
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
    taken: VecDeque<Taken>,
    trends: BTreeMap<String, VecDeque<f64>>,
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
            taken: VecDeque::new(),
            trends: BTreeMap::new(),
        }
    }

    /// Takes lists in that came together. One that is the same as before is no news: whoever
    /// subscribes has it sent to everybody again (protocols.md 4.1).
    pub fn take(&mut self, lists: Vec<TopList>, at: Micros, mono: Instant) {
        let mut known = match self.taken.back() {
            Some(last) => last.lists.clone(),
            None => BTreeMap::new(),
        };
        known.retain(|_, (since, _)| mono.saturating_duration_since(*since) < IDLE);
        let mut news = false;
        for list in lists {
            self.received += 1;
            if known.get(&list.name).is_some_and(|(_, old)| *old == list) {
                continue;
            }
            news = true;
            self.unreadable += list.unreadable;
            for row in &list.rows {
                let full = self.trends.len() >= ROWS;
                if full && !self.trends.contains_key(&row.key) {
                    self.trends.pop_first();
                }
                let trend = self.trends.entry(row.key.clone()).or_default();
                trend.push_back(row.mean);
                if trend.len() > TREND {
                    trend.pop_front();
                }
            }
            known.insert(list.name.clone(), (mono, list));
        }
        if !news {
            return;
        }
        self.taken.push_back(Taken { at, lists: known });
        if self.taken.len() > LISTS {
            self.taken.pop_front();
        }
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
            .flat_map(|taken| taken.lists.values())
            .filter(|(since, _)| fresh(since))
            .map(|(_, list)| list)
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
        let trend = self.trends.get(key);
        trend.map_or_else(Vec::new, |trend| trend.iter().copied().collect())
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
        let ends = lists.values().map(|(since, _)| *since + IDLE);
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
}
