//! The cloud that is measured in: the emulator with the tables and the user pool of the templates, and nothing that
//! acts by itself: no function, queue or workflow of theirs, which would take processor time in the background.

use std::collections::BTreeSet;
use std::fs;
use std::ops::RangeInclusive;
use std::process::Child;

use anyhow::{Context, Result};
use axum::body::Bytes;
use emulator::Aws;
use local::cloud::{self, Cloud, Record};
use local::{deploy, needs};
use reqwest::Method;
use serde_json::{Value, json};

use super::double::Double;
use super::events;

const STACK: &str = "bench";
/// The bucket that the functions see, under each of their variables for one.
const BUCKET: &str = "bench";
const SENDER: &str = "orders@cartwright.test";
/// What the shop is called at Stripe.
pub(super) const SHOP: &str = "bench";
/// By which Stripe signs.
pub(super) const WEBHOOK_SECRET: &str = "whsec_of_the_bench";
pub(super) const PASSWORD: &str = "Cartwright-1";
const TRUST: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole",
    "Principal":{"Service":"states.amazonaws.com"}}]}"#;
const SELLER: &str = "5d0c1f6e-8a35-4f4b-9d1c-0c5d7d0d5a11";
/// In cents.
const PRICE: u32 = 1_450;
const DESCRIPTION: &str = "Holds a third of a litre and keeps it warm. Thrown and glazed by hand, so that no two are \
    quite the same; safe in the dishwasher and in the microwave oven, and heavy enough to stay where it was put.";
/// How many items DynamoDB takes in one BatchWriteItem.
const BATCH: usize = 25;

/// Queues, by the variables that name them.
const QUEUES: [(&str, &str); 5] = [
    ("ORDERS_QUEUE_URL", "bench-orders"),
    ("EMAILS_QUEUE_URL", "bench-emails"),
    ("PAYMENTS_QUEUE_URL", "bench-payments"),
    ("REFUNDS_QUEUE_URL", "bench-refunds"),
    ("SEARCH_QUEUE_URL", "bench-search"),
];
/// Secrets of Stripe's, by the variables that name them.
const STRIPES_SECRETS: [(&str, &str); 2] =
    [("STRIPE_API_SECRET", "bench-stripe-api"), ("STRIPE_WEBHOOK_SECRET", "bench-stripe-webhook")];
/// What functions are told besides.
const SET: [(&str, &str); 43] = [
    ("API_URL", "https://api.cartwright.test"),
    ("STAGE", "production"),
    ("CURRENCY", "USD"),
    ("REAPPROVE_CHANGES", "false"),
    ("DEAD_LETTER_QUEUE_URL", "https://sqs.us-east-1.amazonaws.com/000000000000/bench"),
    ("CURSOR_KEY", "a key of the bench"),
    ("EMAIL_SENDER", SENDER),
    ("EMAIL_CONFIGURATION_SET", "bench"),
    ("LIMIT_PER_ADDRESS", "99999/60"),
    ("LIMIT_KEY", "another key of the bench"),
    ("LIMIT_PER_ACCOUNT", "99999/300"),
    ("LIMIT_PER_ACCOUNT_IN_ALL", "99999/300"),
    ("LIMIT_PER_PERSON", "99999/60"),
    ("CARDS_PER_HOUR", "100000"),
    ("LIMIT_PER_DAY", "1000000/86400"),
    ("PIECES_PER_LINE", "10000"),
    ("FULFILMENT", "automatic"),
    ("GUEST_CASH", "true"),
    ("LIMIT_PER_EMAIL", "99999/60"),
    ("LIMIT_PER_GUEST", "99999/60"),
    ("ORDER_TOKEN_KEY", "a third key of the bench"),
    ("PAYMENT_MINUTES", "35"),
    ("SHOP_COUNTRY", "DE"),
    ("SHOP_NAME", SHOP),
    ("SHOP_URL", "https://shop.cartwright.test"),
    ("MEDIA_BASE_URL", "https://media.cartwright.test"),
    ("MEDIA_BUCKET", "bench"),
    ("UPLOADS_BUCKET", "bench"),
    ("SEARCH_BUCKET", "bench"),
    ("CARD_PAYMENTS", "on"),
    ("IMAGE_ORIGINS", "https://media.cartwright.test https://bench.s3.us-east-1.amazonaws.com"),
    ("PROVIDERS", "Google"),
    ("SOCKET_URL", "wss://socket.cartwright.test/live"),
    ("UPLOAD_ORIGINS", "https://bench.s3.us-east-1.amazonaws.com"),
    // What Lambda itself sets.
    ("AWS_LAMBDA_FUNCTION_NAME", "bench"),
    ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
    ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256"),
    ("AWS_LAMBDA_LOG_GROUP_NAME", "/bench"),
    ("AWS_LAMBDA_LOG_STREAM_NAME", "bench"),
    ("AWS_REGION", "us-east-1"),
    ("AWS_ACCESS_KEY_ID", "test"),
    ("AWS_SECRET_ACCESS_KEY", "test"),
    ("LANG", "C.UTF-8"),
];

