//! L5: `deckwatch doctor`: goes the way to a target step by step, tells what each step found, and
//! names the one cause that stands in the way (decision 22).
//!
//! Each step is the same code that a pane goes through, with the same deadlines (reliability.md
//! 2.2); what is sent is what a pane would send.

mod first;
mod platform;
pub mod report;
mod shell;
mod socket;
mod steps;
mod zmq;

use std::sync::Arc;

use serde_json::{Map, Value};

use crate::codec::target::{FeedSpec, Target};
use crate::lang::{Words, words};
use crate::model::context::Context;
use crate::model::{Cause, Fault, FaultKind};
use crate::say;
use crate::text::SafeText;
use crate::transport::DialError;

/// What is examined.
#[derive(Clone, Debug)]
pub enum Subject {
    /// One target; names have been looked up.
    Target(Box<Target>),
    /// A platform: its API, and whether we are let in.
    Context(Arc<Context>),
}

impl Subject {
    /// Its name.
    pub fn name(&self) -> String {
        match self {
            Self::Target(target) => target.text.clone(),
            Self::Context(context) => context.name.clone(),
        }
    }
}

/// A step of the way.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Stage {
    /// Which way it goes.
    Proxy,
    /// From name to addresses.
    Dns,
    /// A connection.
    Tcp,
    /// Encryption, and who is there.
    Tls,
    /// An answer as of a web server, or the upgrade.
    Http,
    /// The server's clock.
    Clock,
    /// What is spoken inside a WebSocket.
    Subprotocol,
    /// Whether we are let in.
    Token,
    /// What the platform's API offers.
    Api,
    /// The greeting of ZeroMQ.
    Zmq,
    /// What comes first.
    FirstFrame,
}

impl Stage {
    /// Its name for programs.
    pub fn code(self) -> &'static str {
        match self {
            Self::Proxy => "proxy",
            Self::Dns => "dns",
            Self::Tcp => "tcp",
            Self::Tls => "tls",
            Self::Http => "http",
            Self::Clock => "clock",
            Self::Subprotocol => "subprotocol",
            Self::Token => "token",
            Self::Api => "api",
            Self::Zmq => "zmq",
            Self::FirstFrame => "first_frame",
        }
    }

    /// Its name for people.
    pub fn title(self) -> Words {
        match self {
            Self::Proxy => words("proxy", "代理"),
            Self::Dns => words("DNS", "DNS"),
            Self::Tcp => words("TCP", "TCP"),
            Self::Tls => words("TLS", "TLS"),
            Self::Http => words("HTTP", "HTTP"),
            Self::Clock => words("clock", "时钟"),
            Self::Subprotocol => words("protocol", "子协议"),
            Self::Token => words("login", "登录"),
            Self::Api => words("API", "API"),
            Self::Zmq => words("ZeroMQ", "ZeroMQ"),
            Self::FirstFrame => words("first data", "首条数据"),
        }
    }
}

/// How a step ended.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Outcome {
    /// As it should.
    Ok,
    /// It goes on, and something is to be told.
    Warn,
    /// It goes no further.
    Fail,
}

impl Outcome {
    /// Its name for programs.
    pub fn code(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warn => "warn",
            Self::Fail => "fail",
        }
    }
}

/// Facts for programs: names and values.
type Facts = Map<String, Value>;

/// One step, done.
#[derive(Clone, PartialEq, Debug)]
pub struct Check {
    /// What is examined.
    pub target: String,
    /// The step.
    pub stage: Stage,
    /// How it ended.
    pub outcome: Outcome,
    /// What stands in the way, or is to be told.
    pub cause: Option<Cause>,
    /// What was found.
    pub words: String,
    /// What to do about it; empty where there is nothing to do.
    pub next: String,
    /// What was found, for programs.
    pub facts: Facts,
}

/// The last word on a target.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Verdict {
    /// What was examined.
    pub target: String,
    /// How it ended.
    pub outcome: Outcome,
    /// The cause of what is wrong.
    pub cause: Option<Cause>,
    /// What kind of fault it is.
    pub kind: Option<FaultKind>,
    /// What is wrong, in one sentence.
    pub words: String,
    /// The next step.
    pub next: String,
}

impl Verdict {
    /// The exit code: warnings alone are none.
    pub fn exit_code(&self) -> u8 {
        self.kind.map_or(0, FaultKind::exit_code)
    }

    /// The verdict on something that could not even be looked up.
    pub fn of(target: &str, fault: &Fault) -> Self {
        Self {
            target: target.to_owned(),
            outcome: Outcome::Fail,
            cause: Some(match fault.kind {
                FaultKind::NotFound => Cause::NotFound,
                FaultKind::Denied => Cause::Unauthorized,
                _ => Cause::Other,
            }),
            kind: Some(fault.kind),
            words: sentence(target, fault),
            next: fault.next.clone(),
        }
    }
}

