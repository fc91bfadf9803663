//! Targets: what a user types to open a stream, read into what is to be dialled and what is to
//! be said there. The part behind `#` is never sent as part of a request.

use std::path::PathBuf;
use std::sync::Arc;

use url::Url;

use crate::lang::{Words, words};
use crate::model::context::Place;
use crate::model::way::Way;
use crate::model::{Fault, FaultKind};
use crate::say;
use crate::text::redact;
use crate::word;

use super::name::Name;
use super::pubsub::{Channel, ChannelKind};
use super::shell::ShellSpec;
use super::zmq_layout::{LAYOUTS, Layout};

/// One target.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Target {
    /// As it was typed, with secrets taken out.
    pub text: String,
    /// A short name for titles and prefixes: the id, the topic or the file's name.
    pub name: String,
    /// What to open.
    pub feed: FeedSpec,
    /// A shell of the container that the lines come from, where that is known.
    pub shell_beside: Option<Box<Self>>,
    /// How its server is reached.
    pub way: Arc<Way>,
}

/// What to open.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum FeedSpec {
    /// A WebSocket.
    Ws(WsSpec),
    /// A ZeroMQ SUB socket.
    Zmq(ZmqSpec),
    /// Lines from standard input.
    Stdin,
    /// Lines from a file.
    File(PathBuf),
    /// A container's shell: no lines, a terminal.
    Shell(ShellSpec),
    /// A recording of one (asciicast), and how fast it is played, in percent.
    Cast(PathBuf, u32),
    /// Something on a platform, by name; to be looked up there.
    Name(Name),
    /// A component that was found: the logs of its pods.
    Component(Box<Place>),
    /// A component that was found: what the platform does with it.
    Events(Box<Place>),
}

/// A WebSocket and what to say on it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct WsSpec {
    /// The URL without fragment: what is requested.
    pub url: Url,
    /// The feed behind it.
    pub feed: WsFeed,
}

/// The feeds that a WebSocket may carry (protocols.md 1, 2, 5.4).
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum WsFeed {
    /// `/docker_log`: a component's service id.
    DockerLog(String),
    /// `/event_log`: an event id.
    EventLog(String),
    /// `/new_monitor_message` and `/monitor_message`: a service id or topic.
    Monitor(String),
    /// `/websocket`, mpush: a topic.
    Mpush(String),
    /// `/services/ID/pubsub`: channels.
    Pubsub(Vec<Channel>),
}

/// A ZeroMQ publisher.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ZmqSpec {
    /// Host and port, as they are dialled or bound.
    pub address: String,
    /// We listen and the publishers connect.
    pub bind: bool,
    /// How parts are read.
    pub layout: Layout,
    /// Subscriptions: prefixes of the first part. One empty one takes everything.
    pub prefixes: Vec<String>,
    /// Only this component, where the layout names one.
    pub service: Option<String>,
}

impl Target {
    /// A target that is reached directly.
    pub fn new(text: impl Into<String>, name: impl Into<String>, feed: FeedSpec) -> Self {
        Self {
            text: text.into(),
            name: name.into(),
            feed,
            shell_beside: None,
            way: Arc::default(),
        }
    }

    /// The same, reached as `way` says, and so the shell beside it.
    #[must_use]
    pub fn by(mut self, way: &Arc<Way>) -> Self {
        self.way = Arc::clone(way);
        self.shell_beside = self.shell_beside.map(|shell| Box::new(shell.by(way)));
        self
    }

    /// Reads what a user typed.
    pub fn parse(text: &str) -> Result<Self, Fault> {
        if text == "-" {
            return Ok(Self::new(text, "stdin", FeedSpec::Stdin));
        }
        if let Some(path) = text.strip_prefix("file:") {
            return file(text, path);
        }
        if Name::is_one(text) && !std::path::Path::new(text).exists() {
            let name = Name::parse(text)?;
            return Ok(Self::new(text, text, FeedSpec::Name(name)));
        }
        let url = Url::parse(text).map_err(|error| match error {
            url::ParseError::RelativeUrlWithoutBase => no_scheme(text),
            other => bad(
                text,
                &say!("it is no URL ({other})", "不是 URL（{other}）"),
                EXAMPLE.get(),
            ),
        })?;
        if url.password().is_some() {
            return Err(bad(
                text,
                word!(
                    "a password in a command line can be read by every user of this machine",
                    "命令行中的密码会被本机所有用户看到"
                ),
                word!(
                    "leave it out of the URL; --password-file, --password-stdin and a prompt take it",
                    "请从 URL 中去掉；可用 --password-file、--password-stdin 或按提示输入"
                ),
            ));
        }
        if let Some(feed) = log_page(&url) {
            let why = say!("{feed} comes over a WebSocket", "{feed} 走 WebSocket");
            let next = word!(
                "write ws:// instead of http://, wss:// instead of https://",
                "请把 http:// 写成 ws://，https:// 写成 wss://"
            );
            return Err(bad(text, &why, next));
        }
        if let Some(spec) = ShellSpec::parse(text, &url)? {
            return Ok(Self::new(
                redact::redact_url(text).to_string(),
                spec.name(),
                FeedSpec::Shell(spec),
            ));
        }
        match url.scheme() {
            "ws" | "wss" => web_socket(text, url),
            "tcp" => zeromq(text, &url),
            other => Err(bad(
                text,
                &say!(
                    "the scheme {other}:// is not known",
                    "未知的协议 {other}://"
                ),
                EXAMPLE.get(),
            )),
        }
    }

