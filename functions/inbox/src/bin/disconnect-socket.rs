//! A WebSocket is closed: forgets it.
//!
//! Safe to repeat: what is forgotten stays so.

use inbox::sockets::Sockets;
use shared::run::worker::{self, ConnectionId};

#[tokio::main(flavor = "current_thread")]
async fn main() -> shared::Exit {
    worker::on_socket_closed(disconnect_socket).await
}

async fn disconnect_socket(sockets: Sockets, connection: ConnectionId) -> anyhow::Result<()> {
    sockets.close(&connection).await
}
