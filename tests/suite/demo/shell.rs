//! The demo's shells are held to the recordings of the real servers, and their switches do what
//! they say. The shells are real processes, so time is too; no test depends on how fast they are.

mod ends;
mod losses;
mod replay;
mod seat;
mod spoilt;
