//! Values of flags: times, sizes, counts.

use std::time::Duration;

use jiff::tz::TimeZone;

use crate::codec::shell::{DIALECTS, Dialect};
use crate::say;

/// `--tail`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Tail {
    /// The whole history.
    All,
    /// Its last lines.
    Last(usize),
}

/// `--reconnect`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Retry {
    /// For ever after a first success.
    #[default]
    Auto,
    /// Not at all.
    Never,
    /// So often.
    Times(u32),
}

/// `--timezone`.
#[derive(Clone, Debug)]
pub struct Zone(pub TimeZone);

/// Reads `30s`, `10m`, `1h30m`, `500ms`, `2d`; a bare number is refused, since its unit would
/// be a guess.
pub fn duration(text: &str) -> Result<Duration, String> {
    let wrong = || {
        say!(
            "{text:?} is no time; write it like 30s, 10m or 1h30m",
            "{text:?} 不是时长；请写成 30s、10m 或 1h30m 这样"
        )
    };
    let mut rest = text;
    let mut total = Duration::ZERO;
    if rest.is_empty() {
        return Err(wrong());
    }
    while !rest.is_empty() {
        let end = rest
            .find(|c: char| !c.is_ascii_digit() && c != '.')
            .ok_or_else(wrong)?;
        let (number, tail) = rest.split_at_checked(end).ok_or_else(wrong)?;
        let end = tail
            .find(|c: char| !c.is_ascii_alphabetic())
            .unwrap_or(tail.len());
        let (unit, tail) = tail.split_at_checked(end).ok_or_else(wrong)?;
        let seconds = match unit {
            "ms" => 0.001,
            "s" | "sec" => 1.0,
            "m" | "min" => 60.0,
            "h" => 3600.0,
            "d" => 86400.0,
            _ => return Err(wrong()),
        };
        let number: f64 = number.parse().map_err(|_| wrong())?;
        total += Duration::try_from_secs_f64(number * seconds).map_err(|_| wrong())?;
        rest = tail;
    }
    Ok(total)
}

/// Reads `64MiB`, `64M`, `1GiB`, `65536`; K, M and G are powers of 1024.
pub fn size(text: &str) -> Result<usize, String> {
    let wrong = || {
        say!(
            "{text:?} is no size; write it like 64MiB, 512K or 1GiB",
            "{text:?} 不是大小；请写成 64MiB、512K 或 1GiB 这样"
        )
    };
    let end = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    let (number, unit) = text.split_at_checked(end).ok_or_else(wrong)?;
    let shift = match unit.to_ascii_lowercase().as_str() {
        "" | "b" => 0,
        "k" | "kb" | "kib" => 10,
        "m" | "mb" | "mib" => 20,
        "g" | "gb" | "gib" => 30,
        _ => return Err(wrong()),
    };
    let number: usize = number.parse().map_err(|_| wrong())?;
    number
        .checked_mul(1 << shift)
        .filter(|size| *size > 0)
        .ok_or_else(wrong)
}

/// Reads a factor: a number over 0, up to 1000.
pub fn factor(text: &str) -> Result<f64, String> {
    let number = text
        .parse()
        .ok()
        .filter(|number: &f64| *number > 0.0 && *number <= 1000.0);
    number.ok_or_else(|| {
        say!(
            "{text:?} is no factor; write a number over 0, up to 1000",
            "{text:?} 不是倍数；请写大于 0、至多 1000 的数"
        )
    })
}

/// Reads `--tail`'s value.
pub fn tail(text: &str) -> Result<Tail, String> {
    match text {
        "all" => Ok(Tail::All),
        number => number.parse().map(Tail::Last).map_err(|_| {
            say!(
                "{text:?} is neither a number nor all",
                "{text:?} 既不是数字也不是 all"
            )
        }),
    }
}

