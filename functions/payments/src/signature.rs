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
        // While a secret is rolled there is one by each. One that cannot be read is none, and spoils no other.
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

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::collection::vec;
    use proptest::prelude::*;
    use std::fmt::Write as _;

    const SECRETS: [&str; 3] = ["whsec_the_new_one_0001", "whsec_the_old_one_0002", "whsec_one_to_spare_003"];
    const NOW: i64 = 1_790_000_000;

    fn secrets(of: &[&str]) -> WebhookSecrets {
        WebhookSecrets::from_secret(&serde_json::json!({ "secrets": of }).to_string()).unwrap()
    }

    fn now() -> Timestamp {
        Timestamp::from_unix_millis(NOW * 1000)
    }

    /// A signature as Stripe makes it.
    fn sign(secret: &str, time: &str, body: &[u8]) -> String {
        let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
        mac.update(&[time.as_bytes(), b".", body].concat());
        let mut text = String::new();
        for byte in mac.finalize().into_bytes() {
            write!(text, "{byte:02x}").unwrap();
        }
        text
    }

    fn header(secret: &str, at: i64, body: &[u8]) -> String {
        format!("t={at},v1={},v0=6ffbb59b", sign(secret, &at.to_string(), body))
    }

    fn check(body: &[u8], header: &str) -> Result<(), BadSignature> {
        verify(body, header, &secrets(&SECRETS[..2]), now())
    }

    /// HMAC-SHA256 of `1790000000.{}`, counted by another program.
    #[test]
    fn a_signature_that_another_program_made_is_valid() {
        let header = "t=1790000000,v1=0b294e3a657290a424ff73e21e57aa9f43ed8e7635cbddad37b2564ec5767e62";
        assert_eq!(check(b"{}", header), Ok(()));
    }

    #[test]
    fn p27_the_bytes_are_signed_and_not_what_they_mean() {
        let bodies = [r#"{"name":"ü"}"#, r#"{"name":"\u00fc"}"#, "{\r\n  \"name\" :\t1 }\r\n", ""];
        for body in bodies {
            let header = header(SECRETS[0], NOW, body.as_bytes());
            assert_eq!(check(body.as_bytes(), &header), Ok(()), "{body}");
            for other in bodies.into_iter().filter(|other| *other != body) {
                assert_eq!(check(other.as_bytes(), &header), Err(BadSignature::Secret), "{body} and {other}");
            }
        }
    }

    #[test]
    fn p30_the_same_delivery_is_valid_for_five_minutes_and_not_longer() {
        for (at, expected) in [
            (NOW - 300, Ok(())),
            (NOW + 300, Ok(())),
            (NOW - 301, Err(BadSignature::Time)),
            (NOW + 301, Err(BadSignature::Time)),
        ] {
            let header = header(SECRETS[0], at, b"{}");
            assert_eq!([(); 2].map(|()| check(b"{}", &header)), [expected; 2], "{at}");
        }
    }

    #[test]
    fn p30_while_a_secret_is_rolled_one_signature_that_fits_is_enough() {
        let right = sign(SECRETS[1], "1790000000", b"{}");
        let wrong = sign("whsec_of_somebody_else", "1790000000", b"{}");
        for signatures in [
            format!("v1={wrong},v1={right}"),
            format!("v1={right},v1={wrong}"),
            format!("v1=not hexadecimal, v1={right}"),
            format!("v1=abc,v1=,v1=üü,v1={right},v1"),
        ] {
            assert_eq!(check(b"{}", &format!("t=1790000000,{signatures}")), Ok(()), "{signatures}");
        }
        assert_eq!(check(b"{}", &format!("t=1790000000,v1={wrong}")), Err(BadSignature::Secret));
        assert_eq!(check(b"{}", &format!("t=1790000000,v1={}", &right[..62])), Err(BadSignature::Secret));
    }

    /// Its text is what was signed, also where a number would be printed differently.
    #[test]
    fn the_time_is_taken_as_it_is_written() {
        let padded = "001790000000";
        let header = format!("t={padded},v1={}", sign(SECRETS[0], padded, b"{}"));
        assert_eq!(check(b"{}", &header), Ok(()));
        let header = format!("t={NOW},v1={}", sign(SECRETS[0], padded, b"{}"));
        assert_eq!(check(b"{}", &header), Err(BadSignature::Secret));
    }

    #[test]
    fn a_header_without_one_time_and_a_signature_is_none() {
        let v1 = format!("v1={}", sign(SECRETS[0], "1790000000", b"{}"));
        for header in [
            String::new(),
            "t=1790000000".into(),
            v1.clone(),
            format!("t=,{v1}"),
            format!("t=-1790000000,{v1}"),
            format!("t=+1790000000,{v1}"),
            format!("t=17900000000000000000000,{v1}"),
            format!("t=1790000000,t=1790000000,{v1}"),
            "t=1790000000,v1=xyz".into(),
            "t=1790000000,v0=00".into(),
        ] {
            assert_eq!(check(b"{}", &header), Err(BadSignature::Missing), "{header}");
        }
    }

    #[test]
    fn without_a_secret_nothing_is_stripes() {
        let header = format!("t={NOW},v1={}", sign("", "1790000000", b"{}"));
        assert_eq!(verify(b"{}", &header, &secrets(&[]), now()), Err(BadSignature::Secret));
        for stored in [
            r#"{"secrets":[""]}"#,
            r#"{"secrets":["short"]}"#,
            r#"{"secrets":"whsec_the_new_one_0001"}"#,
            r#"{"key":"rk_local"}"#,
            "whsec_the_new_one_0001",
            "",
        ] {
            assert_eq!(WebhookSecrets::from_secret(stored), None, "{stored}");
        }
        let four = serde_json::json!({ "secrets": vec![SECRETS[0]; 4] }).to_string();
        assert_eq!(WebhookSecrets::from_secret(&four), None);
        assert_eq!(format!("{:?}", secrets(&SECRETS)), "WebhookSecrets(…)");
    }

    proptest! {
        #[test]
        fn a_signature_by_any_of_the_secrets_is_valid(
            body in vec(any::<u8>(), 0..200),
            signer in 0..3_usize,
            late in -300..=300_i64,
        ) {
            let header = header(SECRETS[signer], NOW + late, &body);
            prop_assert_eq!(verify(&body, &header, &secrets(&SECRETS), now()), Ok(()));
            let others: Vec<_> = SECRETS.into_iter().filter(|one| *one != SECRETS[signer]).collect();
            let refused = verify(&body, &header, &secrets(&others), now());
            prop_assert_eq!(refused, Err(BadSignature::Secret));
        }

        #[test]
        fn one_changed_bit_of_the_body_is_refused(
            mut body in vec(any::<u8>(), 1..200),
            at in any::<prop::sample::Index>(),
            bit in 0..8_u8,
        ) {
            let header = header(SECRETS[0], NOW, &body);
            let at = at.index(body.len());
            body[at] ^= 1 << bit;
            prop_assert_eq!(check(&body, &header), Err(BadSignature::Secret));
        }

        #[test]
        fn one_changed_character_of_the_time_or_the_signature_is_refused(
            body in vec(any::<u8>(), 0..50),
            at in any::<prop::sample::Index>(),
            digit in 0..16_u32,
        ) {
            let header = format!("t={NOW},v1={}", sign(SECRETS[0], &NOW.to_string(), &body));
            let digits: Vec<_> =
                (2..header.len()).filter(|at| !(12..16).contains(at)).collect();
            let at = digits[at.index(digits.len())];
            let digit = char::from_digit(digit, 16).unwrap().to_string();
            prop_assume!(header[at..=at] != digit);
            let mut changed = header;
            changed.replace_range(at..=at, &digit);
            prop_assert!(check(&body, &changed).is_err());
        }

        #[test]
        fn whatever_the_header_is_it_is_only_refused(header in any::<String>(), body in vec(any::<u8>(), 0..9)) {
            prop_assert!(check(&body, &header).is_err());
        }
    }
}
