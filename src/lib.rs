//! `deckwatch`: live logs of a container platform, in the terminal and in scripts.
pub mod clock;
pub mod demo;
pub mod model;
pub mod text;
