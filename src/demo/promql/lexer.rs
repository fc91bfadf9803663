//! A query's words.

use super::Fault;

/// A word.
#[derive(Clone, PartialEq, Debug)]
pub(super) enum Token {
    /// A name of anything.
    Name(String),
    Number(f64),
    /// Milliseconds.
    Duration(i64),
    /// What stood in quotes.
    Text(String),
    /// `(`, `=~`, `+`, …
    Sign(&'static str),
    End,
}

/// A word and where it begins.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Word {
    pub(super) token: Token,
    pub(super) at: usize,
}

/// The longer first.
const SIGNS: [&str; 22] = [
    "=~", "!~", "==", "!=", "<=", ">=", "(", ")", "{", "}", "[", "]", ",", "=", "<", ">", "+", "-",
    "*", "/", "%", "^",
];

/// Units of a duration in milliseconds, the longer names first.
const UNITS: [(&str, i64); 7] = [
    ("ms", 1),
    ("s", 1000),
    ("m", 60_000),
    ("h", 3_600_000),
    ("d", 86_400_000),
    ("w", 604_800_000),
    ("y", 31_536_000_000),
];

/// An error at a place, as Prometheus words it.
pub(super) fn fault(query: &str, at: usize, text: &str) -> Fault {
    let before = query.get(..at).unwrap_or(query);
    let row = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().map_or(0, str::len) + 1;
    Fault::bad(format!("{row}:{column}: parse error: {text}"))
}

/// Takes a query apart.
pub(super) fn words(query: &str) -> Result<Vec<Word>, Fault> {
    let mut lexer = Lexer { query, at: 0 };
    let mut words = Vec::new();
    loop {
        lexer.skip();
        let at = lexer.at;
        let token = lexer.token()?;
        let last = token == Token::End;
        words.push(Word { token, at });
        if last {
            return Ok(words);
        }
    }
}

/// Milliseconds of a whole duration, as `1h30m`.
pub(crate) fn duration(text: &str) -> Option<i64> {
    let (length, left) = take_duration(text)?;
    left.is_empty().then_some(length)
}

/// A duration at the beginning, and what is behind it.
fn take_duration(text: &str) -> Option<(i64, &str)> {
    let (mut sum, mut left) = (0_i64, text);
    while left.starts_with(|c: char| c.is_ascii_digit()) {
        let end = left.find(|c: char| !c.is_ascii_digit())?;
        let (digits, behind) = left.split_at_checked(end)?;
        let (unit, length) = UNITS.iter().find(|(unit, _)| behind.starts_with(unit))?;
        let count: i64 = digits.parse().ok()?;
        sum = sum.checked_add(count.checked_mul(*length)?)?;
        left = behind.strip_prefix(unit)?;
    }
    let ends = !left.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_');
    (ends && left.len() < text.len()).then_some((sum, left))
}

struct Lexer<'a> {
    query: &'a str,
    at: usize,
}

impl<'a> Lexer<'a> {
    fn left(&self) -> &'a str {
        self.query.get(self.at..).unwrap_or("")
    }

    /// Goes over spaces and comments.
    fn skip(&mut self) {
        loop {
            let left = self.left();
            let rest = left.trim_start();
            self.at += left.len() - rest.len();
            if !rest.starts_with('#') {
                return;
            }
            self.at += rest.find('\n').unwrap_or(rest.len());
        }
    }

    fn token(&mut self) -> Result<Token, Fault> {
        let left = self.left();
        let Some(first) = left.chars().next() else {
            return Ok(Token::End);
        };
        if matches!(first, '"' | '\'' | '`') {
            return self.text(first);
        }
        if first.is_ascii_digit() || first == '.' {
            return self.number();
        }
        if first.is_ascii_alphabetic() || matches!(first, '_' | ':') {
            let own = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | ':');
            let end = left.find(|c| !own(c)).unwrap_or(left.len());
            self.at += end;
            let name = left.get(..end).unwrap_or("");
            return Ok(match name.to_ascii_lowercase().as_str() {
                "inf" => Token::Number(f64::INFINITY),
                "nan" => Token::Number(f64::NAN),
                _ => Token::Name(name.to_owned()),
            });
        }
        let Some(sign) = SIGNS.iter().find(|sign| left.starts_with(**sign)) else {
            return Err(self.fault(&format!("unexpected character: {first:?}")));
        };
        self.at += sign.len();
        Ok(Token::Sign(sign))
    }

    fn number(&mut self) -> Result<Token, Fault> {
        let left = self.left();
        if let Some((length, behind)) = take_duration(left) {
            self.at += left.len() - behind.len();
            return Ok(Token::Duration(length));
        }
        let own = |c: char| c.is_ascii_alphanumeric() || c == '.';
        let mut end = left.find(|c| !own(c)).unwrap_or(left.len());
        let word = left.get(..end).unwrap_or("");
        let hex = word.strip_prefix("0x").or(word.strip_prefix("0X"));
        if hex.is_none() && word.ends_with(['e', 'E']) {
            // The exponent's sign, and the exponent.
            let behind = left.get(end..).unwrap_or("");
            let more = behind.strip_prefix(['+', '-']).unwrap_or(behind);
            let digits = more.find(|c: char| !c.is_ascii_digit());
            end += behind.len() - more.len() + digits.unwrap_or(more.len());
        }
        let word = left.get(..end).unwrap_or("");
        let value = match hex {
            Some(digits) => u32::from_str_radix(digits, 16).ok().map(f64::from),
            None => word.parse().ok(),
        };
        let Some(value) = value else {
            return Err(self.fault(&format!("bad number or duration syntax: {word:?}")));
        };
        self.at += end;
        Ok(Token::Number(value))
    }

    fn text(&mut self, quote: char) -> Result<Token, Fault> {
        let mut symbols = self.left().char_indices();
        symbols.next();
        let mut text = String::new();
        while let Some((at, symbol)) = symbols.next() {
            match symbol {
                _ if symbol == quote => {
                    self.at += at + quote.len_utf8();
                    return Ok(Token::Text(text));
                }
                '\\' if quote != '`' => {
                    let next = symbols.next().map(|(_, symbol)| symbol);
                    let Some(meant) = next.and_then(escaped) else {
                        return Err(self.fault("unknown escape sequence"));
                    };
                    text.push(meant);
                }
                '\n' if quote != '`' => break,
                _ => text.push(symbol),
            }
        }
        Err(self.fault("unterminated quoted string"))
    }

    fn fault(&self, text: &str) -> Fault {
        fault(self.query, self.at, text)
    }
}

/// What stands for itself or for a sign that cannot be seen.
fn escaped(symbol: char) -> Option<char> {
    Some(match symbol {
        'a' => '\u{7}',
        'b' => '\u{8}',
        'f' => '\u{c}',
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        'v' => '\u{b}',
        '\\' | '"' | '\'' => symbol,
        _ => return None,
    })
}
