//! Rules of the real server that its recordings don't show, over in-process connections and in
//! virtual time.

use std::time::Duration;

use bytes::Bytes;
use deckwatch::clock;
use deckwatch::demo::{Fate, Kind, Origin, Switches};
use tokio::time::timeout;

use super::stage::{CID, QUIET, SERVICE, docker, live, log, open, platform, stored};
use crate::raw_client::{CLOSE, PING, PONG, RawClient, Seen, TEXT, request, text};

#[tokio::test(start_paused = true)]
async fn history_is_the_last_thousand_lines() {
    let platform = platform(Switches::default()).await;
    log(&platform, 0..1500).await;
    let seen = docker(&platform).await.until_quiet(QUIET).await;
    assert_eq!(seen, (500..1500).map(stored).collect::<Vec<_>>());
}

#[tokio::test(start_paused = true)]
async fn a_line_between_registration_and_reading_comes_twice() {
    let delay = Duration::from_millis(100);
    let platform = platform(Switches {
        history_delay: delay,
        ..Switches::default()
    })
    .await;
    log(&platform, 0..1).await;
    let mut client = docker(&platform).await;
    log(&platform, 1..2).await;
    assert_eq!(
        client.until_quiet(QUIET).await,
        [live(1), stored(0), stored(1)]
    );
}

#[tokio::test(start_paused = true)]
async fn live_lines_come_between_those_of_a_slow_history() {
    let pace = Duration::from_millis(10);
    let platform = platform(Switches {
        history_pace: pace,
        ..Switches::default()
    })
    .await;
    log(&platform, 0..3).await;
    let mut client = docker(&platform).await;
    assert_eq!(client.next().await, stored(0));
    log(&platform, 3..4).await;
    assert_eq!(
        client.until_quiet(QUIET).await,
        [live(3), stored(1), stored(2)]
    );
}

#[tokio::test(start_paused = true)]
async fn a_full_queue_loses_lines_and_the_truth_knows_which() {
    let platform = platform(Switches::default()).await;
    let mut client = docker(&platform).await;
    // The pipe holds 256 KiB, the queue 100 lines: most of these have no place.
    let lines: Vec<_> = (0..2000)
        .map(|n| Bytes::from(format!("{n:04} {}", "x".repeat(1000))))
        .collect();
    platform.inject_logs(SERVICE, CID, lines.clone()).await;
    let seen = client.until_quiet(QUIET).await;
    let truth = platform.truth().await;
    let of = |fate| {
        truth
            .iter()
            .filter(move |record| {
                record.fate == fate
                    && record.origin == Origin::Live
                    && record.kind == Some(Kind::Docker)
            })
            .map(|record| record.payload.clone())
            .collect::<Vec<_>>()
    };
    let (sent, dropped) = (of(Fate::Sent), of(Fate::Dropped));
    assert_eq!(
        seen,
        sent.iter()
            .map(|payload| text(payload.to_vec()))
            .collect::<Vec<_>>()
    );
    assert!(dropped.len() > 1000, "{} lost", dropped.len());
    assert_eq!(platform.tally().await.dropped, dropped.len() as u64);
    let mut all: Vec<_> = sent.into_iter().chain(dropped).collect();
    all.sort();
    let want: Vec<_> = lines
        .iter()
        .map(|line| Bytes::from([b"0123456789ab:", &line[..]].concat()))
        .collect();
    assert_eq!(all, want);
}

#[tokio::test(start_paused = true)]
async fn a_history_that_waits_five_seconds_is_given_up() {
    let platform = platform(Switches::default()).await;
    let lines = (0..1000).map(|n| Bytes::from(format!("{n:04} {}", "x".repeat(1000))));
    platform.inject_logs(SERVICE, CID, lines.collect()).await;
    let mut client = docker(&platform).await;
    // The pipe and the queue are full long before; the write deadline of 10 s has not come.
    tokio::time::sleep(Duration::from_secs(6)).await;
    let seen = client.until_quiet(QUIET).await;
    assert!(
        (200..900).contains(&seen.len()),
        "{} of 1000 came",
        seen.len()
    );
    log(&platform, 0..1).await;
    assert_eq!(client.next_content().await, live(0));
}

