//! Text measured in columns of the terminal, not in bytes or characters.
//!
//! Terminals disagree about emoji of several characters (flags, skin tones, joined families):
//! some draw one picture, others each part. What is drawn is therefore [`plain`], where every
//! character has a width of its own that all agree about, and everything here measures that.

use std::borrow::Cow;
use std::ops::Range;

use unicode_width::UnicodeWidthChar;

/// What joins or tints emoji, or picks their form: drawn as nothing.
fn is_joiner(c: char) -> bool {
    matches!(c, '\u{200d}' | '\u{fe0e}' | '\u{fe0f}' | '\u{1f3fb}'..='\u{1f3ff}' | '\u{e0020}'..='\u{e007f}')
}

/// What is drawn instead: for a regional indicator, two of which make a flag, its letter; for
/// the sound marks behind half-width katakana, the wide ones, which join nothing.
fn replacement(c: char) -> Option<char> {
    match c {
        '\u{1f1e6}'..='\u{1f1ff}' => char::from_u32(u32::from(c) - 0x1_f1e6 + u32::from('A')),
        '\u{ff9e}' => Some('\u{309b}'),
        '\u{ff9f}' => Some('\u{309c}'),
        _ => None,
    }
}

/// Columns that a character takes when it is drawn.
fn columns_of(c: char) -> usize {
    match c {
        ' '..='~' => 1,
        c if is_joiner(c) => 0,
        c => replacement(c).unwrap_or(c).width().unwrap_or(0),
    }
}

/// A text as it is drawn: flags as their two letters, emoji without what joins or tints them.
pub fn plain(text: &str) -> Cow<'_, str> {
    if text.is_ascii() || !text.chars().any(|c| is_joiner(c) || replacement(c).is_some()) {
        return Cow::Borrowed(text);
    }
    let drawn = text.chars().filter(|c| !is_joiner(*c));
    Cow::Owned(drawn.map(|c| replacement(c).unwrap_or(c)).collect())
}

/// Columns that a text takes.
pub fn width(text: &str) -> usize {
    if text.is_ascii() { text.len() } else { text.chars().map(columns_of).sum() }
}

/// Cuts a text to `columns`; the last column shows `ellipsis` if something is missing.
pub fn cut(text: &str, columns: usize, ellipsis: &str) -> String {
    let mut out = String::with_capacity(text.len().min(columns * 4) + ellipsis.len());
    cut_onto(&mut out, text, columns, ellipsis);
    out
}

/// The same behind another text. Returns the columns that it takes.
fn cut_onto(out: &mut String, text: &str, columns: usize, ellipsis: &str) -> usize {
    let whole = width(text);
    if whole <= columns {
        out.push_str(text);
        return whole;
    }
    let mark = width(ellipsis);
    let part = take(text, columns.saturating_sub(mark));
    out.push_str(part);
    if columns < mark {
        return width(part);
    }
    out.push_str(ellipsis);
    width(part) + mark
}

/// The longest start of a text that fits into `columns`.
pub fn take(text: &str, columns: usize) -> &str {
    // A byte is at least as wide as its column.
    if text.len() <= columns {
        return text;
    }
    let mut used = 0;
    for (at, c) in text.char_indices() {
        used += columns_of(c);
        if used > columns {
            return text.get(..at).unwrap_or_default();
        }
    }
    text
}

/// What is left of a text after its first `columns`, and the columns to leave blank before it: a
/// wide character that straddles the cut is left out, and columns stay aligned.
pub fn skip(text: &str, columns: usize) -> (usize, &str) {
    if text.is_ascii() {
        return (0, text.get(columns..).unwrap_or_default());
    }
    let mut used = 0;
    for (at, c) in text.char_indices() {
        if used >= columns {
            return (used - columns, text.get(at..).unwrap_or_default());
        }
        used += columns_of(c);
    }
    (0, "")
}

/// Cuts or fills a text to exactly `columns`, flush left.
pub fn left(text: &str, columns: usize, ellipsis: &str) -> String {
    // Room for all of it at once: this is asked for every cell of every frame.
    let mut out = String::with_capacity(text.len().min(columns * 4) + ellipsis.len() + columns);
    let used = cut_onto(&mut out, text, columns, ellipsis);
    out.extend(std::iter::repeat_n(' ', columns.saturating_sub(used)));
    out
}

/// Cuts or fills a text to exactly `columns`, flush right.
pub fn right(text: &str, columns: usize, ellipsis: &str) -> String {
    let whole = width(text);
    if whole > columns {
        let cut = cut(text, columns, ellipsis);
        // A wide character that was cut off leaves a column.
        let fill = columns.saturating_sub(width(&cut));
        return format!("{}{cut}", " ".repeat(fill));
    }
    let mut out = String::with_capacity(text.len() + columns);
    out.extend(std::iter::repeat_n(' ', columns - whole));
    out.push_str(text);
    out
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
    let pieces = pieces(text, columns, 0, usize::MAX);
    pieces.into_iter().map(|p| text.get(p).unwrap_or_default().to_owned()).collect()
}

