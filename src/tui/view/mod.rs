//! Drawing: pure functions of the state onto a buffer. Start at [`root::draw`].

pub mod brush;
pub mod containers;
pub mod dialog;
pub mod fixes;
pub mod footer;
mod frame;
pub mod header;
pub mod help;
pub mod incidents;
pub mod inspector;
pub mod logs;
mod palette;
pub mod root;
mod shaping;
mod silence;
mod talk;
