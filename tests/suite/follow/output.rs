//! How lines look, and where else they go.

#![expect(clippy::unwrap_used, reason = "test helper")]

use std::io::Read as _;

use deckwatch::demo::Switches;
use portable_pty::{CommandBuilder, PtySize, native_pty_system};

use crate::program::{
    CID, Done, SERVICE, docker_url, messages, of_type, platform, program, unharmed,
};

const OTHER: &str = "ffffffffffffffffffffffffffffffff";

async fn of(args: &str, input: &[u8]) -> Done {
    let words = ["logs", "-"].into_iter().chain(args.split_whitespace());
    program(words).input(input).end().await.expect(0)
}

#[tokio::test]
async fn controls_are_escaped_shown_or_kept() {
    let line = b"a\x1b[31mred\x1b[0m\x07\0\x9b\xc2\x9b\tb\r\n";
    for (args, want) in [
        (
            "",
            &b"a\\x1b[31mred\\x1b[0m\\x07\\x00\\x9b\\x9b\tb\\x0d\n"[..],
        ),
        ("--sanitize off", line),
        ("-o raw", line),
        ("-o raw --sanitize on", line),
    ] {
        let done = of(args, line).await;
        let (got, want) = (done.out.escape_ascii(), want.escape_ascii());
        assert_eq!(got.to_string(), want.to_string(), "{args}");
    }
    let shown = of("--sanitize on", line).await;
    assert!(
        !shown.out.iter().any(|byte| *byte < b' ' && *byte != b'\n'),
        "{:?}",
        shown.text()
    );
    assert!(shown.text().contains("red"), "{:?}", shown.text());
    let coloured = of("--sanitize on --color always", line).await;
    assert!(coloured.text().contains("\x1b["), "{:?}", coloured.text());
}

#[tokio::test]
async fn json_of_hostile_lines_is_safe_and_whole() {
    let line = b"\"\\\x1b]0;t\x07\xff\xfe \xe2\x80\xa8 {\"type\":\"gap\"}\n";
    let done = of("-o json", line).await;
    let rows = done.json();
    let lines = of_type(&rows, "line");
    assert_eq!(lines.len(), 1);
    assert!(lines.first().unwrap()["raw_b64"].is_string());
    assert!(of_type(&rows, "gap").is_empty());
    assert_eq!(of_type(&rows, "end").len(), 1);
}

#[tokio::test]
async fn times_have_four_styles_and_a_zone() {
    let digits = |text: &str| -> String {
        let shape = text
            .chars()
            .map(|c| if c.is_ascii_digit() { '9' } else { c });
        shape.collect()
    };
    for (args, want) in [
        ("-t --timezone UTC", "99:99:99.999 x"),
        ("-t=short --timezone UTC", "99:99:99.999 x"),
        (
            "--timestamps=full --timezone UTC",
            "9999-99-99 99:99:99.999 x",
        ),
        (
            "-t=rfc3339 --timezone UTC",
            "9999-99-99T99:99:99.999999+99:99 x",
        ),
        (
            "-t=rfc3339 --timezone Asia/Shanghai",
            "9999-99-99T99:99:99.999999+99:99 x",
        ),
        ("-t=relative", "+9.999 x"),
    ] {
        let done = of(args, b"x\n").await;
        assert_eq!(digits(done.text().trim_end()), want, "{args}");
        let zone = if args.contains("Shanghai") {
            "+08:00"
        } else {
            "+00:00"
        };
        assert!(
            !args.contains("rfc") || done.text().contains(zone),
            "{args}"
        );
    }
    let done = program(["logs", "-", "--timezone", "Mars/Base"])
        .end()
        .await;
    assert!(done.expect(2).err.contains("Mars/Base"));
}

#[tokio::test]
async fn prefixes_name_component_and_container() {
    let platform = platform(Switches::default()).await;
    platform.inject_log(SERVICE, CID, b"one").await;
    platform.inject_log(OTHER, "fedcba987654", b"two").await;
    let first = docker_url(&platform, SERVICE);
    let second = docker_url(&platform, OTHER);
    let pubsub = format!(
        "{}#l-{SERVICE},l-{OTHER}",
        platform.ws_url("/services/x/pubsub")
    );
    let cases: [(Vec<&str>, &[&str]); 5] = [
        (vec![&first], &["0123456789ab one"]),
        (vec![&first, "--no-prefix"], &["one"]),
        (
            vec![&first, &second],
            &[
                "a1b2c3d4e5f6 0123456789ab one",
                "ffffffffffff fedcba987654 two",
            ],
        ),
        (
            vec![&pubsub],
            &[
                "a1b2c3d4e5f6 0123456789ab one",
                "ffffffffffff fedcba987654 two",
            ],
        ),
        (vec![&pubsub, "-o", "raw"], &["one", "two"]),
    ];
    let runs = cases.iter().map(|(args, want)| async move {
        let done = program(["logs"].iter().chain(args)).end().await.expect(0);
        let mut lines = done.lines();
        lines.sort();
        let mut want = want.to_vec();
        want.sort_unstable();
        assert_eq!(lines, want, "{args:?}");
    });
    futures_util::future::join_all(runs).await;
    let coloured = program(["logs", &first, "--color", "always"]).end().await;
    let text = coloured.expect(0).text();
    assert!(
        text.contains("0123456789ab\x1b[") && text.ends_with(" one\n"),
        "{text:?}"
    );
    unharmed(platform).await;
}

