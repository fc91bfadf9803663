//! A WebSocket over TCP or TLS (protocols.md 1.3): upgrade, messages, pings, limits.

use std::io;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::error::{ProtocolError, SubProtocolError};
use tokio_tungstenite::tungstenite::handshake::client::Request;
use tokio_tungstenite::tungstenite::http::{HeaderValue, Response};
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{WebSocketStream, client_async_with_config};
use url::Url;

use crate::codec::{Packet, http_date};
use crate::model::way::{Cookie, Way};
use crate::model::{Cause, FaultKind, Micros, words};
use crate::say;
use crate::text::redact::{self, Secret};
use crate::word;

use super::opcodes::{Detexted, Opcode};
use super::stream::Stream;
use super::{DialError, LinkError, MAX_MESSAGE, READ_BUFFER, dial, refusal, tls};

/// The whole attempt, DNS to upgrade.
const ATTEMPT: Duration = Duration::from_secs(10);
const UPGRADE: Duration = Duration::from_secs(5);
const SEND: Duration = Duration::from_secs(10);
const GOODBYE: Duration = Duration::from_secs(1);

/// What to ask for.
#[derive(Clone, Copy, Debug)]
pub struct Upgrade<'a> {
    /// The URL, without fragment.
    pub url: &'a Url,
    /// What is offered. A server that selects none, or another one, is asked again without.
    pub subprotocol: Option<&'a str>,
    /// User and password for Basic authentication.
    pub login: Option<(&'a str, &'a Secret)>,
    /// How the server is reached.
    pub way: &'a Way,
}

/// Redirects that are followed, on the same host.
const REDIRECTS: u32 = 3;

/// A WebSocket that stands.
#[derive(Debug)]
pub struct WsConn {
    socket: WebSocketStream<Detexted<Stream>>,
    subprotocol: Option<String>,
    goodbye: Option<(u16, String)>,
    /// Something is with the library and not with the network yet.
    sending: bool,
}

impl WsConn {
    /// Dials and upgrades as it is asked for.
    pub async fn upgrade(wish: Upgrade<'_>) -> Result<Self, DialError> {
        let what = redact::redact_url(wish.url.as_str()).to_string();
        let attempt = timeout(ATTEMPT, Self::attempts(wish, &what));
        attempt.await.unwrap_or_else(|_| {
            let why = say!("no connection in 10 s", "10 秒内没有连上");
            let next = say!("check the network to it", "请检查到它的网络");
            Err(DialError::later(&what, why, &next).because(Cause::Silent))
        })
    }

    /// With the subprotocol, then without; where a redirect leads on the same host.
    async fn attempts(wish: Upgrade<'_>, what: &str) -> Result<Self, DialError> {
        let mut url = wish.url.clone();
        let mut subprotocol = wish.subprotocol;
        let mut redirects = 0;
        loop {
            let now = Upgrade {
                url: &url,
                subprotocol,
                ..wish
            };
            match Self::attempt(now, what).await? {
                Outcome::Stands(conn) => return Ok(*conn),
                Outcome::NoSubprotocol if subprotocol.is_some() => subprotocol = None,
                // It selects one where none was offered.
                Outcome::NoSubprotocol => return Err(other_subprotocol(what, wish, true)),
                Outcome::Elsewhere(to, error) => {
                    redirects += 1;
                    let same = to.host_str() == url.host_str();
                    let safe = url.scheme() != "wss" || to.scheme() == "wss";
                    if !same || !safe || redirects > REDIRECTS {
                        return Err(*error);
                    }
                    url = to;
                }
            }
        }
    }

    /// One attempt.
    async fn attempt(wish: Upgrade<'_>, what: &str) -> Result<Outcome, DialError> {
        let stream = Stream::open(wish.url, wish.way)
            .await
            .map_err(|mut error: DialError| {
                // A proxy's and a file's faults name themselves.
                if error.fault.kind == FaultKind::Unreachable && !error.cause.is_proxys() {
                    what.clone_into(&mut error.fault.what);
                }
                error
            })?;
        Self::on(stream, wish, what).await.outcome
    }

