//! Sends each letter once, and records in one transaction that it went out and what that settles.

use anyhow::anyhow;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{ReturnValue, Update};
use orders::digests::{SaleLetterKind, SaleLetters};
use orders::letters::{
    GuestLetterKind, GuestLetters, OrderLetters, ParcelLetterKind, ParcelLetters, ReturnLetterKind,
    ReturnLetters,
};
use payments::letters::{PaymentLetterKind, PaymentLetters};
use products::{ProductLetterKind, ProductLetters};
use reviews::{ReviewLetterKind, ReviewLetters};
use shared::dynamo::{Write, Written, update_item};
use shared::guards::Guards;
use shared::guards::claims::{Claim, TryId};
use shared::letters::{Letter, Letters, Queued};
use shared::run::aws::{Aws, FromEnv};
use shared::run::config::ConfigError;
use shared::run::telemetry;
use shared::run::worker::Failure;
use shared::values::time::Timestamp;
use stores::{StoreLetterKind, StoreLetters};
use users::{
    AccountLetterKind, AccountLetters, AddressIds, AddressLetterKind, AddressLetters, ExportLetterKind,
    ExportLetters, Mail, MessageLetterKind, MessageLetters, NoticeLetterKind, NoticeLetters, Unsubscribing,
};

use crate::{Api, Email, Mailer, NotSent, WebShop};

/// Who has something to say, and the way that it goes out.
#[derive(Debug, Clone)]
pub struct Sending {
    client: Client,
    guards: Guards,
    orders: OrderLetters,
    guests: GuestLetters,
    parcels: ParcelLetters,
    returns: ReturnLetters,
    payments: PaymentLetters,
    accounts: AccountLetters,
    addresses: AddressLetters,
    notices: NoticeLetters,
    products: ProductLetters,
    stores: StoreLetters,
    reviews: ReviewLetters,
    sales: SaleLetters,
    messages: MessageLetters,
    exports: ExportLetters,
    mail: Mail,
    address_ids: AddressIds,
    mailer: Mailer,
    shop: WebShop,
    api: Api,
    unsubscribing: Unsubscribing,
}

impl FromEnv for Sending {
    fn from_env(aws: &Aws) -> Result<Self, ConfigError> {
        Ok(Self {
            client: aws.dynamodb(),
            guards: Guards::from_env(aws)?,
            orders: OrderLetters::from_env(aws)?,
            guests: GuestLetters::from_env(aws)?,
            parcels: ParcelLetters::from_env(aws)?,
            returns: ReturnLetters::from_env(aws)?,
            payments: PaymentLetters::from_env(aws)?,
            accounts: AccountLetters::from_env(aws)?,
            addresses: AddressLetters::from_env(aws)?,
            notices: NoticeLetters::from_env(aws)?,
            products: ProductLetters::from_env(aws)?,
            stores: StoreLetters::from_env(aws)?,
            reviews: ReviewLetters::from_env(aws)?,
            sales: SaleLetters::from_env(aws)?,
            messages: MessageLetters::from_env(aws)?,
            exports: ExportLetters::from_env(aws)?,
            mail: Mail::from_env(aws)?,
            address_ids: AddressIds::from_env(aws)?,
            mailer: Mailer::from_env(aws)?,
            shop: WebShop::from_env(aws)?,
            api: Api::from_env(aws)?,
            unsubscribing: Unsubscribing::from_env(aws)?,
        })
    }
}

impl Sending {
    /// Sends the letter that was queued, if what it says is still so.
    ///
    /// Safe to repeat: a letter is claimed before it is sent, and one that went out does not go out again. Where a try
    /// died between the two, the next one sends, and counts a possible duplicate. To an address that gets no email
    /// nothing is sent, and the letter counts as sent: nobody is owed what cannot arrive.
    ///
    /// # Errors
    /// [`Failure::Later`] while another try is at it, [`Failure::Never`] when there is no such letter or nothing that
    /// it could be about. When a call failed, the letter may have gone out all the same.
    pub async fn send(&self, queued: &Queued, now: Timestamp) -> Result<(), Failure> {
        if queued.kind.parse::<GuestLetterKind>().is_ok() {
            return self.send_for(&self.guests, queued, now).await;
        }
        if queued.kind.parse::<ParcelLetterKind>().is_ok() {
            return self.send_for(&self.parcels, queued, now).await;
        }
        if queued.kind.parse::<ReturnLetterKind>().is_ok() {
            return self.send_for(&self.returns, queued, now).await;
        }
        if queued.kind.parse::<PaymentLetterKind>().is_ok() {
            return self.send_for(&self.payments, queued, now).await;
        }
        if queued.kind.parse::<AddressLetterKind>().is_ok() {
            return self.send_for(&self.addresses, queued, now).await;
        }
        if queued.kind.parse::<ExportLetterKind>().is_ok() {
            return self.send_for(&self.exports, queued, now).await;
        }
        if queued.kind.parse::<AccountLetterKind>().is_ok() {
            return self.send_for(&self.accounts, queued, now).await;
        }
        if queued.kind.parse::<NoticeLetterKind>().is_ok() {
            return self.send_for(&self.notices, queued, now).await;
        }
        if queued.kind.parse::<ProductLetterKind>().is_ok() {
            return self.send_for(&self.products, queued, now).await;
        }
        if queued.kind.parse::<StoreLetterKind>().is_ok() {
            return self.send_for(&self.stores, queued, now).await;
        }
        if queued.kind.parse::<ReviewLetterKind>().is_ok() {
            return self.send_for(&self.reviews, queued, now).await;
        }
        if queued.kind.parse::<MessageLetterKind>().is_ok() {
            return self.send_for(&self.messages, queued, now).await;
        }
        if queued.kind.parse::<SaleLetterKind>().is_ok() {
            return self.send_for(&self.sales, queued, now).await;
        }
        self.send_for(&self.orders, queued, now).await
    }

