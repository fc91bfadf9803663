//! The command line in Chinese: clap's help and clap's errors, said anew. clap has English alone;
//! what `args.rs` says stands in `help_zh`, the rest of the words are clap's own.

use std::ffi::OsString;
use std::fmt::Write as _;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Command, CommandFactory, Error, FromArgMatches};

use crate::text::width;

use super::args::Args;
use super::help_zh::{HEADINGS, LABELS, TABLE, USAGE, platform};

/// Reads what was typed; the help that an error may be is in Chinese already.
pub fn parse(args: Vec<OsString>) -> Result<Args, Error> {
    // Rows are broken here, by width: clap knows blanks alone.
    let command = translated(Args::command()).term_width(usize::MAX);
    let matches = command.try_get_matches_from(args)?;
    Args::from_arg_matches(&matches)
}

/// What an error tells, in rows of at most `cols` columns: help, a version, or what is wrong.
pub fn told(error: &Error, cols: usize) -> String {
    let text = match error.kind() {
        ErrorKind::DisplayVersion => error.render().to_string(),
        ErrorKind::DisplayHelp | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            relabelled(&error.render().to_string())
        }
        _ => wrong(error),
    };
    broken(&text, cols)
}

fn chinese(english: &str) -> Option<&'static str> {
    let row = all().find(|(known, _)| *known == english);
    row.map(|(_, chinese)| *chinese)
}

/// All rows.
fn all() -> impl Iterator<Item = &'static (&'static str, &'static str)> {
    TABLE.iter().chain(platform::TABLE)
}

/// The same command with its texts in Chinese, and all below it.
fn translated(mut command: Command) -> Command {
    let said = |text: Option<&clap::builder::StyledStr>| {
        let text = text?.to_string();
        Some(chinese(&text).map_or(text, str::to_owned))
    };
    if let Some(text) = said(command.get_about()) {
        command = command.about(text);
    }
    if let Some(text) = said(command.get_long_about()) {
        command = command.long_about(text);
    }
    if let Some(text) = said(command.get_after_help()) {
        command = command.after_help(text);
    }
    command = command.mut_args(|mut arg| {
        if let Some(text) = said(arg.get_help()) {
            arg = arg.help(text);
        }
        if let Some(text) = said(arg.get_long_help()) {
            arg = arg.long_help(text);
        }
        match arg.get_help_heading().and_then(chinese) {
            Some(heading) => arg.help_heading(heading),
            None => arg,
        }
    });
    command.mut_subcommands(translated)
}

/// A rendered help with clap's own words in Chinese.
fn relabelled(help: &str) -> String {
    let mut text = String::with_capacity(help.len());
    for line in help.lines() {
        text.push_str(&relabelled_line(line));
        text.push('\n');
    }
    text
}

fn relabelled_line(line: &str) -> String {
    let bare = line.trim_start();
    let indent = line.get(..line.len() - bare.len()).unwrap_or("");
    if let Some((heading, chinese)) = HEADINGS.iter().find(|(word, _)| bare.starts_with(word)) {
        let rest = bare.get(heading.len()..).unwrap_or("").trim_start();
        let rest = used(rest);
        let gap = if rest.is_empty() { "" } else { " " };
        return format!("{indent}{chinese}{gap}{rest}");
    }
    // A row of usage goes on.
    if bare.starts_with("deckwatch ") {
        return format!("{indent}{}", used(bare));
    }
    // A value and what it means: `- auto:   By the terminal`.
    if bare.starts_with("- ")
        && let Some((name, meaning)) = line.split_once(':')
        && let Some(chinese) = chinese(meaning.trim_start())
    {
        let gap = meaning.len() - meaning.trim_start().len();
        return format!("{name}:{}{chinese}", " ".repeat(gap));
    }
    // A heading of ours.
    if indent.is_empty()
        && let Some(heading) = bare.strip_suffix(':')
    {
        return format!("{heading}：");
    }
    let labels = LABELS.iter();
    labels.fold(line.to_owned(), |line, (english, chinese)| {
        line.replace(english, chinese)
    })
}

