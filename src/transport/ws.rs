//! A WebSocket over TCP or TLS (protocols.md 1.3): upgrade, messages, pings, limits.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::client::TlsStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::error::ProtocolError;
use tokio_tungstenite::tungstenite::handshake::client::Request;
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Error, Message, http};
use tokio_tungstenite::{WebSocketStream, client_async_with_config};
use url::Url;

use crate::codec::Packet;
use crate::model::{FaultKind, words};
use crate::text::redact::{self, Secret};

use super::opcodes::{Detexted, Opcode};
use super::{DialError, LinkError, MAX_MESSAGE, READ_BUFFER, dial};

/// The whole attempt, DNS to upgrade.
const ATTEMPT: Duration = Duration::from_secs(10);
const UPGRADE: Duration = Duration::from_secs(5);
const SEND: Duration = Duration::from_secs(10);
const GOODBYE: Duration = Duration::from_secs(1);

/// A plain or an encrypted stream.
#[derive(Debug)]
pub enum Stream {
    /// `ws://`.
    Plain(TcpStream),
    /// `wss://`.
    Tls(Box<TlsStream<TcpStream>>),
}

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
                "no connection in 10 s",
                "check the network to it",
            ))
        })
    }

    /// One attempt; none if the server does not go with the subprotocol.
    async fn attempt(wish: Upgrade<'_>, what: &str) -> Result<Option<Self>, DialError> {
        let url = wish.url;
        let host = url.host_str().unwrap_or("");
        let port = url.port_or_known_default().unwrap_or(80);
        let named = |mut error: DialError| {
            what.clone_into(&mut error.fault.what);
            error
        };
        let tcp = dial::tcp(host, port).await.map_err(named)?;
        let stream = match url.scheme() {
            "wss" => Stream::Tls(Box::new(dial::tls(host, tcp).await.map_err(named)?)),
            _ => Stream::Plain(tcp),
        };
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
                let why = "the server took the connection and did not answer the upgrade in 5 s";
                Err(DialError::later(
                    what,
                    why,
                    "check that the port is the platform's WebSocket port",
                ))
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
                self.goodbye = frame.map(|f| (f.code.into(), f.reason.as_str().to_owned()));
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
            None => LinkError::Ended("the server closed the connection".into()),
        }
    }

    fn lost(&self, error: &Error) -> LinkError {
        match error {
            Error::ConnectionClosed
            | Error::AlreadyClosed
            | Error::Protocol(ProtocolError::ResetWithoutClosingHandshake) => self.ended(),
            Error::Io(error) if error.kind() == io::ErrorKind::UnexpectedEof => self.ended(),
            Error::Io(error) if error.kind() == io::ErrorKind::ConnectionReset => {
                LinkError::Cut("the server reset the connection".into())
            }
            Error::Io(error) => {
                LinkError::Cut(format!("the connection broke ({})", words::io_error(error)))
            }
            Error::Capacity(_) => {
                LinkError::Missing("a message over 4 MiB came; it was not kept".into())
            }
            other => LinkError::Broken(format!("the server broke the WebSocket protocol: {other}")),
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
                "the server has taken nothing for 10 s".into(),
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

fn close_words(code: u16, reason: &str) -> String {
    let meaning = match code {
        1000 => "normal end",
        1001 => "it goes away",
        1002 => "it says that we broke the protocol",
        1006 => "it ended abnormally",
        1007 => "it did not like our text",
        1008 => "it refuses us",
        1009 => "a message of ours was too long",
        1011 => "it has an error of its own",
        1012 => "it restarts",
        1013 => "try again later",
        _ => "code of its own",
    };
    let reason = if reason.is_empty() {
        String::new()
    } else {
        format!(": {reason}")
    };
    format!("the server closed with {code} ({meaning}){reason}")
}

fn upgrade_error(what: &str, error: &Error) -> DialError {
    match error {
        Error::Http(answer) => refused(what, answer),
        Error::Io(error) if error.kind() == io::ErrorKind::ConnectionReset => DialError::later(
            what,
            dial::RESETS,
            "check that the port is the platform's WebSocket port",
        ),
        Error::Protocol(ProtocolError::HandshakeIncomplete) => DialError::later(
            what,
            "the server ended the connection instead of upgrading",
            "check that the port is the platform's WebSocket port",
        ),
        Error::Io(error) => {
            let why = format!(
                "the server ended the connection instead of upgrading ({})",
                words::io_error(error)
            );
            DialError::later(
                what,
                why,
                "check that the port is the platform's WebSocket port",
            )
        }
        other => DialError::never(
            FaultKind::Unreachable,
            what,
            format!("the server's answer is no WebSocket upgrade ({other})"),
            "check that the port is the platform's WebSocket port",
        ),
    }
}

/// An HTTP answer other than 101 (reliability.md 2.3).
fn refused(what: &str, answer: &http::Response<Option<Vec<u8>>>) -> DialError {
    let status = answer.status();
    let body = answer.body().as_deref().unwrap_or(&[]);
    let said = body.get(..body.len().min(200)).unwrap_or(&[]);
    let said = String::from_utf8_lossy(said).trim().to_owned();
    let quote = if said.is_empty() {
        String::new()
    } else {
        format!(", saying {said:?}")
    };
    let location = header(answer, "location");
    match status.as_u16() {
        200 => {
            let why = format!(
                "it answers 200 instead of upgrading{quote}: nothing behind it serves this path"
            );
            DialError::later(
                what,
                why,
                "check the path, and that the platform's event log runs",
            )
        }
        301 | 302 | 307 | 308 => {
            let to = location.unwrap_or_else(|| "nowhere".into());
            DialError::never(
                FaultKind::Unreachable,
                what,
                format!("it redirects to {to}"),
                "use that address if you trust it",
            )
        }
        401 => DialError::never(
            FaultKind::Denied,
            what,
            format!("it wants a login (401){quote}"),
            "log in at its gateway",
        ),
        403 => DialError::never(
            FaultKind::Denied,
            what,
            format!("it refuses (403){quote}"),
            "ask for access to it",
        ),
        404 => DialError::never(
            FaultKind::NotFound,
            what,
            format!("it has no such path (404){quote}"),
            "check the path and the id",
        ),
        407 => DialError::never(
            FaultKind::Unreachable,
            what,
            "a proxy wants a login (407)",
            "check the proxy's settings",
        ),
        408 | 425 | 429 | 500..=599 => DialError::later(
            what,
            format!("it is not ready ({status}){quote}"),
            "look at the server's own log",
        ),
        _ => DialError::never(
            FaultKind::Unreachable,
            what,
            format!("it refused the upgrade ({status}){quote}"),
            "check the path",
        ),
    }
}

impl AsyncRead for Stream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match &mut *self {
            Self::Plain(stream) => Pin::new(stream).poll_read(cx, buf),
            Self::Tls(stream) => Pin::new(stream).poll_read(cx, buf),
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        match &mut *self {
            Self::Plain(stream) => Pin::new(stream).poll_write(cx, buf),
            Self::Tls(stream) => Pin::new(stream).poll_write(cx, buf),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut *self {
            Self::Plain(stream) => Pin::new(stream).poll_flush(cx),
            Self::Tls(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut *self {
            Self::Plain(stream) => Pin::new(stream).poll_shutdown(cx),
            Self::Tls(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}
