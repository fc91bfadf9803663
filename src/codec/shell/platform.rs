//! The platform's own two shells, `/docker_console` (protocols.md 6.3, 6.4).

use super::gotty::{V1_FROM, V1_TO, V2_FROM, V2_TO};
use super::{Carriage, Dialect};

/// Rainbond V5.2 and later.
pub(super) const B: Dialect = Dialect {
    name: "platform",
    server: "the platform",
    subprotocol: Some("webtty"),
    to: V2_TO,
    from: V2_FROM,
    output: Carriage::Base64,
    input: Carriage::Text,
    chunk: 1000,
    stop_and_wait: true,
    binary: false,
    closes: false,
};

/// Up to Rainbond V5.1.
pub(super) const A: Dialect = Dialect {
    name: "platform-v1",
    server: "the platform (up to V5.1)",
    to: V1_TO,
    from: V1_FROM,
    closes: true,
    ..B
};
