//! The catalogue: which MCP servers there are, in which order, and how each is reached.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use thiserror::Error;
use yaml_serde::Mapping;

use crate::remediate::entry;
use crate::remediate::spec::ServerSpec;

/// The catalogue that is built in.
pub const BUILT_IN: &str = include_str!("../../mcp-servers/catalog.yaml");

/// Servers that a catalogue may list.
const MAX_SERVERS: usize = 32;
/// Bytes that a catalogue may have.
const MAX_BYTES: u64 = 256 * 1024;

/// Why a catalogue is not usable.
#[derive(Debug, Error)]
pub enum CatalogError {
    /// It cannot be read.
    #[error(
        "cannot read the catalogue of MCP servers {path}: {source}; check `catalog` in the configuration or SENTINEL_CATALOG"
    )]
    Read {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// It says something that is not understood.
    #[error("the catalogue of MCP servers {origin} is not usable: {why}")]
    Invalid {
        /// Its path, or that it is the built-in one.
        origin: String,
        /// What is wrong, where.
        why: String,
    },
}

/// Unknown keys are left to the gateway, which ignores those that it does not know, too.
#[derive(Deserialize)]
struct File {
    registry: Mapping,
}

/// Reads the catalogue at `path`, or the built-in one, and puts `executable` where it says
/// `$SELF`. Servers come in the order of the file.
pub fn read(path: Option<&Path>, executable: &Path) -> Result<Vec<ServerSpec>, CatalogError> {
    let (origin, text) = match path {
        None => ("(built in)".to_owned(), BUILT_IN.to_owned()),
        Some(path) => {
            let blame = |source| CatalogError::Read { path: path.to_owned(), source };
            let mut text = String::new();
            // Read within the bound whatever the path is: a pipe says no length beforehand.
            let file = std::fs::File::open(path).map_err(blame)?;
            file.take(MAX_BYTES + 1).read_to_string(&mut text).map_err(blame)?;
            (path.display().to_string(), text)
        }
    };
    parse(&text, executable).map_err(|why| CatalogError::Invalid { origin, why })
}

fn parse(text: &str, executable: &Path) -> Result<Vec<ServerSpec>, String> {
    if u64::try_from(text.len()).unwrap_or(u64::MAX) > MAX_BYTES {
        return Err(format!("it has more than {MAX_BYTES} bytes"));
    }
    let file: File = yaml_serde::from_str(text).map_err(|e| e.to_string())?;
    if file.registry.len() > MAX_SERVERS {
        return Err(format!("it lists more than {MAX_SERVERS} servers"));
    }
    let mut servers = Vec::new();
    for (name, value) in file.registry {
        let name = name.as_str().map(str::to_owned).ok_or("registry: a name is no text")?;
        if !is_name(&name) {
            return Err(format!(
                "registry: the name {name:?} is not made of 1 to 64 letters, digits, '_', '-', '.'"
            ));
        }
        servers.push(entry::read(&name, value, executable)?);
    }
    if servers.is_empty() {
        return Err("registry is empty: there is nothing to start".to_owned());
    }
    Ok(servers)
}

