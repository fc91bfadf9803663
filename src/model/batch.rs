//! Lines on their way: [`RawBatch`] as they came, [`LineBatch`] sanitised for showing. Both
//! hold many lines in few allocations, and keep marks (gaps, reconnects) in their place.

mod parts;

use std::ops::Range;

use crate::text::SafeArena;

use super::ident::{Micros, SourceName};
use super::level::Level;
use super::update::Mark;
use parts::{Names, SparseBytes};

/// What is special about a line, one bit each.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct RowFlags(pub u8);

impl RowFlags {
    /// The server sent it from its history.
    pub const REPLAY: u8 = 1;
    /// The line goes on in the next row: it was cut at our length limit.
    pub const CONTINUES: u8 = 2;
    /// The sanitised text differs from the bytes received.
    pub const CHANGED: u8 = 4;
    /// A further line of the message whose frame is kept with a row before.
    pub const WITHIN: u8 = 8;

    /// Whether the bit `flag` is set.
    pub fn has(self, flag: u8) -> bool {
        self.0 & flag != 0
    }

    /// These flags and `flag`.
    #[must_use]
    pub fn with(self, flag: u8) -> Self {
        Self(self.0 | flag)
    }
}

/// One line of a [`RawBatch`]: everything but its bytes.
#[derive(Clone, Copy, Debug)]
pub struct RawRow {
    /// End of its bytes; they start where the row before ends.
    pub end: u32,
    /// Which source; see [`RawBatch::source`]. `u16::MAX` for none.
    pub source: u16,
    /// What is special.
    pub flags: RowFlags,
    /// Severity, where the wire states one beside the line.
    pub level: Level,
    /// Arrival.
    pub recv: Micros,
    /// The wire's own time stamp, where it has one.
    pub stamp: Option<Micros>,
}

/// What is known of a line that is pushed, besides its bytes.
#[derive(Clone, Copy, Debug, Default)]
pub struct RowHead<'a> {
    /// Its source.
    pub source: Option<&'a SourceName>,
    /// What is special.
    pub flags: RowFlags,
    /// Severity, where the wire states one beside the line.
    pub level: Level,
    /// Arrival.
    pub recv: Micros,
    /// The wire's own time stamp, where it has one.
    pub stamp: Option<Micros>,
}

/// Lines as they came: without source prefix and without line end, otherwise byte for byte.
#[derive(Clone, Debug, Default)]
pub struct RawBatch {
    bytes: Vec<u8>,
    rows: Vec<RawRow>,
    sources: Names,
    marks: Vec<(usize, Mark)>,
    frames: SparseBytes,
    /// Bytes of the sources and of the marks, their texts included.
    beside: usize,
}

/// What [`RawBatch::iter`] and [`LineBatch::iter`] walk over: lines and marks in order.
#[derive(Debug)]
pub enum Item<'a, R> {
    /// Row number and row.
    Line(usize, R),
    /// Something that happened between two lines.
    Mark(&'a Mark),
}

impl RawBatch {
    /// An empty batch with room for another of the size of `last`.
    pub fn like(last: &Self) -> Self {
        Self {
            bytes: Vec::with_capacity(last.bytes.len()),
            rows: Vec::with_capacity(last.rows.len()),
            ..Self::default()
        }
    }

    /// Appends a line.
    pub fn push(&mut self, line: &[u8], head: &RowHead<'_>) {
        let source = head.source.map_or(u16::MAX, |name| {
            let (at, fresh) = self.sources.intern(name);
            if fresh {
                self.beside += name.weight();
            }
            at
        });
        self.bytes.extend_from_slice(line);
        let end = u32::try_from(self.bytes.len()).unwrap_or(u32::MAX);
        let RowHead {
            flags,
            level,
            recv,
            stamp,
            ..
        } = *head;
        self.rows.push(RawRow {
            end,
            source,
            flags,
            level,
            recv,
            stamp,
        });
    }

    /// Keeps `frame` as what the wire carried for the row pushed last: a line that was read
    /// out of a structured message (an event) is raw in its whole frame.
    pub fn keep_frame(&mut self, frame: &[u8]) {
        if let Some(row) = self.rows.len().checked_sub(1) {
            self.frames.push(row, frame);
        }
    }

    /// Appends a mark at its place.
    pub fn push_mark(&mut self, mark: Mark) {
        self.beside += mark.weight();
        self.marks.push((self.rows.len(), mark));
    }

