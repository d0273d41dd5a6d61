//! How a release takes over: what an order and signing in need is called by an alias, which alarms hold on to.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use tests::template::{Binary, ROOT, Resource, Template, references, text, yaml};

/// What gives each template its version of this, and the value that the transform reads without one.
const OF_A_RELEASE: [(&str, &str); 3] =
    [("Canary", "false"), ("CanaryType", "Canary10Percent5Minutes"), ("Release", "none")];

/// The functions on the way of an order and of a sign-in. What only reads orders takes nothing down with it.
fn is_released_by_alias(binary: &Binary) -> bool {
    let reads = binary.routes().iter().any(|route| route.method == "GET");
    match binary.service.as_str() {
        "auth" | "notifications" => true,
        "orders" | "payments" => !reads,
        "carts" => binary.name == "check-out-cart",
        _ => false,
    }
}

fn by_alias(template: &Template) -> impl Iterator<Item = &Resource> {
    let released: BTreeSet<_> =
        Binary::all().into_iter().filter(is_released_by_alias).map(|one| one.name).collect();
    template.functions().filter(move |function| released.contains(function.binary()))
}

#[test]
fn orders_and_auth_take_over_by_an_alias_and_nothing_else_does() {
    let template = Template::read();
    let expected: BTreeSet<_> = by_alias(&template).map(|function| &function.id).collect();
    let with_alias = template.functions().filter(|function| !function.property("AutoPublishAlias").is_null());
    assert_eq!(with_alias.map(|function| &function.id).collect::<BTreeSet<_>>(), expected);
    for function in by_alias(&template) {
        assert_eq!(*function.property("AutoPublishAlias"), json!("live"), "{}", function.id);
        assert_eq!(
            *function.property("AutoPublishCodeSha256"),
            json!({ "Ref": "Release" }),
            "{}: without it the alias keeps the old environment when only a parameter is new",
            function.id
        );
        let preference = function.property("DeploymentPreference");
        assert_eq!(preference["Enabled"], json!({ "Ref": "Canary" }), "{}", function.id);
        assert_eq!(preference["Type"], json!({ "Ref": "CanaryType" }), "{}", function.id);
    }
}

#[test]
fn whoever_calls_a_function_with_an_alias_calls_the_alias() {
    let template = Template::read();
    let released: Vec<_> = by_alias(&template).collect();
    let ids: BTreeSet<_> = released.iter().map(|function| &function.id).collect();
    for resource in template.resources() {
        for reference in references(&resource.body) {
            let named = template.origin(&resource.template, &reference).map(|named| &named.id);
            let Some(named) = named.filter(|named| ids.contains(named)) else { continue };
            let by_alias = json!({ "Ref": format!("{named}.Alias") });
            assert_eq!(reference, by_alias, "{}", resource.id);
        }
    }
    for function in released {
        let outputs = &template.documents()[&function.template]["Outputs"];
        assert!(!outputs.to_string().contains(&function.id), "{} is called from elsewhere", function.id);
    }
}

#[test]
fn a_release_goes_back_on_alarms_of_its_service_that_ring_within_five_minutes_and_end_by_themselves() {
    let template = Template::read();
    for binary in Binary::all().into_iter().filter(is_released_by_alias) {
        let function = template.functions().find(|function| function.binary() == binary.name).unwrap();
        let names = function.property("DeploymentPreference")["Alarms"].as_array().unwrap();
        let its_own = json!({ "Fn::Sub": format!("cartwright-${{Stage}}-{}-failing", binary.service) });
        assert!(names.contains(&its_own), "{}", function.id);
        let of_the_api = json!({ "Fn::Sub": "cartwright-${Stage}-api-errors" });
        assert_eq!(names.contains(&of_the_api), !binary.routes().is_empty(), "{}", function.id);
        for name in names {
            let mut alarms = template.of("AWS::CloudWatch::Alarm");
            let alarm = alarms.find(|alarm| alarm.property("AlarmName") == name);
            let alarm = alarm.unwrap_or_else(|| panic!("{}: there is no alarm {name}", function.id));
            assert_eq!(window(alarm), 300, "{}", alarm.id);
            // What waits in a queue rings until somebody has mended it, and would keep out the release that does.
            assert!(!alarm.body.to_string().contains("NumberOfMessages"), "{}: {}", function.id, alarm.id);
            assert_eq!(*alarm.property("TreatMissingData"), json!("notBreaching"), "{}", alarm.id);
        }
    }
}

/// How many seconds an alarm looks back.
fn window(alarm: &Resource) -> u64 {
    let of_queries = alarm.property("Metrics").as_array().into_iter().flatten();
    let periods = of_queries.map(|query| &query["MetricStat"]["Period"]).chain([alarm.property("Period")]);
    let period = periods.filter_map(Value::as_u64).max().expect("a period");
    period * alarm.property("EvaluationPeriods").as_u64().expect("a number of periods")
}

#[test]
fn the_transform_reads_what_a_release_is_from_parameters_that_have_a_value() {
    let template = Template::read();
    for (name, document) in template.documents().iter().filter(|(name, _)| *name != ROOT) {
        let with_default = document["Parameters"].as_object().into_iter().flatten();
        let with_default = with_default
            .filter_map(|(parameter, declared)| Some((parameter.as_str(), declared["Default"].as_str()?)));
        let publishes = by_alias(&template).any(|function| function.template == *name);
        let expected = if publishes { OF_A_RELEASE.to_vec() } else { Vec::new() };
        assert_eq!(with_default.collect::<Vec<_>>(), expected, "{name}");
    }
    let parameters = &yaml(ROOT)["Parameters"];
    assert_eq!(parameters["Canary"]["Default"], "false");
    // SAM names a version by the first ten letters of what is given, and a name there has no other signs.
    assert_eq!(parameters["Release"]["AllowedPattern"], "^[A-Za-z0-9]{1,10}$");
}

#[test]
fn production_alone_takes_over_by_and_by_and_what_is_deployed_to_aws_says_which_release_it_is() {
    let config = text("samconfig.toml");
    let overrides = config.lines().filter_map(|line| line.strip_prefix("parameter_overrides = "));
    for line in overrides {
        let is = |what: &str| line.split(['"', ' ']).any(|word| word.starts_with(what));
        assert_eq!(is("Canary=true"), is("Stage=production"), "{line}");
        // `cargo local` gives its own.
        assert_eq!(is("Release="), !is("Stage=local"), "{line}");
    }
}
