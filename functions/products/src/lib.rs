//! What the shop sells, as people read of it: products, their pictures and their approval. On which terms they are
//! sold, and how many there are, is said by their [offers]. The rules are here and call nothing; [`store`] keeps
//! products in DynamoDB, [`selling`] is what sellers do with several services.

pub mod events;
pub mod pictures;
pub mod selling;
pub mod store;

use std::fmt;

use offers::{Availability, Offer, Stock, StockError, StockRefusal, Terms};
use serde::{Deserialize, Serialize};
use shared::caller::{Caller, UserId};
use shared::dynamo::list::Page;
use shared::http::Parameter;
use shared::http::input::{Body, Fields};
use shared::http::problem::{CONFLICT, Problem};
use shared::media::{FileName, Images, NewPicture, Published, UploadId};
use shared::run::aws::{Aws, FromEnv};
use shared::run::config::{self, ConfigError};
use shared::values::domain::to_unicode;
use shared::values::money::{Currency, InMajor, Price};
use shared::values::time::Timestamp;

pub use offers::{Deduction, ProductId, ProductName, StockChange};
pub use selling::Selling;
pub use store::Products;

shared::text!(
    /// What a product is like, in lines.
    Description, 1..=5000, multiline
);

shared::text!(
    /// The category under which a product is found.
    Category, 1..=60
);

shared::text!(
    /// Why an admin rejected a product.
    Reason, 1..=500
);

impl Parameter for Category {
    const NAME: &'static str = "category";
}

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
    }
);

/// What is to be different about a product: one of these at least.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProductChanges {
    product_name: Option<ProductName>,
    product_price: Option<Price>,
    description: Option<Description>,
    category: Option<Category>,
}

