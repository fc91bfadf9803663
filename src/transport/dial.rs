//! From a host name to a byte stream: DNS, TCP over both address families, TLS; each step with
//! its own deadline and its own words (reliability.md 2.2).

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::ServerName;
use rustls::{CertificateError, ClientConfig};
use rustls_platform_verifier::BuilderVerifierExt;
use socket2::{SockRef, TcpKeepalive};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::lang::{Words, words};
use crate::model::{FaultKind, words};
use crate::say;
use crate::word;

use super::DialError;

const DNS: Duration = Duration::from_secs(3);
const TCP: Duration = Duration::from_secs(3);
/// How long one address family may be ahead of the other (RFC 8305).
const STAGGER: Duration = Duration::from_millis(250);
const TLS: Duration = Duration::from_secs(5);
/// Whether the reset is seen while connecting or a moment later is chance; the words are one.
pub(super) const RESETS: Words = words(
    "it takes connections and resets them at once",
    "它接受连接后立即重置",
);

/// A connected TCP stream to `host`:`port`, with keepalive and without Nagle.
pub async fn tcp(host: &str, port: u16) -> Result<TcpStream, DialError> {
    let what = format!("{host}:{port}");
    let addresses = resolve(host, port, &what).await?;
    let stream = race(addresses).await.map_err(|error| {
        DialError::later(
            &what,
            connect_words(&error),
            word!(
                "check the address and that the server runs",
                "请检查地址，并确认服务端在运行"
            ),
        )
    })?;
    prepare(&stream);
    Ok(stream)
}

async fn resolve(host: &str, port: u16, what: &str) -> Result<Vec<SocketAddr>, DialError> {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let next = word!(
        "check the name, and this machine's DNS",
        "请检查名称和本机的 DNS"
    );
    let found = match timeout(DNS, tokio::net::lookup_host((host, port))).await {
        Ok(Ok(found)) => found.collect::<Vec<_>>(),
        Ok(Err(error)) => {
            let why = say!(
                "the host name can't be resolved ({})",
                "主机名无法解析（{}）",
                words::io_error(&error)
            );
            return Err(DialError::later(what, why, next));
        }
        Err(_) => {
            return Err(DialError::later(
                what,
                word!(
                    "the DNS server did not answer in 3 s",
                    "DNS 服务器 3 s 内没有应答"
                ),
                next,
            ));
        }
    };
    if found.is_empty() {
        return Err(DialError::later(
            what,
            word!("the host name has no address", "主机名没有对应的地址"),
            next,
        ));
    }
    Ok(interleave(&found))
}

/// IPv6 and IPv4 in turn, beginning with the resolver's first.
fn interleave(found: &[SocketAddr]) -> Vec<SocketAddr> {
    let first_v6 = found.first().is_some_and(SocketAddr::is_ipv6);
    let (ahead, behind): (Vec<_>, Vec<_>) = found
        .iter()
        .partition(|address| address.is_ipv6() == first_v6);
    let longest = ahead.len().max(behind.len());
    (0..longest)
        .flat_map(|i| ahead.get(i).into_iter().chain(behind.get(i)))
        .copied()
        .collect()
}

/// Connects to all addresses, each started [`STAGGER`] after the one before or as soon as that
/// has failed; the first to stand wins.
async fn race(addresses: Vec<SocketAddr>) -> io::Result<TcpStream> {
    let mut waiting = addresses.into_iter();
    let mut running = JoinSet::new();
    let mut last = io::Error::from(io::ErrorKind::AddrNotAvailable);
    loop {
        let next = waiting.next();
        let exhausted = next.is_none();
        if let Some(address) = next {
            running.spawn(async move {
                timeout(TCP, TcpStream::connect(address))
                    .await
                    .unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
            });
        } else if running.is_empty() {
            return Err(last);
        }
        let pause = if exhausted { TCP } else { STAGGER };
        match timeout(pause, running.join_next()).await {
            Ok(Some(Ok(Ok(stream)))) => return Ok(stream),
            Ok(Some(Ok(Err(error)))) => last = error,
            Ok(Some(Err(_)) | None) | Err(_) => {}
        }
    }
}

/// Keepalive finds peers that went away without a word: after 15 s, then each 5 s, three times.
pub(super) fn prepare(stream: &TcpStream) {
    let keepalive = TcpKeepalive::new()
        .with_time(Duration::from_secs(15))
        .with_interval(Duration::from_secs(5))
        .with_retries(3);
    // Both are wishes: a system that refuses them still has a connection.
    drop(SockRef::from(stream).set_tcp_keepalive(&keepalive));
    drop(stream.set_nodelay(true));
}

