//! AVIF without a decoder, which would be larger than everything else in the functions: its boxes (ISO/IEC 14496-12)
//! are looked at, and the sizes that they say (ISO/IEC 23008-12, section 6.5.3).

use std::collections::BTreeMap;
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
        self.file[range]
            .iter()
            .try_fold(0_usize, |number, byte| number.checked_mul(256)?.checked_add(usize::from(*byte)))
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

/// The file without what was said of its picture; `None` where it is damaged. Nothing in it moves, because pictures are
/// found by where they lie: what goes is called `free` or `skip`, and is overwritten with zeros.
pub(crate) fn strip(file: &[u8]) -> Option<Vec<u8>> {
    let mut stripped = file.to_vec();
    let outer = parts(file, 0..file.len())?;
    blank_but(&mut stripped, &outer, &[b"ftyp", b"meta", b"mdat", b"moov"]);
    // An animation's tracks.
    if let Some(moov) = part(file, &outer, b"moov") {
        let inner = parts(file, moov)?;
        blank_but(&mut stripped, &inner, &[b"mvhd", b"trak", b"mvex"]);
        for track in inner.iter().filter(|part| part.is(file, &[b"trak"])) {
            let of_track = parts(file, track.content.clone())?;
            blank_but(&mut stripped, &of_track, &[b"tkhd", b"tref", b"edts", b"mdia"]);
        }
    }
    let meta = in_meta(file, &outer)?;
    blank_but(&mut stripped, &meta, &IN_META);
    let items = metadata_items(file, &meta)?;
    for kind in items.values() {
        stripped[kind.clone()].copy_from_slice(b"skip");
    }
    for (item, range) in extents(file, &meta)? {
        if items.contains_key(&item) {
            stripped.get_mut(range)?.fill(0);
        }
    }
    Some(stripped)
}

/// What `meta` has of pictures.
const IN_META: [&[u8; 4]; 9] =
    [b"hdlr", b"pitm", b"iinf", b"iloc", b"iprp", b"iref", b"idat", b"grpl", b"dinf"];

/// Blanks the boxes that are of other kinds than these.
fn blank_but(stripped: &mut [u8], parts: &[Part], kept: &[&[u8; 4]]) {
    for part in parts.iter().filter(|part| !part.is(stripped, kept)).collect::<Vec<_>>() {
        stripped[part.kind.clone()].copy_from_slice(b"free");
        stripped[part.content.clone()].fill(0);
    }
}

/// The items that say something of a picture, EXIF and XMP, and where their kind stands (ISO/IEC 14496-12, 8.11.6).
fn metadata_items(file: &[u8], meta: &[Part]) -> Option<BTreeMap<usize, Range<usize>>> {
    let Range { start, end } = part(file, meta, b"iinf")?;
    let mut reader = Reader { file, at: start };
    let version = reader.number(1)?;
    reader.skip(3 + if version == 0 { 2 } else { 4 })?;
    let mut items = BTreeMap::new();
    for entry in parts(file, reader.at..end)? {
        let mut reader = Reader { file, at: entry.content.start };
        let version = reader.number(1)?;
        reader.skip(3)?;
        let item = reader.number(if version == 2 { 2 } else { 4 })?;
        reader.skip(2)?;
        let kind = reader.skip(4)?;
        if [&b"Exif"[..], b"mime", b"uri "].contains(&&file[kind.clone()]) {
            items.insert(item, kind);
        }
    }
    Some(items)
}

/// More pieces than the items of any picture lie in. Without a bound, a few bytes could speak of billions.
const MOST_EXTENTS: usize = 10_000;

