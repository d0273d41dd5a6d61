//! What the deletion of an account comes to, step by step. The workflow asks for one step at a time and waits as it is
//! told; every step is safe to repeat, so an execution that dies is followed by another from the beginning.
//!
//! **Each service that keeps something of a person has a step here**, a line in [`Step`] and one in [`Deletion::take`]
//! and [`Step::tables`]; a test compares these tables with all that there are.

use std::time::Duration;

use activity::Activity;
use aws_sdk_dynamodb::Client;
use carts::store::Carts;
use inbox::Inbox;
use inbox::sockets::Sockets;
use orders::{Order, OrderStatus, Returns};
use payments::cancelling::Cancelling;
use products::{Products, RecentlyViewed, selling};
use reviews::{Purchases, Reviews};
use serde::{Deserialize, Serialize};
use shared::caller::UserId;
use shared::dynamo::{Read, Remains};
use shared::guards::Guards;
use shared::guards::claims::Done;
use shared::letters::{EmailQueue, Queued};
use shared::media::Media;
use shared::run::aws::{Aws, FromEnv};
use shared::run::config::{self, ConfigError};
use shared::values::time::Timestamp;
use stores::Stores;
use users::{AccountLetterKind, LeaverId, Mail, Profile, Status, Users};

use crate::files::Files;
use crate::user_pool::UserPool;

/// How often it is looked whether payments came to their end, and whether letters that were owed went out: five
/// minutes.
const LOOKS: u32 = 60;

/// How often it is looked whether the last letter went out; after that nobody waits. Whoever died with it holds it for
/// a minute, and its message comes again later each time: a quarter of an hour.
const LOOKS_FOR_THE_LAST: u32 = 180;

/// Between two looks.
const A_MOMENT: Duration = Duration::from_secs(5);

shared::names!(
    /// A step, in the order in which they are taken.
    pub enum Step {
        /// Requests that began before the account was marked come to their end.
        Requests = "requests",
        /// Orders that await their payment are cancelled, on the word of the provider of payments.
        Payments = "payments",
        /// It is looked whether something is owed. Then the person stays.
        Debts = "debts",
        /// Nobody signs in, and no token is refreshed.
        Sessions = "sessions",
        /// What the person sells goes, with all pictures.
        Products = "products",
        /// Their stores are closed, without a word of theirs.
        Stores = "stores",
        /// Reviews keep their stars.
        Reviews = "reviews",
        /// What the person has bought goes: nothing can be reviewed any more.
        Purchases = "purchases",
        /// The cart goes.
        Carts = "carts",
        /// Orders and returns keep what the law asks for.
        Orders = "orders",
        /// The log goes.
        Activity = "activity",
        /// What they were told goes.
        Inbox = "inbox",
        /// What they looked at goes.
        Views = "views",
        /// The file of what was kept goes, if one was asked for.
        Exports = "exports",
        /// Nobody listens any more.
        Sockets = "sockets",
        /// The person is told.
        Letter = "letter",
        /// The letter has gone out.
        Told = "told",
        /// What admins wrote to them goes, and that nothing is written to an address of theirs.
        Mail = "mail",
        /// Account and profile go: first the account, since the profile alone says what it is called.
        Account = "account",
        /// A day later what was under way has arrived.
        Later = "later",
        /// The cart, once more: a token is good for an hour after it was revoked.
        CartsAgain = "carts-again",
        /// Stores, once more.
        StoresAgain = "stores-again",
        /// Purchases, once more.
        PurchasesAgain = "purchases-again",
        /// The log, once more.
        ActivityAgain = "activity-again",
        /// What they were told since, once more.
        InboxAgain = "inbox-again",
        /// What admins wrote to them since, once more.
        MailAgain = "mail-again",
        /// What they looked at since, once more.
        ViewsAgain = "views-again",
        /// A file that was being made when the first was deleted.
        ExportsAgain = "exports-again",
        /// Sockets, once more.
        SocketsAgain = "sockets-again",
    }
);

