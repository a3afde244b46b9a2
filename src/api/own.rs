//! What this process itself uses.

use std::fs;

/// Clock ticks in a second: the same on every Linux that this is built for.
const TICKS: f64 = 100.0;
/// Bytes of a page where the machine does not say otherwise.
const PAGE: u64 = 4096;

/// Processor and memory since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Own {
    /// Seconds of processor time.
    pub(super) cpu_seconds: f64,
    /// Bytes in memory.
    pub(super) resident: u64,
}

/// Reads it; `None` where the system does not say.
pub(super) fn read() -> Option<Own> {
    let stat = fs::read_to_string("/proc/self/stat").ok()?;
    let status = fs::read_to_string("/proc/self/status").ok()?;
    of(&stat, &status)
}

fn of(stat: &str, status: &str) -> Option<Own> {
    // The name of the program may hold blanks and brackets; the numbers begin behind the last one.
    let mut numbers = stat.rsplit_once(')')?.1.split_whitespace().skip(11);
    let user: f64 = numbers.next()?.parse().ok()?;
    let system: f64 = numbers.next()?.parse().ok()?;
    let kib = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib: Option<u64> = kib.and_then(|text| text.trim().strip_suffix("kB")?.trim().parse().ok());
    let pages = || numbers.clone().nth(8).and_then(|text| text.parse::<u64>().ok());
    let resident = kib.map(|kib| kib * 1024).or_else(|| pages().map(|pages| pages * PAGE))?;
    Some(Own { cpu_seconds: (user + system) / TICKS, resident })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_and_memory_are_read_whatever_the_program_is_called() {
        let stat = "7 (a) b) S 1 7 7 0 -1 4194560 900 0 1 0 150 50 0 0 20 0 4 0 100 9000 321 0";
        let own = of(stat, "Name:\ta\nVmRSS:\t   2048 kB\n").unwrap();
        assert_eq!(own, Own { cpu_seconds: 2.0, resident: 2 * 1024 * 1024 });
        assert_eq!(of(stat, "").unwrap().resident, 321 * PAGE);
        assert_eq!(of("7 nothing", ""), None);
    }

    #[test]
    fn this_process_is_found() {
        assert!(read().is_some_and(|own| own.resident > 0));
    }
}
