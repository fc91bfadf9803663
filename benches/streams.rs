//! Follow mode against its anchors, interleaved in one run, medians of five (performance.md 8,
//! rows 1 to 8): over WebSocket against `websocat` (1.14.1, when it is on PATH), over ZeroMQ
//! against a libzmq SUB in a process of its own. `cargo bench --bench streams`.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a benchmark reads the clock and prints"
)]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

const ROUNDS: usize = 5;
const DECKWATCH: &str = env!("CARGO_BIN_EXE_deckwatch");

fn main() {
    let args: Vec<String> = std::env::args().collect();
    if let Some(at) = args.iter().position(|arg| arg == "libzmq-sub") {
        return libzmq_sub(&args[at + 1], args[at + 2].parse().unwrap());
    }
    websocket();
    idle_latency();
    zeromq_rate();
    zeromq_latency();
    zeromq_recovery();
}

/// Rows 1 to 3.
fn websocket() {
    println!(
        "\nWebSocket, one connection, lines to a sink (ratio: how many times as fast as websocat)"
    );
    let websocat = Command::new("websocat").arg("--version").output().is_ok();
    if !websocat {
        println!(
            "  websocat is not on PATH: cargo install websocat --version 1.14.1; only our own rate is shown"
        );
    }
    for (what, size, lines, counted) in [
        ("100 B to a counting pipe", 100, 1_000_000, true),
        ("100 B to /dev/null", 100, 1_000_000, false),
        ("1 KiB to a counting pipe", 1024, 300_000, true),
    ] {
        let server = Blaster::start(size);
        let (mut ours, mut theirs) = (Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            ours.push(server.run(lines, counted, |url| {
                deckwatch(&[
                    &format!("{url}#x"),
                    "-o",
                    "raw",
                    "-q",
                    "--reconnect",
                    "never",
                    "--idle",
                    "20s",
                ])
            }));
            if websocat {
                // websocat has no limit of lines to ask for: it ends when the server does.
                theirs.push(
                    server.run(lines / 4, counted, |url| {
                        let mut command = Command::new("websocat");
                        command.args(["-t", "-n", url]);
                        command
                    }) * 4.0,
                );
            }
        }
        let mine = median(&mut ours);
        let rate = f64::from(u32::try_from(lines).unwrap()) / mine / 1e6;
        if websocat {
            println!(
                "  {what}: {rate:.2} M lines/s, {:.1}x websocat",
                median(&mut theirs) / mine
            );
        } else {
            println!("  {what}: {rate:.2} M lines/s");
        }
    }
}

fn deckwatch(args: &[&str]) -> Command {
    let mut command = Command::new(DECKWATCH);
    command.arg("follow").args(args);
    command
}

/// A WebSocket server that writes as fast as it is read: frames made before, in big writes.
struct Blaster {
    url: String,
    orders: std::sync::mpsc::Sender<usize>,
}

impl Blaster {
    fn start(size: usize) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("ws://{}/docker_log", listener.local_addr().unwrap());
        let (orders, lines) = std::sync::mpsc::channel::<usize>();
        thread::spawn(move || {
            while let Ok(lines) = lines.recv() {
                let (stream, _) = listener.accept().unwrap();
                serve(stream, size, lines);
            }
        });
        Self { url, orders }
    }

    /// Seconds from the start of the process to its last line.
    fn run(&self, lines: usize, counted: bool, command: impl Fn(&str) -> Command) -> f64 {
        self.orders.send(lines).unwrap();
        let mut command = command(&self.url);
        command.stdin(Stdio::null()).stderr(Stdio::null());
        let start = Instant::now();
        if counted {
            let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
            let mut count = Command::new("grep")
                .args(["-c", ""])
                .stdin(child.stdout.take().unwrap())
                .stdout(Stdio::piped())
                .spawn()
                .unwrap();
            let mut seen = String::new();
            count
                .stdout
                .take()
                .unwrap()
                .read_to_string(&mut seen)
                .unwrap();
            let time = start.elapsed().as_secs_f64();
            end(child);
            count.wait().unwrap();
            assert_eq!(seen.trim(), lines.to_string(), "every line is counted");
            time
        } else {
            let mut child = command.stdout(Stdio::null()).spawn().unwrap();
            child.wait().unwrap();
            start.elapsed().as_secs_f64()
        }
    }
}

