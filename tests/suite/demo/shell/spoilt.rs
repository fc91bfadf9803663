//! The switches of the shell servers do what they say.

use std::time::Duration;

use deckwatch::demo::{Answer, Options, Platform, ShellIll, ShellServer, ShellSwitches, Switches};
use tokio::time::timeout;

use super::seat::{RAW, Said, Seat, greeting, options, platform, upgrade};
use crate::raw_client::{PING, PONG, RawClient, Seen, TEXT};

const SH: [&str; 1] = ["/bin/sh"];

async fn spoilt(change: impl FnOnce(&mut ShellSwitches)) -> Platform {
    let mut switches = ShellSwitches::default();
    change(&mut switches);
    platform(&RAW, switches).await
}

#[tokio::test]
async fn read_only_servers_take_no_input_and_say_nothing_of_it() {
    let platform = platform(&SH, ShellSwitches::default()).await;
    for server in ShellServer::ALL {
        platform.set_switch(|switches| switches.shell.read_only = false);
        let mut seat = Seat::open(&platform, server).await;
        seat.until("pod$ ").await;
        platform.set_switch(|switches| switches.shell.read_only = true);
        seat.type_in(b"echo hello\r").await;
        seat.resize(99, 33).await;
        let shells = platform
            .shells_until(|all| all.last().unwrap().resizes == 1)
            .await;
        assert_eq!(shells.last().unwrap().size, (99, 33));
        assert_eq!(shells.last().unwrap().input, 0, "{server:?}");
        // It can be changed while they run.
        platform.set_switch(|switches| switches.shell.read_only = false);
        seat.type_in(b"echo by''e\r").await;
        seat.until("bye\r\n").await;
        assert!(!String::from_utf8_lossy(&seat.output).contains("hello"));
    }
    assert_eq!(platform.tally().await.shell.read_only, 5);
}

#[tokio::test]
async fn silence_and_unanswered_pings() {
    let platform = spoilt(|switches| switches.silent = true).await;
    for server in ShellServer::ALL {
        let mut seat = Seat::open(&platform, server).await;
        seat.quiet().await;
    }
    platform.set_switch(|switches| (switches.shell.silent, switches.shell.pongs) = (false, false));
    for server in ShellServer::ALL {
        let mut seat = Seat::open(&platform, server).await;
        seat.until("ready\n").await;
        if server == ShellServer::Ttyd {
            seat.client.send(PING, b"x").await;
        } else {
            seat.tell(seat.numbers()[2], b"").await;
            let shells = platform.shells_until(|all| all.last().unwrap().pings == 1);
            assert_eq!(shells.await.last().unwrap().server, server);
        }
        seat.quiet().await;
    }
}

#[tokio::test]
async fn output_can_come_byte_by_byte() {
    let platform = spoilt(|switches| switches.split_output = true).await;
    for server in ShellServer::ALL {
        platform.set_switch(|switches| switches.fragment = None);
        let mut seat = Seat::open(&platform, server).await;
        seat.until("ready\n").await;
        seat.type_in("é中".as_bytes()).await;
        let mut bytes = Vec::new();
        while seat.output.len() < "ready\né中".len() {
            let before = seat.output.len();
            seat.hear().await;
            bytes.push(seat.output.len() - before);
        }
        assert_eq!(bytes, [1; 5], "{server:?}");
        // And each message in frames of one byte.
        platform.set_switch(|switches| switches.fragment = Some(1));
        seat.type_in(b"z").await;
        let size = if server == ShellServer::Ttyd { 2 } else { 5 };
        for number in 0..size {
            let Seen::Frame { fin, op, payload } = seat.client.next_content().await else {
                panic!("an end");
            };
            assert_eq!(payload.len(), 1);
            assert_eq!((fin, op == 0), (number == size - 1, number > 0));
        }
        platform.set_switch(|switches| switches.fragment = None);
        seat.type_in(b"!").await;
        seat.until("!").await;
    }
}

#[tokio::test]
async fn a_link_can_be_cut_at_a_byte_of_input() {
    for server in ShellServer::ALL {
        for (end, reset, seen) in [(Some(5), None, Seen::End), (None, Some(5), Seen::Reset)] {
            let platform = spoilt(|switches| {
                (switches.end_after, switches.reset_after) = (end, reset);
            })
            .await;
            let mut seat = Seat::open(&platform, server).await;
            seat.until("ready\n").await;
            seat.type_in(b"abc").await;
            seat.until("abc").await;
            seat.type_in(b"defg").await;
            loop {
                match seat.hear().await {
                    Said::Message(..) => {}
                    other => {
                        assert_eq!(other, Said::End(seen), "{server:?}");
                        break;
                    }
                }
            }
            let shells = platform.shells_until(|all| all[0].over).await;
            assert_eq!(shells[0].input_head, "abcde");
        }
    }
}

