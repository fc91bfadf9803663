//! A WebSocket: the upgrade, the server's clock, and what comes first.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::timeout;
use url::Url;

use crate::clock;
use crate::codec::scheme;
use crate::codec::target::{FeedSpec, WsSpec};
use crate::model::way::Way;
use crate::model::{Cause, Micros, words};
use crate::say;
use crate::transport::http::{self, Ask, Http};
use crate::transport::probe;
use crate::transport::ws::{Probe, Upgrade, WsConn};

use super::{Exam, Facts, Stage, facts, first, safe, steps};

/// An answer that is asked for its date alone.
const DATE: Duration = Duration::from_secs(5);
/// Clocks that are no further apart are the same (reliability.md 2.2: `Date` has whole seconds).
const APART: i64 = 5;
/// From here on tokens and certificates are judged wrongly.
const FAR: i64 = 300;

/// A log, an event, a monitor's stream.
pub(super) async fn examine(exam: &mut Exam<'_>, spec: &WsSpec, way: &Arc<Way>) -> Option<()> {
    let wish = Upgrade {
        url: &spec.url,
        subprotocol: None,
        login: None,
        way,
    };
    let conn = upgrade(exam, wish, way).await?;
    first::log(exam, conn, &FeedSpec::Ws(spec.clone())).await
}

/// From the URL to a WebSocket, each step told.
pub(super) async fn upgrade(
    exam: &mut Exam<'_>,
    wish: Upgrade<'_>,
    way: &Arc<Way>,
) -> Option<WsConn> {
    let stream = steps::stream(exam, wish.url, way).await?;
    let Probe {
        result,
        ignored,
        status,
        date,
        server,
    } = probe::upgrade(stream, wish).await;
    let found = facts([
        ("status", json!(status)),
        ("server", server.as_deref().map_or(Value::Null, safe)),
    ]);
    let conn = match result {
        Ok(conn) => {
            exam.ok(Stage::Http, upgraded(), found);
            conn
        }
        Err(error) if ignored => {
            exam.ok(Stage::Http, upgraded(), found);
            let said = (error.fault.why, error.fault.next);
            exam.warn(
                Stage::Subprotocol,
                Some(Cause::Subprotocol),
                said,
                Facts::new(),
            );
            without(exam, wish).await?
        }
        // Where it leads on the same host is gone to, as panes do.
        Err(error) if error.cause == Cause::Redirect => match WsConn::upgrade(wish).await {
            Ok(conn) => {
                let said = (error.fault.why, error.fault.next);
                exam.warn(Stage::Http, Some(Cause::Redirect), said, found);
                conn
            }
            Err(error) => {
                exam.fail(Stage::Http, &error, found);
                return None;
            }
        },
        Err(error) => {
            let stage = if error.cause == Cause::Subprotocol {
                Stage::Subprotocol
            } else if error.cause == Cause::TlsClientCert {
                Stage::Tls
            } else {
                Stage::Http
            };
            exam.fail(stage, &error, found);
            if let Some(date) = date {
                skew(exam, date);
            }
            return None;
        }
    };
    if let Some(selected) = conn.subprotocol() {
        let told = say!("{selected} is selected", "已选择 {selected}");
        let found = facts([("subprotocol", safe(selected))]);
        exam.ok(Stage::Subprotocol, told, found);
    }
    clock(exam, date, wish.url, way).await;
    Some(conn)
}

fn upgraded() -> String {
    say!("101: it upgrades", "101：已升级")
}

/// Once more without a subprotocol, as panes do.
async fn without(exam: &mut Exam<'_>, wish: Upgrade<'_>) -> Option<WsConn> {
    let wish = Upgrade {
        subprotocol: None,
        ..wish
    };
    let error = match probe::open(wish.url, wish.way).await {
        Ok(stream) => match probe::upgrade(stream, wish).await.result {
            Ok(conn) => return Some(conn),
            Err(error) => error,
        },
        Err(error) => error,
    };
    exam.fail(Stage::Http, &error, Facts::new());
    None
}

/// The server's clock against ours: from the answer, or from one that is asked for it.
pub(super) async fn clock(exam: &mut Exam<'_>, date: Option<Micros>, url: &Url, way: &Arc<Way>) {
    let date = match date {
        Some(date) => Some(date),
        None => asked_date(url, way).await,
    };
    if let Some(date) = date {
        skew(exam, date);
    }
}

/// The `Date` of the page at the root: nothing is asked for but that.
async fn asked_date(url: &Url, way: &Arc<Way>) -> Option<Micros> {
    let mut root = url.clone();
    scheme::set_http(&mut root);
    root.set_path("/");
    root.set_query(None);
    root.set_username("").ok()?;
    let mut ask = Ask::get(&root);
    ask.limit = 64 << 10;
    let mut web = Http::new(Arc::clone(way));
    let answer = timeout(DATE, web.stream(ask)).await.ok()?.ok()?;
    http::date(&answer.headers)
}

/// Tells how far apart the clocks are.
pub(super) fn skew(exam: &mut Exam<'_>, date: Micros) {
    let apart = date.0.saturating_sub(clock::wall().0) / 1_000_000;
    let found = facts([("skew_s", json!(apart))]);
    if apart.abs() <= APART {
        let words = say!("the same as ours", "与本机一致");
        return exam.ok(Stage::Clock, words, found);
    }
    let time = words::duration(Duration::from_secs(apart.unsigned_abs()));
    let which = if apart > 0 {
        say!(
            "the server's clock is {time} ahead of ours",
            "服务器时钟比本机快 {time}"
        )
    } else {
        say!(
            "the server's clock is {time} behind ours",
            "服务器时钟比本机慢 {time}"
        )
    };
    let words = if apart.abs() > FAR {
        say!(
            "{which}: tokens and certificates may be judged wrongly, and the times of lines are off",
            "{which}：令牌和证书可能被误判，日志时间也会有偏差"
        )
    } else {
        say!(
            "{which}: the times of lines are off",
            "{which}：日志时间会有偏差"
        )
    };
    let next = say!(
        "set both clocks by NTP (timedatectl shows this machine's)",
        "请用 NTP 校准双方时钟（timedatectl 可查看本机）"
    );
    exam.warn(Stage::Clock, Some(Cause::ClockSkew), (words, next), found);
}
