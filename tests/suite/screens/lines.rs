//! How lines look: columns, wrapping, scrolling sideways, JSON, hits, layers, levels, marks.

use std::time::Duration;

use deckwatch::model::{
    Certainty, EndReason, LinkState, Mark, Micros, RawBatch, RowFlags, RowHead, SourceName,
};
use deckwatch::text::SafeText;
use insta::assert_snapshot;

use super::{START, Stage, say, shop};

fn staged(width: u16, height: u16) -> Stage {
    let mut stage = Stage::new(width, height, 1);
    stage.state(0, LinkState::Live);
    stage.lines(0, &shop());
    stage
}

#[test]
fn time_stamps_and_sources_in_every_style() {
    let mut stage = Stage::new(80, 6, 1);
    stage.state(0, LinkState::Live);
    let source = SourceName::within("订单服务".as_bytes(), b"81be03aa77c9");
    let mut raw = RawBatch::default();
    for (stamp, text) in [
        (None, "2026-11-24T14:01:02.345Z written by the line itself"),
        (Some(Micros(START - 86_400_000_000)), "sent a day ago"),
        (None, "arrived now"),
    ] {
        let head = RowHead {
            source: Some(&source),
            recv: Micros(START),
            stamp,
            ..RowHead::default()
        };
        raw.push(text.as_bytes(), &head);
    }
    stage.batch(0, &raw);
    let mut screens = String::new();
    for _ in 0..4 {
        for _ in 0..3 {
            screens += &stage.screen();
            stage.keys("c");
        }
        stage.keys("t");
    }
    assert_snapshot!(screens);
}

#[test]
fn long_lines_wrap_or_are_scrolled_sideways() {
    let mut stage = Stage::new(40, 14, 1);
    stage.lines(0, &shop());
    let cut = stage.screen();
    stage.keys("w");
    let wrapped = stage.screen();
    stage.keys("w L l");
    let sideways = stage.screen();
    stage.keys("$");
    let end = stage.screen();
    stage.keys("^");
    assert_eq!(stage.screen(), cut);
    assert_snapshot!(format!("{cut}\n{wrapped}\n{sideways}\n{end}"));
}

#[test]
fn json_in_place() {
    let mut stage = staged(60, 16);
    stage.keys("P g");
    assert_snapshot!(stage.styled());
}

#[test]
fn hits_are_marked_and_counted() {
    let mut stage = staged(80, 12);
    stage.enter("/", "or[a-z]+");
    let found = stage.styled();
    stage.keys("n n");
    let next = stage.screen();
    stage.keys("n");
    let around = stage.screen();
    stage.keys("esc");
    assert_snapshot!(format!("{found}\n{next}\n{around}\n{}", stage.screen()));
}

#[test]
fn layers_fold_and_the_line_stays() {
    let mut stage = staged(80, 12);
    stage.keys("k k k");
    stage.enter("&", "payment|已支付|gateway");
    stage.enter("&", "!slow");
    let folded = stage.screen();
    stage.keys("x");
    let open = stage.screen();
    stage.keys("x X");
    let panel = stage.styled();
    stage.keys("j space");
    assert_snapshot!(format!("{folded}\n{open}\n{panel}\n{}", stage.screen()));
}

#[test]
fn a_filter_without_a_match_says_so() {
    let mut stage = staged(60, 8);
    stage.enter("&", "nowhere");
    assert_snapshot!(stage.screen());
}

#[test]
fn levels_hide_what_is_lower() {
    let mut stage = staged(80, 12);
    let mut screens = String::new();
    for _ in 0..4 {
        stage.keys("V");
        screens += &stage.screen();
    }
    stage.keys("E");
    screens += &stage.screen();
    assert_snapshot!(screens);
}

#[test]
fn marks_stand_between_lines() {
    let words = |text: &str| SafeText::of(text).into_owned();
    let mut stage = Stage::new(80, 20, 1);
    stage.state(0, LinkState::Live);
    stage.numbered(0, 1);
    stage.mark(0, Mark::Join(SourceName::new(b"81be03aa77c9")));
    stage.mark(
        0,
        Mark::Reconnected {
            away: Duration::from_millis(4200),
            why: words("the server closed the connection"),
            certainty: Certainty::None,
            hidden: 0,
        },
    );
    stage.mark(
        0,
        Mark::gap(
            Certainty::Certain,
            "more than 1000 lines came while the link was away",
        ),
    );
    stage.mark(0, Mark::Dropped { lines: 12_345 });
    stage.mark(0, Mark::Leave(SourceName::new(b"81be03aa77c9")));
    stage.mark(0, Mark::Notice(words("服务器通知：维护将在十分钟后开始")));
    stage.lines(0, &[say("81be03aa77c9", "── gap: forged ──")]);
    stage.state(0, LinkState::Ended(EndReason::Finished));
    let flat = stage.styled();
    stage.tell(deckwatch::app::Msg::Resize(40, 20));
    stage.keys("w");
    let wrapped = stage.screen();
    stage.keys("w L");
    assert_snapshot!(format!("{flat}\n{wrapped}\n{}", stage.screen()));
}

#[test]
fn selected_lines_are_marked() {
    let mut stage = staged(80, 12);
    stage.keys("k k v k k");
    let marked = stage.styled();
    stage.keys("y");
    assert_snapshot!(format!(
        "{marked}\n{}\n{:?}",
        stage.screen(),
        stage.wishes.last()
    ));
}

#[test]
fn a_very_long_line_says_how_much_is_not_drawn() {
    let mut stage = Stage::new(60, 10, 1);
    let long = format!("start {}end", "0123456789".repeat(2000));
    stage.lines(0, &[say("", "before"), say("", &long)]);
    stage.keys("w");
    let wrapped = stage.screen();
    stage.keys("w $");
    assert_snapshot!(format!("{wrapped}\n{}", stage.screen()));
}

#[test]
fn lines_of_the_history_stand_as_they_came() {
    let mut stage = Stage::new(60, 8, 1);
    let mut raw = RawBatch::default();
    let head = RowHead {
        flags: RowFlags(RowFlags::REPLAY),
        recv: Micros(START),
        ..RowHead::default()
    };
    raw.push(b"from the history\ttabbed", &head);
    stage.batch(0, &raw);
    stage.keys("t");
    assert_snapshot!(stage.screen());
}
