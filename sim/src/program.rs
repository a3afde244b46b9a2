//! What a container's main process does, as data: taken from the label [`LABEL`], from the command
//! of the demo's services, or, for everything else, to run and say nothing.

use serde::Deserialize;
use serde_json::Value;

use crate::noise::Format;

/// The label whose JSON describes the process.
pub const LABEL: &str = "docker-sim.program";
/// The word in a command that starts one of the demo's services.
const DEMO: &str = "demo-service";

/// What a process does.
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(default, deny_unknown_fields)]
pub struct Program {
    /// Lines at given times after the start.
    pub says: Vec<Said>,
    /// Ordinary lines, over and over.
    pub noise: Option<Noise>,
    /// Variables without which it does not start.
    pub needs: Vec<String>,
    /// `host:port` of the services that it asks every second.
    pub peers: Vec<String>,
    /// Where it listens.
    pub port: u16,
    /// Ends by itself.
    pub exit: Option<Exit>,
    /// What memory it takes.
    pub memory: Memory,
    /// Share of one processor that it uses.
    pub cpu: f64,
    /// What it does when it is told to stop.
    pub on_term: OnTerm,
    /// Its health probe fails from that many milliseconds after the start on.
    pub unhealthy_after_ms: Option<u64>,
    /// Paths that it has written in its own layer.
    pub writes: Vec<String>,
    /// Which service of the demo it is.
    #[serde(skip)]
    pub role: Option<String>,
}

/// A line at a time.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(default, deny_unknown_fields)]
pub struct Said {
    /// Milliseconds after the start.
    pub after_ms: u64,
    /// To standard error.
    pub error: bool,
    /// What.
    pub text: String,
}

/// Ordinary lines.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct Noise {
    /// In which form.
    pub format: Format,
    /// How many.
    pub per_second: f64,
}

/// An end without anybody's help.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(default, deny_unknown_fields)]
pub struct Exit {
    /// Milliseconds after the start.
    pub after_ms: u64,
    /// The status that it ends with.
    pub code: i64,
}

/// What memory is taken.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(default, deny_unknown_fields)]
pub struct Memory {
    /// Bytes from the start on.
    pub base: u64,
    /// Bytes that a second adds.
    pub grows: u64,
    /// Where it stops growing: with a limit above this, the leak is healed.
    pub up_to: u64,
}

/// What a process does when it is told to stop.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub enum OnTerm {
    /// Ends with status 0.
    #[default]
    Exit,
    /// Goes on, as the first process of a container does that handles no signal.
    Ignore,
}

impl Default for Memory {
    fn default() -> Self {
        Self { base: 12 << 20, grows: 0, up_to: u64::MAX }
    }
}

impl Default for Program {
    fn default() -> Self {
        Self {
            says: Vec::new(),
            noise: None,
            needs: Vec::new(),
            peers: Vec::new(),
            port: 0,
            exit: None,
            memory: Memory::default(),
            cpu: 0.01,
            on_term: OnTerm::Exit,
            unhealthy_after_ms: None,
            writes: Vec::new(),
            role: None,
        }
    }
}

impl Program {
    /// Reads what a container will do from its label, its command and its environment.
    pub fn of(label: Option<&str>, command: &[String], env: &[String]) -> Result<Self, String> {
        if let Some(text) = label {
            return serde_json::from_str(text).map_err(|e| format!("the label {LABEL}: {e}"));
        }
        let demo = command.iter().skip_while(|word| *word != DEMO).nth(1);
        Ok(demo.map(|role| demo_service(role, env)).unwrap_or_default())
    }
}

/// One of the demo's services, which read where their peers are from `PEER_URL`.
fn demo_service(role: &str, env: &[String]) -> Program {
    let peers = env.iter().find_map(|pair| pair.strip_prefix("PEER_URL=")).unwrap_or_default();
    let peers = peers.split(',').map(|p| p.trim_start_matches("http://").to_owned());
    let port = match role {
        "api" => 3001,
        "worker" => 3002,
        _ => 9000,
    };
    Program {
        says: vec![said(&format!("INFO  listening on port {port}"))],
        needs: if role == "worker" { vec!["PEER_URL".to_owned()] } else { Vec::new() },
        peers: peers.filter(|p| !p.is_empty()).collect(),
        port,
        role: Some(role.to_owned()),
        ..Program::default()
    }
}

fn said(text: &str) -> Said {
    Said { after_ms: 0, error: false, text: text.to_owned() }
}

/// A program as the text of its label.
pub fn label(program: &Value) -> String {
    program.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_comes_from_the_label_or_the_command() {
        let words = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
        let labelled = Program::of(Some(r#"{"exit":{"after_ms":5,"code":3}}"#), &[], &[]).unwrap();
        assert_eq!(labelled.exit, Some(Exit { after_ms: 5, code: 3 }));
        assert!(Program::of(Some(r#"{"exits":1}"#), &[], &[]).is_err());

        let env = words("PEER_URL=http://api:3001,http://data:9000");
        let worker = Program::of(None, &words("/x demo-service worker"), &env).unwrap();
        assert_eq!((worker.peers, worker.port), (words("api:3001 data:9000"), 3002));
        assert_eq!(Program::of(None, &words("sleep 5"), &[]).unwrap(), Program::default());
    }
}