/// Reads `--reconnect`'s value.
pub fn reconnect(text: &str) -> Result<Retry, String> {
    match text {
        "auto" => Ok(Retry::Auto),
        "never" => Ok(Retry::Never),
        number => number.parse().map(Retry::Times).map_err(|_| {
            say!(
                "{text:?} is none of auto, never and a number",
                "{text:?} 不是 auto、never 或数字"
            )
        }),
    }
}

/// Reads `4x`, `0.5x` or `2` as percent: from 1 to 10,000.
pub fn speed(text: &str) -> Result<u32, String> {
    let number: f64 = text
        .strip_suffix('x')
        .unwrap_or(text)
        .parse()
        .unwrap_or(0.0);
    let percent = format!("{:.0}", number * 100.0).parse().unwrap_or(0);
    if (1..=10_000).contains(&percent) {
        return Ok(percent);
    }
    Err(say!(
        "{text:?} is no speed; write it like 2x, from 0.01x to 100x",
        "{text:?} 不是速度；请写成 2x 这样，从 0.01x 到 100x"
    ))
}

/// Reads `--dialect`'s value.
pub fn dialect(text: &str) -> Result<&'static Dialect, String> {
    Dialect::named(text).ok_or_else(|| {
        let names = DIALECTS.map(|dialect| dialect.name).join(", ");
        say!("{text:?} is none of {names}", "{text:?} 不在 {names} 之中")
    })
}

/// Reads a zone: `Local`, `UTC`, or a name of the IANA database.
pub fn zone(text: &str) -> Result<Zone, String> {
    match text {
        "Local" | "local" => Ok(Zone(TimeZone::system())),
        "UTC" | "utc" => Ok(Zone(TimeZone::UTC)),
        name => TimeZone::get(name).map(Zone).map_err(|_| {
            say!(
                "{text:?} is no time zone; write Local, UTC or a name like Asia/Shanghai",
                "{text:?} 不是时区；请写 Local、UTC 或 Asia/Shanghai 之类的名称"
            )
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_sizes() {
        for (text, millis) in [
            ("30s", 30_000),
            ("10m", 600_000),
            ("1h30m", 5_400_000),
            ("500ms", 500),
            ("1.5s", 1500),
            ("0s", 0),
            ("2d", 172_800_000),
        ] {
            assert_eq!(duration(text), Ok(Duration::from_millis(millis)), "{text}");
        }
        for text in [
            "",
            "30",
            "s",
            "30x",
            "-1s",
            "1h 30m",
            "1e9s",
            "99999999999999999999d",
        ] {
            assert!(duration(text).is_err(), "{text}");
        }
        for (text, bytes) in [
            ("64MiB", 64 << 20),
            ("64m", 64 << 20),
            ("1G", 1 << 30),
            ("512K", 512 << 10),
            ("7", 7),
        ] {
            assert_eq!(size(text), Ok(bytes), "{text}");
        }
        for text in [
            "",
            "x",
            "0",
            "1.5M",
            "99999999999999999999G",
            "18014398509481984K",
        ] {
            assert!(size(text).is_err(), "{text}");
        }
        assert_eq!(
            (tail("all"), tail("10")),
            (Ok(Tail::All), Ok(Tail::Last(10)))
        );
        assert!(tail("-1").is_err() && reconnect("x").is_err() && zone("Nowhere/City").is_err());
        assert_eq!(reconnect("3"), Ok(Retry::Times(3)));
        for (text, percent) in [("4x", 400), ("0.5x", 50), ("2", 200), ("100x", 10_000)] {
            assert_eq!(speed(text), Ok(percent));
        }
        for text in ["", "x", "0x", "-1x", "nanx", "1e9x", "101x"] {
            assert!(speed(text).is_err(), "{text}");
        }
        assert_eq!(factor("0.5"), Ok(0.5));
        for text in ["0", "nan", "inf", "1001", "x", "1e-400"] {
            assert!(factor(text).is_err(), "{text}");
        }
    }
}
