//! What is meant by what was typed: resolved, checked, nothing left to guess.

mod flags;

use std::path::PathBuf;
use std::time::Duration;

use jiff::tz::TimeZone;
use regex::bytes::Regex;

use crate::codec::encoding::Encoding;
use crate::codec::shell::Dialect;
use crate::codec::target::{FeedSpec, Target};
use crate::model::alert::Alert;
use crate::model::{Fault, FaultKind, Level};
use crate::word;

use super::args::{
    Args, Command, DemoArgs, EncodingName, Format, LogsArgs, OnLag, ShellArgs, Stamp, ViewArgs,
    WaitArgs,
};
use super::env::Env;
use super::platform_args::{
    ConfigCommand, ContextCommand, DoctorArgs, Findings, GetArgs, LoginArgs, TopArgs,
};
use super::units::{Retry, Tail};
use flags::{line_filter, numbering, pattern, print_plan, stop_plan, tee_plan};

/// What to do.
#[derive(Debug)]
pub enum Plan {
    /// Open the interface on targets.
    View(Vec<Target>, ViewPlan),
    /// Open the interface on what runs on the contexts' platforms, and on what was open last;
    /// the fault is for where there is a context and no terminal.
    Tree(ViewPlan, Option<Fault>),
    /// Open the interface on what components use.
    Overview(TopArgs, ViewPlan),
    /// Print lines.
    Logs(Box<LogsPlan>),
    /// A shell without the interface.
    Shell(Box<ShellPlan>),
    /// What a recording shows, as text.
    PrintCast(PathBuf),
    /// The embedded platform, seen in the interface.
    Demo(DemoArgs, ViewPlan),
    /// The embedded platform alone.
    Serve(DemoArgs),
    /// Undo what a dead program did to the terminal.
    ResetTerminal,
    /// A script for a shell.
    Completions(clap_complete::aot::Shell),
    /// The manual.
    Man(Option<PathBuf>),
    /// Something about platforms.
    Platform(Ask),
}

/// What is asked about platforms.
#[derive(Clone, Debug)]
pub enum Ask {
    /// `get`.
    Get(GetArgs),
    /// `top`.
    Top(TopArgs),
    /// `login`.
    Login(LoginArgs),
    /// `logout`.
    Logout(Option<String>),
    /// `context`.
    Context(ContextCommand),
    /// `config`.
    Config(ConfigCommand),
    /// `doctor`.
    Doctor(DoctorArgs),
}

/// A shell without the interface.
#[derive(Clone, Debug)]
pub struct ShellPlan {
    /// Which one.
    pub target: Target,
    /// The server's dialect, where it was said.
    pub dialect: Option<&'static Dialect>,
    /// Where the password comes from.
    pub password: PasswordFrom,
    /// One command.
    pub exec: Option<ExecPlan>,
    /// How it behaves without one.
    pub raw: RawPlan,
}

/// Where a password comes from (decision 15).
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum PasswordFrom {
    /// Asked on the terminal, if the URL names a user.
    Prompt,
    /// A file's first line.
    File(PathBuf),
    /// Standard input's first line.
    Stdin,
}

/// One command in a shell.
#[derive(Clone, Debug)]
pub struct ExecPlan {
    /// The command, for a POSIX shell.
    pub command: String,
    /// How long it may take.
    pub timeout: Duration,
}

/// How a raw shell behaves.
#[derive(Clone, Debug)]
pub struct RawPlan {
    /// `~.` after Enter disconnects.
    pub escape: bool,
    /// Silence on standard error.
    pub quiet: bool,
    /// A recording.
    pub record: Option<PathBuf>,
}

/// How the interface looks and behaves.
#[derive(Clone, Debug)]
pub struct ViewPlan {
    /// One pane for all.
    pub merge: bool,
    /// A theme's name or path; none chooses by the terminal.
    pub theme: Option<String>,
    /// Bytes for all lines.
    pub buffer: usize,
    /// The buffer was said, and is no default.
    pub buffer_said: bool,
    /// How bytes of lines are read.
    pub encoding: Encoding,
    /// What finds the number of a line: its group, or all of it.
    pub seq_regex: Option<Regex>,
    /// A view that was saved.
    pub saved: Option<String>,
    /// What was open last stays away.
    pub fresh: bool,
    /// Mouse on.
    pub mouse: bool,
    /// No colours at all.
    pub plain: bool,
    /// The terminal shows 24-bit colours.
    pub true_color: bool,
    /// The terminal has the kitty keyboard protocol.
    pub kitty: bool,
    /// How the clipboard sequence has to be wrapped.
    pub multiplexer: Multiplexer,
}

