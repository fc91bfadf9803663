//! How many cells a text takes, and where it may be cut: one answer for every view.

use unicode_width::UnicodeWidthStr;

/// Cells that `text` takes.
pub fn cells(text: &str) -> usize {
    text.width()
}
