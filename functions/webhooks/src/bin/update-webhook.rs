//! `PUT /webhooks/{id}`: an admin replaces what an address is told, or switches it on or off.
//!
//! Safe to repeat: what is so already changes nothing.

use shared::http::problem::Problem;
use shared::http::{self, Answer, IfMatch, Input, Now, PathId, State};
use users::{Admins, CurrentAdmin};
use webhooks::{Endpoint, EndpointChanges, EndpointId, EndpointView, Webhooks};

#[tokio::main(flavor = "current_thread")]
async fn main() -> shared::Exit {
    http::serve(http::put("/webhooks/{id}", update_webhook).conditional()).await
}

async fn update_webhook(
    State((_, webhooks)): State<(Admins, Webhooks)>,
    _: CurrentAdmin,
    PathId(id): PathId<EndpointId>,
    if_match: IfMatch,
    Now(now): Now,
    Input(changes): Input<EndpointChanges>,
) -> Result<Answer<EndpointView>, Problem> {
    let change = |endpoint: &Endpoint| endpoint.changed(&changes, now);
    let changed = webhooks.change(id, &if_match, change).await?;
    Ok(Answer::ok(EndpointView::of(&changed, now)))
}
