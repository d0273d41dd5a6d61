//! Who is told what of what happened. Events have ids and no names, so what they are about is looked at here.
//!
//! Whoever did something is not told of it, but for what proves that it was done, such as an order that was taken, and
//! for what somebody else may have done in their name, such as another password.

use offers::{Offer, OfferId, Offers, ProductId};
use orders::{CancellationReason, Order, OrderId, Orders, PaymentMethod};
use serde::Deserialize;
use shared::caller::UserId;
use shared::dynamo::{Consistency, Read};
use shared::run::aws::{Aws, FromEnv};
use shared::run::config::ConfigError;
use shared::run::event::CloudEvent;
use shared::values::time::Timestamp;
use stores::{Editor, StoreId, Stores};
use uuid::Uuid;

use crate::push::{PushQueue, Pushed};
use crate::{About, Inbox, Kind, News};

shared::names!(
    /// Of what happened, what somebody is told: these kinds of events, under their own names.
    pub enum Happened {
        /// An order was taken.
        OrderPlaced = "order.placed",
        /// Its money has come.
        OrderPaid = "order.paid",
        /// It is on its way.
        OrderShipped = "order.shipped",
        /// A part of it is.
        ParcelSent = "order.parcel-sent",
        /// A part of it does not come.
        ParcelRefused = "order.parcel-refused",
        /// It arrived.
        OrderDelivered = "order.delivered",
        /// It is over.
        OrderCancelled = "order.cancelled",
        /// More of its money goes back.
        OrderRefunded = "order.refunded",
        /// A product is for sale.
        ProductApproved = "product.approved",
        /// A product was turned down.
        ProductRejected = "product.rejected",
        /// Few pieces of a product are left, or none.
        ProductRanLow = "product.ran-low",
        /// A product was reviewed.
        ReviewPosted = "review.posted",
        /// A review has a reply.
        ReviewAnswered = "review.answered",
        /// A store was taken out of the shop.
        StoreDeactivated = "store.deactivated",
        /// An account has another password.
        PasswordChanged = "user.password-changed",
        /// An account has another name or address.
        ProfileChanged = "user.profile-changed",
        /// A second factor was turned on or off.
        SecondFactorChanged = "user.second-factor-changed",
        /// An address gets no email any more.
        EmailSuppressed = "user.email-suppressed",
        /// Somebody was made something else.
        RoleChanged = "user.role-changed",
        /// Somebody's phone takes no texts any more.
        TextsStopped = "user.texts-stopped",
    }
);

/// An event as the queue has it.
pub type Told = CloudEvent<Happened, Facts>;

/// Of the data of all these kinds, what says whom to tell.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
pub struct Facts {
    order_id: Option<OrderId>,
    product_id: Option<ProductId>,
    store_id: Option<StoreId>,
    user_id: Option<UserId>,
    seller_id: Option<UserId>,
    /// As what somebody closed a store.
    by: Option<Editor>,
    /// Why an order is over.
    why: Option<CancellationReason>,
}

/// What an event is about, as it is now; each is there if the event names one and it still exists.
#[derive(Debug, Clone, Default)]
pub struct Things {
    /// Its order.
    pub order: Option<Order>,
    /// The offer of its product.
    pub offer: Option<Offer>,
    /// What its store is called.
    pub store: Option<String>,
}

