//! Decoding within bounds, which are looked at before anything is decoded: a file of 74 bytes can ask for gigabytes.

use std::io::Cursor;

use image::error::ImageError;
use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, ImageFormat, ImageReader, Limits};

/// The longest side of a picture, in pixels.
const MAX_SIDE: u32 = 12_000;

/// The most pixels of a picture.
const MAX_PIXELS: u64 = 50_000_000;

/// The most bytes that a decoded picture takes, and its decoder beside it: 50 megapixels of four bytes, and then some.
/// The memory of the functions goes by it.
pub const MAX_DECODED: u64 = 256 * 1024 * 1024;

/// Why a file is no picture although it begins as one.
pub(crate) const DAMAGED: &str = "The file is damaged: the picture in it cannot be read.";

/// Why a picture is not shown.
pub(crate) const TOO_LARGE: &str = "The picture is larger than 12,000 pixels a side, or than 50 megapixels.";

/// Whether a picture of these sides may be decoded, here or by those who look at it.
///
/// # Errors
/// The sentence that tells its owner why not.
pub(crate) fn check_size(width: u32, height: u32) -> Result<(), &'static str> {
    let is_small = width.max(height) <= MAX_SIDE && u64::from(width) * u64::from(height) <= MAX_PIXELS;
    if is_small { Ok(()) } else { Err(TOO_LARGE) }
}

/// A picture, and what its file says of how to show it.
#[derive(Debug, PartialEq)]
pub(crate) struct Decoded {
    /// Its pixels as they lie in the file.
    pub picture: DynamicImage,
    /// What has to be done to turn it upright.
    pub orientation: Orientation,
    /// Its ICC profile.
    pub profile: Option<Vec<u8>>,
}

/// The picture in a file of this format, of an animation the first one.
///
/// # Errors
/// A sentence that tells its owner why there is none.
pub(crate) fn decode(file: &[u8], format: ImageFormat) -> Result<Decoded, &'static str> {
    let mut limits = Limits::no_limits();
    limits.max_image_width = Some(MAX_SIDE);
    limits.max_image_height = Some(MAX_SIDE);
    limits.max_alloc = Some(MAX_DECODED);
    let mut reader = ImageReader::with_format(Cursor::new(file), format);
    reader.limits(limits);
    let mut decoder = reader.into_decoder().map_err(|error| reason(&error))?;
    let (width, height) = decoder.dimensions();
    check_size(width, height)?;
    if decoder.total_bytes() > MAX_DECODED {
        return Err(TOO_LARGE);
    }
    // What cannot be read of these is as if it were not said.
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    let profile = decoder.icc_profile().ok().flatten();
    let picture = DynamicImage::from_decoder(decoder).map_err(|error| reason(&error))?;
    Ok(Decoded { picture, orientation, profile })
}

fn reason(error: &ImageError) -> &'static str {
    if matches!(error, ImageError::Limits(_)) { TOO_LARGE } else { DAMAGED }
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::{ColorType, ImageEncoder};

    fn file(format: ImageFormat) -> Vec<u8> {
        let mut file = Cursor::new(Vec::new());
        DynamicImage::new_rgb8(40, 30).write_to(&mut file, format).unwrap();
        file.into_inner()
    }

    const FORMATS: [ImageFormat; 4] =
        [ImageFormat::Png, ImageFormat::Jpeg, ImageFormat::WebP, ImageFormat::Gif];

    #[test]
    fn each_format_is_decoded() {
        for format in FORMATS {
            let picture = decode(&file(format), format).unwrap().picture;
            assert_eq!((picture.width(), picture.height()), (40, 30), "{format:?}");
        }
    }

    #[test]
    fn what_breaks_off_in_its_head_is_damaged() {
        for format in FORMATS {
            assert_eq!(decode(&file(format)[..20], format), Err(DAMAGED), "{format:?}");
        }
    }

    /// A PNG that says it has these sides, and has nothing else.
    fn png_of(width: u32, height: u32) -> Vec<u8> {
        let mut file = file(ImageFormat::Png);
        file[16..20].copy_from_slice(&width.to_be_bytes());
        file[20..24].copy_from_slice(&height.to_be_bytes());
        let crc = crc32(&file[12..29]);
        file[29..33].copy_from_slice(&crc.to_be_bytes());
        file
    }

    fn crc32(bytes: &[u8]) -> u32 {
        !bytes.iter().fold(u32::MAX, |crc, byte| {
            (0..8).fold(crc ^ u32::from(*byte), |crc, _| (crc >> 1) ^ (0xedb8_8320 * (crc & 1)))
        })
    }

    #[test]
    fn what_is_too_large_is_never_decoded() {
        for (width, height) in [(65_000, 65_000), (12_001, 1), (1, 12_001), (7_072, 7_072)] {
            assert_eq!(
                decode(&png_of(width, height), ImageFormat::Png),
                Err(TOO_LARGE),
                "{width} × {height}"
            );
        }
        // These may be read, and then have not enough of what they promise.
        for (width, height) in [(12_000, 1), (1, 12_000), (7_071, 7_071)] {
            assert_eq!(decode(&png_of(width, height), ImageFormat::Png), Err(DAMAGED), "{width} × {height}");
        }
    }

    #[test]
    fn a_picture_of_few_pixels_may_still_need_too_much_memory() {
        let mut file = Vec::new();
        let encoder = image::codecs::png::PngEncoder::new(&mut file);
        encoder.write_image(&[0; 8], 1, 1, ColorType::Rgba16.into()).unwrap();
        file[16..20].copy_from_slice(&7_000_u32.to_be_bytes());
        file[20..24].copy_from_slice(&7_000_u32.to_be_bytes());
        let crc = crc32(&file[12..29]);
        file[29..33].copy_from_slice(&crc.to_be_bytes());
        assert_eq!(decode(&file, ImageFormat::Png), Err(TOO_LARGE));
    }
}
