//! Streams of logs and events, byte for byte.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "test helper")]

use std::time::Duration;

use bytes::Bytes;
use deckwatch::demo::{Fate, Origin, Platform, Switches};
use tokio::time::{sleep, timeout};

use super::web::{connect, platform};
use crate::raw_client::text;

const HEAD: &str =
    "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nCache-Control: no-cache\r\n";

/// The gateway's first pod, which has two containers, and the ids of these.
fn gateway(platform: &Platform) -> (String, String, String) {
    let pod = platform.pods("gateway")[0].clone();
    let id = |name| platform.container_id(&pod, Some(name)).unwrap();
    let (main, mesh) = (id("gateway"), id("mesh"));
    (pod, main, mesh)
}

fn region(pod: &str, query: &str) -> String {
    format!("/p/v2/tenants/shop/services/gateway/pods/{pod}/logs?{query}")
}

async fn log(platform: &Platform, container: &str, lines: &[&[u8]]) {
    let service = platform.service_id("gateway").unwrap();
    let lines = lines
        .iter()
        .map(|line| Bytes::copy_from_slice(line))
        .collect();
    platform.inject_logs(&service, container, lines).await;
}

fn event(prefix: &str, number: u32, line: &str) -> String {
    later("01:58:48.123456", prefix, number, line)
}

/// The same at another time: whoever looks for chunks waits 50 ms for the last.
fn later(time: &str, prefix: &str, number: u32, line: &str) -> String {
    format!("data: {prefix}2026-11-24T{time}{number:03}Z {line}\n\n")
}

#[tokio::test(start_paused = true)]
async fn a_pods_lines_are_stamped_events_with_the_containers_name_where_there_are_several() {
    let platform = platform(Switches::default()).await;
    let (pod, main, mesh) = gateway(&platform);
    // A node keeps empty lines, which the collector drops; bytes that are no text are replaced.
    log(&platform, &main, &[b"first", b"", "中\r文".as_bytes()]).await;
    log(&platform, &main, &[b"bad \xff\xfe end"]).await;
    log(&platform, &mesh, &[b"side", b"two\nlines\n"]).await;
    let both = [
        event("[gateway] ", 1, "first"),
        event("[gateway] ", 2, ""),
        event("[gateway] ", 3, "中\r文"),
        event("[gateway] ", 4, "bad \u{fffd}\u{fffd} end"),
        event("[mesh] ", 5, "side"),
        event("[mesh] ", 6, "two"),
        event("[mesh] ", 6, "lines"),
    ];
    let mut web = connect(&platform).await;
    let head = web.open(&region(&pod, "")).await;
    assert_eq!(head, format!("{HEAD}Transfer-Encoding: chunked\r\n\r\n"));
    assert_eq!(web.chunks().await, both);
    log(&platform, &main, &[b"live"]).await;
    assert_eq!(
        web.chunks().await,
        [later("01:58:48.173456", "[gateway] ", 7, "live")]
    );
    // One container, its last two lines, and the end; the connection goes on.
    let mut web = connect(&platform).await;
    for _ in 0..2 {
        web.open(&region(&pod, "container=gateway&lines=2&follow=false"))
            .await;
        let want = [
            event("", 4, "bad \u{fffd}\u{fffd} end"),
            later("01:58:48.173456", "", 7, "live"),
            "<end>".into(),
        ];
        assert_eq!(web.chunks().await, want);
    }
    // Several without following: all of it, and no end (protocols.md 3.2).
    web.open(&region(&pod, "lines=1&follow=false")).await;
    assert_eq!(
        web.chunks().await,
        [
            event("[mesh] ", 6, "two"),
            event("[mesh] ", 6, "lines"),
            later("01:58:48.173456", "[gateway] ", 7, "live")
        ]
    );
    assert!(
        timeout(Duration::from_secs(3599), web.chunk())
            .await
            .is_err()
    );
}

