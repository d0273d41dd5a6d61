//! What every function of Cartwright needs, once, so that a function file holds its own job alone.
//!
//! | module | for |
//! | --- | --- |
//! | [`http`], [`input`], [`problem`], [`auth`], [`page`] | an HTTP request: its route, body, caller, list and errors |
//! | [`worker`] | everything that is not HTTP: queues, uploads, schedules, workflow tasks, user pool triggers |
//! | [`aws`], [`config`], [`dynamo`], [`idempotency`], [`media`], [`listed`], [`notice`] | AWS: clients, environment, tables, records of answers, pictures and what has one, notices |
//! | [`rate_limit`] | how often an address, an account or a person may ask |
//! | [`money`], [`id`], [`text`], [`time`] | values with an invariant |
//! | [`telemetry`] | logs, metrics and the count of AWS calls |
//!
//! `shared` knows no service, and it alone names `lambda_http`, `lambda_runtime` and `aws_config`.

pub mod auth;
pub mod aws;
pub mod config;
pub mod dynamo;
pub mod http;
pub mod id;
pub mod idempotency;
pub mod input;
pub mod listed;
pub mod media;
pub mod money;
pub mod notice;
pub mod page;
pub mod problem;
pub mod rate_limit;
pub mod telemetry;
pub mod text;
pub mod time;
pub mod worker;

/// What `main` of every function returns: an error ends the start with its reason in the log.
pub type Exit = Result<(), lambda_runtime::Error>;
