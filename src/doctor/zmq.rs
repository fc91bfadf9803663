//! A ZeroMQ publisher: whether somebody is there, and whether it greets as ZeroMQ does
//! (protocols.md 5.1).

use std::time::Duration;

use serde_json::json;
use tokio::time::timeout;

use crate::codec::target::ZmqSpec;
use crate::model::{Cause, FaultKind};
use crate::say;
use crate::transport::DialError;
use crate::transport::probe;
use crate::transport::zmq::ZmqConn;

use super::{Exam, Facts, Stage, facts, steps};

/// A publisher has no history: what comes in this time is told, and that nothing comes is no
/// fault.
const LISTEN: Duration = Duration::from_secs(3);

pub(super) async fn examine(exam: &mut Exam<'_>, spec: &ZmqSpec) -> Option<()> {
    let mut peer = None;
    if !spec.bind {
        let (host, port) = spec.address.rsplit_once(':')?;
        let stream = steps::connect(exam, host, port.parse().ok()?, None).await?;
        peer = stream.peer_addr().ok();
    }
    let mut conn = match ZmqConn::open(spec).await {
        Ok(conn) => conn,
        Err(error) => {
            let http = match peer {
                Some(peer) if error.cause != Cause::ZmqIsHttp => probe::speaks_http(peer).await,
                Some(_) | None => error.cause == Cause::ZmqIsHttp,
            };
            let error = if http { speaks_http(exam) } else { error };
            exam.fail(Stage::Zmq, &error, Facts::new());
            return None;
        }
    };
    let words = if spec.bind {
        say!("it listens for publishers", "正在等待发布端连接")
    } else {
        say!(
            "it greets as ZeroMQ 3 does, without encryption or login",
            "它以 ZeroMQ 3 问候，无加密、无登录"
        )
    };
    exam.ok(Stage::Zmq, words, facts([("mechanism", json!("NULL"))]));
    match timeout(LISTEN, conn.recv()).await {
        Err(_) => exam.ok(
            Stage::FirstFrame,
            say!(
                "nothing was published in 3 s; that is no fault",
                "3 秒内没有发布内容；这不是故障"
            ),
            Facts::new(),
        ),
        Ok(Ok(_)) => exam.ok(
            Stage::FirstFrame,
            say!("messages come", "有消息"),
            Facts::new(),
        ),
        Ok(Err(error)) => {
            exam.fail(
                Stage::FirstFrame,
                &super::first::lost(&exam.target, error),
                Facts::new(),
            );
            return None;
        }
    }
    Some(())
}

fn speaks_http(exam: &Exam<'_>) -> DialError {
    let why = say!("it speaks HTTP, not ZeroMQ", "它使用 HTTP，而不是 ZeroMQ");
    let next = say!(
        "a publisher's port is 9242 or 9342; WebSockets are at ws://HOST:6060",
        "发布端口通常为 9242 或 9342；WebSocket 位于 ws://主机:6060"
    );
    DialError::never(FaultKind::Protocol, &exam.target, why, &next).because(Cause::ZmqIsHttp)
}
