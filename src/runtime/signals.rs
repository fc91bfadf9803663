//! Signals, as messages.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;
use tokio::time::sleep;

use crate::follow::exit;
use crate::model::{Fault, FaultKind};
use crate::say;
use crate::word;

/// A loop that writes to a terminal which reads nothing hears no signal for so long.
const STUCK: Duration = Duration::from_secs(3);

/// The signals that end a run, and their exit codes (decision 14).
const ENDS: [(SignalKind, u8); 4] = [
    (SignalKind::terminate(), exit::TERMINATED),
    (SignalKind::hangup(), exit::HUNG_UP),
    (SignalKind::interrupt(), exit::INTERRUPTED),
    (SignalKind::quit(), exit::QUIT),
];

/// Ends the interface after a signal that its loop did not hear, or could not follow: `give_back`
/// does for the terminal what can be done, and `done` is set once all is given back.
#[expect(
    clippy::exit,
    clippy::disallowed_methods,
    reason = "main, which would end it by returning, is stuck"
)]
pub(super) fn insist(give_back: impl FnOnce() + Send + 'static, done: Arc<AtomicBool>) {
    let (sender, mut heard) = mpsc::channel(ENDS.len());
    for (kind, code) in ENDS {
        let sender = sender.clone();
        tokio::spawn(async move {
            let Ok(mut stream) = signal(kind) else { return };
            if stream.recv().await.is_some() {
                let _ = sender.send(code).await;
            }
        });
    }
    tokio::spawn(async move {
        let Some(code) = heard.recv().await else {
            return;
        };
        sleep(STUCK).await;
        if !done.load(Ordering::Acquire) {
            give_back();
            std::process::exit(i32::from(code));
        }
    });
}

/// The signals that end a headless run, as exit codes. Two may wait: the second one insists.
pub fn headless() -> Result<mpsc::Receiver<u8>, Fault> {
    let (sender, receiver) = mpsc::channel(2);
    for (kind, code) in ENDS {
        let mut stream = signal(kind).map_err(|error| {
            Fault::new(
                FaultKind::Internal,
                "deckwatch",
                say!(
                    "signals can't be caught ({error})",
                    "无法接收信号（{error}）"
                ),
                word!("check the process limits", "请检查进程限制"),
            )
        })?;
        let sender = sender.clone();
        tokio::spawn(async move {
            while stream.recv().await.is_some() {
                if sender.send(code).await.is_err() {
                    return;
                }
            }
        });
    }
    Ok(receiver)
}
