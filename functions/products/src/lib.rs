//! What the shop sells: products, their pictures, their stock and their approval. The rules are here and call nothing;
//! [`store`] keeps them in DynamoDB.

pub mod notice;
pub mod store;

use serde::{Deserialize, Serialize};
use shared::auth::{Caller, UserId};
use shared::http::Parameter;
use shared::input::{Body, Field, Fields, Value, whole_number};
use shared::media::{FileName, FileSize, ImageType, UploadId};
use shared::money::{Currency, InMajor, Price};
use shared::page::Page;
use shared::problem::{CONFLICT, Problem};
use shared::time::Timestamp;

pub use store::Products;

shared::id!(
    /// Names a product.
    ProductId
);

shared::text!(
    /// What a product is called.
    ProductName, 1..=120
);

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

    fn parse(text: &str) -> Result<Self, String> {
        Self::new(text)
    }
}

/// How many pieces there are to sell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Stock(u32);

impl Stock {
    /// As a number of pieces.
    pub const fn pieces(self) -> u32 {
        self.0
    }
}

impl Field for Stock {
    fn parse(value: Value) -> Result<Self, String> {
        whole_number(&value, 0..=1_000_000).map(Self)
    }
}

/// A product as its seller describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewProduct {
    /// What the picture's file is called.
    pub file_name: FileName,
    /// What format the picture will have.
    pub file_type: ImageType,
    /// How large the picture will be, if the client knows.
    pub file_size: Option<FileSize>,
    product_name: ProductName,
    product_price: Price,
    description: Description,
    quantity: Stock,
    category: Category,
}

impl Body for NewProduct {
    fn read(fields: &mut Fields) -> Option<Self> {
        let file_name = fields.required("fileName");
        let file_type = fields.required("fileType");
        let file_size = fields.optional("fileSize");
        let product_name = fields.required("productName");
        let product_price = fields.required("productPrice");
        let description = fields.required("description");
        let quantity = fields.required("quantity");
        let category = fields.required("category");
        Some(Self {
            file_name: file_name?,
            file_type: file_type?,
            file_size,
            product_name: product_name?,
            product_price: product_price?,
            description: description?,
            quantity: quantity?,
            category: category?,
        })
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

/// A product as the table keeps it. Its stock changes by reservations alone, everything else under its `version`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Product {
    id: ProductId,
    owner_id: UserId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    email: Option<String>,
    file_name: FileName,
    product_name: ProductName,
    product_price: Price,
    currency: Currency,
    description: Description,
    quantity: Stock,
    category: Category,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    image_url: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    image_upload_id: Option<UploadId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    image_rejection: Option<String>,
    is_approved: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    rejection_reason: Option<String>,
    created_at: Timestamp,
    updated_at: Timestamp,
    version: u32,
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
    /// What `seller` lists at `now`: not approved, and without its picture.
    pub fn new(product: NewProduct, seller: &Caller, currency: Currency, now: Timestamp) -> Self {
        Self {
            id: ProductId::at(now),
            owner_id: seller.id().clone(),
            email: seller.email().map(str::to_owned),
            file_name: product.file_name,
            product_name: product.product_name,
            product_price: product.product_price,
            currency,
            description: product.description,
            quantity: product.quantity,
            category: product.category,
            image_url: None,
            image_upload_id: None,
            image_rejection: None,
            is_approved: false,
            rejection_reason: None,
            created_at: now,
            updated_at: now,
            version: 1,
        }
    }

    /// Its id.
    pub fn id(&self) -> ProductId {
        self.id
    }

    /// What it is called.
    pub fn name(&self) -> &ProductName {
        &self.product_name
    }

    /// What one piece costs.
    pub fn price(&self) -> Price {
        self.product_price
    }

    /// In which currency.
    pub fn currency(&self) -> Currency {
        self.currency
    }

    /// How many pieces there are.
    pub fn stock(&self) -> Stock {
        self.quantity
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

    /// The product with what became of an upload, unless a newer one was here before. A new picture asks for a new decision
    /// where the old one was a rejection.
    pub fn with_upload(
        self,
        upload: UploadId,
        picture: Result<String, &str>,
        now: Timestamp,
    ) -> Option<Self> {
        if self.image_upload_id.is_some_and(|seen| seen > upload) {
            return None;
        }
        let seen = Self { image_upload_id: Some(upload), updated_at: now, ..self };
        Some(match picture {
            Ok(url) => Self { image_url: Some(url), image_rejection: None, rejection_reason: None, ..seen },
            Err(refusal) => Self { image_rejection: Some(refusal.to_owned()), ..seen },
        })
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
    is_approved: bool,
    created_at: Timestamp,
}

/// What its seller and the admins see of a product.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct OwnProduct {
    #[serde(flatten)]
    public: PublicProduct,
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rejection_reason: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    image_rejection: Option<String>,
    updated_at: Timestamp,
}

impl From<Product> for PublicProduct {
    fn from(product: Product) -> Self {
        Self {
            id: product.id,
            file_name: product.file_name,
            product_name: product.product_name,
            product_price: product.product_price.amount().in_major(),
            currency: product.currency,
            description: product.description,
            quantity: product.quantity,
            category: product.category,
            image_url: product.image_url,
            is_approved: product.is_approved,
            created_at: product.created_at,
        }
    }
}

impl From<Product> for OwnProduct {
    fn from(product: Product) -> Self {
        Self {
            email: product.email.clone(),
            rejection_reason: product.rejection_reason.clone(),
            image_rejection: product.image_rejection.clone(),
            updated_at: product.updated_at,
            public: product.into(),
        }
    }
}

/// A page of products, each as `T` shows it.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ProductList<T> {
    products: Vec<T>,
    next_cursor: Option<String>,
}

impl<T: From<Product>> From<Page<Product>> for ProductList<T> {
    fn from(page: Page<Product>) -> Self {
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

/// Why nothing was done.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no such product, or not for the caller.
    #[error("there is no such product")]
    NotFound,
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
            Error::NotFound => Self::not_found("product"),
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
    use proptest::prelude::*;
    use shared::input;
    use shared::problem::FieldError;
    use std::time::Duration;

    const TEA: &str = r#"{"fileName":"tea.png","fileType":"image/png","productName":"Tea","productPrice":4.5,
        "description":"Green.","quantity":40,"category":"Drinks"}"#;

