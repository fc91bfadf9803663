//! The lines of one pane, oldest to newest, in segments that are evicted whole. The budget is
//! the caller's: it asks for [`LogStore::heap_bytes`] and evicts where it likes.

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::Arc;

use crate::model::{LineBatch, Mark, TargetId};

use super::line::{LineId, LineRef, MarkRef, Row};
use super::segment::Segment;

/// Text of one segment, from performance.md 4: large enough that a scan runs at full speed,
/// small enough to be evicted whole.
pub const SEGMENT_BYTES: usize = 1 << 20;

/// What [`LogStore::push_batch`] added.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Appended {
    /// The first new row.
    pub first: LineId,
    /// How many rows, marks included.
    pub rows: u64,
}

/// What [`LogStore::evict_oldest`] took away.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Evicted {
    /// How many lines, marks not counted.
    pub lines: u64,
    /// The oldest row that is left, or the next to come.
    pub first_kept: LineId,
}

/// Lines and marks in order of arrival.
#[derive(Clone, Debug)]
pub struct LogStore {
    sealed: VecDeque<(LineId, Arc<Segment>)>,
    sealed_bytes: usize,
    open: Segment,
    open_first: LineId,
    /// Lines held.
    lines: u64,
    /// Lines evicted since the start.
    evicted: u64,
    segment_bytes: usize,
}

impl Default for LogStore {
    fn default() -> Self {
        Self::new()
    }
}

impl LogStore {
    /// An empty store.
    pub fn new() -> Self {
        Self::with_segment_bytes(SEGMENT_BYTES)
    }

    /// An empty store with segments of another size; small ones make tests thorough.
    pub fn with_segment_bytes(segment_bytes: usize) -> Self {
        Self {
            sealed: VecDeque::new(),
            sealed_bytes: 0,
            open: Segment::default(),
            open_first: LineId(0),
            lines: 0,
            evicted: 0,
            segment_bytes,
        }
    }

    /// Makes segments of another size from now on.
    pub fn set_segment_bytes(&mut self, segment_bytes: usize) {
        self.segment_bytes = segment_bytes;
    }

    /// Appends the lines and marks of a batch.
    pub fn push_batch(&mut self, target: TargetId, batch: &LineBatch) -> Appended {
        let first = self.end();
        let mut next = 0;
        for (before, mark) in batch.marks() {
            self.push_lines(target, batch, next..*before);
            next = next.max(*before);
            self.push_mark(target, mark);
        }
        self.push_lines(target, batch, next..batch.len());
        let rows = self.end().0 - first.0;
        Appended { first, rows }
    }

    /// Appends a mark.
    pub fn push_mark(&mut self, target: TargetId, mark: &Mark) -> Appended {
        if !self.open.push_mark(target, mark) {
            self.seal();
            self.open.push_mark(target, mark);
        }
        let first = LineId(self.end().0 - 1);
        Appended { first, rows: 1 }
    }

    /// Closes the open segment, if it has rows, so that it can be scanned elsewhere.
    pub fn seal(&mut self) {
        if self.open.is_empty() {
            return;
        }
        let full = self.open.seal(2 * self.segment_bytes);
        self.sealed_bytes += full.heap_bytes();
        let first = self.open_first;
        self.open_first.0 += full.rows() as u64;
        self.sealed.push_back((first, Arc::new(full)));
    }

    /// Drops the oldest segment; none if there is no row. The newest one goes only when it is
    /// the last.
    pub fn evict_oldest(&mut self) -> Option<Evicted> {
        if self.sealed.is_empty() {
            self.seal();
        }
        let (_, segment) = self.sealed.pop_front()?;
        self.sealed_bytes -= segment.heap_bytes();
        let lines = segment.lines() as u64;
        self.evicted += lines;
        self.lines -= lines;
        if self.is_empty() {
            self.open = Segment::after(self.open.last_levels());
        }
        let first_kept = self.first();
        Some(Evicted { lines, first_kept })
    }

