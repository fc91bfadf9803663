//! Streams of the platform: history and live lines, events, channels, several targets.

use std::time::Duration;

use bytes::Bytes;
use deckwatch::demo::{Answer, Era, Kind, Platform, Switches};
use rustix::process::Signal;

use crate::program::{
    CID, SERVICE, accepted, docker_url, event_url, messages, of_type, platform, program, unharmed,
};

const OTHER: &str = "ffffffffffffffffffffffffffffffff";

async fn log(platform: &Platform, lines: std::ops::Range<u32>) {
    let lines = lines.map(|n| Bytes::from(format!("line {n}"))).collect();
    platform.inject_logs(SERVICE, CID, lines).await;
}

fn numbered(range: std::ops::Range<u32>) -> Vec<String> {
    range.map(|n| format!("line {n}")).collect()
}

#[tokio::test]
async fn without_follow_the_history_is_printed_and_that_is_all() {
    let platform = platform(Switches::default()).await;
    log(&platform, 0..1200).await;
    let url = docker_url(&platform, SERVICE);
    let cases: [(&[&str], std::ops::Range<u32>); 4] = [
        (&[], 200..1200),
        (&["--tail", "all"], 200..1200),
        (&["--tail", "10"], 1190..1200),
        (&["--tail", "0"], 0..0),
    ];
    let runs = cases.into_iter().map(|(args, want)| {
        let url = url.clone();
        async move {
            let words = ["logs", "-o", "json", &url];
            let done = program(words.iter().chain(args)).end().await.expect(0);
            let rows = done.json();
            assert_eq!(messages(&rows), numbered(want), "{args:?}");
            let lines = of_type(&rows, "line");
            assert!(lines.iter().all(|row| row["replay"] == true));
            assert!(lines.iter().all(|row| row["container"] == CID));
            assert!(lines.iter().all(|row| row["target"] == url.as_str()));
        }
    });
    futures_util::future::join_all(runs).await;
    // An id that nobody logs under: nothing, after a while.
    let done = program(["logs", &docker_url(&platform, OTHER)]).end().await;
    assert_eq!(done.expect(0).text(), "");
    unharmed(platform).await;
}

#[tokio::test]
async fn with_follow_live_lines_come_after_the_history() {
    let platform = platform(Switches::default()).await;
    log(&platform, 0..20).await;
    let url = docker_url(&platform, SERVICE);
    let live = |args: &'static [&'static str], first: u32| {
        let (url, platform) = (url.clone(), &platform);
        async move {
            let words = ["logs", "-f", "-o", "json", &url];
            let mut run = program(words.iter().chain(args)).start();
            run.until_err("live").await;
            accepted(platform, 3).await;
            run.until_lines(usize::try_from(60 - first).unwrap()).await;
            run.signal(Signal::INT);
            let rows = run.end().await.expect(130).json();
            assert_eq!(messages(&rows), numbered(first..60), "{args:?}");
            for row in of_type(&rows, "line") {
                let number: u32 = row["msg"]
                    .as_str()
                    .unwrap()
                    .replace("line ", "")
                    .parse()
                    .unwrap();
                assert_eq!(row["replay"] == true, number < 20, "{row}");
            }
        }
    };
    let feed = async {
        accepted(&platform, 3).await;
        // All three are past their replays.
        tokio::time::sleep(Duration::from_millis(2500)).await;
        log(&platform, 20..60).await;
    };
    tokio::join!(
        live(&[], 0),
        live(&["--tail", "3"], 17),
        live(&["--tail", "0"], 20),
        feed
    );
    unharmed(platform).await;
}

#[tokio::test]
async fn every_age_of_the_server_is_understood() {
    for (era, history) in [
        (Era::One, 512),
        (Era::Two, 128),
        (Era::Three, 128),
        (Era::Four, 600),
    ] {
        let platform = platform(Switches::of(era)).await;
        log(&platform, 0..600).await;
        let url = docker_url(&platform, SERVICE);
        // Old ones send their history as if it were live: no word says when it is over.
        let done = program(["logs", "--no-prefix", &url]).end().await.expect(0);
        assert_eq!(done.lines(), numbered(600 - history..600), "{era:?}");
        unharmed(platform).await;
    }
}

