//! How shells begin and end, and that nothing of them stays.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use deckwatch::demo::{Options, Platform, ShellError, ShellServer, ShellSwitches, Switches};
use tokio::time::sleep;

use super::seat::{PATIENCE, Said, Seat, greeting, greeting_in, options, platform};
use crate::raw_client::{BINARY, CLOSE, PING, PONG, Seen, TEXT};

const SH: [&str; 1] = ["/bin/sh"];

fn text(words: &str) -> Said {
    Said::Message(TEXT, words.into())
}

#[tokio::test]
async fn each_server_begins_in_its_own_way() {
    for (server, first) in [
        (ShellServer::Platform, vec!["310.42.0.17", "560"]),
        (
            ShellServer::Gotty1,
            vec!["2GoTTY - /bin/sh (demo)", "3{}", "47"],
        ),
        (ShellServer::Gotty2, vec!["3/bin/sh@demo", "57"]),
        (
            ShellServer::Sorenisanerd,
            vec!["3/bin/sh@demo", "61024", "57"],
        ),
        (ShellServer::Ttyd, vec!["1/bin/sh (demo)", "2{ }"]),
    ] {
        let switches = ShellSwitches {
            reconnect: Some(7),
            ..ShellSwitches::default()
        };
        let platform = platform(&SH, switches).await;
        let mut seat = Seat::open(&platform, server).await;
        assert_eq!(seat.opening().await, first, "{server:?}");
        seat.until("pod$ ").await;
        seat.resize(100, 30).await;
        seat.type_in(b"stty size; echo $TERM\r").await;
        seat.until("30 100\r\nxterm-256color\r\n").await;
    }
}

#[tokio::test]
async fn platform_a_speaks_the_old_numbers() {
    let switches = ShellSwitches {
        v1_numbering: true,
        ..ShellSwitches::default()
    };
    let platform = platform(&SH, switches).await;
    let (mut seat, head) = Seat::knock(&platform, ShellServer::Platform, "webtty").await;
    assert!(!head.contains("Protocol:"), "{head}");
    seat.greet().await;
    // From here on it is the first GoTTY.
    seat.server = ShellServer::Gotty1;
    assert_eq!(seat.opening().await, ["2GRTTY Command", "3{}", "410"]);
    seat.ping().await;
    seat.type_in(b"exit\r").await;
    while seat.hear().await != Said::End(Seen::End) {}
    // A pod that is not there is kubectl's to complain of.
    let (mut seat, _) = Seat::knock(&platform, ShellServer::Platform, "").await;
    seat.server = ShellServer::Gotty1;
    seat.client.say(&greeting("missing-0")).await;
    seat.until("pods \"missing-0\" not found\r\n").await;
    assert_eq!(seat.hear().await, Said::End(Seen::End));
}

#[tokio::test]
async fn the_others_end_with_bare_tcp_when_the_shell_does() {
    for server in ShellServer::ALL {
        if server == ShellServer::Platform {
            continue;
        }
        let platform = platform(&SH, ShellSwitches::default()).await;
        let mut seat = Seat::open(&platform, server).await;
        seat.until("pod$ ").await;
        seat.type_in(b"echo last words; exit 3\r").await;
        let end = loop {
            match seat.hear().await {
                Said::Message(..) => {}
                end => break end,
            }
        };
        assert_eq!(end, Said::End(Seen::End), "{server:?}");
        let output = String::from_utf8_lossy(&seat.output).into_owned();
        assert!(
            output.ends_with("\r\nlast words\r\n"),
            "{server:?}: {output:?}"
        );
        let shells = platform.shells_until(|all| all[0].over).await;
        assert_eq!(shells[0].exit, Some(3));
        assert_eq!(shells[0].server, server);
    }
}