fn end(mut child: Child) {
    drop(child.kill());
    child.wait().unwrap();
}

fn upgrade(stream: &mut TcpStream) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut key = String::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        if line.trim().is_empty() {
            break;
        }
        if let Some((name, value)) = line.split_once(':')
            && name.eq_ignore_ascii_case("sec-websocket-key")
        {
            value.trim().clone_into(&mut key);
        }
    }
    let accept = derive_accept_key(key.as_bytes());
    write!(stream, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {accept}\r\n\r\n").unwrap();
}

fn frame(payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![0x81];
    match u8::try_from(payload.len()) {
        Ok(short) if short < 126 => frame.push(short),
        _ => {
            frame.push(126);
            frame.extend_from_slice(&u16::try_from(payload.len()).unwrap().to_be_bytes());
        }
    }
    frame.extend_from_slice(payload);
    frame
}

fn serve(mut stream: TcpStream, size: usize, lines: usize) {
    stream.set_nodelay(true).unwrap();
    upgrade(&mut stream);
    let mut payload = b"abcdef012345:".to_vec();
    payload.resize(size, b'x');
    let frame = frame(&payload);
    let many = frame.repeat((64 << 10) / frame.len());
    let mut left = lines * frame.len();
    while left > 0 {
        let take = left.min(many.len());
        if stream.write_all(&many[..take]).is_err() {
            return;
        }
        left -= take;
    }
    stream.flush().unwrap();
    // A close frame: both clients end at once.
    drop(stream.write_all(&[0x88, 2, 3, 0xe8]));
    let mut rest = Vec::new();
    stream
        .set_read_timeout(Some(Duration::from_secs(5)))
        .unwrap();
    drop(stream.read_to_end(&mut rest));
}

/// Row 4: one line each 5 ms; from the server's write to the line in the pipe.
fn idle_latency() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("ws://{}/docker_log#x", listener.local_addr().unwrap());
    let epoch = Instant::now();
    let writer = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        stream.set_nodelay(true).unwrap();
        upgrade(&mut stream);
        thread::sleep(Duration::from_millis(300));
        for _ in 0..400 {
            let text = format!("abcdef012345:{}", epoch.elapsed().as_nanos());
            stream.write_all(&frame(text.as_bytes())).unwrap();
            thread::sleep(Duration::from_millis(5));
        }
        stream
    });
    let mut child = deckwatch(&[&url, "-o", "raw", "-q", "--max-lines", "400"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let ours = latencies(&mut child, epoch);
    drop(writer.join().unwrap());
    end(child);
    // The anchor: the same through a bare TCP connection and one copy to a pipe.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let writer = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        stream.set_nodelay(true).unwrap();
        for _ in 0..400 {
            writeln!(stream, "{}", epoch.elapsed().as_nanos()).unwrap();
            thread::sleep(Duration::from_millis(5));
        }
    });
    let raw = {
        let mut times: Vec<f64> = BufReader::new(TcpStream::connect(address).unwrap())
            .lines()
            .map(|line| since(&line.unwrap(), epoch))
            .collect();
        times.sort_by(f64::total_cmp);
        times
    };
    writer.join().unwrap();
    println!(
        "\nFollow latency when idle: p50 {:.3} ms, p99 {:.3} ms; a bare TCP read: p50 {:.3} ms (difference {:.3} ms)",
        at(&ours, 50),
        at(&ours, 99),
        at(&raw, 50),
        at(&ours, 50) - at(&raw, 50)
    );
}

/// Milliseconds since a time in nanoseconds after `epoch`.
fn since(text: &str, epoch: Instant) -> f64 {
    let sent: u128 = text.trim().parse().unwrap();
    let now = epoch.elapsed().as_nanos();
    f64::from(u32::try_from((now - sent) / 1000).unwrap()) / 1000.0
}

fn latencies(child: &mut Child, epoch: Instant) -> Vec<f64> {
    let out = BufReader::new(child.stdout.take().unwrap());
    let mut times: Vec<f64> = out
        .lines()
        .map(|line| since(&line.unwrap(), epoch))
        .collect();
    // The first lines pay for the start.
    times.drain(..times.len().min(20));
    times.sort_by(f64::total_cmp);
    times
}

fn at(sorted: &[f64], percent: usize) -> f64 {
    sorted
        .get(sorted.len().saturating_sub(1) * percent / 100)
        .copied()
        .unwrap_or(f64::NAN)
}

