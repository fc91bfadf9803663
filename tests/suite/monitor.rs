//! What is measured, through the real program and over real sockets: `top`, tables, alerts.

#![expect(clippy::unwrap_used, reason = "test helper")]

mod alerts;
mod lists;
mod top;
mod wrong;

use deckwatch::demo::{Options, Platform, RestSwitches};

use crate::faulty::Home;

/// A platform with a quarter of an hour behind it, and a home that is logged in to it. The shop
/// runs if `world`.
async fn shop(world: bool, change: impl FnOnce(&mut RestSwitches)) -> (Platform, Home) {
    let mut options = Options {
        world,
        zmq: false,
        prefix: Some("/p".into()),
        ..Options::default()
    };
    change(&mut options.switches.rest);
    let platform = Platform::start(options).await.unwrap();
    let home = Home::at(&platform.http_url(""), &platform).await;
    (platform, home)
}