/// The one TLS configuration: verified by the system's own roots (or `SSL_CERT_FILE`).
fn tls_config(host: &str) -> Result<ClientConfig, DialError> {
    let config =
        ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .and_then(BuilderVerifierExt::with_platform_verifier)
            .map_err(|error| {
                DialError::never(
                    FaultKind::Unreachable,
                    host,
                    say!("TLS can't be set up: {error}", "无法初始化 TLS：{error}"),
                    "",
                )
            })?
            .with_no_client_auth();
    Ok(config)
}

/// TLS over `stream`, verified by the system's own roots (or `SSL_CERT_FILE`).
pub async fn tls(host: &str, stream: TcpStream) -> Result<TlsStream<TcpStream>, DialError> {
    let config = tls_config(host)?;
    let bare = host
        .trim_start_matches('[')
        .trim_end_matches(']')
        .to_owned();
    let name = ServerName::try_from(bare).map_err(|_| {
        DialError::never(
            FaultKind::Usage,
            host,
            word!(
                "it is no name that a certificate can have",
                "证书不可能使用这样的名称"
            ),
            word!("use the server's DNS name", "请用服务端的 DNS 名称"),
        )
    })?;
    match timeout(
        TLS,
        TlsConnector::from(Arc::new(config)).connect(name, stream),
    )
    .await
    {
        Ok(Ok(stream)) => Ok(stream),
        Ok(Err(error)) => Err(tls_error(host, &error)),
        Err(_) => Err(DialError::later(
            host,
            word!(
                "the TLS handshake did not end in 5 s",
                "TLS 握手 5 s 内没有完成"
            ),
            word!("check that the port speaks TLS", "请检查该端口是否使用 TLS"),
        )),
    }
}

fn tls_error(host: &str, error: &io::Error) -> DialError {
    let inner = error
        .get_ref()
        .and_then(|inner| inner.downcast_ref::<rustls::Error>());
    let Some(inner) = inner else {
        let why = say!(
            "the connection was lost in the TLS handshake ({})",
            "TLS 握手时连接断开（{}）",
            words::io_error(error)
        );
        return DialError::later(
            host,
            why,
            word!("check that the port speaks TLS", "请检查该端口是否使用 TLS"),
        );
    };
    let (why, next) = match inner {
        rustls::Error::InvalidCertificate(certificate) => (
            certificate_words(certificate),
            word!(
                "have the server's certificate renewed, or add its CA to the system's (or SSL_CERT_FILE)",
                "请更新服务端证书，或将其 CA 加入系统信任（或 SSL_CERT_FILE）"
            ),
        ),
        rustls::Error::InvalidMessage(_) => (
            word!("the port does not speak TLS", "该端口不使用 TLS").to_owned(),
            word!("try ws:// instead of wss://", "请试用 ws:// 代替 wss://"),
        ),
        other => (
            say!("TLS failed: {other}", "TLS 失败：{other}"),
            word!("check the server's TLS settings", "请检查服务端的 TLS 设置"),
        ),
    };
    DialError::never(FaultKind::Unreachable, host, why, next)
}

fn certificate_words(error: &CertificateError) -> String {
    match error {
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            word!("its certificate has expired", "其证书已过期").into()
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            word!("its certificate is not valid yet", "其证书尚未生效").into()
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            word!("its certificate is for another host", "其证书属于另一主机").into()
        }
        CertificateError::UnknownIssuer => word!(
            "its certificate is of a CA that this machine does not know",
            "其证书由本机不认识的 CA 签发"
        )
        .into(),
        CertificateError::Revoked => word!("its certificate is revoked", "其证书已被吊销").into(),
        other => say!(
            "its certificate is not accepted: {other}",
            "其证书不被接受：{other}"
        ),
    }
}

fn connect_words(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => word!(
            "the connection was refused: nothing listens there",
            "连接被拒绝：那里没有服务在监听"
        )
        .into(),
        io::ErrorKind::ConnectionReset => RESETS.get().into(),
        io::ErrorKind::TimedOut => word!(
            "no answer in 3 s: the host is down or a firewall drops the packets",
            "3 s 内没有应答：主机未运行，或防火墙丢弃了数据包"
        )
        .into(),
        io::ErrorKind::NetworkUnreachable | io::ErrorKind::HostUnreachable => {
            word!("there is no route to it", "没有到达它的路由").into()
        }
        _ => say!(
            "it can't be connected to ({})",
            "无法连接（{}）",
            words::io_error(error)
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn address_families_alternate_beginning_with_the_resolvers_first() {
        let read = |list: &[&str]| {
            list.iter()
                .map(|a| a.parse().unwrap())
                .collect::<Vec<SocketAddr>>()
        };
        let found = read(&["[::1]:1", "[::2]:1", "[::3]:1", "127.0.0.1:1"]);
        assert_eq!(
            interleave(&found),
            read(&["[::1]:1", "127.0.0.1:1", "[::2]:1", "[::3]:1"])
        );
        assert_eq!(interleave(&[]), []);
    }
}
