//! L6: the imperative shell: what was typed becomes a plan, the plan is carried out, the answer
//! is an exit code.

pub mod clipboard;
mod complete;
mod dialects;
mod explore;
pub mod input;
mod measure;
pub mod perform;
mod platform;
mod reload;
mod sessions;
mod setup;
mod shells;
pub mod signals;
pub mod terminal;
pub mod tui;
mod watch;

use std::ffi::OsString;
use std::fmt::Write as _;
use std::io::{IsTerminal, Write};
use std::panic::AssertUnwindSafe;
use std::path::PathBuf;

use clap::Parser;
use etcetera::BaseStrategy;
use tokio::runtime::{Builder, Runtime};

use crate::attach;
use crate::cli::args::DemoArgs;
use crate::cli::env::Env;
use crate::cli::plan::{LogsPlan, ShellPlan, ViewPlan};
use crate::cli::platform_args::{PlatformArgs, TopArgs};
use crate::cli::{Args, Plan, chinese, language, plan};
use crate::codec::target::{FeedSpec, Target};
use crate::demo;
use crate::follow;
use crate::lang::{self, Lang};
use crate::model::recipe::Recipe;
use crate::model::{Fault, FaultKind};
use crate::platform::Platform;
use crate::say;
use crate::text::SafeText;
use crate::text::redact::Secret;
use crate::word;

use dialects::Dialects;
use setup::{For, Setup};
use tui::Start;

/// Panes that the demo opens with.
const PANES: usize = 6;

/// Runs the program on `args` (with the program's own name first).
pub fn main(args: impl IntoIterator<Item = OsString>) -> u8 {
    let args: Vec<OsString> = args.into_iter().collect();
    if complete::answered(&args) {
        return 0;
    }
    let env = Env::read();
    let (args, asked) = language::taken(args);
    lang::choose(language::of_locale(&env.named));
    match language::chosen(asked.as_deref(), &env.named, setup::language()) {
        Ok(chosen) => lang::choose(chosen),
        Err(fault) => {
            complain(&fault.to_string());
            return fault.kind.exit_code();
        }
    }
    let parsed = match lang::current() {
        Lang::En => Args::try_parse_from(args),
        Lang::Zh => chinese::parse(args),
    };
    let args = match parsed {
        Ok(args) => args,
        Err(error) => {
            // Help and version are no errors; clap knows which stream is meant.
            let code = u8::try_from(error.exit_code()).unwrap_or(2);
            return if tell(&error).is_ok() { code } else { 0 };
        }
    };
    let of_platform = args.platform.clone();
    let outcome = plan::resolve(args, &env).and_then(|plan| {
        // The hook has given the terminal back and told where it happened.
        std::panic::catch_unwind(AssertUnwindSafe(|| carry_out(plan, &of_platform, &env)))
            .unwrap_or_else(|_| {
                let why = word!(
                    "it met a defect of its own and ended",
                    "程序自身出错并已退出"
                );
                let next = word!(
                    "please report it with the lines above",
                    "请连同上面的输出一起反馈"
                );
                Err(Fault::new(FaultKind::Internal, "deckwatch", why, next))
            })
    });
    outcome.unwrap_or_else(|fault| {
        complain(&fault.to_string());
        fault.kind.exit_code()
    })
}

/// Prints what clap has to say, in the language that was chosen.
fn tell(error: &clap::Error) -> std::io::Result<()> {
    if lang::current() == Lang::En {
        return error.print();
    }
    // As wide as clap's own: the terminal, 100 columns at most.
    let (is_tty, mut out): (bool, Box<dyn Write>) = if error.use_stderr() {
        let stderr = std::io::stderr();
        (stderr.is_terminal(), Box::new(stderr.lock()))
    } else {
        let stdout = std::io::stdout();
        (stdout.is_terminal(), Box::new(stdout.lock()))
    };
    let size = crossterm::terminal::size().ok().filter(|_| is_tty);
    let cols = size.map_or(100, |(cols, _)| usize::from(cols).clamp(20, 100));
    out.write_all(chinese::told(error, cols).as_bytes())?;
    out.flush()
}

