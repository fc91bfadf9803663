//! The evaluator by tables: a few series made by hand, queries, and what Prometheus' rules give.

use super::{MatchOp, Matcher, Span, eval::Value, instant, json, parse, range};
use crate::demo::series::Series;

/// Samples: seconds and values.
type Samples<'a> = &'a [(i64, f64)];

fn series(name: &str, labels: &[(&str, &str)], samples: Samples<'_>) -> Series {
    let mut series = Series::new(name, labels);
    for (second, value) in samples {
        series.push(second * 1000, Some(*value));
    }
    series
}

/// Two gauges of one service, one of another, counters with and without reset, one that ended.
fn world() -> Vec<Series> {
    let id = |id| [("service_id", id)];
    let mut gone = series("gone", &[("a", "1")], &[(100, 1.0), (110, 2.0)]);
    gone.push(115_000, None);
    vec![
        series(
            "ms",
            &[("mode", "avg"), ("service_id", "s1")],
            &[(100, 10.4), (120, 20.6)],
        ),
        series(
            "ms",
            &[("mode", "max"), ("service_id", "s1")],
            &[(120, 90.0)],
        ),
        series(
            "ms",
            &[("mode", "avg"), ("service_id", "s2")],
            &[(120, -3.5)],
        ),
        // One a second, a sample each 10 s.
        series(
            "steady",
            &id("s1"),
            &[
                (60, 60.0),
                (70, 70.0),
                (80, 80.0),
                (90, 90.0),
                (100, 100.0),
                (110, 110.0),
                (120, 120.0),
            ],
        ),
        series(
            "falls",
            &id("s1"),
            &[(80, 50.0), (90, 60.0), (100, 4.0), (110, 10.0), (120, 20.0)],
        ),
        series("young", &id("s1"), &[(110, 2.0), (120, 12.0)]),
        gone,
        series("limit", &[("service_id", "s1")], &[(120, 200.0)]),
        series("limit", &[("service_id", "s2")], &[(120, 7.0)]),
        series("used", &[("service_id", "s1")], &[(120, 50.0)]),
        series("used", &[("service_id", "s2")], &[(120, 0.0)]),
    ]
}

fn say(query: &str, second: i64) -> String {
    let world = world();
    let value = parse(query).and_then(|expr| instant(&expr, &world.iter(), second * 1000));
    match value {
        Err(fault) => format!(
            "{}: {}",
            if fault.bad { "bad" } else { "failed" },
            fault.text
        ),
        Ok(Value::Scalar(number)) => number.to_string(),
        Ok(Value::Vector(points)) => {
            let each = points.iter().map(|point| {
                let labels = point
                    .labels
                    .iter()
                    .map(|(key, value)| format!("{key}={value}"));
                let labels: Vec<_> = labels.collect();
                format!("{{{}}} {}", labels.join(","), round(point.value))
            });
            each.collect::<Vec<_>>().join(" | ")
        }
        Ok(Value::Matrix(rows)) => {
            let each = rows
                .iter()
                .map(|(labels, samples)| format!("{} {samples:?}", labels.len()));
            each.collect::<Vec<_>>().join(" | ")
        }
    }
}

fn round(value: f64) -> f64 {
    (value * 1e9).round() / 1e9
}

fn table(cases: &[(&str, &str)]) {
    for (query, want) in cases {
        assert_eq!(say(query, 120), *want, "{query}");
    }
}

#[test]
fn selectors_choose_by_labels() {
    table(&[
        (
            "limit",
            "{__name__=limit,service_id=s1} 200 | {__name__=limit,service_id=s2} 7",
        ),
        (
            "limit{service_id=\"s2\"}",
            "{__name__=limit,service_id=s2} 7",
        ),
        (
            "limit{service_id!='s2'}",
            "{__name__=limit,service_id=s1} 200",
        ),
        (
            "limit{service_id=~\"s.|x\",}",
            "{__name__=limit,service_id=s1} 200 | {__name__=limit,service_id=s2} 7",
        ),
        // The whole value, or none of it.
        ("limit{service_id=~\"s\"}", ""),
        (
            "limit{service_id!~`.1`}",
            "{__name__=limit,service_id=s2} 7",
        ),
        // A label that is not there is empty.
        (
            "used{pod=\"\",service_id=\"s2\"} # a comment",
            "{__name__=used,service_id=s2} 0",
        ),
        ("used{pod!=\"\"}", ""),
        (
            "{__name__=~\"l.*\", service_id='s2'}",
            "{__name__=limit,service_id=s2} 7",
        ),
        ("nothing", ""),
        ("gone", ""),
    ]);
    // Five minutes back, the border among them; a mark ends a series at once.
    assert_eq!(
        say("used{service_id=\"s1\"}", 420),
        "{__name__=used,service_id=s1} 50"
    );
    assert_eq!(say("used{service_id=\"s1\"}", 421), "");
    assert_eq!(say("gone", 114), "{__name__=gone,a=1} 2");
    assert_eq!(say("ms{mode=\"max\"}", 119), "");
    assert_eq!(say("gone[1m]", 120), "2 [(100000, 1.0), (110000, 2.0)]");
}