/// A cloud of its own, with people in it.
pub(super) struct Scene {
    /// Ends with this: its standard input is the sign.
    _emulator: Child,
    aws: Aws,
    /// What the functions see of it.
    pub double: Double,
    /// Who buys.
    pub buyer: Person,
    /// What the template would set for functions, by name.
    pub environment: Vec<(String, String)>,
}

/// Somebody who can sign in.
pub(super) struct Person {
    /// Cognito's `sub`.
    pub id: String,
    /// The name to sign in by.
    pub username: String,
    /// The address.
    pub email: String,
}

impl Scene {
    /// Starts it and makes a person.
    ///
    /// # Errors
    /// The emulator does not start or refuses something.
    pub(super) async fn start(cloud: &Cloud) -> Result<Self> {
        let mut record = Record { gateway_port: needs::free_port(&[])?, ..Record::default() };
        let emulator = local::emulator::start_for_test(cloud, &mut record).await?;
        let aws = Aws::at(record.gateway());
        let templates = deploy::templates()?;
        let templates =
            templates.iter().map(|template| deploy::text(template)).collect::<Result<Vec<_>>>()?;
        let template = tables_and_user_pool(&templates);
        let stack = [("Version", "2010-05-15"), ("StackName", STACK), ("TemplateBody", &template)];
        aws.query("cloudformation", "CreateStack", &stack).await?;
        let role = [("Version", "2010-05-08"), ("RoleName", "bench"), ("AssumeRolePolicyDocument", TRUST)];
        aws.query("iam", "CreateRole", &role).await?;
        let outputs = aws.outputs(STACK).await?;
        let mut environment: Vec<_> =
            outputs.into_iter().map(|(resource, name)| (cloud::variable(&resource), name)).collect();
        for (name, queue) in QUEUES {
            let made = aws.call("sqs", "AmazonSQS.CreateQueue", &json!({ "QueueName": queue })).await?;
            let url = made["QueueUrl"].as_str().context("the queue has no URL")?;
            environment.push((name.into(), url.into()));
        }
        let values = [json!({ "key": "rk_live_bench" }), json!({ "secrets": [WEBHOOK_SECRET] })];
        for ((name, secret), value) in STRIPES_SECRETS.into_iter().zip(values) {
            let new = json!({ "Name": secret, "SecretString": value.to_string() });
            let made = aws.call("secretsmanager", "secretsmanager.CreateSecret", &new).await?;
            environment.push((name.into(), made["ARN"].as_str().context("the secret has no ARN")?.into()));
        }
        let machine = json!({
            "name": "bench", "type": "EXPRESS", "roleArn": "arn:aws:iam::000000000000:role/bench",
            "definition": r#"{"StartAt":"Done","States":{"Done":{"Type":"Succeed"}}}"#,
        });
        let made = aws.call("states", "AWSStepFunctions.CreateStateMachine", &machine).await?;
        environment
            .push(("WORKFLOW_ARN".into(), made["stateMachineArn"].as_str().unwrap_or_default().into()));
        aws.put(&format!("/{BUCKET}"), Vec::new()).await?;
        let topic = [("Version", "2010-03-31"), ("Name", "bench")];
        aws.query("sns", "CreateTopic", &topic).await?;
        environment.push(("EVENTS_TOPIC_ARN".into(), "arn:aws:sns:us-east-1:000000000000:bench".into()));
        aws.rest(Method::POST, "ses", "/v2/email/identities", &json!({ "EmailIdentity": SENDER })).await?;
        for (name, value) in SET {
            environment.push((name.into(), value.into()));
        }
        let double = Double::serve(record.gateway()).await?;
        environment.push(("AWS_ENDPOINT_URL".into(), double.url().into()));
        environment.push(("STRIPE_URL".into(), double.url().into()));
        let mut scene = Self { _emulator: emulator, aws, double, buyer: Person::named("buyer"), environment };
        scene.buyer = scene.person("buyer").await?;
        Ok(scene)
    }

