//! What the tests share. The tests themselves are in `tests/`: `template` needs nothing but this repository.

pub mod template;
