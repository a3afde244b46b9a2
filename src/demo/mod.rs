//! A small real stack to break and heal: `demo-api` (service `api`), `demo-worker`, `demo-data`,
//! which depend on each other, all from the running executable put into an image on the spot.
//!
//! [`service`] is what runs inside the containers, [`image`] makes the image, [`stack`] starts and
//! removes everything, [`fault`] breaks it. Where there is no engine, [`simulated`] is one.

pub mod fault;
pub mod image;
pub mod service;
pub mod simulated;
pub mod stack;
