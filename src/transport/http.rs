//! HTTP: requests and streamed answers, dialled like everything else, over the same TLS and
//! proxies. One connection to each server is kept for the next request; a redirect is followed
//! on the same host alone, and never from `https` to `http` (reliability.md 2.3).

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::client::conn::http1::{self, SendRequest};
use hyper::header::{
    ACCEPT_ENCODING, CONTENT_TYPE, DATE, HOST, HeaderMap, HeaderName, HeaderValue, LOCATION,
    PROXY_AUTHORIZATION, RETRY_AFTER, USER_AGENT,
};
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::time::timeout;
use url::{Position, Url};

use crate::codec::{http_date, route};
use crate::model::way::{Proxy, ProxyKind, Way};
use crate::model::{Cause, FaultKind, Micros, words};
use crate::say;
use crate::text::redact::{self, Secret};

use super::stream::Stream;
use super::{DialError, LinkError, proxy, tls};

/// From dialling to a connection (reliability.md 2.2).
const CONNECT: Duration = Duration::from_secs(10);
/// From the request to the answer's head: the platform gives its own backend 10 s.
const ANSWER: Duration = Duration::from_secs(15);
/// The rest of an answer that is no stream.
const BODY: Duration = Duration::from_secs(30);
/// Redirects that are followed.
const REDIRECTS: u32 = 3;
/// Connections that are kept.
const KEPT: usize = 4;

/// A request.
pub struct Ask<'a> {
    /// The method.
    pub method: Method,
    /// Where to.
    pub url: &'a Url,
    /// More headers; secret ones are marked as sensitive.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// A body and its type.
    pub body: Option<(&'static str, Vec<u8>)>,
    /// An answer may have so many bytes.
    pub limit: usize,
}

impl fmt::Debug for Ask<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Headers may hold a token, a body a password.
        let url = redact::redact_url(self.url.as_str());
        write!(f, "{} {url}", self.method)
    }
}

impl<'a> Ask<'a> {
    /// `GET url`, with an answer of 8 MiB at most.
    pub fn get(url: &'a Url) -> Self {
        Self {
            method: Method::GET,
            url,
            headers: Vec::new(),
            body: None,
            limit: 8 << 20,
        }
    }
}

/// An answer.
pub struct Answer {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Headers may hold cookies, a body may hold a token.
        write!(f, "{} with {} bytes", self.status, self.body.len())
    }
}

/// An answer whose body comes bit by bit.
pub struct Streaming {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    body: Incoming,
    /// The connection is the stream's alone.
    _sender: SendRequest<Full<Bytes>>,
}

impl fmt::Debug for Streaming {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} as a stream", self.status)
    }
}

impl Streaming {
    /// The next bytes; `None` at the end. Cancel-safe.
    pub async fn chunk(&mut self) -> Result<Option<Bytes>, LinkError> {
        loop {
            match self.body.frame().await {
                None => return Ok(None),
                // Trailers say nothing.
                Some(Ok(frame)) => {
                    if let Ok(bytes) = frame.into_data() {
                        return Ok(Some(bytes));
                    }
                }
                Some(Err(error)) => {
                    let error = plain_words(&error);
                    return Err(LinkError::Cut(say!(
                        "the stream broke ({error})",
                        "数据流中断（{error}）"
                    )));
                }
            }
        }
    }

    /// The rest of it, up to `limit` bytes.
    pub async fn rest(self, limit: usize) -> Bytes {
        let collect = Limited::new(self.body, limit).collect();
        match timeout(BODY, collect).await {
            Ok(Ok(body)) => body.to_bytes(),
            Ok(Err(_)) | Err(_) => Bytes::new(),
        }
    }
}

/// The moment that a server's `Date` header names.
pub fn date(headers: &HeaderMap) -> Option<Micros> {
    http_date::moment(headers.get(DATE)?.to_str().ok()?)
}

/// How long a server wants to be left alone.
pub fn retry_after(headers: &HeaderMap, now: Micros) -> Option<Duration> {
    http_date::retry_after(headers.get(RETRY_AFTER)?.to_str().ok()?, now)
}

/// A connection that waits for its next request.
struct Kept {
    origin: String,
    sender: SendRequest<Full<Bytes>>,
}

/// Asks servers.
pub struct Http {
    way: Arc<Way>,
    kept: Vec<Kept>,
}

impl fmt::Debug for Http {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Http with {} connections", self.kept.len())
    }
}

impl Http {
    /// Reaches servers as `way` says.
    pub fn new(way: Arc<Way>) -> Self {
        Self {
            way,
            kept: Vec::new(),
        }
    }

