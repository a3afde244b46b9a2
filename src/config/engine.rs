//! Which Docker engine: `--host` > `DOCKER_HOST` > `DOCKER_CONTEXT` > the current context >
//! the known sockets. The winner is told, so that nobody watches the wrong engine unknowingly.

use std::path::{Path, PathBuf};

use sentinel_core::domain::hash::sha256_hex;
use serde::Deserialize;
use thiserror::Error;

use crate::config::environment::Environment;

/// Where the engine listens, and how that was found out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// `unix://…`, `tcp://…` or `https://…`.
    pub url: String,
    /// What named it.
    pub source: String,
    /// Folder with `ca.pem`, `cert.pem` and `key.pem`, when the engine asks for them.
    pub tls: Option<PathBuf>,
}

impl Endpoint {
    /// The endpoint and its source on one line.
    pub fn words(&self) -> String {
        format!("{} ({})", self.url, self.source)
    }

    /// What a child process needs to reach the same engine.
    pub fn variables(&self) -> Vec<(String, String)> {
        let mut variables = vec![("DOCKER_HOST".to_owned(), self.url.clone())];
        if let Some(folder) = &self.tls {
            variables.push(("DOCKER_CERT_PATH".to_owned(), folder.display().to_string()));
            variables.push(("DOCKER_TLS_VERIFY".to_owned(), "1".to_owned()));
        }
        variables
    }
}

/// Why no engine is known.
#[derive(Debug, Error)]
pub enum EndpointError {
    /// Nothing names one, and none of the known sockets is there.
    #[error(
        "no Docker engine was found: no --host, DOCKER_HOST or context names one, and none of these sockets exists: {}\nInstall Docker (https://docs.docker.com/engine/install/, or `apt-get install docker.io`) and start it, or name an engine with --host",
        .0.join(", ")
    )]
    NotFound(Vec<String>),
    /// The context is not there or not readable.
    #[error(
        "the Docker context {name:?} ({source_name}) cannot be used: {why}; `docker context ls` shows what there is"
    )]
    Context {
        /// The context's name.
        name: String,
        /// What named the context.
        source_name: String,
        /// Why.
        why: String,
    },
    /// A transport that is not spoken yet.
    #[error(
        "{url} ({source_name}): ssh is not spoken yet; forward the socket with\n  ssh -nNT -L /tmp/docker-remote.sock:/var/run/docker.sock {target}\nand use --host unix:///tmp/docker-remote.sock"
    )]
    Ssh {
        /// What was given.
        url: String,
        /// What gave it.
        source_name: String,
        /// Whom to ask by ssh.
        target: String,
    },
    /// Not a form that is understood.
    #[error(
        "{url:?} ({source_name}) is no engine address; write it like unix:///var/run/docker.sock or tcp://host:2375"
    )]
    Form {
        /// What was given.
        url: String,
        /// What gave it.
        source_name: String,
    },
}

/// Finds the engine.
pub fn resolve(flag: Option<&str>, environment: &Environment) -> Result<Endpoint, EndpointError> {
    let home = environment.path("HOME");
    let docker_config =
        environment.path("DOCKER_CONFIG").or_else(|| home.as_ref().map(|h| h.join(".docker")));
    let tls = environment
        .text("DOCKER_TLS_VERIFY")
        .and_then(|_| environment.path("DOCKER_CERT_PATH").or_else(|| docker_config.clone()));
    if let Some(url) = flag {
        return checked(url, "--host or the configuration file", tls);
    }
    if let Some(url) = environment.text("DOCKER_HOST") {
        return checked(&url, "DOCKER_HOST", tls);
    }
    let named = environment.text("DOCKER_CONTEXT").map(|name| (name, "DOCKER_CONTEXT"));
    let current = || {
        let name = current_context(docker_config.as_deref()?)?;
        Some((name, "the current Docker context"))
    };
    if let Some((name, source)) = named.or_else(current)
        && name != "default"
    {
        let folder = docker_config.unwrap_or_else(|| PathBuf::from(".docker"));
        return context(&folder, &name, source);
    }
    let tried = known_sockets(home.as_deref(), environment.path("XDG_RUNTIME_DIR").as_deref());
    match tried.iter().find(|path| path.exists()) {
        Some(path) => checked(&format!("unix://{}", path.display()), "found socket", None),
        None => Err(EndpointError::NotFound(
            tried.iter().map(|path| path.display().to_string()).collect(),
        )),
    }
}

fn checked(url: &str, source: &str, tls: Option<PathBuf>) -> Result<Endpoint, EndpointError> {
    if let Some(target) = url.strip_prefix("ssh://") {
        return Err(EndpointError::Ssh {
            url: url.to_owned(),
            source_name: source.to_owned(),
            target: target.to_owned(),
        });
    }
    let known = ["unix://", "tcp://", "http://", "https://"];
    if !known.iter().any(|scheme| url.starts_with(scheme)) {
        return Err(EndpointError::Form { url: url.to_owned(), source_name: source.to_owned() });
    }
    let remote = url.starts_with("tcp://") || url.starts_with("https://");
    Ok(Endpoint { url: url.to_owned(), source: source.to_owned(), tls: tls.filter(|_| remote) })
}

