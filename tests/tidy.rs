//! Rules of this repository that no compiler keeps, checked by reading its files.
//!
//! Each failure names the place and what to do about it. The dependency direction is that of the
//! crate documentation in `src/lib.rs` and `core/src/lib.rs`; an edge that is not in the tables
//! below is either a mistake or a decision, and a decision belongs into the tables.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::Path;

use crate::scan::{Source, code, cycle, is_word, line_of, root, siblings, sources, variables_read};

mod scan;

/// What a module of `core/src` may name besides itself.
const CORE_EDGES: &[(&str, &[&str])] = &[
    ("domain", &[]),
    ("redact", &["domain"]),
    ("detect", &["domain", "redact"]),
    ("diagnose", &["domain", "redact", "detect"]),
    ("policy", &["domain"]),
    ("report", &["domain"]),
    ("runbook", &["domain", "redact"]),
    ("answer", &["domain", "report", "runbook"]),
    ("consult", &["domain", "redact", "detect", "diagnose", "report", "runbook"]),
    (
        "engine",
        &["domain", "redact", "detect", "diagnose", "policy", "report", "runbook", "consult"],
    ),
    ("session", &["domain", "redact", "detect", "consult", "engine"]),
];

/// What a module of `src` may name besides itself. `*` is everything: the composition root and
/// the verbs.
const SHELL_EDGES: &[(&str, &[&str])] = &[
    ("cli", &[]),
    ("config", &["cli"]),
    ("ports", &[]),
    ("journal", &["cli", "config"]),
    ("election", &["config", "ports"]),
    ("monitor", &["config", "ports"]),
    ("analyze", &["config", "ports"]),
    ("remediate", &["config", "ports"]),
    // Serves what the client side of `remediate` keeps running: one directory of servers, one way
    // to call them, whether a plan or another program asks.
    ("gateway", &["config", "ports", "remediate"]),
    ("bus", &["config", "ports"]),
    ("store", &["config", "ports"]),
    ("recording", &["ports"]),
    ("recovery", &["ports"]),
    ("runtime", &["ports"]),
    // `attach` holds the other end of a handle whose run loop is elsewhere.
    ("api", &["cli", "config", "runtime::far", "runtime::handle", "runtime::rings"]),
    (
        "tui",
        &[
            "cli",
            "config",
            "runtime::asking",
            "runtime::events",
            "runtime::handle",
            "runtime::rings",
        ],
    ),
    ("control", &["config", "runtime::handle"]),
    ("headless", &["cli", "config", "runtime::handle", "runtime::rings"]),
    ("demo", &["*"]),
    ("app", &["*"]),
    ("commands", &["*"]),
    ("main", &["cli", "config", "journal", "app", "commands"]),
];

/// What `sentinel-core` may depend on: crates that do no I/O and read no clock or environment.
const CORE_CRATES: &[&str] = &[
    "aho-corasick",
    "jiff",
    "memchr",
    "regex",
    "serde",
    "serde_json",
    "sha2",
    "thiserror",
    "toml",
];

/// Where a crate may be named, as beginnings of paths.
const CRATE_HOMES: &[(&str, &[&str])] = &[
    ("bollard", &["src/monitor/", "src/demo/", "src/commands/demo.rs", "mcp-servers/"]),
    ("docker_sim", &["src/demo/", "sim/"]),
    ("rmcp", &["src/remediate/", "src/gateway/", "mcp-servers/"]),
    ("ratatui", &["src/tui/"]),
    ("crossterm", &["src/tui/"]),
    ("tui_textarea", &["src/tui/"]),
    ("signal_hook", &["src/tui/terminal.rs"]),
    ("rusqlite", &["src/store/"]),
    ("redis", &["src/bus/"]),
    ("axum", &["src/api/", "mcp-servers/"]),
    ("tokio_tungstenite", &["src/api/attach/"]),
    ("reqwest", &["src/analyze/", "src/remediate/"]),
];

/// Who may read the environment.
const ENVIRONMENT_READERS: &[&str] = &["src/config/", "src/demo/service.rs", "mcp-servers/"];

