//! Which templates differ in one word only.
//!
//! Each template is filed once for each of its words, under its hash with that word unknown.
//! Templates that share a file differ in that word and in no other: when enough of them do, the
//! word is a variable. A template takes its entries with it when it goes, so the index is never
//! larger than the templates.

use crate::detect::miner::hash::{self, ReadyMap};

const NONE: u32 = u32::MAX;

#[derive(Clone, Copy, Debug)]
struct Entry {
    template: u32,
    next: u32,
}

#[derive(Clone, Copy, Debug)]
struct File {
    first: u32,
    count: u32,
}

/// The index.
#[derive(Debug)]
pub struct Index {
    files: ReadyMap<u64, File>,
    entries: Vec<Entry>,
    /// The first free entry.
    free: u32,
    /// Entries in use.
    filed: usize,
}

impl Default for Index {
    fn default() -> Self {
        Self { files: ReadyMap::default(), entries: Vec::new(), free: NONE, filed: 0 }
    }
}

impl Index {
    /// Files a template; returns how many the file has now.
    #[expect(
        clippy::cast_possible_truncation,
        reason = "there are fewer entries than bytes of memory allowed"
    )]
    pub fn insert(&mut self, under: u64, template: u32) -> u32 {
        let file = self.files.entry(under).or_insert(File { first: NONE, count: 0 });
        let entry = Entry { template, next: file.first };
        let at = if let Some(place) = self.entries.get_mut(self.free as usize) {
            let at = self.free;
            self.free = place.next;
            *place = entry;
            at
        } else {
            self.entries.push(entry);
            self.entries.len() as u32 - 1
        };
        file.first = at;
        file.count += 1;
        self.filed += 1;
        file.count
    }

    /// Takes a template out of a file.
    pub fn remove(&mut self, under: u64, template: u32) {
        let Some(file) = self.files.get_mut(&under) else { return };
        let mut before = NONE;
        let mut at = file.first;
        while let Some(entry) = self.entries.get(at as usize).copied() {
            if entry.template == template {
                match self.entries.get_mut(before as usize) {
                    Some(earlier) => earlier.next = entry.next,
                    None => file.first = entry.next,
                }
                file.count -= 1;
                self.filed -= 1;
                self.entries[at as usize].next = self.free;
                self.free = at;
                break;
            }
            before = at;
            at = entry.next;
        }
        if file.count == 0 {
            self.files.remove(&under);
        }
    }

    /// The templates of a file, the newest first.
    pub fn members(&self, under: u64) -> impl Iterator<Item = u32> {
        let first = self.files.get(&under).map_or(NONE, |file| file.first);
        let entry = |at: u32| self.entries.get(at as usize);
        std::iter::successors(entry(first), move |e| entry(e.next)).map(|e| e.template)
    }

    /// Bytes that the entries need, with room for growth as it is on average.
    pub fn used(&self) -> usize {
        (self.files.len() * (size_of::<(u64, File)>() + 1) + self.filed * size_of::<Entry>()) * 3
            / 2
    }

    /// Gives back what the map does not need any more.
    pub fn shrink_to_fit(&mut self) {
        self.files.shrink_to_fit();
    }

    /// Bytes on the heap.
    pub fn heap(&self) -> usize {
        hash::map_bytes(&self.files) + self.entries.capacity() * size_of::<Entry>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_goes_leaves_nothing() {
        let mut index = Index::default();
        assert_eq!(index.insert(7, 1), 1);
        assert_eq!(index.insert(7, 2), 2);
        assert_eq!(index.insert(8, 2), 1);
        assert_eq!(index.insert(7, 3), 3);
        assert_eq!(index.members(7).collect::<Vec<_>>(), [3, 2, 1]);
        index.remove(7, 2);
        index.remove(9, 2);
        assert_eq!(index.members(7).collect::<Vec<_>>(), [3, 1]);
        assert_eq!(index.insert(9, 4), 1);
        assert_eq!(index.entries.len(), 4, "a free entry is used again");
        for (under, template) in [(7, 1), (7, 3), (8, 2), (9, 4)] {
            index.remove(under, template);
        }
        assert!(index.files.is_empty());
    }
}
