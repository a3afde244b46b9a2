//! The HTTP API and the status page: one more front end, with the rights of the others and no
//! further ones, on a thread of its own so that its clients cannot slow the run loop.
//!
//! Start at [`serve::start`]. `guard` decides who is heard, [`routes`] is the table of what there
//! is, `socket` the WebSocket, [`attach`] its client end: a terminal over an instance elsewhere.

pub mod attach;
mod deeds;
mod follow;
mod guard;
mod house;
mod metrics;
mod own;
mod pace;
mod page;
mod problem;
mod reads;
pub mod records;
mod room;
pub mod routes;
pub mod serve;
mod socket;
mod tally;
pub mod token;
pub mod words;
