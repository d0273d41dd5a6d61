//! `POST /products/{id}/upload-url`: gives its seller or an admin the URL to put another picture in the place of one.
//!
//! Repeated, it gives another URL. The old picture stays until the new one was checked; the newest upload wins.

use products::{ProductId, Replacement, Selling, UploadRequested};
use shared::http::problem::Problem;
use shared::http::{self, Answer, IfMatch, Input, Now, PathId, State};
use users::{Admins, CurrentCaller};

#[tokio::main(flavor = "current_thread")]
async fn main() -> shared::Exit {
    http::serve(http::post("/products/{id}/upload-url", request_product_upload).conditional()).await
}

async fn request_product_upload(
    State((_, selling)): State<(Admins, Selling)>,
    CurrentCaller(caller): CurrentCaller,
    PathId(id): PathId<ProductId>,
    if_match: IfMatch,
    Now(now): Now,
    Input(picture): Input<Replacement>,
) -> Result<Answer<UploadRequested>, Problem> {
    Ok(Answer::created(selling.replace_picture(&caller, id, &if_match, &picture, now).await?))
}
