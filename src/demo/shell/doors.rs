//! Who is let in, and what each server wants to hear first (protocols.md 6.1, 9.1.4 to 9.1.11).

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use md5::{Digest as _, Md5};
use serde_json::Value;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::{sleep, timeout};

use super::ledger::Place;
use super::pods::{Pod, State};
use super::pty::{Plan, Size};
use super::session::{control, size};
use super::switches::ShellError;
use super::{Host, Over, Server, Visit, pages};
use crate::demo::wire::{self, Op};

/// How long the platform's exec takes (protocols.md 9.1.5).
const EXEC: Duration = Duration::from_millis(50);
/// How long ttyd waits for the answer to its close frame.
const FAREWELL: Duration = Duration::from_secs(3);
/// ttyd's size where the greeting has none.
const USUAL: Size = Size {
    columns: 80,
    rows: 24,
};

/// What a greeting has opened.
#[derive(Debug)]
pub(super) struct Opening {
    pub(super) plan: Plan,
    pub(super) pod: String,
    /// Type and body of what is said before any output.
    pub(super) messages: Vec<(u8, String)>,
}

/// Lets a WebSocket in: its place and the answer; or the answer of a refusal, which is empty
/// where TCP is just closed.
pub(super) fn admit<S>(visit: &Visit<'_, S>, accept: &str) -> Result<(Place, String), String> {
    let (server, request) = (visit.server, visit.request);
    if server == Server::Ttyd {
        let wrong = !request.protocols.is_empty() && !offers(visit, "tty");
        if wrong || !pages::authorized(visit) {
            return Err(String::new());
        }
    } else if server != Server::Platform && foreign(visit) {
        return Err(pages::forbidden());
    }
    let (most, once) = {
        let switches = &visit.shells.switches.borrow().shell;
        match server {
            Server::Platform => (None, false),
            _ => (switches.max_connections, switches.once),
        }
    };
    match visit.shells.ledger.enter(server, most, once) {
        Some(place) => Ok((place, pages::switching(visit, accept))),
        None => Err(pages::full(server, once)),
    }
}

/// Whether the client offers a subprotocol.
pub(super) fn offers<S>(visit: &Visit<'_, S>, name: &str) -> bool {
    visit.request.protocols.iter().any(|one| one == name)
}

/// A browser on another's page; who names no origin is none.
fn foreign<S>(visit: &Visit<'_, S>) -> bool {
    let Some(origin) = &visit.request.origin else {
        return false;
    };
    let host = origin.split_once("://").map_or("", |(_, host)| host);
    !host.eq_ignore_ascii_case(&visit.request.host)
}

