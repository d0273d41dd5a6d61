//! Pictures: a presigned upload into a bucket that nobody reads, checked by its bytes before anybody sees it.
//!
//! | bucket | object | written by | kept |
//! | --- | --- | --- | --- |
//! | [`Uploads`] | `uploads/{kind}/{id}/{upload id}/{file name}` | the client, with the signed type and size | a day |
//! | [`Media`] | `checked/{kind}/{id}/{upload id}/{hash}-{file name}` | the indexer | until it is decided on |
//! | | `images/{kind}/{id}/{folder}/{hash}-{file name}` | see below | while it is shown: public and immutable |
//! | | `…/{hash}.{width}.{format}` | beside each, narrower | the same |
//!
//! A thing whose parts have pictures names them `{id}.{part}` in place of `{id}`.
//!
//! What needs nobody's approval goes to `images/` at once, and its folder is the upload's id. What does waits in
//! `checked/` and is copied by its approval, into a folder that never was before: so a folder that was left, because
//! its function died before it had told anyone, never becomes anybody's, and can be deleted at any time.

mod clean_up;
pub mod listed;
mod pictures;
mod uploads;

use std::fmt;
use std::future::Future;
use std::ops::Bound;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::http::input::{Field, Value, whole_number};
use crate::values::time::Timestamp;

pub use clean_up::{AwaitsPicture, Noun, clean_up};
pub use pictures::{Fate, Left, Media};
pub use uploads::{Uploaded, Uploads};

/// The largest picture, in bytes.
pub const MAX_BYTES: u32 = 5 * 1024 * 1024;

/// What the pictures belong to: the second part of every key. Each service declares its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kind {
    name: &'static str,
    folders: &'static [Folder],
}

impl Kind {
    /// The kind `name`, in the plural and in small letters, as the bucket's keys have it. Its pictures are published as
    /// soon as they were checked.
    ///
    /// # Panics
    /// While the compiler runs, where the name could not be one part of a key.
    pub const fn new(name: &'static str) -> Self {
        let (bytes, mut index) = (name.as_bytes(), 0);
        while index < bytes.len() {
            assert!(
                bytes[index].is_ascii_lowercase() || bytes[index] == b'-',
                "a kind has small letters alone"
            );
            index += 1;
        }
        Self { name, folders: &[Folder::Images] }
    }

    /// The same kind, but its pictures wait until somebody approves them.
    #[must_use]
    pub const fn approved_by_somebody(self) -> Self {
        Self { folders: &[Folder::Checked, Folder::Images], ..self }
    }

    /// Where a picture goes that was checked.
    pub const fn first_folder(self) -> Folder {
        self.folders[0]
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

/// A part of the bucket of the pictures: the first part of every key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Folder {
    /// What was checked and waits. Nobody sees it without a URL that is signed for them.
    Checked,
    /// What everyone may read.
    Images,
}

impl fmt::Display for Folder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Checked => "checked",
            Self::Images => "images",
        })
    }
}

crate::names!(
    /// A format of pictures that every browser shows, by its media type (IANA), which has no case (RFC 6838, section
    /// 4.2).
    pub enum ImageType in any case {
        /// PNG.
        Png = "image/png",
        /// JPEG.
        Jpeg = "image/jpeg",
        /// WebP.
        Webp = "image/webp",
        /// GIF.
        Gif = "image/gif",
        /// AVIF.
        Avif = "image/avif",
    }
);

/// The size of a file in bytes that a client announces, 1 to [`MAX_BYTES`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileSize(u32);

impl Field for FileSize {
    fn parse(value: Value) -> Result<Self, String> {
        whole_number(&value, 1..=MAX_BYTES).map(Self)
    }
}

crate::text!(
    /// The name of a file as the client has it: shown, and never used as a path.
    FileName, 1..=255
);

