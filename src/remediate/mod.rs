//! Calls tools over MCP: starts the servers of the catalogue, discovers what they offer, runs
//! approved plans.
//!
//! Tools are known from discovery only. Arguments are checked against the tool's own schema
//! before anything is sent; a call is sent once and never repeated. Start at
//! [`remediator::McpRemediator`].
//! - [`catalog`] which servers, and how each is started
//! - `spawn` the child process: cleared environment, own group, standard error into the log
//! - `serving` one server over time: connect, discover, restart
//! - `offer` one tool as offered: made safe to show, its schema compiled
//! - `directory` what all servers offer, and how they are
//! - `calling` one call and what came back; `answer` makes that safe to keep
//! - `staleness` whether the world still is as the plan assumes; `carry` what a step's result
//!   changes in the steps after it; `running` a plan, or its inverse, step by step

mod answer;
mod calling;
mod carry;
pub mod catalog;
mod directory;
mod offer;
pub mod remediator;
mod running;
mod serving;
mod spawn;
mod staleness;
pub mod timeouts;
