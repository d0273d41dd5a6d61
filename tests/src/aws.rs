//! The AWS behind the shop, for the tests that disturb it. A journey has no use for it.

use std::collections::BTreeMap;
use std::time::Duration;

use reqwest::Method;
use serde_json::{Map, Value, json};

use crate::shop::PASSWORD;
use crate::wait::{a_while, eventually};

/// The AWS that the stack is deployed to.
#[derive(Debug, Clone)]
pub struct Aws {
    emulated: emulator::Aws,
    outputs: BTreeMap<String, String>,
}

impl Aws {
    /// The one behind the shop that `cargo local test` started.
    ///
    /// # Panics
    /// When there is none.
    pub async fn open() -> Self {
        let endpoint = std::env::var("AWS_ENDPOINT_URL");
        let endpoint =
            endpoint.expect("no AWS to disturb, AWS_ENDPOINT_URL is not set: run `cargo local test`");
        let stack = std::env::var("CARTWRIGHT_STACK").unwrap_or_else(|_| "cartwright-local".into());
        let emulated = emulator::Aws::at(endpoint);
        let outputs = answered(emulated.outputs(&stack).await);
        Self { emulated, outputs }
    }

    /// An output of the stack.
    ///
    /// # Panics
    /// When the stack has no such output.
    pub fn output(&self, name: &str) -> &str {
        self.outputs.get(name).unwrap_or_else(|| panic!("the stack has no output {name}: {:?}", self.outputs))
    }

    /// Calls an operation of a service that speaks JSON: `dynamodb`, `DynamoDB_20120810.GetItem`.
    ///
    /// # Panics
    /// When AWS refuses.
    pub async fn json(&self, service: &str, operation: &str, input: Value) -> Value {
        answered(self.emulated.call(service, operation, &input).await)
    }

    /// Why AWS refuses an operation.
    ///
    /// # Panics
    /// When AWS does not refuse it.
    pub async fn refusal(&self, service: &str, operation: &str, input: &Value) -> String {
        match self.emulated.call(service, operation, input).await {
            Err(error) => format!("{error:#}"),
            Ok(answer) => panic!("{operation} was not refused: {answer}"),
        }
    }

    async fn lambda(&self, method: Method, path: &str, input: &Value) -> Value {
        answered(self.emulated.rest(method, "lambda", &format!("/2015-03-31/{path}"), input).await)
    }

    /// An item as its table has it now; null if there is none.
    pub async fn item(&self, table: &str, (key, value): (&str, &str)) -> Value {
        let key = json!({ key: { "S": value } });
        let input = json!({ "TableName": self.output(table), "Key": key, "ConsistentRead": true });
        self.json("dynamodb", "DynamoDB_20120810.GetItem", input).await["Item"].take()
    }

    /// Writes an item behind the shop's back.
    pub async fn put_item(&self, table: &str, item: Value) {
        let input = json!({ "TableName": self.output(table), "Item": item });
        self.json("dynamodb", "DynamoDB_20120810.PutItem", input).await;
    }

    /// Deletes an item behind the shop's back.
    pub async fn delete_item(&self, table: &str, key: &str, value: &str) {
        let input = json!({ "TableName": self.output(table), "Key": { key: { "S": value } } });
        self.json("dynamodb", "DynamoDB_20120810.DeleteItem", input).await;
    }

    /// Changes attributes of an item behind the shop's back: `SET price = :price`.
    pub async fn update_item(&self, table: &str, key: (&str, &str), change: &str, values: Value) {
        let input = json!({
            "TableName": self.output(table),
            "Key": { key.0: { "S": key.1 } },
            "UpdateExpression": change,
            "ExpressionAttributeValues": values,
        });
        self.json("dynamodb", "DynamoDB_20120810.UpdateItem", input).await;
    }

    /// The keys of all objects that belong to a product.
    pub async fn objects_of(&self, product: &str) -> Vec<String> {
        self.objects("products", product).await
    }

