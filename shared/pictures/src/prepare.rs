//! What is published of a file: its picture without what was said of it, upright, and smaller ones beside it.

use std::io::Cursor;

use image::codecs::jpeg::JpegEncoder;
use image::codecs::webp::WebPEncoder;
use image::error::ImageError;
use image::metadata::Orientation;
use image::{DynamicImage, ImageEncoder, ImageFormat, ImageResult, RgbaImage, imageops};
use shared::media::{ImageType, PictureFile, Prepared, WIDTHS};

use crate::decode::{DAMAGED, Decoded, decode};
use crate::{avif, format, strip};

/// Of 100: no eye sees the difference, and the file is a tenth of the picture.
const JPEG_QUALITY: u8 = 85;

/// The picture that a file holds, as it is published.
///
/// # Errors
/// A sentence that tells its owner why it is none that we show.
pub fn prepare(file: &[u8]) -> Result<Prepared, &'static str> {
    // What makes a decoder panic would be delivered again, and its owner would hear nothing.
    std::panic::catch_unwind(|| prepared(file)).unwrap_or(Err(DAMAGED))
}

fn prepared(file: &[u8]) -> Result<Prepared, &'static str> {
    let image_type = format::sniff(file).ok_or("The file is not a PNG, JPEG, WebP, GIF or AVIF image.")?;
    let format = match image_type {
        ImageType::Avif => {
            avif::check(file)?;
            let bytes = avif::strip(file).ok_or(DAMAGED)?;
            return Ok(Prepared { picture: PictureFile { image_type, bytes }, renditions: None });
        }
        ImageType::Gif => ImageFormat::Gif,
        ImageType::Jpeg => ImageFormat::Jpeg,
        ImageType::Png => ImageFormat::Png,
        ImageType::Webp => ImageFormat::WebP,
    };
    let Decoded { picture, orientation, profile } = decode(file, format)?;
    let stripped = strip::strip(file, image_type).ok_or(DAMAGED)?;
    let mut picture = in_eight_bits(picture);
    // An animation is not encoded anew, so it stays as it lies.
    let original = if stripped.is_animated || orientation == Orientation::NoTransforms {
        PictureFile { image_type, bytes: stripped.bytes }
    } else {
        picture.apply_orientation(orientation);
        encoded(&picture, profile.as_deref())?
    };
    Ok(Prepared { picture: original, renditions: Some(renditions(picture, profile.as_deref())?) })
}

/// The picture in each of the widths that are less than its own, smallest first.
fn renditions(
    mut picture: DynamicImage,
    profile: Option<&[u8]>,
) -> Result<[Option<PictureFile>; 3], &'static str> {
    let mut renditions = [None, None, None];
    for (rendition, width) in renditions.iter_mut().zip(WIDTHS).rev() {
        if picture.width() > width {
            picture = narrowed(picture, width);
            *rendition = Some(encoded(&picture, profile)?);
        }
    }
    Ok(renditions)
}

/// The picture as the encoders take it: grey, in colours, or in colours with what shows through.
fn in_eight_bits(picture: DynamicImage) -> DynamicImage {
    let color = picture.color();
    if !color.has_alpha() {
        return if color.has_color() { picture.into_rgb8().into() } else { picture.into_luma8().into() };
    }
    let picture = picture.into_rgba8();
    let shows_through = picture.pixels().any(|pixel| pixel.0[3] != u8::MAX);
    let picture = DynamicImage::from(picture);
    if shows_through { picture } else { picture.into_rgb8().into() }
}

