//! A platform: its API, whether we are let in, which streams it has; and a component of it.

use std::sync::Arc;

use serde_json::json;
use url::Url;

use crate::clock;
use crate::codec::target::{FeedSpec, WsSpec, component_sockets};
use crate::codec::{certificate, jwt};
use crate::model::context::{Api, Context, Place};
use crate::model::{Cause, words};
use crate::platform::{Platform, Query, is_exposed, sockets};
use crate::say;
use crate::transport::http;
use crate::transport::probe;
use crate::transport::ws::{Upgrade, WsConn};

use super::{Exam, Facts, Stage, facts, first, safe, socket, steps};

/// The way to a platform's API, and whether it lets us in.
pub(super) async fn context(exam: &mut Exam<'_>, context: &Arc<Context>) -> Option<Platform> {
    drop(steps::stream(exam, &context.server, &context.way).await?);
    let mut platform = Platform::new(context);
    if context.api == Api::Bare {
        let words = say!(
            "WebSockets alone: there is no API to ask",
            "只有 WebSocket：没有可询问的 API"
        );
        exam.ok(Stage::Api, words, facts([("api", json!("websocket"))]));
        socket::clock(exam, None, &context.server, &context.way).await;
        return Some(platform);
    }
    answer(exam, &mut platform).await?;
    log_in(exam, &mut platform).await?;
    Some(platform)
}

/// Whether a web server answers; its clock.
async fn answer(exam: &mut Exam<'_>, platform: &mut Platform) -> Option<()> {
    let path: &[&str] = match platform.context().api {
        Api::Console => &["console", "users", "details"],
        Api::Region | Api::Bare => &["v2", "show"],
    };
    match platform.answer(&Query::of(path)).await {
        Ok(answer) => {
            let status = answer.status.as_u16();
            let words = say!("it answers ({status})", "有应答（{status}）");
            exam.ok(Stage::Http, words, facts([("status", json!(status))]));
            if let Some(date) = http::date(&answer.headers) {
                socket::skew(exam, date);
            }
            Some(())
        }
        Err(error) => {
            let stage = if error.cause == Cause::Unauthorized {
                Stage::Token
            } else {
                Stage::Http
            };
            exam.fail(stage, &error, Facts::new());
            None
        }
    }
}

async fn log_in(exam: &mut Exam<'_>, platform: &mut Platform) -> Option<()> {
    let teams = match platform.teams().await {
        Ok(teams) => teams,
        Err(error) => {
            let stage = match error.cause {
                Cause::Unauthorized | Cause::Forbidden => Stage::Token,
                _ => Stage::Api,
            };
            exam.fail(stage, &error, Facts::new());
            return None;
        }
    };
    let api = platform.context().api.word();
    let claims = platform
        .token()
        .and_then(|token| jwt::claims(token.expose()));
    let claims = claims.unwrap_or_default();
    let count = teams.len();
    let user = claims.user.as_deref().map(safe);
    let mut told = match claims.user.as_deref() {
        Some(user) => say!(
            "you are {user}, with {count} teams",
            "您是 {user}，有 {count} 个团队"
        ),
        None if platform.is_logged_in() => say!(
            "the token is accepted: {count} teams",
            "令牌有效：{count} 个团队"
        ),
        None => say!(
            "nobody asks who we are: {count} teams",
            "无需登录：{count} 个团队"
        ),
    };
    if let Some(until) = claims.until {
        let until = certificate::minute(until);
        told.push_str(&say!("; it expires {until}", "；{until} 到期"));
    }
    let found = facts([
        ("user", user.into()),
        ("teams", json!(count)),
        ("expires", json!(claims.until.map(certificate::minute))),
    ]);
    if is_exposed(platform.context()) {
        let why = say!(
            "{told}; it travels unencrypted: anyone on the way can read the token",
            "{told}；令牌未加密传输：途中任何人都能读到"
        );
        let next = say!("use the https:// address", "请使用 https:// 地址");
        exam.warn(Stage::Token, None, (why, next), found);
    } else {
        exam.ok(Stage::Token, told, found);
    }
    exam.ok(
        Stage::Api,
        match platform.context().api {
            Api::Console => say!("the console's", "控制台 API"),
            Api::Region | Api::Bare => say!("a region's", "区域 API"),
        },
        facts([("api", json!(api))]),
    );
    Some(())
}

/// A component: the platform, then the streams of its pods, or its WebSockets.
pub(super) async fn place(exam: &mut Exam<'_>, place: &Place) -> Option<()> {
    let mut platform = context(exam, &place.context).await?;
    let pods = match platform.pods(place).await {
        Ok(pods) => pods,
        Err(error) => {
            exam.fail(Stage::Api, &error, Facts::new());
            return None;
        }
    };
    let count = pods.len();
    let told = say!("it has {count} pods", "它有 {count} 个实例");
    exam.ok(Stage::Api, told, facts([("pods", json!(count))]));
    if let Some(pod) = pods.first() {
        let started = clock::now();
        match platform.pod_log(place, &pod.name, 1).await {
            Ok(stream) => {
                drop(stream);
                let time = words::duration(clock::now() - started);
                let told = say!(
                    "the stream of the pod {} opens in {time}: v6.2 or later",
                    "实例 {} 的日志流 {time} 内打开：v6.2 或更新",
                    pod.name
                );
                let found = facts([("dialect", json!("pod_stream")), ("era", json!("v6"))]);
                exam.ok(Stage::FirstFrame, told, found);
                return Some(());
            }
            // Older ones have WebSockets.
            Err(error)
                if matches!(
                    error.cause,
                    Cause::NotFound | Cause::Status | Cause::OtherProtocol
                ) => {}
            Err(error) => {
                exam.fail(Stage::FirstFrame, &error, Facts::new());
                return None;
            }
        }
    }
    let (url, conn) = first_socket(exam, &mut platform, place).await?;
    first::log(exam, conn, &url).await
}

/// The first of its sockets that upgrades; the last one's way is told where none does.
async fn first_socket(
    exam: &mut Exam<'_>,
    platform: &mut Platform,
    place: &Place,
) -> Option<(FeedSpec, WsConn)> {
    let way = platform.socket_way();
    let mut candidates: Vec<(Url, FeedSpec)> = Vec::new();
    for base in sockets::bases(platform, place).await {
        for (url, feed) in component_sockets(&base, &place.component.id) {
            let spec = WsSpec {
                url: url.clone(),
                feed,
            };
            candidates.push((url, FeedSpec::Ws(spec)));
        }
    }
    let last = candidates.len().saturating_sub(1);
    for (index, (url, feed)) in candidates.into_iter().enumerate() {
        let wish = Upgrade {
            url: &url,
            subprotocol: None,
            login: None,
            way: &way,
        };
        let stands = match probe::open(&url, &way).await {
            Ok(stream) => probe::upgrade(stream, wish).await.result.is_ok(),
            Err(_) => false,
        };
        if stands || index == last {
            let conn = socket::upgrade(exam, wish, &way).await?;
            return Some((feed, conn));
        }
    }
    None
}