    /// Puts a mark before everything else.
    pub fn lead_mark(&mut self, mark: Mark) {
        self.beside += mark.weight();
        self.marks.insert(0, (0, mark));
    }

    /// Puts a mark before row `row`, behind the marks that stand there.
    pub fn insert_mark(&mut self, row: usize, mark: Mark) {
        let at = self.marks.partition_point(|(before, _)| *before <= row);
        self.beside += mark.weight();
        self.marks.insert(at, (row, mark));
    }

    /// Looks at each mark with its number in the batch, and may change it; takes out those that
    /// `keep` does not want.
    pub fn revise_marks(&mut self, mut keep: impl FnMut(usize, &mut Mark) -> bool) {
        let (mut nth, mut beside) = (0, self.beside);
        self.marks.retain_mut(|(_, mark)| {
            nth += 1;
            beside -= mark.weight();
            let kept = keep(nth - 1, mark);
            beside += if kept { mark.weight() } else { 0 };
            kept
        });
        self.beside = beside;
    }

    /// Lets go of the lines, and of the marks that tell of none ([`Mark::is_account`]). How many
    /// such marks there were.
    pub fn keep_account(&mut self) -> u64 {
        let mut others = 0;
        let marks = std::mem::take(self).marks;
        for (_, mark) in marks {
            if mark.is_account() {
                self.account(mark);
            } else {
                others += 1;
            }
        }
        others
    }

    /// Takes over what [`RawBatch::keep_account`] has kept of the batch behind this one.
    pub fn take_account(&mut self, next: &mut Self) {
        for (_, mark) in std::mem::take(next).marks {
            self.account(mark);
        }
    }

    /// Appends a mark, or has the last one absorb it.
    fn account(&mut self, mark: Mark) {
        let last = self.marks.last_mut().map(|(_, last)| last);
        let Some(last) = last else {
            return self.push_mark(mark);
        };
        let before = last.weight();
        if last.absorb(&mark) {
            self.beside = self.beside + last.weight() - before;
        } else {
            self.push_mark(mark);
        }
    }

    /// Number of lines.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there is neither line nor mark.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty() && self.marks.is_empty()
    }

    /// Bytes that the batch weighs against a queue's budget.
    pub fn weight(&self) -> usize {
        self.bytes.len()
            + self.rows.len() * size_of::<RawRow>()
            + self.frames.weight()
            + self.beside
    }

    /// The rows.
    pub fn rows(&self) -> &[RawRow] {
        &self.rows
    }

    /// The bytes of row `index`; empty if there is no such row.
    pub fn line(&self, index: usize) -> &[u8] {
        let end = self.rows.get(index).map_or(0, |row| row.end as usize);
        let start = index
            .checked_sub(1)
            .and_then(|i| self.rows.get(i))
            .map_or(0, |row| row.end as usize);
        self.bytes.get(start..end).unwrap_or(&[])
    }

    /// The frame that row `index` was read out of, if it was kept.
    pub fn frame(&self, index: usize) -> Option<&[u8]> {
        self.frames.get(index)
    }

    /// The frame that row `index` was read out of, and the row that it is kept with: a message
    /// of several lines has its frame with the first.
    pub fn whole_frame(&self, index: usize) -> Option<(usize, &[u8])> {
        let row = self.rows.get(index)?;
        if row.flags.has(RowFlags::WITHIN) {
            return self.frames.last_until(index);
        }
        Some((index, self.frame(index)?))
    }

    /// The source of a row.
    pub fn source(&self, row: &RawRow) -> Option<&SourceName> {
        self.sources.get(row.source)
    }

    /// The marks, each with the row number that it stands before.
    pub fn marks(&self) -> &[(usize, Mark)] {
        &self.marks
    }

    /// Lines and marks in order.
    pub fn iter(&self) -> impl Iterator<Item = Item<'_, &RawRow>> {
        in_order(&self.rows, &self.marks)
    }

    /// Empties the batch and keeps its memory.
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.rows.clear();
        self.sources.clear();
        self.marks.clear();
        self.frames.clear();
        self.beside = 0;
    }
}

