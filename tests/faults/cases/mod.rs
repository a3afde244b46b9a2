//! The table of cases.

pub mod controls;
mod crashes;
mod network;
mod resources;
mod said;

use std::pin::Pin;

use crate::score::Right;
use crate::stage::Stage;
use crate::support::Fallible;

/// One act of a case.
pub type Act = for<'a> fn(&'a Stage) -> Pin<Box<dyn Future<Output = Fallible> + 'a>>;

/// A case: what stands on the stage, what is done to it, and what is right.
#[derive(Clone, Copy)]
pub struct Case {
    pub name: &'static str,
    /// `None`: a control, which must stay quiet.
    pub right: Option<Right>,
    /// Seconds until it must be over, or a control must have stayed quiet.
    pub wait: u64,
    pub set: Act,
    pub act: Act,
}

/// A piece of a case, written as a block.
macro_rules! act {
    (|$stage:ident| $body:block) => {
        |$stage| {
            Box::pin(async move {
                $body;
                Ok(())
            })
        }
    };
}
use act;

const fn right(
    classes: &'static [&'static str],
    root: &'static str,
    fix: Option<(&'static str, &'static str)>,
    mends: bool,
) -> Right {
    Right { classes, root, fix, mends, never_alone: false }
}

/// All of them.
pub fn all() -> Vec<Case> {
    let mut all = Vec::new();
    all.extend(crashes::CASES);
    all.extend(network::CASES);
    all.extend(resources::CASES);
    all.extend(said::CASES);
    all.extend(controls::CONTROLS.map(|control| control.case));
    all
}
