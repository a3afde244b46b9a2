//! sentinel-tui: a terminal copilot for SREs.
//!
//! The pure tier lives in the crate `sentinel_core`; this crate holds the shell around it.
//! Map, in dependency order (`tests/tidy.rs` fails on any other edge):
//! - [`config`] settings, the only reader of the environment
//! - [`ports`] the outside on one page: traits that adapters implement
//! - [`monitor`], [`analyze`], [`remediate`], [`store`], [`recording`] adapters; they never name one another
//! - [`bus`] adapter: events to other machines and commands from them, over Redis
//! - [`gateway`] the tools of all MCP servers at one address, on the client side of [`remediate`]
//! - [`recovery`] what an earlier run left half done, put right at the start
//! - [`runtime`] the run loop, `perform(Effect)` and the [`runtime::handle::Handle`]
//! - [`tui`], [`headless`], [`control`], [`api`] equal front ends: events in, commands out
//! - [`app`] the composition root; [`demo`], [`commands`] what the verbs do; [`cli`] the parser

pub mod analyze;
pub mod api;
pub mod app;
pub mod bus;
pub mod cli;
pub mod commands;
pub mod config;
pub mod control;
pub mod demo;
pub mod election;
pub mod gateway;
pub mod headless;
pub mod journal;
pub mod monitor;
pub mod ports;
pub mod recording;
pub mod recovery;
pub mod remediate;
pub mod runtime;
pub mod store;
pub mod tui;
