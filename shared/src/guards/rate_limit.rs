//! How often an address, an account or a person may ask: counters in the Guards table.
//!
//! A limit of `20/300` allows 20 requests in 300 seconds. A counter's item counts the requests of this window of time
//! and of the last one, `c<number of the window>`, and a request passes while
//!
//! ```text
//! last window's count × what is left of this window, as a part of 1  +  this window's count  <  20
//! ```
//!
//! So the old count fades instead of being forgotten at once, and no stretch of time `t` ever sees more than
//! `20 + 20 × t / 300` requests, the same as with a token bucket. Token buckets and GCRA need the greater of two
//! numbers, which an update expression cannot take, and hence a read before the write. Conditions have no arithmetic
//! either, so the sum above becomes a few comparisons (`Rate::steps`); they round the old count up, never down.
//!
//! A counter is counted by one conditional update: DynamoDB queues those that meet, where it would cancel transactions.
//! The limits of a route are asked one after the other, the address first, so that a flood from one address ends there.
//! Whoever is refused is remembered by the function until a request may pass again, and until then costs no call.
//!
//! | counter | counts | of |
//! | --- | --- | --- |
//! | `address` | requests | one address, whatever they are about; of guests, their changes |
//! | `account` | requests, at sign-in the failed ones alone | one account from one address |
//! | `account-in-all` | the same | one account from all addresses that it has not signed in from |
//! | `person` | requests | one person who is signed in |
//! | `day` | the same | the same person, in a day |
//! | `card` | requests to pay by card | the same person, in an hour |
//! | `email` | requests | whoever gives this address, without an account |
//! | `number` | requests for a code by text | one telephone number, whoever asks |
//! | `everyone` | requests | everyone together |
//!
//! An item of `account` at sign-in also keeps until when the address is one of the account's own, `knownUntil`. If a
//! reply is lost, the SDK's second try counts the request twice. Whom a counter is about is kept as an HMAC, under a
//! key of which docs/decisions/0006 says where it comes from. Where a person has a limit a day besides, its counters
//! stand in the same item, as `d<number of the window>`, and its condition in the same update; those by card as
//! `k…`. Time to live takes an item some time after its longest two windows; an item that is still there then
//! counts for nothing. One that lives on keeps the counters of windows between which nobody asked; once in
//! `MOST_ATTRIBUTES` requests they are taken away by an update more, so that an item stays under 1 KB, one write unit.

use std::collections::HashMap;
use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::Context;
use aws_config::SdkConfig;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::types::builders::UpdateBuilder;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue, Update};
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use lambda_http::request::RequestContext;
use sha2::Sha256;

use crate::caller::UserId;
use crate::dynamo::{Item, Written, number, text, update_item};
use crate::http::problem::{Problem, SERVICE_UNAVAILABLE, TOO_MANY_REQUESTS};
use crate::run::aws::{Aws, FromEnv};
use crate::run::config::{self, ConfigError};
use crate::run::telemetry;
use crate::values::time::Timestamp;

/// How finely the last window's count is told apart. More makes the condition longer and the rounding smaller.
const STEPS: u32 = 8;

/// How long an account knows an address that somebody signed in from.
const KNOWN_FOR: Duration = Duration::from_secs(90 * 24 * 60 * 60);

/// So many refusals are remembered at most: a flood of names must not fill the memory.
const REMEMBERED: usize = 10_000;

/// An item with more attributes than this has its old counters taken away.
const MOST_ATTRIBUTES: usize = 40;

/// So many requests in so much time, written `20/300` with seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    requests: u32,
    seconds: u32,
}

impl FromStr for Rate {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parse = |part: &str| part.parse().ok().filter(|number| (1..=1_000_000).contains(number));
        text.split_once('/')
            .and_then(|(requests, seconds)| {
                Some(Self { requests: parse(requests)?, seconds: parse(seconds)? })
            })
            .ok_or_else(|| "must be requests/seconds, such as 20/300".into())
    }
}

/// So many requests in an hour, written as their number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct AnHour(Rate);

impl FromStr for AnHour {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        format!("{text}/3600").parse().map(Self).map_err(|_| "must be a number of requests".into())
    }
}

/// A request passes when the last window had at most so many requests and this one has fewer than so many.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Step {
    last_at_most: u32,
    this_below: u32,
}

/// The requests that were let through in the last window and in this one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Counts {
    last: u32,
    this: u32,
}

impl Rate {
    fn window_millis(self) -> i64 {
        i64::from(self.seconds) * 1000
    }

    /// The number of the window that `now` is in.
    fn window(self, now: Timestamp) -> i64 {
        now.unix_millis().div_euclid(self.window_millis())
    }

    /// The ways to pass at `now`: the rule as comparisons, for the condition and for [`Rate::passes`] alike.
    fn steps(self, now: Timestamp) -> Vec<Step> {
        let (limit, window) = (i64::from(self.requests), self.window_millis());
        let left = window - now.unix_millis().rem_euclid(window);
        let mut steps: Vec<Step> = Vec::new();
        for step in 0..=STEPS {
            let last = (limit * i64::from(step)).div_euclid(i64::from(STEPS));
            let faded = (last * left + window - 1).div_euclid(window);
            if let (Ok(last_at_most), Ok(this_below)) = (u32::try_from(last), u32::try_from(limit - faded))
                && this_below > 0
                && steps.last().is_none_or(|before| before.last_at_most < last_at_most)
            {
                steps.push(Step { last_at_most, this_below });
            }
        }
        steps
    }

    fn passes(self, counts: Counts, now: Timestamp) -> bool {
        self.steps(now).iter().any(|step| counts.last <= step.last_at_most && counts.this < step.this_below)
    }

    /// In how many seconds a request would pass that does not pass `now`, if nobody else asks.
    fn wait(self, counts: Counts, now: Timestamp) -> u32 {
        let passes = |seconds: u32| {
            let then = now + Duration::from_secs(u64::from(seconds));
            let counts = match self.window(then) - self.window(now) {
                0 => counts,
                1 => Counts { last: counts.this, this: 0 },
                _ => Counts::default(),
            };
            self.passes(counts, then)
        };
        // After two windows nothing is left that counts. A day has too many seconds to try each.
        let (mut refused, mut passed) = (0, 2 * self.seconds);
        while passed - refused > 1 {
            let middle = refused.midpoint(passed);
            if passes(middle) { passed = middle } else { refused = middle }
        }
        passed
    }

    /// The limit `name` as `RateLimit-Policy` has it.
    fn policy(self, name: &str) -> String {
        format!("\"{name}\";q={};w={}", self.requests, self.seconds)
    }
}

/// Whose requests one counter counts.
#[derive(Debug, Clone)]
struct Counter {
    /// What the limit is called in the answer's headers.
    name: &'static str,
    rate: Rate,
    guard_id: String,
    /// What its attributes' names begin with, before the number of the window.
    letter: char,
}

