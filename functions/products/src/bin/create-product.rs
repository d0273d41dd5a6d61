//! `POST /products`: records a product that waits for its picture and gives the URL to upload it to.
//!
//! Repeated, it records another product; one that never gets its picture is cleaned up after an hour.

use products::{NewProduct, ProductCreated, Selling};
use shared::caller::Caller;
use shared::http::problem::Problem;
use shared::http::{self, Answer, Input, Now, State};
use shared::values::money::Currency;
use users::OpenAccounts;

#[tokio::main(flavor = "current_thread")]
async fn main() -> shared::Exit {
    http::serve(http::post("/products", create_product).and("/get-upload-url")).await
}

async fn create_product(
    State((accounts, selling, currency)): State<(OpenAccounts, Selling, Currency)>,
    caller: Caller,
    Now(now): Now,
    Input(new): Input<NewProduct>,
) -> Result<Answer<ProductCreated>, Problem> {
    // Not as an extractor: what is wrong with the request is told without a call.
    accounts.check(&caller).await?;
    let created = selling.list(&caller, new, currency, now).await?;
    let location = format!("/users/me/products/{}", created.id);
    Ok(Answer::created(created).at(location))
}
