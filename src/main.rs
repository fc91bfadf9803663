//! `deckwatch`: parse, plan, run, exit. The only place that ends the process.

use std::process::ExitCode;

fn main() -> ExitCode {
    ExitCode::from(deckwatch::runtime::main(std::env::args_os()))
}
