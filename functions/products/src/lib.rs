//! What the shop sells, as people read of it: products, their pictures and their approval. On which terms they are
//! sold, and how many there are, is said by their [offers]. The rules are here and call nothing; [`store`] keeps
//! products in DynamoDB, [`selling`] is what sellers do with several services.

pub mod approval;
pub mod events;
pub mod gallery;
pub mod letters;
pub mod looking;
pub mod pictures;
pub mod ratings;
pub mod selling;
pub mod store;
pub mod viewed;

use std::fmt;
use std::time::Duration;

use offers::{Availability, Offer, Stock, StockError, StockRefusal, Terms};
use serde::{Deserialize, Serialize};
use shared::caller::{Caller, UserId};
use shared::dynamo::list::Page;
use shared::http::input::{Body, Fields};
use shared::http::problem::{CONFLICT, FieldError, Kind, Problem, StatusCode};
use shared::media::{FileName, Images, NewPicture, UploadId};
use shared::run::aws::{Aws, FromEnv};
use shared::run::config::{self, ConfigError};
use shared::values::domain::to_unicode;
use shared::values::money::{Currency, InMajor, Price};
use shared::values::time::Timestamp;
use stores::StoreId;

pub use approval::Approvals;
pub use gallery::{PictureId, PictureOrder, PictureRefusal, PublishedPictures};
pub use letters::{ProductLetterKind, ProductLetters};
pub use looking::Looking;
pub use offers::{Category, Deduction, ProductId, ProductName, StockChange};
pub use ratings::Rating;
pub use selling::Selling;
pub use store::Products;
pub use viewed::{RecentlyViewed, ViewedList};

use gallery::{Picture, RequestedUpload, WaitingPicture};

shared::text!(
    /// What a product is like, in lines.
    Description, 1..=5000, multiline
);

shared::text!(
    /// The seller's own number of a product, such as `MUG-3-BLUE`.
    Sku, 1..=64
);

shared::text!(
    /// Why an admin rejected a product.
    Reason, 1..=500
);

shared::body!(
    /// A product as its seller describes it.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct NewProduct {
        /// The picture that is to come.
        pub picture: NewPicture = ..,
        product_name: ProductName,
        product_price: Price,
        description: Description,
        quantity: Stock,
        category: Category,
        store_id: Option<StoreId>,
        sku: Option<Sku>,
    }
);

shared::body!(
    /// Another picture of a product.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct Replacement {
        /// The picture that is to come.
        pub picture: NewPicture = ..,
        /// In whose place; without it, in that of the one at `imageUrl`.
        pub picture_id: Option<PictureId>,
    }
);

/// What is to be different about a product: one of these at least.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProductChanges {
    product_name: Option<ProductName>,
    product_price: Option<Price>,
    description: Option<Description>,
    category: Option<Category>,
    sku: Option<Sku>,
}

impl Body for ProductChanges {
    fn read(fields: &mut Fields) -> Option<Self> {
        let members = ["productName", "productPrice", "description", "category", "sku"];
        if !members.iter().any(|name| fields.has(name)) {
            fields.fault_of_all(&format!("needs at least one of {}", members.join(", ")));
        }
        Some(Self {
            product_name: fields.optional("productName"),
            product_price: fields.optional("productPrice"),
            description: fields.optional("description"),
            category: fields.optional("category"),
            sku: fields.optional("sku"),
        })
    }
}

shared::names!(
    /// As what somebody may change a product.
    pub enum Editor {
        /// It is theirs.
        Seller = "seller",
        /// They run the shop, so their change needs nobody's approval.
        Admin = "admin",
    }
);

shared::names!(
    /// What it means for a product that is for sale when its seller changes what an admin looked at.
    pub enum Reapproval {
        /// It stays for sale.
        Spared = "false",
        /// An admin has to approve it again.
        Needed = "true",
    }
);

/// The shop's own rule, from the variable `REAPPROVE_CHANGES`.
impl FromEnv for Reapproval {
    fn from_env(_: &Aws) -> Result<Self, ConfigError> {
        config::required("REAPPROVE_CHANGES")
    }
}

/// An admin's decision on a product.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// It is for sale.
    Approved,
    /// It is not, and its seller is told why.
    Rejected(Option<Reason>),
}

impl Body for Decision {
    fn read(fields: &mut Fields) -> Option<Self> {
        let approved: Option<bool> = fields.required("approved");
        let reason = fields.optional("reason");
        if approved? {
            if reason.is_some() {
                fields.fault("reason", "is for products that are not approved");
            }
            return Some(Self::Approved);
        }
        Some(Self::Rejected(reason))
    }
}

/// Where mail reaches a seller. It stays out of logs and panics, whatever prints the product.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
struct Address(String);

impl From<&str> for Address {
    fn from(address: &str) -> Self {
        Self(address.to_owned())
    }
}

impl Address {
    /// The address as people write it, which is kept with its domain in ASCII.
    fn shown(&self) -> Self {
        match self.0.rsplit_once('@') {
            Some((local, domain)) => Self(format!("{local}@{}", to_unicode(domain))),
            None => self.clone(),
        }
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Address(…)")
    }
}

