//! Fixed looks inside a container: commands that are compiled in and change nothing.
//!
//! A caller chooses which look, and for some of them at which neighbour; no word of a caller becomes
//! part of a command. Names and ports in it are the engine's own: a neighbour is a watched container
//! on a network of both, its port one that its own description exposes.

use std::time::Duration;

use mcp_kit::engine::Engine;
use mcp_kit::failure::Failure;
use mcp_kit::target::{Target, is_name};
use serde_json::Value;

use crate::arguments::{Look, Probe};
use crate::exec;
use crate::results::Probed;

/// How long a look may take. The commands that wait for a peer give up earlier by themselves.
const LIMIT: Duration = Duration::from_secs(10);
/// The longest name that gets into a command, in bytes.
const NAME_MAX: usize = 253;
/// Networks without names of their own.
const NAMELESS: [&str; 3] = ["bridge", "host", "none"];

/// One word of a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Word {
    /// As it stands.
    Is(&'static str),
    /// The neighbour's name.
    Name,
    /// The neighbour's port.
    Port,
    /// `http://NAME:PORT/`.
    Url,
}

use Word::{Is, Name, Port, Url};

/// The commands: the next spelling is for images in which the one before is not known. None writes,
/// none has a shell, each ends by itself.
fn commands(probe: Probe) -> &'static [&'static [Word]] {
    match probe {
        Probe::Disk => &[&[Is("df"), Is("-k")]],
        Probe::Inodes => &[&[Is("df"), Is("-i")]],
        Probe::Memory => &[&[Is("cat"), Is("/proc/meminfo")]],
        Probe::Processes => &[&[Is("ps")]],
        Probe::Limits => &[&[Is("cat"), Is("/proc/1/limits")]],
        Probe::Mounts => &[&[Is("cat"), Is("/proc/mounts")]],
        Probe::Sockets => &[&[Is("cat"), Is("/proc/net/tcp")]],
        Probe::Resolver => &[&[Is("cat"), Is("/etc/resolv.conf")]],
        Probe::Hosts => &[&[Is("cat"), Is("/etc/hosts")]],
        Probe::Resolve => &[&[Is("nslookup"), Name], &[Is("getent"), Is("hosts"), Name]],
        Probe::Connect => &[
            &[Is("nc"), Is("-z"), Is("-w"), Is("3"), Name, Port],
            // An nc without -z: it runs `true` once it is connected.
            &[Is("nc"), Is("-w"), Is("3"), Name, Port, Is("-e"), Is("true")],
        ],
        // A question for the page's head only. Not every wget takes a timeout; ours ends it.
        Probe::Http => &[
            &[Is("wget"), Is("-q"), Is("--spider"), Url],
            &[Is("curl"), Is("-sS"), Is("-I"), Is("-m"), Is("3"), Is("-o"), Is("/dev/null"), Url],
        ],
    }
}

/// Whether the image does not know the program, or the program not the option.
fn is_unknown(ran: &exec::Ran) -> bool {
    const WORDS: [&str; 4] =
        ["invalid option", "unrecognized option", "illegal option", "executable file not found"];
    let failed = ran.exit_code.is_some_and(|code| code != 0);
    failed
        && (matches!(ran.exit_code, Some(126 | 127))
            || WORDS.iter().any(|word| ran.output.contains(word)))
}

/// Looks, and gives what was seen.
pub async fn run(engine: &Engine, asked: Look) -> Result<Probed, Failure> {
    let spellings = commands(asked.probe);
    let words = spellings.concat();
    let container = engine.watched(&asked.container_name).await?;
    if !container.switch("/State/Running") || container.switch("/State/Paused") {
        return Err(Failure::Conflict(format!(
            "{} is {}; a look inside needs a running container",
            container.name,
            container.status()
        )));
    }
    let peer = match (needs_peer(&words), &asked.target) {
        (false, None) => None,
        (false, Some(_)) => {
            return Err(Failure::Invalid(format!(
                "the probe {} looks at {} itself; leave target out",
                asked.probe.as_str(),
                container.name
            )));
        }
        (true, None) => {
            return Err(Failure::Invalid(format!(
                "the probe {} looks at a neighbour; name it in target",
                asked.probe.as_str()
            )));
        }
        (true, Some(name)) => {
            let found = engine.watched(name).await?;
            Some(peer(&container, &found, words.iter().any(|w| matches!(w, Port | Url)))?)
        }
    };
    let mut spellings = spellings.iter().map(|words| spelled(words, peer.as_ref()));
    let mut command = spellings.next().unwrap_or_default();
    let mut ran = exec::execute(engine, &container, &command, LIMIT).await?;
    for other in spellings {
        if !is_unknown(&ran) {
            break;
        }
        command = other;
        ran = exec::execute(engine, &container, &command, LIMIT).await?;
    }
    Ok(Probed {
        success: ran.error.is_none(),
        probe: asked.probe,
        target: peer.map(|peer| peer.name),
        output: ran.output,
        exit_code: ran.exit_code,
        command: mcp_kit::text::line(&command.join(" ")),
        timed_out: ran.killed.is_some(),
        truncated: ran.truncated,
        duration_ms: ran.duration_ms,
        code: ran.error.as_ref().map(|_| ran.code.to_owned()),
        error: ran.error,
        container: container.name.clone(),
        container_id: container.id.clone(),
    })
}

