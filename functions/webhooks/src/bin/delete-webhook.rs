//! `DELETE /webhooks/{id}`: an admin has an address told nothing more, and what is on its way to it stopped.
//!
//! Safe to repeat: what is gone answers 404.

use shared::http::problem::Problem;
use shared::http::{self, IfMatch, NoContent, PathId, State};
use users::{Admins, CurrentAdmin};
use webhooks::{EndpointId, Webhooks};

#[tokio::main(flavor = "current_thread")]
async fn main() -> shared::Exit {
    http::serve(http::delete("/webhooks/{id}", delete_webhook).conditional()).await
}

async fn delete_webhook(
    State((_, webhooks)): State<(Admins, Webhooks)>,
    _: CurrentAdmin,
    PathId(id): PathId<EndpointId>,
    if_match: IfMatch,
) -> Result<NoContent, Problem> {
    webhooks.delete(id, &if_match).await?;
    Ok(NoContent)
}
