//! Words that mean the same to whoever shops. `docs/search.md` tells when a line belongs here.
//!
//! Spellings are made one when a text is cut, so they cost nothing later and a change of them wants a new base.
//! Synonyms are added to what is looked for, so a change of them wants nothing.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

use super::analyser;

/// Words and what they are called by others, separated by commas. What has two words is found where they stand side by
/// side in a name.
const SYNONYMS: &[&str] = &[
    // Clothes.
    "clothes, clothing, apparel",
    "shoe, footwear",
    "sneaker, trainer, running shoe, gym shoe",
    "trousers, pants, slacks",
    "jeans, denim",
    "sweater, jumper, pullover, jersey",
    "tshirt, tee, tee shirt",
    "underwear, underpants, briefs",
    "swimsuit, bathing suit, swimwear",
    "dressing gown, bathrobe, robe",
    "raincoat, rain jacket, rain coat",
    "beanie, knit cap, woolly hat",
    "handbag, purse",
    "backpack, rucksack, knapsack, daypack",
    "sunglasses, shades",
    "glasses, spectacles, eyeglasses",
    "waistcoat, vest",
    "wellingtons, rain boots, rubber boots, wellies",
    "jewelry, jewellery",
    "ladies, women",
    "kid, child, children",
    // Home.
    "sofa, couch, settee",
    "wardrobe, closet, armoire",
    "cupboard, cabinet",
    "curtain, drape",
    "duvet, comforter, quilt",
    "rug, carpet",
    "lamp, light",
    "flashlight, torch",
    "tap, faucet",
    "bin, trash can, garbage can, dustbin, rubbish bin",
    "nappy, diaper",
    "pram, stroller, pushchair, buggy",
    "pacifier, dummy, soother",
    "cot, crib",
    "hob, cooktop",
    "cooker, stove",
    "fridge, refrigerator",
    "freezer, deep freeze",
    "dishwasher, dish washer",
    "vacuum, vacuum cleaner, hoover",
    "mug, cup",
    "frying pan, skillet, frypan",
    "pan, saucepan",
    "cutlery, silverware, flatware",
    "crockery, dishes, dinnerware, tableware",
    "tin opener, can opener",
    "cling film, plastic wrap",
    "tea towel, dish towel",
    "washcloth, flannel",
    "bookshelf, bookcase",
    "nightstand, bedside table",
    // Electronics.
    "tv, television, telly",
    "phone, smartphone, cellphone, mobile phone, cell phone, mobile, handset",
    "laptop, notebook computer",
    "pc, computer",
    "headphone, headset, earphone",
    "earbud, earphone, in ear headphones",
    "charger, power adapter, power supply",
    "power bank, powerbank, portable charger",
    "usb stick, flash drive, thumb drive, memory stick",
    "monitor, screen, display",
    "speaker, loudspeaker",
    "camera, cam",
    "satnav, gps",
    "game console, games console, gaming console",
    "cable, cord, lead",
    "battery, accumulator",
    // Food and health.
    "soda, soft drink, fizzy drink",
    "drink, beverage",
    "cola, coke",
    "crisp, potato chip",
    "biscuit, cookie",
    "candy, sweets",
    "aubergine, eggplant",
    "courgette, zucchini",
    "coriander, cilantro",
    "rocket, arugula",
    "prawn, shrimp",
    "sparkling water, carbonated water, soda water",
    "plaster, band aid, adhesive bandage",
    "perfume, fragrance, eau de parfum, cologne",
    "moisturizer, face cream",
    "nail polish, nail varnish",
    // Tools, garden, sport, travel, office.
    "spanner, wrench",
    "screwdriver, screw driver",
    "lawnmower, lawn mower",
    "hosepipe, hose, garden hose",
    "bike, bicycle, cycle",
    "motorbike, motorcycle",
    "car, automobile, auto",
    "soccer, football",
    "bbq, barbecue, barbeque, grill",
    "dumbbell, hand weight, free weight",
    "rubber, eraser",
    "pen, ballpoint, biro",
    "sellotape, adhesive tape, sticky tape, scotch tape",
    "present, gift",
    "pet bed, dog bed, cat bed",
    "waterproof, water resistant, water repellent",
    "noise cancelling, noise canceling, anc",
    // Sizes and numbers.
    "xs, extra small, x small",
    "xl, extra large, x large",
    "xxl, 2xl",
    "xxxl, 3xl",
    "small, s",
    "medium, m",
    "large, l",
    "1, one",
    "2, two",
    "3, three",
    "4, four",
    "5, five",
    "6, six",
    "7, seven",
    "8, eight",
    "9, nine",
    "10, ten",
    "12, twelve, dozen",
];

