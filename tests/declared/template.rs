//! The rules that `template.yaml` keeps, and that template, contract and code say the same.

use std::collections::BTreeSet;
use std::fmt::Debug;

use serde_json::{Value, json};
use tests::files::files_under;
use tests::template::{
    Binary, Resource, Route, Template, operations, pascal, routes_of_the_contract, text, yaml,
};

/// What may be called without a token, and nothing else.
const PUBLIC: [&str; 17] = [
    "GET /approve-products",
    "GET /banners",
    "GET /categories",
    "GET /docs",
    "GET /docs/{file}",
    "GET /health",
    "GET /openapi.json",
    "GET /products",
    "GET /products/{id}",
    "POST /confirm-sign-up",
    "POST /forgot-password",
    "POST /refresh-token",
    "POST /resend-code",
    "POST /reset-password",
    "POST /sign-in",
    "POST /sign-out",
    "POST /sign-up",
];

/// What AWS lets nobody narrow: who may do it, and what.
///
/// SAM adds two policies of AWS's own to each role, for writing logs (`AWSLambdaBasicExecutionRole`) and traces
/// (`AWSXrayWriteOnlyAccess`). They let a function write, and read nothing of the shop; traces have no ARN:
/// <https://docs.aws.amazon.com/xray/latest/devguide/security_iam_service-with-iam.html>.
const WILDCARDS: [(&str, &str); 8] = [
    // Log deliveries have no ARN: https://docs.aws.amazon.com/step-functions/latest/dg/cw-logs.html
    ("OrderFulfilment", "logs:CreateLogDelivery on *"),
    ("OrderFulfilment", "logs:DeleteLogDelivery on *"),
    ("OrderFulfilment", "logs:DescribeLogGroups on *"),
    ("OrderFulfilment", "logs:DescribeResourcePolicies on *"),
    ("OrderFulfilment", "logs:GetLogDelivery on *"),
    ("OrderFulfilment", "logs:ListLogDeliveries on *"),
    ("OrderFulfilment", "logs:PutResourcePolicy on *"),
    ("OrderFulfilment", "logs:UpdateLogDelivery on *"),
];

// ── Code, template and contract ────────────────────────────────────────────────────────────────────────────

#[test]
fn every_binary_has_exactly_one_function_and_every_function_a_binary() {
    let binaries: Vec<_> = Binary::all().into_iter().map(|binary| binary.name).collect();
    let functions: Vec<_> =
        Template::read().functions().map(|function| function.binary().to_owned()).collect();
    assert_same(("a binary", &binaries), ("a function", &functions));
    let unique: BTreeSet<_> = binaries.iter().collect();
    assert_eq!((unique.len(), functions.len()), (binaries.len(), binaries.len()), "a name is used twice");
}

#[test]
fn a_function_is_named_after_its_binary() {
    for function in Template::read().functions() {
        let binary = function.binary();
        assert_eq!(function.id, format!("{}Function", pascal(binary)));
        assert_eq!(
            *function.property("FunctionName"),
            json!({"Fn::Sub": format!("cartwright-${{Stage}}-{binary}")})
        );
    }
}

#[test]
fn a_description_is_the_first_line_of_the_binary() {
    let template = Template::read();
    for binary in Binary::all() {
        let function = template.functions().find(|function| function.binary() == binary.name);
        let function = function.unwrap_or_else(|| panic!("{} has no function", binary.name));
        assert_eq!(*function.property("Description"), json!(binary.headline()), "{}", binary.name);
    }
}

#[test]
fn a_function_logs_to_the_group_of_its_service() {
    let template = Template::read();
    for binary in Binary::all() {
        let function = template.functions().find(|function| function.binary() == binary.name);
        let function = function.unwrap_or_else(|| panic!("{} has no function", binary.name));
        let group = json!({"Ref": format!("{}Logs", pascal(&binary.service))});
        assert_eq!(function.property("LoggingConfig")["LogGroup"], group, "{}", binary.name);
    }
}

#[test]
fn the_functions_of_a_section_stand_by_alphabet() {
    let text = text("template.yaml");
    for section in text.split("\n  # ── ") {
        let ids: Vec<_> = section
            .lines()
            .filter_map(|line| line.strip_prefix("  ")?.strip_suffix("Function:"))
            .filter(|id| !id.starts_with(' '))
            .collect();
        assert!(ids.is_sorted(), "{ids:?}");
    }
}

