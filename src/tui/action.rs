//! What a key can mean: the words that a keymap binds.

macro_rules! actions {
    ($($name:ident $word:literal $text:literal,)*) => {
        /// A bindable word.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[expect(missing_docs, reason = "each has its description beside it, shown in the help")]
        pub enum Action {
            $($name,)*
        }

        impl Action {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The word as a keymap writes it.
            pub fn word(self) -> &'static str {
                match self {
                    $(Self::$name => $word,)*
                }
            }

            /// What it does, for the help.
            pub fn describe(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)*
                }
            }
        }
    };
}

actions! {
    Up "up" "one up",
    Down "down" "one down",
    HalfUp "half-up" "half a page up",
    HalfDown "half-down" "half a page down",
    PageUp "page-up" "page up",
    PageDown "page-down" "page down",
    Top "top" "first",
    Bottom "bottom" "last; in logs: follow",
    NextPane "next-pane" "next pane",
    PreviousPane "previous-pane" "previous pane",
    GoContainers "go-containers" "go to containers",
    GoIncidents "go-incidents" "go to incidents",
    GoFixes "go-fixes" "go to fixes",
    GoLogs "go-logs" "go to logs",
    GoInspector "go-inspector" "go to the inspector",
    Open "open" "open; evidence: its line",
    Back "back" "back",
    Leave "leave" "back, then quit",
    Quit "quit" "quit at once",
    Suspend "suspend" "suspend, as a shell's job",
    Help "help" "help",
    Palette "palette" "command palette",
    Mouse "mouse" "mouse on, off",
    Zoom "zoom" "zoom pane",
    Redraw "redraw" "draw again",
    Search "search" "search logs, filter lists",
    Menu "menu" "extra menu",
    Logs "logs" "logs of this",
    Inspect "inspect" "inspect this",
    Sort "sort" "next sort order",
    SortReverse "sort-reverse" "reverse order",
    Approve "approve" "approve fix",
    Reject "reject" "reject fix",
    Dismiss "dismiss" "dismiss incident",
    Undo "undo" "take fix back",
    EditFix "edit-fix" "edit fix",
    DryRun "dry-run" "dry run",
    DryRunInspected "dry-run-inspected" "dry run of this",
    SnoozeFix "snooze-fix" "put fix off",
    Grant "grant" "allow beforehand, or end",
    Halt "halt" "kill switch on, off",
    Ask "ask" "ask about this",
    Postmortem "postmortem" "write the postmortem",
    Silence "silence" "silence its service",
    Quiet "quiet" "silenced, left alone",
    Patterns "patterns" "kinds of log line",
    Events "events" "what happened lately",
    Audit "audit" "audit trail",
    Tools "tools" "MCP tools",
    Doctor "doctor" "is all set up? (doctor)",
    WholeFleet "whole-fleet" "patterns of one, of all",
    Filter "filter" "show matching lines only",
    NextMatch "next-match" "next match",
    PreviousMatch "previous-match" "previous match",
    NextError "next-error" "next error",
    PreviousError "previous-error" "previous error",
    LevelFilter "level-filter" "least level shown",
    Follow "follow" "follow on, off",
    Wrap "wrap" "wrap lines",
    Left "left" "scroll left",
    Right "right" "scroll right",
    Times "times" "time off, local, UTC, ago",
    Bookmark "bookmark" "mark this line",
    NextBookmark "next_bookmark" "next marked line",
    Save "save" "save the shown lines",
    Raw "raw" "JSON as written",
    Copy "copy" "copy line",
    LogRange "log-range" "since when",
    WhoseLog "whose-log" "one, marked, all of it",
    NextAnomaly "next-anomaly" "next anomalous line",
    PreviousAnomaly "previous-anomaly" "previous anomalous line",
    SelectLines "select-lines" "select lines to copy",
    CopyAll "copy-all" "copy all shown lines",
    MarkContainer "mark-container" "mark for a merged log",
    MarkRange "mark-range" "mark up to here",
    NextEvidence "next-evidence" "next evidence",
    PreviousEvidence "previous-evidence" "previous evidence",
    RunningOnly "running-only" "hide what ended well",
    Group "group" "by project, by service",
    Fold "fold" "fold, unfold the group",
    Columns "columns" "choose columns",
    Themes "themes" "choose a theme",
}

impl Action {
    /// Whether it only moves within a pane.
    pub fn moves(self) -> bool {
        matches!(
            self,
            Self::Up
                | Self::Down
                | Self::HalfUp
                | Self::HalfDown
                | Self::PageUp
                | Self::PageDown
                | Self::Top
                | Self::Bottom
                | Self::Left
                | Self::Right
        )
    }

    /// Whether it leads to a decision: it is never done from a place where its key is not.
    pub fn decides(self) -> bool {
        matches!(
            self,
            Self::Approve
                | Self::Reject
                | Self::Dismiss
                | Self::Undo
                | Self::Halt
                | Self::Silence
                | Self::EditFix
                | Self::SnoozeFix
                | Self::Grant
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_action_has_its_own_word_and_a_description() {
        let mut words: Vec<_> = Action::ALL.iter().map(|a| a.word()).collect();
        words.sort_unstable();
        words.dedup();
        assert_eq!(words.len(), Action::ALL.len());
        // As much fits into a column of the help.
        assert!(Action::ALL.iter().all(|a| (1..=25).contains(&a.describe().chars().count())));
    }
}
