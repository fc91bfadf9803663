//! The recordings of the real log, event and monitor server, played to the program by a server
//! that knows nothing but bytes: what the recording says is written frame for frame, and what
//! the program prints is held against it. A further recording in `tests/transcripts` is played
//! too.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "test helper")]

mod expected;
pub(crate) mod player;
pub(crate) mod recording;

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures_util::StreamExt as _;
use serde_json::Value;
use tokio::net::TcpListener;

use self::expected::{Expected, Row};
use self::player::{Heard, MANNERS, Manner, play};
use self::recording::{Recorded, Skip, bytes, connections, files, word};
use crate::program::{Done, of_type, program};

async fn run(recorded: &Recorded, manner: Manner, format: &str) -> (Done, Heard) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let target = format!(
        "ws://{address}{}#{}",
        recorded.path,
        recorded.asked.join(",")
    );
    let server = tokio::spawn(play(listener, recorded.clone(), manner));
    let args = [
        "logs",
        "-f",
        "-q",
        "--reconnect",
        "never",
        "-o",
        format,
        &target,
    ];
    let done = program(args).end().await;
    let heard = server.await.unwrap();
    (done, heard)
}

fn check(recorded: &Recorded, manner: Manner, format: &str, done: &Done, heard: &Heard) {
    let expected = Expected::of(recorded);
    let about = format!("{} {manner:?} {format}", recorded.name);
    // A server that only ends loses its client's stream; an event ends with its own result.
    let code = expected.code.unwrap_or(6);
    assert_eq!(done.code, Some(code), "{about}: {}", done.err);
    if format == "raw" {
        assert!(
            done.out == expected.raw,
            "{about}: {:?}\nwanted {:?}",
            String::from_utf8_lossy(&done.out),
            String::from_utf8_lossy(&expected.raw)
        );
    } else {
        let rows = done.json();
        let rows: Vec<Row> = of_type(&rows, "line").into_iter().map(printed).collect();
        assert_eq!(rows.len(), expected.rows.len(), "{about}");
        for (got, want) in rows.iter().zip(&expected.rows) {
            assert_eq!(got, want, "{about}");
        }
    }
    check_client(recorded, heard, &about);
}

/// A JSON line back to what it was made of.
fn printed(row: &Value) -> Row {
    let text = |name: &str| row[name].as_str().map(str::to_owned);
    let message = text("msg").unwrap();
    let line = match text("raw_b64") {
        Some(raw) => {
            let raw = STANDARD.decode(raw).unwrap();
            assert_eq!(String::from_utf8_lossy(&raw), message);
            assert!(std::str::from_utf8(&raw).is_err(), "raw only where needed");
            raw
        }
        None => message.into_bytes(),
    };
    Row {
        component: text("component"),
        container: text("container"),
        line,
        replay: row["replay"] == true,
        frame: text("frame"),
    }
}

fn check_client(recorded: &Recorded, heard: &Heard, about: &str) {
    let start = format!("GET {} HTTP/1.1\r\n", recorded.path);
    assert!(
        heard.request.starts_with(&start),
        "{about}: {}",
        heard.request
    );
    let kind = recorded.path.rsplit('/').next().unwrap();
    let hello: Vec<&[u8]> = heard.messages.iter().map(Vec::as_slice).collect();
    match kind {
        "pubsub" => {
            // A channel that was closed may have been asked for again by now.
            for (index, message) in hello.iter().enumerate() {
                let message: Value = serde_json::from_slice(message).unwrap();
                let channel = word(&message["data"], "channel").to_owned();
                let want = serde_json::json!({
                    "event": "pusher:subscribe", "data": { "channel": channel }
                });
                assert_eq!(message, want, "{about}");
                match recorded.asked.get(index) {
                    Some(asked) => assert_eq!(*asked, channel, "{about}"),
                    None => assert!(recorded.asked.contains(&channel), "{about}"),
                }
            }
            assert!(hello.len() >= recorded.asked.len(), "{about}");
        }
        "event_log" => assert_eq!(
            hello,
            [format!("event_id={}", recorded.asked[0]).as_bytes()],
            "{about}"
        ),
        _ => assert_eq!(
            hello,
            [format!("topic={}", recorded.asked[0]).as_bytes()],
            "{about}"
        ),
    }
}

