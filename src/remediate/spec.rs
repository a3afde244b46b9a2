//! A server of the catalogue: its name, how it is reached, what it is documented to offer.

use std::collections::BTreeMap;

use sentinel_core::domain::hash::sha256_hex;

use crate::config::gateway::Secret;

/// One server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerSpec {
    /// Its name.
    pub name: String,
    /// How it is reached.
    pub way: Way,
    /// The tools that the catalogue documents. `tools/list` decides what there is.
    pub tools: Vec<String>,
    /// It is one of our own, built into this executable.
    pub own: bool,
}

/// How a server is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Way {
    /// A program of this machine over standard input and output.
    Program {
        /// Program and arguments.
        exec: Vec<String>,
        /// Names of the variables that it may see.
        env: Vec<String>,
    },
    /// A container over standard input and output, once a person has confirmed the command.
    Container {
        /// `docker` and its arguments.
        command: Vec<String>,
    },
    /// Streamable HTTP.
    Remote {
        /// Its endpoint.
        url: String,
        /// Headers of every request; `${NAME}` in a value stands for a variable.
        headers: BTreeMap<String, String>,
    },
    /// The gateway of the settings; only tools that the catalogue documents are taken from it.
    Gateway {
        /// Its endpoint.
        url: String,
        /// What is sent as `Authorization: Bearer …`.
        token: Option<Secret>,
    },
    /// It cannot be reached: why, in a sentence.
    Unusable(String),
}

impl ServerSpec {
    /// Whether what it calls `restart_container` may be anything: it is neither one of ours nor the
    /// gateway that was put in their place.
    pub fn is_foreign(&self) -> bool {
        !self.own && !matches!(self.way, Way::Gateway { .. })
    }

    /// What a person confirms: the exact command as one line, and its hash. `None` for servers
    /// that need no confirmation.
    pub fn confirmation(&self) -> Option<Confirmation> {
        let Way::Container { command } = &self.way else { return None };
        // The hash covers the arguments as they are: two lists with the same line differ in it.
        let sha256 = sha256_hex(format!("{}\n{command:?}", self.name).as_bytes());
        let words: Vec<String> = command.iter().map(|word| quoted(word)).collect();
        Some(Confirmation { name: self.name.clone(), line: words.join(" "), sha256 })
    }
}

/// What a person confirms before a server's first start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Confirmation {
    /// The server.
    pub name: String,
    /// The command as a shell would take it.
    pub line: String,
    /// Hash of name and command.
    pub sha256: String,
}

/// A word as a shell takes it back.
fn quoted(word: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"_-./:=@%+,".contains(&b);
    if !word.is_empty() && word.bytes().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn container(name: &str, command: &[&str]) -> ServerSpec {
        let command = command.iter().map(|w| (*w).to_owned()).collect();
        ServerSpec {
            name: name.to_owned(),
            way: Way::Container { command },
            tools: Vec::new(),
            own: false,
        }
    }

    #[test]
    fn any_other_command_needs_another_confirmation() {
        let one = container("a", &["docker", "run", "x y"]).confirmation().unwrap();
        assert_eq!(one.line, "docker run 'x y'");
        for other in [
            container("b", &["docker", "run", "x y"]),
            container("a", &["docker", "run", "x", "y"]),
            container("a", &["docker", "run", "x y", ""]),
        ] {
            assert_ne!(other.confirmation().unwrap().sha256, one.sha256);
        }
        assert_eq!(container("a", &["docker", "run", "x y"]).confirmation(), Some(one));
    }
}
