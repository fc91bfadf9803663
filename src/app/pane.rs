//! One pane: the lines of one or several targets, what of them is shown, and where we look.

pub mod carry;
pub mod pieces;
pub mod times;
pub mod viewport;

use std::time::Duration;

use crate::model::{LineBatch, Mark, PaneId, TargetId};
use crate::store::{
    Appended, FilterSet, Layer, LineId, LogStore, Matching, Pattern, Predicate, Row, ScanJob,
};

use super::msg::{Now, ScanFor};
use super::rate::Rate;

pub use times::{Strip, Times};
pub use viewport::{SourceColumn, StampColumn, Viewport};

/// A search in a pane.
#[derive(Debug)]
pub struct Search {
    /// What is looked for.
    pub pattern: Pattern,
    /// Where it is.
    pub hits: Matching,
}

/// A pane of lines.
#[derive(Debug)]
pub struct Pane {
    /// Its name for the rest of the program.
    pub id: PaneId,
    /// Where its lines come from.
    pub targets: Vec<TargetId>,
    /// The lines.
    pub store: LogStore,
    /// What of them is shown.
    pub filter: FilterSet,
    /// All layers are off for the moment (`x`).
    pub unfolded: bool,
    /// The rows that are shown, while the filter hides any.
    pub shown: Matching,
    /// The search, if there is one.
    pub search: Option<Search>,
    /// A line named its source: there is something for that column.
    pub sourced: bool,
    /// Where we look.
    pub view: Viewport,
    /// When its lines were said.
    pub times: Times,
    /// An alert of this name is on.
    pub alarm: Option<String>,
    /// Lines per second.
    pub rate: Rate,
    /// Lines that came, and were kept then.
    pub received: u64,
    /// Lines that came and were not kept.
    pub dropped: u64,
    /// Time from the socket to this pane, of the latest batch.
    pub lag: Duration,
}

impl Pane {
    /// An empty pane.
    pub fn new(id: PaneId, targets: Vec<TargetId>) -> Self {
        Self {
            id,
            targets,
            store: LogStore::new(),
            filter: FilterSet::default(),
            unfolded: false,
            shown: Matching::default(),
            search: None,
            sourced: false,
            view: Viewport::default(),
            times: Times::default(),
            alarm: None,
            rate: Rate::default(),
            received: 0,
            dropped: 0,
            lag: Duration::ZERO,
        }
    }

    /// Whether its lines have more than one origin to tell apart.
    pub fn is_merged(&self) -> bool {
        self.targets.len() > 1
    }

    /// Takes lines in.
    pub fn on_lines(&mut self, target: TargetId, batch: &LineBatch, now: Now) {
        let lines = batch.len() as u64;
        self.received += lines;
        self.rate.add(now.mono, lines);
        self.count_dropped(batch);
        if let Some(row) = batch.rows().last() {
            let micros = u64::try_from(now.wall.0 - row.recv.0).unwrap_or(0);
            self.lag = Duration::from_micros(micros);
        }
        self.sourced |= batch.rows().iter().any(|row| batch.source(row).is_some());
        let appended = self.store.push_batch(target, batch);
        self.times.add(batch, appended.first);
        self.on_appended(appended);
    }

    fn count_dropped(&mut self, batch: &LineBatch) {
        for (_, mark) in batch.marks() {
            if let Mark::Dropped { lines } = mark {
                self.dropped += lines;
                self.received += lines;
            }
        }
    }

    /// Puts a mark of our own behind the lines.
    pub fn push_mark(&mut self, target: TargetId, mark: &Mark) {
        let appended = self.store.push_mark(target, mark);
        self.on_appended(appended);
    }

    fn on_appended(&mut self, appended: Appended) {
        self.shown.append(&self.store, appended);
        if let Some(search) = &mut self.search {
            search.hits.append(&self.store, appended);
        }
    }

    /// Lets the oldest lines go. False if there were none.
    pub fn evict(&mut self) -> bool {
        let Some(evicted) = self.store.evict_oldest() else {
            return false;
        };
        if !self.view.follow && self.view.cursor < evicted.first_kept {
            (self.view.cursor, self.view.row) = (evicted.first_kept, 0);
        }
        self.times.seconds.evict(evicted.first_kept);
        self.shown.evicted(evicted);
        if let Some(search) = &mut self.search {
            search.hits.evicted(evicted);
        }
        true
    }

    /// Bytes of memory held.
    pub fn heap_bytes(&self) -> usize {
        let hits = self
            .search
            .as_ref()
            .map_or(0, |search| search.hits.list().heap_bytes());
        let times = self.times.seconds.heap_bytes() + self.times.volume.heap_bytes();
        self.store.heap_bytes() + self.shown.list().heap_bytes() + hits + times
    }

    /// The filter that is in force.
    pub fn effective(&self) -> FilterSet {
        let mut filter = self.filter.clone();
        if self.unfolded {
            filter.layers.iter_mut().for_each(|layer| layer.on = false);
        }
        filter
    }

    /// Whether every line is shown.
    pub fn shows_all(&self) -> bool {
        self.shown.predicate().is_none()
    }

