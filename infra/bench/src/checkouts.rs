//! What the checkout of a cart writes, by how many lines it has, by how many sold them, and by how it is paid.

use anyhow::Result;
use local::say;
use serde::Serialize;

use super::contest::{self, BUY_ONE, Programs};
use super::double::Asked;
use super::events;
use super::scene::{self, Scene};

/// Carts, by their lines and the sellers of these.
const CARTS: [(u32, u32); 3] = [(1, 1), (50, 1), (50, 3)];
/// Ways to pay, as requests name them and as people do.
const WAYS: [(&str, &str); 2] = [("cash_on_delivery", "cash"), ("card", "card")];

/// A checkout.
#[derive(Clone, Debug, Default, Serialize)]
pub(super) struct Checkout {
    /// How many lines the cart has.
    pub lines: u32,
    /// How many people sell them.
    pub sellers: u32,
    /// How it is paid.
    pub paid: &'static str,
    /// What it asks of AWS and of Stripe.
    pub asked: Asked,
    /// Of its write units, those of each table with its indexes.
    pub written: [f64; 6],
}

/// The tables that a checkout writes to, by their variables and in words.
pub(super) const TABLES: [(&str, &str); 6] = [
    ("ORDERS_TABLE", "orders"),
    ("SELLER_ORDERS_TABLE", "sellers"),
    ("OFFERS_TABLE", "offers"),
    ("CARTS_TABLE", "carts"),
    ("PAYMENTS_TABLE", "payments"),
    ("GUARDS_TABLE", "guards"),
];

/// Orders a cart of each kind, if the function is wanted. The first offers are others' then, so this comes
/// last.
///
/// # Errors
/// The emulator or check-out-cart fails.
pub(super) async fn measure(
    scene: &Scene,
    programs: &Programs,
    is_wanted: impl Fn(&str) -> bool,
) -> Result<Vec<Checkout>> {
    if !is_wanted(BUY_ONE.function) {
        return Ok(Vec::new());
    }
    say::step("Ordering carts of one and of three sellers", each(scene, programs)).await
}

async fn each(scene: &Scene, programs: &Programs) -> Result<Vec<Checkout>> {
    let mut checkouts = Vec::new();
    for (lines, sellers) in CARTS {
        scene.sell_by(sellers, lines).await?;
        for (method, paid) in WAYS {
            scene.fill_cart(lines).await?;
            let key = format!("checkout-{lines}-{sellers}-{paid}");
            let event = events::check_out(&scene.buyer, scene::sum(lines), method, &key);
            let asked = contest::once(scene, programs, BUY_ONE, event).await?;
            let mut written = [0.0; TABLES.len()];
            for (units, (variable, _)) in written.iter_mut().zip(TABLES) {
                *units = asked.written.get(scene.variable(variable)?).copied().unwrap_or_default();
            }
            checkouts.push(Checkout { lines, sellers, paid, asked, written });
        }
    }
    Ok(checkouts)
}

/// What a cart of most lines writes by the most sellers, and what by one; nothing where it was not measured.
pub(super) fn by_sellers(checkouts: &[Checkout]) -> Option<(f64, f64)> {
    let longest = checkouts.iter().map(|it| it.lines).max()?;
    let of = |sellers| {
        let found = checkouts.iter().filter(|it| it.lines == longest && it.sellers == sellers);
        found.map(|it| it.asked.units.write).reduce(f64::max)
    };
    let most = checkouts.iter().map(|it| it.sellers).max()?;
    of(most).zip(of(1))
}

#[cfg(test)]
mod tests {
    use super::super::capacity::Units;
    use super::*;

    #[test]
    fn the_longest_carts_are_compared_by_their_sellers() {
        let checkout = |lines, sellers, write| {
            let asked = Asked { units: Units { read: 0.0, write }, ..Asked::default() };
            Checkout { lines, sellers, asked, ..Checkout::default() }
        };
        let all =
            [checkout(1, 1, 13.0), checkout(50, 1, 150.0), checkout(50, 1, 160.0), checkout(50, 3, 170.0)];
        assert_eq!(
            by_sellers(&all).map(|(most, one)| (most.to_string(), one.to_string())),
            Some(("170".into(), "160".into()))
        );
        assert_eq!(by_sellers(&[]), None);
    }
}
