//! PNG (W3C, third edition): a signature, then chunks: length, type, data, checksum.

use super::Stripped;

const SIGNATURE: usize = 8;

/// What the picture needs, its colours, its animation. Not `eXIf`, `tEXt`, `zTXt`, `iTXt`, `tIME` and the unknown.
const KEPT: [&[u8; 4]; 15] = [
    b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"cHRM", b"gAMA", b"iCCP", b"sBIT", b"sRGB", b"cICP",
    b"pHYs", b"acTL", b"fcTL", b"fdAT",
];

pub(super) fn strip(file: &[u8]) -> Option<Stripped> {
    let (signature, mut rest) = file.split_at_checked(SIGNATURE)?;
    let mut stripped = Stripped { bytes: signature.to_vec(), is_animated: false };
    loop {
        let (length, _) = rest.split_first_chunk::<4>()?;
        let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
        let (chunk, after) = rest.split_at_checked(length.checked_add(12)?)?;
        let kind = chunk.get(4..8)?.first_chunk::<4>()?;
        if KEPT.contains(&kind) {
            stripped.bytes.extend_from_slice(chunk);
        }
        stripped.is_animated |= kind == b"acTL";
        if kind == b"IEND" {
            return Some(stripped);
        }
        rest = after;
    }
}
