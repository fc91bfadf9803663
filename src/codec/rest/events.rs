//! What the platform did: the list of events, and the stored log of one.

use serde_json::Value;

use crate::codec::stamp;
use crate::model::Micros;
use crate::model::catalog::EventEntry;

use super::{Payload, items, member, number};

/// The events of a page, as they came: newest first.
pub fn events(payload: &Payload) -> Vec<EventEntry> {
    let time = |value: &Value, keys: &[&str]| stamp::of_wire(&member(value, keys));
    items(&payload.list)
        .iter()
        .map(|value| EventEntry {
            id: member(value, &["event_id"]),
            kind: member(value, &["opt_type"]),
            status: member(value, &["status"]),
            final_status: member(value, &["final_status"]),
            user: member(value, &["user_name"]),
            target: member(value, &["target_id", "service_id"]),
            began: time(value, &["start_time", "create_time"]),
            ended: time(value, &["end_time"]),
            message: member(value, &["message"]),
            reason: member(value, &["reason"]),
        })
        .filter(|event| !event.id.is_empty())
        .collect()
}

/// The stored log of an event: time and message of each step.
pub fn event_log(payload: &Payload) -> Vec<(Option<Micros>, String)> {
    items(&payload.list)
        .iter()
        .map(|value| {
            let seconds = value.get("utime").and_then(number);
            let time = seconds
                .and_then(|seconds| i64::try_from(seconds).ok()?.checked_mul(1_000_000))
                .map(Micros)
                .or_else(|| stamp::of_wire(&member(value, &["time"])));
            (time, member(value, &["message"]))
        })
        .collect()
}