/// Whom an event is told, and what. Each person at most once.
pub fn news(happened: Happened, facts: &Facts, things: &Things, time: Timestamp) -> Vec<News> {
    let of_order = |kind, facts: &Facts| {
        let names = things.order.iter().flat_map(|order| names_of(order, facts.seller_id.as_ref()));
        told(facts.user_id.as_ref(), kind, facts.order_id, About::of(names), time)
    };
    let product = || things.offer.as_ref().map(Offer::product_name);
    let of_product = |to: Option<&UserId>, kind| told(to, kind, facts.product_id, About::of(product()), time);
    let of_account = |kind| told(facts.user_id.as_ref(), kind, None::<&str>, None, time);
    match happened {
        Happened::OrderPlaced => {
            let is_sold = things.order.as_ref().is_some_and(is_sold_when_it_is_placed);
            let sales = is_sold.then(|| sales(facts, things, time)).into_iter().flatten();
            of_order(Kind::OrderPlaced, facts).into_iter().chain(sales).collect()
        }
        Happened::OrderPaid => {
            of_order(Kind::OrderPaid, facts).into_iter().chain(sales(facts, things, time)).collect()
        }
        Happened::OrderShipped => of_order(Kind::OrderShipped, facts),
        Happened::ParcelSent => of_order(Kind::ParcelSent, facts),
        Happened::ParcelRefused => of_order(Kind::ParcelRefused, facts),
        Happened::OrderDelivered => of_order(Kind::OrderDelivered, facts),
        Happened::OrderCancelled if facts.why == Some(CancellationReason::ByBuyer) => Vec::new(),
        Happened::OrderCancelled => of_order(Kind::OrderCancelled, facts),
        Happened::OrderRefunded => of_order(Kind::OrderRefunded, facts),
        Happened::ProductApproved => of_product(facts.seller_id.as_ref(), Kind::ProductApproved),
        Happened::ProductRejected => of_product(facts.seller_id.as_ref(), Kind::ProductRejected),
        Happened::ProductRanLow => of_product(facts.seller_id.as_ref(), Kind::ProductRanLow),
        Happened::ReviewPosted => {
            let seller = things.offer.as_ref().map(Offer::seller);
            of_product(seller.filter(|seller| facts.user_id.as_ref() != Some(*seller)), Kind::ReviewPosted)
        }
        Happened::ReviewAnswered => of_product(facts.user_id.as_ref(), Kind::ReviewAnswered),
        Happened::StoreDeactivated if facts.by == Some(Editor::Owner) => Vec::new(),
        Happened::StoreDeactivated => {
            let about = About::of(&things.store);
            told(facts.seller_id.as_ref(), Kind::StoreDeactivated, facts.store_id, about, time)
        }
        Happened::PasswordChanged => of_account(Kind::PasswordChanged),
        Happened::ProfileChanged => of_account(Kind::ProfileChanged),
        Happened::SecondFactorChanged => of_account(Kind::SecondFactorChanged),
        Happened::EmailSuppressed => of_account(Kind::EmailSuppressed),
        Happened::RoleChanged => of_account(Kind::RoleChanged),
        Happened::TextsStopped => of_account(Kind::TextsStopped),
    }
}

/// News for somebody; none for nobody, nor for guests, who have no inbox.
fn told(
    to: Option<&UserId>,
    kind: Kind,
    subject: Option<impl ToString>,
    about: Option<About>,
    time: Timestamp,
) -> Vec<News> {
    let to = to.filter(|to| !to.is_guest());
    let subject = subject.map(|subject| subject.to_string());
    to.map(|to| News { to: to.clone(), kind, subject, about, time }).into_iter().collect()
}

/// What is ordered by card is sold when it is paid.
fn is_sold_when_it_is_placed(order: &Order) -> bool {
    match order.payment_method() {
        PaymentMethod::CashOnDelivery | PaymentMethod::Free => true,
        PaymentMethod::Card => false,
    }
}

/// The products of an order; with a seller, those of that seller.
fn names_of<'a>(order: &'a Order, seller: Option<&UserId>) -> Vec<&'a offers::ProductName> {
    let lines = order.lines().iter().filter(|line| seller.is_none_or(|seller| line.seller() == seller));
    lines.map(orders::Line::product_name).collect()
}

/// What each seller of an order sold, but for whoever bought it.
fn sales(facts: &Facts, things: &Things, time: Timestamp) -> Vec<News> {
    let Some(order) = &things.order else { return Vec::new() };
    let sellers = order.sellers().into_iter().filter(|seller| *seller != order.buyer());
    let sale = |seller: &UserId| {
        told(Some(seller), Kind::SaleMade, facts.order_id, About::of(names_of(order, Some(seller))), time)
    };
    sellers.flat_map(sale).collect()
}

/// Where inboxes are written, with what names what happened.
#[derive(Debug, Clone)]
pub struct Writing {
    client: aws_sdk_dynamodb::Client,
    inbox: Inbox,
    orders: Orders,
    offers: Offers,
    push: PushQueue,
    stores: Stores,
}

