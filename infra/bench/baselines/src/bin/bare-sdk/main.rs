//! The calls that a function makes, by the SDK alone: no validation, no rules, no logs, no reading of what comes back.
//!
//! `BENCH_CASE` names the function whose calls it makes, or the rate limit, as it is and as it was before. The requests
//! are of the same operations with the same [`parts`], and side by side where the function's are; what they ask for
//! does not matter, since the bench answers each with what it recorded for that function. Those of [`carts`] and of
//! [`payments`] have a file each, and Stripe is called by the HTTP client of the SDK, as the functions do it
//! ([`stripe`]).

mod carts;
mod parts;
mod payments;
mod stripe;
#[cfg(test)]
mod tests;

use std::sync::atomic::{AtomicBool, Ordering};

use aws_config::{BehaviorVersion, SdkConfig};
use aws_sdk_cognitoidentityprovider::types::AuthFlowType;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue, TransactWriteItem, Update};
use aws_sdk_sesv2::types::{Body, Content, Destination, EmailContent, Message};
use aws_smithy_http_client::tls::Provider;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde_json::{Value, json};

use self::parts::{
    Consistency, ID, KEY, PROFILE, RECORD, SETTINGS, Wanted, changes, counted, counter, id, offers, put,
    ratings, reservation, seller_order, sent, table, wanted,
};
use self::stripe::Stripe;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let http = aws_smithy_http_client::Builder::new().tls_provider(Provider::Rustls(CryptoMode::Ring));
    let config = aws_config::defaults(BehaviorVersion::latest()).http_client(http.build_https()).load().await;
    let bare = Bare::new(&config);
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
    stripe: Stripe,
    knows_the_secret: AtomicBool,
}

impl Bare {
    fn new(config: &SdkConfig) -> Self {
        Self {
            dynamodb: aws_sdk_dynamodb::Client::new(config),
            cognito: aws_sdk_cognitoidentityprovider::Client::new(config),
            ses: aws_sdk_sesv2::Client::new(config),
            sqs: aws_sdk_sqs::Client::new(config),
            workflows: aws_sdk_sfn::Client::new(config),
            secrets: aws_sdk_secretsmanager::Client::new(config),
            stripe: Stripe::default(),
            knows_the_secret: AtomicBool::default(),
        }
    }

    async fn calls_of(&self, function: &str) -> Result<(), Error> {
        match function {
            "create-order" => {
                let wanted = [offers(1, Consistency::Strong), SETTINGS, PROFILE, RECORD];
                // Of a person, in a minute and in a day.
                let (counted, read) = tokio::join!(self.count(ID, 2), self.read(&wanted));
                counted?;
                read?;
                self.write(vec![
                    put("ORDERS_TABLE", KEY, 16)?,
                    reservation(0)?,
                    seller_order(1)?,
                    put("GUARDS_TABLE", KEY, 4)?,
                ])
                .await?;
                self.queue("ORDERS_QUEUE_URL").await?;
            }
            // Which stores are hidden, the functions ask once in some seconds: too seldom to count.
            "get-product" => {
                let product = wanted("PRODUCTS_TABLE", &["id"], 1, Consistency::Eventual);
                self.read(&[product, offers(1, Consistency::Eventual), ratings(1)]).await?;
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
                self.read(&[offers(20, Consistency::Eventual), ratings(20)]).await?;
            }
            "sign-in" => self.sign_in().await?,
            "consume-orders" => {
                let workflow = std::env::var("WORKFLOW_ARN")?;
                let start = self.workflows.start_execution().state_machine_arn(workflow);
                start.name(ID).input(json!({ "orderId": ID }).to_string()).send().await?;
            }
            "ship-order" => {
                let expression = "SET s = :to, updatedAt = :now, due = :shard, dueAt = :due, attempts = :none, \
                    history = list_append(history, :entry)";
                let values = [":to", ":now", ":shard", ":due", ":none", ":entry", ":from"];
                self.update(changes("ORDERS_TABLE", "orderId", expression, &values)?, None).await?;
            }
            "send-email (confirmed)" => {
                self.email().await?;
                self.update(sent()?, None).await?;
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
                self.update(counter(ID, 1)?, None).await?;
            }
            "limit of create-order" => self.count(ID, 2).await?,
            "limit of sign-in, before" => self.write(vec![counted("address")?, counted("account")?]).await?,
            "limit of create-order, before" => self.write(vec![counted("person")?]).await?,
            other => {
                if !self.calls_of_a_cart(other).await? && !self.calls_of_a_payment(other).await? {
                    return Err(format!("no calls of {other} are known").into());
                }
            }
        }
        Ok(())
    }

