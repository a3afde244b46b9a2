//! What is true: the vocabulary of sentinel-tui. Plain values, no behaviour that needs a machine.

pub mod anomaly;
pub mod audit;
pub mod clock;
pub mod command;
pub mod container;
pub mod diagnosis;
pub mod event;
pub mod evidence;
pub mod failure;
pub mod hash;
pub mod ids;
pub mod incident;
pub mod life;
pub mod log;
pub mod names;
pub mod not_acting;
pub mod plan;
pub mod quiet;
pub mod severity;
pub mod signal;
pub mod size;
pub mod snapshot;
pub mod spec;
pub mod tool;
pub mod topology;
pub mod usage;
