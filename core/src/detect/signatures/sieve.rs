//! A look at every fourth byte that spares most lines the search for literals.
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
/// Two to this power lists of literals to compare.
const LISTS: u32 = 12;
/// Blocks that are looked at before the first answer.
const GROUP: usize = 8;

/// What to compare where a block is found.
#[derive(Clone, Copy, Debug)]
struct Probe {
    /// The block, folded.
    block: u32,
    /// Where the block begins in the literal; -1: one byte before it.
    offset: i16,
    literal: u16,
}

/// Which blocks some literal needs, and which literal.
#[derive(Clone, Debug)]
pub(super) struct Sieve {
    bits: Vec<u64>,
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
        let mut bits = vec![0; (1 << BITS) / 64];
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
        let mut end = 0;
        for list in &mut lists {
            end += *list;
            *list = end;
        }
        Self { bits, lists, probes, literals }
    }

    /// Whether the text contains one of the literals, in whatever case.
    pub(super) fn passes(&self, text: &[u8]) -> bool {
        let (blocks, rest) = text.as_chunks::<BLOCK>();
        let (groups, last) = blocks.as_chunks::<GROUP>();
        let mut at = 0;
        for group in groups {
            // Without a branch between them, the eight are looked up at the same time.
            let any = group.iter().fold(0, |seen, block| seen | self.bit(fold(*block)));
            if any != 0 && self.compare(group, at, text) {
                return true;
            }
            at += GROUP * BLOCK;
        }
        let mut end = [b' '; BLOCK];
        for (to, from) in end.iter_mut().zip(rest) {
            *to = *from;
        }
        self.compare(last, at, text) || self.compare(&[end], text.len() - rest.len(), text)
    }

    fn bit(&self, block: u32) -> u64 {
        let slot = slot(block, BITS);
        self.bits.get(slot / 64).map_or(0, |word| (word >> (slot % 64)) & 1)
    }

    /// Whether a literal stands where one of these blocks, the first of which begins at `at`,
    /// says that it may.
    #[inline(never)]
    fn compare(&self, blocks: &[[u8; BLOCK]], at: usize, text: &[u8]) -> bool {
        let places = (at..).step_by(BLOCK).zip(blocks);
        places.map(|(at, block)| (at, fold(*block))).filter(|(_, b)| self.bit(*b) != 0).any(
            |(at, block)| {
                let list = slot(block, LISTS);
                let from = self.lists.get(list).map_or(0, |n| *n as usize);
                let to = self.lists.get(list + 1).map_or(0, |n| *n as usize);
                let probes = self.probes.get(from..to).unwrap_or_default().iter();
                probes.filter(|p| p.block == block).any(|p| self.stands(*p, at, text))
            },
        )
    }

    fn stands(&self, probe: Probe, at: usize, text: &[u8]) -> bool {
        let Some(literal) = self.literals.get(usize::from(probe.literal)) else { return false };
        at.checked_add_signed(-isize::from(probe.offset))
            .and_then(|start| text.get(start..start + literal.len()))
            .is_some_and(|there| there.eq_ignore_ascii_case(literal))
    }
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
/// three bytes of it and one that stands beside a word.
fn short(literal: &[u8], add: &mut impl FnMut([u8; BLOCK], i16)) {
    let inside = literal.windows(BLOCK).filter_map(<[u8]>::first_chunk::<BLOCK>);
    for (offset, block) in (0..).zip(inside) {
        add(*block, offset);
    }
    // Of two bytes that are folded into one, the other need not be there.
    let beside = || (0..=u8::MAX).filter(|b| !b.is_ascii_alphanumeric() && fold_byte(*b) == *b);
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
fn fold_byte(byte: u8) -> u8 {
    byte | 0x20
}

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

    proptest! {
        #[test]
        fn no_literal_gets_through_unseen(
            literal in "[a-z][a-z _'\\[]{3,11}[a-z]",
            before in "([ -~]{0,9}[ :(\"\\[])?",
            after in "([ :,.)\"][ -~é]{0,9})?",
            upper in any::<bool>(),
        ) {
            let sieve = Sieve::new([literal.as_str()].into_iter(), "an ordinary line");
            let said = if upper { literal.to_ascii_uppercase() } else { literal };
            let text = format!("{before}{said}{after}");
            prop_assert!(sieve.passes(text.as_bytes()), "{text}");
        }
    }

    #[test]
    fn what_has_no_block_of_a_literal_does_not_pass() {
        let sieve = Sieve::new(["connection refused", "EMFILE"].into_iter(), "connection from");
        assert!(!sieve.passes(b"GET /index.html HTTP/1.1 200 connection from 10.0.0.1"));
        assert!(!sieve.passes(b""));
        assert!(sieve.passes(b"EMFILE"));
    }
}
