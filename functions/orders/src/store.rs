//! The Orders table.
//!
//! | what | keys |
//! | --- | --- |
//! | an order | `orderId` |
//! | a buyer's orders, newest first | index `customer`: `userId`, `createdAt` |
//! | orders that are owed something | index `due`: `due` ("00" to "15", by the id), `dueAt` (when to look); sparse |
//! | all orders, newest first, for admins | index `all`: `all` ("0" to "7", by the id), `orderId` |
//! | the same of those that are pending | index `open`: `open` (likewise), `orderId`; sparse |
//! | a guest's orders, newest first | index `guest`: `guest` (HMAC of the address), `createdAt`; sparse |
//! | what a seller has of an order | table SellerOrders: `sellerId`, `orderId`, which sorts by time |
//! | the same of what the seller is to send | its index `open`: `open` (the seller's id), `orderId`; sparse |
//! | parcels of which a letter is owed | its index `due`: `due` ("0"), `dueAt` (when to look); sparse |
//!
//! SellerOrders are written with their order, with each word of a parcel, and when a person ships or ends an order that
//! a person was to ship. Of an order that is sent in parts, its own `parcels` tell how it stands.
//!
//! An order is `due` from its first moment until its last email is recorded as sent, so whatever dies between leaves a
//! trace that the sweep finds. One that waits for a person to ship it is owed nothing meanwhile and so not `due`; one
//! that awaits its payment is due when nobody can pay for it any more.

mod ending;
mod forgetting;
mod guests;
mod hours;
mod parcels;
mod paying;
mod returns;
mod sales;

use std::future::ready;
use std::ops::ControlFlow;

use anyhow::Context;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::builders::UpdateBuilder;
use aws_sdk_dynamodb::types::{AttributeValue, Put, ReturnValue, Update};
use offers::{NotReserved, OfferId, Offers, why_not_reserved};
use promotions::{Coupon, NotRedeemed};
use serde::Serialize;
use serde::de::DeserializeOwned;
use shared::caller::{Caller, UserId};
use shared::dynamo;
use shared::dynamo::list::Sort::Descending;
use shared::dynamo::list::{Cursors, List, Page, PageRequest};
use shared::dynamo::shards::ShardedList;
use shared::dynamo::{
    Consistency, Found, Item, KeptItems, Part, Read, Stretch, Write, Written, from_item, number, text,
    to_item, update_item,
};
use shared::guards::{Committed, Guards, Kept, KeyReused, KeyedRequest, Once};
use shared::http::problem::{Busy, Problem};
use shared::letters::Queued;
use shared::run::aws::{Aws, FromEnv};
use shared::run::config::{self, ConfigError};
use shared::values::time::Timestamp;
use stores::{Gate, StoreId};
use users::{Profile, Users};

use crate::admin::{Inspected, OrderEntry};
use crate::buyers::Buyer;
use crate::purchase::{Fault, Prices, Refusal as PurchaseRefusal};
use crate::workflow::Shipped;
use crate::{
    Action, Actor, DueOrder, Error, GRACE, HistoryEntry, LetterKind, Line, NewOrder, Order, OrderId,
    OrderPlaced, OrderStatus, PaymentId, PriceTables, Progress, Refusal, SellerOrder, Shipment, Shop,
    Transition,
};

const CUSTOMER: List =
    List { index: Some("customer"), partition: "userId", sort: Descending("createdAt"), key: "orderId" };

/// How often an order is counted anew because an admin changed its coupon at the same time.
const TRIES: u32 = 3;

/// Every order writes to the index `due`, so it is spread over this many partitions.
const DUE_SHARDS: u8 = 16;

/// The shards of the admins' lists, to which every order writes as well.
const LIST_SHARDS: &[&str] = &["0", "1", "2", "3", "4", "5", "6", "7"];

const ALL: ShardedList = ShardedList { index: "all", key: "orderId", shards: LIST_SHARDS };
const OPEN: ShardedList = ShardedList { index: "open", key: "orderId", shards: LIST_SHARDS };

/// An order's id's last hexadecimal digit, which is random.
fn last_digit(id: OrderId) -> u32 {
    id.to_string().pop().and_then(|digit| digit.to_digit(16)).unwrap_or_default()
}

/// The shard of the index `due` for an order.
pub(crate) fn due_shard(id: OrderId) -> String {
    format!("{:02}", last_digit(id))
}

/// The shard of the indexes `all` and `open` for an order.
pub(crate) fn list_shard(id: OrderId) -> &'static str {
    let index = usize::try_from(last_digit(id)).unwrap_or_default();
    LIST_SHARDS[index % LIST_SHARDS.len()]
}

