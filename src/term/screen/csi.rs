//! Control sequences: what each means, and how far it may go. Counts are clamped to the screen,
//! so that eight bytes can't cost a second.

use alacritty_terminal::index::{Column, Line};
use alacritty_terminal::term::TermMode;
use alacritty_terminal::vte::Params;
use alacritty_terminal::vte::ansi::{
    ClearMode, CursorShape, CursorStyle, Handler, LineClearMode, TabulationClearMode,
};

use crate::term::reply;

use super::machine::Machine;
use super::sgr;

/// The parameters of a sequence, without what colons attach to them.
#[derive(Clone, Copy)]
struct Numbers<'a>(&'a Params);

impl Numbers<'_> {
    /// Parameter `index`; `default` if it is missing or 0.
    fn or(self, index: usize, default: u16) -> u16 {
        let param = self.0.iter().nth(index);
        let value = param.and_then(|param| param.first()).copied();
        value.filter(|value| *value != 0).unwrap_or(default)
    }

    /// Parameter `index` as a count, 1 if none.
    fn count(self, index: usize) -> usize {
        usize::from(self.or(index, 1))
    }

    /// All of them.
    fn all(self) -> impl Iterator<Item = u16> {
        self.0.iter().filter_map(|param| param.first().copied())
    }
}

impl Machine {
    /// One sequence.
    pub(super) fn csi(&mut self, params: &Params, intermediates: &[u8], action: char) {
        let numbers = Numbers(params);
        match intermediates {
            [] if action == 'm' => sgr::apply(&mut self.term, params),
            [] => self.plain(numbers, action),
            [b'?'] => self.private(numbers, action),
            [mark @ (b'>' | b'<' | b'=')] => self.marked(*mark, numbers, action),
            [b'!'] if action == 'p' => self.soft_reset(),
            [b' '] if action == 'q' => self.cursor_style(numbers.or(0, 0)),
            [b'$'] if action == 'p' => self.report_mode(numbers.or(0, 0)),
            [b'?', b'$'] if action == 'p' => self.report_private_mode(numbers.or(0, 0)),
            _ => {}
        }
    }

    /// Those without a mark.
    fn plain(&mut self, numbers: Numbers<'_>, action: char) {
        let count = numbers.count(0);
        match action {
            'A' => self.up(count),
            'B' | 'e' => self.down(count),
            'C' | 'a' => self.right(count),
            'D' => self.left(count),
            'E' => {
                self.down(count);
                self.goto_column(0);
            }
            'F' => {
                self.up(count);
                self.goto_column(0);
            }
            'G' | '`' => self.goto_column(count - 1),
            'd' => self.goto_line(count - 1),
            'H' | 'f' => self.goto(count - 1, numbers.count(1) - 1),
            'I' => self.term.move_forward_tabs(self.within_columns(count)),
            'Z' => self.back_tabs(count),
            's' => self.save_cursor(),
            'u' => self.restore_cursor(),
            'r' => {
                let bottom = Some(usize::from(numbers.or(1, 0))).filter(|bottom| *bottom > 0);
                self.set_region(count, bottom);
            }
            'h' => numbers.all().for_each(|mode| self.set_mode(mode, true)),
            'l' => numbers.all().for_each(|mode| self.set_mode(mode, false)),
            'c' if numbers.or(0, 0) == 0 => self.replies.say(reply::DA1),
            'n' => self.report_status(numbers.or(0, 0), false),
            't' => self.window(numbers.or(0, 0)),
            _ => self.edit(numbers, action),
        }
    }

    /// Those that change cells.
    fn edit(&mut self, numbers: Numbers<'_>, action: char) {
        let (count, kind) = (numbers.count(0), numbers.or(0, 0));
        let (columns, lines) = (self.columns(), self.screen_lines());
        // From the cursor to the right end.
        let room = columns - self.column();
        match action {
            '@' => self.term.insert_blank(count.min(room)),
            'P' => self.term.delete_chars(count.min(room)),
            'X' if !self.is_full() => self.term.erase_chars(count.min(room)),
            'L' => self.term.insert_blank_lines(count.min(lines)),
            'M' => self.term.delete_lines(count.min(lines)),
            'S' => self.term.scroll_up(count.min(lines)),
            'T' => self.term.scroll_down(count.min(lines)),
            'b' => self.repeat(count),
            'J' => self.erase_screen(kind),
            'K' => match kind {
                0 => self.term.clear_line(LineClearMode::Right),
                1 => self.term.clear_line(LineClearMode::Left),
                2 => self.term.clear_line(LineClearMode::All),
                _ => {}
            },
            'g' => match kind {
                0 => self.term.clear_tabs(TabulationClearMode::Current),
                3 => self.term.clear_tabs(TabulationClearMode::All),
                _ => {}
            },
            _ => {}
        }
        if matches!(action, 'M' | 'S') {
            self.settle();
        }
    }

