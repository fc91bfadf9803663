//! What a grid of cells may show of one character: the sanitiser's classes, for text whose
//! columns are already given by the program that wrote it.

use unicode_width::UnicodeWidthChar;

use super::sanitise::{Class, class};

/// What becomes of a character in a grid.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Glyph {
    /// It is shown, in one cell or two.
    Shown,
    /// It is part of the character before it, and takes no cell.
    Mark,
    /// It may not be shown and takes no cell: nothing stands for it.
    Nothing,
    /// It may not be shown, but the program counts on so many cells: [`Glyph::STAND_IN`].
    Replaced(usize),
}

impl Glyph {
    /// Stands for a character that takes cells but may not be shown.
    pub const STAND_IN: char = char::REPLACEMENT_CHARACTER;
}

/// Classifies `c`.
pub fn glyph(c: char) -> Glyph {
    match class(c) {
        Class::Control => Glyph::Nothing,
        Class::Joiner | Class::Selector => Glyph::Mark,
        Class::Complex => match c.width() {
            Some(0) => Glyph::Mark,
            Some(1 | 2) => Glyph::Shown,
            // U+17D8 has three cells in the tables, and one in programs.
            _ => Glyph::Replaced(1),
        },
        Class::Narrow | Class::Wide => Glyph::Shown,
        Class::Hidden => match c.width() {
            None | Some(0) => Glyph::Nothing,
            Some(cells) => Glyph::Replaced(cells),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_has_cells_and_what_is_not_shown_has_none() {
        for (c, want) in [
            ('a', Glyph::Shown),
            ('字', Glyph::Shown),
            ('\u{301}', Glyph::Mark),
            ('\u{200d}', Glyph::Mark),
            ('\u{fe0f}', Glyph::Mark),
            ('\u{202e}', Glyph::Nothing),
            ('\u{200b}', Glyph::Nothing),
            ('\u{e0041}', Glyph::Nothing),
            ('\u{1b}', Glyph::Nothing),
            ('\u{9b}', Glyph::Nothing),
            ('\u{ad}', Glyph::Nothing),
            ('\u{600}', Glyph::Replaced(1)),
            ('\u{115f}', Glyph::Replaced(2)),
        ] {
            assert_eq!(glyph(c), want, "{:x}", u32::from(c));
        }
        for c in (0..=0x10_ffff).filter_map(char::from_u32) {
            match glyph(c) {
                Glyph::Shown => assert!(matches!(c.width(), Some(1 | 2)), "{:x}", u32::from(c)),
                Glyph::Mark => assert_eq!(c.width(), Some(0), "{:x}", u32::from(c)),
                Glyph::Replaced(cells) => assert!(cells <= 2, "{:x}", u32::from(c)),
                Glyph::Nothing => {}
            }
        }
    }
}
