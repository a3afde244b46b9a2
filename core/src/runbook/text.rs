//! The little of Markdown that makes a runbook readable in a terminal.

/// What a line is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Line<'a> {
    /// A heading.
    Heading(&'a str),
    /// An item of a list: how deep, its mark (`-`, `2.`, `[ ]`), its words.
    Item(usize, &'a str, &'a str),
    /// A line of code.
    Code(&'a str),
    /// Words.
    Text(&'a str),
    /// Nothing.
    Blank,
}

/// Reads lines. Fences of code blocks are left out, and so is anything else unusual: as words.
pub fn read(lines: &[String]) -> Vec<Line<'_>> {
    let mut code = false;
    let mut read = Vec::new();
    for line in lines {
        let text = line.trim_start();
        if text.starts_with("```") || text.starts_with("~~~") {
            code = !code;
        } else if code {
            read.push(Line::Code(line));
        } else {
            read.push(one(line));
        }
    }
    read
}

fn one(line: &str) -> Line<'_> {
    let text = line.trim_start();
    let depth = (line.len() - text.len()) / 2;
    if text.is_empty() {
        return Line::Blank;
    }
    let hashes = text.bytes().take_while(|b| *b == b'#').count();
    if let Some(words) = text.get(hashes..).filter(|_| (1..=6).contains(&hashes))
        && let Some(words) = words.strip_prefix(' ')
    {
        return Line::Heading(words.trim_end_matches(['#', ' ']));
    }
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let mark = match text.as_bytes() {
        [b'-' | b'*' | b'+', b' ', ..] => 1,
        bytes if digits > 0 && matches!(bytes.get(digits), Some(b'.' | b')')) => digits + 1,
        _ => 0,
    };
    match (text.get(..mark), text.get(mark..).and_then(|rest| rest.strip_prefix(' '))) {
        (Some(mark), Some(words)) if !mark.is_empty() => Line::Item(depth, mark, words.trim()),
        _ => Line::Text(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headings_lists_and_code_are_told_apart() {
        let lines =
            ["# One ##", "", "- a", "  2. b", "```sh", "# no heading", "```", "#no", "1.2 s", "é"]
                .map(str::to_owned);
        assert_eq!(
            read(&lines),
            [
                Line::Heading("One"),
                Line::Blank,
                Line::Item(0, "-", "a"),
                Line::Item(1, "2.", "b"),
                Line::Code("# no heading"),
                Line::Text("#no"),
                Line::Text("1.2 s"),
                Line::Text("é"),
            ]
        );
    }
}
