//! Untrusted bytes never reach a screen: the hostile corpus, totality, and widths.

#![expect(clippy::string_slice, clippy::unwrap_used, reason = "test helpers")]

use std::fmt::Write;
use std::path::{Path, PathBuf};

use deckwatch::text::sanitise::{MAX_GRAPHEME, MAX_LINE, MAX_MARKS, append, plain};
use deckwatch::text::{SafeArena, SafeText, StyleRun, width};
use proptest::prelude::*;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use unicode_segmentation::UnicodeSegmentation;

fn corpus() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus/hostile")
}

/// The inputs of reliability.md 1.4 that are small enough to be files, by name.
fn files() -> Vec<(String, Vec<u8>)> {
    let mut files: Vec<_> = std::fs::read_dir(corpus())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|end| end == "bin"))
        .map(|path| {
            let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
            (name, std::fs::read(path).unwrap())
        })
        .collect();
    files.sort();
    files
}

/// The inputs that are too large for files.
fn large() -> Vec<(&'static str, Vec<u8>)> {
    let around = |head: &[u8], unit: &[u8], times: usize, tail: &[u8]| {
        [head, &unit.repeat(times), tail].concat()
    };
    vec![
        (
            "34-osc52-10mib",
            around(b"a\x1b]52;c;", b"QUJD", 1 << 20, b"\x07b"),
        ),
        (
            "36-title-flood",
            around(b"a", b"\x1b]0;t\x07", 100_000, b"b"),
        ),
        (
            "45-unterminated-osc",
            around(b"a\x1b]0;", b"x", 1 << 20, b""),
        ),
        ("45-unterminated-dcs", around(b"a\x1bP", b"x", 1 << 20, b"")),
        ("45-unterminated-apc", around(b"a\x1b_", b"x", 1 << 20, b"")),
        ("45-unterminated-pm", around(b"a\x1b^", b"x", 1 << 20, b"")),
        ("45-unterminated-sos", around(b"a\x1bX", b"x", 1 << 20, b"")),
        (
            "65-64mib-line",
            around(b"", b"0123456789abcdef", 4 << 20, b""),
        ),
        ("65-wide-line", around(b"x", "字".as_bytes(), 500_000, b"")),
        ("65-tabs", around(b"x", b"\t", 1 << 20, b"")),
        ("65-marks", around(b"x", "\u{301}".as_bytes(), 1 << 20, b"")),
        (
            "65-families",
            around(b"x", "👨\u{200d}".as_bytes(), 1 << 17, b""),
        ),
        (
            "65-colours",
            around(b"", b"\x1b[31m\xff\x1b[32m.", 1 << 17, b""),
        ),
    ]
}

fn is_pictograph(c: char) -> bool {
    matches!(c, '©' | '®' | '‼' | '⁉' | '™' | 'ℹ' | '\u{2190}'..='\u{2bff}' | '〰' | '〽' | '㊗' | '㊙'
        | '\u{1f000}'..='\u{1faff}')
}

/// Characters that must never be in a [`SafeText`], said independently of the sanitiser.
fn is_forbidden(c: char) -> bool {
    c.is_control()
        || matches!(u32::from(c),
            0xad | 0x34f | 0x61c | 0x115f | 0x1160 | 0x180e | 0x200b | 0x200c | 0x200e | 0x200f
            | 0x2028..=0x202e | 0x2060..=0x206f | 0x3164 | 0xfe00..=0xfe0d | 0xfeff | 0xffa0
            | 0xfff9..=0xfffb | 0xe0000..=0xe0fff)
}

/// Everything that reliability.md 1.3 says of shown text.
fn check(name: &str, text: &str) {
    assert!(text.len() <= MAX_LINE, "{name}: {} bytes", text.len());
    for grapheme in text.graphemes(true) {
        assert!(grapheme.len() <= MAX_GRAPHEME, "{name}: {grapheme:?}");
        assert!(
            width::grapheme_cells(grapheme) > 0,
            "{name}: {grapheme:?} shows nothing"
        );
        let mut marks = 0;
        for c in grapheme.chars().skip(1) {
            let joined = unicode_width::UnicodeWidthChar::width(c) == Some(0);
            marks = if joined { marks + 1 } else { 0 };
            assert!(marks <= MAX_MARKS, "{name}: {grapheme:?}");
        }
        for c in grapheme.chars() {
            assert!(
                !is_forbidden(c),
                "{name}: {:x} in {grapheme:?}",
                u32::from(c)
            );
            let invisible = matches!(c, '\u{200d}' | '\u{fe0e}' | '\u{fe0f}');
            let use_of_it = grapheme.contains(is_pictograph) || grapheme.ends_with('\u{20e3}');
            assert!(!invisible || use_of_it, "{name}: {grapheme:?}");
        }
    }
}

