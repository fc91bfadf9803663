//! A shell: which server it is, and whether it opens. What is sent is what opening it sends; it
//! is closed as soon as it has spoken.

use std::sync::Arc;

use serde_json::json;
use tokio::time::timeout_at;

use crate::clock;
use crate::codec::shell::detect::{self, Found};
use crate::codec::shell::{self, Dialect, Place, ShellSpec};
use crate::model::shell::{ShellExit, ShellUpdate};
use crate::model::way::Way;
use crate::model::{Cause, FaultKind};
use crate::say;
use crate::session::shell::{Input, ShellSession, Told};
use crate::text::redact::Secret;
use crate::transport::ws::{Upgrade, WsConn};
use crate::transport::{DialError, http};

use super::first::{FIRST, lost, silent};
use super::{Exam, Stage, facts, socket};

/// The terminal that is claimed.
const SIZE: (u16, u16) = (80, 24);

pub(super) async fn examine(exam: &mut Exam<'_>, spec: &ShellSpec, way: &Arc<Way>) -> Option<()> {
    let found = match spec.place {
        Place::Platform(_) => Found::default(),
        Place::Pages { .. } => pages(spec, way).await,
    };
    let known = spec.dialect.or(found.dialect);
    let subprotocol = match (&spec.place, known) {
        (_, Some(dialect)) => dialect.subprotocol,
        (Place::Platform(_), None) => Some("webtty"),
        (Place::Pages { .. }, None) => Some("webtty, gotty, tty"),
    };
    let url = spec.socket(known);
    let wish = Upgrade {
        url: &url,
        subprotocol,
        login: None,
        way,
    };
    let conn = socket::upgrade(exam, wish, way).await?;
    speak(exam, conn, spec, (known, found.token)).await
}

/// What its pages tell; where they can't be had, the socket's fault says why.
async fn pages(spec: &ShellSpec, way: &Arc<Way>) -> Found {
    let page = |name: &'static str| http::page(&spec.url, name, None, way);
    let Ok(token) = page("token").await else {
        return Found::default();
    };
    let script = page("auth_token.js").await.unwrap_or_default();
    let config = page("config.js").await.unwrap_or_default();
    detect::by_pages(&token, &script, &config)
}

async fn speak(
    exam: &mut Exam<'_>,
    mut conn: WsConn,
    spec: &ShellSpec,
    (known, token): (Option<&'static Dialect>, Option<Secret>),
) -> Option<()> {
    let token = token.unwrap_or_else(|| Secret::new(""));
    let mut session = ShellSession::new(spec, known, token, SIZE);
    let mut told = Told::default();
    let now = || clock::now().into_std();
    let selected = conn.subprotocol().map(str::to_owned);
    session.handle(now(), Input::Opened(selected.as_deref()), &mut told);
    let deadline = clock::now() + FIRST;
    let result = 'spoken: loop {
        while let Some(packet) = session.poll_transmit(now()) {
            if let Err(error) = conn.send(packet).await {
                break 'spoken Err(lost(&exam.target, error));
            }
            session.handle(now(), Input::Sent, &mut told);
        }
        for update in told.take() {
            match update {
                ShellUpdate::Ready(server) => break 'spoken Ok(server),
                ShellUpdate::Ended(end) => break 'spoken Err(ended(&exam.target, end.how)),
                _ => {}
            }
        }
        match timeout_at(deadline, conn.recv()).await {
            Err(_) => break Err(silent(&exam.target)),
            Ok(Ok(packet)) => session.handle(now(), Input::Packet(&packet), &mut told),
            Ok(Err(error)) => break Err(lost(&exam.target, error)),
        }
    };
    let dialect = session.dialect();
    conn.close().await;
    match (result, dialect) {
        (Err(error), _) => {
            exam.fail(Stage::FirstFrame, &error, facts([]));
            None
        }
        (Ok(server), dialect) => {
            let name = dialect.map(|dialect| dialect.name);
            let found = facts([("dialect", json!(name))]);
            let shown = shell::shown(server);
            let told = say!("the shell of {shown} answers", "{shown} 的终端已应答");
            exam.ok(Stage::FirstFrame, told, found);
            Some(())
        }
    }
}

/// What a shell that ends at once says.
fn ended(target: &str, how: ShellExit) -> DialError {
    let look = || {
        say!(
            "check the ids behind #, and that the container runs",
            "请检查 # 后的 ID，并确认容器在运行"
        )
    };
    match how {
        ShellExit::Fault(fault) => {
            let cause = if fault.kind == FaultKind::Protocol {
                Cause::Dialect
            } else {
                Cause::Other
            };
            DialError::never(fault.kind, target, fault.why, &fault.next).because(cause)
        }
        ShellExit::Exited { words, .. } if !words.as_str().is_empty() => {
            let why = say!("the shell does not open: {words}", "终端无法打开：{words}");
            DialError::never(FaultKind::NotFound, target, why, &look()).because(Cause::NotFound)
        }
        ShellExit::Exited { .. } | ShellExit::Closed => {
            let why = say!("the shell ends at once", "终端立即结束");
            DialError::never(FaultKind::Unreachable, target, why, &look()).because(Cause::Closed)
        }
        ShellExit::Lost(words) => {
            DialError::never(FaultKind::Unreachable, target, words.to_string(), &look())
                .because(Cause::Closed)
        }
    }
}
