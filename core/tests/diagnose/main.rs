//! Cases put to the rules of diagnosis: which class wins, whose fault it is, what is proposed, and
//! what is left alone.

mod changes;
mod contest;
mod each_class;
mod exclusions;
mod laws;
mod world;
