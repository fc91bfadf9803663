//! ZeroMQ against libzmq itself: layouts, prefixes, sizes, restarts, and who connects to whom.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "test helper")]

use ::zmq::{Context, Socket, SocketType};
use rustix::process::Signal;
use serde_json::Value;

use crate::program::{Run, messages, of_type, program};

const TENANT: &str = "0123456789abcdef0123456789abcdef";
const SERVICE: &str = "fedcba9876543210fedcba9876543210";
const PATIENCE: i32 = 60_000;

/// A publisher that sees who subscribes.
pub(crate) struct Publisher {
    socket: Socket,
    address: String,
}

impl Publisher {
    fn bind(kind: SocketType, address: &str) -> Self {
        let socket = Context::new().socket(kind).unwrap();
        // What is sent is to arrive, however slow the reader.
        socket.set_sndhwm(0).unwrap();
        socket.set_linger(0).unwrap();
        socket.set_rcvtimeo(PATIENCE).unwrap();
        if kind == ::zmq::XPUB {
            socket.set_xpub_verbose(true).unwrap();
        }
        socket.bind(&format!("tcp://{address}")).unwrap();
        let address = socket.get_last_endpoint().unwrap().unwrap();
        let address = address.strip_prefix("tcp://").unwrap().to_owned();
        Self { socket, address }
    }

    pub(crate) fn new() -> Self {
        Self::bind(::zmq::XPUB, "127.0.0.1:*")
    }

    pub(crate) fn url(&self, rest: &str) -> String {
        format!("tcp://{}{rest}", self.address)
    }

    /// The next subscriptions, sorted.
    pub(crate) fn subscribed(&self, count: usize) -> Vec<String> {
        let next = |_| loop {
            let message = match self.socket.recv_bytes(0) {
                // A signal of another test's.
                Err(::zmq::Error::EINTR) => continue,
                message => message.unwrap(),
            };
            // Others may still be leaving.
            if message[0] == 1 {
                return String::from_utf8(message[1..].to_vec()).unwrap();
            }
        };
        let mut all: Vec<String> = (0..count).map(next).collect();
        all.sort();
        all
    }

    pub(crate) fn send(&self, parts: &[&[u8]]) {
        self.socket.send_multipart(parts, 0).unwrap();
    }
}

fn follow(args: &[&str]) -> Run {
    program(["logs", "-f", "-o", "json"].iter().chain(args)).start()
}

async fn stopped(run: Run) -> Vec<Value> {
    run.signal(Signal::INT);
    run.end().await.expect(130).json()
}

/// Runs until so many lines were printed.
async fn lines_of(
    args: &[&str],
    publisher: &Publisher,
    sent: &[Vec<&[u8]>],
    lines: usize,
) -> Vec<Value> {
    let most = lines.to_string();
    let run = follow(&[args, &["--max-lines", &most]].concat());
    publisher.subscribed(1);
    for message in sent {
        publisher.send(message);
    }
    run.end().await.expect(0).json()
}

