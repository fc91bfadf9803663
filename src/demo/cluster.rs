//! The pods that run now, and how they come and go: a container that dies comes back in its pod
//! under a new id, a rolling restart replaces the pods one by one. The shop's lines, the shells,
//! the console and the region all look here.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::sleep;

use super::options::Switches;
use super::teams::{self, Part, Place};
use super::times::Times;
use super::world::{self, Source};
use crate::model::Micros;

/// Where a pod stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Phase {
    /// Its containers are being created.
    Starting,
    Running,
    /// It has been told to end.
    Leaving,
}

impl Phase {
    /// The region's word.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Starting => "STARTING",
            Self::Running => "RUNNING",
            Self::Leaving => "TERMINATING",
        }
    }
}

/// A container of a pod.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Container {
    pub(super) name: String,
    /// The twelve characters that its lines begin with.
    pub(super) id: String,
    /// The one that ended before it.
    pub(super) previous: Option<String>,
    pub(super) restarts: u32,
    /// Whether it writes.
    pub(super) alive: bool,
    pub(super) started: Micros,
}

impl Container {
    /// The memory that it may use and usually does, in bytes.
    pub(super) fn memory(&self, seed: u64, part: &Part) -> (u64, u64) {
        let whole = u64::from(part.memory) << 20;
        let limit = if self.name == part.alias {
            whole
        } else {
            whole / 8
        };
        let digits = world::hex(seed, &self.id, 4);
        // Between 30 and 80 parts of a hundred.
        let share = 300 + u64::from_str_radix(&digits, 16).unwrap_or(0) % 500;
        (limit, limit / 1000 * share)
    }
}

/// A pod.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Pod {
    pub(super) alias: &'static str,
    pub(super) name: String,
    pub(super) generation: u32,
    pub(super) index: u64,
    pub(super) phase: Phase,
    pub(super) created: Micros,
    pub(super) ip: String,
    pub(super) node: String,
    /// The component's own first.
    pub(super) containers: Vec<Container>,
}

impl Pod {
    fn new(seed: u64, place: &Place, index: u64, generation: u32, at: Micros) -> Self {
        let alias = place.part.alias;
        let (set, own) = if generation == 0 {
            (format!("{alias} set"), format!("{alias} pod {index}"))
        } else {
            (
                format!("{alias} set {generation}"),
                format!("{alias} pod {index} {generation}"),
            )
        };
        let (set, own) = (world::hex(seed, &set, 10), world::hex(seed, &own, 5));
        let number = teams::places()
            .position(|one| one.part.alias == alias)
            .unwrap_or(0);
        let host = (10 + number + 16 * usize::try_from(generation % 14).unwrap_or(0)).min(250);
        let names = [Some(alias), place.part.sidecar];
        let containers = names.into_iter().flatten().map(|name| Container {
            name: name.to_owned(),
            id: container_id(seed, (alias, name), index, (generation, 0)),
            previous: None,
            restarts: 0,
            alive: true,
            started: at,
        });
        Self {
            alias,
            name: format!("{}-{alias}-{set}-{own}", place.app.k8s),
            generation,
            index,
            phase: Phase::Running,
            created: at,
            ip: format!("10.42.{}.{host}", index + 1),
            node: format!("node-{}", index % 2 + 1),
            containers: containers.collect(),
        }
    }

    /// Whether its containers can be talked to.
    pub(super) fn is_ready(&self) -> bool {
        self.phase != Phase::Starting && self.containers.iter().all(|one| one.alive)
    }

    /// The region's word for how it is.
    pub(super) fn status(&self) -> &'static str {
        if self.phase == Phase::Running && !self.is_ready() {
            return "ABNORMAL";
        }
        self.phase.word()
    }
}

fn container_id(
    seed: u64,
    (alias, name): (&str, &str),
    index: u64,
    (generation, restarts): (u32, u32),
) -> String {
    let text = format!("{alias} {name} {index} {generation} {restarts}");
    world::hex(seed, &text, 12)
}

/// All pods, in the order of their components, the oldest first.
#[derive(Clone, Debug, Default)]
pub(super) struct View {
    pub(super) pods: Vec<Pod>,
}

impl View {
    /// A component's pods.
    pub(super) fn of(&self, alias: &str) -> impl Iterator<Item = &Pod> {
        self.pods.iter().filter(move |pod| pod.alias == alias)
    }

    /// A component's pods as the platform sorts them: of its newest version, and older ones.
    pub(super) fn split(&self, alias: &str) -> (Vec<&Pod>, Vec<&Pod>) {
        let newest = self.of(alias).map(|pod| pod.generation).max();
        self.of(alias)
            .partition(|pod| Some(pod.generation) == newest)
    }

