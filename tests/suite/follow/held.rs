//! Lines that wait for a reconnect's history when the run ends.

#![expect(clippy::unwrap_used, reason = "test helper")]

use deckwatch::codec::target::Target;
use deckwatch::model::{FeedUpdate, LinkState, TargetId};
use deckwatch::source::{Lag, Outlet, Policy, Reconnect, Source, as_received};
use rustix::process::Signal;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::faulty::{head, upgraded};
use crate::playback::player::message;
use crate::program::{Run, SERVICE, messages, program};
use crate::raw_client::{PING, TEXT};

/// Accepts, upgrades, and waits for the first message.
async fn subscribed(listener: &TcpListener) -> TcpStream {
    let (mut stream, _) = listener.accept().await.unwrap();
    let head = head(&mut stream).await.unwrap();
    let answer = upgraded(&head, "", &[]);
    stream.write_all(&answer).await.unwrap();
    assert!(stream.read(&mut [0; 1000]).await.unwrap() > 0);
    stream
}

/// One line of history for everybody, and on the second connection a live one, which is held
/// until the history is over. It is told when it was read; then the connection is lost if it is
/// to be.
async fn serve(listener: TcpListener, read: mpsc::Sender<()>, leaves: bool) {
    let old = format!(r#"{{"event_id":"{SERVICE}","message":"0123456789ab:old"}}"#);
    let mut first = subscribed(&listener).await;
    first
        .write_all(&message(TEXT, old.as_bytes()))
        .await
        .unwrap();
    drop(first);
    let mut second = subscribed(&listener).await;
    let bytes = [
        message(TEXT, old.as_bytes()),
        message(TEXT, b"0123456789ab:held"),
        message(PING, b"read?"),
    ];
    second.write_all(&bytes.concat()).await.unwrap();
    // The pong.
    assert!(second.read(&mut [0; 100]).await.unwrap() > 0);
    if leaves {
        // Nobody listens any more.
        drop((second, listener));
        read.send(()).await.unwrap();
        return;
    }
    read.send(()).await.unwrap();
    while second.read(&mut [0; 100]).await.unwrap_or(0) > 0 {}
}

/// A run whose second connection holds a line.
async fn holding(leaves: bool, flags: &[&str]) -> (Run, JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let url = format!("ws://{address}/docker_log#{SERVICE}");
    let (sender, mut read) = mpsc::channel(1);
    let server = tokio::spawn(serve(listener, sender, leaves));
    let words = ["logs", "-f", "-o", "json", &url];
    let run = program(words.iter().chain(flags)).start();
    read.recv().await.unwrap();
    (run, server)
}

#[tokio::test]
async fn what_waits_for_a_history_is_printed_when_a_signal_comes() {
    for leaves in [false, true] {
        let (mut run, server) = holding(leaves, &[]).await;
        if leaves {
            run.until_count("\"type\":\"leave\"", 2).await;
        }
        run.signal(Signal::INT);
        let done = run.end().await.expect(130);
        let rows = done.json();
        assert_eq!(messages(&rows), ["old", "held"], "{leaves}");
        let ends = rows.iter().filter(|row| row["type"] == "end").count();
        assert_eq!(ends, 1, "{leaves}");
        server.await.unwrap();
    }
}

/// The way to the program is full, as behind an output that is slow.
#[tokio::test]
async fn what_waits_for_a_history_is_handed_on_when_a_stop_comes_while_nothing_is_taken() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!(
        "ws://{}/docker_log#{SERVICE}",
        listener.local_addr().unwrap()
    );
    let (sender, mut read) = mpsc::channel(1);
    let server = tokio::spawn(serve(listener, sender, false));
    let (sender, mut inbox) = mpsc::channel(1);
    let outlet = Outlet::new(TargetId(0), sender, as_received, Lag::Drop(1 << 20));
    let policy = Policy {
        reconnect: Reconnect::Patient,
        follow: true,
        seed: 1,
    };
    let source = Source::start(&Target::parse(&url).unwrap(), policy, outlet);
    read.recv().await.unwrap();
    let leaving = tokio::spawn(source.finish());
    // The server's connection ends behind the order.
    server.await.unwrap();
    let (mut lines, mut ended) = (Vec::new(), 0);
    while let Some((_, update)) = inbox.recv().await {
        match update {
            FeedUpdate::Lines(batch) => {
                let line = |row| String::from_utf8_lossy(batch.line(row)).into_owned();
                lines.extend((0..batch.len()).map(line));
            }
            FeedUpdate::State(LinkState::Ended(_)) => ended += 1,
            FeedUpdate::State(_) => {}
        }
    }
    assert_eq!(
        (lines.as_slice(), ended),
        (&["old", "held"].map(str::to_owned)[..], 1)
    );
    leaving.await.unwrap();
}

/// The grade is known by what came until then, and a strict run prints what it has.
#[tokio::test]
async fn a_strict_run_that_ends_in_a_window_prints_all_of_it() {
    let (run, server) = holding(false, &["--strict"]).await;
    run.signal(Signal::INT);
    let done = run.end().await.expect(130);
    assert_eq!(messages(&done.json()), ["old", "held"]);
    server.await.unwrap();
}

/// One line of history and a live one within it. It is told when they were read.
async fn replay(listener: TcpListener, read: mpsc::Sender<()>) {
    let mut stream = subscribed(&listener).await;
    let old = format!(r#"{{"event_id":"{SERVICE}","message":"0123456789ab:old"}}"#);
    let bytes = [
        message(TEXT, old.as_bytes()),
        message(TEXT, b"0123456789ab:live"),
        message(PING, b"read?"),
    ];
    stream.write_all(&bytes.concat()).await.unwrap();
    assert!(stream.read(&mut [0; 100]).await.unwrap() > 0);
    read.send(()).await.unwrap();
    while stream.read(&mut [0; 100]).await.unwrap_or(0) > 0 {}
}

#[tokio::test]
async fn what_waits_for_the_last_lines_is_printed_when_a_signal_comes() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!(
        "ws://{}/docker_log#{SERVICE}",
        listener.local_addr().unwrap()
    );
    let (sender, mut read) = mpsc::channel(1);
    let server = tokio::spawn(replay(listener, sender));
    let words = ["logs", "-f", "-o", "json", "--stats", "--tail", "5", &url];
    let run = program(words).start();
    read.recv().await.unwrap();
    run.signal(Signal::INT);
    let done = run.end().await.expect(130);
    assert_eq!(messages(&done.json()), ["old", "live"]);
    assert!(done.err.contains("received 2 lines"), "{}", done.err);
    server.await.unwrap();
}

/// The first connection floods within the history's time and is lost, and there is no other.
#[tokio::test]
async fn live_lines_that_never_end_are_printed_before_the_history_is_over() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!(
        "ws://{}/docker_log#{SERVICE}",
        listener.local_addr().unwrap()
    );
    let server = tokio::spawn(async move {
        let mut stream = subscribed(&listener).await;
        let line = format!("0123456789ab:{}", "x".repeat(60_000));
        for _ in 0..20 {
            stream
                .write_all(&message(TEXT, line.as_bytes()))
                .await
                .unwrap();
        }
        stream.write_all(&message(PING, b"read?")).await.unwrap();
        assert!(stream.read(&mut [0; 100]).await.unwrap() > 0);
    });
    let words = [
        "logs", "-f", "-o", "json", "--tail", "5", "--buffer", "1MiB", &url,
    ];
    let mut run = program(words).start();
    server.await.unwrap();
    run.until_count("\"type\":\"line\"", 20).await;
    run.signal(Signal::INT);
    run.end().await.expect(130);
}
