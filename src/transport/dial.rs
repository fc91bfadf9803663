//! From a host name to a byte stream: DNS, TCP over both address families; each step with its own
//! deadline and its own words (reliability.md 2.2).

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use socket2::{SockRef, TcpKeepalive};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::model::{Cause, words};
use crate::say;

use super::DialError;

const DNS: Duration = Duration::from_secs(3);
const TCP: Duration = Duration::from_secs(3);
/// How long one address family may be ahead of the other (RFC 8305).
const STAGGER: Duration = Duration::from_millis(250);

/// A connected TCP stream to `host`:`port`, with keepalive and without Nagle.
pub async fn tcp(host: &str, port: u16) -> Result<TcpStream, DialError> {
    let what = format!("{host}:{port}");
    let addresses = resolve(host, port, &what).await?;
    connect(addresses, &what).await
}

/// A connected TCP stream to the first of these addresses that answers.
pub(super) async fn connect(
    addresses: Vec<SocketAddr>,
    what: &str,
) -> Result<TcpStream, DialError> {
    let stream = race(addresses).await.map_err(|error| {
        let (cause, why) = connect_words(&error);
        let next = say!(
            "check the address and that the server runs",
            "请检查地址，并确认服务器在运行"
        );
        DialError::later(what, why, &next).because(cause)
    })?;
    prepare(&stream);
    Ok(stream)
}

/// The addresses of a host, in the order in which they are tried.
pub async fn resolve(host: &str, port: u16, what: &str) -> Result<Vec<SocketAddr>, DialError> {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let failed = |cause: Cause, why: String| {
        let next = say!(
            "check the name, and this machine's DNS",
            "请检查主机名和本机的 DNS"
        );
        DialError::later(what, why, &next).because(cause)
    };
    match timeout(DNS, tokio::net::lookup_host((host, port))).await {
        Ok(Ok(found)) => {
            let found: Vec<_> = found.collect();
            if found.is_empty() {
                let why = say!("the host name has no address", "该主机名没有地址");
                return Err(failed(Cause::UnknownName, why));
            }
            Ok(interleave(&found))
        }
        Ok(Err(error)) => {
            let error = words::io_error(&error);
            let why = say!(
                "the host name can't be resolved ({error})",
                "无法解析主机名（{error}）"
            );
            Err(failed(Cause::UnknownName, why))
        }
        Err(_) => {
            let why = say!(
                "the DNS server did not answer in 3 s",
                "DNS 服务器 3 秒内没有应答"
            );
            Err(failed(Cause::NoDns, why))
        }
    }
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

fn connect_words(error: &io::Error) -> (Cause, String) {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => (
            Cause::Refused,
            say!(
                "the connection was refused: nothing listens there",
                "连接被拒绝：该端口没有程序在监听"
            ),
        ),
        io::ErrorKind::ConnectionReset => (Cause::Reset, resets()),
        io::ErrorKind::TimedOut => (
            Cause::BlackHole,
            say!(
                "no answer in 3 s: the host is down or a firewall drops the packets",
                "3 秒内没有应答：主机不在线，或防火墙丢弃了数据包"
            ),
        ),
        io::ErrorKind::NetworkUnreachable | io::ErrorKind::HostUnreachable => (
            Cause::NoRoute,
            say!("there is no route to it", "没有到它的路由"),
        ),
        _ => {
            let error = words::io_error(error);
            let why = say!("it can't be connected to ({error})", "无法连接（{error}）");
            (Cause::Other, why)
        }
    }
}

/// Whether the reset is seen while connecting or a moment later is chance; the words are one.
pub(super) fn resets() -> String {
    say!(
        "it takes connections and resets them at once",
        "它接受连接后立即重置"
    )
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
