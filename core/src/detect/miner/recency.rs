//! Who was seen longest ago: a list through an array, every step O(1).

const NONE: u32 = u32::MAX;

#[derive(Clone, Copy, Debug)]
struct Link {
    newer: u32,
    older: u32,
}

/// The order of use of numbered places, the newest first. As long as the highest number in use.
#[derive(Debug)]
pub struct Recency {
    links: Vec<Link>,
    newest: u32,
    oldest: u32,
}

impl Default for Recency {
    fn default() -> Self {
        Self { links: Vec::new(), newest: NONE, oldest: NONE }
    }
}

impl Recency {
    /// A place comes into use; it is the newest.
    pub fn add(&mut self, place: u32) {
        let index = place as usize;
        if self.links.len() <= index {
            self.links.resize(index + 1, Link { newer: NONE, older: NONE });
        }
        self.links[index] = Link { newer: NONE, older: self.newest };
        match self.links.get_mut(self.newest as usize) {
            Some(before) => before.newer = place,
            None => self.oldest = place,
        }
        self.newest = place;
    }

    /// A place in use is used again.
    #[inline]
    pub fn touch(&mut self, place: u32) {
        if place != self.newest {
            self.remove(place);
            self.add(place);
        }
    }

    /// A place is no longer in use.
    pub fn remove(&mut self, place: u32) {
        let Some(Link { newer, older }) = self.links.get(place as usize).copied() else { return };
        match self.links.get_mut(newer as usize) {
            Some(link) => link.older = older,
            None => self.newest = older,
        }
        match self.links.get_mut(older as usize) {
            Some(link) => link.newer = newer,
            None => self.oldest = newer,
        }
    }

    /// The place that was used longest ago.
    pub fn oldest(&self) -> Option<u32> {
        (self.oldest != NONE).then_some(self.oldest)
    }

    /// All places, the oldest first.
    pub fn from_oldest(&self) -> impl Iterator<Item = u32> {
        std::iter::successors(self.oldest(), |place| {
            let newer = self.links.get(*place as usize)?.newer;
            (newer != NONE).then_some(newer)
        })
    }

    /// Bytes on the heap.
    pub fn heap(&self) -> usize {
        self.links.capacity() * size_of::<Link>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn it_keeps_the_order_of_use(steps in prop::collection::vec((0_u32..12, any::<bool>()), 0..200)) {
            let mut recency = Recency::default();
            let mut model: Vec<u32> = Vec::new();
            for (place, removes) in steps {
                let known = model.iter().position(|p| *p == place);
                if let Some(at) = known {
                    model.remove(at);
                    if removes {
                        recency.remove(place);
                        continue;
                    }
                    recency.touch(place);
                } else {
                    recency.add(place);
                }
                model.push(place);
                prop_assert_eq!(recency.oldest(), model.first().copied());
            }
            prop_assert_eq!(recency.from_oldest().collect::<Vec<_>>(), model);
        }
    }
}
