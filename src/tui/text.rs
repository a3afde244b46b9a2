//! Text measured in columns of the terminal, not in bytes or characters.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// Columns that a text takes.
pub fn width(text: &str) -> usize {
    text.width()
}

/// Cuts a text to `columns`; the last column shows `ellipsis` if something is missing.
pub fn cut(text: &str, columns: usize, ellipsis: &str) -> String {
    if width(text) <= columns {
        return text.to_owned();
    }
    let room = columns.saturating_sub(width(ellipsis));
    let mut out = take(text, room).to_owned();
    if columns >= width(ellipsis) {
        out.push_str(ellipsis);
    }
    out
}

/// The longest start of a text that fits into `columns`.
pub fn take(text: &str, columns: usize) -> &str {
    let mut used = 0;
    for (at, c) in text.char_indices() {
        used += c.width().unwrap_or(0);
        if used > columns {
            return text.get(..at).unwrap_or_default();
        }
    }
    text
}

/// What is left of a text after its first `columns`. A wide character that straddles the cut is
/// left out and replaced by a space, so that columns stay aligned.
pub fn skip(text: &str, columns: usize) -> String {
    let mut used = 0;
    for (at, c) in text.char_indices() {
        if used >= columns {
            let rest = text.get(at..).unwrap_or_default();
            return format!("{}{rest}", " ".repeat(used - columns));
        }
        used += c.width().unwrap_or(0);
    }
    String::new()
}

/// Cuts or fills a text to exactly `columns`, flush left.
pub fn left(text: &str, columns: usize, ellipsis: &str) -> String {
    let cut = cut(text, columns, ellipsis);
    let fill = columns.saturating_sub(width(&cut));
    format!("{cut}{}", " ".repeat(fill))
}

/// Cuts or fills a text to exactly `columns`, flush right.
pub fn right(text: &str, columns: usize, ellipsis: &str) -> String {
    let cut = cut(text, columns, ellipsis);
    let fill = columns.saturating_sub(width(&cut));
    format!("{}{cut}", " ".repeat(fill))
}

/// Breaks a text into lines of at most `columns`, at spaces where there are some. There is
/// always at least one line.
pub fn wrap(text: &str, columns: usize) -> Vec<String> {
    wrap_after(text, columns, columns)
}

/// The same, with another width for the first line.
pub fn wrap_after(text: &str, first: usize, others: usize) -> Vec<String> {
    let (first, others) = (first.max(1), others.max(1));
    let mut columns = first;
    let mut lines = Vec::new();
    let mut line = String::new();
    for word in text.split(' ') {
        let gap = usize::from(!line.is_empty());
        if width(&line) + gap + width(word) <= columns {
            if gap == 1 {
                line.push(' ');
            }
            line.push_str(word);
            continue;
        }
        if !line.is_empty() {
            lines.push(std::mem::take(&mut line));
            columns = others;
            if width(word) <= columns {
                line.push_str(word);
                continue;
            }
        }
        let mut parts = chunks(word, columns);
        line = parts.pop().unwrap_or_default();
        lines.append(&mut parts);
        if !lines.is_empty() {
            columns = others;
        }
    }
    lines.push(line);
    lines
}

/// Breaks a text into pieces of at most `columns`, wherever that falls. There is always at least
/// one piece.
pub fn chunks(text: &str, columns: usize) -> Vec<String> {
    let columns = columns.max(1);
    let mut pieces = Vec::new();
    let mut piece = String::new();
    let mut used = 0;
    for c in text.chars() {
        let w = c.width().unwrap_or(0);
        if used + w > columns && !piece.is_empty() {
            pieces.push(std::mem::take(&mut piece));
            used = 0;
        }
        piece.push(c);
        used += w;
    }
    pieces.push(piece);
    pieces
}

/// How many pieces [`chunks`] gives, without making them.
pub fn count_chunks(text: &str, columns: usize) -> usize {
    let columns = columns.max(1);
    let mut count = 1;
    let mut used = 0;
    for c in text.chars() {
        let w = c.width().unwrap_or(0);
        if used + w > columns && used > 0 {
            count += 1;
            used = 0;
        }
        used += w;
    }
    count
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn wide_characters_count_as_two_columns() {
        assert_eq!(width("数据库"), 6);
        assert_eq!(cut("数据库", 5, "…"), "数据…");
        assert_eq!(cut("数据库", 4, "…"), "数…");
        assert_eq!(cut("abc", 3, "…"), "abc");
        assert_eq!(skip("数据库", 1), " 据库");
        assert_eq!(right("7%", 4, "…"), "  7%");
    }

    #[test]
    fn words_are_kept_whole_where_they_fit() {
        assert_eq!(wrap("the kernel killed it", 10), ["the kernel", "killed it"]);
        assert_eq!(wrap("abcdefghij", 4), ["abcd", "efgh", "ij"]);
        assert_eq!(wrap("", 4), [""]);
    }

    proptest! {
        #[test]
        fn nothing_is_ever_wider_than_asked(text in "[ -~数據é\u{301}🦀]{0,60}", columns in 0_usize..40) {
            prop_assert!(width(&cut(&text, columns, "…")) <= columns);
            prop_assert!(width(&left(&text, columns, "…")) == columns);
            for line in wrap(&text, columns.max(2)) {
                prop_assert!(width(&line) <= columns.max(2));
            }
        }
    }
}
