//! `DELETE /products/{id}/pictures/{pictureId}`: its seller or an admin takes one of several pictures off a product.
//!
//! Safe to repeat: then there is no such picture.

use products::gallery::PictureOf;
use products::{PictureId, ProductId, Products, selling};
use shared::http::problem::Problem;
use shared::http::{self, IfMatch, NoContent, Now, PathIds, State};
use shared::media::Media;
use users::{Admins, CurrentCaller};

#[tokio::main(flavor = "current_thread")]
async fn main() -> shared::Exit {
    http::serve(http::delete("/products/{id}/pictures/{pictureId}", delete_product_picture).conditional())
        .await
}

async fn delete_product_picture(
    State((_, products, media)): State<(Admins, Products, Media)>,
    CurrentCaller(caller): CurrentCaller,
    PathIds(product, picture): PathIds<ProductId, PictureId>,
    if_match: IfMatch,
    Now(now): Now,
) -> Result<NoContent, Problem> {
    let id = PictureOf { product, picture };
    selling::delete_picture(&products, &media, &caller, id, &if_match, now).await?;
    Ok(NoContent)
}