fn carry_out(plan: Plan, of_platform: &PlatformArgs, env: &Env) -> Result<u8, Fault> {
    let setup = || Setup::load(of_platform, env);
    match plan {
        Plan::Completions(shell) => complete::script(shell),
        Plan::Man(dir) => complete::manual(dir.as_deref()),
        Plan::Platform(ask) => {
            let runtime = runtime(1)?;
            let code = runtime.block_on(platform::run(ask, &setup()?));
            runtime.shutdown_background();
            code
        }
        Plan::Logs(plan) => logs(*plan, &setup()?),
        Plan::Shell(plan) => raw_shell(*plan, &setup()?),
        Plan::PrintCast(path) => {
            attach::player::print(&path, &mut std::io::stdout().lock())?;
            Ok(0)
        }
        Plan::Serve(args) => {
            let runtime = runtime(2)?;
            let code = runtime.block_on(serve(&args));
            runtime.shutdown_background();
            code
        }
        Plan::View(targets, mut plan) => {
            for target in &targets {
                // A file that is no recording is told of before the screen is taken.
                if let FeedSpec::Cast(path, _) = &target.feed {
                    attach::player::check(path)?;
                }
            }
            let setup = setup()?;
            setup.apply(&mut plan);
            let runtime = runtime(1)?;
            let ending = runtime.block_on(async {
                let targets = setup.look_up(targets, For::Logs).await?;
                tui::run(targets, plan, themes(), Some(setup), Start::Targets).await
            });
            runtime.shutdown_background();
            Ok(die(&ending?))
        }
        Plan::Tree(plan, no_terminal) => tree(plan, no_terminal, setup()?),
        Plan::Overview(args, plan) => overview(&args, plan, setup()?),
        Plan::Demo(args, plan) => {
            let runtime = runtime(2)?;
            let ending = runtime.block_on(demo(&args, plan));
            runtime.shutdown_background();
            Ok(die(&ending?))
        }
        Plan::ResetTerminal => {
            terminal::repair().map_err(|error| {
                Fault::new(
                    FaultKind::Output,
                    word!("the terminal", "本机终端"),
                    error.to_string(),
                    word!(
                        "run it inside the terminal to repair",
                        "请在要修复的终端里运行"
                    ),
                )
            })?;
            Ok(0)
        }
    }
}

/// Prints lines until an end is reached.
fn logs(mut plan: LogsPlan, setup: &Setup) -> Result<u8, Fault> {
    let runtime = runtime(1)?;
    let code = runtime.block_on(async {
        let wanted = if plan.events { For::Events } else { For::Logs };
        for warning in setup.warnings(&plan.targets) {
            complain(&warning);
        }
        plan.targets = setup.look_up(plan.targets, wanted).await?;
        let recipes = Recipe::all(&setup.config.charts);
        watch::check(&plan.targets, &plan.alerts, &recipes)?;
        plan.alerts.extend(setup.config.alerts.iter().cloned());
        if !plan.follow {
            // Of a history nothing is told.
            plan.alerts.clear();
        }
        let heard = follow::Heard {
            signals: signals::headless()?,
            alarms: watch::metrics(&plan.targets, &plan.alerts, &recipes),
        };
        Ok(follow::run(plan, heard, follow::Stderr::default()).await)
    });
    // A thread that waits for standard input can't be ended; the process can.
    runtime.shutdown_background();
    code
}

/// What components use, in the interface.
fn overview(args: &TopArgs, mut plan: ViewPlan, setup: Setup) -> Result<u8, Fault> {
    setup.apply(&mut plan);
    let start = platform::top::start(args, &setup)?;
    let runtime = runtime(1)?;
    let shown = tui::run(Vec::new(), plan, themes(), Some(setup), start);
    let ending = runtime.block_on(shown);
    runtime.shutdown_background();
    Ok(die(&ending?))
}

