//! Servers of any kind in the catalogue: an image, an address.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use serde_json::{Value, json};

use crate::Fallible;
use crate::program::{Place, TOKEN, fixture};

/// A `docker` that writes down how it was started and is the server itself.
fn fake_docker(folder: &Path, calls: &Path) -> Fallible<String> {
    let bin = folder.join("bin");
    std::fs::create_dir_all(&bin)?;
    let script = format!(
        "#!/bin/sh\nprintf '%s\\n' \"$@\" >{0}/argv\nenv | sort >{0}/env\nexec {1} second {2}\n",
        folder.display(),
        fixture()?.display(),
        calls.display()
    );
    std::fs::write(bin.join("docker"), script)?;
    std::fs::set_permissions(bin.join("docker"), std::fs::Permissions::from_mode(0o755))?;
    Ok(format!("{}:/usr/bin:/bin", bin.display()))
}

fn entry() -> Value {
    json!({
        "description": "Look at it", "image": "team/look:1",
        "tools": [{"name": "extra", "description": "x"}, {"name": "promised"}],
        "env": [{"name": "ZONE", "value": "a b"}, {"name": "N", "value": 7}],
        "volumes": ["/srv/data:/data:ro"],
    })
}

#[test]
fn an_image_is_started_only_once_its_command_was_confirmed() -> Fallible {
    let place = Place::new()?;
    let folder = place.folder.path().to_owned();
    let path = fake_docker(&folder, &folder.join("calls"))?;
    let place = place
        .with("PATH", &path)
        .with("SECRET_OF_MINE", "hunter2")
        .catalogue(&[("look", entry())])?;
    let listed = place.run(&["tools", "list"])?;
    assert_eq!(listed.out, "");
    assert!(listed.err.contains("look: its command was not confirmed yet"), "{listed:?}");
    assert!(listed.err.contains("`sentinel-tui tools trust look`"), "{listed:?}");
    assert!(!folder.join("argv").exists(), "it was started");

    // Nobody is there to ask: the command is shown and nothing is confirmed.
    let asked = place.run(&["tools", "trust", "look"])?;
    let command = "docker run --rm -i --label sre-sentinel.self=true -e 'ZONE=a b' -e N=7 -v /srv/data:/data:ro team/look:1";
    assert_eq!((asked.status, asked.out.trim()), (1, command), "{asked:?}");
    assert!(asked.err.contains("--yes"), "{asked:?}");
    assert_eq!(place.run(&["tools", "trust", "look", "--yes"])?.status, 0);
    let unknown = place.run(&["tools", "trust", "nobody", "--yes"])?;
    assert!(unknown.err.contains("it has look"), "{unknown:?}");

    let listed = place.run(&["tools", "list"])?;
    assert_eq!(listed.status, 0, "{listed:?}");
    let names: Vec<&str> = listed.out.lines().filter_map(|l| l.split_whitespace().next()).collect();
    // What it offers decides, not what the catalogue says of it.
    assert_eq!(names, ["extra", "ok"]);
    let argv = std::fs::read_to_string(folder.join("argv"))?;
    let words: Vec<&str> = argv.lines().collect();
    assert_eq!(
        words,
        [
            "run",
            "--rm",
            "-i",
            "--label",
            "sre-sentinel.self=true",
            "-e",
            "ZONE=a b",
            "-e",
            "N=7",
            "-v",
            "/srv/data:/data:ro",
            "team/look:1"
        ]
    );
    let env = std::fs::read_to_string(folder.join("env"))?;
    assert!(!env.contains("hunter2") && !env.contains("SENTINEL_"), "{env}");
    assert!(env.contains("DOCKER_HOST="), "{env}");
    let called = place.run(&["tools", "call", "extra", r#"{"a":1}"#])?;
    assert_eq!(called.status, 0, "{called:?}");
    assert_eq!(place.calls(), [r#"second extra {"a":1}"#]);

    // Another command is another question.
    let mut other = entry();
    other["volumes"] = json!(["/:/host"]);
    place.write_catalogue(&[("look", other)])?;
    let listed = place.run(&["tools", "list"])?;
    assert!(listed.err.contains("not confirmed yet"), "{listed:?}");
    Ok(())
}

#[test]
fn an_address_with_headers_is_a_server_like_any_other() -> Fallible {
    let far = Place::new()?;
    let behind = far.fixture("behind")?;
    let far = far.catalogue(&[("behind", behind)])?;
    let gateway = far.gateway(&[])?;
    let remote = |headers: Value| {
        json!({"description": "far", "remote": {
            "url": gateway.address, "transport_type": "http", "headers": headers,
        }})
    };
    let place = Place::new()?.with("FAR_TOKEN", TOKEN).catalogue(&[
        ("far", remote(json!({"Authorization": "Bearer ${FAR_TOKEN}"}))),
        ("stranger", remote(json!({}))),
        ("unset", remote(json!({"Authorization": "Bearer ${NOBODY_SET_THIS}"}))),
        ("old", json!({"remote": {"url": "https://old.example/sse", "transport_type": "sse"}})),
    ])?;
    let listed = place.run(&["tools", "list"])?;
    assert_eq!((listed.status, listed.out.lines().count()), (0, 6), "{listed:?}");
    for word in [
        "stranger: ",
        "give it a header under remote.headers",
        "unset: its header Authorization needs the variable NOBODY_SET_THIS: set it",
        "old: its transport_type is sse",
    ] {
        assert!(listed.err.contains(word), "{word}: {}", listed.err);
    }
    assert!(!listed.err.contains(TOKEN), "{}", listed.err);
    let called = place.run(&["tools", "call", "ok", "{}"])?;
    assert_eq!((called.status, called.json()?), (0, json!({"message": "fine"})));
    assert_eq!(far.calls(), ["behind ok {}"]);
    Ok(())
}
