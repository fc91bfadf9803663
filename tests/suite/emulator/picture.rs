//! All of a screen that can be seen or asked, for comparing two.

use deckwatch::term::{CellStyle, Cursor, Modes, Screen, Width};

/// A row's cells, and whether its text goes on in the next.
type Line = (Vec<(String, Width, CellStyle)>, bool);

/// Everything of a screen and its history.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Picture {
    /// The first row's number.
    first: u64,
    rows: Vec<Line>,
    cursor: Option<Cursor>,
    modes: Modes,
    holding: bool,
}

impl Picture {
    pub(super) fn of(screen: &Screen) -> Self {
        let row = |number| {
            let row = screen.row(number).unwrap();
            let cells = row.cells().map(|cell| {
                let mut text = String::new();
                cell.push_to(&mut text);
                (text, cell.width, cell.style)
            });
            (cells.collect(), row.is_wrapped())
        };
        Self {
            first: screen.first_row(),
            rows: (screen.first_row()..screen.end_row()).map(row).collect(),
            cursor: screen.cursor(),
            modes: screen.modes(),
            holding: screen.is_holding(),
        }
    }
}

/// Every cell is safe and the halves of wide characters stand together.
pub(super) fn check(screen: &Screen) -> Result<(), String> {
    for number in screen.first_row()..screen.end_row() {
        let row = screen
            .row(number)
            .ok_or(format!("row {number} is missing"))?;
        if row.columns() != usize::from(screen.size().columns()) {
            return Err(format!("row {number} has {} columns", row.columns()));
        }
        for (column, cell) in row.cells().enumerate() {
            let mut text = String::new();
            cell.push_to(&mut text);
            let place = format!("row {number} column {column}: {text:?}");
            if text.len() > 64 || cell.marks.len() > 8 {
                return Err(format!("{place} is too long"));
            }
            // The sanitiser would leave it as it is, but for what it says of joiners alone.
            let base = cell.base.to_string();
            if deckwatch::text::SafeText::of(&base).as_str() != base {
                return Err(format!("{place} is not safe"));
            }
            if text.chars().any(|c| c.is_control() || is_hidden(c)) {
                return Err(format!("{place} is not safe"));
            }
            if cell.width == Width::Wide && row.cell(column + 1).width != Width::Spacer {
                return Err(format!("{place} has no second half"));
            }
        }
    }
    Ok(())
}

/// Some of the characters that turn the direction or show nothing.
fn is_hidden(c: char) -> bool {
    matches!(c, '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}'
        | '\u{2066}'..='\u{2069}' | '\u{feff}' | '\u{e0000}'..='\u{e0fff}' | '\u{61c}')
}
