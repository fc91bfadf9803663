//! The emulator of a shell tab, through its facade.

#![expect(clippy::unwrap_used, clippy::panic, reason = "test helpers")]

mod hostile;
mod paint;
mod picture;
mod random;
mod splits;

use std::fmt::Write;

use base64::Engine;
use deckwatch::term::screen::{Direction, Span};
use deckwatch::term::{Place, Screen, Shape, Size, Told, Tracking, Underline, Width};
use deckwatch::text::Ink;
use regex::Regex;

fn screen(columns: u16, rows: u16) -> Screen {
    Screen::new(Size::new(columns, rows), 1000)
}

fn fed(columns: u16, rows: u16, bytes: &str) -> Screen {
    let mut screen = screen(columns, rows);
    screen.advance(bytes.as_bytes());
    screen
}

/// The texts of the screen's rows, without blank ones at the end.
fn rows(screen: &Screen) -> Vec<String> {
    let rows = screen.top_row()..screen.end_row();
    let mut rows: Vec<String> = rows.map(|row| screen.row(row).unwrap().text()).collect();
    while rows.last().is_some_and(String::is_empty) {
        rows.pop();
    }
    rows
}

fn at(row: u64, column: usize) -> Place {
    Place { row, column }
}

/// A screen may be fed on another thread than the one that paints it.
#[test]
fn a_screen_may_change_threads() {
    let screen = screen(10, 2);
    let fed = std::thread::spawn(move || {
        let mut screen = screen;
        screen.advance(b"there");
        screen
    });
    assert_eq!(rows(&fed.join().unwrap()), ["there"]);
}

#[test]
fn text_wraps_and_scrolls_and_keeps_its_row_numbers() {
    let mut screen = fed(10, 3, "abcdefghijkl\r\nsecond\r\n");
    assert_eq!(rows(&screen), ["kl", "second"]);
    assert_eq!(
        (screen.first_row(), screen.top_row(), screen.history()),
        (0, 1, 1)
    );
    assert!(screen.row(0).unwrap().is_wrapped() && !screen.row(1).unwrap().is_wrapped());
    for line in 0..5000 {
        screen.advance(format!("line {line}\r\n").as_bytes());
    }
    assert_eq!(screen.history(), 1000);
    // Row 0 and 1 were the first line, 2 the second, 3 is "line 0".
    for number in [screen.first_row(), screen.top_row()] {
        let text = screen.row(number).unwrap().text();
        assert_eq!(text, format!("line {}", number - 3));
    }
    assert!(screen.row(screen.first_row() - 1).is_none() && screen.row(screen.end_row()).is_none());
    // However large the pieces.
    let mut many = String::new();
    for line in 5000..25_000 {
        write!(many, "line {line}\r\n").unwrap();
    }
    screen.advance(many.as_bytes());
    let top = screen.top_row();
    assert_eq!(screen.row(top).unwrap().text(), format!("line {}", top - 3));
}

#[test]
fn what_scrolls_by_sequences_is_counted_too() {
    let mut screen = screen(10, 5);
    let mut scrolled = 0;
    for round in 0..600_u64 {
        screen.advance(b"\x1b[H\x1b[2Jx\x1b[5Hlast");
        let row = screen.end_row() - 1;
        screen.advance(b"\x1b[3S");
        scrolled += 3;
        assert_eq!(screen.row(row).unwrap().text(), "last", "{round}");
        assert!(screen.top_row() >= scrolled);
    }
    let top = screen.top_row();
    screen.advance(b"\x1b[3J");
    assert_eq!((screen.history(), screen.first_row()), (0, top));
    screen.advance(b"\x1bc\r\n\n\n\n\n\n");
    assert_eq!(screen.top_row(), top + 2);
}

#[test]
fn a_taller_screen_takes_lines_back_and_numbers_stay() {
    let mut screen = fed(10, 4, "0\r\n1\r\n2\r\n3\r\n4\r\n5");
    assert_eq!((screen.top_row(), screen.first_row()), (2, 0));
    screen.resize(Size::new(10, 5));
    assert_eq!((screen.top_row(), rows(&screen).len()), (1, 5));
    screen.resize(Size::new(10, 2));
    assert_eq!(
        (screen.top_row(), rows(&screen)),
        (4, vec!["4".into(), "5".into()])
    );
    for row in 0..6 {
        assert_eq!(screen.row(row).unwrap().text(), row.to_string());
    }
}