    /// One of the functions' variables.
    ///
    /// # Errors
    /// There is none of that name.
    pub(super) fn variable(&self, name: &str) -> Result<&str> {
        let found = self.environment.iter().find(|(one, _)| one == name);
        found.map(|(_, value)| value.as_str()).with_context(|| format!("the stack has no {name}"))
    }

    async fn person(&self, name: &str) -> Result<Person> {
        let mut person = Person::named(name);
        let pool = self.variable("USER_POOL_ID")?;
        let attributes = [
            json!({ "Name": "email", "Value": person.email }),
            json!({ "Name": "email_verified", "Value": "true" }),
            json!({ "Name": "name", "Value": name }),
        ];
        let new = json!({
            "UserPoolId": pool, "Username": name, "UserAttributes": attributes, "MessageAction": "SUPPRESS",
        });
        let cognito = "AWSCognitoIdentityProviderService";
        let made = self.aws.call("cognito-idp", &format!("{cognito}.AdminCreateUser"), &new).await?;
        let password =
            json!({ "UserPoolId": pool, "Username": name, "Password": PASSWORD, "Permanent": true });
        self.aws.call("cognito-idp", &format!("{cognito}.AdminSetUserPassword"), &password).await?;
        let attributes = made["User"]["Attributes"].as_array().into_iter().flatten();
        let sub = attributes.into_iter().find(|attribute| attribute["Name"] == "sub");
        let sub = sub.and_then(|sub| sub["Value"].as_str()).context("the account has no sub")?;
        person.id = sub.to_owned();
        let profile = json!({
            "userId": { "S": person.id }, "email": { "S": person.email }, "fullName": { "S": name },
            "username": { "S": name }, "createdAt": { "S": "2026-11-21T00:00:00.000Z" },
            "schemaVersion": { "N": "1" },
        });
        self.put("USERS_TABLE", vec![profile]).await?;
        Ok(person)
    }

    /// Puts products of these numbers on sale.
    ///
    /// # Errors
    /// The emulator refuses them.
    pub(super) async fn sell(&self, numbers: RangeInclusive<u32>) -> Result<()> {
        self.put("PRODUCTS_TABLE", numbers.clone().map(|number| product(number, DESCRIPTION)).collect())
            .await?;
        self.put("OFFERS_TABLE", numbers.map(offer).collect()).await
    }

    /// Has so many sellers sell the first offers in turn: each the next one.
    ///
    /// # Errors
    /// The emulator refuses it.
    pub(super) async fn sell_by(&self, sellers: u32, offers: u32) -> Result<()> {
        self.put("OFFERS_TABLE", (1..=offers).map(|number| offer_of(number, number % sellers)).collect())
            .await
    }

    /// Puts so many products, a piece of each, into the buyer's cart instead of what is in it.
    ///
    /// # Errors
    /// The emulator refuses it.
    pub(super) async fn fill_cart(&self, lines: u32) -> Result<()> {
        self.put("CARTS_TABLE", vec![cart(&self.buyer, lines)]).await
    }

