//! Lines of a kind never seen before.
//!
//! At first everything is new: a container is learned silently for ten minutes, or for 5,000 lines
//! and a minute at least. Many new kinds within a minute are a deploy or another mode of the
//! program: that is told once. A program that always invents new kinds is not told about at all.

use serde::{Deserialize, Serialize};

use crate::detect::miner::template::TemplateId;
use crate::domain::log::Level;
use crate::domain::severity::Severity;

/// Seconds until a container is known.
const WARM: u32 = 600;
/// So many lines are as good ...
const WARM_LINES: u64 = 5000;
/// ... after so many seconds.
const WARM_LEAST: u32 = 60;
/// Seconds after the start of a process in which new kinds are learned silently.
const GRACE: u32 = 120;
/// New kinds within [`TOGETHER`] that are a deploy.
const MANY: usize = 5;
/// Seconds.
const TOGETHER: u32 = 60;
/// Seconds after the last new kind until the deploy is over.
const SETTLED: u32 = 300;
/// Half of the pace is forgotten in so many seconds.
const HALF_LIFE: f32 = 1800.0;
/// From so many new kinds lately on, one more that is no error is no news.
const INVENTIVE: f32 = 6.0;
/// Errors of a new kind that are told during a deploy.
const ERRORS: u32 = 3;
/// A new kind of error that comes so often within [`PERSISTS`] counts as high.
const OFTEN: u32 = 10;
/// Seconds.
const PERSISTS: u32 = 30;
/// New kinds of error that are watched for that.
const WATCHED: usize = 8;

/// What to do about a new kind of line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Learn it silently.
    Learn,
    /// Tell it.
    Tell(Severity),
    /// Many came within a minute: tell that, once.
    Many(usize),
}

/// A new kind of line, as far as it matters here.
#[derive(Clone, Copy, Debug)]
pub struct Fresh {
    /// Its template.
    pub id: TemplateId,
    /// Its level, if it says so.
    pub level: Option<Level>,
    /// Words in which it differs from the nearest known one; `None`: there is none like it.
    pub words: Option<usize>,
}

/// What is known of the novelty of one container's lines.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Novelty {
    /// The second of the first line; 0: there was none.
    began: u32,
    lines: u64,
    warm: bool,
    started: u32,
    /// Seconds of the newest new kinds, at most [`MANY`].
    #[serde(skip)]
    recent: Vec<u32>,
    #[serde(skip)]
    deploy_until: u32,
    #[serde(skip)]
    deploy_errors: u32,
    pace: f32,
    paced_at: u32,
    /// New kinds of error: id, first second, lines so far.
    #[serde(skip)]
    watched: Vec<(TemplateId, u32, u32)>,
}

impl Novelty {
    /// A line came.
    #[inline]
    pub fn line(&mut self, second: u32) {
        self.lines += 1;
        if !self.warm {
            self.warm_up(second);
        }
    }

    fn warm_up(&mut self, second: u32) {
        if self.began == 0 || second < self.began {
            self.began = second;
        }
        let watched = second - self.began;
        self.warm = watched >= WARM || (self.lines >= WARM_LINES && watched >= WARM_LEAST);
    }

    /// Whether what is usual is known.
    pub fn is_warm(&self) -> bool {
        self.warm
    }

    /// A process began.
    pub fn process_started(&mut self, second: u32) {
        self.started = second;
        self.watched.clear();
    }

    /// Whether a process began a moment ago.
    pub fn is_starting(&self, second: u32) -> bool {
        self.started != 0 && second < self.started.saturating_add(GRACE)
    }

    /// Nothing could be heard for so many seconds.
    pub fn skip(&mut self, seconds: u32) {
        if self.began != 0 {
            self.began = self.began.saturating_add(seconds);
        }
        self.paced_at = self.paced_at.saturating_add(seconds);
    }

