//! What a new shop sells, in the scripts of its people: thirty products, some with several pictures; in which
//! [`stores`] they are, and what [`reviews`] say of them.

pub(crate) mod reviews;
pub(crate) mod stores;

use crate::pictures::inks::*;
use crate::pictures::{Picture, books, clothes, home, kitchen, large, on, stores as scenes, toys};

/// Somebody with an account.
pub(crate) struct Person {
    pub full_name: &'static str,
    pub email: &'static str,
}

/// Who sells the products. One person has three stores at most.
pub(crate) const SELLERS: [Person; 2] = [
    Person { full_name: "Seller", email: "seller@cartwright.test" },
    Person { full_name: "Maker", email: "maker@cartwright.test" },
];

/// A product as its seller lists it.
pub(crate) struct Product {
    /// Composed (NFC), as the shop keeps it: by it the product is known again.
    pub name: &'static str,
    /// Its pictures are called so, with a number and `.png`: names of files are Latin.
    pub file: &'static str,
    pub category: &'static str,
    pub price: f64,
    pub quantity: u32,
    pub description: &'static str,
    /// In their order; one at least.
    pub pictures: &'static [Picture],
}

/// How the rows below are read: name, its file's, category, price, pieces, description, pictures.
const fn product(
    name: &'static str,
    file: &'static str,
    category: &'static str,
    (price, quantity): (f64, u32),
    description: &'static str,
    pictures: &'static [Picture],
) -> Product {
    Product { name, file, category, price, quantity, description, pictures }
}

