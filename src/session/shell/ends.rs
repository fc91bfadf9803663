//! The ways in which a shell ends, in words (protocols.md 6.2 to 6.5, 9.1).

use crate::codec::shell::{Dialect, Place, shown};
use crate::model::shell::ShellExit;
use crate::model::{Fault, FaultKind};
use crate::say;
use crate::text::SafeText;
use crate::word;

use super::Loss;

/// Of a server's words no more is shown.
const QUOTE: usize = 300;

fn fault(kind: FaultKind, why: impl Into<String>, next: &str) -> ShellExit {
    ShellExit::Fault(Fault::new(kind, word!("the shell", "终端"), why, next))
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
            word!(
                "the server's first message is empty",
                "服务端的第一条消息为空"
            ),
            word!(
                "say who it is with --dialect",
                "请用 --dialect 指明服务端类型"
            ),
        ),
        (Place::Platform(_), Some(first)) if !first.is_ascii_digit() => {
            last_words(message, place, false)
        }
        (_, Some(_)) => {
            let why = say!(
                "the server's first message is of no known dialect: {:?}",
                "服务端的第一条消息不属于任何已知协议：{:?}",
                quoted(message).as_str()
            );
            fault(
                FaultKind::Protocol,
                why,
                word!(
                    "check the address, or say who it is with --dialect",
                    "请检查地址，或用 --dialect 指明服务端类型"
                ),
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
            word!("the server sent an empty message", "服务端发来空消息").to_owned()
        } else {
            say!("the server says: {said}", "服务端消息：{said}")
        };
        return fault(
            FaultKind::Protocol,
            why,
            word!("look at the server's log", "请查看服务端日志"),
        );
    }
    let (kind, next) = match said.as_str() {
        // It says so when the shell has simply ended, too.
        "run tty failure!" if wrote => {
            return ShellExit::Exited {
                failed: false,
                words: said,
            };
        }
        "run tty failure!" => (
            FaultKind::Lost,
            word!(
                "look at the pod: it may have ended",
                "请检查实例 (Pod)：它可能已结束"
            ),
        ),
        "Auth is not allowed!" => (
            FaultKind::Denied,
            word!(
                "check the three ids behind #: tenant, service, pod",
                "请检查 # 后的三个 ID：团队（租户）、组件、实例 (Pod)"
            ),
        ),
        "pod name can not be empty" => (
            FaultKind::NotFound,
            word!(
                "write the pod's name behind #",
                "请在 # 后写实例 (Pod) 的名称"
            ),
        ),
        "Get default container name failure!" => (
            FaultKind::NotFound,
            word!(
                "check the pod's and the container's name, and the namespace (?namespace=): no running pod is called so",
                "请检查实例 (Pod) 名、容器名和命名空间 (?namespace=)：没有这个名称的运行中实例"
            ),
        ),
        "Container is not ready, please try again later!" => (
            FaultKind::Unreachable,
            word!(
                "wait until the pod runs, then try again",
                "请等实例 (Pod) 运行后再试"
            ),
        ),
        "open tty failure!" => (
            FaultKind::NotFound,
            word!(
                "the image may have no /bin/sh; ?debug=true opens a toolbox container beside it",
                "镜像中可能没有 /bin/sh；?debug=true 会在旁边打开工具容器"
            ),
        ),
        _ => (
            FaultKind::Protocol,
            word!("look at the platform's log", "请查看平台日志"),
        ),
    };
    fault(
        kind,
        say!("the platform says: {said}", "平台消息：{said}"),
        next,
    )
}

/// Output that can't be read: what it held is missing, so the screen can't be trusted any more.
pub(super) fn malformed(bytes: usize) -> ShellExit {
    let why = say!(
        "a frame of {bytes} bytes holds malformed base64; its output is missing",
        "一个 {bytes} 字节的帧含有错误的 base64；其输出已丢失"
    );
    fault(
        FaultKind::Protocol,
        why,
        word!(
            "open a new shell; if it happens again, say who it is with --dialect",
            "请新开终端；若再次出现，请用 --dialect 指明服务端类型"
        ),
    )
}

/// A frame that this dialect does not have.
pub(super) fn foreign(kind: u8, dialect: &Dialect) -> ShellExit {
    let why = say!(
        "the server sent a frame of type {:?}, which {} does not have: it speaks another dialect",
        "服务端发来类型为 {:?} 的帧，不属于此协议（{}）：它使用的是另一种协议",
        char::from(kind),
        shown(dialect.server)
    );
    fault(
        FaultKind::Protocol,
        why,
        word!(
            "open a new shell, and say who it is with --dialect",
            "请新开终端，并用 --dialect 指明服务端类型"
        ),
    )
}

/// No pong in time.
pub(super) fn silent(dialect: &Dialect) -> ShellExit {
    let why = if dialect.closes {
        word!(
            "the server has not answered for 35 s",
            "服务端已 35 s 没有应答"
        )
    } else {
        word!(
            "nothing answers any more: the shell has ended, or the server is gone (the platform does not tell)",
            "已没有任何应答：终端已结束，或服务端已消失（平台不会告知）"
        )
    };
    ShellExit::Lost(SafeText::of(why).into_owned())
}

/// The connection ended before the server said anything.
pub(super) fn before_a_word(loss: &Loss, place: &Place, with_token: bool) -> ShellExit {
    let denied = loss.code == Some(1008) || loss.code.is_none() && loss.orderly;
    match place {
        Place::Pages { .. } if denied && with_token => fault(
            FaultKind::Denied,
            word!(
                "the server closed the connection at the first message: it does not accept the password",
                "服务端收到第一条消息就关闭了连接：它不接受此密码"
            ),
            word!("check user and password", "请检查用户名和密码"),
        ),
        Place::Pages { .. } if denied => fault(
            FaultKind::Denied,
            word!(
                "the server closed the connection at the first message, as it does when it does not accept the password",
                "服务端收到第一条消息就关闭了连接，通常表示它不接受密码"
            ),
            word!(
                "write user@ before the host and give the password with --password-file",
                "请在主机前写 user@，并用 --password-file 提供密码"
            ),
        ),
        Place::Platform(_) if loss.orderly && loss.code.is_none() => fault(
            FaultKind::Lost,
            say!("{} without a word", "{}，没有任何消息", loss.why),
            word!(
                "check the ids behind #, and look at the platform's log",
                "请检查 # 后的 ID，并查看平台日志"
            ),
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
            word!(
                "the server does not accept the password",
                "服务端不接受此密码"
            ),
            word!("check user and password", "请检查用户名和密码"),
        ),
        _ => ShellExit::Lost(SafeText::of(&loss.why).into_owned()),
    }
}
