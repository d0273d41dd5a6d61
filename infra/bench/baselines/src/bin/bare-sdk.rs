//! The calls that a function makes, by the SDK alone: no validation, no rules, no logs, no reading of what comes back.
//!
//! `BENCH_CASE` names the function whose calls it makes, or the rate limit, as it is and as it was before. The requests
//! are of the same operations with the same parts, and side by side where the function's are; what they ask for does
//! not matter, since the bench answers each with what it recorded for that function.

use std::sync::atomic::{AtomicBool, Ordering};

use aws_config::BehaviorVersion;
use aws_sdk_cognitoidentityprovider::types::AuthFlowType;
use aws_sdk_dynamodb::types::{AttributeValue, KeysAndAttributes, Put, TransactWriteItem, Update};
use aws_sdk_sesv2::types::{Body, Content, Destination, EmailContent, Message};
use aws_smithy_http_client::tls::Provider;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde_json::{Value, json};

const ID: &str = "01a1fbbc-f7cc-71a0-aa66-431f703e44ea";

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let http = aws_smithy_http_client::Builder::new().tls_provider(Provider::Rustls(CryptoMode::Ring));
    let config = aws_config::defaults(BehaviorVersion::latest()).http_client(http.build_https()).load().await;
    let bare = Bare {
        dynamodb: aws_sdk_dynamodb::Client::new(&config),
        cognito: aws_sdk_cognitoidentityprovider::Client::new(&config),
        ses: aws_sdk_sesv2::Client::new(&config),
        sqs: aws_sdk_sqs::Client::new(&config),
        workflows: aws_sdk_sfn::Client::new(&config),
        secrets: aws_sdk_secretsmanager::Client::new(&config),
        knows_the_secret: AtomicBool::default(),
    };
    let function = std::env::var("BENCH_CASE")?;
    let (bare, function) = (&bare, function.as_str());
    lambda_runtime::run(service_fn(async move |_: LambdaEvent<Value>| {
        // Boxed, as in `shared`: the SDK's futures are large.
        Box::pin(bare.calls_of(function)).await?;
        Ok::<_, Error>(json!({}))
    }))
    .await
}

struct Bare {
    dynamodb: aws_sdk_dynamodb::Client,
    cognito: aws_sdk_cognitoidentityprovider::Client,
    ses: aws_sdk_sesv2::Client,
    sqs: aws_sdk_sqs::Client,
    workflows: aws_sdk_sfn::Client,
    secrets: aws_sdk_secretsmanager::Client,
    knows_the_secret: AtomicBool,
}

