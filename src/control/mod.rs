//! A running instance can be spoken to from another terminal: a front end on a unix socket in the
//! state folder, with the same rights as the screen and no others.
//!
//! [`serve`] listens, [`client`] asks, [`words`] is what they say: one JSON object per line.

pub mod client;
pub mod serve;
pub mod words;

use std::path::{Path, PathBuf};

/// Where the socket is.
pub fn path(state_dir: &Path) -> PathBuf {
    state_dir.join("control.sock")
}
