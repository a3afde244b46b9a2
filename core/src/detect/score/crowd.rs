//! Many kinds of line of one container that are unusual at once.
//!
//! One unusual template may be chance; Netdata alarms when over 1 % of all series are unusual
//! within five minutes, which chance hardly does.

use std::collections::VecDeque;

use crate::detect::miner::template::TemplateId;

/// Seconds in which they count together.
const WINDOW: u32 = 300;
/// At least so many different templates.
const LEAST: usize = 3;
/// And this share of all.
const SHARE: f64 = 0.01;
/// Templates that are remembered.
const KEPT: usize = 256;
/// Seconds before the same is told again.
const PAUSE: u32 = 600;

/// The templates that were unusual lately.
#[derive(Clone, Debug, Default)]
pub struct Crowd {
    recent: VecDeque<(u32, TemplateId)>,
    told: u32,
}

impl Crowd {
    /// A template was unusual; how many different ones are, if these are many for `all`.
    pub fn unusual(&mut self, template: TemplateId, all: usize, second: u32) -> Option<usize> {
        while self.recent.front().is_some_and(|(at, _)| at + WINDOW < second) {
            self.recent.pop_front();
        }
        self.recent.retain(|(_, id)| *id != template);
        if self.recent.len() == KEPT {
            self.recent.pop_front();
        }
        self.recent.push_back((second, template));
        let count = self.recent.len();
        let many = count >= LEAST && count as f64 > SHARE * all as f64;
        if !many || (self.told != 0 && second < self.told + PAUSE) {
            return None;
        }
        self.told = second;
        Some(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_of_a_few_are_many_and_three_of_a_thousand_are_not() {
        let mut crowd = Crowd::default();
        let mut at = |id, all, second| crowd.unusual(TemplateId(id), all, second);
        assert_eq!(at(1, 50, 1000), None);
        assert_eq!(at(1, 50, 1001), None);
        assert_eq!(at(2, 50, 1002), None);
        assert_eq!(at(3, 50, 1003), Some(3));
        assert_eq!(at(4, 50, 1004), None, "it was told");
        for id in 0..10 {
            assert_eq!(at(id, 1000, 9000), None);
        }
        assert_eq!(at(11, 1000, 9000), Some(11));
    }

    #[test]
    fn one_now_and_then_is_no_crowd() {
        let mut crowd = Crowd::default();
        for i in 0..1000 {
            assert_eq!(crowd.unusual(TemplateId(i), 10, 1000 + i * 200), None);
        }
    }
}
