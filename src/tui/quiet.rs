//! What is silenced and what was left alone, as lists, pages and the dialog ask for it.

use jiff::Timestamp;
use sentinel_core::domain::container::{Container, ContainerRef, LABEL_QUIET};
use sentinel_core::domain::grant::Grant;
use sentinel_core::domain::ids::ContainerId;
use sentinel_core::domain::quiet::{Silence, Suppressed};
use sentinel_core::domain::snapshot::ContainerView;

use crate::tui::glyphs::Glyphs;
use crate::tui::lists;
use crate::tui::pane::Pane;
use crate::tui::state::{State, Subject};
use crate::tui::words;

/// Silences that last.
pub fn silences(state: &State) -> impl Iterator<Item = &Silence> {
    state.snapshot.silences.iter().filter(|s| s.until > state.now)
}

/// Grants that last.
pub fn grants(state: &State) -> impl Iterator<Item = &Grant> {
    state.snapshot.brakes.grants.iter().filter(|g| g.lasts(state.now))
}

/// The silence of a service or container by its very name.
pub fn named<'s>(state: &'s State, name: &str) -> Option<&'s Silence> {
    silences(state).find(|s| s.service == name)
}

/// The silence that holds for a container: of those of its service and of its own, the longer.
pub fn holding<'s>(state: &'s State, service: &str, name: &str) -> Option<&'s Silence> {
    silences(state).filter(|s| s.service == service || s.service == name).max_by_key(|s| s.until)
}

/// The same for a container.
pub fn silence_of<'s>(state: &'s State, of: &ContainerRef) -> Option<&'s Silence> {
    holding(state, &of.service, &of.name)
}

/// Whether a container's own label keeps it quiet, without an end.
pub fn is_labelled(container: &Container) -> bool {
    container.label(LABEL_QUIET).is_some_and(|v| v.eq_ignore_ascii_case("true"))
}

/// `⊘ 29m` for what is silenced, `⊘` alone for what its label keeps quiet.
pub fn mark(state: &State, container: &Container, glyphs: &Glyphs) -> Option<String> {
    let silence = silence_of(state, &container.of).map(|s| timed(state, s, glyphs));
    silence.or_else(|| is_labelled(container).then(|| glyphs.silenced.to_owned()))
}

/// `⊘ 29m`.
pub fn timed(state: &State, silence: &Silence, glyphs: &Glyphs) -> String {
    format!("{} {}", glyphs.silenced, words::left(state.now, silence.until))
}

/// Watched containers that go by a name: their own or their service's.
pub fn covered<'s>(state: &'s State, name: &str) -> Vec<&'s ContainerView> {
    let by = |v: &&ContainerView| {
        let of = &v.container.of;
        of.service == name || of.name == name
    };
    state.snapshot.containers.iter().filter(by).collect()
}

/// When something ends, short where it is soon.
pub fn moment(state: &State, at: Timestamp) -> String {
    let today = state.now.to_zoned_datetime(state.zone.clone()).date();
    let form = if at.to_zoned_datetime(state.zone.clone()).date() == today {
        "%H:%M:%S"
    } else {
        "%Y-%m-%d %H:%M"
    };
    at.to_zoned_datetime(state.zone.clone()).strftime(form).to_string()
}

/// `12m left, until 06:12:00, by ana: upgrade`.
pub fn sentence(state: &State, silence: &Silence) -> String {
    let left = words::left(state.now, silence.until);
    let until = moment(state, silence.until);
    let why = if silence.reason.is_empty() {
        ", no reason given".to_owned()
    } else {
        format!(": {}", silence.reason)
    };
    format!("{left} left, until {until}, by {}{why}", silence.by)
}

/// Cases of one container that were left alone, newest first.
pub fn left_alone<'s>(state: &'s State, name: &'s str) -> impl Iterator<Item = &'s Suppressed> {
    state.snapshot.suppressed.iter().filter(move |s| s.container == name)
}

/// `once` or `12 times`.
pub fn times(count: u64) -> String {
    if count == 1 { "once".to_owned() } else { format!("{count} times") }
}

/// `last 05:58:12 (2m ago): api ended with status 143`.
pub fn last(state: &State, row: &Suppressed) -> String {
    let ago = words::age(state.now, row.last);
    format!("last {} ({ago} ago): {}", moment(state, row.last), row.what)
}

/// Something on the page of silences that a key can act on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// What a silence of it would be of.
    pub service: String,
    /// A container of it that is still there.
    pub container: Option<ContainerId>,
    /// The grant that it is, if it is one.
    pub grant: Option<u64>,
}

/// The rows of that page, in its order: grants, silences, quiet labels, what was left alone.
pub fn rows(state: &State) -> Vec<Row> {
    let id = |v: &ContainerView| v.container.of.id.clone();
    let silenced = silences(state).map(|s| Row {
        service: s.service.clone(),
        container: covered(state, &s.service).first().map(|v| id(v)),
        grant: None,
    });
    let labelled = labelled(state)
        .map(|v| (v.container.of.service.clone(), Some(id(v))))
        .map(|(service, container)| Row { service, container, grant: None });
    let alone = state.snapshot.suppressed.iter().map(|s| Row {
        service: holding(state, &s.service, &s.container)
            .map_or_else(|| s.service.clone(), |held| held.service.clone()),
        container: state.container_named(&s.container).map(id),
        grant: None,
    });
    let granted = grants(state).map(|g| Row {
        service: g.service.clone(),
        container: covered(state, &g.service).first().map(|v| id(v)),
        grant: Some(g.id),
    });
    granted.chain(silenced).chain(labelled).chain(alone).collect()
}

/// Containers that their label keeps quiet.
pub fn labelled(state: &State) -> impl Iterator<Item = &ContainerView> {
    state.snapshot.containers.iter().filter(|v| is_labelled(&v.container))
}

/// What a silence would be of: what is silenced already goes by the name that it was given then,
/// which may be that of one container.
pub fn service(state: &State) -> Option<String> {
    let container = |of: &ContainerRef| {
        let known = silence_of(state, of);
        known.map_or_else(|| of.service.clone(), |s| s.service.clone())
    };
    let incident = |id| state.incident(id).map(|i| container(&i.container));
    let by_id = |id| state.container(id).map(|v| container(&v.container.of));
    match state.focus {
        Pane::Containers => state.containers.item.as_ref().and_then(by_id),
        Pane::Logs => state.logs.container.as_ref().and_then(by_id),
        Pane::Incidents => state.incidents.item.as_ref().and_then(incident),
        Pane::Fixes => lists::fixes(state)
            .into_iter()
            .find(|(i, _)| Some(&i.id) == state.fixes.item.as_ref())
            .map(|(i, _)| container(&i.container)),
        Pane::Inspector => match &state.inspector.as_ref()?.subject {
            Subject::Container(id) => by_id(id),
            Subject::Incident(id) => incident(id),
            Subject::Quiet => chosen(state).map(|row| row.service),
            Subject::Doctor | Subject::Listing(_) | Subject::Row(..) => None,
        },
    }
}

/// The row that is chosen on the page of silences; the only one there is needs no choice.
pub fn chosen(state: &State) -> Option<Row> {
    let mut rows = rows(state);
    let at = match state.inspector.as_ref()?.chosen {
        Some(at) => at,
        None if rows.len() == 1 => 0,
        None => return None,
    };
    (at < rows.len()).then(|| rows.swap_remove(at))
}
