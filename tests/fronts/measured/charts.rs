//! The charts of the interface, asked for through the front: headings, legends, copied values.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use deckwatch::app::chart::{Ask, ChartPane, What};
use deckwatch::app::key::Key;
use deckwatch::app::tree::deeds;
use deckwatch::app::{App, Effect, Msg, Now};
use deckwatch::codec::promql::{self, Names};
use deckwatch::model::context::{Api, Context, Credential, Place};
use deckwatch::model::sample::{Reading, Window};
use deckwatch::model::{Fault, Micros};
use deckwatch::platform::Platform as Client;
use deckwatch::text::redact::Secret;
use deckwatch::{clock, view};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::{Question, Stand, millis, near};

/// The interface without a terminal, whose charts ask through the front.
struct Cockpit {
    app: App,
    client: Client,
    names: Names,
    start: Instant,
    wall: Micros,
    /// Time that has passed for it, beside the real one.
    passed: Duration,
    copied: Option<String>,
    /// The last question of each chart.
    asked: BTreeMap<usize, Question>,
}

impl Cockpit {
    async fn open(stand: &Stand, alias: &str) -> Self {
        let mut context = Context::new("demo", stand.server().parse().unwrap(), Api::Console);
        let mut client = Client::new(&Arc::new(context.clone()));
        let password = Secret::new(stand.platform.password());
        let token = client.login(stand.platform.user(), &password).await;
        context.credential = Credential::Given(token.unwrap_or_else(|e| panic!("{}", e.fault)));
        let context = Arc::new(context);
        let mut client = Client::new(&context);
        let apps = client.overview("shop", "rainbond").await;
        let apps = apps.unwrap_or_else(|e| panic!("{}", e.fault));
        let mut found = apps.into_iter().flat_map(|app| {
            let name = app.name;
            let own = app.components.into_iter();
            own.map(move |component| (name.clone(), component))
        });
        let (app, component) = found.find(|(_, one)| one.alias == alias).unwrap();
        let place = Place::of(&context, ("shop", "rainbond", &app), component);
        let names = client.names(&place).await;
        let names = names.unwrap_or_else(|e| panic!("{}", e.fault));
        let (start, wall) = (Instant::now(), clock::wall());
        let now = Now { mono: start, wall };
        let area = Rect::new(0, 0, 160, 40);
        let target = deeds::component(place);
        Self {
            app: App::new(vec![target], false, 1 << 20, area, now),
            client,
            names,
            start,
            wall,
            passed: Duration::ZERO,
            copied: None,
            asked: BTreeMap::new(),
        }
    }

    /// Tells, and carries out what is wished for until nothing more is.
    async fn tell(&mut self, stand: &Stand, msg: Msg) {
        let mut msgs = vec![msg];
        while let Some(msg) = msgs.pop() {
            let now = Now {
                mono: self.start + self.passed,
                wall: Micros(self.wall.0 + i64::try_from(self.passed.as_micros()).unwrap()),
            };
            for effect in self.app.update(msg, now) {
                match effect {
                    Effect::Measure(ask) => {
                        let answer = self.measure(&ask).await;
                        let question = stand.questions().pop().unwrap();
                        let part = |text: &str| millis(text.parse().unwrap()) * 1000;
                        let window = (part(&question.start), part(&question.end));
                        assert_eq!(window, (ask.window.from.0, ask.window.to.0));
                        self.asked.insert(ask.panel, question);
                        msgs.push(Msg::Measured(ask, answer));
                    }
                    Effect::Copy(text) => self.copied = Some(text),
                    _ => {}
                }
            }
        }
    }

    async fn measure(&mut self, ask: &Ask) -> Result<Reading, Fault> {
        let mut query = match &ask.what {
            What::Metric(metric) => promql::query(*metric, &self.names),
            What::Own(template) => promql::fill(template, &self.names),
        };
        if ask.peaks {
            query = promql::peaks(&query, ask.window.step.as_secs(), 15);
        }
        let reading = self.client.measure(&ask.place, &query, ask.window).await;
        reading.map_err(|error| error.fault)
    }

    async fn keys(&mut self, stand: &Stand, words: &str) {
        for word in words.split(' ') {
            self.tell(stand, Msg::Key(Key::parse(word).unwrap())).await;
        }
    }

    async fn pass(&mut self, stand: &Stand, seconds: u64) {
        self.passed += Duration::from_secs(seconds);
        self.tell(stand, Msg::Tick).await;
    }

    fn charts(&self) -> &ChartPane {
        self.app.charts.values().next().unwrap()
    }

    fn window(&self) -> Window {
        self.charts().window(self.app.now.wall)
    }

    fn screen(&self) -> Vec<String> {
        let theme = view::Theme::find("dark", None).unwrap();
        let mut buf = Buffer::empty(self.app.area);
        view::render(&self.app, &theme, self.app.area, &mut buf);
        let row = |y: u16| {
            let cells = (0..buf.area.width).map(|x| buf[(x, y)].symbol());
            cells.collect::<String>()
        };
        (0..buf.area.height).map(row).collect()
    }