/// Sanitises one line every way there is, and checks each.
fn sanitise(name: &str, raw: &[u8]) -> (String, Vec<StyleRun>) {
    let mut text = String::new();
    let mut runs = Vec::new();
    let same = append(raw, &mut text, &mut runs);
    assert_eq!(same, text.as_bytes() == raw, "{name}");
    assert_eq!(plain(raw).as_str(), text, "{name}");
    check(name, &text);
    let mut end = 0;
    for run in &runs {
        assert!(run.start < run.end && end <= run.start, "{name}: {run:?}");
        assert!(!run.style.is_default(), "{name}: {run:?}");
        assert!(text.is_char_boundary(run.start as usize), "{name}: {run:?}");
        assert!(text.is_char_boundary(run.end as usize), "{name}: {run:?}");
        end = run.end;
    }
    assert!(end as usize <= text.len(), "{name}");
    assert_eq!(
        SafeText::of(&text).as_str(),
        text,
        "{name}: sanitised again"
    );
    (text, runs)
}

#[test]
fn no_hostile_input_gets_through() {
    for (name, raw) in files() {
        for line in raw.split(|byte| *byte == b'\n') {
            sanitise(&name, line);
        }
        sanitise(&name, &raw);
    }
    for (name, raw) in large() {
        sanitise(name, &raw);
    }
}

#[test]
fn no_hostile_input_gets_through_when_it_is_split_at_any_byte() {
    for (name, raw) in files().into_iter().filter(|(_, raw)| raw.len() < 4096) {
        for at in 0..=raw.len() {
            for half in [&raw[..at], &raw[at..]] {
                sanitise(&name, half);
            }
        }
    }
}

/// What is shown is in `NN-name.txt` beside the input, with a style run as `{start..end ...}`
/// below its line. `UPDATE_GOLDEN=1` writes the files anew; read them before they are committed.
#[test]
fn hostile_inputs_are_shown_as_reviewed() {
    let mut reviewed = 0;
    for (name, raw) in files() {
        let mut shown = String::new();
        for line in raw.split(|byte| *byte == b'\n') {
            let (text, runs) = sanitise(&name, line);
            shown.push_str(&text);
            shown.push('\n');
            for StyleRun { start, end, style } in runs {
                let (fg, bg, attrs) = (style.fg, style.bg, style.attrs.0);
                writeln!(
                    shown,
                    "  {{{start}..{end} fg {fg:?} bg {bg:?} attrs {attrs}}}"
                )
                .unwrap();
            }
        }
        let path = corpus().join(format!("{name}.txt"));
        if option_env!("UPDATE_GOLDEN").is_some() {
            std::fs::write(&path, &shown).unwrap();
        }
        let want = std::fs::read_to_string(&path).unwrap_or_else(|_| panic!("no {name}.txt"));
        assert_eq!(shown, want, "{name}");
        reviewed += 1;
    }
    assert_eq!(reviewed, 62);
}

#[test]
fn a_line_over_the_limit_says_how_many_bytes_are_cut() {
    for (raw, unit) in [
        (vec![b'x'; MAX_LINE + 1], 1),
        ("字".repeat(MAX_LINE).into_bytes(), 3),
        (vec![b'\xff'; MAX_LINE], 3),
    ] {
        let (text, _) = sanitise("long", &raw);
        let (kept, note) = text.split_once("<+").unwrap();
        let cut: usize = note.strip_suffix(" bytes>").unwrap().parse().unwrap();
        let raw_kept = if raw[0] == 0xff {
            kept.len() / unit
        } else {
            kept.len()
        };
        assert_eq!(raw_kept + cut, raw.len());
        assert!(kept.len() > MAX_LINE - 80);
    }
    assert_eq!(plain(&vec![b'x'; MAX_LINE]).as_str().len(), MAX_LINE);
}

