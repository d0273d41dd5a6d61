//! `POST /banners/upload-url`: records a banner that waits for its picture and gives an admin the URL to upload it to.
//!
//! Repeated, it records another banner; one that never gets its picture is never shown, and forgotten after two hours.

use banners::{Banners, NewBanner, PICTURES, UploadRequested};
use shared::guards::rate_limit::PersonLimit;
use shared::http::problem::Problem;
use shared::http::{self, Answer, Input, Now, State};
use shared::media::{NewPicture, Upload, Uploads};
use users::{Admins, CurrentAdmin};

#[tokio::main(flavor = "current_thread")]
async fn main() -> shared::Exit {
    http::serve(http::post("/banners/upload-url", request_banner_upload)).await
}

async fn request_banner_upload(
    State((_, limit, banners, uploads)): State<(Admins, PersonLimit, Banners, Uploads)>,
    CurrentAdmin(admin): CurrentAdmin,
    Now(now): Now,
    Input(picture): Input<NewPicture>,
) -> Result<Answer<UploadRequested>, Problem> {
    limit.count("request-banner-upload", admin.id(), now).await?;
    let banner = NewBanner::new(picture.file_name.clone(), now);
    let upload = Upload::new(PICTURES, banner.id(), &picture.file_name, now);
    let upload_url = uploads.presign(&upload, picture.file_type, picture.file_size).await?;
    banners.create(&banner).await?;
    let location = format!("/banners/{}", banner.id());
    Ok(Answer::created(UploadRequested { upload_url, id: banner.id() }).at(location))
}
