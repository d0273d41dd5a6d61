//! What people mean to buy, with or without an account. The rules of a cart are here and call nothing; [`owner`] says
//! whose it is, [`priced`] what it costs today, [`store`] keeps carts in DynamoDB. [`Shopping`] is what people do with
//! a cart, [`CheckingOut`] how an order comes of one, [`guests`] what is different without an account.
//!
//! A cart holds no price that counts: what is paid is what the offers say when the order is placed.

pub mod checkout;
pub mod guests;
pub mod owner;
pub mod priced;
pub mod shopping;
pub mod store;

use std::collections::HashSet;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use offers::{NotReserved, Offer, OfferId, ProductName};
use orders::purchase::{Choices, NewChoices};
use orders::{NewLine, OrderId, PaymentId, Quantity};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use shared::guards::KeyReused;
use shared::http::input::{Body, Field, Fields, Value, whole_number};
use shared::http::problem::{FieldError, Kind, Problem, StatusCode};
use shared::http::{IdempotencyKey, IfMatch};
use shared::run::aws::{Aws, FromEnv};
use shared::run::config::{self, ConfigError};
use shared::values::id::random_bytes;
use shared::values::money::{Amount, Currency, Price};
use shared::values::time::Timestamp;
use stores::StoreId;

pub use checkout::{CheckOut, CheckingOut};
pub use owner::{CartId, CartOwner, CartToken};
pub use priced::Pricing;
pub use shopping::Shopping;
pub use store::{Carts, Change};

/// The most lines that a cart can have, as an order.
pub const MOST_LINES: usize = 50;

/// How many of its last changes a cart remembers.
const REMEMBERED: usize = 16;

/// How long a cart that nobody touches is kept.
const OF_PERSON: Duration = Duration::from_hours(60 * 24);
const OF_GUEST: Duration = Duration::from_hours(30 * 24);

/// The shape in which carts are written.
const SCHEMA_VERSION: u32 = 1;

/// How many pieces of one product the shop sells at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MostPieces(u32);

impl MostPieces {
    /// So many, and no more than a line can have.
    pub fn new(pieces: u32) -> Self {
        Self(pieces.min(Quantity::MOST))
    }

    /// As a number of pieces.
    pub const fn pieces(self) -> u32 {
        self.0
    }

    /// Whether it sells so many.
    fn allows(self, quantity: Quantity) -> bool {
        quantity.pieces() <= self.0
    }
}

impl FromEnv for MostPieces {
    fn from_env(_: &Aws) -> Result<Self, ConfigError> {
        config::required("PIECES_PER_LINE").map(Self::new)
    }
}

/// How many pieces of a product are to be in a cart: none takes it out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wanted(u32);

impl Field for Wanted {
    fn parse(value: Value) -> Result<Self, String> {
        whole_number(&value, 0..=Quantity::MOST).map(Self)
    }
}

shared::body!(
    /// How many pieces of a line there are to be.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub struct NewQuantity {
        /// So many.
        pub quantity: Wanted,
    }
);

/// What somebody chooses otherwise for a cart.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[serde(transparent)]
pub struct CartChanges(pub NewChoices);

impl Body for CartChanges {
    fn read(fields: &mut Fields) -> Option<Self> {
        NewChoices::read(fields).map(Self)
    }
}

shared::body!(
    /// The cart that somebody filled before signing in.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub struct GuestCart {
        /// What opens it.
        pub cart_token: CartToken,
    }
);

/// One offer in a cart.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CartLine {
    offer_id: OfferId,
    quantity: Quantity,
    /// What the product was called when it came into the cart, for when it is gone.
    product_name: ProductName,
    /// What one piece cost then: for the page alone.
    price_when_added: Price,
    /// In which store it is, for good; missing where it is in none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    store_id: Option<StoreId>,
    added_at: Timestamp,
}

impl CartLine {
    /// Which offer.
    pub fn offer_id(&self) -> OfferId {
        self.offer_id
    }

    /// How many pieces of it.
    pub fn quantity(&self) -> Quantity {
        self.quantity
    }
}

/// Names one change of a cart, so that a put that is repeated after a lost reply finds that it took effect; and so does
/// a request that its sender repeats with the same `Idempotency-Key`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ChangeId(String);

impl ChangeId {
    /// A new one.
    pub fn random() -> Self {
        Self(URL_SAFE_NO_PAD.encode(random_bytes::<12>()))
    }

    /// That of the request with this key to add this: a hash of the key, and after a dot one of what it came with.
    pub fn of(key: &IdempotencyKey, added: NewLine) -> Self {
        let hash = |text: &str| Sha256::digest(text);
        let key = URL_SAFE_NO_PAD.encode(&hash(key.as_str())[..12]);
        let added = format!("{} {}", added.id, added.quantity.pieces());
        Self(format!("{key}.{}", URL_SAFE_NO_PAD.encode(&hash(&added)[..6])))
    }