    /// Puts a file where an upload of this product waits, and gives what S3 tells of it.
    ///
    /// # Errors
    /// The emulator refuses it.
    pub(super) async fn upload(&self, product: u32, file: Vec<u8>) -> Result<Bytes> {
        // Uploads have ids as products have them, and a later one counts.
        let key = format!("uploads/products/{}/{}/picture", id(product), id(product + 1));
        let event = events::uploaded(BUCKET, &key, file.len());
        self.aws.put(&format!("/{BUCKET}/{key}"), file).await?;
        Ok(event)
    }

    /// Puts an object into the bucket that the functions see.
    ///
    /// # Errors
    /// The emulator refuses it.
    pub(super) async fn put_object(&self, key: &str, content: Vec<u8>) -> Result<()> {
        self.aws.put(&format!("/{BUCKET}/{key}"), content).await
    }

    /// Writes items into the table that this variable names.
    ///
    /// # Errors
    /// The emulator refuses them.
    pub(super) async fn put(&self, table: &str, items: Vec<Value>) -> Result<()> {
        let table = self.variable(table)?;
        for batch in items.chunks(BATCH) {
            let puts: Vec<_> = batch.iter().map(|item| json!({ "PutRequest": { "Item": item } })).collect();
            let input = json!({ "RequestItems": { table: puts } });
            self.aws.call("dynamodb", "DynamoDB_20120810.BatchWriteItem", &input).await?;
        }
        Ok(())
    }
}

impl Person {
    fn named(name: &str) -> Self {
        Self { id: String::new(), username: name.to_owned(), email: format!("{name}@cartwright.test") }
    }
}

/// An approved product as the table keeps it; `number` gives its id and its place in the lists.
pub(super) fn product(number: u32, description: &str) -> Value {
    let created = created(number);
    let category = format!("Category {}", number % 10);
    json!({
        "id": { "S": id(number) },
        "ownerId": { "S": SELLER },
        "email": { "S": "seller@cartwright.test" },
        "fileName": { "S": "picture.png" },
        "productName": { "S": name(number) },
        "productPrice": { "N": PRICE.to_string() },
        "currency": { "S": "USD" },
        "description": { "S": description },
        "category": { "S": category },
        "imageUrl": { "S": picture(number) },
        "imageUploadId": { "S": id(number) },
        "isApproved": { "BOOL": true },
        "createdAt": { "S": created },
        "updatedAt": { "S": created },
        "version": { "N": "3" },
        "schemaVersion": { "N": "1" },
        "approved": { "S": "approved" },
        "approvedCategory": { "S": category },
    })
}

/// The offer of the product of this number, as the table keeps it.
pub(super) fn offer(number: u32) -> Value {
    json!({
        "offerId": { "S": id(number) },
        "productId": { "S": id(number) },
        "productName": { "S": name(number) },
        "price": { "N": PRICE.to_string() },
        "currency": { "S": "USD" },
        "category": { "S": format!("Category {}", number % 10) },
        "imageUrl": { "S": picture(number) },
        "quantity": { "N": "1000000" },
        "promised": { "N": "0" },
        "forSale": { "BOOL": true },
        "sellerId": { "S": SELLER },
        "schemaVersion": { "N": "1" },
    })
}

/// The same, sold by one of several: 0 is the one who sells all others.
fn offer_of(number: u32, seller: u32) -> Value {
    let mut offer = offer(number);
    if seller > 0 {
        // As long as an id.
        offer["sellerId"]["S"] = format!("{}{seller:012}", &SELLER[..24]).into();
    }
    offer
}

/// The first version of a cart of `buyer` as the table keeps it.
pub(super) fn cart(buyer: &Person, lines: u32) -> Value {
    let line = |number: u32| {
        json!({ "M": {
            "offerId": { "S": id(number) }, "quantity": { "N": "1" }, "productName": { "S": name(number) },
            "priceWhenAdded": { "N": PRICE.to_string() }, "addedAt": { "S": created(number) },
        } })
    };
    json!({
        "cartId": { "S": format!("user#{}", buyer.id) },
        "version": { "N": "1" },
        "changeIds": { "L": [{ "S": "0123456789abcdef" }] },
        "lines": { "L": (1..=lines).map(line).collect::<Vec<_>>() },
        "updatedAt": { "S": created(lines) },
        // The year 2100.
        "expiresAt": { "N": "4102444800" },
        "schemaVersion": { "N": "1" },
    })
}