/// The products.
pub(crate) const PRODUCTS: [Product; 30] = [
    product(
        "Stoneware mug",
        "stoneware-mug",
        "Home",
        (14.5, 120),
        "Holds a third of a litre and keeps it warm.",
        &[
            on(MIST, |c| kitchen::mug(c, BLUE)),
            on(SAND, |c| kitchen::mug_above(c, BLUE)),
            on(MINT, |c| kitchen::mug(c, MOSS)),
        ],
    ),
    product(
        "Linen throw",
        "linen-throw",
        "Home",
        (59.0, 25),
        "Washed linen, 130 by 170 centimetres.",
        &[on(PEACH, |c| home::throw_folded(c, LINEN)), on(MINT, |c| home::throw_hung(c, LINEN))],
    ),
    product(
        "Canvas shoes",
        "canvas-shoes",
        "Clothes",
        (79.95, 40),
        "Light shoes with a rubber sole, for summer and for the city.",
        &[
            on(ROSE, |c| clothes::shoe(c, BRICK)),
            on(MIST, |c| clothes::shoe(c, BLUE)),
            on(HONEY, |c| clothes::shoes_above(c, BRICK)),
            on(PEACH, |c| clothes::soles(c, BRICK)),
        ],
    ),
    product(
        "Wool scarf",
        "wool-scarf",
        "Clothes",
        (39.0, 60),
        "Two metres of lambswool, woven, not knitted.",
        &[on(HONEY, |c| clothes::scarf(c, MOSS))],
    ),
    product(
        "Pocket atlas",
        "pocket-atlas",
        "Books",
        (18.25, 200),
        "All countries on 180 pages that fit a coat pocket.",
        &[on(SKY, books::atlas)],
    ),
    product(
        "Rust by candlelight",
        "rust-by-candlelight",
        "Books",
        (24.99, 80),
        "Essays on programs that do not fall over at night.",
        &[on(PEACH, books::candlelight)],
    ),
    product(
        "Crème brûlée torch",
        "creme-brulee-torch",
        "Kitchen",
        (34.9, 35),
        "A small flame for sugar. Filled with lighter gas.",
        &[on(LILAC, |c| kitchen::torch(c, CORAL)), on(ROSE, |c| kitchen::creme_brulee(c, CORAL))],
    ),
    product(
        "Mühle für Pfeffer",
        "muehle",
        "Kitchen",
        (45.0, 50),
        "Aus Buche, mit einem Mahlwerk aus Keramik.",
        &[on(MINT, kitchen::mill)],
    ),
    product(
        "Žonglovací míčky",
        "micky",
        "Toys",
        (16.0, 90),
        "Tři míčky z kůže, plněné prosem.",
        &[on(SKY, toys::balls), on(MINT, toys::balls_in_the_air)],
    ),
    product(
        "Ciupagă de nuc",
        "ciupaga",
        "Home",
        (62.5, 12),
        "Sculptată de mână, lungă de optzeci de centimetri.",
        &[on(MINT, home::axe)],
    ),
    product(
        "Çay bardağı",
        "cay-bardagi",
        "Kitchen",
        (9.75, 240),
        "İnce belli, altı adet, tabaklarıyla.",
        &[on(PEACH, kitchen::tea_glass), on(MINT, kitchen::tea_tray)],
    ),
    product(
        "Nón lá",
        "non-la",
        "Clothes",
        (12.0, 70),
        "Nón đan tay bằng lá cọ, nhẹ và mát.",
        &[on(MINT, clothes::leaf_hat)],
    ),
    product(
        "Ελαιόλαδο",
        "elaiolado",
        "Kitchen",
        (21.0, 150),
        "Εξαιρετικό παρθένο, μισό λίτρο, από την Κρήτη.",
        &[on(HONEY, kitchen::oil), on(SKY, kitchen::oil_and_olives)],
    ),
    product(
        "Матрёшка",
        "matryoshka",
        "Toys",
        (28.0, 45),
        "Семь кукол из липы, расписанных вручную.",
        &[on(PEACH, toys::doll), on(SKY, toys::dolls), on(LILAC, toys::doll_open)],
    ),
    product(
        "Вишиванка",
        "vyshyvanka",
        "Clothes",
        (85.0, 20),
        "Лляна сорочка з вишивкою хрестиком.",
        &[on(SKY, clothes::shirt)],
    ),
    product(
        "ქართული ყანწი",
        "kantsi",
        "Kitchen",
        (38.0, 30),
        "სასმისი რქისგან, ნახევარი ლიტრი.",
        &[on(ROSE, kitchen::horn)],
    ),
    product(
        "Հայկական գորգ",
        "gorg",
        "Home",
        (320.0, 4),
        "Ձեռագործ, բրդից, մեկուկես մետր երկարությամբ։",
        &[on(SAND, home::rug), on(MIST, home::rug_rolled)],
    ),
    product(
        "فنجان قهوة",
        "finjan",
        "Kitchen",
        (11.0, 180),
        "فنجان صغير من الخزف، مرسوم باليد.",
        &[on(PEACH, kitchen::cup)],
    ),
    product(
        "دفتر خوشنویسی",
        "daftar",
        "Books",
        (17.5, 65),
        "کاغذ دستی برای خوشنویسی، صد برگ.",
        &[on(HONEY, books::notebook)],
    ),
    product(
        "נרות שעווה",
        "nerot",
        "Home",
        (15.0, 110),
        "שמונה נרות משעוות דבורים, לבנים.",
        &[on(DUSK, home::candles)],
    ),
    product(
        "पीतल का दीया",
        "diya",
        "Home",
        (13.25, 140),
        "हाथ से बना दीया, दस सेंटीमीटर चौड़ा।",
        &[on(NIGHT, home::lamp), on(DUSK, home::lamp_above)],
    ),
    product(
        "জামদানি শাড়ি",
        "jamdani",
        "Clothes",
        (145.0, 9),
        "ঢাকার তাঁতে বোনা, ছয় গজ।",
        &[on(ROSE, |c| clothes::sari_folded(c, PLUM)), on(HONEY, |c| clothes::sari_hung(c, PLUM))],
    ),
    product(
        "தஞ்சாவூர் பொம்மை",
        "bommai",
        "Toys",
        (19.0, 33),
        "தலையாட்டும் பொம்மை, கையால் வண்ணம் தீட்டியது.",
        &[on(MINT, toys::dancer)],
    ),
    product(
        "ร่มกระดาษ",
        "rom",
        "Clothes",
        (26.0, 28),
        "ร่มกระดาษสาทำมือจากบ่อสร้าง เชียงใหม่",
        &[on(MINT, |c| clothes::umbrella(c, CORAL)), on(SKY, |c| clothes::umbrella_above(c, CORAL))],
    ),
    product(
        "紫砂茶壶",
        "chahu",
        "Kitchen",
        (88.0, 18),
        "宜兴紫砂,容量二百毫升。",
        &[on(MINT, kitchen::teapot), on(MIST, kitchen::tea_set)],
    ),
    product(
        "こけし",
        "kokeshi",
        "Toys",
        (42.0, 22),
        "ミズキの木から作られた、高さ二十センチの人形。",
        &[on(MIST, toys::kokeshi)],
    ),
    product(
        "折り紙の本",
        "origami",
        "Books",
        (14.8, 95),
        "五十の作品を、図と写真で説明します。",
        &[on(SKY, books::origami_book), on(MIST, books::cranes)],
    ),
    product(
        "한지 부채",
        "buchae",
        "Home",
        (23.0, 44),
        "전주 한지로 만든 접는 부채.",
        &[on(PEACH, |c| home::fan(c, TEAL))],
    ),
    product("የቡና ጀበና", "jebena", "Kitchen", (31.0, 26), "ከሸክላ የተሠራ የቡና ማፍያ።", &[on(CORAL, kitchen::jebena)]),
    product(
        "Kitenge",
        "kitenge",
        "Clothes",
        (18.0, 75),
        "Kitambaa cha pamba chenye rangi, mita mbili.",
        &[
            on(SAND, clothes::cloth_folded),
            on(SKY, clothes::cloth_hung),
            on(MINT, clothes::cloth_bolt),
            on(PEACH, clothes::dress),
            on(HONEY, clothes::swatch),
        ],
    ),
];

