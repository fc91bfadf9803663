//! The recordings of the real log, event and monitor server, played against the demo: the same
//! requests, frames and injections, and the same answers byte for byte. Time is virtual.
//!
//! Not compared, since the recordings don't fix it: a ping's place among other frames that come
//! at the same time, the date in HTTP answers.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "test helper"
)]

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use deckwatch::clock;
use deckwatch::demo::{Options, Platform};
use serde_json::Value;
use tokio::io::DuplexStream;
use tokio::time::{sleep_until, timeout};

use crate::raw_client::{BINARY, CLOSE, CONTINUATION, PING, PONG, RawClient, Seen, TEXT};

/// The collector's TCP entry loses records over this, before the server that we double.
const ENTRY_LIMIT: u64 = 4092;

struct Conn {
    client: RawClient<DuplexStream>,
    /// Frames that came before a ping which the recording has first.
    early: VecDeque<Seen>,
    pings: usize,
    open: bool,
}

impl Conn {
    async fn next(&mut self) -> Seen {
        let next = timeout(Duration::from_secs(1), self.client.next()).await;
        next.unwrap_or_else(|_| panic!("nothing more came"))
    }

    async fn content(&mut self) -> Seen {
        if let Some(seen) = self.early.pop_front() {
            return seen;
        }
        loop {
            match self.next().await {
                Seen::Frame { op: PING, .. } => self.pings += 1,
                other => return other,
            }
        }
    }

    async fn ping(&mut self) {
        while self.pings == 0 {
            match self.next().await {
                Seen::Frame { op: PING, .. } => self.pings += 1,
                other => self.early.push_back(other),
            }
        }
        self.pings -= 1;
    }
}

fn opcode(word: &str) -> u8 {
    match word {
        "cont" | "continuation" => CONTINUATION,
        "text" => TEXT,
        "binary" => BINARY,
        "close" => CLOSE,
        "ping" => PING,
        "pong" => PONG,
        other => panic!("opcode {other}"),
    }
}

fn word<'a>(row: &'a Value, name: &str) -> &'a str {
    row[name].as_str().unwrap_or("")
}

/// A row's bytes. Long injections are recorded cut; all of them end in one repeated byte.
fn bytes(row: &Value) -> Vec<u8> {
    let mut bytes = STANDARD.decode(word(row, "b64")).unwrap();
    if let (Some(len), Some(last)) = (row["len"].as_u64(), bytes.last().copied()) {
        bytes.resize(usize::try_from(len).unwrap(), last);
    }
    bytes
}

/// A body without its chunks, of which the recordings have one each.
fn unchunked<'a>(head: &str, body: &'a str) -> &'a str {
    if !head.contains("Transfer-Encoding: chunked") {
        return body;
    }
    let (_, rest) = body.split_once("\r\n").unwrap();
    rest.strip_suffix("\r\n0\r\n\r\n").unwrap()
}

/// Rows of a monitor list that cost the same stand in no fixed order: the real server collects
/// them in a Go map.
fn same_but_for_ties(got: &Seen, want: &Seen) -> bool {
    let (Seen::Frame { payload: got, .. }, Seen::Frame { payload: want, .. }) = (got, want) else {
        return false;
    };
    let rows = |payload: &[u8]| {
        let mut rows: Vec<String> = std::str::from_utf8(payload)
            .ok()?
            .split("},{")
            .map(str::to_owned)
            .collect();
        rows.sort();
        rows.first()?.contains("CumulativeTime").then_some(rows)
    };
    rows(got).is_some() && rows(got) == rows(want)
}

struct Player {
    platform: Platform,
    conns: BTreeMap<String, Conn>,
    /// Rows that were compared, by what they are.
    compared: BTreeMap<&'static str, usize>,
}

impl Player {
    fn count(&mut self, what: &'static str) {
        *self.compared.entry(what).or_default() += 1;
    }