    /// What to do about a new kind of line.
    pub fn judge(&mut self, fresh: Fresh, second: u32) -> Verdict {
        let error = fresh.level.is_some_and(|l| l >= Level::Error);
        let fatal = fresh.level == Some(Level::Fatal);
        let warning = fresh.level == Some(Level::Warn);
        if error {
            if self.watched.len() == WATCHED {
                self.watched.remove(0);
            }
            self.watched.push((fresh.id, second, 1));
        }
        if !self.warm {
            return match (fatal, error || warning) {
                (true, _) => Verdict::Tell(Severity::Medium),
                (_, true) => Verdict::Tell(Severity::Low),
                _ => Verdict::Learn,
            };
        }
        let pace = self.pace(second);
        self.pace += 1.0;
        if self.recent.len() == MANY {
            self.recent.remove(0);
        }
        self.recent.push(second);
        if second < self.deploy_until {
            self.deploy_until = second + SETTLED;
            self.deploy_errors += u32::from(error);
            if error && self.deploy_errors <= ERRORS {
                return Verdict::Tell(Severity::Medium);
            }
            return Verdict::Learn;
        }
        let many = self.recent.len() == MANY
            && self.recent.first().is_some_and(|first| second.saturating_sub(*first) <= TOGETHER);
        if many {
            (self.deploy_until, self.deploy_errors) = (second + SETTLED, 0);
            if !self.is_starting(second) {
                return Verdict::Many(MANY);
            }
        }
        let variant = fresh.words.is_some_and(|words| words <= 1);
        let starting = self.is_starting(second);
        match (fatal, error) {
            (true, _) if variant || starting => Verdict::Tell(Severity::Medium),
            (true, _) => Verdict::Tell(Severity::High),
            (_, true) if variant => Verdict::Tell(Severity::Low),
            (_, true) => Verdict::Tell(Severity::Medium),
            _ if starting || variant || pace >= INVENTIVE => Verdict::Learn,
            _ => Verdict::Tell(Severity::Low),
        }
    }

    /// An error of a template came: whether it is a new one that has come often by now. It is said
    /// once.
    pub fn persists(&mut self, id: TemplateId, second: u32) -> bool {
        let Some(at) = self.watched.iter().position(|(known, ..)| *known == id) else {
            return false;
        };
        let Some((_, first, lines)) = self.watched.get_mut(at) else { return false };
        *lines += 1;
        let late = second.saturating_sub(*first) > PERSISTS;
        let often = *lines >= OFTEN;
        if late || often {
            self.watched.remove(at);
        }
        often && !late && self.warm
    }

    fn pace(&mut self, second: u32) -> f32 {
        let seconds = second.saturating_sub(self.paced_at) as f32;
        self.pace *= (-seconds / HALF_LIFE).exp2();
        self.paced_at = self.paced_at.max(second);
        self.pace
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fresh(id: u32, level: Option<Level>) -> Fresh {
        Fresh { id: TemplateId(id), level, words: None }
    }

    fn warm() -> Novelty {
        let mut novelty = Novelty::default();
        for second in 1000..1700 {
            novelty.line(second);
        }
        novelty
    }

    #[test]
    fn what_comes_at_first_is_learned_and_warnings_are_low() {
        let mut novelty = Novelty::default();
        novelty.line(1000);
        assert!(!novelty.is_warm());
        assert_eq!(novelty.judge(fresh(1, Some(Level::Info)), 1000), Verdict::Learn);
        let low = Verdict::Tell(Severity::Low);
        assert_eq!(novelty.judge(fresh(2, Some(Level::Error)), 1001), low);
        for second in [1000, 1030, 1059, 1060] {
            for _ in 0..2000 {
                novelty.line(second);
            }
            assert_eq!(novelty.is_warm(), second >= 1060);
        }
    }

    #[test]
    fn a_new_error_is_medium_and_high_when_it_persists() {
        let mut novelty = warm();
        let medium = Verdict::Tell(Severity::Medium);
        assert_eq!(novelty.judge(fresh(7, Some(Level::Error)), 2000), medium);
        let told: Vec<_> = (1..30).filter(|i| novelty.persists(TemplateId(7), 2000 + i)).collect();
        assert_eq!(told, [9]);
        assert_eq!(
            novelty.judge(fresh(8, Some(Level::Fatal)), 2000),
            Verdict::Tell(Severity::High)
        );
        let slow = fresh(9, Some(Level::Error));
        assert_eq!(novelty.judge(slow, 3000), medium);
        assert!((1..30).all(|i| !novelty.persists(TemplateId(9), 3000 + i * 10)));
    }

    #[test]
    fn a_deploy_is_one_finding() {
        let mut novelty = warm();
        let told: Vec<_> = (0..40)
            .map(|i| novelty.judge(fresh(i, Some(Level::Info)), 5000 + i))
            .filter(|verdict| *verdict != Verdict::Learn)
            .collect();
        assert_eq!(told.iter().filter(|v| matches!(v, Verdict::Many(_))).count(), 1);
        assert!(told.len() <= MANY, "{told:?}");
    }

    #[test]
    fn a_start_explains_new_kinds_and_an_inventive_program_is_no_news() {
        let mut novelty = warm();
        novelty.process_started(5000);
        let quiet = (0..4)
            .all(|i| novelty.judge(fresh(i, Some(Level::Info)), 5000 + i * 20) == Verdict::Learn);
        assert!(quiet);
        let mut novelty = warm();
        let told = (0..200)
            .filter(|i| novelty.judge(fresh(*i, None), 5000 + i * 90) != Verdict::Learn)
            .count();
        assert!(told <= 10, "{told}");
    }
}