    /// The shell, if it is one.
    pub fn shell(&self) -> Option<&ShellSpec> {
        match &self.feed {
            FeedSpec::Shell(spec) => Some(spec),
            FeedSpec::Ws(_)
            | FeedSpec::Zmq(_)
            | FeedSpec::Stdin
            | FeedSpec::File(_)
            | FeedSpec::Cast(..)
            | FeedSpec::Name(_)
            | FeedSpec::Component(_)
            | FeedSpec::Events(_) => None,
        }
    }

    /// The component of a platform, if it is one's.
    pub fn place(&self) -> Option<&Place> {
        match &self.feed {
            FeedSpec::Component(place) | FeedSpec::Events(place) => Some(place),
            FeedSpec::Ws(_)
            | FeedSpec::Zmq(_)
            | FeedSpec::Stdin
            | FeedSpec::File(_)
            | FeedSpec::Shell(_)
            | FeedSpec::Cast(..)
            | FeedSpec::Name(_) => None,
        }
    }

    /// Whether what it sends are lists of what costs most (protocols.md 4), rather than lines.
    pub fn is_list(&self) -> bool {
        match &self.feed {
            FeedSpec::Ws(WsSpec { feed, .. }) => match feed {
                WsFeed::Monitor(_) => true,
                WsFeed::Mpush(topic) => topic.ends_with(".statistic"),
                WsFeed::Pubsub(channels) => {
                    let lists = |channel: &Channel| channel.kind == ChannelKind::Monitor;
                    channels.iter().all(lists)
                }
                WsFeed::DockerLog(_) | WsFeed::EventLog(_) => false,
            },
            FeedSpec::Zmq(spec) => {
                let lists = ["ceptop", "monitor_message", "new_monitor_message"];
                let named = |prefix: &String| lists.contains(&prefix.as_str());
                !spec.prefixes.is_empty() && spec.prefixes.iter().all(named)
            }
            FeedSpec::Stdin
            | FeedSpec::File(_)
            | FeedSpec::Shell(_)
            | FeedSpec::Cast(..)
            | FeedSpec::Name(_)
            | FeedSpec::Component(_)
            | FeedSpec::Events(_) => false,
        }
    }

    /// Whether it is a terminal to be shown, rather than lines.
    pub fn is_terminal(&self) -> bool {
        matches!(self.feed, FeedSpec::Shell(_) | FeedSpec::Cast(..))
    }

    /// A recording to be played at this speed, in percent of its own.
    pub fn cast(path: PathBuf, speed: u32) -> Self {
        let text = path.display().to_string();
        let name = path
            .file_name()
            .map_or_else(|| text.clone(), |name| name.to_string_lossy().into_owned());
        Self::new(text, name, FeedSpec::Cast(path, speed))
    }

    /// What a shell of the same component looks like, to be completed: a log names neither the
    /// tenant nor a pod. Empty where even that is not known.
    pub fn shell_like(&self) -> String {
        let FeedSpec::Ws(WsSpec { url, feed }) = &self.feed else {
            return String::new();
        };
        let (WsFeed::DockerLog(id) | WsFeed::Monitor(id)) = feed else {
            return String::new();
        };
        let mut console = url.clone();
        console.set_query(None);
        if let Ok(mut path) = console.path_segments_mut() {
            path.pop().push("docker_console");
        }
        format!("{console}#TENANT_ID/{id}/POD")
    }

    /// Whether the server has a history to replay; without one, only following makes sense.
    pub fn has_history(&self) -> bool {
        match self.feed {
            FeedSpec::Ws(_)
            | FeedSpec::Stdin
            | FeedSpec::File(_)
            | FeedSpec::Name(_)
            | FeedSpec::Component(_)
            | FeedSpec::Events(_) => true,
            FeedSpec::Zmq(_) | FeedSpec::Shell(_) | FeedSpec::Cast(..) => false,
        }
    }
}

