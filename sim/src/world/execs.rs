//! Commands inside of containers. Nothing is run: known commands have fixed answers.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::container::{Container, Status};
use crate::process::Fault;
use crate::refused::Refused;
use crate::spec::words;
use crate::world::World;

/// Commands that are remembered; the oldest goes.
const KEPT: usize = 1024;

/// The demo's faults, by the path that a probe asks for.
const FAULTS: [(&str, Fault, &str); 4] = [
    ("/fault/crash", Fault::Crash, "crashing"),
    ("/fault/oom", Fault::Oom, "eating"),
    ("/fault/hang", Fault::Hang, "hanging"),
    ("/fault/errors", Fault::Errors, "failing"),
];

/// Commands, the oldest first.
#[derive(Clone, Debug, Default)]
pub struct Execs(BTreeMap<u64, Exec>);

/// A command in a container.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exec {
    /// Its full id.
    pub id: String,
    /// The container's number.
    pub container: u64,
    /// The command.
    pub command: Vec<String>,
    /// It has a terminal.
    pub tty: bool,
    /// Its status, once it has ended.
    pub code: Option<i64>,
}

impl Execs {
    fn find(&self, id: &str) -> Result<(u64, &Exec), Refused> {
        let found = self.0.iter().find(|(_, exec)| exec.id == id);
        let found = found.map(|(key, exec)| (*key, exec));
        found.ok_or_else(|| Refused::missing(format!("No such exec instance: {id}")))
    }

    /// The container has ended, and its commands with it.
    pub(in crate::world) fn end_of(&mut self, container: u64) {
        for exec in self.0.values_mut().filter(|exec| exec.container == container) {
            exec.code = exec.code.or(Some(137));
        }
    }

    pub(in crate::world) fn forget(&mut self, container: u64) {
        self.0.retain(|_, exec| exec.container != container);
    }
}

impl World {
    /// Prepares a command; answers with its id.
    pub fn create_exec(&mut self, name: &str, body: &Value) -> Result<String, Refused> {
        let (key, container) = self.look(name)?;
        match container.status {
            Status::Running => {}
            Status::Paused => {
                return Err(Refused::conflict(format!(
                    "Container {} is paused, unpause the container before exec",
                    container.id
                )));
            }
            Status::Restarting => {
                return Err(Refused::conflict(format!(
                    "Container {} is restarting, wait until the container is running",
                    container.id
                )));
            }
            Status::Created | Status::Exited => return Err(Refused::not_running(&container.id)),
        }
        let command = words(body.get("Cmd"));
        if command.is_empty() {
            return Err(Refused::bad("No exec command specified"));
        }
        let id = self.new_id();
        let tty = body.get("Tty").and_then(Value::as_bool).unwrap_or_default();
        let line = command.join(" ");
        let exec = Exec { id: id.clone(), container: key, command, tty, code: None };
        let number = self.next;
        self.next += 1;
        self.execs.0.insert(number, exec);
        if self.execs.0.len() > KEPT {
            self.execs.0.pop_first();
        }
        self.tell(key, &format!("exec_create: {line}"), &[("execID", id.clone())]);
        Ok(id)
    }

    /// A command by its id.
    pub fn exec(&self, id: &str) -> Result<&Exec, Refused> {
        self.execs.find(id).map(|(_, exec)| exec)
    }

    /// Runs a command; answers with what it wrote.
    pub fn run_exec(&mut self, id: &str) -> Result<String, Refused> {
        let (number, exec) = self.execs.find(id)?;
        if exec.code.is_some() {
            return Err(Refused::conflict(format!("Error: Exec command {id} has already run")));
        }
        let (key, command) = (exec.container, exec.command.clone());
        let Some(container) = self.get(key).filter(|c| c.status == Status::Running) else {
            return Err(Refused::conflict("the container of this command does not run"));
        };
        let name = container.id.clone();
        let (code, output, fault) = self.answer(container, &command);
        if let Some(exec) = self.execs.0.get_mut(&number) {
            exec.code = Some(code);
        }
        let with = ("execID", id.to_owned());
        self.tell(key, &format!("exec_start: {}", command.join(" ")), std::slice::from_ref(&with));
        self.tell(key, "exec_die", &[with, ("exitCode", code.to_string())]);
        if let Some(fault) = fault {
            self.inject(&name, fault)?;
        }
        Ok(output)
    }

