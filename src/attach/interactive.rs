//! The raw shell: bytes in, bytes out, until one side ends.

use std::io::IsTerminal;
use std::time::Duration;

use bytes::Bytes;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until, timeout};

use crate::cli::plan::RawPlan;
use crate::clock;
use crate::codec::shell;
use crate::model::shell::{ShellEnd, ShellExit, ShellUpdate};
use crate::model::{Fault, FaultKind, words};
use crate::say;
use crate::source::shell::{Control, Opening, Shell};
use crate::word;

use super::escape::{Escape, Typed};
use super::leftover::Leftover;
use super::recording::Recording;
use super::stdio::{self, Output};
use super::terminal::{self, Raw};
use super::{World, no_output, outcome};

/// Updates on their way: of up to 64 KiB each.
const UPDATES: usize = 16;
/// After the end of standard input, end-of-file is typed whenever the container has been quiet
/// for this long: the platform does not tell that a shell has ended before a key comes
/// (protocols.md 9.1 no. 4).
const QUIET: Duration = Duration::from_secs(1);
/// What is left to write may take this long when the user wants to go.
const SOON: Duration = Duration::from_millis(500);
/// What a raw terminal sends for Ctrl-C, and the exit code that it has.
const CTRL_C: u8 = 3;
const INTERRUPTED: u8 = 130;
/// End of file, as a terminal has it.
const EOT: &[u8] = b"\x04";

/// How it ended, on our side.
enum Done {
    Ended(ShellEnd),
    Left,
    Signal(u8),
    NobodyReads,
}

struct Session {
    shell: Shell,
    updates: mpsc::Receiver<((), ShellUpdate)>,
    output: Output,
    leftover: Leftover,
    escape: Escape,
    escapes: bool,
    world: World,
    /// Keys go through a terminal that we hold raw.
    raw: bool,
    quiet: bool,
    /// The last byte typed; standard input that ends inside a line needs two end-of-files.
    last: Option<u8>,
    /// When the next end-of-file is typed, after the end of standard input.
    nudge: Option<Instant>,
    ready: bool,
    /// Bytes that were typed by us: ends of file.
    ours: usize,
    /// Typed, and not taken by the shell's task yet.
    keys: Option<Bytes>,
    recording: Option<Recording>,
    /// Came, and not taken by standard output yet.
    shown: Option<Bytes>,
}

/// Runs the shell; the answer is the exit code.
pub(super) async fn run(opening: Opening, plan: RawPlan, world: World) -> Result<u8, Fault> {
    let target = opening.spec.name();
    let recording = record(&plan, opening.size, &target)?;
    let input = stdio::input().map_err(|error| no_terminal(&error))?;
    let winch = signal(SignalKind::window_change()).map_err(|error| no_terminal(&error))?;
    let (sender, updates) = mpsc::channel(UPDATES);
    let shell = Shell::open(opening, (), sender);
    let raw = Raw::enter().map_err(|error| no_terminal(&error))?;
    let mut session = Session {
        shell,
        updates,
        output: Output::start(),
        leftover: Leftover::default(),
        escape: Escape::new(plan.escape && raw.is_some()),
        escapes: plan.escape,
        world,
        raw: raw.is_some(),
        quiet: plan.quiet,
        last: None,
        nudge: None,
        ready: false,
        ours: 0,
        keys: None,
        recording,
        shown: None,
    };
    let done = session.turn_round(input, winch).await;
    let Session {
        shell,
        output,
        leftover,
        mut world,
        recording,
        ..
    } = session;
    if let Some(Err(error)) = recording.map(Recording::finish) {
        let why = words::io_error(&error);
        (world.say)(&say!(
            "the recording's end can't be written ({why})",
            "录像的结尾无法写入（{why}）"
        ));
    }
    // Servers here rarely answer a goodbye.
    let _ = timeout(Duration::from_secs(2), shell.finish()).await;
    let is_ours = raw.is_some() && std::io::stdout().is_terminal();
    let undo = is_ours.then(|| Bytes::from(leftover.undo()));
    let finish = output.finish_with(undo);
    let written = match done {
        Done::Ended(_) | Done::NobodyReads => tokio::select! {
            written = finish => written,
            // Whoever wants to go does not wait for a reader that is stuck; not all was written.
            Some(code) = world.signals.recv() => return Ok(code),
        },
        Done::Left | Done::Signal(_) => timeout(SOON, finish).await.unwrap_or(Ok(())),
    };
    drop(raw);
    let (code, words) = match done {
        Done::Ended(end) => outcome(&end, &target)?,
        Done::Left => (0, Some(word!("disconnected", "已断开").into())),
        Done::Signal(code) => (code, None),
        Done::NobodyReads => (0, None),
    };
    if let Err(error) = written
        && error.kind() != std::io::ErrorKind::BrokenPipe
    {
        return Err(no_output(&error));
    }
    if let Some(words) = words.filter(|_| !plan.quiet) {
        (world.say)(&words);
    }
    Ok(code)
}

