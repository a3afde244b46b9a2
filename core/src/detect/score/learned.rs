//! What a service's lines usually are, in a form that can be kept: the next run of the program, or
//! the service's next container, begins with it.
//!
//! After it no line that was known is new, baselines go on, and what was not heard meanwhile is
//! no silence. It is bounded ([`MOST_BYTES`]), names its version, and an unknown version or damaged
//! content is told as an error; then learning begins anew.

use serde::{Deserialize, Serialize};

use crate::detect::miner::learned::Learned as Templates;
use crate::detect::score::chatter::Chatter;
use crate::detect::score::errors::ErrorRate;
use crate::detect::score::noise::Noise;
use crate::detect::score::novelty::Novelty;
use crate::detect::score::payload::Score;
use crate::detect::score::share::Share;
use crate::domain::container::ContainerRef;

/// Bytes of one service, encoded.
pub const MOST_BYTES: usize = 1 << 20;
/// The version that is written.
const VERSION: u16 = 1;

/// Which service: what stays when a container is made anew.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ServiceKey {
    /// Compose project, if any.
    pub project: Option<String>,
    /// The service.
    pub service: String,
    /// The container's name.
    pub name: String,
}

impl ServiceKey {
    /// That of a container.
    pub fn of(container: &ContainerRef) -> Self {
        Self {
            project: container.project.clone(),
            service: container.service.clone(),
            name: container.name.clone(),
        }
    }
}

/// Why kept content cannot be used. Learning begins anew.
#[derive(Debug, thiserror::Error)]
pub enum LearnedError {
    /// More than is ever written.
    #[error(
        "what was learned has {bytes} bytes, and at most {MOST_BYTES} are ever written: drop it, learning begins anew"
    )]
    TooLarge {
        /// Its size.
        bytes: usize,
    },
    /// Another version of the program wrote it.
    #[error(
        "what was learned has version {found}, and this program knows {VERSION}: drop it, learning begins anew"
    )]
    Version {
        /// What it says.
        found: u16,
    },
    /// It is not what was written.
    #[error("what was learned is damaged: drop it, learning begins anew")]
    Damaged(#[from] serde_json::Error),
}

/// What was learned of one service.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(try_from = "Stored", into = "Stored")]
pub struct Learned {
    /// The second of its newest line.
    pub(in crate::detect) newest: i64,
    /// The window in which its watch began.
    pub(in crate::detect) first: u32,
    pub(in crate::detect) templates: Templates<Score>,
    pub(in crate::detect) chatter: Chatter,
    pub(in crate::detect) errors: ErrorRate,
    pub(in crate::detect) share: Share,
    pub(in crate::detect) novelty: Novelty,
    pub(in crate::detect) noise: Noise,
}

/// As it is written.
#[derive(Serialize, Deserialize)]
struct Stored {
    version: u16,
    newest: i64,
    first: u32,
    templates: Templates<Score>,
    chatter: Chatter,
    errors: ErrorRate,
    share: Share,
    novelty: Novelty,
    noise: Noise,
}

/// What every version has.
#[derive(Deserialize)]
struct Head {
    version: u16,
}

impl From<Learned> for Stored {
    fn from(learned: Learned) -> Self {
        let Learned { newest, first, templates, chatter, errors, share, novelty, noise } = learned;
        let version = VERSION;
        Self { version, newest, first, templates, chatter, errors, share, novelty, noise }
    }
}

impl TryFrom<Stored> for Learned {
    type Error = LearnedError;

    fn try_from(stored: Stored) -> Result<Self, LearnedError> {
        let Stored { version, newest, first, templates, chatter, errors, share, novelty, noise } =
            stored;
        if version != VERSION {
            return Err(LearnedError::Version { found: version });
        }
        Ok(Self { newest, first, templates, chatter, errors, share, novelty, noise })
    }
}

impl Learned {
    /// How many templates it has.
    pub fn templates(&self) -> usize {
        self.templates.len()
    }

    /// As bytes (JSON), at most [`MOST_BYTES`]: if it is more, the templates that were seen longest
    /// ago are left out.
    pub fn encode(&self) -> Result<Vec<u8>, LearnedError> {
        let mut bytes = serde_json::to_vec(self)?;
        let mut smaller = self.clone();
        while bytes.len() > MOST_BYTES {
            let len = smaller.templates.len();
            if len == 0 {
                return Err(LearnedError::TooLarge { bytes: bytes.len() });
            }
            // A tenth less than the share that would fit if all were equal.
            let fits = len.saturating_mul(MOST_BYTES) / bytes.len();
            smaller.templates.keep(fits.min(len - 1) * 9 / 10);
            bytes = serde_json::to_vec(&smaller)?;
        }
        Ok(bytes)
    }

    /// From bytes that [`Self::encode`] made.
    pub fn decode(bytes: &[u8]) -> Result<Self, LearnedError> {
        if bytes.len() > MOST_BYTES {
            return Err(LearnedError::TooLarge { bytes: bytes.len() });
        }
        let Head { version } = serde_json::from_slice(bytes)?;
        if version != VERSION {
            return Err(LearnedError::Version { found: version });
        }
        Ok(serde_json::from_slice(bytes)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detect::miner::{Bounds, Miner};

    fn bytes(text: &str) -> Vec<u8> {
        let learned = Learned {
            newest: 1,
            first: 1,
            templates: Miner::new(Bounds::default()).learned(),
            chatter: Chatter::default(),
            errors: ErrorRate::default(),
            share: Share::default(),
            novelty: Novelty::default(),
            noise: Noise::default(),
        };
        let json = String::from_utf8(learned.encode().unwrap()).unwrap();
        json.replace("\"version\":1", text).into_bytes()
    }

    #[test]
    fn another_version_and_damage_are_told() {
        assert!(Learned::decode(&bytes("\"version\":1")).is_ok());
        let other = Learned::decode(&bytes("\"version\":2")).unwrap_err();
        assert!(matches!(other, LearnedError::Version { found: 2 }), "{other}");
        let plain = serde_json::from_slice::<Learned>(&bytes("\"version\":2")).unwrap_err();
        assert!(plain.to_string().contains("version 2"), "{plain}");
        let cut = bytes("\"version\":1");
        for end in [0, 1, cut.len() / 2, cut.len() - 1] {
            let damaged = Learned::decode(&cut[..end]).unwrap_err();
            assert!(matches!(damaged, LearnedError::Damaged(_)), "{damaged}");
        }
        let large = Learned::decode(&vec![b' '; MOST_BYTES + 1]).unwrap_err();
        assert!(matches!(large, LearnedError::TooLarge { .. }), "{large}");
    }
}