/// What is one word in several spellings: the first is the one that is kept. Both sides of the ocean first, then what
/// is written in several ways on either.
const SPELLINGS: &[&str] = &[
    "gray, grey",
    "tire, tyre",
    "aluminum, aluminium",
    "jewelry, jewellery, jewelery",
    "pajamas, pyjamas",
    "pajama, pyjama",
    "donut, doughnut",
    "yogurt, yoghurt, yoghourt",
    "cozy, cosy",
    "disk, disc",
    "catalog, catalogue",
    "program, programme",
    "center, centre",
    "theater, theatre",
    "fiber, fibre",
    "caliber, calibre",
    "saber, sabre",
    "mold, mould",
    "plow, plough",
    "mustache, moustache",
    "sulfur, sulphur",
    "whiskey, whisky",
    "chili, chilli, chile",
    "omelet, omelette",
    "license, licence",
    "defense, defence",
    "check, cheque",
    "draft, draught",
    "artifact, artefact",
    "ax, axe",
    "woolen, woollen",
    "woolly, wooly",
    "barbecue, barbeque",
    "adapter, adaptor",
    "lollipop, lollypop",
    "hairdryer, hairdrier",
    "ketchup, catsup",
    "karaoke, kareoke",
    "kebab, kebob, kabob",
    "hummus, houmous, humus",
    "racket, racquet",
    "vise, vice",
    "flyer, flier",
    "ukulele, ukelele",
    "teepee, tepee, tipi",
    "judgment, judgement",
    "skeptic, sceptic",
    "light, lite",
    "night, nite",
    "color, colour",
    "flavor, flavour",
    "favor, favour",
    "odor, odour",
    "vapor, vapour",
    "armor, armour",
    "harbor, harbour",
    "humor, humour",
    "labor, labour",
    "honor, honour",
    "neighbor, neighbour",
    "savor, savour",
    "rumor, rumour",
    "parlor, parlour",
    "behavior, behaviour",
    "glamor, glamour",
];

/// Plurals, or singulars, that no rule makes.
const IRREGULAR: &[(&str, &str)] = &[
    ("bras", "bra"),
    ("bus", "bus"),
    ("buses", "bus"),
    ("cacti", "cactu"),
    ("cactuses", "cactu"),
    ("calves", "calf"),
    ("canvases", "canva"),
    ("children", "child"),
    ("childrens", "child"),
    ("dice", "die"),
    ("echoes", "echo"),
    ("feet", "foot"),
    ("gas", "gas"),
    ("gases", "gas"),
    ("geese", "goose"),
    ("halves", "half"),
    ("heroes", "hero"),
    ("hooves", "hoof"),
    ("irises", "iri"),
    ("knives", "knife"),
    ("leaves", "leaf"),
    ("lens", "lens"),
    ("lenses", "lens"),
    ("lives", "life"),
    ("loaves", "loaf"),
    ("mangoes", "mango"),
    ("men", "man"),
    ("mens", "man"),
    ("mice", "mouse"),
    ("mosquitoes", "mosquito"),
    ("news", "news"),
    ("people", "person"),
    ("peoples", "person"),
    ("potatoes", "potato"),
    ("scarves", "scarf"),
    ("selves", "self"),
    ("shelves", "shelf"),
    ("teeth", "tooth"),
    ("thieves", "thief"),
    ("tomatoes", "tomato"),
    ("tornadoes", "tornado"),
    ("volcanoes", "volcano"),
    ("wives", "wife"),
    ("wolves", "wolf"),
    ("women", "woman"),
    ("womens", "woman"),
];

/// Words that are in everything: nobody looks for them when there is another word.
const STOP_WORDS: &[&str] = &[
    "a", "am", "an", "and", "any", "are", "as", "at", "be", "by", "for", "from", "i", "is", "it", "looking",
    "me", "my", "n", "not", "of", "on", "or", "some", "that", "the", "this", "to", "with", "your",
    "in", // English
    "auf", "aus", "bei", "das", "dem", "den", "der", "ein", "eine", "fur", "im", "mit", "und", "von", "zum",
    "zur", // German
    "au", "aux", "avec", "d", "de", "des", "du", "en", "et", "la", "le", "les", "pour", "un",
    "une", // French
    "con", "del", "el", "los", "las", "para", "por", "y", // Spanish
    "een", "het", "met", "voor", "med", "och", // Dutch, Swedish
    "e", "com", "da", "della", "di", "do", "dla", "na", "per", "z", "и", "для", "с", "в",
    "на", // Italian, Portuguese, Polish, Russian
];

/// After these a name says what its product goes with, not what it is: a case *for* a phone.
const PREPOSITIONS: &[&str] = &[
    "for", "with", "without", // English
    "fur", "mit", "ohne", // German; Swedish for
    "avec", "pour", "sans", // French
    "con", "para", "sin", // Spanish
    "com", "per", "sem", "senza", // Italian, Portuguese
    "met", "voor", "zonder", "med", // Dutch, Swedish
    "bez", "dla", "без", "для", "с", // Polish, Russian
];

