//! Where the hierarchies are mounted, and where in them a container is. Pure but for the look
//! whether a folder is there.

#[cfg(test)]
use std::path::Path;
use std::path::PathBuf;

use sentinel_core::domain::ids::ContainerId;

use crate::monitor::cgroup::place::Place;

/// A mounted hierarchy.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Mount {
    /// Its folder.
    at: PathBuf,
    /// The group that is seen there: `/`, or a deeper one in a container.
    root: String,
    /// Its controllers on v1; empty on v2.
    controllers: Vec<String>,
}

impl Mount {
    /// The folder of a group, given its path in the hierarchy.
    fn folder(&self, group: &str) -> Option<PathBuf> {
        let below = group.strip_prefix(self.root.trim_end_matches('/'))?;
        // `/../x` lies outside of what is seen here.
        let below = below.trim_start_matches('/');
        (!below.split('/').any(|part| part == "..")).then(|| self.at.join(below))
    }
}

/// All of them.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Mounts {
    v1: Vec<Mount>,
    v2: Option<Mount>,
}

impl Mounts {
    /// Reads a `mountinfo`.
    pub(super) fn parse(text: &str) -> Self {
        let mut mounts = Self::default();
        for line in text.lines() {
            let Some((left, right)) = line.split_once(" - ") else { continue };
            let mut left = left.split(' ').skip(3);
            let (Some(root), Some(at)) = (left.next(), left.next()) else { continue };
            let mut right = right.split(' ');
            let (kind, options) = (right.next(), right.nth(1).unwrap_or_default());
            let mount = |controllers| Mount {
                at: PathBuf::from(unescaped(at)),
                root: unescaped(root),
                controllers,
            };
            match kind {
                Some("cgroup2") if mounts.v2.is_none() => mounts.v2 = Some(mount(Vec::new())),
                Some("cgroup") => {
                    let controllers = options.split(',').map(str::to_owned).collect();
                    mounts.v1.push(mount(controllers));
                }
                _ => {}
            }
        }
        mounts
    }

    /// The v1 hierarchy of a controller.
    fn v1(&self, controller: &str) -> Option<&Mount> {
        self.v1.iter().find(|m| m.controllers.iter().any(|c| c == controller))
    }

    /// Whether memory is counted anywhere.
    pub(super) fn count_memory(&self) -> bool {
        self.v1("memory").is_some() || self.v2.is_some()
    }

    /// Which of the two counts memory: on a machine with both, v2 has no controllers.
    pub(super) fn version(&self) -> &'static str {
        if self.v1("memory").is_some() { "v1" } else { "v2" }
    }

    /// The place of a process, from its `/proc/PID/cgroup`; `None` unless the kernel names the
    /// container there: the number may belong to anybody here.
    pub(super) fn place_of_process(&self, id: &ContainerId, lines: &str) -> Option<Place> {
        let group = |controller: Option<&str>| {
            let mut found = lines.lines().filter_map(|line| {
                let mut fields = line.splitn(3, ':').skip(1);
                Some((fields.next()?, fields.next()?))
            });
            let (_, path) = found.find(|(names, _)| match controller {
                Some(name) => names.split(',').any(|n| n == name),
                None => names.is_empty(),
            })?;
            up_to(path, id)
        };
        self.place(&group)
    }

    /// The place of a container where engines put it by themselves. `uid` is the user whose
    /// rootless engine may have made it.
    pub(super) fn well_known_place(&self, id: &ContainerId, uid: Option<u32>) -> Option<Place> {
        let id = id.as_str();
        // Anything shorter, or with a slash in it, could name something else.
        if id.len() < 32 || !id.bytes().all(|b| b.is_ascii_alphanumeric()) {
            return None;
        }
        let mut groups = vec![
            format!("/docker/{id}"),
            format!("/system.slice/docker-{id}.scope"),
            format!("/machine.slice/libpod-{id}.scope"),
            format!("/libpod_parent/libpod-{id}"),
        ];
        if let Some(uid) = uid {
            let slice = format!("/user.slice/user-{uid}.slice/user@{uid}.service/user.slice");
            groups.push(format!("{slice}/docker-{id}.scope"));
            groups.push(format!("{slice}/libpod-{id}.scope"));
        }
        groups.iter().find_map(|group| self.place(&|_| Some(group.clone())))
    }

    fn place(&self, group: &dyn Fn(Option<&str>) -> Option<String>) -> Option<Place> {
        let there = |folder: PathBuf| folder.is_dir().then_some(folder);
        if self.v1("memory").is_some() {
            let of = |name: &str| self.v1(name)?.folder(&group(Some(name))?).and_then(there);
            return Some(Place::V1 {
                memory: of("memory")?,
                cpuacct: of("cpuacct")?,
                cpu: of("cpu"),
                blkio: of("blkio"),
                pids: of("pids"),
            });
        }
        self.v2.as_ref()?.folder(&group(None)?).and_then(there).map(Place::V2)
    }
}

