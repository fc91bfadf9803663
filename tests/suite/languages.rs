//! Both languages: no sentence is said in English alone, and the program speaks the one that it
//! is asked for.

#![expect(clippy::unwrap_used, clippy::string_slice, reason = "test helper")]

use std::path::{Path, PathBuf};

use crate::program::{ClosedPort, program};

/// The rooms whose texts users see.
const ROOMS: &[&str] = &[
    "app",
    "attach",
    "cli",
    "codec",
    "doctor",
    "follow",
    "model",
    "runtime",
    "session",
    "source",
    "store",
    "term",
    "text",
    "transport",
    "view",
];

/// English that stands alone, with the reason: a file, the beginning of a text.
const ALONE: &[(&str, &str)] = &[
    // Servers' words, which are read.
    ("codec/pubsub.rs", "channel is exist"),
    ("session/shell/ends.rs", "run tty failure!"),
    ("session/shell/ends.rs", "Auth is not allowed!"),
    ("session/shell/ends.rs", "pod name can not be empty"),
    (
        "session/shell/ends.rs",
        "Get default container name failure!",
    ),
    ("session/shell/ends.rs", "Container is not ready"),
    ("session/shell/ends.rs", "open tty failure!"),
    // clap's words, which are said anew.
    ("cli/chinese.rs", " is not in "),
    // Names that both languages have; `codec::shell::shown` says them.
    ("codec/shell.rs", "the platform"),
    ("codec/shell/platform.rs", "the platform"),
    // Names of subprotocols and of a thread.
    ("source/shell.rs", "webtty, gotty, tty"),
    ("doctor/shell.rs", "webtty, gotty, tty"),
    ("attach/stdio.rs", "standard input"),
    // The help: `cli::help_zh` has the other half, and a test of its own.
    ("cli/args.rs", ""),
    ("cli/help_zh.rs", ""),
    ("cli/help_zh/platform.rs", ""),
];

fn files(folder: &Path, into: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, into);
        } else if path.extension().is_some_and(|end| end == "rs") && !path.ends_with("tests.rs") {
            into.push(path);
        }
    }
}

/// A literal: its line, its text, and whether it stands in a pair of languages or an attribute.
struct Literal {
    line: usize,
    text: String,
    paired: bool,
}

/// All string literals of a source, but for its tests.
fn literals(source: &str) -> Vec<Literal> {
    let source = source.split("#[cfg(test)]\nmod").next().unwrap();
    let (mut found, mut open, mut at) = (Vec::new(), Vec::new(), 0);
    while let Some(c) = source[at..].chars().next() {
        let (before, rest) = source.split_at(at);
        if rest.starts_with("//") {
            at += rest.find('\n').unwrap_or(rest.len());
            continue;
        }
        if let Some((start, end, next)) = string(before, rest) {
            found.push(Literal {
                line: before.matches('\n').count() + 1,
                text: rest[start..end].to_owned(),
                paired: open.contains(&true),
            });
            at += next;
            continue;
        }
        match c {
            '\'' => {
                at += character(rest);
                continue;
            }
            '(' => open.push(
                ["say!", "word!", "words"]
                    .iter()
                    .any(|name| before.ends_with(name)),
            ),
            '[' => open.push(before.ends_with('#') || before.ends_with("#!")),
            ')' | ']' => drop(open.pop()),
            _ => {}
        }
        at += c.len_utf8();
    }
    found
}

/// Where a string that begins here has its text, and where it ends.
fn string(before: &str, rest: &str) -> Option<(usize, usize, usize)> {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let plain = rest.strip_prefix('b').unwrap_or(rest);
    if let Some(raw) = plain
        .strip_prefix('r')
        .filter(|_| !before.ends_with(is_word))
    {
        let hashes = raw.len() - raw.trim_start_matches('#').len();
        if raw[hashes..].starts_with('"') {
            let start = rest.len() - raw.len() + hashes + 1;
            let close = format!("\"{}", "#".repeat(hashes));
            let end = start + rest[start..].find(&close).unwrap();
            return Some((start, end, end + close.len()));
        }
    }
    rest.starts_with('"').then(|| {
        let mut escaped = false;
        let end = rest[1..].find(|c| {
            let ends = c == '"' && !escaped;
            escaped = c == '\\' && !escaped;
            ends
        });
        let end = end.unwrap() + 1;
        (1, end, end + 1)
    })
}

/// Bytes of a character or of a lifetime's mark.
fn character(rest: &str) -> usize {
    let mut chars = rest.char_indices().skip(1);
    match chars.next() {
        Some((_, '\\')) => rest[3..].find('\'').map_or(1, |end| end + 4),
        Some(_) => match chars.next() {
            Some((at, '\'')) => at + 1,
            _ => 1,
        },
        None => 1,
    }
}

/// Two English words in a row.
fn is_english(text: &str) -> bool {
    let is_word = |word: &&str| {
        let word = word.trim_end_matches([',', ';', ':', '.', '?', '!']);
        word.len() > 1 && word.bytes().all(|b| b.is_ascii_lowercase() || b == b'\'')
    };
    let words: Vec<&str> = text.split(' ').collect();
    words.windows(2).any(|pair| pair.iter().all(is_word))
}

