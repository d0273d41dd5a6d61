//! Before Cognito emails a code: writes the shop's email around it, and refuses to change an address past the shop.
//!
//! Safe to repeat: it calls nothing and keeps nothing. Cognito waits for it, and does nothing where it fails.

use notifications::AccountEmails;
use shared::run::worker::{self, CustomMessage, Failure};

#[tokio::main(flavor = "current_thread")]
async fn main() -> shared::Exit {
    worker::on_message(write_account_email).await
}

fn write_account_email(emails: &AccountEmails, message: CustomMessage) -> Result<CustomMessage, Failure> {
    emails.write(message)
}
