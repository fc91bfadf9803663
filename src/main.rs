//! `deckwatch`: parse, plan, run, exit. The only place that ends the process.

use std::process::ExitCode;

#[global_allocator]
static MEMORY: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    ExitCode::from(deckwatch::runtime::main(std::env::args_os()))
}