    /// A pod by its name.
    pub(super) fn pod(&self, name: &str) -> Option<&Pod> {
        self.pods.iter().find(|pod| pod.name == name)
    }

    /// Whether a container of this id still writes, or may.
    pub(super) fn writes(&self, id: &str) -> bool {
        let all = self.pods.iter().flat_map(|pod| &pod.containers);
        all.filter(|one| one.id == id).any(|one| one.alive)
    }

    fn running(&self, alias: &str) -> Vec<&Pod> {
        let ready = |pod: &&Pod| pod.phase == Phase::Running && pod.is_ready();
        let newest: Vec<_> = self.of(alias).filter(ready).collect();
        if newest.is_empty() {
            // Its last word.
            return self.of(alias).collect();
        }
        newest
    }
}

/// The way to the pods; cheap to clone.
#[derive(Clone, Debug)]
pub(super) struct Cluster {
    seed: u64,
    view: Arc<watch::Sender<View>>,
}

impl Cluster {
    /// Everything deployed, since `at`.
    pub(super) fn new(seed: u64, at: Micros) -> Self {
        let mut view = View::default();
        for place in teams::places() {
            for index in 0..place.part.replicas {
                view.pods.push(Pod::new(seed, &place, index, 0, at));
            }
        }
        Self {
            seed,
            view: Arc::new(watch::Sender::new(view)),
        }
    }

    /// As it is now.
    pub(super) fn now(&self) -> View {
        self.view.borrow().clone()
    }

    /// Looks at it.
    pub(super) fn look<T>(&self, look: impl FnOnce(&View) -> T) -> T {
        look(&self.view.borrow())
    }

    /// To be woken by changes.
    pub(super) fn watch(&self) -> watch::Receiver<View> {
        self.view.subscribe()
    }

    /// The container that says the lines of a source now.
    pub(super) fn container(&self, source: &Source) -> String {
        self.look(|view| {
            let running = view.running(source.alias);
            let count = running.len().max(1);
            let index = usize::try_from(source.instance).unwrap_or(0) % count;
            let pod = running.get(index)?;
            let containers = &pod.containers;
            let found = containers.get(usize::from(source.sidecar));
            found.or(containers.first()).map(|one| one.id.clone())
        })
        .unwrap_or_default()
    }

    /// A component's first pod loses its container.
    pub(super) fn die(&self, alias: &str) {
        self.view.send_modify(|view| {
            let pod = view.pods.iter_mut().find(|pod| pod.alias == alias);
            if let Some(one) = pod.and_then(|pod| pod.containers.first_mut()) {
                one.alive = false;
            }
        });
    }

    /// The containers of a component that died come back under new ids.
    pub(super) fn revive(&self, alias: &str, at: Micros) {
        let seed = self.seed;
        self.view.send_modify(|view| {
            for pod in view.pods.iter_mut().filter(|pod| pod.alias == alias) {
                let (index, generation) = (pod.index, pod.generation);
                for one in pod.containers.iter_mut().filter(|one| !one.alive) {
                    one.restarts = one.restarts.wrapping_add(1);
                    let names = (alias, one.name.as_str());
                    let id = container_id(seed, names, index, (generation, one.restarts));
                    one.previous = Some(std::mem::replace(&mut one.id, id));
                    (one.alive, one.started) = (true, at);
                }
            }
        });
    }

    /// What a rolling restart has to replace: the component, and the generation that comes.
    fn plan(&self, name: &str) -> Option<(Place, u32)> {
        let place = teams::place(self.seed, name)?;
        let alias = place.part.alias;
        let newest = self.look(|view| view.of(alias).map(|pod| pod.generation).max())?;
        Some((place, newest.wrapping_add(1)))
    }

    fn arrive(&self, place: &Place, index: u64, generation: u32, at: Micros) {
        let mut pod = Pod::new(self.seed, place, index, generation, at);
        pod.phase = Phase::Starting;
        self.view.send_modify(|view| {
            let last = view.pods.iter().rposition(|one| one.alias == pod.alias);
            view.pods.insert(last.map_or(0, |at| at + 1), pod);
        });
    }

    fn become_ready(&self, place: &Place, index: u64, generation: u32, at: Micros) {
        self.view.send_modify(|view| {
            for pod in &mut view.pods {
                if pod.alias != place.part.alias || pod.index != index {
                    continue;
                }
                if pod.generation == generation {
                    pod.phase = Phase::Running;
                    for one in &mut pod.containers {
                        one.started = at;
                    }
                } else {
                    pod.phase = Phase::Leaving;
                }
            }
        });
    }

