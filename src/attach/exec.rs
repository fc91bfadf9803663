//! `--exec`: one command, its output alone, its status as the exit code.

use std::time::Duration;

use bytes::Bytes;
use tokio::sync::mpsc;
use tokio::time::{sleep_until, timeout};

use crate::cli::plan::ExecPlan;
use crate::clock;
use crate::model::shell::{ShellEnd, ShellExit, ShellUpdate};
use crate::model::{Fault, FaultKind, words};
use crate::source::shell::{Opening, Shell};

use super::marker::{Finder, Script};
use super::stdio::Output;
use super::{World, outcome};

/// What is left to write may take this long after a signal.
const SOON: Duration = Duration::from_millis(500);
/// Updates on their way: of up to 64 KiB each.
const UPDATES: usize = 16;

/// How a command ended.
enum Done {
    Status(u8),
    TimedOut,
    Signal(u8),
    NobodyReads,
    Ended(ShellEnd),
}

/// Runs the command; the answer is its status, or what became of it.
pub(super) async fn run(opening: Opening, exec: ExecPlan, mut world: World) -> Result<u8, Fault> {
    let target = opening.spec.name();
    let mut chance = [0; 16];
    getrandom::fill(&mut chance).map_err(|error| {
        let why = format!("this system gives no random numbers ({error})");
        Fault::new(FaultKind::Internal, "deckwatch", why, "")
    })?;
    let script = Script::new(&exec.command, chance);
    let mut finder = script.finder();
    let (sender, mut updates) = mpsc::channel(UPDATES);
    let shell = Shell::open(opening, (), sender);
    let output = Output::start();
    let mut own = None;
    let mut status = None;
    let mut typed = false;
    let deadline = clock::now() + exec.timeout;
    let done = loop {
        if let Some(status) = status.filter(|_| own.is_none()) {
            break Done::Status(status);
        }
        tokio::select! {
            biased;
            Some(code) = world.signals.recv() => break Done::Signal(code),
            reads = output.write(&mut own), if own.is_some() => {
                if !reads {
                    break Done::NobodyReads;
                }
            }
            update = updates.recv(), if own.is_none() => match update {
                Some(((), ShellUpdate::Ready(server))) => {
                    (world.remember)(Some(server));
                    if typed {
                        continue;
                    }
                    typed = true;
                    type_in(&shell, &script).await;
                }
                Some(((), ShellUpdate::Output(came))) => {
                    let mut found = Vec::new();
                    status = finder.take(&came, &mut found);
                    own = (!found.is_empty()).then(|| Bytes::from(found));
                }
                Some(((), ShellUpdate::Ended(end))) => {
                    if matches!(end.how, ShellExit::Fault(_)) {
                        (world.remember)(None);
                    }
                    break Done::Ended(end);
                }
                Some(((), ShellUpdate::Refused(_))) => {
                    let why = "the command holds bytes that are no UTF-8, and this server takes nothing else";
                    return Err(Fault::new(FaultKind::Usage, "--exec", why, "write it without them"));
                }
                Some(_) => {}
                None => break Done::Ended(ShellEnd { how: ShellExit::Closed, unsent: 0, unconfirmed: 0 }),
            },
            () = sleep_until(deadline) => break Done::TimedOut,
        }
    };
    leave(shell, &done).await;
    let written = match done {
        Done::Signal(_) => timeout(SOON, output.finish()).await.unwrap_or(Ok(())),
        _ => output.finish().await,
    };
    let code = conclude(done, &finder, (&target, exec.timeout), typed)?;
    match written {
        Ok(()) => Ok(code),
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(0),
        Err(error) => Err(Fault::new(
            FaultKind::Output,
            "standard output",
            words::io_error(&error),
            "free some space, or write elsewhere",
        )),
    }
}

async fn type_in(shell: &Shell, script: &Script) {
    // A shell that is over tells so itself.
    let _ = shell
        .input()
        .send(Bytes::copy_from_slice(script.input.as_bytes()))
        .await;
}

/// A command that goes on is interrupted first: closing alone leaves it running.
async fn leave(shell: Shell, done: &Done) {
    if matches!(done, Done::TimedOut | Done::Signal(_) | Done::NobodyReads) {
        shell.write(Bytes::from_static(b"\x03\x03"));
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    // Servers here rarely answer a goodbye.
    let _ = timeout(Duration::from_secs(2), shell.finish()).await;
}

fn conclude(
    done: Done,
    finder: &Finder,
    (target, limit): (&str, Duration),
    typed: bool,
) -> Result<u8, Fault> {
    let next = "--exec needs a POSIX shell (sh, bash, ash, zsh) in the container";
    match done {
        Done::Status(status) => Ok(status),
        Done::Signal(code) => Ok(code),
        Done::NobodyReads => Ok(0),
        Done::TimedOut if finder.begun() => {
            // Said as coreutils' timeout does it: by the code alone, and one line.
            Err(Fault::new(
                FaultKind::TimedOut,
                target,
                format!("the command did not end in {}", words::duration(limit)),
                "give it more with --timeout",
            ))
        }
        Done::TimedOut if !typed => Err(Fault::new(
            FaultKind::TimedOut,
            target,
            format!("there was no shell in {}", words::duration(limit)),
            "look at the pod, or give it more with --timeout",
        )),
        Done::TimedOut => Err(Fault::new(
            FaultKind::Protocol,
            target,
            "no shell there took the command",
            next,
        )),
        Done::Ended(end) => match (&end.how, finder.begun()) {
            (ShellExit::Exited { .. } | ShellExit::Closed, false) => Err(Fault::new(
                FaultKind::Protocol,
                target,
                "the shell ended before it took the command",
                next,
            )),
            (ShellExit::Exited { .. } | ShellExit::Closed, true) => Err(Fault::new(
                FaultKind::Protocol,
                target,
                "the shell ended before the command's status came",
                "",
            )),
            (ShellExit::Lost(_) | ShellExit::Fault(_), _) => {
                outcome(&end, target).map(|(code, _)| code)
            }
        },
    }
}
