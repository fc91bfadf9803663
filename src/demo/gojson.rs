//! JSON text as Go's encoder writes it, which is what the platform puts on the wire: `<`, `>`
//! and `&` escaped, U+2028 and U+2029 escaped, every byte that is no UTF-8 as `\ufffd`
//! (protocols.md 2, 5.2 Z3; recordings `eventlog-pubsub`, `eventlog-history`).

use std::fmt::Write as _;

/// Appends `text` as a JSON string with its quotes. Each byte outside of valid UTF-8 becomes the
/// six characters `\ufffd`, one by one.
pub(super) fn string(out: &mut String, text: &[u8]) {
    out.push('"');
    for chunk in text.utf8_chunks() {
        for symbol in chunk.valid().chars() {
            escape(out, symbol);
        }
        for _ in chunk.invalid() {
            out.push_str("\\ufffd");
        }
    }
    out.push('"');
}

fn escape(out: &mut String, symbol: char) {
    match symbol {
        '"' => out.push_str("\\\""),
        '\\' => out.push_str("\\\\"),
        '\n' => out.push_str("\\n"),
        '\r' => out.push_str("\\r"),
        '\t' => out.push_str("\\t"),
        // Go 1.22 and later; before, \u0008 and \u000c.
        '\u{8}' => out.push_str("\\b"),
        '\u{c}' => out.push_str("\\f"),
        '\0'..='\u{1f}' | '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => {
            // Writing to a String cannot fail.
            let _ = write!(out, "\\u{:04x}", u32::from(symbol));
        }
        other => out.push(other),
    }
}

/// What a text becomes when it went through a Go string and JSON and back: each byte outside of
/// valid UTF-8 is one U+FFFD (Rust's own lossy conversion makes one of several).
pub(super) fn lossy(text: &[u8]) -> String {
    let mut out = String::with_capacity(text.len());
    for chunk in text.utf8_chunks() {
        out.push_str(chunk.valid());
        out.extend(chunk.invalid().iter().map(|_| char::REPLACEMENT_CHARACTER));
    }
    out
}

/// Appends a number as Go writes a float64: shortest digits, no `.0`, exponent outside of
/// 1e-6 … 1e21.
pub(super) fn number(out: &mut String, value: f64) {
    let size = value.abs();
    if size != 0.0 && !(1e-6..1e21).contains(&size) {
        let text = format!("{value:e}");
        // Go writes e+21 where Rust writes e21, and at least e-07's last digit as e-7.
        let _ = match text.split_once('e') {
            Some((digits, power)) if !power.starts_with('-') => write!(out, "{digits}e+{power}"),
            Some(_) | None => write!(out, "{text}"),
        };
        return;
    }
    let _ = write!(out, "{value}");
}

/// Appends `{"name":"text",…}`: an object of strings, in the order given.
pub(super) fn object(out: &mut String, members: &[(&str, &[u8])]) {
    out.push('{');
    for (index, (name, text)) in members.iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        string(out, name.as_bytes());
        out.push(':');
        string(out, text);
    }
    out.push('}');
}

/// Appends any value, its members in their order.
pub(super) fn value(out: &mut String, value: &serde_json::Value) {
    use serde_json::Value;
    match value {
        Value::String(text) => string(out, text.as_bytes()),
        Value::Array(list) => {
            out.push('[');
            for (index, one) in list.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                self::value(out, one);
            }
            out.push(']');
        }
        Value::Object(members) => {
            out.push('{');
            for (index, (name, one)) in members.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                string(out, name.as_bytes());
                out.push(':');
                self::value(out, one);
            }
            out.push('}');
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {
            // Writing to a String cannot fail.
            let _ = write!(out, "{value}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{lossy, number, object, string, value};

    #[test]
    fn strings_are_escaped_as_go_does() {
        for (text, want) in [
            (&b"plain"[..], "\"plain\""),
            (b"<b>&", "\"\\u003cb\\u003e\\u0026\""),
            (b"a\"b\\c", "\"a\\\"b\\\\c\""),
            (b"\x1b[31m\x07\0", "\"\\u001b[31m\\u0007\\u0000\""),
            (b"\n\r\t\x08\x0c", "\"\\n\\r\\t\\b\\f\""),
            (b"\x7f", "\"\x7f\""),
            ("中\u{2028}\u{2029}".as_bytes(), "\"中\\u2028\\u2029\""),
            (b"x\xff\xfe\x80y", "\"x\\ufffd\\ufffd\\ufffdy\""),
            // A torn three-byte character: two bytes, two marks.
            (b"\xe4\xb8", "\"\\ufffd\\ufffd\""),
        ] {
            let mut out = String::new();
            string(&mut out, text);
            assert_eq!(out, want, "{text:?}");
        }
    }

    #[test]
    fn bytes_that_are_no_text_become_one_mark_each() {
        assert_eq!(lossy(b"a\xe4\xb8b\xff"), "a\u{fffd}\u{fffd}b\u{fffd}");
        assert_eq!(lossy("中文".as_bytes()), "中文");
    }

    #[test]
    fn numbers_are_written_as_go_does() {
        for (value, want) in [
            (10.0, "10"),
            (13.7, "13.7"),
            (0.0, "0"),
            (1e20, "100000000000000000000"),
            (1e21, "1e+21"),
            (1.5e-7, "1.5e-7"),
        ] {
            let mut out = String::new();
            number(&mut out, value);
            assert_eq!(out, want);
        }
    }

    #[test]
    fn objects_keep_their_order() {
        let mut out = String::new();
        object(&mut out, &[("b", b"1"), ("a", b"<")]);
        assert_eq!(out, r#"{"b":"1","a":"\u003c"}"#);
    }

    #[test]
    fn values_keep_their_order_and_are_escaped() {
        let given = serde_json::json!({"b": [1, null, "<"], "a": {"c": true}});
        let mut out = String::new();
        value(&mut out, &given);
        assert_eq!(out, r#"{"b":[1,null,"\u003c"],"a":{"c":true}}"#);
    }
}
