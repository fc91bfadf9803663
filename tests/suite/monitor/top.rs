//! `deckwatch top`.

use deckwatch::demo::{Refusal, RetryAfter};
use rustix::process::Signal;
use serde_json::Value;

use super::shop;
use crate::faulty::Home;
use crate::program::{Start, shell};

const BIN: &str = env!("CARGO_BIN_EXE_deckwatch");

/// The columns that can be sorted by, and their members.
const COLUMNS: [(&str, &str); 7] = [
    ("cpu", "cpu"),
    ("memory", "memory"),
    ("response-time", "response_time"),
    ("throughput", "throughput"),
    ("net-in", "net_in"),
    ("net-out", "net_out"),
    ("online", "online"),
];

/// A script in that home.
fn script(home: &Home, script: &str) -> Start {
    let path = home.path();
    shell(script)
        .env("HOME", path)
        .env("XDG_CONFIG_HOME", path.join("config"))
        .env("XDG_STATE_HOME", path.join("state"))
        .env("XDG_DATA_HOME", path.join("data"))
}

async fn rows(home: &Home, args: &[&str]) -> Vec<Value> {
    let args = ["top", "-o", "json"].iter().chain(args);
    home.program(args).end().await.expect(0).json()
}

/// Members of all rows.
fn column<'a>(rows: &'a [Value], member: &str) -> Vec<&'a Value> {
    rows.iter().map(|row| &row[member]).collect()
}

fn aliases(rows: &[Value]) -> Vec<&str> {
    let mut names: Vec<&str> = column(rows, "alias")
        .into_iter()
        .filter_map(Value::as_str)
        .collect();
    names.sort_unstable();
    names
}

#[tokio::test]
async fn every_component_has_a_row_in_text_and_json() {
    let (platform, home) = shop(true, |_| {}).await;
    let done = home.program(["top"]).end().await.expect(0);
    let lines = done.lines();
    for head in ["COMPONENT", "PODS", "CPU", "MEMORY", "RESPONSE", "ONLINE"] {
        assert!(lines[0].contains(head), "{}", lines[0]);
    }
    let find = |name: &str| lines.iter().find(|line| line.starts_with(name)).unwrap();
    let gateway = find("shop/在线商店/网关");
    for word in [" m ", " MiB ", " ms ", "/s ", " KB/s ", "▁"] {
        assert!(gateway.contains(word), "{word:?} in {gateway}");
    }
    // Nothing is deployed there.
    assert_eq!(find("lab/试验田/笔记本").matches('–').count(), 7);
    let rows = rows(&home, &[]).await;
    assert_eq!(rows.len(), lines.len() - 1);
    let id = platform.service_id("gateway").unwrap();
    let row = rows.iter().find(|row| row["alias"] == "gateway").unwrap();
    for (member, want) in [
        ("type", "usage"),
        ("context", "demo"),
        ("team", "shop"),
        ("region", "rainbond"),
        ("app", "在线商店"),
        ("component", "网关"),
        ("service_id", &id),
    ] {
        assert_eq!(row[member], want, "{row}");
    }
    assert_eq!(row["pods"], platform.pods("gateway").len());
    for (_, member) in COLUMNS {
        let cell = &row[member];
        assert!(cell["value"].as_f64().unwrap() > 0.0, "{member}: {cell}");
        let trend = cell["trend"].as_array().unwrap();
        let known = trend.iter().filter(|value| value.is_f64()).count();
        assert!(trend.len() == 21 && known > 15, "{member}: {cell}");
    }
    let time: jiff::Timestamp = row["ts"].as_str().unwrap().parse().unwrap();
    let age = deckwatch::clock::wall().0 - time.as_microsecond();
    assert!(age >= 0, "{row}");
}

#[tokio::test]
async fn rows_are_sorted_by_every_column_both_ways() {
    let (_platform, home) = shop(true, |_| {}).await;
    for (word, member) in COLUMNS {
        for reverse in [false, true] {
            let mut args = vec!["--sort", word];
            if reverse {
                args.push("--reverse");
            }
            let rows = rows(&home, &args).await;
            let cells = column(&rows, member);
            let values: Vec<Option<f64>> =
                cells.iter().map(|cell| cell["value"].as_f64()).collect();
            let known = values.iter().flatten().count();
            assert!(known > 2, "{word}: {values:?}");
            // What has no value comes last, whichever way.
            assert!(values[..known].iter().all(Option::is_some), "{values:?}");
            let ordered =
                values[..known].is_sorted_by(|a, b| if reverse { a <= b } else { a >= b });
            assert!(ordered, "{args:?}: {values:?}");
        }
    }
    let path = |row: &Value| format!("{}/{}/{}", row["team"], row["app"], row["component"]);
    let by_name: Vec<String> = rows(&home, &["--sort", "name"])
        .await
        .iter()
        .map(path)
        .collect();
    assert!(by_name.is_sorted(), "{by_name:?}");
    let mut back: Vec<String> = rows(&home, &["--sort", "name", "--reverse"])
        .await
        .iter()
        .map(path)
        .collect();
    back.reverse();
    assert_eq!(back, by_name);
    let wrong = home.program(["top", "--sort", "heat"]).end().await;
    assert!(wrong.expect(2).err.contains("none of name, cpu"));
}

