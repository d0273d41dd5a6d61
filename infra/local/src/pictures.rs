//! Small pictures for the seeded products and stores: real PNG files, drawn here, each of its own shape and colours.

use anyhow::{Context, Result};

/// Its edge in pixels.
const SIZE: u32 = 240;

/// What a picture shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    /// A disc.
    Disc,
    /// A disc with a hole.
    Ring,
    /// Slanted stripes.
    Stripes,
    /// A chessboard.
    Checks,
    /// A square on its corner.
    Diamond,
    /// Rows of dots.
    Dots,
    /// A roof.
    Triangle,
}

/// A shape in one colour on another, as a PNG file.
///
/// # Errors
/// The encoder's.
pub(crate) fn png(shape: Shape, ink: [u8; 3], ground: [u8; 3]) -> Result<Vec<u8>> {
    row_of(1, shape, ink, ground)
}

/// The same shape four times in a row: wide, for the top of a page.
///
/// # Errors
/// The encoder's.
pub(crate) fn banner(shape: Shape, ink: [u8; 3], ground: [u8; 3]) -> Result<Vec<u8>> {
    row_of(4, shape, ink, ground)
}

fn row_of(shapes: u32, shape: Shape, ink: [u8; 3], ground: [u8; 3]) -> Result<Vec<u8>> {
    let (width, mut file) = (shapes * SIZE, Vec::new());
    let mut encoder = png::Encoder::new(&mut file, width, SIZE);
    encoder.set_color(png::ColorType::Indexed);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_palette([ground, ink].concat());
    let mut writer = encoder.write_header().context("cannot write a PNG")?;
    let pixels = (0..width * SIZE).map(|at| u8::from(shape.covers(at % SIZE, at / width)));
    writer.write_image_data(&pixels.collect::<Vec<u8>>()).context("cannot write a PNG")?;
    writer.finish().context("cannot write a PNG")?;
    Ok(file)
}

impl Shape {
    fn covers(self, x: u32, y: u32) -> bool {
        let (across, down) = (x.abs_diff(SIZE / 2), y.abs_diff(SIZE / 2));
        let distance = across * across + down * down;
        match self {
            Self::Disc => distance < 80 * 80,
            Self::Ring => (45 * 45..85 * 85).contains(&distance),
            Self::Stripes => (x + y) % 48 < 24,
            Self::Checks => (x / 30 + y / 30).is_multiple_of(2),
            Self::Diamond => across + down < 90,
            Self::Dots => (x % 40).abs_diff(20).pow(2) + (y % 40).abs_diff(20).pow(2) < 12 * 12,
            Self::Triangle => (50..190).contains(&y) && across < (y - 50) / 2,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_shape_is_a_png_of_its_own() {
        let shapes = [
            Shape::Disc,
            Shape::Ring,
            Shape::Stripes,
            Shape::Checks,
            Shape::Diamond,
            Shape::Dots,
            Shape::Triangle,
        ];
        let mut files: Vec<_> =
            shapes.iter().map(|shape| png(*shape, [200, 30, 30], [250; 3]).unwrap()).collect();
        assert!(files.iter().all(|file| file.starts_with(b"\x89PNG\r\n\x1a\n") && file.len() < 20_000));
        files.dedup();
        assert_eq!(files.len(), shapes.len());
    }

    #[test]
    fn a_banner_is_four_times_as_wide_as_it_is_high() {
        let file = banner(Shape::Disc, [200, 30, 30], [250; 3]).unwrap();
        let number = |at: usize| u32::from_be_bytes(file[at..at + 4].try_into().unwrap());
        assert_eq!((number(16), number(20)), (4 * SIZE, SIZE));
        assert!(file.len() < 40_000);
    }
}
