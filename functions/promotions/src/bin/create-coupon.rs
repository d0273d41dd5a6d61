//! `POST /coupons`: an admin makes a coupon.
//!
//! Repeated, it answers that there is a coupon of this code; nothing is made twice.

use promotions::{Coupon, CouponView, Coupons, NewCoupon};
use shared::http::problem::Problem;
use shared::http::{self, Answer, Input, Now, State};
use shared::values::money::Currency;
use users::{Admins, CurrentAdmin};

#[tokio::main(flavor = "current_thread")]
async fn main() -> shared::Exit {
    http::serve(http::post("/coupons", create_coupon)).await
}

async fn create_coupon(
    State((_, coupons, currency)): State<(Admins, Coupons, Currency)>,
    _: CurrentAdmin,
    Now(now): Now,
    Input(new): Input<NewCoupon>,
) -> Result<Answer<CouponView>, Problem> {
    let coupon = Coupon::new(new, currency, now);
    coupons.create(&coupon).await?;
    Ok(Answer::created(coupon.into()))
}
