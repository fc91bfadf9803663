//! The embedded demo platform: a double of the real platform's log, event and monitor server,
//! of its ZeroMQ brokers and of its shells, with a small shop that runs on it, and a few
//! ill-behaved servers.
//!
//! It says by itself, from protocols.md and the recordings, when and what to send, and shares no
//! code with the client: so one mistake can't hide in both. It listens on loopback only.

mod brokers;
mod cluster;
mod cut;
mod deploy;
mod files;
mod gojson;
pub mod hostile;
mod http;
mod hub;
mod legacy;
mod link;
mod listeners;
mod metrics;
mod monitor;
mod options;
mod platform;
mod promql;
pub mod proxy;
mod pubsub;
mod record;
mod replay;
mod rest;
mod scenario;
mod series;
mod server;
mod shell;
mod sse;
mod stamp;
mod state;
mod teams;
mod times;
mod truth;
mod voice;
mod wire;
mod world;

pub use brokers::Layout;
pub use hub::{Kind, Tally};
pub use options::{Answer, Era, Hidden, Options, Switches};
pub use platform::{DemoTarget, Platform};
pub use rest::{Credential, Refusal, RequestRecord, RestSwitches, RetryAfter};
pub use shell::{
    Server as ShellServer, ShellError, ShellIll, ShellRecord, ShellSwitches, ShellTally,
};
pub use truth::{Fate, Origin, TruthRecord};