#[tokio::test]
async fn a_copy_goes_to_a_file_that_is_rotated() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("copy.log");
    let lines: Vec<String> = (0..3000).map(|n| format!("line number {n}\n")).collect();
    let input = lines.concat();
    let path_text = path.to_str().unwrap();
    let args = [
        "logs",
        "-",
        "-O",
        path_text,
        "--rotate-size",
        "16K",
        "--rotate-keep",
        "2",
    ];
    let done = program(args).input(input.as_str()).end().await.expect(0);
    assert_eq!(done.text(), input);
    let mut kept = String::new();
    for name in ["copy.log.2", "copy.log.1", "copy.log"] {
        let part = std::fs::read_to_string(dir.path().join(name)).unwrap();
        assert!(part.len() <= 16 << 10, "{name} has {} bytes", part.len());
        assert!(part.ends_with('\n'), "{name} ends inside a line");
        kept.push_str(&part);
    }
    assert!(input.ends_with(&kept) && !kept.is_empty());
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 3);
    // Appended to, not overwritten.
    let whole = dir.path().join("whole.log");
    for text in ["a\n", "b\n"] {
        let args = ["logs", "-", "-O", whole.to_str().unwrap(), "-o", "raw"];
        program(args).input(text).end().await.expect(0);
    }
    assert_eq!(std::fs::read_to_string(&whole).unwrap(), "a\nb\n");
}

#[tokio::test]
async fn a_copy_in_a_directory_has_a_file_for_each_component() {
    let dir = tempfile::tempdir().unwrap();
    let platform = platform(Switches::default()).await;
    for number in 0..50 {
        let line = format!("line {number}");
        platform.inject_log(SERVICE, CID, line.as_bytes()).await;
        platform.inject_log(OTHER, CID, line.as_bytes()).await;
    }
    let pubsub = format!(
        "{}#l-{SERVICE},l-{OTHER}",
        platform.ws_url("/services/x/pubsub")
    );
    let folder = format!("{}/new/", dir.path().display());
    let args = ["logs", &pubsub, "-O", &folder, "-o", "json"];
    let done = program(args).end().await.expect(0);
    for service in [SERVICE, OTHER] {
        let file = std::fs::read(format!("{folder}{service}.log")).unwrap();
        let rows = crate::program::json(&file);
        let want: Vec<String> = (0..50).map(|n| format!("line {n}")).collect();
        assert_eq!(messages(&rows), want, "{service}");
        assert!(rows.iter().all(|row| row["component"] == service));
    }
    assert_eq!(messages(&done.json()).len(), 100);
    unharmed(platform).await;
}

#[tokio::test]
async fn a_copy_that_cannot_be_written_is_told_with_74() {
    let args = ["logs", "-", "-O", "/nonexistent/copy.log"];
    let done = program(args).input("x\n").end().await.expect(74);
    assert_eq!(done.err.lines().count(), 1, "{}", done.err);
    let done = program(["logs", "-", "-O", "/dev/full"]).input("x\n").end();
    let done = done.await.expect(74);
    assert_eq!(done.err.lines().count(), 1, "{}", done.err);
}

/// Runs the program on a terminal; gives its output and exit code.
fn on_a_terminal(args: &[&str]) -> (String, u32) {
    let pty = native_pty_system().openpty(PtySize::default()).unwrap();
    let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_deckwatch"));
    command.args(args);
    command.env("TERM", "xterm");
    command.env("DECKWATCH_LANG", "en");
    let mut child = pty.slave.spawn_command(command).unwrap();
    drop(pty.slave);
    let mut reader = pty.master.try_clone_reader().unwrap();
    let mut out = Vec::new();
    let mut buffer = [0; 4096];
    // The end of a terminal is an error on this side.
    while let Ok(read @ 1..) = reader.read(&mut buffer) {
        out.extend(buffer.iter().take(read));
    }
    let code = child.wait().unwrap().exit_code();
    (String::from_utf8_lossy(&out).into_owned(), code)
}

#[test]
fn raw_bytes_on_a_terminal_have_to_be_allowed() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("x.log");
    std::fs::write(&path, b"a\x1b]0;title\x07b\n").unwrap();
    let target = format!("file:{}", path.display());
    for refused in [&["-o", "raw"][..], &["--sanitize", "off"]] {
        let args = [&["logs", &target], refused].concat();
        let (out, code) = on_a_terminal(&args);
        assert_eq!(code, 2, "{out}");
        assert!(
            out.contains("--yes-raw") && !out.contains('\x1b'),
            "{out:?}"
        );
    }
    let (out, code) = on_a_terminal(&["logs", &target, "-o", "raw", "--yes-raw"]);
    assert!(code == 0 && out.contains("a\x1b]0;title\x07b"), "{out:?}");
    let (out, code) = on_a_terminal(&["logs", &target]);
    assert!(
        code == 0 && !out.contains('\x1b') && out.contains("a\u{241b}b"),
        "{out:?}"
    );
}
