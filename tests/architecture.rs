//! The layers of the program: which module may use which, and which crates it may never name.
//! A new folder without a row fails, and so does a file that has grown too long.

#![expect(clippy::unwrap_used, clippy::string_slice, reason = "test helper")]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// A file's longest.
const LINES: usize = 600;

struct Row {
    module: &'static str,
    /// Modules of ours that it may use, besides itself.
    uses: &'static [&'static str],
    /// Crates that it may never name.
    never: &'static [&'static str],
}

const SCREEN: &[&str] = &["ratatui", "crossterm"];
/// Pure code: no sockets, no tasks, no screen.
const PURE: &[&str] = &[
    "tokio",
    "tokio_tungstenite",
    "tokio_rustls",
    "zeromq",
    "socket2",
    "rustix",
    "ratatui",
    "crossterm",
];

/// The layers, lowest first.
const TABLE: &[Row] = &[
    Row {
        module: "lang",
        uses: &[],
        never: PURE,
    },
    Row {
        module: "pages",
        uses: &[],
        never: PURE,
    },
    Row {
        module: "text",
        uses: &["pages"],
        never: &[
            "tokio",
            "tokio_tungstenite",
            "zeromq",
            "socket2",
            "rustix",
            "ratatui",
            "crossterm",
            "serde",
            "serde_json",
        ],
    },
    Row {
        module: "model",
        uses: &["text"],
        never: PURE,
    },
    // The only reader of clocks; tokio's, so that tests can pause it.
    Row {
        module: "clock",
        uses: &["model"],
        never: SCREEN,
    },
    Row {
        module: "codec",
        uses: &["text", "model"],
        never: PURE,
    },
    Row {
        module: "transport",
        uses: &["text", "model", "codec", "clock"],
        never: SCREEN,
    },
    Row {
        module: "session",
        uses: &["text", "model", "codec"],
        never: PURE,
    },
    Row {
        module: "store",
        uses: &["pages", "text", "model"],
        never: PURE,
    },
    Row {
        module: "term",
        uses: &["text", "model"],
        never: PURE,
    },
    // The view's rectangles are ratatui's, see `LAYOUT_ONLY`.
    Row {
        module: "app",
        uses: &["text", "model", "codec", "store", "term"],
        never: &[
            "tokio",
            "tokio_tungstenite",
            "tokio_rustls",
            "zeromq",
            "socket2",
            "rustix",
            "crossterm",
        ],
    },
    Row {
        module: "view",
        uses: &["text", "model", "codec", "store", "term", "app"],
        never: &[
            "tokio",
            "tokio_tungstenite",
            "zeromq",
            "socket2",
            "rustix",
            "crossterm",
        ],
    },
    Row {
        module: "platform",
        uses: &["text", "model", "codec", "transport", "clock"],
        never: SCREEN,
    },
    Row {
        module: "source",
        uses: &[
            "text",
            "model",
            "codec",
            "session",
            "transport",
            "platform",
            "clock",
        ],
        never: SCREEN,
    },
    Row {
        module: "doctor",
        uses: &[
            "text",
            "model",
            "codec",
            "session",
            "transport",
            "platform",
            "clock",
        ],
        never: SCREEN,
    },
    Row {
        module: "cli",
        uses: &["text", "model", "codec", "store"],
        never: PURE,
    },
    Row {
        module: "follow",
        uses: &["text", "model", "codec", "store", "source", "cli", "clock"],
        never: SCREEN,
    },
    Row {
        module: "attach",
        uses: &["text", "model", "codec", "source", "cli", "clock", "term"],
        never: SCREEN,
    },
    // It says by itself what the platform says: nothing of the client's connections.
    Row {
        module: "demo",
        uses: &["text", "model", "codec", "clock"],
        never: &["ratatui", "crossterm", "tokio_tungstenite"],
    },
    Row {
        module: "runtime",
        uses: &[
            "text",
            "model",
            "clock",
            "codec",
            "transport",
            "platform",
            "session",
            "store",
            "term",
            "app",
            "view",
            "source",
            "cli",
            "follow",
            "attach",
            "demo",
            "doctor",
        ],
        never: &["tokio_tungstenite", "zeromq", "socket2"],
    },
    Row {
        module: "main",
        uses: &["deckwatch"],
        never: PURE,
    },
    Row {
        module: "lib",
        uses: &[],
        never: PURE,
    },
];

/// Single names of forbidden crates that are allowed, with the file that has them.
const ALLOWED: &[(&str, &str)] = &[
    // The answer to a WebSocket's key is a fixed sum, not a connection.
    (
        "demo/http.rs",
        "tokio_tungstenite::tungstenite::handshake::derive_accept_key",
    ),
];

