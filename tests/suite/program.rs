//! The real program as a child process: its output read along, its end awaited for a bounded
//! time, its signals sent to it alone. Nothing here depends on how fast anything is.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "test helper"
)]

use std::io::{Read, Write};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Duration;

use deckwatch::demo::{Options, Platform, Switches};
use rustix::process::{Pid, Resource, Signal, getrlimit, kill_process, prlimit};
use serde_json::Value;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, timeout_at};

/// Longer than anything here takes on the slowest machine.
const PATIENCE: Duration = Duration::from_secs(90);

pub(crate) const SERVICE: &str = "a1b2c3d4e5f60718293a4b5c6d7e8f90";
pub(crate) const CID: &str = "0123456789ab";

/// How a run is started.
pub(crate) struct Start {
    command: Command,
    input: Option<Vec<u8>>,
    unread: bool,
}

/// What names a language in an environment.
const LANGUAGES: [&str; 4] = ["DECKWATCH_LANG", "LC_ALL", "LC_MESSAGES", "LANG"];

/// The program with these arguments: no standard input, no colours, the zone UTC, English.
pub(crate) fn program<S: AsRef<std::ffi::OsStr>>(args: impl IntoIterator<Item = S>) -> Start {
    let mut command = Command::new(env!("CARGO_BIN_EXE_deckwatch"));
    command.args(args);
    start(command)
}

/// A shell's script, for redirections; the program's path is in it.
pub(crate) fn shell(script: &str) -> Start {
    let mut command = Command::new("sh");
    command.args(["-c", script]);
    start(command)
}

fn start(mut command: Command) -> Start {
    for name in LANGUAGES {
        command.env_remove(name);
    }
    command
        .env_remove("NO_COLOR")
        .env_remove("CLICOLOR_FORCE")
        .env_remove("FORCE_COLOR")
        .env("TZ", "UTC")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    Start {
        command,
        input: None,
        unread: false,
    }
}

impl Start {
    /// Standard input, closed behind these bytes.
    pub(crate) fn input(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.command.stdin(Stdio::piped());
        self.input = Some(bytes.into());
        self
    }

    /// A variable of its environment.
    pub(crate) fn env(mut self, name: &str, value: impl AsRef<std::ffi::OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    /// Without a variable of this environment.
    pub(crate) fn without(mut self, name: &str) -> Self {
        self.command.env_remove(name);
        self
    }

    /// Standard input that stays open; see [`Run::feed`].
    pub(crate) fn open_input(mut self) -> Self {
        self.command.stdin(Stdio::piped());
        self
    }

    /// Standard output goes elsewhere.
    pub(crate) fn stdout(mut self, to: impl Into<Stdio>) -> Self {
        self.command.stdout(to);
        self
    }

    /// Standard error goes elsewhere.
    pub(crate) fn stderr(mut self, to: impl Into<Stdio>) -> Self {
        self.command.stderr(to);
        self
    }

    /// Standard output is a pipe that nobody reads before [`Run::read_on`].
    pub(crate) fn unread(mut self) -> Self {
        self.unread = true;
        self
    }

    pub(crate) fn start(mut self) -> Run {
        let mut child = self.command.spawn().unwrap();
        let held = child.stdout.take();
        let error = read_along(child.stderr.take());
        let (out, held) = if self.unread {
            (closed(), held)
        } else {
            (read_along(held), None)
        };
        if let Some(bytes) = self.input.take() {
            let mut stdin = child.stdin.take().unwrap();
            // A program that ends before it has read all is no fault of the writer's.
            std::thread::spawn(move || drop(stdin.write_all(&bytes)));
        }
        Run {
            child,
            out: Seen::new(out),
            err: Seen::new(error),
            held,
        }
    }

    pub(crate) async fn end(self) -> Done {
        self.start().end().await
    }
}

/// One stream, read along.
struct Seen {
    chunks: mpsc::Receiver<Vec<u8>>,
    bytes: Vec<u8>,
    over: bool,
}

impl Seen {
    fn new(chunks: mpsc::Receiver<Vec<u8>>) -> Self {
        Self {
            chunks,
            bytes: Vec::new(),
            over: false,
        }
    }

