//! Pictures: what is read of an upload, and what is published stays.

use aws_sdk_s3::Client as S3;
use products::gallery::PictureOf;
use products::pictures::{PICTURES, sweep_one};
use products::{Editor, PictureId, Product, ProductId, Products};
use shared::media::{
    FileName, Folder, ImageType, Kind, Left, MAX_BYTES, Media, PictureFile, Pictured, Placed, Prepared,
    PublicationId, Published, Standing, Upload, UploadId, Uploaded, Uploads,
};
use shared::run::aws::{Aws, FromEnv};
use shared::values::time::Timestamp;
use tests::shop::{BLUE_PNG, RED_PNG};

use tests::wait::at_once;

use super::{DAY, MINUTE, listed, now, open};

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

    async fn checked(&self, upload: &Upload, bytes: &[u8]) -> Placed {
        let picture = PictureFile { image_type: ImageType::Png, bytes: bytes.to_vec() };
        let prepared = Prepared { picture, renditions: None };
        self.media.put(Folder::Checked, upload, prepared).await.expect("the bucket answers")
    }

    /// Copies a picture that waits, and gives its URL.
    async fn published(&self, waiting: &Placed) -> String {
        let publication = PublicationId::at(now());
        let published = self.media.publish(waiting, publication).await.expect("the bucket answers");
        assert_eq!(published.images, None);
        assert!(published.image_url.contains(&format!("/{publication}/")), "{published:?}");
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
    let waiting = bucket.checked(&upload, RED_PNG).await;
    assert_eq!(bucket.checked(&upload, RED_PNG).await, waiting);
    assert_ne!(bucket.checked(&upload, BLUE_PNG).await, waiting);
    let url = bucket.published(&waiting).await;
    assert_eq!(bucket.at(&url).await, ("image/png".into(), IMMUTABLE.into(), RED_PNG.to_vec()));
    // No name is used a second time, so that what is deleted is nobody's.
    let again = bucket.published(&waiting).await;
    assert_ne!(again, url);
    bucket.media.delete(Folder::Checked, std::slice::from_ref(&waiting)).await.unwrap();
    bucket.media.delete(Folder::Checked, std::slice::from_ref(&waiting)).await.unwrap();
    assert!(bucket.media.publish(&waiting, PublicationId::at(now())).await.is_err());

    bucket.uploads.discard(&upload).await.unwrap();
    bucket.uploads.discard(&upload).await.unwrap();
    assert_eq!(bucket.read(&upload).await, Uploaded::Gone);
    assert_eq!((bucket.at(&url).await.2, bucket.at(&again).await.2), (RED_PNG.to_vec(), RED_PNG.to_vec()));
}

#[tokio::test]
async fn each_rendition_is_where_its_url_says() {
    let bucket = Bucket::open().await;
    let upload = bucket.uploaded(RED_PNG).await;
    let file = |image_type, bytes: &[u8]| PictureFile { image_type, bytes: bytes.to_vec() };
    let renditions = [Some(file(ImageType::Jpeg, b"small")), Some(file(ImageType::Webp, b"medium")), None];
    let prepared = Prepared { picture: file(ImageType::Png, RED_PNG), renditions: Some(renditions) };
    let waiting = bucket.media.put(Folder::Checked, &upload, prepared).await.unwrap();
    let published = bucket.media.publish(&waiting, PublicationId::at(now())).await.unwrap();
    let folder = format!("images/products/{}/", upload.owner());
    assert_eq!(bucket.keys_under(&folder).await.len(), 3);
    let Published { image_url, images } = published.clone();
    let images = serde_json::to_value(images).unwrap();
    let url = |name: &str| images[name].as_str().unwrap().to_owned();
    assert_eq!(bucket.at(&url("small")).await, ("image/jpeg".into(), IMMUTABLE.into(), b"small".to_vec()));
    assert_eq!(bucket.at(&url("medium")).await, ("image/webp".into(), IMMUTABLE.into(), b"medium".to_vec()));
    assert_eq!((url("large"), bucket.at(&image_url).await.2), (image_url, RED_PNG.to_vec()));
    let placed = published.placed(PICTURES, upload.owner()).expect("a picture of the product");
    bucket.media.delete(Folder::Images, std::slice::from_ref(&placed)).await.unwrap();
    assert_eq!(bucket.keys_under(&folder).await, [""; 0]);
}

