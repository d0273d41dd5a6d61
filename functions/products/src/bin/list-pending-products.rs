//! `GET /products/pending`: lists the products that wait for an admin; changes nothing.

use products::{OwnProduct, ProductList, Products};
use shared::caller::Admin;
use shared::dynamo::list::{Cursors, PageRequest};
use shared::http::problem::Problem;
use shared::http::{self, Answer, State};

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
