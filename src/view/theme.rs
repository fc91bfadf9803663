//! Themes: named purposes to styles. The only file that knows colours by name.

use std::path::Path;

use ratatui::style::{Color, Modifier, Style};
use serde::Deserialize;

use crate::model::{Fault, FaultKind, Level, words};
use crate::say;
use crate::term::{CellStyle, Underline};
use crate::text::{Attrs, Ink, TextStyle, palette};
use crate::word;

/// The themes that are built in: name and file.
pub const THEMES: [(&str, &str); 5] = [
    ("dark", include_str!("../../themes/dark.toml")),
    ("light", include_str!("../../themes/light.toml")),
    ("contrast", include_str!("../../themes/contrast.toml")),
    ("ansi16", include_str!("../../themes/ansi16.toml")),
    ("plain", include_str!("../../themes/plain.toml")),
];

/// What a style is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[expect(missing_docs, reason = "the names say it, and the theme files show it")]
pub enum Role {
    Text,
    Dim,
    Title,
    TitleFocus,
    Border,
    Status,
    Hint,
    Key,
    Debug,
    Info,
    Warn,
    Error,
    Hit,
    HitCurrent,
    Highlight,
    Cursor,
    Selection,
    Mark,
    MarkLoss,
    Notice,
    Fault,
    Good,
    Bad,
    Stamp,
    Overlay,
    JsonKey,
    JsonString,
    JsonNumber,
    BandWarn,
    BandError,
    Moment,
}

/// All styles of the program.
#[derive(Clone, Debug)]
pub struct Theme {
    /// Its name.
    pub name: String,
    roles: Roles,
    sources: Vec<Color>,
    /// 24-bit colours of log lines may be shown as they are.
    true_color: bool,
    /// No colour at all may be shown.
    colorless: bool,
}

/// Which colours a program in a shell may show.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Depth {
    None,
    Sixteen,
    Full,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    name: String,
    #[serde(default, rename = "about")]
    _about: String,
    roles: Roles,
    sources: Sources,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Sources {
    colors: Vec<Paint>,
}

macro_rules! roles {
    ($($field:ident: $role:ident),* $(,)?) => {
        /// A style for each role; a file must have them all.
        #[derive(Clone, Debug, Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Roles { $($field: Look,)* }

        impl Roles {
            fn get(&self, role: Role) -> Style {
                match role { $(Role::$role => self.$field.0,)* }
            }

            fn map(&mut self, change: impl Fn(Style) -> Style) {
                $(self.$field.0 = change(self.$field.0);)*
            }
        }
    };
}

roles! {
    text: Text, dim: Dim, title: Title, title_focus: TitleFocus, border: Border, status: Status,
    hint: Hint, key: Key, debug: Debug, info: Info, warn: Warn, error: Error, hit: Hit,
    hit_current: HitCurrent, highlight: Highlight, cursor: Cursor, selection: Selection,
    mark: Mark, mark_loss: MarkLoss, notice: Notice, fault: Fault, good: Good, bad: Bad,
    stamp: Stamp, overlay: Overlay, json_key: JsonKey, json_string: JsonString,
    json_number: JsonNumber, band_warn: BandWarn, band_error: BandError, moment: Moment,
}

/// One style of a theme file.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(from = "Written")]
struct Look(Style);

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct Written {
    fg: Option<Paint>,
    bg: Option<Paint>,
    bold: bool,
    dim: bool,
    italic: bool,
    underline: bool,
    reverse: bool,
}

impl From<Written> for Look {
    fn from(written: Written) -> Self {
        let mut style = Style::new();
        style.fg = written.fg.map(|paint| paint.0);
        style.bg = written.bg.map(|paint| paint.0);
        let flags = [
            (written.bold, Modifier::BOLD),
            (written.dim, Modifier::DIM),
            (written.italic, Modifier::ITALIC),
            (written.underline, Modifier::UNDERLINED),
            (written.reverse, Modifier::REVERSED),
        ];
        for (on, modifier) in flags {
            if on {
                style = style.add_modifier(modifier);
            }
        }
        Self(style)
    }
}

/// `#rrggbb`, a number from 0 to 255, or one of the 16 names.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(try_from = "String")]
struct Paint(Color);

