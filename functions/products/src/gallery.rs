//! The pictures of a product in the order that its seller set, and what may become of them. The rules are here and call
//! nothing.
//!
//! The item has one of them in attributes of its own, `imageUrl` and those beside it, as it did when there was one
//! alone; the others stand in `morePictures`, each with the same attributes. Its own is the first that everyone sees;
//! where nobody sees any, the first that waits. So whoever knows of one picture alone reads the right one, and sees
//! whether there is any.

use std::fmt;
use std::ops::Bound;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use shared::http::input::{Body, Field, Fields, Value};
use shared::http::problem::{CONFLICT, Kind, Problem, StatusCode};
use shared::media::{FileName, Images, Placed, Published, UploadId};
use shared::values::id::NotAnId;
use shared::values::time::Timestamp;

use crate::{Editor, Product, ProductId, Reapproval, SWEPT_AFTER};

/// The most pictures that a product has, with those that are still to come.
pub const MOST_PICTURES: usize = 8;

/// A picture that does not come within this is awaited no longer, and makes room. Its upload URL is long past then.
const AWAITED_FOR: Duration = Duration::from_hours(1);

/// Names a picture of a product. The one that a product was listed with has the product's id, the others are made alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PictureId(ProductId);

impl PictureId {
    /// A new one, made at `now`.
    pub fn at(now: Timestamp) -> Self {
        Self(ProductId::at(now))
    }
}

/// The picture that the product was listed with.
impl From<ProductId> for PictureId {
    fn from(product: ProductId) -> Self {
        Self(product)
    }
}

impl fmt::Display for PictureId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for PictureId {
    type Err = NotAnId;

    fn from_str(text: &str) -> Result<Self, NotAnId> {
        text.parse().map(Self)
    }
}

impl Field for PictureId {
    fn parse(value: Value) -> Result<Self, String> {
        ProductId::parse(value).map(Self)
    }
}

/// A picture of a product in the keys of the buckets: `{product}` is the one that it was listed with, all others are
/// `{product}.{picture}`. So each has folders of its own, and earlier releases, which know of one, leave all others
/// alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PictureOf {
    /// Whose picture it is.
    pub product: ProductId,
    /// Which one.
    pub picture: PictureId,
}

impl fmt::Display for PictureOf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { product, picture } = self;
        if *picture == PictureId::from(*product) { product.fmt(f) } else { write!(f, "{product}.{picture}") }
    }
}

impl FromStr for PictureOf {
    type Err = NotAnId;

    fn from_str(text: &str) -> Result<Self, NotAnId> {
        let (product, picture) = text.split_once('.').unwrap_or((text, text));
        let of = Self { product: product.parse()?, picture: picture.parse()? };
        // Each has one name.
        if of.to_string() == text { Ok(of) } else { Err(NotAnId) }
    }
}

/// The pictures of a product in the order in which they are to be shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PictureOrder(pub Vec<PictureId>);

impl Body for PictureOrder {
    fn read(fields: &mut Fields) -> Option<Self> {
        let pictures: Vec<PictureId> = fields.list("pictures", 1..=MOST_PICTURES)?;
        if (1..pictures.len()).any(|index| pictures[..index].contains(&pictures[index])) {
            fields.fault("pictures", "must name each picture once");
        }
        Some(Self(pictures))
    }
}

/// The newest upload for which a URL was asked: what its file is called and who asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RequestedUpload {
    pub(crate) upload_id: UploadId,
    pub(crate) file_name: FileName,
    pub(crate) editor: Editor,
}

/// A picture that was checked and that nobody has approved yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct WaitingPicture {
    upload_id: UploadId,
    pub(crate) file_name: FileName,
    editor: Editor,
    pub(crate) placed: Placed,
}

/// One picture of a product: what everyone sees, what waits to be seen instead, and what became of its last upload. It
/// may be none of these yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Picture {
    pub(crate) id: PictureId,
    pub(crate) file_name: FileName,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) image_url: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) images: Option<Images>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    image_upload_id: Option<UploadId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) image_rejection: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    requested_upload: Option<RequestedUpload>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) waiting_picture: Option<WaitingPicture>,
}

impl Picture {
    /// A picture that is to come.
    fn announced(id: PictureId, requested: RequestedUpload) -> Self {
        Self {
            id,
            file_name: requested.file_name.clone(),
            image_url: None,
            images: None,
            image_upload_id: None,
            image_rejection: None,
            requested_upload: Some(requested),
            waiting_picture: None,
        }
    }

