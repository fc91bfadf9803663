//! All tests that use the program from outside, in one binary.

mod demo;
mod raw_client;
