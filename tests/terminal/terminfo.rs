//! What our keys send is what terminfo says of an xterm: a container's programs read them so.

use std::process::Command;

use deckwatch::term::{Code, Key, Modes, keys};

/// The keys of terminfo by name, without the number of their modifiers.
const NAMES: [(&str, Code); 10] = [
    ("UP", Code::Up),
    ("DN", Code::Down),
    ("LFT", Code::Left),
    ("RIT", Code::Right),
    ("HOM", Code::Home),
    ("END", Code::End),
    ("IC", Code::Insert),
    ("DC", Code::Delete),
    ("NXT", Code::PageDown),
    ("PRV", Code::PageUp),
];

/// Without modifiers they have other names.
const PLAIN: [(&str, Code); 12] = [
    ("kcuu1", Code::Up),
    ("kcud1", Code::Down),
    ("kcub1", Code::Left),
    ("kcuf1", Code::Right),
    ("khome", Code::Home),
    ("kend", Code::End),
    ("kich1", Code::Insert),
    ("kdch1", Code::Delete),
    ("knp", Code::PageDown),
    ("kpp", Code::PageUp),
    ("kcbt", Code::BackTab),
    ("kbs", Code::Backspace),
];

/// Sets what a number of xterm's says was held: 1 and a bit for each.
fn held(code: Code, number: u8) -> Key {
    let bits = number - 1;
    Key {
        shift: bits & 1 != 0,
        alt: bits & 2 != 0,
        ctrl: bits & 4 != 0,
        ..Key::plain(code)
    }
}

/// The key that a capability names.
fn key(name: &str) -> Option<Key> {
    if let Some((_, code)) = PLAIN.iter().find(|(known, _)| *known == name) {
        return Some(Key::plain(*code));
    }
    // kf1 to kf63 are twelve keys each without, with Shift, Ctrl, both, Alt, Alt and Shift.
    if let Some(number) = name.strip_prefix("kf") {
        let index: u8 = number.parse::<u8>().ok()?.checked_sub(1)?;
        let groups = [1, 2, 5, 6, 3, 4];
        let group = groups.get(usize::from(index / 12))?;
        return Some(held(Code::F(index % 12 + 1), *group));
    }
    let name = name.strip_prefix('k')?;
    let digits = name.trim_start_matches(|c: char| !c.is_ascii_digit());
    let word = name.strip_suffix(digits)?;
    let (_, code) = NAMES.iter().find(|(known, _)| *known == word)?;
    let number = if digits.is_empty() {
        2
    } else {
        digits.parse().ok()?
    };
    Some(held(*code, number))
}

#[test]
fn keys_send_what_terminfo_says_of_an_xterm() {
    let output = Command::new("infocmp")
        .args(["-x", "-1", "xterm-256color"])
        .output();
    let output = output.expect("these tests need infocmp; install it: apt-get install ncurses-bin");
    let text = String::from_utf8(output.stdout).unwrap();
    // Programs that use terminfo switch the cursor keys on (smkx).
    let modes = Modes {
        app_cursor: true,
        ..Modes::default()
    };
    let mut count = 0;
    for line in text.lines() {
        let Some((name, value)) = line.trim().trim_end_matches(',').split_once('=') else {
            continue;
        };
        let Some(key) = key(name) else { continue };
        let mut sent = Vec::new();
        keys::encode(&key, &modes, &mut sent);
        let sent = String::from_utf8(sent).unwrap();
        let sent = sent.replace('\x1b', "\\E").replace('\x7f', "^?");
        let value = value.replace("\\177", "^?");
        assert_eq!(sent, value, "{name}, {key}");
        count += 1;
    }
    assert!(count > 110, "{count} keys of terminfo were compared");
}