#[test]
fn numbers_and_operators() {
    table(&[
        ("1 + 2 * 3 - 4 / 2", "5"),
        ("(1 + 2) * 3 % 5", "4"),
        ("2 ^ 3 ^ 2", "512"),
        ("-2 ^ 2", "-4"),
        ("- -1", "1"),
        ("1 / 0", "inf"),
        ("-1 / 0", "-inf"),
        ("0 / 0", "NaN"),
        ("0x10 + 1e1 + .5 + 1.5E-1", "26.65"),
        ("Inf - inf", "NaN"),
        ("3 > bool 2", "1"),
        ("limit{service_id=\"s1\"} / 8", "{service_id=s1} 25"),
        (
            "1000 / limit",
            "{service_id=s1} 5 | {service_id=s2} 142.857142857",
        ),
        ("-limit", "{service_id=s1} -200 | {service_id=s2} -7"),
        ("limit > 100", "{__name__=limit,service_id=s1} 200"),
        ("100 > limit", "{__name__=limit,service_id=s2} 7"),
        ("limit > bool 100", "{service_id=s1} 1 | {service_id=s2} 0"),
        ("limit == 7", "{__name__=limit,service_id=s2} 7"),
        (
            "used / limit * 100",
            "{service_id=s1} 25 | {service_id=s2} 0",
        ),
        ("limit / used", "{service_id=s1} 4 | {service_id=s2} inf"),
        (
            "used / on(service_id) ms{mode=\"max\"}",
            "{service_id=s1} 0.555555556",
        ),
        (
            "ms{mode=\"max\"} / ignoring(mode) used",
            "{service_id=s1} 1.8",
        ),
        (
            "used < limit",
            "{__name__=used,service_id=s1} 50 | {__name__=used,service_id=s2} 0",
        ),
        ("used / ms", ""),
    ]);
}

#[test]
fn functions_of_values_and_of_times() {
    table(&[
        (
            "ceil(ms{mode=\"avg\"})",
            "{mode=avg,service_id=s1} 21 | {mode=avg,service_id=s2} -3",
        ),
        (
            "floor(ms{service_id=\"s2\"})",
            "{mode=avg,service_id=s2} -4",
        ),
        ("abs(ms{service_id=\"s2\"})", "{mode=avg,service_id=s2} 3.5"),
        (
            "avg_over_time(ms{mode=\"avg\",service_id=\"s1\"}[1m])",
            "{mode=avg,service_id=s1} 15.5",
        ),
        ("max_over_time(falls[1m])", "{service_id=s1} 60"),
        ("min_over_time(falls[1m])", "{service_id=s1} 4"),
        (
            "sum_over_time(young[1m]) + count_over_time(young[1m])",
            "{service_id=s1} 16",
        ),
        ("max_over_time(gone[1m])", "{a=1} 2"),
    ]);
}