#[test]
fn no_sentence_is_said_in_english_alone() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut all = Vec::new();
    files(&root, &mut all);
    let (mut alone, mut used, mut paired) = (Vec::new(), vec![false; ALONE.len()], 0);
    for path in all {
        let inside = path.strip_prefix(&root).unwrap().to_str().unwrap();
        let room = inside.split('/').next().unwrap().trim_end_matches(".rs");
        if !ROOMS.contains(&room) {
            continue;
        }
        for literal in literals(&std::fs::read_to_string(&path).unwrap()) {
            paired += usize::from(literal.paired);
            if literal.paired || !is_english(&literal.text) {
                continue;
            }
            let known = ALONE
                .iter()
                .position(|(file, start)| *file == inside && literal.text.starts_with(start));
            match known {
                Some(at) => used[at] = true,
                None => alone.push(format!("{inside}:{}: {:?}", literal.line, literal.text)),
            }
        }
    }
    assert!(paired > 800, "the texts were found: {paired}");
    assert!(
        alone.is_empty(),
        "say it in both languages:\n{}",
        alone.join("\n")
    );
    let stale: Vec<_> = ALONE
        .iter()
        .zip(&used)
        .filter(|(_, used)| !**used)
        .collect();
    assert!(stale.is_empty(), "{stale:?}");
}

#[test]
fn planted_sentences_are_found() {
    let source = r##"
        /// "a comment is fine"
        #[expect(x, reason = "an attribute is fine")]
        fn a() -> &'static str {
            say!("both are fine", "都好", x.map('"', f("inside of it")));
            let (q, r) = ('\'', r#"a raw text here"#);
            tell(word!("both are fine", "都好"), "this is alone");
        }
        #[cfg(test)]
mod tests { "a test is fine" }
    "##;
    let alone: Vec<String> = literals(source)
        .into_iter()
        .filter(|literal| !literal.paired && is_english(&literal.text))
        .map(|literal| literal.text)
        .collect();
    assert_eq!(alone, ["a raw text here", "this is alone"]);
}

fn said(out: &[u8]) -> &str {
    std::str::from_utf8(out).unwrap()
}

#[tokio::test]
async fn the_help_is_in_the_language_that_is_asked_for() {
    for args in [
        &["--lang", "zh-CN", "--help"][..],
        &["logs", "--help", "--lang=zh"],
        &["--lang", "zh", "help", "shell"],
        &["shell", "-h", "--lang", "zh_CN.UTF-8"],
    ] {
        let done = program(args).end().await.expect(0);
        assert!(
            said(&done.out).contains("用法： deckwatch"),
            "{args:?}\n{}",
            said(&done.out)
        );
        assert!(
            !said(&done.out).contains("Usage:"),
            "{args:?}\n{}",
            said(&done.out)
        );
        assert!(done.err.is_empty(), "{args:?}");
    }
    let done = program(["--lang", "en", "--help"]).env("LANG", "zh_CN.UTF-8");
    assert!(said(&done.end().await.expect(0).out).contains("Usage: deckwatch"));
}

#[tokio::test]
async fn errors_of_the_command_line_are_in_it_too() {
    let done = program(["--lang", "zh-CN", "logs", "--grepp", "x"])
        .end()
        .await
        .expect(2);
    assert!(done.out.is_empty());
    assert!(
        done.err.starts_with("错误：未知的参数“--grepp”\n"),
        "{}",
        done.err
    );
    assert!(done.err.contains("您是不是想用 “--grep”？"), "{}", done.err);
    let done = program(["--lang", "zh-CN", "nowhere"])
        .end()
        .await
        .expect(2);
    assert!(
        done.err.contains("标准输出不是终端") || done.err.contains("这不是目标"),
        "{}",
        done.err
    );
    for (args, want) in [
        (
            &["--lang", "tlh", "--help"][..],
            "deckwatch: --lang tlh: the language \"tlh\" is not known; write en or zh-CN\n",
        ),
        (
            &["logs", "-", "--lang"],
            "deckwatch: --lang: it names no language; write en or zh-CN\n",
        ),
    ] {
        let done = program(args).end().await.expect(2);
        assert_eq!((said(&done.out), done.err.as_str()), ("", want));
    }
}

#[tokio::test]
async fn a_refused_connection_is_told_in_it() {
    let closed = ClosedPort::new();
    let port = closed.number();
    let target = format!("ws://127.0.0.1:{port}/docker_log#a");
    let done = program(["--lang", "zh-CN", "logs", &target])
        .end()
        .await
        .expect(5);
    let want = format!(
        "deckwatch: ws://127.0.0.1:{port}/docker_log：连接被拒绝：该端口没有程序在监听；请检查地址，并确认服务器在运行\n"
    );
    assert_eq!(done.err, want);
}

#[tokio::test]
async fn the_first_that_names_a_language_decides() {
    let zh = "zh_CN.UTF-8";
    for (variables, chinese) in [
        (&[][..], false),
        (&[("LANG", zh)], true),
        (&[("LANG", zh), ("LC_MESSAGES", "en_US.UTF-8")], false),
        (&[("LANG", zh), ("LC_MESSAGES", "")], true),
        (&[("LANG", "C"), ("LC_MESSAGES", "C"), ("LC_ALL", zh)], true),
        (&[("LANG", zh), ("LC_ALL", "de_DE.UTF-8")], false),
        (&[("LANG", zh), ("DECKWATCH_LANG", "en")], false),
        (&[("LANG", "C"), ("DECKWATCH_LANG", "zh-CN")], true),
    ] {
        let mut run = program(["--help"]);
        for (name, value) in variables {
            run = run.env(name, value);
        }
        let done = run.end().await.expect(0);
        assert_eq!(said(&done.out).contains("用法："), chinese, "{variables:?}");
    }
    let done = program(["--help"]).env("DECKWATCH_LANG", "tlh").end().await;
    assert!(done.expect(2).err.contains("DECKWATCH_LANG=tlh"));
}
