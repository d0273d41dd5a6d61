//! What indexing a picture takes, which is nothing like the other functions: it decodes megabytes, so its memory is
//! set apart from theirs, and how much of a processor it gets goes by its memory.

use anyhow::{Context, Result, ensure};
use image::codecs::jpeg::JpegEncoder;
use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::{ExtendedColorType, ImageEncoder, Rgb, RgbImage};
use local::say;
use serde::Serialize;

use super::contest::{self, Case, Effort, Kind, Programs, Side};
use super::double::Asked;
use super::figures::Figures;
use super::scene::Scene;

pub(super) const INDEX: Case = Case { name: "index-product-image", function: "index-product-image" };

/// What the shop takes of a file, in bytes.
const MAX_FILE: usize = 5 * 1024 * 1024;

/// As a telephone takes it.
const PHOTO: (u32, u32) = (4_000, 3_000);
/// Of four colours in sixteen bits: the 256 MB that a decoded picture may take, which `tests/declared` holds it to.
const LARGE: (u32, u32) = (8_192, 4_096);

/// Above those of all other products.
const FIRST: u32 = 910_000;

/// What one picture takes.
#[derive(Debug, Serialize)]
pub(super) struct Picture {
    /// Which.
    pub name: &'static str,
    /// How wide and how high it is, in pixels.
    pub sides: (u32, u32),
    /// How many bytes its file has.
    pub file_bytes: usize,
    /// What it asks of AWS.
    pub asked: Asked,
    /// What it takes.
    pub cartwright: Figures,
}

/// Uploads a photograph, and a picture that takes as much as a decoded one may; none if the function is not wanted.
/// Their products stand on every list, so this comes late.
///
/// # Errors
/// The emulator or the function fails.
pub(super) async fn measure(
    scene: &Scene,
    programs: &Programs,
    is_wanted: impl Fn(&str) -> bool,
    effort: Effort,
) -> Result<Vec<Picture>> {
    if !is_wanted(INDEX.function) {
        return Ok(Vec::new());
    }
    // Each takes a good part of a second, and differs little from the one before.
    let effort = Effort { rounds: effort.rounds.min(5), requests: effort.requests.min(3) };
    let made = tokio::task::spawn_blocking(|| {
        anyhow::Ok([("photograph, JPEG", PHOTO, photo()?), ("16 bits, PNG", LARGE, large()?)])
    });
    let made = say::step("Making two pictures", async { made.await.context("they were not made")? }).await?;
    let mut pictures = Vec::new();
    for ((name, sides, file), number) in made.into_iter().zip((FIRST..).step_by(2)) {
        let file_bytes = file.len();
        ensure!(file_bytes <= MAX_FILE, "the {name} has {file_bytes} bytes, more than the shop takes");
        scene.sell(number..=number).await?;
        let event = scene.upload(number, file).await?;
        let (asked, cartwright) = say::step(&format!("Indexing the {name}"), async {
            let mut sides = contest::list(scene, programs, Kind::Write, (INDEX, event), effort).await?;
            let (seen, figures) = sides.remove(&Side::Cartwright).context("the picture was not indexed")?;
            let asked = seen.asked.into_iter().next().unwrap_or_default();
            // A picture that is refused takes next to nothing.
            let puts = asked.calls.get("PutObject").copied().unwrap_or_default();
            ensure!(puts >= 4, "the {name} was published in {puts} sizes");
            Ok((asked, figures))
        })
        .await?;
        pictures.push(Picture { name, sides, file_bytes, asked, cartwright });
    }
    Ok(pictures)
}

/// Slow changes of light with fast grain upon them, the same every time.
fn photo() -> Result<Vec<u8>> {
    let mut grain = 0x2545_f491_u32;
    let (width, height) = PHOTO;
    let picture = RgbImage::from_fn(width, height, |x, y| {
        // Xorshift.
        grain ^= grain << 13;
        grain ^= grain >> 17;
        grain ^= grain << 5;
        let light = |slow: u32, noise: u32| u8::try_from(slow / 20 + 20 + noise % 24).unwrap_or(u8::MAX);
        Rgb([light(x, grain), light(y, grain >> 8), light((x + y) / 2, grain >> 16)])
    });
    let mut file = Vec::new();
    picture.write_with_encoder(JpegEncoder::new_with_quality(&mut file, 90))?;
    Ok(file)
}

/// Something shows through, so that it is kept in four colours to the end. Each row is as the one above, so that it is
/// made and written soon.
fn large() -> Result<Vec<u8>> {
    let (width, height) = LARGE;
    let light = |slow: u32| u16::try_from(slow * 8).unwrap_or(u16::MAX).to_ne_bytes();
    let row: Vec<u8> = (0..width).flat_map(|x| [x, width - x, x / 2, x / 4].map(light)).flatten().collect();
    let mut file = Vec::new();
    PngEncoder::new_with_quality(&mut file, CompressionType::Fast, FilterType::Up).write_image(
        &row.repeat(usize::try_from(height)?),
        width,
        height,
        ExtendedColorType::Rgba16,
    )?;
    Ok(file)
}
