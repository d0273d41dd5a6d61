//! The pages on which an order can be paid: how each stands at Stripe, what Stripe has told of it, and what is known of
//! it here.

use payments::attempt::{AttemptStatus, Follows, Heard, Outcome};

/// A page of Stripe's, and with it all that Stripe has told of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Page {
    /// Stripe has made none.
    None,
    /// Nobody has its address yet.
    Made,
    Open,
    Expired,
    Paid,
    /// Another amount was paid.
    PaidOther,
    /// It was paid in a slow way: the money is on its way, has come, or does not come.
    Slow,
    SlowPaid,
    Bounced,
    /// It was paid though it was expired: what Stripe should never let happen.
    PaidLate,
}

/// What Stripe says of a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Word {
    Dead,
    Processing,
    Paid,
    PaidOther,
}

impl Page {
    /// What was told of it up to now, the oldest first.
    pub fn told(self) -> &'static [Word] {
        match self {
            Self::None | Self::Made | Self::Open => &[],
            Self::Expired => &[Word::Dead],
            Self::Paid => &[Word::Paid],
            Self::PaidOther => &[Word::PaidOther],
            Self::Slow => &[Word::Processing],
            Self::SlowPaid => &[Word::Processing, Word::Paid],
            Self::Bounced => &[Word::Processing, Word::Dead],
            Self::PaidLate => &[Word::Dead, Word::Paid],
        }
    }

    /// What Stripe answers who asks. A session whose slow money did not come is complete and unpaid like one whose
    /// money may still come: that it does not is told, and cannot be asked.
    pub fn asked(self) -> Option<Word> {
        match self {
            Self::None | Self::Made | Self::Open => None,
            Self::Expired => Some(Word::Dead),
            Self::Paid | Self::SlowPaid | Self::PaidLate => Some(Word::Paid),
            Self::PaidOther => Some(Word::PaidOther),
            Self::Slow | Self::Bounced => Some(Word::Processing),
        }
    }

    pub fn has_money(self) -> bool {
        matches!(self, Self::Paid | Self::PaidOther | Self::SlowPaid | Self::PaidLate)
    }
}

/// One attempt, on both sides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Attempt {
    pub status: AttemptStatus,
    pub outcome: Option<Outcome>,
    /// How often the ledger has what came.
    pub charged: u8,
    pub page: Page,
    /// Whether Stripe makes no page any more: it would be too short.
    pub is_late: bool,
}

pub const NEW: Attempt =
    Attempt { status: AttemptStatus::Creating, outcome: None, charged: 0, page: Page::None, is_late: false };

impl Attempt {
    pub fn can(&self, heard: Heard) -> bool {
        matches!(self.status.on(heard), Follows::To(_))
    }

    pub fn hears(&mut self, heard: Heard) {
        if let Follows::To(status) = self.status.on(heard) {
            self.status = status;
        }
    }

    /// Its page is no longer open.
    pub fn shut(&mut self) {
        if matches!(self.page, Page::Made | Page::Open) {
            self.page = Page::Expired;
        }
    }
}
