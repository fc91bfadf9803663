//! Servers that behave badly on purpose: the program names the reason in one line, ends with the
//! right code, and neither grows nor dies.

#![expect(clippy::unwrap_used, reason = "test helper")]

use std::time::Duration;

use deckwatch::demo::hostile::{Hostile, Ill};
use rustix::process::Signal;

use crate::program::{Run, program};

/// What the program may need at most, in bytes; its buffers for messages are 4 MiB.
const MEMORY: usize = 48 << 20;

/// What becomes of a run against an ill server with `--reconnect never`.
#[derive(Clone, Copy, Debug)]
enum Fate {
    /// It ends by itself with this code, saying this.
    Ends(i32, &'static str),
    /// Nothing is wrong enough: it goes on until it is told to stop.
    GoesOn,
}

async fn meet(ill: Ill, target: &str, fate: Fate) {
    let server = Hostile::start(ill.script()).await.unwrap();
    let url = target.replace("ADDRESS", &server.addr().to_string());
    let args = ["logs", "-f", "-q", "--reconnect", "never", &url];
    let mut run = program(args).start();
    let watched = watch(&mut run, matches!(fate, Fate::GoesOn)).await;
    assert!(watched < MEMORY, "{ill:?}: {} MiB", watched >> 20);
    match fate {
        Fate::Ends(code, reason) => {
            let done = run.end().await;
            assert_eq!(done.code, Some(code), "{ill:?}: {}", done.err);
            assert_eq!(done.err.lines().count(), 1, "{ill:?}: {}", done.err);
            assert!(done.err.contains(reason), "{ill:?}: {}", done.err);
            assert!(
                done.err.contains("; "),
                "{ill:?} has no next step: {}",
                done.err
            );
        }
        Fate::GoesOn => {
            assert!(run.is_running(), "{ill:?}");
            run.signal(Signal::INT);
            let done = run.end().await;
            assert_eq!(done.code, Some(130), "{ill:?}: {}", done.err);
        }
    }
    assert_eq!(server.accepted(), 1, "{ill:?}");
}

/// The most memory seen until the run ends, or for a while.
async fn watch(run: &mut Run, for_a_while: bool) -> usize {
    let mut peak = 0;
    let rounds = if for_a_while { 150 } else { 1500 };
    for _ in 0..rounds {
        peak = peak.max(run.peak());
        if !run.is_running() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    peak
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn websockets() {
    let fate = |ill: Ill| match ill {
        Ill::EmptyOk => Fate::Ends(5, "200"),
        Ill::Silent | Ill::HalfHandshake => Fate::Ends(5, "did not answer the upgrade"),
        Ill::Garbage | Ill::WrongKey | Ill::EndlessHead => Fate::Ends(5, "no WebSocket upgrade"),
        Ill::HugeFrame | Ill::EndlessParts => Fate::Ends(7, "4 MiB"),
        Ill::Masked | Ill::ReservedBit => Fate::Ends(7, "broke the WebSocket protocol"),
        Ill::HalfFrame => Fate::Ends(6, "reset the connection"),
        Ill::Reset => Fate::Ends(5, "resets them at once"),
        Ill::Drip | Ill::PingFlood => Fate::GoesOn,
        other => panic_for(other),
    };
    let runs = Ill::WEB.map(|ill| meet(ill, "ws://ADDRESS/docker_log#a", fate(ill)));
    futures_util::future::join_all(runs).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn publishers() {
    let fate = |ill: Ill| match ill {
        Ill::ZmtpSilent | Ill::ZmtpNeverReady => Fate::Ends(5, "in 5 s"),
        Ill::ZmtpHuge40 => Fate::Ends(7, "1099511627776"),
        Ill::ZmtpHuge62 => Fate::Ends(7, "4611686018427387904"),
        Ill::ZmtpHuge64 => Fate::Ends(7, "18446744073709551615"),
        Ill::ZmtpEndlessMore => Fate::Ends(7, "more than 16 parts"),
        Ill::ZmtpV1 => Fate::Ends(7, "ZeroMQ"),
        Ill::ZmtpV2 => Fate::Ends(7, "ZMTP"),
        Ill::ZmtpHttp => Fate::Ends(7, "HTTP"),
        Ill::ZmtpPlain => Fate::Ends(7, "PLAIN"),
        Ill::ZmtpWrongType => Fate::Ends(7, "REP"),
        Ill::ZmtpOddCommand => Fate::GoesOn,
        other => panic_for(other),
    };
    let runs = Ill::ZMTP.map(|ill| meet(ill, "tcp://ADDRESS#a", fate(ill)));
    futures_util::future::join_all(runs).await;
}

fn panic_for(ill: Ill) -> Fate {
    assert_eq!(format!("{ill:?}"), "", "it is of the other kind");
    Fate::GoesOn
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_publisher_that_breaks_the_rules_again_and_again_is_given_up() {
    let runs = [Ill::ZmtpHuge62, Ill::ZmtpEndlessMore].map(|ill| async move {
        let server = Hostile::start(ill.script()).await.unwrap();
        let url = format!("tcp://{}", server.addr());
        let done = program(["logs", "-f", "-q", &url]).end().await;
        assert_eq!(done.code, Some(7), "{ill:?}: {}", done.err);
        assert_eq!(server.accepted(), 3, "{ill:?}");
    });
    futures_util::future::join_all(runs).await;
}

/// A run that listens for publishers, and its port.
async fn listening() -> (Run, u16) {
    let port = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.local_addr().unwrap().port()
    };
    let url = format!("tcp://127.0.0.1:{port}?bind=true");
    let mut run = program(["logs", "-f", &url]).start();
    run.until_err("live").await;
    (run, port)
}

/// A good publisher comes and is read.
async fn good_publisher(run: &mut Run, port: u16) {
    let socket = ::zmq::Context::new().socket(::zmq::XPUB).unwrap();
    socket.set_rcvtimeo(60_000).unwrap();
    socket.connect(&format!("tcp://127.0.0.1:{port}")).unwrap();
    assert_eq!(socket.recv_bytes(0).unwrap(), b"\x01");
    socket.send_multipart([&b"good"[..], b"one"], 0).unwrap();
    run.until_out("good | one").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_listener_without_descriptors_listens_on() {
    let (mut run, port) = listening().await;
    run.descriptors(1);
    let waits = tokio::net::TcpStream::connect(("127.0.0.1", port)).await;
    run.until_err("no publisher can be taken").await;
    run.descriptors(256);
    good_publisher(&mut run, port).await;
    drop(waits);
    run.signal(Signal::INT);
    run.end().await.expect(130);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_listener_takes_so_many_publishers_and_no_more() {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let (mut run, port) = listening().await;
    let start = [
        deckwatch::demo::hostile::greeting(3, b"NULL"),
        deckwatch::demo::hostile::ready(b"PUB"),
    ]
    .concat();
    let mut peers = Vec::new();
    for _ in 0..64 {
        let mut peer = tokio::net::TcpStream::connect(("127.0.0.1", port))
            .await
            .unwrap();
        peer.write_all(&start).await.unwrap();
        // It is taken.
        peer.read_exact(&mut [0; 64]).await.unwrap();
        peers.push(peer);
    }
    let refused = tokio::net::TcpStream::connect(("127.0.0.1", port)).await;
    run.until_err("64 are connected").await;
    drop(refused);
    peers.pop();
    run.until_err("is gone").await;
    good_publisher(&mut run, port).await;
    run.signal(Signal::INT);
    run.end().await.expect(130);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hostile_publishers_that_come_to_us_harm_nobody() {
    use tokio::io::AsyncWriteExt as _;
    let (mut run, port) = listening().await;
    let start = [
        deckwatch::demo::hostile::greeting(3, b"NULL"),
        deckwatch::demo::hostile::ready(b"PUB"),
    ]
    .concat();
    let cases: [(&[u8], &str); 3] = [
        (b"GET / HTTP/1.1\r\n\r\n", "does not speak ZeroMQ"),
        (
            &[&start[..], b"\x02\x40\0\0\0\0\0\0\0never"].concat(),
            "4611686018427387904",
        ),
        (
            &[&start[..], &b"\x01\x01x".repeat(1000)].concat(),
            "more than 16 parts",
        ),
    ];
    for (bytes, reason) in cases {
        let mut peer = tokio::net::TcpStream::connect(("127.0.0.1", port))
            .await
            .unwrap();
        peer.write_all(bytes).await.unwrap();
        run.until_err(reason).await;
    }
    // A good one is read all the same.
    good_publisher(&mut run, port).await;
    assert!(run.peak() < MEMORY);
    run.signal(Signal::INT);
    run.end().await.expect(130);
}
