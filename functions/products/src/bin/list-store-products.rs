//! `GET /stores/{id}/products`: lists what a published store has for sale, newest first; changes nothing.

use products::{ProductList, Products, PublicProduct};
use shared::dynamo::list::{Cursors, PageRequest};
use shared::http::problem::Problem;
use shared::http::{self, Answer, PathId, State};
use stores::StoreId;

#[tokio::main(flavor = "current_thread")]
async fn main() -> shared::Exit {
    http::serve(http::get("/stores/{id}/products", list_store_products)).await
}

async fn list_store_products(
    State((products, cursors)): State<(Products, Cursors)>,
    PathId(id): PathId<StoreId>,
    page: PageRequest,
) -> Result<Answer<ProductList<PublicProduct>>, Problem> {
    Ok(Answer::page(products.list_in_store(id, &cursors, &page).await?).cacheable())
}
