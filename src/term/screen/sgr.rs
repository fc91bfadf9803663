//! Select Graphic Rendition, into the cursor's template.

use alacritty_terminal::Term;
use alacritty_terminal::event::EventListener;
use alacritty_terminal::vte::Params;
use alacritty_terminal::vte::ansi::{Attr, Color as RawColor, Handler, NamedColor, Rgb};

/// Follows one sequence.
pub(super) fn apply<T: EventListener>(term: &mut Term<T>, params: &Params) {
    let mut params = params.iter();
    while let Some(param) = params.next() {
        let attr = match param {
            [role @ (38 | 48 | 58)] => colour(&mut params.by_ref().map(first))
                .and_then(|colour| coloured(*role, Some(colour))),
            [role @ (38 | 48 | 58), rest @ ..] => {
                grouped(rest).and_then(|colour| coloured(*role, Some(colour)))
            }
            [4, kind, ..] => underline(*kind),
            [code, ..] => attribute(*code),
            [] => None,
        };
        if let Some(attr) = attr {
            term.terminal_attribute(attr);
        }
    }
}

/// Takes everything back.
pub(super) fn reset<T: EventListener>(term: &mut Term<T>) {
    term.terminal_attribute(Attr::Reset);
}

fn first(param: &[u16]) -> u16 {
    param.first().copied().unwrap_or(0)
}

/// What colons attach: `5:n`, `2:r:g:b`, or with a colour space `2::r:g:b`.
fn grouped(subs: &[u16]) -> Option<RawColor> {
    match subs {
        [2, _, r, g, b, ..] => colour(&mut [2, *r, *g, *b].into_iter()),
        _ => colour(&mut subs.iter().copied()),
    }
}

fn colour(numbers: &mut dyn Iterator<Item = u16>) -> Option<RawColor> {
    let mode = numbers.next()?;
    let mut byte = || u8::try_from(numbers.next()?).ok();
    match mode {
        5 => byte().map(RawColor::Indexed),
        2 => {
            let (r, g, b) = (byte()?, byte()?, byte()?);
            Some(RawColor::Spec(Rgb { r, g, b }))
        }
        _ => None,
    }
}

fn coloured(role: u16, colour: Option<RawColor>) -> Option<Attr> {
    match (role, colour) {
        (38, Some(colour)) => Some(Attr::Foreground(colour)),
        (48, Some(colour)) => Some(Attr::Background(colour)),
        (58, colour) => Some(Attr::UnderlineColor(colour)),
        _ => None,
    }
}

fn underline(kind: u16) -> Option<Attr> {
    Some(match kind {
        0 => Attr::CancelUnderline,
        1 => Attr::Underline,
        2 => Attr::DoubleUnderline,
        3 => Attr::Undercurl,
        4 => Attr::DottedUnderline,
        5 => Attr::DashedUnderline,
        _ => return None,
    })
}

fn attribute(code: u16) -> Option<Attr> {
    let low = |base: u16| RawColor::Indexed(u8::try_from(code - base).unwrap_or(0));
    Some(match code {
        0 => Attr::Reset,
        1 => Attr::Bold,
        2 => Attr::Dim,
        3 => Attr::Italic,
        4 => Attr::Underline,
        7 => Attr::Reverse,
        8 => Attr::Hidden,
        9 => Attr::Strike,
        21 => Attr::DoubleUnderline,
        22 => Attr::CancelBoldDim,
        23 => Attr::CancelItalic,
        24 => Attr::CancelUnderline,
        27 => Attr::CancelReverse,
        28 => Attr::CancelHidden,
        29 => Attr::CancelStrike,
        30..=37 => Attr::Foreground(low(30)),
        39 => Attr::Foreground(RawColor::Named(NamedColor::Foreground)),
        40..=47 => Attr::Background(low(40)),
        49 => Attr::Background(RawColor::Named(NamedColor::Background)),
        59 => Attr::UnderlineColor(None),
        90..=97 => Attr::Foreground(low(82)),
        100..=107 => Attr::Background(low(92)),
        // Blinking, fonts, frames, overlines.
        _ => return None,
    })
}