    /// The keys of all objects that belong to a thing of this kind: `banners`, `categories`, `products`.
    pub async fn objects(&self, kind: &str, owner: &str) -> Vec<String> {
        let mut keys = Vec::new();
        for folder in ["uploads", "checked", "images"] {
            let of_thing = format!("{folder}/{kind}/{owner}");
            let found = self.keys_under(&of_thing).await;
            // A part of a thing is called `{owner}.{part}`.
            keys.extend(found.into_iter().filter(|key| key[of_thing.len()..].starts_with(['/', '.'])));
        }
        keys
    }

    /// The keys of all objects that begin with this: of uploads, of the search index and of pictures, each in their
    /// bucket.
    pub async fn keys_under(&self, prefix: &str) -> Vec<String> {
        answered(self.emulated.keys_under(self.output(bucket_of(prefix)), prefix).await)
    }

    /// Puts an object into the bucket that keys of its kind are of.
    pub async fn put_object(&self, key: &str, body: &str) {
        let bucket = self.output(bucket_of(key));
        answered(self.emulated.put(&format!("/{bucket}/{key}"), body.as_bytes().to_vec()).await);
    }

    /// In which objects of all buckets, old versions as well, one of these words is found: in their keys or bytes.
    ///
    /// # Panics
    /// When there are more than 5,000 of them in a bucket: that is a shop, and none of the tests'.
    pub async fn objects_with(&self, words: &[String]) -> Vec<String> {
        const MOST: usize = 5_000;
        let mut found = Vec::new();
        for bucket in BUCKETS {
            let name = self.output(bucket);
            let versions = answered(self.emulated.versions(name).await);
            assert!(versions.len() <= MOST, "{} objects in {bucket}", versions.len());
            for (key, version) in versions {
                let get = self.emulated.version(name, &key, &version);
                let bytes = get.send().await.expect("S3 answers").bytes().await.expect("an object");
                let text = String::from_utf8_lossy(&bytes);
                let is_in = |word: &&String| key.contains(word.as_str()) || text.contains(word.as_str());
                found.extend(words.iter().filter(is_in).map(|word| format!("{bucket} {key}: {word}")));
            }
        }
        found
    }

    /// The same by the keys alone, of however many: in which bucket, and which word.
    pub async fn keys_with(&self, words: &[String]) -> Vec<Trace> {
        let mut found = Vec::new();
        for bucket in BUCKETS {
            for (key, _) in answered(self.emulated.versions(self.output(bucket)).await) {
                found.extend(Trace::in_text(bucket, &key, words));
            }
        }
        found
    }

    /// In which tables one of these words is found.
    ///
    /// # Panics
    /// When a scan has no items.
    pub async fn tables_with(&self, words: &[String]) -> Vec<Trace> {
        let tables = self.json("dynamodb", "DynamoDB_20120810.ListTables", json!({})).await;
        let mut found = Vec::new();
        for table in tables["TableNames"].as_array().expect("tables").iter().filter_map(Value::as_str) {
            let place = table.split('-').find(|part| part.ends_with("Table")).unwrap_or(table);
            let mut scan = json!({ "TableName": table, "ConsistentRead": true });
            loop {
                let page = self.json("dynamodb", "DynamoDB_20120810.Scan", scan.clone()).await;
                for item in page["Items"].as_array().expect("items") {
                    found.extend(Trace::in_text(place, &item.to_string(), words));
                }
                match page.get("LastEvaluatedKey").filter(|last| !last.is_null()) {
                    Some(last) => scan["ExclusiveStartKey"] = last.clone(),
                    None => break,
                }
            }
        }
        found
    }

    /// In which queues, those of dead letters as well, a message has one of these words.
    pub async fn queues_with(&self, words: &[String]) -> Vec<Trace> {
        let mut found = Vec::new();
        for queue in self.outputs.keys().filter(|name| name.ends_with("QueueUrl")) {
            for message in self.messages_in(queue).await {
                found.extend(Trace::in_text(queue, &message, words));
            }
        }
        found
    }

