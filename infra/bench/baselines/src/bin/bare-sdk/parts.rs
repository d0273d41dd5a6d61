//! What requests are made of: as many parts, as long, as those of the functions.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::{AttributeValue, KeysAndAttributes, Put, TransactWriteItem, Update};
use lambda_runtime::Error;

pub(crate) const ID: &str = "01a1fbbc-f7cc-71a0-aa66-431f703e44ea";

/// The time that attributes have which have one.
const NOW: &str = "2026-11-21T04:00:00.000Z";

/// The attribute that is not to be there yet, of a table in which none is.
pub(crate) const KEY: &str = "orderId";

/// How fresh what is read is to be.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Consistency {
    Eventual,
    Strong,
}

/// Items to read of one table.
#[derive(Clone, Copy)]
pub(crate) struct Wanted {
    /// The variable that names the table.
    pub of: &'static str,
    /// Its attributes that are a key.
    keys: &'static [&'static str],
    count: u32,
    consistency: Consistency,
}

pub(crate) const fn wanted(
    of: &'static str,
    keys: &'static [&'static str],
    count: u32,
    consistency: Consistency,
) -> Wanted {
    Wanted { of, keys, count, consistency }
}

/// So many offers.
pub(crate) const fn offers(count: u32, consistency: Consistency) -> Wanted {
    wanted("OFFERS_TABLE", &["offerId"], count, consistency)
}

/// How so many products are rated.
pub(crate) const fn ratings(count: u32) -> Wanted {
    wanted("REVIEWS_TABLE", &["productId", "userId"], count, Consistency::Eventual)
}

/// How the shop sends and taxes.
pub(crate) const SETTINGS: Wanted = wanted("SETTINGS_TABLE", &["setting"], 2, Consistency::Eventual);
/// Whoever buys.
pub(crate) const PROFILE: Wanted = wanted("USERS_TABLE", &["userId"], 1, Consistency::Strong);
/// The record of a key.
pub(crate) const RECORD: Wanted = wanted("GUARDS_TABLE", &["guardId"], 1, Consistency::Strong);

impl Wanted {
    pub(crate) fn keys(&self) -> Result<KeysAndAttributes, Error> {
        let key =
            |n| self.keys.iter().map(|name| ((*name).to_owned(), numbered(n))).collect::<HashMap<_, _>>();
        let keys = KeysAndAttributes::builder().set_keys(Some((0..self.count).map(key).collect()));
        Ok(keys.consistent_read(self.consistency == Consistency::Strong).build()?)
    }
}

/// The table that this variable names.
pub(crate) fn table(name: &str) -> Result<String, Error> {
    Ok(std::env::var(name)?)
}

pub(crate) fn id() -> AttributeValue {
    AttributeValue::S(ID.into())
}

/// One of several ids.
fn numbered(n: u32) -> AttributeValue {
    AttributeValue::S(format!("{}{n:04}", &ID[..32]))
}

fn number(digits: &str) -> AttributeValue {
    AttributeValue::N(digits.into())
}

fn time() -> AttributeValue {
    AttributeValue::S(NOW.into())
}

/// What the counts of three windows are called by each rate, the oldest first: in a minute, a day and an hour.
const COUNTS: [[&str; 3]; 3] = [
    ["c29833331", "c29833332", "c29833333"],
    ["d20715", "d20716", "d20717"],
    ["k497221", "k497222", "k497223"],
];

/// As the counter of a rate limit, whose condition has nine ways to pass each of so many rates.
pub(crate) fn counter(id: &str, rates: usize) -> Result<Update, Error> {
    const WAYS: usize = 9;
    let (mut conditions, mut removed, mut added) = (Vec::new(), Vec::new(), Vec::new());
    let mut update = Update::builder()
        .table_name(table("GUARDS_TABLE")?)
        .key("guardId", AttributeValue::S(id.into()))
        .expression_attribute_values(":expires", number("1795262400"))
        .expression_attribute_values(":one", number("1"));
    for (rate, [over, last, this]) in COUNTS.into_iter().take(rates).enumerate() {
        let mut ways = Vec::new();
        for n in rate * WAYS..(rate + 1) * WAYS {
            ways.push(format!(
                "((attribute_not_exists({last}) OR {last} <= :last{n}) \
                 AND (attribute_not_exists({this}) OR {this} < :this{n}))"
            ));
            update = update
                .expression_attribute_values(format!(":last{n}"), number("15"))
                .expression_attribute_values(format!(":this{n}"), number("105"));
        }
        conditions.push(format!("({})", ways.join(" OR ")));
        removed.push(over);
        added.push(format!("{this} :one"));
    }
    let (removed, added) = (removed.join(", "), added.join(", "));
    let update = update
        .update_expression(format!(
            "SET expiresAt = if_not_exists(knownUntil, :expires) REMOVE {removed} ADD {added}"
        ))
        .condition_expression(conditions.join(" AND "));
    Ok(update.build()?)
}

