//! The frames by which output without a terminal is told apart: one byte for the stream, three
//! zeros, the length in four bytes, then the bytes.

/// Bytes before the content of a frame.
const HEAD: usize = 8;
/// A frame longer than this is not one of ours, nor of any engine.
const LONGEST: usize = 16 << 20;

/// One piece of output.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// Standard error, not standard output.
    pub error: bool,
    /// What was written.
    pub content: Vec<u8>,
}

/// Appends a frame. Content beyond 4 GiB does not occur: lines are far shorter.
pub fn write(out: &mut Vec<u8>, error: bool, content: &[u8]) {
    let length = u32::try_from(content.len()).unwrap_or(u32::MAX);
    out.extend_from_slice(&[if error { 2 } else { 1 }, 0, 0, 0]);
    out.extend_from_slice(&length.to_be_bytes());
    out.extend_from_slice(content);
}

/// Takes complete frames from the front; what is left is the beginning of the next one.
pub fn read(mut bytes: &[u8]) -> Result<(Vec<Frame>, &[u8]), String> {
    let mut frames = Vec::new();
    while let Some((head, rest)) = bytes.split_at_checked(HEAD) {
        let [stream, 0, 0, 0, a, b, c, d] = *head else {
            return Err(format!("{head:?} begins no frame"));
        };
        if !(1..=2).contains(&stream) {
            return Err(format!("{stream} is no output stream"));
        }
        let length = usize::try_from(u32::from_be_bytes([a, b, c, d])).unwrap_or(usize::MAX);
        if length > LONGEST {
            return Err(format!("a frame of {length} bytes is too long"));
        }
        let Some((content, after)) = rest.split_at_checked(length) else { break };
        frames.push(Frame { error: stream == 2, content: content.to_vec() });
        bytes = after;
    }
    Ok((frames, bytes))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn frames_come_back_as_they_were_written(
            all in prop::collection::vec((any::<bool>(), prop::collection::vec(any::<u8>(), 0..80)), 0..20),
            cut in any::<prop::sample::Index>(),
        ) {
            let mut bytes = Vec::new();
            for (error, content) in &all {
                write(&mut bytes, *error, content);
            }
            let (whole, rest) = read(&bytes).unwrap();
            prop_assert!(rest.is_empty());
            let expected: Vec<Frame> =
                all.iter().map(|(error, content)| Frame { error: *error, content: content.clone() }).collect();
            prop_assert_eq!(&whole, &expected);
            // In two pieces, wherever the break falls.
            let (mut first, left) = read(&bytes[..cut.index(bytes.len() + 1)]).unwrap();
            let second = [left, &bytes[cut.index(bytes.len() + 1)..]].concat();
            first.extend(read(&second).unwrap().0);
            prop_assert_eq!(first, expected);
        }

        #[test]
        fn no_bytes_make_the_reader_fall_over(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            if let Ok((frames, rest)) = read(&bytes) {
                let read: usize = frames.iter().map(|f| f.content.len() + HEAD).sum();
                prop_assert_eq!(read + rest.len(), bytes.len());
            }
        }
    }
}
