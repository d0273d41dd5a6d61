//! `GET /products`: lists the approved products, of one category or all, newest first; changes nothing.

use products::{Category, ProductList, Products, PublicProduct};
use shared::dynamo::list::{Cursors, PageRequest};
use shared::http::problem::Problem;
use shared::http::{self, Answer, Now, QueryParameter, State};

#[tokio::main(flavor = "current_thread")]
async fn main() -> shared::Exit {
    http::serve(http::get("/products", list_products).and("/approve-products")).await
}

async fn list_products(
    State((products, cursors)): State<(Products, Cursors)>,
    QueryParameter(category): QueryParameter<Category>,
    Now(now): Now,
    page: PageRequest,
) -> Result<Answer<ProductList<PublicProduct>>, Problem> {
    let page = products.list_approved(category.as_ref(), &cursors, &page, now).await?;
    Ok(Answer::page(page).cacheable())
}
