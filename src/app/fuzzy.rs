//! Finding by a few letters: they stand in a name in their order, or are the initials of its
//! pinyin: `ddzx` finds 订单中心 (experience.md C 12). One pass does both, which no library does.

use pinyin::ToPinyinMulti;

/// Letters of a name that are looked at: a server may send thousands.
const LONGEST: usize = 128;

/// How well a name fits what was typed; the higher the better. `None` does not fit. Blanks part
/// words, each of which has to fit; case does not count.
pub fn score(typed: &str, name: &str) -> Option<i32> {
    let letters: Vec<Letter> = letters(name);
    typed
        .split_whitespace()
        .map(|word| one(&word.to_lowercase(), &letters))
        .sum()
}

/// A character of a name, with what it may be found by.
struct Letter {
    own: char,
    /// The first letters of its readings.
    initials: Vec<char>,
    /// A word begins here.
    begins: bool,
}

fn letters(name: &str) -> Vec<Letter> {
    let mut before = ' ';
    let mut letters = Vec::with_capacity(name.len().min(LONGEST));
    for c in name.chars().take(LONGEST) {
        let begins =
            !before.is_alphanumeric() || before.is_lowercase() && c.is_uppercase() || !c.is_ascii();
        let initials = c
            .to_pinyin_multi()
            .map(|readings| {
                readings
                    .into_iter()
                    .filter_map(|reading| reading.plain().chars().next())
                    .collect()
            })
            .unwrap_or_default();
        letters.push(Letter {
            own: c.to_lowercase().next().unwrap_or(c),
            initials,
            begins,
        });
        before = c;
    }
    letters
}

/// A word's best place: at each beginning that fits, the letters behind it are taken as they
/// come.
fn one(word: &str, letters: &[Letter]) -> Option<i32> {
    let wanted: Vec<char> = word.chars().collect();
    let first = wanted.first()?;
    (0..letters.len())
        .filter(|at| letters.get(*at).is_some_and(|letter| fits(letter, *first)))
        // What does not fit behind one place does not behind a later one.
        .map_while(|at| from(&wanted, letters, at))
        .max()
}

fn fits(letter: &Letter, wanted: char) -> bool {
    letter.own == wanted || letter.initials.contains(&wanted)
}

fn from(wanted: &[char], letters: &[Letter], start: usize) -> Option<i32> {
    let (mut at, mut score, mut last) = (start, 0, None);
    for c in wanted {
        let found = letters
            .iter()
            .enumerate()
            .skip(at)
            .find(|(_, letter)| fits(letter, *c));
        let (index, letter) = found?;
        score += 1;
        if letter.begins {
            score += 4;
        }
        if last.is_some_and(|last: usize| last + 1 == index) {
            score += 6;
        }
        last = Some(index);
        at = index + 1;
    }
    // A name that is little more than what was typed is likelier meant.
    let rest = i32::try_from(letters.len().saturating_sub(wanted.len())).unwrap_or(i32::MAX);
    Some(score * 8 - rest.min(64) - i32::try_from(start).unwrap_or(0).min(16))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_in_order_and_initials_of_pinyin_find_names() {
        for (typed, name, want) in [
            ("ddzx", "订单中心", true),
            ("zx", "订单中心", true),
            ("DDZX", "订单中心", true),
            ("订单", "订单中心", true),
            ("dx", "订单中心", true),
            ("xd", "订单中心", false),
            ("yh", "银行", true),
            ("yx", "银行", true),
            ("oc", "order-center", true),
            ("order", "order-center", true),
            ("ord cen", "order-center", true),
            ("cen ord", "order-center", true),
            ("orx", "order-center", false),
            ("", "anything", true),
        ] {
            assert_eq!(score(typed, name).is_some(), want, "{typed} in {name}");
        }
    }

    #[test]
    fn a_name_of_any_length_is_looked_through_a_bounded_part_of_it() {
        let long = "a".repeat(200_000);
        assert!(score("aab", &format!("{long}b")).is_none());
        assert!(score("b", &format!("{long}b")).is_none());
        let most = "a".repeat(LONGEST - 1);
        assert!(score("ab", &format!("{most}b")).is_some());
        assert!(score("a", &long).is_some());
    }

    #[test]
    fn beginnings_and_neighbours_fit_better() {
        let better = |typed: &str, one: &str, other: &str| {
            assert!(
                score(typed, one) > score(typed, other),
                "{typed}: {one} over {other}"
            );
        };
        better("web", "web", "web-front");
        better("web", "web-1", "w-e-b");
        better("oc", "order-center", "oxxcyy");
        better("pay", "payment", "repay");
    }
}
