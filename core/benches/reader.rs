//! What it costs to read a line: samples of real systems, and lines of services in containers.
//!
//! `SENTINEL_BENCH_LOGS` names a folder whose folders have `*_2k.log` samples; without it only the
//! lines below are read. Wall time is what divan measures; the share of the processor that this
//! got is in the last lines, as lines per CPU-second.

#[path = "shared/cpu.rs"]
mod cpu;

use std::env::var_os;
use std::fs;
use std::io::{Write as _, stdout};
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use cpu::cpu;
use divan::counter::ItemsCount;
use sentinel_core::detect::reader::{Reader, one};
use sentinel_core::domain::log::Stream;

const LINES: [&str; 10] = [
    "2026-11-24 03:15:02.123 UTC [77] LOG:  checkpoint complete: wrote 12 buffers (0.1%); 0 WAL file(s) added",
    "10.0.0.7 - - [24/Nov/2026:03:15:02 +0000] \"GET /api/orders/4711?page=2 HTTP/1.1\" 200 512 \"-\" \"curl/8.5.0\"",
    "{\"time\":\"2026-11-24T03:15:02Z\",\"level\":\"info\",\"msg\":\"order stored\",\"order\":4711,\"ms\":12}",
    "time=2026-11-24T03:15:02Z level=info msg=\"request done\" method=GET path=/orders status=200 took=12ms",
    "2026-11-24 03:15:02,123 INFO [main] org.apache.hadoop.mapreduce.v2.app.MRAppMaster: Created MRAppMaster",
    "1:M 24 Nov 2026 03:15:02.123 * Background saving started by pid 4711",
    "I1124 03:15:02.123456       1 controller.go:114] syncing service default/kubernetes (3 endpoints)",
    "2026-11-24 03:15:02.123456+00:00 [info] <0.123.0> accepting AMQP connection <0.123.0>",
    "    at com.example.shop.OrderService.place(OrderService.java:77)",
    "GET /healthz 200 0.4ms",
];

/// The samples, if there are any.
static SAMPLES: LazyLock<Vec<(String, Vec<String>)>> = LazyLock::new(|| {
    let Some(folder) = var_os("SENTINEL_BENCH_LOGS") else { return Vec::new() };
    let mut samples: Vec<(String, Vec<String>)> = fs::read_dir(PathBuf::from(folder))
        .into_iter()
        .flatten()
        .filter_map(Result::ok)
        .filter_map(|entry| Some((entry.file_name().into_string().ok()?, lines(&entry.path())?)))
        .collect();
    samples.sort();
    samples
});

fn lines(folder: &Path) -> Option<Vec<String>> {
    let name = folder.file_name()?.to_str()?;
    let raw = fs::read(folder.join(format!("{name}_2k.log"))).ok()?;
    let text = String::from_utf8_lossy(&raw);
    Some(text.lines().map(|line| line.trim_end_matches('\r').to_owned()).collect())
}

#[divan::bench]
fn services(bencher: divan::Bencher<'_, '_>) {
    bencher.counter(ItemsCount::new(LINES.len())).bench_local(|| {
        LINES.iter().map(|line| one(divan::black_box(line)).message_start).sum::<u32>()
    });
}

#[divan::bench(args = LINES.map(|line| line.get(..24).unwrap_or(line)))]
fn service(bencher: divan::Bencher<'_, '_>, begin: &str) {
    let line = LINES.iter().find(|line| line.starts_with(begin)).copied().unwrap_or_default();
    bencher.counter(ItemsCount::new(1_usize)).bench_local(|| one(divan::black_box(line)));
}

#[divan::bench]
fn samples(bencher: divan::Bencher<'_, '_>) {
    let all: usize = SAMPLES.iter().map(|(_, lines)| lines.len()).sum();
    bencher
        .counter(ItemsCount::new(all))
        .bench_local(|| SAMPLES.iter().map(|(_, lines)| read_all(lines)).sum::<u64>());
}

fn read_all(lines: &[String]) -> u64 {
    let mut reader = Reader::default();
    lines
        .iter()
        .map(|line| u64::from(reader.read(Stream::Stdout, divan::black_box(line)).message_start))
        .sum()
}

/// Lines per CPU-second of each sample.
fn per_cpu_second() -> Option<()> {
    const TIMES: usize = 100;
    let mut out = stdout().lock();
    for (name, lines) in SAMPLES.iter() {
        let before = cpu()?;
        for _ in 0..TIMES {
            divan::black_box(read_all(lines));
        }
        let spent = (cpu()? - before) as f64 / (TIMES * lines.len()) as f64;
        writeln!(
            out,
            "{name:12} {spent:7.1} ns of CPU a line, {:.2} M lines a CPU-second",
            1e3 / spent
        )
        .ok()?;
    }
    Some(())
}

fn main() {
    divan::main();
    if per_cpu_second().is_none() {
        divan::black_box(());
    }
}