impl FileName {
    /// The name as a part of a key: what is not a letter, digit, dot, dash or underscore of ASCII becomes a dash.
    fn as_key(&self) -> String {
        let safe = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
        let name: String = self.as_str().chars().map(|c| if safe(c) { c } else { '-' }).collect();
        // The end of a name tells its type, so that is what stays of a long one.
        let start = name.len().saturating_sub(100);
        name[start..].trim_start_matches('.').to_owned()
    }
}

crate::body!(
    /// A picture that somebody announces.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct NewPicture {
        /// What its file is called.
        pub file_name: FileName,
        /// What format it will have.
        pub file_type: ImageType,
        /// How large it will be, if the client knows.
        pub file_size: Option<FileSize>,
    }
);

crate::id!(
    /// Names one upload. Later uploads have greater ids, so that of two pictures the newer one wins.
    UploadId
);

impl UploadId {
    /// Whether this upload may become the picture of something of which `seen` was the newest one so far: it is newer,
    /// or it is the same and brought no picture yet. The first picture settles an upload, whatever else its URL takes.
    pub fn may_follow(self, seen: Option<Self>, was_refused: bool) -> bool {
        seen.is_none_or(|seen| self > seen || self == seen && was_refused)
    }

    /// Up to which upload nothing may follow any more where this one was the newest that was seen.
    pub fn settles(self, was_refused: bool) -> Bound<Self> {
        if was_refused { Bound::Excluded(self) } else { Bound::Included(self) }
    }
}

crate::id!(
    /// Names one publication of a picture that had waited: its folder under `images/`.
    PublicationId
);

/// One object under `uploads/`, by its key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Upload {
    kind: String,
    owner: String,
    id: UploadId,
    file_name: String,
}

impl Upload {
    /// A new upload for the thing `owner` of this kind.
    pub fn new(kind: Kind, owner: impl fmt::Display, file_name: &FileName, now: Timestamp) -> Self {
        Self::named(kind, owner, UploadId::at(now), file_name)
    }

    /// The same, where its id was given before.
    pub fn named(kind: Kind, owner: impl fmt::Display, id: UploadId, file_name: &FileName) -> Self {
        Self { kind: kind.to_string(), owner: owner.to_string(), id, file_name: file_name.as_key() }
    }

    /// Reads the key that an S3 event names, which is URL-encoded. Keys of ours have nothing to encode.
    pub(crate) fn from_event_key(key: &str) -> Option<Self> {
        let mut parts = key.strip_prefix("uploads/")?.split('/');
        let upload = Self {
            kind: parts.next()?.to_owned(),
            owner: parts.next()?.to_owned(),
            id: parts.next()?.parse().ok()?,
            file_name: parts.next()?.to_owned(),
        };
        parts.next().is_none().then_some(upload)
    }

    /// Names it.
    pub fn id(&self) -> UploadId {
        self.id
    }

    /// What kind of thing it is for, as its key says.
    pub fn kind(&self) -> &str {
        &self.kind
    }

    /// What names the thing, as it stands in the key.
    pub fn owner(&self) -> &str {
        &self.owner
    }

    fn key(&self) -> String {
        format!("uploads/{}/{}/{}/{}", self.kind, self.owner, self.id, self.file_name)
    }

    /// How the paths begin of all that comes of its `picture`, in whichever folder. They have the hash of its bytes, so
    /// that what is there never changes.
    fn stem(&self, picture: &[u8]) -> String {
        let hash: String = Sha256::digest(picture)[..8].iter().map(|byte| format!("{byte:02x}")).collect();
        format!("{}/{}/{}/{hash}", self.kind, self.owner, self.id)
    }
}

/// The file of a picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PictureFile {
    /// Its format.
    pub image_type: ImageType,
    /// What is in it.
    pub bytes: Vec<u8>,
}

/// What is to be published of an upload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prepared {
    /// The picture in its own size.
    pub picture: PictureFile,
    /// The picture in each of [`WIDTHS`], but where it is no wider itself. There are none of a picture that could not
    /// be decoded.
    pub renditions: Option<[Option<PictureFile>; 3]>,
}

/// How wide a picture's renditions are, in pixels.
pub const WIDTHS: [u32; 3] = [320, 960, 1920];