#[test]
fn template_code_and_contract_have_the_same_routes() {
    let template: Vec<_> = Template::read().routes().into_iter().map(|(route, _)| route).collect();
    let contract: Vec<_> = routes_of_the_contract().into_iter().map(|(route, _)| route).collect();
    let code: Vec<_> = Binary::all().iter().flat_map(Binary::routes).collect();
    assert_same(("the template", &template), ("the contract", &contract));
    assert_same(("the template", &template), ("the code", &code));
}

#[test]
fn template_and_contract_agree_on_what_is_public() {
    let template: Vec<_> = Template::read().routes().into_iter().collect();
    let contract: Vec<_> = routes_of_the_contract().into_iter().collect();
    assert_same(("the template", &template), ("the contract", &contract));
}

#[test]
fn exactly_these_routes_are_public() {
    let routes = Template::read().routes().into_iter();
    let public =
        routes.filter(|(_, public)| *public).map(|(route, _)| format!("{} {}", route.method, route.path));
    assert_eq!(public.collect::<BTreeSet<_>>(), PUBLIC.map(str::to_owned).into());
}

#[test]
fn what_is_public_to_read_answers_head_as_well() {
    let template = Template::read();
    let reads = template.routes().into_iter().filter(|(route, public)| route.method == "GET" && *public);
    let heads = reads.map(|(route, public)| (Route { method: "HEAD".into(), ..route }, public));
    assert_same(
        ("the public GET routes", &heads.collect::<Vec<_>>()),
        ("the HEAD routes", &template.heads().into_iter().collect::<Vec<_>>()),
    );
}

#[test]
fn every_operation_says_who_may_call_it() {
    for operation in operations() {
        let who: Vec<_> = operation.who.iter().map(String::as_str).collect();
        let is_known = matches!(who[..], ["public" | "user" | "owner" | "admin"] | ["admin", "owner"]);
        assert!(is_known, "{:?}: x-who is {who:?}", operation.route);
        assert_eq!(operation.is_public, who == ["public"], "{:?}", operation.route);
    }
}

#[test]
fn browsers_call_the_api_only_from_the_allowed_origins() {
    let template = Template::read();
    let api = template.of("AWS::Serverless::HttpApi").next().unwrap();
    let cors = api.property("CorsConfiguration");
    assert_eq!(cors["Fn::If"][0], "HasAllowedOrigins");
    assert_eq!(cors["Fn::If"][2], json!({"Ref": "AWS::NoValue"}));
    let cors = &cors["Fn::If"][1];
    assert_eq!(cors["AllowOrigins"], json!({"Fn::Split": [",", {"Ref": "AllowedOrigins"}]}));
    // Credentials are tokens in a header: no cookie goes along, so that even `*` gives a page nothing of its visitor's.
    assert!(cors["AllowCredentials"].is_null());
    let methods = Template::read().routes().into_iter().map(|(route, _)| route.method);
    let methods: Vec<_> = methods.chain(["HEAD".to_owned()]).collect();
    assert_same(("the routes", &methods), ("the allowed methods", &texts(&cors["AllowMethods"])));
    let allowed = texts(&cors["AllowHeaders"]);
    for needed in ["authorization", "content-type", "idempotency-key", "if-none-match"] {
        assert!(allowed.iter().any(|name| name == needed), "{needed}");
    }
}

#[test]
fn a_route_that_says_nothing_needs_a_token() {
    let template = Template::read();
    let [api] = template.of("AWS::Serverless::HttpApi").collect::<Vec<_>>()[..] else {
        panic!("not one API")
    };
    let auth = api.property("Auth");
    let default = auth["DefaultAuthorizer"].as_str().unwrap();
    let authorizer = &auth["Authorizers"][default]["JwtConfiguration"];
    assert!(authorizer["issuer"]["Fn::Sub"].as_str().unwrap().ends_with("/${UserPool}"));
    assert_eq!(authorizer["audience"], json!([{"Ref": "UserPoolClient"}]));
}

#[test]
fn no_code_knows_where_it_runs() {
    let mut files = vec!["template.yaml".to_owned()];
    for folder in ["functions", "shared/src", "statemachines"] {
        files.extend(files_under(folder));
    }
    for file in files {
        let text = text(&file).to_lowercase();
        for word in ["ministack", "localhost", "127.0.0.1"] {
            assert!(!text.contains(word), "{file} names {word}");
        }
    }
}

