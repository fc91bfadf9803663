//! One question to a platform, with everything that may come instead of an answer
//! (reliability.md 2.3): a token that has expired is read anew once, a busy server is left alone
//! as long as it says, everything else is told.

use std::time::Duration;

use hyper::Method;
use hyper::header::{AUTHORIZATION, COOKIE, HeaderName, HeaderValue};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use tokio::time::sleep;
use url::Url;

use crate::clock;
use crate::codec::rest::{self, Payload, Refusal};
use crate::model::context::{Api, Credential};
use crate::model::{Cause, FaultKind};
use crate::say;
use crate::text::redact;
use crate::text::redact::Secret;
use crate::transport::DialError;
use crate::transport::http::{self, Answer, Ask, Streaming};

use super::{Platform, credential};

/// A busy server is asked so often in all.
const ATTEMPTS: u32 = 3;
/// A wait longer than this is the caller's.
const PATIENCE: Duration = Duration::from_secs(20);
/// The pause before a server that did not say how long is asked again.
const PAUSE: Duration = Duration::from_millis(500);

/// What has no place in a cookie's value (RFC 6265), as browsers write it.
const COOKIE_VALUE: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'%')
    .add(b',')
    .add(b';')
    .add(b'\\');

/// A question: path and parameters.
#[derive(Clone, Debug, Default)]
pub struct Query<'a> {
    /// The path's segments behind the server's own.
    pub path: Vec<&'a str>,
    /// The parameters.
    pub parameters: Vec<(&'static str, String)>,
    /// A form to post.
    pub form: Option<String>,
    /// JSON to post.
    pub json: Option<Vec<u8>>,
    /// Team and region, which the console wants in cookies.
    pub team: Option<&'a str>,
    /// See there.
    pub region: Option<&'a str>,
}

impl<'a> Query<'a> {
    /// `GET /a/b/c`.
    pub fn of(path: &[&'a str]) -> Self {
        Self {
            path: path.to_vec(),
            ..Self::default()
        }
    }

    /// With a parameter.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.parameters.push((name, value.into()));
        self
    }

    /// In a team and a region of the console.
    #[must_use]
    pub fn within(mut self, team: &'a str, region: &'a str) -> Self {
        self.team = Some(team);
        self.region = Some(region);
        self.with("region_name", region)
    }
}

impl Platform {
    /// Asks, and reads the answer's envelope.
    pub async fn ask(&mut self, query: Query<'_>) -> Result<Payload, DialError> {
        self.ask_for(query, read).await
    }

    /// Asks, and reads the answer in a way of its own.
    pub(super) async fn ask_for<T>(
        &mut self,
        query: Query<'_>,
        read: impl Fn(&str, &Answer) -> Result<T, DialError>,
    ) -> Result<T, DialError> {
        let url = self.url(&query);
        let what = redact::redact_url(url.as_str()).to_string();
        let mut refreshed = false;
        for attempt in 1.. {
            self.look_for_token().await?;
            let answer = self.http.send(self.request(&url, &query)).await?;
            let error = match read(&what, &answer) {
                Ok(payload) => return Ok(payload),
                Err(error) => error,
            };
            if error.cause == Cause::Unauthorized && !refreshed {
                refreshed = true;
                if self.refresh().await? {
                    continue;
                }
            }
            let wait = error.after.unwrap_or(PAUSE * attempt);
            if !error.retry || attempt >= ATTEMPTS || wait > PATIENCE {
                return Err(self.advise(error));
            }
            sleep(wait).await;
        }
        Err(DialError::later(&what, say!("it is busy", "它正忙"), ""))
    }

    /// Asks for a stream; any other status than 200 is told.
    pub async fn open_stream(&mut self, query: &Query<'_>) -> Result<Streaming, DialError> {
        let url = self.url(query);
        let what = redact::redact_url(url.as_str()).to_string();
        let mut refreshed = false;
        loop {
            self.look_for_token().await?;
            let stream = self.http.stream(self.request(&url, query)).await?;
            if stream.status.is_success() {
                return Ok(stream);
            }
            let answer = Answer {
                status: stream.status,
                headers: stream.headers.clone(),
                body: stream.rest(4096).await,
            };
            let error = match read(&what, &answer) {
                Ok(_) => refusal(
                    &what,
                    &Refusal {
                        code: 0,
                        words: String::new(),
                    },
                ),
                Err(error) => error,
            };
            if error.cause == Cause::Unauthorized && !refreshed {
                refreshed = true;
                if self.refresh().await? {
                    continue;
                }
            }
            return Err(self.advise(error));
        }
    }