/// Words that say which one of its kind a product is, and seldom what it is: its colour, its size and for whom.
const DESCRIBING: &[&str] = &[
    // Colours: English, German, French, Spanish, Italian and Portuguese, Russian, Polish.
    "beige black blue bronze brown charcoal cream dark gold golden gray green ivory khaki lilac maroon multicolored",
    "navy olive orange pink purple red silver teal transparent turquoise violet white yellow",
    "blau blaue braun braune gelb gelbe grau graue grün grüne rot rote schwarz schwarze weiß",
    "blanc blanche bleu bleue gris grise jaune marron noir noire rouge vert verte",
    "amarilla amarillo azul blanca blanco negra negro roja rojo verde",
    "bianca bianco nera nero preta preto rossa rosso",
    "белая белый красная красный синий синяя чёрная чёрный",
    "biała biały czarna czarny czerwona czerwony",
    // Sizes.
    "big extra l large m medium mini s small xl xs xxl xxxl",
    // For whom: English, German, French, Spanish.
    "adult baby boy child girl kid lady man unisex woman",
    "damen herren kinder",
    "enfant femme homme",
    "hombre mujer niña niño",
];

/// What things are made of, likewise, but a glass is one as well: English, German, French, Spanish.
const MATERIALS: &[&str] = &[
    "aluminum bamboo canvas ceramic copper cotton glass leather linen marble metal organic plastic polyester recycled",
    "rubber silk stainless steel suede velvet wood wooden wool",
    "baumwolle edelstahl glas holz leder leinen wolle",
    "acier bois coton cuir laine lin verre",
    "acero algodón cuero lana lino madera vidrio",
];

/// Whether `word` says nothing where another word stands.
pub fn is_stop_word(word: &str) -> bool {
    STOP_WORDS.contains(&word)
}

/// Whether what follows `word` in a name is what its product goes with.
pub fn is_preposition(word: &str) -> bool {
    PREPOSITIONS.contains(&word)
}

/// Whether `word`, a singular, says which one of its kind a product is: a colour, a size, for whom.
pub fn describes(word: &str) -> bool {
    static WORDS: LazyLock<HashSet<String>> = LazyLock::new(|| singulars(DESCRIBING));
    WORDS.contains(word)
}

/// Whether `word`, a singular, is what things are made of.
pub fn is_material(word: &str) -> bool {
    static WORDS: LazyLock<HashSet<String>> = LazyLock::new(|| singulars(MATERIALS));
    WORDS.contains(word)
}

fn singulars(lines: &[&str]) -> HashSet<String> {
    let words = lines.iter().flat_map(|line| line.split(' '));
    words.map(|word| analyser::singular(&spelling(&analyser::fold(word)))).collect()
}

/// The one spelling of a folded word.
pub fn spelling(word: &str) -> Cow<'_, str> {
    static KEPT: LazyLock<HashMap<&str, &str>> = LazyLock::new(|| {
        let line = |line: &'static &'static str| {
            let (kept, others) = line.split_once(", ").unwrap_or((line, ""));
            others.split(", ").map(move |other| (other, kept))
        };
        SPELLINGS.iter().flat_map(line).collect()
    });
    if !word.bytes().all(|b| b.is_ascii_lowercase()) || word.len() < 4 {
        return KEPT.get(word).map_or(Cow::Borrowed(word), |kept| Cow::Borrowed(*kept));
    }
    // The word itself, or one that is made of it: coloured, flavours, tyres.
    for ending in ["", "s", "ed", "ing", "ful", "less", "ite", "y", "able"] {
        if let Some(kept) = word.strip_suffix(ending).and_then(|root| KEPT.get(root)) {
            return if ending.is_empty() {
                Cow::Borrowed(*kept)
            } else {
                Cow::Owned(format!("{kept}{ending}"))
            };
        }
    }
    for (british, american) in
        [("iser", "izer"), ("ised", "ized"), ("ising", "izing"), ("isers", "izers"), ("isation", "ization")]
    {
        if let Some(root) = word.strip_suffix(british).filter(|root| root.len() >= 4) {
            return Cow::Owned(format!("{root}{american}"));
        }
    }
    for (british, american) in [("ller", "ler"), ("llers", "lers"), ("lling", "ling"), ("lled", "led")] {
        let root = word
            .strip_suffix(british)
            .filter(|root| root.len() >= 4 && root.ends_with(['a', 'e', 'i', 'o', 'u']));
        if let Some(root) = root {
            return Cow::Owned(format!("{root}{american}"));
        }
    }
    Cow::Borrowed(word)
}

