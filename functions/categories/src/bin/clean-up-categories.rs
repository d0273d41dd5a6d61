//! Every two minutes: deletes categories left without a picture for an hour and notifies the admins.
//!
//! Safe to repeat: what is gone, got its picture or was asked for again meanwhile is left alone.

use std::time::Duration;

use categories::Categories;
use shared::notice::{Notices, Noun};
use shared::run::{telemetry, worker};
use shared::values::time::Timestamp;

const PATIENCE: Duration = Duration::from_hours(1);
/// As many as one run deletes well within its timeout; the next run takes the rest.
const BATCH: i32 = 200;
const NOUN: Noun = Noun { one: "category", many: "categories" };

#[tokio::main(flavor = "current_thread")]
async fn main() -> shared::Exit {
    worker::on_schedule(clean_up_categories).await
}

async fn clean_up_categories(
    (categories, notices): (Categories, Notices),
    now: Timestamp,
) -> anyhow::Result<()> {
    let cutoff = now - PATIENCE;
    let mut deleted = Vec::new();
    for name in categories.without_picture_since(cutoff, BATCH).await? {
        if categories.delete_without_picture(&name, cutoff).await? {
            tracing::info!(category = %name, "deleted a category without a picture");
            deleted.push(name.to_string());
        }
    }
    if deleted.is_empty() {
        return Ok(());
    }
    telemetry::count("CategoriesCleanedUp", u32::try_from(deleted.len()).unwrap_or(u32::MAX));
    notices.cleaned_up(NOUN, &deleted).await
}
