//! Shell targets: what a user types to open a shell.

use url::Url;

use crate::codec::scheme;
use crate::lang::{Words, words};
use crate::model::{Fault, FaultKind};
use crate::say;
use crate::text::redact;
use crate::word;

use super::Dialect;

/// A shell to open.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ShellSpec {
    /// The WebSocket's URL for the platform; for GoTTY and ttyd that of their pages, which ends
    /// in `/`. Neither user nor fragment is in it.
    pub url: Url,
    /// Who logs in, from `user@`.
    pub user: Option<String>,
    /// What is behind the URL.
    pub place: Place,
    /// The user says which dialect it is.
    pub dialect: Option<&'static Dialect>,
}

/// What a shell's URL leads to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Place {
    /// The platform: `/docker_console`.
    Platform(Pod),
    /// A server with pages of its own: GoTTY or ttyd.
    Pages {
        /// The URL's query with its `?`, or nothing: arguments for the command.
        arguments: String,
    },
}

/// A container of the platform.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Pod {
    /// The tenant's id.
    pub tenant: String,
    /// The component's id.
    pub service: String,
    /// The pod's name (2017: a container's id).
    pub pod: String,
    /// The container; empty takes the pod's first.
    pub container: String,
    /// The namespace; empty takes the tenant's id.
    pub namespace: String,
    /// A toolbox container beside it instead.
    pub debug: bool,
}

const CONSOLE: Words = words(
    "write it like ws://HOST:6060/docker_console#TENANT_ID/SERVICE_ID/POD[/CONTAINER]",
    "请写成 ws://HOST:6060/docker_console#TENANT_ID/SERVICE_ID/POD[/CONTAINER]",
);

impl ShellSpec {
    /// Reads a URL if it is a shell's: `docker_console`, or any page over HTTP. `text` is the
    /// URL as it was typed.
    pub fn parse(text: &str, url: &Url) -> Result<Option<Self>, Fault> {
        let last = url.path().trim_end_matches('/').rsplit('/').next();
        match (url.scheme(), last) {
            ("ws" | "wss", Some("docker_console")) => platform(text, url).map(Some),
            ("http" | "https", Some("docker_console")) => {
                let why = word!(
                    "the platform's shell is a WebSocket",
                    "平台的终端走 WebSocket"
                );
                Err(bad(
                    text,
                    why,
                    word!(
                        "write ws:// or wss:// instead of http",
                        "请用 ws:// 或 wss:// 代替 http"
                    ),
                ))
            }
            ("ws" | "wss", Some("ws")) | ("http" | "https", _) => Ok(Some(pages(url))),
            _ => Ok(None),
        }
    }

    /// Where the WebSocket is, for a server of this dialect.
    pub fn socket(&self, dialect: Option<&Dialect>) -> Url {
        let mut url = self.url.clone();
        scheme::set_websocket(&mut url);
        if let Place::Pages { arguments } = &self.place {
            url.set_path(&format!("{}ws", self.url.path()));
            // GoTTY has the arguments in its first message, ttyd in the request.
            if dialect.is_none_or(|dialect| dialect.name == "ttyd") && !arguments.is_empty() {
                url.set_query(arguments.strip_prefix('?'));
            }
        }
        url
    }

    /// A short name for titles.
    pub fn name(&self) -> String {
        match &self.place {
            Place::Platform(pod) if pod.container.is_empty() => pod.pod.clone(),
            Place::Platform(pod) => format!("{}/{}", pod.pod, pod.container),
            Place::Pages { .. } => {
                let host = self.url.host_str().unwrap_or("");
                let port = self
                    .url
                    .port()
                    .map_or_else(String::new, |p| format!(":{p}"));
                format!("{host}{port}{}", self.url.path().trim_end_matches('/'))
            }
        }
    }

    /// Where a dialect that was found out is remembered by: scheme, host, port and path.
    pub fn host(&self) -> String {
        let mut url = self.url.clone();
        url.set_query(None);
        url.to_string()
    }

