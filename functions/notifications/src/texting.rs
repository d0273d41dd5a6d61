//! Sends each text once at most. Unlike an email, a text costs money and is owed to nobody: what it tells is in an
//! email and in the inbox as well, and whoever misses a code asks for another. So where it is not known whether one
//! went out, it does not go out again.

use anyhow::{Context, anyhow};
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{Delete, ReturnValue};
use orders::{OrderId, OrderTextKind, Orders};
use serde::Deserialize;
use shared::caller::UserId;
use shared::dynamo::{Write, update_item};
use shared::guards::Guards;
use shared::guards::claims::{Claim, TryId};
use shared::guards::rate_limit::TextLimits;
use shared::letters::Queued;
use shared::run::aws::{Aws, FromEnv};
use shared::run::config::ConfigError;
use shared::run::event::CloudEvent;
use shared::run::telemetry;
use shared::run::worker::Failure;
use shared::texts::Text;
use shared::values::time::Timestamp;
use users::texts::CODE_TEXT;
use users::{Number, NumberCodes, ProofOf, Stopped, TextCountries, Users};

use crate::admin_texts::{ADMIN_TEXT, Addressee, AdminText};
use crate::texter::{NotTexted, Texter};

/// What happened of which people are told by text, as the topic has it.
pub type Happened = CloudEvent<OrderTextKind, Facts>;

/// What of an event's data is read.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Facts {
    order_id: OrderId,
    user_id: UserId,
    /// Whose parcel it is about.
    #[serde(default)]
    seller_id: Option<UserId>,
}

/// A message of the queue Texts.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub enum TextDue {
    /// From the topic.
    News(Happened),
    /// What somebody has asked for.
    Asked(Queued),
}

/// A text that is ready to be sent.
struct Outgoing<'a> {
    /// What is claimed by whoever sends it.
    what: String,
    to: &'a Number,
    text: &'a Text,
    /// Who gets no more of them where the phone takes none.
    whose: Option<(&'a UserId, Stopped)>,
    /// Whether it was counted when it was asked for.
    is_counted: bool,
    /// What nobody needs any more once it is done.
    rest: Option<Delete>,
}

/// Who has something to say, and the way that it goes out.
#[derive(Debug, Clone)]
pub struct Texting {
    client: Client,
    guards: Guards,
    countries: TextCountries,
    users: Users,
    codes: NumberCodes,
    orders: Orders,
    limits: TextLimits,
    texter: Texter,
}

impl FromEnv for Texting {
    fn from_env(aws: &Aws) -> Result<Self, ConfigError> {
        Ok(Self {
            client: aws.dynamodb(),
            guards: Guards::from_env(aws)?,
            countries: TextCountries::from_env(aws)?,
            users: Users::from_env(aws)?,
            codes: NumberCodes::from_env(aws)?,
            orders: Orders::from_env(aws)?,
            limits: TextLimits::from_env(aws)?,
            texter: Texter::from_env(aws)?,
        })
    }
}

impl Texting {
    /// Sends what is due, if it is so and wanted.
    ///
    /// Safe to repeat: a text is claimed before it is sent, and one that went out, or may have, does not go out again.
    ///
    /// # Errors
    /// [`Failure::Later`] while another try is at it, [`Failure::Never`] where there is nothing that it could be about.
    /// When a call failed that was before the text went out, it comes again.
    pub async fn send(&self, due: &TextDue, now: Timestamp) -> Result<(), Failure> {
        if !self.countries.is_any() {
            tracing::info!("this shop sends no texts");
            return Ok(());
        }
        match due {
            TextDue::News(event) => self.tell(event, now).await,
            TextDue::Asked(queued) if queued.kind == CODE_TEXT => self.prove(queued, now).await,
            TextDue::Asked(queued) if queued.kind == ADMIN_TEXT => self.pass_on(queued, now).await,
            TextDue::Asked(_) => Err(Failure::Never(anyhow!("nobody has texts of this kind"))),
        }
    }

    /// What happened, to whoever wants to be told by text: most do not, and cost one read.
    async fn tell(&self, event: &Happened, now: Timestamp) -> Result<(), Failure> {
        let Happened { id, kind, data, .. } = event;
        telemetry::about("orders", data.order_id);
        if data.user_id.is_guest() {
            return Ok(());
        }
        let Some(profile) = self.users.find(&data.user_id).await? else { return Ok(()) };
        // A country that was taken off the list gets no more.
        let Some(to) = profile.texts_for(kind.purpose()).filter(|to| self.countries.have(to)) else {
            return Ok(());
        };
        let order = self.orders.find(data.order_id).await?;
        let order = order.context("there is no such order").map_err(Failure::Never)?;
        let Some(text) = order.text(*kind, data.seller_id.as_ref(), profile.language()) else {
            tracing::info!(%kind, "no longer so: not sent");
            return Ok(());
        };
        let whose = Some((&profile.user_id, Stopped::News));
        let what = claim_of(kind, id);
        self.once(Outgoing { what, to, text: &text, whose, is_counted: false, rest: None }, now).await
    }

