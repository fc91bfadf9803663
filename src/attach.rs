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

use crate::cli::plan::ShellPlan;
use crate::model::shell::{EXPOSED, ShellEnd, ShellExit};
use crate::model::{Fault, FaultKind, words};
use crate::source::shell::Opening;

pub use password::login;

/// What a run needs of the world.
pub struct World {
    /// Signals that end it, as exit codes.
    pub signals: tokio::sync::mpsc::Receiver<u8>,
    /// Who was found at this shell's host before.
    pub remembered: Option<&'static crate::codec::shell::Dialect>,
    /// Called with who was found.
    pub remember: Box<dyn FnMut(Option<&'static str>) + Send>,
    /// One line on standard error.
    pub say: Box<dyn FnMut(&str) + Send>,
}

/// Runs `deckwatch shell` to its end; the answer is the exit code.
pub async fn run(plan: ShellPlan, mut world: World) -> Result<u8, Fault> {
    let spec =
        plan.target.shell().cloned().ok_or_else(|| {
            Fault::new(FaultKind::Internal, "deckwatch", "no shell was planned", "")
        })?;
    if spec.is_exposed() {
        (world.say)(EXPOSED);
    }
    let login = login(&spec, &plan.password)?;
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

/// What a shell's end means for the exit code, and what is to be said.
fn outcome(end: &ShellEnd, target: &str) -> Result<(u8, Option<String>), Fault> {
    let bytes = |count: usize| match count {
        1 => "1 byte of input".to_owned(),
        count => format!("{} bytes of input", words::count(count as u64)),
    };
    let mut input = String::new();
    if end.unsent > 0 {
        input = format!("; not sent: {}", bytes(end.unsent));
    }
    if end.unconfirmed > 0 {
        let sent = bytes(end.unconfirmed);
        input = format!("{input}; sent, and perhaps not taken: {sent}");
    }
    match &end.how {
        ShellExit::Exited { failed: false, .. } => Ok((0, None)),
        ShellExit::Exited { failed: true, .. } => {
            Ok((1, Some("the server says that the program failed".into())))
        }
        ShellExit::Closed => Ok((0, Some(format!("closed{input}")))),
        ShellExit::Lost(why) => Err(Fault::new(
            FaultKind::Lost,
            target,
            format!("the connection was lost: {why}{input}"),
            "the shell may still run; open a new one",
        )),
        ShellExit::Fault(fault) => {
            let mut fault = fault.clone();
            target.clone_into(&mut fault.what);
            fault.why.push_str(&input);
            Err(fault)
        }
    }
}
