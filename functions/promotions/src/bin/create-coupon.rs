//! `POST /coupons`: an admin makes a coupon.
//!
//! Repeated, it answers that there is a coupon of this code; nothing is made twice.

use promotions::{Coupon, CouponView, Coupons, NewCoupon};
use shared::caller::Admin;
use shared::http::problem::Problem;
use shared::http::{self, Answer, Input, Now, State};
use shared::values::money::Currency;

#[tokio::main(flavor = "current_thread")]
async fn main() -> shared::Exit {
    http::serve(http::post("/coupons", create_coupon)).await
}

async fn create_coupon(
    State((coupons, currency)): State<(Coupons, Currency)>,
    _: Admin,
    Now(now): Now,
    Input(new): Input<NewCoupon>,
) -> Result<Answer<CouponView>, Problem> {
    let coupon = Coupon::new(new, currency, now);
    coupons.create(&coupon).await?;
    Ok(Answer::created(coupon.into()))
}