#[tokio::test]
async fn frames_without_end_of_the_wrong_kind_and_of_any_size() {
    let platform = platform(&RAW, ShellSwitches::default()).await;
    for server in ShellServer::ALL {
        for ill in ShellIll::ALL {
            platform.set_switch(|switches| switches.shell.ill = None);
            let mut seat = Seat::open(&platform, server).await;
            seat.until("ready\n").await;
            platform.set_switch(|switches| switches.shell.ill = Some(ill));
            seat.type_in(b"x").await;
            let ttyd = server == ShellServer::Ttyd;
            let first = seat.hear().await;
            let Said::Message(op, body) = first else {
                panic!("{first:?}");
            };
            let about = format!("{server:?} {ill:?}");
            match ill {
                ShellIll::BadBase64 if ttyd => assert_eq!(body, b"9what", "{about}"),
                ShellIll::BadBase64 => assert!(body.ends_with(b"=ZGVm!\n"), "{about}"),
                ShellIll::Foreign => {
                    let foreign = if seat.numbers()[3] == b'0' {
                        b"1"
                    } else {
                        b"0"
                    };
                    assert!(body.starts_with(foreign) && op == TEXT, "{about}");
                }
                ShellIll::Huge => assert_eq!((op, body.len()), (TEXT, 64 << 20), "{about}"),
                ShellIll::TitleFlood => {
                    for _ in 1..100_000 {
                        seat.hear().await;
                    }
                }
                ShellIll::OpenEscape => assert!(seat.output.ends_with(b"without end"), "{about}"),
                ShellIll::Empty => assert_eq!((op, body.len()), (TEXT, 0), "{about}"),
            }
            // Then it is well again, once for each connection.
            seat.output.clear();
            seat.type_in(b"y").await;
            seat.until("xy").await;
            assert_eq!(seat.output, b"xy", "{about}");
        }
    }
}

#[tokio::test]
async fn early_messages_are_noticed() {
    let platform = spoilt(|switches| switches.delay = Duration::from_millis(300)).await;
    let mut seat = Seat::open(&platform, ShellServer::Platform).await;
    for columns in 80..83 {
        seat.resize(columns, 24).await;
    }
    seat.until("ready\n").await;
    let tally = platform.tally().await.shell;
    assert_eq!((tally.early_sizes, tally.before_greeting), (1, 0));
    seat.resize(0, 0).await;
    let shells = platform.shells_until(|all| all[0].resizes == 4).await;
    assert_eq!(shells[0].size, (0, 0));
    let mut seat = Seat::mute(&platform, ShellServer::Gotty2).await;
    seat.type_in(b"x").await;
    assert_eq!(seat.hear().await, Said::End(Seen::End));
    let tally = platform.tally().await.shell;
    assert_eq!((tally.zero_sizes, tally.before_greeting), (1, 1));
}

#[tokio::test]
async fn pods_take_their_time() {
    let platform = spoilt(|switches| switches.ready_after = Duration::from_millis(400)).await;
    let mut seat = Seat::open(&platform, ShellServer::Platform).await;
    seat.quiet().await;
    seat.until("ready\n").await;
    platform.set_switch(|switches| switches.shell.patience = Duration::from_millis(200));
    let mut seat = Seat::open(&platform, ShellServer::Platform).await;
    let words = "Container is not ready, please try again later!";
    assert_eq!(seat.hear().await, Said::Message(TEXT, words.into()));
}

