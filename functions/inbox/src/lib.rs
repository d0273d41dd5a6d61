//! What people should know of what happened in the shop: an inbox that each of them reads, and marks as read. What
//! comes into whose inbox is told by the topic Events: [`telling`] reads it, [`store`] keeps it in DynamoDB, [`words`]
//! says it to whoever reads; [`push`] hints at it by [`sockets`]. The rules are here and call nothing.

mod gateway;
pub mod push;
pub mod sockets;
pub mod store;
pub mod telling;
pub mod words;

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use shared::caller::UserId;
use shared::http::Parameter;
use shared::http::input::{Field, Value};
use shared::values::time::Timestamp;
use users::preferences::Group;

pub use store::Inbox;
pub use telling::{Told, Writing};
pub use words::Language;

/// How long a notification is kept: half a year.
pub const KEPT: Duration = Duration::from_hours(180 * 24);

/// How many can be unread. Where one more comes, the oldest of them counts as read: what nobody looks at for so long is
/// no news, and all that says which are unread stays as small as one item is cheap.
pub const MOST_UNREAD: usize = 200;

pub(crate) const SCHEMA_VERSION: u32 = 1;

shared::names!(
    /// What a person is told.
    pub enum Kind {
        /// The order of theirs was taken.
        OrderPlaced = "order.placed",
        /// The money for an order of theirs has come.
        OrderPaid = "order.paid",
        /// An order of theirs is on its way.
        OrderShipped = "order.shipped",
        /// A part of an order of theirs is on its way.
        ParcelSent = "order.parcel-sent",
        /// A part of an order of theirs does not come.
        ParcelRefused = "order.parcel-refused",
        /// An order of theirs arrived.
        OrderDelivered = "order.delivered",
        /// An order of theirs is over.
        OrderCancelled = "order.cancelled",
        /// Money for an order of theirs is on its way back.
        OrderRefunded = "order.refunded",
        /// They sold something.
        SaleMade = "sale.made",
        /// A product of theirs is for sale.
        ProductApproved = "product.approved",
        /// A product of theirs was turned down.
        ProductRejected = "product.rejected",
        /// Few pieces of a product of theirs are left, or none.
        ProductRanLow = "product.ran-low",
        /// A product of theirs was reviewed.
        ReviewPosted = "review.posted",
        /// A review of theirs has a reply.
        ReviewAnswered = "review.answered",
        /// A store of theirs was taken out of the shop.
        StoreDeactivated = "store.deactivated",
        /// Their account has another password.
        PasswordChanged = "user.password-changed",
        /// Their account has another name or address.
        ProfileChanged = "user.profile-changed",
        /// They turned the second factor on or off.
        SecondFactorChanged = "user.second-factor-changed",
        /// Mail to them came back for good or was called spam, and none is sent any more.
        EmailSuppressed = "user.email-suppressed",
        /// They were made something else.
        RoleChanged = "user.role-changed",
        /// They get no texts any more.
        TextsStopped = "user.texts-stopped",
    }
);

impl Kind {
    /// By which choice its person hears of it at once; `None` for what happens to the account itself, of which everyone
    /// hears.
    pub const fn group(self) -> Option<Group> {
        match self {
            Self::OrderPlaced
            | Self::OrderPaid
            | Self::OrderShipped
            | Self::ParcelSent
            | Self::ParcelRefused
            | Self::OrderDelivered
            | Self::OrderCancelled
            | Self::OrderRefunded => Some(Group::Orders),
            Self::SaleMade
            | Self::ProductApproved
            | Self::ProductRejected
            | Self::ProductRanLow
            | Self::StoreDeactivated => Some(Group::Sales),
            Self::ReviewPosted | Self::ReviewAnswered => Some(Group::Reviews),
            Self::PasswordChanged
            | Self::ProfileChanged
            | Self::SecondFactorChanged
            | Self::EmailSuppressed
            | Self::RoleChanged
            | Self::TextsStopped => None,
        }
    }
}

/// Names a notification of a person: when it came, in milliseconds since 1970. What comes later has a greater one, also
/// where several come at once, so whoever knows the newest can ask for all that came since.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NotificationId(u64);

