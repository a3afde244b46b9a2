//! Whole days of log lines through the real detector: what it finds, and what it says for nothing.

mod bursty;
mod calm;
mod chance;
mod keeping;
mod world;