/// A shell without the interface.
fn raw_shell(mut plan: ShellPlan, setup: &Setup) -> Result<u8, Fault> {
    let runtime = runtime(1)?;
    let code = runtime.block_on(async {
        for warning in setup.warnings(std::slice::from_ref(&plan.target)) {
            complain(&warning);
        }
        plan.target = setup.one_shell(plan.target, plan.dialect).await?;
        let spec = plan.target.shell().cloned();
        let mut dialects = Dialects::load();
        let mut stderr = follow::Stderr::default();
        let world = attach::World {
            signals: signals::headless()?,
            remembered: spec.as_ref().and_then(|spec| dialects.of(spec)),
            remember: Box::new(move |server| {
                if let Some(spec) = &spec {
                    dialects.found(spec, server);
                }
            }),
            say: Box::new(move |words| stderr.say(words)),
        };
        attach::run(plan, world).await
    });
    runtime.shutdown_background();
    code
}

/// The tree of what runs, and what was open last.
fn tree(mut plan: ViewPlan, no_terminal: Option<Fault>, mut setup: Setup) -> Result<u8, Fault> {
    if setup.contexts.is_empty() && plan.saved.is_none() {
        return Err(nothing_named());
    }
    if let Some(fault) = no_terminal {
        return Err(fault);
    }
    let runtime = runtime(1)?;
    setup.apply(&mut plan);
    let saved = setup.saved(&plan)?;
    setup.remembers = plan.saved.is_none();
    let start = saved.map_or(Start::Targets, Start::Saved);
    let shown = tui::run(Vec::new(), plan, themes(), Some(setup), start);
    let ending = runtime.block_on(shown);
    runtime.shutdown_background();
    Ok(die(&ending?))
}

/// Neither a target nor a context.
fn nothing_named() -> Fault {
    Fault::new(
        FaultKind::Usage,
        say!("the command line", "命令行"),
        say!("it names no target", "没有写目标"),
        say!(
            "write deckwatch TARGET…, add a platform with deckwatch context add, or try deckwatch demo; deckwatch --help shows what a target is",
            "请写 deckwatch 目标…，或用 deckwatch context add 添加平台，或试试 deckwatch demo；deckwatch --help 说明什么是目标"
        ),
    )
}

/// Threads for the sources; what is printed or drawn is made on the main one. One does: each hop
/// between threads costs more than a line does, and the allocator keeps for each thread the most
/// that it ever had to hold, which returns from outages make MiB. Two where the embedded platform
/// runs too.
fn runtime(sources: usize) -> Result<Runtime, Fault> {
    Builder::new_multi_thread()
        .worker_threads(sources)
        .enable_all()
        .build()
        .map_err(|error| {
            Fault::new(
                FaultKind::Internal,
                "deckwatch",
                say!(
                    "its threads can't be started ({error})",
                    "无法启动线程（{error}）"
                ),
                word!("check the process limits", "请检查进程限制"),
            )
        })
}

/// `demo --serve`: the embedded platform alone, until a signal.
async fn serve(args: &DemoArgs) -> Result<u8, Fault> {
    let mut signals = signals::headless()?;
    let platform = start_demo(args).await?;
    let mut text = say!(
        "The demo platform runs on loopback until Ctrl-C. Targets to try:\n\n",
        "演示平台在环回地址上运行，按 Ctrl-C 结束。可以试试这些目标：\n\n"
    );
    let console = say!(
        "  {}\n      the console; user {}, password {}; its region's API is at {}\n",
        "  {}\n      控制台；用户名 {}，密码 {}；集群 API 位于 {}\n",
        platform.console_url(""),
        platform.user(),
        platform.password(),
        platform.region_url("")
    );
    text.push_str(&console);
    for target in platform.targets() {
        // Writing to a string can't fail.
        let _ = write!(text, "  {}\n      {}\n", target.url, target.shown());
    }
    let mut out = std::io::stdout().lock();
    let written = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    drop(out);
    match written {
        Ok(()) => {}
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => return Ok(0),
        Err(error) => {
            let why = say!("it can't be written ({error})", "无法写入（{error}）");
            let next = word!(
                "free some space, or write elsewhere",
                "请腾出空间，或写到别处"
            );
            return Err(Fault::new(
                FaultKind::Output,
                word!("standard output", "标准输出"),
                why,
                next,
            ));
        }
    }
    Ok(signals.recv().await.unwrap_or(0))
}