#[tokio::test(start_paused = true)]
async fn a_client_that_takes_nothing_for_ten_seconds_is_left() {
    let platform = platform(Switches::default()).await;
    let lines = (0..1000).map(|n| Bytes::from(format!("{n:04} {}", "x".repeat(1000))));
    platform.inject_logs(SERVICE, CID, lines.collect()).await;
    let mut client = docker(&platform).await;
    tokio::time::sleep(Duration::from_secs(11)).await;
    let seen = client.until_quiet(QUIET).await;
    assert!(
        matches!(seen.last(), Some(Seen::End | Seen::Torn(_))),
        "{:?}",
        seen.last()
    );
}

#[tokio::test(start_paused = true)]
async fn stored_rows_can_be_fetched() {
    let platform = platform(Switches::default()).await;
    log(&platform, 0..3000).await;
    for (query, first, count) in [
        ("", 2900, 100),
        ("?rows=2", 2998, 2),
        ("?rows=2000", 1000, 2000),
    ] {
        let mut client = RawClient::new(platform.connect_memory().await);
        let request = format!("GET /p/tenants/t/services/{SERVICE}/logs{query} HTTP/1.1\r\n\r\n");
        client.write(request.as_bytes()).await;
        client.head().await;
        let body: serde_json::Value = serde_json::from_slice(&client.rest().await).unwrap();
        let rows = body["list"].as_array().unwrap();
        assert_eq!(rows.len(), count);
        assert_eq!(rows[0], format!("{CID}:line {first}"));
    }
}

#[tokio::test(start_paused = true)]
async fn monitors_queue_ten_lists() {
    let platform = platform(Switches::default()).await;
    let mut client = open(&platform, "/new_monitor_message").await;
    client.say(&format!("x={SERVICE}")).await;
    assert_eq!(client.next().await, text("ok"));
    for n in 0..500 {
        let key = format!("{n}{}", "k".repeat(3000));
        let list = serde_json::json!([{"ServiceID": SERVICE, "HostName": "h", "Key": key}]);
        platform
            .inject_monitor(SERVICE, list.to_string().as_bytes())
            .await;
    }
    let seen = client.until_quiet(QUIET).await.len() as u64;
    assert_eq!(seen + platform.tally().await.dropped, 500);
    assert!(
        seen < 200,
        "{seen} lists in a pipe of 256 KiB and a queue of ten"
    );
}

#[tokio::test(start_paused = true)]
async fn without_a_pong_it_ends_at_sixty_seconds() {
    // What the client does with pings, whether pongs are heeded, when it ends; pings at 48 s.
    for (answers, heed_pongs, ends) in [
        (false, true, Some(60)),
        (true, false, Some(60)),
        (true, true, None),
    ] {
        let platform = platform(Switches {
            heed_pongs,
            ..Switches::default()
        })
        .await;
        let mut client = docker(&platform).await;
        let start = clock::now();
        let mut pings = Vec::new();
        let end = timeout(Duration::from_secs(200), async {
            loop {
                match client.next().await {
                    Seen::Frame { op: PING, .. } => pings.push(start.elapsed().as_secs()),
                    other => return (other, start.elapsed().as_secs()),
                }
                if answers {
                    client.send(PONG, b"").await;
                }
                // Neither text nor the client's own pings extend anything.
                client.say("still here").await;
                client.send(PING, b"").await;
                assert!(matches!(client.next().await, Seen::Frame { op: PONG, .. }));
            }
        })
        .await;
        assert_eq!(end.ok(), ends.map(|seconds| (Seen::End, seconds)));
        let want: &[u64] = if ends.is_some() {
            &[48]
        } else {
            &[48, 96, 144, 192]
        };
        assert_eq!(pings, want);
    }
}

#[tokio::test(start_paused = true)]
async fn five_hundred_and_twelve_bytes_are_the_limit() {
    let platform = platform(Switches::default()).await;
    let mut client = docker(&platform).await;
    client.send(TEXT, &[b'x'; 512]).await;
    assert!(
        timeout(QUIET, client.next()).await.is_err(),
        "512 bytes are read and thrown away"
    );
    client.send(TEXT, &[b'x'; 513]).await;
    let close = Seen::Frame {
        fin: true,
        op: CLOSE,
        payload: 1009_u16.to_be_bytes().to_vec(),
    };
    assert_eq!(client.next().await, close);
    assert_eq!(client.next().await, Seen::End);
    // The first message and pubsub have none.
    let mut client = open(&platform, "/docker_log").await;
    client.say(&format!("topic={}", "i".repeat(5000))).await;
    assert_eq!(client.next().await, text("ok"));
    let mut pubsub = open(&platform, "/services/x/pubsub").await;
    pubsub.say(&format!("{:5000}{{", "")).await;
    assert_eq!(
        pubsub.next_content().await,
        text("{\"event\":\"error\",\"data\":\"Invalid message\"}")
    );
}

