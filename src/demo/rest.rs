//! The console's and the region's REST and SSE endpoints (protocols.md 3), on the platform's one
//! HTTP port: the console below `/console`, the region API below `/v2`, its
//! Prometheus below `/api/v1`, 2017's console below `/ajax`. Below the same prefix as everything else.

mod ajax;
mod call;
mod console;
mod desk;
mod discovery;
mod events;
mod instances;
mod line;
mod login;
mod measured;
mod page;
mod proxied;
mod region;
mod stored;
mod switches;
mod token;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::{mpsc, watch};

use self::call::Call;
pub(super) use self::desk::Desk;
pub use self::desk::{Credential, RequestRecord};
pub(super) use self::line::Line;
pub(super) use self::page::{Page, Reply};
pub(super) use self::proxied::{inner, serve as serve_proxied};
pub use self::switches::{Refusal, RestSwitches, RetryAfter};
use super::cluster::Cluster;
use super::http::Request;
use super::hub::Hub;
use super::link::End;
use super::metrics::Metrics;
use super::options::Switches;
use super::server::Order;
use super::times::Times;
use crate::model::Micros;

/// A request's body may have so many bytes.
const BODY_LIMIT: usize = 64 << 10;
/// The region answers within this time, or its gateway does (protocols.md 3.1).
const REGION_LIMIT: std::time::Duration = std::time::Duration::from_secs(5);

/// What all requests need.
#[derive(Debug)]
pub(super) struct Rest {
    pub(super) seed: u64,
    pub(super) prefix: String,
    pub(super) hub: Hub,
    pub(super) cluster: Cluster,
    pub(super) metrics: Metrics,
    pub(super) times: Times,
    /// When the shop opened.
    pub(super) opened: Micros,
    pub(super) desk: Desk,
    pub(super) switches: watch::Receiver<Switches>,
    /// Where a proxied socket is served.
    pub(super) door: mpsc::Sender<Order>,
}

/// Whether a path below the prefix belongs here.
pub(super) fn is_rest(path: &str) -> bool {
    let all = ["/console/", "/v2/", "/ajax/", "/logs/", "/api/v1/"];
    path == "/metrics" || all.iter().any(|begin| path.starts_with(begin))
}

/// Serves one request to its end; `Ok` if the connection may carry another.
pub(super) async fn serve<S>(
    rest: &Rest,
    line: &mut Line<'_, S>,
    request: &Request,
    secure: bool,
) -> Result<(), End>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let Some(body) = line.body(request.length, BODY_LIMIT).await? else {
        let page = Page::text(413, "Request Entity Too Large\n");
        line.write(&page.bytes(false)).await?;
        return Err(End::Server);
    };
    let call = Call::new(rest, request, body, secure);
    let (reply, credential) = answer(&call).await;
    let status = match &reply {
        Reply::Page(page) => page.status,
        Reply::Stream(_) => 200,
    };
    rest.desk.note(RequestRecord {
        conn: line.conn,
        method: request.method.clone(),
        path: call.path.clone(),
        credential,
        status,
        at: rest.times.now(),
    });
    match reply {
        Reply::Page(page) => line.write(&page.bytes(request.keep_alive)).await?,
        Reply::Stream(stream) => super::sse::serve(rest, line, *stream).await?,
    }
    if request.keep_alive {
        Ok(())
    } else {
        Err(End::Server)
    }
}

/// What is answered, and by which credential it was asked for.
async fn answer(call: &Call<'_>) -> (Reply, Credential) {
    let switches = &call.switches;
    if let Some(refusal) = &switches.refuse {
        return (refusal.page().into(), Credential::None);
    }
    if !switches.answer_after.is_zero() {
        // Paths with `logs` may take an hour (protocols.md 3.1).
        let limited = !call.path.contains("logs") && !call.path.ends_with("/stream");
        let wait = switches.answer_after;
        if limited && wait >= REGION_LIMIT {
            tokio::time::sleep(REGION_LIMIT).await;
            return (Page::text(504, "").into(), Credential::None);
        }
        tokio::time::sleep(wait).await;
    }
    let parts: Vec<&str> = call.segments.iter().map(String::as_str).collect();
    match parts.as_slice() {
        ["console", rest @ ..] if switches.console => console::answer(call, rest).await,
        ["v2", rest @ ..] if switches.region => region::answer(call, rest).await,
        ["api", "v1", rest @ ..] if switches.region => region::measured(call, rest),
        ["metrics"] => (measured::scrape(call).into(), Credential::None),
        ["ajax", rest @ ..] if switches.ajax => (ajax::answer(call, rest), Credential::None),
        // Files lie beside the sockets, for everybody (protocols.md 3.2).
        ["logs", dir, file] => (
            stored::download(call, dir, file).await.into(),
            Credential::None,
        ),
        _ => (Page::not_found().into(), Credential::None),
    }
}