/// As many digits as a time has until the year 2286: so ids sort as text, too.
const DIGITS: usize = 13;

/// The last one that has so many.
const LAST: u64 = 9_999_999_999_999;

impl NotificationId {
    /// The first one that could come at this moment.
    pub fn at(now: Timestamp) -> Self {
        Self(u64::try_from(now.unix_millis()).unwrap_or_default())
    }

    /// The one after it.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0.saturating_add(1).min(LAST))
    }

    /// The one before it.
    #[must_use]
    pub const fn previous(self) -> Self {
        Self(self.0.saturating_sub(1))
    }

    /// Until when it is kept, in seconds since 1970, as DynamoDB's time to live takes it.
    fn expires_at(self) -> i64 {
        let came = Timestamp::from_unix_millis(i64::try_from(self.0).unwrap_or(i64::MAX));
        (came + KEPT).unix_seconds()
    }

    /// The oldest that is still kept.
    pub fn oldest_kept(now: Timestamp) -> Self {
        Self::at(now - KEPT)
    }
}

impl From<NotificationId> for u64 {
    fn from(id: NotificationId) -> Self {
        id.0
    }
}

impl fmt::Display for NotificationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:0DIGITS$}", self.0)
    }
}

/// The text names no notification.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoNotification;

impl fmt::Display for NoNotification {
    /// The end of a sentence about the text.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("must be the id of a notification: 13 digits")
    }
}

impl FromStr for NotificationId {
    type Err = NoNotification;

    fn from_str(text: &str) -> Result<Self, NoNotification> {
        let is_one = text.len() == DIGITS && text.bytes().all(|byte| byte.is_ascii_digit());
        let number = is_one.then(|| text.parse().ok()).flatten();
        number.map(Self).ok_or(NoNotification)
    }
}

impl Serialize for NotificationId {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for NotificationId {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

impl Field for NotificationId {
    fn parse(value: Value) -> Result<Self, String> {
        let text = value.as_str().ok_or("must be a string with the id of a notification")?;
        text.parse().map_err(|fault: NoNotification| fault.to_string())
    }
}

/// Behind which notification a list begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct After(pub NotificationId);

impl Parameter for After {
    const NAME: &'static str = "after";
}

impl FromStr for After {
    type Err = NoNotification;

    fn from_str(text: &str) -> Result<Self, NoNotification> {
        text.parse().map(Self)
    }
}

shared::body!(
    /// Up to where a person has read.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub struct ReadUpTo {
        /// The newest that was read.
        pub up_to: NotificationId,
    }
);

/// How an inbox stands: which one is its newest, and which ones are unread. There is no mark on a notification and no
/// line above which all is unread: that would be two truths to count from, and this is one.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Standing {
    newest: Option<NotificationId>,
    unread: BTreeSet<NotificationId>,
}

impl Standing {
    /// One whose newest is this, and of which these are unread.
    pub fn new(newest: Option<NotificationId>, unread: BTreeSet<NotificationId>) -> Self {
        Self { newest, unread }
    }

    /// The newest that has come.
    pub fn newest(&self) -> Option<NotificationId> {
        self.newest
    }

    /// What the next one is called that comes now.
    pub fn next(&self, now: Timestamp) -> NotificationId {
        let clock = NotificationId::at(now);
        self.newest.map_or(clock, |newest| clock.max(newest.next()))
    }

    /// Which ones count as read, since one more is to be unread.
    pub fn surplus(&self) -> impl Iterator<Item = NotificationId> + '_ {
        self.unread.iter().copied().take((self.unread.len() + 1).saturating_sub(MOST_UNREAD))
    }

    /// Which ones are read by whoever has read up to this one; `None` where that has not come.
    pub fn up_to(&self, id: NotificationId) -> Option<Vec<NotificationId>> {
        (self.newest >= Some(id)).then(|| self.unread.range(..=id).copied().collect())
    }

    /// Whether this one is unread.
    pub fn is_unread(&self, id: NotificationId) -> bool {
        self.unread.contains(&id)
    }

    /// How many of those that are kept are unread.
    pub fn unread(&self, now: Timestamp) -> usize {
        self.unread.range(NotificationId::oldest_kept(now)..).count()
    }
}