    async fn more(&mut self) {
        match self.chunks.recv().await {
            Some(chunk) => self.bytes.extend(chunk),
            None => self.over = true,
        }
    }
}

fn closed() -> mpsc::Receiver<Vec<u8>> {
    mpsc::channel(1).1
}

fn read_along(stream: Option<impl Read + Send + 'static>) -> mpsc::Receiver<Vec<u8>> {
    let Some(mut stream) = stream else {
        return closed();
    };
    // The bytes are all kept by the test; the queue is only the way there.
    let (sender, receiver) = mpsc::channel(64);
    std::thread::spawn(move || {
        let mut buffer = vec![0; 64 << 10];
        while let Ok(read) = stream.read(&mut buffer) {
            if read == 0 || sender.blocking_send(buffer[..read].to_vec()).is_err() {
                return;
            }
        }
    });
    receiver
}

/// A running program. Dropped, it is killed.
pub(crate) struct Run {
    child: Child,
    out: Seen,
    err: Seen,
    held: Option<ChildStdout>,
}

impl Drop for Run {
    fn drop(&mut self) {
        // One that has ended cannot be killed, and need not.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

impl Run {
    /// Waits until standard output holds these bytes.
    pub(crate) async fn until_out(&mut self, wanted: &str) {
        self.until(wanted, false).await;
    }

    /// The same for standard error.
    pub(crate) async fn until_err(&mut self, wanted: &str) {
        self.until(wanted, true).await;
    }

    async fn until(&mut self, wanted: &str, error: bool) {
        let deadline = deadline();
        let mut from = 0;
        loop {
            let seen = if error { &mut self.err } else { &mut self.out };
            let start = from;
            if seen.bytes[start..]
                .windows(wanted.len())
                .any(|window| window == wanted.as_bytes())
            {
                return;
            }
            from = seen.bytes.len().saturating_sub(wanted.len());
            let late = seen.over || timeout_at(deadline, self.more()).await.is_err();
            assert!(
                !late,
                "{wanted:?} never came; out {:?} err {:?}",
                String::from_utf8_lossy(&self.out.bytes[..self.out.bytes.len().min(4000)]),
                String::from_utf8_lossy(&self.err.bytes),
            );
        }
    }

    /// Waits until standard output has so many lines.
    pub(crate) async fn until_lines(&mut self, wanted: usize) {
        let deadline = deadline();
        loop {
            let lines = self.so_far().matches('\n').count();
            if lines >= wanted {
                return;
            }
            let late = self.out.over || timeout_at(deadline, self.more()).await.is_err();
            assert!(!late, "{lines} lines of {wanted}; err {:?}", self.errors());
        }
    }

    /// More of either stream: one that is not read would hold up the other.
    async fn more(&mut self) {
        tokio::select! {
            () = self.out.more(), if !self.out.over => {}
            () = self.err.more(), if !self.err.over => {}
            else => {}
        }
    }

    /// Waits until these bytes have come so many times on standard output.
    pub(crate) async fn until_count(&mut self, wanted: &str, times: usize) {
        let deadline = deadline();
        while self.so_far().matches(wanted).count() < times {
            let late = self.out.over || timeout_at(deadline, self.more()).await.is_err();
            assert!(
                !late,
                "{wanted:?} did not come {times} times: {}",
                self.so_far()
            );
        }
    }

    fn errors(&self) -> String {
        String::from_utf8_lossy(&self.err.bytes).into_owned()
    }

    /// What standard output holds so far.
    pub(crate) fn so_far(&self) -> String {
        String::from_utf8_lossy(&self.out.bytes).into_owned()
    }

    pub(crate) fn signal(&self, signal: Signal) {
        let pid = Pid::from_raw(i32::try_from(self.child.id()).unwrap()).unwrap();
        kill_process(pid, signal).unwrap();
    }

    /// It may have so many descriptors from now on.
    pub(crate) fn descriptors(&self, most: u64) {
        let pid = Pid::from_raw(i32::try_from(self.child.id()).unwrap());
        let mut limit = getrlimit(Resource::Nofile);
        limit.current = Some(most);
        prlimit(pid, Resource::Nofile, limit).unwrap();
    }

    /// Writes to standard input.
    pub(crate) fn feed(&mut self, bytes: &[u8]) {
        self.child.stdin.as_mut().unwrap().write_all(bytes).unwrap();
    }

    pub(crate) fn close_input(&mut self) {
        drop(self.child.stdin.take());
    }

    /// Waits until a run that is [`Start::unread`] has filled its pipe, so that it waits for
    /// its reader at once. Pages of a pipe that is full may be half empty.
    pub(crate) async fn until_stuffed(&self) {
        let pipe = self.held.as_ref().unwrap();
        let size = rustix::pipe::fcntl_getpipe_size(pipe).unwrap() as u64;
        let deadline = deadline();
        while rustix::io::ioctl_fionread(pipe).unwrap() < size / 4 {
            assert!(deckwatch::clock::now() < deadline, "the pipe is not filled");
            sleep(Duration::from_millis(5)).await;
        }
    }

    /// The reader of standard output begins to read, for a run that was [`Start::unread`].
    pub(crate) fn read_on(&mut self) {
        self.out = Seen::new(read_along(self.held.take()));
    }

    /// The reader of standard output goes away.
    pub(crate) fn close_output(&mut self) {
        drop(self.held.take());
    }

    /// Resident memory at its highest, in bytes; 0 where the system doesn't say, and while the
    /// process still is the one that started it: Linux lets go of a parent that waits for `exec`
    /// a moment before the memory is the program's own.
    pub(crate) fn peak(&self) -> usize {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()));
        let status = status.unwrap_or_default();
        if status.lines().next() != Some("Name:\tdeckwatch") {
            return 0;
        }
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kib = line.and_then(|line| line.split_whitespace().next()?.parse::<usize>().ok());
        kib.unwrap_or(0) << 10
    }

