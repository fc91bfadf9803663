//! The shop: its components, their ids and their days, all from one seed. It has no clock and no
//! socket: it is asked for the next thing to happen and says when.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::time::Duration;

use fastrand::Rng;

use super::brokers::Layout;
use super::deploy::{self, Deploy};
use super::platform::DemoTarget;
use super::stamp::Stamp;
use super::teams::places;
use super::voice::{Mood, Voice, speak};
use crate::model::Micros;

/// One component of the shop.
#[derive(Clone, Copy, Debug)]
pub(super) struct Component {
    pub(super) alias: &'static str,
    pub(super) title: &'static str,
    pub(super) voice: Voice,
    /// How often it speaks, in a minute.
    pub(super) per_minute: u32,
    pub(super) instances: u64,
    /// Whether it reports its dear requests.
    pub(super) monitored: bool,
}

const fn component(
    alias: &'static str,
    title: &'static str,
    voice: Voice,
    (per_minute, instances): (u32, u64),
    monitored: bool,
) -> Component {
    Component {
        alias,
        title,
        voice,
        per_minute,
        instances,
        monitored,
    }
}

/// The shop's components; about 100 lines a second together.
pub(super) const SHOP: [Component; 8] = [
    component("gateway", "网关", Voice::Access, (1500, 2), true),
    component("order-center", "订单中心", Voice::Json, (960, 2), true),
    component("payment", "支付", Voice::Java, (480, 2), true),
    component("inventory", "库存", Voice::Logfmt, (720, 2), false),
    component("user-service", "用户", Voice::Klog, (480, 2), false),
    component("search", "搜索", Voice::Coloured, (600, 2), false),
    component("recommender", "推荐", Voice::Python, (360, 2), false),
    component("worker", "任务", Voice::Plain, (15, 2), false),
];

/// The component that dies and comes back.
const RESTARTS: usize = 6;
/// It lives so long.
pub(super) const RESTART_EVERY: Duration = Duration::from_secs(40);
const RESTART_TAKES: Duration = Duration::from_secs(3);
const WAVE_EVERY: Duration = Duration::from_secs(30);
const WAVE_TAKES: Duration = Duration::from_secs(5);
const SIDECARS_EVERY: Duration = Duration::from_secs(4);
const REPORT_EVERY: Duration = Duration::from_secs(5);

/// A number that follows from the seed and a name.
pub(super) fn mixed(seed: u64, name: &str) -> u64 {
    name.bytes()
        .fold(seed ^ 0x9e37_79b9_7f4a_7c15, |sum, byte| {
            (sum ^ u64::from(byte))
                .wrapping_mul(0x0100_0000_01b3)
                .rotate_left(23)
        })
}

/// Hex digits that follow from the seed and a name.
pub(super) fn hex(seed: u64, name: &str, digits: usize) -> String {
    let mut rng = Rng::with_seed(mixed(seed, name));
    (0..digits)
        .map(|_| char::from_digit(rng.u32(..16), 16).unwrap_or('0'))
        .collect()
}

/// The tenant's id.
pub(super) fn tenant_id(seed: u64) -> String {
    hex(seed, "tenant", 32)
}

/// A component's id.
pub(super) fn service_id(seed: u64, alias: &str) -> String {
    hex(seed, alias, 32)
}

/// The alias of the component that dies and comes back.
pub(super) fn dying() -> &'static str {
    SHOP.get(RESTARTS).map_or("", |one| one.alias)
}

/// The id of the n-th deploy.
pub(super) fn event_id(seed: u64, number: u32) -> String {
    hex(seed, &format!("deploy {number}"), 32)
}

/// Who says a line: which container that is at the time, the cluster knows.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Source {
    pub(super) alias: &'static str,
    pub(super) instance: u64,
    /// The pod's second container.
    pub(super) sidecar: bool,
}

