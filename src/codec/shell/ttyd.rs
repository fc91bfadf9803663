//! ttyd 1.4 and later (protocols.md 6.5).

use super::{Carriage, Dialect, FromBytes, ToBytes};

/// It has no ping of its own, and ignores what it does not know. A frame of more than about
/// 2 KiB is said to make it drop the client.
pub(super) const TTYD: Dialect = Dialect {
    name: "ttyd",
    server: "ttyd",
    subprotocol: Some("tty"),
    to: ToBytes {
        input: b'0',
        ping: None,
        resize: b'1',
        pause: Some((b'2', b'3')),
    },
    from: FromBytes {
        output: b'0',
        pong: None,
        title: b'1',
        preferences: b'2',
        reconnect: b'3',
        buffer_size: None,
    },
    output: Carriage::Bytes,
    input: Carriage::Bytes,
    chunk: 1000,
    stop_and_wait: false,
    binary: true,
    closes: true,
};
