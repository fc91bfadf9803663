//! The region's API, what is stored, and the console's words for the same.

use deckwatch::demo::{Credential, Switches};
use serde_json::Value;

use super::stage::open;
use super::web::{connect, logged_in, platform, status};
use crate::raw_client::{CLOSE, PING, RawClient, Seen, TEXT, request, text};

#[tokio::test(start_paused = true)]
async fn tenants_apps_and_services() {
    let platform = platform(Switches::default()).await;
    let mut web = connect(&platform).await;
    let tenants = web.get("/p/v2/tenants").await;
    assert_eq!(
        tenants.header("content-type"),
        Some("application/json; charset=utf-8")
    );
    let json = tenants.json();
    let id = |team: usize| json["list"][team]["uuid"].as_str().unwrap().to_owned();
    assert_eq!(
        tenants.body,
        format!(
            "{{\"list\":[{{\"name\":\"shop\",\"uuid\":\"{}\",\"eid\":\"\",\"limit_memory\":0,\"status\":\"normal\",\"namespace\":\"shop\"}},{{\"name\":\"lab\",\"uuid\":\"{}\",\"eid\":\"\",\"limit_memory\":0,\"status\":\"normal\",\"namespace\":\"lab\"}}],\"number\":2,\"page\":1}}\n",
            id(0),
            id(1)
        )
    );
    let apps = web
        .get("/p/v2/tenants/shop/apps?app_name=&page=3&pageSize=1")
        .await;
    let app = apps.json()["bean"]["apps"][0]["app_id"].clone();
    let app = app.as_str().unwrap();
    assert_eq!(
        apps.body,
        format!(
            "{{\"bean\":{{\"page\":3,\"pageSize\":1,\"total\":3,\"apps\":[{{\"tenant_id\":\"{}\",\"app_name\":\"后台任务\",\"app_id\":\"{app}\",\"k8s_app\":\"jobs\"}}]}}}}\n",
            id(0)
        )
    );
    let worker = platform.service_id("worker").unwrap();
    assert_eq!(
        web.body(&format!("/p/v2/tenants/shop/apps/{app}/services"))
            .await,
        format!(
            "{{\"bean\":{{\"page\":1,\"pageSize\":10,\"total\":1,\"services\":[{{\"tenant_id\":\"{}\",\"service_id\":\"{worker}\",\"service_alias\":\"worker\",\"service_name\":\"任务\",\"app_id\":\"{app}\",\"k8s_component_name\":\"worker\",\"replicas\":2,\"container_memory\":256,\"container_cpu\":250}}]}}}}\n",
            id(0)
        )
    );
    let statuses = web
        .post_json(
            "/p/v2/tenants/shop/services_status",
            &format!(r#"{{"service_ids":["{worker}","x"]}}"#),
        )
        .await
        .json();
    assert_eq!(statuses["list"].as_array().unwrap().len(), 1);
    assert_eq!(statuses["list"][0]["status_cn"], "运行中");
    let wrong = web
        .post_json("/p/v2/tenants/shop/services_status", "{}")
        .await;
    assert_eq!(wrong.status, 400);
    assert!(wrong.body.contains("validation_error"), "{}", wrong.body);
    for path in ["tenants/nobody", "tenants/shop/services/nothing/pods"] {
        let answer = web.get(&format!("/p/v2/{path}")).await;
        assert_eq!(answer.status, 404);
        assert!(answer.body.starts_with("{\"msg\":\""), "{}", answer.body);
    }
}

#[tokio::test(start_paused = true)]
async fn two_words_of_which_the_second_counts() {
    let platform = platform(Switches::default()).await;
    platform.set_switch(|switches| switches.rest.region_token = Some("s3cret".into()));
    let mut web = connect(&platform).await;
    for (value, status) in [
        ("Token s3cret", 200),
        ("x s3cret", 200),
        ("s3cret", 401),
        ("Token s3cret more", 401),
        ("Token other", 401),
    ] {
        web.headers = vec![format!("Authorization: {value}")];
        assert_eq!(web.get("/p/v2/tenants").await.status, status, "{value}");
    }
    assert_eq!(platform.requests()[0].credential, Credential::Region);
    assert!(!format!("{:?}{platform:?}", platform.requests()).contains("s3cret"));
}

#[tokio::test(start_paused = true)]
async fn stored_lines_files_and_instances() {
    let platform = platform(Switches::default()).await;
    let service = platform.service_id("payment").unwrap();
    let container = platform
        .container_id(&platform.pods("payment")[0], None)
        .unwrap();
    for line in ["one", "<two>", "三"] {
        platform
            .inject_log(&service, &container, line.as_bytes())
            .await;
    }
    let mut web = logged_in(&platform).await;
    let region = "/p/v2/tenants/shop/services/payment";
    let console = "/p/console/teams/shop/apps/payment";
    assert_eq!(
        web.body(&format!("{region}/logs?rows=2")).await,
        format!("{{\"list\":[\"{container}:\\u003ctwo\\u003e\",\"{container}:三\"]}}\n")
    );
    let list = |list: &str| {
        format!(
            r#"{{"code":200,"msg":"success","msg_show":"查询成功","data":{{"bean":{{}},"list":{list}}}}}"#
        )
    };
    assert_eq!(
        web.body(&format!("{console}/log?action=service&lines=2"))
            .await,
        list(&format!(r#"["{container}:<two>","{container}:三"]"#))
    );
    assert_eq!(
        web.body(&format!("{region}/log-instance")).await,
        "{\"bean\":{\"host_id\":\"eventlog-0\"}}\n"
    );
    assert_eq!(
        web.body(&format!("{console}/log_instance")).await,
        r#"{"code":200,"msg":"success","msg_show":"查询成功","data":{"bean":{"web_socket_url":"ws://demo.example:7070/p/console/regions/rainbond/websocket/docker_log?host_id=eventlog-0","host_id":"eventlog-0"},"list":[]}}"#
    );
    let files = web.get(&format!("{region}/log-file")).await.json();
    let path = files["list"][0]["relative_path"].as_str().unwrap();
    let url = format!("http://demo.example:7070/p/console/regions/rainbond/websocket/{path}");
    assert_eq!(
        web.body(&format!("{console}/history_log")).await,
        list(&format!(
            r#"[{{"file_name":"stdout.log","file_url":"{url}"}}]"#
        ))
    );
    let path = url.strip_prefix("http://demo.example:7070").unwrap();
    let text = format!("{container}:one\n{container}:<two>\n{container}:三\n");
    assert_eq!(web.body(path).await, text);
    // Before the console handed things on, it named the region itself.
    platform.set_switch(|switches| switches.rest.console_sockets = false);
    let answer = web.get(&format!("{console}/history_log")).await.json();
    let url = answer["data"]["list"][0]["file_url"].clone();
    let path = url
        .as_str()
        .unwrap()
        .strip_prefix("http://demo.example:7070/p/logs/");
    assert_eq!(web.body(&format!("/p/logs/{}", path.unwrap())).await, text);
    let answer = web.get(&format!("{console}/log_instance")).await.json();
    assert_eq!(
        answer["data"]["bean"]["web_socket_url"],
        "ws://demo.example:7070/p/docker_log?host_id=eventlog-0"
    );
    let nothing = "/p/v2/tenants/lab/services/notebook/log-file";
    assert_eq!(web.get(nothing).await.status, 404);
    // Where the log's server is gone, the console has nothing.
    platform.set_switch(|switches| switches.rest.stored_logs = false);
    assert_eq!(web.body(&format!("{console}/log")).await, list("[]"));
    assert_eq!(web.get(&format!("{region}/logs")).await.status, 503);
}

#[tokio::test(start_paused = true)]
async fn events_and_their_logs() {
    let platform = platform(Switches::default()).await;
    let entry = |id: &str, step: &str, level: &str| {
        format!(
            r#"{{"event_id":"{id}","message":"m {step}","time":"2026-11-24T09:58:48+08:00","level":"{level}","step":"{step}","status":""}}"#
        )
    };
    for (id, step, level) in [
        ("e1", "build-code", "info"),
        ("e1", "progress", "debug"),
        ("e1", "push-image", "debug"),
        ("e1", "callback", "error"),
        ("e2", "build-code", "info"),
    ] {
        platform
            .inject_event(id, entry(id, step, level).as_bytes())
            .await;
    }
    let mut web = logged_in(&platform).await;
    let service = platform.service_id("order-center").unwrap();
    let tenant = web.get("/p/v2/tenants/shop").await.json()["bean"]["uuid"].clone();
    let tenant = tenant.as_str().unwrap();
    let row = |id: &str, end: &str, (status, last): (&str, &str), message: &str| {
        format!(
            r#"{{"create_time":"2026-11-24T09:58:48+08:00","event_id":"{id}","tenant_id":"{tenant}","service_id":"{service}","target":"service","target_id":"{service}","request_body":"","user_name":"demo","start_time":"2026-11-24T09:58:48+08:00","end_time":"{end}","opt_type":"build-service","syn_type":0,"status":"{status}","final_status":"{last}","message":"{message}","reason":""}}"#
        )
    };
    let running = row("e2", "", ("", ""), "m build-code");
    let failed = row(
        "e1",
        "2026-11-24T09:58:48+08:00",
        ("failure", "complete"),
        "m callback",
    );
    let path = format!("/p/v2/events?target=service&target-id={service}&page=1&size=10");
    assert_eq!(
        web.body(&path).await,
        format!("{{\"list\":[{running},{failed}],\"number\":2,\"page\":1}}\n")
    );
    let console = |list: &str, more: bool| {
        format!(
            r#"{{"code":200,"msg":"success","msg_show":"查询成功","data":{{"bean":{{}},"list":[{list}],"total":2,"has_next":{more}}}}}"#
        )
    };
    for path in [
        "/p/console/teams/shop/events?target=service&targetAlias=order-center&page=1&page_size=1",
        "/p/console/teams/shop/events?page=1&page_size=1",
        "/p/console/teams/shop/apps/order-center/events?page=1&page_size=1",
    ] {
        assert_eq!(web.body(path).await, console(&running, true), "{path}");
    }
    let path = "/p/console/teams/shop/apps/order-center/events?page=2&page_size=1";
    assert_eq!(web.body(path).await, console(&failed, false));
    let none = web
        .get("/p/console/teams/shop/apps/payment/events")
        .await
        .json();
    assert_eq!(none["data"]["total"], 0);
    let line = |step: &str| {
        format!(r#"{{"message":"m {step}","time":"2026-11-24T09:58:48+08:00","utime":1795485528}}"#)
    };
    let (one, two, three) = (line("build-code"), line("push-image"), line("callback"));
    assert_eq!(
        web.body("/p/v2/events/e1/log").await,
        format!("{{\"list\":[{one},{two},{three}]}}\n")
    );
    assert_eq!(
        web.body("/p/v2/events/e1/log?level=info").await,
        format!("{{\"list\":[{one},{three}]}}\n")
    );
    assert_eq!(
        web.body("/p/console/teams/shop/events/e1/log").await,
        format!(
            r#"{{"code":200,"msg":"success","msg_show":"查询成功","data":{{"bean":{{}},"list":[{one},{two},{three}]}}}}"#
        )
    );
}

const PROXY: &str = "/console/regions/rainbond/websocket";

#[tokio::test(start_paused = true)]
async fn the_console_hands_sockets_on_without_their_pings() {
    let platform = platform(Switches::default()).await;
    let service = platform.service_id("payment").unwrap();
    let container = platform
        .container_id(&platform.pods("payment")[0], None)
        .unwrap();
    let mut docker = open(&platform, &format!("{PROXY}/docker_log?host_id=eventlog-0")).await;
    docker.say(&format!("topic={service}")).await;
    assert_eq!(docker.next().await, text("ok"));
    // The proxy answers the server's pings: it stays for hours without a pong of ours.
    tokio::time::sleep(std::time::Duration::from_secs(7200)).await;
    platform.inject_log(&service, &container, b"a line").await;
    assert_eq!(docker.next().await, text(format!("{container}:a line")));
    // A ping of ours it answers itself.
    docker.send(PING, b"x").await;
    assert!(matches!(docker.next().await, Seen::Frame { op: 10, .. }));
    // A byte that is no text ends the link.
    platform.inject_log(&service, &container, b"bad \xff").await;
    assert_eq!(docker.next().await, Seen::End);

    let mut pubsub = open(&platform, &format!("{PROXY}/services/{service}/pubsub")).await;
    pubsub
        .say(r#"{"event":"pusher:subscribe","data":{"channel":"e-e1"}}"#)
        .await;
    assert_eq!(
        pubsub.next().await,
        text(r#"{"event":"pusher:succeeded","data":null,"channel":"event-e1"}"#)
    );
    let mut event = open(&platform, &format!("{PROXY}/event_log")).await;
    event.say("event_id=e1").await;
    assert_eq!(event.next().await, text("ok"));
    let mut monitor = open(&platform, &format!("{PROXY}/new_monitor_message")).await;
    monitor.say(&format!("topic={service}")).await;
    assert_eq!(monitor.next().await, text("ok"));
    // A close is handed on and ends both sides.
    monitor.send(CLOSE, &1000_u16.to_be_bytes()).await;
    assert!(matches!(
        monitor.next().await,
        Seen::Frame { op: CLOSE, .. }
    ));
    assert_eq!(monitor.next().await, Seen::End);
    platform.drop_connections();
    assert_eq!(event.next().await, Seen::End);
}

async fn refused(platform: &deckwatch::demo::Platform, path: &str, cookie: &str) -> u16 {
    let mut client = RawClient::new(platform.connect_memory().await);
    let request = request(path).replace("\r\n\r\n", &format!("\r\nCookie: {cookie}\r\n\r\n"));
    client.write(request.as_bytes()).await;
    status(&client.head().await)
}

#[tokio::test(start_paused = true)]
async fn what_the_console_does_not_hand_on() {
    let platform = platform(Switches::default()).await;
    let path = |rest: &str| format!("/p{rest}");
    let socket = path(&format!("{PROXY}/docker_log"));
    for (path, status) in [
        (socket.clone(), 101),
        (path("/console/regions/nowhere/websocket/docker_log"), 404),
        // What the server behind does not have.
        (path(&format!("{PROXY}/nothing")), 502),
    ] {
        assert_eq!(refused(&platform, &path, "").await, status, "{path}");
    }
    platform.set_switch(|switches| switches.rest.gateway_login = true);
    assert_eq!(refused(&platform, &socket, "").await, 401);
    let token = connect(&platform).await.login().await;
    let cookie = format!("token={token}");
    assert_eq!(refused(&platform, &socket, &cookie).await, 101);
}

#[tokio::test]
async fn a_proxied_shell_is_a_shell() {
    let platform = platform(Switches::default()).await;
    let pod = platform.pods("payment")[0].clone();
    let url = platform.shell_url("payment", Some(&pod)).unwrap();
    let ids = url.split_once('#').unwrap().1.to_owned();
    let ids: Vec<&str> = ids.split('/').collect();
    let sum = md5(&format!("{}_{}_{}", ids[0], ids[1], ids[2]));
    let mut shell = open(&platform, &format!("{PROXY}/docker_console")).await;
    // The team's namespace is found as the tenant's id is.
    shell
        .say(&format!(
            r#"{{"T_id":"{}","S_id":"{}","C_id":"{}","Md5":"{sum}","namespace":"shop","containerName":"payment"}}"#,
            ids[0], ids[1], ids[2]
        ))
        .await;
    assert_eq!(shell.next().await, text("310.42.1.12"));
    assert_eq!(shell.next().await, text("560"));
    assert!(matches!(shell.next().await, Seen::Frame { op: TEXT, .. }));
    shell.say("2").await;
    let shells = platform
        .shells_until(|all| all.iter().any(|one| one.pings == 1))
        .await;
    assert_eq!(shells[0].pod, pod);
}

fn md5(text: &str) -> String {
    use md5::{Digest as _, Md5};
    let parts = Md5::digest(text);
    let parts: Vec<_> = parts.iter().map(|byte| format!("{byte:02x}")).collect();
    parts.concat()
}

#[tokio::test]
async fn the_shop_has_a_past_in_its_pods() {
    let platform = deckwatch::demo::Platform::start(deckwatch::demo::Options {
        zmq: false,
        prefix: Some("/p".into()),
        epoch: Some(super::web::EPOCH),
        ..Default::default()
    })
    .await
    .unwrap();
    let mut web = logged_in(&platform).await;
    for alias in ["gateway", "order-center", "recommender", "worker"] {
        let mut lines = 0;
        for pod in platform.pods(alias) {
            let path = format!(
                "/p/v2/tenants/shop/services/{alias}/pods/{pod}/logs?container={alias}&follow=false&lines=500"
            );
            web.open(&path).await;
            loop {
                let chunk = web.chunk().await.unwrap();
                if chunk.is_empty() {
                    break;
                }
                let text = String::from_utf8(chunk).unwrap();
                assert!(text.starts_with("data: 2026-11-24T01:5"), "{text}");
                lines += 1;
            }
        }
        assert!(lines > 20, "{alias}: {lines}");
    }
    let events: Value = web.get("/p/console/teams/shop/events").await.json();
    assert_eq!(events["data"]["list"][0]["opt_type"], "build-service");
}
