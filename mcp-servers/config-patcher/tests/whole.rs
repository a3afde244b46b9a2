//! The whole of a container's description before and after a recreate, not chosen fields: whatever
//! differs and is not on the list of what may differ fails the test by its place.

use std::collections::BTreeMap;

use config_patcher::server::ConfigPatcher;
use mcp_kit::Settings;
use mcp_kit::testing::{Bench, Client, Outcome, bad, client, good};
use serde_json::{Value, json};

const TOOL: &str = "update_env_vars";
const ROLLBACK: &str = "rollback_container";

struct Set {
    bench: Bench,
    client: Client,
    front: String,
    back: String,
    byte: u8,
    _state: tempfile::TempDir,
}

/// A server, and two networks of which the first has a subnet that addresses can be asked of.
async fn set() -> Outcome<Set> {
    let bench = Bench::new("cw")?;
    let state = tempfile::tempdir().map_err(|e| e.to_string())?;
    let settings = Settings { state_dir: Some(state.path().to_owned()), ..bench.settings() };
    let client = client(ConfigPatcher::new(settings)).await?;
    let byte = bench.prefix.bytes().fold(7_u8, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte));
    let (front, back) = (bench.name("front"), bench.name("back"));
    let subnet = json!({"Config": [{"Subnet": format!("10.215.{byte}.0/24")}]});
    bench.post("/networks/create", Some(&json!({"Name": front, "IPAM": subnet}))).await?;
    bench.post("/networks/create", Some(&json!({"Name": back}))).await?;
    Ok(Set { bench, client, front, back, byte, _state: state })
}

impl Set {
    /// A container with all that can be asked of this engine without hardware.
    fn everything(&self) -> Value {
        let mut body = self.bench.body(
            "test -e '/a file' || { echo one > /anon/x; echo two > /named/x; echo 3 > /mounted/x; \
             mkdir -p /var/kept; echo four > /var/kept/x; echo three > '/a file'; rm /bin/true; }; \
             trap 'exit 0' TERM; while :; do sleep 0.1; done",
        );
        body["Env"] = json!(["MODE=old", "KEEP=a b=c", "SECRET=hunter2", "EMPTY="]);
        body["Labels"]["com.docker.compose.project"] = json!("shop");
        body["Labels"]["com.docker.compose.service"] = json!("api");
        body["Labels"]["odd \" label"] = json!("odd ' value\n\u{1b}[31m");
        body["Hostname"] = json!("api-host");
        body["Domainname"] = json!("example.test");
        body["User"] = json!("0:0");
        body["WorkingDir"] = json!("/var");
        body["Tty"] = json!(true);
        body["OpenStdin"] = json!(true);
        body["StopSignal"] = json!("SIGTERM");
        body["StopTimeout"] = json!(3);
        body["Volumes"] = json!({"/anon": {}});
        body["ExposedPorts"] = json!({"80/tcp": {}, "81/tcp": {}, "53/udp": {}, "9000/tcp": {}});
        body["Healthcheck"] = json!({
            "Test": ["CMD-SHELL", "test \"$MODE\" != broken && test -e '/a file'"],
            "Interval": 200_000_000, "Timeout": 5_000_000_000_u64, "Retries": 3,
            "StartPeriod": 1_000_000_000_u64,
        });
        body["HostConfig"] = json!({
            "NetworkMode": self.front,
            "Binds": [format!("{}:/named", self.bench.name("data")), "/etc/hostname:/host/name:ro"],
            "Mounts": [
                {"Type": "volume", "Target": "/mounted"},
                {"Type": "tmpfs", "Target": "/quick", "TmpfsOptions": {"SizeBytes": 1_048_576}},
            ],
            "Tmpfs": {"/scratch": "size=64k,mode=1777"},
            "PortBindings": {
                "80/tcp": [{"HostIp": "127.0.0.1", "HostPort": ""}],
                "81/tcp": [{"HostIp": "127.0.0.1", "HostPort": format!("{}", 20_000 + u32::from(self.byte))}],
            },
            "RestartPolicy": {"Name": "on-failure", "MaximumRetryCount": 4},
            "Memory": 64 << 20, "MemorySwap": 96 << 20, "MemoryReservation": 32 << 20,
            "NanoCpus": 500_000_000, "CpuShares": 512, "PidsLimit": 64, "OomScoreAdj": 100,
            "ShmSize": 8 << 20, "Init": true,
            "Ulimits": [{"Name": "nofile", "Soft": 100, "Hard": 200}],
            "CapAdd": ["NET_ADMIN"], "CapDrop": ["NET_RAW", "MKNOD"],
            "SecurityOpt": ["no-new-privileges"], "GroupAdd": ["1234"],
            "Dns": ["127.0.0.53"], "DnsSearch": ["example.test"], "DnsOptions": ["ndots:2"],
            "ExtraHosts": ["one:127.0.0.1", "two:127.0.0.2"],
            "Sysctls": {"net.ipv4.ip_local_port_range": "20000 30000"},
            "Devices": [{"PathOnHost": "/dev/null", "PathInContainer": "/dev/nothing", "CgroupPermissions": "rw"}],
            "LogConfig": {"Type": "json-file", "Config": {"max-size": "1m", "max-file": "2"}},
            "MaskedPaths": ["/proc/kcore"], "ReadonlyPaths": ["/proc/bus"],
        });
        body["NetworkingConfig"] = json!({"EndpointsConfig": {&self.front: {
            "Aliases": ["web", "api.internal"],
            "IPAMConfig": {"IPv4Address": format!("10.215.{}.77", self.byte)},
        }}});
        body
    }

