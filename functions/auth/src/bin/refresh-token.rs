//! `POST /refresh-token`: exchanges a refresh token for new access and ID tokens.
//!
//! Safe to repeat: the refresh token stays good, and so do the tokens that it was exchanged for.

use auth::{AppClient, RefreshToken, SignedIn};
use shared::guards::rate_limit::{Address, PasswordLimits};
use shared::http::problem::Problem;
use shared::http::{self, Answer, Input, Now, State};

#[tokio::main(flavor = "current_thread")]
async fn main() -> shared::Exit {
    let routes = http::post("/refresh-token", refresh_token).and("/auth/refresh");
    http::serve(routes).await
}

async fn refresh_token(
    State((limits, app_client)): State<(PasswordLimits, AppClient)>,
    address: Address,
    Now(now): Now,
    Input(session): Input<RefreshToken>,
) -> Result<Answer<SignedIn>, Problem> {
    limits.count("refresh-token", address, session.refresh_token.as_str(), now).await?;
    let tokens = app_client.refresh(&session.refresh_token).await?;
    Ok(Answer::ok(SignedIn { msg: "Tokens refreshed.", tokens }))
}
