//! The flags and commands that are about platforms: contexts, login, what runs there.

use std::path::PathBuf;

use clap::{Subcommand, ValueEnum};

use crate::model::usage::By;
use crate::say;

/// Which platform, and how it is reached.
#[derive(clap::Args, Debug, Clone, Default)]
#[command(next_help_heading = "Platform")]
pub struct PlatformArgs {
    /// The context that names without one mean
    #[arg(
        long,
        value_name = "NAME",
        global = true,
        env = "DECKWATCH_CONTEXT",
        hide_env_values = true
    )]
    pub context: Option<String>,
    /// A platform without a context: its address
    #[arg(
        long,
        value_name = "URL",
        global = true,
        env = "DECKWATCH_SERVER",
        hide_env_values = true
    )]
    pub server: Option<String>,
    /// The team that names without one mean
    #[arg(short = 'n', long, value_name = "NAME", global = true)]
    pub team: Option<String>,
    /// The region that names without one mean
    #[arg(long, value_name = "NAME", global = true)]
    pub region: Option<String>,
    /// The token is the first line of this file, which only you may read
    #[arg(long, value_name = "FILE", global = true)]
    pub token_file: Option<PathBuf>,
    /// A PEM file with CAs to trust besides the system's
    #[arg(long, value_name = "FILE", global = true)]
    pub ca_file: Option<PathBuf>,
    /// A PEM file with our client certificate
    #[arg(long, value_name = "FILE", global = true, requires = "key")]
    pub cert: Option<PathBuf>,
    /// The key of --cert
    #[arg(long, value_name = "FILE", global = true, requires = "cert")]
    pub key: Option<PathBuf>,
    /// Take any certificate: anybody on the way can read and change everything
    #[arg(long, global = true)]
    pub insecure_skip_tls_verify: bool,
    /// A proxy: http://HOST:PORT or socks5h://HOST:PORT, or none
    #[arg(long, value_name = "URL", global = true)]
    pub proxy: Option<String>,
    /// Open no shell, change nothing
    #[arg(long, global = true)]
    pub read_only: bool,
    /// The configuration file, instead of ~/.config/deckwatch/config.toml
    #[arg(
        long,
        value_name = "FILE",
        global = true,
        env = "DECKWATCH_CONFIG",
        hide_env_values = true
    )]
    pub config: Option<PathBuf>,
}

/// `context`.
#[derive(Subcommand, Debug, Clone)]
pub enum ContextCommand {
    /// Add a platform under a name
    Add(Box<ContextAddArgs>),
    /// Make a context the current one
    Use {
        /// Its name
        name: String,
    },
    /// List the contexts
    #[command(visible_alias = "list")]
    Ls {
        /// How
        #[arg(short, long, value_enum, default_value_t, value_name = "FORMAT")]
        output: Table,
    },
    /// Remove a context that was added
    #[command(visible_alias = "remove")]
    Rm {
        /// Its name
        name: String,
    },
    /// Show a context with where each value comes from
    Show {
        /// Its name; the current one without
        name: Option<String>,
    },
}

/// `context add`.
#[derive(clap::Args, Debug, Clone)]
pub struct ContextAddArgs {
    /// Its name
    pub name: String,
    /// What answers at --server: the console, a region's API, or the WebSocket port alone
    #[arg(long, value_enum, default_value_t, value_name = "KIND")]
    pub api: ApiKind,
    /// Where its WebSockets are
    #[arg(
        help = "Where its WebSockets are, if not where the API says: what stands in front of /docker_log",
        long,
        value_name = "URL"
    )]
    pub websocket: Option<String>,
    /// Who logs in
    #[arg(long, value_name = "NAME")]
    pub user: Option<String>,
    /// A command that prints a token: run without a shell, words separated by blanks
    #[arg(long, value_name = "CMD")]
    pub credential_command: Option<String>,
    /// The colour of its panes: red, yellow, green, blue, magenta, cyan
    #[arg(long, value_name = "COLOUR", visible_alias = "color")]
    pub colour: Option<String>,
    /// Hosts that are reached without the proxy, as in `NO_PROXY`
    #[arg(long, value_name = "LIST")]
    pub no_proxy: Option<String>,
    /// A component by hand, for platforms without an API (may be repeated)
    #[arg(long, value_name = "TEAM/APP/COMPONENT=TARGET")]
    pub target: Vec<String>,
    /// Replace a context of this name
    #[arg(long)]
    pub force: bool,
}