/// Where the data of each item lie, piece by piece (ISO/IEC 14496-12, 8.11.3).
fn extents(file: &[u8], meta: &[Part]) -> Option<Vec<(usize, Range<usize>)>> {
    let mut reader = Reader { file, at: part(file, meta, b"iloc")?.start };
    let version = reader.number(1)?;
    reader.skip(3)?;
    let sizes = reader.number(2)?;
    let size = |shift: u32| sizes >> shift & 15;
    let (of_offset, of_length, of_base) = (size(12), size(8), size(4));
    let of_index = if version == 0 { 0 } else { size(0) };
    let mut extents = Vec::new();
    for _ in 0..reader.number(if version < 2 { 2 } else { 4 })? {
        let item = reader.number(if version < 2 { 2 } else { 4 })?;
        let method = if version == 0 { 0 } else { reader.number(2)? & 15 };
        let base = match method {
            0 => 0,
            1 => part(file, meta, b"idat")?.start,
            _ => return None,
        };
        reader.skip(2)?;
        let base = reader.number(of_base)?.checked_add(base)?;
        for _ in 0..reader.number(2)? {
            reader.skip(of_index)?;
            let start = reader.number(of_offset)?.checked_add(base)?;
            let end = match reader.number(of_length)? {
                0 => file.len(),
                length => start.checked_add(length)?,
            };
            extents.push((item, start..end));
            if extents.len() > MOST_EXTENTS {
                return None;
            }
        }
    }
    Some(extents)
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

    /// A picture of which item 1 is the picture and item 2 says something, with the words at the end of the file.
    fn with_words(words: &[u8]) -> Vec<u8> {
        let entry = |item: u8, kind: &[u8; 4]| {
            boxed(b"infe", &[&[2, 0, 0, 0, 0, item, 0, 0][..], kind, b"\0"].concat())
        };
        let items =
            boxed(b"iinf", &[&[0, 0, 0, 0, 0, 2][..], &entry(1, b"av01"), &entry(2, b"Exif")].concat());
        let file = |first: u32| {
            let place = |item: u8, start: u32, length: usize| {
                let length = u32::try_from(length).unwrap();
                [&[0, item, 0, 0, 0, 1][..], &start.to_be_bytes(), &length.to_be_bytes()].concat()
            };
            let places = [place(1, first, 7), place(2, first + 7, words.len())].concat();
            let places = boxed(b"iloc", &[&[0, 0, 0, 0, 0x44, 0, 0, 2][..], &places].concat());
            let size = boxed(b"ispe", &[0, 0, 0, 0, 0, 0, 0, 40, 0, 0, 0, 30]);
            let properties = boxed(b"iprp", &boxed(b"ipco", &size));
            let meta = [&[0; 4][..], &boxed(b"pitm", &[0; 6]), &items, &places, &properties].concat();
            let data = boxed(b"mdat", &[&b"picture"[..], words].concat());
            let head = boxed(b"ftyp", b"avif\0\0\0\0avifmif1");
            [head, boxed(b"uuid", words), boxed(b"meta", &meta), data].concat()
        };
        file(u32::try_from(file(0).len() - 7 - words.len()).unwrap())
    }

    #[test]
    fn what_was_said_of_a_picture_is_overwritten() {
        let words = b"51.5007 N, 0.1246 W";
        let file = with_words(words);
        let stripped = strip(&file).unwrap();
        assert_eq!(stripped.len(), file.len());
        assert_eq!(sizes(&stripped), Some(vec![(40, 30)]));
        let zeros = [0; 19];
        let end = [&b"mdatpicture"[..], &zeros].concat();
        assert!(stripped.ends_with(&end));
        for gone in [&words[..], b"Exif", b"uuid"] {
            assert!(!stripped.windows(gone.len()).any(|window| window == gone), "{gone:?}");
        }
        assert_eq!(strip(&stripped), Some(stripped.clone()));
    }

    proptest::proptest! {
        #[test]
        fn no_file_makes_us_panic(at: proptest::sample::Index, byte: u8) {
            let mut file = with_words(b"words");
            let at = at.index(file.len());
            file[at] = byte;
            let _ = (check(&file), strip(&file));
        }
    }
}
