//! From a URL to a stream: the way, the name, the connection, encryption.

use std::net::IpAddr;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::net::TcpStream;
use url::{Host, Url};

use crate::clock;
use crate::codec::certificate::{self, Certificate};
use crate::codec::route;
use crate::model::way::{Proxy, Way};
use crate::model::words;
use crate::say;
use crate::transport::probe::{self, TlsFacts};
use crate::transport::stream::Stream;

use super::{Exam, Facts, Stage, facts, safe};

/// A certificate that ends so soon is told of.
const SOON: i64 = 14;

/// A stream to the host of `url`, each step told.
pub(super) async fn stream(exam: &mut Exam<'_>, url: &Url, way: &Way) -> Option<Stream> {
    let host = url.host_str().unwrap_or("");
    let port = url.port_or_known_default().unwrap_or(80);
    let through = route::of(url, &way.proxies);
    tell_route(exam, through, way);
    let mut tcp = match through {
        Some(proxy) => connect(exam, &proxy.host, proxy.port, Some(proxy)).await?,
        None => connect(exam, host, port, None).await?,
    };
    if let Some(proxy) = through {
        ask_proxy(exam, &mut tcp, proxy, host, port).await?;
    }
    if matches!(url.scheme(), "wss" | "https") {
        return encrypt(exam, host, tcp, way).await;
    }
    tell_plain(exam, url);
    Some(Stream::Plain(tcp))
}

fn tell_route(exam: &mut Exam<'_>, through: Option<&Proxy>, way: &Way) {
    let proxies = &way.proxies;
    let known = proxies.plain.as_ref().or(proxies.encrypted.as_ref());
    match (through, known) {
        (Some(proxy), _) => {
            let (place, origin) = (proxy.place(), &proxy.origin);
            let words = say!(
                "through {place} (from {origin})",
                "经由 {place}（来自 {origin}）"
            );
            exam.ok(Stage::Proxy, words, proxy_facts(proxy));
        }
        (None, Some(proxy)) => {
            let origin = &proxy.origin;
            let words = say!(
                "none: {origin} does not concern this host (NO_PROXY, loopback, or the other scheme)",
                "不使用：{origin} 不适用于该主机（NO_PROXY、环回地址，或协议不同）"
            );
            exam.ok(Stage::Proxy, words, Facts::new());
        }
        (None, None) => exam.ok(Stage::Proxy, say!("none is set", "没有设置"), Facts::new()),
    }
}

fn proxy_facts(proxy: &Proxy) -> Facts {
    facts([
        ("proxy", safe(&proxy.place())),
        ("origin", safe(&proxy.origin)),
        ("login", json!(proxy.login.is_some())),
    ])
}

