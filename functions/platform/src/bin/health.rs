//! `GET /health`: says that this stage answers, and of which version it is; changes nothing.

use platform::{Deployment, Health};
use shared::http::{self, Answer, State};

#[tokio::main(flavor = "current_thread")]
async fn main() -> shared::Exit {
    http::serve(http::get("/health", health)).await
}

async fn health(State(deployment): State<Deployment>) -> Answer<Health> {
    Answer::ok(deployment.health())
}
