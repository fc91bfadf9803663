//! A WebSocket over TCP or TLS (protocols.md 1.3): upgrade, messages, pings, limits.

use std::io;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::error::ProtocolError;
use tokio_tungstenite::tungstenite::handshake::client::Request;
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Error, Message, http};
use tokio_tungstenite::{WebSocketStream, client_async_with_config};
use url::Url;

use crate::codec::Packet;
use crate::lang;
use crate::model::{FaultKind, words};
use crate::say;
use crate::text::redact::{self, Secret};
use crate::word;

use super::opcodes::{Detexted, Opcode};
use super::stream::Stream;
use super::{DialError, LinkError, MAX_MESSAGE, READ_BUFFER, Refusal, dial};

/// The whole attempt, DNS to upgrade.
const ATTEMPT: Duration = Duration::from_secs(10);
const UPGRADE: Duration = Duration::from_secs(5);
const SEND: Duration = Duration::from_secs(10);
const GOODBYE: Duration = Duration::from_secs(1);

const PORT: lang::Words = lang::words(
    "check that the port is the platform's WebSocket port",
    "请检查端口是否为平台的 WebSocket 端口",
);

/// What to ask for.
#[derive(Clone, Copy, Debug)]
pub struct Upgrade<'a> {
    /// The URL, without fragment.
    pub url: &'a Url,
    /// What is offered. A server that selects none, or another one, is asked again without.
    pub subprotocol: Option<&'a str>,
    /// User and password for Basic authentication.
    pub login: Option<(&'a str, &'a Secret)>,
}

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
    /// Dials `url` (without fragment) and upgrades.
    pub async fn open(url: &Url) -> Result<Self, DialError> {
        let (subprotocol, login) = (None, None);
        Self::upgrade(Upgrade {
            url,
            subprotocol,
            login,
        })
        .await
    }

    /// Dials and upgrades as it is asked for.
    pub async fn upgrade(wish: Upgrade<'_>) -> Result<Self, DialError> {
        let what = redact::redact_url(wish.url.as_str()).to_string();
        let attempt = timeout(ATTEMPT, async {
            if let Some(conn) = Self::attempt(wish, &what).await? {
                return Ok(conn);
            }
            let bare = Upgrade {
                subprotocol: None,
                ..wish
            };
            let other = Self::attempt(bare, &what).await?;
            other.ok_or_else(|| upgrade_error(&what, &Error::ConnectionClosed))
        });
        attempt.await.unwrap_or_else(|_| {
            Err(DialError::later(
                &what,
                word!("no connection in 10 s", "10 s 内未能连接"),
                word!("check the network to it", "请检查到它的网络"),
            ))
        })
    }

    /// One attempt; none if the server does not go with the subprotocol.
    async fn attempt(wish: Upgrade<'_>, what: &str) -> Result<Option<Self>, DialError> {
        let url = wish.url;
        let stream = Stream::open(url).await.map_err(|mut error: DialError| {
            what.clone_into(&mut error.fault.what);
            error
        })?;
        let config = WebSocketConfig::default()
            .read_buffer_size(READ_BUFFER)
            .write_buffer_size(0)
            .max_write_buffer_size(1 << 20)
            .max_message_size(Some(MAX_MESSAGE))
            .max_frame_size(Some(MAX_MESSAGE));
        let request = request(wish).map_err(|error| upgrade_error(what, &error))?;
        let upgrade = client_async_with_config(request, Detexted::new(stream), Some(config));
        match timeout(UPGRADE, upgrade).await {
            Ok(Ok((socket, answer))) => Ok(Some(Self {
                socket,
                subprotocol: header(&answer, "sec-websocket-protocol"),
                goodbye: None,
                sending: false,
            })),
            Ok(Err(Error::Protocol(ProtocolError::SecWebSocketSubProtocolError(_)))) => Ok(None),
            Ok(Err(error)) => Err(upgrade_error(what, &error)),
            Err(_) => {
                let why = word!(
                    "the server took the connection and did not answer the upgrade in 5 s",
                    "服务端接受了连接，但 5 s 内没有应答协议升级"
                );
                Err(DialError::later(what, why, PORT.get()))
            }
        }
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
            None => LinkError::Ended(
                word!("the server closed the connection", "服务端关闭了连接").into(),
            ),
        }
    }

    fn lost(&self, error: &Error) -> LinkError {
        match error {
            Error::ConnectionClosed
            | Error::AlreadyClosed
            | Error::Protocol(ProtocolError::ResetWithoutClosingHandshake) => self.ended(),
            Error::Io(error) if error.kind() == io::ErrorKind::UnexpectedEof => self.ended(),
            Error::Io(error) if error.kind() == io::ErrorKind::ConnectionReset => {
                LinkError::Cut(word!("the server reset the connection", "服务端重置了连接").into())
            }
            Error::Io(error) => LinkError::Cut(say!(
                "the connection broke ({})",
                "连接中断（{}）",
                words::io_error(error)
            )),
            Error::Capacity(_) => LinkError::Missing(
                word!(
                    "a message over 4 MiB came; it was not kept",
                    "收到超过 4 MiB 的消息；未保留"
                )
                .into(),
            ),
            other => LinkError::Broken(say!(
                "the server broke the WebSocket protocol: {other}",
                "服务端违反了 WebSocket 协议：{other}"
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
            Err(_) => Err(LinkError::Cut(
                word!(
                    "the server has taken nothing for 10 s",
                    "服务端已 10 s 没有接收数据"
                )
                .into(),
            )),
        }
    }

    /// The closing handshake, for 1 s at most; servers here rarely answer it.
    pub async fn close(mut self) {
        drop(timeout(GOODBYE, self.socket.close(None)).await);
    }
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
    Ok(request)
}

fn header<T>(answer: &http::Response<T>, name: &str) -> Option<String> {
    let value = answer.headers().get(name)?;
    Some(String::from_utf8_lossy(value.as_bytes()).into_owned())
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
        1001 => word!("it goes away", "服务端离开"),
        1002 => word!("it says that we broke the protocol", "它称我方违反协议"),
        1006 => word!("it ended abnormally", "异常结束"),
        1007 => word!("it did not like our text", "它不接受我方的文本"),
        1008 => word!("it refuses us", "它拒绝我方"),
        1009 => word!("a message of ours was too long", "我方的消息过长"),
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
        "服务端以 {code}（{meaning}）关闭了连接{reason}"
    )
}

