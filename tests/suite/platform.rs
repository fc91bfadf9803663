//! The real program on the embedded platform: contexts, names, logs of pods that come and go,
//! streams that are cut, servers of every age.

#![expect(clippy::unwrap_used, reason = "test helper")]

use std::time::Duration;

use deckwatch::demo::{Era, Options, Platform, Switches};
use serde_json::Value;

use crate::faulty::Home;
use crate::program::{Done, Run};

/// A platform where only what is injected happens, and a home that is logged in to it.
async fn shop(change: impl FnOnce(&mut Switches)) -> (Platform, Home) {
    let mut switches = Switches::default();
    switches.rest.start_takes = Duration::from_millis(300);
    switches.rest.leave_takes = Duration::from_millis(300);
    change(&mut switches);
    let options = Options {
        world: false,
        zmq: false,
        prefix: Some("/p".into()),
        switches,
        ..Options::default()
    };
    let platform = Platform::start(options).await.unwrap();
    let home = Home::at(&platform.http_url(""), &platform).await;
    (platform, home)
}

/// A component writes these lines, by its first pod.
async fn write(platform: &Platform, pod: &str, lines: impl IntoIterator<Item = String>) {
    let service = platform.service_id("payment").unwrap();
    let container = platform.container_id(pod, None).unwrap();
    for line in lines {
        platform
            .inject_log(&service, &container, line.as_bytes())
            .await;
    }
}

fn records(run: &Run, kind: &str) -> Vec<Value> {
    run.so_far()
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .filter(|record| record["type"] == kind)
        .collect()
}

fn messages(run: &Run) -> Vec<String> {
    let lines = records(run, "line");
    let text = |record: &Value| record["msg"].as_str().unwrap().to_owned();
    lines.iter().map(text).collect()
}

const PAYMENT: &str = "shop/*/payment";

#[tokio::test]
async fn four_commands_lead_from_nothing_to_a_live_log() {
    let (platform, home) = shop(|_| {}).await;
    let done = home
        .program(["get", "components", "-o", "name"])
        .end()
        .await;
    let name = done.expect(0).text();
    let name = name.lines().find(|line| line.ends_with("支付")).unwrap();
    let mut run = home.program(["logs", "-f", "-o", "json", name]).start();
    run.until_count("\"type\":\"join\"", 2).await;
    let pod = platform.pods("payment")[0].clone();
    write(&platform, &pod, ["hello".to_owned()]).await;
    run.until_out("\"msg\":\"hello\"").await;
    let line = &records(&run, "line")[0];
    for (key, want) in [
        ("context", "demo"),
        ("team", "shop"),
        ("region", "rainbond"),
        ("app", "在线商店"),
        ("component", "支付"),
        ("pod", pod.as_str()),
    ] {
        assert_eq!(line[key], want, "{line}");
    }
    assert!(line["ts"].is_string(), "the container's own stamp: {line}");
}

#[tokio::test]
async fn pods_come_and_go_and_no_line_is_lost_or_doubled() {
    let (platform, home) = shop(|_| {}).await;
    let mut run = home.program(["logs", "-f", "-o", "json", PAYMENT]).start();
    run.until_count("\"type\":\"join\"", 2).await;
    let old = platform.pods("payment");
    write(&platform, &old[0], (0..20).map(|n| format!("old {n}"))).await;
    platform.rolling_restart("payment").await;
    let new = platform.pods("payment");
    assert!(new.iter().all(|pod| !old.contains(pod)));
    write(&platform, &new[0], (0..20).map(|n| format!("new {n}"))).await;
    run.until_count("\"type\":\"join\"", 4).await;
    run.until_count("\"type\":\"leave\"", 2).await;
    run.until_out("\"msg\":\"new 19\"").await;
    let left: Vec<Value> = records(&run, "leave")
        .iter()
        .map(|r| r["pod"].clone())
        .collect();
    assert!(old.iter().all(|pod| left.contains(&pod.as_str().into())));
    let want: Vec<String> = (0..20)
        .map(|n| format!("old {n}"))
        .chain((0..20).map(|n| format!("new {n}")))
        .collect();
    assert_eq!(messages(&run), want);
}

#[tokio::test]
async fn a_stream_that_is_cut_anywhere_goes_on_without_a_double() {
    // Cut after so many lines; torn within a character.
    for torn in [false, true] {
        let (platform, home) = shop(|switches| {
            switches.rest.stream_end_after = (!torn).then_some(7);
            switches.rest.cut_in_character = torn.then_some(7);
        })
        .await;
        let pod = platform.pods("payment")[0].clone();
        let name = format!("{PAYMENT}/{pod}");
        let mut run = home.program(["logs", "-f", "-o", "json", &name]).start();
        run.until_count("\"type\":\"join\"", 1).await;
        // Every third line is the same as others.
        let line = |n: u32| match n % 3 {
            0 => "相同".to_owned(),
            _ => format!("订单 {n}"),
        };
        write(&platform, &pod, (0..30).map(line)).await;
        // After the first cut there is no other: what comes again is what was seen, and the rest.
        platform.set_switch(|switches| {
            switches.rest.stream_end_after = None;
            switches.rest.cut_in_character = None;
        });
        run.until_out("订单 29").await;
        let want: Vec<String> = (0..30).map(line).collect();
        assert_eq!(messages(&run), want, "torn: {torn}");
        assert!(records(&run, "gap").is_empty());
    }
}

