//! Events to other machines and commands from them, over Redis. Without a Redis there is none of
//! this: inside the process front ends hear the run loop's own broadcast.
//!
//! Start at [`redis_bus::RedisBus`]. docs/bus.md says what stands in Redis.
//! - `keys` names of keys and their bounds; [`place`] how Redis is reached
//! - `intake` takes events from the run loop; [`entry`] an event as it is sent; [`spool`] what waits, in memory and then in a file
//! - `publish` sends what waits, in order and once; `append.lua` is the check in Redis
//! - [`consume`] reads a stream as one of a group; [`commands`] asks, and `listen` answers
//! - [`lease`] which instance may act on a container; [`look`] what `doctor` asks

pub mod commands;
pub mod consume;
pub mod entry;
mod intake;
mod keys;
pub mod lease;
mod listen;
pub mod look;
pub mod place;
mod publish;
pub mod redis_bus;
pub mod spool;
