//! The meter as everybody reaches it.

use std::fmt;
use std::sync::Arc;

use tokio::sync::watch;

use super::Meter;
use crate::demo::cluster::Cluster;
use crate::demo::times::Times;
use crate::demo::voice::Mood;
use crate::model::Micros;

/// The way to the meter; cheap to clone.
#[derive(Clone)]
pub(crate) struct Metrics {
    meter: Arc<watch::Sender<Meter>>,
    cluster: Cluster,
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Metrics(..)")
    }
}

impl Metrics {
    /// A meter of a cluster, whose shop opens then, or stays closed.
    pub(crate) fn new(seed: u64, opened: Micros, cluster: Cluster, open: bool) -> Self {
        let meter = Meter::new(seed, opened, &cluster.now(), open);
        Self {
            meter: Arc::new(watch::Sender::new(meter)),
            cluster,
        }
    }

    /// A container said some lines at once.
    pub(crate) fn said(&self, at: Micros, container: &str, lines: usize) {
        self.meter
            .send_modify(|meter| meter.said(at, container, lines));
    }

    /// From now on things stand so.
    pub(crate) fn feel(&self, at: Micros, mood: Mood) {
        self.meter.send_modify(|meter| meter.feel(at, mood));
    }

    /// The cluster has changed, or time has gone by.
    pub(crate) fn look(&self, at: Micros) {
        let view = self.cluster.now();
        self.meter.send_modify(|meter| meter.see(at, &view));
    }

    /// What is measured now.
    pub(crate) fn read<T>(&self, now: Micros, read: impl FnOnce(&Meter) -> T) -> T {
        self.look(now);
        read(&self.meter.borrow())
    }

    /// Looks whenever the cluster changes.
    pub(crate) async fn follow(self, times: Times) {
        let mut changes = self.cluster.watch();
        while changes.changed().await.is_ok() {
            self.look(times.now());
        }
    }
}
