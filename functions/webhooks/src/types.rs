//! What can happen in the shop, as `infra/api/events.yaml` names it; a test compares the two.

shared::names!(
    /// A type of events.
    #[derive(PartialOrd, Ord)]
    pub enum EventType {
        /// An order was recorded, and its stock reserved.
        OrderPlaced = "order.placed",
        /// An order that was placed by card is paid, and will be sent.
        OrderPaid = "order.paid",
        /// An order is on its way.
        OrderShipped = "order.shipped",
        /// An order arrived, as its seller or an admin said.
        OrderDelivered = "order.delivered",
        /// One of several sellers has sent a part of an order.
        OrderParcelSent = "order.parcel-sent",
        /// A seller does not send a part of an order, and its stock was given back.
        OrderParcelRefused = "order.parcel-refused",
        /// An order is over, and its stock was given back.
        OrderCancelled = "order.cancelled",
        /// Somebody without an account had placed an order, and now it is somebody's who has one.
        OrderClaimed = "order.claimed",
        /// More of an order's money is on its way back.
        OrderRefunded = "order.refunded",
        /// Some of an order's money could not go back, or has come again.
        OrderRefundFailed = "order.refund-failed",
        /// A seller described a new product; nobody sees it yet.
        ProductListed = "product.listed",
        /// An admin has to look at a product, or at pictures of it that nobody has seen yet.
        ProductSubmitted = "product.submitted",
        /// An admin put a product on sale.
        ProductApproved = "product.approved",
        /// An admin did not want a product sold.
        ProductRejected = "product.rejected",
        /// No admin has to look at a product any more, and none has put it on sale by that, or taken it off.
        ProductCleared = "product.cleared",
        /// A product is gone.
        ProductDeleted = "product.deleted",
        /// Fewer than five pieces of a product are left, or none.
        ProductRanLow = "product.ran-low",
        /// There are five pieces of a product again, or more.
        ProductRestocked = "product.restocked",
        /// A product is rated by more reviews, by fewer or by others.
        ProductRated = "product.rated",
        /// Somebody reviewed a product.
        ReviewPosted = "review.posted",
        /// Its author changed a review.
        ReviewEdited = "review.edited",
        /// A review is gone; its author or an admin deleted it.
        ReviewRemoved = "review.removed",
        /// An admin hid a review; it counts for nothing.
        ReviewHidden = "review.hidden",
        /// An admin shows a review again.
        ReviewShown = "review.shown",
        /// The seller replied to a review, or said something else.
        ReviewAnswered = "review.answered",
        /// A person opened a store; nobody else sees it yet.
        StoreOpened = "store.opened",
        /// Everyone sees a store, and orders from it.
        StorePublished = "store.published",
        /// A store was taken out of the shop, and all that it sells.
        StoreDeactivated = "store.deactivated",
        /// A person proved the address that the account was opened with.
        UserSignedUp = "user.signed-up",
        /// A person gave the password and got tokens.
        UserSignedIn = "user.signed-in",
        /// A person has another password.
        UserPasswordChanged = "user.password-changed",
        /// A person has another name or address.
        UserProfileChanged = "user.profile-changed",
        /// A person turned the second factor on or off.
        UserSecondFactorChanged = "user.second-factor-changed",
        /// Mail to a person came back for good or was called spam, and none is sent any more.
        UserEmailSuppressed = "user.email-suppressed",
        /// An admin wrote to a person.
        UserMessageSent = "user.message-sent",
        /// An admin made a person a customer, a seller or an admin.
        UserRoleChanged = "user.role-changed",
        /// A person gets no texts any more, since the phone takes none.
        UserTextsStopped = "user.texts-stopped",
        /// An admin had a text sent to somebody.
        UserTextSent = "user.text-sent",
    }
);
