//! `GET /shipping-methods`: lists what some items can be sent by to a country, and for how much; changes nothing.

use settings::{Settings, ShippingMethods};
use shared::http::problem::Problem;
use shared::http::{self, Answer, QueryParameter, State};
use shared::values::country::Country;
use shared::values::money::{Currency, Sum};

#[tokio::main(flavor = "current_thread")]
async fn main() -> shared::Exit {
    http::serve(http::get("/shipping-methods", list_shipping_methods)).await
}

async fn list_shipping_methods(
    State((settings, currency)): State<(Settings, Currency)>,
    country: QueryParameter<Country>,
    QueryParameter(total): QueryParameter<Sum>,
) -> Result<Answer<ShippingMethods>, Problem> {
    let methods = settings.offered(country.required()?, total).await?;
    Ok(Answer::ok(ShippingMethods::new(currency, methods)).cacheable())
}
