use serde_json::json;

use super::*;
use crate::model::catalog::{Container, Pod};

fn read(value: &Value) -> Payload {
    envelope(200, value.to_string().as_bytes())
        .unwrap()
        .unwrap()
}

#[test]
fn envelopes_of_both_apis_are_read_and_refusals_named() {
    let payload = read(&json!({"code":200,"msg":"success","msg_show":"成功",
        "data":{"bean":{"token":"t"},"list":[1],"total":7}}));
    assert_eq!((token(&payload), payload.total), (Some("t"), Some(7)));
    let payload = read(&json!({"list":["a:b"],"number":3,"page":1}));
    assert_eq!(
        (log_lines(&payload), payload.total),
        (vec!["a:b".to_owned()], Some(3))
    );
    for (status, body, code, words) in [
        (
            401,
            json!({"code":10405,"msg":"x","msg_show":"登录过期"}),
            10405,
            "登录过期",
        ),
        (
            200,
            json!({"code":404,"msg":"no app","msg_show":""}),
            404,
            "no app",
        ),
        (202, json!({"code":202,"msg":"gone"}), 0, ""),
        (500, json!({"msg":"boom"}), 500, "boom"),
        (403, json!({"code":200,"msg":"odd"}), 403, "odd"),
        (
            503,
            json!({"error":"部分服务不可用"}),
            503,
            "部分服务不可用",
        ),
    ] {
        let answer = envelope(status, body.to_string().as_bytes()).unwrap();
        match answer {
            Ok(payload) => assert_eq!((code, payload.list), (0, Value::Null)),
            Err(refusal) => assert_eq!((refusal.code, refusal.words.as_str()), (code, words)),
        }
    }
    for body in ["", "[]", "<html>", "7", "{", "null"] {
        assert_eq!(envelope(200, body.as_bytes()), None, "{body}");
    }
}

#[test]
fn pods_come_in_four_shapes() {
    let console = read(&json!({"code":200,"data":{"bean":{},"list":{"new_pods":[
        {"pod_name":"a-1","pod_status":"RUNNING","manage_name":"manager","container":[
            {"container_name":"POD"},
            {"container_name":"a","memory_limit":512,"memory_usage":100.5,"usage_rate":19.6}]}],
        "old_pods":null}}}));
    let container = |name: &str, memory, limit| Container {
        name: name.into(),
        memory,
        limit,
    };
    let pod = |name: &str, old, container| Pod {
        name: name.into(),
        status: "RUNNING".into(),
        old,
        containers: vec![container],
    };
    let want = pod(
        "a-1",
        false,
        container("a", Some(100 << 20), Some(512 << 20)),
    );
    assert_eq!(pods(&console), [want]);
    let region = read(&json!({"bean":{"new_pods":null,"old_pods":[
        {"pod_name":"a-2","pod_ip":"10.0.0.1","pod_status":"RUNNING","service_id":"s",
         "container":{"POD":{},"a":{"memory_limit":"0","memory_usage":"1048576"}}}]}}));
    let want = pod("a-2", true, container("a", Some(1 << 20), None));
    assert_eq!(pods(&region), [want]);
    for nothing in [
        json!({"code":200,"data":{"list":[],"bean":{}}}),
        json!({"code":200,"data":{"list":{"new_pods":null,"old_pods":null}}}),
        json!({"bean":{}}),
        json!({"code":200}),
    ] {
        assert_eq!(pods(&read(&nothing)), [], "{nothing}");
    }
}