/// What a piece of each of so many products costs.
pub(super) fn sum(lines: u32) -> f64 {
    f64::from(PRICE * lines) / 100.0
}

/// An order of `buyer` as the table keeps it once all is done.
pub(super) fn order(buyer: &Person, number: u32) -> Value {
    let mut order = order_with_history(buyer, number, &["pending", "shipping"]);
    order["handedOver"] = json!({ "BOOL": true });
    order
}

/// An order of `buyer` with these statuses, the last of which it is in.
pub(super) fn order_with_history(buyer: &Person, number: u32, statuses: &[&str]) -> Value {
    let created = created(number);
    let entry = |status: &&str| json!({ "M": { "status": { "S": status }, "at": { "S": created } } });
    json!({
        "orderId": { "S": id(number) },
        "userId": { "S": buyer.id },
        "contact": { "M": { "email": { "S": buyer.email }, "fullName": { "S": buyer.username } } },
        "status": { "S": statuses.last() },
        "paymentMethod": { "S": "cash_on_delivery" },
        "lines": { "L": [{ "M": {
            "offerId": { "S": id(1) }, "productId": { "S": id(1) }, "productName": { "S": name(1) },
            "unitPrice": { "N": PRICE.to_string() }, "quantity": { "N": "2" }, "sellerId": { "S": SELLER },
        } }] },
        "total": { "N": "2900" },
        "currency": { "S": "USD" },
        "createdAt": { "S": created },
        "updatedAt": { "S": created },
        "history": { "L": statuses.iter().map(entry).collect::<Vec<_>>() },
        "attempts": { "N": "0" },
        "schemaVersion": { "N": "1" },
    })
}

fn picture(number: u32) -> String {
    format!("https://media.cartwright.test/images/products/{}/4f2a9c1e-picture.png", id(number))
}

/// What the product of this number is called.
pub(super) fn name(number: u32) -> String {
    format!("Stoneware mug, number {number}")
}

/// A UUIDv7 that says the number.
pub(super) fn id(number: u32) -> String {
    format!("01a1fbbc-f7cc-71a0-aa66-{number:012x}")
}

/// Each a second after the one before.
fn created(number: u32) -> String {
    const BEGIN: i64 = 1_760_000_000;
    let at = jiff::Timestamp::from_second(BEGIN + i64::from(number)).unwrap_or_default();
    format!("{at:.3}")
}

/// The parts of the templates that hold data as one template, with the names of its things as outputs under those of
/// the functions' variables. Templates without such parts have parameters that only the stack around them could give;
/// what the others have in common, such as the parameter `Stage`, is taken from the first, which gives it a value. It
/// has only the parameters that it refers to, since CloudFormation takes no more than 51,200 bytes as text.
fn tables_and_user_pool(templates: &[String]) -> String {
    let holding: Vec<_> =
        templates.iter().filter(|template| section(template, "Resources").any(is_data)).collect();
    let taken = |name: &str, is_wanted: &dyn Fn((&str, &str)) -> bool| {
        let mut taken = BTreeSet::new();
        let entries = holding.iter().flat_map(|template| section(template, name));
        entries.filter(|entry| is_wanted(*entry) && taken.insert(entry.0)).collect::<Vec<_>>()
    };
    let text = |entries: &[(&str, &str)]| entries.iter().map(|(_, body)| *body).collect::<String>();
    let data = taken("Resources", &is_data);
    let resources = text(&data);
    let conditions = text(&taken("Conditions", &|_| true));
    let is_referred_to = |(name, _): (&str, &str)| mentions(&resources, name) || mentions(&conditions, name);
    let parameters = text(&taken("Parameters", &is_referred_to));
    // What is made on a condition may have no name to give.
    let named = data.iter().filter(|(_, body)| !body.contains("\n    Condition: "));
    let outputs: String = named.map(|(entry, _)| format!("  {entry}:\n    Value: !Ref {entry}\n")).collect();
    format!(
        "AWSTemplateFormatVersion: \"2010-09-09\"\nParameters:\n{parameters}Conditions:\n{conditions}\
         Resources:\n{resources}Outputs:\n{outputs}"
    )
}