/// Variables of the system itself, which no `.env` file is meant to set.
const SYSTEM_VARIABLES: &[&str] = &[
    "HOME",
    "USER",
    "TMUX",
    "TERM",
    "COLORTERM",
    "XDG_CONFIG_HOME",
    "XDG_STATE_HOME",
    "XDG_RUNTIME_DIR",
    "DISPLAY",
    "WAYLAND_DISPLAY",
    "SSH_CONNECTION",
];

/// Lines that a file may have before its tests. The aim is 400.
const MOST_LINES: usize = 450;

/// Everything that is built into a program, tests left out.
fn program() -> io::Result<Vec<Source>> {
    let mut all = sources("core/src")?;
    all.extend(sources("src")?);
    all.extend(sources("mcp-servers")?.into_iter().filter(|s| !s.path.contains("/tests/")));
    all.extend(sources("sim/src")?);
    // Tests that have outgrown the file that they are about.
    all.retain(|s| !s.path.ends_with("/tests.rs"));
    assert!(all.len() > 50, "only {} source files were found: the search is broken", all.len());
    Ok(all)
}

/// Fails with one line for each thing that is wrong.
fn none_of(wrong: &[String]) {
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
}

/// Edges that the table does not have.
fn wrong_edges(
    folder: &str,
    crate_name: &str,
    table: &[(&str, &[&str])],
) -> io::Result<Vec<String>> {
    let mut wrong = Vec::new();
    for source in sources(folder)? {
        let module = source.module(folder);
        // lib.rs declares modules and names none.
        let Some(from) = module.first() else { continue };
        let Some((_, allowed)) = table.iter().find(|(name, _)| name == from) else {
            wrong.push(format!(
                "{}: the module {from} has no line in the tables of tests/tidy.rs: say there what it may name",
                source.path
            ));
            continue;
        };
        for reference in source.references(folder, crate_name) {
            let Some(to) = reference.path.first() else { continue };
            let named = reference.path.join("::");
            let fits = |prefix: &str| {
                prefix == "*" || named == prefix || named.starts_with(&format!("{prefix}::"))
            };
            if to != from && !allowed.iter().any(|prefix| fits(prefix)) {
                wrong.push(format!(
                    "{}:{}: {from} names {named}, and may only name {allowed:?}: move the item to a lower module, or pass the value in",
                    source.path, reference.line
                ));
            }
        }
    }
    Ok(wrong)
}

fn manifest(path: &Path) -> Result<toml::Table, String> {
    let text = fs::read_to_string(path).map_err(|e| format!("{}: {e}", path.display()))?;
    text.parse().map_err(|e| format!("{}: {e}", path.display()))
}

fn dependencies(manifest: &toml::Table) -> Vec<String> {
    let table = |key: &str| manifest.get(key).and_then(toml::Value::as_table).cloned();
    table("dependencies").unwrap_or_default().keys().cloned().collect()
}

#[test]
fn the_scanner_sees_what_it_should() {
    let text = "use crate::a::{b::C, d as e};\n// crate::no::No\nfn f() { super::x::y(); }\nlet u = \"https://x\";\n#[cfg(test)]\nmod tests { use crate::t::T; }\n";
    let source = Source { path: "src/m/n.rs".to_owned(), text: text.to_owned(), code: code(text) };
    let seen: Vec<(usize, String)> = source
        .references("src/", "sentinel_tui")
        .into_iter()
        .map(|r| (r.line, r.path.join("::")))
        .collect();
    let expected = [(1, "a::b::C"), (1, "a::d"), (3, "m::x::y")];
    assert_eq!(seen, expected.map(|(line, path)| (line, path.to_owned())));
    assert!(source.code.contains("https://x"));

    let edges = |pairs: &[(&str, &str)]| {
        let mut map: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for (a, b) in pairs {
            map.entry((*a).to_owned()).or_default().insert((*b).to_owned());
        }
        map
    };
    assert_eq!(cycle(&edges(&[("a", "b"), ("b", "c"), ("a", "c")])), None);
    assert!(cycle(&edges(&[("x", "a"), ("a", "b"), ("b", "a")])).is_some());
}