/// The interface on the embedded platform: six components and a deploy.
async fn demo(args: &DemoArgs, plan: ViewPlan) -> Result<tui::Ending, Fault> {
    let platform = start_demo(args).await?;
    let (mut targets, mut deploys) = (Vec::new(), false);
    for known in platform.targets() {
        // The first event is the deploy that runs now.
        let deploy = known.url.contains("/event_log#") && !deploys;
        deploys |= deploy;
        let shop = known.url.contains("/docker_log#") || deploy;
        if shop && targets.len() < PANES {
            let mut target = Target::parse(&known.url)?;
            target.name = known.name();
            let component = known.url.rsplit('#').next().unwrap_or("");
            if let Some(url) = platform.shell_url(component, None) {
                target.shell_beside = Some(Box::new(Target::parse(&url)?));
            }
            targets.push(target);
        }
    }
    let setup = demo_setup(&platform).await?;
    tui::run(targets, plan, themes(), Some(setup), Start::Targets).await
}

/// The demo as a context of its own, logged in.
async fn demo_setup(platform: &demo::Platform) -> Result<Setup, Fault> {
    let server = platform.http_url("");
    let args = PlatformArgs {
        server: Some(server),
        ..PlatformArgs::default()
    };
    let mut setup = Setup::bare(&args)?;
    let context = setup.contexts.get(None)?;
    let demo::Options { user, password, .. } = demo::Options::default();
    let token = Platform::new(context)
        .login(&user, &Secret::new(password.show()))
        .await;
    let token = token.map_err(|error| error.fault)?;
    setup.give_token("demo", &token);
    Ok(setup)
}

/// Where a user's own themes are: `deckwatch/themes` in the config directory, on macOS too.
fn themes() -> Option<PathBuf> {
    let dirs = etcetera::base_strategy::Xdg::new().ok()?;
    Some(dirs.config_dir().join("deckwatch").join("themes"))
}

/// Ends as the interface did: a signal is died of, so that the shell sees it.
fn die(ending: &tui::Ending) -> u8 {
    match ending {
        tui::Ending::Quit => 0,
        tui::Ending::HungUp => follow::exit::HUNG_UP,
        tui::Ending::Signal(number) => {
            drop(signal_hook::low_level::emulate_default_handler(*number));
            128u8.saturating_add(u8::try_from(*number).unwrap_or(0))
        }
    }
}

/// Starts the embedded platform.
async fn start_demo(args: &DemoArgs) -> Result<demo::Platform, Fault> {
    let options = demo::Options {
        port: args.port,
        rate: args.rate,
        seed: args.seed,
        ..demo::Options::default()
    };
    demo::Platform::start(options).await.map_err(|error| {
        let why = say!(
            "it can't listen on loopback ({error})",
            "无法在环回地址监听（{error}）"
        );
        Fault::new(
            FaultKind::Unreachable,
            word!("the demo platform", "演示平台"),
            why,
            word!("choose another --port", "请换一个 --port"),
        )
    })
}

/// One line on standard error; a closed one changes nothing.
fn complain(text: &str) {
    let line = format!("deckwatch: {}\n", SafeText::of(text));
    drop(std::io::stderr().lock().write_all(line.as_bytes()));
}
