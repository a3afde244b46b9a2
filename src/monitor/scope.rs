//! Which containers are watched. sentinel-tui, its helpers and parked predecessors never are.

use std::collections::HashMap;

use sentinel_core::domain::container::{LABEL_MONITOR, LABEL_SELF};
use sentinel_core::domain::names::{is_parked_name, is_staged_name};

use crate::config::filter::WatchFilter;

/// What is watched.
#[derive(Clone, Debug, Default)]
pub struct Scope {
    /// Everything, not only what is labelled `sre-sentinel.monitor=true`.
    pub all: bool,
    /// Conditions that narrow it.
    pub filters: Vec<WatchFilter>,
    /// The container that sentinel-tui itself runs in, if it does.
    pub own: Option<String>,
}

impl Scope {
    /// Whether a container is watched.
    pub(super) fn watches(&self, id: &str, name: &str, labels: &HashMap<String, String>) -> bool {
        let name = name.trim_start_matches('/');
        let is_true = |key: &str| labels.get(key).is_some_and(|v| v == "true");
        let itself = is_true(LABEL_SELF) || self.own.as_deref() == Some(id);
        !itself
            && !is_set_aside(name)
            && (self.all || is_true(LABEL_MONITOR))
            && self.filters.iter().all(|f| f.admits(name, labels))
    }

    /// Whether a watched container still is after it was renamed: its labels never change.
    pub(super) fn keeps(&self, name: &str) -> bool {
        let admits = |f: &WatchFilter| match f {
            WatchFilter::Name(part) => name.contains(part.as_str()),
            WatchFilter::Label(..) => true,
        };
        !is_set_aside(name) && self.filters.iter().all(admits)
    }
}

/// Whether a recreate has put a container aside, or not yet in its place.
fn is_set_aside(name: &str) -> bool {
    is_parked_name(name) || is_staged_name(name)
}

/// The id of the container that this process runs in, from the files that the engine mounts into
/// every container; `None` outside of one.
pub fn own_container(mountinfo: &str) -> Option<String> {
    mountinfo.lines().find_map(|line| {
        let mut fields = line.split(' ').skip(3);
        let (root, point) = (fields.next()?, fields.next()?);
        if !matches!(point, "/etc/hostname" | "/etc/hosts" | "/etc/resolv.conf") {
            return None;
        }
        let id = root.rsplit("/containers/").next()?.split('/').next()?;
        (id.len() == 64 && id.bytes().all(|b| b.is_ascii_hexdigit())).then(|| id.to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(pairs: &[(&str, &str)]) -> HashMap<String, String> {
        pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect()
    }

    #[test]
    fn the_label_opts_in_and_our_own_are_never_watched() {
        let scope = Scope::default();
        let monitored = labels(&[("sre-sentinel.monitor", "true")]);
        assert!(scope.watches("a", "/api", &monitored));
        assert!(!scope.watches("a", "/api", &labels(&[])));
        assert!(!scope.watches("a", "/api", &labels(&[("sre-sentinel.monitor", "yes")])));
        assert!(!scope.watches("a", "/api-parked-20261124031502", &monitored));
        assert!(!scope.watches("a", "/api-staged-20261124031502", &monitored));
        assert!(scope.watches("a", "/api-parked-x", &monitored));
        let all = Scope { all: true, own: Some("me".to_owned()), ..Scope::default() };
        assert!(all.watches("a", "/api", &labels(&[])));
        assert!(!all.watches("me", "/sentinel", &labels(&[])));
        assert!(!all.watches("a", "/redis", &labels(&[("sre-sentinel.self", "true")])));
    }

    #[test]
    fn the_own_container_is_read_from_the_engines_mounts() {
        let id = "0".repeat(64);
        let inside = format!(
            "712 690 8:1 /var/lib/docker/containers/{id}/hostname /etc/hostname rw - ext4 /dev/sda1 rw"
        );
        assert_eq!(own_container(&inside), Some(id.clone()));
        let host =
            format!("99 22 0:50 / /var/lib/docker/containers/{id}/mounts/shm rw - tmpfs shm rw");
        assert_eq!(own_container(&host), None);
    }
}
