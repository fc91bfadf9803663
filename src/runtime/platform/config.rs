//! `deckwatch config`: where the files are, what they say, what is wrong with them.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use crate::cli::config::{Config, Origin, Paths, write};
use crate::cli::contexts::Contexts;
use crate::lang::{Words, words};
use crate::model::{Fault, FaultKind};
use crate::say;

/// A file to begin with: every value, as a comment.
const BEGIN: Words = words(
    "\
# deckwatch: every value here is a default; take the # away to change one.
#lang = \"zh-CN\"          # en or zh-CN; by the locale without
#theme = \"dark\"          # dark, light, contrast, ansi16, plain, or one of yours
#mouse = false
#buffer = \"256MiB\"       # memory for all lines of all panes
#restore = true          # the open targets come back at the next start
#context = \"prod\"        # the context that names without one mean

#[[charts]]              # limits for a chart of the platform's
#metric = \"cpu\"
#warn = 500
#error = 900
#[[charts]]              # a chart of your own
#title = \"JVM heap\"
#query = 'sum(jvm_memory_used_bytes{service_id=\"{service_id}\"}) / 1048576'
#unit = \"MiB\"
#[[alerts]]              # told when it begins and ends to hold
#name = \"many errors\"
#when = \"rate(error) > 5 for 30s\"
#component = \"order-*\"
#bell = true
#notify = false

#[contexts.prod]         # or a file contexts.d/prod.toml, as deckwatch context add writes it
#server = \"https://console.example\"
#api = \"console\"         # console, region or websocket
#team = \"shop\"
#region = \"rainbond\"
#user = \"me\"
#ca-file = \"/etc/ssl/private-ca.pem\"
#cert = \"/home/me/client.pem\"
#key = \"/home/me/client.key\"
#proxy = \"socks5h://127.0.0.1:1080\"
#no-proxy = \".internal,10.0.0.0/8\"
#token-file = \"/home/me/token\"
#credential-command = [\"pass\", \"show\", \"console\"]
#read-only = false
#colour = \"red\"
#[contexts.prod.targets] # components by hand, where there is no API
#\"shop/front/web\" = \"ws://HOST:6060/docker_log#SERVICE_ID\"
",
    "\
# deckwatch：以下各行均为默认值；去掉 # 即可修改。
#lang = \"zh-CN\"          # en 或 zh-CN；不写则按系统区域设置
#theme = \"dark\"          # dark、light、contrast、ansi16、plain 或自己的主题
#mouse = false
#buffer = \"256MiB\"       # 所有窗格所有行的内存
#restore = true          # 下次启动时恢复打开的目标
#context = \"prod\"        # 名字未写上下文时使用

#[[charts]]              # 平台图表的阈值
#metric = \"cpu\"
#warn = 500
#error = 900
#[[charts]]              # 自己的图表
#title = \"JVM 堆\"
#query = 'sum(jvm_memory_used_bytes{service_id=\"{service_id}\"}) / 1048576'
#unit = \"MiB\"
#[[alerts]]              # 开始和不再成立时告知
#name = \"错误过多\"
#when = \"rate(error) > 5 for 30s\"
#component = \"order-*\"
#bell = true
#notify = false

#[contexts.prod]         # 或写成文件 contexts.d/prod.toml，如 deckwatch context add 所写
#server = \"https://console.example\"
#api = \"console\"         # console、region 或 websocket
#team = \"shop\"
#region = \"rainbond\"
#user = \"me\"
#ca-file = \"/etc/ssl/private-ca.pem\"
#cert = \"/home/me/client.pem\"
#key = \"/home/me/client.key\"
#proxy = \"socks5h://127.0.0.1:1080\"
#no-proxy = \".internal,10.0.0.0/8\"
#token-file = \"/home/me/token\"
#credential-command = [\"pass\", \"show\", \"console\"]
#read-only = false
#colour = \"red\"
#[contexts.prod.targets] # 没有 API 时手动列出的组件
#\"shop/front/web\" = \"ws://HOST:6060/docker_log#SERVICE_ID\"
",
);

