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
    cleaned(bencher, &LINES);
}

/// Lines that name what may be secret, and hold no secret.
const NAMING: [&str; 8] = [
    "Dec 10 06:55:46 LabSZ sshd[24200]: pam_unix(sshd:auth): authentication failure; logname= uid=0 euid=0 tty=ssh",
    "fetching http://api:8080/v1/orders?page=2 in 12 ms",
    "duplicate key value violates unique constraint \"users_pkey\"",
    "npm warn deprecated rimraf@3.0.2: no longer supported",
    "session opened for user root by (uid=0)",
    "usage total_tokens=1834 prompt_tokens=1200 completion_tokens=634",
    "17/06/09 20:10:41 INFO executor.Executor: Running task 1.0 in stage 0.0 (TID 1), network-8 disk-3",
    "10.0.0.7 - ann [24/Nov/2026:03:15:02 +0000] \"POST /oauth/token HTTP/1.1\" 200 512 \"-\" \"curl/8.5.0\"",
];

/// Lines with a secret each.
const SECRET: [&str; 4] = [
    "PGPASSWORD=hunter2 psql -h db",
    "Authorization: Bearer abcdefgh12345678abcdefgh",
    "postgres://app:hunter2@db:5432/shop refused",
    "mail from=<bob.smith@example.com> accepted",
];

fn cleaned(bencher: divan::Bencher<'_, '_>, lines: &[&str]) {
    bencher.counter(ItemsCount::new(lines.len())).bench_local(|| {
        lines
            .iter()
            .map(|line| clean(divan::black_box(line.as_bytes()), 16 * 1024).len())
            .sum::<usize>()
    });
}

#[divan::bench]
fn lines_that_name_something(bencher: divan::Bencher<'_, '_>) {
    cleaned(bencher, &NAMING);
}

#[divan::bench]
fn lines_with_a_secret(bencher: divan::Bencher<'_, '_>) {
    cleaned(bencher, &SECRET);
}

fn main() {
    divan::main();
}
