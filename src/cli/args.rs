//! Exactly what was typed (experience.md D3). Nothing is looked up here.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Parser, Subcommand, ValueEnum};

use crate::codec::shell::Dialect;
use crate::model::alert::Alert;

use super::platform_args::{
    ConfigCommand, ContextCommand, DoctorArgs, GetArgs, LoginArgs, PlatformArgs, TopArgs,
};
use super::units;

pub(super) const ABOUT: &str = "\
Live logs of a container platform and shells in its containers, side by side in the terminal, or
for scripts.

TARGET is one of
  TEAM/APP/COMPONENT[/POD[/CONTAINER]]           by name, of the current context (deckwatch context);
                                                 CONTEXT:TEAM@REGION/…, * and ?, re:REGEX
  ws://HOST:6060/docker_log#SERVICE_ID           a component's log
  ws://HOST:6060/event_log#EVENT_ID              an event (a build, a deploy)
  ws://HOST/services/ID/pubsub#l-ID,e-EVENT      channels: l log, m monitor, s both, e event
  ws://HOST:6060/new_monitor_message#SERVICE_ID  request analysis, a table
  ws://HOST:6060/websocket#TOPIC                 mpush
  tcp://HOST:9242#PREFIX                         ZeroMQ (?layout= ?bind=true ?service=)
  file:PATH  or  -                               lines of a file, or of standard input
  ws://HOST:6060/docker_console#TENANT_ID/SERVICE_ID/POD[/CONTAINER]
                                                 a container's shell (?namespace= ?debug=true)
  http://HOST:8080/                              a shell behind GoTTY or ttyd
wss:// and any path in front work alike; what stands behind # is never requested.
Quote targets: # and ? mean something to most shells.";

/// The command line as it was typed.
#[derive(Parser, Debug)]
#[command(
    name = "deckwatch",
    version,
    about = "Live logs and shells of a container platform, side by side in the terminal, or for scripts",
    long_about = ABOUT,
    after_help = "Try it without any server: deckwatch demo"
)]
pub struct Args {
    /// What to open in the interface
    #[arg(value_name = "TARGET")]
    pub targets: Vec<String>,
    /// The language of texts
    #[arg(
        help = "The language of texts: en or zh-CN; without it DECKWATCH_LANG says, else the locale",
        long,
        global = true,
        value_name = "LANG",
        display_order = 900
    )]
    pub lang: Option<String>,
    /// How the interface looks and behaves
    #[command(flatten)]
    pub view: ViewArgs,
    /// Which platform
    #[command(flatten)]
    pub platform: PlatformArgs,
    /// What to do instead of opening the interface
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// Flags of the interface.
#[derive(clap::Args, Debug, Clone, Default)]
pub struct ViewArgs {
    /// All targets in one merged pane, coloured by source
    #[arg(long)]
    pub merge: bool,
    /// A theme's name, or the path of a theme file
    #[arg(
        long,
        value_name = "NAME",
        env = "DECKWATCH_THEME",
        hide_env_values = true
    )]
    pub theme: Option<String>,
    /// Memory for all lines of all panes
    #[arg(long, value_name = "SIZE", value_parser = units::size, default_value = "256MiB", env = "DECKWATCH_BUFFER", hide_env_values = true)]
    pub buffer: usize,
    /// How bytes of lines are read
    #[arg(long, value_enum, default_value_t, value_name = "NAME")]
    pub encoding: EncodingName,
    /// Lines have a number, which this pattern finds (its group, if it has one): missing ones are told
    #[arg(long, value_name = "RE")]
    pub seq_regex: Option<String>,
    /// Open a view that was saved under this name with :view
    #[arg(id = "saved", long = "view", value_name = "NAME")]
    pub saved: Option<String>,
    /// Nothing that was open last comes back
    #[arg(long)]
    pub fresh: bool,
    /// Mouse wheel and click (Shift-drag still selects in the terminal)
    #[arg(long)]
    pub mouse: bool,
    /// Colours
    #[arg(
        help = "Colours: by NO_COLOR and the terminal, or as said",
        long,
        value_enum,
        default_value_t,
        value_name = "WHEN"
    )]
    pub color: When,
}