// ── Functions ──────────────────────────────────────────────────────────────────────────────────────────────

#[test]
fn every_function_has_a_memory_a_timeout_and_a_log_group_of_its_own_choice() {
    for function in Template::read().functions() {
        let memory = function.property("MemorySize").as_u64();
        let timeout = function.property("Timeout").as_u64();
        assert!(
            memory.is_some_and(|megabytes| (128..=1024).contains(&megabytes)),
            "{}: {memory:?}",
            function.id
        );
        assert!(timeout.is_some_and(|seconds| (1..=60).contains(&seconds)), "{}: {timeout:?}", function.id);
        assert!(function.property("LoggingConfig")["LogGroup"]["Ref"].is_string(), "{}", function.id);
    }
}

#[test]
fn a_function_behind_the_api_answers_before_the_api_gives_up() {
    for function in Template::read().functions() {
        let is_http = function.events().iter().any(|(_, event)| event["Type"] == "HttpApi");
        assert!(!is_http || function.property("Timeout").as_u64() < Some(30), "{}", function.id);
    }
}

#[test]
fn an_event_that_nobody_waits_for_is_retried_or_repeated_and_never_lost_in_silence() {
    let template = Template::read();
    for function in template.functions() {
        let invocations = function.property("EventInvokeConfig");
        for (name, event) in function.events() {
            match event["Type"].as_str().unwrap() {
                "S3" => {
                    let queue =
                        template.named_by(&invocations["DestinationConfig"]["OnFailure"]["Destination"]);
                    assert!(queue.id.ends_with("DeadLetterQueue"), "{}: {name}", function.id);
                }
                "Schedule" => {
                    assert_eq!(invocations["MaximumRetryAttempts"], json!(0), "{}: {name}", function.id);
                }
                "HttpApi" | "Cognito" => {}
                other => panic!("{}: say here what becomes of a failed {other} event", function.id),
            }
        }
    }
}

#[test]
fn no_policy_has_a_wildcard_that_could_be_narrower() {
    let mut found = BTreeSet::new();
    for resource in Template::read().resources() {
        for statement in statements(resource).iter().filter(|statement| statement["Effect"] != "Deny") {
            for word in ["NotAction", "NotResource", "NotPrincipal"] {
                assert!(statement.get(word).is_none(), "{}: {word}", resource.id);
            }
            for action in texts(&statement["Action"]) {
                for target in texts(&statement["Resource"]) {
                    let is_wide = action.contains(['*', '?']) || target.contains(['*', '?']);
                    if is_wide && !is_one_folder_of_a_bucket(&action, &target) {
                        found.insert((resource.id.clone(), format!("{action} on {target}")));
                    }
                }
            }
        }
    }
    let allowed = WILDCARDS.map(|(id, what)| (id.to_owned(), what.to_owned()));
    assert_eq!(found, allowed.into());
}

#[test]
fn a_function_has_no_role_but_its_own() {
    let template = Template::read();
    for function in template.functions() {
        assert!(function.property("Role").is_null(), "{}", function.id);
    }
    assert!(yaml("template.yaml")["Globals"]["Function"].get("Policies").is_none());
}

// ── Data ───────────────────────────────────────────────────────────────────────────────────────────────────

#[test]
fn every_table_can_be_restored_to_any_second() {
    for table in Template::read().of("AWS::DynamoDB::Table") {
        let recovery = &table.property("PointInTimeRecoverySpecification")["PointInTimeRecoveryEnabled"];
        assert_eq!(*recovery, json!(true), "{}", table.id);
        assert_eq!(*table.property("BillingMode"), json!("PAY_PER_REQUEST"), "{}", table.id);
    }
}

#[test]
fn what_holds_data_outlives_its_stack() {
    let template = Template::read();
    for kind in ["AWS::DynamoDB::Table", "AWS::S3::Bucket", "AWS::Cognito::UserPool"] {
        for resource in template.of(kind) {
            // Retained, except by a first deployment that failed.
            assert_eq!(resource.body["DeletionPolicy"], "RetainExceptOnCreate", "{}", resource.id);
            assert_eq!(resource.body["UpdateReplacePolicy"], "Retain", "{}", resource.id);
        }
    }
}

