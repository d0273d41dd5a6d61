//! What happened to a store, read from its item before and after a write.

use serde::{Deserialize, Serialize};
use shared::caller::UserId;
use shared::values::time::Timestamp;

use crate::{Editor, Store, StoreId, StoreStatus};

/// Something that happened to a store. As JSON it is the event's data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct StoreEvent {
    /// Which store.
    pub store_id: StoreId,
    /// Whose it is.
    pub seller_id: UserId,
    /// As what somebody deactivated it, where that is what happened.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<Editor>,
    /// When.
    #[serde(skip)]
    pub at: Timestamp,
    /// What.
    #[serde(skip)]
    pub what: What,
}

shared::names!(
    /// What happened to a store, by the name that subscribers know it by.
    pub enum What {
        /// Its owner described it; nobody sees it yet.
        Opened = "store.opened",
        /// Everyone sees it, and what it sells.
        Published = "store.published",
        /// Nobody sees it any more, nor buys what it sells.
        Deactivated = "store.deactivated",
    }
);

/// What stands in the table: of all that is there, a store alone tells something.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(tag = "entry")]
pub enum Entry {
    /// A store.
    #[serde(rename = "store")]
    Store(Box<Store>),
    /// A gate, a name, a count, or a set of those that are hidden.
    #[serde(other)]
    Other,
}

impl Entry {
    /// The store, if it is one.
    pub fn store(&self) -> Option<&Store> {
        match self {
            Self::Store(store) => Some(store),
            Self::Other => None,
        }
    }
}

/// What happened between two states of an entry of the table.
pub fn between_entries(old: Option<&Entry>, new: Option<&Entry>) -> Vec<StoreEvent> {
    between(old.and_then(Entry::store), new.and_then(Entry::store))
}

/// What happened between two states of a store's item. One that an admin deactivates whom its owner had deactivated is
/// told again: from then on it is the admins' to lift.
pub fn between(old: Option<&Store>, new: Option<&Store>) -> Vec<StoreEvent> {
    let Some(new) = new else { return Vec::new() };
    let event =
        |what, by, at| StoreEvent { store_id: new.store_id, seller_id: new.owner_id.clone(), by, at, what };
    let before = old.map(|old| (old.status, old.deactivated_by));
    let mut events = Vec::new();
    if old.is_none() {
        events.push(event(What::Opened, None, new.created_at));
    }
    if before != Some((new.status, new.deactivated_by)) {
        match new.status {
            StoreStatus::Draft => {}
            StoreStatus::Published => events.push(event(What::Published, None, new.updated_at)),
            StoreStatus::Deactivated => {
                events.push(event(What::Deactivated, new.deactivated_by, new.updated_at));
            }
        }
    }
    events
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn store(status: &str, by: Option<&str>) -> Store {
        let mut item = json!({
            "storeId": "01a1fbbc-f7cc-71a0-aa66-431f703e44ea", "ownerId": "ann", "name": "Tea house",
            "nameKey": "teahouse", "supportEmail": "help@cartwright.test", "status": status,
            "createdAt": "2026-11-29T12:00:00.000Z", "updatedAt": "2026-11-29T12:05:00.000Z", "version": 2,
            "schemaVersion": 1
        });
        if let Some(by) = by {
            item["deactivatedBy"] = json!(by);
        }
        serde_json::from_value(item).unwrap()
    }

    fn told(old: Option<&Store>, new: &Store) -> Vec<What> {
        between(old, Some(new)).into_iter().map(|event| event.what).collect()
    }

    #[test]
    fn a_new_store_is_told_without_its_name_and_its_address() {
        let events = between(None, Some(&store("draft", None)));
        let [event] = events.as_slice() else { panic!("{events:?}") };
        assert_eq!((event.what, event.at.to_string()), (What::Opened, "2026-11-29T12:00:00.000Z".into()));
        let data = json!({ "storeId": "01a1fbbc-f7cc-71a0-aa66-431f703e44ea", "sellerId": "ann" });
        assert_eq!(serde_json::to_value(event).unwrap(), data);
    }

    #[test]
    fn what_becomes_of_a_store_is_told_each_time_and_what_stays_is_not() {
        let (draft, published) = (store("draft", None), store("published", None));
        let (by_owner, by_admin) = (store("deactivated", Some("owner")), store("deactivated", Some("admin")));
        assert_eq!(told(Some(&draft), &published), [What::Published]);
        assert_eq!(told(Some(&published), &by_owner), [What::Deactivated]);
        assert_eq!(told(Some(&by_owner), &by_admin), [What::Deactivated]);
        assert_eq!(told(Some(&by_admin), &published), [What::Published]);
        for store in [&draft, &published, &by_owner, &by_admin] {
            assert_eq!(told(Some(store), store), []);
        }
        assert_eq!(told(None, &published), [What::Opened, What::Published], "a draft that nobody saw");
        assert_eq!(between(Some(&published), None), []);
    }

    #[test]
    fn of_what_stands_in_the_table_a_store_alone_tells_something() {
        let mut item = shared::dynamo::to_item(&store("draft", None)).unwrap();
        item.insert("entry".into(), shared::dynamo::text("store"));
        let entry: Entry = shared::dynamo::from_item(item.clone()).unwrap();
        assert_eq!(entry, Entry::Store(Box::new(store("draft", None))));
        assert_eq!(between_entries(None, Some(&entry)).len(), 1);
        for other in ["gate#3", "#name", "#owner", "hidden"] {
            item.insert("entry".into(), shared::dynamo::text(other));
            let entry: Entry = shared::dynamo::from_item(item.clone()).unwrap();
            assert_eq!(between_entries(None, Some(&entry)), [], "{other}");
        }
        let unreadable = item.into_iter().filter(|(name, _)| name != "version");
        let unreadable = unreadable.chain([("entry".to_owned(), shared::dynamo::text("store"))]).collect();
        assert!(shared::dynamo::from_item::<Entry>(unreadable).is_err(), "it is skipped, and rings");
    }

    #[test]
    fn it_is_told_as_what_somebody_deactivated_a_store() {
        let events = between(Some(&store("published", None)), Some(&store("deactivated", Some("admin"))));
        assert_eq!(events[0].by, Some(Editor::Admin));
    }
}