    fn conn(&mut self, row: &Value) -> &mut Conn {
        self.conns.get_mut(word(row, "conn")).unwrap()
    }

    async fn connect(&mut self, row: &Value) {
        let client = RawClient::new(self.platform.connect_memory().await);
        let mut conn = Conn {
            client,
            early: VecDeque::new(),
            pings: 0,
            open: true,
        };
        conn.client.write(&bytes(row)).await;
        self.conns.insert(word(row, "conn").to_owned(), conn);
    }

    async fn answer(&mut self, row: &Value) {
        let want = String::from_utf8(STANDARD.decode(word(row, "b64")).unwrap()).unwrap();
        let conn = self.conn(row);
        let head = conn.client.head().await;
        let (want_head, want_body) = want.split_once("\r\n\r\n").unwrap();
        if word(row, "conn") == "plain" {
            conn.open = false;
            let body = conn.client.rest().await;
            assert_eq!(head.lines().next(), want_head.lines().next());
            assert_eq!(
                String::from_utf8(body).unwrap(),
                unchunked(want_head, want_body)
            );
            self.count("http");
            return;
        }
        assert_eq!(head, want);
        self.count("upgrade");
    }

    async fn expect_frame(&mut self, row: &Value) {
        let op = opcode(word(row, "op"));
        let want = Seen::Frame {
            fin: row["fin"].as_bool().unwrap(),
            op,
            payload: bytes(row),
        };
        let conn = self.conn(row);
        if op == PING {
            conn.ping().await;
            self.count("ping");
            return;
        }
        let got = conn.content().await;
        if !same_but_for_ties(&got, &want) {
            assert_eq!(got, want, "at {} on {}", row["t"], row["conn"]);
        }
        self.count("frame");
    }

    async fn inject(&mut self, row: &Value) {
        let body = bytes(row);
        match word(row, "inject") {
            "docker" => {
                if word(row, "via").starts_with("TCP") && row["len"].as_u64().unwrap() > ENTRY_LIMIT
                {
                    return;
                }
                let text =
                    |range: std::ops::Range<usize>| std::str::from_utf8(&body[range]).unwrap();
                self.platform
                    .inject_log(text(13..45), text(0..12), &body[45..])
                    .await;
            }
            "event" => {
                let id = serde_json::from_slice::<Value>(&body)
                    .ok()
                    .and_then(|entry| entry["event_id"].as_str().map(str::to_owned));
                self.platform
                    .inject_event(id.as_deref().unwrap_or("ev2"), &body)
                    .await;
            }
            "newmonitor" => {
                self.platform
                    .inject_monitor("a1b2c3d4e5f60718293a4b5c6d7e8f90", &body)
                    .await;
            }
            other => panic!("inject {other}"),
        }
    }

    /// What the demo sent and the recording's client did not read is counted too: the recorder
    /// looked away from some connections before their end.
    async fn finish(mut self) -> BTreeMap<&'static str, usize> {
        let mut unread = 0;
        for (name, conn) in &mut self.conns {
            if !conn.open {
                continue;
            }
            assert!(conn.early.is_empty(), "{name}: {:?}", conn.early);
            while let Ok(seen) = timeout(Duration::from_millis(500), conn.client.next()).await {
                match seen {
                    Seen::Frame { op: PING, .. } => {}
                    Seen::Frame { op: TEXT, .. } => unread += 1,
                    other => panic!("{name}: {other:?}"),
                }
            }
        }
        if unread > 0 {
            self.compared.insert("unread", unread);
        }
        self.compared
    }
}

