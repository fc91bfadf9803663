//! Headless mode as a script sees it: what comes out, on which stream, and the exit code.

mod ends;
mod files;
mod held;
mod lag;
mod lines;
mod numbers;
mod output;
mod signals;
mod streams;