#[test]
fn lines_flow_anew_in_another_width() {
    let mut screen = fed(10, 4, "abcdefghijklmno 字字\r\nx");
    assert_eq!(rows(&screen), ["abcdefghij", "klmno 字字", "x"]);
    screen.resize(Size::new(20, 4));
    assert_eq!(rows(&screen), ["abcdefghijklmno 字字", "x"]);
    screen.resize(Size::new(17, 4));
    // The library moves up what no longer fits, though there are blank rows below.
    assert_eq!(rows(&screen), ["字字", "x"]);
    assert_eq!(screen.row(0).unwrap().text(), "abcdefghijklmno");
    // Down to the least, where the library would hang on one column.
    screen.resize(Size::new(0, 0));
    assert_eq!((screen.size().columns(), screen.size().rows()), (2, 1));
    screen.resize(Size::new(u16::MAX, u16::MAX));
    assert_eq!((screen.size().columns(), screen.size().rows()), (1000, 500));
}

#[test]
fn the_alternate_screen_has_no_history_and_gives_the_main_one_back() {
    let mut screen = fed(10, 2, "a\r\nb\r\nc");
    screen.advance(b"\x1b[?1049h\x1b[H\x1b[2Jfull\r\n\n\n\n\n");
    assert!(screen.modes().alt_screen);
    assert_eq!(
        (screen.first_row(), screen.top_row(), screen.history()),
        (1, 1, 0)
    );
    screen.advance(b"\x1b[?1049l");
    assert_eq!((screen.first_row(), screen.top_row()), (0, 1));
    assert_eq!(rows(&screen), ["b", "c"]);
    let cursor = screen.cursor().unwrap();
    assert_eq!((cursor.line, cursor.column), (1, 1));
}

#[test]
fn cells_have_their_styles() {
    let screen = fed(
        20,
        2,
        "\x1b[1;2;3;9;38;5;208;48:2::1:2:3mA\x1b[0;4:3;58;5;9mB\x1b[0;7;8;21mC\x1b[0;91;104mD\x1b[m字",
    );
    let row = screen.row(0).unwrap();
    let a = row.cell(0).style;
    assert!(a.bold && a.dim && a.italic && a.strike && !a.reverse);
    assert_eq!((a.fg, a.bg), (Ink::Indexed(208), Ink::Rgb(1, 2, 3)));
    let b = row.cell(1).style;
    assert_eq!(
        (b.underline, b.underline_ink),
        (Underline::Curl, Ink::Indexed(9))
    );
    let c = row.cell(2).style;
    assert!(c.reverse && c.hidden);
    assert_eq!(c.underline, Underline::Double);
    let d = row.cell(3).style;
    assert_eq!((d.fg, d.bg), (Ink::Indexed(9), Ink::Indexed(12)));
    let widths: Vec<Width> = row.cells().take(7).skip(3).map(|cell| cell.width).collect();
    assert_eq!(
        widths,
        [Width::Narrow, Width::Wide, Width::Spacer, Width::Narrow]
    );
}

#[test]
fn what_may_not_be_shown_is_not_in_a_cell() {
    let screen = fed(
        40,
        3,
        "a\u{202e}b\u{200b}c\u{ad}d\u{e0041}\te\u{115f}f\u{600}\u{7f}\u{9b}g\r\n\u{301}x",
    );
    let row = screen.row(0).unwrap();
    assert_eq!(row.text(), "abcd    e\u{fffd}\u{fffd}f\u{fffd}g");
    for row in screen.first_row()..screen.end_row() {
        for cell in screen.row(row).unwrap().cells() {
            assert!(!cell.base.is_control() && !cell.marks.iter().any(|mark| mark.is_control()));
        }
    }
}

