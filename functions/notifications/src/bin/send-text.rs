//! Consumes the Texts queue: sends each text once at most, to whoever wants it.
//!
//! Safe to repeat: a text is claimed before it is sent, and one that may have gone out is not sent again.

use notifications::texting::{TextDue, Texting};
use shared::run::worker::{self, Failure, Message};

#[tokio::main(flavor = "current_thread")]
async fn main() -> shared::Exit {
    worker::consume(send_text).await
}

async fn send_text(texting: Texting, message: Message<TextDue>) -> Result<(), Failure> {
    texting.send(&message.body, message.received_at).await
}