#[test]
fn modules_depend_in_one_direction_only() -> io::Result<()> {
    let mut wrong = wrong_edges("core/src/", "sentinel_core", CORE_EDGES)?;
    wrong.extend(wrong_edges("src/", "sentinel_tui", SHELL_EDGES)?);
    none_of(&wrong);
    Ok(())
}

#[test]
fn no_module_depends_on_itself_through_others() -> io::Result<()> {
    for (folder, name) in [
        ("core/src/", "sentinel_core"),
        ("src/", "sentinel_tui"),
        ("mcp-servers/kit/src/", "mcp_kit"),
        ("mcp-servers/docker-control/src/", "docker_control"),
        ("mcp-servers/config-patcher/src/", "config_patcher"),
        ("sim/src/", "docker_sim"),
    ] {
        let found = cycle(&siblings(folder, name)?);
        assert_eq!(
            found, None,
            "{folder}: these modules name each other in a circle: move what both need into a module below them"
        );
    }
    Ok(())
}

#[test]
fn crates_depend_in_one_direction_only() -> Result<(), String> {
    let mut wrong = Vec::new();
    let core = manifest(&root().join("core/Cargo.toml"))?;
    for name in dependencies(&core) {
        if !CORE_CRATES.contains(&name.as_str()) {
            wrong.push(format!(
                "core/Cargo.toml: {name} is not on the list of crates without I/O: do the work in src/, or add it to CORE_CRATES in tests/tidy.rs if it is pure"
            ));
        }
    }
    for name in dependencies(&manifest(&root().join("sim/Cargo.toml"))?) {
        if ["sentinel-tui", "sentinel-core", "mcp-kit"].contains(&name.as_str()) {
            wrong.push(format!(
                "sim/Cargo.toml: the simulated engine knows nothing of who watches it, and so not of {name}"
            ));
        }
    }
    let workspace = manifest(&root().join("Cargo.toml"))?;
    let members = workspace
        .get("workspace")
        .and_then(|w| w.get("members"))
        .and_then(toml::Value::as_array)
        .ok_or("Cargo.toml: there is no list of workspace members")?;
    for member in members.iter().filter_map(toml::Value::as_str) {
        let Some(server) = member.strip_prefix("mcp-servers/") else { continue };
        let may =
            if server == "kit" { &["sentinel-core"][..] } else { &["sentinel-core", "mcp-kit"] };
        for name in dependencies(&manifest(&root().join(member).join("Cargo.toml"))?) {
            let ours = [
                "sentinel-tui",
                "sentinel-core",
                "mcp-kit",
                "docker-control",
                "config-patcher",
                "docker-sim",
            ];
            if ours.contains(&name.as_str()) && !may.contains(&name.as_str()) {
                wrong.push(format!(
                    "{member}/Cargo.toml: an MCP server may depend on {may:?} only, and not on {name}"
                ));
            }
        }
    }
    none_of(&wrong);
    Ok(())
}

#[test]
fn adapters_keep_their_crates_to_themselves() -> io::Result<()> {
    let mut wrong = Vec::new();
    for source in program()? {
        for (name, homes) in CRATE_HOMES {
            if homes.iter().any(|home| source.path.starts_with(home)) {
                continue;
            }
            let path = format!("{name}::");
            for (at, _) in source.code.match_indices(&path) {
                let before = source.code.get(..at).unwrap_or_default();
                // `crate::redis::` or `my_redis::` is something else.
                if before.ends_with(is_word) || before.ends_with("::") {
                    continue;
                }
                wrong.push(format!(
                    "{}:{}: only {homes:?} may name {name}: put the call behind a trait of src/ports.rs",
                    source.path,
                    line_of(&source.code, at)
                ));
            }
        }
    }
    none_of(&wrong);
    Ok(())
}

