//! Processes at work: what they write, whom they reach, how they end.

use jiff::Timestamp;

use crate::container::{Container, Status};
use crate::log::Line;
use crate::process::{Act, Fault, Peer};
use crate::refused::Refused;
use crate::world::World;

impl World {
    /// Lets a container's process do what is due.
    pub(in crate::world) fn work(&mut self, key: u64) {
        let now = self.now;
        let Some(container) = self.containers.get(&key) else { return };
        let due = container.process.as_ref().and_then(crate::process::Process::due);
        if container.status != Status::Running || due.is_none_or(|at| at > now) {
            return;
        }
        let peers = self.peers(container);
        let Some(container) = self.containers.get_mut(&key) else { return };
        let limit = container.spec.memory;
        let Some(process) = &mut container.process else { return };
        let acts = process.act(now, &peers, limit, &mut self.rng);
        self.carry_out(key, acts);
    }

    /// Puts a fault into a running process.
    pub fn inject(&mut self, name: &str, fault: Fault) -> Result<(), Refused> {
        let (key, container) = self.look(name)?;
        if container.status != Status::Running {
            return Err(Refused::not_running(&container.id));
        }
        let now = self.now;
        let container = self.change(key)?;
        let acts = container.process.as_mut().map(|p| p.break_by(fault, now)).unwrap_or_default();
        self.carry_out(key, acts);
        self.plan(key);
        Ok(())
    }

    /// Writes lines into a container's log, as if its process had said them.
    pub fn say(&mut self, name: &str, error: bool, lines: &[String]) -> Result<(), Refused> {
        let (key, _) = self.look(name)?;
        let acts = lines.iter().map(|text| Act::Say { error, text: text.clone() }).collect();
        self.carry_out(key, acts);
        Ok(())
    }

    /// The log's file is rotated: only so many of the newest lines are left.
    pub fn rotate_log(&mut self, name: &str, keep: usize) -> Result<(), Refused> {
        let key = self.find(name)?;
        self.change(key)?.log.rotate(keep);
        Ok(())
    }

    fn carry_out(&mut self, key: u64, acts: Vec<Act>) {
        for act in acts {
            match act {
                Act::Say { error, text } => {
                    let at = self.moment();
                    let Some(container) = self.containers.get_mut(&key) else { return };
                    container.log.push(Line { at, error, text: text.into() });
                    self.touched.insert(key);
                }
                Act::Exit(code) => {
                    self.end(key, code, false);
                    return;
                }
                Act::OutOfMemory => {
                    self.end(key, 137, true);
                    return;
                }
            }
        }
    }

    fn peers(&self, container: &Container) -> Vec<Peer> {
        let Some(process) = &container.process else { return Vec::new() };
        process.program().peers.iter().map(|peer| self.reach(container, peer)).collect()
    }

    /// How a service answers that is known as `peer` (`host:port`) to this container.
    fn reach(&self, from: &Container, peer: &str) -> Peer {
        let host = peer.split(':').next().unwrap_or_default();
        let known = |other: &&Container| {
            from.endpoints.keys().filter(|n| *n != "bridge").any(|network| {
                other.endpoints.get(network).is_some_and(|endpoint| {
                    other.name == host || endpoint.aliases.iter().any(|alias| alias == host)
                })
            })
        };
        // Several may have the name, as during a recreate: one that answers is found.
        let mut best = Peer::Unknown;
        for other in self.containers.values().filter(known) {
            match (other.status, &other.process) {
                (Status::Running, Some(process)) if !process.hangs => return Peer::Answers,
                (Status::Running | Status::Paused, _) => best = Peer::Silent,
                _ if best == Peer::Unknown => best = Peer::Refuses,
                _ => {}
            }
        }
        best
    }

    /// When the newest line of a container was written.
    pub fn last_line(&self, key: u64) -> Option<Timestamp> {
        let log = &self.get(key)?.log;
        let all = crate::log::Select { stdout: true, stderr: true, ..Default::default() };
        log.read(log.end().saturating_sub(1), 1, &all).0.last().map(|line| line.at)
    }
}
