//! Pipes that close, disks that are full, signals.

#![expect(clippy::unwrap_used, reason = "test helper")]

use std::io::{Read, Write};
use std::process::Stdio;
use std::time::Duration;

use bytes::Bytes;
use deckwatch::clock;
use deckwatch::demo::Switches;
use deckwatch::demo::hostile::{Act, Hostile};
use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};
use rustix::process::Signal;

use crate::program::{CID, SERVICE, accepted, docker_url, platform, program, shell, unharmed};

const BIN: &str = env!("CARGO_BIN_EXE_deckwatch");

#[tokio::test]
async fn a_reader_that_has_enough_ends_the_run_in_silence() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("x.log");
    std::fs::write(&path, "0123456789\n".repeat(200_000)).unwrap();
    for flags in ["", "-f", "-o json", "-o raw"] {
        // The program's own code comes out beside the pipe.
        let script = format!(
            "{{ '{BIN}' logs {flags} file:{}; echo \"code $?\" >&2; }} | head -1",
            path.display()
        );
        let done = shell(&script).end().await.expect(0);
        assert_eq!(done.lines().len(), 1, "{flags}");
        let err: Vec<&str> = done
            .err
            .lines()
            .filter(|line| !line.ends_with(": live"))
            .collect();
        assert_eq!(err, ["code 0"], "{flags}");
    }
}

#[tokio::test]
async fn a_quiet_stream_notices_that_its_reader_is_gone() {
    let platform = platform(Switches::default()).await;
    platform.inject_log(SERVICE, CID, b"only one").await;
    let mut run = program(["logs", "-f", &docker_url(&platform, SERVICE)])
        .unread()
        .start();
    run.until_err("live").await;
    run.close_output();
    run.end().await.expect(0);
    unharmed(platform).await;
}

#[tokio::test]
async fn closed_and_full_outputs_are_told_apart() {
    let done = shell(&format!("printf 'x\\n' | '{BIN}' logs - >&-"))
        .end()
        .await;
    assert_eq!(done.expect(0).err, "");
    for flags in [
        &["logs", "-"][..],
        &["logs", "-", "-o", "json"],
        &["logs", "-f", "-", "-q"],
    ] {
        let full = std::fs::OpenOptions::new()
            .write(true)
            .open("/dev/full")
            .unwrap();
        let done = program(flags).input("x\n").stdout(Stdio::from(full)).end();
        let done = done.await.expect(74);
        assert_eq!(done.err.lines().count(), 1, "{}", done.err);
        assert!(
            done.err.contains("standard output") && done.err.contains("; "),
            "{}",
            done.err
        );
    }
    // Nothing to say is nothing lost.
    let full = std::fs::OpenOptions::new()
        .write(true)
        .open("/dev/full")
        .unwrap();
    program(["logs", "-"])
        .input("")
        .stdout(Stdio::from(full))
        .end()
        .await
        .expect(0);
    let script = format!("printf 'x\\n' | '{BIN}' logs - --stats 2>&-");
    assert_eq!(shell(&script).end().await.expect(0).text(), "x\n");
}

#[tokio::test]
async fn signals_end_with_their_codes_after_the_output() {
    let platform = platform(Switches::default()).await;
    platform.inject_log(SERVICE, CID, b"hello").await;
    let url = docker_url(&platform, SERVICE);
    let ends = [
        (Signal::INT, 130),
        (Signal::TERM, 143),
        (Signal::HUP, 129),
        (Signal::QUIT, 131),
    ];
    let runs = ends.map(|(signal, code)| {
        let url = url.clone();
        async move {
            let mut run = program(["logs", "-f", "--stats", "--no-prefix", &url]).start();
            run.until_out("hello\n").await;
            // Still in the replay: it is drained before the program ends.
            run.signal(signal);
            let done = run.end().await.expect(code);
            assert_eq!(done.text(), "hello\n");
            assert!(done.err.contains("printed 1"), "{}", done.err);
        }
    });
    futures_util::future::join_all(runs).await;
    unharmed(platform).await;
}

#[tokio::test]
async fn a_signal_is_heard_before_any_connection_and_between_two() {
    // Accepts and says nothing.
    let silent = Hostile::start(vec![Act::Hold]).await.unwrap();
    let url = format!("ws://{}/docker_log#a", silent.addr());
    let run = program(["logs", "-f", &url]).start();
    while silent.accepted() == 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    run.signal(Signal::INT);
    run.end().await.expect(130);

    let platform = platform(Switches::default()).await;
    let mut run = program(["logs", "-f", &docker_url(&platform, SERVICE)]).start();
    run.until_err("live").await;
    platform.set_switch(|switches| switches.answer = deckwatch::demo::Answer::Silence);
    platform.drop_connections();
    run.until_err("attempt 1").await;
    run.signal(Signal::TERM);
    run.end().await.expect(143);
    unharmed(platform).await;
}

