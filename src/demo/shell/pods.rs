//! The pods that have shells: those of the cluster, and those that
//! [`Options::pods`](super::super::Options::pods) names. The first words of some names say what
//! becomes of them, as in the recordings.

use std::time::Duration;

use crate::demo::cluster::Cluster;
use crate::demo::{teams, world};

/// A pod as the platform finds it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Pod {
    pub(super) ip: String,
    /// What its prompt begins with.
    pub(super) prompt: String,
    pub(super) state: State,
}

/// What becomes of a shell in a pod.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum State {
    /// It runs once the pod is ready.
    Ready(Duration),
    /// The pod never becomes ready.
    Never,
    /// There is no shell in it.
    NoShell,
}

/// The whole cluster.
#[derive(Clone, Debug)]
pub(super) struct Pods {
    pub(super) seed: u64,
    pub(super) cluster: Cluster,
    pub(super) named: Vec<String>,
}

impl Pods {
    /// Finds a pod, and the container in it; the first one without a name.
    pub(super) fn find(&self, namespace: &str, pod: &str, container: &str) -> Option<Pod> {
        let state = match pod.split_once('-').map_or(pod, |(word, _)| word) {
            "missing" | "done" => return None,
            "pending" => State::Never,
            "noexec" => State::NoShell,
            "slow" => State::Ready(Duration::from_secs(3)),
            _ => State::Ready(Duration::ZERO),
        };
        if self.named.iter().any(|one| one == pod) {
            // The recordings' pod has these two.
            return ["", "sidecar"].contains(&container).then(|| Pod {
                ip: "10.42.0.17".to_owned(),
                prompt: "pod".to_owned(),
                state,
            });
        }
        let pod = self.cluster.look(|view| view.pod(pod).cloned())?;
        let place = teams::place(self.seed, pod.alias)?;
        let spaces = [
            place.team.tenant_id(self.seed),
            place.team.namespace.to_owned(),
        ];
        let id = world::service_id(self.seed, pod.alias);
        let known = ["", &id].contains(&container)
            || pod.containers.iter().any(|one| one.name == container);
        if !known || !spaces.iter().any(|one| one == namespace) {
            return None;
        }
        let state = if pod.is_ready() { state } else { State::Never };
        Some(Pod {
            ip: pod.ip,
            prompt: pod.alias.to_owned(),
            state,
        })
    }
}
