//! ZeroMQ frame layouts, forced or detected (protocols.md 5.2, 5.3).

use std::borrow::Cow;

use serde::Deserialize;

use crate::model::Micros;

use super::{docker_log, stamp};

/// How the parts of a message are to be read.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum Layout {
    /// Told apart message by message.
    Auto,
    /// Z1: tenant id, service id, `cid: line`.
    Docker3,
    /// Z2: service id, `cid: line`.
    Docker2,
    /// Z3: one JSON object.
    DockerJson,
    /// Z5: `labor.TOPIC`, level name, text line.
    Labor3,
    /// Z6: `ceptop`, `DATE TIME TAG NAME JSONARRAY`.
    Ceptop2,
    /// Z7: mode word, payload.
    Cluster2,
    /// No meaning: the parts as they are.
    Raw,
}

/// All layouts with their names, for the command line and its messages.
pub const LAYOUTS: [(&str, Layout); 8] = [
    ("auto", Layout::Auto),
    ("docker3", Layout::Docker3),
    ("docker2", Layout::Docker2),
    ("dockerjson", Layout::DockerJson),
    ("labor3", Layout::Labor3),
    ("ceptop2", Layout::Ceptop2),
    ("cluster2", Layout::Cluster2),
    ("raw", Layout::Raw),
];

/// One message as the platform means it.
#[derive(Debug, PartialEq, Eq, Default)]
pub struct ZmqLine<'a> {
    /// The component, where the layout names it.
    pub component: Option<Cow<'a, [u8]>>,
    /// Container id, topic, mode word or table name.
    pub source: Option<Cow<'a, [u8]>>,
    /// The text; may hold several lines or end in a newline.
    pub body: Cow<'a, [u8]>,
    /// The message's own time.
    pub stamp: Option<Micros>,
    /// The parts had not the layout that was asked for, and are shown as they are.
    pub misfit: bool,
}

/// Z3's object.
#[derive(Deserialize)]
struct DockerJson<'a> {
    #[serde(borrow)]
    container_id: Cow<'a, str>,
    #[serde(borrow)]
    msg: Cow<'a, str>,
    #[serde(borrow, default)]
    time: Cow<'a, str>,
    #[serde(borrow, default)]
    service_id: Cow<'a, str>,
}

/// The mode words of the cluster layout.
const MODES: [&[u8]; 4] = [
    b"event_log",
    b"monitor_message",
    b"new_monitor_message",
    b"monitor",
];

/// The layout that the parts show (protocols.md 5.3); [`Layout::Raw`] for any other.
pub fn detect(parts: &[&[u8]]) -> Layout {
    match parts {
        [topic, _, _] if topic.starts_with(b"labor.") => Layout::Labor3,
        [_, _, _] => Layout::Docker3,
        [b"ceptop", _] => Layout::Ceptop2,
        [mode, _] if MODES.contains(mode) => Layout::Cluster2,
        [_, line] if container_prefix(line).is_some() => Layout::Docker2,
        [object] if object.first() == Some(&b'{') && docker_json(object).is_some() => {
            Layout::DockerJson
        }
        _ => Layout::Raw,
    }
}