    /// Runs it on both networks and waits until it has written its files.
    async fn run(&self) -> Outcome<Value> {
        let id = self.bench.create("api", &self.everything()).await?;
        let endpoint = json!({"Container": id, "EndpointConfig": {"Aliases": ["worker"]}});
        let path = format!("/networks/{}/connect", self.back);
        self.bench.post(&path, Some(&endpoint)).await?;
        self.bench.post(&format!("/containers/{id}/start"), None).await?;
        self.bench.until("api", |now| now["State"]["Health"]["Status"] == "healthy").await
    }

    async fn holds(&self, id: &str, path: &str) -> bool {
        let ask = format!("/containers/{id}/archive?path={path}");
        self.bench.engine.get(&ask, "look at a file").await.is_ok()
    }
}

/// Every place at which two values differ, as JSON pointers, with what stands there.
fn differences(before: &Value, after: &Value) -> BTreeMap<String, (Value, Value)> {
    fn walk(at: &str, one: &Value, two: &Value, found: &mut BTreeMap<String, (Value, Value)>) {
        match (one, two) {
            (Value::Object(a), Value::Object(b)) => {
                let keys: std::collections::BTreeSet<&String> = a.keys().chain(b.keys()).collect();
                for key in keys {
                    let next = format!("{at}/{}", key.replace('~', "~0").replace('/', "~1"));
                    let side = |map: &serde_json::Map<String, Value>| {
                        map.get(key).cloned().unwrap_or(Value::Null)
                    };
                    walk(&next, &side(a), &side(b), found);
                }
            }
            (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
                for (place, (one, two)) in a.iter().zip(b).enumerate() {
                    walk(&format!("{at}/{place}"), one, two, found);
                }
            }
            (one, two) if one == two => {}
            (one, two) => {
                found.insert(at.to_owned(), (one.clone(), two.clone()));
            }
        }
    }
    let mut found = BTreeMap::new();
    walk("", &ordered(before), &ordered(after), &mut found);
    found
}

/// The engine tells the mounts in any order, and has none.
fn ordered(inspect: &Value) -> Value {
    let mut inspect = inspect.clone();
    if let Some(mounts) = inspect.get_mut("Mounts").and_then(Value::as_array_mut) {
        mounts.sort_by_key(|mount| mount["Destination"].to_string());
    }
    inspect
}

