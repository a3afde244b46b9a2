//! The run loop around `step`: signals in, effects out, and the handle for front ends.

pub mod handle;
pub mod rings;
