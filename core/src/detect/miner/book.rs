//! The templates, and what finds them: by the hash of a line, by id, by age, and by one or more
//! words that became variables.

use std::collections::VecDeque;

use jiff::Timestamp;

use crate::detect::miner::form::{Form, key_of, positions, wild_at};
use crate::detect::miner::hash::{self, ReadyMap};
use crate::detect::miner::index::Index;
use crate::detect::miner::learned::{Kept, Learned};
use crate::detect::miner::recency::Recency;
use crate::detect::miner::room;
use crate::detect::miner::slots::{Slot, Slots};
use crate::detect::miner::template::{Payload, Template, TemplateId};
use crate::detect::miner::token::{LINE_TOKENS, Token, WILD_WORD};

/// Sets of variable places that are tried for lines of one length. More are not remembered:
/// their lines become templates of their own.
const MASKS: usize = 32;
/// Ids of merged templates are remembered for so many times the templates.
const MERGED: usize = 8;

/// A larger id is not taken from a file: there is no room for others behind it. Nobody gets
/// there: at 64 new templates a minute it would take 60 years.
const LAST_ID: u32 = u32::MAX / 2;

/// Which places are variables, and how many templates have just these.
#[derive(Clone, Copy, Debug)]
struct Mask {
    places: u128,
    templates: u32,
}

/// The templates of one miner.
#[derive(Debug)]
pub(in crate::detect::miner) struct Book<P> {
    templates: Vec<Option<Template<P>>>,
    free: Vec<u32>,
    keys: ReadyMap<u64, u32>,
    ids: ReadyMap<u32, u32>,
    merged: ReadyMap<u32, u32>,
    merged_order: VecDeque<u32>,
    index: Index,
    masks: Vec<Vec<Mask>>,
    recency: Recency,
    next_id: u32,
    /// Bytes on the heap that belong to the templates themselves.
    held: usize,
}

impl<P: Payload> Book<P> {
    pub(in crate::detect::miner) fn new() -> Self {
        Self {
            templates: Vec::new(),
            free: Vec::new(),
            keys: ReadyMap::default(),
            ids: ReadyMap::default(),
            merged: ReadyMap::default(),
            merged_order: VecDeque::new(),
            index: Index::default(),
            masks: vec![Vec::new(); LINE_TOKENS + 2],
            recency: Recency::default(),
            next_id: 0,
            held: 0,
        }
    }

    pub(in crate::detect::miner) fn len(&self) -> usize {
        self.ids.len()
    }

    pub(in crate::detect::miner) fn at(&self, place: u32) -> Option<&Template<P>> {
        self.templates.get(place as usize)?.as_ref()
    }

    pub(in crate::detect::miner) fn at_mut(&mut self, place: u32) -> Option<&mut Template<P>> {
        self.templates.get_mut(place as usize)?.as_mut()
    }

    pub(in crate::detect::miner) fn all(&self) -> impl Iterator<Item = &Template<P>> {
        self.templates.iter().flatten()
    }

    pub(in crate::detect::miner) fn all_mut(&mut self) -> impl Iterator<Item = &mut Template<P>> {
        self.templates.iter_mut().flatten()
    }

    /// The place of the lines with this hash.
    pub(in crate::detect::miner) fn by_key(&self, key: u64) -> Option<u32> {
        self.keys.get(&key).copied()
    }

    pub(in crate::detect::miner) fn by_id(&self, id: TemplateId) -> Option<u32> {
        self.ids.get(&self.resolve(id).0).copied()
    }

    pub(in crate::detect::miner) fn resolve(&self, id: TemplateId) -> TemplateId {
        let mut id = id.0;
        while let Some(older) = self.merged.get(&id) {
            id = *older;
        }
        TemplateId(id)
    }

