//! What an order of one line writes, by how long its product's description is: an order is not to pay for what it does
//! not touch.

use anyhow::Result;
use serde::Serialize;

use super::contest::{self, Programs};
use super::events;
use super::scene::{self, Scene};

/// The shortest that anybody would write, and the longest that a product may have, in characters of one byte.
const DESCRIPTIONS: [u32; 2] = [10, 5_000];

/// An order of one line.
#[derive(Clone, Copy, Debug, Serialize)]
pub(super) struct Line {
    /// How many characters the product's description has.
    pub description: u32,
    /// What create-order writes, in write units.
    pub order: f64,
    /// Of that, what it writes to the tables of what is sold.
    pub line: f64,
}

/// Places an order of one line for each description. The products stand on every list, so this comes last.
///
/// # Errors
/// The emulator or create-order fails.
pub(super) async fn measure(scene: &Scene, programs: &Programs) -> Result<Vec<Line>> {
    /// Above those of all other products.
    const FIRST: u32 = 900_000;
    let sold = [scene.variable("OFFERS_TABLE")?, scene.variable("PRODUCTS_TABLE")?];
    let mut lines = Vec::new();
    for description in DESCRIPTIONS {
        let number = FIRST + description;
        let text = "x".repeat(usize::try_from(description)?);
        scene.put("PRODUCTS_TABLE", vec![scene::product(number, &text)]).await?;
        scene.put("OFFERS_TABLE", vec![scene::offer(number)]).await?;
        let event = events::create_order(&scene.buyer, &scene::id(number), &number.to_string());
        let asked = contest::once(scene, programs, contest::CREATE_ORDER, event).await?;
        let line = sold.iter().filter_map(|table| asked.written.get(*table)).sum();
        lines.push(Line { description, order: asked.units.write, line });
    }
    Ok(lines)
}
