//! Pictures: nothing is published but bytes that were looked at, and what is published stays.

use aws_sdk_s3::Client as S3;
use products::ProductId;
use products::pictures::PICTURES;
use shared::media::{Checked, FileName, ImageType, MAX_BYTES, Media, Picture, Upload};
use shared::run::aws::{Aws, FromEnv};
use tests::shop::{BLUE_PNG, RED_PNG};

use super::{now, open};

/// The bucket of these tests, and another way to it.
#[derive(Clone)]
struct Bucket {
    media: Media,
    s3: S3,
    name: String,
    base_url: String,
}

impl FromEnv for Bucket {
    fn from_env(aws: &Aws) -> Result<Self, shared::run::config::ConfigError> {
        Ok(Self {
            media: Media::from_env(aws)?,
            s3: S3::new(aws.sdk()),
            name: shared::run::config::required("MEDIA_BUCKET")?,
            base_url: shared::run::config::required("MEDIA_BASE_URL")?,
        })
    }
}

impl Bucket {
    async fn open() -> Self {
        let bucket: Self = open().await;
        // Whichever test is the first makes it.
        let _ = bucket.s3.create_bucket().bucket(&bucket.name).send().await;
        bucket
    }

    /// Uploads a file as a client does, and gives the upload.
    async fn uploaded(&self, file: &[u8]) -> Upload {
        let name = FileName::new("tea.png").expect("a name");
        let upload = Upload::new(PICTURES, ProductId::at(now()), &name, now());
        self.put(&upload, file).await;
        upload
    }

    async fn put(&self, upload: &Upload, file: &[u8]) {
        let url = self.media.presign(upload, ImageType::Png, None).await.expect("an upload URL");
        let http = reqwest::Client::builder().no_proxy().build().expect("an HTTP client");
        let put = http.put(url).header("content-type", "image/png").body(file.to_vec());
        let answer = put.send().await.expect("the upload URL answers");
        assert!(answer.status().is_success(), "{}", answer.status());
    }

    async fn checked(&self, upload: &Upload) -> Checked {
        self.media.check(upload).await.expect("the bucket answers")
    }

    async fn picture(&self, upload: &Upload) -> Picture {
        match self.checked(upload).await {
            Checked::Picture(picture) => picture,
            other => panic!("no picture: {other:?}"),
        }
    }

    async fn published(&self, picture: &Picture) -> Option<String> {
        self.media.publish(picture).await.expect("the bucket answers")
    }

    /// Content type, caching and bytes of what is at a URL.
    async fn at(&self, url: &str) -> (String, String, Vec<u8>) {
        let key = url.strip_prefix(&format!("{}/", self.base_url)).expect("a URL of ours");
        let found = self.s3.get_object().bucket(&self.name).key(key).send().await.expect("an object");
        let (content_type, caching) = (found.content_type().map(str::to_owned), found.cache_control());
        let caching = caching.unwrap_or_default().to_owned();
        let bytes = found.body.collect().await.expect("its bytes").to_vec();
        (content_type.unwrap_or_default(), caching, bytes)
    }
}

const IMMUTABLE: &str = "public, max-age=31536000, immutable";

#[tokio::test]
async fn a_picture_is_published_once_and_for_all() {
    let bucket = Bucket::open().await;
    let upload = bucket.uploaded(RED_PNG).await;
    let picture = bucket.picture(&upload).await;
    let url = bucket.published(&picture).await.unwrap();
    assert_eq!(bucket.at(&url).await, ("image/png".into(), IMMUTABLE.into(), RED_PNG.to_vec()));
    assert_eq!(bucket.published(&picture).await, Some(url.clone()));
    assert_eq!(bucket.published(&bucket.picture(&upload).await).await, Some(url.clone()));

    bucket.media.discard(&upload).await.unwrap();
    bucket.media.discard(&upload).await.unwrap();
    assert_eq!(bucket.checked(&upload).await, Checked::Gone);
    assert_eq!(bucket.published(&picture).await, None);
    assert_eq!(bucket.at(&url).await.2, RED_PNG);
}

#[tokio::test]
async fn a_picture_is_served_as_what_its_bytes_are() {
    let bucket = Bucket::open().await;
    let gif = b"GIF89a\x01\0\x01\0\0\0\0;";
    let upload = bucket.uploaded(gif).await;
    let url = bucket.published(&bucket.picture(&upload).await).await.unwrap();
    assert_eq!(bucket.at(&url).await, ("image/gif".into(), IMMUTABLE.into(), gif.to_vec()));
}

#[tokio::test]
async fn what_is_no_picture_is_refused() {
    let bucket = Bucket::open().await;
    for file in [&b"<html><script>alert(1)</script></html>"[..], b"<svg xmlns='http://www.w3.org/2000/svg'/>"]
    {
        let upload = bucket.uploaded(file).await;
        let refused = Checked::Refused("The file is not a PNG, JPEG, WebP, GIF or AVIF image.");
        assert_eq!(bucket.checked(&upload).await, refused);
    }
}

#[tokio::test]
async fn an_empty_file_is_refused() {
    let bucket = Bucket::open().await;
    let upload = bucket.uploaded(b"").await;
    assert!(matches!(bucket.checked(&upload).await, Checked::Refused(_)));
}

#[tokio::test]
async fn five_megabytes_are_taken_and_a_byte_more_is_refused() {
    let bucket = Bucket::open().await;
    let mut file = RED_PNG.to_vec();
    file.resize(usize::try_from(MAX_BYTES).unwrap(), 0);
    let upload = bucket.uploaded(&file).await;
    assert!(matches!(bucket.checked(&upload).await, Checked::Picture(_)));
    file.push(0);
    let upload = bucket.uploaded(&file).await;
    assert_eq!(bucket.checked(&upload).await, Checked::Refused("The file is larger than 5 MB."));
}

#[tokio::test]
async fn an_upload_that_never_came_is_gone() {
    let bucket = Bucket::open().await;
    let name = FileName::new("tea.png").unwrap();
    let upload = Upload::new(PICTURES, ProductId::at(now()), &name, now());
    assert_eq!(bucket.checked(&upload).await, Checked::Gone);
}

#[tokio::test]
async fn bytes_that_were_not_looked_at_are_not_published() {
    let bucket = Bucket::open().await;
    let upload = bucket.uploaded(RED_PNG).await;
    let red = bucket.picture(&upload).await;
    bucket.put(&upload, b"<html>").await;
    assert_eq!(bucket.published(&red).await, None);
    bucket.put(&upload, BLUE_PNG).await;
    assert_eq!(bucket.published(&red).await, None);
    let blue = bucket.published(&bucket.picture(&upload).await).await.unwrap();
    assert_eq!(bucket.at(&blue).await.2, BLUE_PNG);
    bucket.put(&upload, RED_PNG).await;
    let url = bucket.published(&red).await.unwrap();
    assert_ne!(url, blue);
    assert_eq!(bucket.at(&url).await.2, RED_PNG);
}