fn used(usage: &str) -> String {
    USAGE
        .iter()
        .fold(usage.to_owned(), |usage, (word, chinese)| {
            usage.replace(word, chinese)
        })
}

/// What is wrong, what may have been meant, and how it is used.
fn wrong(error: &Error) -> String {
    let mut text = format!("错误：{}\n", reason(error));
    let listed = words(error, ContextKind::ValidValue);
    if !listed.is_empty() {
        // Writing to a string can't fail, here and below.
        let _ = writeln!(text, "  [可选值：{}]", listed.join(", "));
    }
    let meant = [
        ContextKind::SuggestedArg,
        ContextKind::SuggestedSubcommand,
        ContextKind::SuggestedValue,
    ];
    let meant: Vec<String> = meant
        .into_iter()
        .flat_map(|kind| words(error, kind))
        .map(|word| format!("“{word}”"))
        .collect();
    if !meant.is_empty() {
        let _ = writeln!(text, "\n  您是不是想用 {}？", meant.join("、"));
    }
    if let Some(ContextValue::StyledStr(usage)) = error.get(ContextKind::Usage) {
        text.push('\n');
        text.push_str(&relabelled(&usage.to_string()));
    }
    text.push_str("\n更多信息请用 --help 查看。\n");
    text
}

fn reason(error: &Error) -> String {
    let arg = words(error, ContextKind::InvalidArg);
    let list = arg.join("\n  ");
    let arg = arg.join("、");
    let value = words(error, ContextKind::InvalidValue).join("、");
    let number = |kind| words(error, kind).join("");
    match error.kind() {
        ErrorKind::InvalidValue if value.is_empty() => format!("“{arg}”需要一个值，但没有给出"),
        ErrorKind::InvalidValue => format!("“{arg}”的值“{value}”无效"),
        ErrorKind::ValueValidation => {
            format!("“{arg}”的值“{value}”无效：{}", cause(error))
        }
        ErrorKind::UnknownArgument => format!("未知的参数“{arg}”"),
        ErrorKind::InvalidSubcommand => {
            let name = words(error, ContextKind::InvalidSubcommand).join("、");
            format!("未知的命令“{name}”")
        }
        ErrorKind::NoEquals => format!("给“{arg}”赋值时须用等号"),
        ErrorKind::TooManyValues => format!("“{arg}”的值“{value}”多余：不再需要更多的值"),
        ErrorKind::TooFewValues => format!(
            "“{arg}”至少需要 {} 个值，只给出了 {} 个",
            number(ContextKind::MinValues),
            number(ContextKind::ActualNumValues)
        ),
        ErrorKind::WrongNumberOfValues => format!(
            "“{arg}”需要 {} 个值，给出了 {} 个",
            number(ContextKind::ExpectedNumValues),
            number(ContextKind::ActualNumValues)
        ),
        ErrorKind::ArgumentConflict => {
            let others = words(error, ContextKind::PriorArg);
            match others.as_slice() {
                [] => format!("“{arg}”不能与已写的其他参数同时使用"),
                [other] if *other == arg => format!("“{arg}”不能重复使用"),
                others => format!("“{arg}”不能与“{}”同时使用", others.join("”、“")),
            }
        }
        ErrorKind::MissingRequiredArgument => format!("缺少必需的参数：\n  {list}"),
        ErrorKind::MissingSubcommand => "需要一个命令，但没有给出".to_owned(),
        ErrorKind::InvalidUtf8 => "命令行中有无效的 UTF-8".to_owned(),
        _ => error.to_string(),
    }
}

