//! Themes are seen as themes: each paints every cell, and what it says can be read.

use deckwatch::model::LinkState;
use deckwatch::view::{Theme, theme::THEMES};

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
