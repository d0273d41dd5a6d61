//! The gates of a store: whether it can be ordered from, sixteen times over.

use std::collections::HashSet;
use std::fmt;

use anyhow::Context;
use aws_sdk_dynamodb::types::{AttributeValue, ConditionCheck, Put};
use serde::Deserialize;
use shared::dynamo::{Batch, Consistency, Item, Read, number, read_each, text};

use super::{KEY, Stores};
use crate::{SCHEMA_VERSION, StoreId};

/// How many gates a store has, and how many sets there are of those that are hidden.
pub(super) const SIXTEEN: u8 = 16;

/// One of a store's gates: `gate#0` to `gate#15`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gate(u8);

impl Gate {
    /// The one that an order goes through, or whatever else has an id: by its last hexadecimal digit, which is random.
    pub fn of(id: impl fmt::Display) -> Self {
        Self(last_digit(id))
    }

    /// All of them.
    pub(super) fn all() -> impl Iterator<Item = Self> {
        (0..SIXTEEN).map(Self)
    }
}

impl fmt::Display for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "gate#{}", self.0)
    }
}

/// The last hexadecimal digit of an id.
pub(super) fn last_digit(id: impl fmt::Display) -> u8 {
    let digit = id.to_string().pop().and_then(|digit| digit.to_digit(16));
    digit.and_then(|digit| u8::try_from(digit).ok()).unwrap_or_default()
}

/// What a gate's item says.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Standing {
    store_id: StoreId,
    open: bool,
}

impl Stores {
    /// A gate, open or shut, in the transaction that sets its store's status.
    pub(super) fn gate(&self, id: StoreId, gate: Gate, open: bool) -> anyhow::Result<Put> {
        Put::builder()
            .table_name(&self.table)
            .item("storeId", text(&id))
            .item("entry", text(&gate))
            .item("open", AttributeValue::Bool(open))
            .item("schemaVersion", number(SCHEMA_VERSION))
            .build()
            .context("set a gate")
    }

    /// That a store is published, as a condition in the transaction of whatever goes through this gate: an order of
    /// its products, or the approval of one. A store that was never published has no gates, and those are shut. It
    /// costs two write units.
    ///
    /// # Errors
    /// Never for values of these types; the SDK's builder asks.
    pub fn is_open(&self, id: StoreId, gate: Gate) -> anyhow::Result<ConditionCheck> {
        ConditionCheck::builder()
            .table_name(&self.table)
            .key("storeId", text(&id))
            .key("entry", text(&gate))
            .condition_expression("#open = :yes")
            .expression_attribute_names("#open", "open")
            .expression_attribute_values(":yes", AttributeValue::Bool(true))
            .build()
            .context("ask whether a store is open")
    }

    /// Adds one gate of each of these stores, each given once, to what is read at the same time.
    ///
    /// # Errors
    /// Never for values of these types; the SDK's builder asks.
    pub fn with_gates(
        &self,
        read: Read,
        ids: impl IntoIterator<Item = StoreId>,
        gate: Gate,
        consistency: Consistency,
    ) -> anyhow::Result<Read> {
        read.entries(&self.table, KEY, ids.into_iter().map(|id| (id, gate)), consistency)
    }

    /// Of which stores a gate was read that is open.
    pub fn open_in(&self, batch: &mut Batch) -> HashSet<StoreId> {
        let is_gate = |item: &Item| matches!(item.get("entry"), Some(AttributeValue::S(entry)) if entry.starts_with("gate#"));
        let gates = read_each::<Standing>(batch.take_if(&self.table, is_gate), "storeId");
        gates.into_iter().filter(|gate| gate.open).map(|gate| gate.store_id).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared::values::time::Timestamp;

    #[test]
    fn sixteen_gates_share_the_orders_of_a_store() {
        let used: HashSet<u8> =
            (0..1_000).map(|at| Gate::of(StoreId::at(Timestamp::from_unix_millis(at))).0).collect();
        assert_eq!(used.len(), usize::from(SIXTEEN));
        let id: StoreId = "01a1fbbc-f7cc-71a0-aa66-431f703e44ef".parse().unwrap();
        assert_eq!(Gate::of(id).to_string(), "gate#15");
        assert_eq!(Gate::all().map(|gate| gate.to_string()).last().unwrap(), "gate#15");
    }
}
