//! [`SafeText`], the proof that sanitising happened, and [`SafeArena`], many lines of it in
//! one allocation. Both are filled by [`super::sanitise`] alone.

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

use super::sanitise;

/// Text that may reach a terminal: no control characters, no escape sequences, no invisible
/// or direction-changing characters, at most 8 combining marks a base character.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct SafeText<'a>(Cow<'a, str>);

impl<'a> SafeText<'a> {
    /// No text.
    pub const EMPTY: SafeText<'static> = SafeText(Cow::Borrowed(""));

    /// Sanitises `raw`; borrows when nothing had to change.
    pub fn new(raw: &'a [u8]) -> Self {
        sanitise::plain(raw)
    }

    /// Sanitises a string of our own making; for messages that quote foreign words.
    pub fn of(text: &'a str) -> Self {
        sanitise::plain(text.as_bytes())
    }

    /// The text itself.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// A part of the text, by bytes; empty if the range is not on characters' borders.
    #[must_use]
    pub fn slice(self, range: Range<usize>) -> Self {
        match self.0 {
            Cow::Borrowed(text) => Self(Cow::Borrowed(text.get(range).unwrap_or(""))),
            Cow::Owned(text) => Self(Cow::Owned(text.get(range).unwrap_or("").to_owned())),
        }
    }

    /// The same text, not copied.
    pub fn borrowed(&self) -> SafeText<'_> {
        SafeText(Cow::Borrowed(&self.0))
    }

    /// Detaches the text from what it was read from.
    pub fn into_owned(self) -> SafeText<'static> {
        SafeText(Cow::Owned(self.0.into_owned()))
    }

    /// For the sanitiser alone: `text` has passed it.
    pub(super) fn proven(text: Cow<'a, str>) -> Self {
        Self(text)
    }
}

impl fmt::Display for SafeText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for SafeText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&*self.0, f)
    }
}

/// A colour as an SGR sequence names it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Hash)]
pub enum Ink {
    /// The terminal's own.
    #[default]
    Default,
    /// One of the 256 colours; 0 to 15 are the terminal's palette.
    Indexed(u8),
    /// True colour.
    Rgb(u8, u8, u8),
}

/// Text attributes, one bit each. Blink does not exist here; conceal arrives as [`Attrs::DIM`].
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Hash)]
pub struct Attrs(pub u8);

impl Attrs {
    /// SGR 1.
    pub const BOLD: u8 = 1;
    /// SGR 2, and 8 (conceal), which would hide evidence.
    pub const DIM: u8 = 2;
    /// SGR 3.
    pub const ITALIC: u8 = 4;
    /// SGR 4.
    pub const UNDERLINE: u8 = 8;
    /// SGR 7.
    pub const INVERSE: u8 = 16;

    /// Whether the bit `attr` is set.
    pub fn has(self, attr: u8) -> bool {
        self.0 & attr != 0
    }
}

/// What SGR sequences left set at one place of a line.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Hash)]
pub struct TextStyle {
    /// Foreground.
    pub fg: Ink,
    /// Background.
    pub bg: Ink,
    /// Attributes.
    pub attrs: Attrs,
}

impl TextStyle {
    /// Whether nothing is set.
    pub fn is_default(self) -> bool {
        self == Self::default()
    }
}

/// A styled stretch of text; offsets in bytes, `start < end`. In an arena they count from the
/// arena's start, in [`SafeArena::runs`]' answer from the line's.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct StyleRun {
    /// First byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
    /// How it looks.
    pub style: TextStyle,
}

/// Many sanitised lines, each followed by one `\n`, in one growing string; with the style runs
/// of the few lines that have any. Lines are numbered from 0.
#[derive(Clone, Debug, Default)]
pub struct SafeArena {
    text: String,
    ends: Vec<u32>,
    runs: Vec<StyleRun>,
}

impl SafeArena {
    /// An arena with room for `bytes` of text and `lines` lines.
    pub fn with_capacity(bytes: usize, lines: usize) -> Self {
        Self {
            text: String::with_capacity(bytes),
            ends: Vec::with_capacity(lines),
            runs: Vec::new(),
        }
    }

