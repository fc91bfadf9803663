//! One search pattern, compiled once. It always means "within one line", also when it runs
//! over a whole segment: newlines are taken out of it and its anchors mean the line's ends.

use std::ops::Range;

use memchr::memmem;
use regex::bytes::{Regex, RegexBuilder};
use regex_syntax::ast::{self, Ast};
use regex_syntax::hir::{self, Hir, HirKind, Look};

use crate::model::{Fault, FaultKind};
use crate::say;
use crate::word;

use super::folded::Folded;

/// Bytes that a compiled pattern may take; a pattern over it is refused.
const SIZE_LIMIT: usize = 4 << 20;

/// Bytes of the cache of one search; patterns that need more become slower, not wrong.
const CACHE_LIMIT: usize = 8 << 20;

/// Groups inside groups.
const NEST_LIMIT: u32 = 100;

/// What upper and lower case mean.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Case {
    /// A pattern without upper-case letters ignores case.
    #[default]
    Smart,
    /// `a` is not `A`.
    Exact,
    /// `a` is `A`.
    Ignore,
}

/// A regular expression or a literal text, ready to search with.
#[derive(Clone, Debug)]
pub struct Pattern {
    source: String,
    matcher: Matcher,
    /// Whether it is as fast over many lines at once.
    whole: bool,
}

#[derive(Clone, Debug)]
enum Matcher {
    Literal(Box<memmem::Finder<'static>>),
    Folded(Folded),
    Regex(Regex),
}

impl Pattern {
    /// Compiles a regular expression of the `regex` crate's syntax.
    pub fn regex(source: &str, case: Case) -> Result<Self, Fault> {
        let ast = ast::parse::ParserBuilder::new()
            .nest_limit(NEST_LIMIT)
            .build()
            .parse(source)
            .map_err(|error| fault(source, &error.kind().to_string()))?;
        let ignore = match case {
            Case::Smart => !has_upper(&ast),
            Case::Exact => false,
            Case::Ignore => true,
        };
        let translate = |ignore| {
            hir::translate::TranslatorBuilder::new()
                .utf8(false)
                .case_insensitive(ignore)
                .build()
                .translate(source, &ast)
                .map_err(|error| fault(source, &error.kind().to_string()))
        };
        if let HirKind::Literal(hir::Literal(text)) = translate(false)?.kind()
            && let Some(fast) = Self::plain(source, text, ignore)
        {
            return Ok(fast);
        }
        let hir = within_line(translate(ignore)?);
        // On text that is not ASCII the fast engines hand these over to a slow one, which
        // would then search the whole segment.
        let whole = !hir.properties().look_set().contains_word_unicode();
        Self::compile(source, &hir.to_string(), whole)
    }

    /// Searches for `source` as it stands.
    pub fn literal(source: &str, case: Case) -> Result<Self, Fault> {
        let ignore = match case {
            Case::Smart => !source.chars().any(char::is_uppercase),
            Case::Exact => false,
            Case::Ignore => true,
        };
        match Self::plain(source, source.as_bytes(), ignore) {
            Some(fast) => Ok(fast),
            None => Self::compile(source, &format!("(?i){}", regex::escape(source)), true),
        }
    }

    /// A search without regular expressions, if that can do it: any text with exact case, and
    /// ASCII whatever its case.
    fn plain(source: &str, text: &[u8], ignore: bool) -> Option<Self> {
        let letters = std::str::from_utf8(text).ok()?;
        let matcher = if ignore && letters.chars().any(char::is_alphabetic) {
            Matcher::Folded(Folded::new(letters)?)
        } else {
            Matcher::Literal(Box::new(memmem::Finder::new(text).into_owned()))
        };
        Some(Self {
            source: source.to_owned(),
            matcher,
            whole: !text.is_empty() && !text.contains(&b'\n'),
        })
    }

