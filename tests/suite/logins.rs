//! The life of a token (reliability.md 8, row 31): it is read anew once when it is refused, a
//! second refusal ends, a busy server is left alone for as long as it says; redirects.

#![expect(clippy::unwrap_used, reason = "test helper")]

use std::net::{IpAddr, Ipv4Addr};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use deckwatch::demo::proxy::{Proxy, ProxySwitches};
use deckwatch::demo::{Options, Platform, Refusal, RetryAfter, Switches};

use crate::faulty::{Home, header, raw, status};
use crate::program::{Done, Start};

async fn console() -> Platform {
    let options = Options {
        world: false,
        zmq: false,
        prefix: Some("/p".into()),
        ..Options::default()
    };
    Platform::start(options).await.unwrap()
}

/// A file that only we can read, or of another mode.
fn file(home: &Home, name: &str, text: &str, mode: u32) -> PathBuf {
    let path = home.path().join(name);
    std::fs::write(&path, text).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
    path
}

fn server(platform: &Platform) -> String {
    platform.http_url("")
}

fn teams(home: &Home, server: &str, token: &Path) -> Start {
    let token = token.to_str().unwrap();
    home.program([
        "get",
        "teams",
        "-o",
        "name",
        "--server",
        server,
        "--token-file",
        token,
    ])
}

/// Logs in by name and password; where the token is.
async fn log_in(home: &Home, platform: &Platform, context: &str) -> PathBuf {
    let server = server(platform);
    let args = ["context", "add", context, "--server", &server];
    home.program(args).end().await.expect(0);
    let args = [
        "login",
        context,
        "--user",
        platform.user(),
        "--password-stdin",
    ];
    let done = home.program(args).input(platform.password()).end().await;
    let said = done.expect(0).text();
    let place = said.split("the token is in ").nth(1).unwrap();
    place.split(", for you").next().unwrap().into()
}

/// The statuses of the requests with this path.
fn statuses(platform: &Platform, path: &str) -> Vec<u16> {
    let requests = platform.requests().into_iter();
    let those = requests.filter(|request| request.path == path);
    those.map(|request| request.status).collect()
}

const DETAILS: &str = "/console/users/details";

#[tokio::test]
async fn a_login_is_stored_for_us_alone_and_a_logout_removes_it() {
    let (home, platform) = (Home::new(), console().await);
    let token = log_in(&home, &platform, "demo").await;
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&token), 0o600);
    assert_eq!(mode(token.parent().unwrap()), 0o700);
    let done = home.program(["get", "teams", "-o", "name"]).end().await;
    assert!(done.expect(0).text().contains("shop"));
    home.program(["logout"]).end().await.expect(0);
    assert!(!token.exists());
    let done = home.program(["get", "teams"]).end().await.expect(4);
    assert!(done.err.contains("deckwatch login demo"), "{}", done.err);
}

#[tokio::test]
async fn an_expired_token_is_read_anew_once_from_its_command() {
    let (home, platform) = (Home::new(), console().await);
    let stored = log_in(&home, &platform, "first").await;
    let fresh = std::fs::read_to_string(&stored).unwrap();
    // The command gives a stale token the first time, and counts its runs.
    let (script, runs) = (home.path().join("token.sh"), home.path().join("runs"));
    let text = format!(
        "#!/bin/sh\necho run >> {runs}\nif [ $(wc -l < {runs}) -eq 1 ]; then echo stale; else echo {fresh}; fi\n",
        runs = runs.display(),
        fresh = fresh.trim()
    );
    std::fs::write(&script, text).unwrap();
    std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o700)).unwrap();
    let server = server(&platform);
    let command = script.to_str().unwrap();
    let args = [
        "context",
        "add",
        "byhand",
        "--server",
        &server,
        "--credential-command",
        command,
    ];
    home.program(args).end().await.expect(0);
    let before = statuses(&platform, DETAILS).len();
    let args = ["get", "teams", "-o", "name", "--context", "byhand"];
    let done = home.program(args).end().await.expect(0);
    assert!(done.text().contains("shop"));
    let seen = statuses(&platform, DETAILS).split_off(before);
    assert_eq!(seen.len(), 2, "{seen:?}");
    assert_eq!(std::fs::read_to_string(&runs).unwrap().lines().count(), 2);
}

