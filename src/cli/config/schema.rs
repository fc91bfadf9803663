//! What may stand in the files, and the words for what may not.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use toml::Spanned;

use crate::cli::units;
use crate::lang::Lang;
use crate::model::{Fault, FaultKind};
use crate::say;

use super::{Config, Origin, Setting};

mod watched;

/// `config.toml`.
#[derive(Deserialize, Debug, Default)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
struct MainFile {
    lang: Option<Spanned<String>>,
    theme: Option<Spanned<String>>,
    mouse: Option<Spanned<bool>>,
    buffer: Option<Spanned<String>>,
    restore: Option<Spanned<bool>>,
    context: Option<Spanned<String>>,
    contexts: BTreeMap<Spanned<String>, FileContext>,
    charts: Vec<FileChart>,
    alerts: Vec<FileAlert>,
}

/// A chart of one's own, or limits for one of the platform's.
#[derive(Deserialize, Debug, Default, Clone)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
struct FileChart {
    title: Option<String>,
    metric: Option<Spanned<String>>,
    query: Option<Spanned<String>>,
    unit: Option<Spanned<String>>,
    warn: Option<f64>,
    error: Option<f64>,
}

/// An alert.
#[derive(Deserialize, Debug, Clone)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct FileAlert {
    name: Option<String>,
    when: Spanned<String>,
    #[serde(default)]
    component: String,
    bell: Option<bool>,
    #[serde(default)]
    notify: bool,
}

/// One context as a file says it.
#[derive(Deserialize, Debug, Default, Clone)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
struct FileContext {
    server: Option<Spanned<String>>,
    api: Option<Spanned<String>>,
    team: Option<Spanned<String>>,
    region: Option<Spanned<String>>,
    websocket: Option<Spanned<String>>,
    user: Option<Spanned<String>>,
    ca_file: Option<Spanned<PathBuf>>,
    cert: Option<Spanned<PathBuf>>,
    key: Option<Spanned<PathBuf>>,
    insecure_skip_tls_verify: Option<Spanned<bool>>,
    proxy: Option<Spanned<String>>,
    no_proxy: Option<Spanned<String>>,
    token_file: Option<Spanned<PathBuf>>,
    credential_command: Option<Spanned<Vec<String>>>,
    read_only: Option<Spanned<bool>>,
    colour: Option<Spanned<String>>,
    targets: BTreeMap<String, Spanned<String>>,
}

/// One context: each value that its file has, with its place.
#[derive(Clone, Debug, Default)]
pub struct ContextFile {
    /// Where the context stands.
    pub path: PathBuf,
    /// The API's address.
    pub server: Option<Setting<String>>,
    /// `console`, `region` or `websocket`.
    pub api: Option<Setting<String>>,
    /// The team of names without one.
    pub team: Option<Setting<String>>,
    /// The region of names without one.
    pub region: Option<Setting<String>>,
    /// What stands in front of `/docker_log`.
    pub websocket: Option<Setting<String>>,
    /// Who logs in.
    pub user: Option<Setting<String>>,
    /// CAs besides the system's.
    pub ca_file: Option<Setting<PathBuf>>,
    /// A client certificate.
    pub cert: Option<Setting<PathBuf>>,
    /// Its key.
    pub key: Option<Setting<PathBuf>>,
    /// No verification.
    pub insecure: Option<Setting<bool>>,
    /// A proxy.
    pub proxy: Option<Setting<String>>,
    /// What is reached without.
    pub no_proxy: Option<Setting<String>>,
    /// A file with the token.
    pub token_file: Option<Setting<PathBuf>>,
    /// A command that prints it.
    pub credential_command: Option<Setting<Vec<String>>>,
    /// Nothing is changed there.
    pub read_only: Option<Setting<bool>>,
    /// The colour of its panes.
    pub colour: Option<Setting<String>>,
    /// Targets by hand: path and URL.
    pub targets: Vec<(String, Setting<String>)>,
}

/// A file while it is read.
struct Source<'a> {
    path: &'a Path,
    text: &'a str,
}

impl Source<'_> {
    fn line(&self, span: &Range<usize>) -> usize {
        let before = self.text.get(..span.start).unwrap_or(self.text);
        1 + before.matches('\n').count()
    }

    fn take<T>(&self, value: Spanned<T>) -> Setting<T> {
        let origin = Origin::File(self.path.to_owned(), self.line(&value.span()));
        Setting {
            value: value.into_inner(),
            origin,
        }
    }

    fn some<T>(&self, value: Option<Spanned<T>>) -> Option<Setting<T>> {
        value.map(|value| self.take(value))
    }

    /// A fault at a key.
    fn fault(&self, line: usize, key: &str, why: String, next: String) -> Fault {
        let what = format!("{}:{line}: {key}", self.path.display());
        Fault::new(FaultKind::Usage, what, why, next)
    }

    /// What the parser says, with file, line and column.
    fn wrong(&self, error: &toml::de::Error) -> Fault {
        let place = error.span().map_or_else(String::new, |span| {
            let before = self.text.get(..span.start).unwrap_or(self.text);
            let column = before.chars().rev().take_while(|c| *c != '\n').count() + 1;
            format!(":{}:{column}", self.line(&span))
        });
        let what = format!("{}{place}", self.path.display());
        let message = error.message().replace('\n', " ");
        let why = say!("{message}", "{message}");
        let next = say!(
            "deckwatch config check tells when it is right",
            "改好后可用 deckwatch config check 检查"
        );
        Fault::new(FaultKind::Usage, what, why, next)
    }

    /// A value that has to be read further.
    fn read<T, U>(
        &self,
        key: &str,
        value: Option<Spanned<T>>,
        read: impl FnOnce(&T) -> Result<U, (String, String)>,
    ) -> Result<Option<Setting<U>>, Fault> {
        let Some(value) = value else { return Ok(None) };
        let setting = self.take(value);
        let line = match &setting.origin {
            Origin::File(_, line) => *line,
            Origin::Default | Origin::Env(_) | Origin::Flag(_) => 0,
        };
        let value = read(&setting.value).map_err(|(why, next)| self.fault(line, key, why, next))?;
        Ok(Some(Setting {
            value,
            origin: setting.origin,
        }))
    }
}

