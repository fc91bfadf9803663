//! What `doctor` prints: a line for each step, and the last word; or JSON, one object a line.

use serde_json::{Map, Value, json};

use crate::lang::{Words, words};
use crate::model::Cause;
use crate::say;
use crate::text::SafeText;
use crate::text::width;

use super::{Check, Outcome, Verdict};

/// Columns of a step's name.
const TITLE: usize = 12;

fn mark(outcome: Outcome) -> Words {
    match outcome {
        Outcome::Ok => words("ok  ", "正常"),
        Outcome::Warn => words("warn", "注意"),
        Outcome::Fail => words("FAIL", "失败"),
    }
}

/// One step, for people.
pub fn line(check: &Check) -> String {
    let title = check.stage.title().get();
    let gap = " ".repeat(TITLE.saturating_sub(width::cells(title)).max(1));
    let words = SafeText::of(&check.words).to_string();
    format!("  {}  {title}{gap}{words}\n", mark(check.outcome))
}

/// The name of what is examined, above its steps.
pub fn head(target: &str) -> String {
    format!("{}\n", SafeText::of(target))
}

/// The last word, for people: what is wrong, and the next step.
pub fn last(verdict: &Verdict) -> String {
    let words = SafeText::of(&verdict.words);
    let mut text = match verdict.outcome {
        Outcome::Warn => say!("=> it works, but: {words}\n", "=> 可以使用，但：{words}\n"),
        Outcome::Ok | Outcome::Fail => format!("=> {words}\n"),
    };
    if !verdict.next.is_empty() {
        let next = SafeText::of(&verdict.next);
        text.push_str(&say!("   next: {next}\n", "   下一步：{next}\n"));
    }
    text
}

fn safe(text: &str) -> String {
    SafeText::of(text).to_string()
}

fn code(cause: Option<Cause>) -> Value {
    json!(cause.map(Cause::code))
}

/// One step, for programs. The names of facts are the steps' own.
pub fn check_json(check: &Check) -> String {
    let mut object = Map::new();
    let mut put = |name: &str, value: Value| object.insert(name.to_owned(), value);
    put("type", json!("check"));
    put("target", json!(safe(&check.target)));
    put("stage", json!(check.stage.code()));
    put("result", json!(check.outcome.code()));
    put("cause", code(check.cause));
    put("words", json!(safe(&check.words)));
    put("next", json!(safe(&check.next)));
    for (name, value) in &check.facts {
        put(name, value.clone());
    }
    Value::Object(object).to_string() + "\n"
}

/// The last word, for programs.
pub fn verdict_json(verdict: &Verdict) -> String {
    let object = json!({
        "type": "verdict",
        "target": safe(&verdict.target),
        "result": verdict.outcome.code(),
        "cause": code(verdict.cause),
        "words": safe(&verdict.words),
        "next": safe(&verdict.next),
        "exit": verdict.exit_code(),
    });
    object.to_string() + "\n"
}
