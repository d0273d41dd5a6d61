//! What people do with their carts.

use offers::OfferId;
use orders::NewLine;
use serde::Serialize;
use shared::dynamo::Consistency;
use shared::guards::rate_limit::GuestLimit;
use shared::http::Answer;
use shared::http::problem::Problem;
use shared::run::aws::{Aws, FromEnv};
use shared::run::config::ConfigError;
use shared::values::time::Timestamp;

use crate::store::Changed;
use crate::{
    Cart, CartChanges, CartLine, CartOwner, CartToken, Carts, MostPieces, NewQuantity, Note, Pricing, owner,
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

/// With a guest's new token, which is in the header, too.
impl From<Changed> for Answer<CartChanged> {
    fn from(Changed { cart, token }: Changed) -> Self {
        let cart_token = token.map(CartToken::reveal);
        let changed = CartChanged { cart_token: cart_token.clone(), ..CartChanged::of(&cart) };
        match cart_token {
            Some(token) => Self::ok(changed).header(owner::HEADER, token),
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
    /// Puts so many more pieces into the cart. Repeated by its sender, it puts them in again.
    ///
    /// # Errors
    /// Those of [`Cart::add`], and `too-many-requests` for guests.
    pub async fn add(
        &self,
        owner: &CartOwner,
        line: NewLine,
        most: MostPieces,
        now: Timestamp,
    ) -> Result<Changed, Problem> {
        self.count(owner, now).await?;
        let add = |cart: Cart, offer: Option<&_>| cart.add(line, offer, most, now);
        Ok(self.carts.change(owner, Some(line.id), now, add).await?)
    }

    /// Says how many pieces there are to be. Safe to repeat.
    ///
    /// # Errors
    /// Those of [`Cart::set`], and `too-many-requests` for guests.
    pub async fn set(
        &self,
        owner: &CartOwner,
        id: OfferId,
        NewQuantity { quantity }: NewQuantity,
        most: MostPieces,
        now: Timestamp,
    ) -> Result<Changed, Problem> {
        self.count(owner, now).await?;
        let set = |cart: Cart, offer: Option<&_>| cart.set(id, quantity, offer, most, now);
        Ok(self.carts.change(owner, Some(id), now, set).await?)
    }

    /// Takes a product out. Safe to repeat.
    ///
    /// # Errors
    /// `too-many-requests` for guests.
    pub async fn remove(&self, owner: &CartOwner, id: OfferId, now: Timestamp) -> Result<Changed, Problem> {
        self.count(owner, now).await?;
        Ok(self.carts.change(owner, None, now, |cart, _| Ok(cart.remove(id))).await?)
    }

    /// Chooses a coupon, how it is sent and where to, if that is possible with what is in the cart. Safe to repeat.
    /// Whether it still is when the cart is ordered, is decided then.
    ///
    /// # Errors
    /// The [`Fault`](orders::purchase::Fault) of what is chosen anew, and `too-many-requests` for guests.
    pub async fn choose(
        &self,
        pricing: &Pricing,
        owner: &CartOwner,
        CartChanges(new): CartChanges,
        now: Timestamp,
    ) -> Result<Changed, Problem> {
        self.count(owner, now).await?;
        let cart = self.carts.find(owner, now).await?;
        if let Some(cart) = cart.filter(|cart| !cart.lines().is_empty()) {
            let chosen = cart.choose(new.clone());
            let priced = pricing.price(&chosen, owner.person(), Consistency::Eventual, now).await?;
            if let Some(fault) = priced.faults().iter().find(|fault| new.are_about(fault)) {
                return Err(fault.clone().into());
            }
        }
        Ok(self.carts.change(owner, None, now, |cart, _| Ok(cart.choose(new.clone()))).await?)
    }

    /// Takes everything out. Safe to repeat.
    ///
    /// # Errors
    /// `too-many-requests` for guests.
    pub async fn clear(&self, owner: &CartOwner, now: Timestamp) -> Result<CartChanged, Problem> {
        self.count(owner, now).await?;
        let Some(id) = owner.cart() else { return Ok(CartChanged::nothing()) };
        Ok(CartChanged::of(&self.carts.clear(&id, now).await?))
    }

    /// Counts the change of a guest, by the address: all of them together.
    async fn count(&self, owner: &CartOwner, now: Timestamp) -> Result<(), Problem> {
        match owner {
            CartOwner::Person(_) => Ok(()),
            CartOwner::Guest { address, .. } => self.limit.count("guest-cart", *address, now).await,
        }
    }
}
