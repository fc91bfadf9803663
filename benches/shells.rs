//! Shell tabs against tmux (performance.md 3, and 8 rows 12 and 13): what the emulator takes of
//! four kinds of output, and what a tab's history costs. `cargo bench --bench shells`.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a benchmark reads the clock and prints"
)]

use std::fmt::Write;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use deckwatch::term::{Screen, Size};

const ROUNDS: usize = 5;
/// Bytes of each kind of output.
const BYTES: usize = 16 << 20;
/// Lines of a tab's history (decision 11).
const HISTORY: usize = 5000;
const COLUMNS: u16 = 200;
const ROWS: u16 = 50;

fn main() {
    let mut args = std::env::args()
        .skip(1)
        .skip_while(|arg| arg != "memory-of");
    if args.next().is_some() {
        return memory_of(&args.next().unwrap());
    }
    throughput();
    memory();
    worst();
}

/// Row 12, the emulator's part: bytes that lie in memory into the grid, beside tmux writing the
/// same file into a pane without a client. tmux has a pseudo-terminal to read, we have none.
fn throughput() {
    println!(
        "\nRow 12, the emulator alone, {COLUMNS}x{ROWS}, {HISTORY} lines of history, medians of {ROUNDS}"
    );
    println!(
        "  {:<8}{:>10}{:>10}{:>10}{:>8}",
        "", "4 KiB", "64 KiB", "tmux", "ratio"
    );
    let dir = tempfile::tempdir().unwrap();
    for (name, make, gate, goal) in [
        ("plain", plain as fn(usize, &mut String), 1.5, 2.0),
        ("SGR", sgr, 3.0, 5.0),
        ("redraw", redraw, 3.0, 4.5),
        ("CJK", cjk, 4.0, 8.0),
    ] {
        let text = corpus(make);
        let file = dir.path().join(name);
        std::fs::write(&file, &text).unwrap();
        let (mut small, mut large, mut theirs) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            small.push(ours(text.as_bytes(), 4 << 10));
            large.push(ours(text.as_bytes(), 64 << 10));
            theirs.extend(tmux(dir.path(), &file));
        }
        let (small, large) = (median(small), median(large));
        if theirs.len() < ROUNDS {
            println!("  {name:<8}{small:>10.1}{large:>10.1}  MB/s; tmux is not here");
            continue;
        }
        let theirs = median(theirs);
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

/// MB/s of a tmux of its own; none without tmux.
fn tmux(dir: &Path, file: &Path) -> Option<f64> {
    let socket = format!("deckwatch-bench-{}", std::process::id());
    let done = dir.join("done");
    let run = |words: &[&str]| {
        let mut command = Command::new("tmux");
        command
            .env_remove("TMUX")
            .args(["-L", &socket, "-f", "/dev/null"]);
        command.args(words).output()
    };
    let command = format!("cat '{}'; touch '{}'", file.display(), done.display());
    let (columns, rows) = (COLUMNS.to_string(), ROWS.to_string());
    // A server that runs already, so that its start is not measured.
    run(&["new-session", "-d", "-s", "idle", "sleep 100"]).ok()?;
    let start = Instant::now();
    run(&["new-session", "-d", "-x", &columns, "-y", &rows, &command]).ok()?;
    while !done.exists() {
        assert!(
            start.elapsed() < Duration::from_secs(60),
            "tmux took a minute"
        );
        std::thread::sleep(Duration::from_millis(1));
    }
    let taken = start.elapsed();
    run(&["kill-server"]).ok()?;
    std::fs::remove_file(&done).unwrap();
    let length = std::fs::metadata(file).unwrap().len();
    Some(rate(usize::try_from(length).unwrap(), taken))
}

fn rate(bytes: usize, taken: Duration) -> f64 {
    f64::from(u32::try_from(bytes).unwrap()) / taken.as_secs_f64() / 1e6
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap()
}

fn corpus(make: fn(usize, &mut String)) -> String {
    let mut text = String::with_capacity(BYTES + 64 * 1024);
    let mut number = 0;
    while text.len() < BYTES {
        make(number, &mut text);
        number += 1;
    }
    text
}

/// Lines of a log.
fn plain(number: usize, out: &mut String) {
    let ms = number % 997;
    writeln!(out, "2026-11-24T14:03:{:02}.{ms:03}Z INFO gateway GET /api/v1/orders/{number} 200 {ms}ms 10.1.{}.{}\r", number % 60, number % 250, number % 99).unwrap();
}

/// A colour or more for each word.
fn sgr(number: usize, out: &mut String) {
    for word in 0..12 {
        let n = (number * 7 + word * 13) % 256;
        write!(
            out,
            "\x1b[38;5;{n}mab{word}\x1b[1;48;2;{n};{};9mcd\x1b[0m ",
            255 - n
        )
        .unwrap();
    }
    out.push_str("\r\n");
}

/// A full-screen program that draws everything anew.
fn redraw(number: usize, out: &mut String) {
    out.push_str("\x1b[H");
    for row in 1..=ROWS {
        let n = (number + usize::from(row)) % 8;
        write!(
            out,
            "\x1b[{row};1H\x1b[3{n}m{:>5} root \x1b[7m{:<60}\x1b[27m {:>8}\x1b[K",
            number + usize::from(row),
            "/usr/bin/program --with arguments",
            number
        )
        .unwrap();
    }
}

/// Ideographs, kana and emoji.
fn cjk(number: usize, out: &mut String) {
    writeln!(out, "订单 {number} 已支付，金额 ¥128.50，用户 张三 ありがとうございます 👍🚀 配送状态：已发货，预计三日内送达。\r").unwrap();
}

/// Row 13: growth of a process of its own when a tab's history fills.
fn memory() {
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

fn memory_of(what: &str) {
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
    let before = resident();
    let mut screen = Screen::new(Size::new(COLUMNS, ROWS), HISTORY);
    for round in 0..HISTORY * 3 {
        // The string is opened once.
        let again = what == "endless" && round > 0;
        screen.advance(if again { line.split_at(4).1 } else { &line });
    }
    let grown = f64::from(u32::try_from(resident() - before).unwrap()) / 1e6;
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
fn worst() {
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
        println!("  {name:<10}{:>8.2} ms", median(times.collect()));
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
    println!("  a new width {:>6.2} ms", median(times.collect()));
}

/// Bytes of this process in memory.
fn resident() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status
        .lines()
        .find(|line| line.starts_with("VmRSS:"))
        .unwrap();
    let kilobytes: usize = line.split_whitespace().nth(1).unwrap().parse().unwrap();
    kilobytes * 1024
}