#[test]
fn in_production_nothing_that_holds_people_or_orders_can_be_deleted() {
    let template = Template::read();
    for table in template.of("AWS::DynamoDB::Table") {
        let protection = table.property("DeletionProtectionEnabled");
        assert_eq!(*protection, json!({"Fn::If": ["IsProduction", true, false]}), "{}", table.id);
    }
    for pool in template.of("AWS::Cognito::UserPool") {
        let protection = pool.property("DeletionProtection");
        assert_eq!(*protection, json!({"Fn::If": ["IsProduction", "ACTIVE", "INACTIVE"]}), "{}", pool.id);
    }
}

#[test]
fn anyone_reads_images_and_nothing_else() {
    let template = Template::read();
    let mut open = Vec::new();
    for resource in template.resources() {
        for statement in statements(resource) {
            if statement["Effect"] == "Allow" && !statement["Principal"].is_null() {
                open.push((resource.id.as_str(), statement["Action"].clone(), statement["Resource"].clone()));
            }
        }
    }
    let images = json!({"Fn::Sub": "${MediaBucket.Arn}/images/*"});
    assert_eq!(open, [("MediaBucketPolicy", json!("s3:GetObject"), images)]);
    for bucket in template.of("AWS::S3::Bucket") {
        let access = bucket.property("PublicAccessBlockConfiguration");
        assert_eq!((&access["BlockPublicAcls"], &access["IgnorePublicAcls"]), (&json!(true), &json!(true)));
        let ownership = &bucket.property("OwnershipControls")["Rules"][0]["ObjectOwnership"];
        assert_eq!(*ownership, json!("BucketOwnerEnforced"));
    }
}

#[test]
fn nobody_reaches_the_bucket_without_tls() {
    let template = Template::read();
    let policy = template.of("AWS::S3::BucketPolicy").next().unwrap();
    let denials: Vec<_> =
        statements(policy).into_iter().filter(|statement| statement["Effect"] == "Deny").collect();
    let [denial] = denials.as_slice() else { panic!("not one denial") };
    assert_eq!(denial["Condition"], json!({"Bool": {"aws:SecureTransport": "false"}}));
    assert_eq!(
        (&denial["Principal"], &denial["Action"], denial["Resource"].as_array().map(Vec::len)),
        (&json!("*"), &json!("s3:*"), Some(2))
    );
}

#[test]
fn browsers_may_only_upload_and_only_from_the_allowed_origins() {
    let template = Template::read();
    let bucket = template.of("AWS::S3::Bucket").next().unwrap();
    let rules = &bucket.property("CorsConfiguration")["Fn::If"][1]["CorsRules"];
    assert_eq!(rules.as_array().map(Vec::len), Some(1));
    assert_eq!(rules[0]["AllowedMethods"], json!(["PUT"]));
    assert_eq!(rules[0]["AllowedOrigins"], json!({"Fn::Split": [",", {"Ref": "AllowedOrigins"}]}));
}

#[test]
fn an_upload_is_forgotten_after_a_day() {
    let template = Template::read();
    let bucket = template.of("AWS::S3::Bucket").next().unwrap();
    let rules = bucket.property("LifecycleConfiguration")["Rules"].as_array().unwrap();
    let expiring: Vec<_> = rules.iter().filter(|rule| !rule["ExpirationInDays"].is_null()).collect();
    let [rule] = expiring.as_slice() else { panic!("not one rule that expires") };
    let rule = (&rule["Status"], &rule["Prefix"], &rule["ExpirationInDays"]);
    assert_eq!(rule, (&json!("Enabled"), &json!("uploads/"), &json!(1)));
}

// ── Queues ─────────────────────────────────────────────────────────────────────────────────────────────────

#[test]
fn every_queue_has_a_dead_letter_queue_that_keeps_its_messages_for_two_weeks() {
    let template = Template::read();
    for queue in template.of("AWS::SQS::Queue") {
        assert_eq!(*queue.property("MessageRetentionPeriod"), json!(1_209_600), "{}", queue.id);
        let redrive = queue.property("RedrivePolicy");
        if is_dead_letter_queue(queue) {
            assert!(redrive.is_null(), "{} is where messages end", queue.id);
        } else {
            let target = template.named_by(&redrive["deadLetterTargetArn"]);
            assert!(is_dead_letter_queue(target), "{}: {}", queue.id, target.id);
            // Fewer than five, and a throttled consumer alone would fill it.
            assert!(redrive["maxReceiveCount"].as_u64() >= Some(5), "{}", queue.id);
        }
    }
}

