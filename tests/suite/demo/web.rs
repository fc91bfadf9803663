//! An HTTP client that hides nothing: heads and bodies as they came, chunks one by one. It shares
//! no code with the program.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "test helper")]

use std::fmt::Write as _;
use std::time::Duration;

use deckwatch::demo::{Options, Platform, Switches};
use deckwatch::model::Micros;
use serde_json::Value;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, DuplexStream};
use tokio::time::timeout;

/// The wall clock of these tests: 2026-11-24T09:58:48.123456+08:00.
pub(crate) const EPOCH: Micros = Micros(1_795_485_528_123_456);

/// A platform whose shop is closed, at a fixed time.
pub(crate) async fn platform(switches: Switches) -> Platform {
    let options = Options {
        world: false,
        zmq: false,
        prefix: Some("/p".into()),
        epoch: Some(EPOCH),
        truth: 100_000,
        switches,
        ..Options::default()
    };
    Platform::start(options).await.unwrap()
}

/// One connection.
pub(crate) struct Web<S> {
    stream: S,
    buffer: Vec<u8>,
    /// Header lines of every request.
    pub(crate) headers: Vec<String>,
}

/// A whole answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (key, value) = line.split_once(": ")?;
            key.eq_ignore_ascii_case(name).then_some(value)
        })
    }
}

/// The status of a head.
pub(crate) fn status(head: &str) -> u16 {
    head.split(' ').nth(1).unwrap().parse().unwrap()
}

/// A new connection in memory.
pub(crate) async fn connect(platform: &Platform) -> Web<DuplexStream> {
    Web::new(platform.connect_memory().await)
}

/// A new connection whose user is logged in.
pub(crate) async fn logged_in(platform: &Platform) -> Web<DuplexStream> {
    let mut web = connect(platform).await;
    let token = web.login().await;
    web.headers.push(format!("Authorization: GRJWT {token}"));
    web
}

impl<S: AsyncRead + AsyncWrite + Unpin> Web<S> {
    pub(crate) fn new(stream: S) -> Self {
        Self {
            stream,
            buffer: Vec::new(),
            headers: Vec::new(),
        }
    }

    pub(crate) fn into_inner(self) -> S {
        self.stream
    }

    pub(crate) async fn login(&mut self) -> String {
        let answer = self
            .post("/p/console/users/login", "nick_name=demo&password=demo")
            .await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        let token = answer.json()["data"]["bean"]["token"].clone();
        token.as_str().unwrap().to_owned()
    }

    /// Sends a request without waiting.
    pub(crate) async fn send(&mut self, method: &str, path: &str, (kind, body): (&str, &str)) {
        let mut head = format!("{method} {path} HTTP/1.1\r\nHost: demo.example:7070\r\n");
        for line in &self.headers {
            write!(head, "{line}\r\n").unwrap();
        }
        if method == "POST" {
            let length = body.len();
            write!(head, "Content-Type: {kind}\r\nContent-Length: {length}\r\n").unwrap();
        }
        self.stream
            .write_all(format!("{head}\r\n{body}").as_bytes())
            .await
            .unwrap();
    }

    pub(crate) async fn get(&mut self, path: &str) -> Answer {
        self.send("GET", path, ("", "")).await;
        self.answer().await
    }

    /// The body of what must be a 200.
    pub(crate) async fn body(&mut self, path: &str) -> String {
        let answer = self.get(path).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.body);
        answer.body
    }

    pub(crate) async fn post(&mut self, path: &str, form: &str) -> Answer {
        let kind = "application/x-www-form-urlencoded";
        self.send("POST", path, (kind, form)).await;
        self.answer().await
    }

    pub(crate) async fn post_json(&mut self, path: &str, body: &str) -> Answer {
        self.send("POST", path, ("application/json", body)).await;
        self.answer().await
    }

    pub(crate) async fn head(&mut self) -> String {
        loop {
            if let Some(at) = self.buffer.windows(4).position(|four| four == b"\r\n\r\n") {
                let head: Vec<u8> = self.buffer.drain(..at + 4).collect();
                return String::from_utf8(head).unwrap();
            }
            assert!(self.more().await, "ended in the head: {:?}", self.buffer);
        }
    }

    async fn answer(&mut self) -> Answer {
        let head = self.head().await;
        let mut answer = Answer {
            status: status(&head),
            head,
            body: String::new(),
        };
        let length: usize = answer.header("content-length").unwrap().parse().unwrap();
        let body = self.exactly(length).await;
        answer.body = String::from_utf8(body).unwrap();
        answer
    }

    async fn more(&mut self) -> bool {
        matches!(self.stream.read_buf(&mut self.buffer).await, Ok(1..))
    }

    async fn exactly(&mut self, count: usize) -> Vec<u8> {
        while self.buffer.len() < count {
            assert!(self.more().await, "ended in the body");
        }
        self.buffer.drain(..count).collect()
    }

    /// Asks for a stream and gives its head.
    pub(crate) async fn open(&mut self, path: &str) -> String {
        self.send("GET", path, ("", "")).await;
        self.head().await
    }

    /// The next chunk of a stream; `Some("")` at its orderly end, `None` if TCP ends before it.
    pub(crate) async fn chunk(&mut self) -> Option<Vec<u8>> {
        let at = loop {
            match self.buffer.windows(2).position(|two| two == b"\r\n") {
                Some(at) => break at,
                None if !self.more().await => return None,
                None => {}
            }
        };
        let size = std::str::from_utf8(&self.buffer[..at]).unwrap();
        let size = usize::from_str_radix(size, 16).unwrap();
        self.exactly(at + 2).await;
        let mut chunk = self.exactly(size + 2).await;
        chunk.truncate(size);
        Some(chunk)
    }

    /// The chunks that come until there is a pause, or the stream ends: `<end>` or `<cut>`.
    pub(crate) async fn chunks(&mut self) -> Vec<String> {
        let mut all = Vec::new();
        while let Ok(chunk) = timeout(Duration::from_millis(50), self.chunk()).await {
            match chunk {
                None => all.push("<cut>".to_owned()),
                Some(chunk) if chunk.is_empty() => all.push("<end>".to_owned()),
                Some(chunk) => {
                    all.push(String::from_utf8_lossy(&chunk).into_owned());
                    continue;
                }
            }
            break;
        }
        all
    }
}
