//! The pods that have shells: two of each component of the shop, and those that
//! [`Options::pods`](super::super::Options::pods) names. The first words of some names say what
//! becomes of them, as in the recordings.

use std::time::Duration;

use crate::demo::world::{self, SHOP};

/// Pods of a component.
const EACH: usize = 2;

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
    pub(super) named: Vec<String>,
}

impl Pods {
    /// The names of a component's pods, by its alias.
    pub(super) fn of(seed: u64, alias: &str) -> Vec<String> {
        (0..EACH)
            .map(|index| {
                let set = world::hex(seed, &format!("{alias} set"), 10);
                let own = world::hex(seed, &format!("{alias} pod {index}"), 5);
                format!("{alias}-{set}-{own}")
            })
            .collect()
    }

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
        if namespace != world::tenant_id(self.seed) {
            return None;
        }
        SHOP.iter().enumerate().find_map(|(number, one)| {
            let index = Self::of(self.seed, one.alias)
                .iter()
                .position(|name| name == pod)?;
            let known = ["", one.alias, &world::service_id(self.seed, one.alias)];
            known.contains(&container).then(|| Pod {
                ip: format!("10.42.{}.{}", index + 1, 10 + number),
                prompt: one.alias.to_owned(),
                state,
            })
        })
    }
}
