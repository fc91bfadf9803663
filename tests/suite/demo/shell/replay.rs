//! The recordings of the real shell servers, played against the demo: the same requests and
//! frames, and the same answers.
//!
//! Everything is compared but, by rule:
//! - the date, and the body of pages in HTML;
//! - the host in titles;
//! - where the output of a shell is cut into messages: the pieces follow each other as the
//!   processes happened to write. Put together and without control sequences, which depend on the
//!   version of bash, it is the same, byte for byte. How each server cuts a message into frames
//!   is compared;
//! - what readline draws of a line of more than 1000 bytes, and after it: that depends on how its
//!   input arrives. How much of it arrives is compared;
//! - the middle of a burst, which the recordings leave out. Its length is compared;
//! - pings that come by the clock, which have a test of their own;
//! - what comes after the client's close frame, if the recorder had looked away;
//! - the servers' end by a signal.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "test helper"
)]

mod ear;
mod player;

use std::collections::BTreeMap;
use std::time::Duration;

use deckwatch::demo::{Options, Platform, ShellServer, ShellSwitches, Switches};
use serde_json::Value;

use self::player::{Player, until_total};
use super::seat::options;
use crate::playback::recording::word;

fn server_of(name: &str) -> ShellServer {
    match name.split('-').next().unwrap() {
        "webcli" => ShellServer::Platform,
        "gotty1" => ShellServer::Gotty1,
        "gotty2" => ShellServer::Gotty2,
        "gottysor" => ShellServer::Sorenisanerd,
        "ttyd" => ShellServer::Ttyd,
        other => panic!("{other}"),
    }
}

/// The platform as the recorded server was started.
fn settings(name: &str, cmdline: &str) -> Options {
    let server = server_of(name);
    let has = |flag: &str| cmdline.split(' ').any(|word| word == flag);
    let ttyd = server == ShellServer::Ttyd;
    let shell = ShellSwitches {
        read_only: !has("-w") && !has("-W") && server != ShellServer::Platform,
        permit_arguments: has("--permit-arguments") || (ttyd && has("-a")),
        reconnect: has("--reconnect").then_some(7),
        max_connections: (has("--max-connection") || has("-m")).then_some(1),
        once: has("--once") || has("-o"),
        patience: Duration::from_millis(3500),
        ..ShellSwitches::default()
    };
    let command = match name {
        // It compares what a pod's own shell calls itself.
        "webcli-init" => vec!["/bin/sh"],
        _ => vec!["bash", "--norc", "--noprofile"],
    };
    Options {
        shell: command.into_iter().map(str::to_owned).collect(),
        credential: has("-c").then(|| "user:pass".to_owned()),
        pods: [
            "pod-0",
            "sh-0",
            "slow-1795485268",
            "noexec-0",
            "dbg-1795485281",
            "pending-0",
        ]
        .map(str::to_owned)
        .to_vec(),
        switches: Switches {
            shell,
            ..Switches::default()
        },
        ..options()
    }
}

async fn play(name: &str) -> BTreeMap<&'static str, usize> {
    let path = format!(
        "{}/tests/transcripts/{name}.jsonl",
        env!("CARGO_MANIFEST_DIR")
    );
    let text = std::fs::read_to_string(path).unwrap();
    let rows: Vec<Value> = text
        .split('\n')
        .filter(|row| !row.is_empty())
        .map(|row| serde_json::from_str(row).unwrap())
        .collect();
    let cmdline = word(&rows[0]["meta"], "cmdline");
    let mut player = Player {
        server: server_of(name),
        platform: Platform::start(settings(name, cmdline)).await.unwrap(),
        conns: BTreeMap::new(),
        put_away: Vec::new(),
        compared: BTreeMap::new(),
    };
    let mut burst = None;
    for row in &rows {
        if word(row, "http") == "request" {
            player.connect(row).await;
        } else if word(row, "http") == "response" {
            player.response(row).await;
        } else if word(row, "dir") == "c>s" {
            if let Some(total) = burst.take() {
                let conn = player.conns.get_mut(word(row, "conn")).unwrap();
                until_total(conn, player.server, total).await;
            }
            player.say(row).await;
        } else if word(row, "dir") == "s>c" {
            player.expect(row);
        } else if word(row, "note") == "tcp EOF from server" {
            player.end(row).await;
        } else if word(row, "note") == "burst totals" {
            burst = row["decoded_bytes"].as_u64();
        }
    }
    player.finish().await
}