    /// Which of these words an account in the user pool has.
    pub async fn user_pool_with(&self, words: &[String]) -> Vec<Trace> {
        let mut list = json!({ "UserPoolId": self.output("UserPoolId"), "Limit": 60 });
        let mut found = Vec::new();
        loop {
            let page = self.json("cognito-idp", &format!("{USER_POOLS}.ListUsers"), list.clone()).await;
            found.extend(Trace::in_text("user pool", &page["Users"].to_string(), words));
            match page.get("PaginationToken").filter(|token| token.is_string()) {
                Some(token) => list["PaginationToken"] = token.clone(),
                None => return found,
            }
        }
    }

    /// The executions of a workflow of the stack that run: `account-deletion`.
    ///
    /// # Panics
    /// When the list has something without an ARN, or its input is no JSON.
    pub async fn running(&self, workflow: &str) -> Vec<Execution> {
        let (prefix, _) = self.output("OrderFulfilmentArn").rsplit_once(':').expect("an ARN");
        let list = json!({
            "stateMachineArn": format!("{prefix}:{}", name_of(workflow)), "statusFilter": "RUNNING"
        });
        let running = self.json("states", "AWSStepFunctions.ListExecutions", list).await;
        let mut executions = Vec::new();
        for one in running["executions"].as_array().into_iter().flatten() {
            let describe = json!({ "executionArn": one["executionArn"] });
            let described = self.json("states", "AWSStepFunctions.DescribeExecution", describe).await;
            let text = |name: &str| described[name].as_str().expect(name);
            let input = text("input").parse().expect("JSON");
            executions.push(Execution { arn: text("executionArn").to_owned(), input });
        }
        executions
    }

    /// Ends an execution of a workflow where it is; gives whether it ran.
    pub async fn stop(&self, execution: &Execution) -> bool {
        let stop = json!({ "executionArn": execution.arn });
        self.emulated.call("states", "AWSStepFunctions.StopExecution", &stop).await.is_ok()
    }

    /// The bodies of the messages in a queue of the stack, which stay there.
    pub async fn messages_in(&self, queue: &str) -> Vec<String> {
        let page = format!("sqs/messages?QueueUrl={}", self.output(queue));
        let page = answered(self.emulated.inspect(&page).await);
        let queues = page["messages"].as_object().into_iter().flatten().flat_map(|(_, regions)| {
            regions
                .as_object()
                .into_iter()
                .flatten()
                .flat_map(|(_, queues)| queues.as_object().into_iter().flatten())
        });
        let messages = queues.flat_map(|(_, messages)| messages.as_array().into_iter().flatten());
        messages.map(|message| message["Body"].as_str().unwrap_or_default().to_owned()).collect()
    }

    /// An ID token that is good, but of a user pool that is not the shop's.
    pub async fn foreign_token(&self) -> String {
        let call = async |operation: &str, input: Value| {
            self.json("cognito-idp", &format!("{USER_POOLS}.{operation}"), input).await
        };
        let pool = call("CreateUserPool", json!({ "PoolName": "foreign" })).await["UserPool"]["Id"].clone();
        let flows = ["ALLOW_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"];
        let client = json!({ "UserPoolId": pool, "ClientName": "foreign", "ExplicitAuthFlows": flows });
        let client = call("CreateUserPoolClient", client).await["UserPoolClient"]["ClientId"].clone();
        let person = json!({ "ClientId": client, "Username": "ann", "Password": PASSWORD });
        call("SignUp", person).await;
        call("AdminConfirmSignUp", json!({ "UserPoolId": pool, "Username": "ann" })).await;
        let credentials = json!({ "USERNAME": "ann", "PASSWORD": PASSWORD });
        let input =
            json!({ "ClientId": client, "AuthFlow": "USER_PASSWORD_AUTH", "AuthParameters": credentials });
        let signed_in = call("InitiateAuth", input).await;
        call("DeleteUserPool", json!({ "UserPoolId": pool })).await;
        signed_in["AuthenticationResult"]["IdToken"].as_str().expect("a token").to_owned()
    }

