//! The recordings, taken apart into connections, each with a reason if it can't be played.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "test helper"
)]

use std::collections::BTreeMap;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use crate::raw_client::{BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT};

/// The real server ends a connection on a longer message (protocols.md 1.3).
pub(super) const LIMIT: usize = 512;

#[derive(Clone, Debug)]
pub(crate) struct Frame {
    pub(crate) fin: bool,
    pub(crate) op: u8,
    pub(crate) payload: Vec<u8>,
    /// It left in one write with the frame before.
    pub(crate) batched: bool,
}

/// One recorded WebSocket.
#[derive(Clone, Debug)]
pub(super) struct Recorded {
    pub(super) name: String,
    pub(super) path: String,
    /// The ids or channels that its client asked for.
    pub(super) asked: Vec<String>,
    pub(super) frames: Vec<Frame>,
}

/// Why a connection is not played.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Skip {
    /// It is no WebSocket.
    NoUpgrade,
    /// Its client's first message has not the one form that ours has.
    BadFirstMessage,
    /// Its client sent more than the server takes, and was thrown out for that.
    TooLongMessage,
    /// The path is none of the program's.
    UnknownPath,
    /// A payload was not kept whole by the recorder.
    CutPayload,
}

pub(crate) fn word<'a>(row: &'a Value, name: &str) -> &'a str {
    row[name].as_str().unwrap_or("")
}

pub(crate) fn bytes(row: &Value) -> Vec<u8> {
    STANDARD.decode(word(row, "b64")).unwrap()
}

pub(crate) fn opcode(word: &str) -> u8 {
    match word {
        "cont" | "continuation" => CONTINUATION,
        "text" => TEXT,
        "binary" => BINARY,
        "close" => CLOSE,
        "ping" => PING,
        "pong" => PONG,
        other => panic!("opcode {other}"),
    }
}

pub(crate) fn rows(path: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(path).unwrap();
    let lines = text.split('\n').filter(|line| !line.is_empty());
    lines
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// The recordings, by file name.
pub(super) fn files() -> BTreeMap<String, Vec<Value>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/transcripts");
    let mut files = BTreeMap::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if name.starts_with("eventlog-") && path.extension().is_some_and(|end| end == "jsonl") {
            files.insert(name, rows(&path));
        }
    }
    files
}

/// The connections of a recording, each to be played or not.
pub(super) fn connections(file: &str, rows: &[Value]) -> Vec<(String, Result<Recorded, Skip>)> {
    let mut names: Vec<&str> = Vec::new();
    for row in rows {
        let conn = word(row, "conn");
        if !conn.is_empty() && !names.contains(&conn) {
            names.push(conn);
        }
    }
    let of = |conn: &str| -> Vec<&Value> {
        let own = rows.iter().filter(|row| word(row, "conn") == conn);
        own.collect()
    };
    let mut all = Vec::new();
    for conn in names {
        let name = format!("{file} {conn}");
        all.push((name.clone(), connection(name, &of(conn))));
    }
    all
}

pub(super) fn connection(name: String, rows: &[&Value]) -> Result<Recorded, Skip> {
    if !rows.iter().any(|row| row["status"] == 101) {
        return Err(Skip::NoUpgrade);
    }
    let request = rows
        .iter()
        .find(|row| row["http"] == "request")
        .map(|row| bytes(row));
    let request = String::from_utf8(request.unwrap()).unwrap();
    let path = request.split(' ').nth(1).unwrap().to_owned();
    let said: Vec<(bool, Vec<u8>)> = rows
        .iter()
        .filter(|row| row["dir"] == "c>s" && ["text", "binary"].contains(&word(row, "op")))
        .map(|row| (row["op"] == "text", bytes(row)))
        .collect();
    if said.iter().any(|(_, message)| message.len() > LIMIT) {
        return Err(Skip::TooLongMessage);
    }
    let asked = match path.rsplit('/').next().unwrap() {
        "docker_log" | "event_log" | "new_monitor_message" => asked_id(&said),
        "pubsub" => asked_channels(&said),
        _ => return Err(Skip::UnknownPath),
    };
    let mut frames: Vec<Frame> = Vec::new();
    let mut last_time = None;
    let mut closing = false;
    for row in rows.iter().filter(|row| row["dir"].is_string()) {
        if row["dir"] == "c>s" {
            closing |= row["op"] == "close";
            continue;
        }
        if row["b64_is_prefix"] == true {
            return Err(Skip::CutPayload);
        }
        let op = opcode(word(row, "op"));
        // What answers a close of that client is not said to one that does not close.
        if op == PONG || op == CLOSE && closing {
            continue;
        }
        let time = row["t"].as_f64();
        frames.push(Frame {
            fin: row["fin"] == true,
            op,
            payload: bytes(row),
            batched: !frames.is_empty() && (row["batched"] == true || time == last_time),
        });
        last_time = time;
    }
    let asked = asked.ok_or(Skip::BadFirstMessage)?;
    Ok(Recorded {
        name,
        path,
        asked,
        frames,
    })
}

/// The id of `anything=id`.
pub(super) fn asked_id(said: &[(bool, Vec<u8>)]) -> Option<Vec<String>> {
    let first = std::str::from_utf8(&said.first()?.1).ok()?;
    let (_, id) = first.split_once('=')?;
    (!id.is_empty() && !id.contains('=')).then(|| vec![id.to_owned()])
}

/// The channels of all proper subscriptions, each once.
pub(super) fn asked_channels(said: &[(bool, Vec<u8>)]) -> Option<Vec<String>> {
    let mut channels: Vec<String> = Vec::new();
    for (text, message) in said {
        let value: Value = serde_json::from_slice(message).unwrap_or_default();
        let channel = word(&value["data"], "channel");
        let proper = channel
            .split_once('-')
            .is_some_and(|(kind, id)| ["s", "l", "m", "e"].contains(&kind) && !id.is_empty());
        let subscribes = *text && value["event"] == "pusher:subscribe";
        if subscribes && proper && !channels.iter().any(|known| known == channel) {
            channels.push(channel.to_owned());
        }
    }
    (!channels.is_empty()).then_some(channels)
}
