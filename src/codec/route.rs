//! Which way a URL goes: directly, or through a proxy (reliability.md 2.3). Loopback never goes
//! through one.

use std::net::IpAddr;

use url::{Host, Url};

use crate::model::way::{Proxies, Proxy, ProxyKind};
use crate::model::{Fault, FaultKind};
use crate::say;
use crate::text::redact::{self, Secret};

/// Reads a proxy's URL; `origin` says where it was set. Without a scheme it is HTTP.
pub fn proxy(text: &str, origin: &str) -> Result<Proxy, Fault> {
    let bad = |why: String| {
        let what = format!("{origin} ({})", redact::redact_url(text));
        let next = say!(
            "write http://HOST:PORT or socks5h://HOST:PORT",
            "请写成 http://主机:端口 或 socks5h://主机:端口"
        );
        Fault::new(FaultKind::Usage, what, why, next)
    };
    let whole = if text.contains("://") {
        text.to_owned()
    } else {
        format!("http://{text}")
    };
    let url = Url::parse(&whole)
        .map_err(|error| bad(say!("it is no URL ({error})", "不是合法的 URL（{error}）")))?;
    let (kind, usual) = match url.scheme() {
        "http" => (ProxyKind::Http, 80),
        "socks5" | "socks5h" => (ProxyKind::Socks5, 1080),
        other => {
            return Err(bad(say!(
                "a proxy is reached by http:// or socks5h://, not {other}://",
                "代理只支持 http:// 或 socks5h://，不支持 {other}://"
            )));
        }
    };
    let Some(host) = url.host_str().filter(|host| !host.is_empty()) else {
        return Err(bad(say!("it names no host", "没有写主机名")));
    };
    let user = percent(url.username());
    let login =
        (!user.is_empty()).then(|| (user, Secret::new(percent(url.password().unwrap_or("")))));
    Ok(Proxy {
        kind,
        host: bare(host).to_owned(),
        port: url.port().unwrap_or(usual),
        login,
        origin: origin.to_owned(),
    })
}

fn percent(text: &str) -> String {
    percent_encoding::percent_decode_str(text)
        .decode_utf8_lossy()
        .into_owned()
}

fn bare(host: &str) -> &str {
    host.trim_start_matches('[').trim_end_matches(']')
}

/// The proxy that `url` goes through; `None` is the direct way.
pub fn of<'a>(url: &Url, proxies: &'a Proxies) -> Option<&'a Proxy> {
    let proxy = match url.scheme() {
        "https" | "wss" => proxies.encrypted.as_ref(),
        _ => proxies.plain.as_ref(),
    }?;
    let host = url.host()?;
    let port = url.port_or_known_default().unwrap_or(80);
    (!is_loopback(&host) && !excepted(&host, port, &proxies.none_for)).then_some(proxy)
}

fn is_loopback(host: &Host<&str>) -> bool {
    match host {
        Host::Domain(name) => {
            let name = name.trim_end_matches('.');
            name.eq_ignore_ascii_case("localhost")
                || name.to_ascii_lowercase().ends_with(".localhost")
        }
        Host::Ipv4(address) => address.is_loopback(),
        Host::Ipv6(address) => address.to_canonical().is_loopback(),
    }
}

/// Whether `NO_PROXY` names this host: `*`, a name and all below it, with or without a dot in
/// front, an address, a network `10.0.0.0/8`; each with `:PORT` for one port only.
fn excepted(host: &Host<&str>, port: u16, list: &str) -> bool {
    list.split([',', ' ', '\t'])
        .map(str::trim)
        .filter(|entry| !entry.is_empty())
        .any(|entry| matches(host, port, entry))
}

fn matches(host: &Host<&str>, port: u16, entry: &str) -> bool {
    if entry == "*" {
        return true;
    }
    let (entry, wanted) = split_port(entry);
    if wanted.is_some_and(|wanted| wanted != port) {
        return false;
    }
    match host {
        Host::Domain(name) => {
            let entry = entry.trim_start_matches("*.").trim_matches('.');
            let name = name.trim_end_matches('.').to_ascii_lowercase();
            let entry = entry.to_ascii_lowercase();
            !entry.is_empty()
                && (name == entry
                    || name
                        .strip_suffix(&entry)
                        .is_some_and(|head| head.ends_with('.')))
        }
        Host::Ipv4(address) => in_network(IpAddr::V4(*address), entry),
        Host::Ipv6(address) => in_network(IpAddr::V6(*address), entry),
    }
}

/// `host:80` and `[::1]:80` name a port; `::1` does not.
fn split_port(entry: &str) -> (&str, Option<u16>) {
    if let Some((head, port)) = entry.rsplit_once(':')
        && (!head.contains(':') || head.ends_with(']'))
        && let Ok(port) = port.parse()
    {
        return (bare(head), Some(port));
    }
    (bare(entry), None)
}

