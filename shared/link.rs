//! The build script of all functions: a release binary is linked to run at a fixed address (`-no-pie`), and without
//! symbols.
//!
//! One that may be loaded anywhere has a table of some 35,000 addresses to adjust, 0.8 MB of it, which the dynamic
//! linker goes through at each cold start (decision 0042).

/// Tells Cargo so.
pub fn main() {
    let is = |name, value: &str| std::env::var(name).is_ok_and(|it| it == value);
    if is("PROFILE", "release") && is("CARGO_CFG_TARGET_OS", "linux") {
        println!("cargo::rustc-link-arg-bins=-no-pie");
        // `strip` of the profile does not reach a package that has an `opt-level` of its own, and the last word counts.
        println!("cargo::rustc-link-arg-bins=-Wl,--strip-all");
    }
}
