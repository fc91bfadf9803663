//! One line on its way through the sanitiser, for lines that hold anything special. Graphemes
//! are kept whole: limits count per grapheme, and a style begins at the start of one.

use std::fmt::Write;

use super::class::{self, Class};
use super::{MAX_GRAPHEME, MAX_LINE, MAX_MARKS, sequence};
use crate::text::safe::{StyleRun, TextStyle};
use crate::text::sgr::Pen;
use crate::text::width;

/// A line over [`MAX_LINE`] is cut here, so that the note of the cut fits as well.
const CUT: usize = MAX_LINE - 64;

/// Stands for an escape sequence that was taken out.
const SEQUENCE_MARK: &str = "␛";

/// Stands for a carriage return inside a line.
const RETURN_MARK: &str = "␍";

/// Columns from one tabulator stop to the next.
const TAB: usize = 8;

/// A place between two graphemes: in the shown text and in the decoded input.
#[derive(Clone, Copy)]
struct Place {
    shown: usize,
    input: usize,
}

/// The line and what of it is still open.
pub(super) struct Line<'o> {
    text: &'o mut String,
    runs: &'o mut Vec<StyleRun>,
    /// Length of `text` and of `runs` before this line.
    start: usize,
    first_run: usize,
    /// Where the last grapheme begins.
    grapheme: Place,
    /// Marks since its last base, and marks left out of it.
    marks: usize,
    skipped: usize,
    last_skipped: Option<char>,
    /// Whether the next character may join it.
    open: bool,
    pen: Pen,
    run_style: TextStyle,
    run_start: usize,
    /// The last tabulator stop: offset in `text`, column.
    stop: (usize, usize),
    /// The first grapheme that ends behind [`CUT`].
    cut: Option<Place>,
    full: bool,
}

impl<'o> Line<'o> {
    /// An empty line at the end of `text`.
    pub(super) fn new(text: &'o mut String, runs: &'o mut Vec<StyleRun>) -> Self {
        let start = text.len();
        Self {
            start,
            first_run: runs.len(),
            grapheme: Place {
                shown: start,
                input: 0,
            },
            marks: 0,
            skipped: 0,
            last_skipped: None,
            open: false,
            pen: Pen::default(),
            run_style: TextStyle::default(),
            run_start: start,
            stop: (start, 0),
            cut: None,
            full: false,
            text,
            runs,
        }
    }

    /// Takes decoded text until its end or until the line is full.
    pub(super) fn take(&mut self, input: &str) {
        let mut at = 0;
        while let Some(rest) = input.get(at..).filter(|rest| !rest.is_empty())
            && !self.full
        {
            let plain = if self.open {
                0
            } else {
                class::plain_prefix(rest)
            };
            at += match rest.get(..plain) {
                Some(plain) if !plain.is_empty() => self.plain(plain, at),
                _ => self.one(rest, at),
            };
        }
        self.note_skipped();
    }

    /// Whether there was more than a line may hold.
    pub(super) fn is_full(&self) -> bool {
        self.full
    }

    /// Takes back what reaches beyond [`CUT`]; the offset in the input of what is gone.
    pub(super) fn cut(&mut self) -> Option<usize> {
        let cut = self.cut?;
        self.text.truncate(cut.shown);
        while self.runs.len() > self.first_run
            && self
                .runs
                .last()
                .is_some_and(|run| run.start as usize >= cut.shown)
        {
            self.runs.pop();
        }
        if let Some(run) = self
            .runs
            .get_mut(self.first_run..)
            .and_then(<[_]>::last_mut)
        {
            run.end = run.end.min(offset(cut.shown));
        }
        self.run_start = self.run_start.min(cut.shown);
        Some(cut.input)
    }

    /// Says how many bytes of the input are not shown.
    pub(super) fn note_cut(&mut self, bytes: usize) {
        self.pen = Pen::default();
        self.style();
        // Writing to a string cannot fail.
        let _written = write!(self.text, "<+{bytes} bytes>");
    }