impl Body for ProductChanges {
    fn read(fields: &mut Fields) -> Option<Self> {
        let members = ["productName", "productPrice", "description", "category"];
        if !members.iter().any(|name| fields.has(name)) {
            fields.fault_of_all(&format!("needs at least one of {}", members.join(", ")));
        }
        Some(Self {
            product_name: fields.optional("productName"),
            product_price: fields.optional("productPrice"),
            description: fields.optional("description"),
            category: fields.optional("category"),
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
    /// What a new name, price or picture by its seller means for a product that is for sale.
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

/// The newest upload for which a URL was asked: what its file is called and who asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct RequestedUpload {
    upload_id: UploadId,
    file_name: FileName,
    editor: Editor,
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

/// A product as the table keeps it. Its requested upload changes by itself, everything else under its `version`; name,
/// price and approval stand in its offer as well, and change there in the same transaction.
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
    is_approved: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    rejection_reason: Option<String>,
    created_at: Timestamp,
    updated_at: Timestamp,
    version: u32,
    #[serde(default)]
    schema_version: u32,
}

/// A product with the terms on which it is sold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProductOffer {
    /// What it is.
    pub product: Product,
    /// Its price and its stock.
    pub offer: Offer,
}

impl ProductOffer {
    /// What `seller` lists at `now`, with its offer: not approved, and without its picture.
    pub fn new(new: NewProduct, seller: &Caller, currency: Currency, now: Timestamp) -> Self {
        let id = ProductId::at(now);
        let (name, price) = (new.product_name.clone(), new.product_price);
        let offer = Offer::new(id, name, price, currency, new.quantity, seller.id().clone());
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
            image_url: None,
            images: None,
            image_upload_id: None,
            image_rejection: None,
            requested_upload: None,
            is_approved: false,
            rejection_reason: None,
            created_at: now,
            updated_at: now,
            version: 1,
            schema_version: SCHEMA_VERSION,
        };
        Self { product, offer }
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

    /// What it is called.
    pub fn name(&self) -> &ProductName {
        &self.product_name
    }

    /// What its offer says of it.
    pub fn terms(&self) -> Terms {
        let availability = if self.is_for_sale() { Availability::ForSale } else { Availability::Withheld };
        Terms { product_name: self.product_name.clone(), price: self.product_price, availability }
    }

    /// Whether everyone may see and order it.
    pub fn is_for_sale(&self) -> bool {
        self.is_approved
    }

    /// Which of the shop's lists it stands on.
    pub fn listing(&self) -> Listing {
        match (self.is_approved, &self.image_url, &self.rejection_reason) {
            (true, _, _) => Listing::Approved,
            (false, None, _) => Listing::AwaitingImage,
            (false, Some(_), None) => Listing::AwaitingApproval,
            (false, Some(_), Some(_)) => Listing::Rejected,
        }
    }

    /// The product after an admin's decision at `now`.
    #[must_use]
    pub fn decided(self, decision: &Decision, now: Timestamp) -> Self {
        let (is_approved, rejection_reason) = match decision {
            Decision::Approved => (true, None),
            Decision::Rejected(reason) => {
                let reason = reason.as_ref().map_or("Not approved.", Reason::as_str);
                (false, Some(reason.to_owned()))
            }
        };
        Self { is_approved, rejection_reason, updated_at: now, ..self }
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
        let ProductChanges { product_name, product_price, description, category } = changes.clone();
        let changed = Self {
            product_name: product_name.unwrap_or_else(|| self.product_name.clone()),
            product_price: product_price.unwrap_or(self.product_price),
            description: description.unwrap_or_else(|| self.description.clone()),
            category: category.unwrap_or_else(|| self.category.clone()),
            ..self.clone()
        };
        if changed == self {
            return None;
        }
        let is_another_offer =
            changed.product_name != self.product_name || changed.product_price != self.product_price;
        Some(Self { updated_at: now, ..changed.reconsidered(is_another_offer, editor, reapproval) })
    }

    /// Whether an upload may become its picture.
    pub fn awaits(&self, upload: UploadId) -> bool {
        upload.may_follow(self.image_upload_id, self.image_rejection.is_some())
    }

    /// The product with what became of an upload, if it still awaits it.
    pub fn with_upload(
        self,
        upload: UploadId,
        picture: Result<Published, &str>,
        reapproval: Reapproval,
        now: Timestamp,
    ) -> Option<Self> {
        if !self.awaits(upload) {
            return None;
        }
        let seen = Self { image_upload_id: Some(upload), updated_at: now, ..self };
        let Published { image_url, images } = match picture {
            Ok(published) => published,
            Err(refusal) => return Some(Self { image_rejection: Some(refusal.to_owned()), ..seen }),
        };
        // Nothing is known of who asked for the first upload, nor of all but the last: that was the seller, to be sure.
        let requested = seen.requested_upload.clone().filter(|requested| requested.upload_id == upload);
        let (file_name, editor) = requested.map_or_else(
            || (seen.file_name.clone(), Editor::Seller),
            |asked| (asked.file_name, asked.editor),
        );
        let image_url = Some(image_url);
        let is_another = seen.image_url != image_url;
        let shown = Self { image_url, images, image_rejection: None, file_name, ..seen };
        Some(shown.reconsidered(is_another, editor, reapproval))
    }

    /// The product after a change: its seller's asks again after a rejection, and after an approval where the shop
    /// wants that of another name, price or picture.
    fn reconsidered(self, is_another_offer: bool, editor: Editor, reapproval: Reapproval) -> Self {
        match editor {
            Editor::Admin => self,
            Editor::Seller => {
                let keeps_approval = !is_another_offer || reapproval == Reapproval::Spared;
                Self { is_approved: self.is_approved && keeps_approval, rejection_reason: None, ..self }
            }
        }
    }

    fn with_next_version(self) -> Self {
        Self { version: self.version + 1, ..self }
    }
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
    image_url: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    images: Option<Images>,
    is_approved: bool,
    created_at: Timestamp,
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
    updated_at: Timestamp,
    version: u32,
}

impl From<ProductOffer> for PublicProduct {
    fn from(ProductOffer { product, offer }: ProductOffer) -> Self {
        Self {
            id: product.id,
            file_name: product.file_name,
            product_name: product.product_name,
            product_price: offer.price().amount().in_major(),
            currency: offer.currency(),
            description: product.description,
            quantity: offer.stock(),
            category: product.category,
            image_url: product.image_url,
            images: product.images,
            is_approved: product.is_approved,
            created_at: product.created_at,
        }
    }
}

impl From<ProductOffer> for OwnProduct {
    fn from(ProductOffer { mut product, offer }: ProductOffer) -> Self {
        Self {
            email: product.email.take().map(|address| address.shown()),
            rejection_reason: product.rejection_reason.take(),
            image_rejection: product.image_rejection.take(),
            updated_at: product.updated_at,
            version: product.version,
            promised: offer.promised(),
            public: ProductOffer { product, offer }.into(),
        }
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

impl<T: From<ProductOffer>> From<Page<ProductOffer>> for ProductList<T> {
    fn from(page: Page<ProductOffer>) -> Self {
        Self { products: page.entries.into_iter().map(T::from).collect(), next_cursor: page.next_cursor }
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

/// Why nothing was done.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no such product, or not for the caller.
    #[error("there is no such product")]
    NotFound,
    /// Everyone may see it, but it is somebody else's.
    #[error("the product is somebody else's")]
    NotYours,
    /// Its stock was not changed.
    #[error(transparent)]
    Stock(#[from] StockError),
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

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        match error {
            Error::NotFound => StockRefusal::NotFound.into(),
            Error::NotYours => StockRefusal::NotYours.into(),
            Error::Stock(error) => error.into(),
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
    use shared::http::input;
    use shared::http::problem::FieldError;
    use std::time::Duration;

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

    fn at(url: &str) -> Result<Published, &'static str> {
        Ok(Published { image_url: url.to_owned(), images: None })
    }

    fn with_picture(product: Product) -> Product {
        product.with_upload(upload(1), at("https://shop.test/tea.png"), Spared, now()).unwrap()
    }

    #[test]
    fn a_new_product_waits_for_its_picture_and_then_for_an_admin() {
        assert_eq!(tea().listing(), Listing::AwaitingImage);
        assert_eq!(with_picture(tea()).listing(), Listing::AwaitingApproval);
        assert_eq!(with_picture(tea()).decided(&Decision::Approved, now()).listing(), Listing::Approved);
    }

    #[test]
    fn a_new_picture_asks_again_after_a_rejection_and_keeps_an_approval() {
        let rejected = with_picture(tea()).decided(&Decision::Rejected(None), now());
        assert_eq!(rejected.listing(), Listing::Rejected);
        let again = rejected.with_upload(upload(2), at("https://shop.test/2.png"), Spared, now());
        assert_eq!(again.unwrap().listing(), Listing::AwaitingApproval);
        let approved = with_picture(tea()).decided(&Decision::Approved, now());
        let again = approved.with_upload(upload(2), at("https://shop.test/2.png"), Spared, now());
        assert_eq!(again.unwrap().listing(), Listing::Approved);
    }

    #[test]
    fn what_is_no_picture_leaves_the_old_one_and_says_why() {
        let product =
            with_picture(tea()).with_upload(upload(2), Err("Not an image."), Spared, now()).unwrap();
        assert_eq!(product.image_url.as_deref(), Some("https://shop.test/tea.png"));
        assert_eq!(product.image_rejection.as_deref(), Some("Not an image."));
    }

    #[test]
    fn the_first_picture_settles_its_upload() {
        let (tea, first) = (tea(), upload(1));
        let becomes = |product: &Product, what| product.clone().with_upload(first, what, Spared, now());
        let settled = becomes(&tea, at("https://shop.test/tea.png")).unwrap();
        for late in [at("https://shop.test/other.png"), Err("Not an image.")] {
            assert_eq!(becomes(&settled, late), None);
        }
        let refused = becomes(&tea, Err("Not an image.")).unwrap();
        assert!(refused.awaits(first));
        assert_eq!(becomes(&refused, at("https://shop.test/tea.png")), Some(settled));
    }

    fn approved() -> Product {
        with_picture(tea()).decided(&Decision::Approved, now())
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
    fn only_another_name_price_or_picture_of_the_sellers_needs_approval_again() {
        for (body, editor, reapproval, listing) in [
            (r#"{"productName":"Coffee"}"#, Editor::Seller, Needed, Listing::AwaitingApproval),
            (r#"{"productPrice":9}"#, Editor::Seller, Needed, Listing::AwaitingApproval),
            (r#"{"productPrice":9}"#, Editor::Seller, Spared, Listing::Approved),
            (r#"{"productPrice":9}"#, Editor::Admin, Needed, Listing::Approved),
            (r#"{"description":"Black.","category":"Tea"}"#, Editor::Seller, Needed, Listing::Approved),
        ] {
            let changed = approved().with_changes(&changes(body), editor, reapproval, now()).unwrap();
            assert_eq!(changed.listing(), listing, "{body} {editor:?} {reapproval:?}");
        }
    }

    #[test]
    fn what_its_seller_mends_after_a_rejection_waits_for_another_decision() {
        let rejected = with_picture(tea()).decided(&Decision::Rejected(None), now());
        let mend = changes(r#"{"description":"Green tea."}"#);
        let mended = |editor| rejected.clone().with_changes(&mend, editor, Spared, now()).unwrap().listing();
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
        let shown = |requested, upload, url: &str| {
            let product = Product { requested_upload: Some(requested), ..approved() };
            product.with_upload(upload, at(url), Needed, now()).unwrap()
        };
        let by_admin = shown(requested(Editor::Admin), asked, "https://shop.test/2.png");
        assert_eq!((by_admin.listing(), by_admin.file_name.as_str()), (Listing::Approved, "so cute.png"));
        let by_seller = shown(requested(Editor::Seller), asked, "https://shop.test/2.png");
        assert_eq!(by_seller.listing(), Listing::AwaitingApproval);
        // An upload that is not the requested one is taken for the seller's.
        let other = shown(requested(Editor::Admin), other, "https://shop.test/3.png");
        assert_eq!((other.listing(), other.file_name.as_str()), (Listing::AwaitingApproval, "tea.png"));
        // The picture that it has already is none to look at again.
        let same = shown(requested(Editor::Seller), asked, "https://shop.test/tea.png");
        assert_eq!(same.listing(), Listing::Approved);
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
                product.clone().with_upload(id, at(&number.to_string()), Spared, now()).unwrap_or(product)
            });
            prop_assert_eq!(product.image_url.as_deref(), Some("3"));
        }
    }

    #[test]
    fn everyone_sees_the_price_and_nobody_the_sellers_address() {
        let shown = json(&PublicProduct::from(tea_on_offer()));
        assert!(shown.contains(r#""productPrice":4.5"#), "{shown}");
        assert!(!shown.contains("ann@"), "{shown}");
        assert!(json(&OwnProduct::from(tea_on_offer())).contains("ann@"));
        assert_eq!(Address::from("pat@xn--mnchen-3ya.example").shown().0, "pat@münchen.example");
    }

    #[test]
    fn no_address_is_ever_printed() {
        let printed = format!("{:?} {:?}", tea(), OwnProduct::from(tea_on_offer()));
        assert!(!printed.contains("ann@"), "{printed}");
    }

    fn json(value: &impl Serialize) -> String {
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
