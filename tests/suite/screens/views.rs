//! Themes are seen as themes: each paints every cell, and what it says can be read.

use deckwatch::model::LinkState;
use deckwatch::view::{Theme, theme::THEMES};

use ratatui::buffer::Cell;
use ratatui::style::Color;

use super::{Stage, shop};

fn staged() -> Stage {
    let mut stage = Stage::new(80, 20, 2);
    stage.state(0, LinkState::Live);
    stage.lines(0, &shop());
    stage
}

#[test]
fn the_words_are_the_same_in_every_theme() {
    let mut stage = staged();
    let want = stage.screen();
    for (name, _) in THEMES {
        stage.theme = Theme::find(name, None).unwrap();
        assert_eq!(stage.screen(), want, "{name}");
        stage.theme = Theme::find(name, None).unwrap().for_256_colors();
        assert_eq!(stage.screen(), want, "{name} with 256 colours");
    }
}

/// The contrast of two colours, as the web's guidelines reckon it: 1 to 21.
fn contrast(one: (u8, u8, u8), other: (u8, u8, u8)) -> f64 {
    let light = |(r, g, b): (u8, u8, u8)| {
        let part = |value: u8| {
            let value = f64::from(value) / 255.0;
            if value <= 0.04045 {
                value / 12.92
            } else {
                ((value + 0.055) / 1.055).powf(2.4)
            }
        };
        0.2126 * part(r) + 0.7152 * part(g) + 0.0722 * part(b)
    };
    let (one, other) = (light(one), light(other));
    (one.max(other) + 0.05) / (one.min(other) + 0.05)
}

/// Every screen that differs in colours, one after the other.
fn every_screen(stage: &mut Stage, mut look: impl FnMut(&Stage, &str)) {
    look(stage, "follow");
    for keys in [
        "k", "v k k", "esc", "t", "P", "w", "X", "esc", "?", "esc", "enter", "esc", "/", "esc",
        "Z", "E",
    ] {
        stage.keys(keys);
        look(stage, keys);
    }
    stage.enter("/", "or");
    look(stage, "hits");
    stage.keys("/ tab tab tab");
    stage.enter("k", "er");
    look(stage, "highlights");
    stage.tell(deckwatch::app::Msg::Failed("a fault".into()));
    look(stage, "fault");
}

#[test]
fn words_can_be_read_on_the_themes_own_background() {
    for (name, least) in [("dark", 3.0), ("light", 3.0), ("contrast", 4.5)] {
        let mut stage = staged();
        stage.lines(
            0,
            &[super::say(
                "5f2a9c01d7e4",
                "WARN \u{8d85}\u{65f6} ERROR {\"a\": 1}",
            )],
        );
        stage.theme = Theme::find(name, None).unwrap();
        every_screen(&mut stage, |stage, what| {
            let (buf, _) = stage.paint();
            for (at, cell) in buf.content().iter().enumerate() {
                let Color::Rgb(r, g, b) = cell.bg else {
                    panic!("{name}, {what}: cell {at} has the terminal's background")
                };
                let drawn = [" ", "\u{2502}", "\u{258e}"].contains(&cell.symbol());
                let Color::Rgb(fr, fg, fb) = cell.fg else {
                    continue;
                };
                let ratio = contrast((r, g, b), (fr, fg, fb));
                assert!(
                    drawn || ratio >= least,
                    "{name}, {what}: {:?} {:?} on {:?} is {ratio:.1}",
                    cell.symbol(),
                    cell.fg,
                    cell.bg
                );
            }
        });
    }
}

#[test]
fn without_colours_there_are_none_on_any_screen() {
    let mut stage = staged();
    stage.theme = Theme::find("plain", None).unwrap().without_colors();
    every_screen(&mut stage, |stage, what| {
        let (buf, _) = stage.paint();
        let colored = |cell: &Cell| cell.fg != Color::Reset || cell.bg != Color::Reset;
        assert!(!buf.content().iter().any(colored), "{what}");
    });
}
