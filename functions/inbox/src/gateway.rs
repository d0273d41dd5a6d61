//! The sockets that are open, as API Gateway has them.

use anyhow::Context;
use aws_sdk_apigatewaymanagement::Client;
use aws_sdk_apigatewaymanagement::config::Builder;
use aws_sdk_apigatewaymanagement::operation::post_to_connection::PostToConnectionError;
use aws_sdk_apigatewaymanagement::primitives::Blob;
use shared::run::aws::{Aws, FromEnv};
use shared::run::config::{self, ConfigError};
use shared::run::worker::ConnectionId;

/// Where sockets are written to and closed: the address of their API, which no region has in common.
const ENDPOINT: &str = "AWS_ENDPOINT_URL_APIGATEWAYMANAGEMENTAPI";

/// What became of what was written to a socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Posted {
    /// It is on its way.
    Taken,
    /// There is no such socket: it is closed, or is only opening.
    Gone,
}

/// API Gateway's side of sockets.
#[derive(Debug, Clone)]
pub(crate) struct Gateway(Client);

impl FromEnv for Gateway {
    fn from_env(aws: &Aws) -> Result<Self, ConfigError> {
        Ok(Self::at(aws, &config::required::<String>(ENDPOINT)?))
    }
}

impl Gateway {
    /// The one at this address.
    pub(crate) fn at(aws: &Aws, endpoint: &str) -> Self {
        Self(Client::from_conf(Builder::from(aws.sdk()).endpoint_url(endpoint).build()))
    }

    /// Writes to a socket. A repetition writes again.
    ///
    /// # Errors
    /// When API Gateway does not take it.
    pub(crate) async fn post(&self, connection: &ConnectionId, body: &[u8]) -> anyhow::Result<Posted> {
        let post = self.0.post_to_connection().connection_id(connection.as_str()).data(Blob::new(body));
        let Err(error) = post.send().await else { return Ok(Posted::Taken) };
        match error.into_service_error() {
            PostToConnectionError::GoneException(_) => Ok(Posted::Gone),
            error => Err(error).context("write to a socket"),
        }
    }

    /// Closes a socket. Safe to repeat: one that is gone stays so.
    ///
    /// # Errors
    /// When API Gateway does not do so.
    pub(crate) async fn close(&self, connection: &ConnectionId) -> anyhow::Result<()> {
        let close = self.0.delete_connection().connection_id(connection.as_str());
        let Err(error) = close.send().await else { return Ok(()) };
        let error = error.into_service_error();
        if error.is_gone_exception() { Ok(()) } else { Err(error).context("close a socket") }
    }
}
