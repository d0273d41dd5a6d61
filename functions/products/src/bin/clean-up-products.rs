//! Every two minutes: deletes products left without a picture for an hour and notifies the admins.
//!
//! Safe to repeat: what is gone, got its picture or was approved meanwhile is left alone.

use std::time::Duration;

use products::Products;
use shared::notice::{Notices, Noun};
use shared::run::{telemetry, worker};
use shared::values::time::Timestamp;

const PATIENCE: Duration = Duration::from_hours(1);
/// As many as one run deletes well within its timeout; the next run takes the rest.
const BATCH: i32 = 200;
const NOUN: Noun = Noun { one: "product", many: "products" };

#[tokio::main(flavor = "current_thread")]
async fn main() -> shared::Exit {
    worker::on_schedule(clean_up_products).await
}

async fn clean_up_products((products, notices): (Products, Notices), now: Timestamp) -> anyhow::Result<()> {
    let mut deleted = Vec::new();
    for product in products.without_picture_since(now - PATIENCE, BATCH).await? {
        if products.delete_without_picture(product.id()).await? {
            tracing::info!(product_id = %product.id(), "deleted a product without a picture");
            deleted.push(format!("{} ({})", product.name(), product.id()));
        }
    }
    if deleted.is_empty() {
        return Ok(());
    }
    telemetry::count("ProductsCleanedUp", u32::try_from(deleted.len()).unwrap_or(u32::MAX));
    notices.cleaned_up(NOUN, &deleted).await
}
