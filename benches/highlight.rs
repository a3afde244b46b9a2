//! What finding the pieces that stand out costs, over 10,000 lines of several kinds.

use divan::counter::{BytesCount, ItemsCount};
use sentinel_tui::tui::highlight::marks;

fn main() {
    divan::main();
}

fn lines() -> Vec<String> {
    let kinds = [
        "2026-11-24T03:14:50Z INFO GET /orders/11 200 in 12.5ms user=ada from 10.0.0.4:5432",
        r#"{"time":"2026-11-24T03:15:02Z","level":"warn","msg":"slow query","ms":930}"#,
        "level=info msg=\"cache is warm\" entries=512 id=123e4567-e89b-12d3-a456-426614174000",
        "\tat shop.Pool.take(Pool.java:42)",
    ];
    kinds.iter().cycle().take(10_000).zip(0..).map(|(kind, n)| format!("{kind} {n}")).collect()
}

#[divan::bench]
fn ten_thousand_lines(bencher: divan::Bencher<'_, '_>) {
    let lines = lines();
    let bytes: usize = lines.iter().map(String::len).sum();
    bencher
        .counter(ItemsCount::new(lines.len()))
        .counter(BytesCount::new(bytes))
        .bench(|| lines.iter().map(|line| marks(line, line.len()).len()).sum::<usize>());
}