/// Where the pieces of [`chunks`] stand, in bytes: at most `count` of them from number `from` on.
/// A long text costs little where it is ASCII.
pub fn pieces(text: &str, columns: usize, from: usize, count: usize) -> Vec<Range<usize>> {
    let columns = columns.max(1);
    if text.is_ascii() {
        let all = text.len().div_ceil(columns).max(1);
        let end = from.saturating_add(count).min(all);
        return (from..end).map(|n| n * columns..((n + 1) * columns).min(text.len())).collect();
    }
    let mut starts = breaks(text, columns).skip(from).peekable();
    let mut out = Vec::new();
    while let Some(start) = starts.next() {
        if out.len() == count {
            break;
        }
        out.push(start..starts.peek().copied().unwrap_or(text.len()));
    }
    out
}

/// How many pieces [`chunks`] gives, without making them.
pub fn count_chunks(text: &str, columns: usize) -> usize {
    let columns = columns.max(1);
    if text.is_ascii() {
        return text.len().div_ceil(columns).max(1);
    }
    breaks(text, columns).count()
}

/// Where each piece begins, in bytes.
fn breaks(text: &str, columns: usize) -> impl Iterator<Item = usize> {
    let mut chars = text.char_indices();
    let mut used = 0;
    let further = std::iter::from_fn(move || {
        loop {
            let (at, c) = chars.next()?;
            let width = columns_of(c);
            if used + width > columns && used > 0 {
                used = width;
                return Some(at);
            }
            used += width;
        }
    });
    std::iter::once(0).chain(further)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use ratatui::buffer::Buffer;
    use ratatui::layout::Rect;
    use ratatui::style::Style;

    use super::*;

    #[test]
    fn wide_characters_count_as_two_columns() {
        assert_eq!(width("数据库"), 6);
        assert_eq!(cut("数据库", 5, "…"), "数据…");
        assert_eq!(cut("数据库", 4, "…"), "数…");
        assert_eq!(cut("abc", 3, "…"), "abc");
        assert_eq!(skip("数据库", 1), (1, "据库"));
        assert_eq!(skip("abc", 2), (0, "c"));
        assert_eq!(right("7%", 4, "…"), "  7%");
    }

    #[test]
    fn emoji_of_several_characters_are_drawn_as_what_all_terminals_agree_about() {
        for (text, drawn, columns) in [
            ("\u{1f1e9}\u{1f1ea} up", "DE up", 5),
            ("\u{1f44d}\u{1f3fd}!", "\u{1f44d}!", 3),
            ("\u{1f468}\u{200d}\u{1f469}", "\u{1f468}\u{1f469}", 4),
            ("\u{2764}\u{fe0f}", "\u{2764}", 1),
            ("1\u{fe0f}\u{20e3}", "1\u{20e3}", 1),
        ] {
            assert_eq!(plain(text), drawn);
            assert_eq!(width(text), columns, "{text}");
            assert_eq!(width(drawn), columns, "{text}");
        }
        assert_eq!(take("\u{1f1e9}\u{1f1ea} up", 1), "\u{1f1e9}");
    }

    #[test]
    fn pieces_of_a_text_are_found_anywhere_in_it() {
        let ascii = "abcdefgh";
        assert_eq!(pieces(ascii, 3, 1, 5), [3..6, 6..8]);
        assert_eq!(pieces("", 3, 0, 5).first(), Some(&(0..0)));
        assert_eq!(pieces("数据库x", 4, 1, 1).first(), Some(&(6..10)));
    }

    #[test]
    fn words_are_kept_whole_where_they_fit() {
        assert_eq!(wrap("the kernel killed it", 10), ["the kernel", "killed it"]);
        assert_eq!(wrap("abcdefghij", 4), ["abcd", "efgh", "ij"]);
        assert_eq!(wrap("", 4), [""]);
    }

    proptest! {
        #[test]
        fn what_is_measured_is_what_is_drawn(
            text in "[ -~数é\u{301}🦀\u{1f1e6}-\u{1f1ff}\u{1f44d}\u{1f3fb}-\u{1f3ff}\u{200d}\u{fe0f}❤ｶﾞﾊﾟ]{0,30}",
        ) {
            let mut buffer = Buffer::empty(Rect::new(0, 0, 200, 1));
            let (end, _) = buffer.set_stringn(0, 0, plain(&text), 200, Style::default());
            prop_assert_eq!(usize::from(end), width(&text));
        }

        #[test]
        fn pieces_cover_the_text(text in "[a-c数é\u{301}🦀]{0,60}", columns in 1_usize..20) {
            let all = pieces(&text, columns, 0, usize::MAX);
            prop_assert_eq!(all.len(), count_chunks(&text, columns));
            prop_assert_eq!(all.iter().map(|r| &text[r.clone()]).collect::<String>(), text.clone());
            prop_assert_eq!(&all[all.len() / 2..], pieces(&text, columns, all.len() / 2, 99));
        }

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
