//! A client of a shell server that hides nothing, and the platform that it visits.

#![expect(clippy::unwrap_used, clippy::panic, reason = "test helper")]

use std::fmt::Write as _;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use deckwatch::demo::{Options, Platform, ShellServer, ShellSwitches, Switches};
use md5::{Digest as _, Md5};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::raw_client::{BINARY, CONTINUATION, RawClient, Seen, TEXT, masked};

/// Long enough for a busy machine; a test that passes never waits for it.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);
/// A shell that gives back every byte, without echo or signals.
pub(crate) const RAW: [&str; 3] = ["/bin/sh", "-c", "stty raw -echo; echo ready; exec cat"];

/// A platform whose shells run this.
pub(crate) async fn platform(shell: &[&str], switches: ShellSwitches) -> Platform {
    let options = Options {
        shell: shell.iter().map(|&word| word.to_owned()).collect(),
        switches: Switches {
            shell: switches,
            ..Switches::default()
        },
        ..options()
    };
    Platform::start(options).await.unwrap()
}

pub(crate) fn options() -> Options {
    Options {
        world: false,
        zmq: false,
        pods: ["pod-0", "missing-0", "noexec-0", "pending-0"]
            .map(str::to_owned)
            .to_vec(),
        ..Options::default()
    }
}

pub(crate) fn sum(bytes: impl AsRef<[u8]>) -> String {
    let sum = Md5::digest(bytes.as_ref());
    sum.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    })
}

/// The platform's first message.
pub(crate) fn greeting(pod: &str) -> String {
    greeting_in(["t", "s", pod], "", "")
}

/// The same with all that it may have.
pub(crate) fn greeting_in(ids: [&str; 3], container: &str, namespace: &str) -> String {
    let sum = sum(ids.join("_"));
    let [tenant, service, pod] = ids;
    format!(
        r#"{{"T_id":"{tenant}","S_id":"{service}","C_id":"{pod}","containerName":"{container}","Md5":"{sum}","namespace":"{namespace}"}}"#
    )
}

/// What the server said, put together.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Said {
    Message(u8, Vec<u8>),
    Control(u8, Vec<u8>),
    End(Seen),
}

pub(crate) struct Seat {
    pub(crate) client: RawClient<TcpStream>,
    pub(crate) server: ShellServer,
    /// All output so far, decoded.
    pub(crate) output: Vec<u8>,
}

impl Seat {
    /// Upgraded, and nothing said yet.
    pub(crate) async fn mute(platform: &Platform, server: ShellServer) -> Self {
        let protocol = match server {
            ShellServer::Gotty1 => "gotty",
            ShellServer::Ttyd => "tty",
            _ => "webtty",
        };
        let (mut seat, head) = Self::knock(platform, server, protocol).await;
        assert!(head.starts_with("HTTP/1.1 101 "), "{head}");
        seat.output.clear();
        seat
    }

    /// Asks for the upgrade; the answer's head.
    pub(crate) async fn knock(
        platform: &Platform,
        server: ShellServer,
        protocol: &str,
    ) -> (Self, String) {
        let stream = TcpStream::connect(platform.http_addr()).await.unwrap();
        stream.set_nodelay(true).unwrap();
        let mut client = RawClient::new(stream);
        client
            .write(upgrade(platform, server, protocol).as_bytes())
            .await;
        let head = client.head().await;
        let seat = Self {
            client,
            server,
            output: Vec::new(),
        };
        (seat, head)
    }

    /// With a shell that runs.
    pub(crate) async fn open(platform: &Platform, server: ShellServer) -> Self {
        let mut seat = Self::mute(platform, server).await;
        seat.greet().await;
        seat
    }

