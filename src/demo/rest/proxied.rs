//! The console's proxy for sockets (protocols.md 0): two connections and what passes between
//! them. Pings are answered here and not handed on, text must be UTF-8, a shell that nobody types
//! into is given up, and when one side ends both do.

use std::time::Duration;

use bytes::BytesMut;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, DuplexStream};
use tokio::time::{sleep_until, timeout};

use super::call::Call;
use super::line::Line;
use super::{Credential, RequestRecord, Rest, RestSwitches, login};
use crate::clock;
use crate::demo::http::{self, Request};
use crate::demo::link::End;
use crate::demo::server::Order;
use crate::demo::teams;
use crate::demo::wire::{self, Incoming, Op, Reader};

/// How long the socket behind may take to open.
const CONNECT_LIMIT: Duration = Duration::from_secs(10);
/// A shell without a message of its user's ends after this time.
const IDLE_LIMIT: Duration = Duration::from_secs(30 * 60);
/// Bytes that the connection behind holds each way.
const MEMORY: usize = 256 << 10;
/// What is handed on of the request.
const FORWARDED: [&str; 4] = ["Origin", "Cookie", "Authorization", "X-Forwarded-For"];
/// The shell's subprotocol, offered for a client that offers none.
const SHELL: &str = "/docker_console";

/// The path of the socket behind a path below the prefix, if the console hands it on.
pub(crate) fn inner<'a>(path: &'a str, switches: &RestSwitches) -> Option<&'a str> {
    if !switches.console || !switches.console_sockets {
        return None;
    }
    let rest = path.strip_prefix("/console/regions/")?;
    let (region, _) = rest.split_once('/')?;
    let rest = rest.strip_prefix(region)?.strip_prefix("/websocket")?;
    teams::region(region)?;
    rest.starts_with('/').then_some(rest)
}

/// Serves a proxied socket to its end.
pub(crate) async fn serve<S>(
    rest: &Rest,
    line: &mut Line<'_, S>,
    request: &Request,
    inner: &str,
) -> End
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let call = Call::new(rest, request, Vec::new(), false);
    let credential = login::credential(&call);
    let allowed = credential != Credential::None || !call.switches.gateway_login;
    rest.desk.note(RequestRecord {
        conn: line.conn,
        method: request.method.clone(),
        path: call.path,
        credential,
        status: if allowed { 101 } else { 401 },
        at: rest.times.now(),
    });
    if !allowed {
        return refuse(line, &login::wanted().bytes(false)).await;
    }
    let opened = timeout(CONNECT_LIMIT, connect(rest, request, inner)).await;
    let (Ok(Some((upstream, leftover))), Some(accept)) = (opened, &request.accept) else {
        let answer = http::answer(502, "text/plain; charset=utf-8", "Bad Gateway\n");
        return refuse(line, answer.as_bytes()).await;
    };
    if let Err(end) = line.write(http::switching(accept).as_bytes()).await {
        return end;
    }
    let client = Reader::new(line.buffer.split());
    let mut proxy = Proxy {
        line,
        upstream,
        client,
        server: Reader::of_server(leftover),
        shell: inner == SHELL,
    };
    proxy.run().await
}

async fn refuse<S: AsyncRead + AsyncWrite + Unpin>(line: &mut Line<'_, S>, bytes: &[u8]) -> End {
    match line.write(bytes).await {
        Ok(()) => End::Server,
        Err(end) => end,
    }
}

/// Opens the socket behind; what came with its answer is left over.
async fn connect(rest: &Rest, request: &Request, inner: &str) -> Option<(DuplexStream, BytesMut)> {
    let (mut ours, theirs) = tokio::io::duplex(MEMORY);
    rest.door.send(Order::Serve(theirs)).await.ok()?;
    let query = if request.query.is_empty() {
        String::new()
    } else {
        format!("?{}", request.query)
    };
    let mut head = format!(
        "GET {}{inner}{query} HTTP/1.1\r\nHost: rbd-api-websocket:6060\r\nUpgrade: websocket\r\n\
         Connection: Upgrade\r\nSec-WebSocket-Key: ZGVtbyBjb25zb2xlIHByb3h5\r\n\
         Sec-WebSocket-Version: 13\r\n",
        rest.prefix
    );
    let mut add = |name: &str, value: &str| {
        for part in [name, ": ", value, "\r\n"] {
            head.push_str(part);
        }
    };
    for name in FORWARDED {
        if let Some(value) = request.field(name) {
            add(name, value);
        }
    }
    let protocols = match (request.protocols.join(", "), inner == SHELL) {
        (none, true) if none.is_empty() => "webtty".to_owned(),
        (some, _) => some,
    };
    if !protocols.is_empty() {
        add("Sec-WebSocket-Protocol", &protocols);
    }
    head.push_str("\r\n");
    ours.write_all(head.as_bytes()).await.ok()?;
    let mut buffer = BytesMut::new();
    let end = loop {
        if let Some(at) = buffer.windows(4).position(|four| four == b"\r\n\r\n") {
            break at + 4;
        }
        if ours.read_buf(&mut buffer).await.ok()? == 0 || buffer.len() > http::HEAD_LIMIT {
            return None;
        }
    };
    let answer = buffer.split_to(end);
    answer
        .starts_with(b"HTTP/1.1 101 ")
        .then_some((ours, buffer))
}

