//! `PUT /products/{id}/deduct`: its seller or an admin takes pieces that went another way than by an order.
//!
//! Safe to repeat: the same `Idempotency-Key` takes them once.

use products::{Deduction, ProductId, Products, StockLeft};
use shared::caller::Caller;
use shared::http::problem::Problem;
use shared::http::{self, Answer, IdempotencyKey, Input, Now, PathId, State};

#[tokio::main(flavor = "current_thread")]
async fn main() -> shared::Exit {
    http::serve(http::put("/products/{id}/deduct", deduct_stock)).await
}

async fn deduct_stock(
    State(products): State<Products>,
    caller: Caller,
    PathId(id): PathId<ProductId>,
    key: Option<IdempotencyKey>,
    Now(now): Now,
    Input(deduction): Input<Deduction>,
) -> Result<Answer<StockLeft>, Problem> {
    let changed = products.deduct(&caller, id, deduction, key.as_ref(), now).await?;
    Ok(Answer::ok(changed.product.into()).replayed(changed.replayed))
}
