//! AVIF without a decoder, which would be larger than everything else in the functions: its boxes (ISO/IEC 14496-12)
//! are looked at, and the sizes that they say (ISO/IEC 23008-12, section 6.5.3).

use std::ops::Range;

use crate::decode::{DAMAGED, check_size};

/// One box: where its kind stands in the file, and its content.
struct Part {
    kind: Range<usize>,
    content: Range<usize>,
}

impl Part {
    fn is(&self, file: &[u8], kinds: &[&[u8; 4]]) -> bool {
        kinds.iter().any(|kind| file[self.kind.clone()] == kind[..])
    }
}

/// The boxes that follow each other there; `None` where they do not fill it.
fn parts(file: &[u8], within: Range<usize>) -> Option<Vec<Part>> {
    let mut parts = Vec::new();
    let Range { start: mut at, end } = within;
    while at < end {
        let mut reader = Reader { file, at };
        let length = reader.number(4)?;
        let kind = reader.skip(4)?;
        let length = match length {
            // The last one may leave open how long it is.
            0 => end - at,
            1 => reader.number(8)?,
            length => length,
        };
        let content = reader.at..at.checked_add(length)?;
        if content.end > end || content.start > content.end {
            return None;
        }
        at = content.end;
        parts.push(Part { kind, content });
    }
    Some(parts)
}

/// The content of the first box of this kind.
fn part(file: &[u8], parts: &[Part], kind: &[u8; 4]) -> Option<Range<usize>> {
    parts.iter().find(|part| part.is(file, &[kind])).map(|part| part.content.clone())
}

/// Reads numbers, one behind the other.
struct Reader<'f> {
    file: &'f [u8],
    at: usize,
}

impl Reader<'_> {
    fn skip(&mut self, bytes: usize) -> Option<Range<usize>> {
        let range = self.at..self.at.checked_add(bytes)?;
        self.file.get(range.clone())?;
        self.at = range.end;
        Some(range)
    }

    fn number(&mut self, bytes: usize) -> Option<usize> {
        let range = self.skip(bytes)?;
        self.file[range].iter().try_fold(0_usize, |number, byte| {
            number.checked_mul(256)?.checked_add(usize::from(*byte))
        })
    }
}

/// The boxes in `meta`, which has a version and flags before them.
fn in_meta(file: &[u8], outer: &[Part]) -> Option<Vec<Part>> {
    let Range { start, end } = part(file, outer, b"meta")?;
    parts(file, start.checked_add(4).filter(|start| *start <= end)?..end)
}

/// Whether a file of this format has what a picture needs, and how large that is.
///
/// # Errors
/// A sentence that tells its owner why it is none.
pub(crate) fn check(file: &[u8]) -> Result<(), &'static str> {
    for (width, height) in sizes(file).ok_or(DAMAGED)? {
        check_size(width, height)?;
    }
    Ok(())
}

/// The sizes of the pictures in a file: there is one at least.
fn sizes(file: &[u8]) -> Option<Vec<(u32, u32)>> {
    let outer = parts(file, 0..file.len())?;
    let meta = in_meta(file, &outer)?;
    part(file, &meta, b"pitm")?;
    part(file, &meta, b"iloc")?;
    part(file, &outer, b"mdat").or(part(file, &meta, b"idat"))?;
    let properties = parts(file, part(file, &meta, b"iprp")?)?;
    let properties = parts(file, part(file, &properties, b"ipco")?)?;
    let size_of = |property: &Part| {
        let mut reader = Reader { file, at: property.content.start + 4 };
        let (width, height) = (reader.number(4)?, reader.number(4)?);
        Some((u32::try_from(width).ok()?, u32::try_from(height).ok()?))
    };
    let sizes = properties.iter().filter(|property| property.is(file, &[b"ispe"])).map(size_of);
    sizes.collect::<Option<Vec<_>>>().filter(|sizes| !sizes.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode::TOO_LARGE;

    fn boxed(kind: &[u8; 4], content: &[u8]) -> Vec<u8> {
        let length = u32::try_from(content.len() + 8).unwrap();
        [&length.to_be_bytes()[..], kind, content].concat()
    }

    /// The boxes of a picture that says it has these sides.
    fn avif(width: u32, height: u32) -> Vec<u8> {
        let size = [[0; 4], width.to_be_bytes(), height.to_be_bytes()].concat();
        let properties = boxed(b"iprp", &boxed(b"ipco", &boxed(b"ispe", &size)));
        let meta = [&[0; 4][..], &boxed(b"pitm", &[0; 6]), &boxed(b"iloc", &[0; 8]), &properties].concat();
        [boxed(b"ftyp", b"avif\0\0\0\0avifmif1"), boxed(b"meta", &meta), boxed(b"mdat", b"picture")].concat()
    }

    #[test]
    fn a_file_whose_boxes_are_there_is_taken() {
        assert_eq!(check(&avif(12_000, 4_000)), Ok(()));
    }

    #[test]
    fn what_is_too_large_is_not() {
        assert_eq!(check(&avif(65_000, 65_000)), Err(TOO_LARGE));
        assert_eq!(check(&avif(1, 12_001)), Err(TOO_LARGE));
    }

    #[test]
    fn boxes_that_do_not_fill_the_file_are_damaged() {
        let whole = avif(40, 30);
        for end in 1..whole.len() {
            assert_eq!(check(&whole[..end]), Err(DAMAGED), "{end}");
        }
        assert_eq!(check(&[&whole[..], b"<html>"].concat()), Err(DAMAGED));
        assert_eq!(check(b"\0\0\0\x1cftypavif\0\0\0\0avifmif1miaf"), Err(DAMAGED));
    }
}
