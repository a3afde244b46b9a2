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
    HalfUp "half_up" "half a page up",
    HalfDown "half_down" "half a page down",
    PageUp "page_up" "page up",
    PageDown "page_down" "page down",
    Top "top" "first",
    Bottom "bottom" "last; in logs: follow",
    NextPane "next_pane" "next pane",
    PreviousPane "previous_pane" "previous pane",
    GoContainers "go_containers" "go to containers",
    GoIncidents "go_incidents" "go to incidents",
    GoFixes "go_fixes" "go to fixes",
    GoLogs "go_logs" "go to logs",
    GoInspector "go_inspector" "go to the inspector",
    Open "open" "open; evidence: its line",
    Back "back" "back",
    Leave "leave" "back, then quit",
    Quit "quit" "quit at once",
    Help "help" "help",
    Zoom "zoom" "zoom pane",
    Redraw "redraw" "draw again",
    Search "search" "search logs, filter lists",
    Menu "menu" "extra menu",
    Logs "logs" "logs of this",
    Inspect "inspect" "inspect this",
    Sort "sort" "next sort order",
    SortReverse "sort_reverse" "reverse order",
    Approve "approve" "approve fix",
    Reject "reject" "reject fix",
    Dismiss "dismiss" "dismiss incident",
    Undo "undo" "take fix back",
    Halt "halt" "kill switch on, off",
    Ask "ask" "ask about this",
    Postmortem "postmortem" "write the postmortem",
    Silence "silence" "silence its service",
    Quiet "quiet" "silenced, left alone",
    Filter "filter" "show matching lines only",
    NextMatch "next_match" "next match",
    PreviousMatch "previous_match" "previous match",
    NextError "next_error" "next error",
    PreviousError "previous_error" "previous error",
    LevelFilter "level_filter" "least level shown",
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
    NextEvidence "next_evidence" "next evidence",
    PreviousEvidence "previous_evidence" "previous evidence",
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
        assert!(Action::ALL.iter().all(|a| !a.describe().is_empty()));
    }
}
