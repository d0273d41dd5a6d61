//! The pictures at the top of the shop. The rules are here and call nothing; [`store`] keeps them in DynamoDB.

pub mod announcing;
pub mod store;

use std::time::Duration;

use serde::{Deserialize, Serialize};
use shared::dynamo::list::Page;
use shared::media::{FileName, Images, Kind};
use shared::values::time::Timestamp;

pub use announcing::Announcing;
pub use store::Banners;

shared::id!(
    /// Names a banner.
    BannerId
);

/// The pictures of banners.
pub const PICTURES: Kind = Kind::new("banners");

/// A banner is forgotten when its picture has not come for so long. Its upload URL is long past then.
const PATIENCE: Duration = Duration::from_hours(2);

/// A banner that waits for its picture.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct NewBanner {
    id: BannerId,
    file_name: FileName,
    created_at: Timestamp,
    /// In seconds since 1970. Its picture takes it off.
    expires_at: i64,
    schema_version: u32,
}

/// The shape in which banners are written.
const SCHEMA_VERSION: u32 = 1;

impl NewBanner {
    /// What an admin announces at `now`.
    pub fn new(file_name: FileName, now: Timestamp) -> Self {
        let expires_at = (now + PATIENCE).unix_seconds();
        Self { id: BannerId::at(now), file_name, created_at: now, expires_at, schema_version: SCHEMA_VERSION }
    }

    /// Its id.
    pub fn id(&self) -> BannerId {
        self.id
    }
}

/// A banner as everyone sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Banner {
    id: BannerId,
    image_url: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    images: Option<Images>,
}

/// A banner as the admins see it, from the moment it was announced.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AnnouncedBanner {
    id: BannerId,
    file_name: FileName,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    image_url: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    images: Option<Images>,
    /// Why what was uploaded last is not the picture.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    image_rejection: Option<String>,
    created_at: Timestamp,
}

/// A page of banners.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct BannerList {
    banners: Vec<Banner>,
    next_cursor: Option<String>,
}

impl From<Page<Banner>> for BannerList {
    fn from(page: Page<Banner>) -> Self {
        Self { banners: page.entries, next_cursor: page.next_cursor }
    }
}

/// What an admin gets for a new banner: where its picture goes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct UploadRequested {
    /// Takes one PUT with the picture and its content type, for 15 minutes. Seed 002 spells it so.
    #[serde(rename = "uploadURL")]
    pub upload_url: String,
    /// The banner's id.
    pub id: BannerId,
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_banner_waits_two_hours_for_its_picture() {
        let now = Timestamp::from_unix_millis(1_790_000_000_123);
        let banner = serde_json::to_value(NewBanner::new(FileName::new("b.png").unwrap(), now)).unwrap();
        assert_eq!(banner["expiresAt"], 1_790_007_200);
        assert_eq!(banner["createdAt"], "2026-09-21T14:13:20.123Z");
        assert_eq!(banner["fileName"], "b.png");
        assert!(banner.get("imageUrl").is_none() && banner.get("listed").is_none());
    }

    #[test]
    fn the_key_of_the_upload_url_is_that_of_seed_002() {
        let id = BannerId::at(Timestamp::from_unix_millis(0));
        let answer = serde_json::to_value(UploadRequested { upload_url: "u".into(), id }).unwrap();
        assert_eq!(answer, json!({ "uploadURL": "u", "id": id }));
    }
}
