//! Stores: under which names people sell, and whether they do. The rules are here and call nothing; [`store`] keeps
//! stores in DynamoDB, with the gates that orders go through and the sets of those that are hidden; [`keeping`] is what
//! their owners and the admins do, [`picturing`] how a store gets its pictures, and [`Stores::rate`] how it is rated.
//!
//! | a store is | everyone sees it | its products are on the lists | they can be ordered |
//! | --- | --- | --- | --- |
//! | `draft`: it was never published | no | none is approved | no |
//! | `published` | yes | yes | yes |
//! | `deactivated` | no | no longer, within seconds | no, from that moment |

pub mod events;
pub mod keeping;
pub mod letters;
pub mod picturing;
pub mod store;

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use shared::caller::{Caller, UserId};
use shared::dynamo::list::Page;
use shared::http::input::{Body, Change, Fields};
use shared::http::problem::{CONFLICT, FORBIDDEN, Kind, Problem, StatusCode};
use shared::media::{Images, NewPicture, UploadId};
use shared::values::stars::{Rating, Stars};
use shared::values::text::folded;
use shared::values::time::Timestamp;
use users::Email;

pub use keeping::Keeping;
pub use letters::{StoreLetterKind, StoreLetters};
pub use picturing::Picturing;
pub use store::{Gate, Hidden, HiddenStores, Stores};

shared::id!(
    /// Names a store.
    StoreId
);

shared::text!(
    /// What a store is called.
    StoreName, 1..=80
);

shared::text!(
    /// What a store is about, in lines.
    Description, 1..=2000, multiline
);

shared::text!(
    /// Why a store was deactivated.
    Reason, 1..=500
);

/// How many stores one person may have.
pub const MOST_STORES: u32 = 3;

/// A store's name as people compare names: no two stores have the same one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct NameKey(String);

impl StoreName {
    /// The name without capitals, accents, spaces and marks: who sells as `Tea-House` cannot be told from `tea house`.
    pub fn key(&self) -> NameKey {
        /// What DynamoDB takes for a key are 1 to 2,048 bytes, and some letters decompose into eighteen.
        const LONGEST: usize = 250;
        let folded = folded(self.as_str());
        let letters: String = folded.chars().filter(|c| c.is_alphanumeric()).take(LONGEST).collect();
        // A name may be nothing but marks, and marks nothing but accents.
        let marks =
            || if folded.is_empty() { self.as_str() } else { &folded }.chars().take(LONGEST).collect();
        NameKey(if letters.is_empty() { marks() } else { letters })
    }
}

impl fmt::Display for NameKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

shared::body!(
    /// A store as its owner describes it.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct NewStore {
        name: StoreName,
        description: Option<Description>,
        support_email: Option<Email>,
    }
);

/// What is to be different about a store: one of these at least. `null` takes back what a store need not have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreChanges {
    pub(crate) name: Option<StoreName>,
    pub(crate) description: Change<Description>,
    pub(crate) support_email: Change<Email>,
}

impl Body for StoreChanges {
    fn read(fields: &mut Fields) -> Option<Self> {
        let is_named = fields.has("name");
        let name = fields.optional("name");
        let (description, support_email) = (fields.change("description"), fields.change("supportEmail"));
        let (description, support_email): (Change<Description>, Change<Email>) =
            (description?, support_email?);
        if !is_named && description == Change::Keep && support_email == Change::Keep {
            fields.fault_of_all("needs at least one of name, description, supportEmail");
        }
        Some(Self { name, description, support_email })
    }
}

shared::names!(
    /// Where a store stands.
    pub enum StoreStatus {
        /// Nobody but its owner and the admins has ever seen it.
        Draft = "draft",
        /// Everyone sees it, and its products are on sale.
        Published = "published",
        /// It was taken out of the shop, and its products with it.
        Deactivated = "deactivated",
    }
);

