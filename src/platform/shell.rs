//! A component's shell: its pod, and the ids that the platform's shell server wants to hear
//! (protocols.md 6.4).

use url::Url;

use crate::codec::target::{self, Target};
use crate::model::catalog::{Health, Pod, health};
use crate::model::context::Place;
use crate::model::{Fault, FaultKind};
use crate::say;

use super::{Platform, sockets};

/// The shell of a place: of its pod, or of the first one that runs.
pub async fn target(platform: &mut Platform, place: &Place) -> Result<Target, Fault> {
    let path = place.path();
    if place.context.read_only {
        let name = &place.context.name;
        let why = say!("the context {name} is read-only", "上下文 {name} 是只读的");
        let next = say!(
            "take read-only out of its configuration to open shells",
            "如需打开终端，请从配置中去掉 read-only"
        );
        return Err(Fault::new(FaultKind::Denied, path, why, next));
    }
    let pod = match &place.pod {
        Some(pod) => pod.clone(),
        None => running(platform, place).await?,
    };
    let detail = platform.detail(place).await.map_err(|error| error.fault)?;
    let Some(detail) = detail else {
        let why = say!(
            "the platform does not tell its tenant's id",
            "平台没有给出租户 ID"
        );
        let next = say!(
            "write ws://HOST:6060/docker_console#TENANT_ID/SERVICE_ID/POD",
            "请写 ws://主机:6060/docker_console#TENANT_ID/SERVICE_ID/POD"
        );
        return Err(Fault::new(FaultKind::NotFound, path, why, next));
    };
    let mut url = base(platform, place).await?;
    if let Ok(mut segments) = url.path_segments_mut() {
        segments.pop_if_empty().push("docker_console");
    }
    if !detail.namespace.is_empty() {
        url.query_pairs_mut()
            .append_pair("namespace", &detail.namespace);
    }
    let mut ids = format!("{}/{}/{pod}", detail.tenant_id, detail.component.id);
    if let Some(container) = &place.container {
        ids.push('/');
        ids.push_str(container);
    }
    url.set_fragment(Some(&ids));
    let mut target = Target::parse(url.as_str())?.by(&platform.socket_way());
    target.name = format!("{} {pod}", place.component.name);
    Ok(target)
}

async fn running(platform: &mut Platform, place: &Place) -> Result<String, Fault> {
    let pods = platform.pods(place).await.map_err(|error| error.fault)?;
    let good = |pod: &&Pod| health(&pod.status) == Health::Good;
    let new = |pod: &&Pod| !pod.old;
    let pod = pods
        .iter()
        .filter(new)
        .find(good)
        .or_else(|| pods.iter().find(good))
        .or_else(|| pods.first());
    pod.map(|pod| pod.name.clone()).ok_or_else(|| {
        let why = say!("it has no pod", "它没有实例");
        let next = say!("deploy it first", "请先部署");
        Fault::new(FaultKind::NotFound, place.path(), why, next)
    })
}

/// The first place that answers as the platform's WebSockets do.
async fn base(platform: &mut Platform, place: &Place) -> Result<Url, Fault> {
    let way = platform.socket_way();
    let mut last = None;
    for base in sockets::bases(platform, place).await {
        let candidates = target::component_sockets(&base, &place.component.id);
        match sockets::first(candidates, &way).await {
            Ok(_) => return Ok(base),
            Err(error) => last = Some(error.fault),
        }
    }
    Err(last.unwrap_or_else(|| {
        let why = say!("its WebSockets are nowhere", "找不到它的 WebSocket");
        Fault::new(FaultKind::Unreachable, place.path(), why, "")
    }))
}