    /// A code, to a number that is to be proved.
    async fn prove(&self, queued: &Queued, now: Timestamp) -> Result<(), Failure> {
        let of: ProofOf = queued.id.parse().context("read what a code is about").map_err(Failure::Never)?;
        telemetry::about("users", &of.person.0);
        let profile = self.users.find(&of.person.0).await?.filter(|profile| profile.status.is_active());
        let told = profile.as_ref().and_then(|profile| self.codes.text(profile, of.which, now));
        let Some((to, text)) = told else {
            tracing::info!(kind = queued.kind, "no longer so: not sent");
            return Ok(());
        };
        let what = claim_of(&queued.kind, &queued.id);
        let whose = Some((&of.person.0, Stopped::Code));
        self.once(Outgoing { what, to, text: &text, whose, is_counted: true, rest: None }, now).await
    }

    /// What an admin wrote, to whoever that is for.
    async fn pass_on(&self, queued: &Queued, now: Timestamp) -> Result<(), Failure> {
        telemetry::about("texts", &queued.id);
        let Some(AdminText { to, text }) = self.guards.words(ADMIN_TEXT, &queued.id).await? else {
            tracing::info!(id = queued.id, "sent before");
            return Ok(());
        };
        let rest = Some(self.guards.forget_words(ADMIN_TEXT, &queued.id)?);
        let what = claim_of(&queued.kind, &queued.id);
        let profile = match &to {
            Addressee::Number(_) => None,
            Addressee::Person(person) => self.users.find(&person.0).await?,
        };
        let whose = profile.as_ref().map(|profile| (&profile.user_id, Stopped::News));
        let to = match &to {
            Addressee::Number(number) => Some(number),
            Addressee::Person(_) => profile.as_ref().and_then(users::Profile::texted),
        };
        let Some(to) = to else {
            tracing::info!(id = queued.id, "its reader has no phone any more: not sent");
            return Ok(self.done(&what, rest, now).await?);
        };
        self.once(Outgoing { what, to, text: &text, whose, is_counted: true, rest }, now).await
    }

    async fn once(&self, mut out: Outgoing<'_>, now: Timestamp) -> Result<(), Failure> {
        let this_try = TryId::at(now);
        match self.guards.claim(&out.what, this_try, now).await? {
            Claim::Busy => return Err(Failure::Later("another try is at it")),
            Claim::AlreadyDone => return Ok(()),
            Claim::TakenOver => is_uncertain(&out.what, "who sent it never said what came of it"),
            Claim::First => {
                if let Err(error) = self.hand_over(&out, now).await {
                    // Nothing went out, so the next try need not wait.
                    self.guards.give_back(&out.what, this_try).await?;
                    return Err(error.into());
                }
            }
        }
        let rest = out.rest.take();
        Ok(self.done(&out.what, rest, now).await?)
    }

    /// Hands the text to SNS, if the limits let it.
    ///
    /// # Errors
    /// Only where it certainly did not go out, and may the next time.
    async fn hand_over(&self, out: &Outgoing<'_>, now: Timestamp) -> anyhow::Result<()> {
        let Outgoing { what, to, text, whose, is_counted, .. } = out;
        if !*is_counted
            && let Some((person, _)) = whose
            && !self.limits.lets_through(person, now).await?
        {
            tracing::warn!(what, "over a limit: not sent");
            telemetry::count("TextOverLimit", 1);
            return Ok(());
        }
        match self.texter.send(to, text).await {
            Ok(()) => {
                tracing::info!(what, "text sent");
                telemetry::count("TextSent", 1);
            }
            Err(NotTexted::OptedOut) => {
                telemetry::count("TextOptedOut", 1);
                if let Some((person, what)) = whose {
                    self.users.stop_texts(person, to, *what, now).await?;
                }
            }
            Err(NotTexted::Refused(error)) => return Err(error),
            Err(NotTexted::Unknown(error)) => is_uncertain(what, &format!("{error:#}")),
        }
        Ok(())
    }

    /// Records that the text is done with, and forgets what is of no use any more. Safe to repeat.
    async fn done(&self, what: &str, rest: Option<Delete>, now: Timestamp) -> anyhow::Result<()> {
        let done = self.guards.done(what, now)?;
        let Some(rest) = rest else {
            return update_item(&self.client, done, ReturnValue::None).await.map(drop);
        };
        let mut write = Write::new();
        write.update(done);
        write.delete(rest);
        write.commit(&self.client).await.map(drop)
    }
}

