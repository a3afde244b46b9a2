//! How many connections at the same time, together and from one address.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

/// Connections at the same time.
pub(super) const MOST: usize = 256;
/// Connections at the same time from one address.
pub(super) const MOST_FROM_ONE: usize = 64;

/// The connections that there are.
#[derive(Debug, Default)]
pub(super) struct Room {
    taken: Mutex<HashMap<IpAddr, usize>>,
}

/// A connection's place; given back when it is dropped.
#[derive(Debug)]
pub(super) struct Place {
    room: Arc<Room>,
    from: IpAddr,
}

impl Room {
    /// A place for a connection from this address, if there is one left.
    pub(super) fn take(self: &Arc<Self>, from: IpAddr) -> Option<Place> {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        if taken.values().sum::<usize>() >= MOST {
            return None;
        }
        let count = taken.entry(from).or_default();
        if *count >= MOST_FROM_ONE {
            return None;
        }
        *count += 1;
        Some(Place { room: Arc::clone(self), from })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.room.taken.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = taken.get_mut(&self.from) {
            *count -= 1;
            if *count == 0 {
                taken.remove(&self.from);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_address_cannot_take_all_places_and_places_come_back() {
        let room = Arc::new(Room::default());
        let address = |n: u8| IpAddr::from([10, 0, 0, n]);
        let first: Vec<Place> = (0..MOST_FROM_ONE).filter_map(|_| room.take(address(1))).collect();
        assert_eq!(first.len(), MOST_FROM_ONE);
        assert!(room.take(address(1)).is_none());
        let others: Vec<Place> = (2..=8)
            .flat_map(|n| (0..MOST_FROM_ONE).map(move |_| n))
            .filter_map(|n| room.take(address(n)))
            .collect();
        assert_eq!(first.len() + others.len(), MOST);
        assert!(room.take(address(9)).is_none());
        drop((first, others));
        assert!(room.take(address(9)).is_some());
        assert!(room.taken.lock().unwrap().is_empty());
    }
}