#[test]
fn apps_and_components_are_read_with_what_is_missing_left_empty() {
    let payload = read(&json!({"data":{"list":[
        {"group_id":12,"group_name":"在线\u{1b}[31m商店","service_list":[
            {"service_id":"s","service_cname":"订单中心","service_alias":"gr123456"},
            {"service_id":"x"}]},
        {"group_id":13,"group_name":"空","service_list":null},
        {"group_name":"no id"}]}}));
    let apps = overview(&payload);
    assert_eq!(apps.len(), 2);
    assert_eq!(apps[0].components.len(), 1);
    assert!(!apps[0].name.contains('\u{1b}') && apps[0].name.contains("商店"));
    let payload = read(&json!({"data":{"bean":{"total":1},"list":[
        {"group_id":12,"group_name":"a","status":"RUNNING","used_mem":640,"used_cpu":"250",
         "services_num":3,"run_service_num":2}]}}));
    let app = &super::apps(&payload)[0];
    assert_eq!(
        (app.memory, app.cpu, app.running),
        (Some(640), Some(250), Some((2, 3)))
    );
    let detail = detail(&read(&json!({"data":{"bean":{
        "service":{"service_id":"s","tenant_id":"t","service_alias":"gr1","service_cname":"c",
            "k8s_component_name":"k","namespace":"ns","group_name":"g"},
        "event_websocket_url":"ws://h/console/regions/r/websocket/event_log"}}})))
    .unwrap();
    assert_eq!(
        (
            detail.tenant_id.as_str(),
            detail.k8s.as_str(),
            detail.app.as_str()
        ),
        ("t", "k", "g")
    );
    assert_eq!(super::detail(&read(&json!({"data":{"bean":{}}}))), None);
}

#[test]
fn events_are_read_newest_first_and_their_state_is_known() {
    let payload = read(&json!({"list":[
        {"event_id":"e2","opt_type":"build-service","status":"","final_status":"","user_name":"u",
         "target_id":"s","start_time":"2026-11-24T10:00:00+08:00","end_time":""},
        {"event_id":"e1","status":"success","final_status":"complete",
         "create_time":"2026-11-24T09:00:00+08:00"}],"number":2}));
    let events = events(&payload);
    assert!(events[0].is_running() && !events[1].is_running());
    assert!(events[0].began > events[1].began && events[0].ended.is_none());
    let log = event_log(&read(
        &json!({"list":[{"message":"m","time":"x","utime":1}]}),
    ));
    assert_eq!(log, [(Some(Micros(1_000_000)), "m".to_owned())]);
}

use crate::model::Micros;

proptest::proptest! {
    #[test]
    fn any_json_is_read(body: Vec<u8>, text in "[\\[\\]{}\":,a-z0-9]{0,60}") {
        for bytes in [body.as_slice(), text.as_bytes()] {
            if let Some(Ok(payload)) = envelope(200, bytes) {
                let _ = (teams(&payload), tenants(&payload), overview(&payload), apps(&payload),
                    components(&payload), detail(&payload), pods(&payload), events(&payload),
                    event_log(&payload), log_lines(&payload), region_services(&payload));
            }
        }
    }
}

#[test]
fn an_answer_of_more_parts_than_a_platform_has_is_not_read() {
    let zeros = |count: usize| format!("{{\"list\":[{}0]}}", "0,".repeat(count));
    let maps = |count: usize| format!("{{\"list\":[{}0]}}", "{\"\":0},".repeat(count));
    for (body, read) in [
        (zeros(1000), true),
        (zeros(PARTS), false),
        (maps(1000), true),
        (maps(PARTS / 8), false),
        // A text is one part, whatever is in it.
        (
            format!("{{\"list\":[{:?}]}}", "\\\"{[,".repeat(PARTS)),
            true,
        ),
    ] {
        assert_eq!(envelope(200, body.as_bytes()).is_some(), read, "{body:.40}");
        assert_eq!(is_too_much(body.as_bytes()), !read, "{body:.40}");
    }
}

#[test]
fn no_more_facts_are_made_than_are_told() {
    let bean = Value::Array(vec![json!(1); 1000]);
    let payload = Payload {
        bean: json!([bean.clone(), { "a": bean.clone() }, bean]),
        ..Payload::default()
    };
    let mut lines = Vec::new();
    things::tell(&payload.bean, 0, &mut lines);
    assert_eq!((lines.len(), facts(&payload).len()), (500, 500));
}