    /// The way that it goes.
    pub fn way(&self) -> &Arc<Way> {
        &self.way
    }

    /// Asks, and reads the whole answer; any status is an answer.
    pub async fn send(&mut self, ask: Ask<'_>) -> Result<Answer, DialError> {
        let limit = ask.limit;
        let what = redact::redact_url(ask.url.as_str()).to_string();
        let (origin, response, sender) = self.follow(ask, &what).await?;
        let (parts, body) = response.into_parts();
        let collected = match timeout(BODY, Limited::new(body, limit).collect()).await {
            Ok(Ok(body)) => body.to_bytes(),
            Ok(Err(error)) => {
                let error = error.to_string();
                let why = say!("its answer broke off ({error})", "应答中断（{error}）");
                return Err(DialError::later(&what, why, &look()));
            }
            Err(_) => {
                let why = say!("its answer did not end in 30 s", "应答 30 秒内没有结束");
                return Err(DialError::later(&what, why, &look()).because(Cause::Silent));
            }
        };
        self.keep(origin, sender);
        Ok(Answer {
            status: parts.status,
            headers: parts.headers,
            body: collected,
        })
    }

    /// Asks, and leaves the body of the answer to be read bit by bit.
    pub async fn stream(&mut self, ask: Ask<'_>) -> Result<Streaming, DialError> {
        let what = redact::redact_url(ask.url.as_str()).to_string();
        let (_, response, sender) = self.follow(ask, &what).await?;
        let (parts, body) = response.into_parts();
        Ok(Streaming {
            status: parts.status,
            headers: parts.headers,
            body,
            _sender: sender,
        })
    }

    fn keep(&mut self, origin: String, sender: SendRequest<Full<Bytes>>) {
        if self.kept.len() >= KEPT {
            self.kept.remove(0);
        }
        self.kept.push(Kept { origin, sender });
    }

    /// Asks, and goes where redirects lead on the same host.
    async fn follow(
        &mut self,
        mut ask: Ask<'_>,
        what: &str,
    ) -> Result<(String, Response<Incoming>, SendRequest<Full<Bytes>>), DialError> {
        let mut url = ask.url.clone();
        let headers = std::mem::take(&mut ask.headers);
        for _ in 0..=REDIRECTS {
            let request = Ask {
                method: ask.method.clone(),
                url: &url,
                headers: headers.clone(),
                body: ask.body.clone(),
                limit: ask.limit,
            };
            let (origin, response, sender) = self.once(request, what).await?;
            let status = response.status().as_u16();
            if !matches!(status, 301 | 302 | 303 | 307 | 308) {
                return Ok((origin, response, sender));
            }
            let to = response
                .headers()
                .get(LOCATION)
                .and_then(|to| url.join(to.to_str().ok()?).ok());
            url = redirected(&url, to, &ask.method, status, what)?;
        }
        let why = say!("it redirects again and again", "它不断重定向");
        Err(DialError::never(FaultKind::Unreachable, what, why, &look()).because(Cause::Redirect))
    }

    /// One request, on a kept connection or a new one.
    async fn once(
        &mut self,
        ask: Ask<'_>,
        what: &str,
    ) -> Result<(String, Response<Incoming>, SendRequest<Full<Bytes>>), DialError> {
        let through = match route::of(ask.url, &self.way.proxies) {
            Some(proxy) if proxy.kind == ProxyKind::Http && ask.url.scheme() == "http" => {
                Some(proxy.clone())
            }
            Some(_) | None => None,
        };
        let origin = match &through {
            Some(proxy) => proxy.place(),
            None => ask.url[..Position::BeforePath].to_owned(),
        };
        while let Some(at) = self.kept.iter().position(|kept| kept.origin == origin) {
            let mut sender = self.kept.remove(at).sender;
            if sender.ready().await.is_err() {
                continue;
            }
            let request = request(&ask, through.as_ref(), what)?;
            match timeout(ANSWER, sender.send_request(request)).await {
                Ok(Ok(response)) => return answered(through.as_ref(), origin, response, sender),
                // It was closed while it waited: once more, on a new one.
                Ok(Err(error)) if error.is_canceled() || error.is_closed() => {}
                Ok(Err(error)) if error.is_incomplete_message() && ask.method == Method::GET => {}
                Ok(Err(error)) => return Err(self.odd(what, ask.url, &error)),
                Err(_) => return Err(silent(what)),
            }
        }
        let mut sender = self.connect(&ask, through.as_ref(), what).await?;
        let request = request(&ask, through.as_ref(), what)?;
        match timeout(ANSWER, sender.send_request(request)).await {
            Ok(Ok(response)) => answered(through.as_ref(), origin, response, sender),
            Ok(Err(error)) => Err(self.odd(what, ask.url, &error)),
            Err(_) => Err(silent(what)),
        }
    }

