//! What a token of the console says of itself (protocols.md 3.1): whose it is, and until when.
//! It is read, not verified; that is the console's business.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;

use crate::model::Micros;

/// What is told of a token. Nothing of it is secret.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Claims {
    /// Whose it is.
    pub user: Option<String>,
    /// Until when it is accepted.
    pub until: Option<Micros>,
}

#[derive(Deserialize)]
struct Body {
    username: Option<String>,
    exp: Option<f64>,
}

/// Reads `header.claims.signature`; nothing if it is no such token.
pub fn claims(token: &str) -> Option<Claims> {
    let mut parts = token.split('.');
    let (_, claims, _) = (parts.next()?, parts.next()?, parts.next()?);
    let bytes = URL_SAFE_NO_PAD.decode(claims.trim_end_matches('=')).ok()?;
    let body: Body = serde_json::from_slice(&bytes).ok()?;
    #[expect(clippy::cast_possible_truncation, reason = "saturates")]
    let until = body.exp.map(|seconds| Micros((seconds * 1e6) as i64));
    Some(Claims {
        user: body.username,
        until,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_tells_whose_it_is_and_until_when() {
        let body = URL_SAFE_NO_PAD.encode(r#"{"username":"ann","exp":1700000000}"#);
        let read = claims(&format!("x.{body}.y")).unwrap();
        assert_eq!(read.user.as_deref(), Some("ann"));
        assert_eq!(read.until, Some(Micros(1_700_000_000_000_000)));
        for none in ["", "a.b", "a.b.c", "opaque", "a..c"] {
            assert_eq!(claims(none), None, "{none}");
        }
    }
}
