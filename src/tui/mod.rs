//! The terminal UI: state, a pure update, a pure layout and a pure view around it.
//!
//! Start at [`run::run`]. Everything that a key, a snapshot or a tick means is decided in
//! [`update`], which reads no clock and does no I/O: time arrives in the message. [`view`] reads
//! [`state::State`] and writes only the frame. [`layout`] is asked by both, so that scrolling and
//! drawing agree on the geometry. Only [`run`] and [`terminal`] touch the terminal.
//!
//! A new incident or fix never takes the focus and never opens anything: approving is a walk of
//! the operator's own to a dialog that names what will run.

pub mod action;
pub mod chart;
pub mod columns;
pub mod export;
pub mod fate;
pub mod field;
pub mod filter;
pub mod fleet;
pub mod fold;
pub mod form;
pub mod glyphs;
pub mod groups;
pub mod highlight;
pub mod hints;
pub mod hit;
pub mod keymap;
pub mod layout;
pub mod listing;
pub mod lists;
pub mod log_merge;
pub mod log_paging;
pub mod log_past;
pub mod log_scroll;
pub mod log_sources;
pub mod log_take;
pub mod log_view;
pub mod look;
pub mod looks;
pub mod message;
pub mod modal;
pub mod notice;
pub mod options;
pub mod pages;
pub mod palette;
pub mod pane;
pub mod pattern;
pub mod places;
pub mod quiet;
pub mod range;
pub mod reach;
pub mod record;
pub mod role;
pub mod rows;
pub mod run;
pub mod schema;
pub mod shaping;
pub mod state;
pub mod status;
pub mod styled;
pub mod talk;
pub mod terminal;
pub mod terms;
pub mod text;
pub mod theme;
pub mod times;
pub mod trends;
pub mod update;
pub mod view;
pub mod words;
