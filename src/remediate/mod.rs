//! Calls tools over MCP: starts the servers of the catalogue, discovers what they offer, runs
//! approved plans.
//!
//! Tools are known from discovery only. Arguments are checked against the tool's own schema
//! before anything is sent; a call is sent once and never repeated. Start at
//! [`remediator::McpRemediator`].
//! - [`catalog`] which servers; `entry` what one entry says, `container` an image as a command,
//!   [`spec`] what comes of it
//! - [`trust`] which commands a person has confirmed
//! - `reaching` the way to a server: `spawn` a child process (cleared environment, own group,
//!   standard error into the log), `http` an address
//! - `serving` one server over time: reach, discover, reach again; `backends` all of them
//! - `offer` one tool as offered: made safe to show, its schema compiled
//! - `directory` what all servers offer, and how they are
//! - `calling` one call and what came back; `answer` makes that safe to keep
//! - `staleness` whether the world still is as the plan assumes; `carry` what a step's result
//!   changes in the steps after it; `leave` the lease that acting needs beside other instances;
//!   `running` a plan, or its inverse, step by step

mod answer;
pub(crate) mod backends;
pub(crate) mod calling;
mod carry;
pub mod catalog;
mod container;
pub(crate) mod directory;
mod entry;
mod http;
mod leave;
pub(crate) mod offer;
mod reaching;
pub mod remediator;
mod running;
mod serving;
mod spawn;
pub mod spec;
mod staleness;
pub mod timeouts;
pub mod trust;
