//! The rules that the templates keep, and that templates, contract and code say the same.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;
use std::time::Duration;

use serde_json::{Value, json};
use shared::run::aws::CALL_TIMEOUT;
use tests::files::files_under;
use tests::template::{
    Binary, ROOT, Resource, Route, Template, operations, pascal, routes_of_the_contract, text, yaml,
};

/// What may be called without a token, and nothing else.
const PUBLIC: [&str; 56] = [
    "DELETE /guest-cart",
    "DELETE /guest-cart/items/{id}",
    "GET /admin",
    "GET /approve-products",
    "GET /auth/callback",
    "GET /auth/{provider}",
    "GET /banners",
    "GET /categories",
    "GET /docs",
    "GET /docs/{file}",
    "GET /guest-cart",
    "GET /guest-orders/{id}",
    "GET /guest-orders/{id}/returns",
    "GET /health",
    "GET /openapi.json",
    "GET /products",
    "GET /products/{id}",
    "GET /products/{id}/reviews",
    "GET /robots.txt",
    "GET /search",
    "GET /search/suggest",
    "GET /shipping-methods",
    "GET /shop",
    "GET /shop/{path}",
    "GET /sitemap.xml",
    "GET /stores",
    "GET /stores/{id}",
    "GET /stores/{id}/products",
    "GET /unsubscribe",
    "POST /auth/exchange",
    "POST /auth/login",
    "POST /auth/refresh",
    "POST /auth/register",
    "POST /confirm-sign-up",
    "POST /forgot-password",
    "POST /guest-cart/checkout",
    "POST /guest-cart/items",
    "POST /guest-orders/links",
    "POST /guest-orders/{id}/cancel",
    "POST /guest-orders/{id}/payments",
    "POST /guest-orders/{id}/refresh",
    "POST /guest-orders/{id}/returns",
    "POST /guest-payments/create-checkout-session",
    "POST /payments/webhook",
    "POST /refresh-token",
    "POST /resend-code",
    "POST /reset-password",
    "POST /sign-in",
    "POST /sign-in/challenge",
    "POST /sign-out",
    "POST /sign-up",
    "POST /unsubscribe",
    "POST /users/login",
    "POST /users/register",
    "PUT /guest-cart",
    "PUT /guest-cart/items/{id}",
];

/// What AWS lets nobody narrow: who may do it, and what.
///
/// SAM adds two policies of AWS's own to each role, for writing logs (`AWSLambdaBasicExecutionRole`) and traces
/// (`AWSXrayWriteOnlyAccess`). They let a function write, and read nothing of the shop; traces have no ARN:
/// <https://docs.aws.amazon.com/xray/latest/devguide/security_iam_service-with-iam.html>.
const WILDCARDS: [(&str, &str); 12] = [
    // Log deliveries have no ARN: https://docs.aws.amazon.com/step-functions/latest/dg/cw-logs.html
    ("OrderFulfilment", "logs:CreateLogDelivery on *"),
    ("OrderFulfilment", "logs:DeleteLogDelivery on *"),
    ("OrderFulfilment", "logs:DescribeLogGroups on *"),
    ("OrderFulfilment", "logs:DescribeResourcePolicies on *"),
    ("OrderFulfilment", "logs:GetLogDelivery on *"),
    ("OrderFulfilment", "logs:ListLogDeliveries on *"),
    ("OrderFulfilment", "logs:PutResourcePolicy on *"),
    ("OrderFulfilment", "logs:UpdateLogDelivery on *"),
    // Sockets have no names before they open:
    // https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-control-access-iam.html
    ("ConnectSocketFunction", CLOSES_SOCKETS),
    ("PushNotificationFunction", CLOSES_SOCKETS),
    (
        "PushNotificationFunction",
        "execute-api:ManageConnections on {\"Fn::Sub\":\"arn:${AWS::Partition}:execute-api:${AWS::Region}:\
         ${AWS::AccountId}:${SocketApi}/live/POST/@connections/*\"}",
    ),
    // A telephone number has no ARN; what has one is denied: `texts_go_to_numbers_and_to_nothing_that_has_an_arn`.
    ("SendTextFunction", "sns:Publish on *"),
];

/// What closes a socket.
const CLOSES_SOCKETS: &str = "execute-api:ManageConnections on {\"Fn::Sub\":\"arn:${AWS::Partition}:execute-api:\
                              ${AWS::Region}:${AWS::AccountId}:${SocketApi}/live/DELETE/@connections/*\"}";

/// All workflows.
const WORKFLOWS: [&str; 2] =
    ["statemachines/account-deletion.asl.yaml", "statemachines/order-fulfilment.asl.yaml"];

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
        let group = template.named_by(function, &function.property("LoggingConfig")["LogGroup"]);
        assert_eq!(group.id, format!("{}Logs", pascal(&binary.service)), "{}", binary.name);
    }
}

