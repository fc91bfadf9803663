//! A screen as it is seen: ours, and tmux's out of capture-pane.

use std::fmt::Write;

use deckwatch::term::{CellStyle, Screen, Underline, Width};
use deckwatch::text::Ink;
use unicode_width::UnicodeWidthChar;

use crate::tmux::Tmux;

/// A cell as it is seen.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Seen {
    /// Its characters; empty behind a wide one.
    text: String,
    style: CellStyle,
}

impl Seen {
    /// A blank shows nothing of the text's colour and weight, and so does what is hidden.
    fn new(text: String, mut style: CellStyle) -> Self {
        let lines = style.underline != Underline::None || style.strike;
        if text == " " {
            style.bold = false;
            style.dim = false;
            style.italic = false;
            style.hidden = false;
            if !lines && !style.reverse {
                style.fg = Ink::Default;
            }
        }
        if style.underline == Underline::None {
            style.underline_ink = Ink::Default;
        }
        Self { text, style }
    }

    /// Whether it is a blank of some background.
    fn is_blank(&self) -> bool {
        let mut style = self.style;
        style.bg = Ink::Default;
        self.text == " " && style == CellStyle::default()
    }
}

/// A screen as it is seen: rows of cells, and the cursor's column and line if it is shown.
/// The blank end of a row capture-pane leaves out: the row is shorter.
#[derive(Debug)]
pub(super) struct Picture {
    rows: Vec<Vec<Seen>>,
    cursor: Option<(u16, u16)>,
}

impl Picture {
    pub(super) fn of(screen: &Screen) -> Self {
        let row = |number| {
            let row = screen.row(number).unwrap();
            let cells = row.cells().map(|cell| {
                let mut text = String::new();
                cell.push_to(&mut text);
                // At a row's end a spacer is a blank that no wide character fitted into.
                let behind = cell.width == Width::Spacer;
                (text, cell.style, behind)
            });
            let mut seen: Vec<Seen> = Vec::new();
            for (text, style, behind) in cells {
                let wide = seen.last().is_some_and(|last| columns(&last.text) == 2);
                if behind && wide {
                    seen.push(Seen::new(String::new(), CellStyle::default()));
                } else if behind {
                    seen.push(Seen::new(" ".into(), style));
                } else {
                    seen.push(Seen::new(text, style));
                }
            }
            seen
        };
        Self {
            rows: (screen.top_row()..screen.end_row()).map(row).collect(),
            cursor: screen.cursor().map(|cursor| (cursor.column, cursor.line)),
        }
    }

    /// What tmux has in its pane of this size.
    pub(super) fn of_tmux(tmux: &Tmux, columns: u16, rows: u16) -> Self {
        let lines = captured(tmux, rows);
        let cursor = tmux.ask(&["display", "-p", "#{cursor_x} #{cursor_y} #{cursor_flag}"]);
        let numbers: Vec<u16> = cursor
            .split_whitespace()
            .map(|n| n.parse().unwrap())
            .collect();
        let &[x, y, shown] = numbers.as_slice() else {
            panic!("{cursor}");
        };
        // After the last column was written tmux's cursor stands beyond it, ours on it.
        let x = x.min(columns - 1);
        Self {
            rows: lines,
            cursor: (shown == 1).then_some((x, y)),
        }
    }

    /// Each place where the two are not the same: its row, and a sentence. What lies behind
    /// the end of a row of the other's has to be blank.
    pub(super) fn differences(&self, other: &Self) -> Vec<(usize, String)> {
        let mut found = Vec::new();
        let blank = Seen::new(" ".into(), CellStyle::default());
        for (y, (ours, theirs)) in self.rows.iter().zip(&other.rows).enumerate() {
            for (x, our) in ours.iter().enumerate() {
                let their = theirs.get(x).unwrap_or(&blank);
                if our == their || x >= theirs.len() && our.is_blank() {
                    continue;
                }
                let mut words = format!("{:?} is {:?} in tmux", our.text, their.text);
                if our.style != their.style {
                    write!(words, ": {:?} is {:?}", our.style, their.style).unwrap();
                }
                found.push((y, format!("row {y} column {x}: {words}")));
                break;
            }
        }
        if self.cursor != other.cursor {
            let row = self.cursor.or(other.cursor);
            let row = row.map_or(0, |(_, y)| usize::from(y));
            let words = format!("the cursor {:?} is {:?} in tmux", self.cursor, other.cursor);
            found.push((row, words));
        }
        found
    }

    /// Each row whose blank end, as the other has it, has another background in `shown`.
    pub(super) fn other_ends(&self, other: &Self, shown: &[Vec<Seen>]) -> Vec<(usize, String)> {
        let mut found = Vec::new();
        for (y, (ours, theirs)) in self.rows.iter().zip(&other.rows).enumerate() {
            let bg = |x: usize| {
                let cell = shown.get(y).and_then(|row| row.get(x));
                cell.map_or(Ink::Default, |cell| cell.style.bg)
            };
            let ends = ours.iter().enumerate().skip(theirs.len());
            if let Some((x, our)) = ends.into_iter().find(|(x, our)| our.style.bg != bg(*x)) {
                let words = format!(
                    "row {y} column {x}: a blank of {:?} is one of {:?} in tmux",
                    our.style.bg,
                    bg(x)
                );
                found.push((y, words));
            }
        }
        found
    }
}