/// Begins the recording that is asked for.
fn record(plan: &RawPlan, size: (u16, u16), title: &str) -> Result<Option<Recording>, Fault> {
    let Some(path) = plan.record.as_deref() else {
        return Ok(None);
    };
    let recording = Recording::begin(path, size, title).map_err(|error| {
        let what = path.display().to_string();
        let next = word!("choose another name or place", "请换一个名称或位置");
        Fault::new(FaultKind::Usage, what, words::io_error(&error), next)
    })?;
    Ok(Some(recording))
}

impl Session {
    async fn turn_round(&mut self, mut input: mpsc::Receiver<Bytes>, mut winch: Signal) -> Done {
        let mut reading = true;
        let keys = self.shell.input();
        loop {
            let nudge = self.nudge.filter(|_| self.ready);
            let far = clock::now() + Duration::from_secs(3600);
            tokio::select! {
                biased;
                Some(code) = self.world.signals.recv() => return Done::Signal(code),
                reads = self.output.write(&mut self.shown), if self.shown.is_some() => {
                    if !reads {
                        return Done::NobodyReads;
                    }
                    // What was said and not read may go now.
                    (self.world.say)("");
                }
                permit = keys.reserve(), if self.keys.is_some() => {
                    // A shell that is over takes nothing, and tells so.
                    let (Ok(permit), Some(bytes)) = (permit, self.keys.take()) else { continue };
                    permit.send(bytes);
                }
                update = self.updates.recv(), if self.shown.is_none() => match update {
                    Some(((), update)) => {
                        if let Some(done) = self.update(update) {
                            return done;
                        }
                    }
                    None => return Done::Ended(ShellEnd { how: ShellExit::Closed, unsent: 0, unconfirmed: 0 }),
                },
                typed = input.recv(), if reading && self.keys.is_none() => {
                    let Some(typed) = typed else {
                        reading = false;
                        self.end_of_input();
                        continue;
                    };
                    // Until there is a shell, Ctrl-C is for us.
                    if self.raw && !self.ready && typed.contains(&CTRL_C) {
                        return Done::Signal(INTERRUPTED);
                    }
                    if self.typed(&typed) {
                        return Done::Left;
                    }
                }
                Some(()) = winch.recv() => {
                    if let Some((columns, rows)) = terminal::size() {
                        self.shell.tell(Control::Resized(columns, rows));
                        let written = self.recording.as_mut().map(|r| r.resize((columns, rows)));
                        self.check_recording(written);
                    }
                }
                () = sleep_until(nudge.unwrap_or(far)) => {
                    self.end_of_file();
                    self.nudge = Some(clock::now() + QUIET);
                }
            }
        }
    }