#[test]
fn the_functions_of_a_section_stand_by_alphabet() {
    for template in Template::read().documents().keys() {
        for section in text(template).split("\n  # ── ") {
            let ids: Vec<_> = section
                .lines()
                .filter_map(|line| line.strip_prefix("  ")?.strip_suffix("Function:"))
                .filter(|id| !id.starts_with(' '))
                .collect();
            assert!(ids.is_sorted(), "{template}: {ids:?}");
        }
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
fn a_route_without_a_token_is_public_in_the_contract_and_the_reverse() {
    let template = Template::read();
    for route in template.of_http("AWS::ApiGatewayV2::Route") {
        let (kind, authorizer) = (route.property("AuthorizationType"), route.property("AuthorizerId"));
        if kind == "JWT" {
            assert_eq!(
                template.named_by(route, authorizer).kind(),
                "AWS::ApiGatewayV2::Authorizer",
                "{}",
                route.id
            );
        } else {
            assert_eq!((kind, authorizer), (&json!("NONE"), &Value::Null), "{}", route.id);
        }
    }
    let open: Vec<_> =
        template.routes().into_iter().filter(|(_, public)| *public).map(|(route, _)| route).collect();
    let operations = operations().into_iter().filter(|operation| operation.who.contains("public"));
    let public: Vec<_> = operations.map(|operation| operation.route).collect();
    assert_same(("the template", &open), ("the contract's x-who: public", &public));
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
    // What sends a browser on is nothing to read, and who asks for its head begins or ends something.
    let leads_on = |route: &Route| ["/auth/callback", "/auth/{provider}"].contains(&route.path.as_str());
    let reads = template
        .routes()
        .into_iter()
        .filter(|(route, public)| route.method == "GET" && *public && !leads_on(route));
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
    let api = template.of_http("AWS::ApiGatewayV2::Api").next().unwrap();
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
    for needed in ["authorization", "cart-token", "content-type", "idempotency-key", "if-none-match"] {
        assert!(allowed.iter().any(|name| name == needed), "{needed}");
    }
}

#[test]
fn there_is_one_api_whose_routes_are_resources_and_deployed_by_themselves() {
    let template = Template::read();
    let [api] = template.of_http("AWS::ApiGatewayV2::Api").collect::<Vec<_>>()[..] else {
        panic!("not one API")
    };
    // A `Body` would delete the routes that it does not name.
    assert!(api.property("Body").is_null() && api.property("BodyS3Location").is_null());
    assert_eq!(template.of("AWS::Serverless::HttpApi").count(), 0);
    assert!(
        template
            .functions()
            .all(|function| function.events().iter().all(|(_, event)| event["Type"] != "HttpApi"))
    );
    let [stage] = template.of_http("AWS::ApiGatewayV2::Stage").collect::<Vec<_>>()[..] else {
        panic!("not one stage")
    };
    assert_eq!(
        (stage.property("StageName"), stage.property("AutoDeploy")),
        (&json!("$default"), &json!(true))
    );
    for kind in ["Stage", "Authorizer", "Integration", "Route"] {
        let kind = format!("AWS::ApiGatewayV2::{kind}");
        for resource in template.of_http(&kind) {
            assert_eq!(template.named_by(resource, resource.property("ApiId")).id, api.id, "{}", resource.id);
        }
    }
}

#[test]
fn a_token_is_one_that_our_user_pool_gave_to_our_client() {
    let template = Template::read();
    let [authorizer] = template.of("AWS::ApiGatewayV2::Authorizer").collect::<Vec<_>>()[..] else {
        panic!("not one authorizer")
    };
    assert_eq!(*authorizer.property("AuthorizerType"), json!("JWT"));
    assert_eq!(*authorizer.property("IdentitySource"), json!(["$request.header.Authorization"]));
    let tokens = authorizer.property("JwtConfiguration");
    assert!(tokens["Issuer"]["Fn::Sub"].as_str().unwrap().ends_with("/${UserPool}"));
    assert_eq!(tokens["Audience"], json!([{"Ref": "UserPoolClient"}]));
}

#[test]
fn only_auth_speaks_for_the_user_pools_client() {
    let template = Template::read();
    let [client] = template.of("AWS::Cognito::UserPoolClient").collect::<Vec<_>>()[..] else {
        panic!("not one client")
    };
    assert_eq!(*client.property("GenerateSecret"), json!(true));
    assert_eq!(*client.property("PreventUserExistenceErrors"), json!("ENABLED"));
    assert_eq!(*client.property("ReadAttributes"), json!(["email", "email_verified", "name"]));
    assert_eq!(
        *client.property("WriteAttributes"),
        json!({"Fn::If": ["SignsInSocially", ["email", "name"], ["email"]]})
    );
    let secret = template.of("AWS::SecretsManager::Secret").find(|secret| secret.id == "AppClientSecret");
    let secret = secret.expect("the client's secret").property("SecretString");
    assert_eq!(*secret, json!({"Fn::GetAtt": "UserPoolClient.ClientSecret"}));
    // Nobody reads another secret, and nobody finds this one in a function's configuration.
    for function in template.functions() {
        let environment = &function.property("Environment")["Variables"];
        let reads = statements(function).into_iter().filter(|statement| {
            texts(&statement["Action"]).iter().any(|one| one.starts_with("secretsmanager"))
        });
        let reads: Vec<_> = reads.map(|one| (one["Action"].clone(), one["Resource"].clone())).collect();
        let speaks = !environment["USER_POOL_CLIENT_ID"].is_null();
        let read = |secret: Value| (json!("secretsmanager:GetSecretValue"), secret);
        let mut expected = Vec::from_iter(speaks.then(|| read(json!({"Fn::GetAtt": "AppClientSecret.Id"}))));
        for variable in ["STRIPE_API_SECRET", "STRIPE_WEBHOOK_SECRET"] {
            let secret = &environment[variable];
            expected.extend((!secret.is_null()).then(|| read(secret.clone())));
        }
        assert_eq!(reads, expected, "{}", function.id);
        let given = if speaks { json!({"Fn::GetAtt": "AppClientSecret.Id"}) } else { Value::Null };
        assert_eq!(environment["APP_CLIENT_SECRET"], given, "{}", function.id);
    }
}

#[test]
fn whoever_calls_stripe_has_its_key_and_what_stripe_calls_has_none() {
    let template = Template::read();
    let holders = |variable: &str, secret: &str| -> BTreeSet<String> {
        let functions = template.functions().filter(|function| {
            let given = &function.property("Environment")["Variables"][variable];
            assert!(given.is_null() || *given == json!({"Ref": secret}), "{}: {given}", function.id);
            !given.is_null()
        });
        functions.map(|function| function.binary().to_owned()).collect()
    };
    let buyers = ["check-out-cart", "create-checkout-session", "refresh-payment", "start-payment"];
    let others = [
        "cancel-order",
        "forget-person",
        "reconcile-payments",
        "send-refund",
        "settle-payment",
        "withdraw-order",
    ];
    let callers = buyers.into_iter().chain(others).map(str::to_owned);
    assert_eq!(holders("STRIPE_API_SECRET", "StripeApi"), callers.collect());
    let hears = holders("STRIPE_WEBHOOK_SECRET", "StripeWebhook");
    assert_eq!(hears, BTreeSet::from(["receive-stripe-event".to_owned()]));
    for (secret, empty) in [("StripeApi", r#"{"key": ""}"#), ("StripeWebhook", r#"{"secrets": []}"#)] {
        let mut secrets = template.of("AWS::SecretsManager::Secret");
        let secret = secrets.find(|one| one.id == secret).expect("the secret");
        assert_eq!(
            *secret.property("SecretString"),
            json!(empty),
            "whoever takes payments puts the value in"
        );
    }
}

#[test]
fn whoever_has_paid_or_signed_in_elsewhere_comes_back_to_the_shops_own_pages_unless_it_has_others() {
    let template = yaml(ROOT);
    assert_eq!(template["Parameters"]["CardPayments"]["Default"], "off");
    assert_eq!(template["Parameters"]["ShopUrl"]["Default"], "");
    let shop = &template["Outputs"]["ShopUrl"]["Value"];
    let own = "https://${Api}.execute-api.${AWS::Region}.${AWS::URLSuffix}/shop";
    assert_eq!(*shop, json!({"Fn::If": ["HasShopUrl", {"Ref": "ShopUrl"}, {"Fn::Sub": own}]}));
    for stack in ["Catalogue", "Sales", "Workers"] {
        assert_eq!(template["Resources"][stack]["Properties"]["Parameters"]["ShopUrl"], *shop, "{stack}");
    }
    // Stripe asks for 30 minutes from when it is asked.
    assert_eq!(template["Parameters"]["PaymentMinutes"]["MinValue"], 35);
}

#[test]
fn pages_show_pictures_of_the_shop_and_put_them_into_its_buckets_and_know_no_other_host() {
    let template = Template::read();
    let pages = template.functions().find(|function| function.binary() == "pages").unwrap();
    let variables = &pages.property("Environment")["Variables"];
    let s3 = |bucket: &str| format!("https://${{{bucket}}}.s3.${{AWS::Region}}.${{AWS::URLSuffix}}");
    let images =
        ["${MediaBaseUrl} ${BucketsUrl}".to_owned(), format!("${{MediaBaseUrl}} {}", s3("MediaBucket"))];
    let [elsewhere, at_s3] = images.map(|urls| json!({ "Fn::Sub": urls }));
    assert_eq!(variables["IMAGE_ORIGINS"], json!({"Fn::If": ["HasBucketsUrl", elsewhere, at_s3]}));
    let uploads = json!({ "Fn::Sub": s3("UploadsBucket") });
    assert_eq!(
        variables["UPLOAD_ORIGINS"],
        json!({"Fn::If": ["HasBucketsUrl", {"Ref": "BucketsUrl"}, uploads]})
    );
    assert_eq!(variables["SOCKET_URL"], json!({ "Ref": "SocketUrl" }));
}

#[test]
fn no_shop_takes_cards_in_a_form_of_its_own_unless_it_says_so() {
    let template = yaml(ROOT);
    assert_eq!(template["Parameters"]["PaymentIntents"]["Default"], "off");
    let rule = &template["Rules"]["PaymentIntentsHaveAKey"];
    assert_eq!(rule["RuleCondition"], json!({"Fn::Equals": [{"Ref": "PaymentIntents"}, "on"]}));
    let needed = json!({"Fn::Not": [{"Fn::Equals": [{"Ref": "PublishableKey"}, ""]}]});
    assert_eq!(rule["Assertions"][0]["Assert"], needed);
    let given = &template["Resources"]["Sales"]["Properties"]["Parameters"]["PublishableKey"];
    assert_eq!(*given, json!({"Fn::If": ["TakesIntents", {"Ref": "PublishableKey"}, ""]}));
    let functions = Template::read();
    let told = functions
        .functions()
        .filter(|function| !function.property("Environment")["Variables"]["PUBLISHABLE_KEY"].is_null());
    assert_eq!(told.map(tests::template::Resource::binary).collect::<Vec<_>>(), ["start-payment"]);
}

#[test]
fn a_shop_without_providers_has_no_pages_of_cognitos_and_one_with_them_no_passwords_on_those() {
    let template = Template::read();
    let root = yaml(ROOT);
    let client = template.of("AWS::Cognito::UserPoolClient").next().unwrap();
    let nothing = json!({"Ref": "AWS::NoValue"});
    for name in [
        "AllowedOAuthFlows",
        "AllowedOAuthFlowsUserPoolClient",
        "AllowedOAuthScopes",
        "CallbackURLs",
        "SupportedIdentityProviders",
    ] {
        let choice = &client.property(name)["Fn::If"];
        assert_eq!([&choice[0], &choice[2]], [&json!("SignsInSocially"), &nothing], "{name}");
    }
    // `COGNITO` would have its own form for passwords, past the limits of POST /sign-in.
    let providers = &client.property("SupportedIdentityProviders")["Fn::If"][1];
    assert!(!providers.to_string().contains("COGNITO"), "{providers}");
    assert_eq!(client.property("AllowedOAuthFlows")["Fn::If"][1], json!(["code"]));
    let domain = template.of("AWS::Cognito::UserPoolDomain").next().unwrap();
    assert_eq!(domain.body["Condition"], "SignsInSocially");
    let mapping = json!({"email": "email", "email_verified": "email_verified", "name": "name"});
    let mut conditions = Vec::new();
    for provider in template.of("AWS::Cognito::UserPoolIdentityProvider") {
        assert_eq!(*provider.property("AttributeMapping"), mapping, "{}", provider.id);
        let secret = provider.property("ProviderDetails")["client_secret"]["Fn::Sub"].as_str().unwrap();
        assert!(secret.starts_with("{{resolve:secretsmanager:"), "{secret}");
        conditions.push(provider.body["Condition"].as_str().unwrap());
    }
    conditions.sort_unstable();
    assert_eq!(conditions, ["SignsInByGoogle", "SignsInByOidc"]);
    for name in ["GoogleClientId", "OidcIssuer"] {
        assert_eq!(root["Parameters"][name]["Default"], "", "{name}");
    }
}

/// On AWS a trigger asks the pool that calls it, and nothing else of it: what it may is as narrow as what it is for.
#[test]
fn whoever_admits_a_providers_person_looks_and_links_and_no_more() {
    let template = Template::read();
    let functions = template.functions().filter(|function| {
        let events = function.events();
        events.iter().any(|(_, event)| event["Properties"]["Trigger"] == "PreSignUp")
    });
    let [admits] = functions.collect::<Vec<_>>()[..] else { panic!("not one function") };
    assert_eq!(admits.binary(), "admit-social-sign-up");
    let own: Vec<_> = statements(admits).iter().flat_map(|one| texts(&one["Action"])).collect();
    assert_eq!(own, ["dynamodb:GetItem"]);
    let policy = template.resources().iter().find(|one| one.id == "AdmitSocialSignUpPolicy").unwrap();
    let allowed = &policy.property("PolicyDocument")["Statement"][0];
    let actions = ["AdminGetUser", "AdminLinkProviderForUser", "AdminListGroupsForUser"];
    let actions = actions.map(|action| format!("cognito-idp:{action}"));
    assert_eq!(allowed["Action"], json!(actions));
    assert_eq!(allowed["Resource"], json!({"Fn::GetAtt": "UserPool.Arn"}));
}

#[test]
fn whoever_pays_by_card_does_so_so_often_and_holds_stock_for_so_long() {
    let template = Template::read();
    let given = |variable: &str| -> Vec<String> {
        let functions = template.functions().filter(|function| {
            let value = &function.property("Environment")["Variables"][variable];
            assert!(value.is_null() || value["Ref"].is_string(), "{}: {value}", function.id);
            !value.is_null()
        });
        functions.map(|function| function.binary().to_owned()).collect()
    };
    // Who begins to pay is counted, and who begins again is asked since when.
    assert_eq!(given("CARDS_PER_HOUR"), given("PAYMENT_MINUTES"));
    assert_eq!(given("MAX_HOLD_MINUTES"), ["start-payment"]);
    let default = |name: &str| yaml(ROOT)["Parameters"][name]["Default"].clone();
    assert_eq!((default("CardsPerHour"), default("MaxHoldMinutes")), (json!("10"), json!(120)));
    assert!(default("MaxHoldMinutes").as_u64() >= default("PaymentMinutes").as_u64());
}

#[test]
fn whoever_floods_accounts_and_sessions_is_stopped_before_cognito_and_before_the_shop() {
    let template = Template::read();
    let [stage] = template.of_http("AWS::ApiGatewayV2::Stage").collect::<Vec<_>>()[..] else {
        panic!("not one stage")
    };
    let throttled = stage.property("RouteSettings").as_object().unwrap();
    let mut routes = Vec::new();
    for route in template.of_http("AWS::ApiGatewayV2::Route") {
        let function = template.function_of(route);
        if template.named_by(function, &function.property("LoggingConfig")["LogGroup"]).id == "AuthLogs" {
            routes.push(route.property("RouteKey").as_str().unwrap().to_owned());
            // Else the stage might be made before the route that it names.
            assert!(texts(&stage.body["DependsOn"]).contains(&route.id), "{}", route.id);
            let environment = &function.property("Environment")["Variables"];
            for limit in ["LIMIT_PER_ADDRESS", "LIMIT_PER_ACCOUNT", "LIMIT_PER_ACCOUNT_IN_ALL"] {
                assert!(!environment[limit].is_null(), "{}: {limit}", function.id);
            }
        }
    }
    assert_same(("auth", &routes), ("RouteSettings", &throttled.keys().cloned().collect::<Vec<_>>()));
    for (name, usual) in [("AuthThrottleRate", "ThrottleRate"), ("AuthThrottleBurst", "ThrottleBurst")] {
        let default = |name: &str| yaml(ROOT)["Parameters"][name]["Default"].as_u64();
        assert!(default(name).is_some() && default(name) < default(usual), "{name}");
    }
    let settings = json!({
        "DetailedMetricsEnabled": true,
        "ThrottlingRateLimit": {"Ref": "AuthThrottleRate"},
        "ThrottlingBurstLimit": {"Ref": "AuthThrottleBurst"},
    });
    assert!(throttled.values().all(|route| *route == settings), "{throttled:#?}");
}

/// What a shop is that says nothing else. The local cloud and the tests have other values, so nothing else would
/// notice.
const DEFAULTS: [(&str, &str); 16] = [
    ("Fulfilment", "automatic"),
    ("GuestCash", "false"),
    ("LimitPerAccount", "20/300"),
    ("LimitPerAccountInAll", "500/3600"),
    ("LimitPerAddress", "60/60"),
    ("LimitSignUps", "600/3600"),
    ("LimitTextsPerAddress", "20/86400"),
    ("OrdersPerDay", "50"),
    ("PiecesPerLine", "100"),
    ("ReapproveChanges", "true"),
    ("ReviewsNeedPurchase", "on"),
    ("ReviewsPerDay", "10"),
    ("TextCallingCodes", ""),
    ("TextsPerDay", "200"),
    ("WebhookDetour", ""),
    ("WebhookEndpoints", "20"),
];

#[test]
fn a_shop_that_says_nothing_else_has_these_limits_and_production_is_shipped_by_people() {
    let parameters = yaml(ROOT)["Parameters"].clone();
    let default = |name: &str| {
        let default = &parameters[name]["Default"];
        default.as_str().map_or_else(|| default.to_string(), str::to_owned)
    };
    assert_eq!(
        DEFAULTS.map(|(name, _)| (name, default(name))),
        DEFAULTS.map(|(name, is)| (name, is.to_owned()))
    );
    let config = text("samconfig.toml");
    let stages = config.lines().filter_map(|line| line.strip_prefix("parameter_overrides = "));
    let mut productions = 0;
    for stage in stages.map(|line| line.split(['"', ' ']).collect::<BTreeSet<_>>()) {
        let is_production = stage.contains("Stage=production");
        assert_eq!(stage.contains("Fulfilment=manual"), is_production, "{stage:?}");
        productions += usize::from(is_production);
        // Only on a laptop may these be others.
        let changed: Vec<_> = DEFAULTS
            .iter()
            .filter(|(name, _)| {
                *name != "Fulfilment" && stage.iter().any(|one| one.starts_with(&format!("{name}=")))
            })
            .collect();
        assert!(changed.is_empty() || stage.contains("Stage=local"), "{stage:?}: {changed:?}");
    }
    assert_eq!(productions, 1);
}

#[test]
fn whoever_takes_orders_and_sign_ups_counts_them_by_the_shops_limits() {
    let template = Template::read();
    let given_as = |variable: &str, expected: &[Value]| -> Vec<BTreeSet<String>> {
        let mut functions = vec![BTreeSet::new(); expected.len()];
        for function in template.functions() {
            let value = &function.property("Environment")["Variables"][variable];
            if !value.is_null() {
                let set = written(&template, function, value);
                let which = expected.iter().position(|expected| *expected == set);
                let which = which.unwrap_or_else(|| panic!("{}: {variable} is {value}", function.id));
                functions[which].insert(function.binary().to_owned());
            }
        }
        functions
    };
    let given = |variable: &str, expected: Value| given_as(variable, &[expected]).swap_remove(0);
    let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<BTreeSet<_>>();
    // Whatever begins an order: it says who sends it.
    let ordering = given("FULFILMENT", json!({"Ref": "Fulfilment"}));
    assert_eq!(ordering, names(&["check-out-cart", "create-checkout-session", "create-order"]));
    let [orders, reviews] =
        ["${OrdersPerDay}/86400", "${ReviewsPerDay}/86400"].map(|limit| json!({"Fn::Sub": limit}));
    let counted =
        [ordering.clone(), names(&["create-review"]), names(&["export-data"]), names(&["notify-by-email"])];
    let limits = [orders, reviews, json!("50/86400"), json!("100/86400")];
    assert_eq!(given_as("LIMIT_PER_DAY", &limits), counted);
    let reviewing = given("REVIEWS_NEED_PURCHASE", json!({"Ref": "ReviewsNeedPurchase"}));
    assert_eq!(reviewing, names(&["create-review"]));
    let counting = given("PIECES_PER_LINE", json!({"Ref": "PiecesPerLine"}));
    assert!(counting.is_superset(&ordering), "{counting:?}");
    assert_eq!(given("LIMIT_IN_ALL", json!({"Ref": "LimitSignUps"})), names(&["sign-up"]));
    let reapproving = given("REAPPROVE_CHANGES", json!({"Ref": "ReapproveChanges"}));
    assert_eq!(reapproving, names(&["index-product-image", "update-product"]));
}

#[test]
fn accounts_and_pictures_leave_the_order_path_its_concurrency() {
    let template = Template::read();
    let mut reserved = BTreeMap::new();
    for function in template.functions() {
        let share = function.property("ReservedConcurrentExecutions");
        if !share.is_null() {
            assert_eq!(share["Fn::If"][0], "ReservesConcurrency", "{}", function.id);
            assert_eq!(share["Fn::If"][2], json!({"Ref": "AWS::NoValue"}), "{}", function.id);
            reserved.insert(function.binary().to_owned(), share["Fn::If"][1].as_u64().unwrap());
        }
    }
    let shares = Binary::all().into_iter().filter_map(|binary| match (&*binary.service, &*binary.name) {
        ("auth", _) => Some((binary.name, 5)),
        (_, "index-products") => Some((binary.name, 1)),
        (_, name) if name.starts_with("index-") => Some((binary.name, 10)),
        _ => None,
    });
    assert_eq!(reserved, shares.collect());
    // A new AWS account has too few.
    assert_eq!(yaml(ROOT)["Parameters"]["ReserveConcurrency"]["Default"], "false");
}

#[test]
fn every_function_with_routes_has_one_integration_and_one_permission() {
    let template = Template::read();
    let arn = "arn:${AWS::Partition}:execute-api:${AWS::Region}:${AWS::AccountId}:${Api}/*";
    let routes =
        template.of_http("AWS::ApiGatewayV2::Route").map(|route| template.function_of(route).id.as_str());
    let answering: BTreeSet<_> = routes.collect();
    let mut integrations: Vec<_> = template
        .of_http("AWS::ApiGatewayV2::Integration")
        .map(|integration| {
            assert_eq!(*integration.property("IntegrationType"), json!("AWS_PROXY"), "{}", integration.id);
            assert_eq!(*integration.property("PayloadFormatVersion"), json!("2.0"), "{}", integration.id);
            template.named_by(integration, integration.property("IntegrationUri")).id.as_str()
        })
        .collect();
    integrations.sort_unstable();
    let mut permissions: Vec<_> = template
        .of("AWS::Lambda::Permission")
        .filter(|permission| !permission.property("SourceArn").to_string().contains("SocketApi"))
        .map(|permission| {
            assert_eq!(*permission.property("Action"), json!("lambda:InvokeFunction"), "{}", permission.id);
            assert_eq!(
                *permission.property("Principal"),
                json!("apigateway.amazonaws.com"),
                "{}",
                permission.id
            );
            let source = written(&template, permission, permission.property("SourceArn"));
            assert_eq!(source, json!({ "Fn::Sub": arn }), "{}", permission.id);
            template.named_by(permission, permission.property("FunctionName")).id.as_str()
        })
        .collect();
    permissions.sort_unstable();
    let answering: Vec<_> = answering.into_iter().collect();
    assert_eq!((&integrations, &permissions), (&answering, &answering));
}

#[test]
fn a_function_and_its_routes_stand_together_and_one_with_one_route_takes_45_lines_at_most() {
    let template = Template::read();
    let mut routes_of: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for route in template.of_http("AWS::ApiGatewayV2::Route") {
        routes_of.entry(&template.function_of(route).id).or_default().push(route);
    }
    for function in template.functions() {
        let text = text(&function.template);
        let from = text.split_once(&format!("\n  {}:\n", function.id)).expect("the function").1;
        let together = from.split("\n\n").next().unwrap();
        let routes = routes_of.remove(&function.id).unwrap_or_default();
        for route in &routes {
            assert!(together.contains(&format!("\n  {}:\n", route.id)), "{}: {}", function.id, route.id);
        }
        let lines = together.lines().count() + 1;
        // How it is released takes four more, which are alike everywhere.
        let most = if function.property("AutoPublishAlias").is_null() { 45 } else { 49 };
        assert!(routes.len() != 1 || lines <= most, "{}: {lines} lines", function.id);
    }
}

#[test]
fn no_code_knows_where_it_runs() {
    let mut files: Vec<_> = Template::read().documents().keys().cloned().collect();
    for folder in ["functions", "shared", "statemachines"] {
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
fn what_decodes_pictures_has_room_for_them() {
    let template = Template::read();
    let indexers = template.functions().filter(|function| function.id.ends_with("ImageFunction"));
    let memories: Vec<_> = indexers.map(|function| function.property("MemorySize").as_u64()).collect();
    // The picture, as much again to decode it, once more to turn it, and everything else.
    let room = 4 * pictures::MAX_DECODED / (1024 * 1024);
    assert_eq!(memories, [Some(room); 4]);
}

#[test]
fn the_bench_uploads_the_largest_picture_that_is_decoded() {
    // It is read, since the bench has none of the shop's code: with it AWS's SDK would be built once more.
    let source = text("infra/bench/src/uploads.rs");
    let (_, sides) =
        source.split_once("const LARGE: (u32, u32) = (").expect("the sides of the large picture");
    let (width, rest) = sides.split_once(", ").expect("its width");
    let (height, _) = rest.split_once(')').expect("its height");
    let [width, height]: [u64; 2] =
        [width, height].map(|side| side.replace('_', "").parse().expect("pixels"));
    // Four colours of two bytes.
    assert_eq!(width * height * 8, pictures::MAX_DECODED);
}

#[test]
fn every_function_has_a_memory_a_timeout_and_a_log_group() {
    let template = Template::read();
    for function in template.functions() {
        let memory = function.property("MemorySize").as_u64();
        let timeout = function.property("Timeout").as_u64();
        // These hold all that is for sale, and one of them reads it.
        let (most, longest) = match function.binary() {
            "compact-index" => (3008, 60),
            "reindex-products" => (3008, 900),
            // All that is kept of somebody who has much.
            "build-export" => (1024, 300),
            _ => (1024, 60),
        };
        assert!(
            memory.is_some_and(|megabytes| (128..=most).contains(&megabytes)),
            "{}: {memory:?}",
            function.id
        );
        assert!(
            timeout.is_some_and(|seconds| (1..=longest).contains(&seconds)),
            "{}: {timeout:?}",
            function.id
        );
        let group = template.named_by(function, &function.property("LoggingConfig")["LogGroup"]);
        assert_eq!(group.kind(), "AWS::Logs::LogGroup", "{}", function.id);
    }
}

#[test]
fn a_call_that_hangs_is_an_error_before_the_function_is_killed() {
    // What is left of the time is for the answer, the log and the metrics.
    let needed = CALL_TIMEOUT + Duration::from_millis(500);
    for function in Template::read().functions().filter(|one| one.property("Policies").is_array()) {
        let timeout = function.property("Timeout").as_u64().map(Duration::from_secs);
        assert!(timeout >= Some(needed), "{}: {timeout:?}", function.id);
    }
}

#[test]
fn nothing_names_a_partition_of_aws() {
    for file in files_under("").into_iter().filter(|file| {
        let is_deployed = file.starts_with("infra/") && file.ends_with("/template.yaml");
        is_deployed || file.starts_with("statemachines/") || [ROOT, "samconfig.toml"].contains(&file.as_str())
    }) {
        let text = text(&file);
        assert!(!text.contains("arn:aws") && !text.contains(".amazonaws.com/"), "{file} names a partition");
    }
}

#[test]
fn what_holds_addresses_is_forgotten_after_30_days() {
    let template = Template::read();
    let group = template.of("AWS::Logs::LogGroup").find(|group| group.id == "ApiLogs").unwrap();
    assert_eq!(*group.property("RetentionInDays"), json!({ "Ref": "ApiLogRetentionDays" }));
    let days = &template.documents()[ROOT]["Parameters"]["ApiLogRetentionDays"];
    assert_eq!(days["AllowedValues"].as_array().unwrap().last(), Some(&json!(30)));
    assert_eq!(days["Default"], 30);
}

#[test]
fn a_function_behind_the_api_answers_before_the_api_gives_up() {
    let template = Template::read();
    for route in template.of_http("AWS::ApiGatewayV2::Route") {
        let function = template.function_of(route);
        assert!(function.property("Timeout").as_u64() < Some(30), "{}", function.id);
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
                    let queue = template
                        .named_by(function, &invocations["DestinationConfig"]["OnFailure"]["Destination"]);
                    assert!(queue.id.ends_with("DeadLetterQueue"), "{}: {name}", function.id);
                }
                "Schedule" => {
                    assert_eq!(invocations["MaximumRetryAttempts"], json!(0), "{}: {name}", function.id);
                }
                "Cognito" => {}
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
fn texts_go_to_numbers_and_to_nothing_that_has_an_arn() {
    let template = Template::read();
    let of_sns = |statement: &Value| texts(&statement["Action"]).iter().any(|one| one.starts_with("sns:"));
    let sends = template.functions().find(|function| function.binary() == "send-text").expect("send-text");
    let its_own: Vec<_> = statements(sends).into_iter().filter(of_sns).collect();
    let topics = json!({"Fn::Sub": "arn:${AWS::Partition}:sns:*:*:*"});
    let expected = [
        json!({"Effect": "Allow", "Action": "sns:Publish", "Resource": "*"}),
        json!({"Effect": "Deny", "Action": "sns:Publish", "Resource": topics}),
    ];
    assert_eq!(its_own, expected);
    // A shop sends none unless it says where to.
    assert_eq!(yaml(ROOT)["Parameters"]["TextCallingCodes"]["Default"], "");
    let subscription = template.of("AWS::SNS::Subscription").find(|one| one.id == "TextsSubscription");
    assert_eq!(subscription.expect("a subscription").body["Condition"], "SendsTexts");
    let state = &template.documents()["infra/state/template.yaml"]["Conditions"]["SendsTexts"];
    assert_eq!(*state, json!({"Fn::Not": [{"Fn::Equals": [{"Ref": "TextCallingCodes"}, ""]}]}));
    let asked = |variable: &str| -> BTreeSet<String> {
        let functions = template
            .functions()
            .filter(|function| !function.property("Environment")["Variables"][variable].is_null());
        functions.map(|function| function.binary().to_owned()).collect()
    };
    let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<BTreeSet<_>>();
    let all = names(&["add-phone", "confirm-phone", "notify-by-text", "send-text"]);
    assert_eq!(asked("TEXT_CALLING_CODES"), all);
    // Whatever gives rise to a text counts it.
    assert_eq!(asked("TEXTS_IN_ALL"), names(&["add-phone", "notify-by-text", "send-text"]));
    assert_eq!(asked("TEXTS_PER_PERSON"), asked("TEXTS_IN_ALL"));
}

#[test]
fn a_search_domain_is_reached_where_one_is_named_and_by_whom_it_needs() {
    let template = Template::read();
    let rule = &yaml(ROOT)["Rules"]["ASearchDomainHasAnArn"];
    let is_named = json!({"Fn::Not": [{"Fn::Equals": [{"Ref": "SearchDomainEndpoint"}, ""]}]});
    assert_eq!(rule["RuleCondition"], is_named);
    assert_eq!(yaml(ROOT)["Parameters"]["SearchDomainEndpoint"]["Default"], "");
    let mut reaching = BTreeMap::new();
    for function in template.functions() {
        let told = &function.property("Environment")["Variables"]["SEARCH_DOMAIN_ENDPOINT"];
        let policies = function.property("Policies").as_array().into_iter().flatten();
        let of_the_domain: Vec<_> =
            policies.filter(|one| one.to_string().contains("SearchDomainArn")).collect();
        assert_eq!(told.is_null(), of_the_domain.is_empty(), "{}", function.id);
        for policy in of_the_domain {
            assert_eq!(policy["Fn::If"][0], "HasSearchDomain", "{}", function.id);
            let statements = policy["Fn::If"][1]["Statement"].as_array().unwrap();
            let paths = statements.iter().flat_map(|statement| texts(&statement["Resource"]));
            let paths: BTreeSet<_> = paths
                .filter_map(|path| Some(path.split_once("}/")?.1.trim_end_matches("\"}").to_owned()))
                .collect();
            reaching.insert(function.binary().to_owned(), paths.into_iter().collect::<Vec<_>>().join(" "));
        }
    }
    let expected = [
        ("index-products", "products/_bulk products/_mget"),
        ("reindex-products", "products products/_bulk products/_mget products/_search"),
        ("search-products", "products/_search"),
        ("suggest-products", "products/_search"),
    ];
    assert_eq!(reaching, expected.map(|(name, paths)| (name.to_owned(), paths.to_owned())).into());
    for name in ["infra/catalogue/template.yaml", "infra/workers/template.yaml"] {
        assert_eq!(template.documents()[name]["Conditions"]["HasSearchDomain"], is_named, "{name}");
    }
}

#[test]
fn a_function_has_no_role_but_its_own() {
    let template = Template::read();
    for function in template.functions() {
        assert!(function.property("Role").is_null(), "{}", function.id);
    }
    for (name, document) in template.documents() {
        assert!(document["Globals"]["Function"].get("Policies").is_none(), "{name}");
    }
}

#[test]
fn a_function_is_given_exactly_the_tables_that_its_policies_name() {
    let template = Template::read();
    for function in template.functions() {
        let tables = |value: &Value| -> BTreeSet<&str> {
            let named = template.named_in(function, value).into_iter();
            named.filter(|one| one.kind() == "AWS::DynamoDB::Table").map(|table| table.id.as_str()).collect()
        };
        let environment = &function.property("Environment")["Variables"];
        let allowed: BTreeSet<_> =
            statements(function).iter().flat_map(|one| tables(&one["Resource"])).collect();
        assert_eq!(tables(environment), allowed, "{}", function.id);
        for table in allowed {
            let name = screaming(table);
            let is_its_own = tables(&environment[&name]) == BTreeSet::from([table]);
            assert!(is_its_own, "{}: {name} is not the name of {table}", function.id);
        }
    }
}

/// A token says for an hour who was an admin, so what changes something asks the table.
#[test]
fn whoever_changes_something_as_an_admin_is_looked_up_each_time() {
    let template = Template::read();
    let changes: BTreeSet<_> = operations()
        .into_iter()
        .filter(|operation| operation.who.contains("admin") && operation.route.method != "GET")
        .map(|operation| operation.route.function)
        .collect();
    assert!(changes.len() >= 12, "{changes:?}");
    for binary in Binary::all() {
        let code = binary.text();
        let is_looked_up = code.contains(": CurrentAdmin,") || code.contains(": CurrentCaller,");
        assert_eq!(changes.contains(&binary.name), is_looked_up, "{}", binary.name);
        let by_the_token = code.contains("caller::Admin;") || code.contains("caller::{Admin");
        assert!(!(is_looked_up && by_the_token), "{}", binary.name);
    }
    for function in template.functions().filter(|function| changes.contains(function.binary())) {
        let environment = &function.property("Environment")["Variables"];
        assert_eq!(environment["ADMIN_MFA"], json!({"Ref": "AdminMfa"}), "{}", function.id);
        let reads = statements(function).into_iter().any(|statement| {
            texts(&statement["Action"]).contains(&"dynamodb:GetItem".to_owned())
                && template
                    .named_in(function, &statement["Resource"])
                    .iter()
                    .any(|one| one.id == "UsersTable")
        });
        assert!(reads, "{} may not read the Users table", function.id);
    }
}

#[test]
fn whoever_wants_a_second_factor_may_have_one_and_production_asks_its_admins_for_it() {
    let template = Template::read();
    let [pool] = template.of("AWS::Cognito::UserPool").collect::<Vec<_>>()[..] else {
        panic!("not one pool")
    };
    // `ON` would ask everybody for one, and `EnabledMfas` says that it is the code of an app and no text message.
    assert_eq!(*pool.property("MfaConfiguration"), json!("OPTIONAL"));
    assert_eq!(*pool.property("EnabledMfas"), json!(["SOFTWARE_TOKEN_MFA"]));
    assert_eq!(yaml(ROOT)["Parameters"]["AdminMfa"]["Default"], "false");
    let stages = text("samconfig.toml");
    let overrides: Vec<_> = stages.lines().filter(|line| line.starts_with("parameter_overrides")).collect();
    let strict = overrides.iter().filter(|line| line.contains("AdminMfa=true"));
    assert!(strict.clone().all(|line| line.contains("Stage=production")), "{overrides:?}");
    assert_eq!(strict.count(), 1, "{overrides:?}");
}

#[test]
fn all_functions_have_the_same_globals_and_those_only_what_all_use() {
    let template = Template::read();
    let globals: Vec<_> = template.documents().values().map(|document| &document["Globals"]).collect();
    let globals: Vec<_> = globals.into_iter().filter(|globals| !globals.is_null()).collect();
    assert!(globals.iter().all(|one| *one == globals[0]));
    assert_eq!(globals[0]["Function"]["Environment"]["Variables"], json!({"STAGE": {"Ref": "Stage"}}));
}

/// How long a value of a function's environment may get. One that a person chooses from a list, or a number, is as long
/// as the longest of them, and a text with a limit as that; a table is called after two stacks and itself, seldom with
/// more than a hundred characters; any other is seldom longer than an ARN or a queue's URL.
fn room(parameters: &Value, value: &Value) -> usize {
    let parameter = &parameters[value["Ref"].as_str().unwrap_or_default()];
    let allowed = parameter["AllowedValues"].as_array().into_iter().flatten().filter_map(Value::as_str);
    let longest = parameter["MaxLength"].as_u64().and_then(|length| usize::try_from(length).ok());
    match (allowed.map(str::len).max().or(longest), parameter["Type"].as_str()) {
        (Some(longest), _) => longest,
        (None, Some("Number")) => u64::MAX.to_string().len(),
        _ if value["Ref"].as_str().is_some_and(|name| name.ends_with("Table")) => 100,
        (None, _) => 120,
    }
}

#[test]
fn the_environment_of_a_function_fits_into_the_four_kilobytes_that_lambda_has_for_it() {
    let root = yaml(ROOT);
    for function in Template::read().functions() {
        let variables = function.property("Environment")["Variables"].as_object().unwrap();
        // Half a kilobyte is left to spare.
        let size: usize =
            variables.iter().map(|(name, value)| name.len() + room(&root["Parameters"], value)).sum();
        assert!(size <= 4 * 1024 - 512, "{}: {size}", function.id);
    }
}

// ── Data ───────────────────────────────────────────────────────────────────────────────────────────────────

/// Tables in which nothing of a person is to be deleted with the account, and why. Ids lead nowhere once the profile is
/// gone.
const NOTHING_TO_FORGET: [(&str, &str); 10] = [
    ("Banners", "the shop's own"),
    ("Categories", "the shop's own"),
    ("Coupons", "a use has a code and an id"),
    (
        "Guards",
        "ids and HMACs, and an admin's words until they are sent, gone by themselves after 90 days at most",
    ),
    ("Payments", "ids, amounts and times, which the law asks for"),
    ("Sales", "numbers of days, orders and products, and the id of who sold; days go by themselves after 60"),
    ("SellerOrders", "lines and amounts of an order, and the id of who sold them"),
    ("Search", "which parts of the index count, and products, of which nothing is found once they are gone"),
    ("Settings", "the shop's own"),
    (
        "Webhooks",
        "the shop's own, and events as they were told, with ids alone, gone by themselves after 30 days",
    ),
];

#[test]
fn whatever_a_table_keeps_of_a_person_goes_with_the_account() {
    let taken =
        accounts::Step::ALL.into_iter().flat_map(accounts::Step::tables).map(|name| (*name).to_owned());
    let kept = NOTHING_TO_FORGET.iter().map(|(name, _)| (*name).to_owned());
    let known: BTreeSet<_> = taken.chain(kept).collect();
    let template = Template::read();
    let tables =
        template.of("AWS::DynamoDB::Table").map(|table| table.id.trim_end_matches("Table").to_owned());
    assert_eq!(
        known,
        tables.collect(),
        "a table needs a step in accounts::Step, or a reason why it has none"
    );
}

/// Why a table has no part in what a person gets who asks for all that is kept of them.
const NOTHING_TO_SHOW: [(&str, &str); 8] = [
    ("Banners", "the shop's own"),
    ("Categories", "the shop's own"),
    ("Connections", "which sockets are open, and what could open one, gone by themselves after two hours"),
    ("Coupons", "a use has a code and an id, and its order says the same"),
    ("Guards", "ids and HMACs, and words on their way, found by no person and gone after 90 days at most"),
    ("Search", "products as everyone finds them, and those are in a part of their own"),
    ("Settings", "the shop's own"),
    ("Webhooks", "ids of what happened, for 30 days, of which the log says more"),
];

#[test]
fn whatever_a_table_keeps_of_a_person_is_shown_to_whoever_asks_for_it() {
    let shown =
        accounts::Part::ALL.into_iter().flat_map(accounts::Part::tables).map(|name| (*name).to_owned());
    let left_out = NOTHING_TO_SHOW.iter().map(|(name, _)| (*name).to_owned());
    let known: BTreeSet<_> = shown.chain(left_out).collect();
    let template = Template::read();
    let tables =
        template.of("AWS::DynamoDB::Table").map(|table| table.id.trim_end_matches("Table").to_owned());
    assert_eq!(
        known,
        tables.collect(),
        "a table needs a part in accounts::Part, or a reason why it has none"
    );
}

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
fn with_protect_data_nothing_that_holds_people_or_orders_can_be_deleted() {
    let template = Template::read();
    for document in template.documents().values() {
        if let Some(condition) = document["Conditions"].get("ProtectsData") {
            assert_eq!(*condition, json!({"Fn::Equals": [{"Ref": "ProtectData"}, "true"]}));
        }
    }
    // A first deployment that fails must be able to roll back.
    assert_eq!(yaml(ROOT)["Parameters"]["ProtectData"]["Default"], "false");
    for table in template.of("AWS::DynamoDB::Table") {
        let protection = table.property("DeletionProtectionEnabled");
        assert_eq!(*protection, json!({"Fn::If": ["ProtectsData", true, false]}), "{}", table.id);
    }
    for pool in template.of("AWS::Cognito::UserPool") {
        let protection = pool.property("DeletionProtection");
        assert_eq!(*protection, json!({"Fn::If": ["ProtectsData", "ACTIVE", "INACTIVE"]}), "{}", pool.id);
    }
}

#[test]
fn an_order_line_writes_one_small_item_and_an_order_little_to_the_index_of_what_is_due() {
    let template = Template::read();
    let table =
        |id: &str| template.of("AWS::DynamoDB::Table").find(|table| table.id == id).expect("the table");
    assert!(table("OffersTable").property("GlobalSecondaryIndexes").is_null());
    let indexes = table("OrdersTable").property("GlobalSecondaryIndexes").as_array().unwrap();
    let due = indexes.iter().find(|index| index["IndexName"] == "due").expect("the index");
    let few = json!({"ProjectionType": "INCLUDE", "NonKeyAttributes": ["attempts", "status"]});
    assert_eq!(due["Projection"], few);
}

#[test]
fn every_index_is_read_by_a_function() {
    let template = Template::read();
    let policies = json!(template.resources().iter().flat_map(statements).collect::<Vec<_>>()).to_string();
    for table in template.of("AWS::DynamoDB::Table") {
        for index in table.property("GlobalSecondaryIndexes").as_array().into_iter().flatten() {
            let name = index["IndexName"].as_str().expect("an index has a name");
            let arn = format!("${{{}Arn}}/index/{name}\"", table.id);
            let why = format!("{}: whoever writes pays for the index {name}, and nobody reads it", table.id);
            assert!(policies.contains(&arn), "{why}");
        }
    }
}

#[test]
fn what_is_told_of_a_change_has_the_item_before_and_after_it() {
    for table in Template::read().of("AWS::DynamoDB::Table") {
        let stream = table.property("StreamSpecification");
        assert!(stream.is_null() || stream["StreamViewType"] == "NEW_AND_OLD_IMAGES", "{}", table.id);
    }
}

#[test]
fn anyone_reads_images_and_nothing_else() {
    let template = Template::read();
    let mut open = Vec::new();
    let mut delivered = Vec::new();
    let mut told = Vec::new();
    for resource in template.resources() {
        for statement in statements(resource) {
            if statement["Effect"] == "Allow" && !statement["Principal"].is_null() {
                let what = (resource.id.as_str(), statement["Action"].clone(), statement["Resource"].clone());
                match resource.kind() {
                    "AWS::SQS::QueuePolicy" => delivered.push((resource, statement)),
                    "AWS::SNS::TopicPolicy" => told.push((resource, statement)),
                    _ => open.push(what),
                }
            }
        }
    }
    let images = json!({"Fn::Sub": "${MediaBucket.Arn}/images/*"});
    assert_eq!(open, [("MediaBucketPolicy", json!("s3:GetObject"), images)]);
    // To a topic SES tells what became of this account's emails, and nobody else anything.
    for (policy, statement) in told {
        assert_eq!(statement["Principal"], json!({"Service": "ses.amazonaws.com"}), "{}", policy.id);
        assert_eq!(statement["Action"], "sns:Publish", "{}", policy.id);
        let from = &statement["Condition"]["StringEquals"];
        assert_eq!(from["aws:SourceAccount"], json!({"Ref": "AWS::AccountId"}), "{}", policy.id);
        assert!(!from["aws:SourceArn"].is_null(), "{}", policy.id);
    }
    // Into a queue SNS delivers what a topic of ours has, and nobody else anything.
    for (policy, statement) in delivered {
        assert_eq!(statement["Principal"], json!({"Service": "sns.amazonaws.com"}), "{}", policy.id);
        assert_eq!(statement["Action"], "sqs:SendMessage", "{}", policy.id);
        let topic = template.named_by(policy, &statement["Condition"]["ArnEquals"]["aws:SourceArn"]);
        assert_eq!(topic.kind(), "AWS::SNS::Topic", "{}", policy.id);
    }
    for bucket in template.of("AWS::S3::Bucket") {
        let access = bucket.property("PublicAccessBlockConfiguration");
        assert_eq!((&access["BlockPublicAcls"], &access["IgnorePublicAcls"]), (&json!(true), &json!(true)));
        let ownership = &bucket.property("OwnershipControls")["Rules"][0]["ObjectOwnership"];
        assert_eq!(*ownership, json!("BucketOwnerEnforced"));
    }
}

/// The functions that may do this to objects in a folder of the pictures' bucket.
fn who_may<'a>(template: &'a Template, action: &str, folder: &str) -> Vec<&'a str> {
    let may = |function: &&Resource| {
        statements(function).iter().any(|statement| {
            texts(&statement["Action"]).iter().any(|text| text == action)
                && texts(&statement["Resource"]).iter().any(|text| text.contains(&format!("/{folder}/")))
        })
    };
    let mut who: Vec<_> =
        template.of("AWS::Serverless::Function").filter(may).map(|function| function.id.as_str()).collect();
    who.sort_unstable();
    who
}

#[test]
fn what_everyone_sees_is_written_by_whoever_checks_or_approves_it_and_what_waits_is_read_by_few() {
    let template = Template::read();
    let writers =
        ["IndexBannerImage", "IndexCategoryImage", "IndexProductImage", "IndexStoreImage", "SetApproval"];
    let functions =
        |names: &[&str]| -> Vec<String> { names.iter().map(|name| format!("{name}Function")).collect() };
    assert_eq!(who_may(&template, "s3:PutObject", "images"), functions(&writers));
    assert_eq!(who_may(&template, "s3:PutObject", "checked"), ["IndexProductImageFunction"]);
    let readers =
        ["GetMyProduct", "IndexProductImage", "ListMyProducts", "ListPendingProducts", "SetApproval"];
    assert_eq!(who_may(&template, "s3:GetObject", "checked"), functions(&readers));
}

#[test]
fn nobody_reaches_a_bucket_without_tls() {
    let template = Template::read();
    let policies: Vec<_> = template.of("AWS::S3::BucketPolicy").collect();
    assert_eq!(policies.len(), template.of("AWS::S3::Bucket").count());
    for policy in policies {
        let denials: Vec<_> =
            statements(policy).into_iter().filter(|statement| statement["Effect"] == "Deny").collect();
        let [denial] = denials.as_slice() else { panic!("{}: not one denial", policy.id) };
        assert_eq!(denial["Condition"], json!({"Bool": {"aws:SecureTransport": "false"}}));
        assert_eq!((&denial["Principal"], &denial["Action"]), (&json!("*"), &json!("s3:*")));
        let bucket = policy.property("Bucket")["Ref"].as_str().expect("a bucket");
        let all =
            json!([{"Fn::GetAtt": format!("{bucket}.Arn")}, {"Fn::Sub": format!("${{{bucket}.Arn}}/*")}]);
        assert_eq!(denial["Resource"], all);
    }
}

/// One of the buckets.
fn bucket<'a>(template: &'a Template, id: &str) -> &'a Resource {
    template.of("AWS::S3::Bucket").find(|bucket| bucket.id == id).expect("the bucket")
}

#[test]
fn browsers_may_upload_from_the_shops_own_pages_and_the_allowed_origins_alone_and_read_pictures_from_these() {
    let template = Template::read();
    let allowed = json!({"Fn::Split": [",", {"Ref": "AllowedOrigins"}]});
    let media = &bucket(&template, "MediaBucket").property("CorsConfiguration")["Fn::If"];
    assert_eq!((&media[0], media[2]["Ref"].as_str()), (&json!("HasAllowedOrigins"), Some("AWS::NoValue")));
    let rules = media[1]["CorsRules"].as_array().unwrap();
    assert_eq!(rules.len(), 1);
    assert_eq!((&rules[0]["AllowedMethods"], &rules[0]["AllowedOrigins"]), (&json!(["GET"]), &allowed));

    let rules = bucket(&template, "UploadsBucket").property("CorsConfiguration")["CorsRules"].clone();
    let [own, shops, others] = &rules.as_array().unwrap()[..] else { panic!("not three rules") };
    assert_eq!(
        (&shops["Fn::If"][0], &others["Fn::If"][0]),
        (&json!("HasShopUrl"), &json!("HasAllowedOrigins"))
    );
    let part = |at: u8| json!({"Fn::Select": [at, {"Fn::Split": ["/", {"Ref": "ShopUrl"}]}]});
    let api = "https://${Api}.execute-api.${AWS::Region}.${AWS::URLSuffix}";
    let origins = [json!([{ "Fn::Sub": api }]), json!([{"Fn::Join": ["//", [part(0), part(2)]]}]), allowed];
    for (rule, origins) in [own, &shops["Fn::If"][1], &others["Fn::If"][1]].into_iter().zip(origins) {
        assert_eq!((&rule["AllowedMethods"], &rule["AllowedOrigins"]), (&json!(["PUT"]), &origins));
    }
}

#[test]
fn an_upload_is_forgotten_after_a_day_and_nobody_can_open_its_bucket() {
    let template = Template::read();
    let bucket = bucket(&template, "UploadsBucket");
    assert!(bucket.property("VersioningConfiguration").is_null(), "what is forgotten is gone");
    let rules = bucket.property("LifecycleConfiguration")["Rules"].as_array().unwrap();
    let [rule] = rules.as_slice() else { panic!("not one rule") };
    let rule = (&rule["Status"], &rule["Prefix"], &rule["ExpirationInDays"]);
    assert_eq!(rule, (&json!("Enabled"), &Value::Null, &json!(1)));
    let access = bucket.property("PublicAccessBlockConfiguration");
    let closed = (&access["BlockPublicPolicy"], &access["RestrictPublicBuckets"]);
    assert_eq!(closed, (&json!(true), &json!(true)));
}

#[test]
fn a_picture_that_was_deleted_can_be_brought_back_for_30_days() {
    let template = Template::read();
    let bucket = bucket(&template, "MediaBucket");
    assert_eq!(bucket.property("VersioningConfiguration")["Status"], "Enabled");
    let rules = bucket.property("LifecycleConfiguration")["Rules"].as_array().unwrap();
    let [rule] = rules.as_slice() else { panic!("not one rule") };
    assert_eq!((&rule["Status"], &rule["Prefix"]), (&json!("Enabled"), &Value::Null));
    assert_eq!(rule["NoncurrentVersionExpiration"], json!({"NoncurrentDays": 30}));
    // What is shown never expires; the mark of a deletion goes once it hides nothing.
    assert_eq!((&rule["ExpirationInDays"], &rule["ExpiredObjectDeleteMarker"]), (&Value::Null, &json!(true)));
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
            let target = template.named_by(queue, &redrive["deadLetterTargetArn"]);
            assert!(is_dead_letter_queue(target), "{}: {}", queue.id, target.id);
            // Fewer than five, and a throttled consumer alone would fill it.
            assert!(redrive["maxReceiveCount"].as_u64() >= Some(5), "{}", queue.id);
        }
    }
}