/// The shards of the index `due`.
pub fn due_shards() -> impl Iterator<Item = String> {
    (0..DUE_SHARDS).map(|shard| format!("{shard:02}"))
}

/// The Orders table, with what placing an order reads and writes besides.
#[derive(Debug, Clone)]
pub struct Orders {
    client: Client,
    table: String,
    of_sellers: String,
    prices: PriceTables,
    users: Users,
    guards: Guards,
}

impl FromEnv for Orders {
    fn from_env(aws: &Aws) -> Result<Self, ConfigError> {
        Ok(Self {
            client: aws.dynamodb(),
            table: config::table("ORDERS_TABLE"),
            of_sellers: config::table("SELLER_ORDERS_TABLE"),
            prices: PriceTables::from_env(aws)?,
            users: Users::from_env(aws)?,
            guards: Guards::from_env(aws)?,
        })
    }
}

pub use ending::{Ended, Ending};
pub use hours::{DueHour, Hours};
pub use parcels::Told;
pub use paying::Refunded;
pub use returns::Returns;
pub use sales::Sales;

/// What adds the payment of an order, as it was read, to the transaction in which it arrives, and names it: each time
/// anew, since it may be tried several times.
pub type Collect<'a> = &'a (dyn Fn(&Order, &mut Write) -> anyhow::Result<PaymentId> + Send + Sync);

/// An order that somebody asks for.
#[derive(Debug, Clone, Copy)]
pub struct Placing<'a> {
    /// Who.
    pub buyer: &'a Buyer,
    /// For what.
    pub order: &'a NewOrder,
    /// By which key, if by one.
    pub keyed: Option<&'a KeyedRequest>,
    /// Where.
    pub shop: Shop,
    /// When.
    pub now: Timestamp,
}

/// What an order depends on, as it was read at one go.
#[derive(Debug)]
pub struct Basis {
    prices: Prices,
    buyer: Option<Profile>,
    record: Option<Item>,
}

/// An order as it was counted.
#[derive(Debug)]
pub enum Counted<T, A> {
    /// It is to be written.
    New(Box<ToRecord<T, A>>),
    /// The same request was answered before.
    Before(T),
}

/// An order that is to be written, and what with it.
#[derive(Debug)]
pub struct ToRecord<T, A> {
    /// The order.
    pub order: Order,
    /// By which coupon it was counted.
    pub coupon: Option<Coupon>,
    /// What is written in the same transaction.
    pub write: Write,
    /// What is answered, which says the order's id: so an answer that is found is this order's.
    pub answer: T,
    /// What whoever counts it wants to know of the order that is written.
    pub along: A,
}

/// What became of an order that was to be written.
#[derive(Debug)]
pub enum Recorded<T, A> {
    /// It is written.
    Done(T, A),
    /// The same request was answered before.
    Before(T),
    /// The key came before with another request.
    KeyReused,
    /// Nothing is written, since these lines cannot be had.
    Lines(Vec<NotReserved>),
    /// Nothing is written, since something else failed that was to be written with the order.
    Refused,
}

impl Orders {
    /// Reads what an order depends on: what it costs by, its buyer's profile and the record of its key, in one call.
    ///
    /// # Errors
    /// When the tables cannot be read.
    pub async fn basis(&self, Placing { buyer, order, keyed, .. }: &Placing<'_>) -> anyhow::Result<Basis> {
        let (coupon, customer) = (order.choices().coupon_code.as_ref(), buyer.customer());
        let read = self.prices.with(
            Read::new(),
            order.offers(),
            [],
            coupon,
            Some(&customer),
            Consistency::Strong,
        )?;
        let read = match buyer.person() {
            Some(person) => self.users.with(read, person)?,
            None => read,
        };
        let read = self.guards.with_record(read, *keyed)?;
        let mut found = read.fetch(&self.client).await.context("read what an order depends on")?;
        Ok(Basis {
            prices: self.prices.found_in(&mut found)?,
            buyer: self.users.found_in(&mut found)?,
            record: self.guards.record_in(&mut found),
        })
    }

    /// Places an order on its `basis`, as [`Orders::place_as`] does, to be paid at the door.
    ///
    /// # Errors
    /// Those of [`Orders::place_as`].
    pub async fn place(&self, placing: &Placing<'_>, basis: Basis) -> Result<Once<OrderPlaced>, Error> {
        let at_the_door = |order: Order| {
            let answer = OrderPlaced::new(order.order_id);
            ready(Ok::<_, Error>((order, Write::new(), answer, ())))
        };
        Ok(match self.place_as(placing, basis, at_the_door).await? {
            (placed, Some(())) => Once::Done(placed),
            (placed, None) => Once::Replayed(placed),
        })
    }