async fn play(name: &str, until: &str) -> BTreeMap<&'static str, usize> {
    let path = format!(
        "{}/tests/transcripts/{name}.jsonl",
        env!("CARGO_MANIFEST_DIR")
    );
    let rows = std::fs::read_to_string(path).unwrap();
    // The recording of the keep-alive ran with `-timeout 5s`.
    let timeout = if name.ends_with("keepalive") { 5 } else { 60 };
    let options = Options {
        world: false,
        zmq: false,
        prefix: Some(String::new()),
        timeout: Duration::from_secs(timeout),
        ..Options::default()
    };
    let platform = Platform::start(options).await.unwrap();
    let mut player = Player {
        platform,
        conns: BTreeMap::new(),
        compared: BTreeMap::new(),
    };
    let start = clock::now();
    let mut skip = false;
    for row in rows.split('\n').filter(|row| !row.is_empty()) {
        let row: Value = serde_json::from_str(row).unwrap();
        let Some(at) = row["t"].as_f64() else {
            continue;
        };
        if !until.is_empty() && word(&row, "note").starts_with(until) {
            break;
        }
        sleep_until(start + Duration::from_secs_f64(at)).await;
        if word(&row, "http") == "request" {
            // Another port of the recorder's harness.
            skip = word(&row, "preview").contains(":6399");
            if !skip {
                player.connect(&row).await;
            }
        } else if word(&row, "http") == "response" && !skip {
            player.answer(&row).await;
        } else if word(&row, "dir") == "c>s" {
            let (op, payload) = (opcode(word(&row, "op")), bytes(&row));
            player.conn(&row).client.send(op, &payload).await;
        } else if word(&row, "dir") == "s>c" {
            player.expect_frame(&row).await;
        } else if word(&row, "note") == "client that never answers pings" {
            // The other one is left alone from here on and will be cut too.
            player.conns.remove("pongs").unwrap();
        } else if !word(&row, "inject").is_empty() {
            player.inject(&row).await;
        } else if word(&row, "note") == "tcp EOF from server" {
            let conn = player.conn(&row);
            conn.open = false;
            assert_eq!(conn.content().await, Seen::End, "{row}");
            assert_eq!(
                conn.pings, 0,
                "pings that the recording does not have: {row}"
            );
            player.count("end");
        }
    }
    player.finish().await
}

/// How much is in the recording, so that a row that is skipped is seen.
fn all(compared: &BTreeMap<&'static str, usize>, wanted: &[(&'static str, usize)]) {
    assert_eq!(*compared, wanted.iter().copied().collect());
}

#[tokio::test(start_paused = true)]
async fn docker_log_says_what_the_real_one_said() {
    let compared = play("eventlog-dockerlog", "").await;
    all(&compared, &[("upgrade", 7), ("frame", 51), ("end", 6)]);
}

#[tokio::test(start_paused = true)]
async fn history_says_what_the_real_one_said() {
    // What follows depends on how the real collector cut its reads.
    let compared = play("eventlog-history", "300 small records").await;
    all(&compared, &[("upgrade", 2), ("frame", 40), ("http", 3)]);
}

#[tokio::test(start_paused = true)]
async fn event_log_says_what_the_real_one_said() {
    let compared = play("eventlog-events", "").await;
    all(
        &compared,
        &[
            ("upgrade", 10),
            ("frame", 55),
            ("end", 4),
            ("ping", 4),
            ("http", 3),
            // "after last" on E2.
            ("unread", 1),
        ],
    );
}

#[tokio::test(start_paused = true)]
async fn pubsub_says_what_the_real_one_said() {
    let compared = play("eventlog-pubsub", "").await;
    all(
        &compared,
        &[("upgrade", 1), ("frame", 33), ("end", 1), ("ping", 3)],
    );
}

#[tokio::test(start_paused = true)]
async fn monitor_says_what_the_real_one_said() {
    let compared = play("eventlog-newmonitor", "").await;
    all(
        &compared,
        &[("upgrade", 3), ("frame", 16), ("ping", 4), ("unread", 1)],
    );
}

#[tokio::test(start_paused = true)]
async fn keep_alive_is_that_of_the_real_one() {
    let compared = play("eventlog-keepalive", "").await;
    all(
        &compared,
        &[("upgrade", 2), ("frame", 2), ("ping", 18), ("end", 1)],
    );
}
