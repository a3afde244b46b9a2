//! Containers that need one another, and what comes between them.

use crate::cases::{Case, act, right};
use crate::score::Right;
use crate::stage::{Part, Stage, part};
use crate::support::Fallible;

/// The store, one that asks it every second, and one that does so under another name.
async fn pair(s: &Stage, names: &[&'static str]) -> Fallible {
    s.run(part("db", "").demo("data").probed_by(PROBE)).await?;
    for name in names {
        s.run(asks(name)).await?;
    }
    // Past its start-up grace, so that complaints count.
    s.pause(4).await;
    Ok(())
}

const PROBE: &[&str] = &["CMD", "/sentinel-tui", "demo-service", "probe"];

fn asks(name: &'static str) -> Part {
    part(name, "").demo("api").env("PEER_URL=http://db:9000".to_owned())
}

pub const CASES: [Case; 9] = [
    Case {
        name: "dependency dies",
        right: Some(right(
            &["transient_crash", "dependency_down"],
            "db",
            Some(("start_container", "db")),
            true,
        )),
        wait: 40,
        set: act!(|s| { pair(s, &["api"]).await? }),
        act: act!(|s| { s.signal("db", "-KILL").await? }),
    },
    Case {
        name: "cascade under three that complain",
        right: Some(right(
            &["transient_crash", "dependency_down"],
            "db",
            Some(("start_container", "db")),
            true,
        )),
        wait: 45,
        set: act!(|s| { pair(s, &["api", "worker", "gateway"]).await? }),
        act: act!(|s| { s.signal("db", "-KILL").await? }),
    },
    Case {
        name: "dependency hangs",
        right: Some(right(
            &["hang", "dependency_down"],
            "db",
            Some(("restart_container", "db")),
            true,
        )),
        wait: 60,
        set: act!(|s| { pair(s, &["api"]).await? }),
        act: act!(|s| { s.signal("db", "-STOP").await? }),
    },
    Case {
        name: "operator stops what others need",
        right: Some(Right {
            never_alone: true,
            ..right(&["dependency_down"], "db", Some(("start_container", "db")), true)
        }),
        wait: 60,
        set: act!(|s| { pair(s, &["api"]).await? }),
        act: act!(|s| { s.stop("db").await? }),
    },
    Case {
        name: "operator pauses what others need",
        right: Some(Right {
            never_alone: true,
            ..right(&["dependency_down", "paused"], "db", Some(("unpause_container", "db")), true)
        }),
        wait: 60,
        set: act!(|s| { pair(s, &["api"]).await? }),
        act: act!(|s| { s.corner.docker.pause_container(&s.full("db")).await? }),
    },
    Case {
        name: "store loses its network",
        right: Some(Right {
            never_alone: true,
            ..right(&["network_detached"], "db", Some(("connect_network", "db")), true)
        }),
        wait: 60,
        set: act!(|s| { pair(s, &["api"]).await? }),
        act: act!(|s| { s.detach("db").await? }),
    },
    Case {
        name: "client loses its network",
        right: Some(Right {
            never_alone: true,
            ..right(&["network_detached"], "api", Some(("connect_network", "api")), true)
        }),
        wait: 60,
        set: act!(|s| { pair(s, &["api"]).await? }),
        act: act!(|s| { s.detach("api").await? }),
    },
    Case {
        name: "deploy with a typo in a host",
        right: Some(right(
            &["dns_failure", "bad_deploy"],
            "api",
            Some(("update_env_vars", "api")),
            true,
        )),
        wait: 60,
        set: act!(|s| { pair(s, &["api"]).await? }),
        act: act!(|s| {
            s.stop("api").await?;
            s.corner.remove("api").await?;
            s.run(part("api", "").demo("api").env("PEER_URL=http://dbb:9000".to_owned())).await?
        }),
    },
    Case {
        name: "owner of a shared network is made anew",
        right: Some(right(&["namespace_broken"], "side", None, false)),
        wait: 60,
        set: act!(|s| {
            s.run(part("db", "").demo("data")).await?;
            let owner = s.run(part("proxy", crate::stage::BUSY)).await?;
            s.run(asks("side").sharing_network_of(&owner)).await?;
            s.pause(4).await;
        }),
        act: act!(|s| {
            s.stop("proxy").await?;
            s.corner.remove("proxy").await?;
            s.run(part("proxy", crate::stage::BUSY)).await?
        }),
    },
];