#[tokio::test(start_paused = true)]
async fn the_console_hands_the_same_on_and_the_collector_has_the_same_lines() {
    let platform = platform(Switches::default()).await;
    let (pod, main, _) = gateway(&platform);
    let mut web = connect(&platform).await;
    let path = format!(
        "/p/console/sse/v2/tenants/shop/services/gateway/pods/{pod}/logs?region_name=rainbond&lines=100&container=gateway"
    );
    let head = web.open(&path).await;
    assert_eq!(
        head,
        format!("{HEAD}Content-Encoding: identity\r\nTransfer-Encoding: chunked\r\n\r\n")
    );
    let mut docker = super::stage::open(&platform, "/docker_log").await;
    docker
        .say(&format!(
            "topic={}",
            platform.service_id("gateway").unwrap()
        ))
        .await;
    assert_eq!(docker.next().await, text("ok"));
    log(&platform, &main, &[b"GET / 200"]).await;
    assert_eq!(docker.next().await, text(format!("{main}:GET / 200")));
    assert_eq!(web.chunks().await, [event("", 1, "GET / 200")]);
    let truth = platform.truth().await;
    let streamed = truth
        .iter()
        .find(|one| one.payload == "2026-11-24T01:58:48.123456001Z GET / 200")
        .unwrap();
    assert_eq!(
        (streamed.number, streamed.origin, streamed.fate),
        (1, Origin::Live, Fate::Sent)
    );
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_streamed_is_plain_text() {
    let platform = platform(Switches::default()).await;
    let (pod, ..) = gateway(&platform);
    let mut web = connect(&platform).await;
    for (path, status) in [
        (region("nothing", ""), 404),
        (region(&pod, "follow=perhaps"), 400),
        (region(&pod, "lines=many"), 400),
        (region(&pod, "container=nothing"), 500),
        (region(&pod, "previous=true"), 500),
        ("/p/v2/events/%20/stream".to_owned(), 400),
        (
            "/p/v2/tenants/lab/services/gateway/pods/x/logs".to_owned(),
            404,
        ),
    ] {
        let answer = web.get(&path).await;
        assert_eq!(answer.status, status, "{path}: {}", answer.body);
    }
    let answer = web.get(&region("nothing", "")).await;
    assert_eq!(
        answer.header("content-type"),
        Some("text/plain; charset=utf-8")
    );
}

#[tokio::test(start_paused = true)]
async fn one_containers_log_as_text() {
    let platform = platform(Switches::default()).await;
    let (pod, main, mesh) = gateway(&platform);
    log(&platform, &main, &[b"one", b"two"]).await;
    log(&platform, &mesh, &[b"side"]).await;
    let mut web = super::web::logged_in(&platform).await;
    let path = format!("/p/console/teams/shop/apps/gateway/logs?pod_name={pod}&container_name=");
    let head = web.open(&format!("{path}&follow=true")).await;
    assert!(head.contains("Content-Type: text/plain\r\n"), "{head}");
    assert_eq!(web.chunks().await, ["one\n", "two\n"]);
    log(&platform, &main, &[b"three"]).await;
    assert_eq!(web.chunks().await, ["three\n"]);
    let path = format!("/p/v2/tenants/shop/services/gateway/log?podName={pod}&containerName=mesh");
    let mut web = connect(&platform).await;
    web.open(&path).await;
    assert_eq!(web.chunks().await, ["side\n", "<end>"]);
}

#[tokio::test(start_paused = true)]
async fn a_stream_ends_after_an_hour_or_after_so_many_lines_or_within_a_character() {
    let platform = platform(Switches::default()).await;
    let (pod, main, _) = gateway(&platform);
    let path = region(&pod, "container=gateway");
    let mut web = connect(&platform).await;
    web.open(&path).await;
    sleep(Duration::from_secs(3599)).await;
    assert_eq!(web.chunks().await, [""; 0]);
    sleep(Duration::from_secs(1)).await;
    assert_eq!(web.chunks().await, ["<end>"]);

    let time = "02:58:48.173456";
    platform.set_switch(|switches| switches.rest.stream_end_after = Some(2));
    log(&platform, &main, &[b"a1", b"a2", b"a3"]).await;
    web.open(&path).await;
    assert_eq!(
        web.chunks().await,
        [
            later(time, "", 1, "a1"),
            later(time, "", 2, "a2"),
            "<end>".into()
        ]
    );

    platform.set_switch(|switches| {
        switches.rest.stream_end_after = None;
        switches.rest.cut_in_character = Some(3);
    });
    web.open(&path).await;
    assert_eq!(web.chunks().await.len(), 3);
    log(&platform, &main, &[b"plain", "支付".as_bytes(), b"after"]).await;
    let plain = later("02:58:48.223456", "", 4, "plain");
    assert_eq!(web.chunk().await.unwrap(), plain.into_bytes());
    let torn = web.chunk().await.unwrap();
    assert_eq!(torn, b"data: 2026-11-24T02:58:48.223456005Z \xe6");
    assert_eq!(web.chunk().await, None);
}

#[tokio::test(start_paused = true)]
async fn a_restart_ends_streams_and_a_flood_loses_nothing() {
    let platform = platform(Switches::default()).await;
    let (pod, main, _) = gateway(&platform);
    let mut web = connect(&platform).await;
    web.open(&region(&pod, "container=gateway")).await;
    let lines: Vec<_> = (0..4000)
        .map(|n| Bytes::from(format!("line {n:04} {}", "x".repeat(500))))
        .collect();
    let service = platform.service_id("gateway").unwrap();
    platform.inject_logs(&service, &main, lines).await;
    for n in 0..4000 {
        let chunk = String::from_utf8(web.chunk().await.unwrap()).unwrap();
        assert!(chunk.contains(&format!(" line {n:04} ")), "{n}: {chunk}");
    }
    platform.drop_connections();
    assert_eq!(web.chunks().await, ["<cut>"]);
}

fn entry(id: &str, step: &str, message: &str) -> String {
    format!(
        r#"{{"event_id":"{id}","message":"{message}","time":"2026-11-24T09:58:48+08:00","level":"info","step":"{step}","status":"","more":1}}"#
    )
}

fn told(id: &str, step: &str, message: &str) -> String {
    format!(
        "data: {{\"event_id\":\"{id}\",\"step\":\"{step}\",\"status\":\"\",\"message\":\"{message}\",\"level\":\"info\",\"time\":\"2026-11-24T09:58:48+08:00\"}}\n\n"
    )
}

const CONNECTED: &str = ": connected\n\n";
const COMPLETE: &str = "event: replay-complete\ndata: {}\n\n";

#[tokio::test(start_paused = true)]
async fn an_event_is_its_history_a_mark_and_what_comes() {
    let platform = platform(Switches::default()).await;
    let say = async |step: &str, message: &str| {
        platform
            .inject_event("e1", entry("e1", step, message).as_bytes())
            .await;
    };
    say("build-code", "one").await;
    say("progress", "two").await;
    let mut web = connect(&platform).await;
    let head = web
        .open("/p/console/sse/v2/events/e1/stream?region_name=rainbond")
        .await;
    assert_eq!(
        head,
        format!(
            "{HEAD}X-Accel-Buffering: no\r\nContent-Encoding: identity\r\nTransfer-Encoding: chunked\r\n\r\n"
        )
    );
    let past = [
        CONNECTED.to_owned(),
        told("e1", "build-code", "one"),
        told("e1", "progress", "two"),
        COMPLETE.to_owned(),
    ];
    assert_eq!(web.chunks().await, past);
    say("push-image", "three").await;
    assert_eq!(web.chunks().await, [told("e1", "push-image", "three")]);
    sleep(Duration::from_secs(41)).await;
    assert_eq!(web.chunks().await, [": ping\n\n", ": ping\n\n"]);
    say("last", "done").await;
    let end = told("e1", "last", "done");
    assert_eq!(web.chunks().await, [end.clone(), "<end>".into()]);
    // Once more from the past: it ends behind the mark.
    web.open("/p/v2/events/e1/stream").await;
    let seen = web.chunks().await;
    assert_eq!(seen.len(), 7, "{seen:?}");
    assert_eq!(seen[4..], [end, COMPLETE.into(), "<end>".into()]);
    // An event that nobody has heard of stays open.
    web.open("/p/v2/events/unknown/stream").await;
    assert_eq!(web.chunks().await, [CONNECTED, COMPLETE]);
}
