//! Through a proxy: CONNECT of HTTP, and SOCKS 5 with the name resolved there (RFC 1928, 1929).
//! A proxy has 5 s and 16 KiB to answer (reliability.md 2.3).

use std::io;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::model::way::{Proxy, ProxyKind};
use crate::model::{Cause, FaultKind, words};
use crate::say;

use super::{DialError, dial};

const ANSWER: Duration = Duration::from_secs(5);
const LONGEST: usize = 16 << 10;

/// A stream to `host`:`port` behind `proxy`.
pub(super) async fn connect(proxy: &Proxy, host: &str, port: u16) -> Result<TcpStream, DialError> {
    let mut stream = reach(proxy).await?;
    ask(&mut stream, proxy, host, port).await?;
    Ok(stream)
}

/// Asks a proxy that was reached for the way on to `host`:`port`.
pub(super) async fn ask(
    stream: &mut TcpStream,
    proxy: &Proxy,
    host: &str,
    port: u16,
) -> Result<(), DialError> {
    let asked = async {
        match proxy.kind {
            ProxyKind::Http => http(stream, proxy, host, port).await,
            ProxyKind::Socks5 => socks(stream, proxy, host, port).await,
        }
    };
    match timeout(ANSWER, asked).await {
        Ok(answer) => answer,
        Err(_) => Err(refusal(
            proxy,
            Cause::ProxyUnreachable,
            say!("it did not answer in 5 s", "5 秒内没有应答"),
        )),
    }
}

/// A stream to the proxy itself.
pub(super) async fn reach(proxy: &Proxy) -> Result<TcpStream, DialError> {
    dial::tcp(&proxy.host, proxy.port)
        .await
        .map_err(|error| unreached(proxy, error))
}

/// That a proxy can't be reached is told as its fault.
pub(super) fn unreached(proxy: &Proxy, mut error: DialError) -> DialError {
    error.fault.what = name(proxy);
    error.fault.next = next(proxy);
    error.because(Cause::ProxyUnreachable)
}

/// What a fault is about: the proxy and where it was set.
pub(super) fn name(proxy: &Proxy) -> String {
    let (place, origin) = (proxy.place(), &proxy.origin);
    say!(
        "the proxy {place} (from {origin})",
        "代理 {place}（来自 {origin}）"
    )
}

pub(super) fn next(proxy: &Proxy) -> String {
    let origin = &proxy.origin;
    say!(
        "check {origin}, or except this host with NO_PROXY",
        "请检查 {origin}，或用 NO_PROXY 排除该主机"
    )
}

fn refusal(proxy: &Proxy, cause: Cause, why: String) -> DialError {
    let error = match cause {
        Cause::ProxyLogin => DialError::never(FaultKind::Denied, &name(proxy), why, &next(proxy)),
        _ => DialError::later(&name(proxy), why, &next(proxy)),
    };
    error.because(cause)
}

/// A proxy that wants a login, or does not accept ours.
pub(super) fn wants_login(proxy: &Proxy) -> DialError {
    let why = if proxy.login.is_some() {
        say!(
            "it does not accept user and password (407)",
            "它不接受用户名和密码（407）"
        )
    } else {
        say!(
            "it wants a user and a password (407)",
            "它要求用户名和密码（407）"
        )
    };
    refusal(proxy, Cause::ProxyLogin, why)
}

fn broken(proxy: &Proxy, error: &io::Error) -> DialError {
    let error = words::io_error(error);
    refusal(
        proxy,
        Cause::ProxyUnreachable,
        say!(
            "the connection to it broke ({error})",
            "与它的连接中断（{error}）"
        ),
    )
}

async fn http(
    stream: &mut TcpStream,
    proxy: &Proxy,
    host: &str,
    port: u16,
) -> Result<(), DialError> {
    let mut request = format!("CONNECT {host}:{port} HTTP/1.1\r\nHost: {host}:{port}\r\n");
    if let Some(basic) = proxy.basic() {
        request.push_str("Proxy-Authorization: ");
        request.push_str(&basic);
        request.push_str("\r\n");
    }
    request.push_str("\r\n");
    let sent = stream.write_all(request.as_bytes()).await;
    sent.map_err(|error| broken(proxy, &error))?;
    let head = head(stream).await.map_err(|error| broken(proxy, &error))?;
    let status = head
        .strip_prefix("HTTP/1.")
        .and_then(|rest| rest.split(' ').nth(1))
        .and_then(|word| word.parse::<u16>().ok());
    match status {
        Some(200..=299) => Ok(()),
        Some(407) => Err(wants_login(proxy)),
        Some(status) => {
            let why = say!(
                "it does not connect us to {host}:{port} ({status})",
                "它不为我们连接 {host}:{port}（{status}）"
            );
            Err(refusal(proxy, Cause::ProxyRefused, why))
        }
        None => {
            let why = say!(
                "it does not answer as an HTTP proxy",
                "它的应答不是 HTTP 代理"
            );
            Err(refusal(proxy, Cause::ProxyRefused, why))
        }
    }
}

