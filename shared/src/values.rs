//! Values with an invariant: money, stars, text, names, ids, tokens, points in time, domains, addresses.

pub mod address;
pub mod country;
pub mod domain;
pub mod id;
pub mod money;
pub mod names;
pub mod percent;
pub mod stars;
pub mod text;
pub mod time;
pub mod token;
pub mod url;