    /// Sends a message to a queue of the stack.
    pub async fn send_message(&self, queue: &str, message: &Value) {
        let input = json!({ "QueueUrl": self.output(queue), "MessageBody": message.to_string() });
        self.json("sqs", "AmazonSQS.SendMessage", input).await;
    }

    /// Forgets what is in a queue of the stack.
    pub async fn purge(&self, queue: &str) {
        self.json("sqs", "AmazonSQS.PurgeQueue", json!({ "QueueUrl": self.output(queue) })).await;
    }

    /// Waits until the stack's queues are empty and nothing is being worked on.
    pub async fn quiet(&self) {
        eventually("the queues are empty", async || {
            let is_worked_on =
                |name: &str| name.ends_with("QueueUrl") && !name.ends_with("DeadLetterQueueUrl");
            for queue in self.outputs.keys().filter(|name| is_worked_on(name)) {
                let names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"];
                let input = json!({ "QueueUrl": self.output(queue), "AttributeNames": names });
                let answer = self.json("sqs", "AmazonSQS.GetQueueAttributes", input).await;
                if names.iter().any(|name| answer["Attributes"][name] != "0") {
                    return None;
                }
            }
            let input =
                json!({ "stateMachineArn": self.output("OrderFulfilmentArn"), "statusFilter": "RUNNING" });
            let running = self.json("states", "AWSStepFunctions.ListExecutions", input).await;
            running["executions"].as_array().is_some_and(Vec::is_empty).then_some(())
        })
        .await;
    }

    /// Starts the fulfilment of an order, besides the one that consume-orders starts.
    pub async fn start_fulfilment(&self, order: &str, name: &str) {
        let input = json!({
            "stateMachineArn": self.output("OrderFulfilmentArn"),
            "name": name,
            "input": json!({ "orderId": order }).to_string(),
        });
        self.json("states", "AWSStepFunctions.StartExecution", input).await;
    }

    /// Runs a function and gives what it answers.
    pub async fn invoke(&self, function: &str, event: &Value) -> Value {
        self.lambda(Method::POST, &format!("functions/{}/invocations", name_of(function)), event).await
    }

    /// Runs a function of a schedule as if it were so much later.
    pub async fn run_on_schedule(&self, function: &str, later: Duration) {
        self.run_asked(function, later, &json!({})).await;
    }

    /// The same, asking for what its schedule does not ask, and what it answers.
    pub async fn run_asked(&self, function: &str, later: Duration, detail: &Value) -> Value {
        let event = json!({
            "version": "0",
            "id": "53dc4d37-cffa-4f76-80c9-8b7d4a4d2eaa",
            "detail-type": "Scheduled Event",
            "source": "aws.events",
            "account": "000000000000",
            "time": in_the_future(later),
            "region": "us-east-1",
            "resources": ["arn:aws:events:us-east-1:000000000000:rule/tests"],
            "detail": detail,
        });
        let answer = self.invoke(function, &event).await;
        assert!(answer["errorMessage"].is_null(), "{function} failed: {answer}");
        answer
    }

    /// Tells of a mail to this address what SES would tell, which the emulator does not: AWS's own example, as of now.
    pub async fn tells_of_mail(&self, feedback: Feedback, address: &str) {
        let (sample, part) = match feedback {
            Feedback::Bounced | Feedback::BouncedForAWhile => ("bounce", "bounce"),
            Feedback::Complained => ("complaint", "complaint"),
        };
        let sample = crate::template::text(&format!("functions/users/samples/ses-{sample}.json"));
        let mut event: Value =
            sample.replace("recipient@example.com", address).parse().expect("AWS's example is JSON");
        event[part]["timestamp"] = in_the_future(Duration::ZERO).into();
        if feedback == Feedback::BouncedForAWhile {
            event[part]["bounceType"] = "Transient".into();
        }
        let event = event.to_string();
        let published = [("TopicArn", self.output("EmailFeedbackTopicArn")), ("Message", &event)];
        answered(self.emulated.query("sns", "Publish", &published).await);
    }

