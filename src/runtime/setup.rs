//! What a run stands on: files, environment and flags, read once; and names, looked up.

use std::path::PathBuf;
use std::sync::Arc;

use etcetera::BaseStrategy;

use crate::app::session::Saved;
use crate::app::tree::deeds;
use crate::cli::config::{Config, Paths};
use crate::cli::contexts::{self, Contexts, Surroundings};
use crate::cli::env::Env;
use crate::cli::plan::ViewPlan;
use crate::cli::platform_args::PlatformArgs;
use crate::codec::name::{Name, Path};
use crate::codec::shell::Dialect;
use crate::codec::target::{FeedSpec, Target};
use crate::lang::Lang;
use crate::model::context::{Context, Credential};
use crate::model::{Fault, FaultKind};
use crate::platform::{Platform, is_exposed, resolve, shell};
use crate::say;
use crate::text::redact::Secret;

use super::sessions;

/// Files, environment and flags.
#[derive(Clone, Debug)]
pub(crate) struct Setup {
    pub(crate) paths: Paths,
    pub(crate) config: Config,
    pub(crate) contexts: Contexts,
    /// The flags about platforms.
    pub(crate) args: PlatformArgs,
    /// What is open at the end comes back at the next start.
    pub(crate) remembers: bool,
    /// It stands on no file, and changes with none.
    pub(crate) fixed: bool,
}

/// What a name is looked up for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum For {
    Logs,
    Events,
    Shell,
}

impl Setup {
    /// Reads everything; a fault in a file is a fault of the run.
    pub(crate) fn load(args: &PlatformArgs, env: &Env) -> Result<Self, Fault> {
        no_core_dumps();
        let paths = paths(args.config.clone())?;
        if let Some(named) = args.config.as_ref().filter(|path| !path.exists()) {
            let what = named.display().to_string();
            let why = say!("there is no such file", "文件不存在");
            let next = say!("check --config", "请检查 --config");
            return Err(Fault::new(FaultKind::Usage, what, why, next));
        }
        let config = Config::load(&paths)?;
        let around = Surroundings {
            proxies: env.proxies.clone(),
            token: env.token.clone(),
        };
        let contexts = contexts::resolve(&config, args, &around, &paths)?;
        Ok(Self {
            paths,
            config,
            contexts,
            args: args.clone(),
            remembers: false,
            fixed: false,
        })
    }

    /// Flags alone: no file, no environment.
    pub(crate) fn bare(args: &PlatformArgs) -> Result<Self, Fault> {
        let paths = paths(None)?;
        let config = Config::default();
        let contexts = contexts::resolve(&config, args, &Surroundings::default(), &paths)?;
        Ok(Self {
            paths,
            config,
            contexts,
            args: args.clone(),
            remembers: false,
            fixed: true,
        })
    }

    /// What everyone on the way can do, told on every run (reliability.md 2.3 and 5): of the
    /// contexts that these targets are of.
    pub(crate) fn warnings(&self, targets: &[Target]) -> Vec<String> {
        let mut warnings = Vec::new();
        let insecure =
            self.contexts.way.insecure || targets.iter().any(|target| target.way.insecure);
        if insecure {
            warnings.push(say!(
                "certificates are not verified (--insecure-skip-tls-verify): anyone on the way can read and change everything",
                "未验证证书（--insecure-skip-tls-verify）：途中任何人都能读取和篡改全部内容"
            ));
        }
        let mut told = Vec::new();
        let of = |target: &Target| match (&target.feed, target.place()) {
            (FeedSpec::Name(name), _) => self
                .contexts
                .get(name.context.as_deref())
                .ok()
                .map(Arc::clone),
            (_, place) => Some(Arc::clone(&place?.context)),
        };
        for context in &targets.iter().filter_map(of).collect::<Vec<_>>() {
            if is_exposed(context) && !told.contains(&context.name) {
                told.push(context.name.clone());
                let server = &context.server;
                warnings.push(say!(
                    "{server} is not encrypted: anyone on the way can read the token and the lines",
                    "{server} 未加密：途中任何人都能读到令牌和日志"
                ));
            }
        }
        warnings
    }

    /// What the configuration says about the interface, where no flag does.
    pub(crate) fn apply(&self, plan: &mut ViewPlan) {
        let config = &self.config;
        if plan.theme.is_none() {
            plan.theme = config.theme.as_ref().map(|theme| theme.value.clone());
        }
        plan.mouse |= config.mouse.as_ref().is_some_and(|mouse| mouse.value);
        if let Some(buffer) = config.buffer.as_ref().filter(|_| !plan.buffer_said) {
            plan.buffer = buffer.value.max(1 << 20);
        }
    }

    /// What comes back: a view by its name, or what was open last.
    pub(crate) fn saved(&self, plan: &ViewPlan) -> Result<Option<Saved>, Fault> {
        if let Some(name) = &plan.saved {
            let found = sessions::load(&sessions::view(&self.paths, name))?;
            return found.map(Some).ok_or_else(|| {
                let what = say!("the view {name}", "视图 {name}");
                let why = say!("there is none of this name", "没有这个名字的视图");
                let next = say!(":view {name} saves one", ":view {name} 可保存");
                Fault::new(FaultKind::NotFound, what, why, next)
            });
        }
        let restore = self.config.restore.as_ref().is_none_or(|on| on.value);
        if plan.fresh || !restore {
            return Ok(None);
        }
        sessions::load(&sessions::last(&self.paths))
    }

