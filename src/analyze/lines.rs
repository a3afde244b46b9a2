//! Server-sent events out of bytes as they come, in pieces of any size.

use thiserror::Error;

/// What begins a line that carries data.
const DATA: &[u8] = b"data";
/// Some servers begin with it.
const BYTE_ORDER_MARK: &[u8] = &[0xEF, 0xBB, 0xBF];

/// A bound was exceeded; nothing more is read.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum TooLong {
    /// One event.
    #[error("one event of the stream has more than {0} bytes")]
    Event(usize),
    /// The whole stream.
    #[error("the stream has more than {0} bytes")]
    Stream(usize),
}

/// Reads events. It keeps one line and one event, each bounded, whatever comes.
#[derive(Clone, Debug)]
pub struct EventReader {
    most_event: usize,
    most_stream: usize,
    line: Vec<u8>,
    /// Data of the event that is being read; `None` until its first line.
    data: Option<Vec<u8>>,
    seen: usize,
    first: bool,
    /// The last byte was a carriage return: a line feed behind it belongs to it.
    after_return: bool,
}

impl EventReader {
    /// A reader for one stream, with bounds in bytes for an event and for everything.
    pub fn new(most_event: usize, most_stream: usize) -> Self {
        Self {
            most_event,
            most_stream,
            line: Vec::new(),
            data: None,
            seen: 0,
            first: true,
            after_return: false,
        }
    }

    /// Takes the next bytes and gives the data of the events that they complete. Bytes that are no
    /// UTF-8 are replaced.
    pub fn push(&mut self, bytes: &[u8]) -> Result<Vec<String>, TooLong> {
        self.seen = self.seen.saturating_add(bytes.len());
        if self.seen > self.most_stream {
            return Err(TooLong::Stream(self.most_stream));
        }
        let mut events = Vec::new();
        for &byte in bytes {
            match byte {
                b'\n' if self.after_return => self.after_return = false,
                b'\n' | b'\r' => {
                    self.after_return = byte == b'\r';
                    self.end_line(&mut events)?;
                }
                _ => {
                    self.after_return = false;
                    if self.line.len() >= self.most_event {
                        return Err(TooLong::Event(self.most_event));
                    }
                    self.line.push(byte);
                }
            }
        }
        Ok(events)
    }

    /// The stream has ended: some servers leave out the empty line behind the last event.
    pub fn finish(mut self) -> Result<Option<String>, TooLong> {
        let mut events = Vec::new();
        self.end_line(&mut events)?;
        self.end_event(&mut events);
        Ok(events.pop())
    }

    fn end_line(&mut self, events: &mut Vec<String>) -> Result<(), TooLong> {
        let line = std::mem::take(&mut self.line);
        let mut line = line.as_slice();
        if std::mem::take(&mut self.first) {
            line = line.strip_prefix(BYTE_ORDER_MARK).unwrap_or(line);
        }
        if line.is_empty() {
            self.end_event(events);
            return Ok(());
        }
        // Comments begin with a colon: their field has no name.
        let (field, value) = match line.iter().position(|b| *b == b':') {
            Some(at) => {
                let value = line.get(at + 1..).unwrap_or_default();
                (line.get(..at).unwrap_or_default(), value.strip_prefix(b" ").unwrap_or(value))
            }
            None => (line, [].as_slice()),
        };
        if field != DATA {
            return Ok(());
        }
        let data = match &mut self.data {
            Some(data) => {
                data.push(b'\n');
                data
            }
            none => none.insert(Vec::new()),
        };
        if data.len() + value.len() > self.most_event {
            return Err(TooLong::Event(self.most_event));
        }
        data.extend_from_slice(value);
        Ok(())
    }

    fn end_event(&mut self, events: &mut Vec<String>) {
        if let Some(data) = self.data.take() {
            events.push(String::from_utf8_lossy(&data).into_owned());
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn all(chunks: &[&[u8]]) -> Vec<String> {
        let mut reader = EventReader::new(1000, 10_000);
        let mut events: Vec<String> =
            chunks.iter().flat_map(|chunk| reader.push(chunk).unwrap()).collect();
        events.extend(reader.finish().unwrap());
        events
    }

    #[test]
    fn events_are_read_as_servers_write_them() {
        for (text, events) in [
            ("data: a\n\ndata: b\n\n", &["a", "b"][..]),
            ("data:a\r\n\r\ndata:  b\r\rdata: c", &["a", " b", "c"]),
            (": OPENROUTER PROCESSING\n\ndata: a\n: x\nid: 1\ndata: b\n\n", &["a\nb"]),
            ("\u{FEFF}data: a\n\n\n\n", &["a"]),
            ("event: x\n\ndata\n\ndatas: no\n\n", &[""]),
        ] {
            assert_eq!(all(&[text.as_bytes()]), events, "{text:?}");
        }
    }

    #[test]
    fn bytes_that_are_no_text_are_replaced() {
        assert_eq!(all(&[b"data: a\xFF\xC3", b"b\n\n"]), ["a\u{FFFD}\u{FFFD}b"]);
        // A character that is cut between two pieces is whole again.
        assert_eq!(all(&[b"data: \xC3", b"\xA4\n\n"]), ["ä"]);
    }

    #[test]
    fn bounds_hold() {
        let mut reader = EventReader::new(10, 100);
        assert_eq!(reader.push(b"data: 123456"), Err(TooLong::Event(10)));
        let mut reader = EventReader::new(10, 100);
        let three = b"data:1234\ndata:1234\ndata:1234\n\n";
        assert_eq!(reader.push(three), Err(TooLong::Event(10)));
        let mut reader = EventReader::new(10, 100);
        let comment = b": 23456\n".repeat(13);
        assert_eq!(reader.push(&comment), Err(TooLong::Stream(100)));
    }

    proptest! {
        #[test]
        fn pieces_of_any_size_give_the_same_events(
            bytes in proptest::collection::vec(prop_oneof![
                Just(b'\n'), Just(b'\r'), Just(b':'), Just(b'd'), Just(b' '), any::<u8>()
            ], 0..300),
            prefix in "(data: [a-z]{0,5}\r?\n){0,3}",
            size in 1usize..40,
        ) {
            let bytes = [prefix.as_bytes(), bytes.as_slice()].concat();
            let pieces: Vec<&[u8]> = bytes.chunks(size).collect();
            prop_assert_eq!(all(&pieces), all(&[&bytes]));
        }

        #[test]
        fn data_survives(texts in proptest::collection::vec("[^\r\n]{0,40}", 0..6), size in 1usize..50) {
            let events: Vec<String> =
                texts.iter().map(|t| format!(": c\r\ndata: {t}\r\n\r\n")).collect();
            let stream = events.concat();
            let pieces: Vec<&[u8]> = stream.as_bytes().chunks(size).collect();
            prop_assert_eq!(all(&pieces), texts);
        }
    }
}
