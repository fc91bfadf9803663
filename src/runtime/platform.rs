//! The commands about platforms: contexts, login, what runs there.

pub(super) mod config;
pub(super) mod context;
mod doctor;
pub(super) mod get;
pub(super) mod login;
mod table;
pub(super) mod top;

use std::io::{self, Write};

use crate::cli::plan::Ask;
use crate::cli::platform_args::{ConfigCommand, ContextCommand};
use crate::model::{Fault, FaultKind, words};
use crate::say;

use super::reload;
use super::setup::Setup;

/// Carries out a command about platforms.
pub(super) async fn run(ask: Ask, setup: &Setup) -> Result<u8, Fault> {
    let Setup {
        paths,
        config,
        contexts,
        args,
        ..
    } = setup;
    let text = match ask {
        Ask::Doctor(args) => return doctor::run(&args, setup).await,
        Ask::Get(get) => get::run(&get, contexts).await?,
        Ask::Top(top) => return top::run(&top, contexts).await,
        Ask::Login(login) => login::run(&login, contexts, config).await?,
        Ask::Logout(name) => login::logout(name.as_deref(), contexts).await?,
        Ask::Context(command) => match command {
            ContextCommand::Add(add) => context::add(&add, args, config, paths)?,
            ContextCommand::Use { name } => context::make_current(&name, contexts, paths)?,
            ContextCommand::Ls { output } => context::list(contexts, output),
            ContextCommand::Rm { name } => context::remove(&name, config, paths)?,
            ContextCommand::Show { name } => context::show(name.as_deref(), contexts, config)?,
        },
        Ask::Config(command) => match command {
            ConfigCommand::Path => config::path(paths),
            ConfigCommand::Show => config::show(config, contexts)?,
            ConfigCommand::Check => {
                let keys = paths.keys();
                reload::keymap(&keys)?;
                config::check(config, keys.exists().then_some(keys.as_path()))
            }
            ConfigCommand::Init => config::init(paths)?,
            ConfigCommand::Keys => crate::app::help::text(&reload::keymap(&paths.keys())?),
        },
    };
    print(&text)
}

/// Writes to standard output; a reader that has left is no fault.
pub(super) fn print(text: &str) -> Result<u8, Fault> {
    write(text).map(|_| 0)
}

/// The same; false if the reader has left.
fn write(text: &str) -> Result<bool, Fault> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(false),
        Err(error) => {
            let error = words::io_error(&error);
            let what = say!("standard output", "标准输出");
            let why = say!("it can't be written ({error})", "无法写入（{error}）");
            let next = say!(
                "free some space, or write elsewhere",
                "请清理空间，或写到别处"
            );
            Err(Fault::new(FaultKind::Output, what, why, next))
        }
    }
}