#[tokio::test(start_paused = true)]
async fn data_that_is_no_object_kills_the_platform() {
    for message in [
        r#"{"event":"pusher:subscribe","data":"l-x"}"#,
        r#"{"event":"pusher:subscribe","data":5}"#,
        r#"{"event":"pusher:subscribe","data":["l-x"]}"#,
        r#"{"event":"cancel:subscribe","data":null}"#,
        r#"{"event":"cancel:subscribe"}"#,
    ] {
        let platform = platform(Switches::default()).await;
        let mut other = docker(&platform).await;
        let mut pubsub = open(&platform, "/services/x/pubsub").await;
        pubsub.say(message).await;
        assert_eq!(pubsub.next_content().await, Seen::End, "{message}");
        assert_eq!(other.next().await, Seen::End);
        assert_eq!(platform.tally().await.panics, 1);
    }
}

#[tokio::test(start_paused = true)]
async fn harmless_oddities_get_an_error_or_nothing() {
    let platform = platform(Switches::default()).await;
    let error = text("{\"event\":\"error\",\"data\":\"Invalid message\"}");
    for (message, answered) in [
        ("[]", true),
        ("\"x\"", true),
        ("5", true),
        ("", true),
        ("null", false),
        ("{}", false),
        (r#"{"event":5}"#, true),
        (r#"{"event":"pusher:ping"}"#, false),
    ] {
        let mut pubsub = open(&platform, "/services/x/pubsub").await;
        pubsub.say(message).await;
        let seen = pubsub.until_quiet(Duration::from_secs(5)).await;
        assert_eq!(
            seen,
            if answered {
                vec![error.clone()]
            } else {
                Vec::new()
            },
            "{message}"
        );
    }
    assert_eq!(platform.tally().await.panics, 0);
}

#[tokio::test(start_paused = true)]
async fn leaving_in_a_replay_is_counted() {
    // How it leaves, and whether the replay is over.
    for (by_close, wait, counted) in [
        (true, false, 1),
        (false, false, 1),
        (true, true, 0),
        (false, true, 0),
    ] {
        let pace = Duration::from_millis(10);
        let platform = platform(Switches {
            history_pace: pace,
            ..Switches::default()
        })
        .await;
        log(&platform, 0..5).await;
        let mut client = docker(&platform).await;
        assert_eq!(client.next().await, stored(0));
        if wait {
            client.until_quiet(QUIET).await;
        }
        if by_close {
            client.send(CLOSE, &1000_u16.to_be_bytes()).await;
            client.until_quiet(QUIET).await;
        }
        drop(client);
        tokio::time::sleep(QUIET).await;
        assert_eq!(platform.tally().await.left_in_replay, counted);
    }
}

#[tokio::test(start_paused = true)]
async fn the_platforms_own_ends_are_not_the_clients_fault() {
    let pace = Duration::from_millis(10);
    let platform = platform(Switches {
        history_pace: pace,
        ..Switches::default()
    })
    .await;
    log(&platform, 0..5).await;
    let mut client = docker(&platform).await;
    assert_eq!(client.next().await, stored(0));
    platform.drop_connections();
    assert_eq!(client.next().await, Seen::End);
    tokio::time::sleep(QUIET).await;
    assert_eq!(platform.tally().await.left_in_replay, 0);
}

#[tokio::test(start_paused = true)]
async fn nothing_is_found_outside_of_the_prefix() {
    let platform = platform(Switches::default()).await;
    for path in [
        "/docker_log",
        "/q/docker_log",
        "/p/nosuch",
        "/p/services/a/b/pubsub",
        "/p",
    ] {
        let mut client = RawClient::new(platform.connect_memory().await);
        client.write(request(path).as_bytes()).await;
        let answer = client.rest().await;
        assert!(answer.starts_with(b"HTTP/1.1 404 "), "{path}");
    }
}

#[tokio::test(start_paused = true)]
async fn mpush_has_neither_ok_nor_history() {
    let platform = platform(Switches::default()).await;
    log(&platform, 0..1).await;
    let mut client = open(&platform, "/websocket").await;
    client.say(&format!("topic={SERVICE}")).await;
    tokio::time::sleep(QUIET).await;
    log(&platform, 1..2).await;
    assert_eq!(client.until_quiet(QUIET).await, [live(1)]);
}
