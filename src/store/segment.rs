//! At most 1 MiB of lines: shown text in one piece, so that it can be searched in one go, and
//! two bytes a line of facts beside the end offset. Whatever few lines have is kept sparsely.

mod read;

use std::ops::Range;

use crate::model::{Level, LineBatch, LineRow, Mark, RowFlags, TargetId};
use crate::pages::{Pack, Packed, Pages};
use crate::text::{SafePage, StyleRun};

use super::line::Origin;
use super::patch;

/// Rows of a segment at most, so that a row number takes two bytes.
pub const MAX_ROWS: usize = 1 << 16;

/// A row counts for so many bytes at least, since what is known of it takes memory as well.
const ROW_BYTES: usize = 32;

/// Origins of a segment at most; the last number of a byte says "not known yet".
const MAX_ORIGINS: usize = 255;
const UNKNOWN: u8 = 255;

/// Origins whose last level is carried over from segment to segment; those that were silent
/// for longest are forgotten.
const MAX_CARRIED: usize = 1024;

// A row's byte: the flags of `RowFlags` (all three: a fourth needs another place), the level
// that filters go by, and two bits of its own.
const FLAGS: u8 = 0b0000_0111;
const LEVEL_SHIFT: u32 = 3;
const LEVEL: u8 = 0b0011_1000;
const INHERITED: u8 = 0b0100_0000;
const MARK: u8 = 0b1000_0000;

/// A block of rows. It is filled by the store alone; one that was sealed never changes, lies in
/// one piece of memory and can be shared between threads.
#[derive(Clone, Debug, Default)]
pub struct Segment {
    text: SafePage,
    /// One byte a row.
    facts: Pages<u8>,
    /// One byte a row: index into `origins`. Empty while there is but one origin.
    origin_of: Pages<u8>,
    origins: Vec<Origin>,
    /// The last level seen of each origin.
    levels: Vec<Level>,
    /// Levels that the segments before ended with.
    carried: Vec<(Origin, Level)>,
    /// From this row on lines arrived at this time, in microseconds since the epoch.
    recv: Pages<[i64; 2]>,
    stamp_rows: Pages<u16>,
    /// In microseconds since the epoch.
    stamps: Pages<i64>,
    /// Received bytes of the rows whose text differs, see [`patch`].
    raw: Pages<u8>,
    raw_rows: Pages<u16>,
    raw_ends: Pages<u32>,
    /// Styles of the rows that can't be had from their received bytes.
    runs: Vec<(u16, StyleRun)>,
    marks: Vec<MarkRow>,
}

/// A mark, its row and the target that it concerns.
#[derive(Clone, Debug)]
struct MarkRow {
    row: u16,
    target: TargetId,
    mark: Mark,
}

/// The number in a segment of a batch's sources, as far as they came up.
#[derive(Default)]
struct OriginCache {
    by_source: Vec<u8>,
    none: Option<u8>,
}

impl OriginCache {
    fn get(&self, source: u16) -> Option<u8> {
        if source == u16::MAX {
            return self.none;
        }
        let known = self.by_source.get(usize::from(source)).copied();
        known.filter(|index| *index != UNKNOWN)
    }

    fn set(&mut self, source: u16, index: u8) {
        if source == u16::MAX {
            self.none = Some(index);
            return;
        }
        let at = usize::from(source);
        if self.by_source.len() <= at {
            self.by_source.resize(at + 1, UNKNOWN);
        }
        if let Some(slot) = self.by_source.get_mut(at) {
            *slot = index;
        }
    }
}

impl Segment {
    /// An empty segment behind others that ended with these levels.
    pub(super) fn after(carried: Vec<(Origin, Level)>) -> Self {
        Self {
            carried,
            ..Self::default()
        }
    }

