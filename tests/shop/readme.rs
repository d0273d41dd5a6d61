//! The README's tour works as pasted.

use std::path::Path;
use std::process::{Command, Stdio};

/// The shell commands of the section "A tour", for the shop at `url`.
fn tour(url: &str) -> String {
    let readme = Path::new(env!("CARGO_MANIFEST_DIR")).join("../README.md");
    let readme = std::fs::read_to_string(readme).expect("the README can be read");
    let (_, section) = readme.split_once("\n## A tour\n").expect("the README has a tour");
    let section = section.split("\n## ").next().unwrap_or_default();
    let blocks = section.split("```sh\n").skip(1).filter_map(|rest| rest.split("```").next());
    let tour: String = blocks.collect();
    assert!(tour.contains("API=http://localhost:3000\n"), "the tour says where the shop is");
    tour.replace("http://localhost:3000", url)
}

#[test]
fn the_tour_leads_from_sign_up_to_the_shipping_email_and_to_a_payment_by_card() {
    let url = std::env::var("CARTWRIGHT_URL").expect("CARTWRIGHT_URL is not set: run `cargo local test`");
    let directory = std::env::temp_dir().join(format!("cartwright-tour-{}", std::process::id()));
    std::fs::create_dir_all(&directory).unwrap();
    // A shell that somebody pastes into goes on after a mistake; here a mistake ends it.
    let output = Command::new("bash")
        .args(["-euo", "pipefail", "-c", &tour(&url)])
        .current_dir(&directory)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    std::fs::remove_dir_all(&directory).unwrap();
    let (said, complained) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{said}\n{complained}");
    for expected in [
        "Account created. Please verify your email.",
        "User successfully confirmed!",
        r#""isApproved":true"#,
        "order placed successfully",
        r#""status":"shipping""#,
        "gucci now shipping",
        r#""suggestions":[{"text":"gucci""#,
        r#""title":"Well sewn""#,
        r#""url":"http"#,
        r#""paymentStatus":"paid""#,
        // The mistake at the end.
        "urn:problem-type:cartwright:invalid-input",
        r##""pointer":"#/colour""##,
    ] {
        assert!(said.contains(expected), "{expected} is not in\n{said}\n{complained}");
    }
}
