//! Whatever is measured: every answer is taken, or told with its code; nothing is made up.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "test helper")]

use std::fmt::Write;

use deckwatch::clock;
use deckwatch::demo::Platform;
use serde_json::{Value, json};

use super::shop;
use crate::faulty::Home;

/// The end of what `top` asks for at this moment, in seconds.
fn end() -> i64 {
    clock::wall().0 / 5_000_000 * 5
}

/// A result of one series of a pod, with these pairs.
fn matrix(pod: &str, pairs: &Value) -> String {
    let series = json!({"metric": {"pod": pod}, "values": pairs});
    json!({"resultType": "matrix", "result": [series]}).to_string()
}

async fn cpu(home: &Home) -> Value {
    let done = home.program(["top", "-o", "json", "shop/*/payment"]).end();
    let rows = done.await.expect(0).json();
    assert_eq!(rows.len(), 1);
    rows[0]["cpu"].clone()
}

/// What `top` makes of an answer, when all of it lies in one window.
async fn seen(platform: &Platform, home: &Home, answer: impl Fn(i64) -> String) -> Value {
    loop {
        let end = end();
        let text = answer(end);
        platform.set_switch(|switches| switches.rest.measured = Some(text));
        let cell = cpu(home).await;
        // The window moves on; less than half a step changes no value's place.
        if self::end() <= end + 10 {
            return cell;
        }
    }
}

#[tokio::test]
async fn values_that_are_none_are_holes() {
    let (platform, home) = shop(false, |_| {}).await;
    let pod = platform.pods("payment").remove(0);
    for pairs in [
        json!([]),
        json!([[0, "NaN"]]),
        json!([[0, "+Inf"], [-30, "-Inf"]]),
        json!([[0, "much"], [-30, null], [-60, {}], [-90, []], [-120, true]]),
        json!([0, "1", null, {}, [0], ["x", "1"], [0, "1", 2]]),
        json!("1"),
    ] {
        let cell = seen(&platform, &home, |end| matrix(&pod, &from(&pairs, end))).await;
        assert_eq!(cell["value"], Value::Null, "{pairs}");
        let none = cell["trend"].as_array().unwrap().iter().all(Value::is_null);
        assert!(none, "{pairs}: {cell}");
        let done = home
            .program(["top", "shop/*/payment"])
            .end()
            .await
            .expect(0);
        assert!(done.lines()[1].contains('–'), "{pairs}: {}", done.text());
    }
}

/// Pairs whose times are told from the end on.
fn from(pairs: &Value, end: i64) -> Value {
    let mut pairs = pairs.clone();
    for pair in pairs.as_array_mut().into_iter().flatten() {
        if let Some(time) = pair.get_mut(0).filter(|time| time.is_i64()) {
            *time = (end + time.as_i64().unwrap()).into();
        }
    }
    pairs
}

#[tokio::test]
async fn what_can_be_read_is_read() {
    let (platform, home) = shop(false, |_| {}).await;
    let pod = platform.pods("payment").remove(0);
    for (pairs, value, before) in [
        // Numbers as numbers; a time that goes back; doubles, of which the later counts.
        (json!([[-30, 2], [0, 1.5]]), json!(1.5), json!(2.0)),
        (json!([[0, "1.5"], [-30, "2"]]), json!(1.5), json!(2.0)),
        (
            json!([[-30, "9"], [-30, "2"], [0, "7"], [0, "1.5"]]),
            json!(1.5),
            json!(2.0),
        ),
        (json!([[-30, "2"], [0, "NaN"]]), json!(2.0), json!(2.0)),
        (
            json!([[-30, "2"], [0, "+Inf"], [-900, "5"], [9000, "5"]]),
            json!(2.0),
            json!(2.0),
        ),
    ] {
        let cell = seen(&platform, &home, |end| matrix(&pod, &from(&pairs, end))).await;
        assert_eq!(
            (&cell["value"], &cell["trend"][19]),
            (&value, &before),
            "{pairs}"
        );
    }
}

#[tokio::test]
async fn a_thousand_pods_of_others_take_nothing_away() {
    let (platform, home) = shop(false, |_| {}).await;
    let pods = platform.pods("payment");
    let cell = seen(&platform, &home, |end| {
        let mut text = String::from(r#"{"resultType":"matrix","result":["#);
        for number in 0..1000 {
            let pod = format!("other-thing-{number}");
            write!(
                text,
                r#"{{"metric":{{"pod":"{pod}"}},"values":[[{end},"1"]]}},"#
            )
            .unwrap();
        }
        for (pod, value) in pods.iter().zip(["0.25", "0.5"]) {
            write!(
                text,
                r#"{{"metric":{{"pod":"{pod}"}},"values":[[{end},"{value}"]]}},"#
            )
            .unwrap();
        }
        text.pop();
        text + "]}"
    })
    .await;
    assert_eq!(cell["value"], 0.75);
}

#[tokio::test]
async fn nothing_and_nonsense_have_their_codes() {
    let (platform, home) = shop(false, |_| {}).await;
    let service = platform.service_id("payment").unwrap();
    // The console says 200 to whatever happens behind it.
    platform.set_switch(|switches| switches.rest.dead_backend = true);
    let done = home.program(["top", "-o", "json"]).end().await;
    for row in done.expect(0).json() {
        assert_eq!(row["cpu"]["value"], Value::Null, "{row}");
    }
    platform.set_switch(|switches| switches.rest.dead_backend = false);
    for (text, code) in [
        ("{}", 0),
        ("null", 0),
        ("[]", 0),
        (r#"{"resultType":"matrix","result":null}"#, 0),
        (r#"{"resultType":"matrix","result":[null,1,"x",{},[]]}"#, 0),
        (r#"{"resultType":"scalar","result":[1,"2"]}"#, 0),
        ("", 7),
        ("{", 7),
        ("<html>down</html>", 7),
    ] {
        platform.set_switch(|switches| switches.rest.measured = Some(text.to_owned()));
        let done = home.program(["top", "-o", "json", "shop"]).end().await;
        let done = done.expect(code);
        for row in done.json() {
            assert_eq!(row["cpu"]["value"], Value::Null, "{text}: {row}");
        }
        assert_eq!(done.err.is_empty(), code == 0, "{text}: {}", done.err);
    }
    // A refusal in Prometheus' own words.
    let refusal = r#"{"status":"error","errorType":"bad_data","error":"no such thing"}"#;
    let server = platform.region_url("");
    let server = server.strip_suffix("/v2").unwrap_or(&server);
    let add = [
        "context", "add", "region", "--api", "region", "--server", server,
    ];
    home.program(add).end().await.expect(0);
    for (text, code, words) in [
        (refusal, 2, "no such thing"),
        ("nonsense", 7, "no JSON"),
        ("{}", 0, ""),
    ] {
        platform.set_switch(|switches| switches.rest.measured = Some(text.to_owned()));
        let done = home.program(["top", "region:shop", "-o", "json"]).end();
        let done = done.await.expect(code);
        assert!(done.err.contains(words), "{text}: {}", done.err);
        let known = done.json().iter().any(|row| row["service_id"] == *service);
        assert_eq!(known, code == 0, "{text}");
    }
}