/// Where a picture lies in its folder of the bucket: the paths below that.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Placed {
    picture: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    renditions: Option<Images>,
}

impl Placed {
    /// The path of the picture in its own size.
    pub fn path(&self) -> &str {
        &self.picture
    }

    /// The same without its renditions.
    #[must_use]
    pub fn in_own_size(self) -> Self {
        Self { renditions: None, ..self }
    }

    /// The paths of all that there is of it, each once.
    fn paths(&self) -> Vec<&str> {
        let mut paths = vec![self.picture.as_str()];
        for path in self.renditions.iter().flat_map(Images::each) {
            if !paths.contains(&path) {
                paths.push(path);
            }
        }
        paths
    }

    fn map(&self, mut new: impl FnMut(&str) -> String) -> Self {
        let picture = new(&self.picture);
        let renditions = self.renditions.as_ref().map(|images| images.map(new));
        Self { picture, renditions }
    }

    /// The same picture in another folder of its thing.
    fn republished(&self, publication: PublicationId) -> Self {
        self.map(|path| {
            let mut parts: Vec<_> = path.split('/').collect();
            let publication = publication.to_string();
            if let Some(folder) = parts.get_mut(2) {
                *folder = &publication;
            }
            parts.join("/")
        })
    }
}

/// Where a picture can be seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Published {
    /// In its own size.
    pub image_url: String,
    /// Narrower.
    pub images: Option<Images>,
}

impl Published {
    /// Where it lies under `images/`, whatever the bucket was called when it was published.
    pub fn placed(&self, kind: Kind, owner: impl fmt::Display) -> Option<Placed> {
        let of_thing = format!("{kind}/{owner}/");
        let path =
            |url: &str| Some(format!("{of_thing}{}", url.rsplit_once(&format!("/images/{of_thing}"))?.1));
        let picture = path(&self.image_url)?;
        let renditions = match &self.images {
            Some(images) => {
                let [small, medium, large] = images.each().map(path);
                Some(Images { small: small?, medium: medium?, large: large? })
            }
            None => None,
        };
        Some(Placed { picture, renditions })
    }
}

/// Where a picture is in each of [`WIDTHS`]; where it is no wider itself, that is where the picture is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Images {
    small: String,
    medium: String,
    large: String,
}

impl Images {
    fn each(&self) -> [&str; 3] {
        [&self.small, &self.medium, &self.large]
    }

    fn map(&self, new: impl FnMut(&str) -> String) -> Self {
        let [small, medium, large] = self.each().map(new);
        Self { small, medium, large }
    }
}

/// Things of one kind that have a picture each, as their store keeps them.
pub trait Pictured {
    /// What kind of things.
    const KIND: Kind;

    /// What names one of them, as it stands in the keys of its pictures.
    type Id: FromStr;

    /// How a thing stands to an upload.
    fn standing(&self, id: &Self::Id, upload: UploadId) -> impl Future<Output = anyhow::Result<Standing>>;

    /// Notes, before there is one, that a picture of the thing is about to be put into the bucket, so that it is found
    /// if nobody lives to tell of it. Where S3 delivers an upload until it was dealt with, that is note enough.
    fn expect(&self, _: &Self::Id, _: Timestamp) -> impl Future<Output = anyhow::Result<()>> {
        async { Ok(()) }
    }

    /// Sets what became of an upload, where its picture lies or why it is none, if the thing still awaits it. Gives how
    /// it stands to it then. Safe to repeat.
    fn settle(
        &self,
        media: &Media,
        id: &Self::Id,
        upload: UploadId,
        picture: Result<Placed, &'static str>,
        now: Timestamp,
    ) -> impl Future<Output = anyhow::Result<Standing>>;
}

/// How a thing stands to an upload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// There is still something to do with it.
    Awaits,
    /// It was dealt with, or a newer one was.
    Settled {
        /// Up to which upload nothing will become the thing's picture any more.
        upto: Bound<UploadId>,
        /// Where the picture lies that the thing has of all those, if any, as a path or a URL.
        keeps: Option<String>,
    },
    /// There is no such thing.
    NoThing,
}