    /// Places an order on its `basis`, finished by a rule: one transaction reserves the stock, counts the coupon and
    /// writes the order, the key's record and what the rule adds. Gives the answer, and what the rule gave along where
    /// it was not given before.
    ///
    /// Safe to repeat with a key: the record makes the second transaction fail and gives the first answer. Safe against
    /// the SDK's own repetition without one: the order's id is new, so an order of that id is this one.
    ///
    /// # Errors
    /// A [`Refusal`] that names the line or says what else is in the way, or [`KeyReused`]; what the rule says.
    pub async fn place_as<T, A, E, F>(
        &self,
        placing: &Placing<'_>,
        basis: Basis,
        finish: impl Fn(Order) -> F,
    ) -> Result<(T, Option<A>), E>
    where
        F: Future<Output = Result<(Order, Write, T, A), E>>,
        T: Clone + PartialEq + Serialize + DeserializeOwned,
        E: From<Error>,
    {
        let mut basis = Some(basis);
        let count = || {
            let (read, finish) = (basis.take(), &finish);
            async move {
                let (order, coupon) = match self.counted(placing, read).await? {
                    ControlFlow::Continue(counted) => counted,
                    ControlFlow::Break(before) => return Ok(Counted::Before(before)),
                };
                let (order, write, answer, along) = finish(order).await?;
                let new = ToRecord { order, coupon, write, answer, along };
                Ok::<_, E>(Counted::New(Box::new(new)))
            }
        };
        match self.record(placing.keyed, placing.now, count).await? {
            Recorded::Done(answer, along) => Ok((answer, Some(along))),
            Recorded::Before(answer) => Ok((answer, None)),
            Recorded::KeyReused => Err(Error::from(Refusal::from(KeyReused)).into()),
            Recorded::Lines(lines) => {
                let first = Refusal::of_lines(&lines).map(Error::from);
                let none = || anyhow::anyhow!("a transaction was refused for none of its lines").into();
                Err(first.unwrap_or_else(none).into())
            }
            Recorded::Refused => Err(Error::from(anyhow::anyhow!("nothing else can be in its way")).into()),
        }
    }

    /// The order by what was read, or else by what is read now, and its coupon; or the answer that was given before.
    async fn counted<T: DeserializeOwned>(
        &self,
        placing: &Placing<'_>,
        read: Option<Basis>,
    ) -> Result<ControlFlow<T, (Order, Option<Coupon>)>, Error> {
        let Placing { buyer, order, keyed, shop, now } = *placing;
        let Basis { prices, buyer: profile, record } = match read {
            Some(basis) => basis,
            None => self.basis(placing).await?,
        };
        if let Some(before) = replay(keyed, record, now)? {
            return Ok(ControlFlow::Break(before));
        }
        let contact = buyer.contact(profile)?;
        match Order::place(order, &prices, shop, &buyer.customer(), contact, now) {
            Ok((order, purchase)) => {
                Ok(ControlFlow::Continue((buyer.owning(order), purchase.coupon().cloned())))
            }
            Err(refused) => {
                // Tables are not read at one moment: the same request may have taken the last piece and written its
                // record between the two reads.
                let record = match keyed {
                    Some(_) => self.basis(placing).await?.record,
                    None => None,
                };
                replay(keyed, record, now)?.map(ControlFlow::Break).ok_or(refused)
            }
        }
    }

    /// Writes a new order as `count` counts it, and has it counted again where an admin changed its coupon since that
    /// was read.
    ///
    /// # Errors
    /// What `count` says; that the coupon is not, or no longer, for this order; [`Busy`] where its admins do not stop.
    pub async fn record<T, A, E, F>(
        &self,
        keyed: Option<&KeyedRequest>,
        now: Timestamp,
        mut count: impl FnMut() -> F,
    ) -> Result<Recorded<T, A>, E>
    where
        T: Clone + PartialEq + Serialize + DeserializeOwned,
        E: From<Error>,
        F: Future<Output = Result<Counted<T, A>, E>>,
    {
        for _ in 0..TRIES {
            let recorded = match count().await? {
                Counted::Before(answer) => Some(Recorded::Before(answer)),
                Counted::New(order) => self.record_once(*order, keyed, now).await?,
            };
            if let Some(recorded) = recorded {
                return Ok(recorded);
            }
        }
        Err(Error::from(anyhow::Error::new(Busy).context("count the use of a coupon")).into())
    }