/// The WebSockets below `base` that may carry a component's log, the newest kind first.
pub fn component_sockets(base: &Url, id: &str) -> Vec<(Url, WsFeed)> {
    let log = WsFeed::DockerLog(id.to_owned());
    either(base, id, &format!("l-{id}"), ("docker_log", log))
}

/// The same for an event of a component.
pub fn event_sockets(base: &Url, id: &str, event: &str) -> Vec<(Url, WsFeed)> {
    let log = WsFeed::EventLog(event.to_owned());
    either(base, id, &format!("e-{event}"), ("event_log", log))
}

/// A channel of the pub/sub socket, or a socket of its own.
fn either(base: &Url, id: &str, channel: &str, own: (&str, WsFeed)) -> Vec<(Url, WsFeed)> {
    let below = |parts: &[&str]| {
        let mut url = base.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(parts);
        }
        url
    };
    Channel::parse(channel)
        .map(|channel| {
            let feed = WsFeed::Pubsub(vec![channel]);
            (below(&["services", id, "pubsub"]), feed)
        })
        .into_iter()
        .chain([(below(&[own.0]), own.1)])
        .collect()
}

/// The feed that was asked for over HTTP, where only a WebSocket has it.
fn log_page(url: &Url) -> Option<&str> {
    let last = url.path().rsplit('/').next()?;
    let feeds = [
        "docker_log",
        "event_log",
        "new_monitor_message",
        "monitor_message",
        "pubsub",
    ];
    (url.scheme().starts_with("http") && feeds.contains(&last)).then_some(last)
}

const EXAMPLE: Words = words(
    "a target looks like ws://HOST:6060/docker_log#SERVICE_ID, tcp://HOST:9242#PREFIX, file:PATH or -; a shell's like ws://HOST:6060/docker_console#TENANT_ID/SERVICE_ID/POD or http://HOST:8080/",
    "目标形如 ws://HOST:6060/docker_log#SERVICE_ID、tcp://HOST:9242#PREFIX、file:PATH 或 -；终端形如 ws://HOST:6060/docker_console#TENANT_ID/SERVICE_ID/POD 或 http://HOST:8080/",
);

fn bad(text: &str, why: &str, next: &str) -> Fault {
    Fault::new(
        FaultKind::Usage,
        redact::redact_url(text).to_string(),
        why,
        next,
    )
}

fn no_scheme(text: &str) -> Fault {
    if std::path::Path::new(text).exists() {
        return bad(
            text,
            word!("it is a file", "这是文件"),
            &say!("write file:{text}", "请写成 file:{text}"),
        );
    }
    bad(text, word!("it is no target", "这不是目标"), EXAMPLE.get())
}

fn file(text: &str, path: &str) -> Result<Target, Fault> {
    let path = PathBuf::from(path.strip_prefix("//").unwrap_or(path));
    let Some(name) = path.file_name() else {
        return Err(bad(
            text,
            word!("it names no file", "没有指明文件"),
            word!("write file:PATH", "请写成 file:PATH"),
        ));
    };
    let name = name.to_string_lossy().into_owned();
    Ok(Target::new(text, name, FeedSpec::File(path)))
}

fn web_socket(text: &str, mut url: Url) -> Result<Target, Fault> {
    let id = url.fragment().unwrap_or("").to_owned();
    url.set_fragment(None);
    if url.host_str().is_none_or(str::is_empty) {
        return Err(bad(
            text,
            word!("it names no host", "没有指明主机"),
            EXAMPLE.get(),
        ));
    }
    let segments: Vec<&str> = url
        .path()
        .split('/')
        .filter(|part| !part.is_empty())
        .collect();
    let feed = match *segments.as_slice() {
        [.., "docker_log"] => WsFeed::DockerLog(one_id(text, &id, "SERVICE_ID")?),
        [.., "event_log"] => WsFeed::EventLog(one_id(text, &id, "EVENT_ID")?),
        [.., "new_monitor_message" | "monitor_message"] => {
            WsFeed::Monitor(one_id(text, &id, "SERVICE_ID")?)
        }
        [.., "services", _, "pubsub"] => WsFeed::Pubsub(channels(text, &id)?),
        [.., "websocket"] => WsFeed::Mpush(one_id(text, &id, "TOPIC")?),
        _ => {
            let known = word!(
                "the path must end in docker_log, event_log, services/ID/pubsub, new_monitor_message or websocket; a shell's in docker_console or ws",
                "路径须以 docker_log、event_log、services/ID/pubsub、new_monitor_message 或 websocket 结尾；终端的路径以 docker_console 或 ws 结尾"
            );
            return Err(bad(
                text,
                &say!(
                    "the path {} is neither a log stream nor a shell",
                    "路径 {} 既不是日志流也不是终端",
                    url.path()
                ),
                known,
            ));
        }
    };
    let name = match &feed {
        WsFeed::DockerLog(id) | WsFeed::EventLog(id) | WsFeed::Monitor(id) | WsFeed::Mpush(id) => {
            id.clone()
        }
        WsFeed::Pubsub(channels) => channels
            .iter()
            .map(Channel::name)
            .collect::<Vec<_>>()
            .join(","),
    };
    Ok(Target::new(
        redact::redact_url(text).to_string(),
        name,
        FeedSpec::Ws(WsSpec { url, feed }),
    ))
}

