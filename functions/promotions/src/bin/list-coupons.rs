//! `GET /coupons`: lists all coupons to an admin, newest first; changes nothing.

use promotions::{CouponList, Coupons};
use shared::caller::Admin;
use shared::dynamo::list::{Cursors, PageRequest};
use shared::http::problem::Problem;
use shared::http::{self, Answer, State};

#[tokio::main(flavor = "current_thread")]
async fn main() -> shared::Exit {
    http::serve(http::get("/coupons", list_coupons)).await
}

async fn list_coupons(
    State((coupons, cursors)): State<(Coupons, Cursors)>,
    _: Admin,
    page: PageRequest,
) -> Result<Answer<CouponList>, Problem> {
    Ok(Answer::page(coupons.list(&cursors, &page).await?))
}