shared::names!(
    /// What somebody wants a store to be.
    pub enum WantedStatus {
        /// For everyone to see.
        Published = "published",
        /// Out of the shop.
        Deactivated = "deactivated",
    }
);

shared::names!(
    /// As what somebody may change a store.
    pub enum Editor {
        /// It is theirs.
        Owner = "owner",
        /// They run the shop.
        Admin = "admin",
    }
);

shared::body!(
    /// What is to become of a store.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct NewStatus {
        status: WantedStatus,
        reason: Option<Reason>,
    }
);

impl NewStatus {
    /// Out of the shop, without a word why.
    pub fn deactivated() -> Self {
        Self { status: WantedStatus::Deactivated, reason: None }
    }
}

/// What a wanted status means for a store as it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transition {
    /// It is that from now on.
    To(StoreStatus),
    /// It is so already: nothing to do.
    Already,
    /// An admin took it out of the shop, and only admins put it back.
    Refused,
}

/// Where a store stands, and by whom where it was taken out of the shop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Standing {
    Draft,
    Published,
    Deactivated(Editor),
}

impl Standing {
    /// Every transition there is.
    fn on(self, wanted: WantedStatus, by: Editor) -> Transition {
        match (wanted, self, by) {
            (WantedStatus::Published, Self::Draft | Self::Deactivated(Editor::Owner), _)
            | (WantedStatus::Published, Self::Deactivated(Editor::Admin), Editor::Admin) => {
                Transition::To(StoreStatus::Published)
            }
            (WantedStatus::Published, Self::Deactivated(Editor::Admin), Editor::Owner) => Transition::Refused,
            // An admin makes it the admins' to lift.
            (WantedStatus::Deactivated, Self::Draft | Self::Published, _)
            | (WantedStatus::Deactivated, Self::Deactivated(Editor::Owner), Editor::Admin) => {
                Transition::To(StoreStatus::Deactivated)
            }
            (WantedStatus::Published, Self::Published, _)
            | (WantedStatus::Deactivated, Self::Deactivated(Editor::Owner), Editor::Owner)
            | (WantedStatus::Deactivated, Self::Deactivated(Editor::Admin), _) => Transition::Already,
        }
    }
}

shared::names!(
    /// One of a store's two pictures.
    pub enum Which {
        /// Beside its name.
        Logo = "logo",
        /// At the top of its page.
        Banner = "banner",
    }
);

shared::body!(
    /// A picture that a store's owner announces.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct NewStorePicture {
        which: Which = "picture",
        file: NewPicture = ..,
    }
);

/// What has a picture: a store, as its logo or its banner. In keys of the buckets it is `{store}.{which}`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PictureOf {
    /// The store.
    pub store: StoreId,
    /// As what.
    pub which: Which,
}

impl fmt::Display for PictureOf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.store, self.which)
    }
}

/// A text that names no picture of a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be the id of a store, a dot, and which of its pictures it is")]
pub struct NoPictureOf;

impl FromStr for PictureOf {
    type Err = NoPictureOf;

    fn from_str(text: &str) -> Result<Self, NoPictureOf> {
        let (store, which) = text.split_once('.').ok_or(NoPictureOf)?;
        let (store, which) = (store.parse().ok(), which.parse().ok());
        store.zip(which).map(|(store, which)| Self { store, which }).ok_or(NoPictureOf)
    }
}

/// A picture as a store's item keeps it: what everyone sees, and what became of the newest upload. It changes by
/// itself, not under the store's version.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Picture {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) image_url: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    images: Option<Images>,
    /// The newest upload that was looked at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) upload_id: Option<UploadId>,
    /// Why that is not the picture.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) rejection: Option<String>,
}

/// The shape in which stores are written.
const SCHEMA_VERSION: u32 = 1;