fn upgrade_error(what: &str, error: &Error) -> DialError {
    match error {
        Error::Http(answer) => refused(what, answer),
        Error::Io(error) if error.kind() == io::ErrorKind::ConnectionReset => {
            DialError::later(what, dial::RESETS.get(), PORT.get())
        }
        Error::Protocol(ProtocolError::HandshakeIncomplete) => DialError::later(
            what,
            word!(
                "the server ended the connection instead of upgrading",
                "服务端没有升级协议就断开了连接"
            ),
            PORT.get(),
        )
        .by(Refusal::Silence),
        Error::Io(error) => {
            let why = say!(
                "the server ended the connection instead of upgrading ({})",
                "服务端没有升级协议就断开了连接（{}）",
                words::io_error(error)
            );
            DialError::later(what, why, PORT.get()).by(Refusal::Silence)
        }
        other => DialError::never(
            FaultKind::Unreachable,
            what,
            say!(
                "the server's answer is no WebSocket upgrade ({other})",
                "服务端的应答不是 WebSocket 升级（{other}）"
            ),
            PORT.get(),
        ),
    }
}

/// What a refusal says, to stand behind other words; nothing if it says nothing.
fn quoted(body: &[u8]) -> String {
    let said = body.get(..body.len().min(200)).unwrap_or(&[]);
    let said = String::from_utf8_lossy(said).trim().to_owned();
    if said.is_empty() {
        String::new()
    } else {
        say!(", saying {said:?}", "，内容为 {said:?}")
    }
}

/// An HTTP answer other than 101 (reliability.md 2.3).
fn refused(what: &str, answer: &http::Response<Option<Vec<u8>>>) -> DialError {
    let status = answer.status();
    let quote = quoted(answer.body().as_deref().unwrap_or(&[]));
    let location = header(answer, "location");
    match status.as_u16() {
        200 => {
            let why = say!(
                "it answers 200 instead of upgrading{quote}: nothing behind it serves this path",
                "返回 200 而未升级协议{quote}：其后没有服务提供此路径"
            );
            DialError::later(
                what,
                why,
                word!(
                    "check the path, and that the platform's event log runs",
                    "请检查路径，并确认平台的 event log 在运行"
                ),
            )
            .by(Refusal::Ok)
        }
        301 | 302 | 307 | 308 => {
            let to = location.unwrap_or_else(|| word!("nowhere", "未写明的地址").into());
            DialError::never(
                FaultKind::Unreachable,
                what,
                say!("it redirects to {to}", "它重定向到 {to}"),
                word!(
                    "use that address if you trust it",
                    "若信任该地址，请直接使用"
                ),
            )
        }
        401 => DialError::never(
            FaultKind::Denied,
            what,
            say!("it wants a login (401){quote}", "它要求登录 (401){quote}"),
            word!("log in at its gateway", "请在其网关登录"),
        ),
        403 => DialError::never(
            FaultKind::Denied,
            what,
            say!("it refuses (403){quote}", "它拒绝访问 (403){quote}"),
            word!("ask for access to it", "请申请访问权限"),
        ),
        404 => DialError::never(
            FaultKind::NotFound,
            what,
            say!(
                "it has no such path (404){quote}",
                "没有此路径 (404){quote}"
            ),
            word!("check the path and the id", "请检查路径和 ID"),
        ),
        407 => DialError::never(
            FaultKind::Unreachable,
            what,
            word!("a proxy wants a login (407)", "代理要求登录 (407)"),
            word!("check the proxy's settings", "请检查代理设置"),
        ),
        408 | 425 | 429 | 500..=599 => DialError::later(
            what,
            say!(
                "it is not ready ({status}){quote}",
                "它尚未就绪（{status}）{quote}"
            ),
            word!("look at the server's own log", "请查看服务端自己的日志"),
        ),
        _ => DialError::never(
            FaultKind::Unreachable,
            what,
            say!(
                "it refused the upgrade ({status}){quote}",
                "它拒绝升级协议（{status}）{quote}"
            ),
            word!("check the path", "请检查路径"),
        ),
    }
}
