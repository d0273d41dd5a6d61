//! What must hold while AWS does not: duplicates, failures, functions that die in the middle.
//!
//! These tests change the cloud under the shop and restore it, so they run alone, one at a time, and last:
//! `cargo local test` does it; by hand, `--test disruptions -- --test-threads=1`.

mod orders;
