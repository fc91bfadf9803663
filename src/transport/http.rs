//! A server's pages: small, over the same TLS as everything else, never from another host.

use std::time::Duration;

use reqwest::header::{AUTHORIZATION, HeaderValue};
use reqwest::redirect::Policy;
use reqwest::{Client, StatusCode};
use url::Url;

use crate::model::FaultKind;
use crate::text::redact::{self, Secret};

use super::{DialError, dial};

/// One page, from dialling to its last byte.
const PAGE: Duration = Duration::from_secs(5);
/// Of a page no more bytes are read: a token is short.
const LONGEST: usize = 64 << 10;

/// Asks a server for pages.
#[derive(Debug)]
pub struct Pages {
    client: Client,
    base: Url,
    authorization: Option<HeaderValue>,
}

impl Pages {
    /// Pages under `base`, which ends in `/`; `login` is sent with every request.
    pub fn new(base: &Url, login: Option<(&str, &Secret)>) -> Result<Self, DialError> {
        let what = redact::redact_url(base.as_str()).to_string();
        let wrong = |why: String| DialError::never(FaultKind::Unreachable, &what, why, "");
        let client = Client::builder()
            .redirect(Policy::none())
            .no_proxy()
            .timeout(PAGE)
            .tls_backend_preconfigured(dial::tls_config(&what)?)
            .build()
            .map_err(|error| wrong(error.to_string()))?;
        let authorization = login.map(|(user, password)| {
            let value = HeaderValue::from_str(&redact::basic(user, password));
            value.map(|mut value| {
                value.set_sensitive(true);
                value
            })
        });
        Ok(Self {
            client,
            base: base.clone(),
            authorization: authorization
                .transpose()
                .map_err(|error| wrong(error.to_string()))?,
        })
    }

    /// The text of a page; none if there is no such page.
    pub async fn get(&self, name: &str) -> Result<Option<String>, DialError> {
        let what = redact::redact_url(self.base.as_str()).to_string();
        let Ok(url) = self.base.join(name) else {
            return Ok(None);
        };
        let mut request = self.client.get(url);
        if let Some(value) = &self.authorization {
            request = request.header(AUTHORIZATION, value);
        }
        let mut answer = match request.send().await {
            Ok(answer) => answer,
            Err(error) => return Err(unreachable(&what, &error)),
        };
        match answer.status() {
            StatusCode::UNAUTHORIZED => Err(DialError::never(
                FaultKind::Denied,
                &what,
                match self.authorization {
                    Some(_) => "it does not accept user and password (401)",
                    None => "it wants a user and a password (401)",
                },
                "write user@ before the host; the password is asked for, or read from --password-file or --password-stdin",
            )),
            StatusCode::FORBIDDEN => Err(DialError::never(
                FaultKind::Denied,
                &what,
                "it refuses (403)",
                "ask for access to it",
            )),
            StatusCode::PROXY_AUTHENTICATION_REQUIRED => Err(DialError::never(
                FaultKind::Denied,
                &what,
                "a proxy in front of it wants to know who you are (407)",
                "ask whoever runs it for the way in",
            )),
            StatusCode::OK => {
                let mut page = Vec::new();
                while let Ok(Some(part)) = answer.chunk().await {
                    page.extend_from_slice(&part);
                    if page.len() > LONGEST {
                        return Ok(None);
                    }
                }
                Ok(String::from_utf8(page).ok())
            }
            _ => Ok(None),
        }
    }
}

/// Why no answer came: the innermost cause tells.
fn unreachable(what: &str, error: &reqwest::Error) -> DialError {
    if error.is_timeout() {
        let why = "it did not answer for a page in 5 s";
        return DialError::later(what, why, "check the address and the network to it");
    }
    let mut cause: &dyn std::error::Error = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    let words = cause.to_string();
    let words = words.split(" (os error").next().unwrap_or("");
    DialError::later(
        what,
        format!("it can't be asked for its pages ({words})"),
        "check the address and that the server runs",
    )
}
