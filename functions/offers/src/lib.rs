//! On which terms a product is sold: schema.org's Offer beside its Product. An order needs no more of a product than
//! this, so a sale touches an item of less than a kilobyte that stands in no index, whatever the product's description.
//!
//! A product without variants has one offer, whose id is the product's. The rules are here and call nothing; [`store`]
//! keeps offers in DynamoDB, [`stock`] says how the number of pieces may change, [`events`] what is told of that.

pub mod events;
pub mod stock;
pub mod store;

use serde::{Deserialize, Serialize};
use shared::caller::{Caller, UserId};
use shared::http::Parameter;
use shared::http::problem::{FORBIDDEN, Kind, Problem, StatusCode};
use shared::values::money::{Currency, Price};
use stores::StoreId;

pub use stock::{Deduction, Stock, StockChange};
pub use store::{Offers, StockError, why_not_reserved};

shared::id!(
    /// Names a product.
    ProductId
);

shared::id!(
    /// Names an offer.
    OfferId
);

/// The one offer of a product without variants.
impl From<ProductId> for OfferId {
    fn from(ProductId(id): ProductId) -> Self {
        Self(id)
    }
}

shared::text!(
    /// What a product is called.
    ProductName, 1..=120
);

shared::text!(
    /// The category under which a product is found.
    Category, 1..=60
);

impl Parameter for Category {
    const NAME: &'static str = "category";
}

/// Fewer pieces than this are few.
pub const FEW: u32 = 5;

/// The shape in which offers are written.
const SCHEMA_VERSION: u32 = 1;

/// What a seller, or an admin, says of an offer: everything but its stock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Terms {
    /// What the product is called.
    pub product_name: ProductName,
    /// What one piece costs.
    pub price: Price,
    /// Where it is found: some coupons and taxes are for a category.
    pub category: Category,
    /// Where its picture is that everyone sees, if it has one.
    pub image_url: Option<String>,
    /// Whether it may be bought.
    pub availability: Availability,
}

/// Whether an offer may be bought.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Availability {
    /// Its product is approved.
    ForSale,
    /// Its product is not, or no longer, approved.
    Withheld,
}

/// An offer as the table keeps it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Offer {
    offer_id: OfferId,
    product_id: ProductId,
    product_name: ProductName,
    price: Price,
    currency: Currency,
    /// Missing in those that nobody has changed since offers have it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    category: Option<Category>,
    /// Missing likewise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    image_url: Option<String>,
    quantity: Stock,
    /// Pieces of orders that have not shipped yet. They are no part of `quantity`.
    #[serde(default)]
    promised: u32,
    for_sale: bool,
    seller_id: UserId,
    /// In which of the seller's stores, for good; missing where it is in none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    store_id: Option<StoreId>,
    schema_version: u32,
}

impl Offer {
    /// The offer of a new product: withheld until the product is approved.
    pub fn new(
        product_id: ProductId,
        product_name: ProductName,
        price: Price,
        currency: Currency,
        category: Category,
        quantity: Stock,
        seller_id: UserId,
    ) -> Self {
        Self {
            offer_id: product_id.into(),
            product_id,
            product_name,
            price,
            currency,
            category: Some(category),
            image_url: None,
            quantity,
            promised: 0,
            for_sale: false,
            seller_id,
            store_id: None,
            schema_version: SCHEMA_VERSION,
        }
    }

    /// The same offer in a store of the seller's.
    #[must_use]
    pub fn in_store(self, store: Option<StoreId>) -> Self {
        Self { store_id: store, ..self }
    }

    /// Its id.
    pub fn id(&self) -> OfferId {
        self.offer_id
    }

    /// The product that is sold.
    pub fn product_id(&self) -> ProductId {
        self.product_id
    }

    /// What the product is called.
    pub fn product_name(&self) -> &ProductName {
        &self.product_name
    }

    /// What one piece costs.
    pub fn price(&self) -> Price {
        self.price
    }

    /// In which currency.
    pub fn currency(&self) -> Currency {
        self.currency
    }

