//! The tree of what runs, at every size and in both languages.

use std::sync::Arc;

use deckwatch::app::Msg;
use deckwatch::app::tree::{Answer, Question};
use deckwatch::lang::{self, Lang};
use deckwatch::model::catalog::{App, Component, Container, Pod, Region, Team};
use deckwatch::model::context::{Api, Context, Place};
use deckwatch::model::{Fault, FaultKind};
use insta::assert_snapshot;

use super::Stage;

fn context(name: &str, colour: Option<&str>) -> Arc<Context> {
    let server = "https://console.example".parse().unwrap();
    Arc::new(Context {
        read_only: colour.is_some(),
        colour: colour.map(str::to_owned),
        ..Context::new(name, server, Api::Console)
    })
}

fn component(alias: &str, name: &str, status: &str) -> Component {
    Component {
        id: format!("id of {alias}"),
        alias: alias.into(),
        name: name.into(),
        status: status.into(),
        memory: Some(512),
    }
}

fn pod(name: &str, status: &str, old: bool) -> Pod {
    let container = |name: &str, memory: u64| Container {
        name: name.into(),
        memory: Some(memory << 20),
        limit: Some(512 << 20),
    };
    Pod {
        name: name.into(),
        status: status.into(),
        old,
        containers: vec![container("order", 300), container("mesh", 20)],
    }
}

/// Two contexts: one grown down to its pods, one that can't be reached.
fn grown(width: u16, height: u16) -> Stage {
    let mut stage = Stage::new(width, height, 0);
    let (prod, test) = (context("prod", Some("red")), context("test", None));
    stage.app.contexts = vec![Arc::clone(&prod), Arc::clone(&test)];
    stage.app.context = Some(Arc::clone(&prod));
    stage.keys("@");
    let team = Team {
        name: "shop".into(),
        alias: "商城".into(),
        regions: vec![Region {
            name: "east".into(),
            alias: "东区".into(),
        }],
        ..Team::default()
    };
    stage.tell(Msg::Explored(
        Question::Teams(Arc::clone(&prod)),
        Ok(Answer::Teams(vec![team])),
    ));
    let components = vec![
        component("order-center", "订单中心", "running"),
        component("payment", "支付", "abnormal"),
        component("worker", "后台任务", "undeploy"),
    ];
    let app = App {
        id: "12".into(),
        name: "在线商店".into(),
        k8s: "store".into(),
        status: "SOME_ABNORMAL".into(),
        memory: Some(3072),
        cpu: Some(1500),
        running: Some((2, 3)),
        components: components.clone(),
    };
    let apps = Question::Apps(Arc::clone(&prod), "shop".into(), "east".into());
    stage.tell(Msg::Explored(apps, Ok(Answer::Apps(vec![app]))));
    stage.keys("down down right down right");
    let place = Place::of(
        &prod,
        ("shop", "east", "在线商店"),
        component("order-center", "订单中心", "running"),
    );
    let pods = vec![
        pod("store-order-center-7d9f-x2x1v", "RUNNING", false),
        pod("store-order-center-5c4b-qq8zz", "Terminating", true),
    ];
    stage.tell(Msg::Explored(
        Question::Pods(Box::new(place)),
        Ok(Answer::Pods(pods)),
    ));
    let why = "the connection was refused: nothing listens there";
    let fault = Fault::new(FaultKind::Unreachable, "https://test.example", why, "");
    stage.tell(Msg::Explored(Question::Teams(test), Err(fault)));
    stage
}

#[test]
fn it_shows_what_runs_and_what_was_typed() {
    for lang in [Lang::En, Lang::Zh] {
        for (width, height) in [(120, 36), (80, 24), (40, 10)] {
            let screens = lang::within(lang, || {
                let mut stage = grown(width, height);
                stage.keys("down space");
                let first = stage.screen();
                stage.keys("/");
                stage.type_in("zf");
                let second = stage.screen();
                stage.keys("enter ctrl-p");
                stage.type_in("ddzx");
                format!("{first}\n{second}\n{}", stage.screen())
            });
            assert_snapshot!(format!("tree_{lang:?}_{width}x{height}"), screens);
        }
    }
}