    /// Writes a new order in one transaction with the reservations of its lines, what each seller has of it, the use
    /// of its coupon, the key's record and what is to be written besides, if its stores are open. `None` where an
    /// admin has changed the coupon.
    ///
    /// Safe to repeat as [`Orders::place_as`] is.
    async fn record_once<T: Clone + PartialEq + Serialize + DeserializeOwned, A>(
        &self,
        ToRecord { order, coupon, mut write, answer, along }: ToRecord<T, A>,
        keyed: Option<&KeyedRequest>,
        now: Timestamp,
    ) -> Result<Option<Recorded<T, A>>, Error> {
        let coupon = coupon.as_ref();
        let own = write.put(self.new_order(&order)?);
        let redeem = |coupon| self.prices.coupons.redeem(&mut write, coupon, order.customer());
        let redeemed = coupon.map(redeem).transpose()?;
        for part in order.by_sellers() {
            write.put(self.of_seller(&part)?);
        }
        let gate = Gate::of(order.order_id);
        let check = |store: StoreId| Ok((write.check(self.prices.stores.is_open(store, gate)?), store));
        let gates: Vec<(Part, StoreId)> =
            order.stores().into_iter().map(check).collect::<anyhow::Result<_>>()?;
        let lines = order.lines.into_iter().map(|line| {
            let reserved =
                self.prices.offers.reserve(line.offer_id, line.quantity.pieces(), line.unit_price)?;
            Ok((write.update(reserved), line))
        });
        let lines: Vec<(Part, Line)> = lines.collect::<anyhow::Result<_>>()?;
        let mut found = match self.guards.commit(write, keyed, answer.clone(), now).await? {
            // A record with this new id is this order's: an earlier try took effect and its reply was lost.
            Committed::Once(Once::Replayed(kept)) if kept == answer => {
                return Ok(Some(Recorded::Done(answer, along)));
            }
            Committed::Once(Once::Done(answer)) => return Ok(Some(Recorded::Done(answer, along))),
            Committed::Once(Once::Replayed(kept)) => return Ok(Some(Recorded::Before(kept))),
            Committed::KeyReused => return Ok(Some(Recorded::KeyReused)),
            Committed::Refused(found) if found.at(own).is_some() => {
                return Ok(Some(Recorded::Done(answer, along)));
            }
            Committed::Refused(found) => found,
        };
        let closed: Vec<StoreId> =
            gates.into_iter().filter(|(part, _)| found.at(*part).is_some()).map(|(_, store)| store).collect();
        let refused = refused_lines(&lines, &closed, &mut found)?;
        if !refused.is_empty() {
            return Ok(Some(Recorded::Lines(refused)));
        }
        let refused = redeemed.zip(coupon).map(|(redeemed, coupon)| redeemed.refusal(&mut found, coupon));
        match refused.transpose()?.flatten() {
            None => Ok(Some(Recorded::Refused)),
            Some(NotRedeemed::Changed) => Ok(None),
            Some(NotRedeemed::Refused(reason)) => {
                let fault = Fault::of_coupon(coupon, reason).context("it has a coupon")?;
                Err(Refusal::from(PurchaseRefusal::from(fault)).into())
            }
        }
    }

    fn new_order(&self, order: &Order) -> anyhow::Result<Put> {
        Put::builder()
            .table_name(&self.table)
            .set_item(Some(to_item(order)?))
            .condition_expression("attribute_not_exists(orderId)")
            .build()
            .context("put an order")
    }

    /// What a seller has of a new order. The order's own condition lets it be written once.
    fn of_seller(&self, part: &SellerOrder) -> anyhow::Result<Put> {
        let put = Put::builder().table_name(&self.of_sellers).set_item(Some(to_item(part)?));
        put.build().context("put what a seller has of an order")
    }