#[test]
fn every_queue_has_one_consumer_that_gives_back_the_failed_messages_alone() {
    let template = Template::read();
    let mut consumed: Vec<_> = template
        .of("AWS::Lambda::EventSourceMapping")
        .map(|mapping| {
            assert_eq!(
                *mapping.property("FunctionResponseTypes"),
                json!(["ReportBatchItemFailures"]),
                "{}",
                mapping.id
            );
            template.named_by(mapping.property("EventSourceArn")).id.clone()
        })
        .collect();
    consumed.sort();
    let mut queues: Vec<_> = template
        .of("AWS::SQS::Queue")
        .filter(|queue| !is_dead_letter_queue(queue))
        .map(|queue| queue.id.clone())
        .collect();
    queues.sort();
    assert_eq!(consumed, queues);
}

#[test]
fn a_message_stays_invisible_for_six_times_its_consumers_timeout() {
    let template = Template::read();
    for mapping in template.of("AWS::Lambda::EventSourceMapping") {
        let queue = template.named_by(mapping.property("EventSourceArn"));
        let consumer = template.named_by(mapping.property("FunctionName"));
        let timeout = consumer.property("Timeout").as_u64().unwrap();
        assert_eq!(queue.property("VisibilityTimeout").as_u64(), Some(6 * timeout), "{}", queue.id);
    }
}

// ── The workflow ───────────────────────────────────────────────────────────────────────────────────────────

#[test]
fn every_state_says_what_it_is_for_and_leads_to_one_that_exists() {
    let workflow = yaml("statemachines/order-fulfilment.asl.yaml");
    let states = workflow["States"].as_object().unwrap();
    let mut reached = BTreeSet::from([workflow["StartAt"].as_str().unwrap()]);
    for (name, state) in states {
        assert!(state["Comment"].as_str().is_some_and(|comment| comment.ends_with('.')), "{name}");
        let ways = [&state["Choices"], &state["Catch"]].into_iter().filter_map(Value::as_array).flatten();
        reached.extend(ways.chain([state]).filter_map(|way| way["Next"].as_str()));
        reached.extend(state["Default"].as_str());
    }
    assert_eq!(reached, states.keys().map(String::as_str).collect());
}

#[test]
fn every_task_is_retried_with_jitter_and_has_a_timeout() {
    let workflow = yaml("statemachines/order-fulfilment.asl.yaml");
    for (name, state) in workflow["States"].as_object().unwrap() {
        if state["Type"] == "Task" {
            let retry = &state["Retry"][0];
            assert_eq!(
                (&retry["ErrorEquals"], &retry["JitterStrategy"]),
                (&json!(["States.ALL"]), &json!("FULL")),
                "{name}"
            );
            assert!(
                retry["MaxAttempts"].as_u64() >= Some(3) && retry["BackoffRate"].as_u64() >= Some(2),
                "{name}"
            );
            assert!(state["TimeoutSeconds"].is_u64(), "{name}");
        }
    }
}

#[test]
fn until_the_order_is_shipped_every_failure_leads_to_its_release() {
    let workflow = yaml("statemachines/order-fulfilment.asl.yaml");
    for name in ["QueueConfirmationEmail", "ShipOrder"] {
        let catch = json!([{"ErrorEquals": ["States.ALL"], "Next": "ReleaseOrder"}]);
        assert_eq!(workflow["States"][name]["Catch"], catch, "{name}");
    }
}

#[test]
fn the_template_fills_in_what_the_workflow_leaves_open() {
    let template = Template::read();
    let machine = template.of("AWS::Serverless::StateMachine").next().unwrap();
    let given: BTreeSet<_> =
        machine.property("DefinitionSubstitutions").as_object().unwrap().keys().cloned().collect();
    let workflow = text(machine.property("DefinitionUri").as_str().unwrap());
    let open = workflow.split("${").skip(1).map(|rest| rest.split_once('}').unwrap().0.to_owned());
    assert_eq!(open.collect::<BTreeSet<_>>(), given);
}

