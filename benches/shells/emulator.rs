//! The emulator alone, on bytes that lie in memory.

use std::fmt::Write;
use std::process::Command;
use std::time::Instant;

use deckwatch::term::{Screen, Size};

use crate::anchors::tmux;
use crate::corpora::{KINDS, corpus};
use crate::{COLUMNS, HISTORY, ROUNDS, ROWS, median, rate, resident};

/// Bytes of each kind of output.
const BYTES: usize = 16 << 20;

/// Row 12, the emulator's part: bytes that lie in memory into the grid, beside tmux writing the
/// same file into a pane without a client. tmux has a pseudo-terminal to read, we have none.
pub(crate) fn throughput() {
    println!(
        "\nRow 12, the emulator alone, {COLUMNS}x{ROWS}, {HISTORY} lines of history, medians of {ROUNDS}"
    );
    println!(
        "  {:<8}{:>10}{:>10}{:>10}{:>8}",
        "", "4 KiB", "64 KiB", "tmux", "ratio"
    );
    let dir = tempfile::tempdir().unwrap();
    for (name, make, gate, goal) in KINDS {
        let text = corpus(make, BYTES);
        let file = dir.path().join(name);
        std::fs::write(&file, &text).unwrap();
        let (mut small, mut large, mut theirs) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            small.push(ours(text.as_bytes(), 4 << 10));
            large.push(ours(text.as_bytes(), 64 << 10));
            theirs.extend(tmux(dir.path(), &file));
        }
        let (small, large) = (median(&small), median(&large));
        if theirs.len() < ROUNDS {
            println!("  {name:<8}{small:>10.1}{large:>10.1}  MB/s; tmux is not here");
            continue;
        }
        let theirs = median(&theirs);
        let ratio = small / theirs;
        let word = if ratio >= gate { "" } else { "  MISSED" };
        println!(
            "  {name:<8}{small:>10.1}{large:>10.1}{theirs:>10.1}  MB/s {ratio:>6.2}x  (gate {gate}, goal {goal}){word}"
        );
    }
}

/// MB/s of a new screen.
fn ours(bytes: &[u8], chunk: usize) -> f64 {
    let mut screen = Screen::new(Size::new(COLUMNS, ROWS), HISTORY);
    let start = Instant::now();
    for piece in bytes.chunks(chunk) {
        screen.advance(piece);
    }
    rate(bytes.len(), start.elapsed())
}

/// Row 13: growth of a process of its own when a tab's history fills.
pub(crate) fn memory() {
    println!(
        "\nRow 13, memory of one tab, {HISTORY} lines of {COLUMNS} columns (gate 28 MB, goal 26 MB)"
    );
    for what in ["short", "long", "colours", "marks", "endless"] {
        let exe = std::env::current_exe().unwrap();
        let output = Command::new(exe)
            .args(["memory-of", what])
            .output()
            .unwrap();
        print!("{}", String::from_utf8_lossy(&output.stdout));
    }
}

pub(crate) fn memory_of(what: &str) {
    let line = match what {
        "short" => "x".repeat(40),
        "long" => "x".repeat(199),
        "colours" => (0..60).fold(String::new(), |mut line, n| {
            write!(line, "\x1b[38;5;{n}mxyz").unwrap();
            line
        }),
        // A title without an end: nothing of it is kept.
        "endless" => format!("\x1b]2;{}", "x".repeat(8192)),
        // The worst that a program can do: eight marks on each character, each its own.
        _ => format!("e{}", "\u{301}".repeat(20)).repeat(199),
    };
    let line = if what == "endless" {
        line
    } else {
        format!("{line}\x1b[m\r\n")
    }
    .into_bytes();
    let before = resident(std::process::id());
    let mut screen = Screen::new(Size::new(COLUMNS, ROWS), HISTORY);
    for round in 0..HISTORY * 3 {
        // The string is opened once.
        let again = what == "endless" && round > 0;
        screen.advance(if again { line.split_at(4).1 } else { &line });
    }
    let grown = f64::from(u32::try_from(resident(std::process::id()) - before).unwrap()) / 1e6;
    let told = f64::from(u32::try_from(screen.heap_bytes()).unwrap()) / 1e6;
    let (gate, word) = match what {
        "marks" | "endless" => ("no gate", ""),
        _ if grown <= 28.0 => ("gate 28", ""),
        _ => ("gate 28", "  MISSED"),
    };
    println!("  {what:<8}{grown:>8.1} MB resident, {told:.1} MB told ({gate}){word}");
}

/// What the most expensive bytes cost, 4 KiB of each, and a new width with a full history. The
/// interface looks at its keyboard after each piece that it feeds.
pub(crate) fn worst() {
    println!("\nThe slowest 4 KiB, {COLUMNS}x{ROWS} with a full history, medians of {ROUNDS}");
    let mut full = Screen::new(Size::new(COLUMNS, ROWS), HISTORY);
    for _ in 0..HISTORY * 2 {
        full.advance(b"a line of text\r\n");
    }
    for (name, unit) in [
        ("ED 2", "x\x1b[2J"),
        ("DECALN", "\x1b#8"),
        ("RIS", "x\x1bc"),
        ("REP", "x\x1b[65535b"),
        ("SU", "\x1b[99S"),
        ("IL", "\x1b[H\x1b[99L"),
        ("ICH", "\x1b[G\x1b[99@"),
        ("EL", "\x1b[2K"),
        ("1049", "\x1b[?1049h\x1b[?1049l"),
        ("LF", "\n"),
        ("marks", "e\u{301}"),
    ] {
        let bytes = unit.repeat(4096 / unit.len());
        let times = (0..ROUNDS).map(|_| {
            let start = Instant::now();
            full.advance(bytes.as_bytes());
            start.elapsed().as_secs_f64() * 1e3
        });
        println!("  {name:<10}{:>8.2} ms", median(&times.collect::<Vec<_>>()));
    }
    for _ in 0..HISTORY * 2 {
        full.advance(b"a line of text\r\n");
    }
    let times = (0..ROUNDS).map(|round| {
        let columns = if round % 2 == 0 { COLUMNS / 2 } else { COLUMNS };
        let start = Instant::now();
        full.resize(Size::new(columns, ROWS));
        start.elapsed().as_secs_f64() * 1e3
    });
    println!(
        "  a new width {:>6.2} ms",
        median(&times.collect::<Vec<_>>())
    );
}
