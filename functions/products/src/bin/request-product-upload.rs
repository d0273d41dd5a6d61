//! `POST /products/{id}/upload-url`: gives its seller or an admin the URL to upload another picture to.
//!
//! Repeated, it gives another URL. The old picture stays until the new one was checked; the newest upload wins.

use products::pictures::PICTURES;
use products::{ProductId, Products, UploadRequested};
use shared::caller::Caller;
use shared::guards::rate_limit::PersonLimit;
use shared::http::problem::Problem;
use shared::http::{self, Answer, Input, Now, PathId, State};
use shared::media::{Media, NewPicture, Upload};

#[tokio::main(flavor = "current_thread")]
async fn main() -> shared::Exit {
    http::serve(http::post("/products/{id}/upload-url", request_product_upload)).await
}

async fn request_product_upload(
    State((limit, products, media)): State<(PersonLimit, Products, Media)>,
    caller: Caller,
    PathId(id): PathId<ProductId>,
    Now(now): Now,
    Input(picture): Input<NewPicture>,
) -> Result<Answer<UploadRequested>, Problem> {
    limit.count("request-product-upload", caller.id(), now).await?;
    let upload = Upload::new(PICTURES, id, &picture.file_name, now);
    products.request_upload(&caller, id, upload.id(), &picture.file_name).await?;
    let upload_url = media.presign(&upload, picture.file_type, picture.file_size).await?;
    Ok(Answer::created(UploadRequested { upload_url }))
}
