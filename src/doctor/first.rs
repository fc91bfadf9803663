//! What comes first on a connection, and whether it is what was asked for (protocols.md 1.4).

use std::time::Duration;

use serde_json::json;
use tokio::time::{Instant, timeout_at};

use crate::clock;
use crate::codec::docker_log::{self, LogFrame};
use crate::codec::pubsub::{self, Notice};
use crate::codec::target::{FeedSpec, WsFeed};
use crate::codec::{Packet, event_log};
use crate::model::{Cause, EndReason, FaultKind};
use crate::say;
use crate::session::AnySession;
use crate::session::port::{FeedEvent, Input, Now, Outbox, Session};
use crate::transport::ws::WsConn;
use crate::transport::{DialError, LinkError};

use super::{Exam, Stage, facts};

/// The first frame has so long (reliability.md 2.2).
pub(super) const FIRST: Duration = Duration::from_secs(10);
/// What follows an acknowledgement shows the history's shape.
const MORE: Duration = Duration::from_millis(1500);

fn now() -> Now {
    Now {
        mono: clock::now().into_std(),
        wall: clock::wall(),
    }
}

/// What was understood of the first frames.
#[derive(Default)]
struct Seen {
    acknowledged: bool,
    /// What a frame is: `live`, `history_json`, `history_raw`…
    shape: Option<&'static str>,
}

/// Says hello as a pane would, and looks at the answer.
pub(super) async fn log(exam: &mut Exam<'_>, mut conn: WsConn, feed: &FeedSpec) -> Option<()> {
    let mut session = AnySession::new(feed, 0)?;
    let mut out = Outbox::default();
    session.handle(now(), Input::Opened, &mut out);
    let mut seen = Seen::default();
    let mut deadline = clock::now() + FIRST;
    let error = loop {
        if let Err(error) = send_all(&mut conn, &mut session).await {
            break Some(lost(&exam.target, error));
        }
        let packet = match next(&mut conn, deadline).await {
            None if seen.acknowledged || seen.shape.is_some() => break None,
            None => break Some(silent(&exam.target)),
            Some(Ok(packet)) => packet,
            Some(Err(_)) if seen.shape.is_some() => break None,
            Some(Err(error)) => break Some(lost(&exam.target, error)),
        };
        let Some(frame) = packet.payload() else {
            continue;
        };
        session.handle(now(), Input::Packet(&packet), &mut out);
        if let Some(error) = mismatch(&exam.target, feed, frame, &mut out) {
            break Some(error);
        }
        if frame == b"ok" && !seen.acknowledged {
            seen.acknowledged = true;
            deadline = clock::now() + MORE;
            continue;
        }
        if is_subscribed(feed, frame) {
            seen.acknowledged = true;
            deadline = clock::now() + MORE;
            continue;
        }
        seen.shape = Some(shape(feed, frame));
        break None;
    };
    conn.close().await;
    if let Some(error) = error {
        exam.fail(Stage::FirstFrame, &error, facts([]));
        return None;
    }
    tell(exam, feed, &seen);
    Some(())
}

async fn send_all(conn: &mut WsConn, session: &mut AnySession) -> Result<(), LinkError> {
    while let Some(packet) = session.poll_transmit() {
        conn.send(packet).await?;
    }
    Ok(())
}

/// The next packet, until the deadline.
async fn next(conn: &mut WsConn, deadline: Instant) -> Option<Result<Packet, LinkError>> {
    timeout_at(deadline, conn.recv()).await.ok()
}

/// What an end before the first frame is.
pub(super) fn lost(target: &str, error: LinkError) -> DialError {
    let (kind, cause) = match &error {
        LinkError::Broken(_) => (FaultKind::Protocol, Cause::OtherProtocol),
        LinkError::Cut(_) => (FaultKind::Unreachable, Cause::Reset),
        LinkError::Ended(_) | LinkError::Missing(_) | LinkError::Notice(_) => {
            (FaultKind::Unreachable, Cause::Closed)
        }
    };
    let next = say!(
        "check the id behind #, and that this server has the feed",
        "请检查 # 后的 ID，并确认此服务端有该数据流"
    );
    DialError::never(kind, target, error.words(), &next).because(cause)
}

/// Nothing at all came.
pub(super) fn silent(target: &str) -> DialError {
    let why = say!(
        "it upgrades, and then says nothing for 10 s",
        "升级之后 10 秒内没有任何数据"
    );
    let next = say!(
        "check the id behind #, and that the platform's event log runs; servers of 2017 are silent until a line comes",
        "请检查 # 后的 ID，并确认平台的事件日志服务在运行；2017 年的服务端在有日志之前不会应答"
    );
    DialError::later(target, why, &next).because(Cause::Silent)
}

