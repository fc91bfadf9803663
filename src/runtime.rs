//! L6: the imperative shell: what was typed becomes a plan, the plan is carried out, the answer
//! is an exit code.

pub mod clipboard;
mod dialects;
mod explore;
pub mod input;
pub mod perform;
mod platform;
mod setup;
mod shells;
pub mod signals;
pub mod terminal;
pub mod tui;

use std::ffi::OsString;
use std::fmt::Write as _;
use std::io::Write;
use std::panic::AssertUnwindSafe;
use std::path::PathBuf;

use clap::Parser;
use etcetera::BaseStrategy;
use tokio::runtime::{Builder, Runtime};

use crate::attach;
use crate::cli::args::DemoArgs;
use crate::cli::env::Env;
use crate::cli::plan::{ShellPlan, ViewPlan};
use crate::cli::platform_args::PlatformArgs;
use crate::cli::{Args, Plan, plan};
use crate::codec::target::{FeedSpec, Target};
use crate::demo;
use crate::follow;
use crate::model::{Fault, FaultKind};
use crate::platform::Platform;
use crate::say;
use crate::text::SafeText;
use crate::text::redact::Secret;

use dialects::Dialects;
use setup::{For, Setup};

/// Panes that the demo opens with.
const PANES: usize = 6;

/// Runs the program on `args` (with the program's own name first).
pub fn main(args: impl IntoIterator<Item = OsString>) -> u8 {
    let args = match Args::try_parse_from(args) {
        Ok(args) => args,
        Err(error) => {
            // Help and version are no errors; clap knows which stream is meant.
            let code = u8::try_from(error.exit_code()).unwrap_or(2);
            return if error.print().is_ok() { code } else { 0 };
        }
    };
    let env = Env::read();
    let of_platform = args.platform.clone();
    let outcome = plan::resolve(args, &env).and_then(|plan| {
        // The hook has given the terminal back and told where it happened.
        std::panic::catch_unwind(AssertUnwindSafe(|| carry_out(plan, &of_platform, &env)))
            .unwrap_or_else(|_| {
                let why = "it met a defect of its own and ended";
                let next = "please report it with the lines above";
                Err(Fault::new(FaultKind::Internal, "deckwatch", why, next))
            })
    });
    outcome.unwrap_or_else(|fault| {
        complain(&fault.to_string());
        fault.kind.exit_code()
    })
}

fn carry_out(plan: Plan, of_platform: &PlatformArgs, env: &Env) -> Result<u8, Fault> {
    let setup = || Setup::load(of_platform, env);
    match plan {
        Plan::Platform(ask) => {
            let runtime = runtime(1)?;
            let code = runtime.block_on(platform::run(ask, &setup()?));
            runtime.shutdown_background();
            code
        }
        Plan::Logs(mut plan) => {
            let setup = setup()?;
            // One: each hop between threads costs more than a line does.
            let runtime = runtime(1)?;
            let code = runtime.block_on(async {
                let wanted = if plan.events { For::Events } else { For::Logs };
                plan.targets = setup.look_up(plan.targets, wanted).await?;
                Ok(follow::run(*plan, signals::headless()?, Box::new(complain)).await)
            });
            // A thread that waits for standard input can't be ended; the process can.
            runtime.shutdown_background();
            code
        }
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
        Plan::View(targets, plan) => {
            for target in &targets {
                // A file that is no recording is told of before the screen is taken.
                if let FeedSpec::Cast(path, _) = &target.feed {
                    attach::player::check(path)?;
                }
            }
            let setup = setup()?;
            let runtime = runtime(2)?;
            let ending = runtime.block_on(async {
                let targets = setup.look_up(targets, For::Logs).await?;
                tui::run(targets, plan, themes(), Some(setup)).await
            });
            runtime.shutdown_background();
            Ok(die(&ending?))
        }
        Plan::Tree(plan, no_terminal) => {
            let setup = setup()?;
            if setup.contexts.is_empty() {
                return Err(nothing_named());
            }
            if let Some(fault) = no_terminal {
                return Err(fault);
            }
            let runtime = runtime(2)?;
            let ending = runtime.block_on(tui::run(Vec::new(), plan, themes(), Some(setup)));
            runtime.shutdown_background();
            Ok(die(&ending?))
        }
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
                    "the terminal",
                    error.to_string(),
                    "run it inside the terminal to repair",
                )
            })?;
            Ok(0)
        }
    }
}

