//! The hostile corpus as a shell's output: no panic, nothing unsafe in a cell, no answer but
//! those of the list, no growth, and the same from every split (reliability.md 1.4).

use std::path::Path;

use deckwatch::term::{Screen, Size, Told};
use regex::Regex;

use super::picture::{Picture, check};

/// Everything that we ever send without being pressed.
const ANSWERS: &str = concat!(
    r"^(\x1b\[\?62;22c|\x1b\[>0;300;0c|\x1b\[0n|\x1b\[\??\d+;\d+R|\x1b\[\??\d+;[012]\$y",
    r"|\x1b\[8;\d+;\d+t|\x1bP>\|deckwatch\([0-9.]+\)\x1b\\",
    r"|\x1b\](4;\d+|10|11|12);rgb:[0-9a-f]{4}/[0-9a-f]{4}/[0-9a-f]{4}(\x07|\x1b\\))*$"
);

/// The files, and what would be too large for one.
pub(super) fn corpus() -> Vec<(String, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus/hostile");
    let mut all = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|end| end == "bin") {
            let name = path.file_stem().unwrap().to_string_lossy().into_owned();
            all.push((name, std::fs::read(path).unwrap()));
        }
    }
    all.sort();
    assert!(all.len() >= 60, "the corpus was found");
    all
}

fn large() -> Vec<(&'static str, Vec<u8>)> {
    let around = |before: &str, unit: &str, count: usize, after: &str| {
        [before, &unit.repeat(count), after].concat().into_bytes()
    };
    vec![
        (
            "34 OSC 52 of 10 MiB",
            around("\x1b]52;c;", "QUFB", 2_600_000, "\x07ok"),
        ),
        (
            "36 title flood",
            around("", "\x1b]2;title\x07", 100_000, "ok"),
        ),
        ("45 OSC without end", around("\x1b]0;", "x", 1 << 20, "")),
        ("45 DCS without end", around("\x1bP1$r", "x", 1 << 20, "")),
        ("45 APC without end", around("\x1b_G", "x", 1 << 20, "")),
        ("45 PM without end", around("\x1b^", "x", 1 << 20, "")),
        ("45 SOS without end", around("\x1bX", "x", 1 << 20, "")),
        (
            "45 update without end",
            around("\x1b[?2026h", "x", 5 << 20, ""),
        ),
        ("49 REP flood", around("x", "\x1b[65535b", 2000, "")),
        ("61 marks without end", around("e", "\u{301}", 1 << 20, "")),
        (
            "61 links without end",
            around("", "\x1b]8;;http://x/y\x1b\\z", 50_000, ""),
        ),
        ("65 lines", around("", "\n", 1 << 20, "")),
        ("65 wide", around("x", "字", 1 << 20, "")),
        (
            "questions",
            around("", "\x1b[c\x1b[6n\x1b]4;1;?\x07\x1b[?25$p", 20_000, ""),
        ),
        (
            "tabs",
            around("\x1b[3g", "\x1b[65535Z\x1b[65535I", 20_000, ""),
        ),
        (
            "scrolls",
            around(
                "",
                "\x1b[65535S\x1b[65535T\x1b[65535L\x1b[65535M",
                5_000,
                "",
            ),
        ),
        (
            "pushes",
            around(
                "",
                "\x1b[22t\x1b[>1u\x1b7\x1b[?1049h\x1b[?1049l",
                20_000,
                "",
            ),
        ),
        ("not UTF-8", vec![0xff; 1 << 20]),
        ("half characters", b"\xe5\xad".repeat(1 << 19)),
    ]
}

fn screen() -> Screen {
    Screen::new(Size::new(80, 24), 1000)
}

/// Feeds pieces and adds up what was told.
fn feed<'a>(screen: &mut Screen, pieces: impl Iterator<Item = &'a [u8]>) -> Told {
    let mut all = Told::default();
    for piece in pieces {
        let told = screen.advance(piece);
        assert!(told.replies.len() <= 4096);
        all.replies.extend(told.replies);
        all.failed |= told.failed;
        all.title = told.title.or(all.title);
        all.clipboard = told.clipboard.or(all.clipboard);
    }
    all
}

fn judge(name: &str, screen: &Screen, told: &Told) {
    assert!(!told.failed, "{name}");
    check(screen).unwrap_or_else(|fault| panic!("{name}: {fault}"));
    let replies = String::from_utf8(told.replies.clone()).unwrap();
    let allowed = Regex::new(ANSWERS).unwrap();
    assert!(allowed.is_match(&replies), "{name}: {replies:?}");
    let title = told.title.as_ref().map_or("", |title| title.as_str());
    assert!(deckwatch::text::width::cells(title) <= 80, "{name}");
}

#[test]
fn the_corpus_split_at_every_byte_leaves_one_safe_screen() {
    for (name, bytes) in corpus() {
        let mut whole = screen();
        let told = feed(&mut whole, std::iter::once(bytes.as_slice()));
        judge(&name, &whole, &told);
        let want = Picture::of(&whole);
        let mut bytewise = screen();
        let told = feed(&mut bytewise, bytes.chunks(1));
        judge(&name, &bytewise, &told);
        assert!(Picture::of(&bytewise) == want, "{name} by bytes");
        for at in 0..bytes.len().min(400) {
            let (before, after) = bytes.split_at(at);
            let mut split = screen();
            feed(&mut split, [before, after].into_iter());
            assert!(Picture::of(&split) == want, "{name} at {at}");
        }
    }
}

#[test]
fn the_corpus_one_after_another_and_each_on_the_others_leavings() {
    let mut one = screen();
    for (name, bytes) in corpus() {
        let told = feed(&mut one, bytes.chunks(7));
        judge(&name, &one, &told);
    }
    // A reset and the terminal is a new one.
    one.advance(b"\x18\x1b[?2026l\x1bcok");
    let mut fresh = screen();
    fresh.advance(b"ok");
    assert_eq!(one.modes(), fresh.modes());
    assert_eq!(one.cursor(), fresh.cursor());
}

#[test]
fn what_is_large_does_not_grow_the_screen() {
    for (name, bytes) in large() {
        let mut screen = screen();
        let told = feed(&mut screen, bytes.chunks(65_536));
        judge(name, &screen, &told);
        // 1,024 rows of 80 cells, and an update of 2 MiB.
        assert!(
            screen.heap_bytes() < 5 << 20,
            "{name}: {}",
            screen.heap_bytes()
        );
        assert!(told.clipboard.is_none(), "{name}");
    }
}