/// What every room may use: its texts in both languages.
const EVERYWHERE: &[&str] = &["lang", "say", "word"];

/// What `app` may name of ratatui.
const LAYOUT_ONLY: &str = "ratatui::layout::";

/// One source file: the module that it belongs to, its path and its text.
struct File {
    module: String,
    path: String,
    text: String,
}

fn sources() -> Vec<File> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let (mut folders, mut files) = (vec![root.clone()], Vec::new());
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path: PathBuf = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|end| end == "rs") {
                files.push(read(&root, &path));
            }
        }
    }
    files.sort_by(|a, b| a.path.cmp(&b.path));
    files
}

fn read(root: &Path, path: &Path) -> File {
    let inside = path
        .strip_prefix(root)
        .unwrap()
        .to_str()
        .unwrap()
        .to_owned();
    let module = inside.split('/').next().unwrap().trim_end_matches(".rs");
    File {
        module: module.to_owned(),
        text: std::fs::read_to_string(path).unwrap(),
        path: inside,
    }
}

/// The code of a file without its comments and strings, line by line.
fn code(text: &str) -> Vec<String> {
    text.lines().map(bare).collect()
}

/// A line up to its comment, without what stands in quotes.
fn bare(line: &str) -> String {
    let (mut out, mut quoted, mut escaped) = (String::new(), false, false);
    for (at, c) in line.char_indices() {
        if !quoted && line[at..].starts_with("//") {
            break;
        }
        match c {
            '\\' if quoted && !escaped => escaped = true,
            // A quoted quote is a character, not a string.
            '"' if !escaped && !line[..at].ends_with('\'') => quoted = !quoted,
            _ => {
                escaped = false;
                if !quoted {
                    out.push(c);
                }
            }
        }
    }
    out
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// The words that follow `crate::` in a line.
fn own_uses(line: &str) -> Vec<&str> {
    let mut found = Vec::new();
    for (at, _) in line.match_indices("crate::") {
        let before = line[..at].chars().next_back();
        if before.is_some_and(|c| is_word(c) || c == '$') {
            continue;
        }
        let rest = &line[at + "crate::".len()..];
        found.push(rest.split(|c| !is_word(c)).next().unwrap());
    }
    found
}

/// Whether a line names a crate: `tokio::` or `use tokio;`, not `my_tokio::` nor `x::tokio::`.
fn names(line: &str, name: &str) -> bool {
    line.match_indices(name).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        let after = &line[at + name.len()..];
        !before.is_some_and(|c| is_word(c) || c == ':')
            && (after.starts_with("::")
                || line.trim_start().starts_with("use ") && after.starts_with(';'))
    })
}

/// Everything that breaks a rule, one sentence each.
fn faults(files: &[File]) -> Vec<String> {
    let mut faults = Vec::new();
    for file in files {
        let path = &file.path;
        let length = file.text.lines().count();
        if length > LINES {
            faults.push(format!("{path} has {length} lines, more than {LINES}"));
        }
        let Some(row) = TABLE.iter().find(|row| row.module == file.module) else {
            faults.push(format!("{path}: the module {} has no row", file.module));
            continue;
        };
        for (number, line) in code(&file.text).iter().enumerate() {
            let place = format!("{path}:{}", number + 1);
            line_faults(row, path, line, &place, &mut faults);
        }
    }
    faults
}

fn line_faults(row: &Row, path: &str, line: &str, place: &str, faults: &mut Vec<String>) {
    if line.contains("super::super") {
        faults.push(format!("{place} climbs with super::super"));
    }
    if line.contains("use crate::{") {
        faults.push(format!("{place} groups imports of crate"));
    }
    for used in own_uses(line) {
        let open = used.is_empty() || used == row.module || EVERYWHERE.contains(&used);
        if !open && !row.uses.contains(&used) {
            faults.push(format!("{place}: {} may not use {used}", row.module));
        }
    }
    for never in row.never {
        let allowed = ALLOWED
            .iter()
            .any(|(file, name)| *file == path && line.contains(name));
        if names(line, never) && !allowed {
            faults.push(format!("{place}: {} may never name {never}", row.module));
        }
    }
    // The emulator can be exchanged as long as one facade knows it.
    if names(line, "alacritty_terminal") && !path.starts_with("term/screen") {
        faults.push(format!("{place}: only term/screen may name the emulator"));
    }
    if row.module == "app" && names(line, "ratatui") && !line.contains(LAYOUT_ONLY) {
        faults.push(format!("{place}: app may name {LAYOUT_ONLY} only"));
    }
    if row.module == "view" && line.contains("&mut App") {
        faults.push(format!("{place}: drawing can change nothing"));
    }
    // `Color::` as a word of its own; `TextColor::` is another's.
    let colour = line.match_indices("Color::").any(|(at, _)| {
        let before = line[..at].chars().next_back();
        !before.is_some_and(is_word)
    });
    if colour && path != "view/theme.rs" {
        faults.push(format!("{place}: colours are chosen in view/theme.rs only"));
    }
}

