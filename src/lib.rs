//! `deckwatch`: live logs and shells of a container platform (Rainbond), side by side in the
//! terminal and in scripts.
//!
//! The rule of the house: bytes become meaning in pure code, sockets live in one folder, only
//! one function changes the state, and drawing can change nothing. `tests/architecture.rs`
//! holds the layers to it.
//!
//! | room | what lives there | may use |
//! |---|---|---|
//! | [`lang`] | the two languages of our own texts | nothing |
//! | [`pages`] | vectors in memory of their own | nothing |
//! | [`text`] | untrusted bytes → [`text::SafeText`]; widths; secrets | `pages` |
//! | [`model`] | the nouns: lines, marks, faults, states | `text` |
//! | [`codec`] | bytes ⇄ meaning: frames, envelopes, layouts, targets | `text`, `model` |
//! | [`session`] | protocol state machines without sockets or clocks | … `codec` |
//! | [`store`] | bounded memory of lines; filters and scans | `pages`, `text`, `model` |
//! | [`term`] | a shell tab's terminal: emulator, keys, recordings | `text`, `model` |
//! | [`transport`] | sockets, TLS, proxies, HTTP; deadlines, limits; ZeroMQ's guard | … `codec` |
//! | [`platform`] | the console's and the region's REST: who we are, what runs there | … `transport` |
//! | [`source`] | the tasks that drive a session over a connection | … `session`, `platform` |
//! | [`app`] | what is on the screen, as state; the commands | … `codec`, `store` |
//! | [`view`] | painting | … `app`, by reference |
//! | [`cli`] | what was typed, and what is meant by it | … `codec` |
//! | [`doctor`] | what stands in the way of a target | … `session`, `transport`, `platform` |
//! | [`follow`] | headless mode | … `source`, `cli` |
//! | [`attach`] | a shell without the interface | … `source`, `cli`, `term` |
//! | [`demo`] | the embedded platform; shares no code with our connections | `model`, `clock` |
//! | [`runtime`] | the imperative shell: terminal, signals, loop | everything |
//! | [`clock`] | the only reader of clocks | |
//!
//! A line's way: `transport::ws` → `source::drive` → `session::log` (`codec::docker_log`) →
//! `source::outlet` (bounded, counted) → `model::LineBatch::refine` (`text::sanitise`, on the
//! source's thread) → `app::App::update` → `app::pane` → `store::log` → `view::log_view`; or →
//! `follow::run` → `follow::printer` → `follow::sink`.
//!
//! A key's way: `runtime::input` → `app::App::update` → `app::keymap` → a row of
//! `app::command` → state, and wishes that `runtime::perform` carries out.
//!
//! A key's way into a container: `runtime::input` → `app::App::update` → `app::shells::typing`
//! (`term::keys`) → a wish → `runtime::shells` → `source::shell` → `session::shell`
//! (`codec::shell`) → `transport::ws`. Its echo's way back: `transport::ws` → `session::shell` →
//! `source::shell` (a bounded queue that pushes back) → `runtime::shells` (recorded) →
//! `app::shell` → `term::screen` → `view::grid_view`.
//!
//! A component's way: a name on the command line (`codec::name`) → `runtime::setup` →
//! `platform::resolve` (`platform::ask`, `codec::rest`) → a place in a target →
//! `source::component`, which looks for pods → `source::pod`, one for each (`transport::http`,
//! `codec::sse`, `session::pod`) → `source::outlet`, as any line.
//!
//! A measurement's way: `app::chart` says what it wants (`app::measure`) → a wish →
//! `runtime::measure`, a task for each pane → `platform::measure` (`codec::promql`,
//! `codec::prometheus`) → `app::chart::panel` → `store::series` → `view::chart_view`.
//!
//! # Decisions
//!
//! - 2026-11-24: `source::outlet` queues batches as they came and sanitises just before sending,
//!   so that dropped lines cost nothing.
//! - 2026-11-24: the `zeromq` crate binds a local socket in a private directory and the guard
//!   connects to it, once for each connection of ours; the crate's own reconnecting, which has
//!   no time limit, never starts.
//! - 2026-11-24: an event's line is its message, its source the step; the whole frame is kept
//!   beside it (`raw` prints it, JSON carries it, the record shows it).
//! - 2026-11-24: a shell has a driver of its own, `source::shell`: it never drops and never
//!   reconnects by itself, where a log's does both.
//! - 2026-11-24: panes with shells stand beside those with lines (`App::shells`, `App::panes`):
//!   what acts on lines finds none in a shell, and nothing has to ask which kind it is.
//! - 2026-11-24: follow mode writes on a thread of its own, so that a blocked pipe can't keep
//!   signals and sockets waiting.
//! - 2026-11-24: a shell's grid is `alacritty_terminal`'s, behind `term::screen` alone; what a
//!   sequence means is decided there too, since the library's own reading of them answers,
//!   stores and repeats without bounds, and moves the cursor otherwise than xterm.
//! - 2026-11-24: HTTP is `hyper` over the dialling that WebSockets have, not `reqwest`: one TLS,
//!   one set of proxies, one set of words for what goes wrong.
//! - 2026-11-24: both languages of a text stand where it is said (`say!`), so that none can be
//!   missing; only the command line's help has a table, since clap has its texts.
//! - 2026-11-24: a pod's lines are aligned by the container's own time stamps.
//! - 2026-11-28: a WebSocket's replays have none: they are laid over what was given out
//!   (`session::align`), and held for that until they are over. Few different lines have no order
//!   that tells them apart: all that may be old is left out, and the mark says how much.
//! - 2026-11-28: charts ask as the tree does, by wishes that are answered by messages: what to ask
//!   for and when is state without a clock, and a test answers as it likes.
//! - 2026-11-28: the axis of time is the server's: its clock is measured by the `Date` of its
//!   answers, and what has no time but its arrival is put where the server's clock was then.
//! - 2026-11-28: a range of time filters lines by where they stand, from the first one of the
//!   range to the last: their order is that of arrival (decision 8), and nothing is read twice.
//! - 2026-11-28: where a step is coarser than 15 s the server is asked for peaks
//!   (`max_over_time` over a subquery), plainly where it can't do that: a spike must not vanish.

pub mod app;
pub mod attach;
pub mod cli;
pub mod clock;
pub mod codec;
pub mod demo;
pub mod doctor;
pub mod follow;
pub mod lang;
pub mod model;
pub mod pages;
pub mod platform;
pub mod runtime;
pub mod session;
pub mod source;
pub mod store;
pub mod term;
pub mod text;
pub mod transport;
pub mod view;