    /// The chart that stands alone says what Prometheus says of its window; how many values.
    async fn holds(&mut self, stand: &Stand) -> usize {
        let panel = self.charts().chosen;
        let question = self.asked[&panel].clone();
        assert!(question.taken, "{question:?}");
        let window = self.window();
        let text = |at: Micros| (at.0 / 1_000_000).to_string();
        let (from, to) = (text(window.from), text(window.to));
        let step = window.step.as_secs().to_string();
        assert_eq!(question.step, step);
        let truth = stand.truth(&question.query, (&from, &to, &step)).await;
        let truth: BTreeMap<String, BTreeMap<i64, f64>> = truth
            .into_iter()
            .map(|(labels, values)| (named(&labels), values))
            .collect();
        self.keys(stand, "y").await;
        let copied = self.copied.take().unwrap();
        let (columns, copied) = table(&copied);
        assert_eq!(
            copied.keys().collect::<Vec<_>>(),
            truth.keys().collect::<Vec<_>>(),
            "{question:?}"
        );
        for (name, values) in &truth {
            let own = &copied[name];
            assert_eq!(
                own.keys().collect::<Vec<_>>(),
                values.keys().collect::<Vec<_>>(),
                "{name:?} of {question:?}"
            );
            for (at, value) in values {
                assert!(near(own[at], *value), "{name} at {at}: {} {value}", own[at]);
            }
        }
        self.headed(&columns, &truth, window);
        truth.values().map(BTreeMap::len).sum()
    }

    /// The heading, and the legend's rows.
    fn headed(
        &self,
        columns: &[String],
        truth: &BTreeMap<String, BTreeMap<i64, f64>>,
        window: Window,
    ) {
        let panel = self.charts().panel().unwrap();
        let (title, unit) = (panel.title(), panel.recipe.unit);
        let screen = self.screen();
        let has = |words: &str| {
            let found = screen.iter().any(|row| row.contains(words));
            assert!(found, "{words:?} is not in\n{}", screen.join("\n"));
        };
        if truth.is_empty() {
            return has("no data");
        }
        // What is older than a step and a half is no value of now.
        let (to, step) = (window.to.0 / 1000, window.step.as_secs_f64() * 1000.0);
        let latest = |values: &BTreeMap<i64, f64>| {
            let last = values.range(..=to).next_back();
            let fresh = last.filter(|(at, _)| (to - *at) as f64 <= 1.5 * step);
            fresh.map_or_else(|| "–".to_owned(), |(_, value)| unit.show(*value))
        };
        let finite = |values: &BTreeMap<i64, f64>| -> Vec<f64> {
            values.values().copied().filter(|v| v.is_finite()).collect()
        };
        let most = |values: &[f64]| values.iter().copied().fold(f64::MIN, f64::max);
        let least = |values: &[f64]| values.iter().copied().fold(f64::MAX, f64::min);
        let all: Vec<f64> = truth.values().flat_map(finite).collect();
        // The chosen line is the first.
        let value = latest(&truth[&columns[0]]);
        let max = unit.show(most(&all));
        has(&format!("▸{title} {value}  max {max}"));
        for (name, values) in truth {
            let own = finite(values);
            let (low, high) = (unit.show(least(&own)), unit.show(most(&own)));
            let value = latest(values);
            has(&format!("● {name} {value}  min {low}  max {high}"));
        }
    }
}

/// How a series is named: its pod, else its labels.
fn named(labels: &BTreeMap<String, String>) -> String {
    match labels.get("pod") {
        Some(pod) => pod.clone(),
        None if labels.len() == 1 => labels.values().cloned().collect(),
        None => {
            let pairs = labels.iter().map(|(name, value)| format!("{name}={value}"));
            pairs.collect::<Vec<_>>().join(" ")
        }
    }
}

/// A copied table: its columns, and the values of each by the millisecond.
fn table(text: &str) -> (Vec<String>, BTreeMap<String, BTreeMap<i64, f64>>) {
    let mut rows = text.lines();
    let columns: Vec<String> = rows.next().unwrap().split('\t').map(String::from).collect();
    assert_eq!(columns[0], "time");
    let columns = columns[1..].to_vec();
    let mut values: BTreeMap<String, BTreeMap<i64, f64>> = BTreeMap::new();
    for name in &columns {
        values.insert(name.clone(), BTreeMap::new());
    }
    for row in rows {
        let mut fields = row.split('\t');
        let at: jiff::Timestamp = fields.next().unwrap().parse().unwrap();
        for (name, field) in columns.iter().zip(fields) {
            if !field.is_empty() {
                let own = values.get_mut(name).unwrap();
                own.insert(at.as_millisecond(), field.parse().unwrap());
            }
        }
    }
    (columns, values)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_charts_show_is_what_prometheus_says_now_later_and_of_a_day() {
    let stand = Stand::start().await;
    let mut cockpit = Cockpit::open(&stand, "order-center").await;
    cockpit.keys(&stand, "C ctrl-w o").await;
    let count = cockpit.charts().panels.len();
    assert_eq!(cockpit.asked.len(), count, "all of them are asked for");
    // A quarter of an hour; the same ten seconds later, when only the end is asked for.
    for later in [0, 10] {
        cockpit.pass(&stand, later).await;
        cockpit.keys(&stand, "o").await;
        let mut values = 0;
        for _ in 0..count {
            values += cockpit.holds(&stand).await;
            cockpit.keys(&stand, "n").await;
        }
        assert!(values > 8 * 100, "{values} values");
        cockpit.keys(&stand, "o").await;
    }
    // A day: each value is the highest of its step.
    cockpit.keys(&stand, "- - - - - - o").await;
    assert_eq!(cockpit.charts().axis.span, 24 * 3600);
    for _ in 0..count {
        let values = cockpit.holds(&stand).await;
        let panel = cockpit.charts().panel().unwrap();
        let question = &cockpit.asked[&cockpit.charts().chosen];
        assert!(panel.peaks && values > 0, "{values} {question:?}");
        let begin = question.query.starts_with("max_over_time((");
        let end = question.query.ends_with(")[300s:15s])");
        assert!(begin && end, "{question:?}");
        cockpit.keys(&stand, "n").await;
    }
}