/// A shell without the interface.
fn raw_shell(mut plan: ShellPlan, setup: &Setup) -> Result<u8, Fault> {
    let runtime = runtime(1)?;
    let code = runtime.block_on(async {
        plan.target = setup.one_shell(plan.target, plan.dialect).await?;
        let spec = plan.target.shell().cloned();
        let mut dialects = Dialects::load();
        let world = attach::World {
            signals: signals::headless()?,
            remembered: spec.as_ref().and_then(|spec| dialects.of(spec)),
            remember: Box::new(move |server| {
                if let Some(spec) = &spec {
                    dialects.found(spec, server);
                }
            }),
            say: Box::new(complain),
        };
        attach::run(plan, world).await
    });
    runtime.shutdown_background();
    code
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

/// Threads for the sources; what is printed or drawn is made on the main one.
fn runtime(sources: usize) -> Result<Runtime, Fault> {
    Builder::new_multi_thread()
        .worker_threads(sources)
        .enable_all()
        .build()
        .map_err(|error| {
            Fault::new(
                FaultKind::Internal,
                "deckwatch",
                format!("its threads can't be started ({error})"),
                "check the process limits",
            )
        })
}

/// `demo --serve`: the embedded platform alone, until a signal.
async fn serve(args: &DemoArgs) -> Result<u8, Fault> {
    let mut signals = signals::headless()?;
    let platform = start_demo(args).await?;
    let mut text =
        String::from("The demo platform runs on loopback until Ctrl-C. Targets to try:\n\n");
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
        let _ = write!(text, "  {}\n      {}\n", target.url, target.what);
    }
    let mut out = std::io::stdout().lock();
    let written = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    drop(out);
    match written {
        Ok(()) => {}
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => return Ok(0),
        Err(error) => {
            let why = format!("it can't be written ({error})");
            let next = "free some space, or write elsewhere";
            return Err(Fault::new(FaultKind::Output, "standard output", why, next));
        }
    }
    Ok(signals.recv().await.unwrap_or(0))
}

/// The interface on the embedded platform: six components and a deploy.
async fn demo(args: &DemoArgs, plan: ViewPlan) -> Result<tui::Ending, Fault> {
    let platform = start_demo(args).await?;
    let mut targets = Vec::new();
    for known in platform.targets() {
        let shop = known.url.contains("/docker_log#")
            || known.what.starts_with("a deploy that runs now, in");
        if shop && targets.len() < PANES {
            let mut target = Target::parse(&known.url)?;
            let name = known.what.split([':', ',']).next().unwrap_or("");
            name.clone_into(&mut target.name);
            let alias = name.rsplit(' ').next().unwrap_or(name);
            if let Some(url) = platform.shell_url(alias, None) {
                target.shell_beside = Some(Box::new(Target::parse(&url)?));
            }
            targets.push(target);
        }
    }
    let setup = demo_setup(&platform).await?;
    tui::run(targets, plan, themes(), Some(setup)).await
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
        .login(&user, &Secret::new(password))
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
        let why = format!("it can't listen on loopback ({error})");
        Fault::new(
            FaultKind::Unreachable,
            "the demo platform",
            why,
            "choose another --port",
        )
    })
}

/// One line on standard error; a closed one changes nothing.
fn complain(text: &str) {
    let line = format!("deckwatch: {}\n", SafeText::of(text));
    drop(std::io::stderr().lock().write_all(line.as_bytes()));
}
