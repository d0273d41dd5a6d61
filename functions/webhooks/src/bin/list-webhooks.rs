//! `GET /webhooks`: lists to an admin which addresses are told what happens; changes nothing.

use shared::caller::Admin;
use shared::http::problem::Problem;
use shared::http::{self, Answer, Now, State};
use webhooks::{EndpointList, Webhooks};

#[tokio::main(flavor = "current_thread")]
async fn main() -> shared::Exit {
    http::serve(http::get("/webhooks", list_webhooks)).await
}

async fn list_webhooks(
    State(webhooks): State<Webhooks>,
    _: Admin,
    Now(now): Now,
) -> Result<Answer<EndpointList>, Problem> {
    Ok(Answer::ok(EndpointList::of(&webhooks.endpoints().await?, now)))
}