impl<S: AsyncRead + AsyncWrite + Unpin> Host<'_, S> {
    /// Hears the greeting.
    pub(super) async fn open(&mut self) -> Result<Opening, Over> {
        if self.server == Server::Ttyd {
            return self.ttyd().await;
        }
        let (op, greeting) = self.first().await?;
        if greeting.first().is_some_and(u8::is_ascii_digit) {
            self.shells.ledger.note(|tally| tally.before_greeting += 1);
        }
        if self.switches().silent {
            return Err(Over::Mute);
        }
        match self.server {
            Server::Platform => self.platform(&greeting).await,
            _ => self.gotty(op, &greeting),
        }
    }

    fn plan(&self, arguments: Vec<String>, prompt: &str, size: Size) -> Plan {
        Plan {
            argv: self.shells.argv.iter().cloned().chain(arguments).collect(),
            prompt: prompt.to_owned(),
            size,
        }
    }

    async fn platform(&mut self, greeting: &[u8]) -> Result<Opening, Over> {
        let greeting = serde_json::from_slice(greeting).unwrap_or(Value::Null);
        let word = |name: &str| greeting.get(name).and_then(Value::as_str).unwrap_or("");
        let (tenant, service, pod) = (word("T_id"), word("S_id"), word("C_id"));
        if let Some(error) = self.switches().error {
            return Err(self.refuse(error).await);
        }
        if pod.is_empty() {
            return Err(self.refuse(ShellError::EmptyPod).await);
        }
        let sum = Md5::digest(format!("{tenant}_{service}_{pod}"));
        let sum = sum.iter().map(|byte| format!("{byte:02x}"));
        if sum.collect::<String>() != word("Md5") {
            return Err(self.refuse(ShellError::Auth).await);
        }
        let namespace = match word("namespace") {
            "" => tenant,
            namespace => namespace,
        };
        let found = self.shells.pods.find(namespace, pod, word("containerName"));
        if self.switches().v1_numbering {
            return self.platform_a(found, pod).await;
        }
        let Some(found) = found else {
            return Err(self.refuse(ShellError::Container).await);
        };
        let patience = self.switches().patience;
        let wait = match found.state {
            State::NoShell => return Err(self.refuse(ShellError::OpenTty).await),
            State::Never => patience,
            State::Ready(after) => after.max(self.switches().ready_after),
        };
        // Nobody reads meanwhile.
        sleep(wait.min(patience)).await;
        if wait >= patience {
            return Err(self.refuse(ShellError::NotReady).await);
        }
        sleep(EXEC).await;
        let dialect = self.dialect();
        Ok(Opening {
            plan: self.plan(Vec::new(), &found.prompt, Size::default()),
            pod: pod.to_owned(),
            messages: vec![
                (dialect.title, found.ip),
                (dialect.reconnect, "60".to_owned()),
            ],
        })
    }

    /// Until V5.1 it ran kubectl, whose complaints are output (protocols.md 6.3).
    async fn platform_a(&mut self, found: Option<Pod>, pod: &str) -> Result<Opening, Over> {
        let dialect = self.dialect();
        let messages = vec![
            (dialect.title, "GRTTY Command".to_owned()),
            (dialect.prefs, "{}".to_owned()),
            (dialect.reconnect, "10".to_owned()),
        ];
        let complaint = match found {
            Some(Pod {
                state: State::Ready(_),
                prompt,
                ..
            }) => {
                return Ok(Opening {
                    plan: self.plan(Vec::new(), &prompt, Size::default()),
                    pod: pod.to_owned(),
                    messages,
                });
            }
            Some(Pod {
                state: State::NoShell,
                ..
            }) => return Err(Over::Mute),
            Some(Pod {
                state: State::Never,
                ..
            }) => {
                format!("error: unable to upgrade connection: container not found (\"{pod}\")\r\n")
            }
            None => format!("Error from server (NotFound): pods \"{pod}\" not found\r\n"),
        };
        let mut bytes = Vec::new();
        for (kind, body) in messages {
            dialect.message(&mut bytes, kind, body.as_bytes(), None);
        }
        dialect.output(&mut bytes, complaint.as_bytes(), None);
        self.say(&bytes).await?;
        Err(Over::Leave)
    }

    /// JSON in a text frame, for the first `GoTTY` also in a binary one; the credential in it.
    fn gotty(&self, op: Op, greeting: &[u8]) -> Result<Opening, Over> {
        let value: Value = serde_json::from_slice(greeting).map_err(|_| Over::Leave)?;
        let members = value.as_object().ok_or(Over::Leave)?;
        let word = |name: &str| members.get(name).and_then(Value::as_str).unwrap_or("");
        let credential = self.shells.credential.as_deref().unwrap_or("");
        let binary = op == Op::Binary && self.server != Server::Gotty1;
        if binary || word("AuthToken") != credential {
            return Err(Over::Leave);
        }
        let query = word("Arguments");
        let query = query.strip_prefix('?').unwrap_or(query);
        let dialect = self.dialect();
        let command = self.shells.argv.first().map_or("", String::as_str);
        let mut messages = match self.server {
            Server::Gotty1 => vec![
                (
                    dialect.title,
                    format!("GoTTY - {} (demo)", self.shells.title()),
                ),
                (dialect.prefs, "{}".to_owned()),
            ],
            _ => vec![(dialect.title, format!("{command}@demo"))],
        };
        if self.server == Server::Sorenisanerd {
            messages.push((b'6', "1024".to_owned()));
        }
        if let Some(seconds) = self.switches().reconnect {
            messages.push((dialect.reconnect, seconds.to_string()));
        }
        Ok(Opening {
            plan: self.plan(self.arguments(query), "pod", Size::default()),
            pod: String::new(),
            messages,
        })
    }

    /// The `arg` of a query, where they are permitted.
    fn arguments(&self, query: &str) -> Vec<String> {
        if !self.switches().permit_arguments {
            return Vec::new();
        }
        url::form_urlencoded::parse(query.as_bytes())
            .filter(|(name, _)| name == "arg")
            .map(|(_, value)| value.into_owned())
            .collect()
    }

    /// The first message that begins with `{` opens; others are ignored, unless there is a
    /// credential (protocols.md 6.5).
    async fn ttyd(&mut self) -> Result<Opening, Over> {
        let dialect = self.dialect();
        let messages = vec![
            (dialect.title, format!("{} (demo)", self.shells.title())),
            (dialect.prefs, "{ }".to_owned()),
        ];
        loop {
            let (_, greeting) = self.first().await?;
            // Without the subprotocol nobody is at home.
            if self.request.protocols.is_empty() || self.switches().silent {
                return Err(Over::Mute);
            }
            match greeting.first() {
                Some(b'{') => {}
                None => {
                    self.shells.ledger.note(|tally| tally.crashes += 1);
                    return Err(Over::Crash);
                }
                Some(_) => {
                    self.shells.ledger.note(|tally| tally.before_greeting += 1);
                    if self.shells.credential.is_some() {
                        return Err(Over::Leave);
                    }
                    continue;
                }
            }
            let value = serde_json::from_slice(&greeting).unwrap_or(Value::Null);
            let token = value.get("AuthToken").and_then(Value::as_str).unwrap_or("");
            let credential = self.shells.credential.as_deref();
            if credential.is_some_and(|credential| token != STANDARD.encode(credential)) {
                // First the close frame, then what it had meant to say (protocols.md 9.1.8).
                let mut bytes = control(Op::Close, &wire::close_code(1008));
                for (kind, body) in &messages {
                    dialect.message(&mut bytes, *kind, body.as_bytes(), None);
                }
                self.say(&bytes).await?;
                let _ = timeout(FAREWELL, self.first()).await;
                return Err(Over::Leave);
            }
            let asked = size(&greeting).unwrap_or_default();
            let usable = asked.columns > 0 && asked.rows > 0;
            let arguments = self.arguments(&self.request.query);
            return Ok(Opening {
                plan: self.plan(arguments, "pod", if usable { asked } else { USUAL }),
                pod: String::new(),
                messages,
            });
        }
    }
}
