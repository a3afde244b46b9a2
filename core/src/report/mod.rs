//! Words about incidents for people: what happened when ([`phases`]), the closing explanation,
//! what was seen before ([`similar`]), and the postmortem as a value and as Markdown. Everything
//! is worked out from the record; nothing here needs a model, a clock or a file.

pub mod explanation;
pub mod lessons;
pub mod markdown;
pub mod phases;
pub mod postmortem;
pub mod similar;
pub mod spans;
