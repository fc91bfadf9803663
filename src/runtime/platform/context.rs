//! `deckwatch context`: add, use, list, remove, show.

use std::fmt::Write as _;
use std::path::Path;

use serde_json::json;
use url::Url;

use crate::cli::config::write::{self, Value};
use crate::cli::config::{Config, ContextFile, Origin, Paths, Setting, valid_name};
use crate::cli::contexts::Contexts;
use crate::cli::platform_args::{ApiKind, ContextAddArgs, PlatformArgs, Table};
use crate::codec::target::Target;
use crate::model::context::{Api, Context, Credential};
use crate::model::way::Proxy;
use crate::model::{Fault, FaultKind};
use crate::platform::{self, credential};
use crate::say;
use crate::text::redact;
use crate::word;

use super::table::{Row, render};

/// The contexts as a table.
pub(crate) fn list(contexts: &Contexts, output: Table) -> String {
    let heads = [
        "",
        word!("NAME", "名字"),
        "API",
        word!("SERVER", "服务器"),
        word!("TEAM", "团队"),
        word!("REGION", "区域"),
        "",
    ];
    let current = contexts.current.as_ref().map(|one| one.name.as_str());
    let rows: Vec<Row> = contexts
        .all
        .iter()
        .map(|context| {
            let is_current = current == Some(&context.name);
            let (team, region) = (context.team.clone(), context.region.clone());
            Row {
                cells: vec![
                    if is_current {
                        "*".into()
                    } else {
                        String::new()
                    },
                    context.name.clone(),
                    context.api.to_string(),
                    context.server.to_string(),
                    team.clone().unwrap_or_default(),
                    region.clone().unwrap_or_default(),
                    if context.read_only {
                        say!("read-only", "只读")
                    } else {
                        String::new()
                    },
                ],
                json: json!({"context": context.name, "current": is_current,
                    "api": context.api.word(), "server": context.server.as_str(),
                    "team": team, "region": region, "read_only": context.read_only})
                .as_object()
                .cloned()
                .unwrap_or_default(),
                name: context.name.clone(),
            }
        })
        .collect();
    render(output, &heads, &rows)
}

fn usage(what: impl Into<String>, why: String, next: String) -> Fault {
    Fault::new(FaultKind::Usage, what, why, next)
}

/// Adds a context: what it says is checked, nothing is asked of the server. The answer is what
/// to tell.
pub(crate) fn add(
    args: &ContextAddArgs,
    platform: &PlatformArgs,
    config: &Config,
    paths: &Paths,
) -> Result<String, Fault> {
    let name = &args.name;
    let what = say!("the context {name}", "上下文 {name}");
    valid_name(name).map_err(|why| usage(&what, why, say!("choose another name", "请换个名字")))?;
    let file = paths.context(name);
    let known = config.find(name);
    if let Some(known) = known.filter(|known| !args.force || known.path != file) {
        let place = known.path.display();
        let why = say!("it stands in {place} already", "它已存在于 {place}");
        let next = if known.path == file {
            say!("add --force to replace it", "加 --force 以替换")
        } else {
            say!("change it there", "请在那里修改")
        };
        return Err(usage(&what, why, next));
    }
    let Some(server) = &platform.server else {
        let why = say!("its --server is missing", "缺少 --server");
        let next = say!(
            "add --server https://CONSOLE",
            "请加上 --server https://控制台"
        );
        return Err(usage(&what, why, next));
    };
    let server = address(server, args.api)?;
    let targets = by_hand(&args.target)?;
    write::save(
        &file,
        &write::context(&values(args, platform, &server), &targets),
    )?;
    let first = config.contexts.is_empty() || config.contexts.iter().all(|(one, _)| one == name);
    let mut told = say!("the context {name} is added", "已添加上下文 {name}");
    if !first && config.context.is_none() {
        told.push_str(&say!(
            "; deckwatch context use {name} makes it the current one",
            "；deckwatch context use {name} 可设为当前上下文"
        ));
    }
    if args.api == ApiKind::Console {
        told.push_str(&say!(
            "; next: deckwatch login {name}",
            "；下一步：deckwatch login {name}"
        ));
    }
    told.push('\n');
    if server.scheme() == "http" || server.scheme() == "ws" {
        let local = server.host_str().is_some_and(is_local);
        if !local {
            told.push_str(&say!(
                "its address is not encrypted: anyone on the way can read the token and everything else\n",
                "它的地址没有加密：途中任何人都能读到令牌和全部内容\n"
            ));
        }
    }
    Ok(told)
}