    /// Gives the current context a name and a token.
    pub(crate) fn give_token(&mut self, name: &str, token: &Secret) {
        self.contexts.current = self.contexts.current.take().map(|context| {
            Arc::new(Context {
                name: name.to_owned(),
                credential: Credential::Given(token.clone()),
                ..(*context).clone()
            })
        });
    }

    /// Names become what they mean; all else is reached as the flags say.
    pub(crate) async fn look_up(
        &self,
        targets: Vec<Target>,
        wanted: For,
    ) -> Result<Vec<Target>, Fault> {
        let mut found = Vec::new();
        for target in targets {
            match &target.feed {
                FeedSpec::Name(name) => found.extend(self.name(name, wanted).await?),
                _ => found.push(target.by(&self.contexts.way)),
            }
        }
        Ok(found)
    }

    /// The one shell that a target means.
    pub(crate) async fn one_shell(
        &self,
        target: Target,
        dialect: Option<&'static Dialect>,
    ) -> Result<Target, Fault> {
        let text = target.text.clone();
        let mut found = self.look_up(vec![target], For::Shell).await?;
        let count = found.len();
        let Some(mut shell) = found.pop().filter(|_| count == 1) else {
            let why = say!("it means {count} components", "它指 {count} 个组件");
            let next = say!("name one", "请指明一个");
            return Err(Fault::new(FaultKind::Usage, text, why, next));
        };
        if let FeedSpec::Shell(spec) = &mut shell.feed
            && dialect.is_some()
        {
            spec.dialect = dialect;
        }
        Ok(shell)
    }

    async fn name(&self, name: &Name, wanted: For) -> Result<Vec<Target>, Fault> {
        let context = self.contexts.get(name.context.as_deref())?;
        if let Some(by_hand) = by_hand(context, name)? {
            return Ok(by_hand);
        }
        let mut platform = Platform::new(context);
        let mut targets = Vec::new();
        for place in resolve::resolve(&mut platform, name).await? {
            let wanted = if name.events { For::Events } else { wanted };
            targets.push(match wanted {
                For::Logs => deeds::component(place).by(&platform.socket_way()),
                For::Events => deeds::events(place),
                For::Shell => shell::target(&mut platform, &place).await?,
            });
        }
        Ok(targets)
    }
}

/// What a context lists by hand; `None` where it lists nothing.
fn by_hand(context: &Arc<Context>, name: &Name) -> Result<Option<Vec<Target>>, Fault> {
    if context.targets.is_empty() {
        return Ok(None);
    }
    let mut found = Vec::new();
    for (path, url) in &context.targets {
        if fits(path, name)? {
            let mut target = Target::parse(url)?.by(&context.way);
            path.rsplit('/')
                .next()
                .unwrap_or(path)
                .clone_into(&mut target.name);
            target.text = format!("{}:{path}", context.name);
            found.push(target);
        }
    }
    if found.is_empty() {
        if context.api != crate::model::context::Api::Bare {
            return Ok(None);
        }
        let all: Vec<&str> = context
            .targets
            .iter()
            .map(|(path, _)| path.as_str())
            .collect();
        let all = all.join(", ");
        let why = say!(
            "the context lists no such target",
            "上下文中没有列出这样的目标"
        );
        let next = say!("it lists: {all}", "它列出了：{all}");
        return Err(Fault::new(FaultKind::NotFound, &name.text, why, next));
    }
    Ok(Some(found))
}

/// A process that may hold a token leaves no memory behind (reliability.md 5). A system that
/// refuses this keeps its own rules.
fn no_core_dumps() {
    use rustix::process::{Resource, Rlimit, setrlimit};
    let none = Rlimit {
        current: Some(0),
        maximum: Some(0),
    };
    let _ = setrlimit(Resource::Core, none);
    #[cfg(target_os = "linux")]
    let _ = rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable);
}

/// Whether a path that was listed by hand is meant.
fn fits(path: &str, name: &Name) -> Result<bool, Fault> {
    match &name.path {
        Path::Regex(pattern) => {
            let regex = crate::codec::name::compile(pattern)
                .map_err(|why| Fault::new(FaultKind::Usage, &name.text, why, ""))?;
            Ok(regex.is_match(path))
        }
        Path::Parts(parts) => {
            let mut pieces = path.split('/');
            let mut next = || pieces.next().unwrap_or("");
            let team = next();
            let (app, component) = (next(), next());
            Ok(
                (parts.team.text().is_empty() || parts.team.matches(&[team]))
                    && parts.app.matches(&[app])
                    && parts.component.matches(&[component]),
            )
        }
    }
}

/// Where our files are: XDG's places, on macOS too.
pub(crate) fn paths(named: Option<PathBuf>) -> Result<Paths, Fault> {
    let dirs = etcetera::base_strategy::Xdg::new().map_err(|error| {
        let what = say!("the home directory", "主目录");
        let why = say!("it is not known ({error})", "无法确定（{error}）");
        Fault::new(FaultKind::Usage, what, why, say!("set HOME", "请设置 HOME"))
    })?;
    let state = dirs.state_dir().unwrap_or_else(|| dirs.data_dir());
    Ok(Paths::under(
        &dirs.config_dir(),
        &state,
        &dirs.data_dir(),
        named,
    ))
}

/// The language that the configuration names, where it can be read; its faults are told later.
pub(crate) fn language() -> Option<&'static str> {
    let config = Config::load(&paths(None).ok()?).ok()?;
    config.lang.map(|lang| match lang.value {
        Lang::En => "en",
        Lang::Zh => "zh-CN",
    })
}
