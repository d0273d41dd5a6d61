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

/// Names a picture of a product. The one that a product was listed with has the product's id, the others are made
/// alike.
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
                let detail =
                    "The product would be without a picture. Put another in its place, or add one first.";
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
    fn with_picture(self, changed: &Picture) -> Self {
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
        let waiting = if self.is_for_sale() { self.waiting() } else { Vec::new() };
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
            Some(picture) => product.with_picture(&picture.showing(published)),
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
        let product = Self { updated_at: now, ..self.with_picture(&seen) };
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
        Ok(Self { updated_at: now, ..self.with_picture(&asked) })
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
        let are_all = pictures.iter().all(|picture| order.contains(&picture.id));
        if !are_all || order.len() != pictures.len() {
            return Err(PictureRefusal::Others);
        }
        let named = order.iter().filter_map(|id| pictures.iter().find(|picture| picture.id == *id));
        let ordered = named.cloned().collect();
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Listing, ProductOffer};
    use proptest::prelude::*;
    use serde_json::json;
    use shared::caller::Caller;
    use shared::http::input;

    const TEA: &str = r#"{"fileName":"1.png","fileType":"image/png","productName":"Tea","productPrice":4.5,
        "description":"Green.","quantity":40,"category":"Drinks"}"#;

    fn now() -> Timestamp {
        Timestamp::from_unix_millis(1_790_000_000_000)
    }

    /// A product as it was listed, without its picture.
    fn tea() -> Product {
        let new = input::parse(TEA.as_bytes()).unwrap();
        ProductOffer::new(new, &Caller::for_tests("ann"), "USD".parse().unwrap(), now()).product
    }

    fn name(name: &str) -> FileName {
        FileName::new(name).unwrap()
    }

    /// The product with one more picture that is to come, and which that is.
    fn adding(product: Product, file_name: &str, editor: Editor) -> (Product, PictureId, UploadId) {
        let (id, upload) = (PictureId::at(now()), UploadId::at(now()));
        let announced = product.with_announced(id, upload, &name(file_name), editor, now());
        (announced.unwrap().unwrap(), id, upload)
    }

    fn placed(path: &str) -> Placed {
        serde_json::from_value(json!({ "picture": path })).unwrap()
    }

    /// The same once the file came and was checked.
    fn came(product: Product, id: PictureId, upload: UploadId) -> Product {
        let path = format!("products/tea/{upload}/0123-{id}.png");
        product.with_upload(id, upload, Ok(placed(&path)), now()).unwrap()
    }

    fn published(waiting: Vec<(PictureId, Placed)>) -> PublishedPictures {
        let at = |(id, _): (PictureId, _)| {
            (id, Published { image_url: format!("https://shop.test/{id}"), images: None })
        };
        waiting.into_iter().map(at).collect()
    }

    fn approved(product: Product) -> Product {
        let published = published(product.waiting());
        product.approved(published, now())
    }

    /// A product with as many pictures that wait, and which they are.
    fn with_waiting(many: usize) -> (Product, Vec<PictureId>) {
        let tea = tea();
        let first = PictureId::from(tea.id());
        let product = came(tea, first, UploadId::at(now()));
        (1..many).fold((product, vec![first]), |(product, mut ids), number| {
            let (product, id, upload) = adding(product, &format!("{}.png", number + 1), Editor::Seller);
            ids.push(id);
            (came(product, id, upload), ids)
        })
    }

    /// The same with as many that everyone sees.
    fn with_shown(many: usize) -> (Product, Vec<PictureId>) {
        let (product, ids) = with_waiting(many);
        (approved(product), ids)
    }

    fn ids(product: &Product) -> Vec<PictureId> {
        product.pictures().iter().map(|picture| picture.id).collect()
    }

    /// Which picture is at `imageUrl`.
    fn at_image_url(product: &Product) -> Option<PictureId> {
        product.image_url.as_ref().and_then(|url| url.strip_prefix("https://shop.test/")?.parse().ok())
    }

    fn ordered(product: Product, order: &[PictureId]) -> Result<Option<Product>, PictureRefusal> {
        product.in_order(&PictureOrder(order.to_vec()), now())
    }

    #[test]
    fn a_picture_has_one_name_in_the_keys_and_the_first_has_its_products() {
        let (product, added) = (ProductId::at(now()), PictureId::at(now()));
        let first = PictureOf { product, picture: product.into() };
        let other = PictureOf { product, picture: added };
        assert_eq!(
            (first.to_string(), other.to_string()),
            (product.to_string(), format!("{product}.{added}"))
        );
        for of in [first, other] {
            assert_eq!(of.to_string().parse(), Ok(of));
        }
        for text in
            [format!("{product}.{product}"), format!("{other}.{added}"), format!("{product}."), ".".into()]
        {
            assert_eq!(text.parse::<PictureOf>(), Err(NotAnId), "{text}");
        }
    }

    #[test]
    fn a_product_of_an_earlier_release_has_its_one_picture() {
        let old = json!({
            "id": "01a1fbbc-f7cc-71a0-aa66-431f703e44ea", "ownerId": "ann", "fileName": "tea.png",
            "productName": "Tea", "productPrice": 450, "currency": "USD", "description": "Green.",
            "category": "Drinks", "isApproved": true, "createdAt": "2026-11-28T12:04:00.000Z",
            "updatedAt": "2026-11-28T12:04:00.000Z", "version": 3, "imageUrl": "https://shop.example/tea.png"
        });
        let product: Product = serde_json::from_value(old.clone()).unwrap();
        let [picture] = product.pictures().try_into().unwrap();
        assert_eq!(
            (picture.id, picture.image_url.as_deref()),
            (product.id().into(), Some("https://shop.example/tea.png"))
        );
        // Nothing that such a release does not know is written of it.
        let written = serde_json::to_value(product).unwrap();
        for new in ["pictureId", "morePictures", "picturesBefore"] {
            assert_eq!(written[new], serde_json::Value::Null, "{new}");
        }
    }

    #[test]
    fn an_added_picture_is_the_last_and_waits_like_the_first() {
        let (product, first) = with_shown(1);
        let (announced, added, upload) = adding(product, "2.png", Editor::Seller);
        assert_eq!(ids(&announced), [first[0], added]);
        assert!(!announced.awaits_approval(), "there is nothing to look at yet");
        let waiting = came(announced, added, upload);
        assert_eq!((waiting.listing(), waiting.awaits_approval()), (Listing::Approved, true));
        assert_eq!(waiting.shown().len(), 1);
        let shown = approved(waiting);
        assert_eq!((shown.shown().len(), shown.awaits_approval()), (2, false));
        assert_eq!((at_image_url(&shown), shown.file_name.as_str()), (Some(first[0]), "1.png"));
        assert_eq!(shown.pictures()[1].file_name.as_str(), "2.png");
    }

    #[test]
    fn eight_are_as_many_as_a_product_has_with_those_to_come() {
        let (product, _) = with_waiting(MOST_PICTURES - 1);
        let (product, id, upload) = adding(product, "8.png", Editor::Seller);
        let another = |at: Timestamp| {
            product.clone().with_announced(
                PictureId::at(at),
                UploadId::at(at),
                &name("9.png"),
                Editor::Seller,
                at,
            )
        };
        assert_eq!(another(now()), Err(PictureRefusal::Limit));
        // Asked a second time for the same one, nothing is to be done.
        let again = product.clone().with_announced(id, upload, &name("8.png"), Editor::Seller, now());
        assert_eq!(again, Ok(None));
        // One that never came makes room, and one that came does not.
        assert_eq!(another(now() + Duration::from_mins(59)), Err(PictureRefusal::Limit));
        let late = now() + Duration::from_mins(61);
        let renewed = another(late).unwrap().unwrap();
        assert_eq!((renewed.pictures().len(), renewed.picture(id)), (MOST_PICTURES, None));
        let all = came(product.clone(), id, upload);
        let ninth =
            all.with_announced(PictureId::at(late), UploadId::at(late), &name("9.png"), Editor::Admin, late);
        assert_eq!(ninth, Err(PictureRefusal::Limit));
    }

    #[test]
    fn an_upload_is_of_its_own_picture_and_of_none_that_is_gone() {
        let (product, shown) = with_shown(2);
        let upload = UploadId::at(now() + Duration::from_secs(9));
        let changed = came(product.clone(), shown[1], upload);
        let waiting: Vec<_> = changed.waiting().into_iter().map(|(id, _)| id).collect();
        assert_eq!(waiting, [shown[1]]);
        let gone = product.without_picture(shown[1], now()).unwrap();
        assert_eq!(gone.with_upload(shown[1], upload, Ok(placed("products/tea/x/y")), now()), None);
    }

    #[test]
    fn another_picture_takes_the_place_of_the_one_that_was_named() {
        let (product, shown) = with_shown(3);
        let upload = UploadId::at(now() + Duration::from_secs(9));
        let asked =
            product.with_replacement(shown[1], upload, &name("new.png"), Editor::Seller, now()).unwrap();
        let replaced = approved(came(asked.clone(), shown[1], upload));
        assert_eq!(ids(&replaced), shown);
        assert_eq!(replaced.pictures()[1].file_name.as_str(), "new.png");
        let other =
            asked.with_replacement(PictureId::at(now()), upload, &name("new.png"), Editor::Seller, now());
        assert_eq!(other, Err(PictureRefusal::NotFound));
    }

    #[test]
    fn the_first_that_everyone_sees_is_at_image_url_whatever_the_order() {
        let (product, shown) = with_shown(3);
        let reversed: Vec<_> = shown.iter().rev().copied().collect();
        let turned = ordered(product, &reversed).unwrap().unwrap();
        assert_eq!((ids(&turned), at_image_url(&turned)), (reversed.clone(), Some(shown[2])));
        assert_eq!(turned.terms().image_url, turned.image_url);
        assert_eq!(ordered(turned.clone(), &reversed), Ok(None));
        // One that nobody has approved is first in the order, and not in what everyone sees.
        let (announced, added, upload) = adding(turned, "4.png", Editor::Seller);
        let waiting = came(announced, added, upload);
        let order = [added, shown[0], shown[1], shown[2]];
        let ahead = ordered(waiting, &order).unwrap().unwrap();
        assert_eq!((ids(&ahead), at_image_url(&ahead)), (order.to_vec(), Some(shown[0])));
        assert_eq!(at_image_url(&approved(ahead)), Some(added));
    }

    #[test]
    fn an_order_names_each_picture_of_the_product() {
        let (product, shown) = with_shown(3);
        for order in
            [&shown[..2], &[shown[0], shown[0], shown[1]], &[shown[0], shown[1], PictureId::at(now())]]
        {
            assert_eq!(ordered(product.clone(), order), Err(PictureRefusal::Others), "{order:?}");
        }
        let read = |body: &str| input::parse::<PictureOrder>(body.as_bytes());
        let id = shown[0];
        assert_eq!(read(&format!(r#"{{"pictures":["{id}"]}}"#)), Ok(PictureOrder(vec![id])));
        for body in [
            r#"{"pictures":[]}"#.to_owned(),
            r#"{"pictures":"x"}"#.to_owned(),
            format!(r#"{{"pictures":["{id}","{}"]}}"#, id.to_string().to_uppercase()),
            format!(r#"{{"pictures":[{}]}}"#, vec![format!("\"{}\"", PictureId::at(now())); 9].join(",")),
        ] {
            let problem = read(&body).unwrap_err();
            assert_eq!(problem.errors()[0].pointer.as_deref(), Some("#/pictures"), "{body}");
        }
    }

    #[test]
    fn the_second_follows_the_first_that_is_deleted_and_the_last_stays() {
        let (product, shown) = with_shown(2);
        let left = product.without_picture(shown[0], now()).unwrap();
        assert_eq!((ids(&left), at_image_url(&left)), (vec![shown[1]], Some(shown[1])));
        assert_eq!(left.sweep_at, Some(now() + SWEPT_AFTER));
        assert_eq!(left.clone().without_picture(shown[0], now()), Err(PictureRefusal::NotFound));
        assert_eq!(left.clone().without_picture(shown[1], now()), Err(PictureRefusal::Last));
        // One that waits is none that everyone sees.
        let (announced, added, upload) = adding(left, "3.png", Editor::Seller);
        let waiting = came(announced, added, upload);
        assert_eq!(waiting.clone().without_picture(shown[1], now()), Err(PictureRefusal::Last));
        assert_eq!(ids(&waiting.without_picture(added, now()).unwrap()), [shown[1]]);
        // And one that is to come is none that waits: the product would be taken for one that never got its picture.
        let (new, first) = with_waiting(1);
        let (announced, added, upload) = adding(new, "2.png", Editor::Seller);
        assert_eq!(announced.clone().without_picture(first[0], now()), Err(PictureRefusal::Last));
        let both = came(announced, added, upload).without_picture(first[0], now()).unwrap();
        assert_eq!((ids(&both), both.listing()), (vec![added], Listing::AwaitingApproval));
    }

    #[test]
    fn a_rejection_takes_all_pictures_and_leaves_what_is_to_come() {
        let (product, shown) = with_shown(3);
        let (product, added, upload) = adding(product, "4.png", Editor::Seller);
        let rejected = product.clone().rejected(None, now());
        assert_eq!((rejected.waiting(), rejected.shown()), (vec![], vec![]));
        assert_eq!(rejected.sweep_at, Some(now() + SWEPT_AFTER));
        let again = came(rejected, added, upload);
        assert_eq!(again.listing(), Listing::AwaitingApproval);
        // A picture that came long ago is not to come.
        let late = now() + Duration::from_hours(2);
        assert_eq!(ids(&product.rejected(None, late)), [shown[0]]);
    }

    #[test]
    fn what_an_admin_sends_is_shown_and_what_a_seller_sends_beside_it_waits() {
        let (product, shown) = with_shown(1);
        let (product, own, own_upload) = adding(product, "2.png", Editor::Seller);
        let (product, admins, admins_upload) = adding(product, "3.png", Editor::Admin);
        let product = came(came(product, own, own_upload), admins, admins_upload);
        let free: Vec<_> =
            product.waiting_for_nobody(Reapproval::Needed).into_iter().map(|(id, _)| id).collect();
        assert_eq!(free, [admins]);
        let published = published(product.waiting_for_nobody(Reapproval::Needed));
        let showing = product.showing(published);
        assert_eq!(showing.shown().iter().map(|(id, _)| *id).collect::<Vec<_>>(), [shown[0], admins]);
        assert!(showing.awaits_approval());
        assert_eq!(showing.waiting_for_nobody(Reapproval::Spared).len(), 1);
    }

    /// What can be done with pictures.
    #[derive(Debug, Clone)]
    enum Step {
        Add,
        Comes(usize, bool),
        Approve,
        Reject,
        Order(usize),
        Delete(usize),
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let step = prop_oneof![
            3 => Just(Step::Add),
            4 => (0..8_usize, any::<bool>()).prop_map(|(which, is_picture)| Step::Comes(which, is_picture)),
            2 => Just(Step::Approve),
            1 => Just(Step::Reject),
            2 => (1..8_usize).prop_map(Step::Order),
            2 => (0..8_usize).prop_map(Step::Delete),
        ];
        prop::collection::vec(step, 1..40)
    }

    fn after(product: Product, step: &Step, second: u64) -> Product {
        let at = now() + Duration::from_secs(second);
        let all = ids(&product);
        let of = |which: &usize| all[which % all.len()];
        let unless_refused = |changed: Result<Product, PictureRefusal>| changed.unwrap_or(product.clone());
        match step {
            Step::Add => {
                let (id, upload) = (PictureId::at(at), UploadId::at(at));
                let added = product.clone().with_announced(id, upload, &name("n.png"), Editor::Seller, at);
                added.ok().flatten().unwrap_or(product)
            }
            Step::Comes(which, is_picture) => {
                let upload = UploadId::at(at);
                let path = format!("products/tea/{upload}/0123-n.png");
                let becomes = if *is_picture { Ok(placed(&path)) } else { Err("Not an image.") };
                product.clone().with_upload(of(which), upload, becomes, at).unwrap_or(product)
            }
            Step::Approve => approved(product),
            Step::Reject => product.rejected(None, at),
            Step::Order(by) => {
                let mut order = all.clone();
                order.rotate_left(by % all.len());
                ordered(product.clone(), &order).unwrap().unwrap_or(product)
            }
            Step::Delete(which) => unless_refused(product.clone().without_picture(of(which), at)),
        }
    }

    proptest! {
        #[test]
        fn whatever_is_done_the_product_has_one_to_eight_pictures_and_the_first_of_them_is_its_own(steps in steps()) {
            let mut product = tea();
            for (second, step) in (1..).zip(&steps) {
                let had = product.is_for_sale() && product.image_url.is_some();
                product = after(product, step, second);
                let pictures = product.pictures();
                prop_assert!((1..=MOST_PICTURES).contains(&pictures.len()), "{step:?}");
                let mut unique = ids(&product);
                unique.sort_unstable();
                unique.dedup();
                prop_assert_eq!(unique.len(), pictures.len());
                prop_assert_eq!(product.shown().first().map(|(id, _)| *id), at_image_url(&product));
                let waits = product.image_url.is_some() || product.waiting_picture.is_some();
                prop_assert_eq!(waits, pictures.iter().any(Picture::is_there), "an earlier release sees one");
                if had && product.is_for_sale() {
                    prop_assert!(product.image_url.is_some(), "{step:?} took the only picture");
                }
                let kept: Product = serde_json::from_value(serde_json::to_value(&product).unwrap()).unwrap();
                prop_assert_eq!(&kept, &product);
            }
        }
    }
}
