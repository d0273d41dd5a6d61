//! The calls of carts and of their checkout.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::{ReturnValue, TransactWriteItem};
use lambda_runtime::Error;

use super::Bare;
use super::parts::{
    Consistency, ID, KEY, PROFILE, RECORD, SETTINGS, Wanted, attributes_of, cart_lines, changes, offers,
    order_lines, put, put_with, reservation, seller_order, table, wanted,
};

/// The cart, as it is now.
const CART: Wanted = wanted("CARTS_TABLE", &["cartId"], 1, Consistency::Strong);

/// How a cart is paid.
#[derive(Clone, Copy, PartialEq)]
enum By {
    Cash,
    Card,
}

impl Bare {
    /// Makes the calls of this case, if it is one of carts.
    pub(crate) async fn calls_of_a_cart(&self, function: &str) -> Result<bool, Error> {
        match function {
            "add-cart-item" => self.add_cart_item().await?,
            "get-cart (1 line)" => self.get_cart(1).await?,
            "get-cart (50 lines)" => self.get_cart(50).await?,
            "check-out-cart (1, cash)" => self.check_out(1, By::Cash).await?,
            "check-out-cart (50, cash)" => self.check_out(50, By::Cash).await?,
            "check-out-cart (1, card)" => self.check_out(1, By::Card).await?,
            "check-out-cart (50, card)" => self.check_out(50, By::Card).await?,
            _ => return Ok(false),
        }
        Ok(true)
    }

    async fn add_cart_item(&self) -> Result<(), Error> {
        self.read(&[CART, offers(1, Consistency::Strong)]).await?;
        let mut cart = attributes_of(6);
        cart.insert("lines".into(), cart_lines(2));
        let put = self.dynamodb.put_item().table_name(table("CARTS_TABLE")?).set_item(Some(cart));
        put.condition_expression("attribute_not_exists(cartId)").send().await?;
        Ok(())
    }

    async fn get_cart(&self, lines: u32) -> Result<(), Error> {
        self.get("CARTS_TABLE", "cartId").await?;
        self.read(&[offers(lines, Consistency::Eventual), SETTINGS]).await
    }

    /// Counts the request while it reads the cart, reads what it costs by, and writes the order; then queues it, or has
    /// a session made and notes it.
    async fn check_out(&self, lines: u32, by: By) -> Result<(), Error> {
        // Of a person, in a minute and in a day; and of those who pay by card, in an hour.
        let rates = if by == By::Card { 3 } else { 2 };
        let (counted, read) = tokio::join!(self.count(ID, rates), self.read(&[CART, PROFILE, RECORD]));
        counted?;
        read?;
        self.read(&[offers(lines, Consistency::Strong), SETTINGS]).await?;
        self.write(ordered(lines, by)?).await?;
        match by {
            By::Cash => self.queue("ORDERS_QUEUE_URL").await,
            By::Card => {
                self.secret("STRIPE_API_SECRET").await?;
                self.stripe.make_session(lines).await?;
                self.update(opened()?, Some(ReturnValue::AllNew)).await
            }
        }
    }
}

/// As the transaction that makes an order of a cart.
fn ordered(lines: u32, by: By) -> Result<Vec<TransactWriteItem>, Error> {
    let emptied = changes(
        "CARTS_TABLE",
        "cartId",
        "SET lines = :none, choices = :choices, version = :next, lastOrder = :order, updatedAt = :now, \
         expiresAt = :expires",
        &[":none", ":choices", ":next", ":order", ":now", ":expires", ":read"],
    )?;
    let besides = HashMap::from([("lines".to_owned(), order_lines(lines))]);
    // The money of an order that is paid by card has eight attributes of its own, in one.
    let attributes = if by == By::Card { 22 } else { 16 };
    let mut parts = vec![
        TransactWriteItem::builder().update(emptied).build(),
        put_with("ORDERS_TABLE", KEY, attributes, besides)?,
        put("GUARDS_TABLE", KEY, 4)?,
        seller_order(lines)?,
    ];
    if by == By::Card {
        parts.push(put("PAYMENTS_TABLE", "paymentId", 18)?);
    }
    for n in 0..lines {
        parts.push(reservation(n)?);
    }
    Ok(parts)
}

/// As the note of an attempt's session.
fn opened() -> Result<aws_sdk_dynamodb::types::Update, Error> {
    let expression = "SET s = :to, updatedAt = :now, sessionId = :session, u = :url";
    let mut opened =
        changes("PAYMENTS_TABLE", "paymentId", expression, &[":to", ":now", ":session", ":url", ":from0"])?;
    opened.key.insert("entry".into(), super::id());
    Ok(opened)
}
