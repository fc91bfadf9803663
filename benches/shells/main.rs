//! Shell tabs against tmux (performance.md 3, and 8 rows 12 to 14): what the emulator takes, and
//! what the real program does with the demo's shells: throughput, memory, echo, neighbours, a
//! paste, idleness. `cargo bench --bench shells`, or with the name of a part behind `--`.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a benchmark reads the clock and prints"
)]

mod anchors;
mod beside;
mod corpora;
mod emulator;
mod keys;
mod pty;
mod tabs;

use std::time::Duration;

const DECKWATCH: &str = env!("CARGO_BIN_EXE_deckwatch");
const ROUNDS: usize = 5;
/// Lines of a tab's history (decision 11).
const HISTORY: usize = 5000;
const COLUMNS: u16 = 200;
const ROWS: u16 = 50;

/// The parts, by name.
const PARTS: [(&str, fn()); 10] = [
    ("emulator", emulator::throughput),
    ("memory", emulator::memory),
    ("worst", emulator::worst),
    ("tabs", tabs::throughput),
    ("growth", tabs::growth),
    ("echo", keys::echo),
    ("paste", keys::paste),
    ("beside", beside::logs),
    ("neighbour", beside::shells),
    ("idle", beside::idle),
];

fn main() {
    let args: Vec<String> = std::env::args()
        .skip(1)
        .filter(|arg| !arg.starts_with("--"))
        .collect();
    if let Some(at) = args.iter().position(|arg| arg == "memory-of") {
        return emulator::memory_of(&args[at + 1]);
    }
    for (name, part) in PARTS {
        if args.is_empty() || args.iter().any(|arg| arg == name) {
            part();
        }
    }
}

/// MB/s.
fn rate(bytes: usize, taken: Duration) -> f64 {
    f64::from(u32::try_from(bytes).unwrap()) / taken.as_secs_f64() / 1e6
}

#[expect(clippy::needless_pass_by_value, reason = "measured for this alone")]
fn median(values: Vec<f64>) -> f64 {
    at(&values, 50)
}

fn at(values: &[f64], percent: usize) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted[(sorted.len() - 1) * percent / 100]
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

/// A remark when a gate is missed.
fn missed(missed: bool) -> &'static str {
    if missed { "  MISSED" } else { "" }
}

/// Bytes of a process in memory.
fn resident(pid: u32) -> usize {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status
        .lines()
        .find(|line| line.starts_with("VmRSS:"))
        .unwrap();
    let kilobytes: usize = line.split_whitespace().nth(1).unwrap().parse().unwrap();
    kilobytes * 1024
}