/// A store as the table keeps it. Its pictures and its stars change by themselves, everything else under its `version`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Store {
    store_id: StoreId,
    owner_id: UserId,
    name: StoreName,
    name_key: NameKey,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    description: Option<Description>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    support_email: Option<Email>,
    status: StoreStatus,
    /// By whom, while it is deactivated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    deactivated_by: Option<Editor>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reason: Option<Reason>,
    /// When it was published for the first time. Before that it had nothing on sale, so that there is nothing to hide.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    first_published_at: Option<Timestamp>,
    #[serde(default)]
    logo: Picture,
    #[serde(default)]
    banner: Picture,
    /// How many reviews of all that it ever sold give how many stars.
    #[serde(flatten)]
    stars: Stars,
    created_at: Timestamp,
    updated_at: Timestamp,
    version: u32,
    schema_version: u32,
}

impl Store {
    /// What `owner` opens at `now`: a draft.
    pub fn new(new: NewStore, owner: &UserId, now: Timestamp) -> Self {
        Self {
            store_id: StoreId::at(now),
            owner_id: owner.clone(),
            name_key: new.name.key(),
            name: new.name,
            description: new.description,
            support_email: new.support_email,
            status: StoreStatus::Draft,
            deactivated_by: None,
            reason: None,
            first_published_at: None,
            logo: Picture::default(),
            banner: Picture::default(),
            stars: Stars::default(),
            created_at: now,
            updated_at: now,
            version: 1,
            schema_version: SCHEMA_VERSION,
        }
    }

    /// Its id.
    pub fn id(&self) -> StoreId {
        self.store_id
    }

    /// What it is called.
    pub fn name(&self) -> &StoreName {
        &self.name
    }

    /// Where it stands.
    pub fn status(&self) -> StoreStatus {
        self.status
    }

    /// How many reviews of all that it ever sold give how many stars.
    pub fn stars(&self) -> Stars {
        self.stars
    }

    /// Counts the changes of all but its pictures and stars, from 1.
    pub fn version(&self) -> u32 {
        self.version
    }

    /// Whether everyone may see it, and order what is in it.
    pub fn is_published(&self) -> bool {
        match self.status {
            StoreStatus::Published => true,
            StoreStatus::Draft | StoreStatus::Deactivated => false,
        }
    }

    /// Whether it has products that people could see, and must not.
    pub fn is_hidden(&self) -> bool {
        self.first_published_at.is_some() && !self.is_published()
    }

    pub(crate) fn picture(&self, which: Which) -> &Picture {
        match which {
            Which::Logo => &self.logo,
            Which::Banner => &self.banner,
        }
    }

    /// As what `caller` may change it.
    ///
    /// # Errors
    /// What is published is known to everyone, so it says that it is another's; of all else nothing is told.
    pub fn editor(&self, caller: &Caller) -> Result<Editor, Error> {
        if caller.is_admin() {
            Ok(Editor::Admin)
        } else if self.owner_id == *caller.id() {
            Ok(Editor::Owner)
        } else if self.is_published() {
            Err(Error::NotYours)
        } else {
            Err(Error::NotFound)
        }
    }

    /// The store in its next version, with what somebody changed at `now`.
    #[must_use]
    pub(crate) fn with_changes(self, changes: &StoreChanges, now: Timestamp) -> Self {
        let StoreChanges { name, description, support_email } = changes.clone();
        let name = name.unwrap_or_else(|| self.name.clone());
        Self {
            name_key: name.key(),
            name,
            description: description.of(self.description.clone()),
            support_email: support_email.of(self.support_email.clone()),
            ..self.changed(now)
        }
    }

    /// The store once its owner has left at `now`: closed, and without a word or picture of theirs; `None` where it is
    /// so already.
    ///
    /// # Errors
    /// When the name that stands for it is none: a mistake in our code.
    pub(crate) fn without_owner(self, now: Timestamp) -> Result<Option<Self>, String> {
        let name = StoreName::new(&format!("Closed {}", self.store_id))?;
        let closed = Self {
            name_key: name.key(),
            name,
            description: None,
            support_email: None,
            status: StoreStatus::Deactivated,
            deactivated_by: Some(self.deactivated_by.unwrap_or(Editor::Owner)),
            reason: None,
            ..self.clone()
        };
        Ok((closed != self).then(|| closed.changed(now)))
    }