/// Layout, parts; component, container and line to be printed.
type Case<'a> = (
    &'a str,
    Vec<&'a [u8]>,
    Option<&'a str>,
    Option<&'a str>,
    &'a str,
);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[expect(clippy::too_many_lines, reason = "a table")]
async fn every_layout_is_read_detected_and_forced() {
    let json = format!(
        r#"{{"container_id":"abcdef012345","msg":"a\u003cb","time":"2026-11-24T10:00:00+08:00","service_id":"{SERVICE}"}}"#
    );
    let event = br#"{"event_id":"e","message":"m"}"#;
    let table = b"\n2017-05-19 11:33:34 APPS SumTimeByUrl [{\"a\":\"b c\"}]\n";
    let trimmed = "2017-05-19 11:33:34 APPS SumTimeByUrl [{\"a\":\"b c\"}]";
    let labor = "2026-11-24 10:00:00 [INFO] host [f] a.py:1 x";
    let cases: Vec<Case<'_>> = vec![
        (
            "docker3",
            vec![
                TENANT.as_bytes(),
                SERVICE.as_bytes(),
                b"abcdef012345: hello",
            ],
            Some(SERVICE),
            Some("abcdef012345"),
            "hello",
        ),
        (
            "docker2",
            vec![SERVICE.as_bytes(), b"abcdef012345: hello: you"],
            Some(SERVICE),
            Some("abcdef012345"),
            "hello: you",
        ),
        (
            "dockerjson",
            vec![json.as_bytes()],
            Some(SERVICE),
            Some("abcdef012345"),
            "a<b",
        ),
        (
            "labor3",
            vec![b"labor.build", b"INFO", labor.as_bytes()],
            None,
            Some("build"),
            labor,
        ),
        (
            "ceptop2",
            vec![b"ceptop", table],
            None,
            Some("SumTimeByUrl"),
            trimmed,
        ),
        (
            "cluster2",
            vec![b"event_log", event],
            None,
            Some("event_log"),
            r#"{"event_id":"e","message":"m"}"#,
        ),
        (
            "raw",
            vec![b"a", b"b", b"", b"d"],
            None,
            None,
            "a | b |  | d",
        ),
        ("raw", vec![b"alone \xff"], None, None, "alone \u{fffd}"),
    ];
    for (layout, parts, component, container, line) in cases {
        let publisher = Publisher::new();
        for query in [String::new(), format!("?layout={layout}")] {
            let url = publisher.url(&query);
            let rows = lines_of(&[&url], &publisher, std::slice::from_ref(&parts), 1).await;
            let row = of_type(&rows, "line")[0].clone();
            let got = (
                row["component"].as_str(),
                row["container"].as_str(),
                row["msg"].as_str(),
            );
            assert_eq!(got, (component, container, Some(line)), "{url} {layout}");
            if layout == "dockerjson" {
                assert_eq!(row["ts"], "2026-11-24T02:00:00.000000Z");
            }
            assert_eq!(row["raw_b64"].is_string(), line.contains('\u{fffd}'));
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_does_not_fit_a_forced_layout_is_shown_and_said_once() {
    let publisher = Publisher::new();
    let url = publisher.url("?layout=docker3");
    let odd: Vec<&[u8]> = vec![b"one", b"two"];
    let rows = lines_of(&[&url], &publisher, &[odd.clone(), odd], 2).await;
    assert_eq!(messages(&rows), ["one | two", "one | two"]);
    assert_eq!(of_type(&rows, "notice").len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn prefixes_and_service_choose_the_messages() {
    let publisher = Publisher::new();
    let url = publisher.url("#labor.a,event,");
    let url = url.trim_end_matches(',');
    let mut run = follow(&[url, "--max-lines", "3"]);
    assert_eq!(publisher.subscribed(2), ["event", "labor.a"]);
    for topic in [
        "labor.a",
        "labor.b",
        "event_log",
        "monitor",
        "labor.abc",
        "labor.",
    ] {
        publisher.send(&[topic.as_bytes(), b"I", topic.as_bytes()]);
    }
    run.until_lines(1).await;
    let rows = run.end().await.expect(0).json();
    assert_eq!(messages(&rows), ["labor.a", "event_log", "labor.abc"]);

    let url = publisher.url(&format!("?service={SERVICE}&layout=docker3#{TENANT}"));
    let other = "00000000000000000000000000000000";
    let line = |text: &str| format!("abcdef012345: {text}").into_bytes();
    let (mine, theirs, end) = (line("mine"), line("theirs"), line("end"));
    let sent: [Vec<&[u8]>; 3] = [
        vec![TENANT.as_bytes(), other.as_bytes(), &theirs],
        vec![TENANT.as_bytes(), SERVICE.as_bytes(), &mine],
        vec![TENANT.as_bytes(), SERVICE.as_bytes(), &end],
    ];
    let rows = lines_of(&[&url], &publisher, &sent, 2).await;
    assert_eq!(messages(&rows), ["mine", "end"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_plain_pub_socket_is_read_as_well() {
    let publisher = Publisher::bind(::zmq::PUB, "127.0.0.1:*");
    let mut run = follow(&[&publisher.url("")]);
    // It does not say who subscribed: sent until one arrives.
    while !run.so_far().contains("hello") {
        publisher.send(&[SERVICE.as_bytes(), b"abcdef012345: hello"]);
        tokio::select! {
            () = run.until_out("hello") => {}
            () = tokio::time::sleep(std::time::Duration::from_millis(50)) => {}
        }
    }
    stopped(run).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_bind_the_publishers_come_to_us() {
    let port = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.local_addr().unwrap().port()
    };
    let url = format!("tcp://127.0.0.1:{port}?bind=true#topic");
    let mut run = follow(&[&url]);
    run.until_err("live").await;
    let context = Context::new();
    let connect = || {
        let socket = context.socket(::zmq::XPUB).unwrap();
        socket.set_rcvtimeo(PATIENCE).unwrap();
        socket.set_linger(0).unwrap();
        socket.connect(&format!("tcp://127.0.0.1:{port}")).unwrap();
        assert_eq!(socket.recv_bytes(0).unwrap(), b"\x01topic");
        socket
    };
    let (first, second) = (connect(), connect());
    first
        .send_multipart([&b"topic"[..], b"from the first"], 0)
        .unwrap();
    run.until_out("from the first").await;
    second
        .send_multipart([&b"topic"[..], b"from the second"], 0)
        .unwrap();
    run.until_out("from the second").await;
    // One goes, the other stays; a third comes.
    drop(first);
    run.until_err("is gone").await;
    second
        .send_multipart([&b"topic"[..], b"still there"], 0)
        .unwrap();
    run.until_out("still there").await;
    let third = connect();
    third
        .send_multipart([&b"topic"[..], b"from the third"], 0)
        .unwrap();
    run.until_out("from the third").await;
    stopped(run).await;
    // Taken by somebody else.
    let taken = Publisher::new();
    let done = program(["logs", "-f", &taken.url("?bind=true")])
        .end()
        .await;
    let done = done.expect(5);
    assert!(
        done.err.lines().count() == 1 && done.err.contains("listened on"),
        "{}",
        done.err
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn big_frames_come_whole_and_too_big_ones_end_the_link() {
    let publisher = Publisher::new();
    let url = publisher.url("?layout=raw");
    let sizes = [
        0,
        1,
        255,
        256,
        65_535,
        65_536,
        1 << 20,
        (4 << 20) - 1,
        4 << 20,
    ];
    let most = sizes.len().to_string();
    let run = program(["logs", "-f", "-o", "raw", "--max-lines", &most, &url]).start();
    publisher.subscribed(1);
    let mut want = Vec::new();
    for size in sizes {
        // Every byte but the newline, which would make two lines of it.
        let bytes: Vec<u8> = (0..size)
            .map(|n: usize| u8::try_from(n * 7 % 251).unwrap())
            .map(|b| if b == b'\n' { 0xff } else { b })
            .collect();
        publisher.send(&[&bytes]);
        want.extend(bytes);
        want.push(b'\n');
    }
    let done = run.end().await.expect(0);
    assert!(
        done.out == want,
        "{} bytes of {}",
        done.out.len(),
        want.len()
    );

    let run = program(["logs", "-f", "--reconnect", "never", &url]).start();
    publisher.subscribed(1);
    publisher.send(&[&vec![b'x'; (4 << 20) + 1]]);
    let done = run.end().await;
    assert!(done.err.contains("4194305"), "{}", done.err);
    assert_eq!(done.code, Some(7), "{}", done.err);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_publisher_that_restarts_is_marked_and_subscribed_again() {
    let mut publisher = Publisher::new();
    let address = publisher.address.clone();
    let url = publisher.url("#a,b");
    let mut run = follow(&[&url]);
    assert_eq!(publisher.subscribed(2), ["a", "b"]);
    for round in 0..4 {
        publisher.send(&[b"a1", format!("round {round}").as_bytes()]);
        publisher.send(&[b"c1", b"not asked for"]);
        run.until_out(&format!("round {round}")).await;
        drop(publisher);
        run.until_count("\"reconnect\"", round).await;
        run.until_err("no connection: ").await;
        publisher = Publisher::bind(::zmq::XPUB, &address);
        assert_eq!(publisher.subscribed(2), ["a", "b"], "round {round}");
    }
    publisher.send(&[b"b1", b"at the end"]);
    run.until_out("at the end").await;
    let rows = stopped(run).await;
    let marks = of_type(&rows, "reconnect");
    assert_eq!(marks.len(), 4);
    assert!(marks.iter().all(|mark| mark["away_ms"].is_u64()));
    let want: Vec<String> = (0..4).map(|round| format!("a1 | round {round}")).collect();
    assert_eq!(messages(&rows)[..4], want);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_fast_publisher_loses_nothing() {
    let publisher = Publisher::new();
    let url = publisher.url("?layout=docker3");
    let run = program([
        "logs",
        "-f",
        "-o",
        "raw",
        "--max-lines",
        "100000",
        "--strict",
        &url,
    ])
    .start();
    publisher.subscribed(1);
    let mut want = String::new();
    for number in 0..100_000 {
        let line = format!("abcdef012345: line number {number}");
        publisher.send(&[TENANT.as_bytes(), SERVICE.as_bytes(), line.as_bytes()]);
        want.extend(["line number ", &number.to_string(), "\n"]);
    }
    let done = run.end().await.expect(0);
    assert!(
        done.out == want.as_bytes(),
        "{} of {}",
        done.out.len(),
        want.len()
    );
}
