//! `GET /shop`, `GET /admin` and what is below: shows the shop and its admin as pages; changes nothing.

use pages::Pages;
use shared::http::problem::Problem;
use shared::http::{self, Now, Served, State, Uri};

#[tokio::main(flavor = "current_thread")]
async fn main() -> shared::Exit {
    let routes = http::get("/shop", show).and("/shop/{*path}").and("/admin");
    http::serve(routes.and("/robots.txt").and("/sitemap.xml")).await
}

async fn show(State(pages): State<Pages>, uri: Uri, Now(now): Now) -> Result<Served, Problem> {
    pages.at(uri.path(), now).await
}