#[test]
fn marks_on_one_character_are_bounded() {
    let marks = "\u{301}".repeat(100_000);
    let screen = fed(10, 2, &format!("e{marks}x字{marks}"));
    let row = screen.row(0).unwrap();
    assert_eq!(row.cell(0).marks.len(), 8);
    assert_eq!(row.cell(2).marks.len(), 8);
    assert_eq!(row.cell(1).base, 'x');
}

#[test]
fn half_a_wide_character_is_blank() {
    // A letter over the second half, and over the first.
    let screen = fed(10, 2, "字字\x1b[1;2Hx\x1b[1;3Hy");
    let row = screen.row(0).unwrap();
    assert_eq!(row.text(), " xy");
    assert!(row.cells().all(|cell| cell.width == Width::Narrow));
}

#[test]
fn questions_have_fixed_answers() {
    for (question, want) in [
        ("\x1b[c", "\x1b[?62;22c"),
        ("\x1bZ", "\x1b[?62;22c"),
        ("\x1b[>c", "\x1b[>0;300;0c"),
        ("\x1b[=c", ""),
        ("\x1b[5n", "\x1b[0n"),
        ("\x1b[2;3H\x1b[6n", "\x1b[2;3R"),
        ("\x1b[?6n", "\x1b[?1;1R"),
        ("\x1b[2;4r\x1b[?6h\x1b[2;2H\x1b[6n", "\x1b[2;2R"),
        ("\x1b[>q", "\x1bP>|deckwatch(0.1.0)\x1b\\"),
        (
            "\x1b[?25$p\x1b[?9999$p\x1b[4$p",
            "\x1b[?25;1$y\x1b[?9999;0$y\x1b[4;2$y",
        ),
        ("\x1b[18t", "\x1b[8;4;20t"),
        ("\x1b]4;1;?\x07", "\x1b]4;1;rgb:cdcd/0000/0000\x07"),
        ("\x1b]11;?\x1b\\", "\x1b]11;rgb:0000/0000/0000\x1b\\"),
        (
            "\x1b]10;?;?\x07",
            "\x1b]10;rgb:e5e5/e5e5/e5e5\x07\x1b]11;rgb:0000/0000/0000\x07",
        ),
        // Never, or not known.
        ("\x1b]2;id\x07\x1b[21t", ""),
        ("\x1b]52;c;?\x07", ""),
        ("\x1b[?u", ""),
        (
            "\x05\x1bP$qm\x1b\\\x1bP+q544e\x1b\\\x1b]50;?\x07\x1b[14t",
            "",
        ),
    ] {
        let told = screen(20, 4).advance(question.as_bytes());
        let replies = String::from_utf8(told.replies).unwrap();
        assert_eq!(replies, want, "{question:?}");
    }
    let mut light = screen(20, 4);
    light.set_light(true);
    let told = light.advance(b"\x1b]11;?\x07");
    assert_eq!(told.replies, b"\x1b]11;rgb:e5e5/e5e5/e5e5\x07");
}

#[test]
fn titles_bells_and_clipboards_are_told_once() {
    let mut screen = screen(20, 4);
    let told = screen.advance(b"\x1b]0;one\x07\x1b]2;two;\x1b]2;three \xe2\x9c\xb3;x\x1b\\\x07");
    assert_eq!(told.title.unwrap().as_str(), "three ✳;x");
    assert!(told.bell);
    assert_eq!(screen.advance(b"x"), Told::default());
    let long = format!("\x1b]2;{}\x07", "字".repeat(500));
    let told = screen.advance(long.as_bytes());
    assert_eq!(told.title.unwrap().as_str(), "字".repeat(40));
    let told = screen.advance(b"\x1b[22t\x1b]2;a\x9b31m\x07\x1b[23t");
    assert_eq!(told.title.unwrap().as_str(), "字".repeat(40));
    let told = screen.advance(b"\x1b]52;c;cm0gLXJmIC8\x07\x1b]52;c;!!\x07");
    assert_eq!(told.clipboard.unwrap(), "rm -rf /");
}

