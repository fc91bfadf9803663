//! One series as it is kept.

use std::ops::Range;

use crate::model::Micros;
use crate::model::sample::{Labels, Sample};

use super::chunk::{Chunk, Part};
use super::{Column, Slices, Taken, whole};

/// One series: its labels, and its samples in chunks, oldest first. Of two neighbouring chunks
/// at least one is full, but where years lie between them.
#[derive(Clone, Debug)]
pub struct Trace {
    labels: Labels,
    chunks: Vec<Chunk>,
    /// Samples of a chunk.
    room: usize,
}

impl Trace {
    pub(super) fn new(labels: Labels, room: usize) -> Self {
        Self {
            labels,
            chunks: Vec::new(),
            room,
        }
    }

    /// Whose samples they are.
    pub fn labels(&self) -> &Labels {
        &self.labels
    }

    /// How many samples are kept, infinite ones too.
    pub fn len(&self) -> usize {
        self.chunks.iter().map(Chunk::len).sum()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.chunks.is_empty()
    }

    /// The newest one.
    pub fn last(&self) -> Option<Sample> {
        let chunk = self.chunks.last()?;
        chunk.get(chunk.len().checked_sub(1)?)
    }

    /// How many of them are infinite: no column shows these.
    pub fn infinite(&self) -> u64 {
        let counts = self.chunks.iter().map(Chunk::infinite);
        counts.sum::<usize>() as u64
    }

    /// All samples, oldest first.
    pub fn samples(&self) -> impl Iterator<Item = Sample> {
        let chunks = self.chunks.iter();
        chunks.flat_map(|chunk| chunk.samples(0..chunk.len()))
    }

    /// The time of the oldest sample.
    pub(super) fn first_at(&self) -> Option<i64> {
        self.chunks.first().map(Chunk::first_at)
    }

    /// The time of the newest sample.
    pub(super) fn last_at(&self) -> Option<i64> {
        self.chunks.last().map(Chunk::last_at)
    }

    /// The time of a chunk's newest sample, and how many it has.
    pub(super) fn chunk(&self, at: usize) -> Option<(i64, usize)> {
        let chunk = self.chunks.get(at)?;
        Some((chunk.last_at(), chunk.len()))
    }

    /// Drops so many chunks, the oldest: how many samples.
    pub(super) fn drop_oldest(&mut self, count: usize) -> usize {
        let gone = self.chunks.drain(..count.min(self.chunks.len()));
        gone.map(|chunk| chunk.len()).sum()
    }

    /// Drops the chunks that end before a moment: how many samples.
    pub(super) fn drop_before(&mut self, moment: i64) -> usize {
        self.drop_oldest(self.chunks.partition_point(|c| c.last_at() < moment))
    }

    /// Forgets the samples of `[from, to]`.
    pub(super) fn clear(&mut self, from: i64, to: i64) {
        let chunks = self.touching(from, to);
        if from > to || chunks.is_empty() {
            return;
        }
        let outside = |sample: &Sample| sample.at.0 < from || sample.at.0 > to;
        self.rebuild(chunks, |old| old.retain(outside));
    }

    /// Puts samples in their places; of two for one time the later one counts.
    pub(super) fn merge(&mut self, samples: &[Sample], taken: &mut Taken) {
        let fresh = in_order(samples);
        taken.holes += (samples.iter().filter(|sample| sample.value.is_nan())).count() as u64;
        taken.samples += fresh.len() as u64;
        if let (Some(first), Some(last)) = (fresh.first(), fresh.last()) {
            let chunks = self.touching(first.at.0, last.at.0);
            self.rebuild(chunks, |old| *old = merged(old, &fresh));
        }
    }

    /// What lies in each slice; `out` has a slot for each.
    pub(super) fn columns(&self, slices: &Slices, reach: i64, out: &mut [Option<Column>]) {
        let mut before = self.finite_before(slices.from());
        for chunk in self.within(slices.from(), slices.to()) {
            let (mut at, end) = inside(chunk, slices.from(), slices.to());
            while let Some(slice) = chunk.get(at).and_then(|sample| slices.of(sample.at.0)) {
                let border = slices.end(slice);
                let next = if chunk.last_at() < border {
                    end
                } else {
                    chunk.earlier(border)
                };
                let part = chunk.part(at..next);
                if let (Some(part), Some(slot)) = (part, out.get_mut(slice)) {
                    let near = |last: i64| part.first.at.0.saturating_sub(last) <= reach;
                    grow(slot, &part, before.is_some_and(near));
                    before = Some(part.last.at.0);
                }
                at = next.max(at + 1);
            }
        }
    }

    /// The latest sample at a moment or before.
    pub(super) fn at_or_before(&self, moment: i64) -> Option<Sample> {
        let after = self.chunks.partition_point(|c| c.first_at() <= moment);
        let chunk = self.chunks.get(after.checked_sub(1)?)?;
        // No sample's time is the largest number there is.
        let earlier = chunk.earlier(moment.saturating_add(1));
        chunk.get(earlier.checked_sub(1)?)
    }