#[test]
fn counters_grow_by_what_was_seen_and_a_little_more() {
    table(&[
        // From border to border: seven samples, 60 s, nothing to add.
        ("increase(steady[1m])", "{service_id=s1} 60"),
        ("rate(steady[1m])", "{service_id=s1} 1"),
        // 60 … 120 in 90 s: the first is 30 s from the start, more than 1.1 of 10 s, so 5 s are
        // added: 60 * 65/60.
        ("increase(steady[90s])", "{service_id=s1} 65"),
        ("rate(steady[90s])", "{service_id=s1} 0.722222222"),
        // A reset: 20 - 50 and the lost 60 are 30 in 40 s; 20 s to the start become 5 s, since the
        // counter was at zero 66 s before: 30 * 45/40.
        ("increase(falls[1m])", "{service_id=s1} 33.75"),
        ("rate(falls[1m])", "{service_id=s1} 0.5625"),
        // 2 … 12 in 10 s was zero 2 s before: not 5 s but 2 s are added: 10 * 12/10.
        ("increase(young[1m])", "{service_id=s1} 12"),
        // The last two alone; from a reset on, what came after it.
        ("irate(falls[1m])", "{service_id=s1} 1"),
        ("irate(falls[5m])", "{service_id=s1} 1"),
        // One sample is no range.
        ("rate(used[5m])", ""),
        ("irate(used[5m])", ""),
        ("sum(ceil(increase(steady[1m])/12))", "{} 5"),
    ]);
    // Both sides beyond the samples: 100 … 120, 15 s before and after, 5 s of each count.
    assert_eq!(say("increase(steady[40s])", 130), "{service_id=s1} 40");
    assert_eq!(say("increase(steady[50s])", 135), "{service_id=s1} 40");
    assert_eq!(say("irate(falls[15s])", 105), "{service_id=s1} 0.4");
}

