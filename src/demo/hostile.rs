//! Servers that behave badly on purpose: they accept and play a script of bytes, waits and
//! ends. What each has in mind is a row of [`Ill`]; a test may also write its own script.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use socket2::SockRef;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::sleep;

use super::http;
use super::server::bind;

/// One act of a script.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Act {
    /// Reads a whole HTTP head and answers 101 with the right key.
    Upgrade,
    /// Reads until the client has sent this many bytes since the start or the last read act.
    Read(usize),
    /// Writes these bytes.
    Write(Bytes),
    /// Writes these bytes one at a time, with a pause after each.
    Drip(Bytes, Duration),
    /// Writes these bytes again and again until the client leaves.
    Repeat(Bytes),
    /// Waits.
    Wait(Duration),
    /// Stays open and says nothing until the client leaves.
    Hold,
    /// Closes by a TCP reset; a script that ends closes in the usual way.
    Reset,
}

/// A server that plays a script to everyone who connects. Dropping it ends it.
#[derive(Debug)]
pub struct Hostile {
    address: SocketAddr,
    accepted: watch::Receiver<u64>,
    /// Aborted when dropped.
    _task: JoinSet<()>,
}

impl Hostile {
    /// Binds a loopback port that the system chooses.
    pub async fn start(script: Vec<Act>) -> io::Result<Self> {
        let listener = bind(0)?;
        let address = listener.local_addr()?;
        let (count, accepted) = watch::channel(0);
        let mut task = JoinSet::new();
        task.spawn(accept(listener, Arc::new(script), count));
        // The task is there before anybody knows the address.
        tokio::task::yield_now().await;
        Ok(Self {
            address,
            accepted,
            _task: task,
        })
    }

    /// Where it listens.
    pub fn addr(&self) -> SocketAddr {
        self.address
    }

    /// How many have connected so far; a client that storms is seen here.
    pub fn accepted(&self) -> u64 {
        *self.accepted.borrow()
    }
}

async fn accept(listener: TcpListener, script: Arc<Vec<Act>>, count: watch::Sender<u64>) {
    let mut plays = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    count.send_modify(|count| *count += 1);
                    plays.spawn(play(stream, Arc::clone(&script)));
                }
                Err(_) => sleep(Duration::from_millis(10)).await,
            },
            Some(_) = plays.join_next() => {}
        }
    }
}

/// Plays to the end, or until the client is gone.
async fn play(mut stream: TcpStream, script: Arc<Vec<Act>>) {
    let _ = stream.set_nodelay(true);
    let mut buffer = BytesMut::new();
    for act in script.iter() {
        if perform(&mut stream, &mut buffer, act).await.is_err() {
            return;
        }
    }
}

async fn perform(stream: &mut TcpStream, buffer: &mut BytesMut, act: &Act) -> io::Result<()> {
    match act {
        Act::Upgrade => {
            let request = loop {
                if let Some(request) = http::take_request(buffer) {
                    break request;
                }
                more(stream, buffer).await?;
            };
            let key = request.accept.unwrap_or_default();
            stream.write_all(http::switching(&key).as_bytes()).await
        }
        Act::Read(count) => {
            while buffer.len() < *count {
                more(stream, buffer).await?;
            }
            buffer.clear();
            Ok(())
        }
        Act::Write(bytes) => stream.write_all(bytes).await,
        Act::Drip(bytes, pause) => {
            for byte in bytes.chunks(1) {
                stream.write_all(byte).await?;
                sleep(*pause).await;
            }
            Ok(())
        }
        Act::Repeat(bytes) => loop {
            stream.write_all(bytes).await?;
            tokio::task::yield_now().await;
        },
        Act::Wait(pause) => {
            sleep(*pause).await;
            Ok(())
        }
        Act::Hold => loop {
            more(stream, buffer).await?;
            buffer.clear();
        },
        Act::Reset => SockRef::from(&*stream).set_linger(Some(Duration::ZERO)),
    }
}

async fn more(stream: &mut TcpStream, buffer: &mut BytesMut) -> io::Result<()> {
    buffer.reserve(4096);
    match stream.read_buf(buffer).await? {
        0 => Err(io::ErrorKind::UnexpectedEof.into()),
        _ if buffer.len() > http::HEAD_LIMIT => Err(io::ErrorKind::InvalidData.into()),
        _ => Ok(()),
    }
}