    fn remove_old(&self, place: &Place, index: u64, generation: u32) {
        self.view.send_modify(|view| {
            view.pods.retain(|pod| {
                pod.alias != place.part.alias || pod.index != index || pod.generation == generation
            });
        });
    }

    /// A rolling restart that takes no time, for the shop's past.
    pub(super) fn roll_at_once(&self, name: &str, at: Micros) {
        let Some((place, generation)) = self.plan(name) else {
            return;
        };
        for index in 0..place.part.replicas {
            self.arrive(&place, index, generation, at);
            self.become_ready(&place, index, generation, at);
            self.remove_old(&place, index, generation);
        }
    }

    /// Pod after pod: a new one starts, it runs, the old one of its place leaves and is gone.
    async fn roll(&self, name: &str, switches: &watch::Receiver<Switches>, times: &Times) {
        let Some((place, generation)) = self.plan(name) else {
            return;
        };
        for index in 0..place.part.replicas {
            self.arrive(&place, index, generation, times.now());
            let takes = switches.borrow().rest.start_takes;
            pause(takes).await;
            self.become_ready(&place, index, generation, times.now());
            let takes = switches.borrow().rest.leave_takes;
            pause(takes).await;
            self.remove_old(&place, index, generation);
        }
    }
}

async fn pause(time: Duration) {
    if !time.is_zero() {
        sleep(time).await;
    }
}

/// A rolling restart that is asked for.
#[derive(Debug)]
pub(super) struct Roll {
    pub(super) name: String,
    pub(super) done: Option<oneshot::Sender<()>>,
}

/// Where rolling restarts are asked for, and the task that makes them, one component after the
/// other.
pub(super) fn control(
    cluster: Cluster,
    switches: watch::Receiver<Switches>,
    times: Times,
) -> (
    mpsc::Sender<Roll>,
    impl Future<Output = ()> + Send + 'static,
) {
    // They are rare and wait for their turn.
    let (rolls, mut inbox) = mpsc::channel(16);
    let task = async move {
        while let Some(Roll { name, done }) = inbox.recv().await {
            cluster.roll(&name, &switches, &times).await;
            if let Some(done) = done {
                // Whoever asked and left needs no answer.
                let _ = done.send(());
            }
        }
    };
    (rolls, task)
}

/// Asks for a rolling restart of one component after the other.
pub(super) async fn roll_on(rolls: mpsc::Sender<Roll>, period: Duration) {
    loop {
        for place in teams::places().filter(|place| place.part.replicas > 0) {
            sleep(period).await;
            let name = place.part.alias.to_owned();
            // Who waits for its turn already will do.
            let _ = rolls.try_send(Roll { name, done: None });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Cluster, Phase};
    use crate::demo::world::Source;
    use crate::model::Micros;

    #[test]
    fn a_dead_container_leaves_its_words_to_the_other_pod_and_comes_back_anew() {
        let cluster = Cluster::new(1, Micros(0));
        let source = Source {
            alias: "recommender",
            instance: 0,
            sidecar: false,
        };
        let first = cluster.container(&source);
        cluster.die("recommender");
        assert!(!cluster.look(|view| view.writes(&first)));
        assert_ne!(cluster.container(&source), first);
        cluster.revive("recommender", Micros(7));
        let second = cluster.container(&source);
        assert_ne!(second, first);
        let view = cluster.now();
        let pod = view.of("recommender").next().unwrap();
        let one = &pod.containers[0];
        assert_eq!(
            (&one.id, one.previous.as_ref(), one.restarts),
            (&second, Some(&first), 1)
        );
    }

    #[test]
    fn new_pods_come_before_the_old_ones_go() {
        let cluster = Cluster::new(1, Micros(0));
        let old: Vec<_> = cluster.now().of("payment").cloned().collect();
        let (place, generation) = cluster.plan("payment").unwrap();
        cluster.arrive(&place, 0, generation, Micros(1));
        let view = cluster.now();
        let (new, left) = view.split("payment");
        assert_eq!(new.len(), 1);
        assert_eq!(new[0].phase, Phase::Starting);
        assert_eq!(left.into_iter().cloned().collect::<Vec<_>>(), old);
        cluster.become_ready(&place, 0, generation, Micros(2));
        cluster.remove_old(&place, 0, generation);
        let view = cluster.now();
        let (new, left) = view.split("payment");
        assert_eq!((new.len(), left.len()), (1, 1));
        assert_eq!(new[0].phase, Phase::Running);
        assert_ne!(new[0].name, old[0].name);
        assert_eq!(left[0], &old[1]);
    }
}