fn claim_of(kind: impl std::fmt::Display, id: impl std::fmt::Display) -> String {
    format!("text#{kind}#{id}")
}

/// It may have gone out, so it does not go out again.
fn is_uncertain(what: &str, why: &str) {
    tracing::warn!(what, why, "nobody knows whether this text went out");
    telemetry::count("TextUncertain", 1);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::texter::tests::{refused, taken};
    use serde_json::{Value, json};
    use shared::run::aws::canned::{Asked, answering_each, item};

    const PERSON: &str = "5d0c6a7e-2b0f-4f0e-9c68-3fd12c0b7a94";
    const ORDER: &str = "01a1fbbc-f982-7d04-8367-8c1b9055f3fd";
    const EVENT: &str = "5d1b36b1-8b1f-5f0e-9c68-3fd12c0b7a94";

    fn noon() -> Timestamp {
        "2026-11-21T12:04:00.000Z".parse().unwrap()
    }

    fn profile() -> Value {
        json!({
            "userId": PERSON, "email": "ann@cartwright.test", "fullName": "Ann Lee", "username": "Ann_Lee",
            "createdAt": noon(), "schemaVersion": 1, "deliveredText": { "at": noon(), "textVersion": 1 },
            "textNumber": { "number": "+4915112345678", "provedAt": noon(), "proof": ORDER }
        })
    }

    fn order() -> Value {
        json!({
            "orderId": ORDER, "userId": PERSON, "contact": { "email": "ann@cartwright.test", "fullName": "Ann" },
            "schemaVersion": 1, "status": "delivered", "paymentMethod": "cash_on_delivery", "lines": [], "total": 1050,
            "currency": "USD", "createdAt": noon(), "updatedAt": noon(),
            "history": [{ "status": "pending", "at": noon() }, { "status": "delivered", "at": noon() }]
        })
    }

    fn event(kind: &str, user: &str) -> TextDue {
        serde_json::from_value(json!({
            "specversion": "1.0", "id": EVENT, "source": "/cartwright/local/orders", "type": kind, "subject": ORDER,
            "time": noon(), "datacontenttype": "application/json",
            "dataschema": format!("urn:cartwright:event:{kind}:1"), "data": { "orderId": ORDER, "userId": user }
        }))
        .unwrap()
    }

    /// A shop in which a claim comes to `claim`, SNS answers so, and all else is as it should be.
    fn texting(codes: &str, claim: (u16, Value), sns: (u16, Value)) -> (Texting, Asked) {
        let (sdk, asked) = answering_each(move |asked| {
            let key = |name: &str| asked["Key"][name]["S"].as_str();
            let update = asked["UpdateExpression"].as_str().unwrap_or_default();
            match (asked["Action"].as_str(), key("userId"), key("orderId")) {
                (Some("Publish"), ..) => sns.clone(),
                (None, Some(_), _) if update.is_empty() => (200, json!({ "Item": item(&profile()) })),
                (None, _, Some(_)) => (200, json!({ "Item": item(&order()) })),
                _ if update.contains("leaseUntil") => claim.clone(),
                _ => (200, json!({ "Attributes": {} })),
            }
        });
        let variables = [
            ("TEXT_CALLING_CODES", codes),
            ("GUARDS_TABLE", "guards"),
            ("USERS_TABLE", "users"),
            ("ORDERS_TABLE", "orders"),
            ("LIMIT_KEY", "a key"),
            ("ORDER_TOKEN_KEY", "a key"),
            ("TEXTS_PER_PERSON", "5/86400"),
            ("TEXTS_IN_ALL", "200/86400"),
        ];
        let variables = variables.map(|(name, value)| (name, Some(value)));
        let texting = temp_env::with_vars(variables, || Texting::from_env(&Aws::for_tests(sdk)));
        (texting.unwrap(), asked)
    }

    fn first() -> (u16, Value) {
        (200, json!({}))
    }

    /// A claim that stands in the way.
    fn held(more: &Value) -> (u16, Value) {
        let mut held = json!({ "guardId": "claim", "holder": "another", "tries": 1 });
        held.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap_or_default());
        let failed = "com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException";
        (400, json!({ "__type": failed, "Item": item(&held) }))
    }

    fn published(asked: &Asked) -> Vec<String> {
        let asked = asked.lock().unwrap();
        let texts = asked.iter().filter(|one| one["Action"] == "Publish");
        texts.map(|one| one["Message"].as_str().unwrap_or_default().to_owned()).collect()
    }

    /// Whether it was recorded that a text is done with, and whether a claim was given back.
    fn ends(asked: &Asked) -> (bool, bool) {
        let asked = asked.lock().unwrap();
        let has = |text: &str| asked.iter().any(|one| one.to_string().contains(text));
        (has("SET doneAt"), has("attribute_not_exists(doneAt)\"") && has("holder = :me"))
    }

    #[tokio::test]
    async fn whoever_wants_it_is_told_once_and_whoever_does_not_costs_one_read() {
        let (texting, asked) = texting("49", first(), (200, taken()));
        texting.send(&event("order.delivered", PERSON), noon()).await.unwrap();
        let told = published(&asked);
        assert!(told.len() == 1 && told[0].starts_with("Cartwright: your order C-"), "{told:?}");
        assert_eq!(ends(&asked), (true, false));
        let before = asked.lock().unwrap().len();
        texting.send(&event("order.shipped", PERSON), noon()).await.unwrap();
        assert_eq!(asked.lock().unwrap().len() - before, 1, "the person wants no such texts");
        texting.send(&event("order.delivered", "guest#1"), noon()).await.unwrap();
        assert_eq!(asked.lock().unwrap().len() - before, 1, "a guest has no phone");
    }

    #[tokio::test]
    async fn a_shop_without_texts_and_a_country_that_is_off_the_list_cost_nothing() {
        for (codes, calls) in [("", 0), ("43", 1)] {
            let (texting, asked) = texting(codes, first(), (200, taken()));
            texting.send(&event("order.delivered", PERSON), noon()).await.unwrap();
            let sent = published(&asked).len();
            assert_eq!((asked.lock().unwrap().len(), sent), (calls, 0), "{codes}");
        }
    }

    #[tokio::test]
    async fn what_may_have_gone_out_does_not_go_out_again() {
        let due = event("order.delivered", PERSON);
        let (unsure, asked) = texting("49", first(), (500, refused("InternalError", "as asked")));
        unsure.send(&due, noon()).await.unwrap();
        assert_eq!((published(&asked).len(), ends(&asked)), (1, (true, false)));
        let died = (200, json!({ "Attributes": item(&json!({ "holder": "another", "tries": 1 })) }));
        let (taken_over, asked) = texting("49", died, (200, taken()));
        taken_over.send(&due, noon()).await.unwrap();
        assert_eq!((published(&asked).len(), ends(&asked)), (0, (true, false)));
        let (before, asked) = texting("49", held(&json!({ "doneAt": noon() })), (200, taken()));
        before.send(&due, noon()).await.unwrap();
        assert_eq!(published(&asked).len(), 0);
        let (busy, asked) = texting("49", held(&json!({})), (200, taken()));
        assert!(matches!(busy.send(&due, noon()).await, Err(Failure::Later(_))));
        assert_eq!(published(&asked).len(), 0);
    }

    #[tokio::test]
    async fn what_sns_refused_is_tried_again_without_waiting() {
        let (texting, asked) = texting("49", first(), (400, refused("Throttled", "as asked")));
        assert!(texting.send(&event("order.delivered", PERSON), noon()).await.is_err());
        assert_eq!(ends(&asked), (false, true));
    }

    #[tokio::test]
    async fn a_phone_that_opted_out_has_its_texts_turned_off_and_that_is_the_end_of_it() {
        let (texting, asked) = texting("49", first(), (400, refused("OptedOut", "is opted out")));
        texting.send(&event("order.delivered", PERSON), noon()).await.unwrap();
        assert_eq!(ends(&asked), (true, false));
        let asked = asked.lock().unwrap();
        let stopped = asked
            .iter()
            .find(|one| one["Key"]["userId"]["S"] == PERSON && !one["UpdateExpression"].is_null());
        let stopped = stopped.expect("a change of the profile");
        let expression = stopped["UpdateExpression"].as_str().unwrap();
        assert!(expression.ends_with("REMOVE parcelSentText, deliveredText"), "{expression}");
        assert_eq!(stopped["ExpressionAttributeValues"][":number"]["S"], "+4915112345678");
    }

    #[tokio::test]
    async fn a_message_of_no_kind_never_comes_to_anything() {
        let (texting, _) = texting("49", first(), (200, taken()));
        let due: TextDue = serde_json::from_value(json!({ "kind": "thing.moved", "id": "1" })).unwrap();
        assert!(matches!(texting.send(&due, noon()).await, Err(Failure::Never(_))));
        let unreadable: TextDue = serde_json::from_value(json!({ "kind": "phone.code", "id": "1" })).unwrap();
        assert!(matches!(texting.send(&unreadable, noon()).await, Err(Failure::Never(_))));
        assert!(serde_json::from_value::<TextDue>(json!({ "type": "order.placed" })).is_err());
    }
}
