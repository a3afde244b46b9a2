//! Lines in, templates out: the constant words of a line, and what varies in it.
//!
//! Start at [`Miner::mine`]. A line that was seen before costs one pass over its bytes and one
//! probe of a hash map, without an allocation. Only an unseen one takes the slow path, where words
//! become variables once enough different ones stood at their place.

pub mod brake;
pub mod class;
pub mod extent;
pub mod form;
pub mod hash;
pub mod index;
pub mod learned;
pub mod mask;
pub mod number;
pub mod numbers;
pub mod recency;
pub mod room;
pub mod shape;
pub mod slots;
pub mod template;
pub mod token;
pub mod values;

mod book;
#[cfg(test)]
mod tests;

use jiff::Timestamp;

use crate::detect::miner::book::Book;
use crate::detect::miner::brake::Brake;
use crate::detect::miner::form::{Form, SEPARATOR};
use crate::detect::miner::learned::Learned;
use crate::detect::miner::slots::Slot;
use crate::detect::miner::template::{Payload, Template, TemplateId};
use crate::detect::miner::token::{Kind, Tokens, WILD};

/// How much a miner may keep.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// Templates. The one that was seen longest ago goes first.
    pub templates: usize,
    /// Bytes of memory for all.
    pub bytes: usize,
}

impl Default for Bounds {
    /// 1,024 templates: Loki keeps 300 a stream, the richest sample that we have (one node of a
    /// supercomputer) has 150 in 2,000 lines.
    fn default() -> Self {
        Self::of(1024)
    }
}

impl Bounds {
    /// For so many templates.
    pub const fn of(templates: usize) -> Self {
        // 20,000 templates in 32 MiB.
        Self { templates, bytes: templates * 1600 }
    }
}

/// Lines that are remembered for words that became variables. 16 bytes each.
const RECENT: usize = 1024;

/// A place, whether it is new, and its nearest.
type Found = (u32, bool, Option<(TemplateId, usize)>);

#[expect(clippy::cast_possible_truncation, reason = "the low bits are wanted")]
fn recent_at(key: u64) -> usize {
    key as usize % RECENT
}

/// What became of a line.
#[derive(Debug)]
pub struct Mined<'a, P> {
    /// The template's id.
    pub id: TemplateId,
    /// The template.
    pub template: &'a mut Template<P>,
    /// No line of it was seen before.
    pub is_new: bool,
    /// For a new one: a known one that is like it, and in how many words they differ.
    pub nearest: Option<(TemplateId, usize)>,
    /// The typed values of this line.
    pub slots: &'a [Slot],
}

/// The miner of one stream of lines.
#[derive(Debug)]
pub struct Miner<P> {
    bounds: Bounds,
    book: Book<P>,
    tokens: Tokens,
    slots: Vec<Slot>,
    words: Vec<u32>,
    rooms: Vec<u8>,
    other: u64,
    brake: Brake,
    /// Lines whose words are not those of their template, by hash: a word that became a variable
    /// is looked up once, not each time. One of [`RECENT`] for each hash.
    recent: Vec<(u64, u32, TemplateId)>,
}

impl<P: Payload> Miner<P> {
    /// An empty one.
    pub fn new(bounds: Bounds) -> Self {
        Self {
            bounds,
            book: Book::new(),
            tokens: Tokens::default(),
            slots: Vec::new(),
            words: Vec::new(),
            rooms: Vec::new(),
            other: 0,
            brake: Brake::default(),
            recent: Vec::new(),
        }
    }