impl Step {
    /// The tables of which it takes something.
    pub const fn tables(self) -> &'static [&'static str] {
        match self {
            Self::Requests
            | Self::Debts
            | Self::Sessions
            | Self::Exports
            | Self::ExportsAgain
            | Self::Letter
            | Self::Told
            | Self::Later => &[],
            Self::Payments => &["Orders"],
            Self::Products => &["Products", "Offers"],
            Self::Stores | Self::StoresAgain => &["Stores"],
            Self::Reviews => &["Reviews"],
            Self::Purchases | Self::PurchasesAgain => &["Purchases"],
            Self::Carts | Self::CartsAgain => &["Carts"],
            Self::Orders => &["Orders", "Returns"],
            Self::Activity | Self::ActivityAgain => &["Activity"],
            Self::Inbox | Self::InboxAgain => &["Inbox"],
            Self::Mail | Self::MailAgain => &["Mail"],
            Self::Views | Self::ViewsAgain => &["RecentlyViewed"],
            Self::Sockets | Self::SocketsAgain => &["Connections"],
            Self::Account => &["Users"],
        }
    }

    fn next(self) -> Option<Self> {
        let at = Self::ALL.iter().position(|step| *step == self)?;
        Self::ALL.get(at + 1).copied()
    }
}

/// What a task of the workflow is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Task {
    user_id: UserId,
    step: Step,
    /// How often the step was taken before.
    #[serde(default)]
    tries: u32,
}

impl Task {
    /// The first one.
    pub fn first(user_id: UserId) -> Self {
        Self { user_id, step: Step::ALL[0], tries: 0 }
    }
}

/// What the workflow does next.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Taken {
    #[serde(flatten)]
    next: Task,
    wait_seconds: u64,
    is_done: bool,
}

/// What a step came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    /// The next one follows, after a while.
    Next(Duration),
    /// It is to be taken again, after a while.
    Again(Duration),
    /// That was all: the person stays.
    Over,
}

impl Outcome {
    /// The next one follows.
    const DONE: Self = Self::Next(Duration::ZERO);
}

impl From<Remains> for Outcome {
    fn from(remains: Remains) -> Self {
        match remains {
            Remains::Nothing => Self::DONE,
            Remains::More => Self::Again(Duration::ZERO),
        }
    }
}

impl Task {
    fn after(self, outcome: Outcome) -> Taken {
        match (outcome, self.step.next()) {
            (Outcome::Again(wait), _) => {
                let next = Self { tries: self.tries + 1, ..self };
                Taken { next, wait_seconds: wait.as_secs(), is_done: false }
            }
            (Outcome::Next(wait), Some(step)) => {
                let next = Self { step, tries: 0, ..self };
                Taken { next, wait_seconds: wait.as_secs(), is_done: false }
            }
            (Outcome::Over, _) | (Outcome::Next(_), None) => {
                Taken { next: self, wait_seconds: 0, is_done: true }
            }
        }
    }
}

/// How long it is waited, from the environment.
#[derive(Debug, Clone, Copy)]
struct Waits {
    /// Longer than any request.
    requests: Duration,
    /// Until what was under way has arrived.
    rest: Duration,
}

impl FromEnv for Waits {
    fn from_env(_: &Aws) -> Result<Self, ConfigError> {
        let seconds = |name| config::required(name).map(Duration::from_secs);
        Ok(Self { requests: seconds("REQUESTS_SECONDS")?, rest: seconds("REST_SECONDS")? })
    }
}

/// Everything that keeps something of a person.
#[derive(Debug, Clone)]
pub struct Deletion {
    client: Client,
    guards: Guards,
    users: Users,
    user_pool: UserPool,
    emails: EmailQueue,
    waits: Waits,
    activity: Activity,
    cancelling: Cancelling,
    carts: Carts,
    files: Files,
    inbox: Inbox,
    mail: Mail,
    media: Media,
    products: Products,
    purchases: Purchases,
    returns: Returns,
    reviews: Reviews,
    sockets: Sockets,
    stores: Stores,
    viewed: RecentlyViewed,
}

impl FromEnv for Deletion {
    fn from_env(aws: &Aws) -> Result<Self, ConfigError> {
        Ok(Self {
            client: aws.dynamodb(),
            guards: Guards::from_env(aws)?,
            users: Users::from_env(aws)?,
            user_pool: UserPool::from_env(aws)?,
            emails: EmailQueue::from_env(aws)?,
            waits: Waits::from_env(aws)?,
            activity: Activity::from_env(aws)?,
            cancelling: Cancelling::from_env(aws)?,
            carts: Carts::from_env(aws)?,
            files: Files::from_env(aws)?,
            inbox: Inbox::from_env(aws)?,
            mail: Mail::from_env(aws)?,
            media: Media::from_env(aws)?,
            products: Products::from_env(aws)?,
            purchases: Purchases::from_env(aws)?,
            returns: Returns::from_env(aws)?,
            reviews: Reviews::from_env(aws)?,
            sockets: Sockets::from_env(aws)?,
            stores: Stores::from_env(aws)?,
            viewed: RecentlyViewed::from_env(aws)?,
        })
    }
}

