//! Catalogues out of nothing, for tests and measurements: product number `n` of a seed is always the same.
//!
//! A name has two to seven words: a brand of 3,000, a noun of what shops sell, colours, materials, sizes and model
//! numbers, each drawn as often as such things are (Zipf). A description has 20 to 40 words of 60,000 invented ones. So
//! an index of them is about as large as one of real products, and most words of a query are in many names.

use super::{Document, ProductId, StoreFace, StoreId};

const NOUNS: &str = "shoe sneaker boot sandal shirt t-shirt blouse dress skirt jacket coat sweater hoodie jeans trousers \
    shorts sock glove scarf hat cap belt wallet handbag backpack suitcase watch ring necklace earrings bracelet \
    sunglasses phone charger cable headphones speaker laptop tablet keyboard mouse monitor printer camera lens tripod \
    drone television projector console controller game puzzle doll truck robot bicycle helmet skateboard tent lantern \
    sleeping-bag compass rope kayak paddle dumbbell yoga-mat treadmill racket basketball football toothbrush shampoo \
    conditioner soap lotion perfume lipstick mascara razor towel pillow blanket sheet curtain rug lamp chair table desk \
    shelf sofa bed mattress mirror clock vase candle frame kettle toaster blender mixer oven microwave refrigerator \
    dishwasher vacuum iron fan heater mug cup plate bowl fork spoon knife pan pot grill cutting-board thermos bottle \
    lunchbox coffee tea chocolate cookie pasta rice sauce oil vinegar honey jam cereal snack juice soda water wine beer \
    cheese novel cookbook notebook pen pencil marker stapler folder calculator drill hammer screwdriver wrench saw \
    ladder toolbox paint brush hose shovel rake seeds planter fertilizer leash collar aquarium bird-feeder stroller \
    crib diaper pacifier tyre wiper battery flashlight umbrella raincoat";

const CATEGORIES: [&str; 30] = [
    "Clothes",
    "Shoes",
    "Accessories",
    "Electronics",
    "Phones",
    "Computers",
    "Photo",
    "Television",
    "Games",
    "Toys",
    "Cycling",
    "Camping",
    "Fitness",
    "Sports",
    "Beauty",
    "Health",
    "Bedroom",
    "Living room",
    "Furniture",
    "Decoration",
    "Kitchen",
    "Appliances",
    "Tableware",
    "Food",
    "Drinks",
    "Books",
    "Office",
    "Tools",
    "Garden",
    "Pets",
];

const COLOURS: [&str; 24] = [
    "black",
    "white",
    "red",
    "blue",
    "green",
    "yellow",
    "grey",
    "navy",
    "beige",
    "brown",
    "pink",
    "purple",
    "orange",
    "silver",
    "gold",
    "turquoise",
    "ivory",
    "khaki",
    "maroon",
    "olive",
    "teal",
    "charcoal",
    "cream",
    "lilac",
];

const MATERIALS: [&str; 20] = [
    "cotton",
    "leather",
    "wool",
    "linen",
    "steel",
    "wooden",
    "ceramic",
    "glass",
    "bamboo",
    "silk",
    "aluminium",
    "plastic",
    "suede",
    "velvet",
    "rubber",
    "canvas",
    "copper",
    "marble",
    "organic",
    "recycled",
];

const SIZES: [&str; 20] = [
    "500 ml",
    "1 l",
    "250 g",
    "1 kg",
    "64 GB",
    "128 GB",
    "15 inch",
    "24 inch",
    "S",
    "M",
    "L",
    "XL",
    "pack of 6",
    "2000 W",
    "10 m",
    "30 cm",
    "12 V",
    "5000 mAh",
    "750 ml",
    "3 kg",
];

const SYLLABLES: [&str; 40] = [
    "ka", "zo", "ri", "lum", "ven", "tor", "mi", "sa", "nex", "bel", "dra", "qui", "fos", "har", "len",
    "pra", "vio", "sten", "gal", "mor", "ox", "ulta", "ber", "cin", "del", "ing", "er", "ted", "ness",
    "able", "con", "pro", "tion", "ly", "est", "un", "re", "ment", "ful", "ive",
];

const BRANDS: usize = 3000;
const WORDS: usize = 60_000;
const STORES: usize = 2000;

/// Makes products.
pub struct Catalogue {
    words: Vec<String>,
    brands: Vec<String>,
    nouns: Vec<&'static str>,
    by_word: Zipf,
    by_brand: Zipf,
    by_noun: Zipf,
    by_store: Zipf,
    seed: u64,
}

impl Catalogue {
    /// When its first product was made, in milliseconds since 1970; each later one is a second younger.
    pub const FIRST: i64 = 1_700_000_000_000;

