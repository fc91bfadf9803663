//! Our emulator against tmux's, cell for cell (decision 19): both get the same bytes, and after
//! each step of a recording characters, widths, styles and the cursor are the same, but for
//! what [`DIFFERENCES`] names.

use std::fmt::Write;
use std::ops::Range;
use std::path::Path;
use std::time::{Duration, Instant};

use deckwatch::term::{CellStyle, Screen, Size, Underline, Width};
use deckwatch::text::Ink;
use unicode_width::UnicodeWidthChar;

use crate::recordings::{self, Recording};
use crate::tmux::Tmux;

/// A cell as it is seen.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Seen {
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
struct Picture {
    rows: Vec<Vec<Seen>>,
    cursor: Option<(u16, u16)>,
}

impl Picture {
    fn of(screen: &Screen) -> Self {
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
    fn of_tmux(tmux: &Tmux, columns: u16, rows: u16) -> Self {
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
    fn differences(&self, other: &Self) -> Vec<(usize, String)> {
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
    fn other_ends(&self, other: &Self, shown: &[Vec<Seen>]) -> Vec<(usize, String)> {
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
fn captured(tmux: &Tmux, rows: u16) -> Vec<Vec<Seen>> {
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
        (2, &mut [r, g, b] | &mut [_, r, g, b]) => Ink::Rgb(r, g, b),
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

/// A pane that gets a recording step by step.
struct Stage {
    tmux: Tmux,
    /// A client of it, for what capture-pane does not tell.
    client: Tmux,
    step: usize,
}

impl Stage {
    /// The parts lie in files; each is written when its turn has come.
    fn new(recording: &Recording) -> Self {
        let command = "cd \"$TMPDIR\"; stty raw -echo; n=0; touch ready; while :; do \
             while [ ! -e go$n ]; do sleep 0.02; done; cat go$n; touch done$n; n=$((n+1)); done";
        let tmux = Tmux::with_history(2000, recording.columns, recording.rows, command);
        let client = tmux.watched(recording.columns, recording.rows);
        let stage = Self {
            tmux,
            client,
            step: 0,
        };
        stage.wait_for("ready");
        stage
    }

    fn wait_for(&self, name: &str) {
        let start = Instant::now();
        let path = self.tmux.dir.path().join(name);
        while !path.exists() {
            assert!(
                start.elapsed() < Duration::from_secs(30),
                "{name} never came"
            );
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    fn resize(&self, columns: u16, rows: u16) {
        let (x, y) = (columns.to_string(), rows.to_string());
        for tmux in [&self.client, &self.tmux] {
            tmux.ask(&["resize-window", "-x", &x, "-y", &y]);
        }
    }

    /// The client draws when it comes to it: once it is right, it is right.
    fn other_ends(&self, ours: &Picture, theirs: &Picture, rows: u16) -> Vec<(usize, String)> {
        let start = Instant::now();
        loop {
            let found = ours.other_ends(theirs, &captured(&self.client, rows));
            if found.is_empty() || start.elapsed() > Duration::from_secs(2) {
                return found;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// tmux has written all of `bytes` to its screen.
    fn write(&mut self, bytes: &[u8]) {
        let dir: &Path = self.tmux.dir.path();
        let step = self.step;
        std::fs::write(dir.join("part"), bytes).unwrap();
        std::fs::rename(dir.join("part"), dir.join(format!("go{step}"))).unwrap();
        self.wait_for(&format!("done{step}"));
        self.step += 1;
        // The bytes are in the pseudo-terminal; tmux reads them before it sleeps.
        let look = || {
            let cursor = ["display", "-p", "#{cursor_x} #{cursor_y}"];
            self.tmux.ask(&["capture-pane", "-p", "-e", "-N"]) + &self.tmux.ask(&cursor)
        };
        let mut last = look();
        loop {
            std::thread::sleep(Duration::from_millis(25));
            let next = look();
            if next == last {
                return;
            }
            last = next;
        }
    }
}

/// Both emulators on one recording: what is not the same, by step and row.
fn compare(recording: &Recording) -> Vec<(usize, usize, String)> {
    let (mut columns, mut rows) = (recording.columns, recording.rows);
    let mut stage = Stage::new(recording);
    let mut screen = Screen::new(Size::new(columns, rows), 2000);
    let mut found = Vec::new();
    for (step, (bytes, resize)) in recording.pieces().enumerate() {
        stage.write(bytes);
        assert!(!screen.advance(bytes).failed);
        let ours = Picture::of(&screen);
        let theirs = Picture::of_tmux(&stage.tmux, columns, rows);
        let mut differences = ours.differences(&theirs);
        differences.extend(stage.other_ends(&ours, &theirs, rows));
        for (row, words) in differences {
            found.push((step, row, words));
        }
        if let Some(size) = resize {
            (columns, rows) = size;
            stage.resize(columns, rows);
            assert!(!screen.resize(Size::new(columns, rows)).failed);
        }
    }
    found
}

/// A difference that is meant to be: in which recording, in which steps and rows, and why.
struct Difference {
    recording: &'static str,
    steps: Range<usize>,
    rows: Range<usize>,
    why: &'static str,
}

const DIFFERENCES: &[Difference] = &[
    Difference {
        recording: "alternate",
        steps: 6..7,
        rows: 0..9,
        why: "mode 1048 (save the cursor) is unknown to tmux 3.3",
    },
    Difference {
        recording: "bash",
        steps: 9..11,
        rows: 0..10,
        why: "reflow: lines of a narrower screen move up otherwise, until the program redraws",
    },
    Difference {
        recording: "cjk",
        steps: 2..3,
        rows: 1..4,
        why: "tmux leaves half a wide character standing: in column 0, at the end, and when one half is deleted",
    },
    Difference {
        recording: "emoji-zwj",
        steps: 0..4,
        rows: 0..4,
        why: "joined emoji have the width of one in tmux, and that of their parts here and in most terminals",
    },
    Difference {
        recording: "erase-at-edge",
        steps: 4..7,
        rows: 5..6,
        why: "after the last column tmux's cursor stands beyond it, so that a step left goes one column less far; ours is xterm's",
    },
    Difference {
        recording: "insert-delete-lines",
        steps: 5..6,
        rows: 1..4,
        why: "IL outside the margins does nothing on a VT100; tmux inserts",
    },
    Difference {
        recording: "invalid-utf8",
        steps: 0..2,
        rows: 0..2,
        why: "tmux leaves some invalid bytes out; each is shown as U+FFFD here",
    },
    Difference {
        recording: "motion",
        steps: 0..1,
        rows: 2..5,
        why: "HPR and VPR are unknown to tmux 3.3",
    },
    Difference {
        recording: "repeat",
        steps: 1..5,
        rows: 1..7,
        why: "tmux repeats no wide characters, and only to the row's end",
    },
    Difference {
        recording: "reset",
        steps: 2..4,
        rows: 0..9,
        why: "DECSTR is unknown to tmux 3.3",
    },
    Difference {
        recording: "save-restore",
        steps: 2..4,
        rows: 1..3,
        why: "DECSC saves that the next character wraps on a VT100; tmux forgets it",
    },
    Difference {
        recording: "sgr-true-colour",
        steps: 1..2,
        rows: 2..3,
        why: "of a colour with parts missing tmux takes the rest for attributes",
    },
    Difference {
        recording: "tabs",
        steps: 4..5,
        rows: 0..1,
        why: "CHT is unknown to tmux 3.3",
    },
    Difference {
        recording: "vttest-cursor",
        steps: 2..3,
        rows: 2..22,
        why: "132 columns on 80: the cursor beyond the last column again",
    },
    Difference {
        recording: "vttest-cursor",
        steps: 3..5,
        rows: 2..20,
        why: "vttest's page on wrapping is right here (I to Z in order) and wrong in tmux: the same cursor",
    },
    Difference {
        recording: "vttest-screen",
        steps: 11..12,
        rows: 1..24,
        why: "vttest's page on origin mode is right here (the line at the bottom) and wrong in tmux",
    },
    Difference {
        recording: "wide-edge",
        steps: 4..5,
        rows: 2..3,
        why: "tmux leaves half a wide character standing in column 0",
    },
    Difference {
        recording: "wrap-pending",
        steps: 0..4,
        rows: 0..1,
        why: "a step left from beyond the last column again",
    },
];

/// Compares the recordings whose number leaves this rest.
fn compare_all(rest: usize) {
    let mut faults = String::new();
    let mut steps = 0;
    for (index, recording) in recordings::all().iter().enumerate() {
        if index % 2 != rest {
            continue;
        }
        steps += recording.steps.len();
        let known: Vec<&Difference> = DIFFERENCES
            .iter()
            .filter(|known| known.recording == recording.name)
            .collect();
        let found = compare(recording);
        let named = |known: &Difference, step: usize, row: usize| {
            known.steps.contains(&step) && known.rows.contains(&row)
        };
        for (step, row, words) in &found {
            if !known.iter().any(|known| named(known, *step, *row)) {
                writeln!(faults, "{} step {step}: {words}", recording.name).unwrap();
            }
        }
        for known in known {
            if !found.iter().any(|(step, row, _)| named(known, *step, *row)) {
                let why = known.why;
                writeln!(faults, "{}: this is no more: {why}", recording.name).unwrap();
            }
        }
    }
    assert!(steps > 0 && faults.is_empty(), "\n{faults}");
}

#[test]
fn half_of_the_recordings_looks_as_in_tmux() {
    compare_all(0);
}

#[test]
fn the_other_half_looks_as_in_tmux() {
    compare_all(1);
}
