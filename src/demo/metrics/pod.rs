//! What one pod and its containers use.

use super::book::{Book, Id};
use super::{milliseconds, noise};
use crate::demo::cluster::{Container, Pod};
use crate::demo::teams;
use crate::demo::world;

/// Seconds of a core that one speech takes.
const WORK: f64 = 0.01;
/// What a container does alone, as a part of its limit.
const IDLE: f64 = 0.01;
/// Bytes that come in and go out with one speech, and in a second without any.
const RECEIVED: (f64, f64) = (900.0, 180.0);
const SENT: (f64, f64) = (2600.0, 240.0);
/// The memory of a container that has just begun, as a part of what it will have.
const YOUNG: f64 = 0.25;
/// Until it has it.
const WARM: i64 = 20_000;
/// The memory of the component that dies when it is back, as a part of its limit.
const LOW: f64 = 0.15;

/// A pod's counters.
#[derive(Debug)]
pub(super) struct PodMeter {
    seed: u64,
    pub(super) name: String,
    pub(super) alias: &'static str,
    pub(super) index: u64,
    vessels: Vec<Vessel>,
    received: f64,
    sent: f64,
    ids: (Id, Id),
}

/// A container's counters.
#[derive(Debug)]
struct Vessel {
    container: String,
    /// Bytes and cores that it may use.
    memory: f64,
    cores: f64,
    /// The memory that it has when nothing happens, as a part of its limit.
    share: f64,
    /// The memory grows from this part of the limit until the container dies.
    grows: Option<f64>,
    started: i64,
    /// It began while it was watched.
    young: bool,
    alive: bool,
    /// Seconds of a core so far, and those still to be done.
    used: f64,
    work: f64,
    ids: (Id, Id),
}

impl PodMeter {
    /// A pod that runs; `None` if no such component is known. The shop may be open, and the pod
    /// may have come after the rest.
    pub(super) fn new(
        seed: u64,
        pod: &Pod,
        (open, young): (bool, bool),
        book: &mut Book,
    ) -> Option<Self> {
        let place = teams::place(seed, pod.alias)?;
        let space = place.team.namespace;
        let vessels = pod.containers.iter().map(|one| {
            let labels = [
                ("container", one.name.as_str()),
                ("namespace", space),
                ("pod", &pod.name),
            ];
            let own = one.name == pod.alias;
            let (memory, usual) = one.memory(seed, place.part);
            let (memory, usual) = (memory as f64, usual as f64);
            let share = usual / memory;
            let grows = open && own && pod.index == 0 && pod.alias == world::dying();
            Vessel {
                container: one.id.clone(),
                memory,
                cores: f64::from(place.part.cpu) / if own { 1e3 } else { 1e4 },
                share,
                grows: grows.then_some(if young { LOW } else { share }),
                started: milliseconds(one.started),
                young,
                alive: one.alive,
                used: 0.0,
                work: 0.0,
                ids: (
                    book.open("container_cpu_usage_seconds_total", &labels),
                    book.open("container_memory_rss", &labels),
                ),
            }
        });
        let vessels = vessels.collect();
        let labels = [("namespace", space), ("pod", pod.name.as_str())];
        Some(Self {
            seed,
            name: pod.name.clone(),
            alias: pod.alias,
            index: pod.index,
            vessels,
            received: 0.0,
            sent: 0.0,
            ids: (
                book.open("container_network_receive_bytes_total", &labels),
                book.open("container_network_transmit_bytes_total", &labels),
            ),
        })
    }

    /// Which of its containers this is.
    pub(super) fn place(&self, container: &str) -> Option<usize> {
        self.vessels
            .iter()
            .position(|one| one.container == container)
    }

    /// The memory of one of its containers.
    pub(super) fn memory(&self, container: &str) -> Option<Id> {
        let found = self.vessels.iter().find(|one| one.container == container);
        found.map(|one| one.ids.1)
    }

