//! What the tests of the demo platform begin with: a platform without shop, and its clients over
//! in-process connections.

#![expect(clippy::unwrap_used, reason = "test helper")]

use std::time::Duration;

use bytes::Bytes;
use deckwatch::demo::{Options, Platform, Switches};
use tokio::io::DuplexStream;

use crate::raw_client::{RawClient, Seen, text};

pub(crate) const SERVICE: &str = "a1b2c3d4e5f60718293a4b5c6d7e8f90";
pub(crate) const CID: &str = "0123456789ab";
pub(crate) const QUIET: Duration = Duration::from_secs(1);

pub(crate) async fn platform(switches: Switches) -> Platform {
    let options = Options {
        world: false,
        zmq: false,
        prefix: Some("/p".into()),
        truth: 100_000,
        switches,
        ..Options::default()
    };
    Platform::start(options).await.unwrap()
}

pub(crate) async fn open(platform: &Platform, path: &str) -> RawClient<DuplexStream> {
    RawClient::open(platform.connect_memory().await, &format!("/p{path}")).await
}

/// A subscriber of a component's log that has read `ok`.
pub(crate) async fn docker(platform: &Platform) -> RawClient<DuplexStream> {
    let mut client = open(platform, "/docker_log").await;
    client.say(&format!("topic={SERVICE}")).await;
    if platform.switches().ok {
        assert_eq!(client.next().await, text("ok"));
    }
    client
}

pub(crate) async fn log(platform: &Platform, lines: std::ops::Range<u32>) {
    let lines = lines.map(|n| Bytes::from(format!("line {n}"))).collect();
    platform.inject_logs(SERVICE, CID, lines).await;
}

pub(crate) fn live(n: u32) -> Seen {
    text(format!("{CID}:line {n}"))
}

pub(crate) fn stored(n: u32) -> Seen {
    text(format!(
        "{{\"event_id\":\"{SERVICE}\",\"level\":\"\",\"message\":\"{CID}:line {n}\",\"status\":\"\",\
         \"step\":\"\",\"time\":\"\"}}"
    ))
}