/// Why a value was not taken: our own words are in Chinese, numbers are read by others.
fn cause(error: &Error) -> String {
    use std::error::Error as _;
    let Some(source) = error.source() else {
        return String::new();
    };
    if source.is::<std::num::ParseIntError>() {
        return "不是有效的整数".to_owned();
    }
    let text = source.to_string();
    match text.split_once(" is not in ") {
        Some((value, range)) => format!("{value} 不在范围 {range} 内"),
        None => text,
    }
}

/// A part of an error, as its words.
fn words(error: &Error, kind: ContextKind) -> Vec<String> {
    match error.get(kind) {
        Some(ContextValue::String(word)) => vec![word.clone()],
        Some(ContextValue::Strings(words)) => words.clone(),
        Some(ContextValue::Number(number)) => vec![number.to_string()],
        _ => Vec::new(),
    }
}

/// A text in rows of at most `cols` columns; what goes on stands below its column.
fn broken(text: &str, cols: usize) -> String {
    let mut out = String::with_capacity(text.len());
    for line in text.lines() {
        let hang = hang(line, cols);
        let (head, rest) = line.split_at_checked(hang).unwrap_or(("", line));
        let column = width::cells(head);
        let room = cols.saturating_sub(column).max(1);
        for (index, row) in rows(rest, room).into_iter().enumerate() {
            if index == 0 {
                out.push_str(head);
            } else {
                out.push_str(&" ".repeat(column));
            }
            out.push_str(&row);
            out.push('\n');
        }
    }
    out
}

/// A text in rows; what stands in brackets at its end stays together where it can.
fn rows(text: &str, cols: usize) -> Vec<String> {
    let (mut pieces, mut rest) = (Vec::new(), text);
    while let Some((piece, behind)) = rest.find(" [").and_then(|at| rest.split_at_checked(at)) {
        pieces.push(piece);
        rest = behind.trim_start();
    }
    pieces.push(rest);
    let mut rows: Vec<String> = Vec::new();
    for piece in pieces {
        match rows.last_mut() {
            Some(row) if width::cells(row) + 1 + width::cells(piece) <= cols => {
                row.push(' ');
                row.push_str(piece);
            }
            _ => {
                let broken = width::broken(piece, cols).into_iter();
                rows.extend(broken.filter_map(|row| piece.get(row).map(str::to_owned)));
            }
        }
    }
    rows
}