impl TryFrom<String> for Paint {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        const NAMES: [&str; 16] = [
            "black",
            "red",
            "green",
            "yellow",
            "blue",
            "magenta",
            "cyan",
            "white",
            "bright-black",
            "bright-red",
            "bright-green",
            "bright-yellow",
            "bright-blue",
            "bright-magenta",
            "bright-cyan",
            "bright-white",
        ];
        let wrong = || {
            say!(
                "{text:?} is no colour; write \"#rrggbb\", a number from 0 to 255, or a name like bright-blue",
                "{text:?} 不是颜色；请写 \"#rrggbb\"、0 到 255 的数字，或 bright-blue 之类的名称"
            )
        };
        if let Some(index) = NAMES.iter().position(|name| *name == text) {
            return Ok(Self(Color::Indexed(
                u8::try_from(index).map_err(|_| wrong())?,
            )));
        }
        if let Ok(index) = text.parse() {
            return Ok(Self(Color::Indexed(index)));
        }
        let digits = text
            .strip_prefix('#')
            .filter(|digits| digits.len() == 6)
            .ok_or_else(wrong)?;
        let value = u32::from_str_radix(digits, 16).map_err(|_| wrong())?;
        let [_, r, g, b] = value.to_be_bytes();
        Ok(Self(Color::Rgb(r, g, b)))
    }
}

impl Theme {
    /// Reads a theme file's text; `origin` names it in messages.
    pub fn parse(text: &str, origin: &str) -> Result<Self, Fault> {
        let file: File = toml::from_str(text).map_err(|error| {
            let line = error.span().map_or(1, |span| {
                text.get(..span.start).unwrap_or("").lines().count().max(1)
            });
            let why = error.message().replace('\n', " ");
            Fault::new(
                FaultKind::Usage,
                say!("theme {origin}, line {line}", "主题 {origin} 第 {line} 行"),
                why,
                word!(
                    "compare it with the built-in themes/dark.toml",
                    "请对照内置的 themes/dark.toml"
                ),
            )
        })?;
        let sources = file
            .sources
            .colors
            .into_iter()
            .map(|paint| paint.0)
            .collect();
        Ok(Self {
            name: file.name,
            roles: file.roles,
            sources,
            true_color: true,
            colorless: false,
        })
    }

    /// Finds a theme: a path (it has a slash or ends in .toml), else a user's own file of that
    /// name in `dir`, else a built-in one.
    pub fn find(name: &str, dir: Option<&Path>) -> Result<Self, Fault> {
        let is_path =
            name.contains('/') || Path::new(name).extension().is_some_and(|ext| ext == "toml");
        if is_path {
            return Self::load(Path::new(name));
        }
        let own = dir
            .map(|dir| dir.join(format!("{name}.toml")))
            .filter(|path| path.exists());
        if let Some(path) = own {
            return Self::load(&path);
        }
        if let Some((known, text)) = THEMES.iter().find(|(known, _)| *known == name) {
            Self::parse(text, known)
        } else {
            let names = THEMES.map(|(name, _)| name).join(", ");
            let next = say!(
                "the built-in ones are {names}; a file of your own goes to deckwatch/themes in the config directory",
                "内置主题有 {names}；自己的主题文件放在配置目录的 deckwatch/themes 下"
            );
            Err(Fault::new(
                FaultKind::Usage,
                say!("theme {name:?}", "主题 {name:?}"),
                word!("there is none of that name", "没有这个名称的主题"),
                next,
            ))
        }
    }

    fn load(path: &Path) -> Result<Self, Fault> {
        let shown = path.display().to_string();
        let text = std::fs::read_to_string(path).map_err(|error| {
            let why = words::io_error(&error).to_lowercase();
            Fault::new(
                FaultKind::Usage,
                say!("theme {shown}", "主题 {shown}"),
                say!("it can't be read: {why}", "无法读取：{why}"),
                word!("check the path", "请检查路径"),
            )
        })?;
        Self::parse(&text, &shown)
    }

    /// The theme for a terminal without 24-bit colours: each becomes the nearest of the 256.
    #[must_use]
    pub fn for_256_colors(mut self) -> Self {
        self.true_color = false;
        self.roles.map(|mut style| {
            style.fg = style.fg.map(nearest);
            style.bg = style.bg.map(nearest);
            style
        });
        self.sources = self.sources.into_iter().map(nearest).collect();
        self
    }

    /// The theme without any colour, those of log lines included.
    #[must_use]
    pub fn without_colors(mut self) -> Self {
        self.colorless = true;
        self.roles.map(|style| Style {
            fg: None,
            bg: None,
            ..style
        });
        self.sources.clear();
        self
    }

    /// The style for a purpose.
    pub fn style(&self, role: Role) -> Style {
        self.roles.get(role)
    }

    /// The style of a severity.
    pub fn level(&self, level: Level) -> Style {
        match level {
            Level::None => self.style(Role::Border),
            Level::Debug => self.style(Role::Debug),
            Level::Info => self.style(Role::Info),
            Level::Warn => self.style(Role::Warn),
            Level::Error => self.style(Role::Error),
        }
    }

