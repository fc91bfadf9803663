//! Charts and the strip over lines; and the one moment that all of them are at.

use std::f64::consts::TAU;
use std::sync::Arc;
use std::time::Duration;

use deckwatch::app::chart::{Ask, ChartPane, Limit, Recipe, What};
use deckwatch::app::tree::{Answer, Question, deeds};
use deckwatch::app::{Effect, Msg};
use deckwatch::lang::{self, Lang};
use deckwatch::model::catalog::{Component, EventEntry};
use deckwatch::model::context::{Api, Context, Place};
use deckwatch::model::metric::{Metric, Unit};
use deckwatch::model::sample::{Flaws, Labels, Measured, Reading, Sample, Series};
use deckwatch::model::{Fault, FaultKind, Level, LinkState, Micros};
use deckwatch::view::Theme;
use insta::assert_snapshot;

use super::{START, Say, Stage, say};

pub(super) fn place(alias: &str, name: &str) -> Place {
    let context = Arc::new(Context::new(
        "prod",
        "https://console.example".parse().unwrap(),
        Api::Console,
    ));
    let component = Component {
        id: format!("id of {alias}"),
        alias: alias.into(),
        name: name.into(),
        ..Component::default()
    };
    Place::of(&context, ("shop", "east", "在线商店"), component)
}

/// A program that looks at the lines of one component.
fn staged(width: u16, height: u16) -> Stage {
    let mut stage = Stage::new(width, height, 0);
    let target = deeds::component(place("order-center", "订单中心"));
    let targets = vec![target];
    let area = stage.app.area;
    stage.app = deckwatch::app::App::new(targets, false, 1 << 20, area, stage.now());
    stage.app.take_wishes();
    stage.state(0, LinkState::Live);
    stage
}

/// What was asked for since the last time.
fn asks(stage: &mut Stage) -> Vec<Ask> {
    let mut asks = Vec::new();
    for wish in std::mem::take(&mut stage.wishes) {
        if let Effect::Measure(ask) = wish {
            asks.push(*ask);
        }
    }
    asks
}

/// Two pods, as waves; at `peak` one of them has a value five times as high.
fn waves(ask: &Ask, peak: Option<Micros>) -> Measured {
    let step = i64::try_from(ask.window.step.as_micros()).unwrap();
    let series = |name: &str, shift: f64| {
        let count = (ask.window.to.0 - ask.window.from.0) / step;
        let samples = (0..=count).map(|at| {
            let at = Micros(ask.window.from.0 + at * step);
            let turn = (at.0 % 300_000_000) as f64 / 300_000_000.0;
            let own = 100.0 + 40.0 * ((turn + shift) * TAU).sin();
            let high = peak == Some(at) && shift == 0.0;
            let value = if high { own * 5.0 } else { own };
            Sample { at, value }
        });
        Series {
            labels: Labels::new(vec![("pod".into(), name.into())]),
            samples: samples.collect(),
        }
    };
    Measured {
        series: vec![
            series("store-order-center-7d9f6-x2x1v", 0.0),
            series("store-order-center-7d9f6-qq8zz", 0.3),
        ],
        ..Measured::default()
    }
}

fn answer(stage: &mut Stage, with: impl Fn(&Ask) -> Result<Reading, Fault>) {
    for ask in asks(stage) {
        let answer = with(&ask);
        stage.tell(Msg::Measured(Box::new(ask), answer));
    }
}

fn good(measured: Measured) -> Reading {
    Reading { measured, skew: 0 }
}

/// Where the spike of [`charted`] is.
const PEAK: Micros = Micros(START - 200_000_000);

/// Charts beside lines, all of them answered.
fn charted(width: u16, height: u16) -> Stage {
    let mut stage = staged(width, height);
    stage.keys("C");
    answer(&mut stage, |ask| Ok(good(waves(ask, Some(PEAK)))));
    let events = vec![EventEntry {
        kind: "deploy".into(),
        status: "success".into(),
        user: "li".into(),
        began: Some(Micros(START - 500_000_000)),
        ..EventEntry::default()
    }];
    let place = place("order-center", "订单中心");
    stage.tell(Msg::Explored(
        Question::Happened(Box::new(place)),
        Ok(Answer::Happened(events)),
    ));
    stage
}

