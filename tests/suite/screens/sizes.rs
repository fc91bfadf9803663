//! Every size of terminal, in every mode: nothing panics, nothing hangs, nothing is drawn
//! outside.

use deckwatch::app::Msg;
use deckwatch::model::LinkState;
use deckwatch::term::keys::{Button, Did, Pointer};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::{Stage, shop};

const KEYS: [&str; 26] = [
    "g", "j", "k", "d", "u", "space", "pageup", "ctrl-e", "ctrl-y", "G", "k", "w", "j", "P", "d",
    "$", "t", "c", "F", "p", "p", "n", "E", "e", "v", "y",
];

fn every_mode(stage: &mut Stage) {
    stage.enter("/", "or");
    for key in KEYS {
        stage.keys(key);
        stage.paint();
    }
    for mode in ["?", "enter", "X", "/", ":", "ctrl-w"] {
        stage.keys(mode);
        stage.paint();
        stage.keys("j");
        stage.paint();
        stage.keys("esc esc");
    }
    for mouse in [
        Did::Press(Button::Left),
        Did::WheelUp,
        Did::WheelDown,
        Did::Drag(Button::Left),
        Did::Release(Button::Left),
    ] {
        for (x, y) in [(0, 0), (3, 2), (500, 500)] {
            stage.tell(Msg::Mouse(Pointer {
                did: mouse,
                column: x,
                line: y,
                shift: false,
                alt: false,
                ctrl: false,
            }));
            stage.paint();
        }
    }
}

#[test]
fn every_small_size_and_the_largest() {
    let small = (0..=20).flat_map(|width| (0..=6).map(move |height| (width, height)));
    for (width, height) in small.chain([(3, 3), (41, 9), (500, 200)]) {
        for panes in [1, 4] {
            let mut stage = Stage::new(width, height, panes);
            stage.state(0, LinkState::Live);
            stage.lines(0, &shop());
            every_mode(&mut stage);
        }
    }
}

#[test]
fn a_size_that_changes_under_every_mode() {
    let mut stage = Stage::new(120, 36, 3);
    for target in 0..3 {
        stage.lines(target, &shop());
    }
    for (width, height) in [
        (0, 0),
        (200, 50),
        (1, 1),
        (80, 2),
        (5, 80),
        (80, 24),
        (0, 5),
        (19, 3),
    ] {
        stage.tell(Msg::Resize(width, height));
        every_mode(&mut stage);
    }
}

/// A resize may come between the state and the picture.
#[test]
fn a_picture_of_another_size_than_the_state_stays_inside() {
    let mut stage = Stage::new(120, 36, 4);
    stage.lines(0, &shop());
    for mode in ["j", "?", "esc", "enter", "esc", "X", "esc", "/"] {
        stage.keys(mode);
        for (width, height) in [(0, 0), (1, 1), (20, 5), (60, 10), (300, 80)] {
            let area = Rect::new(0, 0, width, height);
            let mut buf = Buffer::empty(area);
            let whole = Rect::new(0, 0, 300, 80);
            deckwatch::view::render(&stage.app, &stage.theme, whole, &mut buf);
            deckwatch::view::render(&stage.app, &stage.theme, area, &mut buf);
        }
    }
}
