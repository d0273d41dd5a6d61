//! What every function of Cartwright needs, once, so that a function file holds its own job alone.
//!
//! | module | for |
//! | --- | --- |
//! | [`http`] | an HTTP request: its route, body, parameters, answer and problems |
//! | [`caller`] | who sent it, by the verified token |
//! | [`run`] | what a function runs on: AWS and others, secrets, environment, logs; [`run::worker`] for all but HTTP |
//! | [`dynamo`] | tables: items, conditional writes, transactions, lists |
//! | [`guards`] | idempotency keys, rate limits, and what must happen once |
//! | [`media`], [`letters`], [`texts`], [`notice`] | pictures and what has one; letters; texts; notices to admins |
//! | [`values`] | money, text, ids, points in time |
//!
//! `shared` knows no service, and it alone names `lambda_http`, `lambda_runtime`, `aws_config` and `axum`.

#[cfg(all(feature = "testing", not(debug_assertions)))]
compile_error!(
    "the feature `testing` makes callers whom nobody verified: it is for tests, never for a release build"
);

pub mod caller;
pub mod dynamo;
pub mod guards;
pub mod http;
pub mod letters;
pub mod media;
pub mod notice;
pub mod run;
pub mod texts;
pub mod values;

/// What `main` of every function returns: an error ends the start with its reason in the log.
pub type Exit = Result<(), lambda_runtime::Error>;