/// What a hostile server has in mind. The first ones are for clients of a WebSocket, the ones
/// from `ZmtpSilent` on for subscribers of ZeroMQ.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ill {
    /// Accepts and says nothing.
    Silent,
    /// Bytes that are no HTTP.
    Garbage,
    /// 200 with an empty body.
    EmptyOk,
    /// Half of the 101, then nothing.
    HalfHandshake,
    /// 101 with a wrong key.
    WrongKey,
    /// A header that never ends.
    EndlessHead,
    /// 101, then a frame that claims 2^62 bytes.
    HugeFrame,
    /// 101, then parts of one message for ever.
    EndlessParts,
    /// 101, then a message of 64 bytes, one byte a second.
    Drip,
    /// 101, then a masked frame, which no server may send.
    Masked,
    /// 101, then a frame with a reserved bit.
    ReservedBit,
    /// 101, then half a frame and a reset.
    HalfFrame,
    /// 101, then pings without end.
    PingFlood,
    /// Accepts and resets.
    Reset,
    /// Says nothing, not even a greeting.
    ZmtpSilent,
    /// Greets, and is never ready.
    ZmtpNeverReady,
    /// A proper start, then a frame that claims 2^40 bytes.
    ZmtpHuge40,
    /// A proper start, then a frame that claims 2^62 bytes.
    ZmtpHuge62,
    /// A proper start, then a frame that claims 2^64 - 1 bytes.
    ZmtpHuge64,
    /// A proper start, then a message whose parts never end.
    ZmtpEndlessMore,
    /// The greeting of ZMTP 1.
    ZmtpV1,
    /// The greeting of ZMTP 2.
    ZmtpV2,
    /// A port that speaks HTTP.
    ZmtpHttp,
    /// A greeting that wants a password.
    ZmtpPlain,
    /// A READY of a REP socket.
    ZmtpWrongType,
    /// A proper start, then a command that claims to be long and is not known.
    ZmtpOddCommand,
}

impl Ill {
    /// Those for clients of a WebSocket.
    pub const WEB: [Self; 14] = [
        Self::Silent,
        Self::Garbage,
        Self::EmptyOk,
        Self::HalfHandshake,
        Self::WrongKey,
        Self::EndlessHead,
        Self::HugeFrame,
        Self::EndlessParts,
        Self::Drip,
        Self::Masked,
        Self::ReservedBit,
        Self::HalfFrame,
        Self::PingFlood,
        Self::Reset,
    ];
    /// Those for subscribers of ZeroMQ.
    pub const ZMTP: [Self; 12] = [
        Self::ZmtpSilent,
        Self::ZmtpNeverReady,
        Self::ZmtpHuge40,
        Self::ZmtpHuge62,
        Self::ZmtpHuge64,
        Self::ZmtpEndlessMore,
        Self::ZmtpV1,
        Self::ZmtpV2,
        Self::ZmtpHttp,
        Self::ZmtpPlain,
        Self::ZmtpWrongType,
        Self::ZmtpOddCommand,
    ];

