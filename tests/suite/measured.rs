//! What a server measured is read as it was written, and any bytes have an answer.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "test helper")]

use std::fmt::Write;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use deckwatch::codec::pubsub::{self, Notice};
use deckwatch::codec::{monitor, prometheus};
use deckwatch::model::Micros;
use deckwatch::model::sample::{Labels, Measured, Sample, Series, TopList, TopRow};
use deckwatch::text::SafeText;
use proptest::prelude::*;

/// A value as Go writes it.
fn go(value: f64) -> String {
    if value.is_nan() {
        "NaN".to_owned()
    } else if value.is_infinite() {
        (if value > 0.0 { "+Inf" } else { "-Inf" }).to_owned()
    } else {
        value.to_string()
    }
}

/// A range's answer as Prometheus writes it: times in seconds with up to three decimals.
fn written(measured: &Measured) -> String {
    let mut out = String::from(r#"{"status":"success","data":{"resultType":"matrix","result":["#);
    for (at, series) in measured.series.iter().enumerate() {
        let labels: serde_json::Map<_, _> = (series.labels.iter())
            .map(|(name, value)| (name.to_owned(), value.into()))
            .collect();
        let labels = serde_json::to_string(&labels).unwrap();
        let comma = if at > 0 { "," } else { "" };
        write!(out, r#"{comma}{{"metric":{labels},"values":["#).unwrap();
        for (at, sample) in series.samples.iter().enumerate() {
            let comma = if at > 0 { "," } else { "" };
            let (seconds, millis) = (sample.at.0 / 1_000_000, sample.at.0 / 1000 % 1000);
            let time = format!("{seconds}.{millis:03}");
            let time = time.trim_end_matches('0').trim_end_matches('.');
            write!(out, r#"{comma}[{time},"{}"]"#, go(sample.value)).unwrap();
        }
        out.push_str("]}");
    }
    let notes = serde_json::to_string(&measured.notes).unwrap();
    write!(out, r#"]}},"warnings":{notes}}}"#).unwrap();
    out
}

/// A text that is safe already.
fn text() -> impl Strategy<Value = String> {
    let texts = prop_oneof!["[a-z_]{1,12}", "[a-z\"\\\\/订单é-]{0,9}", any::<String>()];
    texts.prop_filter("safe", |text| SafeText::of(text).as_str() == text)
}

fn samples() -> impl Strategy<Value = Vec<Sample>> {
    let value = prop_oneof![
        any::<f64>(),
        -1e6f64..1e6,
        Just(f64::NAN),
        Just(f64::INFINITY),
        Just(f64::NEG_INFINITY),
    ];
    // Milliseconds up to the year 2106: what a float of seconds tells exactly.
    let samples = prop::collection::btree_map(0i64..(1 << 32) * 1000, value, 0..20);
    let sample = |(millis, value): (i64, f64)| Sample {
        at: Micros(millis * 1000),
        value,
    };
    samples.prop_map(move |samples| samples.into_iter().map(sample).collect())
}

fn measured() -> impl Strategy<Value = Measured> {
    let labels = prop::collection::vec((text(), text()), 0..4).prop_map(Labels::new);
    let series = prop::collection::btree_map(labels, samples(), 0..6);
    let notes = prop::collection::vec(text().prop_filter("said", |note| !note.is_empty()), 0..3);
    (series, notes).prop_map(|(series, notes)| Measured {
        series: (series.into_iter())
            .map(|(labels, samples)| Series { labels, samples })
            .collect(),
        notes,
        ..Measured::default()
    })
}

/// What looks like an answer, with anything in its members.
fn any_json() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("null".to_owned()),
        Just("true".to_owned()),
        any::<f64>()
            .prop_filter("JSON", |number| number.is_finite())
            .prop_map(|number| number.to_string()),
        prop::sample::select(vec![
            "\"1\"",
            "\"NaN\"",
            "\"error\"",
            "\"success\"",
            "1",
            "1e99"
        ])
        .prop_map(str::to_owned),
        any::<String>().prop_map(|text| serde_json::to_string(&text).unwrap()),
    ];
    let name = prop::sample::select(vec![
        "data",
        "bean",
        "result",
        "resultType",
        "metric",
        "value",
        "values",
        "status",
        "code",
        "error",
        "msg",
        "warnings",
        "histogram",
        "Key",
        "url",
        "sql",
        "Count",
        "CumulativeTime",
        "name",
        "update_time",
        "monitorData",
        "counts",
    ]);
    leaf.prop_recursive(7, 60, 6, move |inner| {
        let members = prop::collection::vec((name.clone(), inner.clone()), 0..6);
        let members = members.prop_map(|members| {
            let members = members
                .iter()
                .map(|(name, value)| format!("\"{name}\":{value}"));
            format!("{{{}}}", members.collect::<Vec<_>>().join(","))
        });
        let items = prop::collection::vec(inner, 0..6);
        prop_oneof![
            members,
            items.prop_map(|items| format!("[{}]", items.join(",")))
        ]
    })
}

/// NaN is equal to nothing, but its words are.
fn words(measured: &Measured) -> String {
    format!("{measured:?}")
}

proptest! {
    #[test]
    fn what_prometheus_writes_is_read(measured in measured()) {
        let body = written(&measured);
        let read = prometheus::decode(body.as_bytes(), 6).unwrap();
        prop_assert_eq!(words(&read), words(&measured));
        // The console's envelope changes nothing.
        let inner = serde_json::from_str::<serde_json::Value>(&body).unwrap()["data"].take();
        let console = serde_json::json!({"code": 200, "msg": "success", "data": {"bean": inner, "list": []}});
        let read = prometheus::decode(console.to_string().as_bytes(), 6).unwrap();
        let bare = Measured { notes: Vec::new(), ..measured };
        prop_assert_eq!(words(&read), words(&bare));
    }

    #[test]
    fn no_answer_is_without_an_answer(bytes in prop::collection::vec(any::<u8>(), 0..300), json in any_json(), most in 0usize..4) {
        drop(prometheus::decode(&bytes, most));
        let read = prometheus::decode(json.as_bytes(), most);
        if let Ok(read) = read {
            prop_assert!(read.series.len() <= most);
            prop_assert!(!read.blank || read.series.is_empty());
            for series in &read.series {
                prop_assert!(series.samples.is_sorted_by(|a, b| a.at < b.at));
            }
            let mut labels: Vec<_> = read.series.iter().map(|series| &series.labels).collect();
            labels.sort();
            prop_assert!(labels.is_sorted_by(|a, b| a < b));
        } else {
            prop_assert!(!read.unwrap_err().words.is_empty());
        }
    }

    #[test]
    fn no_frame_is_without_an_answer(text in any::<String>(), json in any_json()) {
        for frame in [&text, &json, &format!("[{json}]"), &format!("2017-05-19 11:33:34 APPS {text} [{json}]")] {
            for list in monitor::decode(frame).into_iter().flatten() {
                for row in list.rows {
                    prop_assert!(!row.key.is_empty());
                    prop_assert!(row.sum >= 0.0 && row.mean >= 0.0 && row.max.unwrap_or(0.0) >= 0.0);
                }
            }
        }
    }
}

/// What the real server sent on the two sockets of a recording: the monitor's own, and pub/sub.
fn recorded(conn: &str) -> Vec<TopList> {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/transcripts/eventlog-newmonitor.jsonl"
    );
    let rows = std::fs::read_to_string(path).unwrap();
    let rows = rows
        .lines()
        .map(|row| serde_json::from_str::<serde_json::Value>(row).unwrap());
    let frames =
        rows.filter(|row| row["conn"] == conn && row["dir"] == "s>c" && row["op"] == "text");
    let mut lists = Vec::new();
    for frame in frames {
        let bytes = STANDARD.decode(frame["b64"].as_str().unwrap()).unwrap();
        let text = match pubsub::decode(&bytes) {
            Some(Notice::Monitor(_, data)) => data.into_owned(),
            _ => String::from_utf8(bytes).unwrap(),
        };
        lists.extend(monitor::decode(&text).into_iter().flatten());
    }
    lists
}

fn row(
    key: &str,
    host: &str,
    (sum, mean, max): (f64, f64, f64),
    (count, errors): (u64, u64),
) -> TopRow {
    TopRow {
        key: key.to_owned(),
        kind: "http".to_owned(),
        host: host.to_owned(),
        sum,
        mean,
        max: Some(max),
        count,
        errors: Some(errors),
    }
}

#[test]
fn the_recorded_lists_are_those_that_the_eye_reads() {
    let chinese = row("/api/中文", "h1", (10.0, 10.0, 10.0), (1, 1));
    let only = row("/api/only-h2", "h2", (1.0, 0.5, 0.7), (2, 0));
    let twenty = (6u32..=24).rev().map(|n| {
        let count = n + 1;
        row(
            &format!("/k/{n}"),
            "h1",
            (f64::from(count), 1.0, 1.0),
            (count.into(), 0),
        )
    });
    let mut twenty: Vec<_> = twenty.collect();
    twenty.insert(15, row("/api/a", "h2", (10.0, 2.0, 9.9), (5, 2)));
    let want = [
        vec![
            chinese.clone(),
            row("/api/a", "h1", (3.702, 1.234, 2.5), (3, 0)),
        ],
        vec![
            row("/api/a", "h1", (13.7, 1.62, 9.9), (8, 2)),
            chinese,
            only.clone(),
        ],
        vec![row("/api/a", "h1", (17.0, 1.5, 9.9), (12, 2)), only],
        twenty.clone(),
        // Again, since somebody else subscribed.
        twenty,
        vec![row("/api/a", "h2", (10.0, 2.0, 9.9), (5, 2))],
    ];
    for conn in ["W", "P"] {
        let lists = recorded(conn);
        assert!(
            lists
                .iter()
                .all(|list| list.unreadable == 0 && list.name.is_empty())
        );
        let rows: Vec<_> = lists.into_iter().map(|list| list.rows).collect();
        assert_eq!(rows, want, "{conn}");
    }
}
