//! `GET /categories`: lists the categories that have their picture, by name; changes nothing.

use categories::{Categories, CategoryList};
use shared::dynamo::list::{Cursors, PageRequest};
use shared::http::problem::Problem;
use shared::http::{self, Answer, State};

#[tokio::main(flavor = "current_thread")]
async fn main() -> shared::Exit {
    http::serve(http::get("/categories", list_categories)).await
}

async fn list_categories(
    State((categories, cursors)): State<(Categories, Cursors)>,
    page: PageRequest,
) -> Result<Answer<CategoryList>, Problem> {
    Ok(Answer::page(categories.list(&cursors, &page).await?).cacheable())
}