impl Counter {
    /// The counter of the same requests at another rate, in the same item.
    fn a_day(&self, rate: Rate) -> Self {
        Self { name: "day", rate, guard_id: self.guard_id.clone(), letter: 'd' }
    }

    /// The counter of those among the requests that are to be paid by card, in the same item.
    fn by_card(&self, rate: Rate) -> Self {
        Self { name: "card", rate, guard_id: self.guard_id.clone(), letter: 'k' }
    }

    fn attribute(&self, window: i64) -> String {
        format!("{}{window}", self.letter)
    }

    /// Takes back one request that was counted at `now`.
    fn take_back(&self, table: &str, now: Timestamp) -> UpdateBuilder {
        let this = self.attribute(self.rate.window(now));
        Update::builder()
            .table_name(table)
            .key("guardId", text(&self.guard_id))
            .update_expression(format!("ADD {this} :less"))
            .condition_expression(format!("{this} > :none"))
            .expression_attribute_values(":less", number(-1))
            .expression_attribute_values(":none", number(0))
    }

    fn counts(&self, item: &Item, now: Timestamp) -> Counts {
        let window = self.rate.window(now);
        let count = |window: i64| match item.get(&self.attribute(window)) {
            Some(AttributeValue::N(count)) => count.parse().unwrap_or_default(),
            _ => 0,
        };
        Counts { last: count(window - 1), this: count(window) }
    }

    /// How long a refused client has to wait, by the item that the condition failed against.
    fn wait(&self, item: &Item, now: Timestamp) -> u32 {
        self.rate.wait(self.counts(item, now), now)
    }

    /// Whether `attribute` is a count of a window that counts no more.
    fn is_over(&self, attribute: &str, now: Timestamp) -> bool {
        let window = attribute.strip_prefix(self.letter).and_then(|window| window.parse::<i64>().ok());
        window.is_some_and(|window| window < self.rate.window(now) - 1)
    }
}

/// Counts one request in counters of one item, if it passes all of them.
fn count(counters: &[&Counter], table: &str, now: Timestamp) -> anyhow::Result<Update> {
    let first = counters.first().context("a request is counted somewhere")?;
    let mut update = Update::builder().table_name(table).key("guardId", text(&first.guard_id));
    let (mut conditions, mut removed, mut added, mut values) = (Vec::new(), Vec::new(), Vec::new(), 0);
    let mut expires = 0;
    for counter in counters {
        let window = counter.rate.window(now);
        let (this, last) = (counter.attribute(window), counter.attribute(window - 1));
        let mut ways = Vec::new();
        for step in counter.rate.steps(now) {
            ways.push(format!(
                "((attribute_not_exists({last}) OR {last} <= :last{values}) \
                 AND (attribute_not_exists({this}) OR {this} < :this{values}))"
            ));
            update = update
                .expression_attribute_values(format!(":last{values}"), number(step.last_at_most))
                .expression_attribute_values(format!(":this{values}"), number(step.this_below));
            values += 1;
        }
        conditions.push(ways.join(" OR "));
        removed.push(counter.attribute(window - 2));
        added.push(format!("{this} :one"));
        expires = expires.max((window + 2) * i64::from(counter.rate.seconds));
    }
    let condition = match conditions.as_slice() {
        [one] => one.clone(),
        several => format!("({})", several.join(") AND (")),
    };
    let (removed, added) = (removed.join(", "), added.join(", "));
    update
        .update_expression(format!(
            "SET expiresAt = if_not_exists(knownUntil, :expires) REMOVE {removed} ADD {added}"
        ))
        .condition_expression(condition)
        .expression_attribute_values(":expires", number(expires))
        .expression_attribute_values(":one", number(1))
        .build()
        .context("count a request")
}

/// Takes the counts of windows that are over off an item with many of them.
fn tidy(counters: &[&Counter], table: &str, item: &Item, now: Timestamp) -> anyhow::Result<Option<Update>> {
    let is_over = |name: &&String| counters.iter().any(|counter| counter.is_over(name, now));
    let over: Vec<_> = item.keys().filter(is_over).map(String::as_str).collect();
    let Some(first) = counters.first().filter(|_| item.len() > MOST_ATTRIBUTES && !over.is_empty()) else {
        return Ok(None);
    };
    let update = Update::builder()
        .table_name(table)
        .key("guardId", text(&first.guard_id))
        .update_expression(format!("REMOVE {}", over.join(", ")));
    update.build().map(Some).context("take old counts away")
}

/// The counters of the Guards table, and what this function remembers of them.
#[derive(Clone)]
struct Counters {
    client: Client,
    table: String,
    key: String,
    refusals: Refusals,
}

impl fmt::Debug for Counters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Counters").field("table", &self.table).finish_non_exhaustive()
    }
}

impl FromEnv for Counters {
    fn from_env(aws: &Aws) -> Result<Self, ConfigError> {
        Ok(Self::new(aws.sdk(), config::table("GUARDS_TABLE"), config::required("LIMIT_KEY")?))
    }
}

impl Counters {
    fn new(sdk: &SdkConfig, table: String, key: String) -> Self {
        // The request waits for this: two tries, then the limit says what becomes of a request that is not counted.
        let tries = RetryConfig::standard().with_max_attempts(2);
        let config = aws_sdk_dynamodb::config::Builder::from(sdk).retry_config(tries);
        Self { client: Client::from_conf(config.build()), table, key, refusals: Refusals::default() }
    }