fn in_network(address: IpAddr, entry: &str) -> bool {
    let (network, bits) = match entry.split_once('/') {
        Some((network, bits)) => (network, bits.parse::<u32>().ok()),
        None => (entry, Some(128)),
    };
    let (Ok(network), Some(bits)) = (bare(network).parse::<IpAddr>(), bits) else {
        return false;
    };
    let whole = |bits: u32, width: u32| width - bits.min(width);
    match (address.to_canonical(), network) {
        (IpAddr::V4(a), IpAddr::V4(b)) => {
            let off = whole(bits, 32);
            let cut = |x: u32| x.checked_shr(off).unwrap_or(0);
            cut(a.to_bits()) == cut(b.to_bits())
        }
        (IpAddr::V6(a), IpAddr::V6(b)) => {
            let off = whole(bits, 128);
            let cut = |x: u128| x.checked_shr(off).unwrap_or(0);
            cut(a.to_bits()) == cut(b.to_bits())
        }
        (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn direct(url: &str, none_for: &str) -> bool {
        let one = proxy("proxy.example:3128", "--proxy").unwrap();
        let proxies = Proxies {
            plain: Some(one.clone()),
            encrypted: Some(one),
            none_for: none_for.to_owned(),
        };
        of(&Url::parse(url).unwrap(), &proxies).is_none()
    }

    /// The table of promise 30: host, `NO_PROXY`, whether it goes directly.
    #[test]
    fn no_proxy_names_hosts_suffixes_addresses_networks_and_ports() {
        for (url, list, want) in [
            ("http://a.example/", "", false),
            ("http://a.example/", "*", true),
            ("http://a.example/", " * ", true),
            ("http://a.example/", "a.example", true),
            ("http://A.Example/", "a.EXAMPLE", true),
            ("http://a.example/", "b.example", false),
            ("http://a.example/", "example", true),
            ("http://a.example/", ".example", true),
            ("http://a.example/", "*.example", true),
            ("http://aexample/", "example", false),
            ("http://a.example./", "a.example", true),
            ("http://a.example/", "a.example.", true),
            ("http://example/", ".example", true),
            ("http://a.example/", "x,a.example,y", true),
            ("http://a.example/", "x a.example", true),
            ("http://a.example/", "x,,", false),
            ("http://a.example/", "a.example:80", true),
            ("http://a.example/", "a.example:81", false),
            ("https://a.example/", "a.example:443", true),
            ("wss://a.example:6060/", "a.example:6060", true),
            ("wss://a.example:6060/", ".example:6061", false),
            ("http://10.1.2.3/", "10.1.2.3", true),
            ("http://10.1.2.3/", "10.1.2.4", false),
            ("http://10.1.2.3/", "10.0.0.0/8", true),
            ("http://11.1.2.3/", "10.0.0.0/8", false),
            ("http://10.1.2.3/", "10.1.2.0/24", true),
            ("http://10.1.3.3/", "10.1.2.0/24", false),
            ("http://10.1.2.3/", "0.0.0.0/0", true),
            ("http://10.1.2.3/", "10.1.2.3/32", true),
            ("http://10.1.2.3/", "10.1.2.3:80", true),
            ("http://10.1.2.3/", "10.1.2.3:8080", false),
            ("http://10.1.2.3/", "10.0.0.0/x", false),
            ("http://10.1.2.3/", "1.2.3", false),
            ("http://[fd00::1]/", "fd00::1", true),
            ("http://[fd00::1]/", "[fd00::1]", true),
            ("http://[fd00::1]/", "[fd00::1]:80", true),
            ("http://[fd00::1]/", "[fd00::1]:81", false),
            ("http://[fd00::1]/", "fd00::/8", true),
            ("http://[fe00::1]/", "fd00::/8", false),
            ("http://[::ffff:10.1.2.3]/", "10.0.0.0/8", true),
            // Loopback, always.
            ("http://localhost/", "", true),
            ("http://x.localhost/", "", true),
            ("http://127.9.9.9/", "", true),
            ("http://[::1]/", "", true),
        ] {
            assert_eq!(direct(url, list), want, "{url} with {list:?}");
        }
    }

    #[test]
    fn a_proxys_url_is_read_and_its_password_never_shown() {
        let read = proxy("http://me:s%40crt@proxy.example", "HTTPS_PROXY").unwrap();
        assert_eq!(read.place(), "http://proxy.example:80");
        assert_eq!(read.login.as_ref().unwrap().1.expose(), "s@crt");
        assert!(!format!("{read:?}").contains("crt"));
        let socks = proxy("socks5://[::1]:9050", "--proxy").unwrap();
        assert_eq!(
            (socks.kind, socks.place().as_str()),
            (ProxyKind::Socks5, "socks5h://[::1]:9050")
        );
        for (text, why) in [
            ("https://me:canary@p.example:1", "not https://"),
            ("http://", "URL"),
            ("ftp://p", "not ftp://"),
        ] {
            let fault = proxy(text, "--proxy").unwrap_err().to_string();
            assert!(fault.contains(why) && !fault.contains("canary"), "{fault}");
        }
    }
}