#[test]
fn strings_without_an_end_are_cut_off_and_the_rest_is_read() {
    for open in [
        "\x1b]2;",
        "\x1b]52;c;",
        "\x1bP",
        "\x1b_",
        "\x1bX",
        "\x1b^",
        "\x1b[1",
    ] {
        let mut screen = screen(20, 4);
        screen.advance(open.as_bytes());
        let before = screen.heap_bytes();
        for _ in 0..1000 {
            screen.advance(&[b'5'; 4096]);
        }
        assert!(screen.heap_bytes() <= before + 4096, "{open:?}");
        let told = screen.advance(b"\x1b\\\x18ok");
        assert_eq!((told.title, told.clipboard), (None, None), "{open:?}");
        assert_eq!(rows(&screen), ["ok"], "{open:?}");
    }
    // The largest clipboard, and one byte more.
    for (bytes, taken) in [(Told::CLIPBOARD, true), (Told::CLIPBOARD + 1, false)] {
        let payload = base64::engine::general_purpose::STANDARD.encode(vec![b'x'; bytes]);
        let mut screen = screen(20, 4);
        let told = screen.advance(format!("\x1b]52;c;{payload}\x07").as_bytes());
        assert_eq!(told.clipboard.is_some(), taken, "{bytes}");
    }
}

#[test]
fn a_synchronized_update_is_shown_when_it_ends() {
    let mut screen = fed(20, 4, "old\x1b[?2026h\r\x1b[Knew");
    assert!(screen.is_holding());
    assert_eq!(rows(&screen), ["old"]);
    screen.advance(b"er\x1b[?202");
    assert_eq!(rows(&screen), ["old"]);
    screen.advance(b"6l!\x1b[?2026hx");
    assert_eq!(rows(&screen), ["newer!"]);
    assert!(screen.is_holding());
    screen.release();
    assert!(!screen.is_holding());
    assert_eq!(rows(&screen), ["newer!x"]);
    // One that never ends does not grow without bound.
    screen.advance(b"\x1b[?2026h");
    for _ in 0..1000 {
        screen.advance(&[b'y'; 4096]);
    }
    assert!(screen.heap_bytes() < 4 * 1024 * 1024);
    // And after a character that was cut in two.
    let mut screen = fed(20, 4, "");
    screen.advance(b"\xe5");
    screen.advance(b"\xad\x97\x1b[?2026h\xe5\xad");
    screen.advance(b"\x97\x1b[?2026l");
    assert_eq!(rows(&screen), ["字字"]);
}

#[test]
fn a_letter_after_a_character_cut_in_two_is_kept() {
    let text = "é A 字B\u{1f600}C";
    for at in 0..text.len() {
        let mut screen = screen(20, 2);
        screen.advance(&text.as_bytes()[..at]);
        screen.advance(&text.as_bytes()[at..]);
        assert_eq!(rows(&screen), [text], "{at}");
    }
}

#[test]
fn counts_are_clamped() {
    // Eight bytes each; none may take long, and none may leave the screen.
    let mut screen = screen(200, 50);
    screen.advance(b"\x1b[3g");
    for action in "@ABCDEFGHIJKLMPSTXZ`abdefgrt".chars() {
        let many = format!("x\x1b[65535{action}").repeat(2000);
        screen.advance(many.as_bytes());
        screen.advance(format!("\x1b[99999999999{action}").as_bytes());
    }
    let cursor = screen.cursor().unwrap();
    assert!(cursor.line < 50 && cursor.column < 200);
    assert_eq!(rows(&fed(5, 2, "ab\x1b[4294967295b")), ["abbbb", "bb"]);
}

#[test]
fn deleting_beyond_the_end_keeps_what_stands_before() {
    let screen = fed(10, 2, "0123456789\x1b[1;8H\x1b[20P");
    assert_eq!(rows(&screen), ["0123456"]);
    let screen = fed(10, 3, "a\r\nb\r\nc\x1b[2;1H\x1b[1J");
    assert_eq!(rows(&screen), ["", "", "c"]);
}

