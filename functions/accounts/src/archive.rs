//! Everything that is kept of a person, as one JSON document, part by part.
//!
//! **Each service that keeps something of a person has a part here**, a line in [`Part`] and one in [`Part::tables`]
//! and `Archive::stretch`; a test compares these tables with all that there are. A part is read stretch by stretch,
//! so that neither a call nor the memory grows with what there is.

use activity::Activity;
use anyhow::Context;
use carts::store::Carts;
use futures_util::{StreamExt, TryStreamExt, stream};
use inbox::Inbox;
use orders::sales::Sales;
use orders::{OrderId, Returns};
use payments::Payments;
use products::{Products, RecentlyViewed};
use reviews::{Purchases, Reviews};
use serde_json::{Map, Value};
use shared::caller::UserId;
use shared::dynamo::{KeptItems, Stretch};
use shared::run::aws::{Aws, FromEnv};
use shared::run::config::ConfigError;
use shared::values::time::Timestamp;
use stores::Stores;
use users::{Mail, Profile};

use crate::files::NewFile;

/// How many orders are looked into at the same time.
const ORDERS_AT_ONCE: usize = 8;

/// How long a document that is answered at once may be, in bytes: a function's answer has 6 MB at most.
const LONGEST: usize = 1024 * 1024;

shared::names!(
    /// A part of the document, by its name there.
    pub enum Part {
        /// The person.
        Profile = "profile",
        /// What they mean to buy.
        Cart = "cart",
        /// What they ordered, with returns, payments and refunds.
        Orders = "orders",
        /// What they sell, with prices and stock.
        Products = "products",
        /// Their stores.
        Stores = "stores",
        /// What they have of others' orders.
        SellerOrders = "sellerOrders",
        /// What they sold each day.
        Sales = "sales",
        /// What they said of products.
        Reviews = "reviews",
        /// What they may say something of.
        Purchases = "purchases",
        /// What happened in their account.
        Activity = "activity",
        /// What they were told.
        Inbox = "inbox",
        /// What admins wrote to them, and which address of theirs gets no email.
        Mail = "mail",
        /// What they looked at.
        RecentlyViewed = "recentlyViewed",
    }
);

impl Part {
    /// The tables of which it tells.
    pub const fn tables(self) -> &'static [&'static str] {
        match self {
            Self::Profile => &["Users"],
            Self::Cart => &["Carts"],
            Self::Orders => &["Orders", "Returns", "Payments"],
            Self::Products => &["Products", "Offers"],
            Self::Stores => &["Stores"],
            Self::SellerOrders => &["SellerOrders"],
            Self::Sales => &["Sales"],
            Self::Reviews => &["Reviews"],
            Self::Purchases => &["Purchases"],
            Self::Activity => &["Activity"],
            Self::Inbox => &["Inbox"],
            Self::Mail => &["Mail"],
            Self::RecentlyViewed => &["RecentlyViewed"],
        }
    }

    /// Whether there is one of it, or none.
    const fn is_one(self) -> bool {
        matches!(self, Self::Profile | Self::Cart)
    }

    /// How many there are in a stretch: of what a document that is answered at once has, there is no more.
    const fn stretch(self) -> i32 {
        match self {
            // Each is three calls and more.
            Self::Orders => 10,
            Self::Products => 100,
            _ => 200,
        }
    }
}

/// Everything that keeps something of a person.
#[derive(Debug, Clone)]
pub struct Archive {
    activity: Activity,
    carts: Carts,
    inbox: Inbox,
    mail: Mail,
    payments: Payments,
    products: Products,
    purchases: Purchases,
    returns: Returns,
    reviews: Reviews,
    sales: Sales,
    stores: Stores,
    viewed: RecentlyViewed,
}

impl FromEnv for Archive {
    fn from_env(aws: &Aws) -> Result<Self, ConfigError> {
        Ok(Self {
            activity: Activity::from_env(aws)?,
            carts: Carts::from_env(aws)?,
            inbox: Inbox::from_env(aws)?,
            mail: Mail::from_env(aws)?,
            payments: Payments::from_env(aws)?,
            products: Products::from_env(aws)?,
            purchases: Purchases::from_env(aws)?,
            returns: Returns::from_env(aws)?,
            reviews: Reviews::from_env(aws)?,
            sales: Sales::from_env(aws)?,
            stores: Stores::from_env(aws)?,
            viewed: RecentlyViewed::from_env(aws)?,
        })
    }
}