    /// Ends the line and its styles.
    pub(super) fn finish(mut self) {
        self.pen = Pen::default();
        self.style();
    }

    /// Appends characters that are graphemes of their own; how many bytes were taken.
    fn plain(&mut self, plain: &str, input: usize) -> usize {
        self.note_skipped();
        if self.text.len() - self.start + plain.len() <= CUT {
            self.style();
            self.text.push_str(plain);
            let last = plain.chars().next_back().map_or(0, char::len_utf8);
            self.grapheme = Place {
                shown: self.text.len() - last,
                input: input + plain.len() - last,
            };
            self.marks = 0;
        } else {
            let mut piece = [0; 4];
            for (at, c) in plain.char_indices() {
                self.begin(c.encode_utf8(&mut piece), input + at);
            }
        }
        plain.len()
    }

    /// Takes one character or one sequence; how many bytes it was.
    fn one(&mut self, rest: &str, input: usize) -> usize {
        let mut chars = rest.chars();
        let Some(c) = chars.next() else { return 0 };
        match class::class(c) {
            Class::Control => return self.control(c, rest, input),
            Class::Hidden => self.number(c, input),
            Class::Joiner => self.joiner(c, chars.next(), input),
            Class::Selector => self.selector(c, chars.next(), input),
            Class::Narrow | Class::Wide | Class::Complex => self.join_or_begin(c, input),
        }
        c.len_utf8()
    }

    fn control(&mut self, c: char, rest: &str, input: usize) -> usize {
        match c {
            '\x1b' => {
                let sequence = sequence::measure(rest);
                match sequence.sgr {
                    Some(params) => self.pen.apply(params),
                    None => self.show(SEQUENCE_MARK, input),
                }
                return sequence.len;
            }
            '\t' => self.tab(input),
            '\r' => self.show(RETURN_MARK, input),
            // C0 and DEL in caret notation: the letter is 64 up or, for DEL, 64 down.
            '\0'..='\x7f' => {
                let letter = char::from(u8::try_from(u32::from(c) ^ 0x40).unwrap_or(b'?'));
                let mut caret = String::from("^");
                caret.push(letter);
                self.show(&caret, input);
            }
            _ => self.show(&format!("<{:02X}>", u32::from(c)), input),
        }
        c.len_utf8()
    }

    fn tab(&mut self, input: usize) {
        self.note_skipped();
        let (from, column) = self.stop;
        let column = column + width::cells(self.text.get(from..).unwrap_or(""));
        let spaces = TAB - column % TAB;
        self.show("        ".get(..spaces).unwrap_or(" "), input);
        self.stop = (self.text.len(), column + spaces);
    }

    /// Keeps a zero-width joiner between two pictures of one emoji; shows any other.
    fn joiner(&mut self, c: char, next: Option<char>, input: usize) {
        let joins = next.is_some_and(|next| {
            class::is_pictograph(next)
                && class::is_base(next)
                && self.skipped == 0
                && self.fits(self.marks + 1, c.len_utf8() + next.len_utf8())
                && self.joins(&[c, next])
        });
        if joins {
            self.extend(c, self.marks + 1);
        } else {
            self.number(c, input);
        }
    }

    /// Keeps a presentation selector behind a picture or in a keycap; shows any other.
    fn selector(&mut self, c: char, next: Option<char>, input: usize) {
        let base = self.last_grapheme().chars().next_back();
        let has_use = base.is_some_and(|base| {
            let keycap = matches!(base, '0'..='9' | '#' | '*') && next == Some('\u{20e3}');
            keycap || class::is_pictograph(base)
        });
        if has_use && self.skipped == 0 && self.fits(self.marks + 1, c.len_utf8()) {
            self.extend(c, self.marks + 1);
        } else {
            self.number(c, input);
        }
    }

