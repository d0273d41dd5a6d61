//! Deploys `template.yaml` and the templates of the stacks inside it, unchanged, with the same `sam deploy` as on AWS.
//!
//! Where they name a function's code, `target/lambda/<function>/`, the stage directory has a shell script that runs
//! the function's development binary. So uploads are tiny, and a rebuilt function needs no deploy.

use std::collections::BTreeSet;
use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use reqwest::Method;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::cloud::{self, Cloud, Record};
use crate::tools::SAM;
use crate::{build, identity, process, release, say, stripe};
use ::emulator::Aws;

/// The stack's name, as in `samconfig.toml`.
pub(crate) const STACK: &str = "cartwright-local";
/// Who is admin, by the template's `AdminEmail`.
pub(crate) const ADMIN: &str = "admin@cartwright.test";
/// Who sends the orders' emails.
const SENDER: &str = "orders@cartwright.test";
/// Where `sam deploy` uploads to.
const ARTIFACTS: &str = "cargo-local-artifacts";
/// What says, in the emulated AWS itself, what was last deployed to it: it comes and goes with the stack.
const DEPLOYED: &str = "/cargo-local/deployed";

/// What is deployed as a function's code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Code<'a> {
    /// A script that runs its development binary.
    Launchers,
    /// The same, reaching AWS and Stripe through a proxy on this port, and telling it who it is.
    Behind(u16),
    /// The same, but of some functions the release binaries: those that are measured need be built no others.
    Partly {
        /// Where the release binaries are.
        release: &'a Path,
        /// Of which functions they are taken.
        of: &'a [&'a str],
    },
    /// Its release binary, as it goes to AWS.
    Release,
}

impl Code<'_> {
    /// What the script of a function runs.
    fn binary(self, function: &str) -> PathBuf {
        match self {
            Self::Partly { release, of } if of.contains(&function) => release.join(function),
            Self::Launchers | Self::Behind(_) | Self::Partly { .. } | Self::Release => {
                build::binary(function)
            }
        }
    }
}

/// Deploys the stack, unless just this is deployed, and records its API and outputs.
///
/// # Errors
/// The template is refused.
pub(crate) async fn stack(cloud: &Cloud, record: &mut Record) -> Result<()> {
    stack_of(cloud, record, Code::Launchers).await
}

/// [`stack`], with this as the functions' code.
///
/// # Errors
/// The template is refused.
pub(crate) async fn stack_of(cloud: &Cloud, record: &mut Record, code: Code<'_>) -> Result<()> {
    let aws = Aws::at(record.gateway());
    let mut parameters = parameters(record);
    if matches!(code, Code::Behind(_)) {
        // Where calls fail on purpose, one order of a guest may be counted several times.
        parameters.push("LimitPerEmail=1000/60".to_owned());
    }
    let fingerprint = fingerprint(&parameters)?;
    if deployed(&aws).await.as_deref() == Some(&fingerprint) {
        return Ok(());
    }
    say::step("Deploying template.yaml", async {
        lay_out(cloud, code)?;
        // A deployment reads it, so it is there before the first. A second time it is refused, since it exists.
        let secret = json!({ "Name": identity::SECRET_NAME, "SecretString": identity::CLIENT_SECRET });
        let _ = aws.call("secretsmanager", "secretsmanager.CreateSecret", &secret).await;
        let mut sam = SAM.command("sam", &cloud.scratch());
        sam.env("AWS_ENDPOINT_URL", record.gateway()).current_dir(cloud.stage());
        // A bucket of our own for the uploads: `--resolve-s3` would deploy a second stack for one.
        aws.rest(Method::PUT, "s3", &format!("/{ARTIFACTS}"), &Value::Null).await?;
        sam.args(["deploy", "--no-progressbar", "--no-resolve-s3", "--s3-bucket", ARTIFACTS]);
        sam.args(["--stack-name", STACK, "--config-env", "local", "--config-file"]);
        sam.arg(cloud.stage().join("samconfig.toml"))
            .arg("--template-file")
            .arg(cloud.stage().join("template.yaml"));
        sam.arg("--parameter-overrides").args(&parameters);
        // Only what is not deployed yet comes so far, so that each deployment is another release.
        sam.arg(format!("Release={}", &fingerprint[..10]));
        let log = process::run_quietly(&mut sam.into()).await?;
        fs::write(cloud.file("deploy.log"), log)?;
        record.outputs = aws.outputs(STACK).await?;
        record.api_id = api_id(record.output("ApiUrl")?)?;
        record.deployed_at = now();
        cloud.remember(record)?;
        let sender = json!({ "EmailIdentity": SENDER });
        // A second time it is refused, since it exists.
        let _ = aws.rest(Method::POST, "ses", "/v2/email/identities", &sender).await;
        tell_stripes_secrets(&aws, record).await?;
        let marker = json!({ "Name": DEPLOYED, "Value": fingerprint, "Type": "String", "Overwrite": true });
        aws.call("ssm", "AmazonSSM.PutParameter", &marker).await?;
        Ok(())
    })
    .await
}

