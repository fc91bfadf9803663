//! ZeroMQ: the `zeromq` crate's SUB socket, and the guard in front of it.
//!
//! The crate aborts the process on one hostile frame length, grows without limit on endless
//! multipart messages and never gives up on a peer that is silent (reliability.md 3.1, measured
//! on 0.7.0). So the TCP connection is ours: the guard checks the peer's bytes
//! ([`crate::codec::zmtp`]) and hands them to the crate over a local socket in a private
//! directory. The crate binds there, so each connection of ours is a new peer to it and its own
//! reconnecting never starts.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UnixStream};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use zeromq::{Socket, SocketRecv, SubSocket};

use crate::codec::Packet;
use crate::codec::target::ZmqSpec;
use crate::codec::zmtp::{Checker, ZmtpFault};
use crate::model::{Cause, FaultKind, words};
use crate::say;
use crate::word;

use super::{DialError, LinkError, READ_BUFFER, dial};

/// Greeting and READY must be there by then.
const HANDSHAKE: Duration = Duration::from_secs(5);
/// What the crate still holds after the peer is gone is read until it is quiet this long.
const DRAIN: Duration = Duration::from_millis(50);
/// Publishers that are read at once, when we are the listener: each has its buffers and a socket.
const PUBLISHERS: usize = 64;
/// A publisher that could not be taken is tried again after this.
const AGAIN: Duration = Duration::from_millis(100);
/// Reasons of refused publishers that wait to be told, when we are the listener.
const REFUSALS: usize = 16;

/// A SUB socket behind its guard.
#[derive(Debug)]
pub struct ZmqConn {
    sub: Sub,
    /// Aborted when dropped.
    _guard: JoinSet<()>,
    ended: Option<oneshot::Receiver<LinkError>>,
    gone: Option<LinkError>,
    refusals: mpsc::Receiver<String>,
    _private: TempDir,
}

/// The crate's socket has no `Debug`.
struct Sub(SubSocket);

impl std::fmt::Debug for Sub {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SubSocket")
    }
}

impl ZmqConn {
    /// Dials the publisher, or listens for publishers with `bind`.
    pub async fn open(spec: &ZmqSpec) -> Result<Self, DialError> {
        let what = format!("tcp://{}", spec.address);
        let (private, path, sub) = local_socket(spec).await.map_err(|why| {
            DialError::never(
                FaultKind::Internal,
                &what,
                say!(
                    "no local socket could be made: {why}",
                    "无法创建本地套接字：{why}"
                ),
                word!("check TMPDIR", "请检查 TMPDIR"),
            )
        })?;
        let mut guard = JoinSet::new();
        let (refused, refusals) = mpsc::channel(REFUSALS);
        let ended = if spec.bind {
            let listener = TcpListener::bind(&spec.address).await.map_err(|error| {
                let why = say!(
                    "the address can't be listened on ({})",
                    "无法在该地址监听（{}）",
                    words::io_error(&error)
                );
                DialError::never(
                    FaultKind::Unreachable,
                    &what,
                    why,
                    word!(
                        "choose another port, or an address of this machine",
                        "请换一个端口，或用本机的地址"
                    ),
                )
            })?;
            guard.spawn(accept(listener, path, refused));
            None
        } else {
            let (host, port) = spec
                .address
                .rsplit_once(':')
                .unwrap_or((&spec.address, "0"));
            let stream =
                dial::tcp(host, port.parse().unwrap_or(0))
                    .await
                    .map_err(|mut error| {
                        error.fault.what.clone_from(&what);
                        error
                    })?;
            let (ready, is_ready) = oneshot::channel();
            let (done, ended) = oneshot::channel();
            guard.spawn(async move {
                let why = relay(stream, path, Some(ready)).await;
                drop(done.send(why.into_link_error()));
            });
            handshake(is_ready, &what).await?;
            Some(ended)
        };
        Ok(Self {
            sub: Sub(sub),
            _guard: guard,
            ended,
            gone: None,
            refusals,
            _private: private,
        })
    }