#[test]
fn every_queue_has_one_consumer_that_gives_back_the_failed_messages_alone() {
    let template = Template::read();
    let mut consumed: Vec<_> =
        mappings(&template, "AWS::SQS::Queue").map(|(_, queue)| queue.id.as_str()).collect();
    consumed.sort_unstable();
    let mut queues: Vec<_> = template
        .of("AWS::SQS::Queue")
        .filter(|queue| !is_dead_letter_queue(queue))
        .map(|queue| queue.id.as_str())
        .collect();
    queues.sort_unstable();
    assert_eq!(consumed, queues);
    for mapping in template.of("AWS::Lambda::EventSourceMapping") {
        let answers = mapping.property("FunctionResponseTypes");
        assert_eq!(*answers, json!(["ReportBatchItemFailures"]), "{}", mapping.id);
    }
}

#[test]
fn events_of_stock_are_read_from_all_changes_to_few_pieces_or_from_few() {
    let template = Template::read();
    let mapping = template.of("AWS::Lambda::EventSourceMapping");
    let mapping = mapping.into_iter().find(|mapping| mapping.id == "PublishEventsOfOffersMapping").unwrap();
    let few: Vec<_> = (0..offers::FEW).map(|pieces| pieces.to_string()).collect();
    let wanted =
        ["NewImage", "OldImage"].map(|image| json!({ "dynamodb": { image: { "quantity": { "N": few } } } }));
    let filters = mapping.property("FilterCriteria")["Filters"].as_array().unwrap();
    let pattern =
        |filter: &Value| -> Value { serde_json::from_str(filter["Pattern"].as_str().unwrap()).unwrap() };
    assert_eq!(filters.iter().map(pattern).collect::<Vec<_>>(), wanted);
}