/// Puts what the simulator of Stripe knows functions and webhooks by into the secrets, as people do on AWS by hand.
async fn tell_stripes_secrets(aws: &Aws, record: &Record) -> Result<()> {
    let secrets = [
        ("StripeApiArn", json!({ "key": stripe::API_KEY })),
        ("StripeWebhookArn", json!({ "secrets": [stripe::WEBHOOK_SECRET] })),
    ];
    for (output, secret) in secrets {
        let value = json!({ "SecretId": record.output(output)?, "SecretString": secret.to_string() });
        aws.call("secretsmanager", "secretsmanager.PutSecretValue", &value).await?;
    }
    Ok(())
}

/// `template.yaml` and the templates of the stacks inside it, as paths from the repository.
///
/// # Errors
/// `template.yaml` cannot be read.
pub fn templates() -> Result<Vec<PathBuf>> {
    let root = text(Path::new("template.yaml"))?;
    let inside = root.lines().filter_map(|line| line.trim_start().strip_prefix("TemplateURL: "));
    Ok(std::iter::once("template.yaml").chain(inside).map(PathBuf::from).collect())
}

/// The text of a file of the repository.
///
/// # Errors
/// It cannot be read.
pub fn text(file: &Path) -> Result<String> {
    fs::read_to_string(cloud::root().join(file)).with_context(|| format!("cannot read {}", file.display()))
}

/// The functions whose code the templates name.
///
/// # Errors
/// A template cannot be read.
pub(crate) fn functions() -> Result<BTreeSet<String>> {
    let mut all = BTreeSet::new();
    for template in templates()? {
        all.extend(functions_of(&text(&template)?));
    }
    Ok(all)
}

fn functions_of(template: &str) -> BTreeSet<String> {
    let named = template
        .split("target/lambda/")
        .skip(1)
        .filter_map(|rest| rest.split(['/', '\n', '`', ' ', ';']).next());
    named.filter(|name| !name.is_empty() && !name.contains('<')).map(str::to_owned).collect()
}

