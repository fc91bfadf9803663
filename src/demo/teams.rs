//! Who owns what: regions, teams, their apps, and what each component may use. Fixed, but for the
//! ids, which follow from the seed.

use super::world::{self, SHOP};

/// A cluster that the console knows.
#[derive(Clone, Copy, Debug)]
pub(super) struct Region {
    pub(super) id: &'static str,
    pub(super) name: &'static str,
    pub(super) alias: &'static str,
}

/// An app of a team.
#[derive(Clone, Copy, Debug)]
pub(super) struct App {
    /// The console's number of it.
    pub(super) id: u32,
    pub(super) name: &'static str,
    pub(super) note: &'static str,
    /// Its name in the cluster.
    pub(super) k8s: &'static str,
    pub(super) parts: &'static [Part],
}

/// A component of an app.
#[derive(Clone, Copy, Debug)]
pub(super) struct Part {
    pub(super) alias: &'static str,
    /// The title of one that is none of the shop's.
    title: &'static str,
    /// Its limit in MB.
    pub(super) memory: u32,
    /// Its limit in millicores.
    pub(super) cpu: u32,
    /// Pods; none if it was never deployed.
    pub(super) replicas: u64,
    /// A second container in each pod.
    pub(super) sidecar: Option<&'static str>,
}

/// A team, which the region calls a tenant.
#[derive(Clone, Copy, Debug)]
pub(super) struct Team {
    pub(super) id: u32,
    pub(super) name: &'static str,
    pub(super) alias: &'static str,
    pub(super) namespace: &'static str,
    pub(super) region: &'static str,
    pub(super) apps: &'static [App],
}

/// The clusters.
pub(super) const REGIONS: [Region; 2] = [
    Region {
        id: "5a1c7f4e2d9b4c6f8e0a3b5d7c9e1f20",
        name: "rainbond",
        alias: "默认集群",
    },
    Region {
        id: "6b2d8a5f3e0c4d7a9f1b4c6e8d0f2a31",
        name: "edge",
        alias: "边缘集群",
    },
];

const fn part(
    alias: &'static str,
    (memory, cpu): (u32, u32),
    sidecar: Option<&'static str>,
) -> Part {
    Part {
        alias,
        title: "",
        memory,
        cpu,
        replicas: 2,
        sidecar,
    }
}

/// The teams of the demo's user.
pub(super) const TEAMS: [Team; 2] = [
    Team {
        id: 1,
        name: "shop",
        alias: "商城",
        namespace: "shop",
        region: "rainbond",
        apps: &[
            App {
                id: 11,
                name: "在线商店",
                note: "下单与支付",
                k8s: "store",
                parts: &[
                    part("gateway", (512, 500), Some("mesh")),
                    part("order-center", (1024, 1000), Some("mesh")),
                    part("payment", (1024, 1000), None),
                    part("inventory", (512, 500), None),
                ],
            },
            App {
                id: 12,
                name: "用户与推荐",
                note: "",
                k8s: "growth",
                parts: &[
                    part("user-service", (512, 500), None),
                    part("search", (2048, 2000), None),
                    part("recommender", (2048, 1000), None),
                ],
            },
            App {
                id: 13,
                name: "后台任务",
                note: "每晚导出",
                k8s: "jobs",
                parts: &[part("worker", (256, 250), None)],
            },
        ],
    },
    Team {
        id: 2,
        name: "lab",
        alias: "实验室",
        namespace: "lab",
        region: "edge",
        apps: &[
            App {
                id: 21,
                name: "试验田",
                note: "还没有部署",
                k8s: "sandbox",
                parts: &[Part {
                    alias: "notebook",
                    title: "笔记本",
                    memory: 512,
                    cpu: 500,
                    replicas: 0,
                    sidecar: None,
                }],
            },
            App {
                id: 22,
                name: "空应用",
                note: "",
                k8s: "empty",
                parts: &[],
            },
        ],
    },
];

impl Part {
    /// Its name for people.
    pub(super) fn title(&self) -> &'static str {
        SHOP.iter()
            .find(|one| one.alias == self.alias)
            .map_or(self.title, |one| one.title)
    }
}

impl Team {
    /// What the region calls it.
    pub(super) fn tenant_id(&self, seed: u64) -> String {
        if self.id == 1 {
            return world::tenant_id(seed);
        }
        world::hex(seed, &format!("tenant {}", self.name), 32)
    }

    /// Its components, each with its app.
    pub(super) fn parts(&self) -> impl Iterator<Item = (&'static App, &'static Part)> + use<> {
        let apps: &'static [App] = self.apps;
        apps.iter()
            .flat_map(|app| app.parts.iter().map(move |part| (app, part)))
    }

    /// One of its components, by alias or id.
    pub(super) fn part(&self, seed: u64, name: &str) -> Option<Place> {
        let team = TEAMS.iter().find(|one| one.id == self.id)?;
        let (app, part) = self
            .parts()
            .find(|(_, part)| part.alias == name || world::service_id(seed, part.alias) == name)?;
        Some(Place { team, app, part })
    }
}

/// A component and where it belongs.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    pub(super) team: &'static Team,
    pub(super) app: &'static App,
    pub(super) part: &'static Part,
}

/// All components.
pub(super) fn places() -> impl Iterator<Item = Place> {
    TEAMS.iter().flat_map(|team| {
        team.parts()
            .map(move |(app, part)| Place { team, app, part })
    })
}

/// A component of any team, by alias or id.
pub(super) fn place(seed: u64, name: &str) -> Option<Place> {
    TEAMS.iter().find_map(|team| team.part(seed, name))
}

/// A region by its name.
pub(super) fn region(name: &str) -> Option<&'static Region> {
    REGIONS.iter().find(|one| one.name == name)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{REGIONS, SHOP, TEAMS, place, places};

    #[test]
    fn all_of_the_shop_belongs_to_an_app_and_all_names_are_single() {
        for one in SHOP {
            let place = place(1, one.alias).unwrap();
            assert_eq!((place.team.name, place.part.title()), ("shop", one.title));
        }
        let aliases: BTreeSet<_> = places().map(|place| place.part.alias).collect();
        assert_eq!(aliases.len(), places().count());
        for team in TEAMS {
            assert!(REGIONS.iter().any(|region| region.name == team.region));
        }
    }
}