impl FromEnv for Writing {
    fn from_env(aws: &Aws) -> Result<Self, ConfigError> {
        Ok(Self {
            client: aws.dynamodb(),
            inbox: Inbox::from_env(aws)?,
            orders: Orders::from_env(aws)?,
            offers: Offers::from_env(aws)?,
            push: PushQueue::from_env(aws)?,
            stores: Stores::from_env(aws)?,
        })
    }
}

impl Writing {
    /// Puts what an event tells into the inboxes of those whom it concerns, and has them told by the sockets that are
    /// open. Safe to repeat: each inbox takes an event once.
    ///
    /// # Errors
    /// When a table does not answer; those who have it by then keep it.
    pub async fn take(&self, event: Told, now: Timestamp) -> anyhow::Result<()> {
        let Told { id, kind, time, data, .. } = event;
        let things = self.things(&data).await?;
        for news in news(kind, &data, &things, time) {
            if let Some(notification) = self.inbox.put(id, news.clone(), now).await? {
                self.push.send_or_leave(&Pushed::of(notification, &news)).await;
            }
        }
        Ok(())
    }

    async fn things(&self, facts: &Facts) -> anyhow::Result<Things> {
        let order = match facts.order_id {
            Some(id) => self.orders.find(id).await?,
            None => None,
        };
        let offer = match facts.product_id {
            Some(id) => self.offer(id).await?,
            None => None,
        };
        let store = match facts.store_id {
            Some(id) => self.stores.find(id).await?.map(|store| store.name().to_string()),
            None => None,
        };
        Ok(Things { order, offer, store })
    }

    /// Of a product that has one alone it is what says the name and the seller, and is a tenth of the product.
    async fn offer(&self, id: ProductId) -> anyhow::Result<Option<Offer>> {
        let read = self.offers.with(Read::new(), [OfferId::from(id)], Consistency::Strong)?;
        Ok(self.offers.found_in(&mut read.fetch(&self.client).await?).pop())
    }
}

