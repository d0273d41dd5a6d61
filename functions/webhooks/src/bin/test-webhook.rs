//! `POST /webhooks/{id}/test`: an admin has an address told a test, and sees what came of it.
//!
//! Repeated, it sends another one.

use shared::http::problem::Problem;
use shared::http::{self, Answer, Now, PathId, State};
use users::{Admins, CurrentAdmin};
use webhooks::sending::Testing;
use webhooks::{DeliveryView, EndpointId};

#[tokio::main(flavor = "current_thread")]
async fn main() -> shared::Exit {
    http::serve(http::post("/webhooks/{id}/test", test_webhook)).await
}

async fn test_webhook(
    State((_, testing)): State<(Admins, Testing)>,
    _: CurrentAdmin,
    PathId(id): PathId<EndpointId>,
    Now(now): Now,
) -> Result<Answer<DeliveryView>, Problem> {
    Ok(Answer::ok(testing.test(id, now).await?))
}
