//! `GET /banners/{id}`: shows an admin one banner, with its picture or what became of that; changes nothing.

use banners::{AnnouncedBanner, BannerId, Banners};
use shared::caller::Admin;
use shared::http::problem::Problem;
use shared::http::{self, Answer, PathId, State};

#[tokio::main(flavor = "current_thread")]
async fn main() -> shared::Exit {
    http::serve(http::get("/banners/{id}", get_banner)).await
}

async fn get_banner(
    State(banners): State<Banners>,
    _: Admin,
    PathId(id): PathId<BannerId>,
) -> Result<Answer<AnnouncedBanner>, Problem> {
    let banner = banners.find(id).await?;
    banner.map(Answer::ok).ok_or_else(|| Problem::not_found("banner"))
}
