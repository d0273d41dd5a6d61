//! How cost grows with what is stored: the same page of ever longer lists.

use anyhow::Result;
use axum::body::Bytes;
use serde::Serialize;

use super::contest::{self, Case, Effort, Kind, Programs, Side};
use super::double::Asked;
use super::events;
use super::figures::Figures;
use super::scene::{self, Person, Scene};
use local::say;

const PAGE: Case = Case { name: "list-products", function: "list-products" };
const CATEGORY: Case = Case { name: "list-products, one category", function: "list-products" };
const HISTORY: Case = Case { name: "list-orders", function: "list-orders" };

/// One page of a list of some length.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Row {
    /// Which list.
    pub list: &'static str,
    /// How many entries it has.
    pub entries: u32,
    /// What the page asks of AWS.
    pub asked: Asked,
    /// How many bytes the answer has.
    pub answer_bytes: usize,
    /// What it takes.
    pub cartwright: Figures,
    /// What the Node.js baseline takes, where it has the function.
    pub node: Option<Figures>,
}

/// Measures pages of lists up to this length. The hundred products that are there already are the first.
///
/// # Errors
/// The emulator or a function fails.
pub(super) async fn measure(
    scene: &Scene,
    programs: &Programs,
    longest: u32,
    effort: Effort,
) -> Result<Vec<Row>> {
    let effort = Effort { rounds: effort.rounds.min(3), ..effort };
    let mut rows = Vec::new();
    let mut there = 100;
    for entries in [100, 10_000, 100_000].into_iter().filter(|entries| *entries <= longest) {
        if entries > there {
            say::step(&format!("Seeding {entries} products"), scene.sell(there + 1..=entries)).await?;
            there = entries;
        }
        let name = format!("Reading lists among {entries} products");
        let (page, category) = say::step(&name, async {
            let all = (PAGE, events::list_products(None));
            let of_one = (CATEGORY, events::list_products(Some("Category 7")));
            let page = row(scene, programs, all, entries, effort).await?;
            Ok((page, row(scene, programs, of_one, entries / 10, effort).await?))
        })
        .await?;
        rows.extend([page, category]);
    }
    for entries in [10, 10_000].into_iter().filter(|entries| *entries <= longest) {
        let buyer = Person {
            id: format!("5d0c1f6e-8a35-4f4b-9d1c-{entries:012}"),
            username: "regular".into(),
            email: "regular@cartwright.test".into(),
        };
        let first = entries * 10;
        let orders = (first..first + entries).map(|number| scene::order(&buyer, number)).collect();
        say::step(&format!("Seeding {entries} orders of one person"), scene.put("ORDERS_TABLE", orders))
            .await?;
        let event = events::list_orders(&buyer);
        let row = row(scene, programs, (HISTORY, event), entries, effort);
        rows.push(say::step(&format!("Reading a history of {entries} orders"), row).await?);
    }
    rows.sort_by_key(|row| (row.list, row.entries));
    Ok(rows)
}

async fn row(
    scene: &Scene,
    programs: &Programs,
    (case, event): (Case, Bytes),
    entries: u32,
    effort: Effort,
) -> Result<Row> {
    let mut sides = contest::list(scene, programs, Kind::Read, (case, event), effort).await?;
    let node = sides.remove(&Side::Node).map(|(_, figures)| figures);
    let (seen, cartwright) = sides.remove(&Side::Cartwright).unwrap_or_default();
    let asked = seen.asked.into_iter().next().unwrap_or_default();
    Ok(Row { list: case.name, entries, asked, answer_bytes: seen.answer, cartwright, node })
}