    fn answer(&self, container: &Container, command: &[String]) -> (i64, String, Option<Fault>) {
        let program = command.first().map(String::as_str).unwrap_or_default();
        let name = program.rsplit('/').next().unwrap_or_default();
        let rest = command.get(1..).unwrap_or_default();
        if let [.., service, probe, path] = command
            && service == "demo-service"
            && probe == "probe"
        {
            let wanted = FAULTS.iter().find(|(known, ..)| known == path);
            return match (wanted, container.process.as_ref().map(|p| p.probe(self.now))) {
                (Some((_, fault, said)), _) => (0, (*said).to_owned(), Some(*fault)),
                (None, Some(Ok(said))) => (0, said, None),
                (None, Some(Err(said))) => (1, said, None),
                (None, None) => (1, "nothing listens here".to_owned(), None),
            };
        }
        let peer = |text: &str| self.answers_to(container, text);
        let last = rest.last().map(String::as_str).unwrap_or_default();
        let (code, output) = match name {
            "true" => (0, String::new()),
            "false" => (1, String::new()),
            "echo" => (0, format!("{}\n", rest.join(" "))),
            "cat" => file(container, last),
            "df" => (0, DF.to_owned()),
            "ps" => (
                0,
                format!(
                    "PID   USER     TIME  COMMAND\n    1 root      0:00 {}\n",
                    container.spec.command.join(" ")
                ),
            ),
            "nslookup" | "getent" => match peer(last) {
                Some(address) => (0, format!("{address}  {last}\n")),
                None => (1, format!("** server can't find {last}: NXDOMAIN\n")),
            },
            "nc" => {
                let host = rest.iter().rev().nth(1).map(String::as_str).unwrap_or_default();
                let open = peer(host).is_some();
                (
                    i64::from(!open),
                    if open { String::new() } else { format!("nc: bad address '{host}'\n") },
                )
            }
            "wget" | "curl" => {
                let host = last.trim_start_matches("http://").split(':').next().unwrap_or_default();
                let open = peer(host).is_some();
                (
                    i64::from(!open),
                    if open {
                        String::new()
                    } else {
                        format!("{name}: can't connect to {host}: Connection refused\n")
                    },
                )
            }
            _ => (
                127,
                format!(
                    "OCI runtime exec failed: exec failed: unable to start container process: exec: \"{program}\": executable file not found in $PATH: unknown\r\n"
                ),
            ),
        };
        (code, output, None)
    }

    /// The address of a running neighbour of that name.
    fn answers_to(&self, from: &Container, name: &str) -> Option<String> {
        self.containers().filter(|(_, c)| c.has_process()).find_map(|(_, other)| {
            from.endpoints.keys().find_map(|network| {
                let endpoint = other.endpoints.get(network)?;
                let known = other.name == name || endpoint.aliases.iter().any(|a| a == name);
                known.then(|| endpoint.address.clone())
            })
        })
    }
}

const DF: &str = "Filesystem           1K-blocks      Used Available Use% Mounted on\noverlay               41020640  18459288  20452024  47% /\ntmpfs                    65536         0     65536   0% /dev\n";

/// The few files that looks ask for.
fn file(container: &Container, path: &str) -> (i64, String) {
    let text = match path {
        "/proc/meminfo" => "MemTotal:        8388608 kB\nMemFree:         2406472 kB\nMemAvailable:    5412616 kB\n".to_owned(),
        "/proc/1/limits" => "Limit                     Soft Limit           Hard Limit           Units\nMax open files            1048576              1048576              files\n".to_owned(),
        "/proc/mounts" => "overlay / overlay rw,relatime 0 0\nproc /proc proc rw,nosuid 0 0\n".to_owned(),
        "/proc/net/tcp" => "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid\n".to_owned(),
        "/etc/resolv.conf" => "nameserver 127.0.0.11\noptions ndots:0\n".to_owned(),
        "/etc/hosts" => {
            let address = container.endpoints.values().next().map(|e| e.address.clone());
            format!(
                "127.0.0.1\tlocalhost\n{}\t{}\n",
                address.unwrap_or_default(),
                container.id.get(..12).unwrap_or_default()
            )
        }
        _ => return (1, format!("cat: can't open '{path}': No such file or directory\n")),
    };
    (0, text)
}
