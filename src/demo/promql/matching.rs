//! Which series a selector means.

use regex::{Regex, RegexBuilder};

use super::Fault;
use crate::demo::series::Labels;

/// A pattern may become so many bytes.
const PATTERN_LIMIT: usize = 1 << 20;

/// How a label is compared.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum MatchOp {
    Equal,
    Unequal,
    Like,
    Unlike,
}

/// A condition on a label; one that is not there counts as empty.
#[derive(Clone, Debug)]
pub(crate) struct Matcher {
    name: String,
    op: MatchOp,
    value: String,
    /// The whole value must be as this.
    pattern: Option<Regex>,
}

impl Matcher {
    /// A condition; a pattern may be none.
    pub(crate) fn new(name: &str, op: MatchOp, value: &str) -> Result<Self, Fault> {
        let pattern = match op {
            MatchOp::Equal | MatchOp::Unequal => None,
            MatchOp::Like | MatchOp::Unlike => Some(pattern(value)?),
        };
        Ok(Self {
            name: name.to_owned(),
            op,
            value: value.to_owned(),
            pattern,
        })
    }

    /// Whether a series meets it.
    pub(crate) fn fits(&self, labels: &Labels) -> bool {
        self.takes(labels.get(&self.name).map_or("", String::as_str))
    }

    fn takes(&self, value: &str) -> bool {
        let like = || self.pattern.as_ref().is_some_and(|re| re.is_match(value));
        match self.op {
            MatchOp::Equal => self.value == value,
            MatchOp::Unequal => self.value != value,
            MatchOp::Like => like(),
            MatchOp::Unlike => !like(),
        }
    }

    /// Whether it chooses nothing: a selector needs one that does not.
    pub(super) fn is_open(&self) -> bool {
        self.takes("")
    }

    pub(super) fn is_on(&self, name: &str) -> bool {
        self.name == name
    }
}

fn pattern(text: &str) -> Result<Regex, Fault> {
    RegexBuilder::new(&format!("^(?:{text})$"))
        .size_limit(PATTERN_LIMIT)
        .build()
        .map_err(|error| Fault::bad(format!("error parsing regexp: {}", last_line(&error))))
}

/// The words of an error without its picture.
fn last_line(error: &regex::Error) -> String {
    let text = error.to_string();
    let last = text.lines().last().unwrap_or("");
    last.trim_start_matches("error: ").to_owned()
}