/// What `samconfig.toml` cannot know, and the rest again, since overrides replace it as a whole.
fn parameters(record: &Record) -> Vec<String> {
    vec![
        "Stage=local".to_owned(),
        format!("AdminEmail={ADMIN}"),
        format!("EmailSender={SENDER}"),
        // With it the emails with codes are the shop's own, and come from its address.
        format!("EmailIdentityArn=arn:aws:ses:us-east-1:000000000000:identity/{SENDER}"),
        format!("MediaBaseUrl={}/local/media", record.url()),
        format!("SocketUrl=ws://localhost:{}/socket", record.port),
        // By the port that people know, also where the emulator gives the API another address.
        format!("ShopUrl={}/shop", record.url()),
        "ShopName=Cartwright".to_owned(),
        format!("BucketsUrl={}", record.gateway()),
        // Everyone here shares one address, and tests make hundreds of people, who order as much in a minute as others
        // in a year. The other limits are production's.
        "LimitPerAddress=6000/60".to_owned(),
        "LimitPerGuest=12000/60".to_owned(),
        // Everybody may pay in every way; cards at the simulator, which the proxy serves.
        "GuestCash=true".to_owned(),
        "CardPayments=on".to_owned(),
        "PaymentIntents=on".to_owned(),
        "PublishableKey=pk_local_cartwright".to_owned(),
        format!("StripeUrl={}", stripe::url(record)),
        // People sign in by the provider that the proxy serves, and reach the user pool through the proxy as well.
        format!("OidcIssuer={}", identity::issuer(record)),
        format!("OidcClientId={}", identity::CLIENT_ID),
        format!("OidcClientSecret={}", identity::SECRET_NAME),
        format!("CognitoUrl={}", record.url()),
        format!("CallbackUrl={}/auth/callback", record.url()),
        "LimitSignUps=90000/60".to_owned(),
        // Receivers are on this machine: https://8080.receiver.test/hook is its port 8080.
        "WebhookDetour=http://127.0.0.1".to_owned(),
        "WebhookEndpoints=1000".to_owned(),
        // Texts go nowhere: `/local/texts.json` has them.
        "TextCallingCodes=43,49".to_owned(),
        "TextsPerDay=1000000".to_owned(),
        "LimitTextsPerAddress=60000/60".to_owned(),
        "OrdersPerDay=1000000".to_owned(),
        // Whoever waits until a purchase is known asks by posting a review.
        "ReviewsPerDay=1000000".to_owned(),
        "DeletionWaitSeconds=2".to_owned(),
        "DeletionRestSeconds=2".to_owned(),
        "CardsPerHour=100000".to_owned(),
        "PiecesPerLine=1000".to_owned(),
    ]
}

/// What the stack is made of, as paths from the repository: the templates, `samconfig.toml` and the workflows.
///
/// # Errors
/// One of them cannot be read.
pub(crate) fn files() -> Result<Vec<PathBuf>> {
    let mut files = templates()?;
    files.push("samconfig.toml".into());
    let machines = fs::read_dir(cloud::root().join("statemachines")).context("cannot read statemachines/")?;
    files.extend(machines.flatten().map(|file| Path::new("statemachines").join(file.file_name())));
    files.sort();
    Ok(files)
}

