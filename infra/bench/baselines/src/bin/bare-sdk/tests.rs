use super::*;
use aws_config::Region;
use aws_sdk_dynamodb::config::Credentials;
use shared::run::outside::stand_in::{Asked, Reply, StandIn};

const TABLES: [(&str, &str); 10] = [
    ("CARTS_TABLE", "carts"),
    ("GUARDS_TABLE", "guards"),
    ("OFFERS_TABLE", "offers"),
    ("ORDERS_TABLE", "orders"),
    ("PAYMENTS_TABLE", "payments"),
    ("PRODUCTS_TABLE", "products"),
    ("REVIEWS_TABLE", "reviews"),
    ("SELLER_ORDERS_TABLE", "sellerorders"),
    ("SETTINGS_TABLE", "settings"),
    ("USERS_TABLE", "users"),
];

/// What a case asks of AWS and of Stripe, twice in one process, by operation and tables, in no order.
async fn calls(case: &str) -> [Vec<String>; 2] {
    let server = StandIn::start((0..30).map(|_| Reply::answer(200, "{}"))).await;
    let http = aws_smithy_http_client::Builder::new().build_http();
    let config = SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::from_static("us-east-1"))
        .credentials_provider(aws_sdk_dynamodb::config::SharedCredentialsProvider::new(
            Credentials::for_tests(),
        ))
        .endpoint_url(&server.url)
        .http_client(http)
        .build();
    let mut variables = TABLES.map(|(name, table)| (name, Some(table))).to_vec();
    variables.extend([
        ("ORDERS_QUEUE_URL", Some("http://queue.test/orders")),
        ("STRIPE_API_SECRET", Some("api")),
        ("STRIPE_WEBHOOK_SECRET", Some("webhook")),
        ("STRIPE_URL", Some(server.url.as_str())),
    ]);
    temp_env::async_with_vars(variables, async {
        let bare = Bare::new(&config);
        let mut both = [Vec::new(), Vec::new()];
        for calls in &mut both {
            let before = server.asked().len();
            bare.calls_of(case).await.unwrap();
            *calls = server.asked()[before..].iter().map(call).collect();
            calls.sort();
        }
        both
    })
    .await
}

fn call(asked: &Asked) -> String {
    let Some(target) = asked.header("x-amz-target") else {
        let fields = asked.body.split('&').count();
        return format!("{} with {fields} fields", asked.what);
    };
    let body: Value = serde_json::from_str(&asked.body).unwrap();
    let names = body["RequestItems"].as_object().into_iter().flatten().map(|(name, of)| {
        let keys = of["Keys"].as_array().unwrap();
        let consistency = if of["ConsistentRead"] == true { "strong" } else { "eventual" };
        format!("{name} {} {consistency}", keys.len())
    });
    let parts = body["TransactItems"].as_array().into_iter().flatten();
    let parts = parts.flat_map(|part| part.as_object().unwrap().values());
    let parts = parts.map(|part| part["TableName"].as_str().unwrap().to_owned());
    let own = body["TableName"].as_str().map(str::to_owned);
    let mut tables: Vec<_> = names.chain(parts).chain(own).collect();
    tables.sort();
    let many = tables.len();
    tables.dedup();
    let operation = target.rsplit('.').next().unwrap();
    let many = if body["TransactItems"].is_array() { format!(", {many} parts") } else { String::new() };
    format!("{operation} {}{many}", tables.join(", ")).trim_end().to_owned()
}

#[tokio::test]
async fn an_order_is_counted_read_for_written_and_queued() {
    let [calls, again] = calls("create-order").await;
    let expected = [
        "BatchGetItem guards 1 strong, offers 1 strong, settings 2 eventual, users 1 strong",
        "SendMessage",
        "TransactWriteItems guards, offers, orders, sellerorders, 4 parts",
        "UpdateItem guards",
    ];
    assert_eq!(calls, expected);
    assert_eq!(again, expected);
}

#[tokio::test]
async fn products_are_shown_with_what_they_cost_and_how_they_are_rated() {
    let [one, _] = calls("get-product").await;
    assert_eq!(one, ["BatchGetItem offers 1 eventual, products 1 eventual, reviews 1 eventual"]);
    let [list, _] = calls("list-products").await;
    assert_eq!(list, ["BatchGetItem offers 20 eventual, reviews 20 eventual", "Query products"]);
}

#[tokio::test]
async fn a_cart_is_read_written_and_shown() {
    let [added, _] = calls("add-cart-item").await;
    assert_eq!(added, ["BatchGetItem carts 1 strong, offers 1 strong", "PutItem carts"]);
    let [shown, _] = calls("get-cart (50 lines)").await;
    assert_eq!(shown, ["BatchGetItem offers 50 eventual, settings 2 eventual", "GetItem carts"]);
}

#[tokio::test]
async fn a_checkout_is_an_order_of_each_line_and_of_its_cart() {
    let basis = "BatchGetItem carts 1 strong, guards 1 strong, users 1 strong";
    let [cash, again] = calls("check-out-cart (50, cash)").await;
    let expected = [
        basis,
        "BatchGetItem offers 50 strong, settings 2 eventual",
        "SendMessage",
        "TransactWriteItems carts, guards, offers, orders, sellerorders, 54 parts",
        "UpdateItem guards",
    ];
    assert_eq!(cash, expected);
    assert_eq!(again, expected);
    let [card, again] = calls("check-out-cart (1, card)").await;
    let every_time = [
        basis,
        "BatchGetItem offers 1 strong, settings 2 eventual",
        "POST /v1/checkout/sessions with 19 fields",
        "TransactWriteItems carts, guards, offers, orders, payments, sellerorders, 6 parts",
        "UpdateItem guards",
        "UpdateItem payments",
    ];
    assert_eq!(again, every_time);
    assert_eq!((card.len(), card[2].as_str()), (7, "GetSecretValue"));
}

#[tokio::test]
async fn what_stripe_tells_is_written_at_one_go_and_a_mail_is_noted_there() {
    let [first, again] = calls("receive-stripe-event").await;
    assert_eq!(first, ["GetSecretValue", "SendMessage", "TransactWriteItems orders, payments, 4 parts"]);
    assert_eq!(again, ["SendMessage", "TransactWriteItems orders, payments, 4 parts"]);
    let [_, told] = calls("settle-payment").await;
    let noted = format!("POST /v1/payment_intents/pi_{ID} with 1 fields");
    assert_eq!(told, ["BatchGetItem payments 1 strong", "GetItem orders", &noted]);
}

#[tokio::test]
async fn the_counters_of_one_item_are_counted_together() {
    let counted = temp_env::async_with_vars([("GUARDS_TABLE", Some("guards"))], async {
        [1, 2, 3].map(|rates| counter(ID, rates).unwrap())
    });
    let lengths = counted.await.map(|update| {
        let condition = update.condition_expression.unwrap();
        let values = update.expression_attribute_values.unwrap().len();
        assert!(condition.len() < 4096, "{}", condition.len());
        (condition.matches(" AND (attribute_not_exists").count(), values)
    });
    assert_eq!(lengths, [(9, 20), (18, 38), (27, 56)]);
}

#[tokio::test]
async fn what_no_function_is_called_has_no_calls() {
    let config = SdkConfig::builder().behavior_version(BehaviorVersion::latest()).build();
    assert!(Bare::new(&config).calls_of("check-out-basket").await.is_err());
}
