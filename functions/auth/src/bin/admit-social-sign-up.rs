//! Before Cognito makes an account: links another company's person to the account of the same address, or refuses.
//!
//! Safe to repeat: linked once, an account stays so. Cognito waits for this, and makes no account where it fails.

use auth::Admission;
use shared::run::worker::{self, Failure, NewAccount};

#[tokio::main(flavor = "current_thread")]
async fn main() -> shared::Exit {
    worker::on_new_account(admit_social_sign_up).await
}

async fn admit_social_sign_up(admission: Admission, account: NewAccount) -> Result<(), Failure> {
    admission.admit(account).await
}
