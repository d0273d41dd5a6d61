//! Pictures: what is read of an upload, and what is published stays.

use aws_sdk_s3::Client as S3;
use products::ProductId;
use products::pictures::PICTURES;
use shared::media::{
    FileName, ImageType, Kind, MAX_BYTES, Media, PictureFile, Pictured, Prepared, Published, Settled, Upload,
    UploadId, Uploaded, Uploads,
};
use shared::run::aws::{Aws, FromEnv};
use shared::values::time::Timestamp;
use tests::shop::{BLUE_PNG, RED_PNG};

use tests::wait::at_once;

use super::{now, open};

/// The buckets of these tests, and another way to that of the pictures.
#[derive(Clone)]
struct Bucket {
    uploads: Uploads,
    media: Media,
    s3: S3,
    name: String,
    base_url: String,
}

impl FromEnv for Bucket {
    fn from_env(aws: &Aws) -> Result<Self, shared::run::config::ConfigError> {
        Ok(Self {
            uploads: Uploads::from_env(aws)?,
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
        let uploads: String = shared::run::config::required("UPLOADS_BUCKET").expect("its name");
        for name in [&bucket.name, &uploads] {
            let _ = bucket.s3.create_bucket().bucket(name).send().await;
        }
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
        let url = self.uploads.presign(upload, ImageType::Png, None).await.expect("an upload URL");
        let http = reqwest::Client::builder().no_proxy().build().expect("an HTTP client");
        let put = http.put(url).header("content-type", "image/png").body(file.to_vec());
        let answer = put.send().await.expect("the upload URL answers");
        assert!(answer.status().is_success(), "{}", answer.status());
    }

    async fn read(&self, upload: &Upload) -> Uploaded {
        self.uploads.read(upload).await.expect("the bucket answers")
    }

    async fn published(&self, upload: &Upload, bytes: &[u8]) -> String {
        let picture = PictureFile { image_type: ImageType::Png, bytes: bytes.to_vec() };
        let prepared = Prepared { picture, renditions: None };
        let published = self.media.publish(upload, prepared).await.expect("the bucket answers");
        assert_eq!(published.images, None);
        published.image_url
    }

    async fn keys_under(&self, prefix: &str) -> Vec<String> {
        let list = self.s3.list_objects_v2().bucket(&self.name).prefix(prefix);
        let found = list.send().await.expect("the bucket answers");
        found.contents().iter().filter_map(|object| object.key().map(str::to_owned)).collect()
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
    assert_eq!(bucket.read(&upload).await, Uploaded::File(RED_PNG.to_vec()));
    let url = bucket.published(&upload, RED_PNG).await;
    assert_eq!(bucket.at(&url).await, ("image/png".into(), IMMUTABLE.into(), RED_PNG.to_vec()));
    assert_eq!(bucket.published(&upload, RED_PNG).await, url);
    let blue = bucket.published(&upload, BLUE_PNG).await;
    assert_ne!(blue, url);

    bucket.uploads.discard(&upload).await.unwrap();
    bucket.uploads.discard(&upload).await.unwrap();
    assert_eq!(bucket.read(&upload).await, Uploaded::Gone);
    assert_eq!((bucket.at(&url).await.2, bucket.at(&blue).await.2), (RED_PNG.to_vec(), BLUE_PNG.to_vec()));
}

#[tokio::test]
async fn each_rendition_is_where_its_url_says() {
    let bucket = Bucket::open().await;
    let upload = bucket.uploaded(RED_PNG).await;
    let file = |image_type, bytes: &[u8]| PictureFile { image_type, bytes: bytes.to_vec() };
    let renditions = [Some(file(ImageType::Jpeg, b"small")), Some(file(ImageType::Webp, b"medium")), None];
    let prepared = Prepared { picture: file(ImageType::Png, RED_PNG), renditions: Some(renditions) };
    let Published { image_url, images } = bucket.media.publish(&upload, prepared).await.unwrap();
    let images = serde_json::to_value(images).unwrap();
    let url = |name: &str| images[name].as_str().unwrap().to_owned();
    assert_eq!(bucket.at(&url("small")).await, ("image/jpeg".into(), IMMUTABLE.into(), b"small".to_vec()));
    assert_eq!(bucket.at(&url("medium")).await, ("image/webp".into(), IMMUTABLE.into(), b"medium".to_vec()));
    assert_eq!((url("large"), bucket.at(&image_url).await.2), (image_url, RED_PNG.to_vec()));
}

#[tokio::test]
async fn an_empty_file_is_told_from_none() {
    let bucket = Bucket::open().await;
    let upload = bucket.uploaded(b"").await;
    assert_eq!(bucket.read(&upload).await, Uploaded::Empty);
    bucket.uploads.discard(&upload).await.unwrap();
    assert_eq!(bucket.read(&upload).await, Uploaded::Gone);
}

#[tokio::test]
async fn five_megabytes_are_read_and_a_byte_more_is_not() {
    let bucket = Bucket::open().await;
    let mut file = vec![0; usize::try_from(MAX_BYTES).unwrap()];
    let upload = bucket.uploaded(&file).await;
    assert_eq!(bucket.read(&upload).await, Uploaded::File(file.clone()));
    for more in [1, 100] {
        file.resize(usize::try_from(MAX_BYTES).unwrap() + more, 0);
        assert_eq!(bucket.read(&bucket.uploaded(&file).await).await, Uploaded::TooLarge);
    }
}

/// A product that awaited an upload, and shows this picture once it is settled.
struct Rival(Settled);

impl Pictured for Rival {
    const KIND: Kind = PICTURES;

    type Id = ProductId;

    async fn awaits(&self, _: &ProductId, _: UploadId) -> anyhow::Result<bool> {
        Ok(true)
    }

    async fn settle(
        &self,
        _: &ProductId,
        _: UploadId,
        _: Result<Published, &'static str>,
        _: Timestamp,
    ) -> anyhow::Result<Settled> {
        Ok(self.0.clone())
    }
}

#[tokio::test]
async fn what_was_published_and_is_not_shown_is_taken_back() {
    let bucket = Bucket::open().await;
    let upload = bucket.uploaded(RED_PNG).await;
    let red = bucket.published(&upload, RED_PNG).await;
    let folder = format!("images/products/{}/", upload.owner());
    let settled = async |file: &[u8], then: Settled| {
        bucket.put(&upload, file).await;
        pictures::index(&bucket.uploads, &bucket.media, &Rival(then), &upload, now()).await.unwrap();
        assert_eq!(bucket.read(&upload).await, Uploaded::Gone);
        bucket.keys_under(&folder).await
    };
    let keys = bucket.keys_under(&folder).await;
    assert_eq!(keys.len(), 1);
    // A second delivery of the same file, and then another file for the same URL.
    assert_eq!(settled(RED_PNG, Settled::Shows(Some(red.clone()))).await, keys);
    assert_eq!(settled(&tests::shop::wide_png(), Settled::Shows(Some(red.clone()))).await, keys);
    // The same bytes under another name.
    let (other, _) = red.rsplit_once('-').unwrap();
    assert_eq!(settled(RED_PNG, Settled::Shows(Some(format!("{other}-other.png")))).await, keys);
    assert_eq!(settled(RED_PNG, Settled::NoThing).await, [""; 0]);
}

#[tokio::test]
async fn however_many_pictures_a_thing_has_all_are_withdrawn() {
    let bucket = Bucket::open().await;
    let owner = ProductId::at(now());
    let folder = format!("images/products/{owner}/");
    at_once(16, |worker| {
        let (bucket, folder) = (bucket.clone(), folder.clone());
        async move {
            for number in (worker..1_001).step_by(16) {
                let put = bucket.s3.put_object().bucket(&bucket.name).key(format!("{folder}{number}"));
                put.send().await.expect("the bucket answers");
            }
        }
    })
    .await;
    assert_eq!(bucket.keys_under(&folder).await.len(), 1_000, "more than a page");
    bucket.media.withdraw(PICTURES, owner).await.unwrap();
    assert_eq!(bucket.keys_under(&folder).await, [""; 0]);
}