    /// ED.
    fn erase_screen(&mut self, kind: u16) {
        match kind {
            0 if self.is_full() => self.blank_lines(self.line() + 1, self.screen_lines()),
            0 => self.term.clear_screen(ClearMode::Below),
            1 => {
                self.blank_lines(0, self.line());
                self.term.clear_line(LineClearMode::Left);
            }
            2 => {
                self.term.clear_screen(ClearMode::All);
                self.settle();
            }
            3 => self.clear_history(),
            _ => {}
        }
    }

    /// Those with a question mark.
    fn private(&mut self, numbers: Numbers<'_>, action: char) {
        match action {
            'h' => numbers
                .all()
                .for_each(|mode| self.set_private_mode(mode, true)),
            'l' => numbers
                .all()
                .for_each(|mode| self.set_private_mode(mode, false)),
            'n' => self.report_status(numbers.or(0, 0), true),
            'u' if self.kitty.is_allowed() => self.replies.kitty(self.kitty.flags()),
            _ => {}
        }
    }

    /// Those with `<`, `=` or `>`.
    fn marked(&mut self, mark: u8, numbers: Numbers<'_>, action: char) {
        match (mark, action) {
            (b'>', 'c') if numbers.or(0, 0) == 0 => self.replies.say(reply::DA2),
            (b'>', 'q') if numbers.or(0, 0) == 0 => self.replies.say(reply::VERSION),
            (b'>', 'u') => self.kitty.push(numbers.or(0, 0)),
            (b'<', 'u') => self.kitty.pop(numbers.or(0, 1)),
            (b'=', 'u') => self.kitty.set(numbers.or(0, 0), numbers.or(1, 1)),
            _ => {}
        }
    }

    /// DSR.
    fn report_status(&mut self, what: u16, private: bool) {
        match (what, private) {
            (5, false) => self.replies.say(reply::WELL),
            (6, _) => {
                let top = if self.has(TermMode::ORIGIN) {
                    self.region.0
                } else {
                    0
                };
                let line = self.line().saturating_sub(top);
                self.replies.cursor(line + 1, self.column() + 1, private);
            }
            _ => {}
        }
    }

    /// XTWINOPS: the size in characters and the stack of titles; never the title itself.
    fn window(&mut self, what: u16) {
        match what {
            18 => self.replies.size(self.screen_lines(), self.columns()),
            22 => self.wishes.push_title(),
            23 => self.wishes.pop_title(),
            _ => {}
        }
    }

    /// DECSCUSR.
    fn cursor_style(&mut self, style: u16) {
        let shape = match style {
            0 => return self.term.set_cursor_style(None),
            1 | 2 => CursorShape::Block,
            3 | 4 => CursorShape::Underline,
            5 | 6 => CursorShape::Beam,
            _ => return,
        };
        self.term.set_cursor_style(Some(CursorStyle {
            shape,
            blinking: style % 2 == 1,
        }));
    }

    /// DECSTR: modes, margins and attributes as at the start; the text stays.
    fn soft_reset(&mut self) {
        for (mode, on) in [(1, false), (6, false), (7, true), (25, true)] {
            self.set_private_mode_quietly(mode, on);
        }
        self.set_mode(4, false);
        self.term.unset_keypad_application_mode();
        let (line, column) = (self.line(), self.column());
        self.set_region(1, None);
        self.goto(line, column);
        sgr::reset(&mut self.term);
        let grid = self.term.grid_mut();
        grid.cursor.charsets = alacritty_terminal::grid::Cursor::<()>::default().charsets;
        grid.saved_cursor = grid.cursor.clone();
        grid.saved_cursor.point = alacritty_terminal::index::Point::new(Line(0), Column(0));
        self.saved_origin = [false; 2];
    }

    /// A count of tab stops: no row has more of them than columns.
    fn within_columns(&self, count: usize) -> u16 {
        u16::try_from(count.min(self.columns())).unwrap_or(u16::MAX)
    }
}