/// The path up to the part that names the container: its process may be deeper (systemd inside).
fn up_to(path: &str, id: &ContainerId) -> Option<String> {
    let start = path.find(id.as_str()).filter(|_| !id.as_str().is_empty())?;
    let end = path.get(start..)?.find('/').map_or(path.len(), |more| start + more);
    path.get(..end).map(str::to_owned)
}

/// A path as `mountinfo` writes it: blanks and the like as three octal digits.
fn unescaped(text: &str) -> String {
    let mut out = text.to_owned();
    for (code, plain) in [("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")] {
        if out.contains('\\') {
            out = out.replace(code, plain);
        }
    }
    out
}

/// Where the process file system of a recorded tree would show this machine's groups.
#[cfg(test)]
pub(super) fn mountinfo_line(root: &str, at: &Path, kind: &str, options: &str) -> String {
    let at = at.display().to_string().replace(' ', "\\040");
    format!("36 31 0:32 {root} {at} rw,relatime shared:9 - {kind} cgroup rw,{options}\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

    fn id() -> ContainerId {
        ContainerId(ID.to_owned())
    }

    #[test]
    fn both_kinds_of_mounts_are_read() {
        let text = "23 1 0:21 / /proc rw - proc proc rw\n\
            32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw,relatime shared:3 - cgroup cgroup rw,cpu,cpuacct\n\
            35 31 0:32 /outer /a\\040b rw,relatime - cgroup memory rw,memory\n\
            41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n";
        let mounts = Mounts::parse(text);
        assert_eq!(mounts.version(), "v1");
        let memory = mounts.v1("memory").unwrap();
        assert_eq!((memory.at.as_path(), memory.root.as_str()), (Path::new("/a b"), "/outer"));
        assert_eq!(mounts.v1("cpuacct").unwrap().at, mounts.v1("cpu").unwrap().at);
        assert!(mounts.v2.is_some());
        let only_v2 =
            Mounts::parse("30 23 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw,nsdelegate\n");
        assert!(only_v2.count_memory());
        assert_eq!(only_v2.version(), "v2");
        assert!(!Mounts::parse("23 1 0:21 / /proc rw - proc proc rw\n").count_memory());
    }

    #[test]
    fn a_group_outside_of_the_mounted_part_is_not_reached() {
        let mount =
            Mount { at: PathBuf::from("/m"), root: "/outer".to_owned(), controllers: Vec::new() };
        assert_eq!(mount.folder("/outer/docker/x"), Some(PathBuf::from("/m/docker/x")));
        assert_eq!(mount.folder("/docker/x"), None);
        let whole = Mount { root: "/".to_owned(), ..mount };
        assert_eq!(whole.folder("/docker/x"), Some(PathBuf::from("/m/docker/x")));
        assert_eq!(whole.folder("/../docker/x"), None);
    }

    #[test]
    fn a_path_ends_at_the_container_even_if_its_process_is_deeper() {
        for (path, expected) in [
            (format!("/docker/{ID}"), Some(format!("/docker/{ID}"))),
            (
                format!("/a.slice/docker-{ID}.scope/init.scope"),
                Some(format!("/a.slice/docker-{ID}.scope")),
            ),
            ("/user.slice/session-1.scope".to_owned(), None),
            (format!("/docker/{}", &ID[1..]), None),
        ] {
            assert_eq!(up_to(&path, &id()), expected, "{path}");
        }
    }
}
