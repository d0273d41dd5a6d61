//! `PUT /products/{id}/deduct`: its seller or an admin takes pieces that went another way than by an order.
//!
//! Safe to repeat: the same `Idempotency-Key` takes them once.

use products::{Deduction, ProductId, Products, StockLeft};
use shared::guards::{Guards, KeyedRequest};
use shared::http::problem::Problem;
use shared::http::{self, Answer, IdempotencyKey, Input, Now, PathId, State};
use users::{Admins, CurrentCaller};

#[tokio::main(flavor = "current_thread")]
async fn main() -> shared::Exit {
    http::serve(http::put("/products/{id}/deduct", deduct_stock)).await
}

async fn deduct_stock(
    State((_, products, guards)): State<(Admins, Products, Guards)>,
    CurrentCaller(caller): CurrentCaller,
    PathId(id): PathId<ProductId>,
    key: Option<IdempotencyKey>,
    Now(now): Now,
    Input(deduction): Input<Deduction>,
) -> Result<Answer<StockLeft>, Problem> {
    let change = deduction.into();
    let keyed = KeyedRequest::of("deduct-stock", &caller, key.as_ref(), &(id, change))?;
    let changed = products.change_stock(&guards, &caller, id, change, keyed.as_ref(), now).await?;
    Ok(Answer::once(changed.map(Into::into)))
}
