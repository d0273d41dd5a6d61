//! The Carts table.
//!
//! | what | keys |
//! | --- | --- |
//! | a person's cart | `cartId` = `user#{sub}`; kept for 60 days after its last change |
//! | a guest's cart | `cartId` = `guest#{SHA-256 of its token, in base64url}`; kept for 30 |
//!
//! A cart is one item, so that a checkout of 50 lines fits into one transaction (docs/decisions/0044). Every change is
//! on the condition that the version is still the one that was read. `expiresAt` (seconds since 1970) only tidies up:
//! DynamoDB may delete days later, so the code looks at the time itself.

use std::collections::HashMap;

use anyhow::Context;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::builders::UpdateBuilder;
use aws_sdk_dynamodb::types::{AttributeValue, Delete, Put, ReturnValue, Update};
use offers::{Offer, OfferId, Offers};
use orders::PriceTables;
use orders::purchase::{Fault, Prices};
use shared::caller::UserId;
use shared::dynamo::list::{List, Sort};
use shared::dynamo::{
    Batch, Consistency, Item, KeptItems, Read, Stretch, Write, Written, backoff, from_item, number, put_item,
    text, to_item, update_item,
};
use shared::guards::KeyReused;
use shared::http::IfMatch;
use shared::http::problem::{Busy, Problem};
use shared::run::aws::{Aws, FromEnv};
use shared::run::config::{self, ConfigError};
use shared::values::time::Timestamp;

use crate::{Cart, CartId, CartOwner, CartToken, ChangeId, LastOrder, MostPieces, Note, Refusal};

/// A person's cart, which is one item.
const OWN: List = List { index: None, partition: "cartId", sort: Sort::Ascending("cartId"), key: "cartId" };

/// How often a change begins anew because others changed the cart at the same time.
const TRIES: u32 = 5;

/// The Carts table, with the offers that carts are about.
#[derive(Debug, Clone)]
pub struct Carts {
    client: Client,
    table: String,
    offers: Offers,
    prices: PriceTables,
}

impl FromEnv for Carts {
    fn from_env(aws: &Aws) -> Result<Self, ConfigError> {
        Ok(Self {
            client: aws.dynamodb(),
            table: config::table("CARTS_TABLE"),
            offers: Offers::from_env(aws)?,
            prices: PriceTables::from_env(aws)?,
        })
    }
}

/// A change of a cart that somebody asks for.
#[derive(Debug, Clone)]
pub struct Change<'a> {
    owner: &'a CartOwner,
    /// Which versions of the cart were seen.
    if_match: &'a IfMatch,
    id: ChangeId,
    about: Option<OfferId>,
    now: Timestamp,
}

impl<'a> Change<'a> {
    /// A change of this cart.
    pub fn of(owner: &'a CartOwner, if_match: &'a IfMatch, now: Timestamp) -> Self {
        Self { owner, if_match, id: ChangeId::random(), about: None, now }
    }

    /// Whose cart.
    pub fn owner(&self) -> &'a CartOwner {
        self.owner
    }

    /// When.
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// The same, whose rule has to know this offer.
    #[must_use]
    pub fn about(self, offer: OfferId) -> Self {
        Self { about: Some(offer), ..self }
    }

    /// The same, made once however often it is asked for by this name, if it has one.
    #[must_use]
    pub fn named(self, id: Option<ChangeId>) -> Self {
        Self { id: id.unwrap_or(self.id), ..self }
    }
}

/// Why a cart was not changed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A rule said no.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// What was chosen is not for what is in it.
    #[error(transparent)]
    Chosen(#[from] Fault),
    /// It is not, or no longer, a version that the request is about.
    #[error("the cart is another version")]
    AnotherVersion,
    /// The key came before with another request.
    #[error(transparent)]
    KeyReused(#[from] KeyReused),
    /// A call failed.
    #[error(transparent)]
    Failed(#[from] anyhow::Error),
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        match error {
            Error::Refused(refusal) => refusal.into(),
            Error::Chosen(fault) => fault.into(),
            Error::AnotherVersion => Self::another_version("cart"),
            Error::KeyReused(reused) => reused.into(),
            Error::Failed(error) => error.into(),
        }
    }
}

/// A cart after a change, and the token of a guest who had none that opens one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Changed {
    /// The cart.
    pub cart: Cart,
    /// What opens it, where that is new.
    pub token: Option<CartToken>,
}