    /// The order, whoever's it is.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn find(&self, id: OrderId) -> anyhow::Result<Option<Order>> {
        self.item(id).await?.map(from_item).transpose()
    }

    async fn item(&self, id: OrderId) -> anyhow::Result<Option<Item>> {
        let get = self.client.get_item().table_name(&self.table).key("orderId", text(&id));
        Ok(get.consistent_read(true).send().await.context("read an order")?.item)
    }

    /// The order, if the caller bought it or sells all of it.
    ///
    /// # Errors
    /// [`Error::NotFound`] also when it is neither.
    pub async fn find_for(&self, caller: &Caller, id: OrderId) -> Result<Order, Error> {
        let order = self.find(id).await?;
        order.filter(|it| it.user_id == *caller.id() || it.is_sold_by(caller)).ok_or(Error::NotFound)
    }

    /// The order, whoever's it is, with what became of each letter about it, in one call.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn inspect(&self, id: OrderId) -> Result<Inspected, Error> {
        let letters = LetterKind::ALL.map(|kind| Queued::new(kind, id).claim());
        let read = Read::new().of(&self.table, "orderId", [id], Consistency::Strong)?;
        let read = self.guards.with_claims(read, &letters)?;
        let mut found = read.fetch(&self.client).await.context("read an order and its letters")?;
        let order = found.take(&self.table).pop().ok_or(Error::NotFound)?;
        let claims = self.guards.claims_in(&mut found)?;
        let known = LetterKind::ALL.into_iter().zip(&letters);
        let known = known.filter_map(|(kind, letter)| Some((kind, *claims.get(letter)?)));
        Ok(Inspected::new(from_item(order)?, known.collect()))
    }

    /// A page of all orders, newest first, or of those in one status.
    ///
    /// # Errors
    /// `invalid-input` for a cursor of another list.
    pub async fn list_all(
        &self,
        status: Option<OrderStatus>,
        cursors: &Cursors,
        request: &PageRequest,
    ) -> Result<Page<OrderEntry>, Problem> {
        let (list, only) = match status {
            None => (ALL, None),
            Some(OrderStatus::Pending) => (OPEN, None),
            Some(
                status @ (OrderStatus::AwaitingPayment
                | OrderStatus::Shipping
                | OrderStatus::Delivered
                | OrderStatus::Cancelled),
            ) => (ALL, Some(("status", status.as_str()))),
        };
        cursors.merged_page(&self.client, &self.table, list, only, request).await
    }

    /// The order, if it is this buyer's.
    ///
    /// # Errors
    /// [`Error::NotFound`] also when it is somebody else's.
    pub async fn find_of(&self, buyer: &Caller, id: OrderId) -> Result<Order, Error> {
        self.find(id).await?.filter(|order| order.user_id == *buyer.id()).ok_or(Error::NotFound)
    }

    /// A stretch of what a customer ordered, as it is kept.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn kept_of(&self, person: &UserId, stretch: Stretch) -> anyhow::Result<KeptItems> {
        CUSTOMER.kept(&self.client, &self.table, person, stretch).await
    }

    /// A page of this buyer's orders, newest first.
    ///
    /// # Errors
    /// `invalid-input` for a cursor of another list.
    pub async fn list_of(
        &self,
        buyer: &UserId,
        cursors: &Cursors,
        request: &PageRequest,
    ) -> Result<Page<Order>, Problem> {
        cursors.page(&self.client, &self.table, CUSTOMER, &buyer.to_string(), request).await
    }

    /// Moves a pending order to shipping for the workflow, unless that is a person's to do: then it is owed nothing
    /// until that person does. Safe to repeat: the condition lets it happen once.
    ///
    /// # Errors
    /// When there is no such order or the table cannot be written.
    pub async fn ship(&self, id: OrderId, now: Timestamp) -> anyhow::Result<Shipped> {
        let mut now = now;
        loop {
            let update = self.transition(id, Action::Ship, &Actor::WORKFLOW, Besides::default(), now)?;
            let sent = update_item(&self.client, update, ReturnValue::None).await.context("ship an order")?;
            let Written::Refused(found) = sent else { return Ok(Shipped::Shipped) };
            let order = existing(found)?;
            match order.status.on(Action::Ship) {
                Transition::Already => return Ok(Shipped::AlreadyShipping),
                Transition::Refused if order.status == OrderStatus::Cancelled => {
                    return Ok(Shipped::Cancelled);
                }
                Transition::Refused | Transition::Unsettled => {
                    anyhow::bail!("an order that is not paid yet was queued")
                }
                Transition::To(_) if order.manual => {
                    self.settle(id, order.status).await?;
                    return Ok(Shipped::Waits);
                }
                Transition::To(_) => now = order.next_moment(now)?,
            }
        }
    }

    /// Moves an order on as who fulfils it says, and whether it was not told before. Of the order, as it was read, only
    /// what never changes is believed: whose it is, and what it costs. One that is paid at the door is paid when it
    /// arrives: `collect` adds its payment to the same transaction.
    ///
    /// # Errors
    /// [`Error::NotFound`] for a caller who may not see it, [`Error::NotTheirs`] for its buyer, and the [`Refusal`] of
    /// what cannot come to pass.
    pub async fn progress(
        &self,
        caller: &Caller,
        id: OrderId,
        progress: &Progress,
        collect: Collect<'_>,
        now: Timestamp,
    ) -> Result<(Order, bool), Error> {
        let order = self.find(id).await?.ok_or(Error::NotFound)?;
        let Some(actor) = order.fulfilled_by(caller) else {
            return Err(match (order.is_of_seller(caller.id()), order.user_id == *caller.id()) {
                (true, _) => Refusal::SeveralParcels.into(),
                (false, true) => Error::NotTheirs,
                (false, false) => Error::NotFound,
            });
        };
        self.progress_whole(order, &actor, progress, collect, now).await
    }

    /// The same of an order, as it was read, that `actor` may speak of.
    async fn progress_whole(
        &self,
        mut order: Order,
        actor: &Actor,
        progress: &Progress,
        collect: Collect<'_>,
        now: Timestamp,
    ) -> Result<(Order, bool), Error> {
        let (action, shipment) = match progress {
            Progress::Shipped(shipment) => (Action::Ship, shipment.as_ref()),
            Progress::Delivered => (Action::Deliver, None),
        };
        let mut now = now;
        loop {
            if order.is_in_parcels() {
                return self.progress_all(order, actor, progress, collect, now).await;
            }
            let written = if action == Action::Deliver && order.is_paid_at_the_door() {
                let add = |write: &mut Write| Besides::collected(&order, collect(&order, write)?);
                self.moved_with(&order, action, actor, &add, now).await?
            } else if action == Action::Ship && order.manual {
                let add = |write: &mut Write| {
                    self.close_for_sellers(&order, write)?;
                    Ok(shipment.map(Besides::shipment).transpose()?.unwrap_or_default())
                };
                self.moved_with(&order, action, actor, &add, now).await?
            } else {
                let besides = shipment.map(Besides::shipment).transpose()?.unwrap_or_default();
                let update = self.transition(order.order_id, action, actor, besides, now)?;
                update_item(&self.client, update, ReturnValue::AllNew).await.context("move an order on")?
            };
            let found = match written {
                Written::Done(item) => return Ok((from_item(item)?, true)),
                Written::Refused(found) => existing(found)?,
            };
            let is_same = shipment.is_none() || shipment == found.shipment();
            match (found.status.on(action), found.status) {
                // Somebody spoke of a part of it meanwhile.
                _ if found.is_in_parcels() => order = found,
                (Transition::Already, _) if is_same => return Ok((found, false)),
                (Transition::Already, _) => return Err(Refusal::ShippedOtherwise.into()),
                (Transition::Refused | Transition::Unsettled, status) => {
                    return Err(Refusal::of_progress(status).into());
                }
                // A guest's order was claimed meanwhile, and its payment is the new buyer's.
                (Transition::To(_), _) if found.user_id != order.user_id => order = found,
                (Transition::To(_), _) => now = found.next_moment(now)?,
            }
        }
    }

    /// Moves an order on with what is written in the same transaction: what is paid at the door with its payment. Gives
    /// the order as it is then, or as it stood where it did not move.
    ///
    /// Safe to repeat: the order's status lets it happen once, and only with it is the rest written.
    async fn moved_with(
        &self,
        order: &Order,
        action: Action,
        actor: &Actor,
        add: &(dyn Fn(&mut Write) -> anyhow::Result<Besides> + Send + Sync),
        now: Timestamp,
    ) -> anyhow::Result<Written<Item, Item>> {
        let mut write = Write::new();
        let besides = add(&mut write)?;
        let own = write.update(self.transition(order.order_id, action, actor, besides, now)?);
        let Written::Refused(mut found) = write.commit(&self.client).await? else {
            let moved = self.item(order.order_id).await?;
            return moved.map(Written::Done).context("there is no such order");
        };
        // Where several conditions failed, as for the SDK's own repetition, DynamoDB need not name this one.
        let found = match found.take(own) {
            Some(found) => Some(found),
            None => self.item(order.order_id).await?,
        };
        found.map(Written::Refused).context("there is no such order")
    }

    /// Takes the pieces of an order that is on its way off what its offers have promised. Safe to repeat: the order is
    /// marked in the same transaction.
    ///
    /// # Errors
    /// When there is no such order or the tables cannot be written.
    pub async fn hand_over(&self, id: OrderId) -> anyhow::Result<()> {
        let order = self.find(id).await?.context("there is no such order")?;
        // What a seller refused is promised no more.
        let lines = order.lines.iter().filter(|line| !order.is_refused_by(&line.seller_id));
        let mut lines: Vec<&Line> = lines.collect();
        loop {
            let mut write = Write::new();
            let own = write.update(self.handed_over(id)?);
            let parts = self.for_each(&lines, &mut write, Offers::hand_over)?;
            let Written::Refused(found) = write.commit(&self.client).await? else { return Ok(()) };
            if found.at(own).is_some() {
                return Ok(());
            }
            lines = without_refused(parts, &found);
        }
    }

    /// That the pieces of an order are no longer promised, once.
    fn handed_over(&self, id: OrderId) -> anyhow::Result<Update> {
        Update::builder()
            .table_name(&self.table)
            .key("orderId", text(&id))
            .update_expression("SET handedOver = :yes")
            .condition_expression("attribute_exists(orderId) AND attribute_not_exists(handedOver)")
            .expression_attribute_values(":yes", AttributeValue::Bool(true))
            .build()
            .context("hand an order over")
    }

    /// Adds an update of its offer for each of these lines.
    fn for_each<'a>(
        &self,
        lines: &[&'a Line],
        write: &mut Write,
        update: impl Fn(&Offers, OfferId, u32) -> anyhow::Result<Update>,
    ) -> anyhow::Result<Vec<(Part, &'a Line)>> {
        let part = |line: &&'a Line| {
            let update = update(&self.prices.offers, line.offer_id, line.quantity.pieces())?;
            Ok((write.update(update), *line))
        };
        lines.iter().map(part).collect()
    }

    /// The update that an action is, under the condition that the order's status allows it and that what happened last
    /// was before ([`Order::next_moment`]). The order is due again: in its new status something new is owed.
    fn transition(
        &self,
        id: OrderId,
        action: Action,
        actor: &Actor,
        besides: Besides,
        now: Timestamp,
    ) -> anyhow::Result<Update> {
        let (to, allowed) = OrderStatus::before(action).context("the action leads nowhere")?;
        // Of the buyer and the workflow, status and reason tell it.
        let by = Some(actor.clone()).filter(|actor| actor.user_id.is_some());
        let entry = HistoryEntry { status: to, at: now, reason: actor.reason(action), by };
        let update = Update::builder().table_name(&self.table).key("orderId", text(&id));
        let (update, from) = one_of(update, allowed);
        let (set, when) = (besides.set, besides.when);
        let mut update = besides.named_in(update);
        let mut changes = String::from(
            "SET #status = :to, updatedAt = :now, due = :shard, dueAt = :due, attempts = :none, \
             history = list_append(history, :entry)",
        );
        changes.push_str(set);
        // A request that began before the last one ended is dated before it, and a clock may be behind.
        let mut condition = format!("#status IN ({from}) AND updatedAt < :now{when}");
        if action == Action::Pay {
            changes.push_str(", #open = :open");
            update = update.expression_attribute_values(":open", text(list_shard(id)));
        } else {
            // Whatever else happens to a pending order, it is pending no more. One that is sent in parts goes where
            // they do.
            changes.push_str(" REMOVE #open");
            condition.push_str(" AND attribute_not_exists(parcels)");
        }
        if *actor == Actor::WORKFLOW && matches!(action, Action::Ship | Action::Cancel) {
            condition.push_str(" AND attribute_not_exists(manual)");
        }
        update
            .update_expression(changes)
            .condition_expression(condition)
            .expression_attribute_names("#status", "status")
            .expression_attribute_names("#open", "open")
            .expression_attribute_values(":to", text(to.as_str()))
            .expression_attribute_values(":now", text(&now))
            .expression_attribute_values(":shard", text(&due_shard(id)))
            .expression_attribute_values(":due", text(&(now + GRACE)))
            .expression_attribute_values(":none", number(0))
            .expression_attribute_values(
                ":entry",
                AttributeValue::L(vec![AttributeValue::M(to_item(&entry)?)]),
            )
            .build()
            .context("build a transition")
    }

    /// At most `limit` orders of one shard that have fallen due by `now`, longest due first.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn due(&self, shard: &str, now: Timestamp, limit: i32) -> anyhow::Result<Vec<DueOrder>> {
        dynamo::due(&self.client, (&self.table, "orderId"), shard, now, limit).await
    }

    /// Puts off a due order to its next look. Gives false when another sweep or the order's progress was faster: the
    /// index tells of a moment ago.
    ///
    /// # Errors
    /// When the table cannot be written.
    pub async fn put_off(&self, order: &DueOrder, now: Timestamp) -> anyhow::Result<bool> {
        let update = Update::builder()
            .table_name(&self.table)
            .key("orderId", text(&order.order_id))
            .update_expression("SET dueAt = :next, attempts = :attempts")
            .condition_expression("dueAt = :read AND #status = :status")
            .expression_attribute_names("#status", "status")
            .expression_attribute_values(":read", text(&order.due_at))
            .expression_attribute_values(":status", text(order.status.as_str()))
            .expression_attribute_values(":next", text(&order.next_due(now)))
            .expression_attribute_values(":attempts", number(order.attempts + 1))
            .build()?;
        let sent = update_item(&self.client, update, ReturnValue::None).await;
        Ok(matches!(sent.context("put off a due order")?, Written::Done(_)))
    }

    /// That an order in `status` is owed nothing more. Safe to repeat; refused where the order has moved on, which
    /// stays due.
    ///
    /// # Errors
    /// Never for values of these types; the SDK's builder asks.
    pub fn settled(&self, id: OrderId, status: OrderStatus) -> anyhow::Result<Update> {
        Update::builder()
            .table_name(&self.table)
            .key("orderId", text(&id))
            .update_expression("REMOVE due, dueAt")
            .condition_expression("#status = :status")
            .expression_attribute_names("#status", "status")
            .expression_attribute_values(":status", text(status.as_str()))
            .build()
            .context("settle an order")
    }

    /// Notes that an order in `status` is owed nothing more. Safe to repeat; an order that has moved on stays due.
    ///
    /// # Errors
    /// When the table cannot be written.
    pub async fn settle(&self, id: OrderId, status: OrderStatus) -> anyhow::Result<()> {
        let settled = update_item(&self.client, self.settled(id, status)?, ReturnValue::None);
        settled.await.map(drop).context("settle an order")
    }
}

