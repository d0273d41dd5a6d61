//! JPEG (ITU-T T.81, annex B): segments that begin with a marker and say their length, and behind each start of a scan
//! what is coded, in which a 0xff is followed by 0x00 or a restart marker.

const START: u8 = 0xd8;
const END: u8 = 0xd9;
const SCAN: u8 = 0xda;
const COMMENT: u8 = 0xfe;

pub(super) fn strip(file: &[u8]) -> Option<Vec<u8>> {
    let mut rest = file.strip_prefix(&[0xff, START])?;
    let mut stripped = vec![0xff, START];
    loop {
        let (marker, after) = marker(rest)?;
        match marker {
            // What stands behind the end is another picture, or no picture.
            END => break,
            // Restarts and the like stand alone.
            0x01 | 0xd0..=0xd7 => {
                stripped.extend([0xff, marker]);
                rest = after;
            }
            _ => {
                let (length, _) = after.split_first_chunk::<2>()?;
                let length = usize::from(u16::from_be_bytes(*length));
                let (segment, after) = after.split_at_checked(length)?;
                let content = segment.get(2..)?;
                if is_kept(marker, content) {
                    stripped.extend([0xff, marker]);
                    stripped.extend_from_slice(segment);
                } else if let Some(head) = without_preview(marker, content) {
                    stripped.extend([0xff, marker, 0, 16]);
                    stripped.extend_from_slice(&head);
                }
                rest = after;
                if marker == SCAN {
                    let (coded, after) = rest.split_at(end_of_scan(rest));
                    stripped.extend_from_slice(coded);
                    rest = after;
                    // A file that breaks off in its last lines is shown as far as it goes.
                    if rest.is_empty() {
                        break;
                    }
                }
            }
        }
    }
    stripped.extend([0xff, END]);
    Some(stripped)
}

/// The next marker. As many 0xff as one likes may stand before it.
fn marker(rest: &[u8]) -> Option<(u8, &[u8])> {
    let rest = rest.strip_prefix(&[0xff])?;
    let at = rest.iter().position(|byte| *byte != 0xff)?;
    Some((rest[at], &rest[at + 1..]))
}

/// Of the segments that are an application's own, the picture needs its colour profile and what Adobe says of its
/// colours.
fn is_kept(marker: u8, content: &[u8]) -> bool {
    match marker {
        0xe2 => content.starts_with(b"ICC_PROFILE\0"),
        0xee => content.starts_with(b"Adobe"),
        0xe0..=0xef | COMMENT => false,
        _ => true,
    }
}

/// JFIF's head, which says how dense the pixels are, without the preview that it may have.
fn without_preview(marker: u8, content: &[u8]) -> Option<[u8; 14]> {
    let mut head = *content.first_chunk::<14>()?;
    if marker != 0xe0 || !head.starts_with(b"JFIF\0") {
        return None;
    }
    head[12..].fill(0);
    Some(head)
}

/// Where what is coded ends: at the next marker that is no restart.
fn end_of_scan(coded: &[u8]) -> usize {
    let is_marker = |pair: &[u8]| pair[0] == 0xff && !matches!(pair[1], 0x00 | 0xd0..=0xd7 | 0xff);
    coded.windows(2).position(is_marker).unwrap_or(coded.len())
}
