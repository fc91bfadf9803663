//! `deckwatch`: live logs of a container platform, in the terminal and in scripts.
pub mod app;
pub mod cli;
pub mod clock;
pub mod codec;
pub mod demo;
pub mod follow;
pub mod model;
pub mod runtime;
pub mod session;
pub mod source;
pub mod store;
pub mod text;
pub mod transport;
pub mod view;