/// `--api`.
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum ApiKind {
    /// The console.
    #[default]
    Console,
    /// A region's API (:8888, :8443).
    Region,
    /// The WebSocket port (:6060): nothing can be listed.
    Websocket,
}

/// `login`.
#[derive(clap::Args, Debug, Clone)]
pub struct LoginArgs {
    /// The context; the current one without
    pub name: Option<String>,
    /// Who; asked for without
    #[arg(long, value_name = "NAME")]
    pub user: Option<String>,
    /// The token is the first line of standard input
    #[arg(long, conflicts_with = "password_stdin")]
    pub token_stdin: bool,
    /// The password is the first line of standard input
    #[arg(long, requires = "user")]
    pub password_stdin: bool,
}

/// `get`.
#[derive(clap::Args, Debug, Clone)]
pub struct GetArgs {
    /// What
    #[arg(value_enum)]
    pub what: Things,
    /// Only these: TEAM, TEAM/APP, TEAM/APP/COMPONENT…; * and ? stand for anything
    #[arg(value_name = "NAME")]
    pub names: Vec<String>,
    /// How
    #[arg(short, long, value_enum, default_value_t, value_name = "FORMAT")]
    pub output: Table,
    /// Of all teams that you see
    #[arg(short = 'A', long)]
    pub all_teams: bool,
}

/// `top`.
#[derive(clap::Args, Debug, Clone)]
pub struct TopArgs {
    /// Only these: TEAM, TEAM/APP, TEAM/APP/COMPONENT; * and ? stand for anything
    #[arg(value_name = "TARGET")]
    pub names: Vec<String>,
    /// Again and again: in a terminal as a table to be sorted and entered, in a pipe as text
    #[arg(long, value_name = "TIME", num_args = 0..=1, require_equals = true, default_missing_value = "5s", value_parser = super::units::duration)]
    pub watch: Option<std::time::Duration>,
    /// How
    #[arg(short, long, value_enum, default_value_t, value_name = "FORMAT")]
    pub output: Findings,
    /// By what: name, cpu, memory, response-time, throughput, net-in, net-out, online
    #[arg(long, value_name = "COLUMN", default_value = "cpu", value_parser = by)]
    pub sort: By,
    /// The least first
    #[arg(long)]
    pub reverse: bool,
    /// Of all teams that you see
    #[arg(short = 'A', long)]
    pub all_teams: bool,
    /// End after so many tables
    #[arg(long, value_name = "N", requires = "watch")]
    pub count: Option<u64>,
    /// How the table looks in a terminal
    #[command(flatten)]
    pub view: super::args::ViewArgs,
}

fn by(word: &str) -> Result<By, String> {
    By::parse(word).ok_or_else(|| {
        say!(
            "it is none of name, cpu, memory, response-time, throughput, net-in, net-out, online",
            "应为 name、cpu、memory、response-time、throughput、net-in、net-out、online 之一"
        )
    })
}

/// `doctor`.
#[derive(clap::Args, Debug, Clone)]
pub struct DoctorArgs {
    /// What can't be reached; without one, the current context
    #[arg(value_name = "TARGET")]
    pub targets: Vec<String>,
    /// All contexts instead of the current one
    #[arg(short = 'A', long = "all-contexts", conflicts_with = "targets")]
    pub all: bool,
    /// How
    #[arg(short, long, value_enum, default_value_t, value_name = "FORMAT")]
    pub output: Findings,
}

/// How findings are printed.
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Findings {
    /// Lines for people
    #[default]
    Text,
    /// One JSON object a line
    Json,
}

/// What `get` lists.
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
pub enum Things {
    /// Contexts of the configuration
    Contexts,
    /// Teams, with their regions
    Teams,
    /// Apps, with status and usage
    #[value(alias = "app")]
    Apps,
    /// Components, with status
    #[value(alias = "component")]
    Components,
    /// Pods, with status and memory
    #[value(alias = "pod")]
    Pods,
    /// Containers of pods
    #[value(alias = "container")]
    Containers,
}

/// How a table is printed.
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Table {
    /// Columns for people
    #[default]
    Text,
    /// One JSON object a line
    Json,
    /// Names alone, as targets
    Name,
}

/// `config`.
#[derive(Subcommand, Debug, Clone)]
pub enum ConfigCommand {
    /// Where the files are
    Path,
    /// All values, with where each comes from
    Show,
    /// Read all files and tell what is wrong
    Check,
    /// Write a file to begin with
    Init,
    /// The keys, with your own
    Keys,
}
