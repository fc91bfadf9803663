//! Where a pane looks. The place is kept as a line and the row of the screen that it stands
//! on, so that filters come and go without losing it.

use crate::store::LineId;
use crate::text::width;

use super::Pane;
use super::pieces::{Piece, Pieces};

/// The column of time stamps.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum StampColumn {
    /// None.
    #[default]
    None,
    /// `15:04:05`.
    Short,
    /// `2006-01-02 15:04:05.000`.
    Full,
    /// `12s`, `3m`: how long ago.
    Relative,
}

/// The column of sources.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum SourceColumn {
    /// None.
    None,
    /// A few characters.
    #[default]
    Short,
    /// The whole name.
    Full,
}

/// Where a pane looks.
#[derive(Clone, Debug)]
pub struct Viewport {
    /// New lines scroll in at the bottom.
    pub follow: bool,
    /// Rows from this one on are not shown: the display is paused.
    pub paused: Option<LineId>,
    /// The line we look at.
    pub cursor: LineId,
    /// The row of the screen that its first row stands on; may lie above the screen.
    pub row: i64,
    /// Columns scrolled to the right.
    pub left: usize,
    /// Long lines go on in the next row.
    pub wrap: bool,
    /// JSON lines take several rows.
    pub pretty: bool,
    /// The other end of the selection.
    pub select: Option<LineId>,
    /// Time stamps.
    pub stamps: StampColumn,
    /// Sources.
    pub sources: SourceColumn,
}

impl Default for Viewport {
    fn default() -> Self {
        Self {
            follow: true,
            paused: None,
            cursor: LineId(0),
            row: 0,
            left: 0,
            wrap: false,
            pretty: false,
            select: None,
            stamps: StampColumn::default(),
            sources: SourceColumn::default(),
        }
    }
}

/// The size of the part of a pane that shows text.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Size {
    /// Columns.
    pub cols: usize,
    /// Rows.
    pub rows: usize,
}

/// One row of the screen.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ScreenRow {
    /// Counted from the top of the pane's text.
    pub at: usize,
    /// The row of the store.
    pub line: LineId,
    /// Which piece of it.
    pub piece: Piece,
    /// Its first piece.
    pub first: bool,
}

impl Pane {
    /// How many rows of the screen a row of the store takes.
    fn height(&self, id: LineId, size: Size) -> i64 {
        let row = self.store.get(id);
        let height = row.map_or(1, |row| {
            Pieces::of(&row, self.view.pretty).height(size.cols, self.view.wrap)
        });
        i64::try_from(height.max(1)).unwrap_or(1)
    }

    /// The cursor, and the row of the screen it stands on.
    fn anchor(&self, size: Size) -> Option<(LineId, i64)> {
        let cursor = self.cursor()?;
        let height = self.height(cursor, size);
        if self.view.follow {
            return Some((cursor, rows_of(size) - height));
        }
        // Other sizes, wrapping and filters change heights: a row of the cursor is always seen.
        let row = self.view.row.min(rows_of(size) - 1).max(1 - height);
        Some((cursor, row))
    }

    /// What is on the screen, from top to bottom.
    pub fn screen(&self, size: Size) -> Vec<ScreenRow> {
        let Some((cursor, row)) = self.anchor(size) else {
            return Vec::new();
        };
        let (mut top, mut at) = (cursor, row);
        while at > 0 {
            let Some(before) = self.prev(top) else { break };
            top = before;
            at -= self.height(top, size);
        }
        if self.view.follow {
            // Few lines stand at the top.
            at = at.min(0);
        }
        let mut rows = Vec::with_capacity(size.rows);
        let mut line = Some(top);
        while let Some(id) = line
            && at < rows_of(size)
        {
            at = self.put(id, at, size, &mut rows);
            line = self.next(id);
        }
        rows
    }

    fn put(&self, id: LineId, at: i64, size: Size, rows: &mut Vec<ScreenRow>) -> i64 {
        let Some(row) = self.store.get(id) else {
            return at + 1;
        };
        let mut next = at;
        for (index, piece) in Pieces::of(&row, self.view.pretty)
            .rows(size.cols, self.view.wrap)
            .into_iter()
            .enumerate()
        {
            if let Ok(at) = usize::try_from(next)
                && at < size.rows
            {
                rows.push(ScreenRow {
                    at,
                    line: id,
                    piece,
                    first: index == 0,
                });
            }
            next += 1;
        }
        next
    }

    /// The row of the screen that a line's first row stands on, above the screen or not; none if
    /// nothing of it is seen.
    fn row_of(&self, id: LineId, size: Size) -> Option<i64> {
        let seen = self.screen(size).into_iter().find(|row| row.line == id)?;
        let pieces = Pieces::of(&self.store.get(id)?, self.view.pretty);
        let above = pieces
            .rows(size.cols, self.view.wrap)
            .iter()
            .position(|piece| *piece == seen.piece)?;
        Some(i64::try_from(seen.at).ok()? - i64::try_from(above).ok()?)
    }