#[test]
fn only_the_settings_read_the_environment() -> io::Result<()> {
    let mut wrong = Vec::new();
    for source in program()? {
        if ENVIRONMENT_READERS.iter().any(|home| source.path.starts_with(home)) {
            continue;
        }
        for line in source.lines_with("env::var") {
            wrong.push(format!(
                "{}:{line}: only src/config reads the environment: take the value from Settings",
                source.path
            ));
        }
    }
    none_of(&wrong);
    Ok(())
}

#[test]
fn imports_name_the_module_that_has_the_item() -> io::Result<()> {
    let mut wrong = Vec::new();
    for source in program()? {
        for (number, line) in source.code.lines().enumerate() {
            let bare = line.trim_start();
            let place = format!("{}:{}", source.path, number + 1);
            let import = bare.starts_with("use ") || bare.starts_with("pub use ");
            if source.path.ends_with("src/lib.rs")
                && source.path != "mcp-servers/kit/src/lib.rs"
                && bare.starts_with("pub use ")
            {
                wrong.push(format!(
                    "{place}: lib.rs re-exports nothing: let users name the item's own module"
                ));
            }
            if import && bare.trim_end().ends_with("::*;") {
                wrong.push(format!("{place}: a glob hides what is used: name the items"));
            }
            if import && bare.contains("use super::") {
                wrong.push(format!("{place}: write the import from the root: use crate::…"));
            }
            // An MCP server is small enough to name its modules at once.
            if bare.starts_with("use crate::{") && !source.path.starts_with("mcp-servers/") {
                wrong.push(format!("{place}: write one `use crate::module::Item` per module"));
            }
        }
    }
    none_of(&wrong);
    Ok(())
}

#[test]
fn files_are_short() -> io::Result<()> {
    let mut wrong = Vec::new();
    for source in program()? {
        let lines = source
            .text
            .match_indices("#[cfg(test)]\nmod ")
            .next()
            .map_or(source.text.as_str(), |(at, _)| source.text.get(..at).unwrap_or_default())
            .lines()
            .count();
        if lines > MOST_LINES {
            wrong.push(format!(
                "{}: {lines} lines before the tests, at most {MOST_LINES} are allowed: move one noun into a file of its own",
                source.path
            ));
        }
    }
    none_of(&wrong);
    Ok(())
}

#[test]
fn nothing_is_left_undone() -> io::Result<()> {
    let mut all = program()?;
    all.extend(sources("core/tests")?);
    let mut wrong = Vec::new();
    for source in all {
        for word in ["todo!(", "unimplemented!(", "dbg!("] {
            for line in source.lines_with(word) {
                wrong.push(format!("{}:{line}: {word}) is left over: finish it", source.path));
            }
        }
    }
    none_of(&wrong);
    Ok(())
}

#[test]
fn ignored_tests_say_what_they_need() -> io::Result<()> {
    let mut all = program()?;
    all.extend(sources("core/tests")?);
    all.extend(sources("tests")?.into_iter().filter(|s| s.path != "tests/tidy.rs"));
    all.extend(sources("mcp-servers")?.into_iter().filter(|s| s.path.contains("/tests/")));
    all.extend(sources("sim/tests")?);
    let mut wrong = Vec::new();
    for source in all {
        for (number, line) in source.text.lines().enumerate() {
            let bare = line.trim_start();
            if bare.starts_with("#[ignore") && !bare.starts_with("#[ignore = \"needs ") {
                wrong.push(format!(
                    "{}:{}: say what the test needs: #[ignore = \"needs a Docker engine: run scripts/test.sh\"]",
                    source.path,
                    number + 1
                ));
            }
        }
    }
    none_of(&wrong);
    Ok(())
}

#[test]
fn the_example_environment_names_every_variable() -> io::Result<()> {
    let example = fs::read_to_string(root().join(".env-example"))?;
    let named: BTreeSet<String> = example
        .lines()
        .filter_map(|line| line.trim_start_matches(['#', ' ']).split_once('='))
        .map(|(name, _)| name.to_owned())
        .filter(|name| name.chars().all(|c| c.is_ascii_uppercase() || c == '_'))
        .collect();
    let mut read: BTreeSet<String> = sources("src")?.iter().flat_map(variables_read).collect();
    assert!(read.len() > 5, "only {read:?} is read: the search is broken");
    read.retain(|name| !SYSTEM_VARIABLES.contains(&name.as_str()));
    let missing: Vec<_> = read.difference(&named).collect();
    assert!(missing.is_empty(), ".env-example does not explain {missing:?}: add a line for each");
    let unread: Vec<_> = named.difference(&read).collect();
    assert!(
        unread.is_empty(),
        ".env-example explains {unread:?}, which nothing reads: remove them"
    );
    Ok(())
}

