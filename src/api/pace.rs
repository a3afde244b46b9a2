//! How many requests from one address: buckets that fill evenly, bounded in number.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Addresses that are remembered; the one with the fullest bucket is forgotten first.
const ADDRESSES: usize = 1024;

/// Buckets by address.
#[derive(Debug)]
pub(super) struct Pace {
    burst: f64,
    per_second: f64,
    left: Mutex<HashMap<IpAddr, (f64, Instant)>>,
}

impl Pace {
    /// So many at once, and then so many a second.
    pub(super) fn new(burst: f64, per_second: f64) -> Self {
        Self { burst, per_second, left: Mutex::default() }
    }

    /// Takes one, or says how many seconds to wait.
    pub(super) fn take(&self, from: IpAddr, now: Instant) -> Result<(), u64> {
        let mut left = self.left.lock().unwrap_or_else(PoisonError::into_inner);
        if left.len() >= ADDRESSES
            && !left.contains_key(&from)
            && let Some(fullest) =
                left.iter().max_by(|a, b| a.1.0.total_cmp(&b.1.0)).map(|(address, _)| *address)
        {
            left.remove(&fullest);
        }
        let bucket = left.entry(from).or_insert((self.burst, now));
        let passed = now.saturating_duration_since(bucket.1).as_secs_f64();
        *bucket = ((bucket.0 + passed * self.per_second).min(self.burst), now);
        if bucket.0 >= 1.0 {
            bucket.0 -= 1.0;
            return Ok(());
        }
        let wait = Duration::from_secs_f64((1.0 - bucket.0) / self.per_second);
        Err(wait.as_secs() + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_address_has_a_bucket_and_their_number_is_bounded() {
        let (pace, begin) = (Pace::new(3.0, 1.0), Instant::now());
        let address = |n: u32| IpAddr::from(n.to_be_bytes());
        assert!((0..3).all(|_| pace.take(address(1), begin).is_ok()));
        assert_eq!(pace.take(address(1), begin), Err(2));
        assert!(pace.take(address(2), begin).is_ok());
        assert!(pace.take(address(1), begin + Duration::from_secs(1)).is_ok());
        for n in 0..2 * u32::try_from(ADDRESSES).unwrap() {
            assert!(pace.take(address(100 + n), begin).is_ok());
        }
        assert_eq!(pace.left.lock().unwrap().len(), ADDRESSES);
    }
}
