//! SHA-256 in the two forms that are used: hex for approvals and audit, base32 for short suffixes.

use sha2::{Digest, Sha256};

/// The SHA-256 of `bytes` as 64 lower-case hex digits.
pub fn sha256_hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    Sha256::digest(bytes).iter().fold(String::with_capacity(64), |mut hex, byte| {
        // Writing to a String cannot fail.
        if write!(hex, "{byte:02x}").is_err() {
            hex.clear();
        }
        hex
    })
}

/// Random bytes that go into every hash of what may be secret: without them nobody can try words
/// against such a hash.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Salt([u8; 32]);

impl Salt {
    /// From random bytes.
    pub fn new(random: [u8; 32]) -> Self {
        Self(random)
    }

    /// The SHA-256 of salt and `bytes` as 64 lower-case hex digits.
    pub fn sha256_hex(&self, bytes: &[u8]) -> String {
        sha256_hex(&[self.0.as_slice(), bytes].concat())
    }
}

impl std::fmt::Debug for Salt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Salt(…)")
    }
}

/// The first `length` characters of a Crockford base32 form of the SHA-256 of `text`: letters
/// and digits that cannot be mistaken for each other when read aloud.
pub fn base32_of(text: &str, length: usize) -> String {
    const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    Sha256::digest(text.as_bytes())
        .iter()
        .take(length)
        .filter_map(|byte| ALPHABET.get(usize::from(byte & 31)).copied())
        .map(char::from)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sha256_matches_the_published_vector() {
        assert_eq!(
            sha256_hex(b"abc"),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
    }

    #[test]
    fn base32_has_the_asked_length() {
        assert_eq!(base32_of("x", 4).len(), 4);
        assert_ne!(base32_of("x", 4), base32_of("y", 4));
    }
}