    /// Where it is that everyone sees, if they do.
    pub(crate) fn shown(&self) -> Option<Published> {
        let image_url = self.image_url.clone()?;
        Some(Published { image_url, images: self.images.clone() })
    }

    /// Whether there is something to see of it, for whomever.
    fn is_there(&self) -> bool {
        self.image_url.is_some() || self.waiting_picture.is_some()
    }

    /// Whether it may still come.
    fn is_awaited(&self, now: Timestamp) -> bool {
        let since = now - AWAITED_FOR;
        match &self.requested_upload {
            Some(requested) => requested.upload_id >= UploadId::at(since),
            None => self.id >= PictureId::at(since),
        }
    }

    /// Whether an upload may become it.
    pub(crate) fn awaits(&self, upload: UploadId) -> bool {
        upload.may_follow(self.image_upload_id, self.image_rejection.is_some())
    }

    /// Up to which upload nothing becomes it any more, and where that of them lies which waits.
    pub(crate) fn settled(&self) -> Option<(Bound<UploadId>, Option<&str>)> {
        let upto = self.image_upload_id?.settles(self.image_rejection.is_some());
        Some((upto, self.waiting_picture.as_ref().map(|waiting| waiting.placed.path())))
    }

    /// Whether what waits needs no admin where its product is for sale: an admin sent it, or the shop does not want to
    /// see what its seller changes.
    fn needs_nobody(&self, reapproval: Reapproval) -> bool {
        self.waiting_picture.as_ref().is_some_and(|waiting| match (waiting.editor, reapproval) {
            (Editor::Admin, _) | (Editor::Seller, Reapproval::Spared) => true,
            (Editor::Seller, Reapproval::Needed) => false,
        })
    }

    /// The picture once an upload that it awaited was looked at, and who sent what waits now.
    fn with_upload(self, upload: UploadId, picture: Result<Placed, &str>) -> (Self, Option<Editor>) {
        let seen = Self { image_upload_id: Some(upload), ..self };
        let placed = match picture {
            Ok(placed) => placed,
            Err(refusal) => return (Self { image_rejection: Some(refusal.to_owned()), ..seen }, None),
        };
        // Who asked is known of the last upload alone, and not where it is the first: that was the seller, to be sure.
        let requested = seen.requested_upload.clone().filter(|requested| requested.upload_id == upload);
        let (file_name, editor) = requested.map_or_else(
            || (seen.file_name.clone(), Editor::Seller),
            |asked| (asked.file_name, asked.editor),
        );
        let waiting = WaitingPicture { upload_id: upload, file_name, editor, placed };
        (Self { waiting_picture: Some(waiting), image_rejection: None, ..seen }, Some(editor))
    }

    /// The picture once that which waited is where everyone sees it.
    fn showing(self, Published { image_url, images }: Published) -> Self {
        match self.waiting_picture.clone() {
            Some(waiting) => Self {
                image_url: Some(image_url),
                images,
                file_name: waiting.file_name,
                waiting_picture: None,
                ..self
            },
            None => self,
        }
    }

    /// The same without anything to see. An upload that was looked at does not come back.
    fn emptied(self) -> Self {
        Self { image_url: None, images: None, waiting_picture: None, ..self }
    }
}

/// What was published of each picture of a product that had waited.
pub type PublishedPictures = Vec<(PictureId, Published)>;

/// Why the pictures of a product stay as they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PictureRefusal {
    /// The product has no such picture.
    #[error("the product has no such picture")]
    NotFound,
    /// It has as many as a product may.
    #[error("the product has as many pictures as it may")]
    Limit,
    /// Without this one it would have none.
    #[error("it is the only picture of the product")]
    Last,
    /// The order is of other pictures.
    #[error("the product has other pictures than those named")]
    Others,
}

const PICTURE_LIMIT: Kind = Kind::new(StatusCode::CONFLICT, "picture-limit", "Picture limit");
const LAST_PICTURE: Kind = Kind::new(StatusCode::CONFLICT, "last-picture", "Last picture");

impl From<PictureRefusal> for Problem {
    fn from(refusal: PictureRefusal) -> Self {
        match refusal {
            PictureRefusal::NotFound => Self::not_found("picture"),
            PictureRefusal::Limit => {
                let detail = format!(
                    "A product has {MOST_PICTURES} pictures at most. Delete one, or put another in its place."
                );
                Self::new(PICTURE_LIMIT, detail)
            }
            PictureRefusal::Last => {
                let detail = "The product would be without a picture. Put another in its place, or add one first.";
                Self::new(LAST_PICTURE, detail)
            }
            PictureRefusal::Others => {
                let detail =
                    "The order has to name each picture that the product has, once. Read the product again.";
                Self::new(CONFLICT, detail)
            }
        }
    }
}

