//! What went wrong, in three parts: the thing, the reason, the next step.

use crate::word;

use std::fmt;

/// What kind of fault it is; decides the exit code (experience.md D3, decision 6).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FaultKind {
    /// The command line, a theme, a regex, a file name: exit 2.
    Usage,
    /// No such path or id: exit 3.
    NotFound,
    /// The server wants to know who we are, or forbids it: exit 4.
    Denied,
    /// DNS, TCP, TLS, refused upgrade: exit 5.
    Unreachable,
    /// The stream was lost and did not come back: exit 6.
    Lost,
    /// The peer sent what we cannot read: exit 7.
    Protocol,
    /// What was waited for did not come in time: exit 124.
    TimedOut,
    /// Writing our own output failed: exit 74.
    Output,
    /// A defect of ours: exit 70.
    Internal,
}

impl FaultKind {
    /// The process exit code.
    pub fn exit_code(self) -> u8 {
        match self {
            Self::Usage => 2,
            Self::NotFound => 3,
            Self::Denied => 4,
            Self::Unreachable => 5,
            Self::Lost => 6,
            Self::Protocol => 7,
            Self::Internal => 70,
            Self::TimedOut => 124,
            Self::Output => 74,
        }
    }
}

/// A fault that a user is told of: `what: why; next`. The parts may hold foreign bytes; they
/// are sanitised when they are shown.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Fault {
    /// Its kind.
    pub kind: FaultKind,
    /// The thing: a target, a file, a flag.
    pub what: String,
    /// What happened.
    pub why: String,
    /// What the user can do.
    pub next: String,
}

impl Fault {
    /// A fault with all its parts.
    pub fn new(
        kind: FaultKind,
        what: impl Into<String>,
        why: impl Into<String>,
        next: impl Into<String>,
    ) -> Self {
        Self {
            kind,
            what: what.into(),
            why: why.into(),
            next: next.into(),
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (colon, semicolon) = (word!(": ", "："), word!("; ", "；"));
        write!(f, "{}{colon}{}", self.what, self.why)?;
        if self.next.is_empty() {
            Ok(())
        } else {
            write!(f, "{semicolon}{}", self.next)
        }
    }
}

impl std::error::Error for Fault {}