/// Something that happens in the shop.
#[derive(Clone, PartialEq, Debug)]
pub(super) enum Happening {
    Lines {
        service: String,
        source: Source,
        lines: Vec<Vec<u8>>,
    },
    /// From now on things stand so.
    Mood(Mood),
    /// A component's first container ends.
    Dies(&'static str),
    /// It is there again, in the same pod.
    Returns(&'static str),
    /// A component's pods are replaced one by one.
    Rolls(&'static str),
    Entry {
        event: String,
        json: String,
    },
    Report {
        service: String,
        json: String,
    },
    /// The same as the old monitor says it: topic, name of the list, its rows.
    OldReport {
        topic: String,
        name: &'static str,
        rows: String,
    },
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Act {
    Speak(usize),
    /// The second containers.
    Sidecars,
    Report(usize),
    WaveBegins,
    WaveEnds,
    Dies,
    Returns,
    Deploy,
    Step(u32),
}

/// The shop in time.
#[derive(Debug)]
pub(super) struct World {
    seed: u64,
    rate: f64,
    start: Micros,
    rng: Rng,
    /// For the lists of statements, so that the lines do not depend on them.
    lists: Rng,
    agenda: BinaryHeap<Reverse<(Duration, u64, Act)>>,
    count: u64,
    mood: Mood,
    deploys: BTreeMap<u32, Deploy>,
    deployed: u32,
}

impl World {
    /// A shop that opens at `start`.
    pub(super) fn new(seed: u64, start: Micros) -> Self {
        let mut world = Self {
            seed,
            rate: 1.0,
            start,
            rng: Rng::with_seed(seed),
            lists: Rng::with_seed(mixed(seed, "lists")),
            agenda: BinaryHeap::new(),
            count: 0,
            mood: Mood::Calm,
            deploys: BTreeMap::new(),
            deployed: 0,
        };
        for (index, one) in SHOP.iter().enumerate() {
            world.plan(Duration::ZERO, Act::Speak(index));
            if one.monitored {
                world.plan(Duration::from_secs(1), Act::Report(index));
            }
        }
        world.plan(SIDECARS_EVERY, Act::Sidecars);
        world.plan(WAVE_EVERY, Act::WaveBegins);
        world.plan(RESTART_EVERY, Act::Dies);
        world.plan(deploy::FIRST, Act::Deploy);
        world
    }

    /// From now on `rate` times the usual lines.
    pub(super) fn set_rate(&mut self, rate: f64) {
        self.rate = rate.clamp(0.01, 10_000.0);
    }

    fn plan(&mut self, at: Duration, act: Act) {
        self.count += 1;
        self.agenda.push(Reverse((at, self.count, act)));
    }

    /// The next thing that happens, and when since the start.
    pub(super) fn beat(&mut self) -> (Duration, Vec<Happening>) {
        // The agenda never ends: each act plans its next.
        let Some(Reverse((at, _, act))) = self.agenda.pop() else {
            return (Duration::MAX, Vec::new());
        };
        let happenings = match act {
            Act::Speak(index) => self.speak(at, index),
            Act::Sidecars => self.sidecars(at),
            Act::Report(index) => self.report(at, index),
            Act::WaveBegins => {
                self.plan(at + WAVE_TAKES, Act::WaveEnds);
                self.turn(Mood::Wave)
            }
            Act::WaveEnds => {
                self.plan(at + WAVE_EVERY, Act::WaveBegins);
                self.turn(Mood::Calm)
            }
            Act::Dies => self.die(at),
            Act::Returns => self.come_back(at),
            Act::Deploy => self.deploy(at),
            Act::Step(number) => self.step(at, number),
        };
        (at, happenings)
    }

    fn turn(&mut self, mood: Mood) -> Vec<Happening> {
        self.mood = mood;
        vec![Happening::Mood(mood)]
    }

    fn moment(&self, at: Duration) -> Micros {
        Micros(
            self.start
                .0
                .saturating_add(i64::try_from(at.as_micros()).unwrap_or(i64::MAX)),
        )
    }

    fn lines(&self, one: &Component, instance: u64, lines: Vec<Vec<u8>>) -> Happening {
        Happening::Lines {
            service: service_id(self.seed, one.alias),
            source: Source {
                alias: one.alias,
                instance,
                sidecar: false,
            },
            lines,
        }
    }

    fn speak(&mut self, at: Duration, index: usize) -> Vec<Happening> {
        let Some(one) = SHOP.get(index).copied() else {
            return Vec::new();
        };
        // Between half and one and a half of the mean: no two seconds are alike.
        let mean = 60.0 / f64::from(one.per_minute) / self.rate;
        let pause = Duration::from_secs_f64(mean * (0.5 + self.rng.f64()));
        self.plan(at + pause, Act::Speak(index));
        let stamp = Stamp::new(self.moment(at));
        let instance = self.rng.u64(..one.instances.max(1));
        let lines = speak(one.voice, &mut self.rng, &stamp, self.mood);
        vec![self.lines(&one, instance, lines)]
    }

    /// The mesh's own containers, one line each.
    fn sidecars(&mut self, at: Duration) -> Vec<Happening> {
        self.plan(at + SIDECARS_EVERY, Act::Sidecars);
        let stamp = Stamp::new(self.moment(at)).rfc3339_millis();
        let second = at.as_secs();
        let with = places().filter(|place| place.part.sidecar.is_some());
        with.map(|place| {
            let instance = second / SIDECARS_EVERY.as_secs() % 2;
            let line = format!("[{stamp}][info][upstream] cluster outbound: 健康检查通过");
            Happening::Lines {
                service: service_id(self.seed, place.part.alias),
                source: Source {
                    alias: place.part.alias,
                    instance,
                    sidecar: true,
                },
                lines: vec![line.into_bytes()],
            }
        })
        .collect()
    }

    fn die(&mut self, at: Duration) -> Vec<Happening> {
        let Some(one) = SHOP.get(RESTARTS) else {
            return Vec::new();
        };
        let stamp = Stamp::new(self.moment(at)).python();
        let last = [
            format!("{stamp} CRITICAL recommender.main: memory limit reached, 内存不足"),
            "Killed".to_owned(),
        ];
        self.plan(at + RESTART_TAKES, Act::Returns);
        vec![
            self.lines(one, 0, last.map(String::into_bytes).into()),
            Happening::Dies(one.alias),
        ]
    }

    fn come_back(&mut self, at: Duration) -> Vec<Happening> {
        let Some(one) = SHOP.get(RESTARTS) else {
            return Vec::new();
        };
        let stamp = Stamp::new(self.moment(at)).python();
        self.plan(at + RESTART_EVERY, Act::Dies);
        let first = [
            format!("{stamp} INFO     recommender.main: starting, pid 1, 服务启动"),
            format!("{stamp} INFO     recommender.main: model v12 loaded in 1.9s"),
        ];
        vec![
            Happening::Returns(one.alias),
            self.lines(one, 0, first.map(String::into_bytes).into()),
        ]
    }

    fn deploy(&mut self, at: Duration) -> Vec<Happening> {
        let number = self.deployed;
        self.deployed = self.deployed.wrapping_add(1);
        self.plan(at + deploy::EVERY, Act::Deploy);
        self.deploys.insert(number, Deploy::new(number));
        self.step(at, number)
    }

    fn step(&mut self, at: Duration, number: u32) -> Vec<Happening> {
        let event = event_id(self.seed, number);
        let stamp = Stamp::new(self.moment(at));
        let Some(running) = self.deploys.get_mut(&number) else {
            return Vec::new();
        };
        let Some((json, pause)) = running.step(&event, &stamp) else {
            self.deploys.remove(&number);
            return Vec::new();
        };
        let rolls = running.rolls();
        self.plan(at + pause, Act::Step(number));
        let mut happenings = vec![Happening::Entry { event, json }];
        if rolls {
            happenings.push(Happening::Rolls(deploy::OF));
        }
        happenings
    }

    fn report(&mut self, at: Duration, index: usize) -> Vec<Happening> {
        let Some(one) = SHOP.get(index).copied() else {
            return Vec::new();
        };
        self.plan(at + REPORT_EVERY, Act::Report(index));
        let service = service_id(self.seed, one.alias);
        let mut happenings = Vec::new();
        for instance in 0..one.instances {
            let host = format!("{}-{instance}", one.alias);
            let json = deploy::report(&mut self.rng, &service, &host, self.mood);
            happenings.push(Happening::Report {
                service: service.clone(),
                json,
            });
        }
        let tenant = tenant_id(self.seed);
        happenings.push(Happening::OldReport {
            topic: format!("{tenant}.{service}.statistic"),
            name: "SumTimeByUrl",
            rows: deploy::old_rows(&mut self.rng, &tenant, &service, self.mood),
        });
        happenings.push(Happening::OldReport {
            topic: deploy::sql_topic(&tenant, &service),
            name: "SumTimeBySql",
            rows: deploy::sql_rows(&mut self.lists, &tenant, &service, self.mood),
        });
        happenings
    }
}

/// What can be opened, in the client's syntax.
pub(super) fn targets(
    seed: u64,
    base: &str,
    zmq: impl Fn(Layout) -> Option<String>,
) -> Vec<DemoTarget> {
    let mut list = Vec::new();
    let mut add = |url: String, what: String, what_zh: String| {
        list.push(DemoTarget { url, what, what_zh });
    };
    for one in SHOP {
        let id = service_id(seed, one.alias);
        add(
            format!("{base}/docker_log#{id}"),
            format!("{} {}: log", one.title, one.alias),
            format!("{} {}：日志", one.title, one.alias),
        );
    }
    let order = service_id(seed, "order-center");
    let gateway = service_id(seed, "gateway");
    let deploys = [
        (1, "a deploy that runs now", "正在进行的部署"),
        (2, "a deploy that fails later", "稍后失败的部署"),
        (0, "a deploy that has ended", "已结束的部署"),
    ];
    for (number, what, zh) in deploys {
        let id = event_id(seed, number);
        add(
            format!("{base}/event_log#{id}"),
            format!("{what}, in its own socket"),
            format!("{zh}，单独的连接"),
        );
    }
    for (channel, what, zh) in channels(seed, &order, &gateway) {
        let id = if channel.ends_with(&gateway) {
            &gateway
        } else {
            &order
        };
        add(
            format!("{base}/services/{id}/pubsub#{channel}"),
            format!("{what}, by pubsub"),
            format!("{zh}，经 pubsub"),
        );
    }
    add(
        format!("{base}/new_monitor_message#{gateway}"),
        "gateway: dear requests".to_owned(),
        "gateway：慢请求".to_owned(),
    );
    for layout in Layout::ALL {
        let (prefix, what, zh) = published(seed, &order, layout);
        if let Some(url) = zmq(layout) {
            add(
                format!("{url}#{prefix}"),
                format!("{what}, by ZeroMQ"),
                format!("{zh}，经 ZeroMQ"),
            );
        }
    }
    list
}

/// The channels on offer, and what they carry in both languages.
fn channels(seed: u64, order: &str, gateway: &str) -> [(String, &'static str, &'static str); 4] {
    [
        (
            format!("s-{order}"),
            "order-center: log and dear requests",
            "order-center：日志和慢请求",
        ),
        (format!("l-{gateway}"), "gateway: log", "gateway：日志"),
        (
            format!("m-{gateway}"),
            "gateway: dear requests",
            "gateway：慢请求",
        ),
        (
            format!("e-{}", event_id(seed, 1)),
            "a deploy that runs now",
            "正在进行的部署",
        ),
    ]
}

/// What a layout's port publishes: its first words, and what it is in both languages.
fn published(seed: u64, order: &str, layout: Layout) -> (String, &'static str, &'static str) {
    match layout {
        Layout::Docker3 => (
            tenant_id(seed),
            "all logs of the tenant, three frames",
            "团队（租户）的全部日志，三帧",
        ),
        Layout::Docker2 => (
            order.to_owned(),
            "order-center: log, two frames",
            "order-center：日志，两帧",
        ),
        Layout::DockerJson => (String::new(), "all logs, JSON", "全部日志，JSON"),
        Layout::Labor3 => ("labor.".to_owned(), "build logs", "构建日志"),
        Layout::Ceptop2 => ("ceptop".to_owned(), "performance lists", "性能列表"),
        Layout::Cluster2 => (
            "event_log".to_owned(),
            "events between the instances",
            "平台实例间的事件",
        ),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};
    use std::time::Duration;

    use super::{Happening, SHOP, World, service_id};
    use crate::model::Micros;

    fn minutes(seed: u64, length: u64) -> Vec<(Duration, Happening)> {
        let mut world = World::new(seed, Micros(0));
        let mut all = Vec::new();
        loop {
            let (at, happenings) = world.beat();
            if at > Duration::from_secs(60 * length) {
                return all;
            }
            all.extend(happenings.into_iter().map(|one| (at, one)));
        }
    }

    #[test]
    fn one_seed_one_world() {
        assert_eq!(minutes(7, 1), minutes(7, 1));
        assert_ne!(minutes(7, 1), minutes(8, 1));
    }

    #[test]
    fn it_is_as_loud_as_promised_and_all_speak() {
        let mut lines = BTreeMap::new();
        let mut sources = BTreeSet::new();
        for (_, happening) in minutes(1, 2) {
            if let Happening::Lines {
                service,
                source,
                lines: said,
            } = happening
            {
                *lines.entry(service).or_insert(0) += said.len();
                sources.insert(source);
            }
        }
        let sum: usize = lines.values().sum();
        assert!(
            (60 * 120..=150 * 120).contains(&sum),
            "{sum} lines in two minutes"
        );
        for one in SHOP {
            assert!(
                lines[&service_id(1, one.alias)] > 200,
                "{} is quiet",
                one.alias
            );
        }
        // Two pods each, and two second containers.
        assert_eq!(sources.len(), 2 * SHOP.len() + 2 * 2);
    }

    #[test]
    fn deploys_end_well_and_badly() {
        let ends: Vec<String> = minutes(1, 5)
            .into_iter()
            .filter_map(|(_, happening)| match happening {
                Happening::Entry { json, .. } => Some(json),
                _ => None,
            })
            .filter_map(|json| {
                let entry: serde_json::Value = serde_json::from_str(&json).unwrap();
                let text = |name: &str| entry[name].as_str().unwrap().to_owned();
                ["last", "callback"]
                    .contains(&text("step").as_str())
                    .then(|| text("step") + " " + &text("status"))
            })
            .collect();
        assert_eq!(
            ends[..3],
            ["last success", "last success", "callback failure"]
        );
    }
}