fn charts(stage: &Stage) -> &ChartPane {
    stage.app.charts.values().next().unwrap()
}

#[test]
fn a_grid_of_charts_at_every_size() {
    for (width, height) in [(200, 50), (120, 36), (80, 24), (60, 15), (40, 10)] {
        for lang in [Lang::En, Lang::Zh] {
            let screen = lang::within(lang, || {
                let mut stage = charted(width, height);
                stage.keys("ctrl-w o e");
                stage.screen()
            });
            assert_snapshot!(format!("charts_{lang:?}_{width}x{height}"), screen);
        }
    }
}

#[test]
fn one_chart_alone_with_its_lines_and_bands() {
    let mut stage = staged(100, 30);
    let mut recipe = Recipe::of(Metric::Cpu);
    recipe.limits = vec![
        Limit {
            above: 200.0,
            level: Level::Warn,
        },
        Limit {
            above: 400.0,
            level: Level::Error,
        },
    ];
    stage.app.recipes = vec![recipe];
    stage.keys("C ctrl-w o o");
    answer(&mut stage, |ask| Ok(good(waves(ask, Some(PEAK)))));
    let mut screens = stage.styled();
    // The second line alone, in its own unit and from its least value on; then as blocks.
    stage.keys("j S u Z b");
    screens.push_str(&stage.screen());
    stage.keys("S space b");
    screens.push_str(&stage.screen());
    assert_snapshot!(screens);
}

#[test]
fn without_a_line_it_is_said_why() {
    let mut stage = charted(80, 24);
    stage.keys("ctrl-w o");
    let mut screens = String::new();
    let mut next = |stage: &mut Stage, with: &dyn Fn(&Ask) -> Result<Reading, Fault>| {
        // Another span is another question.
        stage.keys("-");
        answer(stage, with);
        screens.push_str(&stage.screen());
    };
    next(&mut stage, &|_| Ok(good(Measured::default())));
    next(&mut stage, &|_| {
        Ok(good(Measured {
            blank: true,
            ..Measured::default()
        }))
    });
    next(&mut stage, &|_| {
        let why = "nothing listens there";
        Err(Fault::new(
            FaultKind::Unreachable,
            "console.example",
            why,
            "",
        ))
    });
    assert_snapshot!(screens);
}

#[test]
fn what_can_not_be_drawn_is_counted() {
    let mut stage = staged(110, 20);
    stage.app.recipes = vec![Recipe {
        title: "odd".into(),
        what: What::Own("odd".into()),
        unit: Unit::Milliseconds,
        limits: Vec::new(),
    }];
    stage.keys("C ctrl-w o");
    answer(&mut stage, |ask| {
        let mut measured = waves(ask, None);
        for series in &mut measured.series {
            for (index, sample) in series.samples.iter_mut().enumerate() {
                match index % 40 {
                    10..20 => sample.value = f64::NAN,
                    25 => sample.value = f64::INFINITY,
                    _ => {}
                }
            }
        }
        let like = measured.series[0].clone();
        measured.series.extend((0..998).map(|number| Series {
            labels: Labels::new(vec![("pod".into(), format!("a-b-{number}"))]),
            ..like.clone()
        }));
        measured.flaws = Flaws {
            unreadable: 3,
            disordered: 2,
            left_out: 0,
        };
        Ok(Reading {
            measured,
            skew: 7_300_000,
        })
    });
    assert_eq!(charts(&stage).panels[0].store.series().len(), 200);
    assert_snapshot!(stage.screen());
}

/// Lines 100 ms apart from two minutes before the spike to two minutes after it.
fn lines_around(stage: &mut Stage) {
    let texts: Vec<String> = (0..2400)
        .map(|tenth| {
            let at = PEAK.0 - 120_000_000 + tenth * 100_000;
            let at = jiff::Timestamp::from_microsecond(at).unwrap();
            format!("{at:.3} line {tenth}")
        })
        .collect();
    let lines: Vec<Say<'_>> = texts.iter().map(|text| say("5f2a9c01d7e4", text)).collect();
    // They come all at once: their own stamps count, not their arrival.
    let mut raw = deckwatch::model::RawBatch::default();
    for line in &lines {
        let head = deckwatch::model::RowHead {
            recv: Micros(START),
            ..deckwatch::model::RowHead::default()
        };
        raw.push(line.text.as_bytes(), &head);
    }
    stage.batch(0, &raw);
}

