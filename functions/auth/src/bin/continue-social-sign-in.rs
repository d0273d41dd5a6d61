//! `GET /auth/callback`: sends a browser that comes back from Cognito on to the shop, with a one-time code or a reason.
//!
//! Once: repeated, the browser is sent to the shop with the reason that the sign-in is over.

use auth::{CameBack, SocialSignIn};
use shared::guards::rate_limit::{Address, PasswordLimits};
use shared::http::problem::Problem;
use shared::http::{self, Now, Redirect, State};

#[tokio::main(flavor = "current_thread")]
async fn main() -> shared::Exit {
    http::serve(http::get("/auth/callback", continue_social_sign_in)).await
}

async fn continue_social_sign_in(
    State((limits, social)): State<(PasswordLimits, SocialSignIn)>,
    address: Address,
    Now(now): Now,
    back: CameBack,
) -> Result<Redirect, Problem> {
    limits.count_address("continue-social-sign-in", address, now).await?;
    Ok(social.go_on(back, now).await?)
}