/// Both connections.
struct Proxy<'a, 'b, S> {
    line: &'a mut Line<'b, S>,
    upstream: DuplexStream,
    client: Reader,
    server: Reader,
    shell: bool,
}

/// Who said something.
enum Side {
    Client(Incoming),
    Server(Incoming),
}

impl<S: AsyncRead + AsyncWrite + Unpin> Proxy<'_, '_, S> {
    async fn run(&mut self) -> End {
        let mut typed = clock::now();
        loop {
            let side = tokio::select! {
                biased;
                _ = self.line.cut.changed() => return End::Cut(*self.line.cut.borrow()),
                said = next(&mut self.client, self.line.stream) => said.map(Side::Client),
                said = next(&mut self.server, &mut self.upstream) => said.map(Side::Server),
                () = sleep_until(typed + IDLE_LIMIT), if self.shell => return End::Server,
            };
            let step = match side {
                Err(end) => Err(end),
                Ok(Side::Client(said)) => {
                    let ping = matches!(&said, Incoming::Message(_, body) if body == b"2");
                    if matches!(said, Incoming::Message(..)) && !ping {
                        typed = clock::now();
                    }
                    self.heard_client(said).await
                }
                Ok(Side::Server(said)) => self.heard_server(said).await,
            };
            if let Err(end) = step {
                return end;
            }
        }
    }

    async fn heard_client(&mut self, said: Incoming) -> Result<(), End> {
        let mut bytes = Vec::new();
        match said {
            Incoming::Message(op, body) => wire::client_frame(&mut bytes, op, &body),
            Incoming::Ping(body) => {
                wire::frame(&mut bytes, true, Op::Pong, &body);
                return self.line.write(&bytes).await;
            }
            Incoming::Pong => return Ok(()),
            Incoming::Close(body) => {
                wire::frame(&mut bytes, true, Op::Close, body.get(..2).unwrap_or(&[]));
                self.line.write(&bytes).await?;
                return Err(End::Client);
            }
        }
        self.hand_up(&bytes).await
    }

    async fn heard_server(&mut self, said: Incoming) -> Result<(), End> {
        let mut bytes = Vec::new();
        match said {
            // A byte that is no text ends the link.
            Incoming::Message(Op::Text, body) if std::str::from_utf8(&body).is_err() => {
                return Err(End::Server);
            }
            Incoming::Message(op, body) => wire::frame(&mut bytes, true, op, &body),
            Incoming::Ping(body) => {
                wire::client_frame(&mut bytes, Op::Pong, &body);
                return self.hand_up(&bytes).await;
            }
            Incoming::Pong => return Ok(()),
            Incoming::Close(body) => {
                wire::frame(&mut bytes, true, Op::Close, &body);
                self.line.write(&bytes).await?;
                return Err(End::Server);
            }
        }
        self.line.write(&bytes).await
    }

    async fn hand_up(&mut self, bytes: &[u8]) -> Result<(), End> {
        self.upstream
            .write_all(bytes)
            .await
            .map_err(|_| End::Server)
    }
}

/// The next thing that a side says. May be given up at any time.
async fn next<S: AsyncRead + Unpin>(reader: &mut Reader, stream: &mut S) -> Result<Incoming, End> {
    loop {
        match reader.poll() {
            Ok(Some(said)) => return Ok(said),
            Ok(None) => {}
            Err(_) => return Err(End::Server),
        }
        reader.buffer.reserve(4096);
        match stream.read_buf(&mut reader.buffer).await {
            Ok(0) | Err(_) => return Err(End::Server),
            Ok(_) => {}
        }
    }
}
