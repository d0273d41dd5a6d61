//! `DELETE /categories/{name}`: an admin takes a category and its pictures out of the shop; its products stay.
//!
//! Safe to repeat: then there is no such category, and what was left of its pictures goes.

use categories::{Categories, CategoryName, PICTURES};
use shared::http::problem::Problem;
use shared::http::{self, NoContent, PathId, State};
use shared::media::Media;
use users::{Admins, CurrentAdmin};

#[tokio::main(flavor = "current_thread")]
async fn main() -> shared::Exit {
    http::serve(http::delete("/categories/{name}", delete_category)).await
}

async fn delete_category(
    State((_, categories, media)): State<(Admins, Categories, Media)>,
    _: CurrentAdmin,
    PathId(name): PathId<CategoryName>,
) -> Result<NoContent, Problem> {
    let deleted = categories.delete(&name).await?;
    media.withdraw(PICTURES, name.key()).await?;
    if deleted { Ok(NoContent) } else { Err(Problem::not_found("category")) }
}
