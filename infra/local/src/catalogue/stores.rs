//! The stores of a new shop, and which of its products are in each.

use super::Product;
use crate::pictures::inks::*;
use crate::pictures::{Picture, on, stores as scenes, wide};

/// A store as its owner opens it.
pub(crate) struct Store {
    /// Composed (NFC), as the shop keeps it: by it the store is known again.
    pub name: &'static str,
    /// Its pictures are called so, with which one it is and `.png`.
    pub file: &'static str,
    /// Whose it is, of [`SELLERS`](super::SELLERS).
    pub seller: usize,
    pub description: &'static str,
    pub support_email: &'static str,
    pub logo: Picture,
    pub banner: Picture,
    /// What is in it, by the names of files.
    pub products: &'static [&'static str],
}

impl Store {
    /// Whether a product is in it.
    pub(crate) fn has(&self, product: &Product) -> bool {
        self.products.contains(&product.file)
    }
}

/// The stores. What is in none of them, the first seller sells without one.
pub(crate) const STORES: [Store; 4] = [
    Store {
        name: "Hearth & Loom",
        file: "hearth-and-loom",
        seller: 0,
        description: "Things for the table and for long evenings, from small workshops.",
        support_email: "hearth@cartwright.test",
        logo: on(PEACH, scenes::hearth),
        banner: wide(ROSE, scenes::hearth_table),
        products: &["stoneware-mug", "linen-throw", "wool-scarf", "creme-brulee-torch", "muehle", "ciupaga"],
    },
    Store {
        name: "東の市",
        file: "higashi-no-ichi",
        seller: 0,
        description: "東アジアの小さな工房から届いた品々。",
        support_email: "ichi@cartwright.test",
        logo: on(MIST, scenes::gate),
        banner: wide(MIST, scenes::eastern_table),
        products: &["chahu", "kokeshi", "origami", "buchae", "rom", "non-la"],
    },
    Store {
        name: "Ярмарок",
        file: "yarmarok",
        seller: 1,
        description: "Речі ручної роботи зі Східної Європи та з Кавказу.",
        support_email: "yarmarok@cartwright.test",
        logo: on(BLUE, scenes::sunflower),
        banner: wide(SKY, scenes::fair_table),
        products: &["matryoshka", "vyshyvanka", "kantsi", "gorg", "micky"],
    },
    Store {
        name: "سوق الحرف",
        file: "souq-al-hiraf",
        seller: 1,
        description: "تحف مصنوعة باليد من الشرق الأوسط وجنوب آسيا.",
        support_email: "souq@cartwright.test",
        logo: on(HONEY, scenes::lantern),
        banner: wide(DUSK, scenes::souk_table),
        products: &["finjan", "daftar", "cay-bardagi", "diya", "jamdani", "bommai"],
    },
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::super::{PRODUCTS, SELLERS};
    use super::*;

    #[test]
    fn each_store_has_products_and_no_product_is_in_two() {
        let inside: Vec<_> = STORES.iter().flat_map(|store| store.products).collect();
        assert_eq!(inside.iter().collect::<BTreeSet<_>>().len(), inside.len());
        let is_listed = |file: &&&str| PRODUCTS.iter().any(|product| product.file == **file);
        assert!(inside.iter().all(is_listed), "{inside:?}");
        assert!(STORES.iter().all(|store| store.products.len() >= 5));
        assert!(
            PRODUCTS.iter().filter(|product| !STORES.iter().any(|store| store.has(product))).count() >= 5
        );
    }

    #[test]
    fn each_store_is_told_apart_as_people_compare_names_and_in_a_script_of_its_own() {
        let key = |name: &str| {
            name.to_lowercase().chars().filter(|letter| letter.is_alphanumeric()).collect::<String>()
        };
        assert_eq!(STORES.iter().map(|store| key(store.name)).collect::<BTreeSet<_>>().len(), STORES.len());
        let scripts = ['a'..='z', '一'..='龠', 'а'..='я', 'ا'..='ي'];
        for (store, script) in STORES.iter().zip(scripts) {
            assert!(key(store.name).chars().any(|letter| script.contains(&letter)), "{}", store.name);
        }
    }

    #[test]
    fn each_store_is_as_the_contract_has_it_and_its_seller_has_three_at_most() {
        for store in &STORES {
            assert!((1..=80).contains(&store.name.chars().count()), "{}", store.name);
            assert!((1..=2000).contains(&store.description.chars().count()), "{}", store.name);
            assert!(store.support_email.is_ascii() && store.file.is_ascii());
        }
        for seller in 0..SELLERS.len() {
            let own = STORES.iter().filter(|store| store.seller == seller).count();
            assert!((1..=3).contains(&own), "{own}");
        }
        assert!(STORES.iter().all(|store| store.seller < SELLERS.len()));
    }
}
