//! The API: what it shows and to whom, what it refuses, its WebSocket, a terminal attached to it.

#[path = "../support/mod.rs"]
mod support;

mod attach;
mod client;
mod deeds;
mod engine;
mod hostile;
mod reads;
mod socket;
mod stage;
