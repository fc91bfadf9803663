//! What the console says, byte for byte, and who may hear it.

use std::time::Duration;

use deckwatch::demo::{Credential, Era, Refusal, RestSwitches, RetryAfter, Switches};
use tokio::time::sleep;

use super::web::{connect, logged_in, platform, status};

fn rest(change: impl FnOnce(&mut RestSwitches)) -> Switches {
    let mut switches = Switches::default();
    change(&mut switches.rest);
    switches
}

#[tokio::test(start_paused = true)]
async fn a_login_gives_a_token_and_a_cookie_and_either_is_enough() {
    let platform = platform(Switches::default()).await;
    let mut web = connect(&platform).await;
    let answer = web
        .post("/p/console/users/login", "nick_name=demo&password=demo")
        .await;
    let token = answer.json()["data"]["bean"]["token"].clone();
    let token = token.as_str().unwrap();
    assert_eq!(
        answer.body,
        format!(
            r#"{{"code":200,"msg":"login success","msg_show":"登录成功","data":{{"bean":{{"token":"{token}"}},"list":[]}}}}"#
        )
    );
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert_eq!(
        answer.header("set-cookie"),
        Some(format!("token={token}; Max-Age=315360000; Path=/").as_str())
    );
    assert_eq!(token.split('.').count(), 3);
    let path = "/p/console/regions";
    for header in [
        format!("Authorization: GRJWT {token}"),
        format!("authorization: jwt {token}"),
        format!("Cookie: team_name=shop; token={token}; region_name=rainbond"),
    ] {
        web.headers = vec![header];
        assert_eq!(web.get(path).await.status, 200);
    }
    web.headers = vec![format!("Authorization: Bearer {token}")];
    assert_eq!(web.get(path).await.status, 401);
    let seen: Vec<_> = platform
        .requests()
        .into_iter()
        .map(|one| (one.method, one.path, one.credential, one.status))
        .collect();
    let get = |credential, status| ("GET".into(), "/console/regions".into(), credential, status);
    assert_eq!(
        seen,
        [
            (
                "POST".into(),
                "/console/users/login".into(),
                Credential::None,
                200
            ),
            get(Credential::Header, 200),
            get(Credential::Header, 200),
            get(Credential::Cookie, 200),
            get(Credential::None, 401),
        ]
    );
    assert!(!format!("{:?}", platform.requests()).contains(token));
    assert!(!format!("{platform:?}").contains(token));
    assert_eq!(platform.tokens_issued(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_token_ends_and_the_next_login_gives_another() {
    let platform = platform(rest(|rest| rest.token_lifetime = Duration::from_secs(30))).await;
    let mut web = logged_in(&platform).await;
    sleep(Duration::from_secs(29)).await;
    assert_eq!(web.get("/p/console/regions").await.status, 200);
    sleep(Duration::from_secs(1)).await;
    let answer = web.get("/p/console/regions").await;
    assert_eq!(answer.status, 401);
    assert_eq!(
        answer.body,
        r#"{"code":10405,"msg":"authentication failed","msg_show":"身份认证信息失败，请登录","data":{"bean":{},"list":[]}}"#
    );
    let token = web.login().await;
    web.headers = vec![format!("Authorization: GRJWT {token}")];
    assert_eq!(web.get("/p/console/regions").await.status, 200);
    assert_eq!(platform.tokens_issued(), 2);
    platform.revoke_tokens();
    assert_eq!(web.get("/p/console/regions").await.status, 401);
}

#[tokio::test(start_paused = true)]
async fn wrong_passwords_are_refused_and_then_frozen() {
    let platform = platform(Switches::default()).await;
    let mut web = connect(&platform).await;
    let path = "/p/console/users/login";
    for _ in 0..4 {
        let answer = web.post(path, "nick_name=demo&password=no").await;
        assert_eq!(answer.status, 400);
        assert_eq!(
            answer.body,
            r#"{"code":400,"msg":"authorization fail ","msg_show":"密码不正确","data":{"bean":{},"list":[]}}"#
        );
    }
    let right = r#"{"nick_name":"demo","password":"demo"}"#;
    let answer = web.post_json(path, right).await;
    assert_eq!(answer.status, 400);
    assert!(answer.body.contains("10分钟"), "{}", answer.body);
    sleep(Duration::from_secs(600)).await;
    assert_eq!(web.post_json(path, right).await.status, 200);
    assert_eq!(web.post(path, "nick_name=demo").await.status, 405);
    assert_eq!(web.post(path, "nick_name=you&password=x").await.status, 400);
}

#[tokio::test(start_paused = true)]
async fn from_the_user_to_the_components() {
    let platform = platform(Switches::default()).await;
    let mut web = logged_in(&platform).await;
    let id = |alias: &str| platform.service_id(alias).unwrap();
    let ok = |data: &str| {
        format!(r#"{{"code":200,"msg":"success","msg_show":"查询成功","data":{data}}}"#)
    };
    let team = "/p/console/teams/lab";
    assert_eq!(
        web.body("/p/console/users/details").await,
        concat!(
            r#"{"code":200,"msg":"Obtain my details to be successful.","msg_show":"获取我的详情成功","data":{"bean":{"user_id":1,"user_name":"demo","real_name":"demo","email":"demo@example.com","enterprise_id":"8e1f3d5b7a9c4e6f8b0d2a4c6e8f1a3b","phone":null,"git_user_id":0,"is_sys_admin":true,"is_enterprise_active":1,"is_enterprise_admin":true,"teams":["#,
            r#"{"team_id":1,"team_name":"shop","team_alias":"商城","limit_memory":0,"pay_level":"free","region":[{"team_region_name":"rainbond","team_region_alias":"默认集群","region_id":"5a1c7f4e2d9b4c6f8e0a3b5d7c9e1f20","is_active":true,"is_init":true,"region_status":"1","region_scope":"private","websocket_uri":"ws://demo.example:7070/p/console/regions/rainbond/websocket"}],"creater":"demo","create_time":"2026-11-24 09:57:48","namespace":"shop","role_name_list":["owner"]},"#,
            r#"{"team_id":2,"team_name":"lab","team_alias":"实验室","limit_memory":0,"pay_level":"free","region":[{"team_region_name":"edge","team_region_alias":"边缘集群","region_id":"6b2d8a5f3e0c4d7a9f1b4c6e8d0f2a31","is_active":true,"is_init":true,"region_status":"1","region_scope":"private","websocket_uri":"ws://demo.example:7070/p/console/regions/edge/websocket"}],"creater":"demo","create_time":"2026-11-24 09:57:48","namespace":"lab","role_name_list":["owner"]}"#,
            r#"]},"list":[]}}"#
        )
    );
    assert_eq!(
        web.body(&format!("{team}/overview/groups?region_name=edge&query="))
            .await,
        ok(&format!(
            r#"{{"bean":{{}},"list":[{{"group_id":21,"group_name":"试验田","service_list":[{{"service_id":"{}","service_cname":"笔记本","service_alias":"notebook"}}]}},{{"group_id":22,"group_name":"空应用","service_list":null}}]}}"#,
            id("notebook")
        ))
    );
    assert_eq!(
        web.body(&format!("{team}/groups")).await,
        ok(
            r#"{"bean":{},"list":[{"group_name":"试验田","group_id":21,"group_note":"还没有部署"},{"group_name":"空应用","group_id":22,"group_note":""}]}"#
        )
    );
    assert_eq!(
        web.body("/p/console/teams/shop/apps?page=3&page_size=1")
            .await,
        ok(&format!(
            r#"{{"bean":{{"page":3,"page_size":1,"total":3}},"list":[{{"group_id":13,"group_name":"后台任务","group_note":"每晚导出","status":"RUNNING","k8s_app":"jobs","used_mem":256,"used_cpu":250,"used_disk":0,"services_num":1,"run_service_num":1,"service_list":[{{"service_id":"{}","service_cname":"任务","service_alias":"worker","status":"running"}}],"accesses":[]}}]}}"#,
            id("worker")
        ))
    );
    let group = "/p/console/teams/shop/service/group";
    assert_eq!(
        web.body(&format!("{group}?group_id=13&page=1&page_size=-1"))
            .await,
        format!(
            r#"{{"code":200,"msg":"query success","msg_show":"应用查询成功","data":{{"bean":{{}},"list":[{{"service_id":"{}","service_alias":"worker","service_cname":"任务","service_type":"application","deploy_version":"20261124","version":"latest","status":"running","status_cn":"运行中","min_memory":256,"min_node":2,"update_time":"2026-11-24 09:57:48","create_status":"complete","service_source":"source_code"}}],"total":1}}}}"#,
            id("worker")
        )
    );
    // A vanished app is a 202 inside a 200.
    let gone = web.body(&format!("{group}?group_id=99")).await;
    assert!(gone.starts_with(r#"{"code":202,"#), "{gone}");
    let shop = web.body("/p/console/teams/shop/overview/groups").await;
    for alias in [
        "gateway",
        "order-center",
        "payment",
        "inventory",
        "user-service",
        "search",
        "recommender",
        "worker",
    ] {
        assert!(shop.contains(&id(alias)), "{alias}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_components_detail_and_status() {
    let platform = platform(Switches::default()).await;
    let mut web = logged_in(&platform).await;
    let id = platform.service_id("payment").unwrap();
    let path = "/p/console/teams/shop/apps/payment/detail?region_name=rainbond";
    let detail = web.get(path).await.json();
    let service = &detail["data"]["bean"]["service"];
    assert_eq!(service["service_id"], id);
    assert_eq!(service["tenant_id"].as_str().unwrap().len(), 32);
    assert_eq!(service["service_cname"], "支付");
    assert_eq!(service["k8s_component_name"], "payment");
    assert_eq!(service["namespace"], "shop");
    assert_eq!(
        (&service["group_id"], &service["group_name"]),
        (&11.into(), &"在线商店".into())
    );
    let events = |scheme: &str| {
        format!("{scheme}://demo.example:7070/p/console/regions/rainbond/websocket/event_log")
    };
    assert_eq!(detail["data"]["bean"]["event_websocket_url"], events("ws"));
    // The first element counts.
    for (value, scheme) in [("https, http", "wss"), ("http,https", "ws")] {
        web.headers.push(format!("X-Forwarded-Proto: {value}"));
        let detail = web.get(path).await.json();
        assert_eq!(
            detail["data"]["bean"]["event_websocket_url"],
            events(scheme)
        );
        web.headers.pop();
    }
    let team = "/p/console/teams";
    let bean = |bean: &str| {
        format!(
            r#"{{"code":200,"msg":"success","msg_show":"查询成功","data":{{"bean":{bean},"list":[]}}}}"#
        )
    };
    assert_eq!(
        web.body(&format!("{team}/shop/apps/payment/status")).await,
        bean(
            r#"{"check_uuid":"","status":"running","status_cn":"运行中","disabledAction":["deploy"],"activeAction":["restart","stop","visit","manage_container"]}"#
        )
    );
    platform.kill_container("payment");
    let status = web.body(&format!("{team}/shop/apps/payment/status")).await;
    assert!(status.contains("some_abnormal"), "{status}");
    let status = web.body(&format!("{team}/lab/apps/notebook/status")).await;
    assert!(status.contains(r#""status":"undeploy""#), "{status}");
}

#[tokio::test(start_paused = true)]
async fn what_is_not_there_or_not_allowed() {
    let platform = platform(rest(|rest| rest.forbidden_team = Some("lab".into()))).await;
    let mut web = logged_in(&platform).await;
    let fault = |code, msg, show| {
        format!(
            r#"{{"code":{code},"msg":"{msg}","msg_show":"{show}","data":{{"bean":{{}},"list":[]}}}}"#
        )
    };
    for (path, status, body) in [
        (
            "teams/nobody/groups",
            404,
            fault(10403, "team not found", "团队不存在"),
        ),
        (
            "teams/lab/groups",
            403,
            fault(10402, "no permissions ", "没有操作权限"),
        ),
        (
            "teams/shop/groups?region_name=edge",
            404,
            fault(10404, "region not found", "集群不存在"),
        ),
        (
            "teams/shop/apps/nothing/pods",
            404,
            fault(404, "service not found", "组件不存在"),
        ),
        ("nothing", 404, fault(404, "not found", "资源不存在")),
    ] {
        let answer = web.get(&format!("/p/console/{path}")).await;
        assert_eq!((answer.status, answer.body), (status, body), "{path}");
    }
    assert_eq!(web.post("/p/console/regions", "").await.status, 405);
    // The connection has carried all of it.
    assert_eq!(platform.tally().await.connections, 1);
}

#[tokio::test(start_paused = true)]
async fn refusals_say_when_to_come_back() {
    let platform = platform(Switches::default()).await;
    let mut web = logged_in(&platform).await;
    let date = "Tue, 24 Nov 2026 02:00:00 GMT";
    for (status, retry_after, want) in [
        (429, Some(RetryAfter::Seconds(7)), Some("7")),
        (503, Some(RetryAfter::Text(date.into())), Some(date)),
        (503, Some(RetryAfter::Text("soon".into())), Some("soon")),
        (503, None, None),
    ] {
        platform.set_switch(|switches| {
            switches.rest.refuse = Some(Refusal {
                status,
                retry_after,
            });
        });
        let answer = web.get("/p/console/regions").await;
        assert_eq!(answer.status, status);
        assert_eq!(answer.header("retry-after"), want);
    }
}

#[tokio::test(start_paused = true)]
async fn a_slow_backend_ends_in_504_but_for_logs() {
    let platform = platform(Switches::default()).await;
    let mut web = logged_in(&platform).await;
    platform.set_switch(|switches| switches.rest.answer_after = Duration::from_secs(8));
    let before = deckwatch::clock::now();
    assert_eq!(web.get("/p/v2/tenants/shop/apps").await.status, 504);
    assert_eq!(before.elapsed(), Duration::from_secs(5));
    let answer = web.get("/p/v2/tenants/shop/services/payment/logs").await;
    assert_eq!(answer.status, 200);
    assert_eq!(before.elapsed(), Duration::from_secs(13));
}

#[tokio::test(start_paused = true)]
async fn a_dead_backend_is_two_hundred_with_nothing_in_it() {
    let platform = platform(Switches::default()).await;
    let mut web = logged_in(&platform).await;
    platform.set_switch(|switches| switches.rest.dead_backend = true);
    let app = "/p/console/teams/shop/apps/order-center";
    for path in [
        "pods",
        "status",
        "log?action=service",
        "events",
        "history_log",
    ] {
        let json = web.get(&format!("{app}/{path}")).await.json();
        assert_eq!(json["code"], 200);
        assert_eq!(json["data"]["bean"], serde_json::json!({}), "{path}");
        assert_eq!(json["data"]["list"], serde_json::json!([]), "{path}");
    }
    // What the console knows by itself is there.
    assert!(
        web.body(&format!("{app}/detail"))
            .await
            .contains("订单中心")
    );
    let answer = web.get("/p/v2/tenants").await;
    assert_eq!(
        (answer.status, answer.body.as_str()),
        (503, "{\"error\":\"部分服务不可用\"}\n")
    );
}

#[tokio::test(start_paused = true)]
async fn each_age_has_what_it_had() {
    let platform = platform(Switches::default()).await;
    let mut web = logged_in(&platform).await;
    let token_header = web.headers.clone();
    let pod = &platform.pods("payment")[0];
    let console = "/p/console/regions".to_owned();
    let ajax = "/p/ajax/shop/payment/log_instance".to_owned();
    let stream =
        format!("/p/console/sse/v2/tenants/shop/services/payment/pods/{pod}/logs?follow=false");
    let event = "/p/console/sse/v2/events/e/stream".to_owned();
    let socket = "/p/console/regions/rainbond/websocket/docker_log".to_owned();
    let pubsub = "/p/services/x/pubsub".to_owned();
    // A socket without the request for one is a bad request; where it is not, nothing is found.
    let all = [&console, &ajax, &stream, &event, &socket, &pubsub];
    for (era, want) in [
        (Era::One, [404, 200, 404, 404, 404, 404]),
        (Era::Two, [200, 404, 404, 404, 400, 400]),
        (Era::Three, [200, 404, 404, 404, 400, 400]),
        (Era::Four, [200, 404, 200, 200, 400, 400]),
    ] {
        platform.set_switch(|switches| *switches = Switches::of(era));
        let mut got = Vec::new();
        for path in all {
            let mut web = connect(&platform).await;
            web.headers = token_header.clone();
            got.push(status(&web.open(path).await));
        }
        assert_eq!(got, want, "{era:?}");
    }
    platform.set_switch(|switches| *switches = Switches::of(Era::One));
    assert_eq!(
        web.body(&ajax).await,
        r#"{"ok":true,"host_id":"eventlog-0","ws_url":"ws://demo.example:7070/p/docker_log?host_id=eventlog-0"}"#
    );
    assert_eq!(
        web.body("/p/ajax/shop/nothing/log_instance").await,
        r#"{"ok":false,"info":"获取日志实例失败","ws_url":"ws://demo.example:7070/p/docker_log"}"#
    );
}
