//! The few symbols that are drawn, with an ASCII form of each.

use std::borrow::Cow;

/// A set of symbols, each one column wide.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Glyphs {
    /// Ends text that was cut.
    pub ellipsis: &'static str,
    /// Marks the selected row, so that it is found without colour.
    pub cursor: &'static str,
    /// Runs.
    pub up: &'static str,
    /// Down through a fault.
    pub down: &'static str,
    /// Ended as it should.
    pub ended: &'static str,
    /// On its way (starting, restarting, being diagnosed).
    pub pending: &'static str,
    /// Frozen.
    pub paused: &'static str,
    /// Needs somebody.
    pub attention: &'static str,
    /// An open incident.
    pub incident: &'static str,
    /// Suffers from an incident elsewhere.
    pub affected: &'static str,
    /// Opens no incident: silenced, or quiet by its label.
    pub silenced: &'static str,
    /// A check that passed.
    pub pass: &'static str,
    /// A check that failed.
    pub fail: &'static str,
    /// A horizontal rule.
    pub rule: &'static str,
    /// The same, of the pane with the focus.
    pub rule_focused: &'static str,
    /// A vertical rule.
    pub bar: &'static str,
    /// The full part of a bar.
    pub full: &'static str,
    /// The empty part of a bar.
    pub empty: &'static str,
    /// Before an anomalous line.
    pub anomaly: &'static str,
    /// Before a line to come back to.
    pub bookmark: &'static str,
    /// Before a group that is folded into one line.
    pub folded: &'static str,
    /// Before the name of a group whose containers stand below it.
    pub unfolded: &'static str,
    /// Between two facts in a row.
    pub dot: &'static str,
    /// From before to after.
    pub arrow: &'static str,
    /// Received and sent.
    pub rx: &'static str,
    /// See [`Glyphs::rx`].
    pub tx: &'static str,
    /// More text to the right.
    pub more_right: &'static str,
    /// More text to the left.
    pub more_left: &'static str,
    /// More text above.
    pub more_up: &'static str,
    /// More text below.
    pub more_down: &'static str,
    /// Nothing to show in a cell.
    pub nothing: &'static str,
    /// Eight heights of a small chart, lowest first.
    pub spark: [&'static str; 8],
    /// Charts may use braille dots.
    pub braille: bool,
    /// Corners of a dialog: top left, top right, bottom left, bottom right.
    pub corners: [&'static str; 4],
}

/// The default set.
pub const UNICODE: Glyphs = Glyphs {
    ellipsis: "…",
    cursor: "▌",
    up: "●",
    down: "✗",
    ended: "○",
    pending: "◐",
    paused: "‖",
    attention: "◆",
    incident: "▲",
    affected: "△",
    silenced: "⊘",
    pass: "✓",
    fail: "✗",
    rule: "─",
    rule_focused: "━",
    bar: "│",
    full: "█",
    empty: "░",
    anomaly: "◆",
    bookmark: "■",
    folded: "▸",
    unfolded: "▾",
    dot: "·",
    arrow: "→",
    rx: "↓",
    tx: "↑",
    more_right: "›",
    more_left: "‹",
    more_up: "↑",
    more_down: "↓",
    nothing: "–",
    spark: ["▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"],
    braille: true,
    corners: ["╭", "╮", "╰", "╯"],
};

/// For terminals and fonts that have nothing else.
pub const ASCII: Glyphs = Glyphs {
    ellipsis: "~",
    cursor: ">",
    up: "*",
    down: "X",
    ended: "o",
    pending: "@",
    paused: "=",
    attention: "!",
    incident: "^",
    affected: "?",
    silenced: "z",
    pass: "+",
    fail: "x",
    rule: "-",
    rule_focused: "=",
    bar: "|",
    full: "#",
    empty: ".",
    anomaly: "!",
    bookmark: "#",
    folded: "+",
    unfolded: "-",
    dot: "-",
    arrow: ">",
    rx: "v",
    tx: "^",
    more_right: ">",
    more_left: "<",
    more_up: "^",
    more_down: "v",
    nothing: "-",
    spark: ["_", "_", ".", ".", "-", "-", "=", "#"],
    braille: false,
    corners: ["+", "+", "+", "+"],
};

impl Glyphs {
    /// The set to use.
    pub fn of(ascii: bool) -> &'static Self {
        if ascii { &ASCII } else { &UNICODE }
    }

    /// Text with the few symbols that our own sentences use said in this set. What containers
    /// wrote stays as it is but for those symbols.
    pub fn say<'a>(&self, text: &'a str) -> Cow<'a, str> {
        if self.arrow == UNICODE.arrow || text.is_ascii() {
            return Cow::Borrowed(text);
        }
        let plain = |c| match c {
            '→' => '>',
            '…' => '~',
            '–' | '·' => '-',
            other => other,
        };
        Cow::Owned(text.chars().map(plain).collect())
    }

    /// A small chart of the last `width` values, scaled to `max` (or to the largest value, if
    /// that is more).
    pub fn sparkline(
        &self,
        values: impl DoubleEndedIterator<Item = f32> + Clone,
        width: usize,
        max: f32,
    ) -> String {
        let last = values.rev().take(width);
        let top = last.clone().fold(max, f32::max).max(f32::EPSILON);
        let mut cells: Vec<&str> = last
            .map(|v| {
                #[expect(
                    clippy::cast_possible_truncation,
                    clippy::cast_sign_loss,
                    reason = "between 0 and 7 after the clamp"
                )]
                let height = (v / top * 7.0).round().clamp(0.0, 7.0) as usize;
                self.spark.get(height).copied().unwrap_or(" ")
            })
            .collect();
        cells.reverse();
        let blank = width.saturating_sub(cells.len());
        format!("{}{}", " ".repeat(blank), cells.concat())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sparkline_has_the_asked_width_and_keeps_the_newest() {
        let values = [0.0_f32, 50.0, 100.0];
        assert_eq!(UNICODE.sparkline(values.into_iter(), 5, 100.0), "  ▁▅█");
        assert_eq!(UNICODE.sparkline(values.into_iter(), 2, 100.0), "▅█");
        assert_eq!(UNICODE.sparkline([f32::NAN].into_iter(), 1, 100.0).chars().count(), 1);
    }

    #[test]
    fn an_incident_and_a_fix_differ_without_unicode_too() {
        for glyphs in [UNICODE, ASCII] {
            let marks = [glyphs.incident, glyphs.affected, glyphs.attention, glyphs.silenced];
            assert!(marks.iter().enumerate().all(|(at, m)| !marks[..at].contains(m)), "{marks:?}");
        }
    }

    #[test]
    fn a_value_above_the_maximum_sets_the_scale() {
        assert_eq!(UNICODE.sparkline([100.0_f32, 200.0].into_iter(), 2, 100.0), "▅█");
    }
}