    /// Whether it is so already, by a change made at this very moment, which names a request: as by a write whose reply
    /// was lost.
    pub(crate) fn was_changed_by(&self, changes: &StoreChanges, now: Timestamp) -> bool {
        let Self { updated_at, version, .. } = *self;
        let again = Self { updated_at, version, ..self.clone().with_changes(changes, now) };
        updated_at == now && again == *self
    }

    /// The store once somebody has published or deactivated it at `now`; `None` where it is so already.
    ///
    /// # Errors
    /// [`Error::DeactivatedByAdmin`].
    pub fn with_status(self, new: &NewStatus, by: Editor, now: Timestamp) -> Result<Option<Self>, Error> {
        let status = match self.standing().on(new.status, by) {
            Transition::Already => return Ok(None),
            Transition::Refused => return Err(Error::DeactivatedByAdmin { reason: self.reason }),
            Transition::To(status) => status,
        };
        let (deactivated_by, first_published_at) = match status {
            StoreStatus::Published => (None, self.first_published_at.or(Some(now))),
            StoreStatus::Draft | StoreStatus::Deactivated => (Some(by), self.first_published_at),
        };
        let reason = deactivated_by.and_then(|_| new.reason.clone());
        Ok(Some(Self { status, deactivated_by, first_published_at, reason, ..self.changed(now) }))
    }

    fn standing(&self) -> Standing {
        match self.status {
            StoreStatus::Draft => Standing::Draft,
            StoreStatus::Published => Standing::Published,
            StoreStatus::Deactivated => Standing::Deactivated(self.deactivated_by.unwrap_or(Editor::Admin)),
        }
    }

    fn changed(self, now: Timestamp) -> Self {
        Self { updated_at: now.after(self.updated_at), version: self.version + 1, ..self }
    }

    /// Whether it is the same but for its pictures and stars, which change by themselves.
    pub(crate) fn is_the_same_version(&self, other: &Self) -> bool {
        let (logo, banner, stars) = (other.logo.clone(), other.banner.clone(), other.stars);
        Self { logo, banner, stars, ..self.clone() } == *other
    }
}

/// What everyone sees of a store. Who owns it is not in it.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PublicStore {
    id: StoreId,
    name: StoreName,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<Description>,
    #[serde(skip_serializing_if = "Option::is_none")]
    support_email: Option<Email>,
    #[serde(skip_serializing_if = "Option::is_none")]
    logo_url: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    logo_images: Option<Images>,
    #[serde(skip_serializing_if = "Option::is_none")]
    banner_url: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    banner_images: Option<Images>,
    rating: Rating,
    created_at: Timestamp,
}

/// What its owner and the admins see of a store.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct OwnStore {
    #[serde(flatten)]
    public: PublicStore,
    status: StoreStatus,
    #[serde(skip_serializing_if = "Option::is_none")]
    deactivated_by: Option<Editor>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<Reason>,
    #[serde(skip_serializing_if = "Option::is_none")]
    logo_rejection: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    banner_rejection: Option<String>,
    updated_at: Timestamp,
    version: u32,
}

impl From<Store> for PublicStore {
    fn from(store: Store) -> Self {
        Self {
            id: store.store_id,
            name: store.name,
            description: store.description,
            support_email: store.support_email,
            logo_url: store.logo.image_url,
            logo_images: store.logo.images,
            banner_url: store.banner.image_url,
            banner_images: store.banner.images,
            rating: store.stars.rating(),
            created_at: store.created_at,
        }
    }
}