    /// Lines evicted since the start, marks not counted.
    pub fn evicted(&self) -> u64 {
        self.evicted
    }

    /// Bytes of memory held, what it shares with a clone included.
    pub fn heap_bytes(&self) -> usize {
        self.sealed_bytes + self.open.heap_bytes()
    }

    /// The oldest row; equals [`LogStore::end`] if there is none.
    pub fn first(&self) -> LineId {
        self.sealed
            .front()
            .map_or(self.open_first, |(first, _)| *first)
    }

    /// One past the newest row.
    pub fn end(&self) -> LineId {
        LineId(self.open_first.0 + self.open.rows() as u64)
    }

    /// How many rows are there, marks included.
    pub fn len(&self) -> u64 {
        self.end().0 - self.first().0
    }

    /// How many lines are there, marks not counted.
    pub fn lines(&self) -> u64 {
        self.lines
    }

    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// A row; none if it is evicted or has not come yet.
    pub fn get(&self, id: LineId) -> Option<Row<'_>> {
        let (first, segment) = self.segment_of(id)?;
        let row = usize::try_from(id.0.checked_sub(first.0)?).ok()?;
        if row >= segment.rows() {
            return None;
        }
        if !segment.is_mark(row) {
            return Some(Row::Line(LineRef::new(id, segment, row)));
        }
        let (target, mark) = segment.mark(row)?;
        let recv = segment.recv(row);
        Some(Row::Mark(MarkRef {
            id,
            target,
            recv,
            mark,
        }))
    }

    /// The rows of a range, as far as they are there, in order.
    pub fn rows(&self, ids: Range<LineId>) -> impl DoubleEndedIterator<Item = Row<'_>> {
        let ids = ids.start.max(self.first()).0..ids.end.min(self.end()).0;
        ids.filter_map(|id| self.get(LineId(id)))
    }

    /// The sealed segments with the number of their first row, oldest first.
    pub fn sealed(&self) -> impl DoubleEndedIterator<Item = (LineId, &Arc<Segment>)> {
        self.sealed.iter().map(|(first, segment)| (*first, segment))
    }

    /// The segment that is being filled, and the number of its first row.
    pub fn open(&self) -> (LineId, &Segment) {
        (self.open_first, &self.open)
    }

    /// The segments that hold rows of a range, in order, each with the number of its first row
    /// and which of its rows they are.
    pub fn parts(
        &self,
        ids: Range<LineId>,
    ) -> impl Iterator<Item = (LineId, &Segment, Range<usize>)> {
        let after = self
            .sealed
            .partition_point(|(first, _)| *first <= ids.start);
        let sealed = self.sealed.range(after.saturating_sub(1)..);
        let sealed = sealed.map(|(first, segment)| (*first, &**segment));
        sealed
            .chain([self.open()])
            .filter_map(move |(first, segment)| {
                let row = |id: LineId| {
                    let row = usize::try_from(id.0.saturating_sub(first.0)).unwrap_or(usize::MAX);
                    row.min(segment.rows())
                };
                let rows = row(ids.start)..row(ids.end);
                (!rows.is_empty()).then_some((first, segment, rows))
            })
    }

    fn push_lines(&mut self, target: TargetId, batch: &LineBatch, mut lines: Range<usize>) {
        while !lines.is_empty() {
            let fit = self.open.fitting(batch, lines.clone(), self.segment_bytes);
            let end = lines.start + fit;
            let taken = self.open.push_lines(target, batch, lines.start..end);
            lines.start += taken;
            self.lines += taken as u64;
            if taken < fit || fit == 0 {
                if self.open.is_empty() {
                    return;
                }
                self.seal();
            }
        }
    }

    fn segment_of(&self, id: LineId) -> Option<(LineId, &Segment)> {
        if id >= self.open_first {
            return Some((self.open_first, &self.open));
        }
        let after = self.sealed.partition_point(|(first, _)| *first <= id);
        let (first, segment) = self.sealed.get(after.checked_sub(1)?)?;
        Some((*first, segment))
    }
}
