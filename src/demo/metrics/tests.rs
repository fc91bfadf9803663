//! The shop's day as its meter saw it.

use std::time::Duration;

use super::{CALM, EVERY, Meter, milliseconds};
use crate::demo::cluster::{Cluster, Container, Phase};
use crate::demo::series::{Sample, Series};
use crate::demo::times::later;
use crate::demo::voice::Mood;
use crate::demo::world::{Happening, World, dying, service_id};
use crate::model::Micros;

const OPENED: Micros = Micros(1_795_485_528_123_456);
const SEED: u64 = 1;

/// A day of so many seconds, all happenings told.
struct Day {
    meter: Meter,
    cluster: Cluster,
    /// Lines of the gateway since the opening, each with its moment.
    access: Vec<i64>,
    /// When waves began and ended.
    waves: Vec<(i64, Mood)>,
    deaths: Vec<i64>,
    returns: Vec<i64>,
}

impl Day {
    fn of(seconds: u64) -> Self {
        let cluster = Cluster::new(SEED, OPENED);
        let mut day = Self {
            meter: Meter::new(SEED, OPENED, &cluster.now(), true),
            cluster,
            access: Vec::new(),
            waves: Vec::new(),
            deaths: Vec::new(),
            returns: Vec::new(),
        };
        let mut world = World::new(SEED, OPENED);
        loop {
            let (after, happenings) = world.beat();
            if after > Duration::from_secs(seconds) {
                break;
            }
            let at = later(OPENED, after);
            for one in happenings {
                day.live(at, one);
            }
        }
        day.look(seconds);
        day
    }

    fn look(&mut self, seconds: u64) {
        let at = later(OPENED, Duration::from_secs(seconds));
        self.meter.see(at, &self.cluster.now());
    }

    fn live(&mut self, at: Micros, happening: Happening) {
        let moment = milliseconds(at);
        match happening {
            Happening::Lines { source, lines, .. } => {
                let container = self.cluster.container(&source);
                self.meter.said(at, &container, lines.len());
                if source.alias == "gateway" && !source.sidecar {
                    self.access.extend(lines.iter().map(|_| moment));
                }
            }
            Happening::Mood(mood) => {
                self.meter.feel(at, mood);
                self.waves.push((moment, mood));
            }
            Happening::Dies(alias) => {
                self.cluster.die(alias);
                self.meter.see(at, &self.cluster.now());
                self.deaths.push(moment);
            }
            Happening::Returns(alias) => {
                self.cluster.revive(alias, at);
                self.meter.see(at, &self.cluster.now());
                self.returns.push(moment);
            }
            _ => {}
        }
    }

    fn series(&self, name: &str, label: &str, value: &str) -> &Series {
        let mut found = self.meter.series().filter(|one| {
            one.name() == name && one.labels.get(label).map(String::as_str) == Some(value)
        });
        let first = found.next().unwrap();
        assert_eq!(found.next(), None, "{name} {value}");
        first
    }

    fn service(&self, name: &str, alias: &str) -> &Series {
        self.series(name, "service_id", &service_id(SEED, alias))
    }

    fn first_pod(&self, alias: &str) -> String {
        self.cluster.now().of(alias).next().unwrap().name.clone()
    }

    /// CPU or memory of the component's own container in its first pod.
    fn first(&self, name: &str, alias: &str) -> Series {
        let pod = self.first_pod(alias);
        let mut found = self.meter.series().filter(|one| {
            one.name() == name && one.labels["pod"] == pod && one.labels["container"] == alias
        });
        found.next().unwrap().clone()
    }

    fn in_wave(&self, at: i64) -> bool {
        let last = self.waves.iter().rev().find(|(begun, _)| *begun <= at);
        last.is_some_and(|(_, mood)| *mood == Mood::Wave)
    }
}

fn value(sample: &Sample) -> f64 {
    sample.value.unwrap()
}

/// What a counter grew by in each second, between samples: from, to, rate.
fn rates(series: &Series) -> Vec<(i64, i64, f64)> {
    let pairs = series.samples.windows(2);
    pairs
        .map(|two| {
            let seconds = (two[1].at - two[0].at) as f64 / 1000.0;
            (
                two[0].at,
                two[1].at,
                (value(&two[1]) - value(&two[0])) / seconds,
            )
        })
        .collect()
}

#[test]
fn one_seed_one_day() {
    let said = |day: Day| format!("{:?}", day.meter.series().collect::<Vec<_>>());
    assert_eq!(said(Day::of(40)), said(Day::of(40)));
}

