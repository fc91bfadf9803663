//! `deckwatch shell` as a program: pipes, `--exec`, exit codes, recordings, secrets.

use std::fs;

use deckwatch::demo::{Options, Platform, ShellRecord, ShellServer as Server};
use rustix::process::Signal;

use super::desk::{SERVERS, platform, platform_with, url};
use crate::faulty::Home;
use crate::program::{Done, program};

async fn run(args: &[&str]) -> Done {
    program(args).end().await
}

#[tokio::test(flavor = "multi_thread")]
async fn one_command_gives_its_output_alone_and_its_status() {
    let platform = platform(&["/bin/sh"]).await;
    for server in SERVERS {
        let url = url(&platform, server);
        for (command, out, code) in [
            ("true", "", 0),
            ("echo out; echo err >&2; exit 5", "out\nerr\n", 5),
            ("printf 'no newline'", "no newline", 0),
            ("printf 'a\\tb\\r\\n中🚀\\001\\n'", "a\tb\r\n中🚀\u{1}\n", 0),
            (
                "echo 'quotes \"$HOME\" it'\\''s'\necho second; false",
                "quotes \"$HOME\" it's\nsecond\n",
                1,
            ),
            ("no-such-program-here 2>/dev/null", "", 127),
            ("/etc/passwd 2>/dev/null", "", 126),
            ("cat; echo eof", "eof\n", 0),
            ("echo 'é	tab ünïcode'", "é\ttab ünïcode\n", 0),
        ] {
            let done = run(&["shell", "--exec", command, &url]).await.expect(code);
            assert_eq!(done.text(), out, "{server:?} {command}");
            assert_eq!(done.err, "", "{command}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_command_and_much_output_are_whole() {
    let platform = platform(&["bash", "--norc"]).await;
    let long = format!("echo '{}' | wc -c; seq 1 200000", "x".repeat(20_000));
    for server in [Server::Platform, Server::Ttyd] {
        let done = run(&["shell", "--exec", &long, &url(&platform, server)])
            .await
            .expect(0);
        let lines = done.lines();
        assert_eq!(
            (lines.len(), lines[0].as_str()),
            (200_001, "20001"),
            "{server:?}"
        );
        assert_eq!(lines.last().unwrap(), "200000");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_keeps_a_command_from_running_has_its_own_code() {
    let platform = platform(&["/bin/sh"]).await;
    let pod = |name: &str| format!("{}#ten/svc/{name}", platform.server_url(Server::Platform));
    let at = |target: String, args: &'static [&'static str]| {
        let mut all = vec!["shell".to_owned(), "--exec".into()];
        all.extend(args.iter().map(|arg| (*arg).to_owned()));
        all.push(target);
        async move { program(all).end().await }
    };
    let late = at(pod("pod-0"), &["sleep 30", "--timeout", "500ms"])
        .await
        .expect(124);
    assert!(late.err.contains("did not end in 500 ms"), "{}", late.err);
    at(pod("nobody"), &["true"]).await.expect(3);
    at(pod("noexec-0"), &["true"]).await.expect(3);
    let gone = "ws://127.0.0.1:1/docker_console#t/s/p".to_owned();
    at(gone, &["true"]).await.expect(5);
    // The wait for a container counts too.
    let mute = platform_with(&["/bin/sh"], |s| s.shell.silent = true).await;
    let done = at(
        url(&mute, Server::Platform),
        &["true", "--timeout", "700ms"],
    )
    .await
    .expect(124);
    assert!(
        done.err.contains("there was no shell in 700 ms"),
        "{}",
        done.err
    );
    // Something that is no POSIX shell never says the marks.
    let cat = super::desk::platform(&["sh", "-c", "stty -echo; exec cat >/dev/null"]).await;
    let done = at(url(&cat, Server::Gotty1), &["true", "--timeout", "1s"])
        .await
        .expect(7);
    assert!(done.err.contains("POSIX shell"), "{}", done.err);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shell_works_in_a_pipe() {
    let platform = platform(&["/bin/sh"]).await;
    for server in SERVERS {
        for input in ["echo a-$((6*7))-z\n", "echo a-$((6*7))-z"] {
            let url = url(&platform, server);
            let done = program(["shell", &url]).input(input).end().await.expect(0);
            assert!(
                done.text().contains("a-42-z"),
                "{server:?} {:?}",
                done.text()
            );
            assert_eq!(done.err, "", "{server:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_connection_says_so_and_ends_with_6() {
    let platform = platform_with(&["/bin/sh"], |s| s.shell.reset_after = Some(5)).await;
    for server in SERVERS {
        let url = url(&platform, server);
        let mut run = program(["shell", &url]).open_input().start();
        run.until_out("$ ").await;
        run.feed(b"echo hello\n");
        let done = run.end().await.expect(6);
        assert!(done.err.contains("the connection was lost"), "{}", done.err);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_can_not_be_meant_is_refused_before_anything_is_dialled() {
    for (args, words) in [
        (&["shell", "ws://h/docker_log#a"][..], "it is no shell"),
        (
            &["shell", "ws://h/docker_console#t/s"],
            "tenant, service and pod",
        ),
        (
            &["logs", "ws://h/docker_console#t/s/p"],
            "a shell, not a log",
        ),
        (&["logs", "http://h:8080/"], "a shell, not a log"),
        (&["shell", "http://user:pw@h/"], "read by every user"),
        (
            &["shell", "--dialect", "nope", "http://h/"],
            "none of platform",
        ),
        (&["shell", "--timeout", "1s", "http://h/"], "--exec"),
        (
            &["shell", "--password-file", "/nowhere", "http://u@h/"],
            "/nowhere",
        ),
        (&["shell", "--password-stdin", "http://h/"], "names no user"),
        (&["replay", "--headless", "/nowhere"], "/nowhere"),
        (&["replay", "--headless", "Cargo.toml"], "asciicast"),
    ] {
        let done = run(args).await.expect(2);
        assert!(done.err.contains(words), "{args:?}: {}", done.err);
        assert!(!done.err.contains("pw@"), "{}", done.err);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn passwords_come_from_files_and_pipes_and_are_in_no_message() {
    let canary = "c4n4ry-pa55";
    let options = Options {
        world: false,
        zmq: false,
        credential: Some(format!("user:{canary}")),
        ..Options::default()
    };
    let platform = Platform::start(options).await.unwrap();
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("password");
    let state = dir.path().join("state");
    fs::write(&file, format!("{canary}\n")).unwrap();
    let wrong = dir.path().join("wrong");
    fs::write(&wrong, format!("{canary}-not\n")).unwrap();
    for server in [
        Server::Gotty1,
        Server::Gotty2,
        Server::Sorenisanerd,
        Server::Ttyd,
    ] {
        let url = url(&platform, server).replace("http://", "http://user@");
        // Twice: the second time the dialect is remembered.
        for _ in 0..2 {
            let args = [
                "shell",
                "--exec",
                "echo in",
                "--password-file",
                file.to_str().unwrap(),
                &url,
            ];
            let done = program(args)
                .env("XDG_STATE_HOME", &state)
                .end()
                .await
                .expect(0);
            assert_eq!(done.text(), "in\n");
        }
        let args = ["shell", "--exec", "echo in", "--password-stdin", &url];
        let done = program(args)
            .input(format!("{canary}\n"))
            .end()
            .await
            .expect(0);
        assert_eq!(done.text(), "in\n");
        let args = [
            "shell",
            "--exec",
            "echo in",
            "--password-file",
            wrong.to_str().unwrap(),
            &url,
        ];
        let done = program(args)
            .env("XDG_STATE_HOME", &state)
            .end()
            .await
            .expect(4);
        assert!(
            !done.err.contains(canary) && !done.text().contains(canary),
            "{}",
            done.err
        );
        // No terminal to ask on, or nobody there: it says how else.
        let bare = url.replace("user@", "");
        let done = run(&["shell", "--exec", "echo in", &bare]).await.expect(4);
        assert!(done.err.contains("--password-file"), "{}", done.err);
    }
    let remembered = fs::read_to_string(state.join("deckwatch/dialects.json")).unwrap();
    assert!(!remembered.contains(canary) && !remembered.contains("user"));
}

#[tokio::test]
async fn a_password_that_does_not_come_is_left_by_a_signal() {
    let home = Home::new();
    let pipe = home.pipe();
    for (from, signal, code) in [
        (
            &["--password-file", pipe.to_str().unwrap()][..],
            Signal::TERM,
            143,
        ),
        (&["--password-stdin"], Signal::INT, 130),
    ] {
        let args = [
            &["shell", "--exec", "true"],
            from,
            &["http://user@192.0.2.1/"],
        ]
        .concat();
        let mut run = program(args).open_input().start();
        // Said before the password is read, and nothing is dialled before it is there.
        run.until_err("not encrypted").await;
        run.signal(signal);
        run.end().await.expect(code);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_that_nobody_wants_does_no_harm_twice() {
    let platform = platform(&["/bin/sh"]).await;
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("password");
    fs::write(&file, "pw").unwrap();
    for server in [
        Server::Gotty1,
        Server::Gotty2,
        Server::Sorenisanerd,
        Server::Ttyd,
    ] {
        let url = url(&platform, server).replace("http://", "http://user@");
        for _ in 0..3 {
            let args = [
                "shell",
                "--exec",
                "echo in",
                "--password-file",
                file.to_str().unwrap(),
                &url,
            ];
            program(args)
                .env("XDG_STATE_HOME", dir.path())
                .end()
                .await
                .expect(0);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recording_holds_what_was_shown_and_can_be_read_again() {
    let platform = platform(&[
        "sh",
        "-c",
        "printf 'h\\344'; sleep 0.2; printf '\\270\\255\\033[1m bold\\n'; read x; echo got",
    ])
    .await;
    let dir = tempfile::tempdir().unwrap();
    let cast = dir.path().join("s.cast");
    let args = [
        "shell",
        "--record",
        cast.to_str().unwrap(),
        &url(&platform, Server::Ttyd),
    ];
    let mut run_on = program(args).open_input().start();
    run_on.until_out("bold").await;
    run_on.feed(b"secret typed\n");
    run_on.end().await.expect(0);
    let text = fs::read_to_string(&cast).unwrap();
    let header: serde_json::Value = serde_json::from_str(text.lines().next().unwrap()).unwrap();
    assert_eq!(
        (&header["version"], &header["width"]),
        (&2.into(), &80.into())
    );
    assert!(text.contains("中") && !text.contains("\"i\""), "{text}");
    let done = run(&["replay", "--headless", cast.to_str().unwrap()])
        .await
        .expect(0);
    let shown = done.text();
    assert!(
        shown.contains("h中 bold\n") && shown.contains("got\n") && !shown.contains('\x1b'),
        "{shown:?}"
    );
    // A recording is never written over.
    program(args).input("x\n").end().await.expect(2);
    assert_eq!(fs::read_to_string(&cast).unwrap(), text);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_that_has_ended_before_its_output_was_taken_ends_by_a_signal_as_such() {
    let platform = platform(&["/bin/sh"]).await;
    // More than a pipe takes, and less than waits beside it.
    let command = "head -c 75000 /dev/zero | tr '\\0' x";
    let url = url(&platform, Server::Ttyd);
    let run = program(["shell", "--exec", command, &url]).unread().start();
    let is_over = |shells: &[ShellRecord]| shells.first().is_some_and(|shell| shell.over);
    platform.shells_until(is_over).await;
    run.signal(Signal::TERM);
    run.end().await.expect(143);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signal_ends_a_shell_whose_output_nobody_takes() {
    let platform = platform(&["yes"]).await;
    for args in [&["shell"][..], &["shell", "--exec", "yes"]] {
        let url = url(&platform, Server::Ttyd);
        let mut all = args.to_vec();
        all.push(&url);
        let before = platform.shells().len();
        let mut run = program(&all).open_input().unread().start();
        if args.len() == 1 {
            // How much the platform has sent by then depends on the system's socket buffers.
            run.until_stuffed().await;
        } else {
            // What comes before the command has begun is read and thrown away, without end.
            let sent = |shells: &[ShellRecord]| {
                shells
                    .get(before)
                    .is_some_and(|shell| shell.output > 1 << 20)
            };
            platform.shells_until(sent).await;
        }
        run.signal(Signal::TERM);
        run.close_input();
        run.end().await.expect(143);
    }
}
