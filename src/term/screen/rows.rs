//! Rows by number: which of them are held, and what stands in them.

use alacritty_terminal::grid::{Dimensions, Grid, Scroll};
use alacritty_terminal::index::Line;
use alacritty_terminal::term::cell::{Cell as Raw, Flags};
use alacritty_terminal::vte::ansi::{Color as RawColor, NamedColor};

use crate::term::cell::{Cell, CellStyle, Underline, Width};
use crate::text::Ink;

use super::Screen;

/// The numbers of the rows that are held. The grid does not count what scrolls out of it once
/// its history is full; but it moves a view that is not at the bottom along, so that we keep one
/// that is a line above the bottom and look how far it was carried.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Rows {
    /// The oldest row that is held.
    first: u64,
    /// Rows in the history when last looked.
    history: usize,
    /// Whether the view is a line above the bottom.
    pinned: bool,
    /// The main screen's top row, while the alternate is shown.
    alternate: Option<u64>,
}

impl Rows {
    /// The number of the screen's first row.
    pub(super) fn top(&self) -> u64 {
        self.alternate
            .unwrap_or_else(|| self.first + count(self.history))
    }

    /// Rows in the history of what is shown.
    fn above(&self) -> usize {
        if self.alternate.is_some() {
            return 0;
        }
        self.history
    }

    /// A new screen begins with this row.
    pub(super) fn start_at(&mut self, row: u64) {
        self.first = row;
    }

    /// Looks how far the view was carried, and puts it back.
    pub(super) fn settle(&mut self, grid: &mut Grid<Raw>) {
        if self.alternate.is_some() {
            return;
        }
        let (history, offset) = (grid.history_size(), grid.display_offset());
        let grown = history.saturating_sub(self.history);
        let pushed = if self.pinned {
            offset.saturating_sub(1)
        } else {
            grown
        };
        self.first += count(pushed.saturating_sub(grown));
        self.history = history;
        if offset != 1 {
            grid.scroll_display(Scroll::Bottom);
            grid.scroll_display(Scroll::Delta(1));
            self.pinned = history > 0;
        }
    }

    /// Puts the view to the bottom. Nothing has scrolled since [`Rows::settle`].
    pub(super) fn unpin(&mut self, grid: &mut Grid<Raw>) {
        if self.alternate.is_none() {
            grid.scroll_display(Scroll::Bottom);
            self.pinned = false;
        }
    }

    /// The history was thrown away, and the main screen is shown.
    pub(super) fn cleared(&mut self) {
        self.first = self.top();
        *self = Self {
            first: self.first,
            ..Self::default()
        };
    }

    /// The grid has another size; `pushed` lines went from the screen into the history.
    pub(super) fn resized(&mut self, grid: &mut Grid<Raw>, pushed: usize) {
        if self.alternate.is_some() {
            return;
        }
        let history = grid.history_size();
        let grown = history.saturating_sub(self.history);
        self.first += count(pushed.saturating_sub(grown));
        self.history = history;
        self.settle(grid);
    }

    /// The alternate screen will be shown.
    pub(super) fn enter_alternate(&mut self, main: &mut Grid<Raw>) {
        self.settle(main);
        self.alternate = Some(self.top());
    }

    /// The main screen is shown again. Its size may have changed.
    pub(super) fn leave_alternate(&mut self, main: &mut Grid<Raw>) {
        self.alternate = None;
        self.history = main.history_size();
        self.unpin(main);
        self.settle(main);
    }
}

fn count(rows: usize) -> u64 {
    u64::try_from(rows).unwrap_or(u64::MAX)
}

impl Screen {
    /// The number of the oldest row that is held.
    pub fn first_row(&self) -> u64 {
        self.top_row() - count(self.history())
    }

    /// The number of the screen's first row; what stands before it is history.
    pub fn top_row(&self) -> u64 {
        self.machine.rows.top()
    }

    /// The number after that of the screen's last row.
    pub fn end_row(&self) -> u64 {
        self.top_row() + u64::from(self.size.rows())
    }

    /// Rows in the history; none on the alternate screen.
    pub fn history(&self) -> usize {
        self.machine.rows.above()
    }

    /// Row `number`, if it is held.
    pub fn row(&self, number: u64) -> Option<Row<'_>> {
        if !(self.first_row()..self.end_row()).contains(&number) {
            return None;
        }
        let below = i64::try_from(number).ok()? - i64::try_from(self.top_row()).ok()?;
        let line = Line(i32::try_from(below).ok()?);
        let grid = self.machine.term.grid();
        if line < grid.topmost_line() || line > grid.bottommost_line() {
            return None;
        }
        Some(Row {
            cells: &grid[line][..],
        })
    }
}

