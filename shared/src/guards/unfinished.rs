//! What was changed here and another system has to hear of: begun in the transaction that changes it, and over in the
//! one that notes that the other knows. Whoever sweeps finds all of a kind in one item, so there must be few at a time.

use std::collections::BTreeSet;

use anyhow::Context;
use aws_sdk_dynamodb::types::builders::UpdateBuilder;
use aws_sdk_dynamodb::types::{AttributeValue, Update};
use serde::Deserialize;

use super::Guards;
use crate::dynamo::{from_item, text};

#[derive(Deserialize)]
struct Kept {
    #[serde(default)]
    ids: BTreeSet<String>,
}

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
        Ok(found.item.map(from_item::<Kept>).transpose()?.map(|kept| kept.ids).unwrap_or_default())
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
