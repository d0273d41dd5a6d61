//! The format of a file, by its first bytes: the patterns of WHATWG's MIME Sniffing Standard, section 6.1, and for
//! AVIF, which it does not have, the brands of AV1 Image File Format, section 6.

use shared::media::ImageType;

/// The format that the first bytes of a file show, whatever its name or declared type say.
pub(crate) fn sniff(file: &[u8]) -> Option<ImageType> {
    match file {
        [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n', ..] => Some(ImageType::Png),
        [0xff, 0xd8, 0xff, ..] => Some(ImageType::Jpeg),
        [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..] => Some(ImageType::Gif),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', b'V', b'P', ..] => Some(ImageType::Webp),
        [a, b, c, d, b'f', b't', b'y', b'p', brands @ ..] => {
            let length = u32::from_be_bytes([*a, *b, *c, *d]);
            let brands = brands.get(..usize::try_from(length).ok()?.checked_sub(8)?)?;
            // After the first brand comes a version, which looks like none of these.
            brands.chunks(4).any(|brand| matches!(brand, b"avif" | b"avis")).then_some(ImageType::Avif)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_are_known_by_their_bytes() {
        for (file, image_type) in [
            (&b"\x89PNG\r\n\x1a\n"[..], ImageType::Png),
            (b"\xff\xd8\xff\xe0", ImageType::Jpeg),
            (b"GIF87a", ImageType::Gif),
            (b"GIF89a", ImageType::Gif),
            (b"RIFF\x24\0\0\0WEBPVP8 ", ImageType::Webp),
            (b"\0\0\0\x1cftypavif\0\0\0\0avifmif1miaf", ImageType::Avif),
            (b"\0\0\0\x1cftypmif1\0\0\0\0mif1miafavif", ImageType::Avif),
        ] {
            assert_eq!(sniff(file), Some(image_type), "{file:?}");
        }
    }

    #[test]
    fn what_is_not_a_picture_is_none() {
        for file in [
            &b"<html><script>"[..],
            b"<svg xmlns=",
            b"%PDF-1.7",
            b"MZ",
            b"",
            b"12345678WEBP<html><script>alert(1)</script>",
            b"RIFF1234WEBP<html>",
            b"GIF: how to say it",
            b"\0\0\0\x1cftypmp42\0\0\0\0mp42isomavc1",
            b"\0\0\0\x04ftypavif",
            b"\xff\xff\xff\xffftypavif",
        ] {
            assert_eq!(sniff(file), None, "{file:?}");
        }
    }
}