#[test]
fn a_message_stays_invisible_for_six_times_its_consumers_timeout() {
    let template = Template::read();
    for (mapping, queue) in mappings(&template, "AWS::SQS::Queue") {
        let consumer = template.named_by(mapping, mapping.property("FunctionName"));
        let timeout = consumer.property("Timeout").as_u64().unwrap();
        assert_eq!(queue.property("VisibilityTimeout").as_u64(), Some(6 * timeout), "{}", queue.id);
    }
}

#[test]
fn a_topics_queue_is_given_the_kinds_that_it_asks_for_as_they_were_published() {
    let template = Template::read();
    for subscription in template.of("AWS::SNS::Subscription").filter(|one| one.property("Protocol") == "sqs")
    {
        let queue = template.named_by(subscription, subscription.property("Endpoint"));
        let policy = template.of("AWS::SQS::QueuePolicy").find(|policy| {
            template.named_in(policy, policy.property("Queues")).iter().any(|one| one.id == queue.id)
        });
        let delivers = policy.is_some_and(|policy| {
            let topic = template.named_by(subscription, subscription.property("TopicArn"));
            let document = template.named_in(policy, policy.property("PolicyDocument"));
            [topic, queue].iter().all(|needed| document.iter().any(|one| one.id == needed.id))
        });
        assert!(delivers, "{}: the topic may not send to {}", subscription.id, queue.id);
        assert_eq!(*subscription.property("RawMessageDelivery"), json!(true), "{}", subscription.id);
        let filter = subscription.property("FilterPolicy");
        // SES has another name for it.
        let kinds = ["type", "eventType"].iter().find_map(|name| filter[name].as_array());
        assert!(kinds.is_some_and(|kinds| !kinds.is_empty()), "{}", subscription.id);
    }
}

