//! `deckwatch`: live logs of a container platform, in the terminal and in scripts.
pub mod model;
pub mod store;
pub mod text;
