//! Keys that say what they are by how they begin.

use std::ops::Range;
use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, AhoCorasickKind};

/// What the rest of a key is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Of {
    /// Hexadecimal digits.
    Hex,
    /// Capitals and digits.
    Upper,
    /// Letters and digits.
    Alnum,
    /// These, `_` and `-`.
    Word,
    /// These, `.` and `=`.
    Dotted,
    /// Letters, digits, `+`, `/` and `=`.
    Base64,
}

impl Of {
    fn has(self, b: u8) -> bool {
        match self {
            Self::Hex => b.is_ascii_hexdigit(),
            Self::Upper => b.is_ascii_uppercase() || b.is_ascii_digit(),
            Self::Alnum => b.is_ascii_alphanumeric(),
            Self::Word => b.is_ascii_alphanumeric() || b"_-".contains(&b),
            Self::Dotted => b.is_ascii_alphanumeric() || b"_-.=".contains(&b),
            Self::Base64 => b.is_ascii_alphanumeric() || b"+/=".contains(&b),
        }
    }
}

/// How a key begins, what the rest of it is made of, and the least length of that rest.
type Beginning = (&'static str, Of, usize);

/// Beginnings as the issuers document them.
const BEGINNINGS: &[Beginning] = &[
    // Clouds.
    ("AKIA", Of::Upper, 16),
    ("ASIA", Of::Upper, 16),
    ("ABIA", Of::Upper, 16),
    ("ACCA", Of::Upper, 16),
    ("ABSK", Of::Base64, 60),
    ("AIza", Of::Word, 35),
    ("ya29.", Of::Word, 20),
    ("GOCSPX-", Of::Word, 20),
    ("GOOG1", Of::Upper, 40),
    ("1//0", Of::Word, 40),
    ("dop_v1_", Of::Hex, 40),
    ("doo_v1_", Of::Hex, 40),
    ("dor_v1_", Of::Hex, 40),
    ("HRKU-", Of::Word, 30),
    ("LTAI", Of::Alnum, 16),
    ("AKID", Of::Alnum, 32),
    ("dapi", Of::Hex, 32),
    ("fo1_", Of::Word, 40),
    ("fm1_", Of::Base64, 60),
    ("fm2_", Of::Base64, 60),
    ("nfp_", Of::Alnum, 30),
    ("pscale_tkn_", Of::Dotted, 32),
    ("pscale_pw_", Of::Dotted, 32),
    ("pscale_oauth_", Of::Dotted, 32),
    ("sbp_", Of::Hex, 40),
    ("sb_secret_", Of::Word, 20),
    // Code, packages, builds.
    ("ghp_", Of::Alnum, 20),
    ("gho_", Of::Alnum, 20),
    ("ghu_", Of::Alnum, 20),
    ("ghs_", Of::Alnum, 20),
    ("ghr_", Of::Alnum, 20),
    ("github_pat_", Of::Word, 20),
    ("glpat-", Of::Dotted, 20),
    ("gldt-", Of::Dotted, 20),
    ("glrt-", Of::Dotted, 20),
    ("glrtr-", Of::Dotted, 20),
    ("glft-", Of::Dotted, 20),
    ("glsoat-", Of::Dotted, 20),
    ("glcbt-", Of::Dotted, 20),
    ("glptt-", Of::Dotted, 20),
    ("glagent-", Of::Dotted, 20),
    ("glimt-", Of::Dotted, 20),
    ("gloas-", Of::Dotted, 20),
    ("glffct-", Of::Dotted, 20),
    ("GR1348941", Of::Word, 20),
    ("ATATT3", Of::Dotted, 60),
    ("ATCTT3", Of::Dotted, 60),
    ("ATBB", Of::Alnum, 24),
    ("npm_", Of::Alnum, 30),
    ("pypi-", Of::Word, 30),
    ("rubygems_", Of::Hex, 40),
    ("cio", Of::Alnum, 32),
    ("oy2", Of::Alnum, 43),
    ("CLOJARS_", Of::Alnum, 60),
    ("AKCp", Of::Alnum, 60),
    ("cmVmd", Of::Alnum, 59),
    ("dckr_pat_", Of::Word, 20),
    ("dckr_oat_", Of::Word, 20),
    ("sqp_", Of::Hex, 40),
    ("squ_", Of::Hex, 40),
    ("sqa_", Of::Hex, 40),
    ("PMAK-", Of::Word, 50),
    ("lin_api_", Of::Alnum, 30),
    ("lin_oauth_", Of::Alnum, 30),
    ("secret_", Of::Alnum, 40),
    ("ntn_", Of::Alnum, 40),
    ("figd_", Of::Word, 30),
    ("CFPAT-", Of::Word, 40),
    ("tfp_", Of::Dotted, 40),
    ("fio-u-", Of::Dotted, 60),
    ("rdme_", Of::Alnum, 60),
    ("p8e-", Of::Alnum, 32),
    ("sgp_", Of::Word, 40),
    ("A3-", Of::Word, 30),
    // What runs and watches services.
    ("hvs.", Of::Word, 20),
    ("hvb.", Of::Word, 20),
    ("hvr.", Of::Word, 20),
    ("pul-", Of::Hex, 40),
    ("dp.pt.", Of::Alnum, 40),
    ("dp.st.", Of::Dotted, 40),
    ("dp.ct.", Of::Alnum, 40),
    ("dp.sa.", Of::Alnum, 40),
    ("dp.scim.", Of::Alnum, 40),
    ("dp.audit.", Of::Alnum, 40),
    ("NRAK-", Of::Alnum, 27),
    ("NRII-", Of::Word, 30),
    ("NRJS-", Of::Hex, 19),
    ("NRRA-", Of::Hex, 40),
    ("glsa_", Of::Word, 32),
    ("glc_", Of::Base64, 32),
    ("eyJrIjoi", Of::Base64, 40),
    ("sntrys_", Of::Dotted, 40),
    ("sntryu_", Of::Hex, 40),
    ("dt0c01.", Of::Dotted, 60),
    ("ops_eyJ", Of::Base64, 100),
    ("AGE-SECRET-KEY-1", Of::Upper, 50),
    ("pnu_", Of::Alnum, 30),
    ("sha256~", Of::Word, 43),
    ("API-", Of::Upper, 26),
    ("tk-us-", Of::Word, 48),
    ("sm_aat_", Of::Alnum, 16),
    ("sm_pat_", Of::Alnum, 16),
    ("sm_sat_", Of::Alnum, 16),
    ("AQVN", Of::Word, 35),
    // Messages.
    ("xoxa-", Of::Word, 10),
    ("xoxb-", Of::Word, 10),
    ("xoxc-", Of::Word, 10),
    ("xoxd-", Of::Word, 10),
    ("xoxe-", Of::Word, 10),
    ("xoxo-", Of::Word, 10),
    ("xoxp-", Of::Word, 10),
    ("xoxr-", Of::Word, 10),
    ("xoxs-", Of::Word, 10),
    ("xapp-", Of::Word, 10),
    ("SG.", Of::Dotted, 33),
    ("key-", Of::Hex, 32),
    ("xkeysib-", Of::Word, 60),
    ("xsmtpsib-", Of::Word, 60),
    // Money.
    ("sk-", Of::Word, 16),
    ("sk_", Of::Word, 16),
    ("rk-", Of::Word, 16),
    ("rk_", Of::Word, 16),
    ("whsec_", Of::Base64, 20),
    ("sq0atp-", Of::Word, 20),
    ("sq0csp-", Of::Word, 20),
    ("sq0idp-", Of::Word, 20),
    ("EAAA", Of::Word, 56),
    ("EAA", Of::Alnum, 90),
    ("shpat_", Of::Hex, 32),
    ("shpca_", Of::Hex, 32),
    ("shppa_", Of::Hex, 32),
    ("shpss_", Of::Hex, 32),
    ("shpua_", Of::Hex, 32),
    ("EZAK", Of::Alnum, 50),
    ("EZTK", Of::Alnum, 50),
    ("shippo_live_", Of::Hex, 40),
    ("shippo_test_", Of::Hex, 40),
    ("duffel_live_", Of::Dotted, 40),
    ("duffel_test_", Of::Dotted, 40),
    ("access-production-", Of::Word, 36),
    ("access-sandbox-", Of::Word, 36),
    ("access-development-", Of::Word, 36),
    ("FLWSECK", Of::Word, 30),
    ("access_token$production$", Of::Word, 40),
    // Models.
    ("csk-", Of::Alnum, 30),
    ("gsk_", Of::Alnum, 40),
    ("hf_", Of::Alnum, 30),
    ("api_org_", Of::Alnum, 30),
    ("pplx-", Of::Alnum, 30),
    ("r8_", Of::Alnum, 30),
    ("xai-", Of::Alnum, 40),
    ("tgp_v1_", Of::Word, 30),
    ("tvly-", Of::Word, 20),
    ("lsv2_pt_", Of::Word, 30),
    ("lsv2_sk_", Of::Word, 30),
    ("nvapi-", Of::Word, 40),
    ("pcsk_", Of::Word, 40),
    ("sess-", Of::Alnum, 30),
];

/// All beginnings, case as it is.
static AT: LazyLock<Option<AhoCorasick>> = LazyLock::new(|| {
    AhoCorasick::builder()
        .kind(Some(AhoCorasickKind::ContiguousNFA))
        .build(BEGINNINGS.iter().map(|(beginning, ..)| beginning))
        .ok()
});

/// How they begin, for the look that spares most lines the search.
pub fn beginnings() -> impl Iterator<Item = &'static str> {
    BEGINNINGS.iter().map(|(beginning, ..)| *beginning)
}

