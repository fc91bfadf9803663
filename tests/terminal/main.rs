//! The program itself in a real terminal: tmux for what is seen, a bare pseudo-terminal for what
//! is left behind. Run by `cargo test --test terminal`.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "test helpers"
)]

mod emulator;
#[path = "../recordings/load.rs"]
mod recordings;
mod restored;
mod scenes;
mod shells;
mod shop;
mod terminfo;
mod tmux;
