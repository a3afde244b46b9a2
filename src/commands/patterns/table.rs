//! The templates of a log as a table for people.

use std::io::{self, Write};

use crate::commands::patterns::row::Row;
use crate::commands::patterns::spark;
use crate::commands::patterns::survey::{OTHER, Survey};
use crate::tui::glyphs::{Glyphs, UNICODE};
use crate::tui::text;

/// Least columns that a template gets, however narrow the terminal is.
const LEAST: usize = 20;

/// Writes the table with at most `most` rows (0: all), and what it leaves out.
pub fn write(
    survey: &Survey,
    most: usize,
    columns: Option<usize>,
    out: &mut impl Write,
) -> io::Result<()> {
    let rows = survey.rows();
    let shown = rows.get(..most).filter(|_| most > 0).unwrap_or(&rows);
    let layout = Layout::of(shown, columns);
    if !shown.is_empty() {
        writeln!(out, "{}", layout.head())?;
    }
    for row in shown {
        writeln!(out, "{}", layout.row(row, &UNICODE))?;
    }
    for line in summary(survey, &rows, shown.len()) {
        writeln!(out, "{line}")?;
    }
    out.flush()
}

/// How wide the columns are.
struct Layout {
    count: usize,
    first: usize,
    last: usize,
    timeline: usize,
    template: Option<usize>,
}

impl Layout {
    fn of(rows: &[Row], columns: Option<usize>) -> Self {
        let widest = |head: &str, number: fn(&Row) -> u64| {
            let most = rows.iter().map(number).max().unwrap_or_default();
            most.to_string().len().max(head.len())
        };
        let count = widest("LINES", |row| row.count);
        let first = widest("FIRST", |row| row.first_line);
        let last = widest("LAST", |row| row.last_line);
        let timeline = rows.first().map_or(0, |row| row.timeline.len()).max("WHEN".len());
        // Share and level have 7 and 5 columns; two stand between columns.
        let before = count + 7 + 5 + first + last + timeline + 6 * 2;
        let template = columns.map(|columns| columns.saturating_sub(before).max(LEAST));
        Self { count, first, last, timeline, template }
    }

    fn head(&self) -> String {
        format!(
            "{:>count$}  {:>7}  {:<5}  {:>first$}  {:>last$}  {:<timeline$}  PATTERN",
            "LINES",
            "SHARE",
            "LEVEL",
            "FIRST",
            "LAST",
            "WHEN",
            count = self.count,
            first = self.first,
            last = self.last,
            timeline = self.timeline,
        )
    }

    fn row(&self, row: &Row, glyphs: &Glyphs) -> String {
        let template = text::plain(&row.template);
        let template = match self.template {
            Some(columns) => text::cut(&template, columns, glyphs.ellipsis),
            None => template.into_owned(),
        };
        format!(
            "{:>count$}  {:>5.1} %  {:<5}  {:>first$}  {:>last$}  {:<timeline$}  {template}",
            row.count,
            row.share * 100.0,
            row.level.map_or("", |level| level.as_str()),
            row.first_line,
            row.last_line,
            spark::drawn(&row.timeline, glyphs),
            count = self.count,
            first = self.first,
            last = self.last,
            timeline = self.timeline,
        )
    }
}

/// What the whole was, and what is not in the table.
fn summary(survey: &Survey, rows: &[Row], shown: usize) -> Vec<String> {
    let plural = |count: u64, one: &str| {
        if count == 1 { format!("1 {one}") } else { format!("{count} {one}s") }
    };
    let mut lines = vec![format!(
        "{}, {}",
        plural(survey.lines(), "line"),
        plural(rows.len() as u64, "pattern")
    )];
    if survey.continued() > 0 {
        lines.push(format!(
            "{} go on with the one before (stack traces and the like)",
            plural(survey.continued(), "line")
        ));
    }
    if survey.other() > 0 {
        lines.push(format!(
            "{} have no pattern ({OTHER}): nearly every line was a new one",
            plural(survey.other(), "line")
        ));
    }
    let left_out = rows.get(shown..).unwrap_or_default();
    if !left_out.is_empty() {
        let lines_out: u64 = left_out.iter().map(|row| row.count).sum();
        lines.push(format!(
            "{} more with {} not shown: --count 0 shows all",
            plural(left_out.len() as u64, "pattern"),
            plural(lines_out, "line")
        ));
    }
    lines
}