/// Reads one message. Parts that do not fit the layout are joined and marked as misfit.
pub fn decode<'a>(parts: &[&'a [u8]], layout: Layout) -> ZmqLine<'a> {
    let layout = if layout == Layout::Auto {
        detect(parts)
    } else {
        layout
    };
    let line = match (layout, parts) {
        (Layout::Docker3, [_, service, line]) | (Layout::Docker2, [service, line]) => {
            Some(docker(service, line))
        }
        (Layout::DockerJson, [object]) => docker_json(object),
        (Layout::Labor3, [topic, _level, line]) => Some(ZmqLine {
            source: Some(Cow::Borrowed(
                topic.strip_prefix(b"labor.").unwrap_or(topic),
            )),
            body: Cow::Borrowed(line),
            ..ZmqLine::default()
        }),
        (Layout::Ceptop2, [_, record]) => Some(ceptop(record)),
        (Layout::Cluster2, [mode, payload]) => Some(ZmqLine {
            source: Some(Cow::Borrowed(mode)),
            body: Cow::Borrowed(payload),
            ..ZmqLine::default()
        }),
        (Layout::Raw, _) => Some(ZmqLine {
            body: joined(parts),
            ..ZmqLine::default()
        }),
        (
            Layout::Auto
            | Layout::Docker3
            | Layout::Docker2
            | Layout::DockerJson
            | Layout::Labor3
            | Layout::Ceptop2
            | Layout::Cluster2,
            _,
        ) => None,
    };
    line.unwrap_or_else(|| ZmqLine {
        body: joined(parts),
        misfit: true,
        ..ZmqLine::default()
    })
}

fn docker<'a>(service: &'a [u8], line: &'a [u8]) -> ZmqLine<'a> {
    let (source, body) = match container_prefix(line) {
        Some((id, body)) => (Some(Cow::Borrowed(id)), body),
        None => (None, line),
    };
    ZmqLine {
        component: Some(Cow::Borrowed(service)),
        source,
        body: Cow::Borrowed(body),
        ..ZmqLine::default()
    }
}

/// `<cid12>: <line>`; the space belongs to the separator.
fn container_prefix(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let (id, rest) = line.split_at_checked(12)?;
    let rest = rest.strip_prefix(b":")?;
    let hex = id.iter().all(u8::is_ascii_hexdigit);
    hex.then(|| (id, rest.strip_prefix(b" ").unwrap_or(rest)))
}

fn docker_json(object: &[u8]) -> Option<ZmqLine<'_>> {
    // serde would take an array's elements for the members in their order.
    if object.trim_ascii_start().first() != Some(&b'{') {
        return None;
    }
    let DockerJson {
        container_id,
        msg,
        time,
        service_id,
    } = serde_json::from_slice(object).ok()?;
    Some(ZmqLine {
        component: (!service_id.is_empty()).then(|| bytes(service_id)),
        source: Some(bytes(container_id)),
        body: bytes(msg),
        stamp: stamp::of_wire(&time),
        misfit: false,
    })
}

fn bytes(text: Cow<'_, str>) -> Cow<'_, [u8]> {
    match text {
        Cow::Borrowed(text) => Cow::Borrowed(text.as_bytes()),
        Cow::Owned(text) => Cow::Owned(text.into_bytes()),
    }
}

/// The record is shown whole, trimmed; its table's name is the source.
fn ceptop(record: &[u8]) -> ZmqLine<'_> {
    let record = record.trim_ascii();
    let mut words = record.splitn(5, |byte| *byte == b' ');
    let date = words.next().unwrap_or(&[]);
    let time = words.next().unwrap_or(&[]);
    let stamp = std::str::from_utf8(date)
        .ok()
        .zip(std::str::from_utf8(time).ok());
    let stamp = stamp.and_then(|(date, time)| stamp::of_wire(&format!("{date} {time}")));
    let name = words.nth(1).filter(|name| !name.is_empty());
    ZmqLine {
        source: name.map(Cow::Borrowed),
        body: Cow::Borrowed(record),
        stamp,
        ..ZmqLine::default()
    }
}

fn joined<'a>(parts: &[&'a [u8]]) -> Cow<'a, [u8]> {
    match parts {
        [one] => Cow::Borrowed(one),
        many => Cow::Owned(many.join(&b" | "[..])),
    }
}

/// Whether a message's first part belongs to a subscription; SUB filters by prefix, but our
/// own check costs nothing.
pub fn subscribed(parts: &[&[u8]], prefixes: &[String]) -> bool {
    let topic = parts.first().copied().unwrap_or(&[]);
    prefixes.is_empty()
        || prefixes
            .iter()
            .any(|prefix| topic.starts_with(prefix.as_bytes()))
}