    /// A character of which only the tables know whether it belongs to the grapheme before.
    fn join_or_begin(&mut self, c: char, input: usize) {
        // The grapheme has not changed since this character was left out of it.
        let known = self.last_skipped == Some(c);
        if !known && !self.joins(&[c]) {
            self.note_skipped();
            if width::grapheme_cells(c.encode_utf8(&mut [0; 4])) == 0 {
                self.number(c, input);
            } else {
                self.begin(c.encode_utf8(&mut [0; 4]), input);
                self.open = class::class(c) == Class::Complex;
            }
            return;
        }
        let marks = if class::is_base(c) { 0 } else { self.marks + 1 };
        if self.skipped == 0 && self.fits(marks, c.len_utf8()) {
            self.extend(c, marks);
        } else {
            self.skipped += 1;
            self.last_skipped = Some(c);
        }
    }

    /// The last grapheme; empty at the line's start.
    fn last_grapheme(&self) -> &str {
        self.text.get(self.grapheme.shown..).unwrap_or("")
    }

    /// Whether `more` characters would belong to the last grapheme.
    fn joins(&mut self, more: &[char]) -> bool {
        if self.last_grapheme().is_empty() {
            return false;
        }
        let before = self.text.len();
        self.text.extend(more);
        let grapheme = self.last_grapheme();
        let joins = class::first_grapheme(grapheme).len() == grapheme.len();
        self.text.truncate(before);
        joins
    }

    /// Whether the last grapheme stays within the limits with so many marks and more bytes.
    fn fits(&self, marks: usize, bytes: usize) -> bool {
        marks <= MAX_MARKS && self.last_grapheme().len() + bytes <= MAX_GRAPHEME
    }

    /// Adds `c` to the last grapheme.
    fn extend(&mut self, c: char, marks: usize) {
        if self.room(c.len_utf8(), self.grapheme) {
            self.text.push(c);
        }
        self.marks = marks;
        self.open = true;
    }

    /// Begins a grapheme.
    fn begin(&mut self, piece: &str, input: usize) {
        let place = Place {
            shown: self.text.len(),
            input,
        };
        if self.room(piece.len(), place) {
            self.style();
            self.grapheme = Place {
                shown: self.text.len(),
                input,
            };
            self.text.push_str(piece);
        }
        self.marks = 0;
        self.open = false;
    }

    /// Appends words of ours, in place of something that is not shown.
    fn show(&mut self, words: &str, input: usize) {
        self.note_skipped();
        self.begin(words, input);
        let last = words.chars().next_back().map_or(0, char::len_utf8);
        self.grapheme.shown = self.text.len() - last;
    }

    /// Shows a character by its number.
    fn number(&mut self, c: char, input: usize) {
        self.show(&format!("<U+{:04X}>", u32::from(c)), input);
    }

    fn note_skipped(&mut self) {
        self.open = false;
        if self.skipped > 0 {
            let words = format!("<+{} marks>", self.skipped);
            self.skipped = 0;
            self.last_skipped = None;
            self.begin(&words, self.grapheme.input);
            self.grapheme.shown = self.text.len() - 1;
        }
    }

    /// Whether `bytes` more fit into the line; remembers where to cut if they might not.
    fn room(&mut self, bytes: usize, grapheme: Place) -> bool {
        let len = self.text.len() - self.start + bytes;
        if len > CUT && self.cut.is_none() {
            self.cut = Some(grapheme);
        }
        self.full |= len > MAX_LINE;
        !self.full
    }

    /// Ends the style run that the pen has left, and begins its own.
    fn style(&mut self) {
        let style = self.pen.style();
        if style == self.run_style {
            return;
        }
        let at = self.text.len();
        if !self.run_style.is_default() && self.run_start < at {
            self.runs.push(StyleRun {
                start: offset(self.run_start),
                end: offset(at),
                style: self.run_style,
            });
        }
        self.run_style = style;
        self.run_start = at;
    }
}

/// Arenas end far below 4 GiB.
fn offset(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}