fn one_id(text: &str, id: &str, what: &str) -> Result<String, Fault> {
    let next = say!(
        "write it behind #, as in …#{what}",
        "请写在 # 后面，如 …#{what}"
    );
    if id.is_empty() {
        return Err(bad(
            text,
            &say!("the {what} is missing", "缺少 {what}"),
            &next,
        ));
    }
    if id.contains('=') {
        return Err(bad(
            text,
            &say!("a {what} can't hold '='", "{what} 中不能有“=”"),
            &next,
        ));
    }
    if id.len() > 500 {
        return Err(bad(
            text,
            &say!("a {what} is at most 500 bytes long", "{what} 最长 500 字节"),
            &next,
        ));
    }
    Ok(id.to_owned())
}

fn channels(text: &str, list: &str) -> Result<Vec<Channel>, Fault> {
    let next = word!(
        "write channels behind #, as in …#l-SERVICE_ID,e-EVENT_ID (l log, m monitor, s both, e event)",
        "请在 # 后写频道，如 …#l-SERVICE_ID,e-EVENT_ID（l 日志，m 监控，s 两者，e 事件）"
    );
    if list.is_empty() {
        return Err(bad(text, word!("the channel is missing", "缺少频道"), next));
    }
    let read = |name: &str| {
        Channel::parse(name).ok_or_else(|| {
            bad(
                text,
                &say!("{name:?} is no channel", "{name:?} 不是频道"),
                next,
            )
        })
    };
    list.split(',').map(read).collect()
}

fn zeromq(text: &str, url: &Url) -> Result<Target, Fault> {
    let host = url.host_str().filter(|host| !host.is_empty());
    let (Some(host), Some(port)) = (host, url.port()) else {
        return Err(bad(
            text,
            word!(
                "a ZeroMQ target needs host and port",
                "ZeroMQ 目标需要主机和端口"
            ),
            word!(
                "write tcp://HOST:9242#PREFIX",
                "请写成 tcp://HOST:9242#PREFIX"
            ),
        ));
    };
    if !matches!(url.path(), "" | "/") {
        return Err(bad(
            text,
            word!("a ZeroMQ target has no path", "ZeroMQ 目标没有路径"),
            word!(
                "write tcp://HOST:9242#PREFIX",
                "请写成 tcp://HOST:9242#PREFIX"
            ),
        ));
    }
    let prefixes: Vec<String> = url
        .fragment()
        .unwrap_or("")
        .split(',')
        .map(str::to_owned)
        .collect();
    let mut spec = ZmqSpec {
        address: format!("{host}:{port}"),
        bind: false,
        layout: Layout::Auto,
        prefixes,
        service: None,
    };
    for (key, value) in url.query_pairs() {
        option(text, &mut spec, &key, &value)?;
    }
    let topic = spec.prefixes.join(",");
    let name = if topic.is_empty() {
        spec.address.clone()
    } else {
        topic
    };
    Ok(Target::new(text, name, FeedSpec::Zmq(spec)))
}

fn option(text: &str, spec: &mut ZmqSpec, key: &str, value: &str) -> Result<(), Fault> {
    match (key, value) {
        ("layout", name) => {
            let found = LAYOUTS.iter().find(|(known, _)| *known == name);
            let names = LAYOUTS.map(|(name, _)| name).join(", ");
            let next = say!("the layouts are {names}", "可用的布局有 {names}");
            spec.layout = found
                .ok_or_else(|| {
                    bad(
                        text,
                        &say!("the layout {name:?} is not known", "未知的布局 {name:?}"),
                        &next,
                    )
                })?
                .1;
        }
        ("bind", "true" | "1") => spec.bind = true,
        ("bind", "false" | "0") => spec.bind = false,
        ("service", id) => spec.service = Some(id.to_owned()),
        _ => {
            // Its value may be a secret.
            let why = say!(
                "the option {key} is not known, or not with this value",
                "未知的选项 {key}，或其值无效"
            );
            return Err(bad(
                text,
                &why,
                word!(
                    "the options are layout=, bind=true and service=",
                    "可用的选项有 layout=、bind=true 和 service="
                ),
            ));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
