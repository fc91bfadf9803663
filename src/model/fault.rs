//! What went wrong, in three parts: the thing, the reason, the next step.

use crate::word;

use std::fmt;

/// What kind of fault it is; decides the exit code (experience.md D3, decision 6).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FaultKind {
    /// The command line, a theme, a regex, a file name: exit 2.
    Usage,
    /// No such path or id: exit 3.
    NotFound,
    /// The server wants to know who we are, or forbids it: exit 4.
    Denied,
    /// DNS, TCP, TLS, refused upgrade: exit 5.
    Unreachable,
    /// The stream was lost and did not come back: exit 6.
    Lost,
    /// The peer sent what we cannot read: exit 7.
    Protocol,
    /// What was waited for did not come in time: exit 124.
    TimedOut,
    /// Writing our own output failed: exit 74.
    Output,
    /// A defect of ours: exit 70.
    Internal,
    /// The user wanted no more: exit 130.
    Interrupted,
}

impl FaultKind {
    /// The process exit code.
    pub fn exit_code(self) -> u8 {
        match self {
            Self::Usage => 2,
            Self::NotFound => 3,
            Self::Denied => 4,
            Self::Unreachable => 5,
            Self::Lost => 6,
            Self::Protocol => 7,
            Self::Internal => 70,
            Self::TimedOut => 124,
            Self::Output => 74,
            Self::Interrupted => 130,
        }
    }
}

/// What stood in the way of a connection, for `doctor` and for programs (decision 22).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Cause {
    /// The host name has no address.
    UnknownName,
    /// The DNS server does not answer.
    NoDns,
    /// Nothing listens on the port.
    Refused,
    /// Packets vanish.
    BlackHole,
    /// There is no route.
    NoRoute,
    /// The connection was reset at once.
    Reset,
    /// The proxy can't be reached.
    ProxyUnreachable,
    /// The proxy wants a login, or another one (407).
    ProxyLogin,
    /// The proxy does not connect us.
    ProxyRefused,
    /// The certificate has expired.
    TlsExpired,
    /// The certificate is not valid yet.
    TlsNotYet,
    /// The certificate is for another host.
    TlsName,
    /// The certificate is of a CA that nobody here knows.
    TlsUnknownCa,
    /// The certificate is revoked.
    TlsRevoked,
    /// The server wants a client certificate, or another one.
    TlsClientCert,
    /// The server's TLS is too old.
    TlsVersion,
    /// The port does not speak TLS.
    TlsNone,
    /// TLS failed otherwise.
    Tls,
    /// It answered 200 instead of 101.
    NotUpgraded,
    /// Something in between took the request for an upgrade away.
    UpgradeStripped,
    /// It redirects to somewhere else.
    Redirect,
    /// 401: who are you?
    Unauthorized,
    /// 403.
    Forbidden,
    /// 404.
    NotFound,
    /// Another status.
    Status,
    /// It takes the connection and says nothing.
    Silent,
    /// It ends the connection before it has said anything.
    Closed,
    /// It does not go with the subprotocol.
    Subprotocol,
    /// It speaks another dialect than it was said to.
    Dialect,
    /// It speaks something else than was asked for.
    OtherProtocol,
    /// A ZeroMQ port that speaks HTTP.
    ZmqIsHttp,
    /// The server's clock is far from ours.
    ClockSkew,
    /// Something else.
    #[default]
    Other,
}

impl Cause {
    /// Its name for programs; these stay as they are.
    pub fn code(self) -> &'static str {
        match self {
            Self::UnknownName => "unknown_name",
            Self::NoDns => "no_dns",
            Self::Refused => "refused",
            Self::BlackHole => "black_hole",
            Self::NoRoute => "no_route",
            Self::Reset => "reset",
            Self::ProxyUnreachable => "proxy_unreachable",
            Self::ProxyLogin => "proxy_login",
            Self::ProxyRefused => "proxy_refused",
            Self::TlsExpired => "tls_expired",
            Self::TlsNotYet => "tls_not_yet",
            Self::TlsName => "tls_name",
            Self::TlsUnknownCa => "tls_unknown_ca",
            Self::TlsRevoked => "tls_revoked",
            Self::TlsClientCert => "tls_client_cert",
            Self::TlsVersion => "tls_version",
            Self::TlsNone => "tls_none",
            Self::Tls => "tls",
            Self::NotUpgraded => "not_upgraded",
            Self::UpgradeStripped => "upgrade_stripped",
            Self::Redirect => "redirect",
            Self::Unauthorized => "unauthorized",
            Self::Forbidden => "forbidden",
            Self::NotFound => "not_found",
            Self::Status => "status",
            Self::Silent => "silent",
            Self::Closed => "closed",
            Self::Subprotocol => "subprotocol",
            Self::Dialect => "dialect",
            Self::OtherProtocol => "other_protocol",
            Self::ZmqIsHttp => "zmq_speaks_http",
            Self::ClockSkew => "clock_skew",
            Self::Other => "other",
        }
    }

    /// Whether it is the proxy's fault, not the server's.
    pub fn is_proxys(self) -> bool {
        matches!(
            self,
            Self::ProxyUnreachable | Self::ProxyLogin | Self::ProxyRefused
        )
    }
}

/// A fault that a user is told of: `what: why; next`. The parts may hold foreign bytes; they
/// are sanitised when they are shown.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Fault {
    /// Its kind.
    pub kind: FaultKind,
    /// The thing: a target, a file, a flag.
    pub what: String,
    /// What happened.
    pub why: String,
    /// What the user can do.
    pub next: String,
}

impl Fault {
    /// A fault with all its parts.
    pub fn new(
        kind: FaultKind,
        what: impl Into<String>,
        why: impl Into<String>,
        next: impl Into<String>,
    ) -> Self {
        Self {
            kind,
            what: what.into(),
            why: why.into(),
            next: next.into(),
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (colon, semicolon) = (word!(": ", "："), word!("; ", "；"));
        write!(f, "{}{colon}{}", self.what, self.why)?;
        if self.next.is_empty() {
            Ok(())
        } else {
            write!(f, "{semicolon}{}", self.next)
        }
    }
}

impl std::error::Error for Fault {}
