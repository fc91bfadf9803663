//! What a demo platform is asked to be: its size and seed, and the switches that make it an
//! older server or an ill one.

use std::fmt;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use rustls::ServerConfig;

use super::rest::RestSwitches;
use super::shell::ShellSwitches;
use crate::model::Micros;

/// How a platform is started.
#[derive(Clone, Debug)]
pub struct Options {
    /// Everything invented follows from it.
    pub seed: u64,
    /// The HTTP port; the system chooses without.
    pub port: Option<u16>,
    /// What stands before every path: `""`, or a word with a slash before it. Without, a random
    /// one that cannot be guessed.
    pub prefix: Option<String>,
    /// Whether the shop runs. Without it only what is injected happens.
    pub world: bool,
    /// Factor on the shop's about 100 lines a second.
    pub rate: f64,
    /// The shop's wall clock at its start; the real one without. It advances with tokio's time.
    pub epoch: Option<Micros>,
    /// How many truth records are kept; 0 keeps none and costs nothing.
    pub truth: usize,
    /// T of protocols.md 1.3: a pong extends the deadline by it, pings go out each 0.8 T.
    pub timeout: Duration,
    /// The deadline of the first pong: 60 s whatever T is (protocols.md 9.2.9).
    pub first_deadline: Duration,
    /// Period of the pubsub socket's pings (protocols.md 2).
    pub pubsub_ping: Duration,
    /// Whether the ZeroMQ endpoints are there.
    pub zmq: bool,
    /// What the shell servers run: the command and its arguments. It runs as the user that
    /// started the platform.
    pub shell: Vec<String>,
    /// `user:password` of the shell servers other than the platform's own (protocols.md 9.1.8).
    pub credential: Option<String>,
    /// Pods that exist besides the shop's, in every namespace, with a second container `sidecar`.
    /// A name that begins with `missing-` or `done-` is not found all the same, `noexec-` has no
    /// shell, `slow-` takes 3 s and `pending-` never becomes ready.
    pub pods: Vec<String>,
    /// Who may log in to the console.
    pub user: String,
    /// With which password.
    pub password: Hidden,
    /// After each such time the next component's pods are replaced, one by one; never without.
    pub rolling: Option<Duration>,
    /// Everything also on a port behind TLS, with this configuration.
    pub tls: Option<Arc<ServerConfig>>,
    /// The same on one more port, for a region with a certificate of its own.
    pub region_tls: Option<Arc<ServerConfig>>,
    /// How it behaves at the start.
    pub switches: Switches,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            seed: 1,
            port: None,
            prefix: None,
            world: true,
            rate: 1.0,
            epoch: None,
            truth: 0,
            timeout: Duration::from_secs(60),
            first_deadline: Duration::from_secs(60),
            pubsub_ping: Duration::from_secs(10),
            zmq: true,
            shell: vec!["/bin/sh".to_owned()],
            credential: None,
            pods: Vec::new(),
            user: "demo".to_owned(),
            password: "demo".into(),
            rolling: None,
            tls: None,
            region_tls: None,
            switches: Switches::default(),
        }
    }
}

/// A word that no debug output shows.
#[derive(Clone, PartialEq, Eq)]
pub struct Hidden(String);

impl Hidden {
    /// The word.
    pub fn show(&self) -> &str {
        &self.0
    }
}

impl From<&str> for Hidden {
    fn from(word: &str) -> Self {
        Self(word.to_owned())
    }
}

impl fmt::Debug for Hidden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Hidden(..)")
    }
}

/// What a client that asks for an upgrade gets.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Answer {
    /// 101, as it should be.
    #[default]
    Upgrade,
    /// 200 with an empty body: a proxy that cannot reach its server (protocols.md 1.1).
    EmptyOk,
    /// This status, with an empty body.
    Refuse(u16),
    /// TCP is accepted and nothing is ever said.
    Silence,
    /// 101, then nothing is ever said; the client is still read.
    Mute,
}

/// The platform's ages (protocols.md, table before section 0).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Era {
    /// 2017: no `ok` but on `/event_log`, raw history of 512 lines, the old monitor.
    One,
    /// V3.7 to V5.1: raw history of 128 lines, the old monitor.
    Two,
    /// V5.2 to V5.17: raw history of 128 lines.
    Three,
    /// v6: history as JSON objects, up to 1000.
    Four,
}

/// How the platform behaves. All of it can be changed while it runs; a connection looks when it
/// next does the thing concerned.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Switches {
    /// What an upgrade request gets.
    pub answer: Answer,
    /// Whether `ok` is sent on the sockets other than `/event_log` (not in 2017).
    pub ok: bool,
    /// Whether pings are sent.
    pub pings: bool,
    /// Whether pongs extend the deadline.
    pub heed_pongs: bool,
    /// A bare end after so many messages with content on a connection.
    pub end_after: Option<u64>,
    /// After so many messages with content, half of the next one's frame and a bare end.
    pub cut_in_frame: Option<u64>,
    /// History of `/docker_log` as raw lines (eras 1 to 3).
    pub raw_history: bool,
    /// How many lines of history are sent.
    pub history: usize,
    /// Time before the history is read: what comes meanwhile arrives twice.
    pub history_delay: Duration,
    /// Time before each line of history.
    pub history_pace: Duration,
    /// Each so many-th live line of a component is sent after the one that follows it, as two
    /// workers do (reliability.md 0).
    pub swap_every: Option<NonZeroU32>,
    /// Each so many-th live line of a component is lost on its way to the subscribers.
    pub drop_every: Option<NonZeroU32>,
    /// Messages are sent in pieces of this size.
    pub fragment: Option<usize>,
    /// `/monitor_message` lives (until V5.0); else it ends after the first message.
    pub old_monitor: bool,
    /// Depth of a docker subscriber's queue.
    pub docker_queue: usize,
    /// Depth of an event subscriber's queue.
    pub event_queue: usize,
    /// Depth of a monitor subscriber's queue.
    pub monitor_queue: usize,
    /// Depth of a pubsub socket's own queue, behind those.
    pub pubsub_queue: usize,
    /// How the shell servers behave.
    pub shell: ShellSwitches,
    /// How the console and the region API behave, and what there is of them.
    pub rest: RestSwitches,
}

impl Default for Switches {
    fn default() -> Self {
        Self::of(Era::Four)
    }
}

impl Switches {
    /// A healthy server of that age.
    pub fn of(era: Era) -> Self {
        let (ok, raw_history, history, old_monitor) = match era {
            Era::One => (false, true, 512, true),
            Era::Two => (true, true, 128, true),
            Era::Three => (true, true, 128, false),
            Era::Four => (true, false, 1000, false),
        };
        Self {
            answer: Answer::Upgrade,
            ok,
            pings: true,
            heed_pongs: true,
            end_after: None,
            cut_in_frame: None,
            raw_history,
            history,
            history_delay: Duration::ZERO,
            history_pace: Duration::ZERO,
            swap_every: None,
            drop_every: None,
            fragment: None,
            old_monitor,
            // protocols.md 1.4, "Silent loss".
            docker_queue: 100,
            event_queue: 1024,
            monitor_queue: 10,
            pubsub_queue: 1024,
            shell: ShellSwitches {
                // Platform B is V5.2 (protocols.md 6.1).
                v1_numbering: matches!(era, Era::One | Era::Two),
                ..ShellSwitches::default()
            },
            rest: RestSwitches::of(era),
        }
    }
}