/// Where the files are.
pub(crate) fn path(paths: &Paths) -> String {
    [
        (say!("configuration", "配置"), &paths.config),
        (say!("contexts", "上下文"), &paths.contexts()),
        (say!("keys", "按键"), &paths.keys()),
        (say!("themes", "主题"), &paths.themes()),
        (say!("state", "状态"), &paths.state),
        (say!("views", "视图"), &paths.data),
    ]
    .iter()
    .fold(String::new(), |text, (what, path)| {
        text + &format!("{what}: {}\n", path.display())
    })
}

/// All values, with where each comes from.
pub(crate) fn show(config: &Config, contexts: &Contexts) -> Result<String, Fault> {
    let mut out = String::new();
    let unset = || (say!("(unset)", "（未设置）"), Origin::Default);
    let text = |setting: &Option<crate::cli::config::Setting<String>>| {
        setting
            .as_ref()
            .map_or_else(unset, |one| (one.value.clone(), one.origin.clone()))
    };
    let switch = |setting: &Option<crate::cli::config::Setting<bool>>| {
        setting
            .as_ref()
            .map_or_else(unset, |one| (one.value.to_string(), one.origin.clone()))
    };
    let lang = config.lang.as_ref().map_or_else(unset, |one| {
        (
            format!("{:?}", one.value).to_lowercase(),
            one.origin.clone(),
        )
    });
    let buffer = config
        .buffer
        .as_ref()
        .map_or_else(unset, |one| (one.value.to_string(), one.origin.clone()));
    for (key, (value, origin)) in [
        ("lang", lang),
        ("theme", text(&config.theme)),
        ("mouse", switch(&config.mouse)),
        ("buffer", buffer),
        ("restore", switch(&config.restore)),
        ("context", text(&config.context)),
    ] {
        // Writing to a string can't fail.
        let _ = writeln!(out, "{key} = {value}  ({origin})");
    }
    let (charts, alerts) = (config.charts.len(), config.alerts.len());
    let _ = writeln!(out, "charts: {charts}\nalerts: {alerts}");
    for alert in &config.alerts {
        let _ = writeln!(out, "  {}", alert.name);
    }
    for context in &contexts.all {
        out.push('\n');
        out.push_str(&super::context::show(
            Some(&context.name),
            contexts,
            config,
        )?);
    }
    Ok(out)
}

/// What was read without a fault.
pub(crate) fn check(config: &Config, keys: Option<&Path>) -> String {
    if config.files.is_empty() && keys.is_none() {
        return say!(
            "there is no file yet; deckwatch config init writes one\n",
            "还没有配置文件；deckwatch config init 会创建\n"
        );
    }
    let mut out = String::new();
    for file in config.files.iter().map(PathBuf::as_path).chain(keys) {
        let file = file.display();
        out.push_str(&say!("{file}: good\n", "{file}：正确\n"));
    }
    out
}

/// Writes a file to begin with.
pub(crate) fn init(paths: &Paths) -> Result<String, Fault> {
    let file = paths.config.display();
    if paths.config.exists() {
        let why = say!("it is there already", "已存在");
        let next = say!("edit it", "请直接编辑");
        return Err(Fault::new(FaultKind::Usage, file.to_string(), why, next));
    }
    write::save(&paths.config, BEGIN.get())?;
    Ok(say!("{file} is written\n", "已写入 {file}\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_to_begin_with_is_right_with_and_without_its_comment_signs() {
        for text in [BEGIN.en, BEGIN.zh] {
            right(text);
        }
    }

    fn right(text: &str) {
        Config::parse(Path::new("x"), text).unwrap();
        let bare: String = text
            .lines()
            .map(|line| {
                line.strip_prefix('#')
                    .filter(|line| !line.starts_with(' '))
                    .unwrap_or(line)
            })
            .fold(String::new(), |text, line| text + line + "\n");
        let config = Config::parse(Path::new("x"), &bare).unwrap();
        assert_eq!((config.charts.len(), config.alerts.len()), (2, 1));
        assert_eq!(config.contexts.len(), 1);
        assert_eq!(config.contexts[0].1.targets.len(), 1);
    }
}