/// The shape in which products are written.
const SCHEMA_VERSION: u32 = 1;

/// A product as the table keeps it. Its requested upload and when its pictures are to be swept change by themselves,
/// everything else under its `version`; name, price and approval stand in its offer as well, and change there in the
/// same transaction.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Product {
    id: ProductId,
    owner_id: UserId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    email: Option<Address>,
    file_name: FileName,
    product_name: ProductName,
    product_price: Price,
    currency: Currency,
    description: Description,
    category: Category,
    /// In which of its seller's stores it is, for good; missing where it is in none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    store_id: Option<StoreId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sku: Option<Sku>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    image_url: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    images: Option<Images>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    image_upload_id: Option<UploadId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    image_rejection: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    requested_upload: Option<RequestedUpload>,
    /// What `image_url` is to become.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    waiting_picture: Option<WaitingPicture>,
    /// Which picture all of these are of; the one that the product was listed with where it is absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    picture_id: Option<PictureId>,
    /// All its other pictures, in their order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    more_pictures: Vec<Picture>,
    /// How many of those stand before it.
    #[serde(default, skip_serializing_if = "is_zero")]
    pictures_before: u8,
    /// When to look whether there are pictures of it that are not its own any more, or never became so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sweep_at: Option<Timestamp>,
    is_approved: bool,
    /// What it cost when an admin last agreed to that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    approved_price: Option<Price>,
    /// Whether an admin ever decided on it, so that it does not only wait for its picture.
    #[serde(default, skip_serializing_if = "is_false")]
    was_decided: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    rejection_reason: Option<String>,
    created_at: Timestamp,
    updated_at: Timestamp,
    version: u32,
    #[serde(default)]
    schema_version: u32,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "as serde calls it")]
fn is_false(value: &bool) -> bool {
    !value
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "as serde calls it")]
fn is_zero(value: &u8) -> bool {
    *value == 0
}

/// A product with the terms on which it is sold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProductOffer {
    /// What it is.
    pub product: Product,
    /// Its price and its stock.
    pub offer: Offer,
    /// What people think of it, where that was read with it.
    pub rating: Option<Rating>,
}

impl ProductOffer {
    /// What `seller` lists at `now`, with its offer: not approved, and without its picture.
    pub fn new(new: NewProduct, seller: &Caller, currency: Currency, now: Timestamp) -> Self {
        let id = ProductId::at(now);
        let (name, price) = (new.product_name.clone(), new.product_price);
        let category = new.category.clone();
        let offer = Offer::new(id, name, price, currency, category, new.quantity, seller.id().clone());
        let offer = offer.in_store(new.store_id);
        let product = Product {
            id,
            owner_id: seller.id().clone(),
            email: seller.email().map(Address::from),
            file_name: new.picture.file_name,
            product_name: new.product_name,
            product_price: new.product_price,
            currency,
            description: new.description,
            category: new.category,
            sku: new.sku,
            store_id: new.store_id,
            image_url: None,
            images: None,
            image_upload_id: None,
            image_rejection: None,
            requested_upload: None,
            waiting_picture: None,
            picture_id: None,
            more_pictures: Vec::new(),
            pictures_before: 0,
            sweep_at: None,
            is_approved: false,
            approved_price: None,
            was_decided: false,
            rejection_reason: None,
            created_at: now,
            updated_at: now,
            version: 1,
            schema_version: SCHEMA_VERSION,
        };
        Self { product, offer, rating: None }
    }
}

/// Which of the shop's lists a product stands on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Listing {
    /// Everyone sees it.
    Approved,
    /// An admin has to decide on it.
    AwaitingApproval,
    /// Its picture has not come; after an hour it is cleaned up.
    AwaitingImage,
    /// An admin rejected it; only its seller sees it.
    Rejected,
}

impl Product {
    /// Its id.
    pub fn id(&self) -> ProductId {
        self.id
    }

    /// Who sells it.
    pub fn seller(&self) -> &UserId {
        &self.owner_id
    }

    /// What it is called.
    pub fn name(&self) -> &ProductName {
        &self.product_name
    }

    /// What it is like.
    pub fn description(&self) -> &Description {
        &self.description
    }

    /// Under what it is found.
    pub fn category(&self) -> &Category {
        &self.category
    }

    /// Its seller's own number of it.
    pub fn sku(&self) -> Option<&Sku> {
        self.sku.as_ref()
    }

    /// When it was listed.
    pub fn created_at(&self) -> Timestamp {
        self.created_at
    }

    /// In which store it is, if it is in one. Only while that is published everyone may see and order it.
    pub fn store(&self) -> Option<StoreId> {
        self.store_id
    }

    /// What its offer says of it.
    pub fn terms(&self) -> Terms {
        let availability = if self.is_for_sale() { Availability::ForSale } else { Availability::Withheld };
        Terms {
            product_name: self.product_name.clone(),
            price: self.product_price,
            category: self.category.clone(),
            image_url: self.image_url.clone(),
            availability,
        }
    }