impl Deletion {
    /// Takes one step, and says which one follows and when. Safe to repeat.
    ///
    /// # Errors
    /// When a table, the bucket, the user pool or the provider of payments does not answer: the workflow tries again.
    pub async fn take(&self, task: Task, now: Timestamp) -> anyhow::Result<Taken> {
        let profile = self.users.find(&task.user_id).await?;
        // Whoever is gone has no profile.
        if let Some(stays) = profile.as_ref().filter(|profile| profile.status != Status::Deleting) {
            // Also where an earlier try of this step died before it told.
            if task.step == Step::Debts {
                self.say_why_not(stays).await?;
            }
            return Ok(task.after(Outcome::Over));
        }
        let person = &task.user_id;
        let outcome = match task.step {
            Step::Requests => Outcome::Next(self.waits.requests),
            Step::Payments => self.settle(person, task.tries, now).await?,
            Step::Debts => self.look(person, profile.as_ref(), task.tries).await?,
            Step::Sessions => self.sign_out(profile.as_ref()).await?,
            Step::Products => selling::forget(&self.products, &self.media, person).await?.into(),
            Step::Stores | Step::StoresAgain => {
                self.stores.forget(&self.media, person, now).await.map(|()| Outcome::DONE)?
            }
            Step::Reviews => self.reviews.forget_author(person, now).await.map(|()| Outcome::DONE)?,
            Step::Purchases | Step::PurchasesAgain => {
                self.purchases.forget(person).await.map(|()| Outcome::DONE)?
            }
            Step::Carts | Step::CartsAgain => self.carts.forget(person).await.map(|()| Outcome::DONE)?,
            Step::Orders => self.returns.forget(person, now).await?.into(),
            Step::Activity | Step::ActivityAgain => self.activity.forget(person).await?.into(),
            Step::Inbox | Step::InboxAgain => self.inbox.forget(person).await?.into(),
            Step::Mail | Step::MailAgain => self.mail.forget(person).await?.into(),
            Step::Views | Step::ViewsAgain => self.viewed.forget(person).await?.into(),
            Step::Exports | Step::ExportsAgain => self.files.delete(person).await.map(|()| Outcome::DONE)?,
            Step::Sockets | Step::SocketsAgain => self.sockets.forget(person).await?.into(),
            Step::Letter => self.write(person, profile.as_ref()).await?,
            Step::Told => self.is_told(person, profile.as_ref(), task.tries).await?,
            Step::Account => self.delete(person, profile.as_ref()).await?,
            Step::Later => Outcome::Next(self.waits.rest),
        };
        tracing::info!(user_id = %person, step = %task.step, ?outcome, "step of a deletion");
        Ok(task.after(outcome))
    }

    /// Cancels what awaits its payment. What is being paid is looked at again, for five minutes: then it is owed.
    async fn settle(&self, person: &UserId, tries: u32, now: Timestamp) -> anyhow::Result<Outcome> {
        let mut is_settled = true;
        for order in self.returns.orders().unfinished_of(person).await? {
            if order.status() == OrderStatus::AwaitingPayment {
                let id = order.id();
                if let Err(problem) = self.cancelling.cancel_opened(order, now).await {
                    anyhow::ensure!(problem.status().is_client_error(), "cancel an order: {problem:?}");
                    tracing::info!(order_id = %id, "an order of somebody who leaves is being paid");
                }
                is_settled = false;
            }
        }
        let is_over = is_settled || tries >= LOOKS;
        Ok(if is_over { Outcome::DONE } else { Outcome::Again(A_MOMENT) })
    }

