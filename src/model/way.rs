//! How a server is reached: whom TLS trusts, who we are to it, and through which proxy
//! (reliability.md 2.3). Pure data: files are read, and names resolved, when it is dialled.

use std::fmt;
use std::path::PathBuf;

use crate::text::redact::{self, Secret};

/// How a server is reached. The default trusts the system's roots and goes there directly.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Way {
    /// A PEM file with CAs that are trusted besides the system's.
    pub ca_file: Option<PathBuf>,
    /// PEM files that say who we are: the certificate chain, and its key.
    pub identity: Option<(PathBuf, PathBuf)>,
    /// Certificates are not verified at all; said on every run.
    pub insecure: bool,
    /// The proxies.
    pub proxies: Proxies,
    /// What a gateway in front of the WebSockets may want to see.
    pub cookie: Option<Cookie>,
}

/// The value of a `Cookie` header: a secret.
#[derive(Clone, Debug)]
pub struct Cookie(pub Secret);

impl PartialEq for Cookie {
    fn eq(&self, other: &Self) -> bool {
        self.0.expose() == other.0.expose()
    }
}

impl Eq for Cookie {}

/// Which proxy a URL goes through.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Proxies {
    /// For `http://` and `ws://`.
    pub plain: Option<Proxy>,
    /// For `https://` and `wss://`.
    pub encrypted: Option<Proxy>,
    /// Hosts that are reached without: `NO_PROXY`'s own text.
    pub none_for: String,
}

/// A proxy.
#[derive(Clone)]
pub struct Proxy {
    /// What is spoken to it.
    pub kind: ProxyKind,
    /// Its host, without brackets.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// Who we are to it.
    pub login: Option<(String, Secret)>,
    /// Where it was set, for messages: `--proxy`, `HTTPS_PROXY`, the context's file.
    pub origin: String,
}

/// What is spoken to a proxy.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ProxyKind {
    /// HTTP: CONNECT, and whole URLs for `http://`.
    Http,
    /// SOCKS 5; it resolves the names.
    Socks5,
}

impl Proxy {
    /// Its address without user and password.
    pub fn place(&self) -> String {
        let scheme = match self.kind {
            ProxyKind::Http => "http",
            ProxyKind::Socks5 => "socks5h",
        };
        if self.host.contains(':') {
            return format!("{scheme}://[{}]:{}", self.host, self.port);
        }
        format!("{scheme}://{}:{}", self.host, self.port)
    }

    /// The value of `Proxy-Authorization`; a secret.
    pub fn basic(&self) -> Option<String> {
        let (user, password) = self.login.as_ref()?;
        Some(redact::basic(user, password))
    }
}

impl PartialEq for Proxy {
    fn eq(&self, other: &Self) -> bool {
        let login = |proxy: &Self| {
            let (user, password) = proxy.login.clone()?;
            Some((user, password.expose().to_owned()))
        };
        self.kind == other.kind
            && self.place() == other.place()
            && login(self) == login(other)
            && self.origin == other.origin
    }
}

impl Eq for Proxy {}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.place(), self.origin)
    }
}
