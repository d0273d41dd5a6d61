//! Secrets, and signatures by them as Standard Webhooks has them.
//! <https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md>

use std::fmt;
use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::Sha256;
use shared::values::id::random_bytes;
use shared::values::time::Timestamp;

/// With what the text of a secret begins, so that whoever finds one knows what it is.
const PREFIX: &str = "whsec_";

/// What deliveries to an endpoint are signed with: 192 bits. It is shown to whoever made it, once, and never printed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Secret([u8; 24]);

impl Secret {
    /// A new one.
    pub fn random() -> Self {
        Self(random_bytes())
    }

    /// As its receiver keeps it: `whsec_` and base64.
    pub fn reveal(self) -> String {
        format!("{PREFIX}{}", STANDARD.encode(self.0))
    }

    /// The signature of a delivery: `v1,` and the HMAC-SHA256 of its id, its time in seconds and its body, with a dot
    /// between them, in base64.
    fn signature(self, id: &str, at: Timestamp, body: &str) -> String {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0).expect("HMAC takes keys of any length");
        mac.update(format!("{id}.{}.{body}", at.unix_seconds()).as_bytes());
        format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
    }
}

/// The header `webhook-signature`: one signature by each secret, so that a receiver may know either.
pub fn signatures(secrets: &[Secret], id: &str, at: Timestamp, body: &str) -> String {
    let each: Vec<_> = secrets.iter().map(|secret| secret.signature(id, at, body)).collect();
    each.join(" ")
}

impl FromStr for Secret {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let bytes = text.strip_prefix(PREFIX).and_then(|rest| STANDARD.decode(rest).ok());
        bytes.and_then(|bytes| bytes.try_into().ok()).map(Self).ok_or("is not a secret of a webhook")
    }
}

impl Serialize for Secret {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.reveal())
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the specification's own libraries.
    #[test]
    fn a_signature_is_that_of_other_programs() {
        let secret: Secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw".parse().unwrap();
        let at = Timestamp::from_unix_millis(1_614_265_330_000);
        let signed = signatures(&[secret], "msg_p5jXN8AQM9LWM0D4loKWxJek", at, r#"{"test": 2432232314}"#);
        assert_eq!(signed, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn each_secret_signs_by_itself() {
        let (one, other) = (Secret::random(), Secret::random());
        let at = Timestamp::from_unix_millis(0);
        let alone = |secret| signatures(&[secret], "1", at, "{}");
        let both = signatures(&[one, other], "1", at, "{}");
        assert_eq!(both, format!("{} {}", alone(one), alone(other)));
        assert_ne!(alone(one), alone(other));
        for different in [("2", at, "{}"), ("1", Timestamp::from_unix_millis(1_000), "{}"), ("1", at, "{ }")]
        {
            assert_ne!(signatures(&[one], different.0, different.1, different.2), alone(one));
        }
    }

    #[test]
    fn a_secret_reads_back_and_is_never_printed() {
        let secret = Secret::random();
        assert_eq!(secret.reveal().parse(), Ok(secret));
        assert_eq!((secret.reveal().len(), format!("{secret:?}")), (38, "Secret(…)".to_owned()));
        for text in
            ["", "whsec_", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaS"]
        {
            assert!(text.parse::<Secret>().is_err(), "{text}");
        }
        assert_ne!(Secret::random(), secret);
    }
}
