//! Whether everything that is needed is there and works, with what to do about what does not.

use sentinel_core::domain::finding::{Finding, Verdict};

use crate::tui::glyphs::Glyphs;
use crate::tui::pages::page::Page;
use crate::tui::role::Role;
use crate::tui::state::State;
use crate::tui::styled::{Styled, paragraph};
use crate::tui::text;
use crate::tui::words;

/// Columns of the name of a part.
const NAMES: usize = 14;

/// The page.
pub(super) fn page(state: &State, glyphs: &Glyphs, columns: usize) -> Page {
    let mut page = Page::default();
    let examined = &state.examined;
    if let Some(at) = examined.at {
        let broken = examined.findings.iter().filter(|f| f.verdict == Verdict::Broken).count();
        let (role, words) = match broken {
            0 => (Role::Ok, "Everything that is needed works.".to_owned()),
            count => (Role::Error, format!("{} broken.", words::count(count, "part"))),
        };
        page.lines.push(
            Styled::of(role, words)
                .and(Role::Dim, format!("  looked at {} ago", words::age(state.now, at))),
        );
        page.lines.push(Styled::new());
    }
    if examined.running.is_some() {
        page.say(0, Role::Dim, "Looking: engine, clock, disk, tools, models, terminal…", columns);
    } else if examined.at.is_none() {
        let why = "This run has nobody who could look: `sentinel-tui doctor` in a shell does.";
        page.say(0, Role::Dim, why, columns);
    }
    for finding in examined.findings.iter() {
        part(&mut page, finding, glyphs, columns);
    }
    page
}

fn part(page: &mut Page, finding: &Finding, glyphs: &Glyphs, columns: usize) {
    let Finding { part, verdict, detail, remedy } = finding;
    let (role, glyph) = match verdict {
        Verdict::Fine => (Role::Ok, glyphs.pass),
        Verdict::Absent => (Role::Dim, glyphs.dot),
        Verdict::Doubtful => (Role::Warn, glyphs.attention),
        Verdict::Broken => (Role::Error, glyphs.fail),
    };
    let head = Styled::of(role, format!("{glyph} "))
        .and(Role::Strong, format!("{} ", text::left(part, NAMES, glyphs.ellipsis)));
    let words = if *verdict == Verdict::Absent {
        format!("{}: {detail}", verdict.word())
    } else {
        detail.clone()
    };
    page.lines.extend(paragraph(&head, NAMES + 3, Role::Text, &words, columns));
    if let Some(remedy) = remedy {
        page.say(NAMES + 3, Role::Dim, &format!("{} {remedy}", glyphs.arrow), columns);
    }
}
