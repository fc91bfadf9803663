//! A server's pages: dialled like everything else, over the same TLS, small, and never from
//! another host: a redirect is an answer like any other.

use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Empty, Limited};
use hyper::client::conn::http1;
use hyper::header::{ACCEPT, AUTHORIZATION, CONNECTION, HOST, HeaderValue};
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::time::timeout;
use url::{Position, Url};

use crate::model::FaultKind;
use crate::say;
use crate::text::redact::{self, Secret};
use crate::word;

use super::DialError;
use super::stream::Stream;

/// One page, from dialling to its last byte.
const PAGE: Duration = Duration::from_secs(8);
/// Of a page no more bytes are read: a token is short.
const LONGEST: usize = 64 << 10;

/// Asks a server for pages.
#[derive(Debug)]
pub struct Pages<'a> {
    base: &'a Url,
    login: Option<(&'a str, &'a Secret)>,
}

impl<'a> Pages<'a> {
    /// Pages under `base`, which ends in `/`; `login` is sent with every request.
    pub fn new(base: &'a Url, login: Option<(&'a str, &'a Secret)>) -> Self {
        Self { base, login }
    }

    /// The text of a page; none if there is no such page.
    pub async fn get(&self, name: &str) -> Result<Option<String>, DialError> {
        let what = redact::redact_url(self.base.as_str()).to_string();
        let Ok(url) = self.base.join(name) else {
            return Ok(None);
        };
        let answer = match timeout(PAGE, self.ask(&url)).await {
            Ok(answer) => answer,
            Err(_) => Err(DialError::later(
                &what,
                word!("it did not answer for a page in 8 s", "8 s 内没有返回页面"),
                word!(
                    "check the address and the network to it",
                    "请检查地址和到它的网络"
                ),
            )),
        };
        let (status, page) = answer.map_err(|mut error| {
            error.fault.what.clone_from(&what);
            error
        })?;
        self.read(&what, status, page)
    }

    /// One request on a connection of its own.
    async fn ask(&self, url: &Url) -> Result<(StatusCode, Option<Vec<u8>>), DialError> {
        let odd = |error: &dyn std::fmt::Display| {
            let why = say!(
                "it does not answer as a web server ({error})",
                "对方的应答不像 Web 服务器（{error}）"
            );
            DialError::later(
                "",
                why,
                word!("check the address and the port", "请检查地址和端口"),
            )
        };
        let stream = Stream::open(url).await?;
        let shaken = http1::handshake::<_, Empty<Bytes>>(TokioIo::new(stream)).await;
        let (mut sender, connection) = shaken.map_err(|error| odd(&error))?;
        let request = self.request(url).map_err(|error| odd(&error))?;
        let work = async {
            let answer = sender.send_request(request).await?;
            let status = answer.status();
            let body = Limited::new(answer.into_body(), LONGEST).collect().await;
            Ok::<_, hyper::Error>((status, body.ok().map(|body| body.to_bytes().to_vec())))
        };
        tokio::pin!(work, connection);
        let mut closed = false;
        loop {
            tokio::select! {
                answer = &mut work => return answer.map_err(|error| odd(&error)),
                // What it did not say is told by the request.
                _ = &mut connection, if !closed => closed = true,
            }
        }
    }

    fn request(&self, url: &Url) -> Result<Request<Empty<Bytes>>, hyper::http::Error> {
        let mut request = Request::get(&url[Position::BeforePath..Position::AfterQuery])
            .header(HOST, &url[Position::BeforeHost..Position::AfterPort])
            .header(ACCEPT, "*/*")
            .header(CONNECTION, "close");
        if let Some((user, password)) = self.login {
            let mut value = HeaderValue::from_str(&redact::basic(user, password))?;
            value.set_sensitive(true);
            request = request.header(AUTHORIZATION, value);
        }
        request.body(Empty::new())
    }

    fn read(
        &self,
        what: &str,
        status: StatusCode,
        page: Option<Vec<u8>>,
    ) -> Result<Option<String>, DialError> {
        let denied =
            |why: &str, next: &str| Err(DialError::never(FaultKind::Denied, what, why, next));
        match status {
            StatusCode::UNAUTHORIZED => denied(
                match self.login {
                    Some(_) => word!(
                        "it does not accept user and password (401)",
                        "它不接受此用户名和密码 (401)"
                    ),
                    None => word!(
                        "it wants a user and a password (401)",
                        "它要求用户名和密码 (401)"
                    ),
                },
                word!(
                    "write user@ before the host; the password is asked for, or read from --password-file or --password-stdin",
                    "请在主机前写 user@；密码会提示输入，或由 --password-file、--password-stdin 提供"
                ),
            ),
            StatusCode::FORBIDDEN => denied(
                word!("it refuses (403)", "它拒绝访问 (403)"),
                word!("ask for access to it", "请申请访问权限"),
            ),
            StatusCode::PROXY_AUTHENTICATION_REQUIRED => denied(
                word!(
                    "a proxy in front of it wants to know who you are (407)",
                    "它前面的代理要求验证身份 (407)"
                ),
                word!(
                    "ask whoever runs it for the way in",
                    "请向其管理者询问接入方式"
                ),
            ),
            StatusCode::OK => Ok(page.and_then(|page| String::from_utf8(page).ok())),
            _ => Ok(None),
        }
    }
}
