//! [`SafePage`], many lines of sanitised text in memory of their own.

use std::ops::Range;

use super::safe::{self, SafeArena, SafeText};
use crate::pages::{Pack, Packed, Pages};

/// Lines, each followed by one `\n`, without styles; filled from a [`SafeArena`] alone, and
/// numbered from 0.
#[derive(Clone, Debug, Default)]
pub struct SafePage {
    text: Pages<u8>,
    ends: Pages<u32>,
}

impl SafePage {
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
        // Whole lines of text were copied here, so this is text; a line costs less to look
        // through than to draw.
        std::str::from_utf8(self.line_bytes(index)).unwrap_or("")
    }

    /// The same as bytes, to search in.
    pub fn line_bytes(&self, index: usize) -> &[u8] {
        let range = safe::range(&self.ends, index).unwrap_or(0..0);
        self.text.get(range).unwrap_or(&[])
    }

    /// All lines, each with its `\n`; for searches over many lines at once. It is UTF-8.
    pub fn bytes(&self) -> &[u8] {
        &self.text
    }

    /// The end offset of each line (of its `\n`), ascending; pairs with [`SafePage::bytes`].
    pub fn ends(&self) -> &[u32] {
        &self.ends
    }

    /// Moves the lines into a pack, see [`Pack::take`].
    #[must_use]
    pub fn pack(&mut self, pack: &mut Pack) -> Self {
        Self {
            text: pack.take(&mut self.text),
            ends: pack.take(&mut self.ends),
        }
    }

    fn len_u32(&self) -> u32 {
        u32::try_from(self.text.len()).unwrap_or(u32::MAX)
    }
}

impl Packed for SafePage {
    fn heap_bytes(&self) -> usize {
        self.text.heap_bytes() + self.ends.heap_bytes()
    }

    fn packed_bytes(&self) -> usize {
        self.text.packed_bytes() + self.ends.packed_bytes()
    }
}
