//! What a buyer asks the bank for, and how it may go on. What Stripe tells of a dispute comes in any order, so what
//! happened last counts, and not what was heard last.

use orders::{Order, OrderId, OrderStatus, PaymentId};
use serde::{Deserialize, Serialize};
use shared::values::money::Amount;
use shared::values::time::Timestamp;

use crate::attempt::{Outcome, Payment, SCHEMA_VERSION};
use crate::ids::DisputeId;
use crate::stripe::{self, CurrencyCode, DisputeStatus};

shared::names!(
    /// How far a dispute is.
    pub enum DisputeState {
        /// The bank asks, and takes nothing yet: to give the money back is one of the answers.
        Inquiry = "inquiry",
        /// The bank decides.
        Open = "open",
        /// The shop keeps the money.
        Won = "won",
        /// The buyer does.
        Lost = "lost",
    }
);

impl DisputeState {
    /// What the provider's word for a dispute means. One that nobody knows yet keeps the money from going back twice.
    pub fn of(status: &DisputeStatus) -> Self {
        match status {
            DisputeStatus::WarningNeedsResponse | DisputeStatus::WarningUnderReview => Self::Inquiry,
            DisputeStatus::NeedsResponse | DisputeStatus::UnderReview | DisputeStatus::Other(_) => Self::Open,
            DisputeStatus::Won | DisputeStatus::WarningClosed | DisputeStatus::Prevented => Self::Won,
            DisputeStatus::Lost => Self::Lost,
        }
    }

    /// Whether the buyer has the money from the bank, or is to have it as far as anybody knows: nothing goes back
    /// besides.
    pub fn stands(self) -> bool {
        match self {
            Self::Open | Self::Lost => true,
            Self::Inquiry | Self::Won => false,
        }
    }

    /// Whether somebody has to answer the bank.
    pub fn waits_for_an_answer(self) -> bool {
        match self {
            Self::Inquiry | Self::Open => true,
            Self::Won | Self::Lost => false,
        }
    }

    /// Of what happens in the same second the later one.
    fn rank(self) -> u8 {
        match self {
            Self::Inquiry => 0,
            Self::Open => 1,
            Self::Won => 2,
            Self::Lost => 3,
        }
    }
}

/// A dispute, as the table keeps it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Dispute {
    pub(crate) payment_id: PaymentId,
    pub(crate) entry: String,
    pub(crate) dispute_id: DisputeId,
    pub(crate) order_id: OrderId,
    /// What is asked for, which may be more than was paid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) amount: Option<Amount>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) currency: Option<CurrencyCode>,
    pub(crate) status: DisputeState,
    /// When it came to that.
    pub(crate) since: Timestamp,
    /// Whether its order counts it: not where other money pays the order.
    pub(crate) counts: bool,
    pub(crate) created_at: Timestamp,
    pub(crate) updated_at: Timestamp,
    pub(crate) schema_version: u32,
}

/// How the entry of a dispute begins.
pub(crate) const DISPUTE: &str = "dispute#";

/// The entry of a dispute.
pub(crate) fn entry_of(id: &DisputeId) -> String {
    format!("{DISPUTE}{id}")
}

/// How the counters of an attempt and of its order follow a dispute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counted {
    /// How many more stand.
    pub stand: i64,
    /// How many more are lost.
    pub lost: i64,
}

impl Dispute {
    /// What is said of a dispute that nobody knew of, about the money of `payment`.
    pub fn heard_of(
        said: &stripe::Dispute,
        payment: &Payment,
        order: &Order,
        since: Timestamp,
        now: Timestamp,
    ) -> Self {
        let pays = order.payment().is_some_and(|paying| paying.payment_id == payment.payment_id);
        Self {
            payment_id: payment.payment_id,
            entry: entry_of(&said.id),
            dispute_id: said.id.clone(),
            order_id: payment.order_id,
            amount: said.amount,
            currency: said.currency.clone(),
            status: DisputeState::of(&said.status),
            since,
            counts: pays && payment.outcome != Some(Outcome::Mismatch),
            created_at: now,
            updated_at: now,
            schema_version: SCHEMA_VERSION,
        }
    }

    /// How it goes on with what is said of it; nothing where that was so before what is known.
    pub fn goes_on(&self, said: &stripe::Dispute, since: Timestamp, now: Timestamp) -> Option<Self> {
        let status = DisputeState::of(&said.status);
        let is_later = (since, status.rank()) > (self.since, self.status.rank());
        is_later.then(|| Self {
            amount: said.amount.or(self.amount),
            currency: said.currency.clone().or_else(|| self.currency.clone()),
            status,
            since,
            updated_at: now,
            ..self.clone()
        })
    }

    /// What counts differently since it was `before`, or since nobody knew of it.
    pub fn counted(&self, before: Option<&Self>) -> Counted {
        let stands = |dispute: &Self| i64::from(dispute.status.stands());
        let is_lost = |dispute: &Self| i64::from(dispute.status == DisputeState::Lost);
        Counted {
            stand: stands(self) - before.map_or(0, stands),
            lost: is_lost(self) - before.map_or(0, is_lost),
        }
    }
}