impl Product {
    /// Its pictures in their order; one at least, if only as the one that is to come.
    pub(crate) fn pictures(&self) -> Vec<Picture> {
        let mut pictures = self.more_pictures.clone();
        // An earlier release may have taken some of them for none.
        let place = usize::from(self.pictures_before).min(pictures.len());
        pictures.insert(place, self.own_picture());
        pictures
    }

    /// The one that its item has in attributes of its own.
    fn own_picture(&self) -> Picture {
        Picture {
            id: self.own_picture_id(),
            file_name: self.file_name.clone(),
            image_url: self.image_url.clone(),
            images: self.images.clone(),
            image_upload_id: self.image_upload_id,
            image_rejection: self.image_rejection.clone(),
            requested_upload: self.requested_upload.clone(),
            waiting_picture: self.waiting_picture.clone(),
        }
    }

    /// Which of its pictures `imageUrl` is.
    pub(crate) fn own_picture_id(&self) -> PictureId {
        self.picture_id.unwrap_or(self.id.into())
    }

    fn with_pictures(self, mut pictures: Vec<Picture>) -> Self {
        let first = |is_so: fn(&Picture) -> bool| pictures.iter().position(is_so);
        let is_shown = first(|picture| picture.image_url.is_some());
        let place = is_shown.or_else(|| first(Picture::is_there)).unwrap_or_default();
        let own = if pictures.is_empty() { self.own_picture().emptied() } else { pictures.remove(place) };
        Self {
            picture_id: Some(own.id).filter(|id| *id != self.id.into()),
            file_name: own.file_name,
            image_url: own.image_url,
            images: own.images,
            image_upload_id: own.image_upload_id,
            image_rejection: own.image_rejection,
            requested_upload: own.requested_upload,
            waiting_picture: own.waiting_picture,
            more_pictures: pictures,
            pictures_before: u8::try_from(place).unwrap_or_default(),
            ..self
        }
    }

    /// The same with another state of one of its pictures, which it has.
    fn with_picture(self, changed: Picture) -> Self {
        let mut pictures = self.pictures();
        for picture in pictures.iter_mut().filter(|picture| picture.id == changed.id) {
            *picture = changed.clone();
        }
        self.with_pictures(pictures)
    }

    /// One of its pictures, whatever there is of it.
    pub(crate) fn picture(&self, id: PictureId) -> Option<Picture> {
        self.pictures().into_iter().find(|picture| picture.id == id)
    }

    /// Whether one of its pictures waits for an admin.
    pub(crate) fn has_waiting_picture(&self) -> bool {
        let more = self.more_pictures.iter().map(|picture| &picture.waiting_picture);
        std::iter::once(&self.waiting_picture).chain(more).any(Option::is_some)
    }

    /// Where each of its pictures lies that waits, and which that is.
    pub(crate) fn waiting(&self) -> Vec<(PictureId, Placed)> {
        let pictures = self.pictures().into_iter();
        pictures.filter_map(|picture| Some((picture.id, picture.waiting_picture?.placed))).collect()
    }

    /// Those of them that need no admin.
    pub(crate) fn waiting_for_nobody(&self, reapproval: Reapproval) -> Vec<(PictureId, Placed)> {
        let free = |id| self.picture(id).is_some_and(|picture| picture.needs_nobody(reapproval));
        let waiting = self.is_for_sale().then(|| self.waiting()).unwrap_or_default();
        waiting.into_iter().filter(|(id, _)| free(*id)).collect()
    }

    /// Where each of its pictures is that everyone sees, and which that is.
    pub(crate) fn shown(&self) -> PublishedPictures {
        self.pictures().iter().filter_map(|picture| Some((picture.id, picture.shown()?))).collect()
    }

    /// The product with the pictures that had waited, where they are published.
    #[must_use]
    pub(crate) fn showing(self, published: PublishedPictures) -> Self {
        published.into_iter().fold(self, |product, (id, published)| match product.picture(id) {
            Some(picture) => product.with_picture(picture.showing(published)),
            None => product,
        })
    }

    /// The product with what became of an upload of one of its pictures, if that still awaits it. The picture waits,
    /// whatever everyone sees meanwhile.
    pub fn with_upload(
        self,
        picture: PictureId,
        upload: UploadId,
        becomes: Result<Placed, &str>,
        now: Timestamp,
    ) -> Option<Self> {
        let awaiting = self.picture(picture).filter(|picture| picture.awaits(upload))?;
        let (seen, editor) = awaiting.with_upload(upload, becomes);
        let product = Self { updated_at: now, ..self.with_picture(seen) };
        Some(match editor {
            Some(editor) => product.asking_again(editor),
            None => product,
        })
    }

