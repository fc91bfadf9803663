use std::path::PathBuf;
use std::time::Instant;

use url::Url;

use super::*;
use crate::model::context::{Api, Credential};

fn context(name: &str) -> Arc<Context> {
    let server = Url::parse("https://console.example").unwrap();
    Arc::new(Context {
        credential: Credential::File(PathBuf::from("/none")),
        ..Context::new(name, server, Api::Console)
    })
}

fn component(alias: &str, name: &str) -> Component {
    Component {
        id: format!("id-{alias}"),
        alias: alias.into(),
        name: name.into(),
        status: "running".into(),
        memory: Some(512),
    }
}

/// A tree with one team, one app and three components.
#[expect(clippy::disallowed_methods, reason = "a test's own clock")]
fn grown() -> (Tree, Arc<Context>, Instant) {
    let context = context("prod");
    let now = Instant::now();
    let mut tree = Tree::new(PaneId(0), &[Arc::clone(&context)], Some(&context));
    let asked = tree.questions(now);
    assert!(matches!(asked.as_slice(), [Question::Teams(_)]));
    let team = Team {
        name: "shop".into(),
        alias: "商城".into(),
        regions: vec![crate::model::catalog::Region {
            name: "east".into(),
            alias: "东区".into(),
        }],
        ..Team::default()
    };
    tree.take(&asked[0], Ok(Answer::Teams(vec![team])));
    let asked = tree.questions(now);
    let [Question::Apps(_, team, region)] = asked.as_slice() else {
        panic!("{asked:?}");
    };
    assert_eq!((team.as_str(), region.as_str()), ("shop", "east"));
    let app = Group {
        id: "12".into(),
        name: "在线商店".into(),
        status: "RUNNING".into(),
        components: vec![
            component("gr1", "订单中心"),
            component("gr2", "支付"),
            component("gr3", "web"),
        ],
        ..Group::default()
    };
    tree.take(&asked[0], Ok(Answer::Apps(vec![app])));
    (tree, context, now)
}

fn names(tree: &Tree) -> Vec<String> {
    tree.rows()
        .into_iter()
        .map(|row| format!("{}{}", " ".repeat(row.depth), row.name))
        .collect()
}

#[test]
fn it_grows_as_it_is_opened_and_asks_for_no_more() {
    let (mut tree, _, now) = grown();
    assert_eq!(names(&tree), ["prod", " 商城", "  在线商店"]);
    assert!(tree.questions(now).is_empty(), "nothing more is open");
    tree.open.insert(["prod", "shop", "east", "12"].join("\0"));
    assert_eq!(names(&tree).len(), 6);
    let asked = tree.questions(now);
    assert!(matches!(asked.as_slice(), [Question::Components(..)]));
    tree.open
        .insert(["prod", "shop", "east", "12", "gr1"].join("\0"));
    let asked = tree.questions(now);
    let [Question::Pods(place)] = asked.as_slice() else {
        panic!("{asked:?}");
    };
    assert_eq!(place.path(), "shop/在线商店/订单中心");
    assert_eq!(tree.questions(now + PODS).len(), 1, "pods are kept fresh");
}

#[test]
fn of_more_than_can_be_asked_at_once_those_that_waited_longest_come_first() {
    let (mut tree, _, mut now) = grown();
    let app = ["prod", "shop", "east", "12"].join("\0");
    tree.open.insert(app.clone());
    let many = 3 * WAITING / 2;
    let components = (0..many).map(|n| component(&format!("gr{n}"), "web"));
    let asked = tree.questions(now);
    tree.take(&asked[0], Ok(Answer::Components(components.collect())));
    for n in 0..many {
        tree.open.insert(format!("{app}\0gr{n}"));
    }
    let mut first = std::collections::BTreeMap::new();
    // All are answered, and due again, before the next look.
    for look in 0..4 {
        let asked = tree.questions(now);
        assert!(asked.len() <= WAITING);
        for question in &asked {
            if let Question::Pods(place) = question {
                first.entry(place.component.alias.clone()).or_insert(look);
            }
            tree.take(question, Ok(Answer::Pods(Vec::new())));
        }
        now += PODS;
    }
    assert_eq!(first.len(), many, "each has its turn");
    assert!(first.values().all(|look| *look <= 1), "{first:?}");
}

#[test]
fn a_filter_finds_names_and_initials_and_shows_what_they_stand_under() {
    let (mut tree, ..) = grown();
    for (filter, want) in [
        ("ddzx", &["prod", " 商城", "  在线商店", "   订单中心"][..]),
        ("gr2", &["prod", " 商城", "  在线商店", "   支付"]),
        ("WEB", &["prod", " 商城", "  在线商店", "   web"]),
        ("zzz", &[]),
    ] {
        tree.filter = filter.into();
        assert_eq!(names(&tree), want, "{filter}");
    }
}

#[test]
fn what_can_not_be_had_is_said_and_what_was_known_stays() {
    let (mut tree, context, now) = grown();
    let fault = Fault::new(
        crate::model::FaultKind::Unreachable,
        "https://console.example",
        "it is not ready (503)",
        "",
    );
    let asked = Question::Apps(context, "shop".into(), "east".into());
    tree.take(&asked, Err(fault));
    let rows = tree.rows();
    assert!(rows.iter().any(|row| row.name == "在线商店"));
    let last = rows.last().unwrap();
    assert_eq!(last.thing, Thing::Words { fault: true });
    assert!(last.name.contains("503"));
    assert!(
        tree.questions(now + APPS).is_empty(),
        "it is left alone for a while"
    );
    assert_eq!(tree.questions(now + AGAIN).len(), 1);
}