    /// The upgrade alone, for `doctor`: once, on a stream that stands.
    pub(super) async fn probe(stream: Stream, wish: Upgrade<'_>) -> Probe {
        let what = redact::redact_url(wish.url.as_str()).to_string();
        let answered = Self::on(stream, wish, &what).await;
        let (result, ignored) = match answered.outcome {
            Ok(Outcome::Stands(conn)) => (Ok(*conn), false),
            Ok(Outcome::NoSubprotocol) => {
                let error = other_subprotocol(&what, wish, answered.other);
                (Err(error), !answered.other)
            }
            Ok(Outcome::Elsewhere(_, error)) => (Err(*error), false),
            Err(error) => (Err(error), false),
        };
        Probe {
            result,
            ignored,
            status: answered.status,
            date: answered.date,
            server: answered.server,
        }
    }

    async fn on(stream: Stream, wish: Upgrade<'_>, what: &str) -> Answered {
        let config = WebSocketConfig::default()
            .read_buffer_size(READ_BUFFER)
            .write_buffer_size(0)
            .max_write_buffer_size(2 * MAX_MESSAGE)
            .max_message_size(Some(MAX_MESSAGE))
            .max_frame_size(Some(MAX_MESSAGE));
        let request = match request(wish) {
            Ok(request) => request,
            Err(error) => return Answered::none(Err(upgrade_error(what, wish, &error))),
        };
        let upgrade = client_async_with_config(request, Detexted::new(stream), Some(config));
        let outcome = match timeout(UPGRADE, upgrade).await {
            Ok(Ok((socket, answer))) => {
                let conn = Self {
                    socket,
                    subprotocol: refusal::header(&answer, "sec-websocket-protocol"),
                    goodbye: None,
                    sending: false,
                };
                return Answered::of(&answer, Ok(Outcome::Stands(Box::new(conn))));
            }
            Ok(Err(Error::Protocol(ProtocolError::SecWebSocketSubProtocolError(error)))) => {
                let mut answered = Answered::none(Ok(Outcome::NoSubprotocol));
                answered.status = Some(101);
                answered.other = error != SubProtocolError::NoSubProtocol;
                return answered;
            }
            Ok(Err(error)) => {
                let fault = upgrade_error(what, wish, &error);
                let outcome = match elsewhere(wish.url, &error) {
                    Some(to) => Ok(Outcome::Elsewhere(to, Box::new(fault))),
                    None => Err(fault),
                };
                if let Error::Http(answer) = &error {
                    return Answered::of(answer, outcome);
                }
                outcome
            }
            Err(_) => {
                let why = say!(
                    "the server took the connection and did not answer the upgrade in 5 s",
                    "服务器接受了连接，但 5 秒内没有应答升级请求"
                );
                Err(DialError::later(what, why, &check_port()).because(Cause::Silent))
            }
        };
        Answered::none(outcome)
    }

    /// The subprotocol that the server selected.
    pub fn subprotocol(&self) -> Option<&str> {
        self.subprotocol.as_deref()
    }

    /// The code of the server's close frame, once it has come.
    pub fn close_code(&self) -> Option<u16> {
        self.goodbye.as_ref().map(|(code, _)| *code)
    }

    /// The next packet. Cancel-safe.
    pub async fn recv(&mut self) -> Result<Packet, LinkError> {
        loop {
            let next = self.socket.next().await;
            // The reply to a close frame goes out with this; that the server then closes TCP is
            // not to be waited for (protocols.md 9.1 no. 4).
            if matches!(next, Some(Ok(Message::Close(_)))) {
                let _ = timeout(GOODBYE, self.socket.flush()).await;
            }
            if let Some(received) = self.received(next) {
                return received;
            }
        }
    }

