//! What holds for any text.

use jiff::Timestamp;
use proptest::prelude::{
    Just, ProptestConfig, Strategy, any, prop_assert, prop_assert_eq, prop_oneof, proptest,
};

use crate::detect::reader::fields::{MOST_FIELDS, of};
use crate::detect::reader::record::{MOST_BYTES, MOST_LINES};
use crate::detect::reader::wrap::unwrapped;
use crate::detect::reader::{Reader, one, stamp};
use crate::domain::log::{Reading, Stream};

/// Pieces that headers are made of, so that the walk comes far; and any text between them.
fn line() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        proptest::sample::select(vec![
            "2026-11-24",
            " ",
            "  ",
            "\t",
            "03:15:02",
            ".123",
            "Z",
            "T",
            "[",
            "]",
            "(",
            ")",
            "<",
            ">",
            "{",
            "}",
            "\"",
            "\\",
            ":",
            "|",
            "-",
            "---",
            "ERROR",
            "info",
            "Nov",
            "24",
            "1795490102",
            "app[1]:",
            "a.b.C:",
            "msg",
            "=",
            "level",
            "{\"level\":\"error\",\"msg\":\"",
            "1.2.3.4 - - ",
            "HTTP/1.1\" 200 12",
            "<34>",
            "1 ",
            " stdout P ",
            "at a.b(C.java:1)",
            "Traceback (most recent call last):",
            "panic: ",
            "I1124 ",
            "*",
            "é",
            "\u{feff}",
            "E ",
            "Caused by: ",
            "log\":\"",
            "\\n",
            ",",
            "\0",
            "\u{1b}[31m",
        ])
        .prop_map(str::to_owned),
        "\\PC{0,6}",
        any::<char>().prop_map(String::from),
        Just("x".repeat(MOST_BYTES + 1)),
    ];
    proptest::collection::vec((piece, 0_u8..200), 0..14).prop_map(|pieces| {
        // A huge piece is rare.
        pieces
            .into_iter()
            .filter(|(piece, dice)| piece.len() < 1000 || *dice == 0)
            .map(|(piece, _)| piece)
            .collect()
    })
}

fn is_sound(text: &str, reading: &Reading) -> bool {
    let (start, end) = (reading.message_start as usize, reading.message_end as usize);
    start <= end && text.get(start..end).is_some()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn spans_lie_in_the_text(text in line()) {
        let reading = one(&text);
        prop_assert!(is_sound(&text, &reading), "{reading:?}");
        prop_assert_eq!(reading, one(&text));
        prop_assert!(!reading.continues);
        let fields = of(&text, &reading).count();
        prop_assert!(fields <= MOST_FIELDS);
        prop_assert!(unwrapped(&text).len() <= text.len());
        // Whatever it finds, it must not fail.
        let now = Timestamp::UNIX_EPOCH;
        prop_assert_eq!(stamp(&text, now), stamp(&text, now));
    }

    #[test]
    fn any_text_at_all(text in any::<String>()) {
        prop_assert!(is_sound(&text, &one(&text)));
    }

    #[test]
    fn records_are_bounded_and_a_first_line_begins_one(
        lines in proptest::collection::vec(line(), 1..8)
    ) {
        let mut reader = Reader::default();
        let (mut count, mut bytes) = (0_u32, 0);
        // The same lines again and again: a record must end.
        for (n, text) in lines.iter().cycle().take(600).enumerate() {
            let reading = reader.read(Stream::Stdout, text);
            prop_assert!(is_sound(text, &reading));
            prop_assert!(n > 0 || !reading.continues);
            if reading.continues {
                count += 1;
                bytes += text.trim_ascii().len();
                prop_assert!(count <= MOST_LINES && bytes <= MOST_BYTES);
            } else {
                (count, bytes) = (1, text.trim_ascii().len());
                prop_assert_eq!(reading, one(text));
            }
        }
    }
}
