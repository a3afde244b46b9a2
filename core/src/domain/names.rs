//! The names under which a recreate stages and parks containers.
//!
//! Labels of an existing container cannot be changed, so a name is the only mark that a
//! container can be given later. Discovery leaves both kinds out, and no tool takes them as a target.

/// Stands between a container's name and the moment at which it was parked.
pub const PARKED: &str = "-parked-";
/// Stands between a container's name and the moment at which its successor was created.
pub const STAGED: &str = "-staged-";
/// Digits of a stamp: `YYYYMMDDhhmmss`, UTC.
pub const STAMP_DIGITS: usize = 14;

/// Whether this is the name of a container that a recreate put aside: `NAME-parked-` and 14
/// digits. It is kept stopped, for the way back.
pub fn is_parked_name(name: &str) -> bool {
    has_mark(name, PARKED)
}

/// Whether this is the name of a successor that is not in place yet: `NAME-staged-` and 14
/// digits. It takes its final name once it has proved healthy.
pub fn is_staged_name(name: &str) -> bool {
    has_mark(name, STAGED)
}

/// The name under which `name` is parked.
pub fn parked(name: &str, stamp: &str) -> String {
    format!("{name}{PARKED}{stamp}")
}

/// The name under which the successor of `name` is staged.
pub fn staged(name: &str, stamp: &str) -> String {
    format!("{name}{STAGED}{stamp}")
}

/// The name of the container that a parked one stands behind, and the stamp of its parking.
pub fn unparked(name: &str) -> Option<(&str, &str)> {
    let bare = name.strip_prefix('/').unwrap_or(name);
    is_parked_name(bare).then(|| bare.rsplit_once(PARKED)).flatten()
}

fn has_mark(name: &str, mark: &str) -> bool {
    name.strip_prefix('/').unwrap_or(name).rsplit_once(mark).is_some_and(|(before, stamp)| {
        !before.is_empty()
            && stamp.len() == STAMP_DIGITS
            && stamp.bytes().all(|b| b.is_ascii_digit())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_exact_form_counts() {
        assert!(is_parked_name("api-parked-20261124031502"));
        assert!(is_parked_name("/api-parked-20261124031502"));
        assert!(is_staged_name(&staged("api", "20261124031502")));
        assert!(is_parked_name(&parked("api", "20261124031502")));
        assert_eq!(unparked("/a-b-parked-20261124031502"), Some(("a-b", "20261124031502")));
        for name in [
            "api",
            "api-parked-",
            "api-parked-2026112403150",
            "api-parked-2026112403150x",
            "-parked-20261124031502",
            "api-staged-20261124031502",
        ] {
            assert!(!is_parked_name(name), "{name}");
        }
    }
}
