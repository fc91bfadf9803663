//! An embedded platform on which nothing happens but what a test says.

use std::time::Duration;

use deckwatch::demo::{Options, Platform};
use tokio::runtime::Runtime;

pub(crate) struct Shop {
    runtime: Runtime,
    platform: Platform,
}

impl Shop {
    pub(crate) fn open() -> Self {
        let runtime = Runtime::new().unwrap();
        let options = Options {
            world: false,
            prefix: Some(String::new()),
            zmq: false,
            ..Options::default()
        };
        let platform = runtime.block_on(Platform::start(options)).unwrap();
        Self { runtime, platform }
    }

    /// The target of a component's log, fit for a shell.
    pub(crate) fn target(&self, service: &str) -> String {
        format!("'{}#{service}'", self.platform.ws_url("/docker_log"))
    }

    pub(crate) fn say(&self, service: &str, line: &str) {
        let said = self
            .platform
            .inject_log(service, "5f2a9c01d7e4", line.as_bytes());
        self.runtime.block_on(said);
    }

    /// `count` lines with their number.
    pub(crate) fn count(&self, service: &str, count: usize) {
        for number in 1..=count {
            self.say(service, &format!("line {number:04}"));
        }
    }

    pub(crate) fn restart(&self, downtime: Duration) {
        self.runtime.block_on(self.platform.restart(downtime));
    }
}
