//! The soak of reliability.md 7 (row 25): the real interface in a terminal of its own, five
//! streams at 2,000 lines a second, the server restarted each 10 minutes, the size changed each
//! minute, tabs opened and closed. Memory, descriptors and threads stay flat, and the counters
//! balance.
//!
//! Two hours; `DECKWATCH_SOAK_MINUTES` says another length. What it measures is printed.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test that tells what it measured"
)]

use std::io::{Read, Write};
use std::time::{Duration, Instant};

use deckwatch::demo::{Options, Platform};
use portable_pty::{CommandBuilder, PtySize, native_pty_system};
use tokio::time::sleep;

/// Lines a second of the shop's eight components at its own rate, about.
const OWN: f64 = 100.0;
const RATE: f64 = 2000.0;
/// A look at the process each so often.
const LOOK: Duration = Duration::from_secs(5);

/// What the system says of a process.
#[derive(Clone, Copy, Debug)]
struct Sample {
    at: f64,
    /// MiB resident.
    memory: f64,
    descriptors: usize,
    threads: u32,
}

fn sample(pid: u32, since: Instant) -> Sample {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let field = |name: &str| {
        let line = status.lines().find(|line| line.starts_with(name)).unwrap();
        let word = line.split_whitespace().nth(1).unwrap();
        word.parse::<u32>().unwrap()
    };
    Sample {
        at: since.elapsed().as_secs_f64(),
        memory: f64::from(field("VmRSS:")) / 1024.0,
        descriptors: std::fs::read_dir(format!("/proc/{pid}/fd"))
            .unwrap()
            .count(),
        threads: field("Threads:"),
    }
}

/// MiB an hour, by the line of least squares.
fn slope(samples: &[Sample]) -> f64 {
    let count = samples.len() as f64;
    let mean = |of: fn(&Sample) -> f64| samples.iter().map(of).sum::<f64>() / count;
    let (time, memory) = (mean(|one| one.at), mean(|one| one.memory));
    let both: f64 = samples
        .iter()
        .map(|one| (one.at - time) * (one.memory - memory))
        .sum();
    let square: f64 = samples.iter().map(|one| (one.at - time).powi(2)).sum();
    both / square.max(1.0) * 3600.0
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "the long run: cargo test --release -- --ignored long_soak"]
#[expect(clippy::disallowed_methods, reason = "a soak's own clock")]
async fn long_soak() {
    let minutes = std::env::var("DECKWATCH_SOAK_MINUTES").ok();
    let minutes: u64 = minutes.map_or(120, |text| text.parse().unwrap());
    let options = Options {
        rate: RATE / OWN,
        zmq: false,
        ..Options::default()
    };
    let platform = Platform::start(options).await.unwrap();
    let urls = platform.targets();
    let logs = urls.iter().filter(|one| one.url.contains("/docker_log#"));
    let size = |columns, rows| PtySize {
        rows,
        cols: columns,
        pixel_width: 0,
        pixel_height: 0,
    };
    let pair = native_pty_system().openpty(size(160, 48)).unwrap();
    let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_deckwatch"));
    command.args(["--fresh", "--buffer", "64MiB"]);
    command.args(logs.take(5).map(|one| one.url.clone()));
    command.env("TERM", "xterm-256color");
    command.env("LANG", "C.UTF-8");
    let mut child = pair.slave.spawn_command(command).unwrap();
    drop(pair.slave);
    let mut screen = pair.master.try_clone_reader().unwrap();
    let mut keys = pair.master.take_writer().unwrap();
    // What is drawn is read as fast as it comes.
    let drawn = std::thread::spawn(move || {
        let (mut buffer, mut bytes) = (vec![0; 64 << 10], 0_u64);
        while let Ok(count @ 1..) = screen.read(&mut buffer) {
            bytes += count as u64;
        }
        bytes
    });
    let pid = child.process_id().unwrap();
    let since = Instant::now();
    let mut samples = Vec::new();
    let (mut minute, mut tens) = (0, 0);
    while since.elapsed() < Duration::from_secs(minutes * 60) {
        sleep(LOOK).await;
        assert!(child.try_wait().unwrap().is_none(), "it ended");
        samples.push(sample(pid, since));
        let passed = since.elapsed().as_secs() / 60;
        if passed > minute {
            minute = passed;
            let (columns, rows) = if minute % 2 == 0 { (160, 48) } else { (90, 30) };
            pair.master.resize(size(columns, rows)).unwrap();
            // A tab of its own and back, a search, a filter, the strip, charts of nothing.
            for typed in [
                "\u{17}T", "[", "]", "/error\r", "i", "&GET\r", "x", "\u{17}s", "\u{17}c",
            ] {
                keys.write_all(typed.as_bytes()).unwrap();
                sleep(Duration::from_millis(100)).await;
            }
        }
        if minute / 10 > tens {
            tens = minute / 10;
            platform.restart(Duration::from_secs(2)).await;
        }
    }
    let tally = platform.tally().await;
    keys.write_all(b"Q").unwrap();
    let code = child.wait().unwrap();
    drop(keys);
    drop(pair.master);
    let bytes = drawn.join().unwrap();
    assert_eq!(code.exit_code(), 0);
    assert_eq!((tally.panics, tally.left_in_replay), (0, 0), "{tally:?}");
    println!("{minutes} min, {} MiB drawn, {tally:?}", bytes >> 20);
    flat(&samples, minutes);
}

/// Memory, descriptors and threads stay as they were once the buffer is full.
fn flat(samples: &[Sample], minutes: u64) {
    let (_, steady) = samples.split_at(samples.len() / 3);
    let slope = slope(steady);
    let [first, .., last] = steady else {
        panic!("{} samples", steady.len())
    };
    println!(
        "{:.1} MiB at a third, {:.1} MiB at the end, {slope:.2} MiB an hour; descriptors {} and {}, threads {} and {}",
        first.memory, last.memory, first.descriptors, last.descriptors, first.threads, last.threads,
    );
    assert!(first.descriptors.abs_diff(last.descriptors) <= 2);
    assert!(first.threads.abs_diff(last.threads) <= 2);
    // A short run has not the time for a slope to mean something.
    assert!(minutes < 60 || slope < 1.0, "{slope} MiB an hour");
}
