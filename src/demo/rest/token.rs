//! Tokens as the console's: three parts in base64, of the shape of an HS256 JWT (protocols.md
//! 3.1). The third is a sum that only this platform can check, which is all that a demo needs.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use md5::{Digest as _, Md5};
use serde_json::{Value, json};

const HEAD: &str = r#"{"typ":"JWT","alg":"HS256"}"#;

/// A token for a user that ends at a second since 1970.
pub(super) fn issue(secret: &[u8], user: &str, ends: i64) -> String {
    let claims = json!({
        "user_id": 1, "username": user, "email": format!("{user}@example.com"), "exp": ends,
    });
    let claims = URL_SAFE_NO_PAD.encode(claims.to_string());
    let text = format!("{}.{claims}", URL_SAFE_NO_PAD.encode(HEAD));
    let sum = sum(secret, &text);
    format!("{text}.{sum}")
}

/// When a token ends; `None` if it is none of ours.
pub(super) fn ends(secret: &[u8], token: &str) -> Option<i64> {
    let (text, sum_of) = token.rsplit_once('.')?;
    if sum(secret, text) != sum_of {
        return None;
    }
    let claims = URL_SAFE_NO_PAD.decode(text.split_once('.')?.1).ok()?;
    let claims: Value = serde_json::from_slice(&claims).ok()?;
    claims.get("exp")?.as_i64()
}

fn sum(secret: &[u8], text: &str) -> String {
    let mut bytes = Vec::with_capacity(32);
    for side in [b"l", b"r"] {
        let mut sum = Md5::new();
        sum.update(side);
        sum.update(secret);
        sum.update(text);
        sum.update(secret);
        bytes.extend_from_slice(&sum.finalize());
    }
    URL_SAFE_NO_PAD.encode(bytes)
}

#[cfg(test)]
mod tests {
    use super::{ends, issue};

    #[test]
    fn a_token_is_known_again_and_a_changed_one_is_not() {
        let token = issue(b"secret", "demo", 1_800_000_000);
        assert!(token.starts_with("eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzI1NiJ9.eyJ"));
        assert_eq!(token.rsplit('.').next().unwrap().len(), 43);
        assert_eq!(ends(b"secret", &token), Some(1_800_000_000));
        assert_eq!(ends(b"other", &token), None);
        assert_eq!(ends(b"secret", &token.replace(".eyJ", ".eyK")), None);
        assert_eq!(ends(b"secret", ""), None);
    }
}
