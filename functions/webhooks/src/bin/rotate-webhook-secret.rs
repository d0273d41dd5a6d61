//! `POST /webhooks/{id}/rotate`: an admin gets another secret for an address; the old one signs on for a while.
//!
//! Repeated, it makes another one, and the one that receivers have signs on.

use shared::http::problem::Problem;
use shared::http::{self, Answer, IfMatch, InputIfAny, Now, PathId, State};
use users::{Admins, CurrentAdmin};
use webhooks::{Endpoint, EndpointId, NewSecret, Rotation, Secret, Webhooks};

#[tokio::main(flavor = "current_thread")]
async fn main() -> shared::Exit {
    http::serve(http::post("/webhooks/{id}/rotate", rotate_webhook_secret).conditional()).await
}

async fn rotate_webhook_secret(
    State((_, webhooks)): State<(Admins, Webhooks)>,
    _: CurrentAdmin,
    PathId(id): PathId<EndpointId>,
    if_match: IfMatch,
    Now(now): Now,
    InputIfAny(rotation): InputIfAny<Rotation>,
) -> Result<Answer<NewSecret>, Problem> {
    let secret = Secret::random();
    let rotate = |endpoint: &Endpoint| Some(endpoint.rotated(rotation, secret, now));
    let rotated = webhooks.change(id, &if_match, rotate).await?;
    Ok(Answer::ok(NewSecret::of(&rotated, now)))
}