#[tokio::test]
async fn an_events_result_is_the_exit_code() {
    let platform = platform(Switches::default()).await;
    let cases = [
        ("e1", "last", "success", 0),
        ("e2", "last", "", 0),
        ("e3", "last", "failure", 1),
        ("e4", "callback", "failure", 1),
        ("e5", "callback", "timeout", 1),
        ("e6", "callback", "", 1),
        ("e7", "callback", "success", 0),
    ];
    let entry = |id: &str, step: &str, status: &str| {
        format!(
            r#"{{"event_id":"{id}","level":"info","message":"{step} of {id}","status":"{status}","step":"{step}","time":"2026-11-24T10:00:00+08:00"}}"#
        )
    };
    for (id, step, status, _) in cases {
        platform
            .inject_event(id, entry(id, "build", "").as_bytes())
            .await;
        platform
            .inject_event(id, entry(id, step, status).as_bytes())
            .await;
    }
    let runs = cases.iter().map(|(id, step, _, code)| {
        let url = event_url(&platform, id);
        async move {
            for flag in ["-f", "--no-follow"] {
                let done = program(["logs", flag, "-o", "json", &url]).end().await;
                let rows = done.expect(*code).json();
                let want = [format!("build of {id}"), format!("{step} of {id}")];
                assert_eq!(messages(&rows), want, "{id}");
                let end = of_type(&rows, "end");
                let result = if *code == 0 { "success" } else { "failure" };
                assert_eq!(end.first().unwrap()["result"], result, "{id}");
                let stamps = of_type(&rows, "line");
                assert_eq!(stamps.first().unwrap()["ts"], "2026-11-24T02:00:00.000000Z");
            }
        }
    });
    futures_util::future::join_all(runs).await;
    // The same by pubsub, where only the step decides.
    let pubsub = |id: &str| format!("{}#e-{id}", platform.ws_url("/services/x/pubsub"));
    for (id, code) in [("e1", 0), ("e4", 1), ("e7", 1)] {
        program(["logs", "-f", &pubsub(id)])
            .end()
            .await
            .expect(code);
    }
    // A match decides before the event's result does.
    let url = event_url(&platform, "e4");
    program(["logs", "--until-match", "build", &url])
        .end()
        .await
        .expect(0);
    unharmed(platform).await;
}

#[tokio::test]
async fn a_closed_channel_is_asked_for_again() {
    let platform = platform(Switches::default()).await;
    let url = format!("{}#l-{SERVICE}", platform.ws_url("/services/x/pubsub"));
    let mut run = program(["logs", "-f", "-o", "json", &url]).start();
    run.until_err("live").await;
    log(&platform, 0..1).await;
    run.until_out("line 0").await;
    platform.close_bucket(Kind::Docker, SERVICE).await;
    run.until_out("\"leave\"").await;
    // Asked for again, it begins with its history, which was seen.
    log(&platform, 1..2).await;
    run.until_out("line 1\"").await;
    assert_eq!(platform.tally().await.connections, 1, "the socket stays");
    run.signal(Signal::INT);
    let rows = run.end().await.expect(130).json();
    assert_eq!(messages(&rows), ["line 0", "line 1"]);
    unharmed(platform).await;
}

