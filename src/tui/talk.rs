//! The conversation about one incident or container: what was asked, what came back so far. Pure;
//! nothing here leads to a command.

use ratatui::layout::Rect;
use sentinel_core::domain::evidence::Evidence;
use tui_textarea::TextArea;

use crate::runtime::asking::{About, Part};
use crate::tui::field::one_line;

/// Questions kept of one conversation; older ones give way.
pub const TURNS: usize = 20;
/// Bytes kept of one answer.
const TEXT: usize = 16 * 1024;
/// Tool calls kept of one answer.
const LOOKS: usize = 50;
/// The widest the panel gets.
const WIDEST: u16 = 104;

/// A read-only tool call of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Look {
    /// The tool and its arguments.
    pub call: String,
    /// Whether it worked.
    pub ok: bool,
    /// What came back, in short.
    pub words: String,
}

/// The end of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// It is complete.
    Done {
        /// Who answered.
        by: String,
        /// What a model would add, or what was unsupported.
        note: Option<String>,
    },
    /// The operator had enough.
    Cancelled,
}

/// A question and its answer.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Turn {
    /// The question.
    pub asked: String,
    /// Why a model did not answer.
    pub failed: Option<String>,
    /// Tool calls, oldest first.
    pub looks: Vec<Look>,
    /// The text so far.
    pub text: String,
    /// What the text cites.
    pub evidence: Vec<Evidence>,
    /// How it ended.
    pub end: Option<End>,
}

/// A conversation.
#[derive(Clone, Debug)]
pub struct Talk {
    /// About what.
    pub about: About,
    /// What people call that.
    pub title: String,
    /// The question being typed.
    pub typed: TextArea<'static>,
    /// Oldest first.
    pub turns: Vec<Turn>,
    /// The answer under way has this number; what comes under another one is late.
    pub running: Option<u64>,
    /// Lines that the view is away from the end.
    pub back: usize,
    /// The chosen piece of evidence of the last answer.
    pub chosen: Option<usize>,
}

impl Talk {
    /// An empty one.
    pub fn new(about: About, title: String) -> Self {
        Self {
            about,
            title,
            typed: one_line(),
            turns: Vec::new(),
            running: None,
            back: 0,
            chosen: None,
        }
    }

    /// A question was asked; its answer comes under `number`.
    pub fn ask(&mut self, words: String, number: u64) {
        if self.turns.len() == TURNS {
            self.turns.remove(0);
        }
        self.turns.push(Turn { asked: words, ..Turn::default() });
        self.typed = one_line();
        (self.running, self.back, self.chosen) = (Some(number), 0, None);
    }

    /// What was asked and answered so far, oldest first.
    pub fn before(&self) -> Vec<(String, String)> {
        let done = self.turns.iter().filter(|t| matches!(t.end, Some(End::Done { .. })));
        done.map(|t| (t.asked.clone(), t.text.clone())).collect()
    }

    /// A piece of an answer. False if nobody waits for it.
    pub fn take(&mut self, number: u64, part: Part) -> bool {
        if self.running != Some(number) {
            return false;
        }
        let Some(turn) = self.turns.last_mut() else { return false };
        match part {
            Part::Text(piece) => {
                let room = TEXT.saturating_sub(turn.text.len());
                turn.text.extend(piece.chars().scan(room, |left, c| {
                    *left = left.checked_sub(c.len_utf8())?;
                    Some(c)
                }));
            }
            Part::Anew => turn.text.clear(),
            Part::Looked { tool, arguments, ok, words } => {
                if turn.looks.len() < LOOKS {
                    turn.looks.push(Look { call: format!("{tool} {arguments}"), ok, words });
                }
            }
            Part::Failed(why) => {
                // What a model said before it failed is not mixed with what follows.
                turn.text.clear();
                turn.failed = Some(why);
            }
            Part::Done { by, evidence, note } => {
                turn.evidence = evidence;
                turn.end = Some(End::Done { by, note });
                self.running = None;
            }
        }
        true
    }

    /// The answer under way is not wanted any more. False if there is none.
    pub fn cancel(&mut self) -> bool {
        if self.running.take().is_none() {
            return false;
        }
        if let Some(turn) = self.turns.last_mut() {
            turn.end = Some(End::Cancelled);
        }
        true
    }

    /// Evidence of the last answer.
    pub fn evidence(&self) -> &[Evidence] {
        self.turns.last().map_or(&[], |turn| turn.evidence.as_slice())
    }

    /// The next piece of evidence, or the one before, round and round.
    pub fn choose(&mut self, forward: bool) {
        let count = self.evidence().len();
        if count == 0 {
            return;
        }
        self.chosen = Some(match self.chosen {
            None if forward => 0,
            None => count - 1,
            Some(at) if forward => (at + 1) % count,
            Some(at) => (at + count - 1) % count,
        });
    }
}

/// Columns of the panel, and rows and columns of the conversation in it.
pub fn room(screen: Rect) -> (u16, usize, usize) {
    let width = screen.width.saturating_sub(2).min(WIDEST);
    let rows = usize::from(screen.height.saturating_sub(4)).saturating_sub(2).max(1);
    // Edges and air on both sides, the cursor on the left.
    (width, rows, usize::from(width.saturating_sub(6)).max(1))
}