    async fn send_for<L: Letters>(
        &self,
        service: &L,
        queued: &Queued,
        now: Timestamp,
    ) -> Result<(), Failure> {
        let kind = queued
            .kind
            .parse()
            .map_err(|_| Failure::Never(anyhow!("no service has letters of this kind")))?;
        let id = queued
            .id
            .parse()
            .map_err(|_| Failure::Never(anyhow!("the id is none of what the letter is about")))?;
        telemetry::about(L::THINGS, &queued.id);
        let (what, this_try) = (queued.claim(), TryId::at(now));
        let (claim, letter) =
            tokio::join!(self.guards.claim(&what, this_try, now), service.letter(kind, &id));
        let claim = claim?;
        let (letter, thing) = match letter {
            Ok(Some(found)) => found,
            silence => {
                if matches!(claim, Claim::First | Claim::TakenOver) {
                    self.guards.give_back(&what, this_try).await?;
                }
                let Queued { kind, id } = queued;
                return silence.map(|_| tracing::info!(kind, id, "no longer so: not sent"));
            }
        };
        match claim {
            Claim::Busy => return Err(Failure::Later("another try is at it")),
            Claim::AlreadyDone => {}
            Claim::First | Claim::TakenOver => {
                if claim == Claim::TakenOver {
                    telemetry::count("PossibleDuplicateEmail", 1);
                }
                if self.is_suppressed(&letter, &what, this_try, now).await? {
                    tracing::info!(kind = queued.kind, id = queued.id, "its address gets no email: not sent");
                    telemetry::count("EmailSuppressed", 1);
                } else {
                    self.mail(&letter, &what, this_try).await?;
                    tracing::info!(kind = queued.kind, id = queued.id, "email sent");
                    telemetry::count("EmailSent", 1);
                }
            }
        }
        self.record(&what, service.sent(kind, &id)?, now).await?;
        service.told(kind, &thing).await;
        Ok(())
    }

    /// Whether the letter's address gets no email any more. Where that cannot be known, the claim is given back.
    async fn is_suppressed(
        &self,
        letter: &Letter,
        what: &str,
        this_try: TryId,
        now: Timestamp,
    ) -> anyhow::Result<bool> {
        match self.mail.is_suppressed(&self.address_ids.of(&letter.to.email), now).await {
            Ok(is_suppressed) => Ok(is_suppressed),
            Err(error) => {
                self.guards.give_back(what, this_try).await?;
                Err(error)
            }
        }
    }

    /// Hands the letter to SES. Where SES certainly did not take it, the claim is given back.
    async fn mail(&self, letter: &Letter, what: &str, this_try: TryId) -> anyhow::Result<()> {
        let stop = &letter.to.stop;
        let stop = stop.as_ref().map(|stop| self.api.unsubscribe(&self.unsubscribing.token(stop)));
        let email = Email::stopped_at(letter, stop, &self.shop)?;
        match self.mailer.send(&letter.to, &email).await {
            Err(NotSent::Refused(error)) => {
                self.guards.give_back(what, this_try).await?;
                Err(error)
            }
            Err(NotSent::Unknown(error)) => Err(error),
            Ok(()) => Ok(()),
        }
    }

    /// Records that the letter went out, together with what that settles. Safe to repeat.
    async fn record(&self, what: &str, settled: Option<Update>, now: Timestamp) -> anyhow::Result<()> {
        if let Some(settled) = settled {
            let mut write = Write::new();
            write.update(self.guards.done(what, now)?);
            write.update(settled);
            if let Written::Done(()) = write.commit(&self.client).await? {
                return Ok(());
            }
            // What the letter was about has moved on and owes another one now. This one went out all the same.
        }
        update_item(&self.client, self.guards.done(what, now)?, ReturnValue::None).await.map(drop)
    }
}