impl Archive {
    /// The document, if one stretch of each part is all; `None` where it is too much to be answered at once. At most 13
    /// calls, two more for each of ten orders, and one for each of their payments.
    ///
    /// # Errors
    /// When the tables cannot be read.
    pub async fn at_once(&self, profile: &Profile, now: Timestamp) -> anyhow::Result<Option<Value>> {
        let first = |part: Part| async move {
            let kept = self.stretch(part, profile, Stretch { start: None, most: part.stretch() }).await?;
            anyhow::Ok((part, kept))
        };
        let parts: Vec<_> =
            stream::iter(Part::ALL).map(first).buffered(Part::ALL.len()).try_collect().await?;
        if parts.iter().any(|(_, kept)| kept.next.is_some()) {
            return Ok(None);
        }
        let mut document = Map::from_iter([("exportedAt".to_owned(), now.to_string().into())]);
        for (part, kept) in parts {
            let all = if part.is_one() { kept.items.into_iter().next() } else { Some(kept.items.into()) };
            document.insert(part.to_string(), all.unwrap_or_default());
        }
        let document = Value::Object(document);
        Ok((document.to_string().len() <= LONGEST).then_some(document))
    }

    /// Writes the same document of however much there is, piece by piece.
    ///
    /// # Errors
    /// When the tables cannot be read, or the file takes nothing.
    pub async fn write(
        &self,
        profile: &Profile,
        file: &mut NewFile<'_>,
        now: Timestamp,
    ) -> anyhow::Result<()> {
        file.write(format!(r#"{{"exportedAt":"{now}""#).as_bytes()).await?;
        for part in Part::ALL {
            file.write(format!(r#","{part}":"#).as_bytes()).await?;
            self.write_part(part, profile, file).await?;
        }
        file.write(b"}").await
    }

    async fn write_part(&self, part: Part, profile: &Profile, file: &mut NewFile<'_>) -> anyhow::Result<()> {
        let (mut start, mut before) = (None, if part.is_one() { "" } else { "[" });
        loop {
            let kept = self.stretch(part, profile, Stretch { start, most: part.stretch() }).await?;
            for item in kept.items {
                file.write(before.as_bytes()).await?;
                file.write(&serde_json::to_vec(&item)?).await?;
                before = ",";
            }
            start = kept.next;
            if start.is_none() {
                break;
            }
        }
        let end = match (part.is_one(), before) {
            (true, "") => "null",
            (true, _) => "",
            (false, "[") => "[]",
            (false, _) => "]",
        };
        file.write(end.as_bytes()).await
    }

    async fn stretch(&self, part: Part, profile: &Profile, stretch: Stretch) -> anyhow::Result<KeptItems> {
        let person = &profile.user_id;
        match part {
            Part::Profile => Ok(KeptItems { items: vec![serde_json::to_value(profile)?], next: None }),
            Part::Cart => self.carts.kept_of(person, stretch).await,
            Part::Orders => self.orders(person, stretch).await,
            Part::Products => self.products.kept_of(person, stretch).await,
            Part::Stores => self.stores.kept_of(person, stretch).await,
            Part::SellerOrders => self.returns.orders().kept_of_seller(person, stretch).await,
            Part::Sales => self.sales.kept_of(person, stretch).await,
            Part::Reviews => self.reviews.kept_of(person, stretch).await,
            Part::Purchases => self.purchases.kept_of(person, stretch).await,
            Part::Activity => self.activity.kept_of(person, stretch).await,
            Part::Inbox => self.inbox.kept_of(person, stretch).await,
            Part::Mail => self.mail.kept_of(person, stretch).await,
            Part::RecentlyViewed => self.viewed.kept_of(person, stretch).await,
        }
    }

    async fn orders(&self, person: &UserId, stretch: Stretch) -> anyhow::Result<KeptItems> {
        let kept = self.returns.orders().kept_of(person, stretch).await?;
        let whole = stream::iter(kept.items).map(|order| self.whole(order)).buffered(ORDERS_AT_ONCE);
        Ok(KeptItems { items: whole.try_collect().await?, next: kept.next })
    }

    /// An order with what came back of it, and what was paid and given back.
    async fn whole(&self, mut order: Value) -> anyhow::Result<Value> {
        let id: OrderId = order["orderId"].as_str().context("an order has an id")?.parse()?;
        let (returns, payments) = tokio::try_join!(self.returns.kept_of(id), self.payments.kept_of(id))?;
        order["returns"] = returns.into();
        order["payments"] = payments.into();
        Ok(order)
    }
}
