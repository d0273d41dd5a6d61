//! The contract: it breaks no client of the last release in silence, and its examples fit its schemas.

use std::collections::BTreeSet;

use contract::compatibility::{announced, breaking_changes, newest_release};
use contract::released;
use serde_json::{Value, json};
use shared::http::input::{self, Field};
use shared::values::money::Price;
use tests::files::files_under;
use tests::schemas::{Contract, escaped, operations};
use tests::template::{contract, text};

#[test]
fn the_contract_breaks_no_client_without_saying_so() {
    let (released, contract) = (released().unwrap(), contract());
    let announced = announced(&text("CHANGELOG.md"));
    let silent: Vec<_> = breaking_changes(&released, &contract)
        .into_iter()
        .filter(|change| !announced.contains(&change.operation))
        .map(|change| format!("{}: {}", change.operation, change.what))
        .collect();
    assert!(
        silent.is_empty(),
        "this breaks clients of the last release. Keep what they rely on, or name each operation in CHANGELOG.md under \
         [Unreleased], Breaking:\n{silent:#?}"
    );
}

#[test]
fn the_released_contract_is_that_of_the_newest_release() {
    let released = released().unwrap()["info"]["version"].clone();
    if let Some(version) = newest_release(&text("CHANGELOG.md")) {
        assert_eq!(released, version, "a release writes released.json: see CONTRIBUTING.md");
    }
}

#[test]
fn every_401_of_the_contract_says_how_to_sign_in() {
    let contract = Contract::read();
    let mut count = 0;
    for (method, path, at) in operations(&contract.whole) {
        let Some(refusal) = contract.whole.pointer(&format!("{at}/responses/401")) else { continue };
        let refusal = refusal["$ref"].as_str().map_or(refusal, |reference| contract.at(&reference[1..]));
        let challenge = &refusal["headers"]["WWW-Authenticate"]["$ref"];
        assert_eq!(challenge, "#/components/headers/WWWAuthenticate", "{method} {path}");
        count += 1;
    }
    assert!(count > 20, "only {count} operations answer 401");
}

