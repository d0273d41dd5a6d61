//! What people buy without an account: whose such an order is, and what opens it.
//!
//! An order of a guest is opened by its id together with a token that is an HMAC of the id, so nothing is kept for it.
//! Its buyer is `guest#{id of the order}`, until somebody who signed in claims it: then it is that person's, and the
//! token opens nothing any more. docs/decisions/0048 tells why.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use anyhow::Context;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use shared::caller::UserId;
use shared::guards::rate_limit::{Address, EmailLimit, GuestLimit};
use shared::http::problem::{FieldError, Kind, Problem, StatusCode};
use shared::http::{self, FromRequestParts, Parts};
use shared::letters::{EmailQueue, Letter, Link, Queued};
use shared::run::aws::{Aws, FromEnv};
use shared::run::config::{self, ConfigError};
use shared::values::time::Timestamp;
use users::Email;

use crate::buyers::Buyer;
use crate::letters::GuestLetterKind;
use crate::{Error, Order, OrderId, OrderNumber, Orders};

/// Of how long ago orders are that somebody is sent the links of.
const LINKS_OF: Duration = Duration::from_hours(90 * 24);

/// Who somebody without an account is: their email address, as an HMAC that tells nobody which.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct GuestId(String);

impl GuestId {
    /// As which customer somebody counts who may use a coupon so often only.
    pub fn customer(&self) -> UserId {
        UserId::guest(self)
    }
}

impl fmt::Display for GuestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

shared::token!(
    /// What opens a guest's order, which only its buyer is told.
    OrderToken, "Order-Token"
);

/// The key that the tokens of all orders come from.
#[derive(Clone)]
pub struct OrderTokens {
    key: String,
}

impl fmt::Debug for OrderTokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OrderTokens(…)")
    }
}

impl FromEnv for OrderTokens {
    fn from_env(_: &Aws) -> Result<Self, ConfigError> {
        Ok(Self::new(config::required("ORDER_TOKEN_KEY")?))
    }
}

impl OrderTokens {
    /// Those of this key.
    pub fn new(key: String) -> Self {
        Self { key }
    }

    fn mac(&self, of: &str) -> Hmac<Sha256> {
        let key = self.key.as_bytes();
        let mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of any length");
        mac.chain_update(of)
    }

    /// What opens this order, as long as it is a guest's.
    pub fn of(&self, id: OrderId) -> OrderToken {
        let mac = self.mac(&id.to_string()).finalize().into_bytes();
        let mut token = [0; 16];
        token.copy_from_slice(&mac[..16]);
        OrderToken::from_bytes(token)
    }

    /// Whether this token is the order's, compared in the same time whatever it is.
    pub fn opens(&self, id: OrderId, token: OrderToken) -> bool {
        self.mac(&id.to_string()).verify_truncated_left(&token.bytes()).is_ok()
    }

    /// Who has this address. No order's id begins with `email:`, so this tells nothing of a token.
    pub fn guest(&self, email: &Email) -> GuestId {
        let mac = self.mac(&format!("email:{}", email.as_str())).finalize().into_bytes();
        GuestId(URL_SAFE_NO_PAD.encode(mac))
    }

    /// Where the web shop shows a guest's order. What opens it stands in the fragment, which no server is sent.
    pub(crate) fn path(&self, id: OrderId) -> String {
        format!("/guest-orders/{id}#{}", self.of(id).reveal())
    }

    /// A letter about this order, whose link its buyer can open.
    pub fn addressed(&self, letter: Letter, order: &Order) -> Letter {
        if !order.is_a_guests() {
            return letter;
        }
        let link = letter.link.map(|link| Link { path: self.path(order.order_id), ..link });
        Letter { link, ..letter }
    }
}

impl Order {
    /// The same order, placed by somebody without an account, whom nothing but the order knows.
    #[must_use]
    pub fn of_guest(self, guest: GuestId) -> Self {
        let coupon = self.coupon.map(|coupon| coupon.used_by(guest.customer()));
        Self { user_id: UserId::guest(self.order_id), guest: Some(guest), coupon, ..self }
    }

    /// The same, made somebody's own who has an account.
    #[must_use]
    pub fn claimed_by(self, person: UserId) -> Self {
        Self { user_id: person, guest: None, ..self }
    }

    /// As which customer its buyer used a coupon.
    pub(crate) fn customer(&self) -> &UserId {
        let counted = self.coupon.as_ref().and_then(|coupon| coupon.customer.as_ref());
        counted.unwrap_or(&self.user_id)
    }

