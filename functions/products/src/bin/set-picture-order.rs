//! `PUT /products/{id}/pictures`: its seller or an admin sets the order of a product's pictures.
//!
//! Safe to repeat: the order that they have already changes nothing.

use products::{OwnProduct, PictureOrder, Product, ProductId, Products};
use shared::http::problem::Problem;
use shared::http::{self, Answer, IfMatch, Input, Now, PathId, State};
use users::{Admins, CurrentCaller};

#[tokio::main(flavor = "current_thread")]
async fn main() -> shared::Exit {
    http::serve(http::put("/products/{id}/pictures", set_picture_order).conditional()).await
}

async fn set_picture_order(
    State((_, products)): State<(Admins, Products)>,
    CurrentCaller(caller): CurrentCaller,
    PathId(id): PathId<ProductId>,
    if_match: IfMatch,
    Now(now): Now,
    Input(order): Input<PictureOrder>,
) -> Result<Answer<OwnProduct>, Problem> {
    let rule = |product: Product, _| product.in_order(&order, now);
    let changed = products.change_pictures(&caller, id, &if_match, rule).await?;
    Ok(Answer::ok(OwnProduct::with_pictures(changed)))
}