    fn now() -> Timestamp {
        Timestamp::from_unix_millis(1_790_000_000_000)
    }

    fn tea() -> Product {
        let new = input::parse(TEA.as_bytes()).unwrap();
        Product::new(new, &Caller::for_tests("ann"), "USD".parse().unwrap(), now())
    }

    fn upload(second: u64) -> UploadId {
        UploadId::at(now() + Duration::from_secs(second))
    }

    fn with_picture(product: Product) -> Product {
        product.with_upload(upload(1), Ok("https://shop.test/tea.png".into()), now()).unwrap()
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
        let again = rejected.with_upload(upload(2), Ok("https://shop.test/2.png".into()), now());
        assert_eq!(again.unwrap().listing(), Listing::AwaitingApproval);
        let approved = with_picture(tea()).decided(&Decision::Approved, now());
        let again = approved.with_upload(upload(2), Ok("https://shop.test/2.png".into()), now());
        assert_eq!(again.unwrap().listing(), Listing::Approved);
    }

    #[test]
    fn what_is_no_picture_leaves_the_old_one_and_says_why() {
        let product = with_picture(tea()).with_upload(upload(2), Err("Not an image."), now()).unwrap();
        assert_eq!(product.image_url.as_deref(), Some("https://shop.test/tea.png"));
        assert_eq!(product.image_rejection.as_deref(), Some("Not an image."));
    }

    proptest! {
        #[test]
        fn the_newest_upload_wins_in_whatever_order_they_are_seen(order in Just(vec![1_u64, 2, 3]).prop_shuffle()) {
            let ids = [upload(1), upload(2), upload(3)];
            let product = order.iter().fold(tea(), |product, &number| {
                let id = ids[usize::try_from(number - 1).unwrap()];
                product.clone().with_upload(id, Ok(number.to_string()), now()).unwrap_or(product)
            });
            prop_assert_eq!(product.image_url.as_deref(), Some("3"));
        }
    }

    #[test]
    fn everyone_sees_the_price_and_nobody_the_sellers_address() {
        let shown = json(&PublicProduct::from(tea()));
        assert!(shown.contains(r#""productPrice":4.5"#), "{shown}");
        assert!(!shown.contains("ann@"), "{shown}");
        assert!(json(&OwnProduct::from(tea())).contains("ann@"));
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
