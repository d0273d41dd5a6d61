//! `PUT /products/{id}/approval`: an admin approves a product or rejects it with a reason.
//!
//! It is about the version that was looked at. Safe to repeat: the same decision again changes nothing but its time.

use products::{Approvals, Decision, OwnProduct, ProductId};
use shared::http::problem::Problem;
use shared::http::{self, Answer, IfMatch, Input, Now, PathId, State};
use users::{Admins, CurrentAdmin};

#[tokio::main(flavor = "current_thread")]
async fn main() -> shared::Exit {
    http::serve(http::put("/products/{id}/approval", set_approval).conditional()).await
}

async fn set_approval(
    State((_, approvals)): State<(Admins, Approvals)>,
    _: CurrentAdmin,
    PathId(id): PathId<ProductId>,
    if_match: IfMatch,
    Now(now): Now,
    Input(decision): Input<Decision>,
) -> Result<Answer<OwnProduct>, Problem> {
    Ok(Answer::ok(approvals.decide(id, &if_match, &decision, now).await?.into()))
}
