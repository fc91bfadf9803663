//! Tables of what costs most, and all components at a glance.

use std::sync::Arc;

use deckwatch::app::overview::Overlook;
use deckwatch::app::tree::{Answer, Question};
use deckwatch::app::{Effect, Msg};
use deckwatch::codec::target::Target;
use deckwatch::lang::{self, Lang};
use deckwatch::model::metric::Metric;
use deckwatch::model::usage::{Cell, METRICS, Usage};
use deckwatch::model::{LinkState, Mark, PaneId};
use insta::assert_snapshot;

use super::charts::place;
use super::{Stage, say};

/// A table of the request analysis.
fn tabled(width: u16, height: u16) -> Stage {
    let mut stage = Stage::new(width, height, 0);
    let target = Target::parse("ws://10.0.0.1:6060/new_monitor_message#id").unwrap();
    let area = stage.app.area;
    stage.app = deckwatch::app::App::new(vec![target], false, 1 << 20, area, stage.now());
    stage.app.take_wishes();
    stage.state(0, LinkState::Live);
    for round in 1..=3 {
        let rows = [
            ("/api/orders", 120.5, 12),
            ("/api/支付", 900.0 / f64::from(round), 3),
            (
                "SELECT * FROM orders WHERE user_id = ? AND state IN (?, ?, ?) ORDER BY created_at",
                42.0,
                7,
            ),
        ];
        let rows = rows.map(|(key, mean, count)| {
            serde_json::json!({"ServiceID": "id", "Port": "8080", "HostName": "h", "MessageType":
                if key.starts_with('/') { "http" } else { "mysql" }, "Key": key,
                "CumulativeTime": mean * f64::from(count) * f64::from(round), "AverageTime": mean,
                "MaxTime": mean * 3.0, "Count": count * round, "AbnormalCount": round - 1})
        });
        let text = serde_json::to_string(&rows).unwrap();
        stage.lines(0, &[say("", &text)]);
        stage.pass(4900);
    }
    stage
}

#[test]
fn a_table_at_every_size() {
    for (width, height) in [(120, 12), (80, 10), (40, 10)] {
        for lang in [Lang::En, Lang::Zh] {
            let screen = lang::within(lang, || tabled(width, height).screen());
            assert_snapshot!(format!("table_{lang:?}_{width}x{height}"), screen);
        }
    }
}

#[test]
fn a_table_is_sorted_looked_into_taken_back_and_ages_out() {
    let mut stage = tabled(100, 12);
    stage.keys("o o");
    let mut screens = stage.screen();
    stage.keys("O j enter");
    screens.push_str(&stage.screen());
    stage.keys("esc left left y");
    screens.push_str(&stage.screen());
    let copied = stage.wishes.iter().find_map(|wish| match wish {
        Effect::Copy(text) => Some(text.clone()),
        _ => None,
    });
    assert_eq!(copied.unwrap().lines().count(), 4);
    stage.keys("G");
    // Something else than a list is no list, and changes nothing.
    stage.lines(0, &[say("", "{\"a\":1}")]);
    stage.pass(31_000);
    screens.push_str(&stage.screen());
    assert_snapshot!(screens);
}

#[test]
fn a_table_tells_what_it_did_not_take() {
    for (lang, words) in [
        (Lang::En, ["7 messages dropped", "1 lists left out"]),
        (Lang::Zh, ["丢弃 7 条消息", "1 个列表未显示"]),
    ] {
        let screen = lang::within(lang, || {
            let mut stage = tabled(200, 10);
            stage.mark(0, Mark::Dropped { lines: 7 });
            for n in 0..16 {
                let list = serde_json::json!({"name": format!("list {n}"), "data": []});
                stage.lines(0, &[say("", &list.to_string())]);
            }
            stage.screen()
        });
        assert!(words.iter().all(|word| screen.contains(word)), "{screen}");
    }
}

#[test]
fn the_lists_of_a_table_are_part_of_the_memory() {
    let mut stage = tabled(80, 10);
    let before = stage.app.held();
    let key = "x".repeat(4000);
    let list =
        serde_json::json!([{"Key": key, "Count": 1}, {"Key": format!("{key}y"), "Count": 1}]);
    stage.lines(0, &[say("", &list.to_string())]);
    assert!(stage.app.held() > before + 8_000);
}

fn usages() -> Vec<Usage> {
    let one = |alias: &str, name: &str, scale: f64| Usage {
        place: place(alias, name),
        pods: 2,
        cells: METRICS
            .iter()
            .map(|metric| {
                let silent = *metric == Metric::ResponseTime && scale > 2.0;
                let trend: Vec<f64> = (0..21)
                    .map(|at| {
                        if at == 5 {
                            f64::NAN
                        } else {
                            scale * f64::from(at + 1)
                        }
                    })
                    .collect();
                Cell {
                    now: (!silent).then_some(scale * 21.0),
                    trend: if silent { Vec::new() } else { trend },
                }
            })
            .collect(),
    };
    vec![
        one("order-center", "订单中心", 1.0),
        one("payment", "支付", 30.5),
        one(
            "gateway",
            "a-very-long-name-of-a-component-that-does-not-fit",
            0.1,
        ),
    ]
}

#[test]
fn components_at_a_glance_at_every_size() {
    for (width, height) in [(200, 12), (120, 12), (80, 10), (40, 10)] {
        for lang in [Lang::En, Lang::Zh] {
            let screen = lang::within(lang, || {
                let mut stage = Stage::new(width, height, 0);
                let context = Arc::clone(&place("a", "a").context);
                stage.app.open_overview(Overlook::new(context, Vec::new()));
                stage.keys("j");
                let asked = stage.wishes.iter().find_map(|wish| match wish {
                    Effect::Explore(Question::Usage(pane, ..)) => Some(*pane),
                    _ => None,
                });
                let pane = asked.unwrap();
                let question = |pane: PaneId| {
                    Question::Usage(pane, Arc::clone(&place("a", "a").context), Vec::new())
                };
                stage.tell(Msg::Explored(question(pane), Ok(Answer::Usage(usages()))));
                stage.keys("o j");
                stage.screen()
            });
            assert_snapshot!(format!("usage_{lang:?}_{width}x{height}"), screen);
        }
    }
}