    /// A line of the template at `place` came; `slots` are its values.
    #[inline]
    pub(in crate::detect::miner) fn learn(
        &mut self,
        place: u32,
        line: &[u8],
        tokens: &[Token],
        now: Timestamp,
        slots: &mut Vec<Slot>,
    ) -> Option<&mut Template<P>> {
        self.recency.touch(place);
        let template = self.templates.get_mut(place as usize)?.as_mut()?;
        template.count += 1;
        template.last_seen = now;
        // Most of a flood is seen once: what varies is of interest from the second line on.
        if template.count > 1 && template.slots.is_behind(template.form.merged) {
            template.slots.follow(tokens, template.form.merged);
            self.held = self.held.wrapping_add(template.recount());
        }
        template.slots.learn(line, tokens, slots);
        Some(template)
    }

    /// The template that a line of this form belongs to although one or more of its words were
    /// not seen before: they stand where others became a variable.
    pub(in crate::detect::miner) fn covering(&self, words: &[u32], rooms: &[u8]) -> Option<u32> {
        let base = key_of(words);
        let masks = self.masks.get(words.len())?;
        masks.iter().find_map(|mask| {
            let mut key = base;
            for place in positions(mask.places) {
                let word = *words.get(place)?;
                if word != WILD_WORD {
                    if rooms[place] == 0 {
                        return None;
                    }
                    key = wild_at(key, word, place);
                }
            }
            let found = self.by_key(key)?;
            (self.at(found)?.form.merged & mask.places == mask.places).then_some(found)
        })
    }

    /// A template that differs from this form in few words, and in how many.
    pub(in crate::detect::miner) fn nearest(&self, form: &Form) -> Option<(TemplateId, usize)> {
        let key = form.key();
        let near = form.open().find_map(|(at, _)| {
            let under = form.without(key, at);
            let file = form.filed(key, at);
            self.by_key(under).or_else(|| self.index.members(file).next())
        });
        let near = near.or_else(|| self.index.members(form.skeleton(key)?).next())?;
        let near = self.at(near)?;
        Some((near.id, near.form.distance(form)))
    }

    /// A new template, and all that follows from it: when it makes a word a variable, templates
    /// merge. Returns the place where its lines are now, and whether it is a template of its own.
    pub(in crate::detect::miner) fn create(&mut self, form: Form, now: Timestamp) -> (u32, bool) {
        let id = TemplateId(self.next_id);
        self.next_id += 1;
        let template = Template {
            id,
            counted: 0,
            count: 0,
            first_seen: now,
            last_seen: now,
            payload: P::default(),
            slots: Slots::default(),
            form,
        };
        let mut place = self.insert(template);
        let mut own = true;
        while let Some((variable, members)) = self.variable(place) {
            own = false;
            place = self.merge(place, variable, members);
        }
        (place, own)
    }

    /// Puts a template in its place, and files it.
    #[expect(clippy::cast_possible_truncation, reason = "there are at most as many as the bound")]
    pub(in crate::detect::miner) fn insert(&mut self, mut template: Template<P>) -> u32 {
        template.counted = 0;
        self.held += template.recount();
        let place = self.free.pop().unwrap_or(self.templates.len() as u32);
        if self.templates.len() <= place as usize {
            if self.templates.len() == self.templates.capacity() {
                // They are large: doubling would waste half.
                self.templates.reserve_exact(16 + self.templates.len() / 8);
            }
            self.templates.push(None);
        }
        self.next_id = self.next_id.max(template.id.0 + 1);
        self.ids.insert(template.id.0, place);
        self.recency.add(place);
        self.file(&template.form, place);
        self.templates[place as usize] = Some(template);
        place
    }

    /// Takes a template out.
    pub(in crate::detect::miner) fn remove(&mut self, place: u32) -> Option<Template<P>> {
        let template = self.templates.get_mut(place as usize)?.take()?;
        self.held -= template.counted;
        self.ids.remove(&template.id.0);
        self.recency.remove(place);
        self.unfile(&template.form, place);
        self.free.push(place);
        Some(template)
    }

