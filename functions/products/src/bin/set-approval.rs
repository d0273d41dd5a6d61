//! `PUT /products/{id}/approval`: an admin approves a product or rejects it with a reason.
//!
//! Safe to repeat: the same decision again changes nothing but its time.

use products::{Decision, OwnProduct, Product, ProductId, Products};
use shared::http::problem::Problem;
use shared::http::{self, Answer, IfMatch, Input, Now, PathId, State};
use users::{Admins, CurrentAdmin};

#[tokio::main(flavor = "current_thread")]
async fn main() -> shared::Exit {
    http::serve(http::put("/products/{id}/approval", set_approval).conditional()).await
}

async fn set_approval(
    State((_, products)): State<(Admins, Products)>,
    CurrentAdmin(admin): CurrentAdmin,
    PathId(id): PathId<ProductId>,
    if_match: IfMatch,
    Now(now): Now,
    Input(decision): Input<Decision>,
) -> Result<Answer<OwnProduct>, Problem> {
    let decide = |product: Product, _| Some(product.decided(&decision, now));
    Ok(Answer::ok(products.change_as(&admin, id, &if_match, decide).await?.into()))
}