    async fn connect(
        &self,
        ask: &Ask<'_>,
        through: Option<&Proxy>,
        what: &str,
    ) -> Result<SendRequest<Full<Bytes>>, DialError> {
        let opening = async {
            match through {
                Some(through) => Ok(Stream::Plain(proxy::reach(through).await?)),
                None => Stream::open(ask.url, &self.way).await,
            }
        };
        let stream = match timeout(CONNECT, opening).await {
            Ok(Ok(stream)) => stream,
            Ok(Err(mut error)) => {
                // A proxy's and a file's faults name themselves.
                if through.is_none()
                    && error.fault.kind == FaultKind::Unreachable
                    && !error.cause.is_proxys()
                {
                    what.clone_into(&mut error.fault.what);
                }
                return Err(error);
            }
            Err(_) => {
                let why = say!("no connection in 10 s", "10 秒内没有连上");
                return Err(DialError::later(what, why, &look()).because(Cause::Silent));
            }
        };
        let shaken = http1::handshake(TokioIo::new(stream)).await;
        let (sender, connection) = shaken.map_err(|error| self.odd(what, ask.url, &error))?;
        // It ends with its sender; what it has to say, requests say too.
        tokio::spawn(async move { drop(connection.await) });
        Ok(sender)
    }

    /// What does not answer as a web server.
    fn odd(&self, what: &str, url: &Url, error: &hyper::Error) -> DialError {
        let mut inner = std::error::Error::source(error);
        while let Some(cause) = inner {
            if let Some(io) = cause.downcast_ref::<std::io::Error>()
                && let Some(mut told) = tls::told(url.host_str().unwrap_or(""), &self.way, io)
            {
                what.clone_into(&mut told.fault.what);
                return told;
            }
            inner = cause.source();
        }
        let words = plain_words(error);
        let why = say!(
            "it does not answer as a web server ({words})",
            "它的应答不是网页服务器（{words}）"
        );
        let next = say!("check the address and the port", "请检查地址和端口");
        DialError::later(what, why, &next).because(Cause::OtherProtocol)
    }
}

/// Where a redirect leads, if it may be followed.
fn redirected(
    from: &Url,
    to: Option<Url>,
    method: &Method,
    status: u16,
    what: &str,
) -> Result<Url, DialError> {
    let Some(to) = to else {
        let why = say!("it redirects to nowhere", "它重定向到无效地址");
        return Err(
            DialError::never(FaultKind::Unreachable, what, why, &look()).because(Cause::Redirect)
        );
    };
    let same = to.host_str() == from.host_str();
    let safe = !(from.scheme() == "https" && to.scheme() != "https");
    let repeats = *method == Method::GET || matches!(status, 307 | 308);
    if same && safe && repeats && matches!(to.scheme(), "http" | "https") {
        return Ok(to);
    }
    let shown = redact::redact_url(to.as_str());
    let why = say!("it redirects to {shown}", "它重定向到 {shown}");
    let next = if safe {
        say!(
            "use that address if you trust it",
            "如果信任该地址，请直接使用它"
        )
    } else {
        say!(
            "from https to http it is not followed: check the server",
            "不会从 https 跟随到 http：请检查服务器"
        )
    };
    Err(DialError::never(FaultKind::Unreachable, what, why, &next).because(Cause::Redirect))
}

fn answered<T>(
    through: Option<&Proxy>,
    origin: String,
    response: Response<Incoming>,
    sender: T,
) -> Result<(String, Response<Incoming>, T), DialError> {
    match through {
        Some(proxy) if response.status() == StatusCode::PROXY_AUTHENTICATION_REQUIRED => {
            Err(proxy::wants_login(proxy))
        }
        Some(_) | None => Ok((origin, response, sender)),
    }
}

fn silent(what: &str) -> DialError {
    let why = say!("it did not answer in 15 s", "15 秒内没有应答");
    DialError::later(what, why, &look()).because(Cause::Silent)
}

fn look() -> String {
    say!(
        "check the address and the network to it",
        "请检查地址和到它的网络"
    )
}