#[test]
fn many_become_few() {
    table(&[
        ("sum(ms)", "{} 107.1"),
        (
            "sum(ms) by (service_id)",
            "{service_id=s1} 110.6 | {service_id=s2} -3.5",
        ),
        (
            "sum by (service_id, none) (ms)",
            "{service_id=s1} 110.6 | {service_id=s2} -3.5",
        ),
        (
            "avg without (mode) (ms)",
            "{service_id=s1} 55.3 | {service_id=s2} -3.5",
        ),
        (
            "max(ms) without(service_id)",
            "{mode=avg} 20.6 | {mode=max} 90",
        ),
        ("MIN(ms)", "{} -3.5"),
        ("count(ms) by ()", "{} 3"),
        (
            "count({__name__=~\"ms|used\"}) by (__name__)",
            "{__name__=ms} 3 | {__name__=used} 2",
        ),
        ("topk(1, ms)", "{__name__=ms,mode=max,service_id=s1} 90"),
        (
            "topk(1, ms) by (mode)",
            "{__name__=ms,mode=avg,service_id=s1} 20.6 | {__name__=ms,mode=max,service_id=s1} 90",
        ),
        (
            "bottomk(1 + 1, ms)",
            "{__name__=ms,mode=avg,service_id=s2} -3.5 | {__name__=ms,mode=avg,service_id=s1} 20.6",
        ),
        ("topk(0, ms)", ""),
        ("sum(nothing)", ""),
        ("max(0 * used / used)", "{} 0"),
        // Names of functions are names of metrics where nothing opens.
        ("sum", ""),
        ("rate > 1", ""),
    ]);
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table")]
fn what_cannot_be_asked_is_told() {
    table(&[
        ("", "bad: 1:1: parse error: no expression found in input"),
        ("sum(ms", "bad: 1:7: parse error: unclosed left parenthesis"),
        (
            "sum(ms))",
            "bad: 1:8: parse error: unexpected right parenthesis ')'",
        ),
        (
            "ms{",
            "bad: 1:4: parse error: unexpected end of input in label matching, expected identifier or \"}\"",
        ),
        (
            "ms{a=1}",
            "bad: 1:6: parse error: unexpected number \"1\" in label matching, expected string",
        ),
        (
            "ms{a=\"1}",
            "bad: 1:6: parse error: unterminated quoted string",
        ),
        (
            "ms{a=\"\\q\"}",
            "bad: 1:6: parse error: unknown escape sequence",
        ),
        (
            "ms[5]",
            "bad: 1:4: parse error: missing unit character in duration",
        ),
        ("ms[5m", "bad: 1:6: parse error: unclosed left bracket"),
        (
            "ms[0s]",
            "bad: 1:4: parse error: duration must be greater than 0",
        ),
        (
            "ms ms",
            "bad: 1:4: parse error: unexpected identifier \"ms\"",
        ),
        ("1 +", "bad: 1:4: parse error: unexpected end of input"),
        (
            "1\n + $",
            "bad: 2:4: parse error: unexpected character: '$'",
        ),
        (
            "5x",
            "bad: 1:1: parse error: bad number or duration syntax: \"5x\"",
        ),
        (
            "{}",
            "bad: 1:3: parse error: vector selector must contain at least one non-empty matcher",
        ),
        (
            "{a=~\".*\"}",
            "bad: 1:10: parse error: vector selector must contain at least one non-empty matcher",
        ),
        (
            "ms{__name__=\"x\"}",
            "bad: 1:17: parse error: metric name must not be set twice",
        ),
        (
            "nope(ms)",
            "bad: 1:1: parse error: unknown function with name \"nope\"",
        ),
        (
            "rate()",
            "bad: 1:7: parse error: expected 1 argument(s) in call to \"rate\", got 0",
        ),
        (
            "rate(ms)",
            "bad: 1:9: parse error: expected type range vector in call to function \"rate\", got instant vector",
        ),
        (
            "ceil(ms[5m])",
            "bad: 1:13: parse error: expected type instant vector in call to function \"ceil\", got range vector",
        ),
        (
            "sum(1)",
            "bad: 1:7: parse error: expected type instant vector in aggregation expression, got scalar",
        ),
        (
            "1 > 2",
            "bad: 1:3: parse error: comparisons between scalars must use BOOL modifier",
        ),
        (
            "ms[5m] + 1",
            "bad: 1:8: parse error: binary expression must contain only scalar and instant vector types",
        ),
        (
            "used / ignoring(service_id) limit",
            "failed: found duplicate series for the match group on the right hand-side of the operation;many-to-many matching not allowed: matching labels must be unique on one side",
        ),
        (
            "ceil({__name__=~\"used|limit\"})",
            "failed: vector cannot contain metrics with the same labelset",
        ),
    ]);
    let deep = "(".repeat(5000);
    assert!(say(&deep, 120).contains("nests too deep"));
    assert!(say(&"-".repeat(5000), 120).contains("nests too deep"));
    assert!(say(&format!("1{}", "+1".repeat(5000)), 120).contains("too many operators"));
    assert_eq!(say(&format!("1{}", "+1".repeat(200)), 120), "201");
    assert!(say("ms{a=~\"(\"}", 120).contains("error parsing regexp: unclosed group"));
}

fn asked(query: &str, (start, end, step): (i64, i64, i64)) -> Result<String, String> {
    let world = world();
    let span = Span {
        start: start * 1000,
        end: end * 1000,
        step: step * 1000,
    }
    .checked();
    let value = span.and_then(|span| range(&parse(query)?, &world.iter(), span));
    value
        .map(|value| json(&value, 0, 0))
        .map_err(|fault| fault.text)
}

#[test]
fn a_range_is_asked_step_by_step() {
    let say = |query| asked(query, (100, 120, 10)).unwrap();
    assert_eq!(
        say("gone + 0"),
        r#"{"resultType":"matrix","result":[{"metric":{"a":"1"},"values":[[100,"1"],[110,"2"]]}]}"#
    );
    assert_eq!(
        say("ms{mode=\"avg\"}"),
        r#"{"resultType":"matrix","result":[{"metric":{"__name__":"ms","mode":"avg","service_id":"s1"},"values":[[100,"10.4"],[110,"10.4"],[120,"20.6"]]},{"metric":{"__name__":"ms","mode":"avg","service_id":"s2"},"values":[[120,"-3.5"]]}]}"#
    );
    assert_eq!(
        say("1 / 0"),
        r#"{"resultType":"matrix","result":[{"metric":{},"values":[[100,"+Inf"],[110,"+Inf"],[120,"+Inf"]]}]}"#
    );
    assert_eq!(say("nothing"), r#"{"resultType":"matrix","result":[]}"#);
    assert!(
        asked("ms[5m]", (1, 2, 1))
            .unwrap_err()
            .contains("range vector")
    );
    // 11,001 points are the most, as in Prometheus: it counts the steps between.
    assert!(asked("ms", (0, 11_000, 1)).is_ok());
    let fault = asked("ms", (0, 11_001, 1)).unwrap_err();
    assert!(
        fault.starts_with("exceeded maximum resolution of 11,000 points"),
        "{fault}"
    );
}

#[test]
fn one_matcher_more_for_every_selector() {
    let mut expr =
        parse("sum(used) / count(topk(1, limit)) + max_over_time(young[1m]) - -limit").unwrap();
    expr.narrow(&Matcher::new("service_id", MatchOp::Equal, "s9").unwrap());
    let world = world();
    let value = instant(&expr, &world.iter(), 120_000).unwrap();
    assert_eq!(value, Value::Vector(Vec::new()));
}
