//! GoTTY 1 and 2, and sorenisanerd's fork of 2 (protocols.md 6.1, 6.2).

use super::{Carriage, Dialect, FromBytes, ToBytes};

/// The numbering of version 1; the platform's first shell has it too.
pub(super) const V1_TO: ToBytes = ToBytes {
    input: b'0',
    ping: Some(b'1'),
    resize: b'2',
    pause: None,
};
pub(super) const V1_FROM: FromBytes = FromBytes {
    output: b'0',
    pong: Some(b'1'),
    title: b'2',
    preferences: b'3',
    reconnect: b'4',
    buffer_size: None,
};
/// The numbering of version 2, "webtty".
pub(super) const V2_TO: ToBytes = ToBytes {
    input: b'1',
    ping: Some(b'2'),
    resize: b'3',
    pause: None,
};
pub(super) const V2_FROM: FromBytes = FromBytes {
    output: b'1',
    pong: Some(b'2'),
    title: b'3',
    preferences: b'4',
    reconnect: b'5',
    buffer_size: None,
};

/// GoTTY 0.0.11 to 1.0.1: takes messages of any length, at any pace.
pub(super) const V1: Dialect = Dialect {
    name: "gotty1",
    server: "GoTTY 1",
    subprotocol: Some("gotty"),
    to: V1_TO,
    from: V1_FROM,
    output: Carriage::Base64,
    input: Carriage::Text,
    chunk: 1000,
    stop_and_wait: false,
    binary: false,
    closes: true,
};

/// GoTTY 2.0.0-alpha.
pub(super) const V2: Dialect = Dialect {
    name: "gotty2",
    server: "GoTTY 2",
    subprotocol: Some("webtty"),
    to: V2_TO,
    from: V2_FROM,
    stop_and_wait: true,
    ..V1
};

/// sorenisanerd's GoTTY: a message of more than 1024 bytes ends the session, so 765 bytes in
/// base64.
pub(super) const SOREN: Dialect = Dialect {
    name: "gottysor",
    server: "GoTTY (sorenisanerd's)",
    from: FromBytes {
        buffer_size: Some(b'6'),
        ..V2_FROM
    },
    input: Carriage::Base64,
    chunk: 765,
    stop_and_wait: false,
    ..V2
};