    pub(crate) async fn greet(&mut self) {
        match self.server {
            ShellServer::Platform => self.client.say(&greeting("pod-0")).await,
            ShellServer::Ttyd => {
                let greeting = r#"{"AuthToken":"","columns":80,"rows":24}"#;
                self.client.send(BINARY, greeting.as_bytes()).await;
            }
            _ => self.client.say(r#"{"Arguments":"","AuthToken":""}"#).await,
        }
    }

    /// Types of input, resize, ping and output.
    pub(crate) fn numbers(&self) -> [u8; 4] {
        match self.server {
            ShellServer::Gotty1 => *b"0210",
            ShellServer::Ttyd => *b"01-0",
            _ => *b"1321",
        }
    }

    pub(crate) fn framed(&self, kind: u8, body: &[u8]) -> Vec<u8> {
        let op = if self.server == ShellServer::Ttyd {
            BINARY
        } else {
            TEXT
        };
        masked(op, &[&[kind], body].concat())
    }

    pub(crate) async fn tell(&mut self, kind: u8, body: &[u8]) {
        let frame = self.framed(kind, body);
        self.client.write(&frame).await;
    }

    pub(crate) async fn type_in(&mut self, body: &[u8]) {
        self.tell(self.numbers()[0], body).await;
    }

    pub(crate) async fn resize(&mut self, columns: u16, rows: u16) {
        let json = format!(r#"{{"columns":{columns},"rows":{rows}}}"#);
        self.tell(self.numbers()[1], json.as_bytes()).await;
    }

    /// Pings, and waits for the pong; output meanwhile is kept.
    pub(crate) async fn ping(&mut self) {
        let kind = self.numbers()[2];
        self.tell(kind, b"").await;
        while self.hear().await != Said::Message(TEXT, vec![kind]) {}
    }

    /// The next message, put together; output is kept too.
    pub(crate) async fn hear(&mut self) -> Said {
        timeout(PATIENCE, self.hear_at_last()).await.unwrap()
    }

    async fn hear_at_last(&mut self) -> Said {
        let mut message: Option<(u8, Vec<u8>)> = None;
        loop {
            match self.client.next_content().await {
                Seen::Frame { op, payload, .. } if op >= 8 => return Said::Control(op, payload),
                Seen::Frame { fin, op, payload } => {
                    let (_, whole) = match &mut message {
                        None => message.insert((op, Vec::new())),
                        Some(open) => {
                            assert_eq!(op, CONTINUATION);
                            open
                        }
                    };
                    whole.extend(payload);
                    if fin {
                        let (op, whole) = message.unwrap();
                        self.keep(&whole);
                        return Said::Message(op, whole);
                    }
                }
                end => return Said::End(end),
            }
        }
    }

    fn keep(&mut self, message: &[u8]) {
        match message.split_first() {
            Some((kind, body)) if *kind == self.numbers()[3] => {
                if self.server == ShellServer::Ttyd {
                    self.output.extend_from_slice(body);
                } else if let Ok(body) = STANDARD.decode(body) {
                    self.output.extend(body);
                }
            }
            _ => {}
        }
    }

    /// Listens until the output has this in it.
    pub(crate) async fn until(&mut self, text: &str) {
        while !String::from_utf8_lossy(&self.output).contains(text) {
            if let Said::End(end) = self.hear().await {
                let output = String::from_utf8_lossy(&self.output);
                panic!("{end:?} before {text:?} in {output:?}");
            }
        }
    }

    /// Listens until there are so many bytes of output.
    pub(crate) async fn until_length(&mut self, length: usize) {
        while self.output.len() < length {
            let said = self.hear().await;
            assert!(
                !matches!(said, Said::End(_)),
                "{said:?} after {} bytes",
                self.output.len()
            );
        }
    }

    /// Nothing is said for a while.
    pub(crate) async fn quiet(&mut self) {
        let said = timeout(Duration::from_millis(300), self.hear_at_last()).await;
        assert!(said.is_err(), "{said:?}");
    }

    /// The messages up to the first output.
    pub(crate) async fn opening(&mut self) -> Vec<String> {
        let mut messages = Vec::new();
        loop {
            match self.hear().await {
                Said::Message(_, body) if !self.output.is_empty() => {
                    drop(body);
                    return messages;
                }
                Said::Message(_, body) => messages.push(String::from_utf8(body).unwrap()),
                other => panic!("{other:?} after {messages:?}"),
            }
        }
    }
}

/// A request for a shell's WebSocket.
pub(crate) fn upgrade(platform: &Platform, server: ShellServer, protocol: &str) -> String {
    let socket = if server == ShellServer::Platform {
        ""
    } else {
        "/ws"
    };
    let protocol = if protocol.is_empty() {
        String::new()
    } else {
        format!("Sec-WebSocket-Protocol: {protocol}\r\n")
    };
    format!(
        "GET {}{}{socket} HTTP/1.1\r\nHost: demo\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Key: Y8JMPxoctg0RdDUcbYOeiQ==\r\nSec-WebSocket-Version: 13\r\n{protocol}\r\n",
        platform.prefix(),
        server.path(),
    )
}
