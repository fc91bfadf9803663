//! The behaviour of the library, one module a room. One binary, so that it links once.

mod limits;
mod store;
mod text;