    /// The counter of a route's limit for `who`, whom nobody can tell from its key without ours.
    fn of(&self, route: &str, name: &'static str, rate: Rate, who: &[&str]) -> Counter {
        let mut mac =
            Hmac::<Sha256>::new_from_slice(self.key.as_bytes()).expect("HMAC takes keys of any length");
        for part in who {
            mac.update(&(part.len() as u64).to_be_bytes());
            mac.update(part.as_bytes());
        }
        let who = URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes());
        Counter { name, rate, guard_id: format!("rate#{route}#{name}#{who}"), letter: 'c' }
    }

    /// Counts a request in counters of one item, or in none of them. Gives the item as it is then, or how the request
    /// went over one of the `limits` of its route.
    async fn count(
        &self,
        counters: &[&Counter],
        limits: &[(&'static str, Rate)],
        now: Timestamp,
    ) -> anyhow::Result<Result<Item, TooMany>> {
        let too_many = |wait, name| {
            let policies: Vec<_> = limits.iter().map(|(name, rate)| rate.policy(name)).collect();
            Ok(Err(TooMany { policies: policies.join(", "), name, wait }))
        };
        let remembered = remembered_as(counters);
        if let Some((wait, name)) = self.refusals.wait(&remembered, now) {
            return too_many(wait, name);
        }
        let update = count(counters, &self.table, now)?;
        let counted =
            update_item(&self.client, update, ReturnValue::AllNew).await.context("count a request")?;
        match counted {
            Written::Done(item) => {
                if let Some(tidied) = tidy(counters, &self.table, &item, now)? {
                    let tidied = update_item(&self.client, tidied, ReturnValue::None).await;
                    tidied.context("take old counts away")?;
                }
                Ok(Ok(item))
            }
            Written::Refused(item) => {
                let refused = counters.iter().filter(|one| !one.rate.passes(one.counts(&item, now), now));
                let waits = refused.map(|counter| (counter.wait(&item, now), counter.name));
                let (wait, name) = waits.max().context("no counter refused the request")?;
                let until = now + Duration::from_secs(wait.into());
                self.refusals.remember(&remembered, (until, name), now);
                too_many(wait, name)
            }
        }
    }

    /// Takes back what was counted. What has expired meanwhile counts for nothing anyway.
    async fn take_back(&self, counter: &Counter, update: UpdateBuilder) -> anyhow::Result<()> {
        let update = update.build().context("take back a request")?;
        update_item(&self.client, update, ReturnValue::None).await.context("take back a request")?;
        self.refusals.forget(&counter.guard_id);
        Ok(())
    }
}

/// What a refusal by these counters of one item is remembered as: who pays by card too often may still pay otherwise.
fn remembered_as(counters: &[&Counter]) -> String {
    let id = counters.first().map(|first| first.guard_id.clone()).unwrap_or_default();
    counters.iter().skip(1).fold(id, |id, counter| format!("{id}#{}", counter.name))
}

/// The counters that refuse, until when and for which limit. A refused request is not counted, so nothing shortens that
/// but a request that is taken back.
#[derive(Debug, Clone, Default)]
struct Refusals(Arc<Mutex<HashMap<String, Refusal>>>);

type Refusal = (Timestamp, &'static str);

impl Refusals {
    fn known(&self) -> MutexGuard<'_, HashMap<String, Refusal>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn remember(&self, guard_id: &str, refusal: Refusal, now: Timestamp) {
        let mut refusals = self.known();
        if refusals.len() >= REMEMBERED {
            refusals.retain(|_, (until, _)| *until > now);
        }
        if refusals.len() < REMEMBERED {
            refusals.insert(guard_id.to_owned(), refusal);
        }
    }

    /// In how many seconds a request passes, if it is known that it does not now.
    fn wait(&self, guard_id: &str, now: Timestamp) -> Option<(u32, &'static str)> {
        let (until, name) = *self.known().get(guard_id)?;
        let millis = until.unix_millis() - now.unix_millis();
        let millis = u32::try_from(millis).ok().filter(|millis| *millis > 0)?;
        Some((millis.div_ceil(1000), name))
    }

    fn forget(&self, guard_id: &str) {
        self.known().remove(guard_id);
    }
}

/// The request went over a limit.
#[derive(Debug, Clone, PartialEq, Eq)]
struct TooMany {
    /// Every limit of the route, for `RateLimit-Policy`.
    policies: String,
    /// The limit that refuses.
    name: &'static str,
    /// Seconds until it passes again.
    wait: u32,
}

/// `Retry-After`, and the headers of draft-ietf-httpapi-ratelimit-headers-10.
impl From<TooMany> for Problem {
    fn from(refused: TooMany) -> Self {
        let TooMany { policies, name, wait } = refused;
        telemetry::count_in_stage("RateLimited", 1);
        Self::new(TOO_MANY_REQUESTS, format!("Too many attempts. Try again in {}.", in_words(wait)))
            .header("retry-after", wait.to_string())
            .header("ratelimit-policy", policies)
            .header("ratelimit", format!("\"{name}\";r=0;t={wait}"))
    }
}

/// So many seconds as people say it, rounded up.
fn in_words(seconds: u32) -> String {
    match seconds {
        1 => "1 second".to_owned(),
        2..=120 => format!("{seconds} seconds"),
        121..=7_200 => format!("{} minutes", seconds.div_ceil(60)),
        _ => format!("{} hours", seconds.div_ceil(3_600)),
    }
}

/// How often one address, and one account, may try what needs a password, a code or a token. When the counters cannot
/// be reached nobody may: a lock that opens when it breaks is none.
#[derive(Debug, Clone)]
pub struct PasswordLimits {
    counters: Counters,
    per_address: Rate,
    per_account: Rate,
    per_account_in_all: Rate,
}

impl FromEnv for PasswordLimits {
    fn from_env(aws: &Aws) -> Result<Self, ConfigError> {
        Ok(Self {
            counters: Counters::from_env(aws)?,
            per_address: config::required("LIMIT_PER_ADDRESS")?,
            per_account: config::required("LIMIT_PER_ACCOUNT")?,
            per_account_in_all: config::required("LIMIT_PER_ACCOUNT_IN_ALL")?,
        })
    }
}

/// A request that was let through and counts as a failure until it is known to be none.
#[derive(Debug)]
pub struct Attempt {
    counters: Counters,
    account: Counter,
    /// `None` where the account knows the address, which other people's failures then do not concern.
    in_all: Option<Counter>,
    now: Timestamp,
}

impl PasswordLimits {
    /// Counts a request to `route` for `account`, as the client names it: whether there is one makes no difference.
    ///
    /// # Errors
    /// `too-many-requests`; `service-unavailable` when the request cannot be counted.
    pub async fn count(
        &self,
        route: &str,
        address: Address,
        account: &str,
        now: Timestamp,
    ) -> Result<Attempt, Problem> {
        let (address, account) = (address.to_string(), account.to_lowercase());
        let by_address = self.counters.of(route, "address", self.per_address, &[&address]);
        let by_account = self.counters.of(route, "account", self.per_account, &[&account, &address]);
        let in_all = self.counters.of(route, "account-in-all", self.per_account_in_all, &[&account]);
        self.pass(&by_address, now).await?;
        let item = self.pass(&by_account, now).await?;
        let in_all = if is_known(&item, now) {
            None
        } else {
            self.pass(&in_all, now).await?;
            Some(in_all)
        };
        Ok(Attempt { counters: self.counters.clone(), account: by_account, in_all, now })
    }

    /// Counts a request to `route` that names no account, or one that nobody could guess.
    ///
    /// # Errors
    /// `too-many-requests`; `service-unavailable` when the request cannot be counted.
    pub async fn count_address(&self, route: &str, address: Address, now: Timestamp) -> Result<(), Problem> {
        let address = address.to_string();
        let counter = self.counters.of(route, "address", self.per_address, &[&address]);
        self.pass(&counter, now).await.map(drop)
    }

    async fn pass(&self, counter: &Counter, now: Timestamp) -> Result<Item, Problem> {
        let limits = [
            ("address", self.per_address),
            ("account", self.per_account),
            ("account-in-all", self.per_account_in_all),
        ];
        let counted = self.counters.count(&[counter], &limits, now).await;
        Ok(counted.map_err(|error| uncounted(&error))??)
    }
}

/// Refuses a request that could not be counted.
fn uncounted(error: &anyhow::Error) -> Problem {
    tracing::error!(error = format!("{error:#}"), "a request could not be counted and was refused");
    let detail = "We cannot reach your account right now. Please try again in a moment.";
    Problem::new(SERVICE_UNAVAILABLE, detail)
}

/// How often everyone together may do what costs the shop something each time, such as an email. When the counter
/// cannot be reached nobody may.
#[derive(Debug, Clone)]
pub struct EveryonesLimit {
    counters: Counters,
    in_all: Rate,
}

impl FromEnv for EveryonesLimit {
    fn from_env(aws: &Aws) -> Result<Self, ConfigError> {
        Ok(Self { counters: Counters::from_env(aws)?, in_all: config::required("LIMIT_IN_ALL")? })
    }
}

impl EveryonesLimit {
    /// Counts a request to `route`.
    ///
    /// # Errors
    /// `too-many-requests`; `service-unavailable` when the request cannot be counted.
    pub async fn count(&self, route: &str, now: Timestamp) -> Result<(), Problem> {
        let counter = self.counters.of(route, "everyone", self.in_all, &[]);
        let counted = self.counters.count(&[&counter], &[(counter.name, self.in_all)], now).await;
        let counted = counted.map_err(|error| uncounted(&error))?;
        if counted.is_err() {
            telemetry::count_in_stage("EveryonesLimitReached", 1);
        }
        Ok(counted.map(drop)?)
    }
}

/// How many texts go out: each costs the shop money, and whoever owns the number may be paid for it. When the counters
/// cannot be reached none does.
#[derive(Debug, Clone)]
pub struct TextLimits {
    counters: Counters,
    per_person: Rate,
    in_all: Rate,
}

impl FromEnv for TextLimits {
    fn from_env(aws: &Aws) -> Result<Self, ConfigError> {
        Ok(Self {
            counters: Counters::from_env(aws)?,
            per_person: config::required("TEXTS_PER_PERSON")?,
            in_all: config::required("TEXTS_IN_ALL")?,
        })
    }
}

impl TextLimits {
    /// Counts a text that `person` asked for by `route`: each route has limits of its own for each person, and all
    /// have one together.
    ///
    /// # Errors
    /// `too-many-requests`; `service-unavailable` when the text cannot be counted.
    pub async fn count(&self, route: &str, person: &UserId, now: Timestamp) -> Result<(), Problem> {
        let counted = self.counted(route, person, now).await.map_err(|error| uncounted(&error))?;
        Ok(counted?)
    }

    /// Counts a text to `person` that nobody waits for, with the codes that the same person asked for; gives whether it
    /// may go out.
    ///
    /// # Errors
    /// When it cannot be counted.
    pub async fn lets_through(&self, person: &UserId, now: Timestamp) -> anyhow::Result<bool> {
        Ok(self.counted(TEXTS, person, now).await?.is_ok())
    }

    async fn counted(
        &self,
        route: &str,
        person: &UserId,
        now: Timestamp,
    ) -> anyhow::Result<Result<(), TooMany>> {
        let limits = [("person", self.per_person), ("everyone", self.in_all)];
        let by_person = self.counters.of(route, "person", self.per_person, &[&person.to_string()]);
        if let Err(refused) = self.counters.count(&[&by_person], &limits, now).await? {
            return Ok(Err(refused));
        }
        let by_all = self.counters.of(TEXTS, "everyone", self.in_all, &[]);
        let counted = self.counters.count(&[&by_all], &limits, now).await?;
        if counted.is_err() {
            telemetry::count_in_stage("TextsLimitReached", 1);
        }
        Ok(counted.map(drop))
    }
}

/// Under what a person's texts are counted, and all of them together.
const TEXTS: &str = "texts";

/// How often a code may be sent to a number that nobody has proved to be theirs.
#[derive(Debug, Clone)]
pub struct CodeLimits {
    texts: TextLimits,
    per_address: Rate,
}

impl FromEnv for CodeLimits {
    fn from_env(aws: &Aws) -> Result<Self, ConfigError> {
        Ok(Self { texts: TextLimits::from_env(aws)?, per_address: config::required("TEXTS_PER_ADDRESS")? })
    }
}

impl CodeLimits {
    /// Counts a code that `person` has sent to `number`, which gets no more from all people together than one of them
    /// may have sent. A flood from one address ends at the first counter, before it takes from the others.
    ///
    /// # Errors
    /// `too-many-requests`; `service-unavailable` when the code cannot be counted.
    pub async fn count(
        &self,
        route: &str,
        address: Address,
        (person, number): (&UserId, &str),
        now: Timestamp,
    ) -> Result<(), Problem> {
        let counters = &self.texts.counters;
        let limits = [("address", self.per_address), ("number", self.texts.per_person)];
        let by_address = counters.of(route, "address", self.per_address, &[&address.to_string()]);
        let by_number = counters.of(route, "number", self.texts.per_person, &[number]);
        for counter in [&by_address, &by_number] {
            let counted = counters.count(&[counter], &limits, now).await;
            counted.map_err(|error| uncounted(&error))??;
        }
        self.texts.count(TEXTS, person, now).await
    }
}

/// Whether the account of this counter has signed in from its address.
fn is_known(item: &Item, now: Timestamp) -> bool {
    match item.get("knownUntil") {
        Some(AttributeValue::N(until)) => until.parse().is_ok_and(|until: i64| until > now.unix_seconds()),
        _ => false,
    }
}

impl Attempt {
    /// Takes the request back from the account's counters, since it was no failure, and lets the account know the
    /// address. Not safe to repeat: each time takes back one more, though never below none.
    ///
    /// # Errors
    /// When the table cannot be reached. Then the request counts as a failure.
    pub async fn succeeded(&self) -> anyhow::Result<()> {
        let until = (self.now + KNOWN_FOR).unix_seconds();
        let table = &self.counters.table;
        let account = self
            .account
            .take_back(table, self.now)
            .set_update_expression(Some(format!(
                "SET knownUntil = :until, expiresAt = :until ADD {} :less",
                self.account.attribute(self.account.rate.window(self.now))
            )))
            .expression_attribute_values(":until", number(until));
        self.counters.take_back(&self.account, account).await?;
        if let Some(in_all) = &self.in_all {
            self.counters.take_back(in_all, in_all.take_back(table, self.now)).await?;
        }
        Ok(())
    }
}

/// How often one person may make something. When the counter cannot be reached everyone may: the shop goes on selling.
#[derive(Debug, Clone)]
pub struct PersonLimit {
    counters: Counters,
    per_person: Rate,
    per_day: Option<Rate>,
    by_card: Option<Rate>,
}

impl FromEnv for PersonLimit {
    fn from_env(aws: &Aws) -> Result<Self, ConfigError> {
        let per_person = config::required("LIMIT_PER_PERSON")?;
        Ok(Self { counters: Counters::from_env(aws)?, per_person, per_day: None, by_card: None })
    }
}

impl PersonLimit {
    /// The same, and besides no more than `LIMIT_PER_DAY` says.
    ///
    /// # Errors
    /// When that is not set.
    pub fn and_a_day(self) -> Result<Self, ConfigError> {
        Ok(Self { per_day: Some(config::required("LIMIT_PER_DAY")?), ..self })
    }

    /// The same, and by card no more in an hour than `CARDS_PER_HOUR` says: whoever tries stolen cards tries many.
    ///
    /// # Errors
    /// When that is not set.
    pub fn and_by_card(self) -> Result<Self, ConfigError> {
        let AnHour(rate) = config::required("CARDS_PER_HOUR")?;
        Ok(Self { by_card: Some(rate), ..self })
    }

    /// Counts a request of `person` to `route`.
    ///
    /// # Errors
    /// `too-many-requests`.
    pub async fn count(&self, route: &str, person: &UserId, now: Timestamp) -> Result<(), Problem> {
        self.counted(route, person, None, now).await
    }

    /// The same of a request that is to be paid by card.
    ///
    /// # Errors
    /// `too-many-requests`.
    pub async fn count_by_card(&self, route: &str, person: &UserId, now: Timestamp) -> Result<(), Problem> {
        self.counted(route, person, self.by_card, now).await
    }

    async fn counted(
        &self,
        route: &str,
        person: &UserId,
        by_card: Option<Rate>,
        now: Timestamp,
    ) -> Result<(), Problem> {
        let counter = self.counters.of(route, "person", self.per_person, &[&person.to_string()]);
        let a_day = self.per_day.map(|rate| counter.a_day(rate));
        let by_card = by_card.map(|rate| counter.by_card(rate));
        let counters: Vec<_> = std::iter::once(&counter).chain(&a_day).chain(&by_card).collect();
        let limits: Vec<_> = counters.iter().map(|counter| (counter.name, counter.rate)).collect();
        or_uncounted(self.counters.count(&counters, &limits, now).await)
    }
}

/// How often one address may change something without an account. When the counter cannot be reached everyone may: the
/// shop goes on selling.
#[derive(Debug, Clone)]
pub struct GuestLimit {
    counters: Counters,
    per_address: Rate,
}

impl FromEnv for GuestLimit {
    fn from_env(aws: &Aws) -> Result<Self, ConfigError> {
        Ok(Self { counters: Counters::from_env(aws)?, per_address: config::required("LIMIT_PER_GUEST")? })
    }
}

impl GuestLimit {
    /// Counts a request of somebody at `address` to `route`.
    ///
    /// # Errors
    /// `too-many-requests`.
    pub async fn count(&self, route: &str, address: Address, now: Timestamp) -> Result<(), Problem> {
        let counter = self.counters.of(route, "address", self.per_address, &[&address.to_string()]);
        let limits = [(counter.name, counter.rate)];
        or_uncounted(self.counters.count(&[&counter], &limits, now).await)
    }
}

/// How often somebody without an account may ask for what sends mail to one address.
#[derive(Debug, Clone)]
pub struct EmailLimit {
    counters: Counters,
    per_email: Rate,
}

impl FromEnv for EmailLimit {
    fn from_env(aws: &Aws) -> Result<Self, ConfigError> {
        Ok(Self { counters: Counters::from_env(aws)?, per_email: config::required("LIMIT_PER_EMAIL")? })
    }
}

impl EmailLimit {
    /// Counts a request to `route` that gives `email`, in the form in which addresses are compared. When the counter
    /// cannot be reached everyone may: the shop goes on selling.
    ///
    /// # Errors
    /// `too-many-requests`.
    pub async fn count(&self, route: &str, email: &str, now: Timestamp) -> Result<(), Problem> {
        or_uncounted(self.counted(route, email, now).await)
    }

    /// The same for what is nothing but mail: when the counter cannot be reached nobody may.
    ///
    /// # Errors
    /// `too-many-requests`; `service-unavailable` when the request cannot be counted.
    pub async fn count_or_refuse(&self, route: &str, email: &str, now: Timestamp) -> Result<(), Problem> {
        let counted = self.counted(route, email, now).await.map_err(|error| uncounted(&error))?;
        Ok(counted.map(drop)?)
    }

    async fn counted(
        &self,
        route: &str,
        email: &str,
        now: Timestamp,
    ) -> anyhow::Result<Result<Item, TooMany>> {
        let counter = self.counters.of(route, "email", self.per_email, &[email]);
        self.counters.count(&[&counter], &[(counter.name, self.per_email)], now).await
    }
}

/// Lets a request through that could not be counted.
fn or_uncounted(counted: anyhow::Result<Result<Item, TooMany>>) -> Result<(), Problem> {
    match counted {
        Ok(counted) => Ok(counted.map(drop)?),
        Err(error) => {
            tracing::warn!(
                error = format!("{error:#}"),
                "a request could not be counted and was let through"
            );
            Ok(())
        }
    }
}

/// Where a request comes from, as API Gateway saw it and not as a header claims. An IPv6 address stands for its /64,
/// since every client has one of those to itself. Behind a CDN it would be the CDN's: then the limits belong there.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Address(Option<IpAddr>);

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Address(…)")
    }
}

