//! The expression of an alert: `cpu > 800 for 1m`, `rate(error) >= 5`, `chart(JVM heap) > 512`.

use std::time::Duration;

use crate::model::Level;
use crate::model::alert::{Alert, Compare, Subject};
use crate::model::metric::Metric;
use crate::say;

/// Reads an expression; what is wrong is said in one sentence.
pub fn parse(text: &str) -> Result<Alert, String> {
    let wrong = || {
        say!(
            "{text:?} is no expression; write one like cpu > 800 for 1m, rate(error) >= 5 or chart(TITLE) < 1",
            "{text:?} 不是表达式；请写成 cpu > 800 for 1m、rate(error) >= 5 或 chart(标题) < 1"
        )
    };
    let at = text.find(['<', '>']).ok_or_else(wrong)?;
    let (subject, rest) = text.split_at(at);
    let (compare, rest) = [
        (">=", Compare::AtLeast),
        ("<=", Compare::AtMost),
        (">", Compare::Above),
        ("<", Compare::Below),
    ]
    .into_iter()
    .find_map(|(sign, compare)| Some((compare, rest.strip_prefix(sign)?)))
    .ok_or_else(wrong)?;
    let (value, lasting) = match rest.split_once(" for ") {
        Some((value, time)) => (value, duration(time.trim()).ok_or_else(wrong)?),
        None => (rest, Duration::ZERO),
    };
    let value: f64 = value.trim().parse().map_err(|_| wrong())?;
    if !value.is_finite() {
        return Err(wrong());
    }
    Ok(Alert {
        name: text.trim().to_owned(),
        subject: of(subject.trim())?,
        compare,
        value,
        lasting,
        component: String::new(),
        bell: true,
        notify: false,
    })
}

fn of(text: &str) -> Result<Subject, String> {
    let inside = |name: &str| {
        let rest = text.strip_prefix(name)?.trim_start().strip_prefix('(')?;
        Some(rest.strip_suffix(')')?.trim())
    };
    if let Some(level) = inside("rate") {
        return match level {
            "" | "all" => Ok(Subject::Rate(Level::None)),
            "debug" => Ok(Subject::Rate(Level::Debug)),
            "info" => Ok(Subject::Rate(Level::Info)),
            "warn" => Ok(Subject::Rate(Level::Warn)),
            "error" => Ok(Subject::Rate(Level::Error)),
            other => Err(say!(
                "{other:?} is no level: write all, debug, info, warn or error",
                "{other:?} 不是级别：请写 all、debug、info、warn 或 error"
            )),
        };
    }
    if let Some(title) = inside("chart").filter(|title| !title.is_empty()) {
        return Ok(Subject::Chart(title.to_owned()));
    }
    Metric::parse(text).map(Subject::Metric).ok_or_else(|| {
        let all: Vec<&str> = Metric::ALL.iter().map(|metric| metric.word()).collect();
        let all = all.join(", ");
        say!(
            "{text:?} can't be watched: write rate(LEVEL), chart(TITLE) or one of {all}",
            "无法监视 {text:?}：请写 rate(级别)、chart(标题) 或 {all} 之一"
        )
    })
}

/// `30s`, `5m`, `2h`.
fn duration(text: &str) -> Option<Duration> {
    let unit = text.chars().last()?;
    let number: u64 = text.strip_suffix(unit)?.parse().ok()?;
    let seconds = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3600,
        _ => return None,
    };
    Some(Duration::from_secs(number.checked_mul(seconds)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expressions_are_read() {
        let minute = Duration::from_secs(60);
        for (text, subject, compare, value, lasting) in [
            (
                "cpu > 800 for 1m",
                Subject::Metric(Metric::Cpu),
                Compare::Above,
                800.0,
                minute,
            ),
            (
                "rate(error)>=5",
                Subject::Rate(Level::Error),
                Compare::AtLeast,
                5.0,
                Duration::ZERO,
            ),
            (
                " rate( all ) < 0.5 for 30s",
                Subject::Rate(Level::None),
                Compare::Below,
                0.5,
                minute / 2,
            ),
            (
                "chart(JVM heap) <= 1e3",
                Subject::Chart("JVM heap".to_owned()),
                Compare::AtMost,
                1000.0,
                Duration::ZERO,
            ),
        ] {
            let alert = parse(text).unwrap();
            assert_eq!(
                (alert.subject, alert.compare, alert.value, alert.lasting),
                (subject, compare, value, lasting),
                "{text}"
            );
        }
        for (text, want) in [
            ("", "is no expression"),
            ("cpu", "is no expression"),
            ("cpu = 5", "is no expression"),
            ("cpu > five", "is no expression"),
            ("cpu > inf", "is no expression"),
            ("cpu > 5 for ever", "is no expression"),
            ("heat > 5", "\"heat\" can't be watched"),
            ("rate(loud) > 5", "\"loud\" is no level"),
            ("chart() > 5", "can't be watched"),
            ("cpu > 5 for 99999999999999999999s", "is no expression"),
        ] {
            let wrong = parse(text).unwrap_err();
            assert!(wrong.contains(want), "{text}: {wrong}");
        }
    }
}
