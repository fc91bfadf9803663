//! Alerts in follow mode: rates of lines, and what is measured.

use std::time::Duration;

use bytes::Bytes;
use deckwatch::demo::{Platform, Switches};
use rustix::process::Signal;
use tokio::time::sleep;

use super::shop;
use crate::program::{CID, SERVICE, docker_url, of_type, platform, program, unharmed};

/// More errors than one a second in any ten seconds.
async fn fail(platform: &Platform) {
    let lines = vec![Bytes::from_static(b"ERROR refused"); 30];
    platform.inject_logs(SERVICE, CID, lines).await;
}

#[tokio::test]
async fn errors_that_come_fast_are_told_and_that_they_are_over() {
    let platform = platform(Switches::default()).await;
    let url = docker_url(&platform, SERVICE);
    // A history is not now.
    fail(&platform).await;
    let follow = ["logs", "-f", "--alert", "rate(error) > 1", &url];
    let mut json = program(follow.iter().chain(&["-o", "json"])).start();
    let mut text = program(follow).start();
    let mut quiet = program(follow.iter().chain(&["-q"])).start();
    for run in [&mut json, &mut text, &mut quiet] {
        run.until_out("ERROR refused").await;
    }
    json.until_err("live").await;
    text.until_err("live").await;
    assert!(!json.so_far().contains("\"alert\""), "{}", json.so_far());
    platform.inject_log(SERVICE, CID, b"begin").await;
    for run in [&mut json, &mut text, &mut quiet] {
        run.until_out("begin").await;
    }
    // They go on until it was seen.
    let failing = async {
        loop {
            fail(&platform).await;
            sleep(Duration::from_millis(200)).await;
        }
    };
    let told = async {
        json.until_out("\"type\":\"alert\"").await;
        text.until_err("alert rate(error) > 1 (").await;
    };
    tokio::select! {
        () = told => {}
        () = failing => {}
    }
    // Nothing comes any more.
    json.until_count("\"type\":\"alert\"", 2).await;
    text.until_err("rate(error) > 1 is over").await;
    quiet.until_err("rate(error) > 1 is over").await;
    for run in [&json, &text, &quiet] {
        run.signal(Signal::INT);
    }
    let rows = json.end().await.expect(130).json();
    let alerts = of_type(&rows, "alert");
    let states: Vec<_> = alerts.iter().map(|row| row["state"].as_str()).collect();
    assert_eq!(states, [Some("on"), Some("off")]);
    for alert in alerts {
        assert_eq!(alert["name"], "rate(error) > 1");
        assert_eq!(alert["target"], *url);
        assert!(alert["recv"].is_string(), "{alert}");
        let value = alert["value"].as_str().unwrap();
        assert!(value.ends_with(" lines/s"), "{alert}");
    }
    let text = text.end().await.expect(130);
    assert!(
        !text.text().contains("rate(error)"),
        "data alone goes there"
    );
    let quiet = quiet.end().await.expect(130);
    // Quiet is about connections; what was asked for is told.
    assert_eq!(quiet.err.lines().count(), 2, "{}", quiet.err);
    assert!(
        quiet.err.contains("alert rate(error) > 1 ("),
        "{}",
        quiet.err
    );
    assert!(!quiet.text().contains("rate(error)"), "{}", quiet.text());
    unharmed(platform).await;
}

/// Follows a component with an alert over what is measured of it.
fn watching(alert: &str) -> [&str; 7] {
    [
        "logs",
        "-f",
        "-o",
        "json",
        "--alert",
        alert,
        "shop/*/payment",
    ]
}

