//! Through proxies (reliability.md 8, row 30): who is asked, with which name, and who resolves it.

#![expect(clippy::unwrap_used, reason = "test helper")]

use std::net::{IpAddr, Ipv4Addr};

use deckwatch::demo::proxy::{Asked, Proxy, ProxyAnswer, ProxyKind, ProxySwitches};
use deckwatch::demo::{Platform, Switches};
use tokio::net::TcpListener;

use crate::faulty::Home;
use crate::program::{CID, Done, SERVICE, platform};

/// A name that only the proxy knows.
const INSIDE: &str = "platform.inside.example";

fn proxy(change: impl FnOnce(&mut ProxySwitches)) -> Proxy {
    let mut switches = ProxySwitches {
        names: vec![(INSIDE.into(), IpAddr::V4(Ipv4Addr::LOCALHOST))],
        ..ProxySwitches::default()
    };
    change(&mut switches);
    Proxy::start(switches).unwrap()
}

/// A platform with one line.
async fn ready() -> Platform {
    let platform = platform(Switches::default()).await;
    platform.inject_log(SERVICE, CID, b"a line").await;
    platform
}

fn inside(platform: &Platform) -> String {
    let port = platform.http_addr().port();
    format!("ws://{INSIDE}:{port}/p/docker_log#{SERVICE}")
}

/// The last lines of a target, with variables and flags.
async fn logs(target: &str, env: &[(&str, &str)], flags: &[&str]) -> Done {
    let home = Home::new();
    let mut args = vec!["logs", target, "-o", "raw"];
    args.extend(flags);
    let mut start = home.program(args);
    for (name, value) in env {
        start = start.env(name, value);
    }
    start.end().await
}

#[tokio::test]
async fn connect_and_socks_leave_the_name_to_the_proxy() {
    let platform = ready().await;
    let target = inside(&platform);
    for (scheme, kind) in [
        ("http", ProxyKind::Connect),
        ("socks5h", ProxyKind::Socks5),
        ("socks5", ProxyKind::Socks5),
    ] {
        let proxy = proxy(|_| ());
        let done = logs(&target, &[("http_proxy", &proxy.url(scheme))], &[]).await;
        assert_eq!(done.expect(0).out, b"a line\n", "{scheme}");
        let asked = Asked {
            kind,
            host: INSIDE.into(),
            port: platform.http_addr().port(),
            credential: false,
            opened: true,
        };
        assert_eq!(proxy.asked(), [asked], "{scheme}");
    }
}

#[tokio::test]
async fn a_login_is_shown_to_the_proxy_and_to_nobody_else() {
    let platform = ready().await;
    let target = inside(&platform);
    let proxy = proxy(|switches| switches.credential = Some("me:s3cr+t".into()));
    for scheme in ["http", "socks5h"] {
        let with = |login: &str| format!("{scheme}://{login}{}", proxy.addr());
        let done = logs(&target, &[("all_proxy", &with("me:s3cr%2Bt@"))], &[]).await;
        assert_eq!(done.expect(0).out, b"a line\n");
        for (login, words) in [
            ("", "it wants a user and a password (407)"),
            ("me:wr0ng@", "it does not accept user and password (407)"),
        ] {
            let done = logs(&target, &[("all_proxy", &with(login))], &[]).await;
            let done = done.expect(4);
            let place = format!("the proxy {scheme}://{} (from all_proxy)", proxy.addr());
            assert!(done.err.contains(words), "{scheme} {login}: {}", done.err);
            assert!(done.err.contains(&place), "{}", done.err);
            assert!(!done.err.contains("wr0ng"), "{}", done.err);
        }
    }
}

#[tokio::test]
async fn the_flag_beats_the_variable_and_no_proxy_beats_both() {
    let platform = ready().await;
    let (used, unused) = (proxy(|_| ()), proxy(|_| ()));
    let (used_url, unused_url) = (used.url("http"), unused.url("http"));
    let env = [("http_proxy", unused_url.as_str())];
    let done = logs(&inside(&platform), &env, &["--proxy", &used_url]).await;
    assert_eq!(done.expect(0).out, b"a line\n");
    assert_eq!((used.asked().len(), unused.asked().len()), (1, 0));
    // Directly, the name is nobody's.
    for list in ["*", "inside.example", ".example", INSIDE] {
        let env = [("http_proxy", used_url.as_str()), ("NO_PROXY", list)];
        let done = logs(&inside(&platform), &env, &[]).await.expect(5);
        assert!(
            done.err.contains("can't be resolved"),
            "{list}: {}",
            done.err
        );
    }
    // Loopback goes through none in any case.
    let direct = format!("ws://{}/p/docker_log#{SERVICE}", platform.http_addr());
    let done = logs(&direct, &[("http_proxy", &used_url)], &[]).await;
    assert_eq!(done.expect(0).out, b"a line\n");
    assert_eq!(used.asked().len(), 1);
}

#[tokio::test]
async fn a_proxy_that_refuses_stalls_or_is_not_there_is_named_with_where_it_was_set() {
    let platform = ready().await;
    let target = inside(&platform);
    let gone = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let closed = format!("http://{}", gone.local_addr().unwrap());
    drop(gone);
    let refusing = proxy(|switches| switches.answer = ProxyAnswer::Refuse(403));
    let stalling = proxy(|switches| switches.answer = ProxyAnswer::Stall);
    let closing = proxy(|switches| switches.answer = ProxyAnswer::Close);
    for (url, words) in [
        (closed.clone(), "the connection was refused"),
        (refusing.url("http"), "(403)"),
        (refusing.url("socks5h"), "its rules do not allow"),
        (stalling.url("http"), "it did not answer in 5 s"),
        (closing.url("http"), "the connection to it broke"),
    ] {
        let done = logs(&target, &[("ALL_PROXY", &url)], &[]).await.expect(5);
        assert!(done.err.contains(words), "{url}: {}", done.err);
        let place = format!("the proxy {url} (from ALL_PROXY)");
        assert!(done.err.contains(&place), "{url}: {}", done.err);
        assert!(done.err.contains("check ALL_PROXY"), "{}", done.err);
    }
}

/// `localhost` may lead to both families; who listens on one alone is found (RFC 8305).
#[tokio::test]
async fn a_server_of_one_address_family_is_found_by_a_name_of_both() {
    for address in ["[::1]:0", "127.0.0.1:0"] {
        let Ok(listener) = TcpListener::bind(address).await else {
            continue;
        };
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                tokio::spawn(async move {
                    let head = crate::faulty::head(&mut stream).await.unwrap();
                    let answer = crate::faulty::upgraded(&head, "", &["ok", "0123456789ab:here"]);
                    tokio::io::AsyncWriteExt::write_all(&mut stream, &answer)
                        .await
                        .unwrap();
                    let mut rest = Vec::new();
                    drop(tokio::io::AsyncReadExt::read_to_end(&mut stream, &mut rest).await);
                });
            }
        });
        let host = if address.starts_with('[') && !resolves_to_v6() {
            "[::1]"
        } else {
            "localhost"
        };
        let target = format!("ws://{host}:{port}/docker_log#x");
        let done = logs(&target, &[], &["--max-lines", "1"]).await.expect(0);
        assert_eq!(done.out, b"here\n", "{address}");
    }
}

/// Whether `localhost` is of both families here.
fn resolves_to_v6() -> bool {
    use std::net::ToSocketAddrs;
    ("localhost", 1)
        .to_socket_addrs()
        .is_ok_and(|mut all| all.any(|one| one.is_ipv6()))
}
