//! The run loop around `step`: signals in, effects out, and the handle for front ends.
//!
//! Start at [`run::prepare`]. The loop builds one signal at a time, lets the detectors and the
//! engine look at it, and performs what they ask; nothing else owns state.

pub mod asking;
mod clock;
mod consulting;
mod core;
pub mod far;
pub mod handle;
mod hands;
mod known;
mod learning;
mod lines;
mod looks;
pub mod parts;
pub mod rings;
mod roles;
pub mod run;
pub mod storing;
