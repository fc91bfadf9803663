//! Contexts as they are meant: files, environment and flags together.

use std::path::PathBuf;
use std::sync::Arc;

use url::Url;

use crate::codec::route;
use crate::model::context::{Api, Context, Credential};
use crate::model::way::{Proxies, Way};
use crate::model::{Fault, FaultKind};
use crate::say;
use crate::text::redact::{self, Secret};

use super::config::{Config, ContextFile, Paths, Setting};
use super::env::ProxyEnv;
use super::platform_args::PlatformArgs;

/// The contexts of a run.
#[derive(Clone, Debug, Default)]
pub struct Contexts {
    /// All of them, by name.
    pub all: Vec<Arc<Context>>,
    /// The one that names without a context mean.
    pub current: Option<Arc<Context>>,
    /// How targets are reached that are no names.
    pub way: Arc<Way>,
}

impl Contexts {
    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.all.is_empty() && self.current.is_none()
    }

    /// All of them, the one that was named by its address alone too.
    pub fn every(&self) -> Vec<Arc<Context>> {
        let other = self
            .current
            .iter()
            .filter(|current| self.all.iter().all(|one| one.name != current.name));
        other.chain(&self.all).map(Arc::clone).collect()
    }

    /// The context of this name, or the current one.
    pub fn get(&self, name: Option<&str>) -> Result<&Arc<Context>, Fault> {
        if let Some(name) = name {
            return self
                .all
                .iter()
                .chain(&self.current)
                .find(|context| context.name == name)
                .ok_or_else(|| self.unknown(name));
        }
        self.current.as_ref().ok_or_else(|| {
            let what = say!("the context", "上下文");
            if self.all.is_empty() {
                let why = say!("there is none yet", "还没有任何上下文");
                let next = say!(
                    "deckwatch context add NAME --server https://CONSOLE adds one",
                    "用 deckwatch context add 名字 --server https://控制台 添加"
                );
                return Fault::new(FaultKind::Usage, what, why, next);
            }
            let why = say!("none is the current one", "没有当前上下文");
            let all = self.names();
            let next = say!(
                "deckwatch context use NAME chooses one of: {all}",
                "用 deckwatch context use 名字 选择：{all}"
            );
            Fault::new(FaultKind::Usage, what, why, next)
        })
    }

    fn names(&self) -> String {
        let names: Vec<&str> = self
            .all
            .iter()
            .map(|context| context.name.as_str())
            .collect();
        names.join(", ")
    }

    fn unknown(&self, name: &str) -> Fault {
        let what = say!("the context {name}", "上下文 {name}");
        let why = say!("there is none of this name", "没有这个名字的上下文");
        let all = self.names();
        let next = if all.is_empty() {
            say!(
                "deckwatch context add {name} --server https://CONSOLE adds it",
                "用 deckwatch context add {name} --server https://控制台 添加"
            )
        } else {
            say!("there are: {all}", "现有：{all}")
        };
        Fault::new(FaultKind::NotFound, what, why, next)
    }
}

/// What is known besides files and flags.
#[derive(Clone, Debug, Default)]
pub struct Surroundings {
    /// The proxies of the environment.
    pub proxies: ProxyEnv,
    /// `DECKWATCH_TOKEN`.
    pub token: Option<Secret>,
}

/// Resolves the contexts.
pub fn resolve(
    config: &Config,
    args: &PlatformArgs,
    around: &Surroundings,
    paths: &Paths,
) -> Result<Contexts, Fault> {
    let way = way_of(None, args, around)?;
    let mut all = Vec::new();
    for (name, file) in &config.contexts {
        let context = one(name, Some(file), args, around, paths)?;
        all.push(Arc::new(context));
    }
    let mut contexts = Contexts {
        all,
        current: None,
        way: Arc::new(way),
    };
    if args.server.is_some() && args.context.is_none() {
        contexts.current = Some(Arc::new(one("server", None, args, around, paths)?));
        return Ok(contexts);
    }
    let named = args.context.as_deref().or(config
        .context
        .as_ref()
        .map(|setting| setting.value.as_str()));
    contexts.current = match (named, contexts.all.as_slice()) {
        (Some(name), _) => {
            let found = contexts.get(Some(name)).cloned();
            // What a file says wrongly is told by whatever needs it.
            if args.context.is_some() {
                Some(found?)
            } else {
                found.ok()
            }
        }
        (None, [only]) => Some(Arc::clone(only)),
        (None, _) => None,
    };
    Ok(contexts)
}

fn value<T: Clone>(setting: Option<&Setting<T>>) -> Option<T> {
    setting.map(|setting| setting.value.clone())
}

/// A fault of a value, where it stands.
fn wrong(place: &str, name: &str, key: &str, why: String, next: String) -> Fault {
    let what = say!(
        "{place}: {key} of the context {name}",
        "{place}：上下文 {name} 的 {key}"
    );
    Fault::new(FaultKind::Usage, what, why, next)
}

fn address(name: &str, key: &str, setting: &Setting<String>, kinds: &[&str]) -> Result<Url, Fault> {
    let place = setting.origin.to_string();
    let text = &setting.value;
    let shown = redact::redact_url(text);
    let next = say!(
        "write it like {}://HOST:PORT",
        "请写成 {}://主机:端口",
        kinds.first().unwrap_or(&"")
    );
    let url = Url::parse(text).map_err(|error| {
        let why = say!(
            "{shown} is no URL ({error})",
            "{shown} 不是合法的 URL（{error}）"
        );
        wrong(&place, name, key, why, next.clone())
    })?;
    if !kinds.contains(&url.scheme()) || url.host_str().is_none_or(str::is_empty) {
        let why = say!(
            "{shown} is no address of a server",
            "{shown} 不是服务器地址"
        );
        return Err(wrong(&place, name, key, why, next));
    }
    if !url.username().is_empty() || url.password().is_some() {
        let why = say!("it holds a user or a password", "其中含有用户名或密码");
        let next = say!("deckwatch login asks for them", "deckwatch login 会询问");
        return Err(wrong(&place, name, key, why, next));
    }
    Ok(url)
}

