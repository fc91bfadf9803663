//! What a shell server is asked to do otherwise: older, stricter, slower or ill.

use std::time::Duration;

/// The texts by which the platform refuses or ends a shell (protocols.md 6.4): plain text, no
/// type byte.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ShellError {
    /// No pod was named, or the first message is no JSON.
    EmptyPod,
    /// The sum is wrong.
    Auth,
    /// No such pod or container, or one that has ended.
    Container,
    /// The container did not start in time.
    NotReady,
    /// The container has no shell.
    OpenTty,
    /// The shell has ended, or a message could not be understood.
    RunTty,
}

impl ShellError {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::EmptyPod,
        Self::Auth,
        Self::Container,
        Self::NotReady,
        Self::OpenTty,
        Self::RunTty,
    ];

    /// The words on the wire.
    pub fn text(self) -> &'static str {
        match self {
            Self::EmptyPod => "pod name can not be empty",
            Self::Auth => "Auth is not allowed!",
            Self::Container => "Get default container name failure!",
            Self::NotReady => "Container is not ready, please try again later!",
            Self::OpenTty => "open tty failure!",
            Self::RunTty => "run tty failure!",
        }
    }

    /// Whether TCP ends after it; after the others it stays open and mute (protocols.md 9.1.4).
    pub fn closes(self) -> bool {
        matches!(self, Self::EmptyPod | Self::Auth)
    }
}

/// What a shell server does wrong, once on each connection, before its next output.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ShellIll {
    /// An output frame whose base64 cannot be decoded; from ttyd, which has none, a frame of a
    /// type that does not exist.
    BadBase64,
    /// An output frame as a server of the other numbering sends it; from ttyd, as text.
    Foreign,
    /// A text frame of 64 MiB.
    Huge,
    /// 100,000 titles, each another.
    TitleFlood,
    /// Output that begins a title and never ends it; what follows is swallowed by whoever waits.
    OpenEscape,
    /// An empty message.
    Empty,
}

impl ShellIll {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::BadBase64,
        Self::Foreign,
        Self::Huge,
        Self::TitleFlood,
        Self::OpenEscape,
        Self::Empty,
    ];
}

/// How the shell servers behave. All of it can be changed while they run.
/// [`Switches::pings`](super::super::Switches::pings) and
/// [`Switches::fragment`](super::super::Switches::fragment) hold for them too.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ShellSwitches {
    /// `/docker_console` speaks platform A, the numbering until V5.1 (protocols.md 6.3).
    pub v1_numbering: bool,
    /// Input is ignored without a word (protocols.md 9.1.12); the platform's own never was.
    pub read_only: bool,
    /// `arg` in `Arguments` or in the query is taken (protocols.md 6.2); the platform takes none.
    pub permit_arguments: bool,
    /// The `GoTTYs` tell the client to come back after so many seconds.
    pub reconnect: Option<u32>,
    /// So many connections at a time; the next is refused as each server does (protocols.md
    /// 9.1.7). The platform has no limit.
    pub max_connections: Option<u32>,
    /// One connection in a server's life.
    pub once: bool,
    /// `/docker_console` answers this to every first message.
    pub error: Option<ShellError>,
    /// Pods become ready this long after they are asked for; nothing is said meanwhile.
    pub ready_after: Duration,
    /// How long `/docker_console` waits for a pod before it gives up (protocols.md 6.4).
    pub patience: Duration,
    /// Time before the first frame.
    pub delay: Duration,
    /// The first message is never answered.
    pub silent: bool,
    /// Whether the protocol's pings are answered; of ttyd, which has none, WebSocket's.
    pub pongs: bool,
    /// Each output message carries one byte of the shell's.
    pub split_output: bool,
    /// ttyd ends with a close frame: 1000, or the illegal 1006 if the shell failed (protocols.md
    /// 6.5). The build that was recorded just closes TCP (9.1.3).
    pub close_frames: bool,
    /// TCP ends without a close frame after so many bytes of input on a connection; those before
    /// have reached the shell.
    pub end_after: Option<u64>,
    /// The same by a reset.
    pub reset_after: Option<u64>,
    /// Something ill.
    pub ill: Option<ShellIll>,
}

impl Default for ShellSwitches {
    fn default() -> Self {
        Self {
            v1_numbering: false,
            read_only: false,
            permit_arguments: false,
            reconnect: None,
            max_connections: None,
            once: false,
            error: None,
            ready_after: Duration::ZERO,
            patience: Duration::from_secs(30),
            delay: Duration::ZERO,
            silent: false,
            pongs: true,
            split_output: false,
            close_frames: false,
            end_after: None,
            reset_after: None,
            ill: None,
        }
    }
}