/// Where keys stand in a text.
pub fn spans(text: &str) -> Vec<Range<usize>> {
    let Some(at) = AT.as_ref() else { return Vec::new() };
    let bytes = text.as_bytes();
    let mut found: Vec<Range<usize>> = Vec::new();
    for hit in at.find_overlapping_iter(text) {
        let Some((_, of, least)) = BEGINNINGS.get(hit.pattern().as_usize()) else { continue };
        let before = hit.start().checked_sub(1).and_then(|at| bytes.get(at)).copied();
        if before.is_some_and(|b| b.is_ascii_alphanumeric() || b == b'_') {
            continue;
        }
        let rest = bytes.get(hit.end()..).unwrap_or_default();
        let length = rest.iter().take_while(|b| of.has(**b)).count();
        let body = rest.get(..length).unwrap_or_default();
        // A dot at the end belongs to the sentence.
        let dots = body.iter().rev().take_while(|b| **b == b'.').count();
        let body = body.get(..length - dots).unwrap_or_default();
        let made = body.iter().any(u8::is_ascii_digit) || is_mixed(body);
        if body.len() >= *least && made {
            found.push(hit.start()..hit.end() + body.len());
        }
    }
    joined(found)
}

/// Capitals among small letters, which no name written with marks has.
fn is_mixed(body: &[u8]) -> bool {
    body.iter().any(u8::is_ascii_uppercase) && body.iter().any(u8::is_ascii_lowercase)
}

/// In order, those that overlap as one.
fn joined(mut found: Vec<Range<usize>>) -> Vec<Range<usize>> {
    found.sort_unstable_by_key(|span| span.start);
    let mut out: Vec<Range<usize>> = Vec::with_capacity(found.len());
    for span in found {
        match out.last_mut() {
            Some(last) if span.start < last.end => last.end = last.end.max(span.end),
            _ => out.push(span),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_found_by_its_beginning_and_its_length() {
        let body = "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8s9T0";
        assert_eq!(spans(&format!("x ghp_{body}, y")).first(), Some(&(2..46)));
        assert!(spans(&format!("xghp_{body}")).is_empty());
        assert!(spans("ghp_short").is_empty());
        assert!(spans("sk-learn-integration-tests").is_empty());
        assert!(spans("npm_config_registry_something_long").is_empty());
    }

    #[test]
    fn keys_within_keys_are_one() {
        let body = "a1B2c3D4e5F6g7H8i9J0";
        assert_eq!(spans(&format!("sk-sk-{body}")).len(), 1);
    }
}