fn is_name(text: &str) -> bool {
    (1..=64).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-.".contains(&b))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{Strategy, any, prop, proptest};

    use super::*;
    use crate::remediate::spec::Way;

    fn parsed(text: &str) -> Result<Vec<ServerSpec>, String> {
        parse(text, Path::new("/opt/sentinel-tui"))
    }

    fn command(spec: &ServerSpec) -> Vec<&str> {
        match &spec.way {
            Way::Program { exec: words, .. } | Way::Container { command: words } => {
                words.iter().map(String::as_str).collect()
            }
            other => panic!("{other:?} is no command"),
        }
    }

    #[test]
    fn the_built_in_one_starts_this_executable() {
        let servers = read(None, Path::new("/opt/sentinel-tui")).unwrap();
        let names: Vec<_> = servers.iter().map(|s| s.name.as_str()).collect();
        assert_eq!(names[..2], ["docker-control", "config-patcher"]);
        assert_eq!(command(&servers[0]), ["/opt/sentinel-tui", "mcp-server", "docker-control"]);
        assert!(servers[0].own && servers[0].tools.contains(&"restart_container".to_owned()));
        let Way::Program { env, .. } = &servers[0].way else { panic!("no program") };
        assert!(env.contains(&"DOCKER_HOST".to_owned()));
    }

    #[test]
    fn the_order_is_kept() {
        let servers = parsed(
            "registry:\n  z: {x-sentinel: {exec: [z, $SELF, $SELFISH]}, image: x}\n  gate: {image: x}\n  \
             a: {x-sentinel: {exec: [a], env: [PATH]}}\n",
        )
        .unwrap();
        assert_eq!(servers.iter().map(|s| s.name.as_str()).collect::<Vec<_>>(), ["z", "gate", "a"]);
        assert_eq!(command(&servers[0]), ["z", "/opt/sentinel-tui", "$SELFISH"]);
        assert!(!servers[0].own);
        assert_eq!(command(&servers[1]).last(), Some(&"x"));
    }

    /// The shape that the earlier system and Docker's catalogues have.
    #[test]
    fn an_entry_of_the_gateways_form_is_a_container() {
        let servers = parsed(
            "version: 3\nname: n\ndisplayName: N\nregistry:\n  docker-control:\n    description: Look\n    \
             image: sre/docker-control:latest\n    tools:\n      - name: restart_container\n        description: x\n      - health_check\n    \
             env:\n      - name: DOCKER_HOST\n        value: unix:///var/run/docker.sock\n      - {name: PORT, value: 80}\n      - {name: ON, value: true}\n    \
             volumes: ['/var/run/docker.sock:/var/run/docker.sock']\n    longLived: true\n    command:\n    secrets: [{name: a.b, env: C}]\n    unheard: {of: [1]}\n",
        )
        .unwrap();
        assert_eq!(servers[0].tools, ["restart_container", "health_check"]);
        let words = command(&servers[0]).join(" ");
        assert_eq!(
            words,
            "docker run --rm -i --label sre-sentinel.self=true -e DOCKER_HOST=unix:///var/run/docker.sock -e PORT=80 -e ON=true -v /var/run/docker.sock:/var/run/docker.sock sre/docker-control:latest"
        );
        assert!(servers[0].confirmation().unwrap().line.starts_with("docker run --rm -i "));
    }

    #[test]
    fn a_remote_server_has_an_address_and_headers() {
        let servers = parsed(
            "registry:\n  far: {remote: {url: 'https://x.example', transport_type: http, headers: {Authorization: 'Bearer ${T}', X-Id: 7}}}\n  \
             old: {remote: {url: 'https://x.example/sse', transport_type: sse}}\n  none: {title: nothing}\n",
        )
        .unwrap();
        let Way::Remote { url, headers, .. } = &servers[0].way else { panic!("no remote") };
        assert_eq!(url, "https://x.example/mcp");
        assert_eq!(
            (headers["Authorization"].as_str(), headers["X-Id"].as_str()),
            ("Bearer ${T}", "7")
        );
        assert!(matches!(&servers[1].way, Way::Unusable(why) if why.contains("sse")));
        assert!(matches!(&servers[2].way, Way::Unusable(why) if why.contains("no image")));
    }

    #[test]
    fn what_is_wrong_is_named() {
        let long = format!("registry: {{a: {{image: {}}}}}", "x".repeat(5000));
        let many =
            (0..40).fold("registry:\n".to_owned(), |s, i| s + &format!("  s{i}: {{image: x}}\n"));
        let cases = [
            ("x: 1", "registry"),
            ("registry: [", ""),
            ("registry: {}", "nothing to start"),
            ("registry: {a: 1}", "a: an entry"),
            ("registry: {a: {image: [x]}}", "a: "),
            ("registry: {a: {image: \"x\\e[2J\"}}", "control character"),
            ("registry: {a: {image: x, env: [{value: 1}]}}", "name"),
            ("registry: {a: {x-sentinel: {exec: []}}}", "a.x-sentinel.exec names no program"),
            ("registry: {a: {x-sentinel: {exec: [x], env: [A=B]}}}", "\"A=B\" is no name"),
            ("registry: {a: {x-sentinel: {exec: [x], enviroment: []}}}", "enviroment"),
            ("registry: {a: {remote: {url: 'ftp://x'}}}", "a.remote.url: an address begins"),
            ("registry: {a: {remote: {url: 'http://x', transport_type: ws}}}", "transport_type"),
            ("registry: {a/b: {x-sentinel: {exec: [x]}}}", "\"a/b\""),
            ("registry: {a: {x-sentinel: {exec: [x]}}, a: {x-sentinel: {exec: [y]}}}", "duplicate"),
            (&long, "bytes"),
            (&many, "more than 32"),
        ];
        for (text, expected) in cases {
            let error = parsed(text).unwrap_err();
            assert!(error.contains(expected), "{text}: {error}");
        }
        let error = read(Some(Path::new("/nowhere/catalog.yaml")), Path::new("x")).unwrap_err();
        assert!(error.to_string().contains("/nowhere/catalog.yaml"), "{error}");
    }

    /// Aliases that multiply: a few hundred bytes that would be gigabytes.
    #[test]
    fn a_bomb_of_aliases_ends_with_an_error() {
        let first = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]".to_owned();
        let more = (1..12).map(|i| {
            let all = vec![format!("*a{}", i - 1); 10].join(", ");
            format!("a{i}: &a{i} [{all}]")
        });
        let last = "registry: {a: {image: x, unheard: *a11}}".to_owned();
        let lines: Vec<String> = std::iter::once(first).chain(more).chain([last]).collect();
        assert!(parsed(&lines.join("\n")).is_err());
        let deep = format!("registry: {}", "[".repeat(100_000));
        assert!(parsed(&deep).is_err());
    }

    /// Pieces that catalogues are made of, right and wrong.
    fn pieces() -> impl Strategy<Value = String> {
        let words = prop::sample::select(vec![
            "registry:",
            "\n",
            "  ",
            "a:",
            "b:",
            " {",
            "}",
            "[",
            "]",
            ",",
            " image: x",
            "x-sentinel:",
            " exec: [x]",
            " env:",
            "- name: N",
            " value: 1",
            "remote:",
            " url: http://x",
            "&a",
            "*a",
            "!!binary",
            "---",
            "\"",
            "'",
            "|",
            "\u{1b}",
            "\u{0}",
            "é",
            "- ",
            ": ",
            "null",
            "~",
            "<<:",
        ]);
        prop::collection::vec(words, 0..60).prop_map(|all| all.concat())
    }

    proptest! {
        /// Whatever the text is: a list of servers within its bounds, or a sentence; never a panic.
        #[test]
        fn any_text_is_read_or_refused(text in pieces(), noise in any::<String>()) {
            for text in [&text, &noise, &format!("registry:\n  a: {noise}")] {
                match parsed(text) {
                    Ok(servers) => {
                        assert!((1..=MAX_SERVERS).contains(&servers.len()));
                        assert!(servers.iter().all(|s| is_name(&s.name)));
                    }
                    Err(why) => assert!(!why.is_empty()),
                }
            }
        }

        /// Every value of an entry ends up where it was meant to be: in front of the image there are
        /// our own words, and options with the entry's values as one word each.
        #[test]
        fn values_never_become_options(
            name in "[-A-Z_a-z= ]{0,12}", value in "[ -~]{0,20}", volume in "[ -~]{0,20}", image in "[ -~]{1,12}",
        ) {
            let text = serde_json::json!({"registry": {"a": {
                "image": image, "env": [{"name": name, "value": value}], "volumes": [volume],
            }}});
            // JSON is YAML.
            let servers = parsed(&text.to_string()).unwrap();
            if let Way::Container { command } = &servers[0].way {
                let expected = ["docker", "run", "--rm", "-i", "--label", "sre-sentinel.self=true", "-e"];
                assert_eq!(command[..7], expected);
                assert_eq!(command[7..], [format!("{name}={value}"), "-v".to_owned(), volume, image]);
            }
        }
    }
}