    /// Collects the notices to the admins from now on.
    pub async fn listen_to_notices(&self) -> Inbox {
        let name = crate::shop::unique("notices").replace(' ', "-");
        let topic = self.output("NoticeTopicArn");
        let policy = json!({
            "Version": "2012-10-17",
            "Statement": [{
                "Effect": "Allow",
                "Principal": { "Service": "sns.amazonaws.com" },
                "Action": "sqs:SendMessage",
                "Resource": "*",
                "Condition": { "ArnEquals": { "aws:SourceArn": topic } },
            }],
        });
        let queue = json!({ "QueueName": name, "Attributes": { "Policy": policy.to_string() } });
        let created = self.json("sqs", "AmazonSQS.CreateQueue", queue).await;
        let queue = created["QueueUrl"].as_str().expect("a queue").to_owned();
        let names = json!({ "QueueUrl": queue, "AttributeNames": ["QueueArn"] });
        let attributes = self.json("sqs", "AmazonSQS.GetQueueAttributes", names).await;
        let arn = attributes["Attributes"]["QueueArn"].as_str().expect("its ARN");
        let queue_of_topic = [("TopicArn", topic), ("Protocol", "sqs"), ("Endpoint", arn)];
        let xml = answered(self.emulated.query("sns", "Subscribe", &queue_of_topic).await);
        let subscription = xml.split_once("<SubscriptionArn>").and_then(|(_, rest)| rest.split_once('<'));
        Inbox { queue, subscription: subscription.expect("a subscription").0.to_owned() }
    }

    /// The notices that have come: `{"Subject": …, "Message": …}`.
    pub async fn notices_in(&self, inbox: &Inbox) -> Vec<Value> {
        let input = json!({ "QueueUrl": inbox.queue, "MaxNumberOfMessages": 10 });
        let received = self.json("sqs", "AmazonSQS.ReceiveMessage", input).await;
        let messages = received["Messages"].as_array().into_iter().flatten();
        let bodies = messages.map(|message| message["Body"].as_str().expect("a body").parse().expect("JSON"));
        bodies.collect()
    }

    /// The next notice, as soon as there is one.
    pub async fn notice_in(&self, inbox: &Inbox) -> Value {
        eventually("a notice comes", async || self.notices_in(inbox).await.into_iter().next()).await
    }

    /// Collects no more notices.
    pub async fn stop_listening(&self, inbox: Inbox) {
        let subscription = [("SubscriptionArn", inbox.subscription.as_str())];
        answered(self.emulated.query("sns", "Unsubscribe", &subscription).await);
        self.json("sqs", "AmazonSQS.DeleteQueue", json!({ "QueueUrl": inbox.queue })).await;
    }

    /// Lets tokens that are given from now on expire after a second, until the result is dropped.
    pub async fn shorten_tokens(&self) -> Undo {
        self.json("cognito-idp", UPDATE_CLIENT, self.tokens_good_for(1, "seconds")).await;
        let operation = Operation::Json { service: "cognito-idp", operation: UPDATE_CLIENT };
        Undo { aws: self.clone(), restore: vec![(operation, self.tokens_good_for(60, "minutes"))] }
    }

    /// Lets tokens that are given from now on be good for a day, the longest that Cognito knows.
    pub async fn lengthen_tokens(&self) {
        self.json("cognito-idp", UPDATE_CLIENT, self.tokens_good_for(24, "hours")).await;
    }

    /// The settings of the user pool's client, all of which an update takes, with another life of its tokens.
    fn tokens_good_for(&self, validity: u32, unit: &str) -> Value {
        json!({
            "UserPoolId": self.output("UserPoolId"),
            "ClientId": self.output("UserPoolClientId"),
            "ExplicitAuthFlows": ["ALLOW_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"],
            "PreventUserExistenceErrors": "ENABLED",
            "EnableTokenRevocation": true,
            "ReadAttributes": ["email", "email_verified", "name"],
            "WriteAttributes": ["email"],
            "AccessTokenValidity": validity,
            "IdTokenValidity": validity,
            "RefreshTokenValidity": 30,
            "TokenValidityUnits": { "AccessToken": unit, "IdToken": unit, "RefreshToken": "days" },
        })
    }