/// The answer's head, byte by byte: what follows belongs to the server.
async fn head(stream: &mut TcpStream) -> io::Result<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        if head.len() >= LONGEST {
            return Err(io::Error::other(say!("its answer is too long", "应答过长")));
        }
        head.push(stream.read_u8().await?);
    }
    Ok(String::from_utf8_lossy(&head).into_owned())
}

async fn socks(
    stream: &mut TcpStream,
    proxy: &Proxy,
    host: &str,
    port: u16,
) -> Result<(), DialError> {
    let broken = |error: io::Error| broken(proxy, &error);
    let odd = || {
        let why = say!(
            "it does not answer as a SOCKS 5 proxy",
            "它的应答不是 SOCKS 5 代理"
        );
        refusal(proxy, Cause::ProxyRefused, why)
    };
    let methods: &[u8] = if proxy.login.is_some() {
        &[5, 2, 0, 2]
    } else {
        &[5, 1, 0]
    };
    stream.write_all(methods).await.map_err(broken)?;
    let mut choice = [0; 2];
    stream.read_exact(&mut choice).await.map_err(broken)?;
    match (choice, &proxy.login) {
        ([5, 0], _) => {}
        ([5, 2], Some((user, password))) => {
            let mut request = vec![1];
            for part in [user.as_str(), password.expose()] {
                let part = part.as_bytes();
                let part = part.get(..part.len().min(255)).unwrap_or(part);
                request.push(u8::try_from(part.len()).unwrap_or(u8::MAX));
                request.extend_from_slice(part);
            }
            stream.write_all(&request).await.map_err(broken)?;
            let mut answer = [0; 2];
            stream.read_exact(&mut answer).await.map_err(broken)?;
            if answer != [1, 0] {
                return Err(wants_login(proxy));
            }
        }
        ([5, 255], _) => return Err(wants_login(proxy)),
        _ => return Err(odd()),
    }
    let request = socks_request(host, port).ok_or_else(odd)?;
    stream.write_all(&request).await.map_err(broken)?;
    let mut answer = [0; 4];
    stream.read_exact(&mut answer).await.map_err(broken)?;
    if let [5, code @ 1..=255, ..] = answer {
        let why = socks_words(code, host, port);
        return Err(refusal(proxy, Cause::ProxyRefused, why));
    }
    let address = match answer {
        [5, 0, _, 1] => 4,
        [5, 0, _, 4] => 16,
        [5, 0, _, 3] => usize::from(stream.read_u8().await.map_err(broken)?),
        _ => return Err(odd()),
    };
    // Where the proxy calls from is of no interest.
    let mut bound = vec![0; address + 2];
    stream.read_exact(&mut bound).await.map_err(broken)?;
    Ok(())
}

/// CONNECT to an address, or to a name that the proxy resolves; none for a name that is too long.
fn socks_request(host: &str, port: u16) -> Option<Vec<u8>> {
    let mut request = vec![5, 1, 0];
    match host
        .trim_start_matches('[')
        .trim_end_matches(']')
        .parse::<std::net::IpAddr>()
    {
        Ok(std::net::IpAddr::V4(address)) => {
            request.push(1);
            request.extend_from_slice(&address.octets());
        }
        Ok(std::net::IpAddr::V6(address)) => {
            request.push(4);
            request.extend_from_slice(&address.octets());
        }
        Err(_) => {
            request.push(3);
            request.push(u8::try_from(host.len()).ok()?);
            request.extend_from_slice(host.as_bytes());
        }
    }
    request.extend_from_slice(&port.to_be_bytes());
    Some(request)
}

fn socks_words(code: u8, host: &str, port: u16) -> String {
    match code {
        2 => say!(
            "its rules do not allow {host}:{port}",
            "它的规则不允许访问 {host}:{port}"
        ),
        3 => say!(
            "it has no route to the network of {host}",
            "它无法到达 {host} 所在网络"
        ),
        4 => say!(
            "it can't reach or resolve {host}",
            "它无法到达或解析 {host}"
        ),
        5 => say!("{host}:{port} refused it", "{host}:{port} 拒绝了它的连接"),
        6 => say!(
            "{host}:{port} did not answer it",
            "{host}:{port} 没有应答它"
        ),
        _ => say!(
            "it does not connect us to {host}:{port} (SOCKS code {code})",
            "它不为我们连接 {host}:{port}（SOCKS 代码 {code}）"
        ),
    }
}
