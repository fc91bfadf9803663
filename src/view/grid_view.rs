//! A window of a shell's screen or history, cell by cell. What is written are the emulator's
//! columns, never the widths of strings (performance.md 3).

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::style::Style;

use crate::term::screen::{Match, Span};
use crate::term::{Cell, Place, Screen, Width};
use crate::text::width;

use super::paint;
use super::theme::{Role, Theme};

/// What of a screen is painted, and what is marked in it.
#[derive(Clone, Copy, Debug)]
pub struct GridView<'a> {
    /// The screen.
    pub screen: &'a Screen,
    /// The row in the window's first line.
    pub top: u64,
    /// What is selected.
    pub selection: Option<Span>,
    /// What was found, in order.
    pub hits: &'a [Match],
    /// The one among them that was gone to.
    pub current: Option<Match>,
    /// Copy mode's cursor. The program's own is the terminal's, see [`cursor`].
    pub cursor: Option<Place>,
}

/// Paints the window. Rows that are not held, and columns beyond the screen's, are blank.
pub fn grid(buf: &mut Buffer, area: Rect, view: &GridView<'_>, theme: &Theme) {
    let area = area.intersection(buf.area);
    // Most cells are blank, and painted by this.
    let text = theme.style(Role::Text);
    paint::fill(buf, area, text);
    let painted = text.patch(theme.cell(&Cell::BLANK.style)) == text;
    let mut symbol = String::new();
    for (number, y) in (view.top..).zip(area.top()..area.bottom()) {
        let Some(row) = view.screen.row(number) else {
            continue;
        };
        let mut skip = false;
        for (cell, x) in row.cells().zip(area.left()..area.right()) {
            let behind = std::mem::replace(&mut skip, false);
            if behind && cell.width == Width::Spacer {
                continue;
            }
            if painted && cell == Cell::BLANK {
                continue;
            }
            let style = theme.cell(&cell.style);
            shown(&cell, &mut symbol);
            let wide = cell.width == Width::Wide;
            // Half of it would lie outside.
            if wide && x + 1 >= area.right() {
                symbol.replace_range(.., " ");
            }
            set(buf, (x, y).into(), &symbol, style);
            if wide && x + 1 < area.right() {
                set(buf, (x + 1, y).into(), " ", style);
                skip = true;
            }
        }
    }
    marks(buf, area, view, theme);
}

/// Where the program's cursor stands in `area`, if it is shown and the window shows it.
pub fn cursor(area: Rect, view: &GridView<'_>) -> Option<Position> {
    let cursor = view.screen.cursor()?;
    let row = view.screen.top_row() + u64::from(cursor.line);
    position(
        area,
        view.top,
        Place {
            row,
            column: usize::from(cursor.column),
        },
    )
}

/// The text of a cell, as wide as the grid says. Joiners and presentation selectors are left
/// out: a terminal could make one character of two cells. What measures otherwise than the
/// grid, to whoever draws it, loses its marks.
fn shown(cell: &Cell<'_>, symbol: &mut String) {
    symbol.clear();
    if cell.style.hidden || cell.width == Width::Spacer {
        symbol.push(' ');
        return;
    }
    symbol.push(cell.base);
    if symbol.len() == 1 && cell.marks.is_empty() {
        return;
    }
    let visible = |mark: &&char| !matches!(mark, '\u{200d}' | '\u{fe0e}' | '\u{fe0f}');
    symbol.extend(cell.marks.iter().filter(visible));
    if width::grapheme_cells(symbol) != cell.columns() {
        symbol.clear();
        symbol.push(cell.base);
    }
    if width::grapheme_cells(symbol) != cell.columns() {
        symbol.clear();
        symbol.push(char::REPLACEMENT_CHARACTER);
    }
}

fn set(buf: &mut Buffer, position: Position, symbol: &str, style: Style) {
    if let Some(cell) = buf.cell_mut(position) {
        cell.set_symbol(symbol);
        cell.set_style(style);
    }
}

/// Hits, the selection and copy mode's cursor over the text.
fn marks(buf: &mut Buffer, area: Rect, view: &GridView<'_>, theme: &Theme) {
    for hit in view.hits {
        let role = if view.current == Some(*hit) {
            Role::HitCurrent
        } else {
            Role::Hit
        };
        let span = Span {
            start: hit.start,
            end: hit.end,
        };
        tint(buf, area, (view, span), theme.style(role));
    }
    if let Some(span) = view.selection {
        tint(buf, area, (view, span), theme.style(Role::Selection));
    }
    if let Some(place) = view.cursor {
        let span = Span::new(place, place);
        tint(buf, area, (view, span), theme.style(Role::Cursor));
    }
}

/// Adds a style to the cells of a span.
fn tint(buf: &mut Buffer, area: Rect, (view, span): (&GridView<'_>, Span), style: Style) {
    let columns = usize::from(view.screen.size().columns().min(area.width));
    for (number, y) in (view.top..).zip(area.top()..area.bottom()) {
        let (from, to) = span.of_row(number, columns);
        let (Ok(from), Ok(to)) = (u16::try_from(from), u16::try_from(to)) else {
            continue;
        };
        let part = Rect {
            x: area.x + from,
            y,
            width: to.saturating_sub(from),
            height: 1,
        };
        paint::tint(buf, part, style);
    }
}

fn position(area: Rect, top: u64, place: Place) -> Option<Position> {
    let line = u16::try_from(place.row.checked_sub(top)?).ok()?;
    let column = u16::try_from(place.column).ok()?;
    let inside = line < area.height && column < area.width;
    inside.then(|| Position {
        x: area.x + column,
        y: area.y + line,
    })
}