    /// The next message. Cancel-safe: the crate's `recv` on a SUB socket only polls its queue.
    pub async fn recv(&mut self) -> Result<Packet, LinkError> {
        loop {
            if let Some(why) = &self.gone {
                return match timeout(DRAIN, self.sub.0.recv()).await {
                    Ok(Ok(message)) => Ok(Packet::Parts(message.into_vec())),
                    Ok(Err(_)) | Err(_) => Err(why.clone()),
                };
            }
            tokio::select! {
                biased;
                message = self.sub.0.recv() => match message {
                    Ok(message) => return Ok(Packet::Parts(message.into_vec())),
                    // The peer left; the guard knows why.
                    Err(_) if self.ended.is_none() => {}
                    Err(_) => {
                        let why = match self.ended.take() {
                            Some(ended) => ended.await.unwrap_or_else(|_| guard_gone()),
                            None => guard_gone(),
                        };
                        self.gone = Some(why);
                    }
                },
                why = guard_end(&mut self.ended) => {
                    self.ended = None;
                    self.gone = Some(why);
                }
                Some(refusal) = self.refusals.recv() => return Err(LinkError::Notice(refusal)),
            }
        }
    }
}

fn guard_gone() -> LinkError {
    LinkError::Ended(word!("the guard ended", "守护任务已结束").into())
}

async fn guard_end(ended: &mut Option<oneshot::Receiver<LinkError>>) -> LinkError {
    match ended {
        Some(ended) => ended.await.unwrap_or_else(|_| guard_gone()),
        None => std::future::pending().await,
    }
}

async fn local_socket(spec: &ZmqSpec) -> Result<(TempDir, PathBuf, SubSocket), String> {
    let private = tempfile::Builder::new()
        .prefix("dw")
        .tempdir()
        .map_err(|error| error.to_string())?;
    let path = private.path().join("s");
    let mut sub = SubSocket::new();
    for prefix in &spec.prefixes {
        sub.subscribe(prefix)
            .await
            .map_err(|error| error.to_string())?;
    }
    sub.bind(&format!("ipc://{}", path.display()))
        .await
        .map_err(|error| error.to_string())?;
    Ok((private, path, sub))
}

async fn handshake(
    is_ready: oneshot::Receiver<Result<(), Ended>>,
    what: &str,
) -> Result<(), DialError> {
    let next = word!(
        "check that the port is a ZeroMQ publisher's",
        "请检查端口是否为 ZeroMQ 发布端"
    );
    match timeout(HANDSHAKE, is_ready).await {
        Ok(Ok(Ok(()))) => Ok(()),
        Ok(Ok(Err(Ended::Fault(fault)))) => {
            let cause = match &fault {
                ZmtpFault::NotZmtp(bytes) if bytes.starts_with("\"HTTP/") => Cause::ZmqIsHttp,
                _ => Cause::OtherProtocol,
            };
            let why = fault.to_string();
            Err(DialError::never(FaultKind::Protocol, what, why, next).because(cause))
        }
        Ok(Ok(Err(why))) => Err(DialError::later(what, why.words(), next)),
        Ok(Err(_)) => Err(DialError::later(
            what,
            word!("the connection ended in the handshake", "握手时连接断开"),
            next,
        )
        .because(Cause::Closed)),
        Err(_) => Err(DialError::later(
            what,
            word!(
                "it took the connection and sent no ZeroMQ greeting in 5 s",
                "它接受了连接，但 5 s 内没有发送 ZeroMQ 问候"
            ),
            next,
        )
        .because(Cause::Silent)),
    }
}

