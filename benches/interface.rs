//! The interface against its anchors (performance.md 8, rows 9, 23, 24 and 26 to 31): frames
//! while lines pour in, from a publisher to the screen, and what an idle program costs. The
//! last ones run the real program in a PTY. `cargo bench --bench interface`.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a benchmark reads the clock and prints"
)]

use std::io::Read;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use deckwatch::app::msg::Msg;
use deckwatch::app::{App, Now};
use deckwatch::codec::level;
use deckwatch::codec::target::Target;
use deckwatch::model::{FeedUpdate, LineBatch, Micros, RawBatch, RowHead, SourceName, TargetId};
use deckwatch::view::{self, Theme};
use portable_pty::{CommandBuilder, MasterPty, PtySize, native_pty_system};
use ratatui::Terminal;
use ratatui::backend::CrosstermBackend;
use ratatui::layout::Rect;

const DECKWATCH: &str = env!("CARGO_BIN_EXE_deckwatch");
const AREA: Rect = Rect {
    x: 0,
    y: 0,
    width: 200,
    height: 50,
};

fn main() {
    frames();
    startup();
    idle();
    to_the_screen();
}

/// Rows 23 and 24: one pane of 200x50, lines of 120 bytes; frame times are those of drawing into
/// memory, the anchor is an empty draw.
fn frames() {
    println!(
        "\nFrames of 200x50 while lines pour in (drawn into memory; the empty draw is ratatui's own)"
    );
    let empty = {
        let mut terminal = memory_terminal();
        let mut times: Vec<f64> = (0..500)
            .map(|_| {
                timed(|| {
                    terminal.draw(|_| ()).unwrap();
                })
            })
            .collect();
        at(&mut times, 50)
    };
    for (rate, filtered) in [(10_000, false), (100_000, false), (100_000, true)] {
        let (mut draw, mut intake) = flood(rate, filtered);
        let (p50, p99) = (at(&mut draw, 50), at(&mut draw, 99));
        let busy = (draw.iter().sum::<f64>() + intake.iter().sum::<f64>()) / 1e3 / 5.0 * 100.0;
        let what = if filtered { ", a filter on" } else { "" };
        println!(
            "  {rate} lines/s{what}: p50 {p50:.3} ms ({:.1}x an empty draw of {empty:.3}), p99 {p99:.3} ms ({:.1}x); the loop is busy {busy:.1} % (intake of a frame's lines p99 {:.3} ms)",
            p50 / empty,
            p99 / empty,
            at(&mut intake, 99)
        );
    }
}

fn memory_terminal() -> Terminal<CrosstermBackend<std::io::Sink>> {
    let options = ratatui::TerminalOptions {
        viewport: ratatui::Viewport::Fixed(AREA),
    };
    Terminal::with_options(CrosstermBackend::new(std::io::sink()), options).unwrap()
}

/// Five seconds of lines at 30 frames a second; milliseconds of each draw and of each intake.
fn flood(rate: usize, filtered: bool) -> (Vec<f64>, Vec<f64>) {
    let start = Instant::now();
    let clock = |frame: u64| Now {
        mono: start + Duration::from_millis(frame * 33),
        wall: Micros(i64::try_from(frame * 33_000).unwrap()),
    };
    let target = Target::parse("ws://127.0.0.1:1/docker_log#x").unwrap();
    let mut app = App::new(vec![target], false, 256 << 20, AREA, clock(0));
    if filtered {
        for c in "&status=5".chars() {
            drop(app.update(Msg::Key(deckwatch::app::Key::char(c)), clock(0)));
        }
        drop(app.update(
            Msg::Key(deckwatch::app::Key::plain(deckwatch::app::Code::Enter)),
            clock(0),
        ));
    }
    let theme = Theme::find("dark", None).unwrap();
    let mut terminal = memory_terminal();
    let (mut draws, mut intakes) = (Vec::new(), Vec::new());
    let mut number = 0;
    for frame in 0..150 {
        // The sources' threads sanitise; only the intake is the interface's.
        let batches: Vec<LineBatch> = (0..10)
            .map(|_| LineBatch::refine(&lines(rate / 300, &mut number), level::detect))
            .collect();
        intakes.push(timed(|| {
            for batch in batches {
                drop(app.update(
                    Msg::Feed(TargetId(0), FeedUpdate::Lines(batch)),
                    clock(frame),
                ));
            }
        }));
        draws.push(timed(|| {
            terminal
                .draw(|frame| {
                    view::render(&app, &theme, AREA, frame.buffer_mut());
                })
                .unwrap();
        }));
    }
    (draws, intakes)
}

fn lines(count: usize, number: &mut usize) -> RawBatch {
    let source = SourceName::new(b"abcdef012345");
    let mut batch = RawBatch::default();
    for _ in 0..count {
        *number += 1;
        let line = format!(
            "2026-11-24T10:00:00.000Z level=info msg=\"request done\" path=/api/orders/{number} status={} dur={}ms trace=0123456789abcdef",
            200 + *number % 400,
            *number % 1000
        );
        batch.push(
            line.as_bytes(),
            &RowHead {
                source: Some(&source),
                ..RowHead::default()
            },
        );
    }
    batch
}

