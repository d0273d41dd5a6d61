//! `POST /products/{id}/pictures`: gives its seller or an admin the URL to upload one more picture to, up to eight.
//!
//! Repeated, it announces another picture; one that never comes makes room after an hour.

use products::{PictureAdded, ProductId, Selling};
use shared::http::problem::Problem;
use shared::http::{self, Answer, IfMatch, Input, Now, PathId, State};
use shared::media::NewPicture;
use users::{Admins, CurrentCaller};

#[tokio::main(flavor = "current_thread")]
async fn main() -> shared::Exit {
    http::serve(http::post("/products/{id}/pictures", add_product_picture).conditional()).await
}

async fn add_product_picture(
    State((_, selling)): State<(Admins, Selling)>,
    CurrentCaller(caller): CurrentCaller,
    PathId(id): PathId<ProductId>,
    if_match: IfMatch,
    Now(now): Now,
    Input(picture): Input<NewPicture>,
) -> Result<Answer<PictureAdded>, Problem> {
    Ok(Answer::created(selling.add_picture(&caller, id, &if_match, &picture, now).await?))
}
