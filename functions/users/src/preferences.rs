//! What a person wants to be told, by what it is about and by which way. What an order or the account itself has to say
//! always comes by email; all else can be switched off, and the shop's own offers have to be switched on.

use serde::{Deserialize, Serialize};
use shared::http::input::{self, Body, Change, Fields, Member, Value};
use shared::http::problem::FieldError;
use shared::letters::{Letter, Stop};
use shared::values::time::Timestamp;

use crate::Profile;
use crate::texts::{OptIn, TextChanges, TextsView};

shared::names!(
    /// What news are about.
    pub enum Group {
        /// What the person bought.
        Orders = "orders",
        /// What the person sells: products, stores, their stock and what others order.
        Sales = "sales",
        /// Reviews of what the person sells, and replies to the person's own.
        Reviews = "reviews",
        /// What the shop offers.
        Marketing = "marketing",
    }
);

shared::names!(
    /// How news come.
    pub enum Way {
        /// To the address of the account.
        Email = "email",
        /// Into an open page of the shop.
        Push = "push",
    }
);

/// What a person chose, as far as something was ever chosen. In the item each choice is an attribute of its own, so
/// that of two changes that meet neither undoes the other.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Choices {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    orders_push: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sales_email: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sales_push: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reviews_email: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reviews_push: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    marketing_push: Option<bool>,
}

/// The attribute that has a choice; `None` where there is none to make. Emails of the shop's offers are what the
/// profile calls `marketing`.
pub(crate) const fn attribute(group: Group, way: Way) -> Option<&'static str> {
    match (group, way) {
        (Group::Orders, Way::Email) => None,
        (Group::Orders, Way::Push) => Some("ordersPush"),
        (Group::Sales, Way::Email) => Some("salesEmail"),
        (Group::Sales, Way::Push) => Some("salesPush"),
        (Group::Reviews, Way::Email) => Some("reviewsEmail"),
        (Group::Reviews, Way::Push) => Some("reviewsPush"),
        (Group::Marketing, Way::Email) => Some("marketing"),
        (Group::Marketing, Way::Push) => Some("marketingPush"),
    }
}

impl Profile {
    /// Whether news of this group go this way to its person: one who wants them and whose account is open.
    pub fn is_told(&self, group: Group, way: Way) -> bool {
        self.status.is_active() && self.wants(group, way)
    }

    /// What its person is told by email of something of this group, in these words and with how to have no more of the
    /// kind; `None` for whoever does not want it, and where there is nothing to say.
    pub fn told(&self, group: Group, words: impl FnOnce(&Self) -> Option<Letter>) -> Option<Letter> {
        let mut letter = self.is_told(group, Way::Email).then(|| words(self)).flatten()?;
        letter.to.stop = Some(Stop { person: self.user_id.clone(), group: group.as_str() });
        Some(letter)
    }

    /// Whether its person wants news of this group to come this way.
    pub fn wants(&self, group: Group, way: Way) -> bool {
        let Choices { orders_push, sales_email, sales_push, reviews_email, reviews_push, marketing_push } =
            self.choices;
        match (group, way) {
            (Group::Orders, Way::Email) => true,
            (Group::Orders, Way::Push) => orders_push.unwrap_or(true),
            (Group::Sales, Way::Email) => sales_email.unwrap_or(true),
            (Group::Sales, Way::Push) => sales_push.unwrap_or(true),
            (Group::Reviews, Way::Email) => reviews_email.unwrap_or(true),
            (Group::Reviews, Way::Push) => reviews_push.unwrap_or(true),
            (Group::Marketing, Way::Email) => self.marketing,
            (Group::Marketing, Way::Push) => marketing_push.unwrap_or(false),
        }
    }
}

/// The ways of one group, as a request changes them. `null` takes a choice back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Ways<const MAY_BE_SILENT: bool> {
    email: Option<Option<bool>>,
    push: Option<Option<bool>>,
}

impl<const MAY_BE_SILENT: bool> Ways<MAY_BE_SILENT> {
    /// All choices of the group are taken back.
    const TAKEN_BACK: Self = Self { email: Some(None), push: Some(None) };

    fn of(change: &Change<Self>) -> Option<Self> {
        match change {
            Change::Keep => None,
            Change::To(ways) => Some(ways.unwrap_or(Self::TAKEN_BACK)),
        }
    }

    fn choices(self, group: Group) -> impl Iterator<Item = (Group, Way, Option<bool>)> {
        [(Way::Email, self.email), (Way::Push, self.push)]
            .into_iter()
            .filter_map(move |(way, choice)| Some((group, way, choice?)))
    }
}

impl<const MAY_BE_SILENT: bool> Body for Ways<MAY_BE_SILENT> {
    fn read(fields: &mut Fields) -> Option<Self> {
        let (email, push) = (fields.change("email"), fields.change("push"));
        let given = |change: Change<bool>| match change {
            Change::Keep => None,
            Change::To(choice) => Some(choice),
        };
        let (email, push) = (given(email?), given(push?));
        if email == Some(Some(false)) && !MAY_BE_SILENT {
            fields.fault("email", "cannot be false: emails about your orders are always sent");
            return None;
        }
        if email.is_none() && push.is_none() {
            fields.fault_of_all("needs email, push or both");
            return None;
        }
        Some(Self { email, push })
    }
}