/// Whether a text has this word.
fn mentions(text: &str, word: &str) -> bool {
    text.split(|character: char| !character.is_ascii_alphanumeric()).any(|one| one == word)
}

/// Whether a resource keeps what people do, or what it takes to sign them in.
fn is_data((name, body): (&str, &str)) -> bool {
    const KINDS: [&str; 3] =
        ["AWS::DynamoDB::Table", "AWS::Cognito::UserPool", "AWS::Cognito::UserPoolClient"];
    let kind = body.lines().find_map(|line| line.strip_prefix("    Type: "));
    ["AccountEmails", "AppClientSecret"].contains(&name) || kind.is_some_and(|kind| KINDS.contains(&kind))
}

/// The entries of a section of a template, each with its name.
fn section<'a>(template: &'a str, name: &str) -> impl Iterator<Item = (&'a str, &'a str)> {
    let found = blocks(template, 0).into_iter().find(|(one, _)| *one == name);
    let inside = found.and_then(|(_, body)| body.split_once('\n')).map_or("", |(_, inside)| inside);
    blocks(inside, 2).into_iter()
}

/// The blocks of a YAML text whose keys are indented by `indent` spaces, each with its name.
fn blocks(text: &str, indent: usize) -> Vec<(&str, &str)> {
    let mut starts = Vec::new();
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        let inner = line.get(indent..).unwrap_or_default();
        let is_key = line.len() - line.trim_start_matches(' ').len() == indent
            && inner.starts_with(|first: char| first.is_ascii_alphabetic());
        if let Some((name, _)) = inner.split_once(':').filter(|_| is_key) {
            starts.push((at, name));
        }
        at += line.len();
    }
    let ends = starts.iter().skip(1).map(|(at, _)| *at).chain([text.len()]);
    starts.iter().zip(ends).map(|((start, name), end)| (*name, &text[*start..end])).collect()
}

/// Removes what an earlier run left.
pub(super) fn clear(cloud: &Cloud) {
    for dir in [cloud.data(), cloud.scratch(), cloud.logs()] {
        let _ = fs::remove_dir_all(dir);
    }
}

#[cfg(test)]
mod tests {
    use super::super::contest::ALL;
    use super::super::uploads::INDEX;
    use super::*;

    #[test]
    fn of_the_templates_only_what_holds_data_is_taken() {
        let templates = [
            "Transform: X\nParameters:\n  Stage:\n    Type: String\n\nResources:\n  # a note\n  Pool:\n    \
             Type: AWS::Cognito::UserPool\n    Name: !Sub pool-${Stage}\n",
            "Parameters:\n  ApiId: {Type: String}\nResources:\n  Route:\n    Type: AWS::ApiGatewayV2::Route\n",
            "Parameters:\n  Stage: {Type: String}\n  Other: {Type: String}\n  Kept: {Type: String}\n\
             Conditions:\n  IsKept: !Equals [!Ref Kept, a]\nResources:\n  ThingsTable:\n    \
             Type: AWS::DynamoDB::Table\n    Properties:\n      A: 1\n  Queue:\n    Type: AWS::SQS::Queue\n\
             Outputs:\n  X:\n    Value: 1\n",
        ];
        let taken = tables_and_user_pool(&templates.map(str::to_owned));
        let expected = "AWSTemplateFormatVersion: \"2010-09-09\"\nParameters:\n  Stage:\n    Type: String\n\n  \
                        Kept: {Type: String}\nConditions:\n  IsKept: !Equals [!Ref Kept, a]\nResources:\n  \
                        Pool:\n    Type: AWS::Cognito::UserPool\n    Name: !Sub pool-${Stage}\n  \
                        ThingsTable:\n    Type: AWS::DynamoDB::Table\n    Properties:\n      A: 1\nOutputs:\n  Pool:\n    Value: !Ref Pool\n  ThingsTable:\n    \
                        Value: !Ref ThingsTable\n";
        assert_eq!(taken, expected);
        let templates = deploy::templates().unwrap();
        let templates: Vec<_> = templates.iter().map(|template| deploy::text(template).unwrap()).collect();
        let length = tables_and_user_pool(&templates).len();
        assert!(length <= 51_200, "CloudFormation takes no template of {length} bytes as text");
    }

