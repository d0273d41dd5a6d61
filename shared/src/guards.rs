//! The Guards table: what keeps a request from counting, happening or being sent twice. Its keys and lifetimes are here
//! and in the modules below alone.
//!
//! | key `guardId` | what | kept for |
//! | --- | --- | --- |
//! | `idempotency#{route}#{person or cart}#{key}` | the answer to a request that carried a key: [`once`] | 24 hours |
//! | `rate#{route}#{limit}#{HMAC of whom}` | how often somebody asked: [`rate_limit`] | two windows, or 90 days |
//! | `claim#{what}` | who does a thing that must happen once, and that it is done: [`claims`] | 90 days |
//! | `ticket#{what}#{SHA-256 of its secret}` | what is good once, for a moment: [`tickets`] | minutes |
//! | `words#{what}#{id}` | what somebody is to be told in words of their own, until it was: [`words`] | 28 days |
//! | `place#{what}` | where a long reading goes on: [`places`] | 7 days |
//! | `unfinished#{what}` | what another system has to hear of: [`unfinished`] | for good |
//!
//! `expiresAt` (seconds since 1970) only tidies up: DynamoDB may delete days later, so the code looks at the time
//! itself.

pub mod claims;
pub mod once;
pub mod places;
pub mod rate_limit;
pub mod tickets;
pub mod unfinished;
pub mod words;

use aws_sdk_dynamodb::Client;

pub use once::{Committed, IdempotencyKey, Kept, KeyReused, KeyedRequest, Once};

use crate::run::aws::{Aws, FromEnv};
use crate::run::config::{self, ConfigError};

/// The Guards table.
#[derive(Debug, Clone)]
pub struct Guards {
    client: Client,
    table: String,
}

impl FromEnv for Guards {
    fn from_env(aws: &Aws) -> Result<Self, ConfigError> {
        Ok(Self { client: aws.dynamodb(), table: config::table("GUARDS_TABLE") })
    }
}

impl Guards {
    fn client(&self) -> &Client {
        &self.client
    }

    fn table(&self) -> &str {
        &self.table
    }
}
