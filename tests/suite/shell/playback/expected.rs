//! What the program has to make of a recorded connection, read without the program's codecs.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "test helper"
)]

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use deckwatch::demo::ShellServer as Server;
use deckwatch::model::FaultKind;

use super::recording::{Answer, Recorded, Step};
use crate::raw_client::{CLOSE, CONTINUATION, PING};

/// How a connection ends for the program.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum End {
    /// The shell exited.
    Exited,
    Lost,
    /// A fault of this kind, whose reason holds these words.
    Fault(FaultKind, String),
    /// The server leaves it open: we close it.
    Open,
}

#[derive(Clone, Debug)]
pub(super) struct Expected {
    pub(super) output: Vec<u8>,
    pub(super) titles: Vec<String>,
    /// The server's name, once it is known.
    pub(super) ready: Option<&'static str>,
    pub(super) end: End,
    /// From this step on the server answers no ping: its shell has ended.
    pub(super) mute_from: usize,
    /// At this step it is over.
    pub(super) last: usize,
}

impl Expected {
    pub(super) fn of(recorded: &Recorded) -> Self {
        let mut expected = Self {
            output: Vec::new(),
            titles: Vec::new(),
            ready: None,
            end: End::Open,
            mute_from: usize::MAX,
            last: usize::MAX,
        };
        if let Some(end) = at_the_door(recorded) {
            expected.end = end;
            return expected;
        }
        let mut typed_at = usize::MAX;
        let mut message: Vec<u8> = Vec::new();
        for (number, step) in recorded.steps.iter().enumerate() {
            let frames = match step {
                Step::Says(frames) => frames,
                Step::Types(_) => {
                    typed_at = number;
                    continue;
                }
                Step::Resizes(..) => continue,
                // What follows is said to nobody.
                Step::Closes => return expected,
            };
            for frame in frames {
                match frame.op {
                    CLOSE => {
                        expected.end = goodbye(&frame.payload);
                        expected.last = number;
                        return expected;
                    }
                    PING.. => continue,
                    CONTINUATION => message.extend(&frame.payload),
                    _ => message.clone_from(&frame.payload),
                }
                if frame.fin && expected.message(recorded.server, &message) {
                    (expected.mute_from, expected.last) = (typed_at, number);
                    return expected;
                }
            }
        }
        if recorded.closed {
            expected.end = match (recorded.server, expected.ready) {
                (Server::Platform, None) => End::Fault(FaultKind::Lost, "without a word".into()),
                (_, None) => End::Fault(FaultKind::Denied, "does not accept the password".into()),
                (Server::Platform, Some(_)) => End::Lost,
                _ => End::Exited,
            };
        }
        expected
    }

    /// True if it is the last one.
    fn message(&mut self, server: Server, message: &[u8]) -> bool {
        let (kind, body) = message.split_first().unwrap();
        let [output, pong, title, preferences, reconnect] = match server {
            Server::Gotty1 => *b"01234",
            Server::Ttyd => *b"0-123",
            _ => *b"12345",
        };
        if !kind.is_ascii_digit() {
            assert_eq!(server, Server::Platform, "words: {message:?}");
            let words = String::from_utf8(message.to_vec()).unwrap();
            self.end = last_words(words, !self.output.is_empty());
            return true;
        }
        self.ready = Some(match server {
            Server::Platform => "the platform",
            Server::Gotty1 => "GoTTY 1",
            Server::Gotty2 => "GoTTY 2",
            Server::Sorenisanerd => "GoTTY (sorenisanerd's)",
            Server::Ttyd => "ttyd",
        });
        match *kind {
            kind if kind == output && server == Server::Ttyd => self.output.extend(body),
            kind if kind == output => self.output.extend(STANDARD.decode(body).unwrap()),
            kind if kind == title => self.titles.push(String::from_utf8(body.to_vec()).unwrap()),
            kind if kind == pong && body.is_empty() => {}
            kind if kind == preferences => assert_eq!(body[0], b'{'),
            kind if kind == reconnect || kind == b'6' => assert!(body[0].is_ascii_digit()),
            _ => panic!("{message:?}"),
        }
        false
    }
}

/// Where it does not come to a WebSocket.
fn at_the_door(recorded: &Recorded) -> Option<End> {
    let fault = |kind, words: &str| Some(End::Fault(kind, words.to_owned()));
    let full = "as many clients as it takes";
    match &recorded.answer {
        Answer::Upgrades(_) => None,
        Answer::Gone => fault(FaultKind::Unreachable, "refused"),
        // Whoever has no password is told so by the pages already.
        Answer::Hangs if recorded.credential.is_some() => fault(FaultKind::Denied, "password"),
        Answer::Hangs => fault(FaultKind::Unreachable, full),
        Answer::Refuses(head) => match &head[9..12] {
            b"200" => fault(FaultKind::Unreachable, full),
            b"403" => fault(FaultKind::Denied, "403"),
            b"404" => fault(FaultKind::NotFound, "404"),
            _ => fault(FaultKind::Unreachable, "it is not ready (503"),
        },
    }
}

fn goodbye(payload: &[u8]) -> End {
    match payload {
        [3, 0xf0, ..] => End::Fault(FaultKind::Denied, "password".into()),
        [] | [3, 0xe8, ..] => End::Exited,
        other => panic!("{other:?}"),
    }
}

fn last_words(words: String, wrote: bool) -> End {
    let kind = match words.as_str() {
        "run tty failure!" if wrote => return End::Exited,
        "run tty failure!" => FaultKind::Lost,
        "Auth is not allowed!" => FaultKind::Denied,
        "Container is not ready, please try again later!" => FaultKind::Unreachable,
        "pod name can not be empty"
        | "Get default container name failure!"
        | "open tty failure!" => FaultKind::NotFound,
        other => panic!("{other}"),
    };
    End::Fault(kind, words)
}
