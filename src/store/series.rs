//! What one chart remembers: series of samples, 12 bytes each, in chunks that are evicted whole.
//! The server's answer for a stretch of time replaces what was known of it. Times are kept in
//! whole milliseconds; the server's own are no finer.

mod chunk;
mod trace;

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Duration;

use crate::model::Micros;
use crate::model::sample::{Labels, Measured, Sample, Series};

use super::slices::Slices;
pub use trace::Trace;

/// Samples of one chunk; fewer where the limit leaves a series little room.
const CHUNK: usize = 512;

/// A series gets at least so many chunks out of its share, so that what is evicted at once is
/// the smaller part of it.
const CHUNKS: usize = 4;

/// The step until one is set: the platform's own (protocols.md 3.5).
const STEP: Duration = Duration::from_secs(60);

/// How much is kept.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// So many series.
    pub series: usize,
    /// So many samples, of all series together.
    pub samples: usize,
}

/// What [`SeriesStore::take`] did.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Taken {
    /// Samples taken.
    pub samples: u64,
    /// Samples without a value.
    pub holes: u64,
    /// Series that were not known before.
    pub added: u64,
    /// Series past the limit, left out.
    pub left_out: u64,
    /// Samples that went to make room, the oldest.
    pub evicted: u64,
}

/// What lies in one slice of time; finite samples alone.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Column {
    /// The lowest.
    pub min: f64,
    /// The highest.
    pub max: f64,
    /// The earliest.
    pub first: f64,
    /// The latest.
    pub last: f64,
    /// The earliest one follows closely on the finite sample before it, in whichever column
    /// that is, or before them all.
    pub joined: bool,
}

/// The series of one chart, in the order in which they came.
#[derive(Clone, Debug)]
pub struct SeriesStore {
    limits: Limits,
    /// Samples of a chunk.
    room: usize,
    /// Neighbours further apart than this many microseconds are not joined.
    reach: i64,
    traces: Vec<Trace>,
    /// Places in `traces`, in the order of their labels.
    order: Vec<usize>,
    samples: usize,
}

impl SeriesStore {
    /// An empty store.
    pub fn new(limits: Limits) -> Self {
        let share = limits.samples / limits.series.max(1) / CHUNKS;
        let mut store = Self {
            limits,
            room: share.clamp(1, CHUNK),
            reach: 0,
            traces: Vec::new(),
            order: Vec::new(),
            samples: 0,
        };
        store.set_step(STEP);
        store
    }

    /// The time between two samples: neighbours further apart than 1.5 of it are not joined.
    pub fn set_step(&mut self, step: Duration) {
        let reach = step.as_micros().saturating_mul(3) / 2;
        self.reach = i64::try_from(reach).unwrap_or(i64::MAX);
    }

    /// Takes the server's answer for `[from, to]`: it replaces what was known there, of all
    /// series, so that a hole stays a hole. A sample outside replaces the one of its time alone.
    /// When there are too many series, those without any sample make room.
    pub fn take(&mut self, from: Micros, to: Micros, measured: &Measured) -> Taken {
        let mut taken = Taken::default();
        let (first, last) = (whole(from), whole(to));
        for trace in &mut self.traces {
            trace.clear(first, last);
        }
        let known = |series: &&Series| self.find(&series.labels).is_ok();
        let (known, new): (Vec<_>, Vec<_>) = measured.series.iter().partition(known);
        // First what is known, so that none of it is taken for empty.
        for series in known.into_iter().chain(new) {
            match self.place(&series.labels, &mut taken) {
                Some(trace) => trace.merge(&series.samples, &mut taken),
                None => taken.left_out += 1,
            }
        }
        self.samples = self.traces.iter().map(Trace::len).sum();
        taken.evicted = self.evict();
        taken
    }

    /// The series; an index is the place here, until series are forgotten.
    pub fn series(&self) -> &[Trace] {
        &self.traces
    }

    /// How many samples are kept.
    pub fn len(&self) -> usize {
        self.samples
    }

    /// Whether there is no sample.
    pub fn is_empty(&self) -> bool {
        self.samples == 0
    }

    /// The times of the oldest and the newest sample.
    pub fn span(&self) -> Option<(Micros, Micros)> {
        let first = self.traces.iter().filter_map(Trace::first_at).min()?;
        let last = self.traces.iter().filter_map(Trace::last_at).max()?;
        Some((Micros(first), Micros(last)))
    }

    /// What lies in each of `width` equal slices of `[from, to)`. Lowest and highest are exact,
    /// so that a spike is seen at any width.
    pub fn columns(
        &self,
        index: usize,
        from: Micros,
        to: Micros,
        width: usize,
        out: &mut Vec<Option<Column>>,
    ) {
        let slices = Slices::new((from, to), width, None, out);
        if let (Some(slices), Some(trace)) = (slices, self.traces.get(index)) {
            trace.columns(&slices, self.reach, out);
        }
    }