/// Whether somebody may still keep the goods of an order here.
pub(crate) fn has_not_shipped(order: &Order) -> bool {
    match order.status() {
        OrderStatus::AwaitingPayment | OrderStatus::Pending => true,
        OrderStatus::Shipping | OrderStatus::Delivered | OrderStatus::Cancelled => false,
    }
}

shared::names!(
    /// What a bank did with the money of a dispute.
    pub enum Funds {
        /// It took it.
        Withdrawn = "withdrawn",
        /// It gave it back.
        Reinstated = "reinstated",
    }
);

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::attempt::AttemptStatus;
    use crate::tests::{now, order, payment};

    fn said(status: &str) -> stripe::Dispute {
        let dispute = json!({
            "id": "du_1", "status": status, "amount": 10_040, "currency": "usd", "payment_intent": "pi_1"
        });
        serde_json::from_value(dispute).unwrap()
    }

    fn at(seconds: u64) -> Timestamp {
        now() + Duration::from_secs(seconds)
    }

    /// What is known after this was heard of a dispute, and what its attempt counts by then.
    fn heard(told: &[(&str, u64)]) -> (Dispute, Counted) {
        let (order, payment) = (order(OrderStatus::Pending, 1, 1), payment(1, AttemptStatus::Captured, None));
        let mut known: Option<Dispute> = None;
        let mut sum = Counted { stand: 0, lost: 0 };
        for (status, seconds) in told {
            let next = match &known {
                None => Some(Dispute::heard_of(&said(status), &payment, &order, at(*seconds), now())),
                Some(known) => known.goes_on(&said(status), at(*seconds), now()),
            };
            if let Some(next) = next {
                let counted = next.counted(known.as_ref());
                sum = Counted { stand: sum.stand + counted.stand, lost: sum.lost + counted.lost };
                known = Some(next);
            }
        }
        (known.unwrap(), sum)
    }

    #[test]
    fn a_dispute_stands_from_when_the_bank_has_the_money_until_the_shop_has_it_again() {
        for (status, state, stands, waits) in [
            ("warning_needs_response", DisputeState::Inquiry, false, true),
            ("warning_under_review", DisputeState::Inquiry, false, true),
            ("warning_closed", DisputeState::Won, false, false),
            ("needs_response", DisputeState::Open, true, true),
            ("under_review", DisputeState::Open, true, true),
            ("prevented", DisputeState::Won, false, false),
            ("won", DisputeState::Won, false, false),
            ("lost", DisputeState::Lost, true, false),
            // Of 2030.
            ("in_arbitration", DisputeState::Open, true, true),
        ] {
            let is = DisputeState::of(&DisputeStatus::from(status.to_owned()));
            assert_eq!((is, is.stands(), is.waits_for_an_answer()), (state, stands, waits), "{status}");
        }
    }

    proptest! {
        // F11: what is told comes late, again, and in any order.
        #[test]
        fn what_happened_last_counts_however_often_and_in_whatever_order_it_is_told(
            way in prop::sample::select(vec![
                vec![("needs_response", 0), ("under_review", 60), ("won", 90)],
                vec![("needs_response", 0), ("needs_response", 0), ("lost", 0)],
                vec![("warning_needs_response", 0), ("needs_response", 5), ("lost", 9), ("won", 20)],
                vec![("warning_needs_response", 0), ("warning_closed", 5)],
            ]),
            order in prop::collection::vec(any::<prop::sample::Index>(), 0..12),
        ) {
            let (expected, counted) = heard(&way);
            prop_assert_eq!(counted.stand, i64::from(expected.status.stands()));
            prop_assert_eq!(counted.lost, i64::from(expected.status == DisputeState::Lost));
            let mut told: Vec<_> = order.iter().map(|index| *index.get(&way)).collect();
            // Each comes once at least, the last one first.
            told.extend(way.iter().rev());
            let (known, sum) = heard(&told);
            prop_assert_eq!((known.status, known.since), (expected.status, expected.since));
            prop_assert_eq!(sum, counted);
        }
    }

    #[test]
    fn an_order_counts_disputes_of_the_money_that_pays_it_alone() {
        let of = |number, counts, outcome| {
            let payment = payment(number, AttemptStatus::Captured, outcome);
            let order = order(OrderStatus::Pending, 2, counts);
            Dispute::heard_of(&said("needs_response"), &payment, &order, now(), now()).counts
        };
        assert!(of(1, 1, None));
        assert!(!of(1, 2, Some(Outcome::Duplicate)), "it is paid by the other one");
        assert!(!of(1, 1, Some(Outcome::Mismatch)), "that never paid it");
    }

    #[test]
    fn goods_can_be_kept_until_they_have_left() {
        let here = OrderStatus::ALL.into_iter().filter(|status| has_not_shipped(&order(*status, 1, 1)));
        assert_eq!(here.collect::<Vec<_>>(), [OrderStatus::AwaitingPayment, OrderStatus::Pending]);
    }
}
