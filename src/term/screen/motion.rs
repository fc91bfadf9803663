//! Movements of the cursor, with margins and origin mode as in xterm; the library's own forget
//! both (its CUU leaves the scroll region, its CHA in origin mode goes down).

use alacritty_terminal::index::{Column, Line};
use alacritty_terminal::term::TermMode;
use alacritty_terminal::vte::ansi::{Handler, NamedPrivateMode};

use super::machine::Machine;

impl Machine {
    /// The cursor's line.
    pub(super) fn line(&self) -> usize {
        usize::try_from(self.term.grid().cursor.point.line.0).unwrap_or(0)
    }

    /// The cursor's column.
    pub(super) fn column(&self) -> usize {
        self.term.grid().cursor.point.column.0
    }

    /// Puts the cursor somewhere on the screen.
    fn put(&mut self, line: usize, column: usize) {
        let line = line.min(self.screen_lines().saturating_sub(1));
        let column = column.min(self.columns().saturating_sub(1));
        let cursor = &mut self.term.grid_mut().cursor;
        cursor.point.line = Line(i32::try_from(line).unwrap_or(0));
        cursor.point.column = Column(column);
        cursor.input_needs_wrap = false;
    }

    /// CUP: from the origin.
    pub(super) fn goto(&mut self, line: usize, column: usize) {
        self.goto_line(line);
        self.put(self.line(), column);
    }

    /// VPA: from the origin.
    pub(super) fn goto_line(&mut self, line: usize) {
        let (top, end) = self.region;
        let line = if self.has(TermMode::ORIGIN) {
            (top + line).min(end.saturating_sub(1))
        } else {
            line
        };
        self.put(line, self.column());
    }

    /// CHA.
    pub(super) fn goto_column(&mut self, column: usize) {
        self.put(self.line(), column);
    }

    /// CUU: not over the top margin from below it.
    pub(super) fn up(&mut self, lines: usize) {
        let (top, _) = self.region;
        let line = self.line();
        let limit = if line >= top { top } else { 0 };
        self.put(line.saturating_sub(lines).max(limit), self.column());
    }

    /// CUD: not over the bottom margin from above it.
    pub(super) fn down(&mut self, lines: usize) {
        let (_, end) = self.region;
        let line = self.line();
        let limit = if line < end { end } else { self.screen_lines() };
        self.put(
            line.saturating_add(lines).min(limit.saturating_sub(1)),
            self.column(),
        );
    }

    /// CUF.
    pub(super) fn right(&mut self, columns: usize) {
        self.put(self.line(), self.column().saturating_add(columns));
    }

    /// CUB.
    pub(super) fn left(&mut self, columns: usize) {
        self.put(self.line(), self.column().saturating_sub(columns));
    }

    /// CBT: to the row's start if there is no stop; the library stays where it is.
    pub(super) fn back_tabs(&mut self, count: usize) {
        for _ in 0..count.min(self.columns()) {
            let before = self.column();
            self.term.move_backward_tabs(1);
            if self.column() == before {
                self.goto_column(0);
                break;
            }
        }
        self.goto_column(self.column());
    }

    /// Whether the last column was written, so that the next character wraps. What erases from
    /// the cursor on erases nothing of the row then, as in tmux: programs that end a full row
    /// so mean the rest of it.
    pub(super) fn is_full(&self) -> bool {
        self.term.grid().cursor.input_needs_wrap
    }

    /// NEL.
    pub(super) fn next_line(&mut self) {
        self.term.linefeed();
        self.term.carriage_return();
    }

    /// DECSTBM, from 1; the cursor goes home.
    pub(super) fn set_region(&mut self, top: usize, bottom: Option<usize>) {
        let rows = self.screen_lines();
        let bottom = bottom.unwrap_or(rows).min(rows);
        if top >= bottom {
            return;
        }
        self.region = (top - 1, bottom);
        self.term.set_scrolling_region(top, Some(bottom));
        self.goto(0, 0);
    }

    /// DECOM, without moving the cursor.
    pub(super) fn set_origin(&mut self, on: bool) {
        let point = self.term.grid().cursor.point;
        let wrap = self.term.grid().cursor.input_needs_wrap;
        let mode = NamedPrivateMode::Origin.into();
        if on {
            self.term.set_private_mode(mode);
        } else {
            self.term.unset_private_mode(mode);
        }
        let cursor = &mut self.term.grid_mut().cursor;
        cursor.point = point;
        cursor.input_needs_wrap = wrap;
    }
}
