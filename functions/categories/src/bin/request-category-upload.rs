//! `POST /categories/upload-url`: records a category, unless it has a picture, and gives an admin its upload URL.
//!
//! Repeated, it gives another URL. The old picture stays until the new one was checked; the newest upload wins. A
//! category that never gets its picture is cleaned up after an hour.

use categories::{Categories, CategoryPicture, NewCategory, PICTURES, UploadRequested};
use shared::guards::rate_limit::PersonLimit;
use shared::http::problem::Problem;
use shared::http::{self, Answer, Input, Now, State};
use shared::media::{Upload, Uploads};
use users::{Admins, CurrentAdmin};

#[tokio::main(flavor = "current_thread")]
async fn main() -> shared::Exit {
    http::serve(http::post("/categories/upload-url", request_category_upload)).await
}

async fn request_category_upload(
    State((_, limit, categories, uploads)): State<(Admins, PersonLimit, Categories, Uploads)>,
    CurrentAdmin(admin): CurrentAdmin,
    Now(now): Now,
    Input(CategoryPicture { picture, category_name }): Input<CategoryPicture>,
) -> Result<Answer<UploadRequested>, Problem> {
    limit.count("request-category-upload", admin.id(), now).await?;
    let upload = Upload::new(PICTURES, category_name.key(), &picture.file_name, now);
    let upload_url = uploads.presign(&upload, picture.file_type, picture.file_size).await?;
    categories.create(&NewCategory::new(category_name, now)).await?;
    Ok(Answer::created(UploadRequested { upload_url }))
}