    fn compile(source: &str, regex: &str, whole: bool) -> Result<Self, Fault> {
        let regex = RegexBuilder::new(regex)
            .size_limit(SIZE_LIMIT)
            .dfa_size_limit(CACHE_LIMIT)
            .build()
            .map_err(|error| match error {
                regex::Error::CompiledTooBig(limit) => fault(
                    source,
                    &say!(
                        "it takes more than {limit} bytes when compiled",
                        "编译后超过 {limit} 字节"
                    ),
                ),
                other => fault(source, &other.to_string()),
            })?;
        Ok(Self {
            source: source.to_owned(),
            matcher: Matcher::Regex(regex),
            whole,
        })
    }

    /// As it was typed.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// Whether it is found in this line.
    pub fn is_match(&self, line: &[u8]) -> bool {
        match &self.matcher {
            Matcher::Literal(finder) => finder.find(line).is_some(),
            Matcher::Folded(folded) => folded.find(line, 0).is_some(),
            Matcher::Regex(regex) => regex.is_match(line),
        }
    }

    /// Where it is found in this line, in order, without overlaps; for highlighting.
    pub fn find_iter<'a>(&'a self, line: &'a str) -> Box<dyn Iterator<Item = Range<usize>> + 'a> {
        match &self.matcher {
            Matcher::Literal(finder) => {
                let length = finder.needle().len();
                let starts = finder.find_iter(line.as_bytes());
                Box::new(starts.map(move |start| start..start + length))
            }
            Matcher::Folded(folded) => {
                let mut from = 0;
                Box::new(std::iter::from_fn(move || {
                    let start = folded.find(line.as_bytes(), from)?;
                    from = start + folded.len();
                    Some(start..from)
                }))
            }
            Matcher::Regex(regex) => {
                Box::new(regex.find_iter(line.as_bytes()).map(|found| found.range()))
            }
        }
    }

    /// Whether [`Pattern::next_end`] may be used on many lines at once.
    pub(super) fn is_whole(&self) -> bool {
        self.whole
    }