    /// The variables that a template gives to a function.
    fn variables(template: &str, function: &str) -> Vec<String> {
        let words = function.split('-').map(|word| format!("{}{}", word[..1].to_uppercase(), &word[1..]));
        let name = format!("{}Function", words.collect::<String>());
        let Some((_, body)) = section(template, "Resources").find(|(one, _)| *one == name) else {
            return Vec::new();
        };
        let given = body.split_once("Variables:").map_or("", |(_, rest)| rest);
        let given = given.split("\n      Policies:").next().unwrap_or_default();
        let names = given.split(": ").filter_map(|before| before.rsplit([' ', '{', '\n']).next());
        let is_variable = |name: &&str| {
            name.starts_with(|first: char| first.is_ascii_uppercase())
                && name.bytes().all(|byte| byte.is_ascii_uppercase() || b"_0123456789".contains(&byte))
        };
        names.filter(is_variable).map(str::to_owned).collect()
    }

    #[test]
    fn every_function_that_is_measured_is_told_what_its_template_says() {
        let templates: Vec<_> =
            deploy::templates().unwrap().iter().map(|template| deploy::text(template).unwrap()).collect();
        let tables_and_pool = templates.iter().flat_map(|template| section(template, "Resources"));
        let mut known: BTreeSet<_> =
            tables_and_pool.filter(|entry| is_data(*entry)).map(|(name, _)| cloud::variable(name)).collect();
        let named = QUEUES.iter().chain(&STRIPES_SECRETS).chain(&SET).map(|(name, _)| *name);
        known.extend(named.chain(["WORKFLOW_ARN", "EVENTS_TOPIC_ARN", "STRIPE_URL"]).map(str::to_owned));
        let measured =
            ALL.into_iter().map(|case| case.function).chain(["list-orders", "pages", INDEX.function]);
        for function in measured {
            let given: Vec<_> = templates.iter().flat_map(|text| variables(text, function)).collect();
            assert!(!given.is_empty(), "{function} is in no template");
            let unknown: Vec<_> = given.iter().filter(|name| !known.contains(*name)).collect();
            assert!(unknown.is_empty(), "{function} is not told {unknown:?}");
        }
    }

    #[test]
    fn the_first_offers_are_sold_by_as_many_as_are_asked_for() {
        let sellers = |many: u32| {
            let ids = (1..=50).map(|number| offer_of(number, number % many)["sellerId"]["S"].to_string());
            ids.collect::<BTreeSet<_>>()
        };
        assert_eq!([1, 3].map(|many| sellers(many).len()), [1, 3]);
        assert!(
            sellers(3).iter().all(|id| id.len() == SELLER.len() + 2) && sellers(3).is_superset(&sellers(1))
        );
    }

    #[test]
    fn a_cart_has_a_piece_of_each_of_the_first_products() {
        let cart = cart(&Person::named("ann"), 50);
        let lines = cart["lines"]["L"].as_array().expect("lines");
        assert_eq!((lines.len(), &lines[49]["M"]["offerId"]["S"]), (50, &json!(id(50))));
        assert_eq!((sum(1).to_string(), sum(50).to_string()), ("14.5".to_owned(), "725".to_owned()));
    }

    #[test]
    fn seeded_things_are_told_apart_and_ordered_by_their_number() {
        assert_eq!(id(255), "01a1fbbc-f7cc-71a0-aa66-0000000000ff");
        assert!(created(2) > created(1) && created(1) == "2025-10-09T08:53:21.000Z");
    }
}
