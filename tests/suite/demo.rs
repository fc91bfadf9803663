//! The demo platform is held to the recordings of the real one, and its switches do what they
//! say.

mod console;
mod metrics;
mod pods;
mod proxy;
mod recordings;
mod region;
mod rules;
mod shell;
mod sockets;
mod stage;
mod streams;
mod switches;
mod tls;
mod web;
