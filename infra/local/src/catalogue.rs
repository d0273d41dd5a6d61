//! What a new shop sells, in the scripts of its people: thirty products, some with several pictures; in which
//! [`stores`] they are, and what [`reviews`] say of them.

pub(crate) mod reviews;
pub(crate) mod stores;

use crate::pictures::Shape::{self, Checks, Diamond, Disc, Dots, Ring, Stripes, Triangle};

/// A shape, its colour and that of its ground.
pub(crate) type Picture = (Shape, [u8; 3], [u8; 3]);

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

const BLUE: [u8; 3] = [46, 92, 138];
const BRICK: [u8; 3] = [176, 58, 46];
const CORAL: [u8; 3] = [226, 114, 91];
const CREAM: [u8; 3] = [250, 244, 232];
const GOLD: [u8; 3] = [200, 150, 40];
const INK: [u8; 3] = [64, 64, 96];
const MINT: [u8; 3] = [226, 240, 232];
const MIST: [u8; 3] = [232, 238, 244];
const MOSS: [u8; 3] = [88, 110, 68];
const NIGHT: [u8; 3] = [48, 36, 32];
const PLUM: [u8; 3] = [120, 40, 120];
const ROSE: [u8; 3] = [250, 235, 230];
const SAND: [u8; 3] = [214, 178, 120];
const TEAL: [u8; 3] = [32, 128, 128];

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
        &[(Disc, BLUE, MIST), (Ring, BLUE, MIST), (Disc, MOSS, MINT)],
    ),
    product(
        "Linen throw",
        "linen-throw",
        "Home",
        (59.0, 25),
        "Washed linen, 130 by 170 centimetres.",
        &[(Stripes, SAND, CREAM), (Checks, SAND, CREAM)],
    ),
    product(
        "Canvas shoes",
        "canvas-shoes",
        "Clothes",
        (79.95, 40),
        "Light shoes with a rubber sole, for summer and for the city.",
        &[(Diamond, BRICK, ROSE), (Diamond, BLUE, MIST), (Stripes, BRICK, ROSE), (Dots, BRICK, ROSE)],
    ),
    product(
        "Wool scarf",
        "wool-scarf",
        "Clothes",
        (39.0, 60),
        "Two metres of lambswool, woven, not knitted.",
        &[(Checks, MOSS, MINT)],
    ),
    product(
        "Pocket atlas",
        "pocket-atlas",
        "Books",
        (18.25, 200),
        "All countries on 180 pages that fit a coat pocket.",
        &[(Ring, INK, MIST)],
    ),
    product(
        "Rust by candlelight",
        "rust-by-candlelight",
        "Books",
        (24.99, 80),
        "Essays on programs that do not fall over at night.",
        &[(Dots, CORAL, NIGHT)],
    ),
    product(
        "Crème brûlée torch",
        "creme-brulee-torch",
        "Kitchen",
        (34.9, 35),
        "A small flame for sugar. Filled with lighter gas.",
        &[(Triangle, CORAL, ROSE), (Triangle, NIGHT, ROSE)],
    ),
    product(
        "Mühle für Pfeffer",
        "muehle",
        "Kitchen",
        (45.0, 50),
        "Aus Buche, mit einem Mahlwerk aus Keramik.",
        &[(Diamond, NIGHT, CREAM)],
    ),
    product(
        "Žonglovací míčky",
        "micky",
        "Toys",
        (16.0, 90),
        "Tři míčky z kůže, plněné prosem.",
        &[(Dots, BRICK, CREAM), (Disc, BRICK, CREAM)],
    ),
    product(
        "Ciupagă de nuc",
        "ciupaga",
        "Home",
        (62.5, 12),
        "Sculptată de mână, lungă de optzeci de centimetri.",
        &[(Stripes, NIGHT, SAND)],
    ),
    product(
        "Çay bardağı",
        "cay-bardagi",
        "Kitchen",
        (9.75, 240),
        "İnce belli, altı adet, tabaklarıyla.",
        &[(Ring, BRICK, CREAM), (Disc, BRICK, CREAM)],
    ),
    product(
        "Nón lá",
        "non-la",
        "Clothes",
        (12.0, 70),
        "Nón đan tay bằng lá cọ, nhẹ và mát.",
        &[(Triangle, SAND, MINT)],
    ),
    product(
        "Ελαιόλαδο",
        "elaiolado",
        "Kitchen",
        (21.0, 150),
        "Εξαιρετικό παρθένο, μισό λίτρο, από την Κρήτη.",
        &[(Disc, MOSS, CREAM), (Diamond, MOSS, CREAM)],
    ),
    product(
        "Матрёшка",
        "matryoshka",
        "Toys",
        (28.0, 45),
        "Семь кукол из липы, расписанных вручную.",
        &[(Ring, BRICK, ROSE), (Disc, BRICK, ROSE), (Dots, GOLD, BRICK)],
    ),
    product(
        "Вишиванка",
        "vyshyvanka",
        "Clothes",
        (85.0, 20),
        "Лляна сорочка з вишивкою хрестиком.",
        &[(Checks, BRICK, CREAM)],
    ),
    product(
        "ქართული ყანწი",
        "kantsi",
        "Kitchen",
        (38.0, 30),
        "სასმისი რქისგან, ნახევარი ლიტრი.",
        &[(Triangle, NIGHT, SAND)],
    ),
    product(
        "Հայկական գորգ",
        "gorg",
        "Home",
        (320.0, 4),
        "Ձեռագործ, բրդից, մեկուկես մետր երկարությամբ։",
        &[(Diamond, BRICK, SAND), (Checks, BRICK, SAND)],
    ),
    product(
        "فنجان قهوة",
        "finjan",
        "Kitchen",
        (11.0, 180),
        "فنجان صغير من الخزف، مرسوم باليد.",
        &[(Disc, TEAL, CREAM)],
    ),
    product(
        "دفتر خوشنویسی",
        "daftar",
        "Books",
        (17.5, 65),
        "کاغذ دستی برای خوشنویسی، صد برگ.",
        &[(Stripes, TEAL, CREAM)],
    ),
    product(
        "נרות שעווה",
        "nerot",
        "Home",
        (15.0, 110),
        "שמונה נרות משעוות דבורים, לבנים.",
        &[(Stripes, GOLD, CREAM)],
    ),
    product(
        "पीतल का दीया",
        "diya",
        "Home",
        (13.25, 140),
        "हाथ से बना दीया, दस सेंटीमीटर चौड़ा।",
        &[(Triangle, GOLD, NIGHT), (Disc, GOLD, NIGHT)],
    ),
    product(
        "জামদানি শাড়ি",
        "jamdani",
        "Clothes",
        (145.0, 9),
        "ঢাকার তাঁতে বোনা, ছয় গজ।",
        &[(Dots, PLUM, ROSE), (Stripes, PLUM, ROSE)],
    ),
    product(
        "தஞ்சாவூர் பொம்மை",
        "bommai",
        "Toys",
        (19.0, 33),
        "தலையாட்டும் பொம்மை, கையால் வண்ணம் தீட்டியது.",
        &[(Disc, CORAL, CREAM)],
    ),
    product(
        "ร่มกระดาษ",
        "rom",
        "Clothes",
        (26.0, 28),
        "ร่มกระดาษสาทำมือจากบ่อสร้าง เชียงใหม่",
        &[(Triangle, CORAL, MINT), (Ring, CORAL, MINT)],
    ),
    product(
        "紫砂茶壶",
        "chahu",
        "Kitchen",
        (88.0, 18),
        "宜兴紫砂,容量二百毫升。",
        &[(Disc, NIGHT, SAND), (Ring, NIGHT, SAND)],
    ),
    product(
        "こけし",
        "kokeshi",
        "Toys",
        (42.0, 22),
        "ミズキの木から作られた、高さ二十センチの人形。",
        &[(Ring, BRICK, MIST)],
    ),
    product(
        "折り紙の本",
        "origami",
        "Books",
        (14.8, 95),
        "五十の作品を、図と写真で説明します。",
        &[(Diamond, CORAL, MIST), (Triangle, BLUE, MIST)],
    ),
    product(
        "한지 부채",
        "buchae",
        "Home",
        (23.0, 44),
        "전주 한지로 만든 접는 부채.",
        &[(Triangle, TEAL, MIST)],
    ),
    product("የቡና ጀበና", "jebena", "Kitchen", (31.0, 26), "ከሸክላ የተሠራ የቡና ማፍያ።", &[(Disc, NIGHT, CORAL)]),
    product(
        "Kitenge",
        "kitenge",
        "Clothes",
        (18.0, 75),
        "Kitambaa cha pamba chenye rangi, mita mbili.",
        &[
            (Checks, GOLD, TEAL),
            (Dots, GOLD, TEAL),
            (Diamond, GOLD, TEAL),
            (Ring, GOLD, TEAL),
            (Stripes, GOLD, TEAL),
        ],
    ),
];

/// The categories of the products, each with its picture.
pub(crate) const CATEGORIES: [(&str, Picture); 5] = [
    ("Books", (Stripes, INK, MIST)),
    ("Clothes", (Checks, BRICK, ROSE)),
    ("Home", (Ring, BLUE, MIST)),
    ("Kitchen", (Triangle, MOSS, MINT)),
    ("Toys", (Dots, PLUM, ROSE)),
];

/// The picture at the top of the shop.
pub(crate) const BANNER: Picture = (Diamond, [200, 96, 32], [255, 246, 230]);

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