/// What else an action changes, and on what else it depends.
#[derive(Debug, Default)]
struct Besides {
    set: &'static str,
    when: &'static str,
    values: Vec<(&'static str, AttributeValue)>,
    names: Vec<(&'static str, &'static str)>,
}

/// Names these statuses in an update, and gives the list of their names.
fn one_of(mut update: UpdateBuilder, statuses: Vec<OrderStatus>) -> (UpdateBuilder, String) {
    let mut names = Vec::with_capacity(statuses.len());
    for (index, status) in statuses.into_iter().enumerate() {
        let name = format!(":from{index}");
        update = update.expression_attribute_values(&name, text(status.as_str()));
        names.push(name);
    }
    (update, names.join(", "))
}

impl Besides {
    fn named_in(self, mut update: UpdateBuilder) -> UpdateBuilder {
        for (name, value) in self.values {
            update = update.expression_attribute_values(name, value);
        }
        for (name, attribute) in self.names {
            update = update.expression_attribute_names(name, attribute);
        }
        update
    }

    fn collected(order: &Order, payment: PaymentId) -> anyhow::Result<Self> {
        let collected = AttributeValue::M(to_item(&order.collected(payment))?);
        let values = vec![(":payment", collected), (":buyer", text(&order.user_id))];
        let when = " AND attribute_not_exists(payment) AND userId = :buyer";
        Ok(Self { set: ", payment = :payment", when, values, ..Self::default() })
    }

