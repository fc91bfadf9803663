//! Charts and usage at 200x50 against their anchors, in turns, medians of many frames in memory:
//! a chart of 100,000 points against ratatui's own `Chart` of the same points; twelve charts and
//! the usage of 1,000 components against an empty draw. `cargo bench --bench charts`.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a benchmark reads the clock and prints"
)]

use std::fmt::Write;
use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use deckwatch::app::chart::{Ask, Recipe, What};
use deckwatch::app::key::Key;
use deckwatch::app::overview::Overlook;
use deckwatch::app::tree::{Answer, Question, deeds};
use deckwatch::app::{App, Effect, Msg, Now};
use deckwatch::codec::prometheus;
use deckwatch::model::Micros;
use deckwatch::model::catalog::Component;
use deckwatch::model::context::{Api, Context, Place};
use deckwatch::model::metric::{Metric, Unit};
use deckwatch::model::sample::{Labels, Measured, Reading, Sample, Series};
use deckwatch::model::usage::METRICS;
use deckwatch::platform::usage::{join, window};
use deckwatch::view::{self, Theme};
use ratatui::Terminal;
use ratatui::backend::CrosstermBackend;
use ratatui::layout::Rect;
use ratatui::symbols::Marker;
use ratatui::widgets::{Axis, Chart, Dataset, GraphType};

const AREA: Rect = Rect {
    x: 0,
    y: 0,
    width: 200,
    height: 50,
};
const START: i64 = 1_795_529_000_000_000;
/// Frames of each kind.
const FRAMES: usize = 200;
const COMPONENTS: usize = 1000;

fn main() {
    let (big, own) = one_chart();
    println!("\nA chart of 100,000 points in 8 lines, 200x50");
    tell("ratatui's Chart of the same points", &big, None);
    tell("deckwatch", &own, Some(&big));
    let (empty, twelve) = twelve_charts();
    println!("\nTwelve charts of 2 lines and 360 values, which move on, 200x50");
    tell("an empty draw", &empty, None);
    tell("deckwatch", &twelve, Some(&empty));
    usage_of_many();
}

/// Median and 99 % of some times, and how many times the anchor's median they are.
fn tell(what: &str, times: &[f64], anchor: Option<&[f64]>) {
    let (p50, p99) = (at(times, 50), at(times, 99));
    let ratio = anchor.map_or_else(String::new, |anchor| {
        let own = at(anchor, 50);
        format!("  {:.2}x / {:.2}x of the anchor", p50 / own, p99 / own)
    });
    println!("  {what:<40} p50 {p50:>8.3} ms  p99 {p99:>8.3} ms{ratio}");
}

fn at(times: &[f64], percent: usize) -> f64 {
    let mut times = times.to_vec();
    times.sort_by(f64::total_cmp);
    times[(times.len() - 1) * percent / 100]
}

fn timed<T>(work: impl FnOnce() -> T) -> f64 {
    let start = Instant::now();
    black_box(work());
    start.elapsed().as_secs_f64() * 1e3
}

type Screen = Terminal<CrosstermBackend<std::io::Sink>>;

fn screen() -> Screen {
    let options = ratatui::TerminalOptions {
        viewport: ratatui::Viewport::Fixed(AREA),
    };
    Terminal::with_options(CrosstermBackend::new(std::io::sink()), options).unwrap()
}

fn empty(screen: &mut Screen) -> f64 {
    timed(|| {
        screen.draw(|_| ()).unwrap();
    })
}

fn place(number: usize) -> Place {
    let context = Arc::new(Context::new(
        "prod",
        "https://console.example".parse().unwrap(),
        Api::Console,
    ));
    let component = Component {
        id: format!("{number:032x}"),
        alias: format!("part{number:04}"),
        name: format!("部件{number:04}"),
        ..Component::default()
    };
    Place::of(&context, ("shop", "east", "在线商店"), component)
}

/// A program with its own clock.
struct Stage {
    app: App,
    theme: Theme,
    start: Instant,
    passed: Duration,
    asks: Vec<Ask>,
    screen: Screen,
}

impl Stage {
    fn new() -> Self {
        let start = Instant::now();
        let now = Now {
            mono: start,
            wall: Micros(START),
        };
        let target = deeds::component(place(0));
        Self {
            app: App::new(vec![target], false, 1 << 20, AREA, now),
            theme: Theme::find("dark", None).unwrap(),
            start,
            passed: Duration::ZERO,
            asks: Vec::new(),
            screen: screen(),
        }
    }

