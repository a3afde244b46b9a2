//! Recorded trees: what the kernels of both kinds of machines show, in a folder.

use tempfile::TempDir;

use super::*;

const ID: &str = "7a5174b0469148b16da8d36e742c38a863887d5ba065511c65951d0b37ae8259";

fn id() -> ContainerId {
    ContainerId(ID.to_owned())
}

/// A machine of its own: a process file system and the hierarchies that it says are mounted.
struct Machine {
    folder: TempDir,
}

impl Machine {
    fn new(mounts: &[(&str, &str, &str)]) -> Self {
        let machine = Self { folder: tempfile::tempdir().unwrap() };
        let mut mountinfo = "23 1 0:21 / /proc rw - proc proc rw\n".to_owned();
        for (at, kind, options) in mounts {
            let at = machine.path(at);
            mountinfo += &mounts::mountinfo_line("/", &at, kind, options);
        }
        machine.write("proc/self/mountinfo", &mountinfo);
        machine.write("proc/meminfo", "MemTotal:       1048576 kB\nMemFree: 5 kB\n");
        machine
    }

    /// Recorded on Linux 6.1 with Docker 24, systemd driver.
    fn v2(group: &str) -> Self {
        let machine = Self::new(&[("cg", "cgroup2", "nsdelegate")]);
        machine.v2_files(group);
        machine
    }

    fn v2_files(&self, group: &str) {
        for (name, text) in [
            ("cgroup.procs", "812\n790\n"),
            ("memory.current", "3000000\n"),
            ("memory.max", "8388608\n"),
            (
                "memory.stat",
                "anon 1400000\nfile 1500000\nkernel 90000\nshmem 100000\ninactive_anon 1490000\n\
                 active_anon 10000\ninactive_file 1000000\nactive_file 500000\nunevictable 0\n",
            ),
            (
                "cpu.stat",
                "usage_usec 2500000\nuser_usec 2000000\nsystem_usec 500000\nnr_periods 40\n\
                 nr_throttled 10\nthrottled_usec 900\n",
            ),
            ("cpu.max", "50000 100000\n"),
            ("io.stat", "259:0 rbytes=4096 wbytes=512 rios=1 wios=1 dbytes=0 dios=0\n"),
            ("pids.current", "7\n"),
            ("pids.max", "100\n"),
        ] {
            self.write(&format!("cg{group}/{name}"), text);
        }
        self.process(790, 500);
        self.process(812, 900);
    }

    /// Recorded on Linux 6.1 with Docker 20.10, cgroupfs driver.
    fn v1(group: &str) -> Self {
        let machine = Self::new(&[
            ("cg/memory", "cgroup", "memory"),
            ("cg/cpu,cpuacct", "cgroup", "cpu,cpuacct"),
            ("cg/blkio", "cgroup", "blkio"),
            ("cg/pids", "cgroup", "pids"),
            ("cg/unified", "cgroup2", "nsdelegate"),
        ]);
        for (name, text) in [
            ("memory,cgroup.procs", "790\n812\n"),
            ("memory,memory.usage_in_bytes", "3000000\n"),
            ("memory,memory.limit_in_bytes", "9223372036854771712\n"),
            (
                "memory,memory.stat",
                "cache 1600000\nrss 1400000\nshmem 100000\ninactive_anon 1\ninactive_file 2\n\
                 hierarchical_memory_limit 9223372036854771712\ntotal_cache 1600000\n\
                 total_rss 1400000\ntotal_inactive_anon 1490000\ntotal_active_anon 10000\n\
                 total_inactive_file 1000000\ntotal_active_file 500000\n",
            ),
            ("cpu,cpuacct,cpuacct.usage", "2500000000\n"),
            ("cpu,cpuacct,cpu.stat", "nr_periods 40\nnr_throttled 10\nthrottled_time 900\n"),
            ("cpu,cpuacct,cpu.cfs_quota_us", "50000\n"),
            ("cpu,cpuacct,cpu.cfs_period_us", "100000\n"),
            (
                "blkio,blkio.throttle.io_service_bytes",
                "254:0 Read 4096\n254:0 Write 512\n254:0 Total 4608\nTotal 4608\n",
            ),
            ("pids,pids.current", "7\n"),
            ("pids,pids.max", "max\n"),
        ] {
            let (controller, name) = name.rsplit_once(',').unwrap();
            machine.write(&format!("cg/{controller}{group}/{name}"), text);
        }
        machine.process(790, 500);
        machine.process(812, 900);
        machine
    }

