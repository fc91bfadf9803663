//! The interface without a terminal: a program with a fixed clock is fed batches and keys, and
//! what it paints is compared as a screen. Each screen was looked at when it was accepted.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "test helpers"
)]

mod charts;
mod chinese;
mod hostile;
mod lines;
mod modes;
mod panes;
mod shells;
mod sizes;
mod tables;
mod tree;
mod views;

pub(super) use hostile::only_drawing;

use std::fmt::Write;
use std::time::{Duration, Instant};

use deckwatch::app::key::{Code, Key};
use deckwatch::app::{App, Effect, Msg, Now};
use deckwatch::codec::level;
use deckwatch::codec::target::Target;
use deckwatch::model::{
    FeedUpdate, LineBatch, LinkState, Mark, Micros, RawBatch, RowHead, SourceName, TargetId,
};
use deckwatch::view::{self, Theme};
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::style::{Color, Modifier, Style};

/// 2026-11-24 14:03:20 UTC.
const START: i64 = 1_795_529_000_000_000;

/// A program, its clock, and how it looks.
pub(super) struct Stage {
    pub(super) app: App,
    pub(super) theme: Theme,
    /// What it has asked for, but for scans, which are carried out at once.
    pub(super) wishes: Vec<Effect>,
    start: Instant,
    passed: Duration,
    /// Microseconds by which the wall clock was set.
    jumped: i64,
}

/// A line of the shop.
#[derive(Clone, Copy)]
pub(super) struct Say<'a> {
    pub(super) source: &'a str,
    pub(super) text: &'a str,
}

pub(super) fn say<'a>(source: &'a str, text: &'a str) -> Say<'a> {
    Say { source, text }
}

impl Stage {
    /// A program of `width` by `height` on `count` components of the shop.
    pub(super) fn new(width: u16, height: u16, count: usize) -> Self {
        Self::with(width, height, count, false, 256 << 20)
    }

    pub(super) fn merged(width: u16, height: u16, count: usize) -> Self {
        Self::with(width, height, count, true, 256 << 20)
    }

    pub(super) fn with(width: u16, height: u16, count: usize, merge: bool, budget: usize) -> Self {
        let names = [
            "api-gateway",
            "order",
            "payment",
            "inventory",
            "web",
            "订单服务",
        ];
        let targets = names.iter().cycle().take(count).map(|name| {
            let mut target = Target::parse("ws://10.0.0.1:6060/docker_log#x").unwrap();
            (*name).clone_into(&mut target.name);
            target
        });
        let start = Instant::now();
        let now = Now {
            mono: start,
            wall: Micros(START),
        };
        let area = Rect::new(0, 0, width, height);
        let mut app = App::new(targets.collect(), merge, budget, area, now);
        let wishes = app.take_wishes();
        Self {
            app,
            theme: Theme::find("dark", None).unwrap(),
            wishes,
            start,
            passed: Duration::ZERO,
            jumped: 0,
        }
    }

    pub(super) fn now(&self) -> Now {
        Now {
            mono: self.start + self.passed,
            wall: Micros(START + self.jumped + i64::try_from(self.passed.as_micros()).unwrap()),
        }
    }

    /// One message; scans that it asks for are carried out at once.
    pub(super) fn tell(&mut self, msg: Msg) {
        let now = self.now();
        let mut effects = self.app.update(msg, now);
        while let Some(effect) = effects.pop() {
            let Effect::Scan(pane, scan, job) = effect else {
                self.wishes.push(effect);
                continue;
            };
            for (first, rows) in job.results() {
                let generation = job.generation;
                effects.extend(self.app.update(
                    Msg::Scanned {
                        pane,
                        scan,
                        generation,
                        first,
                        rows,
                    },
                    now,
                ));
            }
        }
    }

    /// Time passes.
    pub(super) fn pass(&mut self, millis: u64) {
        self.passed += Duration::from_millis(millis);
        self.tell(Msg::Tick);
    }

    /// The wall clock is set; the other one goes on.
    pub(super) fn jump(&mut self, micros: i64) {
        self.jumped += micros;
        self.tell(Msg::Tick);
    }

    /// The target's link changes.
    pub(super) fn state(&mut self, target: u16, state: LinkState) {
        self.tell(Msg::Feed(TargetId(target), FeedUpdate::State(state)));
    }

    pub(super) fn batch(&mut self, target: u16, raw: &RawBatch) {
        let batch = LineBatch::refine(raw, level::detect);
        self.tell(Msg::Feed(TargetId(target), FeedUpdate::Lines(batch)));
    }