/// What stands between us and the terminal.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Multiplexer {
    /// Nothing.
    None,
    /// tmux.
    Tmux,
    /// GNU screen.
    Screen,
}

/// What to print, how, and until when.
#[derive(Debug)]
pub struct LogsPlan {
    /// From where.
    pub targets: Vec<Target>,
    /// Not the components' lines, but what the platform does with them.
    pub events: bool,
    /// Go on after the history.
    pub follow: bool,
    /// Of the history only its last lines.
    pub tail: Option<usize>,
    /// How bytes of lines are read.
    pub encoding: Encoding,
    /// What finds the number of a line: its group, or all of it.
    pub seq_regex: Option<Regex>,
    /// Which lines.
    pub filter: LineFilter,
    /// How they look.
    pub print: PrintPlan,
    /// A copy.
    pub tee: Option<TeePlan>,
    /// When to end.
    pub stop: StopPlan,
    /// Lost links.
    pub retry: Retry,
    /// A slow output.
    pub on_lag: OnLag,
    /// Bytes that may wait for a slow output.
    pub buffer: usize,
    /// A summary at the end.
    pub stats: bool,
    /// Silence on standard error.
    pub quiet: bool,
    /// What is told when it begins and ends to hold, while lines are followed.
    pub alerts: Vec<Alert>,
}

/// Which lines are printed.
#[derive(Debug, Default)]
pub struct LineFilter {
    /// All must match.
    pub include: Vec<Regex>,
    /// None may match.
    pub exclude: Vec<Regex>,
    /// The least level.
    pub level: Level,
}

impl LineFilter {
    /// Whether a shown line passes.
    pub fn accepts(&self, shown: &str) -> bool {
        let bytes = shown.as_bytes();
        self.include.iter().all(|re| re.is_match(bytes))
            && !self.exclude.iter().any(|re| re.is_match(bytes))
            && (self.level == Level::None || crate::codec::level::detect(shown) >= self.level)
    }

    /// Whether every line passes.
    pub fn is_empty(&self) -> bool {
        self.include.is_empty() && self.exclude.is_empty() && self.level == Level::None
    }
}

/// How lines look.
#[derive(Clone, Debug)]
pub struct PrintPlan {
    /// The format.
    pub format: Format,
    /// The source in front.
    pub prefix: bool,
    /// The time in front.
    pub stamp: Option<Stamp>,
    /// The zone of shown times.
    pub zone: TimeZone,
    /// What happens to control characters in text.
    pub controls: Controls,
    /// SGR of our own.
    pub color: bool,
}

/// What happens to control characters in text.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Controls {
    /// The sanitiser's marks.
    Shown,
    /// Escapes that keep one record on one line.
    Escaped,
    /// Nothing.
    Kept,
}

/// A copy of the output.
#[derive(Clone, Debug)]
pub struct TeePlan {
    /// A file, or a directory.
    pub path: PathBuf,
    /// A file per component.
    pub per_component: bool,
    /// Bytes of a file before it is rotated.
    pub rotate_size: u64,
    /// Rotated files that are kept.
    pub keep: u32,
}

/// When to end.
#[derive(Debug, Default)]
pub struct StopPlan {
    /// With 0.
    pub until: Option<Regex>,
    /// The how-manieth match counts.
    pub count: u64,
    /// With 1.
    pub fail: Option<Regex>,
    /// Printed lines.
    pub max_lines: Option<u64>,
    /// Time in all.
    pub lasting: Option<Duration>,
    /// Time without a line.
    pub idle: Option<Duration>,
    /// A gap or drop is an error.
    pub strict: bool,
    /// No line is an error.
    pub require_match: bool,
}