    /// Whether everyone may see and order it, as long as its store is published.
    pub fn is_for_sale(&self) -> bool {
        self.is_approved
    }

    /// Which of the shop's lists it stands on.
    pub fn listing(&self) -> Listing {
        let had_its_picture = self.image_url.is_some() || self.waiting_picture.is_some() || self.was_decided;
        match (self.is_approved, had_its_picture, &self.rejection_reason) {
            (true, _, _) => Listing::Approved,
            (false, _, Some(_)) => Listing::Rejected,
            (false, false, None) => Listing::AwaitingImage,
            (false, true, None) => Listing::AwaitingApproval,
        }
    }

    /// Whether an admin has to look at it: all of it, or pictures that nobody has seen yet.
    pub fn awaits_approval(&self) -> bool {
        match self.listing() {
            Listing::AwaitingApproval => true,
            Listing::Approved => self.has_waiting_picture(),
            Listing::AwaitingImage | Listing::Rejected => false,
        }
    }

    /// The product once an admin approved it at `now`, with the pictures that had waited, where they are published.
    #[must_use]
    pub fn approved(self, published: PublishedPictures, now: Timestamp) -> Self {
        let approved_price = Some(self.product_price);
        let approved =
            Self { is_approved: true, rejection_reason: None, approved_price, was_decided: true, ..self };
        Self { updated_at: now, ..approved.showing(published) }
    }

    /// The product once an admin turned it down at `now`. Its pictures go with it.
    #[must_use]
    pub fn rejected(self, reason: Option<&Reason>, now: Timestamp) -> Self {
        let reason = reason.map_or("Not approved.", Reason::as_str);
        Self {
            is_approved: false,
            rejection_reason: Some(reason.to_owned()),
            was_decided: true,
            updated_at: now,
            ..self.without_pictures(now)
        }
    }

    /// Whether it is the same but for what changes by itself.
    pub(crate) fn is_the_same_version(&self, other: &Self) -> bool {
        let requested_upload = other.requested_upload.clone();
        Self { requested_upload, sweep_at: other.sweep_at, ..self.clone() } == *other
    }

    /// Counts the changes of all that people see of it but its stock, from 1.
    pub fn version(&self) -> u32 {
        self.version
    }

    /// Whether `caller` sells it.
    pub fn is_of(&self, caller: &Caller) -> bool {
        self.owner_id == *caller.id()
    }

    /// As what `caller` may change it.
    ///
    /// # Errors
    /// What is for sale is known to everyone, so it says that it is another's; of all else nothing is told.
    pub fn editor(&self, caller: &Caller) -> Result<Editor, Error> {
        if caller.is_admin() {
            Ok(Editor::Admin)
        } else if self.is_of(caller) {
            Ok(Editor::Seller)
        } else if self.is_for_sale() {
            Err(Error::NotYours)
        } else {
            Err(Error::NotFound)
        }
    }

    /// The product with what somebody changed at `now`; `None` where nothing is different.
    pub fn with_changes(
        self,
        changes: &ProductChanges,
        editor: Editor,
        reapproval: Reapproval,
        now: Timestamp,
    ) -> Option<Self> {
        let ProductChanges { product_name, product_price, description, category, sku } = changes.clone();
        let changed = Self {
            product_name: product_name.unwrap_or_else(|| self.product_name.clone()),
            product_price: product_price.unwrap_or(self.product_price),
            description: description.unwrap_or_else(|| self.description.clone()),
            category: category.unwrap_or_else(|| self.category.clone()),
            sku: sku.or_else(|| self.sku.clone()),
            ..self.clone()
        };
        if changed == self {
            return None;
        }
        let reconsidered = match editor {
            Editor::Admin => Self { approved_price: Some(changed.product_price), ..changed },
            Editor::Seller => {
                let keeps_approval = reapproval == Reapproval::Spared || !needs_approval(&self, &changed);
                Self { is_approved: self.is_approved && keeps_approval, ..changed.asking_again(editor) }
            }
        };
        Some(Self { updated_at: now, ..reconsidered })
    }

    /// The product after a change: its seller's asks again after a rejection.
    pub(crate) fn asking_again(self, editor: Editor) -> Self {
        match editor {
            Editor::Admin => self,
            Editor::Seller => Self { rejection_reason: None, ..self },
        }
    }

    pub(crate) fn changed_at(self, now: Timestamp) -> Self {
        Self { updated_at: now, ..self }
    }

    /// The same as the version after `read`, and dated after it.
    fn following(self, read: &Self) -> Self {
        Self { version: read.version + 1, updated_at: self.updated_at.after(read.updated_at), ..self }
    }
}

/// For so long whoever publishes a picture, or leaves one, may still be at work on it.
pub(crate) const SWEPT_AFTER: Duration = Duration::from_mins(15);