/// Row 5: a publisher without a limit, 100 B in one and two parts and 1 KiB in one.
fn zeromq_rate() {
    println!(
        "\nZeroMQ to /dev/null, messages as fast as they are taken (ratio to a libzmq SUB process)"
    );
    for (what, size, parts, count) in [
        ("100 B, 1 part", 100, 1, 1_000_000),
        ("100 B, 2 parts", 100, 2, 600_000),
        ("1 KiB, 1 part", 1024, 1, 300_000),
    ] {
        let (mut ours, mut theirs) = (Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            ours.push(published(size, parts, count, |port| {
                ours_zmq(port, count, "raw")
            }));
            theirs.push(published(size, parts, count, |port| {
                anchor_zmq(port, count)
            }));
        }
        let (mine, anchor) = (median(&mut ours), median(&mut theirs));
        let rate = f64::from(u32::try_from(count).unwrap()) / mine / 1e6;
        println!(
            "  {what}: {rate:.2} M messages/s, {:.2}x libzmq's rate",
            anchor / mine
        );
    }
}

fn ours_zmq(port: u16, count: usize, format: &str) -> Command {
    deckwatch(&[
        &format!("tcp://127.0.0.1:{port}?layout=raw"),
        "-o",
        format,
        "-q",
        "--no-prefix",
        "--max-lines",
        &count.to_string(),
    ])
}

fn anchor_zmq(port: u16, count: usize) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args([
        "libzmq-sub",
        &format!("tcp://127.0.0.1:{port}"),
        &count.to_string(),
    ]);
    command
}

/// The anchor's process: receives and writes each message as a line.
fn libzmq_sub(address: &str, count: usize) {
    let socket = zmq::Context::new().socket(zmq::SUB).unwrap();
    socket.set_subscribe(b"").unwrap();
    socket.connect(address).unwrap();
    let mut out = std::io::stdout().lock();
    let mut buffer = Vec::with_capacity(64 << 10);
    for _ in 0..count {
        if buffer.len() > 60_000
            || socket.get_events().unwrap() & zmq::POLLIN == zmq::PollEvents::empty()
        {
            out.write_all(&buffer).unwrap();
            out.flush().unwrap();
            buffer.clear();
        }
        for part in socket.recv_multipart(0).unwrap() {
            buffer.extend_from_slice(&part);
        }
        buffer.push(b'\n');
    }
    out.write_all(&buffer).unwrap();
    out.flush().unwrap();
}

/// Seconds from the first message to the subscriber's end. The publisher waits for the
/// subscription, and drops nothing.
fn published(size: usize, parts: usize, count: usize, subscriber: impl Fn(u16) -> Command) -> f64 {
    let context = zmq::Context::new();
    let (socket, port) = publisher(&context);
    let mut child = subscriber(port)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    socket.recv_bytes(0).unwrap();
    thread::sleep(Duration::from_millis(100));
    let part = vec![b'x'; size / parts];
    let start = Instant::now();
    for _ in 0..count {
        for _ in 1..parts {
            socket.send(&part, zmq::SNDMORE).unwrap();
        }
        socket.send(&part, 0).unwrap();
    }
    child.wait().unwrap();
    start.elapsed().as_secs_f64()
}

fn publisher(context: &zmq::Context) -> (zmq::Socket, u16) {
    let socket = context.socket(zmq::XPUB).unwrap();
    // No limit: the publisher drops nothing, its queue takes what the subscriber leaves.
    socket.set_sndhwm(0).unwrap();
    socket.set_linger(0).unwrap();
    socket.bind("tcp://127.0.0.1:*").unwrap();
    let address = socket.get_last_endpoint().unwrap().unwrap();
    let port = address.rsplit_once(':').unwrap().1.parse().unwrap();
    (socket, port)
}

