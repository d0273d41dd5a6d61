//! `GET /users/me/products`: lists the caller's own products, newest first; changes nothing.

use products::{OwnProduct, ProductList, Products};
use shared::caller::Caller;
use shared::dynamo::list::{Cursors, PageRequest};
use shared::http::problem::Problem;
use shared::http::{self, Answer, State};

#[tokio::main(flavor = "current_thread")]
async fn main() -> shared::Exit {
    http::serve(http::get("/users/me/products", list_my_products)).await
}

async fn list_my_products(
    State((products, cursors)): State<(Products, Cursors)>,
    caller: Caller,
    page: PageRequest,
) -> Result<Answer<ProductList<OwnProduct>>, Problem> {
    Ok(Answer::page(products.list_of(caller.id(), &cursors, &page).await?))
}