fn looked_at(stage: &Stage) -> String {
    let pane = stage.app.panes.values().next().unwrap();
    let id = pane.cursor().unwrap();
    pane.store
        .get(id)
        .unwrap()
        .line()
        .unwrap()
        .as_str()
        .to_owned()
}

#[test]
fn from_a_spike_to_its_first_line_in_two_keys() {
    let mut stage = charted(120, 36);
    lines_around(&mut stage);
    stage.keys("e enter");
    // The first line at or after the moment of the spike.
    assert!(
        looked_at(&stage).ends_with(" line 1200"),
        "{}",
        looked_at(&stage)
    );
    assert_eq!(stage.app.moment, Some(PEAK));
    assert!(stage.app.pane().is_some(), "the lines have the keys");
    assert_snapshot!(stage.screen());
}

#[test]
fn charts_and_lines_are_at_one_moment() {
    let mut stage = charted(120, 36);
    lines_around(&mut stage);
    stage.keys("e");
    let step = i64::try_from(charts(&stage).window(Micros(START)).step.as_micros()).unwrap();
    let line_time = |stage: &Stage| {
        let text = looked_at(stage);
        let at: jiff::Timestamp = text.split(' ').next().unwrap().parse().unwrap();
        at.as_microsecond()
    };
    // On the charts: the line is the first one of each bucket.
    for key in ["left", "left", "right", "h", "h", "h", "l"] {
        stage.keys(key);
        let moment = stage.app.moment.unwrap().0;
        assert_eq!(moment % step, 0, "after {key}");
        let line = line_time(&stage);
        assert!(
            (moment..moment + step).contains(&line),
            "after {key}: {line} {moment}"
        );
    }
    // In the lines: the charts' cursor is in the line's bucket.
    stage.keys("tab");
    for key in ["j", "ctrl-d", "pageup", "k", "space", "g"] {
        stage.keys(key);
        assert_eq!(
            stage.app.moment.unwrap().0,
            line_time(&stage),
            "after {key}"
        );
    }
    // Following again is the present again.
    stage.keys("G");
    assert_eq!(stage.app.moment, None);
}

#[test]
fn a_marked_range_leaves_its_lines_alone() {
    let mut stage = charted(120, 36);
    lines_around(&mut stage);
    stage.keys("e > > > > enter");
    let shown = |stage: &Stage| stage.app.panes.values().next().unwrap().shown_count();
    // Four steps of 5 s at ten lines a second, and the last line of the range.
    assert_eq!(shown(&stage), 201);
    assert!(looked_at(&stage).ends_with(" line 1200"));
    assert_snapshot!(stage.screen());
    stage.keys("esc");
    assert_eq!((shown(&stage), stage.app.marked), (2400, None));
    assert!(
        looked_at(&stage).ends_with(" line 1200"),
        "the place is kept"
    );
}

#[test]
fn lines_without_a_time_of_their_own_stand_before_the_axis_when_replayed() {
    let mut stage = staged(80, 24);
    let mut raw = deckwatch::model::RawBatch::default();
    for (text, flags) in [("old", 1), ("new", 0)] {
        let head = deckwatch::model::RowHead {
            recv: Micros(START),
            flags: deckwatch::model::RowFlags(flags),
            ..deckwatch::model::RowHead::default()
        };
        raw.push(text.as_bytes(), &head);
    }
    stage.batch(0, &raw);
    let pane = stage.app.panes.values().next().unwrap();
    let times: Vec<_> = (0..2)
        .map(|id| pane.time_of(deckwatch::store::LineId(id)))
        .collect();
    assert_eq!(times, [None, Some(Micros(START))]);
    let (from, to) = pane.times.volume.span().unwrap();
    assert_eq!(pane.times.volume.rate(from, to, |_| true), 1);
}

