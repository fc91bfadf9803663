//! Event frames: one JSON object each, the sender's own live and a rebuilt one replayed
//! (protocols.md 1.4, 9.2 no. 3 and 10).

use std::borrow::Cow;

use serde::Deserialize;

use crate::model::Level;

/// One step of an event. Missing members are empty.
#[derive(Debug, PartialEq, Eq, Default, Deserialize)]
#[serde(default)]
pub struct EventStep<'a> {
    /// The event.
    #[serde(borrow, deserialize_with = "word")]
    pub event_id: Cow<'a, str>,
    /// What was done: `build-exector`, `progress`, `last`, `callback`…
    #[serde(borrow, deserialize_with = "word")]
    pub step: Cow<'a, str>,
    /// `success`, `failure`, `timeout` or empty.
    #[serde(borrow, deserialize_with = "word")]
    pub status: Cow<'a, str>,
    /// What is to be shown; may itself be docker's JSON.
    #[serde(borrow, deserialize_with = "word")]
    pub message: Cow<'a, str>,
    /// `info`, `error`, `debug`, `warning`, `warn`…
    #[serde(borrow, deserialize_with = "word")]
    pub level: Cow<'a, str>,
    /// RFC 3339, or local time without a zone.
    #[serde(borrow, deserialize_with = "word")]
    pub time: Cow<'a, str>,
}

/// How an event ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// It worked.
    Success,
    /// It failed, or ran out of time.
    Failure,
}

impl EventStep<'_> {
    /// How the event ended, if this step is its last: `status` decides where it is known, else
    /// the step (decision 6).
    pub fn outcome(&self) -> Option<Outcome> {
        let by_step = match &*self.step {
            "last" => Outcome::Success,
            "callback" => Outcome::Failure,
            _ => return None,
        };
        Some(match &*self.status {
            "success" => Outcome::Success,
            "failure" | "timeout" => Outcome::Failure,
            _ => by_step,
        })
    }

    /// Its severity.
    pub fn severity(&self) -> Level {
        super::level::from_word(self.level.as_bytes())
    }
}

/// Reads one frame; nothing if it is no JSON object.
pub fn decode(frame: &[u8]) -> Option<EventStep<'_>> {
    let object = frame.trim_ascii_start().first() == Some(&b'{');
    object.then(|| serde_json::from_slice(frame).ok()).flatten()
}

/// Whether a frame has the shape that the server gives to replayed steps: exactly the six keys
/// in alphabetical order.
pub fn is_rebuilt(frame: &[u8]) -> bool {
    const KEYS: [&str; 6] = ["event_id", "level", "message", "status", "step", "time"];
    serde_json::from_slice::<serde_json::Map<String, serde_json::Value>>(frame)
        .is_ok_and(|object| object.keys().map(String::as_str).eq(KEYS))
}

/// A string, or any other JSON value as its text: a member of the wrong type loses no event.
fn word<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Cow<'de, str>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Any<'a> {
        Text(#[serde(borrow)] Cow<'a, str>),
        Other(serde_json::Value),
    }
    Ok(match Any::deserialize(from)? {
        Any::Text(text) => text,
        Any::Other(serde_json::Value::Null) => Cow::Borrowed(""),
        Any::Other(value) => Cow::Owned(value.to_string()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_outcome_is_the_status_where_known_else_the_step() {
        let cases = [
            (
                r#"{"step":"last","status":"success"}"#,
                Some(Outcome::Success),
            ),
            (
                r#"{"step":"last","status":"failure"}"#,
                Some(Outcome::Failure),
            ),
            (r#"{"step":"last","status":""}"#, Some(Outcome::Success)),
            (r#"{"step":"last"}"#, Some(Outcome::Success)),
            (
                r#"{"step":"callback","status":"success"}"#,
                Some(Outcome::Success),
            ),
            (
                r#"{"step":"callback","status":"timeout"}"#,
                Some(Outcome::Failure),
            ),
            (r#"{"step":"callback"}"#, Some(Outcome::Failure)),
            (r#"{"step":"build-exector","status":"failure"}"#, None),
            (r"{}", None),
        ];
        for (frame, want) in cases {
            assert_eq!(decode(frame.as_bytes()).unwrap().outcome(), want, "{frame}");
        }
    }

    #[test]
    fn odd_members_do_not_lose_an_event() {
        let step = decode(br#"{"message":{"id":"a"},"level":null,"step":7,"extra":[1]}"#).unwrap();
        assert_eq!(
            (&*step.message, &*step.level, &*step.step),
            (r#"{"id":"a"}"#, "", "7")
        );
        assert_eq!(decode(b"ok"), None);
        assert_eq!(decode(b"[1]").map(|step| step.message.into_owned()), None);
    }

    #[test]
    fn a_rebuilt_step_is_told_by_its_six_sorted_keys() {
        let rebuilt =
            br#"{"event_id":"e","level":"","message":"m","status":"","step":"","time":""}"#;
        assert!(is_rebuilt(rebuilt));
        assert!(!is_rebuilt(
            br#"{"event_id":"e","message":"m","level":"","status":"","step":"","time":""}"#
        ));
        assert!(!is_rebuilt(br#"{"event_id":"e","level":"","message":"m"}"#));
    }
}