// ── The stack ──────────────────────────────────────────────────────────────────────────────────────────────

#[test]
fn the_stack_stays_under_450_of_cloudformations_500_resources() {
    let count: usize = Template::read().resources().iter().map(resources_after_the_transform).sum();
    assert!(count <= 450, "{count}");
}

#[test]
fn every_parameter_has_a_default_and_a_description() {
    let template = yaml("template.yaml");
    for (name, parameter) in template["Parameters"].as_object().unwrap() {
        assert!(parameter["Description"].as_str().is_some_and(|text| text.ends_with('.')), "{name}");
        assert!(!parameter["Default"].is_null(), "{name}");
    }
}

/// Says what one has and the other lacks, rather than all of both.
fn assert_same<T: Ord + Debug>((one, ones): (&str, &[T]), (other, others): (&str, &[T])) {
    let ones: BTreeSet<_> = ones.iter().collect();
    let others: BTreeSet<_> = others.iter().collect();
    let only_ones: Vec<_> = ones.difference(&others).collect();
    let only_others: Vec<_> = others.difference(&ones).collect();
    assert!(
        only_ones.is_empty() && only_others.is_empty(),
        "only {one} has {only_ones:#?}, only {other} has {only_others:#?}"
    );
}

/// How many resources SAM makes of one. (For the first template it said 112, and 112 were deployed.) The rules:
/// <https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-specification-generated-resources.html>.
fn resources_after_the_transform(resource: &Resource) -> usize {
    match resource.kind() {
        // The function and its role.
        "AWS::Serverless::Function" => {
            let events = resource.events().into_iter().map(|(name, event)| match event["Type"].as_str() {
                // A permission.
                Some("HttpApi" | "Cognito" | "S3") => 1,
                // A rule and a permission.
                Some("Schedule") => 2,
                other => panic!("{}: {name}: say here what SAM makes of a {other:?} event", resource.id),
            });
            2 + events.sum::<usize>() + usize::from(!resource.property("EventInvokeConfig").is_null())
        }
        // The API and its stage; the state machine and its role.
        "AWS::Serverless::HttpApi" | "AWS::Serverless::StateMachine" => 2,
        other => {
            assert!(!other.starts_with("AWS::Serverless::"), "say here what SAM makes of {other}");
            1
        }
    }
}

fn is_dead_letter_queue(queue: &Resource) -> bool {
    queue.id.ends_with("DeadLetterQueue")
}

/// The statements of a resource's policies. A policy that is named and not written out is refused: it hides what it allows.
fn statements(resource: &Resource) -> Vec<Value> {
    let list = |value: &Value| match value {
        Value::Null => Vec::new(),
        Value::Array(items) => items.clone(),
        one => vec![one.clone()],
    };
    let documents = match resource.kind() {
        "AWS::Serverless::Function" | "AWS::Serverless::StateMachine" => list(resource.property("Policies")),
        "AWS::IAM::Role" => {
            assert!(resource.property("ManagedPolicyArns").is_null(), "{}", resource.id);
            list(resource.property("Policies"))
                .iter()
                .map(|policy| policy["PolicyDocument"].clone())
                .collect()
        }
        _ => Some(resource.property("PolicyDocument").clone())
            .filter(|document| !document.is_null())
            .into_iter()
            .collect(),
    };
    let written = |document: Value| {
        let statements = document["Statement"].as_array().cloned();
        statements.unwrap_or_else(|| panic!("{}: a policy that is not written out: {document}", resource.id))
    };
    documents.into_iter().flat_map(written).collect()
}

/// The texts of an action or of a resource, which may be one or many, and written with a function.
fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::String(text) => vec![text.clone()],
        Value::Array(items) => items.iter().flat_map(texts).collect(),
        other => vec![other.to_string()],
    }
}

fn is_one_folder_of_a_bucket(action: &str, resource: &str) -> bool {
    let folder = resource.strip_prefix("{\"Fn::Sub\":\"").and_then(|resource| resource.strip_suffix("/*\"}"));
    let is_folder = |folder: &str| {
        !folder.contains(['*', '?']) && (folder.contains("/uploads/") || folder.contains("/images"))
    };
    action.starts_with("s3:") && !action.contains('*') && folder.is_some_and(is_folder)
}
