//! The calls that a function makes, by the SDK alone: no validation, no rules, no logs, no reading of what comes back.
//!
//! `BARE_FUNCTION` names the function whose calls it makes. The requests are of the same operations with the same
//! parts; what they ask for does not matter, since the bench answers each with what it recorded for that function.

use aws_config::BehaviorVersion;
use aws_sdk_cognitoidentityprovider::types::AuthFlowType;
use aws_sdk_dynamodb::types::{AttributeValue, KeysAndAttributes, Put, TransactWriteItem, Update};
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
        sqs: aws_sdk_sqs::Client::new(&config),
        workflows: aws_sdk_sfn::Client::new(&config),
    };
    let function = std::env::var("BARE_FUNCTION")?;
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
    sqs: aws_sdk_sqs::Client,
    workflows: aws_sdk_sfn::Client,
}

impl Bare {
    async fn calls_of(&self, function: &str) -> Result<(), Error> {
        match function {
            "create-order" => {
                self.count().await?;
                let products = KeysAndAttributes::builder().keys([("id".into(), id())].into());
                let guards = KeysAndAttributes::builder().keys([("guardId".into(), id())].into());
                self.dynamodb
                    .batch_get_item()
                    .request_items(table("PRODUCTS_TABLE")?, products.consistent_read(true).build()?)
                    .request_items(table("GUARDS_TABLE")?, guards.consistent_read(true).build()?)
                    .send()
                    .await?;
                self.write(vec![put("ORDERS_TABLE", 14)?, stock()?, put("GUARDS_TABLE", 4)?]).await?;
                let url = std::env::var("ORDERS_QUEUE_URL")?;
                self.sqs.send_message().queue_url(url).message_body(ID).send().await?;
            }
            "get-product" => {
                self.dynamodb
                    .get_item()
                    .table_name(table("PRODUCTS_TABLE")?)
                    .key("id", id())
                    .consistent_read(false)
                    .send()
                    .await?;
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
            }
            "sign-in" => {
                let count = || Ok::<_, Error>(TransactWriteItem::builder().update(counter()?).build());
                self.write(vec![count()?, count()?]).await?;
                self.cognito
                    .initiate_auth()
                    .client_id(std::env::var("USER_POOL_CLIENT_ID")?)
                    .auth_flow(AuthFlowType::UserPasswordAuth)
                    .auth_parameters("USERNAME", "buyer@cartwright.test")
                    .auth_parameters("PASSWORD", "Cartwright-1")
                    .send()
                    .await?;
            }
            "consume-orders" => {
                let workflow = std::env::var("WORKFLOW_ARN")?;
                let start = self.workflows.start_execution().state_machine_arn(workflow);
                start.name(ID).input(json!({ "orderId": ID }).to_string()).send().await?;
            }
            other => return Err(format!("no calls of {other} are known").into()),
        }
        Ok(())
    }

    async fn count(&self) -> Result<(), Error> {
        let update = counter()?;
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

fn table(name: &str) -> Result<String, Error> {
    Ok(std::env::var(name)?)
}

fn id() -> AttributeValue {
    AttributeValue::S(ID.into())
}

/// As the counter of a rate limit, whose condition has nine ways to pass.
fn counter() -> Result<Update, Error> {
    let way = |n| {
        format!(
            "((attribute_not_exists(c1) OR c1 <= :last{n}) AND (attribute_not_exists(c2) OR c2 < :this{n}))"
        )
    };
    let ways: Vec<_> = (0..9).map(way).collect();
    let mut update = Update::builder()
        .table_name(table("GUARDS_TABLE")?)
        .key("guardId", id())
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

/// As the reservation of a product's stock.
fn stock() -> Result<TransactWriteItem, Error> {
    let update = Update::builder()
        .table_name(table("PRODUCTS_TABLE")?)
        .key("id", id())
        .update_expression("SET quantity = quantity - :quantity")
        .condition_expression("isApproved = :yes AND productPrice = :price AND quantity >= :quantity")
        .expression_attribute_values(":yes", AttributeValue::Bool(true))
        .expression_attribute_values(":price", AttributeValue::N("1450".into()))
        .expression_attribute_values(":quantity", AttributeValue::N("1".into()));
    Ok(TransactWriteItem::builder().update(update.build()?).build())
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