/// The categories of the products, each with its picture.
pub(crate) const CATEGORIES: [(&str, Picture); 5] = [
    ("Books", on(LILAC, books::pile)),
    ("Clothes", on(SKY, scenes::wardrobe)),
    ("Home", on(PEACH, scenes::hearthside)),
    ("Kitchen", on(MINT, scenes::kitchenware)),
    ("Toys", on(HONEY, scenes::toybox)),
];

/// The picture at the top of the shop.
pub(crate) const BANNER: Picture = large(PEACH, scenes::counter);

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn each_product_is_told_apart_and_in_a_category_that_has_a_picture() {
        let of = |what: fn(&Product) -> &str| PRODUCTS.iter().map(what).collect::<BTreeSet<_>>();
        assert_eq!((of(|product| product.name).len(), of(|product| product.file).len()), (30, 30));
        assert_eq!(of(|product| product.category), CATEGORIES.iter().map(|(name, _)| *name).collect());
        assert!(PRODUCTS.iter().all(|product| (1..=8).contains(&product.pictures.len())));
        assert!(PRODUCTS.iter().filter(|product| product.pictures.len() > 1).count() >= 10);
        assert!(PRODUCTS.iter().all(|product| product.file.is_ascii()));
    }

    #[test]
    fn the_names_are_in_many_scripts() {
        let first = [
            'a'..='z',
            'α'..='ω',
            'а'..='я',
            'ა'..='ჰ',
            'ա'..='ֆ',
            'ا'..='ي',
            'א'..='ת',
            'अ'..='ह',
            'অ'..='হ',
            'அ'..='ஹ',
            'ก'..='ฮ',
            '一'..='龠',
            'あ'..='ん',
            '가'..='힣',
            'ሀ'..='ፚ',
        ];
        for script in first {
            let has = |product: &Product| {
                product.name.to_lowercase().chars().any(|letter| script.contains(&letter))
            };
            assert!(PRODUCTS.iter().any(has), "{script:?}");
        }
    }
}
