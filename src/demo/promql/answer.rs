//! Answers as Prometheus writes them: values are strings, times are seconds.

use std::fmt::Write as _;

use super::eval::Value;
use crate::demo::gojson;
use crate::demo::series::Labels;

/// The `data` object of an answer at a moment; times in milliseconds are shown so much later.
pub(crate) fn json(value: &Value, at: i64, later: i64) -> String {
    let at = at.saturating_add(later);
    let mut out = String::from("{\"resultType\":\"");
    match value {
        Value::Scalar(number) => {
            out.push_str("scalar\",\"result\":");
            pair(&mut out, (at, *number));
        }
        Value::Vector(points) => {
            out.push_str("vector\",\"result\":");
            list(&mut out, points, |out, point| {
                metric(out, &point.labels);
                out.push_str(",\"value\":");
                pair(out, (at, point.value));
                out.push('}');
            });
        }
        Value::Matrix(rows) => {
            out.push_str("matrix\",\"result\":");
            list(&mut out, rows, |out, (labels, samples)| {
                metric(out, labels);
                out.push_str(",\"values\":");
                list(out, samples, |out, (at, value)| {
                    pair(out, (at.saturating_add(later), *value));
                });
                out.push('}');
            });
        }
    }
    out.push('}');
    out
}

fn list<T>(out: &mut String, all: &[T], write: impl Fn(&mut String, &T)) {
    out.push('[');
    for (index, one) in all.iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        write(out, one);
    }
    out.push(']');
}

fn metric(out: &mut String, labels: &Labels) {
    out.push_str("{\"metric\":");
    let members: Vec<_> = labels
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_bytes()))
        .collect();
    gojson::object(out, &members);
}

fn pair(out: &mut String, (at, value): (i64, f64)) {
    let (seconds, rest) = (at.div_euclid(1000), at.rem_euclid(1000));
    // Writing to a String cannot fail.
    let _ = write!(out, "[{seconds}");
    if rest != 0 {
        let _ = write!(out, ".{rest:03}");
    }
    let _ = write!(out, ",\"{}\"]", number(value));
}

/// A number as Go writes it: the shortest digits, a power below 1e-6 and from 1e21 on.
fn number(value: f64) -> String {
    if value.is_infinite() {
        return if value > 0.0 { "+Inf" } else { "-Inf" }.to_owned();
    }
    let size = value.abs();
    if size == 0.0 || value.is_nan() || (1e-6..1e21).contains(&size) {
        return value.to_string();
    }
    let text = format!("{value:e}");
    let (digits, power) = text.split_once('e').unwrap_or((&text, "0"));
    let (sign, power) = match power.strip_prefix('-') {
        Some(power) => ('-', power),
        None => ('+', power),
    };
    format!("{digits}e{sign}{power:0>2}")
}

#[cfg(test)]
mod tests {
    use super::{number, pair};

    #[test]
    fn numbers_are_written_as_prometheus_does() {
        for (value, want) in [
            (f64::NAN, "NaN"),
            (f64::INFINITY, "+Inf"),
            (f64::NEG_INFINITY, "-Inf"),
            (0.0, "0"),
            (12.5, "12.5"),
            (1e20, "100000000000000000000"),
            (1e21, "1e+21"),
            (1.5e-7, "1.5e-07"),
        ] {
            assert_eq!(number(value), want);
        }
    }

    #[test]
    fn times_are_seconds_with_milliseconds_where_there_are_any() {
        for (at, want) in [
            (1_795_485_528_000, "[1795485528,\"1\"]"),
            (1_795_485_528_050, "[1795485528.050,\"1\"]"),
        ] {
            let mut out = String::new();
            pair(&mut out, (at, 1.0));
            assert_eq!(out, want);
        }
    }
}