    /// The whole answer to a question, for `doctor`.
    pub async fn answer(&mut self, query: &Query<'_>) -> Result<Answer, DialError> {
        let url = self.url(query);
        self.look_for_token().await?;
        self.http.send(self.request(&url, query)).await
    }

    async fn look_for_token(&mut self) -> Result<(), DialError> {
        if !std::mem::replace(&mut self.looked, true) {
            self.token = read_token(&self.context.credential).await?;
        }
        Ok(())
    }

    /// Reads the token anew; whether there is another one than before.
    async fn refresh(&mut self) -> Result<bool, DialError> {
        if matches!(
            self.context.credential,
            Credential::None | Credential::Given(_)
        ) {
            return Ok(false);
        }
        let fresh = read_token(&self.context.credential).await?;
        let exposed = |token: &Option<Secret>| token.as_ref().map(|t| t.expose().to_owned());
        let other = fresh.is_some() && exposed(&fresh) != exposed(&self.token);
        self.token = fresh;
        Ok(other)
    }

    /// Where a question goes.
    pub fn url(&self, query: &Query<'_>) -> Url {
        let mut url = self.context.server.clone();
        url.set_query(None);
        url.set_fragment(None);
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(&query.path);
        }
        if !query.parameters.is_empty() {
            url.query_pairs_mut().extend_pairs(&query.parameters);
        }
        url
    }

    fn request<'a>(&self, url: &'a Url, query: &Query<'_>) -> Ask<'a> {
        let mut ask = Ask::get(url);
        if let Some(form) = &query.form {
            ask.method = Method::POST;
            let kind = "application/x-www-form-urlencoded";
            ask.body = Some((kind, form.clone().into_bytes()));
        } else if let Some(json) = &query.json {
            ask.method = Method::POST;
            ask.body = Some(("application/json", json.clone()));
        }
        let mut secret = |name: HeaderName, value: &str| {
            if let Ok(mut value) = HeaderValue::from_str(value) {
                value.set_sensitive(true);
                ask.headers.push((name, value));
            }
        };
        match (self.context.api, &self.token) {
            (Api::Console, token) => {
                let mut cookies = Vec::new();
                if let Some(token) = token {
                    secret(AUTHORIZATION, &format!("GRJWT {}", token.expose()));
                    cookies.push(format!("token={}", token.expose()));
                }
                for (name, value) in [
                    ("team", query.team),
                    ("team_name", query.team),
                    ("region_name", query.region),
                ] {
                    let value = value.map(|value| utf8_percent_encode(value, COOKIE_VALUE));
                    cookies.extend(value.map(|value| format!("{name}={value}")));
                }
                if !cookies.is_empty() {
                    secret(COOKIE, &cookies.join("; "));
                }
            }
            (Api::Region | Api::Bare, Some(token)) => {
                // Two words; the second one is compared (protocols.md 3.1).
                secret(AUTHORIZATION, &format!("Token {}", token.expose()));
            }
            (Api::Region | Api::Bare, None) => {}
        }
        ask
    }

    /// What to do about a missing or refused login, in this context.
    fn advise(&self, mut error: DialError) -> DialError {
        let name = &self.context.name;
        if error.cause == Cause::Unauthorized {
            error.fault.next = match (&self.context.credential, self.context.api) {
                (Credential::File(path), _) => {
                    let path = path.display();
                    say!("put a fresh token into {path}", "请把新的令牌写入 {path}")
                }
                (Credential::Command(_), _) => say!(
                    "check what the context's credential-command prints",
                    "请检查上下文的 credential-command 输出"
                ),
                (Credential::Given(_), _) => {
                    say!("give it a fresh token", "请提供新的令牌")
                }
                (_, Api::Console) => say!(
                    "log in again: deckwatch login {name}",
                    "请重新登录：deckwatch login {name}"
                ),
                (_, Api::Region | Api::Bare) => say!(
                    "give the region's token: deckwatch login {name} --token-stdin",
                    "请提供区域的令牌：deckwatch login {name} --token-stdin"
                ),
            };
        }
        error
    }
}

async fn read_token(source: &Credential) -> Result<Option<Secret>, DialError> {
    credential::read(source).await.map_err(|fault| DialError {
        fault,
        retry: false,
        after: None,
        cause: Cause::Unauthorized,
    })
}