fn one(
    name: &str,
    file: Option<&ContextFile>,
    args: &PlatformArgs,
    around: &Surroundings,
    paths: &Paths,
) -> Result<Context, Fault> {
    let empty = ContextFile::default();
    let file = file.unwrap_or(&empty);
    let given = args.server.clone().filter(|_| file.server.is_none());
    let server = given.map(|value| Setting {
        value,
        origin: super::config::Origin::Flag("--server"),
    });
    let Some(server) = file.server.clone().or(server) else {
        let place = file.path.display().to_string();
        let why = say!("it is missing", "缺少该项");
        let next = say!(
            "write server = \"https://CONSOLE\"",
            "请写 server = \"https://控制台\""
        );
        return Err(wrong(&place, name, "server", why, next));
    };
    let api = match file.api.as_ref().map(|api| api.value.as_str()) {
        Some("region") => Api::Region,
        Some("websocket") => Api::Bare,
        // Without a file, the address tells.
        None if server.value.starts_with("ws") => Api::Bare,
        _ => Api::Console,
    };
    let kinds: &[&str] = match api {
        Api::Bare => &["ws", "wss", "http", "https"],
        Api::Console | Api::Region => &["https", "http"],
    };
    let websocket = file
        .websocket
        .as_ref()
        .map(|setting| address(name, "websocket", setting, &["ws", "wss"]))
        .transpose()?;
    let token_file = args
        .token_file
        .clone()
        .or_else(|| value(file.token_file.as_ref()));
    let credential = match (token_file, &around.token, &file.credential_command) {
        (Some(path), _, _) => Credential::File(path),
        (None, Some(token), _) => Credential::Given(token.clone()),
        (None, None, Some(command)) => Credential::Command(command.value.clone()),
        (None, None, None) if api == Api::Bare => Credential::None,
        (None, None, None) => Credential::Stored {
            name: name.to_owned(),
            file: paths.token(name),
        },
    };
    Ok(Context {
        name: name.to_owned(),
        server: address(name, "server", &server, kinds)?,
        api,
        team: args.team.clone().or_else(|| value(file.team.as_ref())),
        region: args.region.clone().or_else(|| value(file.region.as_ref())),
        websocket,
        way: Arc::new(way_of(Some((name, file)), args, around)?),
        credential,
        read_only: args.read_only || value(file.read_only.as_ref()).unwrap_or(false),
        colour: value(file.colour.as_ref()),
        targets: file
            .targets
            .iter()
            .map(|(path, url)| (path.clone(), url.value.clone()))
            .collect(),
    })
}

/// How servers are reached: a flag before the context's file before the environment.
fn way_of(
    file: Option<(&str, &ContextFile)>,
    args: &PlatformArgs,
    around: &Surroundings,
) -> Result<Way, Fault> {
    let of = file.map(|(_, file)| file);
    let identity = match (&args.cert, &args.key) {
        (Some(cert), Some(key)) => Some((cert.clone(), key.clone())),
        _ => identity(file)?,
    };
    let ca_file: Option<PathBuf> = args
        .ca_file
        .clone()
        .or_else(|| value(of.and_then(|file| file.ca_file.as_ref())));
    let insecure = args.insecure_skip_tls_verify
        || value(of.and_then(|file| file.insecure.as_ref())).unwrap_or(false);
    Ok(Way {
        ca_file,
        identity,
        insecure,
        proxies: proxies(of, args, around)?,
        cookie: None,
    })
}

fn identity(file: Option<(&str, &ContextFile)>) -> Result<Option<(PathBuf, PathBuf)>, Fault> {
    let Some((name, file)) = file else {
        return Ok(None);
    };
    match (&file.cert, &file.key) {
        (Some(cert), Some(key)) => Ok(Some((cert.value.clone(), key.value.clone()))),
        (None, None) => Ok(None),
        (Some(one), None) | (None, Some(one)) => {
            let why = say!("cert and key belong together", "cert 和 key 必须同时给出");
            let next = say!("name both", "请同时写上两项");
            Err(wrong(&one.origin.to_string(), name, "cert", why, next))
        }
    }
}

fn proxies(
    file: Option<&ContextFile>,
    args: &PlatformArgs,
    around: &Surroundings,
) -> Result<Proxies, Fault> {
    let of_file = file.and_then(|file| file.proxy.as_ref());
    let fixed = match (&args.proxy, of_file) {
        (Some(text), _) => Some((text.clone(), "--proxy".to_owned())),
        (None, Some(setting)) => Some((setting.value.clone(), setting.origin.to_string())),
        (None, None) => None,
    };
    let none_for = value(file.and_then(|file| file.no_proxy.as_ref()));
    let none_for = none_for.unwrap_or_else(|| around.proxies.none_for.clone());
    if let Some((text, origin)) = fixed {
        if matches!(text.as_str(), "" | "none" | "direct") {
            return Ok(Proxies::default());
        }
        let proxy = route::proxy(&text, &origin)?;
        return Ok(Proxies {
            plain: Some(proxy.clone()),
            encrypted: Some(proxy),
            none_for,
        });
    }
    let read = |found: &Option<(&'static str, String)>| {
        found
            .as_ref()
            .map(|(name, text)| route::proxy(text, name))
            .transpose()
    };
    Ok(Proxies {
        plain: read(&around.proxies.plain)?,
        encrypted: read(&around.proxies.encrypted)?,
        none_for,
    })
}
