//! `GET /products/pending`: lists the products that wait for an admin; changes nothing.

use products::{OwnProduct, ProductList, Products};
use shared::auth::Admin;
use shared::http::{self, Answer, State};
use shared::page::{Cursors, PageRequest};
use shared::problem::Problem;

#[tokio::main(flavor = "current_thread")]
async fn main() -> shared::Exit {
    http::serve(http::get("/products/pending", list_pending_products)).await
}

async fn list_pending_products(
    State((products, cursors)): State<(Products, Cursors)>,
    _: Admin,
    page: PageRequest,
) -> Result<Answer<ProductList<OwnProduct>>, Problem> {
    Ok(Answer::page(products.list_pending(&cursors, &page).await?))
}