#[test]
fn the_contract_of_the_event_stream_is_written_down() -> Result<(), String> {
    let read = |path: &str| fs::read_to_string(root().join(path)).map_err(|e| e.to_string());
    let source = read("core/src/domain/event.rs")?;
    let page = read("docs/jsonl.md")?;
    let types = source
        .split_once("pub enum Event {")
        .and_then(|(_, rest)| rest.split_once("\n}"))
        .map(|(body, _)| body)
        .ok_or("core/src/domain/event.rs: there is no enum Event")?;
    let mut names = BTreeSet::new();
    for line in types.lines() {
        let (word, indent) = (line.trim_start(), line.len() - line.trim_start().len());
        let name: String = word.chars().take_while(|c| is_word(*c)).collect();
        if !name.is_empty() && (indent == 4 || (indent == 8 && word.contains(':'))) {
            names.insert(snake_case(&name));
        }
    }
    assert!(names.len() > 40, "only {names:?} was found: the search is broken");
    // Fields of the wire structs, and the codes that a program may compare with.
    for line in source.lines() {
        let field = line.strip_prefix("    pub ").and_then(|rest| rest.split_once(':'));
        let code = line.split_once("=> \"").and_then(|(_, rest)| rest.split_once('"'));
        if let Some((name, _)) = field.or(code)
            && name.chars().all(is_word)
            && name != "event"
        {
            names.insert(name.to_owned());
        }
    }
    let missing: Vec<_> = names.iter().filter(|n| !page.contains(&format!("`{n}`"))).collect();
    assert!(missing.is_empty(), "docs/jsonl.md does not explain {missing:?}: add them");
    Ok(())
}

/// `IncidentOpened` as it stands in the stream: `incident_opened`.
fn snake_case(name: &str) -> String {
    let mut out = String::new();
    for c in name.chars() {
        if c.is_uppercase() && !out.is_empty() {
            out.push('_');
        }
        out.extend(c.to_lowercase());
    }
    out
}

#[test]
fn the_text_editor_is_the_maintained_one() -> Result<(), String> {
    let workspace = manifest(&root().join("Cargo.toml"))?;
    let package = workspace
        .get("workspace")
        .and_then(|w| w.get("dependencies"))
        .and_then(|d| d.get("tui-textarea"))
        .and_then(|d| d.get("package"))
        .and_then(toml::Value::as_str);
    if package == Some("ratatui-textarea") {
        Ok(())
    } else {
        Err("Cargo.toml: keep the key tui-textarea with package = \"ratatui-textarea\": the original does not compile against this ratatui".to_owned())
    }
}

#[test]
fn every_test_that_the_documents_name_exists() -> io::Result<()> {
    let page = fs::read_to_string(root().join("docs/pains.md"))?;
    let folders = ["core/src", "core/tests", "src", "tests", "mcp-servers"];
    let read = folders.iter().map(|f| sources(f)).collect::<io::Result<Vec<_>>>()?;
    let all: Vec<Source> = read.into_iter().flatten().collect();
    let named: Vec<&str> = page
        .split('`')
        .filter(|word| word.matches('_').count() > 1)
        .filter(|word| {
            word.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
        })
        .collect();
    assert!(named.len() > 30, "only {named:?} is named: the search is broken");
    let missing: Vec<_> = named
        .iter()
        .filter(|name| !all.iter().any(|s| s.text.contains(&format!("fn {name}("))))
        .collect();
    assert!(missing.is_empty(), "docs/pains.md names tests that are not there: {missing:?}");
    Ok(())
}
