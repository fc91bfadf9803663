//! `doctor` names the cause: each of the twenty faults of decision 22 is made on real sockets,
//! and what is found is compared with what was done.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "test helper")]

use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;

use deckwatch::demo::proxy::{Proxy, ProxySwitches};
use deckwatch::demo::{Answer, Options, Platform, Switches};
use futures_util::future::join_all;
use serde_json::Value;
use tokio::io::{AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};

use crate::certificates::{Authority, Demands, Flaw};
use crate::faulty::{BlackHole, Home, blurting, head, raw, upgraded};
use crate::program::{ClosedPort, Done, SERVICE, docker_url, of_type, platform};
use crate::tls::serve;

/// A name that only a proxy knows.
const INSIDE: &str = "platform.inside.example";
const SHELL: &str = "docker_console#tenant/service/pod";

/// One fault: what is asked, with which variables, and what must come out.
struct Case {
    name: &'static str,
    target: String,
    env: Vec<(&'static str, String)>,
    cause: &'static str,
    stage: &'static str,
    exit: i32,
}

impl Case {
    fn new(
        name: &'static str,
        target: impl Into<String>,
        (stage, cause, exit): (&'static str, &'static str, i32),
    ) -> Self {
        Self {
            name,
            target: target.into(),
            env: Vec::new(),
            cause,
            stage,
            exit,
        }
    }

    fn env(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.env.push((name, value.into()));
        self
    }

    fn trusting(self, file: &Path) -> Self {
        self.env("SSL_CERT_FILE", file.to_str().unwrap())
    }

    async fn run(&self, home: &Home, json: bool) -> Done {
        let mut args = vec!["doctor", self.target.as_str()];
        if json {
            args.extend(["-o", "json"]);
        }
        let mut start = home.program(args);
        for (name, value) in &self.env {
            start = start.env(name, value);
        }
        start.end().await
    }

    /// What is wrong with what was found; nothing if it is as it should be.
    fn faults(&self, done: &Done) -> Vec<String> {
        let rows = done.json();
        let verdicts = of_type(&rows, "verdict");
        let verdict = verdicts.first().copied().cloned().unwrap_or_default();
        let mut faults = Vec::new();
        let mut check = |what: &str, is: &Value, want: &Value| {
            if is != want {
                faults.push(format!("{}: {what} is {is}, not {want}", self.name));
            }
        };
        check("the cause", &verdict["cause"], &self.cause.into());
        check("the exit", &verdict["exit"], &self.exit.into());
        let told = rows.iter().find(|row| row["cause"] == self.cause);
        let told = told.cloned().unwrap_or_default();
        check("the stage", &told["stage"], &self.stage.into());
        check(
            "the last row",
            &rows.last().unwrap()["type"],
            &"verdict".into(),
        );
        if done.code != Some(self.exit) {
            faults.push(format!("{}: it ended with {:?}", self.name, done.code));
        }
        for what in ["words", "next"] {
            if verdict[what].as_str().is_none_or(str::is_empty) {
                faults.push(format!("{}: no {what}", self.name));
            }
        }
        if !faults.is_empty() {
            faults.push(format!("{rows:#?} {}", done.err));
        }
        faults
    }
}

fn log(port: u16) -> String {
    format!("ws://127.0.0.1:{port}/docker_log#{SERVICE}")
}

fn secure(port: u16) -> String {
    format!("wss://localhost:{port}/docker_log#{SERVICE}")
}

/// A gateway in front of a platform that knows no WebSocket: `Upgrade` and `Connection` go.
async fn stripping(platform: &Platform) -> u16 {
    let behind = platform.http_addr();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((mut client, _)) = listener.accept().await {
            tokio::spawn(async move {
                let head = head(&mut client).await?;
                let mut server = TcpStream::connect(behind).await.ok()?;
                let kept = head.lines().filter(|line| {
                    let line = line.to_ascii_lowercase();
                    !line.is_empty()
                        && !line.starts_with("upgrade:")
                        && !line.starts_with("connection:")
                });
                let mut out = kept.collect::<Vec<_>>().join("\r\n");
                out.push_str("\r\nConnection: close\r\n\r\n");
                server.write_all(out.as_bytes()).await.ok()?;
                copy_bidirectional(&mut client, &mut server).await.ok()
            });
        }
    });
    port
}