    fn shipment(shipment: &Shipment) -> anyhow::Result<Self> {
        let values = vec![(":shipment", AttributeValue::M(to_item(shipment)?))];
        Ok(Self { set: ", shipment = :shipment", values, ..Self::default() })
    }
}

/// The answer that the key's record holds, if there is one.
fn replay<T: DeserializeOwned>(
    keyed: Option<&KeyedRequest>,
    record: Option<Item>,
    now: Timestamp,
) -> Result<Option<T>, Error> {
    let Some(keyed) = keyed else { return Ok(None) };
    match keyed.kept(record, now)? {
        Kept::Nothing => Ok(None),
        Kept::Answer(answer) => Ok(Some(answer)),
        Kept::Reused => Err(Refusal::from(KeyReused).into()),
    }
}

/// The order against which a condition failed.
fn existing(found: Item) -> anyhow::Result<Order> {
    anyhow::ensure!(!found.is_empty(), "there is no such order");
    from_item(found)
}

/// The lines whose offers are still there: one that was deleted meanwhile gets no pieces, and the others do. Each turn
/// leaves at least one out.
fn without_refused<'a>(parts: Vec<(Part, &'a Line)>, found: &Found) -> Vec<&'a Line> {
    parts.into_iter().filter(|(part, _)| found.at(*part).is_none()).map(|(_, line)| line).collect()
}

/// Which lines made a transaction fail, and why: whatever else is wrong with one, that its store is closed.
fn refused_lines(
    lines: &[(Part, Line)],
    closed: &[StoreId],
    found: &mut Found,
) -> anyhow::Result<Vec<NotReserved>> {
    let mut reasons = Vec::new();
    for (part, line) in lines {
        if line.store_id.is_some_and(|store| closed.contains(&store)) {
            reasons.push(NotReserved::StoreClosed(line.offer_id));
        } else if let Some(item) = found.take(*part) {
            let (pieces, price) = (line.quantity.pieces(), line.unit_price);
            reasons.push(why_not_reserved(item, line.offer_id, pieces, price)?);
        }
    }
    Ok(reasons)
}