/// All that a deploy depends on.
fn fingerprint(parameters: &[String]) -> Result<String> {
    let mut all = Sha256::new();
    for file in files()?.into_iter().chain(["infra/local/emulator/launch.py".into()]) {
        all.update(text(&file)?);
    }
    all.update(parameters.join("\n"));
    all.update(cloud::target().as_os_str().as_encoded_bytes());
    Ok(all.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
}

async fn deployed(aws: &Aws) -> Option<String> {
    let answer = aws.call("ssm", "AmazonSSM.GetParameter", &json!({ "Name": DEPLOYED })).await.ok()?;
    Some(answer["Parameter"]["Value"].as_str()?.to_owned())
}

/// Makes the stage directory: the repository as `sam deploy` sees it.
fn lay_out(cloud: &Cloud, code: Code<'_>) -> Result<()> {
    let stage = cloud.stage();
    if stage.exists() {
        fs::remove_dir_all(&stage)?;
    }
    fs::create_dir_all(&stage)?;
    for name in ["template.yaml", "samconfig.toml", "statemachines", "infra"] {
        symlink(cloud::root().join(name), stage.join(name)).with_context(|| format!("cannot link {name}"))?;
    }
    if code == Code::Release {
        fs::create_dir_all(stage.join("target"))?;
        return symlink(release::binaries(), stage.join("target/lambda"))
            .context("cannot link target/lambda");
    }
    let proxy = match code {
        Code::Behind(port) => Some(port),
        Code::Launchers | Code::Partly { .. } | Code::Release => None,
    };
    for function in functions()? {
        let binary = code.binary(&function);
        if !binary.exists() {
            say::warning(&format!("a template names {function}, but no such binary was built"));
        }
        let code = stage.join("target/lambda").join(&function);
        fs::create_dir_all(&code)?;
        let bootstrap = code.join("bootstrap");
        fs::write(&bootstrap, start_script(&function, &binary, proxy))?;
        fs::set_permissions(&bootstrap, Permissions::from_mode(0o755))?;
    }
    Ok(())
}

/// The variable of functions that write to sockets.
const SOCKETS: &str = "AWS_ENDPOINT_URL_APIGATEWAYMANAGEMENTAPI";

/// What Lambda starts. `exec` keeps the process's number, so that a proxy knows whose call it sees: of AWS by the user
/// agent, of Stripe by the path. Sockets are behind the same proxy, at the path that the function was given.
fn start_script(function: &str, binary: &Path, proxy: Option<u16>) -> String {
    let way = proxy.map(|port| {
        let (proxy, name) = (format!("http://127.0.0.1:{port}"), format!("{function}.$$"));
        let to_aws = format!("AWS_ENDPOINT_URL={proxy} AWS_SDK_UA_APP_ID={name}");
        let to_sockets = format!("{SOCKETS}={proxy}/${{{SOCKETS}#http://*/}}");
        format!("export {to_aws} {to_sockets} STRIPE_URL={proxy}/stripe/{name}\n")
    });
    format!("#!/bin/sh\n{}exec {}\n", way.unwrap_or_default(), quoted(binary))
}

/// A path as one word of a shell.
fn quoted(path: &Path) -> String {
    format!("'{}'", path.to_string_lossy().replace('\'', r"'\''"))
}

/// The API's id: the first label of the host of its URL.
fn api_id(url: &str) -> Result<String> {
    let host = url.split_once("://").map(|(_, host)| host);
    let Some(id) = host.and_then(|host| host.split('.').next()).filter(|id| !id.is_empty()) else {
        bail!("the output ApiUrl is no URL: {url}");
    };
    Ok(id.to_owned())
}

#[expect(clippy::disallowed_methods, reason = "a note for people, not a rule")]
fn now() -> String {
    jiff::Timestamp::now().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_function_is_found_once_and_prose_is_not() {
        let template = "# `cargo lambda build` fills target/lambda/; sam takes it.\n\
                        CodeUri: target/lambda/sign-up/\nX: ../../target/lambda/sign-in/\nY: target/lambda/sign-up/\n";
        assert_eq!(functions_of(template).into_iter().collect::<Vec<_>>(), ["sign-in", "sign-up"]);
    }

    #[test]
    fn every_template_is_read() {
        let inside = templates().unwrap();
        assert_eq!(inside[0], Path::new("template.yaml"));
        assert!(inside.contains(&"infra/state/template.yaml".into()), "{inside:?}");
        assert!(inside.iter().all(|template| text(template).is_ok()), "{inside:?}");
    }

    #[test]
    fn a_function_behind_a_proxy_says_who_it_is() {
        let binary = Path::new("/t/sign-up");
        assert_eq!(start_script("sign-up", binary, None), "#!/bin/sh\nexec '/t/sign-up'\n");
        let behind = "export AWS_ENDPOINT_URL=http://127.0.0.1:9 AWS_SDK_UA_APP_ID=sign-up.$$ \
                      AWS_ENDPOINT_URL_APIGATEWAYMANAGEMENTAPI=\
                      http://127.0.0.1:9/${AWS_ENDPOINT_URL_APIGATEWAYMANAGEMENTAPI#http://*/} \
                      STRIPE_URL=http://127.0.0.1:9/stripe/sign-up.$$";
        assert_eq!(
            start_script("sign-up", binary, Some(9)),
            format!("#!/bin/sh\n{behind}\nexec '/t/sign-up'\n")
        );
    }

    #[test]
    fn release_binaries_are_taken_of_the_functions_that_are_named() {
        let partly = Code::Partly { release: Path::new("/r"), of: &["sign-in"] };
        assert_eq!(partly.binary("sign-in"), Path::new("/r/sign-in"));
        for code in [partly, Code::Launchers, Code::Behind(9)] {
            assert_eq!(code.binary("sign-up"), build::binary("sign-up"), "{code:?}");
        }
    }

    #[test]
    fn a_path_with_spaces_and_quotes_is_one_word() {
        assert_eq!(quoted(Path::new("/a b/it's")), r"'/a b/it'\''s'");
    }

    #[test]
    fn the_api_is_named_by_its_url() {
        assert_eq!(api_id("https://ab12.execute-api.us-east-1.amazonaws.com").unwrap(), "ab12");
        assert!(api_id("nonsense").is_err());
    }
}
