//! The lines of the list of containers: containers, and where they are put together the headings
//! above them, or one line that stands for all of a group.

use std::collections::VecDeque;
use std::sync::Arc;

use sentinel_core::domain::container::ContainerRef;
use sentinel_core::domain::ids::ContainerId;
use sentinel_core::domain::snapshot::{ContainerView, USAGE_HISTORY};

use crate::tui::look::{Grouping, Look};

/// What containers without a compose project stand under.
pub const NO_PROJECT: &str = "no project";

/// One line of the list.
#[derive(Clone, Debug)]
pub enum Line<'s> {
    /// A group's name above its containers. It cannot be selected.
    Head(Group<'s>),
    /// A container.
    One(&'s ContainerView),
    /// A group in one line; what is selected is its first container, the worst if those come first.
    Folded(Group<'s>),
}

/// Containers that are put together, in their order.
#[derive(Clone, Debug)]
pub struct Group<'s> {
    /// Its name.
    pub name: String,
    /// Its containers: at least one.
    pub members: Vec<&'s ContainerView>,
}

impl Group<'_> {
    /// All of them as if they were one container: rates and counts added up, the state that of
    /// the first. `None` where there is none.
    pub fn sum(&self) -> Option<ContainerView> {
        let first = self.members.first()?;
        let mut sum = (*first).clone();
        for view in self.members.iter().skip(1) {
            match (&mut sum.usage, &view.usage) {
                (Some(all), Some(own)) => {
                    all.cpu_pct += own.cpu_pct;
                    all.mem_used += own.mem_used;
                    all.mem_limit += own.mem_limit;
                    all.net_rx_bps += own.net_rx_bps;
                    all.net_tx_bps += own.net_tx_bps;
                }
                (None, Some(own)) => sum.usage = Some(own.clone()),
                _ => {}
            }
            sum.cpu_history = added(&sum.cpu_history, &view.cpu_history);
            sum.mem_history = added(&sum.mem_history, &view.mem_history);
            sum.deaths += view.deaths;
            sum.lines += view.lines;
            sum.errors += view.errors;
        }
        let count = self.members.iter().filter(|v| !v.mem_history.is_empty()).count().max(1);
        sum.mem_history.iter_mut().for_each(|v| *v /= count as f32);
        let mut container = (*first.container).clone();
        container.of.name.clone_from(&self.name);
        container.restart_count = self.members.iter().map(|v| v.container.restart_count).sum();
        let limits = self.members.iter().map(|v| v.container.memory_limit);
        container.memory_limit = limits.sum();
        sum.container = Arc::new(container);
        Some(sum)
    }
}

/// Two histories added up, the newest at the end of each.
fn added(a: &VecDeque<f32>, b: &VecDeque<f32>) -> VecDeque<f32> {
    let length = a.len().max(b.len()).min(USAGE_HISTORY);
    let from_end = |of: &VecDeque<f32>, back: usize| {
        of.len().checked_sub(back + 1).and_then(|at| of.get(at)).copied().unwrap_or(0.0)
    };
    (0..length).rev().map(|back| from_end(a, back) + from_end(b, back)).collect()
}

/// The group that a container is put into.
pub fn name_of(grouping: Grouping, of: &ContainerRef) -> String {
    let project = of.project.as_deref();
    match grouping {
        Grouping::Off => String::new(),
        Grouping::Project => project.unwrap_or(NO_PROJECT).to_owned(),
        Grouping::Service => {
            project.map_or_else(|| of.service.clone(), |p| format!("{p}/{}", of.service))
        }
    }
}

/// The lines of a list of containers in their order: groups in that of their first containers.
pub fn lines<'s>(look: &Look, sorted: Vec<&'s ContainerView>) -> Vec<Line<'s>> {
    let grouping = look.grouping;
    if grouping == Grouping::Off {
        return sorted.into_iter().map(Line::One).collect();
    }
    let mut groups: Vec<Group<'s>> = Vec::new();
    for view in sorted {
        let name = name_of(grouping, &view.container.of);
        match groups.iter_mut().find(|g| g.name == name) {
            Some(group) => group.members.push(view),
            None => groups.push(Group { name, members: vec![view] }),
        }
    }
    let mut lines = Vec::new();
    for group in groups {
        let alone = grouping == Grouping::Service && group.members.len() == 1;
        if alone {
            lines.extend(group.members.into_iter().map(Line::One));
        } else if look.is_folded(&group.name) {
            lines.push(Line::Folded(group));
        } else {
            let members = group.members.clone();
            lines.push(Line::Head(group));
            lines.extend(members.into_iter().map(Line::One));
        }
    }
    lines
}

/// The container that a line selects, if any.
pub fn selects<'s>(line: &Line<'s>) -> Option<&'s ContainerView> {
    match line {
        Line::Head(_) => None,
        Line::One(view) => Some(view),
        Line::Folded(group) => group.members.first().copied(),
    }
}

/// The line where a container stands, by itself or in a folded group.
pub fn line_of(lines: &[Line<'_>], id: Option<&ContainerId>) -> usize {
    let is = |line: &Line<'_>| selects(line).map(|v| &v.container.of.id) == id;
    lines.iter().position(is).unwrap_or(0)
}

/// How many of the lines before one can be selected.
pub fn selectable_before(lines: &[Line<'_>], at: usize) -> usize {
    lines.iter().take(at).filter(|l| selects(l).is_some()).count()
}