/// The rows of a tmux, each without its blank end.
pub(super) fn captured(tmux: &Tmux, rows: u16) -> Vec<Vec<Seen>> {
    let text = tmux.ask(&["capture-pane", "-p", "-e", "-N"]);
    let mut pen = Pen::default();
    let mut lines: Vec<Vec<Seen>> = text.split('\n').map(|line| pen.line(line)).collect();
    lines.resize(usize::from(rows), Vec::new());
    lines
}

/// Columns of a cell's characters, by its base.
fn columns(text: &str) -> usize {
    text.chars().next().and_then(char::width).unwrap_or(0)
}

/// Reads what capture-pane writes: text, SGR, and shifts to line drawing and back.
#[derive(Default)]
struct Pen {
    style: CellStyle,
    drawing: bool,
}

impl Pen {
    fn line(&mut self, line: &str) -> Vec<Seen> {
        let mut cells: Vec<Seen> = Vec::new();
        let mut rest = line.chars();
        while let Some(c) = rest.next() {
            match c {
                '\x1b' => {
                    assert_eq!(rest.next(), Some('['), "{line:?}");
                    let params: String = rest.by_ref().take_while(|c| *c != 'm').collect();
                    self.sgr(&params);
                }
                '\x0e' => self.drawing = true,
                '\x0f' => self.drawing = false,
                c => self.put(c, &mut cells),
            }
        }
        cells
    }

    fn put(&self, c: char, cells: &mut Vec<Seen>) {
        let c = if self.drawing { drawn(c) } else { c };
        let width = c.width().unwrap_or(0);
        if width == 0 {
            let last = cells.iter_mut().rev().find(|cell| !cell.text.is_empty());
            last.unwrap().text.push(c);
            return;
        }
        cells.push(Seen::new(c.into(), self.style));
        if width == 2 {
            cells.push(Seen::new(String::new(), CellStyle::default()));
        }
    }

    fn sgr(&mut self, params: &str) {
        let mut params = params.split(';');
        while let Some(param) = params.next() {
            let mut subs = param.split(':').map(|sub| sub.parse().unwrap_or(0));
            let code: u16 = subs.next().unwrap();
            let style = &mut self.style;
            match code {
                0 => *style = CellStyle::default(),
                1 => style.bold = true,
                2 => style.dim = true,
                3 => style.italic = true,
                4 => style.underline = underline(subs.next().unwrap_or(1)),
                7 => style.reverse = true,
                8 => style.hidden = true,
                9 => style.strike = true,
                30..=37 => style.fg = low(code - 30),
                39 => style.fg = Ink::Default,
                40..=47 => style.bg = low(code - 40),
                49 => style.bg = Ink::Default,
                90..=97 => style.fg = low(code - 82),
                100..=107 => style.bg = low(code - 92),
                38 | 48 | 58 => {
                    let more: Vec<u16> = subs.collect();
                    let ink = if more.is_empty() {
                        ink(&mut params.by_ref().map(|param| param.parse().unwrap()))
                    } else {
                        ink(&mut more.into_iter())
                    };
                    match code {
                        38 => style.fg = ink,
                        48 => style.bg = ink,
                        _ => style.underline_ink = ink,
                    }
                }
                // Blinking and overlines, which we don't keep.
                5 | 53 => {}
                other => panic!("tmux writes SGR {other}"),
            }
        }
    }
}

fn low(index: u16) -> Ink {
    Ink::Indexed(u8::try_from(index).unwrap())
}

fn ink(numbers: &mut dyn Iterator<Item = u16>) -> Ink {
    let mode = numbers.next().unwrap();
    let mut rest: Vec<u8> = numbers
        .take(if mode == 5 { 1 } else { 4 })
        .map(|n| u8::try_from(n).unwrap())
        .collect();
    match (mode, rest.as_mut_slice()) {
        (5, &mut [index]) => Ink::Indexed(index),
        (2, &mut ([r, g, b] | [_, r, g, b])) => Ink::Rgb(r, g, b),
        other => panic!("{other:?}"),
    }
}

fn underline(kind: u16) -> Underline {
    match kind {
        0 => Underline::None,
        1 => Underline::Single,
        2 => Underline::Double,
        3 => Underline::Curl,
        4 => Underline::Dotted,
        _ => Underline::Dashed,
    }
}

/// VT100's line drawing.
fn drawn(c: char) -> char {
    let from = "_`abcdefghijklmnopqrstuvwxyz{|}~";
    let to = " ◆▒␉␌␍␊°±␤␋┘┐┌└┼⎺⎻─⎼⎽├┤┴┬│≤≥π≠£·";
    let index = from.chars().position(|known| known == c);
    index.and_then(|index| to.chars().nth(index)).unwrap_or(c)
}
