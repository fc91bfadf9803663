//! What needs real sockets: ends and resets, restarts, ZeroMQ, the shop, the hostile servers.
//! No test here depends on how fast anything is.

#![expect(clippy::unwrap_used, reason = "test helper")]

use std::collections::BTreeSet;
use std::time::Duration;

use bytes::Bytes;
use deckwatch::demo::hostile::{Hostile, Ill};
use deckwatch::demo::{Layout, Options, Platform};
use deckwatch::model::Micros;
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};

use crate::raw_client::{RawClient, Seen, request, text};

/// Long enough for a busy machine; a test that passes never waits for it.
const PATIENCE: Duration = Duration::from_secs(30);

async fn platform() -> Platform {
    let options = Options {
        world: false,
        zmq: false,
        prefix: Some(String::new()),
        ..Options::default()
    };
    Platform::start(options).await.unwrap()
}

async fn docker(platform: &Platform, id: &str) -> RawClient<TcpStream> {
    let stream = TcpStream::connect(platform.http_addr()).await.unwrap();
    let mut client = RawClient::open(stream, &format!("{}/docker_log", platform.prefix())).await;
    client.say(&format!("topic={id}")).await;
    assert_eq!(client.next_content().await, text("ok"));
    client
}

#[tokio::test]
async fn ends_and_resets_are_what_they_are_called() {
    let platform = platform().await;
    let mut client = docker(&platform, "s").await;
    platform.drop_connections();
    assert_eq!(client.next().await, Seen::End);
    let mut client = docker(&platform, "s").await;
    platform.reset_connections();
    assert_eq!(client.next().await, Seen::Reset);
    // Those that come later are not concerned.
    docker(&platform, "s").await;
}

#[tokio::test]
async fn a_restart_keeps_port_and_history() {
    let platform = platform().await;
    platform.inject_log("s", "0123456789ab", b"before").await;
    let address = platform.http_addr();
    let mut refused = false;
    // A machine that sleeps through one downtime sees the next.
    for _ in 0..100 {
        let mut client = docker(&platform, "s").await;
        ((), refused) = tokio::join!(platform.restart(Duration::from_millis(50)), async {
            while client.next_content().await != Seen::End {}
            TcpStream::connect(address).await.is_err()
        });
        if refused {
            break;
        }
    }
    assert!(refused, "the port was open while it was down");
    let Seen::Frame { payload, .. } = docker(&platform, "s").await.next_content().await else {
        panic!("no history");
    };
    assert!(
        String::from_utf8(payload)
            .unwrap()
            .contains("0123456789ab:before")
    );
}

