//! What a shell's source tells the program. Its bytes are a terminal's, never lines; they are
//! handed on whole and in order.

use bytes::Bytes;

use crate::lang::{Words, words};
use crate::text::SafeText;

use super::fault::Fault;

/// One message from a shell's source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ShellUpdate {
    /// Not there yet; what is being done or waited for.
    Opening(SafeText<'static>),
    /// Keys are taken from now on, by a shell behind this kind of server.
    Ready(&'static str),
    /// What the program wrote.
    Output(Bytes),
    /// The screen has this size, in columns and rows, whatever ours is: a recording's.
    Sized(u16, u16),
    /// The server's title for it; cleaned, at most 80 columns.
    Title(SafeText<'static>),
    /// The server does not answer, or does again.
    Stale(bool),
    /// So many typed bytes wait to be sent; told while a long paste goes out.
    Queued(usize),
    /// So many typed bytes were not sent, because the user stopped them.
    Stopped(usize),
    /// So many typed bytes could not be sent: this server takes UTF-8 alone.
    Refused(u64),
    /// It is over.
    Ended(ShellEnd),
}

/// How a shell ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShellEnd {
    /// Why.
    pub how: ShellExit,
    /// Typed bytes that were never sent.
    pub unsent: usize,
    /// Typed bytes that were sent, and of which the server has not said that it took them.
    pub unconfirmed: usize,
}

/// Why a shell ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ShellExit {
    /// The program ended; what the server said about it, if anything.
    Exited {
        /// The server says that it failed. No protocol here tells its status.
        failed: bool,
        /// The server's last words.
        words: SafeText<'static>,
    },
    /// We closed it.
    Closed,
    /// The connection was lost.
    Lost(SafeText<'static>),
    /// It can't be had, or not go on.
    Fault(Fault),
}

/// What is said before anything is typed into a shell that everybody on the way can read.
pub const EXPOSED: Words = words(
    "this connection is not encrypted: anyone on the way can read the session, and with the ids in it open a shell of their own",
    "此连接未加密：沿途任何人都能读到会话内容，并用其中的 ID 自行打开终端",
);
