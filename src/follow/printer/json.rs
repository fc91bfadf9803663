//! `-o json`: one object a line. Nothing is lost: where `msg` is not byte for byte the line,
//! `raw_b64` is.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::codec::stamp::timestamp;
use crate::codec::target::Target;
use crate::model::context::Place;
use crate::model::words;
use crate::model::{Certainty, EndReason, Mark, Micros, RowFlags, SourceName};

use super::text::Times;
use super::{Alarm, Record};

pub(super) fn line(record: &Record<'_>, times: &mut Times, out: &mut Vec<u8>) {
    out.extend_from_slice(br#"{"type":"line","recv":""#);
    out.extend_from_slice(times.text(record.row.recv, rfc3339).as_bytes());
    out.extend_from_slice(br#"","ts":"#);
    match record.row.stamp {
        Some(at) => quote(&rfc3339(at), out),
        None => out.extend_from_slice(b"null"),
    }
    member("target", record.target, out);
    whence(record.place, record.source, out);
    if record.row.flags.has(RowFlags::REPLAY) {
        out.extend_from_slice(br#","replay":true"#);
    }
    if record.row.flags.has(RowFlags::CONTINUES) {
        out.extend_from_slice(br#","continues":true"#);
    }
    let text = String::from_utf8_lossy(record.line);
    member("msg", &text, out);
    if text.as_bytes() != record.line {
        member("raw_b64", &STANDARD.encode(record.line), out);
    }
    match record
        .frame
        .map(|frame| (std::str::from_utf8(frame), frame))
    {
        Some((Ok(text), _)) => member("frame", text, out),
        // The line was read in another encoding: these are its bytes.
        Some((Err(_), frame)) => member("raw_b64", &STANDARD.encode(frame), out),
        None => {}
    }
    out.extend_from_slice(b"}\n");
}

/// Where a line or a source is from: with a platform, from the context down to the container.
fn whence(place: Option<&Place>, source: Option<&SourceName>, out: &mut Vec<u8>) {
    let Some(place) = place else {
        if let Some(source) = source {
            if let Some(component) = source.component() {
                member("component", component.as_str(), out);
            }
            member("container", source.as_str(), out);
        }
        return;
    };
    member("context", &place.context.name, out);
    member("team", &place.team, out);
    member("region", &place.region, out);
    member("app", &place.app, out);
    member("component", &place.component.name, out);
    // A pod's lines are of a source that belongs to a component; an event's kind does not.
    let Some(source) = source else { return };
    if source.component().is_none() {
        return member("container", source.as_str(), out);
    }
    let (pod, container) = source.as_str().split_once('/').map_or(
        (source.as_str(), place.container.as_deref()),
        |(pod, rest)| (pod, Some(rest)),
    );
    member("pod", pod, out);
    if let Some(container) = container {
        member("container", container, out);
    }
}

pub(super) fn mark(target: &Target, mark: &Mark, now: Micros, out: &mut Vec<u8>) {
    let kind = match mark {
        Mark::Reconnected { .. } => "reconnect",
        Mark::Gap { .. } => "gap",
        Mark::Dropped { .. } => "drop",
        Mark::Join(_) => "join",
        Mark::Leave(_) => "leave",
        Mark::Notice(_) => "notice",
    };
    head(kind, &target.text, now, out);
    match mark {
        Mark::Reconnected {
            away,
            why,
            certainty,
            hidden,
        } => {
            number(
                "away_ms",
                u64::try_from(away.as_millis()).unwrap_or(u64::MAX),
                out,
            );
            grade(*certainty, *hidden, out);
            member("reason", why.as_str(), out);
        }
        Mark::Gap {
            why,
            certainty,
            hidden,
            missing,
        } => {
            grade(*certainty, *hidden, out);
            if let Some(missing) = missing {
                number("missing", *missing, out);
            }
            member("reason", why.as_str(), out);
        }
        Mark::Dropped { lines } => number("lines", *lines, out),
        Mark::Join(name) | Mark::Leave(name) => whence(target.place(), Some(name), out),
        Mark::Notice(text) => member("text", text.as_str(), out),
    }
    out.extend_from_slice(b"}\n");
}

/// Whether lines are missing, and how many identical ones may have been left out.
fn grade(certainty: Certainty, hidden: u64, out: &mut Vec<u8>) {
    let word = match certainty {
        Certainty::None => "none",
        Certainty::Possible => "possible",
        Certainty::Certain => "certain",
    };
    member("certainty", word, out);
    number("hidden", hidden, out);
}

fn number(name: &str, value: u64, out: &mut Vec<u8>) {
    out.push(b',');
    quote(name, out);
    out.extend_from_slice(format!(":{value}").as_bytes());
}

pub(super) fn end(target: &str, reason: &EndReason, now: Micros, out: &mut Vec<u8>) {
    head("end", target, now, out);
    let result = match reason {
        EndReason::Finished => "finished",
        EndReason::Success(_) => "success",
        EndReason::Failure(_) => "failure",
        EndReason::Fault(_) => "fault",
    };
    member("result", result, out);
    member("reason", &words::end(reason), out);
    out.extend_from_slice(b"}\n");
}

/// The whole target has left for now; `reconnect` tells when it is back.
pub(super) fn lost(target: &str, why: &str, now: Micros, out: &mut Vec<u8>) {
    head("leave", target, now, out);
    member("reason", why, out);
    out.extend_from_slice(b"}\n");
}

/// An alert begins or ends.
pub(super) fn alarm(alarm: &Alarm, now: Micros, out: &mut Vec<u8>) {
    head("alert", &alarm.target, now, out);
    member("name", &alarm.name, out);
    member("state", if alarm.on { "on" } else { "off" }, out);
    member("value", &alarm.shown, out);
    out.extend_from_slice(b"}\n");
}

fn head(kind: &str, target: &str, now: Micros, out: &mut Vec<u8>) {
    out.extend_from_slice(br#"{"type":"#);
    quote(kind, out);
    member("recv", &rfc3339(now), out);
    member("target", target, out);
}

fn member(name: &str, value: &str, out: &mut Vec<u8>) {
    out.push(b',');
    quote(name, out);
    out.push(b':');
    quote(value, out);
}

fn rfc3339(at: Micros) -> String {
    timestamp(at).map_or_else(String::new, |at| format!("{at:.6}"))
}

/// A JSON string; besides what JSON asks for, DEL and the C1 controls are escaped, so that the
/// output is safe on any terminal.
pub fn quote(text: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    let mut plain = 0;
    for (at, c) in text.char_indices() {
        let escape: &[u8] = match c {
            '"' => b"\\\"",
            '\\' => b"\\\\",
            '\n' => b"\\n",
            '\r' => b"\\r",
            '\t' => b"\\t",
            '\0'..='\x1f' | '\x7f'..='\u{9f}' | '\u{2028}' | '\u{2029}' => b"",
            _ => continue,
        };
        out.extend_from_slice(text.get(plain..at).unwrap_or("").as_bytes());
        if escape.is_empty() {
            out.extend_from_slice(format!("\\u{:04x}", u32::from(c)).as_bytes());
        } else {
            out.extend_from_slice(escape);
        }
        plain = at + c.len_utf8();
    }
    out.extend_from_slice(text.get(plain..).unwrap_or("").as_bytes());
    out.push(b'"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quoted_text_reads_back_and_holds_no_control() {
        let all: String = (0..0x2100).filter_map(char::from_u32).collect();
        let mut out = Vec::new();
        quote(&all, &mut out);
        let quoted = String::from_utf8(out).unwrap();
        assert!(!quoted.chars().any(char::is_control));
        assert_eq!(serde_json::from_str::<String>(&quoted).unwrap(), all);
    }
}
