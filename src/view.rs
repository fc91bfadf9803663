//! L5: pure painting. Everything here borrows the state and writes cells; nothing is stored,
//! and nothing is learnt by drawing.
//!
//! ```text
//! ┌ title ───────────────── state ┐│┌ title ───────────────── state ┐
//! │▎12:00:01 source text          │││▎text                          │
//! │▎…                             │││▎…                             │
//! └ live · 23/s · 1,204 shown … ──┘│└ live · 1/s · 80 shown … ──────┘
//! prompt, notice, or the keys that matter now
//! ```

mod bottom_view;
mod canvas;
mod chart_view;
mod confirm_view;
mod details_view;
pub mod grid_view;
mod help_view;
mod jump_view;
mod layers_view;
mod log_view;
mod overview_view;
mod paint;
mod pane_view;
mod record_view;
mod root;
mod scale;
mod shell_view;
mod status_view;
mod table_view;
mod tabs_view;
pub mod theme;
mod tree_view;
mod volume_view;

pub use root::render;
pub use theme::Theme;