#[tokio::test]
async fn what_is_measured_is_watched_by_configuration_and_by_flag() {
    let (_platform, home) = shop(true, |_| {}).await;
    let folder = home.path().join("config/deckwatch");
    std::fs::create_dir_all(&folder).unwrap();
    let config = "[[alerts]]\nname = \"busy\"\nwhen = \"cpu > 1\"\n\
        [[alerts]]\nname = \"of another\"\nwhen = \"cpu > 1\"\ncomponent = \"gateway\"\n\
        [[alerts]]\nname = \"never\"\nwhen = \"cpu > 1e9\"\n\
        [[charts]]\ntitle = \"twice\"\nquery = \"2 * sum(container_memory_rss{namespace='{namespace}'})\"\nunit = \"m\"\n\
        [[alerts]]\nname = \"by chart\"\nwhen = \"chart(twice) > 1\"\n";
    std::fs::write(folder.join("config.toml"), config).unwrap();
    let mut run = home.program(watching("memory > 1")).start();
    run.until_count("\"type\":\"alert\"", 3).await;
    run.signal(Signal::INT);
    let rows = run.end().await.expect(130).json();
    let alerts = of_type(&rows, "alert");
    let mut names: Vec<&str> = alerts
        .iter()
        .filter_map(|row| row["name"].as_str())
        .collect();
    names.sort_unstable();
    assert_eq!(names, ["busy", "by chart", "memory > 1"]);
    for alert in &alerts {
        assert_eq!(alert["state"], "on", "{alert}");
        assert!(!alert["value"].as_str().unwrap().is_empty(), "{alert}");
    }
    let unit = |name: &str| {
        let found = alerts.iter().find(|row| row["name"] == name);
        found.and_then(|row| row["value"].as_str()?.split(' ').nth(1))
    };
    assert_eq!(unit("busy"), Some("m"));
    // Of what is stored nothing is told.
    let done = home.program(["logs", "-o", "json", "shop/*/payment"]).end();
    let rows = done.await.expect(0).json();
    assert!(of_type(&rows, "alert").is_empty());
}

#[tokio::test]
async fn a_platform_that_does_not_measure_is_no_end_of_the_lines() {
    let (platform, home) = shop(false, |rest| rest.measured = Some("nonsense".into())).await;
    let mut run = home.program(watching("cpu > 1")).start();
    let asked = |all: &[deckwatch::demo::RequestRecord]| {
        all.iter()
            .any(|one| one.path.contains("/monitor/query_range"))
    };
    platform.requests_until(asked).await;
    run.until_count("\"type\":\"join\"", 2).await;
    let service = platform.service_id("payment").unwrap();
    let container = platform.container_id(&platform.pods("payment")[0], None);
    let container = container.unwrap();
    platform
        .inject_log(&service, &container, b"still here")
        .await;
    run.until_out("still here").await;
    run.signal(Signal::INT);
    let rows = run.end().await.expect(130).json();
    assert!(of_type(&rows, "alert").is_empty());
}

#[tokio::test]
async fn an_expression_that_is_none_is_told_in_a_sentence() {
    for (expression, words) in [
        ("cpu", "is no expression; write one like"),
        ("cpu > five", "is no expression; write one like"),
        ("heat > 5", "\"heat\" can't be watched: write"),
        ("rate(loud) > 5", "\"loud\" is no level: write"),
        // Nobody would ever hear of these.
        (
            "chart(heap) > 5",
            "no chart has the title \"heap\"; give it",
        ),
        ("cpu > 5", "no target is a component of a platform"),
    ] {
        let done = program(["logs", "-f", "--alert", expression, "-"])
            .end()
            .await;
        let done = done.expect(2);
        assert!(done.err.contains(words), "{expression}: {}", done.err);
        assert_eq!(done.text(), "");
    }
    let (_platform, home) = shop(false, |_| {}).await;
    let folder = home.path().join("config/deckwatch");
    std::fs::create_dir_all(&folder).unwrap();
    let file = folder.join("config.toml");
    std::fs::write(&file, "\n[[alerts]]\nwhen = \"heat > 5\"\n").unwrap();
    let done = home.program(["logs", "shop/*/payment"]).end().await;
    let done = done.expect(2);
    let place = format!("{}:3", file.display());
    assert!(done.err.contains(&place), "{}", done.err);
    assert!(done.err.contains("can't be watched"), "{}", done.err);
}
