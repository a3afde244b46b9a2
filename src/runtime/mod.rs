//! The run loop around `step`: signals in, effects out, and the handle for front ends.
//!
//! Start at [`run::prepare`]. The loop builds one signal at a time, lets the detectors and the
//! engine look at it, and performs what they ask; nothing else owns state.

pub mod asking;
mod clock;
mod consulting;
mod core;
mod elsewhere;
pub mod events;
pub mod far;
mod front;
pub mod handle;
mod hands;
mod known;
mod learning;
mod lines;
pub mod looking;
mod looks;
mod paging;
pub mod parts;
pub mod rings;
mod roles;
pub mod run;
mod sources;
pub mod storing;
mod telling;