/// One row, borrowed.
#[derive(Clone, Copy, Debug)]
pub struct Row<'a> {
    cells: &'a [Raw],
}

impl<'a> Row<'a> {
    /// Columns.
    pub fn columns(&self) -> usize {
        self.cells.len()
    }

    /// Whether its text goes on in the next row, where it was wrapped.
    pub fn is_wrapped(&self) -> bool {
        let last = self.cells.last();
        last.is_some_and(|cell| cell.flags.contains(Flags::WRAPLINE))
    }

    /// The cell in column `column`, or a blank beyond the row.
    pub fn cell(&self, column: usize) -> Cell<'a> {
        let Some(raw) = self.cells.get(column) else {
            return Cell::BLANK;
        };
        let width = self.width(column, raw.flags);
        let blank = width == Width::Spacer
            || raw.c < ' '
            || width == Width::Narrow && raw.flags.contains(Flags::WIDE_CHAR);
        Cell {
            base: if blank { ' ' } else { raw.c },
            marks: match raw.zerowidth() {
                Some(marks) if !blank => marks,
                _ => &[],
            },
            width,
            style: style(raw),
        }
    }

    /// All cells in order.
    pub fn cells(self) -> impl Iterator<Item = Cell<'a>> {
        (0..self.columns()).map(move |column| self.cell(column))
    }

    /// The number of columns up to the last cell that is not blank.
    pub fn used(&self) -> usize {
        let used = |raw: &Raw| raw.c > ' ' || raw.zerowidth().is_some_and(|some| !some.is_empty());
        let last = self.cells.iter().rposition(used);
        last.map_or(0, |last| match self.cell(last).width {
            Width::Wide => last + 2,
            Width::Narrow | Width::Spacer => last + 1,
        })
    }

    /// Its text without the blanks at its end.
    pub fn text(self) -> String {
        let mut text = String::with_capacity(self.columns());
        for cell in self.cells().take(self.used()) {
            cell.push_to(&mut text);
        }
        text
    }

    /// Halves of wide characters whose other half was overwritten are blanks.
    fn width(&self, column: usize, flags: Flags) -> Width {
        let has = |at: Option<usize>, flag: Flags| {
            let raw = at.and_then(|at| self.cells.get(at));
            raw.is_some_and(|raw| raw.flags.contains(flag))
        };
        if flags.contains(Flags::WIDE_CHAR) && has(column.checked_add(1), Flags::WIDE_CHAR_SPACER) {
            return Width::Wide;
        }
        if flags.contains(Flags::WIDE_CHAR_SPACER) && has(column.checked_sub(1), Flags::WIDE_CHAR)
            || flags.contains(Flags::LEADING_WIDE_CHAR_SPACER)
        {
            return Width::Spacer;
        }
        Width::Narrow
    }
}

fn style(raw: &Raw) -> CellStyle {
    let has = |flag| raw.flags.contains(flag);
    CellStyle {
        fg: ink(raw.fg),
        bg: ink(raw.bg),
        bold: has(Flags::BOLD),
        dim: has(Flags::DIM),
        italic: has(Flags::ITALIC),
        reverse: has(Flags::INVERSE),
        hidden: has(Flags::HIDDEN),
        strike: has(Flags::STRIKEOUT),
        underline: underline(raw.flags),
        underline_ink: raw.underline_color().map_or(Ink::Default, ink),
    }
}

fn underline(flags: Flags) -> Underline {
    let kinds = [
        (Flags::UNDERLINE, Underline::Single),
        (Flags::DOUBLE_UNDERLINE, Underline::Double),
        (Flags::UNDERCURL, Underline::Curl),
        (Flags::DOTTED_UNDERLINE, Underline::Dotted),
        (Flags::DASHED_UNDERLINE, Underline::Dashed),
    ];
    if !flags.intersects(Flags::ALL_UNDERLINES) {
        return Underline::None;
    }
    let kind = kinds.into_iter().find(|(flag, _)| flags.contains(*flag));
    kind.map_or(Underline::None, |(_, kind)| kind)
}

fn ink(color: RawColor) -> Ink {
    match color {
        RawColor::Indexed(index) => Ink::Indexed(index),
        RawColor::Spec(rgb) => Ink::Rgb(rgb.r, rgb.g, rgb.b),
        RawColor::Named(name) => named(name),
    }
}

/// The parser of ours sets no names but the default's; the others are here to be complete.
fn named(name: NamedColor) -> Ink {
    match u8::try_from(name as usize) {
        Ok(index @ 0..=15) => Ink::Indexed(index),
        _ => Ink::Default,
    }
}