fn timed(work: impl FnOnce()) -> f64 {
    let start = Instant::now();
    work();
    start.elapsed().as_secs_f64() * 1e3
}

fn at(values: &mut [f64], percent: usize) -> f64 {
    values.sort_by(f64::total_cmp);
    values[(values.len() - 1) * percent / 100]
}

/// Rows 30 and 31: the time of `--version`, and the binary's size.
fn startup() {
    let run = |program: &str| {
        let mut times: Vec<f64> = (0..30)
            .map(|_| {
                timed(|| {
                    Command::new(program)
                        .arg("--version")
                        .stdout(Stdio::null())
                        .status()
                        .unwrap();
                })
            })
            .collect();
        at(&mut times, 50)
    };
    let ours = run(DECKWATCH);
    let size = std::fs::metadata(DECKWATCH).unwrap().len();
    let rg = Command::new("rg")
        .arg("--version")
        .output()
        .is_ok()
        .then(|| run("rg"));
    let ratio = rg.map_or("rg is not on PATH".to_owned(), |rg| {
        format!("{:.2}x rg's {rg:.2} ms", ours / rg)
    });
    println!(
        "\n--version: {ours:.2} ms ({ratio}); the binary is {:.1} MiB before stripping",
        f64::from(u32::try_from(size / 1024).unwrap()) / 1024.0
    );
}

/// The real program in a PTY of 200x50.
struct Pty {
    child: Box<dyn portable_pty::Child + Send + Sync>,
    bytes: mpsc::Receiver<(Instant, Vec<u8>)>,
    master: Box<dyn MasterPty + Send>,
    stalled: Arc<AtomicBool>,
}

impl Pty {
    fn start(args: &[&str]) -> Self {
        let pair = native_pty_system()
            .openpty(PtySize {
                rows: 50,
                cols: 200,
                pixel_width: 0,
                pixel_height: 0,
            })
            .unwrap();
        let mut command = CommandBuilder::new(DECKWATCH);
        command.args(args);
        command.env("TERM", "xterm-256color");
        command.env("COLORTERM", "truecolor");
        let child = pair.slave.spawn_command(command).unwrap();
        let mut reader = pair.master.try_clone_reader().unwrap();
        let (sender, bytes) = mpsc::channel();
        let stalled = Arc::new(AtomicBool::new(false));
        let stall = Arc::clone(&stalled);
        thread::spawn(move || {
            let mut buffer = vec![0; 64 << 10];
            while let Ok(read @ 1..) = reader.read(&mut buffer) {
                while stall.load(Ordering::Acquire) {
                    thread::sleep(Duration::from_millis(10));
                }
                if sender
                    .send((Instant::now(), buffer[..read].to_vec()))
                    .is_err()
                {
                    return;
                }
            }
        });
        Self {
            child,
            bytes,
            master: pair.master,
            stalled,
        }
    }

    /// Bytes written until nothing came for `quiet`.
    fn settle(&self, quiet: Duration) -> usize {
        let mut total = 0;
        while let Ok((_, bytes)) = self.bytes.recv_timeout(quiet) {
            total += bytes.len();
        }
        total
    }

    fn end(mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
        drop(self.master);
    }
}

/// Rows 28 and 29: a pane on a quiet server, 10 s.
fn idle() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap();
    let platform = runtime
        .block_on(deckwatch::demo::Platform::start(deckwatch::demo::Options {
            world: false,
            ..deckwatch::demo::Options::default()
        }))
        .unwrap();
    let url = format!("{}#quiet", platform.ws_url("/docker_log"));
    let started = Instant::now();
    let pty = Pty::start(&[&url]);
    let first = pty
        .bytes
        .recv_timeout(Duration::from_secs(10))
        .unwrap()
        .0
        .duration_since(started);
    let pid = pty.child.process_id().unwrap();
    // The replay's end, and the notice-free rest after it.
    pty.settle(Duration::from_secs(5));
    let (cpu, switches) = usage(pid);
    let mut written = 0;
    let until = Instant::now() + Duration::from_secs(10);
    while Instant::now() < until {
        if let Ok((_, bytes)) = pty
            .bytes
            .recv_timeout(until.saturating_duration_since(Instant::now()))
        {
            written += bytes.len();
        }
    }
    let (cpu_after, switches_after) = usage(pid);
    println!(
        "\nIdle for 10 s, one pane on a live connection: {:.0} ms of CPU ({:.3} %), {:.1} wake-ups/s, {written} bytes written, {:.1} MiB resident; the first frame came {:.1} ms after the start",
        (cpu_after - cpu) * 1e3,
        (cpu_after - cpu) * 10.0,
        (switches_after - switches) / 10.0,
        resident(pid),
        first.as_secs_f64() * 1e3
    );
    pty.end();
    drop(platform);
}