#[tokio::test]
async fn monitor_lists_are_lines_of_json() {
    let platform = platform(Switches::default()).await;
    let list = format!(
        r#"[{{"ServiceID":"{SERVICE}","Port":"80","HostName":"h","MessageType":"http","Key":"/","CumulativeTime":1.5,"AverageTime":1.5,"MaxTime":1.5,"Count":1,"AbnormalCount":0}}]"#
    );
    let direct = format!("{}#{SERVICE}", platform.ws_url("/new_monitor_message"));
    let pubsub = format!("{}#m-{SERVICE}", platform.ws_url("/services/x/pubsub"));
    // The list comes, and is there for whoever comes later.
    for (url, first) in [(direct, true), (pubsub, false)] {
        let mut run = program(["logs", "-f", "--max-lines", "1", "--no-prefix", &url]).start();
        if first {
            run.until_err("live").await;
            platform.inject_monitor(SERVICE, list.as_bytes()).await;
        }
        let done = run.end().await.expect(0);
        let text = done.text();
        let rows: serde_json::Value =
            serde_json::from_str(text.trim_start_matches("monitor ")).unwrap();
        assert_eq!(rows[0]["Key"], "/", "{url}");
    }
    unharmed(platform).await;
}

#[tokio::test]
async fn of_several_targets_the_rest_go_on_when_one_fails() {
    let platform = platform(Switches::default()).await;
    log(&platform, 0..5).await;
    let good = docker_url(&platform, SERVICE);
    let lost = format!("ws://{}/elsewhere/docker_log#a", platform.http_addr());
    let missing = "file:/nonexistent/x.log";
    let done = program(["logs", "--no-prefix", &lost, &good]).end().await;
    let done = done.expect(3);
    assert_eq!(done.lines(), numbered(0..5));
    assert!(done.err.contains("404"), "{}", done.err);
    // A file fails before any server can.
    let done = program(["logs", "--no-prefix", &good, missing]).end().await;
    assert_eq!(done.expect(3).lines(), numbered(0..5));
    // A match decides over a failure.
    let args = ["logs", "--until-match", "line 4", missing, &good];
    program(args).end().await.expect(0);
    // All fail: the run is over.
    let done = program(["logs", "-f", missing, &lost])
        .end()
        .await
        .expect(3);
    assert_eq!(done.err.lines().count(), 2, "{}", done.err);
    unharmed(platform).await;
}

#[tokio::test]
async fn wait_sees_live_lines_only() {
    let platform = platform(Switches::default()).await;
    platform.inject_log(SERVICE, CID, b"ready long ago").await;
    let run = program(["wait", "--match", "ready", &docker_url(&platform, SERVICE)]).start();
    accepted(&platform, 1).await;
    tokio::time::sleep(Duration::from_millis(2500)).await;
    platform.inject_log(SERVICE, CID, b"ready now").await;
    let done = run.end().await.expect(0);
    assert_eq!(
        (done.text().as_str(), done.err.as_str()),
        ("0123456789ab ready now\n", "")
    );
    unharmed(platform).await;
}

#[tokio::test]
async fn reconnect_is_as_often_as_asked_for() {
    let platform = platform(Switches::default()).await;
    platform.set_switch(|switches| switches.answer = Answer::Refuse(503));
    let url = docker_url(&platform, SERVICE);
    // Never connected: one attempt, unless more are asked for.
    for (args, attempts) in [
        (&[][..], 1),
        (&["--reconnect", "auto"], 1),
        (&["--reconnect", "never"], 1),
        (&["--reconnect", "2"], 3),
    ] {
        let before = platform.tally().await.connections;
        let words = ["logs", "-f", &url];
        let done = program(words.iter().chain(args)).end().await.expect(5);
        let made = platform.tally().await.connections - before;
        assert_eq!(made, attempts, "{args:?}: {}", done.err);
    }
    // Lost after a success: for ever, or as asked for.
    for (args, code) in [("never", 6), ("1", 5)] {
        platform.set_switch(|switches| switches.answer = Answer::Upgrade);
        let mut run = program(["logs", "-f", "--reconnect", args, &url]).start();
        run.until_err("live").await;
        platform.set_switch(|switches| switches.answer = Answer::Refuse(503));
        platform.drop_connections();
        run.end().await.expect(code);
    }
    unharmed(platform).await;
}
