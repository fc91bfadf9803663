//! Servers that do one thing wrong, on loopback, and a home without any configuration.

#![expect(clippy::unwrap_used, reason = "test helper")]

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use deckwatch::demo::Platform;
use rustix::fs::{self, FileType, Mode};
use socket2::{Domain, Socket, Type};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

use crate::program::{Start, program};

/// What a raw server says to one request head.
type Says = Arc<dyn Fn(&str) -> Vec<u8> + Send + Sync>;

/// The port of a server that reads one request's head on each connection, says something, and
/// then only reads. Dropped with its runtime.
pub(crate) async fn raw(says: impl Fn(&str) -> Vec<u8> + Send + Sync + 'static) -> u16 {
    let says: Says = Arc::new(says);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(once(stream, Arc::clone(&says)));
        }
    });
    port
}

async fn once(mut stream: TcpStream, says: Says) {
    let Some(head) = head(&mut stream).await else {
        return;
    };
    // A client that has left wants no answer.
    drop(stream.write_all(&says(&head)).await);
    let mut rest = Vec::new();
    drop(stream.read_to_end(&mut rest).await);
}

/// The head of a request; nothing if the client leaves before its end.
pub(crate) async fn head(stream: &mut TcpStream) -> Option<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.ok()?);
    }
    Some(String::from_utf8_lossy(&head).into_owned())
}

/// A header's value in a request's head.
pub(crate) fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    head.lines().find_map(|line| {
        let (key, value) = line.split_once(':')?;
        key.eq_ignore_ascii_case(name).then(|| value.trim())
    })
}

/// `101` with more headers, and then these text frames; `404` for what is no upgrade.
pub(crate) fn upgraded(head: &str, more: &str, frames: &[&str]) -> Vec<u8> {
    let Some(key) = header(head, "sec-websocket-key") else {
        return b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
            .to_vec();
    };
    let accept = derive_accept_key(key.as_bytes());
    let mut answer = format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {accept}\r\n{more}\r\n"
    )
    .into_bytes();
    for frame in frames {
        answer.extend([0x81, u8::try_from(frame.len()).unwrap()]);
        answer.extend_from_slice(frame.as_bytes());
    }
    answer
}

/// A whole answer with a status.
pub(crate) fn status(status: &str) -> Vec<u8> {
    format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n").into_bytes()
}

/// A server that begins to speak as soon as it is connected to: bytes of TLS, for instance.
pub(crate) async fn blurting(bytes: &'static [u8]) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut hello = [0; 16];
                drop(stream.read_exact(&mut hello).await);
                drop(stream.write_all(bytes).await);
                let mut rest = Vec::new();
                drop(stream.read_to_end(&mut rest).await);
            });
        }
    });
    port
}

/// A port whose connections vanish: its queue is full and nobody accepts.
pub(crate) struct BlackHole {
    port: u16,
    _held: Vec<Socket>,
}

impl BlackHole {
    pub(crate) fn new() -> Self {
        let socket = || Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        let listener = socket();
        let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        listener.bind(&any.into()).unwrap();
        listener.listen(0).unwrap();
        let address = listener.local_addr().unwrap();
        let port = address.as_socket().unwrap().port();
        let mut held = vec![listener];
        // More than the queue holds; the last ones hang, as everybody after them.
        for _ in 0..8 {
            let client = socket();
            client.set_nonblocking(true).unwrap();
            drop(client.connect(&address));
            held.push(client);
        }
        Self { port, _held: held }
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }
}

/// A home without configuration.
pub(crate) struct Home(tempfile::TempDir);

impl Home {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    /// One where the context `demo` is a platform, behind this address, and logged in to.
    pub(crate) async fn at(server: &str, platform: &Platform) -> Self {
        let home = Self::new();
        let add = ["context", "add", "demo", "--server", server];
        home.program(add).end().await.expect(0);
        home.log_in(platform).await;
        home
    }

    /// Logs in to its context with the platform's own name and password.
    pub(crate) async fn log_in(&self, platform: &Platform) {
        let login = ["login", "--user", platform.user(), "--password-stdin"];
        let login = self.program(login).input(platform.password());
        login.end().await.expect(0);
    }

    /// A pipe in it that has neither reader nor writer.
    pub(crate) fn pipe(&self) -> std::path::PathBuf {
        let path = self.path().join("pipe");
        fs::mknodat(fs::CWD, &path, FileType::Fifo, Mode::RWXU, 0).unwrap();
        path
    }

    pub(crate) fn path(&self) -> &std::path::Path {
        self.0.path()
    }

    /// The program there, without any proxy or token of the environment.
    pub(crate) fn program<S: AsRef<std::ffi::OsStr>>(
        &self,
        args: impl IntoIterator<Item = S>,
    ) -> Start {
        let mut start = program(args);
        for name in [
            "http_proxy",
            "HTTP_PROXY",
            "https_proxy",
            "HTTPS_PROXY",
            "all_proxy",
            "ALL_PROXY",
            "no_proxy",
            "NO_PROXY",
            "DECKWATCH_TOKEN",
            "DECKWATCH_CONTEXT",
            "DECKWATCH_SERVER",
            "DECKWATCH_CONFIG",
            "SSL_CERT_FILE",
            "SSL_CERT_DIR",
        ] {
            start = start.without(name);
        }
        let home = self.path();
        start
            .env("HOME", home)
            .env("XDG_CONFIG_HOME", home.join("config"))
            .env("XDG_STATE_HOME", home.join("state"))
            .env("XDG_DATA_HOME", home.join("data"))
    }
}
