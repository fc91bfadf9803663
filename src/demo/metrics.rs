//! What the cluster's agent and the platform's gateway measure of the shop (protocols.md 3.5).
//! The figures belong to the lines: a meter is told what happens, and when, and knows the value of
//! every series in the last hour. It has no clock and no socket. Before the shop opened it was
//! calm for a quarter of an hour; before that nothing was measured.

mod book;
mod component;
mod exposition;
mod pod;
mod shared;
#[cfg(test)]
mod tests;

use fastrand::Rng;

pub(super) use self::exposition::{KIND, text};
pub(super) use self::shared::Metrics;

use self::book::Book;
use self::component::Component;
use self::pod::PodMeter;
use super::cluster::{Phase, View};
use super::series::Series;
use super::teams::places;
use super::voice::{Mood, Voice};
use super::world::{self, SHOP};
use crate::model::Micros;

/// Time between two samples.
const EVERY: i64 = 5_000;
/// How long the shop was calm before it opened; a little more than a quarter of an hour, since the
/// shop's days go by whole seconds, and no sample should lie where something changes.
const CALM: i64 = 15 * 60_000 + 2_300;
/// Samples are kept for so long: an hour, and what a query looks back.
const KEPT: i64 = 70 * 60_000;
/// Between two times that old samples are forgotten.
const SWEEP: i64 = 60_000;

/// Milliseconds of a moment.
pub(super) fn milliseconds(at: Micros) -> i64 {
    at.0.div_euclid(1000)
}

/// Counters and gauges of the whole shop.
#[derive(Debug)]
pub(super) struct Meter {
    seed: u64,
    /// When it began, and up to when it has been told.
    begun: i64,
    now: i64,
    /// The next sample.
    tick: i64,
    mood: Mood,
    /// Whether the shop is open: then one component's memory grows until it dies.
    open: bool,
    pods: Vec<PodMeter>,
    components: Vec<Component>,
    book: Book,
}

impl Meter {
    /// A meter of what is deployed when the shop opens.
    pub(super) fn new(seed: u64, opened: Micros, view: &View, open: bool) -> Self {
        let begun = milliseconds(opened) - CALM;
        let mut book = Book::default();
        let deployed = places().filter(|place| place.part.replicas > 0);
        let components = deployed.map(|place| Component::new(seed, place, &mut book));
        let mut meter = Self {
            seed,
            begun,
            now: begun,
            tick: begun,
            mood: Mood::Calm,
            open,
            components: components.collect(),
            pods: Vec::new(),
            book,
        };
        meter.meet(view);
        if open {
            meter.be_calm(milliseconds(opened));
        }
        meter.advance(milliseconds(opened));
        meter
    }

    /// The usual lines until a moment, and nothing else.
    fn be_calm(&mut self, until: i64) {
        let mut rng = Rng::with_seed(self.seed);
        while self.now < until {
            let next = (self.now + EVERY).min(until);
            let time = (next - self.now) as f64;
            for one in SHOP {
                let usual = f64::from(one.per_minute) / 60_000.0 * time;
                let each = usual / one.instances as f64;
                for index in 0..one.instances {
                    // As the shop's own pauses vary.
                    let count = each * (0.8 + 0.4 * rng.f64());
                    self.spoke((one.alias, index), whole(count));
                }
            }
            self.advance(next);
        }
    }

    /// A pod of a component speaks so many times.
    fn spoke(&mut self, (alias, index): (&str, u64), times: u64) {
        let found = self.pods.iter_mut();
        let mut found = found.filter(|pod| pod.alias == alias && pod.index == index);
        if let Some(pod) = found.next() {
            pod.spoke(0, times, factor(self.mood, alias, 4.0));
            if let Some(one) = self.components.iter_mut().find(|one| one.alias == alias) {
                one.asked(times, times, &mut self.book);
            }
        }
    }

    /// A container said some lines at once.
    pub(super) fn said(&mut self, at: Micros, container: &str, lines: usize) {
        let at = milliseconds(at);
        if at >= self.tick {
            self.advance(at);
        }
        let found = self.pods.iter_mut().find_map(|pod| {
            let place = pod.place(container)?;
            Some((pod, place))
        });
        let Some((pod, place)) = found else { return };
        pod.spoke(place, 1, factor(self.mood, pod.alias, 4.0));
        let lines = u64::try_from(lines).unwrap_or(0);
        // An access line is a request; others say several lines of one.
        let requests = if voice(pod.alias) == Some(Voice::Access) {
            lines
        } else {
            1
        };
        let one = self
            .components
            .iter_mut()
            .find(|one| one.alias == pod.alias);
        if let Some(one) = one.filter(|_| place == 0) {
            one.asked(requests, lines, &mut self.book);
        }
    }

