//! Journeys through a running shop, which `cargo local test` starts, and what the stores promise on its tables. They
//! run at the same time on one cloud: each makes its own people and products, and looks at nothing else.

mod accounts;
mod activity;
mod admin_page;
mod auth {
    mod admins;
    mod emails;
    mod existence;
    mod passwords;
    mod second_factor;
    mod sign_in;
    mod social;
}
mod authorization;
mod bad_input;
mod banners;
mod carts;
mod categories;
mod checkout_session;
mod contract;
mod disputes;
mod endpoints;
mod guests;
mod inbox;
mod intents;
mod limits;
mod lists;
mod local_page;
mod local_stripe;
mod mail;
mod main_job;
mod messages;
mod orders {
    mod administering;
    mod buying;
    mod cancelling;
    mod fulfilling;
    mod selling;
}
mod ownership;
mod pages;
mod payments;
mod phones;
mod preferences;
mod products {
    mod gallery;
    mod pictures;
    mod selling;
    mod viewed;
}
mod promotions;
mod readme;
mod reads;
mod refunds;
mod returns;
mod reviews;
mod search;
mod secrets;
mod seed_002;
mod sockets;
mod storefronts;
mod stores;
mod texts;
mod told;
mod webhooks;
