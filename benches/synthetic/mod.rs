//! Log lines as services write them, in eight formats, without end and always the same.

#![allow(
    dead_code,
    unreachable_pub,
    clippy::format_push_string,
    reason = "each bench uses its own part, and what writing costs is not measured"
)]

use jiff::Timestamp;
use sentinel_core::domain::container::{Container, ContainerRef, RestartPolicy};
use sentinel_core::domain::ids::ContainerId;

/// What services say when all is well, with marks for what varies: `#` a number, `%` a fraction, `@`
/// an address, `~` a hexadecimal id, `^` one of a few words. Earlier ones are more frequent.
const MESSAGES: [&str; 28] = [
    "request # done in % ms",
    "GET /api/orders/#?page=# 200 # % ms",
    "order # stored for customer #",
    "cache hit for key user:#",
    "session ~ opened by ^ from @:#",
    "session ~ closed after % s",
    "published message # to queue ^ (# bytes)",
    "consumed message # from queue ^ in % ms",
    "health check passed in % ms",
    "connection # from @:# accepted",
    "connection # closed by peer",
    "job ^ finished in % s, # rows",
    "token refreshed for client ~",
    "upload ~ stored, # bytes in % ms",
    "flushed # records to segment #",
    "lease renewed by node ^, epoch #",
    "batch # of # sent to ^",
    "query took % ms: SELECT * FROM orders WHERE id = #",
    "scheduler picked job ^ (priority #)",
    "metrics pushed to @:# (# series)",
    "checkpoint complete: wrote # buffers (% %), # files added",
    "rotated segment # after # MiB",
    "garbage collection freed # objects in % ms",
    "configuration unchanged, checksum ~",
    "retrying request # after % s (attempt #)",
    "slow consumer ^ is # messages behind",
    "certificate of ^ expires in # days",
    "replica @ lags by % s",
];
/// Messages from this one on are warnings.
const WARNINGS: usize = 24;
const WORDS: [&str; 8] =
    ["alice", "orders", "billing", "search", "mail", "eu-west", "batch", "api"];
const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// Numbers that look random and are always the same.
#[derive(Clone, Debug)]
pub struct Dice(u64);

impl Dice {
    /// Not 0.
    pub fn new(seed: u64) -> Self {
        Self(seed | 1)
    }

    /// The next number below `bound`.
    pub fn below(&mut self, bound: u64) -> u64 {
        // xorshift64* (Vigna 2016).
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) % bound.max(1)
    }
}

/// Writes the lines of one service.
#[derive(Clone, Debug)]
pub struct Service {
    format: usize,
    dice: Dice,
}

impl Service {
    /// Service number `index`; the format follows from it.
    pub fn new(index: usize) -> Self {
        Self { format: index % 8, dice: Dice::new(0x9e37_79b9_7f4a_7c15 ^ (index as u64 + 1) << 7) }
    }

    /// Its next line, as written at `at`.
    pub fn line(&mut self, at: Timestamp) -> String {
        // The smaller of two: earlier messages come more often.
        let count = MESSAGES.len() as u64;
        let pick = self.dice.below(count).min(self.dice.below(count));
        let pick = usize::try_from(pick).unwrap_or_default();
        let message = self.filled(MESSAGES.get(pick).copied().unwrap_or_default());
        self.written(at, if pick >= WARNINGS { "WARN" } else { "INFO" }, &message)
    }

    fn filled(&mut self, message: &str) -> String {
        let dice = &mut self.dice;
        let mut out = String::with_capacity(96);
        for c in message.chars() {
            match c {
                '#' => out += &dice.below(100_000).to_string(),
                '%' => out += &format!("{}.{:02}", dice.below(90), dice.below(100)),
                '@' => {
                    out += &format!("10.{}.{}.{}", dice.below(4), dice.below(256), dice.below(256));
                }
                '~' => out += &format!("{:08x}{:08x}", dice.below(1 << 31), dice.below(1 << 31)),
                '^' => {
                    let word = usize::try_from(dice.below(WORDS.len() as u64)).unwrap_or_default();
                    out += WORDS.get(word).copied().unwrap_or_default();
                }
                c => out.push(c),
            }
        }
        out
    }

    /// A message with what its logging library puts before it.
    pub fn written(&mut self, at: Timestamp, level: &str, message: &str) -> String {
        let pid = 1000 + self.dice.below(9000);
        let utc = at.strftime("%Y-%m-%d %H:%M:%S").to_string();
        let millis = at.subsec_millisecond();
        match self.format {
            0 => format!(
                "{utc}.{millis:03} UTC [{pid}] {}:  {message}",
                if level == "INFO" { "LOG" } else { level }
            ),
            1 => format!(
                "{utc},{millis:03} {level} [worker-{}] com.example.orders.Service: {message}",
                pid % 8
            ),
            2 => format!(
                "{{\"time\":\"{}T{}.{millis:03}Z\",\"level\":\"{}\",\"msg\":\"{message}\",\"pid\":{pid}}}",
                &utc[..10],
                &utc[11..],
                level.to_lowercase()
            ),
            3 => format!(
                "time={}T{}Z level={} msg=\"{message}\" pid={pid}",
                &utc[..10],
                &utc[11..],
                level.to_lowercase()
            ),
            4 => {
                let month = usize::from(at.strftime("%m").to_string().parse::<u8>().unwrap_or(1));
                format!(
                    "1:M {} {} {} {}.{millis:03} {} {message}",
                    &utc[8..10],
                    MONTHS.get(month.wrapping_sub(1)).copied().unwrap_or_default(),
                    &utc[..4],
                    &utc[11..],
                    if level == "INFO" { "*" } else { "#" }
                )
            }
            5 => format!(
                "{}{}{} {}.{millis:03}000 {pid:>7} server.go:{}] {message}",
                if level == "INFO" {
                    'I'
                } else if level == "WARN" {
                    'W'
                } else {
                    'E'
                },
                &utc[5..7],
                &utc[8..10],
                &utc[11..],
                pid % 400
            ),
            6 => format!("{level}:     {message}"),
            _ => format!("{utc} [{}] <0.{pid}.0> {message}", level.to_lowercase()),
        }
    }
}

/// A container that runs and has nothing special about it.
pub fn container(index: usize, started: Timestamp) -> Container {
    let name = format!("svc-{index:02}");
    Container {
        image: "app:1".to_owned(),
        image_id: "sha256:1".to_owned(),
        created_at: Some(started),
        started_at: Some(started),
        started_at_raw: started.to_string(),
        restart_policy: RestartPolicy::Always,
        memory_limit: Some(512 << 20),
        config_hash: "1".to_owned(),
        command: "app".to_owned(),
        ..Container::plain(ContainerRef {
            id: ContainerId(format!("{index:064x}")),
            service: name.clone(),
            name,
            project: None,
        })
    }
}

/// Processor time of this thread so far, in seconds.
pub fn thread_seconds() -> f64 {
    // The first number: nanoseconds on a processor (Linux, Documentation/scheduler/sched-stats).
    let read = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanos = read.split(' ').next().and_then(|n| n.parse::<u64>().ok()).unwrap_or_default();
    nanos as f64 / 1e9
}