/// A frame of another feed than was asked for.
fn mismatch(target: &str, feed: &FeedSpec, frame: &[u8], out: &mut Outbox) -> Option<DialError> {
    let wrong = |why: String, next: String| {
        DialError::never(FaultKind::Protocol, target, why, &next).because(Cause::Dialect)
    };
    for event in out.events.drain(..) {
        if let FeedEvent::End(EndReason::Fault(fault)) = event {
            return Some(wrong(fault.why, fault.next));
        }
    }
    let FeedSpec::Ws(spec) = feed else {
        return None;
    };
    let is_pubsub = matches!(spec.feed, WsFeed::Pubsub(_));
    let notice = pubsub::decode(frame);
    let speaks_pubsub = notice.is_some_and(|notice| !matches!(notice, Notice::Other(..)));
    if speaks_pubsub && !is_pubsub {
        let why = say!(
            "it speaks the pub/sub dialect, where a plain stream was asked for",
            "它使用 pub/sub 方言，而这里要的是普通流"
        );
        let next = say!(
            "write ws://HOST/services/SERVICE_ID/pubsub#l-SERVICE_ID",
            "请写 ws://主机/services/SERVICE_ID/pubsub#l-SERVICE_ID"
        );
        return Some(wrong(why, next));
    }
    // A container's own JSON has its id in front; the platform's events have none.
    let bare = matches!(&spec.feed, WsFeed::DockerLog(id)
        if matches!(docker_log::decode(frame, id), LogFrame::Live(line) if line.container.is_none()));
    if bare && event_log::decode(frame).is_some_and(|step| !step.step.is_empty()) {
        let why = say!(
            "it sends steps of an event, where a component's log was asked for",
            "它发送的是事件步骤，而这里要的是组件日志"
        );
        let next = say!(
            "write /event_log#EVENT_ID, or check what the gateway does with the path",
            "请写 /event_log#EVENT_ID，或检查网关如何处理该路径"
        );
        return Some(wrong(why, next));
    }
    None
}

fn is_subscribed(feed: &FeedSpec, frame: &[u8]) -> bool {
    let is_pubsub = matches!(feed, FeedSpec::Ws(spec) if matches!(spec.feed, WsFeed::Pubsub(_)));
    is_pubsub
        && matches!(
            pubsub::decode(frame),
            Some(Notice::Subscribed(_) | Notice::Exists(_))
        )
}

/// The shape of the first frame with content.
fn shape(feed: &FeedSpec, frame: &[u8]) -> &'static str {
    let FeedSpec::Ws(spec) = feed else {
        return "line";
    };
    match &spec.feed {
        WsFeed::DockerLog(id) | WsFeed::Mpush(id) => match docker_log::decode(frame, id) {
            LogFrame::Replay(_) => "history_json",
            LogFrame::Live(_) => "raw",
        },
        WsFeed::EventLog(_) => "event",
        WsFeed::Monitor(_) => "monitor",
        WsFeed::Pubsub(_) => "channel",
    }
}

fn tell(exam: &mut Exam<'_>, feed: &FeedSpec, seen: &Seen) {
    let words = match (seen.acknowledged, seen.shape) {
        (_, Some("history_json")) => say!(
            "its history comes as JSON: v6 or later",
            "历史以 JSON 返回：v6 或更新"
        ),
        (_, Some("raw")) => say!(
            "lines come raw: live ones, or the history of V5.17 and older",
            "日志行为原文：实时日志，或 V5.17 及更早的历史"
        ),
        (_, Some("event")) => say!("steps of an event come", "事件步骤正常"),
        (_, Some("channel")) => say!("the channel speaks", "频道有数据"),
        (_, Some(_)) => say!("data comes", "有数据"),
        (_, None) => say!(
            "it has taken the subscription; no line yet",
            "已接受订阅；暂无日志"
        ),
    };
    let era = match seen.shape {
        Some("history_json") => json!("v6"),
        _ => json!(null),
    };
    let dialect = match feed {
        FeedSpec::Ws(spec) if matches!(spec.feed, WsFeed::Pubsub(_)) => "pubsub",
        FeedSpec::Ws(_) => "websocket",
        _ => "zeromq",
    };
    let found = facts([
        ("dialect", json!(dialect)),
        ("acknowledged", json!(seen.acknowledged)),
        ("shape", json!(seen.shape)),
        ("era", era),
    ]);
    exam.ok(Stage::FirstFrame, words, found);
}
