//! How serious a line is. A line that does not say has none.

/// Severity, ascending.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default, Hash)]
#[repr(u8)]
pub enum Level {
    /// The line does not say.
    #[default]
    None = 0,
    /// TRACE and DEBUG.
    Debug = 1,
    /// INFO and NOTICE.
    Info = 2,
    /// WARN.
    Warn = 3,
    /// ERROR and worse.
    Error = 4,
}

impl Level {
    /// All of them, ascending.
    pub const ALL: [Self; 5] = [Self::None, Self::Debug, Self::Info, Self::Warn, Self::Error];

    /// Its name in lower case; `none` for a line that does not say.
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Debug => "debug",
            Self::Info => "info",
            Self::Warn => "warn",
            Self::Error => "error",
        }
    }
}