#[test]
fn layers_point_downward_only() {
    let files = sources();
    assert!(files.len() > 50, "the sources were found");
    let faults = faults(&files);
    assert!(faults.is_empty(), "\n{}\n", faults.join("\n"));
}

#[test]
fn the_table_has_no_circle() {
    // Each row uses only what stands before it, but for the clock and those that are none of ours.
    let mut known = BTreeSet::from(["deckwatch"]);
    for row in TABLE {
        for used in row.uses {
            assert!(
                known.contains(used),
                "{} uses {used} before its row",
                row.module
            );
        }
        assert!(known.insert(row.module), "{} has two rows", row.module);
    }
}

#[test]
#[expect(clippy::too_many_lines, reason = "two tables")]
fn planted_faults_are_found() {
    let plant = |module: &str, path: &str, text: &str| File {
        module: module.to_owned(),
        path: path.to_owned(),
        text: text.to_owned(),
    };
    let planted = [
        ("nowhere", "nowhere/a.rs", "fn a() {}", "has no row"),
        (
            "codec",
            "codec/a.rs",
            "use crate::transport::ws;",
            "may not use transport",
        ),
        (
            "codec",
            "codec/a.rs",
            "let x = crate::app::x();",
            "may not use app",
        ),
        (
            "demo",
            "demo/a.rs",
            "use crate::session::log;",
            "may not use session",
        ),
        (
            "text",
            "text/a.rs",
            "use tokio::net::TcpStream;",
            "may never name tokio",
        ),
        (
            "session",
            "session/a.rs",
            "    tokio::spawn(x);",
            "may never name tokio",
        ),
        (
            "store",
            "store/a.rs",
            "use ratatui;",
            "may never name ratatui",
        ),
        (
            "model",
            "model/a.rs",
            "use crate::{text, model};",
            "groups imports",
        ),
        (
            "source",
            "source/a.rs",
            "use super::super::x;",
            "super::super",
        ),
        (
            "app",
            "app/a.rs",
            "use ratatui::style::Style;",
            "layout:: only",
        ),
        (
            "view",
            "view/a.rs",
            "fn draw(app: &mut App) {}",
            "change nothing",
        ),
        (
            "view",
            "view/a.rs",
            "let red = Color::Red;",
            "theme.rs only",
        ),
        (
            "term",
            "term/cell.rs",
            "use alacritty_terminal::Term;",
            "only term/screen",
        ),
        (
            "cli",
            "cli/a.rs",
            "let x = \"//\"; tokio::spawn(y);",
            "may never name tokio",
        ),
    ];
    for (module, path, text, want) in planted {
        let found = faults(&[plant(module, path, text)]);
        assert_eq!(found.len(), 1, "{text}: {found:?}");
        assert!(found[0].contains(want), "{text}: {found:?}");
    }
    let long = "\n".repeat(LINES + 1);
    assert_eq!(faults(&[plant("text", "text/a.rs", &long)]).len(), 1);
    // And what is allowed is not: words in comments and strings, others' paths, a row's own.
    for (module, path, text) in [
        ("text", "text/a.rs", "// use tokio::net and crate::app::x"),
        (
            "text",
            "text/a.rs",
            "let x = \"tokio::spawn crate::app::x\";",
        ),
        ("text", "text/a.rs", "use crate::text::SafeText;"),
        ("source", "source/a.rs", "use crate::session::log;"),
        (
            "codec",
            "codec/a.rs",
            "use my_tokio::x; a::tokio::b(); $crate::app::x();",
        ),
        ("app", "app/a.rs", "use ratatui::layout::Rect;"),
        ("term", "term/screen/a.rs", "use alacritty_terminal::Term;"),
        ("view", "view/theme.rs", "let red = Color::Red;"),
        ("view", "view/a.rs", "let red = TextColor::Red;"),
    ] {
        let found = faults(&[plant(module, path, text)]);
        assert!(found.is_empty(), "{text}: {found:?}");
    }
}