/// A neighbour as a command may name it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Peer {
    name: String,
    port: Option<u16>,
}

fn needs_peer(words: &[Word]) -> bool {
    words.iter().any(|word| !matches!(word, Is(_)))
}

/// The neighbour by what the engine says of both.
fn peer(container: &Target, found: &Target, needs_port: bool) -> Result<Peer, Failure> {
    let conflict = |text: String| Err(Failure::Conflict(text));
    if container.id == found.id {
        return conflict(format!("{} is no neighbour of itself", container.name));
    }
    let shared = networks(container).into_iter().any(|network| networks(found).contains(&network));
    if !shared {
        return conflict(format!(
            "{} and {} share no network with names, so one cannot reach the other by name",
            container.name, found.name
        ));
    }
    if !is_name(&found.name, NAME_MAX) {
        return conflict(format!("{} is no name that a command may hold", found.name));
    }
    let port = lowest_port(&found.inspect);
    if needs_port && port.is_none() {
        return conflict(format!(
            "{} exposes no TCP port, so there is none to try; EXPOSE one in its image",
            found.name
        ));
    }
    Ok(Peer { name: found.name.clone(), port })
}

/// Ids of the networks on which names mean something.
fn networks(target: &Target) -> Vec<&str> {
    let all = target.inspect.pointer("/NetworkSettings/Networks").and_then(Value::as_object);
    all.into_iter()
        .flatten()
        .filter(|(name, _)| !NAMELESS.contains(&name.as_str()))
        .filter_map(|(_, endpoint)| endpoint.get("NetworkID").and_then(Value::as_str))
        .filter(|id| !id.is_empty())
        .collect()
}

/// The lowest TCP port that a container's description exposes.
fn lowest_port(inspect: &Value) -> Option<u16> {
    let exposed = inspect.pointer("/Config/ExposedPorts").and_then(Value::as_object)?;
    exposed.keys().filter_map(|key| key.strip_suffix("/tcp")?.parse().ok()).min()
}

fn spelled(words: &[Word], peer: Option<&Peer>) -> Vec<String> {
    let name = peer.map(|peer| peer.name.as_str()).unwrap_or_default();
    let port = peer.and_then(|peer| peer.port).unwrap_or_default();
    words
        .iter()
        .map(|word| match word {
            Is(text) => (*text).to_owned(),
            Name => name.to_owned(),
            Port => port.to_string(),
            Url => format!("http://{name}:{port}/"),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn target(id: &str, network: &str, ports: &Value) -> Target {
        let inspect = json!({
            "Config": {"ExposedPorts": ports},
            "NetworkSettings": {"Networks": {network: {"NetworkID": format!("id-{network}")}}},
        });
        Target { id: id.to_owned(), name: format!("name-{id}"), inspect }
    }

    #[test]
    fn a_command_is_spelled_from_the_table_and_from_what_the_engine_says() {
        let peer = Peer { name: "db".to_owned(), port: Some(5432) };
        let text = |probe| spelled(commands(probe)[0], Some(&peer)).join(" ");
        assert_eq!(text(Probe::Disk), "df -k");
        assert_eq!(text(Probe::Connect), "nc -z -w 3 db 5432");
        assert_eq!(text(Probe::Http), "wget -q --spider http://db:5432/");
    }

    #[test]
    fn no_command_has_a_shell_or_a_program_that_writes() {
        let looks = ["df", "cat", "ps", "nslookup", "getent", "nc", "wget", "curl"];
        for probe in Probe::ALL {
            for words in commands(*probe) {
                let Some(Is(program)) = words.first() else {
                    panic!("{probe:?} begins with no program")
                };
                assert!(looks.contains(program), "{program} is no program that only looks");
            }
        }
    }

    #[test]
    fn a_neighbour_shares_a_network_and_has_a_port() {
        let web = target("web", "shop", &json!({}));
        let db = target("db", "shop", &json!({"6379/tcp": {}, "5432/tcp": {}, "53/udp": {}}));
        let found = peer(&web, &db, true).unwrap();
        assert_eq!(found, Peer { name: "name-db".to_owned(), port: Some(5432) });
        for (container, found, word) in [
            (&db, &target("x", "other", &json!({})), "share no network"),
            (&target("y", "bridge", &json!({})), &target("x", "bridge", &json!({})), "share no"),
            (&web, &web, "itself"),
            (&db, &web, "exposes no TCP port"),
        ] {
            let error = peer(container, found, true).unwrap_err();
            assert!(error.to_string().contains(word), "{error}");
        }
    }
}
