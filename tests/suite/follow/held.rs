//! Lines that wait for a reconnect's history when the run ends.

#![expect(clippy::unwrap_used, reason = "test helper")]

use rustix::process::Signal;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

use crate::playback::player::encoded;
use crate::playback::recording::Frame;
use crate::program::{SERVICE, messages, program};
use crate::raw_client::{PING, TEXT};

fn frame(op: u8, payload: &str) -> Vec<u8> {
    encoded(&Frame {
        fin: true,
        op,
        payload: payload.as_bytes().to_vec(),
        batched: false,
    })
}

/// Accepts, upgrades, and waits for the first message.
async fn subscribed(listener: &TcpListener) -> TcpStream {
    let (mut stream, _) = listener.accept().await.unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        assert!(stream.read_buf(&mut head).await.unwrap() > 0);
    }
    let head = String::from_utf8(head).unwrap();
    let key = head.lines().find_map(|line| {
        let (name, value) = line.split_once(": ")?;
        let key = name.eq_ignore_ascii_case("sec-websocket-key");
        key.then_some(value)
    });
    let accept = derive_accept_key(key.unwrap().as_bytes());
    let answer = format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Accept: {accept}\r\n\r\n"
    );
    stream.write_all(answer.as_bytes()).await.unwrap();
    assert!(stream.read(&mut [0; 1000]).await.unwrap() > 0);
    stream
}

/// One line of history for everybody, and on the second connection a live one, which is held
/// until the history is over. It is told when it was read; then the connection is lost if it is
/// to be.
async fn serve(listener: TcpListener, read: mpsc::Sender<()>, leaves: bool) {
    let old = format!(r#"{{"event_id":"{SERVICE}","message":"0123456789ab:old"}}"#);
    let mut first = subscribed(&listener).await;
    first.write_all(&frame(TEXT, &old)).await.unwrap();
    drop(first);
    let mut second = subscribed(&listener).await;
    let bytes = [
        frame(TEXT, &old),
        frame(TEXT, "0123456789ab:held"),
        frame(PING, "read?"),
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

#[tokio::test]
async fn what_waits_for_a_history_is_printed_when_a_signal_comes() {
    for leaves in [false, true] {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!(
            "ws://{}/docker_log#{SERVICE}",
            listener.local_addr().unwrap()
        );
        let (sender, mut read) = mpsc::channel(1);
        let server = tokio::spawn(serve(listener, sender, leaves));
        let mut run = program(["logs", "-f", "-o", "json", &url]).start();
        read.recv().await.unwrap();
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

/// The grade is known by what came until then, and a strict run prints what it has.
#[tokio::test]
async fn a_strict_run_that_ends_in_a_window_prints_all_of_it() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!(
        "ws://{}/docker_log#{SERVICE}",
        listener.local_addr().unwrap()
    );
    let (sender, mut read) = mpsc::channel(1);
    let server = tokio::spawn(serve(listener, sender, false));
    let run = program(["logs", "-f", "-o", "json", "--strict", &url]).start();
    read.recv().await.unwrap();
    run.signal(Signal::INT);
    let done = run.end().await.expect(130);
    assert_eq!(messages(&done.json()), ["old", "held"]);
    server.await.unwrap();
}
