//! What lies over the panes: help, record, prompts, notices.

use deckwatch::app::pane::Pane;
use deckwatch::app::record::{self, Part, Record};
use deckwatch::app::{Effect, Msg, key::Key};
use deckwatch::model::{LinkState, Micros, RawBatch, RowHead, SourceName};
use insta::assert_snapshot;

use super::{START, Stage, say, shop};

fn staged(width: u16, height: u16) -> Stage {
    let mut stage = Stage::new(width, height, 2);
    stage.state(0, LinkState::Live);
    stage.lines(0, &shop());
    stage
}

#[test]
fn the_help_at_every_size() {
    for (width, height) in [(120, 36), (80, 24), (40, 10)] {
        let mut stage = staged(width, height);
        stage.keys("?");
        let first = stage.screen();
        stage.keys("d j");
        assert_snapshot!(
            format!("help_{width}x{height}"),
            format!("{first}\n{}", stage.screen())
        );
    }
}

#[test]
fn the_help_can_be_scrolled_to_its_end_and_back_at_once() {
    let mut stage = staged(80, 24);
    stage.keys("?");
    let first = stage.screen();
    for _ in 0..100 {
        stage.keys("d");
    }
    let last = stage.screen();
    stage.keys("u");
    assert_ne!(stage.screen(), last, "one key up is seen at once");
    stage.keys("g");
    assert_eq!(stage.screen(), first);
    assert_snapshot!(last);
}

#[test]
fn a_record_in_full() {
    let mut stage = Stage::new(100, 30, 1);
    stage.state(0, LinkState::Live);
    let source = SourceName::within("订单服务".as_bytes(), b"81be03aa77c9");
    let mut raw = RawBatch::default();
    let head = RowHead {
        source: Some(&source),
        recv: Micros(START),
        stamp: Some(Micros(START - 250_000)),
        ..RowHead::default()
    };
    raw.push(b"\x1b[31m2026-11-24 14:03:19\x1b[0m plain before", &head);
    raw.push(
        "{\"level\":\"error\",\"msg\":\"支付失败\",\"order\":{\"id\":1042,\"items\":[1,2]},\"ok\":false}".as_bytes(),
        &head,
    );
    stage.batch(0, &raw);
    stage.keys("enter");
    let record = stage.styled();
    stage.keys("k");
    let before = stage.screen();
    stage.keys("k");
    assert_eq!(stage.screen(), before, "there is none before it");
    assert_snapshot!(format!("{record}\n{before}"));
}

#[test]
fn a_record_in_a_small_terminal() {
    let mut stage = staged(40, 10);
    stage.keys("k k k enter");
    let first = stage.screen();
    stage.keys("d");
    assert_snapshot!(format!("{first}\n{}", stage.screen()));
}

#[test]
fn the_panel_of_layers_without_any() {
    let mut stage = staged(80, 10);
    stage.keys("X");
    assert_snapshot!(stage.screen());
}

#[test]
fn every_prompt() {
    let mut screens = String::new();
    for key in ["/", "&", ":", "o", "a", "ctrl-s"] {
        let mut stage = staged(80, 6);
        stage.keys(key);
        screens += &stage.screen();
        stage.type_in("订单 x");
        screens += &stage.screen();
    }
    let mut stage = staged(80, 6);
    stage.keys("/ tab tab tab alt-r");
    stage.type_in("(literal");
    screens += &stage.screen();
    stage.keys("enter /");
    stage.tell(Msg::Paste(format!("start {} end", "很长的文字".repeat(20))));
    screens += &stage.screen();
    assert_snapshot!(screens);
}

#[test]
fn notices_faults_and_keys_that_mean_nothing() {
    let mut screens = String::new();
    let mut stage = staged(80, 8);
    for text in ["(", "x{99999}"] {
        stage.enter("/", text);
        screens += &stage.screen();
        stage.keys("esc");
    }
    stage.keys("Z");
    screens += &stage.screen();
    stage.keys("ctrl-w Z");
    screens += &stage.screen();
    stage.keys("ctrl-c");
    screens += &stage.screen();
    stage.enter(":", "theme nowhere");
    stage.tell(Msg::Failed(
        "theme \"nowhere\": there is none of that name; the built-in ones are dark, light, contrast, ansi16, plain; a file of your own goes to deckwatch/themes in the config directory".into(),
    ));
    screens += &stage.screen();
    stage.pass(10_000);
    screens += &stage.screen();
    assert_snapshot!(screens);
}

#[test]
fn a_notice_goes_by_itself() {
    let mut stage = staged(80, 8);
    stage.keys("ctrl-c");
    let wake = stage.app.wake_at().unwrap();
    assert!(stage.screen().contains("Ctrl-c again"));
    stage.pass(4100);
    assert!(!stage.screen().contains("Ctrl-c again"));
    assert!(stage.app.notice.is_none() && wake < stage.start + stage.passed);
}

#[test]
fn escape_never_quits() {
    let mut stage = staged(80, 8);
    stage.enter("/", "order");
    stage.keys("v ? esc esc esc esc");
    stage.tell(Msg::Key(Key::parse("esc").unwrap()));
    let quits = stage
        .wishes
        .iter()
        .filter(|wish| matches!(wish, Effect::Quit));
    assert_eq!(quits.count(), 0);
    stage.lines(0, &[say("", "still here")]);
    stage.keys("G");
    assert!(stage.screen().contains("still here"));
}

#[test]
fn an_examination_is_asked_for_by_a_key_and_its_findings_are_shown() {
    let mut stage = staged(80, 24);
    stage.keys("!");
    let asked = |wish: &Effect| matches!(wish, Effect::Examine(..));
    assert_eq!(stage.wishes.iter().filter(|wish| asked(wish)).count(), 1);
    assert!(stage.screen().contains("examining"));
    stage.tell(Msg::Examined(
        stage.app.tabs.now.focus,
        "ws://h/x".into(),
        vec!["=> it is well".into()],
    ));
    assert!(stage.screen().contains("=> it is well"));
    stage.keys("esc");
    assert!(!stage.screen().contains("=> it is well"));
}

#[test]
fn a_record_shows_the_begin_of_a_very_long_line_and_says_how_much_is_left() {
    let mut stage = Stage::with(80, 24, 1, false, 8 << 20);
    stage.state(0, LinkState::Live);
    let long = "字x".repeat(50_000);
    stage.lines(0, &[say("", &long)]);
    let line = stage.app.pane().and_then(Pane::cursor).unwrap();
    let inner = record::inside(record::place(stage.app.area));
    let record = Record::of(&stage.app, line, inner).unwrap();
    let texts = record.rows.iter().filter_map(|row| match row {
        Part::Text(text) => Some(text.as_str()),
        Part::Field(..) | Part::Heading(_) | Part::Json(_) => None,
    });
    let texts: Vec<&str> = texts.collect();
    let end = texts.iter().position(|text| text.starts_with('…'));
    let (shown, rest) = texts.split_at(end.unwrap());
    let shown = shown.concat();
    assert!(long.starts_with(&shown));
    assert_eq!(shown.len(), 64 << 10);
    let left = long.len() - shown.len();
    assert_eq!(rest[0], format!("… and {left} more"));
}
