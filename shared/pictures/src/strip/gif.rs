//! GIF (GIF89a): a screen with colours, then blocks: extensions and pictures, whose data are in parts of up to 255
//! bytes.

use super::Stripped;

const EXTENSION: u8 = 0x21;
const PICTURE: u8 = 0x2c;
const END: u8 = 0x3b;

/// The extension that says how long a picture of an animation is shown.
const CONTROL: u8 = 0xf9;

/// The extension that is an application's own.
const APPLICATION: u8 = 0xff;

/// Applications that say how often an animation is played, and what its colours are.
const KEPT: [&[u8]; 3] = [b"NETSCAPE2.0", b"ANIMEXTS1.0", b"ICCRGBG1012"];

pub(super) fn strip(file: &[u8]) -> Option<Stripped> {
    let screen = 13 + colours(*file.get(10)?);
    let mut at = screen;
    let mut bytes = file.get(..screen)?.to_vec();
    let mut pictures = 0;
    // A file may lack its end.
    while let Some(kind) = file.get(at) {
        let (end, is_kept) = match *kind {
            END => break,
            PICTURE => {
                pictures += 1;
                // Its place and its colours, then how wide its codes are.
                let data = at + 10 + colours(*file.get(at + 9)?) + 1;
                (end_of_parts(file, data)?, true)
            }
            EXTENSION => {
                let end = end_of_parts(file, at + 2)?;
                let is_kept = match *file.get(at + 1)? {
                    CONTROL => true,
                    APPLICATION => KEPT.iter().any(|name| file[at + 3..end].starts_with(name)),
                    _ => false,
                };
                (end, is_kept)
            }
            _ => return None,
        };
        if is_kept {
            bytes.extend_from_slice(&file[at..end]);
        }
        at = end;
    }
    bytes.push(END);
    Some(Stripped { bytes, is_animated: pictures > 1 })
}

/// How many bytes of colours follow a block with these flags.
fn colours(flags: u8) -> usize {
    if flags & 0b1000_0000 == 0 { 0 } else { 3 << ((flags & 0b111) + 1) }
}

/// Where the parts that begin at `at` end; the last of them is empty.
fn end_of_parts(file: &[u8], mut at: usize) -> Option<usize> {
    loop {
        let length = usize::from(*file.get(at)?);
        at += length + 1;
        if length == 0 {
            return Some(at);
        }
    }
}
