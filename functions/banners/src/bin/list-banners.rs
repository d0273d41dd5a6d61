//! `GET /banners`: lists the banners that have their picture, newest first; changes nothing.

use banners::{BannerList, Banners};
use shared::dynamo::list::{Cursors, PageRequest};
use shared::http::problem::Problem;
use shared::http::{self, Answer, State};

#[tokio::main(flavor = "current_thread")]
async fn main() -> shared::Exit {
    http::serve(http::get("/banners", list_banners)).await
}

async fn list_banners(
    State((banners, cursors)): State<(Banners, Cursors)>,
    page: PageRequest,
) -> Result<Answer<BannerList>, Problem> {
    Ok(Answer::page(banners.list(&cursors, &page).await?).cacheable())
}