/// Resolves what was typed.
pub fn resolve(args: Args, env: &Env) -> Result<Plan, Fault> {
    let view = view_plan(&args.view, env)?;
    match args.command {
        None if args.targets.is_empty() => {
            Ok(Plan::Tree(view, in_a_terminal(Vec::new(), env).err()))
        }
        None => Ok(Plan::View(
            in_a_terminal(parse_all(&args.targets)?, env)?,
            view,
        )),
        Some(Command::Logs(logs)) => Ok(Plan::Logs(Box::new(logs_plan(
            &logs,
            env,
            logs.filter.follow,
        )?))),
        Some(Command::Follow(logs)) => Ok(Plan::Logs(Box::new(logs_plan(&logs, env, true)?))),
        Some(Command::Wait(wait)) => Ok(Plan::Logs(Box::new(wait_plan(wait, env)?))),
        Some(Command::Shell(shell)) => Ok(Plan::Shell(Box::new(shell_plan(shell)?))),
        Some(Command::Replay(replay)) if replay.headless => Ok(Plan::PrintCast(replay.file)),
        Some(Command::Replay(replay)) => {
            let view = view_plan(&replay.view, env)?;
            let target = Target::cast(replay.file, replay.speed);
            let next = word!(
                "add --headless to print what it shows",
                "请加 --headless 以文本打印"
            );
            in_a_terminal(vec![target], env)
                .map(|targets| Plan::View(targets, view))
                .map_err(|fault| Fault {
                    next: next.into(),
                    ..fault
                })
        }
        Some(Command::Demo(demo)) if demo.serve => Ok(Plan::Serve(demo)),
        Some(Command::Demo(demo)) => {
            in_a_terminal(Vec::new(), env)?;
            let view = view_plan(&demo.view, env)?;
            Ok(Plan::Demo(demo, view))
        }
        Some(Command::ResetTerminal) => Ok(Plan::ResetTerminal),
        Some(Command::Events(logs)) => {
            let mut plan = logs_plan(&logs, env, logs.filter.follow)?;
            plan.events = true;
            Ok(Plan::Logs(Box::new(plan)))
        }
        Some(Command::Completions { shell }) => Ok(Plan::Completions(shell)),
        Some(Command::Man { dir }) => Ok(Plan::Man(dir)),
        Some(Command::Doctor(args)) => Ok(Plan::Platform(Ask::Doctor(args))),
        Some(Command::Get(get)) => Ok(Plan::Platform(Ask::Get(get))),
        Some(Command::Top(top)) => top_plan(top, env),
        Some(Command::Login(login)) => Ok(Plan::Platform(Ask::Login(login))),
        Some(Command::Logout { name }) => Ok(Plan::Platform(Ask::Logout(name))),
        Some(Command::Context(command)) => Ok(Plan::Platform(Ask::Context(command))),
        Some(Command::Config(command)) => Ok(Plan::Platform(Ask::Config(command))),
    }
}

/// A table that is watched in a terminal is a pane of the interface.
fn top_plan(top: TopArgs, env: &Env) -> Result<Plan, Fault> {
    let shown = top.watch.is_some() && top.output == Findings::Text && top.count.is_none();
    if shown && env.stdout_tty && !env.dumb {
        let view = view_plan(&top.view, env)?;
        return Ok(Plan::Overview(top, view));
    }
    Ok(Plan::Platform(Ask::Top(top)))
}

fn in_a_terminal(targets: Vec<Target>, env: &Env) -> Result<Vec<Target>, Fault> {
    if env.stdout_tty && !env.dumb {
        return Ok(targets);
    }
    let why = if env.dumb {
        word!(
            "this terminal (TERM=dumb) can't show it",
            "此终端 (TERM=dumb) 无法显示"
        )
    } else {
        word!("standard output is no terminal", "标准输出不是终端")
    };
    Err(Fault::new(
        FaultKind::Usage,
        word!("the interface", "界面"),
        why,
        word!(
            "use deckwatch logs -f TARGET… to print lines",
            "请用 deckwatch logs -f TARGET… 打印日志行"
        ),
    ))
}

fn view_plan(args: &ViewArgs, env: &Env) -> Result<ViewPlan, Fault> {
    let multiplexer = match (env.tmux, env.screen) {
        (true, _) => Multiplexer::Tmux,
        (false, true) => Multiplexer::Screen,
        (false, false) => Multiplexer::None,
    };
    Ok(ViewPlan {
        merge: args.merge,
        theme: args.theme.clone(),
        buffer: args.buffer.max(1 << 20),
        buffer_said: args.buffer != 256 << 20,
        encoding: encoding(args.encoding),
        seq_regex: numbering(args.seq_regex.as_deref())?,
        saved: args.saved.clone(),
        fresh: args.fresh,
        mouse: args.mouse,
        plain: !env.colors(args.color),
        true_color: env.true_color,
        kitty: env.kitty,
        multiplexer,
    })
}

fn encoding(name: EncodingName) -> Encoding {
    match name {
        EncodingName::Utf8 => Encoding::Utf8,
        EncodingName::Gb18030 | EncodingName::Gbk => Encoding::Gb18030,
    }
}

fn shell_plan(args: ShellArgs) -> Result<ShellPlan, Fault> {
    let target = Target::parse(&args.target)?;
    if !matches!(target.feed, FeedSpec::Shell(_) | FeedSpec::Name(_)) {
        let next = word!(
            "a shell looks like TEAM/APP/COMPONENT, ws://HOST:6060/docker_console#TENANT_ID/SERVICE_ID/POD or http://HOST:8080/",
            "终端形如 团队/应用/组件、ws://HOST:6060/docker_console#TENANT_ID/SERVICE_ID/POD 或 http://HOST:8080/"
        );
        return Err(Fault::new(
            FaultKind::Usage,
            target.text,
            word!("it is no shell", "这不是终端"),
            next,
        ));
    }
    let password = match (args.password_file, args.password_stdin) {
        (Some(path), _) => PasswordFrom::File(path),
        (None, true) => PasswordFrom::Stdin,
        (None, false) => PasswordFrom::Prompt,
    };
    let timeout = args.timeout;
    Ok(ShellPlan {
        target,
        dialect: args.dialect,
        password,
        exec: args.exec.map(|command| ExecPlan { command, timeout }),
        raw: RawPlan {
            escape: !args.no_escape,
            quiet: args.quiet,
            record: args.record,
        },
    })
}

