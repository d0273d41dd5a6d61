//! `POST /products`: records a product that waits for its picture and gives the URL to upload it to.
//!
//! Repeated, it records another product; one that never gets its picture is cleaned up after an hour.

use products::pictures::PICTURES;
use products::{NewProduct, Product, ProductCreated, Products};
use shared::caller::Caller;
use shared::guards::rate_limit::PersonLimit;
use shared::http::problem::Problem;
use shared::http::{self, Answer, Input, Now, State};
use shared::media::{Media, Upload};
use shared::values::money::Currency;

#[tokio::main(flavor = "current_thread")]
async fn main() -> shared::Exit {
    http::serve(http::post("/products", create_product).and("/get-upload-url")).await
}

async fn create_product(
    State((limit, products, media, currency)): State<(PersonLimit, Products, Media, Currency)>,
    caller: Caller,
    Now(now): Now,
    Input(new): Input<NewProduct>,
) -> Result<Answer<ProductCreated>, Problem> {
    limit.count("create-product", caller.id(), now).await?;
    let (file_name, file_type, file_size) = (new.file_name.clone(), new.file_type, new.file_size);
    let product = Product::new(new, &caller, currency, now);
    let upload = Upload::new(PICTURES, product.id(), &file_name, now);
    let upload_url = media.presign(&upload, file_type, file_size).await?;
    products.create(&product).await?;
    let location = format!("/products/{}", product.id());
    Ok(Answer::created(ProductCreated { upload_url, id: product.id() }).at(location))
}
