//! An embedded platform on which nothing happens but what a test says.

use std::time::Duration;

use deckwatch::demo::{Options, Platform, ShellServer, Switches};
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
            shell: vec!["bash".into(), "--norc".into(), "--noprofile".into()],
            pods: (0..4).map(|pod| format!("pod-{pod}")).collect(),
            ..Options::default()
        };
        let platform = runtime.block_on(Platform::start(options)).unwrap();
        Self { runtime, platform }
    }

    /// The target of a component's log, fit for a shell.
    pub(crate) fn target(&self, service: &str) -> String {
        format!("'{}#{service}'", self.platform.ws_url("/docker_log"))
    }

    /// The target of a shell, fit for a shell. Pods are called `pod-0`, `pod-1` and so on.
    pub(crate) fn shell(&self, pod: u8) -> String {
        let console = self.platform.server_url(ShellServer::Platform);
        format!("'{console}#ten/svc/pod-{pod}'")
    }

    pub(crate) fn switch(&self, change: impl FnOnce(&mut Switches)) {
        self.platform.set_switch(change);
    }

    /// Columns and rows of the last shell.
    pub(crate) fn size(&self) -> (u16, u16) {
        let shells = self.platform.shells();
        shells.last().map_or((0, 0), |shell| shell.size)
    }

    /// What has been typed into the shells, in the order of their start.
    pub(crate) fn typed(&self) -> Vec<String> {
        let text = |input: &[u8]| String::from_utf8_lossy(input).into_owned();
        let shells = self.platform.shells();
        shells.iter().map(|shell| text(&shell.input_head)).collect()
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