#[tokio::test]
async fn ttyd_may_close_with_a_code() {
    for (words, code) in [(&b"exit\r"[..], 1000_u16), (b"exit 3\r", 1006)] {
        let switches = ShellSwitches {
            close_frames: true,
            ..ShellSwitches::default()
        };
        let platform = platform(&SH, switches).await;
        let mut seat = Seat::open(&platform, ShellServer::Ttyd).await;
        seat.until("pod$ ").await;
        seat.type_in(words).await;
        let close = loop {
            match seat.hear().await {
                Said::Message(..) => {}
                other => break other,
            }
        };
        assert_eq!(close, Said::Control(CLOSE, code.to_be_bytes().to_vec()));
        assert_eq!(seat.hear().await, Said::End(Seen::End));
    }
}

#[tokio::test]
async fn the_platform_says_nothing_at_an_end_until_a_key_comes() {
    let platform = platform(&SH, ShellSwitches::default()).await;
    let mut seat = Seat::open(&platform, ShellServer::Platform).await;
    seat.until("pod$ ").await;
    seat.client.send(PING, b"abc").await;
    assert_eq!(seat.hear().await, Said::Control(PONG, b"abc".to_vec()));
    seat.type_in(b"exit\r").await;
    platform.shells_until(|all| all[0].exit == Some(0)).await;
    seat.until("exit\r\n").await;
    // A ping that stays without a pong is how a client finds out.
    seat.tell(b'2', b"").await;
    seat.quiet().await;
    seat.type_in(b"\r").await;
    assert_eq!(seat.hear().await, text("run tty failure!"));
    // Now nobody is there, and TCP stays.
    platform.shells_until(|all| all[0].over).await;
    seat.client.send(PING, b"abc").await;
    seat.tell(b'2', b"").await;
    seat.client.send(CLOSE, &1000_u16.to_be_bytes()).await;
    seat.quiet().await;
}

#[tokio::test]
async fn what_the_platform_cannot_open_it_says_and_leaves_open() {
    let platform = platform(&SH, ShellSwitches::default()).await;
    platform.set_switch(|switches| switches.shell.patience = Duration::from_millis(200));
    for (first, words, ends) in [
        (greeting(""), "pod name can not be empty", true),
        ("hello".to_owned(), "pod name can not be empty", true),
        (
            greeting("pod-0").replace("pod-0", "pod-1"),
            "Auth is not allowed!",
            true,
        ),
        (
            greeting("other"),
            "Get default container name failure!",
            false,
        ),
        (
            greeting("missing-0"),
            "Get default container name failure!",
            false,
        ),
        (greeting("noexec-0"), "open tty failure!", false),
        (
            greeting("pending-0"),
            "Container is not ready, please try again later!",
            false,
        ),
    ] {
        let mut seat = Seat::mute(&platform, ShellServer::Platform).await;
        seat.client.say(&first).await;
        assert_eq!(seat.hear().await, text(words), "{first}");
        if ends {
            assert_eq!(seat.hear().await, Said::End(Seen::End));
        } else {
            seat.client.send(PING, b"").await;
            seat.quiet().await;
        }
    }
    for error in ShellError::ALL {
        platform.set_switch(|switches| switches.shell.error = Some(error));
        let mut seat = Seat::open(&platform, ShellServer::Platform).await;
        assert_eq!(seat.hear().await, text(error.text()));
    }
    assert!(platform.shells().is_empty());
}

