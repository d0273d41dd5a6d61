//! `POST /webhooks`: an admin names an address that is told what happens, and gets its secret.
//!
//! Repeated, it makes another one.

use shared::http::problem::Problem;
use shared::http::{self, Answer, Input, Now, State};
use users::{Admins, CurrentAdmin};
use webhooks::store::Most;
use webhooks::{Endpoint, EndpointChanges, NewSecret, Secret, Webhooks};

#[tokio::main(flavor = "current_thread")]
async fn main() -> shared::Exit {
    http::serve(http::post("/webhooks", create_webhook)).await
}

async fn create_webhook(
    State((_, webhooks, most)): State<(Admins, Webhooks, Most)>,
    _: CurrentAdmin,
    Now(now): Now,
    Input(new): Input<EndpointChanges>,
) -> Result<Answer<NewSecret>, Problem> {
    let endpoint = Endpoint::new(new, Secret::random(), now);
    webhooks.create(&endpoint, most).await?;
    Ok(Answer::created(NewSecret::of(&endpoint, now)).at(format!("/webhooks/{}", endpoint.id())))
}