#[test]
fn sizes_that_no_machine_has_are_shown_as_large_ones() {
    let (mut tree, context, _) = grown();
    let huge = |name: &str| crate::model::catalog::Container {
        name: name.into(),
        memory: Some(u64::MAX / 2 + 1),
        limit: Some(u64::MAX),
    };
    let pod = Pod {
        name: "gr1-0".into(),
        containers: vec![huge("a"), huge("b")],
        ..Pod::default()
    };
    let big = Component {
        memory: Some(1 << 44),
        ..component("gr1", "订单中心")
    };
    let app = Group {
        id: "12".into(),
        memory: Some(1 << 44),
        components: vec![big.clone()],
        ..Group::default()
    };
    let apps = Question::Apps(Arc::clone(&context), "shop".into(), "east".into());
    tree.take(&apps, Ok(Answer::Apps(vec![app])));
    let place = Place::of(&context, ("shop", "east", ""), big);
    tree.take(
        &Question::Pods(Box::new(place)),
        Ok(Answer::Pods(vec![pod])),
    );
    for key in [
        &["prod", "shop", "east"][..],
        &["prod", "shop", "east", "12"],
        &["prod", "shop", "east", "12", "gr1"],
    ] {
        tree.open.insert(key.join("\0"));
    }
    let usages: Vec<String> = tree.rows().into_iter().map(|row| row.usage).collect();
    let most = crate::model::words::bytes(u64::MAX);
    assert_eq!(usages, ["", "1 app", &most, &most, &most]);
}

/// Teams of these numbers, in one region each.
fn teams(numbers: std::ops::Range<usize>) -> Vec<Team> {
    let region = crate::model::catalog::Region {
        name: "east".into(),
        alias: "东区".into(),
    };
    let team = |at: usize| Team {
        name: format!("team {at}"),
        alias: format!("team {at}"),
        regions: vec![region.clone()],
        ..Team::default()
    };
    numbers.map(team).collect()
}

/// Apps of these numbers, with so many components each.
fn apps(numbers: std::ops::Range<usize>, components: usize) -> Vec<Group> {
    let app = |at: usize| Group {
        id: format!("{at}"),
        name: format!("app {at}"),
        components: (0..components)
            .map(|one| component(&format!("gr{one}"), "web"))
            .collect(),
        ..Group::default()
    };
    numbers.map(app).collect()
}

#[test]
fn a_platform_is_asked_so_much_at_once_and_for_everything_in_the_end() {
    let (mut tree, context, now) = grown();
    let many = teams(0..1000);
    tree.take(&Question::Teams(context), Ok(Answer::Teams(many)));
    let mut waiting = Vec::new();
    let mut seen = BTreeSet::new();
    let mut most = 0;
    loop {
        waiting.extend(tree.questions(now));
        most = most.max(waiting.len());
        let Some(question) = waiting.pop() else { break };
        let Question::Apps(_, team, _) = &question else {
            panic!("{question:?}");
        };
        assert!(seen.insert(team.clone()), "{team} is asked for once");
        let answer = if seen.len() % 2 == 0 {
            Ok(Answer::Apps(Vec::new()))
        } else {
            Err(Fault::new(
                crate::model::FaultKind::Unreachable,
                "x",
                "y",
                "",
            ))
        };
        tree.take(&question, answer);
    }
    assert_eq!((seen.len(), most), (1000, 64));
}

#[test]
fn lists_that_are_too_long_are_cut_and_it_is_said() {
    let (mut tree, context, _) = grown();
    let asked = Question::Apps(Arc::clone(&context), "shop".into(), "east".into());
    tree.take(&asked, Ok(Answer::Apps(apps(0..10_005, 0))));
    let names = names(&tree);
    assert_eq!(names.len(), 10_003);
    assert_eq!(names.last().unwrap(), "  not shown: 5 more");
    tree.take(&asked, Ok(Answer::Apps(apps(0..9000, 5))));
    assert_eq!(tree.places().len(), 30_000 - 9001, "and all together");
    let many = Question::Teams(context);
    tree.take(&many, Ok(Answer::Teams(teams(0..10_007))));
    let rows = tree.rows();
    let last = rows.last().unwrap();
    assert_eq!((last.depth, &*last.name), (1, "not shown: 7 more"));
}

#[test]
fn what_is_known_below_stays_in_long_lists_whatever_their_order() {
    let (mut tree, context, _) = grown();
    let all = Question::Teams(Arc::clone(&context));
    tree.take(&all, Ok(Answer::Teams(teams(0..9000))));
    let one = Question::Apps(Arc::clone(&context), "team 7".into(), "east".into());
    tree.take(&one, Ok(Answer::Apps(apps(0..9000, 1))));
    let place = Place::of(
        &context,
        ("team 7", "east", "app 8"),
        component("gr0", "web"),
    );
    let pod = Pod {
        name: "gr0-0".into(),
        ..Pod::default()
    };
    tree.take(
        &Question::Pods(Box::new(place)),
        Ok(Answer::Pods(vec![pod])),
    );
    let mut turned = teams(0..9000);
    turned.reverse();
    tree.take(&all, Ok(Answer::Teams(turned)));
    let mut turned = apps(0..9000, 1);
    turned.reverse();
    tree.take(&one, Ok(Answer::Apps(turned)));
    let team = tree.contexts[0]
        .teams
        .items
        .iter()
        .find(|one| one.team.name == "team 7")
        .unwrap();
    assert_eq!(team.apps.items[0].app.id, "8999");
    let components = team.apps.items.iter().flat_map(|app| &app.components.items);
    let pods = components.flat_map(|one| &one.pods.items);
    assert_eq!(pods.count(), 1);
}