/// The picture in this width, which is less than its own. Each pixel is the mean of those that it stands for, so that
/// nothing but the two pictures takes memory.
fn narrowed(picture: DynamicImage, width: u32) -> DynamicImage {
    let height = u64::from(picture.height()) * u64::from(width) / u64::from(picture.width());
    let height = u32::try_from(height).unwrap_or(u32::MAX).max(1);
    match picture {
        DynamicImage::ImageRgba8(mut picture) => {
            // What shows through counts less, or its colour, which nobody sees, would frame what stands before it.
            each_colour(&mut picture, |colour, alpha| (colour * alpha + 127) / 255);
            let mut picture = imageops::thumbnail(&picture, width, height);
            each_colour(&mut picture, |colour, alpha| {
                (colour * 255).checked_div(alpha).unwrap_or(0).min(255)
            });
            picture.into()
        }
        picture => picture.thumbnail_exact(width, height),
    }
}

fn each_colour(picture: &mut RgbaImage, new: impl Fn(u32, u32) -> u32) {
    for pixel in picture.pixels_mut() {
        let [colours @ .., alpha] = &mut pixel.0;
        for colour in colours {
            *colour = u8::try_from(new(u32::from(*colour), u32::from(*alpha))).unwrap_or(u8::MAX);
        }
    }
}

/// A picture as a file: a JPEG, or, where something shows through, a WebP, which loses nothing.
fn encoded(picture: &DynamicImage, profile: Option<&[u8]>) -> Result<PictureFile, &'static str> {
    let mut file = Cursor::new(Vec::new());
    let image_type = if picture.color().has_alpha() { ImageType::Webp } else { ImageType::Jpeg };
    let written = match image_type {
        ImageType::Webp => write(WebPEncoder::new_lossless(&mut file), picture, profile),
        _ => write(JpegEncoder::new_with_quality(&mut file, JPEG_QUALITY), picture, profile),
    };
    written.map_err(|_| DAMAGED)?;
    Ok(PictureFile { image_type, bytes: file.into_inner() })
}

