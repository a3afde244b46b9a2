//! A simulated Docker engine: an Engine API on a unix socket, in front of a small world of
//! containers that write logs, take memory, depend on each other, break, and react to fixes as real
//! ones do.
//!
//! The core is pure and knows no machine: [`world::World`] is driven by operations and by
//! [`world::World::step`]. [`show`] turns it into the engine's JSON. [`engine`] adds a clock that can
//! run fast and fault switches, [`server`] the socket. [`scenario`] has ready worlds.
//!
//! Nothing is run and no file of a container exists: what a process does is data
//! ([`program::Program`]), and commands inside a container have fixed answers.

pub mod clock;
pub mod container;
pub mod engine;
pub mod event;
pub mod frame;
pub mod log;
pub mod noise;
pub mod process;
pub mod program;
pub mod query;
pub mod refused;
pub mod scenario;
pub mod server;
pub mod show;
pub mod spec;
pub mod switches;
pub mod version;
pub mod world;
