//! `GET /webhooks/{id}`: shows an admin an address that is told what happens; changes nothing.

use shared::caller::Admin;
use shared::http::problem::Problem;
use shared::http::{self, Answer, Now, PathId, State};
use webhooks::{EndpointId, EndpointView, Webhooks};

#[tokio::main(flavor = "current_thread")]
async fn main() -> shared::Exit {
    http::serve(http::get("/webhooks/{id}", get_webhook)).await
}

async fn get_webhook(
    State(webhooks): State<Webhooks>,
    _: Admin,
    PathId(id): PathId<EndpointId>,
    Now(now): Now,
) -> Result<Answer<EndpointView>, Problem> {
    let view = EndpointView::of(&webhooks.existing(id).await?, now);
    let version = view.version();
    Ok(Answer::ok(view).version(version))
}
