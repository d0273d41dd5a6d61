//! `PUT /products/{id}/stock`: its seller or an admin sets how many pieces there are, or adds some.
//!
//! Safe to repeat: the same `Idempotency-Key` adds once.

use products::{OwnProduct, ProductId, Products, StockChange};
use shared::guards::{Guards, KeyedRequest};
use shared::http::problem::Problem;
use shared::http::{self, Answer, IdempotencyKey, Input, Now, PathId, State};
use users::{Admins, CurrentCaller};

#[tokio::main(flavor = "current_thread")]
async fn main() -> shared::Exit {
    http::serve(http::put("/products/{id}/stock", set_stock)).await
}

async fn set_stock(
    State((_, products, guards)): State<(Admins, Products, Guards)>,
    CurrentCaller(caller): CurrentCaller,
    PathId(id): PathId<ProductId>,
    key: Option<IdempotencyKey>,
    Now(now): Now,
    Input(change): Input<StockChange>,
) -> Result<Answer<OwnProduct>, Problem> {
    let keyed = KeyedRequest::of("set-stock", &caller, key.as_ref(), &(id, change))?;
    let changed = products.change_stock(&guards, &caller, id, change, keyed.as_ref(), now).await?;
    Ok(Answer::once(changed.map(Into::into)))
}