    /// The category of its product, as far as the offer knows it.
    pub fn category(&self) -> Option<&str> {
        self.category.as_ref().map(Category::as_str)
    }

    /// Where its picture is that everyone sees, as far as the offer knows it.
    pub fn image_url(&self) -> Option<&str> {
        self.image_url.as_deref()
    }

    /// How many pieces can be bought.
    pub fn stock(&self) -> Stock {
        self.quantity
    }

    /// Whether so few can be bought that its seller should see to it.
    pub fn is_low(&self) -> bool {
        self.quantity.pieces() < FEW
    }

    /// How many pieces are promised to orders that have not shipped yet.
    pub fn promised(&self) -> u32 {
        self.promised
    }

    /// Whether it may be bought.
    pub fn is_for_sale(&self) -> bool {
        self.for_sale
    }

    /// Who sells it.
    pub fn seller(&self) -> &UserId {
        &self.seller_id
    }

    /// In which store, if it is in one. Only while that is published it can be had.
    pub fn store(&self) -> Option<StoreId> {
        self.store_id
    }

    /// The offer with other terms.
    #[must_use]
    pub fn with_terms(self, terms: Terms) -> Self {
        let Terms { product_name, price, category, image_url, availability } = terms;
        let for_sale = availability == Availability::ForSale;
        Self { product_name, price, category: Some(category), image_url, for_sale, ..self }
    }

    /// Why `wanted` pieces cannot be had at `price`; `None` where they can.
    pub fn refusal(&self, wanted: u32, price: Price) -> Option<NotReserved> {
        let id = self.offer_id;
        let available = self.quantity.pieces();
        if !self.for_sale {
            Some(NotReserved::NotForSale(id))
        } else if self.price != price {
            Some(NotReserved::PriceChanged(id))
        } else if available < wanted {
            Some(NotReserved::OutOfStock { id, available })
        } else {
            None
        }
    }
}

/// Why pieces cannot be had.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotReserved {
    /// Unknown, deleted, or not approved.
    #[error("the offer {0} is not for sale")]
    NotForSale(OfferId),
    /// It is in a store that is not published.
    #[error("the store of the offer {0} is closed")]
    StoreClosed(OfferId),
    /// The seller changed the price between the read and the reservation.
    #[error("the price of the offer {0} has changed")]
    PriceChanged(OfferId),
    /// Fewer pieces than asked for.
    #[error("the offer {id} has {available} pieces")]
    OutOfStock {
        /// The offer.
        id: OfferId,
        /// How many there are.
        available: u32,
    },
}

/// Why the stock of an offer was not changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum StockRefusal {
    /// There is no such offer, or none that the caller may know of.
    #[error("there is no such product")]
    NotFound,
    /// Everyone may see it, but it is somebody else's.
    #[error("the product is somebody else's")]
    NotYours,
    /// Fewer pieces than are to be taken.
    #[error("the product {id} has {available} pieces")]
    OutOfStock {
        /// The product.
        id: ProductId,
        /// How many there are.
        available: u32,
    },
    /// More pieces than an offer may have.
    #[error("the product {id} has {available} pieces, and with those to be added too many")]
    StockLimit {
        /// The product.
        id: ProductId,
        /// How many there are.
        available: u32,
    },
    /// There are not as many pieces as whoever sets the stock saw.
    #[error("the product {id} has {available} pieces, which is not what was expected")]
    StockChanged {
        /// The product.
        id: ProductId,
        /// How many there are.
        available: u32,
    },
}

const NOT_FOR_SALE: Kind = Kind::new(StatusCode::CONFLICT, "not-for-sale", "Not for sale");
const PRICE_CHANGED: Kind = Kind::new(StatusCode::CONFLICT, "price-changed", "Price changed");
const STORE_CLOSED: Kind = Kind::new(StatusCode::CONFLICT, "store-closed", "Store closed");
const OUT_OF_STOCK: Kind = Kind::new(StatusCode::CONFLICT, "out-of-stock", "Out of stock");
const STOCK_LIMIT: Kind = Kind::new(StatusCode::CONFLICT, "stock-limit", "Stock limit");
const STOCK_CHANGED: Kind = Kind::new(StatusCode::CONFLICT, "stock-changed", "Stock changed");