    fn tell(&mut self, msg: Msg) {
        let now = Now {
            mono: self.start + self.passed,
            wall: Micros(START + i64::try_from(self.passed.as_micros()).unwrap()),
        };
        for effect in self.app.update(msg, now) {
            if let Effect::Measure(ask) = effect {
                self.asks.push(*ask);
            }
        }
    }

    fn keys(&mut self, words: &str) {
        for word in words.split(' ') {
            self.tell(Msg::Key(Key::parse(word).unwrap()));
        }
    }

    fn answer(&mut self, lines: usize, step: i64) {
        for ask in std::mem::take(&mut self.asks) {
            let measured = waves(&ask, lines, step);
            let reading = Reading { measured, skew: 0 };
            self.tell(Msg::Measured(Box::new(ask), Ok(reading)));
        }
    }

    fn draw(&mut self) -> f64 {
        let (app, theme, screen) = (&self.app, &self.theme, &mut self.screen);
        timed(|| {
            screen
                .draw(|frame| {
                    view::render(app, theme, AREA, frame.buffer_mut());
                })
                .unwrap();
        })
    }
}

/// A slow wave with noise and, rarely, a spike.
fn value(line: usize, at: i64) -> f64 {
    let noise = (at / 1000 * 31 + i64::try_from(line).unwrap()).wrapping_mul(2_654_435_761);
    let noise = (noise >> 16 & 0xffff) as f64 / 2048.0;
    let spike = if noise > 31.9 { 600.0 } else { 0.0 };
    let turn = at as f64 / 3e8;
    300.0 + 150.0 * (turn + line as f64).sin() + noise + spike
}

/// Lines over all of what is asked for, a value each `step`.
fn waves(ask: &Ask, lines: usize, step: i64) -> Measured {
    let (from, to) = (ask.window.from.0, ask.window.to.0);
    let series = |line: usize| {
        let times = (0..).map(|n| from + n * step).take_while(|at| *at <= to);
        Series {
            labels: Labels::new(vec![("pod".into(), format!("store-part-7d9f6-{line:05}"))]),
            samples: times
                .map(|at| Sample {
                    at: Micros(at),
                    value: value(line, at),
                })
                .collect(),
        }
    };
    Measured {
        series: (0..lines).map(series).collect(),
        ..Measured::default()
    }
}

/// Frames of ratatui's chart and of ours, in turns.
fn one_chart() -> (Vec<f64>, Vec<f64>) {
    const LINES: usize = 8;
    let mut stage = Stage::new();
    stage.app.recipes = vec![Recipe::of(Metric::Cpu)];
    stage.keys("C ctrl-w o o");
    let ask = stage.asks[0].clone();
    let length = ask.window.to.0 - ask.window.from.0;
    let step = length / 12_499;
    stage.answer(LINES, step);
    let charts = stage.app.charts.values().next().unwrap();
    let count = charts.panels[0].store.len();
    assert!((100_000..100_100).contains(&count), "{count}");
    let points: Vec<Vec<(f64, f64)>> = waves(&ask, LINES, step)
        .series
        .iter()
        .map(|series| {
            let samples = series.samples.iter();
            samples.map(|one| (one.at.0 as f64, one.value)).collect()
        })
        .collect();
    let (from, to) = (ask.window.from.0 as f64, ask.window.to.0 as f64);
    let mut anchor = screen();
    let mut theirs = || {
        timed(|| {
            let datasets = points
                .iter()
                .map(|points| {
                    Dataset::default()
                        .marker(Marker::Braille)
                        .graph_type(GraphType::Line)
                        .data(points)
                })
                .collect();
            let chart = Chart::new(datasets)
                .x_axis(Axis::default().bounds([from, to]))
                .y_axis(Axis::default().bounds([0.0, 1200.0]));
            anchor
                .draw(|frame| frame.render_widget(chart, AREA))
                .unwrap();
        })
    };
    (0..FRAMES).map(|_| (theirs(), stage.draw())).unzip()
}