#[tokio::test]
async fn names_choose_components_each_by_itself() {
    let (_platform, home) = shop(false, |_| {}).await;
    for (names, want) in [
        (&["shop/*/order*"][..], &["order-center"][..]),
        (&["demo:shop/在线商店/支付"], &["payment"]),
        (&["shop/*/pay*", "shop/*/search"], &["payment", "search"]),
        // One name opens nothing for another.
        (&["shop/*/payment", "lab"], &["notebook", "payment"]),
        (
            &["商城/在线商店"],
            &["gateway", "inventory", "order-center", "payment"],
        ),
    ] {
        let rows = rows(&home, names).await;
        assert_eq!(aliases(&rows), want, "{names:?}");
    }
    for (names, missing) in [
        (&["shop/x/*"][..], "shop/x/*"),
        // Beside one that there is, too.
        (&["shop/*/payment", "nobody"], "nobody"),
    ] {
        let done = home
            .program(["top"].iter().chain(names))
            .end()
            .await
            .expect(3);
        let want = format!("{missing}: nothing has such a name");
        assert!(done.err.contains(&want), "{}", done.err);
        assert_eq!(done.text(), "");
    }
    let done = home.program(["top", "other:shop"]).end().await.expect(3);
    assert!(done.err.contains("the context other"), "{}", done.err);
}

#[tokio::test]
async fn it_looks_again_and_again_and_a_bad_moment_is_told() {
    let (platform, home) = shop(false, |_| {}).await;
    let watch = ["top", "--watch=1s", "--count", "2", "shop/*/payment"];
    let done = home.program(watch).end().await.expect(0);
    let text = done.text();
    let tables: Vec<&str> = text.split("\n\n").collect();
    assert_eq!(tables.len(), 2, "{text}");
    assert!(tables.iter().all(|table| table.contains("支付")), "{text}");
    let watch = [&watch[..], &["-o", "json"]].concat();
    let rows = home.program(watch).end().await.expect(0).json();
    assert_eq!(aliases(&rows), ["payment", "payment"]);
    assert_ne!(rows[0]["ts"], rows[1]["ts"]);
    // What fails later is waited for.
    let watch = ["top", "--watch=1s", "-o", "json", "shop/*/payment"];
    let mut run = home.program(watch).start();
    run.until_lines(1).await;
    platform.set_switch(|switches| {
        switches.rest.refuse = Some(Refusal {
            status: 503,
            retry_after: Some(RetryAfter::Seconds(1)),
        });
    });
    run.until_err("503").await;
    platform.set_switch(|switches| switches.rest.refuse = None);
    let seen = run.so_far().lines().count();
    run.until_lines(seen + 1).await;
    run.signal(Signal::INT);
    run.end().await.expect(130);
}

#[tokio::test]
async fn signals_and_readers_that_leave_end_it_in_silence() {
    let (_platform, home) = shop(false, |_| {}).await;
    for (signal, code) in [(Signal::INT, 130), (Signal::TERM, 143), (Signal::HUP, 129)] {
        let mut run = home.program(["top", "--watch=10m"]).start();
        run.until_out("支付").await;
        run.signal(signal);
        run.end().await.expect(code);
    }
    for flags in ["", "-o json", "--watch=100ms", "--watch=100ms -o json"] {
        let text = format!("{{ '{BIN}' top {flags}; echo \"code $?\" >&2; }} | head -1");
        let done = script(&home, &text).end().await.expect(0);
        assert_eq!(done.lines().len(), 1, "{flags}");
        assert!(done.err.ends_with("code 0\n"), "{flags}: {}", done.err);
        assert!(!done.err.contains("pipe"), "{flags}: {}", done.err);
    }
}

#[tokio::test]
async fn what_stands_in_the_way_has_its_code() {
    let (platform, home) = shop(false, |_| {}).await;
    platform.revoke_tokens();
    let told = home.program(["top"]).end().await.expect(4).err;
    assert!(told.contains("login"), "the next step: {told}");
    drop(platform);
    let told = home.program(["top"]).end().await.expect(5).err;
    assert!(told.contains("refused"), "{told}");
    let told = Home::new().program(["top"]).end().await;
    assert_ne!(told.code, Some(0), "without a context: {told:?}");
}
