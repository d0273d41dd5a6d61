//! `POST /categories/upload-url`: records a category, unless it has a picture, and gives an admin its upload URL.
//!
//! Repeated, it gives another URL. The old picture stays until the new one was checked; the newest upload wins. A
//! category that never gets its picture is cleaned up after an hour.

use categories::{Announcing, CategoryPicture, UploadRequested};
use shared::http::problem::Problem;
use shared::http::{self, Answer, Input, Now, State};
use users::{Admins, CurrentAdmin};

#[tokio::main(flavor = "current_thread")]
async fn main() -> shared::Exit {
    http::serve(http::post("/categories/upload-url", request_category_upload)).await
}

async fn request_category_upload(
    State((_, announcing)): State<(Admins, Announcing)>,
    CurrentAdmin(admin): CurrentAdmin,
    Now(now): Now,
    Input(announced): Input<CategoryPicture>,
) -> Result<Answer<UploadRequested>, Problem> {
    Ok(Answer::created(announcing.announce(&admin, announced, now).await?))
}
