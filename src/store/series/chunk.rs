//! Samples of one series that are kept together, with a summary of them.

use std::ops::Range;

use crate::model::Micros;
use crate::model::sample::Sample;

/// Microseconds of an offset's unit.
const UNIT: i64 = 1000;

/// At least one sample, ascending by time; none is NaN.
#[derive(Clone, Debug)]
pub(super) struct Chunk {
    /// The time of the first one.
    base: i64,
    /// Milliseconds from there.
    offsets: Vec<u32>,
    values: Vec<f64>,
    /// The lowest and the highest finite value.
    low: f64,
    high: f64,
    /// How many are infinite.
    infinite: usize,
}

/// The finite ones among some samples of a chunk.
#[derive(Clone, Copy, Debug)]
pub(super) struct Part {
    pub(super) low: f64,
    pub(super) high: f64,
    pub(super) first: Sample,
    pub(super) last: Sample,
}

impl Chunk {
    /// Cuts samples, whose times are whole milliseconds and ascend, into chunks of at most
    /// `room`.
    pub(super) fn cut(samples: &[Sample], room: usize) -> Vec<Self> {
        let mut chunks = Vec::new();
        let mut rest = samples;
        while let Some(first) = rest.first() {
            let base = first.at.0;
            let fitting = rest.iter().take(room.max(1));
            let offsets: Vec<u32> = fitting.map_while(|sample| offset(base, sample)).collect();
            let (head, tail) = rest.split_at_checked(offsets.len()).unwrap_or((rest, &[]));
            chunks.push(Self::new(base, offsets, head));
            rest = tail;
        }
        chunks
    }

    fn new(base: i64, mut offsets: Vec<u32>, samples: &[Sample]) -> Self {
        offsets.shrink_to_fit();
        let values: Vec<f64> = samples.iter().map(|sample| sample.value).collect();
        let infinite = values.iter().filter(|value| value.is_infinite()).count();
        let (low, high) = extremes(&values);
        Self {
            base,
            offsets,
            values,
            low,
            high,
            infinite,
        }
    }

    /// How many samples.
    pub(super) fn len(&self) -> usize {
        self.values.len()
    }

    /// How many of them are infinite.
    pub(super) fn infinite(&self) -> usize {
        self.infinite
    }

    /// The highest finite one; negative infinity if there is none.
    pub(super) fn high(&self) -> f64 {
        self.high
    }

    /// The time of the first sample.
    pub(super) fn first_at(&self) -> i64 {
        self.base
    }

    /// The time of the last sample.
    pub(super) fn last_at(&self) -> i64 {
        self.base
            + self
                .offsets
                .last()
                .map_or(0, |last| i64::from(*last) * UNIT)
    }

    /// A sample.
    pub(super) fn get(&self, at: usize) -> Option<Sample> {
        let offset = self.offsets.get(at)?;
        Some(Sample {
            at: Micros(self.base + i64::from(*offset) * UNIT),
            value: *self.values.get(at)?,
        })
    }

    /// All of them, or some.
    pub(super) fn samples(&self, range: Range<usize>) -> impl Iterator<Item = Sample> {
        range.map_while(|at| self.get(at))
    }

    /// How many samples are earlier than `moment`.
    pub(super) fn earlier(&self, moment: i64) -> usize {
        let past = moment.saturating_sub(self.base);
        self.offsets
            .partition_point(|offset| i64::from(*offset) * UNIT < past)
    }

    /// The finite ones of a range.
    pub(super) fn part(&self, range: Range<usize>) -> Option<Part> {
        let (low, high) = if range == (0..self.len()) {
            (self.low, self.high)
        } else {
            extremes(self.values.get(range.clone())?)
        };
        Some(Part {
            low,
            high,
            first: self.samples(range.clone()).find(is_finite)?,
            last: self.last_finite(range)?,
        })
    }

    /// The last finite one of a range.
    pub(super) fn last_finite(&self, range: Range<usize>) -> Option<Sample> {
        range.rev().filter_map(|at| self.get(at)).find(is_finite)
    }

    /// The earliest sample of a range that has this value.
    pub(super) fn find(&self, range: Range<usize>, value: f64) -> Option<Sample> {
        self.samples(range)
            .find(|sample| sample.value.total_cmp(&value).is_eq())
    }

    /// Bytes of memory held.
    pub(super) fn heap_bytes(&self) -> usize {
        self.offsets.capacity() * size_of::<u32>() + self.values.capacity() * size_of::<f64>()
    }
}

fn is_finite(sample: &Sample) -> bool {
    sample.value.is_finite()
}

/// Milliseconds of a sample from a chunk's base; none if they are too many.
fn offset(base: i64, sample: &Sample) -> Option<u32> {
    u32::try_from(sample.at.0.checked_sub(base)? / UNIT).ok()
}

/// The lowest and the highest finite value; positive and negative infinity if there is none.
fn extremes(values: &[f64]) -> (f64, f64) {
    let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
    for value in values.iter().copied() {
        // An infinity is never below the lowest, nor above the highest, but for the other one.
        if value < low && value > f64::NEG_INFINITY {
            low = value;
        }
        if value > high && value < f64::INFINITY {
            high = value;
        }
    }
    (low, high)
}