#[test]
fn if_match_is_heeded_where_the_contract_says_so_and_refused_elsewhere() {
    let contract = Contract::read();
    let files = files_under("functions");
    let mut wrong = Vec::new();
    for (method, path, at) in operations(&contract.whole).into_iter().filter(|(method, ..)| method != "GET") {
        let operation = contract.at(&at);
        let parameters = operation["parameters"].as_array().into_iter().flatten();
        let names = parameters.map(|one| one["$ref"].as_str().unwrap_or_default());
        let is_declared = names.into_iter().any(|name| name == "#/components/parameters/IfMatch");
        let binary = format!("/bin/{}.rs", operation["x-function"].as_str().expect("a function"));
        let code = text(files.iter().find(|file| file.ends_with(&binary)).expect("a binary"));
        let says = [
            operation["responses"].get("412").is_some(),
            code.contains(").conditional()"),
            code.contains("if_match: IfMatch"),
            code.contains("&if_match"),
        ];
        if says != [is_declared; 4] {
            wrong.push(format!("{method} {path}: {is_declared}, and {says:?}"));
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn the_examples_of_bodies_in_the_contract_fit_their_schemas() {
    /// Where there are a schema and examples of it.
    fn places(value: &Value, at: &str, found: &mut Vec<String>) {
        match value {
            Value::Object(members) => {
                let has_examples = members.contains_key("example") || members.contains_key("examples");
                if members.contains_key("schema") && has_examples {
                    found.push(at.to_owned());
                }
                for (name, member) in members.iter().filter(|(name, _)| !name.starts_with("x-")) {
                    places(member, &format!("{at}/{}", escaped(name)), found);
                }
            }
            Value::Array(items) => {
                for (index, item) in items.iter().enumerate() {
                    places(item, &format!("{at}/{index}"), found);
                }
            }
            _ => {}
        }
    }
    let mut contract = Contract::read();
    let (mut found, mut wrong, mut count) = (Vec::new(), Vec::new(), 0);
    places(&contract.whole, "", &mut found);
    for place in found {
        let mut examples: Vec<Value> = contract.at(&place).get("example").cloned().into_iter().collect();
        let named = contract.at(&place)["examples"].as_object().cloned().unwrap_or_default();
        examples.extend(
            named
                .keys()
                .map(|name| contract.at(&format!("{place}/examples/{}", escaped(name)))["value"].clone()),
        );
        for example in examples {
            count += 1;
            if let Some(faults) = contract.faults(&format!("{place}/schema"), &example) {
                wrong.push(format!("{place}: {example}: {faults}"));
            }
        }
    }
    assert!(count > 100, "only {count} examples were found");
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// A schema of the contract, and how the code reads the same text.
struct Text {
    pointer: &'static str,
    name: fn() -> &'static str,
    read: fn(&str) -> Result<(), String>,
}

impl Text {
    const fn of<T: Field>(pointer: &'static str) -> Self {
        Self { pointer, name: std::any::type_name::<T>, read: read::<T> }
    }

    /// `orders::ReturnReason`: its crate and its name.
    fn name(&self) -> String {
        let path = (self.name)();
        let (of, name) = (path.split("::").next(), path.rsplit("::").next());
        format!("{}::{}", of.unwrap_or_default(), name.unwrap_or_default())
    }
}

fn read<T: Field>(text: &str) -> Result<(), String> {
    T::parse(input::Value::String(text.to_owned())).map(drop)
}

const TEXTS: [Text; 38] = [
    Text::of::<users::FullName>("/components/schemas/FullName"),
    Text::of::<users::Username>("/components/schemas/Username"),
    Text::of::<users::messages::MessageSubject>("/components/schemas/MessageSubject"),
    Text::of::<users::messages::MessageText>("/components/schemas/MessageText"),
    Text::of::<orders::returns::ReturnReason>("/components/schemas/ReturnReason"),
    Text::of::<orders::parcels::ParcelReason>("/components/schemas/ReturnReason"),
    Text::of::<orders::parcels::NamedSeller>("/components/schemas/NamedSeller"),
    Text::of::<shared::values::address::AddressLine>("/components/schemas/SentAddressLine"),
    Text::of::<shared::values::address::AddressCode>("/components/schemas/SentAddressCode"),
    Text::of::<orders::fulfilling::Carrier>("/components/schemas/Carrier"),
    Text::of::<orders::fulfilling::TrackingNumber>("/components/schemas/TrackingNumber"),
    Text::of::<shared::values::url::HttpsUrl>("/components/schemas/TrackingUrl"),
    Text::of::<categories::CategoryName>("/components/schemas/ShopCategoryName"),
    Text::of::<products::Category>("/components/schemas/CategoryName"),
    Text::of::<offers::ProductName>("/components/schemas/NewProduct/properties/productName"),
    Text::of::<products::Description>("/components/schemas/NewProduct/properties/description"),
    Text::of::<products::Sku>("/components/schemas/SentSku"),
    Text::of::<shared::media::FileName>("/components/schemas/NewProduct/properties/fileName"),
    Text::of::<products::Reason>("/components/schemas/Approval/properties/reason"),
    Text::of::<reviews::Title>("/components/schemas/NewReview/properties/title"),
    Text::of::<reviews::Words>("/components/schemas/NewReview/properties/text"),
    Text::of::<reviews::PenName>("/components/schemas/NewReview/properties/name"),
    Text::of::<reviews::ReplyText>("/components/schemas/NewReply/properties/text"),
    Text::of::<reviews::WhyHidden>("/components/schemas/Visibility/properties/reason"),
    Text::of::<stores::StoreName>("/components/schemas/StoreName"),
    Text::of::<stores::Description>("/components/schemas/StoreDescription"),
    Text::of::<stores::Reason>("/components/schemas/StoreReason"),
    Text::of::<settings::MethodId>("/components/schemas/NewShippingMethod/properties/id"),
    Text::of::<settings::MethodName>("/components/schemas/NewShippingMethod/properties/name"),
    Text::of::<shared::values::address::Region>("/components/schemas/Region"),
    Text::of::<settings::TaxCategory>("/components/schemas/CategoryName"),
    Text::of::<promotions::Category>("/components/schemas/CategoryName"),
    Text::of::<promotions::CouponCode>("/components/schemas/SentCouponCode"),
    Text::of::<shared::media::FileName>("/components/schemas/NewPicture/properties/fileName"),
    Text::of::<webhooks::Target>("/components/schemas/SentWebhookUrl"),
    Text::of::<webhooks::Description>("/components/schemas/SentWebhookDescription"),
    Text::of::<users::Number>("/components/schemas/TextNumber"),
    Text::of::<notifications::admin_texts::Addressee>("/components/schemas/NewText/properties/to"),
];

/// What is read from a body, or is a text of [`shared::text`], and not compared with the contract character by
/// character.
const NO_TEXTS: [&str; 36] = [
    // What people do not choose, or keep for themselves: other tests try what these take.
    "auth::ConfirmationCode",
    "auth::OneTimeCode",
    "auth::Password",
    "auth::Session",
    "auth::Token",
    "auth::TotpCode",
    "auth::Verifier",
    "shared::Country",
    "users::Email",
    "users::Locale",
    "users::Phone",
    "users::Addressee",
    "users::PhoneCode",
    // What fits into one text message, no schema can say: `shared::texts` tries it.
    "shared::Text",
    // Numbers, ids, moments, switches, and what has members.
    "carts::Version",
    "carts::Wanted",
    "inbox::NotificationId",
    "offers::Deduction",
    "offers::Difference",
    "offers::Stock",
    "orders::Quantity",
    "products::PictureId",
    "promotions::Part",
    "reviews::Given",
    "settings::Countries",
    "shared::Charge",
    "shared::FileSize",
    "shared::Percent",
    "shared::Price",
    "shared::Sum",
    "shared::Timestamp",
    "shared::bool",
    "users::Consent",
    "webhooks::Hours",
    "webhooks::Types",
    // The name of a stack, which no client sends.
    "payments::Shop",
];

/// What the code reads from bodies as a text, by the crate and the name of its type: what `text!` declares, and what
/// has a `Field` of its own.
fn read_by_the_code() -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let all = files_under("functions").into_iter().chain(files_under("shared"));
    for file in all.filter(|file| file.ends_with(".rs")) {
        let folder = file.strip_prefix("functions/").unwrap_or(&file).split('/').next().expect("a folder");
        let code = text(&file);
        let mut lines = code.lines();
        while let Some(line) = lines.next() {
            let name = if line.ends_with("::text!(") && !line.starts_with([' ', '/']) {
                lines.find(|line| !line.trim().starts_with("///")).and_then(|line| line.split(',').next())
            } else {
                line.strip_prefix("impl Field for ").and_then(|rest| rest.strip_suffix(" {"))
            };
            found.extend(name.map(|name| format!("{folder}::{}", name.trim())));
        }
    }
    found
}

#[test]
fn every_text_of_a_body_is_compared_with_the_contract() {
    let compared = TEXTS.iter().map(Text::name);
    let known: BTreeSet<_> = compared.chain(NO_TEXTS.map(str::to_owned)).collect();
    assert_eq!(known, read_by_the_code());
}

#[test]
fn the_contract_takes_the_texts_that_the_code_takes() {
    let mut contract = Contract::read();
    // Every character of the first two planes and of the one with tags, and some of each other plane.
    let some = (0x2_0000..0xE_0000).step_by(97).chain(0xF_0000..0x11_0000).step_by(911);
    let characters = (0..0x2_0000_u32).chain(some).chain(0xE_0000..0xE_0200);
    let characters: Vec<char> = characters.filter_map(char::from_u32).collect();
    let written = [
        "",
        " ",
        "tea",
        " tea ",
        "two words",
        "a\nb",
        "a\tb",
        "a\r\nb",
        "\n a\r",
        "\u{85}a",
        "a\u{85}",
        "\u{feff}a",
        "a\u{2028}",
        "\u{3164}",
        "\u{2800}\u{a0}\u{2800}",
        "\u{1d159}",
        "\u{fe0f}",
        "\u{200d}",
        "a\u{200d}",
        "\u{200c}a",
        "a\u{200d}b",
        "a\u{200d}\u{200d}b",
        "1\u{200d}2",
        "می\u{200c}خواهم",
        "র\u{200d}্যা",
        "👩🏽\u{200d}❤\u{fe0f}\u{200d}👨🏿",
        "👩\u{200d} 🚀",
        ".",
        "..",
        "...",
        " .. ",
        "a/b",
        "100%",
        "AB-12",
        "-AB",
        "JD 01/46.2",
        "JD01 ",
        "small-letters-1",
        "https://dhl.example",
        "https://dhl.example:8443/JD01?of=1#it",
        "https://dhl.example/a b",
        "https://dhl.example/%C3%BC",
        "https://dhl.example.",
        "https://me@dhl.example/",
        "https://localhost/",
        "https://10.0.0.1/",
        "https://dhl.0x7f/",
        "https://dhl.example:443/a",
        "https://dhl.-example/",
        "https://dhl..example/",
        "https://-dhl.example/",
        "http://dhl.example/",
        "HTTPS://dhl.example/",
    ];
    // One of each length that some text has at most, and one more.
    let lengths = [3, 16, 20, 32, 40, 60, 64, 100, 120, 128, 150, 255, 500, 2_000, 4_000, 5_000];
    let long = lengths.iter().flat_map(|length| ["a".repeat(*length), "a".repeat(length + 1)]);
    let long: Vec<_> = long.collect();
    for Text { pointer, read, .. } in TEXTS {
        let mut differ = Vec::new();
        let mut compare = |text: &str| {
            let (taken, fits) = (read(text).is_ok(), contract.faults(pointer, &json!(text)).is_none());
            if taken != fits {
                differ.push(format!("{text:?} taken: {taken}, fits: {fits}"));
            }
        };
        for text in written.into_iter().chain(long.iter().map(String::as_str)) {
            compare(text);
        }
        // One schema is enough for what all of them have from `Text`.
        let each = if pointer.ends_with("/FullName") { 1 } else { 211 };
        for character in characters.iter().step_by(each) {
            compare(&character.to_string());
            compare(&format!("a{character}b"));
            compare(&format!("{character}a"));
            if pointer.ends_with("/TrackingUrl") {
                compare(&format!("https://a.example/{character}"));
            }
        }
        assert!(
            differ.is_empty(),
            "{pointer}: {} differ: {:#?}",
            differ.len(),
            &differ[..differ.len().min(20)]
        );
    }
}

/// JSON Schema means exact numbers; most validators compute in doubles, where 19.99 / 0.01 is 1998.9999999999998.
#[test]
fn no_rule_of_the_contract_needs_exact_fractions() {
    fn fractions(value: &Value, at: &str, found: &mut Vec<String>) {
        let members: Vec<(String, &Value)> = match value {
            Value::Object(members) => members.iter().map(|(name, member)| (escaped(name), member)).collect(),
            Value::Array(items) => {
                items.iter().enumerate().map(|(at, item)| (at.to_string(), item)).collect()
            }
            _ => return,
        };
        if value.get("multipleOf").is_some_and(|unit| unit.as_u64().is_none()) {
            found.push(at.to_owned());
        }
        for (name, member) in members {
            fractions(member, &format!("{at}/{name}"), found);
        }
    }
    let mut found = Vec::new();
    fractions(&contract(), "", &mut found);
    assert_eq!(found, Vec::<String>::new());
}

#[test]
fn every_price_fits_the_contract_and_is_taken() {
    let mut contract = Contract::read();
    let prices = (1..=61_000).chain((61_001..=100_000_000).step_by(2_499)).chain([100_000_000_u64]);
    let prices: Vec<String> = prices.map(|cents| format!("{}.{:02}", cents / 100, cents % 100)).collect();
    assert!(prices.len() > 100_000, "{}", prices.len());
    for schema in ["NewProduct", "ProductChanges"] {
        let place = format!("/components/schemas/{schema}/properties/productPrice");
        for price in &prices {
            let taken = Price::parse(price.parse().expect("a number"));
            assert_eq!(taken.map(|taken| taken.amount().to_string()).as_ref(), Ok(price));
            assert_eq!(contract.faults(&place, &price.parse().expect("a number")), None, "{price}");
        }
        assert!(contract.faults(&place, &json!(0)).is_some());
    }
}
