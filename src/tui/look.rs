//! How the operator wants the screen to look; it changes nothing of what is watched or done.

use std::collections::BTreeSet;

use crate::tui::columns::Column;

/// How containers are put together in their list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Grouping {
    /// Not at all.
    #[default]
    Off,
    /// Under the name of their compose project.
    Project,
    /// One line for each service, until it is unfolded.
    Service,
}

impl Grouping {
    /// The next way.
    #[must_use]
    pub fn next(self) -> Self {
        match self {
            Self::Off => Self::Project,
            Self::Project => Self::Service,
            Self::Service => Self::Off,
        }
    }

    /// Its words for the title.
    pub fn words(self) -> Option<&'static str> {
        match self {
            Self::Off => None,
            Self::Project => Some("by project"),
            Self::Service => Some("by service"),
        }
    }
}

/// How the operator wants the screen to look.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Look {
    /// The theme in force: a name, or the path of a file.
    pub theme: String,
    /// The theme's file that it was started with, if it was one.
    pub theme_file: Option<String>,
    /// Containers that ended as they should are not listed.
    pub running_only: bool,
    /// How containers are put together.
    pub grouping: Grouping,
    /// Groups that are folded or unfolded otherwise than their kind is at first.
    pub turned: BTreeSet<String>,
    /// The columns that may be shown; `None`: all that fit.
    pub columns: Option<Vec<Column>>,
    /// What this program itself takes of one core, in percent, as last measured.
    pub own_cpu: Option<f64>,
}

impl Look {
    /// Whether a column may be shown.
    pub fn shows(&self, column: Column) -> bool {
        self.columns.as_ref().is_none_or(|c| c.contains(&column))
    }

    /// Shows a column, or does not.
    pub fn toggle(&mut self, column: Column) {
        let columns = self.columns.get_or_insert_with(|| Column::ALL.to_vec());
        if columns.contains(&column) {
            columns.retain(|c| *c != column);
        } else {
            columns.push(column);
        }
    }

    /// Whether a group is folded into one line.
    pub fn is_folded(&self, group: &str) -> bool {
        (self.grouping == Grouping::Service) != self.turned.contains(group)
    }

    /// Folds a group, or unfolds it.
    pub fn turn(&mut self, group: String) {
        if !self.turned.remove(&group) {
            self.turned.insert(group);
        }
    }
}
