//! Time stamps that lines carry themselves (decision 8), and the wire's own.

use jiff::civil::DateTime;
use jiff::tz::{Offset, TimeZone};

use crate::model::Micros;

/// How far into a line an access log's bracketed stamp is looked for, in bytes.
const ACCESS_HEAD: usize = 120;

/// Reads the stamp at a line's start: RFC 3339, `YYYY-MM-DD HH:MM:SS`, klog's
/// `I0102 15:04:05.000000`, or an access log's `[10/Oct/2026:13:55:36 +0800]`. A missing zone
/// is `zone`; klog's missing year is that of `near`.
pub fn of_line(line: &str, zone: &TimeZone, near: Micros) -> Option<Micros> {
    let line = line.trim_start_matches([' ', '[', '"']);
    match line.as_bytes().first()? {
        b'0'..=b'9' => iso(line, zone).or_else(|| access(line)),
        b'I' | b'W' | b'E' | b'F' | b'D' => klog(line, zone, near).or_else(|| access(line)),
        _ => access(line),
    }
}

/// Reads the stamps of many lines, most of which are of the same second as the one before:
/// calendars and zones are looked up once a second.
#[derive(Clone, Debug, Default)]
pub struct Reader {
    second: Option<([u8; 19], Second)>,
}

/// A civil second: in UTC, and in the zone of stamps without one.
#[derive(Clone, Copy, Debug)]
struct Second {
    utc: i64,
    local: Option<i64>,
}

impl Reader {
    /// The same as [`of_line`].
    pub fn read(&mut self, line: &str, zone: &TimeZone, near: Micros) -> Option<Micros> {
        let text = line.trim_start_matches([' ', '[', '"']);
        let Some(head) = text.as_bytes().first_chunk::<19>() else {
            return of_line(line, zone, near);
        };
        if !is_iso(head) {
            return of_line(line, zone, near);
        }
        let second = match &self.second {
            Some((known, second)) if known == head => *second,
            _ => {
                let text = text.get(..19)?;
                let second = Second {
                    utc: iso(text, &TimeZone::UTC)?.0,
                    local: iso(text, zone).map(|at| at.0),
                };
                self.second = Some((*head, second));
                second
            }
        };
        let (micros, used) = fraction(text.get(19..)?);
        let rest = text.get(19 + used..).unwrap_or("");
        let whole = match zone_of(rest) {
            Some(offset) => second.utc - i64::from(offset.seconds()) * 1_000_000,
            None => second.local?,
        };
        Some(Micros(whole + i64::from(micros)))
    }
}

/// Reads a whole stamp as event frames carry it: RFC 3339, or local time without a zone.
pub fn of_wire(text: &str) -> Option<Micros> {
    iso(text.trim(), &TimeZone::system())
}

/// Whether a text begins like `2006-01-02T15:04:05`, with a blank for the T or slashes in the
/// date.
fn is_iso(text: &[u8]) -> bool {
    const DIGITS: [usize; 14] = [0, 1, 2, 3, 5, 6, 8, 9, 11, 12, 14, 15, 17, 18];
    let Some(head) = text.first_chunk::<19>() else {
        return false;
    };
    let [
        _,
        _,
        _,
        _,
        a,
        _,
        _,
        b,
        _,
        _,
        between,
        _,
        _,
        c,
        _,
        _,
        d,
        _,
        _,
    ] = *head;
    let date = matches!((a, b), (b'-', b'-')) || (a, b, between) == (b'/', b'/', b' ');
    let digit = |at: &usize| head.get(*at).is_some_and(u8::is_ascii_digit);
    date && matches!(between, b'T' | b' ') && (c, d) == (b':', b':') && DIGITS.iter().all(digit)
}

fn iso(text: &str, zone: &TimeZone) -> Option<Micros> {
    if !is_iso(text.as_bytes()) {
        return None;
    }
    let number = |at: usize, len: usize| text.get(at..at + len)?.parse::<i16>().ok();
    let small = |at: usize| number(at, 2).and_then(|n| i8::try_from(n).ok());
    let (micros, used) = fraction(text.get(19..)?);
    let civil = DateTime::new(
        number(0, 4)?,
        small(5)?,
        small(8)?,
        small(11)?,
        small(14)?,
        small(17)?,
        micros * 1000,
    )
    .ok()?;
    let rest = text.get(19 + used..).unwrap_or("");
    in_zone(
        civil,
        zone_of(rest)
            .map(Offset::to_time_zone)
            .as_ref()
            .unwrap_or(zone),
    )
}

/// Microseconds of a `.123` or `,123` fraction, and its length in bytes.
fn fraction(text: &str) -> (i32, usize) {
    let Some(digits) = text.strip_prefix(['.', ',']) else {
        return (0, 0);
    };
    let count = digits.bytes().take_while(u8::is_ascii_digit).count();
    if count == 0 {
        return (0, 0);
    }
    let micros = (0..6).fold(0, |sum, i| {
        let digit = if i < count {
            digits.as_bytes().get(i).map_or(0, |b| i32::from(b - b'0'))
        } else {
            0
        };
        sum * 10 + digit
    });
    (micros, count + 1)
}

