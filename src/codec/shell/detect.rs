//! Finding out who listens (protocols.md 6.6): first by its pages, then by the subprotocol that
//! it selects, then by its first message.

use crate::text::redact::Secret;

use super::place::Place;
use super::{Dialect, FromShell, gotty, platform, ttyd};

/// A page that was asked for: its text, if the answer was 200.
pub type Page = Option<String>;

/// What the pages of a server tell.
#[derive(Clone, Debug, Default)]
pub struct Found {
    /// Who it is, if it is one of those that have such pages.
    pub dialect: Option<&'static Dialect>,
    /// What the first message has to hold; empty if it needs nothing.
    pub token: Option<Secret>,
}

/// Reads `token` (ttyd 1.6 and later), `auth_token.js` (GoTTY, older ttyd) and `config.js`
/// (GoTTY 2).
pub fn by_pages(token: &Page, auth_token: &Page, config: &Page) -> Found {
    if let Some(token) = token.as_deref().and_then(json_token) {
        return Found {
            dialect: Some(&ttyd::TTYD),
            token: Some(token),
        };
    }
    let script = auth_token.as_deref().unwrap_or("");
    let has_config = config
        .as_deref()
        .is_some_and(|page| page.contains("gotty_term"));
    let dialect = if script.contains("tty_auth_token") && !script.contains("gotty_auth_token") {
        Some(&ttyd::TTYD)
    } else if has_config {
        Some(&gotty::V2)
    } else if script.contains("gotty_auth_token") {
        Some(&gotty::V1)
    } else {
        None
    };
    Found {
        dialect,
        token: dialect.and_then(|_| quoted(script)),
    }
}

/// `{"token": "…"}`.
fn json_token(page: &str) -> Option<Secret> {
    let page: serde_json::Value = serde_json::from_str(page).ok()?;
    let token = page.as_object()?.get("token")?;
    Some(Secret::new(token.as_str()?))
}

/// `var … = '…';`
fn quoted(script: &str) -> Option<Secret> {
    let (_, rest) = script.split_once('\'')?;
    let (token, _) = rest.rsplit_once('\'')?;
    Some(Secret::new(token))
}

/// Who selects that subprotocol.
pub fn by_subprotocol(selected: &str) -> Option<&'static Dialect> {
    match selected {
        "webtty" => Some(&gotty::V2),
        "gotty" => Some(&gotty::V1),
        "tty" => Some(&ttyd::TTYD),
        _ => None,
    }
}

/// Who says this first. `known` is what was found out before; a first message that does not fit
/// overrules it, unless it fits nobody: then these are words.
pub fn by_first_message(
    message: &[u8],
    binary: bool,
    place: &Place,
    known: Option<&'static Dialect>,
) -> Option<&'static Dialect> {
    let of_platform = matches!(place, Place::Platform(_));
    if let Some(known) = known.filter(|known| known.decode_fits(message)) {
        return Some(known);
    }
    match (binary, message.first()?) {
        (true, b'1') => Some(&ttyd::TTYD),
        (false, b'2') if of_platform => Some(&platform::A),
        (false, b'3') if of_platform => Some(&platform::B),
        (false, b'2') => Some(&gotty::V1),
        (false, b'3') => Some(&gotty::V2),
        _ => None,
    }
}

/// GoTTY 2 turns out to be sorenisanerd's when it tells its buffer's size, before any output.
pub fn by_buffer_size(message: &[u8], dialect: &Dialect) -> Option<&'static Dialect> {
    let is = *dialect == gotty::V2 && message.first() == Some(&b'6');
    (is && gotty::SOREN.decode_fits(message)).then_some(&gotty::SOREN)
}

impl Dialect {
    /// Whether a message is one of this dialect.
    fn decode_fits(&self, message: &[u8]) -> bool {
        match self.decode(message, &mut Vec::new()) {
            FromShell::Output(_) | FromShell::Pong | FromShell::Title(_) | FromShell::Hint => true,
            FromShell::Malformed | FromShell::Foreign(_) | FromShell::Plain(_) => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::shell::place::Pod;

    #[expect(clippy::unnecessary_wraps, reason = "a page that is there")]
    fn page(text: &str) -> Page {
        Some(text.to_owned())
    }

    #[test]
    fn pages_tell_server_and_token() {
        let gotty = page("var gotty_auth_token = 'user:it's';");
        let open = page("var gotty_auth_token = '';");
        let config = page("var gotty_term = 'xterm';");
        let old = page("var tty_auth_token = 'dTpw';");
        let html = page("<html>not 'this'</html>");
        for (token, script, config, name, secret) in [
            (
                &page(r#"{"token": "dTpw"}"#),
                &None,
                &None,
                Some("ttyd"),
                Some("dTpw"),
            ),
            (
                &page(r#"{"token": ""}"#),
                &None,
                &None,
                Some("ttyd"),
                Some(""),
            ),
            (&None, &gotty, &None, Some("gotty1"), Some("user:it's")),
            (&html, &open, &html, Some("gotty1"), Some("")),
            (&html, &open, &config, Some("gotty2"), Some("")),
            (&None, &old, &None, Some("ttyd"), Some("dTpw")),
            (&html, &html, &html, None, None),
            (&None, &None, &None, None, None),
        ] {
            let found = by_pages(token, script, config);
            assert_eq!(found.dialect.map(|d| d.name), name, "{token:?} {script:?}");
            assert_eq!(found.token.as_ref().map(Secret::expose), secret);
        }
    }

    #[test]
    fn the_first_message_decides_where_nothing_else_did() {
        let pages = Place::Pages {
            arguments: String::new(),
        };
        let pod = Place::Platform(Pod::default());
        for (message, binary, place, known, want) in [
            (&b"310.0.0.1"[..], false, &pod, None, Some("platform")),
            (
                b"2GRTTY sh",
                false,
                &pod,
                Some("platform"),
                Some("platform-v1"),
            ),
            (b"Auth is not allowed!", false, &pod, Some("platform"), None),
            (b"", false, &pod, None, None),
            (b"2GoTTY - bash", false, &pages, None, Some("gotty1")),
            (b"3bash@vm", false, &pages, None, Some("gotty2")),
            (b"3bash@vm", false, &pages, Some("gotty1"), Some("gotty2")),
            (b"3{}", false, &pages, Some("gotty1"), Some("gotty1")),
            (b"1bash (vm)", true, &pages, None, Some("ttyd")),
            (b"1aGk=", false, &pages, Some("gotty2"), Some("gotty2")),
            (b"<html>", false, &pages, Some("gotty2"), None),
        ] {
            let known = known.and_then(Dialect::named);
            let found = by_first_message(message, binary, place, known);
            assert_eq!(found.map(|d| d.name), want, "{message:?}");
        }
        assert_eq!(by_buffer_size(b"61024", &gotty::V2), Some(&gotty::SOREN));
        assert_eq!(by_buffer_size(b"6x", &gotty::V2), None);
        assert_eq!(by_buffer_size(b"61024", &platform::B), None);
    }
}