#[tokio::test]
async fn subprotocols_and_origins_are_looked_at_where_they_are() {
    let platform = platform(&SH, ShellSwitches::default()).await;
    for (server, protocol, selects) in [
        (ShellServer::Platform, "webtty", true),
        (ShellServer::Platform, "other", false),
        (ShellServer::Gotty1, "webtty, gotty", true),
        (ShellServer::Gotty1, "webtty", false),
        (ShellServer::Gotty2, "", false),
        (ShellServer::Ttyd, "tty", true),
        (ShellServer::Ttyd, "", false),
    ] {
        let (_, head) = Seat::knock(&platform, server, protocol).await;
        assert!(head.starts_with("HTTP/1.1 101 "), "{head}");
        let selected = head.to_lowercase().contains("sec-websocket-protocol: ");
        assert_eq!(selected, selects, "{server:?} {protocol}");
    }
    for (server, from, to, want) in [
        (ShellServer::Ttyd, "Protocol: tty", "Protocol: other", ""),
        (
            ShellServer::Gotty2,
            "Host: demo",
            "Host: demo\r\nOrigin: http://else",
            "HTTP/1.1 403 ",
        ),
        (
            ShellServer::Gotty2,
            "Host: demo",
            "Host: demo\r\nOrigin: http://demo",
            "HTTP/1.1 101 ",
        ),
        (
            ShellServer::Gotty2,
            "Upgrade: websocket\r\n",
            "",
            "HTTP/1.1 400 ",
        ),
    ] {
        let mut client = RawClient::new(platform.connect_memory().await);
        let protocol = if server == ShellServer::Ttyd {
            "tty"
        } else {
            "webtty"
        };
        let request = upgrade(&platform, server, protocol).replace(from, to);
        client.write(request.as_bytes()).await;
        if want.contains("101") {
            assert!(client.head().await.starts_with(want));
        } else {
            let answer = String::from_utf8(client.rest().await).unwrap();
            assert!(
                answer.starts_with(want) && answer.is_empty() == want.is_empty(),
                "{answer}"
            );
        }
    }
}

#[tokio::test]
async fn ttyd_waits_for_its_greeting_and_can_be_paused() {
    let platform = platform(&RAW, ShellSwitches::default()).await;
    let mut seat = Seat::mute(&platform, ShellServer::Ttyd).await;
    seat.client.send(TEXT, b"hello").await;
    seat.client.send(PING, b"a").await;
    assert_eq!(seat.hear().await, Said::Control(PONG, b"a".to_vec()));
    seat.greet().await;
    seat.until("ready\n").await;
    seat.tell(b'2', b"").await;
    seat.type_in(b"held").await;
    seat.quiet().await;
    seat.tell(b'3', b"").await;
    seat.until("held").await;
    assert_eq!(platform.tally().await.shell.before_greeting, 1);
}

#[tokio::test(start_paused = true)]
async fn ttyd_pings_each_five_seconds_and_hangs_up() {
    let platform = platform(&["sleep", "1000"], ShellSwitches::default()).await;
    let mut client = RawClient::new(platform.connect_memory().await);
    client
        .write(upgrade(&platform, ShellServer::Ttyd, "tty").as_bytes())
        .await;
    assert!(client.head().await.contains("Upgrade: WebSocket"));
    client.send(TEXT, br#"{"AuthToken":""}"#).await;
    let mut pings = 0;
    let end = loop {
        match timeout(Duration::from_secs(60), client.next())
            .await
            .unwrap()
        {
            Seen::Frame { op: PING, .. } => {
                pings += 1;
                // Then it waits in vain for two more.
                if pings <= 3 {
                    client.send(PONG, b"").await;
                }
            }
            Seen::Frame { .. } => {}
            end => break end,
        }
    };
    assert_eq!((pings, end), (5, Seen::End));
}

#[tokio::test]
async fn cuts_and_answers_of_the_whole_platform_hold_for_shells() {
    let platform = platform(&RAW, ShellSwitches::default()).await;
    for server in ShellServer::ALL {
        let mut seat = Seat::open(&platform, server).await;
        seat.until("ready\n").await;
        platform.drop_connections();
        assert_eq!(seat.hear().await, Said::End(Seen::End), "{server:?}");
        let mut seat = Seat::open(&platform, server).await;
        seat.until("ready\n").await;
        platform.reset_connections();
        assert_eq!(seat.hear().await, Said::End(Seen::Reset), "{server:?}");
        platform.set_switch(|switches| switches.answer = Answer::Mute);
        let mut seat = Seat::open(&platform, server).await;
        seat.quiet().await;
        platform.set_switch(|switches| switches.answer = Answer::EmptyOk);
        let (_, head) = Seat::knock(&platform, server, "webtty").await;
        assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
        platform.set_switch(|switches| switches.answer = Answer::Upgrade);
    }
    platform
        .shells_until(|all| all.iter().all(|one| one.over))
        .await;
}

#[tokio::test]
async fn the_in_memory_way_has_shells_too() {
    let platform = Platform::start(Options {
        switches: Switches::default(),
        ..options()
    })
    .await
    .unwrap();
    let mut client = RawClient::new(platform.connect_memory().await);
    client
        .write(upgrade(&platform, ShellServer::Platform, "webtty").as_bytes())
        .await;
    client.head().await;
    client.say(&greeting("pod-0")).await;
    let Seen::Frame { payload, .. } = client.next().await else {
        panic!("an end");
    };
    assert_eq!(payload, b"310.42.0.17");
}
