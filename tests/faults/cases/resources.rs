//! Memory, processors, processes, files, disks, health checks.

use crate::cases::{Case, act, right};
use crate::stage::part;

const WAITS: &str =
    "until [ -e /fault ]; do echo \"INFO tick $((n=n+1))\"; sleep 0.2; done; rm /fault;";
const BEATS: &str = "while :; do touch /beat; echo \"INFO beat $((n=n+1))\"; sleep 0.3; done";
const BEAT_IS_FRESH: &str = "test $(( $(date +%s) - $(stat -c %Y /beat) )) -lt 3";

macro_rules! script {
    ($($part:expr),*) => { &[$($part),*].concat() };
}

pub const CASES: [Case; 13] = [
    Case {
        name: "memory kill of the main process",
        right: Some(right(&["oom_kill"], "api", Some(("update_resources", "api")), true)),
        wait: 40,
        set: act!(|s| {
            let eats = script!(WAITS, "exec dd if=/dev/zero of=/dev/null bs=40M count=1");
            s.run(part("api", eats).memory(32)).await?
        }),
        act: act!(|s| { s.touch("api").await? }),
    },
    Case {
        name: "memory kill of a child",
        right: Some(right(&["oom_kill"], "api", Some(("update_resources", "api")), true)),
        wait: 60,
        set: act!(|s| {
            let eats = script!(
                WAITS,
                "dd if=/dev/zero of=/dev/null bs=40M count=1; while :; do echo \"INFO goes on $((n=n+1))\"; sleep 0.3; done"
            );
            s.run(part("api", eats).memory(32)).await?
        }),
        act: act!(|s| { s.touch("api").await? }),
    },
    Case {
        name: "memory kill again and again under a restart policy",
        right: Some(right(&["oom_kill"], "api", Some(("update_resources", "api")), true)),
        wait: 60,
        set: act!(|s| {
            // Without a fault it stays below; with it, it needs more than it may have.
            let eats = "while :; do [ -e /fault ] && dd if=/dev/zero of=/dev/null bs=40M count=1 2>/dev/null; [ -e /fault ] && [ $? != 0 ] && exit 137; echo \"INFO tick $((n=n+1))\"; sleep 0.3; done";
            s.run(part("api", eats).memory(32).always()).await?
        }),
        act: act!(|s| { s.touch("api").await? }),
    },
    Case {
        name: "leak towards a limit",
        right: Some(right(&["memory_leak"], "api", Some(("restart_container", "api")), true)),
        wait: 150,
        set: act!(|s| {
            let leaks = "while :; do [ -e /fault ] && dd if=/dev/zero bs=65536 count=3 2>/dev/null >>/dev/shm/kept; echo \"INFO tick $((n=n+1))\"; sleep 0.25; done";
            s.run(part("api", leaks).memory(64)).await?
        }),
        act: act!(|s| { s.touch("api").await? }),
    },
    Case {
        name: "processor quota too small",
        right: Some(right(&["cpu_throttled"], "api", Some(("update_resources", "api")), true)),
        wait: 240,
        set: act!(|s| {
            // It needs about an eighth of a core in small pieces: a tenth is too small, half as
            // much again is enough. What it does in 200 ms of processor time is counted first.
            let works = script!(
                "ticks() { set -- $(cat /proc/$$/stat); t=$((${14}+${15})); }; spin() { i=0; while [ $i -lt $1 ]; do i=$((i+1)); done; };",
                "ticks; a=$t; k=0; while ticks; [ $((t-a)) -lt 20 ]; do spin 500; k=$((k+500)); done;",
                WAITS,
                "while :; do spin $((k/100)); usleep 20000; done"
            );
            s.run(part("api", works).cpus(10)).await?
        }),
        act: act!(|s| { s.touch("api").await? }),
    },
    Case {
        name: "hang behind a health check",
        right: Some(right(&["hang"], "api", Some(("restart_container", "api")), true)),
        wait: 60,
        set: act!(|s| {
            s.run(part("api", BEATS).probed(BEAT_IS_FRESH)).await?;
            s.pause(3).await;
        }),
        act: act!(|s| { s.signal("api", "-STOP").await? }),
    },
    Case {
        name: "health check with a program that is not there",
        right: Some(right(&["bad_healthcheck"], "api", None, false)),
        wait: 40,
        set: act!(|s| { s.run(part("web", BEATS)).await? }),
        act: act!(|s| {
            s.run(part("api", BEATS).probed("curl -fsS http://127.0.0.1:8080/health")).await?
        }),
    },
    Case {
        name: "health check that asks the wrong port",
        right: Some(right(&["bad_healthcheck"], "api", None, false)),
        wait: 40,
        set: act!(|s| { s.run(part("web", BEATS)).await? }),
        act: act!(|s| {
            s.run(part("api", BEATS).probed(
                "grep -q :270F /proc/net/tcp || { echo no listener on port 9999; exit 1; }",
            ))
            .await?
        }),
    },
    Case {
        name: "disk in memory is full",
        right: Some(right(&["disk_full"], "api", None, false)),
        wait: 30,
        set: act!(|s| {
            let fills = script!(
                WAITS,
                "while :; do n=$((n+1)); dd if=/dev/zero of=/data/x$n bs=65536 count=8 2>/tmp/out || grep -v records /tmp/out >&2; echo \"INFO wrote $n\"; sleep 0.3; done"
            );
            s.run(part("api", fills).tmpfs("/data", "size=1m")).await?
        }),
        act: act!(|s| { s.touch("api").await? }),
    },
    Case {
        name: "file system that is read-only by design",
        right: Some(right(&["read_only_fs"], "api", None, false)),
        wait: 30,
        set: act!(|s| { s.run(part("web", BEATS)).await? }),
        act: act!(|s| {
            let writes = "sleep 4; while :; do echo x >/state.json; echo \"INFO tick $((n=n+1))\"; sleep 0.4; done";
            s.run(part("api", writes).read_only()).await?
        }),
    },
    Case {
        name: "file that it may not read",
        right: Some(right(&["permission_denied"], "api", None, false)),
        wait: 30,
        set: act!(|s| { s.run(part("web", BEATS)).await? }),
        act: act!(|s| {
            let reads = "sleep 4; while :; do touch /etc/state || true; echo \"INFO tick $((n=n+1))\"; sleep 0.4; done";
            s.run(part("api", reads).user("65534")).await?
        }),
    },
    Case {
        name: "out of file descriptors",
        right: Some(right(&["fd_exhaustion"], "api", Some(("restart_container", "api")), true)),
        wait: 60,
        set: act!(|s| {
            let opens = "until [ -e /fault ]; do echo \"INFO tick $((n=n+1))\"; sleep 0.2; done; rm /fault; while :; do n=$((n+1)); echo \"ERROR accept4: too many open files (24) at connection $n\" >&2; sleep 0.3; done";
            s.run(part("api", opens).files(32)).await?
        }),
        act: act!(|s| { s.touch("api").await? }),
    },
    Case {
        name: "out of processes",
        right: Some(right(&["pid_limit"], "api", Some(("restart_container", "api")), true)),
        wait: 60,
        set: act!(|s| {
            // The shell itself lives on: after the fault it only uses what is built into it.
            let forks = script!(
                "mkfifo /never; exec 3<>/never;",
                WAITS,
                "i=0; while [ $i -lt 10 ]; do sleep 600 & i=$((i+1)); done; (/bin/true) & while :; do read -t 1 x <&3; echo 'ERROR cannot fork: Resource temporarily unavailable' >&2; done"
            );
            s.run(part("api", forks).pids(12)).await?
        }),
        act: act!(|s| { s.touch("api").await? }),
    },
];
