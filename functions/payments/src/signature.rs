//! Whether a webhook is Stripe's: its header `Stripe-Signature` has a time and HMACs of that time and the raw body, by
//! a secret that only Stripe and this shop know. <https://docs.stripe.com/webhooks/signature>

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use serde::Deserialize;
use sha2::Sha256;
use shared::run::secrets::FromSecret;
use shared::values::time::Timestamp;

/// How far the signature's time may be from ours, in seconds. Stripe signs each delivery anew.
const TOLERANCE: u64 = 300;

/// How many secrets may be valid at a time: a new one, the one before, and one to spare.
const MOST_SECRETS: usize = 3;

/// A shorter one is none of Stripe's, and an empty one anybody has.
const SHORTEST_SECRET: usize = 16;

/// The secrets by which Stripe may sign, from a secret like `{"secrets": ["whsec_…"]}`. The template makes the list
/// empty, and then nothing is Stripe's.
#[derive(Clone, PartialEq, Eq)]
pub struct WebhookSecrets(Vec<String>);

impl FromSecret for WebhookSecrets {
    fn from_secret(text: &str) -> Option<Self> {
        #[derive(Deserialize)]
        struct Stored {
            secrets: Vec<String>,
        }
        let secrets = serde_json::from_str::<Stored>(text).ok()?.secrets;
        let fits = secrets.len() <= MOST_SECRETS && secrets.iter().all(|one| one.len() >= SHORTEST_SECRET);
        fits.then_some(Self(secrets))
    }
}

impl fmt::Debug for WebhookSecrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WebhookSecrets(…)")
    }
}

/// Why a webhook is not taken for Stripe's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadSignature {
    /// There is no time in the header, or no signature of the kind `v1`.
    #[error("it has no time or no signature")]
    Missing,
    /// It was signed too long ago, or in the future.
    #[error("it was signed at another time")]
    Time,
    /// None of our secrets made it.
    #[error("it was not made by a secret of ours")]
    Secret,
}

/// Checks the header `Stripe-Signature` of a webhook against its raw body.
///
/// # Errors
/// When it is not Stripe's, or not of now.
pub fn verify(
    body: &[u8],
    header: &str,
    secrets: &WebhookSecrets,
    now: Timestamp,
) -> Result<(), BadSignature> {
    let signed = Signed::read(header).ok_or(BadSignature::Missing)?;
    if signed.at.abs_diff(now.unix_seconds()) > TOLERANCE {
        return Err(BadSignature::Time);
    }
    // All are tried, also after one has fitted: how long it takes tells nothing about which it was.
    let fits = secrets.0.iter().fold(false, |fits, secret| signed.is_by(secret, body) | fits);
    fits.then_some(()).ok_or(BadSignature::Secret)
}

/// What the header says.
struct Signed<'a> {
    /// The time as it is written, which is what was signed.
    time: &'a str,
    at: i64,
    signatures: Vec<Vec<u8>>,
}

impl<'a> Signed<'a> {
    fn read(header: &'a str) -> Option<Self> {
        let parts = || header.split(',').filter_map(|part| part.trim().split_once('='));
        let mut times = parts().filter(|(name, _)| *name == "t").map(|(_, time)| time);
        let (time, None) = (times.next()?, times.next()) else { return None };
        let is_number = time.bytes().all(|byte| byte.is_ascii_digit());
        let at = is_number.then(|| time.parse().ok()).flatten()?;
        // While a secret is rolled there is one by each. One that cannot be read is none, and does not spoil the others.
        let signatures = parts().filter(|(name, _)| *name == "v1").filter_map(|(_, text)| bytes_of(text));
        let signatures: Vec<_> = signatures.collect();
        (!signatures.is_empty()).then_some(Self { time, at, signatures })
    }

    fn is_by(&self, secret: &str, body: &[u8]) -> bool {
        let mut mac =
            Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("HMAC takes keys of any length");
        mac.update(self.time.as_bytes());
        mac.update(b".");
        mac.update(body);
        let fits = |signature: &Vec<u8>| mac.clone().verify_slice(signature).is_ok();
        self.signatures.iter().fold(false, |any, signature| fits(signature) | any)
    }
}

/// The bytes of hexadecimal text.
fn bytes_of(text: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<_>> = text.chars().map(|digit| digit.to_digit(16)).collect();
    let digits = digits.filter(|digits| digits.len().is_multiple_of(2))?;
    digits.chunks_exact(2).map(|pair| u8::try_from(pair[0] * 16 + pair[1]).ok()).collect()
}
