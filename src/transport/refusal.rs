//! What an HTTP answer other than 101 means to whoever asked for a WebSocket (reliability.md 2.3).

use tokio_tungstenite::tungstenite::http::Response;

use crate::clock;
use crate::codec::http_date;
use crate::model::{Cause, FaultKind};
use crate::say;
use crate::text::redact;

use super::DialError;

/// A header's value.
pub(super) fn header<T>(answer: &Response<T>, name: &str) -> Option<String> {
    let value = answer.headers().get(name)?;
    Some(String::from_utf8_lossy(value.as_bytes()).into_owned())
}

/// The fault that an answer is.
pub(super) fn refused(what: &str, answer: &Response<Option<Vec<u8>>>) -> DialError {
    let status = answer.status();
    let body = answer.body().as_deref().unwrap_or(&[]);
    let said = body.get(..body.len().min(200)).unwrap_or(&[]);
    let said = String::from_utf8_lossy(said).trim().to_owned();
    let quote = if said.is_empty() {
        String::new()
    } else {
        say!(", saying {said:?}", "，内容为 {said:?}")
    };
    match status.as_u16() {
        200 => DialError::later(
            what,
            say!(
                "it answers 200 instead of upgrading{quote}: nothing behind it serves this path",
                "它应答 200 而没有升级{quote}：后面没有程序提供该路径"
            ),
            &say!(
                "check the path, and that the platform's event log runs",
                "请检查路径，并确认平台的事件日志服务在运行"
            ),
        )
        .because(Cause::NotUpgraded),
        301 | 302 | 307 | 308 => {
            let to = header(answer, "location").unwrap_or_default();
            let to = redact::redact_url(&to);
            let why = say!("it redirects to {to}", "它重定向到 {to}");
            let next = say!(
                "use that address if you trust it",
                "如果信任该地址，请直接使用它"
            );
            DialError::never(FaultKind::Unreachable, what, why, &next).because(Cause::Redirect)
        }
        // nginx says so where TLS itself did not.
        400 if said.contains("SSL certificate") => {
            let why = say!(
                "it wants a client certificate (400)",
                "它要求客户端证书（400）"
            );
            let next = say!(
                "name yours with --cert and --key, or in the context",
                "请用 --cert 和 --key 指定客户端证书，或写在上下文里"
            );
            DialError::never(FaultKind::Unreachable, what, why, &next).because(Cause::TlsClientCert)
        }
        408 | 425 | 429 | 500..=599 => {
            let why = say!(
                "it is not ready ({status}){quote}",
                "它尚未就绪（{status}）{quote}"
            );
            let next = say!("look at the server's own log", "请查看服务器自己的日志");
            let mut error = DialError::later(what, why, &next).because(Cause::Status);
            error.after = header(answer, "retry-after")
                .and_then(|text| http_date::retry_after(&text, clock::wall()));
            error
        }
        status => {
            let (kind, cause, why, next) = stays(status, &quote);
            DialError::never(kind, what, why, &next).because(cause)
        }
    }
}

/// Answers that stay the same.
fn stays(status: u16, quote: &str) -> (FaultKind, Cause, String, String) {
    match status {
        400 | 426 => (
            FaultKind::Unreachable,
            Cause::UpgradeStripped,
            say!(
                "it saw no request for an upgrade ({status}){quote}: a proxy on the way takes it out",
                "它没有看到升级请求（{status}）{quote}：途中的代理把它去掉了"
            ),
            say!(
                "have the proxy pass Upgrade and Connection on (nginx: proxy_http_version 1.1 and both headers), or go around it",
                "请让代理转发 Upgrade 和 Connection 头（nginx：proxy_http_version 1.1 和这两个头），或绕开它"
            ),
        ),
        401 => (
            FaultKind::Denied,
            Cause::Unauthorized,
            say!("it wants a login (401){quote}", "它要求登录（401）{quote}"),
            say!("log in at its gateway", "请登录它的网关"),
        ),
        403 => (
            FaultKind::Denied,
            Cause::Forbidden,
            say!("it refuses (403){quote}", "它拒绝访问（403）{quote}"),
            say!("ask for access to it", "请申请访问权限"),
        ),
        404 => (
            FaultKind::NotFound,
            Cause::NotFound,
            say!(
                "it has no such path (404){quote}",
                "没有这个路径（404）{quote}"
            ),
            say!("check the path and the id", "请检查路径和 ID"),
        ),
        407 => (
            FaultKind::Unreachable,
            Cause::ProxyLogin,
            say!("a proxy wants a login (407)", "代理要求登录（407）"),
            say!("check the proxy's settings", "请检查代理设置"),
        ),
        _ => (
            FaultKind::Unreachable,
            Cause::Status,
            say!(
                "it refused the upgrade ({status}){quote}",
                "它拒绝升级（{status}）{quote}"
            ),
            say!("check the path", "请检查路径"),
        ),
    }
}