/// Pieces that matter to the sanitiser, so that random lines are made of them.
fn pieces() -> impl Strategy<Value = Vec<u8>> {
    let special: Vec<&'static [u8]> = vec![
        b"\x1b",
        b"[",
        b"31m",
        b"\x1b[1;31m",
        b"\x1b[m",
        b"\x1b]0;",
        b"\x07",
        b"\x1b\\",
        b"\t",
        b"\r",
        b"\n",
        b"\0",
        b"\x9b",
        b"\xc2\x9b",
        b"\xff",
        b"\xe4\xb8",
        b"a",
        b"1",
        "中".as_bytes(),
        "é".as_bytes(),
        "\u{301}".as_bytes(),
        "\u{200d}".as_bytes(),
        "\u{fe0f}".as_bytes(),
        "\u{20e3}".as_bytes(),
        "👨".as_bytes(),
        "🏻".as_bytes(),
        "❤".as_bytes(),
        "🇨".as_bytes(),
        "\u{1100}".as_bytes(),
        "\u{1161}".as_bytes(),
        "한".as_bytes(),
        "क".as_bytes(),
        "\u{94d}".as_bytes(),
        "\u{903}".as_bytes(),
        "\u{202e}".as_bytes(),
        "\u{600}".as_bytes(),
        "ﾞ".as_bytes(),
        "لا".as_bytes(),
        "<+9 marks>".as_bytes(),
    ];
    let piece = prop_oneof![
        8 => prop::sample::select(special).prop_map(<[u8]>::to_vec),
        1 => any::<char>().prop_map(|c| c.to_string().into_bytes()),
        1 => prop::collection::vec(any::<u8>(), 0..6),
    ];
    (prop::collection::vec((piece, 1..14usize), 0..24)).prop_map(|pieces| {
        pieces
            .iter()
            .flat_map(|(piece, n)| piece.repeat(*n))
            .collect()
    })
}

/// The columns that a text takes in the screen buffer, at most 400.
fn drawn(text: &str) -> usize {
    let mut buffer = Buffer::empty(Rect::new(0, 0, 400, 1));
    let (x, _) = buffer.set_stringn(0, 0, text, 400, Style::default());
    usize::from(x)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn every_line_has_an_answer_that_stays_the_same(raw in pieces()) {
        sanitise("random", &raw);
    }

    #[test]
    fn any_bytes_have_an_answer(raw in prop::collection::vec(any::<u8>(), 0..300)) {
        sanitise("random", &raw);
    }

    #[test]
    fn widths_are_those_of_the_screen_buffer(raw in pieces()) {
        let text = plain(&raw);
        let text = width::fit(text.as_str(), 300);
        prop_assert_eq!(drawn(text), width::cells(text), "{:?}", text);
    }

    #[test]
    fn rows_hold_all_of_a_text_and_fit(raw in pieces(), cols in 1usize..20) {
        let text = plain(&raw);
        let text = text.as_str();
        let mut end = 0;
        let mut count = 0;
        for row in width::wrap(text, cols) {
            prop_assert_eq!(row.start, end);
            let row_text = &text[row.clone()];
            let one = width::graphemes(row_text).count() == 1;
            prop_assert!(width::cells(row_text) <= cols || one, "{row_text:?}");
            end = row.end;
            count += 1;
        }
        prop_assert_eq!(end, text.len());
        prop_assert_eq!(count, width::rows(text, cols));
    }

    #[test]
    fn a_window_shows_the_columns_asked_for(raw in pieces(), from in 0usize..60, cols in 0usize..40) {
        let text = plain(&raw);
        let text = text.as_str();
        let window = width::cut(text, from, cols);
        prop_assert!(text[window.start..].starts_with(window.text));
        let shown = window.left + width::cells(window.text) + window.right;
        let there = width::cells(text).saturating_sub(from).min(cols);
        prop_assert_eq!(shown, there, "{:?} {:?}", text, window);
    }

    #[test]
    fn an_arena_gives_back_each_line(lines in prop::collection::vec(pieces(), 0..8)) {
        let mut arena = SafeArena::default();
        for line in &lines {
            arena.push(line);
        }
        for (index, line) in lines.iter().enumerate() {
            let (text, runs) = sanitise("arena", line);
            let kept = arena.text(index);
            prop_assert_eq!(kept.as_str(), text);
            prop_assert_eq!(arena.runs(index).collect::<Vec<_>>(), runs);
        }
    }
}
