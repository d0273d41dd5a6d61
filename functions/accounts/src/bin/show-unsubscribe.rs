//! `GET /unsubscribe`: shows whoever opens the link of an email which emails it would stop; changes nothing.

use accounts::unsubscribing::page;
use shared::http::problem::Problem;
use shared::http::{self, Html, QueryParameter, State};
use users::{UnsubscribeToken, Unsubscribing};

#[tokio::main(flavor = "current_thread")]
async fn main() -> shared::Exit {
    http::serve(http::get("/unsubscribe", show_unsubscribe)).await
}

async fn show_unsubscribe(
    State(unsubscribing): State<Unsubscribing>,
    token: QueryParameter<UnsubscribeToken>,
) -> Result<Html, Problem> {
    Ok(page(&unsubscribing.look(&token.required()?).await?)?)
}