    /// Whether nobody with an account bought it, or has claimed it.
    pub fn is_a_guests(&self) -> bool {
        self.user_id.is_guest()
    }

    /// What people call it.
    pub fn number(&self) -> OrderNumber {
        self.order_id.into()
    }
}

/// A request about a guest's order: what it would open it with, and where it comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Guest {
    token: OrderToken,
    address: Address,
}

impl<S: Send + Sync> FromRequestParts<S> for Guest {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let Ok(address) = Address::from_request_parts(parts, state).await;
        let token = http::header_value(&parts.headers, OrderToken::HEADER)?;
        let absent = || vec![FieldError::parameter(OrderToken::HEADER, "is required")];
        Ok(Self { token: token.ok_or_else(|| Problem::invalid_input(absent()))?, address })
    }
}

/// The orders of guests, for whoever has what opens one.
#[derive(Debug, Clone)]
pub struct GuestOrders {
    orders: Orders,
    tokens: OrderTokens,
    limit: GuestLimit,
}

impl FromEnv for GuestOrders {
    fn from_env(aws: &Aws) -> Result<Self, ConfigError> {
        Ok(Self {
            orders: Orders::from_env(aws)?,
            tokens: OrderTokens::from_env(aws)?,
            limit: GuestLimit::from_env(aws)?,
        })
    }
}

impl GuestOrders {
    /// The order, if the request opens it.
    ///
    /// # Errors
    /// [`Error::NotFound`] for another token as for no such order, and for one that somebody has claimed;
    /// `too-many-requests`.
    pub async fn open(&self, guest: Guest, id: OrderId, now: Timestamp) -> Result<Order, Problem> {
        self.limit.count("guest-orders", guest.address, now).await?;
        if !self.tokens.opens(id, guest.token) {
            return Err(Error::NotFound.into());
        }
        let order = self.orders.find(id).await?.filter(Order::is_a_guests);
        Ok(order.ok_or(Error::NotFound)?)
    }
}

const ORDER_CLAIMED: Kind = Kind::new(StatusCode::CONFLICT, "order-claimed", "Order claimed");

impl Orders {
    /// That an order that this buyer placed before is still the buyer's: a guest's may be somebody's with an account by
    /// now, and then no token opens it.
    ///
    /// # Errors
    /// `order-claimed`; when the table cannot be read.
    pub async fn is_still_of(&self, buyer: &Buyer, id: OrderId) -> Result<(), Problem> {
        if buyer.person().is_some() {
            return Ok(());
        }
        let order = self.find(id).await?.context("an order that was placed is there")?;
        if order.is_a_guests() {
            return Ok(());
        }
        let detail = "Somebody with an account has made this order their own. Sign in to see it.";
        Err(Problem::new(ORDER_CLAIMED, detail).with("orderId", id))
    }
}

shared::body!(
    /// Which order of a guest somebody makes their own.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub struct Claim {
        /// The order.
        pub order_id: OrderId,
        /// What opens it.
        pub order_token: OrderToken,
    }
);

shared::id!(
    /// Names a request for links.
    LinksId
);

/// A request for the links to a guest's orders: which one, and whose. As text it is what a queue's message says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinksWanted {
    /// Which request.
    pub id: LinksId,
    /// Since when orders are meant.
    pub since: Timestamp,
    /// Whose orders.
    pub guest: GuestId,
}

impl LinksWanted {
    /// A new request of somebody with this address.
    pub fn of(guest: GuestId, now: Timestamp) -> Self {
        Self { id: LinksId::at(now), since: now - LINKS_OF, guest }
    }
}

impl fmt::Display for LinksWanted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.id, self.since.unix_millis(), self.guest)
    }
}

/// The text is no request for links.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be a request for links as the shop queues them")]
pub struct NotARequest;

impl FromStr for LinksWanted {
    type Err = NotARequest;

    fn from_str(text: &str) -> Result<Self, NotARequest> {
        let mut parts = text.splitn(3, '.');
        let (Some(id), Some(since), Some(guest)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(NotARequest);
        };
        let since = since.parse().map_err(|_| NotARequest)?;
        Ok(Self {
            id: id.parse().map_err(|_| NotARequest)?,
            since: Timestamp::from_unix_millis(since),
            guest: GuestId(guest.to_owned()),
        })
    }
}

shared::body!(
    /// Whose orders somebody has lost the links of.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct LinksOf {
        /// Where they were mailed to.
        pub email: Email,
    }
);

/// The answer, which is the same whatever the shop knows of the address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct LinksPromised {
    message: &'static str,
}