    /// From now on things stand so.
    pub(super) fn feel(&mut self, at: Micros, mood: Mood) {
        self.advance(milliseconds(at));
        self.mood = mood;
    }

    /// What runs now: pods come and go, containers end and return.
    pub(super) fn see(&mut self, at: Micros, view: &View) {
        self.advance(milliseconds(at));
        self.meet(view);
    }

    fn meet(&mut self, view: &View) {
        let now = self.now;
        let running = || view.pods.iter().filter(|pod| pod.phase != Phase::Starting);
        self.pods.retain(|own| {
            let stays = running().any(|pod| pod.name == own.name);
            if !stays {
                own.end(now, &mut self.book);
            }
            stays
        });
        for pod in running() {
            if let Some(own) = self.pods.iter_mut().find(|own| own.name == pod.name) {
                own.meet(now, pod, &mut self.book);
                continue;
            }
            let young = now > self.begun;
            if let Some(mut own) = PodMeter::new(self.seed, pod, (self.open, young), &mut self.book)
            {
                own.sample(now, self.begun, &mut self.book);
                self.pods.push(own);
            }
        }
        for one in &mut self.components {
            one.meet(now, view, &mut self.book);
        }
    }

    /// Up to a moment nothing else happens.
    fn advance(&mut self, at: i64) {
        if at - self.tick > KEPT {
            // Nobody can ask for what lies so far back.
            let skipped = (at - KEPT - self.tick) / EVERY;
            self.flow(self.tick + skipped * EVERY);
            self.tick = self.now;
        }
        while self.tick <= at {
            self.flow(self.tick);
            self.sample();
            self.tick += EVERY;
        }
        self.flow(at);
    }

    /// Time goes by.
    fn flow(&mut self, to: i64) {
        if to <= self.now {
            return;
        }
        let (time, slot) = (to - self.now, self.slot());
        for pod in &mut self.pods {
            pod.flow(time, slot, factor(self.mood, pod.alias, 4.0));
        }
        self.now = to;
    }

    fn slot(&self) -> i64 {
        (self.now - self.begun).div_euclid(EVERY)
    }

    fn sample(&mut self) {
        let (now, slot) = (self.now, self.slot());
        for pod in &mut self.pods {
            pod.sample(now, self.begun, &mut self.book);
        }
        for one in &mut self.components {
            let slower = factor(self.mood, one.alias, 10.0);
            one.sample((now, slot), slower, &mut self.book);
        }
        if (now - self.begun) % SWEEP == 0 {
            self.book.forget(now - KEPT);
        }
    }

    /// The bytes of memory that a container had when last measured.
    pub(super) fn memory(&self, container: &str) -> Option<u64> {
        let own = self.pods.iter().find_map(|pod| pod.memory(container))?;
        Some(whole(self.book.value(own)?))
    }

    /// Every series of the last hour, those that ended among them.
    pub(super) fn series(&self) -> impl Iterator<Item = &Series> + Clone {
        self.book.series()
    }
}

/// By how much a wave multiplies something of a component; one whose logs never fail feels none.
fn factor(mood: Mood, alias: &str, wave: f64) -> f64 {
    match mood {
        Mood::Wave if voice(alias).is_some_and(|voice| voice != Voice::Plain) => wave,
        Mood::Wave | Mood::Calm => 1.0,
    }
}

fn voice(alias: &str) -> Option<Voice> {
    let found = SHOP.iter().find(|one| one.alias == alias);
    found.map(|one| one.voice)
}

/// A number from zero to one that follows from the seed, a name and a slot of time.
fn noise(seed: u64, name: &str, slot: i64) -> f64 {
    let slot = slot.unsigned_abs().wrapping_mul(0x9e37_79b9_7f4a_7c15);
    Rng::with_seed(world::mixed(seed, name) ^ slot).f64()
}

/// A number without its fraction.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a few lines, never less than none"
)]
fn whole(value: f64) -> u64 {
    value.round().max(0.0) as u64
}
