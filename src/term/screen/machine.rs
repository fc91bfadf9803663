//! The grid and what stands beside it; printing, control characters and escape sequences.

use alacritty_terminal::Term;
use alacritty_terminal::event::VoidListener;
use alacritty_terminal::grid::Dimensions;
use alacritty_terminal::index::{Column, Line};
use alacritty_terminal::term::cell::Flags;
use alacritty_terminal::term::{Config, TermMode};
use alacritty_terminal::vte::ansi::{
    CharsetIndex, ClearMode, CursorShape, Handler, StandardCharset,
};
use alacritty_terminal::vte::{Params, Perform};

use crate::term::cell::Cell;
use crate::term::reply::{self, Replies};
use crate::text::glyph::{Glyph, glyph};

use super::kitty::Stacks;
use super::osc::Wishes;
use super::rows::Rows;
use super::{Cursor, Shape, Size, Told};

/// The state of one terminal.
pub(super) struct Machine {
    pub(super) term: Term<VoidListener>,
    pub(super) rows: Rows,
    pub(super) kitty: Stacks,
    pub(super) replies: Replies,
    pub(super) wishes: Wishes,
    /// First line of the scroll region and the one after its last.
    pub(super) region: (usize, usize),
    /// Whether origin mode held when the cursor was saved; on the main and the other screen.
    pub(super) saved_origin: [bool; 2],
    /// The character before, if it was printed, for REP.
    last: Option<char>,
    /// The character set that is shifted in; the library does not tell.
    charset: CharsetIndex,
    /// A synchronized update has begun: the parser stops.
    pub(super) update_began: bool,
    /// We are inside one.
    pub(super) nested: bool,
    /// The OSC string that ends next was too long.
    pub(super) osc_cut: bool,
    pub(super) light: bool,
}

impl Dimensions for Size {
    fn total_lines(&self) -> usize {
        usize::from(self.rows)
    }

    fn screen_lines(&self) -> usize {
        usize::from(self.rows)
    }

    fn columns(&self) -> usize {
        usize::from(self.columns)
    }
}

impl Machine {
    pub(super) fn new(size: Size, history: usize) -> Self {
        let config = Config {
            scrolling_history: history,
            ..Config::default()
        };
        Self {
            term: Term::new(config, &size, VoidListener),
            rows: Rows::default(),
            kitty: Stacks::default(),
            replies: Replies::default(),
            wishes: Wishes::default(),
            region: (0, size.screen_lines()),
            saved_origin: [false; 2],
            last: None,
            charset: CharsetIndex::G0,
            update_began: false,
            nested: false,
            osc_cut: false,
            light: false,
        }
    }

    /// What was asked for since the last time.
    pub(super) fn told(&mut self) -> Told {
        Told {
            replies: self.replies.take(),
            ..self.wishes.take()
        }
    }

    pub(super) fn resize(&mut self, size: Size) {
        self.settle();
        let pushed = (self.line() + 1).saturating_sub(size.screen_lines());
        let reflows = self.columns() != Dimensions::columns(&size);
        self.rows.unpin(self.term.grid_mut());
        self.term.resize(size);
        self.region = (0, size.screen_lines());
        let pushed = if reflows { 0 } else { pushed };
        self.rows.resized(self.term.grid_mut(), pushed);
    }

    pub(super) fn has(&self, mode: TermMode) -> bool {
        self.term.mode().contains(mode)
    }

    pub(super) fn screen_lines(&self) -> usize {
        self.term.screen_lines()
    }

    pub(super) fn columns(&self) -> usize {
        self.term.columns()
    }

    pub(super) fn cursor(&self) -> Option<Cursor> {
        if !self.has(TermMode::SHOW_CURSOR) {
            return None;
        }
        let point = self.term.grid().cursor.point;
        let style = self.term.cursor_style();
        Some(Cursor {
            line: u16::try_from(point.line.0).unwrap_or(0),
            column: u16::try_from(point.column.0).unwrap_or(u16::MAX),
            shape: match style.shape {
                CursorShape::Underline => Shape::Underline,
                CursorShape::Beam => Shape::Beam,
                CursorShape::Block | CursorShape::HollowBlock | CursorShape::Hidden => Shape::Block,
            },
            blinks: style.blinking,
        })
    }

    pub(super) fn heap_bytes(&self) -> usize {
        let cell = size_of::<alacritty_terminal::term::cell::Cell>();
        let lines = self.term.total_lines() + self.screen_lines();
        lines * (self.columns() * cell + size_of::<Vec<u8>>() + size_of::<usize>())
    }

    /// Counts the lines that have scrolled out since the last time.
    pub(super) fn settle(&mut self) {
        self.rows.settle(self.term.grid_mut());
    }

    /// Repeats the last character (REP), over one row's columns at most, or nine bytes could
    /// fill a screen.
    pub(super) fn repeat(&mut self, count: usize) {
        let Some(c) = self.last else { return };
        for _ in 0..count.min(self.columns()) {
            self.term.input(c);
        }
        self.settle();
    }

    pub(super) fn ring(&mut self) {
        self.wishes.bell = true;
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

    /// RIS: as if just switched on, but for the history's numbers.
    fn reset(&mut self) {
        self.settle();
        self.rows.unpin(self.term.grid_mut());
        self.term.reset_state();
        self.rows.cleared();
        self.kitty.reset();
        self.wishes.forget_titles();
        self.saved_origin = [false; 2];
        self.last = None;
        self.charset = CharsetIndex::G0;
        self.region = (0, self.screen_lines());
        self.settle();
    }

    /// DECALN: a screen of E, without margins, and the cursor home.
    fn align(&mut self) {
        self.set_region(1, None);
        self.term.decaln();
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

    /// DECSC.
    pub(super) fn save_cursor(&mut self) {
        let alt = self.has(TermMode::ALT_SCREEN);
        let origin = self.has(TermMode::ORIGIN);
        if let Some(saved) = self.saved_origin.get_mut(usize::from(alt)) {
            *saved = origin;
        }
        self.term.save_cursor_position();
    }

    /// DECRC.
    pub(super) fn restore_cursor(&mut self) {
        let alt = self.has(TermMode::ALT_SCREEN);
        let origin = self.saved_origin.get(usize::from(alt)).copied();
        self.set_origin(origin.unwrap_or(false));
        self.term.restore_cursor_position();
    }

    /// ED 3 and the like: what scrolled out is gone.
    pub(super) fn clear_history(&mut self) {
        if self.has(TermMode::ALT_SCREEN) {
            return;
        }
        self.settle();
        self.rows.unpin(self.term.grid_mut());
        self.term.clear_screen(ClearMode::Saved);
        self.rows.cleared();
        self.settle();
    }

    /// Blanks whole lines, in the cursor's background.
    pub(super) fn blank_lines(&mut self, from: usize, to: usize) {
        if from < to {
            let line = |at: usize| Line(i32::try_from(at).unwrap_or(0));
            self.term.grid_mut().reset_region(line(from)..line(to));
        }
    }
}

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
            0x07 => self.ring(),
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
