//! What can be asked of a segment.

use std::borrow::Cow;
use std::ops::Range;

use crate::model::{Level, Mark, Micros, RowFlags, TargetId};
use crate::text::{SafeText, StyleRun, sanitise};

use super::{FLAGS, INHERITED, LEVEL, LEVEL_SHIFT, MARK, MarkRow, Segment};
use crate::pages::{PAGE, Packed};
use crate::store::line::Origin;
use crate::store::patch;

impl Segment {
    /// Lines and marks.
    pub fn rows(&self) -> usize {
        self.facts.len()
    }

    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.facts.is_empty()
    }

    /// Rows that are lines.
    pub fn lines(&self) -> usize {
        self.rows() - self.marks.len()
    }

    /// All rows' text, each with its `\n`: UTF-8.
    pub fn bytes(&self) -> &[u8] {
        self.text.bytes()
    }

    /// The offset of each row's `\n` in [`Segment::bytes`].
    pub fn ends(&self) -> &[u32] {
        self.text.ends()
    }

    /// What is shown of a row; empty for a mark.
    pub fn line(&self, row: usize) -> &str {
        self.text.line(row)
    }

    /// The same as bytes, to search in.
    pub fn line_bytes(&self, row: usize) -> &[u8] {
        self.text.line_bytes(row)
    }

    /// The same as [`SafeText`].
    pub fn text(&self, row: usize) -> SafeText<'_> {
        self.text.text(row)
    }

    /// The mark at this row and its target, if it is one.
    pub fn mark(&self, row: usize) -> Option<(TargetId, &Mark)> {
        let row = u16::try_from(row).ok()?;
        let at = self
            .marks
            .binary_search_by_key(&row, |mark| mark.row)
            .ok()?;
        self.marks.get(at).map(|mark| (mark.target, &mark.mark))
    }

    /// The rows of a range that are marks, ascending.
    pub fn mark_rows(&self, rows: Range<usize>) -> impl Iterator<Item = usize> {
        let below = |row: usize| {
            self.marks
                .partition_point(|mark| usize::from(mark.row) < row)
        };
        let marks = self.marks.get(below(rows.start)..below(rows.end));
        let marks = marks.unwrap_or(&[]).iter();
        marks.map(|mark| usize::from(mark.row))
    }

    /// Where a row comes from.
    pub fn origin(&self, row: usize) -> Option<&Origin> {
        self.origins.get(self.origin_number(row))
    }

    /// The origins of this segment.
    pub fn origins(&self) -> &[Origin] {
        &self.origins
    }

    /// Index into [`Segment::origins`] of a row.
    pub fn origin_number(&self, row: usize) -> usize {
        self.origin_of
            .get(row)
            .map_or(0, |origin| usize::from(*origin))
    }

    /// What a row says of its severity.
    pub fn level(&self, row: usize) -> Level {
        if self.fact(row) & INHERITED == 0 {
            self.filter_level(row)
        } else {
            Level::None
        }
    }

    /// Its own level or that of the nearest row above of the same origin.
    pub fn filter_level(&self, row: usize) -> Level {
        let level = usize::from((self.fact(row) & LEVEL) >> LEVEL_SHIFT);
        Level::ALL.get(level).copied().unwrap_or_default()
    }

    /// What is special about a row.
    pub fn flags(&self, row: usize) -> RowFlags {
        RowFlags(self.fact(row) & FLAGS)
    }

    /// Arrival of a row.
    pub fn recv(&self, row: usize) -> Option<Micros> {
        let row = i64::try_from(row).ok()?;
        let next = self.recv.partition_point(|[first, _]| *first <= row);
        let [_, recv] = self.recv.get(next.checked_sub(1)?)?;
        Some(Micros(*recv))
    }

    /// The wire's time stamp of a row.
    pub fn stamp(&self, row: usize) -> Option<Micros> {
        let at = self
            .stamp_rows
            .binary_search(&u16::try_from(row).ok()?)
            .ok()?;
        self.stamps.get(at).copied().map(Micros)
    }

    /// The bytes received for a row, where its shown text differs from them.
    pub fn raw(&self, row: usize) -> Option<Cow<'_, [u8]>> {
        self.raw_entry(row)
            .map(|entry| patch::decode(entry, self.line(row)))
    }

    /// The styles of a row.
    pub fn runs(&self, row: usize) -> Vec<StyleRun> {
        let Some(entry) = self.raw_entry(row) else {
            return Vec::new();
        };
        if patch::is_steps(entry) {
            let raw = patch::decode(entry, self.line(row));
            let mut runs = Vec::new();
            let line = raw.strip_suffix(b"\r").unwrap_or(&raw);
            sanitise::append(line, &mut String::with_capacity(raw.len()), &mut runs);
            return runs;
        }
        let first = self.runs.partition_point(|(at, _)| usize::from(*at) < row);
        let runs = self.runs.iter().skip(first);
        let of_row = runs.take_while(|(at, _)| usize::from(*at) == row);
        of_row.map(|(_, run)| *run).collect()
    }

    /// Bytes of memory held. Names of sources are shared and not counted.
    pub fn heap_bytes(&self) -> usize {
        let words = |mark: &MarkRow| match &mark.mark {
            Mark::Reconnected { why, .. } | Mark::Gap { why, .. } | Mark::Notice(why) => {
                why.as_str().len()
            }
            Mark::Dropped { .. } | Mark::Join(_) | Mark::Leave(_) => 0,
        };
        // Whole pages as long as each table has its own, or else a pack's.
        let tables = self.tables().map(Packed::heap_bytes);
        tables.iter().sum::<usize>().next_multiple_of(PAGE)
            + self.origins.capacity() * size_of::<Origin>()
            + self.levels.capacity()
            + self.carried.capacity() * size_of::<(Origin, Level)>()
            + self.runs.capacity() * size_of::<(u16, StyleRun)>()
            + self.marks.capacity() * size_of::<MarkRow>()
            + self.marks.iter().map(words).sum::<usize>()
    }

    fn raw_entry(&self, row: usize) -> Option<&[u8]> {
        if !self.flags(row).has(RowFlags::CHANGED) {
            return None;
        }
        let at = self
            .raw_rows
            .binary_search(&u16::try_from(row).ok()?)
            .ok()?;
        let before = at
            .checked_sub(1)
            .and_then(|before| self.raw_ends.get(before));
        let start = before.map_or(0, |end| *end as usize);
        self.raw.get(start..*self.raw_ends.get(at)? as usize)
    }

    fn fact(&self, row: usize) -> u8 {
        self.facts.get(row).copied().unwrap_or(0)
    }

    /// Whether a row is a mark.
    pub fn is_mark(&self, row: usize) -> bool {
        self.fact(row) & MARK != 0
    }
}
