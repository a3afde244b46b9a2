//! stub
pub mod options;
pub mod run;
pub mod theme;
