//! What the program has to print of a recorded connection, read out of the recording without
//! the program's own codecs.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "test helper"
)]

use std::collections::BTreeMap;

use serde_json::Value;

use super::recording::{Frame, Recorded, word};
use crate::raw_client::CLOSE;

/// One printed line, as the recording has it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Row {
    pub(super) component: Option<String>,
    pub(super) container: Option<String>,
    pub(super) line: Vec<u8>,
    pub(super) replay: bool,
    /// What the wire carried, on the first line of an event's message.
    pub(super) frame: Option<String>,
}

#[derive(Default)]
pub(super) struct Expected {
    pub(super) rows: Vec<Row>,
    pub(super) raw: Vec<u8>,
    /// The exit code if the stream ends by itself.
    pub(super) code: Option<i32>,
    /// Live lines of containers, as `cid:line`.
    pub(super) live: Vec<Vec<u8>>,
}

impl Expected {
    pub(super) fn of(recorded: &Recorded) -> Self {
        let mut expected = Self::default();
        let messages = reassembled(&recorded.frames);
        let kind = recorded.path.rsplit('/').next().unwrap();
        let mut ended: BTreeMap<String, i32> = BTreeMap::new();
        for (number, message) in messages.iter().enumerate() {
            if kind != "pubsub" && number == 0 && message == b"ok" {
                continue;
            }
            match kind {
                "docker_log" => expected.log(message, &recorded.asked[0], None),
                "event_log" => expected.code = expected.event(message),
                "new_monitor_message" => expected.plain(message, None, None),
                _ => expected.envelope(message, recorded, &mut ended),
            }
            if expected.code.is_some() {
                break;
            }
        }
        expected
    }

    fn push(&mut self, row: Row) {
        self.raw.extend(&row.line);
        self.raw.push(b'\n');
        self.rows.push(row);
    }

    fn plain(&mut self, body: &[u8], component: Option<&str>, container: Option<&str>) {
        for line in lines(body) {
            self.push(Row {
                component: component.map(str::to_owned),
                container: container.map(str::to_owned),
                line: line.to_vec(),
                replay: false,
                frame: None,
            });
        }
    }

    fn log(&mut self, frame: &[u8], id: &str, component: Option<&str>) {
        let stored: Option<Value> = serde_json::from_slice(frame).ok();
        let stored = stored.filter(|value| value["event_id"] == id && value["message"].is_string());
        let text = match &stored {
            Some(value) => word(value, "message").as_bytes().to_vec(),
            None => frame.to_vec(),
        };
        if stored.is_none() {
            self.live.push(text.clone());
        }
        assert_eq!(text[12], b':', "every recorded line has a container");
        let container = String::from_utf8(text[..12].to_vec()).unwrap();
        for line in lines(&text[13..]) {
            self.push(Row {
                component: component.map(str::to_owned),
                container: Some(container.clone()),
                line: line.to_vec(),
                replay: stored.is_some(),
                frame: None,
            });
        }
    }

    /// Gives the exit code if this step is the event's last.
    fn event(&mut self, frame: &[u8]) -> Option<i32> {
        let step: Value = serde_json::from_slice(frame).unwrap();
        let keys: Vec<&str> = step
            .as_object()
            .unwrap()
            .keys()
            .map(String::as_str)
            .collect();
        let replay = keys == ["event_id", "level", "message", "status", "step", "time"];
        let name = word(&step, "step");
        let mut frame_text = Some(String::from_utf8(frame.to_vec()).unwrap());
        self.raw.extend(frame);
        self.raw.push(b'\n');
        for line in lines(word(&step, "message").as_bytes()) {
            self.rows.push(Row {
                component: None,
                container: (!name.is_empty()).then(|| name.to_owned()),
                line: line.to_vec(),
                replay,
                frame: frame_text.take(),
            });
        }
        match (name, word(&step, "status")) {
            ("last" | "callback", "success") => Some(0),
            ("last" | "callback", "failure" | "timeout") | ("callback", _) => Some(1),
            ("last", _) => Some(0),
            _ => None,
        }
    }

    fn envelope(&mut self, message: &[u8], recorded: &Recorded, ended: &mut BTreeMap<String, i32>) {
        let value: Value = serde_json::from_slice(message).unwrap();
        let (data, channel) = (word(&value, "data"), word(&value, "channel"));
        let id = channel.split_once('-').map_or("", |(_, id)| id);
        match word(&value, "event") {
            "service:log" => {
                let component = (recorded.asked.len() > 1).then_some(id);
                self.log(data.as_bytes(), id, component);
                // Its bytes went through JSON: they are no witness of what was logged.
                self.live.clear();
            }
            "monitor" => self.plain(data.as_bytes(), Some(id), Some("monitor")),
            "event:log" => {
                self.event(data.as_bytes());
            }
            "event:success" => {
                self.plain(data.as_bytes(), None, Some("last"));
                ended.insert(id.to_owned(), 0);
            }
            "event:failure" => {
                self.plain(data.as_bytes(), None, Some("callback"));
                ended.insert(id.to_owned(), 1);
            }
            "pusher:close" => {
                let over = |asked: &String| {
                    let (kind, id) = asked.split_once('-').unwrap();
                    (kind == "e").then(|| ended.get(id)).flatten()
                };
                let codes: Option<Vec<i32>> = recorded
                    .asked
                    .iter()
                    .map(|one| over(one).copied())
                    .collect();
                self.code = codes.and_then(|codes| codes.into_iter().max());
            }
            "pusher:succeeded" | "message" | "error" | "cancel:succeeded" => {}
            other => panic!("{other}"),
        }
    }
}

pub(super) fn reassembled(frames: &[Frame]) -> Vec<Vec<u8>> {
    let (mut messages, mut open) = (Vec::new(), Vec::new());
    for frame in frames.iter().filter(|frame| frame.op < CLOSE) {
        open.extend(&frame.payload);
        if frame.fin {
            messages.push(std::mem::take(&mut open));
        }
    }
    messages
}

pub(super) fn lines(body: &[u8]) -> Vec<&[u8]> {
    let body = body.strip_suffix(b"\n").unwrap_or(body);
    body.split(|byte| *byte == b'\n').collect()
}