    /// The lowest and the highest finite sample of `[from, to)`.
    pub(super) fn bounds(&self, from: i64, to: i64) -> Option<(f64, f64)> {
        let parts = self.within(from, to).iter().filter_map(|chunk| {
            let (start, end) = inside(chunk, from, to);
            chunk.part(start..end)
        });
        parts
            .map(|part| (part.low, part.high))
            .reduce(|a, b| (a.0.min(b.0), a.1.max(b.1)))
    }

    /// The highest finite sample of `[from, to)`, if it is above a value.
    pub(super) fn peak(&self, from: i64, to: i64, mut above: f64) -> Option<Sample> {
        let mut best = None;
        for chunk in self.within(from, to) {
            if chunk.high() <= above {
                continue;
            }
            let (start, end) = inside(chunk, from, to);
            let part = chunk.part(start..end);
            if let Some(part) = part.filter(|part| part.high > above) {
                above = part.high;
                best = chunk.find(start..end, part.high);
            }
        }
        best
    }

    /// Bytes of memory held.
    pub(super) fn heap_bytes(&self) -> usize {
        let texts = self.labels.iter();
        let labels = texts.map(|(name, value)| name.len() + value.len() + size_of::<[String; 2]>());
        self.chunks.capacity() * size_of::<Chunk>()
            + self.chunks.iter().map(Chunk::heap_bytes).sum::<usize>()
            + labels.sum::<usize>()
    }

    /// The places of the chunks with samples in `[from, to]`.
    fn touching(&self, from: i64, to: i64) -> Range<usize> {
        let start = self.chunks.partition_point(|c| c.last_at() < from);
        let end = self.chunks.partition_point(|c| c.first_at() <= to);
        start..end.max(start)
    }

    /// The chunks with samples in `[from, to)`.
    fn within(&self, from: i64, to: i64) -> &[Chunk] {
        let start = self.chunks.partition_point(|c| c.last_at() < from);
        let end = self.chunks.partition_point(|c| c.first_at() < to);
        self.chunks.get(start..end).unwrap_or(&[])
    }

    /// The time of the last finite sample before a moment.
    fn finite_before(&self, moment: i64) -> Option<i64> {
        let end = self.chunks.partition_point(|c| c.first_at() < moment);
        let chunks = self.chunks.get(..end)?.iter().rev();
        let mut found = chunks.filter_map(|chunk| chunk.last_finite(0..chunk.earlier(moment)));
        found.next().map(|sample| sample.at.0)
    }

    /// Changes the samples of some chunks, and cuts them anew together with neighbours that are
    /// not full.
    fn rebuild(&mut self, chunks: Range<usize>, change: impl FnOnce(&mut Vec<Sample>)) {
        let partial = |place: usize| {
            let chunk = self.chunks.get(place);
            chunk.is_some_and(|chunk| chunk.len() < self.room)
        };
        let start = chunks.start.checked_sub(1).filter(|at| partial(*at));
        let start = start.unwrap_or(chunks.start);
        let end = chunks.end + usize::from(partial(chunks.end));
        let mut samples = Vec::new();
        for chunk in self.chunks.get(start..end).unwrap_or(&[]) {
            samples.extend(chunk.samples(0..chunk.len()));
        }
        change(&mut samples);
        let cut = Chunk::cut(&samples, self.room);
        self.chunks.splice(start..end, cut);
    }
}

/// The places of a chunk's samples in `[from, to)`.
fn inside(chunk: &Chunk, from: i64, to: i64) -> (usize, usize) {
    (chunk.earlier(from), chunk.earlier(to))
}

fn grow(slot: &mut Option<Column>, part: &Part, joined: bool) {
    match slot {
        Some(column) => {
            column.min = column.min.min(part.low);
            column.max = column.max.max(part.high);
            column.last = part.last.value;
        }
        None => {
            *slot = Some(Column {
                min: part.low,
                max: part.high,
                first: part.first.value,
                last: part.last.value,
                joined,
            });
        }
    }
}

/// The samples that have a value, at whole milliseconds, ascending; of two for one time the
/// later one.
fn in_order(samples: &[Sample]) -> Vec<Sample> {
    let values = samples.iter().filter(|sample| !sample.value.is_nan());
    let mut fresh: Vec<_> = values
        .map(|sample| Sample {
            at: Micros(whole(sample.at)),
            value: sample.value,
        })
        .collect();
    if !fresh.is_sorted_by(|a, b| a.at < b.at) {
        fresh.sort_by_key(|sample| sample.at);
        // The first of two is the one that stays.
        fresh.reverse();
        fresh.dedup_by_key(|sample| sample.at);
        fresh.reverse();
    }
    fresh
}

/// Both in the order of time; of two for one time the fresh one.
fn merged(old: &[Sample], fresh: &[Sample]) -> Vec<Sample> {
    let mut all = Vec::with_capacity(old.len() + fresh.len());
    let mut left = old.iter().copied().peekable();
    for sample in fresh {
        while let Some(earlier) = left.next_if(|other| other.at < sample.at) {
            all.push(earlier);
        }
        left.next_if(|other| other.at == sample.at);
        all.push(*sample);
    }
    all.extend(left);
    all
}
