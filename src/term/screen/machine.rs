//! The grid and what stands beside it.

use alacritty_terminal::Term;
use alacritty_terminal::event::VoidListener;
use alacritty_terminal::grid::Dimensions;
use alacritty_terminal::index::Line;
use alacritty_terminal::term::{Config, TermMode};
use alacritty_terminal::vte::ansi::{CharsetIndex, ClearMode, CursorShape, Handler};

use crate::term::reply::Replies;

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
    pub(super) last: Option<char>,
    /// The character set that is shifted in; the library does not tell.
    pub(super) charset: CharsetIndex,
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

    /// RIS: as if just switched on, but for the history's numbers.
    pub(super) fn reset(&mut self) {
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
    pub(super) fn align(&mut self) {
        self.set_region(1, None);
        self.term.decaln();
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
