//! The rate limits alone, counted by the same code as in the functions: what this takes above the same request with no
//! limit is what a limit costs.
//!
//! `BENCH_CASE` says whose limits it counts.

use shared::caller::Caller;
use shared::guards::rate_limit::{Address, PasswordLimits, PersonLimit};
use shared::http::problem::Problem;
use shared::http::{self, NoContent, Now, State};
use shared::run::aws::{Aws, FromEnv};
use shared::run::config::{self, ConfigError};

shared::names!(
    /// Whose limits are counted.
    enum Counted {
        /// Nobody's.
        Nothing = "no limit",
        /// Those of a password, which turns out to be right.
        SignIn = "limit of sign-in",
        /// That of a person who orders.
        CreateOrder = "limit of create-order",
    }
);

#[derive(Clone)]
struct Limits {
    counted: Counted,
    passwords: PasswordLimits,
    orders: PersonLimit,
}

impl FromEnv for Limits {
    fn from_env(aws: &Aws) -> Result<Self, ConfigError> {
        Ok(Self {
            counted: config::required("BENCH_CASE")?,
            passwords: PasswordLimits::from_env(aws)?,
            orders: PersonLimit::from_env(aws)?.and_a_day()?,
        })
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> shared::Exit {
    http::serve(http::post("/create-order", count)).await
}

async fn count(
    State(limits): State<Limits>,
    address: Address,
    caller: Caller,
    Now(now): Now,
) -> Result<NoContent, Problem> {
    match limits.counted {
        Counted::Nothing => {}
        Counted::SignIn => {
            let attempt = limits.passwords.count("sign-in", address, "buyer", now).await?;
            attempt.succeeded().await?;
        }
        Counted::CreateOrder => limits.orders.count("create-order", caller.id(), now).await?,
    }
    Ok(NoContent)
}