#[test]
fn a_servers_clock_that_is_off_is_taken_into_account() {
    let mut stage = staged(80, 24);
    stage.keys("C");
    answer(&mut stage, |ask| {
        Ok(Reading {
            measured: waves(ask, None),
            skew: -3_000_000,
        })
    });
    // Its present is three seconds ago, and so is what arrives without a time of its own.
    let window = charts(&stage).window(Micros(START));
    assert_eq!(window.to, Micros(START - 5_000_000));
    stage.lines(
        0,
        &[say("", "no stamp"), say("", "2026-11-24T14:00:00Z stamp")],
    );
    let pane = stage.app.panes.values().next().unwrap();
    let times: Vec<_> = (0..2)
        .map(|id| pane.time_of(deckwatch::store::LineId(id)).unwrap().0)
        .collect();
    assert_eq!(times, [START - 3_000_000, PEAK.0]);
}

/// Lines of every level: a calm, then errors all at once.
fn leveled(stage: &mut Stage) {
    let words = ["INFO fine", "DEBUG details", "WARN slow", "no level"];
    for (second, word) in (0..240).zip(words.iter().cycle()) {
        stage.lines(0, &[say("", word)]);
        if (200..205).contains(&second) {
            stage.lines(0, &vec![say("", "ERROR refused"); 8]);
        }
        stage.pass(900);
    }
}

#[test]
fn the_strip_over_lines_shows_what_came_when() {
    let mut stage = staged(100, 20);
    leveled(&mut stage);
    stage.keys("i");
    let mut screens = stage.styled();
    stage.keys("i");
    screens.push_str(&stage.screen());
    assert_snapshot!(screens);
    // A burst of errors is a tick; the range around it has its errors.
    stage.keys("i i E < < < < < < < < enter");
    stage.keys("e");
    assert!(
        looked_at(&stage).starts_with("ERROR"),
        "{}",
        looked_at(&stage)
    );
    stage.keys("i i");
    let low = {
        stage.tell(Msg::Resize(100, 9));
        stage.screen()
    };
    assert!(
        !low.contains("──"),
        "no strip where there is no room:\n{low}"
    );
}

#[test]
fn an_alert_turns_its_chart_rings_and_notifies_once() {
    let mut stage = staged(100, 24);
    let mut alert = deckwatch::codec::alert::parse("cpu > 300").unwrap();
    alert.notify = true;
    alert.name = "hot".into();
    let mut rate = deckwatch::codec::alert::parse("rate(error) >= 1").unwrap();
    rate.bell = false;
    let recipes = stage.app.recipes.clone();
    stage.app.use_alerts(recipes, vec![alert, rate]);
    stage.keys("C");
    // The newest value is the spike.
    answer(&mut stage, |ask| Ok(good(waves(ask, Some(ask.window.to)))));
    let rings = |stage: &mut Stage| {
        let wishes = std::mem::take(&mut stage.wishes);
        let rings = wishes.iter().filter(|wish| matches!(wish, Effect::Ring));
        let notices = wishes
            .iter()
            .filter(|wish| matches!(wish, Effect::Notify(_)));
        (rings.count(), notices.count())
    };
    assert_eq!(rings(&mut stage), (1, 1));
    assert_snapshot!(stage.screen());
    stage.pass(5_000);
    answer(&mut stage, |ask| Ok(good(waves(ask, None))));
    assert_eq!(rings(&mut stage), (0, 0));
    assert!(
        charts(&stage)
            .panels
            .iter()
            .all(|panel| panel.alarm.is_none())
    );
    // Errors that come at one a second and more turn the lines.
    stage.lines(0, &vec![say("", "ERROR refused"); 30]);
    stage.pass(2_000);
    let pane = stage.app.panes.values().next().unwrap();
    assert_eq!(pane.alarm.as_deref(), Some("rate(error) >= 1"));
    stage.pass(20_000);
    let pane = stage.app.panes.values().next().unwrap();
    assert_eq!(pane.alarm, None);
    assert_eq!(rings(&mut stage), (0, 0));
}