/// Targets whose lines can be printed.
fn parse_logs(texts: &[String]) -> Result<Vec<Target>, Fault> {
    let targets = parse_all(texts)?;
    match targets.iter().find(|target| target.shell().is_some()) {
        Some(shell) => Err(Fault::new(
            FaultKind::Usage,
            shell.text.clone(),
            word!("it is a shell, not a log", "这是终端，不是日志"),
            word!(
                "use deckwatch shell TARGET, or deckwatch shell --exec CMD TARGET",
                "请用 deckwatch shell TARGET，或 deckwatch shell --exec CMD TARGET"
            ),
        )),
        None => Ok(targets),
    }
}

fn parse_all(texts: &[String]) -> Result<Vec<Target>, Fault> {
    let targets: Vec<Target> = texts
        .iter()
        .map(|text| Target::parse(text))
        .collect::<Result<_, _>>()?;
    if targets
        .iter()
        .filter(|target| target.feed == FeedSpec::Stdin)
        .count()
        > 1
    {
        return Err(Fault::new(
            FaultKind::Usage,
            "-",
            word!(
                "standard input can be read only once",
                "标准输入只能读取一次"
            ),
            word!("name it once", "请只写一次"),
        ));
    }
    Ok(targets)
}

fn logs_plan(args: &LogsArgs, env: &Env, follow: bool) -> Result<LogsPlan, Fault> {
    let targets = parse_logs(&args.targets)?;
    let follow = follow && !args.filter.no_follow;
    let stop = stop_plan(&args.stop, &args.filter)?;
    let ends = follow
        || stop.lasting.is_some()
        || stop.max_lines.is_some()
        || stop.until.is_some()
        || stop.fail.is_some();
    if let Some(target) = targets.iter().find(|target| !target.has_history() && !ends) {
        let why = word!("ZeroMQ has no history to print", "ZeroMQ 没有可打印的历史");
        let next = word!(
            "add -f, --for, --max-lines or --until-match",
            "请加 -f、--for、--max-lines 或 --until-match"
        );
        return Err(Fault::new(FaultKind::Usage, target.text.clone(), why, next));
    }
    let tail = match args.filter.tail {
        None | Some(Tail::All) => None,
        Some(Tail::Last(lines)) => Some(lines),
    };
    Ok(LogsPlan {
        targets,
        events: false,
        follow,
        tail,
        encoding: encoding(args.out.encoding),
        seq_regex: numbering(args.out.seq_regex.as_deref())?,
        filter: line_filter(&args.filter)?,
        print: print_plan(&args.out, env)?,
        tee: tee_plan(&args.out),
        stop,
        retry: args.stop.reconnect,
        on_lag: args.out.on_lag,
        buffer: args.out.buffer,
        stats: args.out.stats,
        quiet: args.out.quiet,
        alerts: args.stop.alert.clone(),
    })
}

fn wait_plan(args: WaitArgs, env: &Env) -> Result<LogsPlan, Fault> {
    let print = PrintPlan {
        format: Format::Text,
        prefix: true,
        stamp: None,
        zone: TimeZone::system(),
        controls: if env.stdout_tty {
            Controls::Shown
        } else {
            Controls::Escaped
        },
        color: env.colors(super::args::When::Auto),
    };
    let fixed = args.fixed_strings;
    let fail = args
        .fail_match
        .map(|text| pattern("--fail-match", &text, fixed, false))
        .transpose()?;
    let stop = StopPlan {
        until: Some(pattern("--match", &args.pattern, fixed, false)?),
        count: 1,
        fail,
        lasting: Some(args.timeout),
        ..StopPlan::default()
    };
    Ok(LogsPlan {
        targets: parse_logs(&args.targets)?,
        events: false,
        follow: true,
        tail: Some(0),
        encoding: Encoding::Utf8,
        seq_regex: None,
        filter: LineFilter::default(),
        print,
        tee: None,
        stop,
        retry: args.reconnect,
        on_lag: OnLag::Drop,
        buffer: 32 << 20,
        stats: false,
        quiet: true,
        alerts: Vec::new(),
    })
}