impl From<NotReserved> for Problem {
    fn from(refusal: NotReserved) -> Self {
        match refusal {
            NotReserved::NotForSale(id) => {
                Self::new(NOT_FOR_SALE, "This product is not for sale, or no longer.").with("productId", id)
            }
            NotReserved::StoreClosed(id) => {
                let detail = "The store that sells this product is closed. Order without it.";
                Self::new(STORE_CLOSED, detail).with("productId", id)
            }
            NotReserved::PriceChanged(id) => {
                let detail = "The price has just changed. Look at the product and order again.";
                Self::new(PRICE_CHANGED, detail).with("productId", id)
            }
            NotReserved::OutOfStock { id, available } => out_of_stock(id, available),
        }
    }
}

impl From<StockRefusal> for Problem {
    fn from(refusal: StockRefusal) -> Self {
        match refusal {
            StockRefusal::NotFound => Self::not_found("product"),
            StockRefusal::NotYours => {
                Self::new(FORBIDDEN, "Only its seller and the shop's admins may change this product.")
            }
            StockRefusal::OutOfStock { id, available } => out_of_stock(id, available),
            StockRefusal::StockLimit { id, available } => {
                let most = stock::MOST;
                let detail =
                    format!("A product can have {most} pieces at most, and this one has {available}.");
                Self::new(STOCK_LIMIT, detail).with("productId", id).with("available", available)
            }
            StockRefusal::StockChanged { id, available } => {
                let detail = format!("The stock has just changed: there are {available} pieces now.");
                Self::new(STOCK_CHANGED, detail).with("productId", id).with("available", available)
            }
        }
    }
}

/// Fewer pieces than asked for.
fn out_of_stock(id: impl Serialize, available: u32) -> Problem {
    let detail = match available {
        0 => "The product is sold out.".to_owned(),
        1 => "Only 1 piece is left.".to_owned(),
        available => format!("Only {available} pieces are left."),
    };
    Problem::new(OUT_OF_STOCK, detail).with("productId", id).with("available", available)
}

/// Whether `caller` may change what `seller` sells.
fn may_change(caller: &Caller, seller: &UserId) -> bool {
    caller.is_admin() || caller.id() == seller
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared::http::input::Field;
    use shared::values::time::Timestamp;

    fn price(major: u32) -> Price {
        Price::parse(major.to_string().parse().unwrap()).unwrap()
    }

    fn tea(quantity: u32) -> Offer {
        let quantity = Stock::parse(quantity.to_string().parse().unwrap()).unwrap();
        let (id, name) = (ProductId::at(Timestamp::from_unix_millis(0)), ProductName::new("Tea").unwrap());
        let seller = UserId::from("ann".to_owned());
        let drinks = Category::new("Drinks").unwrap();
        let offer = Offer::new(id, name, price(4), "USD".parse().unwrap(), drinks, quantity, seller);
        Offer { for_sale: true, ..offer }
    }

    #[test]
    fn the_first_reason_that_cannot_be_mended_by_waiting_is_told() {
        let tea = tea(1);
        let id = tea.id();
        assert_eq!(tea.refusal(1, price(4)), None);
        assert_eq!(tea.refusal(2, price(4)), Some(NotReserved::OutOfStock { id, available: 1 }));
        assert_eq!(tea.refusal(2, price(5)), Some(NotReserved::PriceChanged(id)));
        let withheld = Offer { for_sale: false, ..tea };
        assert_eq!(withheld.refusal(2, price(5)), Some(NotReserved::NotForSale(id)));
    }

    #[test]
    fn a_new_offer_waits_for_the_approval_of_its_product() {
        let new = Offer::new(
            tea(1).product_id(),
            tea(1).product_name().clone(),
            price(4),
            "USD".parse().unwrap(),
            Category::new("Drinks").unwrap(),
            tea(1).stock(),
            tea(1).seller().clone(),
        );
        assert!(!new.is_for_sale());
        assert_eq!(new.id().to_string(), new.product_id().to_string());
    }
}
