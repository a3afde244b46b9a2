//! What a miner knows, in a form that can be kept: the next run of the program begins with it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::detect::miner::form::{Form, SEPARATOR, positions};
use crate::detect::miner::slots::Slots;
use crate::detect::miner::template::{Template, TemplateId};
use crate::detect::miner::token::LINE_TOKENS;

/// What a miner knows. As large as the miner's bounds allow.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Learned<P> {
    /// Ids below this one were given.
    pub(in crate::detect::miner) next_id: u32,
    /// Ids of merged templates: the younger, the older.
    pub(in crate::detect::miner) merged: Vec<(u32, u32)>,
    /// The templates, the one that was seen longest ago first.
    pub(in crate::detect::miner) templates: Vec<Kept<P>>,
}

impl<P> Learned<P> {
    /// How many templates it has.
    pub fn len(&self) -> usize {
        self.templates.len()
    }

    /// Leaves out all but so many, those that were seen longest ago first.
    pub fn keep(&mut self, templates: usize) {
        self.templates.drain(..self.templates.len().saturating_sub(templates));
    }

    /// It has none.
    pub fn is_empty(&self) -> bool {
        self.templates.is_empty()
    }
}

/// One template.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(in crate::detect::miner) struct Kept<P> {
    id: TemplateId,
    count: u64,
    first_seen: Timestamp,
    last_seen: Timestamp,
    payload: P,
    slots: Slots,
    text: Box<str>,
    words: Box<[u32]>,
    rooms: Box<[u8]>,
    merged: Vec<u8>,
}

impl<P: Clone> From<&Template<P>> for Kept<P> {
    fn from(template: &Template<P>) -> Self {
        let form = &template.form;
        Self {
            id: template.id,
            count: template.count,
            first_seen: template.first_seen,
            last_seen: template.last_seen,
            payload: template.payload.clone(),
            slots: template.slots.clone(),
            text: form.text.clone(),
            words: form.words.clone(),
            rooms: form.rooms.clone(),
            merged: positions(form.merged).filter_map(|at| u8::try_from(at).ok()).collect(),
        }
    }
}

impl<P> Kept<P> {
    /// The template again. `None`: it does not fit together, as a file that was changed by hand
    /// may not.
    pub(in crate::detect::miner) fn restored(self) -> Option<Template<P>> {
        let length = self.words.len();
        let fits = length <= LINE_TOKENS + 2
            && self.rooms.len() == length
            && (length == 0 || self.text.split(SEPARATOR).count() == length)
            && self.merged.iter().all(|at| usize::from(*at) < length.min(LINE_TOKENS));
        let merged = self
            .merged
            .iter()
            .fold(0, |bits, at| bits | 1_u128.checked_shl(u32::from(*at)).unwrap_or(0));
        fits.then(|| Template {
            id: self.id,
            count: self.count,
            first_seen: self.first_seen,
            last_seen: self.last_seen,
            payload: self.payload,
            slots: self.slots,
            form: Form { text: self.text, words: self.words, rooms: self.rooms, merged },
            counted: 0,
        })
    }
}
