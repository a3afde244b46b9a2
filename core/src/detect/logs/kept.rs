//! What a detector of lines learned goes out to be kept, and comes back.

use crate::detect::logs::LogDetector;
use crate::detect::score::WINDOW;
use crate::detect::score::learned::Learned;

impl LogDetector {
    /// What it knows; `None`: no line came yet.
    pub fn learned(&self) -> Option<Learned> {
        if self.first == 0 {
            return None;
        }
        Some(Learned {
            newest: self.newest,
            first: self.first,
            templates: self.miner.learned(),
            chatter: self.chatter,
            errors: self.errors,
            share: self.share,
            novelty: self.novelty.clone(),
            noise: self.noise,
        })
    }

    /// Begins with what was kept. The first line that comes tells how long nothing was heard.
    pub fn warm(&mut self, learned: Learned) {
        let Learned { newest, first, templates, chatter, errors, share, novelty, noise } = learned;
        self.miner.warm(templates);
        (self.newest, self.first) = (newest, first);
        (self.chatter, self.errors, self.share) = (chatter, errors, share);
        (self.novelty, self.noise) = (novelty, noise);
        self.resumes = true;
    }

    /// The first line after [`Self::warm`] was written at `second`.
    pub(in crate::detect::logs) fn catch_up(&mut self, second: i64) {
        self.resumes = false;
        let windows = (second - self.newest).max(0) / WINDOW;
        let seconds = u32::try_from(windows * WINDOW).unwrap_or_default();
        let windows = u32::try_from(windows).unwrap_or_default();
        self.first = self.first.saturating_add(windows);
        for template in self.miner.iter_mut() {
            template.payload.skip(windows, seconds);
        }
        self.chatter.skip(windows, seconds);
        self.errors.skip(windows);
        self.share.skip(seconds / 60);
        self.novelty.skip(seconds);
    }
}