    /// Sanitises `raw` (one line, without its newline) onto the end. True if the shown text is
    /// byte for byte what came, so that the raw bytes need no keeping.
    pub fn push(&mut self, raw: &[u8]) -> bool {
        let same = sanitise::append(raw, &mut self.text, &mut self.runs);
        self.end_line();
        same
    }

    /// Copies line `index` of another arena onto the end; nothing if there is no such line.
    pub fn push_from(&mut self, other: &Self, index: usize) {
        let Some(Range { start, end }) = range(&other.ends, index) else {
            return;
        };
        let base = self.len_u32();
        self.text.push_str(other.text.get(start..end).unwrap_or(""));
        for run in other.runs_in(start, end) {
            let shift = |at: u32| at - u32::try_from(start).unwrap_or(0) + base;
            self.runs.push(StyleRun {
                start: shift(run.start),
                end: shift(run.end),
                ..*run
            });
        }
        self.end_line();
    }

    /// The text of lines `lines` and the end of each, counted from its start; as many as there
    /// are.
    pub(super) fn part(&self, lines: Range<usize>) -> (&str, impl ExactSizeIterator<Item = u32>) {
        let ends = self.ends.get(lines.clone()).unwrap_or(&[]);
        let start = range(&self.ends, lines.start).map_or(0, |line| line.start);
        let text = match ends.last() {
            Some(end) => self.text.get(start..=*end as usize).unwrap_or(""),
            None => "",
        };
        let from = u32::try_from(start).unwrap_or(0);
        (text, ends.iter().map(move |end| end - from))
    }

    /// How many lines.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there is no line.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// Line `index`, without its newline; empty if there is no such line.
    pub fn text(&self, index: usize) -> SafeText<'_> {
        SafeText(Cow::Borrowed(self.line(index)))
    }

    /// Line `index` as a string that lives as long as the arena.
    pub fn line(&self, index: usize) -> &str {
        let text = range(&self.ends, index).and_then(|line| self.text.get(line));
        text.unwrap_or("")
    }

    /// The style runs of line `index`, offsets from the line's start, in order.
    pub fn runs(&self, index: usize) -> impl Iterator<Item = StyleRun> + '_ {
        let Range { start, end } = range(&self.ends, index).unwrap_or(0..0);
        let base = u32::try_from(start).unwrap_or(0);
        self.runs_in(start, end).iter().map(move |run| StyleRun {
            start: run.start - base,
            end: run.end - base,
            style: run.style,
        })
    }

    /// All lines, each with its `\n`; for searches over many lines at once.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The end offset of each line (of its `\n`), ascending; pairs with [`SafeArena::as_str`].
    pub fn ends(&self) -> &[u32] {
        &self.ends
    }

    /// Bytes of text held, newlines included.
    pub fn text_bytes(&self) -> usize {
        self.text.len()
    }

    /// Bytes of memory held.
    pub fn heap_bytes(&self) -> usize {
        self.text.capacity()
            + self.ends.capacity() * size_of::<u32>()
            + self.runs.capacity() * size_of::<StyleRun>()
    }

    fn len_u32(&self) -> u32 {
        u32::try_from(self.text.len()).unwrap_or(u32::MAX)
    }

    fn end_line(&mut self) {
        self.ends.push(self.len_u32());
        self.text.push('\n');
    }

    fn runs_in(&self, start: usize, end: usize) -> &[StyleRun] {
        let first = self
            .runs
            .partition_point(|run| (run.start as usize) < start);
        let last = self.runs.partition_point(|run| (run.start as usize) < end);
        self.runs.get(first..last).unwrap_or(&[])
    }
}

/// Where line `index` is, without its newline, in text whose lines end at `ends`.
pub(super) fn range(ends: &[u32], index: usize) -> Option<Range<usize>> {
    let end = *ends.get(index)? as usize;
    let start = match index.checked_sub(1) {
        Some(before) => *ends.get(before)? as usize + 1,
        None => 0,
    };
    Some(start..end)
}

/// The last border of a character in `text` that is not behind byte `at`.
pub fn floor_boundary(text: &str, at: usize) -> usize {
    (0..=at.min(text.len()))
        .rev()
        .find(|at| text.is_char_boundary(*at))
        .unwrap_or(0)
}