    /// The colour of a source, the same for the same name.
    pub fn source(&self, name: &str) -> Style {
        if self.sources.is_empty() {
            return self.style(Role::Text);
        }
        let sum = name.bytes().fold(0x811c_9dc5_u32, |sum, byte| {
            (sum ^ u32::from(byte)).wrapping_mul(0x0100_0193)
        });
        let index = usize::try_from(sum ^ (sum >> 16)).unwrap_or(0) % self.sources.len();
        let style = self.style(Role::Text);
        self.sources
            .get(index)
            .map_or(style, |color| style.fg(*color))
    }

    /// The colour of the line of that number in a chart.
    pub fn line(&self, number: usize) -> Style {
        let style = self.style(Role::Text);
        let at = number.checked_rem(self.sources.len());
        at.and_then(|at| self.sources.get(at))
            .map_or(style, |color| style.fg(*color))
    }

    /// The style that a log line's own SGR asks for, over `base`.
    pub fn ansi(&self, wish: TextStyle, base: Style) -> Style {
        let mut style = base;
        if !self.colorless {
            style.fg = self.ink(wish.fg).or(base.fg);
            style.bg = self.ink(wish.bg).or(base.bg);
        }
        let flags = [
            (Attrs::BOLD, Modifier::BOLD),
            (Attrs::DIM, Modifier::DIM),
            (Attrs::ITALIC, Modifier::ITALIC),
            (Attrs::UNDERLINE, Modifier::UNDERLINED),
            (Attrs::INVERSE, Modifier::REVERSED),
        ];
        for (attr, modifier) in flags {
            if wish.attrs.has(attr) {
                style = style.add_modifier(modifier);
            }
        }
        style
    }

    /// The style of a cell of a shell, over the theme's own text. A theme without colours shows
    /// none, one of the first 16 only those.
    pub fn cell(&self, wish: &CellStyle) -> Style {
        let mut style = self.style(Role::Text);
        style.fg = self.cell_ink(wish.fg).or(style.fg);
        style.bg = self.cell_ink(wish.bg).or(style.bg);
        let flags = [
            (wish.bold, Modifier::BOLD),
            (wish.dim, Modifier::DIM),
            (wish.italic, Modifier::ITALIC),
            (wish.reverse, Modifier::REVERSED),
            (wish.strike, Modifier::CROSSED_OUT),
            (wish.underline != Underline::None, Modifier::UNDERLINED),
        ];
        for (_, modifier) in flags.into_iter().filter(|(on, _)| *on) {
            style = style.add_modifier(modifier);
        }
        style
    }

    fn cell_ink(&self, ink: Ink) -> Option<Color> {
        let low = |rgb| Some(Color::Indexed(palette::nearest_low(rgb)));
        match (self.depth(), ink) {
            (Depth::None, _) => None,
            (Depth::Sixteen, Ink::Indexed(index @ 16..)) => low(palette::rgb(index)),
            (Depth::Sixteen, Ink::Rgb(r, g, b)) => low((r, g, b)),
            (Depth::Sixteen | Depth::Full, ink) => self.ink(ink),
        }
    }

    /// What the theme itself is made of.
    fn depth(&self) -> Depth {
        if self.colorless || self.sources.is_empty() {
            return Depth::None;
        }
        let low = |color: &Color| matches!(color, Color::Indexed(0..=15));
        if self.sources.iter().all(low) {
            return Depth::Sixteen;
        }
        Depth::Full
    }

    fn ink(&self, ink: Ink) -> Option<Color> {
        match ink {
            Ink::Default => None,
            Ink::Indexed(index) => Some(Color::Indexed(index)),
            Ink::Rgb(r, g, b) if self.true_color => Some(Color::Rgb(r, g, b)),
            Ink::Rgb(r, g, b) => Some(nearest(Color::Rgb(r, g, b))),
        }
    }
}

