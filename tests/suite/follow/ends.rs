//! The exit codes, each from a run of its own; and what is said of a fault: one line with the
//! thing, the reason and the next step.

#![expect(clippy::unwrap_used, reason = "test helper")]

use std::time::Duration;

use deckwatch::demo::hostile::{Act, Hostile, Ill};
use deckwatch::demo::{Answer, Switches};

use crate::program::{ClosedPort, Done, docker_url, platform, program, shell, unharmed};

/// One line: `deckwatch: thing: reason; next step`.
fn told(done: &Done, thing: &str, reason: &str) {
    assert_eq!(done.err.lines().count(), 1, "{}", done.err);
    let line = done.err.trim_end();
    assert!(line.starts_with("deckwatch: "), "{line}");
    assert!(line.contains(thing), "{line} names no {thing}");
    assert!(line.contains(reason), "{line} does not say {reason}");
    let next = line.rsplit("; ").next().unwrap();
    assert!(
        next.len() < line.len() && next.len() > 8,
        "{line} has no next step"
    );
    assert!(!line.chars().any(char::is_control), "{line:?}");
}

#[tokio::test]
async fn what_cannot_be_meant_ends_with_2() {
    let cases: &[(&[&str], &str, &str)] = &[
        (&["nonsense"], "nonsense", "no target"),
        (
            &["ws://h:6060/docker_log"],
            "ws://h:6060/docker_log",
            "SERVICE_ID is missing",
        ),
        (&["ws://h:6060/docker_log#a=b"], "docker_log", "="),
        (
            &["ws://h:6060/nowhere#a"],
            "nowhere",
            "neither a log stream",
        ),
        (&["http://h/docker_log#a"], "http://h", "ws://"),
        (&["ws://u:secret@h/docker_log#a"], "ws://", "password"),
        (&["tcp://h#a", "-f"], "tcp://h", "port"),
        (&["tcp://h:1?layout=odd", "-f"], "tcp://h:1", "odd"),
        (&["tcp://h:1"], "tcp://h:1", "no history"),
        (&["ws://h/services/a/pubsub#x-a"], "x-a", "no channel"),
        (&["file:"], "file:", "no file"),
        (&["-", "-i", "("], "-i", "unclosed group"),
        (&["-", "-e", "[z-a]"], "-e", "range"),
        (&["-", "--until-match", "*"], "--until-match", "repetition"),
        (&["-", "--fail-match", "\\"], "--fail-match", "escape"),
        (&["-", "--seq-regex", "("], "--seq-regex", "unclosed group"),
        (&["-", "--seq-regex", "(a)|(b)"], "--seq-regex", "2 groups"),
    ];
    for (args, thing, reason) in cases {
        let done = program(["logs"].iter().chain(*args)).end().await.expect(2);
        told(&done, thing, reason);
        assert!(!done.err.contains("secret"), "{}", done.err);
        assert_eq!(done.out, b"");
    }
    // What the argument parser refuses is in its own words.
    for args in [
        &["logs"][..],
        &["logs", "-", "--nope"],
        &["logs", "-", "--for", "10"],
        &["logs", "-", "--tail", "x"],
        &["logs", "-", "--count", "2"],
        &["logs", "-", "--reconnect", "often"],
        &["logs", "-", "-o", "xml"],
        &["wait", "-"],
    ] {
        let done = program(args).end().await.expect(2);
        assert!(
            done.err.starts_with("error: ") && done.out.is_empty(),
            "{args:?}"
        );
    }
    // The interface needs a terminal.
    let done = program(["-"]).end().await.expect(2);
    told(&done, "interface", "no terminal");
    let done = program(["-", "--seq-regex", "*"]).end().await.expect(2);
    told(&done, "--seq-regex", "repetition");
}

#[tokio::test]
async fn each_answer_of_a_server_has_its_code() {
    let answers = [
        (Answer::EmptyOk, 5, "200"),
        (Answer::Refuse(301), 5, "redirects"),
        (Answer::Refuse(400), 5, "400"),
        (Answer::Refuse(401), 4, "401"),
        (Answer::Refuse(403), 4, "403"),
        (Answer::Refuse(404), 3, "404"),
        (Answer::Refuse(407), 5, "407"),
        (Answer::Refuse(429), 5, "429"),
        (Answer::Refuse(500), 5, "500"),
        (Answer::Refuse(503), 5, "503"),
        (Answer::Silence, 5, "did not answer"),
    ];
    for (answer, code, reason) in answers {
        let platform = platform(Switches {
            answer,
            ..Switches::default()
        })
        .await;
        let url = docker_url(&platform, "a");
        let done = program(["logs", "-f", &url]).end().await.expect(code);
        told(&done, platform.ws_url("/docker_log").as_str(), reason);
        unharmed(platform).await;
    }
}