    /// Whether everybody on the way can read along: no TLS, and not this machine.
    pub fn is_exposed(&self) -> bool {
        let local = match self.url.host() {
            Some(url::Host::Ipv4(address)) => address.is_loopback(),
            Some(url::Host::Ipv6(address)) => {
                address.is_loopback() || address.to_ipv4_mapped().is_some_and(|v4| v4.is_loopback())
            }
            Some(url::Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
            None => false,
        };
        !local && !matches!(self.url.scheme(), "https" | "wss")
    }
}

fn platform(text: &str, url: &Url) -> Result<ShellSpec, Fault> {
    // The raw text: a URL would have other alphabets encoded.
    let ids = text.split_once('#').map_or("", |(_, ids)| ids);
    let parts: Vec<&str> = ids.split('/').collect();
    let (tenant, service, pod, container) = match *parts.as_slice() {
        [tenant, service, pod] => (tenant, service, pod, ""),
        [tenant, service, pod, container] => (tenant, service, pod, container),
        _ => {
            let why = word!(
                "it does not name tenant, service and pod behind #",
                "# 后没有写明团队（租户）、组件和实例 (Pod)"
            );
            return Err(bad(text, why, CONSOLE.get()));
        }
    };
    if [tenant, service, pod].contains(&"") {
        return Err(bad(
            text,
            word!("an id behind # is empty", "# 后有空的 ID"),
            CONSOLE.get(),
        ));
    }
    let mut pod = Pod {
        tenant: tenant.into(),
        service: service.into(),
        pod: pod.into(),
        container: container.into(),
        ..Pod::default()
    };
    let mut bare = bare(url);
    bare.set_query(None);
    for (key, value) in url.query_pairs() {
        match (key.as_ref(), value.as_ref()) {
            ("namespace", namespace) => pod.namespace = namespace.into(),
            ("debug", "true" | "1") => pod.debug = true,
            ("debug", "false" | "0") => pod.debug = false,
            ("debug", other) => {
                let why = say!(
                    "debug={other} is neither true nor false",
                    "debug={other} 既不是 true 也不是 false"
                );
                return Err(bad(
                    text,
                    &why,
                    word!("write ?debug=true", "请写成 ?debug=true"),
                ));
            }
            (key, value) => {
                bare.query_pairs_mut().append_pair(key, value);
            }
        }
    }
    Ok(ShellSpec {
        url: bare,
        user: user(url),
        place: Place::Platform(pod),
        dialect: None,
    })
}

fn pages(url: &Url) -> ShellSpec {
    let mut base = bare(url);
    let arguments = url
        .query()
        .map_or_else(String::new, |query| format!("?{query}"));
    base.set_query(None);
    let path = url.path();
    let last = path.rsplit('/').next().unwrap_or("");
    // A page's own name is no part of the path that its socket lies under.
    let path = if last == "ws" || last == "index.html" {
        path.strip_suffix(last).unwrap_or(path)
    } else {
        path
    };
    base.set_path(&format!("{}/", path.trim_end_matches('/')));
    ShellSpec {
        url: base,
        user: user(url),
        place: Place::Pages { arguments },
        dialect: None,
    }
}

/// The URL without fragment and user.
fn bare(url: &Url) -> Url {
    let mut url = url.clone();
    url.set_fragment(None);
    let _ = url.set_username("");
    url
}

fn user(url: &Url) -> Option<String> {
    let name = redact::percent_decode(url.username());
    (!name.is_empty()).then_some(name)
}

fn bad(text: &str, why: &str, next: &str) -> Fault {
    let what = redact::redact_url(text).to_string();
    Fault::new(FaultKind::Usage, what, why, next)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> ShellSpec {
        ShellSpec::parse(text, &Url::parse(text).unwrap())
            .unwrap()
            .unwrap()
    }

    #[test]
    fn the_platforms_shells() {
        let spec = read("ws://h:6060/x/docker_console?namespace=ns&debug=true&nodename=n1#t/s/p/c");
        let pod = Pod {
            tenant: "t".into(),
            service: "s".into(),
            pod: "p".into(),
            container: "c".into(),
            namespace: "ns".into(),
            debug: true,
        };
        assert_eq!(spec.place, Place::Platform(pod));
        assert_eq!(
            spec.socket(None).as_str(),
            "ws://h:6060/x/docker_console?nodename=n1"
        );
        assert_eq!(spec.name(), "p/c");
        let spec = read("wss://bob%40x@h/docker_console#租户/s/p");
        assert_eq!(
            (spec.user.as_deref(), spec.name()),
            (Some("bob@x"), "p".into())
        );
        assert_eq!(spec.socket(None).as_str(), "wss://h/docker_console");
        let Place::Platform(pod) = spec.place else {
            panic!()
        };
        assert_eq!(pod.tenant, "租户");
    }

    #[test]
    fn servers_with_pages() {
        for (text, pages, gotty, ttyd) in [
            (
                "http://h:8080/",
                "http://h:8080/",
                "ws://h:8080/ws",
                "ws://h:8080/ws",
            ),
            (
                "https://u@h/AbCd1234/?arg=-c&arg=a%20b",
                "https://h/AbCd1234/",
                "wss://h/AbCd1234/ws",
                "wss://h/AbCd1234/ws?arg=-c&arg=a%20b",
            ),
            ("http://h/x", "http://h/x/", "ws://h/x/ws", "ws://h/x/ws"),
            (
                "ws://h:1/x/ws",
                "ws://h:1/x/",
                "ws://h:1/x/ws",
                "ws://h:1/x/ws",
            ),
            ("http://h/index.html", "http://h/", "ws://h/ws", "ws://h/ws"),
        ] {
            let spec = read(text);
            assert_eq!(spec.url.as_str(), pages, "{text}");
            let socket = |name| spec.socket(Dialect::named(name)).to_string();
            assert_eq!(
                (socket("gotty2"), socket("ttyd")),
                (gotty.into(), ttyd.into())
            );
        }
        let spec = read("https://u@h/AbCd1234/?arg=-c&arg=a%20b");
        let arguments = "?arg=-c&arg=a%20b".into();
        assert_eq!(spec.place, Place::Pages { arguments });
        assert_eq!(
            (spec.user.as_deref(), spec.name()),
            (Some("u"), "h/AbCd1234".into())
        );
    }

    #[test]
    fn what_is_no_shell_and_what_is_half_one() {
        for text in ["ws://h/docker_log#a", "tcp://h:1", "ws://h/x"] {
            assert_eq!(ShellSpec::parse(text, &Url::parse(text).unwrap()), Ok(None));
        }
        for text in [
            "ws://h/docker_console",
            "ws://h/docker_console#t/s",
            "ws://h/docker_console#t//p",
            "ws://h/docker_console#t/s/p/c/x",
            "ws://h/docker_console?debug=maybe#t/s/p",
            "http://h/docker_console#t/s/p",
        ] {
            let fault = ShellSpec::parse(text, &Url::parse(text).unwrap()).expect_err(text);
            assert!(!fault.next.is_empty(), "{text}");
        }
    }

    #[test]
    fn only_loopback_and_tls_are_unexposed() {
        for (text, exposed) in [
            ("http://127.0.0.1/", false),
            ("http://[::1]:8080/", false),
            ("http://localhost/", false),
            ("https://10.0.0.1/", false),
            ("http://10.0.0.1/", true),
            ("ws://console.example/docker_console#t/s/p", true),
            ("wss://console.example/docker_console#t/s/p", false),
        ] {
            assert_eq!(read(text).is_exposed(), exposed, "{text}");
        }
    }
}