#[tokio::test]
async fn older_servers_are_read_by_what_they_have_and_it_is_said_once() {
    for (pubsub, path) in [(true, "pubsub"), (false, "docker_log")] {
        let (platform, home) = shop(|switches| {
            switches.rest.pod_streams = false;
            switches.rest.pubsub = pubsub;
        })
        .await;
        let mut run = home.program(["logs", "-f", "-o", "json", PAYMENT]).start();
        run.until_out(&format!("its {path} is read instead")).await;
        let pod = platform.pods("payment")[0].clone();
        // The subscription may not stand yet: lines go on until one has come.
        let writing = async {
            loop {
                write(&platform, &pod, ["hello".to_owned()]).await;
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::select! {
            () = run.until_out("\"msg\":\"hello\"") => {}
            () = writing => {}
        }
        let said = records(&run, "notice");
        let said = said
            .iter()
            .filter(|notice| notice["text"].as_str().unwrap().contains("is read instead"));
        assert_eq!(said.count(), 1, "{path}");
    }
}

#[tokio::test]
async fn what_is_not_there_is_told_with_what_is() {
    let (platform, home) = shop(|_| {}).await;
    let logs = |name: &'static str| home.program(["logs", name]).end();
    let said = |done: Done, code: i32, words: &[&str]| {
        let text = done.expect(code).err;
        for word in words {
            assert!(text.contains(word), "{word} in {text}");
        }
    };
    said(logs("nobody/x/y").await, 3, &["no team", "shop (商城)"]);
    said(logs("shop/x/y").await, 3, &["no app", "在线商店"]);
    said(
        logs("shop/在线商店/y").await,
        3,
        &["no component", "支付 (payment)"],
    );
    said(logs("shop/*/payment/y").await, 3, &["no pod"]);
    said(logs("prod:shop/x/y").await, 3, &["context prod", "demo"]);
    said(logs("shop/x").await, 2, &["TEAM/APP/COMPONENT"]);
    let shell = ["shell", "--read-only", "--exec", "true", PAYMENT];
    said(home.program(shell).end().await, 4, &["read-only"]);
    let exec = ["shell", "--exec", "echo $((40 + 2))", PAYMENT];
    assert_eq!(home.program(exec).end().await.expect(0).text(), "42\n");
    drop(platform);
    said(logs(PAYMENT).await, 5, &["refused"]);
}

#[tokio::test]
async fn nothing_deployed_is_no_fault_and_the_first_pod_is_waited_for() {
    let (_platform, home) = shop(|_| {}).await;
    let done = home.program(["get", "pods", "lab"]).end().await;
    assert_eq!(done.expect(3).text(), "", "nothing runs there");
    let done = home.program(["logs", "lab/*/*"]).end().await;
    assert!(done.expect(0).err.contains("it is not deployed"));
}

#[tokio::test]
async fn a_platform_of_2017_has_targets_by_hand() {
    let (platform, home) = shop(|_| {}).await;
    platform.set_switch(|switches| *switches = Switches::of(Era::One));
    let service = platform.service_id("payment").unwrap();
    let target = format!(
        "shop/store/pay={}#{service}",
        platform.ws_url("/docker_log")
    );
    let server = platform.ws_url("");
    let add = [
        "context",
        "add",
        "old",
        "--server",
        &server,
        "--api",
        "websocket",
        "--target",
        &target,
    ];
    home.program(add).end().await.expect(0);
    home.program(["context", "use", "old"])
        .end()
        .await
        .expect(0);
    let done = home
        .program(["get", "components", "-o", "name"])
        .end()
        .await;
    assert_eq!(done.expect(0).text(), "old:shop/store/pay\n");
    let container = platform
        .container_id(&platform.pods("payment")[0], None)
        .unwrap();
    platform
        .inject_log(&service, &container, b"a line of 2017")
        .await;
    let logs = [
        "logs",
        "shop/store/pay",
        "-o",
        "raw",
        "-q",
        "--max-lines",
        "1",
    ];
    let done = home.program(logs).end().await;
    assert_eq!(done.expect(0).text(), "a line of 2017\n");
    let done = home.program(["logs", "shop/store/other"]).end().await;
    assert!(done.expect(3).err.contains("shop/store/pay"));
}