/// `Z`, `+08:00`, `+0800` or ` +0800`.
fn zone_of(text: &str) -> Option<Offset> {
    if text.starts_with(['Z', 'z']) {
        return Some(Offset::UTC);
    }
    let text = text.strip_prefix(' ').unwrap_or(text);
    let sign = match text.as_bytes().first()? {
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let hours = text.get(1..3)?.parse::<i32>().ok()?;
    let rest = text.get(3..)?;
    let minutes = rest
        .strip_prefix(':')
        .unwrap_or(rest)
        .get(..2)?
        .parse::<i32>()
        .ok()?;
    Offset::from_seconds(sign * (hours * 3600 + minutes * 60)).ok()
}

fn klog(text: &str, zone: &TimeZone, near: Micros) -> Option<Micros> {
    let number = |at: usize| text.get(at..at + 2)?.parse::<i8>().ok();
    if text.as_bytes().get(5) != Some(&b' ') || text.as_bytes().get(8) != Some(&b':') {
        return None;
    }
    let (micros, _) = fraction(text.get(14..)?);
    let year = timestamp(near)?.to_zoned_datetime(zone.clone()).year();
    let civil = DateTime::new(
        year,
        number(1)?,
        number(3)?,
        number(6)?,
        number(9)?,
        number(12)?,
        micros * 1000,
    )
    .ok()?;
    in_zone(civil, zone)
}

fn access(line: &str) -> Option<Micros> {
    const MONTHS: &str = "JanFebMarAprMayJunJulAugSepOctNovDec";
    let head = line
        .as_bytes()
        .get(..ACCESS_HEAD)
        .unwrap_or(line.as_bytes());
    let at = head
        .windows(3)
        .position(|w| matches!(w, [b'/', b'A'..=b'S', b'a'..=b'u']))?
        .checked_sub(2)?;
    let text = line.get(at..at + 26)?;
    let number = |at: usize, len: usize| text.get(at..at + len)?.parse::<i16>().ok();
    let small = |at: usize| number(at, 2).and_then(|n| i8::try_from(n).ok());
    let month = MONTHS.find(text.get(3..6)?).filter(|at| at % 3 == 0)? / 3 + 1;
    let month = i8::try_from(month).ok()?;
    let civil = DateTime::new(
        number(7, 4)?,
        month,
        small(0)?,
        small(12)?,
        small(15)?,
        small(18)?,
        0,
    )
    .ok()?;
    in_zone(civil, &zone_of(text.get(20..)?)?.to_time_zone())
}

fn in_zone(civil: DateTime, zone: &TimeZone) -> Option<Micros> {
    let at = zone.to_timestamp(civil).ok()?;
    Some(Micros(at.as_microsecond()))
}

/// A [`Micros`] as jiff's type; nothing outside its range.
pub fn timestamp(at: Micros) -> Option<jiff::Timestamp> {
    jiff::Timestamp::from_microsecond(at.0).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stamps_at_a_lines_start_are_read() {
        let zone = TimeZone::fixed(jiff::tz::offset(8));
        let near = Micros(1_795_000_000_000_000); // in November 2026
        let cases = [
            ("2026-11-24T10:00:00Z x", Some(1_795_514_400_000_000)),
            (
                "2026-11-24T10:00:00.123456789Z x",
                Some(1_795_514_400_123_456),
            ),
            ("2026-11-24T18:00:00+08:00 x", Some(1_795_514_400_000_000)),
            ("2026-11-24 18:00:00 x", Some(1_795_514_400_000_000)),
            ("[2026-11-24 18:00:00,5] x", Some(1_795_514_400_500_000)),
            ("2026/11/24 18:00:00 [error] x", Some(1_795_514_400_000_000)),
            (
                "I1124 18:00:00.000001   1 a.go:1] x",
                Some(1_795_514_400_000_001),
            ),
            (
                "10.0.0.1 - - [24/Nov/2026:18:00:00 +0800] \"GET / HTTP/1.1\"",
                Some(1_795_514_400_000_000),
            ),
            ("2026-13-24 18:00:00 x", None),
            ("2026-11-24", None),
            ("no stamp", None),
            ("", None),
            ("中文 2026-11-24 18:00:00", None),
        ];
        let mut reader = Reader::default();
        for (line, want) in cases {
            assert_eq!(of_line(line, &zone, near), want.map(Micros), "{line}");
            // Twice: from the calendar, and from memory.
            assert_eq!(reader.read(line, &zone, near), want.map(Micros), "{line}");
            assert_eq!(reader.read(line, &zone, near), want.map(Micros), "{line}");
        }
    }
}