    /// That of a seed.
    pub fn new(seed: u64) -> Self {
        let random = &mut Random::of(seed, u64::MAX);
        let word = |random: &mut Random, syllables: usize| -> String {
            (0..syllables).map(|_| SYLLABLES[random.below(SYLLABLES.len())]).collect()
        };
        let nouns: Vec<&str> = NOUNS.split_whitespace().collect();
        let brands = (0..BRANDS).map(|_| {
            let syllables = 2 + random.below(2);
            let brand = word(random, syllables);
            brand[..1].to_uppercase() + &brand[1..]
        });
        let brands = brands.collect();
        let words = (0..WORDS).map(|_| {
            let syllables = 2 + random.below(3);
            word(random, syllables)
        });
        Self {
            words: words.collect(),
            brands,
            by_word: Zipf::new(WORDS, 1.0),
            by_brand: Zipf::new(BRANDS, 0.8),
            by_noun: Zipf::new(nouns.len(), 0.6),
            by_store: Zipf::new(STORES, 0.9),
            nouns,
            seed,
        }
    }

    /// Its product number `n`.
    pub fn product(&self, n: u64) -> Document {
        let random = &mut Random::of(self.seed, n);
        let kind = self.by_noun.draw(random);
        let noun = self.nouns[kind];
        let brand = &self.brands[self.by_brand.draw(random)];
        let mut name = vec![brand.clone()];
        if random.below(3) > 0 {
            name.push(COLOURS[random.below(COLOURS.len())].into());
        }
        if random.below(3) > 0 {
            name.push(MATERIALS[random.below(MATERIALS.len())].into());
        }
        if random.below(3) == 0 {
            name.push(self.words[self.by_word.draw(random)].clone());
        }
        name.push(noun.into());
        if random.below(4) == 0 {
            name.push(SIZES[random.below(SIZES.len())].into());
        }
        if random.below(3) == 0 {
            let series = char::from(b'A' + u8::try_from(random.below(26)).unwrap_or_default());
            name.push(format!("{series}{}", 100 + random.below(900)));
        }
        let mut description = Vec::new();
        for at in 0..20 + random.below(21) {
            description.push(self.words[self.by_word.draw(random)].as_str());
            if at == 8 {
                description.push(noun);
            }
        }
        let store = self.by_store.draw(random);
        let letters = |text: &str, most: usize| text.chars().take(most).collect::<String>().to_uppercase();
        let created_at = Self::FIRST + i64::try_from(n).unwrap_or_default() * 1000;
        Document {
            product_id: id(u64::try_from(created_at).unwrap_or_default(), random),
            sku: Some(format!("{}-{}-{:05}", letters(brand, 2), letters(noun, 3), random.below(100_000))),
            name: name.join(" "),
            description: description.join(" "),
            category: CATEGORIES[kind * CATEGORIES.len() / self.nouns.len()].into(),
            store: Some(StoreFace {
                id: StoreId::from_u128(u128::from(self.seed) << 64 | store as u128),
                name: format!("Store {store}"),
            }),
            price: 199 + 50 * (random.below(400) * random.below(400) / 40) as u64,
            in_stock: random.below(12) > 0,
            rating: (random.below(2) == 0).then(|| 10 + u8::try_from(random.below(41)).unwrap_or_default()),
            created_at,
            version: 1 + random.below(5) as u64,
        }
    }

    /// The first `count` of them.
    pub fn products(&self, count: u64) -> impl Iterator<Item = Document> + '_ {
        (0..count).map(|n| self.product(n))
    }
}

/// As ids of products are made: of the time, and by chance.
fn id(millis: u64, random: &mut Random) -> ProductId {
    let mut bytes = [0; 10];
    bytes[..8].copy_from_slice(&random.next().to_le_bytes());
    bytes[8..].copy_from_slice(&random.next().to_le_bytes()[..2]);
    uuid::Builder::from_unix_timestamp_millis(millis, &bytes).into_uuid()
}

/// Numbers that look as if they came by chance (xorshift*).
pub struct Random(u64);

impl Random {
    /// The numbers of a seed, for its `n`-th use.
    pub fn of(seed: u64, n: u64) -> Self {
        // Neighbours in seed and number must not be neighbours in what is drawn (splitmix).
        let mixed = (seed ^ n.wrapping_mul(0x9e37_79b9_7f4a_7c15)).wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        Self((mixed ^ (mixed >> 31)) | 1)
    }

    /// The next.
    #[expect(clippy::should_implement_trait, reason = "there is no end of them to be told")]
    pub fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    /// One below `end`.
    pub fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % end as u64).unwrap_or_default()
    }
}

/// Draws the first most often, the second half as often, and so on (with an exponent of 1).
struct Zipf(Vec<f64>);

impl Zipf {
    fn new(count: usize, exponent: f64) -> Self {
        let mut sum = 0.0;
        let mut sums: Vec<f64> = (1..=count)
            .map(|rank| {
                sum += (rank as f64).powf(-exponent);
                sum
            })
            .collect();
        sums.iter_mut().for_each(|share| *share /= sum);
        Self(sums)
    }

    fn draw(&self, random: &mut Random) -> usize {
        let chance = (random.next() >> 11) as f64 / (1_u64 << 53) as f64;
        self.0.partition_point(|share| *share < chance).min(self.0.len() - 1)
    }
}
