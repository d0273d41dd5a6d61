//! `GET /docs` and `GET /openapi.json`: shows the API's contract to people and to programs; changes nothing.

use platform::docs;
use shared::http::problem::Problem;
use shared::http::{self, File, Uri};

#[tokio::main(flavor = "current_thread")]
async fn main() -> shared::Exit {
    http::serve::<()>(http::get("/docs", show).and("/docs/{file}").and("/openapi.json")).await
}

async fn show(uri: Uri) -> Result<File, Problem> {
    docs::file(uri.path()).ok_or_else(|| Problem::not_found("file"))
}
