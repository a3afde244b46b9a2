//! The terminal: what it can show.

use std::io::IsTerminal as _;

use sentinel_core::domain::finding::Finding;

use crate::config::Settings;
use crate::config::environment::Environment;
use crate::tui::layout::{LEAST, MEDIUM};
use crate::tui::terminal;

pub(super) fn examine(settings: &Settings) -> Vec<Finding> {
    if !std::io::stdout().is_terminal() {
        let detail = "standard output is none";
        return vec![Finding::absent("terminal", detail, "run it in a terminal to see the screen")];
    }
    let environment = &settings.environment;
    vec![size(terminal::size().ok()), characters(settings.ascii, environment), colors(settings)]
}

fn size(found: Option<(u16, u16)>) -> Finding {
    let Some((width, height)) = found else {
        return Finding::doubtful("terminal", "its size is not known", "it is taken as 80x24");
    };
    let detail = format!("{width}x{height}");
    if width < LEAST.0 || height < LEAST.1 {
        let remedy = format!("{}x{} is the least that shows anything", LEAST.0, LEAST.1);
        Finding::doubtful("terminal", detail, &remedy)
    } else if width < MEDIUM.0 || height < MEDIUM.1 {
        let remedy = format!("from {}x{} on several panes are shown at once", MEDIUM.0, MEDIUM.1);
        Finding::doubtful("terminal", detail, &remedy)
    } else {
        Finding::fine("terminal", detail)
    }
}

/// The first of these that is set decides, as in the C library.
fn characters(ascii: bool, environment: &Environment) -> Finding {
    if ascii {
        return Finding::fine("characters", "plain ASCII, as asked");
    }
    let set = ["LC_ALL", "LC_CTYPE", "LANG"].iter().find_map(|name| environment.text(name));
    let utf8 = |text: &str| {
        let text = text.to_ascii_lowercase();
        text.contains("utf-8") || text.contains("utf8")
    };
    match set {
        Some(text) if utf8(&text) => Finding::fine("characters", text),
        found => Finding::doubtful(
            "characters",
            found.map_or_else(|| "no locale is set".to_owned(), |text| format!("locale {text}")),
            "if boxes and marks look broken, set LANG=C.UTF-8 or use --ascii",
        ),
    }
}

fn colors(settings: &Settings) -> Finding {
    if settings.no_color {
        return Finding::fine("colours", "none, as NO_COLOR asks: the theme is mono");
    }
    let term = settings.environment.text("TERM").unwrap_or_default();
    let many = settings.environment.text("COLORTERM").is_some() || term.contains("256color");
    if many {
        Finding::fine("colours", format!("{term}, theme {}", settings.theme))
    } else {
        Finding::doubtful(
            "colours",
            format!("TERM is {term:?}, which tells of no 256 colours"),
            "set TERM to what your terminal is (xterm-256color, tmux-256color), or use --theme mono",
        )
    }
}

#[cfg(test)]
mod tests {
    use sentinel_core::domain::finding::Verdict;

    use super::*;

    #[test]
    fn a_small_terminal_is_told_from_a_large_one() {
        assert_eq!(size(Some((120, 40))).verdict, Verdict::Fine);
        for found in [None, Some((39, 24)), Some((60, 15))] {
            assert_eq!(size(found).verdict, Verdict::Doubtful);
        }
    }

    #[test]
    fn the_first_locale_that_is_set_decides() {
        let of = |all: &[(&str, &str)]| {
            let all = all.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
            characters(false, &Environment::of(all)).verdict
        };
        assert_eq!(of(&[("LANG", "en_GB.UTF-8")]), Verdict::Fine);
        assert_eq!(of(&[("LC_ALL", "C"), ("LANG", "en_GB.UTF-8")]), Verdict::Doubtful);
        assert_eq!(of(&[]), Verdict::Doubtful);
    }
}