impl<const MAY_BE_SILENT: bool> Member for Ways<MAY_BE_SILENT> {
    fn read(pointer: &str, value: Option<Value>) -> Result<Self, Vec<FieldError>> {
        input::object_at(pointer, value)
    }
}

/// The body of `PUT /users/me/preferences`: what is given changes, `null` takes back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PreferenceChanges {
    choices: Vec<(Group, Way, Option<bool>)>,
    texts: TextChanges,
}

impl PreferenceChanges {
    /// Emails of this group are not wanted any more.
    pub fn no_emails(group: Group) -> Self {
        Self { choices: vec![(group, Way::Email, Some(false))], texts: TextChanges::default() }
    }

    /// Whether a text is turned on, which needs a number.
    pub(crate) fn turn_texts_on(&self) -> bool {
        self.texts.turn_on()
    }

    /// What is written of texts: the attributes, with what they hold then or without anything.
    pub(crate) fn written_of_texts(
        &self,
        now: Timestamp,
    ) -> impl Iterator<Item = (&'static str, Option<OptIn>)> {
        self.texts.written(now)
    }

    /// What is written of them: the attributes, with what they hold then or without anything.
    pub(crate) fn written(&self) -> impl Iterator<Item = (&'static str, Option<bool>)> {
        self.choices.iter().filter_map(|(group, way, choice)| Some((attribute(*group, *way)?, *choice)))
    }
}

impl Body for PreferenceChanges {
    fn read(fields: &mut Fields) -> Option<Self> {
        let orders = fields.change::<Ways<false>>("orders");
        let sales = fields.change::<Ways<true>>("sales");
        let reviews = fields.change::<Ways<true>>("reviews");
        let marketing = fields.change::<Ways<true>>("marketing");
        let texts = fields.change::<TextChanges>("texts");
        let orders = Ways::of(&orders?).map(|ways| ways.choices(Group::Orders));
        let others = [(Group::Sales, sales?), (Group::Reviews, reviews?), (Group::Marketing, marketing?)]
            .map(|(group, change)| Ways::of(&change).map(|ways| ways.choices(group).collect::<Vec<_>>()));
        let choices: Vec<_> =
            orders.into_iter().flatten().chain(others.into_iter().flatten().flatten()).collect();
        let texts = TextChanges::of(texts?);
        if choices.is_empty() && texts.is_empty() {
            fields.fault_of_all("needs at least one of marketing, orders, reviews, sales and texts");
            return None;
        }
        Some(Self { choices, texts })
    }
}

/// What a person is told by which way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
struct WaysView {
    email: bool,
    push: bool,
}

/// The same for all that news are about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
struct Preferences {
    orders: WaysView,
    sales: WaysView,
    reviews: WaysView,
    marketing: WaysView,
}

/// What comes in any case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
struct Always {
    what: &'static str,
    why: &'static str,
}

const ALWAYS: [Always; 2] = [
    Always {
        what: "orders.email",
        why: "Emails about an order say what was bought and for how much, and where it is.",
    },
    Always {
        what: "account.email",
        why: "Emails about the account say that somebody changed it: its password, address, second factor or role.",
    },
];

/// What a person wants to be told, and what comes in any case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PreferencesView {
    preferences: Preferences,
    texts: TextsView,
    always: [Always; 2],
}

