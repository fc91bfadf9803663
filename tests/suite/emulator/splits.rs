//! The recorded programs give the same screen however their bytes are cut.

use deckwatch::term::{Screen, Size};

use super::picture::{Picture, check};
use crate::recordings::{self, Recording};

/// The screen after a recording, cut by `cut`: given how much is left, how much to take.
fn played(recording: &Recording, mut cut: impl FnMut(usize) -> usize) -> Screen {
    let mut screen = Screen::new(Size::new(recording.columns, recording.rows), 1000);
    for (bytes, resize) in recording.pieces() {
        let mut rest = bytes;
        while !rest.is_empty() {
            let (now, later) = rest.split_at(cut(rest.len()).clamp(1, rest.len()));
            let told = screen.advance(now);
            assert!(!told.failed, "{}", recording.name);
            rest = later;
        }
        if let Some((columns, rows)) = resize {
            assert!(!screen.resize(Size::new(columns, rows)).failed);
        }
    }
    screen
}

#[test]
fn every_recording_gives_the_same_screen_from_every_split() {
    let all = recordings::all();
    assert!(all.len() >= 30, "the recordings were found");
    for recording in &all {
        let whole = played(recording, |left| left);
        check(&whole).unwrap_or_else(|fault| panic!("{}: {fault}", recording.name));
        let want = Picture::of(&whole);
        let bytewise = played(recording, |_| 1);
        assert!(
            Picture::of(&bytewise) == want,
            "{} by bytes",
            recording.name
        );
        for seed in 0..8 {
            let mut random = fastrand::Rng::with_seed(seed);
            let split = played(recording, |_| random.usize(1..200));
            assert!(
                Picture::of(&split) == want,
                "{} seed {seed}",
                recording.name
            );
        }
    }
}

#[test]
fn a_screen_played_at_every_width_is_whole() {
    for recording in recordings::all() {
        for columns in [0, 1, 2, 3, 7, 200] {
            let mut screen = Screen::new(Size::new(columns, 5), 100);
            assert!(!screen.advance(&recording.bytes).failed);
            for (columns, rows) in [(2, 1), (80, 24), (3, 50), (recording.columns, 1)] {
                assert!(!screen.resize(Size::new(columns, rows)).failed);
                check(&screen).unwrap_or_else(|fault| panic!("{}: {fault}", recording.name));
            }
        }
    }
}
