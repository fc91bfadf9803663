//! Questions of charts to their platforms: a task and a connection for each pane, so that no
//! pane waits for another, nor for the tree.

use std::collections::HashMap;

use tokio::sync::mpsc;

use crate::app::chart::Ask;
use crate::app::msg::Msg;
use crate::codec::promql::{self, Names};
use crate::model::sample::Reading;
use crate::model::{Fault, FaultKind, PaneId};
use crate::platform::Platform;
use crate::say;

/// Questions that wait for one pane's platform.
const WAITING: usize = 64;
/// The pace at which peaks are looked for within a step, in seconds.
const FINE: u64 = 15;

/// Asks platforms for measurements.
pub(super) struct Meters {
    running: HashMap<PaneId, mpsc::Sender<Ask>>,
    answers: mpsc::Sender<Msg>,
}

impl Meters {
    pub(super) fn new(answers: mpsc::Sender<Msg>) -> Self {
        Self {
            running: HashMap::new(),
            answers,
        }
    }

    /// Asks; what can't be asked now is answered at once.
    pub(super) fn ask(&mut self, ask: Ask) -> Option<Msg> {
        let answers = self.answers.clone();
        let sender = self.running.entry(ask.pane).or_insert_with(|| {
            let (sender, inbox) = mpsc::channel(WAITING);
            let platform = Platform::new(&ask.place.context);
            tokio::spawn(answer_all(platform, inbox, answers));
            sender
        });
        let ask = sender.try_send(ask).err()?.into_inner();
        let why = say!("too much is being asked already", "请求过多");
        let fault = Fault::new(FaultKind::Unreachable, ask.place.path(), why, "");
        Some(Msg::Measured(Box::new(ask), Err(fault)))
    }

    /// A pane is gone.
    pub(super) fn stop(&mut self, pane: PaneId) {
        self.running.remove(&pane);
    }
}

async fn answer_all(
    mut platform: Platform,
    mut inbox: mpsc::Receiver<Ask>,
    answers: mpsc::Sender<Msg>,
) {
    let mut names = None;
    while let Some(ask) = inbox.recv().await {
        let answer = answer(&mut platform, &mut names, &ask).await;
        let msg = Msg::Measured(Box::new(ask), answer);
        if answers.send(msg).await.is_err() {
            return;
        }
    }
}

async fn answer(
    platform: &mut Platform,
    known: &mut Option<Names>,
    ask: &Ask,
) -> Result<Reading, Fault> {
    let names = match known {
        Some(names) => names,
        None => known.insert(platform.names(&ask.place).await.map_err(|e| e.fault)?),
    };
    let mut query = promql::of(&ask.what, names);
    if ask.peaks {
        query = promql::peaks(&query, ask.window.step.as_secs(), FINE);
    }
    let reading = platform.measure(&ask.place, &query, ask.window).await;
    reading.map_err(|error| error.fault)
}
