//! Charts of several rows: an area under a line, in braille dots or in plain characters.

use crate::tui::glyphs::Glyphs;

/// Rows of dots in a braille character.
const DOTS: usize = 4;
/// The dots of its left column from below, as their bits in the character.
const LEFT: [u32; DOTS] = [0x40, 0x04, 0x02, 0x01];
/// The same of its right column.
const RIGHT: [u32; DOTS] = [0x80, 0x20, 0x10, 0x08];

/// An area chart, the top row first: the last values, two in each column, scaled to `max` or to the
/// largest value if that is more. Where there are fewer values the left side stays blank.
pub fn area(
    values: &[f32],
    (columns, rows): (usize, usize),
    max: f32,
    glyphs: &Glyphs,
) -> Vec<String> {
    let wanted = columns * 2;
    let shown = values.get(values.len().saturating_sub(wanted)..).unwrap_or_default();
    let top = shown.iter().copied().fold(max, f32::max).max(f32::EPSILON);
    let steps = rows * DOTS;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "between 0 and the number of steps"
    )]
    let height =
        |value: f32| (value / top * steps as f32).round().clamp(0.0, steps as f32) as usize;
    let mut heights: Vec<Option<usize>> = vec![None; wanted - shown.len()];
    // A value that is not nothing is seen.
    heights.extend(shown.iter().map(|v| Some(height(*v).max(usize::from(*v > 0.0)))));
    (0..rows)
        .map(|row| {
            let floor = (rows - 1 - row) * DOTS;
            let filled = |of: &Option<usize>| of.map_or(0, |h| h.saturating_sub(floor).min(DOTS));
            heights
                .chunks(2)
                .map(|pair| {
                    let left = pair.first().map_or(0, filled);
                    let right = pair.get(1).map_or(0, filled);
                    cell(left, right, glyphs)
                })
                .collect()
        })
        .collect()
}

/// Two columns of dots, so many of them from below.
fn cell(left: usize, right: usize, glyphs: &Glyphs) -> char {
    if !glyphs.braille {
        return match (left + right).div_ceil(2) {
            0 => ' ',
            1 => '.',
            2 => '-',
            3 => '=',
            _ => '#',
        };
    }
    let bits = LEFT.iter().take(left).chain(RIGHT.iter().take(right)).sum::<u32>();
    if bits == 0 { ' ' } else { char::from_u32(0x2800 + bits).unwrap_or(' ') }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::glyphs::{ASCII, UNICODE};
    use crate::tui::text;

    #[test]
    fn an_area_fills_from_below_and_from_the_right() {
        assert_eq!(
            area(&[0.0, 50.0, 100.0, 100.0], (3, 1), 100.0, &UNICODE),
            [" \u{28a0}\u{28ff}"]
        );
        let tall = area(&[100.0, 100.0, 50.0, 50.0], (2, 2), 100.0, &UNICODE);
        assert_eq!(tall, ["\u{28ff} ", "\u{28ff}\u{28ff}"]);
    }

    #[test]
    fn a_chart_is_as_wide_as_asked_and_ascii_where_it_has_to_be() {
        for count in [0, 1, 7, 300] {
            let values: Vec<f32> = (0..count).map(|n| n as f32).collect();
            for glyphs in [&UNICODE, &ASCII] {
                let rows = area(&values, (20, 3), 100.0, glyphs);
                assert_eq!(rows.len(), 3);
                assert!(rows.iter().all(|r| text::width(r) == 20), "{count}: {rows:?}");
                assert!(glyphs.braille || rows.iter().all(|r| r.is_ascii()));
            }
        }
    }
}
