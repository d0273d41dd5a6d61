//! `PUT /products/{id}`: its seller or an admin changes name, price, description or category.
//!
//! Safe to repeat: what is so already changes nothing.

use products::{OwnProduct, Product, ProductChanges, ProductId, Products, Reapproval};
use shared::http::problem::Problem;
use shared::http::{self, Answer, IfMatch, Input, Now, PathId, State};
use users::{Admins, CurrentCaller};

#[tokio::main(flavor = "current_thread")]
async fn main() -> shared::Exit {
    http::serve(http::put("/products/{id}", update_product).conditional()).await
}

async fn update_product(
    State((_, products, reapproval)): State<(Admins, Products, Reapproval)>,
    CurrentCaller(caller): CurrentCaller,
    PathId(id): PathId<ProductId>,
    if_match: IfMatch,
    Now(now): Now,
    Input(changes): Input<ProductChanges>,
) -> Result<Answer<OwnProduct>, Problem> {
    let change = |product: Product, editor| product.with_changes(&changes, editor, reapproval, now);
    Ok(Answer::ok(products.change_as(&caller, id, &if_match, change).await?.into()))
}