/// Everything but the interface.
#[derive(Subcommand, Debug)]
pub enum Command {
    /// Print lines; go on with -f
    Logs(Box<LogsArgs>),
    /// The same as logs -f
    Follow(Box<LogsArgs>),
    /// Wait until a line matches: logs -f -q --tail 0 --until-match RE
    Wait(WaitArgs),
    /// What the platform does with components: builds, deploys, restarts
    Events(Box<LogsArgs>),
    /// List what runs on a platform
    Get(GetArgs),
    /// What components use: CPU, memory, response time, requests, network
    Top(TopArgs),
    /// Find out what stands in the way of a target: name, network, proxy, TLS, login, protocol
    Doctor(DoctorArgs),
    /// Log in to a platform
    Login(LoginArgs),
    /// Forget a platform's token
    Logout {
        /// The context; the current one without
        name: Option<String>,
    },
    /// Platforms under names
    #[command(subcommand)]
    Context(ContextCommand),
    /// The configuration
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Print a script for your shell: names of targets are completed from the platform
    Completions {
        /// Which shell
        shell: clap_complete::aot::Shell,
    },
    /// Print the manual, or write its pages to a directory
    Man {
        /// Where the pages go; the main page is printed without
        dir: Option<PathBuf>,
    },
    /// Type into a container: a raw shell, or one command with --exec
    #[command(visible_alias = "attach")]
    Shell(ShellArgs),
    /// Show a recording of a shell (asciicast v2)
    Replay(ReplayArgs),
    /// Run a platform inside this process and look at it
    Demo(DemoArgs),
    /// Repair a terminal that a killed program left unusable
    ResetTerminal,
}

/// `logs`.
#[derive(clap::Args, Debug, Clone)]
pub struct LogsArgs {
    /// What to print
    #[arg(value_name = "TARGET", required = true)]
    pub targets: Vec<String>,
    /// Which lines
    #[command(flatten)]
    pub filter: FilterArgs,
    /// Where to and how
    #[command(flatten)]
    pub out: OutArgs,
    /// When to end
    #[command(flatten)]
    pub stop: StopArgs,
}

/// Which lines are printed.
#[derive(clap::Args, Debug, Clone, Default)]
#[command(next_help_heading = "Lines")]
pub struct FilterArgs {
    /// Go on after the history
    #[arg(short, long, overrides_with = "no_follow")]
    pub follow: bool,
    /// End after the history
    #[arg(long)]
    pub no_follow: bool,
    /// Of the history only the last N lines
    #[arg(long, value_name = "N|all", value_parser = units::tail)]
    pub tail: Option<units::Tail>,
    /// Only lines that match (may be repeated: all must)
    #[arg(
        short,
        long = "include",
        value_name = "RE",
        visible_short_alias = 'g',
        visible_alias = "grep"
    )]
    pub include: Vec<String>,
    /// No lines that match (may be repeated)
    #[arg(short, long = "exclude", value_name = "RE")]
    pub exclude: Vec<String>,
    /// Patterns are text, not regular expressions
    #[arg(short = 'F', long)]
    pub fixed_strings: bool,
    /// Patterns ignore case; without it they do when they have no capital letter
    #[arg(long)]
    pub ignore_case: bool,
    /// Only lines that state this level or a higher one
    #[arg(long, value_enum, value_name = "LEVEL")]
    pub level: Option<MinLevel>,
}

