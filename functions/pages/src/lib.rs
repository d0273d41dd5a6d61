//! The shop and the admin that one can look at. What is shown is in `site/`, plain modules for the browser, which talk
//! to the public API and to nobody else; here it is served, with what search engines and other people's pages are told
//! of what is behind an address. See `docs/pages.md`.

mod files;
mod head;
mod policy;
mod robots;
mod show;
mod view;

pub use show::Pages;
