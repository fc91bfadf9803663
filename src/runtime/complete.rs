//! Completion in the user's shell, and the manual. The names of targets come from the platform
//! itself: the shell's script calls us with what was typed so far.

use std::ffi::{OsStr, OsString};
use std::io::Write;
use std::path::Path;
use std::time::Duration;

use clap::CommandFactory;
use clap_complete::aot::Shell;
use clap_complete::engine::{ArgValueCompleter, CompletionCandidate};
use clap_complete::env::{CompleteEnv, Shells};
use tokio::time::timeout;

use crate::cli::Args;
use crate::cli::env::Env;
use crate::cli::platform_args::PlatformArgs;
use crate::codec::name;
use crate::model::context::Context;
use crate::model::{Fault, FaultKind, words};
use crate::platform::Platform;
use crate::say;
use crate::text::redact::redact_url;

use super::platform::print;
use super::setup::Setup;

/// The variable by which a shell's script calls us.
const VARIABLE: &str = "COMPLETE";
/// A shell waits no longer for names.
const PATIENCE: Duration = Duration::from_secs(3);

/// Answers a shell's script, if that is who called. True if it was.
pub(super) fn answered(args: &[OsString]) -> bool {
    let here = std::env::current_dir().ok();
    CompleteEnv::with_factory(command)
        .var(VARIABLE)
        .try_complete(args.iter().cloned(), here.as_deref())
        .unwrap_or(false)
}

/// The command line with what completes the names of targets.
fn command() -> clap::Command {
    let named = |command: clap::Command| {
        command.mut_args(|arg| {
            let targets = ["targets", "target", "names"];
            if targets.contains(&arg.get_id().as_str()) && arg.is_positional() {
                return arg.add(ArgValueCompleter::new(candidates));
            }
            arg
        })
    };
    let mut command = named(Args::command());
    let names: Vec<String> = command
        .get_subcommands()
        .map(|sub| sub.get_name().to_owned())
        .collect();
    for name in names {
        command = command.mut_subcommand(name, named);
    }
    command
}

/// What a target that begins like this may be.
fn candidates(current: &OsStr) -> Vec<CompletionCandidate> {
    let typed = current.to_string_lossy().into_owned();
    let Ok(setup) = Setup::load(&PlatformArgs::default(), &Env::read()) else {
        return Vec::new();
    };
    let Ok(runtime) = super::runtime(1) else {
        return Vec::new();
    };
    let found = runtime.block_on(async { timeout(PATIENCE, names(&setup, &typed)).await });
    runtime.shutdown_background();
    found
        .unwrap_or_default()
        .into_iter()
        .filter(|(name, _)| name.starts_with(&typed))
        .map(|(name, help)| CompletionCandidate::new(name).help(help.map(Into::into)))
        .collect()
}

/// Targets that a context lists by hand, with where they lead.
fn by_hand(context: &Context, prefix: &str) -> impl Iterator<Item = (String, Option<String>)> {
    let targets = context.targets.iter();
    targets.map(move |(path, url)| (format!("{prefix}{path}"), Some(redact_url(url).to_string())))
}

/// Contexts, and the components of the one that is meant, with their aliases.
async fn names(setup: &Setup, typed: &str) -> Vec<(String, Option<String>)> {
    let head = typed.split('/').next().unwrap_or("");
    let named = head.split_once(':').map(|(context, _)| context);
    let mut found = Vec::new();
    if named.is_none() {
        let all = setup.contexts.all.iter();
        found.extend(all.map(|context| (format!("{}:", context.name), None)));
    }
    let Ok(context) = setup.contexts.get(named) else {
        return found;
    };
    let prefix = named.map_or_else(String::new, |context| format!("{context}:"));
    found.extend(by_hand(context, &prefix));
    let mut platform = Platform::new(context);
    for team in platform.teams().await.unwrap_or_default() {
        for region in &team.regions {
            let place = if team.regions.len() > 1 {
                format!("{}@{}", name::bare(&team.name), name::bare(&region.name))
            } else {
                name::bare(&team.name)
            };
            let apps = platform.overview(&team.name, &region.name).await;
            for app in apps.unwrap_or_default() {
                for component in &app.components {
                    let app = name::bare(&app.name);
                    let own = name::bare(&component.name);
                    let text = format!("{prefix}{place}/{app}/{own}");
                    found.push((text, Some(component.alias.clone())));
                }
            }
        }
    }
    found
}

/// The script for a shell.
pub(super) fn script(shell: Shell) -> Result<u8, Fault> {
    let mut text = Vec::new();
    let name = shell.to_string();
    let written = if let Some(completer) = Shells::builtins().completer(&name) {
        let own = "deckwatch";
        completer.write_registration(VARIABLE, own, own, own, &mut text)
    } else {
        clap_complete::aot::generate(shell, &mut Args::command(), "deckwatch", &mut text);
        Ok(())
    };
    written.map_err(|error| unwritable("completions", &error))?;
    print(&String::from_utf8_lossy(&text))
}

fn unwritable(what: &str, error: &std::io::Error) -> Fault {
    let error = words::io_error(error);
    let why = say!("it can't be written ({error})", "无法写入（{error}）");
    Fault::new(FaultKind::Output, what, why, "")
}

/// The manual's main page, or all pages into a directory.
pub(super) fn manual(dir: Option<&Path>) -> Result<u8, Fault> {
    let command = Args::command();
    let Some(dir) = dir else {
        let mut page = Vec::new();
        clap_mangen::Man::new(command)
            .render(&mut page)
            .map_err(|error| unwritable("man", &error))?;
        return print(&String::from_utf8_lossy(&page));
    };
    let failed = |error: std::io::Error| unwritable(&dir.display().to_string(), &error);
    std::fs::create_dir_all(dir).map_err(failed)?;
    clap_mangen::generate_to(command, dir).map_err(failed)?;
    let mut out = std::io::stdout().lock();
    let shown = dir.display();
    let told = say!("the pages are in {shown}\n", "手册页已写入 {shown}\n");
    // Where nobody reads, the pages are there all the same.
    drop(out.write_all(told.as_bytes()));
    Ok(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::context::Api;

    #[test]
    fn what_completes_shows_no_secret_of_a_url() {
        let server = "https://console.example".parse().unwrap();
        let mut context = Context::new("prod", server, Api::Bare);
        let url = "wss://user:pass-word@h.example/x?token=very-secret".to_owned();
        context.targets = [("shop/a/b".to_owned(), url)].into_iter().collect();
        let found: Vec<_> = by_hand(&context, "prod:").collect();
        let shown = format!("{found:?}");
        assert!(
            shown.contains("prod:shop/a/b") && shown.contains("h.example"),
            "{shown}"
        );
        assert!(
            !shown.contains("very-secret") && !shown.contains("pass-word"),
            "{shown}"
        );
    }
}