    /// What it knows.
    pub(in crate::detect::miner) fn learned(&self) -> Learned<P>
    where
        P: Clone,
    {
        let order = &self.merged_order;
        let merged = order.iter().filter_map(|id| Some((*id, *self.merged.get(id)?))).collect();
        let templates = self.recency.from_oldest().filter_map(|place| self.at(place));
        Learned { next_id: self.next_id, merged, templates: templates.map(Kept::from).collect() }
    }

    /// Takes what was kept; returns how many.
    pub(in crate::detect::miner) fn warm(&mut self, learned: Learned<P>) -> usize {
        let before = self.len();
        for template in learned.templates.into_iter().filter_map(Kept::restored) {
            let known =
                self.ids.contains_key(&template.id.0) || self.merged.contains_key(&template.id.0);
            if !known && template.id.0 <= LAST_ID && self.by_key(template.form.key()).is_none() {
                self.insert(template);
            }
        }
        for (younger, older) in learned.merged {
            // The older one has the smaller id: no circle can be made.
            if older < younger
                && !self.ids.contains_key(&younger)
                && !self.merged.contains_key(&younger)
            {
                self.alias(TemplateId(younger), TemplateId(older));
            }
        }
        self.next_id = self.next_id.max(learned.next_id.min(LAST_ID));
        self.len() - before
    }

    pub(in crate::detect::miner) fn shrink_to_fit(&mut self) {
        self.keys.shrink_to_fit();
        self.ids.shrink_to_fit();
        self.merged.shrink_to_fit();
        self.index.shrink_to_fit();
    }

    /// Bytes that the templates need, room for growth in the maps included as it is on average:
    /// falls when one goes, as [`Self::heap`] does not.
    pub(in crate::detect::miner) fn used(&self) -> usize {
        // Two entries in maps of 16 and 8 bytes, the link of an age, at 2/3 use.
        const EACH: usize = 3 * (17 + 9) / 2 + 12;
        self.held + self.len() * (size_of::<Option<Template<P>>>() + EACH) + self.index.used()
    }

    pub(in crate::detect::miner) fn evict_oldest(&mut self) -> bool {
        self.recency.oldest().is_some_and(|oldest| self.remove(oldest).is_some())
    }

    fn file(&mut self, form: &Form, place: u32) {
        let key = form.key();
        self.keys.insert(key, place);
        for (at, _) in form.open() {
            self.index.insert(form.filed(key, at), place);
        }
        if let Some(skeleton) = form.skeleton(key) {
            self.index.insert(skeleton, place);
        }
        if form.merged != 0
            && let Some(masks) = self.masks.get_mut(form.words.len())
        {
            if let Some(mask) = masks.iter_mut().find(|mask| mask.places == form.merged) {
                mask.templates += 1;
            } else if masks.len() < MASKS {
                masks.push(Mask { places: form.merged, templates: 1 });
            }
        }
    }

    fn unfile(&mut self, form: &Form, place: u32) {
        let key = form.key();
        self.keys.remove(&key);
        for (at, _) in form.open() {
            self.index.remove(form.filed(key, at), place);
        }
        if let Some(skeleton) = form.skeleton(key) {
            self.index.remove(skeleton, place);
        }
        if form.merged != 0
            && let Some(masks) = self.masks.get_mut(form.words.len())
        {
            if let Some(mask) = masks.iter_mut().find(|mask| mask.places == form.merged) {
                mask.templates -= 1;
            }
            masks.retain(|mask| mask.templates > 0);
        }
    }

