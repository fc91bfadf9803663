//! The tree of what runs, at every size and in both languages.

use std::sync::Arc;

use deckwatch::app::mode::Mode;
use deckwatch::app::tree::{Answer, Question};
use deckwatch::app::{Effect, Msg};
use deckwatch::codec::target::Target;
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

/// What was asked for last.
fn asked(stage: &Stage) -> Question {
    let mut asked = stage.wishes.iter().rev().filter_map(|wish| match wish {
        Effect::Explore(question) => Some(question.clone()),
        _ => None,
    });
    asked.next().unwrap()
}

#[test]
fn an_answer_takes_no_keyboard_that_is_someone_elses_by_now() {
    let shell = || Target::parse("wss://10.0.0.1:6060/docker_console#ten/svc/web-0").unwrap();
    // What is done between a question and its answer, and whether the answer still shows.
    for (meanwhile, shows) in [
        ("k", true),
        ("j", true),
        // A filter of the tree, a line, a question, the help, a sequence of keys.
        ("/ a", false),
        (": a", false),
        ("?", false),
        ("ctrl-w", false),
    ] {
        for (key, details) in [("i", true), ("s", false)] {
            let mut stage = grown(120, 36);
            stage.keys(key);
            let question = asked(&stage);
            let answer = if details {
                Answer::Details(vec!["told".into()])
            } else {
                Answer::Shell(Box::new(shell()))
            };
            stage.keys(meanwhile);
            let focus = stage.app.tabs.now.focus;
            stage.tell(Msg::Explored(question, Ok(answer)));
            let shown = if details {
                matches!(stage.app.mode, Mode::Details { .. })
            } else {
                stage.app.shell().is_some()
            };
            assert_eq!(shown, shows, "{key} {meanwhile}");
            if !shows {
                assert_eq!(stage.app.tabs.now.focus, focus, "{key} {meanwhile}");
                assert!(stage.app.notice.is_some(), "{key} {meanwhile}");
            }
        }
    }
}

#[test]
fn a_password_is_typed_to_its_end_whatever_comes_meanwhile() {
    let mut stage = grown(120, 36);
    stage.keys("i");
    let question = asked(&stage);
    stage.enter(":", "shell https://bob@10.0.0.1/x/");
    assert!(
        stage.screen().contains("password of bob"),
        "{}",
        stage.screen()
    );
    stage.type_in("se");
    let details = Answer::Details(vec!["told".into()]);
    stage.tell(Msg::Explored(question, Ok(details)));
    let pane = stage.app.tabs.now.focus;
    stage.tell(Msg::Examined(pane, "x".into(), vec!["y".into()]));
    stage.type_in("qret");
    stage.keys("enter");
    let password = stage.wishes.iter().find_map(|wish| match wish {
        Effect::OpenShell { login, .. } => login.as_ref(),
        _ => None,
    });
    assert_eq!(password.map(|(_, secret)| secret.expose()), Some("seqret"));
}

#[test]
fn a_shell_that_comes_late_takes_no_words_from_the_one_that_is_typed_into() {
    let mut stage = grown(120, 36);
    stage.keys("s");
    let question = asked(&stage);
    stage.enter(
        ":",
        "shell wss://10.0.0.1:6060/docker_console#ten/svc/web-0",
    );
    let typed = stage.app.tabs.now.focus;
    assert!(stage.app.shell().is_some());
    let other = Target::parse("wss://10.0.0.1:6060/docker_console#ten/svc/web-1").unwrap();
    stage.tell(Msg::Explored(question, Ok(Answer::Shell(Box::new(other)))));
    assert_eq!(stage.app.tabs.now.focus, typed);
    assert_eq!(stage.app.shells.len(), 1);
}
