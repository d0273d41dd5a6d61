//! What a function runs on: the clients of AWS, the environment, logs and metrics, and everything that is not HTTP.

pub mod aws;
pub mod config;
pub mod event;
pub mod outside;
pub mod secrets;
pub mod telemetry;
pub mod worker;
