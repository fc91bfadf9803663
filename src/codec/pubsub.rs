//! The pub/sub socket's envelopes: `{"event", "data", "channel"}` both ways (protocols.md 2,
//! 9.2 no. 1 and 2).

use std::borrow::Cow;

use serde::Deserialize;

/// What a channel carries, by the prefix it is subscribed with.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum ChannelKind {
    /// `s-`: container log and monitor frames of a component.
    Service,
    /// `l-`: container log.
    Log,
    /// `m-`: monitor frames.
    Monitor,
    /// `e-`: an event.
    Event,
}

/// A channel as it is asked for. The server answers under other names.
#[derive(Clone, PartialEq, Eq, Debug, Hash)]
pub struct Channel {
    /// Its prefix.
    pub kind: ChannelKind,
    /// Component id, or event id.
    pub id: String,
}

/// A channel as the server names it: `docker-ID`, `newmonitor-ID`, `event-ID`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum Inner {
    /// `docker-`.
    Docker,
    /// `newmonitor-`.
    Monitor,
    /// `event-`.
    Event,
}

impl Channel {
    /// Reads `l-ID` and its like.
    pub fn parse(text: &str) -> Option<Self> {
        let (prefix, id) = text.split_once('-')?;
        let kind = match prefix {
            "s" => ChannelKind::Service,
            "l" => ChannelKind::Log,
            "m" => ChannelKind::Monitor,
            "e" => ChannelKind::Event,
            _ => return None,
        };
        (!id.is_empty()).then(|| Self {
            kind,
            id: id.to_owned(),
        })
    }

    /// The name to subscribe with.
    pub fn name(&self) -> String {
        let prefix = match self.kind {
            ChannelKind::Service => 's',
            ChannelKind::Log => 'l',
            ChannelKind::Monitor => 'm',
            ChannelKind::Event => 'e',
        };
        format!("{prefix}-{}", self.id)
    }

    /// What the server makes of it: `s-` yields two.
    pub fn inner(&self) -> &'static [Inner] {
        match self.kind {
            ChannelKind::Service => &[Inner::Docker, Inner::Monitor],
            ChannelKind::Log => &[Inner::Docker],
            ChannelKind::Monitor => &[Inner::Monitor],
            ChannelKind::Event => &[Inner::Event],
        }
    }
}

/// Splits the server's channel name into kind and id.
pub fn inner_name(channel: &str) -> Option<(Inner, &str)> {
    let (kind, id) = channel.split_once('-')?;
    let kind = match kind {
        "docker" => Inner::Docker,
        "newmonitor" => Inner::Monitor,
        "event" => Inner::Event,
        _ => return None,
    };
    Some((kind, id))
}

/// The message that subscribes a channel. `data` is always an object: anything else crashes
/// the server (protocols.md 9.2 no. 1).
pub fn subscribe(channel: &Channel) -> String {
    let data = serde_json::json!({ "channel": channel.name() });
    serde_json::json!({ "event": "pusher:subscribe", "data": data }).to_string()
}