impl From<Profile> for PreferencesView {
    fn from(profile: Profile) -> Self {
        let ways = |group| WaysView {
            email: profile.wants(group, Way::Email),
            push: profile.wants(group, Way::Push),
        };
        Self {
            preferences: Preferences {
                orders: ways(Group::Orders),
                sales: ways(Group::Sales),
                reviews: ways(Group::Reviews),
                marketing: ways(Group::Marketing),
            },
            texts: TextsView::from(&profile),
            always: ALWAYS,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value as Json, json};

    type Written = Vec<(&'static str, Option<bool>)>;

    fn read(body: &Json) -> Result<Written, Vec<(String, String)>> {
        let changes: Result<PreferenceChanges, _> = input::parse(body.to_string().as_bytes());
        changes.map(|changes| changes.written().collect()).map_err(|problem| {
            let faults = problem.errors().iter();
            faults.map(|fault| (fault.pointer.clone().unwrap_or_default(), fault.detail.clone())).collect()
        })
    }

    fn ann() -> Json {
        json!({
            "userId": "5d0c", "email": "ann@example.com", "fullName": "Ann Lee", "username": "Ann_Lee",
            "createdAt": "2026-11-21T12:00:00.000Z", "version": 3
        })
    }

    fn profile(item: &Json) -> Profile {
        serde_json::from_value(item.clone()).unwrap()
    }

    #[test]
    fn whoever_chose_nothing_is_told_everything_but_offers() {
        for group in Group::ALL {
            for way in Way::ALL {
                assert_eq!(profile(&ann()).wants(group, way), group != Group::Marketing, "{group} {way}");
            }
        }
    }

    #[test]
    fn each_choice_is_an_attribute_that_the_profile_reads_and_writes_again() {
        for group in Group::ALL {
            for way in Way::ALL {
                let Some(name) = attribute(group, way) else {
                    assert_eq!((group, way), (Group::Orders, Way::Email), "alone it is always on");
                    continue;
                };
                let chosen = group == Group::Marketing;
                let mut item = ann();
                item[name] = chosen.into();
                // As a table has it, where a number is no text.
                let item = shared::dynamo::to_item(&item).unwrap();
                let profile: Profile = shared::dynamo::from_item(item).unwrap();
                assert_eq!((profile.version, profile.wants(group, way)), (3, chosen), "{name}");
                assert_eq!(serde_json::to_value(&profile).unwrap()[name], chosen, "{name}");
                let others = Group::ALL.into_iter().flat_map(|group| Way::ALL.map(|way| (group, way)));
                let changed = others
                    .filter(|(g, w)| profile.wants(*g, *w) != super::tests::profile(&ann()).wants(*g, *w));
                assert_eq!(changed.collect::<Vec<_>>(), [(group, way)]);
            }
        }
    }

    #[test]
    fn what_is_given_changes_and_null_takes_back() {
        let body = json!({ "orders": { "email": true, "push": false }, "sales": { "email": null },
            "reviews": null, "marketing": { "email": true } });
        let expected = [
            ("ordersPush", Some(false)),
            ("salesEmail", None),
            ("reviewsEmail", None),
            ("reviewsPush", None),
            ("marketing", Some(true)),
        ];
        assert_eq!(read(&body).unwrap(), expected);
        assert_eq!(read(&json!({ "orders": { "email": true } })).unwrap(), []);
    }

    #[test]
    fn who_does_not_want_emails_of_a_group_or_has_a_closed_account_gets_none_and_others_can_stop_them() {
        let told = |with: Json| {
            let mut item = ann();
            item.as_object_mut().unwrap().extend(with.as_object().cloned().unwrap());
            profile(&item).told(Group::Sales, |ann| Some(ann.notice(crate::NoticeLetterKind::RoleChanged)))
        };
        let letter = told(json!({ "reviewsEmail": false, "salesPush": false })).unwrap();
        let stop = Stop { person: profile(&ann()).user_id, group: "sales" };
        assert_eq!((letter.to.email.as_str(), letter.to.stop), ("ann@example.com", Some(stop)));
        assert_eq!(told(json!({ "salesEmail": false })), None);
        assert_eq!(told(json!({ "status": "disabled" })), None);
        assert_eq!(profile(&ann()).told(Group::Sales, |_| None), None, "there is nothing to say");
    }

    #[test]
    fn what_always_comes_cannot_be_switched_off_and_the_person_is_told_why() {
        let detail = "cannot be false: emails about your orders are always sent";
        let refused = read(&json!({ "orders": { "email": false, "push": false } }));
        assert_eq!(refused, Err(vec![("#/orders/email".into(), detail.into())]));
    }

    #[test]
    fn every_fault_is_told_at_once() {
        let body = json!({ "orders": { "email": "no" }, "sales": {}, "reviews": 7, "news": { "email": true },
            "marketing": { "text": true }, "texts": { "delivered": true } });
        let mut pointers: Vec<_> = read(&body).unwrap_err().into_iter().map(|(pointer, _)| pointer).collect();
        pointers.sort();
        pointers.dedup();
        assert_eq!(
            pointers,
            [
                "#/marketing",
                "#/marketing/text",
                "#/news",
                "#/orders/email",
                "#/reviews",
                "#/sales",
                "#/texts/textVersion"
            ]
        );
        let detail = "needs at least one of marketing, orders, reviews, sales and texts";
        assert_eq!(read(&json!({})), Err(vec![("#".into(), detail.into())]));
    }

    #[test]
    fn a_person_reads_all_that_there_is_to_choose_and_what_there_is_not() {
        let mut item = ann();
        item["salesEmail"] = false.into();
        let view = serde_json::to_value(PreferencesView::from(profile(&item))).unwrap();
        let ways = |email: bool, push: bool| json!({ "email": email, "push": push });
        let expected = json!({ "orders": ways(true, true), "sales": ways(false, true),
            "reviews": ways(true, true), "marketing": ways(false, false) });
        assert_eq!(view["preferences"], expected);
        let texts = &view["texts"];
        assert_eq!([&texts["phone"], &texts["parcelSent"], &texts["delivered"]], [&Json::Null; 3]);
        assert_eq!(texts["consent"]["textVersion"], 1);
        assert_eq!(
            (&view["always"][0]["what"], &view["always"][1]["what"]),
            (&json!("orders.email"), &json!("account.email"))
        );
    }
}