    /// One of its containers speaks, which costs so many times the usual.
    pub(super) fn spoke(&mut self, place: usize, times: u64, dearer: f64) {
        let times = times as f64;
        if let Some(vessel) = self.vessels.get_mut(place) {
            // More than it can do in one period is given up.
            let most = vessel.cores * 5.0;
            let work = if place == 0 { WORK } else { WORK / 5.0 };
            vessel.work = (vessel.work + times * work * dearer).min(most);
        }
        self.received += times * RECEIVED.0;
        self.sent += times * SENT.0;
    }

    /// Milliseconds go by.
    pub(super) fn flow(&mut self, time: i64, slot: i64, dearer: f64) {
        let seconds = time as f64 / 1000.0;
        self.received += seconds * RECEIVED.1;
        self.sent += seconds * SENT.1;
        let wobble = noise(self.seed, &self.name, slot);
        for one in self.vessels.iter_mut().filter(|one| one.alive) {
            let most = one.cores * seconds;
            let idle = most * IDLE * (1.0 + wobble) * dearer;
            let done = (idle + one.work).min(most);
            one.work = (one.work - (done - idle).max(0.0)).max(0.0);
            one.used += done;
        }
    }

    /// Its containers, as they are now.
    pub(super) fn meet(&mut self, now: i64, pod: &Pod, book: &mut Book) {
        for (own, one) in self.vessels.iter_mut().zip(&pod.containers) {
            if own.container != one.id {
                own.begin(one);
                if let Some(place) = teams::place(self.seed, self.alias) {
                    let (memory, usual) = one.memory(self.seed, place.part);
                    own.share = usual as f64 / memory as f64;
                }
                own.sample((now, 0.5), book);
            } else if own.alive && !one.alive {
                if own.grows.is_some() {
                    book.push(own.ids.1, now, own.memory);
                    book.push(own.ids.0, now, own.used);
                }
                own.alive = false;
            }
        }
    }

    /// Writes all values down.
    pub(super) fn sample(&mut self, now: i64, begun: i64, book: &mut Book) {
        let slot = (now - begun).div_euclid(super::EVERY);
        for one in &self.vessels {
            let wobble = noise(self.seed, &one.container, slot);
            one.sample((now, wobble), book);
        }
        book.push(self.ids.0, now, self.received.floor());
        book.push(self.ids.1, now, self.sent.floor());
    }

    /// It is gone.
    pub(super) fn end(&self, now: i64, book: &mut Book) {
        let own = self.vessels.iter().flat_map(|one| [one.ids.0, one.ids.1]);
        for id in own.chain([self.ids.0, self.ids.1]) {
            book.end(id, now);
        }
    }
}

impl Vessel {
    /// Another container in the same place: its counters begin at zero.
    fn begin(&mut self, one: &Container) {
        self.container.clone_from(&one.id);
        self.grows = self.grows.map(|_| LOW);
        (self.started, self.young, self.alive) = (milliseconds(one.started), true, one.alive);
        (self.used, self.work) = (0.0, 0.0);
    }

    fn sample(&self, (now, wobble): (i64, f64), book: &mut Book) {
        if self.alive {
            book.push(self.ids.0, now, self.used);
            book.push(self.ids.1, now, self.memory_at(now, wobble));
        } else {
            book.end(self.ids.0, now);
            book.end(self.ids.1, now);
        }
    }

    /// Its memory in bytes.
    fn memory_at(&self, now: i64, wobble: f64) -> f64 {
        let age = now - self.started;
        let share = match self.grows {
            Some(low) if age >= 0 => {
                let life = world::RESTART_EVERY.as_millis() as f64;
                (low + (1.0 - low) * (age as f64 / life)).min(0.99)
            }
            Some(_) | None => {
                let ready = (age as f64 / WARM as f64).clamp(0.0, 1.0);
                let warm = if self.young {
                    YOUNG + (1.0 - YOUNG) * ready
                } else {
                    1.0
                };
                self.share * warm * (0.97 + 0.06 * wobble)
            }
        };
        // Pages of 4 KiB.
        (self.memory * share / 4096.0).floor() * 4096.0
    }
}