/// How the paths begin of all that lies beside the picture at this one: its name up to the end of its hash.
fn stem(picture: &str) -> &str {
    let name = picture.rfind('/').map_or(0, |slash| slash + 1);
    let end = picture[name..].find(['-', '.']).map_or(picture.len(), |end| name + end);
    &picture[..end]
}

/// Whether what lies at this path belongs to the picture at this one: it is that picture, or a rendition of it.
pub fn is_of(path: &str, picture: &str) -> bool {
    path.starts_with(stem(picture))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::ops::RangeBounds;

    proptest! {
        #[test]
        fn every_upload_is_found_again_by_its_key(name in "\\PC{1,255}") {
            let Ok(name) = FileName::new(&name) else { return Ok(()) };
            let upload = Upload::new(Kind::new("things"), "thing", &name, Timestamp::from_unix_millis(1));
            let key = upload.key();
            prop_assert!(key.starts_with("uploads/things/thing/"));
            prop_assert!(key.bytes().all(|b| b.is_ascii_alphanumeric() || b"/.-_".contains(&b)));
            prop_assert!(!key.contains("/.."));
            prop_assert_eq!(Upload::from_event_key(&key), Some(upload));
        }
    }

    #[test]
    fn the_first_picture_settles_an_upload() {
        let [first, second, third] = [1, 2, 3].map(|at| UploadId::at(Timestamp::from_unix_millis(at)));
        assert!(second.may_follow(None, false));
        for was_refused in [false, true] {
            assert!(!first.may_follow(Some(second), was_refused));
            assert!(third.may_follow(Some(second), was_refused));
            assert_eq!(second.may_follow(Some(second), was_refused), was_refused);
            let settled = (Bound::<UploadId>::Unbounded, second.settles(was_refused));
            for upload in [first, second, third] {
                assert_eq!(settled.contains(&upload), !upload.may_follow(Some(second), was_refused));
            }
        }
    }

    #[test]
    fn all_that_comes_of_a_picture_begins_alike() {
        for name in ["-tea-2.png", ".320.jpeg"] {
            assert_eq!(
                stem(&format!("things/a-b/c-d/0123456789abcdef{name}")),
                "things/a-b/c-d/0123456789abcdef"
            );
        }
    }

    fn placed(folder: &str) -> Placed {
        let path = |name: &str| format!("things/a/{folder}/0123456789abcdef{name}");
        let [small, large] = [path(".320.jpeg"), path("-tea.png")];
        Placed { picture: large.clone(), renditions: Some(Images { small, medium: large.clone(), large }) }
    }

    #[test]
    fn a_published_picture_is_found_again_whatever_the_bucket_was_called() {
        let (kind, placed) = (Kind::new("things"), placed("f"));
        assert_eq!(placed.paths().len(), 2, "{placed:?}");
        for base in ["https://shop.test", "http://shop.test:1/local/media", "https://a.test/images/things/a"]
        {
            let url = placed.map(|path| format!("{base}/images/{path}"));
            let published = Published { image_url: url.picture, images: url.renditions };
            assert_eq!(published.placed(kind, "a"), Some(placed.clone()));
            assert_eq!(published.placed(kind, "b"), None);
        }
    }

    #[test]
    fn a_publication_has_a_folder_of_its_own() {
        let publication = PublicationId::at(Timestamp::from_unix_millis(1));
        assert_eq!(placed("f").republished(publication), placed(&publication.to_string()));
    }

    #[test]
    fn other_objects_are_no_uploads() {
        let id = UploadId::at(Timestamp::from_unix_millis(1));
        for key in [
            "images/things/a/b-c.png".to_owned(),
            format!("uploads/things/a/{id}"),
            format!("uploads/things/a/{id}/c/d.png"),
            "uploads/things/a/b/c.png".to_owned(),
        ] {
            assert_eq!(Upload::from_event_key(&key), None, "{key}");
        }
    }
}
