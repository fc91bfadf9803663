//! The frame protocols of container shells (protocols.md 6.1): one message as a shell's server
//! or its client means it. A dialect is a table of constants; all of them are read and written
//! by the same functions.

pub mod detect;
mod gotty;
pub mod hello;
pub mod place;
mod platform;
mod ttyd;
pub mod typed;

use crate::word;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;

use super::Packet;

pub use place::{Place, ShellSpec};

/// How one family of servers speaks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Dialect {
    /// Its name for `--dialect`.
    pub name: &'static str,
    /// The server's name for people.
    pub server: &'static str,
    /// What is offered in the upgrade.
    pub subprotocol: Option<&'static str>,
    /// First bytes of what we send.
    to: ToBytes,
    /// First bytes of what it sends.
    from: FromBytes,
    /// How output is carried.
    output: Carriage,
    /// How input is carried.
    pub input: Carriage,
    /// Bytes of input that one message may carry, before base64.
    pub chunk: usize,
    /// A message may go out only when the pong to a ping after the last one has come: these
    /// servers lose bytes of messages that arrive back to back (protocols.md 9.1 no. 1).
    pub stop_and_wait: bool,
    /// Our messages are binary ones.
    binary: bool,
    /// TCP is closed when the shell exits; otherwise a closed connection is a lost one.
    pub closes: bool,
}

/// First bytes of a client's messages.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct ToBytes {
    input: u8,
    ping: Option<u8>,
    resize: u8,
    /// Hold output back, and let it come again.
    pause: Option<(u8, u8)>,
}

/// First bytes of a server's messages.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct FromBytes {
    output: u8,
    pong: Option<u8>,
    title: u8,
    preferences: u8,
    reconnect: u8,
    buffer_size: Option<u8>,
}

/// How bytes are carried in a message.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Carriage {
    /// As text: valid UTF-8 only.
    Text,
    /// As standard base64 with padding.
    Base64,
    /// As they are.
    Bytes,
}

/// All dialects, as `--dialect` lists them.
pub static DIALECTS: [&Dialect; 6] = [
    &platform::B,
    &platform::A,
    &gotty::V1,
    &gotty::V2,
    &gotty::SOREN,
    &ttyd::TTYD,
];

/// What stands for a server while a recording is played.
pub const RECORDING: &str = "a recording";

/// A server's name ([`Dialect::server`], or [`RECORDING`]) in the language of this thread.
pub fn shown(server: &'static str) -> &'static str {
    match server {
        "the platform" => word!("the platform", "平台"),
        "the platform (up to V5.1)" => word!("the platform (up to V5.1)", "平台（V5.1 及更早）"),
        "GoTTY (sorenisanerd's)" => word!("GoTTY (sorenisanerd's)", "GoTTY（sorenisanerd 版）"),
        RECORDING => word!("a recording", "录像"),
        other => other,
    }
}

/// One message of a server.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FromShell<'a> {
    /// What the program wrote, decoded; may end inside a character or an escape sequence.
    Output(&'a [u8]),
    /// The answer to a ping.
    Pong,
    /// The window's title, hostile as everything.
    Title(&'a [u8]),
    /// Settings of a browser's terminal, hints for its reconnecting, the server's buffer size:
    /// nothing for us.
    Hint,
    /// Output that is no base64.
    Malformed,
    /// A frame type that this dialect does not have.
    Foreign(u8),
    /// No frame at all but words, as the platform's errors are (protocols.md 6.4).
    Plain(&'a [u8]),
}

impl Dialect {
    /// The dialect of that name.
    pub fn named(name: &str) -> Option<&'static Self> {
        DIALECTS.into_iter().find(|known| known.name == name)
    }

    /// Reads one whole message; `scratch` takes what had to be decoded. Total.
    pub fn decode<'a>(&self, message: &'a [u8], scratch: &'a mut Vec<u8>) -> FromShell<'a> {
        let Some((kind, body)) = message.split_first() else {
            return FromShell::Plain(message);
        };
        let from = &self.from;
        match *kind {
            kind if kind == from.output => self.output(body, scratch),
            kind if Some(kind) == from.pong && body.is_empty() => FromShell::Pong,
            kind if kind == from.title => FromShell::Title(body),
            kind if Some(kind) == from.buffer_size && is_number(body) => FromShell::Hint,
            kind if kind == from.preferences && body.starts_with(b"{") => FromShell::Hint,
            kind if kind == from.reconnect && is_number(body) => FromShell::Hint,
            kind if kind.is_ascii_digit() => FromShell::Foreign(kind),
            _ => FromShell::Plain(message),
        }
    }

    fn output<'a>(&self, body: &'a [u8], scratch: &'a mut Vec<u8>) -> FromShell<'a> {
        match self.output {
            Carriage::Bytes | Carriage::Text => FromShell::Output(body),
            Carriage::Base64 => {
                scratch.clear();
                match STANDARD.decode_vec(body, scratch) {
                    Ok(()) => FromShell::Output(scratch),
                    Err(_) => FromShell::Malformed,
                }
            }
        }
    }

    /// A message with input: at most [`Dialect::chunk`] bytes, never none (ttyd's server
    /// crashes on an empty message, protocols.md 9.1 no. 10).
    pub fn typed(&self, input: &[u8]) -> Packet {
        let mut message = vec![self.to.input];
        match self.input {
            Carriage::Text | Carriage::Bytes => message.extend_from_slice(input),
            Carriage::Base64 => message.extend_from_slice(STANDARD.encode(input).as_bytes()),
        }
        self.packet(message)
    }

    /// A message with the terminal's size.
    pub fn resized(&self, columns: u16, rows: u16) -> Packet {
        let mut message = vec![self.to.resize];
        message.extend_from_slice(format!(r#"{{"columns":{columns},"rows":{rows}}}"#).as_bytes());
        self.packet(message)
    }

    /// The protocol's own ping, where it has one.
    pub fn ping(&self) -> Option<Packet> {
        self.to.ping.map(|ping| self.packet(vec![ping]))
    }

    /// Asks for output to be held back, or to come again, where the dialect can (ttyd, 6.5).
    pub fn paused(&self, paused: bool) -> Option<Packet> {
        let (pause, resume) = self.to.pause?;
        Some(self.packet(vec![if paused { pause } else { resume }]))
    }

    /// What has to be said before the first input: sorenisanerd's server takes base64 only when
    /// asked to.
    pub fn prelude(&self) -> Option<Packet> {
        (self.input == Carriage::Base64).then(|| Packet::text("4base64"))
    }

    fn packet(&self, message: Vec<u8>) -> Packet {
        let message = Bytes::from(message);
        if self.binary {
            Packet::Binary(message)
        } else {
            Packet::Text(message)
        }
    }
}

fn is_number(body: &[u8]) -> bool {
    !body.is_empty() && body.iter().all(u8::is_ascii_digit)
}

#[cfg(test)]
mod tests;
