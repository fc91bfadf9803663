//! L0: untrusted bytes become text that may be shown. Nothing here knows a protocol, a
//! terminal library or a clock.
//!
//! [`SafeText`] is the only text that the views and the printers accept, and the sanitiser is
//! the only thing that makes it.

pub mod glob;
pub mod glyph;
mod page;
pub mod palette;
pub mod redact;
pub mod safe;
pub mod sanitise;
mod sgr;
pub mod spark;
pub mod width;

pub use page::SafePage;
pub use redact::{SafeUrl, Secret, redact_url};
pub use safe::{Attrs, Ink, SafeArena, SafeText, StyleRun, TextStyle, floor_boundary};