    /// Sends `outgoing` and receives at the same time, so that two peers that both have much to
    /// say can't wait for each other. Ready with what came, or with `None` when `outgoing` has
    /// become empty and is with the network. Without `read` it only sends. Cancel-safe: what is
    /// sent is taken from `outgoing`.
    pub async fn exchange(
        &mut self,
        outgoing: &mut Option<Packet>,
        read: bool,
    ) -> Result<Option<Packet>, LinkError> {
        std::future::poll_fn(|cx| {
            match self.poll_outgoing(outgoing, cx) {
                Poll::Ready(Ok(())) => return Poll::Ready(Ok(None)),
                // What the peer said before it went is still to be read.
                Poll::Ready(Err(_)) | Poll::Pending => {}
            }
            if !read {
                return Poll::Pending;
            }
            loop {
                let Poll::Ready(next) = self.socket.poll_next_unpin(cx) else {
                    return Poll::Pending;
                };
                if let Some(received) = self.received(next) {
                    return Poll::Ready(received.map(Some));
                }
            }
        })
        .await
    }

    /// Ready when a packet has been sent whole; pending without one.
    fn poll_outgoing(
        &mut self,
        outgoing: &mut Option<Packet>,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(), Error>> {
        if outgoing.is_some() {
            std::task::ready!(self.socket.poll_ready_unpin(cx))?;
            if let Some(message) = outgoing.take().and_then(message) {
                self.socket.start_send_unpin(message)?;
            }
            self.sending = true;
        }
        if !self.sending {
            return Poll::Pending;
        }
        std::task::ready!(self.socket.poll_flush_unpin(cx))?;
        self.sending = false;
        Poll::Ready(Ok(()))
    }

    /// What a message of the library means; none for those that mean nothing.
    fn received(
        &mut self,
        next: Option<Result<Message, Error>>,
    ) -> Option<Result<Packet, LinkError>> {
        Some(match next {
            Some(Ok(Message::Binary(bytes))) => Ok(self.data(bytes)),
            Some(Ok(Message::Text(text))) => Ok(Packet::Text(text.into())),
            Some(Ok(Message::Ping(_))) => Ok(Packet::Ping),
            Some(Ok(Message::Pong(_))) => Ok(Packet::Pong),
            Some(Ok(Message::Close(frame))) => {
                let wire = self.socket.get_ref().close_code();
                self.goodbye = frame.map(|f| goodbye(f.code.into(), f.reason.as_str(), wire));
                Err(self.ended())
            }
            Some(Ok(Message::Frame(_))) => return None,
            Some(Err(error)) => Err(self.lost(&error)),
            None => Err(self.ended()),
        })
    }

    fn data(&mut self, bytes: Bytes) -> Packet {
        match self.socket.get_mut().next_opcode() {
            Some(Opcode::Text) => Packet::Text(bytes),
            Some(Opcode::Binary) | None => Packet::Binary(bytes),
        }
    }

    fn ended(&self) -> LinkError {
        match &self.goodbye {
            Some((code @ (1002 | 1003 | 1007 | 1008 | 1009), reason)) => {
                LinkError::Broken(close_words(*code, reason))
            }
            Some((code, reason)) => LinkError::Ended(close_words(*code, reason)),
            None => LinkError::Ended(say!("the server closed the connection", "服务器关闭了连接")),
        }
    }

    fn lost(&self, error: &Error) -> LinkError {
        match error {
            Error::ConnectionClosed
            | Error::AlreadyClosed
            | Error::Protocol(ProtocolError::ResetWithoutClosingHandshake) => self.ended(),
            Error::Io(error) if error.kind() == io::ErrorKind::UnexpectedEof => self.ended(),
            Error::Io(error) if error.kind() == io::ErrorKind::ConnectionReset => {
                LinkError::Cut(say!("the server reset the connection", "服务器重置了连接"))
            }
            Error::Io(error) => {
                let error = words::io_error(error);
                LinkError::Cut(say!(
                    "the connection broke ({error})",
                    "连接中断（{error}）"
                ))
            }
            Error::Capacity(_) => LinkError::Missing(say!(
                "a message over 4 MiB came; it was not kept",
                "收到超过 4 MiB 的消息，没有保留"
            )),
            other => LinkError::Broken(say!(
                "the server broke the WebSocket protocol: {other}",
                "服务器违反了 WebSocket 协议：{other}"
            )),
        }
    }

    /// Sends a packet; gives up after 10 s.
    pub async fn send(&mut self, packet: Packet) -> Result<(), LinkError> {
        let Some(message) = message(packet) else {
            return Ok(());
        };
        match timeout(SEND, self.socket.send(message)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(self.lost(&error)),
            Err(_) => Err(LinkError::Cut(say!(
                "the server has taken nothing for 10 s",
                "服务器 10 秒没有接收任何数据"
            ))),
        }
    }

    /// The closing handshake, for 1 s at most; servers here rarely answer it.
    pub async fn close(mut self) {
        drop(timeout(GOODBYE, self.socket.close(None)).await);
    }
}

/// How an attempt ended that may be followed by another one.
enum Outcome {
    Stands(Box<WsConn>),
    /// The server does not go with the subprotocol.
    NoSubprotocol,
    /// It redirects there; the fault is for whoever does not follow.
    Elsewhere(Url, Box<DialError>),
}

/// What came as an answer to an upgrade, besides how it ended.
struct Answered {
    outcome: Result<Outcome, DialError>,
    /// It selected a subprotocol that was not offered, rather than none.
    other: bool,
    status: Option<u16>,
    date: Option<Micros>,
    server: Option<String>,
}

impl Answered {
    fn none(outcome: Result<Outcome, DialError>) -> Self {
        Self {
            outcome,
            other: false,
            status: None,
            date: None,
            server: None,
        }
    }

