//! The ways in which a shell ends, in words (protocols.md 6.2 to 6.5, 9.1).

use crate::codec::shell::{Dialect, Place};
use crate::model::shell::ShellExit;
use crate::model::{Fault, FaultKind};
use crate::text::SafeText;

use super::Loss;

/// Of a server's words no more is shown.
const QUOTE: usize = 300;

fn fault(kind: FaultKind, why: impl Into<String>, next: &str) -> ShellExit {
    ShellExit::Fault(Fault::new(kind, "the shell", why, next))
}

fn quoted(words: &[u8]) -> SafeText<'static> {
    let words = words.get(..QUOTE).unwrap_or(words);
    SafeText::new(words.trim_ascii()).into_owned()
}

/// The server's first message is no frame of any dialect.
pub(super) fn refused(message: &[u8], place: &Place) -> ShellExit {
    match (place, message.first()) {
        (_, None) => fault(
            FaultKind::Protocol,
            "the server's first message is empty",
            "say who it is with --dialect",
        ),
        (Place::Platform(_), Some(first)) if !first.is_ascii_digit() => {
            last_words(message, place, false)
        }
        (_, Some(_)) => {
            let why = format!(
                "the server's first message is of no known dialect: {:?}",
                quoted(message).as_str()
            );
            fault(
                FaultKind::Protocol,
                why,
                "check the address, or say who it is with --dialect",
            )
        }
    }
}

/// Words instead of a frame: the platform's errors (6.4). `wrote` tells whether the shell had
/// written anything.
pub(super) fn last_words(words: &[u8], place: &Place, wrote: bool) -> ShellExit {
    let said = quoted(words);
    if matches!(place, Place::Pages { .. }) {
        let why = if said.as_str().is_empty() {
            "the server sent an empty message".to_owned()
        } else {
            format!("the server says: {said}")
        };
        return fault(FaultKind::Protocol, why, "look at the server's log");
    }
    let (kind, next) = match said.as_str() {
        // It says so when the shell has simply ended, too.
        "run tty failure!" if wrote => {
            return ShellExit::Exited {
                failed: false,
                words: said,
            };
        }
        "run tty failure!" => (FaultKind::Lost, "look at the pod: it may have ended"),
        "Auth is not allowed!" => (
            FaultKind::Denied,
            "check the three ids behind #: tenant, service, pod",
        ),
        "pod name can not be empty" => (FaultKind::NotFound, "write the pod's name behind #"),
        "Get default container name failure!" => (
            FaultKind::NotFound,
            "check the pod's and the container's name, and the namespace (?namespace=): no running pod is called so",
        ),
        "Container is not ready, please try again later!" => (
            FaultKind::Unreachable,
            "wait until the pod runs, then try again",
        ),
        "open tty failure!" => (
            FaultKind::NotFound,
            "the image may have no /bin/sh; ?debug=true opens a toolbox container beside it",
        ),
        _ => (FaultKind::Protocol, "look at the platform's log"),
    };
    fault(kind, format!("the platform says: {said}"), next)
}

/// Output that can't be read: what it held is missing, so the screen can't be trusted any more.
pub(super) fn malformed(bytes: usize) -> ShellExit {
    let why = format!("a frame of {bytes} bytes holds malformed base64; its output is missing");
    fault(
        FaultKind::Protocol,
        why,
        "open a new shell; if it happens again, say who it is with --dialect",
    )
}

/// A frame that this dialect does not have.
pub(super) fn foreign(kind: u8, dialect: &Dialect) -> ShellExit {
    let why = format!(
        "the server sent a frame of type {:?}, which {} does not have: it speaks another dialect",
        char::from(kind),
        dialect.server
    );
    fault(
        FaultKind::Protocol,
        why,
        "open a new shell, and say who it is with --dialect",
    )
}

/// No pong in time.
pub(super) fn silent(dialect: &Dialect) -> ShellExit {
    let why = if dialect.closes {
        "the server has not answered for 35 s"
    } else {
        "nothing answers any more: the shell has ended, or the server is gone (the platform does not tell)"
    };
    ShellExit::Lost(SafeText::of(why).into_owned())
}

/// The connection ended before the server said anything.
pub(super) fn before_a_word(loss: &Loss, place: &Place, with_token: bool) -> ShellExit {
    let denied = loss.code == Some(1008) || loss.code.is_none() && loss.orderly;
    match place {
        Place::Pages { .. } if denied && with_token => fault(
            FaultKind::Denied,
            "the server closed the connection at the first message: it does not accept the password",
            "check user and password",
        ),
        Place::Pages { .. } if denied => fault(
            FaultKind::Denied,
            "the server closed the connection at the first message, as it does when it does not accept the password",
            "write user@ before the host and give the password with --password-file",
        ),
        Place::Platform(_) if loss.orderly && loss.code.is_none() => fault(
            FaultKind::Lost,
            format!("{} without a word", loss.why),
            "check the ids behind #, and look at the platform's log",
        ),
        _ => ShellExit::Lost(SafeText::of(&loss.why).into_owned()),
    }
}

/// The connection ended in the midst: mostly a shell's exit, and told without a close frame
/// (9.1 no. 3).
pub(super) fn connection(loss: &Loss, dialect: &Dialect) -> ShellExit {
    let words = SafeText::of("").into_owned();
    match loss.code {
        // ttyd puts 1006 on the wire when the status was not 0.
        Some(1006) => ShellExit::Exited {
            failed: true,
            words,
        },
        Some(1000) | None if loss.orderly && dialect.closes => ShellExit::Exited {
            failed: false,
            words,
        },
        Some(1008) => fault(
            FaultKind::Denied,
            "the server does not accept the password",
            "check user and password",
        ),
        _ => ShellExit::Lost(SafeText::of(&loss.why).into_owned()),
    }
}
