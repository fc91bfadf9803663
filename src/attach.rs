//! L5: a shell without the interface: `deckwatch shell`. Bytes pass straight through in both
//! directions, as with `docker exec -it`; what stands around them is said on standard error.

mod escape;
mod exec;
mod interactive;
mod leftover;
mod marker;
pub mod password;
pub mod player;
pub mod recording;
mod stdio;
mod terminal;

use tokio::task::{JoinError, spawn_blocking};

use crate::cli::plan::{PasswordFrom, ShellPlan};
use crate::model::shell::{EXPOSED, ShellEnd, ShellExit};
use crate::model::{Fault, FaultKind, words};
use crate::say;
use crate::source::shell::Opening;
use crate::word;

pub use password::login;

/// What a run needs of the world.
pub struct World {
    /// Signals that end it, as exit codes.
    pub signals: tokio::sync::mpsc::Receiver<u8>,
    /// Who was found at this shell's host before.
    pub remembered: Option<&'static crate::codec::shell::Dialect>,
    /// Called with who was found.
    pub remember: Box<dyn FnMut(Option<&'static str>) + Send>,
    /// One line on standard error, without waiting for its reader; an empty one is not said: what
    /// waits is written.
    pub say: Box<dyn FnMut(&str) + Send>,
}

/// Runs `deckwatch shell` to its end; the answer is the exit code.
pub async fn run(plan: ShellPlan, mut world: World) -> Result<u8, Fault> {
    let spec = plan.target.shell().cloned().ok_or_else(|| {
        Fault::new(
            FaultKind::Internal,
            "deckwatch",
            word!("no shell was planned", "没有要打开的终端"),
            "",
        )
    })?;
    if spec.is_exposed() {
        (world.say)(EXPOSED.get());
    }
    // A user, a pipe or a disk may give nothing: whoever waits can still leave.
    let asks = plan.password == PasswordFrom::Prompt && spec.user.is_some();
    let echo = asks.then(password::Echo::keep).and_then(Result::ok);
    let of = spec.clone();
    let read = spawn_blocking(move || login(&of, &plan.password));
    let login = tokio::select! {
        read = read => read.map_err(|error| unread(&error))??,
        Some(code) = world.signals.recv() => {
            if let Some(echo) = echo {
                echo.restore();
            }
            return Ok(code);
        }
    };
    let opening = Opening {
        spec,
        login,
        way: std::sync::Arc::clone(&plan.target.way),
        remembered: world.remembered,
        size: terminal::size().unwrap_or(terminal::NO_TERMINAL),
    };
    match plan.exec {
        Some(exec) => exec::run(opening, exec, world).await,
        None => interactive::run(opening, plan.raw, world).await,
    }
}

fn unread(error: &JoinError) -> Fault {
    let what = word!("the password", "密码");
    Fault::new(FaultKind::Internal, what, error.to_string(), "")
}

/// Standard output can't be written.
fn no_output(error: &std::io::Error) -> Fault {
    Fault::new(
        FaultKind::Output,
        word!("standard output", "标准输出"),
        words::io_error(error),
        word!(
            "free some space, or write elsewhere",
            "请腾出空间，或写到别处"
        ),
    )
}

/// What a shell's end means for the exit code, and what is to be said.
fn outcome(end: &ShellEnd, target: &str) -> Result<(u8, Option<String>), Fault> {
    let bytes = |count: usize| match count {
        1 => word!("1 byte of input", "1 字节输入").to_owned(),
        count => say!(
            "{} bytes of input",
            "{} 字节输入",
            words::count(count as u64)
        ),
    };
    let mut input = String::new();
    if end.unsent > 0 {
        input = say!("; not sent: {}", "；未发送：{}", bytes(end.unsent));
    }
    if end.unconfirmed > 0 {
        let sent = bytes(end.unconfirmed);
        input = say!(
            "{input}; sent, and perhaps not taken: {sent}",
            "{input}；已发送但可能未被接收：{sent}"
        );
    }
    match &end.how {
        ShellExit::Exited { failed: false, .. } => Ok((0, None)),
        ShellExit::Exited { failed: true, .. } => Ok((
            1,
            Some(
                word!(
                    "the server says that the program failed",
                    "服务端称程序执行失败"
                )
                .into(),
            ),
        )),
        ShellExit::Closed => Ok((0, Some(say!("closed{input}", "已关闭{input}")))),
        ShellExit::Lost(why) => Err(Fault::new(
            FaultKind::Lost,
            target,
            say!(
                "the connection was lost: {why}{input}",
                "连接断开：{why}{input}"
            ),
            word!(
                "the shell may still run; open a new one",
                "终端可能仍在运行；请新开一个"
            ),
        )),
        ShellExit::Fault(fault) => {
            let mut fault = fault.clone();
            target.clone_into(&mut fault.what);
            fault.why.push_str(&input);
            Err(fault)
        }
    }
}