    /// The script that plays it.
    pub fn script(self) -> Vec<Act> {
        match self {
            Self::Silent | Self::ZmtpSilent => vec![Act::Hold],
            Self::Garbage => after(
                &[],
                &[0x17, 0x03, 0xff, 0, b'\r', b'\n', 0x9b, b'\n'].repeat(64),
            ),
            Self::EmptyOk => vec![
                Act::Read(1),
                Act::Write(Bytes::from(http::answer(200, "", ""))),
            ],
            Self::HalfHandshake => {
                after(&[Act::Read(1)], b"HTTP/1.1 101 Switching Protocols\r\nUpgr")
            }
            Self::WrongKey => after(
                &[Act::Read(1)],
                http::switching("bm90IHRoZSBrZXkgdGhhdCA=").as_bytes(),
            ),
            Self::EndlessHead => vec![
                Act::Read(1),
                Act::Write(Bytes::from_static(
                    b"HTTP/1.1 101 Switching Protocols\r\nX-Fill: ",
                )),
                Act::Repeat(Bytes::from(vec![b'x'; 4096])),
            ],
            Self::HugeFrame => after(&[Act::Upgrade], b"\x82\x7f\x40\0\0\0\0\0\0\0never"),
            Self::EndlessParts => vec![
                Act::Upgrade,
                Act::Write(Bytes::from_static(b"\x01\x01x")),
                Act::Repeat(Bytes::from(
                    [&[0, 126, 0x10, 0][..], &[b'x'; 4096]].concat(),
                )),
            ],
            Self::Drip => {
                let frame = [&[0x81, 64][..], &[b'x'; 64]].concat();
                vec![
                    Act::Upgrade,
                    Act::Drip(frame.into(), Duration::from_secs(1)),
                    Act::Hold,
                ]
            }
            Self::Masked => after(&[Act::Upgrade], b"\x81\x82\x01\x02\x03\x04no"),
            Self::ReservedBit => after(&[Act::Upgrade], b"\xc1\x02no"),
            Self::HalfFrame => vec![
                Act::Upgrade,
                Act::Write(Bytes::from_static(b"\x81\x7e\x10\0half")),
                Act::Reset,
            ],
            Self::PingFlood => vec![
                Act::Upgrade,
                Act::Repeat(Bytes::from(b"\x89\0".repeat(512))),
            ],
            Self::Reset => vec![Act::Reset],
            Self::ZmtpNeverReady => after(&[], &greeting(3, b"NULL")),
            Self::ZmtpHuge40 => started(b"\x02\0\0\x01\0\0\0\0\0never"),
            Self::ZmtpHuge62 => started(b"\x02\x40\0\0\0\0\0\0\0never"),
            Self::ZmtpHuge64 => started(b"\x02\xff\xff\xff\xff\xff\xff\xff\xffnever"),
            Self::ZmtpEndlessMore => {
                let mut acts = started(b"");
                acts.pop();
                acts.push(Act::Repeat(Bytes::from(b"\x01\x01x".repeat(1024))));
                acts
            }
            // ZMTP 1: an anonymous identity frame, then messages with a length of one byte.
            Self::ZmtpV1 => after(&[], b"\x01\0\x06\0hello"),
            // ZMTP 2: signature, revision 1, socket type PUB, an empty identity.
            Self::ZmtpV2 => after(&[], b"\xff\0\0\0\0\0\0\0\x01\x7f\x01\x01\0\0\0\x05hello"),
            Self::ZmtpHttp => after(
                &[],
                b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n",
            ),
            Self::ZmtpPlain => after(&[], &greeting(3, b"PLAIN")),
            Self::ZmtpWrongType => after(&[], &[greeting(3, b"NULL"), ready(b"REP")].concat()),
            Self::ZmtpOddCommand => started(b"\x04\x06\x05HELLO"),
        }
    }
}

/// These acts, then these bytes, then silence.
fn after(acts: &[Act], bytes: &[u8]) -> Vec<Act> {
    let mut all = acts.to_vec();
    all.push(Act::Write(Bytes::copy_from_slice(bytes)));
    all.push(Act::Hold);
    all
}

/// A proper start of a ZeroMQ publisher, then these bytes. It waits for the peer's greeting of
/// 64 bytes before it is ready.
fn started(bytes: &[u8]) -> Vec<Act> {
    let start = [
        Act::Write(Bytes::from(greeting(3, b"NULL"))),
        Act::Read(64),
        Act::Write(Bytes::from(ready(b"PUB"))),
        Act::Wait(Duration::from_millis(50)),
    ];
    after(&start, bytes)
}

/// ZMTP 3's greeting: signature, version, mechanism, not a server, 31 zeros.
pub fn greeting(version: u8, mechanism: &[u8]) -> Vec<u8> {
    let mut bytes = b"\xff\0\0\0\0\0\0\0\0\x7f".to_vec();
    bytes.extend([version, 0]);
    bytes.extend(
        mechanism
            .iter()
            .copied()
            .chain(std::iter::repeat(0))
            .take(20),
    );
    bytes.resize(64, 0);
    bytes
}

/// ZMTP 3's READY command of a socket of that type.
pub fn ready(socket_type: &[u8]) -> Vec<u8> {
    let mut body = b"\x05READY\x0bSocket-Type\0\0\0".to_vec();
    body.push(u8::try_from(socket_type.len()).unwrap_or(u8::MAX));
    body.extend_from_slice(socket_type);
    let mut bytes = vec![4, u8::try_from(body.len()).unwrap_or(u8::MAX)];
    bytes.extend(body);
    bytes
}
