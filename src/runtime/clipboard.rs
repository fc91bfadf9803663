//! Copying and notifying: OSC 52 and OSC 9 to the outer terminal, wrapped for tmux and screen and limited in size;
//! else to a file.

use std::io::Write;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::cli::plan::Multiplexer;
use crate::text::SafeText;

/// Longer sequences are cut off or ignored by terminals (experience.md E).
const LIMIT: usize = 74_994;
/// screen takes no longer string at once.
const SCREEN_PIECE: usize = 700;
/// A notification is no longer than this, in characters.
const NOTICE: usize = 200;

/// The sequence that puts `text` into the clipboard; nothing if it is too long.
pub fn sequence(text: &str, through: Multiplexer) -> Option<Vec<u8>> {
    let payload = STANDARD.encode(text);
    if payload.len() > LIMIT {
        return None;
    }
    let bare = format!("\x1b]52;c;{payload}\x07");
    // tmux takes the bare one with set-clipboard on, and hands the wrapped one through with
    // allow-passthrough on; either is ignored otherwise.
    let mut out = match through {
        Multiplexer::Tmux => bare.clone().into_bytes(),
        Multiplexer::None | Multiplexer::Screen => Vec::new(),
    };
    out.extend(wrapped(&bare, through));
    Some(out)
}

/// The sequence that has the terminal notify its user (OSC 9), of one sanitised line.
pub fn notification(text: &str, through: Multiplexer) -> Vec<u8> {
    let text: String = SafeText::of(text).as_str().chars().take(NOTICE).collect();
    wrapped(&format!("\x1b]9;{text}\x07"), through)
}

/// A sequence for the outer terminal, through what stands between.
fn wrapped(bare: &str, through: Multiplexer) -> Vec<u8> {
    match through {
        Multiplexer::None => bare.as_bytes().to_vec(),
        Multiplexer::Tmux => {
            let doubled = bare.replace('\x1b', "\x1b\x1b");
            format!("\x1bPtmux;{doubled}\x1b\\").into_bytes()
        }
        Multiplexer::Screen => {
            let mut out = Vec::new();
            for piece in bare.as_bytes().chunks(SCREEN_PIECE) {
                out.extend_from_slice(b"\x1bP");
                out.extend_from_slice(piece);
                out.extend_from_slice(b"\x1b\\");
            }
            out
        }
    }
}

/// Writes `text` to a new file in the temporary directory; gives its name.
pub fn to_file(text: &str) -> std::io::Result<String> {
    let mut file = tempfile::Builder::new()
        .prefix("deckwatch-copy-")
        .suffix(".txt")
        .tempfile()?;
    file.write_all(text.as_bytes())?;
    let (_, path) = file.keep().map_err(|error| error.error)?;
    Ok(path.display().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::term::screen::Told;

    #[test]
    fn a_notification_holds_one_line_and_no_sequence() {
        let sent = |through| notification("a\x1b]0;x\x07\nb", through);
        let bare = String::from_utf8(sent(Multiplexer::None)).unwrap();
        assert!(
            bare.starts_with("\x1b]9;a") && bare.ends_with("b\x07"),
            "{bare:?}"
        );
        assert_eq!(bare.matches(char::is_control).count(), 2, "{bare:?}");
        assert!(sent(Multiplexer::Tmux).starts_with(b"\x1bPtmux;\x1b\x1b]9;"));
        assert!(sent(Multiplexer::Screen).ends_with(b"\x1b\\"));
    }

    #[test]
    fn the_sequence_is_wrapped_for_what_stands_between() {
        assert_eq!(
            sequence("hi", Multiplexer::None).unwrap(),
            b"\x1b]52;c;aGk=\x07"
        );
        assert_eq!(
            sequence("hi", Multiplexer::Tmux).unwrap(),
            b"\x1b]52;c;aGk=\x07\x1bPtmux;\x1b\x1b]52;c;aGk=\x07\x1b\\"
        );
        assert_eq!(
            sequence("hi", Multiplexer::Screen).unwrap(),
            b"\x1bP\x1b]52;c;aGk=\x07\x1b\\"
        );
        let long = "x".repeat(2000);
        let wrapped = sequence(&long, Multiplexer::Screen).unwrap();
        assert!(
            wrapped
                .split(|byte| *byte == b'\\')
                .all(|piece| piece.len() <= SCREEN_PIECE + 4)
        );
        assert!(sequence(&"x".repeat(LIMIT), Multiplexer::None).is_none());
    }

    #[test]
    fn what_a_program_puts_into_the_clipboard_never_needs_a_file() {
        let most = "x".repeat(Told::CLIPBOARD);
        assert!(sequence(&most, Multiplexer::None).is_some());
    }
}
