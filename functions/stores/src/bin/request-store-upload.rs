//! `POST /stores/{id}/upload-url`: gives its owner or an admin the URL to upload a store's logo or banner to.
//!
//! Repeated, it gives another URL. The old picture stays until the new one was checked; the newest upload wins.

use shared::http::problem::Problem;
use shared::http::{self, Answer, Input, Now, PathId, State};
use stores::{NewStorePicture, Picturing, StoreId, UploadRequested};
use users::{Admins, CurrentCaller};

#[tokio::main(flavor = "current_thread")]
async fn main() -> shared::Exit {
    http::serve(http::post("/stores/{id}/upload-url", request_store_upload)).await
}

async fn request_store_upload(
    State((_, picturing)): State<(Admins, Picturing)>,
    CurrentCaller(caller): CurrentCaller,
    PathId(id): PathId<StoreId>,
    Now(now): Now,
    Input(picture): Input<NewStorePicture>,
) -> Result<Answer<UploadRequested>, Problem> {
    Ok(Answer::created(picturing.announce(&caller, id, &picture, now).await?))
}