impl Carts {
    /// Deletes a person's cart. Safe to repeat.
    ///
    /// # Errors
    /// When the table cannot be written.
    pub async fn forget(&self, person: &UserId) -> anyhow::Result<()> {
        let delete = self.client.delete_item().table_name(&self.table);
        let delete = delete.key("cartId", text(&CartId::of_person(person)));
        delete.send().await.map(drop).context("delete a person's cart")
    }

    /// A person's cart, as it is kept.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn kept_of(&self, person: &UserId, stretch: Stretch) -> anyhow::Result<KeptItems> {
        OWN.kept(&self.client, &self.table, &CartId::of_person(person), stretch).await
    }

    /// The cart that a request names, without what has expired; `None` where there is none.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn find(&self, owner: &CartOwner, now: Timestamp) -> anyhow::Result<Option<Cart>> {
        let Some(id) = owner.cart() else { return Ok(None) };
        let get = self.client.get_item().table_name(&self.table).key("cartId", text(&id));
        let found = get.consistent_read(true).send().await.context("read a cart")?.item;
        Ok(found.map(from_item::<Cart>).transpose()?.map(|cart| cart.as_of(now)))
    }

    /// What a cart costs by, in one call: its offers, as far as they are there, whether their stores are open, its
    /// coupon, with how often this person has used it, and how the shop sends and taxes. Where almost all of fifty
    /// lines are of a store of their own, it takes a second one.
    ///
    /// # Errors
    /// When the tables cannot be read.
    pub async fn prices_of(
        &self,
        cart: &Cart,
        person: Option<&UserId>,
        consistency: Consistency,
    ) -> anyhow::Result<Prices> {
        let coupon = cart.choices().coupon_code.as_ref();
        let (offers, stores) = (cart.offers(), cart.stores());
        let read = self.prices.with(Read::new(), offers, stores, coupon, person, consistency)?;
        let mut found = read.fetch(&self.client).await.context("read what a cart costs by")?;
        self.prices.found_in(&mut found)
    }

    /// Changes a cart by a rule, which sees it as it is and the offer that the change is about: one read and one put,
    /// and nothing is written where nothing changes.
    ///
    /// Safe against the SDK's own repetition, and against that of a request with a key: a change that took effect is
    /// found among those that the cart remembers.
    ///
    /// # Errors
    /// What the rule says; [`Error::AnotherVersion`]; [`Error::KeyReused`]; [`Busy`] where others change the cart again
    /// and again.
    pub async fn change<E, F>(
        &self,
        change: &Change<'_>,
        rule: impl Fn(Cart, Option<Offer>) -> F,
    ) -> Result<Changed, Error>
    where
        F: Future<Output = Result<Cart, E>>,
        Error: From<E>,
    {
        // A token that opens nothing is nobody's: whoever sends it gets one that nobody else can know.
        let minted = CartToken::mint();
        for attempt in 0..TRIES {
            let (found, offer) = self.read(change).await?;
            let (cart, token) = match (found, change.owner) {
                (Some(cart), _) => (cart, None),
                (None, CartOwner::Person(id)) => (Cart::empty(CartId::of_person(id), change.now), None),
                (None, CartOwner::Guest { .. }) => (Cart::empty(minted.cart(), change.now), Some(minted)),
            };
            let cart = cart.as_of(change.now);
            if cart.was_changed_by(&change.id)? {
                return Ok(Changed { cart, token: None });
            }
            if !change.if_match.allows(cart.version()) {
                return Err(Error::AnotherVersion);
            }
            let next = rule(cart.clone(), offer).await?;
            if next.is_like(&cart) {
                return Ok(Changed { cart, token: None });
            }
            let next = next.changed(change.id.clone(), change.now);
            match put_item(&self.client, self.put(&next, cart.version())?).await.context("change a cart")? {
                Written::Done(()) => return Ok(Changed { cart: next, token }),
                Written::Refused(found) if is_changed_by(&found, &change.id)? => {
                    return Ok(Changed { cart: next, token });
                }
                Written::Refused(_) => tokio::time::sleep(backoff(attempt)).await,
            }
        }
        Err(anyhow::Error::new(Busy).context("change a cart").into())
    }

    /// Takes everything out of a cart: one write without a read. Safe to repeat: an empty cart stays as it is.
    ///
    /// # Errors
    /// [`Error::AnotherVersion`]; when the table cannot be written.
    pub async fn clear(&self, id: &CartId, if_match: &IfMatch, now: Timestamp) -> Result<Cart, Error> {
        let empty = Cart::empty(id.clone(), now);
        let (and, values) = match if_match.condition() {
            Some((condition, values)) => (format!(" AND {condition}"), values),
            None => (String::new(), HashMap::new()),
        };
        let update = self.emptied(&empty, now).update_expression(
            "SET #lines = :none, version = version + :one, updatedAt = :now, expiresAt = :expires",
        );
        let update = values
            .into_iter()
            .fold(update, |update, (name, value)| update.expression_attribute_values(name, value));
        let update = update
            .condition_expression(format!("size(#lines) > :zero{and}"))
            .expression_attribute_values(":one", number(1))
            .expression_attribute_values(":zero", number(0))
            .build()
            .context("clear a cart")?;
        let cleared = update_item(&self.client, update, ReturnValue::AllNew).await.context("clear a cart")?;
        let cart = match cleared {
            Written::Done(item) => return Ok(from_item(item)?),
            Written::Refused(found) if found.is_empty() => empty,
            Written::Refused(found) => from_item(found)?,
        };
        let is_seen = if_match.allows(cart.version()) || cart.was_cleared(if_match, now);
        if is_seen { Ok(cart) } else { Err(Error::AnotherVersion) }
    }

    /// Puts what a guest's cart has into a person's and deletes it, in one transaction: merged twice is merged once.
    ///
    /// # Errors
    /// [`Busy`] where others change the carts again and again.
    pub async fn merge(
        &self,
        person: &UserId,
        token: CartToken,
        most: MostPieces,
        now: Timestamp,
    ) -> anyhow::Result<(Cart, Vec<Note>)> {
        let id = CartId::of_person(person);
        for attempt in 0..TRIES {
            let (own, guest) = self.both(&id, token).await?;
            let own = own.unwrap_or_else(|| Cart::empty(id.clone(), now)).as_of(now);
            let guest = guest.map(|guest| guest.as_of(now)).filter(Cart::has_something);
            let Some(guest) = guest else { return Ok((own, Vec::new())) };
            let read = own.version();
            let (merged, notes) = own.merge(&guest, most);
            let change = ChangeId::random();
            let merged = merged.changed(change.clone(), now);
            let mut write = Write::new();
            let put = write.put(self.put(&merged, read)?);
            write.delete(self.delete(&guest)?);
            let Written::Refused(mut found) = write.commit(&self.client).await? else {
                return Ok((merged, notes));
            };
            if is_changed_by(&found.take(put).unwrap_or_default(), &change)? {
                return Ok((merged, notes));
            }
            tokio::time::sleep(backoff(attempt)).await;
        }
        Err(Busy).context("merge two carts")
    }

    /// Empties the cart that becomes an order, in the order's transaction, if it is still of the version that is
    /// ordered. How and where to it was sent stays chosen; its coupon was used.
    ///
    /// # Errors
    /// Never for values of these types; the SDK's builder asks.
    pub fn ordered(&self, cart: &Cart, order: &LastOrder, now: Timestamp) -> anyhow::Result<Update> {
        self.emptied(cart, now)
            .update_expression(
                "SET #lines = :none, choices = :choices, version = :next, lastOrder = :order, updatedAt = :now, \
                 expiresAt = :expires",
            )
            .condition_expression("version = :read")
            .expression_attribute_values(":read", number(cart.version()))
            .expression_attribute_values(":next", number(cart.version().saturating_add(1)))
            .expression_attribute_values(":order", AttributeValue::M(to_item(order)?))
            .expression_attribute_values(":choices", AttributeValue::M(to_item(&cart.choices().after_order())?))
            .build()
            .context("empty a cart that was ordered")
    }

    /// Adds a cart to what is read at the same time.
    ///
    /// # Errors
    /// Never for values of these types; the SDK's builder asks.
    pub fn with(&self, read: Read, cart: &CartId) -> anyhow::Result<Read> {
        read.of(&self.table, "cartId", [cart], Consistency::Strong)
    }

    /// The cart that was read, without what has expired.
    ///
    /// # Errors
    /// When it is not as this code writes them.
    pub fn found_in(&self, batch: &mut Batch, now: Timestamp) -> anyhow::Result<Option<Cart>> {
        let found = batch.take(&self.table).pop();
        Ok(found.map(from_item::<Cart>).transpose()?.map(|cart| cart.as_of(now)))
    }

    /// The client, for what is read together with a cart.
    pub(crate) fn client(&self) -> &Client {
        &self.client
    }

    async fn read(&self, change: &Change<'_>) -> anyhow::Result<(Option<Cart>, Option<Offer>)> {
        let read = Read::new().of(&self.table, "cartId", change.owner.cart(), Consistency::Strong)?;
        let read = self.offers.with(read, change.about, Consistency::Strong)?;
        let mut found = read.fetch(&self.client).await.context("read a cart")?;
        let cart = found.take(&self.table).pop().map(from_item).transpose()?;
        Ok((cart, self.offers.found_in(&mut found).pop()))
    }

    async fn both(&self, id: &CartId, token: CartToken) -> anyhow::Result<(Option<Cart>, Option<Cart>)> {
        let ids = [id.clone(), token.cart()];
        let read = Read::new().of(&self.table, "cartId", ids, Consistency::Strong)?;
        let mut found = read.fetch(&self.client).await.context("read two carts")?;
        let (mut own, mut guest) = (None, None);
        for item in found.take(&self.table) {
            let cart: Cart = from_item(item)?;
            if cart.id() == id { own = Some(cart) } else { guest = Some(cart) }
        }
        Ok((own, guest))
    }

    fn put(&self, cart: &Cart, read: u32) -> anyhow::Result<Put> {
        let put = Put::builder().table_name(&self.table).set_item(Some(to_item(cart)?));
        let put = if read == 0 {
            put.condition_expression("attribute_not_exists(cartId)")
        } else {
            put.condition_expression("version = :read").expression_attribute_values(":read", number(read))
        };
        put.build().context("put a cart")
    }

    fn delete(&self, cart: &Cart) -> anyhow::Result<Delete> {
        Delete::builder()
            .table_name(&self.table)
            .key("cartId", text(cart.id()))
            .condition_expression("version = :read")
            .expression_attribute_values(":read", number(cart.version()))
            .build()
            .context("delete a cart")
    }

    /// What every update of an emptied cart says.
    fn emptied(&self, cart: &Cart, now: Timestamp) -> UpdateBuilder {
        Update::builder()
            .table_name(&self.table)
            .key("cartId", text(cart.id()))
            .expression_attribute_names("#lines", "lines")
            .expression_attribute_values(":none", AttributeValue::L(Vec::new()))
            .expression_attribute_values(":now", text(&now))
            .expression_attribute_values(":expires", number(cart.kept_until(now)))
    }
}

/// Whether the cart that a put found is the one that it put, or one that came of it.
fn is_changed_by(found: &Item, change: &ChangeId) -> anyhow::Result<bool> {
    if found.is_empty() {
        return Ok(false);
    }
    let found: Cart = from_item(found.clone())?;
    Ok(found.was_changed_by(change)?)
}