impl Bare {
    async fn calls_of(&self, function: &str) -> Result<(), Error> {
        match function {
            "create-order" => {
                let wanted =
                    [("OFFERS_TABLE", "offerId"), ("USERS_TABLE", "userId"), ("GUARDS_TABLE", "guardId")];
                let (counted, read) =
                    tokio::join!(self.update(counter(ID)?), self.read(&wanted, 1, Consistency::Strong));
                counted?;
                read?;
                self.write(vec![put("ORDERS_TABLE", 16)?, reservation()?, put("GUARDS_TABLE", 4)?]).await?;
                let url = std::env::var("ORDERS_QUEUE_URL")?;
                self.sqs.send_message().queue_url(url).message_body(ID).send().await?;
            }
            "get-product" => {
                let wanted = [("PRODUCTS_TABLE", "id"), ("OFFERS_TABLE", "offerId")];
                self.read(&wanted, 1, Consistency::Eventual).await?;
            }
            "list-products" => {
                self.dynamodb
                    .query()
                    .table_name(table("PRODUCTS_TABLE")?)
                    .index_name("approved")
                    .key_condition_expression("#partition = :of")
                    .expression_attribute_names("#partition", "approved")
                    .expression_attribute_values(":of", AttributeValue::S("approved".into()))
                    .scan_index_forward(false)
                    .limit(21)
                    .send()
                    .await?;
                self.read(&[("OFFERS_TABLE", "offerId")], 20, Consistency::Eventual).await?;
            }
            "sign-in" => {
                self.limit_of_sign_in().await?;
                // Read once, as the function does.
                if !self.knows_the_secret.swap(true, Ordering::Relaxed) {
                    let secret = std::env::var("APP_CLIENT_SECRET")?;
                    self.secrets.get_secret_value().secret_id(secret).send().await?;
                }
                self.cognito
                    .initiate_auth()
                    .client_id(std::env::var("USER_POOL_CLIENT_ID")?)
                    .auth_flow(AuthFlowType::UserPasswordAuth)
                    .auth_parameters("USERNAME", "buyer@cartwright.test")
                    .auth_parameters("PASSWORD", "Cartwright-1")
                    .auth_parameters("SECRET_HASH", "q2pvv3JrZ1s0ZL5iUDKVmIZAUBuIbzPjTt8YV0ZzP3s=")
                    .send()
                    .await?;
                let noted = changes("USERS_TABLE", "userId", "SET lastSignInAt = :now", &[":now"])?;
                let taken_back = counter(ID)?;
                let (noted, taken_back) = tokio::join!(self.update(noted), self.update(taken_back));
                noted?;
                taken_back?;
            }
            "consume-orders" => {
                let workflow = std::env::var("WORKFLOW_ARN")?;
                let start = self.workflows.start_execution().state_machine_arn(workflow);
                start.name(ID).input(json!({ "orderId": ID }).to_string()).send().await?;
            }
            "ship-order" => {
                let expression = "SET s = :to, updatedAt = :now, due = :shard, dueAt = :due, attempts = :none, \
                    history = list_append(history, :entry)";
                let values = [":to", ":now", ":shard", ":due", ":none", ":entry", ":from"];
                self.update(changes("ORDERS_TABLE", "orderId", expression, &values)?).await?;
            }
            "send-email (confirmed)" => {
                self.email().await?;
                self.update(sent()?).await?;
            }
            "send-email (shipping)" => {
                self.email().await?;
                let settled = changes("ORDERS_TABLE", "orderId", "REMOVE due, dueAt", &[":status"])?;
                let part = |update| TransactWriteItem::builder().update(update).build();
                self.write(vec![part(sent()?), part(settled)]).await?;
            }
            "no limit" => {}
            "limit of sign-in" => {
                self.limit_of_sign_in().await?;
                self.update(counter(ID)?).await?;
            }
            "limit of create-order" => self.update(counter(ID)?).await?,
            "limit of sign-in, before" => self.write(vec![counted("address")?, counted("account")?]).await?,
            "limit of create-order, before" => self.write(vec![counted("person")?]).await?,
            other => return Err(format!("no calls of {other} are known").into()),
        }
        Ok(())
    }

    /// Counts the address and then the account there, which knows the address.
    async fn limit_of_sign_in(&self) -> Result<(), Error> {
        self.update(counter("address")?).await?;
        self.update(counter("account")?).await
    }

    /// Claims an email while it reads the order, and sends it.
    async fn email(&self) -> Result<(), Error> {
        let expression = "SET holder = :me, leaseUntil = :until, expiresAt = :expires ADD tries :one";
        let values = [":me", ":until", ":expires", ":now", ":one"];
        let get = self.dynamodb.get_item().table_name(table("ORDERS_TABLE")?).key("orderId", id());
        let (claimed, read) = tokio::join!(
            self.update(changes("GUARDS_TABLE", "guardId", expression, &values)?),
            get.consistent_read(true).send(),
        );
        claimed?;
        read?;
        // About as long as the functions' emails.
        let content = |length| Content::builder().data("x".repeat(length)).charset("UTF-8").build();
        let body = Body::builder().text(content(350)?).html(content(3_200)?).build();
        let message = Message::builder().subject(content(30)?).body(body).build();
        self.ses
            .send_email()
            .from_email_address("orders@cartwright.test")
            .destination(Destination::builder().to_addresses("buyer@cartwright.test").build())
            .content(EmailContent::builder().simple(message).build())
            .send()
            .await?;
        Ok(())
    }

