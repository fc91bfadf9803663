//! A connection made step by step, for `doctor`: the same steps as everywhere, each with what it
//! found (reliability.md 2.2, 2.3).

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use url::Url;

use crate::model::way::{Proxy, Way};

use super::stream::Stream;
use super::ws::{Probe, Upgrade, WsConn};
use super::{DialError, dial, proxy, tls};

/// A server that speaks HTTP answers a request in this time.
const HTTP: Duration = Duration::from_secs(2);

/// The addresses of a host, in the order in which they are tried.
pub async fn resolve(host: &str, port: u16) -> Result<Vec<SocketAddr>, DialError> {
    dial::resolve(host, port, &format!("{host}:{port}")).await
}

/// A stream to the first of these addresses that answers.
pub async fn connect(
    addresses: Vec<SocketAddr>,
    host: &str,
    port: u16,
) -> Result<TcpStream, DialError> {
    dial::connect(addresses, &format!("{host}:{port}")).await
}

/// That a proxy can't be found or reached is told as its fault.
pub fn of_proxy(proxy: &Proxy, error: DialError) -> DialError {
    proxy::unreached(proxy, error)
}

/// Asks a proxy for the way on.
pub async fn through(
    stream: &mut TcpStream,
    proxy: &Proxy,
    host: &str,
    port: u16,
) -> Result<(), DialError> {
    proxy::ask(stream, proxy, host, port).await
}

/// What TLS found.
#[derive(Debug, Default)]
pub struct TlsFacts {
    /// Its version, as `TLS 1.3`.
    pub version: Option<String>,
    /// What both will speak inside, if the server said so.
    pub alpn: Option<String>,
    /// The server's certificate and those that it sent with it, in DER, trusted or not.
    pub chain: Vec<Vec<u8>>,
}

/// TLS over a stream, with what it found in each case.
pub async fn encrypt(
    host: &str,
    stream: TcpStream,
    way: &Way,
) -> (Result<Stream, DialError>, TlsFacts) {
    let (shaken, chain) = tls::shake_and_look(host, stream, way).await;
    let mut facts = TlsFacts {
        chain: chain.iter().map(|one| one.to_vec()).collect(),
        ..TlsFacts::default()
    };
    let shaken = shaken.map(|stream| {
        let (_, session) = stream.get_ref();
        facts.version = session.protocol_version().map(version);
        facts.alpn = session
            .alpn_protocol()
            .map(|name| String::from_utf8_lossy(name).into_owned());
        Stream::Tls(Box::new(stream))
    });
    (shaken, facts)
}

fn version(version: rustls::ProtocolVersion) -> String {
    match version {
        rustls::ProtocolVersion::TLSv1_2 => "TLS 1.2".into(),
        rustls::ProtocolVersion::TLSv1_3 => "TLS 1.3".into(),
        other => format!("{other:?}"),
    }
}

/// A stream to the host of `url`, without a word on the steps.
pub async fn open(url: &Url, way: &Way) -> Result<Stream, DialError> {
    Stream::open(url, way).await
}

/// The upgrade to a WebSocket, once, on a stream that stands.
pub async fn upgrade(stream: Stream, wish: Upgrade<'_>) -> Probe {
    WsConn::probe(stream, wish).await
}

/// Whether a web server is there: what it answers begins as HTTP does.
pub async fn speaks_http(address: SocketAddr) -> bool {
    let asked = async {
        let mut stream = TcpStream::connect(address).await?;
        stream
            .write_all(b"GET / HTTP/1.0\r\nConnection: close\r\n\r\n")
            .await?;
        let mut begin = [0; 5];
        stream.read_exact(&mut begin).await?;
        std::io::Result::Ok(&begin == b"HTTP/")
    };
    matches!(timeout(HTTP, asked).await, Ok(Ok(true)))
}