    /// The end of some match in `text` that starts at `from` or later, and the first such that
    /// is found; it lies within one line.
    pub(super) fn next_end(&self, text: &[u8], from: usize) -> Option<usize> {
        match &self.matcher {
            Matcher::Literal(finder) => {
                let at = finder.find(text.get(from..)?)?;
                Some(from + at + finder.needle().len())
            }
            Matcher::Folded(folded) => Some(folded.find(text, from)? + folded.len()),
            Matcher::Regex(regex) if from <= text.len() => regex.shortest_match_at(text, from),
            Matcher::Regex(_) => None,
        }
    }
}

/// The pattern as it is on one line, for text of many lines: it can't match a newline, and
/// its anchors are those of the line.
fn within_line(hir: Hir) -> Hir {
    match hir.into_kind() {
        HirKind::Empty => Hir::empty(),
        HirKind::Literal(hir::Literal(bytes)) if bytes.contains(&b'\n') => Hir::fail(),
        HirKind::Literal(hir::Literal(bytes)) => Hir::literal(bytes),
        HirKind::Class(hir::Class::Unicode(mut class)) => {
            class.difference(&hir::ClassUnicode::new([hir::ClassUnicodeRange::new(
                '\n', '\n',
            )]));
            Hir::class(hir::Class::Unicode(class))
        }
        HirKind::Class(hir::Class::Bytes(mut class)) => {
            class.difference(&hir::ClassBytes::new([hir::ClassBytesRange::new(
                b'\n', b'\n',
            )]));
            Hir::class(hir::Class::Bytes(class))
        }
        HirKind::Look(Look::Start | Look::StartLF | Look::StartCRLF) => Hir::look(Look::StartLF),
        HirKind::Look(Look::End | Look::EndLF | Look::EndCRLF) => Hir::look(Look::EndLF),
        HirKind::Look(word) => Hir::look(word),
        HirKind::Repetition(mut repetition) => {
            repetition.sub = Box::new(within_line(*repetition.sub));
            Hir::repetition(repetition)
        }
        HirKind::Capture(capture) => within_line(*capture.sub),
        HirKind::Concat(parts) => Hir::concat(parts.into_iter().map(within_line).collect()),
        HirKind::Alternation(parts) => {
            Hir::alternation(parts.into_iter().map(within_line).collect())
        }
    }
}

/// Whether a letter that the pattern spells out is upper case; `\S` and `(?P<Name>` are not.
fn has_upper(ast: &Ast) -> bool {
    struct Finder(bool);
    impl Finder {
        fn see(&mut self, literal: &ast::Literal) {
            self.0 |= literal.c.is_uppercase();
        }
    }
    impl ast::Visitor for Finder {
        type Output = bool;
        type Err = std::convert::Infallible;

        fn finish(self) -> Result<bool, Self::Err> {
            Ok(self.0)
        }

        fn visit_pre(&mut self, ast: &Ast) -> Result<(), Self::Err> {
            if let Ast::Literal(literal) = ast {
                self.see(literal);
            }
            Ok(())
        }

        fn visit_class_set_item_pre(&mut self, item: &ast::ClassSetItem) -> Result<(), Self::Err> {
            match item {
                ast::ClassSetItem::Literal(literal) => self.see(literal),
                ast::ClassSetItem::Range(range) => {
                    self.see(&range.start);
                    self.see(&range.end);
                }
                _ => {}
            }
            Ok(())
        }
    }
    match ast::visit(ast, Finder(false)) {
        Ok(found) => found,
    }
}

fn fault(source: &str, why: &str) -> Fault {
    Fault::new(
        FaultKind::Usage,
        say!("pattern `{source}`", "模式 `{source}`"),
        why,
        word!(
            r"put \ before a character of .+*?()|[]{}^$\ that stands for itself",
            r".+*?()|[]{}^$\ 中的字符若表示自身，请在前面加 \"
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(pattern: &str, case: Case, line: &str) -> bool {
        Pattern::regex(pattern, case)
            .unwrap()
            .is_match(line.as_bytes())
    }

    #[test]
    fn a_pattern_without_capitals_ignores_case() {
        for (pattern, line, want) in [
            ("error", "ERROR", true),
            ("Error", "ERROR", false),
            (r"\Serror", "xERROR", true),
            (r"(?P<Name>error)", "ERROR", true),
            ("[a-z]rror", "ERROR", true),
            ("[A-Z]rror", "eRROR", false),
            (r"\x41", "a", false),
            ("ошибка", "ОШИБКА", true),
        ] {
            assert_eq!(matches(pattern, Case::Smart, line), want, "{pattern}");
            assert!(matches(pattern, Case::Ignore, line), "{pattern}");
        }
        assert!(!matches("error", Case::Exact, "ERROR"));
        for (literal, line, want) in [
            ("a.b", "A.B", true),
            ("a.b", "axb", false),
            ("A.b", "a.b", false),
            ("404", "404", true),
            ("", "x", true),
        ] {
            let pattern = Pattern::literal(literal, Case::Smart).unwrap();
            assert_eq!(pattern.is_match(line.as_bytes()), want, "{literal}");
        }
    }

    #[test]
    fn a_bad_pattern_says_what_is_wrong_and_what_to_do() {
        let text = |source: &str| Pattern::regex(source, Case::Smart).unwrap_err().to_string();
        assert!(text("a(b").starts_with("pattern `a(b`: unclosed group; put \\ before"));
        assert!(text(r"\w{5000}").contains("bytes when compiled"));
        assert!(text(&"(".repeat(200)).contains("pattern"));
        assert!(text(r"\pX").contains("Unicode"));
    }

    #[test]
    fn highlights_are_the_places_in_the_line() {
        let pattern = Pattern::regex("o+", Case::Smart).unwrap();
        assert_eq!(
            pattern.find_iter("foo bOr").collect::<Vec<_>>(),
            [1..3, 5..6]
        );
        let pattern = Pattern::literal("+", Case::Smart).unwrap();
        assert_eq!(pattern.find_iter("1+2+3").collect::<Vec<_>>(), [1..2, 3..4]);
    }
}
