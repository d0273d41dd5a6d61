//! `POST /unsubscribe`: stops the emails that the link of an email is about, for whoever has the link.
//!
//! Safe to repeat: it writes the same again.

use accounts::unsubscribing::page;
use shared::http::problem::Problem;
use shared::http::{self, Html, QueryParameter, State};
use users::{UnsubscribeToken, Unsubscribing};

#[tokio::main(flavor = "current_thread")]
async fn main() -> shared::Exit {
    http::serve(http::post("/unsubscribe", unsubscribe)).await
}

async fn unsubscribe(
    State(unsubscribing): State<Unsubscribing>,
    token: QueryParameter<UnsubscribeToken>,
) -> Result<Html, Problem> {
    Ok(page(&unsubscribing.stop(&token.required()?).await?)?)
}
