//! Drawing: pure functions of the state onto a buffer. Start at [`root::draw`].

pub mod brush;
pub mod containers;
pub mod dialog;
pub mod fixes;
pub mod fleet;
pub mod footer;
mod form;
mod frame;
pub mod header;
pub mod help;
pub mod incidents;
pub mod inspector;
mod log_title;
pub mod logs;
mod looks;
mod palette;
mod range;
pub mod root;
mod shaping;
mod silence;
mod talk;
