//! Standard input and files: every byte, through truncation and rotation.

#![expect(clippy::unwrap_used, reason = "test helper")]

use std::io::Write as _;
use std::path::Path;

use rustix::process::Signal;

use crate::faulty::Home;
use crate::program::{Run, program};

fn odd_bytes() -> Vec<u8> {
    let mut bytes: Vec<u8> = (0..=255u8).collect();
    bytes.extend(b"\r\n\n\0\0\n\xff\xfe\xc3\n\x1b[31mred\x1b[0m\n\xe4\xb8\xad\n");
    bytes
}

fn target(path: &Path) -> String {
    format!("file:{}", path.display())
}

#[tokio::test]
async fn raw_output_is_the_input_byte_for_byte() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("x.log");
    let cases: [(&str, Vec<u8>); 7] = [
        ("nothing", Vec::new()),
        ("one newline", b"\n".to_vec()),
        ("odd bytes", odd_bytes()),
        ("every byte many times", odd_bytes().repeat(2000)),
        ("empty lines", vec![b'\n'; 1_000_000]),
        (
            "a long line",
            [vec![b'x'; 64 << 20], b"\n".to_vec()].concat(),
        ),
        (
            "exact pieces",
            [vec![b'y'; 8 << 20], b"\nz\n".to_vec()].concat(),
        ),
    ];
    for (name, bytes) in cases {
        std::fs::write(&path, &bytes).unwrap();
        let args = ["logs", "-o", "raw", &target(&path)];
        let from_file = program(args).end().await.expect(0);
        assert!(from_file.out == bytes, "{name}, from a file");
        let from_input = program(["logs", "-o", "raw", "-"]);
        let from_input = from_input.input(bytes.clone()).end().await.expect(0);
        assert!(from_input.out == bytes, "{name}, from standard input");
        assert_eq!((from_file.err.as_str(), from_input.err.as_str()), ("", ""));
    }
}

#[tokio::test]
async fn a_missing_newline_at_the_end_is_made_up() {
    let done = program(["logs", "-o", "raw", "-"])
        .input("a\nb")
        .end()
        .await;
    assert_eq!(done.expect(0).text(), "a\nb\n");
}

#[tokio::test]
async fn json_keeps_every_byte_too() {
    let done = program(["logs", "-o", "json", "-"])
        .input(odd_bytes())
        .end();
    let done = done.await.expect(0);
    let mut back = Vec::new();
    for row in done.json().iter().filter(|row| row["type"] == "line") {
        match row["raw_b64"].as_str() {
            Some(raw) => {
                use base64::Engine as _;
                back.extend(
                    base64::engine::general_purpose::STANDARD
                        .decode(raw)
                        .unwrap(),
                );
            }
            None => back.extend(row["msg"].as_str().unwrap().as_bytes()),
        }
        back.push(b'\n');
    }
    assert_eq!(back, odd_bytes());
}

#[tokio::test]
async fn what_is_no_readable_file_is_told_in_one_line() {
    let dir = tempfile::tempdir().unwrap();
    let missing = dir.path().join("missing");
    for (path, code, why) in [
        (missing.as_path(), 3, "no such file"),
        (dir.path(), 4, "directory"),
    ] {
        for flag in ["--no-follow", "-f"] {
            let done = program(["logs", flag, &target(path)]).end().await;
            let done = done.expect(code);
            assert_eq!(done.err.lines().count(), 1, "{}", done.err);
            assert!(done.err.contains(why), "{}", done.err);
            assert!(done.err.contains("; "), "no next step: {}", done.err);
        }
    }
}

fn append(path: &Path, text: &str) {
    let mut file = std::fs::OpenOptions::new().append(true).open(path).unwrap();
    file.write_all(text.as_bytes()).unwrap();
}

async fn follow(path: &Path) -> Run {
    let mut run = program(["logs", "-f", &target(path)]).start();
    run.until_err("live").await;
    run
}

async fn interrupted(run: Run) -> String {
    run.signal(Signal::INT);
    run.end().await.expect(130).text()
}

