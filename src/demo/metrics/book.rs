//! The series, by numbers.

use std::collections::BTreeMap;

use crate::demo::series::Series;

/// Series kept: the shop has some hundred; each pod that ends leaves a few for an hour.
const LIMIT: usize = 2000;

/// A series' number.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Id(u64);

/// All series.
#[derive(Debug, Default)]
pub(super) struct Book {
    series: BTreeMap<Id, Series>,
    next: u64,
}

impl Book {
    /// Begins a series. Beyond the limit, the one that began first and has ended goes.
    pub(super) fn open(&mut self, name: &str, labels: &[(&str, &str)]) -> Id {
        if self.series.len() >= LIMIT {
            let ended = |one: &Series| !one.samples.is_empty() && one.value().is_none();
            let first = self.series.iter().find(|(_, one)| ended(one));
            if let Some(id) = first.map(|(id, _)| *id) {
                self.series.remove(&id);
            }
        }
        self.next += 1;
        let id = Id(self.next);
        self.series.insert(id, Series::new(name, labels));
        id
    }

    /// Adds a sample.
    pub(super) fn push(&mut self, id: Id, at: i64, value: f64) {
        if let Some(series) = self.series.get_mut(&id) {
            series.push(at, Some(value));
        }
    }

    /// Marks that a series has ended, or pauses. One that is only a moment old never was.
    pub(super) fn end(&mut self, id: Id, at: i64) {
        if let Some(series) = self.series.get_mut(&id).filter(|one| one.value().is_some()) {
            series.push(at, None);
        }
    }

    /// A series' newest value, if it has not ended.
    pub(super) fn value(&self, id: Id) -> Option<f64> {
        self.series.get(&id)?.value()
    }

    /// Forgets what is older than a moment.
    pub(super) fn forget(&mut self, before: i64) {
        self.series.retain(|_, series| {
            let was = !series.samples.is_empty();
            series.forget(before);
            !(was && series.samples.is_empty())
        });
    }

    pub(super) fn series(&self) -> impl Iterator<Item = &Series> + Clone {
        self.series.values().filter(|one| !one.samples.is_empty())
    }
}