#[test]
fn a_record_that_fails_again_and_again_ends_in_a_queue_and_does_not_hold_up_its_stream() {
    let template = Template::read();
    let mut readers: BTreeMap<&str, usize> = BTreeMap::new();
    for (mapping, table) in mappings(&template, "AWS::DynamoDB::Table") {
        let tries = mapping.property("MaximumRetryAttempts").as_u64();
        assert!(tries.is_some_and(|tries| (1..=100).contains(&tries)), "{}: {tries:?}", mapping.id);
        assert_eq!(*mapping.property("BisectBatchOnFunctionError"), json!(true), "{}", mapping.id);
        let end = &mapping.property("DestinationConfig")["OnFailure"]["Destination"];
        assert!(is_dead_letter_queue(template.named_by(mapping, end)), "{}", mapping.id);
        *readers.entry(&table.id).or_default() += 1;
    }
    // With a third reader DynamoDB slows all of them down.
    assert!(readers.values().all(|readers| *readers <= 2), "{readers:?}");
}

// ── The workflow ───────────────────────────────────────────────────────────────────────────────────────────

#[test]
fn every_state_says_what_it_is_for_and_leads_to_one_that_exists() {
    for workflow in WORKFLOWS {
        every_state_of_says_what_it_is_for_and_leads_to_one_that_exists(&yaml(workflow));
    }
}