#[test]
fn a_wave_is_in_the_response_time_and_the_cpu_at_the_moments_of_its_lines() {
    let day = Day::of(110);
    assert_eq!(day.waves.len(), 6);
    for alias in ["gateway", "order-center", "payment"] {
        let time = day.service("app_requesttime", alias);
        let (waves, calm): (Vec<_>, Vec<_>) =
            time.samples.iter().partition(|one| day.in_wave(one.at));
        assert_eq!(waves.len(), 3, "{alias}: a sample in each wave");
        let least = waves.into_iter().map(value).fold(f64::MAX, f64::min);
        let most = calm.into_iter().map(value).fold(0.0, f64::max);
        assert!(least > 5.0 * most, "{alias}: {least} and {most}");
    }
    for (alias, feels) in [("payment", true), ("search", true), ("worker", false)] {
        let cpu = rates(&day.first("container_cpu_usage_seconds_total", alias));
        let (waves, calm): (Vec<_>, Vec<_>) = cpu
            .iter()
            .filter(|(from, ..)| *from >= milliseconds(OPENED))
            .partition(|(from, to, _)| day.in_wave(*from) || day.in_wave(*to));
        let mean = |all: &[&(i64, i64, f64)]| {
            all.iter().map(|(_, _, rate)| rate).sum::<f64>() / all.len() as f64
        };
        let times = mean(&waves) / mean(&calm);
        assert_eq!(times > 2.0, feels, "{alias}: {times}");
    }
}

#[test]
#[expect(clippy::float_cmp, reason = "whole bytes")]
fn memory_climbs_to_the_limit_until_the_line_that_says_so_and_is_low_on_return() {
    let day = Day::of(100);
    let limit = f64::from(2048_u32) * 1_048_576.0;
    let memory = day.first("container_memory_rss", dying());
    assert_eq!((day.deaths.len(), day.returns.len()), (2, 2));
    let at = |moment: i64| memory.samples.iter().find(|one| one.at == moment);
    for (death, back) in day.deaths.iter().zip(&day.returns) {
        assert_eq!(value(at(*death).unwrap()), limit, "at the line");
        let before = memory.between(death - 30_000, *death);
        assert!(before.windows(2).all(|two| value(&two[0]) < value(&two[1])));
        assert!(value(at(*back).unwrap()) < limit / 5.0, "back");
    }
    // The counter of the new container begins at zero.
    let cpu = day.first("container_cpu_usage_seconds_total", dying());
    let resets: Vec<i64> = cpu
        .samples
        .iter()
        .filter(|one| one.at > milliseconds(OPENED) && one.value == Some(0.0))
        .map(|one| one.at)
        .collect();
    assert_eq!(resets, day.returns);
    // The other pod lives on, far from its limit.
    let other = day.cluster.now().of(dying()).nth(1).unwrap().name.clone();
    let memory = day.series("container_memory_rss", "pod", &other);
    assert!(memory.samples.iter().all(|one| value(one) < 0.9 * limit));
}

#[test]
#[expect(clippy::float_cmp, reason = "whole requests")]
fn a_request_is_an_access_line() {
    let day = Day::of(60);
    let requests = day.service("app_request", "gateway");
    let open = requests.between(milliseconds(OPENED), i64::MAX);
    assert_eq!(open.len(), 12);
    for two in open.windows(2) {
        let between = |at: &&i64| **at >= two[0].at && **at < two[1].at;
        let lines = day.access.iter().filter(between).count() as f64;
        assert_eq!(value(&two[1]) - value(&two[0]), lines);
    }
    // As loud before the shop opened as after.
    let before = requests.between(0, milliseconds(OPENED));
    let per_second = value(before.last().unwrap()) / (CALM as f64 / 1000.0);
    assert!((24.0..26.0).contains(&per_second), "{per_second}");
    // Clients share them; those of a component are the pods that ask it.
    let clients = |alias: &str| -> Vec<(String, f64)> {
        let id = service_id(SEED, alias);
        let all = day
            .meter
            .series()
            .filter(|one| one.name() == "app_client_request" && one.labels["service_id"] == id);
        all.map(|one| (one.labels["client"].clone(), one.value().unwrap()))
            .collect()
    };
    assert_eq!(
        clients("gateway"),
        [("public".to_owned(), requests.value().unwrap())]
    );
    let ips: Vec<String> = day
        .cluster
        .now()
        .of("gateway")
        .map(|pod| pod.ip.replace('.', ""))
        .collect();
    let names: Vec<String> = clients("order-center")
        .into_iter()
        .map(|one| one.0)
        .collect();
    assert_eq!(names, ips);
}