fn request(
    ask: &Ask<'_>,
    through: Option<&Proxy>,
    what: &str,
) -> Result<Request<Full<Bytes>>, DialError> {
    let url = ask.url;
    let mut bare = url.clone();
    // A name and a password are no part of a request's line.
    let _ = bare.set_username("");
    let _ = bare.set_password(None);
    bare.set_fragment(None);
    let target = match through {
        Some(_) => bare.as_str(),
        None => &bare[Position::BeforePath..Position::AfterQuery],
    };
    let mut request = Request::builder()
        .method(ask.method.clone())
        .uri(target)
        .header(HOST, &url[Position::BeforeHost..Position::AfterPort])
        // The console's compression would hold a stream back (protocols.md 3.2).
        .header(ACCEPT_ENCODING, "identity")
        .header(USER_AGENT, concat!("deckwatch/", env!("CARGO_PKG_VERSION")));
    if let Some(basic) = through.and_then(Proxy::basic)
        && let Ok(mut value) = HeaderValue::from_str(&basic)
    {
        value.set_sensitive(true);
        request = request.header(PROXY_AUTHORIZATION, value);
    }
    for (name, value) in &ask.headers {
        request = request.header(name, value);
    }
    let body = match &ask.body {
        Some((kind, bytes)) => {
            request = request.header(CONTENT_TYPE, *kind);
            Full::new(Bytes::copy_from_slice(bytes))
        }
        None => Full::default(),
    };
    request.body(body).map_err(|error| {
        let why = say!("it can't be asked for ({error})", "无法请求（{error}）");
        DialError::never(FaultKind::Usage, what, why, &look())
    })
}

fn plain_words(error: &hyper::Error) -> String {
    let mut inner = std::error::Error::source(error);
    while let Some(cause) = inner {
        if let Some(io) = cause.downcast_ref::<std::io::Error>() {
            return words::io_error(io);
        }
        inner = cause.source();
    }
    error.to_string()
}

/// Of a page of a shell server no more bytes are read: a token is short.
const PAGE: usize = 64 << 10;

/// The text of a shell server's page under `base`, which ends in `/`; none if there is no such
/// page. `login` is sent with the request.
pub async fn page(
    base: &Url,
    name: &str,
    login: Option<(&str, &Secret)>,
    way: &Arc<Way>,
) -> Result<Option<String>, DialError> {
    let Ok(url) = base.join(name) else {
        return Ok(None);
    };
    let what = redact::redact_url(base.as_str()).to_string();
    let mut ask = Ask::get(&url);
    ask.limit = PAGE;
    if let Some((user, password)) = login
        && let Ok(mut value) = HeaderValue::from_str(&redact::basic(user, password))
    {
        value.set_sensitive(true);
        ask.headers.push((hyper::header::AUTHORIZATION, value));
    }
    let answer = Http::new(Arc::clone(way)).send(ask).await;
    let answer = answer.map_err(|mut error| {
        error.fault.what.clone_from(&what);
        error
    })?;
    read_page(&what, login.is_some(), answer)
}

fn read_page(what: &str, named: bool, answer: Answer) -> Result<Option<String>, DialError> {
    let denied = |cause: Cause, why: String, next: String| {
        Err(DialError::never(FaultKind::Denied, what, why, &next).because(cause))
    };
    match answer.status {
        StatusCode::UNAUTHORIZED => {
            let why = if named {
                say!(
                    "it does not accept user and password (401)",
                    "它不接受用户名和密码（401）"
                )
            } else {
                say!(
                    "it wants a user and a password (401)",
                    "它要求用户名和密码（401）"
                )
            };
            let next = say!(
                "write user@ before the host; the password is asked for, or read from --password-file or --password-stdin",
                "请在主机前写 用户名@；密码会询问，或用 --password-file、--password-stdin 提供"
            );
            denied(Cause::Unauthorized, why, next)
        }
        StatusCode::FORBIDDEN => denied(
            Cause::Forbidden,
            say!("it refuses (403)", "它拒绝访问（403）"),
            say!("ask for access to it", "请申请访问权限"),
        ),
        StatusCode::PROXY_AUTHENTICATION_REQUIRED => denied(
            Cause::ProxyLogin,
            say!(
                "a proxy in front of it wants to know who you are (407)",
                "它前面的代理要求登录（407）"
            ),
            say!(
                "ask whoever runs it for the way in",
                "请向管理员咨询访问方式"
            ),
        ),
        StatusCode::OK => Ok(String::from_utf8(answer.body.into()).ok()),
        _ => Ok(None),
    }
}

#[cfg(test)]
mod tests;
