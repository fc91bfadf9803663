//! What of the environment matters.

use std::io::IsTerminal;

use crate::text::redact::Secret;

use super::args::When;
use super::language::Named;

/// The environment, read once.
#[derive(Clone, Debug, Default)]
pub struct Env {
    /// `NO_COLOR` is set and not empty.
    pub no_color: bool,
    /// `CLICOLOR_FORCE` or `FORCE_COLOR` is set, not empty and not 0.
    pub force_color: bool,
    /// `TERM` is `dumb` or missing.
    pub dumb: bool,
    /// `COLORTERM` promises true colour.
    pub true_color: bool,
    /// The terminal has the kitty keyboard protocol, by its name; over ssh it stays unused: it
    /// would stay on in the local terminal after a drop (reliability.md 4).
    pub kitty: bool,
    /// Standard output is a terminal.
    pub stdout_tty: bool,
    /// Standard error is a terminal.
    pub stderr_tty: bool,
    /// Standard input is a terminal.
    pub stdin_tty: bool,
    /// Inside tmux.
    pub tmux: bool,
    /// Inside GNU screen.
    pub screen: bool,
    /// What names a language.
    pub named: Named,
    /// The proxies.
    pub proxies: ProxyEnv,
    /// `DECKWATCH_TOKEN`; a secret.
    pub token: Option<Secret>,
    /// The terminal's width in columns, where it says so.
    pub columns: Option<usize>,
}

/// The proxies of the environment, with the variable that each comes from.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ProxyEnv {
    /// For `http://` and `ws://`.
    pub plain: Option<(&'static str, String)>,
    /// For `https://` and `wss://`.
    pub encrypted: Option<(&'static str, String)>,
    /// `NO_PROXY`.
    pub none_for: String,
}

impl ProxyEnv {
    /// The first of the usual variables, lower case first.
    fn of(get: impl Fn(&str) -> Option<String>) -> Self {
        let first = |names: [&'static str; 4]| {
            names
                .into_iter()
                .find_map(|name| get(name).map(|value| (name, value)))
        };
        Self {
            plain: first(["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"]),
            encrypted: first(["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"]),
            none_for: get("no_proxy")
                .or_else(|| get("NO_PROXY"))
                .unwrap_or_default(),
        }
    }
}

impl Env {
    /// Reads the process's environment.
    #[expect(
        clippy::disallowed_methods,
        reason = "the one reader of the environment"
    )]
    pub fn read() -> Self {
        let get = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        let forced = |name: &str| get(name).is_some_and(|value| value != "0");
        let term = get("TERM");
        let kitty = ["kitty", "foot", "ghostty"];
        let names = [term.clone(), get("TERM_PROGRAM")];
        let is_kitty = names.iter().flatten().any(|name| {
            kitty
                .iter()
                .any(|known| name.to_ascii_lowercase().contains(known))
        });
        let bare = get("SSH_CONNECTION").is_none() && get("TMUX").is_none() && get("STY").is_none();
        Self {
            no_color: get("NO_COLOR").is_some(),
            force_color: forced("CLICOLOR_FORCE") || forced("FORCE_COLOR"),
            dumb: term.as_deref().is_none_or(|term| term == "dumb"),
            true_color: get("COLORTERM")
                .is_some_and(|value| value == "truecolor" || value == "24bit"),
            kitty: is_kitty && bare,
            stdout_tty: std::io::stdout().is_terminal(),
            stderr_tty: std::io::stderr().is_terminal(),
            stdin_tty: std::io::stdin().is_terminal(),
            tmux: get("TMUX").is_some(),
            screen: term
                .as_deref()
                .is_some_and(|term| term.starts_with("screen"))
                && get("STY").is_some(),
            proxies: ProxyEnv::of(get),
            token: get("DECKWATCH_TOKEN").map(Secret::new),
            columns: get("COLUMNS").and_then(|text| text.parse().ok()),
            named: Named {
                own: get("DECKWATCH_LANG"),
                locale: get("LC_ALL")
                    .or_else(|| get("LC_MESSAGES"))
                    .or_else(|| get("LANG")),
            },
        }
    }

    /// Whether to write colours to standard output: the flag beats `NO_COLOR`, which beats the
    /// forcing variables, which beat the terminal.
    pub fn colors(&self, when: When) -> bool {
        match when {
            When::Always => true,
            When::Never => false,
            When::Auto if self.no_color => false,
            When::Auto if self.force_color => true,
            When::Auto => self.stdout_tty && !self.dumb,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn proxies_are_taken_from_the_first_variable_that_is_set() {
        let read = |set: &[(&str, &str)]| {
            ProxyEnv::of(|name| {
                set.iter()
                    .find(|(known, _)| *known == name)
                    .map(|(_, value)| (*value).to_owned())
            })
        };
        let all = read(&[("ALL_PROXY", "a"), ("https_proxy", "h"), ("NO_PROXY", "n")]);
        assert_eq!(all.plain, Some(("ALL_PROXY", "a".into())));
        assert_eq!(all.encrypted, Some(("https_proxy", "h".into())));
        assert_eq!(all.none_for, "n");
        let both = read(&[("HTTP_PROXY", "upper"), ("http_proxy", "lower")]);
        assert_eq!(both.plain, Some(("http_proxy", "lower".into())));
        assert_eq!(read(&[]), ProxyEnv::default());
    }

    #[test]
    fn the_order_of_precedence_of_colours() {
        let tty = Env {
            stdout_tty: true,
            ..Env::default()
        };
        let no = Env {
            no_color: true,
            force_color: true,
            ..tty.clone()
        };
        let force = Env {
            force_color: true,
            ..Env::default()
        };
        let dumb = Env {
            dumb: true,
            ..tty.clone()
        };
        let cases = [
            (&tty, When::Auto, true),
            (&tty, When::Never, false),
            (&no, When::Auto, false),
            (&no, When::Always, true),
            (&force, When::Auto, true),
            (&dumb, When::Auto, false),
            (&Env::default(), When::Auto, false),
        ];
        for (env, when, want) in cases {
            assert_eq!(env.colors(when), want, "{env:?} {when:?}");
        }
    }
}