#[tokio::test]
async fn a_picture_that_waits_is_seen_by_whoever_has_its_url() {
    let bucket = Bucket::open().await;
    let upload = bucket.uploaded(RED_PNG).await;
    let waiting = bucket.checked(&upload, RED_PNG).await;
    let url = async |at| bucket.media.look_at(&waiting, at).await.expect("a URL").image_url;
    let clock = std::time::UNIX_EPOCH.elapsed().expect("a time after 1970").as_millis();
    let clock =
        Timestamp::from_unix_millis(i64::try_from(clock).expect("a time before the year 292 million"));
    let signed = url(clock).await;
    let http = reqwest::Client::builder().no_proxy().build().expect("an HTTP client");
    let answer = http.get(&signed).send().await.expect("the bucket answers");
    assert_eq!(
        (answer.status().as_u16(), &answer.headers()["content-type"]),
        (200, &"image/png".parse().unwrap())
    );
    assert_eq!(answer.bytes().await.expect("a picture"), RED_PNG);
    // It is the same for some minutes, and then no more.
    let since = Timestamp::from_unix_millis(4_102_444_800_000);
    assert_eq!(url(since).await, url(since + MINUTE).await);
    assert_ne!(url(since).await, url(since + 5 * MINUTE).await);
    let expired = url(clock - 16 * MINUTE).await;
    assert_eq!(http.get(&expired).send().await.expect("the bucket answers").status(), 403);
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

/// A product that awaited an upload, and stands like this to it once it is settled.
struct Rival(Standing);

impl Pictured for Rival {
    const KIND: Kind = PICTURES;

    type Id = ProductId;

    async fn standing(&self, _: &ProductId, _: UploadId) -> anyhow::Result<Standing> {
        Ok(Standing::Awaits)
    }

    async fn settle(
        &self,
        _: &Media,
        _: &ProductId,
        _: UploadId,
        _: Result<Placed, &'static str>,
        _: Timestamp,
    ) -> anyhow::Result<Standing> {
        Ok(self.0.clone())
    }
}

#[tokio::test]
async fn what_was_put_and_is_not_kept_is_taken_back() {
    let bucket = Bucket::open().await;
    let upload = bucket.uploaded(RED_PNG).await;
    let red = bucket.checked(&upload, RED_PNG).await.path().to_owned();
    let folder = format!("checked/products/{}/", upload.owner());
    let settled = async |file: &[u8], then: Standing| {
        bucket.put(&upload, file).await;
        pictures::index(&bucket.uploads, &bucket.media, &Rival(then), &upload, now()).await.unwrap();
        assert_eq!(bucket.read(&upload).await, Uploaded::Gone);
        bucket.keys_under(&folder).await
    };
    let keeps = |upto, keeps: &str| Standing::Settled { upto, keeps: Some(keeps.to_owned()) };
    let keys = bucket.keys_under(&folder).await;
    assert_eq!(keys.len(), 1);
    // A second delivery of the same file, and then another file for the same URL.
    assert_eq!(settled(RED_PNG, keeps(upload.id().settles(false), &red)).await, keys);
    assert_eq!(settled(&tests::shop::wide_png(), keeps(upload.id().settles(false), &red)).await, keys);
    // The same bytes under another name.
    let (other, _) = red.rsplit_once('-').unwrap();
    let other = format!("https://shop.test/checked/{other}-other.png");
    assert_eq!(settled(RED_PNG, keeps(upload.id().settles(false), &other)).await, keys);
    // Refused, its URL may bring another file at this very moment, which is not to be deleted.
    let refused = Standing::Settled { upto: upload.id().settles(true), keeps: None };
    assert_eq!(settled(b"no picture", refused).await, keys);
    let superseded = Standing::Settled { upto: upload.id().settles(false), keeps: None };
    assert_eq!(settled(b"no picture", superseded).await, [""; 0]);
    bucket.checked(&upload, RED_PNG).await;
    assert_eq!(settled(RED_PNG, Standing::NoThing).await, [""; 0]);
}

#[tokio::test]
async fn what_is_kept_is_of_the_thing_itself() {
    let bucket = Bucket::open().await;
    let upload = bucket.uploaded(RED_PNG).await;
    let waiting = bucket.checked(&upload, RED_PNG).await;
    let upto = upload.id().settles(false);
    let other = Some("https://shop.test/images/products/other/folder/0123456789abcdef-tea.png");
    let tidied = bucket.media.tidy(Folder::Checked, PICTURES, upload.owner(), upto, other).await;
    assert!(tidied.is_err(), "it would have kept nothing: {tidied:?}");
    let tidied =
        bucket.media.tidy(Folder::Checked, PICTURES, upload.owner(), upto, Some(waiting.path())).await;
    assert_eq!(tidied.unwrap(), Left::Nothing);
}

/// A product in the table whose picture waits, and where.
async fn with_waiting_picture(bucket: &Bucket, products: &Products) -> (ProductId, Placed) {
    let id = listed(products).await;
    let upload = Upload::new(PICTURES, id, &FileName::new("tea.png").expect("a name"), now());
    let placed = bucket.checked(&upload, RED_PNG).await;
    let waits = placed.clone();
    products
        .change(id, move |product| product.with_upload(id.into(), upload.id(), Ok(waits.clone()), now()))
        .await
        .expect("it changes");
    (id, placed)
}

async fn mark_of(products: &Products, id: ProductId) -> Option<Timestamp> {
    let marked = products.to_be_swept(now() + 30 * DAY, 1_000).await.expect("the table answers");
    marked.into_iter().find(|(marked, _)| *marked == id).map(|(_, at)| at)
}

#[tokio::test]
async fn a_copy_whose_approval_died_is_swept_and_what_waits_stays() {
    let (bucket, products): (_, Products) = (Bucket::open().await, open().await);
    let (id, waiting) = with_waiting_picture(&bucket, &products).await;
    products.sweep_later(id, now()).await.unwrap();
    bucket.published(&waiting).await;
    let of = async |folder: &str| bucket.keys_under(&format!("{folder}/products/{id}/")).await.len();
    assert_eq!((of("checked").await, of("images").await), (1, 1));

    // Somebody else's mark is due while the approval may still be at work.
    let marked = mark_of(&products, id).await.expect("a mark");
    sweep_one(&products, &bucket.media, id, marked, now() + 5 * MINUTE).await.unwrap();
    assert_eq!((of("checked").await, of("images").await), (1, 1));
    let again = mark_of(&products, id).await.expect("it is put off");
    assert!(again > now() + 5 * MINUTE);
    sweep_one(&products, &bucket.media, id, again, again).await.unwrap();
    assert_eq!((of("checked").await, of("images").await), (1, 0));
    assert_eq!(mark_of(&products, id).await, None);
}

#[tokio::test]
async fn what_is_shown_survives_every_sweep() {
    let (bucket, products): (_, Products) = (Bucket::open().await, open().await);
    let (id, waiting) = with_waiting_picture(&bucket, &products).await;
    products.sweep_later(id, now()).await.unwrap();
    let published = bucket.media.publish(&waiting, PublicationId::at(now())).await.unwrap();
    let url = published.image_url.clone();
    // The approval died after its write: what waited is left.
    products
        .change(id, move |product| Some(product.approved(vec![(id.into(), published.clone())], now())))
        .await
        .unwrap();
    let marked = mark_of(&products, id).await.expect("a mark");
    sweep_one(&products, &bucket.media, id, marked, now() + 30 * DAY).await.unwrap();
    assert_eq!(bucket.at(&url).await.2, RED_PNG);
    assert_eq!(bucket.keys_under(&format!("checked/products/{id}/")).await, [""; 0]);
    assert_eq!(mark_of(&products, id).await, None);
}

#[tokio::test]
async fn what_an_indexer_left_that_never_came_back_is_swept_when_nothing_can_bring_it_any_more() {
    let (bucket, products): (_, Products) = (Bucket::open().await, open().await);
    let (id, _) = with_waiting_picture(&bucket, &products).await;
    let newer = Upload::new(PICTURES, id, &FileName::new("b.png").expect("a name"), now() + MINUTE);
    products.sweep_later(id, now() + MINUTE).await.unwrap();
    bucket.checked(&newer, BLUE_PNG).await;
    let folder = format!("checked/products/{id}/");
    for (after, left) in [(MINUTE * 16, 2), (DAY * 2, 2), (DAY * 4, 1)] {
        let marked = mark_of(&products, id).await.expect("a mark");
        sweep_one(&products, &bucket.media, id, marked, now() + after).await.unwrap();
        assert_eq!(bucket.keys_under(&folder).await.len(), left, "after {after:?}");
    }
    assert_eq!(mark_of(&products, id).await, None);
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

/// Adds a picture to a product, and puts its file where it waits.
async fn adds(bucket: &Bucket, products: &Products, id: ProductId, at: Timestamp) -> (PictureOf, Placed) {
    let of = PictureOf { product: id, picture: PictureId::at(at) };
    let name = FileName::new("more.png").expect("a name");
    let upload = Upload::new(PICTURES, of, &name, at);
    let placed = bucket.checked(&upload, BLUE_PNG).await;
    let (waits, upload) = (placed.clone(), upload.id());
    let added = move |product: Product| {
        let announced = product.with_announced(of.picture, upload, &name, Editor::Seller, at).ok()??;
        announced.with_upload(of.picture, upload, Ok(waits.clone()), at)
    };
    products.change(id, added).await.expect("it changes");
    (of, placed)
}

#[tokio::test]
async fn of_several_pictures_a_sweep_takes_what_none_of_them_refers_to() {
    let (bucket, products): (_, Products) = (Bucket::open().await, open().await);
    let (id, first) = with_waiting_picture(&bucket, &products).await;
    let (second, waits) = adds(&bucket, &products, id, now()).await;
    let (gone, _) = adds(&bucket, &products, id, now()).await;
    let published = [
        (id.into(), bucket.media.publish(&first, PublicationId::at(now())).await.unwrap()),
        (second.picture, bucket.media.publish(&waits, PublicationId::at(now())).await.unwrap()),
    ];
    let urls = published.each_ref().map(|(_, published)| published.image_url.clone());
    // Their approval died after its write, another one before; and whoever deleted the third before it was gone.
    for waiting in [&first, &waits] {
        bucket.published(waiting).await;
    }
    let shown = move |product: Product| Some(product.approved(published.to_vec(), now()));
    products.change(id, shown).await.unwrap();
    products.change(id, |product| product.without_picture(gone.picture, now()).ok()).await.unwrap();
    let of = async |folder: &str| bucket.keys_under(&format!("{folder}/products/{id}")).await.len();
    assert_eq!((of("checked").await, of("images").await), (3, 4));

    let marked = mark_of(&products, id).await.expect("a mark");
    sweep_one(&products, &bucket.media, id, marked, now() + 5 * MINUTE).await.unwrap();
    assert_eq!(of("images").await, 4, "somebody may still be at work on them");
    let again = mark_of(&products, id).await.expect("it is put off");
    sweep_one(&products, &bucket.media, id, again, again).await.unwrap();
    assert_eq!((of("checked").await, of("images").await), (0, 2));
    for (url, file) in urls.iter().zip([RED_PNG, BLUE_PNG]) {
        assert_eq!(bucket.at(url).await.2, file);
    }
    assert_eq!(mark_of(&products, id).await, None);
}

#[tokio::test]
async fn what_was_added_since_the_product_was_read_survives_its_sweep() {
    let (bucket, products): (_, Products) = (Bucket::open().await, open().await);
    let (id, _) = with_waiting_picture(&bucket, &products).await;
    products.sweep_later(id, now()).await.unwrap();
    let marked = mark_of(&products, id).await.expect("a mark");
    // The indexer put it there, and the sweep has read the product without it.
    let of = PictureOf { product: id, picture: PictureId::at(now() + 15 * MINUTE) };
    let upload = Upload::new(PICTURES, of, &FileName::new("b.png").expect("a name"), now() + 15 * MINUTE);
    bucket.checked(&upload, BLUE_PNG).await;
    let folder = format!("checked/products/{of}/");
    sweep_one(&products, &bucket.media, id, marked, now() + 16 * MINUTE).await.unwrap();
    assert_eq!(bucket.keys_under(&folder).await.len(), 1);
    let again = mark_of(&products, id).await.expect("it is put off");
    sweep_one(&products, &bucket.media, id, again, again).await.unwrap();
    assert_eq!(bucket.keys_under(&folder).await, [""; 0], "it never became the product's");
}

#[tokio::test]
async fn a_product_is_withdrawn_with_all_its_pictures_and_no_other_ones() {
    let bucket = Bucket::open().await;
    let owner = ProductId::at(now());
    let part = PictureOf { product: owner, picture: PictureId::at(now()) };
    let keys = [
        format!("images/products/{owner}/1/a.png"),
        format!("images/products/{part}/1/a.png"),
        format!("checked/products/{part}/1/a.png"),
    ];
    let another = format!("images/products/{owner}0/1/a.png");
    for key in keys.iter().chain([&another]) {
        bucket.s3.put_object().bucket(&bucket.name).key(key).send().await.expect("the bucket answers");
    }
    bucket.media.withdraw(PICTURES, part).await.unwrap();
    assert_eq!(
        bucket.keys_under(&format!("images/products/{owner}")).await,
        [&keys[0], &another].map(Clone::clone)
    );
    bucket.s3.put_object().bucket(&bucket.name).key(&keys[2]).send().await.expect("the bucket answers");
    bucket.media.withdraw_with_parts(PICTURES, owner).await.unwrap();
    assert_eq!(bucket.keys_under(&format!("images/products/{owner}")).await, [another]);
    assert_eq!(bucket.keys_under(&format!("checked/products/{owner}")).await, [""; 0]);
}
