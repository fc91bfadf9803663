//! A query's structure.

use super::functions::{Aggregation, Function};
use super::lexer::{self, Token, Word};
use super::{Aggregate, Binary, Expr, Fault, Grouping, Kind, MatchOp, Matcher, Op, Selector};
use crate::demo::series::NAME;

/// Expressions may stand in each other so deep.
const DEPTH: u32 = 100;
/// So many operators may a query have: each stands deeper than the one before it.
const OPERATORS: u32 = 200;

/// Reads a query.
pub(crate) fn parse(query: &str) -> Result<Expr, Fault> {
    let mut parser = Parser {
        query,
        words: lexer::words(query)?,
        at: 0,
        depth: 0,
        operators: 0,
        selectors: 0,
    };
    if parser.token() == &Token::End {
        return Err(parser.fault("no expression found in input"));
    }
    let expr = parser.expression(0)?;
    match parser.token() {
        Token::End => Ok(expr),
        Token::Sign(sign @ (")" | "}" | "]")) => {
            let text = format!("unexpected right {} '{sign}'", bracket(sign));
            Err(parser.fault(&text))
        }
        _ => Err(parser.unexpected("")),
    }
}

/// The words for a bracket.
fn bracket(sign: &str) -> &'static str {
    match sign {
        "(" | ")" => "parenthesis",
        "{" | "}" => "brace",
        _ => "bracket",
    }
}

/// Operators, how strongly they bind, and their signs.
const OPS: [(&str, u8, Op); 12] = [
    ("==", 1, Op::Equal),
    ("!=", 1, Op::Unequal),
    ("<", 1, Op::Less),
    ("<=", 1, Op::LessOrEqual),
    (">", 1, Op::Greater),
    (">=", 1, Op::GreaterOrEqual),
    ("+", 2, Op::Add),
    ("-", 2, Op::Subtract),
    ("*", 3, Op::Multiply),
    ("/", 3, Op::Divide),
    ("%", 3, Op::Rest),
    ("^", 5, Op::Power),
];
/// How strongly a sign before an expression binds: less than a power.
const SIGN: u8 = 4;

struct Parser<'a> {
    query: &'a str,
    words: Vec<Word>,
    at: usize,
    depth: u32,
    operators: u32,
    selectors: usize,
}