#[tokio::test]
async fn a_followed_file_may_grow_be_truncated_and_be_replaced() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("x.log");
    std::fs::write(&path, "one\ntwo\n").unwrap();
    let mut run = follow(&path).await;
    // A line comes in two pieces.
    append(&path, "thr");
    append(&path, "ee\n");
    run.until_out("three\n").await;
    // Shorter than before: read from its start.
    std::fs::write(&path, "four\n").unwrap();
    run.until_err("truncated").await;
    run.until_out("four\n").await;
    // Another file under the name; what the old one still gets is read by the next rule only.
    append(&path, "five, the last of this file");
    std::fs::rename(&path, dir.path().join("x.log.1")).unwrap();
    std::fs::write(&path, "six\n").unwrap();
    run.until_out("six\n").await;
    run.until_err("rotation").await;
    // Gone for a moment, and back.
    std::fs::remove_file(&path).unwrap();
    std::fs::write(&path, "seven\n").unwrap();
    run.until_out("seven\n").await;
    let text = interrupted(run).await;
    assert_eq!(
        text,
        "one\ntwo\nthree\nfour\nfive, the last of this file\nsix\nseven\n"
    );
}

#[tokio::test]
async fn what_the_writer_adds_to_a_renamed_file_is_read() {
    let dir = tempfile::tempdir().unwrap();
    let (path, old) = (dir.path().join("x.log"), dir.path().join("x.log.1"));
    std::fs::write(&path, "one\n").unwrap();
    let mut run = follow(&path).await;
    // As logrotate does: renamed, the writer goes on for a while, the new file comes later.
    std::fs::rename(&path, &old).unwrap();
    append(&old, "two\n");
    run.until_out("two\n").await;
    append(&old, "three\n");
    std::fs::write(&path, "four\n").unwrap();
    run.until_out("four\n").await;
    assert_eq!(interrupted(run).await, "one\ntwo\nthree\nfour\n");
}

#[tokio::test]
async fn tail_of_a_followed_file_begins_with_its_last_lines() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("x.log");
    let lines: Vec<String> = (0..5000).map(|n| format!("line {n}\n")).collect();
    std::fs::write(&path, lines.concat()).unwrap();
    let mut run = program(["logs", "-f", "--tail", "2", &target(&path)]).start();
    run.until_err("live").await;
    append(&path, "new\n");
    run.until_out("new\n").await;
    assert_eq!(interrupted(run).await, "line 4998\nline 4999\nnew\n");
}

#[tokio::test]
async fn standard_input_is_printed_as_it_comes() {
    for args in ["logs -", "logs -f -", "follow -"] {
        let mut run = program(args.split(' ')).open_input().start();
        run.feed(b"one\n");
        run.until_out("one\n").await;
        run.feed(b"two");
        run.close_input();
        let done = run.end().await.expect(0);
        assert_eq!(done.text(), "one\ntwo\n", "{args}");
    }
}

#[tokio::test]
async fn standard_input_can_be_read_only_once() {
    let done = program(["logs", "-", "-"]).end().await.expect(2);
    assert_eq!(done.err.lines().count(), 1);
}

#[tokio::test]
async fn a_pipe_without_a_writer_is_left_at_once_and_read_when_one_comes() {
    let home = Home::new();
    let path = home.pipe();
    let follow = || program(["logs", "-f", "-o", "raw", &target(&path)]).start();
    let mut run = follow();
    run.until_err("live").await;
    run.signal(Signal::INT);
    run.end().await.expect(130);
    // Writers may come one after the other.
    let mut run = follow();
    for text in ["one\n", "two\n"] {
        let path = path.clone();
        let writer = tokio::task::spawn_blocking(move || std::fs::write(path, text));
        writer.await.unwrap().unwrap();
        run.until_out(text).await;
    }
    run.signal(Signal::INT);
    run.end().await.expect(130);
    // Without following it is read to its end.
    let run = program(["logs", "-o", "raw", &target(&path)]).start();
    let writer = tokio::task::spawn_blocking(move || std::fs::write(path, "three"));
    writer.await.unwrap().unwrap();
    assert_eq!(run.end().await.expect(0).text(), "three\n");
}