/// What may differ between two runs of one container: nothing that anybody asked for.
#[expect(clippy::match_same_arms, reason = "each arm is a reason of its own")]
fn is_of_a_run(place: &str) -> bool {
    let parts: Vec<&str> = place.split('/').skip(1).collect();
    match parts.as_slice() {
        ["State", "Pid" | "StartedAt" | "FinishedAt" | "Health" | "ExitCode", ..] => true,
        ["ExecIDs", ..] => true,
        ["NetworkSettings", "SandboxID" | "SandboxKey"] => true,
        // A host port that the engine chose: 81 was asked for by number.
        ["NetworkSettings", "Ports", "80~1tcp", _, "HostPort"] => true,
        ["NetworkSettings", "Networks", _, "EndpointID"] => true,
        ["NetworkSettings", "Networks", network, "IPAddress" | "MacAddress"] => {
            // The address on the first network was asked for, and with it goes the other.
            network.ends_with("-back")
        }
        _ => false,
    }
}

/// What may differ between a container and its successor (DESIGN §7), beyond its runs.
#[expect(clippy::match_same_arms, reason = "each arm is a reason of its own")]
fn is_of_a_recreate(place: &str) -> bool {
    let parts: Vec<&str> = place.split('/').skip(1).collect();
    match parts.as_slice() {
        [
            "Id" | "Created" | "Image" | "ResolvConfPath" | "HostnamePath" | "HostsPath"
            | "LogPath",
        ] => true,
        ["GraphDriver", "Data", ..] => true,
        // The image that carries the written files.
        ["Config", "Image"] => true,
        // An anonymous volume gets its own name, so that the successor has the same one.
        ["HostConfig", "Mounts", "0", "Source"] => true,
        ["HostConfig", "Binds"] => true,
        // Looked at by destination in `mounts`, since their order is the engine's.
        ["Mounts", ..] => true,
        // The short id, which the engine adds as an alias: looked at in `aliases`.
        ["NetworkSettings", "Networks", _, "Aliases", ..] => true,
        _ => is_of_a_run(place),
    }
}

/// Mounts by destination, without what only says how they were asked for.
fn mounts(inspect: &Value) -> BTreeMap<String, Value> {
    let all = inspect["Mounts"].as_array().cloned().unwrap_or_default();
    all.into_iter()
        .map(|mut mount| {
            if let Some(fields) = mount.as_object_mut() {
                // `nocopy` of a carried volume: it must not be filled again.
                fields.remove("Mode");
            }
            (mount["Destination"].as_str().unwrap_or_default().to_owned(), mount)
        })
        .collect()
}

/// Names on a network, without the short id.
fn aliases(inspect: &Value, network: &str) -> Vec<String> {
    let short = inspect["Id"].as_str().unwrap_or_default().get(..12).unwrap_or_default().to_owned();
    let all = inspect["NetworkSettings"]["Networks"][network]["Aliases"].as_array().cloned();
    let texts = all.unwrap_or_default();
    texts.iter().filter_map(Value::as_str).filter(|a| *a != short).map(str::to_owned).collect()
}

/// Everything that must be the same after a recreate of `before`.
fn assert_survived(set: &Set, before: &Value, after: &Value) {
    let mut wrong = differences(before, after);
    wrong.retain(|place, _| !is_of_a_recreate(place) && !place.starts_with("/Config/Env"));
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert_eq!(mounts(after), mounts(before));
    for network in [&set.front, &set.back] {
        assert_eq!(aliases(after, network), aliases(before, network), "{network}");
    }
    let state = |inspect: &Value| {
        (inspect["State"]["Status"].clone(), inspect["State"]["Health"]["Status"].clone())
    };
    assert_eq!(state(after), state(before));
    // Binds may only grow, by anonymous volumes under their own names.
    let binds = |inspect: &Value| -> Vec<String> {
        let all = inspect["HostConfig"]["Binds"].as_array().cloned().unwrap_or_default();
        all.iter().filter_map(Value::as_str).map(str::to_owned).collect()
    };
    let (asked, now) = (binds(before), binds(after));
    let new: Vec<_> = now.iter().filter(|bind| !asked.contains(bind)).collect();
    assert!(asked.iter().all(|bind| now.contains(bind)), "{asked:?} -> {now:?}");
    let anonymous = mounts(before)["/anon"]["Name"].as_str().unwrap_or_default().to_owned();
    assert!(new.iter().all(|bind| bind.starts_with(&format!("{anonymous}:/anon:"))), "{new:?}");
}