/// Bytes of a line before the column where its text begins: behind its last gap of two blanks
/// in its first two thirds, or behind its indent.
fn hang(line: &str, cols: usize) -> usize {
    let indent = line.len() - line.trim_start_matches(' ').len();
    let gaps = line.match_indices("  ").map(|(at, _)| at);
    let starts = gaps.filter_map(|at| {
        let rest = line.get(at..)?;
        Some(at + (rest.len() - rest.trim_start_matches(' ').len()))
    });
    starts
        .filter(|at| {
            line.get(..*at)
                .is_some_and(|head| width::cells(head) <= cols * 2 / 3)
        })
        .last()
        .unwrap_or(indent)
        .max(indent)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn texts(command: &Command, into: &mut BTreeSet<String>) {
        let mut add = |text: Option<&clap::builder::StyledStr>| {
            into.extend(text.map(ToString::to_string));
        };
        add(command.get_about());
        add(command.get_long_about());
        add(command.get_before_help());
        add(command.get_before_long_help());
        add(command.get_after_help());
        add(command.get_after_long_help());
        for arg in command.get_arguments() {
            add(arg.get_help());
            add(arg.get_long_help());
            for value in arg.get_possible_values() {
                add(value.get_help());
            }
        }
        for arg in command.get_arguments() {
            into.extend(arg.get_help_heading().map(str::to_owned));
        }
        for below in command.get_subcommands() {
            texts(below, into);
        }
    }

    fn shown(args: &[&str], cols: usize) -> String {
        let error = parse(args.iter().map(OsString::from).collect()).unwrap_err();
        told(&error, cols)
    }

    #[test]
    fn every_text_of_the_command_line_has_its_chinese_and_no_row_is_stale() {
        let mut said = BTreeSet::new();
        texts(&Args::command(), &mut said);
        let known: BTreeSet<String> = all().map(|(english, _)| (*english).into()).collect();
        assert_eq!(known.len(), all().count(), "a row stands twice");
        let missing: Vec<&String> = said.difference(&known).collect();
        let stale: Vec<&String> = known.difference(&said).collect();
        assert!(missing.is_empty(), "without Chinese: {missing:#?}");
        assert!(stale.is_empty(), "stale: {stale:#?}");
    }

    #[test]
    fn no_english_is_left_in_any_help() {
        let commands = [
            "",
            "logs",
            "follow",
            "wait",
            "shell",
            "replay",
            "demo",
            "reset-terminal",
        ];
        for command in commands {
            for flag in ["-h", "--help"] {
                let mut args = vec!["deckwatch", command, flag];
                args.retain(|arg| !arg.is_empty());
                let help = shown(&args, 100);
                assert_eq!(english(&help), [""; 0], "{command} {flag}:\n{help}");
                for line in help.lines() {
                    assert!(width::cells(line) <= 100, "{line}");
                }
            }
        }
    }

    /// Stretches of three and more English words.
    fn english(text: &str) -> Vec<String> {
        let is_word = |word: &&str| word.len() > 1 && word.bytes().all(|b| b.is_ascii_lowercase());
        let words: Vec<&str> = text.split_whitespace().collect();
        let stretches = words.windows(3).filter(|words| words.iter().all(is_word));
        stretches.map(|words| words.join(" ")).collect()
    }

    #[test]
    fn errors_are_told_in_chinese_with_what_was_meant() {
        for (args, want) in [
            (
                &["--them", "x"][..],
                "错误：未知的参数“--them”\n\n  您是不是想用 “--theme”？\n",
            ),
            (&["logs"], "错误：缺少必需的参数：\n  <TARGET>...\n"),
            (
                &["logs", "x", "--tail", "y"],
                "错误：“--tail <N|all>”的值“y”无效：\"y\" 既不是数字也不是 all\n",
            ),
            (
                &["logs", "x", "--count", "0", "--until-match", "a"],
                "错误：“--count <N>”的值“0”无效：0 不在范围 1..18446744073709551615 内\n",
            ),
            (
                &["demo", "--port", "x"],
                "错误：“--port <N>”的值“x”无效：不是有效的整数\n",
            ),
            (
                &["logs", "x", "-o", "jsn"],
                "错误：“--output <FORMAT>”的值“jsn”无效\n  [可选值：text, raw, json]\n\n  您是不是想用 “json”？\n",
            ),
            (
                &["logs", "x", "--for"],
                "错误：“--for <TIME>”需要一个值，但没有给出\n",
            ),
            (
                &["shell", "x", "--exec", "a", "--record", "b"],
                "错误：“--exec <CMD>”不能与“--record <FILE>”同时使用\n",
            ),
            (
                &["logs", "x", "--quiet", "--quiet"],
                "错误：“--quiet”不能重复使用\n",
            ),
        ] {
            let told = crate::lang::within(crate::lang::Lang::Zh, || {
                let args: Vec<&str> = ["deckwatch"].iter().chain(args).copied().collect();
                shown(&args, 100)
            });
            assert!(told.starts_with(want), "{args:?}:\n{told}");
            let used = told.contains("\n用法： deckwatch");
            // About values clap shows none.
            assert!(used || told.contains("值"), "{told}");
            assert!(told.ends_with("\n更多信息请用 --help 查看。\n"), "{told}");
        }
    }

    #[test]
    fn long_rows_go_on_below_their_column() {
        let help = broken("  -f, --follow  历史之后继续跟随", 24);
        assert_eq!(
            help,
            "  -f, --follow  历史之后继续跟随\n"
                .replace("历史之后继续跟随", "历史之后\n                继续跟随")
        );
        assert_eq!(broken("a\n\nb", 24), "a\n\nb\n");
    }
}
