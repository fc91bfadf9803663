//! [`SafePage`], many lines of sanitised text in memory that the system gives and gets back as
//! a whole. Pieces of 1 MiB that come and go for hours leave an allocator's heap in gaps that
//! the next one does not fit, so that it grows; these are never part of it.

use std::alloc::{Layout, handle_alloc_error};
use std::ops::Range;

use memmap2::MmapMut;

use super::{SafeArena, SafeText};

/// What a system gives at least, for what is counted; some give more at once.
const GRAIN: usize = 4096;

/// Lines, each followed by one `\n`, without styles; filled from a [`SafeArena`] alone, and
/// numbered from 0. Memory that no text has reached costs nothing.
#[derive(Debug, Default)]
pub struct SafePage {
    /// Text up to `used`, none before the first line.
    map: Option<MmapMut>,
    used: usize,
    /// Bytes to ask for at least.
    room: usize,
    ends: Vec<u32>,
}

impl SafePage {
    /// A page for about `room` bytes of text and `lines` lines.
    pub fn with_room(room: usize, lines: usize) -> Self {
        Self {
            room,
            ends: Vec::with_capacity(lines),
            ..Self::default()
        }
    }

    /// Copies the text of lines `lines` of an arena onto the end; as many as there are.
    pub fn push_text(&mut self, other: &SafeArena, lines: Range<usize>) {
        let (text, ends) = other.part(lines);
        let base = self.len_u32();
        self.ends.extend(ends.map(|end| end + base));
        self.append(text.as_bytes());
    }

    /// Appends a line without text.
    pub fn push_empty(&mut self) {
        self.ends.push(self.len_u32());
        self.append(b"\n");
    }

    /// Line `index`, without its newline; empty if there is no such line.
    pub fn text(&self, index: usize) -> SafeText<'_> {
        SafeText::proven(self.line(index).into())
    }

    /// Line `index` as a string that lives as long as the page.
    pub fn line(&self, index: usize) -> &str {
        let range = self.range(index).unwrap_or(0..0);
        // Whole lines of text were copied here, so this is text; a line costs less to look
        // through than to draw.
        let line = self.bytes().get(range).unwrap_or(&[]);
        std::str::from_utf8(line).unwrap_or("")
    }

    /// All lines, each with its `\n`; for searches over many lines at once. It is UTF-8.
    pub fn bytes(&self) -> &[u8] {
        let map = self.map.as_deref().unwrap_or(&[]);
        map.get(..self.used).unwrap_or(&[])
    }

    /// The end offset of each line (of its `\n`), ascending; pairs with [`SafePage::bytes`].
    pub fn ends(&self) -> &[u32] {
        &self.ends
    }

    /// Bytes of memory held.
    pub fn heap_bytes(&self) -> usize {
        self.used.next_multiple_of(GRAIN) + self.ends.capacity() * size_of::<u32>()
    }

    /// Gives back what was reserved for more lines.
    pub fn shrink(&mut self) {
        self.ends.shrink_to_fit();
    }

    fn append(&mut self, text: &[u8]) {
        let end = self.used + text.len();
        if self.map.as_ref().is_none_or(|map| map.len() < end) {
            self.grow(end);
        }
        let map = self.map.as_deref_mut().unwrap_or(&mut []);
        if let Some(free) = map.get_mut(self.used..end) {
            free.copy_from_slice(text);
            self.used = end;
        }
    }

    /// Moves the text to where it has `need` bytes. Ends the program where the system has
    /// none, as any other allocation does.
    fn grow(&mut self, need: usize) {
        let twice = self.map.as_ref().map_or(0, |map| map.len() * 2);
        let size = need.max(self.room).max(twice).max(GRAIN);
        let Ok(mut map) = MmapMut::map_anon(size) else {
            handle_alloc_error(Layout::array::<u8>(size).unwrap_or(Layout::new::<u8>()));
        };
        if let Some(start) = map.get_mut(..self.used) {
            start.copy_from_slice(self.bytes());
        }
        self.map = Some(map);
    }

    fn len_u32(&self) -> u32 {
        u32::try_from(self.used).unwrap_or(u32::MAX)
    }

    fn range(&self, index: usize) -> Option<Range<usize>> {
        let end = *self.ends.get(index)? as usize;
        let start = match index.checked_sub(1) {
            Some(before) => *self.ends.get(before)? as usize + 1,
            None => 0,
        };
        Some(start..end)
    }
}

impl Clone for SafePage {
    fn clone(&self) -> Self {
        let mut copy = Self {
            map: None,
            used: 0,
            room: self.room,
            ends: self.ends.clone(),
        };
        copy.append(self.bytes());
        copy
    }
}
