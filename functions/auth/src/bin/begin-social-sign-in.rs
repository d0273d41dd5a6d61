//! `GET /auth/{provider}`: sends a browser to sign in with an account at another company.
//!
//! Repeated, it begins another sign-in; the one that a browser began last counts.

use auth::{PageChallenge, Provider, ReturnPath, SocialSignIn};
use shared::guards::rate_limit::{Address, PasswordLimits};
use shared::http::problem::Problem;
use shared::http::{self, Now, PathId, QueryParameter, Redirect, State};

#[tokio::main(flavor = "current_thread")]
async fn main() -> shared::Exit {
    http::serve(http::get("/auth/{provider}", begin_social_sign_in)).await
}

async fn begin_social_sign_in(
    State((limits, social)): State<(PasswordLimits, SocialSignIn)>,
    PathId(provider): PathId<Provider>,
    challenge: QueryParameter<PageChallenge>,
    QueryParameter(return_to): QueryParameter<ReturnPath>,
    address: Address,
    Now(now): Now,
) -> Result<Redirect, Problem> {
    limits.count_address("begin-social-sign-in", address, now).await?;
    social.begin(provider, challenge.required()?, return_to.as_ref(), now).await
}
