//! L5: the tasks that drive a session over its connection and hand on what it says. This is
//! where wishes become waits; no protocol is known here.

mod archive;
pub mod component;
pub mod drive;
pub mod events;
mod last_words;
pub mod lines;
pub mod outlet;
mod pod;
pub mod shell;

use std::future::Future;
use std::panic::AssertUnwindSafe;

use futures_util::FutureExt;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::codec::target::{FeedSpec, Target};
use crate::model::{EndReason, Fault, FaultKind, FeedUpdate, LinkState, RawBatch};
use crate::word;

pub use drive::Reconnect;
pub use outlet::{Lag, Outlet};

/// What the program may tell a running source.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Command {
    /// End. A WebSocket that is still in its replay is drained first, silently (decision 2).
    Stop,
    /// Don't wait for the next attempt.
    Reconnect,
}

/// How a source behaves.
#[derive(Clone, Copy, Debug)]
pub struct Policy {
    /// What to do when a link is lost.
    pub reconnect: Reconnect,
    /// Go on past the end of a file.
    pub follow: bool,
    /// Where the jitter's random numbers begin.
    pub seed: u64,
}

/// A running source.
#[derive(Debug)]
pub struct Source {
    commands: mpsc::Sender<Command>,
    task: JoinHandle<()>,
}

impl Source {
    /// Starts the source of `target`; its updates go to `outlet`.
    pub fn start<B: Send + 'static>(target: &Target, policy: Policy, outlet: Outlet<B>) -> Self {
        let (commands, orders) = mpsc::channel(8);
        let (name, alarm) = (target.text.clone(), outlet.alarm());
        let task = match &target.feed {
            // A shell has no session of this kind, and ends at once: `shell` drives it.
            FeedSpec::Ws(_) | FeedSpec::Zmq(_) | FeedSpec::Shell(_) | FeedSpec::Cast(..) => {
                let work = drive::run(target.clone(), (policy, None), orders, outlet);
                tokio::spawn(guarded(work, name, alarm))
            }
            FeedSpec::Component(place) => {
                let place = (**place).clone();
                let work = component::run(target.clone(), place, policy, orders, outlet);
                tokio::spawn(guarded(work, name, alarm))
            }
            FeedSpec::Events(place) => {
                let place = (**place).clone();
                let work = events::run(target.clone(), place, policy, orders, outlet);
                tokio::spawn(guarded(work, name, alarm))
            }
            // Names are looked up before anything is opened.
            FeedSpec::Name(_) => tokio::spawn(std::future::ready(())),
            FeedSpec::Stdin => {
                let work = lines::run_stdin(policy.follow, orders, outlet);
                tokio::spawn(guarded(work, name, alarm))
            }
            FeedSpec::File(path) => {
                let work = lines::run_file(path.clone(), policy.follow, orders, outlet);
                tokio::spawn(guarded(work, name, alarm))
            }
        };
        Self { commands, task }
    }

    /// Tells the source something; a source that has ended or is busy with eight orders is not
    /// told.
    pub fn tell(&self, command: Command) {
        let _ = self.commands.try_send(command);
    }

    /// Whether it has ended.
    pub fn is_over(&self) -> bool {
        self.task.is_finished()
    }

    /// Tells it to stop and waits until it has, a drained replay included.
    pub async fn finish(self) {
        self.tell(Command::Stop);
        drop(self.commands);
        drop(self.task.await);
    }
}

/// A source that panics is the end of its target, told like any other.
async fn guarded<B>(work: impl Future<Output = ()>, target: String, alarm: outlet::Alarm<B>) {
    if AssertUnwindSafe(work).catch_unwind().await.is_ok() {
        return;
    }
    let why = word!(
        "a defect of deckwatch ended it",
        "deckwatch 自身出错，已将其终止"
    );
    let next = word!(
        "open it again, and report what standard error says",
        "请重新打开，并反馈标准错误的输出"
    );
    let fault = Fault::new(FaultKind::Internal, target, why, next);
    let ended = LinkState::Ended(EndReason::Fault(fault));
    // Without a program there is nobody to tell.
    drop(
        alarm
            .sender
            .send((alarm.target, FeedUpdate::State(ended)))
            .await,
    );
}

/// Follow mode takes lines as they came.
pub fn as_received(batch: RawBatch) -> RawBatch {
    batch
}