    /// The last level of each origin, for the segment that follows.
    pub(super) fn last_levels(&self) -> Vec<(Origin, Level)> {
        let levels = self.levels.iter().copied();
        let seen = self.origins.iter().cloned().zip(levels);
        let older = self.carried.iter();
        let older = older.filter(|(origin, _)| !self.origins.contains(origin));
        seen.chain(older.cloned())
            .filter(|(_, level)| *level != Level::None)
            .take(MAX_CARRIED)
            .collect()
    }

    /// Moves all rows into a segment that is as large as they need. This one is empty then and
    /// follows the other. Of its memory, which the system has not to make ready again, each
    /// table keeps at most `keep` bytes.
    pub(super) fn seal(&mut self, keep: usize) -> Self {
        self.carried = self.last_levels();
        let tables = self.tables();
        let bytes = tables.iter().map(|table| table.packed_bytes()).sum();
        let mut pack = Pack::with_room(bytes, keep);
        let mut full = Self {
            text: self.text.pack(&mut pack),
            facts: pack.take(&mut self.facts),
            origin_of: pack.take(&mut self.origin_of),
            origins: std::mem::take(&mut self.origins),
            levels: std::mem::take(&mut self.levels),
            carried: Vec::new(),
            recv: pack.take(&mut self.recv),
            stamp_rows: pack.take(&mut self.stamp_rows),
            stamps: pack.take(&mut self.stamps),
            raw: pack.take(&mut self.raw),
            raw_rows: pack.take(&mut self.raw_rows),
            raw_ends: pack.take(&mut self.raw_ends),
            runs: std::mem::take(&mut self.runs),
            marks: std::mem::take(&mut self.marks),
        };
        pack.finish();
        full.origins.shrink_to_fit();
        full.levels.shrink_to_fit();
        full.runs.shrink_to_fit();
        full.marks.shrink_to_fit();
        full
    }

    /// All that can be packed.
    fn tables(&self) -> [&dyn Packed; 9] {
        [
            &self.text,
            &self.facts,
            &self.origin_of,
            &self.recv,
            &self.stamp_rows,
            &self.stamps,
            &self.raw,
            &self.raw_rows,
            &self.raw_ends,
        ]
    }

    /// How many of the lines `lines` of a batch fit, with at most `bytes` of text and of bytes
    /// received in all. An empty segment takes one line of any length.
    pub(super) fn fitting(&self, batch: &LineBatch, lines: Range<usize>, bytes: usize) -> usize {
        let room = bytes.saturating_sub(self.text.bytes().len().max(self.raw.len()));
        let ends = batch.text().ends();
        let start = lines
            .start
            .checked_sub(1)
            .and_then(|before| ends.get(before));
        let start = start.map_or(0, |end| *end as usize + 1);
        let received = batch.fitting_raw(lines.clone(), room);
        let ends = ends.get(lines).unwrap_or(&[]);
        let fitting = ends.partition_point(|end| *end as usize + 1 - start <= room);
        let rows = (bytes / ROW_BYTES).min(MAX_ROWS);
        let fitting = fitting.min(received).min(rows.saturating_sub(self.rows()));
        fitting.max(usize::from(self.is_empty() && !ends.is_empty()))
    }

    /// Appends lines of a batch; how many were taken. It is less than all when there are too
    /// many origins.
    pub(super) fn push_lines(
        &mut self,
        target: TargetId,
        batch: &LineBatch,
        lines: Range<usize>,
    ) -> usize {
        let mut known = OriginCache::default();
        let rows = batch.rows().get(lines.clone()).unwrap_or(&[]);
        let mut end = lines.start;
        // Lines of one read have much in common, which is looked at once.
        for run in rows.chunk_by(|a, b| a.source == b.source && a.recv == b.recv) {
            let Some(first) = run.first() else { break };
            let Some(origin) = self.origin_index(target, batch, first, &mut known) else {
                break;
            };
            self.push_facts(origin, run);
            self.push_rare(batch, end, run);
            end += run.len();
        }
        self.text.push_text(batch.text(), lines.start..end);
        end - lines.start
    }

