//! `DELETE /coupons/{code}`: an admin ends a coupon, which stays on the list.
//!
//! Safe to repeat: what is over changes no more.

use promotions::{CouponCode, Coupons};
use shared::http::problem::Problem;
use shared::http::{self, IfMatch, NoContent, Now, PathId, State};
use users::{Admins, CurrentAdmin};

#[tokio::main(flavor = "current_thread")]
async fn main() -> shared::Exit {
    http::serve(http::delete("/coupons/{code}", delete_coupon).conditional()).await
}

async fn delete_coupon(
    State((_, coupons)): State<(Admins, Coupons)>,
    _: CurrentAdmin,
    PathId(code): PathId<CouponCode>,
    if_match: IfMatch,
    Now(now): Now,
) -> Result<NoContent, Problem> {
    coupons.change(&code, &if_match, |coupon| coupon.ended(now)).await?;
    Ok(NoContent)
}
