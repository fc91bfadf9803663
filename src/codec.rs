//! L2: bytes ⇄ meaning. Pure functions over slices: no socket, no clock, no state beyond what
//! a parser needs, and an answer for every input. The wire is `protocols.md`'s.

pub mod alert;
pub mod certificate;
pub mod docker_log;
pub mod encoding;
pub mod event_log;
pub mod http_date;
pub mod jwt;
mod lenient;
pub mod level;
pub mod monitor;
pub mod name;
pub mod packet;
pub mod pod_log;
pub mod prometheus;
pub mod promql;
pub mod pubsub;
pub mod rest;
pub mod route;
pub mod scheme;
pub mod shell;
pub mod sse;
pub mod stamp;
pub mod target;
pub mod zmq_layout;
pub mod zmtp;

pub use packet::Packet;
