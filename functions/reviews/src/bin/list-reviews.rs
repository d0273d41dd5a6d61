//! `GET /products/{id}/reviews`: shows anyone what is said of a product, and what all of it comes to; changes nothing.

use reviews::reviewing::Reading;
use reviews::{Given, Order, ProductId, ProductReviews};
use shared::dynamo::list::{Cursors, PageRequest};
use shared::http::problem::Problem;
use shared::http::{self, Answer, Now, PathId, QueryParameter, State};

#[tokio::main(flavor = "current_thread")]
async fn main() -> shared::Exit {
    http::serve(http::get("/products/{id}/reviews", list_reviews)).await
}

async fn list_reviews(
    State((reading, cursors)): State<(Reading, Cursors)>,
    PathId(product): PathId<ProductId>,
    QueryParameter(order): QueryParameter<Order>,
    QueryParameter(stars): QueryParameter<Given>,
    page: PageRequest,
    Now(now): Now,
) -> Result<Answer<ProductReviews>, Problem> {
    let wanted = (order.unwrap_or(Order::Newest), stars);
    let (page, all) = reading.list(product, wanted, &cursors, &page, now).await?;
    Ok(Answer::page_with(page, |page| ProductReviews::new(page, all)).cacheable())
}
