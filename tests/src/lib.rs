//! What the tests share. Those in `tests/declared` need nothing but this repository; those in `tests/shop` are journeys
//! through the public API of a running Cartwright, which `cargo local test` starts for them.
//!
//! A journey reads as what people do:
//!
//! ```no_run
//! # async fn journey() {
//! use tests::shop::{Shop, product};
//!
//! let shop = Shop::open();
//! let (ann, bob) = (shop.person("Ann").await, shop.person("Bob").await);
//! let tea = ann.sells(product().named("tea").priced("4.50").stock(10)).await;
//! let order = bob.buys(&tea, 2).await;
//! bob.order_once(&order, "shipping").await;
//! # }
//! ```
//!
//! Journeys run at the same time on one cloud, so each makes its own people and products and looks at nothing else.
//! What must break the cloud for a while is in `tests/disruptions`, which runs alone.

pub mod answer;
pub mod aws;
pub mod browser;
pub mod files;
pub mod logs;
pub mod meddler;
pub mod paying;
pub mod phones;
pub mod receiver;
pub mod schemas;
pub mod shop;
pub mod social;
pub mod socket;
pub mod stripe;
pub mod template;
pub mod totp;
pub mod wait;
