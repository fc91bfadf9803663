//! Panes: title, lines and status in every state of a link, alone and side by side.

use std::time::Duration;

use deckwatch::model::{EndReason, Fault, FaultKind, LinkState};
use deckwatch::text::SafeText;
use insta::assert_snapshot;

use super::{Stage, say, shop};

fn words(text: &str) -> SafeText<'static> {
    SafeText::of(text).into_owned()
}

#[test]
fn a_pane_that_follows() {
    let mut stage = Stage::new(80, 16, 1);
    stage.state(0, LinkState::Live);
    stage.lines(0, &shop());
    assert_snapshot!(stage.styled());
}

#[test]
fn a_pane_that_is_held_and_paused() {
    let mut stage = Stage::new(80, 12, 1);
    stage.state(0, LinkState::Live);
    stage.numbered(0, 30);
    stage.keys("k k k");
    let held = stage.styled();
    stage.numbered(0, 5);
    stage.keys("G p");
    stage.numbered(0, 1204);
    let paused = stage.screen();
    stage.keys("p");
    let resumed = stage.screen();
    assert_snapshot!(format!("{held}\n{paused}\n{resumed}"));
}

#[test]
fn an_empty_pane_says_how_its_link_stands() {
    let retry_in = Duration::from_secs(7);
    let fault = Fault::new(
        FaultKind::Unreachable,
        "ws://10.0.0.1:6060/docker_log",
        "nothing listens there (connection refused)",
        "check the address; R tries again",
    );
    let states = [
        LinkState::Connecting(words("asking 10.0.0.1 for a WebSocket")),
        LinkState::Open,
        LinkState::Replaying,
        LinkState::Live,
        LinkState::Stale,
        LinkState::Waiting {
            retry_in,
            attempt: 3,
            why: words("the server closed the connection"),
        },
        LinkState::Ended(EndReason::Finished),
        LinkState::Ended(EndReason::Success(words("deploy done"))),
        LinkState::Ended(EndReason::Failure(words("image could not be pulled"))),
        LinkState::Ended(EndReason::Fault(fault)),
    ];
    let mut screens = String::new();
    for state in states {
        let mut stage = Stage::new(60, 8, 1);
        stage.state(0, state);
        stage.pass(1200);
        screens += &stage.screen();
        screens += "\n";
    }
    assert_snapshot!(screens);
}

#[test]
fn six_panes_at_every_size() {
    for (width, height) in [(200, 50), (120, 36), (80, 24), (40, 10), (20, 5), (1, 1)] {
        let mut stage = Stage::new(width, height, 6);
        for target in 0..6 {
            stage.state(target, LinkState::Live);
            stage.lines(target, &shop());
        }
        let why = words("the server closed the connection");
        let retry_in = Duration::from_secs(12);
        stage.state(
            2,
            LinkState::Waiting {
                retry_in,
                attempt: 2,
                why,
            },
        );
        stage.keys("tab k");
        assert_snapshot!(format!("six_panes_{width}x{height}"), stage.screen());
    }
}

#[test]
fn zoom_shows_one_pane_and_says_so() {
    let mut stage = Stage::new(80, 10, 3);
    stage.lines(1, &shop());
    stage.keys("2 f");
    let zoomed = stage.screen();
    stage.keys("f");
    assert_snapshot!(format!("{zoomed}\n{}", stage.screen()));
}

#[test]
fn merged_panes_name_target_and_source() {
    let mut stage = Stage::merged(100, 14, 3);
    for target in 0..3 {
        stage.state(target, LinkState::Live);
        stage.lines(target, &shop()[..3]);
    }
    stage.state(1, LinkState::Stale);
    let short = stage.styled();
    stage.keys("c");
    let full = stage.screen();
    stage.keys("c");
    assert_snapshot!(format!("{short}\n{full}\n{}", stage.screen()));
}

#[test]
fn old_lines_that_aged_out_are_counted() {
    let mut stage = Stage::with(100, 8, 1, false, 1 << 20);
    stage.state(0, LinkState::Live);
    let long = "x".repeat(9000);
    let lines = [say("5f2a9c01d7e4", &long); 40];
    for _ in 0..12 {
        stage.lines(0, &lines);
    }
    stage.numbered(0, 3);
    assert_snapshot!(stage.screen());
}

#[test]
fn splits_and_sizes() {
    let mut stage = Stage::new(80, 20, 1);
    stage.state(0, LinkState::Live);
    stage.lines(0, &shop());
    stage.keys("ctrl-w v ctrl-w s ctrl-w + ctrl-w + ctrl-w <");
    let split = stage.screen();
    stage.keys("ctrl-w");
    let pending = stage.screen();
    stage.keys("= ctrl-w c");
    assert_snapshot!(format!("{split}\n{pending}\n{}", stage.screen()));
}