/// Empty frames, and frames of twelve charts each of which has something new.
fn twelve_charts() -> (Vec<f64>, Vec<f64>) {
    let mut stage = Stage::new();
    let more = (0..4).map(|number| Recipe {
        title: format!("own {number}"),
        what: What::Own(format!("up * {number}")),
        unit: Unit::None,
        limits: Vec::new(),
    });
    stage.app.recipes = Metric::ALL
        .into_iter()
        .map(Recipe::of)
        .chain(more)
        .collect();
    stage.keys("C ctrl-w o");
    // Half an hour: 360 steps of 5 s.
    stage.answer(2, 5_000_000);
    stage.keys("-");
    stage.answer(2, 5_000_000);
    let mut anchor = screen();
    let mut times = (Vec::new(), Vec::new());
    for _ in 0..FRAMES {
        stage.passed += Duration::from_secs(5);
        stage.tell(Msg::Tick);
        stage.answer(2, 5_000_000);
        times.0.push(empty(&mut anchor));
        times.1.push(stage.draw());
    }
    let charts = stage.app.charts.values().next().unwrap();
    let counts: Vec<usize> = charts
        .panels
        .iter()
        .map(|panel| panel.store.len())
        .collect();
    assert!(
        counts.len() == 12 && counts.iter().all(|count| *count >= 720),
        "{counts:?}"
    );
    times
}

/// An answer as Prometheus writes it: `pods` series for each component, or one by its id.
fn written(metric: Metric, pods: usize) -> String {
    let window = window(Micros(START));
    let mut out = String::from(r#"{"status":"success","data":{"resultType":"matrix","result":["#);
    for number in 0..COMPONENTS {
        for pod in 0..pods.max(1) {
            let (name, label) = if pods == 0 {
                ("service_id", format!("{number:032x}"))
            } else {
                ("pod", format!("store-part{number:04}-7d9f6c5b4-{pod:05}"))
            };
            write!(out, r#"{{"metric":{{"{name}":"{label}"}},"values":["#).unwrap();
            for step in 0..=20 {
                let at = window.from.0 + step * 30_000_000;
                let value = value(number + pod, at) * metric.word().len() as f64;
                write!(out, r#"[{},"{value}"],"#, at / 1_000_000).unwrap();
            }
            out.pop();
            out.push_str("]},");
        }
    }
    out.pop();
    out.push_str("]}}");
    out
}

/// Seven answers of 1,000 components, two pods each: read, joined, sorted and drawn.
fn usage_of_many() {
    let places: Vec<Place> = (0..COMPONENTS).map(place).collect();
    let bodies: Vec<(Metric, String)> = METRICS
        .into_iter()
        .map(|metric| {
            let of_pods = matches!(
                metric,
                Metric::Cpu | Metric::Memory | Metric::NetIn | Metric::NetOut
            );
            (metric, written(metric, if of_pods { 2 } else { 0 }))
        })
        .collect();
    let window = window(Micros(START));
    let mut stage = Stage::new();
    let context = Arc::clone(&places[0].context);
    stage
        .app
        .open_overview(Overlook::new(Arc::clone(&context), Vec::new()));
    let pane = *stage.app.overviews.keys().next().unwrap();
    let mut anchor = screen();
    let mut times: [Vec<f64>; 6] = Default::default();
    for _ in 0..20 {
        times[0].push(timed(|| {
            let tree = |(_, body): &(Metric, String)| {
                serde_json::from_str::<serde_json::Value>(body).unwrap()
            };
            bodies.iter().map(tree).collect::<Vec<_>>()
        }));
        let mut answers = Vec::new();
        times[1].push(timed(|| {
            for (metric, body) in &bodies {
                let read = prometheus::decode(body.as_bytes(), 20_000).unwrap();
                answers.push((*metric, read));
            }
        }));
        let mut usages = Vec::new();
        times[2].push(timed(|| usages = join(&places, |_| None, &answers, window)));
        let known = usages.iter().filter(|one| one.pods == 2).count();
        assert_eq!(known, COMPONENTS);
        let question = Question::Usage(pane, Arc::clone(&context), Vec::new());
        let msg = Msg::Explored(question, Ok(Answer::Usage(usages)));
        times[3].push(timed(|| stage.tell(msg)));
        times[4].push(empty(&mut anchor));
        times[5].push(stage.draw());
    }
    let bytes: usize = bodies.iter().map(|(_, body)| body.len()).sum();
    println!(
        "\nUsage of 1,000 components of two pods: 7 answers of {:.1} MB together",
        bytes as f64 / 1e6
    );
    let [tree, read, joined, told, empty, drawn] = &times;
    tell("all as trees of JSON", tree, None);
    tell("read", read, Some(tree));
    tell("joined", joined, Some(tree));
    tell("taken in and sorted", told, Some(tree));
    tell("an empty draw", empty, None);
    tell("a frame of them", drawn, Some(empty));
}
