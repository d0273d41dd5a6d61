//! What people do with their carts.

use std::future::ready;

use offers::{Offer, OfferId};
use orders::NewLine;
use serde::Serialize;
use shared::dynamo::Consistency;
use shared::guards::rate_limit::GuestLimit;
use shared::http::problem::Problem;
use shared::http::{Answer, IdempotencyKey, IfMatch};
use shared::run::aws::{Aws, FromEnv};
use shared::run::config::ConfigError;
use shared::values::time::Timestamp;

use crate::store::{Changed, Error};
use crate::{
    Cart, CartChanges, CartLine, CartOwner, CartToken, Carts, Change, ChangeId, MostPieces, NewQuantity,
    Note, Pricing, Refusal,
};

/// A cart after a change, as answers show it: what costs how much is read with the cart.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CartChanged {
    version: u32,
    items: Vec<ItemView>,
    #[serde(skip_serializing_if = "Option::is_none")]
    notes: Option<Vec<Note>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cart_token: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct ItemView {
    id: OfferId,
    quantity: u32,
}

impl CartChanged {
    /// Of a guest who has no cart yet.
    fn nothing() -> Self {
        Self { version: 0, items: Vec::new(), notes: None, cart_token: None }
    }

    fn of(cart: &Cart) -> Self {
        let item = |line: &CartLine| ItemView { id: line.offer_id(), quantity: line.quantity().pieces() };
        Self {
            version: cart.version(),
            items: cart.lines().iter().map(item).collect(),
            notes: None,
            cart_token: None,
        }
    }

    /// The answer to a merge, which says what could not be merged as it was.
    pub fn merged((cart, notes): (Cart, Vec<Note>)) -> Self {
        Self { notes: Some(notes), ..Self::of(&cart) }
    }
}

/// With a guest's new token, which also is in the header.
impl From<Changed> for Answer<CartChanged> {
    fn from(Changed { cart, token }: Changed) -> Self {
        let cart_token = token.map(CartToken::reveal);
        let changed = CartChanged { cart_token: cart_token.clone(), ..CartChanged::of(&cart) };
        match cart_token {
            Some(token) => Self::ok(changed).header(CartToken::HEADER, token),
            None => Self::ok(changed),
        }
    }
}

/// Changing carts, as often as a guest may.
#[derive(Debug, Clone)]
pub struct Shopping {
    carts: Carts,
    limit: GuestLimit,
}

impl FromEnv for Shopping {
    fn from_env(aws: &Aws) -> Result<Self, ConfigError> {
        Ok(Self { carts: Carts::from_env(aws)?, limit: GuestLimit::from_env(aws)? })
    }
}

impl Shopping {
    /// Puts so many more pieces into the cart: once, however often a request with the same key comes, as long as few
    /// other changes come between.
    ///
    /// # Errors
    /// Those of [`Cart::add`]; `another-version`; `idempotency-key-reused`; `too-many-requests` for guests.
    pub async fn add(
        &self,
        change: Change<'_>,
        line: NewLine,
        key: Option<&IdempotencyKey>,
        most: MostPieces,
    ) -> Result<Changed, Problem> {
        self.count(change.owner(), change.now()).await?;
        let now = change.now();
        let change = change.about(line.id).named(key.map(|key| ChangeId::of(key, line)));
        let add = |cart: Cart, offer: Option<Offer>| ready(cart.add(line, offer.as_ref(), most, now));
        Ok(self.carts.change(&change, add).await?)
    }

    /// Says how many pieces there are to be. Safe to repeat.
    ///
    /// # Errors
    /// Those of [`Cart::set`]; `another-version`; `too-many-requests` for guests.
    pub async fn set(
        &self,
        change: Change<'_>,
        id: OfferId,
        NewQuantity { quantity }: NewQuantity,
        most: MostPieces,
    ) -> Result<Changed, Problem> {
        self.count(change.owner(), change.now()).await?;
        let now = change.now();
        let set = |cart: Cart, offer: Option<Offer>| ready(cart.set(id, quantity, offer.as_ref(), most, now));
        Ok(self.carts.change(&change.about(id), set).await?)
    }

    /// Takes a product out. Safe to repeat.
    ///
    /// # Errors
    /// `another-version`; `too-many-requests` for guests.
    pub async fn remove(&self, change: &Change<'_>, id: OfferId) -> Result<Changed, Problem> {
        self.count(change.owner(), change.now()).await?;
        let remove = |cart: Cart, _| ready(Ok::<_, Refusal>(cart.remove(id)));
        Ok(self.carts.change(change, remove).await?)
    }

    /// Chooses a coupon, how it is sent and where to, if that is possible with what is in the cart: which is looked up
    /// where it has to be, in a call more. Safe to repeat. Whether it still is when the cart is ordered, is decided
    /// then.
    ///
    /// # Errors
    /// The [`Fault`](orders::purchase::Fault) of what is chosen anew; `another-version`; `too-many-requests` for
    /// guests.
    pub async fn choose(
        &self,
        pricing: &Pricing,
        change: &Change<'_>,
        CartChanges(new): CartChanges,
    ) -> Result<Changed, Problem> {
        self.count(change.owner(), change.now()).await?;
        let (new, person, now) = (&new, change.owner().person(), change.now());
        let choose = |cart: Cart, _| async move {
            let chosen = cart.choose(new.clone());
            if !new.depend_on_what_is_bought() || chosen.lines().is_empty() {
                return Ok(chosen);
            }
            let priced = pricing.price(&chosen, person, Consistency::Eventual, now).await?;
            match priced.faults().iter().find(|fault| new.are_about(fault)) {
                Some(fault) => Err(Error::from(fault.clone())),
                None => Ok(chosen),
            }
        };
        Ok(self.carts.change(change, choose).await?)
    }

    /// Takes everything out. Safe to repeat.
    ///
    /// # Errors
    /// `another-version`; `too-many-requests` for guests.
    pub async fn clear(
        &self,
        owner: &CartOwner,
        if_match: &IfMatch,
        now: Timestamp,
    ) -> Result<CartChanged, Problem> {
        self.count(owner, now).await?;
        match owner.cart() {
            Some(id) => Ok(CartChanged::of(&self.carts.clear(&id, if_match, now).await?)),
            None if if_match.allows(0) => Ok(CartChanged::nothing()),
            None => Err(Error::AnotherVersion.into()),
        }
    }

    /// Counts the change of a guest, by the address: all of them together.
    async fn count(&self, owner: &CartOwner, now: Timestamp) -> Result<(), Problem> {
        match owner {
            CartOwner::Person(_) => Ok(()),
            CartOwner::Guest { address, .. } => self.limit.count("guest-cart", *address, now).await,
        }
    }
}
