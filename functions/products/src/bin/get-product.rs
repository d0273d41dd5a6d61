//! `GET /products/{id}`: shows one approved product to anyone; changes nothing.

use products::{ProductId, Products, PublicPage};
use shared::http::problem::Problem;
use shared::http::{self, Answer, Now, PathId, State};

#[tokio::main(flavor = "current_thread")]
async fn main() -> shared::Exit {
    http::serve(http::get("/products/{id}", get_product)).await
}

async fn get_product(
    State(products): State<Products>,
    PathId(id): PathId<ProductId>,
    Now(now): Now,
) -> Result<Answer<PublicPage>, Problem> {
    let found = products.for_sale(id, now).await?;
    let version = found.product.version();
    Ok(Answer::ok(found.into()).version(version).cacheable())
}