pub(super) fn read_main(path: &Path, text: &str, config: &mut Config) -> Result<(), Fault> {
    let source = Source { path, text };
    let file: MainFile = toml::from_str(text).map_err(|error| source.wrong(&error))?;
    config.lang = source.read("lang", file.lang, |word| {
        Lang::named(word).ok_or_else(|| {
            (
                say!("{word:?} is no language of ours", "不支持语言 {word:?}"),
                say!("write en or zh-CN", "请写 en 或 zh-CN"),
            )
        })
    })?;
    config.buffer = source.read("buffer", file.buffer, |text| {
        units::size(text).map_err(|why| (why, String::new()))
    })?;
    config.theme = source.some(file.theme);
    config.mouse = source.some(file.mouse);
    config.restore = source.some(file.restore);
    config.context = source.some(file.context);
    for chart in file.charts {
        config.charts.push(watched::chart(&source, chart)?);
    }
    for alert in file.alerts {
        let alert = watched::alert(&source, alert, &config.charts)?;
        config.alerts.push(alert);
    }
    for (name, context) in file.contexts {
        let line = source.line(&name.span());
        let name = name.into_inner();
        valid_name(&name)
            .map_err(|why| source.fault(line, &format!("contexts.{name}"), why, String::new()))?;
        let read = read_one(&source, context)?;
        config.contexts.push((name, read));
    }
    Ok(())
}

pub(super) fn read_context(path: &Path, text: &str, config: &mut Config) -> Result<(), Fault> {
    let source = Source { path, text };
    let name = path
        .file_stem()
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default();
    let why_not = |why: String, next: String| source.fault(1, &name, why, next);
    valid_name(&name)
        .map_err(|why| why_not(why, say!("give the file another name", "请给文件换个名字")))?;
    if let Some(other) = config.find(&name) {
        let other = other.path.display();
        return Err(why_not(
            say!(
                "the context {name} stands in {other} too",
                "上下文 {name} 在 {other} 中也有定义"
            ),
            say!("remove one of them", "请删除其中一个"),
        ));
    }
    let file: FileContext = toml::from_str(text).map_err(|error| source.wrong(&error))?;
    let read = read_one(&source, file)?;
    config.contexts.push((name, read));
    Ok(())
}

fn read_one(source: &Source<'_>, file: FileContext) -> Result<ContextFile, Fault> {
    let api = source.read("api", file.api, |word| match word.as_str() {
        "console" | "region" | "websocket" => Ok(word.clone()),
        other => Err((
            say!("{other:?} is no kind of API", "{other:?} 不是 API 类型"),
            say!(
                "write console, region or websocket",
                "请写 console、region 或 websocket"
            ),
        )),
    })?;
    Ok(ContextFile {
        path: source.path.to_owned(),
        api,
        server: source.some(file.server),
        team: source.some(file.team),
        region: source.some(file.region),
        websocket: source.some(file.websocket),
        user: source.some(file.user),
        ca_file: source.some(file.ca_file),
        cert: source.some(file.cert),
        key: source.some(file.key),
        insecure: source.some(file.insecure_skip_tls_verify),
        proxy: source.some(file.proxy),
        no_proxy: source.some(file.no_proxy),
        token_file: source.some(file.token_file),
        credential_command: source.some(file.credential_command),
        read_only: source.some(file.read_only),
        colour: source.some(file.colour),
        targets: file
            .targets
            .into_iter()
            .map(|(path, url)| (path, source.take(url)))
            .collect(),
    })
}

/// Whether a context may have this name: it stands in front of a colon.
pub fn valid_name(name: &str) -> Result<(), String> {
    let taken = ["re", "ws", "wss", "http", "https", "tcp", "file"];
    if name.is_empty() || name.len() > 64 {
        return Err(say!(
            "a context's name has 1 to 64 letters",
            "上下文名应为 1 到 64 个字符"
        ));
    }
    if taken.contains(&name) || name.starts_with('.') {
        return Err(say!(
            "{name:?} means something else in front of a colon",
            "{name:?} 在冒号前另有含义"
        ));
    }
    let odd = |c: char| !(c.is_alphanumeric() || matches!(c, '-' | '_' | '.'));
    match name.chars().find(|c| odd(*c)) {
        Some(c) => Err(say!(
            "a context's name can't hold {c:?}",
            "上下文名不能含有 {c:?}"
        )),
        None => Ok(()),
    }
}