/// Whether an admin has to look at a product again once it became another one: what people read of it is different, or
/// it costs less than half of what it did, or of what an admin last agreed to, in however many steps.
pub fn needs_approval(old: &Product, new: &Product) -> bool {
    let reads_otherwise = (&old.product_name, &old.description, &old.category)
        != (&new.product_name, &new.description, &new.category);
    let minor = |price: Price| price.amount().minor();
    let is_less_than_half = |price: Price| minor(new.product_price).saturating_mul(2) < minor(price);
    reads_otherwise
        || new.product_price != old.product_price
            && (is_less_than_half(old.product_price) || old.approved_price.is_some_and(is_less_than_half))
}

/// What everyone sees of a product. The seller's address is not in it.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PublicProduct {
    id: ProductId,
    file_name: FileName,
    product_name: ProductName,
    product_price: InMajor,
    currency: Currency,
    description: Description,
    quantity: Stock,
    category: Category,
    #[serde(skip_serializing_if = "Option::is_none")]
    sku: Option<Sku>,
    #[serde(skip_serializing_if = "Option::is_none")]
    store_id: Option<StoreId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    image_url: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    images: Option<Images>,
    is_approved: bool,
    created_at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    rating: Option<Rating>,
}

/// What everyone sees of one product that they look at: all its pictures as well.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PublicPage {
    #[serde(flatten)]
    product: PublicProduct,
    pictures: Vec<PictureShown>,
}

/// A picture that everyone sees.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
struct PictureShown {
    id: PictureId,
    file_name: FileName,
    #[serde(skip_serializing_if = "Option::is_none")]
    image_url: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    images: Option<Images>,
}

/// A picture as its seller and the admins see it.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
struct OwnPicture {
    #[serde(flatten)]
    shown: PictureShown,
    #[serde(skip_serializing_if = "Option::is_none")]
    image_rejection: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    waiting_picture: Option<PictureToSee>,
}

impl From<Picture> for PictureShown {
    fn from(picture: Picture) -> Self {
        Self {
            id: picture.id,
            file_name: picture.file_name,
            image_url: picture.image_url,
            images: picture.images,
        }
    }
}

impl From<Picture> for OwnPicture {
    fn from(mut picture: Picture) -> Self {
        Self { image_rejection: picture.image_rejection.take(), shown: picture.into(), waiting_picture: None }
    }
}

/// What its seller and the admins see of a product.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct OwnProduct {
    #[serde(flatten)]
    public: PublicProduct,
    /// Pieces of orders that have not shipped yet; they are no part of `quantity`.
    promised: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<Address>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rejection_reason: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    image_rejection: Option<String>,
    /// Only in what reads products: nobody else may see it.
    #[serde(skip_serializing_if = "Option::is_none")]
    waiting_picture: Option<PictureToSee>,
    /// Only where it is about them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pictures: Option<Vec<OwnPicture>>,
    updated_at: Timestamp,
    version: u32,
}

/// A picture that waits, at URLs for whoever asked.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PictureToSee {
    file_name: FileName,
    image_url: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    images: Option<Images>,
}

impl From<ProductOffer> for PublicProduct {
    fn from(ProductOffer { product, offer, rating }: ProductOffer) -> Self {
        Self {
            id: product.id,
            file_name: product.file_name,
            product_name: product.product_name,
            product_price: offer.price().amount().in_major(),
            currency: offer.currency(),
            description: product.description,
            quantity: offer.stock(),
            category: product.category,
            sku: product.sku,
            store_id: product.store_id,
            image_url: product.image_url,
            images: product.images,
            is_approved: product.is_approved,
            created_at: product.created_at,
            rating,
        }
    }
}

impl From<ProductOffer> for PublicPage {
    fn from(found: ProductOffer) -> Self {
        let pictures = found.product.pictures().into_iter().filter(|picture| picture.image_url.is_some());
        Self { pictures: pictures.map(Into::into).collect(), product: found.into() }
    }
}

impl From<ProductOffer> for OwnProduct {
    fn from(ProductOffer { mut product, offer, rating }: ProductOffer) -> Self {
        let mut rejections = product.pictures().into_iter().filter_map(|picture| picture.image_rejection);
        Self {
            email: product.email.take().map(|address| address.shown()),
            rejection_reason: product.rejection_reason.take(),
            image_rejection: rejections.next(),
            waiting_picture: None,
            pictures: None,
            updated_at: product.updated_at,
            version: product.version,
            promised: offer.promised(),
            public: ProductOffer { product, offer, rating }.into(),
        }
    }
}

impl OwnProduct {
    /// The same with all its pictures, but for what waits.
    pub fn with_pictures(found: ProductOffer) -> Self {
        let pictures = found.product.pictures().into_iter().map(Into::into).collect();
        Self { pictures: Some(pictures), ..found.into() }
    }
}

/// What is left of a product after a deduction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct StockLeft {
    id: ProductId,
    quantity: Stock,
}

impl From<ProductOffer> for StockLeft {
    fn from(ProductOffer { offer, .. }: ProductOffer) -> Self {
        Self { id: offer.product_id(), quantity: offer.stock() }
    }
}

/// A page of products, each as `T` shows it.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ProductList<T> {
    products: Vec<T>,
    next_cursor: Option<String>,
}