/// Where lines go, and how they look.
#[derive(clap::Args, Debug, Clone)]
#[command(next_help_heading = "Output")]
pub struct OutArgs {
    /// text: source and line, controls escaped; raw: the bytes; json: one object a line
    #[arg(short, long, value_enum, default_value_t, value_name = "FORMAT")]
    pub output: Format,
    /// Without the source in front
    #[arg(long)]
    pub no_prefix: bool,
    /// With the time of each line
    #[arg(short, long, value_enum, value_name = "STYLE", num_args = 0..=1, default_missing_value = "short", require_equals = true)]
    pub timestamps: Option<Stamp>,
    /// The zone of shown times, and of stamps without one
    #[arg(long, value_name = "ZONE", default_value = "Local", value_parser = units::zone)]
    pub timezone: units::Zone,
    /// How bytes of lines are read
    #[arg(long, value_enum, default_value_t, value_name = "NAME")]
    pub encoding: EncodingName,
    /// Lines have a number, which this pattern finds (its group, if it has one): missing ones are told
    #[arg(long, value_name = "RE")]
    pub seq_regex: Option<String>,
    /// Control characters in text: auto shows marks on a terminal and escapes in a pipe
    #[arg(long, value_enum, default_value_t, value_name = "WHEN")]
    pub sanitize: Sanitize,
    /// Allow raw bytes on a terminal
    #[arg(long)]
    pub yes_raw: bool,
    /// Colours
    #[arg(
        help = "Colours: by NO_COLOR and the terminal, or as said",
        long,
        value_enum,
        default_value_t,
        value_name = "WHEN"
    )]
    pub color: When,
    /// Also write to a file; to a directory: a file per component
    #[arg(short = 'O', long = "tee", value_name = "FILE|DIR")]
    pub tee: Option<PathBuf>,
    /// A tee file is rotated at this size
    #[arg(long, value_name = "SIZE", value_parser = units::size, default_value = "64MiB")]
    pub rotate_size: usize,
    /// So many rotated files are kept
    #[arg(long, value_name = "N", default_value_t = 5)]
    pub rotate_keep: u32,
    /// When the output is too slow: drop the oldest lines and count them, stop reading, or end
    #[arg(long, value_enum, default_value_t, value_name = "WHAT")]
    pub on_lag: OnLag,
    /// Lines waiting for a slow output, at most
    #[arg(long, value_name = "SIZE", value_parser = units::size, default_value = "32MiB")]
    pub buffer: usize,
    /// A summary on standard error at the end
    #[arg(long)]
    pub stats: bool,
    /// Nothing about connections on standard error
    #[arg(short, long)]
    pub quiet: bool,
}

/// When to end, and with which exit code.
#[derive(clap::Args, Debug, Clone, Default)]
#[command(next_help_heading = "End")]
pub struct StopArgs {
    /// End with 0 when a line matches, of the history too (without: --tail 0)
    #[arg(long, value_name = "RE")]
    pub until_match: Option<String>,
    /// Only the Nth line that matches --until-match ends
    #[arg(long, value_name = "N", default_value_t = 1, requires = "until_match", value_parser = clap::value_parser!(u64).range(1..))]
    pub count: u64,
    /// End with 1 when a line matches
    #[arg(long, value_name = "RE")]
    pub fail_match: Option<String>,
    /// End after N printed lines
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub max_lines: Option<u64>,
    /// Go on for this time, then end (124 if --until-match was not met)
    #[arg(long = "for", value_name = "TIME", value_parser = units::duration)]
    pub lasting: Option<Duration>,
    /// End when no line came for this time (124 if --until-match was not met)
    #[arg(long, value_name = "TIME", value_parser = units::duration)]
    pub idle: Option<Duration>,
    /// Lost links: auto (for ever after a first success), never, or N attempts
    #[arg(long, value_name = "auto|never|N", default_value = "auto", value_parser = units::reconnect)]
    pub reconnect: units::Retry,
    /// A possible gap or a dropped line ends with 6
    #[arg(long)]
    pub strict: bool,
    /// No printed line at all ends with 1
    #[arg(long)]
    pub require_match: bool,
    /// Tell when this begins and ends to hold: rate(error) > 5 for 30s, cpu > 800 (may be repeated)
    #[arg(long, value_name = "EXPR", value_parser = crate::codec::alert::parse)]
    pub alert: Vec<Alert>,
}

/// `wait`.
#[derive(clap::Args, Debug, Clone)]
pub struct WaitArgs {
    /// Where to look
    #[arg(value_name = "TARGET", required = true)]
    pub targets: Vec<String>,
    /// What a line has to match
    #[arg(long = "match", value_name = "RE")]
    pub pattern: String,
    /// Give up after this time, with 124
    #[arg(long, value_name = "TIME", value_parser = units::duration, default_value = "5m")]
    pub timeout: Duration,
    /// End with 1 when a line matches this
    #[arg(long, value_name = "RE")]
    pub fail_match: Option<String>,
    /// Patterns are text, not regular expressions
    #[arg(short = 'F', long)]
    pub fixed_strings: bool,
    /// Lost links: auto (for ever after a first success), never, or N attempts
    #[arg(long, value_name = "auto|never|N", default_value = "auto", value_parser = units::reconnect)]
    pub reconnect: units::Retry,
}

