//! `GET /products/pending`: lists the products that wait for an admin; changes nothing.

use products::{Looking, OwnProduct, ProductList};
use shared::caller::Admin;
use shared::dynamo::list::{Cursors, PageRequest};
use shared::http::problem::Problem;
use shared::http::{self, Answer, Now, State};

#[tokio::main(flavor = "current_thread")]
async fn main() -> shared::Exit {
    http::serve(http::get("/products/pending", list_pending_products)).await
}

async fn list_pending_products(
    State((looking, cursors)): State<(Looking, Cursors)>,
    _: Admin,
    Now(now): Now,
    page: PageRequest,
) -> Result<Answer<ProductList<OwnProduct>>, Problem> {
    Ok(Answer::page(looking.at_pending(&cursors, &page, now).await?))
}
