//! Container log frames: live `cid:line`, and the same replayed inside JSON (protocols.md 1.4,
//! 9.2 no. 3).

use std::borrow::Cow;

use serde::Deserialize;

/// One frame of a log stream.
#[derive(Debug, PartialEq, Eq)]
pub enum LogFrame<'a> {
    /// A line as it was written.
    Live(Line<'a>),
    /// A line from the server's history.
    Replay(Line<'a>),
}

/// The text of a frame, with its container id where it has one. The body may hold several
/// lines or end in a newline.
#[derive(Debug, PartialEq, Eq)]
pub struct Line<'a> {
    /// The 12 characters before the first colon.
    pub container: Option<Cow<'a, [u8]>>,
    /// What follows.
    pub body: Cow<'a, [u8]>,
}

/// The history wrapper; the members that are always empty strings are left out.
#[derive(Deserialize)]
struct Wrapper<'a> {
    #[serde(borrow)]
    event_id: Cow<'a, str>,
    #[serde(borrow)]
    message: Cow<'a, str>,
}

/// Reads one frame of the component `service_id`. Only an object whose `event_id` is that
/// component's is a replay: a container may itself log JSON.
pub fn decode<'a>(frame: &'a [u8], service_id: &str) -> LogFrame<'a> {
    match unwrap_replay(frame, service_id) {
        Some(Cow::Borrowed(message)) => LogFrame::Replay(split(message.as_bytes())),
        Some(Cow::Owned(message)) => {
            let line = split(message.as_bytes());
            LogFrame::Replay(Line {
                container: line.container.map(|id| Cow::Owned(id.into_owned())),
                body: Cow::Owned(line.body.into_owned()),
            })
        }
        None => LogFrame::Live(split(frame)),
    }
}

fn unwrap_replay<'a>(frame: &'a [u8], service_id: &str) -> Option<Cow<'a, str>> {
    if frame.first() != Some(&b'{') {
        return None;
    }
    let wrapper: Wrapper<'a> = serde_json::from_slice(frame).ok()?;
    (wrapper.event_id == service_id).then_some(wrapper.message)
}

/// Cuts `cid:` off; without 12 printable characters and a colon the whole is the body.
pub fn split(text: &[u8]) -> Line<'_> {
    match text.split_at_checked(12) {
        Some((id, [b':', body @ ..])) if id.iter().all(u8::is_ascii_alphanumeric) => Line {
            container: Some(Cow::Borrowed(id)),
            body: Cow::Borrowed(body),
        },
        _ => Line {
            container: None,
            body: Cow::Borrowed(text),
        },
    }
}

/// Lines of a body at most, since each takes memory of its own.
const LINES: usize = 1 << 16;

/// The lines of a body. One newline at the end ends the last line and starts no other; an
/// empty body is one empty line. There are 65,536 at most: the last one holds what is left.
pub fn lines(body: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = Some(body.strip_suffix(b"\n").unwrap_or(body));
    let mut room = LINES;
    std::iter::from_fn(move || {
        let all = rest.take()?;
        room -= 1;
        if room == 0 {
            return Some(all);
        }
        let Some(at) = memchr::memchr(b'\n', all) else {
            return Some(all);
        };
        let (line, after) = all.split_at(at);
        rest = after.get(1..);
        Some(line)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const SERVICE: &str = "0123456789abcdef0123456789abcdef";

    fn live(container: &'static str, body: &'static [u8]) -> LogFrame<'static> {
        LogFrame::Live(Line {
            container: id(container),
            body: Cow::Borrowed(body),
        })
    }

    fn replay(container: &'static str, body: &'static str) -> LogFrame<'static> {
        LogFrame::Replay(Line {
            container: id(container),
            body: Cow::Borrowed(body.as_bytes()),
        })
    }

    fn id(container: &'static str) -> Option<Cow<'static, [u8]>> {
        (!container.is_empty()).then_some(Cow::Borrowed(container.as_bytes()))
    }

    #[test]
    fn a_body_of_newlines_has_so_many_lines_and_no_byte_less() {
        let body = b"\n".repeat(4 << 20);
        let all: Vec<&[u8]> = lines(&body).collect();
        assert_eq!(all.len(), LINES);
        let mut joined = all.join(&b"\n"[..]);
        joined.push(b'\n');
        assert!(joined == body);
        let whole = b"x\n".repeat(LINES);
        assert!(lines(&whole).all(|line| line == b"x"));
    }

    #[test]
    fn live_and_replayed_frames_are_read_as_the_same_line() {
        let cases: &[(&[u8], LogFrame<'_>)] = &[
            (b"abcdef012345:hello", live("abcdef012345", b"hello")),
            (b"abcdef012345:", live("abcdef012345", b"")),
            (b"abcdef012345:a:b\n", live("abcdef012345", b"a:b\n")),
            (b"abcdef012345:\xff\xfe\x00", live("abcdef012345", b"\xff\xfe\x00")),
            (b"abcdef01234:short id", live("", b"abcdef01234:short id")),
            (b"no prefix at all", live("", b"no prefix at all")),
            (b"", live("", b"")),
            (b"ok", live("", b"ok")),
            (b"12:34:56.789: clock", live("", b"12:34:56.789: clock")),
            (
                br#"{"event_id":"0123456789abcdef0123456789abcdef","level":"","message":"abcdef012345:hi","status":"","step":"","time":""}"#,
                replay("abcdef012345", "hi"),
            ),
            (
                br#"{"event_id":"0123456789abcdef0123456789abcdef","message":"abcdef012345:\u003ca\u003e\tx"}"#,
                replay("abcdef012345", "<a>\tx"),
            ),
            // Another component's id, a missing member, a broken object: a line like any other.
            (br#"{"event_id":"other","message":"m"}"#, live("", br#"{"event_id":"other","message":"m"}"#)),
            (br#"{"message":"m"}"#, live("", br#"{"message":"m"}"#)),
            (br#"{"event_id":"0123"#, live("", br#"{"event_id":"0123"#)),
            (br#"{"event_id":1,"message":2}"#, live("", br#"{"event_id":1,"message":2}"#)),
            // A container that logs JSON keeps its prefix on the live path.
            (br#"abcdef012345:{"event_id":"x"}"#, live("abcdef012345", br#"{"event_id":"x"}"#)),
        ];
        for (frame, want) in cases {
            assert_eq!(
                decode(frame, SERVICE),
                *want,
                "{}",
                String::from_utf8_lossy(frame)
            );
        }
    }

    #[test]
    fn a_body_is_cut_into_the_lines_it_holds() {
        let cases: &[(&[u8], &[&[u8]])] = &[
            (b"", &[b""]),
            (b"a", &[b"a"]),
            (b"a\n", &[b"a"]),
            (b"a\n\n", &[b"a", b""]),
            (b"\n", &[b""]),
            (b"a\r\nb", &[b"a\r", b"b"]),
            (b"\na", &[b"", b"a"]),
        ];
        for (body, want) in cases {
            assert_eq!(lines(body).collect::<Vec<_>>(), *want, "{body:?}");
        }
    }
}
