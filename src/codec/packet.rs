//! What a transport carries, before anyone knows what it means.

use bytes::Bytes;

/// One message of a WebSocket or ZeroMQ connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Packet {
    /// A WebSocket text message; its bytes may be invalid UTF-8 (protocols.md 9.2 no. 4).
    Text(Bytes),
    /// A WebSocket binary message.
    Binary(Bytes),
    /// A ZeroMQ multipart message.
    Parts(Vec<Bytes>),
    /// A WebSocket ping; the transport has answered it.
    Ping,
    /// The answer to our ping.
    Pong,
}

impl Packet {
    /// A text message of our own.
    pub fn text(text: &str) -> Self {
        Self::Text(Bytes::copy_from_slice(text.as_bytes()))
    }

    /// The payload of a text or binary message.
    pub fn payload(&self) -> Option<&[u8]> {
        match self {
            Self::Text(bytes) | Self::Binary(bytes) => Some(bytes),
            Self::Parts(_) | Self::Ping | Self::Pong => None,
        }
    }
}