    /// Takes a line: its message, without time, level and so on. `None`: too many new templates
    /// come at present, and this would have been one; it counts as [`Self::other`].
    pub fn mine(&mut self, message: &str, now: Timestamp) -> Option<Mined<'_, P>> {
        self.tokens.read(message);
        let key = self.tokens.key();
        let (place, is_new, nearest) = match self.book.by_key(key).or_else(|| self.recent(key)) {
            Some(place) => (place, false, None),
            None => self.unseen(key, message, now)?,
        };
        self.slots.clear();
        let tokens = self.tokens.as_slice();
        let template = self.book.learn(place, message.as_bytes(), tokens, now, &mut self.slots)?;
        Some(Mined { id: template.id, template, is_new, nearest, slots: &self.slots })
    }

    /// The kind that a line is of, if it is known. Nothing is learned.
    pub fn known(&mut self, message: &str) -> Option<TemplateId> {
        self.tokens.read(message);
        let key = self.tokens.key();
        let place = self.book.by_key(key).or_else(|| self.recent(key)).or_else(|| {
            let tokens = self.tokens.as_slice();
            room::rooms(message.as_bytes(), tokens, &mut self.rooms);
            self.words.clear();
            self.words.extend(tokens.iter().map(|t| t.word));
            self.book.covering(&self.words, &self.rooms)
        })?;
        self.book.at(place).map(|template| template.id)
    }

    /// The place of a line that was looked up before.
    fn recent(&self, key: u64) -> Option<u32> {
        let (known, place, id) = self.recent.get(recent_at(key))?;
        (*known == key && self.book.at(*place).is_some_and(|t| t.id == *id)).then_some(*place)
    }

    fn remember(&mut self, key: u64, place: u32) {
        let Some(id) = self.book.at(place).map(|t| t.id) else { return };
        if self.recent.is_empty() {
            self.recent = vec![(0, u32::MAX, id); RECENT];
        }
        if let Some(entry) = self.recent.get_mut(recent_at(key)) {
            *entry = (key, place, id);
        }
    }

    /// The slow path.
    fn unseen(&mut self, key: u64, message: &str, now: Timestamp) -> Option<Found> {
        let tokens = self.tokens.as_slice();
        room::rooms(message.as_bytes(), tokens, &mut self.rooms);
        self.words.clear();
        self.words.extend(tokens.iter().map(|t| t.word));
        if let Some(place) = self.book.covering(&self.words, &self.rooms) {
            self.remember(key, place);
            return Some((place, false, None));
        }
        if self.brake.is_on(now) {
            self.other += 1;
            return None;
        }
        let form = Form {
            text: shown(message, &self.tokens).into(),
            words: self.words.as_slice().into(),
            rooms: self.rooms.as_slice().into(),
            merged: 0,
        };
        let nearest = self.book.nearest(&form);
        let (place, own) = self.book.create(form, now);
        let evicted = self.shrink();
        self.brake.created(evicted);
        Some((place, own, nearest.filter(|_| own)))
    }

    /// The template with this id, or the one that it was merged into.
    pub fn get(&self, id: TemplateId) -> Option<&Template<P>> {
        self.book.at(self.book.by_id(id)?)
    }

    /// The template with this id, or the one that it was merged into.
    pub fn get_mut(&mut self, id: TemplateId) -> Option<&mut Template<P>> {
        let place = self.book.by_id(id)?;
        self.book.at_mut(place)
    }

    /// The id that `id` has now.
    pub fn resolve(&self, id: TemplateId) -> TemplateId {
        self.book.resolve(id)
    }

    /// All templates, in no order that means anything.
    pub fn iter(&self) -> impl Iterator<Item = &Template<P>> {
        self.book.all()
    }

    /// All templates, in no order that means anything.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut Template<P>> {
        self.book.all_mut()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.book.len()
    }

    /// There are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Lines that would have been new templates while the brake was on.
    pub fn other(&self) -> u64 {
        self.other
    }

    /// Sets how many templates it may keep; if there are more, the oldest go at once.
    pub fn set_bound(&mut self, templates: usize) {
        self.bounds = Bounds::of(templates);
        self.shrink();
        self.book.shrink_to_fit();
    }

    /// Drops what is beyond the bounds, the oldest first; how many. One always stays.
    fn shrink(&mut self) -> u32 {
        let mut evicted = 0;
        while self.book.len() > 1
            && (self.book.len() > self.bounds.templates || self.book.used() > self.bounds.bytes)
            && self.book.evict_oldest()
        {
            evicted += 1;
        }
        evicted
    }

    /// What it knows, to be kept.
    pub fn learned(&self) -> Learned<P>
    where
        P: Clone,
    {
        self.book.learned()
    }

    /// Begins with what was kept: no line that was known then is new now, and ids stay. Returns
    /// how many templates were taken; those that do not fit together, or are known here already,
    /// are not.
    pub fn warm(&mut self, learned: Learned<P>) -> usize {
        let taken = self.book.warm(learned);
        taken - self.shrink() as usize
    }

    /// Bytes of memory that it takes.
    pub fn memory(&self) -> usize {
        size_of::<Self>()
            + self.book.heap()
            + self.tokens.heap()
            + self.slots.capacity() * size_of::<Slot>()
            + self.words.capacity() * size_of::<u32>()
            + self.rooms.capacity()
            + self.recent.capacity() * size_of::<(u64, u32, TemplateId)>()
    }
}

/// The text of a new template, its tokens separated by U+0001.
fn shown(message: &str, tokens: &Tokens) -> String {
    let line = message.as_bytes();
    let mut text = Vec::with_capacity(message.len());
    for (at, token) in tokens.as_slice().iter().enumerate() {
        if at > 0 {
            text.push(SEPARATOR as u8);
        }
        if token.spaced {
            text.push(b' ');
        }
        match token.kind {
            Kind::Value | Kind::Path | Kind::Number => text.extend_from_slice(WILD.as_bytes()),
            Kind::Part => {
                // Of a list of such words the first stands for all.
                let ends = |b: &u8| class::of(*b) & class::END != 0;
                let first = token.of(line).split(ends).next().unwrap_or_default();
                mask::show(first, WILD, &mut text);
            }
            Kind::Mark | Kind::Word => text.extend_from_slice(token.of(line)),
        }
    }
    String::from_utf8_lossy(&text).into_owned()
}