/// Seconds of CPU, and voluntary context switches of all threads.
fn usage(pid: u32) -> (f64, f64) {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let fields: Vec<&str> = stat
        .rsplit_once(')')
        .unwrap()
        .1
        .split_whitespace()
        .collect();
    let cpu: f64 = fields[11..13]
        .iter()
        .map(|field| field.parse::<f64>().unwrap())
        .sum::<f64>()
        / 100.0;
    let threads = std::fs::read_dir(format!("/proc/{pid}/task")).unwrap();
    let switches = threads
        .filter_map(|thread| std::fs::read_to_string(thread.ok()?.path().join("status")).ok());
    let count = |status: String| {
        status.lines().find_map(|line| {
            line.strip_prefix("voluntary_ctxt_switches:")?
                .trim()
                .parse::<f64>()
                .ok()
        })
    };
    (cpu, switches.filter_map(count).sum())
}

/// Resident memory in MiB.
fn resident(pid: u32) -> f64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let kib = status.lines().find_map(|line| {
        line.strip_prefix("VmRSS:")?
            .trim()
            .strip_suffix(" kB")?
            .trim()
            .parse::<f64>()
            .ok()
    });
    kib.unwrap_or(f64::NAN) / 1024.0
}

/// Rows 26 and 27, and row 9: from a libzmq publisher to bytes in the PTY, idle and under flood;
/// and what a terminal that takes nothing for 5 s costs in memory.
fn to_the_screen() {
    let context = zmq::Context::new();
    let socket = context.socket(zmq::XPUB).unwrap();
    socket.set_linger(0).unwrap();
    socket.bind("tcp://127.0.0.1:*").unwrap();
    let address = socket.get_last_endpoint().unwrap().unwrap();
    let pty = Pty::start(&[&format!("{address}?layout=raw")]);
    socket.recv_bytes(0).unwrap();
    pty.settle(Duration::from_secs(5));
    let mut times = Vec::new();
    for n in 0..60 {
        let mark = format!("mark-{n:06}-end");
        let sent = Instant::now();
        socket.send(mark.as_bytes(), 0).unwrap();
        times.push(seen(&pty, &mark, sent));
        // The rate falls back to 0, so that each line comes after a rest.
        pty.settle(Duration::from_millis(40));
    }
    println!(
        "\nPublisher to bytes in the PTY: after a rest p50 {:.2} ms, p99 {:.2} ms",
        at(&mut times, 50),
        at(&mut times, 99)
    );
    let pid = pty.child.process_id().unwrap();
    let (before, mut flooded, mut n) = (resident(pid), Vec::new(), 0);
    let start = Instant::now();
    while start.elapsed() < Duration::from_secs(5) {
        for _ in 0..330 {
            socket
                .send(
                    "2026-11-24 10:00:00 INFO a line of the flood, about as long as lines are",
                    0,
                )
                .unwrap();
        }
        let mark = format!("mark-{n:06}-end");
        n += 1;
        let sent = Instant::now();
        socket.send(mark.as_bytes(), 0).unwrap();
        flooded.push(seen(&pty, &mark, sent));
    }
    println!(
        "  under a flood: p50 {:.1} ms, p99 {:.1} ms (a frame is 33 ms); memory {before:.1} → {:.1} MiB",
        at(&mut flooded, 50),
        at(&mut flooded, 99),
        resident(pid)
    );
    pty.settle(Duration::from_millis(200));
    let calm = resident(pid);
    pty.stalled.store(true, Ordering::Release);
    let start = Instant::now();
    let mut sent = 0u64;
    while start.elapsed() < Duration::from_secs(5) {
        for _ in 0..1000 {
            // Each line is another all over, so that frames are large and the terminal is full.
            let line = format!("{:x}", sent.wrapping_mul(0x9e37_79b9_7f4a_7c15)).repeat(5);
            socket.send(line.as_bytes(), 0).unwrap();
            sent += 1;
        }
        thread::sleep(Duration::from_millis(10).saturating_sub(Duration::from_micros(500)));
    }
    let stalled = resident(pid);
    pty.stalled.store(false, Ordering::Release);
    println!(
        "  a terminal that takes nothing for 5 s, {sent} messages meanwhile: memory {calm:.1} → {stalled:.1} MiB"
    );
    pty.end();
}

/// Milliseconds until `mark` is in what the terminal got.
fn seen(pty: &Pty, mark: &str, sent: Instant) -> f64 {
    let mut tail = Vec::new();
    loop {
        let (when, bytes) = pty.bytes.recv_timeout(Duration::from_secs(5)).unwrap();
        tail.extend_from_slice(&bytes);
        // Only changed cells are written: the number is what surely changes.
        let digits = mark
            .trim_start_matches("mark-")
            .trim_end_matches("-end")
            .trim_start_matches('0');
        let last = digits
            .chars()
            .last()
            .map_or(b'0', |c| u8::try_from(c).unwrap());
        if tail.contains(&last) {
            return when.duration_since(sent).as_secs_f64() * 1e3;
        }
    }
}