impl From<Store> for OwnStore {
    fn from(mut store: Store) -> Self {
        Self {
            status: store.status,
            deactivated_by: store.deactivated_by,
            reason: store.reason.take(),
            logo_rejection: store.logo.rejection.take(),
            banner_rejection: store.banner.rejection.take(),
            updated_at: store.updated_at,
            version: store.version,
            public: store.into(),
        }
    }
}

/// A page of stores, each as `T` shows it.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct StoreList<T> {
    stores: Vec<T>,
    next_cursor: Option<String>,
}

impl<T: From<Store>> From<Page<Store>> for StoreList<T> {
    fn from(page: Page<Store>) -> Self {
        Self { stores: page.entries.into_iter().map(T::from).collect(), next_cursor: page.next_cursor }
    }
}

/// Where the picture of a store goes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct UploadRequested {
    /// Takes one PUT with the picture and its content type, for 15 minutes.
    pub upload_url: String,
}

/// Why nothing was done.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no such store, or not for the caller.
    #[error("there is no such store")]
    NotFound,
    /// Everyone may see it, but it is somebody else's.
    #[error("the store is somebody else's")]
    NotYours,
    /// The owner's account is disabled, being deleted or gone.
    #[error("the account is closed")]
    AccountClosed,
    /// Another store is called so, as people compare names.
    #[error("another store has this name")]
    NameTaken,
    /// The person has as many as one may have.
    #[error("the person has {MOST_STORES} stores")]
    TooMany,
    /// An admin took it out of the shop, and only admins put it back.
    #[error("an admin deactivated the store")]
    DeactivatedByAdmin {
        /// Why, if that was said.
        reason: Option<Reason>,
    },
    /// The set of hidden stores that it would stand in is full.
    #[error("too many stores are hidden")]
    TooManyHidden,
    /// It is not, or no longer, a version that the request is about.
    #[error("the store is another version")]
    AnotherVersion,
    /// Others changed it again and again at the same time.
    #[error("the store was changed by others at the same time")]
    ChangedMeanwhile,
    /// A call failed.
    #[error(transparent)]
    Failed(#[from] anyhow::Error),
}

const NAME_TAKEN: Kind = Kind::new(StatusCode::CONFLICT, "store-name-taken", "Store name taken");
const TOO_MANY: Kind = Kind::new(StatusCode::CONFLICT, "too-many-stores", "Too many stores");
const TOO_MANY_HIDDEN: Kind =
    Kind::new(StatusCode::CONFLICT, "too-many-hidden-stores", "Too many hidden stores");

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        match error {
            Error::NotFound => Self::not_found("store"),
            Error::NotYours => Self::new(
                FORBIDDEN,
                "This is somebody else's store. Only its owner and the admins may change it.",
            ),
            Error::AccountClosed => users::account_closed(),
            Error::NameTaken => {
                let detail =
                    "Another store has this name, or one that people would take for it. Choose another name.";
                Self::new(NAME_TAKEN, detail)
            }
            Error::TooMany => {
                let detail = format!("You have {MOST_STORES} stores, and nobody may have more.");
                Self::new(TOO_MANY, detail).with("most", MOST_STORES)
            }
            Error::DeactivatedByAdmin { reason } => {
                let why = reason.map_or_else(String::new, |reason| format!(" They said: {reason}"));
                let detail =
                    format!("The shop deactivated this store, and only its admins publish it again.{why}");
                Self::new(FORBIDDEN, detail)
            }
            Error::TooManyHidden => Self::new(
                TOO_MANY_HIDDEN,
                "Too many stores are deactivated for one more to be hidden. Nothing was changed; tell the shop.",
            ),
            Error::AnotherVersion => Self::another_version("store"),
            Error::ChangedMeanwhile => {
                Self::new(CONFLICT, "The store was changed by others at the same time. Please try again.")
            }
            Error::Failed(error) => error.into(),
        }
    }
}

#[cfg(test)]
mod tests;
