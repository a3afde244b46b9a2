//! Finds literals in a line by a look at every fourth byte.
//!
//! Any seven bytes of a line contain one whole block of four at a multiple of four. So for each
//! literal four blocks are enough, one for each way it can lie across that grid: those of the
//! seven bytes of it that are rarest in ordinary lines. Where a line has such a block, the literal
//! is compared; a line without any has none. The blocks of a line do not depend on each other,
//! while a walk through an automaton waits for every byte.

/// Bytes in a block, and the distance between two.
const BLOCK: usize = 4;
/// Bytes that always contain a whole block.
const WINDOW: usize = 2 * BLOCK - 1;
/// Two to this power bits are kept: 8 KiB, which stay in the first cache.
const BITS: u32 = 16;
/// The same in words.
const WORDS: usize = (1 << BITS) / 64;
/// Two to this power lists of literals to compare.
const LISTS: u32 = 12;
/// Blocks that are looked at before any of them is compared: as many as a word has bits.
const GROUP: usize = 64;

/// What to compare where a block is found.
#[derive(Clone, Copy, Debug)]
struct Probe {
    /// The block, folded.
    block: u32,
    /// Where the block begins in the literal; -1: one byte before it.
    offset: i16,
    literal: u16,
}

/// Which bytes may stand before and behind a block: one bit for the low five of each, which case
/// does not change. Nine of ten blocks that are only like one of a literal are told by it.
#[derive(Clone, Copy, Debug, Default)]
struct Beside {
    before: u32,
    behind: u32,
}

impl Beside {
    fn add(&mut self, probe: Probe, literal: &[u8]) {
        let at = isize::from(probe.offset);
        let bit = |at: Option<usize>| {
            let byte = at.and_then(|at| literal.get(at));
            // Beyond the literal there may be anything.
            byte.map_or(u32::MAX, |byte| 1 << (byte & 31))
        };
        self.before |= bit(at.checked_sub(1).and_then(|at| usize::try_from(at).ok()));
        self.behind |= bit(usize::try_from(at + 4).ok());
    }

    fn fits(self, text: &[u8], at: usize) -> bool {
        let has = |bits: u32, byte: Option<&u8>| bits >> (byte.map_or(0, |b| *b) & 31) & 1 == 1;
        has(self.behind, text.get(at + BLOCK))
            && has(self.before, at.checked_sub(1).and_then(|at| text.get(at)))
    }
}

/// Which blocks some literal needs, and which literal.
#[derive(Clone, Debug)]
pub(super) struct Sieve {
    bits: Box<[u64; WORDS]>,
    /// For each list, which bytes stand before and behind its blocks in their literals.
    beside: Vec<Beside>,
    /// Where in `probes` the list of a block begins; the next one's begin is its end.
    lists: Vec<u32>,
    probes: Vec<Probe>,
    literals: Vec<Box<[u8]>>,
}

