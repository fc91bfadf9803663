//! Operating system commands: titles, the clipboard, questions about colours. Everything else
//! is thrown away: links, notifications, files, working directories, marks of prompts, colours
//! that a program would set.

use base64::Engine;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use crate::text::SafeText;
use crate::text::width;

use super::Told;
use super::feed::MAX_OSC;
use super::machine::Machine;

/// Bytes of a title that are looked at (reliability.md 1.3).
const MAX_TITLE: usize = 4096;

/// Titles on the stack (`CSI 22 t`).
const MAX_TITLES: usize = 8;

/// Programs pad or don't.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// What a program has asked for since the last time.
#[derive(Clone, Debug, Default)]
pub(super) struct Wishes {
    pub(super) bell: bool,
    /// The title as it came, if it was set since; sanitised when told, so that a flood is cheap.
    title: Option<Vec<u8>>,
    /// The title that holds.
    current: SafeText<'static>,
    /// As they came, too.
    stack: Vec<Vec<u8>>,
    clipboard: Option<String>,
}

impl Wishes {
    /// All of it.
    pub(super) fn take(&mut self) -> Told {
        let told = self.title.take().map(|raw| {
            self.current = shown(&raw);
            self.current.clone()
        });
        Told {
            title: told,
            bell: std::mem::take(&mut self.bell),
            clipboard: self.clipboard.take(),
            ..Told::default()
        }
    }

    pub(super) fn push_title(&mut self) {
        let current = || self.current.as_str().as_bytes().to_vec();
        let title = self.title.clone().unwrap_or_else(current);
        if self.stack.len() >= MAX_TITLES {
            self.stack.remove(0);
        }
        self.stack.push(title);
    }

    pub(super) fn pop_title(&mut self) {
        if let Some(title) = self.stack.pop() {
            self.title = Some(title);
        }
    }

    pub(super) fn forget_titles(&mut self) {
        self.stack.clear();
    }

    fn set_title(&mut self, parts: &[&[u8]]) {
        let mut title = self.title.take().unwrap_or_default();
        title.clear();
        for (index, part) in parts.iter().enumerate() {
            if index > 0 {
                title.push(b';');
            }
            title.extend_from_slice(part);
        }
        title.truncate(MAX_TITLE);
        self.title = Some(title);
    }

    /// OSC 52, the setting form.
    fn set_clipboard(&mut self, payload: &[u8]) {
        let room = Told::CLIPBOARD.div_ceil(3) * 4;
        if payload.is_empty() || payload.len() > room {
            return;
        }
        let decoded = BASE64.decode(payload).ok();
        let text = decoded.and_then(|bytes| String::from_utf8(bytes).ok());
        if let Some(text) = text.filter(|text| text.len() <= Told::CLIPBOARD) {
            self.clipboard = Some(text);
        }
    }
}

fn shown(raw: &[u8]) -> SafeText<'static> {
    let text = SafeText::new(raw.trim_ascii());
    let end = width::fit(text.as_str(), Told::TITLE_COLUMNS).len();
    text.slice(0..end).into_owned()
}

impl Machine {
    /// One string, cut at its semicolons.
    pub(super) fn osc(&mut self, params: &[&[u8]], bell: bool) {
        let cut = std::mem::take(&mut self.osc_cut);
        let length: usize = params.iter().map(|param| param.len() + 1).sum();
        if cut || length > MAX_OSC {
            return;
        }
        match params {
            [b"0" | b"2", title @ ..] if !title.is_empty() => self.wishes.set_title(title),
            [b"4", pairs @ ..] => self.palette(pairs, bell),
            [code @ (b"10" | b"11" | b"12"), rest @ ..] => {
                let first = code.last().map_or(10, |digit| 10 + (digit - b'0'));
                self.dynamic(first, rest, bell);
            }
            [b"52", _, payload, ..] if *payload != b"?" => self.wishes.set_clipboard(payload),
            _ => {}
        }
    }

    /// OSC 4: pairs of a number and a colour, or a question.
    fn palette(&mut self, pairs: &[&[u8]], bell: bool) {
        let (pairs, _) = pairs.as_chunks::<2>();
        for [index, value] in pairs {
            let index = std::str::from_utf8(index).ok();
            if let Some(index) = index.and_then(|index| index.parse().ok())
                && *value == b"?"
            {
                self.replies.palette(index, bell);
            }
        }
    }

    /// OSC 10 and on: each further value is for the next number.
    fn dynamic(&mut self, first: u8, values: &[&[u8]], bell: bool) {
        for (code, value) in (first..=12).zip(values) {
            if *value == b"?" {
                self.replies.dynamic(code, bell, self.light);
            }
        }
    }
}
