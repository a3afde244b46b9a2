//! Ordinary log lines in the forms that services really use, from a seed.

use fastrand::Rng;
use jiff::Timestamp;
use serde::Deserialize;

/// A form of log line.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// `INFO  message`.
    Plain,
    /// One JSON object a line.
    Json,
    /// `level=info msg="…"`.
    Logfmt,
    /// An access log of a web server.
    Access,
    /// A Java service.
    Java,
    /// A Kubernetes component.
    Klog,
}

impl Format {
    /// All forms, for worlds that mix them.
    pub const ALL: [Self; 6] =
        [Self::Plain, Self::Json, Self::Logfmt, Self::Access, Self::Java, Self::Klog];
}

const PATHS: [&str; 6] =
    ["/api/orders", "/api/orders/{}", "/api/users/{}", "/health", "/static/app.js", "/login"];
const VERBS: [&str; 4] = ["GET", "GET", "POST", "PUT"];
const CLASSES: [&str; 4] =
    ["c.e.shop.OrderService", "c.e.shop.CartRepository", "o.s.web.Dispatcher", "c.e.Scheduler"];

/// One ordinary line; every fiftieth or so is a warning.
pub fn line(format: Format, at: Timestamp, rng: &mut Rng) -> String {
    let number = rng.u32(1..100_000);
    let took = rng.u32(1..90);
    let warns = rng.u32(..50) == 0;
    let path = PATHS[rng.usize(..PATHS.len())].replace("{}", &number.to_string());
    match format {
        Format::Plain if warns => format!("WARN  cache miss for key user:{number}, took {took}ms"),
        Format::Plain => format!("INFO  request {path} handled in {took}ms"),
        Format::Json => {
            let level = if warns { "warn" } else { "info" };
            format!(
                r#"{{"ts":"{at:.3}","level":"{level}","msg":"request handled","path":"{path}","status":200,"took_ms":{took},"user":{number}}}"#
            )
        }
        Format::Logfmt => {
            let level = if warns { "warn" } else { "info" };
            format!(
                r#"time={at:.3} level={level} msg="request handled" path={path} took={took}ms user={number}"#
            )
        }
        Format::Access => {
            let verb = VERBS[rng.usize(..VERBS.len())];
            let status = if warns { 404 } else { 200 };
            format!(
                r#"10.0.{}.{} - - [{}] "{verb} {path} HTTP/1.1" {status} {} "-" "Mozilla/5.0""#,
                rng.u8(..),
                rng.u8(1..),
                at.strftime("%d/%b/%Y:%H:%M:%S +0000"),
                number * 3
            )
        }
        Format::Java => {
            let level = if warns { " WARN" } else { " INFO" };
            let class = CLASSES[rng.usize(..CLASSES.len())];
            format!(
                "{} {level} 1 --- [nio-8080-exec-{}] {class} : processed order {number} in {took} ms",
                at.strftime("%Y-%m-%d %H:%M:%S%.3f"),
                rng.u8(1..10)
            )
        }
        Format::Klog => {
            let level = if warns { 'W' } else { 'I' };
            format!(
                "{level}{} 1 controller.go:{}] syncing item key=default/pod-{number} took={took}ms",
                at.strftime("%m%d %H:%M:%S%.6f"),
                rng.u16(20..400)
            )
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_says_the_same() {
        let at = Timestamp::new(1_700_000_000, 0).unwrap();
        for format in Format::ALL {
            let of = |seed| {
                let mut rng = Rng::with_seed(seed);
                (0..20).map(|_| line(format, at, &mut rng)).collect::<Vec<_>>()
            };
            assert_eq!(of(7), of(7));
            assert_ne!(of(7), of(8), "{format:?}");
            assert!(of(7).iter().all(|l| !l.contains('\n') && l.len() > 20), "{:?}", of(7));
        }
    }
}