/// What it is about, as it was called when it happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct About {
    /// The product or the store; of several products the first.
    name: String,
    /// How many other products there are.
    #[serde(default, skip_serializing_if = "is_none")]
    others: usize,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
fn is_none(count: &usize) -> bool {
    *count == 0
}

impl About {
    /// The first of these names and how many others there are; `None` of no name.
    pub fn of<N: fmt::Display>(names: impl IntoIterator<Item = N>) -> Option<Self> {
        let mut names = names.into_iter();
        let name = names.next()?.to_string();
        Some(Self { name, others: names.count() })
    }
}

/// Something that a person is to be told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct News {
    /// Who.
    pub to: UserId,
    /// What.
    pub kind: Kind,
    /// The order, the product or the store; `None` where it is the account itself.
    pub subject: Option<String>,
    /// What it is called.
    pub about: Option<About>,
    /// When it happened.
    pub time: Timestamp,
}

/// A notification, as the table keeps it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Notification {
    user_id: UserId,
    /// Its id, as the table's key.
    entry: NotificationId,
    kind: Kind,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    subject: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    about: Option<About>,
    /// When it happened, which may be long before it came.
    time: Timestamp,
    expires_at: i64,
    schema_version: u32,
}

impl Notification {
    /// News, under the id that they get.
    pub fn new(id: NotificationId, news: News) -> Self {
        let News { to, kind, subject, about, time } = news;
        let expires_at = id.expires_at();
        Self {
            user_id: to,
            entry: id,
            kind,
            subject,
            about,
            time,
            expires_at,
            schema_version: SCHEMA_VERSION,
        }
    }

    /// Its id.
    pub fn id(&self) -> NotificationId {
        self.entry
    }

    /// As its person sees it.
    pub fn view(self, standing: &Standing, language: Language) -> NotificationView {
        let is_read = !standing.is_unread(self.entry);
        let text = language.says(self.kind, self.about.as_ref());
        let Self { entry: id, time: at, kind, subject, .. } = self;
        NotificationView { id, at, kind, subject, text, is_read }
    }
}

/// What a person sees of a notification.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct NotificationView {
    id: NotificationId,
    at: Timestamp,
    kind: Kind,
    #[serde(skip_serializing_if = "Option::is_none")]
    subject: Option<String>,
    text: String,
    #[serde(rename = "read")]
    is_read: bool,
}

/// A page of a person's inbox.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct NotificationList {
    notifications: Vec<NotificationView>,
    unread: usize,
    /// What to send as `cursor` for the next page.
    #[serde(rename = "nextCursor")]
    pub(crate) next_cursor: Option<String>,
}

impl NotificationList {
    /// What to send as `cursor` for the next page; `None` on the last one.
    pub fn next_cursor(&self) -> Option<String> {
        self.next_cursor.clone()
    }
}