/// What a fault says; what it is about only where that is not the target itself.
fn sentence(target: &str, fault: &Fault) -> String {
    let host = |text: &str| {
        let rest = text.split_once("://").map_or(text, |(_, rest)| rest);
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        rest.get(..end).unwrap_or(rest).to_owned()
    };
    let (what, why) = (&fault.what, &fault.why);
    if what.is_empty() || host(target).contains(&host(what)) {
        return why.clone();
    }
    say!("{what}: {why}", "{what}：{why}")
}

/// Collects what the steps found, and tells it as it comes.
struct Exam<'a> {
    target: String,
    tell: &'a mut (dyn FnMut(&Check) + Send),
    verdict: Option<Verdict>,
}

impl Exam<'_> {
    fn note(
        &mut self,
        stage: Stage,
        outcome: Outcome,
        (cause, words, next): (Option<Cause>, String, String),
        facts: Facts,
    ) {
        let check = Check {
            target: self.target.clone(),
            stage,
            outcome,
            cause,
            words,
            next,
            facts,
        };
        (self.tell)(&check);
        let worst = self.verdict.as_ref().map_or(Outcome::Ok, |one| one.outcome);
        if outcome > worst {
            self.verdict = Some(Verdict {
                target: check.target,
                outcome,
                cause,
                kind: None,
                words: check.words,
                next: check.next,
            });
        }
    }

    fn ok(&mut self, stage: Stage, words: String, facts: Facts) {
        self.note(stage, Outcome::Ok, (None, words, String::new()), facts);
    }

    fn warn(
        &mut self,
        stage: Stage,
        cause: Option<Cause>,
        (words, next): (String, String),
        facts: Facts,
    ) {
        self.note(stage, Outcome::Warn, (cause, words, next), facts);
    }

    fn fail(&mut self, stage: Stage, error: &DialError, facts: Facts) {
        let fault = &error.fault;
        let words = sentence(&self.target, fault);
        let next = if fault.next.is_empty() {
            say!("look at the server's own log", "请查看服务器自己的日志")
        } else {
            fault.next.clone()
        };
        self.note(
            stage,
            Outcome::Fail,
            (Some(error.cause), words, next),
            facts,
        );
        if let Some(verdict) = &mut self.verdict
            && verdict.kind.is_none()
        {
            verdict.kind = Some(fault.kind);
        }
    }

    fn verdict(self) -> Verdict {
        self.verdict.unwrap_or_else(|| Verdict {
            target: self.target,
            outcome: Outcome::Ok,
            cause: None,
            kind: None,
            words: say!("nothing is wrong", "一切正常"),
            next: String::new(),
        })
    }
}

/// A value that may be foreign, for programs.
fn safe(text: &str) -> Value {
    Value::String(SafeText::of(text).to_string())
}

/// Facts from names and values.
fn facts<const N: usize>(pairs: [(&str, Value); N]) -> Facts {
    let pairs = pairs.into_iter().filter(|(_, value)| !value.is_null());
    pairs
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
}

/// Examines one subject; `tell` hears of each step as it is done.
pub async fn examine(subject: &Subject, tell: &mut (dyn FnMut(&Check) + Send)) -> Verdict {
    let mut exam = Exam {
        target: subject.name(),
        tell,
        verdict: None,
    };
    // A step that fails has told so; there is no other way to end early.
    let _: Option<()> = match subject {
        Subject::Context(context) => platform::context(&mut exam, context).await.map(drop),
        Subject::Target(target) => match &target.feed {
            FeedSpec::Ws(spec) => socket::examine(&mut exam, spec, &target.way).await,
            FeedSpec::Zmq(spec) => zmq::examine(&mut exam, spec).await,
            FeedSpec::Shell(spec) => shell::examine(&mut exam, spec, &target.way).await,
            FeedSpec::Component(place) | FeedSpec::Events(place) => {
                platform::place(&mut exam, place).await
            }
            FeedSpec::Stdin | FeedSpec::File(_) | FeedSpec::Cast(..) | FeedSpec::Name(_) => {
                return Verdict::of(&exam.target, &nothing_to_dial(&target.text));
            }
        },
    };
    exam.verdict()
}

fn nothing_to_dial(target: &str) -> Fault {
    let why = say!("there is no server behind it", "它后面没有服务器");
    let next = say!(
        "name something on a platform, or a ws://, wss://, http://, https:// or tcp:// address",
        "请指明平台上的组件，或 ws://、wss://、http://、https://、tcp:// 地址"
    );
    Fault::new(FaultKind::Usage, target, why, next)
}
