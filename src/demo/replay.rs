//! A component's history on its way to a new subscriber. It runs beside the live lines, after
//! the subscriber is registered: so live lines come between, and a line may come twice
//! (protocols.md 1.4, reliability.md 0).

use std::time::Duration;

use bytes::Bytes;
use tokio::sync::mpsc;
use tokio::time::{sleep, timeout};

use super::hub::{Ask, Hub, Item, Kind};
use super::options::Switches;
use super::record;
use super::truth::Origin;

/// How long one line may wait for its place in the queue before the rest is given up.
const PATIENCE: Duration = Duration::from_secs(5);

/// One replay.
pub(super) struct Replay {
    pub(super) hub: Hub,
    pub(super) subscriber: u64,
    pub(super) queue: mpsc::Sender<Item>,
    pub(super) id: String,
    pub(super) switches: Switches,
}

/// Sends the history, then tells the hub that it is over.
pub(super) async fn replay(order: Replay) {
    if !order.switches.history_delay.is_zero() {
        sleep(order.switches.history_delay).await;
    }
    let rows = order
        .hub
        .ask(|reply| Ask::History {
            id: order.id.clone(),
            limit: order.switches.history,
            reply,
        })
        .await
        .unwrap_or_default();
    for (number, text) in rows {
        if !order.switches.history_pace.is_zero() {
            sleep(order.switches.history_pace).await;
        }
        let item = Item {
            kind: Kind::Docker,
            number,
            origin: Origin::Replay,
            payload: payload(&order, text),
            ending: None,
        };
        match timeout(PATIENCE, order.queue.send(item)).await {
            Ok(Ok(())) => {}
            // The subscriber is gone, or too slow: the rest is given up without a word.
            Ok(Err(_)) | Err(_) => break,
        }
    }
    order.hub.tell(Ask::Replayed(order.subscriber)).await;
}

fn payload(order: &Replay, text: Bytes) -> Bytes {
    if order.switches.raw_history {
        text
    } else {
        record::docker_history(&order.id, &text)
    }
}
