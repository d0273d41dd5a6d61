//! Tables of things that everyone sees as soon as they have their picture.
//!
//! Their items have these attributes, besides those of their own:
//!
//! | attribute | |
//! | --- | --- |
//! | `listed` | "listed" once there is a picture: the partition of the sparse index `listed` |
//! | `imageUrl`, `images` | the picture, and its renditions if there are any |
//! | `imageUploadId` | the newest upload that was looked at |
//! | `imageRejection` | why that is not the picture |
//! | `updatedAt` | when it was looked at |

use anyhow::Context;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue, Update};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::dynamo::list::{Cursors, List, Page, PageRequest, Sort};
use crate::dynamo::{Written, from_item, text, to_item, unless_condition_failed, update_item};
use crate::http::problem::Problem;
use crate::media::{Media, Placed, Published, Standing, UploadId};
use crate::values::time::Timestamp;

/// The one list: the index's name, its partition key's attribute and that attribute's value.
const LISTED: &str = "listed";

/// What an item says of its picture.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Seen {
    image_url: Option<String>,
    image_upload_id: Option<UploadId>,
    image_rejection: Option<String>,
}

impl Seen {
    fn standing(self, upload: UploadId) -> Standing {
        let may_follow = upload.may_follow(self.image_upload_id, self.image_rejection.is_some());
        if may_follow { Standing::Awaits } else { self.settled() }
    }

    /// The same for an upload that was settled just now, which another file may still follow if it was refused.
    fn settled(self) -> Standing {
        let Some(newest) = self.image_upload_id else { return Standing::Awaits };
        Standing::Settled { upto: newest.settles(self.image_rejection.is_some()), keeps: self.image_url }
    }
}

/// Such a table.
#[derive(Debug, Clone)]
pub struct Table {
    client: Client,
    name: String,
    key: &'static str,
    sort: Sort,
    waiting: &'static str,
}

impl Table {
    /// The table `name` with the key `key`, whose list is sorted by `sort`, and whose items have the attribute
    /// `waiting` until there is a picture.
    pub fn new(client: Client, name: String, key: &'static str, sort: Sort, waiting: &'static str) -> Self {
        Self { client, name, key, sort, waiting }
    }

    /// Records a thing that waits for its picture, in place of one that waits for longer, but never of one that has its
    /// picture. Safe to repeat.
    ///
    /// # Errors
    /// When the table cannot be written.
    pub async fn record(&self, thing: &impl Serialize) -> anyhow::Result<()> {
        let put = self
            .client
            .put_item()
            .table_name(&self.name)
            .set_item(Some(to_item(thing)?))
            .condition_expression("attribute_not_exists(imageUrl)");
        unless_condition_failed(put.send().await).map(drop).context("record a thing")
    }

    /// A page of what has its picture. One query.
    ///
    /// # Errors
    /// `invalid-input` for a cursor of another list.
    pub async fn list<T: DeserializeOwned>(
        &self,
        cursors: &Cursors,
        request: &PageRequest,
    ) -> Result<Page<T>, Problem> {
        let list = List { index: Some(LISTED), partition: LISTED, sort: self.sort, key: self.key };
        cursors.page(&self.client, &self.name, list, LISTED, request).await
    }

    /// The thing, with its picture or without. One consistent read.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn find<T: DeserializeOwned>(&self, id: &impl ToString) -> anyhow::Result<Option<T>> {
        let get = self.client.get_item().table_name(&self.name).key(self.key, text(id));
        let found = get.consistent_read(true).send().await.context("read a thing")?;
        found.item.map(from_item).transpose()
    }

    /// How such a thing stands to an upload. One consistent read.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn standing(&self, id: &impl ToString, upload: UploadId) -> anyhow::Result<Standing> {
        let get = self.client.get_item().table_name(&self.name).key(self.key, text(id));
        let get = get
            .projection_expression("#key, imageUrl, imageUploadId, imageRejection")
            .expression_attribute_names("#key", self.key);
        let found = get.consistent_read(true).send().await.context("look for a thing")?;
        let Some(item) = found.item else { return Ok(Standing::NoThing) };
        Ok(from_item::<Seen>(item)?.standing(upload))
    }

    /// Sets what became of an upload if the thing still awaits it; a picture puts it on the list. Gives how it stands
    /// to it then. Safe to repeat.
    ///
    /// # Errors
    /// When the table cannot be written.
    pub async fn settle(
        &self,
        media: &Media,
        id: &impl ToString,
        upload: UploadId,
        picture: Result<Placed, &'static str>,
        now: Timestamp,
    ) -> anyhow::Result<Standing> {
        // As `UploadId::may_follow` has it.
        const STILL_AWAITS: &str = "attribute_exists(#key) AND (attribute_not_exists(imageUploadId) \
             OR imageUploadId < :upload OR (imageUploadId = :upload AND attribute_exists(imageRejection)))";
        let update = Update::builder()
            .table_name(&self.name)
            .key(self.key, text(id))
            .condition_expression(STILL_AWAITS)
            .expression_attribute_names("#key", self.key)
            .expression_attribute_values(":upload", text(&upload))
            .expression_attribute_values(":now", text(&now));
        let update = match picture.map(|placed| media.published(&placed)) {
            Ok(Published { image_url, images }) => {
                const SET: &str =
                    "SET imageUrl = :url, listed = :listed, imageUploadId = :upload, updatedAt = :now";
                let update = update
                    .expression_attribute_names("#waiting", self.waiting)
                    .expression_attribute_values(":url", text(&image_url))
                    .expression_attribute_values(":listed", text(LISTED));
                match images {
                    Some(images) => update
                        .update_expression(format!("{SET}, images = :images REMOVE #waiting, imageRejection"))
                        .expression_attribute_values(":images", AttributeValue::M(to_item(&images)?)),
                    None => {
                        update.update_expression(format!("{SET} REMOVE #waiting, imageRejection, images"))
                    }
                }
            }
            Err(reason) => update
                .update_expression("SET imageRejection = :reason, imageUploadId = :upload, updatedAt = :now")
                .expression_attribute_values(":reason", text(reason)),
        };
        let update = update.build().context("set the picture of a thing")?;
        let (Written::Done(item) | Written::Refused(item)) =
            update_item(&self.client, update, ReturnValue::AllNew)
                .await
                .context("set the picture of a thing")?;
        if item.is_empty() {
            return Ok(Standing::NoThing);
        }
        Ok(from_item::<Seen>(item)?.settled())
    }

    /// Deletes a thing, and gives whether there was one.
    ///
    /// # Errors
    /// When the table cannot be written.
    pub async fn delete(&self, id: &impl ToString) -> anyhow::Result<bool> {
        let delete = self
            .client
            .delete_item()
            .table_name(&self.name)
            .key(self.key, text(id))
            .condition_expression("attribute_exists(#key)")
            .expression_attribute_names("#key", self.key);
        Ok(unless_condition_failed(delete.send().await).context("delete a thing")?.is_some())
    }
}
