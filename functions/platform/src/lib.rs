//! The running system itself: whether it answers, what it answers, and how it does.

pub mod docs;
pub mod overview;

use serde::Serialize;
use shared::run::aws::{Aws, FromEnv};
use shared::run::config::{self, ConfigError, Stage};

/// This Cartwright among the others that run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deployment {
    stage: Stage,
}

impl FromEnv for Deployment {
    fn from_env(_: &Aws) -> Result<Self, ConfigError> {
        Ok(Self { stage: config::required("STAGE")? })
    }
}

impl Deployment {
    /// That it answers, and as what.
    pub fn health(self) -> Health {
        Health { status: "ok", version: env!("CARGO_PKG_VERSION"), stage: self.stage }
    }
}

/// The answer of `GET /health`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Health {
    status: &'static str,
    version: &'static str,
    stage: Stage,
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn health_names_version_and_stage() {
        let health = Deployment { stage: Stage::Staging }.health();
        assert_eq!(
            serde_json::to_value(health).unwrap(),
            json!({ "status": "ok", "version": env!("CARGO_PKG_VERSION"), "stage": "staging" })
        );
    }
}