fn replayed(text: &str) -> Bytes {
    let message = format!("{{\"event_id\":\"a\",\"message\":\"{CID}:{text}\"}}");
    let mut frame = vec![0x81, u8::try_from(message.len()).unwrap()];
    frame.extend(message.as_bytes());
    frame.into()
}

#[tokio::test]
async fn a_second_ctrl_c_does_not_wait_for_the_replay() {
    // A replay that takes far longer than the 10 s for which it would be drained.
    let mut script = vec![Act::Upgrade];
    for number in 0..200 {
        script.push(Act::Write(replayed(&number.to_string())));
        script.push(Act::Wait(Duration::from_millis(250)));
    }
    let server = Hostile::start(script).await.unwrap();
    let url = format!("ws://{}/docker_log#a", server.addr());
    let mut run = program(["logs", "-f", &url]).start();
    run.until_lines(1).await;
    run.signal(Signal::INT);
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert!(run.is_running(), "the first one drains");
    let start = clock::now();
    run.signal(Signal::INT);
    let done = run.end().await.expect(130);
    assert!(
        clock::now() - start < Duration::from_secs(5),
        "the second one does not"
    );
    assert!(
        done.lines().len() < 10,
        "nothing is printed while it drains"
    );
}

#[tokio::test]
async fn leaving_in_the_replay_drains_it_first() {
    let platform = platform(Switches {
        history_pace: Duration::from_millis(2),
        ..Switches::default()
    })
    .await;
    let lines = (0..800).map(|n| Bytes::from(format!("line {n}"))).collect();
    platform.inject_logs(SERVICE, CID, lines).await;
    let url = docker_url(&platform, SERVICE);
    // By a signal, by a met condition, by a closed pipe.
    let by_signal = async {
        let mut run = program(["logs", "-f", &url]).start();
        run.until_lines(3).await;
        run.signal(Signal::INT);
        run.end().await.expect(130);
    };
    let by_condition = async {
        let args = ["logs", "-f", "--until-match", "line 5", "--no-prefix", &url];
        let done = program(args).end().await.expect(0);
        assert_eq!(done.lines().last().unwrap(), "line 5");
    };
    let by_count = async {
        let done = program(["logs", "--max-lines", "7", &url]).end().await;
        assert_eq!(done.expect(0).lines().len(), 7);
    };
    let by_pipe = async {
        let mut run = program(["logs", "-f", &url]).unread().start();
        accepted(&platform, 4).await;
        run.close_output();
        run.end().await.expect(0);
    };
    tokio::join!(by_signal, by_condition, by_count, by_pipe);
    unharmed(platform).await;
}

/// As in `2>&1 | less`.
#[tokio::test]
async fn errors_that_nobody_reads_hold_up_neither_lines_nor_signals() {
    let platform = platform(Switches::default()).await;
    let url = docker_url(&platform, SERVICE);
    for reads in [true, false] {
        let (mut reader, writer) = std::io::pipe().unwrap();
        let flags = fcntl_getfl(&writer).unwrap();
        fcntl_setfl(&writer, flags | OFlags::NONBLOCK).unwrap();
        let mut filled = 0;
        while let Ok(some) = (&writer).write(&[b'x'; 4096]) {
            filled += some;
        }
        fcntl_setfl(&writer, flags).unwrap();
        let args = ["logs", "-f", "-o", "raw", &url];
        let mut run = program(args).stderr(writer).start();
        platform.inject_log(SERVICE, CID, b"hello").await;
        run.until_out("hello\n").await;
        run.signal(Signal::INT);
        if reads {
            let said = std::thread::spawn(move || {
                let mut said = Vec::new();
                reader.read_to_end(&mut said).map(|_| said).unwrap()
            });
            run.end().await.expect(130);
            let said = said.join().unwrap().split_off(filled);
            let said = String::from_utf8(said).unwrap();
            assert!(said.lines().all(|line| line.starts_with("deckwatch: ")));
            assert!(said.contains("+ 0123456789ab"), "{said}");
        } else {
            run.end().await.expect(130);
        }
    }
    unharmed(platform).await;
}

#[tokio::test]
async fn a_second_ctrl_c_does_not_wait_for_a_reader_that_is_stuck() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("x.log");
    std::fs::write(&path, "0123456789\n".repeat(200_000)).unwrap();
    let target = format!("file:{}", path.display());
    for flags in [&[][..], &["-o", "json", "--stats"]] {
        let words = ["logs", "-f", &target];
        let mut run = program(words.iter().chain(flags)).unread().start();
        run.until_stuffed().await;
        run.signal(Signal::INT);
        tokio::time::sleep(Duration::from_millis(500)).await;
        assert!(run.is_running(), "the first one waits for the output");
        run.signal(Signal::INT);
        let start = clock::now();
        run.end().await.expect(130);
        assert!(clock::now() - start < Duration::from_secs(20));
    }
}
