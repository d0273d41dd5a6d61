//! What a function runs on: AWS and what is outside of it, secrets, the environment, logs and metrics, and everything
//! that is not HTTP.

pub mod aws;
pub mod config;
pub mod event;
pub mod outside;
pub mod secrets;
pub mod signed;
pub mod telemetry;
pub mod worker;
