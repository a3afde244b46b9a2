//! What the signature pass costs per line: `cargo bench -p sentinel-core --bench signatures`.
//!
//! Ordinary lines are what nearly every line is; lines with a failure are rare and may cost more.

use divan::counter::{BytesCount, ItemsCount};
use divan::{Bencher, black_box};
use sentinel_core::detect::signatures::Signatures;

/// Lines that services write while all is well.
const ORDINARY: &str = include_str!("../src/detect/signatures/ordinary.txt");

/// Lines that name a failure.
const FAILING: &[&str] = &[
    "dial tcp 10.0.0.2:5432: connect: connection refused",
    "2026-11-24 03:15:02.123 UTC [31] FATAL:  password authentication failed for user \"app\"",
    "java.lang.OutOfMemoryError: Java heap space",
    "2026/11/24 03:15:02 [crit] 29#29: *1 pwrite() failed (28: No space left on device)",
    "environment variable DATABASE_URL is required",
];

fn main() {
    divan::main();
}

#[divan::bench]
fn ordinary_lines(bencher: Bencher<'_, '_>) {
    let lines: Vec<&str> = ORDINARY.lines().collect();
    pass(bencher, &lines);
}

#[divan::bench]
fn failing_lines(bencher: Bencher<'_, '_>) {
    pass(bencher, FAILING);
}

/// Reading the file and building the automaton, once per run of the program.
#[divan::bench]
fn build(bencher: Bencher<'_, '_>) {
    bencher.bench(|| Signatures::with(""));
}

fn pass(bencher: Bencher<'_, '_>, lines: &[&str]) {
    let signatures = Signatures::builtin();
    let bytes: usize = lines.iter().map(|l| l.len()).sum();
    bencher
        .counter(ItemsCount::new(lines.len()))
        .counter(BytesCount::new(bytes))
        .bench(|| lines.iter().filter(|line| signatures.find(black_box(line)).is_some()).count());
}