#[tokio::test]
async fn a_first_message_may_be_binary_where_it_may() {
    let platform = platform(&SH, ShellSwitches::default()).await;
    for (server, greeting, opens) in [
        (ShellServer::Platform, greeting("pod-0"), true),
        (ShellServer::Gotty1, r#"{"AuthToken":""}"#.to_owned(), true),
        (ShellServer::Gotty2, r#"{"AuthToken":""}"#.to_owned(), false),
        (
            ShellServer::Sorenisanerd,
            r#"{"AuthToken":""}"#.to_owned(),
            false,
        ),
        (ShellServer::Gotty1, "hello".to_owned(), false),
        (ShellServer::Ttyd, "{no json".to_owned(), true),
    ] {
        let mut seat = Seat::mute(&platform, server).await;
        seat.client.send(BINARY, greeting.as_bytes()).await;
        if opens {
            seat.until("pod$ ").await;
        } else {
            assert_eq!(seat.hear().await, Said::End(Seen::End), "{server:?}");
        }
    }
}

#[tokio::test]
async fn a_shell_that_cannot_be_started_is_told_as_each_server_does() {
    let platform = platform(&["/no/such/shell"], ShellSwitches::default()).await;
    for server in ShellServer::ALL {
        let mut seat = Seat::open(&platform, server).await;
        match server {
            ShellServer::Platform => assert_eq!(seat.hear().await, text("open tty failure!")),
            _ => assert_eq!(seat.hear().await, Said::End(Seen::End), "{server:?}"),
        }
    }
}

#[tokio::test]
async fn a_message_that_cannot_be_understood_ends_a_session() {
    for server in ShellServer::ALL {
        for (message, tally) in [
            (&b"xyz"[..], "unknown"),
            (b"", "empty"),
            (b"-{no", "resize"),
        ] {
            let platform = platform(&SH, ShellSwitches::default()).await;
            let mut seat = Seat::open(&platform, server).await;
            seat.until("pod$ ").await;
            let mut message = message.to_vec();
            if message.first() == Some(&b'-') {
                message[0] = seat.numbers()[1];
            }
            let op = if server == ShellServer::Ttyd {
                BINARY
            } else {
                TEXT
            };
            seat.client.send(op, &message).await;
            let about = format!("{server:?} {tally}");
            match (server, tally) {
                (ShellServer::Ttyd, "unknown" | "resize") => {
                    seat.type_in(b"echo he''re\r").await;
                    seat.until("here\r\n").await;
                }
                (ShellServer::Platform, "empty") => {
                    platform.shells_until(|all| all[0].over).await;
                    seat.quiet().await;
                }
                (ShellServer::Platform, _) => {
                    assert_eq!(seat.hear().await, text("run tty failure!"), "{about}");
                    seat.quiet().await;
                }
                _ => assert_eq!(seat.hear().await, Said::End(Seen::End), "{about}"),
            }
            let counted = platform.tally().await.shell;
            let crashes = u64::from(server == ShellServer::Ttyd && tally == "empty");
            let empty = u64::from(tally == "empty") - crashes;
            assert_eq!(
                (counted.crashes, counted.empty),
                (crashes, empty),
                "{about}"
            );
            assert_eq!(counted.unknown, u64::from(tally != "empty"), "{about}");
        }
    }
}

#[tokio::test]
async fn an_empty_message_cuts_all_that_are_on_ttyd() {
    let platform = platform(&SH, ShellSwitches::default()).await;
    let mut other = Seat::open(&platform, ShellServer::Ttyd).await;
    let mut foreign = Seat::open(&platform, ShellServer::Gotty2).await;
    other.until("pod$ ").await;
    foreign.until("pod$ ").await;
    let mut seat = Seat::mute(&platform, ShellServer::Ttyd).await;
    seat.client.send(TEXT, b"").await;
    assert_eq!(seat.hear().await, Said::End(Seen::End));
    assert_eq!(other.hear().await, Said::End(Seen::End));
    foreign.ping().await;
}

fn alive(pid: &str) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    // One that is only waited for is not alive.
    stat.rsplit_once(')')
        .is_some_and(|(_, rest)| !rest.trim_start().starts_with('Z'))
}

/// A shell with a job in front of it and one behind that ignores HUP; their ids.
async fn family(seat: &mut Seat) -> BTreeSet<String> {
    seat.until("pod$ ").await;
    seat.type_in(b"(trap '' HUP; exec sleep 1000) & echo \"[$$ $!]\"; sh -c 'echo \"<$$>\"; exec sleep 1001'\r").await;
    let marks = |output: &str| {
        let (_, rest) = output.split_once("\r\n[")?;
        let (pair, rest) = rest.split_once(']')?;
        let (_, rest) = rest.split_once("\r\n<")?;
        let (front, _) = rest.split_once('>')?;
        Some(pair.split(' ').chain([front]).map(str::to_owned).collect())
    };
    loop {
        if let Some(pids) = marks(&String::from_utf8_lossy(&seat.output)) {
            return pids;
        }
        seat.hear().await;
    }
}

async fn gone(pids: &BTreeSet<String>) {
    let waits = PATIENCE.as_millis() / 10;
    for _ in 0..waits {
        if !pids.iter().any(|pid| alive(pid)) {
            return;
        }
        sleep(Duration::from_millis(10)).await;
    }
    assert!(!pids.iter().any(|pid| alive(pid)), "{pids:?} live on");
}

#[tokio::test]
async fn no_process_outlives_its_client_or_its_platform() {
    if !Path::new("/proc/self/stat").exists() {
        return;
    }
    let platform = platform(&SH, ShellSwitches::default()).await;
    for server in ShellServer::ALL {
        let mut seat = Seat::open(&platform, server).await;
        let pids = family(&mut seat).await;
        assert_eq!(pids.len(), 3);
        assert!(pids.iter().all(|pid| alive(pid)), "{pids:?}");
        drop(seat);
        gone(&pids).await;
    }
    // A shell that ends leaves nothing behind either.
    let mut seat = Seat::open(&platform, ShellServer::Platform).await;
    let pids = family(&mut seat).await;
    seat.type_in(b"\x03").await;
    seat.type_in(b"exit\r").await;
    gone(&pids).await;
    platform
        .shells_until(|all| all.last().unwrap().exit.is_some())
        .await;
    let mut seats = Vec::new();
    let mut pids = BTreeSet::new();
    for server in ShellServer::ALL {
        let mut seat = Seat::open(&platform, server).await;
        pids.extend(family(&mut seat).await);
        seats.push(seat);
    }
    drop(platform);
    gone(&pids).await;
    for mut seat in seats {
        while !matches!(seat.hear().await, Said::End(_)) {}
    }
}

#[tokio::test]
async fn the_shop_has_pods_with_shells() {
    let platform = Platform::start(Options {
        switches: Switches::default(),
        ..options()
    })
    .await
    .unwrap();
    let targets = platform.targets();
    let shell = targets
        .iter()
        .find(|one| one.what == "a shell in a pod of order-center")
        .unwrap();
    let url = platform.shell_url("order-center", None).unwrap();
    assert_eq!(shell.url, url);
    assert!(
        targets
            .iter()
            .any(|one| one.url == platform.server_url(ShellServer::Ttyd))
    );
    let (address, id) = url.split_once('#').unwrap();
    assert_eq!(address, platform.ws_url("/docker_console"));
    let [tenant, service, pod] = id.split('/').collect::<Vec<_>>().try_into().unwrap();
    assert_eq!(platform.pods(service), platform.pods("order-center"));
    assert_eq!(platform.pods(service)[0], pod);
    let second = platform.pods(service)[1].clone();
    assert!(
        platform
            .shell_url(service, Some(&second))
            .unwrap()
            .ends_with(&second)
    );
    assert_eq!(platform.shell_url(service, Some("other")), None);
    assert_eq!(platform.shell_url("other", None), None);
    for (namespace, container, found) in [
        ("", "", true),
        ("", "order-center", true),
        ("", service, true),
        (tenant, "", true),
        ("other", "", false),
        ("", "other", false),
    ] {
        let mut seat = Seat::mute(&platform, ShellServer::Platform).await;
        let greeting = greeting_in([tenant, service, pod], container, namespace);
        seat.client.say(&greeting).await;
        if found {
            seat.until("order-center$ ").await;
        } else {
            assert_eq!(
                seat.hear().await,
                text("Get default container name failure!")
            );
        }
    }
}
