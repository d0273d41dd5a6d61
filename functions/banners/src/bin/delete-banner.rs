//! `DELETE /banners/{id}`: an admin takes a banner and its picture out of the shop.
//!
//! Safe to repeat: then there is no such banner, and what was left of its picture goes.

use banners::{BannerId, Banners, PICTURES};
use shared::http::problem::Problem;
use shared::http::{self, NoContent, PathId, State};
use shared::media::Media;
use users::{Admins, CurrentAdmin};

#[tokio::main(flavor = "current_thread")]
async fn main() -> shared::Exit {
    http::serve(http::delete("/banners/{id}", delete_banner)).await
}

async fn delete_banner(
    State((_, banners, media)): State<(Admins, Banners, Media)>,
    _: CurrentAdmin,
    PathId(id): PathId<BannerId>,
) -> Result<NoContent, Problem> {
    let deleted = banners.delete(id).await?;
    media.withdraw(PICTURES, id).await?;
    if deleted { Ok(NoContent) } else { Err(Problem::not_found("banner")) }
}