/// Takes publishers as they come; each has its own guard.
async fn accept(listener: TcpListener, path: PathBuf, refused: mpsc::Sender<String>) {
    let mut relays = JoinSet::new();
    let mut told = false;
    loop {
        let (stream, address) = match listener.accept().await {
            Ok(taken) => taken,
            // Without descriptors, for example; there may be some again.
            Err(error) => {
                if !std::mem::replace(&mut told, true) {
                    drop(refused.try_send(say!(
                        "no publisher can be taken ({}); it is tried again",
                        "无法接受发布端（{}）；将重试",
                        words::io_error(&error)
                    )));
                }
                sleep(AGAIN).await;
                continue;
            }
        };
        told = false;
        while relays.try_join_next().is_some() {}
        if relays.len() >= PUBLISHERS {
            drop(refused.try_send(say!(
                "the publisher at {address} is refused: {PUBLISHERS} are connected",
                "拒绝 {address} 的发布端：已连接 {PUBLISHERS} 个"
            )));
            continue;
        }
        dial::prepare(&stream);
        let (path, refused) = (path.clone(), refused.clone());
        relays.spawn(async move {
            let (ready, is_ready) = oneshot::channel();
            let work = relay(stream, path, Some(ready));
            tokio::pin!(work);
            let why = tokio::select! {
                why = &mut work => why,
                late = async { timeout(HANDSHAKE, is_ready).await.is_err() } => {
                    if late { Ended::Silent } else { work.await }
                }
            };
            drop(refused.try_send(say!(
                "the publisher at {address} is gone: {}",
                "{address} 的发布端已离开：{}",
                why.words()
            )));
        });
    }
}

/// Why a relay ended.
#[derive(Debug)]
enum Ended {
    Closed,
    Io(String),
    Fault(ZmtpFault),
    Local(String),
    Silent,
}

impl Ended {
    /// A peer that broke the protocol is told from one that went away.
    fn into_link_error(self) -> LinkError {
        let words = self.words();
        match self {
            Self::Fault(_) => LinkError::Broken(words),
            Self::Closed | Self::Io(_) | Self::Local(_) | Self::Silent => LinkError::Ended(words),
        }
    }

    fn words(&self) -> String {
        match self {
            Self::Closed => word!("the publisher closed the connection", "发布端关闭了连接").into(),
            Self::Io(why) => say!("the connection broke ({why})", "连接中断（{why}）"),
            Self::Fault(fault) => say!(
                "the publisher was cut off: {fault}",
                "已切断发布端：{fault}"
            ),
            Self::Local(why) => say!("the local socket broke ({why})", "本地套接字中断（{why}）"),
            Self::Silent => word!(
                "no ZeroMQ greeting came in 5 s",
                "5 s 内没有收到 ZeroMQ 问候"
            )
            .into(),
        }
    }
}

/// Carries bytes between a publisher and the crate; the publisher's are checked.
async fn relay(
    stream: TcpStream,
    path: PathBuf,
    ready: Option<oneshot::Sender<Result<(), Ended>>>,
) -> Ended {
    let local = match UnixStream::connect(&path).await {
        Ok(local) => local,
        Err(error) => return Ended::Local(words::io_error(&error)),
    };
    let (mut from_peer, mut to_peer) = stream.into_split();
    let (mut from_crate, mut to_crate) = local.into_split();
    let mut upward = JoinSet::new();
    upward.spawn(async move { drop(tokio::io::copy(&mut from_crate, &mut to_peer).await) });
    let mut ready = ready;
    let mut checker = Checker::default();
    let mut bytes = vec![0; READ_BUFFER];
    let mut sound = Vec::with_capacity(READ_BUFFER);
    let ended = loop {
        let read = match from_peer.read(&mut bytes).await {
            Ok(0) => break Ended::Closed,
            Ok(read) => read,
            Err(error) => break io_end(&error),
        };
        sound.clear();
        let checked = checker.feed(bytes.get(..read).unwrap_or(&[]), &mut sound);
        if let Err(error) = to_crate.write_all(&sound).await {
            break Ended::Local(words::io_error(&error));
        }
        if let Err(fault) = checked {
            break Ended::Fault(fault);
        }
        if checker.is_ready()
            && let Some(ready) = ready.take()
        {
            drop(ready.send(Ok(())));
        }
    };
    drop(to_crate.shutdown().await);
    match ready {
        Some(ready) => {
            let words = ended.words();
            drop(ready.send(Err(ended)));
            Ended::Io(words)
        }
        None => ended,
    }
}

fn io_end(error: &io::Error) -> Ended {
    if error.kind() == io::ErrorKind::ConnectionReset {
        Ended::Closed
    } else {
        Ended::Io(words::io_error(error))
    }
}