impl Parser<'_> {
    fn token(&self) -> &Token {
        self.words
            .get(self.at)
            .map_or(&Token::End, |word| &word.token)
    }

    fn fault(&self, text: &str) -> Fault {
        let at = self.words.get(self.at).map_or(0, |word| word.at);
        lexer::fault(self.query, at, text)
    }

    /// The word here is not what can stand here.
    fn unexpected(&self, place: &str) -> Fault {
        let what = match self.token() {
            Token::Name(name) => format!("identifier {name:?}"),
            Token::Number(number) => format!("number \"{number}\""),
            Token::Duration(_) => "duration".to_owned(),
            Token::Text(text) => format!("string {text:?}"),
            Token::Sign(sign) => format!("{sign:?}"),
            Token::End => "end of input".to_owned(),
        };
        self.fault(&format!("unexpected {what}{place}"))
    }

    fn take(&mut self, sign: &str) -> bool {
        let there = matches!(self.token(), Token::Sign(own) if *own == sign);
        self.at += usize::from(there);
        there
    }

    fn take_name(&mut self, name: &str) -> bool {
        let there = matches!(self.token(), Token::Name(own) if own.eq_ignore_ascii_case(name));
        self.at += usize::from(there);
        there
    }

    fn name(&mut self, place: &str) -> Result<String, Fault> {
        let Token::Name(name) = self.token().clone() else {
            return Err(self.unexpected(place));
        };
        self.at += 1;
        Ok(name)
    }

    /// The sign that closes what `open` began.
    fn close(&mut self, open: &str, sign: &str) -> Result<(), Fault> {
        if self.take(sign) {
            return Ok(());
        }
        if self.token() == &Token::End {
            let text = format!("unclosed left {}", bracket(open));
            return Err(self.fault(&text));
        }
        Err(self.unexpected(""))
    }

    /// Operators that bind at least so strongly, and what they bind.
    fn expression(&mut self, least: u8) -> Result<Expr, Fault> {
        self.depth += 1;
        if self.depth > DEPTH {
            return Err(self.fault("the query nests too deep"));
        }
        let mut left = self.signed()?;
        while let Some((strength, op)) = self.operator(least) {
            let at = self.at;
            self.operators += 1;
            if self.operators > OPERATORS {
                return Err(self.fault("the query has too many operators"));
            }
            self.at += 1;
            let truth = self.take_name("bool");
            let matching = self.matching()?;
            // A power binds its right side first.
            let next = if op == Op::Power {
                strength
            } else {
                strength + 1
            };
            let right = self.expression(next)?;
            let both = Binary {
                op,
                truth,
                matching,
                left,
                right,
            };
            self.check(&both, at)?;
            left = Expr::Binary(Box::new(both));
        }
        self.depth -= 1;
        Ok(left)
    }

    fn operator(&self, least: u8) -> Option<(u8, Op)> {
        let Token::Sign(sign) = self.token() else {
            return None;
        };
        let (_, strength, op) = *OPS.iter().find(|(own, ..)| own == sign)?;
        (strength >= least).then_some((strength, op))
    }

    fn check(&self, both: &Binary, at: usize) -> Result<(), Fault> {
        let kinds = [both.left.kind(), both.right.kind()];
        let at = self.words.get(at).map_or(0, |word| word.at);
        let fault = |text: &str| Err(lexer::fault(self.query, at, text));
        if kinds.contains(&Kind::Matrix) {
            return fault("binary expression must contain only scalar and instant vector types");
        }
        if both.truth && !both.op.compares() {
            return fault("bool modifier can only be used on comparison operators");
        }
        let scalars = kinds == [Kind::Scalar, Kind::Scalar];
        if scalars && both.op.compares() && !both.truth {
            return fault("comparisons between scalars must use BOOL modifier");
        }
        if both.matching.is_some() && kinds.contains(&Kind::Scalar) {
            return fault("vector matching only allowed between instant vectors");
        }
        Ok(())
    }

    fn matching(&mut self) -> Result<Option<Grouping>, Fault> {
        let without = match (self.take_name("ignoring"), self.take_name("on")) {
            (false, false) => return Ok(None),
            (without, _) => without,
        };
        let labels = self.labels()?;
        if matches!(self.token(), Token::Name(name) if name.starts_with("group_")) {
            return Err(self.fault("this server matches one series with one only"));
        }
        Ok(Some(Grouping { without, labels }))
    }

    fn signed(&mut self) -> Result<Expr, Fault> {
        let minus = self.take("-");
        if !minus && !self.take("+") {
            return self.single();
        }
        let of = self.expression(SIGN)?;
        if of.kind() == Kind::Matrix {
            let text = "unary expression only allowed on expressions of type scalar or instant vector, got \"range vector\"";
            return Err(self.fault(text));
        }
        Ok(if minus {
            Expr::Negate(Box::new(of))
        } else {
            of
        })
    }

    fn single(&mut self) -> Result<Expr, Fault> {
        match self.token().clone() {
            Token::Number(number) => {
                self.at += 1;
                Ok(Expr::Number(number))
            }
            Token::Sign("(") => {
                self.at += 1;
                let inner = self.expression(0)?;
                self.close("(", ")")?;
                Ok(inner)
            }
            Token::Sign("{") => self.selector(None),
            Token::Name(name) => {
                self.at += 1;
                let opens = matches!(self.token(), Token::Sign("("));
                let groups = matches!(self.token(), Token::Name(word) if is_grouping(word));
                match Aggregation::named(&name.to_ascii_lowercase()) {
                    Some(op) if opens || groups => self.aggregate(op),
                    _ if opens => self.call(&name),
                    _ => self.selector(Some(&name)),
                }
            }
            _ => Err(self.unexpected("")),
        }
    }

    fn call(&mut self, name: &str) -> Result<Expr, Fault> {
        self.at -= 1;
        let Some(function) = Function::named(name) else {
            let text = format!("unknown function with name {name:?}");
            return Err(self.fault(&text));
        };
        self.at += 1;
        let given = self.arguments()?;
        let [argument] = given.as_slice() else {
            let text = format!(
                "expected 1 argument(s) in call to {name:?}, got {}",
                given.len()
            );
            return Err(self.fault(&text));
        };
        let place = format!("call to function {name:?}");
        self.expect(argument, function.takes(), &place)?;
        Ok(Expr::Call(function, given))
    }

    fn expect(&self, given: &Expr, wanted: Kind, place: &str) -> Result<(), Fault> {
        let got = given.kind();
        if got == wanted {
            return Ok(());
        }
        let (wanted, got) = (wanted.word(), got.word());
        Err(self.fault(&format!("expected type {wanted} in {place}, got {got}")))
    }

    fn arguments(&mut self) -> Result<Vec<Expr>, Fault> {
        let mut given = Vec::new();
        if !self.take("(") {
            return Err(self.unexpected(" in aggregation"));
        }
        if self.take(")") {
            return Ok(given);
        }
        loop {
            given.push(self.expression(0)?);
            if !self.take(",") {
                break;
            }
        }
        self.close("(", ")")?;
        Ok(given)
    }

    fn aggregate(&mut self, op: Aggregation) -> Result<Expr, Fault> {
        let before = self.grouping()?;
        let mut given = self.arguments()?;
        let grouping = match before {
            Some(grouping) => grouping,
            None => self.grouping()?.unwrap_or(Grouping {
                without: false,
                labels: Vec::new(),
            }),
        };
        let wanted = 1 + usize::from(op.counts());
        let Some(of) = given.pop().filter(|_| given.len() + 1 == wanted) else {
            let got = given.len();
            let text = format!(
                "wrong number of arguments for aggregate expression provided, expected {wanted}, got {got}"
            );
            return Err(self.fault(&text));
        };
        let count = given.pop();
        self.expect(&of, Kind::Vector, "aggregation expression")?;
        if let Some(count) = &count {
            self.expect(count, Kind::Scalar, "aggregation parameter")?;
        }
        Ok(Expr::Aggregate(Box::new(Aggregate {
            op,
            grouping,
            count,
            of,
        })))
    }

    fn grouping(&mut self) -> Result<Option<Grouping>, Fault> {
        let without = match (self.take_name("without"), self.take_name("by")) {
            (false, false) => return Ok(None),
            (without, _) => without,
        };
        let labels = self.labels()?;
        Ok(Some(Grouping { without, labels }))
    }

    fn labels(&mut self) -> Result<Vec<String>, Fault> {
        let mut labels = Vec::new();
        if !self.take("(") {
            return Err(self.unexpected(" in grouping opts"));
        }
        while !self.take(")") {
            labels.push(self.name(" in grouping opts, expected label")?);
            if !self.take(",") {
                self.close("(", ")")?;
                break;
            }
        }
        Ok(labels)
    }

    fn selector(&mut self, name: Option<&str>) -> Result<Expr, Fault> {
        let mut matchers = Vec::new();
        if let Some(name) = name {
            matchers.push(Matcher::new(NAME, MatchOp::Equal, name)?);
        }
        if self.take("{") {
            self.matchers(&mut matchers)?;
        }
        let names = matchers.iter().filter(|one| one.is_on(NAME)).count();
        if name.is_some() && names > 1 {
            return Err(self.fault("metric name must not be set twice"));
        }
        if matchers.iter().all(Matcher::is_open) {
            return Err(self.fault("vector selector must contain at least one non-empty matcher"));
        }
        let range = if self.take("[") {
            Some(self.range()?)
        } else {
            None
        };
        self.selectors += 1;
        let number = self.selectors - 1;
        Ok(Expr::Select(Selector {
            matchers,
            range,
            number,
        }))
    }

    fn range(&mut self) -> Result<i64, Fault> {
        let length = match *self.token() {
            Token::Duration(length) if length > 0 => length,
            Token::Duration(_) => return Err(self.fault("duration must be greater than 0")),
            Token::Number(_) => return Err(self.fault("missing unit character in duration")),
            _ => return Err(self.unexpected(" in range, expected duration")),
        };
        self.at += 1;
        self.close("[", "]")?;
        Ok(length)
    }

    fn matchers(&mut self, matchers: &mut Vec<Matcher>) -> Result<(), Fault> {
        while !self.take("}") {
            let name = self.name(" in label matching, expected identifier or \"}\"")?;
            let op = match self.token() {
                Token::Sign("=") => MatchOp::Equal,
                Token::Sign("!=") => MatchOp::Unequal,
                Token::Sign("=~") => MatchOp::Like,
                Token::Sign("!~") => MatchOp::Unlike,
                _ => {
                    return Err(
                        self.unexpected(" in label matching, expected label matching operator")
                    );
                }
            };
            self.at += 1;
            let Token::Text(value) = self.token().clone() else {
                return Err(self.unexpected(" in label matching, expected string"));
            };
            let matcher = Matcher::new(&name, op, &value);
            matchers.push(matcher.map_err(|fault| self.fault(&fault.text))?);
            self.at += 1;
            if !self.take(",") {
                self.close("{", "}")?;
                break;
            }
        }
        Ok(())
    }
}

fn is_grouping(word: &str) -> bool {
    ["by", "without"]
        .iter()
        .any(|own| word.eq_ignore_ascii_case(own))
}

impl Op {
    /// Whether it compares.
    pub(super) fn compares(self) -> bool {
        matches!(
            self,
            Self::Equal
                | Self::Unequal
                | Self::Less
                | Self::LessOrEqual
                | Self::Greater
                | Self::GreaterOrEqual
        )
    }
}
