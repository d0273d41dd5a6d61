//! What was changed here and another system has to hear of: begun in the transaction that changes it, and over in the
//! one that notes that the other knows. Whoever sweeps finds all of a kind in one item, so there must be few at a time.

use std::collections::BTreeSet;

use anyhow::Context;
use aws_sdk_dynamodb::types::builders::UpdateBuilder;
use aws_sdk_dynamodb::types::{AttributeValue, Update};

use super::Guards;
use crate::dynamo::text;

impl Guards {
    /// The part of a transaction that begins something of the kind `what` about `id`. Safe to repeat.
    ///
    /// # Errors
    /// Never for values of these types; the SDK's builder asks.
    pub fn begin(&self, what: &str, id: &str) -> anyhow::Result<Update> {
        self.change(what, id).update_expression("ADD ids :id").build().context("begin what is to be finished")
    }

    /// The part of a transaction that notes that it is finished. Safe to repeat.
    ///
    /// # Errors
    /// Never for values of these types; the SDK's builder asks.
    pub fn finish(&self, what: &str, id: &str) -> anyhow::Result<Update> {
        self.change(what, id).update_expression("DELETE ids :id").build().context("note what is finished")
    }

    /// About which ids something of this kind is not finished.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn unfinished(&self, what: &str) -> anyhow::Result<BTreeSet<String>> {
        let get = self.client().get_item().table_name(self.table()).key("guardId", text(&guard_id(what)));
        let found = get.consistent_read(true).send().await.context("read what is unfinished")?;
        // DynamoDB takes a set away with its last member.
        let Some(ids) = found.item.and_then(|mut item| item.remove("ids")) else {
            return Ok(BTreeSet::new());
        };
        let AttributeValue::Ss(ids) = ids else { anyhow::bail!("what is unfinished is no set of texts") };
        Ok(ids.into_iter().collect())
    }

    fn change(&self, what: &str, id: &str) -> UpdateBuilder {
        Update::builder()
            .table_name(self.table())
            .key("guardId", text(&guard_id(what)))
            .expression_attribute_values(":id", AttributeValue::Ss(vec![id.to_owned()]))
    }
}

fn guard_id(what: &str) -> String {
    format!("unfinished#{what}")
}