    /// Words of this template that have become variables, and the templates that show it.
    fn variable(&self, place: u32) -> Option<(u128, Vec<u32>)> {
        let form = &self.at(place)?.form;
        let key = form.key();
        let open = form.open().take(room::PLACES).find_map(|(at, room)| {
            let file = form.filed(key, at);
            // A value at the place of a usual word is enough.
            let value = self.by_key(form.without(key, at)).filter(|_| room <= room::USUAL);
            let wanted = usize::from(room);
            let enough = value.is_some() || self.index.members(file).take(wanted).count() == wanted;
            (enough && form.left(1 << at) > 0)
                .then(|| (1 << at, self.index.members(file).chain(value).collect()))
        });
        open.or_else(|| self.behind_value(form, key)).or_else(|| self.together(form, key, place))
    }

    /// Other templates have a word where this one has a value.
    fn behind_value(&self, form: &Form, key: u64) -> Option<(u128, Vec<u32>)> {
        form.values().find_map(|at| {
            let usual = |place: &u32| {
                let room = self.at(*place).and_then(|t| t.form.rooms.get(at).copied());
                room.is_some_and(|room| room <= room::USUAL)
            };
            let members: Vec<u32> = self.index.members(form.filed(key, at)).filter(usual).collect();
            (!members.is_empty() && form.left(1 << at) > 0).then_some((1 << at, members))
        })
    }

    /// Enough templates differ in names and values only.
    fn together(&self, form: &Form, key: u64, place: u32) -> Option<(u128, Vec<u32>)> {
        let skeleton = form.skeleton(key)?;
        let members: Vec<u32> = self.index.members(skeleton).collect();
        if members.len() < usize::from(room::VALUE) {
            return None;
        }
        let differing = members
            .iter()
            .filter_map(|other| Some(form.differing(&self.at(*other)?.form)))
            .fold(0, |bits, at| bits | at);
        let others = members.iter().any(|other| *other != place);
        (others && differing != 0 && form.left(differing) > 0).then_some((differing, members))
    }

    /// Makes words of the template at `place` variables. What is one with it then becomes one
    /// template, the oldest.
    fn merge(&mut self, place: u32, variable: u128, mut members: Vec<u32>) -> u32 {
        let Some(template) = self.at(place) else { return place };
        let mut form = template.form.loosened(variable);
        members.push(place);
        let covered = |t: &Template<P>| form.covers(&t.form);
        members.extend(
            (0_u32..)
                .zip(&self.templates)
                .filter_map(|(at, template)| template.as_ref().is_some_and(covered).then_some(at)),
        );
        members.sort_unstable();
        members.dedup();
        let merged = members.iter().filter_map(|at| Some(self.at(*at)?.form.merged));
        form.merged |= merged.fold(0, |bits, merged| bits | merged);
        let mut gone: Vec<Template<P>> =
            members.into_iter().filter_map(|at| self.remove(at)).collect();
        gone.sort_by_key(|t| t.id);
        let mut gone = gone.into_iter();
        let Some(mut oldest) = gone.next() else { return place };
        for younger in gone {
            self.alias(younger.id, oldest.id);
            oldest.absorb(younger);
        }
        oldest.form = form;
        self.insert(oldest)
    }

    fn alias(&mut self, younger: TemplateId, older: TemplateId) {
        self.merged.insert(younger.0, older.0);
        self.merged_order.push_back(younger.0);
        while self.merged_order.len() > MERGED * self.templates.len().max(64) {
            if let Some(id) = self.merged_order.pop_front() {
                self.merged.remove(&id);
            }
        }
    }

    pub(in crate::detect::miner) fn heap(&self) -> usize {
        self.held
            + self.templates.capacity() * size_of::<Option<Template<P>>>()
            + self.free.capacity() * size_of::<u32>()
            + hash::map_bytes(&self.keys)
            + hash::map_bytes(&self.ids)
            + hash::map_bytes(&self.merged)
            + self.merged_order.capacity() * size_of::<u32>()
            + self.index.heap()
            + self.masks.iter().map(|m| m.capacity() * size_of::<Mask>()).sum::<usize>()
            + self.masks.capacity() * size_of::<Vec<Mask>>()
            + self.recency.heap()
    }
}