    /// Whoever waits for an order, or owes one, stays and hears why. Letters that are owed go out first.
    async fn look(&self, person: &UserId, profile: Option<&Profile>, looks: u32) -> anyhow::Result<Outcome> {
        let Some(profile) = profile else { return Ok(Outcome::DONE) };
        let orders = self.returns.orders().unfinished_of(person).await?;
        let is_waited_for =
            |order: &Order| matches!(order.status(), OrderStatus::AwaitingPayment | OrderStatus::Pending);
        let is_owed = orders.iter().any(is_waited_for)
            || self.returns.are_undecided_of(person).await?
            || self.products.are_owed_by(person).await?;
        match (is_owed, orders.is_empty() || looks >= LOOKS) {
            (false, true) => Ok(Outcome::DONE),
            (false, false) => Ok(Outcome::Again(A_MOMENT)),
            (true, _) => {
                if !self.users.stay(&self.guards, profile).await? {
                    return Ok(Outcome::Again(A_MOMENT));
                }
                self.say_why_not(profile).await?;
                Ok(Outcome::Over)
            }
        }
    }

    async fn say_why_not(&self, stays: &Profile) -> anyhow::Result<()> {
        let leaver = LeaverId::new(&stays.user_id, stays.departure);
        self.emails.send(&Queued::new(AccountLetterKind::Kept, leaver)).await
    }

    async fn sign_out(&self, profile: Option<&Profile>) -> anyhow::Result<Outcome> {
        if let Some(Profile { username, .. }) = profile {
            self.user_pool.set_status(username, Status::Deleting).await?;
            self.user_pool.sign_out(username).await?;
        }
        Ok(Outcome::DONE)
    }

    async fn write(&self, person: &UserId, profile: Option<&Profile>) -> anyhow::Result<Outcome> {
        if profile.is_some() {
            self.emails.send(&Queued::new(AccountLetterKind::Deleted, person)).await?;
        }
        Ok(Outcome::DONE)
    }

    /// The address goes with the profile, so the letter has to be on its way before.
    async fn is_told(
        &self,
        person: &UserId,
        profile: Option<&Profile>,
        looks: u32,
    ) -> anyhow::Result<Outcome> {
        let claim = Queued::new(AccountLetterKind::Deleted, person).claim();
        let read = self.guards.with_claims(Read::new(), std::slice::from_ref(&claim))?;
        let claims = self.guards.claims_in(&mut read.fetch(&self.client).await?)?;
        let is_told = matches!(claims.get(&claim), Some(Done::At(_)));
        if is_told || profile.is_none() {
            return Ok(Outcome::DONE);
        }
        if looks >= LOOKS_FOR_THE_LAST {
            tracing::error!(user_id = %person, "nobody was told that the account is deleted");
            return Ok(Outcome::DONE);
        }
        Ok(Outcome::Again(A_MOMENT))
    }

    async fn delete(&self, person: &UserId, profile: Option<&Profile>) -> anyhow::Result<Outcome> {
        if let Some(profile) = profile {
            self.user_pool.delete(&profile.username).await?;
        }
        self.users.forget(&self.guards, person).await?;
        Ok(Outcome::DONE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn at(step: Step, tries: u32) -> Task {
        Task { user_id: UserId::from("ann".to_owned()), step, tries }
    }

    #[test]
    fn a_workflow_begins_with_the_first_step_and_ends_after_the_last() {
        let mut task = Task::first(UserId::from("ann".to_owned()));
        let mut steps = vec![task.step];
        loop {
            let taken = task.after(Outcome::DONE);
            if taken.is_done {
                break;
            }
            task = taken.next;
            steps.push(task.step);
        }
        assert_eq!(steps, Step::ALL);
    }

    #[test]
    fn the_workflow_is_told_what_comes_next_and_when() {
        let taken = at(Step::Told, 2).after(Outcome::Again(A_MOMENT));
        assert_eq!(
            serde_json::to_value(taken).unwrap(),
            json!({ "userId": "ann", "step": "told", "tries": 3, "waitSeconds": 5, "isDone": false })
        );
        assert!(at(Step::Debts, 0).after(Outcome::Over).is_done);
        assert_eq!(at(Step::Told, 2).after(Outcome::DONE).next, at(Step::Mail, 0));
    }

    #[test]
    fn nothing_of_a_person_goes_before_it_is_known_that_nothing_is_owed() {
        let position = |step| Step::ALL.iter().position(|one| *one == step);
        let takes = |step: &Step| !step.tables().is_empty() && *step != Step::Payments;
        let first = Step::ALL.into_iter().find(takes).unwrap();
        assert!(position(Step::Debts) < position(first));
        assert!(position(Step::Told) < position(Step::Account));
    }
}
