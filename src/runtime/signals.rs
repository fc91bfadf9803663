//! Signals, as messages.

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;

use crate::follow::exit;
use crate::model::{Fault, FaultKind};
use crate::say;
use crate::word;

/// The signals that end a headless run, as exit codes. Two may wait: the second one insists.
pub fn headless() -> Result<mpsc::Receiver<u8>, Fault> {
    let (sender, receiver) = mpsc::channel(2);
    let kinds = [
        (SignalKind::interrupt(), exit::INTERRUPTED),
        (SignalKind::terminate(), exit::TERMINATED),
        (SignalKind::hangup(), exit::HUNG_UP),
    ];
    for (kind, code) in kinds {
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
