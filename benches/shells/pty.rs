//! Programs in a PTY, and the demo's shells.

use std::io::{Read, Write};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use deckwatch::demo::{Options, Platform, ShellServer};
use deckwatch::term::{Screen, Size};
use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};
use tokio::runtime::Runtime;

use crate::{COLUMNS, DECKWATCH, ROWS, ms};

/// A pane's title, its status and the tabs take a line each.
const FRAME: u16 = 3;
/// Whatever takes longer has failed.
const PATIENCE: Duration = Duration::from_secs(30);

/// A platform on which nothing happens but what is asked for. Prompts are `pod$`.
pub(crate) struct Shop {
    pub(crate) runtime: Runtime,
    pub(crate) platform: Platform,
}

impl Shop {
    pub(crate) fn open() -> Self {
        let runtime = Runtime::new().unwrap();
        let options = Options {
            world: false,
            zmq: false,
            shell: ["bash", "--norc", "--noprofile"].map(Into::into).into(),
            pods: (0..6).map(|pod| format!("pod-{pod}")).collect(),
            ..Options::default()
        };
        let platform = runtime.block_on(Platform::start(options)).unwrap();
        Self { runtime, platform }
    }

    /// A shell of the platform's own.
    pub(crate) fn shell(&self, pod: usize) -> String {
        let console = self.platform.server_url(ShellServer::Platform);
        format!("{console}#ten/svc/pod-{pod}")
    }

    pub(crate) fn ttyd(&self) -> String {
        self.platform.server_url(ShellServer::Ttyd)
    }

    /// A component's log.
    pub(crate) fn log(&self, service: &str) -> String {
        format!("{}#{service}", self.platform.ws_url("/docker_log"))
    }

    pub(crate) fn say(&self, service: &str, line: &str) {
        let said = self
            .platform
            .inject_log(service, "5f2a9c01d7e4", line.as_bytes());
        self.runtime.block_on(said);
    }
}

/// A program in a PTY, and the screen that it shows.
pub(crate) struct Program {
    child: Box<dyn Child + Send + Sync>,
    bytes: mpsc::Receiver<(Instant, Vec<u8>)>,
    keyboard: Box<dyn Write + Send>,
    screen: Screen,
    _master: Box<dyn MasterPty + Send>,
}

impl Program {
    /// The program with these targets; a pane alone has a shell of 200x50.
    pub(crate) fn deckwatch(targets: &[&str]) -> Self {
        Self::start(&[&[DECKWATCH], targets].concat())
    }

    pub(crate) fn start(words: &[&str]) -> Self {
        let size = PtySize {
            rows: ROWS + FRAME,
            cols: COLUMNS,
            ..PtySize::default()
        };
        let pair = native_pty_system().openpty(size).unwrap();
        let mut command = CommandBuilder::from_argv(words.iter().map(Into::into).collect());
        command.env("TERM", "xterm-256color");
        command.env("COLORTERM", "truecolor");
        command.env_remove("TMUX");
        let child = pair.slave.spawn_command(command).unwrap();
        let mut reader = pair.master.try_clone_reader().unwrap();
        let (sender, bytes) = mpsc::channel();
        thread::spawn(move || {
            let mut buffer = vec![0; 64 << 10];
            while let Ok(read @ 1..) = reader.read(&mut buffer) {
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
            keyboard: pair.master.take_writer().unwrap(),
            screen: Screen::new(Size::new(COLUMNS, ROWS + FRAME), 0),
            _master: pair.master,
        }
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.process_id().unwrap()
    }

    pub(crate) fn type_in(&mut self, text: &[u8]) {
        self.keyboard.write_all(text).unwrap();
        self.keyboard.flush().unwrap();
    }

    /// What is on the screen.
    pub(crate) fn shown(&self) -> String {
        let rows = self.screen.top_row()..self.screen.end_row();
        rows.filter_map(|row| Some(self.screen.row(row)?.text() + "\n"))
            .collect()
    }

    /// Waits until `text` is on the screen; when it came there.
    pub(crate) fn see(&mut self, text: &str) -> Instant {
        self.wait(text, |shown| shown.contains(text))
    }

    /// Waits until a screen is as it should be.
    pub(crate) fn wait(&mut self, what: &str, seen: impl Fn(&str) -> bool) -> Instant {
        let start = Instant::now();
        loop {
            let left = PATIENCE.saturating_sub(start.elapsed());
            let came = self.bytes.recv_timeout(left);
            assert!(came.is_ok(), "{what} never came:\n{}", self.shown());
            let (when, bytes) = came.unwrap();
            drop(self.screen.advance(&bytes));
            if seen(&self.shown()) {
                return when;
            }
        }
    }

    /// Waits until nothing has come for `quiet`; how many bytes came.
    pub(crate) fn settle(&mut self, quiet: Duration) -> usize {
        self.during(quiet, true).0
    }

    /// Bytes and whole frames that came in `time`.
    pub(crate) fn watch(&mut self, time: Duration) -> (usize, usize) {
        self.during(time, false)
    }

    fn during(&mut self, time: Duration, anew: bool) -> (usize, usize) {
        let mut until = Instant::now() + time;
        let (mut total, mut frames) = (0, 0);
        loop {
            let left = until.saturating_duration_since(Instant::now());
            let Ok((_, bytes)) = self.bytes.recv_timeout(left) else {
                return (total, frames);
            };
            total += bytes.len();
            frames += memchr::memmem::find_iter(&bytes, b"\x1b[?2026l").count();
            drop(self.screen.advance(&bytes));
            if anew {
                until = Instant::now() + time;
            }
        }
    }

    /// Milliseconds from `sent` until `mark` is written to the terminal, sequences apart.
    pub(crate) fn until(&mut self, mark: u8, sent: Instant) -> f64 {
        let mut all = Vec::new();
        loop {
            let (when, bytes) = self.bytes.recv_timeout(PATIENCE).unwrap();
            drop(self.screen.advance(&bytes));
            all.extend_from_slice(&bytes);
            if when >= sent && written(&all).any(|byte| byte == mark) {
                return ms(when.duration_since(sent));
            }
        }
    }

    /// Milliseconds from a key to its letter in the terminal.
    pub(crate) fn key(&mut self, key: u8) -> f64 {
        self.settle(Duration::ZERO);
        let sent = Instant::now();
        self.type_in(&[key]);
        self.until(key, sent)
    }
}

/// The bytes that are no part of an escape sequence; strings are not looked at.
fn written(bytes: &[u8]) -> impl Iterator<Item = u8> {
    let mut sequence = 0;
    bytes.iter().copied().filter(move |byte| {
        sequence = match (sequence, byte) {
            (_, 0x1b) => 1,
            (1, b'[') | (2, 0x20..=0x3f) => 2,
            (1, b'(' | b')') => 3,
            (1..=3, _) => 4,
            _ => 0,
        };
        sequence == 0
    })
}

impl Drop for Program {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
