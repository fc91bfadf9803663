//! What must not be shown: secrets, and the secret parts of URLs.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::safe::SafeText;

/// Stands where something secret was.
const HIDDEN: &str = "***";

/// A password or token. It can't be printed or compared by accident; its memory is
/// overwritten when it goes, as far as that is possible without unsafe code (copies that were
/// made while it grew are not reached).
pub struct Secret(Vec<u8>);

impl Secret {
    /// Takes a secret over.
    pub fn new(secret: impl Into<String>) -> Self {
        Self(secret.into().into_bytes())
    }

    /// The secret itself; for the request that needs it, never for a message.
    pub fn expose(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or("")
    }

    /// Whether it is empty.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Clone for Secret {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl Drop for Secret {
    fn drop(&mut self) {
        self.0.fill(0);
        // Without a reader the compiler would leave the overwriting out.
        std::hint::black_box(&self.0);
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(HIDDEN)
    }
}

/// The value of an `Authorization` header for Basic authentication; a secret too.
pub fn basic(user: &str, password: &Secret) -> String {
    let pair = format!("{user}:{}", password.expose());
    format!("Basic {}", STANDARD.encode(pair))
}

/// A URL as it may be shown: without password and without the values of secret parameters.
#[derive(Clone, PartialEq, Eq)]
pub struct SafeUrl(SafeText<'static>);

impl SafeUrl {
    /// Redacts and sanitises `url`, which need not be a valid one.
    pub fn new(url: &str) -> Self {
        Self(redact_url(url))
    }

    /// What may be shown.
    pub fn text(&self) -> &SafeText<'static> {
        &self.0
    }
}

impl fmt::Display for SafeUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl fmt::Debug for SafeUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

/// `url` without the password of its user part and without the values of query and fragment
/// parameters that name a secret. Works on anything, valid or not; rather hides too much.
pub fn redact_url(url: &str) -> SafeText<'static> {
    let (before, parameters) = match url.find(['?', '#']) {
        Some(at) => url.split_at_checked(at).unwrap_or((url, "")),
        None => (url, ""),
    };
    let mut shown = String::with_capacity(url.len());
    push_place(before, &mut shown);
    push_parameters(parameters, &mut shown);
    SafeText::of(&shown).into_owned()
}

/// Scheme, user, host and path.
fn push_place(place: &str, shown: &mut String) {
    let (scheme, rest) = match place.split_once("://") {
        Some((scheme, rest)) => (Some(scheme), rest),
        None => (None, place),
    };
    if let Some(scheme) = scheme {
        shown.push_str(scheme);
        shown.push_str("://");
    }
    let secret = rest.rsplit_once('@').and_then(|(user, host)| {
        let (name, password) = user.split_once(':')?;
        // `host:8080/path@x` has a port there. A password may hold a slash too.
        let port = password.split_once('/').is_some_and(|(port, _)| {
            !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit())
        });
        (!port && !name.contains('/')).then_some((name, host))
    });
    match secret {
        Some((name, host)) => {
            for part in [name, ":", HIDDEN, "@", host] {
                shown.push_str(part);
            }
        }
        None => shown.push_str(rest),
    }
}

/// `?a=b&c=d#e=f`, with the values of secret names hidden.
fn push_parameters(parameters: &str, shown: &mut String) {
    for piece in parameters.split_inclusive(['?', '#', '&', ';']) {
        let end = piece.trim_end_matches(['?', '#', '&', ';']);
        match end.split_once('=') {
            Some((name, value)) if !value.is_empty() && is_secret(name) => {
                shown.push_str(name);
                shown.push('=');
                shown.push_str(HIDDEN);
            }
            _ => shown.push_str(end),
        }
        shown.push_str(piece.get(end.len()..).unwrap_or(""));
    }
}

/// Whether a parameter of this name is secret: one of its words is on the list.
fn is_secret(name: &str) -> bool {
    const WORDS: [&str; 13] = [
        "token",
        "auth",
        "authorization",
        "sign",
        "signature",
        "sig",
        "key",
        "password",
        "passwd",
        "pwd",
        "secret",
        "md5",
        "credential",
    ];
    const ENDS: [&str; 5] = ["token", "password", "secret", "signature", "apikey"];
    let name = percent_decode(name).to_ascii_lowercase();
    ENDS.iter().any(|end| name.ends_with(end))
        || name
            .split(|c: char| !c.is_ascii_alphanumeric())
            .any(|word| WORDS.contains(&word))
}

/// Decodes `%41`; what is no such escape stays.
pub fn percent_decode(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((byte, tail)) = rest.split_first() {
        let code = match (byte, tail) {
            (b'%', [high, low, ..]) => hex(*high).zip(hex(*low)),
            _ => None,
        };
        rest = tail;
        match code {
            Some((high, low)) => {
                bytes.push(high * 16 + low);
                rest = tail.get(2..).unwrap_or(&[]);
            }
            None => bytes.push(*byte),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn hex(digit: u8) -> Option<u8> {
    let value = char::from(digit).to_digit(16)?;
    u8::try_from(value).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_secret_parts_of_a_url_are_hidden_and_the_rest_stays() {
        for (url, want) in [
            ("ws://host:6060/docker_log", "ws://host:6060/docker_log"),
            ("ws://bob:pw@host/x", "ws://bob:***@host/x"),
            ("ws://bob:p@w:x@host/x", "ws://bob:***@host/x"),
            ("ws://bob:p/w@host/x", "ws://bob:***@host/x"),
            ("ws://bob@host/x", "ws://bob@host/x"),
            ("ws://host:80/a@b", "ws://host:80/a@b"),
            ("bob:pw@host", "bob:***@host"),
            (
                "https://h/x?token=abc&rows=5",
                "https://h/x?token=***&rows=5",
            ),
            (
                "https://h/x?ToKeN=abc;SIG=1#access_token=3",
                "https://h/x?ToKeN=***;SIG=***#access_token=***",
            ),
            ("https://h/x?%74oken=abc", "https://h/x?%74oken=***"),
            (
                "https://h/x?auth=a&sign=b&sig=c&key=d&password=e&md5=f",
                "https://h/x?auth=***&sign=***&sig=***&key=***&password=***&md5=***",
            ),
            (
                "https://h/x?X-Amz-Signature=a&monkey=b&keyword=c",
                "https://h/x?X-Amz-Signature=***&monkey=b&keyword=c",
            ),
            ("https://h/x?token=", "https://h/x?token="),
            ("not a url \x1b[31m", "not a url "),
            ("", ""),
        ] {
            assert_eq!(redact_url(url).as_str(), want, "{url}");
        }
    }

    #[test]
    fn a_secret_does_not_show_itself() {
        let secret = Secret::new("hunter2");
        assert_eq!(format!("{secret:?}"), "***");
        assert_eq!(secret.expose(), "hunter2");
    }
}
