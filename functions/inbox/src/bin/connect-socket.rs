//! A WebSocket is asked for: opens it for whoever has a ticket, which is good once.
//!
//! A repetition is refused: the ticket is gone.

use inbox::sockets::Door;
use shared::run::worker::{self, Handshake, Opening};
use shared::values::time::Timestamp;

#[tokio::main(flavor = "current_thread")]
async fn main() -> shared::Exit {
    worker::on_socket_opening(connect_socket).await
}

async fn connect_socket(door: Door, opening: Opening, now: Timestamp) -> anyhow::Result<Handshake> {
    door.shake_hands(&opening, now).await
}
