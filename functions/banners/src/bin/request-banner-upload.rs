//! `POST /banners/upload-url`: records a banner that waits for its picture and gives an admin the URL to upload it to.
//!
//! Repeated, it records another banner; one that never gets its picture is never shown, and forgotten after two hours.

use banners::{Announcing, UploadRequested};
use shared::http::problem::Problem;
use shared::http::{self, Answer, Input, Now, State};
use shared::media::NewPicture;
use users::{Admins, CurrentAdmin};

#[tokio::main(flavor = "current_thread")]
async fn main() -> shared::Exit {
    http::serve(http::post("/banners/upload-url", request_banner_upload)).await
}

async fn request_banner_upload(
    State((_, announcing)): State<(Admins, Announcing)>,
    CurrentAdmin(admin): CurrentAdmin,
    Now(now): Now,
    Input(picture): Input<NewPicture>,
) -> Result<Answer<UploadRequested>, Problem> {
    let requested = announcing.announce(&admin, &picture, now).await?;
    let location = format!("/banners/{}", requested.id);
    Ok(Answer::created(requested).at(location))
}
