//! Every two minutes: deletes products left without a picture for an hour, notifies the admins, and sweeps pictures.
//!
//! Safe to repeat: what is gone, got its picture or was approved meanwhile is left alone, and so is a picture that is
//! shown or waits.

use products::{Products, pictures};
use shared::media::Media;
use shared::notice::Notices;
use shared::run::worker;
use shared::values::time::Timestamp;

#[tokio::main(flavor = "current_thread")]
async fn main() -> shared::Exit {
    worker::on_schedule(clean_up_products).await
}

async fn clean_up_products(
    (products, media, notices): (Products, Media, Notices),
    now: Timestamp,
) -> anyhow::Result<()> {
    pictures::clean_up(&products, &media, &notices, now).await
}