/// What `~/.docker/config.json` says of the context in use.
fn current_context(folder: &Path) -> Option<String> {
    #[derive(Deserialize)]
    struct DockerConfig {
        #[serde(rename = "currentContext")]
        current: Option<String>,
    }
    // The file belongs to the Docker CLI: one that cannot be read names no context.
    let text = std::fs::read_to_string(folder.join("config.json")).ok()?;
    let config: DockerConfig = serde_json::from_str(&text).ok()?;
    config.current.filter(|name| !name.trim().is_empty())
}

/// Reads a context as the Docker CLI keeps it, under the SHA-256 of its name.
fn context(folder: &Path, name: &str, source: &str) -> Result<Endpoint, EndpointError> {
    #[derive(Deserialize)]
    struct Meta {
        #[serde(rename = "Endpoints")]
        endpoints: Endpoints,
    }
    #[derive(Deserialize)]
    struct Endpoints {
        docker: Docker,
    }
    #[derive(Deserialize)]
    struct Docker {
        #[serde(rename = "Host")]
        host: String,
    }
    let failed = |why: String| EndpointError::Context {
        name: name.to_owned(),
        source_name: source.to_owned(),
        why,
    };
    let digest = sha256_hex(name.as_bytes());
    let path = folder.join("contexts/meta").join(&digest).join("meta.json");
    let text =
        std::fs::read_to_string(&path).map_err(|e| failed(format!("{}: {e}", path.display())))?;
    let meta: Meta =
        serde_json::from_str(&text).map_err(|e| failed(format!("{}: {e}", path.display())))?;
    let tls = folder.join("contexts/tls").join(&digest).join("docker");
    checked(
        &meta.endpoints.docker.host,
        &format!("context {name}, {source}"),
        tls.is_dir().then_some(tls),
    )
}

/// The places where engines usually listen: Docker, rootless, Desktop, Colima, Podman.
fn known_sockets(home: Option<&Path>, runtime: Option<&Path>) -> Vec<PathBuf> {
    let mut paths = vec![PathBuf::from("/var/run/docker.sock")];
    if let Some(runtime) = runtime {
        paths.push(runtime.join("docker.sock"));
    }
    if let Some(home) = home {
        paths.push(home.join(".docker/run/docker.sock"));
        paths.push(home.join(".docker/desktop/docker.sock"));
        paths.push(home.join(".colima/default/docker.sock"));
    }
    if let Some(runtime) = runtime {
        paths.push(runtime.join("podman/podman.sock"));
    }
    paths.push(PathBuf::from("/run/podman/podman.sock"));
    paths
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(pairs: &[(&str, &str)]) -> Environment {
        Environment::of(pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())))
    }

    #[test]
    fn the_flag_beats_the_environment_and_the_environment_beats_contexts() {
        let env = environment(&[("DOCKER_HOST", "tcp://h:1"), ("DOCKER_CONTEXT", "x")]);
        assert_eq!(resolve(Some("unix:///a"), &env).unwrap().url, "unix:///a");
        let found = resolve(None, &env).unwrap();
        assert_eq!((found.url.as_str(), found.source.as_str()), ("tcp://h:1", "DOCKER_HOST"));
    }

    #[test]
    fn certificates_belong_to_remote_engines_only() {
        let env = environment(&[("DOCKER_TLS_VERIFY", "1"), ("DOCKER_CERT_PATH", "/certs")]);
        assert_eq!(resolve(Some("tcp://h:2376"), &env).unwrap().tls, Some("/certs".into()));
        assert_eq!(resolve(Some("unix:///a"), &env).unwrap().tls, None);
    }

    #[test]
    fn a_context_is_read_as_the_docker_cli_keeps_it() {
        let home = tempfile::tempdir().unwrap();
        let docker = home.path().join(".docker");
        let meta = docker.join("contexts/meta").join(sha256_hex(b"lab"));
        std::fs::create_dir_all(&meta).unwrap();
        std::fs::write(
            meta.join("meta.json"),
            r#"{"Name":"lab","Metadata":{},"Endpoints":{"docker":{"Host":"tcp://lab:2375","SkipTLSVerify":false}}}"#,
        )
        .unwrap();
        std::fs::write(docker.join("config.json"), r#"{"currentContext":"lab"}"#).unwrap();
        let env = environment(&[("HOME", home.path().to_str().unwrap())]);
        let found = resolve(None, &env).unwrap();
        assert_eq!(found.url, "tcp://lab:2375");
        assert!(found.source.contains("current Docker context"));

        let env =
            environment(&[("HOME", home.path().to_str().unwrap()), ("DOCKER_CONTEXT", "missing")]);
        let error = resolve(None, &env).unwrap_err().to_string();
        assert!(error.contains("missing") && error.contains("DOCKER_CONTEXT"), "{error}");
    }

    #[test]
    fn ssh_is_refused_with_a_way_that_works() {
        let error = resolve(Some("ssh://ops@lab"), &environment(&[])).unwrap_err().to_string();
        assert!(error.contains("ssh -nNT -L") && error.contains("ops@lab"), "{error}");
    }

    #[test]
    fn an_address_without_a_scheme_is_refused() {
        let error = resolve(Some("localhost:2375"), &environment(&[])).unwrap_err().to_string();
        assert!(error.contains("tcp://"), "{error}");
    }
}
