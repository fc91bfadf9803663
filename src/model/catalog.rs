//! What runs on a platform: teams, apps, components, pods and containers, as its REST tells it
//! (protocols.md 3.4). Texts are sanitised when they are read; status words that nobody knows
//! are kept as they are.

use super::Micros;

/// A region: a cluster.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Region {
    /// Its name in requests.
    pub name: String,
    /// Its name for people.
    pub alias: String,
}

/// A team; a tenant, to a region.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Team {
    /// Its name in requests.
    pub name: String,
    /// Its name for people.
    pub alias: String,
    /// Its id, where it is told.
    pub id: String,
    /// Its namespace in the clusters.
    pub namespace: String,
    /// Where it runs.
    pub regions: Vec<Region>,
}

/// An app: a group of components.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct App {
    /// Its id: a number of the console, hexadecimal of a region.
    pub id: String,
    /// Its name for people.
    pub name: String,
    /// Its name in the cluster, where it is told.
    pub k8s: String,
    /// Its status, as the platform words it.
    pub status: String,
    /// Used memory, in MiB.
    pub memory: Option<u64>,
    /// Used CPU, in millicores.
    pub cpu: Option<u64>,
    /// Its components, and how many of them run.
    pub running: Option<(u64, u64)>,
    /// Its components, where they were told along with it.
    pub components: Vec<Component>,
}

/// A component: a service, to the wire.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Component {
    /// Its `service_id`, 32 hexadecimal digits.
    pub id: String,
    /// Its alias, which paths hold.
    pub alias: String,
    /// Its name for people.
    pub name: String,
    /// Its status, as the platform words it; empty where it was not told.
    pub status: String,
    /// The memory that it asks for, in MiB.
    pub memory: Option<u64>,
}

/// More of one component.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ComponentDetail {
    /// The component.
    pub component: Component,
    /// Its tenant's id.
    pub tenant_id: String,
    /// Its namespace in the cluster.
    pub namespace: String,
    /// Its name in the cluster.
    pub k8s: String,
    /// The app's name.
    pub app: String,
    /// Where the platform says that its WebSockets are: a URL that ends in `/event_log`.
    pub websocket: String,
}

/// A pod.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Pod {
    /// Its name.
    pub name: String,
    /// Its status, as the platform words it.
    pub status: String,
    /// It is of the version before: it is to go.
    pub old: bool,
    /// Its containers.
    pub containers: Vec<Container>,
}

/// A container of a pod.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Container {
    /// Its name.
    pub name: String,
    /// Used memory, in bytes.
    pub memory: Option<u64>,
    /// The memory that it may use, in bytes; none is no limit.
    pub limit: Option<u64>,
}

/// Something that the platform did, or does: a build, a deploy, a restart.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct EventEntry {
    /// Its id.
    pub id: String,
    /// What is done: `build-service`, `restart-service`…
    pub kind: String,
    /// `success`, `failure`, `timeout`, `checking` or empty.
    pub status: String,
    /// `complete`, `running` or empty.
    pub final_status: String,
    /// Who asked for it.
    pub user: String,
    /// The component's id that it is about.
    pub target: String,
    /// When it began.
    pub began: Option<Micros>,
    /// When it ended.
    pub ended: Option<Micros>,
    /// What the platform says of it.
    pub message: String,
    /// Why, where it failed.
    pub reason: String,
}

impl EventEntry {
    /// Whether it goes on.
    pub fn is_running(&self) -> bool {
        matches!(self.final_status.as_str(), "" | "running")
            && !matches!(self.status.as_str(), "success" | "failure" | "timeout")
    }
}

/// What a status means, for colours and for sorting; words that are not known mean nothing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Health {
    /// It does what it should.
    Good,
    /// It is on its way.
    Busy,
    /// It does not do what it should.
    Bad,
    /// It is off, or nobody knows.
    Idle,
}

/// What a status word of the platform or of Kubernetes means (protocols.md 3.4).
pub fn health(status: &str) -> Health {
    match status.to_ascii_lowercase().as_str() {
        "running" | "deployed" | "succeeded" | "success" | "complete" => Health::Good,
        "starting" | "restoring" | "waiting" | "checking" | "stoping" | "stopping" | "creating"
        | "upgrade" | "pending" | "containercreating" | "initiating" | "scheduling"
        | "terminating" | "not_ready" | "notready" => Health::Busy,
        "unusual" | "abnormal" | "some_abnormal" | "failure" | "failed" | "owed" | "expired"
        | "error" | "crashloopbackoff" | "timeout" | "oomkilled" | "unhealthy"
        | "unschedulable" | "imagepullbackoff" | "evicted" | "unknown" | "unknow" => Health::Bad,
        _ => Health::Idle,
    }
}
