//! One address for the tools of all MCP servers of the catalogue (`sentinel-tui gateway`).
//!
//! Built on the client side of [`crate::remediate`], which keeps the servers running and knows
//! what they offer; who may ask over HTTP is decided in `mcp_kit::http`. Between the two stands,
//! for each call: is the tool served at all, do the arguments fit its schema, is there room and
//! time, and is it on record. Start at [`serve::Gateway`].
//! - `names` what the tools are called here
//! - `pace` how many calls within a minute
//! - `trail` what is put on record
//! - `handler` one session: lists, calls, news

mod handler;
mod names;
mod pace;
pub mod serve;
mod trail;