#[test]
fn margins_and_origin_hold_the_cursor() {
    let cursor = |bytes: &str| {
        let cursor = fed(20, 10, bytes).cursor().unwrap();
        (cursor.line, cursor.column)
    };
    assert_eq!(cursor("\x1b[3;5r\x1b[4;1H\x1b[9A"), (2, 0));
    assert_eq!(cursor("\x1b[3;5r\x1b[4;1H\x1b[9B"), (4, 0));
    assert_eq!(cursor("\x1b[3;5r\x1b[2;1H\x1b[9A"), (0, 0));
    assert_eq!(cursor("\x1b[3;5r\x1b[?6h"), (2, 0));
    assert_eq!(cursor("\x1b[3;5r\x1b[?6h\x1b[2;3H\x1b[7G"), (3, 6));
    assert_eq!(cursor("\x1b[3;5r\x1b[?6h\x1b[99;99H"), (4, 19));
    assert_eq!(
        cursor("\x1b[3;5r\x1b[?6h\x1b7\x1b[?6l\x1b[5;5H\x1b8"),
        (2, 0)
    );
}

#[test]
fn modes_are_followed() {
    let mut screen = screen(20, 4);
    screen.advance(
        b"\x1b[?1h\x1b=\x1b[20h\x1b[?2004h\x1b[?1002h\x1b[?1006h\x1b[?1004h\x1b[?25l\x1b[>1u",
    );
    let modes = screen.modes();
    assert!(modes.app_cursor && modes.app_keypad && modes.newline && modes.bracketed_paste);
    assert!(modes.sgr_mouse && modes.focus && modes.alternate_scroll);
    assert_eq!((modes.mouse, modes.kitty), (Tracking::Drags, 0));
    assert_eq!(screen.cursor(), None);
    screen.advance(b"\x1b[?25h\x1b[5 q");
    let cursor = screen.cursor().unwrap();
    assert!(cursor.shape == Shape::Beam && cursor.blinks);
    screen.allow_kitty(true);
    let told = screen.advance(b"\x1b[>5u\x1b[=2;2u\x1b[?u\x1b[?1049h\x1b[?u");
    assert_eq!(told.replies, b"\x1b[?7u\x1b[?0u");
    // More than any program needs; the stack stays small.
    screen.advance("\x1b[>1u".repeat(10_000).as_bytes());
    assert_eq!(screen.modes().kitty, 1);
    screen.advance(b"\x1bc");
    assert_eq!(screen.modes(), deckwatch::term::Modes::default());
}

#[test]
fn a_selection_copies_lines_as_they_were_written() {
    let screen = fed(10, 6, "abcdefghijkl\r\n字 x   \r\n\r\nlast  ");
    let text = |from, to| screen.text(Span::new(from, to));
    assert_eq!(text(at(0, 0), at(9, 9)), "abcdefghijkl\n字 x\n\nlast\n");
    assert_eq!(text(at(1, 1), at(0, 8)), "ijkl");
    assert_eq!(text(at(2, 1), at(2, 3)), "字 x");
    assert_eq!(screen.text(Span::rows(1, 2)), "kl\n字 x");
}

#[test]
fn a_search_finds_over_wraps_and_in_both_directions() {
    let mut screen = fed(10, 3, "one needle\r\nin a haystack with a needle\r\nend");
    screen.advance(b"\r\nNeedle");
    let pattern = Regex::new("(?i)needle").unwrap();
    let mut found = Vec::new();
    let mut from = None;
    while let Some(hit) = screen.find(&pattern, from, Direction::Down) {
        found.push((hit.start, hit.end));
        from = Some(hit.start);
    }
    let want = [
        (at(0, 4), at(0, 9)),
        (at(3, 1), at(3, 6)),
        (at(5, 0), at(5, 5)),
    ];
    assert_eq!(found, want);
    let mut back = Vec::new();
    let mut from = None;
    while let Some(hit) = screen.find(&pattern, from, Direction::Up) {
        back.push((hit.start, hit.end));
        from = Some(hit.start);
    }
    back.reverse();
    assert_eq!(back, want);
    let wrapped = Regex::new("haystack").unwrap();
    let hit = screen.find(&wrapped, None, Direction::Down).unwrap();
    assert_eq!((hit.start, hit.end), (at(1, 5), at(2, 2)));
    assert_eq!(screen.hits(&wrapped, 2, 1), [hit]);
    assert_eq!(screen.hits(&pattern, 3, 9).len(), 2);
    let end = Regex::new("k w.*e$").unwrap();
    assert!(screen.find(&end, None, Direction::Up).is_some());
}