    fn of<T>(answer: &Response<T>, outcome: Result<Outcome, DialError>) -> Self {
        Self {
            status: Some(answer.status().as_u16()),
            date: refusal::header(answer, "date").and_then(|date| http_date::moment(&date)),
            server: refusal::header(answer, "server"),
            ..Self::none(outcome)
        }
    }
}

/// What an upgrade tells `doctor`.
#[derive(Debug)]
pub struct Probe {
    /// The WebSocket, or the fault.
    pub result: Result<WsConn, DialError>,
    /// The fault is only that it selected no subprotocol; it may do without.
    pub ignored: bool,
    /// The status, if it answered as HTTP does.
    pub status: Option<u16>,
    /// The server's clock.
    pub date: Option<Micros>,
    /// What it calls itself.
    pub server: Option<String>,
}

/// The server does not go with the subprotocol that was offered, or with none.
fn other_subprotocol(what: &str, wish: Upgrade<'_>, other: bool) -> DialError {
    let why = match (wish.subprotocol, other) {
        (Some(offered), true) => say!(
            "it selects another subprotocol than {offered}",
            "它选择的子协议不是 {offered}"
        ),
        (Some(offered), false) => say!(
            "it does not select the subprotocol {offered}",
            "它没有选择子协议 {offered}"
        ),
        (None, _) => say!(
            "it selects a subprotocol that was not asked for",
            "它选择了没有请求过的子协议"
        ),
    };
    let next = say!(
        "check that the path is the platform's, not another program's",
        "请确认该路径属于平台，而不是其他程序"
    );
    DialError::never(FaultKind::Protocol, what, why, &next).because(Cause::Subprotocol)
}

/// Where a redirect leads, as a WebSocket's URL.
fn elsewhere(from: &Url, error: &Error) -> Option<Url> {
    let Error::Http(answer) = error else {
        return None;
    };
    if !matches!(answer.status().as_u16(), 301 | 302 | 307 | 308) {
        return None;
    }
    let mut to = from.join(&refusal::header(answer, "location")?).ok()?;
    let scheme = match to.scheme() {
        "https" | "wss" => "wss",
        "http" | "ws" => "ws",
        _ => return None,
    };
    let scheme = scheme.to_owned();
    // A special scheme becomes another one.
    to.set_scheme(&scheme).ok()?;
    Some(to)
}

fn check_port() -> String {
    say!(
        "check that the port is the platform's WebSocket port",
        "请确认该端口是平台的 WebSocket 端口"
    )
}

/// The library's message for a packet; none for what no WebSocket carries.
fn message(packet: Packet) -> Option<Message> {
    Some(match packet {
        Packet::Text(bytes) => match String::from_utf8(bytes.to_vec()) {
            Ok(text) => Message::text(text),
            Err(error) => Message::binary(error.into_bytes()),
        },
        Packet::Binary(bytes) => Message::Binary(bytes),
        Packet::Ping => Message::Ping(Bytes::new()),
        Packet::Pong => Message::Pong(Bytes::new()),
        Packet::Parts(_) => return None,
    })
}

/// The request; a user's name is never part of its line.
fn request(wish: Upgrade<'_>) -> Result<Request, Error> {
    let mut bare = wish.url.clone();
    let _ = bare.set_username("");
    let mut request = bare.as_str().into_client_request()?;
    let headers = request.headers_mut();
    if let Some(subprotocol) = wish.subprotocol {
        headers.insert(
            "sec-websocket-protocol",
            HeaderValue::from_str(subprotocol)?,
        );
    }
    if let Some((user, password)) = wish.login {
        let mut value = HeaderValue::from_str(&redact::basic(user, password))?;
        value.set_sensitive(true);
        headers.insert("authorization", value);
    }
    if let Some(Cookie(cookie)) = &wish.way.cookie {
        let mut value = HeaderValue::from_str(cookie.expose())?;
        value.set_sensitive(true);
        headers.insert("cookie", value);
    }
    Ok(request)
}

/// Code and reason of a close frame. For a code that may not be on the wire the library says
/// 1002; ttyd sends 1006 when its program failed (protocols.md 6.5).
fn goodbye(code: u16, reason: &str, wire: Option<u16>) -> (u16, String) {
    match wire {
        Some(wire) if code == 1002 && wire != code => (wire, String::new()),
        _ => (code, reason.to_owned()),
    }
}

fn close_words(code: u16, reason: &str) -> String {
    let meaning = match code {
        1000 => word!("normal end", "正常结束"),
        1001 => word!("it goes away", "它正在离开"),
        1002 => word!("it says that we broke the protocol", "它认为我们违反了协议"),
        1006 => word!("it ended abnormally", "异常结束"),
        1007 => word!("it did not like our text", "它不接受我们的文本"),
        1008 => word!("it refuses us", "它拒绝我们"),
        1009 => word!("a message of ours was too long", "我们的消息太长"),
        1011 => word!("it has an error of its own", "它自身出错"),
        1012 => word!("it restarts", "它正在重启"),
        1013 => word!("try again later", "请稍后再试"),
        _ => word!("code of its own", "自定义代码"),
    };
    let reason = if reason.is_empty() {
        String::new()
    } else {
        say!(": {reason}", "：{reason}")
    };
    say!(
        "the server closed with {code} ({meaning}){reason}",
        "服务器以 {code}（{meaning}）关闭{reason}"
    )
}

fn upgrade_error(what: &str, wish: Upgrade<'_>, error: &Error) -> DialError {
    match error {
        Error::Http(answer) => refusal::refused(what, answer),
        Error::Io(error) if error.kind() == io::ErrorKind::ConnectionReset => {
            DialError::later(what, dial::resets(), &check_port()).because(Cause::Reset)
        }
        Error::Protocol(ProtocolError::HandshakeIncomplete) => {
            let why = say!(
                "the server ended the connection instead of upgrading",
                "服务器没有升级，而是断开了连接"
            );
            DialError::later(what, why, &check_port()).because(Cause::OtherProtocol)
        }
        Error::Io(error) => {
            let host = wish.url.host_str().unwrap_or("");
            if let Some(mut told) = tls::told(host, wish.way, error) {
                what.clone_into(&mut told.fault.what);
                return told;
            }
            let error = words::io_error(error);
            let why = say!(
                "the server ended the connection instead of upgrading ({error})",
                "服务器没有升级，而是断开了连接（{error}）"
            );
            DialError::later(what, why, &check_port()).because(Cause::OtherProtocol)
        }
        other => {
            let why = say!(
                "the server's answer is no WebSocket upgrade ({other})",
                "服务器的应答不是 WebSocket 升级（{other}）"
            );
            DialError::never(FaultKind::Unreachable, what, why, &check_port())
                .because(Cause::OtherProtocol)
        }
    }
}
