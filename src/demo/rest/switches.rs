//! What there is of the console and of the region, by age, and how they misbehave.

use std::time::Duration;

use super::page::Page;
use crate::demo::options::{Era, Hidden};

/// What stands in `Retry-After`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum RetryAfter {
    /// So many seconds.
    Seconds(u32),
    /// A date of HTTP, or anything else, as it is.
    Text(String),
}

/// A refusal of every request.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Refusal {
    /// 429, 503, …
    pub status: u16,
    /// When to come back.
    pub retry_after: Option<RetryAfter>,
}

impl Refusal {
    pub(super) fn page(&self) -> Page {
        let page = Page::text(self.status, "");
        match &self.retry_after {
            None => page,
            Some(RetryAfter::Seconds(seconds)) => page.with("Retry-After", &seconds.to_string()),
            Some(RetryAfter::Text(text)) => page.with("Retry-After", text),
        }
    }
}

/// How the console and the region behave. All of it can be changed while they run; a stream
/// looks when it next does the thing concerned.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RestSwitches {
    /// The console's API, `/console` (not in 2017).
    pub console: bool,
    /// The 2017 console's `/ajax/{team}/{alias}/log_instance` (protocols.md 0).
    pub ajax: bool,
    /// The region's API, `/v2`.
    pub region: bool,
    /// `/services/{id}/pubsub` (since 5.1.7).
    pub pubsub: bool,
    /// Streams of pods' logs (since v6.2).
    pub pod_streams: bool,
    /// The console hands sockets on (since v6.9.2).
    pub console_sockets: bool,
    /// Streams of events (since v6.9.8).
    pub event_streams: bool,
    /// The stored lines of a component, `logs?rows=`, which v6 may have lost (protocols.md 3.2);
    /// those beside the WebSockets as well.
    pub stored_logs: bool,
    /// How long a token lives.
    pub token_lifetime: Duration,
    /// Sockets and streams behind the console want the token too, as a gateway in front of it may
    /// demand (protocols.md 8).
    pub gateway_login: bool,
    /// What `Authorization` must have behind a space on the region (protocols.md 3.1).
    pub region_token: Option<Hidden>,
    /// A team that the user may not enter.
    pub forbidden_team: Option<String>,
    /// Every request is refused.
    pub refuse: Option<Refusal>,
    /// Time before each answer; 5 s and more end in 504, but for logs (protocols.md 7.13).
    pub answer_after: Duration,
    /// The region cannot be reached: the console answers 200 with nothing in it (protocols.md
    /// 7.10), the region itself 503.
    pub dead_backend: bool,
    /// What is measured is this text: the console's bean, and the region's whole answer.
    pub measured: Option<String>,
    /// Milliseconds by which the clock of what is measured is ahead of all others; behind them, if
    /// negative.
    pub clock_ahead_ms: i64,
    /// `new_pods` is null where there is nothing of a newer version, as during a restart that has
    /// just begun (protocols.md 7.11).
    pub null_new_pods: bool,
    /// When every stream is cut (protocols.md 3.1).
    pub stream_limit: Duration,
    /// Between two comments `: ping` of an event's stream.
    pub stream_ping: Duration,
    /// A stream ends well after so many lines.
    pub stream_end_after: Option<u64>,
    /// After so many lines, the next one that has such is torn within a character of several
    /// bytes, and with it the connection (protocols.md 3.2).
    pub cut_in_character: Option<u64>,
    /// How long a new pod takes to run.
    pub start_takes: Duration,
    /// How long an old pod takes to leave.
    pub leave_takes: Duration,
    /// The shop's deploys replace the pods of what they deploy. Off, since whoever holds a pod's
    /// name loses its shell with the pod.
    pub rolling_deploys: bool,
}

impl Default for RestSwitches {
    fn default() -> Self {
        Self::of(Era::Four)
    }
}

impl RestSwitches {
    /// What a server of that age has (protocols.md, table before section 0).
    pub fn of(era: Era) -> Self {
        let newest = era == Era::Four;
        Self {
            console: era != Era::One,
            ajax: era == Era::One,
            region: true,
            pubsub: era != Era::One,
            pod_streams: newest,
            console_sockets: newest,
            event_streams: newest,
            stored_logs: true,
            token_lifetime: Duration::from_secs(15 * 24 * 3600),
            gateway_login: false,
            region_token: None,
            forbidden_team: None,
            refuse: None,
            answer_after: Duration::ZERO,
            dead_backend: false,
            measured: None,
            clock_ahead_ms: 0,
            null_new_pods: false,
            stream_limit: Duration::from_secs(3600),
            stream_ping: Duration::from_secs(20),
            stream_end_after: None,
            cut_in_character: None,
            start_takes: Duration::from_secs(4),
            leave_takes: Duration::from_secs(2),
            rolling_deploys: false,
        }
    }
}
