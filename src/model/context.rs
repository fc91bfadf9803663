//! A context: one platform, how it is reached, who we are to it, and what may be done there.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use url::Url;

use crate::text::redact::Secret;

use super::catalog::Component;
use super::way::Way;

/// One platform, resolved: nothing is left to guess.
#[derive(Clone, Debug)]
pub struct Context {
    /// Its name.
    pub name: String,
    /// Where its API is; paths are appended.
    pub server: Url,
    /// What answers there.
    pub api: Api,
    /// The team that a name without one means.
    pub team: Option<String>,
    /// The region that a name without one means.
    pub region: Option<String>,
    /// Where the WebSockets are, if not where the API says: what stands in front of
    /// `/docker_log`.
    pub websocket: Option<Url>,
    /// How it is reached.
    pub way: Arc<Way>,
    /// Where the token comes from.
    pub credential: Credential,
    /// No shell is opened, nothing is changed.
    pub read_only: bool,
    /// The colour of its panes, a theme's word: `red`, `yellow`…
    pub colour: Option<String>,
    /// Targets by hand, for platforms without an API: path and URL.
    pub targets: Vec<(String, String)>,
}

impl Context {
    /// A platform of which no more is known: nobody logs in, nothing is preset.
    pub fn new(name: &str, server: Url, api: Api) -> Self {
        Self {
            name: name.to_owned(),
            server,
            api,
            team: None,
            region: None,
            websocket: None,
            way: Arc::default(),
            credential: Credential::None,
            read_only: false,
            colour: None,
            targets: Vec::new(),
        }
    }
}

impl PartialEq for Context {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name && self.server == other.server && self.api == other.api
    }
}

impl Eq for Context {}

/// What a context's server is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Api {
    /// The console: teams and regions, a login.
    #[default]
    Console,
    /// A region's API, `:8888` or `:8443`.
    Region,
    /// The WebSocket port alone, `:6060`: nothing can be asked for, targets are listed by hand.
    Bare,
}

impl Api {
    /// Its word in files and on the command line.
    pub fn word(self) -> &'static str {
        match self {
            Self::Console => "console",
            Self::Region => "region",
            Self::Bare => "websocket",
        }
    }
}

impl fmt::Display for Api {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

/// Where a token comes from (reliability.md 5), the first that is there.
#[derive(Clone, Debug, Default)]
pub enum Credential {
    /// Nowhere: nobody is asked to log in.
    #[default]
    None,
    /// It was given: from standard input, or the environment.
    Given(Secret),
    /// A file that only its owner may read.
    File(PathBuf),
    /// What a command prints; run without a shell, 10 s at most.
    Command(Vec<String>),
    /// What `deckwatch login` stored: the keyring's entry of this name, else this file.
    Stored {
        /// The context's name.
        name: String,
        /// The file.
        file: PathBuf,
    },
}

/// A component of a platform, found.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Place {
    /// The platform.
    pub context: Arc<Context>,
    /// The team's name in requests.
    pub team: String,
    /// The region's name.
    pub region: String,
    /// The app's name.
    pub app: String,
    /// The component.
    pub component: Component,
    /// This pod alone.
    pub pod: Option<String>,
    /// This container alone.
    pub container: Option<String>,
}

impl Place {
    /// A component, all of its pods.
    pub fn of(
        context: &Arc<Context>,
        (team, region, app): (&str, &str, &str),
        component: Component,
    ) -> Self {
        Self {
            context: Arc::clone(context),
            team: team.to_owned(),
            region: region.to_owned(),
            app: app.to_owned(),
            component,
            pod: None,
            container: None,
        }
    }

    /// `team/app/component`, for people.
    pub fn path(&self) -> String {
        let mut path = format!("{}/{}/{}", self.team, self.app, self.component.name);
        for part in [&self.pod, &self.container].into_iter().flatten() {
            path.push('/');
            path.push_str(part);
        }
        path
    }
}