/// Plays a recording, and counts what was compared, so that a row that is skipped is seen.
async fn says(name: &str, http: usize, message: usize, end: usize) {
    let compared = play(name).await;
    let of = |what| compared.get(what).copied().unwrap_or(0);
    assert_eq!(
        (of("http"), of("message"), of("end")),
        (http, message, end),
        "{name}"
    );
}

#[tokio::test]
async fn gotty_1_says_what_the_real_one_said() {
    tokio::join!(
        says("gotty1-auth", 9, 5, 4),
        says("gotty1-basic", 2, 4, 1),
        says("gotty1-burst", 1, 3, 1),
        says("gotty1-exit", 5, 10, 4),
        says("gotty1-idle", 1, 2, 0),
        says("gotty1-max1", 3, 3, 1),
        says("gotty1-once", 1, 3, 1),
        says("gotty1-permitargs", 1, 3, 1),
        says("gotty1-readonly", 1, 4, 1),
        says("gotty1-shortcmd", 30, 60, 30),
    );
}

#[tokio::test]
async fn gotty_2_says_what_the_real_one_said() {
    tokio::join!(
        says("gotty2-auth", 9, 3, 4),
        says("gotty2-basic", 3, 3, 0),
        says("gotty2-burst", 1, 2, 1),
        says("gotty2-closing", 2, 3, 2),
        says("gotty2-exit", 5, 5, 4),
        says("gotty2-max1", 3, 3, 1),
        says("gotty2-once", 2, 2, 1),
        says("gotty2-permitargs", 1, 2, 1),
        says("gotty2-readonly", 1, 3, 1),
        says("gotty2-shortcmd", 30, 30, 30),
    );
}

#[tokio::test]
async fn sorenisanerds_gotty_says_what_the_real_one_said() {
    tokio::join!(
        says("gottysor-auth", 9, 5, 4),
        says("gottysor-basic", 3, 4, 1),
        says("gottysor-burst", 1, 3, 1),
        says("gottysor-exit", 5, 10, 4),
        says("gottysor-max1", 3, 5, 1),
        says("gottysor-once", 2, 3, 1),
        says("gottysor-permitargs", 1, 3, 1),
        says("gottysor-readonly", 1, 4, 1),
        says("gottysor-shortcmd", 30, 60, 30),
    );
}

#[tokio::test]
async fn ttyd_says_what_the_real_one_said() {
    tokio::join!(
        says("ttyd-auth", 9, 6, 1),
        says("ttyd-basic", 2, 4, 1),
        says("ttyd-burst", 1, 3, 1),
        says("ttyd-exit", 5, 10, 4),
        says("ttyd-idle", 1, 2, 0),
        says("ttyd-max1", 3, 5, 1),
        says("ttyd-once", 2, 3, 1),
        says("ttyd-readonly", 1, 4, 1),
        says("ttyd-shortcmd", 60, 60, 30),
    );
}

#[tokio::test]
async fn the_platform_says_what_the_real_one_said() {
    tokio::join!(
        says("webcli-basic", 1, 4, 0),
        says("webcli-burst", 1, 3, 0),
        says("webcli-closing", 2, 6, 0),
        says("webcli-exit", 5, 14, 0),
        says("webcli-idle", 1, 2, 0),
        says("webcli-init", 17, 22, 5),
        says("webcli-reconnect", 40, 80, 0),
    );
}