    /// Stops following, where it stands.
    pub fn hold(&mut self, size: Size) {
        if let Some((cursor, row)) = self.anchor(size) {
            // Few lines stand at the top while they are followed.
            let seen = self.row_of(cursor, size).filter(|_| self.view.follow);
            self.view.row = seen.unwrap_or(row);
            self.view.cursor = cursor;
            self.view.follow = false;
        }
    }

    /// Follows again, and shows what came while paused.
    pub fn follow(&mut self) {
        self.view.follow = true;
        self.view.paused = None;
    }

    /// Moves the cursor by so many lines, scrolling as needed.
    pub fn walk(&mut self, lines: i64, size: Size) {
        self.hold(size);
        for _ in 0..lines.unsigned_abs() {
            if lines > 0 {
                self.down(size);
            } else {
                self.up(size);
            }
        }
    }

    fn down(&mut self, size: Size) {
        let Some(cursor) = self.cursor() else { return };
        let height = self.height(cursor, size);
        if self.view.row + height > rows_of(size) {
            self.view.row -= 1;
        } else if let Some(next) = self.next(cursor) {
            let tall = self.height(next, size).min(rows_of(size));
            self.view.cursor = next;
            self.view.row = (self.view.row + height).min(rows_of(size) - tall).max(0);
        }
    }

    fn up(&mut self, size: Size) {
        let Some(cursor) = self.cursor() else { return };
        if self.view.row < 0 {
            self.view.row += 1;
        } else if let Some(before) = self.prev(cursor) {
            let height = self.height(before, size);
            self.view.cursor = before;
            self.view.row = (self.view.row - height).max((rows_of(size) - height).min(0));
        }
    }

    /// Scrolls by so many rows of the screen; the cursor stays on it. Scrolling down past the
    /// last row changes nothing.
    pub fn scroll(&mut self, rows: i64, size: Size) {
        self.hold(size);
        let Some(mut cursor) = self.cursor().filter(|_| size.rows > 0) else {
            return;
        };
        let mut row = self.view.row - rows;
        loop {
            let height = self.height(cursor, size);
            if row + height <= 0
                && let Some(next) = self.next(cursor)
            {
                cursor = next;
                row += height;
            } else if row >= rows_of(size)
                && let Some(before) = self.prev(cursor)
            {
                cursor = before;
                row -= self.height(before, size);
            } else {
                break;
            }
        }
        (self.view.cursor, self.view.row) = (cursor, row);
        self.settle(size, rows);
    }

    /// Leaves no empty rows above the first line, nor below the last one where there is more
    /// above.
    fn settle(&mut self, size: Size, moved: i64) {
        let (cursor, row) = (self.view.cursor, self.view.row);
        let (mut line, mut end) = (cursor, row + self.height(cursor, size));
        while end < rows_of(size)
            && let Some(next) = self.next(line)
        {
            line = next;
            end += self.height(next, size);
        }
        let blank = rows_of(size) - end;
        if blank > 0 {
            self.view.row += blank;
            if moved > 0 {
                self.view.cursor = line;
                self.view.row = rows_of(size) - self.height(line, size);
            }
        }
        let (mut line, mut top) = (self.view.cursor, self.view.row);
        while top > 0
            && let Some(before) = self.prev(line)
        {
            line = before;
            top -= self.height(before, size);
        }
        if top > 0 {
            self.view.row -= top;
            if moved < 0 {
                self.view.cursor = line;
                self.view.row = 0;
            }
        }
    }

    /// Looks at `id`: where it stands if it is on the screen, else in the upper third.
    pub fn look_at(&mut self, id: LineId, size: Size) {
        self.hold(size);
        let seen = self.row_of(id, size);
        self.view.cursor = id;
        self.view.row = seen.unwrap_or(rows_of(size) / 3);
        if seen.is_none() {
            self.settle(size, 0);
        }
    }

    /// Scrolls sideways so that the first hit of the search in `id` can be seen.
    pub fn reveal(&mut self, id: LineId, size: Size) {
        if self.view.wrap {
            return;
        }
        let row = self.store.get(id).and_then(crate::store::line::Row::line);
        let (Some(line), Some(search)) = (row, &self.search) else {
            return;
        };
        let Some(hit) = search.pattern.find_iter(line.as_str()).next() else {
            return;
        };
        let column = |at: usize| width::cells(line.as_str().get(..at).unwrap_or(""));
        let (from, to) = (column(hit.start), column(hit.end));
        if from < self.view.left || to > self.view.left + size.cols {
            self.view.left = if to <= size.cols {
                0
            } else {
                from.saturating_sub(size.cols / 3)
            };
        }
    }

    /// Looks at the first line.
    pub fn top(&mut self, size: Size) {
        self.hold(size);
        self.view.row = 0;
        self.view.cursor = self.first().unwrap_or_default();
    }

    /// The selected rows, first and last; the cursor's alone without a selection.
    pub fn selection(&self) -> Option<(LineId, LineId)> {
        let cursor = self.cursor()?;
        let other = self.view.select.unwrap_or(cursor);
        Some((cursor.min(other), cursor.max(other)))
    }
}

fn rows_of(size: Size) -> i64 {
    i64::try_from(size.rows).unwrap_or(0)
}