    /// Reads so many items of each of these tables, whose keys have these names, in one call.
    async fn read(&self, wanted: &[(&str, &str)], count: u32, consistency: Consistency) -> Result<(), Error> {
        let mut batch = self.dynamodb.batch_get_item();
        for (of, key) in wanted {
            let keys =
                (0..count).map(|n| [((*key).to_owned(), AttributeValue::S(format!("{ID}{n}")))].into());
            let keys = KeysAndAttributes::builder().set_keys(Some(keys.collect()));
            let keys = keys.consistent_read(consistency == Consistency::Strong).build()?;
            batch = batch.request_items(table(of)?, keys);
        }
        batch.send().await?;
        Ok(())
    }

    async fn update(&self, update: Update) -> Result<(), Error> {
        self.dynamodb
            .update_item()
            .table_name(update.table_name)
            .set_key(Some(update.key))
            .update_expression(update.update_expression)
            .set_condition_expression(update.condition_expression)
            .set_expression_attribute_values(update.expression_attribute_values)
            .send()
            .await?;
        Ok(())
    }

    async fn write(&self, items: Vec<TransactWriteItem>) -> Result<(), Error> {
        self.dynamodb.transact_write_items().set_transact_items(Some(items)).send().await?;
        Ok(())
    }
}

#[derive(PartialEq)]
enum Consistency {
    Eventual,
    Strong,
}

fn table(name: &str) -> Result<String, Error> {
    Ok(std::env::var(name)?)
}

fn id() -> AttributeValue {
    AttributeValue::S(ID.into())
}

/// As the counter of a rate limit, whose condition has nine ways to pass.
fn counter(id: &str) -> Result<Update, Error> {
    let way = |n| {
        format!(
            "((attribute_not_exists(c1) OR c1 <= :last{n}) AND (attribute_not_exists(c2) OR c2 < :this{n}))"
        )
    };
    let ways: Vec<_> = (0..9).map(way).collect();
    let mut update = Update::builder()
        .table_name(table("GUARDS_TABLE")?)
        .key("guardId", AttributeValue::S(id.into()))
        .update_expression("SET expiresAt = :expires REMOVE c0 ADD c2 :one")
        .condition_expression(ways.join(" OR "))
        .expression_attribute_values(":expires", AttributeValue::N("1795262400".into()))
        .expression_attribute_values(":one", AttributeValue::N("1".into()));
    for n in 0..9 {
        update = update
            .expression_attribute_values(format!(":last{n}"), AttributeValue::N("15".into()))
            .expression_attribute_values(format!(":this{n}"), AttributeValue::N("105".into()));
    }
    Ok(update.build()?)
}

/// The same as a part of a transaction.
fn counted(id: &str) -> Result<TransactWriteItem, Error> {
    Ok(TransactWriteItem::builder().update(counter(id)?).build())
}

/// As the reservation of an offer's pieces.
fn reservation() -> Result<TransactWriteItem, Error> {
    let expression = "SET quantity = quantity - :quantity ADD promised :quantity";
    let update = changes("OFFERS_TABLE", "offerId", expression, &[":yes", ":price", ":quantity"])?;
    Ok(TransactWriteItem::builder().update(update).build())
}

/// As the record that an email went out.
fn sent() -> Result<Update, Error> {
    let expression = "SET doneAt = if_not_exists(doneAt, :now), expiresAt = :expires";
    changes("GUARDS_TABLE", "guardId", expression, &[":now", ":expires"])
}

/// As an update of one item under a condition, with these values.
fn changes(of: &str, key: &str, expression: &str, values: &[&str]) -> Result<Update, Error> {
    let values = values.iter().map(|name| ((*name).to_owned(), AttributeValue::S("1795262400000".into())));
    let update = Update::builder().table_name(table(of)?).key(key, id()).update_expression(expression);
    let update = update.condition_expression(format!("attribute_exists({key})"));
    Ok(update.set_expression_attribute_values(Some(values.collect())).build()?)
}

/// As an item with so many attributes.
fn put(in_table: &str, attributes: usize) -> Result<TransactWriteItem, Error> {
    let mut put =
        Put::builder().table_name(table(in_table)?).condition_expression("attribute_not_exists(orderId)");
    for n in 0..attributes {
        put = put.item(format!("attribute{n}"), id());
    }
    Ok(TransactWriteItem::builder().put(put.build()?).build())
}