/// One line of a [`LineBatch`]: everything but its text.
#[derive(Clone, Copy, Debug)]
pub struct LineRow {
    /// Which source; see [`LineBatch::source`]. `u16::MAX` for none.
    pub source: u16,
    /// What is special.
    pub flags: RowFlags,
    /// Severity, read from the shown text.
    pub level: Level,
    /// Arrival.
    pub recv: Micros,
    /// The wire's own time stamp, where it has one.
    pub stamp: Option<Micros>,
}

/// Sanitised lines, ready for the store: text and styles in one arena, and the bytes received
/// for the rows whose text differs from them ([`RowFlags::CHANGED`]).
#[derive(Clone, Debug, Default)]
pub struct LineBatch {
    text: SafeArena,
    rows: Vec<LineRow>,
    sources: Names,
    marks: Vec<(usize, Mark)>,
    raw: SparseBytes,
}

impl LineBatch {
    /// Sanitises a batch; `level` reads the severity from a line's shown text.
    pub fn refine(batch: &RawBatch, level: impl Fn(&str) -> Level) -> Self {
        let mut fine = Self {
            text: SafeArena::with_capacity(batch.bytes.len() + batch.rows.len(), batch.rows.len()),
            rows: Vec::with_capacity(batch.rows.len()),
            sources: batch.sources.clone(),
            marks: batch.marks.clone(),
            ..Self::default()
        };
        for (index, row) in batch.rows.iter().enumerate() {
            let received = batch.line(index);
            let shown = received.strip_suffix(b"\r").unwrap_or(received);
            let same = fine.text.push(shown) && shown.len() == received.len();
            let raw = batch.frame(index).or((!same).then_some(received));
            let mut flags = row.flags;
            if let Some(raw) = raw {
                flags = flags.with(RowFlags::CHANGED);
                fine.raw.push(index, raw);
            }
            let level = match row.level {
                Level::None => level(fine.text.text(index).as_str()),
                stated => stated,
            };
            let (source, recv, stamp) = (row.source, row.recv, row.stamp);
            fine.rows.push(LineRow {
                source,
                flags,
                level,
                recv,
                stamp,
            });
        }
        fine
    }

    /// Number of lines.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there is neither line nor mark.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty() && self.marks.is_empty()
    }

    /// The texts and their styles; line `n` is row `n`.
    pub fn text(&self) -> &SafeArena {
        &self.text
    }

    /// The rows.
    pub fn rows(&self) -> &[LineRow] {
        &self.rows
    }

    /// The source of a row.
    pub fn source(&self, row: &LineRow) -> Option<&SourceName> {
        self.sources.get(row.source)
    }

    /// The marks, each with the row number that it stands before, in order.
    pub fn marks(&self) -> &[(usize, Mark)] {
        &self.marks
    }

    /// The bytes received for row `index`, where its shown text differs from them.
    pub fn raw(&self, index: usize) -> Option<&[u8]> {
        self.raw.get(index)
    }

    /// How many of these rows, from the first on, have at most `room` bytes of what
    /// [`LineBatch::raw`] gives in all.
    pub fn fitting_raw(&self, rows: Range<usize>, room: usize) -> usize {
        self.raw.fitting(rows, room)
    }

    /// Lines and marks in order.
    pub fn iter(&self) -> impl Iterator<Item = Item<'_, &LineRow>> {
        in_order(&self.rows, &self.marks)
    }
}