    /// Begins to change a function, also one that is called by its alias; see [`Change::make`].
    pub async fn change(&self, function: &str) -> Change {
        let function = format!("functions/{}", name_of(function));
        let aliases = self.lambda(Method::GET, &format!("{function}/aliases"), &Value::Null).await;
        let mut aliases = aliases["Aliases"].as_array().into_iter().flatten();
        let released =
            aliases.find(|alias| alias["Name"] == "live").map(|alias| alias["FunctionVersion"].clone());
        let before = self.lambda(Method::GET, &format!("{function}/configuration"), &Value::Null).await;
        let environment = before["Environment"]["Variables"].as_object().cloned().unwrap_or_default();
        Change {
            aws: self.clone(),
            function,
            released,
            timeout: before["Timeout"].clone(),
            before: json!({ "Environment": { "Variables": environment }, "Timeout": before["Timeout"] }),
            environment,
        }
    }

    /// Delivers what a queue's consumer failed at again after 3 seconds instead of a minute and more, until the result
    /// is dropped.
    pub async fn hurry(&self, queue: &str) -> Undo {
        let operation = Operation::Json { service: "sqs", operation: "AmazonSQS.SetQueueAttributes" };
        let url = self.output(queue);
        let names = json!({ "QueueUrl": url, "AttributeNames": ["VisibilityTimeout"] });
        let before = self.json("sqs", "AmazonSQS.GetQueueAttributes", names).await["Attributes"].clone();
        let soon = json!({ "QueueUrl": url, "Attributes": { "VisibilityTimeout": "3" } });
        operation.call(self, &soon).await;
        let restore = json!({ "QueueUrl": url, "Attributes": before });
        Undo { aws: self.clone(), restore: vec![(operation, restore)] }
    }

    /// Stops a function from consuming its queue, or the streams that it reads, until the result is dropped.
    pub async fn pause(&self, consumer: &str) -> Undo {
        let list = format!("event-source-mappings?FunctionName={}", name_of(consumer));
        let mappings = self.lambda(Method::GET, &list, &Value::Null).await;
        let mut restore = Vec::new();
        for mapping in mappings["EventSourceMappings"].as_array().into_iter().flatten() {
            let path = format!("event-source-mappings/{}", mapping["UUID"].as_str().expect("its id"));
            self.lambda(Method::PUT, &path, &json!({ "Enabled": false })).await;
            restore.push((Operation::Lambda { path }, json!({ "Enabled": true })));
        }
        assert!(!restore.is_empty(), "{consumer} has no event source mapping");
        // A poll that has begun may still deliver.
        a_while().await;
        Undo { aws: self.clone(), restore }
    }
}

/// All buckets of the stack.
const BUCKETS: [&str; 3] = ["MediaBucket", "SearchBucket", "UploadsBucket"];

/// What operations on the user pool begin with.
const USER_POOLS: &str = "AWSCognitoIdentityProviderService";

/// An execution of a workflow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Execution {
    arn: String,
    /// What it was given.
    pub input: Value,
}

/// Where one of some words was found.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Trace {
    /// `UsersTable`, `MediaBucket`, `user pool`, `EmailsQueueUrl`, or a function's log.
    pub place: String,
    /// The word.
    pub word: String,
}

impl Trace {
    /// Those of these words that a text has, which is in this place.
    pub fn in_text(place: &str, text: &str, words: &[String]) -> Vec<Self> {
        let found = words.iter().filter(|word| text.contains(word.as_str()));
        found.map(|word| Self { place: place.to_owned(), word: word.clone() }).collect()
    }
}

const UPDATE_CLIENT: &str = "AWSCognitoIdentityProviderService.UpdateUserPoolClient";

/// As the template names it.
fn name_of(function: &str) -> String {
    format!("cartwright-local-{function}")
}