    /// The key's part, of one that comes from a key.
    fn key(&self) -> Option<&str> {
        self.0.split_once('.').map(|(key, _)| key)
    }
}

/// The order that a cart became.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LastOrder {
    /// The cart's version that was ordered; it is emptied in the next one.
    cart_version: u32,
    order_id: OrderId,
    total: Amount,
    currency: Currency,
    /// By which payment, where it is paid before it is sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    payment_id: Option<PaymentId>,
}

/// A cart as the table keeps it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Cart {
    cart_id: CartId,
    /// Counts its changes; 0 where none was ever written.
    version: u32,
    /// Its last changes, the newest last.
    change_ids: Vec<ChangeId>,
    lines: Vec<CartLine>,
    /// What was chosen besides: a coupon, how it is sent and where to.
    #[serde(default, skip_serializing_if = "Choices::are_none")]
    choices: Choices,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    last_order: Option<LastOrder>,
    updated_at: Timestamp,
    /// Seconds since 1970. DynamoDB may delete days later, so the code looks at it as well.
    expires_at: i64,
    schema_version: u32,
}

/// What could not be merged as it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Note {
    /// Lines were left out, the newest of the guest's.
    TooManyLines,
    /// Of some product both carts had more together than the shop sells at once.
    TooManyPieces,
}

/// Why a cart was not changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Unknown, deleted, or not approved.
    #[error("the offer {0} is not for sale")]
    NotForSale(OfferId),
    /// It has as many lines as it can have.
    #[error("the cart has {MOST_LINES} lines")]
    Full,
    /// The line would have more pieces than the shop sells at once.
    #[error("the cart has {in_cart} pieces, and {most} are the most")]
    TooManyPieces {
        /// How many it has.
        in_cart: u32,
        /// How many it can have.
        most: u32,
    },
}

const FULL: Kind = Kind::new(StatusCode::CONFLICT, "cart-full", "Cart full");

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::NotForSale(id) => NotReserved::NotForSale(id).into(),
            Refusal::Full => {
                let detail = format!("A cart can have {MOST_LINES} different products at most.");
                Self::new(FULL, detail).with("most", MOST_LINES)
            }
            Refusal::TooManyPieces { in_cart, most } => {
                let with =
                    if in_cart == 0 { String::new() } else { format!(" with the {in_cart} in the cart") };
                let detail = format!("must be at most {most}{with}: the shop sells no more at once");
                Self::invalid_input(vec![FieldError::body("#/quantity", detail)])
            }
        }
    }
}

impl Cart {
    /// One that nobody has written yet.
    pub fn empty(cart_id: CartId, now: Timestamp) -> Self {
        Self {
            cart_id,
            version: 0,
            change_ids: Vec::new(),
            lines: Vec::new(),
            choices: Choices::default(),
            last_order: None,
            updated_at: now,
            expires_at: now.unix_seconds(),
            schema_version: SCHEMA_VERSION,
        }
    }

    /// The same at `now`: one that has expired is empty, though it is still there.
    #[must_use]
    pub fn as_of(self, now: Timestamp) -> Self {
        if self.expires_at > now.unix_seconds() {
            self
        } else {
            Self { lines: Vec::new(), choices: Choices::default(), ..self }
        }
    }

    /// Its id.
    pub fn id(&self) -> &CartId {
        &self.cart_id
    }

    /// How often it was changed.
    pub fn version(&self) -> u32 {
        self.version
    }

    /// What is in it.
    pub fn lines(&self) -> &[CartLine] {
        &self.lines
    }

    /// What was chosen besides.
    pub fn choices(&self) -> &Choices {
        &self.choices
    }

    /// Whether something is in it, or was chosen for it.
    pub fn has_something(&self) -> bool {
        !(self.lines.is_empty() && self.choices.are_none())
    }

    /// Whether it has the same in it as another one, chosen in the same way.
    pub fn is_like(&self, other: &Self) -> bool {
        (&self.lines, &self.choices) == (&other.lines, &other.choices)
    }

    /// Chosen otherwise.
    #[must_use]
    pub fn choose(self, new: NewChoices) -> Self {
        Self { choices: self.choices.with(new), ..self }
    }

    /// The offers in it.
    pub fn offers(&self) -> impl Iterator<Item = OfferId> {
        self.lines.iter().map(|line| line.offer_id)
    }

    /// The stores that they are in, each once.
    pub fn stores(&self) -> HashSet<StoreId> {
        self.lines.iter().filter_map(|line| line.store_id).collect()
    }

    /// With so many more pieces of an offer, at the end where it is new.
    ///
    /// # Errors
    /// When the offer is not for sale, or the cart cannot take as much.
    pub fn add(
        self,
        added: NewLine,
        offer: Option<&Offer>,
        most: MostPieces,
        now: Timestamp,
    ) -> Result<Self, Refusal> {
        let in_cart = self.pieces_of(added.id);
        let sum = in_cart.saturating_add(added.quantity.pieces());
        self.with(added.id, sum, offer, most, now).map_err(|refusal| match refusal {
            Refusal::TooManyPieces { most, .. } => Refusal::TooManyPieces { in_cart, most },
            other => other,
        })
    }