/// Under what an event stands in an inbox that has taken it.
pub(crate) fn entry_of(event: Uuid) -> String {
    format!("#event#{event}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    const NOON: &str = "2026-11-21T12:00:00.000Z";
    const ORDER: &str = "01a1fbbc-f982-7d04-8367-8c1b9055f3fd";
    const PRODUCT: &str = "01a1fbbc-f7cc-71a0-aa66-431f703e44ea";

    fn order(buyer: &str, paid: &str) -> Order {
        let line = |name: &str, seller: &str| {
            json!({
                "offerId": PRODUCT, "productId": PRODUCT, "productName": name, "unitPrice": 450, "quantity": 1,
                "sellerId": seller
            })
        };
        serde_json::from_value(json!({
            "orderId": ORDER, "userId": buyer, "contact": { "email": "bob@cartwright.test", "fullName": "Bob" },
            "schemaVersion": 1, "status": "pending", "paymentMethod": paid, "total": 1350, "currency": "USD",
            "lines": [line("Tea", "ann"), line("Cup", "eve"), line("Pot", "ann")], "createdAt": NOON,
            "updatedAt": NOON, "history": [{ "status": "pending", "at": NOON }]
        }))
        .unwrap()
    }

    fn offer() -> Offer {
        serde_json::from_value(json!({
            "offerId": PRODUCT, "productId": PRODUCT, "productName": "Tea", "price": 450, "currency": "USD",
            "quantity": 5, "forSale": true, "sellerId": "ann", "schemaVersion": 1
        }))
        .unwrap()
    }

    /// Who is told what, with the names.
    fn told_of(kind: &str, data: &Value, things: &Things) -> Vec<(String, &'static str, Option<String>)> {
        let facts = serde_json::from_value(data.clone()).unwrap();
        let told = news(kind.parse().unwrap(), &facts, things, NOON.parse().unwrap());
        let shown = |news: News| {
            let names = news.about.map(|About { name, others }| format!("{name} +{others}"));
            (news.to.to_string(), news.kind.as_str(), names)
        };
        told.into_iter().map(shown).collect()
    }

    fn entry(to: &str, kind: &'static str, names: &str) -> (String, &'static str, Option<String>) {
        (to.to_owned(), kind, (!names.is_empty()).then(|| names.to_owned()))
    }

    fn of_order(kind: &str, order: Order, more: &Value) -> Vec<(String, &'static str, Option<String>)> {
        let mut data = json!({ "orderId": ORDER, "userId": order.buyer() });
        data.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap_or_default());
        told_of(kind, &data, &Things { order: Some(order), ..Things::default() })
    }

    #[test]
    fn a_sale_is_told_when_it_is_placed_for_cash_and_when_it_is_paid_by_card() {
        let none = json!({});
        let sales = [entry("ann", "sale.made", "Tea +1"), entry("eve", "sale.made", "Cup +0")];
        let with_sales = |kind| [vec![entry("bob", kind, "Tea +2")], sales.to_vec()].concat();
        for paid in ["cash_on_delivery", "none"] {
            assert_eq!(of_order("order.placed", order("bob", paid), &none), with_sales("order.placed"));
        }
        let placed = of_order("order.placed", order("bob", "card"), &none);
        assert_eq!(placed, [entry("bob", "order.placed", "Tea +2")]);
        assert_eq!(of_order("order.paid", order("bob", "card"), &none), with_sales("order.paid"));
    }

    #[test]
    fn a_guest_has_no_inbox_and_whoever_bought_from_themselves_sold_nothing() {
        let of_guest = of_order("order.placed", order("guest#1", "none"), &json!({}));
        assert_eq!(of_guest, [entry("ann", "sale.made", "Tea +1"), entry("eve", "sale.made", "Cup +0")]);
        let own = of_order("order.placed", order("ann", "none"), &json!({}));
        assert_eq!(own, [entry("ann", "order.placed", "Tea +2"), entry("eve", "sale.made", "Cup +0")]);
    }

    #[test]
    fn a_buyer_is_told_of_a_parcel_by_what_is_in_it() {
        let sent = of_order("order.parcel-sent", order("bob", "none"), &json!({ "sellerId": "ann" }));
        assert_eq!(sent, [entry("bob", "order.parcel-sent", "Tea +1")]);
    }

    #[test]
    fn whoever_did_something_is_not_told_of_it() {
        let cancelled = |why| of_order("order.cancelled", order("bob", "none"), &json!({ "why": why }));
        assert_eq!(cancelled("by_buyer"), []);
        assert_eq!(cancelled("by_shop"), [entry("bob", "order.cancelled", "Tea +2")]);
        let store = Things { store: Some("Tea house".into()), ..Things::default() };
        let closed = |by| {
            let data = json!({ "storeId": PRODUCT, "sellerId": "ann", "by": by });
            told_of("store.deactivated", &data, &store)
        };
        assert_eq!(closed("owner"), []);
        assert_eq!(closed("admin"), [entry("ann", "store.deactivated", "Tea house +0")]);
        let product = Things { offer: Some(offer()), ..Things::default() };
        let posted = |author| {
            told_of("review.posted", &json!({ "productId": PRODUCT, "userId": author, "stars": 4 }), &product)
        };
        assert_eq!(posted("ann"), []);
        assert_eq!(posted("bob"), [entry("ann", "review.posted", "Tea +0")]);
    }

    #[test]
    fn what_is_gone_by_now_is_told_without_its_name() {
        let gone = Things::default();
        let approved = json!({ "productId": PRODUCT, "sellerId": "ann" });
        assert_eq!(told_of("product.approved", &approved, &gone), [entry("ann", "product.approved", "")]);
        let posted = json!({ "productId": PRODUCT, "userId": "bob", "stars": 4 });
        assert_eq!(told_of("review.posted", &posted, &gone), [], "nobody knows who sold it");
        let answered = told_of("review.answered", &posted, &gone);
        assert_eq!(answered, [entry("bob", "review.answered", "")]);
    }

    #[test]
    fn every_kind_is_told_to_somebody() {
        let things = Things { order: Some(order("bob", "card")), offer: Some(offer()), store: None };
        let data = json!({
            "orderId": ORDER, "productId": PRODUCT, "userId": "bob", "sellerId": "ann", "stars": 4, "refunded": 3
        });
        for kind in Happened::ALL {
            assert!(!told_of(kind.as_str(), &data, &things).is_empty(), "{kind}");
        }
    }
}
