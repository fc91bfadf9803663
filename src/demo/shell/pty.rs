//! A process on a PTY: its keyboard, its screen, its end. Nothing of it outlives its owner.

use std::io::{self, ErrorKind};

use filedescriptor::FileDescriptor;
use portable_pty::{Child, CommandBuilder, PtySize, native_pty_system};
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions};
use rustix::termios::Winsize;
use tokio::net::unix::pipe;
use tokio::signal::unix::{self, SignalKind};

/// Columns and rows.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Size {
    pub(super) columns: u16,
    pub(super) rows: u16,
}

/// What is to run.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    /// The command and its arguments.
    pub(super) argv: Vec<String>,
    /// What stands before the prompt's `$`.
    pub(super) prompt: String,
    pub(super) size: Size,
}

/// Where input goes.
#[derive(Debug)]
pub(super) struct Keyboard(pipe::Sender);

/// Where output comes from.
#[derive(Debug)]
pub(super) struct Screen(pipe::Receiver);

/// The process itself. Dropping it kills its whole session.
#[derive(Debug)]
pub(super) struct Job {
    /// `None` once it has been waited for.
    child: Option<Box<dyn Child + Send + Sync>>,
    pid: Pid,
    ends: unix::Signal,
}

/// Starts a process on a new PTY.
pub(super) fn spawn(plan: &Plan) -> io::Result<(Keyboard, Screen, Job)> {
    let size = PtySize {
        rows: plan.size.rows,
        cols: plan.size.columns,
        ..PtySize::default()
    };
    // Before the process: its end must not be missed.
    let ends = unix::signal(SignalKind::child())?;
    let pair = native_pty_system().openpty(size).map_err(other)?;
    let master = pair
        .master
        .as_raw_fd()
        .ok_or(io::Error::from(ErrorKind::Unsupported))?;
    // Our own descriptors of the master, which tokio waits for as for a pipe's: the crate's
    // reader and writer block, and its writer types an end of file when it is dropped.
    let mut own = FileDescriptor::dup(&master).map_err(other)?;
    own.set_non_blocking(true).map_err(other)?;
    let keyboard = pipe::Sender::from_file_unchecked(own.as_file().map_err(other)?)?;
    let screen = pipe::Receiver::from_file_unchecked(own.as_file().map_err(other)?)?;
    let child = pair.slave.spawn_command(command(plan)).map_err(other)?;
    let pid = child
        .process_id()
        .and_then(|id| Pid::from_raw(id.try_into().ok()?))
        .ok_or(io::Error::from(ErrorKind::NotFound))?;
    let job = Job {
        child: Some(child),
        pid,
        ends,
    };
    Ok((Keyboard(keyboard), Screen(screen), job))
}

/// The command in a small environment of its own: no start files, no history.
fn command(plan: &Plan) -> CommandBuilder {
    let mut command = CommandBuilder::from_argv(plan.argv.iter().map(Into::into).collect());
    let home = std::env::temp_dir();
    command.env_clear();
    for (name, value) in [
        (
            "PATH",
            "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        ),
        ("TERM", "xterm-256color"),
        ("LANG", "C.UTF-8"),
        ("HISTFILE", ""),
        ("PS1", &format!("{}$ ", plan.prompt)),
    ] {
        command.env(name, value);
    }
    command.env("HOME", &home);
    command.cwd(&home);
    command
}

fn other(error: impl std::fmt::Display) -> io::Error {
    io::Error::other(error.to_string())
}

impl Keyboard {
    /// Types all of it; waits while the PTY is full.
    pub(super) async fn write(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            self.0.writable().await?;
            match self.0.try_write(bytes) {
                Ok(count) => bytes = bytes.get(count..).unwrap_or(&[]),
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Changes the size; the foreground learns of it by `WINCH`.
    pub(super) fn resize(&self, size: Size) -> io::Result<()> {
        let size = Winsize {
            ws_row: size.rows,
            ws_col: size.columns,
            ws_xpixel: 0,
            ws_ypixel: 0,
        };
        Ok(rustix::termios::tcsetwinsize(&self.0, size)?)
    }
}

impl Screen {
    /// What was put out; nothing once all have closed the terminal, which Linux calls EIO.
    pub(super) async fn read(&mut self, buffer: &mut [u8]) -> usize {
        while self.0.readable().await.is_ok() {
            match self.0.try_read(buffer) {
                Ok(count) => return count,
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                Err(_) => return 0,
            }
        }
        0
    }

    /// What has been put out already.
    pub(super) fn read_now(&mut self, buffer: &mut [u8]) -> usize {
        rustix::io::read(&self.0, buffer).unwrap_or(0)
    }
}

impl Job {
    /// Its id.
    pub(super) fn id(&self) -> u32 {
        self.pid.as_raw_pid().unsigned_abs()
    }

    /// Waits for its end; its exit code.
    pub(super) async fn exited(&mut self) -> u32 {
        loop {
            if let Some(code) = self.poll_exited() {
                return code;
            }
            if self.ends.recv().await.is_none() {
                return 1;
            }
        }
    }

    fn poll_exited(&mut self) -> Option<u32> {
        let Some(child) = &mut self.child else {
            return Some(1);
        };
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
        if let Ok(None) = rustix::process::waitid(WaitId::Pid(self.pid), options) {
            return None;
        }
        // Its id is still its own: whatever it left behind is found by it.
        end_session(self.pid);
        let status = child.wait();
        self.child = None;
        Some(status.map_or(1, |status| status.exit_code()))
    }
}

impl Drop for Job {
    fn drop(&mut self) {
        let Some(mut child) = self.child.take() else {
            return;
        };
        end_session(self.pid);
        // Killed and not yet waited for, so the wait is short; but it is no work for a drop.
        let _ = std::thread::Builder::new().spawn(move || child.wait());
    }
}

/// Kills everything in a session: the shell, its jobs before and behind, and what ignores HUP.
/// Only to be called while the shell has not been waited for, so that the id is not another's.
fn end_session(shell: Pid) {
    // Twice: a process may be born while the first list is read.
    for _ in 0..2 {
        for pid in members(shell) {
            let _ = rustix::process::kill_process(pid, Signal::KILL);
        }
    }
    let _ = rustix::process::kill_process_group(shell, Signal::KILL);
    let _ = rustix::process::kill_process(shell, Signal::KILL);
}

/// The processes of a session; none where there is no `/proc`, and there the closed PTY hangs
/// them up.
fn members(session: Pid) -> Vec<Pid> {
    let wanted = session.as_raw_pid().to_string();
    let entries = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    entries
        .filter_map(|entry| {
            let pid = entry.file_name().to_str()?.parse().ok()?;
            let stat = std::fs::read_to_string(entry.path().join("stat")).ok()?;
            // After the name in brackets: state, parent, group, session.
            let (_, rest) = stat.rsplit_once(')')?;
            let found = rest.split_whitespace().nth(3)?;
            (found == wanted).then(|| Pid::from_raw(pid)).flatten()
        })
        .collect()
}
