//! The client's shells against the demo's, which lose, split and end as the real servers do.

mod command;
mod cut;
mod desk;
mod doors;
mod exact;
mod ill;
mod playback;
mod random;
