//! Times in HTTP headers: `Date` and `Retry-After` (RFC 9110 5.6.7, 10.2.3).

use std::time::Duration;

use crate::model::Micros;

/// A server is waited for so long at most (reliability.md 2.3).
const LONGEST: Duration = Duration::from_secs(300);

/// The moment that an HTTP date names.
pub fn moment(text: &str) -> Option<Micros> {
    // RFC 2822 is the same but for the zone's name.
    let text = text.trim().replace("GMT", "+0000");
    let at = jiff::fmt::rfc2822::parse(&text).ok()?;
    Some(Micros(at.timestamp().as_microsecond()))
}

/// How long `Retry-After` wants a client to wait: seconds, or a date; anything else says nothing.
pub fn retry_after(text: &str, now: Micros) -> Option<Duration> {
    let text = text.trim();
    let wait = if let Ok(seconds) = text.parse() {
        Duration::from_secs(seconds)
    } else {
        let away = moment(text)?.0.saturating_sub(now.0);
        Duration::from_micros(u64::try_from(away).unwrap_or(0))
    };
    Some(wait.min(LONGEST))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_and_dates_are_read_garbage_is_not() {
        let now = moment("Wed, 21 Oct 2015 07:28:00 GMT").unwrap();
        assert_eq!(now, Micros(1_445_412_480_000_000));
        for (text, want) in [
            ("2", Some(2)),
            (" 120 ", Some(120)),
            ("86400", Some(300)),
            ("0", Some(0)),
            ("Wed, 21 Oct 2015 07:28:30 GMT", Some(30)),
            ("Wed, 21 Oct 2015 07:27:00 GMT", Some(0)),
            ("Thu, 22 Oct 2015 07:27:00 GMT", Some(300)),
            ("soon", None),
            ("-1", None),
            ("", None),
            ("99999999999999999999", None),
        ] {
            assert_eq!(
                retry_after(text, now),
                want.map(Duration::from_secs),
                "{text:?}"
            );
        }
    }
}
