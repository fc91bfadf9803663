//! What the painter makes of a screen.

use std::fmt::Write;

use deckwatch::term::screen::{Direction, Span};
use deckwatch::term::{Place, Screen, Size};
use deckwatch::view::Theme;
use deckwatch::view::grid_view::{GridView, cursor, grid};
use deckwatch::view::theme::THEMES;
use insta::assert_snapshot;
use ratatui::backend::{Backend, CrosstermBackend};
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use regex::Regex;

use crate::recordings;
use crate::screens::{looks, only_drawing, row_text};

fn theme(name: &str) -> Theme {
    let (name, text) = THEMES.iter().find(|(known, _)| *known == name).unwrap();
    Theme::parse(text, name).unwrap()
}

fn view(screen: &Screen) -> GridView<'_> {
    GridView {
        screen,
        top: screen.top_row(),
        selection: None,
        hits: &[],
        current: None,
        cursor: None,
    }
}

fn painted(view: &GridView<'_>, theme: &Theme, size: (u16, u16)) -> Buffer {
    let mut buf = Buffer::empty(Rect::new(0, 0, size.0, size.1));
    grid(&mut buf, Rect::new(0, 0, size.0, size.1), view, theme);
    buf
}

/// The rows, and beside each the looks of its stretches.
fn shown(buf: &Buffer) -> String {
    let mut text = String::new();
    for y in buf.area.rows().map(|row| row.y) {
        text.push_str(row_text(buf, y).trim_end());
        text.push('\n');
        let mut x = 0;
        while x < buf.area.width {
            let style = buf[(x, y)].style();
            let from = x;
            while x < buf.area.width && buf[(x, y)].style() == style {
                x += 1;
            }
            let words = looks(style);
            if !words.starts_with("- on -") || words.len() > 6 {
                writeln!(text, "    {from}..{x} {words}").unwrap();
            }
        }
    }
    text
}

/// A screen with a bit of everything.
fn sample() -> Screen {
    let mut screen = Screen::new(Size::new(24, 6), 100);
    screen.advance(
        concat!(
            "first line goes up\r\n",
            "\x1b[1;31mred\x1b[0m \x1b[7mreverse\x1b[0m \x1b[4:3mcurl\x1b[0m\r\n",
            "订单 \x1b[44m已\x1b[0m e\u{301} \x1b[8mhidden\x1b[0m|\r\n",
            "👨\u{200d}👩 ❤\u{fe0f}| \x1b[38;2;1;2;3;9mrgb\x1b[0m\r\n",
            "needle in a haystack, and a needle that wraps\r\n",
            "$ "
        )
        .as_bytes(),
    );
    screen
}

#[test]
fn a_shell_is_painted_cell_by_cell() {
    let screen = sample();
    let pattern = Regex::new("needle").unwrap();
    let hits = screen.hits(&pattern, screen.top_row(), 6);
    let current = screen.find(&pattern, None, Direction::Up);
    let at = |row, column| Place { row, column };
    let top = screen.top_row();
    let full = GridView {
        hits: &hits,
        current,
        selection: Some(Span::new(at(top, 2), at(top + 1, 1))),
        cursor: Some(at(top + 2, 4)),
        ..view(&screen)
    };
    assert_snapshot!(shown(&painted(&full, &theme("dark"), (24, 6))));
    assert_snapshot!(shown(&painted(&view(&screen), &theme("plain"), (24, 6))));
    assert_snapshot!(shown(&painted(&view(&screen), &theme("ansi16"), (24, 6))));
    let area = Rect::new(3, 2, 24, 6);
    assert_eq!(cursor(area, &full), Some(Position::new(5, 7)));
}

#[test]
fn a_window_may_be_smaller_larger_or_elsewhere() {
    let screen = sample();
    let theme = theme("dark");
    // A wide character cut by the edge is blank, and nothing is written outside.
    let narrow = painted(&view(&screen), &theme, (3, 9));
    assert_eq!(row_text(&narrow, 1), "订 ");
    let mut buf = Buffer::empty(Rect::new(2, 2, 10, 3));
    grid(&mut buf, Rect::new(0, 0, 100, 100), &view(&screen), &theme);
    grid(&mut buf, Rect::new(50, 50, 10, 10), &view(&screen), &theme);
    // The history, and what lies before and behind it.
    let above = GridView {
        top: screen.first_row(),
        ..view(&screen)
    };
    let rows = painted(&above, &theme, (24, 3));
    assert_eq!(row_text(&rows, 0).trim_end(), "first line goes up");
    let beyond = GridView {
        top: screen.end_row() + 5,
        ..view(&screen)
    };
    assert_eq!(
        row_text(&painted(&beyond, &theme, (24, 3)), 0).trim_end(),
        ""
    );
    assert_eq!(cursor(Rect::new(0, 0, 24, 3), &beyond), None);
}

#[test]
fn the_painter_writes_no_control_byte() {
    let mut streams: Vec<(String, Vec<u8>)> = recordings::all()
        .into_iter()
        .map(|recording| (recording.name, recording.bytes))
        .collect();
    streams.extend(super::hostile::corpus());
    for (name, bytes) in streams {
        let mut screen = Screen::new(Size::new(80, 24), 100);
        screen.advance(&bytes);
        let buf = painted(&view(&screen), &theme("dark"), (80, 24));
        for (x, y) in buf.area.positions().map(|at| (at.x, at.y)) {
            let symbol = buf[(x, y)].symbol();
            assert!(
                symbol.len() <= 64 && !symbol.is_empty(),
                "{name}: {symbol:?}"
            );
            assert!(!symbol.chars().any(char::is_control), "{name}: {symbol:?}");
            let cells = deckwatch::text::width::cells(symbol);
            assert!((1..=2).contains(&cells), "{name}: {symbol:?} {cells}");
        }
        let mut out = Vec::new();
        let mut backend = CrosstermBackend::new(&mut out);
        let blank = Buffer::empty(buf.area);
        backend.draw(blank.diff(&buf).into_iter()).unwrap();
        Backend::flush(&mut backend).unwrap();
        only_drawing(&out).unwrap_or_else(|wrong| panic!("{name}: {wrong}"));
    }
}

/// What is drawn, drawn into an emulator again, is the same screen.
#[test]
fn what_is_painted_is_what_the_emulator_has() {
    for recording in recordings::all() {
        let mut screen = Screen::new(Size::new(80, 24), 100);
        screen.advance(&recording.bytes);
        let theme = theme("ansi16");
        let buf = painted(&view(&screen), &theme, (80, 24));
        let mut out = Vec::new();
        let mut backend = CrosstermBackend::new(&mut out);
        let blank = Buffer::empty(buf.area);
        backend.draw(blank.diff(&buf).into_iter()).unwrap();
        Backend::flush(&mut backend).unwrap();
        let mut second = Screen::new(Size::new(80, 24), 100);
        second.advance(&out);
        let again = painted(&view(&second), &theme, (80, 24));
        for y in 0..24 {
            assert_eq!(
                row_text(&buf, y),
                row_text(&again, y),
                "{} row {y}",
                recording.name
            );
        }
        assert!(buf == again, "{}", recording.name);
    }
}
