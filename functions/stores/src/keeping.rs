//! What owners and admins do with stores.

use shared::caller::{Caller, UserId};
use shared::guards::rate_limit::PersonLimit;
use shared::http::IfMatch;
use shared::http::problem::Problem;
use shared::media::Media;
use shared::run::aws::{Aws, FromEnv};
use shared::run::config::ConfigError;
use shared::run::telemetry;
use shared::values::time::Timestamp;

use crate::picturing::PICTURES;
use crate::{Editor, Error, NewStatus, NewStore, PictureOf, Store, StoreId, Stores, Which};

/// Opening stores, as often as one person may.
#[derive(Debug, Clone)]
pub struct Keeping {
    limit: PersonLimit,
    stores: Stores,
}

impl FromEnv for Keeping {
    fn from_env(aws: &Aws) -> Result<Self, ConfigError> {
        Ok(Self { limit: PersonLimit::from_env(aws)?, stores: Stores::from_env(aws)? })
    }
}

impl Keeping {
    /// Records a store that nobody else sees yet. Repeated, its name is taken.
    ///
    /// # Errors
    /// `too-many-requests`, and those of [`Stores::create`].
    pub async fn open(&self, owner: &Caller, new: NewStore, now: Timestamp) -> Result<Store, Problem> {
        self.limit.count("create-store", owner.id(), now).await?;
        let store = Store::new(new, owner.id(), now);
        self.stores.create(&store).await?;
        tracing::info!(store_id = %store.id(), "store opened");
        Ok(store)
    }
}

/// Publishes or deactivates a store for its owner or an admin: from the answer on its products can be ordered, or no
/// longer. Safe to repeat.
///
/// # Errors
/// Those of [`Stores::set_status`].
pub async fn set_status(
    stores: &Stores,
    caller: &Caller,
    id: StoreId,
    if_match: &IfMatch,
    new: &NewStatus,
    now: Timestamp,
) -> Result<Store, Problem> {
    let set = stores.set_status(id, if_match, new, |store| store.editor(caller), now).await;
    if let Err(Error::TooManyHidden) = set {
        telemetry::count_in_stage("TooManyHiddenStores", 1);
    }
    let store = set?;
    tracing::info!(store_id = %id, status = store.status().as_str(), "status of a store set");
    Ok(store)
}

/// Takes all stores of a person out of the shop, and their pictures away, for one who leaves it: some calls for each of
/// at most [`MOST_STORES`](crate::MOST_STORES). Safe to repeat.
///
/// # Errors
/// When the tables or the bucket fail. What was done until then stays so, and a repetition goes on.
pub async fn close_all_of(
    stores: &Stores,
    media: &Media,
    owner: &UserId,
    now: Timestamp,
) -> Result<(), Error> {
    let deactivated = NewStatus::deactivated();
    for store in stores.all_of(owner).await? {
        stores.set_status(store.id(), &IfMatch::Any, &deactivated, |_| Ok(Editor::Owner), now).await?;
        for which in Which::ALL {
            let picture = PictureOf { store: store.id(), which };
            stores.forget_picture(picture, now).await?;
            media.withdraw(PICTURES, picture).await?;
        }
    }
    Ok(())
}
