//! The JSON of the console's and the region's REST (protocols.md 3.1 to 3.4) → nouns. Lenient:
//! numbers come as strings, lists as objects, `null` and `[]` as nothing; texts are sanitised
//! here, once.

mod events;
mod stored;
mod things;

pub use events::{event_log, events};
pub use stored::stored_lines;
pub use things::{
    apps, components, detail, facts, log_lines, overview, pods, region_apps, region_services,
    region_statuses, teams, tenants, token,
};

use serde_json::Value;

use crate::text::SafeText;

/// A text of the server may have so many characters.
const LONGEST: usize = 4096;

/// An answer of more parts is no platform's: it would take memory out of proportion.
const PARTS: usize = 500_000;

/// Whether an answer has more parts than is taken.
pub fn is_too_much(body: &[u8]) -> bool {
    let (mut parts, mut quoted, mut escaped) = (0_usize, false, false);
    for byte in body {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            _ if quoted => {}
            b',' | b'[' => parts += 1,
            // It has room for eleven members from the first one on.
            b'{' => parts += 8,
            _ => {}
        }
    }
    parts > PARTS
}

/// What an answer holds, whoever gave it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Payload {
    /// One thing.
    pub bean: Value,
    /// Many things; an object in one place (protocols.md 7.11).
    pub list: Value,
    /// How many there are in all, where only a page came.
    pub total: Option<u64>,
}

/// An answer that says no.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Refusal {
    /// The console's own code, or the HTTP status.
    pub code: u64,
    /// What it says.
    pub words: String,
}

impl Refusal {
    /// Whether it wants a login (protocols.md 3.1).
    pub fn wants_login(&self) -> bool {
        matches!(self.code, 401 | 10405)
    }

    /// Whether it forbids.
    pub fn forbids(&self) -> bool {
        matches!(self.code, 403 | 10400 | 10402)
    }

    /// Whether the thing is not there: the team or region of 10403 and 10404 too.
    pub fn is_absence(&self) -> bool {
        matches!(self.code, 404 | 10403 | 10404)
    }
}

/// Reads an envelope: the console's `{"code","data":{"bean","list"}}`, or the region's
/// `{"bean"}`, `{"list"}`, `{"msg"}`. None is no JSON object, or [too much](is_too_much).
pub fn envelope(status: u16, body: &[u8]) -> Option<Result<Payload, Refusal>> {
    if is_too_much(body) {
        return None;
    }
    let value: Value = serde_json::from_slice(body).ok()?;
    let Value::Object(mut members) = value else {
        return None;
    };
    let code = members
        .get("code")
        .and_then(number)
        .filter(|code| *code != 0)
        .unwrap_or(u64::from(status));
    if !(200..300).contains(&status) || !matches!(code, 200..=299) {
        let words = ["msg_show", "msg", "error", "detail"]
            .iter()
            .filter_map(|key| members.get(*key))
            .map(text)
            .find(|words| !words.is_empty())
            .unwrap_or_default();
        // What HTTP says counts where the envelope's code is a good one.
        let code = if matches!(code, 200..=299) {
            u64::from(status)
        } else {
            code
        };
        return Some(Err(Refusal { code, words }));
    }
    let mut inner = match members.remove("data") {
        Some(Value::Object(inner)) => inner,
        _ => members,
    };
    let mut take = |key: &str| inner.remove(key).unwrap_or(Value::Null);
    let (bean, list) = (take("bean"), take("list"));
    let total = number(&take("total"))
        .or_else(|| number(&take("number")))
        .or_else(|| bean.get("total").and_then(number));
    Some(Ok(Payload { bean, list, total }))
}

/// A text, sanitised; numbers as they are written, anything else empty.
fn text(value: &Value) -> String {
    match value {
        Value::String(text) => {
            let end = text.char_indices().nth(LONGEST).map(|(at, _)| at);
            SafeText::of(text.get(..end.unwrap_or(text.len())).unwrap_or("")).to_string()
        }
        Value::Number(number) => number.to_string(),
        Value::Bool(_) | Value::Null | Value::Array(_) | Value::Object(_) => String::new(),
    }
}

/// The text of the first of these members that has one.
fn member(value: &Value, keys: &[&str]) -> String {
    keys.iter()
        .filter_map(|key| value.get(key))
        .map(text)
        .find(|text| !text.is_empty())
        .unwrap_or_default()
}

/// A whole number; also from a string, and from a fraction, cut off.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "checked to be finite and not negative, and saturating"
)]
fn number(value: &Value) -> Option<u64> {
    let float = match value {
        Value::Number(number) => match number.as_u64() {
            Some(whole) => return Some(whole),
            None => number.as_f64()?,
        },
        Value::String(text) => match text.trim().parse() {
            Ok(whole) => return Some(whole),
            Err(_) => text.trim().parse().ok()?,
        },
        Value::Bool(_) | Value::Null | Value::Array(_) | Value::Object(_) => return None,
    };
    (float.is_finite() && float >= 0.0).then_some(float as u64)
}

fn items(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

#[cfg(test)]
mod tests;