impl Address {
    fn new(text: &str) -> Self {
        Self(text.parse().ok().map(|address: IpAddr| match address.to_canonical() {
            IpAddr::V6(address) => IpAddr::V6((u128::from(address) >> 64 << 64).into()),
            address @ IpAddr::V4(_) => address,
        }))
    }

    /// One for the tests of rules.
    #[cfg(any(test, feature = "testing"))]
    pub fn for_tests(text: &str) -> Self {
        Self::new(text)
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(address) => address.fmt(f),
            None => f.write_str("unknown"),
        }
    }
}

impl<S: Sync> FromRequestParts<S> for Address {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        let address = match parts.extensions.get::<RequestContext>() {
            Some(RequestContext::ApiGatewayV2(context)) => context.http.source_ip.as_deref(),
            _ => None,
        };
        Ok(Self::new(address.unwrap_or_default()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::aws::canned::{Asked, answering};
    use axum::response::IntoResponse;
    use proptest::prelude::*;
    use serde_json::{Value, json};
    use sha2::Digest;

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_unix_millis(millis)
    }

    fn rate(requests: u32, seconds: u32) -> Rate {
        Rate { requests, seconds }
    }

    /// Which of the requests at these times are let through, as the table would count them.
    fn let_through(rate: Rate, times: impl IntoIterator<Item = i64>) -> Vec<i64> {
        let mut windows: HashMap<i64, u32> = HashMap::new();
        let passes = |time: &i64| {
            let window = rate.window(at(*time));
            let of = |window| windows.get(&window).copied().unwrap_or_default();
            let passes = rate.passes(Counts { last: of(window - 1), this: of(window) }, at(*time));
            if passes {
                *windows.entry(window).or_default() += 1;
            }
            passes
        };
        times.into_iter().filter(passes).collect()
    }

    #[test]
    fn a_rate_is_written_as_requests_and_seconds() {
        assert_eq!("20/300".parse(), Ok(rate(20, 300)));
        for text in ["", "20", "0/1", "1/0", "a/b", "20/300/1", "-1/5", "1/99999999"] {
            assert!(text.parse::<Rate>().is_err(), "{text}");
        }
    }

    #[test]
    fn whoever_was_quiet_has_the_whole_limit_at_once_whenever_it_is() {
        for start in [0, 1, 29_999, 30_000, 59_999] {
            assert_eq!(let_through(rate(20, 60), std::iter::repeat_n(600_000 + start, 30)).len(), 20);
        }
    }

    #[test]
    fn a_boundary_does_not_double_the_limit() {
        let around = std::iter::repeat_n(59_999, 100).chain(std::iter::repeat_n(60_000, 100));
        assert_eq!(let_through(rate(20, 60), around).len(), 20);
    }

    #[test]
    fn whoever_asks_no_faster_than_allowed_is_hardly_ever_refused() {
        let steady = (0..1000).map(|number| number * 3_000 + 600_000);
        assert!(let_through(rate(20, 60), steady).len() > 950);
    }

    proptest! {
        #[test]
        fn no_stretch_of_time_sees_more_than_the_limit_and_what_comes_back_meanwhile(
            requests in 1..40_u32,
            seconds in 1..20_u32,
            gaps in prop::collection::vec(prop_oneof![0..3_i64, 0..2_000_i64, 0..30_000_i64], 1..400),
        ) {
            let times = gaps.iter().scan(0, |time, gap| { *time += gap; Some(*time) });
            let passed = let_through(rate(requests, seconds), times);
            let window = i64::from(seconds) * 1000;
            for (first, from) in passed.iter().enumerate() {
                for (last, to) in passed.iter().enumerate().skip(first) {
                    let count = i64::try_from(last - first + 1).unwrap();
                    let requests = i64::from(requests);
                    prop_assert!(count * window <= requests * window + requests * (to - from), "{from} {to}");
                }
            }
        }

        #[test]
        fn whoever_waits_as_long_as_told_passes_and_a_second_earlier_does_not(
            requests in 1..40_u32, seconds in 1..90_u32, last in 0..40_u32, this in 0..40_u32, now in 0..1_000_000_i64,
        ) {
            let rate = rate(requests, seconds);
            let counts = Counts { last: last.min(requests), this: this.min(requests) };
            prop_assume!(!rate.passes(counts, at(now)));
            let wait = rate.wait(counts, at(now));
            let passes = |seconds: u32| {
                let then = at(now + i64::from(seconds) * 1000);
                match rate.window(then) - rate.window(at(now)) {
                    0 => rate.passes(counts, then),
                    1 => rate.passes(Counts { last: counts.this, this: 0 }, then),
                    _ => true,
                }
            };
            prop_assert!(passes(wait));
            prop_assert!(!passes(wait - 1));
        }
    }

    /// Limits whose counters all get this answer, and what they ask for.
    fn limits(status: u16, answer: &Value) -> (PasswordLimits, Asked) {
        let (sdk, asked) = answering(status, answer);
        let limits = PasswordLimits {
            counters: Counters::new(&sdk, "guards".into(), "a key".into()),
            per_address: rate(60, 60),
            per_account: rate(20, 300),
            per_account_in_all: rate(500, 3600),
        };
        (limits, asked)
    }

    const HERE: &str = "192.0.2.1";

    async fn ask(limits: &PasswordLimits, now: i64) -> Result<Attempt, Problem> {
        limits.count("sign-in", Address::new(HERE), "Ann", at(now)).await
    }

    /// Which limits were counted, in this order.
    fn counted(asked: &Asked) -> Vec<String> {
        let asked = asked.lock().unwrap();
        let name =
            |call: &Value| call["Key"]["guardId"]["S"].as_str().unwrap().split('#').nth(2).unwrap().into();
        asked.iter().map(name).collect()
    }

    fn refused(item: &Value) -> Value {
        let error = "com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException";
        json!({ "__type": error, "message": "The conditional request failed", "Item": item })
    }

    #[tokio::test]
    async fn the_address_is_counted_first_then_the_account_there_and_then_everywhere() {
        let (limits, asked) = limits(200, &json!({ "Attributes": {} }));
        ask(&limits, 0).await.unwrap();
        assert_eq!(counted(&asked), ["address", "account", "account-in-all"]);
        assert!(asked.lock().unwrap().iter().all(|call| call["TableName"] == "guards"));
    }

    #[tokio::test]
    async fn a_flood_ends_at_its_address_and_then_costs_no_call() {
        let (limits, asked) = limits(400, &refused(&json!({ "c0": { "N": "60" } })));
        for (now, wait) in [(30_000, "31"), (30_400, "31"), (59_000, "2")] {
            let response = ask(&limits, now).await.unwrap_err().into_response();
            assert_eq!(
                (response.status().as_u16(), &response.headers()["retry-after"]),
                (429, &wait.parse().unwrap())
            );
            let policy = "\"address\";q=60;w=60, \"account\";q=20;w=300, \"account-in-all\";q=500;w=3600";
            assert_eq!(response.headers()["ratelimit-policy"], policy);
        }
        assert_eq!(counted(&asked), ["address"]);
        assert!(ask(&limits, 61_000).await.is_err());
        assert_eq!(counted(&asked), ["address", "address"]);
    }

    #[tokio::test]
    async fn what_cannot_be_counted_is_tried_twice_and_then_refused() {
        let (limits, asked) = limits(500, &json!({ "__type": "InternalServerError" }));
        assert_eq!(ask(&limits, 0).await.unwrap_err().kind(), SERVICE_UNAVAILABLE);
        assert_eq!(counted(&asked), ["address", "address"]);
    }

    #[tokio::test]
    async fn an_address_that_the_account_knows_is_not_held_up_by_other_peoples_failures() {
        let known = |until: &str| json!({ "Attributes": { "knownUntil": { "N": until } } });
        let (knowing, asked) = limits(200, &known("31"));
        let attempt = ask(&knowing, 30_000).await.unwrap();
        attempt.succeeded().await.unwrap();
        assert_eq!(counted(&asked), ["address", "account", "account"]);
        let (forgetting, asked) = limits(200, &known("30"));
        ask(&forgetting, 30_000).await.unwrap();
        assert_eq!(counted(&asked), ["address", "account", "account-in-all"]);
    }

    #[tokio::test]
    async fn what_was_no_failure_is_taken_back_and_the_address_is_known_from_then_on() {
        let (limits, asked) = limits(200, &json!({ "Attributes": {} }));
        ask(&limits, 400_000).await.unwrap().succeeded().await.unwrap();
        assert_eq!(counted(&asked)[3..], ["account", "account-in-all"]);
        let asked = asked.lock().unwrap();
        let [account, in_all] = &asked[3..] else { panic!("not two calls") };
        assert_eq!((&account["Key"], &in_all["Key"]), (&asked[1]["Key"], &asked[2]["Key"]));
        assert_eq!(account["UpdateExpression"], "SET knownUntil = :until, expiresAt = :until ADD c1 :less");
        assert_eq!(
            account["ExpressionAttributeValues"][":until"]["N"],
            (400 + 90 * 24 * 60 * 60).to_string()
        );
        assert_eq!(in_all["UpdateExpression"], "ADD c0 :less");
        assert_eq!(in_all["ConditionExpression"], "c0 > :none");
    }

    #[tokio::test]
    async fn guests_are_counted_by_their_address_and_let_through_where_nobody_can_count() {
        let limit = |status, answer: &Value| {
            let (sdk, asked) = answering(status, answer);
            let counters = Counters::new(&sdk, "guards".into(), "a key".into());
            (GuestLimit { counters, per_address: rate(2, 60) }, asked)
        };
        let (full, asked) = limit(400, &refused(&json!({ "c0": { "N": "2" } })));
        let refused = full.count("guest", Address::new(HERE), at(1_000)).await.unwrap_err();
        assert_eq!(refused.kind(), TOO_MANY_REQUESTS);
        assert_eq!(refused.into_response().headers()["ratelimit-policy"], "\"address\";q=2;w=60");
        assert!(full.count("guest", Address::new(HERE), at(2_000)).await.is_err());
        assert_eq!(counted(&asked), ["address"], "who was refused is remembered, and costs no call");
        let (away, _) = limit(500, &json!({}));
        assert_eq!(away.count("guest", Address::new(HERE), at(1_000)).await.err(), None);
    }

    #[tokio::test]
    async fn where_nobody_can_count_an_order_is_placed_for_an_address_and_mere_mail_is_not_sent() {
        let limit = |status, answer: &Value| {
            let (sdk, asked) = answering(status, answer);
            let counters = Counters::new(&sdk, "guards".into(), "a key".into());
            (EmailLimit { counters, per_email: rate(3, 3600) }, asked)
        };
        let email = "gus@cartwright.test";
        let (full, asked) = limit(400, &refused(&json!({ "c0": { "N": "3" } })));
        let problem = full.count("guest", email, at(1_000)).await.unwrap_err().into_response();
        assert_eq!(problem.headers()["ratelimit-policy"], "\"email\";q=3;w=3600");
        let mail = full.count_or_refuse("guest-links", email, at(1_000)).await.unwrap_err();
        assert_eq!(mail.kind(), TOO_MANY_REQUESTS);
        assert_eq!(counted(&asked), ["email", "email"], "a limit of its own");
        assert!(!format!("{:?}", asked.lock().unwrap()).contains("gus"), "nobody reads whose it is");
        let (away, _) = limit(500, &json!({}));
        assert_eq!(away.count("guest", email, at(1_000)).await.err(), None);
        let mail = away.count_or_refuse("guest-links", email, at(1_000)).await.unwrap_err();
        assert_eq!(mail.kind(), SERVICE_UNAVAILABLE);
    }

    #[tokio::test]
    async fn everyone_together_has_one_counter() {
        let (sdk, asked) = answering(400, &refused(&json!({ "c0": { "N": "2" } })));
        let counters = Counters::new(&sdk, "guards".into(), "a key".into());
        let limit = EveryonesLimit { counters, in_all: rate(2, 3600) };
        for _ in 0..2 {
            let response = limit.count("sign-up", at(0)).await.unwrap_err().into_response();
            assert_eq!(
                (response.status(), &response.headers()["ratelimit-policy"]),
                (axum::http::StatusCode::TOO_MANY_REQUESTS, &"\"everyone\";q=2;w=3600".parse().unwrap(),)
            );
        }
        assert_eq!(counted(&asked), ["everyone"]);
    }

    #[tokio::test]
    async fn a_text_is_counted_for_whoever_it_is_for_and_for_all_and_never_sent_uncounted() {
        let limits = |status, answer: &Value| {
            let (sdk, asked) = answering(status, answer);
            let counters = Counters::new(&sdk, "guards".into(), "a key".into());
            let texts = TextLimits { counters, per_person: rate(5, 86_400), in_all: rate(200, 86_400) };
            (CodeLimits { texts, per_address: rate(20, 86_400) }, asked)
        };
        let ann = UserId::from("ann".to_owned());
        let code = async |limits: &CodeLimits| {
            limits.count("add-phone", Address::new(HERE), (&ann, "+4915112345678"), at(1_000)).await
        };
        let (free, asked) = limits(200, &json!({ "Attributes": {} }));
        code(&free).await.unwrap();
        assert!(free.texts.lets_through(&ann, at(1_000)).await.unwrap());
        assert_eq!(counted(&asked), ["address", "number", "person", "everyone", "person", "everyone"]);
        {
            let asked = asked.lock().unwrap();
            assert_eq!((&asked[2]["Key"], &asked[3]["Key"]), (&asked[4]["Key"], &asked[5]["Key"]));
            assert!(!format!("{asked:?}").contains("4915112345678"), "nobody reads whose it is");
        }
        let (full, asked) = limits(400, &refused(&json!({ "c0": { "N": "20" } })));
        assert_eq!(code(&full).await.unwrap_err().kind(), TOO_MANY_REQUESTS);
        assert!(!full.texts.lets_through(&ann, at(1_000)).await.unwrap());
        assert_eq!(
            counted(&asked),
            ["address", "person"],
            "a flood from one address takes nothing from others"
        );
        let (away, _) = limits(500, &json!({}));
        assert_eq!(code(&away).await.unwrap_err().kind(), SERVICE_UNAVAILABLE);
        assert!(away.texts.lets_through(&ann, at(1_000)).await.is_err());
    }

    #[test]
    fn refusals_are_forgotten_in_time_and_never_fill_the_memory() {
        let refusals = Refusals::default();
        for number in 0..REMEMBERED + 5 {
            refusals.remember(&number.to_string(), (at(1_000), "person"), at(0));
        }
        let remembered = || refusals.known().len();
        assert_eq!(remembered(), REMEMBERED);
        assert_eq!((refusals.wait("0", at(1)), refusals.wait("0", at(1_000))), (Some((1, "person")), None));
        refusals.remember("new", (at(9_000), "day"), at(2_000));
        assert_eq!((remembered(), refusals.wait("new", at(2_000))), (1, Some((7, "day"))));
        refusals.forget("new");
        assert_eq!(refusals.wait("new", at(2_000)), None);
    }

    fn counter(route: &str, name: &'static str, rate: Rate, who: &str) -> Counter {
        let (limits, _) = limits(200, &json!({}));
        limits.counters.of(route, name, rate, &[who])
    }

    #[test]
    fn a_request_is_counted_by_one_conditional_update() {
        let counter = counter("sign-in", "account", rate(1, 10), "ann");
        let update = count(&[&counter], "guards", at(25_000)).unwrap();
        assert_eq!(
            update.update_expression,
            "SET expiresAt = if_not_exists(knownUntil, :expires) REMOVE c0 ADD c2 :one"
        );
        assert_eq!(
            update.condition_expression.unwrap(),
            "((attribute_not_exists(c1) OR c1 <= :last0) AND (attribute_not_exists(c2) OR c2 < :this0))"
        );
        let values = update.expression_attribute_values.unwrap();
        assert_eq!(values[":expires"], number(40));
        assert_eq!((&values[":last0"], &values[":this0"]), (&number(0), &number(1)));
    }

    /// What Ann may do 120 times a minute and 50 times a day.
    fn two_rates() -> [Counter; 2] {
        let counter = counter("create-order", "person", rate(120, 60), "ann");
        let a_day = counter.a_day(rate(50, 86_400));
        [counter, a_day]
    }

    #[test]
    fn a_limit_a_day_is_counted_by_the_same_update_of_the_same_item() {
        let [counter, a_day] = two_rates();
        let alone = count(&[&counter], "guards", at(1_790_000_000_000)).unwrap();
        let update = count(&[&counter, &a_day], "guards", at(1_790_000_000_000)).unwrap();
        assert_eq!(update.key, alone.key);
        assert_eq!(
            update.update_expression,
            "SET expiresAt = if_not_exists(knownUntil, :expires) REMOVE c29833331, d20715 ADD c29833333 :one, d20717 :one"
        );
        let condition = update.condition_expression.unwrap();
        let both = format!("({}) AND (", alone.condition_expression.unwrap());
        assert!(condition.starts_with(&both) && condition.len() < 4096, "{condition}");
        assert!(
            condition.contains("d20716 <= :last9") && condition.contains("d20717 < :this9"),
            "{condition}"
        );
        // The item has to outlive the longer of its windows.
        assert_eq!(update.expression_attribute_values.unwrap()[":expires"], number(20_719 * 86_400));
    }

    #[test]
    fn counts_of_windows_that_are_over_do_not_fill_an_item_of_whoever_comes_every_day() {
        let [counter, a_day] = two_rates();
        let (now, window) = (at(1_790_000_000_000), 29_833_333);
        let mut item =
            Item::from([("guardId".to_owned(), text("rate")), ("expiresAt".to_owned(), number(1))]);
        for window in (window - 37..=window).chain([20_717, 20_716]) {
            let letter = if window < 30_000 { 'd' } else { 'c' };
            item.insert(format!("{letter}{window}"), number(1));
        }
        assert_eq!(item.len(), 42);
        let tidied = tidy(&[&counter, &a_day], "guards", &item, now).unwrap().unwrap();
        let mut removed: Vec<_> =
            tidied.update_expression.strip_prefix("REMOVE ").unwrap().split(", ").collect();
        removed.sort_unstable();
        let over: Vec<_> = (window - 37..window - 1).map(|window| format!("c{window}")).collect();
        assert_eq!(removed, over, "the last window's and this one's stay");
        item.retain(|name, _| !over[..3].contains(name));
        assert_eq!(tidy(&[&counter, &a_day], "guards", &item, now).unwrap(), None);
    }

    #[test]
    fn a_wait_is_told_in_words() {
        let told = [1, 2, 120, 121, 7_200, 7_201, 86_400].map(in_words);
        let words =
            ["1 second", "2 seconds", "120 seconds", "3 minutes", "120 minutes", "3 hours", "24 hours"];
        assert_eq!(told, words);
    }

    #[test]
    fn the_condition_stays_within_dynamodbs_bounds() {
        let counter = counter("sign-in", "address", rate(6000, 60), "ann");
        let update = count(&[&counter], "guards", at(1_790_000_059_999)).unwrap();
        let condition = update.condition_expression.unwrap();
        assert!(condition.len() < 4096 && condition.matches(" OR ").count() < 100, "{condition}");
    }

    #[test]
    fn whom_a_counter_is_about_is_known_to_nobody_without_the_key() {
        let (limits, _) = limits(200, &json!({}));
        let of =
            |counters: &Counters, who: &[&str]| counters.of("sign-in", "address", rate(1, 10), who).guard_id;
        let id = of(&limits.counters, &[HERE]);
        assert!(id.starts_with("rate#sign-in#address#") && id.len() == 21 + 43, "{id}");
        // There are four billion addresses: a hash without a key tells each of them in minutes.
        assert!(!id.contains(&URL_SAFE_NO_PAD.encode(Sha256::digest(HERE))) && !id.contains(HERE), "{id}");
        // The fault run knows the calls of a buyer by this.
        assert_eq!(
            of(&limits.counters, &["ann"]),
            "rate#sign-in#address#eIoMSgFr0WNKpc8de0xZH_8OQsQYgWthPYaZfhK0GJY"
        );
        let other = Counters { key: "another key".into(), ..limits.counters.clone() };
        assert_ne!(of(&other, &[HERE]), id);
        assert_ne!(of(&other, &["ab", "c"]), of(&other, &["a", "bc"]));
        assert!(!format!("{limits:?}").contains("a key"), "{limits:?}");
    }

    #[test]
    fn an_ipv6_address_stands_for_its_network() {
        let same = |a, b| Address::new(a) == Address::new(b);
        assert!(same("2001:db8:1:2::1", "2001:db8:1:2:ffff::9"));
        assert!(!same("2001:db8:1:2::1", "2001:db8:1:3::1"));
        assert!(same("::ffff:192.0.2.1", "192.0.2.1"));
        assert!(!same("192.0.2.1", "192.0.2.2"));
        assert_eq!(Address::new("nonsense").to_string(), "unknown");
        assert_eq!(format!("{:?}", Address::new("192.0.2.1")), "Address(…)");
    }

    #[test]
    fn whoever_is_refused_hears_when_to_come_back() {
        let refused = TooMany { policies: "\"account\";q=20;w=300".into(), name: "account", wait: 12 };
        let response = Problem::from(refused).into_response();
        assert_eq!(response.status(), 429);
        assert_eq!(response.headers()["retry-after"], "12");
        assert_eq!(response.headers()["ratelimit-policy"], "\"account\";q=20;w=300");
        assert_eq!(response.headers()["ratelimit"], "\"account\";r=0;t=12");
    }
}