    /// The latest sample at a moment or before, if it is not more than 1.5 steps older.
    pub fn at(&self, index: usize, moment: Micros) -> Option<Sample> {
        let found = self.traces.get(index)?.at_or_before(moment.0)?;
        (moment.0.saturating_sub(found.at.0) <= self.reach).then_some(found)
    }

    /// The lowest and the highest finite sample of `[from, to)`.
    pub fn bounds(&self, index: usize, from: Micros, to: Micros) -> Option<(f64, f64)> {
        self.traces.get(index)?.bounds(from.0, to.0)
    }

    /// The highest finite sample of `[from, to)` among these series, and whose it is: of equal
    /// ones the first series' earliest.
    pub fn peak(
        &self,
        from: Micros,
        to: Micros,
        indexes: impl IntoIterator<Item = usize>,
    ) -> Option<(usize, Sample)> {
        let mut best: Option<(usize, Sample)> = None;
        for index in indexes {
            let Some(trace) = self.traces.get(index) else {
                continue;
            };
            let above = best.map_or(f64::NEG_INFINITY, |(_, sample)| sample.value);
            if let Some(sample) = trace.peak(from.0, to.0, above) {
                best = Some((index, sample));
            }
        }
        best
    }

    /// Drops chunks that end before a moment, then forgets series that have no sample left:
    /// how many. Those behind them move up.
    pub fn prune(&mut self, before: Micros) -> usize {
        for trace in &mut self.traces {
            self.samples -= trace.drop_before(before.0);
        }
        self.forget_empty()
    }

    /// Bytes of memory held.
    pub fn heap_bytes(&self) -> usize {
        let traces: usize = self.traces.iter().map(Trace::heap_bytes).sum();
        traces
            + self.traces.capacity() * size_of::<Trace>()
            + self.order.capacity() * size_of::<usize>()
    }

    /// The series with these labels, made if there is room.
    fn place(&mut self, labels: &Labels, taken: &mut Taken) -> Option<&mut Trace> {
        let found = match self.find(labels) {
            Ok(place) => self.order.get(place).copied()?,
            Err(mut place) => {
                if self.traces.len() >= self.limits.series {
                    self.forget_empty();
                    if self.traces.len() >= self.limits.series {
                        return None;
                    }
                    place = self.find(labels).unwrap_or_else(|place| place);
                }
                taken.added += 1;
                self.order.insert(place, self.traces.len());
                self.traces.push(Trace::new(labels.clone(), self.room));
                self.traces.len() - 1
            }
        };
        self.traces.get_mut(found)
    }

    fn find(&self, labels: &Labels) -> Result<usize, usize> {
        let of = |place: &usize| self.traces.get(*place).map(Trace::labels);
        self.order
            .binary_search_by(|place| of(place).cmp(&Some(labels)))
    }

    fn forget_empty(&mut self) -> usize {
        let before = self.traces.len();
        self.traces.retain(|trace| !trace.is_empty());
        let forgotten = before - self.traces.len();
        if forgotten > 0 {
            let traces = &self.traces;
            self.order = (0..traces.len()).collect();
            self.order
                .sort_by_key(|place| traces.get(*place).map(Trace::labels));
        }
        forgotten
    }

    /// Drops chunks until the limit holds, first the one whose newest sample is the oldest.
    fn evict(&mut self) -> u64 {
        let excess = self.samples.saturating_sub(self.limits.samples);
        let mut doomed = vec![0; self.traces.len()];
        let chunk = |trace: usize, at: usize| {
            let (last, len) = self.traces.get(trace)?.chunk(at)?;
            Some(Reverse((last, trace, len)))
        };
        // The oldest chunk of each series that stays.
        let places = 0..self.traces.len();
        let mut oldest: BinaryHeap<_> = places.filter_map(|trace| chunk(trace, 0)).collect();
        let mut gone = 0;
        while gone < excess {
            let Some(Reverse((_, trace, len))) = oldest.pop() else {
                break;
            };
            gone += len;
            if let Some(count) = doomed.get_mut(trace) {
                *count += 1;
                oldest.extend(chunk(trace, *count));
            }
        }
        for (trace, count) in self.traces.iter_mut().zip(doomed) {
            trace.drop_oldest(count);
        }
        self.samples -= gone;
        gone as u64
    }
}

/// A time in whole milliseconds, the nearest: a server's fractions are no exact ones.
fn whole(at: Micros) -> i64 {
    let at = at.0.max(i64::MIN + 1000).saturating_add(500);
    at.div_euclid(1000) * 1000
}