#[tokio::test]
async fn a_dropped_platform_is_gone() {
    let platform = platform().await;
    let address = platform.http_addr();
    let mut client = docker(&platform, "s").await;
    drop(platform);
    assert!(matches!(client.next().await, Seen::End | Seen::Reset));
    let gone = async {
        while TcpStream::connect(address).await.is_ok() {
            sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(PATIENCE, gone).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn brokers_publish_to_libzmq() {
    let options = Options {
        world: false,
        ..Options::default()
    };
    let platform = Platform::start(options).await.unwrap();
    for layout in Layout::ALL {
        let address = platform.zmq_addr(layout).unwrap();
        for round in 0..2 {
            let listener = tokio::task::spawn_blocking(move || {
                let socket = zmq::Context::new().socket(zmq::SUB).unwrap();
                socket.connect(&format!("tcp://{address}")).unwrap();
                socket.set_subscribe(b"want").unwrap();
                socket
                    .set_rcvtimeo(i32::try_from(PATIENCE.as_millis()).unwrap())
                    .unwrap();
                socket.recv_multipart(0).unwrap()
            });
            // A subscriber that has not subscribed yet misses messages, so they are repeated.
            while !listener.is_finished() {
                let frames = |topic: &'static [u8]| {
                    vec![Bytes::from_static(topic), Bytes::from_static(b"\xff\0")]
                };
                platform.publish_zmq(layout, frames(b"other")).await;
                platform.publish_zmq(layout, frames(b"wanted")).await;
                sleep(Duration::from_millis(5)).await;
            }
            assert_eq!(
                listener.await.unwrap(),
                [b"wanted".to_vec(), b"\xff\0".to_vec()]
            );
            // And once more behind a restart on the same port.
            if round == 0 {
                platform.restart_zmq(layout, Duration::from_millis(1)).await;
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_shop_speaks_in_the_brokers_layouts() {
    let platform = Platform::start(Options {
        rate: 20.0,
        ..Options::default()
    })
    .await
    .unwrap();
    let mut listeners = Vec::new();
    for layout in Layout::ALL {
        let url = platform.zmq_url(layout).unwrap();
        let address = url.split('?').next().unwrap().to_owned();
        let listener = tokio::task::spawn_blocking(move || {
            let socket = zmq::Context::new().socket(zmq::SUB).unwrap();
            socket.connect(&address).unwrap();
            socket.set_subscribe(b"").unwrap();
            socket
                .set_rcvtimeo(i32::try_from(PATIENCE.as_millis()).unwrap())
                .unwrap();
            socket.recv_multipart(0).unwrap()
        });
        listeners.push((layout, listener));
    }
    for (layout, listener) in listeners {
        let frames = listener.await.unwrap();
        let text: Vec<_> = frames
            .iter()
            .map(|frame| String::from_utf8_lossy(frame).into_owned())
            .collect();
        let fits = match (layout, text.as_slice()) {
            (Layout::Docker3, [tenant, service, line]) => {
                tenant.len() == 32 && service.len() == 32 && line.find(": ") == Some(12)
            }
            (Layout::Docker2, [service, line]) => {
                service.len() == 32 && line.find(": ") == Some(12)
            }
            (Layout::DockerJson, [json]) => {
                json.starts_with("{\"container_id\":\"") && json.contains("\",\"msg\":\"")
            }
            (Layout::Labor3, [topic, level, line]) => {
                topic.starts_with("labor.")
                    && level.to_uppercase() == *level
                    && line.contains(&format!("[{level}]"))
            }
            (Layout::Ceptop2, [topic, list]) => {
                topic == "ceptop" && list.splitn(5, ' ').nth(4).unwrap().starts_with('[')
            }
            (Layout::Cluster2, [mode, _]) => [
                "event_log",
                "monitor_message",
                "new_monitor_message",
                "monitor",
            ]
            .contains(&mode.as_str()),
            _ => false,
        };
        assert!(fits, "{layout:?}: {text:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_shop_has_a_past_and_a_present() {
    let options = Options {
        zmq: false,
        epoch: Some(Micros(1_795_485_528_000_000)),
        ..Options::default()
    };
    let platform = Platform::start(options).await.unwrap();
    assert!(platform.prefix().len() > 32, "the path can be guessed");
    let targets = platform.targets();
    let logs: Vec<_> = targets
        .iter()
        .filter(|target| target.url.contains("/docker_log#"))
        .collect();
    assert_eq!(logs.len(), 8);
    for target in logs {
        let (url, id) = target.url.split_once('#').unwrap();
        let path = url
            .strip_prefix(&format!("ws://{}", platform.http_addr()))
            .unwrap();
        let mut client = RawClient::open(platform.connect_memory().await, path).await;
        client.say(&format!("topic={id}")).await;
        assert_eq!(client.next_content().await, text("ok"));
        // 200 lines at once, then others as time goes by.
        let (mut stored, mut live) = (0, BTreeSet::new());
        while live.len() < 20 {
            let Seen::Frame { payload, .. } = client.next_content().await else {
                panic!("{} ended", target.what);
            };
            if payload.starts_with(b"{") {
                stored += 1;
            } else {
                live.insert(payload);
            }
        }
        assert!(
            (180..=1000).contains(&stored),
            "{}: {stored} stored lines",
            target.what
        );
    }
}

#[tokio::test(start_paused = true)]
async fn deploys_can_be_watched() {
    let platform = Platform::start(Options {
        zmq: false,
        ..Options::default()
    })
    .await
    .unwrap();
    let prefix = platform.prefix().to_owned();
    for target in platform
        .targets()
        .iter()
        .filter(|target| target.url.contains("/event_log#"))
    {
        let (_, id) = target.url.split_once('#').unwrap();
        let mut client = RawClient::open(
            platform.connect_memory().await,
            &format!("{prefix}/event_log"),
        )
        .await;
        client.say(&format!("event_id={id}")).await;
        assert_eq!(client.next_content().await, text("ok"));
        let (mut progress, mut end) = (0, String::new());
        while end.is_empty() {
            let Seen::Frame { payload, .. } = client.next_content().await else {
                panic!("{} ended", target.what);
            };
            let entry: serde_json::Value = serde_json::from_slice(&payload).unwrap();
            let step = entry["step"].as_str().unwrap();
            progress += usize::from(step == "progress");
            if step == "last" || step == "callback" {
                end = format!("{step} {}", entry["status"].as_str().unwrap());
            }
        }
        let want = if target.what.contains("fails") {
            "callback failure"
        } else {
            "last success"
        };
        assert_eq!(end, want, "{}", target.what);
        assert!(progress > 10, "{}", target.what);
    }
}

#[tokio::test]
async fn hostile_servers_play_their_scripts() {
    for (ill, want) in [
        (Ill::Garbage, &b"\x17\x03\xff\0\r\n"[..]),
        (Ill::EmptyOk, b"HTTP/1.1 200 OK\r\n"),
        (
            Ill::HalfHandshake,
            b"HTTP/1.1 101 Switching Protocols\r\nUpgr",
        ),
        (
            Ill::EndlessHead,
            b"HTTP/1.1 101 Switching Protocols\r\nX-Fill: xxx",
        ),
        (Ill::ZmtpNeverReady, b"\xff\0\0\0\0\0\0\0\0\x7f\x03\0NULL\0"),
        (Ill::ZmtpV2, b"\xff\0\0\0\0\0\0\0\x01\x7f\x01\x01"),
        (Ill::ZmtpHttp, b"HTTP/1.1 400"),
    ] {
        let server = Hostile::start(ill.script()).await.unwrap();
        let mut client = RawClient::new(TcpStream::connect(server.addr()).await.unwrap());
        client.write(request("/").as_bytes()).await;
        assert_eq!(
            timeout(PATIENCE, client.exactly(want.len())).await.unwrap(),
            want,
            "{ill:?}"
        );
        assert_eq!(server.accepted(), 1);
    }
    for (ill, want) in [
        (Ill::HugeFrame, &b"\x82\x7f\x40\0\0\0\0\0\0\0never"[..]),
        (Ill::EndlessParts, b"\x01\x01x\0\x7e\x10\0xxx"),
        (Ill::Masked, b"\x81\x82\x01\x02\x03\x04no"),
        (Ill::PingFlood, b"\x89\0\x89\0\x89\0"),
        (Ill::Drip, b"\x81\x40"),
    ] {
        let server = Hostile::start(ill.script()).await.unwrap();
        let stream = TcpStream::connect(server.addr()).await.unwrap();
        let mut client = timeout(PATIENCE, RawClient::open(stream, "/"))
            .await
            .unwrap();
        assert_eq!(
            timeout(PATIENCE, client.exactly(want.len())).await.unwrap(),
            want,
            "{ill:?}"
        );
    }
}

#[tokio::test]
async fn hostile_publishers_start_as_proper_ones() {
    for (ill, want) in [
        (Ill::ZmtpHuge40, &b"\x02\0\0\x01\0\0\0\0\0never"[..]),
        (Ill::ZmtpHuge62, b"\x02\x40\0\0\0\0\0\0\0never"),
        (Ill::ZmtpEndlessMore, b"\x01\x01x\x01\x01x"),
    ] {
        let server = Hostile::start(ill.script()).await.unwrap();
        let mut client = RawClient::new(TcpStream::connect(server.addr()).await.unwrap());
        let greeting = deckwatch::demo::hostile::greeting(3, b"NULL");
        assert_eq!(
            timeout(PATIENCE, client.exactly(64)).await.unwrap(),
            greeting
        );
        client.write(&greeting).await;
        let ready = b"\x04\x19\x05READY\x0bSocket-Type\0\0\0\x03PUB";
        assert_eq!(
            timeout(PATIENCE, client.exactly(ready.len()))
                .await
                .unwrap(),
            ready
        );
        assert_eq!(
            timeout(PATIENCE, client.exactly(want.len())).await.unwrap(),
            want,
            "{ill:?}"
        );
    }
}

#[tokio::test]
async fn a_silent_server_is_silent_and_a_resetting_one_resets() {
    let server = Hostile::start(Ill::Silent.script()).await.unwrap();
    let mut stream = TcpStream::connect(server.addr()).await.unwrap();
    assert!(
        timeout(Duration::from_millis(50), stream.read_u8())
            .await
            .is_err()
    );
    let server = Hostile::start(Ill::Reset.script()).await.unwrap();
    let mut client = RawClient::new(TcpStream::connect(server.addr()).await.unwrap());
    assert_eq!(client.next().await, Seen::Reset);
}