/// A console that renews the token's file when it refuses: what stands there then is read once.
#[tokio::test]
async fn a_refused_token_is_read_anew_once_from_its_file_and_no_more() {
    let home = Home::new();
    let token = file(&home, "token", "stale\n", 0o600);
    let (renewed, asked) = (token.clone(), Arc::new(AtomicU32::new(0)));
    let count = Arc::clone(&asked);
    let port = raw(move |head| {
        count.fetch_add(1, Ordering::SeqCst);
        if header(head, "authorization") == Some("GRJWT fresh") {
            return json("200 OK", r#"{"code":200,"msg":"","data":{"bean":{"teams":[{"team_name":"shop","tenant_id":"t"}]}}}"#);
        }
        std::fs::write(&renewed, "fresh\n").unwrap();
        json("401 Unauthorized", r#"{"code":401,"msg":"expired"}"#)
    })
    .await;
    let server = format!("http://127.0.0.1:{port}");
    let done = teams(&home, &server, &token).end().await.expect(0);
    assert_eq!(done.text(), "server:shop\n");
    assert_eq!(asked.load(Ordering::SeqCst), 2);
    // One that refuses every token is asked with each of two, and no more.
    let asked = Arc::new(AtomicU32::new(0));
    let (count, renewed) = (Arc::clone(&asked), token.clone());
    let port = raw(move |_| {
        let number = count.fetch_add(1, Ordering::SeqCst);
        std::fs::write(&renewed, format!("another{number}\n")).unwrap();
        json("401 Unauthorized", r#"{"code":401,"msg":"no"}"#)
    })
    .await;
    let server = format!("http://127.0.0.1:{port}");
    let done = teams(&home, &server, &token).end().await.expect(4);
    assert_eq!(asked.load(Ordering::SeqCst), 2);
    assert!(done.err.contains("wants a login (401)"), "{}", done.err);
    assert!(done.err.contains("put a fresh token into"), "{}", done.err);
}

fn json(status: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!("HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}").into_bytes()
}

#[tokio::test]
async fn a_stored_token_that_is_refused_says_to_log_in_again() {
    let (home, platform) = (Home::new(), console().await);
    log_in(&home, &platform, "demo").await;
    platform.revoke_tokens();
    let done = home.program(["get", "teams"]).end().await.expect(4);
    let next = "log in again: deckwatch login demo";
    assert!(done.err.contains(next), "{}", done.err);
    let rows = home.program(["doctor", "-o", "json"]).end().await.expect(4);
    let verdict = rows.json().pop().unwrap();
    assert_eq!(verdict["cause"], "unauthorized");
    assert_eq!(verdict["next"], next);
}

#[tokio::test]
async fn forbidden_is_no_matter_of_trying_again() {
    let home = Home::new();
    let token = file(&home, "token", "canary\n", 0o600);
    let asked = Arc::new(AtomicU32::new(0));
    let count = Arc::clone(&asked);
    let port = raw(move |_| {
        count.fetch_add(1, Ordering::SeqCst);
        status("403 Forbidden")
    })
    .await;
    let server = format!("http://127.0.0.1:{port}");
    let done = teams(&home, &server, &token).end().await.expect(4);
    assert!(done.err.contains("it refuses (403)"), "{}", done.err);
    assert_eq!(asked.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_busy_server_is_left_alone_for_as_long_as_it_says() {
    let (home, platform) = (Home::new(), console().await);
    let token = log_in(&home, &platform, "demo").await;
    let soon = jiff::Timestamp::now().as_second() + 3;
    let date = jiff::Timestamp::from_second(soon).unwrap();
    let date = date.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
    for (refused, retry_after, earliest) in [
        (503, Some(RetryAfter::Text(date)), soon * 1_000_000),
        (429, Some(RetryAfter::Seconds(1)), 0),
        (503, Some(RetryAfter::Text("some day".into())), 0),
        (429, None, 0),
    ] {
        platform.set_switch(|switches: &mut Switches| {
            switches.rest.refuse = Some(Refusal {
                status: refused,
                retry_after: retry_after.clone(),
            });
        });
        let before = platform.requests().len();
        let running = teams(&home, &server(&platform), &token).start();
        let first = platform.requests_until(|all| all.len() > before).await;
        platform.set_switch(|switches| switches.rest.refuse = None);
        let done = running.end().await.expect(0);
        assert!(done.text().contains("shop"), "{retry_after:?}");
        let (refused_at, again) = (first[before].at.0, platform.requests()[before + 1].at.0);
        // The clocks of both are one; its microseconds are counted apart.
        assert!(again + 100_000 >= earliest, "{retry_after:?}: {again}");
        if retry_after == Some(RetryAfter::Seconds(1)) {
            assert!(again - refused_at >= 1_000_000, "{retry_after:?}");
        }
    }
    // Who wants to be left alone for long is: it is told at once.
    platform.set_switch(|switches| {
        switches.rest.refuse = Some(Refusal {
            status: 503,
            retry_after: Some(RetryAfter::Seconds(3600)),
        });
    });
    let before = platform.requests().len();
    let run = teams(&home, &server(&platform), &token)
        .end()
        .await
        .expect(5);
    assert!(run.err.contains("it is not ready (503)"), "{}", run.err);
    assert_eq!(platform.requests().len(), before + 1);
}

#[tokio::test]
async fn redirects_are_followed_on_the_same_host_alone_and_the_token_with_them() {
    let home = Home::new();
    let token = file(&home, "token", "canary\n", 0o600);
    let run = |to: String| {
        let (home, token) = (&home, &token);
        async move {
            let port = raw(move |head| {
                if head.starts_with("GET /there") {
                    return json("200 OK", r#"{"code":200,"data":{"bean":{"teams":[]}}}"#);
                }
                format!("HTTP/1.1 302 Found\r\nLocation: {to}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n").into_bytes()
            })
            .await;
            let server = format!("http://127.0.0.1:{port}");
            teams(home, &server, token).end().await
        }
    };
    run("/there".into()).await.expect(0);
    let other = Arc::new(AtomicU32::new(0));
    let count = Arc::clone(&other);
    let elsewhere = raw(move |_| {
        count.fetch_add(1, Ordering::SeqCst);
        status("200 OK")
    })
    .await;
    let done: Done = run(format!("http://localhost:{elsewhere}/there"))
        .await
        .expect(5);
    assert!(
        done.err.contains("it redirects to http://localhost"),
        "{}",
        done.err
    );
    assert_eq!(other.load(Ordering::SeqCst), 0, "the token went elsewhere");
    // Round and round.
    let done = run("/again".into()).await.expect(5);
    assert!(done.err.contains("again and again"), "{}", done.err);
}

#[tokio::test]
async fn a_tokens_file_that_others_can_read_or_that_is_a_link_is_refused() {
    let home = Home::new();
    let port = raw(|_| status("500 Internal Server Error")).await;
    let server = format!("http://127.0.0.1:{port}");
    for mode in [0o644, 0o640, 0o604, 0o660] {
        let token = file(&home, "open", "canary\n", mode);
        let done = teams(&home, &server, &token).end().await.expect(4);
        assert!(
            done.err.contains("others can read it"),
            "{mode:o} {}",
            done.err
        );
        assert!(done.err.contains("chmod 600"), "{}", done.err);
        assert!(!done.err.contains("canary"), "{}", done.err);
    }
    let token = file(&home, "good", "canary\n", 0o600);
    let link = home.path().join("link");
    symlink(&token, &link).unwrap();
    let done = teams(&home, &server, &link).end().await.expect(4);
    assert!(done.err.contains("it can't be read"), "{}", done.err);
    for other in [home.path(), &home.pipe()] {
        let done = teams(&home, &server, other).end().await.expect(4);
        assert!(done.err.contains("no plain file"), "{}", done.err);
    }
    for nothing in ["", "\n", "two words\n", "no\u{7f}ne\n"] {
        let token = file(&home, "empty", nothing, 0o600);
        let done = teams(&home, &server, &token).end().await.expect(4);
        assert!(done.err.contains("it holds no token"), "{}", done.err);
    }
}

/// reliability.md 8, row 33: a token that everyone on the way can read is told of on each run.
#[tokio::test]
async fn a_token_that_leaves_the_machine_unencrypted_is_told_of() {
    const INSIDE: &str = "console.inside.example";
    let (home, platform) = (Home::new(), console().await);
    let token = log_in(&home, &platform, "demo").await;
    let proxy = Proxy::start(ProxySwitches {
        names: vec![(INSIDE.into(), IpAddr::V4(Ipv4Addr::LOCALHOST))],
        ..ProxySwitches::default()
    })
    .unwrap();
    let here = server(&platform);
    let remote = here.replace("127.0.0.1", INSIDE);
    let unencrypted = format!("{remote} is not encrypted: anyone on the way can read the token");
    let through = |start: Start| start.env("http_proxy", proxy.url("http"));
    let done = through(teams(&home, &remote, &token)).end().await.expect(0);
    assert_eq!(done.err.matches(&unencrypted).count(), 1, "{}", done.err);
    let done = teams(&home, &here, &token).end().await.expect(0);
    assert_eq!(done.err, "", "loopback is no way to be read on");
    let args = [
        "doctor",
        "--server",
        &remote,
        "--token-file",
        token.to_str().unwrap(),
    ];
    let done = through(home.program(args)).end().await.expect(0);
    assert!(
        done.text().contains("warn  TLS         not encrypted"),
        "{}",
        done.text()
    );
    assert!(
        done.text().contains("it travels unencrypted"),
        "{}",
        done.text()
    );
}
