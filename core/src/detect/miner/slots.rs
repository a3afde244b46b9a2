//! The typed values of a line, and what those of a template were so far.

use serde::{Deserialize, Serialize};

use crate::detect::miner::hash;
use crate::detect::miner::number::{self, Unit};
use crate::detect::miner::numbers::Numbers;
use crate::detect::miner::token::{Kind, Token};
use crate::detect::miner::values::Values;

/// Numbers that are followed in one template.
const NUMBERS: usize = 4;
/// Places that are followed in one template, numbers among them.
pub const PLACES: usize = 8;

/// A typed value of one line.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Slot {
    /// A number, in the base unit of its kind.
    Number {
        /// Which token of the template.
        position: u8,
        /// In bytes, seconds, hundredths, or as it stands.
        value: f64,
        /// Which of these.
        unit: Unit,
    },
    /// A value of a place that had few different ones so far: a word or a number, as a code of
    /// status is.
    Word {
        /// Which token of the template.
        position: u8,
        /// Its hash.
        hash: u32,
        /// Where it begins in the message, in bytes.
        start: u16,
        /// Where it ends.
        end: u16,
        /// No line before had it here.
        fresh: bool,
    },
}

/// What the values at one place of a template were.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Place {
    /// Which token of the template.
    pub position: u8,
    /// The numbers, if there were any.
    pub numbers: Option<Box<Numbers>>,
    /// The different values, as long as they are few.
    pub values: Option<Box<Values>>,
}

/// What the values of a template were, for its first few places with values.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Slots {
    places: Vec<Place>,
    /// The words that had become variables when it last looked for places; `None`: it never did.
    chosen: Option<u128>,
}

impl Slots {
    /// The places that are followed.
    pub fn places(&self) -> &[Place] {
        &self.places
    }

    /// The place at this token, if it is followed.
    pub fn at(&self, position: u8) -> Option<&Place> {
        self.places.iter().find(|p| p.position == position)
    }

    /// Words became variables since the places were chosen.
    pub(in crate::detect::miner) fn is_behind(&self, merged: u128) -> bool {
        self.chosen != Some(merged)
    }

    /// Begins to follow the places of a template; those that are followed already stay.
    #[expect(clippy::cast_possible_truncation, reason = "a line has at most 128 tokens")]
    pub(in crate::detect::miner) fn follow(&mut self, tokens: &[Token], merged: u128) {
        self.chosen = Some(merged);
        let mut numbers = self.places.iter().filter(|p| p.numbers.is_some()).count();
        let wild = |(at, t): &(usize, &Token)| t.is_wild() || merged >> at & 1 == 1;
        for (at, token) in tokens.iter().enumerate().filter(wild) {
            if self.places.len() >= PLACES {
                break;
            }
            let position = at as u8;
            if self.at(position).is_some() {
                continue;
            }
            let number = token.kind == Kind::Number && numbers < NUMBERS;
            numbers += usize::from(number);
            self.places.reserve_exact(1);
            self.places.push(Place {
                position,
                numbers: number.then(Box::default),
                values: Some(Box::default()),
            });
        }
    }

    /// Learns the values of a line; `into` are those that are worth a look.
    #[inline]
    pub(in crate::detect::miner) fn learn(
        &mut self,
        line: &[u8],
        tokens: &[Token],
        into: &mut Vec<Slot>,
    ) {
        for place in &mut self.places {
            let Some(token) = tokens.get(usize::from(place.position)) else { continue };
            if let Some(numbers) = place.numbers.as_mut()
                && token.kind == Kind::Number
                && let Some((value, unit)) = number::read(token.of(line))
            {
                numbers.add(value, unit);
                into.push(Slot::Number { position: place.position, value, unit });
            }
            if let Some(values) = place.values.as_mut() {
                #[expect(clippy::cast_possible_truncation, reason = "32 bits are kept")]
                let hash = hash::of_word(token.of(line)) as u32;
                match values.add(hash) {
                    Some(fresh) => into.push(Slot::Word {
                        position: place.position,
                        hash,
                        start: token.start,
                        end: token.end,
                        fresh,
                    }),
                    None => place.values = None,
                }
            }
        }
    }

    pub(in crate::detect::miner) fn heap(&self) -> usize {
        let boxed = |p: &Place| {
            p.numbers.as_ref().map_or(0, |_| size_of::<Numbers>())
                + p.values.as_ref().map_or(0, |_| size_of::<Values>())
        };
        self.places.capacity() * size_of::<Place>() + self.places.iter().map(boxed).sum::<usize>()
    }
}