/// How many are unread, after some were marked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Unread {
    /// So many.
    pub unread: usize,
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_unix_millis(1_795_262_400_000 + millis)
    }

    fn id(millis: u64) -> NotificationId {
        NotificationId(1_795_262_400_000 + millis)
    }

    #[test]
    fn an_id_is_thirteen_digits_and_nothing_else() {
        assert_eq!("1795262400000".parse(), Ok(id(0)));
        assert_eq!(NotificationId(5).to_string(), "0000000000005");
        assert_eq!(
            NotificationId(LAST).next(),
            NotificationId(LAST),
            "as text it would stand before all others"
        );
        for other in
            ["", "5", "+795262400000", "17952624000000", "179526240000x", "１７９５２６２４０００００"]
        {
            assert_eq!(other.parse::<NotificationId>(), Err(NoNotification), "{other}");
        }
    }

    #[test]
    fn what_comes_at_once_or_by_a_slow_clock_has_a_greater_id_all_the_same() {
        let empty = Standing::default();
        assert_eq!(empty.next(at(7)), id(7));
        let standing = Standing::new(Some(id(7)), BTreeSet::new());
        assert_eq!([at(7), at(3), at(9)].map(|now| standing.next(now)), [id(8), id(8), id(9)]);
    }

    #[test]
    fn a_notification_keeps_its_name_and_goes_after_half_a_year() {
        let news = News {
            to: UserId::from("ann".to_owned()),
            kind: Kind::SaleMade,
            subject: Some("tea".into()),
            about: About::of(["Tea", "Cup", "Pot"]),
            time: at(0),
        };
        let kept = Notification::new(id(5), news);
        assert_eq!(
            serde_json::to_value(&kept).unwrap(),
            json!({
                "userId": "ann", "entry": "1795262400005", "kind": "sale.made", "subject": "tea",
                "about": { "name": "Tea", "others": 2 }, "time": at(0), "expiresAt": 1_810_814_400,
                "schemaVersion": 1
            })
        );
        let standing = Standing::new(Some(id(5)), [id(5)].into());
        assert_eq!((standing.unread(at(5)), standing.unread(at(6) + KEPT)), (1, 0));
        assert_eq!(
            serde_json::to_value(kept.view(&standing, Language::English)).unwrap(),
            json!({
                "id": "1795262400005", "at": at(0), "kind": "sale.made", "subject": "tea",
                "text": "You have a new order of “Tea” and 2 other products to send.", "read": false
            })
        );
    }

    #[test]
    fn the_oldest_of_too_many_unread_counts_as_read() {
        let unread = |count: usize| (0..count as u64).map(id).collect::<BTreeSet<_>>();
        let surplus = |count| Standing::new(Some(id(999)), unread(count)).surplus().collect::<Vec<_>>();
        assert_eq!(surplus(MOST_UNREAD - 1), []);
        assert_eq!(surplus(MOST_UNREAD), [id(0)]);
        assert_eq!(surplus(MOST_UNREAD + 1), [id(0), id(1)]);
    }

    /// What happens to an inbox. Whoever reads up to something looks first and marks later, and anything may come
    /// between.
    #[derive(Debug, Clone)]
    enum Act {
        Comes,
        Marks(u64),
        LooksUpTo(u64),
        MarksWhatWasSeen,
    }

    fn acts() -> impl Strategy<Value = Vec<Act>> {
        let act = prop_oneof![
            3 => Just(Act::Comes),
            2 => (0..12_u64).prop_map(Act::Marks),
            2 => (0..12_u64).prop_map(Act::LooksUpTo),
            2 => Just(Act::MarksWhatWasSeen),
        ];
        prop::collection::vec(act, 0..40)
    }

    proptest! {
        #[test]
        fn unread_are_those_that_nobody_marked_and_that_stand_above_all_that_was_read_up_to(acts in acts()) {
            let mut standing = Standing::default();
            // Of each that came, whether it was marked; up to where it was read; and what was seen and is to be marked.
            let (mut came, mut line) = (Vec::<(NotificationId, bool)>::new(), None);
            let mut seen = Vec::<(NotificationId, Vec<NotificationId>)>::new();
            for act in acts {
                match act {
                    Act::Comes => {
                        let next = standing.next(at(0));
                        standing.newest = Some(next);
                        standing.unread.insert(next);
                        came.push((next, false));
                    }
                    Act::Marks(number) if standing.newest >= Some(id(number)) => {
                        standing.unread.remove(&id(number));
                        came.iter_mut().filter(|(one, _)| *one == id(number)).for_each(|one| one.1 = true);
                    }
                    Act::Marks(_) => {}
                    Act::LooksUpTo(number) => {
                        seen.extend(standing.up_to(id(number)).map(|those| (id(number), those)));
                    }
                    Act::MarksWhatWasSeen => {
                        for (up_to, those) in seen.drain(..) {
                            standing.unread.retain(|one| !those.contains(one));
                            line = line.max(Some(up_to));
                        }
                    }
                }
                let unread = came.iter().filter(|(one, marked)| !marked && Some(*one) > line);
                prop_assert_eq!(standing.unread(at(0)), unread.count());
            }
        }
    }
}
