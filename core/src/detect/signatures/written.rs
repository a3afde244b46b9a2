//! A set of signatures as a recording has it: the user's file, for the rest is part of the program.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::detect::signatures::Signatures;

impl Serialize for Signatures {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&self.user)
    }
}

impl<'de> Deserialize<'de> for Signatures {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let user = String::deserialize(from)?;
        Self::with(&user).map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signatures_come_back_as_they_were_and_a_wrong_file_is_an_error() {
        let user = "[[signature]]\nname = \"licence\"\nclass = \"bad_config\"\nseverity = \"high\"\nwords = \"its licence has run out\"\nany = [\"licence expired\"]\n";
        let text = serde_json::to_string(&Signatures::with(user).unwrap()).unwrap();
        let back: Signatures = serde_json::from_str(&text).unwrap();
        assert!(back.find("licence expired").is_some());
        assert!(back.find("connection refused").is_some(), "the built-in ones are there, too");
        assert_eq!(serde_json::to_string(&back).unwrap(), text);
        assert!(serde_json::from_str::<Signatures>("\"x = 1\"").is_err());
    }
}
