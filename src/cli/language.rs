//! Which language the program speaks. It is found before anything else is read, so that help and
//! errors of the command line are in it already.

use std::ffi::OsString;

use crate::lang::Lang;
use crate::model::{Fault, FaultKind};
use crate::say;
use crate::word;

/// What of the environment names a language.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Named {
    /// `DECKWATCH_LANG`.
    pub own: Option<String>,
    /// The first of `LC_ALL`, `LC_MESSAGES` and `LANG` that is not empty.
    pub locale: Option<String>,
}

/// Takes `--lang` out of what was typed, wherever it stands before `--`; the last one counts.
/// A flag without a value is an empty one.
pub fn taken(args: impl IntoIterator<Item = OsString>) -> (Vec<OsString>, Option<String>) {
    let (mut rest, mut asked) = (Vec::new(), None);
    let mut args = args.into_iter();
    while let Some(arg) = args.next() {
        let text = arg.to_string_lossy();
        if text == "--" {
            rest.push(arg);
            rest.extend(args);
            break;
        }
        if text == "--lang" {
            let value = args.next();
            asked =
                Some(value.map_or_else(String::new, |value| value.to_string_lossy().into_owned()));
        } else if let Some(value) = text.strip_prefix("--lang=") {
            asked = Some(value.to_owned());
        } else {
            rest.push(arg);
        }
    }
    (rest, asked)
}

/// The locale's language, which is English where it is neither of ours.
pub fn of_locale(named: &Named) -> Lang {
    let locale = named.locale.as_deref();
    locale.and_then(Lang::named).unwrap_or_default()
}

/// The language: what was asked for, else `DECKWATCH_LANG`, else what a configuration says, else
/// the locale's.
pub fn chosen(asked: Option<&str>, named: &Named, config: Option<&str>) -> Result<Lang, Fault> {
    let own = named.own.as_deref().filter(|tag| !tag.is_empty());
    let wishes = [
        ("--lang ", asked),
        ("DECKWATCH_LANG=", own),
        ("lang = ", config),
    ];
    let wish = wishes
        .into_iter()
        .find_map(|(from, tag)| tag.map(|tag| (from, tag)));
    let Some((from, tag)) = wish else {
        return Ok(of_locale(named));
    };
    Lang::named(tag).ok_or_else(|| unknown(from, tag))
}

fn unknown(from: &str, tag: &str) -> Fault {
    let why = if tag.is_empty() {
        word!("it names no language", "没有写明语言").to_owned()
    } else {
        say!("the language {tag:?} is not known", "未知的语言 {tag:?}")
    };
    let what = format!("{from}{tag}").trim_end().to_owned();
    let next = word!("write en or zh-CN", "请写 en 或 zh-CN");
    Fault::new(FaultKind::Usage, what, why, next)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(args: &[&str]) -> (Vec<String>, Option<String>) {
        let (rest, asked) = taken(args.iter().map(OsString::from));
        let rest = rest.into_iter().map(|arg| arg.into_string().unwrap());
        (rest.collect(), asked)
    }

    #[test]
    fn the_flag_is_found_wherever_it_stands() {
        for (args, rest, asked) in [
            (&["d", "logs"][..], &["d", "logs"][..], None),
            (&["d", "--lang", "zh", "logs"], &["d", "logs"], Some("zh")),
            (&["d", "logs", "--lang=en"], &["d", "logs"], Some("en")),
            (&["d", "--lang", "en", "--lang=zh"], &["d"], Some("zh")),
            (&["d", "--lang"], &["d"], Some("")),
            (
                &["d", "--", "--lang", "zh"],
                &["d", "--", "--lang", "zh"],
                None,
            ),
            (&["d", "--language"], &["d", "--language"], None),
        ] {
            let (got, found) = split(args);
            assert_eq!(
                (got.iter().map(String::as_str).collect(), found.as_deref()),
                (rest.to_vec(), asked)
            );
        }
    }

    #[test]
    fn the_nearest_wish_decides() {
        let named = |own: Option<&str>, locale: Option<&str>| Named {
            own: own.map(str::to_owned),
            locale: locale.map(str::to_owned),
        };
        let zh = Some("zh_CN.UTF-8");
        for (asked, env, config, want) in [
            (None, named(None, None), None, Lang::En),
            (None, named(None, zh), None, Lang::Zh),
            (None, named(None, Some("de_DE")), None, Lang::En),
            (None, named(None, zh), Some("en"), Lang::En),
            (None, named(Some("zh-CN"), None), Some("en"), Lang::Zh),
            (None, named(Some(""), zh), None, Lang::Zh),
            (Some("en"), named(Some("zh"), zh), Some("zh"), Lang::En),
        ] {
            assert_eq!(
                chosen(asked, &env, config),
                Ok(want),
                "{asked:?} {env:?} {config:?}"
            );
        }
    }

    #[test]
    fn an_unknown_language_is_told() {
        let own = Named {
            own: Some("tlh".into()),
            locale: None,
        };
        for (asked, named, want) in [
            (
                Some("tlh"),
                Named::default(),
                "--lang tlh: the language \"tlh\" is not known; write en or zh-CN",
            ),
            (
                Some(""),
                own.clone(),
                "--lang: it names no language; write en or zh-CN",
            ),
            (
                None,
                own,
                "DECKWATCH_LANG=tlh: the language \"tlh\" is not known; write en or zh-CN",
            ),
        ] {
            let fault = chosen(asked, &named, None).unwrap_err();
            assert_eq!(fault.to_string(), want);
            assert_eq!(fault.kind, FaultKind::Usage);
        }
    }
}