fn is_local(host: &str) -> bool {
    host == "localhost"
        || host
            .trim_matches(['[', ']'])
            .parse::<std::net::IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

/// A server's address; without a scheme it is https.
fn address(text: &str, api: ApiKind) -> Result<Url, Fault> {
    let whole = match (text.contains("://"), api) {
        (true, _) => text.to_owned(),
        (false, ApiKind::Websocket) => format!("ws://{text}"),
        (false, ApiKind::Console | ApiKind::Region) => format!("https://{text}"),
    };
    let shown = redact::redact_url(text).to_string();
    let bad = |why: String| {
        let next = say!("write it like https://CONSOLE", "请写成 https://控制台");
        usage(format!("--server {shown}"), why, next)
    };
    let mut url = Url::parse(&whole)
        .map_err(|error| bad(say!("it is no URL ({error})", "不是合法的 URL（{error}）")))?;
    let fits = match api {
        ApiKind::Websocket => ["ws", "wss", "http", "https"].contains(&url.scheme()),
        ApiKind::Console | ApiKind::Region => ["http", "https"].contains(&url.scheme()),
    };
    if !fits || url.host_str().is_none_or(str::is_empty) {
        return Err(bad(say!("it is no address of a server", "不是服务器地址")));
    }
    if url.password().is_some() || !url.username().is_empty() {
        return Err(bad(say!(
            "it holds a user or a password",
            "其中含有用户名或密码"
        )));
    }
    url.set_query(None);
    url.set_fragment(None);
    // The page's or the API's own path is ours to append.
    let own = match api {
        ApiKind::Console => "/console",
        ApiKind::Region => "/v2",
        ApiKind::Websocket => "/docker_log",
    };
    let path = url.path().trim_end_matches('/');
    let bare = path.strip_suffix(own).unwrap_or(path).to_owned();
    url.set_path(&bare);
    Ok(url)
}

fn by_hand(list: &[String]) -> Result<Vec<(String, String)>, Fault> {
    list.iter()
        .map(|pair| {
            let found = pair
                .split_once('=')
                .filter(|(path, url)| path.split('/').count() == 3 && Target::parse(url).is_ok());
            let Some((path, url)) = found else {
                let why = say!("it is no path and target", "不是“路径=目标”");
                let next = say!(
                    "write TEAM/APP/COMPONENT=ws://HOST:6060/docker_log#SERVICE_ID",
                    "请写 团队/应用/组件=ws://主机:6060/docker_log#SERVICE_ID"
                );
                let shown = redact::redact_url(pair);
                return Err(usage(format!("--target {shown}"), why, next));
            };
            Ok((path.to_owned(), url.to_owned()))
        })
        .collect()
}

fn values(
    args: &ContextAddArgs,
    platform: &PlatformArgs,
    server: &Url,
) -> Vec<(&'static str, Value)> {
    let path = |path: &Path| {
        // A file is found from everywhere.
        let whole = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        Value::Text(whole.display().to_string())
    };
    let text = |text: &String| Value::Text(text.clone());
    let mut values = vec![("server", Value::Text(server.to_string()))];
    let api = match args.api {
        ApiKind::Console => None,
        ApiKind::Region => Some("region"),
        ApiKind::Websocket => Some("websocket"),
    };
    let command = args
        .credential_command
        .as_ref()
        .map(|line| Value::List(line.split_whitespace().map(str::to_owned).collect()));
    let on = |on: bool| on.then_some(Value::Switch(true));
    let more = [
        ("api", api.map(|word| Value::Text(word.to_owned()))),
        ("team", platform.team.as_ref().map(text)),
        ("region", platform.region.as_ref().map(text)),
        ("websocket", args.websocket.as_ref().map(text)),
        ("user", args.user.as_ref().map(text)),
        ("ca-file", platform.ca_file.as_deref().map(path)),
        ("cert", platform.cert.as_deref().map(path)),
        ("key", platform.key.as_deref().map(path)),
        (
            "insecure-skip-tls-verify",
            on(platform.insecure_skip_tls_verify),
        ),
        ("proxy", platform.proxy.as_ref().map(text)),
        ("no-proxy", args.no_proxy.as_ref().map(text)),
        ("token-file", platform.token_file.as_deref().map(path)),
        ("credential-command", command),
        ("read-only", on(platform.read_only)),
        ("colour", args.colour.as_ref().map(text)),
    ];
    values.extend(
        more.into_iter()
            .filter_map(|(key, value)| Some((key, value?))),
    );
    values
}

/// Makes a context the current one.
pub(crate) fn make_current(
    name: &str,
    contexts: &Contexts,
    paths: &Paths,
) -> Result<String, Fault> {
    contexts.get(Some(name))?;
    write::make_current(&paths.config, name)?;
    Ok(say!(
        "{name} is the current context\n",
        "当前上下文是 {name}\n"
    ))
}

/// Removes a context that was added by a command, and its token.
pub(crate) fn remove(name: &str, config: &Config, paths: &Paths) -> Result<String, Fault> {
    let what = say!("the context {name}", "上下文 {name}");
    let Some(known) = config.find(name) else {
        let why = say!("there is none of this name", "没有这个名字的上下文");
        let next = say!(
            "deckwatch context ls lists them",
            "deckwatch context ls 会列出全部"
        );
        return Err(Fault::new(FaultKind::NotFound, what, why, next));
    };
    if known.path != paths.context(name) {
        let place = known.path.display();
        let why = say!("it stands in {place}", "它写在 {place} 中");
        return Err(usage(what, why, say!("remove it there", "请在那里删除")));
    }
    std::fs::remove_file(&known.path).map_err(|error| {
        let error = crate::model::words::io_error(&error);
        let why = say!("it can't be removed ({error})", "无法删除（{error}）");
        Fault::new(FaultKind::Output, known.path.display().to_string(), why, "")
    })?;
    credential::forget(&paths.token(name))?;
    Ok(say!(
        "the context {name} is removed\n",
        "已删除上下文 {name}\n"
    ))
}

/// A context with where each value comes from.
pub(crate) fn show(
    name: Option<&str>,
    contexts: &Contexts,
    config: &Config,
) -> Result<String, Fault> {
    let context = contexts.get(name)?;
    let empty = ContextFile::default();
    let file = config.find(&context.name).unwrap_or(&empty);
    let mut out = format!("{}\n", context.name);
    let mut line = |key: &str, value: String, origin: &Origin| {
        // Writing to a string can't fail.
        let _ = writeln!(out, "  {key} = {value}  ({origin})");
    };
    let flag = |name: &'static str| Origin::Flag(name);
    let from = |setting: Option<&Setting<String>>, other: Origin| {
        setting.map_or(other, |setting| setting.origin.clone())
    };
    let server = from(file.server.as_ref(), flag("--server"));
    line("server", context.server.to_string(), &server);
    line(
        "api",
        context.api.to_string(),
        &from(file.api.as_ref(), Origin::Default),
    );
    for (key, value, setting, name) in [
        ("team", &context.team, &file.team, "--team"),
        ("region", &context.region, &file.region, "--region"),
    ] {
        if let Some(value) = value {
            let same = setting.as_ref().filter(|setting| setting.value == *value);
            line(key, value.clone(), &from(same, flag(name)));
        }
    }
    if let Some(url) = &context.websocket {
        line(
            "websocket",
            url.to_string(),
            &from(file.websocket.as_ref(), Origin::Default),
        );
    }
    for (key, value, origin) in way_values(context, file) {
        line(key, value, &origin);
    }
    let read_only = file
        .read_only
        .as_ref()
        .map_or(Origin::Default, |one| one.origin.clone());
    line("read-only", context.read_only.to_string(), &read_only);
    let (words, origin) = credential_words(&context.credential, file);
    line("credential", words, &origin);
    for (path, target) in &file.targets {
        let url = redact::redact_url(&target.value).to_string();
        line(&format!("targets.{path:?}"), url, &target.origin);
    }
    if platform::is_exposed(context) && context.api != Api::Bare {
        out.push_str(&say!(
            "  not encrypted: anyone on the way can read the token\n",
            "  未加密：途中任何人都能读到令牌\n"
        ));
    }
    Ok(out)
}

/// How a context is reached, and where each part was said.
fn way_values(context: &Context, file: &ContextFile) -> Vec<(&'static str, String, Origin)> {
    fn said<T>(setting: Option<&Setting<T>>, flag: &'static str) -> Origin {
        setting.map_or(Origin::Flag(flag), |one| one.origin.clone())
    }
    let way = &context.way;
    let mut values = Vec::new();
    if let Some(path) = &way.ca_file {
        let origin = said(file.ca_file.as_ref(), "--ca-file");
        values.push(("ca-file", path.display().to_string(), origin));
    }
    if let Some((cert, _)) = &way.identity {
        let origin = said(file.cert.as_ref(), "--cert");
        values.push(("cert", cert.display().to_string(), origin));
    }
    let proxies = &way.proxies;
    if let Some(proxy) = proxies.encrypted.as_ref().or(proxies.plain.as_ref()) {
        values.push(("proxy", proxy.place(), proxy_origin(proxy, file)));
    }
    if way.insecure {
        let key = "insecure-skip-tls-verify";
        let origin = said(file.insecure.as_ref(), "--insecure-skip-tls-verify");
        values.push((key, "true".into(), origin));
    }
    values
}

/// Where a proxy was set.
fn proxy_origin(proxy: &Proxy, file: &ContextFile) -> Origin {
    const NAMES: [&str; 6] = [
        "http_proxy",
        "HTTP_PROXY",
        "https_proxy",
        "HTTPS_PROXY",
        "all_proxy",
        "ALL_PROXY",
    ];
    if let Some(name) = NAMES.into_iter().find(|name| *name == proxy.origin) {
        return Origin::Env(name);
    }
    file.proxy
        .as_ref()
        .filter(|_| proxy.origin != "--proxy")
        .map_or(Origin::Flag("--proxy"), |one| one.origin.clone())
}

fn credential_words(credential: &Credential, file: &ContextFile) -> (String, Origin) {
    match credential {
        Credential::None => (say!("none", "无"), Origin::Default),
        Credential::Given(_) => (say!("a token", "令牌"), Origin::Env("DECKWATCH_TOKEN")),
        Credential::File(path) => {
            let origin = file
                .token_file
                .as_ref()
                .map_or(Origin::Flag("--token-file"), |one| one.origin.clone());
            (say!("the file {}", "文件 {}", path.display()), origin)
        }
        Credential::Command(words) => {
            let origin = file
                .credential_command
                .as_ref()
                .map_or(Origin::Default, |one| one.origin.clone());
            let name = words.first().cloned().unwrap_or_default();
            (say!("what {name} prints", "{name} 的输出"), origin)
        }
        Credential::Stored { file: path, .. } => {
            let words = if path.exists() {
                say!(
                    "of deckwatch login, in {}",
                    "deckwatch login 存于 {}",
                    path.display()
                )
            } else {
                say!("none: not logged in", "无：尚未登录")
            };
            (words, Origin::Default)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_servers_address_is_read_as_people_paste_it() {
        for (text, api, want) in [
            (
                "console.example",
                ApiKind::Console,
                "https://console.example/",
            ),
            (
                "http://h:7070/console/#/team/x",
                ApiKind::Console,
                "http://h:7070/",
            ),
            (
                "https://h/prefix/console",
                ApiKind::Console,
                "https://h/prefix",
            ),
            ("https://h/prefix/", ApiKind::Console, "https://h/prefix"),
            ("http://h:8888/v2", ApiKind::Region, "http://h:8888/"),
            ("h:6060", ApiKind::Websocket, "ws://h:6060/"),
        ] {
            assert_eq!(address(text, api).unwrap().as_str(), want);
        }
        for text in ["https://me:canary@h", "ftp://h", "https://"] {
            let fault = address(text, ApiKind::Console).unwrap_err().to_string();
            assert!(!fault.contains("canary"), "{fault}");
        }
    }
}
