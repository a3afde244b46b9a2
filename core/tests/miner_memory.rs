//! What a miner allocates: within its bounds whatever comes, and as much as it says.

use std::alloc::System;

use jiff::{SignedDuration, Timestamp};
use sentinel_core::detect::miner::{Bounds, Miner};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[global_allocator]
static GLOBAL: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// As large as all containers together may be.
const TEMPLATES: usize = 20_000;
/// For them.
const MOST: usize = 32 << 20;

struct Random(u64);

impl Random {
    fn next(&mut self, below: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % below
    }

    /// A word of letters that no other line has.
    fn word(&mut self, length: u64) -> String {
        let letter = |r: &mut Self| char::from(b'g' + u8::try_from(r.next(20)).unwrap_or(0));
        (0..length).map(|_| letter(self)).collect()
    }
}

/// A stream of lines of one kind, and how many.
type Stream = (&'static str, usize, fn(&mut Random) -> String);

/// One test, as the allocator counts for the whole program.
#[test]
fn memory_is_bounded_and_told_honestly_and_a_known_line_takes_none() {
    a_known_line_allocates_nothing();

    let streams: [Stream; 5] = [
        ("lines of few unique words", 25_000, |r| {
            (0..3).map(|_| r.word(6)).collect::<Vec<_>>().join(" ")
        }),
        ("lines of many unique words", 6_000, |r| {
            (0..100).map(|_| r.word(7)).collect::<Vec<_>>().join(" ")
        }),
        ("long words", 3_000, |r| format!("{} {}", r.word(2000), r.word(2500))),
        ("many values, twice each", 25_000, |r| {
            let line =
                format!("{} {} a=1 b=2.5ms c=3KB d=4 e=5 f=6 g=x h=y i=z", r.word(5), r.word(5));
            line
        }),
        ("noise", 3_000, |r| {
            (0..200)
                .filter_map(|_| char::from_u32(u32::try_from(r.next(0x500)).unwrap_or(0)))
                .collect()
        }),
    ];
    for (name, count, make) in streams {
        let mut random = Random(0x9e37_79b9_7f4a_7c15);
        let region = Region::new(GLOBAL);
        let held = || {
            let change = region.change();
            change.bytes_allocated.wrapping_sub(change.bytes_deallocated)
        };
        let mut miner: Miner<()> = Miner::new(Bounds::of(TEMPLATES));
        let mut now = Timestamp::UNIX_EPOCH;
        for number in 0..count {
            let line = make(&mut random);
            miner.mine(&line, now);
            miner.mine(&line, now);
            // Slow enough for the brake to let some through.
            now += SignedDuration::from_secs(1);
            if number % 500 == 0 {
                assert!(held() <= MOST, "{name}: {} bytes after {number} lines", held());
            }
        }
        let (held, told) = (held(), miner.memory());
        assert!(held <= MOST, "{name}: {held} bytes for {} templates", miner.len());
        let error = told.abs_diff(held) * 100 / held.max(1);
        assert!(error <= 10, "{name}: {held} bytes are allocated, {told} are told");
        miner.set_bound(64);
        let (held, told) = (region.change(), miner.memory());
        let held = held.bytes_allocated.wrapping_sub(held.bytes_deallocated);
        assert!(told.abs_diff(held) * 100 / held.max(1) <= 10, "{name}: {held}, {told} after");
    }
}

fn a_known_line_allocates_nothing() {
    let mut miner: Miner<()> = Miner::new(Bounds::default());
    let lines = [
        "connection authorized: user=app database=orders took 5ms",
        "GET /a/b?c=1 200 512",
        "worker n1 of pool-7 done (5.2 KB)",
    ];
    for _ in 0..20 {
        for line in lines {
            miner.mine(line, Timestamp::UNIX_EPOCH);
        }
    }
    let region = Region::new(GLOBAL);
    for line in lines {
        assert!(miner.mine(line, Timestamp::UNIX_EPOCH).is_some_and(|mined| !mined.is_new));
    }
    assert_eq!(region.change().allocations, 0);
}