    /// The product with one more picture that is to come, last in the order; `None` where it has it already. Those that
    /// never came make room.
    ///
    /// # Errors
    /// [`PictureRefusal::Limit`].
    pub fn with_announced(
        self,
        id: PictureId,
        upload: UploadId,
        file_name: &FileName,
        editor: Editor,
        now: Timestamp,
    ) -> Result<Option<Self>, PictureRefusal> {
        let mut pictures = self.pictures();
        if pictures.iter().any(|picture| picture.id == id) {
            return Ok(None);
        }
        pictures.retain(|picture| picture.is_there() || picture.is_awaited(now));
        if pictures.len() >= MOST_PICTURES {
            return Err(PictureRefusal::Limit);
        }
        let requested = RequestedUpload { upload_id: upload, file_name: file_name.clone(), editor };
        pictures.push(Picture::announced(id, requested));
        Ok(Some(Self { updated_at: now, ..self.with_pictures(pictures) }))
    }

    /// The product of which another picture is to come in the place of one that it has.
    ///
    /// # Errors
    /// [`PictureRefusal::NotFound`].
    pub fn with_replacement(
        self,
        id: PictureId,
        upload: UploadId,
        file_name: &FileName,
        editor: Editor,
        now: Timestamp,
    ) -> Result<Self, PictureRefusal> {
        let picture = self.picture(id).ok_or(PictureRefusal::NotFound)?;
        let requested = RequestedUpload { upload_id: upload, file_name: file_name.clone(), editor };
        let asked = Picture { requested_upload: Some(requested), ..picture };
        Ok(Self { updated_at: now, ..self.with_picture(asked) })
    }

    /// The product with its pictures in another order; `None` where that is the one they have.
    ///
    /// # Errors
    /// [`PictureRefusal::Others`] where they are not exactly those of the product.
    pub fn in_order(
        self,
        PictureOrder(order): &PictureOrder,
        now: Timestamp,
    ) -> Result<Option<Self>, PictureRefusal> {
        let pictures = self.pictures();
        if pictures.iter().map(|picture| &picture.id).eq(order) {
            return Ok(None);
        }
        let named = order.iter().filter_map(|id| pictures.iter().find(|picture| picture.id == *id));
        let ordered: Vec<_> = named.cloned().collect();
        if ordered.len() != order.len() || order.len() != pictures.len() {
            return Err(PictureRefusal::Others);
        }
        Ok(Some(Self { updated_at: now, ..self.with_pictures(ordered) }))
    }

    /// The product without one of its pictures, marked to be swept. Another one has to be where that was: what everyone
    /// sees a picture of is never without one, nor what waits with one.
    ///
    /// # Errors
    /// [`PictureRefusal::NotFound`] or [`PictureRefusal::Last`].
    pub fn without_picture(self, id: PictureId, now: Timestamp) -> Result<Self, PictureRefusal> {
        let mut pictures = self.pictures();
        let place = pictures.iter().position(|picture| picture.id == id).ok_or(PictureRefusal::NotFound)?;
        let gone = pictures.remove(place);
        let stays = |is_so: fn(&Picture) -> bool| pictures.iter().any(is_so);
        let is_spared = if gone.image_url.is_some() {
            stays(|picture| picture.image_url.is_some())
        } else if gone.waiting_picture.is_some() {
            stays(Picture::is_there)
        } else {
            stays(|_| true)
        };
        if !is_spared {
            return Err(PictureRefusal::Last);
        }
        Ok(Self { updated_at: now, sweep_at: Some(now + SWEPT_AFTER), ..self.with_pictures(pictures) })
    }

    /// The product without anything to see, at `now`. Of its pictures stay those that are still to come, and one.
    #[must_use]
    pub(crate) fn without_pictures(self, now: Timestamp) -> Self {
        let had_some = self.pictures().iter().any(Picture::is_there);
        let emptied: Vec<_> = self.pictures().into_iter().map(Picture::emptied).collect();
        let mut awaited: Vec<_> = emptied.iter().filter(|picture| picture.is_awaited(now)).cloned().collect();
        if awaited.is_empty() {
            awaited.extend(emptied.into_iter().next());
        }
        let sweep_at = if had_some { Some(now + SWEPT_AFTER) } else { self.sweep_at };
        Self { sweep_at, ..self.with_pictures(awaited) }
    }
}