    pub(crate) fn is_running(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// Waits for the end.
    pub(crate) async fn end(mut self) -> Done {
        let deadline = deadline();
        while !(self.out.over && self.err.over) {
            let late = tokio::select! {
                () = self.out.more(), if !self.out.over => false,
                () = self.err.more(), if !self.err.over => false,
                () = tokio::time::sleep_until(deadline) => true,
            };
            if late {
                let out = &self.out.bytes;
                panic!(
                    "it did not end; err {:?} out {:?}",
                    self.errors(),
                    String::from_utf8_lossy(&out[..out.len().min(4000)])
                );
            }
        }
        let status = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            assert!(deckwatch::clock::now() < deadline, "it did not end");
            sleep(Duration::from_millis(5)).await;
        };
        Done {
            code: status.code(),
            out: std::mem::take(&mut self.out.bytes),
            err: self.errors(),
        }
    }
}

fn deadline() -> Instant {
    deckwatch::clock::now() + PATIENCE
}

/// A program that has ended.
#[derive(Debug)]
pub(crate) struct Done {
    /// None if a signal ended it.
    pub(crate) code: Option<i32>,
    pub(crate) out: Vec<u8>,
    pub(crate) err: String,
}

impl Done {
    #[track_caller]
    pub(crate) fn expect(self, code: i32) -> Self {
        let out = String::from_utf8_lossy(&self.out[..self.out.len().min(2000)]);
        assert_eq!(self.code, Some(code), "err {:?} out {out:?}", self.err);
        self
    }

    /// Standard output as text.
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.out).into_owned()
    }

    /// The lines of standard output.
    pub(crate) fn lines(&self) -> Vec<String> {
        self.text().lines().map(str::to_owned).collect()
    }

    /// Standard output as JSON; every line is an object with a type, without any control.
    #[track_caller]
    pub(crate) fn json(&self) -> Vec<Value> {
        json(&self.out)
    }
}

/// Reads `-o json`: every line parses, has a type, and holds no control.
#[track_caller]
pub(crate) fn json(out: &[u8]) -> Vec<Value> {
    let text = std::str::from_utf8(out).unwrap();
    let mut rows = Vec::new();
    for line in text.lines() {
        assert!(!line.chars().any(char::is_control), "{line:?}");
        let row: Value = serde_json::from_str(line).unwrap();
        assert!(row["type"].is_string(), "{line}");
        rows.push(row);
    }
    rows
}

/// The rows of that type.
pub(crate) fn of_type<'a>(rows: &'a [Value], kind: &str) -> Vec<&'a Value> {
    rows.iter().filter(|row| row["type"] == kind).collect()
}

/// The `msg` of every line.
pub(crate) fn messages(rows: &[Value]) -> Vec<String> {
    let lines = of_type(rows, "line");
    let text = |row: &&Value| row["msg"].as_str().unwrap().to_owned();
    lines.iter().map(text).collect()
}

/// A platform without a shop, whose log is the truth.
pub(crate) async fn platform(switches: Switches) -> Platform {
    let options = Options {
        world: false,
        zmq: false,
        prefix: Some("/p".into()),
        truth: 1_000_000,
        switches,
        ..Options::default()
    };
    Platform::start(options).await.unwrap()
}

/// Every test's last word on its platform: nothing that the client did would have hurt the real
/// one. The platform learns late of connections that are gone, so it is asked until it answers
/// the same twice.
pub(crate) async fn unharmed(platform: Platform) {
    let mut last = platform.tally().await;
    loop {
        sleep(Duration::from_millis(50)).await;
        let tally = platform.tally().await;
        assert_eq!((tally.panics, tally.left_in_replay), (0, 0), "{tally:?}");
        if tally == last {
            return;
        }
        last = tally;
    }
}

/// `ws://…/docker_log#SERVICE`.
pub(crate) fn docker_url(platform: &Platform, service: &str) -> String {
    format!("{}#{service}", platform.ws_url("/docker_log"))
}

pub(crate) fn event_url(platform: &Platform, event: &str) -> String {
    format!("{}#{event}", platform.ws_url("/event_log"))
}

/// Waits until so many WebSockets of this platform have been accepted.
pub(crate) async fn accepted(platform: &Platform, wanted: u64) {
    let deadline = deadline();
    while platform.tally().await.connections < wanted {
        assert!(deckwatch::clock::now() < deadline, "nobody connected");
        sleep(Duration::from_millis(5)).await;
    }
}

/// A port of loopback where nothing listens, and nobody else does while this lives: what is bound
/// and does not listen refuses.
pub(crate) struct ClosedPort(tokio::net::TcpSocket);

impl ClosedPort {
    pub(crate) fn new() -> Self {
        let socket = tokio::net::TcpSocket::new_v4().unwrap();
        socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        Self(socket)
    }

    pub(crate) fn number(&self) -> u16 {
        self.0.local_addr().unwrap().port()
    }
}
