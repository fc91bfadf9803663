//! Secrets never leak (reliability.md 8, row 32): a canary is given in every way, and looked for
//! in everything that comes out, as it is and in the usual disguises.

#![expect(clippy::unwrap_used, clippy::panic, reason = "test helper")]

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use deckwatch::demo::proxy::{Proxy, ProxySwitches};
use deckwatch::demo::{Options, Platform};

use crate::faulty::{Home, raw};
use crate::program::{Done, Start};

const CANARY: &str = "Kanarienvogel+7/q";

/// The canary as it is, and as it is hidden badly.
fn disguises(secret: &str) -> Vec<(&'static str, Vec<u8>)> {
    let hex = |upper: bool| -> String {
        let digit = |byte: u8| {
            if upper {
                format!("{byte:02X}")
            } else {
                format!("{byte:02x}")
            }
        };
        secret.bytes().map(digit).collect()
    };
    let encoded: String = url::form_urlencoded::byte_serialize(secret.as_bytes()).collect();
    // Base64 of it stands at one of three places within another text's.
    let cut = |skip: usize| {
        let padded = format!("{}{secret}", "x".repeat(skip));
        let text = STANDARD.encode(padded);
        let from = (skip * 4).div_ceil(3);
        text.get(from..text.len().saturating_sub(4))
            .unwrap()
            .to_owned()
    };
    let mut all = vec![
        ("itself", secret.to_owned()),
        ("in capitals", secret.to_uppercase()),
        ("reversed", secret.chars().rev().collect()),
        ("hex", hex(false)),
        ("HEX", hex(true)),
        ("for URLs", encoded),
        ("base64 for URLs", URL_SAFE_NO_PAD.encode(secret)),
    ];
    for skip in 0..3 {
        all.push(("base64", cut(skip)));
    }
    all.into_iter()
        .map(|(name, text)| (name, text.into_bytes()))
        .collect()
}

fn holds(bytes: &[u8], secret: &str) -> Option<&'static str> {
    disguises(secret).into_iter().find_map(|(name, text)| {
        let found = bytes.windows(text.len()).any(|window| window == text);
        found.then_some(name)
    })
}

#[track_caller]
fn clean(what: &str, bytes: &[u8], secret: &str) {
    if let Some(how) = holds(bytes, secret) {
        panic!("{what} holds it, {how}: {}", String::from_utf8_lossy(bytes));
    }
}

#[track_caller]
fn clean_run(what: &str, done: &Done, secret: &str) {
    clean(&format!("{what}, standard output"), &done.out, secret);
    clean(
        &format!("{what}, standard error"),
        done.err.as_bytes(),
        secret,
    );
}

/// All files below a folder, but for these.
fn clean_files(folder: &Path, except: &[&Path], secret: &str) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            clean_files(&path, except, secret);
        } else if !except.contains(&path.as_path()) {
            let name = path.display().to_string();
            clean(&name, &std::fs::read(&path).unwrap(), secret);
            clean("a file's name", name.as_bytes(), secret);
        }
    }
}

async fn console() -> Platform {
    let options = Options {
        world: false,
        zmq: false,
        prefix: Some("/p".into()),
        password: CANARY.into(),
        ..Options::default()
    };
    Platform::start(options).await.unwrap()
}

fn private(home: &Home, name: &str, text: &str) -> PathBuf {
    let path = home.path().join(name);
    std::fs::write(&path, text).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
    path
}

/// Ways to say something about a platform: each prints or fails in its own manner.
const COMMANDS: &[&[&str]] = &[
    &["get", "teams"],
    &["get", "teams", "-o", "json"],
    &["get", "components", "-A"],
    &["logs", "shop/order/none"],
    &["logs", "-o", "json", "shop/order/none"],
    &["doctor"],
    &["doctor", "-o", "json"],
    &["doctor", "shop/order/none"],
    &["context", "show"],
    &["context", "ls"],
    &["config", "show"],
    &["config", "check"],
];

/// Runs all of them as `prepare` says.
async fn run_all(what: &str, home: &Home, prepare: impl Fn(Start) -> Start, flags: &[&str]) {
    for command in COMMANDS {
        let args = command.iter().chain(flags);
        let done = prepare(home.program(args)).end().await;
        clean_run(&format!("{what}: {command:?}"), &done, CANARY);
    }
}

#[tokio::test]
async fn a_token_from_a_file_the_environment_or_a_command_is_shown_to_the_server_alone() {
    let (home, platform) = (Home::new(), console().await);
    let server = platform.http_url("");
    let token = private(&home, "token", CANARY);
    let file = token.to_str().unwrap();
    let flags = ["--server", &server, "--token-file", file];
    run_all("a file", &home, |start| start, &flags).await;
    let set = |start: Start| start.env("DECKWATCH_TOKEN", CANARY);
    run_all("the environment", &home, set, &["--server", &server]).await;
    // A command that fails tells everything that it knows.
    let script = private(&home, "token.sh", "");
    for (text, exit) in [(format!("echo '{CANARY}'"), 0), ("echo no >&2".into(), 1)] {
        // Its environment has no token of ours.
        let text = format!(
            "#!/bin/sh\nenv > {}/env\n{text}; exit {exit}\n",
            home.path().display()
        );
        std::fs::write(&script, text).unwrap();
        std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o700)).unwrap();
        let command = script.to_str().unwrap();
        let args = [
            "context",
            "add",
            "c",
            "--force",
            "--server",
            &server,
            "--credential-command",
            command,
        ];
        home.program(args).end().await.expect(0);
        let secret = |start: Start| start.env("OTHER_VARIABLE", "fine");
        run_all("a command", &home, secret, &["--context", "c"]).await;
    }
    std::fs::write(&script, "").unwrap();
    clean_files(home.path(), &[&token], CANARY);
    // The server has seen nothing but its own: no request with a token that it knows.
    assert!(platform.requests().iter().all(|one| one.status != 200));
}

