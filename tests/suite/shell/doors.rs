//! Servers that answer otherwise than the recorded ones did, and may: pages of every kind,
//! upgrades as proxies write them, close frames with every code.

#![expect(clippy::unwrap_used, reason = "test helper")]

use deckwatch::model::FaultKind;
use deckwatch::model::shell::ShellExit;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

use super::desk::{Desk, exited};
use crate::playback::player::message;
use crate::raw_client::{BINARY, CLOSE, TEXT};

/// Opcodes and payloads.
type Says = &'static [(u8, &'static [u8])];

/// How one server answers.
#[derive(Clone, Copy)]
struct Door {
    /// To a page, by its path.
    page: fn(&str) -> &'static str,
    /// Further lines of the upgrade's head.
    lines: &'static str,
    /// What follows on the first message.
    says: Says,
}

async fn serve(listener: TcpListener, door: Door) {
    while let Ok((stream, _)) = listener.accept().await {
        tokio::spawn(answer(stream, door));
    }
}

/// Answers requests until one wants to upgrade; that one gets what is said.
async fn answer(mut stream: TcpStream, door: Door) {
    let mut buffer = Vec::new();
    loop {
        let end = loop {
            if let Some(at) = buffer.windows(4).position(|four| four == b"\r\n\r\n") {
                break at + 4;
            }
            if stream.read_buf(&mut buffer).await.unwrap_or(0) == 0 {
                return;
            }
        };
        let head: Vec<u8> = buffer.drain(..end).collect();
        let head = String::from_utf8(head).unwrap();
        let key = head.lines().find_map(|line| {
            let (name, value) = line.split_once(": ")?;
            name.eq_ignore_ascii_case("sec-websocket-key")
                .then_some(value)
        });
        let Some(key) = key else {
            let page = (door.page)(head.split(' ').nth(1).unwrap());
            stream.write_all(page.as_bytes()).await.unwrap();
            if page.is_empty() || page.contains("Connection: close") {
                return;
            }
            continue;
        };
        let accept = derive_accept_key(key.as_bytes());
        let head = format!(
            "HTTP/1.1 101 Whatever\r\nx-proxy: a\r\nupgrade: WebSocket\r\n{}\
             connection: upgrade\r\nsec-websocket-accept: {accept}\r\n\r\n",
            door.lines
        );
        stream.write_all(head.as_bytes()).await.unwrap();
        // A client that finds no subprotocol asks again.
        if stream.read_buf(&mut buffer).await.unwrap_or(0) == 0 {
            return;
        }
        for (op, payload) in door.says {
            stream.write_all(&message(*op, payload)).await.unwrap();
        }
        // Until the client has left; what it says is not looked at.
        drop(stream.shutdown().await);
        while stream.read_buf(&mut buffer).await.unwrap_or(0) > 0 {}
        return;
    }
}

async fn open(door: Door) -> Desk {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    tokio::spawn(serve(listener, door));
    Desk::open(&url)
}

fn none(_: &str) -> &'static str {
    "HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\nnope"
}

const GOTTY_2: &[(u8, &[u8])] = &[(TEXT, b"3bash@vm"), (TEXT, b"1aGk=")];

#[tokio::test(flavor = "multi_thread")]
async fn pages_of_every_kind_lead_to_the_same_shell() {
    let pages: [fn(&str) -> &'static str; 6] = [
        none,
        |_| "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Type: text/html\r\n\r\n<html>'a'</html>",
        |_| "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n",
        |_| "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
        // It hangs up on pages.
        |_| "",
        |path| match path {
            "/auth_token.js" => {
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nvar gotty\r\n11\r\n_auth_token = '';\r\n0\r\n\r\n"
            }
            "/config.js" => {
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n19\r\nvar gotty_term = 'xterm';\r\n0\r\n\r\n"
            }
            _ => none(path),
        },
    ];
    for (number, page) in pages.into_iter().enumerate() {
        for lines in ["", "sec-websocket-protocol: webtty\r\n"] {
            let says = GOTTY_2;
            let mut desk = open(Door { page, lines, says }).await;
            let end = desk.end().await;
            assert!(exited(&end), "{number} {lines:?}: {end:?}");
            assert_eq!(desk.output, b"hi", "{number} {lines:?}");
            assert_eq!(desk.ready().await, "GoTTY 2", "{number} {lines:?}");
            desk.close().await;
        }
    }
}

/// What a close frame in the midst means.
#[derive(Clone, Copy)]
enum Meaning {
    Exits,
    Fails,
    Lost,
    Denied,
}

#[tokio::test(flavor = "multi_thread")]
async fn close_frames_are_read_by_their_code() {
    let page = |path: &str| match path {
        "/token" => "HTTP/1.1 200 OK\r\nContent-Length: 13\r\n\r\n{\"token\": \"\"}",
        _ => none(path),
    };
    let cases: [(Says, Meaning); 7] = [
        (
            &[(BINARY, b"1t"), (BINARY, b"0hi"), (CLOSE, b"")],
            Meaning::Exits,
        ),
        (
            &[(BINARY, b"1t"), (BINARY, b"0hi"), (CLOSE, b"\x03\xe8")],
            Meaning::Exits,
        ),
        (
            &[(BINARY, b"1t"), (BINARY, b"0hi"), (CLOSE, b"\x03\xee")],
            Meaning::Fails,
        ),
        (
            &[(BINARY, b"1t"), (BINARY, b"0hi"), (CLOSE, b"\x03\xe9gone")],
            Meaning::Lost,
        ),
        (
            &[(BINARY, b"1t"), (BINARY, b"0hi"), (CLOSE, b"\x03\xf3")],
            Meaning::Lost,
        ),
        (
            &[(BINARY, b"1t"), (BINARY, b"0hi"), (CLOSE, b"\x03\xf0")],
            Meaning::Denied,
        ),
        (
            &[(BINARY, b"1t"), (BINARY, b"0hi"), (CLOSE, b"\x03\xea")],
            Meaning::Lost,
        ),
    ];
    for (number, (says, meaning)) in cases.into_iter().enumerate() {
        let lines = "sec-websocket-protocol: tty\r\n";
        let mut desk = open(Door { page, lines, says }).await;
        let end = desk.end().await;
        match (&end.how, meaning) {
            (ShellExit::Exited { failed: false, .. }, Meaning::Exits)
            | (ShellExit::Exited { failed: true, .. }, Meaning::Fails)
            | (ShellExit::Lost(_), Meaning::Lost) => {}
            (ShellExit::Fault(fault), Meaning::Denied) => {
                assert_eq!(fault.kind, FaultKind::Denied, "{fault}");
            }
            (other, _) => panic!("{number}: {other:?}"),
        }
        assert_eq!(desk.output, b"hi", "{number}");
        desk.close().await;
    }
}
