//! What the parser finds: characters to print, controls, escape sequences.

use alacritty_terminal::grid::Dimensions;
use alacritty_terminal::index::Column;
use alacritty_terminal::term::TermMode;
use alacritty_terminal::term::cell::Flags;
use alacritty_terminal::vte::ansi::{CharsetIndex, Handler, StandardCharset};
use alacritty_terminal::vte::{Params, Perform};

use crate::term::cell::Cell;
use crate::term::reply;
use crate::text::glyph::{Glyph, glyph};

use super::machine::Machine;

impl Perform for Machine {
    #[inline]
    fn print(&mut self, c: char) {
        if matches!(c, ' '..='~') {
            return self.ascii(c);
        }
        match glyph(c) {
            Glyph::Shown => self.shown(c),
            Glyph::Mark => self.mark(c),
            Glyph::Nothing => {}
            Glyph::Replaced(cells) => {
                for _ in 0..cells {
                    self.shown(Glyph::STAND_IN);
                }
            }
        }
    }

    fn execute(&mut self, byte: u8) {
        self.last = None;
        match byte {
            0x07 => self.wishes.bell = true,
            0x08 => self.term.backspace(),
            // Not the library's own, which writes the tab into the cell.
            0x09 => self.term.move_forward_tabs(1),
            0x0a..=0x0c => self.term.newline(),
            0x0d => self.term.carriage_return(),
            0x0e => self.shift(CharsetIndex::G1),
            0x0f => self.shift(CharsetIndex::G0),
            // C1 too: as bytes they are broken UTF-8 or Latin-1, not commands.
            _ => {}
        }
    }

    fn osc_dispatch(&mut self, params: &[&[u8]], bell_terminated: bool) {
        self.osc(params, bell_terminated);
    }

    fn csi_dispatch(&mut self, params: &Params, intermediates: &[u8], ignore: bool, action: char) {
        // More parameters or intermediates than any sequence has.
        if !ignore {
            self.csi(params, intermediates, action);
        }
        self.last = None;
    }

    fn esc_dispatch(&mut self, intermediates: &[u8], ignore: bool, byte: u8) {
        self.last = None;
        if ignore {
            return;
        }
        match (intermediates, byte) {
            ([], b'7') => self.save_cursor(),
            ([], b'8') => self.restore_cursor(),
            ([], b'=') => self.term.set_keypad_application_mode(),
            ([], b'>') => self.term.unset_keypad_application_mode(),
            ([], b'D') => self.term.linefeed(),
            ([], b'E') => self.next_line(),
            ([], b'H') => self.term.set_horizontal_tabstop(),
            ([], b'M') => self.term.reverse_index(),
            ([], b'Z') => self.replies.say(reply::DA1),
            ([], b'c') => self.reset(),
            ([b'#'], b'8') => self.align(),
            (_, b'0') => {
                self.designate(
                    intermediates,
                    StandardCharset::SpecialCharacterAndLineDrawing,
                );
            }
            (_, b'A' | b'B') => self.designate(intermediates, StandardCharset::Ascii),
            _ => {}
        }
    }

    fn terminated(&self) -> bool {
        self.update_began
    }
}

impl Machine {
    /// Repeats the last character (REP), over one row's columns at most, or nine bytes could
    /// fill a screen.
    pub(super) fn repeat(&mut self, count: usize) {
        let Some(c) = self.last else { return };
        for _ in 0..count.min(self.columns()) {
            self.term.input(c);
        }
        self.settle();
    }

    fn shown(&mut self, c: char) {
        self.term.input(c);
        self.last = Some(c);
    }

    /// A printable ASCII character: nearly always it goes into a plain cell that is not the
    /// row's last, without what the library has to look at for all others.
    #[inline]
    fn ascii(&mut self, c: char) {
        self.last = Some(c);
        let special = self.has(TermMode::INSERT);
        let grid = self.term.grid_mut();
        let (columns, cursor) = (grid.columns(), &grid.cursor);
        let (line, column) = (cursor.point.line, cursor.point.column);
        let template = &cursor.template;
        let special = special
            || cursor.input_needs_wrap
            || column + 1 >= columns
            || template.extra.is_some()
            || cursor.charsets[self.charset] != StandardCharset::Ascii;
        let (fg, bg, flags) = (template.fg, template.bg, template.flags);
        let cell = &mut grid[line][column];
        if special
            || cell
                .flags
                .intersects(Flags::WIDE_CHAR | Flags::WIDE_CHAR_SPACER)
        {
            return self.term.input(c);
        }
        cell.c = c;
        cell.fg = fg;
        cell.bg = bg;
        cell.flags = flags;
        cell.extra = None;
        grid.cursor.point.column = column + 1;
    }

    /// SI and SO.
    pub(super) fn shift(&mut self, charset: CharsetIndex) {
        self.charset = charset;
        self.term.set_active_charset(charset);
    }

    /// A character that joins the one before it, if that has room.
    fn mark(&mut self, c: char) {
        let cursor = &self.term.grid().cursor;
        let (line, mut column) = (cursor.point.line, cursor.point.column.0);
        if !cursor.input_needs_wrap {
            column = column.saturating_sub(1);
        }
        let grid = self.term.grid();
        let at = |column: usize| &grid[line][Column(column)];
        if at(column).flags.contains(Flags::WIDE_CHAR_SPACER) {
            column = column.saturating_sub(1);
        }
        let count = at(column).zerowidth().map_or(0, <[char]>::len);
        if count < Cell::MAX_MARKS {
            self.term.input(c);
        }
    }

    fn designate(&mut self, intermediates: &[u8], charset: StandardCharset) {
        let index = match intermediates {
            [b'('] => CharsetIndex::G0,
            [b')'] => CharsetIndex::G1,
            [b'*'] => CharsetIndex::G2,
            [b'+'] => CharsetIndex::G3,
            _ => return,
        };
        self.term.configure_charset(index, charset);
    }
}