    /// Appends a mark as a row of its own, with empty text. False if there is no room.
    pub(super) fn push_mark(&mut self, target: TargetId, mark: &Mark) -> bool {
        if self.rows() >= MAX_ROWS {
            return false;
        }
        let (row, mark) = (self.next_row(), mark.clone());
        self.marks.push(MarkRow { row, target, mark });
        self.push_origin(0, 1);
        self.facts.push(MARK);
        self.text.push_empty();
        true
    }

    /// Arrival, origin, flags and levels of lines that have the first two in common.
    fn push_facts(&mut self, origin: u8, run: &[LineRow]) {
        let at = self.next_row();
        if let Some(row) = run.first()
            && self.recv.last().is_none_or(|[_, recv]| *recv != row.recv.0)
        {
            self.recv.push([i64::from(at), row.recv.0]);
        }
        self.push_origin(origin, run.len());
        let mut last = Level::None;
        if let Some(level) = self.levels.get(usize::from(origin)) {
            last = *level;
        }
        self.facts.extend(
            run.len(),
            run.iter().map(|row| {
                let flags = row.flags.0 & FLAGS;
                if row.level == Level::None {
                    flags | INHERITED | ((last as u8) << LEVEL_SHIFT)
                } else {
                    last = row.level;
                    flags | ((last as u8) << LEVEL_SHIFT)
                }
            }),
        );
        if let Some(level) = self.levels.get_mut(usize::from(origin)) {
            *level = last;
        }
    }

    /// Stamps and received bytes of the lines that have them; `first` is the first one's place
    /// in the batch.
    fn push_rare(&mut self, batch: &LineBatch, first: usize, run: &[LineRow]) {
        let base = self.rows() - run.len();
        for (at, row) in run.iter().enumerate() {
            let changed = row.flags.has(RowFlags::CHANGED);
            if !changed && row.stamp.is_none() {
                continue;
            }
            let number = u16::try_from(base + at).unwrap_or(u16::MAX);
            if let Some(stamp) = row.stamp {
                self.stamp_rows.push(number);
                self.stamps.push(stamp.0);
            }
            if changed {
                self.push_raw(number, batch, first + at);
            }
        }
    }

    fn push_raw(&mut self, row: u16, batch: &LineBatch, index: usize) {
        let raw = batch.raw(index).unwrap_or(&[]);
        let is_steps = patch::encode(raw, batch.text().line(index), &mut self.raw);
        self.raw_rows.push(row);
        let end = u32::try_from(self.raw.len()).unwrap_or(u32::MAX);
        self.raw_ends.push(end);
        if !is_steps {
            let runs = batch.text().runs(index);
            self.runs.extend(runs.map(|run| (row, run)));
        }
    }

    /// Before the rows themselves: their origin, for `count` of them.
    fn push_origin(&mut self, origin: u8, count: usize) {
        if self.origins.len() > 1 {
            self.origin_of.resize(self.rows(), 0);
            self.origin_of.resize(self.rows() + count, origin);
        }
    }

    fn origin_index(
        &mut self,
        target: TargetId,
        batch: &LineBatch,
        row: &LineRow,
        known: &mut OriginCache,
    ) -> Option<u8> {
        if let Some(index) = known.get(row.source) {
            return Some(index);
        }
        let source = batch.source(row).cloned();
        let index = self.intern(Origin { target, source })?;
        known.set(row.source, index);
        Some(index)
    }

    fn intern(&mut self, origin: Origin) -> Option<u8> {
        let at = self.origins.iter().position(|known| *known == origin);
        if let Some(at) = at {
            return u8::try_from(at).ok();
        }
        if self.origins.len() >= MAX_ORIGINS {
            return None;
        }
        let carried = self.carried.iter().find(|(known, _)| *known == origin);
        self.levels
            .push(carried.map_or(Level::None, |(_, level)| *level));
        self.origins.push(origin);
        u8::try_from(self.origins.len() - 1).ok()
    }

    fn next_row(&self) -> u16 {
        u16::try_from(self.rows()).unwrap_or(u16::MAX)
    }
}
