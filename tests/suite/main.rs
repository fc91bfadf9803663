//! The one test binary: a module for each part of the program.

mod align;
mod certificates;
mod codecs;
mod demo;
mod doctor;
mod emulator;
mod faulty;
mod follow;
mod hostile;
mod languages;
mod limits;
mod logins;
mod measured;
mod platform;
mod playback;
mod program;
mod proxies;
mod raw_client;
mod readme;
#[path = "../recordings/load.rs"]
mod recordings;
mod resilience;
mod screens;
mod secrets;
mod series;
mod shell;
mod store;
mod text;
mod tls;
mod viewport;
mod volume;
mod zmq;