impl Sieve {
    /// A sieve for these literals, each at least five bytes long, which are whole words. How rare
    /// a block is, `ordinary` lines tell.
    pub(super) fn new<'l>(literals: impl Iterator<Item = &'l str>, ordinary: &str) -> Self {
        let mut common = vec![0_u32; 1 << BITS];
        for block in ordinary.as_bytes().windows(BLOCK).filter_map(<[u8]>::first_chunk) {
            if let Some(count) = common.get_mut(slot(fold(*block), BITS)) {
                *count += 1;
            }
        }
        let literals: Vec<Box<[u8]>> = literals.map(|l| l.as_bytes().into()).collect();
        let mut probes = Vec::new();
        for (number, literal) in (0..).zip(&literals) {
            let mut add = |block, offset| {
                let probe = Probe { block: fold(block), offset, literal: number };
                probes.push(probe);
            };
            if literal.len() < WINDOW {
                short(literal, &mut add);
            } else {
                long(literal, &common, &mut add);
            }
        }
        probes.sort_by_key(|p| (slot(p.block, LISTS), p.block, p.literal, p.offset));
        let mut bits = Box::new([0; WORDS]);
        let mut lists = vec![0; (1 << LISTS) + 1];
        for probe in &probes {
            let at = slot(probe.block, BITS);
            if let Some(word) = bits.get_mut(at / 64) {
                *word |= 1 << (at % 64);
            }
            if let Some(count) = lists.get_mut(slot(probe.block, LISTS) + 1) {
                *count += 1;
            }
        }
        let mut beside = vec![Beside::default(); 1 << LISTS];
        for probe in &probes {
            let literal = literals.get(usize::from(probe.literal)).map_or(&[][..], |l| l);
            if let Some(beside) = beside.get_mut(slot(probe.block, LISTS)) {
                beside.add(*probe, literal);
            }
        }
        let mut end = 0;
        for list in &mut lists {
            end += *list;
            *list = end;
        }
        Self { bits, beside, lists, probes, literals }
    }

    /// Calls `found` with the number, the start and the end of each literal that stands in the text
    /// as a whole word or words, in whatever case. One of five or six bytes may be told twice.
    pub(super) fn each(&self, text: &[u8], mut found: impl FnMut(usize, usize, usize)) {
        let (blocks, rest) = text.as_chunks::<BLOCK>();
        for (at, group) in (0..).step_by(GROUP * BLOCK).zip(blocks.chunks(GROUP)) {
            // Without a branch between them, many are looked up at the same time.
            let mut mask = 0_u64;
            for (number, block) in group.iter().enumerate() {
                mask |= self.bit(fold(*block)) << number;
            }
            while mask != 0 {
                let number = mask.trailing_zeros() as usize;
                mask &= mask - 1;
                let Some(block) = group.get(number).map(|block| fold(*block)) else { break };
                let at = at + number * BLOCK;
                if self.beside.get(slot(block, LISTS)).is_some_and(|b| b.fits(text, at)) {
                    self.compare(block, at, text, &mut found);
                }
            }
        }
        let mut end = [b' '; BLOCK];
        for (to, from) in end.iter_mut().zip(rest) {
            *to = *from;
        }
        if self.bit(fold(end)) != 0 {
            self.compare(fold(end), text.len() - rest.len(), text, &mut found);
        }
    }

    fn bit(&self, block: u32) -> u64 {
        let slot = slot(block, BITS);
        self.bits.get(slot / 64).map_or(0, |word| (word >> (slot % 64)) & 1)
    }

    /// Tells which literals stand where this block, which begins at `at`, says that they may.
    #[inline(never)]
    fn compare(
        &self,
        block: u32,
        at: usize,
        text: &[u8],
        found: &mut impl FnMut(usize, usize, usize),
    ) {
        let list = slot(block, LISTS);
        let from = self.lists.get(list).map_or(0, |n| *n as usize);
        let to = self.lists.get(list + 1).map_or(0, |n| *n as usize);
        for probe in self.probes.get(from..to).unwrap_or_default() {
            if probe.block == block
                && let Some((start, end)) = self.stands(*probe, at, text)
            {
                found(usize::from(probe.literal), start, end);
            }
        }
    }

    fn stands(&self, probe: Probe, at: usize, text: &[u8]) -> Option<(usize, usize)> {
        let literal = self.literals.get(usize::from(probe.literal))?;
        let start = at.checked_add_signed(-isize::from(probe.offset))?;
        let end = start + literal.len();
        let there = text.get(start..end)?;
        (there.eq_ignore_ascii_case(literal) && is_whole(text, start, end)).then_some((start, end))
    }
}

/// Whether `start..end` does not begin or end in the middle of a word.
fn is_whole(text: &[u8], start: usize, end: usize) -> bool {
    let word = |b: &u8| b.is_ascii_alphanumeric() || *b == b'_';
    let within = |at: usize| text.get(at).is_some_and(word);
    let cut_before = start > 0 && within(start) && within(start - 1) && {
        // An escaped line break, as it stands in a JSON line, is no part of a word.
        let head = text.get(..start).unwrap_or_default();
        !matches!(head, [.., b'\\', b'n' | b'r' | b't'])
    };
    let cut_after = end > 0 && within(end - 1) && within(end);
    !cut_before && !cut_after
}

/// The blocks of the seven bytes that are rarest.
fn long(literal: &[u8], common: &[u32], add: &mut impl FnMut([u8; BLOCK], i16)) {
    let blocks = |window: &'_ [u8]| -> Vec<[u8; BLOCK]> {
        window.windows(BLOCK).filter_map(<[u8]>::first_chunk).copied().collect()
    };
    let cost = |window: &[u8]| -> u32 {
        let count = |b: [u8; BLOCK]| common.get(slot(fold(b), BITS)).copied().unwrap_or(0);
        blocks(window).into_iter().map(count).sum()
    };
    let windows = (0..).zip(literal.windows(WINDOW));
    if let Some((from, rarest)) = windows.min_by_key(|(_, window)| cost(window)) {
        for (offset, block) in (from..).zip(blocks(rarest)) {
            add(block, offset);
        }
    }
}

