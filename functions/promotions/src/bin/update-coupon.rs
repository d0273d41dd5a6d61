//! `PUT /coupons/{code}`: an admin replaces what a coupon gives, when, how often and for what.
//!
//! Safe to repeat: what is so already changes nothing.

use promotions::{CouponChanges, CouponCode, CouponView, Coupons};
use shared::caller::Admin;
use shared::http::problem::Problem;
use shared::http::{self, Answer, IfMatch, Input, Now, PathId, State};
use shared::values::money::Currency;

#[tokio::main(flavor = "current_thread")]
async fn main() -> shared::Exit {
    http::serve(http::put("/coupons/{code}", update_coupon).conditional()).await
}

async fn update_coupon(
    State((coupons, currency)): State<(Coupons, Currency)>,
    _: Admin,
    PathId(code): PathId<CouponCode>,
    if_match: IfMatch,
    Now(now): Now,
    Input(changes): Input<CouponChanges>,
) -> Result<Answer<CouponView>, Problem> {
    let change = |coupon: promotions::Coupon| coupon.changed(&changes, currency, now);
    Ok(Answer::ok(coupons.change(&code, &if_match, change).await?.into()))
}