    /// Lines come, 100 ms apart.
    pub(super) fn lines(&mut self, target: u16, lines: &[Say<'_>]) {
        for line in lines {
            let mut raw = RawBatch::default();
            let source = (!line.source.is_empty()).then(|| SourceName::new(line.source.as_bytes()));
            let head = RowHead {
                source: source.as_ref(),
                recv: self.now().wall,
                ..RowHead::default()
            };
            raw.push(line.text.as_bytes(), &head);
            self.batch(target, &raw);
            self.passed += Duration::from_millis(100);
        }
    }

    /// `count` lines with their number.
    pub(super) fn numbered(&mut self, target: u16, count: usize) {
        let texts: Vec<String> = (1..=count).map(|n| format!("line {n:04}")).collect();
        let lines: Vec<Say<'_>> = texts.iter().map(|text| say("5f2a9c01d7e4", text)).collect();
        self.lines(target, &lines);
    }

    /// A mark comes.
    pub(super) fn mark(&mut self, target: u16, mark: Mark) {
        let mut raw = RawBatch::default();
        raw.push_mark(mark);
        self.batch(target, &raw);
    }

    /// Presses keys, by their words: `keys("ctrl-w v j")`.
    pub(super) fn keys(&mut self, words: &str) {
        for word in words.split(' ') {
            let key = Key::parse(word).unwrap_or_else(|| panic!("no key {word}"));
            self.tell(Msg::Key(key));
        }
    }

    /// Types a text.
    pub(super) fn type_in(&mut self, text: &str) {
        for c in text.chars() {
            self.tell(Msg::Key(Key::char(c)));
        }
    }

    /// Opens a prompt by its key, types a text and presses Enter.
    pub(super) fn enter(&mut self, key: &str, text: &str) {
        self.keys(key);
        self.type_in(text);
        self.tell(Msg::Key(Key::plain(Code::Enter)));
    }

    /// The screen, and where the cursor stands.
    pub(super) fn paint(&self) -> (Buffer, Option<Position>) {
        let mut buf = Buffer::empty(self.app.area);
        let cursor = view::render(&self.app, &self.theme, self.app.area, &mut buf);
        (buf, cursor)
    }

    /// The screen as text.
    pub(super) fn screen(&self) -> String {
        let (buf, cursor) = self.paint();
        let mut text = String::new();
        for y in buf.area.rows() {
            let row = row_text(&buf, y.y);
            let _ = writeln!(text, "{}", row.trim_end());
        }
        if let Some(cursor) = cursor {
            let _ = writeln!(text, "(cursor in column {}, row {})", cursor.x, cursor.y);
        }
        text
    }

    /// The screen as text, then its styles: a letter for each, blank for the text's own.
    pub(super) fn styled(&self) -> String {
        let (buf, _) = self.paint();
        let mut known: Vec<Style> = vec![self.theme.style(view::theme::Role::Text)];
        let mut grid = String::new();
        for row in buf.area.rows() {
            let mut letters = String::new();
            for x in buf.area.columns() {
                let style = buf[(x.x, row.y)].style();
                let style = Style {
                    underline_color: None,
                    ..style
                };
                let at = known.iter().position(|one| looks(*one) == looks(style));
                let at = at.unwrap_or_else(|| {
                    known.push(style);
                    known.len() - 1
                });
                letters.push(if at == 0 {
                    ' '
                } else {
                    char::from(b'`' + u8::try_from(at).unwrap())
                });
            }
            let _ = writeln!(grid, "{}", letters.trim_end());
        }
        for (at, style) in known.iter().enumerate().skip(1) {
            let letter = char::from(b'`' + u8::try_from(at).unwrap());
            let _ = writeln!(grid, "{letter}: {}", looks(*style));
        }
        format!("{}\n{grid}", self.screen())
    }
}

/// A row's characters; what a wide one covers is left out.
pub(super) fn row_text(buf: &Buffer, y: u16) -> String {
    let mut text = String::new();
    let mut x = buf.area.x;
    while x < buf.area.right() {
        let symbol = buf[(x, y)].symbol();
        text.push_str(symbol);
        let cells = deckwatch::text::width::cells(symbol).max(1);
        x += u16::try_from(cells).unwrap();
    }
    text
}

/// A style in words.
pub(super) fn looks(style: Style) -> String {
    let color = |color: Option<Color>| match color {
        None | Some(Color::Reset) => "-".to_owned(),
        Some(Color::Rgb(r, g, b)) => format!("#{r:02x}{g:02x}{b:02x}"),
        Some(other) => format!("{other}"),
    };
    let mut text = format!("{} on {}", color(style.fg), color(style.bg));
    let flags = [
        (Modifier::BOLD, "bold"),
        (Modifier::DIM, "dim"),
        (Modifier::ITALIC, "italic"),
        (Modifier::UNDERLINED, "underline"),
        (Modifier::REVERSED, "reverse"),
    ];
    for (flag, name) in flags {
        if style.add_modifier.contains(flag) {
            let _ = write!(text, " {name}");
        }
    }
    text
}

/// What the shop says in a second.
pub(super) fn shop() -> Vec<Say<'static>> {
    vec![
        say("5f2a9c01d7e4", "INFO  gateway up, 4 workers"),
        say("5f2a9c01d7e4", "GET /api/v1/orders/1042 200 12ms"),
        say(
            "81be03aa77c9",
            "{\"level\":\"warn\",\"msg\":\"slow query\",\"ms\":843,\"table\":\"orders\"}",
        ),
        say("81be03aa77c9", "订单 1042 已支付，金额 ¥128.50，用户 张三"),
        say(
            "5f2a9c01d7e4",
            "\u{1b}[31mERROR\u{1b}[0m payment \u{1b}[1;33mrefused\u{1b}[0m by bank: code=51",
        ),
        say("5f2a9c01d7e4", "  at pay.charge (pay.js:42)"),
        say("", "level=debug msg=\"cache miss\" key=user:7"),
        say("81be03aa77c9", "👩‍👩‍👧 family ordered 3× café ☕"),
    ]
}
