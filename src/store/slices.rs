//! A stretch of time in equal slices, one for each column of a chart.

use crate::model::Micros;

/// So many slices at most; no terminal has as many columns.
const MOST: usize = 1 << 17;

/// `[from, to)` in equal slices. Slice `i` starts at `from + (to - from) * i / width`, rounded
/// down to whole microseconds.
#[derive(Clone, Copy, Debug)]
pub(super) struct Slices {
    from: i64,
    to: i64,
    span: i128,
    width: i128,
}

impl Slices {
    /// Slices of `[from, to)`, as many as `out` gets slots; none if there is nothing to slice.
    pub(super) fn new<T: Clone>(
        (from, to): (Micros, Micros),
        width: usize,
        empty: T,
        out: &mut Vec<T>,
    ) -> Option<Self> {
        out.clear();
        out.resize(width.min(MOST), empty);
        let width = i128::try_from(out.len()).ok()?;
        (from < to && width > 0).then(|| Self {
            from: from.0,
            to: to.0,
            span: i128::from(to.0) - i128::from(from.0),
            width,
        })
    }

    /// The start of the first one.
    pub(super) fn from(&self) -> i64 {
        self.from
    }

    /// The end of the last one, exclusive.
    pub(super) fn to(&self) -> i64 {
        self.to
    }

    /// The slice that holds a moment: the last one that starts at it or before.
    pub(super) fn of(&self, at: i64) -> Option<usize> {
        if at < self.from || at >= self.to {
            return None;
        }
        let past = i128::from(at) - i128::from(self.from);
        usize::try_from(((past + 1) * self.width - 1) / self.span).ok()
    }

    /// The end of a slice, exclusive.
    pub(super) fn end(&self, slice: usize) -> i64 {
        let next = i128::try_from(slice).map_or(self.width, |slice| slice + 1);
        let past = self.span * next.min(self.width) / self.width;
        i64::try_from(i128::from(self.from) + past).unwrap_or(self.to)
    }
}