/// `shell`.
#[derive(clap::Args, Debug, Clone)]
pub struct ShellArgs {
    /// The container's shell, or the page of a server that has one
    #[arg(
        value_name = "TARGET",
        help = "ws://HOST:6060/docker_console#TENANT_ID/SERVICE_ID/POD[/CONTAINER], or the page of a GoTTY or ttyd"
    )]
    pub target: String,
    /// Run one command: its output alone, its exit code ours (needs a POSIX shell there; the
    /// command reads no standard input)
    #[arg(long, value_name = "CMD")]
    pub exec: Option<String>,
    /// How long all of it may take, the wait for the container too (124 when it takes longer)
    #[arg(long, value_name = "TIME", value_parser = units::duration, default_value = "60s", requires = "exec")]
    pub timeout: Duration,
    /// The server's dialect, instead of finding it out: platform, platform-v1, gotty1, gotty2,
    /// gottysor, ttyd
    #[arg(long, value_name = "NAME", value_parser = units::dialect)]
    pub dialect: Option<&'static Dialect>,
    /// The password of user@ in the URL is the first line of this file
    #[arg(long, value_name = "FILE", conflicts_with = "password_stdin")]
    pub password_file: Option<PathBuf>,
    /// The password is the first line of standard input
    #[arg(long)]
    pub password_stdin: bool,
    /// Write a recording of what is shown (asciicast v2); what is typed is not in it
    #[arg(long, value_name = "FILE", conflicts_with = "exec")]
    pub record: Option<PathBuf>,
    /// Enter ~. means nothing
    #[arg(long)]
    pub no_escape: bool,
    /// Nothing about the connection on standard error
    #[arg(short, long)]
    pub quiet: bool,
}

/// `replay`.
#[derive(clap::Args, Debug, Clone)]
pub struct ReplayArgs {
    /// The recording
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// How fast: 2x is twice its own speed
    #[arg(long, value_name = "SPEED", value_parser = units::speed, default_value = "1x")]
    pub speed: u32,
    /// Print what it shows as text, at once, instead of playing it
    #[arg(long)]
    pub headless: bool,
    /// How the interface looks and behaves
    #[command(flatten)]
    pub view: ViewArgs,
}

/// `demo`.
#[derive(clap::Args, Debug, Clone)]
pub struct DemoArgs {
    /// Only the servers: print the targets to try, and run until Ctrl-C
    #[arg(long)]
    pub serve: bool,
    /// The port of the WebSocket endpoints
    #[arg(long, value_name = "N")]
    pub port: Option<u16>,
    /// Lines a second, as a factor on the usual
    #[arg(long, value_name = "X", default_value_t = 1.0, value_parser = units::factor)]
    pub rate: f64,
    /// What is made up follows from it
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub seed: u64,
    /// How the interface looks and behaves
    #[command(flatten)]
    pub view: ViewArgs,
}

/// `--encoding`.
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum EncodingName {
    /// UTF-8.
    #[default]
    #[value(name = "utf-8", alias = "utf8")]
    Utf8,
    /// GB 18030, for lines that are no UTF-8.
    #[value(name = "gb18030")]
    Gb18030,
    /// The same: GBK is a part of it.
    #[value(name = "gbk")]
    Gbk,
}

/// `--color`.
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum When {
    /// By the terminal and the environment.
    #[default]
    Auto,
    /// In any case.
    Always,
    /// In no case.
    Never,
}

/// `--sanitize`.
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Sanitize {
    /// As on a terminal, or as in a pipe.
    #[default]
    Auto,
    /// As on a terminal.
    On,
    /// Bytes as they came.
    Off,
}

/// `-o`.
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Format {
    /// For people.
    #[default]
    Text,
    /// For archives.
    Raw,
    /// For programs.
    Json,
}

/// `-t`.
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
pub enum Stamp {
    /// As in 15:04:05.000
    Short,
    /// As in 2006-01-02 15:04:05.000
    Full,
    /// As in 2006-01-02T15:04:05.000000+08:00
    Rfc3339,
    /// Seconds since the start.
    Relative,
}

/// `--level`.
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
pub enum MinLevel {
    /// Every line that states a level.
    Debug,
    /// INFO and above.
    Info,
    /// WARN and above.
    Warn,
    /// ERROR and above.
    Error,
}

/// `--on-lag`.
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum OnLag {
    /// Drop the oldest, and say how many.
    #[default]
    Drop,
    /// Stop reading; the server will then drop without telling.
    Block,
    /// End with 6.
    Exit,
}
