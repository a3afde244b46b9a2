//! What it costs to make a line safe: per line of ordinary logs, with nothing to hide.

use divan::counter::ItemsCount;
use sentinel_core::redact::clean;

const LINES: [&str; 8] = [
    "2026-11-24 03:15:02.123 UTC [77] LOG:  checkpoint complete: wrote 12 buffers (0.1%); 0 WAL file(s) added",
    "10.0.0.7 - - [24/Nov/2026:03:15:02 +0000] \"GET /api/orders/4711?page=2 HTTP/1.1\" 200 512 \"-\" \"curl/8.5.0\"",
    "{\"time\":\"2026-11-24T03:15:02Z\",\"level\":\"info\",\"msg\":\"order stored\",\"order\":4711,\"ms\":12}",
    "time=2026-11-24T03:15:02Z level=info msg=\"request done\" method=GET path=/orders status=200 took=12ms",
    "2026-11-24 03:15:02,123 INFO [main] org.apache.hadoop.mapreduce.v2.app.MRAppMaster: Created MRAppMaster",
    "1:M 24 Nov 2026 03:15:02.123 * Background saving started by pid 4711",
    "I1124 03:15:02.123456       1 controller.go:114] syncing service default/kubernetes (3 endpoints)",
    "GET /healthz 200 0.4ms",
];

#[divan::bench]
fn ordinary_lines(bencher: divan::Bencher<'_, '_>) {
    bencher.counter(ItemsCount::new(LINES.len())).bench_local(|| {
        LINES
            .iter()
            .map(|line| clean(divan::black_box(line.as_bytes()), 16 * 1024).len())
            .sum::<usize>()
    });
}

fn main() {
    divan::main();
}
