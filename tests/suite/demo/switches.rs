//! The switches do what they say, over in-process connections and in virtual time.

use std::num::NonZeroU32;
use std::time::Duration;

use deckwatch::demo::{Answer, Era, Kind, Switches};
use tokio::time::timeout;

use super::stage::{QUIET, SERVICE, docker, live, log, open, platform, stored};
use crate::raw_client::{RawClient, Seen, TEXT, request, text};

#[tokio::test(start_paused = true)]
async fn pings_can_be_switched_off() {
    let platform = platform(Switches {
        pings: false,
        ..Switches::default()
    })
    .await;
    let mut client = docker(&platform).await;
    assert_eq!(client.next().await, Seen::End);
    let mut pubsub = open(&platform, "/services/x/pubsub").await;
    assert!(
        timeout(Duration::from_secs(300), pubsub.next())
            .await
            .is_err()
    );
}

#[tokio::test(start_paused = true)]
async fn answers_to_an_upgrade() {
    for (answer, want) in [
        (
            Answer::EmptyOk,
            "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
        ),
        (
            Answer::Refuse(503),
            "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
        ),
    ] {
        let platform = platform(Switches {
            answer,
            ..Switches::default()
        })
        .await;
        let mut client = RawClient::new(platform.connect_memory().await);
        client.write(request("/p/docker_log").as_bytes()).await;
        assert_eq!(client.rest().await, want.as_bytes());
    }
    let platform = platform(Switches {
        answer: Answer::Silence,
        ..Switches::default()
    })
    .await;
    let mut client = RawClient::new(platform.connect_memory().await);
    client.write(request("/p/docker_log").as_bytes()).await;
    assert!(
        timeout(Duration::from_secs(300), client.rest())
            .await
            .is_err()
    );

    platform.set_switch(|switches| switches.answer = Answer::Mute);
    let mut client = open(&platform, "/docker_log").await;
    client.say(&format!("topic={SERVICE}")).await;
    log(&platform, 0..3).await;
    assert!(
        timeout(Duration::from_secs(300), client.next())
            .await
            .is_err()
    );
}

#[tokio::test(start_paused = true)]
async fn a_stream_can_end_after_so_many_messages_or_inside_of_one() {
    let platform = platform(Switches {
        end_after: Some(2),
        ..Switches::default()
    })
    .await;
    let mut client = docker(&platform).await;
    log(&platform, 0..5).await;
    assert_eq!(
        client.until_quiet(QUIET).await,
        [live(0), live(1), Seen::End]
    );

    platform.set_switch(|switches| (switches.end_after, switches.cut_in_frame) = (None, Some(1)));
    let mut client = docker(&platform).await;
    let seen = client.until_quiet(QUIET).await;
    assert_eq!(seen[0], stored(0));
    assert!(matches!(seen[1..], [Seen::Torn(_)]), "{seen:?}");
}

#[tokio::test(start_paused = true)]
async fn old_eras() {
    let platform = platform(Switches::of(Era::One)).await;
    log(&platform, 0..600).await;
    // 2017: no ok, 512 raw lines.
    let mut client = docker(&platform).await;
    assert_eq!(
        client.until_quiet(QUIET).await,
        (88..600).map(live).collect::<Vec<_>>()
    );
    // event_log says ok all the same.
    let mut event = open(&platform, "/event_log").await;
    event.say("event_id=e").await;
    assert_eq!(event.next().await, text("ok"));
    // The old monitor lives.
    let mut monitor = open(&platform, "/monitor_message").await;
    monitor.say("topic=t.s.statistic").await;
    tokio::time::sleep(QUIET).await;
    let list = br#"{"name":"SumTimeByUrl","data":[],"update_time":"3:04PM"}"#;
    platform.inject_old_monitor("t.s.statistic", list).await;
    assert_eq!(monitor.next().await, text(&list[..]));
    // Era 3: 128 lines, ok, and no old monitor.
    platform.set_switch(|switches| *switches = Switches::of(Era::Three));
    let mut client = docker(&platform).await;
    assert_eq!(
        client.until_quiet(QUIET).await,
        (472..600).map(live).collect::<Vec<_>>()
    );
    let mut monitor = open(&platform, "/monitor_message").await;
    monitor.say("topic=t.s.statistic").await;
    assert_eq!(monitor.next().await, Seen::End);
}

#[tokio::test(start_paused = true)]
async fn lines_can_be_swapped_lost_and_cut_into_frames() {
    let every = |n| NonZeroU32::new(n);
    let platform = platform(Switches {
        swap_every: every(3),
        ..Switches::default()
    })
    .await;
    let mut client = docker(&platform).await;
    log(&platform, 0..6).await;
    // The last one is held until nothing follows.
    assert_eq!(
        client.until_quiet(QUIET).await,
        [0, 1, 3, 2, 4, 5].map(live)
    );

    platform.set_switch(|switches| (switches.swap_every, switches.drop_every) = (None, every(2)));
    log(&platform, 6..10).await;
    assert_eq!(client.until_quiet(QUIET).await, [6, 8].map(live));
    assert_eq!(platform.tally().await.dropped, 2);

    platform.set_switch(|switches| (switches.drop_every, switches.fragment) = (None, Some(8)));
    log(&platform, 10..11).await;
    let part = |fin, op, payload: &str| Seen::Frame {
        fin,
        op,
        payload: payload.into(),
    };
    let want = [
        part(false, TEXT, "01234567"),
        part(false, 0, "89ab:lin"),
        part(true, 0, "e 10"),
    ];
    assert_eq!(client.until_quiet(QUIET).await, want);
}

#[tokio::test(start_paused = true)]
async fn a_closed_bucket_ends_sockets_and_closes_channels() {
    let platform = platform(Switches::default()).await;
    let mut client = docker(&platform).await;
    let mut pubsub = open(&platform, "/services/x/pubsub").await;
    pubsub
        .say(&format!(
            r#"{{"event":"pusher:subscribe","data":{{"channel":"l-{SERVICE}"}}}}"#
        ))
        .await;
    let told = |event: &str, data: &str| {
        text(format!(
            r#"{{"event":"{event}","data":{data},"channel":"docker-{SERVICE}"}}"#
        ))
    };
    assert_eq!(
        pubsub.next_content().await,
        told("pusher:succeeded", "null")
    );
    tokio::time::sleep(QUIET).await;
    platform.close_bucket(Kind::Docker, SERVICE).await;
    assert_eq!(client.next_content().await, Seen::End);
    assert_eq!(pubsub.next_content().await, told("pusher:close", r#""{}""#));
    // The name is free again.
    pubsub
        .say(&format!(
            r#"{{"event":"pusher:subscribe","data":{{"channel":"l-{SERVICE}"}}}}"#
        ))
        .await;
    assert_eq!(
        pubsub.next_content().await,
        told("pusher:succeeded", "null")
    );
}
