//! The one test binary: a module for each part of the program.

mod demo;
mod limits;
mod raw_client;
mod screens;
mod store;
mod text;
mod viewport;
