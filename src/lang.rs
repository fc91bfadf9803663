//! The two languages of every text that is ours: English, and Simplified Chinese (experience.md
//! C 12). Both stand side by side where they are said, so that neither can be missing:
//!
//! ```
//! use deckwatch::lang::{self, Lang};
//! use deckwatch::say;
//!
//! let host = "a.example";
//! lang::within(Lang::Zh, || assert_eq!(say!("no reply from {host}", "{host} 没有应答"), "a.example 没有应答"));
//! ```
//!
//! The language is the process's: it is chosen once, at the start. It is the one global of the
//! program, since every layer says something.

use std::cell::Cell;
use std::fmt;
use std::sync::atomic::{AtomicU8, Ordering};

/// A language.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[repr(u8)]
pub enum Lang {
    /// English.
    #[default]
    En = 0,
    /// Simplified Chinese.
    Zh = 1,
}

static CHOSEN: AtomicU8 = AtomicU8::new(Lang::En as u8);

thread_local! {
    /// What [`within`] says, on its thread alone.
    static WITHIN: Cell<Option<Lang>> = const { Cell::new(None) };
}

impl Lang {
    /// From a locale or a tag: `zh-CN`, `zh_CN.UTF-8`, `Chinese`… are Chinese, `en`, `C` and
    /// `POSIX` English; `None` for others.
    pub fn named(tag: &str) -> Option<Self> {
        let tag = tag.to_ascii_lowercase();
        let word = tag.split(['-', '_', '.', '@']).next().unwrap_or("");
        match word {
            "zh" | "cn" | "chinese" | "中文" => Some(Self::Zh),
            "en" | "c" | "posix" | "english" => Some(Self::En),
            _ => None,
        }
    }
}

/// Chooses the process's language.
pub fn choose(lang: Lang) {
    CHOSEN.store(lang as u8, Ordering::Relaxed);
}

/// The language of this thread's texts.
pub fn current() -> Lang {
    WITHIN.get().unwrap_or_else(|| {
        if CHOSEN.load(Ordering::Relaxed) == Lang::Zh as u8 {
            Lang::Zh
        } else {
            Lang::En
        }
    })
}

/// Runs something in another language, on this thread alone.
pub fn within<T>(lang: Lang, run: impl FnOnce() -> T) -> T {
    let before = WITHIN.replace(Some(lang));
    let result = run();
    WITHIN.set(before);
    result
}

/// A text that stands in a table: both languages of it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Words {
    /// English.
    pub en: &'static str,
    /// Simplified Chinese.
    pub zh: &'static str,
}

/// Both languages of a text in a table.
pub const fn words(en: &'static str, zh: &'static str) -> Words {
    Words { en, zh }
}

impl Words {
    /// In the language of this thread.
    pub fn get(self) -> &'static str {
        match current() {
            Lang::En => self.en,
            Lang::Zh => self.zh,
        }
    }
}

impl fmt::Display for Words {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.get())
    }
}

impl fmt::Debug for Words {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.en, f)
    }
}

/// A sentence in the language of this thread, as `format!` makes it: the English pattern, the
/// Chinese one, then the arguments that both share.
#[macro_export]
macro_rules! say {
    ($en:literal, $zh:literal $(, $arg:expr)* $(,)?) => {
        match $crate::lang::current() {
            $crate::lang::Lang::En => ::std::format!($en $(, $arg)*),
            $crate::lang::Lang::Zh => ::std::format!($zh $(, $arg)*),
        }
    };
}

/// The same without arguments, as a `&'static str`.
#[macro_export]
macro_rules! word {
    ($en:literal, $zh:literal $(,)?) => {
        $crate::lang::words($en, $zh).get()
    };
}

#[cfg(test)]
mod tests {
    use super::{Lang, current, within, words};

    #[test]
    fn locales_name_a_language_or_none() {
        for (tag, lang) in [
            ("zh-CN", Some(Lang::Zh)),
            ("zh_TW.UTF-8", Some(Lang::Zh)),
            ("zh", Some(Lang::Zh)),
            ("en_GB.UTF-8", Some(Lang::En)),
            ("C.UTF-8", Some(Lang::En)),
            ("POSIX", Some(Lang::En)),
            ("de_DE", None),
            ("", None),
        ] {
            assert_eq!(Lang::named(tag), lang, "{tag}");
        }
    }

    #[test]
    fn a_text_is_said_in_the_threads_language() {
        let (n, pods) = (3, words("pods", "个实例"));
        assert_eq!(current(), Lang::En);
        assert_eq!(say!("{n} {pods}, {}", "{n} {pods}，{}", 1), "3 pods, 1");
        within(Lang::Zh, || {
            assert_eq!(say!("{n} {pods}, {}", "{n} {pods}，{}", 1), "3 个实例，1");
            assert_eq!(word!("yes", "是"), "是");
        });
        assert_eq!(current(), Lang::En);
    }
}
