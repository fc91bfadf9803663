//! The proxy does what its switches say.

#![expect(clippy::unwrap_used, reason = "test helper")]

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use deckwatch::demo::proxy::{Asked, Proxy, ProxyAnswer, ProxyKind, ProxySwitches};
use deckwatch::demo::{Platform, Switches};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::web::platform;
use crate::raw_client::{RawClient, request, text};

/// A name that only the proxy knows.
const NAME: &str = "console.inside.example";

fn proxy(change: impl FnOnce(&mut ProxySwitches)) -> Proxy {
    let mut switches = ProxySwitches {
        names: vec![(NAME.into(), IpAddr::V4(Ipv4Addr::LOCALHOST))],
        ..ProxySwitches::default()
    };
    change(&mut switches);
    Proxy::start(switches).unwrap()
}

async fn dial(proxy: &Proxy) -> RawClient<TcpStream> {
    RawClient::new(TcpStream::connect(proxy.addr()).await.unwrap())
}

/// The answer to a `CONNECT`.
async fn connect(client: &mut RawClient<TcpStream>, target: &str, more: &str) -> String {
    let head = format!("CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n{more}\r\n");
    client.write(head.as_bytes()).await;
    client.head().await
}

/// Upgrades and reads `ok`, on a way that is open.
async fn speaks(mut client: RawClient<TcpStream>) {
    client.write(request("/p/docker_log").as_bytes()).await;
    assert!(client.head().await.starts_with("HTTP/1.1 101 "));
    client.say("topic=x").await;
    assert_eq!(client.next().await, text("ok"));
}

fn port(platform: &Platform) -> u16 {
    platform.http_addr().port()
}

#[tokio::test]
async fn connect_leads_to_names_that_only_the_proxy_knows() {
    let (platform, proxy) = (platform(Switches::default()).await, proxy(|_| ()));
    let port = port(&platform);
    let mut client = dial(&proxy).await;
    let answer = connect(&mut client, &format!("{NAME}:{port}"), "").await;
    assert_eq!(answer, "HTTP/1.1 200 Connection established\r\n\r\n");
    speaks(client).await;
    // Nothing but loopback, whatever is asked for.
    for host in ["192.0.2.1", "unknown.example", "example.org"] {
        let mut client = dial(&proxy).await;
        let answer = connect(&mut client, &format!("{host}:{port}"), "").await;
        assert!(answer.starts_with("HTTP/1.1 502 "), "{answer}");
    }
    let asked = proxy.asked();
    assert_eq!(
        asked.first(),
        Some(&Asked {
            kind: ProxyKind::Connect,
            host: NAME.into(),
            port,
            credential: false,
            opened: true,
        })
    );
    assert_eq!(asked.len(), 4);
}

#[tokio::test]
async fn a_credential_is_wanted_and_never_shown() {
    let platform = platform(Switches::default()).await;
    let proxy = proxy(|switches| switches.credential = Some("me:s3cret".into()));
    let target = format!("127.0.0.1:{}", port(&platform));
    let mut client = dial(&proxy).await;
    let answer = connect(&mut client, &target, "").await;
    assert!(
        answer.starts_with(
            "HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic "
        ),
        "{answer}"
    );
    let mut client = dial(&proxy).await;
    // base64 of me:wrong and of me:s3cret.
    let wrong = "Proxy-Authorization: Basic bWU6d3Jvbmc=\r\n";
    assert!(connect(&mut client, &target, wrong).await.contains(" 407 "));
    let mut client = dial(&proxy).await;
    let right = "Proxy-Authorization: Basic bWU6czNjcmV0\r\n";
    assert!(connect(&mut client, &target, right).await.contains(" 200 "));
    speaks(client).await;
    let seen: Vec<_> = proxy
        .asked()
        .iter()
        .map(|one| (one.credential, one.opened))
        .collect();
    assert_eq!(seen, [(false, false), (true, false), (true, true)]);
    assert!(!format!("{proxy:?}").contains("s3cret"));
}