impl From<Page<ProductOffer>> for ProductList<PublicProduct> {
    fn from(page: Page<ProductOffer>) -> Self {
        Self { products: page.entries.into_iter().map(Into::into).collect(), next_cursor: page.next_cursor }
    }
}

impl From<Page<OwnProduct>> for ProductList<OwnProduct> {
    fn from(page: Page<OwnProduct>) -> Self {
        Self { products: page.entries, next_cursor: page.next_cursor }
    }
}

/// What a seller gets for a new product: where its picture goes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ProductCreated {
    /// Takes one PUT with the picture and its content type, for 15 minutes.
    pub upload_url: String,
    /// The product's id.
    pub id: ProductId,
}

/// Where the new picture of a product goes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct UploadRequested {
    /// Takes one PUT with the picture and its content type, for 15 minutes.
    pub upload_url: String,
}

/// A picture that was added to a product, and where its file goes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PictureAdded {
    /// Takes one PUT with the picture and its content type, for 15 minutes.
    pub upload_url: String,
    /// The picture's id.
    pub id: PictureId,
}

/// Why nothing was done.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no such product, or not for the caller.
    #[error("there is no such product")]
    NotFound,
    /// Everyone may see it, but it is somebody else's.
    #[error("the product is somebody else's")]
    NotYours,
    /// It is to be in a store that is not its seller's.
    #[error("the store is not the seller's")]
    NotYourStore,
    /// It is to be for sale in a store that is not published.
    #[error("the product's store is not published")]
    StoreNotPublished,
    /// Its stock was not changed.
    #[error(transparent)]
    Stock(#[from] StockError),
    /// Its pictures were not changed.
    #[error(transparent)]
    Picture(#[from] PictureRefusal),
    /// It is not, or no longer, a version that the request is about.
    #[error("the product is another version")]
    AnotherVersion,
    /// Others changed it again and again at the same time.
    #[error("the product was changed by others at the same time")]
    ChangedMeanwhile,
    /// A call failed.
    #[error(transparent)]
    Failed(#[from] anyhow::Error),
}

const STORE_NOT_PUBLISHED: Kind =
    Kind::new(StatusCode::CONFLICT, "store-not-published", "Store not published");

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        match error {
            Error::NotFound => StockRefusal::NotFound.into(),
            Error::NotYours => StockRefusal::NotYours.into(),
            Error::NotYourStore => {
                let fault = FieldError::body("#/storeId", "must be the id of one of your own stores");
                Self::invalid_input(vec![fault])
            }
            Error::StoreNotPublished => Self::new(
                STORE_NOT_PUBLISHED,
                "The store of this product is not published. Approve the product once it is.",
            ),
            Error::Stock(error) => error.into(),
            Error::Picture(refusal) => refusal.into(),
            Error::AnotherVersion => Self::another_version("product"),
            Error::ChangedMeanwhile => {
                Self::new(CONFLICT, "The product was changed by others at the same time. Please try again.")
            }
            Error::Failed(error) => error.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Reapproval::{Needed, Spared};
    use proptest::prelude::*;
    use serde_json::json;
    use shared::http::input;
    use shared::media::{Placed, Published};
    use std::ops::Bound;

    const TEA: &str = r#"{"fileName":"tea.png","fileType":"image/png","productName":"Tea","productPrice":4.5,
        "description":"Green.","quantity":40,"category":"Drinks"}"#;

    fn now() -> Timestamp {
        Timestamp::from_unix_millis(1_790_000_000_000)
    }

    fn tea() -> Product {
        let new = input::parse(TEA.as_bytes()).unwrap();
        ProductOffer::new(new, &Caller::for_tests("ann"), "USD".parse().unwrap(), now()).product
    }

    fn tea_on_offer() -> ProductOffer {
        let new = input::parse(TEA.as_bytes()).unwrap();
        ProductOffer::new(new, &Caller::for_tests("ann"), "USD".parse().unwrap(), now())
    }

    fn upload(second: u64) -> UploadId {
        UploadId::at(now() + Duration::from_secs(second))
    }

    fn at(name: &str) -> Result<Placed, &'static str> {
        Ok(serde_json::from_value(json!({ "picture": format!("products/tea/folder/{name}") })).unwrap())
    }

    /// The product with what became of an upload of the picture that it was listed with.
    fn looked_at(product: Product, upload: UploadId, becomes: Result<Placed, &str>) -> Option<Product> {
        let picture = product.id().into();
        product.with_upload(picture, upload, becomes, now())
    }

    /// The product once its picture, if one waits, is published under this name.
    fn published(product: &Product, name: &str) -> PublishedPictures {
        let at = |(id, _)| (id, Published { image_url: format!("https://shop.test/{name}"), images: None });
        product.waiting().into_iter().map(at).collect()
    }

    fn approved_as(product: Product, name: &str) -> Product {
        let published = published(&product, name);
        product.approved(published, now())
    }

    /// Under which name everyone sees its picture.
    fn shows(product: &Product) -> Option<&str> {
        product.image_url.as_deref().map(|url| url.trim_start_matches("https://shop.test/"))
    }

    fn with_picture(product: Product) -> Product {
        looked_at(product, upload(1), at("tea.png")).unwrap()
    }

    fn approved() -> Product {
        approved_as(with_picture(tea()), "tea.png")
    }

    fn rejected() -> Product {
        with_picture(tea()).rejected(None, now())
    }

    fn waits(product: &Product) -> Option<&str> {
        product.waiting_picture.as_ref().map(|waiting| waiting.placed.path())
    }

    #[test]
    fn a_new_product_waits_for_its_picture_and_then_for_an_admin() {
        assert_eq!(tea().listing(), Listing::AwaitingImage);
        let waiting = with_picture(tea());
        assert_eq!((waiting.listing(), shows(&waiting)), (Listing::AwaitingApproval, None));
        assert_eq!(waits(&waiting), Some("products/tea/folder/tea.png"));
        let approved = approved();
        assert_eq!((approved.listing(), shows(&approved)), (Listing::Approved, Some("tea.png")));
        assert_eq!((waits(&approved), approved.awaits_approval()), (None, false));
    }

    #[test]
    fn a_new_picture_waits_while_the_old_one_is_shown() {
        let again = looked_at(approved(), upload(2), at("2.png")).unwrap();
        assert_eq!((again.listing(), shows(&again)), (Listing::Approved, Some("tea.png")));
        assert_eq!((waits(&again), again.awaits_approval()), (Some("products/tea/folder/2.png"), true));
        let shown = approved_as(again, "2.png");
        assert_eq!((shows(&shown), waits(&shown)), (Some("2.png"), None));
    }

    #[test]
    fn a_rejection_takes_the_pictures_and_marks_them_to_be_swept() {
        let with_both = looked_at(approved(), upload(2), at("2.png")).unwrap();
        for product in [with_picture(tea()), approved(), with_both] {
            let rejected = product.rejected(None, now());
            assert_eq!(
                (rejected.listing(), shows(&rejected), waits(&rejected)),
                (Listing::Rejected, None, None)
            );
            assert_eq!(rejected.sweep_at, Some(now() + SWEPT_AFTER));
        }
        assert_eq!(tea().rejected(None, now()).sweep_at, None);
        let again = looked_at(rejected(), upload(2), at("2.png")).unwrap();
        assert_eq!(again.listing(), Listing::AwaitingApproval);
    }

    #[test]
    fn what_was_decided_on_is_not_taken_for_new_when_it_has_no_picture() {
        let mend = changes(r#"{"description":"Green tea."}"#);
        let mended = rejected().with_changes(&mend, Editor::Seller, Needed, now()).unwrap();
        assert_eq!((shows(&mended), mended.listing()), (None, Listing::AwaitingApproval));
        let renamed = changes(r#"{"productName":"Coffee"}"#);
        let bare =
            tea().approved(Vec::new(), now()).with_changes(&renamed, Editor::Seller, Needed, now()).unwrap();
        assert_eq!((shows(&bare), bare.listing()), (None, Listing::AwaitingApproval));
    }

    #[test]
    fn what_is_no_picture_leaves_the_old_one_and_says_why() {
        let product = looked_at(approved(), upload(2), Err("Not an image.")).unwrap();
        assert_eq!(shows(&product), Some("tea.png"));
        assert_eq!(product.image_rejection.as_deref(), Some("Not an image."));
        let waiting = looked_at(with_picture(tea()), upload(2), Err("Not an image.")).unwrap();
        assert_eq!(waits(&waiting), Some("products/tea/folder/tea.png"));
    }

    #[test]
    fn the_first_picture_settles_its_upload() {
        let (tea, first) = (tea(), upload(1));
        let becomes = |product: &Product, what| looked_at(product.clone(), first, what);
        let picture = |product: &Product| product.picture(product.id().into()).unwrap();
        let settled = becomes(&tea, at("tea.png")).unwrap();
        for late in [at("other.png"), Err("Not an image.")] {
            assert_eq!(becomes(&settled, late), None);
        }
        assert_eq!(
            picture(&settled).settled(),
            Some((Bound::Included(first), Some("products/tea/folder/tea.png")))
        );
        let refused = becomes(&tea, Err("Not an image.")).unwrap();
        assert!(picture(&refused).awaits(first));
        assert_eq!(picture(&refused).settled(), Some((Bound::Excluded(first), None)));
        assert_eq!(becomes(&refused, at("tea.png")), Some(settled));
    }

    fn changes(body: &str) -> ProductChanges {
        input::parse(body.as_bytes()).unwrap()
    }

    #[test]
    fn a_product_is_its_sellers_and_the_admins_to_change() {
        let (ann, bob) = (Caller::for_tests("ann"), Caller::for_tests("bob"));
        assert!(matches!(approved().editor(&ann), Ok(Editor::Seller)));
        assert!(matches!(approved().editor(&bob), Err(Error::NotYours)));
        assert!(matches!(tea().editor(&bob), Err(Error::NotFound)));
    }

    #[test]
    fn a_change_leaves_all_else_as_it_was() {
        let later = now() + Duration::from_secs(1);
        let before = approved();
        let change = changes(r#"{"productPrice":5,"category":"Tea"}"#);
        let changed = before.clone().with_changes(&change, Editor::Seller, Spared, later).unwrap();
        let price = changed.terms().price;
        assert_eq!(price.amount().minor(), 500);
        let category = Category::new("Tea").unwrap();
        let expected = Product { product_price: price, category, updated_at: later, ..before };
        assert_eq!(changed, expected);
    }

    #[test]
    fn what_is_so_already_is_no_change() {
        let same = changes(r#"{"productName":" Tea ","productPrice":4.50}"#);
        assert_eq!(approved().with_changes(&same, Editor::Seller, Needed, now()), None);
    }

    #[test]
    fn what_an_admin_looked_at_is_looked_at_again_once_it_is_different() {
        let other = |body: &str| {
            let spared = approved().with_changes(&changes(body), Editor::Seller, Spared, now()).unwrap();
            needs_approval(&approved(), &spared)
        };
        for body in [
            r#"{"productName":"Coffee"}"#,
            r#"{"description":"Black."}"#,
            r#"{"category":"Tea"}"#,
            r#"{"productPrice":2.24}"#,
            r#"{"productPrice":0.01}"#,
            r#"{"productPrice":9,"category":"Tea"}"#,
        ] {
            assert!(other(body), "{body}");
        }
        for body in [r#"{"productPrice":2.25}"#, r#"{"productPrice":9}"#, r#"{"productPrice":1000000}"#] {
            assert!(!other(body), "{body}");
        }
        assert!(!needs_approval(&approved(), &approved()));
    }

    #[test]
    fn a_price_that_falls_in_small_steps_has_fallen_as_much() {
        let cheaper = |product: Product, price: &str, editor| {
            let change = changes(&format!(r#"{{"productPrice":{price}}}"#));
            product.with_changes(&change, editor, Needed, now()).unwrap()
        };
        let once = cheaper(approved(), "3", Editor::Seller);
        assert_eq!(once.listing(), Listing::Approved);
        let twice = cheaper(once.clone(), "2", Editor::Seller);
        assert_eq!(twice.listing(), Listing::AwaitingApproval);
        // What an admin agreed to is what counts from then on.
        let agreed = twice.approved(Vec::new(), now());
        assert_eq!(cheaper(agreed, "1", Editor::Seller).listing(), Listing::Approved);
        let by_admin = cheaper(once, "1", Editor::Admin);
        assert_eq!(by_admin.listing(), Listing::Approved);
        assert_eq!(cheaper(by_admin, "0.50", Editor::Seller).listing(), Listing::Approved);
        // Who raises a price first does not lower it unseen.
        let dear = cheaper(approved(), "100", Editor::Seller);
        assert_eq!(cheaper(dear, "40", Editor::Seller).listing(), Listing::AwaitingApproval);
    }

    #[test]
    fn a_change_by_its_seller_takes_it_off_sale_and_an_admins_or_a_spared_one_does_not() {
        for (body, editor, reapproval, listing) in [
            (r#"{"productName":"Coffee"}"#, Editor::Seller, Needed, Listing::AwaitingApproval),
            (r#"{"productPrice":1}"#, Editor::Seller, Needed, Listing::AwaitingApproval),
            (r#"{"productPrice":9}"#, Editor::Seller, Needed, Listing::Approved),
            (r#"{"productName":"Coffee"}"#, Editor::Seller, Spared, Listing::Approved),
            (r#"{"productName":"Coffee"}"#, Editor::Admin, Needed, Listing::Approved),
        ] {
            let changed = approved().with_changes(&changes(body), editor, reapproval, now()).unwrap();
            assert_eq!(changed.listing(), listing, "{body} {editor:?} {reapproval:?}");
            assert_eq!(changed.terms().availability == Availability::ForSale, listing == Listing::Approved);
            assert_eq!(shows(&changed), Some("tea.png"));
        }
    }

    #[test]
    fn what_its_seller_mends_after_a_rejection_waits_for_another_decision() {
        let mend = changes(r#"{"description":"Green tea."}"#);
        let mended = |editor| rejected().with_changes(&mend, editor, Spared, now()).unwrap().listing();
        assert_eq!(mended(Editor::Seller), Listing::AwaitingApproval);
        assert_eq!(mended(Editor::Admin), Listing::Rejected);
    }

    #[test]
    fn a_requested_picture_brings_its_name_and_its_editor() {
        let (asked, other) = (upload(2), upload(3));
        let requested = |editor| RequestedUpload {
            upload_id: asked,
            file_name: FileName::new("so cute.png").unwrap(),
            editor,
        };
        let waiting = |requested, upload, reapproval| {
            let product = Product { requested_upload: Some(requested), ..approved() };
            let product = looked_at(product, upload, at("2.png")).unwrap();
            let file_name = product.waiting_picture.as_ref().unwrap().file_name.as_str().to_owned();
            assert_eq!(product.file_name.as_str(), "tea.png", "as long as that is shown");
            let shown = product.clone().showing(published(&product, "2.png"));
            assert_eq!((shown.file_name.as_str(), shows(&shown)), (file_name.as_str(), Some("2.png")));
            (!product.waiting_for_nobody(reapproval).is_empty(), file_name)
        };
        let cute = "so cute.png".to_owned();
        assert_eq!(waiting(requested(Editor::Admin), asked, Needed), (true, cute.clone()));
        assert_eq!(waiting(requested(Editor::Seller), asked, Needed), (false, cute.clone()));
        assert_eq!(waiting(requested(Editor::Seller), asked, Spared), (true, cute));
        // An upload that is not the requested one is taken for the seller's.
        assert_eq!(waiting(requested(Editor::Admin), other, Needed), (false, "tea.png".to_owned()));
        // What is not for sale has to be approved as a whole.
        assert_eq!(with_picture(tea()).waiting_for_nobody(Spared), []);
    }

    #[test]
    fn what_changes_by_itself_makes_no_other_version() {
        let product = approved();
        let marked = Product { sweep_at: Some(now()), ..product.clone() };
        assert!(product.is_the_same_version(&marked));
        assert!(!product.is_the_same_version(&product.clone().following(&product)));
    }

    #[test]
    fn a_change_changes_something() {
        let pointers = |body: &str| {
            let problem = input::parse::<ProductChanges>(body.as_bytes()).unwrap_err();
            problem.errors().iter().map(|error| error.pointer.clone().unwrap_or_default()).collect::<Vec<_>>()
        };
        assert_eq!(pointers("{}"), ["#"]);
        assert_eq!(pointers(r#"{"productName":null}"#), ["#"]);
        assert_eq!(pointers(r#"{"productName":"","productPrice":0}"#), ["#/productName", "#/productPrice"]);
        assert_eq!(pointers(r#"{"quantity":1,"category":"Tea"}"#), ["#/quantity"]);
    }

    proptest! {
        #[test]
        fn the_newest_upload_wins_in_whatever_order_they_are_seen(order in Just(vec![1_u64, 2, 3]).prop_shuffle()) {
            let ids = [upload(1), upload(2), upload(3)];
            let product = order.iter().fold(tea(), |product, &number| {
                let id = ids[usize::try_from(number - 1).unwrap()];
                looked_at(product.clone(), id, at(&number.to_string())).unwrap_or(product)
            });
            prop_assert_eq!(waits(&product), Some("products/tea/folder/3"));
        }
    }

    #[test]
    fn everyone_sees_the_price_and_nobody_the_sellers_address() {
        let shown = as_json(&PublicProduct::from(tea_on_offer()));
        assert!(shown.contains(r#""productPrice":4.5"#), "{shown}");
        assert!(!shown.contains("ann@"), "{shown}");
        assert!(as_json(&OwnProduct::from(tea_on_offer())).contains("ann@"));
        assert_eq!(Address::from("pat@xn--mnchen-3ya.example").shown().0, "pat@münchen.example");
    }

    #[test]
    fn no_address_is_ever_printed() {
        let printed = format!("{:?} {:?}", tea(), OwnProduct::from(tea_on_offer()));
        assert!(!printed.contains("ann@"), "{printed}");
    }

    fn as_json(value: &impl Serialize) -> String {
        serde_json::to_string(value).unwrap()
    }

    fn pointers(body: &str) -> Vec<String> {
        let problem = input::parse::<NewProduct>(body.as_bytes()).unwrap_err();
        let pointer = |error: &FieldError| error.pointer.clone().unwrap_or_default();
        problem.errors().iter().map(pointer).collect()
    }

    #[test]
    fn every_field_of_a_new_product_is_checked() {
        for (from, to, pointer) in [
            ("tea.png", "", "#/fileName"),
            ("image/png", "image/svg+xml", "#/fileType"),
            ("4.5", "4.555", "#/productPrice"),
            ("4.5", "0", "#/productPrice"),
            ("4.5", "\"4.5\"", "#/productPrice"),
            ("40", "-1", "#/quantity"),
            ("40", "1.5", "#/quantity"),
            ("40", "1000001", "#/quantity"),
            ("Drinks", " ", "#/category"),
            ("Green.", "\\u0000", "#/description"),
        ] {
            assert_eq!(pointers(&TEA.replace(from, to)), [pointer], "{from} → {to}");
        }
    }

    #[test]
    fn a_reason_is_for_a_rejection() {
        let decision = |body: &str| input::parse::<Decision>(body.as_bytes());
        assert_eq!(decision(r#"{"approved":true}"#), Ok(Decision::Approved));
        let reason = Reason::new("Blurred.").unwrap();
        let rejected = decision(r#"{"approved":false,"reason":"Blurred."}"#);
        assert_eq!(rejected, Ok(Decision::Rejected(Some(reason))));
        assert!(decision(r#"{"approved":true,"reason":"Fine."}"#).is_err());
    }
}
