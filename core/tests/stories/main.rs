//! Stories: what happens to containers goes into detector and engine as signals, with a clock that
//! only the story moves; what comes out is compared with what a person on call would want.

mod asking;
mod changes;
mod consulting;
mod crash;
mod decisions;
mod dependencies;
mod experience;
mod health;
mod intent;
mod keeping;
mod loops;
mod memory;
mod properties;
mod quiet;
mod replaying;
mod report;
mod resuming;
mod shaping;
mod sight;
mod support;
mod surroundings;
mod switch;
mod undo;
mod verification;