/// Whether each live line was logged by somebody, where the recording shows all of that.
fn witnessed(rows: &[Value], expected: &Expected) -> usize {
    let injected: Vec<&Value> = rows
        .iter()
        .filter(|row| row["inject"] == "docker")
        .collect();
    let whole = |row: &&&Value| row["len"].as_u64() == Some(bytes(row).len() as u64);
    let logged: BTreeSet<Vec<u8>> = injected
        .iter()
        .filter(whole)
        .map(|row| {
            let record = bytes(row);
            let line = record.get(45..).unwrap_or(&[]);
            [&record[..12], b":", line].concat()
        })
        .collect();
    let complete = injected.iter().all(|row| whole(&row))
        && !rows.iter().any(|row| row["omitted"].is_number());
    let seen = expected.live.iter().filter(|live| logged.contains(*live));
    let seen = seen.count();
    if complete {
        assert_eq!(seen, expected.live.len());
    }
    seen
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_recorded_connection_is_read_line_for_line() {
    let mut plays = Vec::new();
    let mut skipped = BTreeMap::new();
    let mut seen = 0;
    for (file, rows) in files() {
        for (name, connection) in connections(&file, &rows) {
            match connection {
                Ok(recorded) => {
                    seen += witnessed(&rows, &Expected::of(&recorded));
                    plays.push(recorded);
                }
                Err(why) => {
                    skipped.insert(name, why);
                }
            }
        }
    }
    let own = |name: &str| OWN.iter().any(|file| name.starts_with(file));
    let played: Vec<&str> = plays.iter().map(|play| play.name.as_str()).collect();
    assert_eq!(
        played.iter().filter(|name| own(name)).count(),
        18,
        "{played:?}"
    );
    let why: Vec<(&str, Skip)> = skipped
        .iter()
        .filter(|(name, _)| own(name))
        .map(|(name, why)| (name.as_str(), *why))
        .collect();
    assert_eq!(why, SKIPPED);
    assert!(seen > 20, "{seen} lines were seen going in and coming out");

    let runs = plays.iter().flat_map(|recorded| {
        let all = MANNERS
            .iter()
            .map(move |manner| (recorded, *manner, "json"));
        all.chain([
            (recorded, Manner::Recorded, "raw"),
            (recorded, Manner::Fragmented, "raw"),
        ])
    });
    let mut running = futures_util::stream::iter(runs)
        .map(|(recorded, manner, format)| async move {
            let (done, heard) = run(recorded, manner, format).await;
            check(recorded, manner, format, &done, &heard);
        })
        .buffer_unordered(4);
    while running.next().await.is_some() {}
}

/// The recordings that this test was written with.
const OWN: [&str; 6] = [
    "eventlog-dockerlog.jsonl",
    "eventlog-events.jsonl",
    "eventlog-history.jsonl",
    "eventlog-keepalive.jsonl",
    "eventlog-newmonitor.jsonl",
    "eventlog-pubsub.jsonl",
];

/// What is not played of them, and why.
const SKIPPED: [(&str, Skip); 11] = [
    ("eventlog-dockerlog.jsonl bad-empty", Skip::BadFirstMessage),
    (
        "eventlog-dockerlog.jsonl bad-empty-id",
        Skip::BadFirstMessage,
    ),
    (
        "eventlog-dockerlog.jsonl bad-no-equals",
        Skip::BadFirstMessage,
    ),
    (
        "eventlog-dockerlog.jsonl bad-two-equals",
        Skip::BadFirstMessage,
    ),
    ("eventlog-dockerlog.jsonl toobig", Skip::TooLongMessage),
    ("eventlog-events.jsonl M", Skip::UnknownPath),
    ("eventlog-events.jsonl empty-id", Skip::BadFirstMessage),
    ("eventlog-events.jsonl no-eq", Skip::BadFirstMessage),
    ("eventlog-events.jsonl plain", Skip::NoUpgrade),
    ("eventlog-events.jsonl two-eq", Skip::BadFirstMessage),
    ("eventlog-history.jsonl plain", Skip::NoUpgrade),
];
