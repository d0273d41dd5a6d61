//! The pictures of the seeded products and stores: real PNG files, each of what it is of, drawn here.
//!
//! [`canvas`] is what they are drawn with; the other modules have a function for each thing.

pub(crate) mod books;
pub(crate) mod canvas;
pub(crate) mod clothes;
pub(crate) mod home;
pub(crate) mod inks;
pub(crate) mod kitchen;
pub(crate) mod stores;
pub(crate) mod toys;

use anyhow::{Context, Result};

use canvas::{Canvas, Ink};

/// The height of what is square: nearly as wide as the shop shows a product, and it makes one smaller size of it.
const SIZE: u32 = 800;
/// The height of what is wide.
const WIDE: u32 = 400;

/// Something in front of a ground.
#[derive(Clone, Copy)]
pub(crate) struct Picture {
    ground: Ink,
    draw: fn(&mut Canvas),
    width: u32,
    height: u32,
}

/// A square picture, with some room around: in lists, the shop cuts it to four fifths of its width.
pub(crate) const fn on(ground: Ink, draw: fn(&mut Canvas)) -> Picture {
    Picture { ground, draw, width: SIZE, height: SIZE }
}

/// A picture that is four times as wide as it is high, for the top of a store.
pub(crate) const fn wide(ground: Ink, draw: fn(&mut Canvas)) -> Picture {
    Picture { ground, draw, width: 4 * WIDE, height: WIDE }
}

/// A picture that is twice as wide as it is high, for the top of the shop.
pub(crate) const fn large(ground: Ink, draw: fn(&mut Canvas)) -> Picture {
    Picture { ground, draw, width: 4 * WIDE, height: 2 * WIDE }
}

impl Picture {
    /// As a PNG file.
    ///
    /// # Errors
    /// The encoder's.
    pub(crate) fn png(self) -> Result<Vec<u8>> {
        let mut file = Vec::new();
        let mut encoder = png::Encoder::new(&mut file, self.width, self.height);
        encoder.set_color(png::ColorType::Rgb);
        encoder.set_depth(png::BitDepth::Eight);
        let mut writer = encoder.write_header().context("cannot write a PNG")?;
        writer.write_image_data(&self.pixels()?).context("cannot write a PNG")?;
        writer.finish().context("cannot write a PNG")?;
        Ok(file)
    }

    /// Its pixels, three bytes each.
    fn pixels(self) -> Result<Vec<u8>> {
        let mut canvas =
            Canvas::new(self.width, self.height, self.ground).context("a picture without pixels")?;
        let size = if self.width == self.height { 0.92 } else { 1.0 };
        canvas.put((50.0, 50.0), size, self.draw);
        Ok(canvas.into_rgb())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::stores::STORES;
    use crate::catalogue::{BANNER, CATEGORIES, PRODUCTS};

    /// The most bytes of a file.
    const LARGEST: usize = 140_000;

    /// Every picture of a new shop, and what it is of.
    fn all() -> Vec<(&'static str, Picture)> {
        let of_products =
            PRODUCTS.iter().flat_map(|one| one.pictures.iter().map(|picture| (one.file, *picture)));
        let of_stores =
            STORES.iter().flat_map(|store| [(store.file, store.logo), (store.file, store.banner)]);
        of_products.chain(CATEGORIES).chain(of_stores).chain([("the shop", BANNER)]).collect()
    }

    /// The pixels of a picture when it is as small as a phone shows it.
    fn small(picture: Picture) -> Vec<u8> {
        Picture { width: 320, height: 320, ..picture }.pixels().unwrap()
    }

    /// Of a hundred pixels, how many look different.
    fn difference(one: &[u8], other: &[u8]) -> usize {
        let pairs = || one.chunks_exact(3).zip(other.chunks_exact(3)).step_by(7);
        let differs = |(one, other): &(&[u8], &[u8])| {
            one.iter().zip(*other).any(|(one, other)| one.abs_diff(*other) > 24)
        };
        pairs().filter(differs).count() * 100 / pairs().count()
    }

    #[test]
    fn no_two_look_alike() {
        let all: Vec<_> = all().into_iter().map(|(of, picture)| (of, small(picture))).collect();
        for (nth, (of, one)) in all.iter().enumerate() {
            for (other_of, other) in &all[nth + 1..] {
                assert!(difference(one, other) >= 12, "{of}, {other_of}: {}", difference(one, other));
            }
        }
    }

    #[test]
    fn each_is_of_something_that_is_large_and_has_room_around() {
        for (of, picture) in all() {
            let ground = small(Picture { draw: |_| (), ..picture });
            let covered = difference(&small(picture), &ground);
            assert!((10..=60).contains(&covered), "{of}: {covered}");
        }
    }

    #[test]
    fn each_is_a_png_that_is_no_larger_than_it_should_be() {
        for (of, picture) in all() {
            let file = picture.png().unwrap();
            let number = |at: usize| u32::from_be_bytes(file[at..at + 4].try_into().unwrap());
            assert!(file.starts_with(b"\x89PNG\r\n\x1a\n"), "{of}");
            assert_eq!((number(16), number(20)), (picture.width, picture.height), "{of}");
            assert!(file.len() <= LARGEST, "{of}: {} bytes", file.len());
        }
    }
}
