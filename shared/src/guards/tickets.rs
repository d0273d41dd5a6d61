//! Tickets: what is good once and for a moment, such as a step of a sign-in that goes on in another request. The table
//! has the SHA-256 of what names a ticket, so nobody who reads it can use one.

use std::time::Duration;

use anyhow::Context;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue, Update};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};

use super::Guards;
use super::claims::TryId;
use crate::dynamo::{Written, number, text, update_item};
use crate::values::time::Timestamp;

impl Guards {
    /// Keeps what the holder of `secret` may take once within `good_for`. Safe to repeat: the same ticket again.
    ///
    /// # Errors
    /// When the table cannot be written.
    pub async fn issue_ticket(
        &self,
        what: &str,
        secret: &str,
        holds: &impl Serialize,
        (now, good_for): (Timestamp, Duration),
    ) -> anyhow::Result<()> {
        let until = now + good_for;
        let put = self
            .client()
            .put_item()
            .table_name(self.table())
            .item("guardId", text(&guard_id(what, secret)))
            .item("holds", text(&serde_json::to_string(holds)?))
            .item("goodUntil", number(until.unix_millis()))
            .item("expiresAt", number(until.unix_seconds() + 1));
        put.send().await.map(drop).context("issue a ticket")
    }

    /// Takes the ticket that `secret` names; `None` where there is none, it was taken, or it is too old. Of two that
    /// try at once one gets it. Safe to repeat by the SDK: the same try gets the same.
    ///
    /// # Errors
    /// When the table cannot be written, or the ticket does not hold a `T`.
    pub async fn take_ticket<T: DeserializeOwned>(
        &self,
        what: &str,
        secret: &str,
        me: TryId,
        now: Timestamp,
    ) -> anyhow::Result<Option<T>> {
        let update = Update::builder()
            .table_name(self.table())
            .key("guardId", text(&guard_id(what, secret)))
            .update_expression("SET takenBy = :me")
            .condition_expression("goodUntil > :now AND (attribute_not_exists(takenBy) OR takenBy = :me)")
            .expression_attribute_values(":me", text(&me))
            .expression_attribute_values(":now", number(now.unix_millis()))
            .build()
            .context("take a ticket")?;
        match update_item(self.client(), update, ReturnValue::AllNew).await.context("take a ticket")? {
            Written::Refused(_) => Ok(None),
            Written::Done(ticket) => match ticket.get("holds") {
                Some(AttributeValue::S(holds)) => {
                    Ok(Some(serde_json::from_str(holds).context("read a ticket")?))
                }
                _ => anyhow::bail!("a ticket holds nothing"),
            },
        }
    }
}

fn guard_id(what: &str, secret: &str) -> String {
    format!("ticket#{what}#{}", URL_SAFE_NO_PAD.encode(Sha256::digest(secret)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::aws::canned::{answering, item};
    use aws_sdk_dynamodb::Client;
    use serde_json::json;

    fn noon() -> Timestamp {
        Timestamp::from_unix_millis(1_795_262_400_000)
    }

    fn me() -> TryId {
        TryId::at(noon())
    }

    #[tokio::test]
    async fn a_ticket_is_kept_without_what_names_it() {
        let (sdk, asked) = answering(200, &json!({}));
        let guards = Guards { client: Client::new(&sdk), table: "guards".into() };
        let lifetime = (noon(), Duration::from_mins(1));
        guards.issue_ticket("step", "hush", &json!({ "a": 1 }), lifetime).await.unwrap();
        let asked = asked.lock().unwrap()[0].clone();
        let until = noon().unix_millis() + 60_000;
        assert_eq!(
            asked["Item"],
            item(&json!({
                "guardId": format!("ticket#step#{}", URL_SAFE_NO_PAD.encode(Sha256::digest("hush"))),
                "holds": "{\"a\":1}", "goodUntil": until, "expiresAt": until / 1000 + 1,
            }))
        );
        assert!(!asked.to_string().contains("hush"), "{asked}");
    }

    #[tokio::test]
    async fn a_ticket_is_taken_by_who_comes_first_and_none_is_there_for_the_next() {
        let taken = json!({ "Attributes": item(&json!({ "holds": "7", "takenBy": me().to_string() })) });
        let (sdk, asked) = answering(200, &taken);
        let guards = Guards { client: Client::new(&sdk), table: "guards".into() };
        assert_eq!(guards.take_ticket::<u32>("step", "hush", me(), noon()).await.unwrap(), Some(7));
        let condition = asked.lock().unwrap()[0]["ConditionExpression"].clone();
        assert_eq!(condition, "goodUntil > :now AND (attribute_not_exists(takenBy) OR takenBy = :me)");
        let failed = json!({ "__type": "com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException" });
        let (sdk, _) = answering(400, &failed);
        let guards = Guards { client: Client::new(&sdk), table: "guards".into() };
        assert_eq!(guards.take_ticket::<u32>("step", "hush", me(), noon()).await.unwrap(), None);
    }
}