#[tokio::test]
async fn it_refuses_stalls_and_closes() {
    let proxy = proxy(|switches| switches.answer = ProxyAnswer::Refuse(403));
    let mut client = dial(&proxy).await;
    let answer = connect(&mut client, "localhost:1", "").await;
    assert!(answer.starts_with("HTTP/1.1 403 Forbidden\r\n"), "{answer}");
    proxy.set_switch(|switches| switches.answer = ProxyAnswer::Close);
    let mut client = dial(&proxy).await;
    client.write(b"CONNECT localhost:1 HTTP/1.1\r\n\r\n").await;
    assert_eq!(client.rest().await, b"");
    proxy.set_switch(|switches| switches.answer = ProxyAnswer::Stall);
    let mut client = dial(&proxy).await;
    client.write(b"CONNECT localhost:1 HTTP/1.1\r\n\r\n").await;
    let silence = timeout(Duration::from_millis(50), client.head()).await;
    assert!(silence.is_err());
    // Dropped, it is gone.
    drop(proxy);
    assert_eq!(client.rest().await, b"");
}

#[tokio::test]
async fn plain_requests_are_forwarded_with_their_upgrade_or_without() {
    let (platform, proxy) = (platform(Switches::default()).await, proxy(|_| ()));
    let url = format!("http://{NAME}:{}/p/docker_log", port(&platform));
    let mut client = dial(&proxy).await;
    client.write(request(&url).as_bytes()).await;
    assert!(client.head().await.starts_with("HTTP/1.1 101 "));
    client.say("topic=x").await;
    assert_eq!(client.next().await, text("ok"));
    // Stripped, the server sees an ordinary request.
    proxy.set_switch(|switches| switches.strip_upgrade = true);
    let mut client = dial(&proxy).await;
    client.write(request(&url).as_bytes()).await;
    assert!(client.head().await.starts_with("HTTP/1.1 400 "));
    proxy.set_switch(|switches| switches.ok_instead = true);
    let mut client = dial(&proxy).await;
    client.write(request(&url).as_bytes()).await;
    assert_eq!(
        client.rest().await,
        b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    );
    assert!(
        proxy
            .asked()
            .iter()
            .all(|one| one.kind == ProxyKind::Forward && one.host == NAME)
    );
}

#[tokio::test]
async fn socks5_resolves_names_by_itself_and_takes_a_password() {
    let (platform, proxy) = (platform(Switches::default()).await, proxy(|_| ()));
    let port = port(&platform);
    let by_name = |name: &str| {
        let mut bytes = vec![5, 1, 0, 3, u8::try_from(name.len()).unwrap()];
        bytes.extend_from_slice(name.as_bytes());
        bytes.extend_from_slice(&port.to_be_bytes());
        bytes
    };
    let done = [5, 0, 0, 1, 0, 0, 0, 0, 0, 0];
    let mut client = dial(&proxy).await;
    client.write(&[5, 2, 0, 2]).await;
    assert_eq!(client.exactly(2).await, [5, 0]);
    client.write(&by_name(NAME)).await;
    assert_eq!(client.exactly(10).await, done);
    speaks(client).await;
    let mut client = dial(&proxy).await;
    client.write(&[5, 1, 0]).await;
    client.exactly(2).await;
    client.write(&by_name("unknown.example")).await;
    assert_eq!(client.exactly(2).await, [5, 4]);

    proxy.set_switch(|switches| switches.credential = Some("me:s3cret".into()));
    let mut client = dial(&proxy).await;
    client.write(&[5, 1, 0]).await;
    assert_eq!(client.rest().await, [5, 0xff]);
    for (password, answer) in [(&b"s3cret"[..], 0), (b"wrong!", 1)] {
        let mut client = dial(&proxy).await;
        client.write(&[5, 2, 0, 2]).await;
        assert_eq!(client.exactly(2).await, [5, 2]);
        client
            .write(&[&[1, 2][..], b"me", &[6], password].concat())
            .await;
        assert_eq!(client.exactly(2).await, [1, answer]);
        if answer == 0 {
            let [high, low] = port.to_be_bytes();
            client.write(&[5, 1, 0, 1, 127, 0, 0, 1, high, low]).await;
            assert_eq!(client.exactly(10).await, done);
            speaks(client).await;
        }
    }
    let hosts: Vec<_> = proxy.asked().into_iter().map(|one| one.host).collect();
    assert_eq!(hosts, [NAME, "unknown.example", "127.0.0.1"]);
}