/// A message from the server.
#[derive(Debug, PartialEq, Eq)]
pub enum Notice<'a> {
    /// A channel is there.
    Subscribed(Cow<'a, str>),
    /// A line of a container log, live or wrapped in history JSON.
    Log(Cow<'a, str>, Cow<'a, str>),
    /// A monitor snapshot: the text of a JSON array.
    Monitor(Cow<'a, str>, Cow<'a, str>),
    /// A step of an event: the text of a JSON object.
    Event(Cow<'a, str>, Cow<'a, str>),
    /// The event's last words, and whether it worked.
    EventEnd(Cow<'a, str>, Cow<'a, str>, bool),
    /// The channel is finished; the socket is not.
    Closed(Cow<'a, str>),
    /// The channel was subscribed already.
    Exists(Cow<'a, str>),
    /// The server did not understand us.
    Refused(Cow<'a, str>),
    /// A notice that we don't know: its event and its data.
    Other(Cow<'a, str>, Cow<'a, str>),
}

#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(borrow)]
    event: Cow<'a, str>,
    #[serde(default)]
    data: serde_json::Value,
    #[serde(default, borrow)]
    channel: Cow<'a, str>,
}

/// Reads a message; nothing if it is no envelope.
pub fn decode(message: &[u8]) -> Option<Notice<'_>> {
    // serde would take an array's elements for the members in their order.
    if message.trim_ascii_start().first() != Some(&b'{') {
        return None;
    }
    let Envelope {
        event,
        data,
        channel,
    } = serde_json::from_slice(message).ok()?;
    let data = match data {
        serde_json::Value::String(text) => Cow::Owned(text),
        serde_json::Value::Null => Cow::Borrowed(""),
        other => Cow::Owned(other.to_string()),
    };
    Some(match &*event {
        "pusher:succeeded" => Notice::Subscribed(channel),
        "service:log" => Notice::Log(channel, data),
        "monitor" => Notice::Monitor(channel, data),
        "event:log" => Notice::Event(channel, data),
        "event:success" => Notice::EventEnd(channel, data, true),
        "event:failure" => Notice::EventEnd(channel, data, false),
        "pusher:close" => Notice::Closed(channel),
        "message" if data == "channel is exist" => Notice::Exists(channel),
        "error" => Notice::Refused(data),
        _ => Notice::Other(event, data),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn channels_are_asked_for_by_one_name_and_answered_under_another() {
        let cases: [(&str, &[Inner]); 4] = [
            ("s-a1", &[Inner::Docker, Inner::Monitor]),
            ("l-a1", &[Inner::Docker]),
            ("m-a1", &[Inner::Monitor]),
            ("e-a1", &[Inner::Event]),
        ];
        for (name, inner) in cases {
            let channel = Channel::parse(name).unwrap();
            assert_eq!((channel.name().as_str(), channel.inner()), (name, inner));
        }
        for name in ["", "l", "l-", "x-a", "docker-a", "-a"] {
            assert_eq!(Channel::parse(name), None, "{name}");
        }
        assert_eq!(inner_name("docker-a-b"), Some((Inner::Docker, "a-b")));
        assert_eq!(inner_name("l-a"), None);
    }

    #[test]
    fn a_subscription_always_carries_an_object() {
        let channel = Channel {
            kind: ChannelKind::Log,
            id: "a\"b".into(),
        };
        assert_eq!(
            subscribe(&channel),
            r#"{"event":"pusher:subscribe","data":{"channel":"l-a\"b"}}"#
        );
    }

    #[test]
    fn every_notice_of_the_document_is_read() {
        let cases = [
            (
                r#"{"event":"pusher:succeeded","data":null,"channel":"docker-a"}"#,
                Notice::Subscribed("docker-a".into()),
            ),
            (
                r#"{"event":"service:log","data":"c:\u003cx","channel":"docker-a"}"#,
                Notice::Log("docker-a".into(), "c:<x".into()),
            ),
            (
                r#"{"event":"monitor","data":"[]","channel":"newmonitor-a"}"#,
                Notice::Monitor("newmonitor-a".into(), "[]".into()),
            ),
            (
                r#"{"event":"event:log","data":"{}","channel":"event-a"}"#,
                Notice::Event("event-a".into(), "{}".into()),
            ),
            (
                r#"{"event":"event:success","data":"done","channel":"event-a"}"#,
                Notice::EventEnd("event-a".into(), "done".into(), true),
            ),
            (
                r#"{"event":"event:failure","data":"bad","channel":"event-a"}"#,
                Notice::EventEnd("event-a".into(), "bad".into(), false),
            ),
            (
                r#"{"event":"pusher:close","data":"{}","channel":"docker-a"}"#,
                Notice::Closed("docker-a".into()),
            ),
            (
                r#"{"event":"message","data":"channel is exist","channel":"docker-a"}"#,
                Notice::Exists("docker-a".into()),
            ),
            (
                r#"{"event":"error","data":"Invalid message"}"#,
                Notice::Refused("Invalid message".into()),
            ),
            (
                r#"{"event":"cancel:succeeded","data":null,"channel":"docker-a"}"#,
                Notice::Other("cancel:succeeded".into(), "".into()),
            ),
            (
                r#"{"event":"message","data":{"a":1}}"#,
                Notice::Other("message".into(), r#"{"a":1}"#.into()),
            ),
        ];
        for (message, want) in cases {
            assert_eq!(decode(message.as_bytes()), Some(want), "{message}");
        }
        for message in [
            "",
            "ok",
            "[]",
            "null",
            r#"["error","x"]"#,
            r#"{"data":1}"#,
            r#"{"event":1}"#,
        ] {
            assert_eq!(decode(message.as_bytes()), None, "{message}");
        }
    }
}