/// A literal of five or six bytes may lie so that no block is wholly in it: then a block has
/// three bytes of it and an ASCII one that stands beside a word.
fn short(literal: &[u8], add: &mut impl FnMut([u8; BLOCK], i16)) {
    let inside = literal.windows(BLOCK).filter_map(<[u8]>::first_chunk::<BLOCK>);
    for (offset, block) in (0..).zip(inside) {
        add(*block, offset);
    }
    // Of two bytes that are folded into one, the other need not be there.
    let beside = || (b' '..=0x7F).filter(|b| !b.is_ascii_alphanumeric());
    if let Some([a, b, c]) = literal.first_chunk::<3>() {
        // The end of an escaped line break, `\n`, stands before words of the next line.
        for one in beside().chain(*b"nrt") {
            add([one, *a, *b, *c], -1);
        }
    }
    if let (Some([a, b, c]), Ok(len)) = (literal.last_chunk::<3>(), i16::try_from(literal.len())) {
        for one in beside() {
            add([*a, *b, *c, one], len - 3);
        }
    }
}

/// Sets the bit that tells lower case letters from upper case ones.
fn fold(block: [u8; BLOCK]) -> u32 {
    u32::from_le_bytes(block) | 0x2020_2020
}

/// The place of a folded block among two to the power of `bits`.
fn slot(block: u32, bits: u32) -> usize {
    /// Knuth's multiplicative hash: 2^32 divided by the golden ratio.
    const SPREAD: u32 = 0x9E37_79B1;
    (block.wrapping_mul(SPREAD) >> (32 - bits)) as usize
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn found(sieve: &Sieve, text: &str) -> Vec<(usize, usize, usize)> {
        let mut all = Vec::new();
        sieve.each(text.as_bytes(), |literal, start, end| all.push((literal, start, end)));
        all.dedup();
        all
    }

    proptest! {
        #[test]
        fn every_literal_is_found_wherever_it_stands(
            literal in "[a-z][a-z _'\\[]{3,11}[a-z]",
            before in "([ -~é]{0,70}[ :(\"\\[])?",
            after in "([ :,.)\"][ -~é]{0,70})?",
            upper in any::<bool>(),
        ) {
            let sieve = Sieve::new(["other words", literal.as_str()].into_iter(), "ordinary line");
            let said = if upper { literal.to_ascii_uppercase() } else { literal };
            let text = format!("{before}{said}{after}");
            let place = (1, before.len(), before.len() + said.len());
            prop_assert!(found(&sieve, &text).contains(&place), "{text}");
        }
    }

    #[test]
    fn nothing_is_found_that_is_not_there() {
        let sieve = Sieve::new(["connection refused", "EMFILE"].into_iter(), "connection from");
        assert!(found(&sieve, "GET /index.html 200 connection from 10.0.0.1 refused").is_empty());
        assert!(found(&sieve, "").is_empty());
        assert!(found(&sieve, "EMFIL").is_empty());
        assert_eq!(found(&sieve, "EMFILE"), [(1, 0, 6)]);
    }

    #[test]
    fn words_are_whole_or_they_are_others() {
        let sieve = Sieve::new(["MemoryError", "[emerg]", "EPIPE"].into_iter(), "");
        let count = |text: &str| found(&sieve, text).len();
        assert_eq!(count("MemoryError"), 1);
        assert_eq!(count("x.MemoryError: y"), 1);
        assert_eq!(count("OutOfMemoryError"), 0);
        assert_eq!(count("MemoryErrors"), 0);
        assert_eq!(count("trace\\nMemoryError: x"), 1);
        assert_eq!(count("x[emerg]y"), 1);
        for before in 0..8 {
            assert_eq!(count(&format!("{:<before$}EPIPE", "")), 1, "{before}");
            assert_eq!(count(&format!("{:<before$}\\nepipe.", "")), 1, "{before}");
            assert_eq!(count(&format!("{:<before$}epipes", "")), 0, "{before}");
        }
    }
}
