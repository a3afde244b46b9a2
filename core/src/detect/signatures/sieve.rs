//! A look at every fourth byte that spares most lines the search for literals.
//!
//! Any seven bytes of a line contain one whole block of four at a multiple of four. So for each
//! literal four blocks are enough, one for each way it can lie across that grid: those of the
//! seven bytes of it that are rarest in ordinary lines. A line without any such block has no
//! literal. The blocks of a line do not depend on each other, which a walk through an automaton
//! does for every byte.

/// Bytes in a block, and the distance between two.
const BLOCK: usize = 4;
/// Bytes that always contain a whole block.
const WINDOW: usize = 2 * BLOCK - 1;
/// Two to this power bits are kept: 16 KiB, which stay in the first cache.
const BITS: u32 = 17;
/// Blocks that are looked at before the first answer.
const GROUP: usize = 8;

/// Which blocks some literal needs.
#[derive(Clone, Debug)]
pub(super) struct Sieve {
    bits: Vec<u64>,
}

impl Sieve {
    /// A sieve for these literals, each at least five bytes long, which are whole words. How rare
    /// a block is, `ordinary` lines tell.
    pub(super) fn new<'l>(literals: impl Iterator<Item = &'l str>, ordinary: &str) -> Self {
        let mut common = vec![0_u32; 1 << BITS];
        for window in ordinary.as_bytes().windows(BLOCK) {
            if let Some(block) = window.first_chunk::<BLOCK>()
                && let Some(count) = common.get_mut(slot(*block))
            {
                *count += 1;
            }
        }
        let mut sieve = Self { bits: vec![0; (1 << BITS) / 64] };
        for literal in literals {
            sieve.add(literal.as_bytes(), &common);
        }
        sieve
    }

    /// Whether the text may contain one of the literals.
    pub(super) fn passes(&self, text: &[u8]) -> bool {
        let (blocks, rest) = text.as_chunks::<BLOCK>();
        let (groups, last) = blocks.as_chunks::<GROUP>();
        for group in groups {
            // Without a branch between them, the eight are looked up at the same time.
            if group.iter().fold(0, |seen, block| seen | self.bit(*block)) != 0 {
                return true;
            }
        }
        let mut end = [b' '; BLOCK];
        for (to, from) in end.iter_mut().zip(rest) {
            *to = *from;
        }
        last.iter().chain([&end]).any(|block| self.bit(*block) != 0)
    }

    fn bit(&self, block: [u8; BLOCK]) -> u64 {
        let slot = slot(block);
        self.bits.get(slot / 64).map_or(1, |word| (word >> (slot % 64)) & 1)
    }

    fn set(&mut self, block: [u8; BLOCK]) {
        let slot = slot(block);
        if let Some(word) = self.bits.get_mut(slot / 64) {
            *word |= 1 << (slot % 64);
        }
    }

    fn add(&mut self, literal: &[u8], common: &[u32]) {
        if literal.len() < WINDOW {
            return self.add_short(literal);
        }
        let cost = |window: &&[u8]| -> u32 {
            let blocks = window.windows(BLOCK).filter_map(<[u8]>::first_chunk::<BLOCK>);
            blocks.map(|b| common.get(slot(*b)).copied().unwrap_or(0)).sum()
        };
        if let Some(rarest) = literal.windows(WINDOW).min_by_key(cost) {
            for block in rarest.windows(BLOCK).filter_map(<[u8]>::first_chunk::<BLOCK>) {
                self.set(*block);
            }
        }
    }

    /// A literal of five or six bytes may lie so that no block is wholly in it: then a block has
    /// three bytes of it and one that stands beside a word.
    fn add_short(&mut self, literal: &[u8]) {
        for block in literal.windows(BLOCK).filter_map(<[u8]>::first_chunk::<BLOCK>) {
            self.set(*block);
        }
        let beside = || (0..=u8::MAX).filter(|b| !b.is_ascii_alphanumeric());
        // The end of an escaped line break, `\n`, stands before words of the next line.
        let before = || beside().chain(*b"nrt");
        if let Some([a, b, c]) = literal.first_chunk::<3>() {
            for one in before() {
                self.set([one, *a, *b, *c]);
            }
        }
        if let Some([a, b, c]) = literal.last_chunk::<3>() {
            for one in beside() {
                self.set([*a, *b, *c, one]);
            }
        }
    }
}

/// Where the bit of a block is, in whatever case its letters are.
fn slot(block: [u8; BLOCK]) -> usize {
    /// Knuth's multiplicative hash: 2^32 divided by the golden ratio.
    const SPREAD: u32 = 0x9E37_79B1;
    /// Sets the bit that tells lower case letters from upper case ones.
    const LOWER: u32 = 0x2020_2020;
    let folded = u32::from_le_bytes(block) | LOWER;
    (folded.wrapping_mul(SPREAD) >> (32 - BITS)) as usize
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