fn millis(since: Duration) -> u64 {
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// DNS and TCP, to the server or to the proxy before it.
pub(super) async fn connect(
    exam: &mut Exam<'_>,
    host: &str,
    port: u16,
    proxy: Option<&Proxy>,
) -> Option<TcpStream> {
    let whose = |error| match proxy {
        Some(proxy) => probe::of_proxy(proxy, error),
        None => error,
    };
    let started = clock::now();
    let addresses = match probe::resolve(host, port).await {
        Ok(addresses) => addresses,
        Err(error) => {
            let found = facts([("host", safe(host))]);
            exam.fail(Stage::Dns, &whose(error), found);
            return None;
        }
    };
    let list: Vec<String> = addresses.iter().map(|one| one.ip().to_string()).collect();
    let found = facts([
        ("host", safe(host)),
        ("addresses", json!(list)),
        ("ms", json!(millis(clock::now() - started))),
    ]);
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    let list = list.join(", ");
    let told = if bare.parse::<IpAddr>().is_ok() {
        say!("{list}: an address, no name", "{list}：是地址，不是域名")
    } else {
        format!("{bare} = {list}")
    };
    exam.ok(Stage::Dns, told, found);
    let started = clock::now();
    match probe::connect(addresses, host, port).await {
        Ok(stream) => {
            let spent = clock::now() - started;
            let peer = stream.peer_addr().map(|one| one.to_string());
            let peer = peer.unwrap_or_default();
            let found = facts([("address", json!(peer)), ("ms", json!(millis(spent)))]);
            let time = words::duration(spent);
            let told = say!("connected to {peer} in {time}", "{time} 连上 {peer}");
            exam.ok(Stage::Tcp, told, found);
            Some(stream)
        }
        Err(error) => {
            let spent = clock::now() - started;
            let found = facts([("ms", json!(millis(spent)))]);
            exam.fail(Stage::Tcp, &whose(error), found);
            None
        }
    }
}

async fn ask_proxy(
    exam: &mut Exam<'_>,
    tcp: &mut TcpStream,
    proxy: &Proxy,
    host: &str,
    port: u16,
) -> Option<()> {
    match probe::through(tcp, proxy, host, port).await {
        Ok(()) => {
            let words = say!(
                "it connects us to {host}:{port}; the name is resolved there",
                "它已为我们连接 {host}:{port}；域名由它解析"
            );
            exam.ok(Stage::Proxy, words, proxy_facts(proxy));
            Some(())
        }
        Err(error) => {
            exam.fail(Stage::Proxy, &error, proxy_facts(proxy));
            None
        }
    }
}

async fn encrypt(exam: &mut Exam<'_>, host: &str, tcp: TcpStream, way: &Way) -> Option<Stream> {
    let (shaken, found) = probe::encrypt(host, tcp, way).await;
    let chain: Vec<Certificate> = found
        .chain
        .iter()
        .filter_map(|der| certificate::read(der))
        .collect();
    let told = tls_facts(&found, &chain);
    let stream = match shaken {
        Ok(stream) => stream,
        Err(error) => {
            exam.fail(Stage::Tls, &error, told);
            return None;
        }
    };
    let version = found.version.unwrap_or_default();
    let mut words = version.clone();
    let now = clock::wall();
    if let Some(leaf) = chain.first() {
        let (days, until) = (leaf.days_left(now), certificate::minute(leaf.until));
        let names = leaf.names.join(", ");
        let issuer = &leaf.issuer;
        words = say!(
            "{version}; certificate for {names}, by {issuer}, until {until} ({days} days)",
            "{version}；证书属于 {names}，由 {issuer} 签发，有效期至 {until}（还有 {days} 天）"
        );
        if way.insecure {
            let why = say!(
                "{words}; it is NOT verified (--insecure-skip-tls-verify)",
                "{words}；未经验证（--insecure-skip-tls-verify）"
            );
            let next = say!(
                "name the CA with --ca-file instead",
                "请改用 --ca-file 指定 CA"
            );
            exam.warn(Stage::Tls, None, (why, next), told);
            return Some(stream);
        }
        if days < SOON {
            let next = say!("have the server's certificate renewed", "请更新服务器证书");
            exam.warn(Stage::Tls, None, (words, next), told);
            return Some(stream);
        }
    }
    exam.ok(Stage::Tls, words, told);
    Some(stream)
}

fn tls_facts(found: &TlsFacts, chain: &[Certificate]) -> Facts {
    let now = clock::wall();
    let text = |text: &Option<String>| text.as_deref().map_or(Value::Null, safe);
    let chain: Vec<Value> = chain
        .iter()
        .map(|one| {
            let names: Vec<Value> = one.names.iter().map(|name| safe(name)).collect();
            json!({
                "subject": safe(&one.subject),
                "issuer": safe(&one.issuer),
                "names": names,
                "from": certificate::minute(one.from),
                "until": certificate::minute(one.until),
                "days_left": one.days_left(now),
            })
        })
        .collect();
    facts([
        ("version", text(&found.version)),
        ("alpn", text(&found.alpn)),
        ("chain", Value::Array(chain)),
    ])
}

/// Whether what goes to `url` can be read on the way (reliability.md 8, row 33).
pub(super) fn is_exposed(url: &Url) -> bool {
    let here = match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.to_canonical().is_loopback(),
        None => false,
    };
    !here && matches!(url.scheme(), "ws" | "http")
}

fn tell_plain(exam: &mut Exam<'_>, url: &Url) {
    if is_exposed(url) {
        let why = say!(
            "not encrypted: anyone on the way can read everything, a token or a shell's ids too",
            "未加密：途中任何人都能读到全部内容，包括令牌和终端的 ID"
        );
        let next = say!(
            "use wss:// or https:// if the server has it",
            "如果服务器支持，请使用 wss:// 或 https://"
        );
        exam.warn(
            Stage::Tls,
            None,
            (why, next),
            facts([("encrypted", json!(false))]),
        );
        return;
    }
    exam.ok(
        Stage::Tls,
        say!(
            "not encrypted; it does not leave this machine",
            "未加密；数据不离开本机"
        ),
        facts([("encrypted", json!(false))]),
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_leaves_the_machine_in_plain_text_is_told() {
        for (url, exposed) in [
            ("ws://10.0.0.1:6060/docker_log", true),
            ("http://console.example/", true),
            ("ws://[2001:db8::1]/", true),
            ("wss://10.0.0.1/", false),
            ("https://console.example/", false),
            ("ws://localhost:6060/", false),
            ("ws://127.8.8.8/", false),
            ("http://[::1]/", false),
            ("http://localhost.example/", true),
        ] {
            assert_eq!(is_exposed(&Url::parse(url).unwrap()), exposed, "{url}");
        }
    }
}
