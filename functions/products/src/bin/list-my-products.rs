//! `GET /users/me/products`: lists the caller's own products, newest first; changes nothing.

use products::{Looking, OwnProduct, ProductList};
use shared::caller::Caller;
use shared::dynamo::list::{Cursors, PageRequest};
use shared::http::problem::Problem;
use shared::http::{self, Answer, Now, State};

#[tokio::main(flavor = "current_thread")]
async fn main() -> shared::Exit {
    http::serve(http::get("/users/me/products", list_my_products)).await
}

async fn list_my_products(
    State((looking, cursors)): State<(Looking, Cursors)>,
    caller: Caller,
    Now(now): Now,
    page: PageRequest,
) -> Result<Answer<ProductList<OwnProduct>>, Problem> {
    Ok(Answer::page(looking.at_all_of(&caller, &cursors, &page, now).await?))
}
