//! The emails with a code: whose account they are about, what the code is for and how long it is good. The words for
//! what the local cloud does not do are tested in functions/auth and functions/notifications.

use serde_json::{Value, json};
use tests::aws::Aws;
use tests::logs::count_in_logs;
use tests::shop::{CODE, CODE_SUBJECTS, Mail, Newcomer, RESET_CODE, Shop, unique};

/// What an email must say, as it stands in its HTML.
fn says(mail: &Mail, subject: &str, parts: &[&str]) {
    assert_eq!(mail.subject, subject);
    let html = mail.html.as_deref().expect("HTML");
    for part in parts {
        assert!(html.contains(part), "{part} is not in {html}");
    }
}

#[tokio::test]
async fn whoever_gets_a_code_reads_whose_account_it_is_for_what_and_how_long() {
    let shop = Shop::open();
    let ann = Newcomer::named(&unique("Ann"));
    let of_ann =
        format!(" with this address and the username &#8220;{}&#8221;.", ann.full_name.replace(' ', "_"));
    let ignore = "If you did not sign up, ignore this email";
    shop.sign_up(&ann).await.is(201);
    let name = json!({ "fullName": ann.full_name });
    shop.post("/resend-code", &name).await.is(200);
    shop.confirm(&ann).await.is(200);
    // By the address, which is not the account's name.
    shop.post("/forgot-password", &json!({ "email": ann.email })).await.is(200);

    let [sign_up, again, password] = &shop.codes_to(&ann.email).await[..] else { panic!("not three emails") };
    let [of_sign_up, of_again, of_password] = CODE_SUBJECTS;
    let code = format!("<bdi>{CODE}</bdi>");
    says(sign_up, of_sign_up, &[&of_ann, &code, "within 24 hours", ignore, "Hello,<br>"]);
    says(again, of_again, &[&of_ann, &code, "within 24 hours", ignore]);
    let of_ann = format!(" with the username &#8220;{}&#8221;.", ann.full_name.replace(' ', "_"));
    let code = format!("<bdi>{RESET_CODE}</bdi>");
    says(password, of_password, &[&of_ann, &code, "within an hour", "ignore this email"]);
    assert!(!password.html.as_deref().is_some_and(|html| html.contains("24 hours")), "{password:?}");
}

#[tokio::test]
async fn a_username_is_text_in_the_email_that_names_it() {
    let shop = Shop::open();
    let mut eve = Newcomer::named(&unique("Eve"));
    let number = eve.full_name.replace("Eve ", "");
    eve.username = Some(format!("<b>{{####}}</b>{number}"));
    shop.sign_up(&eve).await.is(201);
    let [mail] = &shop.codes_to(&eve.email).await[..] else { panic!("not one email") };
    says(
        mail,
        CODE_SUBJECTS[0],
        &[&format!("the username &#8220;&#60;b&#62;&#65371;####}}&#60;/b&#62;{number}&#8221;.")],
    );
    assert_eq!(mail.html.as_deref().map(|html| html.matches(CODE).count()), Some(1), "{mail:?}");
    // As it is written there, it is the same name.
    let as_written =
        json!({ "username": format!("<b>\u{ff5b}####}}</b>{number}"), "confirmationCode": CODE });
    shop.post("/confirm-sign-up", &as_written).await.is(200);
}

#[tokio::test]
async fn nobody_changes_an_address_past_the_shop() {
    let (shop, aws) = (Shop::open(), Aws::open().await);
    let ann = shop.person("Ann").await;
    let token = &ann.tokens.access_token;
    let change = |address: &str| json!({ "AccessToken": token, "UserAttributes": [{ "Name": "email", "Value": address }] });
    let update = "AWSCognitoIdentityProviderService.UpdateUserAttributes";
    let refusal = aws.refusal("cognito-idp", update, &change("eve@cartwright.test")).await;
    assert!(refusal.contains("UserLambdaValidationException"), "{refusal}");
    assert!(refusal.contains("an address is not changed at Cognito"), "{refusal}");
    // Whoever has an account can ask for it as often as they like, and is to ring nobody.
    assert!(count_in_logs("write-account-email", "invocation refused") > 0);
    assert_eq!(count_in_logs("write-account-email", "ERROR"), 0);
    let get = "AWSCognitoIdentityProviderService.GetUser";
    let user = aws.json("cognito-idp", get, json!({ "AccessToken": token })).await;
    let attributes = user["UserAttributes"].as_array().expect("attributes");
    let address = attributes.iter().find(|attribute| attribute["Name"] == "email").map(|one| &one["Value"]);
    assert_eq!(address, Some(&Value::from(ann.email)));
}
