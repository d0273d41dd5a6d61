//! `PUT /coupons/{code}`: an admin replaces what a coupon gives, when, how often and for what.
//!
//! Safe to repeat: what is so already changes nothing.

use promotions::{CouponChanges, CouponCode, CouponView, Coupons};
use shared::http::problem::Problem;
use shared::http::{self, Answer, IfMatch, Input, Now, PathId, State};
use shared::values::money::Currency;
use users::{Admins, CurrentAdmin};

#[tokio::main(flavor = "current_thread")]
async fn main() -> shared::Exit {
    http::serve(http::put("/coupons/{code}", update_coupon).conditional()).await
}

async fn update_coupon(
    State((_, coupons, currency)): State<(Admins, Coupons, Currency)>,
    _: CurrentAdmin,
    PathId(code): PathId<CouponCode>,
    if_match: IfMatch,
    Now(now): Now,
    Input(changes): Input<CouponChanges>,
) -> Result<Answer<CouponView>, Problem> {
    let change = |coupon: promotions::Coupon| coupon.changed(&changes, currency, now);
    Ok(Answer::ok(coupons.change(&code, &if_match, change).await?.into()))
}
