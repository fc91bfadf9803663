//! What the flags of `logs` mean: conditions, filters, looks.

use regex::bytes::{Regex, RegexBuilder};

use crate::cli::args::{FilterArgs, Format, MinLevel, OutArgs, Sanitize, StopArgs};
use crate::cli::env::Env;
use crate::model::{Fault, FaultKind, Level};
use crate::say;
use crate::word;

use super::{Controls, LineFilter, PrintPlan, StopPlan, TeePlan};

pub(super) fn stop_plan(args: &StopArgs, filter: &FilterArgs) -> Result<StopPlan, Fault> {
    let read = |flag: &str, text: &Option<String>| {
        text.as_ref()
            .map(|text| pattern(flag, text, filter.fixed_strings, filter.ignore_case))
            .transpose()
    };
    Ok(StopPlan {
        until: read("--until-match", &args.until_match)?,
        count: args.count.max(1),
        fail: read("--fail-match", &args.fail_match)?,
        max_lines: args.max_lines,
        lasting: args.lasting,
        idle: args.idle,
        strict: args.strict,
        require_match: args.require_match,
    })
}

pub(super) fn line_filter(args: &FilterArgs) -> Result<LineFilter, Fault> {
    let read = |flag: &str, texts: &[String]| {
        texts
            .iter()
            .map(|text| pattern(flag, text, args.fixed_strings, args.ignore_case))
            .collect::<Result<Vec<_>, _>>()
    };
    let level = match args.level {
        None => Level::None,
        Some(MinLevel::Debug) => Level::Debug,
        Some(MinLevel::Info) => Level::Info,
        Some(MinLevel::Warn) => Level::Warn,
        Some(MinLevel::Error) => Level::Error,
    };
    Ok(LineFilter {
        include: read("-i", &args.include)?,
        exclude: read("-e", &args.exclude)?,
        level,
    })
}

pub(super) fn print_plan(args: &OutArgs, env: &Env) -> Result<PrintPlan, Fault> {
    let raw =
        args.output == Format::Raw || args.sanitize == Sanitize::Off && args.output == Format::Text;
    if raw && env.stdout_tty && !args.yes_raw {
        let what = if args.output == Format::Raw {
            "-o raw"
        } else {
            "--sanitize off"
        };
        let why = word!(
            "bytes from a server can control this terminal",
            "来自服务端的字节可以操纵此终端"
        );
        return Err(Fault::new(
            FaultKind::Usage,
            what,
            why,
            word!(
                "send the output to a file or pipe, or add --yes-raw",
                "请将输出送到文件或管道，或加 --yes-raw"
            ),
        ));
    }
    let controls = match args.sanitize {
        Sanitize::On => Controls::Shown,
        Sanitize::Off => Controls::Kept,
        Sanitize::Auto if env.stdout_tty => Controls::Shown,
        Sanitize::Auto => Controls::Escaped,
    };
    Ok(PrintPlan {
        format: args.output,
        prefix: !args.no_prefix,
        stamp: args.timestamps,
        zone: args.timezone.0.clone(),
        controls,
        color: env.colors(args.color),
    })
}

pub(super) fn tee_plan(args: &OutArgs) -> Option<TeePlan> {
    let path = args.tee.clone()?;
    let per_component = path.is_dir() || path.as_os_str().as_encoded_bytes().ends_with(b"/");
    let (rotate_size, keep) = (args.rotate_size as u64, args.rotate_keep);
    Some(TeePlan {
        path,
        per_component,
        rotate_size,
        keep,
    })
}

/// Compiles one pattern of a flag; smart case unless said otherwise.
pub(super) fn pattern(
    flag: &str,
    text: &str,
    fixed: bool,
    ignore_case: bool,
) -> Result<Regex, Fault> {
    let source = if fixed {
        regex::escape(text)
    } else {
        text.to_owned()
    };
    let insensitive = ignore_case || !text.chars().any(char::is_uppercase);
    RegexBuilder::new(&source)
        .case_insensitive(insensitive)
        .size_limit(1 << 20)
        .build()
        .map_err(|error| {
            let next = word!(
                "mend the pattern, or add -F to search for it as it is",
                "请修正模式，或加 -F 按原文搜索"
            );
            wrong(flag, text, reason(&error), next)
        })
}

/// Compiles what finds the number of a line.
pub(super) fn numbering(text: Option<&str>) -> Result<Option<Regex>, Fault> {
    let Some(text) = text else { return Ok(None) };
    let bad = |why: String| {
        let next = word!(
            "write one whose only group is the number, such as 'seq=(\\d+)'",
            "请写成只有一个分组且分组为编号的模式，例如 'seq=(\\d+)'"
        );
        wrong("--seq-regex", text, why, next)
    };
    let built = RegexBuilder::new(text).size_limit(1 << 20).build();
    let regex = built.map_err(|error| bad(reason(&error)))?;
    match regex.captures_len() - 1 {
        0 | 1 => Ok(Some(regex)),
        groups => Err(bad(say!("it has {groups} groups", "它有 {groups} 个分组"))),
    }
}

/// What is wrong with a pattern: the last line of what its parser says.
fn reason(error: &regex::Error) -> String {
    let why = error.to_string();
    let why = why.lines().last().unwrap_or("");
    why.trim_start_matches("error: ").to_owned()
}

fn wrong(flag: &str, text: &str, why: String, next: &str) -> Fault {
    Fault::new(FaultKind::Usage, format!("{flag} {text:?}"), why, next)
}