fn write(mut encoder: impl ImageEncoder, picture: &DynamicImage, profile: Option<&[u8]>) -> ImageResult<()> {
    // A profile says of which colours it speaks (ICC.1, 7.2.6): that of a CMYK picture is none for what was decoded.
    let space: &[u8] = if picture.color().has_color() { b"RGB " } else { b"GRAY" };
    if let Some(profile) = profile.filter(|profile| profile.get(16..20) == Some(space)) {
        encoder.set_icc_profile(profile.to_vec()).map_err(ImageError::Unsupported)?;
    }
    encoder.write_image(picture.as_bytes(), picture.width(), picture.height(), picture.color().into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::codecs::gif::{GifEncoder, Repeat};
    use image::codecs::png::PngEncoder;
    use image::{AnimationDecoder, Frame, Rgba};
    use proptest::prelude::*;

    const GPS: &[u8] = b"51.5007 N, 0.1246 W";

    /// EXIF that says how to turn a picture, and where it was taken.
    fn exif(orientation: u8) -> Vec<u8> {
        let entry = [0x12, 1, 3, 0, 1, 0, 0, 0, orientation, 0, 0, 0];
        [&b"II*\0\x08\0\0\0\x01\0"[..], &entry, &[0; 4], GPS].concat()
    }

    /// An ICC profile of which only the head says something.
    fn profile(space: &[u8; 4]) -> Vec<u8> {
        let mut profile = vec![7; 200];
        profile[16..20].copy_from_slice(space);
        profile
    }

    fn is_in(what: &[u8], file: &[u8]) -> bool {
        file.windows(what.len()).any(|window| window == what)
    }

    fn file(image_type: ImageType, picture: &DynamicImage, exif: Option<Vec<u8>>) -> Vec<u8> {
        fn write(mut encoder: impl ImageEncoder, picture: &DynamicImage, exif: Option<Vec<u8>>) {
            if let Some(exif) = exif {
                encoder.set_exif_metadata(exif).unwrap();
            }
            encoder.set_icc_profile(profile(b"RGB ")).unwrap();
            let color = picture.color().into();
            encoder.write_image(picture.as_bytes(), picture.width(), picture.height(), color).unwrap();
        }
        let mut file = Vec::new();
        match image_type {
            ImageType::Jpeg => write(JpegEncoder::new(&mut file), picture, exif),
            ImageType::Png => write(PngEncoder::new(&mut file), picture, exif),
            ImageType::Webp => write(WebPEncoder::new_lossless(&mut file), picture, exif),
            ImageType::Gif | ImageType::Avif => unreachable!(),
        }
        file
    }

    const STILL: [(ImageType, ImageFormat); 3] = [
        (ImageType::Jpeg, ImageFormat::Jpeg),
        (ImageType::Png, ImageFormat::Png),
        (ImageType::Webp, ImageFormat::WebP),
    ];

    /// An animation of two pictures, for ever.
    fn animation() -> Vec<u8> {
        let mut file = Vec::new();
        let mut encoder = GifEncoder::new(&mut file);
        encoder.set_repeat(Repeat::Infinite).unwrap();
        for colour in [[255, 0, 0, 255], [0, 0, 255, 255]] {
            encoder.encode_frame(Frame::new(RgbaImage::from_pixel(400, 2, Rgba(colour)))).unwrap();
        }
        drop(encoder);
        file
    }

    #[test]
    fn what_was_said_of_a_picture_is_not_published() {
        let picture = DynamicImage::new_rgb8(40, 30);
        for (image_type, format) in STILL {
            let with_exif = file(image_type, &picture, Some(exif(1)));
            assert!(is_in(GPS, &with_exif), "{image_type:?}");
            let published = prepare(&[&with_exif[..], b"<html>"].concat()).unwrap().picture;
            assert_eq!(published.image_type, image_type);
            assert!(!is_in(GPS, &published.bytes) && !is_in(b"<html>", &published.bytes), "{image_type:?}");
            let decoded = decode(&published.bytes, format).unwrap();
            assert_eq!(decoded.picture, decode(&with_exif, format).unwrap().picture, "{image_type:?}");
            assert_eq!(decoded.profile, Some(profile(b"RGB ")), "{image_type:?}");
        }
    }

    #[test]
    fn comments_and_previews_are_not_published() {
        let jpeg = file(ImageType::Jpeg, &DynamicImage::new_rgb8(40, 30), None);
        let (start, rest) = jpeg.split_at(2);
        let comment = [&[0xff, 0xfe, 0, 21][..], GPS].concat();
        let preview = b"\xff\xe0\0\x0aJFXX\0\x10ab";
        let published = prepare(&[start, &comment, preview, rest].concat()).unwrap();
        assert_eq!(published.picture.bytes, prepare(&jpeg).unwrap().picture.bytes);
        let gif = animation();
        let (end, rest) = gif.split_last().unwrap();
        let comment = [&[0x21, 0xfe, 19][..], GPS, &[0, *end]].concat();
        assert_eq!(prepare(&[rest, &comment].concat()).unwrap().picture.bytes, gif);
    }

    #[test]
    fn a_picture_is_turned_upright() {
        let mut picture = RgbaImage::from_pixel(40, 30, Rgba([0, 0, 255, 255]));
        for x in 0..20 {
            for y in 0..30 {
                picture.put_pixel(x, y, Rgba([255, 0, 0, 255]));
            }
        }
        let picture = DynamicImage::from(DynamicImage::from(picture).into_rgb8());
        for (image_type, _) in STILL {
            let published = prepare(&file(image_type, &picture, Some(exif(6)))).unwrap().picture;
            assert_eq!(published.image_type, ImageType::Jpeg);
            assert!(!is_in(GPS, &published.bytes));
            let decoded = decode(&published.bytes, ImageFormat::Jpeg).unwrap();
            assert_eq!(decoded.orientation, Orientation::NoTransforms);
            assert_eq!(decoded.profile, Some(profile(b"RGB ")));
            let upright = decoded.picture.into_rgb8();
            assert_eq!(upright.dimensions(), (30, 40), "{image_type:?}");
            // Turned by a quarter, what was left is above.
            assert!(upright.get_pixel(15, 5).0[0] > 200 && upright.get_pixel(15, 35).0[2] > 200);
        }
    }

    #[test]
    fn an_animation_stays_one() {
        let file = animation();
        let prepared = prepare(&file).unwrap();
        assert_eq!(prepared.picture, PictureFile { image_type: ImageType::Gif, bytes: file.clone() });
        let frames = image::codecs::gif::GifDecoder::new(Cursor::new(file)).unwrap().into_frames();
        assert_eq!(frames.collect_frames().unwrap().len(), 2);
        let [small, medium, large] = prepared.renditions.unwrap();
        assert_eq!((small.map(|small| small.image_type), medium, large), (Some(ImageType::Jpeg), None, None));
    }

    #[test]
    fn renditions_are_narrower_than_the_picture() {
        let sizes = |width, height| {
            let picture = DynamicImage::new_rgb8(width, height);
            let renditions = prepare(&file(ImageType::Png, &picture, None)).unwrap().renditions.unwrap();
            renditions.map(|rendition| {
                let decoded = decode(&rendition?.bytes, ImageFormat::Jpeg).unwrap();
                assert_eq!(decoded.profile, Some(profile(b"RGB ")));
                Some((decoded.picture.width(), decoded.picture.height()))
            })
        };
        assert_eq!(sizes(2000, 100), [Some((320, 16)), Some((960, 48)), Some((1920, 96))]);
        assert_eq!(sizes(1920, 8), [Some((320, 1)), Some((960, 4)), None]);
        assert_eq!(sizes(321, 1), [Some((320, 1)), None, None]);
        assert_eq!(sizes(320, 900), [None, None, None]);
    }

    #[test]
    fn what_shows_through_still_does_and_frames_nothing() {
        let mut picture = RgbaImage::new(1001, 3);
        for (_, _, pixel) in picture.enumerate_pixels_mut().filter(|(x, _, _)| *x >= 500) {
            *pixel = Rgba([200, 100, 50, 255]);
        }
        let renditions = prepare(&file(ImageType::Png, &picture.into(), None)).unwrap().renditions.unwrap();
        let [Some(small), Some(medium), None] = renditions else { panic!("not two of them") };
        for rendition in [small, medium] {
            assert_eq!(rendition.image_type, ImageType::Webp);
            let decoded = decode(&rendition.bytes, ImageFormat::WebP).unwrap().picture.into_rgba8();
            assert!(decoded.pixels().any(|pixel| pixel.0[3] == 0));
            for pixel in decoded.pixels().filter(|pixel| pixel.0[3] > 16) {
                assert!(pixel.0[0].abs_diff(200) < 16 && pixel.0[2].abs_diff(50) < 16, "{pixel:?}");
            }
        }
    }

    #[test]
    fn a_profile_is_for_the_colours_that_it_speaks_of() {
        let grey = DynamicImage::new_luma8(400, 1);
        let renditions = prepare(&file(ImageType::Jpeg, &grey, None)).unwrap().renditions.unwrap();
        let small = renditions[0].as_ref().unwrap();
        assert_eq!(decode(&small.bytes, ImageFormat::Jpeg).unwrap().profile, None);
    }

    proptest! {
        #[test]
        fn no_file_makes_us_panic(number in 0..4_usize, at in any::<prop::sample::Index>(), byte in any::<u8>(), cut in any::<bool>()) {
            let picture = DynamicImage::new_rgb8(4, 3);
            let (mut bytes, image_type) = match STILL.get(number) {
                Some((image_type, _)) => (file(*image_type, &picture, Some(exif(1))), *image_type),
                None => (animation(), ImageType::Gif),
            };
            let at = at.index(bytes.len());
            bytes[at] = byte;
            bytes.truncate(if cut { at } else { bytes.len() });
            let _ = strip::strip(&bytes, image_type);
        }
    }
}