/// Rows 6 and 7: 1,000 messages a second for 3 s; latency to the line in the pipe, and CPU.
fn zeromq_latency() {
    let run = |command: &dyn Fn(u16, usize) -> Command| {
        let context = zmq::Context::new();
        let (socket, port) = publisher(&context);
        let mut child = command(port, 3000)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        socket.recv_bytes(0).unwrap();
        thread::sleep(Duration::from_millis(300));
        let before = cpu_of(child.id());
        let epoch = Instant::now();
        let sender = thread::spawn(move || {
            for n in 0..3000u32 {
                let due = Duration::from_millis(u64::from(n));
                thread::sleep(due.saturating_sub(epoch.elapsed()));
                if n == 2990 {
                    // The process may be gone after its last line; its time is read before.
                    let _ = socket.send(epoch.elapsed().as_nanos().to_string().as_bytes(), 0);
                    continue;
                }
                socket
                    .send(epoch.elapsed().as_nanos().to_string().as_bytes(), 0)
                    .unwrap();
            }
            (socket, context)
        });
        let mut out = BufReader::new(child.stdout.take().unwrap());
        let (mut times, mut cpu) = (Vec::new(), 0.0);
        let mut line = String::new();
        while out.read_line(&mut line).unwrap() > 0 {
            times.push(since(&line, epoch));
            line.clear();
            if times.len() == 2900 {
                cpu = cpu_of(child.id()) - before;
            }
        }
        drop(sender.join().unwrap());
        child.wait().unwrap();
        times.drain(..50);
        times.sort_by(f64::total_cmp);
        (at(&times, 50), at(&times, 99), cpu / 2900.0 * 1e6)
    };
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        ours.push(run(&|port, count| ours_zmq(port, count, "raw")));
        theirs.push(run(&anchor_zmq));
    }
    let pick = |runs: &[(f64, f64, f64)], which: fn(&(f64, f64, f64)) -> f64| {
        median(&mut runs.iter().map(which).collect::<Vec<_>>())
    };
    let (p50, p99, cpu) = (
        pick(&ours, |r| r.0),
        pick(&ours, |r| r.1),
        pick(&ours, |r| r.2),
    );
    let (a50, a99, acpu) = (
        pick(&theirs, |r| r.0),
        pick(&theirs, |r| r.1),
        pick(&theirs, |r| r.2),
    );
    println!(
        "\nZeroMQ at 1,000 messages/s: p50 {p50:.3} ms ({:.2}x libzmq's {a50:.3}), p99 {p99:.3} ms ({:.2}x), CPU {cpu:.0} us a message ({:.2}x)",
        p50 / a50,
        p99 / a99,
        cpu / acpu
    );
}

/// Seconds of CPU that a process has used, by /proc.
fn cpu_of(pid: u32) -> f64 {
    let text = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let fields: Vec<&str> = text
        .rsplit_once(')')
        .map_or("", |(_, rest)| rest)
        .split_whitespace()
        .collect();
    let ticks: f64 = fields
        .get(11..13)
        .unwrap_or(&[])
        .iter()
        .filter_map(|field| field.parse::<f64>().ok())
        .sum();
    ticks / 100.0
}

/// Row 8: the publisher is away for 3 s; how long after its return the first message comes.
fn zeromq_recovery() {
    let run = |command: &dyn Fn(u16, usize) -> Command| {
        let context = zmq::Context::new();
        let (socket, port) = publisher(&context);
        let mut child = command(port, 10_000_000)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        socket.recv_bytes(0).unwrap();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        thread::sleep(Duration::from_millis(200));
        socket.send("before", 0).unwrap();
        let mut line = String::new();
        out.read_line(&mut line).unwrap();
        drop(socket);
        drop(context);
        thread::sleep(Duration::from_secs(3));
        let context = zmq::Context::new();
        let socket = context.socket(zmq::PUB).unwrap();
        socket.set_linger(0).unwrap();
        socket.bind(&format!("tcp://127.0.0.1:{port}")).unwrap();
        let back = Instant::now();
        let sender = thread::spawn(move || {
            while back.elapsed() < Duration::from_secs(10) {
                if socket.send("after", 0).is_err() {
                    break;
                }
                thread::sleep(Duration::from_millis(2));
            }
            drop(context);
        });
        line.clear();
        out.read_line(&mut line).unwrap();
        let time = back.elapsed().as_secs_f64();
        end(child);
        sender.join().unwrap();
        time
    };
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for _ in 0..3 {
        ours.push(run(&|port, count| ours_zmq(port, count, "raw")));
        theirs.push(run(&anchor_zmq));
    }
    println!(
        "\nZeroMQ, publisher away for 3 s: back after {:.2} s; libzmq after {:.2} s",
        median(&mut ours),
        median(&mut theirs)
    );
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
