//! `--exec`: one command, its output alone, its status as the exit code.

use std::time::Duration;

use bytes::Bytes;
use tokio::sync::mpsc;
use tokio::time::{sleep_until, timeout};

use crate::cli::plan::ExecPlan;
use crate::clock;
use crate::model::shell::{ShellEnd, ShellExit, ShellUpdate};
use crate::model::{Fault, FaultKind, words};
use crate::say;
use crate::source::shell::{Opening, Shell};
use crate::word;

use super::marker::{Finder, Script};
use super::stdio::Output;
use super::{World, no_output, outcome};

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
        let why = say!(
            "this system gives no random numbers ({error})",
            "系统无法提供随机数（{error}）"
        );
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
                    return Err(not_utf8());
                }
                Some(_) => {}
                None => break Done::Ended(ShellEnd { how: ShellExit::Closed, unsent: 0, unconfirmed: 0 }),
            },
            () = sleep_until(deadline) => break Done::TimedOut,
        }
    };
    leave(shell, &done).await;
    let written = if let Done::Signal(_) = done {
        timeout(SOON, output.finish()).await.unwrap_or(Ok(()))
    } else {
        tokio::select! {
            written = output.finish() => written,
            // Whoever wants to go does not wait for a reader that is stuck; not all was written.
            Some(code) = world.signals.recv() => return Ok(code),
        }
    };
    let code = conclude(done, &finder, (&target, exec.timeout), typed)?;
    match written {
        Ok(()) => Ok(code),
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(0),
        Err(error) => Err(no_output(&error)),
    }
}

fn not_utf8() -> Fault {
    let why = word!(
        "the command holds bytes that are no UTF-8, and this server takes nothing else",
        "命令中有非 UTF-8 字节，而此服务端只接受 UTF-8"
    );
    let next = word!("write it without them", "请去掉这些字节");
    Fault::new(FaultKind::Usage, "--exec", why, next)
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
    let next = word!(
        "--exec needs a POSIX shell (sh, bash, ash, zsh) in the container",
        "--exec 要求容器中有 POSIX shell（sh、bash、ash、zsh）"
    );
    match done {
        Done::Status(status) => Ok(status),
        Done::Signal(code) => Ok(code),
        Done::NobodyReads => Ok(0),
        Done::TimedOut if finder.begun() => {
            // Said as coreutils' timeout does it: by the code alone, and one line.
            Err(Fault::new(
                FaultKind::TimedOut,
                target,
                say!(
                    "the command did not end in {}",
                    "命令在 {} 内没有结束",
                    words::duration(limit)
                ),
                word!("give it more with --timeout", "可用 --timeout 延长"),
            ))
        }
        Done::TimedOut if !typed => Err(Fault::new(
            FaultKind::TimedOut,
            target,
            say!(
                "there was no shell in {}",
                "{} 内没有得到终端",
                words::duration(limit)
            ),
            word!(
                "look at the pod, or give it more with --timeout",
                "请检查实例 (Pod)，或用 --timeout 延长"
            ),
        )),
        Done::TimedOut => Err(Fault::new(
            FaultKind::Protocol,
            target,
            word!("no shell there took the command", "那里没有 shell 接收命令"),
            next,
        )),
        Done::Ended(end) => match (&end.how, finder.begun()) {
            (ShellExit::Exited { .. } | ShellExit::Closed, false) => Err(Fault::new(
                FaultKind::Protocol,
                target,
                word!(
                    "the shell ended before it took the command",
                    "终端在接收命令之前就结束了"
                ),
                next,
            )),
            (ShellExit::Exited { .. } | ShellExit::Closed, true) => Err(Fault::new(
                FaultKind::Protocol,
                target,
                word!(
                    "the shell ended before the command's status came",
                    "终端在返回命令状态之前就结束了"
                ),
                "",
            )),
            (ShellExit::Lost(_) | ShellExit::Fault(_), _) => {
                outcome(&end, target).map(|(code, _)| code)
            }
        },
    }
}