/// Mailing links to those who lost them.
#[derive(Debug, Clone)]
pub struct SendingLinks {
    limit: GuestLimit,
    emails: EmailLimit,
    tokens: OrderTokens,
    queue: EmailQueue,
}

impl FromEnv for SendingLinks {
    fn from_env(aws: &Aws) -> Result<Self, ConfigError> {
        Ok(Self {
            limit: GuestLimit::from_env(aws)?,
            emails: EmailLimit::from_env(aws)?,
            tokens: OrderTokens::from_env(aws)?,
            queue: EmailQueue::from_env(aws)?,
        })
    }
}

impl SendingLinks {
    /// Queues the mail without looking whether there is any order, so that neither the answer nor how long it takes
    /// tells. Repeated by its sender, it is mailed again.
    ///
    /// # Errors
    /// `too-many-requests`; `service-unavailable` when the request cannot be counted.
    pub async fn send(
        &self,
        LinksOf { email }: LinksOf,
        address: Address,
        now: Timestamp,
    ) -> Result<LinksPromised, Problem> {
        self.limit.count("guest-orders", address, now).await?;
        self.emails.count_or_refuse("guest-links", email.as_str(), now).await?;
        let wanted = LinksWanted::of(self.tokens.guest(&email), now);
        self.queue.send(&Queued::new(GuestLetterKind::Links, wanted)).await?;
        Ok(LinksPromised { message: "if there are orders of this address, their links are on the way" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::LetterKind;
    use crate::tests::{now, placed};

    fn tokens(key: &str) -> OrderTokens {
        OrderTokens::new(key.to_owned())
    }

    fn ann() -> GuestId {
        tokens("key").guest(&"Ann@cartwright.test".parse().unwrap())
    }

    #[test]
    fn a_token_opens_its_order_and_no_other() {
        let (tokens, other) = (tokens("key"), tokens("another key"));
        let [one, two] = [OrderId::at(now()), OrderId::at(now())];
        let token = tokens.of(one);
        assert!(tokens.opens(one, token));
        assert!(!tokens.opens(two, token) && !other.opens(one, token));
        for bit in 0..128 {
            let mut wrong = token.bytes();
            wrong[bit / 8] ^= 1 << (bit % 8);
            assert!(!tokens.opens(one, OrderToken::from_bytes(wrong)), "bit {bit}");
        }
        assert_eq!(format!("{token:?}{tokens:?}"), "OrderToken(…)OrderTokens(…)");
    }

    /// What other programs can check: `printf %s ID | openssl dgst -sha256 -hmac key -binary | head -c 16 | base64`.
    #[test]
    fn a_token_is_the_hmac_of_the_id() {
        let id = "01a1fb8c-b94b-7110-8144-8ca566ceab36".parse().unwrap();
        assert_eq!(tokens("key").of(id).reveal(), "t0xpOcohAKtgwAdTxgHEcw");
    }

    #[test]
    fn a_guest_is_an_address_in_any_case() {
        let of = |email: &str| tokens("key").guest(&email.parse().unwrap());
        assert_eq!(of("ANN@Cartwright.test"), ann());
        assert_ne!(of("bob@cartwright.test"), ann());
        assert!(!ann().to_string().contains("ann"));
    }

    #[test]
    fn a_guests_order_is_nobodys_and_counts_for_its_address() {
        let order = placed(&[("Tea", 1)]).of_guest(ann());
        assert!(order.is_a_guests());
        assert_eq!(*order.buyer(), UserId::guest(order.id()));
        let item = serde_json::to_value(&order).unwrap();
        assert_eq!(item["guest"], ann().to_string());
        assert!(!placed(&[("Tea", 1)]).is_a_guests());
    }

    #[test]
    fn a_guests_letter_links_to_what_the_guest_can_open_and_a_persons_to_the_account() {
        let tokens = tokens("key");
        let link = |order: &Order| {
            let letter = order.letter(LetterKind::Confirmed).unwrap().unwrap();
            tokens.addressed(letter, order).link.unwrap().path
        };
        let order = placed(&[("Tea", 1)]);
        assert_eq!(link(&order), format!("/orders/{}", order.id()));
        let order = order.of_guest(ann());
        let token = tokens.of(order.id()).reveal();
        assert_eq!(link(&order), format!("/guest-orders/{}#{token}", order.id()));
    }

    #[test]
    fn a_request_for_links_is_read_as_it_was_written() {
        let wanted = LinksWanted::of(ann(), now());
        assert_eq!(wanted.since + LINKS_OF, now());
        assert_eq!(wanted.to_string().parse(), Ok(wanted));
        assert_eq!("links".parse::<LinksWanted>(), Err(NotARequest));
    }
}