#[test]
fn what_is_seen_is_asked_for_and_nothing_twice() {
    let mut stage = staged(120, 36);
    stage.keys("C");
    let first = asks(&mut stage);
    assert_eq!(first.len(), Metric::ALL.len());
    stage.pass(1_000);
    assert!(asks(&mut stage).is_empty(), "the answers are waited for");
    for ask in &first {
        let measured = waves(ask, None);
        stage.tell(Msg::Measured(Box::new(ask.clone()), Ok(good(measured))));
    }
    assert!(asks(&mut stage).is_empty());
    stage.pass(5_000);
    let second = asks(&mut stage);
    assert_eq!(second.len(), Metric::ALL.len());
    // Only the end of the axis is asked for again.
    for ask in &second {
        let length =
            Duration::from_micros(u64::try_from(ask.window.to.0 - ask.window.from.0).unwrap());
        assert!(length < Duration::from_secs(60), "{length:?}");
    }
    // An answer to an older question changes nothing.
    let late = || Fault::new(FaultKind::Unreachable, "x", "late", "");
    let (ask, old) = (second[0].clone(), first[0].clone());
    let panel = ask.panel;
    let fault = |stage: &Stage| charts(stage).panels[panel].fault.clone();
    stage.tell(Msg::Measured(Box::new(old), Err(late())));
    assert_eq!(fault(&stage), None);
    stage.tell(Msg::Measured(Box::new(ask), Err(late())));
    assert_eq!(fault(&stage).as_deref(), Some("x: late"));
    // One chart alone is the only one that is asked for; a hidden pane asks nothing.
    for ask in second {
        let measured = waves(&ask, None);
        stage.tell(Msg::Measured(Box::new(ask), Ok(good(measured))));
    }
    asks(&mut stage);
    stage.keys("o -");
    assert_eq!(asks(&mut stage).len(), 1);
    stage.keys("tab f");
    stage.pass(60_000);
    assert!(asks(&mut stage).is_empty());
    let gone = *stage.app.charts.keys().next().unwrap();
    stage.keys("f tab ctrl-w c");
    let stops = stage
        .wishes
        .iter()
        .any(|wish| matches!(wish, Effect::StopMeasuring(pane) if *pane == gone));
    assert!(stops);
}

#[test]
fn without_colours_charts_are_charts() {
    let mut stage = charted(80, 24);
    let want = stage.screen();
    stage.theme = Theme::find("plain", None).unwrap();
    assert_eq!(stage.screen(), want);
    let (buf, _) = stage.paint();
    let plain = buf.content().iter().all(|cell| {
        cell.style()
            .fg
            .is_none_or(|fg| fg == ratatui::style::Color::Reset)
            && cell
                .style()
                .bg
                .is_none_or(|bg| bg == ratatui::style::Color::Reset)
    });
    assert!(plain);
}

/// reliability.md 8, row 28: the wall clock is for showing. Nothing is asked for more often, and
/// nothing sooner or later, whatever it is set to.
#[test]
fn row_28_a_wall_clock_that_jumps_moves_no_deadline() {
    const HOUR: i64 = 3_600_000_000;
    for jump in [HOUR, -HOUR, 8766 * HOUR, -8766 * HOUR, 1_000_000] {
        let mut stage = charted(120, 36);
        lines_around(&mut stage);
        stage.app.fail("something");
        stage.keys("i");
        asks(&mut stage);
        stage.jump(jump);
        answer(&mut stage, |ask| Ok(good(waves(ask, None))));
        let before = stage.app.wake_at().unwrap();
        for step in 0..20 {
            stage.pass(100);
            let waits = stage.app.wake_at().unwrap() >= before;
            assert!(waits, "{jump}, {step}");
        }
        assert!(asks(&mut stage).is_empty(), "{jump}: not before its time");
        stage.pass(8_000);
        assert!(
            stage.app.notice.is_none(),
            "{jump}: a notice goes in its time"
        );
        assert!(
            !asks(&mut stage).is_empty(),
            "{jump}: asked for again in time"
        );
        assert!(!stage.screen().is_empty());
        stage.keys("e ( ) < > enter");
        stage.jump(-jump);
        assert!(!stage.screen().is_empty());
    }
}
