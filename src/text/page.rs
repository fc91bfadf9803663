//! [`SafePage`], many lines of sanitised text in memory of their own.

use std::ops::Range;

use super::safe::{self, SafeArena, SafeText};
use crate::pages::Pages;

/// Lines, each followed by one `\n`, without styles; filled from a [`SafeArena`] alone, and
/// numbered from 0.
#[derive(Clone, Debug, Default)]
pub struct SafePage {
    text: Pages<u8>,
    ends: Pages<u32>,
}

impl SafePage {
    /// A page for about `room` bytes of text.
    pub fn with_room(room: usize) -> Self {
        Self {
            text: Pages::with_room(room),
            ends: Pages::default(),
        }
    }

    /// Copies the text of lines `lines` of an arena onto the end; as many as there are.
    pub fn push_text(&mut self, other: &SafeArena, lines: Range<usize>) {
        let (text, ends) = other.part(lines);
        let base = self.len_u32();
        self.ends.extend(ends.len(), ends.map(|end| end + base));
        self.text.extend_from_slice(text.as_bytes());
    }

    /// Appends a line without text.
    pub fn push_empty(&mut self) {
        self.ends.push(self.len_u32());
        self.text.push(b'\n');
    }

    /// Line `index`, without its newline; empty if there is no such line.
    pub fn text(&self, index: usize) -> SafeText<'_> {
        SafeText::proven(self.line(index).into())
    }

    /// Line `index` as a string that lives as long as the page.
    pub fn line(&self, index: usize) -> &str {
        let range = safe::range(&self.ends, index).unwrap_or(0..0);
        // Whole lines of text were copied here, so this is text; a line costs less to look
        // through than to draw.
        let line = self.text.get(range).unwrap_or(&[]);
        std::str::from_utf8(line).unwrap_or("")
    }

    /// All lines, each with its `\n`; for searches over many lines at once. It is UTF-8.
    pub fn bytes(&self) -> &[u8] {
        &self.text
    }

    /// The end offset of each line (of its `\n`), ascending; pairs with [`SafePage::bytes`].
    pub fn ends(&self) -> &[u32] {
        &self.ends
    }

    /// Bytes of memory held.
    pub fn heap_bytes(&self) -> usize {
        self.text.heap_bytes() + self.ends.heap_bytes()
    }

    fn len_u32(&self) -> u32 {
        u32::try_from(self.text.len()).unwrap_or(u32::MAX)
    }
}
