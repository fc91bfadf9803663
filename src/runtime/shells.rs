//! The running shells of the interface, and their recordings.

use std::collections::HashMap;
use std::io;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::mpsc;

use crate::app::msg::Msg;
use crate::attach::player::{self, Order};
use crate::attach::recording::Recording;
use crate::codec::shell::ShellSpec;
use crate::codec::target::{FeedSpec, Target};
use crate::model::shell::{ShellExit, ShellUpdate};
use crate::model::{PaneId, words};
use crate::say;
use crate::source::shell::{Control, Opening, Shell};
use crate::text::redact::Secret;

use super::dialects::Dialects;

/// Updates between all shells and the loop, of up to 64 KiB each. When it is full, sockets are
/// not read.
const INBOX: usize = 16;

/// A shell in a pane: the pane, and which shell of that pane, so that the last words of an
/// earlier one are not taken for a later one's.
pub(super) type Name = (PaneId, u64);

enum Running {
    Live(Shell, Box<ShellSpec>),
    Played(mpsc::Sender<Order>),
}

/// All of them.
pub(super) struct Shells {
    running: HashMap<PaneId, (u64, Running)>,
    recordings: HashMap<PaneId, Recording>,
    dialects: Dialects,
    outlet: mpsc::Sender<(Name, ShellUpdate)>,
    next: u64,
}

impl Shells {
    /// None yet; what they say comes out of the receiver.
    pub(super) fn new(dialects: Dialects) -> (Self, mpsc::Receiver<(Name, ShellUpdate)>) {
        let (outlet, inbox) = mpsc::channel(INBOX);
        let shells = Self {
            running: HashMap::new(),
            recordings: HashMap::new(),
            dialects,
            outlet,
            next: 0,
        };
        (shells, inbox)
    }

    /// Opens what a pane is there for.
    pub(super) fn open(
        &mut self,
        pane: PaneId,
        target: &Target,
        login: Option<(String, Secret)>,
        size: (u16, u16),
    ) {
        self.next += 1;
        let name = (pane, self.next);
        let running = match &target.feed {
            FeedSpec::Shell(spec) => {
                let opening = Opening {
                    remembered: self.dialects.of(spec),
                    spec: spec.clone(),
                    login,
                    size,
                    way: Arc::clone(&target.way),
                };
                {
                    let shell = Shell::open(opening, name, self.outlet.clone());
                    Running::Live(shell, Box::new(spec.clone()))
                }
            }
            FeedSpec::Cast(path, speed) => {
                // Orders are keys; more than these nobody presses between two frames.
                let (sender, orders) = mpsc::channel(16);
                let outlet = (name, self.outlet.clone());
                tokio::spawn(player::play(path.clone(), *speed, orders, outlet));
                Running::Played(sender)
            }
            FeedSpec::Ws(_)
            | FeedSpec::Zmq(_)
            | FeedSpec::Stdin
            | FeedSpec::File(_)
            | FeedSpec::Name(_)
            | FeedSpec::Component(_)
            | FeedSpec::Events(_) => return,
        };
        self.running.insert(pane, (self.next, running));
    }

    /// Closes a pane's shell, and its recording.
    pub(super) fn close(&mut self, pane: PaneId) -> Option<Msg> {
        self.running.remove(&pane);
        self.stop_recording(pane)
    }

    /// Types into a pane's shell.
    pub(super) fn write(&self, pane: PaneId, bytes: Bytes) -> Option<Msg> {
        let count = bytes.len();
        match self.running.get(&pane) {
            Some((_, Running::Live(shell, _))) if shell.write(bytes) => None,
            Some((_, Running::Played(_))) => None,
            Some((_, Running::Live(..))) | None => Some(Msg::ShellBusy(pane, count)),
        }
    }

    /// Tells a pane's shell something.
    pub(super) fn tell(&self, pane: PaneId, control: Control) {
        if let Some((_, Running::Live(shell, _))) = self.running.get(&pane) {
            shell.tell(control);
        }
    }

    /// Tells a pane's player something.
    pub(super) fn order(&self, pane: PaneId, order: Order) {
        if let Some((_, Running::Played(player))) = self.running.get(&pane) {
            // A player that has sixteen orders to obey gets no more.
            let _ = player.try_send(order);
        }
    }

    /// A recording follows a resize.
    pub(super) fn resized(&mut self, pane: PaneId, size: (u16, u16)) -> Option<Msg> {
        let written = self.recordings.get_mut(&pane)?.resize(size);
        self.check(pane, written)
    }

    /// What a shell says, as a message; none if it is of an earlier shell of the pane. It is
    /// recorded on the way.
    pub(super) fn said(
        &mut self,
        (pane, number): Name,
        update: ShellUpdate,
        told: &mut Vec<Msg>,
    ) -> Option<Msg> {
        let (now, running) = self.running.get(&pane)?;
        if *now != number {
            return None;
        }
        if let Running::Live(_, spec) = running {
            match &update {
                ShellUpdate::Ready(server) => self.dialects.found(spec, Some(server)),
                ShellUpdate::Ended(end) if matches!(end.how, ShellExit::Fault(_)) => {
                    self.dialects.found(spec, None);
                }
                _ => {}
            }
        }
        if let Some(recording) = self.recordings.get_mut(&pane) {
            let written = recording.update(&update);
            told.extend(self.check(pane, written));
        }
        if matches!(update, ShellUpdate::Ended(_)) {
            self.running.remove(&pane);
            told.extend(self.stop_recording(pane));
        }
        Some(Msg::Shell(pane, update))
    }

    /// Begins a recording.
    pub(super) fn record(
        &mut self,
        pane: PaneId,
        path: &Path,
        size: (u16, u16),
        title: &str,
    ) -> Msg {
        let shown = path.display().to_string();
        match Recording::begin(path, size, title) {
            Ok(recording) => {
                self.recordings.insert(pane, recording);
                Msg::Recording(pane, Some(shown))
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Msg::Failed(say!(
                "{shown}: it exists already; choose another name",
                "{shown}：文件已存在；请换一个名称"
            )),
            Err(error) => Msg::Failed(say!(
                "{shown}: it can't be written ({}); choose another place",
                "{shown}：无法写入（{}）；请换一个位置",
                words::io_error(&error)
            )),
        }
    }

    /// Ends a recording.
    pub(super) fn stop_recording(&mut self, pane: PaneId) -> Option<Msg> {
        let written = self.recordings.remove(&pane)?.finish();
        self.check(pane, written)
            .or(Some(Msg::Recording(pane, None)))
    }

    /// A recording that can't be written ends, and is said to.
    fn check(&mut self, pane: PaneId, written: io::Result<()>) -> Option<Msg> {
        let error = written.err()?;
        self.recordings.remove(&pane);
        let why = words::io_error(&error);
        Some(Msg::Failed(say!(
            "the recording stopped: it can't be written ({why})",
            "录制已停止：无法写入（{why}）"
        )))
    }

    /// Closes all of them and waits, about 1 s at most, until they have said goodbye.
    pub(super) async fn finish(&mut self) {
        for (_, recording) in self.recordings.drain() {
            // There is nobody left to tell; what was written stands.
            drop(recording.finish());
        }
        let mut leaving = tokio::task::JoinSet::new();
        for (_, (_, running)) in self.running.drain() {
            if let Running::Live(shell, _) = running {
                leaving.spawn(shell.finish());
            }
        }
        while leaving.join_next().await.is_some() {}
    }
}