/// What AWS answered: a test needs no more of an error than to fail with it.
#[track_caller]
fn answered<T>(answer: anyhow::Result<T>) -> T {
    answer.unwrap_or_else(|error| panic!("{error:#}"))
}

/// What SES tells of a mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Feedback {
    /// It came back for good.
    Bounced,
    /// It came back for a while.
    BouncedForAWhile,
    /// Its reader called it spam.
    Complained,
}

#[expect(clippy::disallowed_methods, reason = "a test stands outside of the shop, where the time comes from")]
fn in_the_future(later: Duration) -> String {
    let time = jiff::Timestamp::now() + later;
    format!("{time:.0}")
}

/// In which bucket objects lie whose keys begin so.
fn bucket_of(prefix: &str) -> &'static str {
    match prefix.split('/').next() {
        Some("uploads" | "exports") => "UploadsBucket",
        Some("index") => "SearchBucket",
        _ => "MediaBucket",
    }
}

/// The time so long ago.
#[expect(clippy::disallowed_methods, reason = "a test stands outside of the shop, where the time comes from")]
pub fn ago(before: Duration) -> String {
    let time = jiff::Timestamp::now() - before;
    format!("{time:.3}")
}

/// Where the notices to the admins are collected.
#[derive(Debug)]
pub struct Inbox {
    queue: String,
    subscription: String,
}

/// A change of a function's configuration that is not made yet.
#[derive(Debug)]
pub struct Change {
    aws: Aws,
    function: String,
    /// The version that its alias leads to, where it has one.
    released: Option<Value>,
    before: Value,
    environment: Map<String, Value>,
    timeout: Value,
}

impl Change {
    /// With another value of an environment variable.
    #[must_use]
    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.environment.insert(name.into(), value.into());
        self
    }

    /// With another timeout.
    #[must_use]
    pub fn timeout(self, seconds: u32) -> Self {
        Self { timeout: seconds.into(), ..self }
    }

    /// Makes it, and has the alias lead to it where there is one, until the result is dropped.
    pub async fn make(self) -> Undo {
        let configuration = Operation::Lambda { path: format!("{}/configuration", self.function) };
        let changed = json!({ "Environment": { "Variables": self.environment }, "Timeout": self.timeout });
        configuration.call(&self.aws, &changed).await;
        let mut restore = Vec::new();
        if let Some(released) = self.released {
            let alias = Operation::Lambda { path: format!("{}/aliases/live", self.function) };
            alias.call(&self.aws, &json!({ "FunctionVersion": "$LATEST" })).await;
            restore.push((alias, json!({ "FunctionVersion": released })));
        }
        restore.push((configuration, self.before));
        Undo { aws: self.aws, restore }
    }
}

/// Undoes a change when it is dropped, also when the test fails.
#[derive(Debug)]
#[must_use = "the change lasts until this is dropped"]
pub struct Undo {
    aws: Aws,
    restore: Vec<(Operation, Value)>,
}

#[derive(Debug)]
enum Operation {
    Lambda { path: String },
    Json { service: &'static str, operation: &'static str },
}

impl Operation {
    async fn call(&self, aws: &Aws, input: &Value) {
        match self {
            Self::Lambda { path } => aws.lambda(Method::PUT, path, input).await,
            Self::Json { service, operation } => aws.json(service, operation, input.clone()).await,
        };
    }
}

impl Undo {
    /// Undoes the change now.
    pub fn undo(self) {
        drop(self);
    }
}

impl Drop for Undo {
    fn drop(&mut self) {
        // On a thread and a runtime of its own: a drop cannot wait on the test's.
        let undo = || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.expect("a runtime").block_on(async {
                let emulated = self.aws.emulated.over_other_connections();
                let aws = Aws { emulated, ..self.aws.clone() };
                for (operation, before) in &self.restore {
                    operation.call(&aws, before).await;
                }
            });
        };
        std::thread::scope(|scope| scope.spawn(undo).join()).expect("the change is undone");
    }
}
