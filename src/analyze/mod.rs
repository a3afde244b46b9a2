//! Adapter: language models behind OpenAI-compatible endpoints. What a model says is data: it may
//! explain, it never approves, authorises or names a command.
//!
//! Pure: [`lines`], [`wire`], [`assembly`], [`repair`], [`breaker`], [`budget`], [`price`],
//! [`retry`], [`prompt`]. With the network: [`transport`], `exchange`, [`models`], [`client`], and on
//! top of it [`desk`] one role within its budget, `rounds` a conversation with looks, [`language`]
//! both roles together.

pub mod assembly;
pub mod breaker;
pub mod budget;
pub mod client;
pub mod desk;
pub mod endpoint;
mod exchange;
pub mod failure;
pub mod language;
pub mod lines;
pub mod models;
pub mod price;
pub mod prompt;
pub mod repair;
pub mod reply;
pub mod retry;
mod rounds;
pub mod state;
pub mod transport;
pub mod wire;
