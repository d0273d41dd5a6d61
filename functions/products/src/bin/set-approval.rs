//! `PUT /products/{id}/approval`: an admin approves a product or rejects it with a reason.
//!
//! Safe to repeat: the same decision again changes nothing but its time.

use products::{Decision, OwnProduct, ProductId, Products};
use shared::caller::Admin;
use shared::http::problem::Problem;
use shared::http::{self, Answer, Input, Now, PathId, State};

#[tokio::main(flavor = "current_thread")]
async fn main() -> shared::Exit {
    http::serve(http::put("/products/{id}/approval", set_approval)).await
}

async fn set_approval(
    State(products): State<Products>,
    _: Admin,
    PathId(id): PathId<ProductId>,
    Now(now): Now,
    Input(decision): Input<Decision>,
) -> Result<Answer<OwnProduct>, Problem> {
    let product = products.change(id, |product| Some(product.decided(&decision, now))).await?;
    Ok(Answer::ok(product.into()))
}