#[tokio::test]
#[expect(clippy::too_many_lines, reason = "one table")]
async fn each_of_the_twenty_faults_is_named() {
    let home = Home::new();
    let hole = BlackHole::new();
    let (authority, clients) = (Authority::new(), Authority::new());
    let trusted = authority.file();
    let plain = platform(Switches::default()).await;
    let answering = |answer| {
        platform(Switches {
            answer,
            ..Switches::default()
        })
    };
    let (empty, mute, silence) = (
        answering(Answer::EmptyOk).await,
        answering(Answer::Mute).await,
        answering(Answer::Silence).await,
    );
    let refusing = |code| answering(Answer::Refuse(code));
    let (denied, forbidden, absent) = (
        refusing(401).await,
        refusing(403).await,
        refusing(404).await,
    );
    let proxy = Proxy::start(ProxySwitches {
        credential: Some("me:right".into()),
        names: vec![(INSIDE.into(), IpAddr::V4(Ipv4Addr::LOCALHOST))],
        ..ProxySwitches::default()
    })
    .unwrap();
    let demanding = |tls12| {
        let demands = Demands {
            tls12,
            clients: Some(&clients),
        };
        serve(authority.demanding(Flaw::None, demands))
    };
    let other_subprotocol =
        raw(|head| upgraded(head, "Sec-WebSocket-Protocol: mqtt\r\n", &["ok"])).await;
    let pubsub =
        raw(|head| upgraded(head, "", &[r#"{"event":"error","data":"Invalid message"}"#])).await;
    let late = raw(|head| {
        let date = "Date: Wed, 21 Oct 2015 07:28:00 GMT\r\n";
        upgraded(head, date, &["ok"])
    })
    .await;
    let of = |platform: &Platform| docker_url(platform, SERVICE);
    let through = |login: &str| format!("http://{login}{}", proxy.addr());
    let inside = format!("ws://{INSIDE}:6060/docker_log#{SERVICE}");
    let closed = ClosedPort::new();
    let cases = [
        Case::new(
            "unknown name",
            format!("ws://nothing.invalid:6060/docker_log#{SERVICE}"),
            ("dns", "unknown_name", 5),
        ),
        Case::new("refused port", log(closed.number()), ("tcp", "refused", 5)),
        Case::new("black hole", log(hole.port()), ("tcp", "black_hole", 5)),
        Case::new("proxy 407", inside.clone(), ("proxy", "proxy_login", 4))
            .env("http_proxy", through("")),
        Case::new(
            "proxy 407, wrong password",
            inside,
            ("proxy", "proxy_login", 4),
        )
        .env("ALL_PROXY", through("me:wrong@")),
        Case::new(
            "upgrade stripped",
            log(stripping(&plain).await).replace("/docker_log", "/p/docker_log"),
            ("http", "upgrade_stripped", 5),
        ),
        Case::new(
            "200 instead of 101",
            of(&empty),
            ("http", "not_upgraded", 5),
        ),
        Case::new(
            "expired",
            secure(serve(authority.server(Flaw::Expired)).await),
            ("tls", "tls_expired", 5),
        )
        .trusting(trusted),
        Case::new(
            "not yet valid",
            secure(serve(authority.server(Flaw::Early)).await),
            ("tls", "tls_not_yet", 5),
        )
        .trusting(trusted),
        Case::new(
            "another host",
            secure(serve(authority.server(Flaw::OtherHost)).await),
            ("tls", "tls_name", 5),
        )
        .trusting(trusted),
        Case::new(
            "unknown CA",
            secure(serve(Authority::new().server(Flaw::None)).await),
            ("tls", "tls_unknown_ca", 5),
        )
        .trusting(trusted),
        Case::new(
            "self-signed",
            secure(serve(authority.server(Flaw::SelfSigned)).await),
            ("tls", "tls_unknown_ca", 5),
        )
        .trusting(trusted),
        Case::new(
            "client certificate missing, TLS 1.3",
            secure(demanding(false).await),
            ("tls", "tls_client_cert", 5),
        )
        .trusting(trusted),
        Case::new(
            "client certificate missing, TLS 1.2",
            secure(demanding(true).await),
            ("tls", "tls_client_cert", 5),
        )
        .trusting(trusted),
        Case::new(
            "TLS too old, by its alert",
            secure(blurting(b"\x15\x03\x01\x00\x02\x02\x46").await),
            ("tls", "tls_version", 5),
        ),
        Case::new(
            "TLS too old, by its hello",
            secure(blurting(OLD_HELLO).await),
            ("tls", "tls_version", 5),
        ),
        Case::new("401", of(&denied), ("http", "unauthorized", 4)),
        Case::new("403", of(&forbidden), ("http", "forbidden", 4)),
        Case::new("404", of(&absent), ("http", "not_found", 3)),
        Case::new(
            "wrong subprotocol",
            format!("ws://127.0.0.1:{other_subprotocol}/{SHELL}"),
            ("subprotocol", "subprotocol", 7),
        ),
        Case::new(
            "silent behind the upgrade",
            of(&mute),
            ("first_frame", "silent", 5),
        ),
        Case::new("silent before it", of(&silence), ("http", "silent", 5)),
        Case::new("wrong dialect", log(pubsub), ("first_frame", "dialect", 7)),
        Case::new("clock skew", log(late), ("clock", "clock_skew", 0)),
        Case::new(
            "ZeroMQ port that speaks HTTP",
            format!("tcp://{}", plain.http_addr()),
            ("zmq", "zmq_speaks_http", 7),
        ),
    ];
    let runs = join_all(cases.iter().map(|case| case.run(&home, true))).await;
    let faults: Vec<String> = cases
        .iter()
        .zip(&runs)
        .flat_map(|(case, done)| case.faults(done))
        .collect();
    assert!(faults.is_empty(), "\n{}\n", faults.join("\n"));
    // No secret of a proxy is in what is told.
    for done in runs {
        assert!(!done.text().contains("wrong@") && !done.text().contains("me:wrong"));
    }
}

/// A record with a server's hello of TLS 1.1.
const OLD_HELLO: &[u8] = b"\x16\x03\x02\x00\x2a\x02\x00\x00\x26\x03\x02\
    0123456789abcdef0123456789abcdef\x00\x00\x2f\x00";

#[tokio::test]
async fn what_is_well_is_told_step_by_step_in_both_languages() {
    let home = Home::new();
    let authority = Authority::new();
    let port = serve(authority.server(Flaw::None)).await;
    let well = Case::new("well", secure(port), ("", "", 0)).trusting(authority.file());
    let done = well.run(&home, false).await.expect(0);
    let text = done.text();
    for part in [
        "proxy       none is set\n",
        "DNS         localhost = ",
        "TCP         connected to 127.0.0.1:",
        "TLS         TLS 1.3; certificate for localhost, by CN=CA ",
        "HTTP        101: it upgrades\n",
        "first data  ",
        "=> nothing is wrong\n",
    ] {
        assert!(text.contains(part), "{part:?} in {text}");
    }
    let rows = well.run(&home, true).await.expect(0).json();
    let tls = rows.iter().find(|row| row["stage"] == "tls").unwrap();
    assert_eq!(tls["version"], "TLS 1.3");
    assert_eq!(tls["chain"][0]["names"][0], "localhost");
    assert!(tls["chain"][0]["days_left"].as_i64().unwrap() > 1000);
    let chinese = well.env("DECKWATCH_LANG", "zh-CN").run(&home, false).await;
    assert!(
        chinese.text().contains("=> 一切正常\n"),
        "{}",
        chinese.text()
    );
}

#[tokio::test]
async fn a_certificate_that_is_not_trusted_is_shown_all_the_same() {
    let (home, authority) = (Home::new(), Authority::new());
    let port = serve(authority.server(Flaw::Expired)).await;
    let case = Case::new("expired", secure(port), ("", "", 5)).trusting(authority.file());
    let rows = case.run(&home, true).await.expect(5).json();
    let tls = rows.iter().find(|row| row["stage"] == "tls").unwrap();
    assert_eq!(tls["chain"][0]["until"], "2020-01-01 00:00 UTC");
    let words = tls["words"].as_str().unwrap();
    assert!(words.contains("expired on 2020-01-01"), "{words}");
}

#[tokio::test]
async fn several_targets_have_a_verdict_each_and_the_first_fault_decides() {
    let home = Home::new();
    let well = platform(Switches::default()).await;
    let absent = platform(Switches {
        answer: Answer::Refuse(404),
        ..Switches::default()
    })
    .await;
    let (first, second) = (docker_url(&well, SERVICE), docker_url(&absent, SERVICE));
    let args = ["doctor", &first, &second, &first, "-o", "json"];
    let rows = home.program(args).end().await.expect(3).json();
    let results: Vec<&Value> = of_type(&rows, "verdict")
        .iter()
        .map(|row| &row["result"])
        .collect();
    assert_eq!(results, ["ok", "fail", "ok"]);
}

#[tokio::test]
async fn what_has_no_server_is_said_to_have_none() {
    let home = Home::new();
    let done = home.program(["doctor", "-"]).end().await.expect(2);
    assert!(
        done.text().contains("no server behind it"),
        "{}",
        done.text()
    );
    let done = home.program(["doctor"]).end().await.expect(2);
    assert!(done.err.contains("context add"), "{}", done.err);
}

/// A console whose shop has components, with a token that it accepts.
async fn with_login(home: &Home, change: impl FnOnce(&mut Switches)) -> Platform {
    let mut switches = Switches::default();
    change(&mut switches);
    let options = Options {
        zmq: false,
        prefix: Some("/p".into()),
        switches,
        ..Options::default()
    };
    let platform = Platform::start(options).await.unwrap();
    let server = platform.http_url("");
    let args = ["context", "add", "demo", "--server", &server, "--force"];
    home.program(args).end().await.expect(0);
    let args = ["login", "demo", "--user", "demo", "--password-stdin"];
    home.program(args).input("demo").end().await.expect(0);
    platform
}

fn stage<'a>(rows: &'a [Value], stage: &str) -> &'a Value {
    rows.iter().rfind(|row| row["stage"] == stage).unwrap()
}

async fn component(home: &Home) -> String {
    let args = ["get", "components", "-A", "-o", "name"];
    let done = home.program(args).end().await.expect(0);
    let lines = done.lines();
    lines
        .iter()
        .find(|line| line.contains("payment"))
        .unwrap_or(&lines[0])
        .clone()
}

#[tokio::test]
async fn a_context_is_asked_who_we_are_and_until_when() {
    let home = Home::new();
    let platform = with_login(&home, |_| ()).await;
    let rows = home
        .program(["doctor", "-o", "json"])
        .end()
        .await
        .expect(0)
        .json();
    let token = stage(&rows, "token");
    assert_eq!(token["user"], "demo", "{token}");
    assert!(
        token["expires"].as_str().unwrap().ends_with(" UTC"),
        "{token}"
    );
    assert_eq!(stage(&rows, "api")["api"], "console");
    assert_eq!(rows.last().unwrap()["result"], "ok");
    // All of them, in an order of their own.
    let server = platform.http_url("");
    let args = ["context", "add", "second", "--server", &server];
    home.program(args).end().await.expect(0);
    let args = ["doctor", "--all-contexts", "-o", "json"];
    let rows = home.program(args).end().await.expect(4).json();
    let verdicts = of_type(&rows, "verdict");
    let causes: Vec<&Value> = verdicts.iter().map(|row| &row["cause"]).collect();
    assert_eq!(causes, [&Value::Null, &"unauthorized".into()]);
}

#[tokio::test]
async fn a_component_is_read_by_what_its_platform_has() {
    let home = Home::new();
    let platform = with_login(&home, |_| ()).await;
    let name = component(&home).await;
    let args = ["doctor", &name, "-o", "json"];
    let rows = home.program(args).end().await.expect(0).json();
    assert_eq!(stage(&rows, "first_frame")["dialect"], "pod_stream");
    // Older ones have WebSockets alone.
    platform.set_switch(|switches| switches.rest.pod_streams = false);
    let rows = home.program(args).end().await.expect(0).json();
    assert_eq!(stage(&rows, "first_frame")["dialect"], "pubsub");
    platform.set_switch(|switches| switches.rest.pubsub = false);
    let rows = home.program(args).end().await.expect(0).json();
    let first = stage(&rows, "first_frame");
    assert_eq!(
        (&first["dialect"], &first["shape"]),
        (&"websocket".into(), &"history_json".into())
    );
    // A name that is nobody's is told with what there is.
    let args = ["doctor", "shop/none/none", "-o", "json"];
    let rows = home.program(args).end().await.expect(3).json();
    let verdict = rows.last().unwrap();
    assert_eq!(verdict["cause"], "not_found");
    assert!(!verdict["next"].as_str().unwrap().is_empty());
}

#[tokio::test]
async fn a_name_on_a_platform_that_is_gone_is_told_with_the_platforms_fault() {
    let home = Home::new();
    let platform = with_login(&home, |_| ()).await;
    let name = component(&home).await;
    drop(platform);
    let args = ["doctor", &name, "-o", "json"];
    let rows = home.program(args).end().await.expect(5).json();
    let verdict = rows.last().unwrap();
    assert_eq!(
        (&verdict["cause"], &verdict["target"]),
        (&"refused".into(), &"demo".into())
    );
}