/// Plurals of [`IRREGULAR`] that also end longer words: bookshelves, penknives.
const ENDINGS: &[&str] =
    &["children", "knives", "leaves", "loaves", "scarves", "shelves", "teeth", "wives", "women"];

/// The singular of a plural that no rule makes.
pub fn irregular(word: &str) -> Option<Cow<'static, str>> {
    let of = |word: &str| {
        IRREGULAR.binary_search_by_key(&word, |(plural, _)| plural).ok().map(|at| IRREGULAR[at].1)
    };
    if let Some(singular) = of(word) {
        return Some(Cow::Borrowed(singular));
    }
    let (begin, plural) = ENDINGS.iter().find_map(|end| Some((word.strip_suffix(*end)?, *end)))?;
    Some(Cow::Owned(format!("{begin}{}", of(plural)?))).filter(|_| begin.len() >= 3)
}

/// What else `words`, singulars that stand side by side, are called: each as the words it consists of.
pub fn others(words: &[&str]) -> impl Iterator<Item = &'static [String]> {
    let key = words.join(" ");
    let groups = TABLE.by_name.get(&key).map(Vec::as_slice).unwrap_or_default();
    groups
        .iter()
        .filter(|group| counts(**group))
        .flat_map(|group| TABLE.groups[*group].iter())
        .filter(move |name| name.join(" ") != key)
        .map(Vec::as_slice)
}

/// Whether a line is to be looked at: all are, but where a test says otherwise.
#[cfg(not(feature = "testing"))]
fn counts(_line: usize) -> bool {
    true
}

#[cfg(feature = "testing")]
use testing::counts;

/// What one line more or less changes: for tests.
#[cfg(feature = "testing")]
pub mod testing {
    use std::cell::{Cell, RefCell};
    use std::collections::BTreeSet;

    thread_local! {
        static DROPPED: Cell<Option<usize>> = const { Cell::new(None) };
        static ASKED: RefCell<BTreeSet<usize>> = const { RefCell::new(BTreeSet::new()) };
    }

    /// All lines, each with the names that it has.
    pub fn lines() -> &'static [&'static str] {
        super::SYNONYMS
    }

    /// Does something on this thread as if one line were not there.
    pub fn without<T>(line: usize, act: impl FnOnce() -> T) -> T {
        DROPPED.set(Some(line));
        let done = act();
        DROPPED.set(None);
        done
    }

    /// Does something on this thread, and tells which lines had a word of it.
    pub fn asked<T>(act: impl FnOnce() -> T) -> (T, BTreeSet<usize>) {
        ASKED.take();
        let done = act();
        (done, ASKED.take())
    }

    pub(super) fn counts(line: usize) -> bool {
        ASKED.with_borrow_mut(|asked| asked.insert(line));
        DROPPED.get() != Some(line)
    }
}

/// The most words of one name of `SYNONYMS`.
pub const LONGEST: usize = 3;

struct Table {
    groups: Vec<Vec<Vec<String>>>,
    by_name: HashMap<String, Vec<usize>>,
}

static TABLE: LazyLock<Table> = LazyLock::new(|| {
    let name = |name: &str| name.split(' ').map(|word| analyser::singular(&spelling(word))).collect();
    let mut table = Table { groups: Vec::new(), by_name: HashMap::new() };
    for (at, line) in SYNONYMS.iter().enumerate() {
        let names: Vec<Vec<String>> = line.split(", ").map(name).collect();
        for name in &names {
            table.by_name.entry(name.join(" ")).or_default().push(at);
        }
        table.groups.push(names);
    }
    table
});

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn irregular_plurals_are_sorted() {
        assert!(IRREGULAR.is_sorted_by_key(|(plural, _)| plural));
    }

    #[test]
    fn words_that_join_others_are_listed_as_they_are_looked_for() {
        for word in STOP_WORDS.iter().chain(PREPOSITIONS) {
            assert_eq!(analyser::fold(word), *word);
        }
    }

    #[test]
    fn every_line_says_something() {
        for line in SYNONYMS.iter().chain(SPELLINGS) {
            assert!(line.contains(", "), "{line} has nothing to be the same as");
        }
        for group in &TABLE.groups {
            assert!(group.iter().all(|name| name.len() <= LONGEST), "{group:?} has a name of too many words");
        }
    }

    #[test]
    fn spellings_of_both_sides_of_the_ocean_are_one() {
        for (one, other) in [
            ("colour", "color"),
            ("coloured", "colored"),
            ("flavours", "flavors"),
            ("organiser", "organizer"),
            ("moisturising", "moisturizing"),
            ("traveller", "traveler"),
            ("tyres", "tires"),
            ("grey", "gray"),
        ] {
            assert_eq!(spelling(one), spelling(other));
        }
    }
}