#[tokio::test]
async fn nothing_that_listens_ends_with_5() {
    let closed = ClosedPort::new();
    let port = closed.number();
    for target in [
        format!("ws://127.0.0.1:{port}/docker_log#a"),
        format!("ws://localhost:{port}/event_log#a"),
        format!("tcp://127.0.0.1:{port}"),
    ] {
        let done = program(["logs", "-f", &target]).end().await.expect(5);
        told(&done, &port.to_string(), "refused");
    }
    let name = "ws://no-such-host.invalid/docker_log#a";
    let done = program(["logs", "-f", name]).end().await.expect(5);
    told(&done, "no-such-host.invalid", "");
    // A plain port that is asked for TLS.
    let garbage = Hostile::start(Ill::Garbage.script()).await.unwrap();
    let target = format!("wss://{}/docker_log#a", garbage.addr());
    let done = program(["logs", "-f", &target]).end().await.expect(5);
    told(&done, "127.0.0.1", "TLS");
}

/// Back after a loss; more was said meanwhile than the history has.
#[tokio::test]
async fn lines_that_are_missing_end_a_strict_run_with_6_and_a_loss_without_any_does_not() {
    let platform = platform(Switches::default()).await;
    let say = async |from: u32, to: u32| {
        for number in from..to {
            let line = format!("line {number}");
            platform
                .inject_log("a", "0123456789ab", line.as_bytes())
                .await;
        }
    };
    let url = docker_url(&platform, "a");
    say(0, 50).await;
    let mut run = program(["logs", "-fq", "--no-prefix", "--strict", &url]).start();
    run.until_out("line 49\n").await;
    platform.restart(Duration::from_millis(50)).await;
    say(50, 60).await;
    run.until_out("line 59\n").await;
    // What is stored would have them.
    platform.set_switch(|switches| switches.rest.stored_logs = false);
    tokio::join!(platform.restart(Duration::from_millis(50)), say(60, 1200));
    let done = run.end().await.expect(6);
    assert_eq!(done.err.lines().count(), 1, "{}", done.err);
    assert!(
        done.err
            .ends_with("gap: lines are missing, how many is unknown (--strict)\n"),
        "{}",
        done.err
    );
    let text = done.text();
    let lines: Vec<&str> = text.lines().take(60).collect();
    let want: Vec<String> = (0..60).map(|number| format!("line {number}")).collect();
    assert_eq!(lines, want);
    unharmed(platform).await;
}

#[tokio::test]
async fn lost_and_broken_streams_have_6_and_7() {
    let platform = platform(Switches {
        end_after: Some(1),
        ..Switches::default()
    })
    .await;
    for word in ["one", "two"] {
        platform
            .inject_log("a", "0123456789ab", word.as_bytes())
            .await;
    }
    let url = docker_url(&platform, "a");
    let args = ["logs", "-fq", "--no-prefix", "--reconnect", "never", &url];
    let done = program(args).end().await.expect(6);
    assert_eq!(done.text(), "one\n");
    told(&done, "docker_log#a", "closed the connection");
    unharmed(platform).await;
    // A frame over the limit.
    let huge = Hostile::start(Ill::HugeFrame.script()).await.unwrap();
    let target = format!("ws://{}/docker_log#a", huge.addr());
    let args = ["logs", "-fq", "--reconnect", "never", &target];
    told(
        &program(args).end().await.expect(7),
        "docker_log#a",
        "4 MiB",
    );
    // An event stream that speaks of something else.
    let frame = bytes::Bytes::from_static(b"\x81\x05hello");
    let odd = Hostile::start(vec![Act::Upgrade, Act::Write(frame), Act::Hold])
        .await
        .unwrap();
    let target = format!("ws://{}/event_log#a", odd.addr());
    told(
        &program(["logs", "-f", &target]).end().await.expect(7),
        "event",
        "no event",
    );
    // A server that throws us out each time: an answer after three times.
    let refusing = Hostile::start(vec![Act::Upgrade, Act::Read(1)])
        .await
        .unwrap();
    let target = format!("ws://{}/docker_log#a", refusing.addr());
    let done = program(["logs", "-f", "-q", &target]).end().await.expect(7);
    told(&done, "\"a\"", "three times");
    assert_eq!(refusing.accepted(), 3);
}

#[tokio::test]
async fn help_and_version_go_to_standard_output() {
    for args in [
        &["--help"][..],
        &["logs", "--help"],
        &["-h"],
        &["--version"],
        &["help", "wait"],
    ] {
        let done = program(args).end().await.expect(0);
        assert!(!done.out.is_empty() && done.err.is_empty(), "{args:?}");
    }
}

#[tokio::test]
async fn a_server_whose_targets_cannot_be_told_does_not_run() {
    let script = format!(
        "{} demo --serve >/dev/full",
        env!("CARGO_BIN_EXE_deckwatch")
    );
    let done = shell(&script).end().await.expect(74);
    told(&done, "standard output", "can't be written");
    for rate in ["0", "nan", "inf", "1e300"] {
        let done = program(["demo", "--serve", "--rate", rate]).end().await;
        assert!(done.expect(2).err.contains("is no factor"), "{rate}");
    }
}