#[tokio::test]
#[ignore = "needs a Docker engine: run scripts/test.sh"]
async fn nothing_but_the_named_variables_differs_afterwards() {
    let set = set().await.unwrap();
    let before = set.run().await.unwrap();
    let name = set.bench.name("api");
    let updates = json!({"MODE": "new", "EMPTY": null, "ADDED": "x y"});
    let asked = json!({"container_name": name, "env_updates": updates});
    let done = good(&set.client, TOOL, asked).await.unwrap();
    let after = set.bench.inspect("api").await.unwrap();
    assert_eq!(after["Id"], done["new_container_id"]);
    assert_survived(&set, &before, &after);
    let expected: Vec<Value> = before["Config"]["Env"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|pair| !["MODE=old", "EMPTY="].contains(&pair.as_str().unwrap()))
        .cloned()
        .collect();
    let env = after["Config"]["Env"].as_array().unwrap();
    let (kept, new): (Vec<_>, Vec<_>) = env.iter().cloned().partition(|p| expected.contains(p));
    assert_eq!((kept, new), (expected, vec![json!("MODE=new"), json!("ADDED=x y")]));

    let id = after["Id"].as_str().unwrap();
    for (path, there) in [
        ("/a%20file", true),
        ("/var/kept/x", true),
        ("/anon/x", true),
        ("/named/x", true),
        ("/mounted/x", true),
        ("/bin/true", false),
    ] {
        assert_eq!(set.holds(id, path).await, there, "{path}");
    }
    // What may differ is told.
    let notes = done["notes"].to_string();
    for word in ["port 80/tcp", "contents of tmpfs are lost: /quick, /scratch"] {
        assert!(notes.contains(word), "{word}: {notes}");
    }

    // And back again: the container as it was before, its files since kept.
    let back = good(&set.client, ROLLBACK, json!({"container_name": name})).await.unwrap();
    let restored = set.bench.inspect("api").await.unwrap();
    assert_eq!(restored["Id"], back["new_container_id"]);
    assert_survived(&set, &before, &restored);
    assert_eq!(restored["Config"]["Env"], before["Config"]["Env"]);
    assert!(set.holds(restored["Id"].as_str().unwrap(), "/var/kept/x").await);
}

#[tokio::test]
#[ignore = "needs a Docker engine: run scripts/test.sh"]
async fn a_way_back_leaves_the_very_same_container() {
    let set = set().await.unwrap();
    let before = set.run().await.unwrap();
    let asked = json!({"container_name": set.bench.name("api"), "env_updates": {"MODE": "broken"}});
    let error = bad(&set.client, TOOL, asked).await.unwrap();
    assert_eq!(error["code"], "rolled_back", "{error}");
    let healthy = |now: &Value| now["State"]["Health"]["Status"] == "healthy";
    let after = set.bench.until("api", healthy).await.unwrap();
    let mut wrong = differences(&before, &after);
    wrong.retain(|place, _| !is_of_a_run(place));
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert_eq!(set.bench.names().await.unwrap(), [set.bench.name("api")]);
}

#[test]
fn a_difference_is_seen_wherever_it_is() {
    let before = json!({"HostConfig": {"Memory": 1, "Binds": ["a"]}, "List": [1, {"x": 2}]});
    let mut after = before.clone();
    assert!(differences(&before, &after).is_empty());
    after["HostConfig"]["Memory"] = json!(2);
    after["List"][1]["x"] = json!(3);
    after["New"] = json!(true);
    let found = differences(&before, &after);
    let places: Vec<&str> = found.keys().map(String::as_str).collect();
    assert_eq!(places, ["/HostConfig/Memory", "/List/1/x", "/New"]);
    assert!(!places.iter().any(|place| is_of_a_recreate(place)), "none of these may differ");
}
