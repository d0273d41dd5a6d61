//! WebP (RFC 9649): a RIFF file of chunks: type, length, data, and a byte more where the length is odd.

use super::Stripped;

/// What the picture needs, its colours, its animation. Not `EXIF`, `XMP ` and what nobody knows.
const KEPT: [&[u8; 4]; 7] = [b"VP8 ", b"VP8L", b"VP8X", b"ALPH", b"ICCP", b"ANIM", b"ANMF"];

/// The bits of `VP8X` that say that EXIF and XMP follow.
const SAYS_OF_METADATA: u8 = 0b0000_1100;

pub(super) fn strip(file: &[u8]) -> Option<Stripped> {
    let (head, content) = file.split_first_chunk::<12>()?;
    let length = u32::from_le_bytes(*head[4..].first_chunk()?);
    // The length counts from behind itself, so `WEBP` is in it; what stands behind is no picture.
    let mut rest = content.get(..usize::try_from(length).ok()?.checked_sub(4)?)?;
    let mut chunks = Vec::new();
    let mut is_animated = false;
    while !rest.is_empty() {
        let (head, data) = rest.split_first_chunk::<8>()?;
        let [kind @ .., a, b, c, d] = *head;
        let length = usize::try_from(u32::from_le_bytes([a, b, c, d])).ok()?;
        let padded = length.checked_add(length % 2)?;
        // The last byte of padding is often forgotten.
        let (data, after) = data.split_at_checked(padded).or(data.split_at_checked(length))?;
        if KEPT.contains(&&kind) {
            chunks.extend_from_slice(head);
            let start = chunks.len();
            chunks.extend_from_slice(data);
            if kind == *b"VP8X" {
                *chunks.get_mut(start)? &= !SAYS_OF_METADATA;
            }
            if chunks.len() % 2 == 1 {
                chunks.push(0);
            }
        }
        is_animated |= kind == *b"ANIM";
        rest = after;
    }
    let length = u32::try_from(chunks.len() + 4).ok()?;
    Some(Stripped { bytes: [&b"RIFF"[..], &length.to_le_bytes(), b"WEBP", &chunks].concat(), is_animated })
}
