//! Bad networks (reliability.md 8, rows 6 and 7): a proxy of ours between the program and the
//! platform that slices, delays and falls silent, each way by itself.

#![expect(clippy::unwrap_used, reason = "test helper")]

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use deckwatch::demo::{Platform, Switches};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::time::sleep;

use crate::program::{CID, Run, SERVICE, docker_url, of_type, platform, program, unharmed};

/// What is done to a connection's bytes.
#[derive(Clone, Copy, Debug, Default)]
struct Faults {
    /// Writes of one to three bytes, with a pause now and then.
    sliced: bool,
    /// Nothing more reaches the server, of connections so far.
    deaf: bool,
    /// Nothing more reaches the client, of connections so far.
    mute: bool,
}

/// A proxy that passes TCP on as it is told to.
struct Wire {
    addr: SocketAddr,
    faults: watch::Sender<Faults>,
    accepted: Arc<AtomicUsize>,
}

impl Wire {
    async fn start(to: SocketAddr, faults: Faults) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        let (sender, receiver) = watch::channel(faults);
        let accepted = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&accepted);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                count.fetch_add(1, Ordering::Relaxed);
                let server = TcpStream::connect(to).await.unwrap();
                let (client_in, client_out) = client.into_split();
                let (server_in, server_out) = server.into_split();
                let (mut up, mut down) = (receiver.clone(), receiver.clone());
                // What was told before concerns the connections before.
                up.mark_unchanged();
                down.mark_unchanged();
                tokio::spawn(pass(client_in, server_out, up, |faults| faults.deaf));
                tokio::spawn(pass(server_in, client_out, down, |faults| faults.mute));
            }
        });
        Self {
            addr,
            faults: sender,
            accepted,
        }
    }

    /// The URL of a platform's, by way of this.
    fn url(&self, url: &str, platform: SocketAddr) -> String {
        url.replace(&platform.to_string(), &self.addr.to_string())
    }
}

/// Passes bytes on until one side ends or falls silent for good.
async fn pass(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    mut faults: watch::Receiver<Faults>,
    silent: impl Fn(&Faults) -> bool,
) {
    let sliced = faults.borrow().sliced;
    let mut rng = fastrand::Rng::with_seed(7);
    let mut buffer = vec![0; 16 << 10];
    loop {
        let count = tokio::select! {
            biased;
            changed = faults.changed() => {
                if changed.is_err() {
                    return;
                }
                if silent(&faults.borrow_and_update()) {
                    // Half open: neither an end nor a reset.
                    std::future::pending::<()>().await;
                }
                continue;
            }
            count = from.read(&mut buffer) => count.unwrap_or(0),
        };
        if count == 0 {
            drop(to.shutdown().await);
            return;
        }
        let mut rest = buffer.get(..count).unwrap_or(&[]);
        while !rest.is_empty() {
            let size = if sliced { rng.usize(1..=3) } else { rest.len() };
            let (now, later) = rest.split_at(size.min(rest.len()));
            if to.write_all(now).await.is_err() {
                return;
            }
            rest = later;
            if sliced && rng.u16(..2000) == 0 {
                sleep(Duration::from_millis(rng.u64(50..350))).await;
            }
        }
    }
}

fn address(platform: &Platform) -> SocketAddr {
    let url: url::Url = platform.http_url("").parse().unwrap();
    let host = url.host_str().unwrap().parse().unwrap();
    SocketAddr::new(host, url.port().unwrap())
}

async fn log(platform: &Platform, lines: std::ops::Range<usize>) {
    let lines = lines.map(|n| Bytes::from(format!("line {n} 中文 of a log")));
    platform.inject_logs(SERVICE, CID, lines.collect()).await;
}

/// The numbers of the lines so far, in order, and the records of another type.
fn seen(run: &Run, kind: &str) -> (Vec<usize>, usize) {
    let text = run.so_far();
    let rows: Vec<serde_json::Value> = text
        .lines()
        .filter_map(|line| serde_json::from_str(line).ok())
        .collect();
    let lines = of_type(&rows, "line");
    let numbers = lines.iter().map(|row| {
        let message = row["msg"].as_str().unwrap();
        let number = message.split(' ').nth(1).unwrap();
        number.parse().unwrap()
    });
    (numbers.collect(), of_type(&rows, kind).len())
}

#[tokio::test(flavor = "multi_thread")]
async fn row_06_a_wire_that_slices_and_jitters_loses_nothing() {
    let platform = platform(Switches::default()).await;
    let faults = Faults {
        sliced: true,
        ..Faults::default()
    };
    let wire = Wire::start(address(&platform), faults).await;
    let url = wire.url(&docker_url(&platform, SERVICE), address(&platform));
    log(&platform, 0..50).await;
    let mut run = program(["logs", "-f", "-o", "json", &url]).start();
    run.until_lines(50).await;
    for part in 0..10 {
        log(&platform, 50 + part * 100..150 + part * 100).await;
        sleep(Duration::from_millis(50)).await;
    }
    run.until_count("\"type\":\"line\"", 1050).await;
    let (numbers, reconnects) = seen(&run, "reconnect");
    assert_eq!(numbers, (0..1050).collect::<Vec<_>>());
    assert_eq!((reconnects, wire.accepted.load(Ordering::Relaxed)), (0, 1));
    run.signal(rustix::process::Signal::INT);
    run.end().await.expect(130);
    unharmed(platform).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn row_07_a_peer_that_falls_silent_is_noticed_each_way() {
    let silent = |deaf: bool, mute: bool| async move {
        let platform = platform(Switches::default()).await;
        let wire = Wire::start(address(&platform), Faults::default()).await;
        let url = wire.url(&docker_url(&platform, SERVICE), address(&platform));
        log(&platform, 0..10).await;
        let mut run = program(["logs", "-f", "-o", "json", &url]).start();
        run.until_lines(10).await;
        run.until_err("live").await;
        let began = deckwatch::clock::now();
        wire.faults.send_replace(Faults {
            deaf,
            mute,
            ..Faults::default()
        });
        // Said within 20 s and given up within 35 (reliability.md 2.2); the rest is this machine.
        run.until_err("does not answer").await;
        let stale = deckwatch::clock::now() - began;
        run.until_count("\"type\":\"leave\"", 1).await;
        let dead = deckwatch::clock::now() - began;
        assert!(stale < dead, "{stale:?} {dead:?}");
        log(&platform, 10..20).await;
        run.until_count("\"type\":\"reconnect\"", 1).await;
        run.until_count("line 19", 1).await;
        assert_eq!(wire.accepted.load(Ordering::Relaxed), 2);
        run.signal(rustix::process::Signal::INT);
        run.end().await.expect(130);
    };
    tokio::join!(silent(true, false), silent(false, true), silent(true, true));
}
