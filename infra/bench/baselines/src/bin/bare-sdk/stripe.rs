//! Stripe, by the HTTP client that the SDK brings, which is also the functions': forms of the same fields.

use std::fmt::Write as _;
use std::sync::OnceLock;
use std::time::Duration;

use aws_smithy_http_client::Connector;
use aws_smithy_runtime_api::client::http::{HttpConnector, HttpConnectorSettings};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use http_body_util::BodyExt;
use lambda_runtime::Error;

use super::parts::ID;

/// The connection is made for the first call, as the functions do it.
#[derive(Default)]
pub(crate) struct Stripe(OnceLock<Connector>);

impl Stripe {
    /// Has a session made for so many lines.
    pub(crate) async fn make_session(&self, lines: u32) -> Result<(), Error> {
        self.post("/v1/checkout/sessions", session(lines)).await
    }

    /// Has a note written to a PaymentIntent.
    pub(crate) async fn note_sent_mail(&self) -> Result<(), Error> {
        let path = format!("/v1/payment_intents/pi_{ID}");
        self.post(&path, "metadata%5BalreadySentMail%5D=true".into()).await
    }

    async fn post(&self, path: &str, form: String) -> Result<(), Error> {
        let mut request = HttpRequest::new(form.into());
        request.set_method("POST")?;
        request.set_uri(format!("{}{path}", std::env::var("STRIPE_URL")?))?;
        for (name, value) in [
            ("authorization", "Bearer rk_live_bench"),
            ("stripe-version", "2026-09-30.endive"),
            ("idempotency-key", "pay-01a1fbbc-f7cc-71a0-aa66-431f703e44ea"),
            ("content-type", "application/x-www-form-urlencoded"),
        ] {
            request.headers_mut().try_insert(name, value)?;
        }
        let limits = HttpConnectorSettings::builder().connect_timeout(Duration::from_secs(2)).build();
        let connector = || Connector::builder().connector_settings(limits).build_http();
        let answer = self.0.get_or_init(connector).call(request).await?;
        answer.into_body().collect().await?;
        Ok(())
    }
}

/// As the form that asks for a session: four fields a line.
fn session(lines: u32) -> String {
    let page = format!("https%3A%2F%2Fshop.cartwright.test%2Forders%2F{ID}%3Fpayment%3D{ID}");
    let mut form = format!(
        "mode=payment&locale=auto&submit_type=pay&client_reference_id={ID}&adaptive_pricing%5Benabled%5D=false\
         &expires_at=1795262400&success_url={page}&cancel_url={page}%26cancelled%3D1"
    );
    for of in ["metadata%5B", "payment_intent_data%5Bmetadata%5D%5B"] {
        let _ = write!(form, "&{of}order_id%5D={ID}&{of}payment_id%5D={ID}&{of}shop%5D=bench");
    }
    for n in 0..lines {
        let line = format!("line_items%5B{n}%5D%5B");
        let price = format!("{line}price_data%5D%5B");
        let _ = write!(
            form,
            "&{line}quantity%5D=1&{price}currency%5D=usd&{price}unit_amount%5D=1450\
             &{price}product_data%5D%5Bname%5D=1+%C3%97+Stoneware+mug%2C+number+{n}"
        );
    }
    form.push_str("&payment_method_types%5B0%5D=card");
    form
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As long as `payments::stripe` writes it for the same order, which its own tests spell out.
    #[test]
    fn a_session_is_asked_for_with_four_fields_a_line() {
        let fields = |lines| session(lines).split('&').count();
        assert_eq!((fields(1), fields(50)), (15 + 4, 15 + 4 * 50));
    }
}