fn in_order<'a, R>(
    rows: &'a [R],
    marks: &'a [(usize, Mark)],
) -> impl Iterator<Item = Item<'a, &'a R>> {
    let mut next_mark = marks.iter().peekable();
    let mut next_row = rows.iter().enumerate();
    std::iter::from_fn(move || {
        let row = rows.len() - next_row.len();
        if let Some((_, mark)) = next_mark.next_if(|(at, _)| *at <= row) {
            return Some(Item::Mark(mark));
        }
        next_row.next().map(|(index, row)| Item::Line(index, row))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Certainty;
    use crate::text::SafeText;

    /// Lines by their bytes, marks by their reason, in order.
    fn told(batch: &RawBatch) -> Vec<String> {
        let word = |item: Item<'_, _>| match item {
            Item::Line(row, _) => String::from_utf8_lossy(batch.line(row)).into_owned(),
            Item::Mark(Mark::Gap { why, .. }) => why.to_string(),
            Item::Mark(_) => String::new(),
        };
        batch.iter().map(word).collect()
    }

    fn gap(why: &str) -> Mark {
        Mark::gap(Certainty::Possible, why)
    }

    #[test]
    fn marks_are_put_changed_and_taken_out_at_their_places() {
        let mut batch = RawBatch::default();
        for line in ["a", "b", "c"] {
            batch.push_mark(gap(&format!("before {line}")));
            batch.push(line.as_bytes(), &RowHead::default());
        }
        batch.push_mark(gap("end"));
        batch.insert_mark(0, gap("new at a"));
        batch.insert_mark(2, gap("new at c"));
        batch.insert_mark(3, gap("new end"));
        let want = [
            "before a", "new at a", "a", "before b", "b", "before c", "new at c", "c", "end",
            "new end",
        ];
        assert_eq!(told(&batch), want);
        let mut seen = Vec::new();
        batch.revise_marks(|nth, mark| {
            seen.push(nth);
            let keep = nth % 2 == 0;
            *mark = gap(&format!("mark {nth}"));
            keep
        });
        assert_eq!(seen, [0, 1, 2, 3, 4, 5, 6]);
        assert_eq!(
            told(&batch),
            ["mark 0", "a", "mark 2", "b", "mark 4", "c", "mark 6"]
        );
    }

    #[test]
    fn a_batch_weighs_all_that_it_holds() {
        let mut batch = RawBatch::default();
        let weight = |batch: &RawBatch, before: usize| batch.weight() - before;
        let text = "x".repeat(10_000);
        let name = SourceName::within(&[b'n'; 250], b"one");
        let head = RowHead {
            source: Some(&name),
            ..RowHead::default()
        };
        batch.push(b"line", &head);
        assert!(weight(&batch, 0) > 250);
        let before = batch.weight();
        batch.push(b"line", &head);
        assert!(weight(&batch, before) < 100, "a name is held once");
        let before = batch.weight();
        batch.keep_frame(&vec![b'x'; 50_000]);
        assert!(weight(&batch, before) > 50_000);
        for (mark, bytes) in [
            (gap(&text), 30_000),
            (Mark::Notice(SafeText::of(&text).into_owned()), 30_000),
            (Mark::Leave(name.clone()), 750),
        ] {
            let before = batch.weight();
            batch.push_mark(mark.clone());
            batch.lead_mark(mark.clone());
            batch.insert_mark(1, mark);
            assert!(weight(&batch, before) > bytes);
            batch.revise_marks(|_, _| false);
            assert_eq!(batch.weight(), before);
        }
    }

    #[test]
    fn what_was_received_fits_as_far_as_there_is_room() {
        let mut raw = RawBatch::default();
        for line in ["aa\r", "b", "ccc\r", "\r", "d", "", "eeeee\r", "f"] {
            raw.push(line.as_bytes(), &RowHead::default());
        }
        let batch = LineBatch::refine(&raw, |_| Level::None);
        let bytes = |rows: Range<usize>| -> usize {
            let raws = rows.filter_map(|row| batch.raw(row));
            raws.map(<[u8]>::len).sum()
        };
        assert_eq!(bytes(0..batch.len()), 14);
        for (from, to) in (0..=batch.len()).flat_map(|from| (from..=8).map(move |to| (from, to))) {
            for room in 0..20 {
                let most = (0..=to - from)
                    .rev()
                    .find(|count| bytes(from..from + count) <= room);
                assert_eq!(
                    Some(batch.fitting_raw(from..to, room)),
                    most,
                    "{from}..{to}, {room}"
                );
            }
        }
    }

    #[test]
    fn each_line_of_a_message_has_its_frame_and_others_have_none() {
        let mut batch = RawBatch::default();
        let within = RowHead {
            flags: RowFlags(RowFlags::WITHIN),
            ..RowHead::default()
        };
        batch.push(b"plain", &RowHead::default());
        for frame in ["first", "second"] {
            batch.push(b"a", &RowHead::default());
            batch.keep_frame(frame.as_bytes());
            batch.push(b"b", &within);
            batch.push(b"c", &within);
        }
        batch.push(b"plain", &RowHead::default());
        let frames: Vec<_> = (0..9).map(|row| batch.whole_frame(row)).collect();
        let (first, second) = (Some((1, &b"first"[..])), Some((4, &b"second"[..])));
        assert_eq!(
            frames,
            [
                None, first, first, first, second, second, second, None, None
            ]
        );
    }
}
