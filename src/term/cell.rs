//! One cell of a screen, as it may be shown.

use crate::text::Ink;

/// How many columns a cell takes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Width {
    /// One.
    #[default]
    Narrow,
    /// Two; the next cell is a [`Width::Spacer`].
    Wide,
    /// The second column of a wide character, or the last column of a row that a wide
    /// character did not fit into; it shows nothing.
    Spacer,
}

/// How a cell is underlined.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Underline {
    /// Not at all.
    #[default]
    None,
    /// A line.
    Single,
    /// Two lines.
    Double,
    /// A wave.
    Curl,
    /// Dots.
    Dotted,
    /// Dashes.
    Dashed,
}

/// How a cell looks. Blinking, overlines and hyperlinks are not kept.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct CellStyle {
    /// Foreground.
    pub fg: Ink,
    /// Background.
    pub bg: Ink,
    /// SGR 1.
    pub bold: bool,
    /// SGR 2.
    pub dim: bool,
    /// SGR 3.
    pub italic: bool,
    /// SGR 7.
    pub reverse: bool,
    /// SGR 8: the program does not want it seen.
    pub hidden: bool,
    /// SGR 9.
    pub strike: bool,
    /// SGR 4.
    pub underline: Underline,
    /// The underline's colour (SGR 58); [`Ink::Default`] is that of the text.
    pub underline_ink: Ink,
}

/// One cell, borrowed from the screen. Its characters are safe to show: no controls, nothing
/// invisible or direction-changing, and at most [`Cell::MAX_MARKS`] marks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Cell<'a> {
    /// Its base character; a blank where there is nothing, and in a spacer.
    pub base: char,
    /// Combining marks, joiners and presentation selectors after it.
    pub marks: &'a [char],
    /// Its columns.
    pub width: Width,
    /// How it looks.
    pub style: CellStyle,
}

impl Cell<'_> {
    /// Marks kept on one base character, as in log lines (reliability.md 1.3); with four bytes
    /// for each character a cell has 36 bytes at most.
    pub const MAX_MARKS: usize = 8;

    /// An empty cell.
    pub const BLANK: Cell<'static> = Cell {
        base: ' ',
        marks: &[],
        width: Width::Narrow,
        style: CellStyle {
            fg: Ink::Default,
            bg: Ink::Default,
            bold: false,
            dim: false,
            italic: false,
            reverse: false,
            hidden: false,
            strike: false,
            underline: Underline::None,
            underline_ink: Ink::Default,
        },
    };

    /// Appends its characters; nothing for a spacer.
    pub fn push_to(&self, text: &mut String) {
        if self.width != Width::Spacer {
            text.push(self.base);
            text.extend(self.marks);
        }
    }

    /// Columns that it takes on its own: 0 for a spacer.
    pub fn columns(&self) -> usize {
        match self.width {
            Width::Narrow => 1,
            Width::Wide => 2,
            Width::Spacer => 0,
        }
    }
}