    fn process(&self, pid: u32, began: u64) {
        let stat = format!("{pid} (sh) S 1 1 1 0 -1 0 0 0 0 0 1 2 3 4 20 0 1 0 {began} 1000 2");
        self.write(&format!("proc/{pid}/stat"), &stat);
        let bytes = u64::from(pid) * 10;
        self.write(
            &format!("proc/{pid}/net/dev"),
            &format!("  lo: 9 1 0 0 0 0 0 0 9 1 0 0 0 0 0 0\neth0: {bytes} 1 0 0 0 0 0 0 5 1 0 0 0 0 0 0\n"),
        );
        self.write(&format!("proc/{pid}/limits"), "Max open files   64   128   files\n");
        for fd in 0..3 {
            self.write(&format!("proc/{pid}/fd/{fd}"), "");
        }
    }

    fn path(&self, path: &str) -> PathBuf {
        self.folder.path().join(path)
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.path(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn open(&self) -> Cgroups {
        Cgroups::open(&self.path("proc")).unwrap()
    }

    fn meter(&self, pid: Option<u32>) -> Option<Meter> {
        self.open().meter(&id(), pid)
    }

    fn read(&self, mode: &str) -> Reading {
        let mut cgroups = self.open();
        cgroups.meter(&id(), None).unwrap().read(&mut cgroups, mode).unwrap()
    }
}

/// What both recorded trees say.
fn expected() -> Reading {
    Reading {
        cpu_ns: 2_500_000_000,
        rx: 7900,
        tx: 5,
        read: 4096,
        write: 512,
        periods: Some((40, 10)),
        mem_used: 2_000_000,
        mem_limit: 8 << 20,
        mem_anon: Some(1_500_000),
        pids: 7,
        pids_limit: Some(100),
        cpu_limit_pct: Some(50.0),
        fds: Some(3),
        fds_limit: Some(64),
        ..Reading::default()
    }
}

/// A folder on a disk has a size of its own, which this kernel does not mean as a count.
fn without_time(mut reading: Reading) -> Reading {
    reading.clock_ns = 0;
    reading.fds = reading.fds.map(|_| 3);
    reading
}

#[test]
fn v2_is_read_where_every_engine_puts_its_containers() {
    let uid = process::owner(Path::new("/proc")).unwrap();
    let rootless = format!("/user.slice/user-{uid}.slice/user@{uid}.service/user.slice");
    for group in [
        format!("/docker/{ID}"),
        format!("/system.slice/docker-{ID}.scope"),
        format!("/machine.slice/libpod-{ID}.scope"),
        format!("{rootless}/docker-{ID}.scope"),
    ] {
        let machine = Machine::v2(&group);
        machine.write("proc/self/stat", "");
        assert_eq!(without_time(machine.read("net")), expected(), "{group}");
    }
}

#[test]
fn v1_is_read_the_same() {
    for group in [format!("/docker/{ID}"), format!("/system.slice/docker-{ID}.scope")] {
        let machine = Machine::v1(&group);
        let read = without_time(machine.read("net"));
        // No limit: the machine's memory, as the engine says; and as many processes as it likes.
        assert_eq!(read, Reading { mem_limit: 1 << 30, pids_limit: None, ..expected() }, "{group}");
    }
}

#[test]
fn an_unusual_parent_is_found_through_the_process_that_the_engine_names() {
    let machine = Machine::v2(&format!("/mine.slice/docker-{ID}.scope"));
    assert!(machine.meter(None).is_none());
    machine.write("proc/790/cgroup", &format!("0::/mine.slice/docker-{ID}.scope/init.scope\n"));
    assert!(machine.meter(Some(790)).is_some());
    // With both hierarchies, each controller has its own line.
    let machine = Machine::v1(&format!("/mine/{ID}"));
    assert!(machine.meter(None).is_none());
    let lines = ["9:memory:", "8:cpu,cpuacct:", "7:blkio:", "6:pids:", "0::"]
        .map(|line| format!("{line}/mine/{ID}\n"))
        .concat();
    machine.write("proc/790/cgroup", &lines);
    assert!(machine.meter(Some(790)).is_some());
}

#[test]
fn a_process_of_the_same_number_that_is_another_ones_is_not_read() {
    // The engine is in a virtual machine: its number 790 is somebody else here.
    let machine = Machine::v2("/docker/aaaa");
    machine.write("proc/790/cgroup", "0::/user.slice/session-1.scope\n");
    assert!(machine.meter(Some(790)).is_none());
    machine.write("proc/790/cgroup", &format!("0::/docker/{}\n", "a".repeat(64)));
    assert!(machine.meter(Some(790)).is_none());
    assert!(machine.meter(Some(4_000_000)).is_none());
    // A group that is named but not seen here: another part of the hierarchy is mounted.
    machine.write("proc/790/cgroup", &format!("0::/../docker/{ID}\n"));
    assert!(machine.meter(Some(790)).is_none());
}

#[test]
fn a_container_on_the_machines_network_has_no_traffic_of_its_own() {
    let machine = Machine::v2(&format!("/docker/{ID}"));
    let read = machine.read("host");
    assert_eq!((read.rx, read.tx), (0, 0));
    assert_eq!(read.pids, 7);
}

#[test]
fn no_limits_are_none_and_what_is_not_delegated_is_left_out() {
    let group = format!("/docker/{ID}");
    let machine = Machine::v2(&group);
    for name in ["memory.max", "pids.max"] {
        machine.write(&format!("cg{group}/{name}"), "max\n");
    }
    machine.write(&format!("cg{group}/cpu.max"), "max 100000\n");
    fs::remove_file(machine.path(&format!("cg{group}/io.stat"))).unwrap();
    let read = machine.read("net");
    assert_eq!(read.mem_limit, 1 << 30);
    assert_eq!((read.pids_limit, read.cpu_limit_pct, read.periods), (None, None, None));
    assert_eq!((read.read, read.write), (0, 0));
}

#[test]
fn files_that_vanish_mean_that_it_stopped_and_others_are_an_error() {
    let group = format!("/docker/{ID}");
    let machine = Machine::v2(&group);
    let mut cgroups = machine.open();
    // An open file of a removed group is none on a real kernel, but goes on in a folder on a disk.
    cgroups.expect(usize::MAX);
    let mut meter = cgroups.meter(&id(), None).unwrap();
    assert!(meter.read(&mut cgroups, "net").is_ok());
    machine.write(&format!("cg{group}/memory.current"), "garbage\n");
    assert!(!is_over(&meter.read(&mut cgroups, "net").unwrap_err()));
    fs::remove_dir_all(machine.path(&format!("cg{group}"))).unwrap();
    assert!(is_over(&meter.read(&mut cgroups, "net").unwrap_err()));
    assert!(cgroups.meter(&id(), None).is_none());
}

#[test]
fn the_main_process_is_the_oldest_and_is_looked_for_again_when_it_ended() {
    let group = format!("/docker/{ID}");
    let machine = Machine::v2(&group);
    let mut cgroups = machine.open();
    let mut meter = cgroups.meter(&id(), None).unwrap();
    assert_eq!(meter.read(&mut cgroups, "net").unwrap().rx, 7900);
    fs::remove_dir_all(machine.path("proc/790")).unwrap();
    assert_eq!(meter.read(&mut cgroups, "net").unwrap().rx, 8120);
    // The container ended, its group is about to go.
    fs::remove_dir_all(machine.path("proc/812")).unwrap();
    assert!(is_over(&meter.read(&mut cgroups, "net").unwrap_err()));
}

#[test]
fn processes_in_groups_below_are_found() {
    let group = format!("/docker/{ID}");
    let machine = Machine::v2(&group);
    machine.write(&format!("cg{group}/cgroup.procs"), "");
    machine.write(&format!("cg{group}/init.scope/cgroup.procs"), "0\n790\n");
    assert_eq!(machine.read("net").rx, 7900);
}

#[test]
fn a_machine_without_control_groups_says_so() {
    let machine = Machine::new(&[]);
    assert!(Cgroups::open(&machine.path("proc")).is_err());
    assert!(Cgroups::open(&machine.path("nothing")).is_err());
}