fn every_state_of_says_what_it_is_for_and_leads_to_one_that_exists(workflow: &Value) {
    let states = workflow["States"].as_object().expect("states");
    let mut reached = BTreeSet::from([workflow["StartAt"].as_str().expect("a first state")]);
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
    let workflows = WORKFLOWS.map(yaml);
    for (name, state) in workflows.iter().flat_map(|workflow| workflow["States"].as_object().unwrap()) {
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
fn the_template_fills_in_what_the_workflows_leave_open() {
    let template = Template::read();
    let mut known = BTreeSet::new();
    for machine in template.of("AWS::Serverless::StateMachine") {
        let given: BTreeSet<_> =
            machine.property("DefinitionSubstitutions").as_object().unwrap().keys().cloned().collect();
        let file =
            machine.property("DefinitionUri").as_str().and_then(|uri| uri.strip_prefix("../../")).unwrap();
        let workflow = text(file);
        let open = workflow.split("${").skip(1).map(|rest| rest.split_once('}').unwrap().0.to_owned());
        assert_eq!(open.collect::<BTreeSet<_>>(), given);
        known.insert(file.to_owned());
    }
    assert_eq!(known, WORKFLOWS.map(str::to_owned).into());
}

// ── The stack ──────────────────────────────────────────────────────────────────────────────────────────────

#[test]
fn no_template_passes_350_of_cloudformations_500_resources() {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    let template = Template::read();
    for resource in template.resources() {
        *counts.entry(&resource.template).or_default() += resources_after_the_transform(resource);
    }
    // An application and a role for CodeDeploy in each template that publishes an alias.
    let publishing = template.functions().filter(|function| !function.property("AutoPublishAlias").is_null());
    for name in publishing.map(|function| function.template.as_str()).collect::<BTreeSet<_>>() {
        *counts.entry(name).or_default() += 2;
    }
    assert!(counts.values().all(|count| *count <= 350), "{counts:#?}");
}

#[test]
fn a_name_stands_in_one_template_alone() {
    let template = Template::read();
    let ids: BTreeSet<_> = template.resources().iter().map(|resource| &resource.id).collect();
    assert_eq!(ids.len(), template.resources().len());
}

#[test]
fn references_between_templates_go_one_way() {
    // Each knows those before it: what keeps things, what all share, what answers and works, what watches.
    const ORDER: [&[&str]; 4] = [
        &["infra/state/template.yaml"],
        &[ROOT],
        &[
            "infra/catalogue/template.yaml",
            "infra/people/template.yaml",
            "infra/sales/template.yaml",
            "infra/workers/template.yaml",
        ],
        &["infra/ops/template.yaml"],
    ];
    let rank = |name: &str| {
        ORDER.iter().position(|rank| rank.contains(&name)).unwrap_or_else(|| panic!("{name} has no place"))
    };
    let template = Template::read();
    for resource in template.resources() {
        let inside = resource.property("TemplateURL").as_str();
        let to = inside.unwrap_or(&resource.template);
        for named in template.named_in(resource, &resource.body) {
            let is_here = inside.is_none() && named.template == to;
            let is_before = is_here || rank(&named.template) < rank(to);
            assert!(is_before, "{to} refers to {} of {}", named.id, named.template);
        }
    }
    for (name, document) in template.documents() {
        let text = document.to_string();
        assert!(!text.contains("Fn::ImportValue") && !text.contains("\"Export\""), "{name}");
    }
}

#[test]
fn every_stack_inside_is_given_what_it_asks_for() {
    let template = Template::read();
    for stack in template.of("AWS::CloudFormation::Stack") {
        let inside = &template.documents()[stack.property("TemplateURL").as_str().unwrap()];
        let asked = inside["Parameters"].as_object().unwrap();
        let given = stack.property("Parameters").as_object().unwrap();
        // What the transform reads needs a value even where nobody gives one; releases.rs has them.
        let of_a_release = ["Canary", "CanaryType", "Release"];
        assert_eq!(given.keys().collect::<BTreeSet<_>>(), asked.keys().collect(), "{}", stack.id);
        for (name, parameter) in asked {
            // With a default, one that is forgotten above would not be noticed.
            let may_have_one = of_a_release.contains(&name.as_str());
            assert!(parameter["Default"].is_null() || may_have_one, "{}: {name}", stack.id);
            assert!(
                parameter["Description"].as_str().is_some_and(|text| text.ends_with('.')),
                "{}: {name}",
                stack.id
            );
        }
    }
}

#[test]
fn every_stage_may_deploy_templates_with_macros_inside() {
    let config = text("samconfig.toml");
    let capabilities: Vec<_> = config.lines().filter(|line| line.starts_with("capabilities")).collect();
    assert_eq!(capabilities, [r#"capabilities = "CAPABILITY_IAM CAPABILITY_AUTO_EXPAND""#; 4]);
}

#[test]
fn production_reaches_its_people_or_is_not_deployed() {
    let rules = &yaml(ROOT)["Rules"];
    let rule = &rules["ProductionReachesPeople"];
    assert_eq!(rule["RuleCondition"], json!({"Fn::Equals": [{"Ref": "Stage"}, "production"]}));
    let asserted: Vec<_> =
        rule["Assertions"].as_array().unwrap().iter().map(|one| one["Assert"].clone()).collect();
    // What a parameter is by default is what production must not have.
    let expected = ["AdminEmail", "EmailIdentityArn", "EmailSender"].map(|name| {
        let default = &yaml(ROOT)["Parameters"][name]["Default"];
        json!({"Fn::Not": [{"Fn::Equals": [{"Ref": name}, default]}]})
    });
    assert_eq!(asserted, expected);
}

#[test]
fn account_emails_go_out_by_ses_where_there_is_an_identity() {
    let template = Template::read();
    let pool = template.of("AWS::Cognito::UserPool").next().unwrap();
    let by_ses = json!({
        "EmailSendingAccount": "DEVELOPER",
        "SourceArn": {"Ref": "EmailIdentityArn"},
        "From": {"Ref": "EmailSender"},
        "ConfigurationSet": {"Ref": "AccountEmails"},
    });
    let configuration = json!({"Fn::If": ["HasEmailIdentity", by_ses, {"Ref": "AWS::NoValue"}]});
    assert_eq!(*pool.property("EmailConfiguration"), configuration);
    let set = template.of("AWS::SES::ConfigurationSet").find(|set| set.id == "AccountEmails").unwrap();
    assert_eq!(set.body["Condition"], "HasEmailIdentity");
}

#[test]
fn the_words_of_account_emails_are_the_functions_by_ses_and_the_pools_where_cognito_takes_no_others() {
    let template = Template::read();
    let pool = template.of("AWS::Cognito::UserPool").next().unwrap();
    let words = &pool.property("VerificationMessageTemplate")["Fn::If"];
    assert_eq!([&words[0], &words[1]], [&json!("HasEmailIdentity"), &json!({"Ref": "AWS::NoValue"})]);
    assert!(words[2]["EmailMessage"].as_str().is_some_and(|text| text.contains("{####}")));
    let writers = template.functions().filter(|function| {
        let events = function.events();
        events.iter().any(|(_, event)| event["Properties"]["Trigger"] == "CustomMessage")
    });
    let [writer] = writers.collect::<Vec<_>>()[..] else { panic!("not one function") };
    assert_eq!(writer.binary(), "write-account-email");
    let variables = &writer.property("Environment")["Variables"];
    assert_eq!(variables["EMAIL_IDENTITY_ARN"], json!({"Ref": "EmailIdentityArn"}));
    assert_eq!(variables["SHOP_URL"], yaml(ROOT)["Outputs"]["ShopUrl"]["Value"]);
    assert!(writer.property("Policies").is_null(), "it calls nothing");
}

/// What auth's letters say of them is what Cognito does by default.
#[test]
fn first_passwords_are_good_for_a_week_and_sessions_of_a_sign_in_for_three_minutes() {
    let template = Template::read();
    let pool = template.of("AWS::Cognito::UserPool").next().unwrap();
    assert!(pool.property("Policies")["PasswordPolicy"]["TemporaryPasswordValidityDays"].is_null());
    let client = template.of("AWS::Cognito::UserPoolClient").next().unwrap();
    assert!(client.property("AuthSessionValidity").is_null());
}

#[test]
fn every_parameter_has_a_default_and_a_description() {
    let template = yaml(ROOT);
    for (name, parameter) in template["Parameters"].as_object().unwrap() {
        assert!(parameter["Description"].as_str().is_some_and(|text| text.ends_with('.')), "{name}");
        assert!(!parameter["Default"].is_null(), "{name}");
    }
}

/// The mappings of functions to what they read, with that, if it is of this type.
fn mappings<'a>(template: &'a Template, kind: &'a str) -> impl Iterator<Item = (&'a Resource, &'a Resource)> {
    let mappings = template.of("AWS::Lambda::EventSourceMapping");
    let with_source =
        mappings.map(|mapping| (mapping, template.named_by(mapping, mapping.property("EventSourceArn"))));
    with_source.filter(move |(_, source)| source.kind() == kind)
}

/// A value as it is written where it comes from, in case that is a parameter of a stack inside.
fn written(template: &Template, resource: &Resource, value: &Value) -> Value {
    let given = value["Ref"].as_str().and_then(|name| {
        let mut stacks = template.of("AWS::CloudFormation::Stack");
        let stack = stacks.find(|stack| *stack.property("TemplateURL") == resource.template.as_str())?;
        stack.property("Parameters").get(name)
    });
    given.unwrap_or(value).clone()
}

/// `OrdersTable` as a variable of the environment: `ORDERS_TABLE`.
fn screaming(pascal: &str) -> String {
    let words = pascal.char_indices().map(|(at, letter)| {
        let gap = if letter.is_ascii_uppercase() && at > 0 { "_" } else { "" };
        format!("{gap}{}", letter.to_ascii_uppercase())
    });
    words.collect()
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

/// How many resources SAM makes of one. The rules:
/// <https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-specification-generated-resources.html>.
fn resources_after_the_transform(resource: &Resource) -> usize {
    match resource.kind() {
        // The function and its role.
        "AWS::Serverless::Function" => {
            let events = resource.events().into_iter().map(|(name, event)| match event["Type"].as_str() {
                // A permission.
                Some("Cognito" | "S3") => 1,
                // A rule and a permission.
                Some("Schedule") => 2,
                other => panic!("{}: {name}: say here what SAM makes of a {other:?} event", resource.id),
            });
            // A version, its alias and a deployment group.
            let release = if resource.property("AutoPublishAlias").is_null() { 0 } else { 3 };
            2 + events.sum::<usize>()
                + usize::from(!resource.property("EventInvokeConfig").is_null())
                + release
        }
        // The state machine and its role.
        "AWS::Serverless::StateMachine" => 2,
        other => {
            assert!(!other.starts_with("AWS::Serverless::"), "say here what SAM makes of {other}");
            1
        }
    }
}

fn is_dead_letter_queue(queue: &Resource) -> bool {
    queue.id.ends_with("DeadLetterQueue")
}

/// The statements of a resource's policies. A policy that is named and not written out is refused: it hides what it
/// allows.
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
    // What may be done only where a parameter says what it is about.
    let given = documents.into_iter().map(|document| match &document["Fn::If"] {
        Value::Array(choice) => {
            assert_eq!(choice[2], json!({"Ref": "AWS::NoValue"}), "{}", resource.id);
            choice[1].clone()
        }
        _ => document,
    });
    let written = |document: Value| {
        let statements = document["Statement"].as_array().cloned();
        statements.unwrap_or_else(|| panic!("{}: a policy that is not written out: {document}", resource.id))
    };
    given.flat_map(written).collect()
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
        let folders = ["/uploads/", "/exports", "/checked/", "/images", "/index"];
        !folder.contains(['*', '?']) && folders.iter().any(|name| folder.contains(name))
    };
    action.starts_with("s3:") && !action.contains('*') && folder.is_some_and(is_folder)
}