    async fn sign_in(&self) -> Result<(), Error> {
        self.limit_of_sign_in().await?;
        self.secret("APP_CLIENT_SECRET").await?;
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
        let taken_back = counter(ID, 1)?;
        let (noted, taken_back) = tokio::join!(self.update(noted, None), self.update(taken_back, None));
        noted?;
        taken_back
    }

    /// Counts the address and then the account there, which knows the address.
    async fn limit_of_sign_in(&self) -> Result<(), Error> {
        self.count("address", 1).await?;
        self.count("account", 1).await
    }

    /// Claims an email while it reads the order, looks whether its address gets any, and sends it.
    async fn email(&self) -> Result<(), Error> {
        let expression = "SET holder = :me, leaseUntil = :until, expiresAt = :expires ADD tries :one";
        let values = [":me", ":until", ":expires", ":now", ":one"];
        let (claimed, read) = tokio::join!(
            self.update(changes("GUARDS_TABLE", "guardId", expression, &values)?, None),
            self.get("ORDERS_TABLE", "orderId"),
        );
        claimed?;
        read?;
        // Whether the address gets email.
        let get = self.dynamodb.get_item().table_name(table("MAIL_TABLE")?).key("about", id());
        get.key("entry", AttributeValue::S("suppressed".into())).send().await?;
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

    /// Reads a secret once, as the functions do.
    async fn secret(&self, variable: &str) -> Result<(), Error> {
        if !self.knows_the_secret.swap(true, Ordering::Relaxed) {
            let secret = std::env::var(variable)?;
            self.secrets.get_secret_value().secret_id(secret).send().await?;
        }
        Ok(())
    }

    /// Reads one item, as it is now.
    async fn get(&self, of: &str, key: &str) -> Result<(), Error> {
        let get = self.dynamodb.get_item().table_name(table(of)?).key(key, id());
        get.consistent_read(true).send().await?;
        Ok(())
    }

    /// Reads these items of several tables in one call.
    async fn read(&self, wanted: &[Wanted]) -> Result<(), Error> {
        let mut batch = self.dynamodb.batch_get_item();
        for one in wanted {
            batch = batch.request_items(table(one.of)?, one.keys()?);
        }
        batch.send().await?;
        Ok(())
    }

    /// Counts a request by so many rates of one item, and wants the item as it is then.
    async fn count(&self, id: &str, rates: usize) -> Result<(), Error> {
        self.update(counter(id, rates)?, Some(ReturnValue::AllNew)).await
    }

    async fn update(&self, update: Update, returns: Option<ReturnValue>) -> Result<(), Error> {
        self.dynamodb
            .update_item()
            .table_name(update.table_name)
            .set_key(Some(update.key))
            .update_expression(update.update_expression)
            .set_condition_expression(update.condition_expression)
            .set_expression_attribute_values(update.expression_attribute_values)
            .set_return_values(returns)
            .send()
            .await?;
        Ok(())
    }

    async fn write(&self, items: Vec<TransactWriteItem>) -> Result<(), Error> {
        self.dynamodb.transact_write_items().set_transact_items(Some(items)).send().await?;
        Ok(())
    }

    /// Queues an order.
    async fn queue(&self, variable: &str) -> Result<(), Error> {
        let (url, body) = (std::env::var(variable)?, json!({ "orderId": ID }).to_string());
        self.sqs.send_message().queue_url(url).message_body(body).send().await?;
        Ok(())
    }
}
