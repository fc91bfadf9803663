//! The severity that a line states: JSON and logfmt members, klog heads, bracketed or bare
//! words near the line's start (decision 13). A line that states none has none.

use crate::model::Level;

/// How far into a line a bare word is looked for, in bytes.
const HEAD: usize = 100;

/// Reads the severity of one shown line.
pub fn detect(line: &str) -> Level {
    let line = line.trim_start().as_bytes();
    if line.first() == Some(&b'{') {
        return json(line);
    }
    let found = klog(line);
    if found != Level::None {
        return found;
    }
    let head = line.get(..HEAD).unwrap_or(line);
    let found = word_in(head);
    if found == Level::None {
        logfmt(line)
    } else {
        found
    }
}

/// The severity that a word names, in any case; [`Level::None`] for other words.
pub fn from_word(word: &[u8]) -> Level {
    const WORDS: [(&[u8], Level); 19] = [
        (b"trace", Level::Debug),
        (b"trc", Level::Debug),
        (b"debug", Level::Debug),
        (b"dbg", Level::Debug),
        (b"info", Level::Info),
        (b"inf", Level::Info),
        (b"information", Level::Info),
        (b"notice", Level::Info),
        (b"warn", Level::Warn),
        (b"wrn", Level::Warn),
        (b"warning", Level::Warn),
        (b"error", Level::Error),
        (b"err", Level::Error),
        (b"fatal", Level::Error),
        (b"critical", Level::Error),
        (b"crit", Level::Error),
        (b"severe", Level::Error),
        (b"panic", Level::Error),
        (b"emerg", Level::Error),
    ];
    if word.len() < 3 || word.len() > 11 {
        return Level::None;
    }
    let found = WORDS
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case(word));
    found.map_or(Level::None, |(_, level)| *level)
}

/// `I0102 15:04:05.000000 …`: the head of Go's klog.
fn klog(line: &[u8]) -> Level {
    let [letter, a, b, c, d, b' ', ..] = line else {
        return Level::None;
    };
    if ![a, b, c, d].iter().all(|digit| digit.is_ascii_digit()) {
        return Level::None;
    }
    match letter {
        b'I' => Level::Info,
        b'W' => Level::Warn,
        b'E' | b'F' => Level::Error,
        b'D' => Level::Debug,
        _ => Level::None,
    }
}

/// A bare word counts in upper case or with its first letter so; in lower case it must stand
/// in brackets, or everyday sentences would have levels.
fn word_in(head: &[u8]) -> Level {
    let mut rest = head;
    let mut before = b' ';
    while let Some(at) = rest.iter().position(u8::is_ascii_alphabetic) {
        if let Some(byte) = at.checked_sub(1).and_then(|i| rest.get(i)) {
            before = *byte;
        }
        let (_, from) = rest.split_at(at);
        let end = from
            .iter()
            .position(|b| !b.is_ascii_alphanumeric())
            .unwrap_or(from.len());
        let (word, after) = from.split_at(end);
        let next = after.first().copied().unwrap_or(b' ');
        let bracketed = before == b'[' && next == b']' || before == b'<' && next == b'>';
        let plain = b" \t|-".contains(&before) && b" \t|:]-".contains(&next);
        let shouted = word.iter().all(u8::is_ascii_uppercase);
        if bracketed || plain && shouted || next == b':' && before == b' ' {
            let level = from_word(word);
            if level != Level::None && (bracketed || shouted || next == b':') {
                return level;
            }
        }
        before = word.last().copied().unwrap_or(b' ');
        rest = after;
    }
    Level::None
}

fn logfmt(line: &[u8]) -> Level {
    for key in [&b"level="[..], b"lvl=", b"severity="] {
        for at in memchr::memmem::find_iter(line, key) {
            let starts = at
                .checked_sub(1)
                .and_then(|i| line.get(i))
                .is_none_or(|b| *b == b' ');
            let value = line.get(at + key.len()..).unwrap_or(&[]);
            let value = value.strip_prefix(b"\"").unwrap_or(value);
            let end = value
                .iter()
                .position(|b| !b.is_ascii_alphabetic())
                .unwrap_or(value.len());
            if starts {
                return from_word(value.get(..end).unwrap_or(&[]));
            }
        }
    }
    Level::None
}

/// The first `"level"`-like member of a JSON line, found without parsing the line. Numbers are
/// bunyan's and pino's: 10 to 60.
fn json(line: &[u8]) -> Level {
    for key in [
        &b"\"level\""[..],
        b"\"lvl\"",
        b"\"severity\"",
        b"\"levelname\"",
        b"\"log.level\"",
    ] {
        let Some(at) = memchr::memmem::find(line, key) else {
            continue;
        };
        let rest = line.get(at + key.len()..).unwrap_or(&[]).trim_ascii_start();
        let Some(value) = rest.strip_prefix(b":").map(<[u8]>::trim_ascii_start) else {
            continue;
        };
        if let Some(word) = value.strip_prefix(b"\"") {
            let end = memchr::memchr(b'"', word).unwrap_or(word.len());
            return from_word(word.get(..end).unwrap_or(&[]));
        }
        return match value {
            [b'1' | b'2', b'0', ..] => Level::Debug,
            [b'3', b'0', ..] => Level::Info,
            [b'4', b'0', ..] => Level::Warn,
            [b'5' | b'6', b'0', ..] => Level::Error,
            _ => Level::None,
        };
    }
    Level::None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_are_read_where_lines_state_them() {
        let cases = [
            (r#"{"time":"t","level":"error","msg":"x"}"#, Level::Error),
            (r#"{"lvl": "WARN"}"#, Level::Warn),
            (r#"{"level":30,"msg":"x"}"#, Level::Info),
            (r#"{"msg":"an error"}"#, Level::None),
            ("ts=2026 level=warn msg=\"slow\"", Level::Warn),
            ("level=\"error\" msg=x", Level::Error),
            ("sublevel=error", Level::None),
            ("I0102 15:04:05.000001  1 main.go:3] hi", Level::Info),
            ("E1231 23:59:59.999999  1 main.go:3] hi", Level::Error),
            ("I am here", Level::None),
            ("2026-11-24 10:00:00 [ERROR] boom", Level::Error),
            (
                "2026-11-24 10:00:00,123 WARN  [main] c.e.App - slow",
                Level::Warn,
            ),
            ("[error] lower case in brackets", Level::Error),
            ("10:00:00 | INFO | uvicorn", Level::Info),
            ("ERROR: it broke", Level::Error),
            ("error: it broke", Level::Error),
            ("Error: it broke", Level::Error),
            ("an error occurred in the information desk", Level::None),
            ("GET /error HTTP/1.1 200", Level::None),
            ("DEBUG x", Level::Debug),
            ("[notice] 1#1: start worker", Level::Info),
            ("订单服务 ERROR 库存不足", Level::Error),
            ("", Level::None),
        ];
        for (line, want) in cases {
            assert_eq!(detect(line), want, "{line}");
        }
    }
}