    fn update(&mut self, update: ShellUpdate) -> Option<Done> {
        let written = self.recording.as_mut().map(|r| r.update(&update));
        self.check_recording(written);
        match update {
            ShellUpdate::Output(bytes) => {
                if self.raw {
                    self.leftover.read(&bytes);
                }
                if self.nudge.is_some() {
                    self.nudge = Some(clock::now() + QUIET);
                }
                self.shown = Some(bytes);
            }
            ShellUpdate::Ended(mut end) => {
                // What we typed ourselves nobody misses.
                end.unsent = end.unsent.saturating_sub(self.ours);
                end.unconfirmed = end.unconfirmed.saturating_sub(self.ours);
                if matches!(end.how, ShellExit::Fault(_)) {
                    (self.world.remember)(None);
                }
                return Some(Done::Ended(end));
            }
            ShellUpdate::Ready(server) => {
                self.ready = true;
                (self.world.remember)(Some(server));
                if self.raw && !self.quiet {
                    let server = shell::shown(server);
                    let leave = if self.escapes {
                        word!("; Enter ~. disconnects", "；按 Enter ~. 断开")
                    } else {
                        ""
                    };
                    (self.world.say)(&say!(
                        "connected to {server}{leave}",
                        "已连接：{server}{leave}"
                    ));
                }
                if self.nudge.is_some() {
                    self.nudge = Some(clock::now() + QUIET);
                }
            }
            ShellUpdate::Opening(words) => {
                if self.raw && !self.quiet {
                    (self.world.say)(words.as_str());
                }
            }
            ShellUpdate::Stale(true) => {
                if self.raw && !self.quiet {
                    (self.world.say)(word!(
                        "no answer; if the shell has ended, a key tells",
                        "没有应答；终端是否已结束，按任意键便知"
                    ));
                }
            }
            ShellUpdate::Refused(bytes) => (self.world.say)(&say!(
                "{bytes} typed bytes are no UTF-8, which is all that this server takes; they were not sent",
                "{bytes} 字节输入不是 UTF-8，而此服务端只接受 UTF-8；未发送"
            )),
            ShellUpdate::Sized(..)
            | ShellUpdate::Title(_)
            | ShellUpdate::Stale(false)
            | ShellUpdate::Queued(_)
            | ShellUpdate::Stopped(_) => {}
        }
        None
    }

    /// Takes what was typed. True if the user wants to go.
    fn typed(&mut self, typed: &[u8]) -> bool {
        let (bytes, leaves) = match self.escape.take(typed) {
            Typed::Send(bytes) => (bytes, false),
            Typed::Leave(bytes) => (bytes, true),
        };
        self.last = bytes.last().copied().or(self.last);
        self.keys = (!bytes.is_empty()).then(|| Bytes::from(bytes));
        leaves
    }

    fn end_of_file(&mut self) {
        self.ours += EOT.len();
        self.shell.write(Bytes::from_static(EOT));
    }

    fn end_of_input(&mut self) {
        if self.raw {
            return;
        }
        let line_is_open = self.last.is_some_and(|byte| byte != b'\n' && byte != b'\r');
        if line_is_open {
            self.end_of_file();
        }
        self.end_of_file();
        self.nudge = Some(clock::now() + QUIET);
    }

    /// A recording that can't be written ends; the shell goes on.
    fn check_recording(&mut self, written: Option<std::io::Result<()>>) {
        if let Some(Err(error)) = written {
            self.recording = None;
            let why = words::io_error(&error);
            (self.world.say)(&say!(
                "the recording stopped: it can't be written ({why})",
                "录制已停止：无法写入（{why}）"
            ));
        }
    }
}

fn no_terminal(error: &std::io::Error) -> Fault {
    let why = words::io_error(error);
    Fault::new(
        FaultKind::Output,
        word!("the terminal", "本机终端"),
        why,
        word!(
            "run it in a terminal, or with input from a pipe",
            "请在终端中运行，或从管道输入"
        ),
    )
}
