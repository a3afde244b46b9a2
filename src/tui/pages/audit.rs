//! The audit trail: who did what, on what, with which result; and whether the chain is whole.

use sentinel_core::domain::audit::{AuditAction, AuditEntry, AuditRecord};

use crate::tui::glyphs::Glyphs;
use crate::tui::listing::Listing;
use crate::tui::pages::page::Page;
use crate::tui::role::Role;
use crate::tui::state::State;
use crate::tui::styled::Styled;
use crate::tui::{text, words};

/// From so many columns on the date stands before the time.
const DATED: usize = 80;
/// From so many on who did it is told, too.
const NAMED: usize = 50;
/// Columns of who, of what and of the target.
const FIELDS: (usize, usize, usize) = (12, 12, 20);

/// The list.
pub(super) fn list(state: &State, glyphs: &Glyphs, columns: usize) -> Page {
    let mut page = Page::default();
    let audit = &state.listings.audit;
    about(&mut page, state, glyphs, columns);
    if let Some(trouble) = &audit.trouble {
        page.say(0, Role::Error, trouble, columns);
    }
    let rows = state.listing_rows(Listing::Audit);
    if rows.is_empty() {
        let why = if audit.running.is_some() && !audit.read {
            "The audit trail is being read."
        } else if audit.trouble.is_some() {
            "No record can be shown."
        } else {
            "No record yet: nothing was staged, decided or changed in this state folder."
        };
        page.none(state, Listing::Audit, why, columns);
        return page;
    }
    page.blank();
    if audit.cut {
        page.say(0, Role::Dim, "Newer records were left behind: g reads them again.", columns);
    }
    for n in rows {
        if let Some(entry) = audit.at(n) {
            page.row(row(state, entry, glyphs, columns));
        }
    }
    let end = if audit.more {
        "Older records are read as you go on."
    } else {
        "This is the first record."
    };
    page.say(0, Role::Dim, end, columns);
    page
}

/// Whether the chain is whole, and where it is.
fn about(page: &mut Page, state: &State, glyphs: &Glyphs, columns: usize) {
    let audit = &state.listings.audit;
    let (role, said) = match &audit.checked {
        _ if audit.checking.is_some() => (Role::Dim, "the chain is being checked".to_owned()),
        None => (Role::Dim, "the chain was not checked yet".to_owned()),
        Some(Err(why)) => (Role::Warn, format!("the chain could not be checked: {why}")),
        Some(Ok(check)) => match &check.problem {
            Some(problem) => {
                (Role::Error, format!("{} the chain does not hold: {problem}", glyphs.fail))
            }
            None if check.count == 0 => (Role::Dim, "the chain has no record yet".to_owned()),
            None => {
                let head: String = check.head.chars().take(12).collect();
                let pass = glyphs.pass;
                let said = format!("{pass} whole: {} records, head {head}", check.count);
                (Role::Ok, said)
            }
        },
    };
    page.say(0, role, &said, columns);
    if !audit.path.is_empty() {
        page.say(0, Role::Dim, &audit.path, columns);
    }
}

fn of_action(action: AuditAction) -> Role {
    match action {
        AuditAction::Applied | AuditAction::Verified => Role::Ok,
        AuditAction::Failed | AuditAction::NotVerified | AuditAction::Halted => Role::Error,
        AuditAction::Rejected
        | AuditAction::Undoing
        | AuditAction::Undone
        | AuditAction::Granted
        | AuditAction::GrantUsed
        | AuditAction::Interrupted => Role::Warn,
        AuditAction::Staged
        | AuditAction::Approved
        | AuditAction::Applying
        | AuditAction::Edited
        | AuditAction::Snoozed
        | AuditAction::GrantEnded
        | AuditAction::Resumed => Role::Text,
    }
}

fn row(state: &State, entry: &AuditEntry, glyphs: &Glyphs, columns: usize) -> Styled {
    let line = Styled::of(Role::Dim, format!("{:>5} ", entry.n));
    let Some(record) = &entry.record else {
        return line.and(Role::Error, "its text cannot be read");
    };
    let at = if columns >= DATED {
        words::date(record.at, &state.zone)
    } else {
        words::clock(record.at, &state.zone)
    };
    let (who, what, on) = FIELDS;
    let cell = |value: &str, width| format!("{} ", text::left(value, width, glyphs.ellipsis));
    let line = line.and(Role::Dim, format!("{at} "));
    if columns < DATED {
        let line = if columns >= NAMED {
            let name = text::left(&record.actor.to_string(), 7, glyphs.ellipsis);
            line.and(Role::Strong, format!("{name} "))
        } else {
            line
        };
        return line
            .and(of_action(record.action), format!("{} ", record.action.as_str()))
            .and(Role::LogName, format!("{} ", record.target))
            .and(Role::Dim, said(record));
    }
    line.and(Role::Strong, cell(&record.actor.to_string(), who))
        .and(of_action(record.action), cell(record.action.as_str(), what))
        .and(Role::LogName, cell(&record.target, on))
        .and(Role::Text, said(record))
}

/// Tool and result, or why.
fn said(record: &AuditRecord) -> String {
    let tool = record.call.as_ref().map(|c| format!("{} ", c.tool)).unwrap_or_default();
    match &record.result {
        Some(result) => format!("{tool}{}", result.message),
        None => format!("{tool}{}", record.reason),
    }
}

/// A record in full.
pub(super) fn one(state: &State, n: u64, columns: usize) -> Page {
    let mut page = Page::default();
    let Some(entry) = state.listings.audit.at(n) else {
        page.say(0, Role::Dim, "This record is not in view any more.", columns);
        return page;
    };
    page.say(0, Role::Strong, &format!("Audit record {n}"), columns);
    let Some(record) = &entry.record else {
        page.say(0, Role::Error, "Its text is not that of a record: see the check.", columns);
        page.fact("hash", Role::LogId, &entry.hash, columns);
        return page;
    };
    page.blank();
    page.fact("when", Role::Text, &words::date(record.at, &state.zone), columns);
    page.fact("who", Role::Strong, &record.actor.to_string(), columns);
    page.fact("what", of_action(record.action), record.action.as_str(), columns);
    page.fact("on", Role::LogName, &record.target, columns);
    page.fact("id", Role::LogId, &record.target_id, columns);
    page.fact("incident", Role::Text, record.incident.as_str(), columns);
    if let Some(fix) = &record.fix {
        page.fact("fix", Role::Text, &fix.0, columns);
    }
    page.fact("why", Role::Text, &record.reason, columns);
    if let Some(plan) = &record.plan_sha256 {
        page.fact("plan", Role::LogId, plan, columns);
    }
    page.fact("hash", Role::LogId, &entry.hash, columns);
    if let Some(call) = &record.call {
        page.heading(&format!("Call of {}", call.tool));
        if call.arguments.is_empty() {
            page.say(2, Role::Dim, "Without arguments.", columns);
        }
        for (name, value) in &call.arguments {
            let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            page.fact(name, Role::Text, &value, columns);
        }
    }
    if let Some(result) = &record.result {
        page.heading("Result");
        let (role, word) = if result.ok { (Role::Ok, "ok") } else { (Role::Error, "failed") };
        page.fact("outcome", role, &format!("{word}, {} ms", result.duration_ms), columns);
        page.fact("said", Role::Text, &result.message, columns);
    }
    page
}