/// An answer, or what it says instead.
pub(super) fn read(what: &str, answer: &Answer) -> Result<Payload, DialError> {
    let status = answer.status.as_u16();
    let error = match rest::envelope(status, &answer.body) {
        Some(Ok(payload)) => return Ok(payload),
        Some(Err(words)) => refusal(what, &words),
        None if rest::is_too_much(&answer.body) => {
            let why = say!("its answer has too many parts", "应答包含的内容过多");
            let next = say!("ask for less", "请缩小查询范围");
            DialError::never(FaultKind::Protocol, what, why, &next)
        }
        None if (200..300).contains(&status) => {
            let why = say!("it answers no JSON", "应答不是 JSON");
            let next = say!(
                "check that the address is the console's or the region API's",
                "请确认地址是控制台或区域 API 的地址"
            );
            DialError::never(FaultKind::Protocol, what, why, &next).because(Cause::OtherProtocol)
        }
        None => refusal(
            what,
            &Refusal {
                code: u64::from(status),
                words: plain(&answer.body),
            },
        ),
    };
    let mut error = error;
    error.after = http::retry_after(&answer.headers, clock::wall());
    Err(error)
}

/// The beginning of a text; of a page its title.
fn plain(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body.get(..body.len().min(1000)).unwrap_or(&[]));
    let text = text.trim();
    if !text.starts_with('<') {
        return text.chars().take(200).collect();
    }
    let title = text
        .split_once("<title>")
        .and_then(|(_, rest)| rest.split_once("</title>"));
    title.map_or_else(String::new, |(title, _)| title.trim().to_owned())
}

fn refusal(what: &str, words: &Refusal) -> DialError {
    let said = if words.words.is_empty() {
        String::new()
    } else {
        let text = crate::text::SafeText::of(&words.words).to_string();
        say!(", saying {text:?}", "，内容为 {text:?}")
    };
    let code = words.code;
    let never = |kind: FaultKind, cause: Cause, why: String, next: String| {
        DialError::never(kind, what, why, &next).because(cause)
    };
    match code {
        _ if words.wants_login() => never(
            FaultKind::Denied,
            Cause::Unauthorized,
            say!(
                "it wants a login ({code}){said}",
                "它要求登录（{code}）{said}"
            ),
            String::new(),
        ),
        _ if words.forbids() => never(
            FaultKind::Denied,
            Cause::Forbidden,
            say!("it refuses ({code}){said}", "它拒绝访问（{code}）{said}"),
            say!("ask for access to it", "请申请访问权限"),
        ),
        _ if words.is_absence() => never(
            FaultKind::NotFound,
            Cause::NotFound,
            say!("it is not there ({code}){said}", "它不存在（{code}）{said}"),
            say!("check the name", "请检查名字"),
        ),
        400 if words.words.contains("SSL certificate") => never(
            FaultKind::Unreachable,
            Cause::TlsClientCert,
            say!(
                "it wants a client certificate (400)",
                "它要求客户端证书（400）"
            ),
            say!(
                "name yours with --cert and --key, or in the context",
                "请用 --cert 和 --key 指定客户端证书，或写在上下文里"
            ),
        ),
        408 | 425 | 429 | 500..=599 => DialError::later(
            what,
            say!(
                "it is not ready ({code}){said}",
                "它尚未就绪（{code}）{said}"
            ),
            &say!(
                "try again later, or look at the server's own log",
                "请稍后再试，或查看服务器自己的日志"
            ),
        )
        .because(Cause::Status),
        _ => never(
            FaultKind::Unreachable,
            Cause::Status,
            say!(
                "it does not do that ({code}){said}",
                "它没有照办（{code}）{said}"
            ),
            say!("check the address and the name", "请检查地址和名字"),
        ),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::model::context::Context;

    /// The cookies of a question within a team and a region.
    fn cookies(team: &str, region: &str) -> String {
        let server = Url::parse("https://console.example").unwrap();
        let context = Context::new("c", server, Api::Console);
        let mut platform = Platform::new(&Arc::new(context));
        platform.token = Some(Secret::new("t0ken"));
        let query = Query::of(&["console"]).within(team, region);
        let url = platform.url(&query);
        let ask = platform.request(&url, &query);
        let cookies = ask.headers.iter().filter(|(name, _)| *name == COOKIE);
        let texts: Vec<&str> = cookies.map(|(_, value)| value.to_str().unwrap()).collect();
        texts.join("|")
    }

    #[test]
    fn a_name_in_any_script_leaves_the_token_in_its_cookie() {
        for (team, region, want) in [
            (
                "shop",
                "east-1",
                "team=shop; team_name=shop; region_name=east-1",
            ),
            (
                "商城",
                "east",
                "team=%E5%95%86%E5%9F%8E; team_name=%E5%95%86%E5%9F%8E; region_name=east",
            ),
            (
                "a;token=b\n",
                "x\u{7f}",
                "team=a%3Btoken=b%0A; team_name=a%3Btoken=b%0A; region_name=x%7F",
            ),
        ] {
            assert_eq!(cookies(team, region), format!("token=t0ken; {want}"));
        }
    }
}