/// The same, by one rate, as a part of a transaction.
pub(crate) fn counted(id: &str) -> Result<TransactWriteItem, Error> {
    Ok(TransactWriteItem::builder().update(counter(id, 1)?).build())
}

/// As the reservation of an offer's pieces, the `n`th of its order.
pub(crate) fn reservation(n: u32) -> Result<TransactWriteItem, Error> {
    let expression = "SET quantity = quantity - :quantity ADD promised :quantity";
    let mut update = changes("OFFERS_TABLE", "offerId", expression, &[":yes", ":price", ":quantity"])?;
    update.key.insert("offerId".into(), numbered(n));
    Ok(TransactWriteItem::builder().update(update).build())
}

/// As the record that an email went out.
pub(crate) fn sent() -> Result<Update, Error> {
    let expression = "SET doneAt = if_not_exists(doneAt, :now), expiresAt = :expires";
    changes("GUARDS_TABLE", "guardId", expression, &[":now", ":expires"])
}

/// As an update of one item under a condition, with these values.
pub(crate) fn changes(of: &str, key: &str, expression: &str, values: &[&str]) -> Result<Update, Error> {
    let values = values.iter().map(|name| ((*name).to_owned(), AttributeValue::S("1795262400000".into())));
    let update = Update::builder().table_name(table(of)?).key(key, id()).update_expression(expression);
    let update = update.condition_expression(format!("attribute_exists({key})"));
    Ok(update.set_expression_attribute_values(Some(values.collect())).build()?)
}

/// As an item with so many attributes, which is not there yet.
pub(crate) fn put(in_table: &str, key: &str, attributes: usize) -> Result<TransactWriteItem, Error> {
    put_with(in_table, key, attributes, HashMap::new())
}

/// The same with these attributes besides.
pub(crate) fn put_with(
    in_table: &str,
    key: &str,
    attributes: usize,
    besides: HashMap<String, AttributeValue>,
) -> Result<TransactWriteItem, Error> {
    let mut item = attributes_of(attributes);
    item.extend(besides);
    let put = Put::builder().table_name(table(in_table)?).set_item(Some(item));
    let put = put.condition_expression(format!("attribute_not_exists({key})")).build()?;
    Ok(TransactWriteItem::builder().put(put).build())
}

/// As what one seller has of an order.
pub(crate) fn seller_order(lines: u32) -> Result<TransactWriteItem, Error> {
    let mut item = attributes_of(6);
    item.insert("lines".into(), order_lines(lines));
    let put = Put::builder().table_name(table("SELLER_ORDERS_TABLE")?).set_item(Some(item)).build()?;
    Ok(TransactWriteItem::builder().put(put).build())
}

/// So many attributes.
pub(crate) fn attributes_of(count: usize) -> HashMap<String, AttributeValue> {
    (0..count).map(|n| (format!("attribute{n}"), id())).collect()
}

/// The lines of an order.
pub(crate) fn order_lines(count: u32) -> AttributeValue {
    let line = |n: u32| {
        let name = format!("Stoneware mug, number {n}");
        AttributeValue::M(HashMap::from([
            ("offerId".to_owned(), numbered(n)),
            ("productId".to_owned(), numbered(n)),
            ("productName".to_owned(), AttributeValue::S(name)),
            ("unitPrice".to_owned(), number("1450")),
            ("quantity".to_owned(), number("1")),
            ("sellerId".to_owned(), id()),
        ]))
    };
    AttributeValue::L((0..count).map(line).collect())
}

/// The lines of a cart.
pub(crate) fn cart_lines(count: u32) -> AttributeValue {
    let line = |n: u32| {
        let name = format!("Stoneware mug, number {n}");
        AttributeValue::M(HashMap::from([
            ("offerId".to_owned(), numbered(n)),
            ("quantity".to_owned(), number("1")),
            ("productName".to_owned(), AttributeValue::S(name)),
            ("priceWhenAdded".to_owned(), number("1450")),
            ("addedAt".to_owned(), time()),
        ]))
    };
    AttributeValue::L((0..count).map(line).collect())
}