#[tokio::test]
async fn a_password_becomes_a_token_and_neither_is_told() {
    let (home, platform) = (Home::new(), console().await);
    let server = platform.http_url("");
    let args = ["context", "add", "demo", "--server", &server];
    home.program(args).end().await.expect(0);
    let args = [
        "login",
        "demo",
        "--user",
        platform.user(),
        "--password-stdin",
    ];
    let done = home.program(args).input(CANARY).end().await.expect(0);
    clean_run("login", &done, CANARY);
    let stored = home.path().join("state");
    let mut tokens = Vec::new();
    find(&stored, &mut tokens);
    find(&home.path().join("data"), &mut tokens);
    tokens.retain(|path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777 == 0o600);
    let token = tokens.iter().find(|path| {
        let text = std::fs::read_to_string(path).unwrap_or_default();
        text.starts_with("ey")
    });
    let token_file = token.unwrap().clone();
    let token = std::fs::read_to_string(&token_file)
        .unwrap()
        .trim()
        .to_owned();
    clean_files(home.path(), &[], CANARY);
    clean_files(home.path(), &[&token_file], &token);
    for command in COMMANDS {
        let done = home.program(command.iter()).end().await;
        clean_run(&format!("{command:?}"), &done, &token);
        clean_run(&format!("{command:?}"), &done, CANARY);
    }
    // A wrong one is not told either.
    let args = ["login", "demo", "--user", "demo", "--password-stdin"];
    let wrong = "not-the-Kanarienvogel";
    let done = home.program(args).input(wrong).end().await;
    assert_ne!(done.code, Some(0));
    clean_run("a wrong password", &done, wrong);
}

fn find(folder: &Path, into: &mut Vec<PathBuf>) {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return;
    };
    for entry in entries {
        let path = entry.unwrap().path();
        if path.is_dir() {
            find(&path, into);
        } else {
            into.push(path);
        }
    }
}

#[tokio::test]
async fn a_proxys_password_and_that_of_a_url_are_told_nowhere() {
    let home = Home::new();
    let proxy = Proxy::start(ProxySwitches {
        credential: Some("me:other".into()),
        ..ProxySwitches::default()
    })
    .unwrap();
    let encoded: String = url::form_urlencoded::byte_serialize(CANARY.as_bytes()).collect();
    let target = "ws://inside.example:6060/docker_log#x";
    for scheme in ["http", "socks5h"] {
        let url = format!("{scheme}://me:{encoded}@{}", proxy.addr());
        for command in [
            &["logs", target][..],
            &["logs", target, "-o", "json"],
            &["doctor", target],
            &["doctor", target, "-o", "json"],
            &["get", "teams", "--server", "http://inside.example"],
        ] {
            let done = home.program(command).env("ALL_PROXY", &url).end().await;
            assert_ne!(done.code, Some(0));
            clean_run(&format!("{scheme} {command:?}"), &done, CANARY);
        }
        let args = [
            "context",
            "add",
            "p",
            "--force",
            "--server",
            "https://a.example",
        ];
        let done = home.program(args).env("ALL_PROXY", &url).end().await;
        clean_run("context add", &done, CANARY);
        let done = home
            .program(["context", "show", "p"])
            .env("ALL_PROXY", &url)
            .end()
            .await;
        clean_run("context show", &done, CANARY);
    }
    clean_files(home.path(), &[], CANARY);
    // In a URL on the command line a password is refused, and not repeated.
    for target in [
        format!("ws://me:{encoded}@h.example:1/docker_log#x"),
        format!("http://me:{encoded}@h.example:1/"),
    ] {
        for command in ["logs", "doctor", "shell"] {
            let done = home.program([command, &target]).end().await.expect(2);
            clean_run(command, &done, CANARY);
        }
    }
    let url = format!("https://me:{encoded}@h.example");
    let done = home.program(["get", "teams", "--server", &url]).end().await;
    clean_run("--server", &done, CANARY);
}

/// What a server says of our token is not ours to repeat: it may echo the request.
#[tokio::test]
async fn a_token_in_a_urls_parameters_is_hidden() {
    let home = Home::new();
    let port = raw(|_| b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n".to_vec()).await;
    let encoded: String = url::form_urlencoded::byte_serialize(CANARY.as_bytes()).collect();
    let target = format!("ws://127.0.0.1:{port}/docker_log?token={encoded}#x");
    for command in [
        &["logs", &target][..],
        &["doctor", &target],
        &["doctor", &target, "-o", "json"],
    ] {
        let done = home.program(command).end().await.expect(4);
        clean_run(&format!("{command:?}"), &done, CANARY);
    }
}