#[test]
fn a_quarter_of_an_hour_of_calm_and_nothing_before() {
    let day = Day::of(1);
    let opened = milliseconds(OPENED);
    for one in day.meter.series() {
        let first = one.samples[0].at;
        assert!(first <= opened - CALM + EVERY, "{:?}", one.labels);
        assert!(one.between(0, opened).len() >= 180, "{:?}", one.labels);
    }
    // Of a closed shop, what runs is measured; nobody asks it.
    let cluster = Cluster::new(SEED, OPENED);
    let meter = Meter::new(SEED, OPENED, &cluster.now(), false);
    let names = |name: &str| meter.series().filter(|one| one.name() == name).count();
    assert_eq!(
        (names("container_memory_rss"), names("app_request")),
        (20, 0)
    );
}

#[test]
fn new_pods_begin_and_old_ones_end() {
    let mut day = Day::of(10);
    let old = day.first_pod("payment");
    let at = later(OPENED, Duration::from_secs(20));
    let before = day.meter.series().count();
    day.look(20);
    day.cluster.roll_at_once("payment", at);
    day.look(20);
    day.look(40);
    let new = day.first_pod("payment");
    let moment = milliseconds(at);
    let memory = day.series("container_memory_rss", "pod", &new);
    assert_eq!(memory.samples[0].at, moment);
    assert!(
        value(&memory.samples[0]) < value(memory.samples.last().unwrap()),
        "it warms up"
    );
    let gone = day.series("container_memory_rss", "pod", &old);
    let last = gone.samples.last().unwrap();
    assert_eq!((last.at, last.value), (moment, None));
    // CPU, memory, in and out of two pods.
    assert_eq!(day.meter.series().count(), before + 8);
    // After an hour and a little, the old ones are forgotten; nothing grows.
    day.look(2 * 3600);
    assert_eq!(day.meter.series().count(), before);
    let longest = day
        .meter
        .series()
        .map(|one| one.samples.len())
        .max()
        .unwrap();
    assert!(longest < 880, "{longest}");
}

#[test]
fn a_container_that_is_killed_pauses_and_a_starting_pod_is_not_measured() {
    let cluster = Cluster::new(SEED, OPENED);
    let mut meter = Meter::new(SEED, OPENED, &cluster.now(), false);
    let at = |seconds| later(OPENED, Duration::from_secs(seconds));
    let value = |meter: &Meter, name: &str| {
        let own = |one: &&Series| {
            one.name() == name
                && one
                    .labels
                    .get("container")
                    .is_some_and(|one| one == "search")
        };
        meter.series().find(own).and_then(Series::value)
    };
    cluster.die("search");
    meter.see(at(1), &cluster.now());
    meter.see(at(10), &cluster.now());
    assert_eq!(value(&meter, "container_memory_rss"), None);
    cluster.revive("search", at(12));
    meter.see(at(12), &cluster.now());
    assert_eq!(
        value(&meter, "container_cpu_usage_seconds_total"),
        Some(0.0)
    );
    let mut view = cluster.now();
    let count = meter.series().count();
    let mut pod = view.pods[0].clone();
    pod.name = "young".to_owned();
    pod.phase = Phase::Starting;
    view.pods.push(pod);
    meter.see(at(13), &view);
    assert_eq!(meter.series().count(), count);
    view.pods.last_mut().unwrap().phase = Phase::Running;
    meter.see(at(14), &view);
    assert!(meter.series().count() > count);
}

#[test]
fn sidecars_are_small_and_names_are_those_that_the_platform_looks_for() {
    let day = Day::of(60);
    let pod = day.first_pod("gateway");
    assert!(pod.contains("store-gateway"), "{pod}");
    let of = |name: &str, container: &str| {
        let mut found = day.meter.series().filter(|one| {
            one.name() == name && one.labels["pod"] == pod && one.labels["container"] == container
        });
        found.next().unwrap().value().unwrap()
    };
    for name in ["container_memory_rss", "container_cpu_usage_seconds_total"] {
        assert!(of(name, "mesh") < of(name, "gateway") / 2.0, "{name}");
        assert!(of(name, "mesh") > 0.0, "{name}");
    }
    let containers = day
        .cluster
        .now()
        .pods
        .iter()
        .flat_map(|pod| pod.containers.clone())
        .collect::<Vec<Container>>();
    let measured = day
        .meter
        .series()
        .filter(|one| one.name() == "container_memory_rss");
    assert_eq!(measured.count(), containers.len());
}