    /// With so many pieces of an offer; none takes its line out, whatever became of the offer.
    ///
    /// # Errors
    /// When the offer is not for sale, or the cart cannot take as much.
    pub fn set(
        self,
        id: OfferId,
        Wanted(pieces): Wanted,
        offer: Option<&Offer>,
        most: MostPieces,
        now: Timestamp,
    ) -> Result<Self, Refusal> {
        if pieces == 0 { Ok(self.remove(id)) } else { self.with(id, pieces, offer, most, now) }
    }

    /// Without an offer.
    #[must_use]
    pub fn remove(mut self, id: OfferId) -> Self {
        self.lines.retain(|line| line.offer_id != id);
        self
    }

    /// With what a guest's cart has: pieces of the same offer are added up, other lines follow, the guest's oldest
    /// first. What the guest chose counts where nothing was chosen here.
    #[must_use]
    pub fn merge(mut self, guest: &Self, most: MostPieces) -> (Self, Vec<Note>) {
        self.choices = self.choices.or(&guest.choices);
        let mut theirs: Vec<_> = guest.lines.iter().collect();
        theirs.sort_by_key(|line| line.added_at);
        let mut notes = Vec::new();
        let mut note = |note: Note| {
            if !notes.contains(&note) {
                notes.push(note);
            }
        };
        for line in theirs {
            let is_full = self.lines.len() >= MOST_LINES;
            let own = self.lines.iter_mut().find(|own| own.offer_id == line.offer_id);
            match own {
                Some(own) => {
                    let sum = own.quantity.pieces().saturating_add(line.quantity.pieces());
                    // Who has more than the shop sells by now does not get fewer by signing in.
                    let kept = sum.min(most.pieces().max(own.quantity.pieces()));
                    own.quantity = Quantity::new(kept).unwrap_or(own.quantity);
                    if kept < sum {
                        note(Note::TooManyPieces);
                    }
                }
                None if is_full => note(Note::TooManyLines),
                None => self.lines.push(line.clone()),
            }
        }
        (self, notes)
    }

    /// In its next version, by the change `id` at `now`.
    #[must_use]
    pub fn changed(mut self, id: ChangeId, now: Timestamp) -> Self {
        self.change_ids.push(id);
        let forgotten = self.change_ids.len().saturating_sub(REMEMBERED);
        self.change_ids.drain(..forgotten);
        let expires_at = self.kept_until(now);
        Self { version: self.version.saturating_add(1), updated_at: now, expires_at, ..self }
    }

    /// Whether it was changed by `id`, and by few others since.
    ///
    /// # Errors
    /// [`KeyReused`] where it was changed by another request with the same key.
    pub fn was_changed_by(&self, id: &ChangeId) -> Result<bool, KeyReused> {
        if self.change_ids.contains(id) {
            return Ok(true);
        }
        let is_reused = id.key().is_some() && self.change_ids.iter().any(|other| other.key() == id.key());
        if is_reused { Err(KeyReused) } else { Ok(false) }
    }

    /// Whether it was emptied at this very moment, which names a request, from a version that it is about: as by a
    /// write whose reply was lost.
    fn was_cleared(&self, if_match: &IfMatch, now: Timestamp) -> bool {
        let was_seen = self.version.checked_sub(1).is_some_and(|before| if_match.allows(before));
        self.lines.is_empty() && self.updated_at == now && was_seen
    }

    /// Until when it is kept, if nobody touches it after `now`.
    fn kept_until(&self, now: Timestamp) -> i64 {
        (now + if self.cart_id.is_guests() { OF_GUEST } else { OF_PERSON }).unix_seconds()
    }

    fn pieces_of(&self, id: OfferId) -> u32 {
        let line = self.lines.iter().find(|line| line.offer_id == id);
        line.map_or(0, |line| line.quantity.pieces())
    }

    fn with(
        mut self,
        id: OfferId,
        pieces: u32,
        offer: Option<&Offer>,
        most: MostPieces,
        now: Timestamp,
    ) -> Result<Self, Refusal> {
        let offer = offer.filter(|offer| offer.is_for_sale()).ok_or(Refusal::NotForSale(id))?;
        let quantity = Quantity::new(pieces).filter(|quantity| most.allows(*quantity));
        let quantity = quantity.ok_or(Refusal::TooManyPieces { in_cart: 0, most: most.pieces() })?;
        let is_full = self.lines.len() >= MOST_LINES;
        match self.lines.iter_mut().find(|line| line.offer_id == id) {
            Some(line) => line.quantity = quantity,
            None if is_full => return Err(Refusal::Full),
            None => self.lines.push(CartLine {
                offer_id: id,
                quantity,
                product_name: offer.product_name().clone(),
                price_when_added: offer.price(),
                store_id: offer.store(),
                added_at: now,
            }),
        }
        Ok(self)
    }
}

#[cfg(test)]
mod tests;