    /// Lines shown, of those in the store. Marks are no lines; all are shown but for those
    /// outside of the rows that alone are.
    pub fn shown_count(&self) -> u64 {
        if self.shows_all() {
            return self.store.lines();
        }
        let all = (self.store.first(), self.store.end());
        let (from, to) = self.filter.rows.unwrap_or(all);
        let parts = self.store.parts(from..to);
        let known = parts.filter(|(first, ..)| self.shown.done() || !self.shown.is_pending(*first));
        let marks = known.map(|(_, segment, rows)| segment.mark_rows(rows).count());
        (self.shown.list().len() as u64).saturating_sub(marks.sum::<usize>() as u64)
    }

    /// Lines in the store that the filter hides.
    pub fn hidden_count(&self) -> u64 {
        self.store.lines().saturating_sub(self.shown_count())
    }

    /// The filter has changed: which lines are shown is found out anew.
    pub fn refilter(&mut self) -> Vec<(ScanFor, ScanJob)> {
        let effective = self.effective();
        let mut jobs = Vec::new();
        if effective.shows_all() {
            self.shown.clear();
        } else {
            let job = self
                .shown
                .begin(&mut self.store, Predicate::Filter(effective));
            jobs.push((ScanFor::Filter, job));
        }
        if let Some(pattern) = self.search.as_ref().map(|search| search.pattern.clone()) {
            jobs.push(self.search(pattern));
        }
        jobs
    }

    /// Starts a search.
    pub fn search(&mut self, pattern: Pattern) -> (ScanFor, ScanJob) {
        let mut hits = self
            .search
            .take()
            .map_or_else(Matching::default, |search| search.hits);
        let predicate = Predicate::Search(pattern.clone(), self.effective());
        let job = hits.begin(&mut self.store, predicate);
        self.search = Some(Search { pattern, hits });
        (ScanFor::Search, job)
    }

    /// Takes a part of a scan's answer.
    pub fn scanned(&mut self, scan: ScanFor, generation: u64, first: LineId, rows: Vec<u16>) {
        match (scan, &mut self.search) {
            (ScanFor::Filter, _) => self.shown.absorb(generation, first, rows),
            (ScanFor::Search, Some(search)) => search.hits.absorb(generation, first, rows),
            (ScanFor::Search, None) => false,
        };
    }

    /// Adds a filter layer, or takes the one with the same text and deed away.
    pub fn add_layer(&mut self, layer: Layer) {
        let same = |known: &Layer| {
            known.kind == layer.kind && known.pattern.source() == layer.pattern.source()
        };
        match self.filter.layers.iter().position(same) {
            Some(at) => drop(self.filter.layers.remove(at)),
            None => self.filter.layers.push(layer),
        }
        self.unfolded = false;
    }

    /// The row that ends what may be shown: the display may be paused.
    fn limit(&self) -> LineId {
        self.view
            .paused
            .unwrap_or(LineId(u64::MAX))
            .min(self.store.end())
    }

    /// The last shown row.
    pub fn last(&self) -> Option<LineId> {
        self.prev(self.limit())
    }

    /// The first shown row.
    pub fn first(&self) -> Option<LineId> {
        let first = if self.shows_all() {
            Some(self.store.first())
        } else {
            self.shown.list().first()
        };
        first.filter(|id| *id < self.limit())
    }

    /// The shown row after `id`.
    pub fn next(&self, id: LineId) -> Option<LineId> {
        let next = if self.shows_all() {
            Some(LineId(id.0 + 1).max(self.store.first()))
        } else {
            self.shown.list().next_after(id)
        };
        next.filter(|id| *id < self.limit())
    }

    /// The shown row before `id`.
    pub fn prev(&self, id: LineId) -> Option<LineId> {
        let id = id.min(self.limit());
        if self.shows_all() {
            id.0.checked_sub(1)
                .map(LineId)
                .filter(|id| *id >= self.store.first())
        } else {
            self.shown.list().prev_before(id)
        }
    }

    /// The shown row at `id`, else the nearest after it, else before it.
    pub fn nearest(&self, id: LineId) -> Option<LineId> {
        let at =
            id.0.checked_sub(1)
                .map_or_else(|| self.first(), |before| self.next(LineId(before)));
        at.or_else(|| self.prev(id))
    }

    /// The row under the cursor, as far as it is shown.
    pub fn cursor(&self) -> Option<LineId> {
        if self.view.follow {
            self.last()
        } else {
            self.nearest(self.view.cursor)
        }
    }

    /// Lines that came since the display was paused.
    pub fn fresh(&self) -> u64 {
        self.view.paused.map_or(0, |at| {
            self.store
                .end()
                .0
                .saturating_sub(at.0.max(self.store.first().0))
        })
    }

    /// The next or previous line with a level of at least `level`, among those shown.
    pub fn by_level(&self, level: crate::model::Level, forward: bool) -> Option<LineId> {
        let here = self.cursor()?;
        let effective = self.effective();
        let wanted = |row: &Row<'_>| {
            row.line()
                .is_some_and(|line| line.level() >= level && effective.accepts(&line))
        };
        if forward {
            let mut rows = self.store.rows(LineId(here.0 + 1)..self.limit());
            rows.find(wanted).map(|row| row.id())
        } else {
            let mut rows = self.store.rows(self.store.first()..here).rev();
            rows.find(wanted).map(|row| row.id())
        }
    }
}