/// The lines of a message's body.
pub fn lines<'b>(line: &'b ZmqLine<'_>) -> impl Iterator<Item = &'b [u8]> {
    docker_log::lines(&line.body)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TENANT: &[u8] = b"0123456789abcdef0123456789abcdef";
    const SERVICE: &[u8] = b"fedcba9876543210fedcba9876543210";

    /// Parts, the layout they have, and component, source and body of the line.
    type Case<'a> = (Vec<&'a [u8]>, Layout, &'a str, &'a str, &'a str);

    #[test]
    #[expect(clippy::too_many_lines, reason = "a table")]
    fn each_layout_is_detected_and_read() {
        let json = br#"{"container_id":"abcdef012345","msg":"a\u003cb","time":"2026-11-24T10:00:00Z","service_id":"s"}"#;
        let cases: Vec<Case<'_>> = vec![
            (
                vec![TENANT, SERVICE, b"abcdef012345: hello"],
                Layout::Docker3,
                "fedcba9876543210fedcba9876543210",
                "abcdef012345",
                "hello",
            ),
            (
                vec![SERVICE, b"abcdef012345: hello"],
                Layout::Docker2,
                "fedcba9876543210fedcba9876543210",
                "abcdef012345",
                "hello",
            ),
            (vec![json], Layout::DockerJson, "s", "abcdef012345", "a<b"),
            (
                vec![b"labor.build", b"INFO", b"2026-11-24 10:00:00 [INFO] x"],
                Layout::Labor3,
                "",
                "build",
                "2026-11-24 10:00:00 [INFO] x",
            ),
            (
                vec![
                    b"ceptop",
                    b"\n2017-05-19 11:33:34 APPS SumTimeByUrl [{\"a\":\"b c\"}]\n",
                ],
                Layout::Ceptop2,
                "",
                "SumTimeByUrl",
                "2017-05-19 11:33:34 APPS SumTimeByUrl [{\"a\":\"b c\"}]",
            ),
            (
                vec![b"event_log", b"{}"],
                Layout::Cluster2,
                "",
                "event_log",
                "{}",
            ),
            (
                vec![b"monitor", b"i,1,2"],
                Layout::Cluster2,
                "",
                "monitor",
                "i,1,2",
            ),
            (
                vec![b"topic", b"anything"],
                Layout::Raw,
                "",
                "",
                "topic | anything",
            ),
            (vec![b"alone"], Layout::Raw, "", "", "alone"),
            (vec![b"{not json"], Layout::Raw, "", "", "{not json"),
            (vec![], Layout::Raw, "", "", ""),
            (
                vec![b"a", b"b", b"c", b"d"],
                Layout::Raw,
                "",
                "",
                "a | b | c | d",
            ),
        ];
        for (parts, layout, component, source, body) in cases {
            assert_eq!(detect(&parts), layout, "{parts:?}");
            let line = decode(&parts, Layout::Auto);
            let text = |name: &Option<Cow<'_, [u8]>>| {
                name.as_ref()
                    .map_or(String::new(), |n| String::from_utf8_lossy(n).into_owned())
            };
            assert_eq!(
                (text(&line.component).as_str(), text(&line.source).as_str()),
                (component, source),
                "{parts:?}"
            );
            assert_eq!(String::from_utf8_lossy(&line.body), body);
            assert!(!line.misfit);
            assert_eq!(decode(&parts, layout), line, "forced equals detected");
        }
    }

    #[test]
    fn a_forced_layout_that_does_not_fit_loses_nothing() {
        let parts: [&[u8]; 2] = [b"a", b"b"];
        for (name, layout) in LAYOUTS {
            let line = decode(&parts, layout);
            let fits = matches!(
                layout,
                Layout::Auto | Layout::Docker2 | Layout::Ceptop2 | Layout::Cluster2 | Layout::Raw
            );
            assert_eq!(line.misfit, !fits, "{name}");
            assert!(line.body.ends_with(b"b"), "{name}");
        }
    }
}