/// The nearest of the 256 colours' cube and greys.
fn nearest(color: Color) -> Color {
    const STEPS: [u8; 6] = [0, 95, 135, 175, 215, 255];
    let Color::Rgb(r, g, b) = color else {
        return color;
    };
    let step = |value: u8| {
        (0u8..)
            .zip(STEPS)
            .min_by_key(|(_, step)| step.abs_diff(value))
            .unwrap_or((0, 0))
    };
    let ((ri, rv), (gi, gv), (bi, bv)) = (step(r), step(g), step(b));
    let far = |x: u8, y: u8, z: u8| {
        u32::from(x.abs_diff(r)) + u32::from(y.abs_diff(g)) + u32::from(z.abs_diff(b))
    };
    let mean = (u16::from(r) + u16::from(g) + u16::from(b)) / 3;
    let grey_index = u8::try_from(mean.saturating_sub(3) / 10)
        .unwrap_or(23)
        .min(23);
    let grey = 8 + 10 * grey_index;
    if far(grey, grey, grey) < far(rv, gv, bv) {
        return Color::Indexed(232 + grey_index);
    }
    Color::Indexed(16 + 36 * ri + 6 * gi + bi)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_of_the_folder_is_built_in_and_whole() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("themes");
        let mut files: Vec<String> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| {
                entry
                    .unwrap()
                    .path()
                    .file_stem()
                    .unwrap()
                    .to_string_lossy()
                    .into_owned()
            })
            .collect();
        files.sort();
        let mut names: Vec<String> = THEMES.iter().map(|(name, _)| (*name).to_owned()).collect();
        let help = crate::app::command::all().find(|command| command.name == "theme");
        let help = help.unwrap().help;
        assert!(
            names.iter().all(|name| {
                let said = |text: &str| text.contains(name.as_str());
                said(help.en) && said(help.zh)
            }),
            "{help}"
        );
        names.sort();
        assert_eq!(files, names);
        for (name, text) in THEMES {
            assert_eq!(Theme::parse(text, name).unwrap().name, name);
        }
    }

    #[test]
    fn a_wrong_theme_is_named_with_its_line_and_the_reason() {
        let dark = THEMES[0].1;
        let cases = [
            (
                dark.replace("\"#7a8494\" }\ntitle", "\"#7a849\" }\ntitle"),
                "is no colour",
            ),
            (dark.replace("hint = {", "hunt = {"), "hunt"),
            (dark.replace("bold = true", "bald = true"), "bald"),
            (dark.replace("[sources]", "[sauces]"), "sauces"),
            ("name = ".to_owned(), "line 1"),
        ];
        for (text, want) in cases {
            let fault = Theme::parse(&text, "x.toml").expect_err(want).to_string();
            assert!(
                fault.contains(want) && fault.contains("x.toml, line "),
                "{fault}"
            );
            assert_eq!(fault.lines().count(), 1, "{fault}");
        }
        assert!(
            Theme::find("nope", None)
                .unwrap_err()
                .to_string()
                .contains("ansi16")
        );
        assert!(
            Theme::find("./nope.toml", None)
                .unwrap_err()
                .to_string()
                .contains("can't be read")
        );
    }

    #[test]
    fn a_users_own_file_comes_before_the_built_in_one() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("dark.toml"), THEMES[1].1).unwrap();
        assert_eq!(Theme::find("dark", Some(dir.path())).unwrap().name, "light");
        assert_eq!(
            Theme::find("contrast", Some(dir.path())).unwrap().name,
            "contrast"
        );
    }

    #[test]
    fn without_colours_there_is_none() {
        let theme = Theme::parse(THEMES[0].1, "dark").unwrap().without_colors();
        let wish = TextStyle {
            fg: Ink::Rgb(1, 2, 3),
            bg: Ink::Indexed(4),
            attrs: Attrs(Attrs::BOLD),
        };
        let style = theme.ansi(wish, theme.style(Role::Error));
        assert_eq!((style.fg, style.bg), (None, None));
        assert!(style.add_modifier.contains(Modifier::BOLD));
        assert_eq!(theme.source("x").fg, None);
    }

    #[test]
    fn a_shells_colours_keep_to_the_themes_depth() {
        let theme = |name: &str| {
            let (name, text) = THEMES.iter().find(|(known, _)| *known == name).unwrap();
            Theme::parse(text, name).unwrap()
        };
        let fg = |theme: &Theme, fg: Ink| {
            let wish = CellStyle {
                fg,
                bold: true,
                ..CellStyle::default()
            };
            let style = theme.cell(&wish);
            assert!(style.add_modifier.contains(Modifier::BOLD));
            style.fg
        };
        let orange = Ink::Rgb(255, 135, 0);
        let dark = theme("dark");
        assert_eq!(fg(&dark, orange), Some(Color::Rgb(255, 135, 0)));
        assert_eq!(fg(&dark, Ink::Default), dark.style(Role::Text).fg);
        let few = dark.for_256_colors();
        assert_eq!(fg(&few, orange), Some(Color::Indexed(208)));
        let low = theme("ansi16");
        assert_eq!(fg(&low, orange), Some(Color::Indexed(3)));
        assert_eq!(fg(&low, Ink::Indexed(208)), Some(Color::Indexed(3)));
        assert_eq!(fg(&low, Ink::Indexed(9)), Some(Color::Indexed(9)));
        assert_eq!(fg(&theme("plain"), Ink::Indexed(9)), None);
        assert_eq!(fg(&theme("light").without_colors(), orange), None);
    }

    #[test]
    fn colours_become_the_nearest_of_256() {
        assert_eq!(nearest(Color::Rgb(255, 0, 0)), Color::Indexed(196));
        assert_eq!(nearest(Color::Rgb(0, 0, 0)), Color::Indexed(16));
        assert_eq!(nearest(Color::Rgb(128, 128, 128)), Color::Indexed(244));
        assert_eq!(nearest(Color::Indexed(3)), Color::Indexed(3));
    }
}
