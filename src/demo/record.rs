//! What the platform keeps and sends of a log line and of an event, before any socket.

use bytes::Bytes;

use super::gojson;

/// Container id, separator and component id stand before the line in the collector's record, and
/// a shorter record is dropped (protocols.md 1.4, "the 47-byte rule").
const RECORD_HEAD: usize = 12 + 1 + 32;
const RECORD_LEAST: usize = 47;

/// `cid:line`, the text of a live line; `None` for a line too short to be taken.
pub(super) fn docker_line(container_id: &str, line: &[u8]) -> Option<Bytes> {
    if RECORD_HEAD + line.len() < RECORD_LEAST {
        return None;
    }
    // The id is twelve bytes of the record, whatever was meant.
    let mut text: Vec<u8> = container_id
        .bytes()
        .chain(std::iter::repeat(b' '))
        .take(12)
        .collect();
    text.push(b':');
    text.extend_from_slice(line);
    Some(text.into())
}

/// A stored line as the history sends it: the six members in their order (protocols.md 1.4).
pub(super) fn docker_history(service_id: &str, text: &[u8]) -> Bytes {
    let stored = gojson::lossy(text);
    let mut out = String::with_capacity(stored.len() + 110);
    gojson::object(
        &mut out,
        &[
            ("event_id", service_id.as_bytes()),
            ("level", b""),
            ("message", stored.as_bytes()),
            ("status", b""),
            ("step", b""),
            ("time", b""),
        ],
    );
    out.into()
}

/// How an entry changes what the pubsub socket says (protocols.md 2; 9.2.10: `status` is not
/// looked at).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Stage {
    /// The event goes on.
    Running,
    /// Step `last`.
    Success,
    /// Step `callback`.
    Failure,
}

/// One entry of an event.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    /// As its producer sent it.
    pub live: Bytes,
    /// As the history sends it.
    pub stored: Bytes,
    /// Whether it ends the event.
    pub stage: Stage,
    /// Its message.
    pub message: String,
}

/// Reads an entry and its event id; `None` for what the platform ignores: no JSON object, or no
/// event id (recording `eventlog-events`).
pub(super) fn event(json: &[u8]) -> Option<(String, Entry)> {
    let entry: serde_json::Map<String, serde_json::Value> = serde_json::from_slice(json).ok()?;
    let text = |name: &str| {
        entry
            .get(name)
            .and_then(|value| value.as_str())
            .unwrap_or("")
    };
    let id = text("event_id");
    if id.is_empty() {
        return None;
    }
    let members = ["event_id", "level", "message", "status", "step", "time"]
        .map(|name| (name, text(name).as_bytes()));
    let mut stored = String::new();
    gojson::object(&mut stored, &members);
    let stage = match text("step") {
        "last" => Stage::Success,
        "callback" => Stage::Failure,
        _ => Stage::Running,
    };
    let entry = Entry {
        live: Bytes::copy_from_slice(json),
        stored: stored.into(),
        stage,
        message: text("message").to_owned(),
    };
    Some((id.to_owned(), entry))
}

#[cfg(test)]
mod tests {
    use super::{Stage, docker_history, docker_line, event};

    #[test]
    fn records_under_47_bytes_vanish() {
        for (line, want) in [
            (&b""[..], None),
            (b"a", None),
            (b" ", None),
            (b"ab", Some(&b"0123456789ab:ab"[..])),
            (b"\xff\n", Some(b"0123456789ab:\xff\n")),
        ] {
            assert_eq!(
                docker_line("0123456789ab", line).as_deref(),
                want,
                "{line:?}"
            );
        }
    }

    #[test]
    fn the_container_id_has_twelve_bytes() {
        assert_eq!(docker_line("short", b"ab").unwrap(), "short       :ab");
        assert_eq!(
            docker_line("0123456789abcdef", b"ab").unwrap(),
            "0123456789ab:ab"
        );
    }

    #[test]
    fn history_is_an_object_of_six() {
        assert_eq!(
            docker_history("s", b"c:<\xff\xfe"),
            "{\"event_id\":\"s\",\"level\":\"\",\"message\":\"c:\\u003c\u{fffd}\u{fffd}\",\
             \"status\":\"\",\"step\":\"\",\"time\":\"\"}"
        );
    }

    #[test]
    fn events_are_rebuilt_with_six_members() {
        let json = br#"{"event_id": "e", "message": "m", "step": "callback", "foo": 1}"#;
        let (id, entry) = event(json).unwrap();
        assert_eq!(id, "e");
        assert_eq!(entry.live, &json[..]);
        assert_eq!(
            entry.stored,
            r#"{"event_id":"e","level":"","message":"m","status":"","step":"callback","time":""}"#
        );
        assert_eq!((entry.stage, entry.message.as_str()), (Stage::Failure, "m"));
    }

    #[test]
    fn entries_without_id_are_ignored() {
        for json in [
            &b"not json"[..],
            br#"{"message":"x"}"#,
            b"[]",
            br#"{"event_id":""}"#,
        ] {
            assert!(event(json).is_none());
        }
    }
}
