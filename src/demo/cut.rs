//! Ending all connections at once, from outside of them.

use std::sync::Arc;

use tokio::sync::watch;

/// How connections are ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Cut {
    /// TCP is closed without a close frame.
    End,
    /// TCP is reset.
    Reset,
}

/// Ends all connections.
#[derive(Clone, Debug)]
pub(super) struct Cutter(Arc<watch::Sender<Cut>>);

impl Cutter {
    pub(super) fn new() -> Self {
        Self(Arc::new(watch::Sender::new(Cut::End)))
    }

    pub(super) fn cut(&self, how: Cut) {
        self.0.send_replace(how);
    }

    /// For a new connection, which earlier cuts don't concern.
    pub(super) fn watch(&self) -> watch::Receiver<Cut> {
        self.0.subscribe()
    }
}
